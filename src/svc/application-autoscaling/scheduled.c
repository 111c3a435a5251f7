/* Scheduled actions: at their moments a target gets other bounds, and its capacity comes into them. */
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/cron.h"
#include "cloud/zone.h"
#include "scaling.h"
#include "store/due.h"
#include "sys/rand.h"

static str timer_key(arena *mem, const action_row *a)
{
	return scaling_payload(mem, a->Account, a->Region, PLACE_OF(a), a->Name);
}

static void arm(txn *tx, arena *mem, const action_row *a, int64_t after)
{
	schedule e;
	str key = timer_key(mem, a);
	timer_cancel(tx, "scaling_scheduled", key);
	if (!schedule_parse(a->It->Schedule, &e))
		return;
	if (a->It->StartTime.set && after < a->It->StartTime.v)
		after = a->It->StartTime.v - 1;
	/* Checked when it was kept; a zone that the machine has lost since is taken for UTC. */
	const zone *z = zone_load(mem, a->It->Timezone);
	int64_t at = zone_schedule_next(z ? z : zone_load(mem, S("UTC")), &e, a->Since, after);
	if (at != INT64_MAX && !(a->It->EndTime.set && at > a->It->EndTime.v))
		timer_set(tx, "scaling_scheduled", key, at, key);
}

void scaling_action_drop(req *rq, txn *tx, const action_row *a)
{
	timer_cancel(tx, "scaling_scheduled", timer_key(rq->mem, a));
	application_autoscaling_action_delete(tx, a->Account, a->Region, a->Namespace, a->Resource, a->Dimension,
	                                      a->Name);
}

static str bounds_text(req *rq, const application_autoscaling_ScalableTargetAction *a)
{
	buf b = buf_in(rq->mem, 64, 256);
	if (a->MinCapacity.set)
		buf_fmt(&b, "min capacity to %lld", (long long)a->MinCapacity.v);
	if (a->MaxCapacity.set)
		buf_fmt(&b, "%smax capacity to %lld", a->MinCapacity.set ? " and " : "", (long long)a->MaxCapacity.v);
	return buf_str(&b);
}

static void change(req *rq, txn *tx, const action_row *a, target_row *t)
{
	const application_autoscaling_ScalableTargetAction *new = a->It->ScalableTargetAction;
	int64_t min = new->MinCapacity.set ? new->MinCapacity.v : t->Min;
	int64_t max = new->MaxCapacity.set ? new->MaxCapacity.v : t->Max;
	str what = bounds_text(rq, new);
	scaling_activity *it = arena_new(rq->mem, scaling_activity);
	*it = (scaling_activity){
		.Description = arena_fmt(rq->mem, "Setting %.*s", STR_ARG(what)),
		.Cause = arena_fmt(rq->mem, "scheduled action name %.*s was triggered", STR_ARG(a->Name)) };
	if (min > max) {
		it->StatusCode = S("Failed");
		it->StatusMessage = arena_fmt(rq->mem, "Failed to set %.*s. Reason: Maximum capacity cannot be less "
		                              "than minimum capacity", STR_ARG(what));
	} else {
		it->StatusCode = S("Successful");
		it->StatusMessage = arena_fmt(rq->mem, "Successfully set %.*s", STR_ARG(what));
		if (min < t->Min)
			scaling_idle_watch_all(tx, rq, PLACE_OF(t));
		t->Min = min;
		t->Max = max;
		application_autoscaling_target_put(tx, t);
		scaling_bound(tx, rq, PLACE_OF(t));
	}
	scaling_activity_add(rq, tx, PLACE_OF(t), it);
}

