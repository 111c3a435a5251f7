#include "alarm.h"
#include "base/time.h"

#define PAGE 50

str alarm_arn(const req *rq, str name)
{
	return req_arn(rq, "cloudwatch", "alarm:%.*s", STR_ARG(name));
}

static err missing(req *rq, const char *what)
{
	return fail(rq, &aws_ValidationException, "1 validation error detected: Value null at '%s' failed to "
	            "satisfy constraint: Member must not be null", what);
}

static err alarm_check(req *rq, const cloudwatch_PutMetricAlarm_in *in)
{
	if (in->Metrics.n || str_is(in->ThresholdMetricId) || in->EvaluationCriteria)
		return fail(rq, &aws_NotImplemented,
		            "Farthing's alarms watch one metric; alarms on metric math are not implemented.");
	if (!str_is(in->MetricName) || !str_is(in->Namespace))
		return missing(rq, str_is(in->MetricName) ? "namespace" : "metricName");
	if (!in->Threshold.set)
		return missing(rq, "threshold");
	if (!in->EvaluationPeriods.set)
		return missing(rq, "evaluationPeriods");
	if (str_is(in->Statistic) == str_is(in->ExtendedStatistic))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "Exactly one of Statistic and ExtendedStatistic must be specified.");
	if (str_is(in->ExtendedStatistic) && !statistic_known(in->ExtendedStatistic))
		return fail(rq, &cloudwatch_InvalidParameterValueException,
		            "The value %.*s for parameter ExtendedStatistic is not supported.",
		            STR_ARG(in->ExtendedStatistic));
	int64_t period = in->Period.v;
	if (period != 10 && period != 20 && period != 30 && (period < 60 || period % 60))
		return fail(rq, &aws_ValidationException, "Period must be 10, 20, 30 or a multiple of 60.");
	if (in->DatapointsToAlarm.set && in->DatapointsToAlarm.v > in->EvaluationPeriods.v)
		return fail(rq, &aws_ValidationException,
		            "DatapointsToAlarm must be less than or equal to EvaluationPeriods.");
	if (period * in->EvaluationPeriods.v > 7 * 86400)
		return fail(rq, &aws_ValidationException,
		            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must "
		            "be <= 604800).");
	str m = in->TreatMissingData;
	if (str_is(m) && !str_eq(m, S("missing")) && !str_eq(m, S("ignore")) && !str_eq(m, S("breaching")) &&
	    !str_eq(m, S("notBreaching")))
		return fail(rq, &aws_ValidationException,
		            "Option '%.*s' for parameter TreatMissingData is not supported. Possible values: "
		            "[breaching, notBreaching, ignore, missing]", STR_ARG(m));
	if (in->AlarmActions.n > CW_ALARM_ACTIONS_MAX || in->OKActions.n > CW_ALARM_ACTIONS_MAX)
		return fail(rq, &aws_ValidationException, "Member must have length less than or equal to %d",
		            CW_ALARM_ACTIONS_MAX);
	return OK;
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
		.DatapointsToAlarm = in->DatapointsToAlarm.set ? in->DatapointsToAlarm : in->EvaluationPeriods,
		.Threshold = in->Threshold,
		.ComparisonOperator = in->ComparisonOperator,
		.TreatMissingData = in->TreatMissingData,
		.EvaluateLowSampleCountPercentile = in->EvaluateLowSampleCountPercentile,
	};
}

static cloudwatch_watch watch_of(arena *mem, const cloudwatch_alarm *a)
{
	return (cloudwatch_watch){ .Account = a->Account, .Region = a->Region, .Namespace = a->It->Namespace,
		                   .Name = a->It->MetricName,
		                   .DimensionKey = dimension_key(mem, &a->It->Dimensions), .Alarm = a->Name };
}

static void unwatch(txn *tx, arena *mem, const cloudwatch_alarm *a)
{
	cloudwatch_watch w = watch_of(mem, a);
	cloudwatch_watch_delete(tx, w.Account, w.Region, w.Namespace, w.Name, w.DimensionKey, w.Alarm);
}

static void bill(txn *tx, const cloudwatch_alarm *a, int64_t now, qty rate)
{
	resident_set(tx, a->Account, a->Region, now, a->It->Period.v < 60 ? &CW_ALARM_HIGH : &CW_ALARM,
	             a->It->AlarmArn, rate);
}

