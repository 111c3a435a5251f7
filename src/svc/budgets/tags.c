#include "budgets.h"

#define TAGS_MAX 200

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
	if (!out->ResourceTags.v)
		out->ResourceTags.v = arena_array(rq->mem, budgets_ResourceTag, 1);
	return OK;
}

static bool named(const budgets_ResourceTagKeyList *keys, str key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (str_eq(keys->v[i], key))
			return true;
	return false;
}

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
	budgets_ResourceTagList left = { .v = arena_array(rq->mem, budgets_ResourceTag, b->It->Tags.n + 1) };
	for (size_t i = 0; i < b->It->Tags.n; i++)
		if (!named(&in->ResourceTagKeys, b->It->Tags.v[i].Key))
			left.v[left.n++] = b->It->Tags.v[i];
	keep_tags(tx, b, left);
	return OK;
}

err budgets_TagResource(req *rq, txn *tx, const budgets_TagResource_in *in, budgets_TagResource_out *out)
{
	(void)out;
	budgets_budget *b;
	TRY(budget_of_arn(rq, tx, in->ResourceARN, &b));
	size_t room = b->It->Tags.n + in->ResourceTags.n;
	budgets_ResourceTagList all = { .v = arena_array(rq->mem, budgets_ResourceTag, room + 1) };
	for (size_t i = 0; i < b->It->Tags.n; i++)
		all.v[all.n++] = b->It->Tags.v[i];
	for (size_t i = 0; i < in->ResourceTags.n; i++) {
		size_t at = 0;
		while (at < all.n && !str_eq(all.v[at].Key, in->ResourceTags.v[i].Key))
			at++;
		all.v[at] = in->ResourceTags.v[i];
		all.n += at == all.n;
	}
	if (all.n > TAGS_MAX)
		return fail(rq, &budgets_ServiceQuotaExceededException, "A budget can have at most %d tags.",
		            TAGS_MAX);
	keep_tags(tx, b, all);
	return OK;
}
