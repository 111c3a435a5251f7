/*
 * Certificates: servers' (for load balancers and distributions, by name) and users' for signing, which are
 * kept and shown.
 */
#include "base/keypair.h"
#include "cloud/credential.h"
#include "cloud/tags.h"
#include "entity.h"

static err malformed(req *rq)
{
	return fail(rq, &iam_MalformedCertificateException,
	            "Unable to parse certificate. Please ensure the certificate is in PEM format.");
}

err iam_UploadServerCertificate(req *rq, txn *tx, const iam_UploadServerCertificate_in *in,
                                iam_UploadServerCertificate_out *out)
{
	str account = rq->who.account, key = iam_key(rq->mem, in->ServerCertificateName);
	int64_t end, chain_end;
	if (iam_certificate_get(tx, rq->mem, account, key))
		return fail(rq, &iam_EntityAlreadyExistsException,
		            "The Server Certificate with name %.*s already exists.",
		            STR_ARG(in->ServerCertificateName));
	if (!certificate_end(in->CertificateBody, &end) ||
	    (str_is(in->CertificateChain) && !certificate_end(in->CertificateChain, &chain_end)))
		return malformed(rq);
	if (!certificate_fits(in->CertificateBody, in->PrivateKey))
		return fail(rq, &iam_KeyPairMismatchException,
		            "Private key does not match the public key in the certificate.");
	if (IAM_COUNT(certificate, tx, rq->mem, account, IAM_CERTIFICATES_MAX) == IAM_CERTIFICATES_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for ServerCertificatesPerAccount: %d",
		            IAM_CERTIFICATES_MAX);
	iam_ServerCertificateMetadata *meta = arena_new(rq->mem, iam_ServerCertificateMetadata);
	*meta = (iam_ServerCertificateMetadata){
		.Path = iam_path(in->Path), .ServerCertificateName = in->ServerCertificateName,
		.ServerCertificateId = unique_id_new(rq->mem, "ASCA"),
		.Arn = iam_arn(rq, "server-certificate", in->Path, in->ServerCertificateName),
		.UploadDate = iam_now(rq), .Expiration = TIME(end),
	};
	iam_ServerCertificate it = { .ServerCertificateMetadata = meta, .CertificateBody = in->CertificateBody,
		                     .CertificateChain = in->CertificateChain };
	TRY(iam_tags_merge(rq, &it.Tags, &in->Tags));
	iam_certificate_put(tx, &(iam_certificate){ .Account = account, .Key = key, .It = &it,
	                                            .PrivateKey = in->PrivateKey });
	out->ServerCertificateMetadata = meta;
	out->Tags = it.Tags;
	return OK;
}

static err find_certificate(req *rq, const txn *tx, str name, iam_certificate **out)
{
	*out = iam_certificate_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name));
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "The Server Certificate with name %.*s cannot be found.",
	            STR_ARG(name));
}

err iam_GetServerCertificate(req *rq, const txn *tx, const iam_GetServerCertificate_in *in,
                             iam_GetServerCertificate_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	tags_shown(rq, TAGS(&c->It->Tags, Key));
	out->ServerCertificate = c->It;
	return OK;
}

err iam_ListServerCertificates(req *rq, const txn *tx, const iam_ListServerCertificates_in *in,
                               iam_ListServerCertificates_out *out)
{
	page_of page;
	TRY(page_open(rq, in->Marker, in->MaxItems, &page));
	record_scan s = iam_certificate_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (str_is(page.after))
		record_scan_after(&s, page.after);
	out->ServerCertificateMetadataList.v = arena_array(rq->mem, iam_ServerCertificateMetadata, page.most + 1);
	for (iam_certificate *c; (c = iam_certificate_next(&s));) {
		const iam_ServerCertificateMetadata *meta = c->It->ServerCertificateMetadata;
		if (!str_starts(meta->Path, iam_path(in->PathPrefix)))
			continue;
		if (!page_take(&page, c->Key))
			break;
		out->ServerCertificateMetadataList.v[out->ServerCertificateMetadataList.n++] = *meta;
	}
	cursor_close(&s.at);
	page_close(rq, &page, &out->Marker, &out->IsTruncated);
	return OK;
}

err iam_UpdateServerCertificate(req *rq, txn *tx, const iam_UpdateServerCertificate_in *in,
                                iam_UpdateServerCertificate_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	iam_ServerCertificateMetadata *meta = c->It->ServerCertificateMetadata;
	str key = str_is(in->NewServerCertificateName) ? iam_key(rq->mem, in->NewServerCertificateName) : c->Key;
	if (!str_eq(key, c->Key) && iam_certificate_get(tx, rq->mem, c->Account, key))
		return fail(rq, &iam_EntityAlreadyExistsException,
		            "The Server Certificate with name %.*s already exists.",
		            STR_ARG(in->NewServerCertificateName));
	if (str_is(in->NewPath))
		meta->Path = in->NewPath;
	if (str_is(in->NewServerCertificateName))
		meta->ServerCertificateName = in->NewServerCertificateName;
	meta->Arn = iam_arn(rq, "server-certificate", meta->Path, meta->ServerCertificateName);
	iam_certificate_delete(tx, c->Account, c->Key);
	c->Key = key;
	iam_certificate_put(tx, c);
	return OK;
}

