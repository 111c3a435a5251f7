#include "describe.h"
#include "acl.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/time.h"
#include "data_key.h"
#include "wire/value.h"

str describe_text(const req *rq, const void *in, const char *member)
{
	const shape_member *m = shape_member_find(rq->op->input, str_c(member));
	const void *v = m ? member_value(m, in) : NULL;
	if (!v)
		return STR_NONE;
	if (m->shape->kind == SHAPE_TIMESTAMP)
		return time_http(rq->mem, ((const opt_time *)v)->v);
	if (m->shape->kind == SHAPE_BOOLEAN)
		return ((const opt_bool *)v)->v ? S("true") : S("false");
	return *(const str *)v;
}

#define TEXT(member) describe_text(rq, in, member)

/* The coding of the transfer is not the object's. */
static str content_encoding(req *rq, str value)
{
	buf b = buf_in(rq->mem, value.n + 1, value.n + 1);
	while (str_is(value) && value.n) {
		str one = str_trim(str_cut(&value, ','));
		if (str_eq_nocase(one, S("aws-chunked")) || !one.n)
			continue;
		if (b.n)
			buf_c(&b, ',');
		buf_put(&b, one);
	}
	return b.n ? buf_str(&b) : STR_NONE;
}

static err metadata(req *rq, const void *in, object *o)
{
	const shape_member *m = shape_member_find(rq->op->input, S("Metadata"));
	size_t bytes = 0;
	if (!m || !member_value(m, in))
		return OK;
	memcpy(&o->Metadata, (const char *)in + m->offset, sizeof o->Metadata);
	for (size_t i = 0; i < o->Metadata.n; i++) {
		o->Metadata.v[i].key = arena_lower(rq->mem, o->Metadata.v[i].key);
		bytes += o->Metadata.v[i].key.n + o->Metadata.v[i].value.n;
	}
	if (bytes > S3_METADATA_BYTES)
		return fail_with(rq, &fault_MetadataTooLarge, DETAIL(rq, .MaxSizeAllowed = S("2048")),
		                 "Your metadata headers exceed the maximum allowed metadata size");
	return OK;
}

/* Letters, digits and blanks of any language, and + - = . _ : / @ */
static bool tag_text(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && c < 128 && !strchr(" +-=._:/@", c ? c : '!'))
			return false;
	}
	return utf8_valid(s);
}

err describe_tag_set(req *rq, const s3_TagSet *tags, size_t max)
{
	if (tags->n > max)
		return fail(rq, &fault_BadRequest, "Object tags cannot be greater than %zu", max);
	for (size_t i = 0; i < tags->n; i++) {
		str k = tags->v[i].Key;
		if (utf8_length(k) > 128 || k.n == 0 || !tag_text(k))
			return fail_with(rq, &fault_InvalidTag, DETAIL(rq, .TagKey = k),
			                 "The TagKey you have provided is invalid");
		if (str_starts(k, S("aws:")))
			return fail_with(rq, &fault_InvalidTag, DETAIL(rq, .TagKey = k), "%s",
			                 max > S3_TAGS_MAX ? "System tags cannot be added/updated by requester" :
							     "Your TagKey cannot be prefixed with aws:");
		if (utf8_length(tags->v[i].Value) > 256 || !tag_text(tags->v[i].Value))
			return fail_with(rq, &fault_InvalidTag,
			                 DETAIL(rq, .TagKey = k, .TagValue = tags->v[i].Value),
			                 "The TagValue you have provided is invalid");
		for (size_t j = 0; j < i; j++)
			if (str_eq(tags->v[j].Key, k))
				return fail_with(rq, &fault_InvalidTag, DETAIL(rq, .TagKey = k),
				                 "Cannot provide multiple Tags with the same key");
	}
	return OK;
}

