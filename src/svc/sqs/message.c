#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "queue.h"
#include "store/due.h"
#include "sys/rand.h"
#include <stdlib.h>

#define DEDUP_MS (5 * MS_MINUTE)
#define DEDUP_SWEEP 10
#define EXPIRE_CHUNK 1000
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

int64_t tally_add(txn *tx, int64_t queue_id, int64_t change)
{
	sqs_tally *t = sqs_tally_get(tx, txn_arena(tx), queue_id);
	sqs_tally now = { .QueueId = queue_id, .Messages = (t ? t->Messages : 0) + change };
	sqs_tally_put(tx, &now);
	return now.Messages;
}

static void expiry_set(txn *tx, const sqs_queue *q, int64_t when)
{
	arena *mem = txn_arena(tx);
	str key = arena_fmt(mem, "%lld", (long long)q->Id);
	str place = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region), STR_ARG(q->Name));
	timer_set(tx, "sqs_expire", key, when, place);
}

/* One timer a queue that holds anything, at the end of its oldest message's retention. */
TIMER(sqs_expire)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const sqs_queue *q = sqs_queue_get(tx, mem, account, region, rest);
	if (!q)
		return;
	int64_t retention = queue_settings_of(mem, q).retention * MS_SECOND;
	size_t n = 0;
	record_scan s = sqs_message_scan(tx, mem, 1, q->Id, 0);
	for (sqs_message *m; (m = sqs_message_next(&s)); n++) {
		if (m->Sent + retention > due || n == EXPIRE_CHUNK) {
			expiry_set(tx, q, n == EXPIRE_CHUNK ? due : m->Sent + retention);
			break;
		}
		message_remove(tx, mem, m);
	}
	cursor_close(&s.at);
}

void message_reschedule(txn *tx, sqs_message *m, int64_t visible_at)
{
	sqs_ready_delete(tx, m->QueueId, m->VisibleAt, m->Seq);
	m->VisibleAt = visible_at;
	sqs_message_put(tx, m);
	sqs_ready_put(tx, &(sqs_ready){ .QueueId = m->QueueId, .VisibleAt = visible_at, .Seq = m->Seq });
}

void message_remove(txn *tx, arena *mem, const sqs_message *m)
{
	sqs_ready_delete(tx, m->QueueId, m->VisibleAt, m->Seq);
	sqs_message_delete(tx, m->QueueId, m->Seq);
	tally_add(tx, m->QueueId, -1);
	if (!m->GroupId.n)
		return;
	sqs_group *g = sqs_group_get(tx, mem, m->QueueId, m->GroupId);
	if (g && m->Receives && g->InFlight > 1) {
		g->InFlight--;
		sqs_group_put(tx, g);
	} else if (g && m->Receives) {
		sqs_group_delete(tx, m->QueueId, m->GroupId);
		queue_wake(tx, m->QueueId);
	}
}

size_t messages_drop(txn *tx, int64_t queue_id, size_t most)
{
	arena *mem = txn_arena(tx);
	size_t n = 0;
	record_scan s = sqs_message_scan(tx, mem, 1, queue_id, 0);
	for (sqs_message *m; n < most && (m = sqs_message_next(&s)); n++)
		message_remove(tx, mem, m);
	cursor_close(&s.at);
	return n;
}

static bool character_allowed(uint32_t c)
{
	return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
	       c >= 0x10000;
}

static err body_check(req *rq, const queue_settings *s, const message_in *in)
{
	size_t bytes = in->body.n;
	for (size_t i = 0; in->attributes && i < in->attributes->n; i++) {
		const sqs_MessageBodyAttributeMap_entry *e = &in->attributes->v[i];
		bytes += e->key.n + e->value.DataType.n + e->value.StringValue.n + e->value.BinaryValue.n;
		if (!str_starts(e->value.DataType, S("String")) && !str_starts(e->value.DataType, S("Number")) &&
		    !str_starts(e->value.DataType, S("Binary")))
			return fail(rq, &aws_InvalidParameterValue,
			            "The message attribute '%.*s' has an invalid message attribute type, the set of "
			            "supported type prefixes is Binary, Number, and String.", STR_ARG(e->key));
	}
	if (!in->body.n)
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter MessageBody.");
	if (bytes > (size_t)s->body_max)
		return fail(rq, &aws_InvalidParameterValue,
		            "One or more parameters are invalid. Reason: Message must be shorter than %lld bytes.",
		            (long long)s->body_max);
	for (size_t i = 0; i < in->body.n; i++)
		if ((unsigned char)in->body.p[i] < 0x80 && !character_allowed((unsigned char)in->body.p[i]))
			return fail(rq, &sqs_InvalidMessageContents,
			            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to "
			            "#xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF");
	if (in->delay.set && (in->delay.v < 0 || in->delay.v > SQS_DELAY_MAX))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "
		            "<= 900.", (long long)in->delay.v);
	return OK;
}

