#include "browser.h"
#include "describe.h"
#include "notify.h"
#include "read.h"
#include "replicate.h"
#include "cloud/stream.h"
#include "upload.h"
#include <errno.h>

static err put_open(req *rq, const sigv4 *sig, const void *in_, http_sink **sink)
{
	const s3_PutObject_in *in = in_;
	s3_bucket *b;
	const txn *tx = req_read(rq);
	err e = bucket_open(rq, tx, in->Bucket, "s3:PutObject", in->Key, &b);
	req_read_end(rq, tx);
	TRY(e);
	int64_t declared = in->ContentLength.set ? in->ContentLength.v : -1;
	if (declared > INT64_C(5) << 30)
		return fail_with(rq, &fault_EntityTooLarge, DETAIL(rq, .MaxSizeAllowed = S("5368709120")),
		                 "Your proposed upload exceeds the maximum allowed size");
	const seal_key *key;
	TRY(describe_seal(rq, b, in, &key));
	return upload_open(rq, sig, declared, NULL, key, sink);
}

STREAM(s3_put, "s3", "PutObject", put_open);

typedef struct put {
	const s3_PutObject_in *in;
	object *o;
	content c;
	str small, expiration;
	s3_bucket *b;
} put;

static err put_commit(req *rq, txn *tx, void *context)
{
	put *p = context;
	s3_bucket *b;
	TRY(bucket_open(rq, tx, p->in->Bucket, "s3:PutObject", p->in->Key, &b));
	TRY(describe_conditions(rq, tx, b, p->in->Key, p->in->IfMatch, p->in->IfNoneMatch));
	content_attach(tx, &p->c, p->small);
	replicate_mark(tx, rq->mem, b, p->in->Key, p->o);
	object_place(tx, rq->mem, b, p->in->Key, p->o, rq->now);
	replicate_later(tx, rq->mem, b, p->in->Key, p->o);
	notify(rq, tx, b, p->in->Key, p->o, browser_form(rq) ? "ObjectCreated:Post" : "ObjectCreated:Put");
	meter_write(rq, b, class_of(p->o));
	p->expiration = lifecycle_expiration(rq, tx, b, p->in->Key, p->o);
	return OK;
}

static void put_answer(req *rq, const put *p, const upload *u, s3_PutObject_out *out)
{
	const object *o = p->o;
	out->ETag = o->ETag;
	out->VersionId = bucket_versions(p->b) ? o->VersionId : STR_NONE;
	out->Expiration = p->expiration;
	out->ServerSideEncryption = o->Encryption;
	out->SSEKMSKeyId = o->KmsKey;
	out->SSEKMSEncryptionContext = o->EncryptionContext;
	out->BucketKeyEnabled = o->BucketKey;
	out->SSECustomerKeyMD5 = o->CustomerKeyMD5;
	if (o->CustomerKeyMD5.n)
		out->SSECustomerAlgorithm = S("AES256");
	checksum_set(rq->op->output, out, str_c(u->kind->name), o->Checksum);
	out->ChecksumType = S("FULL_OBJECT");
}

static err look_up(req *rq, const s3_PutObject_in *in, s3_bucket **b)
{
	const txn *tx = req_read(rq);
	err e = bucket_open(rq, tx, in->Bucket, "s3:PutObject", in->Key, b);
	req_read_end(rq, tx);
	return e;
}

static err put_inside(req *rq, const s3_bucket *b, const s3_PutObject_in *in, upload **u)
{
	const seal_key *key;
	TRY(describe_seal(rq, b, in, &key));
	return upload_of(rq, in->Body,
	                 in->ChecksumAlgorithm.n ? checksum_named(in->ChecksumAlgorithm) : NULL, key, u);
}

/* Where a body came in through a stream it is there already; from inside it is the input's. */
err s3_PutObject(req *rq, const s3_PutObject_in *in, s3_PutObject_out *out)
{
	put p = { .in = in, .o = arena_new(rq->mem, object) };
	upload *u = rq->upload;
	TRY(look_up(rq, in, &p.b));
	rq->n_reply_headers = 0;
	if (!u)
		TRY(put_inside(rq, p.b, in, &u));
	if (in->WriteOffsetBytes.set)
		return fail(rq, &fault_NotImplemented, "Appending is for directory buckets only.");
	TRY(describe(rq, p.b, in, u->to.key, p.o));
	TRY(upload_finish(rq, u, &p.c, &p.small));
	object *o = p.o;
	o->Content = &p.c;
	o->Size = I64(u->size);
	o->ETag = object_etag(rq->mem, o, u->md5_hex);
	o->ChecksumAlgorithm = str_c(u->kind->name);
	o->ChecksumType = S("FULL_OBJECT");
	o->Checksum = u->checksum;
	err e = req_write(rq, put_commit, &p);
	if (e) {
		content_write_drop(&u->to);
		return e->kind == &fault_system ? content_fault(rq->mem, ENOSPC, "store") : e;
	}
	put_answer(rq, &p, u, out);
	return OK;
}
