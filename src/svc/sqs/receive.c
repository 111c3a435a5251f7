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
		put_system(r, &to, "SequenceNumber", arena_fmt(rq->mem, "%020lld", (long long)m->Seq));
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

static void hand_out(req *rq, txn *tx, receive *r, sqs_message *m)
{
	m->Receives++;
	m->Handle = (int64_t)(rand_u64() >> 2);
	if (!m->FirstReceived)
		m->FirstReceived = rq->now;
	message_reschedule(tx, m, rq->now + r->visibility_ms);
	if (m->GroupId.n && r->settings.fifo) {
		sqs_group *g = sqs_group_get(tx, rq->mem, m->QueueId, m->GroupId);
		int64_t flying = g && g->BlockedUntil > rq->now ? g->InFlight : 0;
		sqs_group_put(tx, &(sqs_group){ .QueueId = m->QueueId, .GroupId = m->GroupId,
		                                .BlockedUntil = m->VisibleAt, .InFlight = flying + 1 });
	}
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

/* A message that has been received too often goes to the dead-letter queue instead. */
static bool redriven(req *rq, txn *tx, const receive *r, sqs_message *m)
{
	if (!str_is(r->settings.redrive_target) || m->Receives < r->settings.redrive_after)
		return false;
	const sqs_queue *to = queue_by_arn(tx, rq->mem, r->settings.redrive_target);
	if (!to)
		return false;
	message_remove(tx, rq->mem, m);
	sqs_message moved = *m;
	moved.QueueId = to->Id;
	moved.Seq = (int64_t)txn_next(tx, S("sqs.message"));
	moved.VisibleAt = rq->now;
	moved.Receives = 0;
	moved.FirstReceived = 0;
	moved.SourceArn = queue_arn(rq, r->queue);
	sqs_message_put(tx, &moved);
	sqs_ready_put(tx, &(sqs_ready){ .QueueId = to->Id, .VisibleAt = rq->now, .Seq = moved.Seq });
	tally_add(tx, to->Id, 1);
	queue_wake(tx, to->Id);
	return true;
}

/* Whether a FIFO message may go now: its group is free, or it follows one that this very call hands out. */
static bool group_free(req *rq, txn *tx, const receive *r, const sqs_message *m, const str *mine,
                       size_t n_mine)
{
	if (!r->settings.fifo)
		return true;
	for (size_t i = 0; i < n_mine; i++)
		if (str_eq(mine[i], m->GroupId))
			return true;
	const sqs_group *g = sqs_group_get(tx, rq->mem, m->QueueId, m->GroupId);
	return !g || g->BlockedUntil <= rq->now;
}

/* The next candidates in order: of a FIFO queue by arrival, else by the moment they became visible. */
typedef struct candidates {
	bool fifo;
	record_scan scan;
} candidates;

static sqs_message *candidate_next(req *rq, const txn *tx, const receive *r, candidates *c)
{
	if (c->fifo) {
		sqs_message *m;
		while ((m = sqs_message_next(&c->scan)) && m->VisibleAt > rq->now)
			;
		return m;
	}
	const sqs_ready *at = sqs_ready_next(&c->scan);
	return at && at->VisibleAt <= rq->now ? sqs_message_get(tx, rq->mem, r->queue->Id, at->Seq) : NULL;
}

static err take(req *rq, txn *tx, void *context)
{
	receive *r = context;
	rq->now = clock_now();
	r->out->Messages.n = 0;
	sqs_queue *still = sqs_queue_get(tx, rq->mem, r->queue->Account, r->queue->Region, r->queue->Name);
	r->asked_away = !still || still->Id != r->queue->Id;
	if (r->asked_away)
		return OK;
	candidates c = { .fifo = r->settings.fifo };
	c.scan = c.fifo ? sqs_message_scan(tx, rq->mem, 1, r->queue->Id, 0) :
			  sqs_ready_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
	str *mine = arena_array(rq->mem, str, r->most + 1);
	size_t n_mine = 0;
	/* Rows move while they are handed out, so what is to go is gathered first. */
	sqs_message **chosen = arena_array(rq->mem, sqs_message *, r->most + 1);
	size_t n = 0;
	int64_t expired = rq->now - r->settings.retention * MS_SECOND;
	for (sqs_message *m; n < r->most && (m = candidate_next(rq, tx, r, &c));) {
		if (m->Sent <= expired || !group_free(rq, tx, r, m, mine, n_mine))
			continue;
		if (r->settings.fifo)
			mine[n_mine++] = m->GroupId;
		chosen[n++] = m;
	}
	cursor_close(&c.scan.at);
	for (size_t i = 0; i < n; i++)
		if (!redriven(rq, tx, r, chosen[i]))
			hand_out(rq, tx, r, chosen[i]);
	return OK;
}

/* When something may be received: 0 now, else in so many milliseconds; -1 nothing is waiting. */
static int64_t next_visible(req *rq, const receive *r)
{
	const txn *tx = req_read(rq);
	record_scan s = sqs_ready_scan(tx, rq->mem, 1, r->queue->Id, 0, 0);
	const sqs_ready *first = sqs_ready_next(&s);
	int64_t now = clock_now(), left = !first ? -1 : first->VisibleAt <= now ? 0 : first->VisibleAt - now;
	cursor_close(&s.at);
	req_read_end(rq, tx);
	return left;
}

static err parameters(req *rq, receive *r)
{
	const sqs_ReceiveMessage_in *in = r->in;
	int64_t most = in->MaxNumberOfMessages.set ? in->MaxNumberOfMessages.v : 1;
	int64_t visibility = in->VisibilityTimeout.set ? in->VisibilityTimeout.v : r->settings.visibility;
	if (most < 1 || most > SQS_BATCH_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "
		            "10, if provided.", (long long)most);
	if (visibility < 0 || visibility > SQS_VISIBILITY_MAX)
		return fail(
			rq, &aws_InvalidParameterValue,
			"Value %lld for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be "
			"an integer between 0 and 43200.",
			(long long)visibility);
	if (in->WaitTimeSeconds.set && (in->WaitTimeSeconds.v < 0 || in->WaitTimeSeconds.v > 20))
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
		            "provided.", (long long)in->WaitTimeSeconds.v);
	r->most = (size_t)most;
	r->visibility_ms = visibility * MS_SECOND;
	r->out->Messages.v = arena_array(rq->mem, sqs_Message, r->most);
	return OK;
}

err sqs_ReceiveMessage(req *rq, const sqs_ReceiveMessage_in *in, sqs_ReceiveMessage_out *out)
{
	receive r = { .in = in, .out = out };
	const txn *tx = req_read(rq);
	err e = queue_find(rq, tx, in->QueueUrl, &r.queue);
	req_read_end(rq, tx);
	TRY(e);
	r.settings = queue_settings_of(rq->mem, r.queue);
	TRY(parameters(rq, &r));
	queue_metered(rq, r.queue, 0);
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
	if (!out->Messages.n)
		out->Messages.v = NULL;
	return OK;
}
