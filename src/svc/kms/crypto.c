#include "base/buf.h"
#include "base/cipher.h"
#include "base/keypair.h"
#include "key.h"
#include "sys/rand.h"

#define BLOB_VERSION 2
#define ID_BYTES 36
/* Version, key id, the turn of its material in two bytes. */
#define BLOB_HEAD (1 + ID_BYTES + 2)
#define BOUND_MAX ((size_t)64 << 10)

/* Sorted by key, lengths included, so that no two contexts are bound alike. */
static str bound_to(req *rq, const kms_key *k, const kms_EncryptionContextType *context)
{
	buf b = buf_in(rq->mem, 256, BOUND_MAX);
	size_t n = context->n;
	const kms_EncryptionContextType_entry **sorted =
		arena_array(rq->mem, const kms_EncryptionContextType_entry *, n + 1);
	for (size_t i = 0; i < n; i++) {
		size_t j = i;
		for (; j > 0 && str_cmp(sorted[j - 1]->key, context->v[i].key) > 0; j--)
			sorted[j] = sorted[j - 1];
		sorted[j] = &context->v[i];
	}
	if (k->MultiRegion)
		buf_fmt(&b, "%.*s/%.*s", STR_ARG(k->Account), STR_ARG(k->KeyId));
	else
		buf_put(&b, key_arn_of(rq->mem, k));
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&b, "\n%zu,%zu:", sorted[i]->key.n, sorted[i]->value.n);
		buf_put(&b, sorted[i]->key);
		buf_put(&b, sorted[i]->value);
	}
	return buf_str(&b);
}

str key_seal(req *rq, const kms_key *k, const kms_EncryptionContextType *context, str plain)
{
	unsigned char nonce[CIPHER_NONCE_BYTES];
	char *head = arena_bytes(rq->mem, BLOB_HEAD);
	rand_bytes(nonce, sizeof nonce);
	head[0] = BLOB_VERSION;
	memcpy(head + 1, k->KeyId.p, ID_BYTES);
	head[1 + ID_BYTES] = (char)(k->Turns >> 8);
	head[2 + ID_BYTES] = (char)k->Turns;
	str sealed = cipher_seal(rq->mem, (const unsigned char *)k->Material.p, nonce,
	                         bound_to(rq, k, context), plain);
	return arena_concat(rq->mem, str_of(head, BLOB_HEAD), sealed);
}

str blob_key_id(str blob)
{
	return blob.n < BLOB_HEAD || blob.p[0] != BLOB_VERSION ? STR_NONE : str_sub(blob, 1, 1 + ID_BYTES);
}

static int64_t blob_turn(str blob)
{
	if (!str_is(blob_key_id(blob)))
		return 0;
	return (int64_t)(unsigned char)blob.p[1 + ID_BYTES] << 8 | (unsigned char)blob.p[2 + ID_BYTES];
}

static err invalid_ciphertext(req *rq)
{
	return fail(rq, &kms_InvalidCiphertextException, "%s", "");
}

/* RSA: the ciphertext says nothing of its key, so the request must. */
static err open_rsa(req *rq, const kms_key *k, str blob, str algorithm, str *plain)
{
	TRY(algorithm_fits(rq, k, kms_KeyUsageType_ENCRYPT_DECRYPT, algorithm));
	bool sha1 = str_eq(algorithm, kms_EncryptionAlgorithmSpec_RSAES_OAEP_SHA_1);
	return keypair_decrypt(rq->mem, k->Material, sha1, blob, plain) ? OK : invalid_ciphertext(rq);
}

