#include "multipart.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/stream.h"
#include "data_key.h"
#include "describe.h"
#include "notify.h"
#include "read.h"
#include "replicate.h"
#include "sys/rand.h"
#include "upload.h"

#define PART_LEAST (INT64_C(5) << 20)
#define PART_MOST (INT64_C(5) << 30)

static bool keeps(const s3_StoredParts *kept, int64_t number)
{
	size_t low = 0, high = kept ? kept->n : 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (kept->v[middle].Number.v < number)
			low = middle + 1;
		else
			high = middle;
	}
	return kept && low < kept->n && kept->v[low].Number.v == number;
}

/* `kept`: parts, by number, that have become an object's. */
static void forget(txn *tx, arena *mem, const s3_bucket *b, const s3_upload *u, const s3_StoredParts *kept,
                   int64_t now)
{
	record_scan s = s3_part_scan(tx, mem, 1, u->UploadId, 0);
	for (s3_part *p; (p = s3_part_next(&s));) {
		resident_add(tx, b->Account, b->Region, now, &S3_STANDARD, b->Name, -p->It->Size.v);
		if (!keeps(kept, p->Number))
			content_release_one(tx, mem, p->It->Content);
		s3_part_delete(tx, u->UploadId, p->Number);
	}
	s3_upload_delete(tx, b->Name, u->Key, u->UploadId);
}

void multipart_forget(txn *tx, arena *mem, const s3_bucket *b, const s3_upload *u, int64_t now)
{
	forget(tx, mem, b, u, NULL, now);
}

static err checksum_choice(req *rq, const s3_CreateMultipartUpload_in *in, object *o)
{
	str type = in->ChecksumType;
	if (type.n && !in->ChecksumAlgorithm.n)
		return fail(rq, &fault_InvalidRequest, "The x-amz-checksum-type header can only be used with the "
		                                       "x-amz-checksum-algorithm header.");
	if (!in->ChecksumAlgorithm.n)
		return OK;
	const checksum_kind *k = checksum_named(in->ChecksumAlgorithm);
	if (!k)
		return fail(rq, &fault_InvalidRequest,
		            "Checksum algorithm provided is unsupported. Please try again with any of the valid "
		            "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5]");
	bool whole_only = k == checksum_default;
	if (!type.n)
		type = whole_only ? S("FULL_OBJECT") : S("COMPOSITE");
	if ((whole_only && str_eq(type, S("COMPOSITE"))) || (!k->crc && str_eq(type, S("FULL_OBJECT"))))
		return fail(rq, &fault_InvalidRequest,
		            "The %.*s checksum type cannot be used with the %s checksum algorithm.", STR_ARG(type),
		            k->name);
	o->ChecksumAlgorithm = str_c(k->name);
	o->ChecksumType = type;
	return OK;
}

/* The sequence number of the object that stands there; 0: none does. */
static int64_t standing(req *rq, const txn *tx, const s3_bucket *b, str key)
{
	object_at at;
	return object_look(rq, tx, b, key, STR_NONE, &at) && !at.o->Marker.v ? at.o->Seq.v : 0;
}

typedef struct creation {
	s3_upload u;
	object *o;
} creation;

static err create_commit(req *rq, txn *tx, void *context)
{
	creation *c = context;
	s3_bucket *b;
	TRY(bucket_open(rq, tx, c->u.Bucket, "s3:PutObject", c->u.Key, &b));
	c->o->Seq = I64(standing(rq, tx, b, c->u.Key));
	s3_upload_put(tx, &c->u);
	meter_write(rq, b, class_of(c->o));
	return OK;
}

