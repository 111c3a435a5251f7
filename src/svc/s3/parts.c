/* What is on its way: parts of an upload, uploads of a bucket. */
#include "checksum.h"
#include "listing.h"
#include "multipart.h"
#include "notify.h"

/* Who began an upload: the account itself is told by its canonical id, anybody else by his ARN. */
static s3_Initiator *initiator_of(arena *mem, const s3_upload *u)
{
	s3_Initiator *i = arena_new(mem, s3_Initiator);
	i->ID = str_ends(u->Initiator, S(":root")) ? canonical_id(mem, notify_arn_part(u->Initiator, 4)) :
						     u->Initiator;
	return i;
}

static err below_zero(req *rq, const char *argument)
{
	return invalid_argument(rq, arena_fmt(rq->mem, "Argument %s must be an integer between 0 and 2147483647",
	                                      argument).p, str_c(argument), STR_NONE);
}

err s3_ListParts(req *rq, const txn *tx, const s3_ListParts_in *in, s3_ListParts_out *out)
{
	s3_bucket *b;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:ListMultipartUploadParts", in->Key, &b));
	s3_upload *u = in->UploadId.n > 200 ? NULL :
					      s3_upload_get(tx, rq->mem, in->Bucket, in->Key, in->UploadId);
	if (!u)
		return no_such_upload(rq, in->UploadId);
	meter_write(rq, b, STR_NONE);
	int64_t max = in->MaxParts.set && in->MaxParts.v < S3_LIST_MAX ? in->MaxParts.v : S3_LIST_MAX;
	if (max < 0 || in->PartNumberMarker.v < 0)
		return below_zero(rq, max < 0 ? "max-parts" : "part-number-marker");
	out->Parts.v = arena_array(rq->mem, s3_Part, (size_t)max + 1);
	out->IsTruncated = BOOL(false);
	record_scan s = s3_part_scan(tx, rq->mem, 1, u->UploadId, 0);
	if (in->PartNumberMarker.set)
		record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)in->PartNumberMarker.v));
	for (s3_part *p; (p = s3_part_next(&s));) {
		if ((int64_t)out->Parts.n == max) {
			out->IsTruncated = BOOL(max > 0);
			cursor_close(&s.at);
			break;
		}
		s3_Part *row = &out->Parts.v[out->Parts.n++];
		*row = (s3_Part){ .PartNumber = I64(p->Number), .LastModified = p->It->Modified,
			          .ETag = p->It->ETag, .Size = p->It->Size };
		checksum_set(&s3_Part_shape, row, u->It->ChecksumAlgorithm, p->It->Checksum);
		out->NextPartNumberMarker = I64(p->Number);
	}
	if (!out->NextPartNumberMarker.set)
		out->NextPartNumberMarker = I64(0);
	if (!out->Parts.n)
		out->Parts.v = NULL;
	out->Bucket = in->Bucket;
	out->Key = in->Key;
	out->UploadId = in->UploadId;
	out->PartNumberMarker = I64(in->PartNumberMarker.v);
	out->MaxParts = I64(max);
	out->StorageClass = class_of(u->It);
	out->Owner = owner_of(rq->mem, b->Account);
	out->Initiator = initiator_of(rq->mem, u);
	out->ChecksumAlgorithm = u->It->ChecksumAlgorithm;
	out->ChecksumType = u->It->ChecksumType;
	return OK;
}

static s3_MultipartUpload entry(req *rq, const listing *l, const s3_bucket *b, const s3_upload *u)
{
	s3_MultipartUpload e = {
		.UploadId = u->UploadId, .Key = listing_text(rq->mem, l, u->Key), .Initiated = TIME(u->Initiated),
		.StorageClass = class_of(u->It), .Owner = owner_of(rq->mem, b->Account),
		.ChecksumAlgorithm = u->It->ChecksumAlgorithm, .ChecksumType = u->It->ChecksumType,
	};
	e.Initiator = initiator_of(rq->mem, u);
	return e;
}

err s3_ListMultipartUploads(req *rq, const txn *tx, const s3_ListMultipartUploads_in *in,
                            s3_ListMultipartUploads_out *out)
{
	s3_bucket *b;
	listing l = { 0 };
	str last_id = STR_NONE, last_key = STR_NONE;
	TRY(bucket_open(rq, tx, in->Bucket, "s3:ListBucketMultipartUploads", STR_NONE, &b));
	meter_write(rq, b, STR_NONE);
	TRY(listing_open(rq, &l, in->Prefix, in->Delimiter, in->EncodingType, in->MaxUploads));
	bool inside = in->KeyMarker.n && in->UploadIdMarker.n;
	l.after = in->KeyMarker.n && !inside ? in->KeyMarker : STR_NONE;
	out->Uploads.v = arena_array(rq->mem, s3_MultipartUpload, (size_t)l.max + 1);
	record_scan s = s3_upload_scan(tx, rq->mem, 1, b->Name, STR_NONE, STR_NONE);
	str from = in->KeyMarker.n && str_cmp(in->KeyMarker, l.prefix) > 0 ? in->KeyMarker : l.prefix;
	if (from.n)
		record_scan_after(&s, key_before(rq->mem, from));
	for (s3_upload *u; (u = s3_upload_next(&s));) {
		str seek;
		if (inside && str_eq(u->Key, in->KeyMarker) && str_cmp(u->UploadId, in->UploadIdMarker) <= 0)
			continue;
		size_t groups = l.groups.n;
		listing_step step = listing_key(rq->mem, &l, u->Key, &seek);
		if (step == LIST_STOP)
			break;
		if (step == LIST_KEY) {
			out->Uploads.v[out->Uploads.n++] = entry(rq, &l, b, u);
			last_id = u->UploadId;
			last_key = u->Key;
		} else if (l.groups.n > groups) {
			last_id = last_key = STR_NONE;
		}
	}
	cursor_close(&s.at);
	out->CommonPrefixes = l.groups;
	if (!l.groups.n)
		out->CommonPrefixes.v = NULL;
	if (!out->Uploads.n)
		out->Uploads.v = NULL;
	out->Bucket = in->Bucket;
	out->Prefix = listing_text(rq->mem, &l, l.prefix);
	out->Delimiter = listing_text(rq->mem, &l, l.delimiter);
	out->KeyMarker = str_is(in->KeyMarker) ? listing_text(rq->mem, &l, in->KeyMarker) : S("");
	out->UploadIdMarker = str_is(in->UploadIdMarker) ? in->UploadIdMarker : S("");
	out->MaxUploads = I64(l.max);
	out->EncodingType = in->EncodingType;
	out->IsTruncated = BOOL(l.truncated);
	/* AWS says them on the last page too: of the last upload, or empty. */
	str last = l.truncated ? l.last : last_key;
	out->NextKeyMarker = str_is(last) ? listing_text(rq->mem, &l, last) : S("");
	out->NextUploadIdMarker = str_is(last_id) ? last_id : S("");
	return OK;
}
