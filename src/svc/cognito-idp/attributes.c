/* A user's attributes: showing, changing, deleting and verifying them. */
#include "pool.h"

#define CODE_MS MS_DAY

static idp_attributes copy_of(arena *mem, const idp_attributes *a)
{
	idp_attributes c = { arena_array(mem, cognito_idp_AttributeType, a->n + 1), a->n };
	if (a->n)
		memcpy(c.v, a->v, a->n * sizeof *c.v);
	return c;
}

err cognito_idp_GetUser(req *rq, const txn *tx, const cognito_idp_GetUser_in *in,
                        cognito_idp_GetUser_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	size_t n = 0;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	const cognito_idp_ClientPermissionListType *may = &c->It->ReadAttributes;
	out->Username = u->Username;
	out->UserAttributes = idp_attributes_shown(rq->mem, u);
	for (size_t i = 0; i < out->UserAttributes.n; i++) {
		str name = out->UserAttributes.v[i].Name;
		bool hidden = str_starts(name, S("dev:"))
			|| (may->n && !str_eq(name, S("sub")) && !idp_listed(may->v, may->n, name));
		if (!hidden)
			out->UserAttributes.v[n++] = out->UserAttributes.v[i];
	}
	out->UserAttributes.n = n;
	out->MFAOptions = u->Options;
	out->PreferredMfaSetting = u->Preferred;
	out->UserMFASettingList = idp_mfa_settings(rq->mem, u);
	return OK;
}

err cognito_idp_GetUserAuthFactors(req *rq, const txn *tx, const cognito_idp_GetUserAuthFactors_in *in,
                                   cognito_idp_GetUserAuthFactors_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	out->Username = u->Username;
	out->PreferredMfaSetting = u->Preferred;
	out->UserMFASettingList = idp_mfa_settings(rq->mem, u);
	out->ConfiguredUserAuthFactors.v = arena_new(rq->mem, str);
	out->ConfiguredUserAuthFactors.v[0] = S("PASSWORD");
	out->ConfiguredUserAuthFactors.n = 1;
	return OK;
}

/* A value that is new is not verified, unless the same request says so. */
static void set(req *rq, idp_user *u, const idp_attributes *given)
{
	static const str kinds[] = { S("email"), S("phone_number") };
	idp_attributes before = copy_of(rq->mem, &u->Attributes);
	for (size_t i = 0; i < given->n; i++) {
		if (given->v[i].Value.n)
			idp_attribute_set(rq->mem, &u->Attributes, given->v[i].Name, given->v[i].Value);
		else
			idp_attribute_drop(&u->Attributes, given->v[i].Name);
	}
	for (size_t i = 0; i < 2; i++) {
		str mark = arena_fmt(rq->mem, "%.*s_verified", STR_ARG(kinds[i]));
		str now = idp_attribute(&u->Attributes, kinds[i]);
		if (!now.n)
			idp_attribute_drop(&u->Attributes, mark);
		else if (!str_eq(now, idp_attribute(&before, kinds[i])) && !str_is(idp_attribute(given, mark)))
			idp_attribute_set(rq->mem, &u->Attributes, mark, S("false"));
	}
}

static err names_of(req *rq, const idp_pool *p, const idp_attributes *given)
{
	str *names = arena_array(rq->mem, str, given->n + 1);
	for (size_t i = 0; i < given->n; i++)
		names[i] = given->v[i].Name;
	return idp_attributes_mutable(rq, p, names, given->n);
}

/* A code proves that one has what it was sent to, not what the attribute has become. */
static void forget_codes(arena *mem, txn *tx, const idp_user *before, const idp_user *u)
{
	static const str kinds[] = { S("email"), S("phone_number") };
	for (size_t i = 0; i < 2; i++) {
		str kind = arena_fmt(mem, "attr:%.*s", STR_ARG(kinds[i]));
		cognito_idp_code *c = cognito_idp_code_get(tx, mem, u->Pool, u->Name, kind);
		str old = idp_attribute(&before->Attributes, kinds[i]);
		if (!c || str_eq(old, idp_attribute(&u->Attributes, kinds[i])))
			continue;
		c->End = 0;
		cognito_idp_code_put(tx, c);
	}
}

typedef struct change {
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	const idp_attributes *given;
	idp_attributes now, later; /* at once; when they are verified */
	idp_message m[2];
	size_t n;
} change;

