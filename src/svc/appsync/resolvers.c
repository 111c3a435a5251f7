/* Resolvers: what gives a field of a type its value. */
#include "plane.h"

static err check_pipeline(req *rq, const txn *tx, str api, const appsync_Resolver *r)
{
	const appsync_PipelineConfig *c = r->pipelineConfig;
	if (str_is(r->dataSourceName))
		return fail(rq, &appsync_BadRequestException, "Data source cannot be specified for pipeline "
				"resolvers.");
	if (!str_is(r->code))
		return fail(rq, &appsync_BadRequestException, "Code or mapping templates are required for pipeline "
		            "resolvers.");
	if (c && c->functions.n > APPSYNC_PIPELINE_MAX)
		return fail(rq, &appsync_BadRequestException, "A pipeline can have at most %d functions.",
		            APPSYNC_PIPELINE_MAX);
	for (size_t i = 0; c && i < c->functions.n; i++)
		if (!appsync_function_get(tx, rq->mem, api, c->functions.v[i]))
			return fail(rq, &appsync_NotFoundException, "No function found with id %.*s",
			            STR_ARG(c->functions.v[i]));
	return OK;
}

static err check_unit(req *rq, const txn *tx, str api, const appsync_Resolver *r)
{
	if (r->pipelineConfig && r->pipelineConfig->functions.n)
		return fail(rq, &appsync_BadRequestException, "Pipeline config is only allowed for pipeline "
				"resolvers.");
	if (!str_is(r->dataSourceName))
		return fail(rq, &appsync_BadRequestException, "Data source is required for unit resolvers.");
	TRY(source_check(rq, tx, api, r->dataSourceName));
	appsync_source *d = appsync_source_get(tx, rq->mem, api, r->dataSourceName);
	if (!str_is(r->code) && !str_eq(d->It->type, appsync_DataSourceType_AWS_LAMBDA))
		return fail(rq, &appsync_BadRequestException, "Code or mapping templates are required for data "
				"sources "
		            "of this type.");
	return OK;
}

static err check(req *rq, const txn *tx, str api, appsync_Resolver *r)
{
	if (!str_is(r->kind))
		r->kind = appsync_ResolverKind_UNIT;
	TRY(code_check(rq, r->runtime, r->code, r->requestMappingTemplate, r->responseMappingTemplate));
	if (r->syncConfig)
		return fail(rq, &aws_NotImplemented, "Farthing does not implement conflict detection.");
	if (r->cachingConfig)
		return fail(rq, &aws_NotImplemented, "Farthing does not implement caches of resolvers.");
	if (!r->maxBatchSize.set)
		r->maxBatchSize = I64(0);
	return str_eq(r->kind, appsync_ResolverKind_PIPELINE) ? check_pipeline(rq, tx, api, r)
	                                                      : check_unit(rq, tx, api, r);
}

/* The field must be in the schema. */
static err check_field(req *rq, const txn *tx, str api, str type, str field)
{
	appsync_schema *row = appsync_schema_get(tx, rq->mem, api);
	gql_schema *s = row && str_is(row->Definition) ? graphql_schema(rq->mem, api, row->Definition) : NULL;
	gql_named *t = s ? gql_named_of(s, type) : NULL;
	if (!t || t->own)
		return fail(rq, &appsync_NotFoundException, "Type %.*s not found", STR_ARG(type));
	if (t->sort != GQL_OBJECT_TYPE || !gql_field_of(t, field))
		return fail(rq, &appsync_NotFoundException, "No field named %.*s found on type %.*s", STR_ARG(field),
		            STR_ARG(type));
	return OK;
}

err appsync_CreateResolver(req *rq, txn *tx, const appsync_CreateResolver_in *in,
                           appsync_CreateResolver_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	TRY(check_field(rq, tx, in->apiId, in->typeName, in->fieldName));
	appsync_Resolver r = { .resolverArn = req_arn(rq, "appsync", "apis/%.*s/types/%.*s/resolvers/%.*s",
	                                              STR_ARG(in->apiId), STR_ARG(in->typeName),
	                                              STR_ARG(in->fieldName)) };
	keep_given(rq, in, &appsync_Resolver_shape, &r);
	TRY(check(rq, tx, in->apiId, &r));
	if (appsync_resolver_get(tx, rq->mem, in->apiId, in->typeName, in->fieldName))
		return fail(rq, &appsync_BadRequestException, "Only one resolver is allowed per field.");
	appsync_resolver_put(tx, &(appsync_resolver){ in->apiId, in->typeName, in->fieldName, &r });
	out->resolver = arena_new(rq->mem, appsync_Resolver);
	*out->resolver = r;
	return OK;
}

static err find(req *rq, const txn *tx, str api, str type, str field, appsync_resolver **r)
{
	appsync_api *a;
	TRY(graphql_api(rq, tx, api, &a));
	*r = appsync_resolver_get(tx, rq->mem, api, type, field);
	return *r ? OK : fail(rq, &appsync_NotFoundException, "No resolver found.");
}

err appsync_GetResolver(req *rq, const txn *tx, const appsync_GetResolver_in *in,
		appsync_GetResolver_out *out)
{
	appsync_resolver *r;
	TRY(find(rq, tx, in->apiId, in->typeName, in->fieldName, &r));
	out->resolver = r->It;
	return OK;
}

err appsync_ListResolvers(req *rq, const txn *tx, const appsync_ListResolvers_in *in,
                          appsync_ListResolvers_out *out)
{
	appsync_api *api;
	size_t most;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	record_scan s = appsync_resolver_scan(tx, rq->mem, 2, in->apiId, in->typeName, STR_NONE);
	TRY(page_of(rq, in->maxResults, in->nextToken, &s, &most));
	out->resolvers.v = arena_array(rq->mem, appsync_Resolver, most);
	for (appsync_resolver *r; (r = appsync_resolver_next(&s));) {
		if (out->resolvers.n == most) {
			out->nextToken = page_token(rq, out->resolvers.v[most - 1].fieldName);
			break;
		}
		out->resolvers.v[out->resolvers.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

err appsync_UpdateResolver(req *rq, txn *tx, const appsync_UpdateResolver_in *in,
                           appsync_UpdateResolver_out *out)
{
	appsync_resolver *old;
	TRY(find(rq, tx, in->apiId, in->typeName, in->fieldName, &old));
	appsync_Resolver r = { .resolverArn = old->It->resolverArn };
	keep_given(rq, in, &appsync_Resolver_shape, &r);
	TRY(check(rq, tx, in->apiId, &r));
	old->It = &r;
	appsync_resolver_put(tx, old);
	out->resolver = arena_new(rq->mem, appsync_Resolver);
	*out->resolver = r;
	return OK;
}

err appsync_DeleteResolver(req *rq, txn *tx, const appsync_DeleteResolver_in *in,
                           appsync_DeleteResolver_out *out)
{
	appsync_resolver *r;
	TRY(find(rq, tx, in->apiId, in->typeName, in->fieldName, &r));
	appsync_resolver_delete(tx, in->apiId, in->typeName, in->fieldName);
	return OK;
}
