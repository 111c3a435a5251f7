/*
 * Rotation: new material for encrypting, the old one for what it encrypted. On Farthing's clock every period
 * when that is enabled, or on demand.
 */
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

void rotation_plan(txn *tx, arena *mem, const kms_key *k)
{
	str place = place_of(mem, k);
	if (k->RotationDays)
		timer_set(tx, "kms_rotate", place, k->LastRotated + k->RotationDays * MS_DAY, place);
	else
		timer_cancel(tx, "kms_rotate", place);
}

static void rotate(txn *tx, arena *mem, kms_key *k, str kind, int64_t now)
{
	str none;
	kms_material_put(tx, &(kms_material){ .Account = k->Account, .Region = k->Region, .KeyId = k->KeyId,
	                                      .Turn = k->Turns, .Bytes = k->Material, .Replaced = now,
	                                      .Kind = kind });
	material_make(mem, kms_KeySpec_SYMMETRIC_DEFAULT, &k->Material, &none);
	k->Turns++;
	if (str_eq(kind, kms_RotationType_AUTOMATIC))
		k->LastRotated = now;
	kms_key_put(tx, k);
	key_billed(tx, k, now, !str_eq(k->State, kms_KeyState_PendingDeletion));
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
	if (key_is_symmetric(*k))
		return OK;
	return fail(rq, &kms_UnsupportedOperationException,
	            "You cannot perform this operation on a KMS key of spec %.*s.", STR_ARG(key_spec(*k)));
}

err kms_EnableKeyRotation(req *rq, txn *tx, const kms_EnableKeyRotation_in *in,
                          kms_EnableKeyRotation_out *out)
{
	kms_key *k;
	TRY(rotatable(rq, tx, in->KeyId, &k));
	if (!k->RotationDays)
		k->LastRotated = rq->now;
	k->RotationDays = in->RotationPeriodInDays.set ? in->RotationPeriodInDays.v : KMS_ROTATION_DAYS;
	kms_key_put(tx, k);
	rotation_plan(tx, rq->mem, k);
	return OK;
}

err kms_DisableKeyRotation(req *rq, txn *tx, const kms_DisableKeyRotation_in *in,
                           kms_DisableKeyRotation_out *out)
{
	kms_key *k;
	TRY(rotatable(rq, tx, in->KeyId, &k));
	k->RotationDays = 0;
	kms_key_put(tx, k);
	rotation_plan(tx, rq->mem, k);
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
		            "%.*s was rotated on demand %d times, as often as may be.",
		            STR_ARG(key_arn_of(rq->mem, k)), KMS_ON_DEMAND_MAX);
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
	TRY(key_find(rq, tx, in->KeyId, &k));
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
			.KeyId = key_arn_of(rq->mem, k), .RotationDate = TIME(m->Replaced), .RotationType = m->Kind };
	}
	cursor_close(&s.at);
	return OK;
}
