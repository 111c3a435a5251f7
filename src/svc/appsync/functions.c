/* Functions of pipelines. */
#include "appsync.h"

err code_check(req *rq, const appsync_AppSyncRuntime *runtime, str code, str request, str response)
{
	if (str_is(request) || str_is(response))
		return fail(rq, &aws_NotImplemented, "Farthing runs APPSYNC_JS; it does not implement mapping "
				"templates "
		            "(VTL).");
	if (str_is(code) && !runtime)
		return fail(rq, &appsync_BadRequestException, "Runtime is required when code is specified.");
	if (runtime && !str_is(code))
		return fail(rq, &appsync_BadRequestException, "Code is required when a runtime is specified.");
	if (runtime && !str_eq(runtime->runtimeVersion, S("1.0.0")))
		return fail(rq, &appsync_BadRequestException, "Unsupported runtime version: %.*s",
		            STR_ARG(runtime->runtimeVersion));
	return OK;
}

static err check(req *rq, const txn *tx, str api, const appsync_FunctionConfiguration *f)
{
	TRY(source_check(rq, tx, api, f->dataSourceName));
	TRY(code_check(rq, f->runtime, f->code, f->requestMappingTemplate, f->responseMappingTemplate));
	if (f->syncConfig)
		return fail(rq, &aws_NotImplemented, "Farthing does not implement conflict detection.");
	appsync_source *d = appsync_source_get(tx, rq->mem, api, f->dataSourceName);
	if (!str_is(f->code) && !str_eq(d->It->type, appsync_DataSourceType_AWS_LAMBDA))
		return fail(rq, &appsync_BadRequestException, "Code or mapping templates are required for data "
				"sources "
		            "of this type.");
	return OK;
}

static err find(req *rq, const txn *tx, str api, str id, appsync_function **f)
{
	appsync_api *a;
	TRY(graphql_api(rq, tx, api, &a));
	*f = appsync_function_get(tx, rq->mem, api, id);
	return *f ? OK : fail(rq, &appsync_NotFoundException, "No function found with id %.*s", STR_ARG(id));
}

static appsync_FunctionConfiguration *kept(req *rq, txn *tx, str api, appsync_FunctionConfiguration *f)
{
	appsync_FunctionConfiguration *copy = arena_new(rq->mem, appsync_FunctionConfiguration);
	if (str_is(f->code))
		f->functionVersion = STR_NONE;
	else if (!str_is(f->functionVersion))
		f->functionVersion = S("2018-05-29");
	if (!f->maxBatchSize.set)
		f->maxBatchSize = I64(0);
	appsync_function_put(tx, &(appsync_function){ api, f->functionId, f });
	*copy = *f;
	return copy;
}

err appsync_CreateFunction(req *rq, txn *tx, const appsync_CreateFunction_in *in,
                           appsync_CreateFunction_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	appsync_FunctionConfiguration f = { .functionId = long_id(rq) };
	f.functionArn = req_arn(rq, "appsync", "apis/%.*s/functions/%.*s", STR_ARG(in->apiId),
	                        STR_ARG(f.functionId));
	keep_given(rq, in, &appsync_FunctionConfiguration_shape, &f);
	TRY(check(rq, tx, in->apiId, &f));
	out->functionConfiguration = kept(rq, tx, in->apiId, &f);
	return OK;
}

err appsync_GetFunction(req *rq, const txn *tx, const appsync_GetFunction_in *in,
		appsync_GetFunction_out *out)
{
	appsync_function *f;
	TRY(find(rq, tx, in->apiId, in->functionId, &f));
	out->functionConfiguration = f->It;
	return OK;
}

err appsync_ListFunctions(req *rq, const txn *tx, const appsync_ListFunctions_in *in,
                          appsync_ListFunctions_out *out)
{
	appsync_api *api;
	size_t most;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	record_scan s = appsync_function_scan(tx, rq->mem, 1, in->apiId, STR_NONE);
	TRY(page_of(rq, in->maxResults, in->nextToken, &s, &most));
	out->functions.v = arena_array(rq->mem, appsync_FunctionConfiguration, most);
	for (appsync_function *r; (r = appsync_function_next(&s));) {
		if (out->functions.n == most) {
			out->nextToken = page_token(rq, out->functions.v[most - 1].functionId);
			break;
		}
		out->functions.v[out->functions.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

err appsync_UpdateFunction(req *rq, txn *tx, const appsync_UpdateFunction_in *in,
                           appsync_UpdateFunction_out *out)
{
	appsync_function *old;
	TRY(find(rq, tx, in->apiId, in->functionId, &old));
	appsync_FunctionConfiguration f = { .functionId = old->FunctionId, .functionArn = old->It->functionArn };
	keep_given(rq, in, &appsync_FunctionConfiguration_shape, &f);
	TRY(check(rq, tx, in->apiId, &f));
	out->functionConfiguration = kept(rq, tx, in->apiId, &f);
	return OK;
}

static bool uses(const appsync_resolver *r, str function)
{
	const appsync_PipelineConfig *c = r->It->pipelineConfig;
	for (size_t i = 0; c && i < c->functions.n; i++)
		if (str_eq(c->functions.v[i], function))
			return true;
	return false;
}

err appsync_DeleteFunction(req *rq, txn *tx, const appsync_DeleteFunction_in *in,
                           appsync_DeleteFunction_out *out)
{
	appsync_function *f;
	bool used = false;
	TRY(find(rq, tx, in->apiId, in->functionId, &f));
	record_scan s = appsync_resolver_scan(tx, rq->mem, 1, in->apiId, STR_NONE, STR_NONE);
	for (appsync_resolver *r; !used && (r = appsync_resolver_next(&s));)
		used = uses(r, in->functionId);
	cursor_close(&s.at);
	if (used)
		return fail(rq, &appsync_BadRequestException, "Cannot delete a function that is in use by a pipeline "
		            "resolver.");
	appsync_function_delete(tx, in->apiId, in->functionId);
	return OK;
}

err appsync_ListResolversByFunction(req *rq, const txn *tx, const appsync_ListResolversByFunction_in *in,
                                    appsync_ListResolversByFunction_out *out)
{
	appsync_function *f;
	size_t most = in->maxResults.set && in->maxResults.v ? (size_t)in->maxResults.v : 25, skip = 0, seen = 0;
	int64_t from = 0;
	str at;
	TRY(find(rq, tx, in->apiId, in->functionId, &f));
	if (str_is(in->nextToken) && (!page_position(rq, in->nextToken, &at) || !str_to_i64(at, &from)))
		return fail(rq, &appsync_BadRequestException, "Invalid pagination token given.");
	skip = (size_t)from;
	out->resolvers.v = arena_array(rq->mem, appsync_Resolver, most);
	record_scan s = appsync_resolver_scan(tx, rq->mem, 1, in->apiId, STR_NONE, STR_NONE);
	for (appsync_resolver *r; (r = appsync_resolver_next(&s));) {
		if (!uses(r, in->functionId) || seen++ < skip)
			continue;
		if (out->resolvers.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%zu", skip + most));
			break;
		}
		out->resolvers.v[out->resolvers.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}
