/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define OF "\"ResourceType\":\"Parameter\",\"ResourceId\":$path"
TAGGED(ssm, "ssm", { .type = "ssm:parameter", .at = "parameter/", .list = { "DescribeParameters", NULL,
"Parameters" },
	.arn = "arn:aws:ssm:{region}:{account}:parameter{/Name}", TAGGED_PAGES("NextToken"),
	.read = { "ListTagsForResource", OF, "TagList" },
	.tag = { "AddTagsToResource", OF ",\"Tags\":$Key", NULL },
	.untag = { "RemoveTagsFromResource", OF ",\"TagKeys\":$keys", NULL } });
