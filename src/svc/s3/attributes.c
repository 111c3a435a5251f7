/* What is said of an object besides its bytes: tags, grants, and GetObjectAttributes. */
#include "acl.h"
#include "checksum.h"
#include "describe.h"
#include "notify.h"
#include "replicate.h"
#include "read.h"

static err open_object(req *rq, const txn *tx, str bucket, str key, str version, const char *action,
                       s3_bucket **b, object_at *at)
{
	TRY(bucket_open(rq, tx, bucket, "s3:GetObject", key, b));
	err e = object_find(rq, tx, *b, key, version, at);
	TRY(bucket_allows(rq, tx, *b, action, key, e ? NULL : at->o));
	return e;
}

/* A delete marker has no tags, and is not hidden either, whether it was named or not. */
static err open_tagged(req *rq, const txn *tx, str bucket, str key, str version, const char *action,
                       s3_bucket **b, object_at *at)
{
	*at = (object_at){ 0 };
	err e = open_object(rq, tx, bucket, key, version, action, b, at);
	return e && e->kind == &fault_NoSuchKey && at->o ? object_is_marker(rq, at->o) : e;
}

static str shown_version(const s3_bucket *b, const object *o)
{
	return bucket_versioned(b) ? o->VersionId : STR_NONE;
}

err s3_PutObjectTagging(req *rq, txn *tx, const s3_PutObjectTagging_in *in, s3_PutObjectTagging_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(open_tagged(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:PutObjectTagging", &b, &at));
	TRY(describe_tag_set(rq, &in->Tagging->TagSet, S3_TAGS_MAX));
	at.o->Tags = in->Tagging->TagSet;
	if (at.o->Replication.n && !str_eq(at.o->Replication, S("REPLICA")))
		at.o->Replication = S("PENDING");
	object_update(tx, b, in->Key, &at);
	replicate_later(tx, rq->mem, b, in->Key, at.o);
	notify(rq, tx, b, in->Key, at.o, "ObjectTagging:Put");
	meter_write(rq, b, STR_NONE);
	out->VersionId = shown_version(b, at.o);
	return OK;
}

err s3_GetObjectTagging(req *rq, const txn *tx, const s3_GetObjectTagging_in *in,
                        s3_GetObjectTagging_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(open_tagged(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:GetObjectTagging", &b, &at));
	out->TagSet = at.o->Tags;
	if (!out->TagSet.v)
		out->TagSet.v = arena_new(rq->mem, s3_Tag);
	out->VersionId = shown_version(b, at.o);
	meter_read(rq, b, STR_NONE);
	return OK;
}

err s3_DeleteObjectTagging(req *rq, txn *tx, const s3_DeleteObjectTagging_in *in,
                           s3_DeleteObjectTagging_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(open_tagged(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:DeleteObjectTagging", &b, &at));
	at.o->Tags = (s3_TagSet){ 0 };
	if (at.o->Replication.n && !str_eq(at.o->Replication, S("REPLICA")))
		at.o->Replication = S("PENDING");
	object_update(tx, b, in->Key, &at);
	replicate_later(tx, rq->mem, b, in->Key, at.o);
	notify(rq, tx, b, in->Key, at.o, "ObjectTagging:Delete");
	out->VersionId = shown_version(b, at.o);
	return OK;
}

err s3_GetObjectAcl(req *rq, const txn *tx, const s3_GetObjectAcl_in *in, s3_GetObjectAcl_out *out)
{
	s3_bucket *b;
	object_at at;
	TRY(open_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:GetObjectAcl", &b, &at));
	str owner = bucket_without_acls(b) ? b->Account : at.o->OwnerAccount;
	out->Owner = owner_of(rq->mem, owner);
	out->Grants = at.o->Grants.n && !bucket_without_acls(b) ? at.o->Grants : acl_default(rq->mem, owner);
	meter_read(rq, b, STR_NONE);
	return OK;
}

err s3_PutObjectAcl(req *rq, txn *tx, const s3_PutObjectAcl_in *in, s3_PutObjectAcl_out *out)
{
	s3_bucket *b;
	object_at at;
	(void)out;
	TRY(open_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:PutObjectAcl", &b, &at));
	acl_request r = { in->ACL, in->GrantFullControl, in->GrantRead, in->GrantReadACP, in->GrantWrite,
		          in->GrantWriteACP, in->AccessControlPolicy };
	s3_Grants g;
	TRY(acl_read(rq, tx, b, at.o->OwnerAccount, &r, &g));
	if (!g.v && !r.canned.n && !r.document)
		return acl_missing(rq);
	at.o->Grants = g;
	object_update(tx, b, in->Key, &at);
	notify(rq, tx, b, in->Key, at.o, "ObjectAcl:Put");
	meter_write(rq, b, STR_NONE);
	return OK;
}

static bool wants(const s3_GetObjectAttributes_in *in, const char *name)
{
	for (size_t i = 0; i < in->ObjectAttributes.n; i++)
		if (str_eq(in->ObjectAttributes.v[i], str_c(name)))
			return true;
	return false;
}

static s3_GetObjectAttributesParts *parts(req *rq, const txn *tx, const s3_GetObjectAttributes_in *in,
                                          const object *o)
{
	s3_StoredParts stored = object_parts(tx, rq->mem, o);
	s3_GetObjectAttributesParts *p = arena_new(rq->mem, s3_GetObjectAttributesParts);
	int64_t max = in->MaxParts.set && in->MaxParts.v < S3_LIST_MAX && in->MaxParts.v >= 0 ?
			      in->MaxParts.v : S3_LIST_MAX;
	p->TotalPartsCount = o->PartCount;
	if (!str_eq(o->ChecksumType, S("COMPOSITE")))
		return p;
	p->PartNumberMarker = I64(in->PartNumberMarker.v);
	p->MaxParts = I64(max);
	p->IsTruncated = BOOL(false);
	p->NextPartNumberMarker = I64(0);
	p->Parts.v = arena_array(rq->mem, s3_ObjectPart, (size_t)max + 1);
	for (size_t i = 0; i < stored.n; i++) {
		const s3_StoredPart *from = &stored.v[i];
		if (from->Number.v <= in->PartNumberMarker.v)
			continue;
		if ((int64_t)p->Parts.n == max) {
			p->IsTruncated = BOOL(true);
			break;
		}
		s3_ObjectPart *row = &p->Parts.v[p->Parts.n++];
		*row = (s3_ObjectPart){ .PartNumber = from->Number, .Size = from->Size };
		checksum_set(&s3_ObjectPart_shape, row, o->ChecksumAlgorithm, from->Checksum);
		p->NextPartNumberMarker = from->Number;
	}
	return p;
}

err s3_GetObjectAttributes(req *rq, const txn *tx, const s3_GetObjectAttributes_in *in,
                           s3_GetObjectAttributes_out *out)
{
	static const char *const known[] = { "ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize" };
	s3_bucket *b;
	object_at at;
	for (size_t i = 0; i < in->ObjectAttributes.n; i++) {
		bool is = false;
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			is |= str_eq(in->ObjectAttributes.v[i], str_c(known[k]));
		if (!is)
			return invalid_argument(rq, "Invalid attribute name specified.", S("x-amz-object-attributes"),
			                        in->ObjectAttributes.v[i]);
	}
	TRY(open_object(rq, tx, in->Bucket, in->Key, in->VersionId, "s3:GetObjectAttributes", &b, &at));
	const object *o = at.o;
	const seal_key *key;
	TRY(read_customer_key(rq, o, in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5, &key));
	meter_read(rq, b, class_of(o));
	out->LastModified = o->Modified;
	out->VersionId = shown_version(b, o);
	if (wants(in, "ETag"))
		out->ETag = str_sub(o->ETag, 1, o->ETag.n - 1);
	if (wants(in, "StorageClass"))
		out->StorageClass = class_of(o);
	if (wants(in, "ObjectSize"))
		out->ObjectSize = o->Size;
	if (wants(in, "ObjectParts") && o->PartCount.v)
		out->ObjectParts = parts(rq, tx, in, o);
	if (wants(in, "Checksum") && o->Checksum.n) {
		out->Checksum = arena_new(rq->mem, s3_Checksum);
		/* Without the number of parts that follows a composite one. */
		str sum = o->Checksum;
		checksum_set(&s3_Checksum_shape, out->Checksum, o->ChecksumAlgorithm, str_cut(&sum, '-'));
		out->Checksum->ChecksumType = o->ChecksumType;
	}
	return OK;
}
