/*
 * Who may come: signed requests by their policies, or whom an authorizer's function lets in. What a function
 * said is remembered for as long as the authorizer says, in memory: one of a kind of many would cost an
 * invocation otherwise. Its policy is asked for each request anew.
 */
#include <pthread.h>
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/server.h"
#include "cloud/target.h"
#include "sys/clock.h"
#include "visit.h"
#include "wire/pattern.h"

#define SLOTS 1024
#define ANSWER_MAX ((size_t)64 << 10)
#define EVENT_MAX ((size_t)16 << 20)

/* ---- what was said before ---- */

typedef struct slot {
	arena *mem;       /* of the texts, or NULL: empty */
	str key, answer;
	int64_t until;    /* on Farthing's clock */
} slot;
static slot slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

static str remembered(arena *mem, str key, int64_t now)
{
	const slot *s = &slots[str_hash(key) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	str answer = s->mem && str_eq(s->key, key) && now < s->until ? arena_str(mem, s->answer) : STR_NONE;
	pthread_mutex_unlock(&slots_lock);
	return answer;
}

static void empty(slot *s)
{
	if (s->mem)
		arena_close(s->mem);
	*s = (slot){ 0 };
}

static void remember(str key, str answer, int64_t until)
{
	slot *s = &slots[str_hash(key) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	empty(s);
	s->mem = arena_open(key.n + answer.n + 128);
	s->key = arena_str(s->mem, key);
	s->answer = arena_str(s->mem, answer);
	s->until = until;
	pthread_mutex_unlock(&slots_lock);
}

static void forget(str prefix)
{
	pthread_mutex_lock(&slots_lock);
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].mem && str_starts(slots[i].key, prefix))
			empty(&slots[i]);
	pthread_mutex_unlock(&slots_lock);
}

static err start(store *s, str data_folder)
{
	(void)s;
	(void)data_folder;
	return OK;
}

static void stop(void)
{
	forget(S(""));
}
SERVER_PART(apigateway_authorizers, start, stop);

err apigateway_FlushStageAuthorizersCache(req *rq, const apigateway_FlushStageAuthorizersCache_in *in,
                                          apigateway_FlushStageAuthorizersCache_out *out)
{
	apigateway_api *api;
	const txn *tx = req_read(rq);
	err e = rest_find(rq, tx, in->restApiId, &api);
	bool there = !e && apigateway_stage_get(tx, rq->mem, in->restApiId, in->stageName);
	req_read_end(rq, tx);
	TRY(e);
	if (!there)
		return fail(rq, &apigateway_NotFoundException, "Invalid stage identifier specified");
	forget(arena_fmt(rq->mem, "%.*s/%.*s/", STR_ARG(in->restApiId), STR_ARG(in->stageName)));
	return OK;
}

/* ---- functions ---- */

str visit_method_arn(const visit *v)
{
	return arena_fmt(v->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/%.*s/%.*s%.*s", STR_ARG(v->rq->region),
	                 STR_ARG(v->rq->who.account), STR_ARG(v->api->id), STR_ARG(v->stage->stageName),
	                 STR_ARG(v->x->in.method), STR_ARG(v->path));
}

/* The identity's parts, one to a line. false: one of them is missing. */
static bool identity(const visit *v, const apigateway_Authorizer *a, buf *b, str *first)
{
	str rest = a->identitySource;
	*first = STR_NONE;
	while (str_is(rest) && rest.n) {
		str value = visit_mapped(v, str_trim(str_cut(&rest, ',')));
		if (!value.n)
			return false;
		if (!str_is(*first))
			*first = value;
		buf_fmt(b, "%zu %.*s\n", value.n, STR_ARG(value));
	}
	return true;
}

static str token_event(const visit *v, str token)
{
	buf b = buf_in(v->mem, token.n + 512, EVENT_MAX);
	buf_put(&b, S("{\"type\":\"TOKEN\",\"methodArn\":"));
	json_put_string(&b, visit_method_arn(v));
	buf_put(&b, S(",\"authorizationToken\":"));
	json_put_string(&b, token);
	buf_c(&b, '}');
	return buf_str(&b);
}

