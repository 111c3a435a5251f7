#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "wire/sigv4_parts.h"
#include <stdlib.h>

/* Head and target are bounded by the server; encoding triples at worst, twice for the path. */
#define CANONICAL_MAX ((size_t)256 << 10)
#define PARAMETERS_MAX 4096

#define KEYS_CACHED 32
#define SCOPE_BYTES 320

typedef struct cached_key {
	size_t n;                 /* of scope; 0: free */
	char scope[SCOPE_BYTES];  /* access key, date, region, service, secret, each with a NUL behind it */
	unsigned char key[32];
} cached_key;

static __thread cached_key cache[KEYS_CACHED];

static void derive(const sigv4 *s, str secret, unsigned char key[32])
{
	char first[4 + 256];
	size_t n = secret.n < 256 ? secret.n : 256;
	memcpy(first, "AWS4", 4);
	if (n)
		memcpy(first + 4, secret.p, n);
	hmac_sha256(str_of(first, n + 4), s->date, key);
	hmac_sha256(str_of((char *)key, 32), s->region, key);
	hmac_sha256(str_of((char *)key, 32), s->service, key);
	hmac_sha256(str_of((char *)key, 32), S("aws4_request"), key);
}

void sigv4_key(const sigv4 *s, str secret, unsigned char key[32])
{
	char scope[SCOPE_BYTES];
	size_t n = 0;
	const str parts[] = { s->access_key, s->date, s->region, s->service, secret };
	for (size_t i = 0; i < 5; i++) {
		if (parts[i].n >= SCOPE_BYTES - n) {
			derive(s, secret, key);
			return;
		}
		memcpy(scope + n, parts[i].p, parts[i].n);
		n += parts[i].n;
		scope[n++] = 0;
	}
	cached_key *c = &cache[str_hash(str_of(scope, n)) % KEYS_CACHED];
	if (c->n != n || memcmp(c->scope, scope, n) != 0) {
		derive(s, secret, c->key);
		memcpy(c->scope, scope, n);
		c->n = n;
	}
	memcpy(key, c->key, 32);
}

void sigv4_hex32(const unsigned char raw[32], char hex[64])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < 32; i++) {
		hex[2 * i] = digits[raw[i] >> 4];
		hex[2 * i + 1] = digits[raw[i] & 15];
	}
}

void sigv4_put_scope(buf *b, const sigv4 *s)
{
	const str parts[] = { s->date, S("/"), s->region, S("/"), s->service, S("/aws4_request") };
	for (size_t i = 0; i < 6; i++)
		buf_put(b, parts[i]);
}

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || c == '~';
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

static void put_escape(buf *b, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[3] = { '%', digits[c >> 4], digits[c & 15] };
	buf_put(b, str_of(text, 3));
}

/* Encodes once what is on the wire: escapes are escaped again. */
static void put_encoded(buf *b, str s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (unreserved(c) || c == '/')
			continue;
		buf_put(b, str_sub(s, from, i));
		put_escape(b, c);
		from = i + 1;
	}
	buf_put(b, str_sub(s, from, s.n));
}

/* One encoding, however the client wrote it: %7e is ~, + is %2B, %2f stays %2F. */
static void put_recoded(buf *b, str s, bool keep_slash)
{
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		size_t used = 1;
		if (unreserved(c) || (c == '/' && keep_slash))
			continue;
		buf_put(b, str_sub(s, from, i));
		if (c == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
			c = (unsigned char)(hex_digit(s.p[i + 1]) << 4 | hex_digit(s.p[i + 2]));
			used = 3;
		}
		if (unreserved(c))
			buf_c(b, (char)c);
		else
			put_escape(b, c);
		i += used - 1;
		from = i + 1;
	}
	buf_put(b, str_sub(s, from, s.n));
}

/* Without empty segments, "." and ".."; a slash at the end stays. */
static str normalised(arena *a, str path)
{
	if (str_find(path, S("//")) == SIZE_MAX && str_find(path, S("/.")) == SIZE_MAX)
		return path.n ? path : S("/");
	char *p = arena_bytes(a, path.n + 2);
	size_t n = 0;
	bool slash = path.n && path.p[path.n - 1] == '/';
	while (str_is(path)) {
		str part = str_cut(&path, '/');
		if (part.n == 0 || str_eq(part, S(".")))
			continue;
		if (str_eq(part, S(".."))) {
			while (n && p[--n] != '/')
				;
			continue;
		}
		p[n++] = '/';
		memcpy(p + n, part.p, part.n);
		n += part.n;
	}
	if (n == 0 || slash)
		p[n++] = '/';
	return str_of(p, n);
}

typedef struct parameter { str key, value; } parameter;

static int by_key(const void *x, const void *y)
{
	const parameter *a = x, *b = y;
	int c = str_cmp(a->key, b->key);
	return c ? c : str_cmp(a->value, b->value);
}

