/* What AWS refuses of a metric alarm. */
#include "alarm_check.h"
#include "select.h"

#define WINDOW_MAX_S (7 * 86400)

static err missing(req *rq, const char *what)
{
	return fail(rq, &aws_ValidationException,
	            "1 validation error detected: Value null at '%s' failed to "
	            "satisfy constraint: Member must not be null",
	            what);
}

static err invalid(req *rq, const char *sentence)
{
	return fail(rq, &aws_ValidationException, "%s", sentence);
}

static bool band_operator(str op)
{
	return str_eq(op, S("LessThanLowerOrGreaterThanUpperThreshold"))
		|| str_eq(op, S("LessThanLowerThreshold")) || str_eq(op, S("GreaterThanUpperThreshold"));
}

static err metric_check(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	if (!str_is(in->MetricName) || !str_is(in->Namespace))
		return missing(rq, str_is(in->MetricName) ? "namespace" : "metricName");
	if (str_is(in->ThresholdMetricId))
		return invalid(rq, "ThresholdMetricId requires Metrics.");
	if (!in->Period.set)
		return missing(rq, "period");
	if (str_is(in->Statistic) == str_is(in->ExtendedStatistic))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "Exactly one of Statistic and ExtendedStatistic must be specified.");
	if (str_is(in->ExtendedStatistic)
	    && (!statistic_known(in->ExtendedStatistic) || statistic_simple(in->ExtendedStatistic)))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value %.*s for parameter ExtendedStatistic is not supported.",
		            STR_ARG(in->ExtendedStatistic));
	int64_t period = in->Period.v;
	if (period != 10 && period != 20 && period != 30 && (period < 60 || period % 60))
		return invalid(rq, "Period must be 10, 20, 30 or a multiple of 60.");
	return OK;
}

/* What is compared, and that it stands alone. */
static err returned_check(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	size_t returned = 0;
	for (size_t i = 0; i < in->Metrics.n; i++)
		returned += (!in->Metrics.v[i].ReturnData.set || in->Metrics.v[i].ReturnData.v)
			&& !str_eq(in->Metrics.v[i].Id, in->ThresholdMetricId);
	if (returned == 1)
		return OK;
	return invalid(rq,
	               returned ? "Exactly one element of the metrics list should return data."
	                        : "At least one element of the metrics list should return data.");
}

/* What belongs to an alarm on one metric. */
static err alone_check(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	const struct {
		const char *name;
		bool set;
	} others[] = {
		{ "MetricName", str_is(in->MetricName) },
		{ "Namespace", str_is(in->Namespace) },
		{ "Dimensions", in->Dimensions.n },
		{ "Period", in->Period.set },
		{ "Unit", str_is(in->Unit) },
		{ "Statistic", str_is(in->Statistic) },
		{ "ExtendedStatistic", str_is(in->ExtendedStatistic) },
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i].set)
			return fail(rq, &aws_ValidationException, "%s should not be set if list of Metrics is set.",
			            others[i].name);
	return OK;
}

static err math_check(req *rq, const txn *tx, const cloudwatch_PutMetricAlarm_in *in)
{
	int64_t period = 0;
	size_t metrics = 0;
	TRY(alone_check(rq, in));
	for (size_t i = 0; i < in->Metrics.n; i++)
		if (select_begins(in->Metrics.v[i].Expression))
			return fail(rq, &aws_NotImplemented,
			            "Farthing's alarms do not watch Metrics Insights queries (SELECT ..).");
	query_set s = { .rq = rq, .tx = tx, .queries = in->Metrics.v, .n = in->Metrics.n, .now = rq->now };
	/* AWS says no more of any query that it cannot read. */
	err unreadable = query_open(&s);
	if (unreadable)
		return unreadable->kind == &aws_NotImplemented ? unreadable : invalid(rq, "Invalid metrics list");
	for (size_t i = 0; i < in->Metrics.n; i++) {
		const cloudwatch_MetricDataQuery *q = &in->Metrics.v[i];
		math_node *node;
		if (q->MetricStat) {
			metrics++;
			if (period && period != q->MetricStat->Period.v)
				return invalid(rq, "All metrics of an alarm must use the same period.");
			period = q->MetricStat->Period.v;
			continue;
		}
		TRY(math_parse(rq, q->Id, q->Expression, &node));
		size_t at = 0;
		for (str id; math_mentions(node, &at, &id);)
			if (query_place(&s, id) == SIZE_MAX)
				return invalid(rq, "Invalid metrics list");
		if (math_calls(node, S("SEARCH")))
			return invalid(rq, "SEARCH expressions cannot be used in alarms.");
	}
	if (metrics > CW_ALARM_METRICS_MAX)
		return fail(rq, &aws_ValidationException, "An alarm can watch at most %d metrics.",
		            CW_ALARM_METRICS_MAX);
	if (period && period != 10 && period != 20 && period != 30 && period % 60)
		return invalid(rq, "Period must be 10, 20, 30 or a multiple of 60.");
	if (str_is(in->ThresholdMetricId) && query_place(&s, in->ThresholdMetricId) == SIZE_MAX)
		return invalid(rq, "ThresholdMetricId must be the id of one of the Metrics.");
	return returned_check(rq, in);
}

