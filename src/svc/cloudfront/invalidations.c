/*
 * Invalidations: a durable task takes what matches out of the cache, then the batch is Completed. What an
 * origin answered before then is not kept either (cache.h).
 */
#include "cdn.h"
#include "cache.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define PATHS_MAX 3000

int64_t cf_in_progress(req *rq, const txn *tx, str id)
{
	int64_t n = 0;
	record_scan s = cloudfront_invalidation_scan(tx, rq->mem, 1, id, 0);
	record_scan_reverse(&s);
	/* They end in the order in which they came, so those under way are the newest. */
	for (cloudfront_invalidation *i; (i = cloudfront_invalidation_next(&s)) && !i->Done;)
		n++;
	return n;
}

static cloudfront_Invalidation *show(req *rq, const cloudfront_invalidation *i)
{
	cloudfront_Invalidation *out = arena_new(rq->mem, cloudfront_Invalidation);
	*out = (cloudfront_Invalidation){ .Id = i->Id, .Status = i->Done ? S("Completed") : S("InProgress"),
		.CreateTime = TIME(i->Created), .InvalidationBatch = i->Batch };
	return out;
}

static err check(req *rq, const cloudfront_InvalidationBatch *b)
{
	const cloudfront_PathList *l = &b->Paths->Items;
	TRY(cf_quantities(rq, &cloudfront_InvalidationBatch_shape, b));
	if (!l->n)
		return fail(rq, &cloudfront_InvalidArgument, "Your request contains no paths to invalidate.");
	if (l->n > PATHS_MAX)
		return fail(rq, &cloudfront_BatchTooLarge, "Invalidation batch specified is too large.");
	if (!b->CallerReference.n)
		return fail(rq, &cloudfront_InvalidArgument, "The parameter CallerReference is empty.");
	for (size_t i = 0; i < l->n; i++) {
		str p = l->v[i];
		size_t star = str_find_char(p, '*');
		bool ok = str_starts(p, S("/")) && p.n <= 4000;
		for (size_t k = 0; k < p.n; k++)
			ok &= (unsigned char)p.p[k] > ' ' && (unsigned char)p.p[k] < 0x7f;
		if (star != SIZE_MAX && star + 1 != p.n)
			ok = false;
		if (!ok)
			return fail(rq, &cloudfront_InvalidArgument,
			            "Your request contains one or more invalid invalidation paths.");
	}
	return OK;
}

static bool same_batch(const cloudfront_InvalidationBatch *a, const cloudfront_InvalidationBatch *b)
{
	bool same = a->Paths->Items.n == b->Paths->Items.n;
	for (size_t i = 0; same && i < a->Paths->Items.n; i++)
		same = str_eq(a->Paths->Items.v[i], b->Paths->Items.v[i]);
	return same;
}

/* One with the same reference: the same batch again is the same invalidation. */
static err asked_before(req *rq, const txn *tx, const cloudfront_CreateInvalidation_in *in,
                        cloudfront_invalidation **out)
{
	record_scan s = cloudfront_invalidation_scan(tx, rq->mem, 1, in->DistributionId, 0);
	*out = NULL;
	for (cloudfront_invalidation *i; (i = cloudfront_invalidation_next(&s));) {
		if (!str_eq(i->Batch->CallerReference, in->InvalidationBatch->CallerReference))
			continue;
		if (!same_batch(i->Batch, in->InvalidationBatch))
			return fail(rq, &cloudfront_InvalidArgument,
			            "Your request contains a caller reference that was used for a previous invalidation "
			            "batch for the same distribution.");
		*out = i;
		return OK;
	}
	return OK;
}

static str invalidation_payload(arena *mem, const cloudfront_invalidation *i)
{
	return arena_fmt(mem, "%.*s %lld", STR_ARG(i->Dist), (long long)i->Seq);
}

