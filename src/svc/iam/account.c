#include "entity.h"

static iam_account *account_row(req *rq, const txn *tx)
{
	iam_account *a = iam_account_get(tx, rq->mem, rq->who.account);
	if (!a) {
		a = arena_new(rq->mem, iam_account);
		a->Account = rq->who.account;
	}
	return a;
}

err iam_CreateAccountAlias(req *rq, txn *tx, const iam_CreateAccountAlias_in *in,
                           iam_CreateAccountAlias_out *out)
{
	iam_account *account = account_row(rq, tx);
	const iam_alias *taken = iam_alias_get(tx, rq->mem, in->AccountAlias);
	if (taken && !str_eq(taken->Account, rq->who.account))
		return fail(rq, &iam_EntityAlreadyExistsException, "The account alias %.*s already exists.",
		            STR_ARG(in->AccountAlias));
	if (str_is(account->Alias)) /* there is one at most: a new one takes its place */
		iam_alias_delete(tx, account->Alias);
	account->Alias = in->AccountAlias;
	iam_account_put(tx, account);
	iam_alias_put(tx, &(iam_alias){ .Alias = in->AccountAlias, .Account = rq->who.account });
	return OK;
}

err iam_DeleteAccountAlias(req *rq, txn *tx, const iam_DeleteAccountAlias_in *in,
                           iam_DeleteAccountAlias_out *out)
{
	iam_account *account = account_row(rq, tx);
	if (!str_is(account->Alias) || !str_eq(account->Alias, in->AccountAlias))
		return fail(rq, &iam_NoSuchEntityException, "The account alias %.*s cannot be found.",
		            STR_ARG(in->AccountAlias));
	iam_alias_delete(tx, account->Alias);
	account->Alias = STR_NONE;
	iam_account_put(tx, account);
	return OK;
}

err iam_ListAccountAliases(req *rq, const txn *tx, const iam_ListAccountAliases_in *in,
                           iam_ListAccountAliases_out *out)
{
	const iam_account *account = account_row(rq, tx);
	out->AccountAliases.v = arena_array(rq->mem, str, 1);
	if (str_is(account->Alias))
		out->AccountAliases.v[out->AccountAliases.n++] = account->Alias;
	out->IsTruncated = BOOL(false);
	return OK;
}

err iam_GetAccountSummary(req *rq, const txn *tx, const iam_GetAccountSummary_in *in,
                          iam_GetAccountSummary_out *out)
{
	str a = rq->who.account;
	arena *mem = rq->mem;
	int64_t versions = 0, attached = 0;
	record_scan policies = iam_policy_scan(tx, mem, 1, a, STR_NONE);
	for (iam_policy *p; (p = iam_policy_next(&policies)); attached++)
		versions += (int64_t)p->Versions.n;
	const struct { const char *name; int64_t v; } values[] = {
		{ "Users", IAM_COUNT(user, tx, mem, a, INT64_MAX) }, { "UsersQuota", IAM_USERS_MAX },
		{ "Groups", IAM_COUNT(group, tx, mem, a, INT64_MAX) }, { "GroupsQuota", IAM_GROUPS_MAX },
		{ "Roles", IAM_COUNT(role, tx, mem, a, INT64_MAX) }, { "RolesQuota", IAM_ROLES_MAX },
		{ "InstanceProfiles", IAM_COUNT(profile, tx, mem, a, INT64_MAX) },
		{ "InstanceProfilesQuota", IAM_PROFILES_MAX },
		{ "Policies", attached }, { "PoliciesQuota", IAM_POLICIES_MAX },
		{ "PolicyVersionsInUse", versions }, { "PolicyVersionsInUseQuota", 10000 },
		{ "Providers", IAM_COUNT(provider, tx, mem, a, INT64_MAX) + IAM_COUNT(saml, tx, mem, a, INT64_MAX) },
		{ "ServerCertificates", IAM_COUNT(certificate, tx, mem, a, INT64_MAX) },
			{ "ServerCertificatesQuota", 20 },
		{ "MFADevices", IAM_COUNT(mfa, tx, mem, a, INT64_MAX) },
		{ "MFADevicesInUse", IAM_COUNT_DEEP(user_mfa, tx, mem, a) }, { "AccountMFAEnabled", 0 },
		{ "AccountAccessKeysPresent", str_eq(a, S("000000000000")) },
		{ "AccountSigningCertificatesPresent", 0 },
		{ "AccessKeysPerUserQuota", IAM_ACCESS_KEYS_MAX }, { "SigningCertificatesPerUserQuota", 2 },
		{ "GroupsPerUserQuota", IAM_GROUPS_PER_USER },
		{ "AttachedPoliciesPerUserQuota", IAM_ATTACHED_MAX },
		{ "AttachedPoliciesPerGroupQuota", IAM_ATTACHED_MAX },
		{ "AttachedPoliciesPerRoleQuota", IAM_ATTACHED_MAX },
		{ "VersionsPerPolicyQuota", IAM_VERSIONS_MAX }, { "PolicySizeQuota", IAM_POLICY_BYTES },
		{ "UserPolicySizeQuota", IAM_USER_INLINE_BYTES },
		{ "GroupPolicySizeQuota", IAM_GROUP_INLINE_BYTES },
		{ "RolePolicySizeQuota", IAM_ROLE_INLINE_BYTES },
		{ "AssumeRolePolicySizeQuota", IAM_TRUST_BYTES }, { "GlobalEndpointTokenVersion", 1 },
	};
	size_t n = sizeof values / sizeof *values;
	out->SummaryMap.v = arena_array(mem, struct iam_summaryMapType_entry, n);
	for (size_t i = 0; i < n; i++) {
		out->SummaryMap.v[i].key = str_c(values[i].name);
		out->SummaryMap.v[i].value = I64(values[i].v);
	}
	out->SummaryMap.n = n;
	return OK;
}

