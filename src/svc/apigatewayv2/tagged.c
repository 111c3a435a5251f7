/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define CHANGED \
	.tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$map", NULL }, \
	.untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL }
#define APIS { "GetApis", NULL, "Items" }
TAGGED(apigatewayv2, "apigatewayv2",
	{ .type = "apigateway:apis", .at = "/apis/", .list = APIS,
	  .arn = "arn:aws:apigateway:{region}::/apis/{ApiId}",
	  .inside = "Tags", TAGGED_PAGES("NextToken"), .read = { "GetTags", "\"ResourceArn\":$arn", "Tags" },
	  CHANGED });
