/* Integrations, and the routes that lead to them. */
#include "gateway.h"

static err integration_check(req *rq, const apigatewayv2_api *api, const apigatewayv2_Integration *i)
{
	str type = i->IntegrationType;
	if (str_is(i->IntegrationSubtype) || str_eq(i->ConnectionType, S("VPC_LINK")))
		return fail(rq, &aws_NotImplemented, "Farthing has neither service integrations nor VPC links in "
		            "HTTP and WebSocket APIs.");
	if (is_websocket(api)) {
		if (!str_eq(type, S("AWS_PROXY")) && !str_eq(type, S("MOCK")))
			return fail(rq, &aws_NotImplemented, "Farthing's WebSocket APIs have AWS_PROXY and MOCK "
			            "integrations.");
		return OK;
	}
	if (!str_eq(type, S("AWS_PROXY")) && !str_eq(type, S("HTTP_PROXY")))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Only AWS_PROXY and HTTP_PROXY integrations are supported for HTTP protocol APIs");
	if (!str_is(i->IntegrationUri))
		return fail(rq, &apigatewayv2_BadRequestException, "IntegrationUri is required");
	if (i->RequestParameters.n || i->ResponseParameters.n)
		return fail(rq, &aws_NotImplemented, "Farthing does not map parameters in HTTP APIs.");
	if (!str_is(i->PayloadFormatVersion))
		return fail(rq, &apigatewayv2_BadRequestException, "PayloadFormatVersion is a required parameter");
	if (!str_eq(i->PayloadFormatVersion, S("1.0")) && !str_eq(i->PayloadFormatVersion, S("2.0")))
		return fail(rq, &apigatewayv2_BadRequestException, "PayloadFormatVersion %.*s is not supported",
		            STR_ARG(i->PayloadFormatVersion));
	if (str_eq(type, S("HTTP_PROXY")) && !str_eq(i->PayloadFormatVersion, S("1.0")))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "PayloadFormatVersion 2.0 is only supported for AWS_PROXY integrations");
	return OK;
}

err apigatewayv2_CreateIntegration(req *rq, txn *tx, const apigatewayv2_CreateIntegration_in *in,
                                   apigatewayv2_CreateIntegration_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	bool websocket = is_websocket(api);
	apigatewayv2_Integration i = { .IntegrationId = short_id(rq), .ConnectionType = S("INTERNET"),
		.TimeoutInMillis = I64(websocket ? 29000 : 30000) };
	if (websocket) {
		i.PayloadFormatVersion = S("1.0");
		i.PassthroughBehavior = S("WHEN_NO_MATCH");
		i.IntegrationResponseSelectionExpression = S("${integration.response.statuscode}");
	}
	if (str_eq(in->IntegrationType, S("AWS_PROXY")))
		i.IntegrationMethod = S("POST");
	keep_input(rq, in, &apigatewayv2_Integration_shape, &i);
	TRY(integration_check(rq, api, &i));
	apigatewayv2_integration_put(tx, &(apigatewayv2_integration){ in->ApiId, i.IntegrationId, &i });
	answer_from(rq, &apigatewayv2_Integration_shape, &i, out);
	return OK;
}

static err integration_find(req *rq, const txn *tx, str api, str id, apigatewayv2_integration **out)
{
	*out = apigatewayv2_integration_get(tx, rq->mem, api, id);
	return *out ? OK : fail(rq, &apigatewayv2_NotFoundException,
	                        "Invalid Integration identifier specified %.*s", STR_ARG(id));
}

err apigatewayv2_GetIntegration(req *rq, const txn *tx, const apigatewayv2_GetIntegration_in *in,
                                apigatewayv2_GetIntegration_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_integration *i;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(integration_find(rq, tx, in->ApiId, in->IntegrationId, &i));
	answer_from(rq, &apigatewayv2_Integration_shape, i->It, out);
	return OK;
}

err apigatewayv2_GetIntegrations(req *rq, const txn *tx, const apigatewayv2_GetIntegrations_in *in,
                                 apigatewayv2_GetIntegrations_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	out->Items = snapshot_of(tx, rq->mem, in->ApiId)->Integrations;
	return OK;
}

err apigatewayv2_UpdateIntegration(req *rq, txn *tx, const apigatewayv2_UpdateIntegration_in *in,
                                   apigatewayv2_UpdateIntegration_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_integration *i;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(integration_find(rq, tx, in->ApiId, in->IntegrationId, &i));
	keep_input(rq, in, &apigatewayv2_Integration_shape, i->It);
	TRY(integration_check(rq, api, i->It));
	apigatewayv2_integration_put(tx, i);
	answer_from(rq, &apigatewayv2_Integration_shape, i->It, out);
	return OK;
}

