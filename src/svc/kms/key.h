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
/* The same for what takes no alias. */
err key_find_id(req *rq, const txn *tx, str given, kms_key **key);
/* The same, making an AWS managed key that is named for the first time. */
err key_find_or_make(req *rq, txn *tx, str given, kms_key **key);
/* A customer's, not one of AWS's. */
err customer_key(req *rq, const txn *tx, str given, kms_key **key);
/* MalformedPolicyDocumentException unless it is a policy for a key that does not lock the caller out;
 * `bypass` takes that risk. */
err key_policy_check(req *rq, const txn *tx, const kms_key *k, str document, opt_bool bypass);
/* New tags of a key. */
err key_tags_check(req *rq, const kms_TagList *tags);
/* Enabled, or AWS's fault for a key that is disabled or about to be deleted. */
err key_usable(req *rq, const kms_key *k);
/* Of origin AWS_KMS, or AWS's fault. */
err key_is_ours(req *rq, const kms_key *k);
/* DryRunOperationException when that was wanted: the last thing that an operation asks. */
err dry_run(req *rq, opt_bool wanted);
/* A document for an enclave's eyes only. */
err no_enclave(req *rq, const kms_RecipientInfo *recipient);
/* Which material this is, without telling anything of it. Symmetric keys only; else STR_NONE. */
str material_id(arena *mem, const kms_key *k, int64_t turn);
/* With material made before; `id` STR_NONE: a new one. */
kms_key *key_make(req *rq, txn *tx, str manager, str spec, str usage, str material, str public_der);
str default_policy(req *rq);
kms_KeyMetadata *key_metadata(req *rq, const txn *tx, const kms_key *k);
str key_spec(const kms_key *k);
str key_usage(const kms_key *k);
bool key_is_symmetric(const kms_key *k);
/* The algorithms of a kind of key; none when there is no such kind. */
size_t key_algorithms(str spec, str usage, str **out);
/* Whether there are keys like that; the usage that goes without saying is filled in. */
err spec_check(req *rq, str spec, str *usage);
/* Whether a key may be used that way with that algorithm. */
err algorithm_fits(req *rq, const kms_key *k, str usage, str algorithm);
/* Of keys that are plain bytes; 0: a pair. */
size_t material_bytes(str spec);
/* Material of a new key; RSA takes its time. */
bool material_make(arena *mem, str spec, str *material, str *public_der);

/* The material that a ciphertext of an earlier turn was made with; STR_NONE: there was no such turn. */
str material_of(const txn *tx, arena *mem, const kms_key *k, int64_t turn);
/* What the key costs an hour: its first two rotations count like keys. */
void key_billed(txn *tx, const kms_key *k, int64_t now, bool exists);
void rotation_plan(txn *tx, arena *mem, const kms_key *k);

/* Takes imported material away: the key waits for it to come again. */
/* Sets or cancels the timer of k->Expires. */
void material_ends(txn *tx, arena *mem, const kms_key *k);
void material_drop(txn *tx, arena *mem, kms_key *k);

bool key_is_replica(const kms_key *k);
/* The same key in its other Regions, one after another; NULL: no more. `at` begins as STR_NONE. */
kms_key *key_elsewhere(const txn *tx, arena *mem, const kms_key *k, str *at);
kms_MultiRegionConfiguration *key_regions(req *rq, const txn *tx, const kms_key *k);
/* The key is gone: its primary may go too when that only waited for it. */
void replica_gone(txn *tx, arena *mem, const kms_key *k, int64_t now);
/* Deletion at the end of the key's window, from now. */
void deletion_plan(txn *tx, arena *mem, kms_key *k, int64_t now);

/* The key's policy, with what its grants allow as statements. */
str policy_with_grants(const txn *tx, arena *mem, const kms_key *k);

/* Encrypts under a symmetric key, as Encrypt does. */
str key_seal(req *rq, const kms_key *k, const kms_EncryptionContextType *context, str plain);

/* The key that a ciphertext names; STR_NONE when it is none of ours. */
str blob_key_id(str blob);
/* The policy of the AWS managed key of a service (secretsmanager). */
str managed_policy(arena *mem, str account, str region, str service_name);
