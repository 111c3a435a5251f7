/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

TAGGED(appsync, "appsync",
	{ .type = "appsync:apis", .at = "apis/", .list = { "ListGraphqlApis", NULL, "graphqlApis" },
	  .arn = "arn", .inside = "tags", TAGGED_PAGES("nextToken"),
	  .read = { "ListTagsForResource", "\"resourceArn\":$arn", "tags" },
	  .tag = { "TagResource", "\"resourceArn\":$arn,\"tags\":$map", NULL },
	  .untag = { "UntagResource", "\"resourceArn\":$arn,\"tagKeys\":$keys", NULL } });
