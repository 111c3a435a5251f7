#include "appsync.h"
#include "cloud/server.h"
#include "sys/rand.h"

str long_id(req *rq)
{
	/* What begins with a letter is a name of every kind. */
	return arena_concat(rq->mem, rand_text(rq->mem, 1, S("abcdefghijklmnopqrstuvwxyz")),
	                    rand_text(rq->mem, 25, S("abcdefghijklmnopqrstuvwxyz234567")));
}

str graphql_api_arn(const req *rq, str id)
{
	return req_arn(rq, "appsync", "apis/%.*s", STR_ARG(id));
}

err graphql_api(req *rq, const txn *tx, str id, appsync_api **api)
{
	*api = appsync_api_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *api ? OK : fail(rq, &appsync_NotFoundException, "GraphQL API %.*s not found.", STR_ARG(id));
}

void keep_given(req *rq, const void *in, const shape *s, void *row)
{
	overlay(rq->mem, rq->op->input, in, s, row);
}

err page_of(req *rq, opt_i64 given, str token, record_scan *s, size_t *most)
{
	str after;
	*most = given.set && given.v ? (size_t)given.v : 25;
	if (!str_is(token))
		return OK;
	if (!page_position(rq, token, &after)) {
		cursor_close(&s->at);
		return fail(rq, &appsync_BadRequestException, "Invalid pagination token given.");
	}
	record_scan_after(s, after);
	return OK;
}

static void address(req *rq, appsync_MapOfStringToString *m, size_t i, const char *key, str value)
{
	if (!m->v)
		m->v = arena_array(rq->mem, appsync_MapOfStringToString_entry, 2);
	m->v[i] = (appsync_MapOfStringToString_entry){ str_c(key), value };
	m->n = i + 1;
}

void with_addresses(req *rq, appsync_api *api)
{
	static const char *const keys[] = { "GRAPHQL", "REALTIME" }, *const names[] = { "", "-realtime" },
		*const schemes[] = { "http", "ws" };
	str rest = server_endpoint();
	size_t colon = rest.n;
	while (colon && rest.p[colon - 1] != ':')
		colon--;
	str port = str_sub(rest, colon, rest.n);
	api->It->uris = api->It->dns = (appsync_MapOfStringToString){ 0 };
	for (size_t i = 0; i < 2; i++) {
		str host = arena_fmt(rq->mem, "%.*s.appsync%s-api.%.*s.localhost", STR_ARG(api->ApiId), names[i],
		                     STR_ARG(api->Region));
		address(rq, &api->It->uris, i, keys[i], arena_fmt(rq->mem, "%s://%.*s:%.*s/graphql", schemes[i],
		                                                  STR_ARG(host), STR_ARG(port)));
		address(rq, &api->It->dns, i, keys[i], host);
	}
}

static err one_mode(req *rq, str mode, bool pool, bool oidc, bool lambda)
{
	struct { str mode; bool has; const char *what; } needs[] = {
		{ appsync_AuthenticationType_AMAZON_COGNITO_USER_POOLS, pool, "userPoolConfig" },
		{ appsync_AuthenticationType_OPENID_CONNECT, oidc, "openIDConnectConfig" },
		{ appsync_AuthenticationType_AWS_LAMBDA, lambda, "lambdaAuthorizerConfig" } };
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if (str_eq(mode, needs[i].mode) != needs[i].has)
			return fail(rq, &appsync_BadRequestException, needs[i].has
			            ? "%s is only allowed with its own authentication type."
			            : "%s is required for this authentication type.", needs[i].what);
	return OK;
}

static err check(req *rq, const appsync_GraphqlApi *a)
{
	if (str_eq(a->apiType, appsync_GraphQLApiType_MERGED))
		return fail(rq, &aws_NotImplemented, "Farthing does not implement merged APIs.");
	if (!a->name.n)
		return fail(rq, &appsync_BadRequestException, "Name must not be empty.");
	TRY(one_mode(rq, a->authenticationType, a->userPoolConfig != NULL, a->openIDConnectConfig != NULL,
	             a->lambdaAuthorizerConfig != NULL));
	for (size_t i = 0; i < a->additionalAuthenticationProviders.n; i++) {
		const appsync_AdditionalAuthenticationProvider *p = &a->additionalAuthenticationProviders.v[i];
		TRY(one_mode(rq, p->authenticationType, p->userPoolConfig != NULL, p->openIDConnectConfig != NULL,
		             p->lambdaAuthorizerConfig != NULL));
		bool once = str_eq(p->authenticationType, appsync_AuthenticationType_API_KEY) ||
		            str_eq(p->authenticationType, appsync_AuthenticationType_AWS_IAM) ||
		            str_eq(p->authenticationType, appsync_AuthenticationType_AWS_LAMBDA);
		if (once && str_eq(p->authenticationType, a->authenticationType))
			return fail(rq, &appsync_BadRequestException, "The primary authentication type cannot be among "
					"the "
			            "additional ones.");
	}
	return OK;
}

static void defaults(appsync_GraphqlApi *a)
{
	if (!str_is(a->introspectionConfig))
		a->introspectionConfig = appsync_GraphQLApiIntrospectionConfig_ENABLED;
	if (!str_is(a->visibility))
		a->visibility = appsync_GraphQLApiVisibility_GLOBAL;
	if (!str_is(a->apiType))
		a->apiType = appsync_GraphQLApiType_GRAPHQL;
	if (!a->xrayEnabled.set)
		a->xrayEnabled = BOOL(false);
	if (!a->queryDepthLimit.set)
		a->queryDepthLimit = I64(0);
	if (!a->resolverCountLimit.set)
		a->resolverCountLimit = I64(0);
}

