/* The anomaly detectors: what is kept of them. The model itself is worked out when it is asked (band.c). */
#include "base/json.h"
#include "query.h"

#define PAGE 10
#define TRAINED_ENOUGH 3
#define STEP_MS (5 * MS_MINUTE)

/* The queries as text: equal for equal detectors of metric math. */
static str math_key(arena *mem, const cloudwatch_MetricMathAnomalyDetector *m)
{
	buf b = buf_in(mem, 256, 4000);
	for (size_t i = 0; i < m->MetricDataQueries.n; i++) {
		const cloudwatch_MetricDataQuery *q = &m->MetricDataQueries.v[i];
		const cloudwatch_MetricStat *s = q->MetricStat;
		buf_fmt(&b, "%.*s=%.*s", STR_ARG(q->Id), STR_ARG(q->Expression));
		if (s)
			buf_fmt(&b, "%.*s/%.*s/%.*s/%.*s/%lld", STR_ARG(s->Metric->Namespace),
			        STR_ARG(s->Metric->MetricName), STR_ARG(dimension_key(mem, &s->Metric->Dimensions)),
			        STR_ARG(s->Stat), (long long)s->Period.v);
		buf_c(&b, '\n');
	}
	return str_sub(buf_str(&b), 0, 3000);
}

/* The row that the three ways of naming a detector mean. */
static err named(req *rq, const cloudwatch_SingleMetricAnomalyDetector *single,
                 const cloudwatch_MetricMathAnomalyDetector *math, cloudwatch_detector *out)
{
	*out = (cloudwatch_detector){ .Account = rq->who.account,
		                          .Region = rq->region,
		                          .Namespace = S(""),
		                          .Name = S(""),
		                          .DimensionKey = S(""),
		                          .Stat = S("") };
	if (math) {
		if (!math->MetricDataQueries.n)
			return fail(rq, &cloudwatch_MissingRequiredParameterException,
			            "MetricDataQueries is required in MetricMathAnomalyDetector.");
		out->Stat = math_key(rq->mem, math);
		return OK;
	}
	if (!str_is(single->Namespace) || !str_is(single->MetricName) || !str_is(single->Stat))
		return fail(rq, &cloudwatch_MissingRequiredParameterException,
		            "Namespace, MetricName and Stat are required.");
	if (!statistic_known(single->Stat))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value %.*s for parameter Stat is not supported.", STR_ARG(single->Stat));
	out->Namespace = single->Namespace;
	out->Name = single->MetricName;
	out->DimensionKey = dimension_key(rq->mem, &single->Dimensions);
	out->Stat = single->Stat;
	return OK;
}

/* Older clients give the metric's parts at the top of a request: these are such. */
#define LOOSE(in) \
	{ .Namespace = (in)->Namespace, .MetricName = (in)->MetricName, .Dimensions = (in)->Dimensions, \
	  .Stat = (in)->Stat }

/* The row that a request means; `metric` holds the loose parts, and afterwards the metric. */
static err asked(req *rq, const cloudwatch_SingleMetricAnomalyDetector *given,
                 const cloudwatch_MetricMathAnomalyDetector *math,
                 cloudwatch_SingleMetricAnomalyDetector *metric, cloudwatch_detector *row)
{
	bool loose = str_is(metric->Namespace) || str_is(metric->MetricName) || str_is(metric->Stat) ||
		     metric->Dimensions.n;
	if ((given && loose) || (math && (given || loose)))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "SingleMetricAnomalyDetector, MetricMathAnomalyDetector and the designated "
		            "parameters of a single metric are mutually exclusive.");
	if (given)
		*metric = *given;
	return named(rq, metric, math, row);
}

err cloudwatch_PutAnomalyDetector(req *rq, txn *tx, const cloudwatch_PutAnomalyDetector_in *in,
                                  cloudwatch_PutAnomalyDetector_out *out)
{
	cloudwatch_SingleMetricAnomalyDetector metric = LOOSE(in);
	cloudwatch_detector row;
	TRY(asked(rq, in->SingleMetricAnomalyDetector, in->MetricMathAnomalyDetector, &metric, &row));
	for (size_t i = 0; in->Configuration && i < in->Configuration->ExcludedTimeRanges.n; i++)
		if (in->Configuration->ExcludedTimeRanges.v[i].StartTime.v
		    >= in->Configuration->ExcludedTimeRanges.v[i].EndTime.v)
			return fail(rq, &cloudwatch_InvalidParameterValueException,
			            "The StartTime of an excluded time range must be before its EndTime.");
	cloudwatch_AnomalyDetector it = { .Configuration = in->Configuration,
		                              .MetricCharacteristics = in->MetricCharacteristics,
		                              .MetricMathAnomalyDetector = in->MetricMathAnomalyDetector };
	if (!in->MetricMathAnomalyDetector) {
		it.SingleMetricAnomalyDetector = &metric;
		it.Namespace = metric.Namespace;
		it.MetricName = metric.MetricName;
		it.Dimensions = metric.Dimensions;
		it.Stat = metric.Stat;
	}
	row.It = &it;
	cloudwatch_detector_put(tx, &row);
	return OK;
}

