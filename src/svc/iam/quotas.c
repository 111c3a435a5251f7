/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/iam.h"

QUOTAS(iam, "iam", "AWS Identity and Access Management (IAM)", true,
	{ "L-F55AF5E4", "Users per account", IAM_USERS_MAX, false, NULL },
	{ "L-F4A5425F", "Groups per account", IAM_GROUPS_MAX, true, NULL },
	{ "L-FE177D64", "Roles per account", IAM_ROLES_MAX, true, NULL },
	{ "L-E95E4862", "Customer managed policies per account", IAM_POLICIES_MAX, true, NULL },
	{ "L-6E65F664", "Instance profiles per account", IAM_PROFILES_MAX, true, NULL },
	{ "L-858F3967", "OpenId connect providers per account", IAM_PROVIDERS_MAX, true, NULL },
	{ "L-DB618D39", "SAML providers per account", IAM_SAML_MAX, false, NULL },
	{ "L-BF35879D", "Server certificates per account", IAM_CERTIFICATES_MAX, true, NULL },
	{ "L-0DA4ABF3", "Managed policies per role", IAM_ATTACHED_MAX, true, NULL },
	{ "L-4019AD8B", "Managed policies per user", IAM_ATTACHED_MAX, true, NULL },
	{ "L-384571C4", "Managed policies per group", IAM_ATTACHED_MAX, false, NULL },
	{ "L-7A1621EC", "IAM groups per user", IAM_GROUPS_PER_USER, false, NULL },
	{ "L-C07B4B0D", "Role trust policy length", IAM_TRUST_BYTES, true, NULL });
