/* Signing up, and confirming it. */
#include "base/json.h"
#include "pool.h"

#define CODE_MS MS_DAY

/* Of the trigger before: what the function says about the new user. */
static err ask_function(req *rq, idp_user *u, const idp_pool *p, str client, const char *source,
                        const cognito_idp_AttributeListType *data, const idp_metadata *metadata,
                        const json_value **said)
{
	idp_user seen = *u;
	seen.Sub = STR_NONE;
	buf b = buf_in(rq->mem, 256, 65536);
	for (size_t i = 0; i < data->n; i++) {
		buf_c(&b, i ? ',' : '{');
		idp_json_put(&b, data->v[i].Name, data->v[i].Value);
	}
	buf_put(&b, data->n ? S("}") : S("null"));
	idp_event e = {
		.pool = p,
		.client = client,
		.user = u->Username,
		.trigger = "PreSignUp",
		.source = source,
		.function = IDP_FUNCTION(p, PreSignUp),
		.request =
			arena_fmt(rq->mem, "{\"userAttributes\":%.*s,\"validationData\":%.*s,\"clientMetadata\":%.*s}",
		              STR_ARG(idp_json_attributes(rq->mem, &seen, false)), STR_ARG(buf_str(&b)),
		              STR_ARG(idp_json_map(rq->mem, metadata))),
		.response = S("{\"autoConfirmUser\":false,\"autoVerifyEmail\":false,\"autoVerifyPhone\":false}"),
	};
	return idp_trigger(rq, &e, said);
}

err idp_ask_before(req *rq, idp_user *u, const idp_pool *p, str client, const char *source,
                   const cognito_idp_AttributeListType *data, const idp_metadata *metadata,
                   const json_value **said)
{
	TRY(ask_function(rq, u, p, client, source, data, metadata, said));
	static const char *const marks[][3] = { { "autoVerifyEmail", "email", "email_verified" },
		                                    { "autoVerifyPhone", "phone_number", "phone_number_verified" } };
	for (size_t i = 0; *said && i < 2; i++) {
		if (!idp_json_true(*said, str_c(marks[i][0])))
			continue;
		if (!idp_attribute(&u->Attributes, str_c(marks[i][1])).n)
			return fail(rq, &cognito_idp_InvalidLambdaResponseException,
			            "%s cannot be verified: the user has none", marks[i][1]);
		idp_attribute_set(rq->mem, &u->Attributes, str_c(marks[i][2]), S("true"));
	}
	return OK;
}

static err tell_after(req *rq, const idp_pool *p, const idp_user *u, str client, const char *source,
                      const idp_metadata *metadata)
{
	const json_value *said;
	idp_event e = {
		.pool = p,
		.client = client,
		.user = u->Username,
		.trigger = "PostConfirmation",
		.source = source,
		.function = IDP_FUNCTION(p, PostConfirmation),
		.request = arena_fmt(rq->mem, "{\"userAttributes\":%.*s,\"clientMetadata\":%.*s}",
		                     STR_ARG(idp_json_attributes(rq->mem, u, true)),
		                     STR_ARG(idp_json_map(rq->mem, metadata))),
		.response = S("{}"),
	};
	return idp_trigger(rq, &e, &said);
}

err idp_tell_confirmed(req *rq, const idp_pool *p, const idp_user *u, str client, bool forgot,
                       const idp_metadata *metadata)
{
	return tell_after(rq, p, u, client,
	                  forgot ? "PostConfirmation_ConfirmForgotPassword" : "PostConfirmation_ConfirmSignUp",
	                  metadata);
}

typedef struct coming {
	idp_pool *p;
	idp_client *c;
	idp_user u;
	idp_message m;
	str given;
	bool told, admin;
} coming;

static err keep_user(req *rq, txn *tx, void *context)
{
	coming *n = context;
	TRY(idp_user_free(rq, tx, n->p, &n->u, n->given, n->admin));
	TRY(idp_aliases_set(rq, tx, n->p, NULL, &n->u, false));
	idp_user_add(rq, tx, n->p, &n->u);
	if (!n->told)
		return OK;
	idp_code_keep(rq, tx, &n->m, S("signup"), CODE_MS, n->m.attribute);
	idp_message_send(rq, tx, &n->m);
	return OK;
}

