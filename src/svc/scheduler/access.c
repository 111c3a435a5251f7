/* What the operations are called in policies, and on which schedules and groups they act. */
#include "cloud/authorise.h"
#include "gen/scheduler.h"

/* A schedule without a group is in the group "default". */
static size_t the_schedule(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str group = access_member(rq, in, S("GroupName")), name = access_member(rq, in, S("Name"));
	*arns = arena_new(rq->mem, str);
	**arns = req_arn(rq, "scheduler", "schedule/%.*s/%.*s",
	                 STR_ARG(str_is(group) ? group : S("default")), STR_ARG(name));
	return 1;
}

/* Who makes or changes a schedule hands its role over. */
static size_t with_role(req *rq, const txn *tx, const void *in, str **arns)
{
	const scheduler_Target *target = strcmp(rq->op->name, "CreateSchedule") == 0 ?
		((const scheduler_CreateSchedule_in *)in)->Target : ((const scheduler_UpdateSchedule_in *)in)->Target;
	str *one;
	the_schedule(rq, tx, in, &one);
	*arns = arena_array(rq->mem, str, 2);
	(*arns)[0] = one[0];
	(*arns)[1] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(target->RoleArn));
	return 2;
}

#define ON(operation) { operation, NULL, NULL, the_schedule }
#define ON_GROUP(operation) { operation, NULL, "schedule-group/{Name}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceArn}", NULL }
ACCESS(scheduler, "scheduler", NULL,
	{ "CreateSchedule", NULL, NULL, with_role }, { "UpdateSchedule", NULL, NULL, with_role },
	ON("GetSchedule"), ON("DeleteSchedule"), { "ListSchedules", NULL, "*", NULL },
	ON_GROUP("CreateScheduleGroup"), ON_GROUP("GetScheduleGroup"), ON_GROUP("DeleteScheduleGroup"),
	{ "ListScheduleGroups", NULL, "*", NULL },
	ON_ARN("TagResource"), ON_ARN("UntagResource"), ON_ARN("ListTagsForResource"));
