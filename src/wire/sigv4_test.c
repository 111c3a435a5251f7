#include "wire/sigv4.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "test/test.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct vector {
	str name, at, key, secret, host;
	wire_message m;
} vector;

static str read_whole(arena *mem, const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return STR_NONE;
	buf b = buf_in(mem, 1 << 16, (size_t)256 << 20);
	size_t n;
	do {
		char *p = buf_room(&b, 1 << 16);
		n = p ? fread(p, 1, 1 << 16, f) : 0;
		b.n += n;
	} while (n);
	fclose(f);
	return buf_str(&b);
}

/* The next case of the file; false at its end. See test/wire/sigv4-vectors for the form. */
static bool next_vector(arena *mem, str *rest, vector *v)
{
	bool any = false;
	*v = (vector){ .m = { .mem = mem } };
	while (str_is(*rest)) {
		str line = str_cut(rest, '\n');
		if (line.n == 0 && any)
			return true;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		str key = str_cut(&line, ' ');
		if (str_eq(key, S("header"))) {
			str name = str_cut(&line, ' ');
			wire_header_add(&v->m, name, percent_decode(mem, line, false));
			continue;
		}
		str value = percent_decode(mem, line, false);
		const struct { str key; str *field; } fields[] = {
			{ S("name"), &v->name }, { S("at"), &v->at }, { S("key"), &v->key },
			{ S("secret"), &v->secret }, { S("method"), &v->m.method },
			{ S("path"), &v->m.path }, { S("query"), &v->m.query }, { S("host"), &v->host },
			{ S("body"), &v->m.body },
		};
		for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
			if (str_eq(key, fields[i].key))
				*fields[i].field = value;
		any = true;
	}
	return any;
}

/* As a server would: whose key is it, and is the signature that key's? */
static bool accepted(arena *mem, const vector *v)
{
	sigv4 s;
	int64_t now;
	str to_sign, canonical;
	if (!time_parse(v->at, &now) || sigv4_parse(&v->m, v->host, &s) != OK ||
	    !str_eq(s.access_key, v->key))
		return false;
	str body_hash = sha256_hex(mem, v->m.body);
	if (str_is(s.payload_hash) && str_eq(s.service, S("s3")) && s.payload_hash.n == 64 &&
	    !str_eq(body_hash, s.payload_hash))
		return false;
	return sigv4_verify(mem, &s, &v->m, v->host, v->secret, body_hash, now, &to_sign, &canonical) == SIG_OK;
}

/* Changes one letter or digit of *field at a time: no change may be accepted. */
static void reject_changes(arena *scratch, vector *v, str *field, const char *what)
{
	str before = *field;
	char *changed = arena_bytes(v->m.mem, before.n + 1);
	for (size_t i = 0; i < before.n; i++) {
		char c = before.p[i];
		bool digit = c >= '0' && c <= '9', letter = (c | 32) >= 'a' && (c | 32) <= 'z';
		if (!digit && !letter)
			continue;
		memcpy(changed, before.p, before.n);
		changed[i] = c == '9' ? '0' : (c | 32) == 'z' ? (char)(c - 25) : (char)(c + 1);
		*field = str_of(changed, before.n);
		v->m.mem = scratch;
		bool let_in = accepted(scratch, v);
		arena_reset(scratch);
		if (let_in)
			test_failed(__FILE__, __LINE__, "%.*s: accepted with byte %zu of the %s changed: %.*s",
			            STR_ARG(v->name), i, what, STR_ARG(*field));
	}
	*field = before;
}

