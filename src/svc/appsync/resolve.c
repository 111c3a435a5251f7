/*
 * Resolvers: the steps of their code run in a sandbox (script.c), data sources are asked from here in the
 * name of the role that the data source has. Between two steps the stash travels.
 */
#include "execute.h"
#include "base/text.h"
#include "cloud/call.h"
#include "cloud/gateway_front.h"
#include "cloud/meter.h"
#include "sys/clock.h"
#include "wire/http_client.h"

#define EVENT_MAX ((size_t)6 << 20)
#define SELECTION_MAX 1000
#define SELECTION_STEPS_MAX 20000
#define HTTP_ANSWER_MAX ((size_t)2 << 20)

/* What is known of a field: its resolver, or nothing. */
typedef struct plan {
	appsync_Resolver *resolver;
	appsync_DataSource *source;
	appsync_FunctionConfiguration **functions;
	appsync_DataSource **sources;
	size_t n;
} plan;

typedef struct resolving {
	execution *e;
	const gql_visit *v;
	plan *p;
	str stash, prev;     /* JSON; prev absent: there is none */
	bool failed;         /* and the error is told */
} resolving;

/* A step's handler and what it is about. */
typedef struct step {
	const char *name;    /* request, response */
	str code;            /* absent: none */
	const appsync_DataSource *source; /* NULL: none */
	str extra;           /* more members of the event, each with a comma in front */
} step;

typedef struct given {
	str output;          /* JSON, or absent */
	str type, message;   /* of a failure */
} given;

static plan *plan_load(execution *e, const gql_visit *v)
{
	const txn *tx = store_read(e->s);
	str id = e->api->ApiId;
	plan *p = arena_new(e->mem, plan);
	appsync_resolver *r = appsync_resolver_get(tx, e->mem, id, v->type->name, v->field->name);
	if (r) {
		appsync_PipelineConfig *c = r->It->pipelineConfig;
		appsync_source *s = str_is(r->It->dataSourceName) ? appsync_source_get(tx, e->mem, id,
		                                                                       r->It->dataSourceName) : NULL;
		size_t n = c ? c->functions.n : 0;
		*p = (plan){ r->It, s ? s->It : NULL, arena_array(e->mem, appsync_FunctionConfiguration *, n + 1),
			arena_array(e->mem, appsync_DataSource *, n + 1), n };
		for (size_t i = 0; i < n; i++) {
			appsync_function *f = appsync_function_get(tx, e->mem, id, c->functions.v[i]);
			appsync_source *of = f ? appsync_source_get(tx, e->mem, id, f->It->dataSourceName) : NULL;
			p->functions[i] = f ? f->It : NULL;
			p->sources[i] = of ? of->It : NULL;
		}
	}
	store_read_end(e->s, tx);
	return p;
}

static plan *plan_of(execution *e, const gql_visit *v)
{
	str key = arena_fmt(e->mem, "%.*s.%.*s", STR_ARG(v->type->name), STR_ARG(v->field->name));
	plan *p = map_get(&e->resolvers, key);
	if (!p)
		map_put(&e->resolvers, key, p = plan_load(e, v));
	return p;
}

bool resolver_found(execution *e, const gql_visit *v)
{
	return plan_of(e, v)->resolver != NULL;
}

static void put_json(buf *b, const char *name, const json_value *v)
{
	buf_fmt(b, "\"%s\":", name);
	if (v)
		json_write(b, v);
	else
		buf_put(b, S("null"));
}

typedef struct listing {
	size_t n, steps;     /* fields; and what was looked at, as fragments may name others very often */
} listing;

static void put_selected(execution *e, buf *b, const gql_selection *list, const char *before, int depth,
                         listing *l)
{
	for (const gql_selection *s = list; s && l->n < SELECTION_MAX && depth < 16; s = s->next) {
		if (++l->steps > SELECTION_STEPS_MAX)
			return;
		gql_definition *f = s->kind == GQL_SPREAD ? gql_fragment_of(e->document, s->name) : NULL;
		if (s->kind != GQL_FIELD) {
			put_selected(e, b, f ? f->first : s->first, before, depth + 1, l);
			continue;
		}
		str here = arena_fmt(e->mem, "%s%.*s", before, STR_ARG(s->alias));
		buf_put(b, l->n ? S(",") : S(""));
		json_put_string(b, here);
		l->n++;
		put_selected(e, b, s->first, arena_fmt(e->mem, "%.*s/", STR_ARG(here)).p, depth + 1, l);
	}
}

