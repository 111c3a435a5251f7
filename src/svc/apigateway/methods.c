/* Methods, their integrations, and the responses of both: made, read and deleted. */
#include "visit.h"

apigateway_Method *method_of(apigateway_Resource *r, str name)
{
	for (size_t i = 0; i < r->resourceMethods.n; i++)
		if (str_eq(r->resourceMethods.v[i].key, name))
			return &r->resourceMethods.v[i].value;
	return NULL;
}

err method_find(req *rq, const txn *tx, str api, str id, str name, apigateway_resource **r,
                apigateway_Method **m)
{
	TRY(resource_find(rq, tx, api, id, r));
	*m = method_of((*r)->It, name);
	return *m ? OK : fail(rq, &apigateway_NotFoundException, "Invalid Method identifier specified");
}

/* Of method.request.header.X: the name. */
static str last_part(str parameter)
{
	for (int i = 0; i < 3; i++)
		str_cut(&parameter, '.');
	return str_is(parameter) ? parameter : S("");
}

bool method_asks(const apigateway_Method *m)
{
	return str_eq(m->authorizationType, S("CUSTOM")) ||
	       str_eq(m->authorizationType, S("COGNITO_USER_POOLS"));
}

static bool is_there(req *rq, const txn *tx, str api, const apigateway_Method *m)
{
	const apigateway_authorizer *a = method_asks(m) && m->authorizerId.n
		? apigateway_authorizer_get(tx, rq->mem, api, m->authorizerId) : NULL;
	bool pools = str_eq(m->authorizationType, S("COGNITO_USER_POOLS"));
	return !method_asks(m) || (a && str_eq(a->It->type, S("COGNITO_USER_POOLS")) == pools);
}

err method_check(req *rq, const txn *tx, str api, const apigateway_Method *m)
{
	static const char *const types[] = { "NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS" };
	bool known = false;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		known = known || str_eq(m->authorizationType, str_c(types[i]));
	if (!known)
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid authorization type specified: %.*s. Valid options "
		            "are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS",
		            STR_ARG(m->authorizationType));
	if (!is_there(rq, tx, api, m))
		return fail(rq, &apigateway_BadRequestException,
		            "Invalid authorizer ID specified. Setting the authorization "
		            "type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.");
	if (m->requestValidatorId.n && !apigateway_validator_get(tx, rq->mem, api, m->requestValidatorId))
		return fail(rq, &apigateway_BadRequestException, "Invalid Request Validator identifier specified");
	for (size_t i = 0; i < m->requestModels.n; i++)
		if (!apigateway_model_get(tx, rq->mem, api, m->requestModels.v[i].value))
			return fail(rq, &apigateway_BadRequestException, "Invalid model identifier specified: %.*s",
			            STR_ARG(m->requestModels.v[i].value));
	for (size_t i = 0; i < m->requestParameters.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(last_part(m->requestParameters.v[i].key), last_part(m->requestParameters.v[k].key)))
				return fail(rq, &apigateway_BadRequestException,
				            "Parameter names must be unique across querystring, header and path");
	return OK;
}

static err verb_check(req *rq, str verb)
{
	static const char *const verbs[] = { "GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY" };
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (str_eq(verb, str_c(verbs[i])))
			return OK;
	return fail(rq, &apigateway_BadRequestException,
	            "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY");
}

err apigateway_PutMethod(req *rq, txn *tx, const apigateway_PutMethod_in *in, apigateway_PutMethod_out *out)
{
	apigateway_resource *r;
	TRY(resource_find(rq, tx, in->restApiId, in->resourceId, &r));
	TRY(verb_check(rq, in->httpMethod));
	if (method_of(r->It, in->httpMethod))
		return fail(rq, &apigateway_ConflictException, "Method already exists for this resource");
	apigateway_MapOfMethod *old = &r->It->resourceMethods;
	apigateway_MapOfMethod all = { arena_array(rq->mem, apigateway_MapOfMethod_entry, old->n + 1), old->n };
	for (size_t i = 0; i < old->n; i++)
		all.v[i] = old->v[i];
	apigateway_Method *m = &all.v[all.n].value;
	all.v[all.n++].key = in->httpMethod;
	m->apiKeyRequired = BOOL(false);
	overlay(rq->mem, rq->op->input, in, &apigateway_Method_shape, m);
	TRY(method_check(rq, tx, in->restApiId, m));
	if (!method_asks(m))
		m->authorizerId = STR_NONE;
	*old = all;
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_Method_shape, m, out);
	return OK;
}

