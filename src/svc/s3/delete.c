#include "notify.h"

static err remove_version(req *rq, txn *tx, const s3_bucket *b, str key, str version, bool bypass,
                          bool *was_marker)
{
	object_at at;
	*was_marker = false;
	if (!object_look(rq, tx, b, key, version, &at))
		return version_id_check(rq, version);
	if (b->Lock)
		TRY(object_locked(rq, at.o, bypass));
	*was_marker = at.o->Marker.v;
	object_remove(tx, rq->mem, b, key, &at, rq->now);
	notify(rq, tx, b, key, at.o, "ObjectRemoved:Delete");
	return OK;
}

/* One deletion as both operations do it. *marker: the marker that was made. Of what is not there only
 * DeleteObjects tells (`tell`). */
static err delete_one(req *rq, txn *tx, const s3_bucket *b, str key, str version, bool bypass, bool tell,
                      bool *was_marker, object **marker)
{
	*marker = NULL;
	*was_marker = false;
	if (str_is(version))
		return remove_version(rq, tx, b, key, version, bypass, was_marker);
	object_at at;
	bool there = object_look(rq, tx, b, key, STR_NONE, &at);
	if (!there && !bucket_versioned(b)) {
		if (tell)
			notify(rq, tx, b, key, &(object){ 0 }, "ObjectRemoved:Delete");
		return OK;
	}
	*marker = object_hide(tx, rq->mem, b, key, rq->now);
	notify(rq, tx, b, key, *marker ? *marker : at.o,
	       *marker ? "ObjectRemoved:DeleteMarkerCreated" : "ObjectRemoved:Delete");
	return OK;
}

static err if_match(req *rq, const txn *tx, const s3_bucket *b, str key, str want)
{
	object_at at;
	if (!str_is(want))
		return OK;
	if (!object_look(rq, tx, b, key, STR_NONE, &at) || at.o->Marker.v)
		return no_such_key(rq, key);
	str have = at.o->ETag;
	if (want.n && want.p[0] != '"' && have.n > 2)
		have = str_sub(have, 1, have.n - 1);
	return str_eq(want, S("*")) || str_eq(want, have) ? OK : precondition_failed(rq, "If-Match");
}

static err bypass_applies(req *rq, const s3_bucket *b, opt_bool bypass)
{
	if (!bypass.set || b->Lock)
		return OK;
	return invalid_argument(rq, "x-amz-bypass-governance-retention is only applicable to Object Lock enabled "
	                            "buckets.", S("x-amz-bypass-governance-retention"), STR_NONE);
}

err s3_DeleteObject(req *rq, txn *tx, const s3_DeleteObject_in *in, s3_DeleteObject_out *out)
{
	s3_bucket *b;
	bool was_marker;
	object *marker;
	TRY(bucket_open(rq, tx, in->Bucket,
	                str_is(in->VersionId) ? "s3:DeleteObjectVersion" : "s3:DeleteObject", in->Key, &b));
	TRY(bypass_applies(rq, b, in->BypassGovernanceRetention));
	TRY(if_match(rq, tx, b, in->Key, in->IfMatch));
	TRY(delete_one(rq, tx, b, in->Key, in->VersionId, in->BypassGovernanceRetention.v, false,
	               &was_marker, &marker));
	if (marker) {
		out->DeleteMarker = BOOL(true);
		out->VersionId = marker->VersionId;
	} else if (str_is(in->VersionId)) {
		out->VersionId = in->VersionId;
		if (was_marker)
			out->DeleteMarker = BOOL(true);
	}
	return OK;
}

static void deleted(s3_DeleteObjects_out *out, const s3_ObjectIdentifier *id, bool was_marker,
                    const object *marker)
{
	s3_DeletedObject *d = &out->Deleted.v[out->Deleted.n++];
	*d = (s3_DeletedObject){ .Key = id->Key, .VersionId = id->VersionId };
	if (marker) {
		d->DeleteMarker = BOOL(true);
		d->DeleteMarkerVersionId = marker->VersionId;
	} else if (was_marker) {
		d->DeleteMarker = BOOL(true);
		d->DeleteMarkerVersionId = id->VersionId;
	}
}

/* Each key is asked for by itself; what is refused does not keep the others. */
static err may_delete(req *rq, const txn *tx, const s3_bucket *b, const s3_ObjectIdentifier *id)
{
	const char *action = str_is(id->VersionId) ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
	if (id->Key.n > S3_KEY_BYTES)
		return fail(rq, &fault_KeyTooLongError, "Your key is too long");
	TRY(bucket_allows(rq, tx, b, action, id->Key, NULL));
	object_at at;
	if (str_is(id->VersionId) && !object_look(rq, tx, b, id->Key, id->VersionId, &at) &&
	    !version_id_valid(rq->mem, id->VersionId))
		return no_such_version(rq, id->Key, id->VersionId);
	return if_match(rq, tx, b, id->Key, id->ETag);
}

err s3_DeleteObjects(req *rq, txn *tx, const s3_DeleteObjects_in *in, s3_DeleteObjects_out *out)
{
	s3_bucket *b;
	TRY(bucket_find(rq, tx, in->Bucket, &b));
	TRY(bypass_applies(rq, b, in->BypassGovernanceRetention));
	const s3_ObjectIdentifierList *ids = &in->Delete->Objects;
	if (ids->n == 0 || ids->n > 1000)
		return malformed_xml(rq);
	out->Deleted.v = arena_array(rq->mem, s3_DeletedObject, ids->n);
	out->Errors.v = arena_array(rq->mem, s3_Error, ids->n);
	for (size_t i = 0; i < ids->n; i++) {
		const s3_ObjectIdentifier *id = &ids->v[i];
		bool was_marker = false;
		object *marker = NULL;
		err e = may_delete(rq, tx, b, id);
		if (!e)
			e = delete_one(rq, tx, b, id->Key, id->VersionId, in->BypassGovernanceRetention.v, true,
			               &was_marker, &marker);
		if (e)
			out->Errors.v[out->Errors.n++] = (s3_Error){
				.Key = id->Key, .VersionId = id->VersionId, .Code = str_c(e->kind->query_code),
				.Message = e->message };
		else if (!in->Delete->Quiet.v)
			deleted(out, id, was_marker, marker);
	}
	if (!out->Errors.n)
		out->Errors.v = NULL;
	if (!out->Deleted.n)
		out->Deleted.v = NULL;
	return OK;
}