static void put_headers(execution *e, buf *b)
{
	bool first = true;
	buf_put(b, S("\"request\":{\"headers\":{"));
	for (size_t i = 0; e->in && i < e->in->n_headers; i++) {
		str value = e->in->headers[i].value;
		buf_put(b, first ? S("") : S(","));
		first = false;
		json_put_string(b, arena_lower(e->mem, e->in->headers[i].name));
		buf_c(b, ':');
		json_put_string(b, utf8_valid(value) ? value : S(""));
	}
	buf_put(b, S("},\"domainName\":null}"));
}

static void put_context(resolving *r, buf *b)
{
	execution *e = r->e;
	listing l = { 0, 0 };
	buf_c(b, '{');
	put_json(b, "arguments", r->v->arguments);
	buf_c(b, ',');
	put_json(b, "source", r->v->source);
	buf_fmt(b, ",\"identity\":%.*s,", STR_ARG(str_is(e->who->json) ? e->who->json : S("null")));
	put_headers(e, b);
	buf_put(b, S(",\"info\":{\"fieldName\":"));
	json_put_string(b, r->v->field->name);
	buf_put(b, S(",\"parentTypeName\":"));
	json_put_string(b, r->v->type->name);
	buf_c(b, ',');
	put_json(b, "variables", e->variables);
	buf_put(b, S(",\"selectionSetList\":["));
	put_selected(e, b, r->v->selection->first, "", 0, &l);
	buf_put(b, S("]},\"env\":{"));
	for (size_t i = 0; i < e->api->Environment.n; i++) {
		buf_put(b, i ? S(",") : S(""));
		json_put_string(b, e->api->Environment.v[i].key);
		buf_c(b, ':');
		json_put_string(b, e->api->Environment.v[i].value);
	}
	buf_fmt(b, "},\"stash\":%.*s,\"prev\":", STR_ARG(r->stash));
	if (str_is(r->prev))
		buf_fmt(b, "{\"result\":%.*s}}", STR_ARG(r->prev));
	else
		buf_put(b, S("null}"));
}

static void wrong(resolving *r, str type, str message, str data, str info)
{
	r->failed = true;
	execution_error(r->e, r->v->path, r->v->selection->at, type, message, data, info);
}

static str json_text(execution *e, const json_value *v)
{
	buf b = buf_in(e->mem, 64, EVENT_MAX);
	if (!v)
		return STR_NONE;
	json_write(&b, v);
	return b.full ? STR_NONE : buf_str(&b);
}

static str text_of(const json_value *o, str name, str otherwise)
{
	const json_value *v = json_get(o, name);
	return v && v->kind == JSON_STRING ? v->text : otherwise;
}

/* An error as the code gave it. */
static void told(resolving *r, const json_value *error)
{
	bool failed = r->failed;
	str type = text_of(error, S("type"), S("Custom")), message = text_of(error, S("message"), S(""));
	if (str_eq(type, S("Unauthorized")) && str_eq(message, S("Unauthorized")))
		message = arena_fmt(r->e->mem, "Not Authorized to access %.*s on type %.*s",
		                    STR_ARG(r->v->field->name), STR_ARG(r->v->type->name));
	wrong(r, type, message, json_text(r->e, json_get(error, S("data"))),
	      json_text(r->e, json_get(error, S("info"))));
	r->failed = failed;
}

static const char *auth_name(auth_mode mode)
{
	static const char *const names[] = { "null", "\"API Key Authorization\"", "\"IAM Authorization\"",
		"\"User Pool Authorization\"", "\"Open ID Connect Authorization\"", "\"Lambda Authorization\"" };
	return names[mode];
}

