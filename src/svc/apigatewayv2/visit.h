/*
 * One request to an HTTP or WebSocket API: which API, stage, route and integration it leads to. Lives in the
 * exchange's arena.
 */
#pragma once
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

/* Whether the stage's limits let one more through. */
bool visit_admitted(visit *v);
str visit_source(visit *v, str method, str path);
void visit_logged(visit *v, int status, size_t bytes);

/* A custom domain leads to an API and a stage by the longest mapping that begins the path. */
bool domain_known(str host);
bool domain_lead(visit *v, const txn *tx, str host, str *api, str *stage);

/* The WebSocket handshake and all that follows. */
void socket_serve(visit *v);