err cloudwatch_PutMetricAlarm(req *rq, txn *tx, const cloudwatch_PutMetricAlarm_in *in,
                              cloudwatch_PutMetricAlarm_out *out)
{
	TRY(alarm_check(rq, in));
	cloudwatch_MetricAlarm it = alarm_of(rq, in);
	cloudwatch_alarm *old = cloudwatch_alarm_get(tx, rq->mem, rq->who.account, rq->region, in->AlarmName);
	cloudwatch_alarm a = { .Account = rq->who.account, .Region = rq->region, .Name = in->AlarmName,
		               .It = &it, .Tags = old ? old->Tags : in->Tags };
	if (old) {
		unwatch(tx, rq->mem, old);
		bill(tx, old, rq->now, 0);
		it.StateValue = old->It->StateValue;
		it.StateReason = old->It->StateReason;
		it.StateReasonData = old->It->StateReasonData;
		it.StateUpdatedTimestamp = old->It->StateUpdatedTimestamp;
		it.StateTransitionedTimestamp = old->It->StateTransitionedTimestamp;
	}
	cloudwatch_alarm_put(tx, &a);
	cloudwatch_watch w = watch_of(rq->mem, &a);
	cloudwatch_watch_put(tx, &w);
	bill(tx, &a, rq->now, QTY(1));
	history_add(tx, &a, cloudwatch_HistoryItemType_ConfigurationUpdate,
	            arena_fmt(rq->mem, "Alarm \"%.*s\" %s", STR_ARG(a.Name), old ? "updated" : "created"),
	            STR_NONE, rq->now);
	alarm_arm(tx, &a, rq->now);
	meter_one(rq, &CW_API, S("PutMetricAlarm"));
	return OK;
}

static bool name_listed(const cloudwatch_AlarmNames *names, str name)
{
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->v[i], name))
			return true;
	return names->n == 0;
}

static bool wanted(const cloudwatch_alarm *a, const cloudwatch_DescribeAlarms_in *in)
{
	bool action = !str_is(in->ActionPrefix);
	for (size_t i = 0; i < a->It->AlarmActions.n; i++)
		action = action || str_starts(a->It->AlarmActions.v[i], in->ActionPrefix);
	return name_listed(&in->AlarmNames, a->Name) && str_starts(a->Name, in->AlarmNamePrefix) && action &&
	       (!str_is(in->StateValue) || str_eq(a->It->StateValue, in->StateValue));
}

err cloudwatch_DescribeAlarms(req *rq, const txn *tx, const cloudwatch_DescribeAlarms_in *in,
                              cloudwatch_DescribeAlarms_out *out)
{
	size_t page = in->MaxRecords.set ? (size_t)in->MaxRecords.v : PAGE;
	str after;
	if (in->AlarmNames.n && str_is(in->AlarmNamePrefix))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "AlarmNames and AlarmNamePrefix cannot both be given.");
	record_scan s = cloudwatch_alarm_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
		record_scan_after(&s, after);
	}
	out->MetricAlarms.v = arena_array(rq->mem, cloudwatch_MetricAlarm, page);
	out->CompositeAlarms.v = arena_new(rq->mem, cloudwatch_CompositeAlarm);
	for (cloudwatch_alarm *a; (a = cloudwatch_alarm_next(&s));) {
		if (!wanted(a, in))
			continue;
		if (out->MetricAlarms.n == page) {
			out->NextToken = page_token(rq, out->MetricAlarms.v[page - 1].AlarmName);
			break;
		}
		out->MetricAlarms.v[out->MetricAlarms.n++] = *a->It;
	}
	cursor_close(&s.at);
	return OK;
}

err cloudwatch_DescribeAlarmsForMetric(req *rq, const txn *tx,
                                       const cloudwatch_DescribeAlarmsForMetric_in *in,
                                       cloudwatch_DescribeAlarmsForMetric_out *out)
{
	str key = dimension_key(rq->mem, &in->Dimensions);
	size_t n = 0;
	record_scan s = cloudwatch_watch_scan(tx, rq->mem, 5, rq->who.account, rq->region, in->Namespace,
	                                      in->MetricName, key, STR_NONE);
	while (cloudwatch_watch_next(&s))
		n++;
	out->MetricAlarms.v = arena_array(rq->mem, cloudwatch_MetricAlarm, n + 1);
	s = cloudwatch_watch_scan(tx, rq->mem, 5, rq->who.account, rq->region, in->Namespace, in->MetricName, key,
	                          STR_NONE);
	for (cloudwatch_watch *w; (w = cloudwatch_watch_next(&s));) {
		const cloudwatch_alarm *a = cloudwatch_alarm_get(tx, rq->mem, rq->who.account, rq->region, w->Alarm);
		if (a && (!str_is(in->Statistic) || str_eq(in->Statistic, a->It->Statistic)) &&
		    (!in->Period.set || in->Period.v == a->It->Period.v))
			out->MetricAlarms.v[out->MetricAlarms.n++] = *a->It;
	}
	return OK;
}

