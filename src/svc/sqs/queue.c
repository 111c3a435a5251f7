#include "queue.h"
#include "base/json.h"
#include "sys/clock.h"
#include "wire/http.h"
#include <pthread.h>

str queue_attribute(const sqs_queue *q, str name)
{
	for (size_t i = 0; i < q->Attributes.n; i++)
		if (str_eq(q->Attributes.v[i].key, name))
			return q->Attributes.v[i].value;
	return STR_NONE;
}

static int64_t number_of(const sqs_queue *q, str name, int64_t otherwise)
{
	int64_t v;
	return str_to_i64(queue_attribute(q, name), &v) ? v : otherwise;
}

bool queue_is_fifo(const sqs_queue *q)
{
	return str_ends(q->Name, S(".fifo"));
}

queue_settings queue_settings_of(arena *mem, const sqs_queue *q)
{
	queue_settings s = {
		.delay = number_of(q, S("DelaySeconds"), 0),
		.visibility = number_of(q, S("VisibilityTimeout"), 30),
		.retention = number_of(q, S("MessageRetentionPeriod"), 345600),
		.wait = number_of(q, S("ReceiveMessageWaitTimeSeconds"), 0),
		.body_max = number_of(q, S("MaximumMessageSize"), SQS_BODY_MAX),
		.fifo = queue_is_fifo(q),
		.content_dedup = str_eq(queue_attribute(q, S("ContentBasedDeduplication")), S("true")),
		.fast = str_eq(queue_attribute(q, S("FifoThroughputLimit")), S("perMessageGroupId")),
		.group_dedup = str_eq(queue_attribute(q, S("DeduplicationScope")), S("messageGroup")),
	};
	str policy = queue_attribute(q, S("RedrivePolicy"));
	const json_value *v = policy.n ? json_parse(mem, policy) : NULL;
	const json_value *target = json_get(v, S("deadLetterTargetArn"));
	const json_value *count = json_get(v, S("maxReceiveCount"));
	if (target && count && str_to_i64(count->text, &s.redrive_after))
		s.redrive_target = target->text;
	return s;
}

str queue_arn(const req *rq, const sqs_queue *q)
{
	return arena_fmt(rq->mem, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(q->Region), STR_ARG(q->Account),
	                 STR_ARG(q->Name));
}

/* Clients send to the address they are told, so it is the one at which they have found us. */
str queue_url(req *rq, const sqs_queue *q)
{
	str host = rq->host.n ? rq->host : S("sqs.localhost");
	bool tls = rq->exchange && rq->exchange->tls;
	return arena_fmt(rq->mem, "http%s://%.*s/%.*s/%.*s", tls ? "s" : "", STR_ARG(host), STR_ARG(q->Account),
	                 STR_ARG(q->Name));
}

err missing(req *rq, const char *parameter)
{
	return fail(rq, &aws_MissingParameter, "The request must contain the parameter %s.", parameter);
}

bool plain_name(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return s.n > 0 && s.n <= 80;
}

err no_such_queue(req *rq)
{
	bool query = rq->codec && rq->codec->protocol == PROTOCOL_QUERY;
	return fail(rq, &sqs_QueueDoesNotExist, "The specified queue does not exist%s.",
	            query ? " for this wsdl version" : "");
}

err queue_find(req *rq, const txn *tx, str url, sqs_queue **q)
{
	if (!str_is(url) && rq->codec && rq->http && rq->http->path.n > 1)
		url = rq->http->path;
	if (!str_is(url))
		return missing(rq, "QueueUrl");
	size_t slash = url.n;
	while (slash > 0 && url.p[slash - 1] != '/')
		slash--;
	if (!slash)
		return fail(rq, &sqs_InvalidAddress, "The address %.*s is not valid for this endpoint.",
		            STR_ARG(url));
	str name = str_sub(url, slash, url.n), account = rq->who.account;
	if (slash > 13 && url.p[slash - 14] == '/')
		account = str_sub(url, slash - 13, slash - 1);
	*q = sqs_queue_get(tx, rq->mem, account, rq->region, name);
	return *q ? OK : no_such_queue(rq);
}

sqs_queue *queue_by_arn(const txn *tx, arena *mem, str arn)
{
	str parts[6], rest = arn;
	for (size_t i = 0; i < 6; i++)
		parts[i] = str_is(rest) ? str_cut(&rest, ':') : S("");
	return sqs_queue_get(tx, mem, parts[4], parts[3], parts[5]);
}

void queue_metered(req *rq, const sqs_queue *q, size_t bytes)
{
	int64_t chunks =
		bytes <= SQS_CHUNK_BYTES ? 1 : (int64_t)((bytes + SQS_CHUNK_BYTES - 1) / SQS_CHUNK_BYTES);
	meter(rq, queue_is_fifo(q) ? &SQS_FIFO : &SQS_STANDARD, QTY(chunks), queue_arn(rq, q));
}

#define SLOTS 64

/* Wakes are counted per slot; two queues in one slot wake each other, which costs a look and nothing else. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	uint64_t count;
} slots[SLOTS] = { [0 ... SLOTS - 1] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 } };

static void wake_slot(void *subject)
{
	size_t i = (size_t)(uintptr_t)subject;
	pthread_mutex_lock(&slots[i].lock);
	slots[i].count++;
	pthread_cond_broadcast(&slots[i].woken);
	pthread_mutex_unlock(&slots[i].lock);
}

static size_t slot_of(int64_t queue_id)
{
	return (size_t)queue_id % SLOTS;
}

void queue_wake(txn *tx, int64_t queue_id)
{
	txn_on_commit(tx, wake_slot, (void *)(uintptr_t)slot_of(queue_id));
}

uint64_t queue_wakes(int64_t queue_id)
{
	size_t i = slot_of(queue_id);
	pthread_mutex_lock(&slots[i].lock);
	uint64_t n = slots[i].count;
	pthread_mutex_unlock(&slots[i].lock);
	return n;
}

uint64_t queue_wait(int64_t queue_id, uint64_t seen, int64_t ms)
{
	size_t i = slot_of(queue_id);
	int64_t at = clock_real() + ms;
	struct timespec until = { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
	pthread_mutex_lock(&slots[i].lock);
	while (slots[i].count == seen && pthread_cond_timedwait(&slots[i].woken, &slots[i].lock, &until) == 0)
		;
	uint64_t n = slots[i].count;
	pthread_mutex_unlock(&slots[i].lock);
	return n;
}
