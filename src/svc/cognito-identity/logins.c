/* Logins: ID tokens of user pools, proved with the pool's keys (cloud/jwt.h). */
#include "base/text.h"
#include "cloud/jwt.h"
#include "identity.h"

#define ANSWER_MS 10000
/* Part of a key of the store. A user pool's are UUIDs, but the identity pool says where the keys lie. */
#define SUBJECT_MAX 255

static err refuse(req *rq, const char *why)
{
	return fail(rq, &cognito_identity_NotAuthorizedException, "%s", why);
}

/* cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123xyz, one of the identity pool's with this client. */
static err supported(req *rq, const id_pool *p, str provider, str client)
{
	bool known = false;
	for (size_t i = 0; i < p->It->CognitoIdentityProviders.n; i++) {
		const cognito_identity_CognitoIdentityProvider *c = &p->It->CognitoIdentityProviders.v[i];
		if (!str_eq(c->ProviderName, provider))
			continue;
		known = true;
		if (str_eq(c->ClientId, client))
			return OK;
	}
	return refuse(rq,
	              known ? "Invalid login token. Incorrect token audience."
	                    : "Token is not from a supported provider of this identity pool.");
}

static err check_one(req *rq, const id_pool *p, str provider, str token, id_login *out)
{
	jwt t;
	if (!jwt_read(rq->mem, token, &t))
		return refuse(rq, "Invalid login token. Not a valid OpenId Connect identity token.");
	const json_value *c = t.claims;
	str subject = jwt_text(c, S("sub"));
	if (!str_eq(jwt_text(c, S("token_use")), S("id")) || !subject.n || subject.n > SUBJECT_MAX)
		return refuse(rq, "Invalid login token. Not a valid OpenId Connect identity token.");
	str issuer = jwt_text(c, S("iss"));
	if (!str_eq(issuer, arena_concat(rq->mem, S("https://"), provider)))
		return refuse(rq, "Invalid login token. Issuer doesn't match providerName");
	TRY(supported(rq, p, provider, jwt_text(c, S("aud"))));
	if (jwt_prove_by(rq->store, rq->mem, &t, issuer, (jwt_way){ .wait_ms = ANSWER_MS }) != JWT_PROVED)
		return refuse(rq, "Invalid login token. Can't verify signature");
	const json_value *end = json_get(c, S("exp"));
	int64_t seconds;
	if (!end || !str_to_i64(end->text, &seconds) || seconds <= rq->now / 1000)
		return refuse(rq,
		              arena_fmt(rq->mem, "Invalid login token. Token expired: %.*s >= %.*s",
		                        STR_ARG(arena_fmt(rq->mem, "%lld", (long long)rq->now / 1000)),
		                        STR_ARG(end ? end->text : S("0")))
		                  .p);
	*out = (id_login){ .provider = provider, .subject = subject, .claims = c };
	return OK;
}

err id_logins_check(req *rq, const id_pool *p, const cognito_identity_LoginsMap *given, id_login **out,
                    size_t *n)
{
	*out = arena_array(rq->mem, id_login, given->n + 1);
	for (*n = 0; *n < given->n; (*n)++)
		TRY(check_one(rq, p, given->v[*n].key, given->v[*n].value, &(*out)[*n]));
	return OK;
}