err cloudwatch_DeleteAlarms(req *rq, txn *tx, const cloudwatch_DeleteAlarms_in *in,
                            cloudwatch_DeleteAlarms_out *out)
{
	for (size_t i = 0; i < in->AlarmNames.n; i++) {
		str name = in->AlarmNames.v[i];
		cloudwatch_alarm *a = cloudwatch_alarm_get(tx, rq->mem, rq->who.account, rq->region, name);
		if (!a)
			continue;
		unwatch(tx, rq->mem, a);
		bill(tx, a, rq->now, 0);
		history_add(tx, a, cloudwatch_HistoryItemType_ConfigurationUpdate,
		            arena_fmt(rq->mem, "Alarm \"%.*s\" deleted", STR_ARG(name)), STR_NONE, rq->now);
		cloudwatch_alarm_delete(tx, a->Account, a->Region, a->Name);
	}
	return OK;
}

static err alarm_find(req *rq, const txn *tx, str name, cloudwatch_alarm **a)
{
	*a = cloudwatch_alarm_get(tx, rq->mem, rq->who.account, rq->region, name);
	return *a ? OK : fail(rq, &cloudwatch_ResourceNotFound, "Alarm %.*s does not exist.", STR_ARG(name));
}

err cloudwatch_SetAlarmState(req *rq, txn *tx, const cloudwatch_SetAlarmState_in *in,
                             cloudwatch_SetAlarmState_out *out)
{
	cloudwatch_alarm *a;
	TRY(alarm_find(rq, tx, in->AlarmName, &a));
	if (!str_eq(a->It->StateValue, in->StateValue))
		alarm_set_state(tx, a, in->StateValue, in->StateReason, in->StateReasonData, rq->now);
	alarm_arm(tx, a, rq->now);
	return OK;
}

static err enable(req *rq, txn *tx, const cloudwatch_AlarmNames *names, bool on)
{
	for (size_t i = 0; i < names->n; i++) {
		cloudwatch_alarm *a;
		TRY(alarm_find(rq, tx, names->v[i], &a));
		a->It->ActionsEnabled = BOOL(on);
		cloudwatch_alarm_put(tx, a);
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

err cloudwatch_DescribeAlarmHistory(req *rq, const txn *tx, const cloudwatch_DescribeAlarmHistory_in *in,
                                    cloudwatch_DescribeAlarmHistory_out *out)
{
	size_t page = in->MaxRecords.set ? (size_t)in->MaxRecords.v : PAGE;
	int64_t skip = 0, seen = 0;
	str position;
	if (str_is(in->NextToken)
	    && (!page_position(rq, in->NextToken, &position) || !str_to_i64(position, &skip)))
		return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
	out->AlarmHistoryItems.v = arena_array(rq->mem, cloudwatch_AlarmHistoryItem, page);
	record_scan s = cloudwatch_history_scan(tx, rq->mem, 2, rq->who.account, rq->region, 0, 0);
	if (!str_eq(in->ScanBy, S("TimestampAscending")))
		record_scan_reverse(&s);
	for (cloudwatch_history *h; (h = cloudwatch_history_next(&s)); seen++) {
		if (seen < skip || (str_is(in->AlarmName) && !str_eq(in->AlarmName, h->It->AlarmName)) ||
		    (str_is(in->HistoryItemType) && !str_eq(in->HistoryItemType, h->It->HistoryItemType)) ||
		    (in->StartDate.set && h->When < in->StartDate.v) || (in->EndDate.set && h->When > in->EndDate.v))
			continue;
		if (out->AlarmHistoryItems.n == page) {
			out->NextToken = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)seen));
			break;
		}
		out->AlarmHistoryItems.v[out->AlarmHistoryItems.n++] = *h->It;
	}
	cursor_close(&s.at);
	return OK;
}
