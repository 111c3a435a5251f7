/*
 * WebSocket APIs. The handshake waits for $connect; afterwards messages arrive on the connection's thread and
 * are handed to the pool, each with an arena of its own. A connection's row is in memory
 * (cloud/socket_table):
 * it cannot outlive the process.
 */
#include "visit.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "cloud/socket_table.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include "sys/rand.h"
#include <stdatomic.h>

#define JOBS_MAX 256
#define IDLE_US (600 * INT64_C(1000000))
#define LIFE_US (7200 * INT64_C(1000000))
#define EVENT_MAX ((size_t)8 << 20)

static pool *workers;
static atomic_bool stopping;

typedef enum socket_event { CONNECT, MESSAGE, DISCONNECT } socket_event;
static const char *const event_names[] = { "CONNECT", "MESSAGE", "DISCONNECT" };

static int64_t steps_of(size_t bytes)
{
	return bytes ? ((int64_t)bytes + APIGW_WS_STEP_BYTES - 1) / APIGW_WS_STEP_BYTES : 1;
}

static void put_context(buf *b, visit *v, const socket_facts *f, socket_event kind, const char *message_id,
                        int code)
{
	event_pair pairs[] = {
		{ S("routeKey"), v->route->RouteKey }, { S("eventType"), str_c(event_names[kind]) },
		{ S("extendedRequestId"), v->extended_id }, { S("requestTime"), event_time(v->mem, v->rq->now) },
		{ S("messageDirection"), S("IN") }, { S("stage"), v->stage->StageName },
		{ S("requestId"), v->extended_id }, { S("domainName"), f->domain },
		{ S("connectionId"), f->id }, { S("apiId"), v->api->ApiId },
	};
	buf_put(b, S("\"requestContext\":{"));
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		json_put_string(b, pairs[i].name);
		buf_c(b, ':');
		json_put_string(b, pairs[i].value);
		buf_c(b, ',');
	}
	if (message_id) {
		event_put_pair(b, "messageId", str_c(message_id));
		buf_c(b, ',');
	}
	if (kind == DISCONNECT)
		buf_fmt(b, "\"disconnectStatusCode\":%d,\"disconnectReason\":\"%s\",", code,
		        code == 1001 ? "Going away" : "");
	buf_fmt(b, "\"connectedAt\":%lld,\"requestTimeEpoch\":%lld,\"identity\":{", (long long)f->connected_at,
	        (long long)v->rq->now);
	event_put_pair(b, "sourceIp", f->ip);
	buf_c(b, ',');
	event_put_pair(b, "userAgent", utf8_valid(f->agent) && str_is(f->agent) ? f->agent : S(""));
	buf_c(b, '}');
	if (str_is(f->authorizer))
		buf_fmt(b, ",\"authorizer\":%.*s", STR_ARG(f->authorizer));
	buf_c(b, '}');
}

static str event_of(visit *v, const socket_facts *f, socket_event kind, str body, bool text, int code)
{
	buf b = buf_in(v->mem, 2048 + body.n * 2, EVENT_MAX);
	buf_c(&b, '{');
	if (kind == CONNECT) {
		event_put_headers_1(&b, v->x, true, v->trace_id);
		if (str_is(v->x->in.query) && v->x->in.query.n)
			event_put_query_1(&b, v->x->in.query);
	} else if (kind == DISCONNECT) {
		buf_put(&b, S("\"headers\":{"));
		event_put_pair(&b, "Host", f->domain);
		buf_put(&b, S(",\"x-api-key\":\"\",\"X-Forwarded-For\":\"\",\"x-restapi\":\"\"},"));
	}
	str message_id = kind == MESSAGE ? rand_text(v->mem, 15, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
	                                                            "klmnopqrstuvwxyz0123456789")) : STR_NONE;
	if (kind == MESSAGE)
		message_id = arena_str(v->mem, arena_concat(v->mem, message_id, S("=")));
	put_context(&b, v, f, kind, message_id.p, code);
	if (v->variables.n) {
		buf_put(&b, S(",\"stageVariables\":"));
		event_put_map(&b, &v->variables);
	}
	if (kind == MESSAGE) {
		buf_put(&b, S(",\"body\":"));
		json_put_string(&b, text ? body : base64_encode(v->mem, body));
	}
	buf_fmt(&b, ",\"isBase64Encoded\":%s}", kind == MESSAGE && !text ? "true" : "false");
	return buf_str(&b);
}

static str route_arn(const visit *v)
{
	return arena_fmt(v->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s", STR_ARG(v->region),
	                 STR_ARG(v->account), STR_ARG(v->api->ApiId), STR_ARG(v->stage->StageName),
	                 STR_ARG(v->route->RouteKey));
}

