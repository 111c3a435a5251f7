#include "cloud/tags.h"
#include "logs.h"

static const tag_rules rules = {
	.most = 50,
	.too_many = { &logs_TooManyTagsException, "A resource can have no more than 50 tags." },
	.reserved = { &logs_InvalidParameterException,
	              "aws: prefixed tag key names are not allowed for external use." },
};

err group_tags_check(req *rq, const logs_Tags *given)
{
	return tags_check(rq, &rules, TAGS(given, key));
}

static err add(req *rq, txn *tx, logs_group *g, const logs_Tags *more)
{
	TRY(tags_add(rq, &rules, TAGS(&g->Tags, key), TAGS(more, key)));
	logs_group_put(tx, g);
	return OK;
}

static logs_Tags tags_of(req *rq, logs_group *g)
{
	tags_shown(rq, TAGS(&g->Tags, key));
	return g->Tags;
}

err logs_TagLogGroup(req *rq, txn *tx, const logs_TagLogGroup_in *in,
                     logs_TagLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	return add(rq, tx, g, &in->tags);
}

err logs_UntagLogGroup(req *rq, txn *tx, const logs_UntagLogGroup_in *in,
                       logs_UntagLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	tags_drop(TAGS(&g->Tags, key), in->tags.v, in->tags.n);
	logs_group_put(tx, g);
	return OK;
}

err logs_ListTagsLogGroup(req *rq, const txn *tx, const logs_ListTagsLogGroup_in *in,
                          logs_ListTagsLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	out->tags = tags_of(rq, g);
	return OK;
}

err logs_TagResource(req *rq, txn *tx, const logs_TagResource_in *in,
                     logs_TagResource_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->resourceArn, &g));
	return add(rq, tx, g, &in->tags);
}

err logs_UntagResource(req *rq, txn *tx, const logs_UntagResource_in *in,
                       logs_UntagResource_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->resourceArn, &g));
	tags_drop(TAGS(&g->Tags, key), in->tagKeys.v, in->tagKeys.n);
	logs_group_put(tx, g);
	return OK;
}

err logs_ListTagsForResource(req *rq, const txn *tx, const logs_ListTagsForResource_in *in,
                             logs_ListTagsForResource_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->resourceArn, &g));
	out->tags = tags_of(rq, g);
	return OK;
}
