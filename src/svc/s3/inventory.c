/*
 * Inventories: once a day or a week, after midnight UTC, a task lists a bucket into compressed CSV in the
 * target bucket, with a manifest.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
 */
#include "inventory.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "deliver.h"
#include "listing.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define KIND S("inventory")
#define STORED_MAX 65535 /* of a block that deflate does not compress */
#define BATCH 2000

typedef struct zipped {
	report *to;
	uint32_t crc;
	uint64_t size;
	buf block;
} zipped;

static err zip_block(zipped *z, bool last)
{
	size_t n = z->block.n;
	unsigned char head[5] = { last, (unsigned char)n, (unsigned char)(n >> 8), (unsigned char)~n,
		                  (unsigned char)(~n >> 8) };
	TRY(s3_report_add(z->to, (const char *)head, sizeof head));
	z->crc = crc32_of(z->crc, z->block.p, n);
	z->size += n;
	err e = n ? s3_report_add(z->to, z->block.p, n) : OK;
	z->block.n = 0;
	return e;
}

static err zip_add(zipped *z, str s)
{
	while (s.n) {
		size_t room = STORED_MAX - z->block.n, n = s.n < room ? s.n : room;
		buf_put(&z->block, str_sub(s, 0, n));
		s = str_sub(s, n, s.n);
		if (z->block.n == STORED_MAX)
			TRY(zip_block(z, false));
	}
	return OK;
}

static err zip_open(zipped *z, arena *mem, report *to)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
	*z = (zipped){ .to = to, .block = buf_in(mem, STORED_MAX + 1, STORED_MAX + 1) };
	return s3_report_add(to, (const char *)head, sizeof head);
}

static err zip_end(zipped *z)
{
	TRY(zip_block(z, true));
	unsigned char tail[8];
	for (int i = 0; i < 4; i++) {
		tail[i] = (unsigned char)(z->crc >> (8 * i));
		tail[4 + i] = (unsigned char)(z->size >> (8 * i));
	}
	return s3_report_add(z->to, (const char *)tail, sizeof tail);
}

typedef struct listing_task {
	store *s;
	s3_InventoryConfiguration c;
	str bucket, after;
	bool more, versions;
} listing_task;

static void cell(buf *b, str s)
{
	if (b->n)
		buf_c(b, ',');
	buf_c(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			buf_c(b, '"');
		buf_c(b, s.p[i]);
	}
	buf_c(b, '"');
}

static str yes(bool v)
{
	return v ? S("true") : S("false");
}

static str encryption_of(const object *o)
{
	return o->CustomerKeyMD5.n                            ? S("SSE-C") :
	       str_eq(o->Encryption, S("aws:kms:dsse"))        ? S("DSSE-KMS") :
	       str_starts(o->Encryption, S("aws:kms"))         ? S("SSE-KMS") : S("SSE-S3");
}

static str field_of(arena *mem, str field, const object *o)
{
	if (str_eq(field, S("Size")))
		return o->Marker.v ? S("") : arena_fmt(mem, "%lld", (long long)o->Size.v);
	if (str_eq(field, S("LastModifiedDate")))
		return time_iso_ms(mem, o->Modified.v);
	if (str_eq(field, S("ETag")))
		return o->ETag.n > 2 ? str_sub(o->ETag, 1, o->ETag.n - 1) : S("");
	if (str_eq(field, S("StorageClass")))
		return o->Marker.v ? S("") : class_of(o);
	if (str_eq(field, S("IsMultipartUploaded")))
		return o->Marker.v ? S("") : yes(o->PartCount.v > 0);
	if (str_eq(field, S("ReplicationStatus")))
		return o->Replication;
	if (str_eq(field, S("EncryptionStatus")))
		return o->Marker.v ? S("") : encryption_of(o);
	if (str_eq(field, S("ObjectLockRetainUntilDate")))
		return o->RetainUntil.set ? time_iso_ms(mem, o->RetainUntil.v) : S("");
	if (str_eq(field, S("ObjectLockMode")))
		return o->LockMode;
	if (str_eq(field, S("ObjectLockLegalHoldStatus")))
		return o->LegalHold.set ? o->LegalHold.v ? S("ON") : S("OFF") : S("");
	if (str_eq(field, S("BucketKeyStatus")))
		return o->BucketKey.v ? S("ENABLED") : S("DISABLED");
	if (str_eq(field, S("ChecksumAlgorithm")))
		return o->ChecksumAlgorithm;
	if (str_eq(field, S("ObjectOwner")))
		return canonical_id(mem, o->OwnerAccount);
	return S("");
}

