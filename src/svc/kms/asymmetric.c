/* Keys that sign, agree or authenticate: RSA and elliptic curves, HMAC. And pairs of keys for use outside. */
#include "base/digest.h"
#include "base/keypair.h"
#include "key.h"

static err usable(req *rq, const txn *tx, str given, str use, str algorithm, kms_key **k)
{
	TRY(key_find(rq, tx, given, k));
	TRY(key_usable(rq, *k));
	return algorithm_fits(rq, *k, use, algorithm);
}

static err checked_message(req *rq, str message, str type, bool *digested)
{
	*digested = str_eq(type, kms_MessageType_DIGEST);
	if (str_eq(type, kms_MessageType_EXTERNAL_MU))
		return fail(rq, &aws_NotImplemented,
		            "Farthing's KMS has no ML-DSA keys, to which EXTERNAL_MU belongs.");
	return message.n ? OK : fail(rq, &aws_ValidationException, "Message must not be empty.");
}

/* A digest is as long as the algorithm's name says in bits. */
static err checked_digest(req *rq, str how, str given)
{
	int64_t bits;
	str number = str_sub(how, how.n - 3, how.n);
	if (str_to_i64(number, &bits) && given.n == (size_t)bits / 8)
		return OK;
	return fail(rq, &aws_ValidationException, "Digest is invalid length for algorithm %.*s.", STR_ARG(how));
}

err kms_Sign(req *rq, const txn *tx, const kms_Sign_in *in, kms_Sign_out *out)
{
	kms_key *k;
	bool digested;
	TRY(usable(rq, tx, in->KeyId, kms_KeyUsageType_SIGN_VERIFY, in->SigningAlgorithm, &k));
	TRY(checked_message(rq, in->Message, in->MessageType, &digested));
	if (digested)
		TRY(checked_digest(rq, in->SigningAlgorithm, in->Message));
	if (!keypair_sign(rq->mem, k->Material, in->SigningAlgorithm, digested, in->Message, &out->Signature))
		return fail(rq, &kms_KMSInternalException, "The message could not be signed.");
	out->KeyId = key_arn_of(rq->mem, k);
	out->SigningAlgorithm = in->SigningAlgorithm;
	meter_one(rq, &KMS_ASYMMETRIC, out->KeyId);
	return dry_run(rq, in->DryRun);
}

err kms_Verify(req *rq, const txn *tx, const kms_Verify_in *in, kms_Verify_out *out)
{
	kms_key *k;
	bool digested;
	TRY(usable(rq, tx, in->KeyId, kms_KeyUsageType_SIGN_VERIFY, in->SigningAlgorithm, &k));
	TRY(checked_message(rq, in->Message, in->MessageType, &digested));
	if (digested)
		TRY(checked_digest(rq, in->SigningAlgorithm, in->Message));
	meter_one(rq, &KMS_ASYMMETRIC, key_arn_of(rq->mem, k));
	if (!keypair_verify(k->Public, in->SigningAlgorithm, digested, in->Message, in->Signature))
		return fail(rq, &kms_KMSInvalidSignatureException, "%s", "");
	out->KeyId = key_arn_of(rq->mem, k);
	out->SignatureValid = BOOL(true);
	out->SigningAlgorithm = in->SigningAlgorithm;
	return dry_run(rq, in->DryRun);
}

err kms_GetPublicKey(req *rq, const txn *tx, const kms_GetPublicKey_in *in, kms_GetPublicKey_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	if (!k->Public.n)
		return fail(rq, &kms_UnsupportedOperationException,
		            "The request is rejected because the key %.*s is not "
		            "asymmetric.", STR_ARG(key_arn_of(rq->mem, k)));
	str *own, use = key_usage(k);
	size_t n = key_algorithms(key_spec(k), use, &own);
	*out = (kms_GetPublicKey_out){ .KeyId = key_arn_of(rq->mem, k), .PublicKey = k->Public, .KeyUsage = use,
		                       .KeySpec = key_spec(k), .CustomerMasterKeySpec = key_spec(k) };
	if (str_eq(use, kms_KeyUsageType_SIGN_VERIFY))
		out->SigningAlgorithms = (kms_SigningAlgorithmSpecList){ own, n };
	else if (str_eq(use, kms_KeyUsageType_KEY_AGREEMENT))
		out->KeyAgreementAlgorithms = (kms_KeyAgreementAlgorithmSpecList){ own, n };
	else
		out->EncryptionAlgorithms = (kms_EncryptionAlgorithmSpecList){ own, n };
	meter_one(rq, &KMS_ASYMMETRIC, out->KeyId);
	return OK;
}