/* Runs one step; NULL: it failed, and that is told. */
static const json_value *run(resolving *r, const step *s)
{
	execution *e = r->e;
	buf b = buf_in(e->mem, 4096, EVENT_MAX);
	str answer, why;
	buf_fmt(&b, "{\"step\":\"%s\",\"handler\":\"%s\",\"now\":%lld,\"auth\":%s", s->name, s->name,
	        (long long)clock_now(), auth_name(e->who->mode));
	if (str_is(s->code)) {
		buf_put(&b, S(",\"code\":"));
		json_put_string(&b, s->code);
	}
	if (s->source) {
		buf_put(&b, S(",\"source\":"));
		json_put_string(&b, s->source->type);
		if (s->source->dynamodbConfig) {
			buf_put(&b, S(",\"table\":"));
			json_put_string(&b, s->source->dynamodbConfig->tableName);
		}
	}
	if (str_is(s->extra))
		buf_put(&b, s->extra);
	buf_put(&b, S(",\"context\":"));
	put_context(r, &b);
	buf_c(&b, '}');
	if (b.full || arena_used(e->mem) > EXECUTE_BYTES) {
		wrong(r, S("Code"), S("The context is too large."), STR_NONE, STR_NONE);
		return NULL;
	}
	bool ran = script_run(e->mem, e->rq, e->api->ApiId, buf_str(&b), e->until_us, &answer, &why);
	const json_value *a = ran ? json_parse(e->mem, answer) : NULL;
	if (!a) {
		wrong(r, S("Code"), ran ? S("The result of the code is no JSON.") : why, STR_NONE, STR_NONE);
		return NULL;
	}
	const json_value *errors = json_get(a, S("errors")), *error = json_get(a, S("error"));
	for (const json_value *m = errors ? errors->first : NULL; m; m = m->next)
		told(r, m);
	str stash = json_text(e, json_get(a, S("stash")));
	if (str_is(stash))
		r->stash = stash;
	if (error) {
		told(r, error);
		r->failed = true;
	}
	return error ? NULL : a;
}

/* A request of its own for each call, so that what is called does not change ours. */
static req *agent(execution *e, const appsync_DataSource *d, err *refused)
{
	req *own = req_internal(e->mem, e->s, "appsync.amazonaws.com", e->rq->who.account, e->rq->region);
	req_become_service(own, "appsync.amazonaws.com", e->api->It->arn);
	*refused = str_is(d->serviceRoleArn) ? req_become_role(own, NULL, d->serviceRoleArn) : OK;
	return own;
}

static bool may_ask(str name)
{
	static const char *const all[] = { "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan",
		"BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems" };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (str_eq(name, str_c(all[i])))
			return true;
	return false;
}

/* The sandbox proposes the call; which operations and, of single ones, which table is decided here. */
static given ask_dynamodb(execution *e, const appsync_DataSource *d, const json_value *call)
{
	str name = text_of(call, S("operation"), S("")), out;
	const json_value *input = json_get(call, S("input"));
	if (!may_ask(name) || !input || input->kind != JSON_OBJECT)
		return (given){ STR_NONE, S("MappingTemplate"), S("Unsupported operation.") };
	buf b = buf_in(e->mem, 1024, EVENT_MAX);
	bool single = json_get(input, S("TableName")) != NULL, first = !single;
	buf_c(&b, '{');
	if (single) {
		buf_put(&b, S("\"TableName\":"));
		json_put_string(&b, d->dynamodbConfig->tableName);
	}
	for (const json_value *m = input->first; m; m = m->next) {
		if (str_eq(m->key, S("TableName")) || m->kind == JSON_NULL)
			continue;
		buf_put(&b, first ? S("") : S(","));
		first = false;
		json_put_string(&b, m->key);
		buf_c(&b, ':');
		json_write(&b, m);
	}
	buf_c(&b, '}');
	err failed;
	req *own = agent(e, d, &failed);
	own->region = d->dynamodbConfig->awsRegion;
	if (!failed)
		failed = call_json(own, NULL, "dynamodb", arena_str(e->mem, name).p, buf_str(&b), &out);
	usage_settle_later(own);
	if (failed)
		return (given){ STR_NONE, arena_concat(e->mem, S("DynamoDB:"), str_c(failed->kind->name)),
			failed->message };
	return (given){ out, STR_NONE, STR_NONE };
}

static given ask_lambda(execution *e, const appsync_DataSource *d, str payload)
{
	err failed;
	str answer = S("");
	req *own = agent(e, d, &failed);
	front_outcome done = failed ? FRONT_FORBIDDEN
		: front_call(own, d->lambdaConfig->lambdaFunctionArn, payload, &answer);
	usage_settle_later(own);
	if (failed)
		return (given){ STR_NONE, S("Lambda:AccessDeniedException"), failed->message };
	const json_value *v = answer.n ? json_parse(e->mem, answer) : NULL;
	if (done == FRONT_OK)
		return v ? (given){ answer, STR_NONE, STR_NONE }
		         : (given){ S("null"), STR_NONE, STR_NONE };
	return (given){ STR_NONE, S("Lambda:Unhandled"),
		text_of(v, S("errorMessage"), S("The function could not be invoked.")) };
}

