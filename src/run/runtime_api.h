/*
 * The Lambda Runtime API as bytes: what a runtime asks (HTTP/1.1) and what it is told. No sockets here, so
 * that it can be fuzzed: everything read comes from the function's own code.
 *
 * Limits: head 16 KiB, chunk lines 4 KiB, trailers 64 KiB; bodies are bounded by whoever stores them.
 */
#pragma once
#include "base/buf.h"

#define RAPI_HEAD_MAX 16384

typedef enum rapi_kind {
	RAPI_NEXT, RAPI_RESPONSE, RAPI_ERROR, RAPI_INIT_ERROR,
	RAPI_REGISTER, RAPI_EXTENSION_NEXT, RAPI_EXTENSION_INIT_ERROR, RAPI_EXTENSION_EXIT_ERROR, RAPI_TELEMETRY,
	RAPI_OTHER,
} rapi_kind;

typedef struct rapi_body {
	bool chunked;
	int state;
	uint64_t left;      /* of the body, or of the chunk */
	size_t line;        /* bytes of the current chunk line or of trailers */
	buf *trailers;      /* takes their lines as they come; NULL: they are dropped */
} rapi_body;

typedef struct rapi_request {
	rapi_kind kind;
	str method, path;   /* these and all below point into the bytes given to rapi_head */
	str id;             /* of the invocation in the path */
	str error_type;     /* Lambda-Runtime-Function-Error-Type, or an extension's */
	str extension;      /* Lambda-Extension-Name when it registers, later its identifier */
	str content_type;
	bool streaming;     /* Lambda-Runtime-Function-Response-Mode: streaming */
	bool close, expects_continue;
	rapi_body body;
} rapi_request;

/* Bytes of the head; 0: more is needed; negative: a refusal with that status (-400, -431). */
int rapi_head(str bytes, rapi_request *out);

/*
 * Takes a piece of the body off the bytes at hand: *used of them are done with, *piece is payload among
 * them. 1: the body is complete; 0: call again with the rest; -1: malformed.
 */
int rapi_body_take(rapi_body *b, str bytes, size_t *used, str *piece);

/* A trailer's value, from the lines that were taken; STR_NONE: it is not there. */
str rapi_trailer(str lines, str name);

/* `n` bytes of a body of known length went elsewhere; afterwards the body may be complete. */
void rapi_body_skip(rapi_body *b, size_t n);

/* An event on its way to the runtime. */
typedef struct rapi_event {
	str request_id, arn, trace_id, client_context, cognito_identity;
	int64_t deadline_ms; /* real time, since 1970 */
	str payload;
} rapi_event;
/* The head of the answer to /next; the payload follows it. */
void rapi_put_event(buf *b, const rapi_event *e);
void rapi_put_accepted(buf *b);
/* 200 with a JSON body and one more header. */
void rapi_put_json(buf *b, const char *header, str value, str body);
void rapi_put_refusal(buf *b, int status, str error_type, str message);
