/*
 * Where events end: on-success and on-failure destinations of asynchronous events, dead letters, and what
 * event source mappings give up. Queues, topics, functions, event buses and buckets.
 */
#include "lambda.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/metrics.h"
#include "cloud/target.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define RECORD_MAX ((size_t)16 << 20)

/* Which services each kind of destination may be of. */
bool destination_takes(destination_use use, str name)
{
	bool queue = str_eq(name, S("sqs")) || str_eq(name, S("sns"));
	bool bucket = str_eq(name, S("s3"));
	bool more = str_eq(name, S("lambda")) || str_eq(name, S("events"));
	switch (use) {
	case FOR_DEAD_LETTERS:
		return queue;
	case FOR_STREAM:
		return queue || bucket;
	case FOR_FAILURE:
		return queue || more || bucket;
	default:
		return queue || more;
	}
}

err destination_check(req *rq, str arn, destination_use use)
{
	arn_parts a;
	if (!arn.n)
		return OK;
	if (!arn_split(arn, &a) || !destination_takes(use, a.service))
		return fail(rq, &lambda_InvalidParameterValueException, use == FOR_DEAD_LETTERS
		            ? "The provided dead letter target %.*s is neither an SQS queue nor an SNS topic."
		            : "The destination ARN %.*s is invalid.", STR_ARG(arn));
	if (str_ends(a.resource, S(".fifo")))
		return fail(rq, &lambda_InvalidParameterValueException,
		            "The destination ARN %.*s is invalid: FIFO queues and topics are not supported.",
		            STR_ARG(arn));
	return OK;
}

static void pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

static err to_bus(req *rq, const destination *d)
{
	str out;
	buf b = buf_in(rq->mem, 512 + d->body.n, RECORD_MAX);
	buf_put(&b, S("{\"Entries\":[{\"Source\":\"lambda\","));
	pair(&b, "DetailType", d->failed ? S("Lambda Function Invocation Result - Failure")
	     : S("Lambda Function Invocation Result - Success"));
	buf_c(&b, ',');
	pair(&b, "Detail", d->body);
	buf_c(&b, ',');
	pair(&b, "EventBusName", d->arn);
	buf_put(&b, S(",\"Resources\":["));
	json_put_string(&b, d->arn);
	buf_c(&b, ',');
	json_put_string(&b, d->function_arn);
	buf_put(&b, S("]}]}"));
	TRY(call_json(rq, NULL, "events", "PutEvents", buf_str(&b), &out));
	const json_value *refused = json_get(json_parse(rq->mem, out), S("FailedEntryCount"));
	return refused && !str_eq(refused->text, S("0"))
		? fail(rq, &lambda_ServiceException, "The event bus did not take the event.") : OK;
}

/* PREFIX/2026/11/21/2026-11-21T10.20.30-UUID */
static err to_bucket(req *rq, const destination *d, str bucket)
{
	str out, id = rand_uuid(rq->mem);
	civil c = time_civil(rq->now);
	str key = arena_fmt(rq->mem, "%.*s/%04d/%02d/%02d/%04d-%02d-%02dT%02d.%02d.%02d-%.*s",
	                    STR_ARG(d->key_prefix), c.year, c.month, c.day, c.year, c.month, c.day, c.hour,
	                    c.minute, c.second, STR_ARG(id));
	buf b = buf_in(rq->mem, 512 + d->body.n * 2, RECORD_MAX * 2);
	buf_c(&b, '{');
	pair(&b, "Bucket", bucket);
	buf_c(&b, ',');
	pair(&b, "Key", key);
	buf_put(&b, S(",\"ContentType\":\"application/json\","));
	pair(&b, "Body", base64_encode(rq->mem, d->body));
	buf_c(&b, '}');
	return call_json(rq, NULL, "s3", "PutObject", buf_str(&b), &out);
}

