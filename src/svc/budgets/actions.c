#include "actions.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/tags.h"
#include "sys/rand.h"

#define PAGE 100

static err action_find(req *rq, const txn *tx, str account, str budget, str id, budgets_action **out)
{
	budgets_budget *row;
	TRY(budget_find(rq, tx, account, budget, &row));
	*out = budgets_action_get(tx, rq->mem, account, budget, id);
	if (*out)
		return OK;
	return fail(rq, &budgets_NotFoundException, "Unable to get the budget action: %.*s - it doesn't exist.",
	            STR_ARG(id));
}

static bool under_way(const budgets_action *a)
{
	return str_ends(a->It->Status, S("IN_PROGRESS"));
}

static err not_under_way(req *rq, const budgets_action *a)
{
	if (!under_way(a))
		return OK;
	return fail(rq, &budgets_ResourceLockedException, "The action %.*s is being executed.", STR_ARG(a->Id));
}

static err definition_check(req *rq, str type, const budgets_Definition *d)
{
	bool iam = str_eq(type, S("APPLY_IAM_POLICY")), ssm = str_eq(type, S("RUN_SSM_DOCUMENTS"));
	const budgets_IamActionDefinition *i = d->IamActionDefinition;
	if (!iam && !ssm)
		return fail(rq, &budgets_AccessDeniedException, "Actions of type %.*s are for the management account "
		            "of an organization; account %.*s is in none.", STR_ARG(type), STR_ARG(rq->who.account));
	if ((i != NULL) != iam || (d->SsmActionDefinition != NULL) != ssm || d->ScpActionDefinition)
		return fail(rq, &budgets_InvalidParameterException,
		            "The definition does not match the action type %.*s.", STR_ARG(type));
	if (i && i->Users.n + i->Groups.n + i->Roles.n == 0)
		return fail(rq, &budgets_InvalidParameterException,
		            "An IAM action definition needs a user, a group or a role.");
	return OK;
}

static err role_check(req *rq, txn *tx, str arn)
{
	size_t slash = arn.n;
	str out;
	while (slash > 0 && arn.p[slash - 1] != '/')
		slash--;
	buf in = buf_in(rq->mem, 256, 4096);
	buf_put(&in, S("{\"RoleName\":"));
	json_put_string(&in, str_sub(arn, slash, arn.n));
	buf_c(&in, '}');
	req *as_us = req_internal(rq->mem, rq->store, "budgets.amazonaws.com", rq->who.account, rq->region);
	/* The name may be another account's, or the path another one. */
	if (call_json(as_us, tx, "iam", "GetRole", buf_str(&in), &out) == OK) {
		const json_value *found = json_get(json_get(json_parse(rq->mem, out), S("Role")), S("Arn"));
		if (found && str_eq(found->text, arn))
			return OK;
	}
	return fail(rq, &budgets_AccessDeniedException,
	            "Budgets permission required to assume [ExecutionRole: %.*s]. "
	            "Please follow the instructions.", STR_ARG(arn));
}

static err action_check(req *rq, txn *tx, const budgets_Budget *b, const budgets_Action *a)
{
	TRY(budget_forecast_check(rq, b, a->NotificationType));
	budgets_Notification n = { .Threshold = a->ActionThreshold->ActionThresholdValue,
		                   .NotificationType = a->NotificationType,
		                   .ComparisonOperator = S("GREATER_THAN") };
	if (alert_id(rq->mem, &n).n == 0)
		return fail(rq, &budgets_InvalidParameterException, "The threshold is not a number.");
	TRY(definition_check(rq, a->ActionType, a->Definition));
	TRY(alert_subscribers_check(rq, &a->Subscribers));
	return role_check(rq, tx, a->ExecutionRoleArn);
}

err budgets_CreateBudgetAction(req *rq, txn *tx, const budgets_CreateBudgetAction_in *in,
                               budgets_CreateBudgetAction_out *out)
{
	budgets_budget *b;
	TRY(budget_find(rq, tx, in->AccountId, in->BudgetName, &b));
	budgets_Action it = {
		.ActionId = rand_uuid(rq->mem), .BudgetName = in->BudgetName,
		.NotificationType = in->NotificationType, .ActionType = in->ActionType,
		.ActionThreshold = in->ActionThreshold, .Definition = in->Definition,
		.ExecutionRoleArn = in->ExecutionRoleArn, .ApprovalModel = in->ApprovalModel,
		.Status = S("STANDBY"), .Subscribers = in->Subscribers,
	};
	TRY(action_check(rq, tx, b->It->Budget, &it));
	budgets_ActionKept kept = { .Tags = in->ResourceTags };
	budgets_action row = { .Account = in->AccountId, .Budget = in->BudgetName, .Id = it.ActionId, .It = &it,
		               .Kept = &kept };
	action_set(tx, rq->now, &row, it.Status, S("CREATE_ACTION"), S("The action has been created."));
	actions_metered(tx, in->AccountId, in->BudgetName, rq->now);
	alerts_arm(tx, rq->now);
	*out = (budgets_CreateBudgetAction_out){ .AccountId = in->AccountId, .BudgetName = in->BudgetName,
		                                 .ActionId = it.ActionId };
	return OK;
}

