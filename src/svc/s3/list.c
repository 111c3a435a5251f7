#include "base/time.h"
#include "listing.h"
#include "read.h"

/* The walk over current objects: a scan that begins again behind each group. */
typedef struct walk {
	req *rq;
	const txn *tx;
	const s3_bucket *b;
	record_scan scan;
	bool open;
} walk;

/* Seeks to the first key that is not below `from` (empty: to the first of all). */
static void walk_from(walk *w, str from)
{
	if (w->open)
		cursor_close(&w->scan.at);
	w->scan = s3_object_scan(w->tx, w->rq->mem, 1, w->b->Name, STR_NONE);
	w->open = true;
	if (!from.n)
		return;
	/* record_scan_after begins behind what it is given: one byte less, then everything above it. */
	record_scan_after(&w->scan, key_before(w->rq->mem, from));
}

/* Which checksum an object has; the sum itself is not told. */
static s3_ChecksumAlgorithmList sums_of(arena *mem, const object *o)
{
	s3_ChecksumAlgorithmList l = { NULL, 0 };
	if (!o->Checksum.n)
		return l;
	l.v = arena_new(mem, str);
	l.v[l.n++] = o->ChecksumAlgorithm;
	return l;
}

static s3_Object entry(req *rq, const listing *l, const s3_object *row, bool owner, bool restore)
{
	const object *o = row->It;
	s3_Object e = {
		.Key = listing_text(rq->mem, l, row->Key), .LastModified = o->Modified, .ETag = o->ETag,
		.Size = o->Size, .StorageClass = class_of(o),
		.Owner = owner ? owner_of(rq->mem, o->OwnerAccount) : NULL,
		.ChecksumAlgorithm = sums_of(rq->mem, o),
		.ChecksumType = o->Checksum.n ? o->ChecksumType : STR_NONE,
	};
	if (restore && (o->Restoring.v || o->RestoreUntil.set)) {
		e.RestoreStatus = arena_new(rq->mem, s3_RestoreStatus);
		e.RestoreStatus->IsRestoreInProgress = BOOL(o->Restoring.v);
		if (!o->Restoring.v)
			e.RestoreStatus->RestoreExpiryDate = o->RestoreUntil;
	}
	return e;
}

static s3_ObjectList list(req *rq, const txn *tx, const s3_bucket *b, listing *l, bool owner, bool restore)
{
	s3_ObjectList out = { arena_array(rq->mem, s3_Object, (size_t)l->max + 1), 0 };
	walk w = { .rq = rq, .tx = tx, .b = b };
	bool behind = str_is(l->after) && str_cmp(l->after, l->prefix) > 0;
	walk_from(&w, behind ? l->after : l->prefix);
	for (s3_object *row; (row = s3_object_next(&w.scan));) {
		str seek;
		if (row->It->Marker.v)
			continue;
		listing_step step = listing_key(rq->mem, l, row->Key, &seek);
		if (step == LIST_STOP)
			break;
		if (step == LIST_KEY)
			out.v[out.n++] = entry(rq, l, row, owner, restore);
		if (str_is(seek)) {
			if (!seek.n)
				break;
			walk_from(&w, seek);
		}
	}
	cursor_close(&w.scan.at);
	if (!out.n)
		out.v = NULL;
	if (!l->groups.n)
		l->groups.v = NULL;
	return out;
}

static bool wants_restore(const s3_OptionalObjectAttributesList *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i], S("RestoreStatus")))
			return true;
	return false;
}

static err open_list(req *rq, const txn *tx, str bucket, s3_bucket **b)
{
	TRY(bucket_open(rq, tx, bucket, "s3:ListBucket", STR_NONE, b));
	req_header(rq, S("x-amz-bucket-region"), (*b)->Region);
	meter_write(rq, *b, STR_NONE);
	return OK;
}