static str recoded(arena *a, str s)
{
	bool plain = true;
	for (size_t i = 0; i < s.n && plain; i++)
		plain = unreserved((unsigned char)s.p[i]);
	if (plain)
		return s;
	buf b = buf_in(a, s.n * 3, CANONICAL_MAX);
	put_recoded(&b, s, false);
	return buf_str(&b);
}

static void put_query(buf *b, str query, bool presigned)
{
	if (query.n == 0)
		return;
	size_t n = 1, most;
	for (size_t i = 0; i < query.n; i++)
		n += query.p[i] == '&';
	most = n < PARAMETERS_MAX ? n : PARAMETERS_MAX;
	parameter *p = arena_array(b->mem, parameter, most);
	for (n = 0; str_is(query) && n < most;) {
		str value = str_cut(&query, '&'), key = str_cut(&value, '=');
		if ((key.n == 0 && value.n == 0) || (presigned && str_eq(key, S("X-Amz-Signature"))))
			continue;
		p[n++] = (parameter){ recoded(b->mem, key), recoded(b->mem, value) };
	}
	if (n > 1)
		qsort(p, n, sizeof *p, by_key);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_c(b, '&');
		buf_put(b, p[i].key);
		buf_c(b, '=');
		buf_put(b, p[i].value);
	}
}

/* Trimmed, with inner runs of blanks folded into one. */
static void put_folded(buf *b, str s)
{
	size_t from = 0;
	s = str_trim(s);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t')
			continue;
		buf_put(b, str_sub(s, from, i));
		buf_c(b, ' ');
		while (i + 1 < s.n && (s.p[i + 1] == ' ' || s.p[i + 1] == '\t'))
			i++;
		from = i + 1;
	}
	buf_put(b, str_sub(s, from, s.n));
}

static void put_headers(buf *b, const sigv4 *s, const wire_message *m, str host)
{
	str names = s->signed_headers;
	while (str_is(names) && !b->full) {
		str name = str_cut(&names, ';');
		bool first = true;
		buf_put(b, name);
		buf_c(b, ':');
		if (str_eq(name, S("host"))) {
			put_folded(b, host);
			first = false;
		}
		for (size_t i = 0; i < m->n_headers && !str_eq(name, S("host")); i++) {
			if (!str_eq_nocase(m->headers[i].name, name))
				continue;
			if (!first)
				buf_c(b, ',');
			first = false;
			put_folded(b, m->headers[i].value);
		}
		buf_c(b, '\n');
	}
}

static str payload_of(const sigv4 *s, str body_hash)
{
	if (!sigv4_is_s3(s->service))
		return body_hash;
	return s->form == SIG_QUERY && !str_is(s->payload_hash) ? S("UNSIGNED-PAYLOAD") : s->payload_hash;
}

static buf canonical_request(arena *a, const sigv4 *s, const wire_message *m, str host, str body_hash)
{
	buf b = buf_in(a, 1024 + m->path.n * 3 + m->query.n, CANONICAL_MAX);
	buf_put(&b, m->method);
	buf_c(&b, '\n');
	if (sigv4_is_s3(s->service))
		put_recoded(&b, m->path.n ? m->path : S("/"), true);
	else
		put_encoded(&b, normalised(a, m->path));
	buf_c(&b, '\n');
	put_query(&b, m->query, s->form == SIG_QUERY);
	buf_c(&b, '\n');
	put_headers(&b, s, m, host);
	buf_c(&b, '\n');
	buf_put(&b, s->signed_headers);
	buf_c(&b, '\n');
	buf_put(&b, payload_of(s, body_hash));
	return b;
}

static str to_sign(arena *a, const sigv4 *s, str canonical)
{
	unsigned char raw[32];
	char hex[64];
	buf b = buf_in(a, 256, 4096);
	sha256(canonical, raw);
	sigv4_hex32(raw, hex);
	buf_put(&b, S("AWS4-HMAC-SHA256\n"));
	buf_put(&b, s->stamp);
	buf_c(&b, '\n');
	sigv4_put_scope(&b, s);
	buf_c(&b, '\n');
	buf_put(&b, str_of(hex, sizeof hex));
	return buf_str(&b);
}

static void sign(const sigv4 *s, str secret, str string_to_sign, char hex[64])
{
	unsigned char key[32], raw[32];
	sigv4_key(s, secret, key);
	hmac_sha256(str_of((char *)key, 32), string_to_sign, raw);
	sigv4_hex32(raw, hex);
}

static bool is_signed(str names, str name)
{
	while (str_is(names))
		if (str_eq_nocase(str_cut(&names, ';'), name))
			return true;
	return false;
}

