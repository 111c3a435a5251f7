#include "base/text.h"
#include "base/time.h"
#include "base/digest.h"
#include "test/test.h"
#include "wire/sigv4.h"

#define EXAMPLE_SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

static void collect(void *context, const char *p, size_t n)
{
	buf_put(context, str_of(p, n));
}

static sigv4 seed(const char *signature, const char *hash)
{
	str h = str_c(hash);
	return (sigv4){
		.form = SIG_HEADER, .access_key = S("AKIAIOSFODNN7EXAMPLE"), .date = S("20130524"),
		.region = S("us-east-1"), .service = S("s3"), .stamp = S("20130524T000000Z"),
		.signature = str_c(signature), .payload_hash = h, .payload_chunked = true,
		.payload_trailer = str_ends(h, S("-TRAILER")),
		.chunks_signed = str_starts(h, S("STREAMING-AWS4-HMAC-SHA256-")),
	};
}

/* Decodes `body` in pieces of `piece` bytes; *got is what came out. */
static err decode(arena *mem, const sigv4 *s, const char *trailer_name, str body, size_t piece, str *got,
                  str *trailer)
{
	buf out = buf_in(mem, 1024, 1 << 20);
	chunked *c = chunked_open(mem, s, EXAMPLE_SECRET, str_c(trailer_name), collect, &out);
	err e = OK;
	for (size_t i = 0; i < body.n && !e; i += piece)
		e = chunked_feed(c, body.p + i, piece < body.n - i ? piece : body.n - i);
	if (!e)
		e = chunked_finish(c, trailer);
	*got = buf_str(&out);
	return e;
}

static void put_chunk(buf *b, size_t n, const char *signature)
{
	buf_fmt(b, "%zx;chunk-signature=%s\r\n", n, signature);
	char *p = n ? buf_room(b, n) : NULL;
	if (p) {
		memset(p, 'a', n);
		b->n += n;
		buf_put(b, S("\r\n"));
	}
}

/* S3's documented example: 66,560 times 'a' in chunks of 64 KiB. */
static str documented(arena *mem, bool trailer)
{
	buf b = buf_in(mem, 70000, 1 << 20);
	put_chunk(&b, 65536, trailer ? "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2" :
				       "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
	put_chunk(&b, 1024, trailer ? "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7" :
				      "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
	put_chunk(&b, 0, trailer ? "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992" :
				   "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
	if (trailer)
		buf_put(&b, S("x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:"
		              "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"));
	buf_put(&b, S("\r\n"));
	return buf_str(&b);
}

#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define SEED_TRAILER "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"

TEST(chunked_signed_documented)
{
	sigv4 s = seed(SEED, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
	str got, trailer;
	for (size_t piece = 1; piece < 100000; piece = piece * 7 + 1) {
		CHECK_OK(decode(mem, &s, NULL, documented(mem, false), piece, &got, &trailer));
		CHECK_I64(got.n, 66560);
		CHECK(!str_is(trailer));
	}
	sigv4 t = seed(SEED_TRAILER, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
	for (size_t piece = 1; piece < 100000; piece = piece * 7 + 1) {
		CHECK_OK(decode(mem, &t, "x-amz-checksum-crc32c", documented(mem, true), piece, &got, &trailer));
		CHECK_I64(got.n, 66560);
		CHECK_STR(trailer, S("sOO8/Q=="));
	}
}

/* Any changed letter of signatures, data or trailer is noticed. */
TEST(chunked_signed_changed)
{
	str got, trailer;
	sigv4 t = seed(SEED_TRAILER, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
	str good = documented(mem, true);
	char *p = arena_bytes(mem, good.n);
	arena *scratch = arena_open(1 << 17);
	for (size_t i = 0; i < good.n; i += i > 100 && i < 65500 ? 3001 : i > 65700 && i < 66500 ? 333 : 1) {
		char c = good.p[i];
		bool text = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
		if (!text)
			continue;
		memcpy(p, good.p, good.n);
		p[i] = c == 'f' ? 'e' : (char)(c ^ 1);
		CHECK(decode(scratch, &t, "x-amz-checksum-crc32c", str_of(p, good.n), 4096, &got, &trailer) != OK);
		arena_reset(scratch);
	}
	/* Cut short anywhere: never whole. The last line end alone may be missing. */
	for (size_t n = 0; n < good.n - 4; n += n > 100 && n < 65500 ? 997 : 1) {
		CHECK(decode(scratch, &t, "x-amz-checksum-crc32c", str_sub(good, 0, n), 65536, &got, &trailer) != OK);
		arena_reset(scratch);
	}
	arena_close(scratch);
}

TEST(chunked_unsigned_trailer)
{
	sigv4 s = seed("", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
	str got, trailer, body = S("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n");
	for (size_t piece = 1; piece <= body.n; piece++) {
		CHECK_OK(decode(mem, &s, "x-amz-checksum-crc32", body, piece, &got, &trailer));
		CHECK_STR(got, S("hello"));
		CHECK_STR(trailer, S("NhCmhg=="));
	}
	err e = decode(mem, &s, "x-amz-checksum-crc32",
	               S("5\r\nhellO\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"), 100, &got, &trailer);
	CHECK(e && e->kind == &sigv4_BadDigest);
	e = decode(mem, &s, "x-amz-checksum-crc32", S("5\r\nhello\r\n0\r\n\r\n"), 100, &got, &trailer);
	CHECK(e && e->kind == &sigv4_MalformedTrailerError);
	e = decode(mem, &s, "x-amz-checksum-crc32", S("5\r\nhello\r\n"), 100, &got, &trailer);
	CHECK(e && e->kind == &sigv4_IncompleteBody);
	e = decode(mem, &s, "x-amz-checksum-xxhash3", body, 100, &got, &trailer);
	CHECK(e && e->kind == &sigv4_InvalidRequest);
	static const char *const bad[] = {
		"", "\r\n", "g\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
		"fffffffffffffffff\r\n", "140000001\r\n", "0\r\nx-amz-checksum-crc32\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(decode(mem, &s, "x-amz-checksum-crc32", str_c(bad[i]), 3, &got, &trailer) != OK);
}

TEST(chunked_every_checksum)
{
	static const struct { const char *name; digest_kind kind; } kinds[] = {
		{ "x-amz-checksum-crc32", DIGEST_CRC32 }, { "x-amz-checksum-crc32c", DIGEST_CRC32C },
		{ "x-amz-checksum-crc64nvme", DIGEST_CRC64NVME }, { "x-amz-checksum-sha1", DIGEST_SHA1 },
		{ "x-amz-checksum-sha256", DIGEST_SHA256 }, { "X-Amz-Checksum-Sha256", DIGEST_SHA256 },
	};
	sigv4 s = seed("", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		digest *d = digest_open(mem, kinds[i].kind);
		digest_add(d, "hello", 5);
		str sum = base64_encode(mem, digest_finish(mem, d)), got, trailer;
		str body = arena_fmt(mem, "3\r\nhel\r\n2\r\nlo\r\n0\r\n%s: %.*s\r\n\r\n", kinds[i].name,
		                     STR_ARG(sum));
		CHECK_OK(decode(mem, &s, kinds[i].name, body, 7, &got, &trailer));
		CHECK_STR(trailer, sum);
	}
}
