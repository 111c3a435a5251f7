#include "base/time.h"
#include "ce.h"

/*
 * The forecast is the month priced to its end: what exists goes on at its rate, what flows goes on at the
 * average rate since the month began (or since its first use). Days to come get their share of the flow, so
 * tiers and free allowances are met on the day on which they will be.
 */

typedef struct sums {
	money *mean;       /* per period */
	i128 *quantity;
	str unit;          /* of all rows; "N/A" when they differ */
} sums;

/*
 * How far a forecast may be off: days scatter as those of the month so far have, independently of each other.
 * The factor is that of the normal distribution, in thousandths, for 51 to 99 percent.
 */
#define LEVEL_LEAST 51
static const int16_t factors[] = {
	690, 706, 722, 739, 755, 772, 789, 806, 824, 842, 860, 878, 896, 915,
	935, 954, 974, 994, 1015, 1036, 1058, 1080, 1103, 1126, 1150, 1175, 1200, 1227,
	1254, 1282, 1311, 1341, 1372, 1405, 1440, 1476, 1514, 1555, 1598, 1645, 1695, 1751,
	1812, 1881, 1960, 2054, 2170, 2326, 2576
};

static void add_row(void *context, const ce_row *row, size_t period)
{
	sums *s = context;
	s->mean[period] += row->amount;
	s->quantity[period] += row->quantity;
	s->unit = !str_is(s->unit) || str_eq(s->unit, row->unit) ? row->unit : S("N/A");
}

static err check(req *rq, const ce_DateInterval *interval, str granularity, ce_period *p)
{
	if (str_eq(granularity, S("HOURLY")))
		return fail(rq, &aws_ValidationException, "Hourly forecasts are not available");
	TRY(ce_period_of(rq, interval, granularity, true, p));
	if (p->from < rq->now - rq->now % MS_DAY)
		return fail(rq, &aws_ValidationException,
		            "Invalid time period, forecast period should be today or in the future");
	int months = str_eq(granularity, S("DAILY")) ? CE_FORECAST_DAILY_MONTHS : CE_FORECAST_MONTHS;
	if (p->to > month_after(month_of(rq->now), months + 1))
		return fail(rq, &aws_ValidationException, "A %.*s forecast reaches %d months at most",
		            STR_ARG(arena_lower(rq->mem, granularity)), months);
	return OK;
}

static err predict(req *rq, const ce_period *p, const ce_Expression *filter, sums *s)
{
	TRY(meter_flush());
	use_list more = { .mem = rq->mem };
	const txn *tx = req_read(rq);
	bool any = charges_flow(rq->mem, tx, rq->who.account, rq->now, p->to, &more);
	req_read_end(rq, tx);
	if (!any)
		return fail(rq, &ce_DataUnavailableException,
		            "Insufficient amount of historical data to generate forecast.");
	s->unit = STR_NONE;
	s->mean = arena_array(rq->mem, money, p->n);
	s->quantity = arena_array(rq->mem, i128, p->n);
	return ce_rows(rq, p, filter, &more, p->to, add_row, s);
}

