#include "budgets.h"
#include "actions.h"
#include "base/time.h"
#include "cloud/meter.h"
#include "price/bill.h"

#define PAGE 100
#define WHOLE 100 /* percent */
#define END_OF_TIME INT64_C(3706473600000) /* 2087-06-15 */

str budget_arn(arena *mem, str account, str name)
{
	return arena_fmt(mem, "arn:aws:budgets::%.*s:budget/%.*s", STR_ARG(account), STR_ARG(name));
}

err budget_own_account(req *rq, str account)
{
	if (str_eq(account, rq->who.account))
		return OK;
	return fail(rq, &budgets_AccessDeniedException, "Account %.*s is not authorized to act for account %.*s",
	            STR_ARG(rq->who.account), STR_ARG(account));
}

err budget_find(req *rq, const txn *tx, str account, str name, budgets_budget **out)
{
	TRY(budget_own_account(rq, account));
	*out = budgets_budget_get(tx, rq->mem, account, name);
	if (*out)
		return OK;
	return fail(rq, &budgets_NotFoundException, "Unable to get budget: %.*s - the budget doesn't exist.",
	            STR_ARG(name));
}

bool budget_of_commitments(const budgets_Budget *b)
{
	return !str_eq(b->BudgetType, S("COST")) && !str_eq(b->BudgetType, S("USAGE"));
}

err budget_forecast_check(req *rq, const budgets_Budget *b, str notification_type)
{
	if (!str_eq(notification_type, S("FORECASTED")))
		return OK;
	if (budget_of_commitments(b))
		return fail(rq, &budgets_InvalidParameterException,
		            "FORECASTED notifications are not supported for budgets of type %.*s.",
		            STR_ARG(b->BudgetType));
	if (str_eq(b->TimeUnit, S("DAILY")))
		return fail(rq, &budgets_InvalidParameterException,
		            "FORECASTED notifications are not supported for DAILY budgets.");
	return OK;
}

static void by_default(opt_bool *flag, bool value)
{
	if (!flag->set)
		*flag = BOOL(value);
}

static void fill_cost_types(req *rq, budgets_Budget *b)
{
	budgets_CostTypes *t = arena_new(rq->mem, budgets_CostTypes);
	if (b->CostTypes)
		*t = *b->CostTypes;
	by_default(&t->IncludeTax, true);
	by_default(&t->IncludeSubscription, true);
	by_default(&t->UseBlended, false);
	by_default(&t->IncludeRefund, true);
	by_default(&t->IncludeCredit, true);
	by_default(&t->IncludeUpfront, true);
	by_default(&t->IncludeRecurring, true);
	by_default(&t->IncludeOtherSubscription, true);
	by_default(&t->IncludeSupport, true);
	by_default(&t->IncludeDiscount, true);
	by_default(&t->UseAmortized, false);
	b->CostTypes = t;
}

static err fill_period(req *rq, budgets_Budget *b)
{
	budgets_TimePeriod *p = arena_new(rq->mem, budgets_TimePeriod);
	if (b->TimePeriod)
		*p = *b->TimePeriod;
	if (str_eq(b->TimeUnit, S("CUSTOM")) && (!p->Start.set || !p->End.set))
		return fail(rq, &budgets_InvalidParameterException,
		            "A custom budget needs the start and the end of its period.");
	if (!p->Start.set)
		p->Start = TIME(budget_period_of(b, rq->now).from);
	if (!p->End.set)
		p->End = TIME(END_OF_TIME);
	if (p->End.v > END_OF_TIME)
		return fail(rq, &budgets_InvalidParameterException,
		            "Unable to create/update budget - end time should not be after timestamp %lld",
		            (long long)(END_OF_TIME / MS_SECOND));
	if (p->End.v <= p->Start.v)
		return fail(rq, &budgets_InvalidParameterException, "The period ends before it starts.");
	b->TimePeriod = p;
	return OK;
}