err s3_CreateMultipartUpload(req *rq, const s3_CreateMultipartUpload_in *in,
                             s3_CreateMultipartUpload_out *out)
{
	s3_bucket *b;
	const txn *tx = req_read(rq);
	err e = bucket_open(rq, tx, in->Bucket, "s3:PutObject", in->Key, &b);
	req_read_end(rq, tx);
	TRY(e);
	object *o = arena_new(rq->mem, object);
	const seal_key *data;
	TRY(describe_seal(rq, b, in, &data));
	TRY(describe(rq, b, in, data, o));
	TRY(checksum_choice(rq, in, o));
	/* Ids rise with time, so uploads of a key are listed in the order in which they began. */
	str alphabet = S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
	str noise = rand_text(rq->mem, 80, alphabet);
	creation c = { .o = o, .u = { .Bucket = in->Bucket, .Key = in->Key, .It = o, .Initiated = rq->now,
		                      .Initiator = rq->who.arn } };
	c.u.UploadId = arena_fmt(rq->mem, "%012llx%.*s", (unsigned long long)rq->now, STR_ARG(noise));
	rq->n_reply_headers = 0;
	TRY(req_write(rq, create_commit, &c));
	out->Bucket = in->Bucket;
	out->Key = in->Key;
	out->UploadId = c.u.UploadId;
	out->ServerSideEncryption = o->Encryption;
	out->SSEKMSKeyId = o->KmsKey;
	out->SSECustomerKeyMD5 = o->CustomerKeyMD5;
	if (o->CustomerKeyMD5.n)
		out->SSECustomerAlgorithm = S("AES256");
	out->BucketKeyEnabled = o->BucketKey;
	out->ChecksumAlgorithm = o->ChecksumAlgorithm;
	out->ChecksumType = o->ChecksumType;
	return OK;
}

static err find_upload(req *rq, const txn *tx, str bucket, str key, str id, const char *action, s3_bucket **b,
                       s3_upload **u)
{
	TRY(bucket_open(rq, tx, bucket, action, key, b));
	*u = id.n > 200 ? NULL : s3_upload_get(tx, rq->mem, bucket, key, id);
	return *u ? OK : no_such_upload(rq, id);
}

static err find_upload_now(req *rq, str bucket, str key, str id, s3_bucket **b, s3_upload **u)
{
	const txn *tx = req_read(rq);
	err e = find_upload(rq, tx, bucket, key, id, "s3:PutObject", b, u);
	req_read_end(rq, tx);
	return e;
}

static err number_valid(req *rq, int64_t n)
{
	if (n >= 1 && n <= S3_PARTS_MAX)
		return OK;
	return invalid_argument(rq, "Part number must be an integer between 1 and 10000, inclusive",
	                        S("partNumber"), arena_fmt(rq->mem, "%lld", (long long)n));
}

/* All parts are sealed with the key of the upload. */
static err part_key(req *rq, const s3_bucket *b, const s3_upload *u, str algorithm, str key, str md5,
                    const seal_key **out)
{
	str given;
	TRY(describe_customer_key(rq, algorithm, key, md5, &given, out));
	if (u->It->CustomerKeyMD5.n && !str_is(given))
		return fail(rq, &fault_InvalidRequest,
		            "The multipart upload initiate requested encryption. Subsequent part requests must "
		            "include the appropriate encryption parameters.");
	if (!str_eq(str_is(given) ? given : S(""), u->It->CustomerKeyMD5.n ? u->It->CustomerKeyMD5 : S("")))
		return fail(rq, &fault_InvalidRequest,
		            "The provided encryption parameters did not match the ones used originally.");
	if (*out)
		return OK;
	const txn *tx = req_read(rq);
	err e = data_key_open(rq, tx, b, u->Key, u->It, out);
	req_read_end(rq, tx);
	return e;
}

static err part_open(req *rq, const sigv4 *sig, const void *in_, http_sink **sink)
{
	const s3_UploadPart_in *in = in_;
	s3_bucket *b;
	s3_upload *u;
	TRY(number_valid(rq, in->PartNumber.v));
	TRY(find_upload_now(rq, in->Bucket, in->Key, in->UploadId, &b, &u));
	int64_t declared = in->ContentLength.set ? in->ContentLength.v : -1;
	if (declared > PART_MOST)
		return fail_with(rq, &fault_EntityTooLarge, DETAIL(rq, .MaxSizeAllowed = S("5368709120")),
		                 "Your proposed upload exceeds the maximum allowed size");
	str said = u->It->ChecksumAlgorithm;
	const seal_key *key;
	TRY(part_key(rq, b, u, in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5, &key));
	TRY(upload_open(rq, sig, declared, said.n ? checksum_named(said) : NULL, key, sink));
	/* Of parts that make one sum AWS computes what is not said; a sum of sums takes only what was. */
	bool told = rq->upload->kind_named || !str_eq(u->It->ChecksumType, S("COMPOSITE"));
	if (!said.n || (told && str_eq(said, str_c(rq->upload->kind->name))))
		return OK;
	return fail(rq, &fault_InvalidRequest,
	            "Checksum Type mismatch occurred, expected checksum Type: %.*s, actual checksum Type: %s",
	            STR_ARG(arena_lower(rq->mem, said)),
	            told ? arena_lower(rq->mem, str_c(rq->upload->kind->name)).p : "null");
}

