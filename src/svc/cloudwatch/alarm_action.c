/*
 * The actions of alarms: SNS, Lambda, EC2's and Auto Scaling's. Each is a durable task that is tried once, as
 * AWS does not repeat what its target refuses; history says how it went.
 */
#include "alarm.h"
#include "base/json.h"
#include "base/text.h"
#include "cloud/alarm_target.h"
#include "cloud/call.h"
#include "price/book.h"
#include "store/due.h"

extern const alarm_target *const __start_farthing_alarm_targets[] __attribute__((weak));
extern const alarm_target *const __stop_farthing_alarm_targets[] __attribute__((weak));

#define BODY_MAX ((size_t)96 << 10)
#define SUBJECT_MAX 99

typedef struct action {
	req *rq;
	str target, state, alarm, message;
} action;

static void put_member(buf *b, const char *name, str value)
{
	buf_fmt(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	json_put_string(b, value);
}

static err send(const action *a, const char *to, const char *what, buf *body)
{
	str answer;
	buf_c(body, '}');
	return call_json(a->rq, NULL, to, what, buf_str(body), &answer);
}

static buf body_of(const action *a)
{
	buf b = buf_in(a->rq->mem, a->message.n + 512, BODY_MAX);
	buf_c(&b, '{');
	return b;
}

static err publish(const action *a)
{
	req_become_service(a->rq, "cloudwatch.amazonaws.com", alarm_arn(a->rq, a->alarm));
	buf b = body_of(a);
	str place = book_location(price_book(), a->rq->region);
	str subject =
		arena_fmt(a->rq->mem, "%.*s: \"%.*s\" in %.*s", STR_ARG(a->state), STR_ARG(a->alarm), STR_ARG(place));
	put_member(&b, "TopicArn", a->target);
	put_member(&b, "Subject", str_sub(subject, 0, SUBJECT_MAX));
	put_member(&b, "Message", a->message);
	return send(a, "sns", "Publish", &b);
}

static err invoke(const action *a)
{
	req_become_service(a->rq, "lambda.alarms.cloudwatch.amazonaws.com", alarm_arn(a->rq, a->alarm));
	buf b = body_of(a);
	put_member(&b, "InvocationType", S("Event"));
	put_member(&b, "FunctionName", a->target);
	put_member(&b, "Payload", base64_encode(a->rq->mem, a->message));
	return send(a, "lambda", "Invoke", &b);
}

/* arn:aws:automate:REGION:ec2:stop, on the instance that the alarm's metric is about. */
static err on_instance(const action *a)
{
	static const struct {
		const char *verb, *what;
	} verbs[] = {
		{ ":stop", "StopInstances" },
		{ ":terminate", "TerminateInstances" },
		{ ":reboot", "RebootInstances" },
	};
	const json_value *it = json_parse(a->rq->mem, a->message);
	const json_value *dimensions = json_get(it, S("dimensions"));
	str instance = STR_NONE;
	for (const json_value *d = dimensions ? dimensions->first : NULL; d; d = d->next)
		if (json_get(d, S("name")) && str_eq(json_get(d, S("name"))->text, S("InstanceId")))
			instance = json_get(d, S("value"))->text;
	if (!str_is(instance))
		return fail(a->rq, &aws_ValidationException, "The alarm's metric has no dimension InstanceId");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (!str_ends(a->target, str_c(verbs[i].verb)))
			continue;
		buf b = body_of(a);
		buf_put(&b, S("\"InstanceIds\":["));
		json_put_string(&b, instance);
		buf_c(&b, ']');
		return send(a, "ec2", verbs[i].what, &b);
	}
	return fail(a->rq, &aws_NotImplemented, "Farthing does not have this EC2 action");
}

/* Whoever registered that it performs such actions (cloud/alarm_target.h). */
static const alarm_target *performer(str target)
{
	const alarm_target *const *t = __start_farthing_alarm_targets;
	for (; t < __stop_farthing_alarm_targets; t++)
		if (str_starts(target, str_c((*t)->prefix)) && str_find(target, str_c((*t)->mark)) != SIZE_MAX)
			return *t;
	return NULL;
}

static err scale(const action *a)
{
	buf b = body_of(a);
	const alarm_target *t = performer(a->target);
	if (t)
		return t->perform(a->rq, a->target, a->alarm);
	put_member(&b, "PolicyName", a->target);
	return send(a, "autoscaling", "ExecutePolicy", &b);
}

static err perform(const action *a)
{
	if (str_starts(a->target, S("arn:aws:sns:")))
		return publish(a);
	if (str_starts(a->target, S("arn:aws:lambda:")))
		return invoke(a);
	if (str_starts(a->target, S("arn:aws:automate:")))
		return on_instance(a);
	if (str_starts(a->target, S("arn:aws:autoscaling:")))
		return scale(a);
	return fail(a->rq, &aws_NotImplemented, "Farthing does not have this action");
}

typedef struct outcome {
	const action *a;
	err fault;
	int64_t changed;
} outcome;

static err keep(req *rq, txn *tx, void *context)
{
	const outcome *o = context;
	const action *a = o->a;
	alarm it;
	if (!alarm_get(tx, rq->mem, rq->who.account, rq->region, a->alarm, &it))
		return OK;
	buf b = body_of(a);
	put_member(&b, "actionState", o->fault ? S("Failed") : S("Succeeded"));
	put_member(&b, "notificationResource", a->target);
	buf_fmt(&b, ",\"stateUpdateTimestamp\":%lld", (long long)o->changed);
	if (o->fault)
		put_member(&b, "error", o->fault->message);
	else
		put_member(&b, "publishedMessage", a->message);
	buf_c(&b, '}');
	str summary = o->fault ? arena_fmt(rq->mem, "Failed to execute action %.*s. Received error: \"%.*s\"",
	                                   STR_ARG(a->target), STR_ARG(o->fault->message))
						   : arena_fmt(rq->mem, "Successfully executed action %.*s", STR_ARG(a->target));
	history_add(tx, &it, cloudwatch_HistoryItemType_Action, str_sub(summary, 0, 255), buf_str(&b), rq->now);
	return OK;
}

TASK(cloudwatch_action)
{
	str message = payload, name = str_cut(&message, '\n');
	str account = str_cut(&name, ' '), region = str_cut(&name, ' '), target = str_cut(&name, ' '),
		state = str_cut(&name, ' '), moment = str_cut(&name, ' ');
	action a = { req_internal(mem, s, "cloudwatch.amazonaws.com", account, region), target, state, name,
		         message };
	outcome o = { .a = &a, .fault = perform(&a) };
	str_to_i64(moment, &o.changed);
	req_write(a.rq, keep, &o);
	usage_settle_later(a.rq);
	return TASK_DONE;
}
