#include "base/text.h"
#include "base/time.h"
#include "data_key.h"
#include "describe.h"
#include "multipart.h"
#include "notify.h"
#include "replicate.h"
#include "read.h"
#include "upload.h"
#include <errno.h>

#define COPY_MOST (INT64_C(5) << 30)

typedef struct source {
	str bucket, key, version;
	s3_bucket *b;
	object *o;
	content_list bytes;
} source;

/* /bucket/key?versionId=.., percent-encoded. */
static err parse_source(req *rq, str text, source *s)
{
	size_t at = str_find(text, S("?versionId="));
	s->version = at == SIZE_MAX ? STR_NONE : str_sub(text, at + 11, text.n);
	str path = percent_decode(rq->mem, str_sub(text, 0, at), false);
	if (path.n && path.p[0] == '/')
		path = str_sub(path, 1, path.n);
	s->key = path;
	s->bucket = str_cut(&s->key, '/');
	if (!s->bucket.n || !s->key.n)
		return invalid_argument(rq, "Copy Source must mention the source bucket and key: "
		                            "sourcebucket/sourcekey", S("x-amz-copy-source"), text);
	return OK;
}

typedef struct source_conditions {
	str match, none_match;
	opt_time modified_since, unmodified_since;
	str algorithm, key, md5;
} source_conditions;

static err open_source(req *rq, str text, const source_conditions *c, source *s)
{
	object_at at;
	TRY(parse_source(rq, text, s));
	const txn *tx = req_read(rq);
	err e = read_open(rq, tx, s->bucket, s->key, s->version,
	                  str_is(s->version) ? "s3:GetObjectVersion" : "s3:GetObject", &s->b, &at);
	if (!e)
		s->bytes = object_contents(tx, rq->mem, at.o, NULL);
	req_read_end(rq, tx);
	rq->n_reply_headers = 0;
	if (e && e->kind == &fault_MethodNotAllowed)
		return fail(rq, &fault_InvalidRequest,
		            "The source of a copy request may not specifically refer to a delete marker by version "
		            "id.");
	TRY(e);
	s->o = at.o;
	read_request r = { c->match, c->none_match, STR_NONE, c->modified_since, c->unmodified_since, { 0 } };
	e = read_conditions(rq, s->o, &r);
	rq->n_reply_headers = 0;
	if (e && e->kind == &fault_NotModified)
		return precondition_failed(rq, str_is(c->none_match) ? "x-amz-copy-source-If-None-Match" :
								       "x-amz-copy-source-If-Modified-Since");
	if (e)
		return precondition_failed(rq, str_is(c->match) ? "x-amz-copy-source-If-Match" :
								  "x-amz-copy-source-If-Unmodified-Since");
	TRY(read_customer_key(rq, s->o, c->algorithm, c->key, c->md5, &s->bytes.key));
	if (!s->bytes.key) {
		tx = req_read(rq);
		e = data_key_open(rq, tx, s->b, s->key, s->o, &s->bytes.key);
		req_read_end(rq, tx);
		TRY(e);
	}
	return read_archived(rq, s->o) ?
		       fail(rq, &fault_ObjectNotInActiveTierError,
		            "The source object of the COPY action is not in the active tier and is only stored in "
		            "Amazon S3 Glacier.") : OK;
}

/* What the target is: the source with changes, or described anew. */
static err target(req *rq, const s3_bucket *b, const s3_CopyObject_in *in, const source *s,
                  const seal_key **key, object *o)
{
	TRY(describe_seal(rq, b, in, key));
	TRY(describe(rq, b, in, *key, o));
	str how = in->MetadataDirective, tags = in->TaggingDirective;
	if (!str_eq(how, S("REPLACE"))) {
		const object *from = s->o;
		o->ContentType = from->ContentType;
		o->CacheControl = from->CacheControl;
		o->ContentDisposition = from->ContentDisposition;
		o->ContentEncoding = from->ContentEncoding;
		o->ContentLanguage = from->ContentLanguage;
		o->Expires = from->Expires;
		o->Metadata = from->Metadata;
	}
	if (!str_eq(tags, S("REPLACE")))
		o->Tags = s->o->Tags;
	return OK;
}

static bool encrypts(req *rq, str bucket)
{
	s3_ServerSideEncryptionConfiguration c;
	const txn *tx = req_read(rq);
	bool is = config_get(tx, rq->mem, bucket, S("encryption"), S(""),
	                     &s3_ServerSideEncryptionConfiguration_shape, &c);
	req_read_end(rq, tx);
	return is;
}