STREAM(s3_part, "s3", "UploadPart", part_open);

typedef struct part {
	str bucket, key, upload;
	int64_t number;
	s3_StoredPart it;
	content c;
	str small;
} part;

static err part_commit(req *rq, txn *tx, void *context)
{
	part *p = context;
	s3_bucket *b;
	s3_upload *u;
	TRY(find_upload(rq, tx, p->bucket, p->key, p->upload, "s3:PutObject", &b, &u));
	meter_write(rq, b, class_of(u->It));
	s3_part *old = s3_part_get(tx, rq->mem, p->upload, p->number);
	int64_t before = old ? old->It->Size.v : 0;
	if (old)
		content_release_one(tx, rq->mem, old->It->Content);
	content_attach(tx, &p->c, p->small);
	p->it.Content = &p->c;
	s3_part_put(tx, &(s3_part){ .UploadId = p->upload, .Number = p->number, .It = &p->it });
	resident_add(tx, b->Account, b->Region, rq->now, &S3_STANDARD, b->Name, p->it.Size.v - before);
	return OK;
}

static void part_describe(req *rq, part *p, const s3_upload *up, const upload *u)
{
	bool keeps = up->It->ChecksumAlgorithm.n || u->kind == checksum_default;
	p->it = (s3_StoredPart){
		.Number = I64(p->number), .Size = I64(u->size), .Modified = TIME(rq->now / 1000 * 1000),
		.ETag = object_etag(rq->mem, up->It, u->md5_hex),
		.Checksum = keeps ? u->checksum : S(""),
	};
}

err s3_UploadPart(req *rq, const s3_UploadPart_in *in, s3_UploadPart_out *out)
{
	s3_bucket *b;
	s3_upload *up;
	upload *u = rq->upload;
	part p = { .bucket = in->Bucket, .key = in->Key, .upload = in->UploadId, .number = in->PartNumber.v };
	TRY(number_valid(rq, p.number));
	rq->n_reply_headers = 0;
	TRY(find_upload_now(rq, in->Bucket, in->Key, in->UploadId, &b, &up));
	str said = up->It->ChecksumAlgorithm;
	const seal_key *key;
	TRY(part_key(rq, b, up, in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5, &key));
	if (!u)
		TRY(upload_of(rq, in->Body, said.n ? checksum_named(said) : NULL, key, &u));
	TRY(upload_finish(rq, u, &p.c, &p.small));
	part_describe(rq, &p, up, u);
	rq->n_reply_headers = 0;
	err e = req_write(rq, part_commit, &p);
	if (e) {
		content_write_drop(&u->to);
		return e;
	}
	out->ETag = p.it.ETag;
	out->ServerSideEncryption = up->It->Encryption;
	out->SSEKMSKeyId = up->It->KmsKey;
	out->SSECustomerKeyMD5 = up->It->CustomerKeyMD5;
	if (up->It->CustomerKeyMD5.n)
		out->SSECustomerAlgorithm = S("AES256");
	if (said.n || u->kind_named)
		checksum_set(rq->op->output, out, str_c(u->kind->name), u->checksum);
	return OK;
}

err multipart_put_copy(req *rq, const copied_part *from, s3_StoredPart *out, s3_upload **up)
{
	s3_bucket *b;
	part p = { .bucket = from->bucket, .key = from->key, .upload = from->upload, .number = from->number };
	TRY(number_valid(rq, from->number));
	TRY(find_upload_now(rq, from->bucket, from->key, from->upload, &b, up));
	str said = (*up)->It->ChecksumAlgorithm;
	upload *u;
	const seal_key *key;
	TRY(part_key(rq, b, *up, from->customer.algorithm, from->customer.key, from->customer.md5, &key));
	TRY(upload_of(rq, S(""), said.n ? checksum_named(said) : NULL, NULL, &u));
	TRY(content_copy(rq->store, rq->mem, from->from, from->offset, from->length, key, &p.c, &p.small));
	err e = content_each(rq->store, rq->mem, from->from, from->offset, from->length, upload_add, u);
	upload_digests(rq, u);
	part_describe(rq, &p, *up, u);
	p.it.Size = p.c.Size;
	rq->n_reply_headers = 0;
	if (!e)
		e = req_write(rq, part_commit, &p);
	if (e)
		content_discard(rq->mem, &p.c);
	*out = p.it;
	return e;
}

