/* What the operations are called in policies, and on which pools they act; and what bears tags. */
#include "cloud/authorise.h"
#include "cloud/tagged.h"
#include "cloud/target.h"
#include "identity.h"

#define ON(operation) \
	{ \
		operation, NULL, "identitypool/{IdentityPoolId}", NULL \
	}
#define ANY(operation) \
	{ \
		operation, NULL, "*", NULL \
	}
#define TAG(operation) \
	{ \
		operation, NULL, "{ResourceArn}", NULL \
	}
#define OPEN(operation) \
	{ \
		operation, NULL, "", NULL \
	}
ACCESS(cognito_identity, "cognito-identity", NULL, ANY("CreateIdentityPool"), ANY("ListIdentityPools"),
       ANY("DescribeIdentity"), ANY("DeleteIdentities"), ON("DescribeIdentityPool"), ON("UpdateIdentityPool"),
       ON("DeleteIdentityPool"), ON("SetIdentityPoolRoles"), ON("GetIdentityPoolRoles"), ON("ListIdentities"),
       TAG("TagResource"), TAG("UntagResource"), TAG("ListTagsForResource"), OPEN("GetId"),
       OPEN("GetCredentialsForIdentity"), OPEN("UnlinkIdentity"));

/* arn:aws:cognito-identity:REGION:ACCOUNT:identitypool/ID */
static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("identitypool/")))
		return NULL;
	const id_pool *p = cognito_identity_pool_get(tx, mem, str_sub(a.resource, 13, a.resource.n));
	if (!p || !str_eq(p->Account, a.account))
		return NULL;
	const cognito_identity_IdentityPoolTagsType *t = &p->It->IdentityPoolTags;
	return RESOURCE_TAG_KEYS(mem, *t, key, value);
}
static const resource_tags resource_tags_cognito_identity = { "cognito-identity", tags_of };
__attribute__((section("farthing_resource_tags"),
               used)) static const resource_tags *const resource_tags_entry_cognito_identity =
	&resource_tags_cognito_identity;

TAGGED(cognito_identity, "cognito-identity",
       { .type = "cognito-identity:identitypool",
         .at = "identitypool/",
         .list = { "ListIdentityPools", "\"MaxResults\":60", "IdentityPools" },
         .arn = "arn:aws:cognito-identity:{region}:{account}:identitypool/{IdentityPoolId}",
         TAGGED_PAGES("NextToken"),
         .read = { "ListTagsForResource", "\"ResourceArn\":$arn", "Tags" },
         .tag = { "TagResource", "\"ResourceArn\":$arn,\"Tags\":$map", NULL },
         .untag = { "UntagResource", "\"ResourceArn\":$arn,\"TagKeys\":$keys", NULL } });
