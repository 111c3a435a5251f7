/*
 * Tokens and what they hang on. An authentication is a `grant`: all its tokens carry its id (event_id) and
 * end with it, so revoking a grant, or signing a user out of all of them, ends access tokens as well.
 */
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/jwt.h"
#include "jwt.h"
#include "store/due.h"
#include "sys/rand.h"

#define REFRESH_BYTES 96

static err refused(req *rq, const char *why)
{
	return fail(rq, &cognito_idp_NotAuthorizedException, "%s", why);
}

static int64_t seconds_of(const json_value *v, str name)
{
	const json_value *m = json_get(v, name);
	int64_t n;
	return m && m->kind == JSON_NUMBER && str_to_i64(m->text, &n) ? n : 0;
}

static idp_pool *pool_of(const txn *tx, arena *mem, const json_value *c)
{
	str issuer = idp_json_str(c, S("iss"));
	size_t at = issuer.n;
	while (at > 0 && issuer.p[at - 1] != '/')
		at--;
	idp_pool *p = issuer.n ? cognito_idp_pool_get(tx, mem, str_sub(issuer, at, issuer.n)) : NULL;
	return p && str_eq(issuer, idp_issuer(mem, p)) ? p : NULL;
}

bool idp_token_good(req *rq, const txn *tx, str token, const idp_pool *p, str use, idp_claims *out)
{
	const json_value *c = idp_jwt_open(rq->mem, p, token);
	if (!c || !str_eq(idp_json_str(c, S("iss")), idp_issuer(rq->mem, p)))
		return false;
	*out = (idp_claims){
		.pool = p,
		.it = c,
		.sub = idp_json_str(c, S("sub")),
		.use = idp_json_str(c, S("token_use")),
		.scope = idp_json_str(c, S("scope")),
		.event = idp_json_str(c, S("event_id")),
		.end = seconds_of(c, S("exp")) * MS_SECOND,
		.issued = seconds_of(c, S("iat")) * MS_SECOND,
	};
	out->client = idp_json_str(c, str_eq(out->use, S("id")) ? S("aud") : S("client_id"));
	const cognito_idp_grant *g = cognito_idp_grant_get(tx, rq->mem, p->Id, out->event);
	return (!str_is(use) || str_eq(use, out->use)) && out->end > rq->now && g && !g->Revoked;
}

err idp_token_enter(req *rq, const txn *tx, str token, idp_pool **p, idp_client **c, idp_user **u)
{
	const json_value *said = idp_jwt_claims(rq->mem, token);
	*p = said ? pool_of(tx, rq->mem, said) : NULL;
	const json_value *it = *p ? idp_jwt_open(rq->mem, *p, token) : NULL;
	if (!it || !str_eq(idp_json_str(it, S("token_use")), S("access")))
		return refused(rq, "Invalid Access Token");
	idp_act_for(rq, *p);
	if (seconds_of(it, S("exp")) * MS_SECOND <= rq->now)
		return refused(rq, "Access Token has expired");
	str event = idp_json_str(it, S("event_id"));
	const cognito_idp_alias *at =
		cognito_idp_alias_get(tx, rq->mem, (*p)->Id, S("sub"), idp_json_str(it, S("sub")));
	*u = at ? cognito_idp_user_get(tx, rq->mem, (*p)->Id, at->Name) : NULL;
	if (!*u && str_is(idp_json_str(it, S("username"))))
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	const cognito_idp_grant *g = cognito_idp_grant_get(tx, rq->mem, (*p)->Id, event);
	if (!g || g->Revoked)
		return refused(rq, "Access Token has been revoked");
	if (!*u || !idp_has_scope(idp_json_str(it, S("scope")), S("aws.cognito.signin.user.admin")))
		return refused(rq, "Access Token does not have required scopes");
	if ((*u)->Disabled)
		return refused(rq, "User is disabled.");
	return idp_client_find(rq, tx, *p, idp_json_str(it, S("client_id")), c);
}

