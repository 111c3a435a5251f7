#include "alarm.h"
#include "base/json.h"
#include "base/time.h"
#include "store/due.h"

#define RANGE_EXTRA 2
#define RANGE_MAX 200
#define SETTLE_MS 200 /* what came in the period's last moment is on disk by then */

static int64_t period_of(const cloudwatch_alarm *a)
{
	return (a->It->Period.set ? a->It->Period.v : 60) * MS_SECOND;
}

/* Every period, but not more often than AWS looks: each minute, or ten seconds for shorter periods. */
static int64_t step_of(const cloudwatch_alarm *a)
{
	return period_of(a) < MS_MINUTE ? 10 * MS_SECOND : MS_MINUTE;
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

void alarms_wake(txn *tx, str account, str region, str name_space, str name, str key, int64_t now)
{
	arena *mem = txn_arena(tx);
	record_scan s = cloudwatch_watch_scan(tx, mem, 5, account, region, name_space, name, key, STR_NONE);
	for (cloudwatch_watch *w; (w = cloudwatch_watch_next(&s));) {
		cloudwatch_alarm *a = cloudwatch_alarm_get(tx, mem, account, region, w->Alarm);
		if (a)
			alarm_arm(tx, a, now);
	}
}

static bool breaches(const cloudwatch_MetricAlarm *a, double v)
{
	str op = a->ComparisonOperator;
	double threshold = a->Threshold.v;
	if (str_eq(op, S("GreaterThanOrEqualToThreshold")))
		return v >= threshold;
	if (str_eq(op, S("GreaterThanThreshold")))
		return v > threshold;
	if (str_eq(op, S("LessThanThreshold")))
		return v < threshold;
	return v <= threshold;
}

typedef struct window {
	point_state points[RANGE_MAX];
	double values[RANGE_MAX];
	size_t n, existing;
	int64_t end;
} window;

static void look(const txn *tx, arena *mem, const cloudwatch_alarm *a, int64_t now, window *w)
{
	const cloudwatch_MetricAlarm *it = a->It;
	int64_t period = period_of(a);
	w->n = (size_t)it->EvaluationPeriods.v + RANGE_EXTRA;
	w->n = w->n < RANGE_MAX ? w->n : RANGE_MAX;
	w->end = now - now % period;
	int64_t start = w->end - (int64_t)w->n * period;
	str stat = str_is(it->Statistic) ? it->Statistic : it->ExtendedStatistic;
	const cloudwatch_metric *m = metric_find(tx, mem, a->Account, a->Region, it->Namespace, it->MetricName,
	                                         &it->Dimensions);
	if (!m)
		return;
	series_span span = { start, w->end, period, now, w->n };
	series s = metric_series(tx, mem, m->Id, it->Unit, &span);
	for (size_t i = 0; i < s.n; i++) {
		size_t at = (size_t)((s.when[i] - start) / period);
		if (at >= w->n || !statistic_of(&s.buckets[i], stat, &w->values[at]))
			continue;
		w->points[at] = breaches(it, w->values[at]) ? POINT_BREACHING : POINT_OK;
		w->existing++;
	}
}

static const char *words_of(str op)
{
	return str_eq(op, S("GreaterThanOrEqualToThreshold")) ? "greater than or equal to" :
	       str_eq(op, S("GreaterThanThreshold"))          ? "greater than" :
	       str_eq(op, S("LessThanThreshold"))             ? "less than" :
								"less than or equal to";
}

static str reason_of(arena *mem, const cloudwatch_alarm *a, const window *w, str state)
{
	const cloudwatch_MetricAlarm *it = a->It;
	buf b = buf_in(mem, 256, 1023);
	size_t periods = (size_t)it->EvaluationPeriods.v, said = 0, hits = 0;
	bool alarm = str_eq(state, S("ALARM"));
	if (!w->existing) {
		buf_fmt(&b, "%s: no datapoints were received for %zu period%s",
		        str_eq(state, S("INSUFFICIENT_DATA")) ? "Insufficient Data" : "Threshold Crossed", periods,
		        periods == 1 ? "" : "s");
		return buf_str(&b);
	}
	buf list = buf_in(mem, 128, 600);
	for (size_t i = w->n; i-- > 0 && said < periods;) {
		if (w->points[i] == POINT_MISSING)
			continue;
		civil c = time_civil(w->end - (int64_t)(w->n - i) * period_of(a));
		buf_put(&list, said ? S(", ") : S(""));
		json_put_double(&list, w->values[i]);
		buf_fmt(&list, " (%02d/%02d/%02d %02d:%02d:%02d)", c.day, c.month, c.year % 100, c.hour, c.minute,
		        c.second);
		hits += (w->points[i] == POINT_BREACHING) == alarm;
		said++;
	}
	buf_fmt(&b, "Threshold Crossed: %zu out of the last %zu datapoint%s [%.*s] %s %s%s the threshold (",
	        hits, said, said == 1 ? "" : "s", STR_ARG(buf_str(&list)), hits == 1 ? "was" : "were",
	        alarm ? "" : "not ", words_of(it->ComparisonOperator));
	json_put_double(&b, it->Threshold.v);
	buf_fmt(
		&b, ") (minimum %lld datapoint%s for %s transition).",
		(long long)(alarm ? it->DatapointsToAlarm.v : it->EvaluationPeriods.v - it->DatapointsToAlarm.v + 1),
		it->DatapointsToAlarm.v == 1 ? "" : "s", alarm ? "OK -> ALARM" : "ALARM -> OK");
	return buf_str(&b);
}

static str data_of(arena *mem, const cloudwatch_alarm *a, const window *w, int64_t now)
{
	buf b = buf_in(mem, 256, 4000);
	bool first = true;
	buf_put(&b, S("{\"version\":\"1.0\",\"queryDate\":"));
	json_put_string(&b, time_iso_ms(mem, now));
	buf_put(&b, S(",\"statistic\":"));
	json_put_string(&b, str_is(a->It->Statistic) ? a->It->Statistic : a->It->ExtendedStatistic);
	buf_fmt(&b, ",\"period\":%lld,\"recentDatapoints\":[", (long long)a->It->Period.v);
	for (size_t i = 0; i < w->n; i++) {
		if (w->points[i] == POINT_MISSING)
			continue;
		if (!first)
			buf_c(&b, ',');
		json_put_double(&b, w->values[i]);
		first = false;
	}
	buf_put(&b, S("],\"threshold\":"));
	json_put_double(&b, a->It->Threshold.v);
	buf_c(&b, '}');
	return buf_str(&b);
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
	str missing = str_is(a->It->TreatMissingData) ? a->It->TreatMissingData : S("missing");
	if (str_eq(a->It->Namespace, S("AWS/DynamoDB")))
		missing = S("ignore");
	str state = alarm_state(w->points, w->n, (size_t)a->It->DatapointsToAlarm.v,
	                        (size_t)a->It->EvaluationPeriods.v, missing, a->It->StateValue);
	bool changed = !str_eq(state, a->It->StateValue);
	if (changed)
		alarm_set_state(tx, a, state, reason_of(mem, a, w, state), data_of(mem, a, w, now), due);
	a->ArmedFor = 0;
	if (w->existing || changed)
		alarm_arm(tx, a, due);
	else
		cloudwatch_alarm_put(tx, a);
}
