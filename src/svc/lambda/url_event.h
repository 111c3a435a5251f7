/*
 * HTTP to an event of payload format 2.0, and a function's answer back to HTTP. No sockets and no store.
 */
#pragma once
#include "base/buf.h"
#include "wire/http.h"

/* The content type of a streamed answer that begins with status and headers. */
#define PRELUDE_TYPE S("application/vnd.awslambda.http-integration-response")

typedef struct url_caller {
	str account, access_key, arn, user_id; /* of a signed request; account STR_NONE: anonymous */
} url_caller;

typedef struct url_request {
	const http_exchange *x;
	str id, domain, path;  /* the path as the function sees it */
	str request_id, trace_id;
	int64_t now;
	url_caller who;
} url_request;

str url_event(arena *mem, const url_request *r);

/* Fills in status, headers and body. False: the answer has the wrong shape (502). */
bool url_answer(arena *mem, str payload, wire_message *out);
/* A streamed answer: a JSON prelude and eight NULs before the body, or the body alone. */
bool url_streamed(arena *mem, str payload, str content_type, wire_message *out);
