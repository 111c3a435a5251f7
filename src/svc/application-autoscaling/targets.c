/* Scalable targets: what has been registered, within which bounds, and its tags. */
#include "cloud/call.h"
#include "cloud/tags.h"
#include "scaling.h"
#include "store/due.h"
#include "sys/rand.h"

static const tag_rules rules = {
	.most = SCALING_TAGS_MAX,
	.too_many = { &application_autoscaling_TooManyTagsException,
		          "The number of tags exceeds the limit of 50 tags per scalable target." },
	.reserved = { &aws_ValidationException, "Tag keys may not begin with aws:." },
};

target_row *scaling_target(const txn *tx, req *rq, scaling_place p)
{
	return application_autoscaling_target_get(tx, rq->mem, rq->who.account, rq->region, p.namespace,
	                                          p.resource, p.dimension);
}

err scaling_registered(req *rq, const txn *tx, scaling_place p, target_row **t)
{
	*t = scaling_target(tx, rq, p);
	return *t ? OK
	          : fail(rq, &application_autoscaling_ObjectNotFoundException,
	                 "No scalable target registered for service namespace: %.*s, resource ID: %.*s, scalable "
	                 "dimension: %.*s", STR_ARG(p.namespace), STR_ARG(p.resource), STR_ARG(p.dimension));
}

str scaling_target_arn(req *rq, const target_row *t)
{
	return req_arn(rq, "application-autoscaling", "scalable-target/%.*s", STR_ARG(t->Id));
}

/* No part can hold a line's end: places are checked, and the rest are names that the model checks. */
str scaling_payload(arena *mem, str account, str region, scaling_place p, str name)
{
	return arena_fmt(mem, "%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(account), STR_ARG(region),
	                 STR_ARG(p.namespace), STR_ARG(p.resource), STR_ARG(p.dimension), STR_ARG(name));
}

scaling_subject scaling_subject_of(str payload)
{
	scaling_subject s = { .account = str_cut(&payload, '\n') };
	s.region = str_cut(&payload, '\n');
	s.place.namespace = str_cut(&payload, '\n');
	s.place.resource = str_cut(&payload, '\n');
	s.place.dimension = str_cut(&payload, '\n');
	s.name = payload;
	return s;
}

static err bounds(req *rq, const scaling_kind *k, const target_row *t)
{
	if (t->Min < k->least || t->Max < k->least)
		return fail(rq, &aws_ValidationException, "%s capacity cannot be less than %lld",
		            t->Min < k->least ? "Minimum" : "Maximum", (long long)k->least);
	if (t->Max < t->Min)
		return fail(rq, &aws_ValidationException, "Maximum capacity cannot be less than minimum capacity");
	return OK;
}

static void suspend(opt_bool *to, opt_bool from)
{
	*to = from.set ? from : BOOL(to->set && to->v);
}

/* What is given is changed, the rest stays. */
static application_autoscaling_SuspendedState *suspended(req *rq,
		const application_autoscaling_SuspendedState *old, const application_autoscaling_SuspendedState *new)
{
	const application_autoscaling_SuspendedState none = { 0 };
	application_autoscaling_SuspendedState *s = arena_new(rq->mem, application_autoscaling_SuspendedState);
	*s = old ? *old : none;
	new = new ? new : &none;
	suspend(&s->DynamicScalingInSuspended, new->DynamicScalingInSuspended);
	suspend(&s->DynamicScalingOutSuspended, new->DynamicScalingOutSuspended);
	suspend(&s->ScheduledScalingSuspended, new->ScheduledScalingSuspended);
	return s;
}

/* The role is there, or is made as AWS makes it; a refusal means that it is there. */
static void link_role(req *rq, txn *tx, const scaling_kind *k)
{
	str answer, ask = arena_fmt(rq->mem, "{\"AWSServiceName\":\"%s\"}", k->principal);
	call_json(rq, tx, "iam", "CreateServiceLinkedRole", ask, &answer);
}

