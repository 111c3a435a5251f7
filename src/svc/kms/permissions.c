/*
 * What the operations are called in policies, on which keys they act, and key policies, without which
 * nobody may do anything with a key.
 */
#include "cloud/authorise.h"
#include "key.h"

/* The key behind an id, an alias or a ciphertext; what names no key is asked about as "*". */
static size_t the_key(req *rq, const txn *tx, const void *in, str **arns)
{
	kms_key *k = NULL;
	str given = access_member(rq, in, S("KeyId"));
	if (!given.n)
		given = access_member(rq, in, S("TargetKeyId"));
	if (!given.n)
		given = blob_key_id(access_member(rq, in, S("CiphertextBlob")));
	if (!given.n || key_find(rq, tx, given, &k) != OK || !k)
		return 0;
	*arns = arena_new(rq->mem, str);
	**arns = key_arn(rq, k->KeyId);
	return 1;
}

#define ON(operation) { operation, NULL, NULL, the_key }
ACCESS(kms, "kms", NULL,
	ON("Encrypt"), ON("Decrypt"), ON("GenerateDataKey"), ON("GenerateDataKeyWithoutPlaintext"),
	ON("DescribeKey"), ON("EnableKey"), ON("DisableKey"), ON("UpdateKeyDescription"),
	ON("ScheduleKeyDeletion"), ON("CancelKeyDeletion"), ON("EnableKeyRotation"),
	ON("DisableKeyRotation"), ON("GetKeyRotationStatus"), ON("GetKeyPolicy"), ON("PutKeyPolicy"),
	ON("ListKeyPolicies"), ON("TagResource"), ON("UntagResource"), ON("ListResourceTags"),
	ON("CreateAlias"), ON("UpdateAlias"),
	{ "ReEncrypt", "kms:ReEncryptFrom", NULL, the_key });

/* arn:aws:kms:REGION:ACCOUNT:key/ID */
static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	str part[6] = { { 0 } }, rest = arn;
	for (int i = 0; i < 6 && str_is(rest); i++)
		part[i] = str_cut(&rest, ':');
	if (!str_starts(part[5], S("key/")))
		return STR_NONE;
	kms_key *k = kms_key_get(tx, mem, part[4], part[3], str_sub(part[5], 4, part[5].n));
	return k ? k->Policy : STR_NONE;
}
RESOURCE_POLICY(kms, policy_of, true);
