#include "base/time.h"
#include "metric.h"

#define LIST_PAGE 500
#define LISTED_MS (14 * MS_DAY)
#define LOOK_MAX ((size_t)20000)

static err period_check(req *rq, int64_t seconds)
{
	bool high = seconds == 1 || seconds == 5 || seconds == 10 || seconds == 20 || seconds == 30;
	if (!high && (seconds < 60 || seconds % 60))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");
	return OK;
}

static err request_check(req *rq, const cloudwatch_GetMetricStatistics_in *in)
{
	TRY(period_check(rq, in->Period.v));
	if (!in->Statistics.n && !in->ExtendedStatistics.n)
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "Must specify either Statistics or ExtendedStatistics");
	if (in->StartTime.v / MS_SECOND >= in->EndTime.v / MS_SECOND)
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The parameter StartTime must be less than the parameter EndTime.");
	int64_t points = (in->EndTime.v - in->StartTime.v) / (in->Period.v * MS_SECOND);
	if (points > CW_STATISTICS_MAX)
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "You have requested up to %lld datapoints, which exceeds the limit of %d. You may reduce "
		            "the datapoints requested by increasing Period, or decreasing the time range.",
		            (long long)points, CW_STATISTICS_MAX);
	for (size_t i = 0; i < in->ExtendedStatistics.n; i++)
		if (!statistic_known(in->ExtendedStatistics.v[i]) || statistic_simple(in->ExtendedStatistics.v[i]))
			return fail(rq, &cloudwatch_InvalidParameterValueException,
			            "The value %.*s for parameter ExtendedStatistics is not supported.",
			            STR_ARG(in->ExtendedStatistics.v[i]));
	return OK;
}

static cloudwatch_Datapoint datapoint(req *rq, const cloudwatch_GetMetricStatistics_in *in,
                                      const cloudwatch_Bucket *b, int64_t when, str unit)
{
	cloudwatch_Datapoint d = { .Timestamp = TIME(when), .Unit = unit };
	double v;
	for (size_t i = 0; i < in->Statistics.n; i++) {
		str name = in->Statistics.v[i];
		opt_f64 *to = str_eq(name, S("Average"))     ? &d.Average :
			      str_eq(name, S("Sum"))         ? &d.Sum :
			      str_eq(name, S("Minimum"))     ? &d.Minimum :
			      str_eq(name, S("Maximum"))     ? &d.Maximum :
							       &d.SampleCount;
		if (statistic_of(b, name, &v))
			*to = F64(v);
	}
	d.ExtendedStatistics.v = in->ExtendedStatistics.n
		? arena_array(rq->mem, cloudwatch_DatapointValueMap_entry, in->ExtendedStatistics.n)
		: NULL;
	for (size_t i = 0; i < in->ExtendedStatistics.n; i++)
		if (statistic_of(b, in->ExtendedStatistics.v[i], &v))
			d.ExtendedStatistics.v[d.ExtendedStatistics.n++] = (cloudwatch_DatapointValueMap_entry){
				in->ExtendedStatistics.v[i], F64(v) };
	return d;
}

static void add_datapoints(req *rq, const cloudwatch_GetMetricStatistics_in *in, const series *s,
                           cloudwatch_Datapoints *to)
{
	cloudwatch_Datapoint *all = arena_array(rq->mem, cloudwatch_Datapoint, to->n + s->n + 1);
	if (to->n)
		memcpy(all, to->v, to->n * sizeof *all);
	to->v = all;
	for (size_t i = 0; i < s->n; i++)
		all[to->n++] = datapoint(rq, in, &s->buckets[i], s->when[i], s->unit);
}

err cloudwatch_GetMetricStatistics(req *rq, const txn *tx, const cloudwatch_GetMetricStatistics_in *in,
                                   cloudwatch_GetMetricStatistics_out *out)
{
	TRY(request_check(rq, in));
	meter_one(rq, &CW_API, S("GetMetricStatistics"));
	out->Label = in->MetricName;
	out->Datapoints.v = arena_new(rq->mem, cloudwatch_Datapoint);
	const cloudwatch_metric *m = metric_find(tx, rq->mem, rq->who.account, rq->region, in->Namespace,
	                                         in->MetricName, &in->Dimensions);
	if (!m)
		return OK;
	int64_t period = in->Period.v * MS_SECOND;
	series_span span = { series_start(in->StartTime.v, period, rq->now), in->EndTime.v, period, rq->now,
		             CW_STATISTICS_MAX };
	series s = metric_series(tx, rq->mem, m->Id, in->Unit, &span);
	add_datapoints(rq, in, &s, &out->Datapoints);
	/* Each unit has data points of its own. */
	for (size_t i = 0; str_is(unit_ranked(i)); i++)
		if (s.units >> i & 1 && !str_eq(unit_ranked(i), s.unit)) {
			series other = metric_series(tx, rq->mem, m->Id, unit_ranked(i), &span);
			add_datapoints(rq, in, &other, &out->Datapoints);
		}
	return OK;
}

