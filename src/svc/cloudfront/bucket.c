/*
 * Buckets as origins. They are read through S3's own operations as what the origin names: an origin access
 * control asks as cloudfront.amazonaws.com for the distribution, an identity as itself, neither as nobody. In
 * every case the caller is a stranger to the bucket, so its policy, ACLs and public access block decide,
 * whether or not --iam enforce is on.
 */
#include "visit.h"
#include "base/text.h"
#include "base/time.h"
#include "base/xml.h"
#include "cloud/call.h"
#include "gen/s3.h"

#define PIECE ((int64_t)1 << 20)
#define STRANGER S("cloudfront")

static bool signs(visit *v, const cloudfront_Origin *o, const txn *tx)
{
	if (!o->OriginAccessControlId.n)
		return false;
	cloudfront_thing *t = cf_named(v->mem, tx, v->d->Account, CF_CONTROL, o->OriginAccessControlId);
	if (!t || str_eq(t->Control->SigningBehavior, S("never")))
		return false;
	bool keeps = str_eq(t->Control->SigningBehavior, S("no-override"));
	return !(keeps && str_is(wire_header(&v->x->in, S("authorization"))));
}

static void become(visit *v, const cloudfront_Origin *o, req *rq)
{
	str identity = o->S3OriginConfig ? o->S3OriginConfig->OriginAccessIdentity : S("");
	str prefix = S("origin-access-identity/cloudfront/");
	const txn *tx = store_read(v->s);
	bool control = signs(v, o, tx);
	store_read_end(v->s, tx);
	rq->enforce = false;
	if (control) {
		rq->who = (caller){ .account = STRANGER, .arn = S("cloudfront.amazonaws.com"), .internal = true };
		rq->source = cf_arn(v->mem, v->d);
	} else if (identity.n > prefix.n) {
		rq->who = (caller){ .account = STRANGER };
		rq->who.arn = arena_fmt(v->mem, "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity %.*s",
		                        STR_ARG(str_sub(identity, prefix.n, identity.n)));
	} else {
		rq->who = (caller){ .account = S("000000000000"), .arn = S("anonymous"), .user_id = S("anonymous"),
			            .anonymous = true };
	}
}

