/* Authorizers: issuers of tokens, and functions, that say who comes. */
#include "cloud/front_authorizer.h"
#include "gateway.h"

#define TTL 300
#define FORM_2 S("2.0")

static err bad(req *rq, const char *why)
{
	return fail(rq, &apigatewayv2_BadRequestException, "%s", why);
}

static bool is_source(str s, bool websocket)
{
	static const char *const http[] = { "$request.header.", "$request.querystring.", "$context.",
		"$stageVariables.", NULL };
	static const char *const socket[] = { "route.request.header.", "route.request.querystring.", "context.",
		"stageVariables.", NULL };
	for (const char *const *p = websocket ? socket : http; *p; p++)
		if (str_starts(s, str_c(*p)) && s.n > str_c(*p).n)
			return true;
	return false;
}

static err sources_check(req *rq, const apigatewayv2_Authorizer *a, bool websocket)
{
	for (size_t i = 0; i < a->IdentitySource.n; i++)
		if (!is_source(a->IdentitySource.v[i], websocket))
			return fail(rq, &apigatewayv2_BadRequestException,
			            "Invalid request identity source expression: %.*s",
			            STR_ARG(a->IdentitySource.v[i]));
	if (a->AuthorizerResultTtlInSeconds.v > 0 && !a->IdentitySource.n)
		return bad(rq, "Identity source must be set if authorizer caching is enabled (TTL is greater than "
		           "0)");
	return OK;
}

static err jwt_check(req *rq, const apigatewayv2_Authorizer *a, bool websocket)
{
	const apigatewayv2_JWTConfiguration *c = a->JwtConfiguration;
	if (websocket)
		return bad(rq, "JWT authorizers are only supported for HTTP APIs");
	if (!c)
		return bad(rq, "JwtConfiguration must not be null for JWT Authorizer");
	if (!str_starts(c->Issuer, S("https://")) && !str_starts(c->Issuer, S("http://")))
		return fail(rq, &apigatewayv2_BadRequestException, "Invalid issuer: %.*s. Issuer must have a valid "
		            "discovery endpoint ended with '/.well-known/openid-configuration'",
		            STR_ARG(str_is(c->Issuer) ? c->Issuer : S("null")));
	if (!c->Audience.n)
		return bad(rq, "Audience must not be empty for JWT Authorizer");
	if (a->IdentitySource.n != 1)
		return bad(rq, "JWT Authorizer must have exactly one identity source");
	return sources_check(rq, a, false);
}

static err check(req *rq, const apigatewayv2_Authorizer *a, bool websocket)
{
	str form = a->AuthorizerPayloadFormatVersion;
	if (str_eq(a->AuthorizerType, S("JWT")))
		return jwt_check(rq, a, websocket);
	if (!a->AuthorizerUri.n)
		return bad(rq, "AuthorizerUri is a required field in an Authorizer");
	if (str_find(a->AuthorizerUri, S(":lambda:path/2015-03-31/functions/")) == SIZE_MAX)
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Invalid Authorizer URI: %.*s. Authorizer URI should be a valid API Gateway ARN that "
		            "represents a Lambda function invocation.", STR_ARG(a->AuthorizerUri));
	if (!websocket && !str_is(form))
		return bad(rq, "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer");
	if (!websocket && !str_eq(form, FORM_2) && !str_eq(form, S("1.0")))
		return fail(rq, &apigatewayv2_BadRequestException,
		            "AuthorizerPayloadFormatVersion %.*s is not supported", STR_ARG(form));
	if (a->EnableSimpleResponses.v && !str_eq(form, FORM_2))
		return bad(rq, "EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion \"2.0\".");
	return sources_check(rq, a, websocket);
}

static err too_many(req *rq, const txn *tx, str api)
{
	size_t n = 0;
	record_scan s = apigatewayv2_authorizer_scan(tx, rq->mem, 1, api, STR_NONE);
	while (apigatewayv2_authorizer_next(&s))
		n++;
	return n < APIGW_AUTHORIZERS_MAX ? OK
		: fail(rq, &apigatewayv2_TooManyRequestsException, "Maximum number of Authorizers for this API has "
		       "been reached. Please contact AWS if you need additional Authorizers.");
}

err apigatewayv2_CreateAuthorizer(req *rq, txn *tx, const apigatewayv2_CreateAuthorizer_in *in,
                                  apigatewayv2_CreateAuthorizer_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	apigatewayv2_Authorizer a = { .AuthorizerId = short_id(rq) };
	keep_input(rq, in, &apigatewayv2_Authorizer_shape, &a);
	TRY(check(rq, &a, is_websocket(api)));
	TRY(too_many(rq, tx, in->ApiId));
	if (str_eq(a.AuthorizerType, S("REQUEST")) && !is_websocket(api)) {
		if (!a.AuthorizerResultTtlInSeconds.set)
			a.AuthorizerResultTtlInSeconds = I64(a.IdentitySource.n ? TTL : 0);
		if (!a.EnableSimpleResponses.set)
			a.EnableSimpleResponses = BOOL(false);
	}
	apigatewayv2_authorizer_put(tx, &(apigatewayv2_authorizer){ in->ApiId, a.AuthorizerId, &a });
	answer_from(rq, &apigatewayv2_Authorizer_shape, &a, out);
	return OK;
}

