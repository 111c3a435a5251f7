#include "jwt.h"
#include "base/json.h"
#include "base/keypair.h"
#include "base/text.h"

#define TOKEN_MAX ((size_t)128 << 10)
#define HOW S("RSASSA_PKCS1_V1_5_SHA_256")

str idp_base64_url(arena *mem, str bytes)
{
	str t = base64_encode(mem, bytes);
	char *p = arena_bytes(mem, t.n);
	size_t n = 0;
	for (size_t i = 0; i < t.n && t.p[i] != '='; i++)
		p[n++] = t.p[i] == '+' ? '-' : t.p[i] == '/' ? '_' : t.p[i];
	return str_of(p, n);
}

bool idp_base64_url_read(arena *mem, str text, str *bytes)
{
	char *p = arena_bytes(mem, text.n + 1);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];
	return base64_decode(mem, str_of(p, text.n), bytes);
}

/* ---- claims ---- */

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

/* ---- signing and reading ---- */

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
	str first = idp_base64_url(mem, buf_str(&head)), second = idp_base64_url(mem, buf_str(&b));
	str text = arena_fmt(mem, "%.*s.%.*s", STR_ARG(first), STR_ARG(second));
	ensure(keypair_sign(mem, id ? p->IdKey : p->AccessKey, HOW, false, text, &signature));
	return arena_fmt(mem, "%.*s.%.*s", STR_ARG(text), STR_ARG(idp_base64_url(mem, signature)));
}

static bool parts_of(str token, str part[3])
{
	str rest = token;
	for (int i = 0; i < 3; i++) {
		if (!str_is(rest))
			return false;
		part[i] = str_cut(&rest, '.');
	}
	return !str_is(rest);
}

const json_value *idp_jwt_claims(arena *mem, str token)
{
	str part[3], text;
	const json_value *v =
		parts_of(token, part) && idp_base64_url_read(mem, part[1], &text) ? json_parse(mem, text) : NULL;
	return v && v->kind == JSON_OBJECT ? v : NULL;
}

const json_value *idp_jwt_open(arena *mem, const idp_pool *p, str token)
{
	str part[3], head, signature, public_der;
	if (!parts_of(token, part) || !idp_base64_url_read(mem, part[0], &head)
	    || !idp_base64_url_read(mem, part[2], &signature))
		return NULL;
	str kid = idp_json_str(json_parse(mem, head), S("kid"));
	bool id = str_eq(kid, p->IdKid);
	if ((!id && !str_eq(kid, p->AccessKid)) || !keypair_public(mem, id ? p->IdKey : p->AccessKey, &public_der)
	    || !keypair_verify(public_der, HOW, false, str_sub(token, 0, part[0].n + 1 + part[1].n), signature))
		return NULL;
	return idp_jwt_claims(mem, token);
}