static err keep(req *rq, txn *tx, void *context)
{
	change *k = context;
	idp_user *u = cognito_idp_user_get(tx, rq->mem, k->p->Id, k->u->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	idp_user before = *u;
	before.Attributes = copy_of(rq->mem, &u->Attributes);
	set(rq, u, &k->now);
	TRY(idp_aliases_set(rq, tx, k->p, &before, u, false));
	forget_codes(rq->mem, tx, &before, u);
	idp_active(rq, k->p, u);
	idp_user_put(tx, rq, u);
	for (size_t i = 0; i < k->n; i++) {
		str kind = arena_fmt(rq->mem, "attr:%.*s", STR_ARG(k->m[i].attribute));
		idp_code_keep(rq, tx, &k->m[i], kind, CODE_MS, idp_attribute(&k->later, k->m[i].attribute));
		idp_message_send(rq, tx, &k->m[i]);
	}
	return OK;
}

/* What must be verified before it counts waits with its code. */
static void part(req *rq, change *k)
{
	const cognito_idp_UserAttributeUpdateSettingsType *s = k->p->It->UserAttributeUpdateSettings;
	for (size_t i = 0; i < k->given->n; i++) {
		str name = k->given->v[i].Name;
		str mark = arena_fmt(rq->mem, "%.*s_verified", STR_ARG(name));
		bool changed = !str_eq(k->given->v[i].Value, idp_attribute(&k->u->Attributes, name));
		bool first = s && changed && !str_is(idp_attribute(k->given, mark))
			&& idp_listed(s->AttributesRequireVerificationBeforeUpdate.v,
		                  s->AttributesRequireVerificationBeforeUpdate.n, name);
		idp_attribute_set(rq->mem, first ? &k->later : &k->now, name, k->given->v[i].Value);
	}
}

static err write_codes(req *rq, change *k, const idp_metadata *metadata, idp_user *seen)
{
	static const str kinds[] = { S("email"), S("phone_number") };
	const cognito_idp_VerifiedAttributesListType *verified = &k->p->It->AutoVerifiedAttributes;
	*seen = *k->u;
	seen->Attributes = copy_of(rq->mem, &k->u->Attributes);
	for (size_t i = 0; i < k->given->n; i++)
		idp_attribute_set(rq->mem, &seen->Attributes, k->given->v[i].Name, k->given->v[i].Value);
	for (size_t i = 0; i < 2; i++) {
		str value = idp_attribute(k->given, kinds[i]),
			mark = arena_fmt(rq->mem, "%.*s_verified", STR_ARG(kinds[i]));
		bool changed = value.n && !str_eq(value, idp_attribute(&k->u->Attributes, kinds[i]));
		if (!changed || !idp_listed(verified->v, verified->n, kinds[i])
		    || str_is(idp_attribute(k->given, mark)))
			continue;
		idp_message *m = &k->m[k->n++];
		*m = (idp_message){ .kind = IDP_UPDATE,
			                .pool = k->p,
			                .client = k->c ? k->c->Id : STR_NONE,
			                .user = seen,
			                .metadata = metadata,
			                .attribute = kinds[i],
			                .code = idp_code_new(rq->mem) };
		TRY(idp_message_write(rq, m));
	}
	return OK;
}

static err change_all(req *rq, change *k, const idp_metadata *metadata)
{
	idp_user seen;
	TRY(names_of(rq, k->p, k->given));
	TRY(idp_attributes_check(rq, k->p, k->given));
	if (k->c)
		TRY(idp_attributes_writable(rq, k->c, k->given));
	part(rq, k);
	TRY(write_codes(rq, k, metadata, &seen));
	return req_write(rq, keep, k);
}

err cognito_idp_UpdateUserAttributes(req *rq, const cognito_idp_UpdateUserAttributes_in *in,
                                     cognito_idp_UpdateUserAttributes_out *out)
{
	change k = { .given = &in->UserAttributes };
	const txn *tx = req_read(rq);
	err e = idp_token_enter(rq, tx, in->AccessToken, &k.p, &k.c, &k.u);
	req_read_end(rq, tx);
	TRY(e);
	TRY(change_all(rq, &k, &in->ClientMetadata));
	out->CodeDeliveryDetailsList.v = arena_array(rq->mem, idp_delivery, k.n + 1);
	for (size_t i = 0; i < k.n; i++)
		out->CodeDeliveryDetailsList.v[out->CodeDeliveryDetailsList.n++] =
			*idp_message_details(rq->mem, &k.m[i]);
	return OK;
}

err cognito_idp_AdminUpdateUserAttributes(req *rq, const cognito_idp_AdminUpdateUserAttributes_in *in,
                                          cognito_idp_AdminUpdateUserAttributes_out *out)
{
	change k = { .given = &in->UserAttributes };
	(void)out;
	const txn *tx = req_read(rq);
	err e = idp_pool_find(rq, tx, in->UserPoolId, &k.p);
	e = e ? e : idp_user_find(rq, tx, k.p, in->Username, &k.u);
	req_read_end(rq, tx);
	TRY(e);
	return change_all(rq, &k, &in->ClientMetadata);
}

static err drop(req *rq, txn *tx, const idp_pool *p, idp_user *u,
                const cognito_idp_AttributeNameListType *names, bool active)
{
	idp_user before = *u;
	before.Attributes = copy_of(rq->mem, &u->Attributes);
	TRY(idp_attributes_mutable(rq, p, names->v, names->n));
	for (size_t i = 0; i < names->n; i++) {
		const cognito_idp_SchemaAttributeType *a = idp_schema_find(p, names->v[i]);
		if (a->Required.v)
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "Attributes did not conform to the schema: %.*s: The attribute is required\n",
			            STR_ARG(a->Name));
		idp_attribute_drop(&u->Attributes, names->v[i]);
		idp_attribute_drop(&u->Attributes, arena_fmt(rq->mem, "%.*s_verified", STR_ARG(names->v[i])));
	}
	TRY(idp_aliases_set(rq, tx, p, &before, u, false));
	forget_codes(rq->mem, tx, &before, u);
	if (active) /* what fails is metered all the same, but the month would not be kept */
		idp_active(rq, p, u);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_DeleteUserAttributes(req *rq, txn *tx, const cognito_idp_DeleteUserAttributes_in *in,
                                     cognito_idp_DeleteUserAttributes_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	(void)out;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	const cognito_idp_ClientPermissionListType *may = &c->It->WriteAttributes;
	for (size_t i = 0; i < in->UserAttributeNames.n; i++)
		if (may->n && !idp_listed(may->v, may->n, in->UserAttributeNames.v[i]))
			return fail(rq, &cognito_idp_NotAuthorizedException,
			            "A client attempted to write unauthorized attribute");
	return drop(rq, tx, p, u, &in->UserAttributeNames, true);
}

err cognito_idp_AdminDeleteUserAttributes(req *rq, txn *tx,
                                          const cognito_idp_AdminDeleteUserAttributes_in *in,
                                          cognito_idp_AdminDeleteUserAttributes_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_user_find(rq, tx, p, in->Username, &u));
	return drop(rq, tx, p, u, &in->UserAttributeNames, false);
}