/* An adjusting budget has the mean of so many periods before as its limit. */
static err adjustment_check(req *rq, const budgets_Budget *b)
{
	static const struct { const char *unit; int64_t most; } periods[] = {
		{ "DAILY", 60 }, { "MONTHLY", 12 }, { "QUARTERLY", 4 }, { "ANNUALLY", 1 },
	};
	const budgets_AutoAdjustData *a = b->AutoAdjustData;
	if (!a)
		return OK;
	if (b->BudgetLimit || b->PlannedBudgetLimits.n)
		return fail(rq, &budgets_InvalidParameterException,
		            "BudgetLimit and PlannedBudgetLimits cannot be used together with AutoAdjustData.");
	if (str_eq(a->AutoAdjustType, S("FORECAST")) && a->HistoricalOptions)
		return fail(rq, &budgets_InvalidParameterException,
		            "HistoricalOptions is for AutoAdjustType HISTORICAL only.");
	if (str_eq(a->AutoAdjustType, S("FORECAST")) && !str_eq(b->TimeUnit, S("CUSTOM")))
		return OK;
	if (!a->HistoricalOptions && str_eq(a->AutoAdjustType, S("HISTORICAL")))
		return fail(rq, &budgets_InvalidParameterException,
		            "HistoricalOptions is required when AutoAdjustType is HISTORICAL.");
	for (size_t i = 0; a->HistoricalOptions && i < sizeof periods / sizeof *periods; i++)
		if (str_eq(b->TimeUnit, str_c(periods[i].unit)) &&
		    a->HistoricalOptions->BudgetAdjustmentPeriod.v <= periods[i].most)
			return OK;
	return fail(rq, &budgets_InvalidParameterException,
	            "AutoAdjustData does not fit a %.*s budget: it has none, or not so many periods.",
	            STR_ARG(b->TimeUnit));
}

/* `only`: the unit that it must have; STR_NONE: any. Afterwards it is written as AWS writes it: "100.0". */
static err amount_check(req *rq, budgets_Spend *s, str only)
{
	i128 amount;
	if (str_is(only) && !str_eq(s->Unit, only))
		return fail(rq, &budgets_InvalidParameterException,
		            "Unable to create/update budget - %.*s is not in the supported unit set: [%.*s]",
		            STR_ARG(s->Unit), STR_ARG(only));
	if (!decimal_parse(s->Amount, QUANTITY_DIGITS, &amount) || amount <= 0)
		return fail(rq, &budgets_InvalidParameterException, "The limit must be greater than 0.");
	s->Amount = decimal_print_exact(rq->mem, amount, QUANTITY_DIGITS, 1);
	return OK;
}

/* What part of commitments is used, or of usage covered: the limit is the whole and need not be said. */
static err whole_limit(req *rq, budgets_Budget *b)
{
	i128 amount;
	if (b->PlannedBudgetLimits.n || b->AutoAdjustData)
		return fail(rq, &budgets_InvalidParameterException,
		            "PlannedBudgetLimits and AutoAdjustData are for cost and usage budgets only.");
	if (!b->BudgetLimit) {
		b->BudgetLimit = arena_new(rq->mem, budgets_Spend);
		*b->BudgetLimit = (budgets_Spend){ .Amount = S("100.0"), .Unit = S("PERCENTAGE") };
	}
	TRY(amount_check(rq, b->BudgetLimit, S("PERCENTAGE")));
	ensure(decimal_parse(b->BudgetLimit->Amount, QUANTITY_DIGITS, &amount));
	if (amount != (i128)WHOLE * INT64_C(1000000000000))
		return fail(rq, &budgets_InvalidParameterException, "The limit of a budget of type %.*s is %d.",
		            STR_ARG(b->BudgetType), WHOLE);
	return OK;
}