static err open_blob(req *rq, const txn *tx, str blob, str key_given, str algorithm,
                     const kms_EncryptionContextType *context, kms_key **key, str *plain)
{
	kms_key *named = NULL;
	if (str_is(key_given))
		TRY(key_find(rq, tx, key_given, &named));
	if (named && !str_eq(key_usage(named), kms_KeyUsageType_ENCRYPT_DECRYPT))
		return fail(rq, &kms_IncorrectKeyException,
		            "The key ID in the request does not identify a CMK that can perform this operation.");
	if (named && !key_is_symmetric(named)) {
		*key = named;
		TRY(key_usable(rq, named));
		return open_rsa(rq, named, blob, algorithm, plain);
	}
	if (str_is(algorithm) && !str_eq(algorithm, kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT))
		return fail(rq, &kms_InvalidKeyUsageException,
		            "Algorithm %.*s is incompatible with key spec SYMMETRIC_DEFAULT.", STR_ARG(algorithm));
	str id = blob_key_id(blob);
	if (!str_is(id))
		return invalid_ciphertext(rq);
	*key = named && str_eq(named->KeyId, id) ? named :
		kms_key_get(tx, rq->mem, rq->who.account, rq->region, id);
	if (!*key)
		return fail(rq, &aws_AccessDenied,
		            "The ciphertext refers to a customer master key that does not exist, does not exist in "
		            "this region, or you are not allowed to access.");
	if (named && *key != named)
		return fail(rq, &kms_IncorrectKeyException,
		            "The key ID in the request does not identify a CMK that can perform this operation.");
	TRY(key_usable(rq, *key));
	str material = material_of(tx, rq->mem, *key, blob_turn(blob));
	if (!str_is(material) ||
	    !cipher_open(rq->mem, (const unsigned char *)material.p, bound_to(rq, *key, context),
	                 str_sub(blob, BLOB_HEAD, blob.n), plain))
		return invalid_ciphertext(rq);
	return OK;
}

static void metered(req *rq, const kms_key *k)
{
	meter_one(rq, key_is_symmetric(k) ? &KMS_REQUEST : &KMS_ASYMMETRIC, key_arn_of(rq->mem, k));
}

static err sealed_with(req *rq, const kms_key *k, const kms_EncryptionContextType *context, str plain,
                       str *algorithm, str *sealed)
{
	if (!str_is(*algorithm))
		*algorithm = kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT;
	TRY(algorithm_fits(rq, k, kms_KeyUsageType_ENCRYPT_DECRYPT, *algorithm));
	if (key_is_symmetric(k)) {
		*sealed = key_seal(rq, k, context, plain);
		return OK;
	}
	if (context->n)
		return fail(rq, &aws_ValidationException,
		            "An encryption context cannot be used with an asymmetric key.");
	bool sha1 = str_eq(*algorithm, kms_EncryptionAlgorithmSpec_RSAES_OAEP_SHA_1);
	if (keypair_encrypt(rq->mem, k->Public, sha1, plain, sealed))
		return OK;
	int bits = str_ends(key_spec(k), S("2048")) ? 2048 : str_ends(key_spec(k), S("3072")) ? 3072 : 4096;
	return fail(rq, &aws_ValidationException,
	            "Algorithm %.*s and key spec %.*s cannot encrypt data larger than %d bytes.",
	            STR_ARG(*algorithm), STR_ARG(key_spec(k)), bits / 8 - (sha1 ? 42 : 66));
}

