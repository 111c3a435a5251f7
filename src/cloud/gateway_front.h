/*
 * What the front ends of API Gateway share (REST, HTTP and WebSocket APIs): whose request it is, calling the
 * function behind a route, token buckets, access logs.
 *
 * APIs answer on ID.execute-api.REGION.localhost (or .amazonaws.com) and below /_execute-api/ID/ for clients
 * that do not resolve such names. Ids of REST APIs end in a digit, all others in a letter.
 */
#pragma once
#include "cloud/http_event.h"
#include "cloud/req.h"

typedef struct front_place {
	str api, region, domain;
	str path; /* below the API, with the stage */
} front_place;
/* false: not an address of an API of this sort, or one of @connections. */
bool front_place_of(const http_exchange *x, bool rest, front_place *p);

/* The function in an integration's URI, plain or in API Gateway's form, stage variables put in. STR_NONE: it
 * names none. */
str front_function(arena *mem, str uri, const event_pairs *variables);
str front_substitute(arena *mem, str text, const event_pairs *variables);

typedef enum front_outcome {
	FRONT_OK, FRONT_FORBIDDEN, /* the function's policy does not name API Gateway */
	FRONT_FAILED,              /* the function failed, is missing or throttled */
} front_outcome;
/* Waits. `source`: aws:SourceArn. rq acts for API Gateway (req_internal). What a function says of its failure
 * is the payload, too; otherwise it is empty then. */
front_outcome front_invoke(req *rq, str function, str source, str event, str *payload);
/* The same for rq as it is: a role, whose policies decide. */
front_outcome front_call(req *rq, str function, str event, str *payload);

/* Takes one token; false: the bucket is empty. It holds `burst` and fills by `rate` a second, real time. */
bool front_token(str bucket, double rate, int64_t burst);

/* One line of the format (its $context.X replaced, "-" for what is not there) into the log group. */
void front_log(arena *mem, str account, str group_arn, str stream, str format, const event_pairs *context,
               int64_t now);
/* Headers that are of one connection and not of the message: neither forwarded nor handed back. */
bool front_of_connection(str name);
/* What a backend answered becomes the caller's answer. The strings are shared. */
void front_hand_back(const wire_message *answer, wire_message *out);
/* Lambda's header of traces: what came, or a new one. */
str front_trace(arena *mem, str given);
