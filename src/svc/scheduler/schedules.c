#include "base/time.h"
#include "cloud/cron.h"
#include "cloud/target.h"
#include "cloud/zone.h"
#include "schedule.h"

#define LIST_PAGE 100

static str group_name(str given)
{
	return given.n ? given : S(DEFAULT_GROUP);
}

str schedule_arn(arena *mem, const scheduler_schedule *s)
{
	return arena_fmt(mem, "arn:aws:scheduler:%.*s:%.*s:schedule/%.*s/%.*s", STR_ARG(s->Region),
	                 STR_ARG(s->Account), STR_ARG(s->Group), STR_ARG(s->Name));
}

err schedule_group_find(req *rq, const txn *tx, str name, scheduler_group **g)
{
	*g = scheduler_group_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!*g && str_eq(name, S(DEFAULT_GROUP))) {
		*g = arena_new(rq->mem, scheduler_group);
		**g = (scheduler_group){ .Account = rq->who.account, .Region = rq->region, .Name = name };
	}
	return *g ? OK : fail(rq, &scheduler_ResourceNotFoundException, "Schedule group %.*s does not exist.",
	                      STR_ARG(name));
}

err schedule_find(req *rq, const txn *tx, str group, str name, scheduler_schedule **s)
{
	*s = scheduler_schedule_get(tx, rq->mem, rq->who.account, rq->region, group_name(group), name);
	return *s ? OK : fail(rq, &scheduler_ResourceNotFoundException, "Schedule %.*s does not exist.",
	                      STR_ARG(name));
}

static err target_check(req *rq, const scheduler_Target *t)
{
	arn_parts a;
	if (!arn_split(t->Arn, &a))
		return fail(rq, &scheduler_ValidationException, "Provided Arn is not in correct format.");
	if (str_eq(a.service, S("sqs")) && str_ends(a.resource, S(".fifo")) &&
	    !(t->SqsParameters && t->SqsParameters->MessageGroupId.n))
		return fail(rq, &scheduler_ValidationException, "MessageGroupId is required for FIFO queues.");
	if (str_eq(a.service, S("events")) && !t->EventBridgeParameters)
		return fail(rq, &scheduler_ValidationException,
				"EventBridgeParameters are required for event buses.");
	if (str_eq(a.service, S("ecs")) && !t->EcsParameters)
		return fail(rq, &scheduler_ValidationException, "EcsParameters are required for ECS clusters.");
	bool universal = str_starts(t->Arn, S("arn:aws:scheduler:::aws-sdk:"));
	if (!universal && !str_eq(a.service, S("events")) && !target_is_known(t->Arn))
		return fail(rq, &aws_NotImplemented, "Farthing cannot deliver to %.*s.", STR_ARG(t->Arn));
	return OK;
}

err kept_check(req *rq, const scheduler_Kept *k)
{
	schedule s;
	bool flexible = str_eq(k->FlexibleTimeWindow->Mode, S("FLEXIBLE"));
	if (!schedule_parse(k->ScheduleExpression, &s))
		return fail(rq, &scheduler_ValidationException, "Invalid Schedule Expression %.*s.",
		            STR_ARG(k->ScheduleExpression));
	if (!zone_load(rq->mem, k->ScheduleExpressionTimezone))
		return fail(rq, &scheduler_ValidationException, "The time zone %.*s is not valid.",
		            STR_ARG(k->ScheduleExpressionTimezone));
	if (flexible != k->FlexibleTimeWindow->MaximumWindowInMinutes.set)
		return fail(rq, &scheduler_ValidationException, flexible
		            ? "MaximumWindowInMinutes is required for a flexible time window."
		            : "MaximumWindowInMinutes must not be set when the flexible time window is OFF.");
	if (k->StartDate.set && k->EndDate.set && k->EndDate.v <= k->StartDate.v)
		return fail(rq, &scheduler_ValidationException, "The EndDate must be after the StartDate.");
	return target_check(rq, k->Target);
}

static scheduler_Kept kept_of(const scheduler_CreateSchedule_in *in)
{
	return (scheduler_Kept){ .ActionAfterCompletion = in->ActionAfterCompletion.n ? in->ActionAfterCompletion
	                                                                              : S("NONE"),
		.Description = in->Description, .EndDate = in->EndDate, .FlexibleTimeWindow = in->FlexibleTimeWindow,
		.KmsKeyArn = in->KmsKeyArn, .ScheduleExpression = in->ScheduleExpression,
		.ScheduleExpressionTimezone = in->ScheduleExpressionTimezone.n
				? in->ScheduleExpressionTimezone : S("UTC"),
		.StartDate = in->StartDate, .State = in->State.n ? in->State : S("ENABLED"), .Target = in->Target };
}

static err keep(req *rq, txn *tx, scheduler_schedule *s)
{
	scheduler_Target *t = arena_new(rq->mem, scheduler_Target);
	*t = *s->It->Target;
	if (!t->RetryPolicy) {
		t->RetryPolicy = arena_new(rq->mem, scheduler_RetryPolicy);
		*t->RetryPolicy = (scheduler_RetryPolicy){ .MaximumRetryAttempts = I64(SCHEDULER_RETRIES),
			                                       .MaximumEventAgeInSeconds = I64(SCHEDULER_AGE_S) };
	}
	s->It->Target = t;
	s->Modified = rq->now;
	s->Since = s->It->StartDate.set && s->It->StartDate.v > rq->now ? s->It->StartDate.v : rq->now;
	scheduler_schedule_put(tx, s);
	schedule_arm(tx, rq->mem, s, rq->now);
	return OK;
}

