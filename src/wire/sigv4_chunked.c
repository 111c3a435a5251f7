/*
 * aws-chunked: "hex[;chunk-signature=SIG]\r\n", that many bytes, "\r\n", and so on until a chunk of 0,
 * then trailers and an empty line. Signatures form a chain that begins with the request's.
 */
#include "base/digest.h"
#include "base/text.h"
#include "wire/sigv4_parts.h"
#include <stdio.h>

#define LINE_MAX_BYTES 2048
#define TRAILERS_MAX 8
#define CHUNK_MAX ((uint64_t)5 << 30)
/* AWS: only the last chunk with data may be smaller. */
#define SIGNED_CHUNK_MIN 8192
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

typedef enum state { SIZE, DATA, DATA_END, TRAILER, DONE } state;

struct chunked {
	arena *mem;
	sigv4 sig;
	unsigned char key[32];
	str trailer_name;
	void (*emit)(void *context, const char *p, size_t n);
	void *context;
	state state;
	uint64_t left;            /* of the chunk */
	bool small;               /* a small signed chunk went by */
	char line[LINE_MAX_BYTES];
	size_t line_n;
	char scope[256];
	char previous[64], claimed[64];
	bool checked;             /* signatures are compared, not only read */
	digest *chunk, *trailing; /* NULL when nothing is signed; when there is no checksum */
	const char *algorithm;    /* CRC32, as S3 writes it */
	unsigned trailers;
	bool trailer_signed;
	str trailer;
	err broken;
};

static const struct { const char *name, *title; digest_kind kind; } checksums[] = {
	{ "x-amz-checksum-crc32", "CRC32", DIGEST_CRC32 },
	{ "x-amz-checksum-crc32c", "CRC32C", DIGEST_CRC32C },
	{ "x-amz-checksum-crc64nvme", "CRC64NVME", DIGEST_CRC64NVME },
	{ "x-amz-checksum-sha1", "SHA1", DIGEST_SHA1 },
	{ "x-amz-checksum-sha256", "SHA256", DIGEST_SHA256 },
	{ "x-amz-checksum-sha512", "SHA512", DIGEST_SHA512 },
	{ "x-amz-checksum-md5", "MD5", DIGEST_MD5 },
};

static err incomplete(chunked *c)
{
	return fault_new(c->mem, &sigv4_IncompleteBody, "The request body terminated unexpectedly");
}

static err bad_trailer(chunked *c)
{
	return fault_new(c->mem, &sigv4_MalformedTrailerError,
	                 "The request contained trailing data that was not well-formed or did not conform "
	                 "to our published schema.");
}

static err mismatch(chunked *c)
{
	return fault_new(c->mem, &sigv4_SignatureDoesNotMatch,
	                 "The request signature we calculated does not match the signature you provided. "
	                 "Check your key and signing method.");
}

chunked *chunked_open(arena *a, const sigv4 *s, str secret, str trailer_name,
                      void (*emit)(void *context, const char *p, size_t n), void *context)
{
	chunked *c = arena_new(a, chunked);
	c->mem = a;
	c->sig = *s;
	c->trailer_name = s->payload_trailer ? str_trim(trailer_name) : STR_NONE;
	c->emit = emit;
	c->context = context;
	for (size_t i = 0; i < sizeof checksums / sizeof *checksums; i++)
		if (str_eq_nocase(c->trailer_name, str_c(checksums[i].name))) {
			c->trailing = digest_open(a, checksums[i].kind);
			c->algorithm = checksums[i].title;
		}
	if (c->trailer_name.n && !c->trailing)
		c->broken = fault_new(a, &sigv4_InvalidRequest,
		                      "The value specified in the x-amz-trailer header is not supported");
	if (!s->chunks_signed)
		return c;
	c->checked = str_is(secret);
	if (c->checked)
		sigv4_key(s, secret, c->key);
	c->chunk = digest_open(a, DIGEST_SHA256);
	buf scope = buf_in(a, 256, sizeof c->scope - 1);
	sigv4_put_scope(&scope, s);
	memcpy(c->scope, scope.p, scope.n < sizeof c->scope ? scope.n : 0);
	if (c->checked && (scope.full || s->signature.n != sizeof c->previous))
		c->broken = mismatch(c);
	else if (c->checked)
		memcpy(c->previous, s->signature.p, sizeof c->previous);
	return c;
}

/* `hash` has been made of what is signed; the middle line is the hash of no bytes, absent in trailers. */
static err check_signature(chunked *c, const char *algorithm, const char *middle, str claimed,
                           const unsigned char hash[32])
{
	char text[768], hex[64];
	unsigned char raw[32];
	if (!c->checked)
		return OK;
	sigv4_hex32(hash, hex);
	int n = snprintf(text, sizeof text, "%s\n%.16s\n%s\n%.64s\n%s%.64s", algorithm, c->sig.stamp.p,
	                 c->scope, c->previous, middle, hex);
	if (n < 0 || (size_t)n >= sizeof text)
		return mismatch(c);
	hmac_sha256(str_of((char *)c->key, 32), str_of(text, (size_t)n), raw);
	sigv4_hex32(raw, hex);
	if (!secret_eq(claimed, str_of(hex, sizeof hex)))
		return mismatch(c);
	memcpy(c->previous, hex, sizeof hex);
	return OK;
}

