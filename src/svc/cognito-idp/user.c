/* Users as rows: names, aliases, adding and removing them, and whether they were active this month. */
#include "base/text.h"
#include "cloud/meter.h"
#include "pool.h"
#include "sys/rand.h"

/* Nobody signs in by a longer one: names end at 128 characters. */
#define ALIAS_BYTES_MAX 512

static bool has(const str *v, size_t n, const char *what) { return idp_listed(v, n, str_c(what)); }

/* A name of the kind that the pool's users sign in with, which then is an attribute. */
static err name_of_attribute(req *rq, const idp_pool *p, str given, idp_user *u)
{
	bool email = has(p->It->UsernameAttributes.v, p->It->UsernameAttributes.n, "email");
	bool phone = has(p->It->UsernameAttributes.v, p->It->UsernameAttributes.n, "phone_number");
	bool is_email = email && idp_is_email(given), is_phone = phone && idp_is_phone(given);
	if (!is_email && !is_phone)
		return fail(rq, &cognito_idp_InvalidParameterException,
		            email && phone ? "Username should be either an email or a phone number."
		                : email    ? "Username should be an email."
		                           : "Username should be a phone number.");
	str kind = is_email ? S("email") : S("phone_number"), said = idp_attribute(&u->Attributes, kind);
	if (str_is(said) && !str_eq(idp_fold(rq->mem, p, said), idp_fold(rq->mem, p, given)))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "User attribute %.*s does not match the username.", STR_ARG(kind));
	idp_attribute_set(rq->mem, &u->Attributes, kind, str_is(said) ? said : given);
	u->Username = u->Sub;
	return OK;
}

err idp_user_name(req *rq, const idp_pool *p, str given, idp_user *u)
{
	const cognito_idp_AliasAttributesListType *aliases = &p->It->AliasAttributes;
	if (!given.n || given.n > ALIAS_BYTES_MAX)
		return fail(rq, &cognito_idp_InvalidParameterException, "Username has between 1 and 128 characters.");
	u->Pool = p->Id;
	u->Sub = rand_uuid(rq->mem);
	u->Username = given;
	if (p->It->UsernameAttributes.n)
		TRY(name_of_attribute(rq, p, given, u));
	else if (has(aliases->v, aliases->n, "email") && idp_is_email(given))
		return fail(rq, &cognito_idp_InvalidParameterException,
		            "Username cannot be of email format, since user pool is configured for email alias.");
	else if (has(aliases->v, aliases->n, "phone_number") && idp_is_phone(given))
		return fail(
			rq, &cognito_idp_InvalidParameterException,
			"Username cannot be of phone number format, since user pool is configured for phone number "
			"alias.");
	u->Name = idp_fold(rq->mem, p, u->Username);
	return OK;
}

err idp_user_free(req *rq, const txn *tx, const idp_pool *p, const idp_user *u, str given, bool admin)
{
	static const str kinds[] = { S("email"), S("phone_number") };
	if (!cognito_idp_pool_get(tx, rq->mem, p->Id)) /* deleted since it was read */
		return fail(rq, &cognito_idp_ResourceNotFoundException, "User pool %.*s does not exist.",
		            STR_ARG(p->Id));
	if (cognito_idp_user_get(tx, rq->mem, p->Id, u->Name)
	    || cognito_idp_alias_get(tx, rq->mem, p->Id, S("sub"), u->Name))
		return fail(rq, &cognito_idp_UsernameExistsException,
		            admin ? "User account already exists" : "User already exists");
	for (size_t i = 0; p->It->UsernameAttributes.n && i < 2; i++) {
		str value = idp_attribute(&u->Attributes, kinds[i]);
		if (!value.n || !has(p->It->UsernameAttributes.v, p->It->UsernameAttributes.n, kinds[i].p)
		    || !cognito_idp_alias_get(tx, rq->mem, p->Id, kinds[i], idp_fold(rq->mem, p, value)))
			continue;
		bool itself = str_eq(idp_fold(rq->mem, p, value), idp_fold(rq->mem, p, given));
		return fail(rq, itself ? &cognito_idp_UsernameExistsException : &cognito_idp_AliasExistsException,
		            "An account with the given %.*s already exists.", STR_ARG(kinds[i]));
	}
	return OK;
}

/* What leads to the user by this attribute, or STR_NONE. */
static str alias_value(arena *mem, const idp_pool *p, const idp_user *u, str kind)
{
	bool as_name = has(p->It->UsernameAttributes.v, p->It->UsernameAttributes.n, kind.p);
	bool as_alias = has(p->It->AliasAttributes.v, p->It->AliasAttributes.n, kind.p);
	str value = idp_attribute(&u->Attributes, kind);
	if (!value.n || value.n > ALIAS_BYTES_MAX || !(as_name || as_alias))
		return STR_NONE;
	if (!as_name && str_eq(u->Status, IDP_UNCONFIRMED))
		return STR_NONE;
	str mark = arena_fmt(mem, "%.*s_verified", STR_ARG(kind));
	bool verified = str_eq_nocase(idp_attribute(&u->Attributes, mark), S("true"));
	if (!as_name && !str_eq(kind, S("preferred_username")) && !verified)
		return STR_NONE;
	return idp_fold(mem, p, value);
}

/* The one who had it: his is no longer verified. */
static void take_over(txn *tx, arena *mem, const idp_pool *p, str kind, str name)
{
	idp_user *u = cognito_idp_user_get(tx, mem, p->Id, name);
	if (!u)
		return;
	str mark = arena_fmt(mem, "%.*s_verified", STR_ARG(kind));
	idp_attribute_set(mem, &u->Attributes, mark, S("false"));
	cognito_idp_user_put(tx, u);
}

