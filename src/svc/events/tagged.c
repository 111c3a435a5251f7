/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceARN\":$arn,\"Tags\":$Key", NULL }, \
	.untag = { "UntagResource", "\"ResourceARN\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTagsForResource", "\"ResourceARN\":$arn", "Tags" }
#define BUSES { "ListEventBuses", NULL, "EventBuses" }
TAGGED(events, "events",
	{ .type = "events:event-bus", .at = "event-bus/", .list = BUSES, .arn = "Arn",
	  TAGGED_PAGES("NextToken"), READ,
	  CHANGED },
	{ .type = "events:rule", .at = "rule/", .under = BUSES,
	  .list = { "ListRules", "\"EventBusName\":$Name", "Rules" }, .arn = "Arn", TAGGED_PAGES("NextToken"),
	  READ,
	  CHANGED });