err cloudwatch_DeleteAnomalyDetector(req *rq, txn *tx, const cloudwatch_DeleteAnomalyDetector_in *in,
                                     cloudwatch_DeleteAnomalyDetector_out *out)
{
	cloudwatch_SingleMetricAnomalyDetector metric = LOOSE(in);
	cloudwatch_detector row;
	TRY(asked(rq, in->SingleMetricAnomalyDetector, in->MetricMathAnomalyDetector, &metric, &row));
	if (!cloudwatch_detector_delete(tx, row.Account, row.Region, row.Namespace, row.Name, row.DimensionKey,
	                                row.Stat))
		return fail(rq, &cloudwatch_ResourceNotFoundException, "Anomaly detector does not exist.");
	return OK;
}

static bool wanted(const cloudwatch_DescribeAnomalyDetectors_in *in, const cloudwatch_AnomalyDetector *d)
{
	bool math = d->MetricMathAnomalyDetector != NULL, typed = in->AnomalyDetectorTypes.n == 0;
	for (size_t i = 0; i < in->AnomalyDetectorTypes.n; i++)
		typed = typed || str_eq(in->AnomalyDetectorTypes.v[i], math ? S("METRIC_MATH") : S("SINGLE_METRIC"));
	/* Without a type AWS lists those of single metrics. */
	if (!typed || (math && !in->AnomalyDetectorTypes.n)
	    || (str_is(in->Namespace) && !str_eq(in->Namespace, d->Namespace))
	    || (str_is(in->MetricName) && !str_eq(in->MetricName, d->MetricName)))
		return false;
	for (size_t i = 0; i < in->Dimensions.n; i++) {
		bool found = false;
		for (size_t k = 0; k < d->Dimensions.n; k++)
			found = found
				|| (str_eq(in->Dimensions.v[i].Name, d->Dimensions.v[k].Name)
			        && str_eq(in->Dimensions.v[i].Value, d->Dimensions.v[k].Value));
		if (!found)
			return false;
	}
	return true;
}

static str state_of(req *rq, const txn *tx, const cloudwatch_AnomalyDetector *d)
{
	query_set s = { .rq = rq, .tx = tx, .now = rq->now, .end = rq->now, .exact = true };
	cloudwatch_Metric m = { d->Namespace, d->MetricName, d->Dimensions };
	if (d->MetricMathAnomalyDetector)
		return S("TRAINED_INSUFFICIENT_DATA");
	size_t n = band_samples(&s, &m, d->Stat, STEP_MS);
	return !n ? S("PENDING_TRAINING") : n < TRAINED_ENOUGH ? S("TRAINED_INSUFFICIENT_DATA") : S("TRAINED");
}

static void ranges_shown(arena *mem, cloudwatch_AnomalyDetectorConfiguration *c)
{
	if (!c->ExcludedTimeRanges.v)
		c->ExcludedTimeRanges.v = arena_new(mem, cloudwatch_Range);
}

static void dimensions_shown(arena *mem, cloudwatch_Dimensions *d)
{
	if (!d->v)
		d->v = arena_new(mem, cloudwatch_Dimension);
}

/* AWS tells empty lists, and a configuration where none was given. */
static void lists_shown(arena *mem, cloudwatch_AnomalyDetector *d)
{
	if (!d->Configuration) {
		d->Configuration = arena_new(mem, cloudwatch_AnomalyDetectorConfiguration);
		*d->Configuration = (cloudwatch_AnomalyDetectorConfiguration){ 0 };
	}
	ranges_shown(mem, d->Configuration);
	if (d->SingleMetricAnomalyDetector) {
		dimensions_shown(mem, &d->Dimensions);
		dimensions_shown(mem, &d->SingleMetricAnomalyDetector->Dimensions);
	}
}

err cloudwatch_DescribeAnomalyDetectors(req *rq, const txn *tx,
                                        const cloudwatch_DescribeAnomalyDetectors_in *in,
                                        cloudwatch_DescribeAnomalyDetectors_out *out)
{
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : PAGE;
	int64_t skip = 0, seen = 0;
	str position;
	if (str_is(in->NextToken)
	    && (!page_position(rq, in->NextToken, &position) || !str_to_i64(position, &skip)))
		return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
	out->AnomalyDetectors.v = arena_array(rq->mem, cloudwatch_AnomalyDetector, most + 1);
	record_scan s = cloudwatch_detector_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE, STR_NONE,
	                                         STR_NONE, STR_NONE);
	for (cloudwatch_detector *d; (d = cloudwatch_detector_next(&s)); seen++) {
		if (seen < skip || !wanted(in, d->It))
			continue;
		if (out->AnomalyDetectors.n == most) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)seen));
			break;
		}
		cloudwatch_AnomalyDetector *to = &out->AnomalyDetectors.v[out->AnomalyDetectors.n++];
		*to = *d->It;
		lists_shown(rq->mem, to);
		to->StateValue = state_of(rq, tx, to);
	}
	cursor_close(&s.at);
	return OK;
}
