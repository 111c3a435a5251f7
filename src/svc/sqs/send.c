#include "queue.h"

err sqs_SendMessage(req *rq, txn *tx, const sqs_SendMessage_in *in, sqs_SendMessage_out *out)
{
	sqs_queue *q;
	message_out sent;
	message_in m = { in->MessageBody, in->MessageGroupId, in->MessageDeduplicationId, in->DelaySeconds,
		         &in->MessageAttributes, &in->MessageSystemAttributes };
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_settings s = queue_settings_of(rq->mem, q);
	TRY(queue_rate(rq, q, &s, "send"));
	TRY(message_check(rq, &s, &m));
	TRY(queue_group_rate(rq, q, &s, m.group));
	message_send(rq, tx, q, &s, &m, &sent);
	queue_metered(rq, q, message_bytes(&m));
	out->MessageId = sent.message_id;
	out->MD5OfMessageBody = sent.md5_body;
	out->MD5OfMessageAttributes = sent.md5_attributes;
	out->MD5OfMessageSystemAttributes = sent.md5_system;
	out->SequenceNumber = sent.sequence;
	return OK;
}

err batch_check(req *rq, const str *ids, size_t n)
{
	if (n == 0)
		return fail(rq, &sqs_EmptyBatchRequest,
		            "There should be at least one %sRequestEntry in the request.", rq->op->name);
	if (n > SQS_BATCH_MAX)
		return fail(rq, &sqs_TooManyEntriesInBatchRequest,
		            "Maximum number of entries per request are %d. You have sent %zu.", SQS_BATCH_MAX, n);
	for (size_t i = 0; i < n; i++) {
		if (!plain_name(ids[i]))
			return fail(rq, &sqs_InvalidBatchEntryId,
			            "A batch entry id can only contain alphanumeric characters, hyphens and "
			            "underscores. It can be at most 80 letters long.");
		for (size_t j = 0; j < i; j++)
			if (str_eq(ids[i], ids[j]))
				return fail(rq, &sqs_BatchEntryIdsNotDistinct, "Id %.*s repeated.", STR_ARG(ids[i]));
	}
	return OK;
}

sqs_BatchResultErrorEntry batch_failure(str id, err why)
{
	return (sqs_BatchResultErrorEntry){ .Id = id, .SenderFault = BOOL(!why->kind->server),
		                            .Code = str_c(why->kind->query_code), .Message = why->message };
}

static message_in entry_of(const sqs_SendMessageBatchRequestEntry *e)
{
	return (message_in){ e->MessageBody, e->MessageGroupId, e->MessageDeduplicationId, e->DelaySeconds,
		             &e->MessageAttributes, &e->MessageSystemAttributes };
}

void failures_end(sqs_BatchResultErrorEntryList *f)
{
	if (!f->n)
		f->v = NULL;
}

static err send_batch_check(req *rq, const queue_settings *s, const sqs_SendMessageBatch_in *in,
                            size_t *bytes)
{
	size_t n = in->Entries.n;
	str *ids = arena_array(rq->mem, str, n + 1);
	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		message_in m = entry_of(&in->Entries.v[i]);
		ids[i] = in->Entries.v[i].Id;
		*bytes += message_bytes(&m);
	}
	TRY(batch_check(rq, ids, n));
	if (*bytes > SQS_BODY_MAX)
		return fail(rq, &sqs_BatchRequestTooLong,
		            "Batch requests cannot be longer than %d bytes. You have sent %zu bytes.", SQS_BODY_MAX,
		            *bytes);
	for (size_t i = 0; i < n; i++) {
		message_in m = entry_of(&in->Entries.v[i]);
		TRY(message_kind_check(rq, s, &m));
	}
	return OK;
}

/* A batch is one call for each of its groups: of which entries the groups have had enough calls. */
static err *groups_rate(req *rq, const sqs_queue *q, const queue_settings *s,
                        const sqs_SendMessageBatch_in *in)
{
	err *why = arena_array(rq->mem, err, in->Entries.n);
	for (size_t i = 0; i < in->Entries.n; i++) {
		size_t k = 0;
		str group = in->Entries.v[i].MessageGroupId;
		while (k < i && !str_eq(in->Entries.v[k].MessageGroupId, group))
			k++;
		why[i] = k < i ? why[k] : queue_group_rate(rq, q, s, group);
	}
	return why;
}

err sqs_SendMessageBatch(req *rq, txn *tx, const sqs_SendMessageBatch_in *in, sqs_SendMessageBatch_out *out)
{
	sqs_queue *q;
	size_t n = in->Entries.n, bytes;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	queue_settings s = queue_settings_of(rq->mem, q);
	TRY(queue_rate(rq, q, &s, "send"));
	TRY(send_batch_check(rq, &s, in, &bytes));
	const err *refused = groups_rate(rq, q, &s, in);
	out->Successful.v = arena_array(rq->mem, sqs_SendMessageBatchResultEntry, n);
	out->Failed.v = arena_array(rq->mem, sqs_BatchResultErrorEntry, n);
	for (size_t i = 0; i < n; i++) {
		const sqs_SendMessageBatchRequestEntry *e = &in->Entries.v[i];
		message_in m = entry_of(e);
		message_out sent;
		err why = message_check(rq, &s, &m);
		if (!why)
			why = refused[i];
		if (why) {
			out->Failed.v[out->Failed.n++] = batch_failure(e->Id, why);
			continue;
		}
		message_send(rq, tx, q, &s, &m, &sent);
		out->Successful.v[out->Successful.n++] = (sqs_SendMessageBatchResultEntry){
			e->Id, sent.message_id, sent.md5_body, sent.md5_attributes, sent.md5_system, sent.sequence };
	}
	failures_end(&out->Failed);
	queue_metered(rq, q, bytes);
	return OK;
}