typedef struct completion {
	const s3_CompleteMultipartUpload_in *in;
	s3_bucket *b;
	s3_upload *u;
	s3_part **parts;
	size_t n;
	int64_t size;
	object *o;
	s3_StoredParts layout;
	str expiration;
} completion;

static err invalid_part(req *rq, const completion *c, const s3_CompletedPart *p)
{
	return fail_with(rq, &fault_InvalidPart,
	                 DETAIL(rq, .UploadId = c->u->UploadId, .ETag = p->ETag,
	                        .PartNumber = arena_fmt(rq->mem, "%lld", (long long)p->PartNumber.v)),
	                 "One or more of the specified parts could not be found.  The part may not have been "
	                 "uploaded, or the specified entity tag may not match the part's entity tag.");
}

static err check_part(req *rq, completion *c, const txn *tx, const s3_CompletedPart *want)
{
	s3_part *p = s3_part_get(tx, rq->mem, c->u->UploadId, want->PartNumber.v);
	if (!p || !str_eq(etag_bare(want->ETag), etag_bare(p->It->ETag)))
		return invalid_part(rq, c, want);
	const object *o = c->u->It;
	const checksum_kind *k = o->ChecksumAlgorithm.n ? checksum_named(o->ChecksumAlgorithm) : NULL;
	str sum = k ? checksum_of(&s3_CompletedPart_shape, want, k) : STR_NONE;
	if (k && str_eq(o->ChecksumType, S("COMPOSITE")) && !sum.n)
		return fail(rq, &fault_InvalidRequest,
		            "The upload was created using a %s checksum. The complete request must include the "
		            "checksum for each part. It was missing for part %lld in the request.",
		            arena_lower(rq->mem, str_c(k->name)).p, (long long)want->PartNumber.v);
	if (sum.n && !str_eq(sum, p->It->Checksum))
		return invalid_part(rq, c, want);
	c->parts[c->n++] = p;
	c->size += p->It->Size.v;
	return OK;
}

static err too_small(req *rq, const s3_part *p)
{
	return fail_with(rq, &fault_EntityTooSmall,
	                 DETAIL(rq, .ProposedSize = arena_fmt(rq->mem, "%lld", (long long)p->It->Size.v),
	                        .MinSizeAllowed = S("5242880"), .ETag = etag_bare(p->It->ETag),
	                        .PartNumber = arena_fmt(rq->mem, "%lld", (long long)p->Number)),
	                 "Your proposed upload is smaller than the minimum allowed size");
}

static err check_parts(req *rq, completion *c, const txn *tx)
{
	const s3_CompletedMultipartUpload *m = c->in->MultipartUpload;
	if (!m)
		return fail(rq, &fault_InvalidRequest, "You must specify at least one part");
	if (m->Parts.n == 0 || m->Parts.n > S3_PARTS_MAX)
		return malformed_xml(rq);
	c->parts = arena_array(rq->mem, s3_part *, m->Parts.n);
	for (size_t i = 1; i < m->Parts.n; i++)
		if (m->Parts.v[i].PartNumber.v <= m->Parts.v[i - 1].PartNumber.v)
			return fail_with(rq, &fault_InvalidPartOrder, DETAIL(rq, .UploadId = c->u->UploadId),
			                 "The list of parts was not in ascending order. Parts must be ordered by part "
			                 "number.");
	for (size_t i = 0; i < m->Parts.n; i++)
		TRY(check_part(rq, c, tx, &m->Parts.v[i]));
	for (size_t i = 0; i + 1 < c->n; i++)
		if (c->parts[i]->It->Size.v < PART_LEAST)
			return too_small(rq, c->parts[i]);
	if (c->in->MpuObjectSize.set && c->in->MpuObjectSize.v != c->size)
		return fail(rq, &fault_InvalidRequest, "The provided 'x-amz-mp-object-size' header value %lld does "
		                                       "not match what was computed: %lld",
		            (long long)c->in->MpuObjectSize.v, (long long)c->size);
	return OK;
}

