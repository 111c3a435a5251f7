#include "base/time.h"
#include "math.h"
#include <math.h>

typedef struct answers {
	const cloudwatch_GetMetricData_in *in;
	math_value *values; /* by query; v NULL and scalar 0: not there yet */
	bool *known, *visiting;
	grid at;
	req *rq;
	const txn *tx;
	err fault;
} answers;

static err answer(answers *a, size_t i);

static bool lookup(void *context, str id, math_value *out)
{
	answers *a = context;
	for (size_t i = 0; i < a->in->MetricDataQueries.n; i++)
		if (str_eq(a->in->MetricDataQueries.v[i].Id, id)) {
			a->fault = answer(a, i);
			*out = a->values[i];
			return a->fault == OK;
		}
	return false;
}

static size_t all_metrics(void *context, math_value *out, size_t most)
{
	answers *a = context;
	size_t n = 0;
	for (size_t i = 0; i < a->in->MetricDataQueries.n && n < most; i++)
		if (a->in->MetricDataQueries.v[i].MetricStat && !(a->fault = answer(a, i)))
			out[n++] = a->values[i];
	return n;
}

static err from_metric(answers *a, const cloudwatch_MetricStat *stat, math_value *out)
{
	req *rq = a->rq;
	if (!statistic_known(stat->Stat))
		return fail(rq, &aws_ValidationException, "The value %.*s for parameter Stat is not supported.",
		            STR_ARG(stat->Stat));
	out->v = arena_array(rq->mem, double, a->at.n + 1);
	for (size_t i = 0; i < a->at.n; i++)
		out->v[i] = NAN;
	meter_one(rq, &CW_GETMETRICDATA, stat->Metric->MetricName);
	const cloudwatch_metric *m = metric_find(a->tx, rq->mem, rq->who.account, rq->region,
	                                         stat->Metric->Namespace, stat->Metric->MetricName,
	                                         &stat->Metric->Dimensions);
	if (!m)
		return OK;
	int64_t period = stat->Period.v * MS_SECOND;
	series s = metric_series(a->tx, rq->mem, m->Id, stat->Unit, a->at.start,
	                         a->at.start + (int64_t)a->at.n * a->at.period_ms, period, CW_DATA_MAX);
	for (size_t i = 0; i < s.n; i++) {
		int64_t at = (s.when[i] - a->at.start) / a->at.period_ms;
		double v;
		if (at >= 0 && (size_t)at < a->at.n && statistic_of(&s.buckets[i], stat->Stat, &v))
			out->v[at] = v;
	}
	return OK;
}

static err answer(answers *a, size_t i)
{
	const cloudwatch_MetricDataQuery *q = &a->in->MetricDataQueries.v[i];
	if (a->known[i])
		return OK;
	if (a->visiting[i])
		return fail(a->rq, &aws_ValidationException, "The expression of %.*s refers to itself.",
		            STR_ARG(q->Id));
	if ((q->MetricStat != NULL) == str_is(q->Expression))
		return fail(a->rq, &aws_ValidationException,
		            "The query %.*s must have either MetricStat or Expression.", STR_ARG(q->Id));
	a->visiting[i] = true;
	if (q->MetricStat) {
		TRY(from_metric(a, q->MetricStat, &a->values[i]));
	} else {
		math_scope scope = { a->rq->mem, a->at, lookup, all_metrics, a };
		err e = math_evaluate(a->rq, &scope, q->Expression, &a->values[i]);
		TRY(a->fault ? a->fault : e);
	}
	a->visiting[i] = false;
	a->known[i] = true;
	return OK;
}

/* All queries share the finest period asked for. */
static int64_t finest_period(const cloudwatch_GetMetricData_in *in)
{
	int64_t finest = 0;
	for (size_t i = 0; i < in->MetricDataQueries.n; i++) {
		const cloudwatch_MetricDataQuery *q = &in->MetricDataQueries.v[i];
		int64_t period = q->MetricStat ? q->MetricStat->Period.v : q->Period.v;
		if (period > 0 && (!finest || period < finest))
			finest = period;
	}
	return (finest ? finest : 60) * MS_SECOND;
}

static cloudwatch_MetricDataResult result(answers *a, size_t i, bool newest_first)
{
	const cloudwatch_MetricDataQuery *q = &a->in->MetricDataQueries.v[i];
	const math_value *v = &a->values[i];
	cloudwatch_MetricDataResult r = {
		.Id = q->Id, .StatusCode = cloudwatch_StatusCode_Complete,
		.Label = str_is(q->Label) ? q->Label : q->MetricStat ? q->MetricStat->Metric->MetricName : q->Id,
		.Timestamps = { arena_array(a->rq->mem, opt_time, a->at.n + 1), 0 },
		.Values = { arena_array(a->rq->mem, opt_f64, a->at.n + 1), 0 },
	};
	for (size_t k = 0; k < a->at.n; k++) {
		size_t at = newest_first ? a->at.n - 1 - k : k;
		double x = v->v ? v->v[at] : v->scalar;
		if (isnan(x))
			continue;
		r.Timestamps.v[r.Timestamps.n++] = TIME(a->at.start + (int64_t)at * a->at.period_ms);
		r.Values.v[r.Values.n++] = F64(x);
	}
	return r;
}

err cloudwatch_GetMetricData(req *rq, const txn *tx, const cloudwatch_GetMetricData_in *in,
                             cloudwatch_GetMetricData_out *out)
{
	size_t n = in->MetricDataQueries.n;
	int64_t period = finest_period(in), start = in->StartTime.v - in->StartTime.v % period;
	if (in->StartTime.v >= in->EndTime.v)
		return fail(rq, &aws_ValidationException, "The parameter StartTime must be less than EndTime.");
	if (n > CW_QUERIES_MAX || (in->EndTime.v - start) / period > CW_DATA_MAX)
		return fail(rq, &aws_ValidationException, "The request asks for too many queries or datapoints.");
	answers a = { .in = in, .rq = rq, .tx = tx, .values = arena_array(rq->mem, math_value, n + 1),
		      .known = arena_array(rq->mem, bool, n + 1), .visiting = arena_array(rq->mem, bool, n + 1),
		      .at = { start, period, (size_t)((in->EndTime.v - start + period - 1) / period) } };
	out->MetricDataResults.v = arena_array(rq->mem, cloudwatch_MetricDataResult, n + 1);
	bool newest_first = !str_eq(in->ScanBy, S("TimestampAscending"));
	for (size_t i = 0; i < n; i++) {
		const cloudwatch_MetricDataQuery *q = &in->MetricDataQueries.v[i];
		TRY(answer(&a, i));
		if (!q->ReturnData.set || q->ReturnData.v)
			out->MetricDataResults.v[out->MetricDataResults.n++] = result(&a, i, newest_first);
	}
	out->Messages.v = arena_new(rq->mem, cloudwatch_MessageData);
	return OK;
}
