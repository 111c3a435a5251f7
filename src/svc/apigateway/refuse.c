/* What the gateway answers itself. */
#include "base/json.h"
#include "cloud/front_authorizer.h"
#include "visit.h"

#define TEXT_MAX ((size_t)1 << 18)
#define SAYS(text) text, "{\"message\":\"" text "\"}"

const refusal refuse_forbidden = { NULL, 403, "ForbiddenException", SAYS("Forbidden") };
const refusal refuse_too_large = { "REQUEST_TOO_LARGE", 413, "RequestTooLargeException",
	                               SAYS("Request Too Long") };
const refusal refuse_no_token = { "MISSING_AUTHENTICATION_TOKEN", 403, "MissingAuthenticationTokenException",
	SAYS("Missing Authentication Token") };
const refusal refuse_throttled = { "THROTTLED", 429, "TooManyRequestsException", SAYS("Too Many Requests") };
const refusal refuse_quota = { "QUOTA_EXCEEDED", 429, "LimitExceededException", SAYS("Limit Exceeded") };
const refusal refuse_key = { "INVALID_API_KEY", 403, "ForbiddenException", SAYS("Forbidden") };
const refusal refuse_unauthorized = { "UNAUTHORIZED", 401, "UnauthorizedException", SAYS("Unauthorized") };
const refusal refuse_expired = { "UNAUTHORIZED", 401, "UnauthorizedException",
	SAYS("The incoming token has expired") };
const refusal refuse_filtered = { "WAF_FILTERED", 403, "ForbiddenException", SAYS("Forbidden") };
const refusal refuse_denied = { "ACCESS_DENIED", 403, "AccessDeniedException",
	"User is not authorized to access this resource",
	"{\"Message\":\"User is not authorized to access this resource\"}" };
const refusal refuse_denied_explicitly = { "ACCESS_DENIED", 403, "AccessDeniedException",
	"User is not authorized to access this resource with an explicit deny",
	"{\"Message\":\"User is not authorized to access this resource with an explicit deny\"}" };
const refusal refuse_authorizer = { "AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException",
	                                NULL, "{\"message\":null}" };
const refusal refuse_signature = {
	"INVALID_SIGNATURE", 403, "InvalidSignatureException",
	SAYS("The request signature we calculated does not match the signature you provided. Check your AWS "
	     "Secret Access "
	     "Key and signing method. Consult the service documentation for details.")
};
const refusal refuse_parameters = { "BAD_REQUEST_PARAMETERS", 400, "BadRequestException", NULL, NULL };
const refusal refuse_body = { "BAD_REQUEST_BODY", 400, "BadRequestException", NULL, NULL };
const refusal refuse_timeout = { "INTEGRATION_TIMEOUT", 504, "InternalServerErrorException",
	"Endpoint request timed out", "{\"message\": \"Endpoint request timed out\"}" };
const refusal refuse_unreachable = { "INTEGRATION_FAILURE", 504, "InternalServerErrorException",
	"Internal server error", "{\"message\": \"Internal server error\"}" };
const refusal refuse_configuration = { "API_CONFIGURATION_ERROR", 500, "InternalServerErrorException",
	"Internal server error", "{\"message\": \"Internal server error\"}" };
const refusal refuse_integration = { "DEFAULT_5XX", 502, "InternalServerErrorException",
	                                 "Internal server error", "{\"message\": \"Internal server error\"}" };

static str quoted(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 16, TEXT_MAX);
	if (str_is(s))
		json_put_string(&b, s);
	else
		buf_put(&b, S("null"));
	return buf_str(&b);
}

event_pairs visit_context(const visit *v)
{
	const event_pair pairs[] = {
		{ S("requestId"), v->request_id }, { S("extendedRequestId"), v->extended_id },
		{ S("identity.sourceIp"), v->x->peer }, { S("identity.apiKey"), v->api_key },
		{ S("identity.userAgent"), wire_header(&v->x->in, S("user-agent")) },
		{ S("identity.apiKeyId"), v->api_key_id }, { S("authorizer.principalId"), v->principal },
		{ S("requestTime"), event_time(v->mem, v->rq->now) }, { S("httpMethod"), v->x->in.method },
		{ S("requestTimeEpoch"), arena_fmt(v->mem, "%lld", (long long)v->rq->now) },
		{ S("resourcePath"), v->resource ? v->resource->path : STR_NONE }, { S("path"), v->at.path },
		{ S("resourceId"), v->resource ? v->resource->id : STR_NONE }, { S("protocol"), S("HTTP/1.1") },
		{ S("stage"), v->stage->stageName }, { S("apiId"), v->api->id },
		{ S("accountId"), v->rq->who.account }, { S("domainName"), v->at.domain },
		{ S("error.message"), v->error }, { S("error.messageString"), quoted(v->mem, v->error) },
		{ S("error.responseType"), v->error_type },
	};
	const size_t n = sizeof pairs / sizeof *pairs;
	event_pairs all = { arena_array(v->mem, event_pair, n), n };
	memcpy(all.v, pairs, sizeof pairs);
	return all;
}

