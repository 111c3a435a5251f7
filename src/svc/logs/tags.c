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

err logs_TagLogGroup(req *rq, txn *tx, const logs_TagLogGroup_in *in,
                     logs_TagLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	TRY(tags_add(rq, &rules, TAGS(&g->Tags, key), TAGS(&in->tags, key)));
	logs_group_put(tx, g);
	return OK;
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
	tags_shown(rq, TAGS(&g->Tags, key));
	out->tags = g->Tags;
	return OK;
}

/* What an ARN names: a group, or where deliveries go. */
typedef struct bearer {
	logs_group *group;
	logs_deliverydest *dest;
	logs_Tags *tags;
} bearer;

static err bearer_of(req *rq, const txn *tx, str arn, bearer *b)
{
	str kind = S(":delivery-destination:");
	size_t at = str_find(arn, kind);
	*b = (bearer){ NULL };
	if (at == SIZE_MAX) {
		TRY(group_find(rq, tx, STR_NONE, arn, &b->group));
		b->tags = &b->group->Tags;
		return OK;
	}
	str name = str_sub(arn, at + kind.n, arn.n);
	b->dest = logs_deliverydest_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!b->dest)
		return fail(rq, &logs_ResourceNotFoundException, "The specified resource does not exist.");
	b->tags = &b->dest->Tags;
	return OK;
}

static void bearer_put(txn *tx, const bearer *b)
{
	if (b->group)
		logs_group_put(tx, b->group);
	else
		logs_deliverydest_put(tx, b->dest);
}

err logs_TagResource(req *rq, txn *tx, const logs_TagResource_in *in, logs_TagResource_out *out)
{
	bearer b;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	TRY(tags_add(rq, &rules, TAGS(b.tags, key), TAGS(&in->tags, key)));
	bearer_put(tx, &b);
	return OK;
}

err logs_UntagResource(req *rq, txn *tx, const logs_UntagResource_in *in, logs_UntagResource_out *out)
{
	bearer b;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	tags_drop(TAGS(b.tags, key), in->tagKeys.v, in->tagKeys.n);
	bearer_put(tx, &b);
	return OK;
}

err logs_ListTagsForResource(req *rq, const txn *tx, const logs_ListTagsForResource_in *in,
                             logs_ListTagsForResource_out *out)
{
	bearer b;
	TRY(bearer_of(rq, tx, in->resourceArn, &b));
	tags_shown(rq, TAGS(b.tags, key));
	out->tags = *b.tags;
	return OK;
}