/* The status with which the integration answered; its body in v->out. */
static int run(visit *v, const socket_facts *f, socket_event kind, str body, bool text, int code)
{
	if (!v->integration)
		return 500;
	if (str_eq(v->integration->IntegrationType, S("MOCK")))
		return 200;
	str function = front_function(v->mem, v->integration->IntegrationUri, &v->variables), payload;
	str source = route_arn(v);
	int64_t before = clock_mono_us();
	front_outcome done = str_is(function)
		? front_invoke(v->rq, function, source, event_of(v, f, kind, body, text, code),
		               &payload) : FRONT_FAILED;
	v->integration_us = clock_mono_us() - before;
	if (done != FRONT_OK)
		return done == FRONT_FORBIDDEN ? 500 : 502;
	json_value *answer = json_parse(v->mem, payload);
	const json_value *status = json_get(answer, S("statusCode")), *said = json_get(answer, S("body"));
	int64_t n = 0;
	if (!status || !str_to_i64(status->text, &n) || n < 100 || n > 599)
		return 502;
	v->out.body = said && said->kind == JSON_STRING ? said->text : S("");
	return (int)n;
}

typedef struct socket_job {
	arena *mem;
	store *s;
	socket_entry *from; /* held */
	socket_event kind;
	bool text;
	str body;
	int code;
} socket_job;

static bool visit_again(visit *v, const socket_facts *f)
{
	v->trace_id = front_trace(v->mem, STR_NONE);
	v->extended_id = arena_concat(v->mem, rand_text(v->mem, 15,
	                                                S("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789")),
	                              S("="));
	v->rq = req_internal(v->mem, v->s, "apigateway.amazonaws.com", STR_NONE, STR_NONE);
	v->at = (front_place){ f->api, STR_NONE, f->domain, S("/") };
	const txn *tx = store_read(v->s);
	bool ok = visit_api(v, tx, f->api) && visit_stage(v, tx, f->stage);
	store_read_end(v->s, tx);
	return ok;
}

/* $request.body.action: the member of the body, which may be deep. STR_NONE: none. */
static str selected(arena *mem, str expression, str body)
{
	if (str_starts(expression, S("${")))
		expression = str_sub(expression, 1, expression.n - 1);
	size_t at = str_find(expression, S("request.body."));
	const json_value *v = at == SIZE_MAX ? NULL : json_parse(mem, body);
	if (at != SIZE_MAX && str_starts(expression, S("{")))
		at = str_find(expression, S("request.body."));
	for (str rest = at == SIZE_MAX ? STR_NONE : str_sub(expression, at + 13, expression.n); v &&
	     str_is(rest);)
		v = json_get(v, str_cut(&rest, '.'));
	return v && (v->kind == JSON_STRING || v->kind == JSON_NUMBER) ? v->text : STR_NONE;
}

static void say_error(visit *v, socket_entry *e, const char *message)
{
	const socket_facts *f = socket_facts_of(e);
	socket_say(e, true, arena_fmt(v->mem, "{\"message\": \"%s\", \"connectionId\":\"%.*s\", \"requestId\":"
	                              "\"%.*s\"}", message, STR_ARG(f->id), STR_ARG(v->extended_id)));
}

static void on_message(visit *v, socket_job *j)
{
	const socket_facts *f = socket_facts_of(j->from);
	str key = selected(v->mem, v->api->RouteSelectionExpression, j->body);
	apigatewayv2_Route *r = str_is(key) && !str_starts(key, S("$")) ? route_with_key(v, key) : NULL;
	if (!r)
		r = route_with_key(v, S("$default"));
	if (!r) {
		say_error(v, j->from, "Forbidden");
		return;
	}
	visit_target(v, r);
	if (!visit_admitted(v)) {
		say_error(v, j->from, "Too Many Requests");
		return;
	}
	int status = run(v, f, MESSAGE, j->body, j->text, 0);
	if (status >= 500)
		say_error(v, j->from, "Internal server error");
	else if (str_is(r->RouteResponseSelectionExpression) && v->out.body.n &&
	         socket_say(j->from, true, v->out.body)) {
		usage_later(v->account, v->region, clock_now(), &APIGW_WS_MESSAGES, v->api->ApiId,
		            QTY(steps_of(v->out.body.n)));
		usage_later(v->account, v->region, clock_now(), &APIGWV2_TRANSFER_OUT, v->api->ApiId,
		            (qty)v->out.body.n);
	}
}

static void on_disconnect(visit *v, socket_job *j)
{
	const socket_facts *f = socket_facts_of(j->from);
	int64_t minutes = (clock_mono_us() - f->began_us + 59999999) / 60000000;
	usage_later(v->account, v->region, clock_now(), &APIGW_WS_MINUTES, v->api->ApiId,
	            QTY(minutes ? minutes : 1));
	apigatewayv2_Route *r = route_with_key(v, S("$disconnect"));
	if (!r)
		return;
	visit_target(v, r);
	run(v, f, DISCONNECT, STR_NONE, true, j->code);
}