static err new_target(req *rq, txn *tx, const application_autoscaling_RegisterScalableTarget_in *in,
                      const scaling_kind *k, target_row *t)
{
	if (!in->MinCapacity.set || !in->MaxCapacity.set)
		return fail(rq, &aws_ValidationException,
		            "%s capacity must be specified when registering a new target",
		            in->MinCapacity.set ? "Maximum" : "Minimum");
	TRY(tags_check(rq, &rules, TAGS(&in->Tags, key)));
	str id = arena_fmt(rq->mem, "0ec5%016llx%016llx", (unsigned long long)rand_u64(),
	                   (unsigned long long)rand_u64());
	*t = (target_row){ .Account = rq->who.account, .Region = rq->region,
		.Namespace = in->ServiceNamespace, .Resource = in->ResourceId, .Dimension = in->ScalableDimension,
		.Id = id, .Role = scaling_role_arn(rq, k), .Created = rq->now,
		.Tags = in->Tags };
	link_role(rq, tx, k);
	return OK;
}

err application_autoscaling_RegisterScalableTarget(req *rq, txn *tx,
		const application_autoscaling_RegisterScalableTarget_in *in,
		application_autoscaling_RegisterScalableTarget_out *out)
{
	const scaling_kind *k;
	int64_t now;
	target_row fresh, *t = scaling_target(tx, rq, PLACE_IN(in));
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	if (t && in->Tags.n)
		return fail(rq, &aws_ValidationException,
		            "The scalable target that you tried to tag already exists. To update tags on an existing "
		            "scalable target, use the TagResource API.");
	TRY(k->get(rq, tx, in->ResourceId, &now));
	if (!t)
		TRY(new_target(rq, tx, in, k, t = &fresh));
	if (in->MinCapacity.set && in->MinCapacity.v < t->Min)
		scaling_idle_watch_all(tx, rq, PLACE_OF(t));
	t->Min = in->MinCapacity.set ? in->MinCapacity.v : t->Min;
	t->Max = in->MaxCapacity.set ? in->MaxCapacity.v : t->Max;
	/* Services with a role of their own use it, whatever is given. */
	t->Suspended = suspended(rq, t->Suspended, in->SuspendedState);
	TRY(bounds(rq, k, t));
	application_autoscaling_target_put(tx, t);
	if (now < t->Min || now > t->Max)
		scaling_bound(tx, rq, PLACE_OF(t));
	out->ScalableTargetARN = scaling_target_arn(rq, t);
	return OK;
}

err application_autoscaling_DeregisterScalableTarget(req *rq, txn *tx,
		const application_autoscaling_DeregisterScalableTarget_in *in,
		application_autoscaling_DeregisterScalableTarget_out *out)
{
	(void)out;
	const scaling_kind *k;
	TRY(scaling_kind_of(rq, PLACE_IN(in), &k));
	if (!scaling_target(tx, rq, PLACE_IN(in)))
		return fail(rq, &application_autoscaling_ObjectNotFoundException,
		            "No scalable target found for service namespace: %.*s, resource ID: %.*s, scalable "
		            "dimension: %.*s", STR_ARG(in->ServiceNamespace), STR_ARG(in->ResourceId),
		            STR_ARG(in->ScalableDimension));
	record_scan s = application_autoscaling_policy_scan(tx, rq->mem, 5, rq->who.account, rq->region,
		in->ServiceNamespace, in->ResourceId, in->ScalableDimension, STR_NONE);
	for (policy_row *p; (p = application_autoscaling_policy_next(&s));)
		scaling_policy_drop(rq, tx, p);
	s = application_autoscaling_action_scan(tx, rq->mem, 5, rq->who.account, rq->region, in->ServiceNamespace,
	                                        in->ResourceId, in->ScalableDimension, STR_NONE);
	for (action_row *a; (a = application_autoscaling_action_next(&s));)
		scaling_action_drop(rq, tx, a);
	application_autoscaling_target_delete(tx, rq->who.account, rq->region, in->ServiceNamespace,
	                                      in->ResourceId, in->ScalableDimension);
	return OK;
}

static bool among(const application_autoscaling_ResourceIdsMaxLen1600 *wanted, str id)
{
	bool found = !wanted->n;
	for (size_t i = 0; i < wanted->n && !found; i++)
		found = str_eq(wanted->v[i], id);
	return found;
}

