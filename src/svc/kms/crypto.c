#include "base/buf.h"
#include "base/cipher.h"
#include "key.h"
#include "sys/rand.h"

#define BLOB_VERSION 1
#define ID_BYTES 36
#define BLOB_HEAD (1 + ID_BYTES)
#define BOUND_MAX ((size_t)64 << 10)

/* Sorted by key, lengths included, so that no two contexts are bound alike. */
static str bound_to(req *rq, str key_id, const kms_EncryptionContextType *context)
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
	buf_put(&b, key_arn(rq, key_id));
	for (size_t i = 0; i < n; i++) {
		buf_fmt(&b, "\n%zu,%zu:", sorted[i]->key.n, sorted[i]->value.n);
		buf_put(&b, sorted[i]->key);
		buf_put(&b, sorted[i]->value);
	}
	return buf_str(&b);
}

static str seal(req *rq, const kms_key *k, const kms_EncryptionContextType *context, str plain)
{
	unsigned char nonce[CIPHER_NONCE_BYTES];
	char *head = arena_bytes(rq->mem, BLOB_HEAD);
	rand_bytes(nonce, sizeof nonce);
	head[0] = BLOB_VERSION;
	memcpy(head + 1, k->KeyId.p, ID_BYTES);
	str sealed = cipher_seal(rq->mem, (const unsigned char *)k->Material.p, nonce,
	                         bound_to(rq, k->KeyId, context), plain);
	return arena_concat(rq->mem, str_of(head, BLOB_HEAD), sealed);
}

str blob_key_id(str blob)
{
	return blob.n < BLOB_HEAD || blob.p[0] != BLOB_VERSION ? STR_NONE : str_sub(blob, 1, BLOB_HEAD);
}

static err open_blob(req *rq, const txn *tx, str blob, str key_given,
                     const kms_EncryptionContextType *context, kms_key **key, str *plain)
{
	kms_key *named = NULL;
	if (blob.n < BLOB_HEAD || blob.p[0] != BLOB_VERSION)
		return fail(rq, &kms_InvalidCiphertextException, "%s", "");
	*key = kms_key_get(tx, rq->mem, rq->who.account, rq->region, str_sub(blob, 1, BLOB_HEAD));
	if (!*key)
		return fail(rq, &aws_AccessDenied,
		            "The ciphertext refers to a customer master key that does not exist, does not exist in "
		            "this region, or you are not allowed to access.");
	if (str_is(key_given)) {
		TRY(key_find(rq, tx, key_given, &named));
		if (!str_eq(named->KeyId, (*key)->KeyId))
			return fail(rq, &kms_IncorrectKeyException,
			            "The key ID in the request does not identify a CMK that can perform this operation.");
	}
	TRY(key_usable(rq, *key));
	str bound = bound_to(rq, (*key)->KeyId, context);
	if (!cipher_open(rq->mem, (const unsigned char *)(*key)->Material.p, bound,
	                 str_sub(blob, BLOB_HEAD, blob.n), plain))
		return fail(rq, &kms_InvalidCiphertextException, "%s", "");
	return OK;
}

static void metered(req *rq, const kms_key *k)
{
	meter_one(rq, &KMS_REQUEST, key_arn(rq, k->KeyId));
}

static err algorithm_check(req *rq, str algorithm)
{
	if (str_is(algorithm) && !str_eq(algorithm, kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT))
		return fail(rq, &kms_InvalidKeyUsageException,
		            "Algorithm %.*s is incompatible with key spec SYMMETRIC_DEFAULT.", STR_ARG(algorithm));
	return OK;
}

err kms_Encrypt(req *rq, txn *tx, const kms_Encrypt_in *in, kms_Encrypt_out *out)
{
	kms_key *k;
	TRY(algorithm_check(rq, in->EncryptionAlgorithm));
	TRY(key_find_or_make(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	out->CiphertextBlob = seal(rq, k, &in->EncryptionContext, in->Plaintext);
	out->KeyId = key_arn(rq, k->KeyId);
	out->EncryptionAlgorithm = kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT;
	metered(rq, k);
	return OK;
}

err kms_Decrypt(req *rq, const txn *tx, const kms_Decrypt_in *in, kms_Decrypt_out *out)
{
	kms_key *k;
	TRY(algorithm_check(rq, in->EncryptionAlgorithm));
	TRY(open_blob(rq, tx, in->CiphertextBlob, in->KeyId, &in->EncryptionContext, &k, &out->Plaintext));
	out->KeyId = key_arn(rq, k->KeyId);
	out->EncryptionAlgorithm = kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT;
	metered(rq, k);
	return OK;
}

err kms_ReEncrypt(req *rq, txn *tx, const kms_ReEncrypt_in *in, kms_ReEncrypt_out *out)
{
	kms_key *from, *to;
	str plain;
	TRY(open_blob(rq, tx, in->CiphertextBlob, in->SourceKeyId, &in->SourceEncryptionContext, &from, &plain));
	TRY(key_find_or_make(rq, tx, in->DestinationKeyId, &to));
	TRY(key_usable(rq, to));
	out->CiphertextBlob = seal(rq, to, &in->DestinationEncryptionContext, plain);
	out->SourceKeyId = key_arn(rq, from->KeyId);
	out->KeyId = key_arn(rq, to->KeyId);
	out->SourceEncryptionAlgorithm = kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT;
	out->DestinationEncryptionAlgorithm = kms_EncryptionAlgorithmSpec_SYMMETRIC_DEFAULT;
	metered(rq, from);
	metered(rq, to);
	return OK;
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
	char *plain = arena_bytes(rq->mem, n);
	rand_bytes(plain, n);
	out->Plaintext = str_of(plain, n);
	out->CiphertextBlob = seal(rq, k, context, out->Plaintext);
	out->KeyId = key_arn(rq, k->KeyId);
	metered(rq, k);
	return OK;
}

err kms_GenerateDataKey(req *rq, txn *tx, const kms_GenerateDataKey_in *in, kms_GenerateDataKey_out *out)
{
	return data_key(rq, tx, in->KeyId, in->KeySpec, in->NumberOfBytes, &in->EncryptionContext, out);
}

err kms_GenerateDataKeyWithoutPlaintext(req *rq, txn *tx, const kms_GenerateDataKeyWithoutPlaintext_in *in,
                                        kms_GenerateDataKeyWithoutPlaintext_out *out)
{
	kms_GenerateDataKey_out made = { 0 };
	TRY(data_key(rq, tx, in->KeyId, in->KeySpec, in->NumberOfBytes, &in->EncryptionContext, &made));
	out->CiphertextBlob = made.CiphertextBlob;
	out->KeyId = made.KeyId;
	return OK;
}

err kms_GenerateRandom(req *rq, const txn *tx, const kms_GenerateRandom_in *in,
                       kms_GenerateRandom_out *out)
{
	if (!in->NumberOfBytes.set)
		return fail(rq, &aws_ValidationException, "Please specify a number of bytes.");
	char *bytes = arena_bytes(rq->mem, (size_t)in->NumberOfBytes.v);
	rand_bytes(bytes, (size_t)in->NumberOfBytes.v);
	out->Plaintext = str_of(bytes, (size_t)in->NumberOfBytes.v);
	meter_one(rq, &KMS_REQUEST, S("random"));
	return OK;
}