err kms_DeriveSharedSecret(req *rq, const txn *tx, const kms_DeriveSharedSecret_in *in,
                           kms_DeriveSharedSecret_out *out)
{
	kms_key *k;
	TRY(no_enclave(rq, in->Recipient));
	TRY(usable(rq, tx, in->KeyId, kms_KeyUsageType_KEY_AGREEMENT, in->KeyAgreementAlgorithm, &k));
	if (!keypair_derive(rq->mem, k->Material, in->PublicKey, &out->SharedSecret))
		return fail(rq, &aws_ValidationException, "The public key is not on the curve of %.*s.",
		            STR_ARG(key_spec(k)));
	out->KeyId = key_arn_of(rq->mem, k);
	out->KeyAgreementAlgorithm = in->KeyAgreementAlgorithm;
	out->KeyOrigin = str_is(k->Origin) ? k->Origin : kms_OriginType_AWS_KMS;
	meter_one(rq, &KMS_ASYMMETRIC, out->KeyId);
	return dry_run(rq, in->DryRun);
}

err kms_GenerateMac(req *rq, const txn *tx, const kms_GenerateMac_in *in, kms_GenerateMac_out *out)
{
	kms_key *k;
	TRY(usable(rq, tx, in->KeyId, kms_KeyUsageType_GENERATE_VERIFY_MAC, in->MacAlgorithm, &k));
	ensure(keyed_mac(rq->mem, in->MacAlgorithm, k->Material, in->Message, &out->Mac));
	out->KeyId = key_arn_of(rq->mem, k);
	out->MacAlgorithm = in->MacAlgorithm;
	meter_one(rq, &KMS_REQUEST, out->KeyId);
	return dry_run(rq, in->DryRun);
}

err kms_VerifyMac(req *rq, const txn *tx, const kms_VerifyMac_in *in, kms_VerifyMac_out *out)
{
	kms_key *k;
	str mac;
	TRY(usable(rq, tx, in->KeyId, kms_KeyUsageType_GENERATE_VERIFY_MAC, in->MacAlgorithm, &k));
	ensure(keyed_mac(rq->mem, in->MacAlgorithm, k->Material, in->Message, &mac));
	meter_one(rq, &KMS_REQUEST, key_arn_of(rq->mem, k));
	if (!secret_eq(mac, in->Mac))
		return fail(rq, &kms_KMSInvalidMacException, "%s", "");
	out->KeyId = key_arn_of(rq->mem, k);
	out->MacValid = BOOL(true);
	out->MacAlgorithm = in->MacAlgorithm;
	return dry_run(rq, in->DryRun);
}

static err pair(req *rq, str given, const kms_EncryptionContextType *context, str spec,
                kms_GenerateDataKeyPair_out *out)
{
	kms_key *k;
	if (!keypair_make(rq->mem, spec, &out->PrivateKeyPlaintext, &out->PublicKey))
		return fail(rq, &kms_UnsupportedOperationException, "Farthing's KMS makes no pairs of spec %.*s.",
		            STR_ARG(spec));
	const txn *tx = req_read(rq);
	err e =
		usable(rq, tx, given, kms_KeyUsageType_ENCRYPT_DECRYPT, kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT,
	               &k);
	if (!e) {
		out->PrivateKeyCiphertextBlob = key_seal(rq, k, context, out->PrivateKeyPlaintext);
		out->KeyId = key_arn_of(rq->mem, k);
		out->KeyMaterialId = material_id(rq->mem, k, k->Turns);
	}
	req_read_end(rq, tx);
	TRY(e);
	out->KeyPairSpec = spec;
	if (!str_starts(spec, S("RSA_")))
		meter_one(rq, &KMS_PAIR_ECC, out->KeyId);
	return OK;
}

err kms_GenerateDataKeyPair(req *rq, const kms_GenerateDataKeyPair_in *in, kms_GenerateDataKeyPair_out *out)
{
	TRY(no_enclave(rq, in->Recipient));
	TRY(pair(rq, in->KeyId, &in->EncryptionContext, in->KeyPairSpec, out));
	return dry_run(rq, in->DryRun);
}

err kms_GenerateDataKeyPairWithoutPlaintext(req *rq, const kms_GenerateDataKeyPairWithoutPlaintext_in *in,
                                            kms_GenerateDataKeyPairWithoutPlaintext_out *out)
{
	kms_GenerateDataKeyPair_out whole = { 0 };
	TRY(pair(rq, in->KeyId, &in->EncryptionContext, in->KeyPairSpec, &whole));
	out->PrivateKeyCiphertextBlob = whole.PrivateKeyCiphertextBlob;
	out->PublicKey = whole.PublicKey;
	out->KeyId = whole.KeyId;
	out->KeyPairSpec = whole.KeyPairSpec;
	out->KeyMaterialId = whole.KeyMaterialId;
	return dry_run(rq, in->DryRun);
}
