/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"Resource\":$arn,\"Tags\":$map", NULL }, \
	.untag = { "UntagResource", "\"Resource\":$arn,\"TagKeys\":$keys", NULL }
#define READ .read = { "ListTags", "\"Resource\":$arn", "Tags" }
#define PAGED .from = "Marker", .next = "NextMarker"
TAGGED(lambda, "lambda",
	{ .type = "lambda:function", .at = "function:", .list = { "ListFunctions", NULL, "Functions" },
	  .arn = "FunctionArn", PAGED, READ, CHANGED },
	{ .type = "lambda:event-source-mapping", .at = "event-source-mapping:",
	  .list = { "ListEventSourceMappings", NULL, "EventSourceMappings" }, .arn = "EventSourceMappingArn",
	  PAGED, READ, CHANGED },
	{ .type = "lambda:code-signing-config", .at = "code-signing-config:",
	  .list = { "ListCodeSigningConfigs", NULL, "CodeSigningConfigs" }, .arn = "CodeSigningConfigArn",
	  PAGED, READ, CHANGED });
