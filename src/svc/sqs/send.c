#include "base/text.h"
#include "queue.h"

err sqs_SendMessage(req *rq, txn *tx, const sqs_SendMessage_in *in, sqs_SendMessage_out *out)
{
	sqs_queue *q;
	message_out sent;
	message_in m = { in->MessageBody, in->MessageGroupId, in->MessageDeduplicationId, in->DelaySeconds,
		         &in->MessageAttributes, &in->MessageSystemAttributes };
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(message_send(rq, tx, q, &m, &sent));
	queue_metered(rq, q, in->MessageBody.n);
	out->MessageId = sent.message_id;
	out->MD5OfMessageBody = sent.md5_body;
	out->MD5OfMessageAttributes = sent.md5_attributes;
	out->MD5OfMessageSystemAttributes = sent.md5_system;
	out->SequenceNumber = sent.sequence;
	return OK;
}

static bool id_valid(str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		      c == '_'))
			return false;
	}
	return id.n > 0 && id.n <= 80;
}

/* What every batch obeys: one to ten entries with distinct, valid ids. `ids` is a list of strs. */
static err batch_check(req *rq, const str *ids, size_t n)
{
	if (n == 0)
		return fail(rq, &sqs_EmptyBatchRequest,
		            "There should be at least one %sRequestEntry in the request.", rq->op->name);
	if (n > SQS_BATCH_MAX)
		return fail(rq, &sqs_TooManyEntriesInBatchRequest,
		            "Maximum number of entries per request are %d. You have sent %zu.", SQS_BATCH_MAX, n);
	for (size_t i = 0; i < n; i++) {
		if (!id_valid(ids[i]))
			return fail(rq, &sqs_InvalidBatchEntryId,
			            "A batch entry id can only contain alphanumeric characters, hyphens and "
			            "underscores. It can be at most 80 letters long.");
		for (size_t j = 0; j < i; j++)
			if (str_eq(ids[i], ids[j]))
				return fail(rq, &sqs_BatchEntryIdsNotDistinct, "Id %.*s repeated.", STR_ARG(ids[i]));
	}
	return OK;
}

static sqs_BatchResultErrorEntry failed(str id, err why)
{
	return (sqs_BatchResultErrorEntry){ .Id = id, .SenderFault = BOOL(!why->kind->server),
		                            .Code = str_c(why->kind->query_code), .Message = why->message };
}

err sqs_SendMessageBatch(req *rq, txn *tx, const sqs_SendMessageBatch_in *in, sqs_SendMessageBatch_out *out)
{
	sqs_queue *q;
	size_t n = in->Entries.n, bytes = 0;
	str *ids = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++) {
		ids[i] = in->Entries.v[i].Id;
		bytes += in->Entries.v[i].MessageBody.n;
	}
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	TRY(batch_check(rq, ids, n));
	if (bytes > SQS_BODY_MAX)
		return fail(rq, &sqs_BatchRequestTooLong,
		            "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.", SQS_BODY_MAX,
		            bytes);
	out->Successful.v = arena_array(rq->mem, sqs_SendMessageBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		const sqs_SendMessageBatchRequestEntry *e = &in->Entries.v[i];
		message_in m = { e->MessageBody, e->MessageGroupId, e->MessageDeduplicationId, e->DelaySeconds,
			         &e->MessageAttributes, &e->MessageSystemAttributes };
		message_out sent;
		err why = message_send(rq, tx, q, &m, &sent);
		if (why)
			out->Failed.v[out->Failed.n++] = failed(e->Id, why);
		else
			out->Successful.v[out->Successful.n++] = (sqs_SendMessageBatchResultEntry){
				e->Id, sent.message_id, sent.md5_body, sent.md5_attributes, sent.md5_system,
				sent.sequence };
	}
	queue_metered(rq, q, bytes);
	return OK;
}

