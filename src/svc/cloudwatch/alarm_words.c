/* What an alarm says of its state: reasons in sentences, and as data. */
#include "alarm.h"
#include "base/json.h"
#include <math.h>

/* 5.0, 0.25: a double as AWS's Java writes it. */
static void put_double(buf *b, double v)
{
	size_t from = b->n;
	json_put_double(b, v);
	str text = str_sub(buf_str(b), from, b->n);
	if (str_find_char(text, '.') == SIZE_MAX && str_find_char(text, 'e') == SIZE_MAX)
		buf_put(b, S(".0"));
}

str alarm_time(arena *mem, int64_t ms)
{
	str iso = time_iso_ms(mem, ms);
	return arena_fmt(mem, "%.*s+0000", (int)iso.n - 1, iso.p);
}

static const char *words_of(str op)
{
	return str_eq(op, S("GreaterThanOrEqualToThreshold")) ? "greater than or equal to the threshold"
		: str_eq(op, S("GreaterThanThreshold"))           ? "greater than the threshold"
		: str_eq(op, S("LessThanThreshold"))              ? "less than the threshold"
		: str_eq(op, S("LessThanOrEqualToThreshold"))     ? "less than or equal to the threshold"
		: str_eq(op, S("LessThanLowerThreshold"))         ? "less than the lower thresholds"
		: str_eq(op, S("GreaterThanUpperThreshold"))      ? "greater than the upper thresholds"
														  : "";
}

static void put_plural(buf *b, size_t n, const char *one, const char *several)
{
	buf_fmt(b, "%zu %s", n, n == 1 ? one : several);
}

static str no_data(arena *mem, const cloudwatch_MetricAlarm *it, str state)
{
	buf b = buf_in(mem, 200, 1023);
	size_t n = alarm_periods(it);
	if (str_eq(state, S("INSUFFICIENT_DATA"))) {
		buf_put(&b, S("Insufficient Data: "));
		put_plural(&b, n, "datapoint was unknown.", "datapoints were unknown.");
		return buf_str(&b);
	}
	buf_put(&b, S("Threshold Crossed: no datapoints were received for "));
	put_plural(&b, n, "period", "periods");
	buf_put(&b, S(" and "));
	put_plural(&b, n, "missing datapoint was treated as ", "missing datapoints were treated as ");
	buf_fmt(&b, "[%s].", str_eq(state, S("ALARM")) ? "Breaching" : "NonBreaching");
	return buf_str(&b);
}

static void put_list(buf *b, const double *v, const size_t *which, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_put(b, i ? S(", ") : S(""));
		put_double(b, v[which[i]]);
	}
}

/* The newest that exist, N at most, newest first. */
static size_t chosen(const cloudwatch_MetricAlarm *it, const window *w, size_t *which)
{
	size_t n = 0, periods = alarm_periods(it);
	for (size_t i = w->n; i-- > 0 && n < periods;)
		if (w->points[i] != POINT_MISSING)
			which[n++] = i;
	return n;
}

static void put_condition(buf *b, const cloudwatch_MetricAlarm *it, const window *w, const size_t *which,
                          size_t n, bool crossed)
{
	str op = it->ComparisonOperator;
	const char *no = crossed ? "" : "not ";
	if (!w->banded) {
		buf_fmt(b, "%s%s (", no, words_of(op));
		put_double(b, it->Threshold.v);
		buf_put(b, S(")"));
		return;
	}
	bool both = str_eq(op, S("LessThanLowerOrGreaterThanUpperThreshold"));
	if (both || str_eq(op, S("LessThanLowerThreshold"))) {
		buf_fmt(b, "%sless than the lower thresholds [", no);
		put_list(b, w->low, which, n);
		buf_c(b, ']');
	}
	if (both)
		buf_put(b, S(" or "));
	if (both || str_eq(op, S("GreaterThanUpperThreshold"))) {
		buf_fmt(b, "%sgreater than the upper thresholds [", no);
		put_list(b, w->high, which, n);
		buf_c(b, ']');
	}
}