/* The encryption changes too where the bucket says one, or the object has one that is not the usual. */
static err onto_itself(req *rq, const s3_CopyObject_in *in, const source *s)
{
	bool same = str_eq(s->bucket, in->Bucket) && str_eq(s->key, in->Key) && !str_is(s->version);
	bool changes = str_eq(in->MetadataDirective, S("REPLACE")) || in->StorageClass.n ||
		       in->WebsiteRedirectLocation.n || in->ServerSideEncryption.n || in->SSECustomerAlgorithm.n ||
		       s->o->CustomerKeyMD5.n || str_starts(s->o->Encryption, S("aws:kms"));
	if (!same || changes || encrypts(rq, in->Bucket))
		return OK;
	return fail(rq, &fault_InvalidRequest,
	            "This copy request is illegal because it is trying to copy an object to itself without "
	            "changing the object's metadata, storage class, website redirect location or encryption "
	            "attributes.");
}

/* An object whose ETag is its MD5. */
static bool tells_md5(const object *o)
{
	return !o->PartCount.v && !o->CustomerKeyMD5.n && !str_starts(o->Encryption, S("aws:kms"));
}

/* The digests stay when the bytes were digested as one and no other checksum is wanted. */
static err digests(req *rq, const s3_CopyObject_in *in, const source *s, object *o)
{
	const object *from = s->o;
	str want = in->ChecksumAlgorithm.n ? in->ChecksumAlgorithm :
		   from->Checksum.n && !from->PartCount.v ? from->ChecksumAlgorithm : S("CRC64NVME");
	const checksum_kind *k = checksum_named(want);
	if (!k)
		return fail(rq, &fault_InvalidRequest, "Checksum algorithm provided is unsupported.");
	o->ChecksumAlgorithm = str_c(k->name);
	o->ChecksumType = S("FULL_OBJECT");
	if (tells_md5(from) && str_eq(from->ChecksumAlgorithm, o->ChecksumAlgorithm) && from->Checksum.n) {
		o->Checksum = from->Checksum;
		o->ETag = object_etag(rq->mem, o, str_sub(from->ETag, 1, from->ETag.n - 1));
		return OK;
	}
	upload *u;
	TRY(upload_of(rq, S(""), k, NULL, &u));
	TRY(content_each(rq->store, rq->mem, &s->bytes, 0, from->Size.v, upload_add, u));
	upload_digests(rq, u);
	o->Checksum = u->checksum;
	o->ETag = object_etag(rq->mem, o, u->md5_hex);
	return OK;
}

typedef struct copy {
	const s3_CopyObject_in *in;
	source from;
	object *o;
	const seal_key *seal;
	content c;
	str small, expiration;
	s3_bucket *b;
} copy;

static err copy_commit(req *rq, txn *tx, void *context)
{
	copy *c = context;
	s3_bucket *b;
	TRY(bucket_open(rq, tx, c->in->Bucket, "s3:PutObject", c->in->Key, &b));
	TRY(describe_conditions(rq, tx, b, c->in->Key, c->in->IfMatch, c->in->IfNoneMatch));
	content_attach(tx, &c->c, c->small);
	replicate_mark(tx, rq->mem, b, c->in->Key, c->o);
	object_place(tx, rq->mem, b, c->in->Key, c->o, rq->now);
	replicate_later(tx, rq->mem, b, c->in->Key, c->o);
	notify(rq, tx, b, c->in->Key, c->o, "ObjectCreated:Copy");
	meter_write(rq, b, class_of(c->o));
	c->expiration = lifecycle_expiration(rq, tx, b, c->in->Key, c->o);
	return OK;
}

static void copy_answer(req *rq, const copy *c, s3_CopyObject_out *out)
{
	const object *o = c->o;
	out->CopyObjectResult = arena_new(rq->mem, s3_CopyObjectResult);
	out->CopyObjectResult->ETag = o->ETag;
	out->CopyObjectResult->LastModified = o->Modified;
	checksum_set(&s3_CopyObjectResult_shape, out->CopyObjectResult, o->ChecksumAlgorithm, o->Checksum);
	out->VersionId = bucket_versions(c->b) ? o->VersionId : STR_NONE;
	out->Expiration = c->expiration;
	out->CopySourceVersionId = bucket_versioned(c->from.b) ? c->from.o->VersionId : STR_NONE;
	out->ServerSideEncryption = o->Encryption;
	out->SSEKMSKeyId = o->KmsKey;
	out->BucketKeyEnabled = o->BucketKey;
	out->SSECustomerKeyMD5 = o->CustomerKeyMD5;
	if (o->CustomerKeyMD5.n)
		out->SSECustomerAlgorithm = S("AES256");
}

static err check_directives(req *rq, const s3_CopyObject_in *in)
{
	str how = in->MetadataDirective, tags = in->TaggingDirective;
	if (how.n && !str_eq(how, S("COPY")) && !str_eq(how, S("REPLACE")))
		return invalid_argument(rq, "Unknown metadata directive.", S("x-amz-metadata-directive"), how);
	if (tags.n && !str_eq(tags, S("COPY")) && !str_eq(tags, S("REPLACE")))
		return invalid_argument(rq, "Unknown tagging directive.", S("x-amz-tagging-directive"), tags);
	return OK;
}

