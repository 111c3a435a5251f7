#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "queue.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define LOOK_AGAIN_MS 1000

typedef struct receive {
	const sqs_ReceiveMessage_in *in;
	sqs_queue *queue;
	queue_settings settings;
	size_t most;
	int64_t visibility_ms;
	sqs_ReceiveMessage_out *out;
	bool asked_away; /* the queue has gone meanwhile */
	bool full;       /* as many are in flight as may be */
} receive;

static bool wanted(const sqs_ReceiveMessage_in *in, str name)
{
	for (size_t i = 0; i < in->AttributeNames.n; i++)
		if (str_eq(in->AttributeNames.v[i], name) || str_eq(in->AttributeNames.v[i], S("All")))
			return true;
	for (size_t i = 0; i < in->MessageSystemAttributeNames.n; i++)
		if (str_eq(in->MessageSystemAttributeNames.v[i], name) ||
		    str_eq(in->MessageSystemAttributeNames.v[i], S("All")))
			return true;
	return false;
}

static void put_system(const receive *r, sqs_MessageSystemAttributeMap *to, const char *name, str value)
{
	if (value.n && wanted(r->in, str_c(name)))
		to->v[to->n++] = (sqs_MessageSystemAttributeMap_entry){ str_c(name), value };
}

static str number(arena *mem, int64_t v)
{
	return arena_fmt(mem, "%lld", (long long)v);
}

static sqs_MessageSystemAttributeMap system_of(req *rq, const receive *r, const sqs_message *m)
{
	sqs_MessageSystemAttributeMap to = { arena_array(rq->mem, sqs_MessageSystemAttributeMap_entry, 10), 0 };
	put_system(r, &to, "SenderId", m->Sender);
	put_system(r, &to, "SentTimestamp", number(rq->mem, m->Sent));
	put_system(r, &to, "ApproximateReceiveCount", number(rq->mem, m->Receives));
	put_system(r, &to, "ApproximateFirstReceiveTimestamp", number(rq->mem, m->FirstReceived));
	put_system(r, &to, "DeadLetterQueueSourceArn", m->SourceArn);
	put_system(r, &to, "MessageGroupId", m->GroupId);
	if (r->settings.fifo) {
		put_system(r, &to, "SequenceNumber", sequence_of(rq->mem, m->Seq));
		put_system(r, &to, "MessageDeduplicationId", m->DedupId);
	}
	for (size_t i = 0; i < m->System.n; i++)
		put_system(r, &to, arena_str(rq->mem, m->System.v[i].key).p, m->System.v[i].value.StringValue);
	if (!to.n)
		to.v = NULL;
	return to;
}

static bool name_fits(str pattern, str name)
{
	if (str_eq(pattern, S("All")) || str_eq(pattern, S(".*")))
		return true;
	if (str_ends(pattern, S(".*")))
		return str_starts(name, str_sub(pattern, 0, pattern.n - 2));
	return str_eq(pattern, name);
}

static sqs_MessageBodyAttributeMap attributes_of(req *rq, const receive *r, const sqs_message *m)
{
	sqs_MessageBodyAttributeMap to = { NULL, 0 };
	for (size_t i = 0; i < m->Attributes.n; i++)
		for (size_t j = 0; j < r->in->MessageAttributeNames.n; j++)
			if (name_fits(r->in->MessageAttributeNames.v[j], m->Attributes.v[i].key)) {
				if (!to.v)
					to.v = arena_array(rq->mem, sqs_MessageBodyAttributeMap_entry, m->Attributes.n);
				to.v[to.n++] = m->Attributes.v[i];
				break;
			}
	return to;
}

static void show(req *rq, receive *r, const sqs_message *m)
{
	sqs_MessageBodyAttributeMap attributes = attributes_of(rq, r, m);
	r->out->Messages.v[r->out->Messages.n++] = (sqs_Message){
		.MessageId = m->MessageId,
		.ReceiptHandle = base64_encode(rq->mem, arena_fmt(rq->mem, "%lld.%lld.%lld", (long long)m->QueueId,
		                                                  (long long)m->Seq, (long long)m->Handle)),
		.MD5OfBody = md5_hex(rq->mem, m->Body),
		.Body = m->Body,
		.Attributes = system_of(rq, r, m),
		.MD5OfMessageAttributes = attributes_md5(rq->mem, &attributes),
		.MessageAttributes = attributes,
	};
}

static void hand_out(req *rq, txn *tx, receive *r, sqs_message *m)
{
	m->Receives++;
	m->Handle = (int64_t)(rand_u64() >> 2);
	m->Received = rq->now;
	if (!m->FirstReceived)
		m->FirstReceived = rq->now;
	message_reschedule(tx, m, rq->now + r->visibility_ms, r->visibility_ms > 0);
	show(rq, r, m);
}

