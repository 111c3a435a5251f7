/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"ResourceArn\":$arn", "Tags" }
TAGGED(sns, "sns", { .type = "sns:topic", .list = { "ListTopics", NULL, "Topics" }, .arn = "TopicArn",
	TAGGED_PAGES("NextToken"), READ, CHANGED });