err scheduler_CreateSchedule(req *rq, txn *tx, const scheduler_CreateSchedule_in *in,
                             scheduler_CreateSchedule_out *out)
{
	scheduler_group *g;
	scheduler_Kept k = kept_of(in);
	TRY(kept_check(rq, &k));
	TRY(schedule_group_find(rq, tx, group_name(in->GroupName), &g));
	scheduler_schedule s = { .Account = rq->who.account, .Region = rq->region, .Group = g->Name,
		                     .Name = in->Name, .It = &k, .Created = rq->now };
	if (scheduler_schedule_get(tx, rq->mem, s.Account, s.Region, s.Group, s.Name))
		return fail(rq, &scheduler_ConflictException, "Schedule %.*s already exists.", STR_ARG(in->Name));
	out->ScheduleArn = schedule_arn(rq->mem, &s);
	return keep(rq, tx, &s);
}

err scheduler_UpdateSchedule(req *rq, txn *tx, const scheduler_UpdateSchedule_in *in,
                             scheduler_UpdateSchedule_out *out)
{
	scheduler_schedule *s;
	TRY(schedule_find(rq, tx, in->GroupName, in->Name, &s));
	scheduler_CreateSchedule_in same = { .ActionAfterCompletion = in->ActionAfterCompletion,
		.Description = in->Description, .EndDate = in->EndDate, .FlexibleTimeWindow = in->FlexibleTimeWindow,
		.KmsKeyArn = in->KmsKeyArn, .ScheduleExpression = in->ScheduleExpression,
		.ScheduleExpressionTimezone = in->ScheduleExpressionTimezone, .StartDate = in->StartDate,
		.State = in->State, .Target = in->Target };
	scheduler_Kept k = kept_of(&same);
	TRY(kept_check(rq, &k));
	s->It = &k;
	out->ScheduleArn = schedule_arn(rq->mem, s);
	return keep(rq, tx, s);
}

err scheduler_GetSchedule(req *rq, const txn *tx, const scheduler_GetSchedule_in *in,
                          scheduler_GetSchedule_out *out)
{
	scheduler_schedule *s;
	TRY(schedule_find(rq, tx, in->GroupName, in->Name, &s));
	const scheduler_Kept *k = s->It;
	*out = (scheduler_GetSchedule_out){ .ActionAfterCompletion = k->ActionAfterCompletion,
		.Arn = schedule_arn(rq->mem, s), .CreationDate = TIME(s->Created), .Description = k->Description,
		.EndDate = k->EndDate, .FlexibleTimeWindow = k->FlexibleTimeWindow, .GroupName = s->Group,
		.KmsKeyArn = k->KmsKeyArn, .LastModificationDate = TIME(s->Modified), .Name = s->Name,
		.ScheduleExpression = k->ScheduleExpression,
		.ScheduleExpressionTimezone = k->ScheduleExpressionTimezone, .StartDate = k->StartDate,
		.State = k->State, .Target = k->Target };
	return OK;
}

err scheduler_DeleteSchedule(req *rq, txn *tx, const scheduler_DeleteSchedule_in *in,
                             scheduler_DeleteSchedule_out *out)
{
	scheduler_schedule *s;
	TRY(schedule_find(rq, tx, in->GroupName, in->Name, &s));
	schedule_drop(tx, rq->mem, s);
	return OK;
}

err scheduler_ListSchedules(req *rq, const txn *tx, const scheduler_ListSchedules_in *in,
                            scheduler_ListSchedules_out *out)
{
	str after = STR_NONE, group = STR_NONE, last = STR_NONE;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &scheduler_ValidationException, "Invalid NextToken.");
		group = str_cut(&after, ' ');
	}
	out->Schedules.v = arena_array(rq->mem, scheduler_ScheduleSummary, page);
	record_scan s = scheduler_schedule_scan(tx, rq->mem, in->GroupName.n ? 3 : 2, rq->who.account, rq->region,
	                                        in->GroupName, STR_NONE);
	for (scheduler_schedule *i; (i = scheduler_schedule_next(&s));) {
		int order = str_is(group) ? str_cmp(i->Group, group) : 1;
		if (order < 0 || (order == 0 && str_cmp(i->Name, after) <= 0) || !str_starts(i->Name,
				in->NamePrefix) ||
		    (in->State.n && !str_eq(i->It->State, in->State)))
			continue;
		if (out->Schedules.n == page) {
			out->NextToken = page_token(rq, last);
			break;
		}
		scheduler_TargetSummary *t = arena_new(rq->mem, scheduler_TargetSummary);
		t->Arn = i->It->Target->Arn;
		out->Schedules.v[out->Schedules.n++] = (scheduler_ScheduleSummary){ .Arn = schedule_arn(rq->mem, i),
			.CreationDate = TIME(i->Created), .GroupName = i->Group,
					.LastModificationDate = TIME(i->Modified),
			.Name = i->Name, .State = i->It->State, .Target = t };
		last = arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(i->Group), STR_ARG(i->Name));
	}
	cursor_close(&s.at);
	return OK;
}
