#include "plane.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "wire/websocket.h"
#include <pthread.h>

#define PATH_FORM "/_appsync-api/"
#define REALTIME_FORM "/_appsync-realtime-api/"

typedef struct place {
	str id, path;
	bool realtime;
} place;

static bool by_path(str path, str form, place *p)
{
	if (!str_starts(path, form))
		return false;
	str rest = str_sub(path, form.n, path.n);
	p->id = str_cut(&rest, '/');
	p->path = str_is(rest) ? str_sub(path, form.n + p->id.n, path.n) : S("/");
	return true;
}

static bool place_of(const http_exchange *x, place *p)
{
	str host = x->host, left = str_cut(&host, ':');
	*p = (place){ .path = x->in.path };
	if (by_path(x->in.path, S(PATH_FORM), p))
		return true;
	p->realtime = true;
	if (by_path(x->in.path, S(REALTIME_FORM), p))
		return true;
	p->id = str_cut(&left, '.');
	str kind = str_is(left) ? str_cut(&left, '.') : S("");
	p->realtime = str_eq(kind, S("appsync-realtime-api"));
	if (!str_is(left) || (!p->realtime && !str_eq(kind, S("appsync-api"))))
		return false;
	str_cut(&left, '.');
	return str_eq(left, S("localhost")) || str_eq(left, S("amazonaws.com"));
}

static bool match(const http_exchange *x)
{
	place p;
	return place_of(x, &p);
}

bool graphql_api_of(store *s, arena *mem, str id, appsync_api **api, gql_schema **schema)
{
	const txn *tx = store_read(s);
	appsync_owner *o = appsync_owner_get(tx, mem, id);
	*api = o ? appsync_api_get(tx, mem, o->Account, o->Region, id) : NULL;
	appsync_schema *row = *api ? appsync_schema_get(tx, mem, id) : NULL;
	store_read_end(s, tx);
	*schema = row && str_is(row->Definition) ? graphql_schema(mem, id, row->Definition) : NULL;
	return *schema != NULL;
}

static void cors(wire_message *out)
{
	wire_header_add(out, S("access-control-allow-origin"), S("*"));
	wire_header_add(out, S("access-control-expose-headers"),
	                S("x-amzn-RequestId,x-amzn-ErrorType,x-amz-user-agent,x-amzn-ErrorMessage,Date,"
	                  "x-amz-schema-version"));
}

static void answer(http_exchange *x, str id, int status, str body)
{
	wire_message out = { .mem = x->mem, .status = status, .body = body };
	wire_header_add(&out, S("content-type"), S("application/json;charset=UTF-8"));
	wire_header_add(&out, S("x-amzn-requestid"), id);
	cors(&out);
	http_reply(x, &out, NULL);
}

static void refuse(http_exchange *x, str id, int status, const char *type, str message)
{
	buf b = buf_in(x->mem, 256, 65536);
	buf_fmt(&b, "{\"errors\":[{\"errorType\":\"%s\",\"message\":", type);
	json_put_string(&b, message);
	buf_put(&b, S("}]}"));
	answer(x, id, status, buf_str(&b));
}

static void preflight(http_exchange *x)
{
	wire_message out = { .mem = x->mem, .status = 200, .body = S("") };
	str wanted = wire_header(&x->in, S("access-control-request-headers"));
	cors(&out);
	wire_header_add(&out, S("access-control-allow-methods"), S("POST,OPTIONS"));
	wire_header_add(&out, S("access-control-allow-headers"), str_is(wanted) ? wanted : S("*"));
	wire_header_add(&out, S("access-control-max-age"), S("172800"));
	http_reply(x, &out, NULL);
}

/* What is asked, as JSON. */
static bool read_body(http_exchange *x, str id, asker *q)
{
	str bytes = wire_body(&x->in);
	json_value *body = bytes.n <= APPSYNC_BODY_BYTES ? json_parse(x->mem, bytes) : NULL;
	const json_value *query = json_get(body, S("query")), *name = json_get(body, S("operationName"));
	if (!body || body->kind != JSON_OBJECT) {
		refuse(x, id, 400, "MalformedHttpRequestException", S("Unable to parse the request body as JSON."));
		return false;
	}
	if (!query || query->kind != JSON_STRING) {
		refuse(x, id, 400, "MalformedHttpRequestException", S("Unable to parse GraphQL query."));
		return false;
	}
	q->query = query->text;
	q->operation = name && name->kind == JSON_STRING ? name->text : STR_NONE;
	q->variables = json_get(body, S("variables"));
	return true;
}