static void check_vector(arena *scratch, vector *v)
{
	arena *mem = v->m.mem;
	sigv4 s;
	if (!accepted(mem, v)) {
		str to_sign = STR_NONE, canonical = STR_NONE;
		int64_t now = 0;
		err e = sigv4_parse(&v->m, v->host, &s);
		time_parse(v->at, &now);
		if (!e)
			sigv4_verify(mem, &s, &v->m, v->host, v->secret, sha256_hex(mem, v->m.body), now,
			             &to_sign, &canonical);
		test_failed(__FILE__, __LINE__, "%.*s refused: %s\n%.*s\n%.*s", STR_ARG(v->name),
		            e ? e->message.p : "", STR_ARG(canonical), STR_ARG(to_sign));
	}
	CHECK_OK(sigv4_parse(&v->m, v->host, &s));
	reject_changes(scratch, v, &v->m.method, "method");
	v->m.mem = mem;
	if (!str_starts(v->name, S("suite/normalize-path/"))) /* a/.. and b/.. mean the same */
		reject_changes(scratch, v, &v->m.path, "path");
	v->m.mem = mem;
	reject_changes(scratch, v, &v->secret, "secret");
	v->m.mem = mem;
	if (s.form != SIG_V2_QUERY || str_find(v->host, S(".s3.")) != SIZE_MAX) {
		reject_changes(scratch, v, &v->m.query, "query");
		v->m.mem = mem;
	}
	if (s.form == SIG_HEADER || !str_eq(s.service, S("s3"))) {
		reject_changes(scratch, v, &v->m.body, "body");
		v->m.mem = mem;
	}
	for (size_t i = 0; i < v->m.n_headers; i++) {
		str signed_names = s.signed_headers;
		bool counts = str_eq_nocase(v->m.headers[i].name, S("authorization"));
		while (str_is(signed_names) && !counts)
			counts = str_eq_nocase(str_cut(&signed_names, ';'), v->m.headers[i].name);
		if (counts)
			reject_changes(scratch, v, &v->m.headers[i].value, "header");
		v->m.mem = mem;
	}
}

static int check_file(const char *path)
{
	arena *file = arena_open(1 << 20), *mem = arena_open(1 << 16), *scratch = arena_open(1 << 16);
	str rest = read_whole(file, path);
	vector v;
	int n = 0;
	if (!str_is(rest))
		test_failed(__FILE__, __LINE__, "cannot read %s", path);
	for (; next_vector(mem, &rest, &v); n++) {
		check_vector(scratch, &v);
		arena_reset(mem);
	}
	arena_close(scratch);
	arena_close(mem);
	arena_close(file);
	return n;
}

TEST(sigv4_botocore_signs_and_we_verify)
{
	CHECK(check_file("test/wire/sigv4.txt") >= 100);
	const char *more = getenv("FARTHING_SIGV4_VECTORS");
	if (more)
		printf("%s: %d requests\n", more, check_file(more));
}

static wire_message request(arena *mem, const char *method, const char *path, const char *query,
                            const char *const *headers)
{
	wire_message m = { .mem = mem, .method = str_c(method), .path = str_c(path),
		           .query = str_c(query) };
	for (size_t i = 0; headers && headers[i]; i += 2)
		wire_header_add(&m, str_c(headers[i]), str_c(headers[i + 1]));
	return m;
}

#define AKID "AKIAIOSFODNN7EXAMPLE"
#define EXAMPLE_SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#define EXAMPLE_SCOPE AKID "/20130524/us-east-1/s3/aws4_request"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static sigv4_verdict verdict_of(arena *mem, const wire_message *m, const char *host, const char *at,
                                sigv4 *s)
{
	int64_t now;
	str to_sign, canonical;
	CHECK(time_parse(str_c(at), &now));
	CHECK_OK(sigv4_parse(m, str_c(host), s));
	return sigv4_verify(mem, s, m, str_c(host), EXAMPLE_SECRET, sha256_hex(mem, m->body), now, &to_sign,
	                    &canonical);
}

