/* Authorizers: functions that say who comes and what they may do, and user pools. */
#include "rest.h"
#include "sys/rand.h"

#define TTL_MAX 3600

static err authorizer_find(req *rq, const txn *tx, str api, str id, apigateway_authorizer **a)
{
	bool mine = apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, api) != NULL;
	*a = mine ? apigateway_authorizer_get(tx, rq->mem, api, id) : NULL;
	return *a ? OK : fail(rq, &apigateway_NotFoundException, "Invalid Authorizer identifier specified");
}

/* What is not said is not told either. */
int64_t authorizer_ttl(const apigateway_Authorizer *a)
{
	return a->authorizerResultTtlInSeconds.set ? a->authorizerResultTtlInSeconds.v : REST_TTL;
}

static bool is_source(str s)
{
	return str_starts(s, S("method.request.header.")) || str_starts(s, S("method.request.querystring.")) ||
	       str_starts(s, S("stageVariables.")) || str_starts(s, S("context."));
}

static err sources_check(req *rq, const apigateway_Authorizer *a)
{
	bool token = !str_eq(a->type, S("REQUEST"));
	int64_t ttl = authorizer_ttl(a);
	if (!str_is(a->identitySource) || !a->identitySource.n) {
		if (!token && ttl == 0)
			return OK;
		return fail(rq, &apigateway_BadRequestException, "Identity source is required%s.",
		            token ? "" : " when caching is enabled");
	}
	str rest = a->identitySource;
	while (str_is(rest)) {
		str one = str_trim(str_cut(&rest, ','));
		if (!is_source(one) || (token && !str_starts(one, S("method.request.header."))))
			return fail(rq, &apigateway_BadRequestException,
			            "Invalid mapping expression specified: Validation "
			            "Result: warnings : [], errors : [Invalid mapping expression specified: %.*s]",
			            STR_ARG(one));
	}
	return OK;
}

/* What names no user pool could never let anyone in. */
static err pools_check(req *rq, const apigateway_Authorizer *a)
{
	if (!a->providerARNs.n)
		return fail(rq, &apigateway_BadRequestException,
		            "COGNITO_USER_POOLS authorizers need at least one provider ARN");
	for (size_t i = 0; i < a->providerARNs.n; i++)
		if (!str_starts(a->providerARNs.v[i], S("arn:aws:cognito-idp:")) ||
		    str_find(a->providerARNs.v[i], S(":userpool/")) == SIZE_MAX)
			return fail(rq, &apigateway_BadRequestException, "Invalid Cognito User Pool ARN: %.*s",
			            STR_ARG(a->providerARNs.v[i]));
	if (!str_is(a->identitySource) || !a->identitySource.n)
		return fail(rq, &apigateway_BadRequestException, "Identity source is required.");
	return sources_check(rq, a);
}

static err check(req *rq, const apigateway_Authorizer *a)
{
	if (!a->name.n)
		return fail(rq, &apigateway_BadRequestException, "Authorizer name must be non-empty");
	if (str_eq(a->type, S("COGNITO_USER_POOLS")))
		return pools_check(rq, a);
	if (str_find(a->authorizerUri, S(":lambda:path/2015-03-31/functions/")) == SIZE_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid Authorizer URI: %.*s. Authorizer URI should be a "
		            "valid API Gateway ARN that represents a Lambda function invocation.",
		            STR_ARG(str_is(a->authorizerUri) ? a->authorizerUri : S("null")));
	if (a->authorizerResultTtlInSeconds.v < 0 || a->authorizerResultTtlInSeconds.v > TTL_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "Authorizer result TTL must be between 0 and %d seconds", TTL_MAX);
	return sources_check(rq, a);
}

/* After the row is there: with it, not too many, and no other of its name. */
static err alone(req *rq, const txn *tx, str api, const apigateway_Authorizer *a)
{
	size_t n = 0;
	record_scan s = apigateway_authorizer_scan(tx, rq->mem, 1, api, STR_NONE);
	for (apigateway_authorizer *other; (other = apigateway_authorizer_next(&s)); n++)
		if (str_eq(other->It->name, a->name) && !str_eq(other->Id, a->id)) {
			cursor_close(&s.at);
			return fail(rq, &apigateway_ConflictException,
			            "Authorizer name must be unique. Authorizer %.*s already "
			            "exists in this RestApi.",
			            STR_ARG(a->name));
		}
	return n <= REST_AUTHORIZERS_MAX ? OK
									 : fail(rq, &apigateway_LimitExceededException,
	                                        "Maximum number of Authorizers for this API has been reached. "
	                                        "Please contact AWS if you need additional Authorizers.");
}

