#include "logs.h"

#define TAGS_MAX 50

static void tag_drop(logs_Tags *tags, str key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].key, key)) {
			tags->v[i] = tags->v[--tags->n];
			return;
		}
}

static err tags_add(req *rq, txn *tx, logs_group *g, const logs_Tags *more)
{
	logs_Tags all = { arena_array(rq->mem, logs_Tags_entry, g->Tags.n + more->n), g->Tags.n };
	for (size_t i = 0; i < g->Tags.n; i++)
		all.v[i] = g->Tags.v[i];
	for (size_t i = 0; i < more->n; i++) {
		tag_drop(&all, more->v[i].key);
		all.v[all.n++] = more->v[i];
	}
	if (all.n > TAGS_MAX)
		return fail(rq, &logs_TooManyTagsException, "A resource can have no more than %d tags.", TAGS_MAX);
	g->Tags = all;
	logs_group_put(tx, g);
	return OK;
}

static logs_Tags tags_of(req *rq, const logs_group *g)
{
	return g->Tags.v ? g->Tags : (logs_Tags){ arena_new(rq->mem, logs_Tags_entry), 0 };
}

err logs_TagLogGroup(req *rq, txn *tx, const logs_TagLogGroup_in *in,
                     logs_TagLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	return tags_add(rq, tx, g, &in->tags);
}

err logs_UntagLogGroup(req *rq, txn *tx, const logs_UntagLogGroup_in *in,
                       logs_UntagLogGroup_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	for (size_t i = 0; i < in->tags.n; i++)
		tag_drop(&g->Tags, in->tags.v[i]);
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
	return tags_add(rq, tx, g, &in->tags);
}

err logs_UntagResource(req *rq, txn *tx, const logs_UntagResource_in *in,
                       logs_UntagResource_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, STR_NONE, in->resourceArn, &g));
	for (size_t i = 0; i < in->tagKeys.n; i++)
		tag_drop(&g->Tags, in->tagKeys.v[i]);
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