static err limits_check(req *rq, budgets_Budget *b)
{
	str only = str_eq(b->BudgetType, S("COST")) ? S("USD") : STR_NONE;
	TRY(adjustment_check(rq, b));
	if (!b->BudgetLimit && !b->PlannedBudgetLimits.n && !b->AutoAdjustData)
		return fail(rq, &budgets_InvalidParameterException,
		            "Unable to create/update budget - please provide one of the followings: Budget Limit/ "
		            "Planned Budget Limit/ Auto Adjust Data");
	if (b->BudgetLimit && b->PlannedBudgetLimits.n)
		return fail(rq, &budgets_InvalidParameterException,
		            "BudgetLimit and PlannedBudgetLimits cannot be used together.");
	if (b->PlannedBudgetLimits.n && !str_eq(b->TimeUnit, S("MONTHLY")) &&
	    !str_eq(b->TimeUnit, S("QUARTERLY")))
		return fail(rq, &budgets_InvalidParameterException,
		            "PlannedBudgetLimits are for MONTHLY and QUARTERLY budgets only.");
	for (size_t i = 0; i < b->PlannedBudgetLimits.n; i++) {
		int64_t begins;
		if (!str_to_i64(b->PlannedBudgetLimits.v[i].key, &begins) || begins < 0)
			return fail(rq, &budgets_InvalidParameterException,
			            "The keys of PlannedBudgetLimits are times in seconds: %.*s",
			            STR_ARG(b->PlannedBudgetLimits.v[i].key));
		TRY(amount_check(rq, &b->PlannedBudgetLimits.v[i].value, only));
	}
	return b->BudgetLimit ? amount_check(rq, b->BudgetLimit, only) : OK;
}

err budget_check(req *rq, str account, budgets_Budget *b)
{
	TRY(budget_own_account(rq, account));
	bool cost = str_eq(b->BudgetType, S("COST"));
	TRY(budget_of_commitments(b) ? whole_limit(rq, b) : limits_check(rq, b));
	TRY(budget_filters_check(rq, b));
	if (cost && !b->FilterExpression)
		fill_cost_types(rq, b);
	b->LastUpdatedTime = TIME(rq->now);
	return fill_period(rq, b);
}

err budgets_CreateBudget(req *rq, txn *tx, const budgets_CreateBudget_in *in, budgets_CreateBudget_out *out)
{
	(void)out;
	budgets_Budget b = *in->Budget;
	TRY(budget_check(rq, in->AccountId, &b));
	if (budgets_budget_get(tx, rq->mem, in->AccountId, b.BudgetName))
		return fail(rq, &budgets_DuplicateRecordException,
		            "Error creating budget: %.*s - the budget already exists.", STR_ARG(b.BudgetName));
	budgets_Kept kept = { .Budget = &b, .Tags = in->ResourceTags };
	budgets_budget row = { .Account = in->AccountId, .Name = b.BudgetName, .It = &kept,
		               .Updated = rq->now };
	budgets_budget_put(tx, &row);
	if (budget_asks_tags(&b))
		charges_tags_watch(tx, in->AccountId);
	if (in->NotificationsWithSubscribers.n > BUDGETS_ALERTS_MAX)
		return fail(rq, &budgets_CreationLimitExceededException,
		            "A budget can have at most %d notifications.", BUDGETS_ALERTS_MAX);
	for (size_t i = 0; i < in->NotificationsWithSubscribers.n; i++) {
		const budgets_NotificationWithSubscribers *n = &in->NotificationsWithSubscribers.v[i];
		TRY(alert_put(rq, tx, b.BudgetName, n->Notification, &n->Subscribers));
	}
	alerts_arm(tx, rq->now);
	return OK;
}

