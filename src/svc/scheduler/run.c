/* Schedules that fall due, and the calls of their targets. */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/cron.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/target.h"
#include "cloud/zone.h"
#include "schedule.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define LONGEST_DELAY_MS (10 * MS_MINUTE)

static str timer_key(arena *mem, const scheduler_schedule *s)
{
	return arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(s->Account), STR_ARG(s->Region), STR_ARG(s->Group),
	                 STR_ARG(s->Name));
}

/* The nominal moment after `after`; INT64_MAX: none. */
static int64_t next_moment(arena *mem, const scheduler_schedule *s, int64_t after)
{
	schedule e;
	if (!str_eq(s->It->State, S("ENABLED")) || !schedule_parse(s->It->ScheduleExpression, &e))
		return INT64_MAX;
	if (s->It->StartDate.set && after < s->It->StartDate.v && e.kind != SCHEDULE_AT)
		after = s->It->StartDate.v - 1;
	/* Checked when it was kept; a zone that the machine has lost since is taken for UTC. */
	const zone *z = zone_load(mem, s->It->ScheduleExpressionTimezone);
	int64_t at = zone_schedule_next(z ? z : zone_load(mem, S("UTC")), &e, s->Since, after);
	return s->It->EndDate.set && e.kind != SCHEDULE_AT && at > s->It->EndDate.v ? INT64_MAX : at;
}

/* The payload is the nominal moment, then the key. In a flexible window it happens somewhat later. */
bool schedule_arm(txn *tx, arena *mem, const scheduler_schedule *s, int64_t after)
{
	str key = timer_key(mem, s);
	int64_t at = next_moment(mem, s, after), late = 0;
	const scheduler_FlexibleTimeWindow *w = s->It->FlexibleTimeWindow;
	if (at == INT64_MAX) {
		timer_cancel(tx, "scheduler_run", key);
		return false;
	}
	if (w->MaximumWindowInMinutes.set)
		late = (int64_t)rand_below((uint64_t)w->MaximumWindowInMinutes.v * (uint64_t)MS_MINUTE);
	timer_set(tx, "scheduler_run", key, at + late,
	          arena_fmt(mem, "%lld %.*s", (long long)at, STR_ARG(key)));
	return true;
}

void schedule_drop(txn *tx, arena *mem, const scheduler_schedule *s)
{
	timer_cancel(tx, "scheduler_run", timer_key(mem, s));
	scheduler_schedule_delete(tx, s->Account, s->Region, s->Group, s->Name);
}

static void count(const char *name, str account, str region, str group, int64_t when)
{
	metric_point p = { .account = account, .region = region, .name_space = S("AWS/Scheduler"),
		               .name = str_c(name), .unit = S("Count"), .n_dimensions = 1,
		               .dimensions = { { S("ScheduleGroup"), group } }, .when = when, .value = 1 };
	metric_later(&p);
}

static str replace(arena *mem, str text, str what, str by)
{
	buf b = buf_in(mem, text.n + 64, (size_t)4 << 20);
	for (size_t at; (at = str_find(text, what)) != SIZE_MAX; text = str_sub(text, at + what.n, text.n)) {
		buf_put(&b, str_sub(text, 0, at));
		buf_put(&b, by);
	}
	buf_put(&b, text);
	return buf_str(&b);
}

/* The input with what AWS fills in: the schedule's ARN, the moment, the invocation. */
static str input_of(arena *mem, const scheduler_schedule *s, str id, int64_t moment)
{
	str text = s->It->Target->Input;
	if (!text.n)
		return S("{}");
	text = replace(mem, text, S("<aws.scheduler.schedule-arn>"), schedule_arn(mem, s));
	text = replace(mem, text, S("<aws.scheduler.scheduled-time>"), time_iso(mem,
			moment - moment % MS_SECOND));
	text = replace(mem, text, S("<aws.scheduler.execution-id>"), id);
	return replace(mem, text, S("<aws.scheduler.attempt-number>"), S("1"));
}

