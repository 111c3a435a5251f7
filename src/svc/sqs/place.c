/* Where a message stands in its queue, and what keeps its group waiting. */
#include "base/time.h"
#include "queue.h"
#include "store/due.h"
#include "sys/rand.h"

#define EXPIRE_CHUNK 1000
#define COUNT_MAX (2 * SQS_INFLIGHT_MAX)

static int64_t tally_add(txn *tx, int64_t queue_id, int64_t messages, int64_t flying)
{
	const sqs_tally *t = sqs_tally_get(tx, txn_arena(tx), queue_id);
	sqs_tally now = t ? *t : (sqs_tally){ .QueueId = queue_id };
	now.Messages += messages;
	now.Flying += flying;
	sqs_tally_put(tx, &now);
	return now.Messages;
}

static str place_of(arena *mem, const sqs_queue *q)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(q->Account), STR_ARG(q->Region), STR_ARG(q->Name));
}

static sqs_queue *queue_at(txn *tx, str place)
{
	str rest = place, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	return sqs_queue_get(tx, txn_arena(tx), account, region, rest);
}

static void expiry_set(txn *tx, const char *kind, const sqs_queue *q, int64_t when)
{
	arena *mem = txn_arena(tx);
	timer_set(tx, kind, arena_fmt(mem, "%lld", (long long)q->Id), when, place_of(mem, q));
}

void queue_expiry_again(txn *tx, const sqs_queue *q, int64_t now)
{
	expiry_set(tx, "sqs_expire", q, now);
	expiry_set(tx, "sqs_aged", q, now);
}

/* One timer a queue that holds anything, at the end of its oldest message's retention. */
TIMER(sqs_expire)
{
	arena *mem = txn_arena(tx);
	const sqs_queue *q = queue_at(tx, payload);
	if (!q)
		return;
	int64_t retention = queue_settings_of(mem, q).retention * MS_SECOND;
	size_t n = 0;
	record_scan s = sqs_message_scan(tx, mem, 1, q->Id, 0);
	for (sqs_message *m; (m = sqs_message_next(&s)); n++) {
		if (m->Sent + retention > due || n == EXPIRE_CHUNK) {
			expiry_set(tx, "sqs_expire", q, n == EXPIRE_CHUNK ? due : m->Sent + retention);
			break;
		}
		message_remove(tx, m);
	}
	cursor_close(&s.at);
}

/* The same for messages that came from another queue: their age began there. */
TIMER(sqs_aged)
{
	arena *mem = txn_arena(tx);
	const sqs_queue *q = queue_at(tx, payload);
	if (!q)
		return;
	int64_t retention = queue_settings_of(mem, q).retention * MS_SECOND;
	size_t n = 0;
	record_scan s = sqs_aged_scan(tx, mem, 1, q->Id, 0, 0);
	for (sqs_aged *a; (a = sqs_aged_next(&s)); n++) {
		if (a->Sent + retention > due || n == EXPIRE_CHUNK) {
			expiry_set(tx, "sqs_aged", q, n == EXPIRE_CHUNK ? due : a->Sent + retention);
			break;
		}
		const sqs_message *m = sqs_message_get(tx, mem, q->Id, a->Seq);
		if (m)
			message_remove(tx, m);
		else
			sqs_aged_delete(tx, q->Id, a->Sent, a->Seq);
	}
	cursor_close(&s.at);
}

/* The group's place among the groups: when its first message may go and none is in flight. */
static void group_settle(txn *tx, int64_t queue_id, str group)
{
	arena *mem = txn_arena(tx);
	int64_t at = 0, head = 0;
	record_scan s = sqs_member_scan(tx, mem, 2, queue_id, group, 0);
	for (const sqs_member *m; (m = sqs_member_next(&s));) {
		if (head && !m->Received)
			break;
		head = head ? head : m->Seq;
		at = m->VisibleAt > at ? m->VisibleAt : at;
	}
	cursor_close(&s.at);
	const sqs_group *old = sqs_group_get(tx, mem, queue_id, group);
	if (old && old->At == at && old->Head == head)
		return;
	if (old)
		sqs_turn_delete(tx, queue_id, old->At, old->Head);
	if (!head) {
		sqs_group_delete(tx, queue_id, group);
		return;
	}
	sqs_group_put(tx, &(sqs_group){ queue_id, group, at, head });
	sqs_turn_put(tx, &(sqs_turn){ queue_id, at, head });
	queue_wake(tx, queue_id);
}

static void member_put(txn *tx, const sqs_message *m)
{
	sqs_member_put(tx, &(sqs_member){ m->QueueId, m->GroupId, m->Seq, m->VisibleAt, m->Receives > 0 });
}

