/* Tokens for OAuth clients: for a code, for a refresh token, and for the client itself. */
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/jwt.h"
#include "oauth.h"

/* Basic credentials or members of the form; a client with a secret must show it. */
static bool enter(idp_oauth_visit *v)
{
	str basic = wire_header(&v->x->in, S("Authorization")), text;
	str id = idp_oauth_given(v, "client_id"), secret = idp_oauth_given(v, "client_secret");
	if (str_starts(basic, S("Basic ")) && base64_decode(v->mem, str_sub(basic, 6, basic.n), &text)) {
		id = percent_decode(v->mem, str_cut(&text, ':'), true);
		secret = str_is(text) ? percent_decode(v->mem, text, true) : S("");
	}
	if (!idp_oauth_client(v, id))
		return false;
	bool has = str_is(v->client->It->ClientSecret) || v->client->Secrets.n;
	return has ? idp_secret_is(v->client, secret) : !secret.n;
}

static bool flow(const idp_oauth_visit *v, const char *name)
{
	const cognito_idp_UserPoolClientType *t = v->client->It;
	return t->AllowedOAuthFlowsUserPoolClient.v
		&& idp_listed(t->AllowedOAuthFlows.v, t->AllowedOAuthFlows.n, str_c(name));
}

static err keep(req *rq, txn *tx, void *context)
{
	return idp_tokens_keep(rq, tx, context);
}

static void answer(idp_oauth_visit *v, const idp_issue *i)
{
	buf b = buf_in(v->mem, 4096, 262144);
	buf_c(&b, '{');
	if (i->id_token.n) {
		idp_json_put(&b, S("id_token"), i->id_token);
		buf_c(&b, ',');
	}
	idp_json_put(&b, S("access_token"), i->access_token);
	if (i->refresh_token.n) {
		buf_c(&b, ',');
		idp_json_put(&b, S("refresh_token"), i->refresh_token);
	}
	buf_fmt(&b, ",\"expires_in\":%lld,\"token_type\":\"Bearer\"}", (long long)i->seconds);
	idp_oauth_reply(v, 200, "application/json;charset=UTF-8", buf_str(&b));
}

static void issue(idp_oauth_visit *v, idp_issue *i)
{
	i->pool = v->pool;
	i->client = v->client;
	i->hosted = true;
	if (idp_tokens_make(v->rq, i) || req_write(v->rq, keep, i))
		idp_oauth_error(v, 400, "invalid_request");
	else
		answer(v, i);
}

typedef struct redeemed {
	str code;
	cognito_idp_authcode *it;
	idp_user *user;
} redeemed;

/* A code is good once. */
static err redeem(req *rq, txn *tx, void *context)
{
	redeemed *r = context;
	r->it = cognito_idp_authcode_get(tx, rq->mem, sha256_hex(rq->mem, r->code));
	if (!r->it)
		return OK;
	cognito_idp_authcode_delete(tx, r->it->Id);
	r->user = cognito_idp_user_get(tx, rq->mem, r->it->Pool, r->it->Name);
	return OK;
}

/* RFC 7636, S256 only, as AWS. */
static bool proved(const idp_oauth_visit *v, str challenge)
{
	unsigned char sum[32];
	str verifier = idp_oauth_given(v, "code_verifier");
	if (!challenge.n)
		return true;
	sha256(verifier, sum);
	return verifier.n && secret_eq(base64_url(v->mem, str_of((const char *)sum, sizeof sum)), challenge);
}

static void by_code(idp_oauth_visit *v)
{
	redeemed r = { .code = idp_oauth_given(v, "code") };
	if (!flow(v, "code")) {
		idp_oauth_error(v, 400, "unauthorized_client");
		return;
	}
	if (!r.code.n || !idp_oauth_given(v, "redirect_uri").n) {
		idp_oauth_error(v, 400, "invalid_request");
		return;
	}
	err e = req_write(v->rq, redeem, &r);
	const cognito_idp_authcode *c = r.it;
	if (e || !c || !r.user || r.user->Disabled || c->End <= v->rq->now || !str_eq(c->Pool, v->pool->Id)
	    || !str_eq(c->Client, v->client->Id) || !str_eq(c->Redirect, idp_oauth_given(v, "redirect_uri"))
	    || !proved(v, c->Challenge)) {
		idp_oauth_error(v, 400, "invalid_grant");
		return;
	}
	idp_issue i = { .user = r.user,
		            .source = "TokenGeneration_HostedAuth",
		            .scope = c->Scope,
		            .nonce = c->Nonce,
		            .fresh = true };
	i.grant = idp_grant_new(v->rq, v->pool, v->client, r.user, c->Scope);
	i.grant->Nonce = c->Nonce;
	issue(v, &i);
}

