/*
 * Lifecycle rules, on the clock. As on AWS they are applied once a day, after midnight UTC: a timer for each
 * bucket with rules starts a task that walks the bucket in batches, so that a million objects do not hold up
 * the writer.
 */
#include "base/time.h"
#include "cloud/call.h"
#include "lifecycle.h"
#include "multipart.h"
#include "notify.h"
#include "read.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define BATCH 200
#define KIND S("lifecycle")

static bool has_tag(const s3_TagSet *tags, const s3_Tag *want)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].Key, want->Key) && str_eq(tags->v[i].Value, want->Value))
			return true;
	return false;
}

static bool size_fits(opt_i64 above, opt_i64 below, int64_t size)
{
	return (!above.set || size > above.v) && (!below.set || size < below.v);
}

static bool fits(const s3_LifecycleRule *r, str key, const object *o)
{
	if (!str_eq(r->Status, S("Enabled")))
		return false;
	if (r->Prefix.n && !str_starts(key, r->Prefix))
		return false;
	const s3_LifecycleRuleFilter *f = r->Filter;
	if (!f)
		return true;
	if ((f->Prefix.n && !str_starts(key, f->Prefix)) || (f->Tag && !has_tag(&o->Tags, f->Tag)) ||
	    !size_fits(f->ObjectSizeGreaterThan, f->ObjectSizeLessThan, o->Size.v))
		return false;
	const s3_LifecycleRuleAndOperator *a = f->And;
	if (!a)
		return true;
	if ((a->Prefix.n && !str_starts(key, a->Prefix)) ||
	    !size_fits(a->ObjectSizeGreaterThan, a->ObjectSizeLessThan, o->Size.v))
		return false;
	for (size_t i = 0; i < a->Tags.n; i++)
		if (!has_tag(&o->Tags, &a->Tags.v[i]))
			return false;
	return true;
}

/* Days count from the midnight after the moment. */
static int64_t after_days(int64_t from, int64_t days)
{
	return ((from + MS_DAY - 1) / MS_DAY + days) * MS_DAY;
}

static int64_t expires_at(const s3_LifecycleRule *r, const object *o)
{
	const s3_LifecycleExpiration *e = r->Expiration;
	if (e && e->Date.set)
		return e->Date.v;
	return e && e->Days.set ? after_days(o->Modified.v, e->Days.v) : INT64_MAX;
}

static bool rules_of(const txn *tx, arena *mem, str bucket, s3_BucketLifecycleConfiguration *c)
{
	return config_get(tx, mem, bucket, KIND, S(""), &s3_BucketLifecycleConfiguration_shape, c);
}

str lifecycle_expiration(req *rq, const txn *tx, const s3_bucket *b, str key, const object *o)
{
	s3_BucketLifecycleConfiguration c;
	int64_t soonest = INT64_MAX;
	str id = STR_NONE;
	if (!rules_of(tx, rq->mem, b->Name, &c))
		return STR_NONE;
	for (size_t i = 0; i < c.Rules.n; i++) {
		int64_t at = fits(&c.Rules.v[i], key, o) ? expires_at(&c.Rules.v[i], o) : INT64_MAX;
		if (at < soonest) {
			soonest = at;
			id = c.Rules.v[i].ID;
		}
	}
	if (soonest == INT64_MAX)
		return STR_NONE;
	return arena_fmt(rq->mem, "expiry-date=\"%.*s\", rule-id=\"%.*s\"",
	                 STR_ARG(time_http(rq->mem, soonest)), STR_ARG(id));
}

typedef enum deed_kind { DEED_NONE, DEED_EXPIRE, DEED_REMOVE, DEED_MOVE } deed_kind;

typedef struct deed {
	deed_kind kind;
	str key, version, class;
} deed;

static int class_rank(str class)
{
	static const char *const order[] = { "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA",
		                             "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER",
		                             "DEEP_ARCHIVE" };
	for (int i = 0; i < 8; i++)
		if (str_eq(str_c(order[i]), class))
			return i;
	return 0;
}

