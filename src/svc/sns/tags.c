#include "cloud/tags.h"
#include "topic.h"

static err tagged(req *rq, const txn *tx, str arn, sns_topic **t)
{
	err e = topic_find(rq, tx, arn, t);
	return e && e->kind == &sns_NotFoundException
	               ? fail(rq, &sns_ResourceNotFoundException, "Resource does not exist") : e;
}

static const tag_rules rules = {
	.most = SNS_TAGS_MAX,
	.too_many = { &sns_TagLimitExceededException,
	              "Could not complete request: tag quota of per resource exceeded" },
	.twice = { &sns_InvalidParameterException, "Invalid parameter: Duplicated keys are not allowed." },
};

err sns_tags_check(req *rq, const sns_TagList *tags)
{
	return tags_check(rq, &rules, TAGS(tags, Key));
}

err sns_TagResource(req *rq, txn *tx, const sns_TagResource_in *in, sns_TagResource_out *out)
{
	sns_topic *t;
	TRY(tagged(rq, tx, in->ResourceArn, &t));
	TRY(tags_add(rq, &rules, TAGS(&t->Tags, Key), TAGS(&in->Tags, Key)));
	sns_topic_put(tx, t);
	topic_metered(rq, in->ResourceArn);
	return OK;
}

err sns_UntagResource(req *rq, txn *tx, const sns_UntagResource_in *in, sns_UntagResource_out *out)
{
	sns_topic *t;
	TRY(tagged(rq, tx, in->ResourceArn, &t));
	tags_drop(TAGS(&t->Tags, Key), in->TagKeys.v, in->TagKeys.n);
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
	tags_shown(rq, TAGS(&t->Tags, Key));
	out->Tags = t->Tags;
	return OK;
}
