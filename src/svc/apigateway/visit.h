/*
 * One request to a REST API on its way to its integration: who may come (authorizers.., IAM), with which key,
 * and with what. Lives in the exchange's arena.
 */
#pragma once
#include "cloud/firewall.h"
#include "cloud/gateway_front.h"
#include "rest.h"

typedef struct visit {
	http_exchange *x;
	arena *mem;
	req *rq;             /* acts for API Gateway in the API's account and region */
	front_place at;
	apigateway_RestApi *api;
	apigateway_Stage *stage;
	str deployment;
	wall *wall;          /* a web ACL in front of the stage, or NULL */
	apigateway_ListOfResource resources;
	apigateway_Beside beside;
	apigateway_Resource *resource;
	apigateway_Method *method;
	str path;            /* without the stage */
	event_pairs parameters, variables;
	str authorizer;      /* JSON of requestContext.authorizer, or STR_NONE */
	caller signer;       /* of a signed request */
	str principal;       /* as the authorizer calls who comes */
	event_pairs said;    /* what else the authorizer says of it */
	str usage_key;       /* the API key that the authorizer named */
	str api_key, api_key_id; /* once it is known to be a good one */
	str request_id, extended_id, trace_id;
	str error, error_type; /* of a refusal: its message and the type of gateway response */
	bool free;           /* the refusal is not charged for */
	wire_message out;
	int64_t began_us, integration_us;
} visit;

/* What the gateway answers itself, unless the API has a gateway response for it. */
typedef struct refusal {
	const char *type;    /* of the gateway response; NULL: it is not the API's to say */
	int status;
	const char *error;   /* x-amzn-ErrorType */
	const char *message; /* NULL: none is told */
	const char *body;
} refusal;
extern const refusal refuse_forbidden, refuse_too_large, refuse_no_token, refuse_throttled, refuse_timeout,
	refuse_configuration, refuse_integration, refuse_quota, refuse_key, refuse_unauthorized, refuse_denied,
	refuse_denied_explicitly, refuse_authorizer, refuse_signature,
	refuse_unreachable, refuse_expired, refuse_filtered;
void visit_refuse(visit *v, const refusal *r);
/* With a message of its own, told in the usual body. */
void visit_refuse_with(visit *v, const refusal *r, str message);
extern const refusal refuse_parameters, refuse_body;

void visit_send(visit *v);
/* Headers of the answer that belong to the gateway come out under another name. */
void visit_remap(visit *v);
/* backend.c: an HTTP integration, to its end. */
void visit_forward(visit *v, const apigateway_Integration *i);
http_event visit_event(const visit *v);
/* arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path */
str visit_method_arn(const visit *v);
/* What $context can name but for what an authorizer said. */
event_pairs visit_context(const visit *v);
/* The status that the API gives, unless it is none that an answer can have: behind one that begins with 1 its
 * receiver would wait for another. */
bool visit_status(visit *v, str code);
/* method.request.header.X, .querystring.X, .path.X, stageVariables.X, context.X: STR_NONE when it is not
 * there. */
str visit_mapped(const visit *v, str expression);

/* cognito.c: NULL: the token is of one of the authorizer's user pools. */
const refusal *visit_with_pool(visit *v, const apigateway_Authorizer *a);

/* Each answers itself when it says no. */
bool visit_authorized(visit *v);
bool visit_keyed(visit *v);
bool visit_valid(visit *v);

/* template.c: a mapping template with its references put in; `body` is what $input speaks of. Templates with
 * directives are not for it. */
bool template_has_directives(str text);
str template_filled(const visit *v, str text, str body);

/* schema.c: whether a body is what the model says. */
bool schema_holds(arena *mem, const apigateway_ListOfModel *models, str schema, str body);
