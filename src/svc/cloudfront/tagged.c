/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

TAGGED(cloudfront, "cloudfront", { .type = "cloudfront:distribution", .at = "distribution/",
	.list = { "ListDistributions", NULL, "DistributionList.Items" }, .arn = "ARN",
	.from = "Marker", .next = "DistributionList.NextMarker",
	.read = { "ListTagsForResource", "\"Resource\":$arn", "Tags.Items" },
	.tag = { "TagResource", "\"Resource\":$arn,\"Tags\":{\"Items\":$Key}", NULL },
	.untag = { "UntagResource", "\"Resource\":$arn,\"TagKeys\":{\"Items\":$keys}", NULL } });
