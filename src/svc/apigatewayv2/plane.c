/* HTTP APIs as their callers see them. */
#include "visit.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/cors.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "wire/http_client.h"
#include "wire/websocket.h"

#define DEFAULT_TIMEOUT_MS 30000

static bool match(const http_exchange *x)
{
	front_place p;
	return front_place_of(x, false, &p) || domain_known(x->host);
}

/* An API does not answer to other hosts than its own and those of custom domains: 403, as AWS says. */
static bool named(str name)
{
	str_cut(&name, '.');
	return str_starts(name, S("execute-api."));
}

static void send(visit *v)
{
	wire_header_add(&v->out, S("Apigw-Requestid"), v->extended_id);
	size_t bytes = v->out.body.n;
	int status = v->out.status;
	if (v->stage) {
		int64_t size = (int64_t)(v->x->in.body.n > bytes ? v->x->in.body.n : bytes);
		int64_t steps = size ? (size + APIGW_STEP_BYTES - 1) / APIGW_STEP_BYTES : 1;
		if (!v->throttled && !v->free) /* AWS does not charge for these */
			usage_later(v->account, v->region, clock_now(), &APIGW_HTTP, v->api->ApiId, QTY(steps));
		if (bytes)
			usage_later(v->account, v->region, clock_now(), &APIGWV2_TRANSFER_OUT, v->api->ApiId,
			            (qty)bytes);
		visit_logged(v, status, bytes);
	}
	usage_settle_later(v->rq);
	http_reply(v->x, &v->out, NULL);
}

static void add_cors(visit *v);

static void refuse(visit *v, int status, const char *message)
{
	v->out.status = status;
	v->out.n_headers = 0;
	wire_header_add(&v->out, S("content-type"), S("application/json"));
	v->out.body = arena_fmt(v->mem, "{\"message\":\"%s\"}", message);
	v->problem = str_c(message);
	if (str_is(v->challenge))
		wire_header_add(&v->out, S("www-authenticate"), v->challenge);
	if (v->api)
		add_cors(v);
	send(v);
}

/* What the API's configuration says takes the place of what the integration says. */
static void add_cors(visit *v)
{
	const apigatewayv2_Cors *c = v->api->CorsConfiguration;
	if (!c)
		return;
	cors_apply(v->mem, &(cors_rules){ CORS_LIST(c->AllowOrigins), CORS_LIST(c->AllowMethods),
	                                  CORS_LIST(c->AllowHeaders), CORS_LIST(c->ExposeHeaders),
	                                  c->AllowCredentials.v, false, c->MaxAge }, &v->x->in, &v->out);
}

/* Answered here once CORS is configured, whatever the routes. */
static bool preflight(visit *v)
{
	if (!v->api->CorsConfiguration || !cors_is_preflight(&v->x->in))
		return false;
	v->out.status = 204;
	v->out.body = S("");
	add_cors(v);
	send(v);
	return true;
}

/* Finds API, stage and route. 0, or the status to refuse with. */
static int find(visit *v, const txn *tx)
{
	str api = v->at.api, stage = STR_NONE;
	if (!str_is(api) && !domain_lead(v, tx, v->x->host, &api, &stage))
		return 403;
	if (!visit_api(v, tx, api) || (v->api->DisableExecuteApiEndpoint.v && str_is(v->at.api)))
		return 404;
	v->path = v->at.path;
	if (str_is(stage))
		return visit_stage(v, tx, stage) ? 0 : 404;
	str rest = str_sub(v->path, 1, v->path.n), first = str_cut(&rest, '/');
	if (first.n && !str_eq(first, S("$default")) && visit_stage(v, tx, percent_decode(v->mem, first,
	                                                                                  false))) {
		v->path = str_is(rest) ? str_sub(v->path, 1 + first.n, v->path.n) : S("/");
		return 0;
	}
	return !is_websocket(&(apigatewayv2_api){ .It = v->api }) && visit_stage(v, tx, S("$default")) ? 0 : 404;
}

http_event visit_http_event(const visit *v)
{
	str key = v->route->RouteKey, resource = key;
	str_cut(&resource, ' ');
	return (http_event){ .x = v->x, .account = v->account, .api = v->api->ApiId, .stage = v->stage->StageName,
		.domain = v->at.domain, .path = v->at.path, .full_path = v->at.path, .route_key = key,
		.resource = str_is(resource) ? resource : key, .path_parameters = v->parameters,
		.stage_variables = v->variables, .request_id = v->extended_id, .extended_id = v->extended_id,
		.trace_id = v->trace_id, .authorizer = STR_NONE, .signer = v->signer, .now = v->rq->now };
}

static void invoke(visit *v)
{
	str function = front_function(v->mem, v->integration->IntegrationUri, &v->variables), payload;
	bool two = str_eq(v->integration->PayloadFormatVersion, S("2.0"));
	http_event e = visit_http_event(v);
	e.authorizer = two ? v->authorizer_2 : v->authorizer_1;
	str event = two ? http_event_2(v->mem, &e) : http_event_1(v->mem, &e);
	int64_t before = clock_mono_us();
	str source = visit_source(v, v->x->in.method, v->path);
	front_outcome done = str_is(function) ? front_invoke(v->rq, function, source, event,
	                                                     &payload) : FRONT_FAILED;
	v->integration_us = clock_mono_us() - before;
	const opt_i64 *set = &v->integration->TimeoutInMillis;
	int64_t limit = set->set ? set->v : DEFAULT_TIMEOUT_MS;
	if (v->integration_us / 1000 > limit) {
		refuse(v, 503, "Service Unavailable");
		return;
	}
	if (done != FRONT_OK || !(two ? http_answer_2(v->mem, payload, &v->out)
	                          : http_answer_1(v->mem, payload, true, &v->out))) {
		refuse(v, 500, "Internal Server Error");
		return;
	}
	add_cors(v);
	send(v);
}