err s3_ListObjectsV2(req *rq, const txn *tx, const s3_ListObjectsV2_in *in, s3_ListObjectsV2_out *out)
{
	s3_bucket *b;
	listing l = { .after = in->StartAfter.n ? in->StartAfter : STR_NONE };
	TRY(open_list(rq, tx, in->Bucket, &b));
	TRY(listing_open(rq, &l, in->Prefix, in->Delimiter, in->EncodingType, in->MaxKeys));
	if (str_is(in->ContinuationToken) && !page_position(rq, in->ContinuationToken, &l.after))
		return invalid_argument(rq, "The continuation token provided is incorrect",
		                        S("continuation-token"), in->ContinuationToken);
	out->Contents = list(rq, tx, b, &l, in->FetchOwner.v, wants_restore(&in->OptionalObjectAttributes));
	out->CommonPrefixes = l.groups;
	out->IsTruncated = BOOL(l.truncated);
	out->KeyCount = I64(l.n);
	out->MaxKeys = I64(in->MaxKeys.set ? (in->MaxKeys.v < S3_LIST_MAX ? in->MaxKeys.v : S3_LIST_MAX) :
					     S3_LIST_MAX);
	out->Name = b->Name;
	out->Prefix = listing_text(rq->mem, &l, l.prefix);
	out->Delimiter = listing_text(rq->mem, &l, l.delimiter);
	out->StartAfter = listing_text(rq->mem, &l, in->StartAfter);
	out->ContinuationToken = in->ContinuationToken;
	out->EncodingType = in->EncodingType;
	if (l.truncated)
		out->NextContinuationToken = page_token(rq, l.last);
	return OK;
}

err s3_ListObjects(req *rq, const txn *tx, const s3_ListObjects_in *in, s3_ListObjects_out *out)
{
	s3_bucket *b;
	listing l = { .after = in->Marker.n ? in->Marker : STR_NONE };
	TRY(open_list(rq, tx, in->Bucket, &b));
	TRY(listing_open(rq, &l, in->Prefix, in->Delimiter, in->EncodingType, in->MaxKeys));
	out->Contents = list(rq, tx, b, &l, true, wants_restore(&in->OptionalObjectAttributes));
	out->CommonPrefixes = l.groups;
	out->IsTruncated = BOOL(l.truncated);
	out->MaxKeys = I64(in->MaxKeys.set ? (in->MaxKeys.v < S3_LIST_MAX ? in->MaxKeys.v : S3_LIST_MAX) :
					     S3_LIST_MAX);
	out->Name = b->Name;
	out->Prefix = listing_text(rq->mem, &l, l.prefix);
	out->Marker = str_is(in->Marker) ? listing_text(rq->mem, &l, in->Marker) : S("");
	out->Delimiter = listing_text(rq->mem, &l, l.delimiter);
	out->EncodingType = in->EncodingType;
	/* AWS says the next marker only where the last key alone would not do. */
	if (l.truncated && str_is(l.delimiter))
		out->NextMarker = listing_text(rq->mem, &l, l.last);
	return OK;
}

typedef struct versions {
	req *rq;
	const txn *tx;
	const s3_bucket *b;
	listing *l;
	s3_ListObjectVersions_out *out;
	str key_marker;
	int64_t below;       /* of the marker's key, only versions older than this sequence number */
	str last_version;
} versions;

static bool version_entry(versions *v, str key, const object *o, bool latest)
{
	if (v->l->n == v->l->max) {
		v->l->truncated = v->l->max > 0;
		return false;
	}
	v->l->n++;
	v->l->last = arena_str(v->rq->mem, key);
	v->last_version = o->VersionId;
	str shown = listing_text(v->rq->mem, v->l, v->l->last);
	s3_Owner *owner = owner_of(v->rq->mem, o->OwnerAccount);
	if (o->Marker.v)
		v->out->DeleteMarkers.v[v->out->DeleteMarkers.n++] = (s3_DeleteMarkerEntry){
			.Owner = owner, .Key = shown, .VersionId = o->VersionId, .IsLatest = BOOL(latest),
			.LastModified = o->Modified };
	else
		v->out->Versions.v[v->out->Versions.n++] = (s3_ObjectVersion){
			.ETag = o->ETag, .Size = o->Size, .StorageClass = class_of(o), .Key = shown,
			.VersionId = o->VersionId, .IsLatest = BOOL(latest), .LastModified = o->Modified,
			.Owner = owner, .ChecksumAlgorithm = sums_of(v->rq->mem, o),
			.ChecksumType = o->Checksum.n ? o->ChecksumType : STR_NONE };
	return true;
}

/* All versions of one key, newest first. false: the page is full. */
static bool versions_of_key(versions *v, const s3_object *row)
{
	bool marked = str_is(v->key_marker) && str_eq(row->Key, v->key_marker);
	if ((!marked || row->It->Seq.v < v->below) && !version_entry(v, row->Key, row->It, true))
		return false;
	record_scan s = s3_version_scan(v->tx, v->rq->mem, 2, v->b->Name, row->Key, 0);
	for (s3_version *old; (old = s3_version_next(&s));) {
		if (marked && old->It->Seq.v >= v->below)
			continue;
		if (!version_entry(v, row->Key, old->It, false)) {
			cursor_close(&s.at);
			return false;
		}
	}
	return true;
}

