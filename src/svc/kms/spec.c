/* What a key of each kind can do, in AWS's words. */
#include "base/keypair.h"
#include "key.h"
#include "sys/rand.h"

#define RSA(how, n) S("RSASSA_" how "_SHA_" n)
static str rsa_signing[] = { RSA("PKCS1_V1_5", "256"), RSA("PKCS1_V1_5", "384"), RSA("PKCS1_V1_5", "512"),
	                         RSA("PSS", "256"), RSA("PSS", "384"), RSA("PSS", "512") };
static str rsa_encrypting[] = { S("RSAES_OAEP_SHA_1"), S("RSAES_OAEP_SHA_256") };
static str symmetric[] = { S("SYMMETRIC_DEFAULT") };
static str ecdsa[] = { S("ECDSA_SHA_256"), S("ECDSA_SHA_384"), S("ECDSA_SHA_512") };
static str hmac[] = { S("HMAC_SHA_224"), S("HMAC_SHA_256"), S("HMAC_SHA_384"), S("HMAC_SHA_512") };
static str agreeing[] = { S("ECDH") };

static const struct { str spec, use; str *algorithms; size_t n; size_t bytes; } kinds[] = {
	{ S("SYMMETRIC_DEFAULT"), S("ENCRYPT_DECRYPT"), symmetric, 1, 32 },
	{ S("RSA_2048"), S("ENCRYPT_DECRYPT"), rsa_encrypting, 2, 0 },
	{ S("RSA_2048"), S("SIGN_VERIFY"), rsa_signing, 6, 0 },
	{ S("RSA_3072"), S("ENCRYPT_DECRYPT"), rsa_encrypting, 2, 0 },
	{ S("RSA_3072"), S("SIGN_VERIFY"), rsa_signing, 6, 0 },
	{ S("RSA_4096"), S("ENCRYPT_DECRYPT"), rsa_encrypting, 2, 0 },
	{ S("RSA_4096"), S("SIGN_VERIFY"), rsa_signing, 6, 0 },
	{ S("ECC_NIST_P256"), S("SIGN_VERIFY"), ecdsa, 1, 0 },
	{ S("ECC_NIST_P256"), S("KEY_AGREEMENT"), agreeing, 1, 0 },
	{ S("ECC_NIST_P384"), S("SIGN_VERIFY"), ecdsa + 1, 1, 0 },
	{ S("ECC_NIST_P384"), S("KEY_AGREEMENT"), agreeing, 1, 0 },
	{ S("ECC_NIST_P521"), S("SIGN_VERIFY"), ecdsa + 2, 1, 0 },
	{ S("ECC_NIST_P521"), S("KEY_AGREEMENT"), agreeing, 1, 0 },
	{ S("ECC_SECG_P256K1"), S("SIGN_VERIFY"), ecdsa, 1, 0 },
	{ S("HMAC_224"), S("GENERATE_VERIFY_MAC"), hmac, 1, 28 },
	{ S("HMAC_256"), S("GENERATE_VERIFY_MAC"), hmac + 1, 1, 32 },
	{ S("HMAC_384"), S("GENERATE_VERIFY_MAC"), hmac + 2, 1, 48 },
	{ S("HMAC_512"), S("GENERATE_VERIFY_MAC"), hmac + 3, 1, 64 },
};
#define N_KINDS (sizeof kinds / sizeof *kinds)

str key_spec(const kms_key *k)
{
	return str_is(k->Spec) ? k->Spec : kms_KeySpec_SYMMETRIC_DEFAULT;
}

str key_usage(const kms_key *k)
{
	return str_is(k->Usage) ? k->Usage : kms_KeyUsageType_ENCRYPT_DECRYPT;
}

bool key_is_symmetric(const kms_key *k)
{
	return str_eq(key_spec(k), kms_KeySpec_SYMMETRIC_DEFAULT);
}

size_t key_algorithms(str spec, str use, str **out)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (str_eq(kinds[i].spec, spec) && str_eq(kinds[i].use, use)) {
			*out = kinds[i].algorithms;
			return kinds[i].n;
		}
	return 0;
}

err spec_check(req *rq, str spec, str *use)
{
	str *algorithms;
	bool known = false;
	for (size_t i = 0; i < N_KINDS; i++)
		known = known || str_eq(kinds[i].spec, spec);
	if (!known)
		return fail(rq, &kms_UnsupportedOperationException, "Farthing's KMS has no keys of spec %.*s.",
		            STR_ARG(spec));
	if (!str_is(*use) && !str_eq(spec, kms_KeySpec_SYMMETRIC_DEFAULT))
		return fail(rq, &aws_ValidationException,
		            "You must specify a KeyUsage value for all KMS keys except for "
		                                          "symmetric encryption keys.");
	if (!str_is(*use))
		*use = kms_KeyUsageType_ENCRYPT_DECRYPT;
	if (!key_algorithms(spec, *use, &algorithms))
		return fail(rq, &aws_ValidationException, "KeyUsage %.*s is not compatible with KeySpec %.*s",
		            STR_ARG(*use), STR_ARG(spec));
	return OK;
}

err algorithm_fits(req *rq, const kms_key *k, str use, str algorithm)
{
	str *own;
	str arn = key_arn_of(rq->mem, k);
	if (!str_eq(key_usage(k), use))
		return fail(rq, &kms_InvalidKeyUsageException, "%.*s key usage is %.*s which is not valid for %s.",
		            STR_ARG(arn), STR_ARG(key_usage(k)), rq->op->name);
	size_t n = key_algorithms(key_spec(k), use, &own);
	for (size_t i = 0; i < n; i++)
		if (str_eq(own[i], algorithm))
			return OK;
	return fail(rq, &kms_InvalidKeyUsageException, "Algorithm %.*s is incompatible with key spec %.*s.",
	            STR_ARG(algorithm), STR_ARG(key_spec(k)));
}

size_t material_bytes(str spec)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (str_eq(kinds[i].spec, spec))
			return kinds[i].bytes;
	return 0;
}

bool material_make(arena *mem, str spec, str *material, str *public_der)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (str_eq(kinds[i].spec, spec) && kinds[i].bytes) {
			char *p = arena_bytes(mem, kinds[i].bytes);
			rand_bytes(p, kinds[i].bytes);
			*material = str_of(p, kinds[i].bytes);
			*public_der = STR_NONE;
			return true;
		}
	return keypair_make(mem, spec, material, public_der);
}