err cloudfront_CreateInvalidation(req *rq, txn *tx, const cloudfront_CreateInvalidation_in *in,
                                  cloudfront_CreateInvalidation_out *out)
{
	cloudfront_dist *d;
	cloudfront_invalidation *i;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	TRY(check(rq, in->InvalidationBatch));
	TRY(asked_before(rq, tx, in, &i));
	if (!i) {
		i = arena_new(rq->mem, cloudfront_invalidation);
		*i = (cloudfront_invalidation){ .Dist = d->Id, .Created = rq->now, .Batch = in->InvalidationBatch,
			.Seq = (int64_t)txn_next(tx, S("cloudfront.invalidation")) };
		i->Id = arena_concat(rq->mem, S("I"),
		                     rand_text(rq->mem, 25, S("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")));
		cloudfront_invalidation_put(tx, i);
		cloudfront_invalidated_put(tx,
		                           &(cloudfront_invalidated){ .Dist = d->Id, .Id = i->Id, .Seq = i->Seq });
		task_add(tx, "cloudfront_invalidate", invalidation_payload(rq->mem, i), 0);
		meter(rq, &CLOUDFRONT_INVALIDATION, QTY((qty)i->Batch->Paths->Items.n), cf_arn(rq->mem, d));
	}
	out->Invalidation = show(rq, i);
	out->Location =
		cf_location(rq, arena_fmt(rq->mem, "distribution/%.*s/invalidation", STR_ARG(d->Id)).p, i->Id);
	return OK;
}

err cloudfront_GetInvalidation(req *rq, const txn *tx, const cloudfront_GetInvalidation_in *in,
                               cloudfront_GetInvalidation_out *out)
{
	cloudfront_dist *d;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	cloudfront_invalidated *at =
		in->Id.n > 64 ? NULL : cloudfront_invalidated_get(tx, rq->mem, d->Id, in->Id);
	cloudfront_invalidation *i = at ? cloudfront_invalidation_get(tx, rq->mem, d->Id, at->Seq) : NULL;
	if (!i)
		return fail(rq, &cloudfront_NoSuchInvalidation, "The specified invalidation does not exist.");
	out->Invalidation = show(rq, i);
	return OK;
}

err cloudfront_ListInvalidations(req *rq, const txn *tx, const cloudfront_ListInvalidations_in *in,
                                 cloudfront_ListInvalidations_out *out)
{
	cloudfront_dist *d;
	int64_t most;
	TRY(cf_dist(rq, tx, in->DistributionId, &d));
	TRY(cf_most(rq, in->MaxItems, &most));
	cloudfront_InvalidationList *l = out->InvalidationList = arena_new(rq->mem, cloudfront_InvalidationList);
	*l = (cloudfront_InvalidationList){ .Marker = in->Marker.n ? in->Marker : S(""), .MaxItems = I64(most),
		.IsTruncated = BOOL(false), .NextMarker = STR_NONE };
	record_scan s = cloudfront_invalidation_scan(tx, rq->mem, 1, d->Id, 0);
	record_scan_reverse(&s);
	if (in->Marker.n) {
		cloudfront_invalidated *at = in->Marker.n > 64 ? NULL :
			cloudfront_invalidated_get(tx, rq->mem, d->Id, in->Marker);
		if (!at)
			return fail(rq, &cloudfront_InvalidArgument, "The parameter Marker is not valid.");
		record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)at->Seq));
	}
	l->Items.v = arena_array(rq->mem, cloudfront_InvalidationSummary, (size_t)most);
	for (cloudfront_invalidation *i; (i = cloudfront_invalidation_next(&s));) {
		if ((int64_t)l->Items.n == most) {
			l->IsTruncated = BOOL(true);
			l->NextMarker = l->Items.v[l->Items.n - 1].Id;
			break;
		}
		l->Items.v[l->Items.n++] = (cloudfront_InvalidationSummary){
			.Id = i->Id, .CreateTime = TIME(i->Created), .Status = i->Done ? S("Completed") : S("InProgress")
		};
	}
	l->Quantity = I64((int64_t)l->Items.n);
	return OK;
}

typedef struct ending {
	str dist;
	int64_t seq;
} ending;

static bool end(void *context, txn *tx)
{
	const ending *e = context;
	cloudfront_invalidation *i = cloudfront_invalidation_get(tx, txn_arena(tx), e->dist, e->seq);
	if (!i)
		return true;
	i->Done = true;
	cloudfront_invalidation_put(tx, i);
	return true;
}

TASK(cloudfront_invalidate)
{
	str rest = payload;
	ending e = { .dist = str_cut(&rest, ' ') };
	if (!str_to_i64(rest, &e.seq))
		return TASK_DONE;
	const txn *tx = store_read(s);
	cloudfront_invalidation *i = cloudfront_invalidation_get(tx, mem, e.dist, e.seq);
	store_read_end(s, tx);
	if (!i)
		return TASK_DONE;
	cache_invalidate(e.dist, i->Batch->Paths->Items.v, i->Batch->Paths->Items.n);
	return store_write(s, end, &e) ? clock_now() + 1000 : TASK_DONE;
}