static err authorizer_find(req *rq, const txn *tx, str api, str id, apigatewayv2_api **parent,
                           apigatewayv2_authorizer **a)
{
	TRY(api_find(rq, tx, api, parent));
	*a = apigatewayv2_authorizer_get(tx, rq->mem, api, id);
	return *a ? OK : fail(rq, &apigatewayv2_NotFoundException, "Invalid Authorizer identifier specified");
}

err apigatewayv2_GetAuthorizer(req *rq, const txn *tx, const apigatewayv2_GetAuthorizer_in *in,
                               apigatewayv2_GetAuthorizer_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_authorizer *a;
	TRY(authorizer_find(rq, tx, in->ApiId, in->AuthorizerId, &api, &a));
	answer_from(rq, &apigatewayv2_Authorizer_shape, a->It, out);
	return OK;
}

err apigatewayv2_GetAuthorizers(req *rq, const txn *tx, const apigatewayv2_GetAuthorizers_in *in,
                                apigatewayv2_GetAuthorizers_out *out)
{
	apigatewayv2_api *api;
	TRY(api_find(rq, tx, in->ApiId, &api));
	out->Items = snapshot_of(tx, rq->mem, in->ApiId)->Authorizers;
	return OK;
}

err apigatewayv2_UpdateAuthorizer(req *rq, txn *tx, const apigatewayv2_UpdateAuthorizer_in *in,
                                  apigatewayv2_UpdateAuthorizer_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_authorizer *a;
	TRY(authorizer_find(rq, tx, in->ApiId, in->AuthorizerId, &api, &a));
	keep_input(rq, in, &apigatewayv2_Authorizer_shape, a->It);
	TRY(check(rq, a->It, is_websocket(api)));
	apigatewayv2_authorizer_put(tx, a);
	answer_from(rq, &apigatewayv2_Authorizer_shape, a->It, out);
	return OK;
}

err apigatewayv2_DeleteAuthorizer(req *rq, txn *tx, const apigatewayv2_DeleteAuthorizer_in *in,
                                  apigatewayv2_DeleteAuthorizer_out *out)
{
	apigatewayv2_api *api;
	apigatewayv2_authorizer *a;
	TRY(authorizer_find(rq, tx, in->ApiId, in->AuthorizerId, &api, &a));
	apigatewayv2___listOfRoute all = snapshot_of(tx, rq->mem, in->ApiId)->Routes;
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.v[i].AuthorizerId, in->AuthorizerId))
			return fail(rq, &apigatewayv2_ConflictException,
			            "Cannot delete authorizer '%.*s', is referenced in route: %.*s",
			            STR_ARG(a->It->Name), STR_ARG(all.v[i].RouteKey));
	apigatewayv2_authorizer_delete(tx, in->ApiId, in->AuthorizerId);
	return OK;
}

err route_authorizer_check(req *rq, const txn *tx, const apigatewayv2_api *api, apigatewayv2_Route *r)
{
	str type = r->AuthorizationType;
	bool jwt = str_eq(type, S("JWT")), custom = str_eq(type, S("CUSTOM")), socket = is_websocket(api);
	if (socket && !str_eq(type, S("NONE")) && !str_eq(r->RouteKey, S("$connect")))
		return bad(rq, "Currently, authorization is restricted to the $connect route only");
	if (r->AuthorizationScopes.n && !jwt)
		return bad(rq, "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization "
		           "type");
	if (!jwt && !custom) {
		r->AuthorizerId = STR_NONE;
		return OK;
	}
	const apigatewayv2_authorizer *a = r->AuthorizerId.n
		? apigatewayv2_authorizer_get(tx, rq->mem, api->ApiId, r->AuthorizerId) : NULL;
	if (!a || str_eq(a->It->AuthorizerType, S("JWT")) != jwt)
		return fail(rq, &apigatewayv2_BadRequestException,
		            "Setting the authorization type to %s requires a valid %s authorizer.",
		            jwt ? "JWT" : "CUSTOM", jwt ? "JWT" : "REQUEST");
	return OK;
}

err apigatewayv2_ResetAuthorizersCache(req *rq, const apigatewayv2_ResetAuthorizersCache_in *in,
                                       apigatewayv2_ResetAuthorizersCache_out *out)
{
	const txn *tx = req_read(rq);
	err e = stage_check(rq, tx, in->ApiId, in->StageName);
	req_read_end(rq, tx);
	if (!e)
		front_forget(arena_fmt(rq->mem, "%.*s/%.*s/", STR_ARG(in->ApiId), STR_ARG(in->StageName)));
	return e;
}
