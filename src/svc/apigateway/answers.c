/* Gateway responses: what the gateway answers itself, where it does not come to an integration's answer. */
#include "rest.h"

#define TEMPLATE S("{\"message\":$context.error.messageString}")

/* In the order of their names; 0: there is none of its own. */
static const struct { const char *type, *status;
} kinds[] = {
	{ "ACCESS_DENIED", "403" },
	{ "API_CONFIGURATION_ERROR", "500" },
	{ "AUTHORIZER_CONFIGURATION_ERROR", "500" },
	{ "AUTHORIZER_FAILURE", "500" },
	{ "BAD_REQUEST_BODY", "400" },
	{ "BAD_REQUEST_PARAMETERS", "400" },
	{ "DEFAULT_4XX", NULL },
	{ "DEFAULT_5XX", NULL },
	{ "EXPIRED_TOKEN", "403" },
	{ "INTEGRATION_FAILURE", "504" },
	{ "INTEGRATION_TIMEOUT", "504" },
	{ "INVALID_API_KEY", "403" },
	{ "INVALID_SIGNATURE", "403" },
	{ "MISSING_AUTHENTICATION_TOKEN", "403" },
	{ "QUOTA_EXCEEDED", "429" },
	{ "REQUEST_TOO_LARGE", "413" },
	{ "RESOURCE_NOT_FOUND", "404" },
	{ "THROTTLED", "429" },
	{ "UNAUTHORIZED", "401" },
	{ "UNSUPPORTED_MEDIA_TYPE", "415" },
	{ "WAF_FILTERED", "403" },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static str status_of(str type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (str_eq(type, str_c(kinds[i].type)))
			return kinds[i].status ? str_c(kinds[i].status) : STR_NONE;
	return STR_NONE;
}

/* With what was left out as it is by default. */
static void complete(arena *mem, apigateway_GatewayResponse *r)
{
	if (!str_is(r->statusCode))
		r->statusCode = status_of(r->responseType);
	if (!r->responseParameters.v)
		r->responseParameters.v = arena_new(mem, apigateway_MapOfStringToString_entry);
	if (!r->responseTemplates.n)
		map_set(mem, &r->responseTemplates, S("application/json"), TEMPLATE);
}

static const apigateway_GatewayResponse *own(const apigateway_ListOfGatewayResponse *all, str type)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].responseType, type))
			return &all->v[i];
	return NULL;
}

apigateway_GatewayResponse *answer_of(arena *mem, const apigateway_ListOfGatewayResponse *all, str type)
{
	apigateway_GatewayResponse *r = arena_new(mem, apigateway_GatewayResponse);
	const apigateway_GatewayResponse *mine = own(all, type);
	str status = status_of(type);
	if (!mine && str_is(status))
		mine = own(all, str_starts(status, S("4")) ? S("DEFAULT_4XX") : S("DEFAULT_5XX"));
	if (mine)
		*r = *mine;
	r->defaultResponse = BOOL(!mine || !str_eq(mine->responseType, type));
	r->responseType = type;
	complete(mem, r);
	return r;
}

err apigateway_GetGatewayResponse(req *rq, const txn *tx, const apigateway_GetGatewayResponse_in *in,
                                  apigateway_GetGatewayResponse_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	apigateway_ListOfGatewayResponse all = answers_of(tx, rq->mem, in->restApiId);
	rest_answer(rq, &apigateway_GatewayResponse_shape, answer_of(rq->mem, &all, in->responseType), out);
	return OK;
}

err apigateway_GetGatewayResponses(req *rq, const txn *tx, const apigateway_GetGatewayResponses_in *in,
                                   apigateway_GetGatewayResponses_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	apigateway_ListOfGatewayResponse all = answers_of(tx, rq->mem, in->restApiId);
	out->items.v = arena_array(rq->mem, apigateway_GatewayResponse, KINDS);
	for (size_t i = 0; i < KINDS; i++)
		out->items.v[out->items.n++] = *answer_of(rq->mem, &all, str_c(kinds[i].type));
	return OK;
}

