/*
 * Subscriptions: WebSockets that speak AppSync's graphql-ws. Messages are read on the pool, those of one
 * connection one after another, each with an arena of its own. A mutation's answer is worked out first; then
 * all whose arguments it fits are told what their subscriptions select of what the mutation selected.
 */
#include "links.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include "sys/rand.h"
#include <stdatomic.h>

#define JOBS_MAX 64
#define MESSAGE_BYTES ((size_t)256 << 10)
#define UPDATE_MAX ((size_t)1 << 20)

static pool *workers;
static atomic_bool stopping;

static str text_of(const json_value *o, str name)
{
	const json_value *v = json_get(o, name);
	return v && v->kind == JSON_STRING ? v->text : STR_NONE;
}

/* What a client says in place of headers becomes a request, so that who asks is found out as ever. */
static void as_request(arena *mem, const json_value *headers, const char *path, str body, wire_message *m)
{
	*m = (wire_message){ .mem = mem, .method = S("POST"), .path = str_c(path), .query = STR_NONE,
			.body = body };
	for (const json_value *h = headers ? headers->first : NULL; h && m->n_headers < 64; h = h->next)
		if (h->kind == JSON_STRING)
			wire_header_add(m, h->key, h->text);
}

static void refuse(http_exchange *x, int status, const char *type, str message)
{
	wire_message out = { .mem = x->mem, .status = status };
	buf b = buf_in(x->mem, 256, 65536);
	buf_fmt(&b, "{\"errors\":[{\"errorType\":\"%s\",\"message\":", type);
	json_put_string(&b, message);
	buf_put(&b, S("}]}"));
	wire_header_add(&out, S("content-type"), S("application/json"));
	wire_header_add(&out, S("x-amzn-errortype"), str_c(type));
	out.body = buf_str(&b);
	http_reply(x, &out, NULL);
}

/* The headers that authorize, in the query or among the subprotocols. NULL: there are none. */
static const json_value *given(http_exchange *x)
{
	str packed = query_value(x->mem, x->in.query, S("header")), text;
	str rest = wire_header(&x->in, S("sec-websocket-protocol"));
	while (!str_is(packed) && str_is(rest)) {
		str one = str_trim(str_cut(&rest, ','));
		if (str_starts(one, S("header-")))
			packed = str_sub(one, 7, one.n);
	}
	if (!str_is(packed))
		return NULL;
	char *p = arena_bytes(x->mem, packed.n + 1);
	for (size_t i = 0; i < packed.n; i++)
		p[i] = packed.p[i] == '-' ? '+' : packed.p[i] == '_' ? '/' : packed.p[i];
	const json_value *v = base64_decode(x->mem, str_of(p, packed.n), &text) ? json_parse(x->mem, text) : NULL;
	return v && v->kind == JSON_OBJECT ? v : NULL;
}

static bool speaks(const http_exchange *x)
{
	str rest = wire_header(&x->in, S("sec-websocket-protocol"));
	while (str_is(rest))
		if (str_eq(str_trim(str_cut(&rest, ',')), S("graphql-ws")))
			return true;
	return false;
}

typedef struct job {
	waiting wait;        /* first: in its connection's row */
	arena *mem;
	subscriber *l;
	str text;
} job;

static void say_error(job *j, str id, str type, str message)
{
	buf b = buf_in(j->mem, 256, 65536);
	buf_put(&b, S("{\"type\":\"error\","));
	if (str_is(id)) {
		buf_put(&b, S("\"id\":"));
		json_put_string(&b, id);
		buf_c(&b, ',');
	}
	buf_put(&b, S("\"payload\":{\"errors\":[{\"errorType\":"));
	json_put_string(&b, type);
	buf_put(&b, S(",\"message\":"));
	json_put_string(&b, message);
	buf_put(&b, S("}]}}"));
	link_say(j->l, buf_str(&b));
}

static void say(job *j, const char *type, str id)
{
	buf b = buf_in(j->mem, 128, 65536);
	buf_fmt(&b, "{\"type\":\"%s\",\"id\":", type);
	json_put_string(&b, id);
	buf_c(&b, '}');
	link_say(j->l, buf_str(&b));
}

static str written(arena *mem, const json_value *v)
{
	buf b = buf_in(mem, 128, MESSAGE_BYTES);
	if (!v)
		return STR_NONE;
	json_write(&b, v);
	return b.full ? STR_NONE : buf_str(&b);
}