err apigateway_GetMethod(req *rq, const txn *tx, const apigateway_GetMethod_in *in,
                         apigateway_GetMethod_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	rest_answer(rq, &apigateway_Method_shape, m, out);
	return OK;
}

err apigateway_DeleteMethod(req *rq, txn *tx, const apigateway_DeleteMethod_in *in,
                            apigateway_DeleteMethod_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	apigateway_MapOfMethod *all = &r->It->resourceMethods;
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (!str_eq(all->v[i].key, in->httpMethod))
			all->v[n++] = all->v[i];
	all->n = n;
	apigateway_resource_put(tx, r);
	return OK;
}

static bool scripted(const apigateway_MapOfStringToString *templates)
{
	for (size_t i = 0; i < templates->n; i++)
		if (template_has_directives(templates->v[i].value))
			return true;
	return false;
}

static err backend_check(req *rq, const apigateway_Integration *in)
{
	bool variable = str_starts(in->uri, S("${stageVariables."));
	if (!str_starts(in->uri, S("http://")) && !str_starts(in->uri, S("https://")) && !variable)
		return fail(rq, &apigateway_BadRequestException, "Invalid HTTP endpoint specified for URI");
	if (str_eq(in->connectionType, S("VPC_LINK")))
		return fail(rq, &aws_NotImplemented, "Farthing's REST APIs have no VPC links.");
	if (str_eq(in->type, S("HTTP")) && scripted(&in->requestTemplates))
		return fail(rq, &aws_NotImplemented,
		            "Farthing knows the references of mapping templates, and none of "
		            "their directives (#set, #if, #foreach).");
	return OK;
}

static err arn_check(req *rq, const apigateway_Integration *in)
{
	if (!str_starts(in->uri, S("arn:")))
		return fail(rq, &apigateway_BadRequestException, "Invalid ARN specified in the request");
	if (str_find(in->uri, S(":path/")) == SIZE_MAX && str_find(in->uri, S(":action/")) == SIZE_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "AWS ARN for integration must contain path or action");
	if (str_eq(in->type, S("AWS")))
		return fail(rq, &aws_NotImplemented, "Farthing's REST APIs have AWS_PROXY, HTTP_PROXY, HTTP and MOCK "
		            "integrations, and none of the type AWS.");
	if (str_find(in->uri, S(":lambda:path/2015-03-31/functions/")) == SIZE_MAX)
		return fail(rq, &apigateway_BadRequestException,
		            "Integrations of type 'AWS_PROXY' currently only supports "
		            "Lambda function and Firehose stream invocations.");
	return OK;
}

err integration_check(req *rq, const apigateway_Integration *in)
{
	if (in->timeoutInMillis.set && (in->timeoutInMillis.v < 50 || in->timeoutInMillis.v > 29000))
		return fail(rq, &apigateway_BadRequestException, "Timeout should be between 50 ms and 29000 ms");
	if (str_eq(in->type, S("MOCK")))
		return OK;
	if (!in->httpMethod.n)
		return fail(rq, &apigateway_BadRequestException,
		            "Enumeration value for HttpMethod must be non-empty");
	return str_starts(in->type, S("HTTP")) ? backend_check(rq, in) : arn_check(rq, in);
}

err apigateway_PutIntegration(req *rq, txn *tx, const apigateway_PutIntegration_in *in,
                              apigateway_PutIntegration_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	apigateway_Integration *i = arena_new(rq->mem, apigateway_Integration);
	i->passthroughBehavior = S("WHEN_NO_MATCH");
	i->timeoutInMillis = I64(29000);
	i->cacheNamespace = in->resourceId;
	i->cacheKeyParameters.v = arena_new(rq->mem, str);
	overlay(rq->mem, rq->op->input, in, &apigateway_Integration_shape, i);
	i->httpMethod = in->integrationHttpMethod;
	if (str_starts(i->type, S("HTTP")) && !str_is(i->connectionType))
		i->connectionType = S("INTERNET");
	TRY(integration_check(rq, i));
	if (m->methodIntegration)
		i->integrationResponses = m->methodIntegration->integrationResponses;
	m->methodIntegration = i;
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_Integration_shape, i, out);
	return OK;
}

