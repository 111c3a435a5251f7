/*
 * Rotation: new material for encrypting, the old one for what it encrypted. On Farthing's clock every period
 * when that is enabled, or on demand.
 */
#include "base/digest.h"
#include "base/time.h"
#include "key.h"
#include "store/due.h"

str material_of(const txn *tx, arena *mem, const kms_key *k, int64_t turn)
{
	if (turn == k->Turns)
		return k->Material;
	kms_material *m = kms_material_get(tx, mem, k->Account, k->Region, k->KeyId, turn);
	return m ? m->Bytes : STR_NONE;
}

void key_billed(txn *tx, const kms_key *k, int64_t now, bool exists)
{
	int64_t keys = exists ? 1 + (k->Turns < 2 ? k->Turns : 2) : 0;
	if (str_eq(k->Manager, kms_KeyManagerType_CUSTOMER))
		resident_set(tx, k->Account, k->Region, now, &KMS_KEY, key_arn_of(txn_arena(tx), k), QTY(keys));
}

static str place_of(arena *mem, const kms_key *k)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(k->Account), STR_ARG(k->Region), STR_ARG(k->KeyId));
}

/* The primary of a multi-Region key rotates for all. */
void rotation_plan(txn *tx, arena *mem, const kms_key *k)
{
	str place = place_of(mem, k);
	if (k->RotationDays && !key_is_replica(k))
		timer_set(tx, "kms_rotate", place, k->LastRotated + k->RotationDays * MS_DAY, place);
	else
		timer_cancel(tx, "kms_rotate", place);
}

static void turn_over(txn *tx, kms_key *k, str material, str kind, int64_t now)
{
	kms_material_put(tx, &(kms_material){ .Account = k->Account, .Region = k->Region, .KeyId = k->KeyId,
	                                      .Turn = k->Turns, .Bytes = k->Material, .Replaced = now,
	                                      .Kind = kind });
	k->Material = material;
	k->Turns++;
	if (str_eq(kind, kms_RotationType_AUTOMATIC))
		k->LastRotated = now;
	kms_key_put(tx, k);
	key_billed(tx, k, now, !str_eq(k->State, kms_KeyState_PendingDeletion));
}

static void rotate(txn *tx, arena *mem, kms_key *k, str kind, int64_t now)
{
	str none, material = k->Next, at = STR_NONE;
	if (k->Next.n) {
		k->Next = STR_NONE;
		k->Expires = k->NextExpires;
		k->NextExpires = 0;
		material_ends(tx, mem, k);
		k->Sum = sha256_hex(mem, arena_concat(mem, k->KeyId, material));
	} else {
		material_make(mem, kms_KeySpec_SYMMETRIC_DEFAULT, &material, &none);
	}
	turn_over(tx, k, material, kind, now);
	for (kms_key *r; k->MultiRegion && (r = key_elsewhere(tx, mem, k, &at));)
		turn_over(tx, r, material, kind, now);
}

TIMER(kms_rotate)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	kms_key *k = kms_key_get(tx, mem, account, region, rest);
	if (!k || !k->RotationDays)
		return;
	/* A key that is disabled or about to be deleted is not rotated; AWS catches up when it is back. */
	if (str_eq(k->State, kms_KeyState_Enabled)) {
		rotate(tx, mem, k, kms_RotationType_AUTOMATIC, k->LastRotated + k->RotationDays * MS_DAY);
	} else {
		k->LastRotated += k->RotationDays * MS_DAY;
		kms_key_put(tx, k);
	}
	rotation_plan(tx, mem, k);
}

static err rotatable(req *rq, const txn *tx, str given, kms_key **k)
{
	TRY(customer_key(rq, tx, given, k));
	TRY(key_usable(rq, *k));
	if (!key_is_symmetric(*k))
		return fail(rq, &kms_UnsupportedOperationException, "%s", "");
	if (key_is_replica(*k))
		return fail(rq, &kms_UnsupportedOperationException,
		            "%.*s is a multi-region replica key; its primary key rotates for it.",
		            STR_ARG(key_arn_of(rq->mem, *k)));
	return OK;
}

/* A property that the Regions of a key share. */
static void share_period(txn *tx, arena *mem, const kms_key *k)
{
	str at = STR_NONE;
	rotation_plan(tx, mem, k);
	for (kms_key *r; k->MultiRegion && (r = key_elsewhere(tx, mem, k, &at));) {
		r->RotationDays = k->RotationDays;
		r->LastRotated = k->LastRotated;
		kms_key_put(tx, r);
	}
}

