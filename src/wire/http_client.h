/*
 * An HTTP/1.1 client for threads that may wait: one request, one answer, one connection, held to a
 * total time and a size. For webhooks, containers, and the command line's questions to its server.
 *
 * The time covers everything but the system's own resolver. Redirects are answers like others.
 */
#pragma once
#include "wire/codec.h"

typedef struct http_client_options {
	int total_ms;      /* from the call to the last byte; 0: 30 s */
	int connect_ms;    /* for each address of the host; 0: 5 s */
	size_t body_max;   /* of the answer; 0: 16 MiB */
	bool trust_all;    /* https without looking at the certificate; loopback is always trusted */
} http_client_options;

/*
 * `url`: http:// or https://, host, optional port, path and query, percent-encoded. Sends `m`'s
 * method, headers and body (Host unless given, Content-Length and Connection are added) and fills
 * status, headers and body of `answer`, whose mem is set. Names below localhost are 127.0.0.1. A
 * fault of kind fault_system says what failed.
 */
err http_call(arena *a, str url, const wire_message *m, const http_client_options *o,
              wire_message *answer);