err apigatewayv2_DeleteIntegration(req *rq, txn *tx, const apigatewayv2_DeleteIntegration_in *in,
                                   apigatewayv2_DeleteIntegration_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_integration *i;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(integration_find(rq, tx, in->ApiId, in->IntegrationId, &i));
	str target = arena_fmt(rq->mem, "integrations/%.*s", STR_ARG(in->IntegrationId));
	record_scan s = apigatewayv2_route_scan(tx, rq->mem, 1, in->ApiId, STR_NONE);
	for (apigatewayv2_route *r; (r = apigatewayv2_route_next(&s));)
		if (str_eq(r->It->Target, target)) {
			cursor_close(&s.at);
			return fail(rq, &apigatewayv2_ConflictException,
			            "Cannot delete Integration '%.*s' due to it being referenced by Route '%.*s'.",
			            STR_ARG(in->IntegrationId), STR_ARG(r->RouteId));
		}
	apigatewayv2_integration_delete(tx, in->ApiId, in->IntegrationId);
	return OK;
}

static bool method_known(str method)
{
	static const char *const known[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(method, str_c(known[i])))
			return true;
	return false;
}

static err route_check(req *rq, const txn *tx, const apigatewayv2_api *api, apigatewayv2_Route *r)
{
	str path = r->RouteKey, method = str_cut(&path, ' ');
	if (!is_websocket(api) && !str_eq(r->RouteKey, S("$default")) &&
	    (!method_known(method) || !str_starts(path, S("/"))))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "The provided route key is not formatted properly for HTTP protocol. Format should be "
		            "\"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\"");
	TRY(route_authorizer_check(rq, tx, api, r));
	if (r->ApiKeyRequired.v && !is_websocket(api))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "ApiKeyRequired is not currently supported for HTTP APIs.");
	if (r->ApiKeyRequired.v)
		return fail(rq, &aws_NotImplemented, "Farthing's WebSocket routes do not ask for API keys.");
	if (str_starts(r->Target, S("integrations/")) &&
	    !apigatewayv2_integration_get(tx, rq->mem, api->ApiId, str_sub(r->Target, 13, r->Target.n)))
		return fail(rq, &apigatewayv2_BadRequestException, "Invalid integration identifier specified");
	record_scan s = apigatewayv2_route_scan(tx, rq->mem, 1, api->ApiId, STR_NONE);
	size_t n = 0;
	for (apigatewayv2_route *other; (other = apigatewayv2_route_next(&s)); n++)
		if (str_eq(other->It->RouteKey, r->RouteKey) && !str_eq(other->RouteId, r->RouteId)) {
			cursor_close(&s.at);
			return fail(rq, &apigatewayv2_ConflictException, "Route with key %.*s already exists for this "
			            "API", STR_ARG(r->RouteKey));
		}
	return n <= APIGW_ROUTES_MAX ? OK : fail(rq, &apigatewayv2_TooManyRequestsException,
	                                         "Maximum number of routes for this API has been reached.");
}

err apigatewayv2_CreateRoute(req *rq, txn *tx, const apigatewayv2_CreateRoute_in *in,
                             apigatewayv2_CreateRoute_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	apigatewayv2_Route r = { .RouteId = short_id(rq), .ApiKeyRequired = BOOL(false),
		.AuthorizationType = S("NONE") };
	keep_input(rq, in, &apigatewayv2_Route_shape, &r);
	TRY(route_check(rq, tx, api, &r));
	apigatewayv2_route_put(tx, &(apigatewayv2_route){ in->ApiId, r.RouteId, &r });
	answer_from(rq, &apigatewayv2_Route_shape, &r, out);
	return OK;
}

static err route_find(req *rq, const txn *tx, str api, str id, apigatewayv2_route **out)
{
	*out = apigatewayv2_route_get(tx, rq->mem, api, id);
	return *out ? OK : fail(rq, &apigatewayv2_NotFoundException, "Unable to find Route by key %.*s within "
	                        "the provided API", STR_ARG(id));
}

err apigatewayv2_GetRoute(req *rq, const txn *tx, const apigatewayv2_GetRoute_in *in,
                          apigatewayv2_GetRoute_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_route *r;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(route_find(rq, tx, in->ApiId, in->RouteId, &r));
	answer_from(rq, &apigatewayv2_Route_shape, r->It, out);
	return OK;
}

err apigatewayv2_GetRoutes(req *rq, const txn *tx, const apigatewayv2_GetRoutes_in *in,
                           apigatewayv2_GetRoutes_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	out->Items = snapshot_of(tx, rq->mem, in->ApiId)->Routes;
	return OK;
}

