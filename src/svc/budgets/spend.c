#include "base/json.h"
#include "base/time.h"
#include "budgets.h"
#include "cloud/charges.h"

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

/* A period and what was spent in it. */
typedef struct span {
	budget_period period;
	bool any;      /* whether anything was charged, counted or not */
	i128 sum;
} span;

typedef struct adder {
	budget_lens lens;
	span *spans;   /* one before the other, the latest first */
	size_t n;
	int64_t until; /* later usage is not seen yet */
	bool credits, units;
	const char *covered; /* what commitments could cover is looked for: "RI" or "SAVINGS_PLANS" */
	str unit;
} adder;

/* Instances by the hour; Savings Plans cover Amazon EC2 and AWS Lambda. */
static bool could_be_covered(const adder *a, const charge *c)
{
	arena *mem = a->lens.mem;
	str of = charges_dimension(mem, a->lens.tx, a->lens.account, c, S("SERVICE"));
	str type = charges_dimension(mem, a->lens.tx, a->lens.account, c, S("INSTANCE_TYPE"));
	bool instance = !str_starts(type, S("No")) && str_eq(charges_unit(c), S("Hrs"));
	if (a->covered[0] == 'R')
		return instance;
	return str_eq(of, S("AWS Lambda")) ||
	       (instance && str_eq(of, S("Amazon Elastic Compute Cloud - Compute")));
}

static void add_charge(void *context, const charge *c, money credit)
{
	adder *a = context;
	int64_t when = c->use->when;
	size_t i = 0;
	if (when > a->until || when >= a->spans[0].period.to)
		return;
	while (i < a->n && when < a->spans[i].period.from)
		i++;
	if (i == a->n || when >= a->spans[i].period.to)
		return;
	if (a->covered) {
		a->spans[i].any |= budget_counts(&a->lens, c, false) && could_be_covered(a, c);
		return;
	}
	a->spans[i].any = true;
	if (credit && a->credits && !a->units && budget_counts(&a->lens, c, true))
		a->spans[i].sum -= credit;
	if (!budget_counts(&a->lens, c, false))
		return;
	if (!str_is(a->unit))
		a->unit = charges_unit(c);
	a->spans[i].sum += a->units ? charges_quantity(c) : c->amount;
}

/* Whether a span is known whole by now, and empty. */
static bool has_gap(const adder *a, int64_t month)
{
	for (size_t i = 0; i < a->n && a->spans[i].period.from >= month; i++)
		if (!a->spans[i].any)
			return true;
	return false;
}

/* Month by month, each once whatever the spans in it, back to the first empty span. */
static err add_months(arena *mem, const txn *tx, adder *a, int64_t now, const use_list *more)
{
	int64_t end = a->spans[0].period.to < now ? a->spans[0].period.to : now;
	int64_t first = month_of(a->spans[a->n - 1].period.from);
	for (size_t i = 0; i < a->n; i++)
		a->spans[i] = (span){ .period = a->spans[i].period };
	for (int64_t month = month_of(end - 1); month >= first; month = month_after(month, -1)) {
		bill_query q = charges_query(mem, tx, a->lens.account, month, now);
		if (!charges_each(mem, tx, &q, more, add_charge, a))
			return fault_new(mem, &aws_InternalFailure, "The amounts are too large to be added up.");
		if (a->n > 1 && has_gap(a, month))
			break;
	}
	return OK;
}

/* The limit of this period: planned ones are keyed by the second in which they begin. */
static const budgets_Spend *limit_of(const budgets_Budget *b, budget_period p)
{
	const budgets_Spend *found = b->BudgetLimit;
	int64_t best = INT64_MIN, at;
	for (size_t i = 0; i < b->PlannedBudgetLimits.n; i++)
		if (str_to_i64(b->PlannedBudgetLimits.v[i].key, &at) && at <= p.from / MS_SECOND && at > best) {
			best = at;
			found = &b->PlannedBudgetLimits.v[i].value;
		}
	return found;
}

static bool adjusts_to_forecast(const budgets_Budget *b)
{
	return b->AutoAdjustData && !b->AutoAdjustData->HistoricalOptions;
}

/* The mean of the periods before `p`, of as many as the budget looks back to and anything is known of. Who
 * foretells a period when it begins knows nothing but the one before: its daily mean goes on. */
