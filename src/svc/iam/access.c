/* What the operations are called in policies, and on whom they act: by whole ARNs, paths included. */
#include "cloud/authorise.h"
#include "cloud/credential.h"
#include "entity.h"

static size_t one(req *rq, str arn, str **arns)
{
	*arns = arena_new(rq->mem, str);
	**arns = arn;
	return 1;
}

/* What does not exist yet has the path of the request. */
static str arn_of_new(req *rq, const void *in, const char *kind, str name)
{
	str path = access_member(rq, in, S("Path"));
	return iam_arn(rq, kind, str_is(path) ? path : S("/"), name);
}

/* Without a name the calling user is meant. */
static size_t the_user(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = access_member(rq, in, S("UserName"));
	if (!str_is(name))
		return one(rq, rq->who.arn, arns);
	iam_user *u = iam_user_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return one(rq, u ? u->It->Arn : arn_of_new(rq, in, "user", name), arns);
}

static size_t the_group(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = access_member(rq, in, S("GroupName"));
	iam_group *g = iam_group_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return one(rq, g ? g->It->Arn : arn_of_new(rq, in, "group", name), arns);
}

static str role_arn_of(req *rq, const txn *tx, const void *in)
{
	str name = access_member(rq, in, S("RoleName"));
	iam_role *r = iam_role_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return r ? r->It->Arn : arn_of_new(rq, in, "role", name);
}

static size_t the_role(req *rq, const txn *tx, const void *in, str **arns)
{
	return one(rq, role_arn_of(rq, tx, in), arns);
}

static size_t the_profile(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = access_member(rq, in, S("InstanceProfileName"));
	iam_profile *p = iam_profile_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	return one(rq, p ? p->It->Arn : arn_of_new(rq, in, "instance-profile", name), arns);
}

/* Putting a role into a profile hands it over to EC2. */
static size_t profile_and_role(req *rq, const txn *tx, const void *in, str **arns)
{
	str *profile;
	the_profile(rq, tx, in, &profile);
	*arns = arena_array(rq->mem, str, 2);
	(*arns)[0] = *profile;
	(*arns)[1] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(role_arn_of(rq, tx, in)));
	return 2;
}

static size_t created_policy(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return one(rq, arn_of_new(rq, in, "policy", access_member(rq, in, S("PolicyName"))), arns);
}

static size_t new_provider(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	str url = access_member(rq, in, S("Url"));
	if (str_starts(url, S("https://")))
		url = str_sub(url, 8, url.n);
	return one(rq, arena_fmt(rq->mem, "arn:aws:iam::%.*s:oidc-provider/%.*s", STR_ARG(rq->who.account),
	                         STR_ARG(url)), arns);
}

static size_t new_mfa(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	return one(rq, arn_of_new(rq, in, "mfa", access_member(rq, in, S("VirtualMFADeviceName"))), arns);
}

static size_t key_holder(req *rq, const txn *tx, const void *in, str **arns)
{
	const credential *c = credential_get(tx, rq->mem, access_member(rq, in, S("AccessKeyId")));
	return one(rq, c && str_eq(c->Account, rq->who.account) ? c->Arn : S("*"), arns);
}

