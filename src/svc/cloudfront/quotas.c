/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/cloudfront.h"

QUOTAS(cloudfront, "cloudfront", "Amazon CloudFront", true,
	{ "L-24B04930", "Web distributions per AWS account", CF_DISTRIBUTIONS_MAX, true, NULL },
	{ "L-7D134442", "Cache policies per AWS account", CF_POLICIES_MAX, false, NULL },
	{ "L-CF0D4FC5", "Response headers policies per AWS account", CF_POLICIES_MAX, false, NULL },
	{ "L-08884E5C", "Origin access identities per account", CF_IDENTITIES_MAX, true, NULL });