/* Small objects stay where they are unless a rule says a size of its own. */
static bool worth_moving(const s3_LifecycleRule *r, const object *o)
{
	const s3_LifecycleRuleFilter *f = r->Filter;
	bool says = f && (f->ObjectSizeGreaterThan.set || f->ObjectSizeLessThan.set ||
	                  (f->And && (f->And->ObjectSizeGreaterThan.set || f->And->ObjectSizeLessThan.set)));
	return says || o->Size.v >= 128 << 10;
}

static deed current_deed(const s3_LifecycleRule *r, const object *o, int64_t now)
{
	deed d = { DEED_NONE, STR_NONE, STR_NONE, STR_NONE };
	if (o->Marker.v)
		return d;
	if (expires_at(r, o) <= now)
		d.kind = DEED_EXPIRE;
	for (size_t i = 0; i < r->Transitions.n && !d.kind && worth_moving(r, o); i++) {
		const s3_Transition *t = &r->Transitions.v[i];
		int64_t at = t->Date.set ? t->Date.v : after_days(o->Modified.v, t->Days.v);
		str to = str_is(d.class) ? d.class : class_of(o);
		if (at <= now && class_rank(t->StorageClass) > class_rank(to))
			d.class = t->StorageClass;
	}
	if (!d.kind && str_is(d.class))
		d.kind = DEED_MOVE;
	return d;
}

/* `newer`: how many noncurrent versions are newer than this one. */
static deed old_deed(const s3_LifecycleRule *r, const object *o, int64_t newer, int64_t now)
{
	deed d = { DEED_NONE, STR_NONE, STR_NONE, STR_NONE };
	const s3_NoncurrentVersionExpiration *e = r->NoncurrentVersionExpiration;
	if (e && after_days(o->Noncurrent.v, e->NoncurrentDays.v) <= now &&
	    newer >= e->NewerNoncurrentVersions.v)
		d.kind = DEED_REMOVE;
	for (size_t i = 0; i < r->NoncurrentVersionTransitions.n && !d.kind && !o->Marker.v; i++) {
		const s3_NoncurrentVersionTransition *t = &r->NoncurrentVersionTransitions.v[i];
		if (after_days(o->Noncurrent.v, t->NoncurrentDays.v) <= now &&
		    newer >= t->NewerNoncurrentVersions.v && worth_moving(r, o) &&
		    class_rank(t->StorageClass) > class_rank(str_is(d.class) ? d.class : class_of(o)))
			d.class = t->StorageClass;
	}
	if (!d.kind && str_is(d.class))
		d.kind = DEED_MOVE;
	return d;
}

typedef struct bucket_round {
	store *s;
	arena *mem;
	str bucket, after;
	bool more;
	int64_t now;
	deed deeds[BATCH];
	size_t n;
} bucket_round;

static void note(bucket_round *w, deed d, str key, const object *o)
{
	if (d.kind && w->n < BATCH) {
		d.key = key;
		d.version = o->VersionId;
		w->deeds[w->n++] = d;
	}
}

static bool lonely_marker(const s3_BucketLifecycleConfiguration *c, str key, const object *o)
{
	for (size_t i = 0; o->Marker.v && i < c->Rules.n; i++) {
		const s3_LifecycleRule *r = &c->Rules.v[i];
		if (fits(r, key, o) && r->Expiration && r->Expiration->ExpiredObjectDeleteMarker.v)
			return true;
	}
	return false;
}

static void look_at(bucket_round *w, const txn *tx, const s3_BucketLifecycleConfiguration *c,
                    const s3_object *row)
{
	int64_t newer = 0;
	deed d = { DEED_NONE, STR_NONE, STR_NONE, STR_NONE };
	for (size_t i = 0; i < c->Rules.n && !d.kind; i++)
		if (fits(&c->Rules.v[i], row->Key, row->It))
			d = current_deed(&c->Rules.v[i], row->It, w->now);
	record_scan s = s3_version_scan(tx, w->mem, 2, w->bucket, row->Key, 0);
	for (s3_version *v; (v = s3_version_next(&s)); newer++) {
		deed old = { DEED_NONE, STR_NONE, STR_NONE, STR_NONE };
		for (size_t i = 0; i < c->Rules.n && !old.kind; i++)
			if (fits(&c->Rules.v[i], v->Key, v->It))
				old = old_deed(&c->Rules.v[i], v->It, newer, w->now);
		note(w, old, v->Key, v->It);
	}
	if (newer == 0 && lonely_marker(c, row->Key, row->It))
		d.kind = DEED_REMOVE;
	note(w, d, row->Key, row->It);
}

