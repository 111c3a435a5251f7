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
/* Enabled, or AWS's fault for a key that is disabled or about to be deleted. */
err key_usable(req *rq, const kms_key *k);
kms_key *key_make(req *rq, txn *tx, str manager);
/* The key that a ciphertext names; STR_NONE when it is none of ours. */
str blob_key_id(str blob);
/* The policy of the AWS managed key of a service (secretsmanager). */
str managed_policy(arena *mem, str account, str region, str service_name);
