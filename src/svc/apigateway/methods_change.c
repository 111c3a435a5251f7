/* Methods, their integrations, and the responses of both: changed by patch operations, and responses
 * deleted. */
#include "rest.h"

static err invalid_path(req *rq, const apigateway_PatchOperation *p)
{
	return fail(rq, &apigateway_BadRequestException, "Invalid patch path %.*s", STR_ARG(p->path));
}

/* /NAME/KEY: what is behind the name, with ~1 for slashes. STR_NONE: it is no such path. */
static str key_behind(arena *mem, str path, const char *name)
{
	str rest = str_sub(path, path.n > 0, path.n), first = str_cut(&rest, '/');
	bool good = str_eq(first, str_c(name)) && str_is(rest) && rest.n && str_find_char(rest, '/') == SIZE_MAX;
	return good ? patch_part(mem, rest) : STR_NONE;
}

/* One flag of a map. false: it was to be replaced or removed, and is not there. */
static bool flag_patch(arena *mem, apigateway_MapOfStringToBoolean *m, str key,
                       const apigateway_PatchOperation *p)
{
	apigateway_MapOfStringToBoolean all = { arena_array(mem, apigateway_MapOfStringToBoolean_entry, m->n + 1),
		                                    0 };
	bool removes = str_eq(p->op, S("remove"));
	for (size_t i = 0; i < m->n; i++)
		if (!str_eq(m->v[i].key, key))
			all.v[all.n++] = m->v[i];
	bool there = all.n < m->n;
	if (!removes) {
		all.v[all.n].key = key;
		all.v[all.n++].value = BOOL(str_eq_nocase(p->value, S("true")));
	}
	*m = all.n ? all : (apigateway_MapOfStringToBoolean){ 0 };
	return there || str_eq(p->op, S("add"));
}

static bool text_patch(arena *mem, apigateway_MapOfStringToString *m, str key,
                       const apigateway_PatchOperation *p)
{
	bool there = str_is(map_find(m, key));
	if (str_eq(p->op, S("remove")))
		map_drop(m, key);
	else
		map_set(mem, m, key, p->value);
	if (!m->n)
		m->v = NULL;
	return there || str_eq(p->op, S("add"));
}

/* The two maps that methods and their responses have. *taken: the path was one of theirs. */
static err maps_patch(req *rq, const apigateway_PatchOperation *p, const char *flags_name,
                      apigateway_MapOfStringToBoolean *flags, const char *texts_name,
                      apigateway_MapOfStringToString *texts, bool *taken)
{
	str flag = key_behind(rq->mem, p->path, flags_name), text = key_behind(rq->mem, p->path, texts_name);
	*taken = str_is(flag) || str_is(text);
	if (*taken && !str_eq(p->op, S("add")) && !str_eq(p->op, S("remove")) && !str_eq(p->op, S("replace")))
		return invalid_path(rq, p);
	if (str_is(flag) && !flag_patch(rq->mem, flags, flag, p))
		return fail(rq, &apigateway_NotFoundException, "Invalid parameter name specified");
	if (str_is(text) && !text_patch(rq->mem, texts, text, p))
		return fail(rq, &apigateway_NotFoundException, "Content-Type specified was not found");
	return OK;
}

static err method_patch(req *rq, apigateway_Method *m, const apigateway_PatchOperation *p)
{
	static const char *const replaced[] = { "/authorizationType", "/authorizerId", "/requestValidatorId",
		"/operationName", "/apiKeyRequired" };
	str *const texts[] = { &m->authorizationType, &m->authorizerId, &m->requestValidatorId,
		                   &m->operationName };
	bool taken;
	if (str_eq(p->path, S("/authorizationScopes"))) {
		apigateway_ListOfString all = { m->authorizationScopes.v, m->authorizationScopes.n };
		TRY(patch_list(rq, p, p->value, &all)); /* named by the value */
		m->authorizationScopes.v = all.v;
		m->authorizationScopes.n = all.n;
		return OK;
	}
	TRY(maps_patch(rq, p, "requestParameters", &m->requestParameters, "requestModels", &m->requestModels,
	               &taken));
	for (size_t i = 0; i < 5 && !taken; i++) {
		if (!str_eq(p->path, str_c(replaced[i])))
			continue;
		if (!str_eq(p->op, S("replace")))
			return fail(rq, &apigateway_BadRequestException,
			            "Invalid patch operation specified. Must be one of: [replace]");
		taken = true;
		if (i < 4)
			*texts[i] = p->value.n ? p->value : STR_NONE;
		else
			m->apiKeyRequired = BOOL(str_eq_nocase(p->value, S("true")));
	}
	return taken ? OK : invalid_path(rq, p);
}

