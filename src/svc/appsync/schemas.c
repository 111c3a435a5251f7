/*
 * Schemas. AWS makes one in the background and says PROCESSING; here it is read before the answer, and a
 * schema that is wrong leaves the one that was there.
 */
#include "execute.h"

typedef struct making {
	const appsync_StartSchemaCreation_in *in;
	str details; /* absent: it is good */
} making;

static err keep(req *rq, txn *tx, void *context)
{
	making *m = context;
	appsync_api *api;
	TRY(graphql_api(rq, tx, m->in->apiId, &api));
	appsync_schema *old = appsync_schema_get(tx, rq->mem, m->in->apiId);
	appsync_schema next = { .ApiId = m->in->apiId, .Definition = m->in->definition,
		.Status = appsync_SchemaStatus_SUCCESS,
		.Details = S("Successfully created schema.") };
	if (str_is(m->details)) {
		next.Definition = old ? old->Definition : STR_NONE;
		next.Status = appsync_SchemaStatus_FAILED;
		next.Details = m->details;
	}
	appsync_schema_put(tx, &next);
	return OK;
}

err appsync_StartSchemaCreation(req *rq, const appsync_StartSchemaCreation_in *in,
                                appsync_StartSchemaCreation_out *out)
{
	gql_problem p;
	making m = { in, STR_NONE };
	const txn *tx = req_read(rq);
	appsync_api *api;
	err missing = graphql_api(rq, tx, in->apiId, &api);
	req_read_end(rq, tx);
	TRY(missing);
	if (in->definition.n > APPSYNC_SCHEMA_BYTES)
		return fail(rq, &appsync_BadRequestException, "Schema size exceeds 1 MB.");
	if (!gql_parse_schema(rq->mem, in->definition, &p))
		m.details = arena_fmt(rq->mem, "Failed to parse schema document - ensure it's a valid SDL-formatted "
		                      "document: %.*s at line %d column %d", STR_ARG(p.message), p.at.line,
				p.at.column);
	TRY(req_write(rq, keep, &m));
	out->status = appsync_SchemaStatus_PROCESSING;
	return OK;
}

err appsync_GetSchemaCreationStatus(req *rq, const txn *tx, const appsync_GetSchemaCreationStatus_in *in,
                                    appsync_GetSchemaCreationStatus_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	appsync_schema *s = appsync_schema_get(tx, rq->mem, in->apiId);
	out->status = s ? s->Status : appsync_SchemaStatus_NOT_APPLICABLE;
	out->details = s ? s->Details : STR_NONE;
	return OK;
}

static err schema_of(req *rq, const txn *tx, str id, appsync_api **api, appsync_schema **row, gql_schema **s)
{
	gql_problem p;
	TRY(graphql_api(rq, tx, id, api));
	*row = appsync_schema_get(tx, rq->mem, id);
	*s = *row && str_is((*row)->Definition) ? gql_parse_schema(rq->mem, (*row)->Definition, &p) : NULL;
	return *s ? OK : fail(rq, &appsync_NotFoundException, "No schema found for API %.*s", STR_ARG(id));
}

err appsync_GetIntrospectionSchema(req *rq, const appsync_GetIntrospectionSchema_in *in,
                                   appsync_GetIntrospectionSchema_out *out)
{
	appsync_api *api;
	appsync_schema *row;
	gql_schema *s;
	const txn *tx = req_read(rq);
	err missing = schema_of(rq, tx, in->apiId, &api, &row, &s);
	req_read_end(rq, tx);
	TRY(missing);
	if (str_eq(in->format, appsync_OutputType_SDL)) {
		out->schema = row->Definition;
		return OK;
	}
	api->It->introspectionConfig = appsync_GraphQLApiIntrospectionConfig_ENABLED; /* for its owner it is */
	out->schema = introspection_of(rq->mem, rq->store, rq, api, s);
	if (!str_is(out->schema))
		return fail(rq, &appsync_GraphQLSchemaException, "The schema cannot be introspected.");
	return OK;
}

static err type_of(req *rq, const gql_named *t, str api, str format, appsync_Type *out)
{
	if (!str_eq(format, appsync_TypeDefinitionFormat_SDL))
		return fail(rq, &aws_NotImplemented, "Farthing writes types as SDL only.");
	*out = (appsync_Type){ .name = t->name, .description = t->about, .definition = t->text, .format = format,
		.arn = req_arn(rq, "appsync", "apis/%.*s/types/%.*s", STR_ARG(api), STR_ARG(t->name)) };
	return OK;
}

err appsync_GetType(req *rq, const txn *tx, const appsync_GetType_in *in, appsync_GetType_out *out)
{
	appsync_api *api;
	appsync_schema *row;
	gql_schema *s;
	TRY(schema_of(rq, tx, in->apiId, &api, &row, &s));
	gql_named *t = gql_named_of(s, in->typeName);
	if (!t || t->own)
		return fail(rq, &appsync_NotFoundException, "Type %.*s not found", STR_ARG(in->typeName));
	out->type = arena_new(rq->mem, appsync_Type);
	return type_of(rq, t, in->apiId, in->format, out->type);
}

err appsync_ListTypes(req *rq, const txn *tx, const appsync_ListTypes_in *in, appsync_ListTypes_out *out)
{
	appsync_api *api;
	appsync_schema *row;
	gql_schema *s;
	size_t most = in->maxResults.set && in->maxResults.v ? (size_t)in->maxResults.v : 25;
	int64_t skip = 0, seen = 0;
	str at;
	TRY(schema_of(rq, tx, in->apiId, &api, &row, &s));
	if (str_is(in->nextToken) && (!page_position(rq, in->nextToken, &at) || !str_to_i64(at, &skip)))
		return fail(rq, &appsync_BadRequestException, "Invalid pagination token given.");
	out->types.v = arena_array(rq->mem, appsync_Type, most);
	for (gql_named *t = s->first; t; t = t->next) {
		if (t->own || seen++ < skip)
			continue;
		if (out->types.n == most) {
			out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)skip + (long long)most));
			break;
		}
		TRY(type_of(rq, t, in->apiId, in->format, &out->types.v[out->types.n++]));
	}
	return OK;
}