static err adjusted_limit(arena *mem, const txn *tx, adder a, const budgets_Budget *b, int64_t now,
                          budget_spend *out)
{
	i128 total = 0;
	budget_period p = out->period;
	a.until = INT64_MAX;
	bool forecast = adjusts_to_forecast(b);
	a.n = forecast ? 1 : (size_t)b->AutoAdjustData->HistoricalOptions->BudgetAdjustmentPeriod.v;
	a.spans = arena_array(mem, span, a.n);
	for (size_t i = 0; i < a.n; i++)
		a.spans[i].period = p = budget_period_before(b, p);
	TRY(add_months(mem, tx, &a, now, NULL));
	for (size_t i = 0; i < a.n && a.spans[i].any; i++) {
		total += a.spans[i].sum;
		out->periods++;
	}
	out->has_limit = out->periods > 0;
	out->limit = out->has_limit ? total / out->periods : 0;
	if (forecast && !i128_mul_div(out->limit, (out->period.to - out->period.from) / MS_DAY,
	                              (p.to - p.from) / MS_DAY, &out->limit))
		return fault_new(mem, &aws_InternalFailure, "The amounts are too large to be added up.");
	out->unit = !a.units ? S("USD") : str_is(a.unit) ? a.unit : S("N/A");
	return OK;
}

/* Nothing of what could be covered is; how much of nothing is used, nobody can say. */
static err commitment_spend(arena *mem, const txn *tx, adder a, const budgets_Budget *b, int64_t now,
                            budget_spend *out)
{
	a.covered = str_starts(b->BudgetType, S("RI")) ? "RI" : "SAVINGS_PLANS";
	out->unknown = true;
	if (str_ends(b->BudgetType, S("UTILIZATION")))
		return OK;
	TRY(add_months(mem, tx, &a, now, NULL));
	out->unknown = !a.spans[0].any;
	return OK;
}

err budget_spend_of(arena *mem, const txn *tx, str account, const budgets_Budget *b, budget_period p,
                    int64_t now, bool with_forecast, budget_spend *out)
{
	bool units = str_eq(b->BudgetType, S("USAGE"));
	span this = { .period = p };
	charges_tags *tags = charges_tags_open(mem, tx, account);
	adder a = { .lens = { mem, account, b, tx, tags, charges_categories_open(mem, tx, account, tags) },
		    .units = units, .spans = &this, .n = 1, .until = charges_seen(now), .unit = STR_NONE,
		    .credits = !b->CostTypes || b->CostTypes->IncludeCredit.v || !b->CostTypes->IncludeCredit.set };
	const budgets_Spend *limit = limit_of(b, p);
	*out = (budget_spend){ .period = p, .scale = units ? QUANTITY_DIGITS : MONEY_DIGITS,
		               .unit = limit ? limit->Unit : S("USD") };
	out->has_limit = limit && decimal_parse(limit->Amount, out->scale, &out->limit);
	if (budget_of_commitments(b))
		return commitment_spend(mem, tx, a, b, now, out);
	if (b->AutoAdjustData)
		TRY(adjusted_limit(mem, tx, a, b, now, out));
	TRY(add_months(mem, tx, &a, now, NULL));
	out->actual = out->forecast = this.sum;
	if (!with_forecast || now >= p.to)
		return OK;
	use_list more = { .mem = mem };
	if (p.to - now < FOREVER_DAYS * MS_DAY)
		charges_flow(mem, tx, account, now, p.to, &more);
	a.until = INT64_MAX;
	TRY(add_months(mem, tx, &a, p.to, &more));
	out->forecast = this.sum;
	/* In an account's first period there is nothing else to foretell from. */
	if (adjusts_to_forecast(b) && !out->has_limit) {
		out->limit = out->forecast;
		out->has_limit = true;
	}
	return OK;
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
	if (!good || s->unknown)
		return false;
	i128 have = str_eq(n->NotificationType, S("FORECASTED")) ? s->forecast : s->actual;
	return str_eq(n->ComparisonOperator, S("GREATER_THAN")) ? have > *threshold
	       : str_eq(n->ComparisonOperator, S("LESS_THAN"))  ? have < *threshold
	                                                        : have == *threshold;
}
