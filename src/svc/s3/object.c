#include "object.h"
#include "replicate.h"
#include "base/money.h"
#include "base/text.h"
#include "base/time.h"
#include "sys/rand.h"

#define KB (INT64_C(1) << 10)

#define ID_SUMMED 20

/* FNV-1a: an id that was made up is told from one that was ours. */
static uint32_t id_sum(const unsigned char *raw)
{
	uint32_t h = UINT32_C(2166136261);
	for (size_t i = 0; i < ID_SUMMED; i++)
		h = (h ^ raw[i]) * UINT32_C(16777619);
	return h;
}

str version_id_new(arena *mem, int64_t seq)
{
	unsigned char raw[24];
	rand_bytes(raw, sizeof raw);
	for (int i = 0; i < 8; i++)
		raw[i] = (unsigned char)((uint64_t)seq >> (56 - 8 * i)) ^ raw[i + 8];
	for (int i = 0; i < 4; i++)
		raw[ID_SUMMED + i] = (unsigned char)(id_sum(raw) >> (24 - 8 * i));
	str text = base64_encode(mem, str_of((const char *)raw, sizeof raw));
	char *p = (char *)(uintptr_t)text.p;
	for (size_t i = 0; i < text.n; i++)
		p[i] = p[i] == '+' ? '.' : p[i] == '/' ? '_' : p[i];
	return text;
}

static bool version_seq(arena *mem, str id, int64_t *seq, bool *summed)
{
	if (id.n != 32)
		return false;
	char *p = arena_bytes(mem, id.n);
	for (size_t i = 0; i < id.n; i++)
		p[i] = id.p[i] == '.' ? '+' : id.p[i] == '_' ? '/' : id.p[i];
	str raw;
	if (!base64_decode(mem, str_of(p, id.n), &raw) || raw.n != 24)
		return false;
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | (unsigned char)(raw.p[i] ^ raw.p[i + 8]);
	*seq = (int64_t)v;
	uint32_t sum = id_sum((const unsigned char *)raw.p);
	*summed = true;
	for (int i = 0; i < 4; i++)
		*summed &= (unsigned char)raw.p[ID_SUMMED + i] == (unsigned char)(sum >> (24 - 8 * i));
	return true;
}

bool version_id_valid(arena *mem, str id)
{
	int64_t seq;
	bool summed;
	return str_eq(id, S("null")) || (version_seq(mem, id, &seq, &summed) && summed);
}

bool version_id_seq(arena *mem, str id, int64_t *seq)
{
	bool summed;
	return version_seq(mem, id, seq, &summed) && summed;
}

err version_id_check(req *rq, str id)
{
	return !str_is(id) || version_id_valid(rq->mem, id) ?
		       OK : invalid_argument(rq, "Invalid version id specified", S("versionId"), id);
}

static object *older_null(const txn *tx, arena *mem, str bucket, str key)
{
	record_scan s = s3_version_scan(tx, mem, 2, bucket, key, 0);
	for (s3_version *v; (v = s3_version_next(&s));)
		if (str_eq(v->It->VersionId, S("null"))) {
			cursor_close(&s.at);
			return v->It;
		}
	return NULL;
}

bool object_look(req *rq, const txn *tx, const s3_bucket *b, str key, str version, object_at *at)
{
	*at = (object_at){ 0 };
	s3_object *row = s3_object_get(tx, rq->mem, b->Name, key);
	if (row && (!str_is(version) || str_eq(row->It->VersionId, version))) {
		*at = (object_at){ row->It, true };
		return true;
	}
	if (!str_is(version))
		return false;
	if (str_eq(version, S("null"))) {
		at->o = older_null(tx, rq->mem, b->Name, key);
	} else {
		int64_t seq;
		bool summed;
		s3_version *v = version_seq(rq->mem, version, &seq, &summed) ?
					s3_version_get(tx, rq->mem, b->Name, key, -seq) : NULL;
		at->o = v && str_eq(v->It->VersionId, version) ? v->It : NULL;
	}
	return at->o != NULL;
}

/* Whoever may not list must not learn that a key is missing. */
static err missing(req *rq, const txn *tx, const s3_bucket *b, str key)
{
	if (bucket_allows(rq, tx, b, "s3:ListBucket", STR_NONE, NULL))
		return access_denied(rq);
	return no_such_key(rq, key);
}

err object_is_marker(req *rq, const object *o)
{
	req_header(rq, S("Allow"), S("DELETE"));
	req_header(rq, S("Last-Modified"), time_http(rq->mem, o->Modified.v));
	return fail_with(rq, &fault_MethodNotAllowed,
	                 DETAIL(rq, .Method = rq->http ? rq->http->method : S("GET"),
	                        .ResourceType = S("DeleteMarker")),
	                 "The specified method is not allowed against this resource.");
}

