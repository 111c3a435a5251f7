#include "base/time.h"
#include "key.h"
#include "store/due.h"

#define LIST_PAGE 100

static kms_KeyMetadata *metadata(req *rq, const kms_key *k)
{
	kms_KeyMetadata *m = arena_new(rq->mem, kms_KeyMetadata);
	static str algorithms[] = { { "SYMMETRIC_DEFAULT", sizeof("SYMMETRIC_DEFAULT") - 1 } };
	*m = (kms_KeyMetadata){
		.AWSAccountId = k->Account,
		.KeyId = k->KeyId,
		.Arn = key_arn(rq, k->KeyId),
		.CreationDate = TIME(k->Created),
		.Enabled = BOOL(str_eq(k->State, kms_KeyState_Enabled)),
		.Description = str_is(k->Description) ? k->Description : S(""),
		.KeyUsage = kms_KeyUsageType_ENCRYPT_DECRYPT,
		.KeyState = k->State,
		.Origin = kms_OriginType_AWS_KMS,
		.KeyManager = k->Manager,
		.CustomerMasterKeySpec = kms_CustomerMasterKeySpec_SYMMETRIC_DEFAULT,
		.KeySpec = kms_KeySpec_SYMMETRIC_DEFAULT,
		.EncryptionAlgorithms = { algorithms, 1 },
		.MultiRegion = BOOL(k->MultiRegion),
	};
	if (k->Deletion)
		m->DeletionDate = TIME(k->Deletion);
	return m;
}

err kms_CreateKey(req *rq, txn *tx, const kms_CreateKey_in *in, kms_CreateKey_out *out)
{
	str spec = str_is(in->KeySpec) ? in->KeySpec : in->CustomerMasterKeySpec;
	if ((str_is(spec) && !str_eq(spec, kms_KeySpec_SYMMETRIC_DEFAULT)) ||
	    (str_is(in->KeyUsage) && !str_eq(in->KeyUsage, kms_KeyUsageType_ENCRYPT_DECRYPT)) ||
	    (str_is(in->Origin) && !str_eq(in->Origin, kms_OriginType_AWS_KMS)))
		return fail(rq, &kms_UnsupportedOperationException,
		            "Farthing's KMS has symmetric encryption keys of origin AWS_KMS only.");
	kms_key *k = key_make(rq, tx, kms_KeyManagerType_CUSTOMER);
	k->Description = str_is(in->Description) ? in->Description : S("");
	k->MultiRegion = in->MultiRegion.v;
	k->Tags = in->Tags;
	if (str_is(in->Policy))
		k->Policy = in->Policy;
	kms_key_put(tx, k);
	resident_set(tx, k->Account, k->Region, rq->now, &KMS_KEY, key_arn(rq, k->KeyId), QTY(1));
	out->KeyMetadata = metadata(rq, k);
	return OK;
}

err kms_DescribeKey(req *rq, txn *tx, const kms_DescribeKey_in *in, kms_DescribeKey_out *out)
{
	kms_key *k;
	TRY(key_find_or_make(rq, tx, in->KeyId, &k));
	out->KeyMetadata = metadata(rq, k);
	return OK;
}

err kms_ListKeys(req *rq, const txn *tx, const kms_ListKeys_in *in, kms_ListKeys_out *out)
{
	size_t page = in->Limit.set ? (size_t)in->Limit.v : LIST_PAGE;
	str after;
	record_scan s = kms_key_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->Marker)) {
		if (!page_position(rq, in->Marker, &after))
			return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
		record_scan_after(&s, after);
	}
	out->Keys.v = arena_array(rq->mem, kms_KeyListEntry, page);
	out->Truncated = BOOL(false);
	for (kms_key *k; (k = kms_key_next(&s));) {
		if (out->Keys.n == page) {
			out->Truncated = BOOL(true);
			out->NextMarker = page_token(rq, out->Keys.v[page - 1].KeyId);
			break;
		}
		out->Keys.v[out->Keys.n++] = (kms_KeyListEntry){ k->KeyId, key_arn(rq, k->KeyId) };
	}
	cursor_close(&s.at);
	return OK;
}

static err customer_key(req *rq, const txn *tx, str given, kms_key **k)
{
	TRY(key_find(rq, tx, given, k));
	if (str_eq((*k)->Manager, kms_KeyManagerType_AWS)) {
		str arn = key_arn(rq, (*k)->KeyId);
		return fail(rq, &aws_AccessDenied,
		            "User: %.*s is not authorized to perform: kms:%s on resource: %.*s because the key is "
		            "managed by AWS", STR_ARG(rq->who.arn), rq->op->name, STR_ARG(arn));
	}
	return OK;
}