static err can_be_verified(req *rq, const idp_user *u, str name)
{
	if (!str_eq(name, S("email")) && !str_eq(name, S("phone_number")))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid attribute: %.*s cannot be verified.",
		            STR_ARG(name));
	return idp_attribute(&u->Attributes, name).n ? OK
												 : fail(rq, &cognito_idp_InvalidParameterException,
	                                                    "User does not have attribute %.*s.", STR_ARG(name));
}

static err keep_code(req *rq, txn *tx, void *context)
{
	const idp_message *m = context;
	idp_code_keep(rq, tx, m, arena_fmt(rq->mem, "attr:%.*s", STR_ARG(m->attribute)), CODE_MS, STR_NONE);
	idp_message_send(rq, tx, m);
	return OK;
}

err cognito_idp_GetUserAttributeVerificationCode(req *rq,
                                                 const cognito_idp_GetUserAttributeVerificationCode_in *in,
                                                 cognito_idp_GetUserAttributeVerificationCode_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	const txn *tx = req_read(rq);
	err e = idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u);
	req_read_end(rq, tx);
	TRY(e);
	TRY(can_be_verified(rq, u, in->AttributeName));
	idp_message m = { .kind = IDP_VERIFY,
		              .pool = p,
		              .client = c->Id,
		              .user = u,
		              .metadata = &in->ClientMetadata,
		              .attribute = in->AttributeName,
		              .code = idp_code_new(rq->mem) };
	TRY(idp_message_write(rq, &m));
	TRY(req_write(rq, keep_code, &m));
	out->CodeDeliveryDetails = idp_message_details(rq->mem, &m);
	return OK;
}

typedef struct proof {
	const cognito_idp_VerifyUserAttribute_in *in;
	err wrong;
} proof;

static err verify(req *rq, txn *tx, void *context)
{
	proof *v = context;
	str name = v->in->AttributeName, value = STR_NONE;
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	TRY(idp_token_enter(rq, tx, v->in->AccessToken, &p, &c, &u));
	TRY(idp_code_take(rq, tx, p, u, arena_fmt(rq->mem, "attr:%.*s", STR_ARG(name)), v->in->Code, &value,
	                  &v->wrong));
	if (v->wrong)
		return OK;
	idp_user before = *u;
	before.Attributes = copy_of(rq->mem, &u->Attributes);
	if (value.n)
		idp_attribute_set(rq->mem, &u->Attributes, name, value);
	idp_attribute_set(rq->mem, &u->Attributes, arena_fmt(rq->mem, "%.*s_verified", STR_ARG(name)), S("true"));
	TRY(idp_aliases_set(rq, tx, p, &before, u, false));
	idp_active(rq, p, u);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_VerifyUserAttribute(req *rq, const cognito_idp_VerifyUserAttribute_in *in,
                                    cognito_idp_VerifyUserAttribute_out *out)
{
	proof v = { .in = in };
	(void)out;
	TRY(req_write(rq, verify, &v));
	return v.wrong;
}