/* PutEvents with the input as the event's detail. */
static err to_bus(req *rq, const scheduler_Target *t)
{
	str out;
	buf b = buf_in(rq->mem, 512, (size_t)4 << 20);
	buf_put(&b, S("{\"Entries\":[{\"EventBusName\":"));
	json_put_string(&b, t->Arn);
	buf_put(&b, S(",\"Source\":"));
	json_put_string(&b, t->EventBridgeParameters->Source);
	buf_put(&b, S(",\"DetailType\":"));
	json_put_string(&b, t->EventBridgeParameters->DetailType);
	buf_put(&b, S(",\"Detail\":"));
	json_put_string(&b, t->Input);
	buf_put(&b, S("}]}"));
	TRY(call_json(rq, NULL, "events", "PutEvents", buf_str(&b), &out));
	const json_value *failed = json_get(json_parse(rq->mem, out), S("FailedEntryCount"));
	return !failed || str_eq(failed->text, S("0")) ? OK
		: fail(rq, &scheduler_ValidationException, "The event bus refused the event: %.*s", STR_ARG(out));
}

/* The caller of the target: the schedule's role, where policies decide. */
static err with_role(const req *rq, const txn *tx, const scheduler_schedule *s, const scheduler_Target *t,
                     req *self)
{
	*self = *rq;
	req_become_service(self, "scheduler.amazonaws.com", schedule_arn(rq->mem, s));
	return req_become_role(self, tx, t->RoleArn);
}

static err call_target(req *rq, txn *tx, const scheduler_Target *t, str id)
{
	target_call c = { .arn = t->Arn, .payload = t->Input, .dedup = id, .name = id,
		              .group = t->SqsParameters ? t->SqsParameters->MessageGroupId : STR_NONE };
	if (str_find(t->Arn, S(":aws-sdk:")) != SIZE_MAX)
		return target_call_sdk(rq, t->Arn, t->Input);
	if (t->EventBridgeParameters)
		return to_bus(rq, t);
	if (t->EcsParameters) {
		buf b = buf_in(rq->mem, 512, 1 << 20);
		json_encode_value(&b, &scheduler_EcsParameters_shape, t->EcsParameters);
		c.parameters = buf_str(&b);
	}
	return target_call_now(rq, tx, &c);
}

static err invoke(req *rq, txn *tx, const scheduler_delivery *d, str id)
{
	req self;
	scheduler_schedule s = { .Account = d->Account, .Region = d->Region, .Group = d->Group, .Name = d->Name };
	TRY(with_role(rq, tx, &s, d->It, &self));
	err e = call_target(&self, tx, d->It, id);
	rq->usage = self.usage;
	return e;
}

static void give_up(req *rq, txn *tx, const scheduler_delivery *d, err why, unsigned tries)
{
	count("TargetErrorCount", d->Account, d->Region, d->Group, d->Taken);
	if (!d->It->DeadLetterConfig || !d->It->DeadLetterConfig->Arn.n) {
		count("InvocationDroppedCount", d->Account, d->Region, d->Group, d->Taken);
		return;
	}
	scheduler_schedule s = { .Account = d->Account, .Region = d->Region, .Group = d->Group, .Name = d->Name };
	http_header because[] = { { S("SCHEDULE_ARN"), schedule_arn(rq->mem, &s) }, { S("TARGET_ARN"),
			d->It->Arn },
		{ S("ERROR_CODE"), str_c(why->kind->code) }, { S("ERROR_MESSAGE"), why->message },
		{ S("RETRY_ATTEMPTS"), arena_fmt(rq->mem, "%u", tries) } };
	req self;
	err e = with_role(rq, tx, &s, d->It, &self);
	if (!e)
		e = target_dead_letter(&self, tx, d->It->DeadLetterConfig->Arn, d->It->Input, because, 5);
	rq->usage = self.usage;
	count(e ? "InvocationsFailedToBeSentToDeadLetterCount" : "InvocationsSentToDeadLetterCount", d->Account,
	      d->Region, d->Group, d->Taken);
}

