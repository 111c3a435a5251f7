/* What the tagging API sees of IAM: AWS leaves out users, roles and groups, whose tags are IAM's own
 * affair. */
#include "cloud/tagged.h"

#define KIND(kind, operation, in, items, arn_, name, of) { .type = "iam:" kind, .at = kind "/", \
	.list = { operation, in, items }, .arn = arn_, TAGGED_PAGES("Marker"), \
	.read = { "List" name "Tags", of, "Tags" }, \
	.tag = { "Tag" name, of ",\"Tags\":$Key", NULL }, \
	.untag = { "Untag" name, of ",\"TagKeys\":$keys", NULL } }
TAGGED(iam, "iam",
	KIND("policy", "ListPolicies", "\"Scope\":\"Local\"", "Policies", "Arn",
	     "Policy", "\"PolicyArn\":$arn"),
	KIND("instance-profile", "ListInstanceProfiles", NULL, "InstanceProfiles", "Arn",
	     "InstanceProfile", "\"InstanceProfileName\":$id"),
	KIND("oidc-provider", "ListOpenIDConnectProviders", NULL, "OpenIDConnectProviderList", "Arn",
	     "OpenIDConnectProvider", "\"OpenIDConnectProviderArn\":$arn"),
	KIND("saml-provider", "ListSAMLProviders", NULL, "SAMLProviderList", "Arn",
	     "SAMLProvider", "\"SAMLProviderArn\":$arn"),
	KIND("server-certificate", "ListServerCertificates", NULL, "ServerCertificateMetadataList", "Arn",
	     "ServerCertificate", "\"ServerCertificateName\":$id"),
	KIND("mfa", "ListVirtualMFADevices", NULL, "VirtualMFADevices", "SerialNumber",
	     "MFADevice", "\"SerialNumber\":$arn"));
