/*
 * Message move tasks: the messages of a dead-letter queue go back to where they came from, or to another
 * queue, up to so many a second. A timer moves a second's worth at a time, so a task goes on after a crash
 * and on a clock that is turned.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/target.h"
#include "queue.h"
#include "store/due.h"
#include "sys/rand.h"

#define RUNNING S("RUNNING")

static str handle_of(arena *mem, const sqs_move *m)
{
	str arn = arena_fmt(mem, "arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(m->Region), STR_ARG(m->Account),
	                    STR_ARG(m->Source));
	return base64_encode(mem, arena_fmt(mem, "{\"taskId\":\"%.*s\",\"sourceArn\":\"%.*s\"}", STR_ARG(m->Id),
	                                    STR_ARG(arn)));
}

/* The tasks of a queue, newest first. */
static size_t moves_of(const txn *tx, arena *mem, const sqs_queue *q, sqs_move *v[SQS_MOVES_KEPT])
{
	size_t n = 0;
	record_scan s = sqs_move_scan(tx, mem, 3, q->Account, q->Region, q->Name, 0);
	record_scan_reverse(&s);
	for (sqs_move *m; n < SQS_MOVES_KEPT && (m = sqs_move_next(&s));)
		v[n++] = m;
	cursor_close(&s.at);
	return n;
}

static err source_find(req *rq, const txn *tx, str arn, sqs_queue **q)
{
	if (!str_is(arn))
		return missing(rq, "SourceArn");
	*q = queue_by_arn(tx, rq->mem, arn);
	return *q ? OK :
	       fail(rq, &sqs_ResourceNotFoundException,
	            "The resource that you specified for the SourceArn parameter doesn't exist.");
}

static bool is_dead_letter_queue(const txn *tx, arena *mem, const sqs_queue *q, str arn)
{
	bool found = false;
	record_scan s = sqs_queue_scan(tx, mem, 2, q->Account, q->Region, STR_NONE);
	for (const sqs_queue *other; !found && (other = sqs_queue_next(&s));)
		found = str_eq(queue_settings_of(mem, other).redrive_target, arn);
	cursor_close(&s.at);
	return found;
}

static void next_second(txn *tx, const sqs_move *m, int64_t when)
{
	arena *mem = txn_arena(tx);
	str key = arena_fmt(mem, "%.*s %.*s %.*s %lld", STR_ARG(m->Account), STR_ARG(m->Region),
	                    STR_ARG(m->Source), (long long)m->Number);
	timer_set(tx, "sqs_move", key, when, key);
}

static err rate_check(req *rq, opt_i64 rate)
{
	if (!rate.set || (rate.v >= 1 && rate.v <= SQS_MOVE_RATE_MAX))
		return OK;
	return fail(rq, &aws_InvalidParameterValue,
	            "Value %lld for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a "
	            "number that's between 1 and %d.", (long long)rate.v, SQS_MOVE_RATE_MAX);
}

err sqs_StartMessageMoveTask(req *rq, txn *tx, const sqs_StartMessageMoveTask_in *in,
                             sqs_StartMessageMoveTask_out *out)
{
	sqs_queue *q, *to;
	sqs_move *old[SQS_MOVES_KEPT];
	TRY(source_find(rq, tx, in->SourceArn, &q));
	TRY(rate_check(rq, in->MaxNumberOfMessagesPerSecond));
	queue_metered(rq, q, 0);
	if (!is_dead_letter_queue(tx, rq->mem, q, in->SourceArn))
		return fail(rq, &aws_InvalidParameterValue,
		            "Source queue must be configured as a Dead Letter Queue.");
	to = str_is(in->DestinationArn) ? queue_by_arn(tx, rq->mem, in->DestinationArn) : NULL;
	if (str_is(in->DestinationArn) && !to)
		return fail(rq, &sqs_ResourceNotFoundException,
		            "The resource that you specified for the DestinationArn parameter doesn't exist.");
	if (to && queue_is_fifo(to) != queue_is_fifo(q))
		return fail(rq, &aws_InvalidParameterValue,
		            "Source queue and destination queue must be of the same type.");
	size_t n = moves_of(tx, rq->mem, q, old);
	for (size_t i = 0; i < n; i++)
		if (str_eq(old[i]->Status, RUNNING))
			return fail(rq, &aws_InvalidParameterValue,
			            "There is already a task running. Only one active task is allowed for a source queue "
			            "arn at a given time.");
	if (n == SQS_MOVES_KEPT)
		sqs_move_delete(tx, q->Account, q->Region, q->Name, old[n - 1]->Number);
	opt_i64 rate = in->MaxNumberOfMessagesPerSecond;
	sqs_move m = { .Account = q->Account, .Region = q->Region, .Source = q->Name,
		       .Number = (int64_t)txn_next(tx, S("sqs.move")), .Id = rand_uuid(rq->mem),
		       .Target = in->DestinationArn, .Rate = rate.set ? rate.v : SQS_MOVE_RATE_MAX,
		       .RateGiven = rate.set, .Status = RUNNING, .Started = rq->now,
		       .ToMove = queue_counted(tx, rq->mem, q->Id, rq->now).visible };
	sqs_move_put(tx, &m);
	next_second(tx, &m, rq->now);
	out->TaskHandle = handle_of(rq->mem, &m);
	return OK;
}

