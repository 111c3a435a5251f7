/*
 * Server access logs. Each request to a bucket that logs is a line, gathered in memory for some milliseconds
 * and kept in rows; some minutes after the first a task writes the lines to an object of the target bucket.
 * As on AWS delivery is an effort: a crash may lose the last moments, or deliver lines twice.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
 */
#include "access_log.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/later.h"
#include "cloud/server.h"
#include "object.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define GATHER_MS 50
#define DELIVER_MS (5 * MS_MINUTE)
#define OBJECT_BYTES ((size_t)4 << 20)
#define LINE_MAX_BYTES 8192

static str operation_name(arena *mem, const operation *op, str method)
{
	static const char *const names[][2] = {
		{ "PutObject", "PUT.OBJECT" }, { "GetObject", "GET.OBJECT" }, { "HeadObject", "HEAD.OBJECT" },
		{ "DeleteObject", "DELETE.OBJECT" }, { "CopyObject", "COPY.OBJECT" },
		{ "DeleteObjects", "POST.MULTI_OBJECT_DELETE" }, { "ListObjects", "GET.BUCKET" },
		{ "ListObjectsV2", "GET.BUCKET" }, { "ListObjectVersions", "GET.BUCKETVERSIONS" },
		{ "CreateBucket", "PUT.BUCKET" }, { "HeadBucket", "HEAD.BUCKET" },
		{ "DeleteBucket", "DELETE.BUCKET" }, { "CreateMultipartUpload", "POST.UPLOADS" },
		{ "UploadPart", "PUT.PART" }, { "UploadPartCopy", "COPY.PART" }, { "ListParts", "GET.UPLOAD" },
		{ "CompleteMultipartUpload", "POST.UPLOAD" }, { "AbortMultipartUpload", "DELETE.UPLOAD" },
		{ "ListMultipartUploads", "GET.UPLOADS" }, { "GetBucketLogging", "GET.LOGGING_STATUS" },
		{ "PutBucketLogging", "PUT.LOGGING_STATUS" }, { "GetObjectTagging", "GET.OBJECT_TAGGING" },
		{ "PutObjectTagging", "PUT.OBJECT_TAGGING" }, { "DeleteObjectTagging", "DELETE.OBJECT_TAGGING" },
	};
	for (size_t i = 0; op && i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i][0], op->name) == 0)
			return arena_fmt(mem, "REST.%s", names[i][1]);
	str uri = op ? str_c(op->uri) : S("");
	str_cut(&uri, '?');
	str sub = str_is(uri) ? str_cut(&uri, '&') : S("UNKNOWN");
	char *upper = arena_bytes(mem, sub.n + 1);
	for (size_t i = 0; i < sub.n; i++)
		upper[i] = (char)(sub.p[i] >= 'a' && sub.p[i] <= 'z' ? sub.p[i] - 32 : sub.p[i]);
	return arena_fmt(mem, "REST.%.*s.%.*s", STR_ARG(method), (int)sub.n, upper);
}

static void word(buf *b, str s)
{
	buf_c(b, ' ');
	buf_put(b, s.n ? s : S("-"));
}

static void number(buf *b, int64_t n)
{
	if (n < 0)
		buf_put(b, S(" -"));
	else
		buf_fmt(b, " %lld", (long long)n);
}

static void quoted(buf *b, str s)
{
	buf_put(b, S(" \""));
	for (size_t i = 0; i < s.n && i < 1024; i++)
		if (s.p[i] == '"' || (unsigned char)s.p[i] < ' ')
			buf_fmt(b, "%%%02X", (unsigned char)s.p[i]);
		else
			buf_c(b, s.p[i]);
	buf_put(b, s.n ? S("\"") : S("-\""));
}

/* 06/Feb/2019:00:00:38 +0000 */
static str moment(arena *mem, int64_t now)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	civil c = time_civil(now);
	return arena_fmt(mem, "[%02d/%.3s/%04d:%02d:%02d:%02d +0000]", c.day, months + 3 * (c.month - 1), c.year,
	                 c.hour, c.minute, c.second);
}

static const char *authentication(const wire_message *m)
{
	return str_is(wire_header(m, S("authorization"))) ? "AuthHeader" :
	       str_find(m->query, S("ignature=")) != SIZE_MAX ? "QueryString" : "-";
}

