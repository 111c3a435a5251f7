#include "bucket.h"
#include "acl.h"
#include "base/text.h"
#include "base/digest.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/credential.h"
#include "cloud/policy_cache.h"
#include "gen/s3control.h"
#include "wire/http.h"

#define CONFIG_MAX ((size_t)4 << 20)

str canonical_id(arena *mem, str account)
{
	return sha256_hex(mem, arena_concat(mem, S("farthing:"), account));
}

s3_Owner *owner_of(arena *mem, str account)
{
	s3_Owner *o = arena_new(mem, s3_Owner);
	o->ID = canonical_id(mem, account);
	return o;
}

bool bucket_without_acls(const s3_bucket *b)
{
	return str_eq(b->Ownership, S("BucketOwnerEnforced"));
}

static s3control_PublicAccessBlockConfiguration account_block(req *rq, const txn *tx, str account)
{
	req own = *rq;
	req_become_service(&own, "s3.amazonaws.com", STR_NONE);
	own.who.account = account;
	s3control_GetPublicAccessBlock_in in = { .AccountId = account };
	s3control_GetPublicAccessBlock_out out;
	err none = call_read(&own, tx, "s3control", "GetPublicAccessBlock", &in, &out);
	return none ? (s3control_PublicAccessBlockConfiguration){ 0 } : *out.PublicAccessBlockConfiguration;
}

s3_PublicAccessBlockConfiguration bucket_block(req *rq, const txn *tx, const s3_bucket *b)
{
	s3_PublicAccessBlockConfiguration c = { 0 };
	if (b->Block)
		c = *b->Block;
	const txn *at = tx ? tx : req_read(rq);
	s3control_PublicAccessBlockConfiguration all = account_block(rq, at, b->Account);
	if (!tx)
		req_read_end(rq, at);
	c.BlockPublicAcls.v |= all.BlockPublicAcls.v;
	c.IgnorePublicAcls.v |= all.IgnorePublicAcls.v;
	c.BlockPublicPolicy.v |= all.BlockPublicPolicy.v;
	c.RestrictPublicBuckets.v |= all.RestrictPublicBuckets.v;
	return c;
}

typedef struct verdict { bool denied, allowed; } verdict;

static verdict ask_policy(req *rq, const s3_bucket *b, const char *action, str arn)
{
	verdict v = { false, false };
	if (!b->Policy.n)
		return v;
	policy_cache_hold();
	const policy *p = policy_cached(rq->mem, b->Policy, POLICY_RESOURCE);
	if (p) {
		asking a;
		asking_open(&a, rq, NULL, str_c(action), arn, NULL);
		policy_answer said = policy_ask(rq->mem, p, &a.q);
		v = (verdict){ said.denied != NULL, said.allowed != NULL };
	}
	policy_cache_release();
	return v;
}

/* Where the requester pays, strangers must say that they know, and be somebody who can be billed. */
static err check_payer(req *rq, const txn *tx, const s3_bucket *b)
{
	s3_RequestPaymentConfiguration c;
	if (!config_get(tx, rq->mem, b->Name, S("payment"), S(""), &s3_RequestPaymentConfiguration_shape, &c) ||
	    !str_eq(c.Payer, S("Requester")))
		return OK;
	str said = rq->http ? wire_header(rq->http, S("x-amz-request-payer")) : STR_NONE;
	if (rq->who.anonymous || !str_eq(said, S("requester")))
		return access_denied(rq);
	for (size_t i = 0; i < rq->n_reply_headers; i++)
		if (str_eq(rq->reply_headers[i].name, S("x-amz-request-charged")))
			return OK;
	req_header(rq, S("x-amz-request-charged"), S("requester"));
	return OK;
}

err bucket_allows(req *rq, const txn *tx, const s3_bucket *b, const char *action, str key,
                  const s3_StoredObject *o)
{
	bool stranger = rq->who.anonymous || !str_eq(rq->who.account, b->Account);
	if (!stranger)
		return OK;
	TRY(check_payer(rq, tx, b));
	str arn = str_is(key) ? arena_fmt(rq->mem, "arn:aws:s3:::%.*s/%.*s", STR_ARG(b->Name), STR_ARG(key)) :
				arena_fmt(rq->mem, "arn:aws:s3:::%.*s", STR_ARG(b->Name));
	verdict a = ask_policy(rq, b, action, arn);
	if (a.denied)
		return access_denied(rq);
	s3_PublicAccessBlockConfiguration block = bucket_block(rq, tx, b);
	if (a.allowed && !(block.RestrictPublicBuckets.v && bucket_policy_is_public(rq->mem, b->Policy)))
		return OK;
	if (!bucket_without_acls(b) && !block.IgnorePublicAcls.v && acl_allows(rq, b, action, o))
		return OK;
	return access_denied(rq);
}

s3_bucket *bucket_get(req *rq, const txn *tx, str name)
{
	return name.n > 255 ? NULL : s3_bucket_get(tx, rq->mem, name);
}

