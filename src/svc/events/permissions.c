/* What the operations are called in policies, and on which buses and rules they act. */
#include "cloud/authorise.h"
#include "bus.h"

#define ON_RULE(operation) { operation, NULL, "rule/{Name}", NULL }
#define ON_TARGETS(operation) { operation, NULL, "rule/{Rule}", NULL }
#define ON_ARN(operation) { operation, NULL, "{ResourceARN}", NULL }
ACCESS(events, "events", NULL,
	ON_RULE("PutRule"), ON_RULE("DeleteRule"), ON_RULE("DescribeRule"), ON_RULE("EnableRule"),
	ON_RULE("DisableRule"), ON_TARGETS("PutTargets"), ON_TARGETS("RemoveTargets"),
	ON_TARGETS("ListTargetsByRule"), { "CreateEventBus", NULL, "event-bus/{Name}", NULL },
	{ "DeleteEventBus", NULL, "event-bus/{Name}", NULL }, ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