cognito_idp_grant *idp_grant_new(req *rq, const idp_pool *p, const idp_client *c, const idp_user *u,
                                 str scope)
{
	cognito_idp_grant *g = arena_new(rq->mem, cognito_idp_grant);
	*g = (cognito_idp_grant){ .Pool = p->Id,
		                      .Id = rand_uuid(rq->mem),
		                      .Name = u ? u->Name : S(""),
		                      .Client = c->Id,
		                      .Jti = rand_uuid(rq->mem),
		                      .Began = rq->now,
		                      .Scope = scope };
	return g;
}

static str grant_key(arena *mem, str pool, str id)
{
	return arena_fmt(mem, "%.*s %.*s", STR_ARG(pool), STR_ARG(id));
}

static void grant_end(txn *tx, arena *mem, const cognito_idp_grant *g)
{
	timer_cancel(tx, "cognito_idp_grant", grant_key(mem, g->Pool, g->Id));
	if (g->Refresh.n)
		cognito_idp_refresh_delete(tx, g->Refresh);
	if (g->Replaced.n)
		cognito_idp_refresh_delete(tx, g->Replaced);
	cognito_idp_granted_delete(tx, g->Pool, g->Name, g->Id);
	cognito_idp_grant_delete(tx, g->Pool, g->Id);
}

TIMER(cognito_idp_grant)
{
	str id = payload, pool = str_cut(&id, ' ');
	const cognito_idp_grant *g = cognito_idp_grant_get(tx, txn_arena(tx), pool, id);
	if (g)
		grant_end(tx, txn_arena(tx), g);
}

/* Their refresh tokens stay known, so that their holders are told what happened. */
void idp_grants_end(txn *tx, arena *mem, str pool, str name)
{
	record_scan scan = cognito_idp_granted_scan(tx, mem, 2, pool, name, STR_NONE);
	for (cognito_idp_granted *at; (at = cognito_idp_granted_next(&scan));) {
		cognito_idp_grant *g = cognito_idp_grant_get(tx, mem, pool, at->Id);
		if (!g)
			continue;
		g->Revoked = true;
		cognito_idp_grant_put(tx, g);
	}
}

str idp_refresh_new(arena *mem)
{
	char bytes[REFRESH_BYTES];
	rand_bytes(bytes, sizeof bytes);
	str b = str_of(bytes, sizeof bytes);
	str head = S("{\"cty\":\"JWT\",\"enc\":\"A256GCM\",\"alg\":\"RSA-OAEP\"}");
	return arena_fmt(
		mem, "%.*s.%.*s.%.*s.%.*s.%.*s", STR_ARG(base64_url(mem, head)),
		STR_ARG(base64_url(mem, str_sub(b, 0, 32))), STR_ARG(base64_url(mem, str_sub(b, 32, 44))),
		STR_ARG(base64_url(mem, str_sub(b, 44, 80))), STR_ARG(base64_url(mem, str_sub(b, 80, 96))));
}

err idp_refresh_find(req *rq, const txn *tx, const idp_pool *p, const idp_client *c, str token,
                     cognito_idp_grant **grant, idp_user **user)
{
	str hash = sha256_hex(rq->mem, token);
	const cognito_idp_refresh *r = cognito_idp_refresh_get(tx, rq->mem, hash);
	cognito_idp_grant *g =
		r && str_eq(r->Pool, p->Id) ? cognito_idp_grant_get(tx, rq->mem, p->Id, r->Grant) : NULL;
	if (!g)
		return refused(rq, "Invalid Refresh Token");
	if (!str_eq(g->Client, c->Id))
		return refused(rq, "Refresh Token was not issued to this client");
	if (g->Revoked)
		return refused(rq, "Refresh Token has been revoked");
	if (g->RefreshEnd <= rq->now)
		return refused(rq, "Refresh Token has expired");
	if (str_eq(hash, g->Replaced) && g->ReplacedUntil <= rq->now)
		return fail(rq, &cognito_idp_RefreshTokenReuseException,
		            "Refresh token has been invalidated by rotation");
	idp_user *u = cognito_idp_user_get(tx, rq->mem, p->Id, g->Name);
	if (!u)
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	if (u->Disabled)
		return refused(rq, "User is disabled.");
	*grant = g;
	*user = u;
	return OK;
}