/* The examples in S3's own documentation of header and query signatures. */
TEST(sigv4_s3_documented)
{
	sigv4 s;
	const char *get[] = {
		"Authorization", "AWS4-HMAC-SHA256 Credential=" EXAMPLE_SCOPE
		",SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		"Range", "bytes=0-9", "x-amz-date", "20130524T000000Z", "x-amz-content-sha256", EMPTY_HASH, NULL
	};
	wire_message m = request(mem, "GET", "/test.txt", NULL, get);
	CHECK(verdict_of(mem, &m, "examplebucket.s3.amazonaws.com", "20130524T000000Z", &s) == SIG_OK);

	const char *put[] = {
		"Authorization", "AWS4-HMAC-SHA256 Credential=" EXAMPLE_SCOPE
		",SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
		"Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		"Date", "Fri, 24 May 2013 00:00:00 GMT", "x-amz-date", "20130524T000000Z",
		"x-amz-storage-class", "REDUCED_REDUNDANCY", "x-amz-content-sha256",
		"44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", NULL
	};
	m = request(mem, "PUT", "/test%24file.text", NULL, put);
	m.body = S("Welcome to Amazon S3.");
	CHECK(verdict_of(mem, &m, "examplebucket.s3.amazonaws.com", "20130524T000000Z", &s) == SIG_OK);

	const char *list[] = {
		"Authorization", "AWS4-HMAC-SHA256 Credential=" EXAMPLE_SCOPE
		",SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
		"Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		"x-amz-date", "20130524T000000Z", "x-amz-content-sha256", EMPTY_HASH, NULL
	};
	m = request(mem, "GET", "/", "max-keys=2&prefix=J", list);
	CHECK(verdict_of(mem, &m, "examplebucket.s3.amazonaws.com", "20130524T000000Z", &s) == SIG_OK);

	const char *query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" AKID
			    "%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
			    "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
			    "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
	m = request(mem, "GET", "/test.txt", query, NULL);
	const char *host = "examplebucket.s3.amazonaws.com";
	CHECK(verdict_of(mem, &m, host, "20130524T000000Z", &s) == SIG_OK);
	CHECK(s.form == SIG_QUERY && s.expires_ms - s.when == 86400 * MS_SECOND);
	CHECK(verdict_of(mem, &m, host, "20130524T235959Z", &s) == SIG_OK);
	CHECK(verdict_of(mem, &m, host, "20130525T000001Z", &s) == SIG_EXPIRED);
	CHECK(verdict_of(mem, &m, host, "20130523T234459Z", &s) == SIG_SKEWED);
}

TEST(sigv4_skew_and_unsigned_headers)
{
	sigv4 s;
	const char *get[] = {
		"Authorization", "AWS4-HMAC-SHA256 Credential=" EXAMPLE_SCOPE
		",SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
		"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		"Range", "bytes=0-9", "x-amz-date", "20130524T000000Z", "x-amz-content-sha256", EMPTY_HASH, NULL
	};
	const char *host = "examplebucket.s3.amazonaws.com";
	wire_message m = request(mem, "GET", "/test.txt", NULL, get);
	CHECK(verdict_of(mem, &m, host, "20130524T001500Z", &s) == SIG_OK);
	CHECK(verdict_of(mem, &m, host, "20130524T001501Z", &s) == SIG_SKEWED);
	CHECK(verdict_of(mem, &m, host, "20130523T234459Z", &s) == SIG_SKEWED);
	wire_header_add(&m, S("User-Agent"), S("anything"));
	CHECK(verdict_of(mem, &m, host, "20130524T000000Z", &s) == SIG_OK);
	wire_header_add(&m, S("X-Amz-Acl"), S("public-read"));
	CHECK(verdict_of(mem, &m, host, "20130524T000000Z", &s) == SIG_UNSIGNED_HEADER);
	/* A second value for a signed header is part of what was signed. */
	m = request(mem, "GET", "/test.txt", NULL, get);
	wire_header_add(&m, S("Range"), S("bytes=10-"));
	CHECK(verdict_of(mem, &m, host, "20130524T000000Z", &s) == SIG_MISMATCH);
}