/* The URI with {name} and {proxy} replaced by what the path gave. */
static str backend_url(visit *v)
{
	str uri = front_substitute(v->mem, v->integration->IntegrationUri, &v->variables);
	buf b = buf_in(v->mem, uri.n + 256, 65536);
	while (uri.n) {
		size_t at = str_find_char(uri, '{');
		buf_put(&b, str_sub(uri, 0, at));
		if (at == SIZE_MAX)
			break;
		uri = str_sub(uri, at + 1, uri.n);
		str name = str_cut(&uri, '}');
		for (size_t i = 0; i < v->parameters.n; i++)
			if (str_eq(v->parameters.v[i].name, name))
				buf_put(&b, percent_encode(v->mem, v->parameters.v[i].value, true));
	}
	if (str_is(v->x->in.query) && v->x->in.query.n) {
		buf_c(&b, str_find_char(buf_str(&b), '?') == SIZE_MAX ? '?' : '&');
		buf_put(&b, v->x->in.query);
	}
	return buf_str(&b);
}

static void forward(visit *v)
{
	const wire_message *in = &v->x->in;
	wire_message m = { .mem = v->mem, .method = in->method, .body = in->body }, answer = { .mem = v->mem };
	if (!str_eq(v->integration->IntegrationMethod, S("ANY")) && str_is(v->integration->IntegrationMethod))
		m.method = v->integration->IntegrationMethod;
	for (size_t i = 0; i < in->n_headers; i++)
		if (!front_of_connection(in->headers[i].name))
			wire_header_add(&m, in->headers[i].name, in->headers[i].value);
	wire_header_add(&m, S("forwarded"), arena_fmt(v->mem, "by=127.0.0.1;for=%.*s;host=%.*s;proto=%s",
	                STR_ARG(v->x->peer), STR_ARG(v->at.domain), v->x->tls ? "https" : "http"));
	http_client_options o = { .total_ms = (int)(v->integration->TimeoutInMillis.set
	                                            ? v->integration->TimeoutInMillis.v : DEFAULT_TIMEOUT_MS),
		.body_max = APIGW_BODY_MAX };
	int64_t before = clock_mono_us();
	err failed = http_call(v->mem, backend_url(v), &m, &o, &answer);
	v->integration_us = clock_mono_us() - before;
	if (failed) {
		bool late = v->integration_us / 1000 >= o.total_ms;
		refuse(v, late ? 503 : 500, late ? "Service Unavailable" : "Internal Server Error");
		return;
	}
	front_hand_back(&answer, &v->out);
	add_cors(v);
	send(v);
}

static void serve_http(visit *v)
{
	if (preflight(v))
		return;
	if (v->x->in.body.n > APIGW_BODY_MAX) {
		refuse(v, 413, "Request Entity Too Large");
		return;
	}
	int no;
	apigatewayv2_Route *r = route_for(v, v->x->in.method, v->path);
	if (r)
		visit_target(v, r);
	if (!r)
		refuse(v, 404, "Not Found");
	else if ((v->throttled = !visit_admitted(v)))
		refuse(v, 429, "Too Many Requests");
	else if ((no = visit_let_in(v, visit_source(v, v->x->in.method, v->path), STR_NONE)))
		refuse(v, no, no == 401 ? "Unauthorized" : no == 403 ? "Forbidden" : "Internal Server Error");
	else if (!v->integration)
		refuse(v, 500, "Internal Server Error");
	else if (str_eq(v->integration->IntegrationType, S("HTTP_PROXY")))
		forward(v);
	else
		invoke(v);
}

static void serve(http_exchange *x, store *s)
{
	visit v = { .x = x, .s = s, .mem = x->mem, .began_us = clock_mono_us() };
	v.out.mem = x->mem;
	v.request_id = rand_uuid(x->mem);
	v.extended_id = arena_concat(x->mem, rand_text(x->mem, 15, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
	                                                             "qrstuvwxyz0123456789-_")), S("="));
	v.trace_id = front_trace(x->mem, wire_header(&x->in, S("x-amzn-trace-id")));
	v.rq = req_internal(x->mem, s, "apigateway.amazonaws.com", STR_NONE, STR_NONE);
	if (!front_place_of(x, false, &v.at))
		v.at = (front_place){ STR_NONE, STR_NONE, x->host, x->in.path };
	const txn *tx = store_read(s);
	int refused = find(&v, tx);
	store_read_end(s, tx);
	if (refused)
		refuse(&v, refused, refused == 404 ? "Not Found" : "Forbidden");
	else if (is_websocket(&(apigatewayv2_api){ .It = v.api }))
		socket_serve(&v);
	else
		serve_http(&v);
}
PLANE_NAMED(apigatewayv2, match, serve, NULL, named);
