/*
 * Bringing archived bytes back for a while. How long it takes depends on class and tier, as AWS documents
 * (Glacier: minutes, 3-5 hours, 5-12 hours; Deep Archive: 12 and 48 hours), on Farthing's clock. Expedited
 * retrievals take a few seconds here, so that one can wait for them.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "notify.h"
#include "store/due.h"

static int64_t duration(str class, str tier)
{
	bool deep = str_eq(class, S("DEEP_ARCHIVE"));
	if (str_eq(tier, S("Expedited")))
		return 3 * MS_SECOND;
	if (str_eq(tier, S("Bulk")))
		return (deep ? 48 : 12) * MS_HOUR;
	return (deep ? 12 : 5) * MS_HOUR;
}

/* bucket NUL key NUL version */
static str payload_of(arena *mem, str bucket, str key, str version)
{
	buf b = buf_in(mem, 256, 4096);
	buf_put(&b, bucket);
	buf_c(&b, 0);
	buf_put(&b, version);
	buf_c(&b, 0);
	buf_put(&b, key);
	return buf_str(&b);
}

static s3_bucket *subject(req *rq, txn *tx, str payload, str *key, object_at *at)
{
	str rest = payload;
	str bucket = str_cut(&rest, 0), version = str_cut(&rest, 0);
	*key = rest;
	s3_bucket *b = bucket_get(rq, tx, bucket);
	return b && object_look(rq, tx, b, *key, version, at) ? b : NULL;
}

/* The temporary copy costs Standard storage. */
static void charge_copy(txn *tx, const s3_bucket *b, const object *o, int64_t now, int sign)
{
	if (o->Size.v)
		resident_add(tx, b->Account, b->Region, now, &S3_STANDARD, b->Name, sign * o->Size.v);
}

TIMER(s3_restored)
{
	str key;
	object_at at;
	req *rq = req_internal(txn_arena(tx), txn_store(tx), "s3.amazonaws.com", S(""), S(""));
	s3_bucket *b = subject(rq, tx, payload, &key, &at);
	if (!b || !at.o->Restoring.v)
		return;
	at.o->Restoring = BOOL(false);
	/* Copies go at midnight after the days asked for. */
	at.o->RestoreUntil = TIME((due / MS_DAY + at.o->RestoreDays.v + 1) * MS_DAY);
	object_update(tx, b, key, &at);
	charge_copy(tx, b, at.o, due, 1);
	timer_set(tx, "s3_restore_over", payload, at.o->RestoreUntil.v, payload);
	rq->who.account = b->Account;
	rq->region = b->Region;
	notify(rq, tx, b, key, at.o, "ObjectRestore:Completed");
}

TIMER(s3_restore_over)
{
	str key;
	object_at at;
	req *rq = req_internal(txn_arena(tx), txn_store(tx), "s3.amazonaws.com", S(""), S(""));
	s3_bucket *b = subject(rq, tx, payload, &key, &at);
	if (!b || !at.o->RestoreUntil.set || at.o->RestoreUntil.v > due)
		return;
	charge_copy(tx, b, at.o, due, -1);
	at.o->RestoreUntil = (opt_time){ 0 };
	object_update(tx, b, key, &at);
	rq->who.account = b->Account;
	rq->region = b->Region;
	notify(rq, tx, b, key, at.o, "ObjectRestore:Delete");
}

static void meter_restore(req *rq, const s3_bucket *b, const object *o, str tier)
{
	bool deep = str_eq(class_of(o), S("DEEP_ARCHIVE"));
	if (str_eq(tier, S("Bulk")) && !deep)
		return; /* free for Glacier Flexible Retrieval */
	const meter_kind *request = deep ? &S3_DEEP_RESTORE : &S3_GLACIER_RESTORE;
	const meter_kind *bytes = deep ? &S3_DEEP_RETRIEVAL : &S3_GLACIER_RETRIEVAL;
	if (str_eq(tier, S("Expedited"))) {
		request = &S3_GLACIER_RESTORE_EXP;
		bytes = &S3_GLACIER_RETRIEVAL_EXP;
	} else if (str_eq(tier, S("Bulk"))) {
		bytes = &S3_DEEP_RETRIEVAL_BULK;
	}
	meter_one(rq, request, b->Name);
	meter(rq, bytes, o->Size.v, b->Name);
}

static err prolong(req *rq, txn *tx, const s3_bucket *b, str key, object_at *at, int64_t days)
{
	str payload = payload_of(rq->mem, b->Name, key, at->o->VersionId);
	at->o->RestoreUntil = TIME((rq->now / MS_DAY + days + 1) * MS_DAY);
	object_update(tx, b, key, at);
	timer_set(tx, "s3_restore_over", payload, at->o->RestoreUntil.v, payload);
	return OK;
}

err s3_RestoreObject(req *rq, txn *tx, const s3_RestoreObject_in *in, s3_RestoreObject_out *out)
{
	s3_bucket *b;
	object_at at;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:RestoreObject", in->Key, &b));
	TRY(object_find(rq, tx, b, in->Key, in->VersionId, &at));
	const s3_RestoreRequest *r = in->RestoreRequest;
	if (!r)
		return malformed_xml(rq);
	if (r->Type.n || r->SelectParameters)
		return fail(rq, &fault_NotImplemented,
		            "Farthing restores objects; it does not select from archives.");
	object *o = at.o;
	if (!class_archived(class_of(o)))
		return fail_with(rq, &fault_InvalidObjectState, DETAIL(rq, .StorageClass = class_of(o)),
		                 "Restore is not allowed for the object's current storage class");
	if (!r->Days.set || r->Days.v <= 0)
		return malformed_xml(rq);
	if (o->Restoring.v)
		return fail(rq, &fault_RestoreAlreadyInProgress, "Object restore is already in progress");
	if (o->RestoreUntil.set && o->RestoreUntil.v > rq->now)
		return prolong(rq, tx, b, in->Key, &at, r->Days.v);
	str tier = r->GlacierJobParameters ? r->GlacierJobParameters->Tier : r->Tier.n ? r->Tier : S("Standard");
	if (str_eq(tier, S("Expedited")) && str_eq(class_of(o), S("DEEP_ARCHIVE")))
		return fail(rq, &fault_InvalidArgument,
		            "Retrieval option is not supported by this storage class");
	o->Restoring = BOOL(true);
	o->RestoreDays = r->Days;
	o->RestoreTier = tier;
	object_update(tx, b, in->Key, &at);
	str payload = payload_of(rq->mem, b->Name, in->Key, o->VersionId);
	timer_set(tx, "s3_restored", payload, rq->now + duration(class_of(o), tier), payload);
	notify(rq, tx, b, in->Key, o, "ObjectRestore:Post");
	meter_restore(rq, b, o, tier);
	rq->reply_status = 202;
	return OK;
}
