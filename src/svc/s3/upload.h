/*
 * A body on its way in: streamed by the dispatcher piece by piece, or whole from inside. Small ones stay in
 * memory; what passes S3_INLINE_BYTES goes to a file. Digests are computed as the bytes come, so what is
 * left to do at the end is to compare them, and to sync.
 */
#pragma once
#include "base/digest.h"
#include "checksum.h"
#include "content.h"
#include "wire/http.h"
#include "wire/sigv4.h"

typedef struct upload {
	http_sink sink;
	req *rq;
	const sigv4 *sig;    /* NULL: from inside */
	chunked *frames;     /* aws-chunked bodies */
	char *held;          /* the bytes as long as they are few */
	int fd;              /* or where they are */
	str id;
	bool kept;
	int64_t size, declared; /* declared < 0: not known */
	int64_t written_back;
	err fault;           /* the first; reading goes on no further */
	digest *md5, *sha256, *check;
	const checksum_kind *kind;
	bool kind_named;     /* the client asked for this checksum */
	str expected;        /* its checksum, in base64; STR_NONE: in the trailer, or none */
	str trailer;
	str md5_hex, checksum; /* of upload_finish: hexadecimal; base64 */
} upload;

/* A STREAM's open: looks at the headers and makes rq->upload. `usual` is the checksum when they name none. */
err upload_open(req *rq, const sigv4 *sig, int64_t declared, const checksum_kind *usual, http_sink **sink);
/* From memory; `kind` NULL: the default. */
err upload_of(req *rq, str body, const checksum_kind *kind, upload **out);
/* The body has ended: checks all that was said of it, and makes it durable. On failure nothing is left. */
err upload_finish(req *rq, upload *u, content *c, str *small);
/* Digests alone, of bytes that are elsewhere: an upload of nothing is told them, then asked. */
void upload_add(void *u, const char *p, size_t n);
void upload_digests(req *rq, upload *u);
/* What was finished is not wanted after all. */
void upload_drop(req *rq, upload *u);