/* Keys behind w->after, until the batch is full. */
static bool gather(bucket_round *w)
{
	s3_BucketLifecycleConfiguration c;
	const txn *tx = store_read(w->s);
	bool any = rules_of(tx, w->mem, w->bucket, &c);
	w->more = false;
	w->n = 0;
	size_t seen = 0;
	if (any) {
		record_scan s = s3_object_scan(tx, w->mem, 1, w->bucket, STR_NONE);
		if (str_is(w->after))
			record_scan_after(&s, w->after);
		for (s3_object *row; (row = s3_object_next(&s));) {
			w->after = row->Key;
			look_at(w, tx, &c, row);
			if (w->n >= BATCH / 2 || ++seen == 5000) {
				w->more = true;
				cursor_close(&s.at);
				break;
			}
		}
	}
	store_read_end(w->s, tx);
	return any;
}

static void move(txn *tx, const s3_bucket *b, const deed *d, object_at *at, int64_t now)
{
	const meter_kind *k = str_eq(d->class, S("DEEP_ARCHIVE"))  ? &S3_LIFECYCLE_DEEP :
			      str_eq(d->class, S("GLACIER_IR"))    ? &S3_LIFECYCLE_GLACIER_IR :
			      str_starts(d->class, S("GLACIER")) ? &S3_LIFECYCLE_GLACIER : &S3_LIFECYCLE_IA;
	object_charge(tx, b, at->o, now, -1);
	at->o->StorageClass = d->class;
	at->o->ClassSince = TIME(now);
	object_charge(tx, b, at->o, now, 1);
	object_update(tx, b, d->key, at);
	usage_add(tx, b->Account, b->Region, now, k, b->Name, QTY(1));
}

static bool apply(void *context, txn *tx)
{
	bucket_round *w = context;
	req *rq = req_internal(w->mem, w->s, "s3.amazonaws.com", S(""), S(""));
	s3_bucket *b = bucket_get(rq, tx, w->bucket);
	if (!b)
		return true;
	rq->who.account = b->Account;
	rq->who.user_id = S("s3.amazonaws.com");
	rq->region = b->Region;
	rq->now = w->now;
	for (size_t i = 0; i < w->n; i++) {
		const deed *d = &w->deeds[i];
		object_at at;
		if (!object_look(rq, tx, b, d->key, d->version, &at) ||
		    (d->kind != DEED_MOVE && object_locked(rq, at.o, false) && !bucket_versioned(b)))
			continue;
		if (d->kind == DEED_MOVE) {
			move(tx, b, d, &at, w->now);
			notify(rq, tx, b, d->key, at.o, "LifecycleTransition");
		} else if (d->kind == DEED_REMOVE) {
			if (object_locked(rq, at.o, false))
				continue;
			object_remove(tx, w->mem, b, d->key, &at, w->now);
			notify(rq, tx, b, d->key, at.o, "LifecycleExpiration:Delete");
		} else if (at.current) {
			object *marker = object_hide(tx, w->mem, b, d->key, w->now);
			notify(rq, tx, b, d->key, marker ? marker : at.o,
			       marker ? "LifecycleExpiration:DeleteMarkerCreated" : "LifecycleExpiration:Delete");
		}
	}
	return true;
}

static bool abort_stale(void *context, txn *tx)
{
	bucket_round *w = context;
	s3_BucketLifecycleConfiguration c;
	s3_bucket *b = s3_bucket_get(tx, w->mem, w->bucket);
	if (!b || !rules_of(tx, w->mem, w->bucket, &c))
		return true;
	record_scan s = s3_upload_scan(tx, w->mem, 1, w->bucket, STR_NONE, STR_NONE);
	for (s3_upload *u; (u = s3_upload_next(&s));)
		for (size_t i = 0; i < c.Rules.n; i++) {
			const s3_AbortIncompleteMultipartUpload *a = c.Rules.v[i].AbortIncompleteMultipartUpload;
			if (a && fits(&c.Rules.v[i], u->Key, u->It) &&
			    after_days(u->Initiated, a->DaysAfterInitiation.v) <= w->now) {
				multipart_forget(tx, w->mem, b, u, w->now);
				break;
			}
		}
	return true;
}

