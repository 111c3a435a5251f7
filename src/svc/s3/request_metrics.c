#include "request_metrics.h"
#include "base/text.h"
#include "cloud/metrics.h"
#include "sys/clock.h"

typedef struct measured {
	const access_entry *e;
	const s3_bucket *bucket;
	str filter, key;
} measured;

static void say(const measured *m, const char *name, const char *unit, double value)
{
	metric_later(&(metric_point){ .account = m->bucket->Account, .region = m->bucket->Region,
		.name_space = S("AWS/S3"), .name = str_c(name), .unit = str_c(unit), .when = m->e->rq->now,
		.value = value, .n_dimensions = 2,
		.dimensions = { { S("BucketName"), m->bucket->Name }, { S("FilterId"), m->filter } } });
}

/* NULL: a request for the bucket, which counts among all only. */
static const char *kind_of(const req *rq, str key)
{
	static const struct { const char *method, *metric; } kinds[] = {
		{ "GET", "GetRequests" }, { "PUT", "PutRequests" }, { "DELETE", "DeleteRequests" },
		{ "HEAD", "HeadRequests" }, { "POST", "PostRequests" },
	};
	if (rq->op && (strcmp(rq->op->name, "ListObjects") == 0 || strcmp(rq->op->name, "ListObjectsV2") == 0 ||
	               strcmp(rq->op->name, "ListObjectVersions") == 0))
		return "ListRequests";
	if (rq->op && strcmp(rq->op->name, "DeleteObjects") == 0)
		return "DeleteRequests";
	for (size_t i = 0; key.n && i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(rq->exchange->in.method, str_c(kinds[i].method)))
			return kinds[i].metric;
	return NULL;
}

static void say_all(const measured *m)
{
	const access_entry *e = m->e;
	const http_exchange *x = e->rq->exchange;
	const char *kind = kind_of(e->rq, m->key);
	say(m, "AllRequests", "Count", 1);
	if (kind)
		say(m, kind, "Count", 1);
	say(m, "4xxErrors", "Count", e->status >= 400 && e->status < 500);
	say(m, "5xxErrors", "Count", e->status >= 500);
	if (e->sent && e->status < 400)
		say(m, "BytesDownloaded", "Bytes", (double)e->sent);
	if (x->body_bytes)
		say(m, "BytesUploaded", "Bytes", (double)x->body_bytes);
	say(m, "TotalRequestLatency", "Milliseconds", (double)(clock_mono_us() - x->received_us) / 1000);
}

static bool tagged(const s3_TagSet *tags, const s3_Tag *with)
{
	for (size_t i = 0; i < tags->n; i++)
		if (str_eq(tags->v[i].Key, with->Key) && str_eq(tags->v[i].Value, with->Value))
			return true;
	return false;
}

static bool fits(const s3_MetricsFilter *f, str key, const s3_TagSet *tags)
{
	bool all = true;
	if (!f)
		return true;
	if (str_is(f->AccessPointArn) || (f->And && str_is(f->And->AccessPointArn)))
		return false; /* there are no access points */
	for (size_t i = 0; f->And && i < f->And->Tags.n; i++)
		all = all && tagged(tags, &f->And->Tags.v[i]);
	return all && str_starts(key, f->Prefix) && (!f->And || str_starts(key, f->And->Prefix)) &&
	       (!f->Tag || tagged(tags, f->Tag));
}

void request_metrics(const txn *tx, const access_entry *e)
{
	const http_exchange *x = e->rq->exchange;
	str key = str_sub(x->in.path, x->in.path.n > 0, x->in.path.n), name = str_cut(&key, '/');
	arena *mem = e->rq->mem;
	if (!name.n || name.n > 63)
		return;
	record_scan s = s3_config_scan(tx, mem, 2, name, S("metrics"), STR_NONE);
	s3_config *c = s3_config_next(&s);
	if (!c)
		return;
	measured m = { .e = e, .bucket = s3_bucket_get(tx, mem, name) };
	str plain = str_is(key) ? percent_decode(mem, key, false) : S("");
	m.key = plain;
	s3_object *o = plain.n && plain.n <= S3_KEY_BYTES ? s3_object_get(tx, mem, name, plain) : NULL;
	s3_TagSet none = { 0 };
	for (; c && m.bucket; c = s3_config_next(&s)) {
		s3_MetricsConfiguration it = { 0 };
		if (cbor_decode_value(mem, &s3_MetricsConfiguration_shape, c->Value, &it) != OK ||
		    !fits(it.Filter, plain, o ? &o->It->Tags : &none))
			continue;
		m.filter = c->Id;
		say_all(&m);
	}
	cursor_close(&s.at);
}