/* A message that has been received too often goes to the dead-letter queue instead. */
static bool redriven(req *rq, txn *tx, const receive *r, sqs_message *m)
{
	if (!str_is(r->settings.redrive_target) || m->Receives < r->settings.redrive_after)
		return false;
	const sqs_queue *to = queue_by_arn(tx, rq->mem, r->settings.redrive_target);
	str arn = queue_arn(rq, r->queue);
	if (!to || !redrive_allowed(rq->mem, to, arn))
		return false;
	message_move(tx, m, to, arn, rq->now);
	queue_in_use(tx, to, rq->now);
	return true;
}

/* Rows move while they are handed out, so what is to go is gathered first. */
typedef struct choice {
	sqs_message **v;
	size_t n, room;
	int64_t expired; /* what was sent by then is no longer there */
} choice;

static void choose(choice *c, sqs_message *m)
{
	if (m && m->Sent > c->expired)
		c->v[c->n++] = m;
}

static void choose_any(req *rq, const txn *tx, const receive *r, choice *c)
{
	record_scan s = sqs_ready_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
	const sqs_ready *at;
	while (c->n < c->room && (at = sqs_ready_next(&s)) && at->VisibleAt <= rq->now)
		choose(c, sqs_message_get(tx, rq->mem, r->queue->Id, at->Seq));
	cursor_close(&s.at);
}

/* As many as there are of the group that waits longest, then of the next one. */
static void choose_in_turn(req *rq, const txn *tx, const receive *r, choice *c)
{
	record_scan s = sqs_turn_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
	for (const sqs_turn *t; c->n < c->room && (t = sqs_turn_next(&s)) && t->At <= rq->now;) {
		const sqs_message *head = sqs_message_get(tx, rq->mem, r->queue->Id, t->Head);
		if (!head)
			continue;
		record_scan group = sqs_member_scan(tx, rq->mem, 2, r->queue->Id, head->GroupId, 0);
		const sqs_member *m;
		while (c->n < c->room && (m = sqs_member_next(&group)) && m->VisibleAt <= rq->now)
			choose(c, sqs_message_get(tx, rq->mem, r->queue->Id, m->Seq));
		cursor_close(&group.at);
	}
	cursor_close(&s.at);
}

/* A receive that is asked again hands out what it did, as far as that is still in flight by it. */
static bool repeated(req *rq, txn *tx, receive *r)
{
	str rest = attempt_recall(tx, rq->mem, r->queue->Id, r->in->ReceiveRequestAttemptId, rq->now);
	while (str_is(rest) && r->out->Messages.n < r->most) {
		str one = str_cut(&rest, ' '), handle = one, number = str_cut(&handle, '.');
		int64_t seq, receipt;
		if (!str_to_i64(number, &seq) || !str_is(handle) || !str_to_i64(handle, &receipt))
			continue;
		sqs_message *m = sqs_message_get(tx, rq->mem, r->queue->Id, seq);
		if (!m || m->Handle != receipt || m->VisibleAt <= rq->now)
			continue;
		message_reschedule(tx, m, rq->now + r->visibility_ms, r->visibility_ms > 0);
		show(rq, r, m);
	}
	return r->out->Messages.n > 0;
}

static void remember(req *rq, txn *tx, const receive *r, const choice *c)
{
	buf b = buf_in(rq->mem, 512, 4096);
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->QueueId == r->queue->Id)
			buf_fmt(&b, "%lld.%lld ", (long long)c->v[i]->Seq, (long long)c->v[i]->Handle);
	attempt_remember(tx, r->queue->Id, r->in->ReceiveRequestAttemptId, buf_str(&b), rq->now);
}

static err take(req *rq, txn *tx, void *context)
{
	receive *r = context;
	rq->now = clock_now();
	r->out->Messages.n = 0;
	sqs_queue *still = sqs_queue_get(tx, rq->mem, r->queue->Account, r->queue->Region, r->queue->Name);
	r->asked_away = !still || still->Id != r->queue->Id;
	if (r->asked_away || repeated(rq, tx, r))
		return OK;
	r->full = queue_flying_full(tx, rq->mem, r->queue->Id, rq->now);
	if (r->full)
		return OK;
	choice c = { arena_array(rq->mem, sqs_message *, r->most + 1), 0, r->most,
		     rq->now - r->settings.retention * MS_SECOND };
	(r->settings.fifo ? choose_in_turn : choose_any)(rq, tx, r, &c);
	for (size_t i = 0; i < c.n; i++)
		if (!redriven(rq, tx, r, c.v[i]))
			hand_out(rq, tx, r, c.v[i]);
	if (r->in->ReceiveRequestAttemptId.n && r->out->Messages.n)
		remember(rq, tx, r, &c);
	return OK;
}