static err parameters_check(req *rq, const apigateway_GatewayResponse *r)
{
	str prefix = S("gatewayresponse.header.");
	for (size_t i = 0; i < r->responseParameters.n; i++)
		if (!str_starts(r->responseParameters.v[i].key, prefix)
		    || r->responseParameters.v[i].key.n == prefix.n)
			return fail(rq, &apigateway_BadRequestException,
			            "Invalid mapping expression parameter specified: "
			            "%.*s",
			            STR_ARG(r->responseParameters.v[i].key));
	return OK;
}

static void keep(req *rq, txn *tx, str api, apigateway_GatewayResponse *r, void *out)
{
	complete(rq->mem, r);
	r->defaultResponse = BOOL(false);
	apigateway_answer_put(tx, &(apigateway_answer){ api, r->responseType, r });
	rest_answer(rq, &apigateway_GatewayResponse_shape, r, out);
}

err apigateway_PutGatewayResponse(req *rq, txn *tx, const apigateway_PutGatewayResponse_in *in,
                                  apigateway_PutGatewayResponse_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	apigateway_GatewayResponse r = { 0 };
	overlay(rq->mem, rq->op->input, in, &apigateway_GatewayResponse_shape, &r);
	TRY(parameters_check(rq, &r));
	keep(rq, tx, in->restApiId, &r, out);
	return OK;
}

/* As the model has it of those that are put: patches are texts to it. */
static err status_check(req *rq, str status)
{
	int64_t n;
	bool good = status.n == 3 && str_to_i64(status, &n) && n >= 100 && n < 600;
	return good ? OK : fail(rq, &apigateway_BadRequestException, "Invalid status code specified: %.*s",
	                        STR_ARG(status));
}

static err patch_check(req *rq, const apigateway_GatewayResponse *r, const apigateway_PatchOperation *p)
{
	str rest = str_sub(p->path, 1, p->path.n), what = str_cut(&rest, '/');
	bool replaces = str_eq(p->op, S("replace")), removes = str_eq(p->op, S("remove"));
	if (!str_is(p->path))
		return fail(rq, &apigateway_BadRequestException, "Invalid patch path null");
	if (str_eq(p->path, S("/statusCode")) && replaces)
		return status_check(rq, p->value);
	bool parameters = str_eq(what, S("responseParameters")), templates = str_eq(what, S("responseTemplates"));
	if (!str_is(rest) || (!parameters && !templates))
		return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(p->path));
	const apigateway_MapOfStringToString *m = parameters ? &r->responseParameters : &r->responseTemplates;
	if ((replaces || removes) && !str_is(map_find(m, patch_part(rq->mem, rest))))
		return fail(rq, &apigateway_NotFoundException,
		            parameters ? "Invalid parameter name specified" : "Content-Type specified was not found");
	if (!removes && !p->value.n)
		return fail(rq, &apigateway_BadRequestException, "Invalid null or empty value in %.*s",
		            STR_ARG(what));
	return OK;
}

err apigateway_UpdateGatewayResponse(req *rq, txn *tx, const apigateway_UpdateGatewayResponse_in *in,
                                     apigateway_UpdateGatewayResponse_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	const apigateway_answer *had = apigateway_answer_get(tx, rq->mem, in->restApiId, in->responseType);
	apigateway_GatewayResponse r = { .responseType = in->responseType };
	if (had)
		r = *had->It;
	TRY(patch_few(rq, &in->patchOperations));
	for (size_t i = 0; i < in->patchOperations.n; i++) {
		apigateway_ListOfPatchOperation one = { &in->patchOperations.v[i], 1 };
		TRY(patch_check(rq, &r, one.v));
		TRY(patch_apply(rq, &one, &apigateway_GatewayResponse_shape, &r));
	}
	TRY(parameters_check(rq, &r));
	keep(rq, tx, in->restApiId, &r, out);
	return OK;
}

err apigateway_DeleteGatewayResponse(req *rq, txn *tx, const apigateway_DeleteGatewayResponse_in *in,
                                     apigateway_DeleteGatewayResponse_out *out)
{
	apigateway_api *api;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	return apigateway_answer_delete(tx, in->restApiId, in->responseType) ? OK
		: fail(rq, &apigateway_NotFoundException, "Gateway response type not defined on api");
}
