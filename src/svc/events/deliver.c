#include "base/time.h"
#include "base/json.h"
#include "bus.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/target.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define FIRST_DELAY_MS MS_SECOND
#define LONGEST_DELAY_MS (10 * MS_MINUTE)

static void count(const char *name, str account, str region, str rule, int64_t when)
{
	metric_point p = { .account = account, .region = region, .name_space = S("AWS/Events"),
			.name = str_c(name),
		               .unit = S("Count"), .n_dimensions = 1, .dimensions = { { S("RuleName"), rule } },
		               .when = when, .value = 1 };
	metric_later(&p);
}

bool is_bus(str arn)
{
	arn_parts a;
	return arn_split(arn, &a) && str_eq(a.service, S("events")) && str_starts(a.resource, S("event-bus/"));
}

static target_call call_of(const events_Target *t, str payload, str id)
{
	return (target_call){ .arn = t->Arn, .payload = payload, .dedup = id, .name = id, .role = t->RoleArn,
		                  .group = t->SqsParameters ? t->SqsParameters->MessageGroupId : STR_NONE };
}

typedef struct failure {
	str account, region, rule_arn, rule;
	const events_Target *target;
	str payload;
	err why;
	int64_t tries, when;
	const char *exhausted; /* NULL: it was of no use to try again */
} failure;

/* What EventBridge calls a fault of a target. */
static str code_of(err why)
{
	if (why->kind == &aws_AccessDenied || auth_is_denial(why))
		return S("NO_PERMISSIONS");
	bool gone = why->kind->status == 404 || strstr(why->kind->name, "DoesNotExist") ||
	            strstr(why->kind->name, "NotFound");
	return gone ? S("NO_RESOURCE") : why->kind->status == 429 ? S("THROTTLING") : S("SDK_CLIENT_ERROR");
}

static void give_up(req *rq, txn *tx, const failure *f)
{
	count("FailedInvocations", f->account, f->region, f->rule, f->when);
	if (!f->target->DeadLetterConfig || !f->target->DeadLetterConfig->Arn.n)
		return;
	http_header why[6] = { { S("RULE_ARN"), f->rule_arn }, { S("TARGET_ARN"), f->target->Arn },
		                   { S("ERROR_CODE"), code_of(f->why) }, { S("ERROR_MESSAGE"),
				f->why->message },
		                   { S("RETRY_ATTEMPTS"), arena_fmt(rq->mem, "%lld", (long long)f->tries) } };
	size_t n = 5;
	if (f->exhausted)
		why[n++] = (http_header){ S("EXHAUSTED_RETRY_CONDITION"), str_c(f->exhausted) };
	err e = target_dead_letter(rq, tx, f->target->DeadLetterConfig->Arn, f->payload, why, n);
	count(e ? "InvocationsFailedToBeSentToDlq" : "InvocationsSentToDlq", f->account, f->region,
			f->rule, f->when);
}

static void hand_over(req *rq, txn *tx, const events_rule *r, const events_Target *t, const one_event *e)
{
	if (is_bus(t->Arn) && e->forwarded)
		return;
	str payload = is_bus(t->Arn) ? e->json : target_input(rq->mem, r, t, e);
	t = target_http_filled(rq->mem, t, e);
	count("Invocations", r->Account, r->Region, r->Name, e->ingested);
	if (!target_is_written(t->Arn)) {
		int64_t id = (int64_t)txn_next(tx, S("events.delivery"));
		events_delivery_put(tx, &(events_delivery){ .Id = id, .Account = r->Account, .Region = r->Region,
			.RuleArn = rule_arn(rq->mem, r), .Rule = r->Name, .It = (events_Target *)t, .Payload = payload,
			.Taken = e->ingested });
		int64_t at = is_api_destination(t->Arn) ? api_destination_slot(tx, rq->mem, r->Account, r->Region,
		                                                               t->Arn, rq->now) : 0;
		task_add(tx, "events_deliver", arena_fmt(rq->mem, "%lld", (long long)id), at);
		return;
	}
	target_call c = call_of(t, payload, e->id);
	req self = *rq;
	req_become_service(&self, "events.amazonaws.com", rule_arn(rq->mem, r));
	err why = target_call_now(&self, tx, &c);
	if (why)
		give_up(&self, tx, &(failure){ r->Account, r->Region, self.source, r->Name, t, payload, why, 0,
		                               e->ingested, NULL });
	rq->usage = self.usage;
}

void rule_fire(req *rq, txn *tx, const events_rule *r, const one_event *e)
{
	count("TriggeredRules", r->Account, r->Region, r->Name, e->ingested);
	record_scan s = events_target_scan(tx, rq->mem, 4, r->Account, r->Region, r->Bus, r->Name, STR_NONE);
	for (events_target *t; (t = events_target_next(&s));)
		hand_over(rq, tx, r, t->It, e);
}

/* The target's role may put events on the bus; without one, the bus lets its own account in and those that
 * its policy names. */