static void keep_refresh(req *rq, txn *tx, const idp_issue *i, cognito_idp_grant *g)
{
	const cognito_idp_RefreshTokenRotationType *rotation = i->client->It->RefreshTokenRotation;
	if (g->Refresh.n) {
		if (g->Replaced.n)
			cognito_idp_refresh_delete(tx, g->Replaced);
		g->Replaced = g->Refresh;
		/* Without a grace, one that began before this request and comes after it is too late as well. */
		int64_t grace = rotation ? rotation->RetryGracePeriodSeconds.v * MS_SECOND : 0;
		g->ReplacedUntil = grace ? rq->now + grace : 0;
	} else {
		g->RefreshEnd = rq->now + idp_validity(i->client, 2);
	}
	g->Refresh = sha256_hex(rq->mem, i->refresh_token);
	cognito_idp_refresh row = { .Hash = g->Refresh, .Pool = g->Pool, .Grant = g->Id };
	cognito_idp_refresh_put(tx, &row);
}

/* Functions were asked since it was read: who signed out meanwhile stays so, and a refresh token that another
 * request has replaced is not replaced twice. */
static err read_again(req *rq, const txn *tx, const idp_issue *i, cognito_idp_grant **g, idp_user **u)
{
	if (i->used.n)
		return idp_refresh_find(rq, tx, i->pool, i->client, i->used, g, u);
	*u = i->user ? cognito_idp_user_get(tx, rq->mem, i->pool->Id, i->user->Name) : NULL;
	if (i->user && (!*u || !str_eq((*u)->Sub, i->user->Sub)))
		return fail(rq, &cognito_idp_UserNotFoundException, "User does not exist.");
	return *u && (*u)->Disabled ? refused(rq, "User is disabled.") : OK;
}

err idp_tokens_keep(req *rq, txn *tx, const idp_issue *i)
{
	cognito_idp_grant copy = *i->grant, *g = &copy; /* this may run again */
	idp_user *u;
	TRY(read_again(rq, tx, i, &g, &u));
	cognito_idp_granted row = { .Pool = g->Pool, .Name = g->Name, .Id = g->Id, .Since = g->Began };
	if (i->refresh_token.n)
		keep_refresh(rq, tx, i, g);
	int64_t id = idp_validity(i->client, 0), access = idp_validity(i->client, 1);
	int64_t end = rq->now + (id > access ? id : access);
	g->End = g->RefreshEnd > end ? g->RefreshEnd : end;
	str key = grant_key(rq->mem, g->Pool, g->Id);
	cognito_idp_grant_put(tx, g);
	cognito_idp_granted_put(tx, &row);
	timer_set(tx, "cognito_idp_grant", key, g->End, key);
	if (!u)
		return OK;
	idp_active(rq, i->pool, u);
	cognito_idp_user_put(tx, u);
	return OK;
}

typedef struct rank {
	str name, role;
	int64_t precedence;
} rank;

/* By precedence, then by name; groups without one come last. */
static bool before(const rank *a, const rank *b)
{
	return a->precedence != b->precedence ? a->precedence < b->precedence : str_cmp(a->name, b->name) < 0;
}

static size_t ranks_of(const txn *tx, arena *mem, const idp_user *u, rank **out)
{
	size_t n = 0;
	rank *v = arena_array(mem, rank, COGNITO_GROUPS_PER_USER + 1);
	record_scan scan = cognito_idp_member_scan(tx, mem, 2, u->Pool, u->Name, STR_NONE);
	for (cognito_idp_member *m; n < COGNITO_GROUPS_PER_USER && (m = cognito_idp_member_next(&scan));) {
		const cognito_idp_group *g = cognito_idp_group_get(tx, mem, u->Pool, m->Group);
		if (!g)
			continue;
		rank one = { g->Name, g->It->RoleArn, g->It->Precedence.set ? g->It->Precedence.v : INT64_MAX };
		size_t at = n++;
		for (; at > 0 && before(&one, &v[at - 1]); at--)
			v[at] = v[at - 1];
		v[at] = one;
	}
	*out = v;
	return n;
}

