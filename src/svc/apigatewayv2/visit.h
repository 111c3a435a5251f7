/*
 * One request to an HTTP or WebSocket API: which API, stage, route and integration it leads to. Lives in the
 * exchange's arena.
 */
#pragma once
#include "base/json.h"
#include "cloud/gateway_front.h"
#include "gateway.h"

typedef struct visit {
	http_exchange *x;
	store *s;
	arena *mem;
	req *rq;             /* acts for API Gateway in the API's account and region */
	front_place at;
	str account, region;
	apigatewayv2_Api *api;
	apigatewayv2_Stage *stage;
	apigatewayv2_Snapshot *serves;
	apigatewayv2_Route *route;
	apigatewayv2_Integration *integration;
	str path;            /* without the stage */
	event_pairs parameters, variables;
	str request_id, extended_id, trace_id;
	wire_message out;
	int64_t began_us, integration_us;
	bool throttled;
	bool free;           /* refused for who comes: not charged for */
	http_signer signer;  /* of a signed request */
	str authorizer_1, authorizer_2; /* requestContext.authorizer by the format of the event; absent: none */
	event_pairs said;    /* what $context.authorizer can name */
	str authorizer_error; /* for $context.authorizer.error */
	str challenge;       /* WWW-Authenticate of a refusal, or STR_NONE */
	str problem;         /* for $context.error.message */
} visit;

/* What the stage of this API serves. false: there is no such API or stage. */
bool visit_api(visit *v, const txn *tx, str api);
bool visit_stage(visit *v, const txn *tx, str stage);
/* The route's integration, or NULL. */
void visit_target(visit *v, apigatewayv2_Route *route);
apigatewayv2_Route *route_with_key(const visit *v, str key);

/* The route of an HTTP API for a method and a path; fills v->parameters. NULL: none. */
apigatewayv2_Route *route_for(visit *v, str method, str path);

/* Whoever may come to the route: 0, or the status of the refusal. `arn` names what is invoked; `event` is
 * that of a WebSocket API, made by it. */
int visit_let_in(visit *v, str arn, str event);
/* authorize_jwt.c: the same for a token. */
int visit_with_token(visit *v, const apigatewayv2_Authorizer *a);
/* What a source of an identity names; STR_NONE: it is not there. */
str visit_identity(const visit *v, str source);
http_event visit_http_event(const visit *v);
/* What $context names but for the answer. */
event_pairs visit_facts(const visit *v);

/* Whether the stage's limits let one more through. */
bool visit_admitted(visit *v);
str visit_source(visit *v, str method, str path);
void visit_logged(visit *v, int status, size_t bytes);

/* A custom domain leads to an API and a stage by the longest mapping that begins the path. */
bool domain_known(str host);
bool domain_lead(visit *v, const txn *tx, str host, str *api, str *stage);

/* The WebSocket handshake and all that follows. */
void socket_serve(visit *v);
