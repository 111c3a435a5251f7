/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"ResourceArn\":$arn", "Tags" }
TAGGED(scheduler, "scheduler", { .type = "scheduler:schedule-group", .at = "schedule-group/",
	.list = { "ListScheduleGroups", NULL, "ScheduleGroups" }, .arn = "Arn", TAGGED_PAGES("NextToken"),
	READ, CHANGED });
