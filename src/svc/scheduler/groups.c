#include "cloud/tags.h"
#include "schedule.h"

#define LIST_PAGE 100

static str schedule_group_arn(arena *mem, const scheduler_group *g)
{
	return arena_fmt(mem, "arn:aws:scheduler:%.*s:%.*s:schedule-group/%.*s", STR_ARG(g->Region),
	                 STR_ARG(g->Account), STR_ARG(g->Name));
}

err scheduler_CreateScheduleGroup(req *rq, txn *tx, const scheduler_CreateScheduleGroup_in *in,
                                  scheduler_CreateScheduleGroup_out *out)
{
	scheduler_group g = { .Account = rq->who.account, .Region = rq->region, .Name = in->Name,
		                  .Created = rq->now, .Modified = rq->now, .Tags = in->Tags };
	if (str_eq(in->Name, S(DEFAULT_GROUP)) ||
	    scheduler_group_get(tx, rq->mem, g.Account, g.Region, g.Name))
		return fail(rq, &scheduler_ConflictException, "Schedule group %.*s already exists.",
				STR_ARG(in->Name));
	scheduler_group_put(tx, &g);
	out->ScheduleGroupArn = schedule_group_arn(rq->mem, &g);
	return OK;
}

err scheduler_GetScheduleGroup(req *rq, const txn *tx, const scheduler_GetScheduleGroup_in *in,
                               scheduler_GetScheduleGroup_out *out)
{
	scheduler_group *g;
	TRY(schedule_group_find(rq, tx, in->Name, &g));
	*out = (scheduler_GetScheduleGroup_out){ .Arn = schedule_group_arn(rq->mem, g),
			.CreationDate = TIME(g->Created),
		.LastModificationDate = TIME(g->Modified), .Name = g->Name, .State = S("ACTIVE") };
	return OK;
}

/* Its schedules go with it. */
err scheduler_DeleteScheduleGroup(req *rq, txn *tx, const scheduler_DeleteScheduleGroup_in *in,
                                  scheduler_DeleteScheduleGroup_out *out)
{
	scheduler_group *g;
	if (str_eq(in->Name, S(DEFAULT_GROUP)))
		return fail(rq, &scheduler_ValidationException, "The default schedule group cannot be deleted.");
	TRY(schedule_group_find(rq, tx, in->Name, &g));
	record_scan s = scheduler_schedule_scan(tx, rq->mem, 3, g->Account, g->Region, g->Name, STR_NONE);
	for (scheduler_schedule *i; (i = scheduler_schedule_next(&s));)
		schedule_drop(tx, rq->mem, i);
	scheduler_group_delete(tx, g->Account, g->Region, g->Name);
	return OK;
}

err scheduler_ListScheduleGroups(req *rq, const txn *tx, const scheduler_ListScheduleGroups_in *in,
                                 scheduler_ListScheduleGroups_out *out)
{
	str after = STR_NONE;
	scheduler_group *by_default;
	size_t page = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_PAGE;
	if (in->NextToken.n && !page_position(rq, in->NextToken, &after))
		return fail(rq, &scheduler_ValidationException, "Invalid NextToken.");
	TRY(schedule_group_find(rq, tx, S(DEFAULT_GROUP), &by_default));
	out->ScheduleGroups.v = arena_array(rq->mem, scheduler_ScheduleGroupSummary, page + 1);
	record_scan s = scheduler_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	bool first = !str_is(after) && str_starts(by_default->Name, in->NamePrefix);
	if (str_is(after))
		record_scan_after(&s, after);
	for (scheduler_group *g; (g = first ? by_default : scheduler_group_next(&s)); first = false) {
		if (!str_starts(g->Name, in->NamePrefix))
			continue;
		if (out->ScheduleGroups.n == page) {
			str last = out->ScheduleGroups.v[page - 1].Name;
			out->NextToken = page_token(rq, str_eq(last, S(DEFAULT_GROUP)) ? S("") : last);
			break;
		}
		out->ScheduleGroups.v[out->ScheduleGroups.n++] = (scheduler_ScheduleGroupSummary){
			.Arn = schedule_group_arn(rq->mem, g), .CreationDate = TIME(g->Created),
			.LastModificationDate = TIME(g->Modified), .Name = g->Name, .State = S("ACTIVE") };
	}
	cursor_close(&s.at);
	return OK;
}

static err tagged(req *rq, const txn *tx, str arn, scheduler_group **g)
{
	size_t slash = str_find_char(arn, '/');
	return schedule_group_find(rq, tx, str_sub(arn, slash + 1, arn.n), g);
}

err scheduler_TagResource(req *rq, txn *tx, const scheduler_TagResource_in *in,
		scheduler_TagResource_out *out)
{
	scheduler_group *g;
	TRY(tagged(rq, tx, in->ResourceArn, &g));
	TRY(tags_add(rq, &(tag_rules){ 0 }, TAGS(&g->Tags, Key), TAGS(&in->Tags, Key)));
	scheduler_group_put(tx, g);
	return OK;
}

err scheduler_UntagResource(req *rq, txn *tx, const scheduler_UntagResource_in *in,
                            scheduler_UntagResource_out *out)
{
	scheduler_group *g;
	TRY(tagged(rq, tx, in->ResourceArn, &g));
	tags_drop(TAGS(&g->Tags, Key), in->TagKeys.v, in->TagKeys.n);
	scheduler_group_put(tx, g);
	return OK;
}

err scheduler_ListTagsForResource(req *rq, const txn *tx, const scheduler_ListTagsForResource_in *in,
                                  scheduler_ListTagsForResource_out *out)
{
	scheduler_group *g;
	TRY(tagged(rq, tx, in->ResourceArn, &g));
	tags_shown(rq, TAGS(&g->Tags, Key));
	out->Tags = g->Tags;
	return OK;
}
