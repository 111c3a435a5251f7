#include "budgets.h"
#include "cloud/tags.h"

/* arn:aws:budgets::ACCOUNT:budget/NAME */
static err budget_of_arn(req *rq, const txn *tx, str arn, budgets_budget **out)
{
	str prefix = budget_arn(rq->mem, rq->who.account, S(""));
	if (!str_starts(arn, prefix))
		return fail(rq, &budgets_NotFoundException, "The resource %.*s doesn't exist.", STR_ARG(arn));
	return budget_find(rq, tx, rq->who.account, str_sub(arn, prefix.n, arn.n), out);
}

err budgets_ListTagsForResource(req *rq, const txn *tx, const budgets_ListTagsForResource_in *in,
                                budgets_ListTagsForResource_out *out)
{
	budgets_budget *b;
	TRY(budget_of_arn(rq, tx, in->ResourceARN, &b));
	out->ResourceTags = b->It->Tags;
	tags_shown(rq, TAGS(&out->ResourceTags, Key));
	return OK;
}

static const tag_rules rules = {
	.most = 200,
	.too_many = { &budgets_ServiceQuotaExceededException, "A budget can have at most 200 tags." },
};

static void keep_tags(txn *tx, budgets_budget *b, budgets_ResourceTagList tags)
{
	budgets_Kept kept = { .Budget = b->It->Budget, .Tags = tags };
	b->It = &kept;
	budgets_budget_put(tx, b);
}

err budgets_UntagResource(req *rq, txn *tx, const budgets_UntagResource_in *in,
                          budgets_UntagResource_out *out)
{
	(void)out;
	budgets_budget *b;
	TRY(budget_of_arn(rq, tx, in->ResourceARN, &b));
	budgets_ResourceTagList left = b->It->Tags;
	tags_drop(TAGS(&left, Key), in->ResourceTagKeys.v, in->ResourceTagKeys.n);
	keep_tags(tx, b, left);
	return OK;
}

err budgets_TagResource(req *rq, txn *tx, const budgets_TagResource_in *in, budgets_TagResource_out *out)
{
	(void)out;
	budgets_budget *b;
	TRY(budget_of_arn(rq, tx, in->ResourceARN, &b));
	budgets_ResourceTagList all = b->It->Tags;
	TRY(tags_add(rq, &rules, TAGS(&all, Key), TAGS(&in->ResourceTags, Key)));
	keep_tags(tx, b, all);
	return OK;
}