TASK(s3_lifecycle_run)
{
	bucket_round *w = arena_new(mem, bucket_round);
	*w = (bucket_round){ .s = s, .mem = mem, .bucket = payload, .after = STR_NONE, .now = clock_now() };
	do {
		if (!gather(w) || (w->n && store_write(s, apply, w)))
			break;
	} while (w->more);
	if (store_write(s, abort_stale, w))
		return clock_now() + MS_MINUTE;
	return TASK_DONE;
}

static void arm(txn *tx, str bucket, int64_t now)
{
	timer_set(tx, "s3_lifecycle", bucket, (now / MS_DAY + 1) * MS_DAY, bucket);
}

TIMER(s3_lifecycle)
{
	task_add(tx, "s3_lifecycle_run", payload, 0);
	arm(tx, payload, due);
}

err s3_PutBucketLifecycleConfiguration(req *rq, txn *tx, const s3_PutBucketLifecycleConfiguration_in *in,
                                       s3_PutBucketLifecycleConfiguration_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutLifecycleConfiguration", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	s3_BucketLifecycleConfiguration *c = in->LifecycleConfiguration;
	if (!c || c->Rules.n == 0 || c->Rules.n > 1000)
		return malformed_xml(rq);
	for (size_t i = 0; i < c->Rules.n; i++) {
		TRY(lifecycle_rule_check(rq, &c->Rules.v[i]));
		if (!c->Rules.v[i].ID.n)
			c->Rules.v[i].ID = rand_uuid(rq->mem);
		for (size_t k = 0; k < i; k++)
			if (str_eq(c->Rules.v[k].ID, c->Rules.v[i].ID))
				return fail(rq, &fault_InvalidArgument,
				            "Rule ID must be unique. Found same ID for one or more rules");
	}
	config_put(tx, rq->mem, b->Name, KIND, S(""), &s3_BucketLifecycleConfiguration_shape, c);
	str least = in->TransitionDefaultMinimumObjectSize;
	out->TransitionDefaultMinimumObjectSize = least.n ? least : S("all_storage_classes_128K");
	s3_config_put(tx, &(s3_config){ .Bucket = b->Name, .Kind = S("lifecycle-least"), .Id = S(""),
		                        .Value = out->TransitionDefaultMinimumObjectSize });
	arm(tx, b->Name, rq->now);
	return OK;
}

err s3_GetBucketLifecycleConfiguration(req *rq, const txn *tx,
                                       const s3_GetBucketLifecycleConfiguration_in *in,
                                       s3_GetBucketLifecycleConfiguration_out *out)
{
	s3_bucket *b;
	s3_BucketLifecycleConfiguration c;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:GetLifecycleConfiguration", STR_NONE, &b));
	meter_read(rq, b, STR_NONE);
	if (!rules_of(tx, rq->mem, b->Name, &c))
		return fail_with(rq, &fault_NoSuchLifecycleConfiguration, DETAIL(rq, .BucketName = b->Name),
		                 "The lifecycle configuration does not exist");
	out->Rules = c.Rules;
	s3_config *least = s3_config_get(tx, rq->mem, b->Name, S("lifecycle-least"), S(""));
	out->TransitionDefaultMinimumObjectSize = least ? least->Value : S("all_storage_classes_128K");
	return OK;
}

err s3_DeleteBucketLifecycle(req *rq, txn *tx, const s3_DeleteBucketLifecycle_in *in,
                             s3_DeleteBucketLifecycle_out *out)
{
	s3_bucket *b;
	(void)out;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:PutLifecycleConfiguration", STR_NONE, &b));
	config_delete(tx, b->Name, KIND, S(""));
	config_delete(tx, b->Name, S("lifecycle-least"), S(""));
	timer_cancel(tx, "s3_lifecycle", b->Name);
	return OK;
}
