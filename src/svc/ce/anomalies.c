#include "anomaly.h"
#include "base/time.h"
#include "sys/rand.h"

#define PAGE 100
#define MONITORS_MAX 500

static str day_text(arena *mem, int64_t ms)
{
	return str_sub(time_iso(mem, ms), 0, 10);
}

static err monitor_find(req *rq, const txn *tx, str arn, ce_monitor **out)
{
	str id;
	bool mine = ce_arn_id(rq, arn, "anomalymonitor", &id);
	*out = mine ? ce_monitor_get(tx, rq->mem, rq->who.account, id) : NULL;
	return *out ? OK : fail(rq, &ce_UnknownMonitorException, "No anomaly monitor found with ARN %.*s",
	                        STR_ARG(arn));
}

static err subscription_find(req *rq, const txn *tx, str arn, ce_subscription **out)
{
	str id;
	bool mine = ce_arn_id(rq, arn, "anomalysubscription", &id);
	*out = mine ? ce_subscription_get(tx, rq->mem, rq->who.account, id) : NULL;
	return *out ? OK : fail(rq, &ce_UnknownSubscriptionException,
	                        "No anomaly subscription found with ARN %.*s", STR_ARG(arn));
}

static err monitor_check(req *rq, const ce_AnomalyMonitor *m)
{
	bool custom = str_eq(m->MonitorType, S("CUSTOM"));
	if (custom != (m->MonitorSpecification != NULL) || custom == str_is(m->MonitorDimension))
		return fail(rq, &aws_ValidationException,
		            "A CUSTOM monitor has a MonitorSpecification, a DIMENSIONAL one a MonitorDimension");
	if (str_is(m->MonitorDimension) && !charges_dimension_known(m->MonitorDimension))
		return fail(rq, &aws_NotImplemented, "Monitors of dimension %.*s are not implemented.",
		            STR_ARG(m->MonitorDimension));
	return ce_filter_check(rq, m->MonitorSpecification, 0);
}

err ce_CreateAnomalyMonitor(req *rq, txn *tx, const ce_CreateAnomalyMonitor_in *in,
                            ce_CreateAnomalyMonitor_out *out)
{
	size_t n = 0;
	ce_AnomalyMonitor m = *in->AnomalyMonitor;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(monitor_check(rq, &m));
	record_scan scan = ce_monitor_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (ce_monitor *row; (row = ce_monitor_next(&scan)); n++)
		if (str_is(m.MonitorDimension) && str_eq(row->It->MonitorDimension, m.MonitorDimension))
			return fail(rq, &ce_LimitExceededException,
			            "Limit exceeded on dimensional spend monitor creation");
	if (n >= MONITORS_MAX)
		return fail(rq, &ce_LimitExceededException, "Limit exceeded on custom spend monitor creation");
	str id = rand_uuid(rq->mem);
	TRY(ce_arn_new(rq, tx, "anomalymonitor", id, &in->ResourceTags, &m.MonitorArn));
	m.CreationDate = m.LastUpdatedDate = day_text(rq->mem, rq->now);
	ce_monitor row = { .Account = rq->who.account, .Id = id, .It = &m };
	ce_monitor_put(tx, &row);
	out->MonitorArn = m.MonitorArn;
	return OK;
}

err ce_UpdateAnomalyMonitor(req *rq, txn *tx, const ce_UpdateAnomalyMonitor_in *in,
                            ce_UpdateAnomalyMonitor_out *out)
{
	ce_monitor *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(monitor_find(rq, tx, in->MonitorArn, &row));
	if (str_is(in->MonitorName))
		row->It->MonitorName = in->MonitorName;
	row->It->LastUpdatedDate = day_text(rq->mem, rq->now);
	ce_monitor_put(tx, row);
	out->MonitorArn = in->MonitorArn;
	return OK;
}

err ce_DeleteAnomalyMonitor(req *rq, txn *tx, const ce_DeleteAnomalyMonitor_in *in,
                            ce_DeleteAnomalyMonitor_out *out)
{
	(void)out;
	ce_monitor *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(monitor_find(rq, tx, in->MonitorArn, &row));
	ce_monitor_delete(tx, row->Account, row->Id);
	ce_tagged_delete(tx, row->Account, in->MonitorArn);
	return OK;
}

static bool wanted(const ce_Values *arns, str arn)
{
	for (size_t i = 0; i < arns->n; i++)
		if (str_eq(arns->v[i], arn))
			return true;
	return arns->n == 0;
}

