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
	use_list more = { .mem = rq->mem };
	const txn *tx = req_read(rq);
	bool any = charges_flow(rq->mem, tx, rq->who.account, rq->now, p->to, &more);
	req_read_end(rq, tx);
	if (!any)
		return fail(rq, &ce_DataUnavailableException,
		            "Insufficient amount of historical data to generate forecast.");
	s->mean = arena_array(rq->mem, money, p->n);
	s->quantity = arena_array(rq->mem, i128, p->n);
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