err budgets_UpdateBudget(req *rq, txn *tx, const budgets_UpdateBudget_in *in, budgets_UpdateBudget_out *out)
{
	(void)out;
	budgets_budget *row;
	budgets_Budget b = *in->NewBudget;
	TRY(budget_find(rq, tx, in->AccountId, b.BudgetName, &row));
	TRY(budget_check(rq, in->AccountId, &b));
	budgets_Kept kept = { .Budget = &b, .Tags = row->It->Tags };
	row->It = &kept;
	row->Updated = rq->now;
	budgets_budget_put(tx, row);
	if (budget_asks_tags(&b))
		charges_tags_watch(tx, in->AccountId);
	return OK;
}

err budgets_DeleteBudget(req *rq, txn *tx, const budgets_DeleteBudget_in *in, budgets_DeleteBudget_out *out)
{
	(void)out;
	TRY(budget_own_account(rq, in->AccountId));
	if (!budgets_budget_get(tx, rq->mem, in->AccountId, in->BudgetName))
		return fail(rq, &budgets_NotFoundException,
		            "Unable to delete budget: %.*s - the budget doesn't exist. Try creating it first. ",
		            STR_ARG(in->BudgetName));
	record_scan scan = budgets_alert_scan(tx, rq->mem, 2, in->AccountId, in->BudgetName, STR_NONE);
	for (budgets_alert *a; (a = budgets_alert_next(&scan));)
		budgets_alert_delete(tx, a->Account, a->Budget, a->Id);
	TRY(actions_delete(rq, tx, in->AccountId, in->BudgetName));
	budgets_budget_delete(tx, in->AccountId, in->BudgetName);
	return OK;
}

static void show_adjustment(req *rq, const budget_spend *s, budgets_Budget *out)
{
	budgets_AutoAdjustData *a = arena_new(rq->mem, budgets_AutoAdjustData);
	*a = *out->AutoAdjustData;
	a->LastAutoAdjustTime = TIME(s->period.from);
	if (a->HistoricalOptions) {
		a->HistoricalOptions = arena_new(rq->mem, budgets_HistoricalOptions);
		*a->HistoricalOptions = *out->AutoAdjustData->HistoricalOptions;
		a->HistoricalOptions->LookBackAvailablePeriods = I64(s->periods);
	} else {
		/* AWS has them empty where they mean nothing, and Terraform's provider relies on it. */
		a->HistoricalOptions = arena_new(rq->mem, budgets_HistoricalOptions);
	}
	out->AutoAdjustData = a;
	out->BudgetLimit = budget_amount(rq->mem, s, s->limit);
}

/* The budget as the API shows it: with what has been spent, and without its expression unless asked for. */
static err show(req *rq, const txn *tx, const budgets_budget *row, opt_bool expression, budgets_Budget *out)
{
	budget_spend s;
	*out = *row->It->Budget;
	TRY(budget_spend_of(rq->mem, tx, row->Account, out, budget_period_of(out, rq->now), rq->now, true, &s));
	if (out->AutoAdjustData)
		show_adjustment(rq, &s, out);
	else if (out->PlannedBudgetLimits.n && s.has_limit)
		out->BudgetLimit = budget_amount(rq->mem, &s, s.limit);
	if (!expression.v)
		out->FilterExpression = NULL;
	out->CalculatedSpend = arena_new(rq->mem, budgets_CalculatedSpend);
	out->CalculatedSpend->ActualSpend = budget_amount(rq->mem, &s, s.actual);
	out->CalculatedSpend->ForecastedSpend = budget_amount(rq->mem, &s, s.forecast);
	out->LastUpdatedTime = TIME(row->Updated);
	out->HealthStatus = arena_new(rq->mem, budgets_HealthStatus);
	out->HealthStatus->Status = S("HEALTHY");
	out->HealthStatus->LastUpdatedTime = TIME(row->Updated);
	return OK;
}

static err describe_in(req *rq, const txn *tx, const budgets_DescribeBudget_in *in, budgets_Budget *out)
{
	budgets_budget *row;
	TRY(budget_find(rq, tx, in->AccountId, in->BudgetName, &row));
	return show(rq, tx, row, in->ShowFilterExpression, out);
}