err kms_Encrypt(req *rq, txn *tx, const kms_Encrypt_in *in, kms_Encrypt_out *out)
{
	kms_key *k;
	TRY(key_find_or_make(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	out->EncryptionAlgorithm = in->EncryptionAlgorithm;
	TRY(sealed_with(rq, k, &in->EncryptionContext, in->Plaintext, &out->EncryptionAlgorithm,
	                &out->CiphertextBlob));
	out->KeyId = key_arn_of(rq->mem, k);
	metered(rq, k);
	return dry_run(rq, in->DryRun);
}

err kms_Decrypt(req *rq, const txn *tx, const kms_Decrypt_in *in, kms_Decrypt_out *out)
{
	kms_key *k;
	TRY(no_enclave(rq, in->Recipient));
	TRY(open_blob(rq, tx, in->CiphertextBlob, in->KeyId, in->EncryptionAlgorithm, &in->EncryptionContext, &k,
	              &out->Plaintext));
	out->KeyId = key_arn_of(rq->mem, k);
	out->EncryptionAlgorithm = key_is_symmetric(k) ? kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT :
							 in->EncryptionAlgorithm;
	out->KeyMaterialId = material_id(rq->mem, k, blob_turn(in->CiphertextBlob));
	metered(rq, k);
	return dry_run(rq, in->DryRun);
}

err kms_ReEncrypt(req *rq, txn *tx, const kms_ReEncrypt_in *in, kms_ReEncrypt_out *out)
{
	kms_key *from, *to;
	str plain;
	TRY(open_blob(rq, tx, in->CiphertextBlob, in->SourceKeyId, in->SourceEncryptionAlgorithm,
	              &in->SourceEncryptionContext, &from, &plain));
	TRY(key_find_or_make(rq, tx, in->DestinationKeyId, &to));
	TRY(key_usable(rq, to));
	out->DestinationEncryptionAlgorithm = in->DestinationEncryptionAlgorithm;
	TRY(sealed_with(rq, to, &in->DestinationEncryptionContext, plain, &out->DestinationEncryptionAlgorithm,
	                &out->CiphertextBlob));
	out->SourceKeyId = key_arn_of(rq->mem, from);
	out->KeyId = key_arn_of(rq->mem, to);
	out->SourceEncryptionAlgorithm = key_is_symmetric(from) ? kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT :
								  in->SourceEncryptionAlgorithm;
	out->SourceKeyMaterialId = material_id(rq->mem, from, blob_turn(in->CiphertextBlob));
	out->DestinationKeyMaterialId = material_id(rq->mem, to, to->Turns);
	metered(rq, from);
	metered(rq, to);
	return dry_run(rq, in->DryRun);
}

static err data_key(req *rq, txn *tx, str key_given, str spec, opt_i64 bytes,
                    const kms_EncryptionContextType *context, kms_GenerateDataKey_out *out)
{
	kms_key *k;
	if (str_is(spec) == bytes.set)
		return fail(rq, &aws_ValidationException,
		            "Please specify either number of bytes or key spec.");
	size_t n = bytes.set ? (size_t)bytes.v : str_eq(spec, kms_DataKeySpec_AES_128) ? 16 : 32;
	TRY(key_find_or_make(rq, tx, key_given, &k));
	TRY(key_usable(rq, k));
	TRY(algorithm_fits(rq, k, kms_KeyUsageType_ENCRYPT_DECRYPT,
	                   kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT));
	char *plain = arena_bytes(rq->mem, n);
	rand_bytes(plain, n);
	out->Plaintext = str_of(plain, n);
	out->CiphertextBlob = key_seal(rq, k, context, out->Plaintext);
	out->KeyId = key_arn_of(rq->mem, k);
	out->KeyMaterialId = material_id(rq->mem, k, k->Turns);
	metered(rq, k);
	return OK;
}

err kms_GenerateDataKey(req *rq, txn *tx, const kms_GenerateDataKey_in *in, kms_GenerateDataKey_out *out)
{
	TRY(no_enclave(rq, in->Recipient));
	TRY(data_key(rq, tx, in->KeyId, in->KeySpec, in->NumberOfBytes, &in->EncryptionContext, out));
	return dry_run(rq, in->DryRun);
}

err kms_GenerateDataKeyWithoutPlaintext(req *rq, txn *tx, const kms_GenerateDataKeyWithoutPlaintext_in *in,
                                        kms_GenerateDataKeyWithoutPlaintext_out *out)
{
	kms_GenerateDataKey_out made = { 0 };
	TRY(data_key(rq, tx, in->KeyId, in->KeySpec, in->NumberOfBytes, &in->EncryptionContext, &made));
	out->CiphertextBlob = made.CiphertextBlob;
	out->KeyId = made.KeyId;
	out->KeyMaterialId = made.KeyMaterialId;
	return dry_run(rq, in->DryRun);
}

err kms_GenerateRandom(req *rq, const txn *tx, const kms_GenerateRandom_in *in,
                       kms_GenerateRandom_out *out)
{
	TRY(no_enclave(rq, in->Recipient));
	if (!in->NumberOfBytes.set)
		return fail(rq, &aws_ValidationException, "NumberOfBytes is required.");
	if (str_is(in->CustomKeyStoreId))
		return fail(rq, &kms_CustomKeyStoreNotFoundException, "%s", "");
	char *bytes = arena_bytes(rq->mem, (size_t)in->NumberOfBytes.v);
	rand_bytes(bytes, (size_t)in->NumberOfBytes.v);
	out->Plaintext = str_of(bytes, (size_t)in->NumberOfBytes.v);
	meter_one(rq, &KMS_REQUEST, S("random"));
	return OK;
}