/* When something may be received: 0 now, else in so many milliseconds; -1 nothing is waiting. */
static int64_t next_visible(req *rq, const receive *r)
{
	const txn *tx = req_read(rq);
	int64_t now = clock_now(), at = -1;
	if (r->settings.fifo) {
		record_scan s = sqs_turn_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
		const sqs_turn *first = sqs_turn_next(&s);
		at = first ? first->At : -1;
		cursor_close(&s.at);
	} else {
		record_scan s = sqs_ready_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
		const sqs_ready *first = sqs_ready_next(&s);
		at = first ? first->VisibleAt : -1;
		cursor_close(&s.at);
	}
	if (str_is(attempt_recall(tx, rq->mem, r->queue->Id, r->in->ReceiveRequestAttemptId, now)))
		at = now;
	req_read_end(rq, tx);
	return at < 0 ? -1 : at <= now ? 0 : at - now;
}

static err attribute_names_check(req *rq, const str *v, size_t n)
{
	static const char *const known[] = {
		"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
		"SequenceNumber", "MessageDeduplicationId", "MessageGroupId", "AWSTraceHeader",
		"DeadLetterQueueSourceArn",
	};
	for (size_t i = 0; i < n; i++) {
		bool found = false;
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			found = found || str_eq(v[i], str_c(known[k]));
		if (!found)
			return fail(rq, &sqs_InvalidAttributeName, "Unknown Attribute %.*s.", STR_ARG(v[i]));
	}
	return OK;
}

static err parameters(req *rq, receive *r)
{
	const sqs_ReceiveMessage_in *in = r->in;
	int64_t most = in->MaxNumberOfMessages.set ? in->MaxNumberOfMessages.v : 1;
	int64_t visibility = in->VisibilityTimeout.set ? in->VisibilityTimeout.v : r->settings.visibility;
	TRY(attribute_names_check(rq, in->AttributeNames.v, in->AttributeNames.n));
	TRY(attribute_names_check(rq, in->MessageSystemAttributeNames.v, in->MessageSystemAttributeNames.n));
	if (most < 1 || most > SQS_BATCH_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "
		            "10, if provided.", (long long)most);
	if (visibility < 0 || visibility > SQS_VISIBILITY_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and "
		            "43200, if provided.", (long long)visibility);
	if (in->WaitTimeSeconds.set && (in->WaitTimeSeconds.v < 0 || in->WaitTimeSeconds.v > 20))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
		            "provided.", (long long)in->WaitTimeSeconds.v);
	if (str_is(in->ReceiveRequestAttemptId) && !r->settings.fifo)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %.*s for parameter ReceiveRequestAttemptId is invalid. Reason: The request "
		            "include parameter that is not valid for this queue type.",
		            STR_ARG(in->ReceiveRequestAttemptId));
	r->most = (size_t)most;
	r->visibility_ms = visibility * MS_SECOND;
	r->out->Messages.v = arena_array(rq->mem, sqs_Message, r->most);
	return OK;
}

static void counted(const receive *r, int64_t now)
{
	size_t n = r->out->Messages.n;
	if (n)
		queue_metric(r->queue, "NumberOfMessagesReceived", "Count", (double)n, now);
	else
		queue_metric(r->queue, "NumberOfEmptyReceives", "Count", 1, now);
}

static size_t bytes_of(const sqs_ReceiveMessage_out *out)
{
	size_t bytes = 0;
	for (size_t i = 0; i < out->Messages.n; i++)
		bytes += out->Messages.v[i].Body.n;
	return bytes;
}

err sqs_ReceiveMessage(req *rq, const sqs_ReceiveMessage_in *in, sqs_ReceiveMessage_out *out)
{
	receive r = { .in = in, .out = out };
	const txn *tx = req_read(rq);
	err e = queue_find(rq, tx, in->QueueUrl, &r.queue);
	req_read_end(rq, tx);
	TRY(e);
	r.settings = queue_settings_of(rq->mem, r.queue);
	TRY(queue_rate(rq, r.queue, &r.settings, "receive"));
	TRY(parameters(rq, &r));
	int64_t seconds = in->WaitTimeSeconds.set ? in->WaitTimeSeconds.v : r.settings.wait;
	int64_t until = clock_real() + seconds * MS_SECOND;
	for (;;) {
		uint64_t seen = queue_wakes(r.queue->Id);
		int64_t next = next_visible(rq, &r), left = until - clock_real();
		if (next == 0)
			TRY(req_write(rq, take, &r));
		if (out->Messages.n || r.asked_away || left <= 0)
			break;
		int64_t pause = next > 0 && next < left ? next : left;
		queue_wait(r.queue->Id, seen, pause < LOOK_AGAIN_MS ? pause : LOOK_AGAIN_MS);
	}
	queue_metered(rq, r.queue, bytes_of(out));
	counted(&r, rq->now);
	if (!out->Messages.n)
		out->Messages.v = NULL;
	if (r.full && !out->Messages.n && !seconds && !r.settings.fifo)
		return fail(rq, &sqs_OverLimit, "Too many messages are in flight, the limit is %d.",
		            SQS_INFLIGHT_MAX);
	return OK;
}
