#include "topic.h"

static err tagged(req *rq, const txn *tx, str arn, sns_topic **t)
{
	err e = topic_find(rq, tx, arn, t);
	return e && e->kind == &sns_NotFoundException
	               ? fail(rq, &sns_ResourceNotFoundException, "Resource does not exist") : e;
}

static bool among(const sns_TagList *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].Key, key))
			return true;
	return false;
}

err sns_TagResource(req *rq, txn *tx, const sns_TagResource_in *in, sns_TagResource_out *out)
{
	sns_topic *t;
	TRY(tagged(rq, tx, in->ResourceArn, &t));
	sns_TagList all = { arena_array(rq->mem, sns_Tag, t->Tags.n + in->Tags.n + 1), 0 };
	for (size_t i = 0; i < t->Tags.n; i++)
		if (!among(&in->Tags, t->Tags.v[i].Key))
			all.v[all.n++] = t->Tags.v[i];
	for (size_t i = 0; i < in->Tags.n; i++)
		all.v[all.n++] = in->Tags.v[i];
	if (all.n > SNS_TAGS_MAX)
		return fail(rq, &sns_TagLimitExceededException,
		            "Could not complete request: tag quota of per resource exceeded");
	t->Tags = all;
	sns_topic_put(tx, t);
	topic_metered(rq, in->ResourceArn);
	return OK;
}

err sns_UntagResource(req *rq, txn *tx, const sns_UntagResource_in *in, sns_UntagResource_out *out)
{
	sns_topic *t;
	size_t n = 0;
	TRY(tagged(rq, tx, in->ResourceArn, &t));
	for (size_t i = 0; i < t->Tags.n; i++) {
		bool gone = false;
		for (size_t k = 0; k < in->TagKeys.n; k++)
			gone = gone || str_eq(in->TagKeys.v[k], t->Tags.v[i].Key);
		if (!gone)
			t->Tags.v[n++] = t->Tags.v[i];
	}
	t->Tags.n = n;
	sns_topic_put(tx, t);
	topic_metered(rq, in->ResourceArn);
	return OK;
}

err sns_ListTagsForResource(req *rq, const txn *tx, const sns_ListTagsForResource_in *in,
                            sns_ListTagsForResource_out *out)
{
	sns_topic *t;
	TRY(tagged(rq, tx, in->ResourceArn, &t));
	topic_metered(rq, in->ResourceArn);
	out->Tags = t->Tags.v ? t->Tags : (sns_TagList){ arena_new(rq->mem, sns_Tag), 0 };
	return OK;
}
