/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"SecretId\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"SecretId\":$arn,\"TagKeys\":$keys", NULL }
TAGGED(secretsmanager, "secretsmanager", { .type = "secretsmanager:secret", .at = "secret:",
	.list = { "ListSecrets", NULL, "SecretList" }, .arn = "ARN", .inside = "Tags", TAGGED_PAGES("NextToken"),
	.read = { "DescribeSecret", "\"SecretId\":$arn", "Tags" }, CHANGED });
