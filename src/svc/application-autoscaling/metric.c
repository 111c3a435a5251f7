/* What an alarm has seen: its own metric, in the periods that it counts. */
#include "base/time.h"
#include "cloud/call.h"
#include "scaling.h"

#define ASK_MAX ((size_t)64 << 10)

static double number(const json_value *v)
{
	double d = 0;
	if (v)
		str_to_f64(v->text, &d);
	return d;
}

static void put_member(buf *b, const json_value *of, const char *name)
{
	const json_value *v = json_at(of, name);
	if (!v)
		return;
	buf_fmt(b, ",\"%s\":", name);
	json_write(b, v);
}

/* The alarm's metric or its metrics as queries for GetMetricData. */
static str question(req *rq, const json_value *alarm, int64_t start, int64_t end)
{
	buf b = buf_in(rq->mem, 1024, ASK_MAX);
	buf_fmt(&b, "{\"StartTime\":%lld,\"EndTime\":%lld,\"ScanBy\":\"TimestampDescending\","
	        "\"MetricDataQueries\":", (long long)(start / MS_SECOND), (long long)(end / MS_SECOND));
	const json_value *metrics = json_at(alarm, "Metrics");
	if (metrics && metrics->n) {
		json_write(&b, metrics);
	} else {
		const json_value *stat = json_at(alarm, "Statistic");
		buf_put(&b, S("[{\"Id\":\"m\",\"MetricStat\":{\"Metric\":{\"Namespace\":"));
		json_write(&b, json_at(alarm, "Namespace"));
		put_member(&b, alarm, "MetricName");
		put_member(&b, alarm, "Dimensions");
		buf_put(&b, S("},\"Stat\":"));
		json_write(&b, stat ? stat : json_at(alarm, "ExtendedStatistic"));
		put_member(&b, alarm, "Period");
		put_member(&b, alarm, "Unit");
		buf_put(&b, S("}}]"));
	}
	buf_c(&b, '}');
	return buf_str(&b);
}

static err alarm_of(req *rq, txn *tx, str name, const json_value **alarm)
{
	str answer;
	buf b = buf_in(rq->mem, 512, ASK_MAX);
	buf_put(&b, S("{\"AlarmNames\":["));
	json_put_string(&b, name);
	buf_put(&b, S("],\"AlarmTypes\":[\"MetricAlarm\"]}"));
	TRY(call_json(rq, tx, "cloudwatch", "DescribeAlarms", buf_str(&b), &answer));
	const json_value *all = json_at(json_parse(rq->mem, answer), "MetricAlarms");
	*alarm = all ? all->first : NULL;
	return *alarm ? OK : fail(rq, &aws_ValidationException, "There is no alarm %.*s", STR_ARG(name));
}

static double period_of(const json_value *alarm)
{
	const json_value *metrics = json_at(alarm, "Metrics");
	for (const json_value *q = metrics ? metrics->first : NULL; q; q = q->next)
		if (json_at(q, "MetricStat"))
			return number(json_at(json_at(q, "MetricStat"), "Period"));
	return json_at(alarm, "Period") ? number(json_at(alarm, "Period")) : 60;
}

err scaling_metric_of(req *rq, txn *tx, str name, scaling_metric *m)
{
	const json_value *alarm;
	str answer;
	struct usage *before = rq->usage; /* looking at one's own alarms is free */
	*m = (scaling_metric){ 0 };
	TRY(alarm_of(rq, tx, name, &alarm));
	int64_t period = (int64_t)period_of(alarm) * MS_SECOND;
	int64_t periods = (int64_t)number(json_at(alarm, "EvaluationPeriods"));
	int64_t end = rq->now - rq->now % (period < MS_MINUTE ? 10 * MS_SECOND : MS_MINUTE);
	err e = call_json(rq, tx, "cloudwatch", "GetMetricData", question(rq, alarm, end - periods * period, end),
	                  &answer);
	rq->usage = before;
	TRY(e);
	m->threshold = number(json_at(alarm, "Threshold"));
	m->state = json_at(alarm, "StateValue") ? json_at(alarm, "StateValue")->text : S("");
	const json_value *compares = json_at(alarm, "ComparisonOperator");
	m->low = compares && str_starts(compares->text, S("LessThan"));
	const json_value *results = json_at(json_parse(rq->mem, answer), "MetricDataResults");
	const json_value *values = results ? json_at(results->first, "Values") : NULL;
	for (const json_value *v = values ? values->first : NULL; v; v = v->next) {
		m->latest = m->any ? m->latest : number(v);
		m->highest = !m->any || number(v) > m->highest ? number(v) : m->highest;
		m->any = true;
	}
	return OK;
}
