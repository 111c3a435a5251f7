/* Scaling policies: what AWS refuses of them, and their alarms. */
#include "cloud/call.h"
#include "scaling.h"
#include "sys/rand.h"

#define TABLE_TARGET_MIN 20
#define TABLE_TARGET_MAX 90
#define METRIC_MAX ((size_t)64 << 10) /* what an alarm takes */

typedef application_autoscaling_PutScalingPolicy_in put_in;

policy_row *scaling_policy(const txn *tx, req *rq, scaling_place p, str name)
{
	return application_autoscaling_policy_get(tx, rq->mem, rq->who.account, rq->region, p.namespace,
	                                          p.resource, p.dimension, name);
}

static err invalid(req *rq, const char *why) { return fail(rq, &aws_ValidationException, "%s", why); }

static err check_tracking(req *rq, const scaling_kind *k, const tracking *t)
{
	const application_autoscaling_PredefinedMetricSpecification *pre = t->PredefinedMetricSpecification;
	const application_autoscaling_CustomizedMetricSpecification *own = t->CustomizedMetricSpecification;
	if (!pre == !own)
		return invalid(rq, "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification "
		               "must be specified");
	if ((t->ScaleInCooldown.set && t->ScaleInCooldown.v < 0) ||
	    (t->ScaleOutCooldown.set && t->ScaleOutCooldown.v < 0))
		return invalid(rq, "Cooldown must be greater than or equal to 0");
	bool known = own;
	for (size_t i = 0; pre && i < sizeof k->metric_types / sizeof *k->metric_types; i++)
		known = known || (k->metric_types[i] && str_eq(pre->PredefinedMetricType, str_c(k->metric_types[i])));
	if (!known)
		return fail(rq, &aws_ValidationException,
		            "Predefined metric type %.*s is not supported for scalable dimension %s",
		            STR_ARG(pre->PredefinedMetricType), k->dimension);
	if (pre && str_starts(pre->PredefinedMetricType, S("DynamoDB")) &&
	    (t->TargetValue.v < TABLE_TARGET_MIN || t->TargetValue.v > TABLE_TARGET_MAX))
		return invalid(rq, "Target value must be between 20 and 90 for this predefined metric");
	if (own && own->Metrics.n ? own->MetricName.n || own->Namespace.n || own->Statistic.n
	        : own && (!own->MetricName.n || !own->Namespace.n || !own->Statistic.n))
		return invalid(rq, "A customized metric needs a MetricName, a Namespace and a Statistic, or Metrics "
		               "alone");
	return OK;
}

typedef application_autoscaling_StepAdjustment step;

/* From one bound to another; what is not given is without end. */
static bool overlap(const step *a, const step *b)
{
	const opt_f64 a_low = a->MetricIntervalLowerBound, a_high = a->MetricIntervalUpperBound;
	const opt_f64 b_low = b->MetricIntervalLowerBound, b_high = b->MetricIntervalUpperBound;
	bool a_first = a_high.set && b_low.set && a_high.v <= b_low.v;
	bool b_first = b_high.set && a_low.set && b_high.v <= a_low.v;
	return !a_first && !b_first;
}

static err check_steps(req *rq, const scaling_kind *k,
                       const application_autoscaling_StepScalingPolicyConfiguration *c)
{
	if (!k->steps)
		return fail(rq, &aws_ValidationException, "Step scaling is not supported for scalable dimension %s",
		            k->dimension);
	if (!c->AdjustmentType.n || !c->StepAdjustments.n)
		return invalid(rq, "A step scaling policy needs an AdjustmentType and at least one step adjustment");
	if (c->StepAdjustments.n > SCALING_STEPS_MAX)
		return invalid(rq, "There can be at most 20 step adjustments per scaling policy");
	if (c->MinAdjustmentMagnitude.set && !str_eq(c->AdjustmentType, S("PercentChangeInCapacity")))
		return invalid(rq, "MinAdjustmentMagnitude is only allowed with PercentChangeInCapacity");
	for (size_t i = 0; i < c->StepAdjustments.n; i++) {
		const step *a = &c->StepAdjustments.v[i];
		if (a->MetricIntervalLowerBound.set && a->MetricIntervalUpperBound.set &&
		    a->MetricIntervalLowerBound.v >= a->MetricIntervalUpperBound.v)
			return invalid(rq, "The lower bound of a step adjustment must be less than its upper bound");
		for (size_t j = i + 1; j < c->StepAdjustments.n; j++)
			if (overlap(a, &c->StepAdjustments.v[j]))
				return invalid(rq, "Step adjustment intervals must not overlap");
	}
	return OK;
}