static err look(req *rq, const txn *tx, const cognito_idp_SignUp_in *in, coming *n)
{
	TRY(idp_client_enter(rq, tx, in->ClientId, &n->p, &n->c));
	TRY(idp_secret_check(rq, n->c, in->SecretHash, in->Username, NULL));
	if (n->p->It->AdminCreateUserConfig->AllowAdminCreateUserOnly.v)
		return fail(rq, &cognito_idp_NotAuthorizedException, "SignUp is not permitted for this user pool");
	for (size_t i = 0; i < in->UserAttributes.n; i++)
		idp_attribute_set(rq->mem, &n->u.Attributes, in->UserAttributes.v[i].Name,
		                  in->UserAttributes.v[i].Value);
	TRY(idp_attributes_check(rq, n->p, &in->UserAttributes));
	TRY(idp_attributes_writable(rq, n->c, &in->UserAttributes));
	TRY(idp_user_name(rq, n->p, in->Username, &n->u));
	if (!str_is(in->Password))
		return fail(rq, &cognito_idp_InvalidParameterException, "Missing required parameter Password");
	TRY(idp_password_check(rq, n->p, in->Password));
	TRY(idp_attributes_required(rq, n->p, &n->u.Attributes));
	return idp_user_free(rq, tx, n->p, &n->u, in->Username, false);
}

err cognito_idp_SignUp(req *rq, const cognito_idp_SignUp_in *in, cognito_idp_SignUp_out *out)
{
	const json_value *said;
	coming n = { .given = in->Username, .u = { .Status = IDP_UNCONFIRMED } };
	const txn *tx = req_read(rq);
	err e = look(rq, tx, in, &n);
	req_read_end(rq, tx);
	TRY(e);
	TRY(idp_ask_before(rq, &n.u, n.p, n.c->Id, "PreSignUp_SignUp", &in->ValidationData, &in->ClientMetadata,
	                   &said));
	bool confirmed = said && idp_json_true(said, S("autoConfirmUser"));
	if (confirmed)
		n.u.Status = IDP_CONFIRMED;
	idp_password_make(rq->mem, n.p, &n.u, in->Password);
	str route = idp_message_route(n.p, &n.u);
	if (!confirmed && route.n) {
		n.told = true;
		n.m = (idp_message){ .kind = IDP_SIGN_UP,
			                 .pool = n.p,
			                 .client = n.c->Id,
			                 .user = &n.u,
			                 .metadata = &in->ClientMetadata,
			                 .attribute = route,
			                 .code = idp_code_new(rq->mem) };
		TRY(idp_message_write(rq, &n.m));
		out->CodeDeliveryDetails = idp_message_details(rq->mem, &n.m);
	}
	TRY(req_write(rq, keep_user, &n));
	if (confirmed)
		TRY(idp_tell_confirmed(rq, n.p, &n.u, n.c->Id, false, &in->ClientMetadata));
	out->UserConfirmed = BOOL(confirmed);
	out->UserSub = n.u.Sub;
	return OK;
}

typedef struct confirming {
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	str pool_id, client_id, name, code, hash;
	bool admin, force;
	err wrong;
} confirming;

static err stranger(req *rq, const idp_client *c, bool code)
{
	if (!idp_hides_users(c))
		return fail(rq, &cognito_idp_UserNotFoundException, "Username/client id combination not found.");
	return code
		? fail(rq, &cognito_idp_ExpiredCodeException, "Invalid code provided, please request a code again.")
		: OK;
}

static err confirm(req *rq, txn *tx, void *context)
{
	confirming *k = context;
	str attribute = STR_NONE;
	if (k->admin) {
		TRY(idp_pool_find(rq, tx, k->pool_id, &k->p));
		TRY(idp_user_find(rq, tx, k->p, k->name, &k->u));
	} else {
		TRY(idp_client_enter(rq, tx, k->client_id, &k->p, &k->c));
		k->u = idp_user_look(tx, rq->mem, k->p, k->name);
		TRY(idp_secret_check(rq, k->c, k->hash, k->name, k->u));
		if (!k->u)
			return stranger(rq, k->c, true);
	}
	if (!str_eq(k->u->Status, IDP_UNCONFIRMED))
		return fail(rq, &cognito_idp_NotAuthorizedException,
		            "User cannot be confirmed. Current status is %.*s", STR_ARG(k->u->Status));
	if (!k->admin)
		TRY(idp_code_take(rq, tx, k->p, k->u, S("signup"), k->code, &attribute, &k->wrong));
	if (k->wrong)
		return OK;
	idp_user before = *k->u;
	if (before.Attributes.n) {
		before.Attributes.v = arena_array(rq->mem, cognito_idp_AttributeType, before.Attributes.n);
		memcpy(before.Attributes.v, k->u->Attributes.v, before.Attributes.n * sizeof *before.Attributes.v);
	}
	k->u->Status = IDP_CONFIRMED;
	if (attribute.n)
		idp_attribute_set(rq->mem, &k->u->Attributes, arena_fmt(rq->mem, "%.*s_verified", STR_ARG(attribute)),
		                  S("true"));
	TRY(idp_aliases_set(rq, tx, k->p, &before, k->u, k->force));
	idp_active(rq, k->p, k->u);
	idp_user_put(tx, rq, k->u);
	return OK;
}

