/*
 * A user's public keys for CodeCommit, and passwords for services that cannot sign (CodeCommit, Keyspaces).
 * They are kept and shown; nothing here is reached with them.
 */
#include "base/digest.h"
#include "base/text.h"
#include "cloud/credential.h"
#include "entity.h"
#include "sys/rand.h"

/* MD5 of the key itself, in pairs: aa:bb:.. */
static bool fingerprint(arena *mem, str body, str *out)
{
	str rest = str_trim(body), kind = str_cut(&rest, ' '), key = str_is(rest) ? str_cut(&rest, ' ') :
		STR_NONE, raw;
	if (!str_eq(kind, S("ssh-rsa")) || !key.n || !base64_decode(mem, str_trim(key), &raw) || raw.n < 12)
		return false;
	str hex = md5_hex(mem, raw);
	buf b = buf_in(mem, 64, 128);
	for (size_t i = 0; i < hex.n; i += 2) {
		if (i)
			buf_c(&b, ':');
		buf_put(&b, str_sub(hex, i, i + 2));
	}
	*out = buf_str(&b);
	return true;
}

err iam_UploadSSHPublicKey(req *rq, txn *tx, const iam_UploadSSHPublicKey_in *in,
                           iam_UploadSSHPublicKey_out *out)
{
	iam_user *user;
	str print;
	int n = 0;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	if (!fingerprint(rq->mem, in->SSHPublicKeyBody, &print))
		return fail(rq, &iam_InvalidPublicKeyException, "The public key is malformed or otherwise invalid.");
	record_scan s = iam_ssh_key_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_ssh_key *k; (k = iam_ssh_key_next(&s)); n++)
		if (str_eq(k->It->Fingerprint, print))
			return fail(rq, &iam_DuplicateSSHPublicKeyException,
			            "The SSH public key is already associated with the user.");
	if (n >= IAM_SSH_KEYS_MAX)
		return fail(rq, &iam_LimitExceededException, "Cannot exceed quota for SSHPublicKeysPerUser: %d",
		            IAM_SSH_KEYS_MAX);
	out->SSHPublicKey = arena_new(rq->mem, iam_SSHPublicKey);
	*out->SSHPublicKey = (iam_SSHPublicKey){
		.UserName = user->It->UserName, .SSHPublicKeyId = unique_id_new(rq->mem, "APKA"),
		.Fingerprint = print, .SSHPublicKeyBody = in->SSHPublicKeyBody,
		.Status = iam_statusType_Active, .UploadDate = iam_now(rq),
	};
	iam_ssh_key_put(tx, &(iam_ssh_key){ rq->who.account, user->Key, out->SSHPublicKey->SSHPublicKeyId,
	                                    out->SSHPublicKey });
	return OK;
}

static err find_key(req *rq, const txn *tx, str user_name, str id, iam_ssh_key **out)
{
	*out = iam_ssh_key_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, user_name), id);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "The Public Key with id %.*s cannot be found.", STR_ARG(id));
}

err iam_GetSSHPublicKey(req *rq, const txn *tx, const iam_GetSSHPublicKey_in *in,
                        iam_GetSSHPublicKey_out *out)
{
	iam_ssh_key *k;
	TRY(find_key(rq, tx, in->UserName, in->SSHPublicKeyId, &k));
	if (!str_eq(in->Encoding, iam_encodingType_SSH))
		return fail(rq, &iam_UnrecognizedPublicKeyEncodingException,
		            "Farthing gives SSH public keys in the encoding SSH only.");
	out->SSHPublicKey = k->It;
	return OK;
}

err iam_ListSSHPublicKeys(req *rq, const txn *tx, const iam_ListSSHPublicKeys_in *in,
                          iam_ListSSHPublicKeys_out *out)
{
	iam_user *user;
	str name;
	out->SSHPublicKeys.v = arena_array(rq->mem, iam_SSHPublicKeyMetadata, IAM_SSH_KEYS_MAX);
	out->IsTruncated = BOOL(false);
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	record_scan s = iam_ssh_key_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_ssh_key *k; (k = iam_ssh_key_next(&s));)
		out->SSHPublicKeys.v[out->SSHPublicKeys.n++] = (iam_SSHPublicKeyMetadata){
			.UserName = k->It->UserName, .SSHPublicKeyId = k->Id, .Status = k->It->Status,
			.UploadDate = k->It->UploadDate };
	return OK;
}

err iam_UpdateSSHPublicKey(req *rq, txn *tx, const iam_UpdateSSHPublicKey_in *in,
                           iam_UpdateSSHPublicKey_out *out)
{
	iam_ssh_key *k;
	TRY(find_key(rq, tx, in->UserName, in->SSHPublicKeyId, &k));
	k->It->Status = in->Status;
	iam_ssh_key_put(tx, k);
	return OK;
}

err iam_DeleteSSHPublicKey(req *rq, txn *tx, const iam_DeleteSSHPublicKey_in *in,
                           iam_DeleteSSHPublicKey_out *out)
{
	iam_ssh_key *k;
	TRY(find_key(rq, tx, in->UserName, in->SSHPublicKeyId, &k));
	iam_ssh_key_delete(tx, k->Account, k->User, k->Id);
	return OK;
}

