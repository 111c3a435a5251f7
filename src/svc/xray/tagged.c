/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceARN\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceARN\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"ResourceARN\":$arn", "Tags" }
TAGGED(xray, "xray",
	{ .type = "xray:group", .at = "group/", .list = { "GetGroups", NULL, "Groups" }, .arn = "GroupARN",
	  TAGGED_PAGES("NextToken"), READ, CHANGED },
	{ .type = "xray:sampling-rule", .at = "sampling-rule/",
	  .list = { "GetSamplingRules", NULL, "SamplingRuleRecords" }, .arn = "SamplingRule.RuleARN",
	  TAGGED_PAGES("NextToken"), READ, CHANGED });