static err marker(versions *v, const s3_ListObjectVersions_in *in)
{
	v->key_marker = in->KeyMarker.n ? in->KeyMarker : STR_NONE;
	if (str_is(in->VersionIdMarker) && !in->VersionIdMarker.n && v->key_marker.n)
		return invalid_argument(v->rq, "A version-id marker cannot be empty.", S("version-id-marker"), S(""));
	if (in->VersionIdMarker.n && !v->key_marker.n)
		return invalid_argument(v->rq, "A version-id marker cannot be specified without a key marker.",
		                        S("version-id-marker"), in->VersionIdMarker);
	object_at at;
	if (!in->VersionIdMarker.n)
		return OK;
	/* A page goes on where it ended, though the version has been removed since. */
	if (object_look(v->rq, v->tx, v->b, v->key_marker, in->VersionIdMarker, &at))
		v->below = at.o->Seq.v;
	else if (!version_id_valid(v->rq->mem, in->VersionIdMarker))
		return invalid_argument(v->rq, "Invalid version id specified", S("version-id-marker"),
		                        in->VersionIdMarker);
	else
		version_id_seq(v->rq->mem, in->VersionIdMarker, &v->below);
	return OK;
}

static void walk_versions(versions *v)
{
	listing *l = v->l;
	walk w = { .rq = v->rq, .tx = v->tx, .b = v->b };
	bool behind = str_is(v->key_marker) && str_cmp(v->key_marker, l->prefix) > 0;
	if (!v->below)
		l->after = v->key_marker;
	walk_from(&w, behind ? v->key_marker : l->prefix);
	for (s3_object *row; (row = s3_object_next(&w.scan));) {
		str seek, before = l->last;
		size_t groups = l->groups.n;
		listing_step step = listing_key(v->rq->mem, l, row->Key, &seek);
		if (step == LIST_STOP)
			break;
		if (step == LIST_KEY) {
			/* The key counts by its versions. */
			l->n--;
			l->last = before;
			if (!versions_of_key(v, row))
				break;
		}
		if (l->groups.n > groups)
			v->last_version = STR_NONE;
		if (str_is(seek)) {
			if (!seek.n)
				break;
			walk_from(&w, seek);
		}
	}
	cursor_close(&w.scan.at);
}

err s3_ListObjectVersions(req *rq, const txn *tx, const s3_ListObjectVersions_in *in,
                          s3_ListObjectVersions_out *out)
{
	s3_bucket *b;
	listing l = { 0 };
	TRY(bucket_open(rq, tx, in->Bucket, "s3:ListBucketVersions", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	TRY(listing_open(rq, &l, in->Prefix, in->Delimiter, in->EncodingType, in->MaxKeys));
	out->Versions.v = arena_array(rq->mem, s3_ObjectVersion, (size_t)l.max + 1);
	out->DeleteMarkers.v = arena_array(rq->mem, s3_DeleteMarkerEntry, (size_t)l.max + 1);
	versions v = { .rq = rq, .tx = tx, .b = b, .l = &l, .out = out };
	TRY(marker(&v, in));
	walk_versions(&v);
	out->CommonPrefixes = l.groups;
	out->IsTruncated = BOOL(l.truncated);
	out->MaxKeys = I64(l.max);
	out->Name = b->Name;
	out->Prefix = listing_text(rq->mem, &l, l.prefix);
	out->KeyMarker = str_is(in->KeyMarker) ? listing_text(rq->mem, &l, in->KeyMarker) : S("");
	out->VersionIdMarker = str_is(in->VersionIdMarker) ? in->VersionIdMarker : S("");
	out->Delimiter = listing_text(rq->mem, &l, l.delimiter);
	out->EncodingType = in->EncodingType;
	if (l.truncated) {
		out->NextKeyMarker = listing_text(rq->mem, &l, l.last);
		out->NextVersionIdMarker = v.last_version;
	}
	if (!out->Versions.n)
		out->Versions.v = NULL;
	if (!out->DeleteMarkers.n)
		out->DeleteMarkers.v = NULL;
	if (!l.groups.n)
		out->CommonPrefixes.v = NULL;
	return OK;
}