static size_t count(req *rq, const txn *tx)
{
	size_t n = 0;
	record_scan s = appsync_api_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (appsync_api_next(&s))
		n++;
	return n;
}

err appsync_CreateGraphqlApi(req *rq, txn *tx, const appsync_CreateGraphqlApi_in *in,
                             appsync_CreateGraphqlApi_out *out)
{
	appsync_GraphqlApi a = { .apiId = long_id(rq), .owner = rq->who.account };
	keep_given(rq, in, &appsync_GraphqlApi_shape, &a);
	defaults(&a);
	a.arn = graphql_api_arn(rq, a.apiId);
	TRY(check(rq, &a));
	if (count(rq, tx) >= APPSYNC_APIS_MAX)
		return fail(rq, &appsync_ApiLimitExceededException, "You have reached the limit of %d GraphQL APIs.",
		            APPSYNC_APIS_MAX);
	appsync_api row = { .Account = rq->who.account, .Region = rq->region, .ApiId = a.apiId, .It = &a };
	with_addresses(rq, &row);
	appsync_api_put(tx, &row);
	appsync_owner_put(tx, &(appsync_owner){ a.apiId, rq->who.account, rq->region });
	out->graphqlApi = arena_new(rq->mem, appsync_GraphqlApi);
	*out->graphqlApi = a;
	return OK;
}

err appsync_GetGraphqlApi(req *rq, const txn *tx, const appsync_GetGraphqlApi_in *in,
                          appsync_GetGraphqlApi_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	with_addresses(rq, api);
	out->graphqlApi = api->It;
	return OK;
}

err appsync_ListGraphqlApis(req *rq, const txn *tx, const appsync_ListGraphqlApis_in *in,
                            appsync_ListGraphqlApis_out *out)
{
	size_t most;
	record_scan s = appsync_api_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(page_of(rq, in->maxResults, in->nextToken, &s, &most));
	out->graphqlApis.v = arena_array(rq->mem, appsync_GraphqlApi, most);
	for (appsync_api *api; (api = appsync_api_next(&s));) {
		if (str_eq(in->owner, appsync_Ownership_OTHER_ACCOUNTS) ||
		    (str_is(in->apiType) && !str_eq(in->apiType, api->It->apiType)))
			continue;
		if (out->graphqlApis.n == most) {
			out->nextToken = page_token(rq, out->graphqlApis.v[most - 1].apiId);
			break;
		}
		with_addresses(rq, api);
		out->graphqlApis.v[out->graphqlApis.n++] = *api->It;
	}
	cursor_close(&s.at);
	return OK;
}

/* What is not given is as it would be in a new API. */
err appsync_UpdateGraphqlApi(req *rq, txn *tx, const appsync_UpdateGraphqlApi_in *in,
                             appsync_UpdateGraphqlApi_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	appsync_GraphqlApi *old = api->It;
	appsync_GraphqlApi a = { .apiId = old->apiId, .arn = old->arn, .owner = old->owner, .tags = old->tags,
		.visibility = old->visibility, .apiType = old->apiType, .wafWebAclArn = old->wafWebAclArn };
	keep_given(rq, in, &appsync_GraphqlApi_shape, &a);
	defaults(&a);
	TRY(check(rq, &a));
	api->It = &a;
	with_addresses(rq, api);
	appsync_api_put(tx, api);
	out->graphqlApi = arena_new(rq->mem, appsync_GraphqlApi);
	*out->graphqlApi = a;
	return OK;
}

static void drop_rows(req *rq, txn *tx, str id)
{
	record_scan s = appsync_apikey_scan(tx, rq->mem, 1, id, STR_NONE);
	for (appsync_apikey *r; (r = appsync_apikey_next(&s));)
		appsync_apikey_delete(tx, id, r->Id);
	s = appsync_source_scan(tx, rq->mem, 1, id, STR_NONE);
	for (appsync_source *r; (r = appsync_source_next(&s));)
		appsync_source_delete(tx, id, r->Name);
	s = appsync_function_scan(tx, rq->mem, 1, id, STR_NONE);
	for (appsync_function *r; (r = appsync_function_next(&s));)
		appsync_function_delete(tx, id, r->FunctionId);
	s = appsync_resolver_scan(tx, rq->mem, 1, id, STR_NONE, STR_NONE);
	for (appsync_resolver *r; (r = appsync_resolver_next(&s));)
		appsync_resolver_delete(tx, id, r->TypeName, r->FieldName);
	appsync_schema_delete(tx, id);
}

err appsync_DeleteGraphqlApi(req *rq, txn *tx, const appsync_DeleteGraphqlApi_in *in,
                             appsync_DeleteGraphqlApi_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	drop_rows(rq, tx, in->apiId);
	appsync_owner_delete(tx, in->apiId);
	appsync_api_delete(tx, rq->who.account, rq->region, in->apiId);
	script_forget(tx, in->apiId);
	return OK;
}

err appsync_PutGraphqlApiEnvironmentVariables(req *rq, txn *tx,
                                              const appsync_PutGraphqlApiEnvironmentVariables_in *in,
                                              appsync_PutGraphqlApiEnvironmentVariables_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	api->Environment = in->environmentVariables;
	appsync_api_put(tx, api);
	out->environmentVariables = api->Environment;
	return OK;
}

err appsync_GetGraphqlApiEnvironmentVariables(req *rq, const txn *tx,
                                              const appsync_GetGraphqlApiEnvironmentVariables_in *in,
                                              appsync_GetGraphqlApiEnvironmentVariables_out *out)
{
	appsync_api *api;
	TRY(graphql_api(rq, tx, in->apiId, &api));
	out->environmentVariables = api->Environment;
	return OK;
}
