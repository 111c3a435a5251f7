/*
 * Where asynchronous events end: on-success and on-failure destinations, and dead-letter queues. Queues
 * and functions; other kinds are refused when they are configured.
 */
#include "lambda.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/metrics.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/rand.h"
#if __has_include("gen/sqs.h")
#include "gen/sqs.h"
#endif

#define RECORD_MAX ((size_t)16 << 20)

typedef struct arn_parts {
	str service, region, account, name;
} arn_parts;

static arn_parts parts_of(str arn)
{
	str rest = arn, part[6] = { { 0 } };
	for (int n = 0; n < 5 && str_is(rest); n++)
		part[n] = str_cut(&rest, ':');
	return (arn_parts){ part[2], part[3], part[4], rest };
}

err destination_check(req *rq, str arn)
{
	arn_parts a = parts_of(arn);
	if (!arn.n || str_eq(a.service, S("sqs")) || str_eq(a.service, S("lambda")))
		return OK;
	return fail(rq, &lambda_InvalidParameterValueException,
	            "Farthing delivers to SQS queues and Lambda functions only, not to %.*s.", STR_ARG(arn));
}

typedef struct attribute { const char *name; str value; const char *type; } attribute;

#if __has_include("gen/sqs.h")
static err to_queue(req *rq, const arn_parts *a, str body, const attribute *attributes, size_t n)
{
	sqs_MessageAttributeValue *values = arena_array(rq->mem, sqs_MessageAttributeValue, n + 1);
	sqs_SendMessage_in in = { .MessageBody = body };
	sqs_SendMessage_out out;
	in.QueueUrl = arena_fmt(rq->mem, "%.*s/%.*s/%.*s", STR_ARG(server_endpoint()), STR_ARG(a->account),
	                        STR_ARG(a->name));
	in.MessageAttributes.v = arena_array(rq->mem, sqs_MessageBodyAttributeMap_entry, n + 1);
	for (size_t i = 0; i < n; i++) {
		values[i] = (sqs_MessageAttributeValue){ .StringValue = attributes[i].value,
			.DataType = str_c(attributes[i].type) };
		in.MessageAttributes.v[i].key = str_c(attributes[i].name);
		in.MessageAttributes.v[i].value = values[i];
	}
	in.MessageAttributes.n = n;
	return call(rq, NULL, "sqs", "SendMessage", &in, &out);
}
#else
static err to_queue(req *rq, const arn_parts *a, str body, const attribute *attributes, size_t n)
{
	return fail(rq, &lambda_ServiceException, "There is no SQS here.");
}
#endif

static err to_function(req *rq, str arn, str body)
{
	target t;
	const txn *tx = req_read(rq);
	err missing = target_find(rq, tx, arn, STR_NONE, &t);
	req_read_end(rq, tx);
	TRY(missing);
	return async_take(rq, &t, body, STR_NONE, STR_NONE);
}

static void count(const lambda_pending *p, const char *name)
{
	metric_point m = { .account = p->Account, .region = p->Region, .name_space = S("AWS/Lambda"),
		.name = str_c(name), .unit = S("Count"), .when = clock_now(), .value = 1, .n_dimensions = 1 };
	m.dimensions[0] = (metric_dimension){ S("FunctionName"), p->Name };
	metric_later(&m);
}

static err send(arena *mem, store *s, const lambda_pending *p, str arn, str body, const attribute *attributes,
                size_t n)
{
	arn_parts a = parts_of(arn);
	req *rq = req_internal(mem, s, "lambda.amazonaws.com", p->Account, a.region);
	err failed = str_eq(a.service, S("sqs")) ? to_queue(rq, &a, body, attributes, n)
		: to_function(rq, arn, body);
	usage_settle_later(rq);
	return failed;
}

static void pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

static str record(arena *mem, const lambda_pending *p, const target *t, const answer *a,
                  const char *condition)
{
	buf b = buf_in(mem, 1024 + p->Payload.n, RECORD_MAX);
	buf_put(&b, S("{\"version\":\"1.0\","));
	pair(&b, "timestamp", time_iso_ms(mem, clock_now()));
	buf_put(&b, S(",\"requestContext\":{"));
	pair(&b, "requestId", p->RequestId);
	buf_c(&b, ',');
	str qualifier = str_is(p->Qualifier) ? p->Qualifier : S("$LATEST");
	pair(&b, "functionArn", name_arn_of(mem, p->Account, p->Region, p->Name, qualifier));
	buf_c(&b, ',');
	pair(&b, "condition", str_c(condition));
	buf_fmt(&b, ",\"approximateInvokeCount\":%lld},\"requestPayload\":", (long long)p->Runs);
	buf_put(&b, p->Payload);
	if (a->refused == TAKEN) {
		buf_put(&b, S(",\"responseContext\":{\"statusCode\":200,"));
		pair(&b, "executedVersion", t->version->Config->Version);
		buf_put(&b, a->failed ? S(",\"functionError\":\"Unhandled\"}") : S("}"));
		buf_put(&b, S(",\"responsePayload\":"));
		buf_put(&b, json_valid(a->payload) ? a->payload : S("null"));
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

static str error_message(arena *mem, const answer *a)
{
	json_value *v = a->refused == TAKEN ? json_parse(mem, a->payload) : NULL;
	const json_value *m = json_get(v, S("errorMessage"));
	return str_sub(m && m->kind == JSON_STRING ? m->text : S("Rate Exceeded."), 0, 1024);
}

void deliver(arena *mem, store *s, const lambda_pending *p, const target *t, const answer *a, bool too_old)
{
	bool failed = a->refused != TAKEN || a->failed;
	const char *condition = !failed ? "Success" : too_old ? "EventAgeExceeded" : "RetriesExhausted";
	const txn *tx = store_read(s);
	str qualifier = str_is(p->Qualifier) ? p->Qualifier : S("");
	lambda_invokeconfig *c = lambda_invokeconfig_get(tx, mem, p->Account, p->Region, p->Name, qualifier);
	store_read_end(s, tx);
	const lambda_DestinationConfig *d = c ? c->It->DestinationConfig : NULL;
	str to = STR_NONE;
	if (d && failed && d->OnFailure)
		to = d->OnFailure->Destination;
	else if (d && !failed && d->OnSuccess)
		to = d->OnSuccess->Destination;
	if (to.n && send(mem, s, p, to, record(mem, p, t, a, condition), NULL, 0))
		count(p, "DestinationDeliveryFailures");
	const lambda_DeadLetterConfig *dead = t->version->Config->DeadLetterConfig;
	attribute about[] = { { "RequestID", p->RequestId, "String" },
		{ "ErrorCode", a->refused == TAKEN ? S("200") : S("429"), "Number" },
		{ "ErrorMessage", error_message(mem, a), "String" } };
	if (failed && dead && dead->TargetArn.n && send(mem, s, p, dead->TargetArn, p->Payload, about, 3))
		count(p, "DeadLetterErrors");
}
