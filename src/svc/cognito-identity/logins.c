/* Logins: ID tokens of user pools, proved with the keys that the pool publishes, as any relying party does.
 */
#include "base/keypair.h"
#include "base/text.h"
#include "cloud/server.h"
#include "identity.h"
#include "wire/http_client.h"

#define ANSWER_MS 10000
#define ANSWER_MAX ((size_t)1 << 20)
/* Part of a key of the store. A user pool's are UUIDs, but the identity pool says where the keys lie. */
#define SUBJECT_MAX 255

static bool base64_url(arena *mem, str text, str *out)
{
	char *p = arena_bytes(mem, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
	return base64_decode(mem, str_of(p, text.n), out);
}

static str text_of(const json_value *v, str name)
{
	const json_value *m = json_get(v, name);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

static err refuse(req *rq, const char *why)
{
	return fail(rq, &cognito_identity_NotAuthorizedException, "%s", why);
}

/* The pool's keys, from where this server publishes them. */
static const json_value *keys_of(req *rq, str pool)
{
	http_client_options o = { .total_ms = ANSWER_MS, .body_max = ANSWER_MAX };
	wire_message ask = { .mem = rq->mem, .method = S("GET") }, answer = { .mem = rq->mem };
	str url =
		arena_fmt(rq->mem, "%.*s/%.*s/.well-known/jwks.json", STR_ARG(server_endpoint()), STR_ARG(pool));
	if (http_call(rq->mem, url, &ask, &o, &answer) != OK || answer.status != 200)
		return NULL;
	const json_value *set = json_parse(rq->mem, answer.body);
	return set ? json_get(set, S("keys")) : NULL;
}

static bool signed_by(req *rq, const json_value *keys, str kid, str text, str signature)
{
	str n, e, public_der;
	for (const json_value *k = keys ? keys->first : NULL; k; k = k->next)
		if (str_eq(text_of(k, S("kid")), kid) && base64_url(rq->mem, text_of(k, S("n")), &n)
		    && base64_url(rq->mem, text_of(k, S("e")), &e) && keypair_from_rsa(rq->mem, n, e, &public_der))
			return keypair_verify(public_der, S("RSASSA_PKCS1_V1_5_SHA_256"), false, text, signature);
	return false;
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
	str rest = token, head, claims, signature, part[3];
	for (int i = 0; i < 3; i++)
		part[i] = str_is(rest) ? str_cut(&rest, '.') : STR_NONE;
	const json_value *h = NULL, *c = NULL;
	if (str_is(part[2]) && !str_is(rest) && base64_url(rq->mem, part[0], &head)
	    && base64_url(rq->mem, part[1], &claims) && base64_url(rq->mem, part[2], &signature)) {
		h = json_parse(rq->mem, head);
		c = json_parse(rq->mem, claims);
	}
	str subject = text_of(c, S("sub"));
	if (!h || !c || !str_eq(text_of(c, S("token_use")), S("id")) || !subject.n || subject.n > SUBJECT_MAX)
		return refuse(rq, "Invalid login token. Not a valid OpenId Connect identity token.");
	str issuer = text_of(c, S("iss"));
	if (!str_eq(issuer, arena_concat(rq->mem, S("https://"), provider)))
		return refuse(rq, "Invalid login token. Issuer doesn't match providerName");
	TRY(supported(rq, p, provider, text_of(c, S("aud"))));
	str pool = str_sub(provider, str_find_char(provider, '/') + 1, provider.n);
	if (!signed_by(rq, keys_of(rq, pool), text_of(h, S("kid")), str_sub(token, 0, part[0].n + 1 + part[1].n),
	               signature))
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