static err check_expected_owner(req *rq, const s3_bucket *b)
{
	str expected = rq->http ? wire_header(rq->http, S("x-amz-expected-bucket-owner")) : STR_NONE;
	if (!str_is(expected) || str_eq(expected, b->Account))
		return OK;
	bool digits = expected.n == 12;
	for (size_t i = 0; i < expected.n; i++)
		digits &= expected.p[i] >= '0' && expected.p[i] <= '9';
	return digits ? access_denied(rq) :
			fail(rq, &fault_InvalidBucketOwnerAWSAccountID,
	                     "The value of the expected bucket owner parameter must be an AWS account ID... "
	                     "[%.*s]", STR_ARG(expected));
}

err bucket_find(req *rq, const txn *tx, str name, s3_bucket **out)
{
	s3_bucket *b = *out = bucket_get(rq, tx, name);
	if (!b)
		return no_such_bucket(rq, name);
	TRY(check_expected_owner(rq, b));
	if (rq->http && str_is(wire_header(rq->http, S("origin"))))
		cors_answer(rq, tx, b);
	return OK;
}

err bucket_open(req *rq, const txn *tx, str name, const char *action, str key, s3_bucket **out)
{
	s3_bucket *b;
	TRY(bucket_find(rq, tx, name, &b));
	if (key.n > S3_KEY_BYTES)
		return fail_with(rq, &fault_KeyTooLongError, DETAIL(rq, .MaxSizeAllowed = S("1024")),
		                 "Your key is too long");
	/* An object's own ACL is asked by whoever reads the object. */
	if (!str_is(key) || (strcmp(action, "s3:GetObject") != 0))
		TRY(bucket_allows(rq, tx, b, action, key, NULL));
	*out = b;
	return OK;
}

bool config_get(const txn *tx, arena *mem, str bucket, str kind, str id, const shape *s, void *out)
{
	s3_config *c = s3_config_get(tx, mem, bucket, kind, id);
	if (!c)
		return false;
	memset(out, 0, s->size);
	err e = cbor_decode_value(mem, s, c->Value, out);
	ensure(!e);
	return true;
}

void config_put(txn *tx, arena *mem, str bucket, str kind, str id, const shape *s, const void *value)
{
	buf b = buf_in(mem, 512, CONFIG_MAX);
	cbor_encode_value(&b, s, value);
	s3_config_put(tx, &(s3_config){ .Bucket = bucket, .Kind = kind, .Id = id, .Value = buf_str(&b) });
}

bool config_delete(txn *tx, str bucket, str kind, str id)
{
	return s3_config_delete(tx, bucket, kind, id);
}

/* The bucket's owner is billed, in the bucket's region, unless a requester has said that he pays. */
void meter_bucket(req *rq, const s3_bucket *b, const meter_kind *k, qty quantity)
{
	const struct usage *before = rq->usage;
	meter(rq, k, quantity, b->Name);
	if (rq->usage == before)
		return;
	rq->usage->region = b->Region;
	for (size_t i = 0; i < rq->n_reply_headers; i++)
		if (str_eq(rq->reply_headers[i].name, S("x-amz-request-charged")))
			return;
	rq->usage->account = b->Account;
}

/* What a class asks for requests and for bytes that are read; any other class is as Standard. */
typedef struct class_meters {
	const char *class;
	const meter_kind *write, *read, *retrieval;
} class_meters;

static const class_meters *class_meters_of(str storage_class)
{
	static const class_meters all[] = {
		{ "STANDARD_IA", &S3_IA_PUT, &S3_IA_GET, &S3_IA_RETRIEVAL },
		{ "ONEZONE_IA", &S3_ONEZONE_PUT, &S3_ONEZONE_GET, &S3_ONEZONE_RETRIEVAL },
		{ "GLACIER_IR", &S3_GLACIER_IR_PUT, &S3_GLACIER_IR_GET, &S3_GLACIER_IR_RETRIEVAL },
		{ "GLACIER", &S3_GLACIER_PUT, &S3_GET, NULL },
		{ "DEEP_ARCHIVE", &S3_DEEP_PUT, &S3_GET, NULL },
		{ "STANDARD", &S3_PUT, &S3_GET, NULL },
	};
	const class_meters *m = all;
	while (!str_eq(str_c(m->class), storage_class) && m->write != &S3_PUT)
		m++;
	return m;
}

void meter_write(req *rq, const s3_bucket *b, str storage_class)
{
	meter_bucket(rq, b, class_meters_of(storage_class)->write, QTY(1));
}

void meter_read(req *rq, const s3_bucket *b, str storage_class)
{
	meter_bucket(rq, b, class_meters_of(storage_class)->read, QTY(1));
}

void meter_retrieved(req *rq, const s3_bucket *b, str storage_class, int64_t bytes)
{
	const meter_kind *k = class_meters_of(storage_class)->retrieval;
	if (k && bytes > 0)
		meter_bucket(rq, b, k, bytes);
}

void meter_out(req *rq, const s3_bucket *b, int64_t bytes)
{
	bool inside = rq->parent || rq->who.internal || (rq->who.key && rq->who.key->Role.n);
	if (!inside && bytes > 0)
		meter_bucket(rq, b, &S3_TRANSFER_OUT, bytes);
}
