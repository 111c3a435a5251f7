/*
 * Multi-Region keys: one key in several Regions, with the same id and material, so that what one of them
 * encrypts the others decrypt. Each has a policy, aliases, grants, tags and a state of its own; the primary
 * rotates for all.
 */
#include "key.h"

bool key_is_replica(const kms_key *k)
{
	return k->MultiRegion && !str_eq(k->Primary, k->Region);
}

kms_key *key_elsewhere(const txn *tx, arena *mem, const kms_key *k, str *at)
{
	kms_key *found = NULL;
	record_scan s = kms_place_scan(tx, mem, 2, k->Account, k->KeyId, STR_NONE);
	if (str_is(*at))
		record_scan_after(&s, *at);
	for (kms_place *p; !found && (p = kms_place_next(&s));) {
		*at = p->Region;
		if (!str_eq(p->Region, k->Region))
			found = kms_key_get(tx, mem, k->Account, p->Region, k->KeyId);
	}
	cursor_close(&s.at);
	return found;
}

static kms_MultiRegionKey named(req *rq, const kms_key *k, str region)
{
	return (kms_MultiRegionKey){
		.Arn = arena_fmt(rq->mem, "arn:aws:kms:%.*s:%.*s:key/%.*s", STR_ARG(region), STR_ARG(k->Account),
		                 STR_ARG(k->KeyId)),
		.Region = region,
	};
}

kms_MultiRegionConfiguration *key_regions(req *rq, const txn *tx, const kms_key *k)
{
	kms_MultiRegionConfiguration *c = arena_new(rq->mem, kms_MultiRegionConfiguration);
	size_t n = 0;
	record_scan s = kms_place_scan(tx, rq->mem, 2, k->Account, k->KeyId, STR_NONE);
	while (kms_place_next(&s))
		n++;
	c->MultiRegionKeyType = key_is_replica(k) ? kms_MultiRegionKeyType_REPLICA :
						    kms_MultiRegionKeyType_PRIMARY;
	c->PrimaryKey = arena_new(rq->mem, kms_MultiRegionKey);
	*c->PrimaryKey = named(rq, k, k->Primary);
	c->ReplicaKeys.v = arena_array(rq->mem, kms_MultiRegionKey, n + 1);
	s = kms_place_scan(tx, rq->mem, 2, k->Account, k->KeyId, STR_NONE);
	for (kms_place *p; (p = kms_place_next(&s));)
		if (!str_eq(p->Region, k->Primary))
			c->ReplicaKeys.v[c->ReplicaKeys.n++] = named(rq, k, p->Region);
	return c;
}

static err primary(req *rq, const txn *tx, str given, kms_key **k)
{
	TRY(customer_key(rq, tx, given, k));
	if (!(*k)->MultiRegion || key_is_replica(*k))
		return fail(rq, &kms_UnsupportedOperationException, "%.*s is not a multi-region primary key.",
		            STR_ARG(key_arn_of(rq->mem, *k)));
	if (str_eq((*k)->State, kms_KeyState_PendingImport) || str_eq((*k)->State, kms_KeyState_Disabled))
		return OK;
	return key_usable(rq, *k);
}

static void older_material(txn *tx, arena *mem, const kms_key *from, str region)
{
	record_scan s = kms_material_scan(tx, mem, 3, from->Account, from->Region, from->KeyId, 0);
	for (kms_material *m; (m = kms_material_next(&s));) {
		m->Region = region;
		kms_material_put(tx, m);
	}
}

err kms_ReplicateKey(req *rq, txn *tx, const kms_ReplicateKey_in *in, kms_ReplicateKey_out *out)
{
	kms_key *k;
	TRY(primary(rq, tx, in->KeyId, &k));
	kms_key r = *k;
	r.Region = in->ReplicaRegion;
	if (kms_key_get(tx, rq->mem, r.Account, r.Region, r.KeyId))
		return fail(rq, &kms_AlreadyExistsException, "%.*s already exists.",
		            STR_ARG(key_arn_of(rq->mem, &r)));
	TRY(key_tags_check(rq, &in->Tags));
	r.Tags = in->Tags;
	r.Description = str_is(in->Description) ? in->Description : S("");
	r.Created = rq->now;
	r.Policy = default_policy(rq);
	r.State = kms_KeyState_Enabled;
	r.Expires = 0;
	if (str_is(in->Policy)) {
		TRY(key_policy_check(rq, tx, &r, in->Policy, in->BypassPolicyLockoutSafetyCheck));
		r.Policy = in->Policy;
	}
	if (str_eq(r.Origin, kms_OriginType_EXTERNAL)) {
		/* Each of them is given its material by the user, and it must be the same. */
		r.State = kms_KeyState_PendingImport;
		r.Material = r.Public = r.Next = STR_NONE;
	}
	kms_key_put(tx, &r);
	older_material(tx, rq->mem, k, r.Region);
	kms_place_put(tx, &(kms_place){ .Account = r.Account, .KeyId = r.KeyId, .Region = r.Region,
	                                .Created = rq->now });
	key_billed(tx, &r, rq->now, true);
	out->ReplicaKeyMetadata = key_metadata(rq, tx, &r);
	out->ReplicaPolicy = r.Policy;
	out->ReplicaTags = r.Tags;
	return OK;
}

err kms_UpdatePrimaryRegion(req *rq, txn *tx, const kms_UpdatePrimaryRegion_in *in,
                            kms_UpdatePrimaryRegion_out *out)
{
	kms_key *k, *next;
	str at = STR_NONE;
	TRY(primary(rq, tx, in->KeyId, &k));
	next = kms_key_get(tx, rq->mem, k->Account, in->PrimaryRegion, k->KeyId);
	if (!next || str_eq(next->Region, k->Region)) {
		str arn = named(rq, k, in->PrimaryRegion).Arn;
		return fail(rq, &kms_NotFoundException, "Key '%.*s' does not exist", STR_ARG(arn));
	}
	TRY(key_usable(rq, next));
	for (kms_key *other; (other = key_elsewhere(tx, rq->mem, k, &at));) {
		other->Primary = in->PrimaryRegion;
		kms_key_put(tx, other);
		rotation_plan(tx, rq->mem, other);
	}
	k->Primary = in->PrimaryRegion;
	kms_key_put(tx, k);
	rotation_plan(tx, rq->mem, k);
	return OK;
}

void replica_gone(txn *tx, arena *mem, const kms_key *k, int64_t now)
{
	str at = STR_NONE;
	kms_place_delete(tx, k->Account, k->KeyId, k->Region);
	kms_key *first = kms_key_get(tx, mem, k->Account, k->Primary, k->KeyId);
	if (first && str_eq(first->State, kms_KeyState_PendingReplicaDeletion) &&
	    !key_elsewhere(tx, mem, first, &at))
		deletion_plan(tx, mem, first, now);
}
