/*
 * What the operations are called in policies, on which keys they act, and key policies, without which
 * nobody may do anything with a key.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "key.h"

/* The key behind an id, an alias or a ciphertext. An AWS managed key that is not there yet is asked about by
 * its alias; what names no key, as "*". */
static size_t the_key(req *rq, const txn *tx, const void *in, str **arns)
{
	kms_key *k = NULL;
	str given = access_member(rq, in, S("KeyId"));
	if (!given.n)
		given = access_member(rq, in, S("TargetKeyId"));
	if (!given.n)
		given = blob_key_id(access_member(rq, in, S("CiphertextBlob")));
	if (!given.n)
		return 0;
	*arns = arena_new(rq->mem, str);
	if (key_find(rq, tx, given, &k) == OK && k)
		**arns = key_arn_of(rq->mem, k);
	else if (str_starts(given, S("alias/aws/")))
		**arns = req_arn(rq, "kms", "%.*s", STR_ARG(given));
	else if (str_starts(given, S("arn:")))
		**arns = given;
	else
		**arns = req_arn(rq, "kms", "%s%.*s", str_starts(given, S("alias/")) ? "" : "key/", STR_ARG(given));
	return 1;
}

/* An alias is a resource of its own; so is the key it leads to, and the one it led to before. */
static size_t alias_and_key(req *rq, const txn *tx, const void *in, str **arns)
{
	str name = access_member(rq, in, S("AliasName")), *target = NULL;
	bool target_given = str_is(access_member(rq, in, S("TargetKeyId")));
	kms_alias *old = kms_alias_get(tx, rq->mem, rq->who.account, rq->region, name);
	size_t n = 0;
	*arns = arena_array(rq->mem, str, 3);
	(*arns)[n++] = req_arn(rq, "kms", "%.*s", STR_ARG(name));
	if (target_given && the_key(rq, tx, in, &target))
		(*arns)[n++] = *target;
	if (old && strcmp(rq->op->name, "CreateAlias") != 0)
		(*arns)[n++] = key_arn(rq, old->KeyId);
	return n;
}

/* Reading with one key and writing with another are two actions. */
static size_t re_encrypted(req *rq, const txn *tx, const void *in, str **arns)
{
	const char *members[] = { "SourceKeyId", "DestinationKeyId" };
	size_t n = 0;
	*arns = arena_array(rq->mem, str, 2);
	for (int i = 0; i < 2; i++) {
		kms_key *k = NULL;
		str given = access_member(rq, in, str_c(members[i]));
		if (!given.n && i == 0)
			given = blob_key_id(access_member(rq, in, S("CiphertextBlob")));
		if (given.n && key_find(rq, tx, given, &k) == OK && k)
			(*arns)[n++] = arena_fmt(rq->mem, "kms:ReEncrypt%s %.*s", i ? "To" : "From",
			                         STR_ARG(key_arn_of(rq->mem, k)));
	}
	return n;
}

#define ON(operation) { operation, NULL, NULL, the_key }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(kms, "kms", NULL,
	ON("Encrypt"), ON("Decrypt"), ON("GenerateDataKey"), ON("GenerateDataKeyWithoutPlaintext"),
	ON("GenerateDataKeyPair"), ON("GenerateDataKeyPairWithoutPlaintext"), ON("GenerateMac"),
	ON("VerifyMac"), ON("Sign"), ON("Verify"), ON("GetPublicKey"), ON("DeriveSharedSecret"),
	ON("DescribeKey"), ON("EnableKey"), ON("DisableKey"), ON("UpdateKeyDescription"),
	ON("ScheduleKeyDeletion"), ON("CancelKeyDeletion"), ON("EnableKeyRotation"),
	ON("DisableKeyRotation"), ON("GetKeyRotationStatus"), ON("RotateKeyOnDemand"), ON("ListKeyRotations"),
	ON("GetKeyPolicy"), ON("PutKeyPolicy"), ON("ListKeyPolicies"), ON("TagResource"), ON("UntagResource"),
	ON("ListResourceTags"), ON("CreateGrant"), ON("ListGrants"), ON("RevokeGrant"),
		{ "RetireGrant", NULL, "", NULL },
	ON("GetParametersForImport"), ON("ImportKeyMaterial"), ON("DeleteImportedKeyMaterial"),
	ON("ReplicateKey"), ON("UpdatePrimaryRegion"), ON_ALL("ListRetirableGrants"), ON_ALL("CreateKey"),
	ON_ALL("ListKeys"), ON_ALL("ListAliases"), ON_ALL("GenerateRandom"),
	{ "CreateAlias", NULL, NULL, alias_and_key }, { "UpdateAlias", NULL, NULL, alias_and_key },
	{ "DeleteAlias", NULL, NULL, alias_and_key }, { "ReEncrypt", NULL, NULL, re_encrypted },
	ON_ALL("ConnectCustomKeyStore"), ON_ALL("CreateCustomKeyStore"), ON_ALL("DeleteCustomKeyStore"),
	ON_ALL("DescribeCustomKeyStores"), ON_ALL("DisconnectCustomKeyStore"), ON_ALL("GetKeyLastUsage"),
	ON_ALL("UpdateCustomKeyStore"));