static bool same_metric(req *rq, const tracking *a, const tracking *b)
{
	buf x = buf_in(rq->mem, 256, METRIC_MAX), y = buf_in(rq->mem, 256, METRIC_MAX);
	if (!a->PredefinedMetricSpecification != !b->PredefinedMetricSpecification)
		return false;
	if (a->PredefinedMetricSpecification)
		return str_eq(a->PredefinedMetricSpecification->PredefinedMetricType,
		              b->PredefinedMetricSpecification->PredefinedMetricType);
	json_encode_value(&x, &application_autoscaling_CustomizedMetricSpecification_shape,
	                  a->CustomizedMetricSpecification);
	json_encode_value(&y, &application_autoscaling_CustomizedMetricSpecification_shape,
	                  b->CustomizedMetricSpecification);
	return str_eq(buf_str(&x), buf_str(&y));
}

/* How many it has, and that none of the others tracks the same metric. */
static err check_others(req *rq, const txn *tx, const put_in *in, const tracking *t)
{
	size_t n = 0;
	bool twice = false;
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 5, rq->who.account, rq->region,
		in->ServiceNamespace, in->ResourceId, in->ScalableDimension, STR_NONE);
	for (policy_row *p; (p = application_autoscaling_policy_next(&s));) {
		const tracking *theirs = p->It->TargetTrackingScalingPolicyConfiguration;
		if (str_eq(p->Name, in->PolicyName))
			continue;
		n++;
		twice = twice || (t && theirs && same_metric(rq, t, theirs));
	}
	cursor_close(&s.at);
	if (twice)
		return invalid(rq, "Only one TargetTrackingScaling policy for a given metric specification is "
		               "allowed.");
	return n < SCALING_POLICIES_MAX ? OK
		: fail(rq, &application_autoscaling_LimitExceededException,
		       "The number of scaling policies per scalable target is limited to %d", SCALING_POLICIES_MAX);
}

static err new_policy(req *rq, const put_in *in, policy_row *p)
{
	application_autoscaling_ScalingPolicy *it = arena_new(rq->mem, application_autoscaling_ScalingPolicy);
	if (!in->PolicyType.n)
		return invalid(rq, "PolicyType must be specified when a scaling policy is created");
	*it = (application_autoscaling_ScalingPolicy){ .PolicyName = in->PolicyName,
		.ServiceNamespace = in->ServiceNamespace, .ResourceId = in->ResourceId,
		.ScalableDimension = in->ScalableDimension, .PolicyType = in->PolicyType,
		.CreationTime = TIME(rq->now),
		.PolicyARN = req_arn(rq, "autoscaling", "scalingPolicy:%.*s:resource/%.*s/%.*s:policyName/%.*s",
		                     STR_ARG(rand_uuid(rq->mem)), STR_ARG(in->ServiceNamespace),
		                     STR_ARG(in->ResourceId), STR_ARG(in->PolicyName)) };
	*p = (policy_row){ .Account = rq->who.account, .Region = rq->region,
		.Namespace = in->ServiceNamespace, .Resource = in->ResourceId, .Dimension = in->ScalableDimension,
		.Name = in->PolicyName, .It = it };
	return OK;
}

/* Cooldowns that are not given stay as they are not given: answers show what was asked. */
static err take(req *rq, const scaling_kind *k, const put_in *in, application_autoscaling_ScalingPolicy *it)
{
	bool track = str_eq(in->PolicyType.n ? in->PolicyType : it->PolicyType, S("TargetTrackingScaling"));
	if (str_eq(in->PolicyType, S("PredictiveScaling")) || in->PredictiveScalingPolicyConfiguration)
		return fail(rq, &aws_NotImplemented, "Farthing does not scale by prediction.");
	if (in->PolicyType.n && !str_eq(in->PolicyType, it->PolicyType))
		return invalid(rq, "The type of a scaling policy cannot be changed");
	if (track ? !!in->StepScalingPolicyConfiguration : !!in->TargetTrackingScalingPolicyConfiguration)
		return fail(rq, &aws_ValidationException, "%s cannot be specified for policy type %.*s",
		            track ? "StepScalingPolicyConfiguration" : "TargetTrackingScalingPolicyConfiguration",
		            STR_ARG(it->PolicyType));
	if (in->TargetTrackingScalingPolicyConfiguration)
		it->TargetTrackingScalingPolicyConfiguration = in->TargetTrackingScalingPolicyConfiguration;
	if (in->StepScalingPolicyConfiguration)
		it->StepScalingPolicyConfiguration = in->StepScalingPolicyConfiguration;
	if (track && it->TargetTrackingScalingPolicyConfiguration)
		return check_tracking(rq, k, it->TargetTrackingScalingPolicyConfiguration);
	if (!track && it->StepScalingPolicyConfiguration)
		return check_steps(rq, k, it->StepScalingPolicyConfiguration);
	return fail(rq, &aws_ValidationException, "%s must be specified for policy type %.*s",
	            track ? "TargetTrackingScalingPolicyConfiguration" : "StepScalingPolicyConfiguration",
	            STR_ARG(it->PolicyType));
}