#define ON(operation, resource) { operation, NULL, resource, NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define OF(operation, find) { operation, NULL, NULL, find }
#define USER(operation) OF(operation, the_user)
#define GROUP(operation) OF(operation, the_group)
#define ROLE(operation) OF(operation, the_role)
#define PROFILE(operation) OF(operation, the_profile)
#define POLICY(operation) ON(operation, "{PolicyArn}")
#define CERTIFICATE(operation) ON(operation, "server-certificate/{ServerCertificateName}")
#define PROVIDER(operation) ON(operation, "{OpenIDConnectProviderArn}")
#define SAML(operation) ON(operation, "{SAMLProviderArn}")
ACCESS(iam, "iam", NULL,
	ON_ALL("AcceptDelegationRequest"), PROVIDER("AddClientIDToOpenIDConnectProvider"),
	OF("AddRoleToInstanceProfile", profile_and_role), GROUP("AddUserToGroup"),
	ON_ALL("AssociateDelegationRequest"), GROUP("AttachGroupPolicy"), ROLE("AttachRolePolicy"),
	USER("AttachUserPolicy"), ON_ALL("ChangePassword"), USER("CreateAccessKey"),
	ON_ALL("CreateAccountAlias"), ON_ALL("CreateDelegationRequest"), GROUP("CreateGroup"),
	PROFILE("CreateInstanceProfile"), USER("CreateLoginProfile"),
	OF("CreateOpenIDConnectProvider", new_provider), OF("CreatePolicy", created_policy),
	POLICY("CreatePolicyVersion"), ROLE("CreateRole"), ON("CreateSAMLProvider", "saml-provider/{Name}"),
	ON("CreateServiceLinkedRole", "role/aws-service-role{/AWSServiceName}/*"),
	USER("CreateServiceSpecificCredential"), USER("CreateUser"), OF("CreateVirtualMFADevice", new_mfa),
	USER("DeactivateMFADevice"), USER("DeleteAccessKey"), ON_ALL("DeleteAccountAlias"),
	ON_ALL("DeleteAccountPasswordPolicy"), GROUP("DeleteGroup"), GROUP("DeleteGroupPolicy"),
	PROFILE("DeleteInstanceProfile"), USER("DeleteLoginProfile"), PROVIDER("DeleteOpenIDConnectProvider"),
	POLICY("DeletePolicy"), POLICY("DeletePolicyVersion"), ROLE("DeleteRole"),
	ROLE("DeleteRolePermissionsBoundary"), ROLE("DeleteRolePolicy"), SAML("DeleteSAMLProvider"),
	USER("DeleteSSHPublicKey"), CERTIFICATE("DeleteServerCertificate"), ROLE("DeleteServiceLinkedRole"),
	USER("DeleteServiceSpecificCredential"), USER("DeleteSigningCertificate"), USER("DeleteUser"),
	USER("DeleteUserPermissionsBoundary"), USER("DeleteUserPolicy"),
	ON("DeleteVirtualMFADevice", "{SerialNumber}"), GROUP("DetachGroupPolicy"), ROLE("DetachRolePolicy"),
	USER("DetachUserPolicy"), ON_ALL("DisableOrganizationsRootCredentialsManagement"),
	ON_ALL("DisableOrganizationsRootSessions"), ON_ALL("DisableOutboundWebIdentityFederation"),
	USER("EnableMFADevice"), ON_ALL("EnableOrganizationsRootCredentialsManagement"),
	ON_ALL("EnableOrganizationsRootSessions"), ON_ALL("EnableOutboundWebIdentityFederation"),
	ON_ALL("GenerateCredentialReport"), ON_ALL("GenerateOrganizationsAccessReport"),
	ON_ALL("GenerateServiceLastAccessedDetails"), OF("GetAccessKeyLastUsed", key_holder),
	ON_ALL("GetAccountAuthorizationDetails"), ON_ALL("GetAccountPasswordPolicy"),
	ON_ALL("GetAccountSummary"), ON_ALL("GetContextKeysForCustomPolicy"),
	ON("GetContextKeysForPrincipalPolicy", "{PolicySourceArn}"), ON_ALL("GetCredentialReport"),
	ON_ALL("GetDelegationRequest"), GROUP("GetGroup"), GROUP("GetGroupPolicy"),
	ON_ALL("GetHumanReadableSummary"), PROFILE("GetInstanceProfile"), USER("GetLoginProfile"),
	USER("GetMFADevice"), PROVIDER("GetOpenIDConnectProvider"), ON_ALL("GetOrganizationsAccessReport"),
	ON_ALL("GetOutboundWebIdentityFederationInfo"), POLICY("GetPolicy"), POLICY("GetPolicyVersion"),
	ROLE("GetRole"), ROLE("GetRolePolicy"), SAML("GetSAMLProvider"), USER("GetSSHPublicKey"),
	CERTIFICATE("GetServerCertificate"), ON_ALL("GetServiceLastAccessedDetails"),
	ON_ALL("GetServiceLastAccessedDetailsWithEntities"), ON_ALL("GetServiceLinkedRoleDeletionStatus"),
	USER("GetUser"), USER("GetUserPolicy"), USER("ListAccessKeys"), ON_ALL("ListAccountAliases"),
	GROUP("ListAttachedGroupPolicies"), ROLE("ListAttachedRolePolicies"), USER("ListAttachedUserPolicies"),
	ON_ALL("ListDelegationRequests"), POLICY("ListEntitiesForPolicy"), GROUP("ListGroupPolicies"),
	ON("ListGroups", "group{/PathPrefix}"), USER("ListGroupsForUser"), PROFILE("ListInstanceProfileTags"),
	ON("ListInstanceProfiles", "instance-profile{/PathPrefix}"), ROLE("ListInstanceProfilesForRole"),
	ON_ALL("ListMFADeviceTags"), USER("ListMFADevices"), PROVIDER("ListOpenIDConnectProviderTags"),
	ON_ALL("ListOpenIDConnectProviders"), ON_ALL("ListOrganizationsFeatures"), ON_ALL("ListPolicies"),
	ON_ALL("ListPoliciesGrantingServiceAccess"), POLICY("ListPolicyTags"), POLICY("ListPolicyVersions"),
	ROLE("ListRolePolicies"), ROLE("ListRoleTags"), ON("ListRoles", "role{/PathPrefix}"),
	SAML("ListSAMLProviderTags"), ON_ALL("ListSAMLProviders"), USER("ListSSHPublicKeys"),
	CERTIFICATE("ListServerCertificateTags"), ON_ALL("ListServerCertificates"),
	USER("ListServiceSpecificCredentials"), USER("ListSigningCertificates"), USER("ListUserPolicies"),
	USER("ListUserTags"), ON("ListUsers", "user{/PathPrefix}"), ON_ALL("ListVirtualMFADevices"),
	GROUP("PutGroupPolicy"), ROLE("PutRolePermissionsBoundary"), ROLE("PutRolePolicy"),
	USER("PutUserPermissionsBoundary"), USER("PutUserPolicy"), ON_ALL("RejectDelegationRequest"),
	PROVIDER("RemoveClientIDFromOpenIDConnectProvider"), PROFILE("RemoveRoleFromInstanceProfile"),
	GROUP("RemoveUserFromGroup"), USER("ResetServiceSpecificCredential"), USER("ResyncMFADevice"),
	ON_ALL("SendDelegationToken"), POLICY("SetDefaultPolicyVersion"),
	ON_ALL("SetSecurityTokenServicePreferences"), ON_ALL("SimulateCustomPolicy"),
	ON("SimulatePrincipalPolicy", "{PolicySourceArn}"), PROFILE("TagInstanceProfile"),
	ON_ALL("TagMFADevice"), PROVIDER("TagOpenIDConnectProvider"), POLICY("TagPolicy"), ROLE("TagRole"),
	SAML("TagSAMLProvider"), CERTIFICATE("TagServerCertificate"), USER("TagUser"),
	PROFILE("UntagInstanceProfile"), ON_ALL("UntagMFADevice"), PROVIDER("UntagOpenIDConnectProvider"),
	POLICY("UntagPolicy"), ROLE("UntagRole"), SAML("UntagSAMLProvider"),
	CERTIFICATE("UntagServerCertificate"), USER("UntagUser"), USER("UpdateAccessKey"),
	ON_ALL("UpdateAccountPasswordPolicy"), ROLE("UpdateAssumeRolePolicy"),
	ON_ALL("UpdateDelegationRequest"), GROUP("UpdateGroup"), USER("UpdateLoginProfile"),
	PROVIDER("UpdateOpenIDConnectProviderThumbprint"), ROLE("UpdateRole"), ROLE("UpdateRoleDescription"),
	SAML("UpdateSAMLProvider"), USER("UpdateSSHPublicKey"), CERTIFICATE("UpdateServerCertificate"),
	USER("UpdateServiceSpecificCredential"), USER("UpdateSigningCertificate"), USER("UpdateUser"),
	USER("UploadSSHPublicKey"), CERTIFICATE("UploadServerCertificate"), USER("UploadSigningCertificate"));

