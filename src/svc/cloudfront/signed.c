#include "signed.h"
#include "base/json.h"
#include "base/keypair.h"
#include "base/text.h"
#include "base/time.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

bool cf_pem_key(arena *mem, str pem, str *der)
{
	unsigned char *p = NULL;
	char group[32] = "";
	size_t n = 0;
	BIO *b = BIO_new_mem_buf(pem.p, (int)(pem.n > 16384 ? 0 : pem.n));
	EVP_PKEY *key = b && pem.n && pem.n <= 16384 ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;
	bool rsa = key && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == 2048;
	bool ec = key && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
	          strcmp(group, "prime256v1") == 0;
	int length = rsa || ec ? i2d_PUBKEY(key, &p) : 0;
	*der = length > 0 ? arena_str(mem, str_of((const char *)p, (size_t)length)) : STR_NONE;
	OPENSSL_free(p);
	EVP_PKEY_free(key);
	BIO_free(b);
	return str_is(*der);
}

/* With SHA-1, as AWS's own tools sign, or with SHA-256 where the URL says so. */
static bool verified(arena *mem, str pem, str message, str signature, bool sha256_asked)
{
	str der;
	if (!cf_pem_key(mem, pem, &der))
		return false;
	const unsigned char *p = (const unsigned char *)der.p;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)der.n);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = key && c &&
		EVP_DigestVerifyInit(c, NULL, sha256_asked ? EVP_sha256() : EVP_sha1(), NULL, key) == 1 &&
		EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.n,
		                 (const unsigned char *)message.p, message.n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return ok;
}

typedef struct pass {
	const http_exchange *x;
	arena *mem;
	str expires, policy, signature, key, digest;
	str path, query;
	int64_t now;
} pass;

/* CloudFront's base64 has three characters that are safe in URLs. */
static bool decode(arena *mem, str text, str *out)
{
	char *p = arena_bytes(mem, text.n);
	for (size_t i = 0; i < text.n; i++)
		p[i] = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '=' : text.p[i] == '~' ? '/' : text.p[i];
	return base64_decode(mem, str_of(p, text.n), out);
}

static str *place_of(pass *p, str name, bool cookie)
{
	if (cookie && !str_starts(name, S("CloudFront-")))
		return NULL;
	name = cookie ? str_sub(name, 11, name.n) : name;
	return str_eq(name, S("Expires")) ? &p->expires :
	       str_eq(name, S("Policy")) ? &p->policy :
	       str_eq(name, S("Signature")) ? &p->signature :
	       str_eq(name, S("Key-Pair-Id")) ? &p->key :
	       str_eq(name, S("Hash-Algorithm")) ? &p->digest : NULL;
}

/* Takes the signature's own parameters out of the query. */
static void from_query(pass *p, str query)
{
	buf rest = buf_in(p->mem, query.n + 1, query.n + 1);
	while (str_is(query)) {
		str pair = str_cut(&query, '&'), value = pair, name = str_cut(&value, '=');
		str *to = place_of(p, name, false);
		if (to) {
			*to = percent_decode(p->mem, value, false);
			continue;
		}
		if (rest.n)
			buf_c(&rest, '&');
		buf_put(&rest, pair);
	}
	p->query = rest.n ? buf_str(&rest) : STR_NONE;
}

static void from_cookies(pass *p)
{
	for (size_t i = 0; i < p->x->in.n_headers; i++) {
		str rest = p->x->in.headers[i].value;
		if (!str_eq_nocase(p->x->in.headers[i].name, S("cookie")))
			continue;
		while (str_is(rest)) {
			str value = str_trim(str_cut(&rest, ';')), name = str_cut(&value, '=');
			str *to = place_of(p, name, true);
			if (to)
				*to = value;
		}
	}
}

static str url_of(const pass *p, bool https, bool port)
{
	str host = p->x->host;
	if (!port)
		host = str_sub(host, 0, str_find_char(host, ':'));
	return arena_fmt(p->mem, "%s://%.*s%.*s%s%.*s", https ? "https" : "http", STR_ARG(host), STR_ARG(p->path),
	                 str_is(p->query) ? "?" : "", STR_ARG(p->query));
}

static bool before(const pass *p, const json_value *condition, str name, bool *there)
{
	const json_value *c = json_get(json_get(condition, name), S("AWS:EpochTime"));
	int64_t when = 0;
	*there = c != NULL;
	return c && str_to_i64(c->text, &when) && p->now / MS_SECOND < when;
}

