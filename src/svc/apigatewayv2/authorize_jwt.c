/* Tokens of an issuer: its signature, its times, whom it is for, what it may be used for. */
#include "cloud/front_authorizer.h"
#include "cloud/jwt.h"
#include "visit.h"

#define WAIT_MS 5000

/* Configured scopes are text of the API's owner: what would end the header or its quotes is left out. */
static void put_scopes(buf *b, const apigatewayv2_AuthorizationScopes *scopes)
{
	for (size_t i = 0; i < scopes->n; i++) {
		buf_put(b, i ? S(" ") : S(""));
		for (size_t k = 0; k < scopes->v[i].n; k++)
			if (scopes->v[i].p[k] >= ' ' && scopes->v[i].p[k] < 127 && scopes->v[i].p[k] != '"')
				buf_c(b, scopes->v[i].p[k]);
	}
}

static int refuse(visit *v, int status, const char *kind, const char *why)
{
	buf b = buf_in(v->mem, 256, 65536);
	buf_put(&b, S("Bearer scope=\""));
	put_scopes(&b, &v->route->AuthorizationScopes);
	buf_fmt(&b, "\" error=\"%s\" error_description=\"%s\"", kind, why);
	v->challenge = buf_str(&b);
	v->authorizer_error = arena_fmt(v->mem, "%s: %s", kind, why);
	return status;
}

static int invalid(visit *v, const char *why)
{
	return refuse(v, 401, "invalid_token", why);
}

/* Lists in brackets with blanks between, as functions have got used to. */
static str text_of(arena *mem, const json_value *c)
{
	buf b = buf_in(mem, 64, FRONT_CLAIMS_MAX);
	if (c->kind == JSON_STRING || c->kind == JSON_NUMBER)
		return c->text;
	if (c->kind != JSON_ARRAY) {
		json_write(&b, c);
		return buf_str(&b);
	}
	buf_c(&b, '[');
	for (const json_value *item = c->first; item; item = item->next) {
		buf_put(&b, item == c->first ? S("") : S(" "));
		buf_put(&b, text_of(mem, item));
	}
	buf_c(&b, ']');
	return buf_str(&b);
}

static void keep_claims(visit *v, const json_value *claims)
{
	buf b = buf_in(v->mem, 1024, FRONT_CLAIMS_MAX);
	const apigatewayv2_AuthorizationScopes *scopes = &v->route->AuthorizationScopes;
	buf_put(&b, S("{\"claims\":"));
	front_claims(v->mem, claims, text_of, &v->said, &b);
	buf_put(&b, S(",\"scopes\":"));
	for (size_t i = 0; i < scopes->n; i++) {
		buf_c(&b, i ? ',' : '[');
		json_put_string(&b, scopes->v[i]);
	}
	buf_put(&b, scopes->n ? S("]}") : S("null}"));
	v->authorizer_1 = buf_str(&b);
	v->authorizer_2 = arena_fmt(v->mem, "{\"jwt\":%.*s}", STR_ARG(v->authorizer_1));
}

/* `scope` is a text of scopes, `scp` that or a list. */
static bool scope_fits(const visit *v, const json_value *claims)
{
	const apigatewayv2_AuthorizationScopes *wanted = &v->route->AuthorizationScopes;
	for (size_t i = 0; i < wanted->n; i++) {
		if (jwt_has(claims, S("scp"), wanted->v[i]))
			return true;
		for (int k = 0; k < 2; k++)
			for (str rest = jwt_text(claims, k ? S("scp") : S("scope")); str_is(rest);)
				if (str_eq(str_cut(&rest, ' '), wanted->v[i]))
					return true;
	}
	return !wanted->n;
}

/* client_id is looked at only without aud. */
static bool audience_fits(const apigatewayv2_JWTConfiguration *c, const json_value *claims)
{
	str name = json_get(claims, S("aud")) ? S("aud") : S("client_id");
	for (size_t i = 0; i < c->Audience.n; i++)
		if (jwt_has(claims, name, c->Audience.v[i]))
			return true;
	return false;
}

static const char *unproved(jwt_proof p)
{
	switch (p) {
	case JWT_NO_METHOD:
		return "signing method is invalid";
	case JWT_NO_ABOUT:
		return "OIDC discovery endpoint communication error";
	case JWT_NO_KEYS:
		return "JWKS communication error";
	case JWT_NO_KEY:
		return "unable to find a signing key that matches the token";
	default:
		return "signature is invalid";
	}
}

int visit_with_token(visit *v, const apigatewayv2_Authorizer *a)
{
	const apigatewayv2_JWTConfiguration *c = a->JwtConfiguration;
	str token = a->IdentitySource.n ? str_trim(visit_identity(v, a->IdentitySource.v[0])) : STR_NONE;
	jwt t;
	if (str_eq_nocase(str_sub(token, 0, token.n < 7 ? token.n : 7), S("Bearer ")))
		token = str_trim(str_sub(token, 7, token.n));
	if (!token.n) {
		v->challenge = S("Bearer");
		return 401;
	}
	if (!c || !jwt_read(v->mem, token, &t))
		return invalid(v, "token is malformed");
	jwt_way way = { .rsa_only = true, .wait_ms = WAIT_MS };
	bool named = str_is(jwt_text(t.head, S("kid")));
	jwt_proof p = named ? jwt_prove_by(v->s, v->mem, &t, c->Issuer, way) : JWT_NO_KEY;
	if (p != JWT_PROVED)
		return invalid(v, unproved(p));
	int64_t now = jwt_now(c->Issuer);
	if (jwt_seconds(t.claims, S("exp")) <= now)
		return invalid(v, "the token has expired");
	if (jwt_seconds(t.claims, S("nbf")) > now)
		return invalid(v, "the token is not valid yet");
	if (jwt_seconds(t.claims, S("iat")) > now)
		return invalid(v, "the token was used before it was issued");
	if (!str_eq(jwt_text(t.claims, S("iss")), c->Issuer))
		return invalid(v, "the token does not have a valid issuer");
	if (!audience_fits(c, t.claims))
		return invalid(v, "the token does not have a valid audience");
	if (!scope_fits(v, t.claims))
		return refuse(v, 403, "insufficient_scope", "the token does not have a valid scope");
	keep_claims(v, t.claims);
	return 0;
}