err apigateway_UpdateMethod(req *rq, txn *tx, const apigateway_UpdateMethod_in *in,
                            apigateway_UpdateMethod_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	TRY(patch_few(rq, &in->patchOperations));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		TRY(method_patch(rq, m, &in->patchOperations.v[i]));
	TRY(method_check(rq, tx, in->restApiId, m));
	if (!method_asks(m))
		m->authorizerId = STR_NONE;
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_Method_shape, m, out);
	return OK;
}

static err response_find(req *rq, const apigateway_Method *m, str status, size_t *at)
{
	for (*at = 0; *at < m->methodResponses.n; ++*at)
		if (str_eq(m->methodResponses.v[*at].key, status))
			return OK;
	return fail(rq, &apigateway_NotFoundException, "Invalid Response status code specified");
}

err apigateway_UpdateMethodResponse(req *rq, txn *tx, const apigateway_UpdateMethodResponse_in *in,
                                    apigateway_UpdateMethodResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	size_t at;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	TRY(response_find(rq, m, in->statusCode, &at));
	TRY(patch_few(rq, &in->patchOperations));
	apigateway_MethodResponse *made = &m->methodResponses.v[at].value;
	for (size_t i = 0; i < in->patchOperations.n; i++) {
		bool taken;
		const apigateway_PatchOperation *p = &in->patchOperations.v[i];
		TRY(maps_patch(rq, p, "responseParameters", &made->responseParameters, "responseModels",
		               &made->responseModels, &taken));
		if (!taken)
			return invalid_path(rq, p);
	}
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_MethodResponse_shape, made, out);
	return OK;
}

err apigateway_DeleteMethodResponse(req *rq, txn *tx, const apigateway_DeleteMethodResponse_in *in,
                                    apigateway_DeleteMethodResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	size_t at;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	TRY(response_find(rq, m, in->statusCode, &at));
	apigateway_MapOfMethodResponse *all = &m->methodResponses;
	memmove(all->v + at, all->v + at + 1, (all->n - at - 1) * sizeof *all->v);
	if (!--all->n)
		all->v = NULL;
	apigateway_resource_put(tx, r);
	return OK;
}

err apigateway_UpdateIntegration(req *rq, txn *tx, const apigateway_UpdateIntegration_in *in,
                                 apigateway_UpdateIntegration_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(integration_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		if (str_starts(in->patchOperations.v[i].path, S("/integrationResponses")))
			return invalid_path(rq, &in->patchOperations.v[i]);
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_Integration_shape, m->methodIntegration));
	TRY(integration_check(rq, m->methodIntegration));
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_Integration_shape, m->methodIntegration, out);
	return OK;
}

static err answer_find(req *rq, const txn *tx, str api, str id, str name, str status, apigateway_resource **r,
                       apigateway_MapOfIntegrationResponse **all, size_t *at)
{
	apigateway_Method *m;
	TRY(resource_find(rq, tx, api, id, r));
	m = method_of((*r)->It, name);
	if (!m || !m->methodIntegration)
		return fail(rq, &apigateway_NotFoundException, "Invalid Integration identifier specified");
	*all = &m->methodIntegration->integrationResponses;
	for (*at = 0; *at < (*all)->n; ++*at)
		if (str_eq((*all)->v[*at].key, status))
			return OK;
	return fail(rq, &apigateway_NotFoundException, "Invalid Response status code specified");
}

err apigateway_UpdateIntegrationResponse(req *rq, txn *tx, const apigateway_UpdateIntegrationResponse_in *in,
                                         apigateway_UpdateIntegrationResponse_out *out)
{
	apigateway_resource *r;
	apigateway_MapOfIntegrationResponse *all;
	size_t at;
	TRY(answer_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, in->statusCode, &r, &all, &at));
	for (size_t i = 0; i < in->patchOperations.n; i++)
		if (str_eq(in->patchOperations.v[i].path, S("/statusCode")))
			return invalid_path(rq, &in->patchOperations.v[i]);
	TRY(patch_apply(rq, &in->patchOperations, &apigateway_IntegrationResponse_shape, &all->v[at].value));
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_IntegrationResponse_shape, &all->v[at].value, out);
	return OK;
}

err apigateway_DeleteIntegrationResponse(req *rq, txn *tx, const apigateway_DeleteIntegrationResponse_in *in,
                                         apigateway_DeleteIntegrationResponse_out *out)
{
	apigateway_resource *r;
	apigateway_MapOfIntegrationResponse *all;
	size_t at;
	TRY(answer_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, in->statusCode, &r, &all, &at));
	memmove(all->v + at, all->v + at + 1, (all->n - at - 1) * sizeof *all->v);
	if (!--all->n)
		all->v = NULL;
	apigateway_resource_put(tx, r);
	return OK;
}
