/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsOfResource", "\"ResourceArn\":$arn", "Tags" }
TAGGED(dynamodb, "dynamodb", { .type = "dynamodb:table", .at = "table/", .list = { "ListTables", NULL,
"TableNames" },
	.arn = "arn:aws:dynamodb:{region}:{account}:table/{}", .from = "ExclusiveStartTableName",
	.next = "LastEvaluatedTableName", READ, CHANGED });