err budgets_DescribeBudgetAction(req *rq, const txn *tx, const budgets_DescribeBudgetAction_in *in,
                                 budgets_DescribeBudgetAction_out *out)
{
	budgets_action *a;
	TRY(action_find(rq, tx, in->AccountId, in->BudgetName, in->ActionId, &a));
	*out = (budgets_DescribeBudgetAction_out){ .AccountId = in->AccountId, .BudgetName = in->BudgetName,
		                                   .Action = a->It };
	return OK;
}

static void forget(txn *tx, arena *mem, const budgets_action *a)
{
	record_scan scan = budgets_history_scan(tx, mem, 3, a->Account, a->Budget, a->Id, STR_NONE);
	for (budgets_history *h; (h = budgets_history_next(&scan));)
		budgets_history_delete(tx, h->Account, h->Budget, h->Action, h->Order);
	budgets_action_delete(tx, a->Account, a->Budget, a->Id);
}

err budgets_DeleteBudgetAction(req *rq, txn *tx, const budgets_DeleteBudgetAction_in *in,
                               budgets_DeleteBudgetAction_out *out)
{
	budgets_action *a;
	TRY(action_find(rq, tx, in->AccountId, in->BudgetName, in->ActionId, &a));
	TRY(not_under_way(rq, a));
	forget(tx, rq->mem, a);
	actions_metered(tx, in->AccountId, in->BudgetName, rq->now);
	*out = (budgets_DeleteBudgetAction_out){ .AccountId = in->AccountId, .BudgetName = in->BudgetName,
		                                 .Action = a->It };
	return OK;
}

err actions_delete(req *rq, txn *tx, str account, str budget)
{
	record_scan scan = budgets_action_scan(tx, rq->mem, 2, account, budget, STR_NONE);
	for (budgets_action *a; (a = budgets_action_next(&scan));) {
		TRY(not_under_way(rq, a));
		forget(tx, rq->mem, a);
	}
	actions_metered(tx, account, budget, rq->now);
	return OK;
}

err budgets_UpdateBudgetAction(req *rq, txn *tx, const budgets_UpdateBudgetAction_in *in,
                               budgets_UpdateBudgetAction_out *out)
{
	budgets_action *a;
	TRY(action_find(rq, tx, in->AccountId, in->BudgetName, in->ActionId, &a));
	TRY(not_under_way(rq, a));
	budgets_Action *old = arena_new(rq->mem, budgets_Action);
	*old = *a->It;
	if (str_is(in->NotificationType))
		a->It->NotificationType = in->NotificationType;
	if (in->ActionThreshold)
		a->It->ActionThreshold = in->ActionThreshold;
	if (in->Definition)
		a->It->Definition = in->Definition;
	if (str_is(in->ExecutionRoleArn))
		a->It->ExecutionRoleArn = in->ExecutionRoleArn;
	if (str_is(in->ApprovalModel))
		a->It->ApprovalModel = in->ApprovalModel;
	if (in->Subscribers.n)
		a->It->Subscribers = in->Subscribers;
	const budgets_budget *of = budgets_budget_get(tx, rq->mem, in->AccountId, in->BudgetName);
	TRY(action_check(rq, tx, of->It->Budget, a->It));
	action_set(tx, rq->now, a, a->It->Status, S("UPDATE_ACTION"), S("The action has been updated."));
	*out = (budgets_UpdateBudgetAction_out){ .AccountId = in->AccountId, .BudgetName = in->BudgetName,
		                                 .OldAction = old, .NewAction = a->It };
	return OK;
}

/* Which state each kind of execution starts from. */
static const struct { const char *type, *from, *also, *what; } executions[] = {
	{ "APPROVE_BUDGET_ACTION", "PENDING", "PENDING", "execute" },
	{ "RETRY_BUDGET_ACTION", "EXECUTION_FAILURE", "EXECUTION_FAILURE", "execute" },
	{ "REVERSE_BUDGET_ACTION", "EXECUTION_SUCCESS", "REVERSE_FAILURE", "reverse" },
	{ "RESET_BUDGET_ACTION", "EXECUTION_SUCCESS", "RESET_FAILURE", "reset" },
};