static err scan_from(req *rq, record_scan *scan, str token)
{
	str after;
	if (token.n == 0)
		return OK;
	if (!page_position(rq, token, &after))
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	record_scan_after(scan, after);
	return OK;
}

err ce_GetAnomalyMonitors(req *rq, const txn *tx, const ce_GetAnomalyMonitors_in *in,
                          ce_GetAnomalyMonitors_out *out)
{
	ce_monitor *row;
	str last = S("");
	size_t most = in->MaxResults.set && in->MaxResults.v > 0 ? (size_t)in->MaxResults.v : PAGE;
	meter_one(rq, &CE_REQUEST, S(""));
	for (size_t i = 0; i < in->MonitorArnList.n; i++)
		TRY(monitor_find(rq, tx, in->MonitorArnList.v[i], &row));
	record_scan scan = ce_monitor_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	TRY(scan_from(rq, &scan, in->NextPageToken));
	out->AnomalyMonitors.v = arena_array(rq->mem, ce_AnomalyMonitor, MONITORS_MAX);
	for (; (row = ce_monitor_next(&scan)); last = row->Id) {
		if (!wanted(&in->MonitorArnList, row->It->MonitorArn))
			continue;
		if (out->AnomalyMonitors.n == most || out->AnomalyMonitors.n == MONITORS_MAX) {
			out->NextPageToken = page_token(rq, last);
			break;
		}
		out->AnomalyMonitors.v[out->AnomalyMonitors.n++] = *row->It;
	}
	return OK;
}

#define THRESHOLD_DEPTH 2

/* Impact in USD or percent, alone or two of them joined by And or Or. */
static err threshold_check(req *rq, const ce_Expression *e, unsigned depth)
{
	if (!e)
		return OK;
	const ce_DimensionValues *d = e->Dimensions;
	int64_t least = 0;
	if ((e->And.v != NULL) + (e->Or.v != NULL) + (d != NULL) != 1 || e->Not || e->Tags || e->CostCategories ||
	    depth > THRESHOLD_DEPTH || (e->And.v && e->And.n < 2) || (e->Or.v && e->Or.n < 2))
		return fail(rq, &aws_ValidationException,
		            "A ThresholdExpression is one Dimensions, or an And or Or of two of them");
	for (size_t i = 0; i < e->And.n; i++)
		TRY(threshold_check(rq, &e->And.v[i], depth + 1));
	for (size_t i = 0; i < e->Or.n; i++)
		TRY(threshold_check(rq, &e->Or.v[i], depth + 1));
	if (!d)
		return OK;
	if (!str_eq(d->Key, S("ANOMALY_TOTAL_IMPACT_ABSOLUTE")) &&
	    !str_eq(d->Key, S("ANOMALY_TOTAL_IMPACT_PERCENTAGE")))
		return fail(rq, &aws_ValidationException,
		            "The Key of a ThresholdExpression is ANOMALY_TOTAL_IMPACT_ABSOLUTE or "
		            "ANOMALY_TOTAL_IMPACT_PERCENTAGE");
	if (d->MatchOptions.n != 1 || !str_eq(d->MatchOptions.v[0], S("GREATER_THAN_OR_EQUAL")))
		return fail(rq, &aws_ValidationException,
		            "The match option of a ThresholdExpression is GREATER_THAN_OR_EQUAL");
	if (d->Values.n != 1 || !decimal_parse_i64(d->Values.v[0], QTY_DIGITS, &least) || least < 0)
		return fail(rq, &aws_ValidationException,
		            "A ThresholdExpression compares with one number that is not negative");
	return OK;
}

static err subscription_check(req *rq, const txn *tx, const ce_AnomalySubscription *s)
{
	ce_monitor *m;
	bool at_once = str_eq(s->Frequency, S("IMMEDIATE"));
	for (size_t i = 0; i < s->MonitorArnList.n; i++)
		TRY(monitor_find(rq, tx, s->MonitorArnList.v[i], &m));
	if (s->MonitorArnList.n == 0 || s->Subscribers.n == 0)
		return fail(rq, &aws_ValidationException, "A subscription has a monitor and a subscriber");
	if (s->Threshold.set == (s->ThresholdExpression != NULL))
		return fail(rq, &aws_ValidationException,
		            "A subscription has one of Threshold and ThresholdExpression");
	TRY(threshold_check(rq, s->ThresholdExpression, 0));
	for (size_t i = 0; i < s->Subscribers.n; i++)
		if (str_eq(s->Subscribers.v[i].Type, S("SNS")) != at_once)
			return fail(rq, &aws_ValidationException,
			            "The frequency IMMEDIATE needs SNS topics, DAILY and WEEKLY need e-mail addresses");
	return OK;
}

