/* Alarms as JSON: for topics, functions, events and history. */
#include "alarm.h"
#include "base/json.h"
#include "price/book.h"

#define TEXT_MAX ((size_t)60 << 10)

static void member(buf *b, const char *name)
{
	char last = b->n ? b->p[b->n - 1] : '{';
	if (last != '{' && last != '[')
		buf_c(b, ',');
	buf_fmt(b, "\"%s\":", name);
}

static void put_str(buf *b, const char *name, str value)
{
	member(b, name);
	if (str_is(value))
		json_put_string(b, value);
	else
		buf_put(b, S("null"));
}

static void put_if(buf *b, const char *name, str value)
{
	if (str_is(value) && value.n)
		put_str(b, name, value);
}

static void put_i64(buf *b, const char *name, int64_t value)
{
	member(b, name);
	buf_i64(b, value);
}

static void put_f64(buf *b, const char *name, double value)
{
	member(b, name);
	json_put_double(b, value);
	if (value == (double)(int64_t)value)
		buf_put(b, S(".0"));
}

static void put_bool(buf *b, const char *name, bool value)
{
	member(b, name);
	buf_put(b, value ? S("true") : S("false"));
}

static void put_strings(buf *b, const char *name, const cloudwatch_ResourceList *list)
{
	member(b, name);
	buf_c(b, '[');
	for (size_t i = 0; i < list->n; i++) {
		buf_put(b, i ? S(",") : S(""));
		json_put_string(b, list->v[i]);
	}
	buf_c(b, ']');
}

