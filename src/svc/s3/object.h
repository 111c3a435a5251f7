/*
 * Objects and their versions: finding, replacing, removing, what they cost by the hour.
 *
 * The current version of a key is one row, so that a listing reads nothing else; older versions are rows of
 * another kind, newest first. An id of a version says its sequence number, so it is found without a search.
 */
#pragma once
#include "bucket.h"

typedef s3_StoredObject object;

typedef struct object_at {
	object *o;
	bool current;
} object_at;

/* What GET, HEAD and copies read: refuses what is missing and delete markers, in S3's words. */
err object_find(req *rq, const txn *tx, const s3_bucket *b, str key, str version, object_at *at);
/* That what was asked for by its version is a delete marker. */
err object_is_marker(req *rq, const object *o);
/* The same without a judgement: NULL when there is none; a delete marker is found like all else. */
bool object_look(req *rq, const txn *tx, const s3_bucket *b, str key, str version, object_at *at);
/* Writes a found version back where it stands. */
void object_update(txn *tx, const s3_bucket *b, str key, const object_at *at);

/* Makes `o` the current version, whose content has been attached: sets Seq, VersionId and Modified, keeps or
 * drops what stood there. */
void object_place(txn *tx, arena *mem, const s3_bucket *b, str key, object *o, int64_t now);
/* A version that comes from elsewhere with its number and id: it stands where its number says. */
void object_place_replica(txn *tx, arena *mem, const s3_bucket *b, str key, object *o, int64_t now);
/* Removes one version for good; the next older one becomes current. */
void object_remove(txn *tx, arena *mem, const s3_bucket *b, str key, const object_at *at, int64_t now);
/* DELETE without a version: removes, or hides behind a marker, which is returned (else NULL). */
object *object_hide(txn *tx, arena *mem, const s3_bucket *b, str key, int64_t now);

/* Adds (sign 1) or takes away (-1) what the version's bytes cost by the hour. Early removal from a class
 * with a minimum is charged for the rest of it. */
void object_charge(txn *tx, const s3_bucket *b, const object *o, int64_t now, int sign);
bool class_known(str storage_class);
/* Glacier Flexible Retrieval and Deep Archive: bytes must be restored before they are read. */
bool class_archived(str storage_class);
static inline str class_of(const object *o)
{
	return o->StorageClass.n ? o->StorageClass : S("STANDARD");
}

/* What it was uploaded in; n 0 for what came whole. */
s3_StoredParts object_parts(const txn *tx, arena *mem, const object *o);
/* All its bytes; `key` is the customer's. */
content_list object_contents(const txn *tx, arena *mem, const object *o, const seal_key *key);
/* The ETag of bytes with this MD5, which what is sealed with a key of one's own does not tell. */
str object_etag(arena *mem, const object *o, str md5_hex);
/* An ETag as it is compared: clients leave out either quote, or both. */
static inline str etag_bare(str etag)
{
	size_t from = etag.n && etag.p[0] == '"', to = etag.n;
	if (to > from && etag.p[to - 1] == '"')
		to--;
	return str_sub(etag, from, to);
}

/* Whether a lock forbids to remove this version now. */
err object_locked(req *rq, const object *o, bool bypass);
/* Whether it could be one of ours: asked when no version has this id. */
bool version_id_valid(arena *mem, str id);
/* The same as a fault; absent is well. */
err version_id_check(req *rq, str id);
/* The sequence number, which an id tells when its version is gone, too. */
bool version_id_seq(arena *mem, str id, int64_t *seq);
str version_id_new(arena *mem, int64_t seq);