/* Says what was wrong first. */
static bool sound(job *j, str id, execution *e)
{
	const json_value *first = e->errors->first;
	if (!first)
		return true;
	str type = text_of(first, S("errorType"));
	say_error(j, id, str_is(type) ? type : S("ValidationException"), text_of(first, S("message")));
	return false;
}

/* Its one field may be asked, and a resolver of it may refuse. */
static void subscribe(job *j, str id, execution *e, const asker *q, const identity *who)
{
	const gql_named *root = gql_named_of(e->schema, e->schema->subscription);
	gql_group *g = execution_collect(e, root, &(gql_sets){ e->operation->first, NULL });
	gql_field *f = g ? gql_field_of(root, g->first->name) : NULL;
	if (!f || g->next) {
		say_error(j, id, S("ValidationException"), S("A subscription selects one field."));
		return;
	}
	gql_path here = { .name = g->alias };
	json_value *arguments = execution_arguments(e, f, g->first, &here);
	gql_visit v = { root, f, g->first, &here, NULL, arguments };
	if (arguments && field_allowed(e, &v) && resolver_found(e, &v))
		resolver_value(e, &v);
	usage_settle_later(e->rq);
	if (!sound(j, id, e))
		return;
	subscription s = { .id = id, .field = f->name, .query = q->query, .operation = q->operation,
		.variables = written(j->mem, q->variables), .arguments = written(j->mem, arguments),
		.mode = who->mode, .groups = written(j->mem, who->groups), .denied = written(j->mem, who->denied) };
	bool large = !str_is(s.arguments) || (q->variables && !str_is(s.variables)) ||
	             (who->groups && !str_is(s.groups)) || (who->denied && !str_is(s.denied));
	if (large)
		say_error(j, id, S("ValidationException"), S("The subscription is too large."));
	else if (link_subscribe(j->l, &s))
		say(j, "start_ack", id);
	else
		say_error(j, id, S("MaxSubscriptionsReachedException"),
		          S("The subscription exists, or there are too many on this connection."));
}

static void start_one(job *j, const json_value *message, str id)
{
	const link_facts *f = link_facts_of(j->l);
	const json_value *payload = json_get(message, S("payload"));
	const json_value *headers = json_get(json_get(payload, S("extensions")), S("authorization"));
	str data = text_of(payload, S("data"));
	const json_value *asked = str_is(data) ? json_parse(j->mem, data) : NULL;
	asker q = { .s = f->s, .mem = j->mem, .peer = f->peer, .id = rand_uuid(j->mem),
		.query = text_of(asked, S("query")), .operation = text_of(asked, S("operationName")),
		.variables = json_get(asked, S("variables")) };
	gql_schema *schema;
	identity who;
	execution e;
	wire_message m;
	if (!str_is(id) || !str_is(q.query)) {
		say_error(j, id, S("MalformedHttpRequestException"), S("Unable to parse GraphQL query."));
		return;
	}
	if (!graphql_api_of(f->s, j->mem, f->api, &q.api, &schema)) {
		say_error(j, id, S("GraphQLSchemaException"), S("The API has no schema."));
		return;
	}
	as_request(j->mem, headers, "/graphql", data, &m);
	q.m = &m;
	q.host = str_is(wire_header(&m, S("host"))) ? wire_header(&m, S("host")) : S("");
	if (!identity_of(&q, &who)) {
		say_error(j, id, S("UnauthorizedException"), q.problem);
		return;
	}
	execution_open(&e, j->mem, f->s, req_internal(j->mem, f->s, "appsync.amazonaws.com", f->account,
			f->region),
	               q.api, schema);
	e.who = &who;
	e.in = &m;
	if (!execution_prepare(&e, q.query, q.operation, q.variables))
		sound(j, id, &e);
	else if (e.operation->kind != GQL_SUBSCRIPTION)
		say_error(j, id, S("UnsupportedOperation"),
		          S("Only subscriptions are supported through the realtime channel."));
	else
		subscribe(j, id, &e, &q, &who);
}

static void on_message(job *j)
{
	const json_value *m = json_parse(j->mem, j->text);
	str type = text_of(m, S("type")), id = text_of(m, S("id"));
	if (str_eq(type, S("connection_init"))) {
		link_say(j->l, S("{\"type\":\"connection_ack\",\"payload\":{\"connectionTimeoutMs\":300000}}"));
		link_say(j->l, S("{\"type\":\"ka\"}"));
	} else if (str_eq(type, S("start"))) {
		start_one(j, m, id);
	} else if (str_eq(type, S("stop")) && str_is(id)) {
		if (link_unsubscribe(j->l, id))
			say(j, "complete", id);
		else
			say_error(j, id, S("UnknownOperationError"), S("There is no such subscription."));
	} else {
		say_error(j, id, S("UnsupportedOperation"), S("unknown not supported through the realtime channel"));
	}
}