static void fire(req *rq, txn *tx, const scheduler_schedule *s, int64_t moment)
{
	str id = rand_uuid(rq->mem);
	scheduler_Target t = *s->It->Target;
	t.Input = input_of(rq->mem, s, id, moment);
	scheduler_delivery d = { .Account = s->Account, .Region = s->Region, .Group = s->Group, .Name = s->Name,
		                     .It = &t, .Taken = rq->now };
	meter_one(rq, &SCHEDULER_INVOCATION, schedule_arn(rq->mem, s));
	count("InvocationAttemptCount", s->Account, s->Region, s->Group, rq->now);
	if (!target_is_written(t.Arn)) {
		d.Id = (int64_t)txn_next(tx, S("scheduler.delivery"));
		scheduler_delivery_put(tx, &d);
		task_add(tx, "scheduler_deliver", arena_fmt(rq->mem, "%lld", (long long)d.Id), 0);
		return;
	}
	err why = invoke(rq, tx, &d, id);
	if (why)
		give_up(rq, tx, &d, why, 0);
}

TIMER(scheduler_run)
{
	int64_t moment;
	arena *mem = txn_arena(tx);
	str rest = payload;
	ensure(str_to_i64(str_cut(&rest, ' '), &moment));
	str account = str_cut(&rest, ' '), region = str_cut(&rest, ' '), group = str_cut(&rest, ' ');
	scheduler_schedule *s = scheduler_schedule_get(tx, mem, account, region, group, rest);
	if (!s)
		return;
	req *rq = req_internal(mem, txn_store(tx), "scheduler.amazonaws.com", s->Account, s->Region);
	rq->now = due;
	fire(rq, tx, s, moment);
	usage_settle(tx, rq);
	if (!schedule_arm(tx, mem, s, moment) && str_eq(s->It->ActionAfterCompletion, S("DELETE")))
		schedule_drop(tx, mem, s);
}

typedef struct ending {
	req *rq;
	const scheduler_delivery *d;
	err why;
	unsigned tries;
} ending;

static bool end(void *context, txn *tx)
{
	const ending *e = context;
	if (e->why)
		give_up(e->rq, tx, e->d, e->why, e->tries);
	scheduler_delivery_delete(tx, e->d->Id);
	return true;
}

TASK(scheduler_deliver)
{
	int64_t number;
	ensure(str_to_i64(payload, &number));
	const txn *tx = store_read(s);
	const scheduler_delivery *d = scheduler_delivery_get(tx, mem, number);
	store_read_end(s, tx);
	if (!d)
		return TASK_DONE;
	req *rq = req_internal(mem, s, "scheduler.amazonaws.com", d->Account, d->Region);
	err why = invoke(rq, NULL, d, arena_fmt(mem, "%lld-%lld", (long long)d->Taken, (long long)d->Id));
	usage_settle_later(rq);
	const scheduler_RetryPolicy *p = d->It->RetryPolicy;
	if (why && target_worth_retrying(why)) {
		int64_t delay = MS_SECOND << (attempt < 10 ? attempt : 10), now = clock_now();
		int64_t most = p && p->MaximumRetryAttempts.set ? p->MaximumRetryAttempts.v : SCHEDULER_RETRIES;
		int64_t age = p && p->MaximumEventAgeInSeconds.set ? p->MaximumEventAgeInSeconds.v : SCHEDULER_AGE_S;
		int64_t at = now + (delay < LONGEST_DELAY_MS ? delay : LONGEST_DELAY_MS);
		if (attempt <= most && at - d->Taken <= age * MS_SECOND)
			return at;
	}
	ending e = { rq, d, why, attempt - 1 };
	return store_write(s, end, &e) ? clock_now() + MS_SECOND : TASK_DONE;
}