/* The payload of an Invoke; a request without code is the context as it is. */
static given invoke(resolving *r, const appsync_DataSource *d, const json_value *request)
{
	buf b = buf_in(r->e->mem, 1024, EVENT_MAX);
	const json_value *payload = json_get(request, S("payload"));
	str name = text_of(request, S("operation"), S("Invoke"));
	if (request && !str_eq(name, S("Invoke")) && !str_eq(name, S("BatchInvoke")))
		return (given){ STR_NONE, S("MappingTemplate"), arena_fmt(r->e->mem, "Unsupported operation '%.*s'.",
		                                                          STR_ARG(name)) };
	if (!request) {
		put_context(r, &b);
	} else if (payload) {
		bool batch = str_eq(name, S("BatchInvoke"));
		buf_put(&b, batch ? S("[") : S(""));
		json_write(&b, payload);
		buf_put(&b, batch ? S("]") : S(""));
	} else {
		buf_put(&b, S("null"));
	}
	return ask_lambda(r->e, d, buf_str(&b));
}

/* STR_NONE: it is too long. */
static str query_of(execution *e, const json_value *query)
{
	buf b = buf_in(e->mem, 128, 16384);
	for (const json_value *m = query ? query->first : NULL; m; m = m->next) {
		buf_c(&b, b.n ? '&' : '?');
		buf_put(&b, percent_encode(e->mem, m->key, false));
		buf_c(&b, '=');
		buf_put(&b, percent_encode(e->mem, m->kind == JSON_TRUE ? S("true") : m->text, false));
	}
	return b.full ? STR_NONE : b.n ? buf_str(&b) : S("");
}

static bool header_name(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == ':')
			return false;
	return s.n > 0;
}

static bool header_value(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ')
			return false;
	return true;
}

static given ask_http(execution *e, const appsync_DataSource *d, const json_value *request)
{
	const json_value *params = json_get(request, S("params")), *headers = json_get(params, S("headers"));
	const json_value *body = json_get(params, S("body"));
	str path = text_of(request, S("resourcePath"), S("/")), method = text_of(request, S("method"), S("GET"));
	str endpoint = d->httpConfig->endpoint;
	if (str_ends(endpoint, S("/")))
		endpoint.n--;
	if (!header_name(method) || !str_starts(path, S("/")) || !header_name(path))
		return (given){ STR_NONE, S("MappingTemplate"), S("The request has no valid method or path.") };
	wire_message m = { .mem = e->mem, .method = method, .body = S("") }, answer = { .mem = e->mem };
	if (body)
		m.body = body->kind == JSON_STRING ? body->text : json_text(e, body);
	for (const json_value *h = headers ? headers->first : NULL; h; h = h->next)
		if (h->kind == JSON_STRING && header_name(h->key) && header_value(h->text) &&
		    !front_of_connection(h->key))
			wire_header_add(&m, h->key, h->text);
	int64_t left = (e->until_us - clock_mono_us()) / 1000;
	http_client_options o = { .total_ms = left > 1 ? (int)left : 1, .body_max = HTTP_ANSWER_MAX };
	str query = query_of(e, json_get(params, S("query")));
	if (!str_is(query))
		return (given){ STR_NONE, S("MappingTemplate"), S("The request's query is too long.") };
	str url = arena_concat(e->mem, arena_concat(e->mem, endpoint, path), query);
	err failed = http_call(e->mem, url, &m, &o, &answer);
	if (failed)
		return (given){ STR_NONE, S("HttpError"), failed->message };
	buf b = buf_in(e->mem, answer.body.n + 512, EVENT_MAX);
	buf_fmt(&b, "{\"statusCode\":%d,\"headers\":{", answer.status);
	for (size_t i = 0; i < answer.n_headers; i++) {
		buf_put(&b, i ? S(",") : S(""));
		json_put_string(&b, answer.headers[i].name);
		buf_c(&b, ':');
		json_put_string(&b, utf8_valid(answer.headers[i].value) ? answer.headers[i].value : S(""));
	}
	buf_put(&b, S("},\"body\":"));
	json_put_string(&b, utf8_valid(answer.body) ? answer.body : base64_encode(e->mem, answer.body));
	buf_c(&b, '}');
	return (given){ buf_str(&b), STR_NONE, STR_NONE };
}

static given ask(resolving *r, const appsync_DataSource *d, const json_value *answer, bool code)
{
	const json_value *request = json_get(answer, S("value"));
	if (str_eq(d->type, appsync_DataSourceType_NONE))
		return (given){ STR_NONE, STR_NONE, STR_NONE };
	if (str_eq(d->type, appsync_DataSourceType_AMAZON_DYNAMODB))
		return ask_dynamodb(r->e, d, json_get(answer, S("call")));
	if (str_eq(d->type, appsync_DataSourceType_AWS_LAMBDA))
		return invoke(r, d, code ? request : NULL);
	return ask_http(r->e, d, request);
}

