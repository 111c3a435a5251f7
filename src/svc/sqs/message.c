#include "base/digest.h"
#include "base/time.h"
#include "queue.h"
#include "sys/rand.h"
#include "wire/http.h"
#include <stdlib.h>

#define DEDUP_MS (5 * MS_MINUTE)
#define DEDUP_SWEEP 10
#define MD5_MAX ((size_t)2 << 20)

static int by_key(const void *a, const void *b)
{
	return str_cmp(((const sqs_MessageBodyAttributeMap_entry *)a)->key,
	               ((const sqs_MessageBodyAttributeMap_entry *)b)->key);
}

static void put_counted(buf *b, str s)
{
	char n[4] = { (char)(s.n >> 24), (char)(s.n >> 16), (char)(s.n >> 8), (char)s.n };
	buf_put(b, str_of(n, 4));
	buf_put(b, s);
}

str attributes_md5(arena *mem, const sqs_MessageBodyAttributeMap *a)
{
	if (!a || !a->n)
		return STR_NONE;
	sqs_MessageBodyAttributeMap_entry *sorted = arena_array(mem, sqs_MessageBodyAttributeMap_entry, a->n);
	memcpy(sorted, a->v, a->n * sizeof *sorted);
	qsort(sorted, a->n, sizeof *sorted, by_key);
	buf b = buf_in(mem, 256, MD5_MAX);
	for (size_t i = 0; i < a->n; i++) {
		bool binary = str_starts(sorted[i].value.DataType, S("Binary"));
		put_counted(&b, sorted[i].key);
		put_counted(&b, sorted[i].value.DataType);
		buf_c(&b, binary ? 2 : 1);
		put_counted(&b, binary ? sorted[i].value.BinaryValue : sorted[i].value.StringValue);
	}
	return md5_hex(mem, buf_str(&b));
}

static str system_md5(arena *mem, const sqs_MessageBodySystemAttributeMap *a)
{
	if (!a || !a->n)
		return STR_NONE;
	sqs_MessageBodyAttributeMap plain = { arena_array(mem, sqs_MessageBodyAttributeMap_entry, a->n), a->n };
	for (size_t i = 0; i < a->n; i++)
		plain.v[i] = (sqs_MessageBodyAttributeMap_entry){
			a->v[i].key, { .StringValue = a->v[i].value.StringValue,
			               .BinaryValue = a->v[i].value.BinaryValue,
			               .DataType = a->v[i].value.DataType } };
	return attributes_md5(mem, &plain);
}

/* Keeps the row for its time; rows whose time is over go a few at a time. */
static void dedup_put(txn *tx, const sqs_dedup *new, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan old = sqs_dedupage_scan(tx, mem, 1, new->QueueId, 0, STR_NONE);
	size_t swept = 0;
	for (sqs_dedupage *a; swept < DEDUP_SWEEP && (a = sqs_dedupage_next(&old)) && a->Until <= now; swept++) {
		const sqs_dedup *d = sqs_dedup_get(tx, mem, new->QueueId, a->DedupId);
		if (d && d->Until == a->Until)
			sqs_dedup_delete(tx, new->QueueId, a->DedupId);
		sqs_dedupage_delete(tx, new->QueueId, a->Until, a->DedupId);
	}
	cursor_close(&old.at);
	sqs_dedup_put(tx, new);
	sqs_dedupage_put(tx, &(sqs_dedupage){ new->QueueId, new->Until, new->DedupId });
}

/* The earlier message with this deduplication id, within five minutes; else keeps this one. */
static const sqs_dedup *deduplicate(req *rq, txn *tx, const sqs_queue *q, const queue_settings *s,
                                    const message_in *in, str dedup, str message_id, int64_t seq)
{
	str id = s->group_dedup ? arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(in->group), STR_ARG(dedup)) : dedup;
	const sqs_dedup *earlier = sqs_dedup_get(tx, rq->mem, q->Id, id);
	if (earlier && earlier->Until > rq->now)
		return earlier;
	dedup_put(tx, &(sqs_dedup){ .QueueId = q->Id, .DedupId = id, .MessageId = message_id,
	                            .Until = rq->now + DEDUP_MS, .Seq = seq }, rq->now);
	return NULL;
}