err ce_CreateAnomalySubscription(req *rq, txn *tx, const ce_CreateAnomalySubscription_in *in,
                                 ce_CreateAnomalySubscription_out *out)
{
	ce_AnomalySubscription s = *in->AnomalySubscription;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(subscription_check(rq, tx, &s));
	str id = rand_uuid(rq->mem);
	TRY(ce_arn_new(rq, tx, "anomalysubscription", id, &in->ResourceTags, &s.SubscriptionArn));
	s.AccountId = rq->who.account;
	ce_subscription row = { .Account = rq->who.account, .Id = id, .It = &s };
	ce_subscription_put(tx, &row);
	anomalies_arm(tx, rq->now);
	out->SubscriptionArn = s.SubscriptionArn;
	return OK;
}

err ce_UpdateAnomalySubscription(req *rq, txn *tx, const ce_UpdateAnomalySubscription_in *in,
                                 ce_UpdateAnomalySubscription_out *out)
{
	ce_subscription *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(subscription_find(rq, tx, in->SubscriptionArn, &row));
	ce_AnomalySubscription *s = row->It;
	if (str_is(in->Frequency))
		s->Frequency = in->Frequency;
	if (str_is(in->SubscriptionName))
		s->SubscriptionName = in->SubscriptionName;
	if (in->MonitorArnList.v)
		s->MonitorArnList = in->MonitorArnList;
	if (in->Subscribers.v)
		s->Subscribers = in->Subscribers;
	if (in->Threshold.set || in->ThresholdExpression) {
		s->Threshold = in->Threshold;
		s->ThresholdExpression = in->ThresholdExpression;
	}
	TRY(subscription_check(rq, tx, s));
	ce_subscription_put(tx, row);
	out->SubscriptionArn = in->SubscriptionArn;
	return OK;
}

err ce_DeleteAnomalySubscription(req *rq, txn *tx, const ce_DeleteAnomalySubscription_in *in,
                                 ce_DeleteAnomalySubscription_out *out)
{
	(void)out;
	ce_subscription *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(subscription_find(rq, tx, in->SubscriptionArn, &row));
	ce_subscription_delete(tx, row->Account, row->Id);
	ce_tagged_delete(tx, row->Account, in->SubscriptionArn);
	return OK;
}

static bool watches(const ce_AnomalySubscription *s, str monitor)
{
	for (size_t i = 0; i < s->MonitorArnList.n; i++)
		if (str_eq(s->MonitorArnList.v[i], monitor))
			return true;
	return !str_is(monitor);
}

err ce_GetAnomalySubscriptions(req *rq, const txn *tx, const ce_GetAnomalySubscriptions_in *in,
                               ce_GetAnomalySubscriptions_out *out)
{
	ce_subscription *row;
	str last = S("");
	size_t most = in->MaxResults.set && in->MaxResults.v > 0 ? (size_t)in->MaxResults.v : PAGE;
	meter_one(rq, &CE_REQUEST, S(""));
	for (size_t i = 0; i < in->SubscriptionArnList.n; i++)
		TRY(subscription_find(rq, tx, in->SubscriptionArnList.v[i], &row));
	record_scan scan = ce_subscription_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	TRY(scan_from(rq, &scan, in->NextPageToken));
	most = most < MONITORS_MAX ? most : MONITORS_MAX;
	out->AnomalySubscriptions.v = arena_array(rq->mem, ce_AnomalySubscription, most + 1);
	for (; (row = ce_subscription_next(&scan)); last = row->Id) {
		if (!wanted(&in->SubscriptionArnList, row->It->SubscriptionArn) || !watches(row->It, in->MonitorArn))
			continue;
		if (out->AnomalySubscriptions.n == most) {
			out->NextPageToken = page_token(rq, last);
			break;
		}
		out->AnomalySubscriptions.v[out->AnomalySubscriptions.n++] = *row->It;
	}
	return OK;
}

static double dollars(int64_t millionths)
{
	return (double)millionths / 1e6;
}

