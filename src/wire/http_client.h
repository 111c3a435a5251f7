/*
 * An HTTP/1.1 client for threads that may wait: one request, one answer, one connection, held to a
 * total time and a size. For webhooks, containers, and the command line's questions to its server.
 *
 * The time covers everything but the system's own resolver. Redirects are answers like others.
 */
#pragma once
#include "wire/codec.h"
#include <stdatomic.h>

typedef struct http_client_options {
	int total_ms;      /* from the call to the last byte; 0: 30 s */
	int connect_ms;    /* for each address of the host; 0: 5 s */
	size_t body_max;   /* of the answer; 0: 16 MiB */
	bool trust_all;    /* https without looking at the certificate; loopback is always trusted */
	const atomic_bool *end; /* once it is true nothing is waited for; NULL: never */
} http_client_options;

/*
 * `url`: http:// or https://, host, optional port, path and query, percent-encoded; in place of the path "*"
 * for OPTIONS of the whole server. Sends `m`'s
 * method, headers and body (Host unless given, Content-Length and Connection are added) and fills
 * status, headers and body of `answer`, whose mem is set. Names below localhost are 127.0.0.1. A
 * fault of kind fault_system says what failed.
 */
err http_call(arena *a, str url, const wire_message *m, const http_client_options *o,
              wire_message *answer);

/*
 * The same with a body that comes piece by piece, however long it is: `answer` has status and headers.
 * total_ms is then the time up to its head, and again that between two pieces. What http_open gave is closed
 * once.
 */
typedef struct http_answer http_answer;
err http_open(arena *a, str url, const wire_message *m, const http_client_options *o, wire_message *answer,
              http_answer **out);
/* -1: not told beforehand. */
int64_t http_answer_length(const http_answer *x);
/* 1: a piece, which lives until the next call; 0: there is no more; -1: it broke off. */
int http_answer_next(http_answer *x, str *piece);
void http_answer_close(http_answer *x);

/* Whether anybody takes a connection there; nothing is said. */
err http_reach(arena *a, str url, int connect_ms);