static void link_run(void *argument)
{
	subscriber *l = argument; /* held */
	for (job *j; (j = (job *)link_next(l));) {
		if (!atomic_load(&stopping))
			on_message(j);
		arena_close(j->mem);
	}
	link_put(l);
}

static void message(void *context, websocket *w, bool text, str bytes)
{
	subscriber *l = context;
	bool first;
	if (!workers)
		return;
	arena *mem = arena_open(4096 + bytes.n);
	job *j = arena_new(mem, job);
	*j = (job){ { NULL }, mem, l, arena_str(mem, bytes) };
	if (!text || !link_wait(l, &j->wait, &first)) {
		arena_close(mem);
		websocket_close(w, 1008, S("Too many messages"));
	} else if (first) {
		pool_run(workers, link_run, link_hold(l));
	}
}

static void closed(void *context, websocket *w, int code)
{
	const link_facts *f = link_facts_of(context);
	arena *mem = arena_open(512);
	link_facts was = { f->s, arena_str(mem, f->api), arena_str(mem, f->account), arena_str(mem, f->region),
		STR_NONE };
	(void)w;
	(void)code;
	int64_t minutes = link_leave(context);
	usage_later(was.account, was.region, clock_now(), &APPSYNC_MINUTES, was.api, QTY(minutes));
	arena_close(mem);
}

void realtime_serve(http_exchange *x, store *s, str id)
{
	appsync_api *api;
	gql_schema *schema;
	identity who;
	wire_message m;
	graphql_api_of(s, x->mem, id, &api, &schema);
	if (!api || !websocket_asked(x)) {
		refuse(x, api ? 400 : 404, api ? "BadRequestException" : "NotFoundException",
		       api ? S("A WebSocket is expected.") : S("The requested resource was not found."));
		return;
	}
	if (!speaks(x)) {
		refuse(x, 400, "NoProtocolError", S("The subprotocol graphql-ws is required."));
		return;
	}
	as_request(x->mem, given(x), "/graphql/connect", S("{}"), &m);
	asker q = { .s = s, .mem = x->mem, .api = api, .m = &m, .peer = x->peer, .id = rand_uuid(x->mem) };
	q.host = str_is(wire_header(&m, S("host"))) ? wire_header(&m, S("host")) : S("");
	if (!identity_of(&q, &who)) {
		refuse(x, 401, "UnauthorizedException", q.problem);
		return;
	}
	subscriber *l = link_enter(&(link_facts){ s, api->ApiId, api->Account, api->Region, x->peer });
	if (!l) {
		refuse(x, 429, "LimitExceededException", S("There are too many connections."));
		return;
	}
	wire_message head = { .mem = x->mem };
	wire_header_add(&head, S("sec-websocket-protocol"), S("graphql-ws"));
	websocket_app app = { .context = l, .message_max = MESSAGE_BYTES, .message = message, .closed = closed };
	link_attach(l, websocket_accept(x, &head, &app));
}

/* ---- what subscribers are told ---- */

/* What a mutation gave, as JSON: one for all who are told of it. */
typedef struct news {
	arena *mem;
	str value;
	atomic_int references;
} news;

typedef struct telling {
	arena *mem;
	listener to;         /* held */
	news *of;
} telling;

static void news_put(news *n)
{
	if (atomic_fetch_sub(&n->references, 1) == 1)
		arena_close(n->mem);
}

static bool equal(const json_value *a, const json_value *b)
{
	if (!b || b->kind == JSON_NULL || a->kind == JSON_NULL)
		return a->kind == JSON_NULL && (!b || b->kind == JSON_NULL);
	bool scalar = a->kind != JSON_OBJECT && a->kind != JSON_ARRAY;
	return scalar && a->kind == b->kind && str_eq(a->text, b->text);
}

/* What the subscription's arguments name must be so in what the mutation gave. */
static bool wanted(arena *mem, const subscription *s, const json_value *value)
{
	const json_value *arguments = json_parse(mem, s->arguments);
	for (const json_value *a = arguments ? arguments->first : NULL; a; a = a->next)
		if (!equal(a, json_get(value, a->key)))
			return false;
	return true;
}

