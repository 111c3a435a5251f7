/* REST APIs as their callers see them. */
#include "base/json.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/front_authorizer.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/plane.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "visit.h"

#define ACCOUNT_RATE 10000
#define ACCOUNT_BURST 5000
#define PARAMETERS_MAX 32

static bool match(const http_exchange *x)
{
	front_place p;
	return front_place_of(x, true, &p);
}

static void point(visit *v, const char *name, const char *unit, double value)
{
	metric_point p = { .account = v->rq->who.account, .region = v->rq->region,
		.name_space = S("AWS/ApiGateway"), .name = str_c(name), .unit = str_c(unit),
		.dimensions = { { S("ApiName"), v->api->name }, { S("Stage"), v->stage->stageName } },
		.n_dimensions = 2, .when = clock_now(), .value = value };
	metric_later(&p);
	p.n_dimensions = 1;
	metric_later(&p);
}

static void logged(visit *v, double latency)
{
	const apigateway_AccessLogSettings *log = v->stage->accessLogSettings;
	if (!log || !str_is(log->destinationArn))
		return;
	event_pairs own = visit_context(v), pairs = { arena_array(v->mem, event_pair, own.n + v->said.n + 4), 0 };
	for (size_t i = 0; i < v->said.n; i++)
		pairs.v[pairs.n++] = (event_pair){ arena_concat(v->mem, S("authorizer."), v->said.v[i].name),
			v->said.v[i].value };
	memcpy(pairs.v + pairs.n, own.v, own.n * sizeof *own.v);
	pairs.n += own.n;
	pairs.v[pairs.n++] = (event_pair){ S("status"), arena_fmt(v->mem, "%d", v->out.status) };
	pairs.v[pairs.n++] = (event_pair){ S("responseLength"), arena_fmt(v->mem, "%zu", v->out.body.n) };
	pairs.v[pairs.n++] = (event_pair){ S("responseLatency"), arena_fmt(v->mem, "%.0f", latency) };
	pairs.v[pairs.n++] = (event_pair){ S("integrationLatency"),
		arena_fmt(v->mem, "%lld", (long long)v->integration_us / 1000) };
	front_log(v->mem, v->rq->who.account, log->destinationArn, v->request_id, log->format, &pairs,
	          clock_now());
}

void visit_send(visit *v)
{
	double latency = (double)(clock_mono_us() - v->began_us) / 1000;
	wire_header_add(&v->out, S("x-amzn-RequestId"), v->request_id);
	wire_header_add(&v->out, S("x-amz-apigw-id"), v->extended_id);
	if (v->stage) {
		if (!v->free)
			usage_later(v->rq->who.account, v->rq->region, clock_now(), &APIGW_REST, v->api->id, QTY(1));
		if (v->out.body.n)
			usage_later(v->rq->who.account, v->rq->region, clock_now(), &APIGW_TRANSFER_OUT, v->api->id,
			            (qty)v->out.body.n);
		point(v, "Count", "Count", 1);
		point(v, "4XXError", "Count", v->out.status >= 400 && v->out.status < 500);
		point(v, "5XXError", "Count", v->out.status >= 500);
		point(v, "Latency", "Milliseconds", latency);
		if (v->integration_us)
			point(v, "IntegrationLatency", "Milliseconds", (double)v->integration_us / 1000);
		logged(v, latency);
	}
	usage_settle_later(v->rq);
	http_reply(v->x, &v->out, NULL);
}

