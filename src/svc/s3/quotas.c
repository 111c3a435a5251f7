/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/s3.h"

QUOTAS(s3, "s3", "Amazon Simple Storage Service (Amazon S3)", false,
	{ "L-DC2B2D3D", "General purpose buckets", S3_BUCKETS_MAX, true, NULL });