/* As objects of a name and a value, whichever comes first in AWS's message. */
static void put_dimensions(buf *b, const char *name, const cloudwatch_Dimensions *d, bool value_first)
{
	member(b, name);
	buf_c(b, '[');
	for (size_t i = 0; i < d->n; i++) {
		buf_put(b, i ? S(",{") : S("{"));
		put_str(b, value_first ? "value" : "name", value_first ? d->v[i].Value : d->v[i].Name);
		put_str(b, value_first ? "name" : "value", value_first ? d->v[i].Name : d->v[i].Value);
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

/* SNS's message writes statistics in capitals. */
static str capitals(arena *mem, str s)
{
	str out = arena_str(mem, s);
	char *p = arena_bytes(mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = out.p[i] >= 'a' && out.p[i] <= 'z' ? (char)(out.p[i] - 32) : out.p[i];
	return str_is(s) ? str_eq(s, S("SampleCount")) ? S("SAMPLE_COUNT") : str_of(p, s.n) : STR_NONE;
}

static void put_trigger_query(buf *b, const cloudwatch_MetricDataQuery *q)
{
	put_if(b, "Expression", q->Expression);
	put_str(b, "Id", q->Id);
	put_if(b, "Label", q->Label);
	if (q->MetricStat) {
		member(b, "MetricStat");
		buf_put(b, S("{\"Metric\":{"));
		put_dimensions(b, "Dimensions", &q->MetricStat->Metric->Dimensions, true);
		put_str(b, "MetricName", q->MetricStat->Metric->MetricName);
		put_str(b, "Namespace", q->MetricStat->Metric->Namespace);
		buf_c(b, '}');
		put_i64(b, "Period", q->MetricStat->Period.v);
		put_str(b, "Stat", q->MetricStat->Stat);
		buf_c(b, '}');
	}
	put_bool(b, "ReturnData", !q->ReturnData.set || q->ReturnData.v);
}

static void put_trigger(buf *b, const cloudwatch_MetricAlarm *it)
{
	member(b, "Trigger");
	buf_c(b, '{');
	if (it->Metrics.n) {
		put_i64(b, "Period", alarm_period_ms(it) / MS_SECOND);
	} else {
		put_str(b, "MetricName", it->MetricName);
		put_str(b, "Namespace", it->Namespace);
		put_str(b, "StatisticType", str_is(it->Statistic) ? S("Statistic") : S("ExtendedStatistic"));
		put_str(b, str_is(it->Statistic) ? "Statistic" : "ExtendedStatistic",
		        str_is(it->Statistic) ? capitals(b->mem, it->Statistic) : it->ExtendedStatistic);
		put_str(b, "Unit", it->Unit);
		put_dimensions(b, "Dimensions", &it->Dimensions, true);
		put_i64(b, "Period", it->Period.v);
	}
	put_i64(b, "EvaluationPeriods", it->EvaluationPeriods.v);
	if (it->DatapointsToAlarm.set)
		put_i64(b, "DatapointsToAlarm", it->DatapointsToAlarm.v);
	put_str(b, "ComparisonOperator", it->ComparisonOperator);
	if (it->Threshold.set)
		put_f64(b, "Threshold", it->Threshold.v);
	put_if(b, "ThresholdMetricId", it->ThresholdMetricId);
	put_str(b, "TreatMissingData", str_is(it->TreatMissingData) ? it->TreatMissingData : S(""));
	put_str(b, "EvaluateLowSampleCountPercentile",
	        str_is(it->EvaluateLowSampleCountPercentile) ? it->EvaluateLowSampleCountPercentile : S(""));
	if (it->Metrics.n) {
		member(b, "Metrics");
		buf_c(b, '[');
		for (size_t i = 0; i < it->Metrics.n; i++) {
			buf_put(b, i ? S(",{") : S("{"));
			put_trigger_query(b, &it->Metrics.v[i]);
			buf_c(b, '}');
		}
		buf_c(b, ']');
	}
	buf_c(b, '}');
}

str alarm_message(arena *mem, const alarm *a, str old, int64_t now)
{
	buf b = buf_in(mem, 2048, TEXT_MAX);
	buf_c(&b, '{');
	put_str(&b, "AlarmName", ALARM_OF(a, AlarmName));
	put_str(&b, "AlarmDescription", ALARM_OF(a, AlarmDescription));
	put_str(&b, "AWSAccountId", ALARM_KEY(a, Account));
	put_str(&b, "AlarmConfigurationUpdatedTimestamp",
	        alarm_time(mem, ALARM_OF(a, AlarmConfigurationUpdatedTimestamp).v));
	put_str(&b, "NewStateValue", ALARM_OF(a, StateValue));
	put_str(&b, "NewStateReason", ALARM_OF(a, StateReason));
	put_str(&b, "StateChangeTime", alarm_time(mem, now));
	put_str(&b, "Region", book_location(price_book(), ALARM_KEY(a, Region)));
	put_str(&b, "AlarmArn", ALARM_OF(a, AlarmArn));
	put_str(&b, "OldStateValue", old);
	put_strings(&b, "OKActions", &ALARM_OF(a, OKActions));
	put_strings(&b, "AlarmActions", &ALARM_OF(a, AlarmActions));
	put_strings(&b, "InsufficientDataActions", &ALARM_OF(a, InsufficientDataActions));
	if (a->metric)
		put_trigger(&b, a->metric->It);
	else
		put_str(&b, "AlarmRule", a->composite->It->AlarmRule);
	buf_c(&b, '}');
	return buf_str(&b);
}

static void put_state(buf *b, const char *name, const alarm *a)
{
	member(b, name);
	buf_c(b, '{');
	put_str(b, "value", ALARM_OF(a, StateValue));
	put_str(b, "reason", ALARM_OF(a, StateReason));
	put_if(b, "reasonData", ALARM_OF(a, StateReasonData));
	put_str(b, "timestamp", alarm_time(b->mem, ALARM_OF(a, StateUpdatedTimestamp).v));
	if (a->composite && str_is(a->composite->It->ActionsSuppressedBy)) {
		put_str(b, "actionsSuppressedBy", a->composite->It->ActionsSuppressedBy);
		put_if(b, "actionsSuppressedReason", a->composite->It->ActionsSuppressedReason);
	}
	buf_c(b, '}');
}

static void put_metric_stat(buf *b, str name_space, str metric, const cloudwatch_Dimensions *d,
                            int64_t period, str stat)
{
	member(b, "metricStat");
	buf_put(b, S("{\"metric\":{"));
	put_str(b, "namespace", name_space);
	put_str(b, "name", metric);
	member(b, "dimensions");
	buf_c(b, '{');
	for (size_t i = 0; i < d->n; i++) {
		buf_put(b, i ? S(",") : S(""));
		json_put_string(b, d->v[i].Name);
		buf_c(b, ':');
		json_put_string(b, d->v[i].Value);
	}
	buf_put(b, S("}}"));
	put_i64(b, "period", period);
	put_str(b, "stat", stat);
	buf_c(b, '}');
}

static void put_metrics(buf *b, const cloudwatch_MetricAlarm *it)
{
	member(b, "metrics");
	buf_c(b, '[');
	if (!it->Metrics.n) {
		uint64_t h = str_hash(it->AlarmArn), g = str_hash(it->MetricName);
		buf_c(b, '{');
		put_str(b, "id",
		        arena_fmt(b->mem, "%08x-%04x-%04x-%04x-%012llx", (unsigned)h, (unsigned)(h >> 32) & 0xffff,
		                  (unsigned)(h >> 48), (unsigned)g & 0xffff, (unsigned long long)(g >> 16)));
		put_metric_stat(b, it->Namespace, it->MetricName, &it->Dimensions, it->Period.v,
		                str_is(it->Statistic) ? it->Statistic : it->ExtendedStatistic);
		put_bool(b, "returnData", true);
		buf_c(b, '}');
	}
	for (size_t i = 0; i < it->Metrics.n; i++) {
		const cloudwatch_MetricDataQuery *q = &it->Metrics.v[i];
		const cloudwatch_MetricStat *s = q->MetricStat;
		buf_put(b, i ? S(",{") : S("{"));
		put_str(b, "id", q->Id);
		put_if(b, "expression", q->Expression);
		put_if(b, "label", q->Label);
		if (s)
			put_metric_stat(b, s->Metric->Namespace, s->Metric->MetricName, &s->Metric->Dimensions,
			                s->Period.v, s->Stat);
		put_bool(b, "returnData", !q->ReturnData.set || q->ReturnData.v);
		buf_c(b, '}');
	}
	buf_c(b, ']');
}

static void put_detail(buf *b, const alarm *a, const alarm *before)
{
	put_str(b, "alarmName", ALARM_OF(a, AlarmName));
	put_state(b, "state", a);
	put_state(b, "previousState", before);
	member(b, "configuration");
	buf_c(b, '{');
	put_if(b, "description", ALARM_OF(a, AlarmDescription));
	if (a->metric) {
		put_metrics(b, a->metric->It);
	} else {
		const cloudwatch_CompositeAlarm *c = a->composite->It;
		put_str(b, "alarmRule", c->AlarmRule);
		put_if(b, "actionsSuppressor", c->ActionsSuppressor);
		if (c->ActionsSuppressorWaitPeriod.set)
			put_i64(b, "actionsSuppressorWaitPeriod", c->ActionsSuppressorWaitPeriod.v);
		if (c->ActionsSuppressorExtensionPeriod.set)
			put_i64(b, "actionsSuppressorExtensionPeriod", c->ActionsSuppressorExtensionPeriod.v);
	}
	buf_c(b, '}');
}

str alarm_event_detail(arena *mem, const alarm *a, const alarm *before)
{
	buf b = buf_in(mem, 2048, TEXT_MAX);
	buf_c(&b, '{');
	put_detail(&b, a, before);
	buf_c(&b, '}');
	return buf_str(&b);
}

str alarm_lambda_event(arena *mem, const alarm *a, const alarm *before, int64_t now)
{
	buf b = buf_in(mem, 2048, TEXT_MAX);
	buf_c(&b, '{');
	put_str(&b, "source", S("aws.cloudwatch"));
	put_str(&b, "alarmArn", ALARM_OF(a, AlarmArn));
	put_str(&b, "accountId", ALARM_KEY(a, Account));
	put_str(&b, "time", alarm_time(mem, now));
	put_str(&b, "region", ALARM_KEY(a, Region));
	member(&b, "alarmData");
	buf_c(&b, '{');
	put_detail(&b, a, before);
	buf_put(&b, S("}}"));
	return buf_str(&b);
}

static void put_metric_alarm(buf *b, const cloudwatch_MetricAlarm *it)
{
	put_if(b, "metricName", it->MetricName);
	put_if(b, "namespace", it->Namespace);
	put_if(b, "statistic", it->Statistic);
	put_if(b, "extendedStatistic", it->ExtendedStatistic);
	put_dimensions(b, "dimensions", &it->Dimensions, false);
	if (it->Period.set)
		put_i64(b, "period", it->Period.v);
	put_if(b, "unit", it->Unit);
	put_i64(b, "evaluationPeriods", it->EvaluationPeriods.v);
	if (it->DatapointsToAlarm.set)
		put_i64(b, "datapointsToAlarm", it->DatapointsToAlarm.v);
	if (it->Threshold.set)
		put_f64(b, "threshold", it->Threshold.v);
	put_if(b, "thresholdMetricId", it->ThresholdMetricId);
	put_str(b, "comparisonOperator", it->ComparisonOperator);
	put_if(b, "treatMissingData", it->TreatMissingData);
	put_if(b, "evaluateLowSampleCountPercentile", it->EvaluateLowSampleCountPercentile);
	if (it->Metrics.n)
		put_metrics(b, it);
}

str alarm_json(arena *mem, const alarm *a)
{
	/* HistoryData holds 4,095 characters, with what stands around this. */
	buf b = buf_in(mem, 1024, 4000);
	opt_bool enabled = ALARM_OF(a, ActionsEnabled);
	buf_c(&b, '{');
	put_str(&b, "alarmName", ALARM_OF(a, AlarmName));
	put_str(&b, "alarmArn", ALARM_OF(a, AlarmArn));
	put_if(&b, "alarmDescription", ALARM_OF(a, AlarmDescription));
	put_bool(&b, "actionsEnabled", !enabled.set || enabled.v);
	put_strings(&b, "okActions", &ALARM_OF(a, OKActions));
	put_strings(&b, "alarmActions", &ALARM_OF(a, AlarmActions));
	put_strings(&b, "insufficientDataActions", &ALARM_OF(a, InsufficientDataActions));
	if (a->metric)
		put_metric_alarm(&b, a->metric->It);
	else
		put_str(&b, "alarmRule", a->composite->It->AlarmRule);
	put_str(&b, "stateValue", ALARM_OF(a, StateValue));
	buf_c(&b, '}');
	return b.full ? S("{}") : buf_str(&b);
}