static bool find(visit *v, const txn *tx)
{
	apigateway_owner *o = apigateway_owner_get(tx, v->mem, v->at.api);
	if (!o || (str_is(v->at.region) && !str_eq(v->at.region, o->Region)))
		return false;
	v->rq->who.account = o->Account;
	v->rq->region = o->Region;
	apigateway_api *api = apigateway_api_get(tx, v->mem, o->Account, o->Region, v->at.api);
	str rest = str_sub(v->at.path, 1, v->at.path.n), first = str_cut(&rest, '/');
	apigateway_stage *stage = apigateway_stage_get(tx, v->mem, v->at.api, first);
	apigateway_deployment *d = api && stage
		? apigateway_deployment_get(tx, v->mem, v->at.api, stage->It->deploymentId) : NULL;
	if (!d || api->It->disableExecuteApiEndpoint.v)
		return false;
	v->api = api->It;
	v->stage = stage->It;
	v->resources = d->Was;
	v->deployment = d->Id;
	if (d->Beside)
		v->beside = *d->Beside;
	v->wall = firewall_of(tx, v->mem, stage_arn(v->mem, o->Region, v->at.api, first));
	v->path = str_is(rest) ? str_sub(v->at.path, 1 + first.n, v->at.path.n) : S("/");
	v->variables.v = arena_array(v->mem, event_pair, stage->It->variables.n + 1);
	for (size_t i = 0; i < stage->It->variables.n; i++)
		v->variables.v[v->variables.n++] = (event_pair){ stage->It->variables.v[i].key,
			stage->It->variables.v[i].value };
	return true;
}

static apigateway_Resource *child(visit *v, const apigateway_Resource *parent, str part, int kind)
{
	for (size_t i = 0; i < v->resources.n; i++) {
		apigateway_Resource *r = &v->resources.v[i];
		if (!str_eq(r->parentId, parent->id) || !str_is(r->parentId))
			continue;
		bool named = str_starts(r->pathPart, S("{")), greedy = str_ends(r->pathPart, S("+}"));
		if (kind == 0 ? str_eq(r->pathPart, part) : kind == 1 ? named && !greedy : greedy)
			return r;
	}
	return NULL;
}

static bool has_method(visit *v, apigateway_Resource *r)
{
	apigateway_Method *m = method_of(r, v->x->in.method);
	if (!m)
		m = method_of(r, S("ANY"));
	if (m) {
		v->resource = r;
		v->method = m;
	}
	return m != NULL;
}

/* Down the tree: text before {name} before {name+}; a branch that leads nowhere is left again. */
static bool descend(visit *v, apigateway_Resource *at, str rest)
{
	if (!str_is(rest) || rest.n == 0)
		return has_method(v, at);
	str whole = rest, part = str_cut(&rest, '/');
	for (int kind = 0; kind < 3; kind++) {
		apigateway_Resource *r = child(v, at, part, kind);
		if (!r)
			continue;
		size_t before = v->parameters.n;
		if (kind && before < PARAMETERS_MAX)
			v->parameters.v[v->parameters.n++] = (event_pair){
				str_sub(r->pathPart, 1, r->pathPart.n - (kind == 2 ? 2 : 1)),
				percent_decode(v->mem, kind == 2 ? whole : part, false) };
		if (descend(v, r, kind == 2 ? STR_NONE : rest))
			return true;
		v->parameters.n = before;
	}
	return false;
}

/* Slashes at the end of the path are nothing to it. */
static bool route(visit *v)
{
	size_t n = v->path.n;
	v->parameters.v = arena_array(v->mem, event_pair, PARAMETERS_MAX);
	while (n > 1 && v->path.p[n - 1] == '/')
		n--;
	for (size_t i = 0; i < v->resources.n; i++)
		if (!str_is(v->resources.v[i].parentId))
			return descend(v, &v->resources.v[i], str_sub(v->path, 1, n));
	return false;
}

