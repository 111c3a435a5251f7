/* Tags of groups and sampling rules. */
#include "xray.h"

#define TAGS_MAX 50

typedef struct tagged {
	xray_group *group;
	xray_rule *rule;
	xray_TagList *tags;
} tagged;

static err lost(req *rq, str arn)
{
	xray_ResourceNotFoundException_error *detail = arena_new(rq->mem, xray_ResourceNotFoundException_error);
	detail->ResourceName = arn;
	return fail_with(rq, &xray_ResourceNotFoundException, detail, "Resource not found: %.*s", STR_ARG(arn));
}

static err tagged_find(req *rq, const txn *tx, str arn, tagged *out)
{
	size_t group = str_find(arn, S(":group/")), rule = str_find(arn, S(":sampling-rule/"));
	*out = (tagged){ 0 };
	if (group != SIZE_MAX) {
		str name = str_sub(arn, group + 7, arn.n);
		out->group = xray_group_get(tx, rq->mem, rq->who.account, rq->region, str_cut(&name, '/'));
		out->tags = out->group ? &out->group->Tags : NULL;
	} else if (rule != SIZE_MAX) {
		out->rule = xray_rule_get(tx, rq->mem, rq->who.account, rq->region, str_sub(arn, rule + 15, arn.n));
		out->tags = out->rule ? &out->rule->Tags : NULL;
	}
	return out->tags ? OK : lost(rq, arn);
}

static void tagged_put(txn *tx, const tagged *t)
{
	if (t->group)
		xray_group_put(tx, t->group);
	else
		xray_rule_put(tx, t->rule);
}

static void drop(xray_TagList *tags, str key)
{
	size_t n = 0;
	for (size_t i = 0; i < tags->n; i++)
		if (!str_eq(tags->v[i].Key, key))
			tags->v[n++] = tags->v[i];
	tags->n = n;
}

err xray_TagResource(req *rq, txn *tx, const xray_TagResource_in *in, xray_TagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	xray_TagList all = { arena_array(rq->mem, xray_Tag, t.tags->n + in->Tags.n + 1), t.tags->n };
	for (size_t i = 0; i < t.tags->n; i++)
		all.v[i] = t.tags->v[i];
	for (size_t i = 0; i < in->Tags.n; i++) {
		drop(&all, in->Tags.v[i].Key);
		all.v[all.n++] = in->Tags.v[i];
	}
	if (all.n > TAGS_MAX)
		return fail(rq, &xray_TooManyTagsException, "A resource has at most %d tags.", TAGS_MAX);
	*t.tags = all;
	tagged_put(tx, &t);
	return OK;
}

err xray_UntagResource(req *rq, txn *tx, const xray_UntagResource_in *in, xray_UntagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	for (size_t i = 0; i < in->TagKeys.n; i++)
		drop(t.tags, in->TagKeys.v[i]);
	tagged_put(tx, &t);
	return OK;
}

err xray_ListTagsForResource(req *rq, const txn *tx, const xray_ListTagsForResource_in *in,
                             xray_ListTagsForResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	out->Tags = t.tags->v ? *t.tags : (xray_TagList){ arena_new(rq->mem, xray_Tag), 0 };
	return OK;
}