err kms_EnableKeyRotation(req *rq, txn *tx, const kms_EnableKeyRotation_in *in,
                          kms_EnableKeyRotation_out *out)
{
	kms_key *k;
	TRY(rotatable(rq, tx, in->KeyId, &k));
	TRY(key_is_ours(rq, k));
	if (!k->RotationDays)
		k->LastRotated = rq->now;
	k->RotationDays = in->RotationPeriodInDays.set ? in->RotationPeriodInDays.v : KMS_ROTATION_DAYS;
	kms_key_put(tx, k);
	share_period(tx, rq->mem, k);
	return OK;
}

err kms_DisableKeyRotation(req *rq, txn *tx, const kms_DisableKeyRotation_in *in,
                           kms_DisableKeyRotation_out *out)
{
	kms_key *k;
	TRY(rotatable(rq, tx, in->KeyId, &k));
	k->RotationDays = 0;
	kms_key_put(tx, k);
	share_period(tx, rq->mem, k);
	return OK;
}

err kms_GetKeyRotationStatus(req *rq, const txn *tx, const kms_GetKeyRotationStatus_in *in,
                             kms_GetKeyRotationStatus_out *out)
{
	kms_key *k;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	/* A key that is about to go does not rotate; if it stays after all, it does again. */
	bool rotates = k->RotationDays && !str_eq(k->State, kms_KeyState_PendingDeletion);
	out->KeyRotationEnabled = BOOL(rotates);
	out->KeyId = key_arn_of(rq->mem, k);
	if (rotates) {
		out->RotationPeriodInDays = I64(k->RotationDays);
		out->NextRotationDate = TIME(k->LastRotated + k->RotationDays * MS_DAY);
	}
	return OK;
}

err kms_RotateKeyOnDemand(req *rq, txn *tx, const kms_RotateKeyOnDemand_in *in,
                          kms_RotateKeyOnDemand_out *out)
{
	kms_key *k;
	int n = 0;
	TRY(rotatable(rq, tx, in->KeyId, &k));
	record_scan s = kms_material_scan(tx, rq->mem, 3, k->Account, k->Region, k->KeyId, 0);
	for (kms_material *m; (m = kms_material_next(&s));)
		n += str_eq(m->Kind, kms_RotationType_ON_DEMAND);
	if (n >= KMS_ON_DEMAND_MAX)
		return fail(rq, &kms_LimitExceededException,
		            "The on-demand rotations limit has been reached for the given keyId. No more on-demand "
		            "rotations can be performed for this key: %.*s", STR_ARG(key_arn_of(rq->mem, k)));
	if (str_eq(k->Origin, kms_OriginType_EXTERNAL) && !k->Next.n)
		return fail(rq, &kms_KMSInvalidStateException,
		            "%.*s has no key material that waits for a rotation; import some first.",
		            STR_ARG(key_arn_of(rq->mem, k)));
	rotate(tx, rq->mem, k, kms_RotationType_ON_DEMAND, rq->now);
	out->KeyId = key_arn_of(rq->mem, k);
	return OK;
}

err kms_ListKeyRotations(req *rq, const txn *tx, const kms_ListKeyRotations_in *in,
                         kms_ListKeyRotations_out *out)
{
	kms_key *k;
	size_t page = in->Limit.set ? (size_t)in->Limit.v : 100;
	str after;
	TRY(key_find_id(rq, tx, in->KeyId, &k));
	record_scan s = kms_material_scan(tx, rq->mem, 3, k->Account, k->Region, k->KeyId, 0);
	if (str_is(in->Marker)) {
		if (!page_position(rq, in->Marker, &after))
			return fail(rq, &kms_InvalidMarkerException, "Could not deserialize marker");
		record_scan_after(&s, after);
	}
	out->Rotations.v = arena_array(rq->mem, kms_RotationsListEntry, page);
	out->Truncated = BOOL(false);
	int64_t last = 0;
	for (kms_material *m; (m = kms_material_next(&s)); last = m->Turn) {
		if (out->Rotations.n == page) {
			out->Truncated = BOOL(true);
			out->NextMarker = page_token(rq, arena_fmt(rq->mem, "%lld", (long long)last));
			break;
		}
		out->Rotations.v[out->Rotations.n++] = (kms_RotationsListEntry){
			.KeyId = key_arn_of(rq->mem, k), .RotationDate = TIME(m->Replaced), .RotationType = m->Kind,
			.KeyMaterialId = material_id(rq->mem, k, m->Turn + 1),
			.KeyMaterialState = m->Turn + 1 == k->Turns ? kms_KeyMaterialState_CURRENT :
								      kms_KeyMaterialState_NON_CURRENT };
	}
	cursor_close(&s.at);
	return OK;
}