err cognito_idp_ConfirmSignUp(req *rq, const cognito_idp_ConfirmSignUp_in *in,
                              cognito_idp_ConfirmSignUp_out *out)
{
	confirming k = { .client_id = in->ClientId,
		             .name = in->Username,
		             .code = in->ConfirmationCode,
		             .hash = in->SecretHash,
		             .force = in->ForceAliasCreation.v };
	(void)out;
	TRY(req_write(rq, confirm, &k));
	TRY(k.wrong);
	return idp_tell_confirmed(rq, k.p, k.u, k.c->Id, false, &in->ClientMetadata);
}

err cognito_idp_AdminConfirmSignUp(req *rq, const cognito_idp_AdminConfirmSignUp_in *in,
                                   cognito_idp_AdminConfirmSignUp_out *out)
{
	confirming k = { .pool_id = in->UserPoolId, .name = in->Username, .admin = true };
	(void)out;
	TRY(req_write(rq, confirm, &k));
	return idp_tell_confirmed(rq, k.p, k.u, STR_NONE, false, &in->ClientMetadata);
}

static err look_again(req *rq, const txn *tx, const cognito_idp_ResendConfirmationCode_in *in, coming *n,
                      bool *known)
{
	TRY(idp_client_enter(rq, tx, in->ClientId, &n->p, &n->c));
	idp_user *u = idp_user_look(tx, rq->mem, n->p, in->Username);
	TRY(idp_secret_check(rq, n->c, in->SecretHash, in->Username, u));
	*known = u;
	if (!u)
		return stranger(rq, n->c, false);
	if (str_eq(u->Status, IDP_CONFIRMED))
		return fail(rq, &cognito_idp_InvalidParameterException, "User is already confirmed.");
	if (!str_eq(u->Status, IDP_UNCONFIRMED))
		return fail(rq, &cognito_idp_NotAuthorizedException,
		            "Can't resend confirmation code for this user. Current status is %.*s",
		            STR_ARG(u->Status));
	n->u = *u;
	if (!idp_message_route(n->p, u).n)
		return fail(rq, &cognito_idp_InvalidParameterException, "Auto verification not turned on.");
	return OK;
}

static err send_again(req *rq, txn *tx, void *context)
{
	coming *n = context;
	idp_code_keep(rq, tx, &n->m, S("signup"), CODE_MS, n->m.attribute);
	idp_message_send(rq, tx, &n->m);
	return OK;
}

/* Where users are hidden, the answer for a stranger looks like any other. */
static idp_delivery *invented(req *rq)
{
	idp_delivery *d = arena_new(rq->mem, idp_delivery);
	*d = (idp_delivery){ .Destination = S("d***@e***"),
		                 .DeliveryMedium = S("EMAIL"),
		                 .AttributeName = S("email") };
	return d;
}

err cognito_idp_ResendConfirmationCode(req *rq, const cognito_idp_ResendConfirmationCode_in *in,
                                       cognito_idp_ResendConfirmationCode_out *out)
{
	bool known;
	coming n = { .given = in->Username };
	const txn *tx = req_read(rq);
	err e = look_again(rq, tx, in, &n, &known);
	req_read_end(rq, tx);
	TRY(e);
	if (!known) {
		out->CodeDeliveryDetails = invented(rq);
		return OK;
	}
	n.m = (idp_message){ .kind = IDP_RESEND,
		                 .pool = n.p,
		                 .client = n.c->Id,
		                 .user = &n.u,
		                 .metadata = &in->ClientMetadata,
		                 .attribute = idp_message_route(n.p, &n.u),
		                 .code = idp_code_new(rq->mem) };
	TRY(idp_message_write(rq, &n.m));
	TRY(req_write(rq, send_again, &n));
	out->CodeDeliveryDetails = idp_message_details(rq->mem, &n.m);
	return OK;
}