static void settle(execution *e, size_t bytes)
{
	usage_later(e->api->Account, e->api->Region, clock_now(), &APPSYNC_QUERY, e->api->ApiId, QTY(1));
	usage_later(e->api->Account, e->api->Region, clock_now(), &APPSYNC_TRANSFER_OUT, e->api->ApiId,
	            (qty)bytes);
	usage_settle_later(e->rq);
}

/* What subscribers are told is worked out before the answer ends the exchange and its arena. */
static void serve_graphql(http_exchange *x, store *s, str id, asker *q, const identity *who,
		gql_schema *schema)
{
	execution e;
	gql_problem p;
	req *rq = req_internal(x->mem, s, "appsync.amazonaws.com", q->api->Account, q->api->Region);
	json_value *data = NULL;
	if (!gql_parse(x->mem, q->query, &p)) {
		refuse(x, id, 400, "MalformedHttpRequestException", S("Unable to parse GraphQL query."));
		return;
	}
	execution_open(&e, x->mem, s, rq, q->api, schema);
	e.who = who;
	e.in = &x->in;
	if (execution_prepare(&e, q->query, q->operation, q->variables)) {
		if (e.operation->kind == GQL_SUBSCRIPTION)
			execution_error(&e, NULL, e.operation->at, S("UnsupportedOperation"),
			                S("Subscriptions are served by the real-time endpoint."), STR_NONE, STR_NONE);
		else
			data = execution_run(&e);
	}
	str body = execution_answer(&e, data);
	settle(&e, body.n);
	if (data && e.operation->kind == GQL_MUTATION)
		realtime_publish(&e, data);
	answer(x, id, 200, body);
}

/*
 * Requests at once, of one API and of all: each has a thread of the server, and an API may ask itself over
 * HTTP. APIs that fall together share their number, a matter of chance.
 */
#define AT_ONCE_MAX 200
#define AT_ONCE_ALL_MAX 600
#define SLOTS 1024
static struct {
	pthread_mutex_t lock;
	int all, of[SLOTS];
} running = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool enter(size_t slot)
{
	pthread_mutex_lock(&running.lock);
	bool room = running.all < AT_ONCE_ALL_MAX && running.of[slot] < AT_ONCE_MAX;
	running.all += room;
	running.of[slot] += room;
	pthread_mutex_unlock(&running.lock);
	return room;
}

static void leave(size_t slot)
{
	pthread_mutex_lock(&running.lock);
	running.all--;
	running.of[slot]--;
	pthread_mutex_unlock(&running.lock);
}

static void serve_api(http_exchange *x, store *s, place p)
{
	appsync_api *api;
	gql_schema *schema;
	identity who;
	str id = rand_uuid(x->mem);
	if (p.realtime || websocket_asked(x)) {
		realtime_serve(x, s, p.id);
		return;
	}
	bool whole = graphql_api_of(s, x->mem, p.id, &api, &schema);
	if (!api || !str_eq(p.path, S("/graphql"))) {
		refuse(x, id, 404, "NotFoundException", S("The requested resource was not found."));
		return;
	}
	if (str_eq(x->in.method, S("OPTIONS"))) {
		preflight(x);
		return;
	}
	asker q = { .s = s, .mem = x->mem, .api = api, .m = &x->in, .host = x->host, .peer = x->peer, .id = id };
	if (!str_eq(x->in.method, S("POST")))
		refuse(x, id, 405, "MethodNotAllowedException", S("Only POST is supported."));
	else if (x->in.body.n > APPSYNC_BODY_BYTES)
		refuse(x, id, 413, "RequestEntityTooLargeException", S("The request is larger than 1 MB."));
	else if (!read_body(x, id, &q))
		return;
	else if (!identity_of(&q, &who))
		refuse(x, id, 401, "UnauthorizedException", q.problem);
	else if (!whole)
		refuse(x, id, 400, "GraphQLSchemaException", S("The API has no schema."));
	else
		serve_graphql(x, s, id, &q, &who, schema);
}

static void serve(http_exchange *x, store *s)
{
	place p;
	place_of(x, &p);
	size_t slot = str_hash(p.id) % SLOTS;
	if (!enter(slot)) {
		refuse(x, rand_uuid(x->mem), 429, "TooManyRequestsException", S("Rate exceeded"));
		return;
	}
	serve_api(x, s, p);
	leave(slot);
}
PLANE(appsync, match, serve);
