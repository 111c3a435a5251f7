/* Metric alarms: put, and what all alarms have: delete, set, enable. */
#include "alarm.h"
#include "alarm_check.h"
#include "base/json.h"

str alarm_arn(const req *rq, str name)
{
	return req_arn(rq, "cloudwatch", "alarm:%.*s", STR_ARG(name));
}

static cloudwatch_MetricAlarm alarm_of(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	return (cloudwatch_MetricAlarm){
		.AlarmName = in->AlarmName,
		.AlarmArn = alarm_arn(rq, in->AlarmName),
		.AlarmDescription = in->AlarmDescription,
		.AlarmConfigurationUpdatedTimestamp = TIME(rq->now),
		.ActionsEnabled = BOOL(!in->ActionsEnabled.set || in->ActionsEnabled.v),
		.OKActions = in->OKActions,
		.AlarmActions = in->AlarmActions,
		.InsufficientDataActions = in->InsufficientDataActions,
		.StateValue = cloudwatch_StateValue_INSUFFICIENT_DATA,
		.StateReason = S("Unchecked: Initial alarm creation"),
		.StateUpdatedTimestamp = TIME(rq->now),
		.StateTransitionedTimestamp = TIME(rq->now),
		.MetricName = in->MetricName,
		.Namespace = in->Namespace,
		.Statistic = in->Statistic,
		.ExtendedStatistic = in->ExtendedStatistic,
		.Dimensions = in->Dimensions,
		.Period = in->Period,
		.Unit = in->Unit,
		.EvaluationPeriods = in->EvaluationPeriods,
		.DatapointsToAlarm = in->DatapointsToAlarm,
		.Threshold = in->Threshold,
		.ComparisonOperator = in->ComparisonOperator,
		.TreatMissingData = in->TreatMissingData,
		.EvaluateLowSampleCountPercentile = in->EvaluateLowSampleCountPercentile,
		.Metrics = in->Metrics,
		.ThresholdMetricId = in->ThresholdMetricId,
	};
}

/* AWS charges an alarm for each metric that it watches; one of anomaly detection as three. */
static void bill(txn *tx, const cloudwatch_alarm *a, int64_t now, bool on)
{
	const cloudwatch_MetricAlarm *it = a->It;
	bool high = alarm_period_ms(it) < MS_MINUTE, band = str_is(it->ThresholdMetricId);
	const meter_kind *kind = band ? (high ? &CW_ALARM_ANOMALY_HIGH : &CW_ALARM_ANOMALY) :
					(high ? &CW_ALARM_HIGH : &CW_ALARM);
	int64_t metrics = !it->Metrics.n || band;
	for (size_t i = 0; i < it->Metrics.n && !band; i++)
		metrics += it->Metrics.v[i].MetricStat != NULL;
	resident_set(tx, a->Account, a->Region, now, kind, it->AlarmArn, on ? QTY(metrics) : 0);
}

err cloudwatch_PutMetricAlarm(req *rq, txn *tx, const cloudwatch_PutMetricAlarm_in *in,
                              cloudwatch_PutMetricAlarm_out *out)
{
	TRY(alarm_check(rq, tx, in));
	TRY(tags_check(rq, &cloudwatch_tag_rules, TAGS(&in->Tags, Key)));
	cloudwatch_MetricAlarm it = alarm_of(rq, in);
	alarm old;
	if (alarm_get(tx, rq->mem, rq->who.account, rq->region, in->AlarmName, &old) && old.composite)
		return fail(rq, &aws_ValidationException,
		            "A composite alarm with the name %.*s exists already.", STR_ARG(in->AlarmName));
	cloudwatch_alarm a = { .Account = rq->who.account, .Region = rq->region, .Name = in->AlarmName,
		               .It = &it, .Tags = old.metric ? old.metric->Tags : in->Tags };
	if (old.metric) {
		alarm_watch(tx, rq->mem, old.metric, false);
		bill(tx, old.metric, rq->now, false);
		alarm_keep_state(&(alarm){ .metric = &a }, &old);
	}
	cloudwatch_alarm_put(tx, &a);
	alarm_watch(tx, rq->mem, &a, true);
	bill(tx, &a, rq->now, true);
	history_configured(tx, &(alarm){ .metric = &a }, old.metric ? "Update" : "Create", rq->now);
	alarm_arm(tx, &a, rq->now);
	return OK;
}

