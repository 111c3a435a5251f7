/* Pools, clients and users: finding them, and whether a caller has a client's secret. */
#include "base/digest.h"
#include "base/text.h"
#include "pool.h"

str idp_arn(arena *mem, const idp_pool *p)
{
	return arena_fmt(mem, "arn:aws:cognito-idp:%.*s:%.*s:userpool/%.*s", STR_ARG(p->Region),
	                 STR_ARG(p->Account), STR_ARG(p->Id));
}

str idp_issuer(arena *mem, const idp_pool *p)
{
	return arena_fmt(mem, "https://cognito-idp.%.*s.amazonaws.com/%.*s", STR_ARG(p->Region), STR_ARG(p->Id));
}

err idp_pool_find(req *rq, const txn *tx, str id, idp_pool **out)
{
	idp_pool *p = cognito_idp_pool_get(tx, rq->mem, id);
	if (!p || !str_eq(p->Account, rq->who.account) || !str_eq(p->Region, rq->region))
		return fail(rq, &cognito_idp_ResourceNotFoundException, "User pool %.*s does not exist.",
		            STR_ARG(id));
	*out = p;
	return OK;
}

static err no_client(req *rq, str id)
{
	return fail(rq, &cognito_idp_ResourceNotFoundException, "User pool client %.*s does not exist.",
	            STR_ARG(id));
}

err idp_client_find(req *rq, const txn *tx, const idp_pool *p, str id, idp_client **out)
{
	*out = cognito_idp_client_get(tx, rq->mem, p->Id, id);
	return *out ? OK : no_client(rq, id);
}

void idp_act_for(req *rq, const idp_pool *p)
{
	rq->who.account = p->Account;
	rq->region = p->Region;
}

err idp_client_enter(req *rq, const txn *tx, str id, idp_pool **p, idp_client **c)
{
	cognito_idp_clientid *at = cognito_idp_clientid_get(tx, rq->mem, id);
	*p = at ? cognito_idp_pool_get(tx, rq->mem, at->Pool) : NULL;
	*c = *p ? cognito_idp_client_get(tx, rq->mem, at->Pool, id) : NULL;
	if (!*c)
		return no_client(rq, id);
	idp_act_for(rq, *p);
	return OK;
}

str idp_fold(arena *mem, const idp_pool *p, str name)
{
	bool sensitive = p->It->UsernameConfiguration && p->It->UsernameConfiguration->CaseSensitive.v;
	return sensitive ? name : arena_lower(mem, name);
}

idp_user *idp_user_look(const txn *tx, arena *mem, const idp_pool *p, str given)
{
	static const str kinds[] = { S("sub"), S("email"), S("phone_number"), S("preferred_username") };
	str name = idp_fold(mem, p, given);
	idp_user *u = cognito_idp_user_get(tx, mem, p->Id, name);
	for (size_t i = 0; !u && i < sizeof kinds / sizeof *kinds; i++) {
		cognito_idp_alias *a = cognito_idp_alias_get(tx, mem, p->Id, kinds[i], name);
		u = a ? cognito_idp_user_get(tx, mem, p->Id, a->Name) : NULL;
	}
	return u;
}

err idp_user_find(req *rq, const txn *tx, const idp_pool *p, str given, idp_user **out)
{
	*out = idp_user_look(tx, rq->mem, p, given);
	return *out ? OK : fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
}

bool idp_hides_users(const idp_client *c) { return str_eq(c->It->PreventUserExistenceErrors, S("ENABLED")); }

bool idp_listed(const str *v, size_t n, str one)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(v[i], one))
			return true;
	return false;
}

bool idp_secret_is(const idp_client *c, str secret)
{
	bool right = str_is(c->It->ClientSecret) && secret_eq(c->It->ClientSecret, secret);
	for (size_t i = 0; i < c->Secrets.n; i++)
		right |= secret_eq(c->Secrets.v[i].ClientSecretValue, secret);
	return right;
}

static bool hash_fits(arena *mem, str secret, const idp_client *c, str name, str hash)
{
	unsigned char sum[32];
	hmac_sha256(secret, arena_concat(mem, name, c->Id), sum);
	return secret_eq(base64_encode(mem, str_of((const char *)sum, sizeof sum)), hash);
}

static bool hash_of_one(arena *mem, str secret, const idp_client *c, str hash, str given, const idp_user *u)
{
	return hash_fits(mem, secret, c, given, hash)
		|| (u && (hash_fits(mem, secret, c, u->Username, hash) || hash_fits(mem, secret, c, u->Sub, hash)));
}

err idp_secret_check(req *rq, const idp_client *c, str hash, str given, const idp_user *u)
{
	if (!str_is(c->It->ClientSecret) && !c->Secrets.n)
		return OK;
	if (!hash.n)
		return fail(rq, &cognito_idp_NotAuthorizedException,
		            "Client %.*s is configured with secret but SECRET_HASH was not received", STR_ARG(c->Id));
	bool right = str_is(c->It->ClientSecret) && hash_of_one(rq->mem, c->It->ClientSecret, c, hash, given, u);
	for (size_t i = 0; !right && i < c->Secrets.n; i++)
		right = hash_of_one(rq->mem, c->Secrets.v[i].ClientSecretValue, c, hash, given, u);
	return right ? OK
				 : fail(rq, &cognito_idp_NotAuthorizedException,
	                    "Unable to verify secret hash for client %.*s", STR_ARG(c->Id));
}

err idp_page_begin(req *rq, record_scan *scan, str token)
{
	str after;
	if (!str_is(token))
		return OK;
	if (!page_position(rq, token, &after))
		return fail(rq, &cognito_idp_InvalidParameterException, "Invalid pagination token.");
	record_scan_after(scan, after);
	return OK;
}

bool idp_has_scope(str scopes, str one)
{
	for (str rest = scopes; str_is(rest);)
		if (str_eq(str_cut(&rest, ' '), one))
			return true;
	return false;
}