err iam_UpdateAccountPasswordPolicy(req *rq, txn *tx, const iam_UpdateAccountPasswordPolicy_in *in,
                                    iam_UpdateAccountPasswordPolicy_out *out)
{
	iam_account *account = account_row(rq, tx);
	iam_PasswordPolicy *p = account->Password = arena_new(rq->mem, iam_PasswordPolicy);
	*p = (iam_PasswordPolicy){
		.MinimumPasswordLength = in->MinimumPasswordLength.set ? in->MinimumPasswordLength : I64(6),
		.RequireSymbols = BOOL(in->RequireSymbols.v),
		.RequireNumbers = BOOL(in->RequireNumbers.v),
		.RequireUppercaseCharacters = BOOL(in->RequireUppercaseCharacters.v),
		.RequireLowercaseCharacters = BOOL(in->RequireLowercaseCharacters.v),
		.AllowUsersToChangePassword = BOOL(in->AllowUsersToChangePassword.v),
		.ExpirePasswords = BOOL(in->MaxPasswordAge.v > 0),
		.MaxPasswordAge = in->MaxPasswordAge,
		.PasswordReusePrevention = in->PasswordReusePrevention,
		.HardExpiry = in->HardExpiry,
	};
	iam_account_put(tx, account);
	return OK;
}

static err no_password_policy(req *rq)
{
	return fail(rq, &iam_NoSuchEntityException,
	            "The Password Policy with domain name %.*s cannot be found.", STR_ARG(rq->who.account));
}

err iam_GetAccountPasswordPolicy(req *rq, const txn *tx, const iam_GetAccountPasswordPolicy_in *in,
                                 iam_GetAccountPasswordPolicy_out *out)
{
	out->PasswordPolicy = account_row(rq, tx)->Password;
	return out->PasswordPolicy ? OK : no_password_policy(rq);
}

err iam_DeleteAccountPasswordPolicy(req *rq, txn *tx, const iam_DeleteAccountPasswordPolicy_in *in,
                                    iam_DeleteAccountPasswordPolicy_out *out)
{
	iam_account *account = account_row(rq, tx);
	if (!account->Password)
		return fail(rq, &iam_NoSuchEntityException,
		            "The account policy with name PasswordPolicy cannot be found.");
	account->Password = NULL;
	iam_account_put(tx, account);
	return OK;
}