err iam_DeleteServerCertificate(req *rq, txn *tx, const iam_DeleteServerCertificate_in *in,
                                iam_DeleteServerCertificate_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	iam_certificate_delete(tx, c->Account, c->Key);
	return OK;
}

err iam_TagServerCertificate(req *rq, txn *tx, const iam_TagServerCertificate_in *in,
                             iam_TagServerCertificate_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	TRY(iam_tags_merge(rq, &c->It->Tags, &in->Tags));
	iam_certificate_put(tx, c);
	return OK;
}

err iam_UntagServerCertificate(req *rq, txn *tx, const iam_UntagServerCertificate_in *in,
                               iam_UntagServerCertificate_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	iam_tags_remove(&c->It->Tags, &in->TagKeys);
	iam_certificate_put(tx, c);
	return OK;
}

err iam_ListServerCertificateTags(req *rq, const txn *tx, const iam_ListServerCertificateTags_in *in,
                                  iam_ListServerCertificateTags_out *out)
{
	iam_certificate *c;
	TRY(find_certificate(rq, tx, in->ServerCertificateName, &c));
	return iam_tags_page(rq, &c->It->Tags, in->Marker, in->MaxItems, &out->Tags, &out->Marker,
	                     &out->IsTruncated);
}

err iam_UploadSigningCertificate(req *rq, txn *tx, const iam_UploadSigningCertificate_in *in,
                                 iam_UploadSigningCertificate_out *out)
{
	iam_user *user;
	str name;
	int64_t end;
	int n = 0;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	if (!certificate_end(in->CertificateBody, &end))
		return fail(rq, &iam_MalformedCertificateException, "Certificate %.*s is malformed.",
		            STR_ARG(in->CertificateBody));
	record_scan s = iam_signing_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_signing *c; (c = iam_signing_next(&s)); n++)
		if (str_eq(c->It->CertificateBody, in->CertificateBody))
			return fail(rq, &iam_DuplicateCertificateException,
			            "The certificate is already associated with user %.*s.", STR_ARG(name));
	if (n >= IAM_SIGNING_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for CertificatesPerUser: %d",
		            IAM_SIGNING_MAX);
	out->Certificate = arena_new(rq->mem, iam_SigningCertificate);
	*out->Certificate = (iam_SigningCertificate){
		.UserName = user->It->UserName, .CertificateBody = in->CertificateBody,
		.CertificateId = arena_concat(rq->mem, unique_id_new(rq->mem, "ASCA"), S("SIGN")),
		.Status = iam_statusType_Active, .UploadDate = iam_now(rq),
	};
	iam_signing_put(tx, &(iam_signing){ rq->who.account, user->Key, out->Certificate->CertificateId,
	                                    out->Certificate });
	return OK;
}

static err find_signing(req *rq, const txn *tx, str user_name, str id, iam_signing **out)
{
	str name;
	iam_user *user;
	TRY(iam_user_or_caller(rq, user_name, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	*out = iam_signing_get(tx, rq->mem, rq->who.account, user->Key, id);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "The Certificate with id %.*s cannot be found.",
	            STR_ARG(id));
}

err iam_ListSigningCertificates(req *rq, const txn *tx, const iam_ListSigningCertificates_in *in,
                                iam_ListSigningCertificates_out *out)
{
	iam_user *user;
	str name;
	out->Certificates.v = arena_array(rq->mem, iam_SigningCertificate, IAM_SIGNING_MAX);
	out->IsTruncated = BOOL(false);
	if (!str_is(in->UserName) && rq->who.root)
		return OK;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	record_scan s = iam_signing_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_signing *c; (c = iam_signing_next(&s));)
		out->Certificates.v[out->Certificates.n++] = *c->It;
	return OK;
}

err iam_UpdateSigningCertificate(req *rq, txn *tx, const iam_UpdateSigningCertificate_in *in,
                                 iam_UpdateSigningCertificate_out *out)
{
	iam_signing *c;
	TRY(find_signing(rq, tx, in->UserName, in->CertificateId, &c));
	c->It->Status = in->Status;
	iam_signing_put(tx, c);
	return OK;
}

err iam_DeleteSigningCertificate(req *rq, txn *tx, const iam_DeleteSigningCertificate_in *in,
                                 iam_DeleteSigningCertificate_out *out)
{
	iam_signing *c;
	TRY(find_signing(rq, tx, in->UserName, in->CertificateId, &c));
	iam_signing_delete(tx, c->Account, c->User, c->Id);
	return OK;
}
