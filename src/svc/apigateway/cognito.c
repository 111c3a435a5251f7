/*
 * Tokens of user pools. A method without scopes takes identity tokens, one with scopes takes access tokens
 * that have one of them. Whether a token was revoked is not asked: its signature and its end are what counts.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/front_authorizer.h"
#include "cloud/jwt.h"
#include "sys/clock.h"
#include "visit.h"
#include "wire/pattern.h"

#define WAIT_MS 5000

/* arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_AbC123xyz */
static str issuer_of(arena *mem, str arn)
{
	str rest = arn, region = STR_NONE;
	for (int i = 0; i < 4 && str_is(rest); i++)
		region = str_cut(&rest, ':');
	size_t at = str_is(rest) ? str_find(rest, S(":userpool/")) : SIZE_MAX;
	return at == SIZE_MAX ? STR_NONE
		: arena_fmt(mem, "https://cognito-idp.%.*s.amazonaws.com/%.*s", STR_ARG(region),
		            STR_ARG(str_sub(rest, at + 10, rest.n)));
}

static bool one_of_its_pools(const visit *v, const apigateway_Authorizer *a, str issuer)
{
	for (size_t i = 0; i < a->providerARNs.n; i++)
		if (str_eq(issuer_of(v->mem, a->providerARNs.v[i]), issuer))
			return true;
	return false;
}

static bool scope_fits(const visit *v, str scopes)
{
	for (str rest = scopes; str_is(rest);) {
		str one = str_cut(&rest, ' ');
		for (size_t i = 0; i < v->method->authorizationScopes.n; i++)
			if (str_eq(v->method->authorizationScopes.v[i], one))
				return true;
	}
	return false;
}

static bool audience_fits(const visit *v, const apigateway_Authorizer *a, str audience)
{
	if (!a->identityValidationExpression.n)
		return true;
	const pattern *p = pattern_compile(v->mem, a->identityValidationExpression);
	return p && str_is(audience) && pattern_matches(p, v->mem, audience);
}

/* Times are told as Java does: Tue Nov 14 22:13:20 UTC 2023. */
static str date_of(arena *mem, int64_t seconds)
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	civil c = time_civil(seconds * MS_SECOND);
	return arena_fmt(mem, "%.3s %.3s %02d %02d:%02d:%02d UTC %04d", days + 3 * c.weekday,
	                 months + 3 * (c.month - 1), c.day, c.hour, c.minute, c.second, c.year);
}

/* Lists with commas between, all else as it stands. */
static str text_of(arena *mem, const json_value *c)
{
	buf b = buf_in(mem, 64, FRONT_CLAIMS_MAX);
	if (c->kind == JSON_STRING)
		return c->text;
	if ((str_eq(c->key, S("exp")) || str_eq(c->key, S("iat"))) && c->kind == JSON_NUMBER) {
		int64_t seconds;
		return str_to_i64(c->text, &seconds) && seconds > 0 && seconds < INT64_C(100000000000)
			? date_of(mem, seconds) : c->text;
	}
	if (c->kind != JSON_ARRAY)
		json_write(&b, c);
	for (const json_value *item = c->kind == JSON_ARRAY ? c->first : NULL; item; item = item->next) {
		buf_put(&b, b.n ? S(",") : S(""));
		if (item->kind == JSON_STRING)
			buf_put(&b, item->text);
		else
			json_write(&b, item);
	}
	return buf_str(&b);
}

static void keep_claims(visit *v, const json_value *claims)
{
	buf b = buf_in(v->mem, 1024, FRONT_CLAIMS_MAX);
	buf_put(&b, S("{\"claims\":"));
	front_claims(v->mem, claims, text_of, &v->said, &b);
	buf_c(&b, '}');
	v->authorizer = buf_str(&b);
}

const refusal *visit_with_pool(visit *v, const apigateway_Authorizer *a)
{
	str token = str_trim(visit_mapped(v, a->identitySource));
	if (str_eq_nocase(str_sub(token, 0, token.n < 7 ? token.n : 7), S("Bearer ")))
		token = str_trim(str_sub(token, 7, token.n));
	jwt t;
	if (!token.n || !jwt_read(v->mem, token, &t))
		return &refuse_unauthorized;
	str issuer = jwt_text(t.claims, S("iss")), use = jwt_text(t.claims, S("token_use"));
	if (!one_of_its_pools(v, a, issuer) ||
	    jwt_prove_by(v->rq->store, v->mem, &t, issuer,
	                 (jwt_way){ .rsa_only = true, .wait_ms = WAIT_MS }) != JWT_PROVED)
		return &refuse_unauthorized;
	if (jwt_seconds(t.claims, S("exp")) * MS_SECOND <= clock_now())
		return &refuse_expired;
	bool access = v->method->authorizationScopes.n > 0;
	if (!str_eq(use, access ? S("access") : S("id")) ||
	    (access && !scope_fits(v, jwt_text(t.claims, S("scope")))) ||
	    !audience_fits(v, a, jwt_text(t.claims, access ? S("client_id") : S("aud"))))
		return &refuse_unauthorized;
	keep_claims(v, t.claims);
	return NULL;
}
