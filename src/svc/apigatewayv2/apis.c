#include "gateway.h"
#include "cloud/server.h"
#include "sys/rand.h"

#define ID_LETTERS S("abcdefghijklmnopqrstuvwxyz0123456789")

str short_id(req *rq)
{
	return rand_text(rq->mem, 7, ID_LETTERS);
}

/*
 * Ids of HTTP and WebSocket APIs end in a letter, those of REST APIs in a digit: both answer on hosts of the
 * same form, and the data plane has to know whose a request is before it looks at the store.
 */
static str api_id(req *rq)
{
	return arena_concat(rq->mem, rand_text(rq->mem, 9, ID_LETTERS),
	                    rand_text(rq->mem, 1, S("abcdefghijklmnopqrstuvwxyz")));
}

err api_find(req *rq, const txn *tx, str id, apigatewayv2_api **api)
{
	*api = apigatewayv2_api_get(tx, rq->mem, rq->who.account, rq->region, id);
	if (*api)
		return OK;
	return fail(rq, &apigatewayv2_NotFoundException, "Invalid API identifier specified %.*s:%.*s",
	            STR_ARG(rq->who.account), STR_ARG(id));
}

void answer_from(req *rq, const shape *s, const void *row, void *out)
{
	overlay(rq->mem, s, row, rq->op->output, out);
}

void keep_input(req *rq, const void *in, const shape *s, void *row)
{
	overlay(rq->mem, rq->op->input, in, s, row);
}

bool is_websocket(const apigatewayv2_api *api)
{
	return str_eq(api->It->ProtocolType, apigatewayv2_ProtocolType_WEBSOCKET);
}

str api_arn(const req *rq, str id)
{
	return arena_fmt(rq->mem, "arn:aws:apigateway:%.*s::/apis/%.*s", STR_ARG(rq->region), STR_ARG(id));
}

str api_endpoint(arena *mem, str id, str region, bool websocket)
{
	str rest = server_endpoint();
	size_t colon = SIZE_MAX;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] == ':')
			colon = i;
	str port = str_sub(rest, colon, rest.n);
	return arena_fmt(mem, "%s://%.*s.execute-api.%.*s.localhost%.*s", websocket ? "ws" : "http", STR_ARG(id),
	                 STR_ARG(region), STR_ARG(port));
}

static err create_check(req *rq, const apigatewayv2_CreateApi_in *in)
{
	bool websocket = str_eq(in->ProtocolType, apigatewayv2_ProtocolType_WEBSOCKET);
	if (websocket && !str_is(in->RouteSelectionExpression))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "RouteSelectionExpression is required for WEBSOCKET");
	if (websocket && in->CorsConfiguration)
		return fail(rq, &apigatewayv2_BadRequestException,
		            "CORS configuration is not supported for WebSocket APIs");
	if (websocket && str_is(in->Target))
		return fail(rq, &apigatewayv2_BadRequestException, "Quick create is only supported for HTTP APIs");
	if (!websocket && str_is(in->RouteSelectionExpression) &&
	    !str_eq(in->RouteSelectionExpression, S("$request.method $request.path")) &&
	    !str_eq(in->RouteSelectionExpression, S("${request.method} ${request.path}")))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "RouteSelectionExpression must be ${request.method} ${request.path} for HTTP APIs");
	if (!str_is(in->Target) && (str_is(in->RouteKey) || str_is(in->CredentialsArn)))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "RouteKey and CredentialsArn need a Target");
	return OK;
}

