/* What administrators do with users. */
#include "base/json.h"
#include "base/text.h"
#include "pool.h"

static err find(req *rq, const txn *tx, str pool, str name, idp_pool **p, idp_user **u)
{
	TRY(idp_pool_find(rq, tx, pool, p));
	return idp_user_find(rq, tx, *p, name, u);
}

typedef struct invited {
	const cognito_idp_AdminCreateUser_in *in;
	idp_pool *p;
	idp_user u;
	idp_message m[2];
	size_t n;
	bool again;
} invited;

static err look(req *rq, const txn *tx, invited *i)
{
	const cognito_idp_AdminCreateUser_in *in = i->in;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &i->p));
	if (i->again) {
		idp_user *u;
		TRY(idp_user_find(rq, tx, i->p, in->Username, &u));
		if (!str_eq(u->Status, IDP_TEMPORARY))
			return fail(rq, &cognito_idp_UnsupportedUserStateException,
			            "Resend not possible. %.*s status is not FORCE_CHANGE_PASSWORD",
			            STR_ARG(u->Username));
		i->u = *u;
		return OK;
	}
	TRY(idp_attributes_check(rq, i->p, &in->UserAttributes));
	for (size_t k = 0; k < in->UserAttributes.n; k++)
		if (!str_eq(in->UserAttributes.v[k].Name, S("sub")))
			idp_attribute_set(rq->mem, &i->u.Attributes, in->UserAttributes.v[k].Name,
			                  in->UserAttributes.v[k].Value);
	TRY(idp_user_name(rq, i->p, in->Username, &i->u));
	return idp_user_free(rq, tx, i->p, &i->u, in->Username, true);
}

static err write_invitations(req *rq, invited *i, str password)
{
	const cognito_idp_DeliveryMediumListType *by = &i->in->DesiredDeliveryMediums;
	if (str_eq(i->in->MessageAction, S("SUPPRESS")))
		return OK;
	static const str ways[][2] = { { S("SMS"), S("phone_number") }, { S("EMAIL"), S("email") } };
	for (size_t k = 0; k < 2; k++) {
		bool wanted = by->n ? idp_listed(by->v, by->n, ways[k][0]) : k == 0;
		if (!wanted || !idp_attribute(&i->u.Attributes, ways[k][1]).n)
			continue;
		idp_message *m = &i->m[i->n++];
		*m = (idp_message){ .kind = IDP_INVITE,
			                .pool = i->p,
			                .user = &i->u,
			                .metadata = &i->in->ClientMetadata,
			                .attribute = ways[k][1],
			                .code = password };
		TRY(idp_message_write(rq, m));
	}
	return OK;
}

static err keep(req *rq, txn *tx, void *context)
{
	invited *i = context;
	if (i->again) {
		idp_user *u = cognito_idp_user_get(tx, rq->mem, i->p->Id, i->u.Name);
		if (!u)
			return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
		idp_password_take(rq->mem, i->p, u, &i->u);
		u->TemporaryEnd = i->u.TemporaryEnd;
		idp_user_put(tx, rq, u);
		i->u = *u;
	} else {
		TRY(idp_user_free(rq, tx, i->p, &i->u, i->in->Username, true));
		TRY(idp_aliases_set(rq, tx, i->p, NULL, &i->u, i->in->ForceAliasCreation.v));
		idp_user_add(rq, tx, i->p, &i->u);
	}
	for (size_t k = 0; k < i->n; k++)
		idp_message_send(rq, tx, &i->m[k]);
	return OK;
}

err cognito_idp_AdminCreateUser(req *rq, const cognito_idp_AdminCreateUser_in *in,
                                cognito_idp_AdminCreateUser_out *out)
{
	const json_value *said;
	invited i = { .in = in,
		          .again = str_eq(in->MessageAction, S("RESEND")),
		          .u = { .Status = IDP_TEMPORARY } };
	const txn *tx = req_read(rq);
	err e = look(rq, tx, &i);
	req_read_end(rq, tx);
	TRY(e);
	str password = in->TemporaryPassword;
	if (str_is(password))
		TRY(idp_password_check(rq, i.p, password));
	else
		password = idp_password_temporary(rq->mem, i.p);
	if (!i.again)
		TRY(idp_ask_before(rq, &i.u, i.p, STR_NONE, "PreSignUp_AdminCreateUser", &in->ValidationData,
		                   &in->ClientMetadata, &said));
	idp_password_make(rq->mem, i.p, &i.u, password);
	i.u.TemporaryEnd = rq->now + i.p->It->Policies->PasswordPolicy->TemporaryPasswordValidityDays.v * MS_DAY;
	TRY(write_invitations(rq, &i, password));
	TRY(req_write(rq, keep, &i));
	out->User = arena_new(rq->mem, cognito_idp_UserType);
	*out->User = idp_user_shown(rq->mem, &i.u, NULL);
	return OK;
}

err cognito_idp_AdminGetUser(req *rq, const txn *tx, const cognito_idp_AdminGetUser_in *in,
                             cognito_idp_AdminGetUser_out *out)
{
	idp_pool *p;
	idp_user *u;
	TRY(find(rq, tx, in->UserPoolId, in->Username, &p, &u));
	out->Username = u->Username;
	out->UserAttributes = idp_attributes_shown(rq->mem, u);
	out->UserCreateDate = TIME(u->Created);
	out->UserLastModifiedDate = TIME(u->Changed);
	out->Enabled = BOOL(!u->Disabled);
	out->UserStatus = u->Status;
	out->MFAOptions = u->Options;
	out->PreferredMfaSetting = u->Preferred;
	out->UserMFASettingList = idp_mfa_settings(rq->mem, u);
	return OK;
}

