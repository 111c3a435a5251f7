/* From one capacity to another: how far a policy goes, and what came of it. */
#include "base/time.h"
#include "cloud/alarm_target.h"
#include "cloud/call.h"
#include "scaling.h"
#include <math.h>

#define STEP_COOLDOWN 300
#define CAPACITY_MAX 1e9

typedef application_autoscaling_StepScalingPolicyConfiguration steps;

typedef struct outcome {
	const scaling_kind *kind;
	scaling_place place;
	scaling_activity *activity;
	policy_row *policy; /* keep it too */
	int64_t capacity; /* the alarms of the target's policies follow it; -1: it has not changed */
} outcome;

/* The rest of the row is as it is now: somebody may have put the policy while the capacity changed. */
static void keep_policy(req *rq, txn *tx, const policy_row *o)
{
	policy_row *p = scaling_policy(tx, rq, PLACE_OF(o), o->Name);
	if (!p)
		return;
	p->OutAt = o->OutAt;
	p->OutFrom = o->OutFrom;
	p->InAt = o->InAt;
	p->NotScaled = o->NotScaled;
	application_autoscaling_policy_put(tx, p);
}

static err keep(req *rq, txn *tx, void *context)
{
	const outcome *o = context;
	scaling_activity_add(rq, tx, o->place, o->activity);
	if (o->policy)
		keep_policy(rq, tx, o->policy);
	if (o->capacity < 0)
		return OK;
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 5, rq->who.account, rq->region,
		o->place.namespace, o->place.resource, o->place.dimension, STR_NONE);
	for (policy_row *p; (p = application_autoscaling_policy_next(&s));) {
		if (!p->It->TargetTrackingScalingPolicyConfiguration)
			continue;
		TRY(scaling_alarms_put(rq, tx, p, o->capacity));
		scaling_idle_watch(tx, rq->mem, p, rq->now);
	}
	return OK;
}

static scaling_activity *activity(req *rq, str description, str cause)
{
	scaling_activity *a = arena_new(rq->mem, scaling_activity);
	*a = (scaling_activity){ .Description = description, .Cause = cause };
	return a;
}

/* The change and what is kept of it: both or neither, so that what is asked for again is not done twice. */
static err change_and_keep(req *rq, txn *tx, void *context)
{
	outcome *o = context;
	TRY(o->kind->set(rq, tx, o->place.resource, o->capacity));
	return keep(rq, tx, o);
}

static str description(req *rq, const outcome *o, int64_t wanted)
{
	return arena_fmt(rq->mem, "Setting %s to %lld.", o->kind->what, (long long)wanted);
}

/* What is not done has left nothing behind. */
static err change(req *rq, outcome *o, int64_t wanted, str cause)
{
	const char *what = o->kind->what;
	o->activity = activity(rq, description(rq, o, wanted), cause);
	o->activity->StatusCode = S("Successful");
	o->activity->StatusMessage =
		arena_fmt(rq->mem, "Successfully set %s to %lld. Change successfully fulfilled by %s.", what,
		          (long long)wanted, o->kind->namespace);
	o->capacity = wanted;
	err e = req_write(rq, change_and_keep, o);
	if (!e)
		return OK;
	o->capacity = -1;
	o->activity = activity(rq, description(rq, o, wanted), cause);
	o->activity->StatusCode = S("Failed");
	o->activity->StatusMessage = arena_fmt(rq->mem, "Failed to set %s to %lld. Reason: %.*s", what,
	                                       (long long)wanted, STR_ARG(e->message));
	return e;
}

err scaling_to(req *rq, const scaling_kind *k, scaling_place p, int64_t wanted, str cause)
{
	outcome o = { .kind = k, .place = p };
	return change(rq, &o, wanted, cause) ? req_write(rq, keep, &o) : OK;
}

/* What keeps the metric at its target. A table's is what is consumed in a minute; the others are a share of
 * the capacity, which was `base` when they were measured. */
static double tracked(const tracking *t, const scaling_metric *m, int64_t base, bool low)
{
	double seen = low ? m->highest : m->latest;
	if (t->PredefinedMetricSpecification &&
	    str_starts(t->PredefinedMetricSpecification->PredefinedMetricType, S("DynamoDB")))
		return ceil(seen / 60 / (t->TargetValue.v / 100));
	return ceil((double)base * seen / t->TargetValue.v);
}