static str new_password(arena *mem)
{
	str letters = S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	return arena_concat(mem, rand_text(mem, 43, letters), S("="));
}

err iam_CreateServiceSpecificCredential(req *rq, txn *tx, const iam_CreateServiceSpecificCredential_in *in,
                                        iam_CreateServiceSpecificCredential_out *out)
{
	iam_user *user;
	int n = 0;
	TRY(iam_find_user(rq, tx, in->UserName, &user));
	if (!str_eq(in->ServiceName, S("codecommit.amazonaws.com")) &&
	    !str_eq(in->ServiceName, S("cassandra.amazonaws.com")))
		return fail(rq, &iam_ServiceNotSupportedException, "Service %.*s is not supported for this operation",
		            STR_ARG(in->ServiceName));
	record_scan s = iam_service_credential_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_service_credential *c; (c = iam_service_credential_next(&s));)
		n += str_eq(c->It->ServiceName, in->ServiceName);
	if (n >= IAM_SERVICE_CREDENTIALS_MAX)
		return fail(rq, &iam_LimitExceededException,
		            "Cannot exceed quota for ServiceSpecificCredentialsPerUser: %d",
		            IAM_SERVICE_CREDENTIALS_MAX);
	iam_ServiceSpecificCredential *it = out->ServiceSpecificCredential =
		arena_new(rq->mem, iam_ServiceSpecificCredential);
	*it = (iam_ServiceSpecificCredential){
		.CreateDate = iam_now(rq), .ServiceName = in->ServiceName, .UserName = user->It->UserName,
		.ServiceSpecificCredentialId = unique_id_new(rq->mem, "ACCA"), .Status = iam_statusType_Active,
		.ServicePassword = new_password(rq->mem),
	};
	str number = n ? arena_fmt(rq->mem, "+%d", n) : S("");
	it->ServiceUserName = arena_fmt(rq->mem, "%.*s%.*s-at-%.*s", STR_ARG(user->It->UserName), STR_ARG(number),
	                                STR_ARG(rq->who.account));
	iam_service_credential_put(tx, &(iam_service_credential){
		rq->who.account, user->Key, it->ServiceSpecificCredentialId, it });
	return OK;
}

static err find_credential(req *rq, const txn *tx, str user_name, str id, iam_service_credential **out)
{
	str name;
	TRY(iam_user_or_caller(rq, user_name, &name));
	*out = iam_service_credential_get(tx, rq->mem, rq->who.account, iam_key(rq->mem, name), id);
	if (*out)
		return OK;
	return fail(rq, &iam_NoSuchEntityException, "No such credential %.*s exists", STR_ARG(id));
}

err iam_ListServiceSpecificCredentials(req *rq, const txn *tx,
                                       const iam_ListServiceSpecificCredentials_in *in,
                                       iam_ListServiceSpecificCredentials_out *out)
{
	iam_user *user;
	str name;
	TRY(iam_user_or_caller(rq, in->UserName, &name));
	TRY(iam_find_user(rq, tx, name, &user));
	out->ServiceSpecificCredentials.v =
		arena_array(rq->mem, iam_ServiceSpecificCredentialMetadata, IAM_SERVICE_CREDENTIALS_MAX * 2);
	record_scan s = iam_service_credential_scan(tx, rq->mem, 2, rq->who.account, user->Key, STR_NONE);
	for (iam_service_credential *c; (c = iam_service_credential_next(&s));) {
		if (str_is(in->ServiceName) && !str_eq(in->ServiceName, c->It->ServiceName))
			continue;
		out->ServiceSpecificCredentials.v[out->ServiceSpecificCredentials.n++] =
			(iam_ServiceSpecificCredentialMetadata){
				.UserName = c->It->UserName, .Status = c->It->Status, .ServiceName = c->It->ServiceName,
				.ServiceUserName = c->It->ServiceUserName, .CreateDate = c->It->CreateDate,
				.ServiceSpecificCredentialId = c->Id };
	}
	return OK;
}

err iam_UpdateServiceSpecificCredential(req *rq, txn *tx, const iam_UpdateServiceSpecificCredential_in *in,
                                        iam_UpdateServiceSpecificCredential_out *out)
{
	iam_service_credential *c;
	TRY(find_credential(rq, tx, in->UserName, in->ServiceSpecificCredentialId, &c));
	c->It->Status = in->Status;
	iam_service_credential_put(tx, c);
	return OK;
}

err iam_ResetServiceSpecificCredential(req *rq, txn *tx, const iam_ResetServiceSpecificCredential_in *in,
                                       iam_ResetServiceSpecificCredential_out *out)
{
	iam_service_credential *c;
	TRY(find_credential(rq, tx, in->UserName, in->ServiceSpecificCredentialId, &c));
	c->It->ServicePassword = new_password(rq->mem);
	iam_service_credential_put(tx, c);
	out->ServiceSpecificCredential = c->It;
	return OK;
}

err iam_DeleteServiceSpecificCredential(req *rq, txn *tx, const iam_DeleteServiceSpecificCredential_in *in,
                                        iam_DeleteServiceSpecificCredential_out *out)
{
	iam_service_credential *c;
	TRY(find_credential(rq, tx, in->UserName, in->ServiceSpecificCredentialId, &c));
	iam_service_credential_delete(tx, c->Account, c->User, c->Id);
	return OK;
}