err cognito_idp_AdminDeleteUser(req *rq, txn *tx, const cognito_idp_AdminDeleteUser_in *in,
                                cognito_idp_AdminDeleteUser_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(find(rq, tx, in->UserPoolId, in->Username, &p, &u));
	idp_user_remove(rq, tx, p, u);
	return OK;
}

err cognito_idp_DeleteUser(req *rq, txn *tx, const cognito_idp_DeleteUser_in *in,
                           cognito_idp_DeleteUser_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	(void)out;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	idp_user_remove(rq, tx, p, u);
	return OK;
}

err cognito_idp_AdminDisableUser(req *rq, txn *tx, const cognito_idp_AdminDisableUser_in *in,
                                 cognito_idp_AdminDisableUser_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(find(rq, tx, in->UserPoolId, in->Username, &p, &u));
	u->Disabled = true;
	idp_grants_end(tx, rq->mem, p->Id, u->Name);
	idp_user_put(tx, rq, u);
	return OK;
}

err cognito_idp_AdminEnableUser(req *rq, txn *tx, const cognito_idp_AdminEnableUser_in *in,
                                cognito_idp_AdminEnableUser_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(find(rq, tx, in->UserPoolId, in->Username, &p, &u));
	u->Disabled = false;
	idp_user_put(tx, rq, u);
	return OK;
}

typedef struct filter {
	str attribute, value;
	bool starts;
} filter;

/* attribute = "value", or ^= for what begins so; quotes and backslashes in the value are escaped. */
static bool filter_read(arena *mem, str text, filter *f)
{
	str t = str_trim(text);
	size_t at = str_find_char(t, '=');
	if (at == SIZE_MAX || at == 0)
		return false;
	f->starts = t.p[at - 1] == '^';
	f->attribute = str_trim(str_sub(t, 0, f->starts ? at - 1 : at));
	if (f->attribute.n > 1 && f->attribute.p[0] == '"' && str_ends(f->attribute, S("\"")))
		f->attribute = str_sub(f->attribute, 1, f->attribute.n - 1);
	str v = str_trim(str_sub(t, at + 1, t.n));
	if (v.n < 2 || v.p[0] != '"' || v.p[v.n - 1] != '"' || !f->attribute.n)
		return false;
	char *p = arena_bytes(mem, v.n);
	size_t n = 0;
	for (size_t i = 1; i + 1 < v.n; i++) {
		if (v.p[i] == '"')
			return false;
		if (v.p[i] == '\\' && i + 2 < v.n)
			i++;
		p[n++] = v.p[i];
	}
	f->value = str_of(p, n);
	return true;
}

static err filter_check(req *rq, str text, filter *f)
{
	static const char *const known[] = {
		"username",   "email",       "phone_number",       "name",
		"given_name", "family_name", "preferred_username", "cognito:user_status",
		"status",     "sub"
	};
	if (!filter_read(rq->mem, text, f))
		return fail(rq, &cognito_idp_InvalidParameterException, "Error while parsing filter.");
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(f->attribute, str_c(known[i])))
			return OK;
	return fail(rq, &cognito_idp_InvalidParameterException, "Invalid search attribute: %.*s",
	            STR_ARG(f->attribute));
}

static bool fits(arena *mem, const idp_pool *p, const filter *f, const idp_user *u)
{
	str a = f->attribute, want = f->value;
	str got = str_eq(a, S("username"))        ? u->Username
		: str_eq(a, S("sub"))                 ? u->Sub
		: str_eq(a, S("cognito:user_status")) ? u->Status
		: str_eq(a, S("status"))              ? (u->Disabled ? S("Disabled") : S("Enabled"))
											  : idp_attribute(&u->Attributes, a);
	if (!str_is(got))
		return false;
	bool folds = str_eq(a, S("username")) || str_eq(a, S("email")) || str_eq(a, S("preferred_username"));
	if (folds) {
		got = idp_fold(mem, p, got);
		want = idp_fold(mem, p, want);
	} else if (str_eq(a, S("status")) || str_eq(a, S("cognito:user_status"))) {
		got = arena_lower(mem, got);
		want = arena_lower(mem, want);
	}
	return f->starts ? str_starts(got, want) : str_eq(got, want);
}

err cognito_idp_ListUsers(req *rq, const txn *tx, const cognito_idp_ListUsers_in *in,
                          cognito_idp_ListUsers_out *out)
{
	idp_pool *p;
	str last = STR_NONE;
	filter f = { 0 };
	size_t most = in->Limit.v > 0 ? (size_t)in->Limit.v : 60;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	for (size_t i = 0; i < in->AttributesToGet.n; i++)
		if (!idp_schema_find(p, in->AttributesToGet.v[i]))
			return fail(rq, &cognito_idp_InvalidParameterException,
			            "One or more requested attributes do not exist in user pool.");
	if (in->Filter.n)
		TRY(filter_check(rq, in->Filter, &f));
	record_scan scan = cognito_idp_user_scan(tx, rq->mem, 1, p->Id, STR_NONE);
	TRY(idp_page_begin(rq, &scan, in->PaginationToken));
	out->Users.v = arena_array(rq->mem, cognito_idp_UserType, most + 1);
	for (idp_user *u; (u = cognito_idp_user_next(&scan));) {
		if (in->Filter.n && !fits(rq->mem, p, &f, u))
			continue;
		if (out->Users.n == most) {
			out->PaginationToken = page_token(rq, last);
			break;
		}
		last = u->Name;
		out->Users.v[out->Users.n++] = idp_user_shown(rq->mem, u, &in->AttributesToGet);
	}
	return OK;
}