/* The function's event without the body, and with what it is for. */
static str request_event(const visit *v)
{
	http_event e = visit_event(v);
	const json_value *whole = json_parse(v->mem, http_event_1(v->mem, &e));
	buf b = buf_in(v->mem, 4096, EVENT_MAX);
	buf_put(&b, S("{\"type\":\"REQUEST\",\"methodArn\":"));
	json_put_string(&b, visit_method_arn(v));
	for (const json_value *m = whole ? whole->first : NULL; m; m = m->next) {
		if (str_eq(m->key, S("body")) || str_eq(m->key, S("isBase64Encoded")))
			continue;
		buf_c(&b, ',');
		json_put_string(&b, m->key);
		buf_c(&b, ':');
		json_write(&b, m);
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

/* With credentials the role calls the function, otherwise the gateway itself. */
static front_outcome ask(visit *v, const apigateway_Authorizer *a, str event, str *answer)
{
	str function = front_function(v->mem, a->authorizerUri, &v->variables), region = v->rq->region;
	str source = arena_fmt(v->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/authorizers/%.*s", STR_ARG(region),
	                       STR_ARG(v->rq->who.account), STR_ARG(v->api->id), STR_ARG(a->id));
	if (!str_is(function))
		return FRONT_FORBIDDEN;
	caller before = v->rq->who;
	if (a->authorizerCredentials.n) {
		req_become_service(v->rq, "apigateway.amazonaws.com", source);
		if (req_become_role(v->rq, NULL, a->authorizerCredentials)) {
			v->rq->who = before;
			return FRONT_FORBIDDEN;
		}
	}
	front_outcome done = a->authorizerCredentials.n ? front_call(v->rq, function, event, answer)
		: front_invoke(v->rq, function, source, event, answer);
	v->rq->who = before;
	v->rq->region = region;
	return done;
}

/* ---- what they say ---- */

static bool scalar(const json_value *v)
{
	return v->kind == JSON_STRING || v->kind == JSON_NUMBER || v->kind == JSON_TRUE || v->kind == JSON_FALSE;
}

/* principalId and the context, all as texts, as functions get them. false: the context is more than
 * scalars. */
static bool keep_context(visit *v, const json_value *said)
{
	buf b = buf_in(v->mem, 512, ANSWER_MAX * 2);
	const json_value *c = json_get(said, S("context"));
	buf_put(&b, S("{\"principalId\":"));
	json_put_string(&b, v->principal);
	if (c && c->kind != JSON_OBJECT && c->kind != JSON_NULL)
		return false;
	v->said = (event_pairs){ arena_array(v->mem, event_pair, c ? c->n + 1 : 1), 0 };
	for (const json_value *m = c && c->kind == JSON_OBJECT ? c->first : NULL; m; m = m->next) {
		if (m->kind == JSON_NULL)
			continue;
		if (!scalar(m))
			return false;
		str value = m->kind == JSON_TRUE ? S("true") : m->kind == JSON_FALSE ? S("false") : m->text;
		v->said.v[v->said.n++] = (event_pair){ m->key, value };
		buf_c(&b, ',');
		json_put_string(&b, m->key);
		buf_c(&b, ':');
		json_put_string(&b, value);
	}
	v->said.v[v->said.n++] = (event_pair){ S("integrationLatency"), S("0") };
	buf_put(&b, S(",\"integrationLatency\":0}"));
	v->authorizer = buf_str(&b);
	return true;
}

/* NULL when the policy lets the request through. */
static const refusal *judged(visit *v, const json_value *said)
{
	str wrong, text;
	buf b = buf_in(v->mem, 1024, ANSWER_MAX);
	const json_value *document = json_get(said, S("policyDocument")), *who = json_get(said, S("principalId"));
	const json_value *key = json_get(said, S("usageIdentifierKey"));
	if (!document || !who || who->kind != JSON_STRING)
		return &refuse_authorizer;
	v->principal = who->text;
	v->usage_key = key && key->kind == JSON_STRING ? key->text : STR_NONE;
	json_write(&b, document);
	text = buf_str(&b);
	const policy *p = policy_parse(v->mem, text, POLICY_IDENTITY, &wrong);
	if (!p || !keep_context(v, said))
		return &refuse_authorizer;
	policy_question q = { .action = S("execute-api:Invoke"), .resource = visit_method_arn(v) };
	policy_answer a = policy_ask(v->mem, p, &q);
	return a.denied ? &refuse_denied_explicitly : a.allowed ? NULL : &refuse_denied;
}

/* A function that fails with the word "Unauthorized" says so. */
static bool says_unauthorized(arena *mem, str failure)
{
	const json_value *said = json_get(json_parse(mem, failure), S("errorMessage"));
	return said && said->kind == JSON_STRING && str_eq(said->text, S("Unauthorized"));
}

static const apigateway_Authorizer *authorizer_of(const visit *v)
{
	for (size_t i = 0; i < v->beside.authorizers.n; i++)
		if (str_eq(v->beside.authorizers.v[i].id, v->method->authorizerId))
			return &v->beside.authorizers.v[i];
	return NULL;
}

static bool token_fits(const visit *v, const apigateway_Authorizer *a, str token)
{
	if (!a->identityValidationExpression.n)
		return true;
	const pattern *p = pattern_compile(v->mem, a->identityValidationExpression);
	return p && pattern_matches(p, v->mem, token);
}

static const refusal *custom(visit *v)
{
	const apigateway_Authorizer *a = authorizer_of(v);
	str first, answer;
	buf key = buf_in(v->mem, 256, 1 << 20);
	if (!a)
		return &refuse_authorizer;
	bool token = str_eq(a->type, S("TOKEN"));
	int64_t ttl = authorizer_ttl(a) * MS_SECOND;
	buf_fmt(&key, "%.*s/%.*s/%.*s/%.*s\n", STR_ARG(v->api->id), STR_ARG(v->stage->stageName),
	        STR_ARG(v->deployment), STR_ARG(a->id));
	bool whole = identity(v, a, &key, &first);
	if ((!whole && (token || ttl)) || (token && !token_fits(v, a, first)))
		return &refuse_unauthorized;
	answer = ttl ? remembered(v->mem, buf_str(&key), clock_now()) : STR_NONE;
	if (!str_is(answer)) {
		front_outcome done = ask(v, a, token ? token_event(v, first) : request_event(v), &answer);
		if (done != FRONT_OK)
			return done == FRONT_FAILED && says_unauthorized(v->mem, answer) ? &refuse_unauthorized
			                                                                 : &refuse_authorizer;
		if (ttl && answer.n <= ANSWER_MAX)
			remember(buf_str(&key), answer, clock_now() + ttl);
	}
	const json_value *said = json_parse(v->mem, answer);
	return said ? judged(v, said) : &refuse_authorizer;
}

/* ---- signed requests ---- */

static const refusal *signed_request(visit *v)
{
	sigv4 sig;
	if (sigv4_parse(&v->x->in, v->x->host, &sig) || sig.form == SIG_NONE ||
	    !str_eq(sig.service, S("execute-api")))
		return &refuse_no_token;
	req *rq =
		req_internal(v->mem, v->rq->store, "apigateway.amazonaws.com", v->rq->who.account, v->rq->region);
	rq->http = &v->x->in;
	rq->host = v->x->host;
	rq->codec = &codec_rest_json;
	rq->who = (caller){ 0 };
	if (auth_caller(rq, &sig, server_is_strict()))
		return &refuse_signature;
	v->principal = rq->who.arn;
	if (!server_enforces_iam())
		return str_eq(rq->who.account, v->rq->who.account) ? NULL : &refuse_denied;
	const txn *tx = req_read(rq);
	decision d = decide(rq, tx, S("execute-api:Invoke"), visit_method_arn(v), NULL);
	req_read_end(rq, tx);
	return d.allowed ? NULL : &refuse_denied;
}

bool visit_authorized(visit *v)
{
	const refusal *no = NULL;
	if (str_eq(v->method->authorizationType, S("CUSTOM")))
		no = custom(v);
	else if (str_eq(v->method->authorizationType, S("AWS_IAM")))
		no = signed_request(v);
	if (no)
		visit_refuse(v, no);
	return !no;
}