err apigateway_CreateAuthorizer(req *rq, txn *tx, const apigateway_CreateAuthorizer_in *in,
                                apigateway_CreateAuthorizer_out *out)
{
	if (!apigateway_api_get(tx, rq->mem, rq->who.account, rq->region, in->restApiId))
		return fail(rq, &apigateway_ConflictException, "Unable to complete operation due to concurrent "
		            "modification. Please try again later.");
	apigateway_Authorizer a = { .id = rand_text(rq->mem, 6, REST_ID_LETTERS), .authType = S("custom") };
	overlay(rq->mem, rq->op->input, in, &apigateway_Authorizer_shape, &a);
	bool pools = str_eq(a.type, S("COGNITO_USER_POOLS"));
	if (pools) {
		a.authType = S("cognito_user_pools");
		a.authorizerUri = a.authorizerCredentials = STR_NONE;
		if (!str_is(a.identitySource))
			a.identitySource = S("method.request.header.Authorization");
	} else {
		a.providerARNs = (apigateway_ListOfARNs){ 0 };
	}
	TRY(check(rq, &a));
	apigateway_authorizer_put(tx, &(apigateway_authorizer){ in->restApiId, a.id, &a });
	TRY(alone(rq, tx, in->restApiId, &a));
	rest_answer(rq, &apigateway_Authorizer_shape, &a, out);
	return OK;
}

err apigateway_GetAuthorizer(req *rq, const txn *tx, const apigateway_GetAuthorizer_in *in,
                             apigateway_GetAuthorizer_out *out)
{
	apigateway_authorizer *a;
	TRY(authorizer_find(rq, tx, in->restApiId, in->authorizerId, &a));
	rest_answer(rq, &apigateway_Authorizer_shape, a->It, out);
	return OK;
}

err apigateway_GetAuthorizers(req *rq, const txn *tx, const apigateway_GetAuthorizers_in *in,
                              apigateway_GetAuthorizers_out *out)
{
	apigateway_api *api;
	size_t most;
	TRY(rest_find(rq, tx, in->restApiId, &api));
	record_scan s = apigateway_authorizer_scan(tx, rq->mem, 1, in->restApiId, STR_NONE);
	TRY(rest_page(rq, in->limit, in->position, &s, &most));
	out->items.v = arena_array(rq->mem, apigateway_Authorizer, most);
	for (apigateway_authorizer *a; (a = apigateway_authorizer_next(&s));) {
		if (out->items.n == most) {
			out->position = page_token(rq, out->items.v[most - 1].id);
			break;
		}
		out->items.v[out->items.n++] = *a->It;
	}
	cursor_close(&s.at);
	return OK;
}

static err authorizer_patch(req *rq, const apigateway_PatchOperation *p, apigateway_Authorizer *a)
{
	if (str_eq(p->path, S("/id")) || str_eq(p->path, S("/authType")))
		return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(p->path));
	if (!str_eq(p->path, S("/providerARNs")))
		return patch_apply(rq, &(apigateway_ListOfPatchOperation){ (apigateway_PatchOperation *)p, 1 },
		                   &apigateway_Authorizer_shape, a);
	apigateway_ListOfString all = { a->providerARNs.v, a->providerARNs.n };
	TRY(patch_list(rq, p, p->value, &all)); /* named by the value */
	a->providerARNs = (apigateway_ListOfARNs){ all.v, all.n };
	return OK;
}

err apigateway_UpdateAuthorizer(req *rq, txn *tx, const apigateway_UpdateAuthorizer_in *in,
                                apigateway_UpdateAuthorizer_out *out)
{
	apigateway_authorizer *a;
	TRY(authorizer_find(rq, tx, in->restApiId, in->authorizerId, &a));
	TRY(patch_few(rq, &in->patchOperations));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		TRY(authorizer_patch(rq, &in->patchOperations.v[i], a->It));
	TRY(check(rq, a->It));
	apigateway_authorizer_put(tx, a);
	TRY(alone(rq, tx, in->restApiId, a->It));
	rest_answer(rq, &apigateway_Authorizer_shape, a->It, out);
	return OK;
}

err apigateway_DeleteAuthorizer(req *rq, txn *tx, const apigateway_DeleteAuthorizer_in *in,
                                apigateway_DeleteAuthorizer_out *out)
{
	apigateway_authorizer *a;
	TRY(authorizer_find(rq, tx, in->restApiId, in->authorizerId, &a));
	apigateway_ListOfResource all = resources_of(tx, rq->mem, in->restApiId);
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < all.v[i].resourceMethods.n; k++)
			if (str_eq(all.v[i].resourceMethods.v[k].value.authorizerId, in->authorizerId))
				return fail(rq, &apigateway_ConflictException,
				            "Cannot delete authorizer '%.*s', is referenced in "
				            "method: %.*s/%.*s",
				            STR_ARG(a->It->name), STR_ARG(all.v[i].path),
				            STR_ARG(all.v[i].resourceMethods.v[k].key));
	apigateway_authorizer_delete(tx, in->restApiId, in->authorizerId);
	return OK;
}