err budgets_ExecuteBudgetAction(req *rq, txn *tx, const budgets_ExecuteBudgetAction_in *in,
                                budgets_ExecuteBudgetAction_out *out)
{
	budgets_action *a;
	size_t i = 0;
	TRY(action_find(rq, tx, in->AccountId, in->BudgetName, in->ActionId, &a));
	TRY(not_under_way(rq, a));
	while (!str_eq(in->ExecutionType, str_c(executions[i].type)))
		i++;
	str status = a->It->Status;
	if (!str_eq(status, str_c(executions[i].from)) && !str_eq(status, str_c(executions[i].also)))
		return fail(rq, &budgets_InvalidParameterException, "%.*s is not possible while the action is %.*s.",
		            STR_ARG(in->ExecutionType), STR_ARG(status));
	if (a->It->Definition->SsmActionDefinition && str_eq(in->ExecutionType, S("REVERSE_BUDGET_ACTION")))
		return fail(rq, &budgets_InvalidParameterException,
		            "Instances that have been stopped are not started again by reversing the action.");
	action_start(tx, rq->now, a, executions[i].what, S("EXECUTE_ACTION"));
	*out = (budgets_ExecuteBudgetAction_out){ .AccountId = in->AccountId, .BudgetName = in->BudgetName,
		                                  .ActionId = in->ActionId, .ExecutionType = in->ExecutionType };
	return OK;
}

static err page_of(req *rq, record_scan *scan, opt_i64 wanted, str token, bool whole_account,
                   budgets_Actions *list, str *next)
{
	size_t most = wanted.set && wanted.v < PAGE ? (size_t)wanted.v : PAGE;
	str after = S(""), last = S("");
	if (token.n && !page_position(rq, token, &after))
		return fail(rq, &budgets_InvalidNextTokenException, "The token is not valid.");
	list->v = arena_array(rq->mem, budgets_Action, most + 1);
	for (budgets_action *a; (a = budgets_action_next(scan));) {
		str place = a->Id;
		if (whole_account)
			place = arena_fmt(rq->mem, "%.*s\n%.*s", STR_ARG(a->Budget), STR_ARG(a->Id));
		if (after.n && str_cmp(place, after) <= 0)
			continue;
		if (list->n == most) {
			*next = page_token(rq, last);
			return OK;
		}
		list->v[list->n++] = *a->It;
		last = place;
	}
	return OK;
}

err budgets_DescribeBudgetActionsForBudget(req *rq, const txn *tx,
                                           const budgets_DescribeBudgetActionsForBudget_in *in,
                                           budgets_DescribeBudgetActionsForBudget_out *out)
{
	budgets_budget *b;
	TRY(budget_find(rq, tx, in->AccountId, in->BudgetName, &b));
	record_scan scan = budgets_action_scan(tx, rq->mem, 2, in->AccountId, in->BudgetName, STR_NONE);
	return page_of(rq, &scan, in->MaxResults, in->NextToken, false, &out->Actions, &out->NextToken);
}

err budgets_DescribeBudgetActionsForAccount(req *rq, const txn *tx,
                                            const budgets_DescribeBudgetActionsForAccount_in *in,
                                            budgets_DescribeBudgetActionsForAccount_out *out)
{
	TRY(budget_own_account(rq, in->AccountId));
	record_scan scan = budgets_action_scan(tx, rq->mem, 1, in->AccountId, STR_NONE, STR_NONE);
	return page_of(rq, &scan, in->MaxResults, in->NextToken, true, &out->Actions, &out->NextToken);
}

static bool in_time(const budgets_TimePeriod *p, int64_t when)
{
	return !p || ((!p->Start.set || when >= p->Start.v) && (!p->End.set || when < p->End.v));
}

/* The latest first. */
err budgets_DescribeBudgetActionHistories(req *rq, const txn *tx,
                                          const budgets_DescribeBudgetActionHistories_in *in,
                                          budgets_DescribeBudgetActionHistories_out *out)
{
	budgets_action *a;
	size_t most = in->MaxResults.set && in->MaxResults.v < PAGE ? (size_t)in->MaxResults.v : PAGE;
	str before = S(""), last = S("");
	TRY(action_find(rq, tx, in->AccountId, in->BudgetName, in->ActionId, &a));
	if (in->NextToken.n && !page_position(rq, in->NextToken, &before))
		return fail(rq, &budgets_InvalidNextTokenException, "The token is not valid.");
	record_scan scan = budgets_history_scan(tx, rq->mem, 3, a->Account, a->Budget, a->Id, STR_NONE);
	record_scan_reverse(&scan);
	budgets_ActionHistories *list = &out->ActionHistories;
	list->v = arena_array(rq->mem, budgets_ActionHistory, most + 1);
	for (budgets_history *h; (h = budgets_history_next(&scan));) {
		if ((before.n && str_cmp(h->Order, before) >= 0) || !in_time(in->TimePeriod, h->It->Timestamp.v))
			continue;
		if (list->n == most) {
			out->NextToken = page_token(rq, last);
			break;
		}
		list->v[list->n++] = *h->It;
		last = h->Order;
	}
	return OK;
}