err object_find(req *rq, const txn *tx, const s3_bucket *b, str key, str version, object_at *at)
{
	if (!object_look(rq, tx, b, key, version, at)) {
		TRY(version_id_check(rq, version));
		return str_is(version) ? no_such_version(rq, key, version) : missing(rq, tx, b, key);
	}
	if (!at->o->Marker.v)
		return OK;
	req_header(rq, S("x-amz-delete-marker"), S("true"));
	req_header(rq, S("x-amz-version-id"), at->o->VersionId);
	return str_is(version) ? object_is_marker(rq, at->o) : no_such_key(rq, key);
}

static void put_at(txn *tx, const s3_bucket *b, str key, object *o, bool current)
{
	if (current)
		s3_object_put(tx, &(s3_object){ .Bucket = b->Name, .Key = key, .It = o });
	else
		s3_version_put(tx, &(s3_version){ .Bucket = b->Name, .Key = key, .Order = -o->Seq.v, .It = o });
}

void object_update(txn *tx, const s3_bucket *b, str key, const object_at *at)
{
	put_at(tx, b, key, at->o, at->current);
}

typedef struct storage_class {
	const char *name;
	const meter_kind *meter;
	int64_t least_bytes, minimum_days;
} storage_class;

static const storage_class classes[] = {
	{ "STANDARD", &S3_STANDARD, 0, 0 },
	{ "REDUCED_REDUNDANCY", &S3_STANDARD, 0, 0 },
	{ "STANDARD_IA", &S3_IA, 128 * KB, 30 },
	{ "ONEZONE_IA", &S3_ONEZONE_IA, 128 * KB, 30 },
	{ "INTELLIGENT_TIERING", &S3_IT_FREQUENT, 0, 0 },
	{ "GLACIER_IR", &S3_GLACIER_IR, 128 * KB, 90 },
	{ "GLACIER", &S3_GLACIER, 0, 90 },
	{ "DEEP_ARCHIVE", &S3_DEEP_ARCHIVE, 0, 180 },
};

static const storage_class *class_find(str name)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (str_eq(str_c(classes[i].name), name))
			return &classes[i];
	return NULL;
}

bool class_known(str name)
{
	return class_find(name) != NULL;
}

bool class_archived(str name)
{
	return str_eq(name, S("GLACIER")) || str_eq(name, S("DEEP_ARCHIVE"));
}

static qty byte_hours(int64_t bytes, int64_t ms)
{
	i128 hours = 0;
	return i128_mul_div(bytes, ms, MS_HOUR, &hours) && hours < INT64_MAX ? (qty)hours : INT64_MAX;
}

void object_charge(txn *tx, const s3_bucket *b, const object *o, int64_t now, int sign)
{
	if (o->Marker.v)
		return;
	const storage_class *c = class_find(class_of(o));
	int64_t bytes = o->Size.v < c->least_bytes ? c->least_bytes : o->Size.v;
	/* AWS keeps 32 KB of index with each archived object, and 8 KB in Standard. */
	if (class_archived(class_of(o))) {
		bytes += 32 * KB;
		resident_add(tx, b->Account, b->Region, now, &S3_STANDARD, b->Name, sign * 8 * KB);
	}
	if (bytes)
		resident_add(tx, b->Account, b->Region, now, c->meter, b->Name, sign * bytes);
	/* Objects of 128 KB and more are watched. */
	if (c->meter == &S3_IT_FREQUENT && o->Size.v >= 128 * KB)
		resident_add(tx, b->Account, b->Region, now, &S3_IT_MONITOR, b->Name, sign * QTY(1));
	/* A restored copy goes with its object. */
	if (sign < 0 && o->RestoreUntil.set && o->RestoreUntil.v > now && o->Size.v)
		resident_add(tx, b->Account, b->Region, now, &S3_STANDARD, b->Name, -o->Size.v);
	int64_t since = o->ClassSince.set ? o->ClassSince.v : o->Modified.v;
	int64_t left = since + c->minimum_days * MS_DAY - now;
	if (sign < 0 && left > 0)
		usage_add(tx, b->Account, b->Region, now, c->meter, b->Name, byte_hours(bytes, left));
}

s3_StoredParts object_parts(const txn *tx, arena *mem, const object *o)
{
	s3_layout *row = o->Layout.n ? s3_layout_get(tx, mem, o->Layout) : NULL;
	return row ? row->Parts : (s3_StoredParts){ 0 };
}

content_list object_contents(const txn *tx, arena *mem, const object *o, const seal_key *key)
{
	content_list l = { .key = key, .id = STR_NONE };
	s3_StoredParts parts = object_parts(tx, mem, o);
	const content **v = arena_array(mem, const content *, parts.n + 1);
	l.v = v;
	for (size_t i = 0; i < parts.n; i++)
		v[l.n++] = parts.v[i].Content;
	if (parts.n)
		l.id = o->Layout;
	else if (o->Content)
		v[l.n++] = o->Content;
	return l;
}