/* The step into which the distance from the threshold falls: bounds belong to the step farther away. */
static const application_autoscaling_StepAdjustment *step_of(const steps *c, double distance)
{
	for (size_t i = 0; i < c->StepAdjustments.n; i++) {
		const application_autoscaling_StepAdjustment *a = &c->StepAdjustments.v[i];
		const opt_f64 low = a->MetricIntervalLowerBound, high = a->MetricIntervalUpperBound;
		bool in = distance >= 0 ? (!low.set || distance >= low.v) && (!high.set || distance < high.v)
		                        : (!low.set || distance > low.v) && (!high.set || distance <= high.v);
		if (in)
			return a;
	}
	return NULL;
}

static double stepped(const steps *c, const scaling_metric *m, int64_t base)
{
	const application_autoscaling_StepAdjustment *a = step_of(c, m->latest - m->threshold);
	if (!a)
		return (double)base;
	double by = (double)a->ScalingAdjustment.v;
	if (str_eq(c->AdjustmentType, S("ExactCapacity")))
		return by;
	if (str_eq(c->AdjustmentType, S("PercentChangeInCapacity"))) {
		double exact = (double)base * by / 100, least = c->MinAdjustmentMagnitude.set
			? (double)c->MinAdjustmentMagnitude.v : 1;
		by = trunc(exact);
		if (fabs(by) < least)
			by = exact > 0 ? least : exact < 0 ? -least : 0;
	}
	return (double)base + by;
}

static int64_t cooldown(opt_i64 given, int64_t usual)
{
	return (given.set ? given.v : usual) * MS_SECOND;
}

/* What the capacity was before the last scaling out, while that one may not have worked yet. */
static int64_t base_of(const req *rq, const policy_row *p, const scaling_kind *k, int64_t now)
{
	const tracking *t = p->It->TargetTrackingScalingPolicyConfiguration;
	int64_t wait = t ? cooldown(t->ScaleOutCooldown, k->cooldown)
	                 : cooldown(p->It->StepScalingPolicyConfiguration->Cooldown, STEP_COOLDOWN);
	return p->OutAt && rq->now - p->OutAt < wait ? p->OutFrom : now;
}

static bool resting(const req *rq, const policy_row *p, const scaling_kind *k)
{
	const tracking *t = p->It->TargetTrackingScalingPolicyConfiguration;
	int64_t wait = t ? cooldown(t->ScaleInCooldown, k->cooldown)
	                 : cooldown(p->It->StepScalingPolicyConfiguration->Cooldown, STEP_COOLDOWN);
	int64_t last = p->InAt > p->OutAt ? p->InAt : p->OutAt;
	return last && rq->now - last < wait;
}

static err not_scaled(req *rq, outcome *o, const target_row *t, int64_t now, bool out, str alarm)
{
	str code = out ? S("AlreadyAtMaxCapacity") : S("AlreadyAtMinCapacity");
	if (str_eq(o->policy->NotScaled, code))
		return OK;
	o->policy->NotScaled = code;
	o->activity = activity(rq, S("Attempting to scale due to alarm triggered"),
		arena_fmt(rq->mem, "monitor alarm %.*s in state ALARM triggered policy %.*s", STR_ARG(alarm),
		          STR_ARG(o->policy->Name)));
	o->activity->StatusCode = S("Failed");
	application_autoscaling_NotScaledReason *why;
	why = arena_new(rq->mem, application_autoscaling_NotScaledReason);
	*why = (application_autoscaling_NotScaledReason){ .Code = code, .CurrentCapacity = I64(now) };
	if (out)
		why->MaxCapacity = I64(t->Max);
	else
		why->MinCapacity = I64(t->Min);
	o->activity->NotScaledReasons.v = why;
	o->activity->NotScaledReasons.n = 1;
	return req_write(rq, keep, o);
}

static bool suspended(opt_bool b) { return b.set && b.v; }