/* Only what is still this user's. */
static void leave(txn *tx, arena *mem, const idp_pool *p, str kind, str value, str name)
{
	const cognito_idp_alias *at = cognito_idp_alias_get(tx, mem, p->Id, kind, value);
	if (at && str_eq(at->Name, name))
		cognito_idp_alias_delete(tx, p->Id, kind, value);
}

err idp_aliases_set(req *rq, txn *tx, const idp_pool *p, const idp_user *before, const idp_user *u,
                    bool force)
{
	static const str kinds[] = { S("email"), S("phone_number"), S("preferred_username") };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		str old = before ? alias_value(rq->mem, p, before, kinds[i]) : STR_NONE;
		str value = u ? alias_value(rq->mem, p, u, kinds[i]) : STR_NONE;
		str name = u ? u->Name : before->Name;
		const cognito_idp_alias *at =
			!str_is(value) ? NULL : cognito_idp_alias_get(tx, rq->mem, p->Id, kinds[i], value);
		if (at && !str_eq(at->Name, name)) {
			if (!force || str_eq(kinds[i], S("preferred_username"))) /* which nobody can prove */
				return fail(rq, &cognito_idp_AliasExistsException, "An account with the %.*s already exists.",
				            STR_ARG(kinds[i]));
			take_over(tx, rq->mem, p, kinds[i], at->Name);
		}
		if (str_is(old) && !str_eq(old, value))
			leave(tx, rq->mem, p, kinds[i], old, name);
		if (str_is(value)) {
			cognito_idp_alias row = { .Pool = p->Id, .Kind = kinds[i], .Value = value, .Name = name };
			cognito_idp_alias_put(tx, &row);
		}
	}
	return OK;
}

void idp_user_put(txn *tx, req *rq, idp_user *u)
{
	u->Changed = rq->now;
	cognito_idp_user_put(tx, u);
}

void idp_user_add(req *rq, txn *tx, idp_pool *p, idp_user *u)
{
	cognito_idp_alias sub = { .Pool = p->Id, .Kind = S("sub"), .Value = u->Sub, .Name = u->Name };
	u->Created = rq->now;
	u->Month = 0; /* this may be the second run */
	idp_active(rq, p, u);
	idp_user_put(tx, rq, u);
	cognito_idp_alias_put(tx, &sub);
	idp_pool *now = cognito_idp_pool_get(tx, rq->mem, p->Id);
	now->Users++;
	cognito_idp_pool_put(tx, now);
}

void idp_user_remove(req *rq, txn *tx, const idp_pool *p, const idp_user *u)
{
	record_scan scan = cognito_idp_member_scan(tx, rq->mem, 2, p->Id, u->Name, STR_NONE);
	for (cognito_idp_member *m; (m = cognito_idp_member_next(&scan));) {
		cognito_idp_member_delete(tx, p->Id, u->Name, m->Group);
		cognito_idp_memberof_delete(tx, p->Id, m->Group, u->Name);
	}
	record_scan codes = cognito_idp_code_scan(tx, rq->mem, 2, p->Id, u->Name, STR_NONE);
	for (cognito_idp_code *c; (c = cognito_idp_code_next(&codes));)
		cognito_idp_code_delete(tx, p->Id, u->Name, c->Kind);
	(void)idp_aliases_set(rq, tx, p, u, NULL, false);
	cognito_idp_alias_delete(tx, p->Id, S("sub"), u->Sub);
	idp_grants_end(tx, rq->mem, p->Id, u->Name);
	cognito_idp_user_delete(tx, p->Id, u->Name);
	idp_pool *now = cognito_idp_pool_get(tx, rq->mem, p->Id);
	if (now && now->Users > 0) {
		now->Users--;
		cognito_idp_pool_put(tx, now);
	}
}

void idp_active(req *rq, const idp_pool *p, idp_user *u)
{
	civil c = time_civil(rq->now);
	int64_t month = (int64_t)c.year * 100 + c.month;
	const meter_kind *kind = str_eq(p->It->UserPoolTier, S("LITE")) ? &COGNITO_LITE_MAU
		: str_eq(p->It->UserPoolTier, S("PLUS"))                    ? &COGNITO_PLUS_MAU
																	: &COGNITO_ESSENTIALS_MAU;
	if (u->Month == month)
		return;
	u->Month = month;
	meter_one(rq, kind, idp_arn(rq->mem, p));
}

cognito_idp_UserMFASettingListType idp_mfa_settings(arena *mem, const idp_user *u)
{
	cognito_idp_UserMFASettingListType l = { NULL, 0 };
	if (!u->SmsOn && !u->TotpOn && !u->EmailOn)
		return l;
	l.v = arena_array(mem, str, 3);
	if (u->SmsOn)
		l.v[l.n++] = S("SMS_MFA");
	if (u->TotpOn)
		l.v[l.n++] = S("SOFTWARE_TOKEN_MFA");
	if (u->EmailOn)
		l.v[l.n++] = S("EMAIL_OTP");
	return l;
}

cognito_idp_UserType idp_user_shown(arena *mem, const idp_user *u,
                                    const cognito_idp_SearchedAttributeNamesListType *only)
{
	cognito_idp_UserType t = {
		.Username = u->Username,
		.Attributes = idp_attributes_shown(mem, u),
		.UserCreateDate = TIME(u->Created),
		.UserLastModifiedDate = TIME(u->Changed),
		.Enabled = BOOL(!u->Disabled),
		.UserStatus = u->Status,
		.MFAOptions = u->Options,
	};
	size_t n = 0;
	for (size_t i = 0; only && only->v && i < t.Attributes.n; i++)
		if (idp_listed(only->v, only->n, t.Attributes.v[i].Name))
			t.Attributes.v[n++] = t.Attributes.v[i];
	if (only && only->v)
		t.Attributes.n = n;
	return t;
}