static err may_forward(const req *rq, const txn *tx, const events_delivery *d, const bus_name *b)
{
	req self = *rq;
	decision said;
	if (str_is(d->It->RoleArn)) {
		TRY(req_become_role(&self, tx, d->It->RoleArn));
	} else if (!str_eq(b->account, d->Account)) {
		self.who = (caller){ .account = d->Account, .root = true,
			             .arn = arena_fmt(rq->mem, "arn:aws:iam::%.*s:root", STR_ARG(d->Account)) };
	} else {
		return OK;
	}
	return rq->enforce ? authorise(&self, tx, S("events:PutEvents"), bus_arn(rq->mem, b), NULL, &said) : OK;
}

/* The event as it is goes on to another bus; an event that has come that way goes no further. */
typedef struct forwarding {
	const events_delivery *d;
	err why;
} forwarding;

static err forward(req *rq, txn *tx, void *context)
{
	const events_delivery *d = ((forwarding *)context)->d;
	const json_value *v = json_parse(rq->mem, d->Payload);
	const json_value *source = json_get(v, S("source")), *id = json_get(v, S("id"));
	bus_name b = bus_named(rq, d->It->Arn);
	if (!bus_get(tx, rq->mem, &b))
		return fail(rq, &events_ResourceNotFoundException, "Event bus %.*s does not exist.", STR_ARG(b.name));
	TRY(may_forward(rq, tx, d, &b));
	one_event e = { .id = id ? id->text : STR_NONE, .json = d->Payload, .ingested = rq->now,
			.forwarded = true,
		            .source = source ? source->text : STR_NONE };
	event_put(rq, tx, &b, &e);
	return OK;
}

static err invoke(req *rq, const events_delivery *d)
{
	if (is_bus(d->It->Arn)) {
		forwarding f = { d, OK };
		return req_write(rq, forward, &f);
	}
	if (is_api_destination(d->It->Arn))
		return api_destination_call(rq, d->It, d->Payload);
	target_call c = call_of(d->It, d->Payload, arena_fmt(rq->mem, "%lld-%lld", (long long)d->Taken,
			(long long)d->Id));
	if (d->It->EcsParameters) {
		buf b = buf_in(rq->mem, 512, 1 << 20);
		json_encode_value(&b, &events_EcsParameters_shape, d->It->EcsParameters);
		c.parameters = buf_str(&b);
	}
	return target_call_now(rq, NULL, &c);
}

typedef struct ending {
	req *rq;
	const events_delivery *d;
	const failure *failed;
} ending;

static bool end(void *context, txn *tx)
{
	const ending *e = context;
	if (e->failed)
		give_up(e->rq, tx, e->failed);
	events_delivery_delete(tx, e->d->Id);
	return true;
}

/* Exponential, with a random part; 0: no more tries. */
static int64_t next_try(const events_delivery *d, unsigned attempt, const char **exhausted)
{
	const events_RetryPolicy *p = d->It->RetryPolicy;
	int64_t most = p && p->MaximumRetryAttempts.set ? p->MaximumRetryAttempts.v : EVENTS_RETRIES;
	int64_t age = p && p->MaximumEventAgeInSeconds.set ? p->MaximumEventAgeInSeconds.v : EVENTS_AGE_S;
	int64_t delay = FIRST_DELAY_MS << (attempt < 10 ? attempt : 10);
	if (delay > LONGEST_DELAY_MS)
		delay = LONGEST_DELAY_MS;
	int64_t at = clock_now() + delay / 2 + (int64_t)rand_below((uint64_t)delay / 2 + 1);
	*exhausted = attempt > most ? "MaximumRetryAttempts" : at - d->Taken > age * MS_SECOND
			? "MaximumEventAgeInSeconds"
	                                                                                    : NULL;
	return *exhausted ? 0 : at;
}

TASK(events_deliver)
{
	int64_t number;
	const char *exhausted = NULL;
	ensure(str_to_i64(payload, &number));
	const txn *tx = store_read(s);
	const events_delivery *d = events_delivery_get(tx, mem, number);
	store_read_end(s, tx);
	if (!d)
		return TASK_DONE;
	req *rq = req_internal(mem, s, "events.amazonaws.com", d->Account, d->Region);
	req_become_service(rq, "events.amazonaws.com", d->RuleArn);
	err why = invoke(rq, d);
	usage_settle_later(rq);
	if (why && target_worth_retrying(why)) {
		int64_t again = next_try(d, attempt, &exhausted);
		if (again) {
			count("RetryInvocationAttempts", d->Account, d->Region, d->Rule, clock_now());
			return again;
		}
	}
	failure f = { d->Account, d->Region, d->RuleArn, d->Rule, d->It, d->Payload, why, attempt - 1, d->Taken,
		          exhausted };
	ending e = { rq, d, why ? &f : NULL };
	return store_write(s, end, &e) ? clock_now() + MS_SECOND : TASK_DONE;
}
