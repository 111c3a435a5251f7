/* Deliveries that wait: functions, HTTP endpoints, mail. */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/metrics.h"
#include "cloud/outbox.h"
#include "cloud/target.h"
#include "store/due.h"
#include "sys/clock.h"
#include "topic.h"
#include "wire/http_client.h"

#define HTTP_MS 15000
#define HTTP_ANSWER_MAX ((size_t)64 << 10)
#define HTTP_LONGEST_MS MS_HOUR
#define SERVICE_LONGEST_MS (23 * MS_DAY)

/* What became of a try. */
typedef struct outcome {
	bool done, hopeless;
	str code, message;
	int64_t status; /* of HTTP, as far as there was an answer */
} outcome;

static outcome post(req *rq, const sns_delivery *d, const sns_topic *t, const sns_sub *s)
{
	arena *mem = rq->mem;
	bool raw = str_eq(d->Kind, S("Notification")) &&
	           str_eq_nocase(subscription_attribute(s, S("RawMessageDelivery")), S("true"));
	wire_message m = { .mem = mem, .method = S("POST"), .body = d->Body }, answer = { .mem = mem };
	http_client_options o = { .total_ms = HTTP_MS, .body_max = HTTP_ANSWER_MAX };
	wire_header_add(&m, S("x-amz-sns-message-type"), d->Kind);
	wire_header_add(&m, S("x-amz-sns-message-id"), d->MessageId);
	wire_header_add(&m, S("x-amz-sns-topic-arn"),
	                arena_fmt(mem, "arn:aws:sns:%.*s:%.*s:%.*s", STR_ARG(d->Region),
	                                                        STR_ARG(d->Account), STR_ARG(d->Topic)));
	if (!str_eq(d->Kind, S("SubscriptionConfirmation")))
		wire_header_add(&m, S("x-amz-sns-subscription-arn"), subscription_arn(mem, s));
	if (raw)
		wire_header_add(&m, S("x-amz-sns-rawdelivery"), S("true"));
	wire_header_add(&m, S("Content-Type"), delivery_policy_of(mem, t, s).content_type);
	wire_header_add(&m, S("User-Agent"), S("Amazon Simple Notification Service Agent"));
	err e = http_call(mem, s->Endpoint, &m, &o, &answer);
	if (e)
		return (outcome){ .code = S("ConnectionFailure"), .message = e->message };
	meter(rq, &SNS_HTTP, QTY((int64_t)((d->Body.n + SNS_CHUNK_BYTES - 1) / SNS_CHUNK_BYTES + !d->Body.n)),
	      subscription_arn(mem, s));
	return (outcome){ .done = answer.status / 100 == 2,
		              .hopeless = answer.status / 100 != 5 && answer.status != 429,
		              .code = arena_fmt(mem, "%d", answer.status), .status = answer.status,
		              .message = S("The endpoint refused the message.") };
}

static outcome mail(req *rq, const sns_delivery *d, const sns_sub *s)
{
	outbox_mail m = { .id = arena_fmt(rq->mem, "sns-%lld", (long long)d->Id),
		              .from = S("no-reply@sns.amazonaws.com"), .to = &s->Endpoint, .n_to = 1,
		              .subject = d->Subject.n ? d->Subject : S("AWS Notification Message"), .body = d->Body,
		              .when = d->Taken };
	err e = outbox_put(rq->mem, &m);
	if (e)
		return (outcome){ .code = S("InternalError"), .message = e->message };
	meter_one(rq, &SNS_EMAIL, subscription_arn(rq->mem, s));
	return (outcome){ .done = true };
}

static outcome text(req *rq, const sns_delivery *d, const sns_sub *s)
{
	err e = sms_put(rq, arena_fmt(rq->mem, "sns-%lld", (long long)d->Id), s->Endpoint, d->Body, d->Taken);
	return e ? (outcome){ .code = S("InternalError"), .message = e->message } : (outcome){ .done = true };
}

static outcome push(req *rq, const sns_delivery *d, const sns_sub *s)
{
	const txn *tx = req_read(rq);
	err e = endpoint_check(rq, tx, "Endpoint", s->Endpoint);
	req_read_end(rq, tx);
	if (e)
		return (outcome){ .hopeless = true, .status = e->kind->status, .code = str_c(e->kind->code),
			          .message = e->message };
	e = push_put(rq, arena_fmt(rq->mem, "sns-%lld", (long long)d->Id), s->Endpoint, d->Subject, d->Body,
	             d->Taken);
	return e ? (outcome){ .code = S("InternalError"), .message = e->message }
	         : (outcome){ .done = true, .status = 200 };
}

static outcome invoke(req *rq, const sns_delivery *d, const sns_sub *s)
{
	target_call c = { .arn = s->Endpoint, .payload = d->Body };
	rq->trace = d->Trace.n ? d->Trace : STR_NONE;
	err e = target_call_now(rq, NULL, &c);
	if (!e)
		return (outcome){ .done = true, .status = 202 };
	return (outcome){ .status = e->kind->status, .hopeless = !target_worth_retrying(e),
		          .code = str_c(e->kind->code), .message = e->message };
}

