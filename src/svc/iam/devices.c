/*
 * Lists of things that nobody can make here (MFA devices, keys for SSH, certificates): they are empty.
 * Terraform and the CLI ask for them before they delete a user.
 */
#include "entity.h"

static err user_exists(req *rq, const txn *tx, str given)
{
	iam_user *user;
	str name;
	if (!str_is(given) && rq->who.root)
		return OK;
	TRY(iam_user_or_caller(rq, given, &name));
	return iam_find_user(rq, tx, name, &user);
}

#define NOTHING ((void *)"")

err iam_ListMFADevices(req *rq, const txn *tx, const iam_ListMFADevices_in *in, iam_ListMFADevices_out *out)
{
	out->MFADevices.v = NOTHING;
	out->IsTruncated = BOOL(false);
	return user_exists(rq, tx, in->UserName);
}

err iam_ListVirtualMFADevices(req *rq, const txn *tx,
                              const iam_ListVirtualMFADevices_in *in,
                              iam_ListVirtualMFADevices_out *out)
{
	out->VirtualMFADevices.v = NOTHING;
	out->IsTruncated = BOOL(false);
	return OK;
}

err iam_ListSSHPublicKeys(req *rq, const txn *tx, const iam_ListSSHPublicKeys_in *in,
                          iam_ListSSHPublicKeys_out *out)
{
	out->SSHPublicKeys.v = NOTHING;
	out->IsTruncated = BOOL(false);
	return user_exists(rq, tx, in->UserName);
}

err iam_ListSigningCertificates(req *rq, const txn *tx, const iam_ListSigningCertificates_in *in,
                                iam_ListSigningCertificates_out *out)
{
	out->Certificates.v = NOTHING;
	out->IsTruncated = BOOL(false);
	return user_exists(rq, tx, in->UserName);
}

err iam_ListServiceSpecificCredentials(req *rq, const txn *tx,
                                       const iam_ListServiceSpecificCredentials_in *in,
                                       iam_ListServiceSpecificCredentials_out *out)
{
	out->ServiceSpecificCredentials.v = NOTHING;
	return user_exists(rq, tx, in->UserName);
}

err iam_ListServerCertificates(req *rq, const txn *tx,
                               const iam_ListServerCertificates_in *in,
                               iam_ListServerCertificates_out *out)
{
	out->ServerCertificateMetadataList.v = NOTHING;
	out->IsTruncated = BOOL(false);
	return OK;
}

err iam_ListSAMLProviders(req *rq, const txn *tx, const iam_ListSAMLProviders_in *in,
                          iam_ListSAMLProviders_out *out)
{
	out->SAMLProviderList.v = NOTHING;
	return OK;
}