/* An address or a range of version 4. */
static bool from_range(str range, str peer)
{
	uint32_t at[2] = { 0, 0 };
	str rest = range, texts[2] = { str_cut(&rest, '/'), peer };
	int64_t bits = 32;
	if (str_is(rest) && (!str_to_i64(rest, &bits) || bits < 0 || bits > 32))
		return false;
	for (int i = 0; i < 2; i++) {
		int parts = 0;
		str address = texts[i];
		for (; str_is(address); parts++) {
			int64_t n;
			if (!str_to_i64(str_cut(&address, '.'), &n) || n < 0 || n > 255)
				return false;
			at[i] = at[i] << 8 | (uint32_t)n;
		}
		if (parts != 4)
			return false;
	}
	return bits == 0 || (at[0] ^ at[1]) >> (32 - bits) == 0;
}

static bool allows(const pass *p, const json_value *statement)
{
	const json_value *resource = json_get(statement, S("Resource"));
	const json_value *c = json_get(statement, S("Condition"));
	bool match = !resource, there, later;
	for (int i = 0; resource && i < 4 && !match; i++)
		match = str_glob(resource->text, url_of(p, i & 1, i & 2)) ||
		        str_glob(resource->text, str_sub(url_of(p, i & 1, i & 2), i & 1 ? 8 : 7, SIZE_MAX));
	if (!match || !before(p, c, S("DateLessThan"), &there))
		return false;
	if (before(p, c, S("DateGreaterThan"), &later) && later)
		return false;
	const json_value *ip = json_get(json_get(c, S("IpAddress")), S("AWS:SourceIp"));
	return !ip || from_range(ip->text, p->x->peer);
}

static cf_pass custom(const pass *p, str key, str signature)
{
	str text;
	if (!decode(p->mem, p->policy, &text))
		return CF_MALFORMED;
	const json_value *v = json_parse(p->mem, text), *s = json_get(v, S("Statement"));
	if (!s || s->kind != JSON_ARRAY || s->n != 1)
		return CF_MALFORMED;
	bool sha = str_eq(p->digest, S("SHA256"));
	return verified(p->mem, key, text, signature, sha) && allows(p, s->first) ? CF_PASSED : CF_DENIED;
}

static cf_pass canned(const pass *p, str key, str signature)
{
	int64_t when;
	if (!str_to_i64(p->expires, &when))
		return CF_MALFORMED;
	if (p->now / MS_SECOND >= when)
		return CF_DENIED;
	for (int i = 0; i < 4; i++) {
		str text = arena_fmt(p->mem,
		                     "{\"Statement\":[{\"Resource\":\"%.*s\",\"Condition\":{\"DateLessThan\":"
		                     "{\"AWS:EpochTime\":%lld}}}]}",
		                     STR_ARG(url_of(p, i & 1, i & 2)), (long long)when);
		if (verified(p->mem, key, text, signature, str_eq(p->digest, S("SHA256"))))
			return CF_PASSED;
	}
	return CF_DENIED;
}

static str key_named(const pass *p, const txn *tx, const cloudfront_dist *d,
                     const cloudfront_TrustedKeyGroups *groups)
{
	for (size_t i = 0; i < groups->Items.n; i++) {
		cloudfront_thing *g = cf_named(p->mem, tx, d->Account, CF_GROUP, groups->Items.v[i]);
		for (size_t k = 0; g && k < g->Group->Items.n; k++)
			if (str_eq(g->Group->Items.v[k], p->key)) {
				cloudfront_thing *key = cf_named(p->mem, tx, d->Account, CF_KEY, p->key);
				return key ? key->Public->EncodedKey : STR_NONE;
			}
	}
	return STR_NONE;
}

cf_pass cf_signed(const http_exchange *x, const txn *tx, const cloudfront_dist *d,
                  const cloudfront_TrustedKeyGroups *groups, str path, int64_t now, str *query)
{
	pass p = { .x = x, .mem = x->mem, .path = path, .now = now };
	str signature;
	from_query(&p, *query);
	if (!p.key.n && !p.signature.n)
		from_cookies(&p);
	*query = p.query;
	if (!p.key.n)
		return CF_NO_KEY;
	str key = key_named(&p, tx, d, groups);
	if (!str_is(key))
		return CF_UNKNOWN_KEY;
	if (!p.signature.n || !decode(p.mem, p.signature, &signature))
		return CF_MALFORMED;
	return p.policy.n ? custom(&p, key, signature) : canned(&p, key, signature);
}
