#include "base/buf.h"
#include "base/time.h"
#include "key.h"
#include "store/due.h"
#include "sys/rand.h"

#define LIST_PAGE 100

static str multi_region_id(arena *mem)
{
	str uuid = rand_uuid(mem);
	buf b = buf_in(mem, 64, 64);
	buf_put(&b, S("mrk-"));
	for (size_t i = 0; i < uuid.n; i++)
		if (uuid.p[i] != '-')
			buf_c(&b, uuid.p[i]);
	return buf_str(&b);
}

kms_KeyMetadata *key_metadata(req *rq, const txn *tx, const kms_key *k)
{
	kms_KeyMetadata *m = arena_new(rq->mem, kms_KeyMetadata);
	str use = key_usage(k), *algorithms = NULL;
	size_t n = key_algorithms(key_spec(k), use, &algorithms);
	bool imported = str_eq(k->Origin, kms_OriginType_EXTERNAL);
	*m = (kms_KeyMetadata){
		.AWSAccountId = k->Account,
		.KeyId = k->KeyId,
		.Arn = key_arn_of(rq->mem, k),
		.CreationDate = TIME(k->Created),
		.Enabled = BOOL(str_eq(k->State, kms_KeyState_Enabled)),
		.Description = str_is(k->Description) ? k->Description : S(""),
		.KeyUsage = use,
		.KeyState = k->State,
		.Origin = str_is(k->Origin) ? k->Origin : kms_OriginType_AWS_KMS,
		.KeyManager = k->Manager,
		.CustomerMasterKeySpec = key_spec(k),
		.KeySpec = key_spec(k),
		.MultiRegion = BOOL(k->MultiRegion),
		.MultiRegionConfiguration = k->MultiRegion ? key_regions(rq, tx, k) : NULL,
		.CurrentKeyMaterialId = material_id(rq->mem, k, k->Turns),
	};
	if (str_eq(use, kms_KeyUsageType_ENCRYPT_DECRYPT))
		m->EncryptionAlgorithms = (kms_EncryptionAlgorithmSpecList){ algorithms, n };
	else if (str_eq(use, kms_KeyUsageType_SIGN_VERIFY))
		m->SigningAlgorithms = (kms_SigningAlgorithmSpecList){ algorithms, n };
	else if (str_eq(use, kms_KeyUsageType_GENERATE_VERIFY_MAC))
		m->MacAlgorithms = (kms_MacAlgorithmSpecList){ algorithms, n };
	else
		m->KeyAgreementAlgorithms = (kms_KeyAgreementAlgorithmSpecList){ algorithms, n };
	if (k->Deletion)
		m->DeletionDate = TIME(k->Deletion);
	if (str_eq(k->State, kms_KeyState_PendingReplicaDeletion))
		m->PendingDeletionWindowInDays = I64(k->WindowDays);
	if (imported && k->Material.n)
		m->ExpirationModel = k->Expires ? kms_ExpirationModelType_KEY_MATERIAL_EXPIRES :
			kms_ExpirationModelType_KEY_MATERIAL_DOES_NOT_EXPIRE;
	if (k->Expires)
		m->ValidTo = TIME(k->Expires);
	return m;
}

/* What is made before the transaction, because RSA takes up to seconds. */
typedef struct new_key {
	const kms_CreateKey_in *in;
	kms_CreateKey_out *out;
	str spec, use, material, public_der;
} new_key;

static err keep_key(req *rq, txn *tx, void *context)
{
	new_key *n = context;
	const kms_CreateKey_in *in = n->in;
	kms_key *k = key_make(rq, tx, kms_KeyManagerType_CUSTOMER, n->spec, n->use, n->material, n->public_der);
	if (in->MultiRegion.v) {
		kms_key_delete(tx, k->Account, k->Region, k->KeyId);
		k->KeyId = multi_region_id(rq->mem);
		k->MultiRegion = true;
		k->Primary = k->Region;
		kms_place_put(tx, &(kms_place){ .Account = k->Account, .KeyId = k->KeyId, .Region = k->Region,
		                                .Created = rq->now });
	}
	k->Origin = in->Origin;
	if (str_eq(in->Origin, kms_OriginType_EXTERNAL))
		k->State = kms_KeyState_PendingImport;
	k->Description = str_is(in->Description) ? in->Description : S("");
	TRY(key_tags_check(rq, &in->Tags));
	k->Tags = in->Tags;
	if (str_is(in->Policy)) {
		TRY(key_policy_check(rq, tx, k, in->Policy, in->BypassPolicyLockoutSafetyCheck));
		k->Policy = in->Policy;
	}
	kms_key_put(tx, k);
	key_billed(tx, k, rq->now, true);
	n->out->KeyMetadata = key_metadata(rq, tx, k);
	return OK;
}

err kms_CreateKey(req *rq, const kms_CreateKey_in *in, kms_CreateKey_out *out)
{
	new_key n = { .in = in, .out = out, .use = in->KeyUsage };
	n.spec = str_is(in->KeySpec) ? in->KeySpec : in->CustomerMasterKeySpec;
	if (!str_is(n.spec))
		n.spec = kms_KeySpec_SYMMETRIC_DEFAULT;
	bool external = str_eq(in->Origin, kms_OriginType_EXTERNAL);
	if (str_is(in->Origin) && !external && !str_eq(in->Origin, kms_OriginType_AWS_KMS))
		return fail(rq, &aws_NotImplemented, "Farthing's KMS has no custom key stores, so no keys of origin "
		            "%.*s.", STR_ARG(in->Origin));
	if (str_is(in->CustomKeyStoreId))
		return fail(rq, &kms_CustomKeyStoreNotFoundException, "%s", "");
	TRY(spec_check(rq, n.spec, &n.use));
	if (!external && !material_make(rq->mem, n.spec, &n.material, &n.public_der))
		return fail(rq, &kms_KMSInternalException, "No key of spec %.*s could be made.", STR_ARG(n.spec));
	return req_write(rq, keep_key, &n);
}

