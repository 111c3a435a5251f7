#include "queue.h"

#define TAGS_MAX 50
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

static err tags_check(req *rq, const sqs_TagMap *tags)
{
	for (size_t i = 0; i < tags->n; i++) {
		if (tags->v[i].key.n < 1 || tags->v[i].key.n > TAG_KEY_MAX)
			return fail(rq, &aws_InvalidParameterValue,
			            "Tag keys must be between 1 and 128 characters in length.");
		if (tags->v[i].value.n > TAG_VALUE_MAX)
			return fail(rq, &aws_InvalidParameterValue,
			            "Tag values must be between 0 and 256 characters in length.");
	}
	return OK;
}

static bool tagged(const sqs_TagMap *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].key, key))
			return true;
	return false;
}

err sqs_TagQueue(req *rq, txn *tx, const sqs_TagQueue_in *in, sqs_TagQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (!in->Tags.n)
		return missing(rq, "Tags");
	TRY(tags_check(rq, &in->Tags));
	sqs_TagMap all = { arena_array(rq->mem, sqs_TagMap_entry, q->Tags.n + in->Tags.n + 1), 0 };
	for (size_t i = 0; i < q->Tags.n; i++)
		if (!tagged(&in->Tags, q->Tags.v[i].key))
			all.v[all.n++] = q->Tags.v[i];
	for (size_t i = 0; i < in->Tags.n; i++)
		all.v[all.n++] = in->Tags.v[i];
	if (all.n > TAGS_MAX)
		return fail(rq, &aws_InvalidParameterValue, "Too many tags added for queue %.*s.", STR_ARG(q->Name));
	q->Tags = all;
	sqs_queue_put(tx, q);
	queue_metered(rq, q, 0);
	return OK;
}

err sqs_UntagQueue(req *rq, txn *tx, const sqs_UntagQueue_in *in, sqs_UntagQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (!in->TagKeys.n)
		return fail(rq, &aws_InvalidParameterValue,
		            "Tag keys must be between 1 and 128 characters in length.");
	size_t n = 0;
	for (size_t i = 0; i < q->Tags.n; i++) {
		bool gone = false;
		for (size_t j = 0; j < in->TagKeys.n; j++)
			gone = gone || str_eq(in->TagKeys.v[j], q->Tags.v[i].key);
		if (!gone)
			q->Tags.v[n++] = q->Tags.v[i];
	}
	q->Tags.n = n;
	sqs_queue_put(tx, q);
	queue_metered(rq, q, 0);
	return OK;
}

err sqs_ListQueueTags(req *rq, const txn *tx, const sqs_ListQueueTags_in *in, sqs_ListQueueTags_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (q->Tags.n)
		out->Tags = q->Tags;
	queue_metered(rq, q, 0);
	return OK;
}