err describe_tags(req *rq, str header, s3_TagSet *out)
{
	size_t n = 1;
	str whole = header;
	for (size_t i = 0; i < header.n; i++)
		n += header.p[i] == '&';
	*out = (s3_TagSet){ arena_array(rq->mem, s3_Tag, n), 0 };
	while (str_is(header)) {
		str value = str_cut(&header, '&');
		if (!value.n)
			continue;
		str key = percent_decode(rq->mem, str_cut(&value, '='), true);
		value = str_is(value) ? percent_decode(rq->mem, value, true) : S("");
		bool bad = !tag_text(key) || !tag_text(value);
		for (size_t i = 0; i < out->n; i++)
			bad |= str_eq(out->v[i].Key, key);
		if (bad)
			return invalid_argument(rq, "The header 'x-amz-tagging' shall be encoded as UTF-8 then "
			                            "URLEncoded URL query parameters without tag name duplicates.",
			                        S("x-amz-tagging"), whole);
		out->v[out->n++] = (s3_Tag){ .Key = key, .Value = value };
	}
	return describe_tag_set(rq, out, S3_TAGS_MAX);
}

err describe_class(req *rq, const void *in, object *o)
{
	str class = TEXT("StorageClass");
	o->StorageClass = class.n ? class : S("STANDARD");
	if (!class_known(o->StorageClass))
		return fail_with(rq, &fault_InvalidStorageClass, DETAIL(rq, .StorageClassRequested = class),
		                 "The storage class you specified is not valid");
	return OK;
}

err describe_customer_key(req *rq, str algorithm, str key, str md5, str *md5_out, const seal_key **key_out)
{
	*md5_out = STR_NONE;
	*key_out = NULL;
#define MUST "Requests specifying Server Side Encryption with Customer provided keys must provide "
	if (!str_is(algorithm) && !str_is(key))
		return OK;
	if (!str_eq(algorithm, S("AES256")))
		return invalid_argument(rq, MUST "a valid encryption algorithm.",
		                        S("x-amz-server-side-encryption-customer-algorithm"), algorithm);
	if (!str_is(key))
		return invalid_argument(rq, MUST "an appropriate secret key.",
		                        S("x-amz-server-side-encryption-customer-key"), S("null"));
	if (!str_is(md5))
		return invalid_argument(rq, MUST "the client calculated MD5 of the secret key.",
		                        S("x-amz-server-side-encryption-customer-key-MD5"), S("null"));
#undef MUST
	str raw;
	if (!base64_decode(rq->mem, key, &raw) || raw.n != 32)
		return invalid_argument(rq, "The secret key was invalid for the specified algorithm.",
		                        S("x-amz-server-side-encryption-customer-key"), S("null"));
	unsigned char sum[DIGEST_BYTES_MAX];
	digest *d = digest_open(rq->mem, DIGEST_MD5);
	digest_add(d, raw.p, raw.n);
	size_t n = digest_finish_to(d, sum);
	str own = base64_encode(rq->mem, str_of((const char *)sum, n));
	if (!str_eq(md5, own))
		return invalid_argument(rq, "The calculated MD5 hash of the key did not match the hash that was "
		                            "provided.", S("x-amz-server-side-encryption-customer-key-MD5"), md5);
	*md5_out = own;
	*key_out = memcpy(arena_new(rq->mem, seal_key), raw.p, raw.n);
	return OK;
}

/* How the request, or else the bucket, wants the object encrypted. */
typedef struct sealing {
	str kind, master;
	opt_bool bucket_key;
} sealing;

static sealing wanted_sealing(req *rq, const s3_bucket *b, const void *in)
{
	sealing w = { .kind = TEXT("ServerSideEncryption"), .master = TEXT("SSEKMSKeyId") };
	str said = TEXT("BucketKeyEnabled");
	s3_ServerSideEncryptionConfiguration c;
	const txn *tx = req_read(rq);
	bool any = config_get(tx, rq->mem, b->Name, S("encryption"), S(""),
	                      &s3_ServerSideEncryptionConfiguration_shape, &c) && c.Rules.n;
	req_read_end(rq, tx);
	const s3_ServerSideEncryptionByDefault *d = any ? c.Rules.v[0].ApplyServerSideEncryptionByDefault : NULL;
	if (!w.kind.n) {
		w.kind = d ? d->SSEAlgorithm : S("AES256");
		w.master = d ? d->KMSMasterKeyID : STR_NONE;
	} else if (!w.master.n && d && str_eq(d->SSEAlgorithm, w.kind)) {
		w.master = d->KMSMasterKeyID;
	}
	if (str_is(said))
		w.bucket_key = BOOL(str_eq(said, S("true")));
	else if (any)
		w.bucket_key = c.Rules.v[0].BucketKeyEnabled;
	return w;
}