/* Names as a JSON list; STR_NONE: no groups. The preferred role is the first group's, where no other is as
 * good. */
str idp_groups_json(const txn *tx, arena *mem, const idp_user *u, str *roles, str *preferred)
{
	rank *v;
	size_t n = ranks_of(tx, mem, u, &v), with_role = 0;
	buf names = buf_in(mem, 256, 32768), arns = buf_in(mem, 256, 262144);
	*roles = *preferred = STR_NONE;
	for (size_t i = 0; i < n; i++) {
		buf_c(&names, i ? ',' : '[');
		json_put_string(&names, v[i].name);
		if (!v[i].role.n)
			continue;
		buf_c(&arns, with_role++ ? ',' : '[');
		json_put_string(&arns, v[i].role);
	}
	if (!n)
		return STR_NONE;
	bool one = n == 1 || v[0].precedence < v[1].precedence || str_eq(v[0].role, v[1].role);
	if (v[0].role.n && one)
		*preferred = v[0].role;
	buf_c(&names, ']');
	buf_c(&arns, ']');
	*roles = with_role ? buf_str(&arns) : STR_NONE;
	return buf_str(&names);
}

static err revoke(req *rq, txn *tx, const idp_client *c, str token)
{
	const cognito_idp_refresh *r = cognito_idp_refresh_get(tx, rq->mem, sha256_hex(rq->mem, token));
	cognito_idp_grant *g = r ? cognito_idp_grant_get(tx, rq->mem, r->Pool, r->Grant) : NULL;
	if (!g)
		return idp_jwt_claims(rq->mem, token)
			? fail(rq, &cognito_idp_UnsupportedTokenTypeException, "Unsupported token type")
			: OK;
	if (!str_eq(g->Client, c->Id) || !str_eq(g->Pool, c->Pool))
		return fail(rq, &cognito_idp_UnauthorizedException, "Token was not issued to this client.");
	g->Revoked = true;
	cognito_idp_grant_put(tx, g);
	return OK;
}

err cognito_idp_RevokeToken(req *rq, txn *tx, const cognito_idp_RevokeToken_in *in,
                            cognito_idp_RevokeToken_out *out)
{
	idp_pool *p;
	idp_client *c;
	(void)out;
	TRY(idp_client_enter(rq, tx, in->ClientId, &p, &c));
	bool secret = str_is(c->It->ClientSecret) || c->Secrets.n;
	if (secret && !str_is(in->ClientSecret))
		return refused(rq, "Client is configured for secret but secret was not received");
	if (secret && !idp_secret_is(c, in->ClientSecret))
		return fail(rq, &cognito_idp_UnauthorizedException, "Invalid client secret.");
	if (!c->It->EnableTokenRevocation.v)
		return fail(rq, &cognito_idp_UnsupportedOperationException,
		            "Revoke token operation is not supported.");
	return revoke(rq, tx, c, in->Token);
}

err cognito_idp_GlobalSignOut(req *rq, txn *tx, const cognito_idp_GlobalSignOut_in *in,
                              cognito_idp_GlobalSignOut_out *out)
{
	idp_pool *p;
	idp_client *c;
	idp_user *u;
	(void)out;
	TRY(idp_token_enter(rq, tx, in->AccessToken, &p, &c, &u));
	idp_grants_end(tx, rq->mem, p->Id, u->Name);
	idp_active(rq, p, u);
	cognito_idp_user_put(tx, u);
	return OK;
}

err cognito_idp_AdminUserGlobalSignOut(req *rq, txn *tx, const cognito_idp_AdminUserGlobalSignOut_in *in,
                                       cognito_idp_AdminUserGlobalSignOut_out *out)
{
	idp_pool *p;
	idp_user *u;
	(void)out;
	TRY(idp_pool_find(rq, tx, in->UserPoolId, &p));
	TRY(idp_user_find(rq, tx, p, in->Username, &u));
	idp_grants_end(tx, rq->mem, p->Id, u->Name);
	return OK;
}