static str policy_of(const txn *tx, arena *mem, str action, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return STR_NONE;
	if (str_starts(a.resource, S("alias/aws/")))
		return managed_policy(mem, a.account, a.region, str_sub(a.resource, 10, a.resource.n));
	if (!str_starts(a.resource, S("key/")))
		return STR_NONE;
	kms_key *k = kms_key_get(tx, mem, a.account, a.region, str_sub(a.resource, 4, a.resource.n));
	return k ? policy_with_grants(tx, mem, k) : STR_NONE;
}
RESOURCE_POLICY(kms, policy_of, true);

/* The service through which the caller comes: secretsmanager.us-east-1.amazonaws.com. */
static str via_service(asking *a)
{
	const req *parent = a->rq->parent;
	if (!parent || !parent->op)
		return STR_NONE;
	return arena_fmt(a->rq->mem, "%s.%.*s.amazonaws.com", parent->op->service->endpoint,
	                 STR_ARG(parent->region));
}

static const kms_EncryptionContextType *context_of(asking *a)
{
	static const char *const names[] = { "EncryptionContext", "SourceEncryptionContext" };
	for (int i = 0; a->in && i < 2; i++) {
		const shape_member *m = shape_member_find(a->rq->op->input, str_c(names[i]));
		if (m)
			return (const void *)((const char *)a->in + m->offset);
	}
	return NULL;
}

static const policy_key *context_key(asking *a, str name)
{
	str wanted;
	const kms_EncryptionContextType *c = context_of(a);
	if (!c)
		return NULL;
	if (str_eq_nocase(name, S("kms:EncryptionContextKeys"))) {
		str *v = arena_array(a->rq->mem, str, c->n + 1);
		for (size_t i = 0; i < c->n; i++)
			v[i] = c->v[i].key;
		return asking_values(a, name, v, c->n);
	}
	if (!asking_prefix(name, "kms:EncryptionContext:", &wanted))
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		if (str_eq_nocase(c->v[i].key, wanted))
			return asking_value(a, name, c->v[i].value);
	return NULL;
}

static kms_key *key_asked(asking *a)
{
	arn_parts p;
	if (!a->tx || !arn_split(a->q.resource, &p) || !str_starts(p.resource, S("key/")))
		return NULL;
	return kms_key_get(a->tx, a->rq->mem, p.account, p.region, str_sub(p.resource, 4, p.resource.n));
}

static const policy_key *aliases_key(asking *a, str name)
{
	const kms_key *k = key_asked(a);
	size_t n = 0;
	if (!k)
		return NULL;
	str *v = arena_array(a->rq->mem, str, KMS_ALIASES_MAX);
	record_scan s = kms_alias_scan(a->tx, a->rq->mem, 2, k->Account, k->Region, STR_NONE);
	for (kms_alias *alias; n < KMS_ALIASES_MAX && (alias = kms_alias_next(&s));)
		if (str_eq(alias->KeyId, k->KeyId))
			v[n++] = alias->AliasName;
	cursor_close(&s.at);
	return asking_values(a, name, v, n);
}

static const policy_key *find_key(asking *a, str name)
{
	static const struct { const char *key, *member; } keys[] = {
		{ "kms:EncryptionAlgorithm", "EncryptionAlgorithm" }, { "kms:SigningAlgorithm", "SigningAlgorithm" },
		{ "kms:MacAlgorithm", "MacAlgorithm" }, { "kms:MessageType", "MessageType" },
		{ "kms:GranteePrincipal", "GranteePrincipal" }, { "kms:RetiringPrincipal", "RetiringPrincipal" },
		{ "kms:DataKeyPairSpec", "KeyPairSpec" }, { "kms:RotationPeriodInDays", "RotationPeriodInDays" },
		{ "kms:ScheduleKeyDeletionPendingWindowInDays", "PendingWindowInDays" },
		{ "kms:BypassPolicyLockoutSafetyCheck", "BypassPolicyLockoutSafetyCheck" },
	};
	const kms_key *k;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(name, str_c(keys[i].key)))
			return asking_value(a, name, asking_member(a, keys[i].member));
	if (str_eq_nocase(name, S("kms:ViaService")))
		return asking_value(a, name, via_service(a));
	if (str_eq_nocase(name, S("kms:CallerAccount")))
		return asking_value(a, name, a->rq->who.account);
	if (str_eq_nocase(name, S("kms:GrantIsForAWSResource")))
		return asking_value(a, name, a->rq->parent ? S("true") : S("false"));
	if (str_eq_nocase(name, S("kms:RequestAlias"))) {
		str given = asking_member(a, "KeyId");
		return asking_value(a, name, str_starts(given, S("alias/")) ? given : STR_NONE);
	}
	if (str_eq_nocase(name, S("kms:ResourceAliases")))
		return aliases_key(a, name);
	if (str_eq_nocase(name, S("kms:KeySpec")) || str_eq_nocase(name, S("kms:KeyUsage"))) {
		bool spec = name.n == sizeof("kms:KeySpec") - 1;
		str asked = asking_member(a, spec ? "KeySpec" : "KeyUsage");
		bool making = strcmp(a->rq->op->name, "CreateKey") == 0;
		if (!making && (k = key_asked(a)))
			asked = spec ? k->Spec : k->Usage;
		return asking_value(a, name, asked);
	}
	return context_key(a, name);
}
ACCESS_KEYS(kms, "kms", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a) || !str_starts(a.resource, S("key/")))
		return NULL;
	kms_key *k = kms_key_get(tx, mem, a.account, a.region, str_sub(a.resource, 4, a.resource.n));
	return k ? RESOURCE_TAG_KEYS(mem, k->Tags, TagKey, TagValue) : NULL;
}
RESOURCE_TAGS(kms, tags_of);
