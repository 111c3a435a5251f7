#include "deliver.h"
#include "base/text.h"
#include "checksum.h"
#include "cloud/call.h"
#include "notify.h"
#include "replicate.h"

report *s3_report_open(store *s, arena *mem)
{
	report *r = arena_new(mem, report);
	*r = (report){ .s = s, .mem = mem, .md5 = digest_open(mem, DIGEST_MD5),
		       .crc = digest_open(mem, checksum_default->digest) };
	content_write_open(&r->to, mem, NULL);
	return r;
}

err s3_report_add(report *r, const char *p, size_t n)
{
	digest_add(r->md5, p, n);
	digest_add(r->crc, p, n);
	return content_write(&r->to, p, n);
}

typedef struct placing {
	str bucket, key, small;
	content c;
	object *o;
} placing;

static err place(req *rq, txn *tx, void *context)
{
	placing *p = context;
	s3_bucket *b = bucket_get(rq, tx, p->bucket);
	if (!b)
		return no_such_bucket(rq, p->bucket);
	p->o->OwnerAccount = b->Account;
	content_attach(tx, &p->c, p->small);
	replicate_mark(tx, rq->mem, b, p->key, p->o);
	object_place(tx, rq->mem, b, p->key, p->o, rq->now);
	replicate_later(tx, rq->mem, b, p->key, p->o);
	notify(rq, tx, b, p->key, p->o, "ObjectCreated:Put");
	return OK;
}

err s3_report_end(report *r, const char *principal, str bucket, str key, str type, str *md5)
{
	req *rq = req_internal(r->mem, r->s, principal, S(""), S(""));
	placing p = { .bucket = bucket, .key = key, .o = arena_new(r->mem, object) };
	*md5 = hex_encode(r->mem, digest_finish(r->mem, r->md5));
	TRY(content_write_end(&r->to, &p.c, &p.small));
	rq->who.user_id = str_c(principal);
	*p.o = (object){ .Content = &p.c, .Size = I64(r->to.size), .ContentType = type,
		         .ETag = arena_fmt(r->mem, "\"%.*s\"", STR_ARG(*md5)), .StorageClass = S("STANDARD"),
		         .Encryption = S("AES256"), .ChecksumType = S("FULL_OBJECT"),
		         .ChecksumAlgorithm = str_c(checksum_default->name),
		         .Checksum = base64_encode(r->mem, digest_finish(r->mem, r->crc)) };
	err e = req_write(rq, place, &p);
	if (e)
		content_write_drop(&r->to);
	return e;
}