static void job_run(void *argument)
{
	socket_job *j = argument;
	visit v = { .s = j->s, .mem = j->mem, .began_us = clock_mono_us() };
	v.out.mem = j->mem;
	if (visit_again(&v, socket_facts_of(j->from))) {
		if (j->kind == MESSAGE)
			on_message(&v, j);
		else
			on_disconnect(&v, j);
		usage_settle_later(v.rq);
	}
	socket_put(j->from);
	arena_close(j->mem);
}

static void job_add(socket_entry *e, socket_event kind, bool text, str body, int code)
{
	if (!workers)
		return;
	arena *mem = arena_open(8192 + body.n);
	socket_job *j = arena_new(mem, socket_job);
	*j = (socket_job){ mem, socket_facts_of(e)->s, socket_hold(e), kind, text, arena_str(mem, body), code };
	if (!str_is(j->body))
		j->body = S("");
	pool_run(workers, job_run, j);
}

static void message(void *context, websocket *w, bool text, str bytes)
{
	socket_entry *e = context;
	const socket_facts *f = socket_facts_of(e);
	(void)w;
	socket_touch(e);
	usage_later(f->account, f->region, clock_now(), &APIGW_WS_MESSAGES, f->api, QTY(steps_of(bytes.n)));
	job_add(e, MESSAGE, text, bytes, 0);
}

static void closed(void *context, websocket *w, int code)
{
	(void)w;
	job_add(context, DISCONNECT, true, STR_NONE, code);
	socket_leave(context);
}

static void refuse(visit *v, int status, const char *message_)
{
	v->out.status = status;
	wire_header_add(&v->out, S("content-type"), S("application/json"));
	v->out.body = arena_fmt(v->mem, "{\"message\": \"%s\", \"connectionId\":\"\", "
	                        "\"requestId\":\"%.*s\"}", message_,
	                        STR_ARG(v->extended_id));
	http_reply(v->x, &v->out, NULL);
}

static str new_id(arena *mem)
{
	unsigned char random[11];
	rand_bytes(random, sizeof random);
	str id = base64_encode(mem, str_of((const char *)random, sizeof random));
	char *p = arena_bytes(mem, id.n);
	for (size_t i = 0; i < id.n; i++)
		p[i] = id.p[i] == '+' ? '-' : id.p[i] == '/' ? '_' : id.p[i];
	return str_of(p, id.n);
}

void socket_serve(visit *v)
{
	if (!websocket_asked(v->x)) {
		refuse(v, 403, "Forbidden");
		return;
	}
	socket_facts f = { .id = new_id(v->mem), .api = v->api->ApiId, .stage = v->stage->StageName,
		.domain = v->at.domain, .account = v->account, .region = v->region, .ip = v->x->peer,
		.agent = wire_header(&v->x->in, S("user-agent")), .connected_at = clock_now(),
		.began_us = clock_mono_us(), .s = v->s };
	apigatewayv2_Route *r = route_with_key(v, S("$connect"));
	if (r) {
		visit_target(v, r);
		if (!visit_admitted(v)) {
			refuse(v, 429, "Too Many Requests");
			return;
		}
		int status = visit_let_in(v, route_arn(v), event_of(v, &f, CONNECT, STR_NONE, true, 0));
		if (status) {
			visit_logged(v, status, 0);
			usage_settle_later(v->rq);
			refuse(v, status, status == 401 ? "Unauthorized" : status == 403 ? "Forbidden"
			                                                                 : "Internal server error");
			return;
		}
		f.authorizer = v->authorizer_1;
		status = run(v, &f, CONNECT, STR_NONE, true, 0);
		visit_logged(v, status, 0);
		usage_settle_later(v->rq);
		if (status < 200 || status > 299) {
			refuse(v, status >= 500 ? 500 : status, status >= 500 ? "Internal server error" : "Forbidden");
			return;
		}
	}
	wire_message head = { .mem = v->mem };
	socket_entry *e = socket_enter(&f);
	websocket_app app = { .context = e, .message_max = 131072, .message = message, .closed = closed };
	socket_attach(e, websocket_accept(v->x, &head, &app));
}

static void watch(void *argument)
{
	(void)argument;
	while (!atomic_load(&stopping)) {
		clock_sleep_ms(1000);
		socket_expire(IDLE_US, LIFE_US);
	}
}

static err start(store *s, str data_folder)
{
	(void)s;
	(void)data_folder;
	atomic_store(&stopping, false);
	workers = pool_open(JOBS_MAX);
	pool_run(workers, watch, NULL);
	return OK;
}

static void stop(void)
{
	pool *p = workers;
	atomic_store(&stopping, true);
	workers = NULL;
	pool_close(p);
}
SERVER_PART(apigatewayv2_sockets, start, stop);
