/* What bears tags; they are given when it is made and do not change. */
#include "cloud/tagged.h"

TAGGED(apigateway, "apigateway", { .type = "apigateway:restapis", .at = "/restapis/",
	.list = { "GetRestApis", NULL, "items" }, .arn = "arn:aws:apigateway:{region}::/restapis/{id}",
	.inside = "tags",
	TAGGED_PAGES("position") });
