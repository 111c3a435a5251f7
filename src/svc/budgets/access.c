/* In policies there are two verbs, ViewBudget and ModifyBudget, on a budget that has no region. */
#include "cloud/authorise.h"
#include "gen/budgets.h"

#define BUDGET "arn:aws:budgets::{AccountId}:budget/"

/* A budget that is made or replaced stands in the request whole. */
static size_t the_budget(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	const budgets_Budget *b = strcmp(rq->op->name, "CreateBudget") == 0 ?
		((const budgets_CreateBudget_in *)in)->Budget : ((const budgets_UpdateBudget_in *)in)->NewBudget;
	*arns = arena_new(rq->mem, str);
	**arns = arena_fmt(rq->mem, "arn:aws:budgets::%.*s:budget/%.*s",
	                   STR_ARG(access_member(rq, in, S("AccountId"))), STR_ARG(b->BudgetName));
	return 1;
}

#define VIEW(operation) { operation, "budgets:ViewBudget", BUDGET "{BudgetName}", NULL }
#define VIEW_ALL(operation) { operation, "budgets:ViewBudget", BUDGET "*", NULL }
#define MODIFY(operation) { operation, "budgets:ModifyBudget", BUDGET "{BudgetName}", NULL }
#define ACTION(operation) \
	{ operation, "budgets:" operation, BUDGET "{BudgetName}/action/{ActionId}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
ACCESS(budgets, "budgets", NULL,
	{ "CreateBudget", "budgets:ModifyBudget", NULL, the_budget },
	{ "UpdateBudget", "budgets:ModifyBudget", NULL, the_budget },
	MODIFY("DeleteBudget"), MODIFY("CreateNotification"), MODIFY("UpdateNotification"),
	MODIFY("DeleteNotification"), MODIFY("CreateSubscriber"), MODIFY("UpdateSubscriber"),
	MODIFY("DeleteSubscriber"),
	VIEW("DescribeBudget"), VIEW("DescribeBudgetPerformanceHistory"),
	VIEW("DescribeNotificationsForBudget"), VIEW("DescribeSubscribersForNotification"),
	VIEW_ALL("DescribeBudgets"), VIEW_ALL("DescribeBudgetNotificationsForAccount"),
	{ "CreateBudgetAction", "budgets:CreateBudgetAction", BUDGET "{BudgetName}/action/*", NULL },
	{ "DescribeBudgetActionsForAccount", "budgets:DescribeBudgetActionsForAccount", BUDGET "*", NULL },
	{ "DescribeBudgetActionsForBudget", "budgets:DescribeBudgetActionsForBudget",
	  BUDGET "{BudgetName}/action/*", NULL },
	ACTION("DescribeBudgetAction"), ACTION("DescribeBudgetActionHistories"), ACTION("UpdateBudgetAction"),
	ACTION("DeleteBudgetAction"), ACTION("ExecuteBudgetAction"),
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"));