TEST(sigv4_malformed)
{
	static const struct { const char *query, *authorization; const fault_kind *kind; } bad[] = {
		{ NULL, "AWS4-HMAC-SHA256", &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 ", &sigv4_IncompleteSignature },
		{ NULL, "Bearer abc", &sigv4_IncompleteSignature },
		{ NULL, "", &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 Credential=a/b/c", &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 Credential=A/20130524/r/iam/aws4_request,SignedHeaders=host",
		  &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 Credential=A/20130524/r/iam/aws4_request,SignedHeaders=,Signature=a",
		  &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 Credential=A/20130525/r/iam/aws4_request,SignedHeaders=h,Signature=a",
		  &sigv4_IncompleteSignature },
		{ NULL, "AWS4-HMAC-SHA256 Credential=A/20130525/r/s3/aws4_request,SignedHeaders=h,Signature=a",
		  &sigv4_AuthorizationHeaderMalformed },
		{ NULL, "AWS4-HMAC-SHA256 Credential=A/20130524/r/s3/aws4_request,SignedHeaders=h,Signature=a",
		  &sigv4_InvalidRequest },
		{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=x", NULL, &sigv4_IncompleteSignature },
		{ "X-Amz-Algorithm=x&X-Amz-Credential=A%2F20130524%2Fr%2Fs3%2Faws4_request", NULL,
		  &sigv4_AuthorizationQueryParametersError },
		{ "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20130524%2Fr%2Fs3%2Faws4_request"
		  "&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=b&X-Amz-Expires=604801",
		  NULL, &sigv4_AuthorizationQueryParametersError },
		{ "X-Amz-Algorithm=AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 x", &sigv4_InvalidArgument },
		{ "AWSAccessKeyId=A&Signature=b", NULL, &sigv4_AccessDenied },
		{ "AWSAccessKeyId=A&Signature=b&Expires=99999999999999999999", NULL, &sigv4_InvalidArgument },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *headers[] = { "x-amz-date", "20130524T000000Z", "Authorization",
			                  bad[i].authorization, NULL };
		if (!bad[i].authorization)
			headers[2] = NULL;
		wire_message m = request(mem, "GET", "/", bad[i].query, headers);
		sigv4 s;
		err e = sigv4_parse(&m, S("h"), &s);
		if (!e || e->kind != bad[i].kind)
			test_failed(__FILE__, __LINE__, "case %zu: %s", i, e ? e->kind->name : "accepted");
		CHECK(s.form == SIG_NONE && e->message.n);
	}
	wire_message plain = request(mem, "GET", "/", "Action=GetUser", NULL);
	sigv4 s;
	CHECK_OK(sigv4_parse(&plain, S("h"), &s));
	CHECK(s.form == SIG_NONE);
}

TEST(sigv4_signs_what_it_verifies)
{
	for (int i = 0; i < 2; i++) {
		wire_message m = request(mem, "POST", "/a b/%7e%2f/\xc3\xbc", "b=2&a=1&a=%20", NULL);
		int64_t now;
		sigv4 s;
		m.body = S("some bytes");
		CHECK(time_parse(S("20130524T000000Z"), &now));
		wire_header_add(&m, S("Content-Type"), S("text/plain"));
		sigv4_sign(&m, S("localhost:4566"), S(AKID), EXAMPLE_SECRET, i ? S("token") : STR_NONE,
		           S("eu-central-1"), i ? S("s3") : S("lambda"), now);
		CHECK(verdict_of(mem, &m, "localhost:4566", "20130524T000000Z", &s) == SIG_OK);
		CHECK_STR(s.access_key, S(AKID));
		CHECK_STR(s.region, S("eu-central-1"));
		CHECK(!i || str_eq(s.token, S("token")));
		CHECK(verdict_of(mem, &m, "localhost:4567", "20130524T000000Z", &s) == SIG_MISMATCH);
	}
}