err kms_DescribeKey(req *rq, txn *tx, const kms_DescribeKey_in *in, kms_DescribeKey_out *out)
{
	kms_key *k;
	TRY(key_find_or_make(rq, tx, in->KeyId, &k));
	out->KeyMetadata = key_metadata(rq, tx, k);
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

err customer_key(req *rq, const txn *tx, str given, kms_key **k)
{
	TRY(key_find_id(rq, tx, given, k));
	if (str_eq((*k)->Manager, kms_KeyManagerType_AWS)) {
		str arn = key_arn(rq, (*k)->KeyId);
		return fail(rq, &aws_AccessDenied,
		            "User: %.*s is not authorized to perform: kms:%s on resource: %.*s because the key is "
		            "managed by AWS", STR_ARG(rq->who.arn), rq->op->name, STR_ARG(arn));
	}
	return OK;
}

static bool leaving(const kms_key *k)
{
	return str_eq(k->State, kms_KeyState_PendingDeletion) ||
	       str_eq(k->State, kms_KeyState_PendingReplicaDeletion);
}

static err not_leaving(req *rq, const kms_key *k)
{
	return leaving(k) ? key_usable(rq, k) : OK;
}

/* Enabled or disabled, and about to be the other. */
static err settled(req *rq, const kms_key *k)
{
	return str_eq(k->State, kms_KeyState_Disabled) ? OK : key_usable(rq, k);
}

err kms_EnableKey(req *rq, txn *tx, const kms_EnableKey_in *in, kms_EnableKey_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(settled(rq, k));
	k->State = kms_KeyState_Enabled;
	kms_key_put(tx, k);
	return OK;
}

err kms_DisableKey(req *rq, txn *tx, const kms_DisableKey_in *in,
                   kms_DisableKey_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(settled(rq, k));
	k->State = kms_KeyState_Disabled;
	kms_key_put(tx, k);
	return OK;
}

err kms_UpdateKeyDescription(req *rq, txn *tx, const kms_UpdateKeyDescription_in *in,
                             kms_UpdateKeyDescription_out *out)
{
	kms_key *k;
	TRY(customer_key(rq, tx, in->KeyId, &k));
	TRY(not_leaving(rq, k));
	k->Description = in->Description;
	kms_key_put(tx, k);
	return OK;
}

static str place_of(arena *mem, const kms_key *k)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(k->Account), STR_ARG(k->Region), STR_ARG(k->KeyId));
}

void deletion_plan(txn *tx, arena *mem, kms_key *k, int64_t now)
{
	k->State = kms_KeyState_PendingDeletion;
	k->Deletion = now + k->WindowDays * MS_DAY;
	kms_key_put(tx, k);
	timer_set(tx, "kms_delete_key", place_of(mem, k), k->Deletion, place_of(mem, k));
}

TIMER(kms_delete_key)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	kms_key *k = kms_key_get(tx, mem, account, region, rest);
	kms_key_delete(tx, account, region, rest);
	timer_cancel(tx, "kms_material_end", payload);
	timer_cancel(tx, "kms_rotate", payload);
	if (k && k->MultiRegion)
		replica_gone(tx, mem, k, due);
	record_scan grants = kms_grant_scan(tx, mem, 3, account, region, rest, STR_NONE);
	for (kms_grant *g; (g = kms_grant_next(&grants));) {
		kms_grant_token_delete(tx, account, region, g->Token);
		kms_grant_delete(tx, account, region, rest, g->GrantId);
	}
	record_scan turns = kms_material_scan(tx, mem, 3, account, region, rest, 0);
	for (kms_material *m; (m = kms_material_next(&turns));)
		kms_material_delete(tx, account, region, rest, m->Turn);
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
	TRY(not_leaving(rq, k));
	if (days < 7 || days > KMS_WINDOW_DAYS)
		return fail(rq, &aws_ValidationException, "PendingWindowInDays must be between 7 and 30 days.");
	str none = STR_NONE;
	k->WindowDays = days;
	if (k->MultiRegion && !key_is_replica(k) && key_elsewhere(tx, rq->mem, k, &none)) {
		k->State = kms_KeyState_PendingReplicaDeletion;
		kms_key_put(tx, k);
	} else {
		deletion_plan(tx, rq->mem, k, rq->now);
	}
	key_billed(tx, k, rq->now, false);
	out->KeyId = key_arn(rq, k->KeyId);
	if (k->Deletion)
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
	if (!leaving(k))
		return fail(rq, &kms_KMSInvalidStateException, "%.*s is not pending deletion.", STR_ARG(out->KeyId));
	bool empty = str_eq(k->Origin, kms_OriginType_EXTERNAL) && !k->Material.n;
	k->State = empty ? kms_KeyState_PendingImport : kms_KeyState_Disabled;
	k->Deletion = 0;
	kms_key_put(tx, k);
	timer_cancel(tx, "kms_delete_key", place_of(rq->mem, k));
	key_billed(tx, k, rq->now, true);
	return OK;
}