err application_autoscaling_PutScalingPolicy(req *rq, txn *tx, const put_in *in,
                                             application_autoscaling_PutScalingPolicy_out *out)
{
	const scaling_kind *k;
	int64_t capacity;
	target_row *t;
	policy_row fresh, *p = scaling_policy(tx, rq, PLACE_IN(in), in->PolicyName);
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	TRY(scaling_registered(rq, tx, PLACE_IN(in), &t));
	if (!p)
		TRY(new_policy(rq, in, p = &fresh));
	TRY(take(rq, k, in, p->It));
	TRY(check_others(rq, tx, in, p->It->TargetTrackingScalingPolicyConfiguration));
	if (p->It->TargetTrackingScalingPolicyConfiguration) {
		TRY(k->get(rq, tx, in->ResourceId, &capacity));
		TRY(scaling_alarms_put(rq, tx, p, capacity));
		scaling_idle_watch(tx, rq->mem, p, rq->now);
	}
	application_autoscaling_policy_put(tx, p);
	out->PolicyARN = p->It->PolicyARN;
	out->Alarms = p->It->Alarms;
	return OK;
}

void scaling_policy_drop(req *rq, txn *tx, const policy_row *p)
{
	scaling_alarms_delete(rq, tx, p);
	application_autoscaling_policy_delete(tx, p->Account, p->Region, p->Namespace, p->Resource, p->Dimension,
	                                      p->Name);
}

err application_autoscaling_DeleteScalingPolicy(req *rq, txn *tx,
		const application_autoscaling_DeleteScalingPolicy_in *in,
		application_autoscaling_DeleteScalingPolicy_out *out)
{
	(void)out;
	const scaling_kind *k;
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	const policy_row *p = scaling_policy(tx, rq, PLACE_IN(in), in->PolicyName);
	if (!p)
		return fail(rq, &application_autoscaling_ObjectNotFoundException,
		            "No scaling policy found for service namespace: %.*s, resource ID: %.*s, scalable "
		            "dimension: %.*s, policy name: %.*s", STR_ARG(in->ServiceNamespace),
		            STR_ARG(in->ResourceId), STR_ARG(in->ScalableDimension), STR_ARG(in->PolicyName));
	scaling_policy_drop(rq, tx, p);
	return OK;
}

/* A step policy's alarms are the customer's: those whose actions name it. */
static void find_alarms(req *rq, application_autoscaling_ScalingPolicy *it)
{
	str answer;
	buf b = buf_in(rq->mem, 512, SCALING_TEXT_MAX);
	buf_put(&b, S("{\"ActionPrefix\":"));
	json_put_string(&b, it->PolicyARN);
	buf_put(&b, S(",\"AlarmTypes\":[\"MetricAlarm\"]}"));
	if (call_json(rq, NULL, "cloudwatch", "DescribeAlarms", buf_str(&b), &answer))
		return;
	const json_value *all = json_get(json_parse(rq->mem, answer), S("MetricAlarms"));
	if (!all)
		return;
	it->Alarms.v = arena_array(rq->mem, application_autoscaling_Alarm, all->n);
	for (const json_value *a = all->first; a; a = a->next)
		it->Alarms.v[it->Alarms.n++] = (application_autoscaling_Alarm){ json_get(a, S("AlarmName"))->text,
			json_get(a, S("AlarmArn"))->text };
}

static bool wanted(const application_autoscaling_DescribeScalingPolicies_in *in,
                   const policy_row *p)
{
	bool named = !in->PolicyNames.n;
	for (size_t i = 0; i < in->PolicyNames.n && !named; i++)
		named = str_eq(in->PolicyNames.v[i], p->Name);
	return named && (!in->ResourceId.n || str_eq(in->ResourceId, p->Resource)) &&
		(!in->ScalableDimension.n || str_eq(in->ScalableDimension, p->Dimension));
}

err application_autoscaling_DescribeScalingPolicies(req *rq, const txn *tx,
		const application_autoscaling_DescribeScalingPolicies_in *in,
		application_autoscaling_DescribeScalingPolicies_out *out)
{
	size_t page;
	str after, last = STR_NONE;
	TRY(scaling_page_start(rq, in->MaxResults, in->NextToken, &page, &after));
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		in->ServiceNamespace, STR_NONE, STR_NONE, STR_NONE);
	out->ScalingPolicies.v = arena_array(rq->mem, application_autoscaling_ScalingPolicy, page);
	for (policy_row *p; (p = application_autoscaling_policy_next(&s));) {
		str position = arena_fmt(rq->mem, "%.*s\n%.*s\n%.*s", STR_ARG(p->Resource), STR_ARG(p->Dimension),
		                         STR_ARG(p->Name));
		if ((str_is(after) && str_cmp(position, after) <= 0) || !wanted(in, p))
			continue;
		if (out->ScalingPolicies.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		last = position;
		if (!p->It->Alarms.n)
			find_alarms(rq, p->It);
		out->ScalingPolicies.v[out->ScalingPolicies.n++] = *p->It;
	}
	cursor_close(&s.at);
	return OK;
}