err application_autoscaling_DescribeScalableTargets(req *rq, const txn *tx,
		const application_autoscaling_DescribeScalableTargets_in *in,
		application_autoscaling_DescribeScalableTargets_out *out)
{
	size_t page;
	str after, last = STR_NONE;
	TRY(scaling_page_start(rq, in->MaxResults, in->NextToken, &page, &after));
	record_scan s = application_autoscaling_target_scan(tx, rq->mem, 3, rq->who.account, rq->region,
		in->ServiceNamespace, STR_NONE, STR_NONE);
	out->ScalableTargets.v = arena_array(rq->mem, application_autoscaling_ScalableTarget, page);
	for (target_row *t; (t = application_autoscaling_target_next(&s));) {
		str position = arena_fmt(rq->mem, "%.*s\n%.*s", STR_ARG(t->Resource), STR_ARG(t->Dimension));
		if ((str_is(after) && str_cmp(position, after) <= 0) || !among(&in->ResourceIds, t->Resource) ||
		    (in->ScalableDimension.n && !str_eq(in->ScalableDimension, t->Dimension)))
			continue;
		if (out->ScalableTargets.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		last = position;
		out->ScalableTargets.v[out->ScalableTargets.n++] = (application_autoscaling_ScalableTarget){
			.ServiceNamespace = t->Namespace, .ResourceId = t->Resource, .ScalableDimension = t->Dimension,
			.MinCapacity = I64(t->Min), .MaxCapacity = I64(t->Max), .RoleARN = t->Role,
			.CreationTime = TIME(t->Created), .SuspendedState = t->Suspended,
			.ScalableTargetARN = scaling_target_arn(rq, t) };
	}
	cursor_close(&s.at);
	return OK;
}

static err by_arn(req *rq, const txn *tx, str arn, target_row **found)
{
	record_scan s = application_autoscaling_target_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE,
		STR_NONE, STR_NONE);
	*found = NULL;
	for (target_row *t; !*found && (t = application_autoscaling_target_next(&s));)
		if (str_eq(scaling_target_arn(rq, t), arn))
			*found = t;
	cursor_close(&s.at);
	application_autoscaling_ResourceNotFoundException_error *which;
	which = arena_new(rq->mem, application_autoscaling_ResourceNotFoundException_error);
	which->ResourceName = arn;
	return *found ? OK : fail_with(rq, &application_autoscaling_ResourceNotFoundException, which,
	                               "The specified resource doesn't exist.");
}

err application_autoscaling_TagResource(req *rq, txn *tx, const application_autoscaling_TagResource_in *in,
                                        application_autoscaling_TagResource_out *out)
{
	(void)out;
	target_row *t;
	TRY(by_arn(rq, tx, in->ResourceARN, &t));
	TRY(tags_add(rq, &rules, TAGS(&t->Tags, key), TAGS(&in->Tags, key)));
	application_autoscaling_target_put(tx, t);
	return OK;
}

err application_autoscaling_UntagResource(req *rq, txn *tx,
		const application_autoscaling_UntagResource_in *in, application_autoscaling_UntagResource_out *out)
{
	(void)out;
	target_row *t;
	TRY(by_arn(rq, tx, in->ResourceARN, &t));
	tags_drop(TAGS(&t->Tags, key), in->TagKeys.v, in->TagKeys.n);
	application_autoscaling_target_put(tx, t);
	return OK;
}

err application_autoscaling_ListTagsForResource(req *rq, const txn *tx,
		const application_autoscaling_ListTagsForResource_in *in,
		application_autoscaling_ListTagsForResource_out *out)
{
	target_row *t;
	TRY(by_arn(rq, tx, in->ResourceARN, &t));
	out->Tags = t->Tags;
	tags_shown(rq, TAGS(&out->Tags, key));
	return OK;
}

void scaling_bound(txn *tx, req *rq, scaling_place p)
{
	task_add(tx, "scaling_bound", scaling_payload(rq->mem, rq->who.account, rq->region, p, S("")), 0);
}

TASK(scaling_bound)
{
	scaling_subject at = scaling_subject_of(payload);
	const scaling_kind *k = scaling_kind_named(at.place.dimension);
	req *rq = req_internal(mem, s, k->principal, at.account, at.region);
	const txn *tx = req_read(rq);
	const target_row *t = scaling_target(tx, rq, at.place);
	req_read_end(rq, tx);
	int64_t now;
	if (!t || k->get(rq, NULL, at.place.resource, &now))
		return TASK_DONE;
	int64_t wanted = now < t->Min ? t->Min : now > t->Max ? t->Max : now;
	if (wanted != now)
		scaling_to(rq, k, at.place, wanted,
		           arena_fmt(mem, "%s capacity was set to %lld", now < t->Min ? "minimum" : "maximum",
		                     (long long)wanted));
	return TASK_DONE;
}