/* AWS: host and every x-amz- header that is sent must be signed. */
static bool covers(const sigv4 *s, const wire_message *m)
{
	if (!is_signed(s->signed_headers, S("host")))
		return false;
	for (size_t i = 0; i < m->n_headers; i++) {
		str name = m->headers[i].name;
		if (name.n > 6 && str_eq_nocase(str_sub(name, 0, 6), S("x-amz-")) &&
		    !is_signed(s->signed_headers, name))
			return false;
	}
	return true;
}

sigv4_verdict sigv4_timely(const sigv4 *s, int64_t now)
{
	if (s->form == SIG_V2_QUERY)
		return now > s->expires_ms ? SIG_EXPIRED : SIG_OK;
	if (s->form == SIG_QUERY) {
		if (now > s->expires_ms)
			return SIG_EXPIRED;
		return s->when > now + SIGV4_SKEW_MS ? SIG_SKEWED : SIG_OK;
	}
	return now > s->when + SIGV4_SKEW_MS || now < s->when - SIGV4_SKEW_MS ? SIG_SKEWED : SIG_OK;
}

sigv4_verdict sigv4_verify(arena *a, const sigv4 *s, const wire_message *m, str host, str secret,
                           str body_hash, int64_t now, str *string_to_sign, str *canonical)
{
	*string_to_sign = *canonical = STR_NONE;
	if (s->form == SIG_NONE)
		return SIG_MISMATCH;
	if (s->form == SIG_V2_QUERY)
		return sigv4_verify_v2(a, s, m, host, secret, now, string_to_sign);
	sigv4_verdict verdict = sigv4_timely(s, now);
	if (verdict != SIG_OK)
		return verdict;
	if (!covers(s, m))
		return SIG_UNSIGNED_HEADER;

	buf b = canonical_request(a, s, m, host, body_hash);
	if (b.full)
		return SIG_MISMATCH;
	char expected[64];
	*canonical = buf_str(&b);
	*string_to_sign = to_sign(a, s, *canonical);
	sign(s, secret, *string_to_sign, expected);
	return secret_eq(s->signature, str_of(expected, sizeof expected)) ? SIG_OK : SIG_MISMATCH;
}

/* Every header is signed but those that hops on the way may change. */
static bool signable(str name)
{
	static const char *const never[] = {
		"authorization", "connection", "content-length", "expect", "transfer-encoding", "user-agent",
	};
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (str_eq_nocase(name, str_c(never[i])))
			return false;
	return true;
}

static int by_text(const void *x, const void *y)
{
	return str_cmp(*(const str *)x, *(const str *)y);
}

static str names_to_sign(const wire_message *m)
{
	str *names = arena_array(m->mem, str, m->n_headers + 1);
	size_t n = 0;
	names[n++] = S("host");
	for (size_t i = 0; i < m->n_headers; i++)
		if (signable(m->headers[i].name) && !str_eq_nocase(m->headers[i].name, S("host")))
			names[n++] = arena_lower(m->mem, m->headers[i].name);
	qsort(names, n, sizeof *names, by_text);
	buf b = buf_in(m->mem, 128, CANONICAL_MAX);
	for (size_t i = 0; i < n; i++) {
		if (i && str_eq(names[i], names[i - 1]))
			continue;
		if (i)
			buf_c(&b, ';');
		buf_put(&b, names[i]);
	}
	return buf_str(&b);
}

void sigv4_sign(wire_message *m, str host, str access_key, str secret, str token, str region,
                str signing_name, int64_t now)
{
	str stamp = time_basic(m->mem, now), hash = sha256_hex(m->mem, m->body);
	wire_header_add(m, S("X-Amz-Date"), stamp);
	wire_header_add(m, S("X-Amz-Content-Sha256"), hash);
	if (token.n)
		wire_header_add(m, S("X-Amz-Security-Token"), token);
	sigv4 s = { .form = SIG_HEADER, .access_key = access_key, .date = str_sub(stamp, 0, 8),
		    .region = region, .service = signing_name, .stamp = stamp, .payload_hash = hash };
	s.signed_headers = names_to_sign(m);
	buf canonical = canonical_request(m->mem, &s, m, host, hash);
	char signature[64];
	sign(&s, secret, to_sign(m->mem, &s, buf_str(&canonical)), signature);

	buf b = buf_in(m->mem, 512, CANONICAL_MAX);
	buf_put(&b, S("AWS4-HMAC-SHA256 Credential="));
	buf_put(&b, access_key);
	buf_c(&b, '/');
	sigv4_put_scope(&b, &s);
	buf_put(&b, S(", SignedHeaders="));
	buf_put(&b, s.signed_headers);
	buf_put(&b, S(", Signature="));
	buf_put(&b, str_of(signature, sizeof signature));
	wire_header_add(m, S("Authorization"), buf_str(&b));
}
