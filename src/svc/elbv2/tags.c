#include "cloud/tags.h"
#include "elb.h"

#define RESOURCES_MOST 20

static const tag_rules rules = {
	.most = ELBV2_TAGS_MAX,
	.too_many = { &elbv2_TooManyTagsException,
	              "The maximum number of tags has been reached on the specified resource" },
	.twice = { &elbv2_DuplicateTagKeysException, "Tag keys must be unique" },
	.reserved = { &aws_ValidationException, "Tag keys that begin with 'aws:' are reserved for system use" },
};

err elb_tags_check(req *rq, const elbv2_TagList *given) { return tags_check(rq, &rules, TAGS(given, Key)); }

/* What bears tags, by its ARN. */
typedef struct tagged {
	elbv2_balancer *balancer;
	elbv2_listener *listener;
	elbv2_rule *rule;
	elbv2_group *group;
	elbv2_TagList *tags;
} tagged;

static err find(req *rq, const txn *tx, str arn, tagged *t)
{
	*t = (tagged){ 0 };
	str rest = arn;
	for (int i = 0; i < 5; i++)
		str_cut(&rest, ':');
	str kind = str_cut(&rest, '/');
	if (str_eq(kind, S("loadbalancer"))) {
		TRY(elb_balancer_find(rq, tx, arn, &t->balancer));
		t->tags = &t->balancer->Tags;
	} else if (str_eq(kind, S("listener"))) {
		TRY(elb_listener_find(rq, tx, arn, &t->listener));
		t->tags = &t->listener->Tags;
	} else if (str_eq(kind, S("listener-rule"))) {
		TRY(elb_rule_find(rq, tx, arn, &t->rule));
		t->tags = &t->rule->Tags;
	} else if (str_eq(kind, S("targetgroup"))) {
		TRY(elb_group_find(rq, tx, arn, &t->group));
		t->tags = &t->group->Tags;
	} else {
		return fail(rq, &aws_ValidationException, "'%.*s' is not a valid ARN", STR_ARG(arn));
	}
	return OK;
}

static void keep(txn *tx, const tagged *t)
{
	if (t->balancer)
		elbv2_balancer_put(tx, t->balancer);
	if (t->listener)
		elbv2_listener_put(tx, t->listener);
	if (t->rule)
		elbv2_rule_put(tx, t->rule);
	if (t->group)
		elbv2_group_put(tx, t->group);
}

err elbv2_AddTags(req *rq, txn *tx, const elbv2_AddTags_in *in, elbv2_AddTags_out *out)
{
	for (size_t i = 0; i < in->ResourceArns.n; i++) {
		tagged t;
		TRY(find(rq, tx, in->ResourceArns.v[i], &t));
		TRY(tags_add(rq, &rules, TAGS(t.tags, Key), TAGS(&in->Tags, Key)));
		keep(tx, &t);
	}
	return OK;
}

err elbv2_RemoveTags(req *rq, txn *tx, const elbv2_RemoveTags_in *in, elbv2_RemoveTags_out *out)
{
	for (size_t i = 0; i < in->ResourceArns.n; i++) {
		tagged t;
		TRY(find(rq, tx, in->ResourceArns.v[i], &t));
		tags_drop(TAGS(t.tags, Key), in->TagKeys.v, in->TagKeys.n);
		keep(tx, &t);
	}
	return OK;
}

err elbv2_DescribeTags(req *rq, const txn *tx, const elbv2_DescribeTags_in *in, elbv2_DescribeTags_out *out)
{
	size_t n = in->ResourceArns.n;
	if (n > RESOURCES_MOST)
		return fail(rq, &aws_ValidationException, "The number of resource ARNs cannot exceed '%d'",
		            RESOURCES_MOST);
	elbv2_TagDescription *v = arena_array(rq->mem, elbv2_TagDescription, n);
	for (size_t i = 0; i < n; i++) {
		tagged t;
		TRY(find(rq, tx, in->ResourceArns.v[i], &t));
		tags_shown(rq, TAGS(t.tags, Key));
		v[i] = (elbv2_TagDescription){ .ResourceArn = in->ResourceArns.v[i], .Tags = *t.tags };
	}
	out->TagDescriptions = (elbv2_TagDescriptions){ v, n };
	return OK;
}
