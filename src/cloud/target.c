#include "cloud/target.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"

#define INPUT_MAX ((size_t)16 << 20)

bool arn_split(str arn, arn_parts *out)
{
	str rest = arn;
	if (!str_eq(str_cut(&rest, ':'), S("arn")))
		return false;
	str_cut(&rest, ':');
	out->service = str_cut(&rest, ':');
	out->region = str_is(rest) ? str_cut(&rest, ':') : S("");
	out->account = str_is(rest) ? str_cut(&rest, ':') : S("");
	out->resource = rest;
	return str_is(rest);
}

bool target_is_written(str arn)
{
	arn_parts a;
	return arn_split(arn, &a) &&
	       (str_eq(a.service, S("sqs")) || str_eq(a.service, S("logs")));
}

bool target_is_known(str arn)
{
	static const char *const kinds[] = { "sqs", "sns", "logs", "lambda", "states", "ecs" };
	arn_parts a;
	bool known = false;
	for (size_t i = 0; arn_split(arn, &a) && i < sizeof kinds / sizeof *kinds; i++)
		known = known || str_eq(a.service, str_c(kinds[i]));
	return known;
}

static void put(buf *b, const char *key, str value)
{
	if (!str_is(value))
		return;
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', key);
	json_put_string(b, value);
}

static void put_raw(buf *b, const char *key, str text)
{
	if (!str_is(text))
		return;
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', key);
	buf_put(b, text);
}

static str closed(buf *b)
{
	buf_c(b, '}');
	return buf_str(b);
}

static err to_queue(req *rq, txn *tx, const target_call *t, const arn_parts *a)
{
	str out;
	buf b = buf_in(rq->mem, 512 + t->payload.n, INPUT_MAX);
	bool fifo = str_ends(a->resource, S(".fifo"));
	put(&b, "QueueUrl", arena_fmt(rq->mem, "http://sqs.localhost/%.*s/%.*s", STR_ARG(a->account),
	                              STR_ARG(a->resource)));
	put(&b, "MessageBody", t->payload);
	put(&b, "MessageGroupId", t->group);
	put(&b, "MessageDeduplicationId", fifo ? t->dedup : STR_NONE);
	put_raw(&b, "MessageAttributes", t->attributes);
	return call_json(rq, tx, "sqs", "SendMessage", closed(&b), &out);
}

static err to_topic(req *rq, const target_call *t)
{
	str out;
	bool fifo = str_ends(t->arn, S(".fifo"));
	buf b = buf_in(rq->mem, 512 + t->payload.n, INPUT_MAX);
	put(&b, "TopicArn", t->arn);
	put(&b, "Message", t->payload);
	put_raw(&b, "MessageAttributes", t->attributes);
	put(&b, "MessageGroupId", fifo ? t->group : STR_NONE);
	put(&b, "MessageDeduplicationId", fifo ? t->dedup : STR_NONE);
	return call_json(rq, NULL, "sns", "Publish", closed(&b), &out);
}

/* A stream a day, made when it is missing. Log groups have no policies here: nobody is asked. */
static err to_logs(req *rq, txn *tx, const target_call *t, const arn_parts *a)
{
	rq->source = STR_NONE;
	str out, group = a->resource, stream = str_sub(time_iso(rq->mem, rq->now), 0, 10);
	str_cut(&group, ':');
	if (str_ends(group, S(":*")))
		group = str_sub(group, 0, group.n - 2);
	buf b = buf_in(rq->mem, 512, INPUT_MAX);
	put(&b, "logGroupName", group);
	put(&b, "logStreamName", stream);
	err e = call_json(rq, tx, "logs", "CreateLogStream", closed(&b), &out);
	if (e && !str_eq(str_c(e->kind->name), S("ResourceAlreadyExistsException")))
		return e;
	b = buf_in(rq->mem, 512 + t->payload.n, INPUT_MAX);
	put(&b, "logGroupName", group);
	put(&b, "logStreamName", stream);
	buf_fmt(&b, ",\"logEvents\":[{\"timestamp\":%lld,\"message\":", (long long)rq->now);
	json_put_string(&b, t->payload);
	buf_put(&b, S("}]"));
	return call_json(rq, tx, "logs", "PutLogEvents", closed(&b), &out);
}

static err to_function(req *rq, const target_call *t)
{
	str out;
	buf b = buf_in(rq->mem, 512 + t->payload.n * 2, INPUT_MAX);
	put(&b, "FunctionName", t->arn);
	put(&b, "InvocationType", S("Event"));
	put(&b, "Payload", base64_encode(rq->mem, t->payload));
	return call_json(rq, NULL, "lambda", "Invoke", closed(&b), &out);
}

static err to_machine(req *rq, const target_call *t)
{
	str out;
	buf b = buf_in(rq->mem, 512 + t->payload.n, INPUT_MAX);
	put(&b, "stateMachineArn", t->arn);
	put(&b, "input", t->payload);
	put(&b, "name", t->name);
	return call_json(rq, NULL, "stepfunctions", "StartExecution", closed(&b), &out);
}