err describe_seal(req *rq, const s3_bucket *b, const void *in, const seal_key **key)
{
	str md5;
	TRY(describe_customer_key(rq, TEXT("SSECustomerAlgorithm"), TEXT("SSECustomerKey"),
	                          TEXT("SSECustomerKeyMD5"), &md5, key));
	if (*key)
		return OK;
	sealing w = wanted_sealing(rq, b, in);
	if (str_starts(w.kind, S("aws:kms")))
		*key = data_key_make(rq, b, w.bucket_key.v);
	return OK;
}

err describe_encryption(req *rq, const s3_bucket *b, const void *in, const seal_key *data, object *o)
{
	str kind = TEXT("ServerSideEncryption");
	const seal_key *own;
	TRY(describe_customer_key(rq, TEXT("SSECustomerAlgorithm"), TEXT("SSECustomerKey"),
	                          TEXT("SSECustomerKeyMD5"), &o->CustomerKeyMD5, &own));
	if (str_is(o->CustomerKeyMD5))
		return !kind.n ? OK :
				 invalid_argument(rq, "Server Side Encryption with Customer provided key is "
		                                      "incompatible with the encryption method specified",
		                                  S("x-amz-server-side-encryption"), kind);
	if (kind.n && !str_eq(kind, S("AES256")) && !str_starts(kind, S("aws:kms")))
		return invalid_argument(rq, "The encryption method specified is not supported",
		                        S("x-amz-server-side-encryption"), kind);
	if (TEXT("SSEKMSKeyId").n && !str_starts(kind, S("aws:kms")))
		return invalid_argument(rq, "Server Side Encryption with AWS KMS managed key requires HTTP header "
		                            "x-amz-server-side-encryption : aws:kms",
		                        S("x-amz-server-side-encryption"), kind);
	sealing w = wanted_sealing(rq, b, in);
	o->Encryption = w.kind;
	if (!str_starts(w.kind, S("aws:kms")))
		return OK;
	if (w.bucket_key.v)
		o->BucketKey = w.bucket_key;
	o->EncryptionContext = TEXT("SSEKMSEncryptionContext");
	return data_key_wrap(rq, b, TEXT("Key"), w.master, data, o);
}

static void default_retention(req *rq, const s3_bucket *b, object *o)
{
	s3_ObjectLockConfiguration c;
	const txn *tx = req_read(rq);
	if (config_get(tx, rq->mem, b->Name, S("lock"), S(""), &s3_ObjectLockConfiguration_shape, &c) &&
	    c.Rule && c.Rule->DefaultRetention) {
		const s3_DefaultRetention *d = c.Rule->DefaultRetention;
		o->LockMode = arena_str(rq->mem, d->Mode);
		o->RetainUntil = TIME(rq->now + (d->Days.v + 365 * d->Years.v) * MS_DAY);
	}
	req_read_end(rq, tx);
}

err describe_lock(req *rq, const s3_bucket *b, const void *in, object *o)
{
	str mode = TEXT("ObjectLockMode"), hold = TEXT("ObjectLockLegalHoldStatus");
	str until = TEXT("ObjectLockRetainUntilDate");
	if (!b->Lock) {
		if (mode.n || hold.n || until.n)
			return fail(rq, &fault_InvalidRequest, "Bucket is missing Object Lock Configuration");
		return OK;
	}
	if ((mode.n != 0) != (until.n != 0))
		return fail(rq, &fault_InvalidArgument, "x-amz-object-lock-retain-until-date and "
		                                        "x-amz-object-lock-mode must both be supplied");
	if (mode.n && !str_eq(mode, S("GOVERNANCE")) && !str_eq(mode, S("COMPLIANCE")))
		return fail(rq, &fault_InvalidArgument, "Unknown wormMode directive.");
	if (hold.n && !str_eq(hold, S("ON")) && !str_eq(hold, S("OFF")))
		return fail(rq, &fault_InvalidArgument, "Legal Hold must be either of 'ON' or 'OFF'");
	if (hold.n)
		o->LegalHold = BOOL(str_eq(hold, S("ON")));
	if (!mode.n) {
		default_retention(rq, b, o);
		return OK;
	}
	int64_t ms = 0;
	if (!time_parse(until, &ms) || ms <= rq->now)
		return fail(rq, &fault_InvalidArgument, "The retain until date must be in the future!");
	o->LockMode = mode;
	o->RetainUntil = TIME(ms);
	return OK;
}