/* What --target makes: an integration, a route to it and a stage that deploys by itself. */
static void quick_create(req *rq, txn *tx, const apigatewayv2_CreateApi_in *in, str id)
{
	bool http = str_starts(in->Target, S("http"));
	apigatewayv2_Integration *i = arena_new(rq->mem, apigatewayv2_Integration);
	*i = (apigatewayv2_Integration){ .ApiGatewayManaged = BOOL(true), .IntegrationId = short_id(rq),
		.IntegrationType = http ? S("HTTP_PROXY") : S("AWS_PROXY"), .IntegrationUri = in->Target,
		.IntegrationMethod = http ? S("ANY") : S("POST"), .CredentialsArn = in->CredentialsArn,
		.ConnectionType = S("INTERNET"), .PayloadFormatVersion = http ? S("1.0") : S("2.0"),
		.TimeoutInMillis = I64(30000) };
	apigatewayv2_integration_put(tx, &(apigatewayv2_integration){ id, i->IntegrationId, i });
	apigatewayv2_Route r = { .ApiGatewayManaged = BOOL(true), .RouteId = short_id(rq),
		.ApiKeyRequired = BOOL(false), .AuthorizationType = S("NONE"),
		.RouteKey = str_is(in->RouteKey) ? in->RouteKey : S("$default"),
		.Target = arena_fmt(rq->mem, "integrations/%.*s", STR_ARG(i->IntegrationId)) };
	apigatewayv2_route_put(tx, &(apigatewayv2_route){ id, r.RouteId, &r });
	apigatewayv2_Stage s = { .ApiGatewayManaged = BOOL(true), .AutoDeploy = BOOL(true),
		.StageName = S("$default"), .CreatedDate = TIME(rq->now), .LastUpdatedDate = TIME(rq->now) };
	s.DefaultRouteSettings = arena_new(rq->mem, apigatewayv2_RouteSettings);
	s.DefaultRouteSettings->DetailedMetricsEnabled = BOOL(false);
	s.RouteSettings.v = arena_new(rq->mem, apigatewayv2_RouteSettingsMap_entry);
	s.StageVariables.v = arena_new(rq->mem, apigatewayv2_StageVariablesMap_entry);
	s.DeploymentId = deploy(rq, tx, id, S("Automatic deployment triggered by changes to the Api "
	                                     "configuration"), true);
	apigatewayv2_stage_put(tx, &(apigatewayv2_stage){ id, s.StageName, &s });
}

err apigatewayv2_CreateApi(req *rq, txn *tx, const apigatewayv2_CreateApi_in *in,
                           apigatewayv2_CreateApi_out *out)
{
	TRY(create_check(rq, in));
	bool websocket = str_eq(in->ProtocolType, apigatewayv2_ProtocolType_WEBSOCKET);
	apigatewayv2_Api a = { .RouteSelectionExpression = S("$request.method $request.path"),
		.ApiKeySelectionExpression = S("$request.header.x-api-key"),
		.DisableExecuteApiEndpoint = BOOL(false), .IpAddressType = S("ipv4"), .ApiId = api_id(rq),
		.CreatedDate = TIME(rq->now) };
	if (websocket)
		a.DisableSchemaValidation = BOOL(false);
	a.Tags.v = arena_new(rq->mem, apigatewayv2_Tags_entry);
	keep_input(rq, in, &apigatewayv2_Api_shape, &a);
	a.ApiEndpoint = api_endpoint(rq->mem, a.ApiId, rq->region, websocket);
	apigatewayv2_api_put(tx, &(apigatewayv2_api){ rq->who.account, rq->region, a.ApiId, &a });
	apigatewayv2_owner_put(tx, &(apigatewayv2_owner){ a.ApiId, rq->who.account, rq->region });
	if (str_is(in->Target))
		quick_create(rq, tx, in, a.ApiId);
	answer_from(rq, &apigatewayv2_Api_shape, &a, out);
	return OK;
}

/* The address belongs to the server that answers, which may listen elsewhere than when the API was made. */
static void with_endpoint(req *rq, apigatewayv2_api *api)
{
	api->It->ApiEndpoint = api_endpoint(rq->mem, api->ApiId, rq->region, is_websocket(api));
}

err apigatewayv2_GetApi(req *rq, const txn *tx, const apigatewayv2_GetApi_in *in,
                        apigatewayv2_GetApi_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	with_endpoint(rq, api);
	answer_from(rq, &apigatewayv2_Api_shape, api->It, out);
	return OK;
}

