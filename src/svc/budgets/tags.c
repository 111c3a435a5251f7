#include "budgets.h"
#include "cloud/tags.h"

/* What has tags: a budget, or one of its actions. */
typedef struct tagged {
	budgets_budget *budget;
	budgets_action *action;  /* NULL: the budget itself */
	budgets_ResourceTagList tags;
} tagged;

static err not_there(req *rq, str arn)
{
	return fail(rq, &budgets_NotFoundException, "The resource %.*s doesn't exist.", STR_ARG(arn));
}

/* arn:aws:budgets::ACCOUNT:budget/NAME, or the same and /action/ID */
static err tagged_find(req *rq, const txn *tx, str arn, tagged *out)
{
	str account = rq->who.account, prefix = budget_arn(rq->mem, account, S(""));
	*out = (tagged){ .action = NULL };
	if (!str_starts(arn, prefix))
		return not_there(rq, arn);
	str name = str_sub(arn, prefix.n, arn.n);
	size_t at = str_find(name, S("/action/"));
	if (at == SIZE_MAX) {
		TRY(budget_find(rq, tx, account, name, &out->budget));
		out->tags = out->budget->It->Tags;
		return OK;
	}
	str id = str_sub(name, at + 8, name.n);
	out->action = budgets_action_get(tx, rq->mem, account, str_sub(name, 0, at), id);
	if (!out->action)
		return not_there(rq, arn);
	out->tags = out->action->Kept->Tags;
	return OK;
}

static void keep_tags(txn *tx, const tagged *t)
{
	if (t->action) {
		t->action->Kept->Tags = t->tags;
		budgets_action_put(tx, t->action);
	} else {
		t->budget->It->Tags = t->tags;
		budgets_budget_put(tx, t->budget);
	}
}

err budgets_ListTagsForResource(req *rq, const txn *tx, const budgets_ListTagsForResource_in *in,
                                budgets_ListTagsForResource_out *out)
{
	tagged t;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	out->ResourceTags = t.tags;
	tags_shown(rq, TAGS(&out->ResourceTags, Key));
	return OK;
}

static const tag_rules rules = {
	.most = 200,
	.too_many = { &budgets_ServiceQuotaExceededException, "A budget can have at most 200 tags." },
};

err budgets_UntagResource(req *rq, txn *tx, const budgets_UntagResource_in *in,
                          budgets_UntagResource_out *out)
{
	tagged t;
	(void)out;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	tags_drop(TAGS(&t.tags, Key), in->ResourceTagKeys.v, in->ResourceTagKeys.n);
	keep_tags(tx, &t);
	return OK;
}

err budgets_TagResource(req *rq, txn *tx, const budgets_TagResource_in *in, budgets_TagResource_out *out)
{
	tagged t;
	(void)out;
	TRY(tagged_find(rq, tx, in->ResourceARN, &t));
	TRY(tags_add(rq, &rules, TAGS(&t.tags, Key), TAGS(&in->ResourceTags, Key)));
	keep_tags(tx, &t);
	return OK;
}
