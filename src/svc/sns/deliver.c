/* Deliveries that wait: functions, HTTP endpoints, mail. */
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "cloud/outbox.h"
#include "cloud/target.h"
#include "store/due.h"
#include "sys/clock.h"
#include "topic.h"
#include "wire/http_client.h"

#define HTTP_MS 15000
#define HTTP_ANSWER_MAX ((size_t)64 << 10)
#define HTTP_TRIES 3
#define HTTP_DELAY_S 20
#define HTTP_LONGEST_MS MS_HOUR
#define SERVICE_LONGEST_MS (23 * MS_DAY)

/* What became of a try. */
typedef struct outcome {
	bool done, hopeless;
	str code, message;
} outcome;

static outcome post(req *rq, const sns_delivery *d, const sns_sub *s)
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
	if (str_eq(d->Kind, S("Notification")))
		wire_header_add(&m, S("x-amz-sns-subscription-arn"), subscription_arn(mem, s));
	if (raw)
		wire_header_add(&m, S("x-amz-sns-rawdelivery"), S("true"));
	wire_header_add(&m, S("Content-Type"), S("text/plain; charset=UTF-8"));
	wire_header_add(&m, S("User-Agent"), S("Amazon Simple Notification Service Agent"));
	err e = http_call(mem, s->Endpoint, &m, &o, &answer);
	if (e)
		return (outcome){ .code = S("ConnectionFailure"), .message = e->message };
	meter(rq, &SNS_HTTP, QTY((int64_t)((d->Body.n + SNS_CHUNK_BYTES - 1) / SNS_CHUNK_BYTES + !d->Body.n)),
	      subscription_arn(mem, s));
	return (outcome){ .done = answer.status / 100 == 2,
		              .hopeless = answer.status / 100 != 5 && answer.status != 429,
		              .code = arena_fmt(mem, "%d", answer.status),
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

static outcome invoke(req *rq, const sns_delivery *d, const sns_sub *s)
{
	target_call c = { .arn = s->Endpoint, .payload = d->Body };
	err e = target_call_now(rq, NULL, &c);
	if (!e)
		return (outcome){ .done = true };
	return (outcome){ .hopeless = !target_worth_retrying(e), .code = str_c(e->kind->code),
			.message = e->message };
}

static int64_t member(const json_value *v, str name, int64_t otherwise)
{
	int64_t n;
	const json_value *m = json_get(v, name);
	return m && str_to_i64(m->text, &n) && n >= 0 ? n : otherwise;
}

/* Of the subscription, else of its topic, else AWS's: three more tries, 20 seconds apart. */
static int64_t http_delay(arena *mem, const sns_topic *t, const sns_sub *s, int64_t tries)
{
	str own = subscription_attribute(s, S("DeliveryPolicy"));
	str of_topic = topic_attribute(t, S("DeliveryPolicy"));
	const json_value *p = own.n ? json_get(json_parse(mem, own), S("healthyRetryPolicy")) : NULL;
	if (!p && of_topic.n)
		p = json_get(json_get(json_parse(mem, of_topic), S("http")), S("defaultHealthyRetryPolicy"));
	int64_t least = member(p, S("minDelayTarget"), HTTP_DELAY_S);
	int64_t most = member(p, S("maxDelayTarget"), HTTP_DELAY_S);
	int64_t all = member(p, S("numRetries"), HTTP_TRIES), at_once = member(p, S("numNoDelayRetries"), 0);
	int64_t at_least = member(p, S("numMinDelayRetries"), 0), at_most = member(p, S("numMaxDelayRetries"), 0);
	if (tries > all)
		return -1;
	if (tries <= at_once)
		return 0;
	if (tries <= at_once + at_least)
		return least * MS_SECOND;
	int64_t between = all - at_once - at_least - at_most, step = tries - at_once - at_least;
	if (step > between || between <= 1)
		return (step > between ? most : least) * MS_SECOND;
	return (least + (most - least) * (step - 1) / (between - 1)) * MS_SECOND;
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
	int64_t delay = http ? http_delay(mem, t, s, attempt) : service_delay(attempt);
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
	http_header why[] = { { S("RequestID"), e->d->MessageId }, { S("ErrorCode"), e->o.code },
		                  { S("ErrorMessage"), e->o.message } };
	if (e->dead_letters.n)
		target_dead_letter(e->rq, tx, e->dead_letters, e->d->Body, why, 3);
	sns_delivery_delete(tx, e->d->Id);
	return true;
}

static str dead_letters_of(arena *mem, const sns_sub *s)
{
	str policy = subscription_attribute(s, S("RedrivePolicy"));
	const json_value *target = policy.n ? json_get(json_parse(mem, policy), S("deadLetterTargetArn")) : NULL;
	return target ? target->text : STR_NONE;
}

TASK(sns_deliver)
{
	int64_t number;
	ensure(str_to_i64(payload, &number));
	const txn *tx = store_read(s);
	const sns_delivery *d = sns_delivery_get(tx, mem, number);
	const sns_sub *sub = d ? sns_sub_get(tx, mem, d->TopicId, d->Sub) : NULL;
	const sns_topic *t = d ? sns_topic_get(tx, mem, d->Account, d->Region, d->Topic) : NULL;
	store_read_end(s, tx);
	if (!d)
		return TASK_DONE;
	req *rq = req_internal(mem, s, "sns.amazonaws.com", d->Account, d->Region);
	ending e = { .rq = rq, .d = d };
	if (sub && t) {
		e.o = str_starts(sub->Protocol, S("http"))    ? post(rq, d, sub)
		      : str_starts(sub->Protocol, S("email")) ? mail(rq, d, sub)
		                                              : invoke(rq, d, sub);
		int64_t again = e.o.done || e.o.hopeless ? 0 : next_try(mem, t, sub, d, attempt);
		if (again)
			return again;
		usage_settle_later(rq);
		if (!e.o.done && str_eq(d->Kind, S("Notification")))
			e.dead_letters = dead_letters_of(mem, sub);
	}
	return store_write(s, end, &e) ? clock_now() + MS_SECOND : TASK_DONE;
}