err apigatewayv2_GetApis(req *rq, const txn *tx, const apigatewayv2_GetApis_in *in,
                         apigatewayv2_GetApis_out *out)
{
	int64_t most = 0;
	if (str_is(in->MaxResults) && (!str_to_i64(in->MaxResults, &most) || most < 1))
		return fail(rq, &apigatewayv2_BadRequestException, "Invalid value for maxResults");
	if (!most || most > 1000)
		most = 1000;
	record_scan s = apigatewayv2_api_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	str after;
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &apigatewayv2_BadRequestException, "Invalid nextToken");
		record_scan_after(&s, after);
	}
	out->Items.v = arena_array(rq->mem, apigatewayv2_Api, (size_t)most);
	for (apigatewayv2_api *api; (api = apigatewayv2_api_next(&s));) {
		if (out->Items.n == (size_t)most) {
			cursor_close(&s.at);
			out->NextToken = page_token(rq, out->Items.v[out->Items.n - 1].ApiId);
			break;
		}
		with_endpoint(rq, api);
		out->Items.v[out->Items.n++] = *api->It;
	}
	return OK;
}

err apigatewayv2_UpdateApi(req *rq, txn *tx, const apigatewayv2_UpdateApi_in *in,
                           apigatewayv2_UpdateApi_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	if (str_is(in->Target) || str_is(in->RouteKey) || str_is(in->CredentialsArn))
		return fail(rq, &aws_NotImplemented, "Farthing does not change what a quick create has made.");
	if (in->CorsConfiguration && is_websocket(api))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "CORS configuration is not supported for WebSocket APIs");
	keep_input(rq, in, &apigatewayv2_Api_shape, api->It);
	with_endpoint(rq, api);
	apigatewayv2_api_put(tx, api);
	answer_from(rq, &apigatewayv2_Api_shape, api->It, out);
	return OK;
}

err apigatewayv2_DeleteCorsConfiguration(req *rq, txn *tx, const apigatewayv2_DeleteCorsConfiguration_in *in,
                                         apigatewayv2_DeleteCorsConfiguration_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	api->It->CorsConfiguration = NULL;
	apigatewayv2_api_put(tx, api);
	return OK;
}

static void drop_rows(req *rq, txn *tx, str id)
{
	record_scan s = apigatewayv2_integration_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigatewayv2_integration *r; (r = apigatewayv2_integration_next(&s));)
		apigatewayv2_integration_delete(tx, id, r->IntegrationId);
	s = apigatewayv2_route_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigatewayv2_route *r; (r = apigatewayv2_route_next(&s));)
		apigatewayv2_route_delete(tx, id, r->RouteId);
	s = apigatewayv2_authorizer_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigatewayv2_authorizer *r; (r = apigatewayv2_authorizer_next(&s));)
		apigatewayv2_authorizer_delete(tx, id, r->AuthorizerId);
	s = apigatewayv2_stage_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigatewayv2_stage *r; (r = apigatewayv2_stage_next(&s));)
		apigatewayv2_stage_delete(tx, id, r->StageName);
	s = apigatewayv2_deployment_scan(tx, rq->mem, 1, id, STR_NONE);
	for (apigatewayv2_deployment *r; (r = apigatewayv2_deployment_next(&s));)
		apigatewayv2_deployment_delete(tx, id, r->DeploymentId);
	s = apigatewayv2_routeresponse_scan(tx, rq->mem, 1, id, STR_NONE, STR_NONE);
	for (apigatewayv2_routeresponse *r; (r = apigatewayv2_routeresponse_next(&s));)
		apigatewayv2_routeresponse_delete(tx, id, r->RouteId, r->RouteResponseId);
}

err apigatewayv2_DeleteApi(req *rq, txn *tx, const apigatewayv2_DeleteApi_in *in,
                           apigatewayv2_DeleteApi_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	drop_rows(rq, tx, in->ApiId);
	apigatewayv2_owner_delete(tx, in->ApiId);
	apigatewayv2_api_delete(tx, rq->who.account, rq->region, in->ApiId);
	return OK;
}
