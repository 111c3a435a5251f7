/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"resourceArn\":$arn,\"tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"resourceArn\":$arn,\"tagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"resourceArn\":$arn", "tags" }
TAGGED(ecr, "ecr", { .type = "ecr:repository", .at = "repository/",
	.list = { "DescribeRepositories", NULL, "repositories" }, .arn = "repositoryArn",
	TAGGED_PAGES("nextToken"),
	READ, CHANGED });
