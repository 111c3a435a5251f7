#include "cloud/tags.h"
#include "queue.h"

#define TAGS_MAX 50
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

static err lengths_check(req *rq, const sqs_TagMap *tags)
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

err sqs_TagQueue(req *rq, txn *tx, const sqs_TagQueue_in *in, sqs_TagQueue_out *out)
{
	sqs_queue *q;
	TRY(queue_find(rq, tx, in->QueueUrl, &q));
	if (!in->Tags.n)
		return missing(rq, "Tags");
	TRY(lengths_check(rq, &in->Tags));
	tag_rules rules = { .most = TAGS_MAX, .too_many = { &aws_InvalidParameterValue,
		arena_fmt(rq->mem, "Too many tags added for queue %.*s.", STR_ARG(q->Name)).p } };
	TRY(tags_add(rq, &rules, TAGS(&q->Tags, key), TAGS(&in->Tags, key)));
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
	tags_drop(TAGS(&q->Tags, key), in->TagKeys.v, in->TagKeys.n);
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
