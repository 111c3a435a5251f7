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
} sums;

static void add_row(void *context, const ce_row *row, size_t period)
{
	sums *s = context;
	s->mean[period] += row->amount;
	s->quantity[period] += row->quantity;
}

/* Kept beyond the transaction. */
static void keep(void *context, const price_use *u)
{
	use_list *l = context;
	price_use copy = *u;
	copy.region = arena_str(l->mem, u->region);
	copy.sku = arena_str(l->mem, u->sku);
	copy.resource = arena_str(l->mem, u->resource);
	use_push(l, &copy);
}

static use_list used_this_month(req *rq)
{
	use_list l = { .mem = rq->mem };
	int64_t month = month_of(rq->now);
	const txn *tx = req_read(rq);
	charges_usage(tx, rq->who.account, month, month_after(month, 1), rq->now, keep, &l);
	req_read_end(rq, tx);
	return l;
}

/* The flow of what is left of this month, and of each later one, a piece a day. */
static void flow_to_come(req *rq, const use_list *so_far, int64_t to, use_list *out)
{
	int64_t month = month_of(rq->now), today = rq->now - rq->now % MS_DAY;
	use_list whole = { .mem = rq->mem };
	/* Over exactly one day: the daily share. */
	forecast_flow(&whole, so_far, month, rq->now, rq->now + MS_DAY);
	for (int64_t day = today; day < to; day += MS_DAY)
		for (size_t i = 0; i < whole.n; i++) {
			price_use u = whole.at[i];
			int64_t left = day == today ? today + MS_DAY - rq->now : MS_DAY;
			i128 share = 0;
			i128_mul_div(u.quantity, left, MS_DAY, &share);
			u.quantity = (int64_t)share;
			u.when = day == today ? rq->now - rq->now % MS_HOUR : day;
			use_push(out, &u);
		}
}

static err check(req *rq, const ce_DateInterval *interval, str granularity, ce_period *p)
{
	if (str_eq(granularity, S("HOURLY")))
		return fail(rq, &aws_ValidationException, "Hourly forecasts are not available");
	TRY(ce_period_of(rq, interval, granularity, true, p));
	if (p->from < rq->now - rq->now % MS_DAY)
		return fail(rq, &aws_ValidationException,
		            "Invalid time period, forecast period should be today or in the future");
	if (p->to > month_after(month_of(rq->now), CE_FORECAST_MONTHS + 1))
		return fail(rq, &aws_ValidationException, "A forecast reaches %d months at most",
		            CE_FORECAST_MONTHS);
	return OK;
}

static err predict(req *rq, const ce_period *p, const ce_Expression *filter, sums *s)
{
	TRY(meter_flush());
	use_list more = { .mem = rq->mem }, so_far = used_this_month(rq);
	if (so_far.n == 0)
		return fail(rq, &ce_DataUnavailableException,
		            "Insufficient amount of historical data to generate forecast.");
	s->mean = arena_array(rq->mem, money, p->n);
	s->quantity = arena_array(rq->mem, i128, p->n);
	flow_to_come(rq, &so_far, p->to, &more);
	return ce_rows(rq, p, filter, &more, p->to, add_row, s);
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
	return OK;
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
		                        .Unit = S("N/A") };
	return OK;
}
