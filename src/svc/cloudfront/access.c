/* What the operations are called in policies, and on what they act. */
#include "cloud/authorise.h"
#include "gen/cloudfront.h"

#define ON(operation, resource) { operation, NULL, "arn:aws:cloudfront::{account}:" resource, NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define POLICY(word, path) \
	ON("Create" word, path "/*"), ON("Get" word, path "/{Id}"), ON("Get" word "Config", path "/{Id}"), \
	ON("Update" word, path "/{Id}"), ON("Delete" word, path "/{Id}")
#define DISTRIBUTION(operation, member) ON(operation, "distribution/{" member "}")
ACCESS(cloudfront, "cloudfront", NULL,
	POLICY("CachePolicy", "cache-policy"), POLICY("OriginRequestPolicy", "origin-request-policy"),
	POLICY("ResponseHeadersPolicy", "response-headers-policy"),
	POLICY("OriginAccessControl", "origin-access-control"),
	POLICY("CloudFrontOriginAccessIdentity", "origin-access-identity"), POLICY("PublicKey", "public-key"),
	POLICY("KeyGroup", "key-group"),
	ON_ALL("ListCachePolicies"), ON_ALL("ListOriginRequestPolicies"), ON_ALL("ListResponseHeadersPolicies"),
	ON_ALL("ListOriginAccessControls"), ON_ALL("ListCloudFrontOriginAccessIdentities"),
	ON_ALL("ListPublicKeys"), ON_ALL("ListKeyGroups"), ON_ALL("ListDistributions"),
	ON_ALL("ListDistributionsByCachePolicyId"), ON_ALL("ListDistributionsByOriginRequestPolicyId"),
	ON_ALL("ListDistributionsByResponseHeadersPolicyId"), ON_ALL("ListDistributionsByKeyGroup"),
	ON("CreateDistribution", "distribution/*"),
	{ "CreateDistributionWithTags", "cloudfront:CreateDistribution",
	  "arn:aws:cloudfront::{account}:distribution/*", NULL },
	DISTRIBUTION("GetDistribution", "Id"), DISTRIBUTION("GetDistributionConfig", "Id"),
	DISTRIBUTION("UpdateDistribution", "Id"), DISTRIBUTION("DeleteDistribution", "Id"),
	DISTRIBUTION("AssociateDistributionWebACL", "Id"), DISTRIBUTION("DisassociateDistributionWebACL", "Id"),
	DISTRIBUTION("AssociateAlias", "TargetDistributionId"),
	DISTRIBUTION("CreateInvalidation", "DistributionId"), DISTRIBUTION("GetInvalidation", "DistributionId"),
	DISTRIBUTION("ListInvalidations", "DistributionId"),
	DISTRIBUTION("CreateMonitoringSubscription", "DistributionId"),
	DISTRIBUTION("GetMonitoringSubscription", "DistributionId"),
	DISTRIBUTION("DeleteMonitoringSubscription", "DistributionId"),
	{ "TagResource", NULL, "{Resource}", NULL }, { "UntagResource", NULL, "{Resource}", NULL },
	{ "ListTagsForResource", NULL, "{Resource}", NULL });