/* The boundary that is asked for, or the one that the user or role has. */
static str boundary_arn(asking *a)
{
	str given = asking_member(a, "PermissionsBoundary"), name = asking_member(a, "UserName");
	arena *mem = a->rq->mem;
	if (str_is(given) || !a->tx)
		return given;
	if (str_is(name)) {
		iam_user *u = iam_user_get(a->tx, mem, a->rq->who.account, iam_key(mem, name));
		const iam_AttachedPermissionsBoundary *b = u ? u->It->PermissionsBoundary : NULL;
		return b ? b->PermissionsBoundaryArn : STR_NONE;
	}
	name = asking_member(a, "RoleName");
	iam_role *r = str_is(name) ? iam_role_get(a->tx, mem, a->rq->who.account, iam_key(mem, name)) : NULL;
	return r && r->It->PermissionsBoundary ? r->It->PermissionsBoundary->PermissionsBoundaryArn : STR_NONE;
}

static const policy_key *find_key(asking *a, str name)
{
	if (str_eq_nocase(name, S("iam:PolicyARN")))
		return asking_value(a, name, asking_member(a, "PolicyArn"));
	if (str_eq_nocase(name, S("iam:PermissionsBoundary")))
		return asking_value(a, name, boundary_arn(a));
	if (str_eq_nocase(name, S("iam:AWSServiceName")))
		return asking_value(a, name, asking_member(a, "AWSServiceName"));
	if (str_eq_nocase(name, S("iam:PassedToService")) && str_eq(a->q.action, S("iam:PassRole")))
		return asking_value(a, name, S("ec2.amazonaws.com"));
	return NULL;
}
ACCESS_KEYS(iam, "iam", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	str rest = arn, account = STR_NONE;
	for (int i = 0; i < 5 && str_is(rest); i++)
		account = str_cut(&rest, ':');
	if (!str_is(rest))
		return NULL;
	str kind = str_cut(&rest, '/'), key = iam_key(mem, iam_arn_name(arn));
	if (str_eq(kind, S("user"))) {
		iam_user *u = iam_user_get(tx, mem, account, key);
		return u ? RESOURCE_TAG_KEYS(mem, u->It->Tags, Key, Value) : NULL;
	}
	if (str_eq(kind, S("role"))) {
		iam_role *r = iam_role_get(tx, mem, account, key);
		return r ? RESOURCE_TAG_KEYS(mem, r->It->Tags, Key, Value) : NULL;
	}
	if (str_eq(kind, S("policy"))) {
		iam_policy *p = iam_policy_get(tx, mem, account, key);
		return p ? RESOURCE_TAG_KEYS(mem, p->It->Tags, Key, Value) : NULL;
	}
	if (str_eq(kind, S("instance-profile"))) {
		iam_profile *p = iam_profile_get(tx, mem, account, key);
		return p ? RESOURCE_TAG_KEYS(mem, p->It->Tags, Key, Value) : NULL;
	}
	return NULL;
}
RESOURCE_TAGS(iam, tags_of);
