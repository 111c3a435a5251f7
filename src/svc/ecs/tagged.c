/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"resourceArn\":$arn,\"tags\":$key", NULL }, \
	.untag = { "UntagResource", "\"resourceArn\":$arn,\"tagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"resourceArn\":$arn", "tags" }
#define CLUSTERS .under = { "ListClusters", NULL, "clusterArns" }
TAGGED(ecs, "ecs",
	{ .type = "ecs:cluster", .at = "cluster/", .list = { "ListClusters", NULL, "clusterArns" },
	  .arn = "arn:aws:ecs:{region}:{account}:cluster/{}", TAGGED_PAGES("nextToken"), READ, CHANGED },
	{ .type = "ecs:task-definition", .at = "task-definition/",
	  .list = { "ListTaskDefinitions", NULL, "taskDefinitionArns" },
	  .arn = "arn:aws:ecs:{region}:{account}:task-definition/{}", TAGGED_PAGES("nextToken"), READ, CHANGED });