str object_etag(arena *mem, const object *o, str md5_hex)
{
	static const char digits[] = "0123456789abcdef";
	bool secret = o->CustomerKeyMD5.n || str_starts(o->Encryption, S("aws:kms"));
	str shown = secret ? rand_text(mem, 32, str_c(digits)) : md5_hex;
	return arena_fmt(mem, "\"%.*s\"", STR_ARG(shown));
}

static void drop(txn *tx, arena *mem, const s3_bucket *b, const object *o, int64_t now)
{
	object_charge(tx, b, o, now, -1);
	content_list l = object_contents(tx, mem, o, NULL);
	content_release(tx, mem, &l);
	if (o->Layout.n)
		s3_layout_delete(tx, o->Layout);
}

static void retire(txn *tx, const s3_bucket *b, str key, object *o, int64_t now)
{
	o->Noncurrent = TIME(now);
	put_at(tx, b, key, o, false);
}

/* Makes room for a new current version. */
static void make_way(txn *tx, arena *mem, const s3_bucket *b, str key, int64_t now)
{
	s3_object *row = s3_object_get(tx, mem, b->Name, key);
	bool replaces_null = !bucket_versions(b);
	if (row && replaces_null && str_eq(row->It->VersionId, S("null"))) {
		drop(tx, mem, b, row->It, now);
		return;
	}
	if (row)
		retire(tx, b, key, row->It, now);
	if (!replaces_null || !bucket_versioned(b))
		return;
	object *old = older_null(tx, mem, b->Name, key);
	if (old) {
		drop(tx, mem, b, old, now);
		s3_version_delete(tx, b->Name, key, -old->Seq.v);
	}
}

void object_place(txn *tx, arena *mem, const s3_bucket *b, str key, object *o, int64_t now)
{
	make_way(tx, mem, b, key, now);
	o->Seq = I64((int64_t)txn_next(tx, S("s3.seq")));
	o->VersionId = bucket_versions(b) ? version_id_new(mem, o->Seq.v) : S("null");
	o->Modified = TIME(now / MS_SECOND * MS_SECOND);
	o->Noncurrent = (opt_time){ 0 };
	object_charge(tx, b, o, now, 1);
	put_at(tx, b, key, o, true);
}

void object_place_replica(txn *tx, arena *mem, const s3_bucket *b, str key, object *o, int64_t now)
{
	s3_object *row = s3_object_get(tx, mem, b->Name, key);
	bool newest = !row || row->It->Seq.v < o->Seq.v;
	if (newest && row)
		retire(tx, b, key, row->It, now);
	if (!newest)
		o->Noncurrent = TIME(now);
	object_charge(tx, b, o, now, 1);
	put_at(tx, b, key, o, newest);
}

void object_remove(txn *tx, arena *mem, const s3_bucket *b, str key, const object_at *at, int64_t now)
{
	drop(tx, mem, b, at->o, now);
	if (!at->current) {
		s3_version_delete(tx, b->Name, key, -at->o->Seq.v);
		return;
	}
	record_scan s = s3_version_scan(tx, mem, 2, b->Name, key, 0);
	s3_version *next = s3_version_next(&s);
	cursor_close(&s.at);
	if (!next) {
		s3_object_delete(tx, b->Name, key);
		return;
	}
	next->It->Noncurrent = (opt_time){ 0 };
	s3_version_delete(tx, b->Name, key, next->Order);
	put_at(tx, b, key, next->It, true);
}

object *object_hide(txn *tx, arena *mem, const s3_bucket *b, str key, int64_t now)
{
	if (!bucket_versioned(b)) {
		s3_object *row = s3_object_get(tx, mem, b->Name, key);
		if (row) {
			drop(tx, mem, b, row->It, now);
			s3_object_delete(tx, b->Name, key);
		}
		return NULL;
	}
	object *marker = arena_new(mem, object);
	marker->Marker = BOOL(true);
	marker->OwnerAccount = b->Account;
	replicate_mark(tx, mem, b, key, marker);
	object_place(tx, mem, b, key, marker, now);
	replicate_later(tx, mem, b, key, marker);
	return marker;
}

err object_locked(req *rq, const object *o, bool bypass)
{
	bool governed = str_eq(o->LockMode, S("GOVERNANCE")) && bypass;
	if (o->LegalHold.v || (o->LockMode.n && o->RetainUntil.v > rq->now && !governed))
		return fail(rq, &fault_AccessDenied,
		            "Access Denied because object protected by object lock.");
	return OK;
}