/* Objects are their writer's, unless the bucket's owner takes all, or what is offered to him. */
static str owner_account(const req *rq, const s3_bucket *b, str acl)
{
	bool offered = str_eq(b->Ownership, S("BucketOwnerPreferred")) &&
		       str_eq(acl, S("bucket-owner-full-control"));
	return rq->who.anonymous || bucket_without_acls(b) || offered ? b->Account : rq->who.account;
}

err describe(req *rq, const s3_bucket *b, const void *in, const seal_key *data, object *o)
{
	*o = (object){
		.ContentType = TEXT("ContentType"),
		.CacheControl = TEXT("CacheControl"),
		.ContentDisposition = TEXT("ContentDisposition"),
		.ContentEncoding = content_encoding(rq, TEXT("ContentEncoding")),
		.ContentLanguage = TEXT("ContentLanguage"),
		.Expires = TEXT("Expires"),
		.Redirect = TEXT("WebsiteRedirectLocation"),
		.OwnerAccount = owner_account(rq, b, TEXT("ACL")),
	};
	if (!o->ContentType.n)
		o->ContentType = S("binary/octet-stream");
	if (o->Redirect.n && o->Redirect.p[0] != '/' && !str_starts(o->Redirect, S("http://")) &&
	    !str_starts(o->Redirect, S("https://")))
		return fail(rq, &fault_InvalidRedirectLocation,
		            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
	TRY(metadata(rq, in, o));
	TRY(describe_class(rq, in, o));
	TRY(describe_encryption(rq, b, in, data, o));
	TRY(describe_lock(rq, b, in, o));
	if (TEXT("Tagging").n)
		TRY(describe_tags(rq, TEXT("Tagging"), &o->Tags));
	acl_request r = { TEXT("ACL"), TEXT("GrantFullControl"), TEXT("GrantRead"), TEXT("GrantReadACP"),
		          STR_NONE, TEXT("GrantWriteACP"), NULL };
	return acl_read(rq, NULL, b, o->OwnerAccount, &r, &o->Grants);
}

static err not_this_condition(req *rq, const char *header, const char *why)
{
	return fail_with(rq, &fault_NotImplemented,
	                 DETAIL(rq, .Header = str_c(header), .additionalMessage = str_c(why)),
	                 "A header you provided implies functionality that is not implemented");
}

err describe_conditions(req *rq, const txn *tx, const s3_bucket *b, str key, str match, str none_match)
{
	if (!str_is(match) && !str_is(none_match))
		return OK;
	if (str_is(match) && str_is(none_match))
		return not_this_condition(rq, "If-Match,If-None-Match",
		                          "Multiple conditional request headers present in the request");
	if (str_is(none_match) ? !str_eq(none_match, S("*")) : str_eq(match, S("*"))) {
		const char *header = str_is(none_match) ? "If-None-Match" : "If-Match";
		return not_this_condition(rq, header,
		                          arena_fmt(rq->mem, "We don't accept the provided value of %s header for "
		                                             "this API", header).p);
	}
	object_at at;
	bool is = object_look(rq, tx, b, key, STR_NONE, &at) && !at.o->Marker.v;
	if (str_is(none_match) && is)
		return precondition_failed(rq, "If-None-Match");
	if (!str_is(match))
		return OK;
	if (!is)
		return no_such_key(rq, key);
	if (!str_eq(etag_bare(match), etag_bare(at.o->ETag)))
		return precondition_failed(rq, "If-Match");
	return OK;
}