static void refused(visit *v, err e, answer *a)
{
	if (e->kind->status == 304) {
		a->m.status = 304;
		return;
	}
	bool anonymous = str_eq(str_c(e->kind->code), S("AccessDenied"));
	buf b = buf_in(v->mem, 512, 65536);
	buf_put(&b, S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>"));
	xml_put_text(&b, str_c(e->kind->code));
	buf_put(&b, S("</Code><Message>"));
	xml_put_text(&b, anonymous ? S("Access Denied") : e->message);
	buf_fmt(&b, "</Message><RequestId>%.*s</RequestId></Error>", STR_ARG(v->rq->id));
	a->m.status = e->kind->status;
	a->m.body = buf_str(&b);
	wire_header_add(&a->m, S("Content-Type"), S("application/xml"));
	wire_header_add(&a->m, S("Server"), S("AmazonS3"));
}

static void put(answer *a, const char *name, str value)
{
	if (value.n)
		wire_header_add(&a->m, str_c(name), value);
}

static void describe(visit *v, const s3_HeadObject_out *h, answer *a)
{
	put(a, "Content-Type", h->ContentType);
	put(a, "Server", S("AmazonS3"));
	put(a, "ETag", h->ETag);
	if (h->LastModified.set)
		put(a, "Last-Modified", time_http(v->mem, h->LastModified.v));
	put(a, "Cache-Control", h->CacheControl);
	put(a, "Content-Disposition", h->ContentDisposition);
	put(a, "Content-Encoding", h->ContentEncoding);
	put(a, "Content-Language", h->ContentLanguage);
	put(a, "Expires", h->Expires);
	put(a, "x-amz-server-side-encryption", h->ServerSideEncryption);
	put(a, "x-amz-version-id", h->VersionId);
	put(a, "x-amz-website-redirect-location", h->WebsiteRedirectLocation);
	for (size_t i = 0; i < h->Metadata.n; i++)
		put(a, arena_concat(v->mem, S("x-amz-meta-"), h->Metadata.v[i].key).p, h->Metadata.v[i].value);
}

typedef struct pieces {
	req rq;
	str bucket, key, etag;
	int64_t first, length;
	arena *mem; /* of the piece that leaves */
} pieces;

static void close_pieces(void *subject)
{
	arena_close(((pieces *)subject)->mem);
}

static bool next_piece(void *context, int64_t at, http_piece *out)
{
	pieces *p = context;
	int64_t n = p->length - at < PIECE ? p->length - at : PIECE, from = p->first + at;
	arena_reset(p->mem);
	req rq = p->rq;
	rq.mem = p->mem;
	rq.usage = NULL;
	s3_GetObject_in in = { .Bucket = p->bucket, .Key = p->key, .IfMatch = p->etag,
		.Range = arena_fmt(p->mem, "bytes=%lld-%lld", (long long)from, (long long)(from + n - 1)) };
	s3_GetObject_out got;
	if (call(&rq, NULL, "s3", "GetObject", &in, &got) || !got.Body.n)
		return false;
	*out = (http_piece){ .bytes = got.Body, .fd = -1, .length = (int64_t)got.Body.n };
	return true;
}

static void stream(visit *v, const req *rq, const s3_HeadObject_in *in, const s3_HeadObject_out *h, answer *a)
{
	pieces *p = arena_new(v->mem, pieces);
	int64_t size = h->ContentLength.v;
	*p = (pieces){ .rq = *rq, .bucket = in->Bucket, .key = in->Key, .etag = h->ETag, .length = size,
		       .mem = arena_open(4096) };
	arena_hook(v->mem, close_pieces, p);
	int64_t last;
	if (respond_range(wire_header(&v->x->in, S("range")), size, &p->first, &last) && p->first <= last) {
		p->length = last - p->first + 1;
		a->m.status = 206;
		put(a, "Content-Range", arena_fmt(v->mem, "bytes %lld-%lld/%lld", (long long)p->first,
		                                  (long long)(p->first + p->length - 1), (long long)size));
	}
	put(a, "Accept-Ranges", S("bytes"));
	a->has_body = true;
	a->body = (http_reply_body){ .fd = -1, .length = p->length, .next = next_piece, .context = p };
}

static str key_of(visit *v, const cloudfront_Origin *o)
{
	str path = arena_concat(v->mem, o->OriginPath, v->path);
	return percent_decode(v->mem, str_sub(path, 1, path.n), false);
}

static void give(visit *v, req *rq, const s3_HeadObject_in *in, const s3_HeadObject_out *h, answer *a)
{
	usage *metered = rq->usage; /* one request, however it is read */
	describe(v, h, a);
	a->m.status = 200;
	if (h->ContentLength.v > (int64_t)CACHE_OBJECT_BYTES) {
		stream(v, rq, in, h, a);
		return;
	}
	s3_GetObject_in get = { .Bucket = in->Bucket, .Key = in->Key };
	s3_GetObject_out got;
	err e = call(rq, NULL, "s3", "GetObject", &get, &got);
	rq->usage = metered;
	if (e) {
		a->m.n_headers = 0;
		refused(v, e, a);
		return;
	}
	a->m.body = got.Body;
}

bool bucket_ask(visit *v, const cloudfront_Origin *o, str bucket, str method, const cache_entry *had,
                answer *a)
{
	bool head = str_eq(method, S("HEAD"));
	if (!head && !str_eq(method, S("GET")))
		return false;
	req *rq = req_internal(v->mem, v->s, "cloudfront.amazonaws.com", v->d->Account, S("us-east-1"));
	become(v, o, rq);
	s3_HeadObject_in in = { .Bucket = bucket, .Key = key_of(v, o) };
	s3_HeadObject_out h;
	if (had)
		in.IfNoneMatch = wire_header(&had->answer, S("etag"));
	if (in.IfNoneMatch.n && str_starts(in.IfNoneMatch, S("W/")))
		in.IfNoneMatch = str_sub(in.IfNoneMatch, 2, in.IfNoneMatch.n);
	if (!in.Key.n) {
		/* The bucket's own address: its listing is nobody's to see through here. */
		a->m.status = 403;
		a->m.body = S("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>"
		              "<Message>Access Denied</Message></Error>");
		wire_header_add(&a->m, S("Content-Type"), S("application/xml"));
		return true;
	}
	err e = call(rq, NULL, "s3", "HeadObject", &in, &h);
	if (e) {
		refused(v, e, a);
	} else if (head) {
		describe(v, &h, a);
		a->m.status = 200;
		wire_header_add(&a->m, S("Content-Length"), arena_fmt(v->mem, "%lld", (long long)h.ContentLength.v));
	} else {
		give(v, rq, &in, &h, a);
	}
	if (rq->usage)
		usage_settle_later(rq);
	return true;
}