static const char *signature(const wire_message *m)
{
	str header = wire_header(m, S("authorization"));
	if (str_starts(header, S("AWS4")) || str_find(m->query, S("X-Amz-Signature=")) != SIZE_MAX)
		return "SigV4";
	return str_is(header) || str_find(m->query, S("Signature=")) != SIZE_MAX ? "SigV2" : "-";
}

static void line_of(buf *b, const access_entry *e, const s3_bucket *k, str key, const object *o)
{
	req *rq = e->rq;
	const http_exchange *x = rq->exchange;
	arena *mem = rq->mem;
	bool writes = rq->op && strcmp(rq->op->name, "PutObject") == 0;
	int64_t took = (clock_mono_us() - x->received_us) / 1000;
	buf_put(b, canonical_id(mem, k->Account));
	word(b, k->Name);
	word(b, moment(mem, rq->now));
	word(b, x->peer);
	word(b, rq->who.anonymous ? S("-") : rq->who.root ? canonical_id(mem, rq->who.account) : rq->who.arn);
	word(b, rq->id);
	word(b, operation_name(mem, rq->op, x->in.method));
	word(b, key);
	quoted(b, arena_fmt(mem, "%.*s %.*s HTTP/1.1", STR_ARG(x->in.method), STR_ARG(x->target)));
	number(b, e->status);
	word(b, e->fault ? str_c(e->fault->kind->query_code) : S("-"));
	number(b, e->sent ? (int64_t)e->sent : -1);
	number(b, writes ? (int64_t)x->body_bytes : o ? o->Size.v : -1);
	number(b, took);
	number(b, took);
	quoted(b, wire_header(&x->in, S("referer")));
	quoted(b, wire_header(&x->in, S("user-agent")));
	word(b, o && bucket_versioned(k) ? o->VersionId : S("-"));
	word(b, canonical_id(mem, rq->id));
	word(b, str_c(signature(&x->in)));
	word(b, x->tls ? S("TLS_AES_256_GCM_SHA384") : S("-"));
	word(b, str_c(authentication(&x->in)));
	word(b, x->host);
	word(b, x->tls ? S("TLSv1.3") : S("-"));
	buf_put(b, S(" - -\n"));
}

typedef struct line {
	later_item item; /* first */
	str bucket, text;
	int64_t when;
} line;

static later *gatherer;

static void write_lines(txn *tx, const later_item *items)
{
	for (const line *l = (const line *)items; l; l = (const line *)l->item.next) {
		s3_logline_put(tx, &(s3_logline){ .Bucket = l->bucket, .Number = (int64_t)txn_next(tx, S("s3.log")),
			                          .Line = l->text });
		if (s3_config_get(tx, txn_arena(tx), l->bucket, S("log-due"), S("")))
			continue;
		s3_config_put(tx, &(s3_config){ .Bucket = l->bucket, .Kind = S("log-due"), .Id = S("") });
		timer_set(tx, "s3_log", l->bucket, l->when + DELIVER_MS, l->bucket);
	}
}

void access_log(const txn *tx, const access_entry *e)
{
	req *rq = e->rq;
	const http_exchange *x = rq->exchange;
	str key = str_sub(x->in.path, x->in.path.n > 0, x->in.path.n), name = str_cut(&key, '/');
	if (!gatherer || !name.n || name.n > 63 || !s3_config_get(tx, rq->mem, name, S("logging"), S("")))
		return;
	s3_bucket *b = s3_bucket_get(tx, rq->mem, name);
	if (!b)
		return;
	str plain = str_is(key) ? percent_decode(rq->mem, key, false) : S("");
	bool is_key = plain.n && plain.n <= S3_KEY_BYTES;
	s3_object *o = is_key ? s3_object_get(tx, rq->mem, name, plain) : NULL;
	buf text = buf_in(rq->mem, 512, LINE_MAX_BYTES);
	line_of(&text, e, b, str_is(key) ? key : S(""), o ? o->It : NULL);
	arena *a = later_begin(gatherer);
	if (!a)
		return;
	line *l = arena_new(a, line);
	*l = (line){ .bucket = arena_str(a, name), .text = arena_str(a, buf_str(&text)), .when = rq->now };
	later_end(gatherer, &l->item, text.n);
}

