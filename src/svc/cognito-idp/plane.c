/*
 * What a pool publishes: its keys and what OpenID Connect wants to know, below its issuer
 * (https://cognito-idp.REGION.amazonaws.com/POOL) and, for clients that do not resolve such names, below
 * /POOL of the server itself.
 */
#include "cloud/plane.h"
#include "cloud/jwt.h"
#include "base/json.h"
#include "base/keypair.h"
#include "base/text.h"
#include "pool.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define KEYS S("/.well-known/jwks.json")
#define ABOUT S("/.well-known/openid-configuration")

/* /us-east-1_AbC123xyz/.well-known/.. */
static bool pool_path(str path, str *id, str *rest)
{
	if (path.n < 2 || path.p[0] != '/')
		return false;
	str tail = str_sub(path, 1, path.n);
	*id = str_cut(&tail, '/');
	*rest = str_sub(path, 1 + id->n, path.n);
	return str_find_char(*id, '_') != SIZE_MAX && (str_eq(*rest, KEYS) || str_eq(*rest, ABOUT));
}

static bool match(const http_exchange *x)
{
	str id, rest;
	return (str_eq(x->in.method, S("GET")) || str_eq(x->in.method, S("HEAD"))
	        || str_eq(x->in.method, S("OPTIONS")))
		&& pool_path(x->in.path, &id, &rest);
}

static str number(arena *mem, EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;
	ensure(EVP_PKEY_get_bn_param(key, name, &n));
	size_t bytes = (size_t)BN_num_bytes(n);
	char *p = arena_bytes(mem, bytes);
	BN_bn2bin(n, (unsigned char *)p);
	BN_free(n);
	return base64_url(mem, str_of(p, bytes));
}

static void put_key(arena *mem, buf *b, str private_der, str kid)
{
	str der;
	ensure(keypair_public(mem, private_der, &der));
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	ensure(key);
	buf_put(b, S("{\"alg\":\"RS256\","));
	idp_json_put(b, S("e"), number(mem, key, OSSL_PKEY_PARAM_RSA_E));
	buf_c(b, ',');
	idp_json_put(b, S("kid"), kid);
	buf_put(b, S(",\"kty\":\"RSA\","));
	idp_json_put(b, S("n"), number(mem, key, OSSL_PKEY_PARAM_RSA_N));
	buf_put(b, S(",\"use\":\"sig\"}"));
	EVP_PKEY_free(key);
}

str idp_jwks(arena *mem, const idp_pool *p)
{
	buf b = buf_in(mem, 2048, 16384);
	buf_put(&b, S("{\"keys\":["));
	put_key(mem, &b, p->IdKey, p->IdKid);
	buf_c(&b, ',');
	put_key(mem, &b, p->AccessKey, p->AccessKid);
	buf_put(&b, S("]}"));
	return buf_str(&b);
}

/* https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC123xyz */
static str keys_of(const txn *tx, arena *mem, str issuer, bool *mine)
{
	size_t at = issuer.n;
	*mine = str_starts(issuer, S("https://cognito-idp."));
	if (!tx)
		return STR_NONE;
	while (at > 0 && issuer.p[at - 1] != '/')
		at--;
	const idp_pool *p = *mine ? cognito_idp_pool_get(tx, mem, str_sub(issuer, at, issuer.n)) : NULL;
	return p && str_eq(issuer, idp_issuer(mem, p)) ? idp_jwks(mem, p) : STR_NONE;
}
JWT_ISSUER(cognito_idp, keys_of);

/* Where the pool is asked about: by its own name, or where the client has found us. */
static str about(arena *mem, const idp_pool *p, const http_exchange *x)
{
	str issuer = idp_issuer(mem, p);
	bool named = str_starts(x->host, S("cognito-idp."));
	str keys = named
		? issuer
		: arena_fmt(mem, "http%s://%.*s/%.*s", x->tls ? "s" : "", STR_ARG(x->host), STR_ARG(p->Id));
	str domain = p->It->Domain.n ? p->It->Domain : STR_NONE;
	str pages = domain.n
		? arena_fmt(mem, "https://%.*s.auth.%.*s.amazoncognito.com", STR_ARG(domain), STR_ARG(p->Region))
		: STR_NONE;
	static const char *const ways[][2] = { { "authorization_endpoint", "authorize" },
		                                   { "token_endpoint", "token" },
		                                   { "userinfo_endpoint", "userInfo" },
		                                   { "revocation_endpoint", "revoke" } };
	buf b = buf_in(mem, 1024, 16384);
	buf_c(&b, '{');
	for (size_t i = 0; pages.n && i < 4; i++) {
		idp_json_put(&b, str_c(ways[i][0]), arena_fmt(mem, "%.*s/oauth2/%s", STR_ARG(pages), ways[i][1]));
		buf_c(&b, ',');
	}
	if (pages.n) {
		idp_json_put(&b, S("end_session_endpoint"), arena_fmt(mem, "%.*s/logout", STR_ARG(pages)));
		buf_c(&b, ',');
	}
	buf_put(&b, S("\"id_token_signing_alg_values_supported\":[\"RS256\"],"));
	idp_json_put(&b, S("issuer"), issuer);
	buf_c(&b, ',');
	idp_json_put(&b, S("jwks_uri"), arena_fmt(mem, "%.*s/.well-known/jwks.json", STR_ARG(keys)));
	buf_put(&b,
	        S(",\"response_types_supported\":[\"code\",\"token\"],\"scopes_supported\":[\"openid\",\"email\","
	          "\"phone\",\"profile\"],\"subject_types_supported\":[\"public\"],"
	          "\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\",\"client_secret_post\"]}"));
	return buf_str(&b);
}

static void serve(http_exchange *x, store *s)
{
	str id, rest;
	wire_message out = { .mem = x->mem, .status = 200 };
	pool_path(x->in.path, &id, &rest);
	const txn *tx = store_read(s);
	const idp_pool *p = cognito_idp_pool_get(tx, x->mem, id);
	store_read_end(s, tx);
	wire_header_add(&out, S("Access-Control-Allow-Origin"), S("*"));
	wire_header_add(&out, S("Content-Type"), S("application/json"));
	wire_header_add(&out, S("Cache-Control"), S("public, max-age=86400"));
	if (!p) {
		out.status = 400;
		buf b = buf_in(x->mem, 256, 32768);
		buf_put(&b, S("{\"__type\":\"ResourceNotFoundException\","));
		idp_json_put(&b, S("message"), arena_fmt(x->mem, "User pool %.*s does not exist.", STR_ARG(id)));
		buf_c(&b, '}');
		out.body = buf_str(&b);
	} else {
		out.body = str_eq(rest, KEYS) ? idp_jwks(x->mem, p) : about(x->mem, p, x);
	}
	http_reply(x, &out, NULL);
}
PLANE(cognito_idp_keys, match, serve);