static err not_pending(req *rq, const kms_key *k)
{
	str arn = key_arn(rq, k->KeyId);
	if (str_eq(k->State, kms_KeyState_PendingDeletion))
		return fail(rq, &kms_KMSInvalidStateException, "%.*s is pending deletion.", STR_ARG(arn));
	return OK;
}

err kms_EnableKey(req *rq, txn *tx, const kms_EnableKey_in *in, kms_EnableKey_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(not_pending(rq, k));
	k->State = kms_KeyState_Enabled;
	kms_key_put(tx, k);
	return OK;
}

err kms_DisableKey(req *rq, txn *tx, const kms_DisableKey_in *in,
                   kms_DisableKey_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(not_pending(rq, k));
	k->State = kms_KeyState_Disabled;
	kms_key_put(tx, k);
	return OK;
}

err kms_UpdateKeyDescription(req *rq, txn *tx, const kms_UpdateKeyDescription_in *in,
                             kms_UpdateKeyDescription_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(not_pending(rq, k));
	k->Description = in->Description;
	kms_key_put(tx, k);
	return OK;
}

static str place_of(arena *mem, const kms_key *k)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(k->Account), STR_ARG(k->Region), STR_ARG(k->KeyId));
}

TIMER(kms_delete_key)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	kms_key_delete(tx, account, region, rest);
	record_scan s = kms_alias_scan(tx, mem, 2, account, region, STR_NONE);
	for (kms_alias *a; (a = kms_alias_next(&s));)
		if (str_eq(a->KeyId, rest))
			kms_alias_delete(tx, account, region, a->AliasName);
}

err kms_ScheduleKeyDeletion(req *rq, txn *tx, const kms_ScheduleKeyDeletion_in *in,
                            kms_ScheduleKeyDeletion_out *out)
{
	kms_key *k;
	int64_t days = in->PendingWindowInDays.set ? in->PendingWindowInDays.v : KMS_WINDOW_DAYS;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(not_pending(rq, k));
	if (days < 7 || days > KMS_WINDOW_DAYS)
		return fail(rq, &aws_ValidationException, "PendingWindowInDays must be between 7 and 30 days.");
	k->State = kms_KeyState_PendingDeletion;
	k->Deletion = rq->now + days * MS_DAY;
	k->WindowDays = days;
	kms_key_put(tx, k);
	timer_set(tx, "kms_delete_key", place_of(rq->mem, k), k->Deletion, place_of(rq->mem, k));
	resident_set(tx, k->Account, k->Region, rq->now, &KMS_KEY, key_arn(rq, k->KeyId), 0);
	out->KeyId = key_arn(rq, k->KeyId);
	out->DeletionDate = TIME(k->Deletion);
	out->KeyState = k->State;
	out->PendingWindowInDays = I64(days);
	return OK;
}

err kms_CancelKeyDeletion(req *rq, txn *tx, const kms_CancelKeyDeletion_in *in,
                          kms_CancelKeyDeletion_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	out->KeyId = key_arn(rq, k->KeyId);
	if (!str_eq(k->State, kms_KeyState_PendingDeletion))
		return fail(rq, &kms_KMSInvalidStateException, "%.*s is not pending deletion.", STR_ARG(out->KeyId));
	k->State = kms_KeyState_Disabled;
	k->Deletion = 0;
	kms_key_put(tx, k);
	timer_cancel(tx, "kms_delete_key", place_of(rq->mem, k));
	resident_set(tx, k->Account, k->Region, rq->now, &KMS_KEY, out->KeyId, QTY(1));
	return OK;
}

err kms_EnableKeyRotation(req *rq, txn *tx, const kms_EnableKeyRotation_in *in,
                          kms_EnableKeyRotation_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	k->RotationDays = in->RotationPeriodInDays.set ? in->RotationPeriodInDays.v : KMS_ROTATION_DAYS;
	k->LastRotated = rq->now;
	kms_key_put(tx, k);
	return OK;
}

err kms_DisableKeyRotation(req *rq, txn *tx, const kms_DisableKeyRotation_in *in,
                           kms_DisableKeyRotation_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(key_usable(rq, k));
	k->RotationDays = 0;
	kms_key_put(tx, k);
	return OK;
}

err kms_GetKeyRotationStatus(req *rq, const txn *tx, const kms_GetKeyRotationStatus_in *in,
                             kms_GetKeyRotationStatus_out *out)
{
	kms_key *k;
	TRY(key_find(rq, tx, in->KeyId, &k));
	out->KeyRotationEnabled = BOOL(k->RotationDays != 0);
	out->KeyId = k->KeyId;
	if (k->RotationDays) {
		out->RotationPeriodInDays = I64(k->RotationDays);
		out->NextRotationDate = TIME(k->LastRotated + k->RotationDays * MS_DAY);
	}
	return OK;
}