static i128 square_root(i128 v)
{
	i128 low = 0, high = (i128)1 << 62;
	while (low < high) {
		i128 middle = (low + high + 1) / 2;
		if (middle <= v / middle)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* Of the days of this month that are over, in squares of `step`; 0 when there are fewer than two. */
static err variance_of(req *rq, const ce_Expression *filter, bool units, i128 step, i128 *out)
{
	int64_t from = month_of(rq->now), to = rq->now - rq->now % MS_DAY;
	ce_period p = { .from = from, .to = to, .unit = 'D', .n = (size_t)((to - from) / MS_DAY) };
	*out = 0;
	if (p.n < 2)
		return OK;
	sums s = { .mean = arena_array(rq->mem, money, p.n), .quantity = arena_array(rq->mem, i128, p.n) };
	TRY(ce_rows(rq, &p, filter, NULL, rq->now, add_row, &s));
	const i128 *days = units ? s.quantity : s.mean;
	i128 n = (i128)p.n, mean = 0;
	for (size_t i = 0; i < p.n; i++)
		mean += days[i] / step;
	mean /= n;
	for (size_t i = 0; i < p.n; i++)
		*out += (days[i] / step - mean) * (days[i] / step - mean) / (n - 1);
	return OK;
}

static void bound(req *rq, ce_ForecastResult *f, i128 mean, i128 half, int scale)
{
	i128 low = mean > half ? mean - half : 0;
	f->PredictionIntervalLowerBound = decimal_print_exact(rq->mem, decimal_round(low, scale, 10), scale, 0);
	f->PredictionIntervalUpperBound =
		decimal_print_exact(rq->mem, decimal_round(mean + half, scale, 10), scale, 0);
}

static err bounds(req *rq, const ce_period *p, const ce_Expression *filter, opt_i64 level, const sums *s,
                  bool units, ce_ForecastResultsByTime *out)
{
	if (!level.set)
		return OK;
	i128 step = units ? INT64_C(1000000) : INT64_C(1000000000000), variance;
	TRY(variance_of(rq, filter, units, step, &variance));
	for (size_t i = 0; i < p->n; i++) {
		int64_t days = (ce_period_to(p, i) - ce_period_from(p, i)) / MS_DAY;
		i128 half = square_root(variance * days) * factors[level.v - LEVEL_LEAST] / 1000 * step;
		bound(rq, &out->v[i], units ? s->quantity[i] : s->mean[i], half,
		      units ? QUANTITY_DIGITS : MONEY_DIGITS);
	}
	return OK;
}

err ce_GetCostForecast(req *rq, const ce_GetCostForecast_in *in, ce_GetCostForecast_out *out)
{
	ce_period p;
	sums s;
	money total = 0;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(check(rq, in->TimePeriod, in->Granularity, &p));
	if (str_starts(in->Metric, S("USAGE")) || str_starts(in->Metric, S("NORMALIZED")))
		return fail(rq, &aws_ValidationException, "Metric %.*s is not a cost", STR_ARG(in->Metric));
	TRY(predict(rq, &p, in->Filter, &s));
	out->ForecastResultsByTime.v = arena_array(rq->mem, ce_ForecastResult, p.n);
	out->ForecastResultsByTime.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		ce_ForecastResult *f = &out->ForecastResultsByTime.v[i];
		f->TimePeriod = ce_interval(rq, &p, i);
		f->MeanValue = ce_amount(rq, s.mean[i]);
		total += s.mean[i];
	}
	out->Total = arena_new(rq->mem, ce_MetricValue);
	*out->Total = (ce_MetricValue){ .Amount = ce_amount(rq, total), .Unit = S("USD") };
	return bounds(rq, &p, in->Filter, in->PredictionIntervalLevel, &s, false, &out->ForecastResultsByTime);
}

err ce_GetUsageForecast(req *rq, const ce_GetUsageForecast_in *in,
                        ce_GetUsageForecast_out *out)
{
	ce_period p;
	sums s;
	i128 total = 0;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(check(rq, in->TimePeriod, in->Granularity, &p));
	if (!str_eq(in->Metric, S("USAGE_QUANTITY")))
		return fail(rq, &aws_ValidationException, "Metric %.*s is not a usage quantity",
		            STR_ARG(in->Metric));
	if (!in->Filter)
		return fail(rq, &ce_UnresolvableUsageUnitException,
		            "Unable to resolve the unit of the usage: filter by usage type");
	TRY(predict(rq, &p, in->Filter, &s));
	out->ForecastResultsByTime.v = arena_array(rq->mem, ce_ForecastResult, p.n);
	out->ForecastResultsByTime.n = p.n;
	for (size_t i = 0; i < p.n; i++) {
		ce_ForecastResult *f = &out->ForecastResultsByTime.v[i];
		f->TimePeriod = ce_interval(rq, &p, i);
		f->MeanValue = decimal_print_exact(rq->mem, s.quantity[i], QUANTITY_DIGITS, 0);
		total += s.quantity[i];
	}
	out->Total = arena_new(rq->mem, ce_MetricValue);
	*out->Total = (ce_MetricValue){ .Amount = decimal_print_exact(rq->mem, total, QUANTITY_DIGITS, 0),
		                        .Unit = str_is(s.unit) ? s.unit : S("N/A") };
	return bounds(rq, &p, in->Filter, in->PredictionIntervalLevel, &s, true, &out->ForecastResultsByTime);
}
