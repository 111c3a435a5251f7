#include "jwt.h"
#include "base/json.h"
#include "base/keypair.h"
#include "cloud/jwt.h"

#define TOKEN_MAX ((size_t)128 << 10)
#define HOW S("RSASSA_PKCS1_V1_5_SHA_256")

void idp_claims_set(arena *mem, claims *c, str name, str raw)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->v[i].name, name)) {
			c->v[i].raw = raw;
			return;
		}
	if (c->n == c->room) {
		claim *v = arena_array(mem, claim, c->room * 2 + 32);
		if (c->n)
			memcpy(v, c->v, c->n * sizeof *v);
		c->v = v;
		c->room = c->room * 2 + 32;
	}
	c->v[c->n++] = (claim){ name, raw };
}

void idp_claims_text(arena *mem, claims *c, str name, str value)
{
	buf b = buf_in(mem, value.n + 16, TOKEN_MAX);
	json_put_string(&b, value);
	idp_claims_set(mem, c, name, buf_str(&b));
}

void idp_claims_number(arena *mem, claims *c, str name, int64_t n)
{
	idp_claims_set(mem, c, name, arena_fmt(mem, "%lld", (long long)n));
}

void idp_claims_drop(claims *c, str name)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (!str_eq(c->v[i].name, name))
			c->v[n++] = c->v[i];
	c->n = n;
}

str idp_jwt_sign(arena *mem, const idp_pool *p, const claims *c, bool id)
{
	str signature;
	buf b = buf_in(mem, 2048, TOKEN_MAX), head = buf_in(mem, 256, 1024);
	buf_c(&head, '{');
	idp_json_put(&head, S("kid"), id ? p->IdKid : p->AccessKid);
	buf_put(&head, S(",\"alg\":\"RS256\"}"));
	buf_c(&b, '{');
	for (size_t i = 0; i < c->n; i++) {
		buf_put(&b, i ? S(",") : S(""));
		json_put_string(&b, c->v[i].name);
		buf_c(&b, ':');
		buf_put(&b, c->v[i].raw);
	}
	buf_c(&b, '}');
	str first = base64_url(mem, buf_str(&head)), second = base64_url(mem, buf_str(&b));
	str text = arena_fmt(mem, "%.*s.%.*s", STR_ARG(first), STR_ARG(second));
	ensure(keypair_sign(mem, id ? p->IdKey : p->AccessKey, HOW, false, text, &signature));
	return arena_fmt(mem, "%.*s.%.*s", STR_ARG(text), STR_ARG(base64_url(mem, signature)));
}

const json_value *idp_jwt_claims(arena *mem, str token)
{
	jwt t;
	return jwt_read(mem, token, &t) ? t.claims : NULL;
}

const json_value *idp_jwt_open(arena *mem, const idp_pool *p, str token)
{
	jwt t;
	str public_der;
	if (!jwt_read(mem, token, &t))
		return NULL;
	str kid = jwt_text(t.head, S("kid"));
	bool id = str_eq(kid, p->IdKid);
	if ((!id && !str_eq(kid, p->AccessKid)) || !keypair_public(mem, id ? p->IdKey : p->AccessKey, &public_der)
	    || !keypair_verify(public_der, HOW, false, t.signed_part, t.signature))
		return NULL;
	return t.claims;
}
