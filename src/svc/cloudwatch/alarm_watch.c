/* When a metric alarm is looked at, and what it sees. */
#include "alarm.h"
#include "cloud/call.h"
#include "query.h"
#include "store/due.h"
#include <math.h>

#define RANGE_EXTRA 2
#define SETTLE_MS 200 /* what came in the step's last moment is on disk by then */

size_t alarm_periods(const cloudwatch_MetricAlarm *it)
{
	return it->EvaluationPeriods.v > 0 ? (size_t)it->EvaluationPeriods.v : 1;
}

size_t alarm_to_alarm(const cloudwatch_MetricAlarm *it)
{
	return it->DatapointsToAlarm.set ? (size_t)it->DatapointsToAlarm.v : alarm_periods(it);
}

int64_t alarm_period_ms(const cloudwatch_MetricAlarm *it)
{
	int64_t seconds = it->Period.set ? it->Period.v : 60;
	for (size_t i = 0; i < it->Metrics.n; i++)
		if (it->Metrics.v[i].MetricStat)
			seconds = it->Metrics.v[i].MetricStat->Period.v;
	return seconds * MS_SECOND;
}

/* AWS looks every minute, or every ten seconds where periods are shorter; so the window slides. */
static int64_t step_of(const cloudwatch_alarm *a)
{
	return alarm_period_ms(a->It) < MS_MINUTE ? 10 * MS_SECOND : MS_MINUTE;
}

static str place_of(arena *mem, const cloudwatch_alarm *a)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(a->Account), STR_ARG(a->Region), STR_ARG(a->Name));
}

void alarm_arm(txn *tx, cloudwatch_alarm *a, int64_t now)
{
	int64_t step = step_of(a), due = now - now % step + step + SETTLE_MS;
	if (a->ArmedFor > now)
		return;
	a->ArmedFor = due;
	cloudwatch_alarm_put(tx, a);
	str place = place_of(txn_arena(tx), a);
	timer_set(tx, "cloudwatch_alarm", place, due, place);
}

static record_scan watches_of(const txn *tx, arena *mem, const cloudwatch_metric *m)
{
	return cloudwatch_watch_scan(tx, mem, 5, m->Account, m->Region, m->Namespace, m->Name, m->DimensionKey,
	                             STR_NONE);
}

bool alarms_watch(txn *tx, const cloudwatch_metric *m)
{
	record_scan s = watches_of(tx, txn_arena(tx), m);
	bool any = cloudwatch_watch_next(&s) != NULL;
	cursor_close(&s.at);
	return any;
}

void alarms_wake(txn *tx, const cloudwatch_metric *m, int64_t when, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan s = watches_of(tx, mem, m);
	for (cloudwatch_watch *w; (w = cloudwatch_watch_next(&s));) {
		cloudwatch_alarm *a = cloudwatch_alarm_get(tx, mem, m->Account, m->Region, w->Alarm);
		if (!a || (a->ArmedFor > now && a->News >= when - when % step_of(a)))
			continue;
		/* Armed for the step that has just ended, it will not see this: it is to look once more. */
		a->News = when > a->News ? when : a->News;
		if (a->ArmedFor > now)
			cloudwatch_alarm_put(tx, a);
		else
			alarm_arm(tx, a, now);
	}
}

static void watch_one(txn *tx, arena *mem, const cloudwatch_alarm *a, str name_space, str name,
                      const cloudwatch_Dimensions *dimensions, bool on)
{
	cloudwatch_watch w = { a->Account, a->Region, name_space, name, dimension_key(mem, dimensions), a->Name };
	if (on)
		cloudwatch_watch_put(tx, &w);
	else
		cloudwatch_watch_delete(tx, w.Account, w.Region, w.Namespace, w.Name, w.DimensionKey, w.Alarm);
}

void alarm_watch(txn *tx, arena *mem, const cloudwatch_alarm *a, bool on)
{
	const cloudwatch_MetricAlarm *it = a->It;
	if (!it->Metrics.n)
		watch_one(tx, mem, a, it->Namespace, it->MetricName, &it->Dimensions, on);
	for (size_t i = 0; i < it->Metrics.n; i++) {
		const cloudwatch_MetricStat *s = it->Metrics.v[i].MetricStat;
		if (s)
			watch_one(tx, mem, a, s->Metric->Namespace, s->Metric->MetricName, &s->Metric->Dimensions, on);
	}
}

static bool breaches(const cloudwatch_MetricAlarm *a, const window *w, size_t i)
{
	str op = a->ComparisonOperator;
	double v = w->values[i], threshold = a->Threshold.v;
	bool lower = w->banded && v < w->low[i], upper = w->banded && v > w->high[i];
	if (w->banded)
		return str_eq(op, S("LessThanLowerThreshold"))   ? lower
			: str_eq(op, S("GreaterThanUpperThreshold")) ? upper
														 : lower || upper;
	if (str_eq(op, S("GreaterThanOrEqualToThreshold")))
		return v >= threshold;
	if (str_eq(op, S("GreaterThanThreshold")))
		return v > threshold;
	if (str_eq(op, S("LessThanThreshold")))
		return v < threshold;
	return v <= threshold;
}