/* Of the parts that the request names, whose ETags are those of the parts that were uploaded. */
static str composite_etag(req *rq, const s3_CompletedPartList *parts)
{
	digest *d = digest_open(rq->mem, DIGEST_MD5);
	for (size_t i = 0; i < parts->n; i++) {
		str raw = S("");
		hex_decode(rq->mem, etag_bare(parts->v[i].ETag), &raw);
		digest_add(d, raw.p, raw.n);
	}
	str hex = hex_encode(rq->mem, digest_finish(rq->mem, d));
	return arena_fmt(rq->mem, "\"%.*s-%zu\"", STR_ARG(hex), parts->n);
}

/* Of what the parts say; S("") when one of them says nothing. */
static str whole_checksum(req *rq, const completion *c, const checksum_kind *k, bool composite)
{
	digest *d = digest_open(rq->mem, k->digest);
	str sum = STR_NONE;
	for (size_t i = 0; i < c->n; i++) {
		str raw, text = c->parts[i]->It->Checksum;
		if (!text.n || !base64_decode(rq->mem, text, &raw) || raw.n != k->bytes)
			return S("");
		if (composite)
			digest_add(d, raw.p, raw.n);
		else
			sum = i ? checksum_combine(rq->mem, k, sum, raw, c->parts[i]->It->Size.v) : raw;
	}
	if (!composite)
		return base64_encode(rq->mem, sum);
	str text = base64_encode(rq->mem, digest_finish(rq->mem, d));
	return arena_fmt(rq->mem, "%.*s-%zu", STR_ARG(text), c->n);
}

static err finish_object(req *rq, completion *c)
{
	object *o = c->o = c->u->It;
	bool named = o->ChecksumAlgorithm.n != 0;
	const checksum_kind *k = named ? checksum_named(o->ChecksumAlgorithm) : checksum_default;
	bool composite = named && str_eq(o->ChecksumType, S("COMPOSITE"));
	o->ETag = composite_etag(rq, &c->in->MultipartUpload->Parts);
	o->Upload = c->u->UploadId;
	o->Size = I64(c->size);
	o->ChecksumAlgorithm = str_c(k->name);
	o->ChecksumType = composite ? S("COMPOSITE") : S("FULL_OBJECT");
	o->Checksum = whole_checksum(rq, c, k, composite);
	str claimed = checksum_of(rq->op->input, c->in, k);
	if (claimed.n && o->Checksum.n && !str_eq(claimed, o->Checksum))
		return fail(rq, &fault_BadDigest, "The %s you specified did not match the calculated checksum.",
		            k->name);
	c->layout = (s3_StoredParts){ arena_array(rq->mem, s3_StoredPart, c->n), c->n };
	for (size_t i = 0; i < c->n; i++)
		c->layout.v[i] = (s3_StoredPart){ .Number = I64(c->parts[i]->Number), .Size = c->parts[i]->It->Size,
			                          .Content = c->parts[i]->It->Content,
			                          .Checksum = c->parts[i]->It->Checksum };
	o->Layout = content_name(rq->mem);
	o->PartCount = I64((int64_t)c->n);
	return OK;
}

/* A condition is about what stood there when the upload began: it fails when that has changed since. */
static err undisturbed(req *rq, const txn *tx, const completion *c, const s3_bucket *b, const s3_upload *u)
{
	bool conditional = str_is(c->in->IfMatch) || str_is(c->in->IfNoneMatch);
	if (!conditional || !u->It->Seq.set || u->It->Seq.v == standing(rq, tx, b, c->in->Key))
		return OK;
	return fail_with(rq, &fault_ConditionalRequestConflict,
	                 DETAIL(rq, .Key = c->in->Key, .Condition = str_is(c->in->IfMatch) ? S("If-Match") :
											     S("If-None-Match")),
	                 "The conditional request cannot succeed due to a conflicting operation against this "
	                 "resource.");
}

