/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"KeyId\":$arn,\"Tags\":$TagKey", NULL }, \
	.untag = { "UntagResource", "\"KeyId\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListResourceTags", "\"KeyId\":$arn", "Tags" }
TAGGED(kms, "kms", { .type = "kms:key", .at = "key/", .list = { "ListKeys", NULL, "Keys" }, .arn = "KeyArn",
	.from = "Marker", .next = "NextMarker", READ, CHANGED });
