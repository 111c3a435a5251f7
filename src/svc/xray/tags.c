/* Tags of groups and sampling rules. */
#include "cloud/tags.h"
#include "xray.h"

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

static const tag_rules rules = {
	.most = 50,
	.too_many = { &xray_TooManyTagsException, "A resource has at most 50 tags." },
};

err xray_TagResource(req *rq, txn *tx, const xray_TagResource_in *in, xray_TagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	TRY(tags_add(rq, &rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
	tagged_put(tx, &t);
	return OK;
}

err xray_UntagResource(req *rq, txn *tx, const xray_UntagResource_in *in, xray_UntagResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
	tagged_put(tx, &t);
	return OK;
}

err xray_ListTagsForResource(req *rq, const txn *tx, const xray_ListTagsForResource_in *in,
                             xray_ListTagsForResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	tags_shown(rq, TAGS(t.tags, Key));
	out->Tags = *t.tags;
	return OK;
}