err alarm_find(req *rq, const txn *tx, str name, alarm *out)
{
	if (alarm_get(tx, rq->mem, rq->who.account, rq->region, name, out))
		return OK;
	return fail(rq, &cloudwatch_ResourceNotFound, "Alarm %.*s does not exist.", STR_ARG(name));
}

static err composites_check(req *rq, const txn *tx, const cloudwatch_AlarmNames *names)
{
	size_t composites = 0;
	alarm a;
	for (size_t i = 0; i < names->n; i++)
		composites += alarm_get(tx, rq->mem, rq->who.account, rq->region, names->v[i], &a) && a.composite;
	if (composites > 1)
		return fail(rq, &aws_ValidationException,
		            "Cannot delete more than one composite alarm in one operation.");
	return OK;
}

static bool listed(const cloudwatch_AlarmNames *names, str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], name))
			return true;
	return false;
}

/* What a composite that stays looks at stays too. */
static err parents_check(req *rq, const txn *tx, const cloudwatch_AlarmNames *names)
{
	buf held = buf_in(rq->mem, 64, 32000);
	size_t n = 0;
	for (size_t i = 0; i < names->n; i++) {
		bool needed = false;
		record_scan s = cloudwatch_child_scan(tx, rq->mem, 3, rq->who.account, rq->region, names->v[i],
		                                      STR_NONE);
		for (cloudwatch_child *c; !needed && (c = cloudwatch_child_next(&s));)
			needed = !listed(names, c->Parent);
		cursor_close(&s.at);
		if (needed)
			buf_fmt(&held, "%s%.*s", n++ ? "," : "", STR_ARG(names->v[i]));
	}
	return n ? fail(rq, &aws_ValidationException,
	                "Cannot delete %.*s as there are composite alarm(s) depending on %s.",
	                STR_ARG(buf_str(&held)), n == 1 ? "it" : "them")
			 : OK;
}

err cloudwatch_DeleteAlarms(req *rq, txn *tx, const cloudwatch_DeleteAlarms_in *in,
                            cloudwatch_DeleteAlarms_out *out)
{
	alarm a;
	TRY(composites_check(rq, tx, &in->AlarmNames));
	TRY(parents_check(rq, tx, &in->AlarmNames));
	for (size_t i = 0; i < in->AlarmNames.n; i++) {
		if (!alarm_get(tx, rq->mem, rq->who.account, rq->region, in->AlarmNames.v[i], &a))
			continue;
		history_configured(tx, &a, "Delete", rq->now);
		if (a.composite) {
			composite_drop(tx, a.composite, rq->now);
			continue;
		}
		alarm_watch(tx, rq->mem, a.metric, false);
		bill(tx, a.metric, rq->now, false);
		cloudwatch_alarm_delete(tx, a.metric->Account, a.metric->Region, a.metric->Name);
	}
	return OK;
}

err cloudwatch_SetAlarmState(req *rq, txn *tx, const cloudwatch_SetAlarmState_in *in,
                             cloudwatch_SetAlarmState_out *out)
{
	alarm a;
	TRY(alarm_find(rq, tx, in->AlarmName, &a));
	if (str_is(in->StateReasonData) && in->StateReasonData.n && !json_valid(in->StateReasonData))
		return fail(rq, &cloudwatch_InvalidFormatFault, "StateReasonData was not syntactically valid JSON.");
	alarm_change(tx, &a, in->StateValue, in->StateReason, in->StateReasonData, rq->now);
	if (a.metric)
		alarm_arm(tx, a.metric, rq->now);
	return OK;
}

static err enable(req *rq, txn *tx, const cloudwatch_AlarmNames *names, bool on)
{
	for (size_t i = 0; i < names->n; i++) {
		alarm a;
		TRY(alarm_find(rq, tx, names->v[i], &a));
		ALARM_OF(&a, ActionsEnabled) = BOOL(on);
		alarm_put(tx, &a);
		history_configured(tx, &a, "Update", rq->now);
	}
	return OK;
}

err cloudwatch_EnableAlarmActions(req *rq, txn *tx, const cloudwatch_EnableAlarmActions_in *in,
                                  cloudwatch_EnableAlarmActions_out *out)
{
	return enable(rq, tx, &in->AlarmNames, true);
}

err cloudwatch_DisableAlarmActions(req *rq, txn *tx, const cloudwatch_DisableAlarmActions_in *in,
                                   cloudwatch_DisableAlarmActions_out *out)
{
	return enable(rq, tx, &in->AlarmNames, false);
}
