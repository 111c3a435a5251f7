/* What bears tags, and how they are read and changed: a bucket has all of them replaced. */
#include "cloud/tagged.h"

TAGGED(s3, "s3", { .type = "s3:bucket", .list = { "ListBuckets", "\"BucketRegion\":$region", "Buckets" },
	.arn = "arn:aws:s3:::{Name}", TAGGED_PAGES("ContinuationToken"),
	.read = { "GetBucketTagging", "\"Bucket\":$name", "TagSet" },
	.tag = { "PutBucketTagging", "\"Bucket\":$name,\"Tagging\":{\"TagSet\":$all}", NULL },
	.untag = { "PutBucketTagging", "\"Bucket\":$name,\"Tagging\":{\"TagSet\":$all}", NULL } });
