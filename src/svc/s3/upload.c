#include "upload.h"
#include "base/text.h"
#include "bucket.h"
#include "cloud/auth.h"

static bool stop_at(upload *u, err why)
{
	if (!u->fault)
		u->fault = why;
	return false;
}

static err to_writer(upload *u, const char *p, size_t n)
{
	digest_add(u->md5, p, n);
	digest_add(u->check, p, n);
	return content_write(&u->to, p, n);
}

static bool take(upload *u, const char *p, size_t n)
{
	if (u->fault)
		return false;
	if (u->declared >= 0 && (int64_t)n > u->declared - u->size)
		return stop_at(u, fail(u->rq, &fault_IncompleteBody, "The request body is larger than the number of "
		                                                     "bytes specified in the headers"));
	u->size += (int64_t)n;
	err e = OK;
	if (!u->behind) {
		e = to_writer(u, p, n);
	} else {
		upload_behind_take(u, p, n);
		e = upload_behind_fault(u);
	}
	return e ? stop_at(u, e) : true;
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

static bool sink_ready(http_sink *sink)
{
	return upload_behind_ready(sink->context);
}

static char *sink_room(http_sink *sink, size_t *n)
{
	upload *u = sink->context;
	return u->frames ? NULL : upload_behind_room(u, n);
}

static upload *make(req *rq, const checksum_kind *kind)
{
	upload *u = arena_new(rq->mem, upload);
	*u = (upload){ .rq = rq, .declared = -1, .kind = kind, .own = rq->mem,
		       .sink = { .write = sink_write, .ready = sink_ready, .room = sink_room, .context = u } };
	u->md5 = digest_open(rq->mem, DIGEST_MD5);
	u->check = digest_open(rq->mem, kind->digest);
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

err upload_open(req *rq, const sigv4 *sig, int64_t declared, const checksum_kind *usual, const seal_key *key,
                http_sink **sink)
{
	const checksum_kind *kind = usual ? usual : checksum_default;
	str expected = STR_NONE;
	bool named = false;
	TRY(choose(rq, &kind, &expected, &named));
	upload *u = make(rq, kind);
	u->sig = sig;
	u->kind_named = named;
	u->expected = expected;
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
	upload_behind_open(u);
	content_write_open(&u->to, u->own, key);
	rq->upload = u;
	*sink = &u->sink;
	return OK;
}

err upload_of(req *rq, str body, const checksum_kind *kind, const seal_key *key, upload **out)
{
	upload *u = make(rq, kind ? kind : checksum_default);
	content_write_open(&u->to, u->own, key);
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
		return fail_with(rq, &fault_InvalidDigest, DETAIL(rq, .ContentMD5 = said),
		                 "The Content-MD5 you specified was invalid.");
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

err upload_add(void *context, const char *p, size_t n)
{
	upload *u = context;
	digest_add(u->md5, p, n);
	digest_add(u->check, p, n);
	u->size += (int64_t)n;
	return OK;
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
	str sha256 = u->sha256 ? hex_encode(rq->mem, digest_finish(rq->mem, u->sha256)) : STR_NONE;
	if (u->sha256 && !str_eq(sha256, u->sig->payload_hash))
		return fail_with(rq, &fault_XAmzContentSHA256Mismatch,
		                 DETAIL(rq, .ClientComputedContentSHA256 = u->sig->payload_hash,
		                        .S3ComputedContentSHA256 = sha256),
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
	if (u->behind)
		TRY(upload_behind_written(u));
	err e = content_write_end(&u->to, c, small);
	if (!e && u->behind)
		upload_behind_digested(u);
	if (!e)
		e = check_digests(rq, u);
	if (e)
		content_write_drop(&u->to);
	return e;
}
