#include "base/digest.h"
#include "key.h"
#include "cloud/target.h"
#include "sys/rand.h"

str key_arn(const req *rq, str key_id)
{
	return req_arn(rq, "kms", "key/%.*s", STR_ARG(key_id));
}

str key_arn_of(arena *mem, const kms_key *k)
{
	return arena_fmt(mem, "arn:aws:kms:%.*s:%.*s:key/%.*s", STR_ARG(k->Region), STR_ARG(k->Account),
	                 STR_ARG(k->KeyId));
}

static str alias_of(str given)
{
	size_t at = str_starts(given, S("arn:")) ? str_find(given, S(":alias/")) : SIZE_MAX;
	return at == SIZE_MAX ? given : str_sub(given, at + 1, given.n);
}

static str key_id_of(str given)
{
	size_t at = str_starts(given, S("arn:")) ? str_find(given, S(":key/")) : SIZE_MAX;
	return at == SIZE_MAX ? given : str_sub(given, at + 5, given.n);
}

/* A UUID, or mrk- and one without its dashes. */
static bool id_good(str id)
{
	bool many = str_starts(id, S("mrk-"));
	for (size_t i = many ? 4 : 0; i < id.n; i++) {
		bool dash = !many && (i == 8 || i == 13 || i == 18 || i == 23);
		char c = id.p[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (dash ? c != '-' : !hex)
			return false;
	}
	return id.n == 36;
}

err key_find(req *rq, const txn *tx, str given, kms_key **key)
{
	str id = key_id_of(given), alias = alias_of(given);
	if (str_starts(alias, S("alias/"))) {
		kms_alias *a = kms_alias_get(tx, rq->mem, rq->who.account, rq->region, alias);
		if (!a) {
			str arn = req_arn(rq, "kms", "%.*s", STR_ARG(alias));
			return fail(rq, &kms_NotFoundException, "Alias %.*s is not found.", STR_ARG(arn));
		}
		id = a->KeyId;
	}
	arn_parts a = { .region = rq->region, .account = rq->who.account };
	if (str_starts(given, S("arn:")) && str_find(given, S(":key/")) != SIZE_MAX)
		arn_split(given, &a); /* another account's key is named by its ARN */
	if (!str_eq(a.region, rq->region))
		return fail(rq, &kms_NotFoundException, "Invalid arn %.*s", STR_ARG(a.region));
	if (!id_good(id))
		return fail(rq, &kms_NotFoundException, "Invalid keyId '%.*s'", STR_ARG(id));
	*key = kms_key_get(tx, rq->mem, a.account, a.region, id);
	if (!*key) {
		str arn = str_starts(given, S("arn:")) ? given : key_arn(rq, id);
		return fail(rq, &kms_NotFoundException, "Key '%.*s' does not exist", STR_ARG(arn));
	}
	return OK;
}

err key_find_id(req *rq, const txn *tx, str given, kms_key **key)
{
	if (str_starts(alias_of(given), S("alias/")))
		return fail(rq, &kms_NotFoundException, "Invalid keyId '%.*s'", STR_ARG(given));
	return key_find(rq, tx, given, key);
}

str default_policy(req *rq)
{
	return arena_fmt(
		rq->mem,
		"{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {\n"
		"    \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n"
		"    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::%.*s:root\"\n    },\n"
		"    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}",
		STR_ARG(rq->who.account));
}

/* What AWS puts on its own keys: whoever may use the service may use the key, through the service alone. */
str managed_policy(arena *mem, str account, str region, str service_name)
{
	return arena_fmt(
		mem,
		"{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"auto-%.*s-2\",\n  \"Statement\" : [ {\n"
		"    \"Sid\" : \"Allow access through %.*s for all principals in the account that are authorized to "
		"use it\",\n    \"Effect\" : \"Allow\",\n    \"Principal\" : {\n      \"AWS\" : \"*\"\n    },\n"
		"    \"Action\" : [ \"kms:Encrypt\", \"kms:Decrypt\", \"kms:ReEncrypt*\", "
		"\"kms:GenerateDataKey*\", \"kms:CreateGrant\", \"kms:DescribeKey\" ],\n    \"Resource\" : \"*\",\n"
		"    \"Condition\" : {\n      \"StringEquals\" : {\n        \"kms:CallerAccount\" : \"%.*s\",\n"
		"        \"kms:ViaService\" : \"%.*s.%.*s.amazonaws.com\"\n      }\n    }\n  }, {\n"
		"    \"Sid\" : \"Allow direct access to key metadata to the account\",\n    \"Effect\" : \"Allow\",\n"
		"    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::%.*s:root\"\n    },\n"
		"    \"Action\" : [ \"kms:Describe*\", \"kms:Get*\", \"kms:List*\", \"kms:RevokeGrant\" ],\n"
		"    \"Resource\" : \"*\"\n  } ]\n}",
		STR_ARG(service_name), STR_ARG(service_name), STR_ARG(account), STR_ARG(service_name),
		STR_ARG(region), STR_ARG(account));
}

kms_key *key_make(req *rq, txn *tx, str manager, str spec, str use, str material, str public_der)
{
	kms_key *k = arena_new(rq->mem, kms_key);
	*k = (kms_key){
		.Account = rq->who.account,
		.Region = rq->region,
		.KeyId = rand_uuid(rq->mem),
		.Material = material,
		.Public = public_der,
		.State = kms_KeyState_Enabled,
		.Spec = spec,
		.Usage = use,
		.Description = S(""),
		.Manager = manager,
		.Created = rq->now,
		.Policy = default_policy(rq),
	};
	kms_key_put(tx, k);
	return k;
}

err key_find_or_make(req *rq, txn *tx, str given, kms_key **key)
{
	str alias = alias_of(given);
	if (!str_starts(alias, S("alias/aws/")) ||
	    kms_alias_get(tx, rq->mem, rq->who.account, rq->region, alias))
		return key_find(rq, tx, given, key);
	str material, none;
	material_make(rq->mem, kms_KeySpec_SYMMETRIC_DEFAULT, &material, &none);
	*key = key_make(rq, tx, kms_KeyManagerType_AWS, kms_KeySpec_SYMMETRIC_DEFAULT,
	                kms_KeyUsageType_ENCRYPT_DECRYPT, material, STR_NONE);
	(*key)->Description = arena_fmt(rq->mem, "Default key that protects my %.*s data when no other key is "
	                                "defined", STR_ARG(str_sub(alias, 10, alias.n)));
	(*key)->RotationDays = KMS_ROTATION_DAYS;
	(*key)->LastRotated = rq->now;
	rotation_plan(tx, rq->mem, *key);
	(*key)->Policy = managed_policy(rq->mem, (*key)->Account, (*key)->Region, str_sub(alias, 10, alias.n));
	kms_key_put(tx, *key);
	kms_alias_put(tx, &(kms_alias){ .Account = rq->who.account, .Region = rq->region, .AliasName = alias,
	                                .KeyId = (*key)->KeyId, .Created = rq->now, .Updated = rq->now });
	return OK;
}

err key_usable(req *rq, const kms_key *k)
{
	str arn = key_arn_of(rq->mem, k);
	if (str_eq(k->State, kms_KeyState_Enabled))
		return OK;
	if (str_eq(k->State, kms_KeyState_Disabled))
		return fail(rq, &kms_DisabledException, "%.*s is disabled.", STR_ARG(arn));
	const char *why = str_eq(k->State, kms_KeyState_PendingImport) ? "import" :
		str_eq(k->State, kms_KeyState_PendingReplicaDeletion) ? "replica deletion" : "deletion";
	return fail(rq, &kms_KMSInvalidStateException, "%.*s is pending %s.", STR_ARG(arn), why);
}

err key_is_ours(req *rq, const kms_key *k)
{
	if (!str_is(k->Origin) || str_eq(k->Origin, kms_OriginType_AWS_KMS))
		return OK;
	return fail(rq, &kms_UnsupportedOperationException,
	            "%.*s origin is %.*s which is not valid for this operation.",
	            STR_ARG(key_arn_of(rq->mem, k)), STR_ARG(k->Origin));
}

err dry_run(req *rq, opt_bool wanted)
{
	if (!wanted.set || !wanted.v)
		return OK;
	return fail(rq, &kms_DryRunOperationException,
	            "The request would have succeeded, but the DryRun option is set.");
}

err no_enclave(req *rq, const kms_RecipientInfo *recipient)
{
	return !recipient ? OK : fail(rq, &aws_NotImplemented,
		"Farthing's KMS does not answer enclaves: it cannot judge attestation documents (Recipient).");
}

str material_id(arena *mem, const kms_key *k, int64_t turn)
{
	if (!key_is_symmetric(k) || !k->Material.n)
		return STR_NONE;
	return sha256_hex(mem, arena_fmt(mem, "material %lld of %.*s", (long long)turn, STR_ARG(k->KeyId)));
}