/* EcsParameters say the same as RunTask's input, in their own spelling. */
static void put_network(buf *b, const json_value *network)
{
	static const char *const names[][2] = { { "Subnets", "subnets" }, { "SecurityGroups", "securityGroups" },
		                                    { "AssignPublicIp", "assignPublicIp" } };
	const json_value *vpc = json_get(network, S("awsvpcConfiguration"));
	bool any = false;
	if (!vpc)
		return;
	buf_put(b, S(",\"networkConfiguration\":{\"awsvpcConfiguration\":{"));
	for (size_t i = 0; i < 3; i++) {
		const json_value *v = json_get(vpc, str_c(names[i][0]));
		if (!v)
			continue;
		buf_fmt(b, "%s\"%s\":", any ? "," : "", names[i][1]);
		json_write(b, v);
		any = true;
	}
	buf_put(b, S("}}"));
}

static err to_task(req *rq, const target_call *t)
{
	static const char *const names[][2] = { { "TaskDefinitionArn", "taskDefinition" },
			{ "TaskCount", "count" },
		{ "LaunchType", "launchType" }, { "PlatformVersion", "platformVersion" }, { "Group", "group" },
		{ "ReferenceId", "referenceId" }, { "EnableECSManagedTags", "enableECSManagedTags" },
		{ "EnableExecuteCommand", "enableExecuteCommand" }, { "PropagateTags", "propagateTags" } };
	str out;
	const json_value *p = str_is(t->parameters) ? json_parse(rq->mem, t->parameters) : NULL;
	const json_value *payload = json_parse(rq->mem, t->payload);
	buf b = buf_in(rq->mem, 1024 + t->payload.n, INPUT_MAX);
	put(&b, "cluster", t->arn);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const json_value *v = json_get(p, str_c(names[i][0]));
		if (v) {
			buf_fmt(&b, ",\"%s\":", names[i][1]);
			json_write(&b, v);
		}
	}
	put_network(&b, json_get(p, S("NetworkConfiguration")));
	if (json_get(payload, S("containerOverrides")))
		put_raw(&b, "overrides", t->payload);
	return call_json(rq, NULL, "ecs", "RunTask", closed(&b), &out);
}

static err dispatch(req *rq, txn *tx, const target_call *t, const arn_parts *a)
{
	if (str_eq(a->service, S("sqs")))
		return to_queue(rq, tx, t, a);
	if (str_eq(a->service, S("sns")))
		return to_topic(rq, t);
	if (str_eq(a->service, S("logs")))
		return to_logs(rq, tx, t, a);
	if (str_eq(a->service, S("lambda")))
		return to_function(rq, t);
	if (str_eq(a->service, S("states")))
		return to_machine(rq, t);
	if (str_eq(a->service, S("ecs")))
		return to_task(rq, t);
	return fail(rq, &aws_NotImplemented, "Farthing does not deliver to targets of %.*s.",
			STR_ARG(a->service));
}

/* In the target's account and region; what it uses counts for the request. */
err target_call_now(req *rq, txn *tx, const target_call *t)
{
	arn_parts a;
	if (!arn_split(t->arn, &a))
		return fail(rq, &aws_InvalidParameterValue, "%.*s is no ARN of a target.", STR_ARG(t->arn));
	req there = *rq;
	if (a.region.n)
		there.region = a.region;
	if (str_is(t->role))
		TRY(req_become_role(&there, tx, t->role));
	if (a.account.n && there.who.internal)
		there.who.account = a.account;
	err e = dispatch(&there, tx, t, &a);
	rq->usage = there.usage;
	return e;
}

/* The service's name in the SDK is ours but for a few; the operation begins with a small letter. */
err target_call_sdk(req *rq, str arn, str input)
{
	static const char *const names[][2] = { { "sfn", "stepfunctions" }, { "eventbridge", "events" },
		{ "cloudwatchlogs", "logs" }, { "cloudwatchevents", "events" }, { "elasticloadbalancingv2",
				"elbv2" } };
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("aws-sdk:")))
		return fail(rq, &aws_InvalidParameterValue, "%.*s is no universal target.", STR_ARG(arn));
	str out, rest = str_sub(a.resource, sizeof("aws-sdk:") - 1, a.resource.n);
	str folder = arena_str(rq->mem, str_cut(&rest, ':'));
	if (!str_is(rest) || !rest.n)
		return fail(rq, &aws_InvalidParameterValue, "%.*s names no operation.", STR_ARG(arn));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(folder, str_c(names[i][0])))
			folder = str_c(names[i][1]);
	str name = arena_str(rq->mem, rest);
	char *first = (char *)name.p;
	if (*first >= 'a' && *first <= 'z')
		*first = (char)(*first - 'a' + 'A');
	return call_json(rq, NULL, folder.p, name.p, input.n ? input : S("{}"), &out);
}

bool target_worth_retrying(err e)
{
	return e->kind != &aws_NotImplemented && (e->kind->status >= 500 || e->kind->status == 429);
}

err target_dead_letter(req *rq, txn *tx, str queue_arn, str payload, const http_header *why, size_t n)
{
	buf b = buf_in(rq->mem, 512, INPUT_MAX);
	for (size_t i = 0; i < n; i++) {
		buf_c(&b, i ? ',' : '{');
		json_put_string(&b, why[i].name);
		buf_put(&b, S(":{\"DataType\":\"String\",\"StringValue\":"));
		json_put_string(&b, why[i].value.n ? why[i].value : S("-"));
		buf_c(&b, '}');
	}
	if (n)
		buf_c(&b, '}');
	target_call t = { .arn = queue_arn, .payload = payload, .attributes = n ? buf_str(&b) : STR_NONE,
		              .group = str_ends(queue_arn, S(".fifo")) ? S("dead-letters") : STR_NONE,
		              .dedup = rq->id };
	return target_call_now(rq, tx, &t);
}