static err window_check(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	cloudwatch_MetricAlarm asked = { .Period = in->Period, .Metrics = in->Metrics };
	int64_t period = alarm_period_ms(&asked) / MS_SECOND;
	if (!in->EvaluationPeriods.set)
		return missing(rq, "evaluationPeriods");
	if (in->DatapointsToAlarm.set && in->DatapointsToAlarm.v > in->EvaluationPeriods.v)
		return invalid(rq, "DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
	if (period < 3600 && period * in->EvaluationPeriods.v > 86400)
		return invalid(
			rq,
			"Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= "
			"86400).");
	if (period * in->EvaluationPeriods.v > WINDOW_MAX_S)
		return invalid(
			rq,
			"Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must "
			"be <= 604800).");
	return OK;
}

static err word_check(req *rq, const char *name, str value, const char *words)
{
	str rest = str_c(words);
	if (!str_is(value))
		return OK;
	while (str_is(rest))
		if (str_eq(str_trim(str_cut(&rest, ',')), value))
			return OK;
	return fail(rq, &aws_ValidationException,
	            "The value %.*s is not supported for %s parameter. Supported values are [%s].",
	            STR_ARG(value), name, words);
}

err actions_check(req *rq, const cloudwatch_ResourceList *actions, bool composite)
{
	static const char *const kinds[] = { "arn:aws:sns:",           "arn:aws:lambda:", "arn:aws:ssm:",
		                                 "arn:aws:ssm-incidents:", "arn:aws:aiops:",  "arn:aws:automate:",
		                                 "arn:aws:autoscaling:",   "arn:aws:swf:" };
	for (size_t i = 0; i < actions->n; i++) {
		bool good = false;
		for (size_t k = 0; k < sizeof kinds / sizeof *kinds - (composite ? 3 : 0); k++)
			good = good || str_starts(actions->v[i], str_c(kinds[k]));
		if (!good)
			return fail(rq, &aws_ValidationException, "Invalid arn syntax: %.*s", STR_ARG(actions->v[i]));
	}
	return OK;
}

err alarm_check(req *rq, const txn *tx, const cloudwatch_PutMetricAlarm_in *in)
{
	bool band = band_operator(in->ComparisonOperator);
	if (in->EvaluationCriteria || in->EvaluationInterval.set)
		return fail(rq, &aws_NotImplemented, "Farthing's alarms do not evaluate PromQL.");
	if (!str_is(in->ComparisonOperator))
		return missing(rq, "comparisonOperator");
	TRY(in->Metrics.n ? math_check(rq, tx, in) : metric_check(rq, in));
	if (band != str_is(in->ThresholdMetricId))
		return invalid(rq,
		               band ? "This ComparisonOperator requires a ThresholdMetricId."
		                    : "ThresholdMetricId requires a ComparisonOperator of anomaly detection.");
	if (!band && !in->Threshold.set)
		return missing(rq, "threshold");
	if (band && in->Threshold.set)
		return invalid(rq, "Threshold and ThresholdMetricId cannot both be set");
	TRY(window_check(rq, in));
	TRY(word_check(rq, "TreatMissingData", in->TreatMissingData, "breaching, notBreaching, ignore, missing"));
	str few = in->EvaluateLowSampleCountPercentile;
	if (str_is(few) && !str_eq(few, S("evaluate")) && !str_eq(few, S("ignore")))
		return fail(rq, &aws_ValidationException,
		            "Option %.*s is not supported. Supported options for parameter "
		            "EvaluateLowSampleCountPercentile are evaluate and ignore.", STR_ARG(few));
	TRY(actions_check(rq, &in->AlarmActions, false));
	TRY(actions_check(rq, &in->OKActions, false));
	return actions_check(rq, &in->InsufficientDataActions, false);
}