/* Attempts stand among the deduplication ids, under a character that no id has. */
static str attempt_key(arena *mem, str attempt)
{
	return arena_fmt(mem, "\1%.*s", STR_ARG(attempt));
}

str attempt_recall(const txn *tx, arena *mem, int64_t queue_id, str attempt, int64_t now)
{
	const sqs_dedup *d = attempt.n ? sqs_dedup_get(tx, mem, queue_id, attempt_key(mem, attempt)) : NULL;
	return d && d->Until > now ? d->MessageId : STR_NONE;
}

void attempt_remember(txn *tx, int64_t queue_id, str attempt, str got, int64_t now)
{
	dedup_put(tx, &(sqs_dedup){ .QueueId = queue_id, .DedupId = attempt_key(txn_arena(tx), attempt),
	                            .MessageId = got, .Until = now + DEDUP_MS }, now);
}

/* Twenty digits that begin as AWS's do. */
str sequence_of(arena *mem, int64_t seq)
{
	return arena_fmt(mem, "188%017lld", (long long)seq * 256);
}

static sqs_MessageBodySystemAttributeMap system_of(req *rq, const message_in *in)
{
	sqs_MessageBodySystemAttributeMap all = { 0 };
	if (in->system)
		all = *in->system;
	str trace = all.n ? STR_NONE : req_trace(rq); /* who sends it wants the trace to go on from the queue */
	if (!str_is(trace) || str_find(trace, S("Root=")) == SIZE_MAX)
		return all;
	all.v = arena_new(rq->mem, sqs_MessageBodySystemAttributeMap_entry);
	all.n = 1;
	all.v[0] = (sqs_MessageBodySystemAttributeMap_entry){
		S("AWSTraceHeader"), { .DataType = S("String"), .StringValue = trace } };
	return all;
}

void message_send(req *rq, txn *tx, const sqs_queue *q, const queue_settings *s, const message_in *in,
                  message_out *out)
{
	int64_t seq = (int64_t)txn_next(tx, S("sqs.message"));
	str id = rand_uuid(rq->mem);
	*out = (message_out){ .message_id = id, .md5_body = md5_hex(rq->mem, in->body),
		              .md5_attributes = attributes_md5(rq->mem, in->attributes),
		              .md5_system = system_md5(rq->mem, in->system) };
	str dedup = in->dedup.n ? in->dedup : s->fifo ? sha256_hex(rq->mem, in->body) : STR_NONE;
	if (s->fifo) {
		out->sequence = sequence_of(rq->mem, seq);
		const sqs_dedup *earlier = deduplicate(rq, tx, q, s, in, dedup, id, seq);
		if (earlier) {
			out->message_id = earlier->MessageId;
			out->sequence = sequence_of(rq->mem, earlier->Seq);
			return;
		}
	}
	int64_t delay = in->delay.set && !s->fifo ? in->delay.v : s->delay;
	sqs_message m = { .QueueId = q->Id, .Seq = seq, .MessageId = id, .Body = in->body, .Sent = rq->now,
		          .VisibleAt = rq->now + delay * MS_SECOND, .GroupId = in->group, .DedupId = dedup,
		          .Ordered = s->fifo,
		          .Sender = rq->who.user_id.n ? rq->who.user_id : rq->who.account };
	if (in->attributes)
		m.Attributes = *in->attributes;
	m.System = system_of(rq, in);
	message_place(tx, q, &m);
	queue_in_use(tx, q, rq->now);
	queue_metric(q, "NumberOfMessagesSent", "Count", 1, rq->now);
	queue_metric(q, "SentMessageSize", "Bytes", (double)message_bytes(in), rq->now);
}