TIMER(scaling_scheduled)
{
	scaling_subject at = scaling_subject_of(payload);
	req *rq = req_internal(txn_arena(tx), txn_store(tx), "application-autoscaling.amazonaws.com", at.account,
	                       at.region);
	rq->now = due;
	target_row *t = scaling_target(tx, rq, at.place);
	const action_row *a = application_autoscaling_action_get(tx, rq->mem, at.account, at.region,
		at.place.namespace, at.place.resource, at.place.dimension, at.name);
	if (!a || !t)
		return;
	opt_bool stopped = t->Suspended->ScheduledScalingSuspended;
	if (a->It->ScalableTargetAction && !(stopped.set && stopped.v))
		change(rq, tx, a, t);
	arm(tx, rq->mem, a, due);
}

static err check(req *rq, const scaling_kind *k, const scheduled_action *it)
{
	schedule e;
	const application_autoscaling_ScalableTargetAction *to = it->ScalableTargetAction;
	if (!schedule_parse(it->Schedule, &e))
		return fail(rq, &aws_ValidationException, "Invalid schedule expression. Details: %.*s is neither "
		            "at(), rate() nor cron()", STR_ARG(it->Schedule));
	if (!zone_load(rq->mem, it->Timezone))
		return fail(rq, &aws_ValidationException, "Invalid timezone: %.*s", STR_ARG(it->Timezone));
	if (it->StartTime.set && it->EndTime.set && it->EndTime.v <= it->StartTime.v)
		return fail(rq, &aws_ValidationException, "The start time must be before the end time");
	if (!to || !(to->MinCapacity.set || to->MaxCapacity.set))
		return fail(rq, &aws_ValidationException,
		            "ScalableTargetAction must specify MinCapacity or MaxCapacity");
	if ((to->MinCapacity.set && to->MinCapacity.v < k->least) ||
	    (to->MaxCapacity.set && to->MaxCapacity.v < k->least))
		return fail(rq, &aws_ValidationException, "Capacity cannot be less than %lld", (long long)k->least);
	if (to->MinCapacity.set && to->MaxCapacity.set && to->MaxCapacity.v < to->MinCapacity.v)
		return fail(rq, &aws_ValidationException, "Maximum capacity cannot be less than minimum capacity");
	return OK;
}

static err check_room(req *rq, const txn *tx, const application_autoscaling_PutScheduledAction_in *in)
{
	size_t n = 0;
	record_scan s = application_autoscaling_action_scan(tx, rq->mem, 5, rq->who.account, rq->region,
		in->ServiceNamespace, in->ResourceId, in->ScalableDimension, STR_NONE);
	while (application_autoscaling_action_next(&s))
		n++;
	return n < SCALING_ACTIONS_MAX ? OK
		: fail(rq, &application_autoscaling_LimitExceededException,
		       "The number of scheduled actions per scalable target is limited to %d", SCALING_ACTIONS_MAX);
}

static scheduled_action *new_action(req *rq,
		const application_autoscaling_PutScheduledAction_in *in)
{
	scheduled_action *it = arena_new(rq->mem, scheduled_action);
	*it = (scheduled_action){ .ScheduledActionName = in->ScheduledActionName,
		.ServiceNamespace = in->ServiceNamespace, .ResourceId = in->ResourceId,
		.ScalableDimension = in->ScalableDimension, .CreationTime = TIME(rq->now),
		.ScheduledActionARN = req_arn(rq, "autoscaling",
			"scheduledAction:%.*s:resource/%.*s/%.*s:scheduledActionName/%.*s", STR_ARG(rand_uuid(rq->mem)),
			STR_ARG(in->ServiceNamespace), STR_ARG(in->ResourceId), STR_ARG(in->ScheduledActionName)) };
	return it;
}

