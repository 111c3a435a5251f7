#include "base/text.h"
#include "base/time.h"
#include "checksum.h"
#include "data_key.h"
#include "describe.h"
#include "read.h"
#include "wire/http.h"

#define INSIDE_MAX ((int64_t)512 << 20)

static str unquoted(str s)
{
	s = str_trim(s);
	if (str_starts(s, S("W/")))
		s = str_sub(s, 2, s.n);
	return etag_bare(s);
}

static bool etag_in(str list, str etag)
{
	while (str_is(list)) {
		str one = unquoted(str_cut(&list, ','));
		if (str_eq(one, S("*")) || str_eq(one, unquoted(etag)))
			return true;
	}
	return false;
}

err read_conditions(req *rq, const object *o, const read_request *r)
{
	int64_t modified = o->Modified.v / MS_SECOND;
	if (str_is(r->match)) {
		if (!etag_in(r->match, o->ETag))
			return precondition_failed(rq, "If-Match");
	} else if (r->unmodified_since.set && modified > r->unmodified_since.v / MS_SECOND) {
		return precondition_failed(rq, "If-Unmodified-Since");
	}
	bool same = str_is(r->none_match) ? etag_in(r->none_match, o->ETag) :
		    r->modified_since.set && modified <= r->modified_since.v / MS_SECOND &&
			    r->modified_since.v <= rq->now;
	if (!same)
		return OK;
	req_header(rq, S("ETag"), o->ETag);
	req_header(rq, S("Last-Modified"), time_http(rq->mem, o->Modified.v));
	return fail(rq, &fault_NotModified, "Not Modified");
}

/* bytes=a-b, a-, -n: one range only; several, or what is no range, mean the whole. false: none fits. */
bool read_range(str text, int64_t size, int64_t *first, int64_t *length, bool *part)
{
	*first = 0;
	*length = size;
	*part = false;
	if (!str_starts(text, S("bytes=")) || str_find_char(text, ',') != SIZE_MAX)
		return true;
	str to = str_sub(text, 6, text.n), from = str_cut(&to, '-');
	int64_t a = 0, b = size - 1;
	if (!str_is(to) || (from.n && (!str_to_i64(from, &a) || a < 0)) ||
	    (to.n && (!str_to_i64(to, &b) || b < 0)) || (!from.n && !to.n))
		return true;
	if (!from.n) {
		if (b == 0 || size == 0)
			return false;
		a = b < size ? size - b : 0;
		b = size - 1;
	} else if (to.n && b < a) {
		return true;
	}
	if (a >= size)
		return false;
	*first = a;
	*length = (b < size ? b : size - 1) - a + 1;
	*part = true;
	return true;
}

static err choose_part(req *rq, const txn *tx, const object *o, int64_t number, read_slice *s)
{
	size_t i = 0;
	s3_StoredParts parts = object_parts(tx, rq->mem, o);
	while (i < parts.n && parts.v[i].Number.v != number)
		s->first += parts.v[i++].Size.v;
	if (parts.n ? i == parts.n : number != 1)
		return fail_with(rq, &fault_InvalidPartNumber,
		                 DETAIL(rq, .PartNumberRequested = arena_fmt(rq->mem, "%lld", (long long)number),
		                        .ActualPartCount = arena_fmt(rq->mem, "%zu", parts.n ? parts.n : 1)),
		                 "The requested partnumber is not satisfiable");
	s->length = parts.n ? parts.v[i].Size.v : o->Size.v;
	s->part = o->Size.v > 0;
	return OK;
}

err read_slice_of(req *rq, const txn *tx, const object *o, const read_request *r, read_slice *s)
{
	*s = (read_slice){ 0, o->Size.v, false };
	if (r->part_number.set && str_is(r->range))
		return fail(rq, &fault_InvalidRequest,
		            "Cannot specify both Range header and partNumber query parameter");
	if (r->part_number.set)
		return choose_part(rq, tx, o, r->part_number.v, s);
	if (!str_is(r->range) || read_range(r->range, o->Size.v, &s->first, &s->length, &s->part))
		return OK;
	return fail_with(rq, &fault_InvalidRange,
	                 DETAIL(rq, .RangeRequested = r->range,
	                        .ActualObjectSize = arena_fmt(rq->mem, "%lld", (long long)o->Size.v)),
	                 "The requested range is not satisfiable");
}

/* What encrypts is said when an object is written. */
static err no_encryption_header(req *rq)
{
	str said = rq->http && !rq->parent ? wire_header(rq->http, S("x-amz-server-side-encryption")) : STR_NONE;
	return !str_is(said) ? OK :
			       invalid_argument(rq, "x-amz-server-side-encryption header is not supported for this "
			                            "operation.", S("x-amz-server-side-encryption"), said);
}