err destination_send(arena *mem, store *s, str account, str region, const destination *d)
{
	arn_parts a;
	err e;
	if (!arn_split(d->arn, &a))
		return fault_new(mem, &fault_syntax, "%.*s is no ARN", STR_ARG(d->arn));
	req *rq = req_internal(mem, s, "lambda.amazonaws.com", account, a.region.n ? a.region : region);
	rq->trace = d->trace.n ? d->trace : STR_NONE;
	req_become_service(rq, "lambda.amazonaws.com", d->function_arn);
	TRY(req_become_role(rq, NULL, d->role));
	if (str_eq(a.service, S("events"))) {
		e = to_bus(rq, d);
	} else if (str_eq(a.service, S("s3"))) {
		e = to_bucket(rq, d, a.resource);
	} else {
		target_call t = { .arn = d->arn, .payload = d->body, .attributes = d->attributes };
		e = target_call_now(rq, NULL, &t);
	}
	usage_settle_later(rq);
	return e;
}

static void count(const lambda_pending *p, const char *name)
{
	metric_point m = { .account = p->Account, .region = p->Region, .name_space = S("AWS/Lambda"),
		.name = str_c(name), .unit = S("Count"), .when = clock_now(), .value = 1, .n_dimensions = 1 };
	m.dimensions[0] = (metric_dimension){ S("FunctionName"), p->Name };
	metric_later(&m);
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

static void attribute(buf *b, const char *name, const char *type, str value)
{
	buf_fmt(b, "%c\"%s\":{\"DataType\":\"%s\",\"StringValue\":", b->n ? ',' : '{', name, type);
	json_put_string(b, value);
	buf_c(b, '}');
}

/* The function is in the lineage of what it was invoked for. */
static str trace_on(arena *mem, const lambda_pending *p, const target *t, const answer *a)
{
	return a->refused == TAKEN ? lineage_next(mem, t, p->TraceId) : p->TraceId;
}

static void dead_letter(arena *mem, store *s, const lambda_pending *p, const target *t, str to,
                        const answer *a)
{
	buf b = buf_in(mem, 512, 65536);
	attribute(&b, "RequestID", "String", p->RequestId);
	attribute(&b, "ErrorCode", "Number", a->refused == TAKEN ? S("200") : S("429"));
	attribute(&b, "ErrorMessage", "String", error_message(mem, a));
	buf_c(&b, '}');
	destination d = { .arn = to, .body = p->Payload, .attributes = buf_str(&b), .failed = true,
		              .function_arn = t->version->Config->FunctionArn, .role = t->version->Config->Role,
		              .trace = trace_on(mem, p, t, a) };
	if (destination_send(mem, s, p->Account, p->Region, &d))
		count(p, "DeadLetterErrors");
}

void deliver(arena *mem, store *s, const lambda_pending *p, const target *t, const answer *a, bool too_old)
{
	bool failed = a->refused != TAKEN || a->failed;
	bool never = a->refused == THROTTLED_RESERVED && t->function->Reserved == 1;
	const char *condition = !failed ? "Success" : never ? "ZeroReservedConcurrency"
		: too_old ? "EventAgeExceeded" : "RetriesExhausted";
	const txn *tx = store_read(s);
	lambda_invokeconfig *c = invokeconfig_of(tx, mem, p);
	store_read_end(s, tx);
	const lambda_DestinationConfig *to = c ? c->It->DestinationConfig : NULL;
	destination d = { .failed = failed, .function_arn = t->version->Config->FunctionArn,
		.role = t->version->Config->Role, .trace = trace_on(mem, p, t, a),
		.key_prefix = arena_fmt(mem, "aws/lambda/async/%.*s", STR_ARG(p->Name)), .attributes = STR_NONE };
	if (to && failed && to->OnFailure)
		d.arn = to->OnFailure->Destination;
	else if (to && !failed && to->OnSuccess)
		d.arn = to->OnSuccess->Destination;
	if (d.arn.n)
		d.body = record(mem, p, t, a, condition);
	if (d.arn.n && destination_send(mem, s, p->Account, p->Region, &d))
		count(p, "DestinationDeliveryFailures");
	const lambda_DeadLetterConfig *dead = t->version->Config->DeadLetterConfig;
	if (failed && dead && dead->TargetArn.n)
		dead_letter(mem, s, p, t, dead->TargetArn, a);
}