static bool dimensions_fit(const cloudwatch_metric *m, const cloudwatch_DimensionFilters *filters)
{
	for (size_t i = 0; i < filters->n; i++) {
		bool found = false;
		for (size_t j = 0; j < m->Dimensions.n; j++)
			found = found || (str_eq(m->Dimensions.v[j].Name, filters->v[i].Name) &&
			                  (!str_is(filters->v[i].Value) ||
			                   str_eq(m->Dimensions.v[j].Value, filters->v[i].Value)));
		if (!found)
			return false;
	}
	return true;
}

/* Metrics by their keys, from behind one on. */
typedef struct walk {
	cursor at;
	arena *mem;
} walk;

static walk metrics_from(req *rq, const txn *tx, str name_space, str name, str after)
{
	/* What is behind the known parts of a key is two bytes for each empty part; a name counts only in its
	 * namespace. */
	bool named = name_space.n && name.n;
	cloudwatch_metric none = { .Account = rq->who.account, .Region = rq->region,
		                       .Namespace = name_space.n ? name_space : S(""),
		                       .Name = named ? name : S(""), .DimensionKey = S("") };
	str key = record_key(rq->mem, &cloudwatch_metric_record, &none);
	str first = str_sub(key, 0, key.n - (named ? 2 : name_space.n ? 4 : 6));
	str from = str_is(after) ? arena_concat(rq->mem, after, str_of("\0", 1)) : first;
	return (walk){ txn_scan(tx, from, key_after_prefix(rq->mem, first), false), rq->mem };
}

static cloudwatch_metric *metrics_next(walk *w)
{
	if (!cursor_next(&w->at))
		return NULL;
	size_t n = w->at.key.n, more = w->at.value.n;
	char *bytes = arena_bytes(w->mem, n + more);
	memcpy(bytes, w->at.key.p, n);
	memcpy(bytes + n, w->at.value.p, more);
	cloudwatch_metric *m = arena_new(w->mem, cloudwatch_metric);
	bool readable = record_parse(w->mem, &cloudwatch_metric_record, bytes, n, str_of(bytes + n, more), m);
	ensure(readable);
	return m;
}

static bool metric_fits(const cloudwatch_metric *m, const cloudwatch_ListMetrics_in *in, int64_t since)
{
	return m->Last >= since && dimensions_fit(m, &in->Dimensions) &&
	       (!str_is(in->MetricName) || str_eq(m->Name, in->MetricName));
}

/* A page looks at a bounded number of metrics; its end is the key of the last one looked at. */
err cloudwatch_ListMetrics(req *rq, const txn *tx, const cloudwatch_ListMetrics_in *in,
                           cloudwatch_ListMetrics_out *out)
{
	str after = STR_NONE;
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &after))
		return fail(rq, &cloudwatch_InvalidNextToken, "Request parameter NextToken is invalid.");
	if (str_is(in->OwningAccount) && !str_eq(in->OwningAccount, rq->who.account))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "Metrics of account %.*s cannot be seen from this account.", STR_ARG(in->OwningAccount));
	int64_t since = rq->now - (str_is(in->RecentlyActive) ? 3 * MS_HOUR : LISTED_MS);
	out->Metrics.v = arena_array(rq->mem, cloudwatch_Metric, LIST_PAGE);
	walk w = metrics_from(rq, tx, in->Namespace, in->MetricName, after);
	size_t looked = 0;
	str last = STR_NONE;
	for (cloudwatch_metric *m; (m = metrics_next(&w));) {
		bool fits = metric_fits(m, in, since);
		if (looked++ == LOOK_MAX || (fits && out->Metrics.n == LIST_PAGE)) {
			out->NextToken = page_token(rq, last);
			break;
		}
		last = record_key(rq->mem, &cloudwatch_metric_record, m);
		if (!fits)
			continue;
		cloudwatch_Metric *to = &out->Metrics.v[out->Metrics.n++];
		*to = (cloudwatch_Metric){ m->Namespace, m->Name, m->Dimensions };
		if (!to->Dimensions.v)
			to->Dimensions.v = arena_new(rq->mem, cloudwatch_Dimension);
	}
	cursor_close(&w.at);
	meter_one(rq, &CW_API, S("ListMetrics"));
	return OK;
}