static err put_line(const listing_task *w, arena *mem, zipped *z, str key, const object *o, bool latest)
{
	buf b = buf_in(mem, 512, 16384);
	cell(&b, w->bucket);
	cell(&b, percent_encode(mem, key, true));
	if (w->versions) {
		cell(&b, str_eq(o->VersionId, S("null")) ? S("") : o->VersionId);
		cell(&b, yes(latest));
		cell(&b, yes(o->Marker.v));
	}
	for (size_t i = 0; i < w->c.OptionalFields.n; i++)
		cell(&b, field_of(mem, w->c.OptionalFields.v[i], o));
	buf_c(&b, '\n');
	return zip_add(z, buf_str(&b));
}

static str schema(arena *mem, const listing_task *w)
{
	buf b = buf_in(mem, 256, 4096);
	buf_put(&b, S("Bucket, Key"));
	if (w->versions)
		buf_put(&b, S(", VersionId, IsLatest, IsDeleteMarker"));
	for (size_t i = 0; i < w->c.OptionalFields.n; i++) {
		buf_put(&b, S(", "));
		buf_put(&b, w->c.OptionalFields.v[i]);
	}
	return buf_str(&b);
}

/* Some keys, in a snapshot of their own: a large bucket does not hold one for long. */
static err put_some(listing_task *w, arena *mem, zipped *z)
{
	const txn *tx = store_read(w->s);
	record_scan s = s3_object_scan(tx, mem, 1, w->bucket, STR_NONE);
	size_t n = 0;
	err e = OK;
	str prefix = w->c.Filter ? w->c.Filter->Prefix : S("");
	w->more = false;
	if (str_is(w->after))
		record_scan_after(&s, w->after);
	else if (prefix.n)
		record_scan_after(&s, key_before(mem, prefix));
	for (s3_object *row; !e && (row = s3_object_next(&s));) {
		if (!str_starts(row->Key, prefix))
			break;
		w->after = row->Key;
		if (w->versions || !row->It->Marker.v)
			e = put_line(w, mem, z, row->Key, row->It, true);
		record_scan v = s3_version_scan(tx, mem, 2, w->bucket, row->Key, 0);
		for (s3_version *old; w->versions && !e && (old = s3_version_next(&v));)
			e = put_line(w, mem, z, old->Key, old->It, false);
		cursor_close(&v.at);
		if (++n == BATCH) {
			w->more = true;
			break;
		}
	}
	cursor_close(&s.at);
	store_read_end(w->s, tx);
	return e;
}

static str folder_of(arena *mem, const listing_task *w)
{
	str prefix = w->c.Destination->S3BucketDestination->Prefix;
	return arena_fmt(mem, "%.*s%s%.*s/%.*s", STR_ARG(prefix), prefix.n ? "/" : "", STR_ARG(w->bucket),
	                 STR_ARG(w->c.Id));
}

static err put_small(store *s, arena *mem, str target, str key, str type, str text, str *md5)
{
	report *r = s3_report_open(s, mem);
	TRY(s3_report_add(r, text.p, text.n));
	return s3_report_end(r, "s3.amazonaws.com", target, key, type, md5);
}

static err put_manifest(listing_task *w, arena *mem, str target, str data_key, int64_t size, str md5)
{
	int64_t now = clock_now();
	civil c = time_civil(now);
	buf j = buf_in(mem, 1024, 16384);
	buf_put(&j, S("{\"sourceBucket\":"));
	json_put_string(&j, w->bucket);
	buf_put(&j, S(",\"destinationBucket\":"));
	json_put_string(&j, w->c.Destination->S3BucketDestination->Bucket);
	buf_fmt(&j, ",\"version\":\"2016-11-30\",\"creationTimestamp\":\"%lld\",\"fileFormat\":\"CSV\","
	            "\"fileSchema\":", (long long)now);
	json_put_string(&j, schema(mem, w));
	buf_put(&j, S(",\"files\":[{\"key\":"));
	json_put_string(&j, data_key);
	buf_fmt(&j, ",\"size\":%lld,\"MD5checksum\":\"%.*s\"}]}", (long long)size, STR_ARG(md5));
	str at = arena_fmt(mem, "%.*s/%04d-%02d-%02dT%02d-%02dZ/manifest", STR_ARG(folder_of(mem, w)), c.year,
	                   c.month, c.day, c.hour, c.minute), sum, ignored;
	TRY(put_small(w->s, mem, target, arena_concat(mem, at, S(".json")), S("application/json"), buf_str(&j),
	              &sum));
	return put_small(w->s, mem, target, arena_concat(mem, at, S(".checksum")), S("text/plain"), sum,
	                 &ignored);
}

