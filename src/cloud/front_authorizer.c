#include "cloud/front_authorizer.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include <pthread.h>

#define SLOTS 1024
#define ANSWER_MAX ((size_t)64 << 10)
#define EVENT_MAX ((size_t)16 << 20)

typedef struct slot {
	arena *mem;       /* of the texts, or NULL: empty */
	str key, answer;
	int64_t until;    /* on Farthing's clock */
} slot;
static slot slots[SLOTS];
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

str front_remembered(arena *mem, str key)
{
	const slot *s = &slots[str_hash(key) % SLOTS];
	pthread_mutex_lock(&slots_lock);
	bool found = s->mem && str_eq(s->key, key) && clock_now() < s->until;
	str answer = found ? arena_str(mem, s->answer) : STR_NONE;
	pthread_mutex_unlock(&slots_lock);
	return answer;
}

static void empty(slot *s)
{
	if (s->mem)
		arena_close(s->mem);
	*s = (slot){ 0 };
}

void front_remember(str key, str answer, int64_t seconds)
{
	slot *s = &slots[str_hash(key) % SLOTS];
	if (seconds <= 0 || answer.n > ANSWER_MAX)
		return;
	pthread_mutex_lock(&slots_lock);
	empty(s);
	s->mem = arena_open(key.n + answer.n + 128);
	s->key = arena_str(s->mem, key);
	s->answer = arena_str(s->mem, answer);
	s->until = clock_now() + seconds * MS_SECOND;
	pthread_mutex_unlock(&slots_lock);
}

void front_forget(str prefix)
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
	front_forget(S(""));
}
SERVER_PART(front_authorizers, start, stop);

str front_question(arena *mem, str head, str event)
{
	const json_value *whole = json_parse(mem, event);
	buf b = buf_in(mem, event.n + head.n + 64, EVENT_MAX);
	buf_fmt(&b, "{%.*s", STR_ARG(head));
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

front_outcome front_ask(req *rq, str api, str authorizer, str uri, str credentials,
                        const event_pairs *variables, str event, str *answer)
{
	str function = front_function(rq->mem, uri, variables), region = rq->region;
	str source = arena_fmt(rq->mem, "arn:aws:execute-api:%.*s:%.*s:%.*s/authorizers/%.*s", STR_ARG(region),
	                       STR_ARG(rq->who.account), STR_ARG(api), STR_ARG(authorizer));
	*answer = S("");
	if (!str_is(function))
		return FRONT_FORBIDDEN;
	caller before = rq->who;
	if (credentials.n) {
		req_become_service(rq, "apigateway.amazonaws.com", source);
		if (req_become_role(rq, NULL, credentials)) {
			rq->who = before;
			return FRONT_FORBIDDEN;
		}
	}
	front_outcome done = credentials.n ? front_call(rq, function, event, answer)
		: front_invoke(rq, function, source, event, answer);
	rq->who = before;
	rq->region = region;
	return done;
}

front_verdict front_judged(arena *mem, const json_value *document, str arn)
{
	str wrong;
	buf b = buf_in(mem, 1024, ANSWER_MAX);
	if (!document)
		return FRONT_NONSENSE;
	json_write(&b, document);
	const policy *p = policy_parse(mem, buf_str(&b), POLICY_IDENTITY, &wrong);
	if (!p)
		return FRONT_NONSENSE;
	policy_question q = { .action = S("execute-api:Invoke"), .resource = arn };
	policy_answer a = policy_ask(mem, p, &q);
	return a.denied ? FRONT_DENIED : a.allowed ? FRONT_ALLOWED : FRONT_NOT_ALLOWED;
}

static bool scalar(const json_value *v)
{
	return v->kind == JSON_STRING || v->kind == JSON_NUMBER || v->kind == JSON_TRUE || v->kind == JSON_FALSE;
}

str front_query(arena *mem, str query, str name)
{
	str found = STR_NONE;
	while (str_is(query) && query.n) {
		str value = str_cut(&query, '&'), key = str_cut(&value, '=');
		if (str_eq(percent_decode(mem, key, true), name))
			found = str_is(value) ? percent_decode(mem, value, true) : S("");
	}
	return found;
}

void front_claims(arena *mem, const json_value *claims, str (*text_of)(arena *mem, const json_value *claim),
                  event_pairs *said, buf *b)
{
	*said = (event_pairs){ arena_array(mem, event_pair, claims->n + 1), 0 };
	buf_c(b, '{');
	for (const json_value *c = claims->first; c; c = c->next) {
		str text = text_of(mem, c);
		said->v[said->n++] = (event_pair){ arena_concat(mem, S("claims."), c->key), text };
		buf_put(b, c == claims->first ? S("") : S(","));
		json_put_string(b, c->key);
		buf_c(b, ':');
		json_put_string(b, text);
	}
	buf_c(b, '}');
}

bool front_context(arena *mem, const json_value *context, event_pairs *said)
{
	*said = (event_pairs){ arena_array(mem, event_pair, context ? context->n + 1 : 1), 0 };
	if (context && context->kind != JSON_OBJECT && context->kind != JSON_NULL)
		return false;
	for (const json_value *m = context ? context->first : NULL; m; m = m->next) {
		if (m->kind == JSON_NULL)
			continue;
		if (!scalar(m))
			return false;
		said->v[said->n++] = (event_pair){ m->key, m->kind == JSON_TRUE ? S("true")
			: m->kind == JSON_FALSE ? S("false") : m->text };
	}
	return true;
}

front_signer front_signed(http_exchange *x, const req *rq, str arn, caller *who)
{
	sigv4 sig;
	if (sigv4_parse(&x->in, x->host, &sig) || sig.form == SIG_NONE || !str_eq(sig.service, S("execute-api")))
		return FRONT_UNSIGNED;
	req *own = req_internal(x->mem, rq->store, "apigateway.amazonaws.com", rq->who.account, rq->region);
	own->http = &x->in;
	own->host = x->host;
	own->codec = &codec_rest_json;
	own->who = (caller){ 0 };
	if (auth_caller(own, &sig, server_is_strict()))
		return FRONT_BAD_SIGNATURE;
	*who = own->who;
	if (!server_enforces_iam())
		return str_eq(who->account, rq->who.account) ? FRONT_SIGNED : FRONT_NOT_PERMITTED;
	const txn *tx = req_read(own);
	decision d = decide(own, tx, S("execute-api:Invoke"), arn, NULL);
	req_read_end(own, tx);
	return d.allowed ? FRONT_SIGNED : FRONT_NOT_PERMITTED;
}

http_signer front_signer_of(const caller *who)
{
	return (http_signer){ who->account, who->user_id, who->arn, who->access_key };
}