static err complete_commit(req *rq, txn *tx, void *context)
{
	completion *c = context;
	s3_bucket *b;
	s3_upload *u;
	TRY(find_upload(rq, tx, c->in->Bucket, c->in->Key, c->in->UploadId, "s3:PutObject", &b, &u));
	for (size_t i = 0; i < c->n; i++) {
		s3_part *now = s3_part_get(tx, rq->mem, u->UploadId, c->parts[i]->Number);
		if (!now || !str_eq(now->It->Content->Id, c->parts[i]->It->Content->Id))
			return fail(rq, &fault_OperationAborted, "A conflicting conditional operation is currently in "
			                                         "progress against this resource. Try again.");
	}
	TRY(describe_conditions(rq, tx, b, c->in->Key, c->in->IfMatch, c->in->IfNoneMatch));
	TRY(undisturbed(rq, tx, c, b, u));
	meter_write(rq, b, class_of(c->o));
	forget(tx, rq->mem, b, u, &c->layout, rq->now);
	s3_layout_put(tx, &(s3_layout){ .Id = c->o->Layout, .Parts = c->layout });
	replicate_mark(tx, rq->mem, b, c->in->Key, c->o);
	object_place(tx, rq->mem, b, c->in->Key, c->o, rq->now);
	replicate_later(tx, rq->mem, b, c->in->Key, c->o);
	notify(rq, tx, b, c->in->Key, c->o, "ObjectCreated:CompleteMultipartUpload");
	c->expiration = lifecycle_expiration(rq, tx, b, c->in->Key, c->o);
	return OK;
}

static void complete_answer(req *rq, const completion *c, s3_CompleteMultipartUpload_out *out)
{
	const object *o = c->o;
	out->Bucket = c->in->Bucket;
	out->Key = c->in->Key;
	out->ETag = o->ETag;
	out->Location = arena_fmt(rq->mem, "http://%.*s/%.*s/%.*s", STR_ARG(rq->host), STR_ARG(c->in->Bucket),
	                          STR_ARG(percent_encode(rq->mem, c->in->Key, false)));
	out->VersionId = bucket_versions(c->b) ? o->VersionId : STR_NONE;
	out->Expiration = c->expiration;
	out->ServerSideEncryption = o->Encryption;
	out->SSEKMSKeyId = o->KmsKey;
	out->BucketKeyEnabled = o->BucketKey;
	checksum_set(rq->op->output, out, o->ChecksumAlgorithm, o->Checksum);
	if (o->Checksum.n)
		out->ChecksumType = o->ChecksumType;
}

/* A client that lost the answer asks again: while what it completed stands there, it is told the same. */
static bool completed_before(req *rq, const txn *tx, completion *c)
{
	object_at at;
	const s3_CompletedMultipartUpload *m = c->in->MultipartUpload;
	if (!c->b || !m || !object_look(rq, tx, c->b, c->in->Key, STR_NONE, &at) || at.o->Marker.v ||
	    !str_is(c->in->UploadId) || !str_eq(at.o->Upload, c->in->UploadId) ||
	    !str_eq(at.o->ETag, composite_etag(rq, &m->Parts)))
		return false;
	c->o = at.o;
	c->expiration = lifecycle_expiration(rq, tx, c->b, c->in->Key, at.o);
	rq->n_reply_headers = 0;
	meter_write(rq, c->b, class_of(at.o));
	return true;
}

err s3_CompleteMultipartUpload(req *rq, const s3_CompleteMultipartUpload_in *in,
                               s3_CompleteMultipartUpload_out *out)
{
	completion c = { .in = in };
	const txn *tx = req_read(rq);
	err e = find_upload(rq, tx, in->Bucket, in->Key, in->UploadId, "s3:PutObject", &c.b, &c.u);
	bool done = e && completed_before(rq, tx, &c);
	if (!e)
		e = check_parts(rq, &c, tx);
	if (!e)
		e = describe_conditions(rq, tx, c.b, in->Key, in->IfMatch, in->IfNoneMatch);
	req_read_end(rq, tx);
	if (!done) {
		TRY(e);
		TRY(finish_object(rq, &c));
		rq->n_reply_headers = 0;
		TRY(req_write(rq, complete_commit, &c));
	}
	complete_answer(rq, &c, out);
	return OK;
}

err s3_AbortMultipartUpload(req *rq, txn *tx, const s3_AbortMultipartUpload_in *in,
                            s3_AbortMultipartUpload_out *out)
{
	s3_bucket *b;
	s3_upload *u;
	(void)out;
	TRY(find_upload(rq, tx, in->Bucket, in->Key, in->UploadId, "s3:AbortMultipartUpload", &b, &u));
	multipart_forget(tx, rq->mem, b, u, rq->now);
	return OK;
}
