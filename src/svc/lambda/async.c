#include "lambda.h"
#include "base/time.h"
#include "cloud/call.h"
#include "pool.h"
#include "store/due.h"
#include "sys/clock.h"

#define DELAY_FIRST_MS MS_SECOND
#define DELAY_MOST_MS (5 * MS_MINUTE)
#define RETRIES 2

typedef struct taking {
	const target *t;
	str payload, client_context, trace_id;
} taking;

static str id_text(arena *mem, int64_t id)
{
	return arena_fmt(mem, "%lld", (long long)id);
}

static err take(req *rq, txn *tx, void *context)
{
	const taking *k = context;
	int64_t id = (int64_t)txn_next(tx, S("lambda.pending"));
	lambda_pending_put(tx, &(lambda_pending){
		.Id = id, .Account = k->t->f.account, .Region = k->t->f.region, .Name = k->t->f.name,
		.Qualifier = k->t->f.qualifier, .RequestId = rq->id, .Payload = k->payload, .Taken = rq->now,
		.ClientContext = k->client_context, .TraceId = k->trace_id });
	task_add(tx, "lambda_async", id_text(rq->mem, id), 0);
	return OK;
}

err async_take(req *rq, const target *t, str payload, str client_context, str trace_id)
{
	taking k = { t, payload, client_context, trace_header(rq->mem, trace_id) };
	return req_write(rq, take, &k);
}

/* What the function's event invoke configuration says, or AWS's defaults. */
typedef struct rules {
	int64_t retries, age_ms;
} rules;

static rules rules_of(const txn *tx, arena *mem, const lambda_pending *p)
{
	rules r = { RETRIES, LAMBDA_ASYNC_AGE_S * MS_SECOND };
	lambda_invokeconfig *c = invokeconfig_of(tx, mem, p);
	if (c && c->It->MaximumRetryAttempts.set)
		r.retries = c->It->MaximumRetryAttempts.v;
	if (c && c->It->MaximumEventAgeInSeconds.set)
		r.age_ms = c->It->MaximumEventAgeInSeconds.v * MS_SECOND;
	return r;
}

static bool forget(void *context, txn *tx)
{
	lambda_pending_delete(tx, *(int64_t *)context);
	return true;
}

static bool remember(void *context, txn *tx)
{
	lambda_pending_put(tx, context);
	return true;
}

static int64_t finished(store *s, int64_t id)
{
	/* A disk that refuses: the event is seen again, which AWS allows too. */
	return store_write(s, forget, &id) ? clock_now() + MS_SECOND : TASK_DONE;
}

/* Throttled: again after a second, then two, four .. up to five minutes. */
static int64_t later_by(lambda_pending *p)
{
	int64_t delay = DELAY_FIRST_MS << (p->Delays < 10 ? p->Delays : 10);
	p->Delays++;
	return clock_now() + (delay < DELAY_MOST_MS ? delay : DELAY_MOST_MS);
}

/* The moment of the next attempt, or 0 when there is none. */
static int64_t next_attempt(const answer *a, const rules *r, lambda_pending *p, bool *too_old)
{
	int64_t at = 0;
	if (a->refused != TAKEN) {
		at = later_by(p);
	} else if (p->Failures++ < r->retries) {
		at = clock_now() + p->Failures * MS_MINUTE; /* after one minute, then two */
	}
	*too_old = at && at - p->Taken > r->age_ms;
	return *too_old ? 0 : at;
}

/* One attempt. 0: done with. */
static int64_t attempt_at(arena *mem, store *s, lambda_pending *p, const target *t, const rules *r)
{
	invocation i = { .request_id = p->RequestId, .payload = p->Payload, .client_context = p->ClientContext,
		.trace_id = trace_header(mem, p->TraceId) };
	answer a;
	bool too_old = false;
	invoke_run(mem, s, t, &i, &a);
	p->Runs += a.refused == TAKEN;
	bool ok = a.refused == TAKEN && !a.failed;
	bool never = a.refused == RECURSIVE ||
		(a.refused == THROTTLED_RESERVED && t->function->Reserved == 1); /* reserved: zero */
	int64_t at = ok || never ? 0 : next_attempt(&a, r, p, &too_old);
	if (!at)
		deliver(mem, s, p, t, &a, too_old);
	return at;
}

TASK(lambda_async)
{
	int64_t number;
	if (!str_to_i64(payload, &number))
		return TASK_DONE;
	const txn *tx = store_read(s);
	lambda_pending *p = lambda_pending_get(tx, mem, number);
	target t;
	err missing = OK;
	rules r = { 0 };
	if (p) {
		req *rq = req_internal(mem, s, "lambda.amazonaws.com", p->Account, p->Region);
		function_name f = { p->Account, p->Region, p->Name, p->Qualifier };
		missing = target_named(rq, tx, &f, &t);
		r = rules_of(tx, mem, p);
	}
	store_read_end(s, tx);
	if (!p)
		return TASK_DONE;
	int64_t at = missing ? 0 : attempt_at(mem, s, p, &t, &r);
	if (!at)
		return finished(s, number);
	return store_write(s, remember, p) ? clock_now() + MS_SECOND : at;
}
