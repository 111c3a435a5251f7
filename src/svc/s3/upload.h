/*
 * A body on its way in: streamed by the dispatcher piece by piece, or whole from inside. What is small stays
 * in memory; the rest goes to a file (content_writer). The connection's thread only receives: other threads
 * write, and compute the digests while the disk syncs (upload_behind.c).
 */
#pragma once
#include "base/digest.h"
#include "checksum.h"
#include "content.h"
#include "wire/http.h"
#include "wire/sigv4.h"

struct upload_behind;

typedef struct upload {
	http_sink sink;
	req *rq;
	const sigv4 *sig;    /* NULL: from inside */
	chunked *frames;     /* aws-chunked bodies */
	arena *own;          /* of the writer, on whichever thread it is */
	content_writer to;
	int64_t size, declared; /* declared < 0: not known */
	err fault;           /* the first; reading goes on no further */
	digest *md5, *sha256, *check;
	struct upload_behind *behind; /* who writes and computes; NULL from inside */
	const checksum_kind *kind;
	bool kind_named;     /* the client asked for this checksum */
	str expected;        /* its checksum, in base64; STR_NONE: in the trailer, or none */
	str trailer;
	str md5_hex, checksum; /* of upload_finish: hexadecimal; base64 */
} upload;

/* A STREAM's open: looks at the headers and makes rq->upload. `usual` is the checksum when they name none;
 * `key` seals the bytes, or is NULL. */
err upload_open(req *rq, const sigv4 *sig, int64_t declared, const checksum_kind *usual, const seal_key *key,
                http_sink **sink);
/* From memory; `kind` NULL: the default. */
err upload_of(req *rq, str body, const checksum_kind *kind, const seal_key *key, upload **out);
/* The body has ended: checks all that was said of it, and makes it durable. On failure nothing is left. */
err upload_finish(req *rq, upload *u, content *c, str *small);
/* Digests alone, of bytes that are elsewhere: an upload of nothing is told them, then asked. */
err upload_add(void *u, const char *p, size_t n);
void upload_digests(req *rq, upload *u);

/* upload_behind.c: blocks of the body on their way to the file and the digests. */
void upload_behind_open(upload *u);
/* On the connection's thread: whether it may receive; where; what came. */
bool upload_behind_ready(upload *u);
char *upload_behind_room(upload *u, size_t *n);
void upload_behind_take(upload *u, const char *p, size_t n);
/* The first fault of writing so far. */
err upload_behind_fault(upload *u);
/* No more will come: all of it is written when this returns, or a fault; then, all is digested. */
err upload_behind_written(upload *u);
void upload_behind_digested(upload *u);