static err fifo_check(req *rq, const queue_settings *s, const message_in *in)
{
	if (!s->fifo)
		return OK;
	if (!in->group.n)
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter MessageGroupId.");
	if (in->delay.set)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter DelaySeconds is invalid. Reason: The request include parameter "
		            "that is not valid for this queue type.", (long long)in->delay.v);
	if (!in->dedup.n && !s->content_dedup)
		return fail(rq, &aws_InvalidParameterValue,
		            "The queue should either have ContentBasedDeduplication enabled or "
		            "MessageDeduplicationId provided explicitly");
	return OK;
}

/* The earlier message with this deduplication id, within five minutes; else keeps this one. */
static const sqs_dedup *deduplicate(req *rq, txn *tx, const sqs_queue *q, const queue_settings *s,
                                    const message_in *in, str dedup, str message_id, int64_t seq)
{
	str id = s->group_dedup ? arena_fmt(rq->mem, "%.*s/%.*s", STR_ARG(in->group), STR_ARG(dedup)) : dedup;
	sqs_dedup *earlier = sqs_dedup_get(tx, rq->mem, q->Id, id);
	if (earlier && earlier->Until > rq->now)
		return earlier;
	record_scan old = sqs_dedupage_scan(tx, rq->mem, 1, q->Id, 0, STR_NONE);
	size_t swept = 0;
	for (sqs_dedupage *a; swept < DEDUP_SWEEP && (a = sqs_dedupage_next(&old)) && a->Until <= rq->now;
	     swept++) {
		sqs_dedup *d = sqs_dedup_get(tx, rq->mem, q->Id, a->DedupId);
		if (d && d->Until == a->Until)
			sqs_dedup_delete(tx, q->Id, a->DedupId);
		sqs_dedupage_delete(tx, q->Id, a->Until, a->DedupId);
	}
	cursor_close(&old.at);
	sqs_dedup_put(tx, &(sqs_dedup){ .QueueId = q->Id, .DedupId = id, .MessageId = message_id,
	                                .Until = rq->now + DEDUP_MS, .Seq = seq });
	sqs_dedupage_put(tx, &(sqs_dedupage){ .QueueId = q->Id, .Until = rq->now + DEDUP_MS, .DedupId = id });
	return NULL;
}

static str sequence_of(arena *mem, int64_t seq)
{
	return arena_fmt(mem, "%020lld", (long long)seq);
}

err message_send(req *rq, txn *tx, const sqs_queue *q, const message_in *in, message_out *out)
{
	queue_settings s = queue_settings_of(rq->mem, q);
	TRY(body_check(rq, &s, in));
	TRY(fifo_check(rq, &s, in));
	int64_t seq = (int64_t)txn_next(tx, S("sqs.message"));
	str id = rand_uuid(rq->mem);
	*out = (message_out){ .message_id = id, .md5_body = md5_hex(rq->mem, in->body),
		              .md5_attributes = attributes_md5(rq->mem, in->attributes),
		              .md5_system = system_md5(rq->mem, in->system) };
	str dedup = in->dedup.n ? in->dedup : s.fifo ? sha256_hex(rq->mem, in->body) : STR_NONE;
	if (s.fifo) {
		out->sequence = sequence_of(rq->mem, seq);
		const sqs_dedup *earlier = deduplicate(rq, tx, q, &s, in, dedup, id, seq);
		if (earlier) {
			out->message_id = earlier->MessageId;
			out->sequence = sequence_of(rq->mem, earlier->Seq);
			return OK;
		}
	}
	int64_t delay = in->delay.set ? in->delay.v : s.delay;
	sqs_message m = { .QueueId = q->Id, .Seq = seq, .MessageId = id, .Body = in->body, .Sent = rq->now,
		          .VisibleAt = rq->now + delay * MS_SECOND, .GroupId = in->group, .DedupId = dedup,
		          .Sender = rq->who.user_id.n ? rq->who.user_id : rq->who.account };
	if (in->attributes)
		m.Attributes = *in->attributes;
	if (in->system)
		m.System = *in->system;
	sqs_message_put(tx, &m);
	sqs_ready_put(tx, &(sqs_ready){ .QueueId = q->Id, .VisibleAt = m.VisibleAt, .Seq = seq });
	if (tally_add(tx, q->Id, 1) == 1)
		expiry_set(tx, q, rq->now + s.retention * MS_SECOND);
	queue_wake(tx, q->Id);
	return OK;
}