/* What is not given stays, but for the times: those go. */
err application_autoscaling_PutScheduledAction(req *rq, txn *tx,
		const application_autoscaling_PutScheduledAction_in *in,
		application_autoscaling_PutScheduledAction_out *out)
{
	(void)out;
	const scaling_kind *k;
	target_row *t;
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	TRY(scaling_registered(rq, tx, PLACE_IN(in), &t));
	action_row fresh = { .Account = rq->who.account, .Region = rq->region,
		.Namespace = in->ServiceNamespace, .Resource = in->ResourceId, .Dimension = in->ScalableDimension,
		.Name = in->ScheduledActionName };
	action_row *a = application_autoscaling_action_get(tx, rq->mem, fresh.Account, fresh.Region,
		fresh.Namespace, fresh.Resource, fresh.Dimension, fresh.Name);
	if (!a) {
		TRY(check_room(rq, tx, in));
		a = &fresh;
		a->It = new_action(rq, in);
	}
	scheduled_action *it = a->It;
	if (!in->Schedule.n && !it->Schedule.n)
		return fail(rq, &aws_ValidationException,
		            "Schedule must be specified when a scheduled action is created");
	it->Schedule = in->Schedule.n ? in->Schedule : it->Schedule;
	it->Timezone = in->Timezone.n ? in->Timezone : it->Timezone;
	it->ScalableTargetAction = in->ScalableTargetAction ? in->ScalableTargetAction : it->ScalableTargetAction;
	it->StartTime = in->StartTime;
	it->EndTime = in->EndTime;
	TRY(check(rq, k, it));
	a->Since = it->StartTime.set && it->StartTime.v > rq->now ? it->StartTime.v : rq->now;
	application_autoscaling_action_put(tx, a);
	arm(tx, rq->mem, a, rq->now);
	return OK;
}

err application_autoscaling_DeleteScheduledAction(req *rq, txn *tx,
		const application_autoscaling_DeleteScheduledAction_in *in,
		application_autoscaling_DeleteScheduledAction_out *out)
{
	(void)out;
	const scaling_kind *k;
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	const action_row *a = application_autoscaling_action_get(tx, rq->mem, rq->who.account,
		rq->region, in->ServiceNamespace, in->ResourceId, in->ScalableDimension, in->ScheduledActionName);
	if (!a)
		return fail(rq, &application_autoscaling_ObjectNotFoundException,
		            "No scheduled action found for service namespace: %.*s, resource ID: %.*s, scalable "
		            "dimension: %.*s, scheduled action name: %.*s", STR_ARG(in->ServiceNamespace),
		            STR_ARG(in->ResourceId), STR_ARG(in->ScalableDimension),
		            STR_ARG(in->ScheduledActionName));
	scaling_action_drop(rq, tx, a);
	return OK;
}

static bool wanted(const application_autoscaling_DescribeScheduledActions_in *in,
                   const action_row *a)
{
	bool named = !in->ScheduledActionNames.n;
	for (size_t i = 0; i < in->ScheduledActionNames.n && !named; i++)
		named = str_eq(in->ScheduledActionNames.v[i], a->Name);
	return named && (!in->ResourceId.n || str_eq(in->ResourceId, a->Resource)) &&
		(!in->ScalableDimension.n || str_eq(in->ScalableDimension, a->Dimension));
}

err application_autoscaling_DescribeScheduledActions(req *rq, const txn *tx,
		const application_autoscaling_DescribeScheduledActions_in *in,
		application_autoscaling_DescribeScheduledActions_out *out)
{
	size_t page;
	str after, last = STR_NONE;
	TRY(scaling_page_start(rq, in->MaxResults, in->NextToken, &page, &after));
	record_scan s = application_autoscaling_action_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		in->ServiceNamespace, STR_NONE, STR_NONE, STR_NONE);
	out->ScheduledActions.v = arena_array(rq->mem, application_autoscaling_ScheduledAction, page);
	for (action_row *a; (a = application_autoscaling_action_next(&s));) {
		str position = arena_fmt(rq->mem, "%.*s\n%.*s\n%.*s", STR_ARG(a->Resource), STR_ARG(a->Dimension),
		                         STR_ARG(a->Name));
		if ((str_is(after) && str_cmp(position, after) <= 0) || !wanted(in, a))
			continue;
		if (out->ScheduledActions.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		last = position;
		out->ScheduledActions.v[out->ScheduledActions.n++] = *a->It;
	}
	cursor_close(&s.at);
	return OK;
}
