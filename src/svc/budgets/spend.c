#include "base/json.h"
#include "base/time.h"
#include "budgets.h"
#include "cloud/charges.h"

#define QUANTITY_ONE INT64_C(1000000000000)
#define PERCENT 100
#define FOREVER_DAYS 36500

static int64_t day_of(int64_t ms)
{
	return ms - ms % MS_DAY;
}

static int months_of(str unit)
{
	return str_eq(unit, S("QUARTERLY")) ? 3 : str_eq(unit, S("ANNUALLY")) ? 12 : 1;
}

budget_period budget_period_of(const budgets_Budget *b, int64_t now)
{
	if (str_eq(b->TimeUnit, S("DAILY")))
		return (budget_period){ day_of(now), day_of(now) + MS_DAY };
	if (str_eq(b->TimeUnit, S("CUSTOM")) && b->TimePeriod)
		return (budget_period){ b->TimePeriod->Start.v, b->TimePeriod->End.v };
	int months = months_of(b->TimeUnit);
	int64_t month = month_of(now);
	int64_t from = month_after(month, -((time_civil(month).month - 1) % months));
	return (budget_period){ from, month_after(from, months) };
}

budget_period budget_period_before(const budgets_Budget *b, budget_period p)
{
	return budget_period_of(b, p.from - 1);
}

typedef struct adder {
	budget_lens lens;
	budget_period period;
	int64_t until; /* later usage is not seen yet */
	bool credits, units;
	bool any;      /* whether anything was charged, counted or not */
	str unit;
	i128 sum;
} adder;

static void add_charge(void *context, const charge *c, money credit)
{
	adder *a = context;
	if (c->use->when < a->period.from || c->use->when >= a->period.to || c->use->when > a->until)
		return;
	a->any = true;
	if (!budget_counts(&a->lens, c))
		return;
	a->unit = charges_unit(c);
	i128 quantity = 0;
	i128_mul_div(c->quantity, QUANTITY_ONE, c->parts, &quantity);
	a->sum += a->units ? quantity : c->amount - (a->credits ? credit : 0);
}

static err add_months(arena *mem, const txn *tx, adder *a, int64_t now, const use_list *more, i128 *sum)
{
	a->sum = 0;
	a->any = false;
	for (int64_t month = month_of(a->period.from); month < a->period.to && month < now;
	     month = month_after(month, 1)) {
		bill_query q = charges_query(mem, tx, a->lens.account, month, now);
		if (!charges_each(mem, tx, &q, more, add_charge, a))
			return fault_new(mem, &aws_InternalFailure, "The amounts are too large to be added up.");
	}
	*sum = a->sum;
	return OK;
}

/* The limit of this period: planned ones are keyed by the second in which they begin. */
static const budgets_Spend *limit_of(const budgets_Budget *b, budget_period p)
{
	const budgets_Spend *found = b->BudgetLimit;
	int64_t best = INT64_MIN, at;
	for (size_t i = 0; i < b->PlannedBudgetLimits.n; i++)
		if (str_to_i64(b->PlannedBudgetLimits.v[i].key, &at) && at * MS_SECOND <= p.from && at > best) {
			best = at;
			found = &b->PlannedBudgetLimits.v[i].value;
		}
	return found;
}

/* The mean of the periods before `p`, of as many as the budget looks back to and anything is known of. */
static err adjusted_limit(arena *mem, const txn *tx, adder a, const budgets_Budget *b, int64_t now,
                          budget_spend *out)
{
	i128 sum = 0, total = 0;
	int64_t most = b->AutoAdjustData->HistoricalOptions->BudgetAdjustmentPeriod.v;
	a.until = INT64_MAX;
	for (out->periods = 0; out->periods < most; out->periods++) {
		a.period = budget_period_before(b, a.period);
		TRY(add_months(mem, tx, &a, now, NULL, &sum));
		if (!a.any)
			break;
		total += sum;
	}
	out->has_limit = out->periods > 0;
	out->limit = out->has_limit ? total / out->periods : 0;
	out->unit = !a.units ? S("USD") : str_is(a.unit) ? a.unit : S("N/A");
	return OK;
}