/* Waits, because pricing a large month takes longer than a connection's thread may. */
err budgets_DescribeBudget(req *rq, const budgets_DescribeBudget_in *in, budgets_DescribeBudget_out *out)
{
	budgets_Budget *b = arena_new(rq->mem, budgets_Budget);
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	err e = describe_in(rq, tx, in, b);
	req_read_end(rq, tx);
	out->Budget = b;
	return e;
}

static err describe_page(req *rq, const txn *tx, const budgets_DescribeBudgets_in *in,
                         budgets_DescribeBudgets_out *out)
{
	size_t most = in->MaxResults.set && in->MaxResults.v < PAGE ? (size_t)in->MaxResults.v : PAGE;
	record_scan scan = budgets_budget_scan(tx, rq->mem, 1, in->AccountId, STR_NONE);
	str after;
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &budgets_InvalidNextTokenException, "The token is not valid.");
		record_scan_after(&scan, after);
	}
	out->Budgets.v = arena_array(rq->mem, budgets_Budget, most);
	for (budgets_budget *row; (row = budgets_budget_next(&scan));) {
		if (out->Budgets.n == most) {
			out->NextToken = page_token(rq, out->Budgets.v[most - 1].BudgetName);
			break;
		}
		TRY(show(rq, tx, row, in->ShowFilterExpression, &out->Budgets.v[out->Budgets.n++]));
	}
	return OK;
}

err budgets_DescribeBudgets(req *rq, const budgets_DescribeBudgets_in *in, budgets_DescribeBudgets_out *out)
{
	TRY(budget_own_account(rq, in->AccountId));
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	err e = describe_page(rq, tx, in, out);
	req_read_end(rq, tx);
	return e;
}

static err history_in(req *rq, const txn *tx, const budgets_DescribeBudgetPerformanceHistory_in *in,
                      budgets_BudgetPerformanceHistory *out)
{
	budgets_budget *row;
	TRY(budget_find(rq, tx, in->AccountId, in->BudgetName, &row));
	const budgets_Budget *b = row->It->Budget;
	*out = (budgets_BudgetPerformanceHistory){
		.BudgetName = b->BudgetName, .BudgetType = b->BudgetType, .CostFilters = b->CostFilters,
		.CostTypes = b->CostTypes, .TimeUnit = b->TimeUnit,
	};
	budgets_BudgetedAndActualAmountsList *list = &out->BudgetedAndActualAmountsList;
	list->v = arena_array(rq->mem, budgets_BudgetedAndActualAmounts, BUDGETS_HISTORY);
	budget_period p = budget_period_of(b, rq->now);
	while (list->n < BUDGETS_HISTORY && p.to > b->TimePeriod->Start.v) {
		budget_spend s;
		TRY(budget_spend_of(rq->mem, tx, row->Account, b, p, rq->now, false, &s));
		budgets_BudgetedAndActualAmounts *a = &list->v[list->n++];
		a->BudgetedAmount = budget_amount(rq->mem, &s, s.limit);
		a->ActualAmount = budget_amount(rq->mem, &s, s.actual);
		a->TimePeriod = arena_new(rq->mem, budgets_TimePeriod);
		*a->TimePeriod = (budgets_TimePeriod){ .Start = TIME(p.from), .End = TIME(p.to) };
		if (str_eq(b->TimeUnit, S("CUSTOM")))
			break;
		p = budget_period_before(b, p);
	}
	return OK;
}

err budgets_DescribeBudgetPerformanceHistory(req *rq, const budgets_DescribeBudgetPerformanceHistory_in *in,
                                             budgets_DescribeBudgetPerformanceHistory_out *out)
{
	out->BudgetPerformanceHistory = arena_new(rq->mem, budgets_BudgetPerformanceHistory);
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	err e = history_in(rq, tx, in, out->BudgetPerformanceHistory);
	req_read_end(rq, tx);
	return e;
}