/* "queue.seq.handle" in base64: names the message and one receive of it. */
static err handle_read(req *rq, const sqs_queue *q, str handle, int64_t *seq, int64_t *receive)
{
	str raw, rest;
	int64_t queue_id;
	bool good = base64_decode(rq->mem, handle, &raw);
	rest = good ? raw : S("");
	str first = str_cut(&rest, '.'), second = str_is(rest) ? str_cut(&rest, '.') : S("");
	if (!good || !str_to_i64(first, &queue_id) || queue_id != q->Id || !str_to_i64(second, seq) ||
	    !str_to_i64(rest, receive))
		return fail(rq, &sqs_ReceiptHandleIsInvalid,
		            "The input receipt handle \"%.*s\" is not a valid receipt handle.", STR_ARG(handle));
	return OK;
}

static err remove_one(req *rq, txn *tx, const sqs_queue *q, str handle)
{
	int64_t seq, receive;
	TRY(handle_read(rq, q, handle, &seq, &receive));
	sqs_message *m = sqs_message_get(tx, rq->mem, q->Id, seq);
	/* A FIFO message that has been received again since is not deleted with the old handle. */
	if (m && !(m->GroupId.n && m->Handle != receive))
		message_remove(tx, rq->mem, m);
	return OK;
}

err sqs_DeleteMessage(req *rq, txn *tx, const sqs_DeleteMessage_in *in, sqs_DeleteMessage_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_metered(rq, q, 0);
	return remove_one(rq, tx, q, in->ReceiptHandle);
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
	TRY(batch_check(rq, ids, n));
	out->Successful.v = arena_array(rq->mem, sqs_DeleteMessageBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		err why = remove_one(rq, tx, q, in->Entries.v[i].ReceiptHandle);
		if (why)
			out->Failed.v[out->Failed.n++] = failed(ids[i], why);
		else
			out->Successful.v[out->Successful.n++] = (sqs_DeleteMessageBatchResultEntry){ ids[i] };
	}
	queue_metered(rq, q, 0);
	return OK;
}

static err change_one(req *rq, txn *tx, const sqs_queue *q, str handle, opt_i64 seconds)
{
	int64_t seq, receive;
	TRY(handle_read(rq, q, handle, &seq, &receive));
	if (!seconds.set || seconds.v < 0 || seconds.v > SQS_VISIBILITY_MAX)
		return fail(
			rq, &aws_InvalidParameterValue,
			"Value %lld for parameter VisibilityTimeout is invalid. Reason: VisibilityTimeout must be "
			"an integer between 0 and 43200.",
			(long long)seconds.v);
	sqs_message *m = sqs_message_get(tx, rq->mem, q->Id, seq);
	if (!m || !m->Receives || m->VisibleAt <= rq->now)
		return fail(rq, &sqs_MessageNotInflight,
		            "Value %.*s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
		            "not available for visibility timeout change.", STR_ARG(handle));
	message_reschedule(tx, m, rq->now + seconds.v * 1000);
	if (m->GroupId.n) {
		sqs_group *g = sqs_group_get(tx, rq->mem, q->Id, m->GroupId);
		if (g && seconds.v == 0)
			sqs_group_delete(tx, q->Id, m->GroupId);
		else if (g) {
			g->BlockedUntil = m->VisibleAt;
			sqs_group_put(tx, g);
		}
	}
	queue_wake(tx, q->Id);
	return OK;
}

err sqs_ChangeMessageVisibility(req *rq, txn *tx, const sqs_ChangeMessageVisibility_in *in,
                                sqs_ChangeMessageVisibility_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
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
	TRY(batch_check(rq, ids, n));
	out->Successful.v = arena_array(rq->mem, sqs_ChangeMessageVisibilityBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		err why = change_one(rq, tx, q, in->Entries.v[i].ReceiptHandle, in->Entries.v[i].VisibilityTimeout);
		if (why)
			out->Failed.v[out->Failed.n++] = failed(ids[i], why);
		else
			out->Successful.v[out->Successful.n++] =
				(sqs_ChangeMessageVisibilityBatchResultEntry){ ids[i] };
	}
	queue_metered(rq, q, 0);
	return OK;
}