static err copy_prepare(req *rq, const s3_CopyObject_in *in, copy *c)
{
	const txn *tx = req_read(rq);
	err e = bucket_open(rq, tx, in->Bucket, "s3:PutObject", in->Key, &c->b);
	req_read_end(rq, tx);
	TRY(e);
	source_conditions sc = { in->CopySourceIfMatch, in->CopySourceIfNoneMatch, in->CopySourceIfModifiedSince,
		                 in->CopySourceIfUnmodifiedSince, in->CopySourceSSECustomerAlgorithm,
		                 in->CopySourceSSECustomerKey, in->CopySourceSSECustomerKeyMD5 };
	TRY(check_directives(rq, in));
	TRY(open_source(rq, in->CopySource, &sc, &c->from));
	TRY(onto_itself(rq, in, &c->from));
	if (c->from.o->Size.v > COPY_MOST)
		return fail(rq, &fault_InvalidRequest,
		            "The specified copy source is larger than the maximum allowable size for a copy source: "
		            "5368709120");
	return target(rq, c->b, in, &c->from, &c->seal, c->o);
}

err s3_CopyObject(req *rq, const s3_CopyObject_in *in, s3_CopyObject_out *out)
{
	copy c = { .in = in, .o = arena_new(rq->mem, object) };
	TRY(copy_prepare(rq, in, &c));
	const object *from = c.from.o;
	TRY(content_copy(rq->store, rq->mem, &c.from.bytes, 0, from->Size.v, c.seal, &c.c, &c.small));
	c.o->Content = &c.c;
	c.o->Size = from->Size;
	err e = digests(rq, in, &c.from, c.o);
	rq->n_reply_headers = 0;
	if (!e)
		e = req_write(rq, copy_commit, &c);
	if (e) {
		content_discard(rq->mem, &c.c);
		return e;
	}
	meter_retrieved(rq, c.from.b, class_of(from), from->Size.v);
	copy_answer(rq, &c, out);
	return OK;
}

/* bytes=first-last, both said and within. */
static err source_range(req *rq, str text, int64_t size, int64_t *first, int64_t *length)
{
	int64_t last = 0;
	str to = str_starts(text, S("bytes=")) ? str_sub(text, 6, text.n) : S(""), from = str_cut(&to, '-');
	if (!str_is(to) || !str_to_i64(from, first) || !str_to_i64(to, &last) || *first < 0 || last < *first)
		return invalid_argument(rq, "The x-amz-copy-source-range value must be of the form bytes=first-last "
		                            "where first and last are the zero-based offsets of the first and last "
		                            "bytes to copy", S("x-amz-copy-source-range"), text);
	if (*first >= size)
		return fail(rq, &fault_InvalidRequest,
		            "The specified copy range is invalid for the source object size");
	if (last >= size)
		return invalid_argument(rq, arena_fmt(rq->mem, "Range specified is not valid for source object of "
		                                               "size: %lld", (long long)size).p,
		                        S("x-amz-copy-source-range"), text);
	*length = last - *first + 1;
	return OK;
}

err s3_UploadPartCopy(req *rq, const s3_UploadPartCopy_in *in, s3_UploadPartCopy_out *out)
{
	source s = { 0 };
	source_conditions sc = { in->CopySourceIfMatch, in->CopySourceIfNoneMatch, in->CopySourceIfModifiedSince,
		                 in->CopySourceIfUnmodifiedSince, in->CopySourceSSECustomerAlgorithm,
		                 in->CopySourceSSECustomerKey, in->CopySourceSSECustomerKeyMD5 };
	TRY(open_source(rq, in->CopySource, &sc, &s));
	int64_t first = 0, length = s.o->Size.v;
	if (in->CopySourceRange.n)
		TRY(source_range(rq, in->CopySourceRange, s.o->Size.v, &first, &length));
	s3_StoredPart made;
	s3_upload *u;
	copied_part p = { in->Bucket, in->Key, in->UploadId, in->PartNumber.v, &s.bytes, first, length,
		          { in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5 } };
	TRY(multipart_put_copy(rq, &p, &made, &u));
	meter_retrieved(rq, s.b, class_of(s.o), length);
	out->CopyPartResult = arena_new(rq->mem, s3_CopyPartResult);
	out->CopyPartResult->ETag = made.ETag;
	out->CopyPartResult->LastModified = made.Modified;
	checksum_set(&s3_CopyPartResult_shape, out->CopyPartResult, u->It->ChecksumAlgorithm, made.Checksum);
	out->CopySourceVersionId = bucket_versioned(s.b) ? s.o->VersionId : STR_NONE;
	out->ServerSideEncryption = u->It->Encryption;
	out->SSEKMSKeyId = u->It->KmsKey;
	return OK;
}
