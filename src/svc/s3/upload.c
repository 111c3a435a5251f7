#include "upload.h"
#include "base/text.h"
#include "bucket.h"
#include "cloud/auth.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define WRITE_BACK ((int64_t)8 << 20)

/* The arena ends: what has not become an object's is removed. */
static void upload_end(void *subject)
{
	upload *u = subject;
	if (u->fd < 0)
		return;
	close(u->fd);
	u->fd = -1;
	if (!u->kept)
		content_discard(u->rq->mem, u->id);
}

static bool stop_at(upload *u, err why)
{
	if (!u->fault)
		u->fault = why;
	return false;
}

static bool to_file(upload *u, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t put = write(u->fd, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return stop_at(u, content_fault(u->rq->mem, errno, "write"));
		p += put;
		n -= (size_t)put;
	}
	/* The disk works while the client sends: little is left to do for the sync at the end. */
	if (u->size - u->written_back >= WRITE_BACK) {
		sync_file_range(u->fd, u->written_back, u->size - u->written_back, SYNC_FILE_RANGE_WRITE);
		u->written_back = u->size;
	}
	return true;
}

static bool open_file(upload *u, size_t held)
{
	err why = OK;
	u->fd = content_create(u->rq->mem, &u->id, &why);
	if (u->fd < 0)
		return stop_at(u, why);
	return held == 0 || to_file(u, u->held, held);
}

static bool take(upload *u, const char *p, size_t n)
{
	if (u->fault)
		return false;
	if (u->declared >= 0 && (int64_t)n > u->declared - u->size)
		return stop_at(u, fail(u->rq, &fault_IncompleteBody, "The request body is larger than the number of "
		                                                     "bytes specified in the headers"));
	digest_add(u->md5, p, n);
	if (u->sha256)
		digest_add(u->sha256, p, n);
	digest_add(u->check, p, n);
	size_t before = (size_t)u->size;
	u->size += (int64_t)n;
	if (u->fd < 0 && u->size <= S3_INLINE_BYTES) {
		memcpy(u->held + before, p, n);
		return true;
	}
	if (u->fd < 0 && !open_file(u, before))
		return false;
	return to_file(u, p, n);
}

static void decoded(void *context, const char *p, size_t n)
{
	take(context, p, n);
}

static bool sink_write(http_sink *sink, const char *p, size_t n)
{
	upload *u = sink->context;
	if (u->frames) {
		err e = chunked_feed(u->frames, p, n);
		if (e)
			stop_at(u, e);
		return u->fault == OK;
	}
	return take(u, p, n);
}

static upload *make(req *rq, const checksum_kind *kind)
{
	upload *u = arena_new(rq->mem, upload);
	*u = (upload){ .rq = rq, .fd = -1, .declared = -1, .kind = kind,
		       .sink = { .write = sink_write, .context = u } };
	u->md5 = digest_open(rq->mem, DIGEST_MD5);
	u->check = digest_open(rq->mem, kind->digest);
	arena_hook(rq->mem, upload_end, u);
	return u;
}

/* Which checksum the client sends or wants; *kind stays when it says nothing. */
static err choose(req *rq, const checksum_kind **kind, str *expected, bool *named)
{
	const wire_message *m = rq->http;
	size_t several = 0;
	for (size_t i = 0; i < m->n_headers; i++) {
		const checksum_kind *k = checksum_headed(m->headers[i].name);
		if (!k)
			continue;
		*kind = k;
		*expected = str_trim(m->headers[i].value);
		several++;
	}
	if (several > 1)
		return fail(rq, &fault_InvalidRequest, "Expecting a single x-amz-checksum- header. Multiple "
		                                       "checksum Types are not allowed.");
	str trailer = wire_header(m, S("x-amz-trailer")),
	    said = wire_header(m, S("x-amz-sdk-checksum-algorithm"));
	*named = several || str_is(trailer) || said.n;
	if (several) {
		str raw;
		if (!base64_decode(rq->mem, *expected, &raw) || raw.n != (*kind)->bytes)
			return fail(rq, &fault_InvalidRequest, "Value for %s header is invalid.", (*kind)->header);
		return OK;
	}
	if (str_is(trailer))
		*kind = checksum_headed(str_trim(trailer));
	else if (said.n)
		*kind = checksum_named(said);
	if (!*kind)
		return fail(rq, &fault_NotImplemented, "Farthing does not compute the checksum %.*s.",
		            STR_ARG(str_is(trailer) ? trailer : said));
	return OK;
}