/* Bounds hold for what a policy wants; what lies outside of them already is not moved away from them. */
static int64_t bounded(const target_row *t, double wanted)
{
	if (isnan(wanted) || wanted < (double)t->Min)
		return t->Min;
	return wanted > (double)t->Max ? t->Max : (int64_t)fmin(wanted, CAPACITY_MAX);
}

static err move(req *rq, outcome *o, const target_row *t, int64_t now, double wanted, str alarm)
{
	policy_row *p = o->policy;
	const tracking *track = p->It->TargetTrackingScalingPolicyConfiguration;
	int64_t to = bounded(t, wanted);
	if (wanted > (double)now && to <= now)
		return not_scaled(rq, o, t, now, true, alarm);
	if (wanted < (double)now && to >= now)
		return not_scaled(rq, o, t, now, false, alarm);
	bool out = to > now;
	if (to == now || suspended(out ? t->Suspended->DynamicScalingOutSuspended
	                               : t->Suspended->DynamicScalingInSuspended))
		return OK;
	if (!out && (resting(rq, p, o->kind) || (track && suspended(track->DisableScaleIn))))
		return OK;
	str cause = arena_fmt(rq->mem, "monitor alarm %.*s in state ALARM triggered policy %.*s", STR_ARG(alarm),
	                      STR_ARG(p->Name));
	policy_row was = *p;
	p->OutFrom = out ? now : p->OutFrom;
	p->OutAt = out ? rq->now : p->OutAt;
	p->InAt = out ? 0 : rq->now;
	p->NotScaled = STR_NONE;
	if (!change(rq, o, to, cause))
		return OK;
	*p = was;
	return req_write(rq, keep, o);
}

err scaling_triggered(req *rq, policy_row *p, str alarm)
{
	int64_t now;
	scaling_metric m;
	const tracking *track = p->It->TargetTrackingScalingPolicyConfiguration;
	outcome o = { .place = PLACE_OF(p), .policy = p, .capacity = -1,
		          .kind = scaling_kind_named(p->Dimension) };
	const txn *tx = req_read(rq);
	const target_row *t = scaling_target(tx, rq, o.place);
	req_read_end(rq, tx);
	if (!t)
		return OK;
	TRY(o.kind->get(rq, NULL, p->Resource, &now));
	TRY(scaling_metric_of(rq, NULL, alarm, &m));
	bool low = scaling_alarm_is_low(p, alarm), high = str_eq(alarm, scaling_alarm_named(p, "AlarmHigh"));
	if (!track)
		return m.any ? move(rq, &o, t, now, stepped(p->It->StepScalingPolicyConfiguration, &m,
		                    m.low ? now : base_of(rq, p, o.kind, now)), alarm) : OK;
	if (!low && !high)
		return OK;
	double wanted = tracked(track, &m, low ? now : base_of(rq, p, o.kind, now), low);
	/* An alarm that is too high never lowers, nor the other way round: its metric lags behind. */
	if ((low && wanted >= (double)now) || (high && (!m.any || wanted <= (double)now)))
		return OK;
	return move(rq, &o, t, now, wanted, alarm);
}

/* arn:aws:autoscaling:R:A:scalingPolicy:ID:resource/NAMESPACE/RESOURCE:policyName/NAME */
static policy_row *by_arn(req *rq, const txn *tx, str arn)
{
	size_t at = str_find(arn, S(":resource/"));
	str rest = at == SIZE_MAX ? S("") : str_sub(arn, at + 10, arn.n), namespace = str_cut(&rest, '/');
	policy_row *found = NULL;
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		namespace, STR_NONE, STR_NONE, STR_NONE);
	for (policy_row *p; !found && (p = application_autoscaling_policy_next(&s));)
		if (str_eq(p->It->PolicyARN, arn))
			found = p;
	cursor_close(&s.at);
	return found;
}

static err alarmed(req *rq, str action, str alarm)
{
	const txn *tx = req_read(rq);
	policy_row *p = by_arn(rq, tx, action);
	req_read_end(rq, tx);
	return p ? scaling_triggered(rq, p, alarm)
	         : fail(rq, &application_autoscaling_ObjectNotFoundException, "There is no scaling policy %.*s",
	                STR_ARG(action));
}
ALARM_TARGET(application_autoscaling, "arn:aws:autoscaling:", ":resource/", alarmed);