typedef enum went { WENT_ON, WENT_TO_END, WENT_WRONG } went;

/* The request and response of one data source; `out` is JSON. */
static went unit(resolving *r, str code, const appsync_DataSource *d, str *out)
{
	execution *e = r->e;
	bool own = str_is(code);
	const json_value *a = NULL, *early;
	if (!d) {
		wrong(r, S("MappingTemplate"), S("The data source does not exist."), STR_NONE, STR_NONE);
		return WENT_WRONG;
	}
	if (own) {
		a = run(r, &(step){ "request", code, d, STR_NONE });
		if (!a)
			return WENT_WRONG;
		if ((early = json_get(a, S("early")))) {
			*out = json_text(e, json_get(early, S("value")));
			return str_eq(text_of(early, S("skipTo"), S("")), S("END")) ? WENT_TO_END : WENT_ON;
		}
	}
	given g = ask(r, d, a, own);
	if (!own) { /* Lambda without code: what it says is the result */
		if (str_is(g.type))
			wrong(r, g.type, g.message, STR_NONE, STR_NONE);
		*out = g.output;
		return str_is(g.type) ? WENT_WRONG : WENT_ON;
	}
	buf b = buf_in(e->mem, g.output.n + 256, EVENT_MAX);
	str request = json_text(e, json_get(a, S("value")));
	buf_fmt(&b, ",\"request\":%.*s", STR_ARG(str_is(request) ? request : S("null")));
	if (str_is(g.output))
		buf_fmt(&b, ",\"output\":%.*s", STR_ARG(g.output));
	if (str_is(g.type)) {
		buf_put(&b, S(",\"failure\":{\"type\":"));
		json_put_string(&b, g.type);
		buf_put(&b, S(",\"message\":"));
		json_put_string(&b, g.message);
		buf_c(&b, '}');
	}
	a = run(r, &(step){ "response", code, d, buf_str(&b) });
	if (!a)
		return WENT_WRONG;
	early = json_get(a, S("early"));
	*out = json_text(e, json_get(early ? early : a, S("value")));
	return WENT_ON;
}

/* Before, the functions, after. */
static went pipeline(resolving *r, str *out)
{
	execution *e = r->e;
	str code = r->p->resolver->code;
	const json_value *a = run(r, &(step){ "request", code, NULL, STR_NONE });
	if (!a)
		return WENT_WRONG;
	const json_value *early = json_get(a, S("early"));
	went w = early ? WENT_TO_END : WENT_ON;
	r->prev = json_text(e, json_get(early ? early : a, S("value")));
	for (size_t i = 0; i < r->p->n && w == WENT_ON; i++) {
		str result = STR_NONE;
		if (!r->p->functions[i]) {
			wrong(r, S("MappingTemplate"), S("A function of the pipeline does not exist."), STR_NONE,
					STR_NONE);
			return WENT_WRONG;
		}
		w = unit(r, r->p->functions[i]->code, r->p->sources[i], &result);
		r->prev = str_is(result) ? result : S("null");
	}
	if (w == WENT_WRONG)
		return w;
	if (!str_is(r->prev))
		r->prev = S("null");
	a = run(r, &(step){ "response", code, NULL, arena_concat(e->mem, S(",\"result\":"), r->prev) });
	if (!a)
		return WENT_WRONG;
	early = json_get(a, S("early"));
	*out = json_text(e, json_get(early ? early : a, S("value")));
	return WENT_ON;
}

const json_value *resolver_value(execution *e, const gql_visit *v)
{
	resolving r = { .e = e, .v = v, .p = plan_of(e, v), .stash = S("{}"), .prev = STR_NONE };
	str out = STR_NONE;
	int64_t most = e->api->It->resolverCountLimit.v;
	if (++e->resolved > (size_t)(most ? most : 10000)) {
		wrong(&r, S("ResolverCountLimit"), S("The request asks too many resolvers."), STR_NONE, STR_NONE);
		e->stopped = true;
		return NULL;
	}
	bool steps = str_eq(r.p->resolver->kind, appsync_ResolverKind_PIPELINE);
	went w = steps ? pipeline(&r, &out) : unit(&r, r.p->resolver->code, r.p->source, &out);
	return w == WENT_WRONG || !str_is(out) ? NULL : json_parse(e->mem, out);
}
