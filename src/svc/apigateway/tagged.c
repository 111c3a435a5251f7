/* What bears tags, and how they are changed. */
#include "cloud/tagged.h"

TAGGED(apigateway, "apigateway", { .type = "apigateway:restapis", .at = "/restapis/",
	.list = { "GetRestApis", NULL, "items" }, .arn = "arn:aws:apigateway:{region}::/restapis/{id}",
	.inside = "tags", .tag = { "TagResource", "\"resourceArn\":$arn,\"tags\":$map", NULL },
	.untag = { "UntagResource", "\"resourceArn\":$arn,\"tagKeys\":$keys", NULL },
	TAGGED_PAGES("position") });