err read_customer_key(req *rq, const object *o, str algorithm, str key, str md5, const seal_key **out)
{
	str given;
	TRY(describe_customer_key(rq, algorithm, key, md5, &given, out));
	if (!str_is(given) && !o->CustomerKeyMD5.n)
		return OK;
	if (!str_is(given))
		return fail(rq, &fault_InvalidRequest,
		            "The object was stored using a form of Server Side Encryption. The correct parameters "
		            "must be provided to retrieve the object.");
	if (!o->CustomerKeyMD5.n)
		return fail(rq, &fault_InvalidRequest, "The encryption parameters are not applicable to this "
		                                       "object.");
	return str_eq(given, o->CustomerKeyMD5) ? OK : access_denied(rq);
}

err read_open(req *rq, const txn *tx, str bucket, str key, str version, const char *action, s3_bucket **b,
              object_at *at)
{
	TRY(bucket_open(rq, tx, bucket, "s3:GetObject", key, b));
	err e = object_find(rq, tx, *b, key, version, at);
	TRY(bucket_allows(rq, tx, *b, action, key, e ? NULL : at->o));
	return e;
}

str read_restore(arena *mem, const object *o, int64_t now)
{
	if (o->Restoring.v)
		return S("ongoing-request=\"true\"");
	if (!o->RestoreUntil.set || o->RestoreUntil.v <= now)
		return STR_NONE;
	return arena_fmt(mem, "ongoing-request=\"false\", expiry-date=\"%.*s\"",
	                 STR_ARG(time_http(mem, o->RestoreUntil.v)));
}

err read_archived(req *rq, const object *o)
{
	if (!class_archived(class_of(o)) || (o->RestoreUntil.set && o->RestoreUntil.v > rq->now))
		return OK;
	return fail_with(rq, &fault_InvalidObjectState, DETAIL(rq, .StorageClass = class_of(o)),
	                 "The operation is not valid for the object's storage class");
}

/* The members that GetObjectOutput and HeadObjectOutput share. */
#define DESCRIBE(out, o, b, in, slice) \
	do { \
		(out)->AcceptRanges = S("bytes"); \
		(out)->LastModified = (o)->Modified; \
		(out)->ETag = (o)->ETag; \
		(out)->VersionId = bucket_versioned(b) ? (o)->VersionId : STR_NONE; \
		(out)->CacheControl = CHOICE((in)->ResponseCacheControl, (o)->CacheControl); \
		(out)->ContentDisposition = CHOICE((in)->ResponseContentDisposition, (o)->ContentDisposition); \
		(out)->ContentEncoding = CHOICE((in)->ResponseContentEncoding, (o)->ContentEncoding); \
		(out)->ContentLanguage = CHOICE((in)->ResponseContentLanguage, (o)->ContentLanguage); \
		(out)->ContentType = CHOICE((in)->ResponseContentType, (o)->ContentType); \
		(out)->Expires = (in)->ResponseExpires.set ? time_http(rq->mem, (in)->ResponseExpires.v) : \
							     (o)->Expires; \
		(out)->WebsiteRedirectLocation = (o)->Redirect; \
		(out)->ServerSideEncryption = (o)->Encryption; \
		(out)->SSEKMSKeyId = (o)->KmsKey; \
		(out)->BucketKeyEnabled = (o)->BucketKey; \
		(out)->SSECustomerKeyMD5 = (o)->CustomerKeyMD5; \
		if ((o)->CustomerKeyMD5.n) \
			(out)->SSECustomerAlgorithm = S("AES256"); \
		(out)->Metadata = (o)->Metadata; \
		if (!str_eq(class_of(o), S("STANDARD"))) \
			(out)->StorageClass = class_of(o); \
		if ((o)->Tags.n) \
			(out)->TagCount = I64((int64_t)(o)->Tags.n); \
		(out)->ObjectLockMode = (o)->LockMode.n ? (o)->LockMode : STR_NONE; \
		(out)->ObjectLockRetainUntilDate = (o)->RetainUntil; \
		if ((o)->LegalHold.set) \
			(out)->ObjectLockLegalHoldStatus = (o)->LegalHold.v ? S("ON") : S("OFF"); \
		(out)->ReplicationStatus = (o)->Replication.n ? (o)->Replication : STR_NONE; \
		(out)->Restore = read_restore(rq->mem, o, rq->now); \
		if (!str_is((in)->VersionId)) \
			(out)->Expiration = lifecycle_expiration(rq, tx, b, (in)->Key, o); \
		if ((in)->PartNumber.set && (o)->PartCount.v) \
			(out)->PartsCount = (o)->PartCount; \
		(out)->ContentLength = I64((slice)->length); \
		if ((slice)->part) \
			(out)->ContentRange = arena_fmt(rq->mem, "bytes %lld-%lld/%lld", \
			                                (long long)(slice)->first, \
			                                (long long)((slice)->first + (slice)->length - 1), \
			                                (long long)(o)->Size.v); \
		bool some = str_is((in)->Range) && (slice)->length < (o)->Size.v; \
		if (str_eq((in)->ChecksumMode, S("ENABLED")) && !some) { \
			checksum_set(rq->op->output, out, (o)->ChecksumAlgorithm, (o)->Checksum); \
			if ((o)->Checksum.n) \
				(out)->ChecksumType = (o)->ChecksumType; \
		} \
	} while (0)