/* One metric. A percentile of too few samples may be one to ignore. */
static void look_at_metric(const txn *tx, arena *mem, const cloudwatch_alarm *a, int64_t now, window *w)
{
	const cloudwatch_MetricAlarm *it = a->It;
	int64_t start = w->end - (int64_t)w->n * w->period_ms;
	str stat = str_is(it->Statistic) ? it->Statistic : it->ExtendedStatistic;
	const cloudwatch_metric *m =
		metric_find(tx, mem, a->Account, a->Region, it->Namespace, it->MetricName, &it->Dimensions);
	bool ignoring = str_eq(it->EvaluateLowSampleCountPercentile, S("ignore"));
	double wanted = ignoring ? statistic_samples_wanted(stat) : 0;
	if (!m)
		return;
	series_span span = { start, w->end, w->period_ms, now, w->n };
	series s = metric_series(tx, mem, m->Id, it->Unit, &span);
	for (size_t i = 0; i < s.n; i++) {
		size_t at = (size_t)((s.when[i] - start) / w->period_ms);
		if (!statistic_of(&s.buckets[i], stat, &w->values[at]))
			continue;
		w->samples[at] = s.buckets[i].Samples.v;
		w->too_few = w->too_few || w->samples[at] < wanted;
		w->points[at] = POINT_OK;
	}
}

/* The query whose result the alarm compares: what returns data and is not the band. */
static size_t compared(const cloudwatch_MetricAlarm *it)
{
	for (size_t i = 0; i < it->Metrics.n; i++)
		if (!str_eq(it->Metrics.v[i].Id, it->ThresholdMetricId)
		    && (!it->Metrics.v[i].ReturnData.set || it->Metrics.v[i].ReturnData.v))
			return i;
	return 0;
}

static err look_at_math(req *rq, const txn *tx, const cloudwatch_alarm *a, int64_t now, window *w)
{
	const cloudwatch_MetricAlarm *it = a->It;
	query_set s = { .rq = rq,
		            .tx = tx,
		            .queries = it->Metrics.v,
		            .n = it->Metrics.n,
		            .now = now,
		            .exact = true,
		            .end = w->end,
		            .start = w->end - (int64_t)w->n * w->period_ms,
		            .points_max = CW_DATA_MAX };
	query_answer value, band;
	size_t banded = query_place(&s, it->ThresholdMetricId);
	TRY(query_open(&s));
	TRY(query_answer_of(&s, compared(it), &value));
	if (value.value.n != 1)
		return fail(rq, &aws_ValidationException, "The expression gives %zu time series", value.value.n);
	if (str_is(it->ThresholdMetricId)) {
		if (banded == SIZE_MAX)
			return fail(rq, &aws_ValidationException, "There is no band");
		TRY(query_answer_of(&s, banded, &band));
		if (band.value.n != 2)
			return fail(rq, &aws_ValidationException, "The band does not have two time series");
		w->banded = true;
	}
	for (size_t i = 0; i < w->n && i < value.at.n; i++) {
		double v = value.value.lines[0].v[i];
		if (isnan(v) || (w->banded && isnan(band.value.lines[0].v[i])))
			continue;
		w->values[i] = v;
		w->points[i] = POINT_OK;
		if (!w->banded)
			continue;
		w->high[i] = band.value.lines[0].v[i];
		w->low[i] = band.value.lines[1].v[i];
	}
	return OK;
}

static void look(txn *tx, arena *mem, const cloudwatch_alarm *a, int64_t now, window *w)
{
	int64_t step = step_of(a);
	w->period_ms = alarm_period_ms(a->It);
	w->n = alarm_periods(a->It) + RANGE_EXTRA;
	w->points = arena_array(mem, point_state, w->n);
	w->values = arena_array(mem, double, w->n);
	w->samples = arena_array(mem, double, w->n);
	w->low = arena_array(mem, double, w->n);
	w->high = arena_array(mem, double, w->n);
	w->end = now - now % step;
	if (a->It->Metrics.n) {
		req *rq = req_internal(mem, txn_store(tx), "cloudwatch.amazonaws.com", a->Account, a->Region);
		err e = look_at_math(rq, tx, a, now, w);
		if (e)
			w->fault = arena_str(mem, e->message);
	} else {
		look_at_metric(tx, mem, a, now, w);
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->points[i] == POINT_MISSING)
			continue;
		w->existing++;
		if (breaches(a->It, w, i))
			w->points[i] = POINT_BREACHING;
	}
}

static str state_of(const cloudwatch_alarm *a, const window *w)
{
	const cloudwatch_MetricAlarm *it = a->It;
	str missing = str_is(it->TreatMissingData) ? it->TreatMissingData : S("missing");
	/* AWS: whatever is asked, alarms on DynamoDB's metrics ignore missing data. */
	if (str_eq(it->Namespace, S("AWS/DynamoDB")))
		missing = S("ignore");
	if (w->fault.n || w->too_few)
		return w->fault.n ? S("INSUFFICIENT_DATA") : it->StateValue;
	return alarm_state(w->points, w->n, alarm_to_alarm(it), alarm_periods(it), missing, it->StateValue);
}

TIMER(cloudwatch_alarm)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	cloudwatch_alarm *a = cloudwatch_alarm_get(tx, mem, account, region, rest);
	if (!a)
		return;
	window *w = arena_new(mem, window);
	int64_t now = due - SETTLE_MS;
	look(tx, mem, a, now, w);
	str state = state_of(a, w), before = a->It->StateValue;
	bool changed = !str_eq(state, before);
	alarm it = { .metric = a };
	a->It->EvaluationState = w->fault.n ? cloudwatch_EvaluationState_EVALUATION_ERROR : STR_NONE;
	if (changed && w->fault.n)
		alarm_change(tx, &it, state, w->fault, STR_NONE, due);
	else if (changed)
		alarm_change(tx, &it, state, alarm_reason(mem, a->It, w, state),
		             alarm_reason_data(mem, a->It, w, due), due);
	else if (str_eq(state, S("ALARM")))
		alarm_act(tx, &it, before, S("arn:aws:autoscaling:"), due);
	a->ArmedFor = 0;
	/* News that came after the step's end, or data still in sight, want another look. */
	if (w->existing || changed || a->News >= now)
		alarm_arm(tx, a, due);
	else
		cloudwatch_alarm_put(tx, a);
}
