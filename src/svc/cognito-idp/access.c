/* What the operations are called in policies, and on which pools they act. */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "pool.h"

#define ON(operation) \
	{ \
		operation, NULL, "userpool/{UserPoolId}", NULL \
	}
#define ANY(operation) \
	{ \
		operation, NULL, "*", NULL \
	}
#define TAG(operation) \
	{ \
		operation, NULL, "{ResourceArn}", NULL \
	}
/* What users ask with their own tokens and passwords. */
#define OPEN(operation) \
	{ \
		operation, NULL, "", NULL \
	}
ACCESS(cognito_idp, "cognito-idp", NULL, ANY("CreateUserPool"), ANY("ListUserPools"),
       ANY("DescribeUserPoolDomain"), TAG("TagResource"), TAG("UntagResource"), TAG("ListTagsForResource"),
       ON("DescribeUserPool"), ON("UpdateUserPool"), ON("DeleteUserPool"), ON("AddCustomAttributes"),
       ON("GetUserPoolMfaConfig"), ON("SetUserPoolMfaConfig"), ON("CreateUserPoolClient"),
       ON("DescribeUserPoolClient"), ON("UpdateUserPoolClient"), ON("DeleteUserPoolClient"),
       ON("ListUserPoolClients"), ON("AdminCreateUser"), ON("AdminGetUser"), ON("AdminDeleteUser"),
       ON("AdminDisableUser"), ON("AdminEnableUser"), ON("AdminConfirmSignUp"), ON("ListUsers"),
       ON("AdminInitiateAuth"), ON("AdminRespondToAuthChallenge"), ON("AdminUserGlobalSignOut"),
       ON("AdminSetUserMFAPreference"), ON("AdminSetUserSettings"), ON("AdminSetUserPassword"),
       ON("AdminResetUserPassword"), ON("AdminUpdateUserAttributes"), ON("AdminDeleteUserAttributes"),
       ON("CreateGroup"), ON("GetGroup"), ON("UpdateGroup"), ON("DeleteGroup"), ON("ListGroups"),
       ON("AdminAddUserToGroup"), ON("AdminRemoveUserFromGroup"), ON("AdminListGroupsForUser"),
       ON("ListUsersInGroup"), ON("CreateUserPoolDomain"), ON("UpdateUserPoolDomain"),
       ON("DeleteUserPoolDomain"), ON("CreateResourceServer"), ON("DescribeResourceServer"),
       ON("UpdateResourceServer"), ON("DeleteResourceServer"), ON("ListResourceServers"),
       ON("CreateIdentityProvider"), ON("DescribeIdentityProvider"), ON("GetIdentityProviderByIdentifier"),
       ON("UpdateIdentityProvider"), ON("DeleteIdentityProvider"), ON("ListIdentityProviders"),
       ON("GetUICustomization"), ON("SetUICustomization"), OPEN("SignUp"), OPEN("ConfirmSignUp"),
       OPEN("ResendConfirmationCode"), OPEN("InitiateAuth"), OPEN("RespondToAuthChallenge"),
       OPEN("GetTokensFromRefreshToken"), OPEN("RevokeToken"), OPEN("GlobalSignOut"), OPEN("GetUser"),
       OPEN("GetUserAuthFactors"), OPEN("DeleteUser"), OPEN("UpdateUserAttributes"),
       OPEN("DeleteUserAttributes"), OPEN("GetUserAttributeVerificationCode"), OPEN("VerifyUserAttribute"),
       OPEN("ChangePassword"), OPEN("ForgotPassword"), OPEN("ConfirmForgotPassword"),
       OPEN("AssociateSoftwareToken"), OPEN("VerifySoftwareToken"), OPEN("SetUserMFAPreference"),
       OPEN("SetUserSettings"));

/* arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID */
static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("userpool/")))
		return NULL;
	const idp_pool *p = cognito_idp_pool_get(tx, mem, str_sub(a.resource, 9, a.resource.n));
	if (!p || !str_eq(p->Account, a.account))
		return NULL;
	const cognito_idp_UserPoolTagsType *t = &p->It->UserPoolTags;
	return RESOURCE_TAG_KEYS(mem, *t, key, value);
}
static const resource_tags resource_tags_cognito_idp = { "cognito-idp", tags_of };
__attribute__((section("farthing_resource_tags"),
               used)) static const resource_tags *const resource_tags_entry_cognito_idp =
	&resource_tags_cognito_idp;