/* The queue to which a message goes; NULL and the reason in *why. */
static const sqs_queue *target_of(const txn *tx, arena *mem, const sqs_move *m, const sqs_message *what,
                                  str *why)
{
	str arn = str_is(m->Target) ? m->Target : what->SourceArn;
	const sqs_queue *to = arn.n ? queue_by_arn(tx, mem, arn) : NULL;
	if (!to)
		*why = arn.n ? S("AWS.SimpleQueueService.NonExistentQueue") : S("CouldNotDetermineMessageSource");
	return to;
}

/* Up to a second's worth; the reason why it cannot go on, or STR_NONE. */
static str move_some(txn *tx, const sqs_queue *from, sqs_move *m, int64_t now, bool *more)
{
	arena *mem = txn_arena(tx);
	sqs_message **v = arena_array(mem, sqs_message *, (size_t)m->Rate);
	str why = STR_NONE;
	size_t n = 0;
	record_scan s = sqs_ready_scan(tx, mem, 1, from->Id, 0, 0);
	const sqs_ready *at;
	while (n < (size_t)m->Rate && (at = sqs_ready_next(&s)) && at->VisibleAt <= now)
		if ((v[n] = sqs_message_get(tx, mem, from->Id, at->Seq)))
			n++;
	cursor_close(&s.at);
	for (size_t i = 0; i < n && !str_is(why); i++) {
		const sqs_queue *to = target_of(tx, mem, m, v[i], &why);
		if (!to)
			break;
		message_move(tx, v[i], to, STR_NONE, now);
		queue_in_use(tx, to, now);
		m->Moved++;
	}
	*more = n == (size_t)m->Rate;
	return why;
}

TIMER(sqs_move)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	str name = str_cut(&rest, ' ');
	int64_t number;
	bool more;
	ensure(str_is(rest) && str_to_i64(rest, &number));
	sqs_move *m = sqs_move_get(tx, mem, account, region, name, number);
	const sqs_queue *from = sqs_queue_get(tx, mem, account, region, name);
	if (!m || !str_eq(m->Status, RUNNING))
		return;
	if (!from) {
		sqs_move_delete(tx, account, region, name, number);
		return;
	}
	str why = move_some(tx, from, m, due, &more);
	if (str_is(why)) {
		m->Status = S("FAILED");
		m->Reason = why;
	} else if (more) {
		next_second(tx, m, due + MS_SECOND);
	} else {
		m->Status = S("COMPLETED");
	}
	sqs_move_put(tx, m);
}

err sqs_ListMessageMoveTasks(req *rq, const txn *tx, const sqs_ListMessageMoveTasks_in *in,
                             sqs_ListMessageMoveTasks_out *out)
{
	sqs_queue *q;
	sqs_move *v[SQS_MOVES_KEPT];
	TRY(source_find(rq, tx, in->SourceArn, &q));
	int64_t most = in->MaxResults.set ? in->MaxResults.v : 1;
	if (most < 1 || most > SQS_MOVES_KEPT)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter MaxResults is invalid. Reason: You must enter a number that's "
		            "between 1 and %d.", (long long)most, SQS_MOVES_KEPT);
	size_t n = moves_of(tx, rq->mem, q, v);
	n = n < (size_t)most ? n : (size_t)most;
	out->Results.v = arena_array(rq->mem, sqs_ListMessageMoveTasksResultEntry, n + 1);
	for (size_t i = 0; i < n; i++) {
		const sqs_move *m = v[i];
		sqs_ListMessageMoveTasksResultEntry *r = &out->Results.v[out->Results.n++];
		r->Status = m->Status;
		r->SourceArn = in->SourceArn;
		r->DestinationArn = m->Target;
		r->TaskHandle = str_eq(m->Status, RUNNING) ? handle_of(rq->mem, m) : STR_NONE;
		r->ApproximateNumberOfMessagesMoved = I64(m->Moved);
		r->ApproximateNumberOfMessagesToMove = I64(m->ToMove);
		r->FailureReason = m->Reason.n ? m->Reason : STR_NONE;
		r->StartedTimestamp = I64(m->Started);
		if (m->RateGiven)
			r->MaxNumberOfMessagesPerSecond = I64(m->Rate);
	}
	queue_metered(rq, q, 0);
	return OK;
}

err sqs_CancelMessageMoveTask(req *rq, txn *tx, const sqs_CancelMessageMoveTask_in *in,
                              sqs_CancelMessageMoveTask_out *out)
{
	str raw;
	sqs_queue *q;
	sqs_move *v[SQS_MOVES_KEPT];
	if (!str_is(in->TaskHandle))
		return missing(rq, "TaskHandle");
	const json_value *h = base64_decode(rq->mem, in->TaskHandle, &raw) ? json_parse(rq->mem, raw) : NULL;
	const json_value *id = json_get(h, S("taskId")), *arn = json_get(h, S("sourceArn"));
	if (!id || !arn)
		return fail(rq, &aws_InvalidParameterValue, "Value for parameter TaskHandle is invalid.");
	TRY(source_find(rq, tx, arn->text, &q));
	queue_metered(rq, q, 0);
	size_t n = moves_of(tx, rq->mem, q, v);
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(v[i]->Id, id->text))
			continue;
		if (!str_eq(v[i]->Status, RUNNING))
			return fail(rq, &sqs_UnsupportedOperation, "Only active tasks can be cancelled.");
		v[i]->Status = S("CANCELLED");
		sqs_move_put(tx, v[i]);
		out->ApproximateNumberOfMessagesMoved = I64(v[i]->Moved);
		return OK;
	}
	return fail(rq, &sqs_ResourceNotFoundException, "Task does not exist.");
}
