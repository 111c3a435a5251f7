/* Alarms as they are listed, and their history. */
#include "alarm.h"

#define PAGE 50

typedef struct listing {
	const cloudwatch_DescribeAlarms_in *in;
	const txn *tx;
	req *rq;
	const str *names; /* of children or parents; NULL: all */
	size_t n_names;
} listing;

static bool among(const str *names, size_t n, str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static bool action_begins(const cloudwatch_ResourceList *actions, str prefix)
{
	for (size_t i = 0; i < actions->n; i++)
		if (str_starts(actions->v[i], prefix))
			return true;
	return false;
}

static bool wanted(const listing *l, const alarm *a)
{
	const cloudwatch_DescribeAlarms_in *in = l->in;
	str name = ALARM_OF(a, AlarmName);
	if ((in->AlarmNames.n && !among(in->AlarmNames.v, in->AlarmNames.n, name))
	    || (l->names && !among(l->names, l->n_names, name)) || !str_starts(name, in->AlarmNamePrefix)
	    || (str_is(in->StateValue) && !str_eq(in->StateValue, ALARM_OF(a, StateValue))))
		return false;
	return !str_is(in->ActionPrefix) || action_begins(&ALARM_OF(a, AlarmActions), in->ActionPrefix)
		|| action_begins(&ALARM_OF(a, OKActions), in->ActionPrefix)
		|| action_begins(&ALARM_OF(a, InsufficientDataActions), in->ActionPrefix);
}

/* Those that a composite's rule mentions, or those whose rule mentions an alarm. */
static err relatives(listing *l)
{
	const cloudwatch_DescribeAlarms_in *in = l->in;
	req *rq = l->rq;
	bool children = str_is(in->ChildrenOfAlarmName), parents = str_is(in->ParentsOfAlarmName);
	if (!children && !parents)
		return OK;
	if ((children && parents) || in->AlarmNames.n || str_is(in->AlarmNamePrefix) || str_is(in->StateValue)
	    || str_is(in->ActionPrefix))
		return fail(rq, &aws_ValidationException, "%s cannot be used together with other filters.",
		            children ? "ChildrenOfAlarmName" : "ParentsOfAlarmName");
	str *names = arena_array(rq->mem, str, 500);
	l->names = names;
	if (children) {
		alarm a;
		rule *r;
		if (!alarm_get(l->tx, rq->mem, rq->who.account, rq->region, in->ChildrenOfAlarmName, &a)
		    || !a.composite)
			return OK;
		TRY(rule_read(rq, a.composite->It->AlarmRule, &r));
		l->n_names = rule_names(r, names, 500);
		return OK;
	}
	record_scan s = cloudwatch_child_scan(l->tx, rq->mem, 3, rq->who.account, rq->region,
	                                      in->ParentsOfAlarmName, STR_NONE);
	for (cloudwatch_child *c; l->n_names < 500 && (c = cloudwatch_child_next(&s));)
		names[l->n_names++] = c->Parent;
	cursor_close(&s.at);
	return OK;
}

static bool typed(const cloudwatch_AlarmTypes *types, str type, bool otherwise)
{
	return types->n ? among(types->v, types->n, type) : otherwise;
}

/* Composites come first, then metric alarms; a page's place is the type and the name of its last alarm. */
err cloudwatch_DescribeAlarms(req *rq, const txn *tx, const cloudwatch_DescribeAlarms_in *in,
                              cloudwatch_DescribeAlarms_out *out)
{
	size_t page = in->MaxRecords.set ? (size_t)in->MaxRecords.v : in->AlarmNames.n > PAGE ? 100 : PAGE;
	listing l = { .in = in, .tx = tx, .rq = rq };
	str after = STR_NONE, type = S("C");
	if (in->AlarmNames.n && str_is(in->AlarmNamePrefix))
		return fail(rq, &cloudwatch_InvalidParameterCombinationException,
		            "AlarmNames and AlarmNamePrefix cannot both be given.");
	TRY(relatives(&l));
	if (str_is(in->NextToken)) {
		if (!page_position(rq, in->NextToken, &after) || !after.n)
			return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
		type = str_sub(after, 0, 1);
		after = str_sub(after, 1, after.n);
	}
	out->MetricAlarms.v = arena_array(rq->mem, cloudwatch_MetricAlarm, page);
	out->CompositeAlarms.v = arena_array(rq->mem, cloudwatch_CompositeAlarm, page);
	bool composites = typed(&in->AlarmTypes, S("CompositeAlarm"), l.names != NULL) && str_eq(type, S("C"));
	record_scan s = cloudwatch_composite_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after) && composites)
		record_scan_after(&s, after);
	for (cloudwatch_composite *c; composites && (c = cloudwatch_composite_next(&s));) {
		if (!wanted(&l, &(alarm){ .composite = c }))
			continue;
		if (out->CompositeAlarms.n == page) {
			out->NextToken =
				page_token(rq, arena_concat(rq->mem, S("C"), out->CompositeAlarms.v[page - 1].AlarmName));
			cursor_close(&s.at);
			return OK;
		}
		out->CompositeAlarms.v[out->CompositeAlarms.n++] = *c->It;
	}
	cursor_close(&s.at);
	if (!typed(&in->AlarmTypes, S("MetricAlarm"), true))
		return OK;
	s = cloudwatch_alarm_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(after) && str_eq(type, S("M")))
		record_scan_after(&s, after);
	str last = STR_NONE;
	for (cloudwatch_alarm *a; (a = cloudwatch_alarm_next(&s));) {
		if (!wanted(&l, &(alarm){ .metric = a }))
			continue;
		if (out->MetricAlarms.n + out->CompositeAlarms.n == page) {
			out->NextToken = page_token(rq, arena_concat(rq->mem, S("M"), str_is(last) ? last : S("")));
			break;
		}
		last = a->Name;
		out->MetricAlarms.v[out->MetricAlarms.n++] = *a->It;
	}
	cursor_close(&s.at);
	return OK;
}