#define CHOICE(asked, kept) (str_is(asked) ? (asked) : (kept).n ? (kept) : STR_NONE)
#define REQUEST(in) \
	{ (in)->IfMatch, (in)->IfNoneMatch, (in)->Range, (in)->IfModifiedSince, (in)->IfUnmodifiedSince, \
	  (in)->PartNumber }

err s3_HeadObject(req *rq, const txn *tx, const s3_HeadObject_in *in, s3_HeadObject_out *out)
{
	s3_bucket *b;
	object_at at;
	read_request r = REQUEST(in);
	read_slice s;
	const seal_key *key;
	TRY(no_encryption_header(rq));
	TRY(read_open(rq, tx, in->Bucket, in->Key, in->VersionId,
	              str_is(in->VersionId) ? "s3:GetObjectVersion" : "s3:GetObject", &b, &at));
	const object *o = at.o;
	meter_read(rq, b, class_of(o));
	TRY(read_customer_key(rq, o, in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5, &key));
	TRY(read_conditions(rq, o, &r));
	TRY(read_slice_of(rq, tx, o, &r, &s));
	DESCRIBE(out, o, b, in, &s);
	if (s.part)
		rq->reply_status = 206;
	return OK;
}

/* Bytes for the reply: few from memory, many as the client takes them; from inside always in memory. */
static err body(req *rq, const txn *tx, const object *o, const seal_key *key, const read_slice *s,
                s3_GetObject_out *out)
{
	out->Body = S("");
	if (s->length == 0)
		return OK;
	content_list *l = arena_new(rq->mem, content_list);
	*l = object_contents(tx, rq->mem, o, key);
	bool inside = !rq->exchange || rq->parent;
	if (inside && s->length > INSIDE_MAX)
		return fail(rq, &fault_InternalError, "The object is too large to be held in memory.");
	if (inside || s->length <= S3_INLINE_BYTES)
		return content_read(tx, rq->mem, l, s->first, s->length, &out->Body);
	http_reply_body *b = arena_new(rq->mem, http_reply_body);
	TRY(content_reply(rq->store, rq->mem, l, s->first, s->length, b));
	rq->reply_body = b;
	return OK;
}

static err check_overrides(req *rq, const s3_GetObject_in *in)
{
	bool any = in->ResponseCacheControl.n || in->ResponseContentDisposition.n || in->ResponseContentType.n ||
		   in->ResponseContentEncoding.n || in->ResponseContentLanguage.n || in->ResponseExpires.set;
	if (!any || !rq->who.anonymous)
		return OK;
	return fail(rq, &fault_InvalidRequest,
	            "Request specific response headers cannot be used for anonymous GET requests.");
}

err s3_GetObject(req *rq, const txn *tx, const s3_GetObject_in *in, s3_GetObject_out *out)
{
	s3_bucket *b;
	object_at at;
	read_request r = REQUEST(in);
	read_slice s;
	const seal_key *key;
	TRY(check_overrides(rq, in));
	TRY(no_encryption_header(rq));
	TRY(read_open(rq, tx, in->Bucket, in->Key, in->VersionId,
	              str_is(in->VersionId) ? "s3:GetObjectVersion" : "s3:GetObject", &b, &at));
	const object *o = at.o;
	meter_read(rq, b, class_of(o));
	TRY(read_customer_key(rq, o, in->SSECustomerAlgorithm, in->SSECustomerKey, in->SSECustomerKeyMD5, &key));
	TRY(read_conditions(rq, o, &r));
	TRY(read_archived(rq, o));
	if (!key)
		TRY(data_key_open(rq, tx, b, in->Key, o, &key));
	TRY(read_slice_of(rq, tx, o, &r, &s));
	DESCRIBE(out, o, b, in, &s);
	if (s.part)
		rq->reply_status = 206;
	meter_out(rq, b, s.length);
	meter_retrieved(rq, b, class_of(o), s.length);
	return body(rq, tx, o, key, &s, out);
}
