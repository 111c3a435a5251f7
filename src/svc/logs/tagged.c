/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"resourceArn\":$arn,\"tags\":$map", NULL }, \
	.untag = { "UntagResource", "\"resourceArn\":$arn,\"tagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"resourceArn\":$arn", "tags" }
TAGGED(logs, "logs", { .type = "logs:log-group", .at = "log-group:",
	.list = { "DescribeLogGroups", NULL, "logGroups" }, .arn = "logGroupArn", TAGGED_PAGES("nextToken"),
	READ, CHANGED });