static void by_refresh(idp_oauth_visit *v)
{
	const cognito_idp_RefreshTokenRotationType *rotation = v->client->It->RefreshTokenRotation;
	str token = idp_oauth_given(v, "refresh_token");
	cognito_idp_grant *g;
	idp_user *u;
	const txn *tx = req_read(v->rq);
	err e = idp_refresh_find(v->rq, tx, v->pool, v->client, token, &g, &u);
	req_read_end(v->rq, tx);
	if (e) {
		idp_oauth_error(v, 400, "invalid_grant");
		return;
	}
	idp_issue i = { .user = u,
		            .grant = g,
		            .used = token,
		            .scope = g->Scope,
		            .source = "TokenGeneration_RefreshTokens",
		            .fresh = rotation && str_eq(rotation->Feature, S("ENABLED")) };
	issue(v, &i);
}

static void by_itself(idp_oauth_visit *v)
{
	str scopes;
	if (!flow(v, "client_credentials")) {
		idp_oauth_error(v, 400, "unauthorized_client");
		return;
	}
	if (!idp_oauth_scopes(v, idp_oauth_given(v, "scope"), &scopes)) {
		idp_oauth_error(v, 400, "invalid_scope");
		return;
	}
	idp_issue i = { .scope = scopes, .source = "TokenGeneration_ClientCredentials" };
	i.grant = idp_grant_new(v->rq, v->pool, v->client, NULL, scopes);
	issue(v, &i);
}

void idp_oauth_token(idp_oauth_visit *v)
{
	str kind = idp_oauth_given(v, "grant_type");
	if (!str_eq(v->x->in.method, S("POST")))
		idp_oauth_error(v, 405, "invalid_request");
	else if (!kind.n)
		idp_oauth_error(v, 400, "invalid_request");
	else if (!enter(v))
		idp_oauth_error(v, 400, "invalid_client");
	else if (str_eq(kind, S("authorization_code")))
		by_code(v);
	else if (str_eq(kind, S("refresh_token")))
		by_refresh(v);
	else if (str_eq(kind, S("client_credentials")))
		by_itself(v);
	else
		idp_oauth_error(v, 400, "unsupported_grant_type");
}

typedef struct revoked {
	idp_oauth_visit *v;
	str token;
	const char *error;
} revoked;

static err revoke(req *rq, txn *tx, void *context)
{
	revoked *r = context;
	const cognito_idp_refresh *at = cognito_idp_refresh_get(tx, rq->mem, sha256_hex(rq->mem, r->token));
	cognito_idp_grant *g = at ? cognito_idp_grant_get(tx, rq->mem, at->Pool, at->Grant) : NULL;
	r->error = NULL;
	if (!g)
		return OK;
	if (!str_eq(g->Client, r->v->client->Id)) {
		r->error = "invalid_request";
		return OK;
	}
	g->Revoked = true;
	cognito_idp_grant_put(tx, g);
	return OK;
}

void idp_oauth_revoke(idp_oauth_visit *v)
{
	revoked r = { .v = v, .token = idp_oauth_given(v, "token") };
	if (!enter(v)) {
		idp_oauth_error(v, 400, "invalid_client");
		return;
	}
	if (!r.token.n || !v->client->It->EnableTokenRevocation.v || req_write(v->rq, revoke, &r) || r.error)
		idp_oauth_error(v, 400, r.error ? r.error : "invalid_request");
	else
		idp_oauth_reply(v, 200, "application/json;charset=UTF-8", S(""));
}

void idp_oauth_user_info(idp_oauth_visit *v)
{
	str bearer = wire_header(&v->x->in, S("Authorization"));
	idp_claims c;
	const idp_user *u = NULL;
	const txn *tx = req_read(v->rq);
	bool good = str_starts(bearer, S("Bearer "))
		&& idp_token_good(v->rq, tx, str_sub(bearer, 7, bearer.n), v->pool, S("access"), &c)
		&& idp_has_scope(c.scope, S("openid"));
	if (good)
		u = idp_user_look(tx, v->mem, v->pool, c.sub);
	req_read_end(v->rq, tx);
	if (!u || u->Disabled) {
		wire_header_add(
			&v->out, S("WWW-Authenticate"),
			S("error=\"invalid_token\", error_description=\"Access token is invalid or expired\""));
		idp_oauth_error(v, 401, "invalid_token");
		return;
	}
	buf b = buf_in(v->mem, 1024, 262144);
	buf_c(&b, '{');
	idp_json_put(&b, S("sub"), u->Sub);
	for (size_t i = 0; i < u->Attributes.n; i++) {
		str name = u->Attributes.v[i].Name;
		str needs = str_starts(name, S("email"))  ? S("email")
			: str_starts(name, S("phone_number")) ? S("phone")
												  : S("profile");
		if (!idp_has_scope(c.scope, needs) && !idp_has_scope(c.scope, S("aws.cognito.signin.user.admin")))
			continue;
		buf_c(&b, ',');
		idp_json_put(&b, name, u->Attributes.v[i].Value);
	}
	buf_c(&b, ',');
	idp_json_put(&b, S("username"), u->Username);
	buf_c(&b, '}');
	idp_oauth_reply(v, 200, "application/json;charset=UTF-8", buf_str(&b));
}