static err chunk_is_over(chunked *c)
{
	unsigned char hash[DIGEST_BYTES_MAX];
	if (!c->chunk)
		return OK;
	digest_finish_to(c->chunk, hash);
	digest_restart(c->chunk);
	return check_signature(c, "AWS4-HMAC-SHA256-PAYLOAD", EMPTY_SHA256 "\n",
	                       str_of(c->claimed, sizeof c->claimed), hash);
}

/* "400;chunk-signature=ad80.." */
static err size_line(chunked *c, str line)
{
	str extension = line, digits = str_cut(&extension, ';');
	uint64_t size = 0;
	digits = str_trim(digits);
	if (digits.n == 0 || digits.n > 15)
		return incomplete(c);
	for (size_t i = 0; i < digits.n; i++) {
		char d = digits.p[i];
		int v = d >= '0' && d <= '9' ? d - '0' :
			(d | 32) >= 'a' && (d | 32) <= 'f' ? (d | 32) - 'a' + 10 : -1;
		if (v < 0)
			return incomplete(c);
		size = size << 4 | (uint64_t)v;
	}
	if (size > CHUNK_MAX)
		return incomplete(c);
	if (c->chunk) {
		str name = str_cut(&extension, '=');
		extension = str_trim(extension);
		if (!str_eq(str_trim(name), S("chunk-signature")) || extension.n != sizeof c->claimed)
			return mismatch(c);
		memcpy(c->claimed, extension.p, sizeof c->claimed);
		if (c->small && size)
			return fault_new(c->mem, &sigv4_InvalidChunkSizeError,
			                 "Only the last chunk is allowed to have a size less than 8192 bytes");
		c->small = size < SIGNED_CHUNK_MIN;
	}
	c->left = size;
	c->state = size ? DATA : TRAILER;
	if (size)
		return OK;
	return chunk_is_over(c);
}

static err end_of_trailers(chunked *c)
{
	c->state = DONE;
	if (!c->trailer_name.n)
		return OK;
	if (!str_is(c->trailer) || (c->chunk && !c->trailer_signed))
		return bad_trailer(c);
	str computed = base64_encode(c->mem, digest_finish(c->mem, c->trailing));
	if (str_eq(computed, c->trailer))
		return OK;
	return fault_new(c->mem, &sigv4_BadDigest,
	                 "The %s you specified did not match the calculated checksum.", c->algorithm);
}

static err trailer_line(chunked *c, str line)
{
	if (line.n == 0) /* some signers leave an empty line between the trailers and their signature */
		return c->chunk && c->trailer_name.n && str_is(c->trailer) && !c->trailer_signed ?
			       OK : end_of_trailers(c);
	if (c->trailers++ == TRAILERS_MAX || c->trailer_signed)
		return bad_trailer(c);
	str value = line, name = str_trim(str_cut(&value, ':'));
	if (!str_is(value))
		return bad_trailer(c);
	value = str_trim(value);
	if (c->chunk && str_eq_nocase(name, S("x-amz-trailer-signature"))) {
		unsigned char hash[DIGEST_BYTES_MAX];
		digest_finish_to(c->chunk, hash);
		c->trailer_signed = true;
		return check_signature(c, "AWS4-HMAC-SHA256-TRAILER", "", value, hash);
	}
	if (c->chunk) {
		digest_add(c->chunk, name.p, name.n);
		digest_add(c->chunk, ":", 1);
		digest_add(c->chunk, value.p, value.n);
		digest_add(c->chunk, "\n", 1);
	}
	if (str_eq_nocase(name, c->trailer_name) && c->trailer_name.n)
		c->trailer = arena_str(c->mem, value);
	return OK;
}

static err whole_line(chunked *c)
{
	str line = str_of(c->line, c->line_n);
	c->line_n = 0;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	switch (c->state) {
	case SIZE:
		return size_line(c, line);
	case DATA_END:
		c->state = SIZE;
		return line.n ? incomplete(c) : OK;
	case TRAILER:
		return trailer_line(c, line);
	default:
		return line.n ? incomplete(c) : OK;
	}
}

static err take_data(chunked *c, const char *p, size_t n)
{
	if (c->chunk)
		digest_add(c->chunk, p, n);
	if (c->trailing)
		digest_add(c->trailing, p, n);
	c->emit(c->context, p, n);
	c->left -= n;
	if (c->left)
		return OK;
	c->state = DATA_END;
	return chunk_is_over(c);
}

static err feed(chunked *c, const char *p, size_t n)
{
	while (n) {
		if (c->state == DATA) {
			size_t now = c->left < n ? (size_t)c->left : n;
			TRY(take_data(c, p, now));
			p += now;
			n -= now;
			continue;
		}
		const char *end = memchr(p, '\n', n);
		size_t piece = end ? (size_t)(end - p) : n;
		if (piece > sizeof c->line - c->line_n)
			return incomplete(c);
		memcpy(c->line + c->line_n, p, piece);
		c->line_n += piece;
		p += piece + (end != NULL);
		n -= piece + (end != NULL);
		if (end)
			TRY(whole_line(c));
	}
	return OK;
}

err chunked_feed(chunked *c, const char *p, size_t n)
{
	if (!c->broken)
		c->broken = feed(c, p, n);
	return c->broken;
}

err chunked_finish(chunked *c, str *trailer)
{
	*trailer = STR_NONE;
	TRY(c->broken);
	/* The very last line end is sometimes left out. */
	if (c->state == TRAILER && c->line_n)
		TRY(whole_line(c));
	if (c->state == TRAILER)
		TRY(end_of_trailers(c));
	if (c->state != DONE)
		return incomplete(c);
	*trailer = c->trailer;
	return OK;
}