static bool same_view(const cloudwatch_DescribeAlarmsForMetric_in *in, const cloudwatch_MetricAlarm *a)
{
	return (!str_is(in->Statistic) || str_eq(in->Statistic, a->Statistic))
		&& (!str_is(in->ExtendedStatistic) || str_eq(in->ExtendedStatistic, a->ExtendedStatistic))
		&& (!str_is(in->Unit) || str_eq(in->Unit, a->Unit))
		&& (!in->Period.set || in->Period.v == a->Period.v);
}

/* AWS leaves alarms on metric math out, although they watch the metric too. */
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
		if (a && !a->It->Metrics.n && same_view(in, a->It))
			out->MetricAlarms.v[out->MetricAlarms.n++] = *a->It;
	}
	return OK;
}

static bool history_wanted(const cloudwatch_DescribeAlarmHistory_in *in, const cloudwatch_history *h)
{
	const cloudwatch_AlarmHistoryItem *it = h->It;
	/* Without types AWS tells of metric alarms only. */
	return typed(&in->AlarmTypes, it->AlarmType,
	             str_is(in->AlarmName) || str_eq(it->AlarmType, S("MetricAlarm")))
		&& (!str_is(in->AlarmName) || str_eq(in->AlarmName, it->AlarmName))
		&& (!str_is(in->HistoryItemType) || str_eq(in->HistoryItemType, it->HistoryItemType))
		&& (!in->StartDate.set || h->When >= in->StartDate.v)
		&& (!in->EndDate.set || h->When <= in->EndDate.v);
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
		if (seen < skip || !history_wanted(in, h))
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

/* Contributors are of alarms on queries that group, which are not made here. */
err cloudwatch_DescribeAlarmContributors(req *rq, const txn *tx,
                                         const cloudwatch_DescribeAlarmContributors_in *in,
                                         cloudwatch_DescribeAlarmContributors_out *out)
{
	alarm a;
	if (!alarm_get(tx, rq->mem, rq->who.account, rq->region, in->AlarmName, &a))
		return fail(rq, &cloudwatch_ResourceNotFoundException, "Alarm %.*s does not exist.",
		            STR_ARG(in->AlarmName));
	if (str_is(in->NextToken))
		return fail(rq, &cloudwatch_InvalidNextToken, "The token is not valid.");
	out->AlarmContributors.v = arena_new(rq->mem, cloudwatch_AlarmContributor);
	return OK;
}