err budget_spend_of(arena *mem, const txn *tx, str account, const budgets_Budget *b, budget_period p,
                    int64_t now, bool with_forecast, budget_spend *out)
{
	bool units = str_eq(b->BudgetType, S("USAGE"));
	adder a = { .lens = { mem, account, b, charges_tags_open(mem, tx, account) }, .period = p, .units = units,
		    .until = charges_seen(now),
		    .credits = !b->CostTypes || b->CostTypes->IncludeCredit.v || !b->CostTypes->IncludeCredit.set };
	const budgets_Spend *limit = limit_of(b, p);
	*out = (budget_spend){ .period = p, .scale = units ? QUANTITY_DIGITS : MONEY_DIGITS,
		               .unit = limit ? limit->Unit : S("USD") };
	out->has_limit = limit && decimal_parse(limit->Amount, out->scale, &out->limit);
	if (b->AutoAdjustData)
		TRY(adjusted_limit(mem, tx, a, b, now, out));
	TRY(add_months(mem, tx, &a, now, NULL, &out->actual));
	out->forecast = out->actual;
	if (!with_forecast || now >= p.to)
		return OK;
	use_list more = { .mem = mem };
	if (p.to - now < FOREVER_DAYS * MS_DAY)
		charges_flow(mem, tx, account, now, p.to, &more);
	a.until = INT64_MAX;
	return add_months(mem, tx, &a, p.to, &more, &out->forecast);
}

budgets_Spend *budget_amount(arena *mem, const budget_spend *s, i128 amount)
{
	budgets_Spend *out = arena_new(mem, budgets_Spend);
	amount = decimal_round(amount, s->scale, 10);
	out->Amount = decimal_print_exact(mem, amount, s->scale, 1);
	out->Unit = s->unit;
	return out;
}

/* A double as the shortest text that is the same double: 0.01 is then exactly a hundredth. */
static bool threshold_of(arena *mem, const budgets_Notification *n, int scale, i128 *out)
{
	buf b = buf_in(mem, 32, 64);
	json_put_double(&b, n->Threshold.v);
	return decimal_parse(buf_str(&b), scale, out);
}

str alert_id(arena *mem, const budgets_Notification *n)
{
	i128 threshold;
	if (!threshold_of(mem, n, MONEY_DIGITS, &threshold))
		return S("");
	str type = str_is(n->ThresholdType) ? n->ThresholdType : S("PERCENTAGE");
	return arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(n->NotificationType),
	                 STR_ARG(n->ComparisonOperator), STR_ARG(type),
	                 STR_ARG(decimal_print_exact(mem, threshold, MONEY_DIGITS, 0)));
}

bool alert_crossed(const budgets_Notification *n, const budget_spend *s, i128 *threshold)
{
	arena *mem = arena_open(256);
	i128 share = 0;
	bool absolute = str_eq(n->ThresholdType, S("ABSOLUTE_VALUE"));
	bool good = threshold_of(mem, n, absolute ? s->scale : QTY_DIGITS, &share);
	arena_close(mem);
	*threshold = share;
	if (good && !absolute)
		good = s->has_limit && share <= INT64_MAX &&
		       i128_mul_div(s->limit, (int64_t)share, PERCENT * QTY_ONE, threshold);
	if (!good)
		return false;
	i128 have = str_eq(n->NotificationType, S("FORECASTED")) ? s->forecast : s->actual;
	return str_eq(n->ComparisonOperator, S("GREATER_THAN")) ? have > *threshold
	       : str_eq(n->ComparisonOperator, S("LESS_THAN"))  ? have < *threshold
	                                                        : have == *threshold;
}