err integration_find(req *rq, const txn *tx, str api, str id, str name, apigateway_resource **r,
                            apigateway_Method **m)
{
	TRY(method_find(rq, tx, api, id, name, r, m));
	return (*m)->methodIntegration ? OK : fail(rq, &apigateway_NotFoundException,
	                                           "Invalid Integration identifier specified");
}

err apigateway_GetIntegration(req *rq, const txn *tx, const apigateway_GetIntegration_in *in,
                              apigateway_GetIntegration_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(integration_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	rest_answer(rq, &apigateway_Integration_shape, m->methodIntegration, out);
	return OK;
}

err apigateway_DeleteIntegration(req *rq, txn *tx, const apigateway_DeleteIntegration_in *in,
                                 apigateway_DeleteIntegration_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(integration_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	m->methodIntegration = NULL;
	apigateway_resource_put(tx, r);
	return OK;
}

err apigateway_PutMethodResponse(req *rq, txn *tx, const apigateway_PutMethodResponse_in *in,
                                 apigateway_PutMethodResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	apigateway_MapOfMethodResponse *old = &m->methodResponses, all = { 0 };
	all.v = arena_array(rq->mem, apigateway_MapOfMethodResponse_entry, old->n + 1);
	for (size_t i = 0; i < old->n; i++)
		if (str_eq(old->v[i].key, in->statusCode))
			return fail(rq, &apigateway_ConflictException, "Response already exists for this resource");
		else
			all.v[all.n++] = old->v[i];
	apigateway_MethodResponse *made = &all.v[all.n].value;
	all.v[all.n++].key = in->statusCode;
	overlay(rq->mem, rq->op->input, in, &apigateway_MethodResponse_shape, made);
	*old = all;
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_MethodResponse_shape, made, out);
	return OK;
}

err apigateway_GetMethodResponse(req *rq, const txn *tx, const apigateway_GetMethodResponse_in *in,
                                 apigateway_GetMethodResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(method_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	for (size_t i = 0; i < m->methodResponses.n; i++)
		if (str_eq(m->methodResponses.v[i].key, in->statusCode)) {
			rest_answer(rq, &apigateway_MethodResponse_shape, &m->methodResponses.v[i].value, out);
			return OK;
		}
	return fail(rq, &apigateway_NotFoundException, "Invalid Response status code specified");
}

err apigateway_PutIntegrationResponse(req *rq, txn *tx, const apigateway_PutIntegrationResponse_in *in,
                                      apigateway_PutIntegrationResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(integration_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	apigateway_MapOfIntegrationResponse *old = &m->methodIntegration->integrationResponses, all = { 0 };
	all.v = arena_array(rq->mem, apigateway_MapOfIntegrationResponse_entry, old->n + 1);
	for (size_t i = 0; i < old->n; i++)
		if (!str_eq(old->v[i].key, in->statusCode))
			all.v[all.n++] = old->v[i];
	apigateway_IntegrationResponse *made = &all.v[all.n].value;
	all.v[all.n++].key = in->statusCode;
	overlay(rq->mem, rq->op->input, in, &apigateway_IntegrationResponse_shape, made);
	*old = all;
	apigateway_resource_put(tx, r);
	rest_answer(rq, &apigateway_IntegrationResponse_shape, made, out);
	return OK;
}

err apigateway_GetIntegrationResponse(req *rq, const txn *tx, const apigateway_GetIntegrationResponse_in *in,
                                      apigateway_GetIntegrationResponse_out *out)
{
	apigateway_resource *r;
	apigateway_Method *m;
	TRY(integration_find(rq, tx, in->restApiId, in->resourceId, in->httpMethod, &r, &m));
	const apigateway_MapOfIntegrationResponse *all = &m->methodIntegration->integrationResponses;
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].key, in->statusCode)) {
			rest_answer(rq, &apigateway_IntegrationResponse_shape, &all->v[i].value, out);
			return OK;
		}
	return fail(rq, &apigateway_NotFoundException, "Invalid Response status code specified");
}