static void tell(telling *t)
{
	const subscription *s = t->to.s;
	const link_facts *f = link_facts_of(t->to.l);
	appsync_api *api;
	gql_schema *schema;
	execution e;
	identity who = { .mode = s->mode };
	if (!graphql_api_of(f->s, t->mem, f->api, &api, &schema))
		return;
	if (str_is(s->groups))
		who.groups = json_parse(t->mem, s->groups);
	if (str_is(s->denied))
		who.denied = json_parse(t->mem, s->denied);
	execution_open(&e, t->mem, f->s, req_internal(t->mem, f->s, "appsync.amazonaws.com", f->account,
			f->region),
	               api, schema);
	json_value *root = json_new(t->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	json_value *value = json_parse(t->mem, t->of->value);
	if (!value)
		return;
	value->key = s->field;
	json_append(root, &last, value);
	e.who = &who;
	e.plain = true;
	e.root = root;
	if (!execution_prepare(&e, s->query, s->operation, str_is(s->variables) ? json_parse(t->mem, s->variables)
	                                                                        : NULL))
		return;
	str answer = execution_answer(&e, execution_run(&e));
	buf b = buf_in(t->mem, answer.n + 128, UPDATE_MAX);
	buf_put(&b, S("{\"id\":"));
	json_put_string(&b, s->id);
	buf_fmt(&b, ",\"type\":\"data\",\"payload\":%.*s}", STR_ARG(answer));
	if (b.full || !link_say(t->to.l, buf_str(&b)))
		return;
	int64_t steps = ((int64_t)b.n + APPSYNC_UPDATE_BYTES - 1) / APPSYNC_UPDATE_BYTES;
	usage_later(f->account, f->region, clock_now(), &APPSYNC_REALTIME, f->api, QTY(steps));
	usage_later(f->account, f->region, clock_now(), &APPSYNC_TRANSFER_OUT, f->api, (qty)b.n);
}

static void telling_run(void *argument)
{
	telling *t = argument;
	if (!atomic_load(&stopping))
		tell(t);
	listener_put(t->to);
	news_put(t->of);
	arena_close(t->mem);
}

static void tell_all(execution *e, str field, const json_value *value, news *n)
{
	for (listener *one = link_listeners(e->mem, e->api->ApiId, field), *next; one; one = next) {
		next = one->next;
		if (!workers || !wanted(e->mem, one->s, value)) {
			listener_put(*one);
			continue;
		}
		arena *mem = arena_open(8192);
		telling *t = arena_new(mem, telling);
		*t = (telling){ mem, *one, n };
		atomic_fetch_add(&n->references, 1);
		pool_run(workers, telling_run, t);
	}
}

static bool told_of(const gql_field *f, str mutation)
{
	const gql_directive *d = gql_directive_of(f->directives, S("aws_subscribe"));
	const gql_value *list = d ? gql_argument_of(d->arguments, S("mutations")) : NULL;
	for (const gql_value *m = list ? list->first : NULL; m; m = m->next)
		if (str_eq(m->text, mutation))
			return true;
	return false;
}

void realtime_publish(execution *e, const json_value *data)
{
	const gql_named *mutation = gql_named_of(e->schema, e->schema->mutation);
	const gql_named *root = gql_named_of(e->schema, e->schema->subscription);
	if (!root)
		return;
	for (gql_group *g = execution_collect(e, mutation, &(gql_sets){ e->operation->first, NULL }); g;
	     g = g->next) {
		const json_value *v = json_get(data, g->alias);
		gql_field *made = gql_field_of(mutation, g->first->name);
		if (!v || v->kind == JSON_NULL || !made)
			continue;
		json_value *value = execution_renamed(e, gql_named_of(e->schema, gql_base(made->type)), g->sets, v);
		str text = written(e->mem, value);
		if (!str_is(text)) /* as on AWS, an update larger than its limit reaches nobody */
			continue;
		arena *mem = arena_open(text.n + 256);
		news *n = arena_new(mem, news);
		*n = (news){ mem, arena_str(mem, text), 1 };
		for (gql_field *f = root->fields; f; f = f->next)
			if (told_of(f, made->name))
				tell_all(e, f->name, value, n);
		news_put(n);
	}
}

static void watch(void *argument)
{
	(void)argument;
	while (!atomic_load(&stopping)) {
		clock_sleep_ms(1000);
		link_keep_alive();
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
SERVER_PART(appsync_sockets, start, stop);