str alarm_reason(arena *mem, const cloudwatch_MetricAlarm *it, const window *w, str state)
{
	bool crossed = str_eq(state, S("ALARM"));
	if (!w->existing)
		return no_data(mem, it, state);
	size_t *which = arena_array(mem, size_t, alarm_periods(it) + 1), n = chosen(it, w, which), hits = 0;
	buf b = buf_in(mem, 256, 1023), list = buf_in(mem, 128, 600);
	for (size_t i = 0; i < n; i++) {
		civil c = time_civil(w->end - (int64_t)(w->n - which[i]) * w->period_ms);
		buf_put(&list, i ? S(", ") : S(""));
		put_double(&list, w->values[which[i]]);
		buf_fmt(&list, " (%02d/%02d/%02d %02d:%02d:%02d)", c.day, c.month, c.year % 100, c.hour, c.minute,
		        c.second);
		hits += (w->points[which[i]] == POINT_BREACHING) == crossed;
	}
	size_t wanted = crossed ? alarm_to_alarm(it) : alarm_periods(it) - alarm_to_alarm(it) + 1;
	size_t filled = alarm_periods(it) - n;
	buf_fmt(&b, "%s Crossed: %zu out of the last %zu datapoints [%.*s] %s ",
	        w->banded ? "Thresholds" : "Threshold", hits, n, STR_ARG(buf_str(&list)),
	        hits == 1 ? "was" : "were");
	put_condition(&b, it, w, which, n, crossed);
	if (filled
	    && (str_eq(it->TreatMissingData, S("breaching"))
	        || str_eq(it->TreatMissingData, S("notBreaching")))) {
		buf_put(&b, S(" and "));
		put_plural(&b, filled, "missing datapoint was treated as ", "missing datapoints were treated as ");
		buf_fmt(&b, "[%s]", str_eq(it->TreatMissingData, S("breaching")) ? "Breaching" : "NonBreaching");
	}
	buf_fmt(&b, " (minimum %zu datapoint%s for %s transition).", wanted, wanted == 1 ? "" : "s",
	        crossed ? "OK -> ALARM" : "ALARM -> OK");
	return buf_str(&b);
}

static void put_numbers(buf *b, const char *name, const double *v, const window *w, size_t periods)
{
	bool first = true;
	buf_fmt(b, ",\"%s\":[", name);
	/* Where points are missing, older ones stand in: as many as there are, N at most. */
	size_t left = w->existing > periods ? w->existing - periods : 0;
	for (size_t i = 0; i < w->n; i++) {
		if (w->points[i] == POINT_MISSING || (left && left--))
			continue;
		buf_put(b, first ? S("") : S(","));
		put_double(b, v[i]);
		first = false;
	}
	buf_c(b, ']');
}

static void put_evaluated(buf *b, arena *mem, const cloudwatch_MetricAlarm *it, const window *w)
{
	size_t *which = arena_array(mem, size_t, alarm_periods(it) + 1), n = chosen(it, w, which);
	buf_put(b, S(",\"evaluatedDatapoints\":["));
	for (size_t i = 0; i < n; i++) {
		buf_put(b, i ? S(",{\"timestamp\":") : S("{\"timestamp\":"));
		json_put_string(b, alarm_time(mem, w->end - (int64_t)(w->n - which[i]) * w->period_ms));
		if (w->samples[which[i]] > 0) {
			buf_put(b, S(",\"sampleCount\":"));
			put_double(b, w->samples[which[i]]);
		}
		buf_put(b, S(",\"value\":"));
		put_double(b, w->values[which[i]]);
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

/* Nothing came: the periods that were looked at, newest first. */
static void put_missing(buf *b, arena *mem, const window *w, size_t periods)
{
	buf_put(b, S(",\"evaluatedDatapoints\":["));
	for (size_t i = 0; i < periods; i++) {
		buf_put(b, i ? S(",{\"timestamp\":") : S("{\"timestamp\":"));
		json_put_string(b, alarm_time(mem, w->end - (int64_t)(i + 1) * w->period_ms));
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

str alarm_reason_data(arena *mem, const cloudwatch_MetricAlarm *it, const window *w, int64_t now)
{
	buf b = buf_in(mem, 512, 4000);
	size_t periods = alarm_periods(it);
	buf_put(&b, S("{\"version\":\"1.0\",\"queryDate\":"));
	json_put_string(&b, alarm_time(mem, now));
	size_t *which = arena_array(mem, size_t, periods + 1), n = chosen(it, w, which);
	if (n) {
		buf_put(&b, S(",\"startDate\":"));
		json_put_string(&b, alarm_time(mem, w->end - (int64_t)(w->n - which[n - 1]) * w->period_ms));
	}
	if (str_is(it->Unit)) {
		buf_put(&b, S(",\"unit\":"));
		json_put_string(&b, it->Unit);
	}
	if (str_is(it->Statistic) || str_is(it->ExtendedStatistic)) {
		buf_put(&b, S(",\"statistic\":"));
		json_put_string(&b, str_is(it->Statistic) ? it->Statistic : it->ExtendedStatistic);
	}
	buf_fmt(&b, ",\"period\":%lld", (long long)(w->period_ms / MS_SECOND));
	put_numbers(&b, "recentDatapoints", w->values, w, periods);
	if (w->banded) {
		put_numbers(&b, "recentLowerThresholds", w->low, w, periods);
		put_numbers(&b, "recentUpperThresholds", w->high, w, periods);
	} else {
		buf_put(&b, S(",\"threshold\":"));
		put_double(&b, it->Threshold.v);
	}
	if (n)
		put_evaluated(&b, mem, it, w);
	else
		put_missing(&b, mem, w, periods);
	buf_c(&b, '}');
	/* StateReasonData holds 4,000 characters: AWS too says less of long windows. */
	return b.full ? arena_fmt(mem, "{\"version\":\"1.0\",\"queryDate\":\"%.*s\",\"period\":%lld}",
	                          STR_ARG(alarm_time(mem, now)), (long long)(w->period_ms / MS_SECOND))
				  : buf_str(&b);
}
