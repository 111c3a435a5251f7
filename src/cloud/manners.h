/*
 * How a service answers requests that never reach a handler, where that differs from all others. S3 does: it
 * has no validation errors, checks a body's digests whatever the operation, and calls a subresource that it
 * does not know a method that is not allowed.
 *
 *     MANNERS(s3, unknown, asked, malformed, finished)
 *
 * Any may be NULL: as everywhere else. They return the fault to answer with; `asked` may return OK. They run
 * on the connection's thread.
 */
#pragma once
#include "cloud/req.h"

typedef struct manners {
	const char *service;
	/* No operation is here, or one that is not implemented (rq->op). */
	err (*unknown)(req *rq);
	/* The caller is known; the input has not been read. A streamed body has not come. */
	err (*asked)(req *rq);
	/* The input could not be read, or is not what the model says. */
	err (*malformed)(req *rq, err why);
	/* The reply has left, or its client has gone. */
	void (*finished)(req *rq, int status, uint64_t sent, err fault);
} manners;
#define MANNERS(service_, unknown_, asked_, malformed_, finished_) \
	static const manners manners_##service_ = { #service_, unknown_, asked_, malformed_, finished_ }; \
	__attribute__((section("farthing_manners"), \
	               used)) static const manners *const manners_entry_##service_ = &manners_##service_
