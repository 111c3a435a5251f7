/* What a receiver does with a message: delete it, or change how long nobody else sees it. */
#include "base/text.h"
#include "base/time.h"
#include "queue.h"

/* "queue.seq.handle" in base64: names the message and one receive of it. */
static err handle_read(req *rq, const sqs_queue *q, str handle, int64_t *seq, int64_t *receive)
{
	str raw, rest;
	int64_t queue_id;
	if (!str_is(handle))
		return missing(rq, "ReceiptHandle");
	bool good = base64_decode(rq->mem, handle, &raw);
	rest = good ? raw : S("");
	str first = str_cut(&rest, '.'), second = str_is(rest) ? str_cut(&rest, '.') : S("");
	/* A purge gives the queue a new number; what was received before is gone, and deleting it is no error. */
	if (!good || !str_to_i64(first, &queue_id) || queue_id > q->Id || !str_to_i64(second, seq) ||
	    !str_to_i64(rest, receive) || (queue_id != q->Id && !q->Purged))
		return fail(rq, &sqs_ReceiptHandleIsInvalid,
		            "The input receipt handle \"%.*s\" is not a valid receipt handle.", STR_ARG(handle));
	if (queue_id != q->Id)
		*seq = 0;
	return OK;
}

static err bad_handle(req *rq, str handle, const char *reason)
{
	return fail(rq, &aws_InvalidParameterValue,
	            "Value %.*s for parameter ReceiptHandle is invalid. Reason: %s", STR_ARG(handle), reason);
}

static err delete_one(req *rq, txn *tx, const sqs_queue *q, str handle)
{
	int64_t seq, receive;
	TRY(handle_read(rq, q, handle, &seq, &receive));
	const sqs_message *m = sqs_message_get(tx, rq->mem, q->Id, seq);
	if (!m)
		return OK;
	/* A FIFO message that may be received again is not deleted with an old handle. */
	if (m->Ordered && (m->Handle != receive || m->VisibleAt <= rq->now))
		return bad_handle(rq, handle, "The receipt handle has expired.");
	message_remove(tx, m);
	queue_metric(q, "NumberOfMessagesDeleted", "Count", 1, rq->now);
	return OK;
}

static err acknowledge_rate(req *rq, const sqs_queue *q, const char *kind)
{
	queue_settings s = { 0 };
	if (queue_is_fifo(q))
		s = queue_settings_of(rq->mem, q);
	return queue_rate(rq, q, &s, kind);
}

err sqs_DeleteMessage(req *rq, txn *tx, const sqs_DeleteMessage_in *in, sqs_DeleteMessage_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(acknowledge_rate(rq, q, "delete"));
	queue_metered(rq, q, 0);
	return delete_one(rq, tx, q, in->ReceiptHandle);
}

err sqs_DeleteMessageBatch(req *rq, txn *tx, const sqs_DeleteMessageBatch_in *in,
                           sqs_DeleteMessageBatch_out *out)
{
	sqs_queue *q;
	size_t n = in->Entries.n;
	str *ids = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		ids[i] = in->Entries.v[i].Id;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(acknowledge_rate(rq, q, "delete"));
	TRY(batch_check(rq, ids, n));
	out->Successful.v = arena_array(rq->mem, sqs_DeleteMessageBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		err why = delete_one(rq, tx, q, in->Entries.v[i].ReceiptHandle);
		if (why)
			out->Failed.v[out->Failed.n++] = batch_failure(ids[i], why);
		else
			out->Successful.v[out->Successful.n++] = (sqs_DeleteMessageBatchResultEntry){ ids[i] };
	}
	failures_end(&out->Failed);
	queue_metered(rq, q, 0);
	return OK;
}

static err change_one(req *rq, txn *tx, const sqs_queue *q, str handle, opt_i64 seconds)
{
	int64_t seq, receive;
	TRY(handle_read(rq, q, handle, &seq, &receive));
	if (!seconds.set)
		return missing(rq, "VisibilityTimeout");
	if (seconds.v < 0 || seconds.v > SQS_VISIBILITY_MAX)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must "
		            "be an integer between 0 and 43200.", (long long)seconds.v);
	sqs_message *m = sqs_message_get(tx, rq->mem, q->Id, seq);
	if (!m)
		return bad_handle(
			rq, handle, "Message does not exist or is not available for visibility timeout change.");
	if (m->Ordered && m->Handle != receive)
		return bad_handle(rq, handle, "The receipt handle has expired.");
	if (!m->Flying || m->VisibleAt <= rq->now)
		return fail(rq, &sqs_MessageNotInflight,
		            "Value %.*s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
		            "not available for visibility timeout change.", STR_ARG(handle));
	int64_t until = rq->now + seconds.v * MS_SECOND;
	if (until - m->Received > SQS_VISIBILITY_MAX * MS_SECOND)
		return fail(rq, &aws_InvalidParameterValue,
		            "Value %lld for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout "
		            "for the message is beyond the limit [43200 seconds]", (long long)seconds.v);
	message_reschedule(tx, m, until, seconds.v > 0);
	queue_wake(tx, q->Id);
	return OK;
}

err sqs_ChangeMessageVisibility(req *rq, txn *tx, const sqs_ChangeMessageVisibility_in *in,
                                sqs_ChangeMessageVisibility_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(acknowledge_rate(rq, q, "change"));
	queue_metered(rq, q, 0);
	return change_one(rq, tx, q, in->ReceiptHandle, in->VisibilityTimeout);
}

err sqs_ChangeMessageVisibilityBatch(req *rq, txn *tx, const sqs_ChangeMessageVisibilityBatch_in *in,
                                     sqs_ChangeMessageVisibilityBatch_out *out)
{
	sqs_queue *q;
	size_t n = in->Entries.n;
	str *ids = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		ids[i] = in->Entries.v[i].Id;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(acknowledge_rate(rq, q, "change"));
	TRY(batch_check(rq, ids, n));
	out->Successful.v = arena_array(rq->mem, sqs_ChangeMessageVisibilityBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		err why = change_one(rq, tx, q, in->Entries.v[i].ReceiptHandle, in->Entries.v[i].VisibilityTimeout);
		if (why)
			out->Failed.v[out->Failed.n++] = batch_failure(ids[i], why);
		else
			out->Successful.v[out->Successful.n++] =
				(sqs_ChangeMessageVisibilityBatchResultEntry){ ids[i] };
	}
	failures_end(&out->Failed);
	queue_metered(rq, q, 0);
	return OK;
}
