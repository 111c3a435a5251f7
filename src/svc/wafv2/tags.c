/* Tags, and policies of rule groups. */
#include "waf.h"
#include "cloud/policy.h"

typedef struct bearer {
	wafv2_acl *acl;
	wafv2_group *group;
	wafv2_ipset *ipset;
	wafv2_regexset *regexset;
	wafv2_TagList *tags;
} bearer;

static err find(req *rq, const txn *tx, str arn, bearer *b)
{
	waf_place p;
	*b = (bearer){ 0 };
	if (!waf_place_of(arn, &p))
		return waf_bad(rq, S("RESOURCE_ARN"), arn, WAF_NO_ARN);
	if (!str_eq(p.account, rq->who.account))
		return waf_gone(rq);
	if ((b->acl = waf_acl_at(tx, rq->mem, arn)))
		b->tags = &b->acl->Tags;
	else if ((b->group = waf_group_at(tx, rq->mem, arn)))
		b->tags = &b->group->Tags;
	else if ((b->ipset = waf_ipset_at(tx, rq->mem, arn)))
		b->tags = &b->ipset->Tags;
	else if ((b->regexset = waf_regexset_at(tx, rq->mem, arn)))
		b->tags = &b->regexset->Tags;
	return b->tags ? OK : waf_gone(rq);
}

static void keep(txn *tx, const bearer *b)
{
	if (b->acl)
		wafv2_acl_put(tx, b->acl);
	if (b->group)
		wafv2_group_put(tx, b->group);
	if (b->ipset)
		wafv2_ipset_put(tx, b->ipset);
	if (b->regexset)
		wafv2_regexset_put(tx, b->regexset);
}

err wafv2_TagResource(req *rq, txn *tx, const wafv2_TagResource_in *in, wafv2_TagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(find(rq, tx, in->ResourceARN, &b));
	TRY(tags_add(rq, &waf_tag_rules, TAGS(b.tags, Key), TAGS(&in->Tags, Key)));
	keep(tx, &b);
	return OK;
}

err wafv2_UntagResource(req *rq, txn *tx, const wafv2_UntagResource_in *in, wafv2_UntagResource_out *out)
{
	bearer b;
	(void)out;
	TRY(find(rq, tx, in->ResourceARN, &b));
	tags_drop(TAGS(b.tags, Key), in->TagKeys.v, in->TagKeys.n);
	keep(tx, &b);
	return OK;
}

err wafv2_ListTagsForResource(req *rq, const txn *tx, const wafv2_ListTagsForResource_in *in,
                              wafv2_ListTagsForResource_out *out)
{
	bearer b;
	TRY(find(rq, tx, in->ResourceARN, &b));
	tags_shown(rq, TAGS(b.tags, Key));
	out->TagInfoForResource = arena_new(rq->mem, wafv2_TagInfoForResource);
	out->TagInfoForResource->ResourceARN = in->ResourceARN;
	out->TagInfoForResource->TagList = *b.tags;
	return OK;
}

static err find_group(req *rq, const txn *tx, str arn, wafv2_group **g)
{
	*g = waf_group_at(tx, rq->mem, arn);
	return *g && str_eq((*g)->Account, rq->who.account) ? OK : waf_gone(rq);
}

err wafv2_PutPermissionPolicy(req *rq, txn *tx, const wafv2_PutPermissionPolicy_in *in,
                              wafv2_PutPermissionPolicy_out *out)
{
	wafv2_group *g;
	str wrong;
	(void)out;
	TRY(find_group(rq, tx, in->ResourceArn, &g));
	if (!policy_parse(rq->mem, in->Policy, POLICY_RESOURCE, &wrong))
		return fail(rq, &wafv2_WAFInvalidPermissionPolicyException,
		            "The operation failed because the specified policy isn't in the proper format.");
	g->Policy = in->Policy;
	wafv2_group_put(tx, g);
	return OK;
}

err wafv2_GetPermissionPolicy(req *rq, const txn *tx, const wafv2_GetPermissionPolicy_in *in,
                              wafv2_GetPermissionPolicy_out *out)
{
	wafv2_group *g;
	TRY(find_group(rq, tx, in->ResourceArn, &g));
	if (!g->Policy.n)
		return waf_gone(rq);
	out->Policy = g->Policy;
	return OK;
}

err wafv2_DeletePermissionPolicy(req *rq, txn *tx, const wafv2_DeletePermissionPolicy_in *in,
                                 wafv2_DeletePermissionPolicy_out *out)
{
	wafv2_group *g;
	(void)out;
	TRY(find_group(rq, tx, in->ResourceArn, &g));
	if (!g->Policy.n)
		return waf_gone(rq);
	g->Policy = STR_NONE;
	wafv2_group_put(tx, g);
	return OK;
}