void message_place(txn *tx, const sqs_queue *q, const sqs_message *m)
{
	arena *mem = txn_arena(tx);
	int64_t retention = queue_settings_of(mem, q).retention * MS_SECOND;
	sqs_message_put(tx, m);
	sqs_ready_put(tx, &(sqs_ready){ m->QueueId, m->VisibleAt, m->Seq, m->Flying });
	if (m->Ordered) {
		member_put(tx, m);
		if (!sqs_group_get(tx, mem, m->QueueId, m->GroupId))
			group_settle(tx, m->QueueId, m->GroupId);
	}
	if (tally_add(tx, m->QueueId, 1, 0) == 1)
		expiry_set(tx, "sqs_expire", q, m->Sent + retention);
	if (m->Aged) {
		sqs_aged_put(tx, &(sqs_aged){ m->QueueId, m->Sent, m->Seq });
		record_scan s = sqs_aged_scan(tx, mem, 1, m->QueueId, 0, 0);
		expiry_set(tx, "sqs_aged", q, sqs_aged_next(&s)->Sent + retention);
		cursor_close(&s.at);
	}
	queue_wake(tx, m->QueueId);
}

void message_reschedule(txn *tx, sqs_message *m, int64_t visible_at, bool flying)
{
	sqs_ready_delete(tx, m->QueueId, m->VisibleAt, m->Seq);
	if (m->Flying != flying)
		tally_add(tx, m->QueueId, 0, flying ? 1 : -1);
	m->VisibleAt = visible_at;
	m->Flying = flying;
	sqs_message_put(tx, m);
	sqs_ready_put(tx, &(sqs_ready){ m->QueueId, visible_at, m->Seq, flying });
	if (m->Ordered) {
		member_put(tx, m);
		group_settle(tx, m->QueueId, m->GroupId);
	}
}

void message_remove(txn *tx, const sqs_message *m)
{
	sqs_ready_delete(tx, m->QueueId, m->VisibleAt, m->Seq);
	sqs_message_delete(tx, m->QueueId, m->Seq);
	if (m->Aged)
		sqs_aged_delete(tx, m->QueueId, m->Sent, m->Seq);
	tally_add(tx, m->QueueId, -1, m->Flying ? -1 : 0);
	if (m->Ordered) {
		sqs_member_delete(tx, m->QueueId, m->GroupId, m->Seq);
		group_settle(tx, m->QueueId, m->GroupId);
	}
}

void message_move(txn *tx, sqs_message *m, const sqs_queue *to, str source_arn, int64_t when)
{
	bool fifo = queue_is_fifo(to), fresh = !str_is(source_arn);
	message_remove(tx, m);
	m->QueueId = to->Id;
	m->Seq = (int64_t)txn_next(tx, S("sqs.message"));
	m->VisibleAt = when;
	m->Receives = m->FirstReceived = 0;
	m->Flying = false;
	m->Ordered = fifo;
	m->SourceArn = source_arn;
	/* A standard queue goes on counting the message's age; a FIFO queue, and a redrive, begin anew. */
	m->Aged = !fifo && !fresh;
	if (fifo || fresh)
		m->Sent = when;
	if (fresh)
		m->MessageId = rand_uuid(txn_arena(tx));
	message_place(tx, to, m);
}

size_t messages_drop(txn *tx, int64_t queue_id, size_t most)
{
	size_t n = 0;
	record_scan s = sqs_message_scan(tx, txn_arena(tx), 1, queue_id, 0);
	for (sqs_message *m; n < most && (m = sqs_message_next(&s)); n++)
		message_remove(tx, m);
	cursor_close(&s.at);
	return n;
}

static void count_hidden(const txn *tx, arena *mem, int64_t queue_id, int64_t now, queue_count *c)
{
	record_scan s = sqs_ready_scan(tx, mem, 1, queue_id, 0, 0);
	record_scan_after(&s, arena_fmt(mem, "%lld", (long long)now));
	for (const sqs_ready *r; c->flying + c->delayed < COUNT_MAX && (r = sqs_ready_next(&s));)
		++*(r->Flying ? &c->flying : &c->delayed);
	cursor_close(&s.at);
}

queue_count queue_counted(const txn *tx, arena *mem, int64_t queue_id, int64_t now)
{
	queue_count c = { 0 };
	const sqs_tally *t = sqs_tally_get(tx, mem, queue_id);
	if (!t || !t->Messages)
		return c;
	count_hidden(tx, mem, queue_id, now, &c);
	c.visible = t->Messages - c.flying - c.delayed;
	c.visible = c.visible > 0 ? c.visible : 0;
	return c;
}

bool queue_flying_full(const txn *tx, arena *mem, int64_t queue_id, int64_t now)
{
	const sqs_tally *t = sqs_tally_get(tx, mem, queue_id);
	queue_count c = { 0 };
	if (!t || t->Flying < SQS_INFLIGHT_MAX)
		return false;
	count_hidden(tx, mem, queue_id, now, &c);
	return c.flying >= SQS_INFLIGHT_MAX;
}
