/*
 * HTTP requests as the events that API Gateway and function URLs hand to functions, and functions' answers as
 * HTTP. No sockets, no store.
 *
 * Format 2.0 is that of HTTP APIs and function URLs, 1.0 that of REST APIs and, with a "version" in front, of
 * HTTP APIs that ask for it; WebSocket APIs have one of their own, made where they are served.
 */
#pragma once
#include "base/buf.h"
#include "wire/http.h"

typedef struct event_pair { str name, value; } event_pair;
typedef struct event_pairs {
	event_pair *v;
	size_t n;
} event_pairs;

/* Who signed the request, where that was asked for; absent texts otherwise. */
typedef struct http_signer {
	str account, id, arn, key;
} http_signer;

typedef struct http_event {
	const http_exchange *x;
	str account, api, stage, domain;
	str prefix;          /* requestContext.domainPrefix; STR_NONE: the domain's first part */
	str path;            /* as the event says it: with the stage in HTTP APIs */
	str full_path;       /* with the stage: requestContext.path of format 1.0 */
	str resource_id, resource; /* format 1.0: "/orders/{id}" */
	str route_key;       /* format 2.0: "GET /orders/{id}" */
	event_pairs path_parameters, stage_variables;
	str request_id, extended_id, trace_id;
	http_signer signer;  /* format 1.0 */
	str authorizer;      /* JSON of requestContext.authorizer, or STR_NONE */
	str api_key, api_key_id; /* format 1.0: of a key that was asked for; absent: none */
	str deployment;      /* REST: of what is served; absent: not told */
	bool rest;           /* header names keep their case; no "version" */
	bool binary;         /* REST: the body's type is among the API's binary ones */
	int64_t now;
} http_event;

str http_event_2(arena *mem, const http_event *e);
str http_event_1(arena *mem, const http_event *e);
/* 12/Mar/2020:19:03:58 +0000 */
str event_time(arena *mem, int64_t now);
void event_put_pair(buf *b, const char *name, str value);
void event_put_or_null(buf *b, str name, str value);
void event_put_map(buf *b, const event_pairs *pairs);
/* "headers" and "multiValueHeaders" of format 1.0, and the same of the query; each ends with a comma. */
void event_put_headers_1(buf *b, const http_exchange *x, bool keep_case, str trace_id);
void event_put_query_1(buf *b, str query);

/* Fills status, headers and body. False: the wrong shape. */
bool http_answer_2(arena *mem, str payload, wire_message *out);
/* `decode`: base64 is decoded where the function says so (REST: only with binary media types). */
bool http_answer_1(arena *mem, str payload, bool decode, wire_message *out);
/* Of a function URL: what is no object with a status is the body as it stands. */
bool http_answer_url(arena *mem, str payload, wire_message *out);

/* The content type of a streamed answer that begins with status and headers. */
#define HTTP_PRELUDE_TYPE S("application/vnd.awslambda.http-integration-response")
/* A streamed answer: with that type a JSON prelude and eight NULs before the body, else the body alone. */
bool http_answer_streamed(arena *mem, str payload, str content_type, wire_message *out);