err apigatewayv2_UpdateRoute(req *rq, txn *tx, const apigatewayv2_UpdateRoute_in *in,
                             apigatewayv2_UpdateRoute_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_route *r;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(route_find(rq, tx, in->ApiId, in->RouteId, &r));
	keep_input(rq, in, &apigatewayv2_Route_shape, r->It);
	TRY(route_check(rq, tx, api, r->It));
	apigatewayv2_route_put(tx, r);
	answer_from(rq, &apigatewayv2_Route_shape, r->It, out);
	return OK;
}

err apigatewayv2_DeleteRoute(req *rq, txn *tx, const apigatewayv2_DeleteRoute_in *in,
                             apigatewayv2_DeleteRoute_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_route *r;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(route_find(rq, tx, in->ApiId, in->RouteId, &r));
	apigatewayv2_route_delete(tx, in->ApiId, in->RouteId);
	return OK;
}

err apigatewayv2_CreateRouteResponse(req *rq, txn *tx, const apigatewayv2_CreateRouteResponse_in *in,
                                     apigatewayv2_CreateRouteResponse_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_route *route;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(route_find(rq, tx, in->ApiId, in->RouteId, &route));
	if (!is_websocket(api))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Route responses are only supported for WebSocket APIs");
	apigatewayv2_RouteResponse r = { .RouteResponseId = short_id(rq) };
	keep_input(rq, in, &apigatewayv2_RouteResponse_shape, &r);
	apigatewayv2_routeresponse_put(tx, &(apigatewayv2_routeresponse){ in->ApiId, in->RouteId,
	                                                                   r.RouteResponseId, &r });
	answer_from(rq, &apigatewayv2_RouteResponse_shape, &r, out);
	return OK;
}

static err response_find(req *rq, const txn *tx, str api_id, str route, str id,
                         apigatewayv2_routeresponse **r)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, api_id, &api));
	*r = apigatewayv2_routeresponse_get(tx, rq->mem, api_id, route, id);
	return *r ? OK : fail(rq, &apigatewayv2_NotFoundException,
	                      "Invalid route response identifier specified");
}

err apigatewayv2_GetRouteResponse(req *rq, const txn *tx, const apigatewayv2_GetRouteResponse_in *in,
                                  apigatewayv2_GetRouteResponse_out *out)
{
	apigatewayv2_routeresponse *r;
	TRY(response_find(rq, tx, in->ApiId, in->RouteId, in->RouteResponseId, &r));
	answer_from(rq, &apigatewayv2_RouteResponse_shape, r->It, out);
	return OK;
}

err apigatewayv2_GetRouteResponses(req *rq, const txn *tx, const apigatewayv2_GetRouteResponses_in *in,
                                   apigatewayv2_GetRouteResponses_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_route *route;
	size_t n = 0;
	TRY(api_find(rq, tx, in->ApiId, &api));
	TRY(route_find(rq, tx, in->ApiId, in->RouteId, &route));
	record_scan s = apigatewayv2_routeresponse_scan(tx, rq->mem, 2, in->ApiId, in->RouteId, STR_NONE);
	while (apigatewayv2_routeresponse_next(&s))
		n++;
	out->Items.v = arena_array(rq->mem, apigatewayv2_RouteResponse, n + 1);
	s = apigatewayv2_routeresponse_scan(tx, rq->mem, 2, in->ApiId, in->RouteId, STR_NONE);
	for (apigatewayv2_routeresponse *r; (r = apigatewayv2_routeresponse_next(&s));)
		out->Items.v[out->Items.n++] = *r->It;
	return OK;
}

err apigatewayv2_UpdateRouteResponse(req *rq, txn *tx, const apigatewayv2_UpdateRouteResponse_in *in,
                                     apigatewayv2_UpdateRouteResponse_out *out)
{
	apigatewayv2_routeresponse *r;
	TRY(response_find(rq, tx, in->ApiId, in->RouteId, in->RouteResponseId, &r));
	keep_input(rq, in, &apigatewayv2_RouteResponse_shape, r->It);
	apigatewayv2_routeresponse_put(tx, r);
	answer_from(rq, &apigatewayv2_RouteResponse_shape, r->It, out);
	return OK;
}

err apigatewayv2_DeleteRouteResponse(req *rq, txn *tx, const apigatewayv2_DeleteRouteResponse_in *in,
                                     apigatewayv2_DeleteRouteResponse_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	if (!apigatewayv2_routeresponse_delete(tx, in->ApiId, in->RouteId, in->RouteResponseId))
		return fail(rq, &apigatewayv2_NotFoundException, "Invalid route response identifier specified");
	return OK;
}