err upload_open(req *rq, const sigv4 *sig, int64_t declared, const checksum_kind *usual, http_sink **sink)
{
	const checksum_kind *kind = usual ? usual : checksum_default;
	str expected = STR_NONE;
	bool named = false;
	TRY(choose(rq, &kind, &expected, &named));
	upload *u = make(rq, kind);
	u->sig = sig;
	u->kind_named = named;
	u->expected = expected;
	u->held = arena_bytes(rq->mem, S3_INLINE_BYTES);
	u->declared = declared;
	if (sig->payload_chunked) {
		str length = wire_header(rq->http, S("x-amz-decoded-content-length"));
		if (!str_to_i64(length, &u->declared) || u->declared < 0)
			return fail(rq, &fault_MissingContentLength,
			            "You must provide the Content-Length HTTP header.");
		u->frames = auth_chunked(rq, sig, decoded, u);
	} else if (sig->payload_hash.n == 64) {
		u->sha256 = digest_open(rq->mem, DIGEST_SHA256);
	}
	rq->upload = u;
	*sink = &u->sink;
	return OK;
}

err upload_of(req *rq, str body, const checksum_kind *kind, upload **out)
{
	upload *u = make(rq, kind ? kind : checksum_default);
	u->held = arena_bytes(rq->mem, S3_INLINE_BYTES);
	u->kind_named = kind != NULL;
	if (body.n)
		take(u, body.p, body.n);
	*out = u;
	return u->fault;
}

static err check_md5(req *rq, str raw)
{
	str said = rq->http ? wire_header(rq->http, S("content-md5")) : STR_NONE, want;
	if (!str_is(said))
		return OK;
	if (!base64_decode(rq->mem, said, &want) || want.n != 16)
		return fail(rq, &fault_InvalidDigest, "The Content-MD5 you specified was invalid.");
	if (str_eq(want, raw))
		return OK;
	return fail_with(rq, &fault_BadDigest,
	                 DETAIL(rq, .ExpectedDigest = said, .CalculatedDigest = base64_encode(rq->mem, raw)),
	                 "The Content-MD5 you specified did not match what we received.");
}

static err check_body(req *rq, upload *u)
{
	if (u->fault)
		return u->fault;
	if (rq->exchange && rq->exchange->body_cut)
		return fail(rq, &fault_RequestTimeout,
		            "Your socket connection to the server was not read from or written to within the timeout "
		            "period. Idle connections will be closed.");
	if (u->frames)
		TRY(chunked_finish(u->frames, &u->trailer));
	if (u->declared >= 0 && u->size != u->declared)
		return fail(rq, &fault_IncompleteBody,
		            "You did not provide the number of bytes specified by the Content-Length HTTP header");
	return OK;
}

void upload_add(void *context, const char *p, size_t n)
{
	upload *u = context;
	digest_add(u->md5, p, n);
	digest_add(u->check, p, n);
	u->size += (int64_t)n;
}

void upload_digests(req *rq, upload *u)
{
	u->md5_hex = hex_encode(rq->mem, digest_finish(rq->mem, u->md5));
	u->checksum = base64_encode(rq->mem, digest_finish(rq->mem, u->check));
}

static err check_digests(req *rq, upload *u)
{
	str md5 = S("");
	upload_digests(rq, u);
	hex_decode(rq->mem, u->md5_hex, &md5);
	TRY(check_md5(rq, md5));
	if (u->sha256 &&
	    !str_eq(hex_encode(rq->mem, digest_finish(rq->mem, u->sha256)), u->sig->payload_hash))
		return fail(rq, &fault_XAmzContentSHA256Mismatch,
		            "The provided 'x-amz-content-sha256' header does not match what was computed.");
	str expected = u->trailer.n ? u->trailer : u->expected;
	if (expected.n && !str_eq(expected, u->checksum))
		return fail(rq, &fault_BadDigest, "The %s you specified did not match the calculated checksum.",
		            u->kind->name);
	return OK;
}

err upload_finish(req *rq, upload *u, content *c, str *small)
{
	TRY(check_body(rq, u));
	TRY(check_digests(rq, u));
	*small = S("");
	*c = (content){ .Size = I64(u->size) };
	if (u->fd < 0) {
		*small = str_of(u->held, (size_t)u->size);
		c->Row = BOOL(true);
		content_name(rq->mem, c);
		return OK;
	}
	c->Id = u->id;
	TRY(content_keep(rq->mem, u->fd, u->id));
	u->kept = true;
	return OK;
}

void upload_drop(req *rq, upload *u)
{
	if (u->kept)
		content_discard(rq->mem, u->id);
	u->kept = false;
}