/* Lambda's phases: 3 at once, 2 after a second, 10 backing off to 20 s, then every 20 s for 23 days. */
static int64_t service_delay(int64_t tries)
{
	if (tries <= 3)
		return 0;
	if (tries <= 5)
		return MS_SECOND;
	return tries <= 15 ? (tries - 5) * 2 * MS_SECOND : 20 * MS_SECOND;
}

/* The moment of the next try; 0: given up. */
static int64_t next_try(arena *mem, const sns_topic *t, const sns_sub *s, const sns_delivery *d,
		unsigned attempt)
{
	bool http = str_starts(s->Protocol, S("http"));
	delivery_policy p = delivery_policy_of(mem, t, s);
	int64_t delay = http ? delivery_delay(&p, attempt) : service_delay(attempt);
	int64_t at = clock_now() + delay;
	return delay < 0 || at - d->Taken > (http ? HTTP_LONGEST_MS : SERVICE_LONGEST_MS) ? 0 : at;
}

typedef struct ending {
	req *rq;
	const sns_delivery *d;
	str dead_letters;
	outcome o;
} ending;

static bool end(void *context, txn *tx)
{
	ending *e = context;
	target_call c = { .arn = e->dead_letters, .payload = e->d->Dead.n ? e->d->Dead : e->d->Body };
	if (e->dead_letters.n)
		target_call_now(e->rq, tx, &c);
	sns_delivery_delete(tx, e->d->Id);
	return true;
}

static outcome attempt_now(req *rq, const sns_delivery *d, const sns_topic *t, const sns_sub *sub)
{
	if (str_starts(sub->Protocol, S("http")))
		return post(rq, d, t, sub);
	if (str_starts(sub->Protocol, S("email")))
		return mail(rq, d, sub);
	if (str_eq(sub->Protocol, S("application")))
		return push(rq, d, sub);
	return str_eq(sub->Protocol, S("sms")) ? text(rq, d, sub) : invoke(rq, d, sub);
}

static void report(arena *mem, const sns_delivery *d, const sns_topic *t, const sns_sub *s, const outcome *o)
{
	if (!str_eq(d->Kind, S("Notification")) || str_starts(s->Protocol, S("email")))
		return;
	const char *way = str_eq(s->Protocol, S("lambda")) ? "Lambda"
	                : str_eq(s->Protocol, S("application")) ? "Application" : "HTTP";
	delivery_report r = { way, d->MessageId, d->Message,
		              s->Endpoint, o->message, d->Taken, o->status, clock_now() - d->Taken, o->done };
	metric_point p = { .account = t->Account, .region = t->Region, .name_space = S("AWS/SNS"),
		           .name = o->done ? S("NumberOfNotificationsDelivered") : S("NumberOfNotificationsFailed"),
		           .unit = S("Count"), .n_dimensions = 1,
		           .dimensions = { { S("TopicName"), t->Name } }, .when = clock_now(), .value = 1 };
	feedback(mem, t, &r);
	metric_later(&p);
}

/* What is said about a subscription that has gone still goes to its endpoint. */
static const sns_sub *subscriber(const txn *tx, arena *mem, const sns_delivery *d)
{
	const sns_sub *s = sns_sub_get(tx, mem, d->TopicId, d->Sub);
	if (s || !str_eq(d->Kind, S("UnsubscribeConfirmation")))
		return s;
	sns_sub *was = arena_new(mem, sns_sub);
	*was = (sns_sub){ .TopicId = d->TopicId, .Id = d->Sub, .Account = d->Account, .Region = d->Region,
		          .Topic = d->Topic, .Protocol = d->Protocol, .Endpoint = d->Endpoint };
	return was;
}

TASK(sns_deliver)
{
	int64_t number;
	ensure(str_to_i64(payload, &number));
	const txn *tx = store_read(s);
	const sns_delivery *d = sns_delivery_get(tx, mem, number);
	const sns_sub *sub = d ? subscriber(tx, mem, d) : NULL;
	const sns_topic *t = d ? sns_topic_get(tx, mem, d->Account, d->Region, d->Topic) : NULL;
	store_read_end(s, tx);
	if (!d)
		return TASK_DONE;
	req *rq = req_internal(mem, s, "sns.amazonaws.com", d->Account, d->Region);
	if (t)
		req_become_service(rq, "sns.amazonaws.com", topic_arn(mem, t));
	ending e = { .rq = rq, .d = d };
	if (sub && t) {
		e.o = attempt_now(rq, d, t, sub);
		int64_t again = e.o.done || e.o.hopeless ? 0 : next_try(mem, t, sub, d, attempt);
		usage_settle_later(rq);
		if (again)
			return again;
		report(mem, d, t, sub, &e.o);
		if (!e.o.done && str_eq(d->Kind, S("Notification")))
			e.dead_letters = dead_letters_of(mem, sub);
	}
	return store_write(s, end, &e) ? clock_now() + MS_SECOND : TASK_DONE;
}
