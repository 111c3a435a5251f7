/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagQueue", "\"QueueUrl\":$url,\"Tags\":$map", NULL }, \
	.untag = { "UntagQueue", "\"QueueUrl\":$url,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListQueueTags", "\"QueueUrl\":$url", "Tags" }
TAGGED(sqs, "sqs", { .type = "sqs:queue", .list = { "ListQueues", "\"MaxResults\":1000", "QueueUrls" },
	.arn = "arn:aws:sqs:{region}:{account}:{}", TAGGED_PAGES("NextToken"), READ, CHANGED });