TIMER(s3_log)
{
	s3_config_delete(tx, payload, S("log-due"), S(""));
	task_add(tx, "s3_log_deliver", payload, 0);
}

typedef struct batch {
	str bucket;
	buf text;
	int64_t last;
	bool more;
} batch;

static void gather(const txn *tx, arena *mem, batch *v)
{
	record_scan s = s3_logline_scan(tx, mem, 1, v->bucket, 0);
	v->text = buf_in(mem, 4096, OBJECT_BYTES + LINE_MAX_BYTES);
	v->more = false;
	for (s3_logline *l; (l = s3_logline_next(&s));) {
		if (v->text.n > OBJECT_BYTES) {
			v->more = true;
			cursor_close(&s.at);
			break;
		}
		buf_put(&v->text, l->Line);
		v->last = l->Number;
	}
}

static err forget(req *rq, txn *tx, void *context)
{
	const batch *v = context;
	record_scan s = s3_logline_scan(tx, rq->mem, 1, v->bucket, 0);
	for (s3_logline *l; (l = s3_logline_next(&s));) {
		if (l->Number > v->last) {
			cursor_close(&s.at);
			break;
		}
		s3_logline_delete(tx, v->bucket, l->Number);
	}
	return OK;
}

static str log_key(arena *mem, const s3_LoggingEnabled *l, const s3_bucket *b, int64_t now)
{
	civil c = time_civil(now);
	str noise = rand_text(mem, 16, S("0123456789ABCDEF"));
	str day = arena_fmt(mem, "%04d-%02d-%02d-%02d-%02d-%02d-%.*s", c.year, c.month, c.day, c.hour, c.minute,
	                    c.second, STR_ARG(noise));
	if (!l->TargetObjectKeyFormat || !l->TargetObjectKeyFormat->PartitionedPrefix)
		return arena_fmt(mem, "%.*s%.*s", STR_ARG(l->TargetPrefix), STR_ARG(day));
	return arena_fmt(mem, "%.*s%.*s/%.*s/%.*s/%04d/%02d/%02d/%.*s", STR_ARG(l->TargetPrefix),
	                 STR_ARG(b->Account), STR_ARG(b->Region), STR_ARG(b->Name), c.year, c.month, c.day,
	                 STR_ARG(day));
}

/* What is delivered costs storage, but no requests. */
static err deliver(req *rq, const s3_bucket *b, const s3_LoggingEnabled *l, str text)
{
	s3_PutObject_in in = { .Bucket = l->TargetBucket, .Key = log_key(rq->mem, l, b, rq->now), .Body = text,
		               .ContentType = S("text/plain") };
	s3_PutObject_out out = { 0 };
	return call(rq, NULL, "s3", "PutObject", &in, &out);
}

TASK(s3_log_deliver)
{
	batch v = { .bucket = payload, .more = true };
	while (v.more) {
		arena *own = arena_open(64 << 10);
		s3_LoggingEnabled l;
		const txn *tx = store_read(s);
		s3_bucket *b = s3_bucket_get(tx, own, payload);
		bool on = b && config_get(tx, own, payload, S("logging"), S(""), &s3_LoggingEnabled_shape, &l);
		gather(tx, own, &v);
		store_read_end(s, tx);
		req *rq = req_internal(own, s, "logging.s3.amazonaws.com", b ? b->Account : S(""),
		                       b ? b->Region : S(""));
		err e = on && v.text.n ? deliver(rq, b, &l, buf_str(&v.text)) : OK;
		bool again = e && (e->kind->server || e->kind == &fault_system);
		if (!again && v.text.n)
			again = req_write(rq, forget, &v) != OK;
		arena_close(own);
		if (again)
			return clock_now() + MS_MINUTE;
	}
	return TASK_DONE;
}

static err start(store *s, str data_folder)
{
	(void)data_folder;
	gatherer = later_open(s, GATHER_MS, write_lines);
	return OK;
}

static void stop(void)
{
	later *l = gatherer;
	gatherer = NULL;
	later_close(l);
}

SERVER_PART(s3_access_log, start, stop);
