/*
 * KMS keys: 256-bit symmetric keys that never leave the store. A ciphertext names its key and is bound to the
 * key's ARN and the encryption context. AWS managed keys (alias/aws/SERVICE) come into being when first used.
 */
#pragma once
#include "gen/kms.h"

str key_arn(const req *rq, str key_id);
str key_arn_of(arena *mem, const kms_key *k);
/* `given`: key id, key ARN, alias or alias ARN. NotFoundException when there is none. */
err key_find(req *rq, const txn *tx, str given, kms_key **key);
/* The same, making an AWS managed key that is named for the first time. */
err key_find_or_make(req *rq, txn *tx, str given, kms_key **key);
/* A customer's, not one of AWS's. */
err customer_key(req *rq, const txn *tx, str given, kms_key **key);
/* MalformedPolicyDocumentException unless it is a policy for a key. */
err key_policy_check(req *rq, str document);
/* Enabled, or AWS's fault for a key that is disabled or about to be deleted. */
err key_usable(req *rq, const kms_key *k);
/* With material made before. */
kms_key *key_make(req *rq, txn *tx, str manager, str spec, str usage, str material, str public_der);
/* ---- spec.c ---- */
str key_spec(const kms_key *k);
str key_usage(const kms_key *k);
bool key_is_symmetric(const kms_key *k);
/* The algorithms of a kind of key; none when there is no such kind. */
size_t key_algorithms(str spec, str usage, str **out);
/* Whether there are keys like that; the usage that goes without saying is filled in. */
err spec_check(req *rq, str spec, str *usage);
/* Whether a key may be used that way with that algorithm. */
err algorithm_fits(req *rq, const kms_key *k, str usage, str algorithm);
/* Material of a new key; RSA takes its time. */
bool material_make(arena *mem, str spec, str *material, str *public_der);

/* ---- rotation.c ---- */
/* The material that a ciphertext of an earlier turn was made with; STR_NONE: there was no such turn. */
str material_of(const txn *tx, arena *mem, const kms_key *k, int64_t turn);
/* What the key costs an hour: its first two rotations count like keys. */
void key_billed(txn *tx, const kms_key *k, int64_t now, bool exists);
void rotation_plan(txn *tx, arena *mem, const kms_key *k);

/* ---- grants.c ---- */
/* The key's policy, with what its grants allow as statements. */
str policy_with_grants(const txn *tx, arena *mem, const kms_key *k);

/* Encrypts under a symmetric key, as Encrypt does. */
str key_seal(req *rq, const kms_key *k, const kms_EncryptionContextType *context, str plain);

/* The key that a ciphertext names; STR_NONE when it is none of ours. */
str blob_key_id(str blob);
/* The policy of the AWS managed key of a service (secretsmanager). */
str managed_policy(arena *mem, str account, str region, str service_name);