static bool impact_fits(const ce_TotalImpactFilter *f, double impact)
{
	if (!f)
		return true;
	double from = f->StartValue.v;
	str how = f->NumericOperator;
	return str_eq(how, S("EQUAL"))                  ? impact == from
	       : str_eq(how, S("GREATER_THAN_OR_EQUAL")) ? impact >= from
	       : str_eq(how, S("LESS_THAN_OR_EQUAL"))    ? impact <= from
	       : str_eq(how, S("GREATER_THAN"))          ? impact > from
	       : str_eq(how, S("LESS_THAN"))             ? impact < from
	                                                 : impact >= from && impact <= f->EndValue.v;
}

static void describe(req *rq, const anomaly *a, str said, ce_Anomaly *o)
{
	int64_t impact = a->actual - a->expected;
	o->AnomalyId = a->id;
	o->AnomalyStartDate = arena_concat(rq->mem, day_text(rq->mem, a->from), S("T00:00:00Z"));
	o->AnomalyEndDate = arena_concat(rq->mem, day_text(rq->mem, a->to), S("T00:00:00Z"));
	o->DimensionValue = a->value.n ? a->value : STR_NONE;
	o->MonitorArn = a->monitor;
	o->Feedback = said;
	o->AnomalyScore = arena_new(rq->mem, ce_AnomalyScore);
	o->AnomalyScore->MaxScore = F64((double)impact / (double)a->actual);
	o->AnomalyScore->CurrentScore = o->AnomalyScore->MaxScore;
	o->Impact = arena_new(rq->mem, ce_Impact);
	o->Impact->MaxImpact = F64(dollars(a->most));
	o->Impact->TotalImpact = F64(dollars(impact));
	o->Impact->TotalActualSpend = F64(dollars(a->actual));
	o->Impact->TotalExpectedSpend = F64(dollars(a->expected));
	if (a->expected > 0)
		o->Impact->TotalImpactPercentage = F64((double)anomaly_percent(a));
}

static err monitors_of(req *rq, str arn, ce_monitor **v, size_t *n)
{
	ce_monitor *row;
	err e = OK;
	const txn *tx = req_read(rq);
	if (str_is(arn))
		e = monitor_find(rq, tx, arn, &row);
	record_scan scan = ce_monitor_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (*n = 0; !e && *n < MONITORS_MAX && (row = ce_monitor_next(&scan));)
		if (!str_is(arn) || str_eq(row->It->MonitorArn, arn))
			v[(*n)++] = row;
	req_read_end(rq, tx);
	return e;
}

static str said_of(req *rq, const anomaly *a)
{
	const txn *tx = req_read(rq);
	ce_said *row = ce_said_get(tx, rq->mem, rq->who.account, a->id);
	req_read_end(rq, tx);
	return row ? row->Feedback : STR_NONE;
}

err ce_GetAnomalies(req *rq, const ce_GetAnomalies_in *in, ce_GetAnomalies_out *out)
{
	size_t n, room = 0;
	anomaly *all = NULL;
	ce_monitor **monitors = arena_array(rq->mem, ce_monitor *, MONITORS_MAX);
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(monitors_of(rq, in->MonitorArn, monitors, &n));
	for (size_t i = 0; i < n; i++)
		TRY(anomalies_of(rq, monitors[i]->It, &all));
	for (const anomaly *a = all; a; a = a->next)
		room++;
	str from = str_sub(in->DateInterval->StartDate, 0, 10), to = str_sub(in->DateInterval->EndDate, 0, 10);
	out->Anomalies.v = arena_array(rq->mem, ce_Anomaly, room + 1);
	for (const anomaly *a = all; a; a = a->next) {
		str said = said_of(rq, a), day = day_text(rq->mem, a->from);
		bool in_time = str_cmp(day, from) >= 0 && (to.n == 0 || str_cmp(day, to) <= 0);
		if (in_time && impact_fits(in->TotalImpact, dollars(a->actual - a->expected)) &&
		    (!str_is(in->Feedback) || (str_is(said) && str_eq(said, in->Feedback))))
			describe(rq, a, said, &out->Anomalies.v[out->Anomalies.n++]);
	}
	return OK;
}

err ce_ProvideAnomalyFeedback(req *rq, txn *tx, const ce_ProvideAnomalyFeedback_in *in,
                              ce_ProvideAnomalyFeedback_out *out)
{
	meter_one(rq, &CE_REQUEST, S(""));
	ce_said row = { .Account = rq->who.account, .Id = in->AnomalyId, .Feedback = in->Feedback };
	ce_said_put(tx, &row);
	out->AnomalyId = in->AnomalyId;
	return OK;
}