/* The settings of this method, or those of the stage. */
static bool admitted(visit *v)
{
	str key = v->resource->path.n == 1 ? S("~1") : str_sub(v->resource->path, 1, v->resource->path.n);
	key = arena_fmt(v->mem, "%.*s/%.*s", STR_ARG(key), STR_ARG(v->method->httpMethod));
	const apigateway_MethodSetting *own = NULL;
	for (size_t i = 0; i < v->stage->methodSettings.n; i++) {
		str one = v->stage->methodSettings.v[i].key;
		if (str_eq(one, key) || (!own && str_eq(one, S("*/*"))))
			own = &v->stage->methodSettings.v[i].value;
	}
	if (!front_token(arena_fmt(v->mem, "%.*s/%.*s", STR_ARG(v->rq->who.account), STR_ARG(v->rq->region)),
	                 ACCOUNT_RATE, ACCOUNT_BURST))
		return false;
	if (!own || (!own->throttlingRateLimit.set && !own->throttlingBurstLimit.set))
		return true;
	return front_token(arena_fmt(v->mem, "%.*s/%.*s/%.*s", STR_ARG(v->api->id), STR_ARG(v->stage->stageName),
	                             STR_ARG(key)),
	                   own->throttlingRateLimit.set ? own->throttlingRateLimit.v : ACCOUNT_RATE,
	                   own->throttlingBurstLimit.set ? own->throttlingBurstLimit.v : ACCOUNT_BURST);
}

/* type/subtype against the API's binary media types. */
static bool is_binary(const visit *v, str type)
{
	type = str_trim(str_cut(&type, ';'));
	for (size_t i = 0; i < v->api->binaryMediaTypes.n; i++)
		if (str_is(type) && str_glob(v->api->binaryMediaTypes.v[i], type))
			return true;
	return false;
}

void visit_remap(visit *v)
{
	static const char *const names[] = { "authorization", "date", "host", "server", "www-authenticate" };
	for (size_t i = 0; i < v->out.n_headers; i++)
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			if (str_eq_nocase(v->out.headers[i].name, str_c(names[k])))
				v->out.headers[i].name = arena_concat(v->mem, S("x-amzn-Remapped-"), v->out.headers[i].name);
}

http_event visit_event(const visit *v)
{
	str whole = arena_fmt(v->mem, "/%.*s%.*s", STR_ARG(v->stage->stageName), STR_ARG(v->path));
	return (http_event){ .x = v->x,
		                 .account = v->rq->who.account,
		                 .api = v->api->id,
		                 .stage = v->stage->stageName,
		                 .domain = v->at.domain,
		                 .path = v->path,
		                 .full_path = whole,
		                 .resource_id = v->resource->id,
		                 .resource = v->resource->path,
		                 .path_parameters = v->parameters,
		                 .stage_variables = v->variables,
		                 .request_id = v->request_id,
		                 .extended_id = v->extended_id,
		                 .trace_id = v->trace_id,
		                 .signer = front_signer_of(&v->signer),
		                 .authorizer = v->authorizer, .deployment = v->deployment,
		                 .api_key = v->api_key,
		                 .api_key_id = v->api_key_id,
		                 .rest = true,
		                 .binary = is_binary(v, wire_header(&v->x->in, S("content-type"))),
		                 .now = v->rq->now };
}

static void invoke(visit *v, const apigateway_Integration *i)
{
	str function = front_function(v->mem, i->uri, &v->variables), payload, region = v->rq->region;
	http_event e = visit_event(v);
	int64_t before = clock_mono_us();
	front_outcome done = str_is(function)
		? front_invoke(v->rq, function, visit_method_arn(v), http_event_1(v->mem, &e), &payload)
		: FRONT_FORBIDDEN;
	v->integration_us = clock_mono_us() - before;
	v->rq->region = region; /* the function's may be another: what is metered is the API's */
	if (v->integration_us / 1000 > (i->timeoutInMillis.set ? i->timeoutInMillis.v : 29000))
		visit_refuse(v, &refuse_timeout);
	else if (done == FRONT_FORBIDDEN)
		visit_refuse(v, &refuse_configuration);
	else if (done != FRONT_OK || !http_answer_1(v->mem, payload, v->api->binaryMediaTypes.n > 0, &v->out))
		visit_refuse(v, &refuse_integration);
	else {
		visit_remap(v);
		wire_header_add(&v->out, S("X-Amzn-Trace-Id"), v->trace_id);
		visit_send(v);
	}
}

