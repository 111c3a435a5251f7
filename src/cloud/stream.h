/*
 * Bodies too large to hold in memory. A service says which of its operations take their body piece by
 * piece; the dispatcher then identifies, authenticates and decodes the request after its head alone, and
 * asks the service where the body goes:
 *
 *     STREAM(s3_put, "s3", "PutObject", upload_open)
 *
 * `open` runs on the connection's thread and must not block. It may refuse, and then the body is not
 * read (an Expect: 100-continue is never answered by 100). It keeps what it needs in rq->upload; what is no
 * memory hangs on rq->mem. The handler (a waiting one) runs when the body has ended, also when it was cut
 * short: rq->exchange->body_cut says so.
 *
 * Called from inside there is no stream: rq->upload is NULL and the body is the input's blob.
 */
#pragma once
#include "cloud/req.h"
#include "wire/http.h"
#include "wire/sigv4.h"

typedef struct stream_kind {
	const char *service, *operation;
	err (*open)(req *rq, const sigv4 *sig, const void *in, http_sink **sink);
} stream_kind;
#define STREAM(id, service_, operation_, open_) \
	static const stream_kind stream_##id = { service_, operation_, open_ }; \
	__attribute__((section("farthing_streams"), used)) \
	static const stream_kind *const stream_entry_##id = &stream_##id