static str named(const event_pairs *pairs, str name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (str_eq(pairs->v[i].name, name))
			return pairs->v[i].value;
	return STR_NONE;
}

static bool behind(str expression, const char *prefix, str *name)
{
	str p = str_c(prefix);
	*name = str_sub(expression, p.n < expression.n ? p.n : expression.n, expression.n);
	return str_starts(expression, p);
}

str visit_mapped(const visit *v, str expression)
{
	str name;
	if (behind(expression, "method.request.header.", &name))
		return wire_header(&v->x->in, name);
	if (behind(expression, "method.request.querystring.", &name))
		return front_query(v->mem, v->x->in.query, name);
	if (behind(expression, "method.request.path.", &name))
		return named(&v->parameters, name);
	if (behind(expression, "stageVariables.", &name))
		return named(&v->variables, name);
	if (behind(expression, "context.", &name)) {
		event_pairs all = visit_context(v);
		str value = named(&all, name);
		return str_is(value) || !behind(name, "authorizer.", &name) ? value : named(&v->said, name);
	}
	return STR_NONE;
}

/* 'text' in single quotes, or a mapping. */
static str parameter(const visit *v, str value)
{
	if (value.n >= 2 && str_starts(value, S("'")) && str_ends(value, S("'")))
		return str_sub(value, 1, value.n - 1);
	return visit_mapped(v, value);
}

bool visit_status(visit *v, str code)
{
	int64_t status;
	if (!str_is(code) || !str_to_i64(code, &status) || status < 200 || status > 599)
		return false;
	v->out.status = (int)status;
	return true;
}

static void customised(visit *v, const apigateway_GatewayResponse *r)
{
	str prefix = S("gatewayresponse.header."), body = map_find(&r->responseTemplates, S("application/json"));
	visit_status(v, r->statusCode);
	for (size_t i = 0; i < r->responseParameters.n; i++) {
		str name = r->responseParameters.v[i].key, value = parameter(v, r->responseParameters.v[i].value);
		if (str_is(value))
			wire_header_add(&v->out, str_sub(name, prefix.n, name.n), value);
	}
	if (str_is(body))
		v->out.body = template_filled(v, body, v->x->in.body);
}

/* AWS does not charge for those whom it does not let in, or not now, but for a path that leads nowhere. */
static bool is_free(const visit *v, const refusal *r)
{
	const refusal *const all[] = { &refuse_no_token, &refuse_signature, &refuse_unauthorized, &refuse_denied,
		                           &refuse_denied_explicitly, &refuse_key, &refuse_throttled, &refuse_quota,
		                           &refuse_expired };
	bool found = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		found = found || r == all[i];
	return (found && v->resource) || r == &refuse_filtered;
}

void visit_refuse_with(visit *v, const refusal *r, str message)
{
	v->out.status = r->status;
	v->out.n_headers = 0;
	v->free = is_free(v, r);
	v->error = message;
	v->error_type = r->type ? str_c(r->type) : STR_NONE;
	wire_header_add(&v->out, S("Content-Type"), S("application/json"));
	wire_header_add(&v->out, S("x-amzn-ErrorType"), str_c(r->error));
	v->out.body = r->body ? str_c(r->body)
	                      : arena_fmt(v->mem, "{\"message\": %.*s}", STR_ARG(quoted(v->mem, message)));
	if (r->type && v->beside.answers.n) {
		const apigateway_GatewayResponse *own = answer_of(v->mem, &v->beside.answers, v->error_type);
		str usual = r->status >= 500 ? S("DEFAULT_5XX") : S("DEFAULT_4XX");
		bool said = false;
		for (size_t i = 0; i < v->beside.answers.n; i++)
			said = said || str_eq(v->beside.answers.v[i].responseType, v->error_type) ||
			       str_eq(v->beside.answers.v[i].responseType, usual);
		if (said)
			customised(v, own);
	}
	visit_send(v);
}

void visit_refuse(visit *v, const refusal *r)
{
	visit_refuse_with(v, r, r->message ? str_c(r->message) : STR_NONE);
}