/* The request's template says which response. */
static void mock(visit *v, const apigateway_Integration *i)
{
	str asked = map_find(&i->requestTemplates, S("application/json"));
	bool scripted = template_has_directives(asked);
	json_value *said = scripted || !str_is(asked) ? NULL
		: json_parse(v->mem, template_filled(v, asked, v->x->in.body));
	const json_value *code = said ? json_get(said, S("statusCode")) : NULL;
	const apigateway_IntegrationResponse *r = NULL;
	for (size_t k = 0; k < i->integrationResponses.n && code; k++)
		if (str_eq(i->integrationResponses.v[k].key, code->text))
			r = &i->integrationResponses.v[k].value;
	str body = r ? map_find(&r->responseTemplates, S("application/json")) : STR_NONE;
	if (!r || template_has_directives(body) || !visit_status(v, r->statusCode)) {
		visit_refuse(v, &refuse_configuration);
		return;
	}
	wire_header_add(&v->out, S("Content-Type"), S("application/json"));
	str prefix = S("method.response.header.");
	for (size_t k = 0; k < r->responseParameters.n; k++) {
		str name = r->responseParameters.v[k].key, value = r->responseParameters.v[k].value;
		if (str_starts(name, prefix) && str_starts(value, S("'")) && value.n >= 2)
			wire_header_add(&v->out, str_sub(name, prefix.n, name.n), str_sub(value, 1, value.n - 1));
	}
	v->out.body = str_is(body) ? template_filled(v, body, S("")) : S("");
	visit_send(v);
}

/* What a web ACL blocks is not charged for; a response of the ACL's own goes past the gateway responses. */
static bool filtered(visit *v)
{
	wall_answer a;
	if (!v->wall || firewall_passes(v->wall, v->x, v->at.path,
	                                stage_arn(v->mem, v->rq->region, v->api->id, v->stage->stageName), &a))
		return false;
	if (a.custom) {
		v->free = true;
		v->out = a.out;
		visit_send(v);
	} else {
		visit_refuse(v, &refuse_filtered);
	}
	return true;
}

static void answer(visit *v)
{
	if (v->x->in.body.n > REST_BODY_MAX)
		visit_refuse(v, &refuse_too_large);
	else if (filtered(v))
		return;
	else if (!route(v))
		visit_refuse(v, &refuse_no_token);
	else if (!visit_authorized(v) || !visit_keyed(v))
		return;
	else if (!admitted(v))
		visit_refuse(v, &refuse_throttled);
	else if (!visit_valid(v))
		return;
	else if (str_eq(v->method->methodIntegration->type, S("MOCK")))
		mock(v, v->method->methodIntegration);
	else if (str_starts(v->method->methodIntegration->type, S("HTTP")))
		visit_forward(v, v->method->methodIntegration);
	else
		invoke(v, v->method->methodIntegration);
}

static void serve(http_exchange *x, store *s)
{
	visit v = {
		.x = x, .mem = x->mem, .began_us = clock_mono_us(), .authorizer = STR_NONE, .api_key = STR_NONE
	};
	v.out.mem = x->mem;
	v.request_id = rand_uuid(x->mem);
	v.extended_id = arena_concat(x->mem, rand_text(x->mem, 15, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
	                                                             "qrstuvwxyz0123456789")), S("="));
	v.trace_id = front_trace(x->mem, wire_header(&x->in, S("x-amzn-trace-id")));
	v.rq = req_internal(x->mem, s, "apigateway.amazonaws.com", STR_NONE, STR_NONE);
	front_place_of(x, true, &v.at);
	const txn *tx = store_read(s);
	bool found = find(&v, tx);
	store_read_end(s, tx);
	if (found)
		answer(&v);
	else
		visit_refuse(&v, &refuse_forbidden);
}
PLANE(apigateway, match, serve);
