/* Data sources. */
#include "appsync.h"
#include "cloud/target.h"

err source_check(req *rq, const txn *tx, str api, str name)
{
	if (appsync_source_get(tx, rq->mem, api, name))
		return OK;
	return fail(rq, &appsync_NotFoundException, "No data source found named %.*s", STR_ARG(name));
}

static err check_http(req *rq, const appsync_DataSource *d)
{
	if (!d->httpConfig || !d->httpConfig->endpoint.n)
		return fail(rq, &appsync_BadRequestException, "Http config cannot be null for data source type "
				"HTTP.");
	str e = d->httpConfig->endpoint;
	if (!str_starts(e, S("http://")) && !str_starts(e, S("https://")))
		return fail(rq, &appsync_BadRequestException, "The endpoint has an invalid URL format.");
	if (d->httpConfig->authorizationConfig)
		return fail(rq, &aws_NotImplemented, "Farthing does not sign requests of HTTP data sources.");
	return OK;
}

static err check(req *rq, const appsync_DataSource *d)
{
	arn_parts a;
	if (str_eq(d->type, appsync_DataSourceType_NONE))
		return OK;
	if (str_eq(d->type, appsync_DataSourceType_HTTP))
		return check_http(rq, d);
	bool dynamodb = str_eq(d->type, appsync_DataSourceType_AMAZON_DYNAMODB);
	if (!dynamodb && !str_eq(d->type, appsync_DataSourceType_AWS_LAMBDA))
		return fail(rq, &aws_NotImplemented, "Farthing does not implement data sources of type %.*s.",
		            STR_ARG(d->type));
	if (dynamodb ? !d->dynamodbConfig : !d->lambdaConfig)
		return fail(rq, &appsync_BadRequestException, dynamodb
		            ? "DynamoDB config cannot be null for data source type AMAZON_DYNAMODB."
		            : "Lambda config cannot be null for data source type AWS_LAMBDA.");
	if (dynamodb && (d->dynamodbConfig->versioned.v || d->dynamodbConfig->useCallerCredentials.v))
		return fail(rq, &aws_NotImplemented, "Farthing implements neither versioned data sources nor those "
				"with "
		            "the caller's credentials.");
	if (!dynamodb && (!arn_split(d->lambdaConfig->lambdaFunctionArn, &a) || !str_eq(a.service, S("lambda"))))
		return fail(rq, &appsync_BadRequestException, "Invalid Lambda function ARN.");
	if (!str_is(d->serviceRoleArn))
		return fail(rq, &appsync_BadRequestException, "The service role ARN must be provided for this data "
		            "source type.");
	if (!arn_split(d->serviceRoleArn, &a) || !str_eq(a.service, S("iam")))
		return fail(rq, &appsync_BadRequestException, "The service role ARN is invalid.");
	return OK;
}

err appsync_CreateDataSource(req *rq, txn *tx, const appsync_CreateDataSource_in *in,
                             appsync_CreateDataSource_out *out)
{
	appsync_api *api;
	size_t n = 0;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	appsync_DataSource d = { .dataSourceArn = req_arn(rq, "appsync", "apis/%.*s/datasources/%.*s",
	                                                  STR_ARG(in->apiId), STR_ARG(in->name)) };
	keep_given(rq, in, &appsync_DataSource_shape, &d);
	TRY(check(rq, &d));
	if (appsync_source_get(tx, rq->mem, in->apiId, in->name))
		return fail(rq, &appsync_BadRequestException, "Data source with name %.*s already exists",
		            STR_ARG(in->name));
	record_scan s = appsync_source_scan(tx, rq->mem, 1, in->apiId, STR_NONE);
	while (appsync_source_next(&s))
		n++;
	if (n >= APPSYNC_SOURCES_MAX)
		return fail(rq, &appsync_BadRequestException, "You have reached the limit of %d data sources.",
		            APPSYNC_SOURCES_MAX);
	appsync_source_put(tx, &(appsync_source){ in->apiId, in->name, &d });
	out->dataSource = arena_new(rq->mem, appsync_DataSource);
	*out->dataSource = d;
	return OK;
}

static err find(req *rq, const txn *tx, str api, str name, appsync_source **d)
{
	appsync_api *a;
	TRY(graphql_api(rq, tx, api, &a));
	TRY(source_check(rq, tx, api, name));
	*d = appsync_source_get(tx, rq->mem, api, name);
	return OK;
}

err appsync_GetDataSource(req *rq, const txn *tx, const appsync_GetDataSource_in *in,
                          appsync_GetDataSource_out *out)
{
	appsync_source *d;
	TRY(find(rq, tx, in->apiId, in->name, &d));
	out->dataSource = d->It;
	return OK;
}

err appsync_ListDataSources(req *rq, const txn *tx, const appsync_ListDataSources_in *in,
                            appsync_ListDataSources_out *out)
{
	appsync_api *api;
	size_t most;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	record_scan s = appsync_source_scan(tx, rq->mem, 1, in->apiId, STR_NONE);
	TRY(page_of(rq, in->maxResults, in->nextToken, &s, &most));
	out->dataSources.v = arena_array(rq->mem, appsync_DataSource, most);
	for (appsync_source *r; (r = appsync_source_next(&s));) {
		if (out->dataSources.n == most) {
			out->nextToken = page_token(rq, out->dataSources.v[most - 1].name);
			break;
		}
		out->dataSources.v[out->dataSources.n++] = *r->It;
	}
	cursor_close(&s.at);
	return OK;
}

err appsync_UpdateDataSource(req *rq, txn *tx, const appsync_UpdateDataSource_in *in,
                             appsync_UpdateDataSource_out *out)
{
	appsync_source *d;
	TRY(find(rq, tx, in->apiId, in->name, &d));
	appsync_DataSource next = { .dataSourceArn = d->It->dataSourceArn };
	keep_given(rq, in, &appsync_DataSource_shape, &next);
	TRY(check(rq, &next));
	d->It = &next;
	appsync_source_put(tx, d);
	out->dataSource = arena_new(rq->mem, appsync_DataSource);
	*out->dataSource = next;
	return OK;
}

static bool in_use(req *rq, const txn *tx, str api, str name)
{
	record_scan s = appsync_resolver_scan(tx, rq->mem, 1, api, STR_NONE, STR_NONE);
	bool used = false;
	for (appsync_resolver *r; !used && (r = appsync_resolver_next(&s));)
		used = str_eq(r->It->dataSourceName, name);
	cursor_close(&s.at);
	s = appsync_function_scan(tx, rq->mem, 1, api, STR_NONE);
	for (appsync_function *f; !used && (f = appsync_function_next(&s));)
		used = str_eq(f->It->dataSourceName, name);
	cursor_close(&s.at);
	return used;
}

err appsync_DeleteDataSource(req *rq, txn *tx, const appsync_DeleteDataSource_in *in,
                             appsync_DeleteDataSource_out *out)
{
	appsync_source *d;
	TRY(find(rq, tx, in->apiId, in->name, &d));
	if (in_use(rq, tx, in->apiId, in->name))
		return fail(rq, &appsync_BadRequestException, "Cannot delete data source %.*s as it is currently in "
		            "use by one or more resolvers or functions.", STR_ARG(in->name));
	appsync_source_delete(tx, in->apiId, in->name);
	return OK;
}