static err run(listing_task *w, arena *mem, str target)
{
	zipped z;
	str md5;
	str key = arena_fmt(mem, "%.*s/data/%.*s.csv.gz", STR_ARG(folder_of(mem, w)), STR_ARG(rand_uuid(mem)));
	report *r = s3_report_open(w->s, mem);
	TRY(zip_open(&z, mem, r));
	do {
		arena *own = arena_open(64 << 10);
		err e = put_some(w, own, &z);
		w->after = str_is(w->after) ? arena_str(mem, w->after) : STR_NONE;
		arena_close(own);
		TRY(e);
	} while (w->more);
	TRY(zip_end(&z));
	int64_t size = r->to.size;
	TRY(s3_report_end(r, "s3.amazonaws.com", target, key, S("application/x-gzip"), &md5));
	return put_manifest(w, mem, target, key, size, md5);
}

/* bucket NUL id */
TASK(s3_inventory_run)
{
	listing_task w = { .s = s, .after = STR_NONE };
	str which = payload;
	w.bucket = str_cut(&which, 0);
	const txn *tx = store_read(s);
	bool on = config_get(tx, mem, w.bucket, KIND, which, &s3_InventoryConfiguration_shape, &w.c) &&
		  w.c.IsEnabled.v;
	store_read_end(s, tx);
	if (!on)
		return TASK_DONE;
	str arn = w.c.Destination->S3BucketDestination->Bucket, prefix = S("arn:aws:s3:::");
	w.versions = str_eq(w.c.IncludedObjectVersions, S("All"));
	err e = run(&w, mem, str_starts(arn, prefix) ? str_sub(arn, prefix.n, arn.n) : arn);
	bool busy = e && (e->kind->server || e->kind == &fault_system);
	return busy && attempt < 10 ? clock_now() + MS_MINUTE : TASK_DONE;
}

static int64_t next_due(int64_t now, bool weekly)
{
	int64_t day = now / MS_DAY + 1;
	/* 1970-01-04 was a Sunday. */
	while (weekly && (day - 3) % 7 != 0)
		day++;
	return day * MS_DAY;
}

static void arm(txn *tx, str payload, bool weekly, int64_t now)
{
	timer_set(tx, "s3_inventory", payload, next_due(now, weekly), payload);
}

TIMER(s3_inventory)
{
	s3_InventoryConfiguration c;
	str which = payload, bucket = str_cut(&which, 0);
	if (!config_get(tx, txn_arena(tx), bucket, KIND, which, &s3_InventoryConfiguration_shape,
	                &c))
		return;
	task_add(tx, "s3_inventory_run", payload, 0);
	arm(tx, payload, str_eq(c.Schedule->Frequency, S("Weekly")), due);
}

static str payload_of(arena *mem, str bucket, str id)
{
	buf b = buf_in(mem, 160, 512);
	buf_put(&b, bucket);
	buf_c(&b, 0);
	buf_put(&b, id);
	return buf_str(&b);
}

void inventory_set(txn *tx, arena *mem, str bucket, const s3_InventoryConfiguration *c, int64_t now)
{
	str p = payload_of(mem, bucket, c->Id);
	if (c->IsEnabled.v)
		arm(tx, p, str_eq(c->Schedule->Frequency, S("Weekly")), now);
	else
		timer_cancel(tx, "s3_inventory", p);
}

void inventory_clear(txn *tx, arena *mem, str bucket, str id)
{
	timer_cancel(tx, "s3_inventory", payload_of(mem, bucket, id));
}
