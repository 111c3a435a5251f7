/*
 * Exports to S3: a table as it stood at a moment, as gzipped lines of DynamoDB's JSON, with the manifests
 * that AWS lays beside them:
 *   PREFIX/AWSDynamoDB/ID/_started, manifest-summary.json, manifest-files.json, each .md5, data/NAME.json.gz
 */
#include "base/digest.h"
#include "base/gzip.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "svc/dynamodb/backup.h"
#include "sys/clock.h"
#include "sys/rand.h"
#if __has_include("gen/s3.h")
#include "gen/s3.h"
#endif

#define FILE_BYTES ((size_t)8 << 20)
#define LINE_ROOM ((size_t)4 << 20)
#define LIST_MAX 25

static err export_find(req *rq, const txn *tx, str arn, dynamodb_export **e)
{
	size_t slash = arn.n;
	while (slash > 0 && arn.p[slash - 1] != '/')
		slash--;
	*e = dynamodb_export_get(tx, rq->mem, rq->who.account, rq->region, str_sub(arn, slash, arn.n));
	return *e && str_eq((*e)->It->ExportArn, arn) ? OK :
	       fail(rq, &dynamodb_ExportNotFoundException, "Export not found: %.*s", STR_ARG(arn));
}

static err refused(req *rq, const dynamodb_ExportTableToPointInTime_in *in)
{
	if (str_eq(in->ExportFormat, dynamodb_ExportFormat_ION))
		return fail(rq, &aws_NotImplemented, "Farthing exports tables as DYNAMODB_JSON, not as ION.");
	if (str_eq(in->ExportType, dynamodb_ExportType_INCREMENTAL_EXPORT))
		return fail(rq, &aws_NotImplemented, "Farthing makes full exports only, no incremental ones.");
	return OK;
}

/* The export that this token began; NULL: a new one. */
static dynamodb_export *by_token(req *rq, const txn *tx, str token)
{
	dynamodb_export *found = NULL;
	record_scan s = dynamodb_export_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (dynamodb_export *e; !found && token.n && (e = dynamodb_export_next(&s));)
		if (str_eq(e->Token, token))
			found = e;
	cursor_close(&s.at);
	return found;
}

err dynamodb_ExportTableToPointInTime(req *rq, txn *tx, const dynamodb_ExportTableToPointInTime_in *in,
                                      dynamodb_ExportTableToPointInTime_out *out)
{
	str name;
	ddb_tally tally;
	dynamodb_recovery *recovery;
	TRY(refused(rq, in));
	TRY(ddb_name(rq, in->TableArn, &name));
	const dynamodb_table *r = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, name);
	const ddb_table *t = r ? ddb_head_get(tx, rq->mem, r->Account, r->Region, r->TableName) : NULL;
	if (!t)
		return fail(rq, &dynamodb_TableNotFoundException, "Table not found: %.*s", STR_ARG(name));
	if (!ddb_recovery_on(tx, rq->mem, t, &recovery))
		return fail(rq, &dynamodb_PointInTimeRecoveryUnavailableException,
		            "Point in time recovery is not enabled for table '%.*s'", STR_ARG(name));
	dynamodb_export *old = by_token(rq, tx, in->ClientToken);
	if (old) {
		out->ExportDescription = old->It;
		return OK;
	}
	int64_t when = in->ExportTime.set ? in->ExportTime.v : rq->now;
	if (when > rq->now || when + MS_SECOND <= ddb_recovery_earliest(recovery, rq->now))
		return fail(rq, &dynamodb_InvalidExportTimeException,
		            "The export time is not within the point-in-time recovery window of the table");
	str id = arena_fmt(rq->mem, "%014lld-%08llx", (long long)rq->now, (unsigned long long)rand_u64() >> 32);
	dynamodb_ExportDescription *d = arena_new(rq->mem, dynamodb_ExportDescription);
	ddb_tally_get(tx, rq->mem, t, &tally);
	*d = (dynamodb_ExportDescription){ .ExportStatus = dynamodb_ExportStatus_IN_PROGRESS,
		.ExportArn = arena_fmt(rq->mem, "%.*s/export/%.*s", STR_ARG(t->arn), STR_ARG(id)),
		.StartTime = TIME(rq->now), .TableArn = t->arn, .TableId = r->Table->TableId,
		.ExportTime = TIME(when), .ClientToken = in->ClientToken, .S3Bucket = in->S3Bucket,
		.S3BucketOwner = in->S3BucketOwner, .S3Prefix = in->S3Prefix,
		.S3SseAlgorithm = str_is(in->S3SseAlgorithm) ? in->S3SseAlgorithm : S("AES256"),
		.S3SseKmsKeyId = in->S3SseKmsKeyId, .ExportFormat = dynamodb_ExportFormat_DYNAMODB_JSON,
		.ExportType = dynamodb_ExportType_FULL_EXPORT };
	dynamodb_export_put(tx, &(dynamodb_export){ t->account, t->region, id, d, in->ClientToken });
	meter(rq, &DYNAMODB_EXPORT, tally.table.bytes, t->arn);
	ddb_copy_later(tx, &(dynamodb_copy){ .Number = (int64_t)txn_next(tx, S("dynamodb.copy")),
		.Kind = S("export"), .Account = t->account, .Region = t->region, .Source = t->name,
		.SourceId = (int64_t)t->id, .When = when, .Target = id });
	out->ExportDescription = d;
	return OK;
}

err dynamodb_DescribeExport(req *rq, const txn *tx, const dynamodb_DescribeExport_in *in,
                            dynamodb_DescribeExport_out *out)
{
	dynamodb_export *e;
	TRY(export_find(rq, tx, in->ExportArn, &e));
	out->ExportDescription = e->It;
	return OK;
}

err dynamodb_ListExports(req *rq, const txn *tx, const dynamodb_ListExports_in *in,
                         dynamodb_ListExports_out *out)
{
	str after, last = STR_NONE;
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : LIST_MAX;
	record_scan s = dynamodb_export_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "Invalid NextToken");
		record_scan_after(&s, after);
	}
	out->ExportSummaries.v = arena_array(rq->mem, dynamodb_ExportSummary, most);
	for (const dynamodb_export *e; (e = dynamodb_export_next(&s));) {
		if (in->TableArn.n && !str_eq(in->TableArn, e->It->TableArn))
			continue;
		if (out->ExportSummaries.n == most) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->ExportSummaries.v[out->ExportSummaries.n++] =
			(dynamodb_ExportSummary){ e->It->ExportArn, e->It->ExportStatus, e->It->ExportType };
		last = e->Id;
	}
	cursor_close(&s.at);
	return OK;
}

/* What one file needs is forgotten with it: only lines of the manifest stay. */
typedef struct exporting {
	req *rq;
	arena *file, *item;
	dynamodb_export *e;
	store *store;
	str rows, after, folder;
	buf manifest; /* lines about data files */
	int64_t items, plain_bytes;
	bool end;
} exporting;

static err put_object(exporting *x, str name, str type, str body, str *etag)
{
#if __has_include("gen/s3.h")
	const dynamodb_ExportDescription *d = x->e->It;
	req *rq = req_internal(x->file, x->store, "dynamodb.amazonaws.com", x->e->Account, x->e->Region);
	s3_PutObject_in in = { .Bucket = d->S3Bucket, .Body = body, .ContentType = type,
		               .Key = arena_fmt(x->rq->mem, "%.*s%.*s", STR_ARG(x->folder), STR_ARG(name)) };
	s3_PutObject_out out = { 0 };
	if (str_eq(d->S3SseAlgorithm, S("KMS"))) {
		in.ServerSideEncryption = S("aws:kms");
		in.SSEKMSKeyId = d->S3SseKmsKeyId;
	}
	err e = call(rq, NULL, "s3", "PutObject", &in, &out);
	usage_settle_later(rq);
	if (e)
		return fail(x->rq, e->kind, "%.*s", STR_ARG(e->message));
	*etag = arena_str(x->rq->mem, out.ETag);
	return OK;
#else
	return fail(x->rq, &aws_NotImplemented, "There is no S3 here.");
#endif
}

/* Lines for one data file, from where the last one ended. */
static str next_lines(exporting *x, int64_t *items)
{
	arena *mem = x->file;
	buf b = buf_in(mem, 1 << 16, FILE_BYTES + LINE_ROOM);
	const txn *tx = store_read(x->store);
	str from = str_is(x->after) ? arena_concat(mem, x->after, str_of("\0", 1)) : x->rows;
	cursor c = txn_scan(tx, from, key_after_prefix(mem, x->rows), false);
	x->end = true;
	*items = 0;
	while (cursor_next(&c)) {
		dynamodb_AttributeMap item = wire_map_out(x->item, ddb_item_of_row(c.value).map);
		buf_put(&b, S("{\"Item\":"));
		json_encode_value(&b, &dynamodb_AttributeMap_shape, &item);
		buf_put(&b, S("}\n"));
		arena_reset(x->item);
		++*items;
		if (b.n >= FILE_BYTES) {
			x->after = arena_str(x->rq->mem, c.key);
			x->end = false;
			break;
		}
	}
	cursor_close(&c);
	store_read_end(x->store, tx);
	return buf_str(&b);
}

static str md5_base64(arena *mem, str bytes)
{
	str raw;
	ensure(hex_decode(mem, md5_hex(mem, bytes), &raw));
	return base64_encode(mem, raw);
}

static err put_data(exporting *x)
{
	int64_t items;
	str etag = STR_NONE;
	arena *mem = x->rq->mem;
	do {
		str lines = next_lines(x, &items);
		str packed = gzip_pack(x->file, lines);
		str name = arena_fmt(mem, "data/%.*s.json.gz",
		                     STR_ARG(rand_text(mem, 26, S("abcdefghijklmnopqrstuvwxyz234567"))));
		TRY(put_object(x, name, S("application/octet-stream"), packed, &etag));
		buf_fmt(&x->manifest, "{\"itemCount\":%lld,\"md5Checksum\":\"%.*s\",\"etag\":", (long long)items,
		        STR_ARG(md5_base64(mem, packed)));
		json_put_string(&x->manifest, etag.n > 2 && etag.p[0] == '"' ? str_sub(etag, 1, etag.n - 1) : etag);
		buf_put(&x->manifest, S(",\"dataFileS3Key\":"));
		json_put_string(&x->manifest, arena_fmt(mem, "%.*s%.*s", STR_ARG(x->folder), STR_ARG(name)));
		buf_put(&x->manifest, S("}\n"));
		x->items += items;
		x->plain_bytes += (int64_t)lines.n;
		arena_reset(x->file);
	} while (!x->end);
	return OK;
}

static void put_member(buf *b, const char *key, str text)
{
	buf_fmt(b, "%s\"%s\":", b->n > 1 ? "," : "", key);
	if (str_is(text))
		json_put_string(b, text);
	else
		buf_put(b, S("null"));
}

static str summary(exporting *x, int64_t end)
{
	arena *mem = x->rq->mem;
	const dynamodb_ExportDescription *d = x->e->It;
	buf b = buf_in(mem, 1024, 1 << 16);
	buf_c(&b, '{');
	put_member(&b, "version", S("2020-06-30"));
	put_member(&b, "exportArn", d->ExportArn);
	put_member(&b, "startTime", time_iso_ms(mem, d->StartTime.v));
	put_member(&b, "endTime", time_iso_ms(mem, end));
	put_member(&b, "tableArn", d->TableArn);
	put_member(&b, "tableId", d->TableId);
	put_member(&b, "exportTime", time_iso_ms(mem, d->ExportTime.v));
	put_member(&b, "s3Bucket", d->S3Bucket);
	put_member(&b, "s3Prefix", d->S3Prefix);
	put_member(&b, "s3SseAlgorithm", d->S3SseAlgorithm);
	put_member(&b, "s3SseKmsKeyId", d->S3SseKmsKeyId);
	put_member(&b, "manifestFilesS3Key", arena_fmt(mem, "%.*smanifest-files.json", STR_ARG(x->folder)));
	buf_fmt(&b, ",\"billedSizeBytes\":%lld,\"itemCount\":%lld", (long long)d->BilledSizeBytes.v,
	        (long long)x->items);
	put_member(&b, "outputFormat", d->ExportFormat);
	put_member(&b, "exportType", d->ExportType);
	buf_c(&b, '}');
	return buf_str(&b);
}

static err put_with_digest(exporting *x, const char *name, str body)
{
	str etag;
	arena *mem = x->rq->mem;
	TRY(put_object(x, arena_fmt(mem, "%s.json", name), S("application/json"), body, &etag));
	return put_object(x, arena_fmt(mem, "%s.md5", name), S("text/plain"), md5_base64(mem, body), &etag);
}

static err put_files(exporting *x, int64_t end)
{
	str etag;
	TRY(put_object(x, S("_started"), S("text/plain"), S(""), &etag));
	TRY(put_data(x));
	TRY(put_with_digest(x, "manifest-files", buf_str(&x->manifest)));
	return put_with_digest(x, "manifest-summary", summary(x, end));
}

static bool keep(void *context, txn *tx)
{
	const exporting *x = context;
	dynamodb_export_put(tx, x->e);
	return true;
}

bool ddb_export_write(store *s, arena *mem, const dynamodb_copy *c)
{
	const txn *tx = store_read(s);
	dynamodb_export *e = dynamodb_export_get(tx, mem, c->Account, c->Region, c->Target);
	store_read_end(s, tx);
	if (!e)
		return true;
	dynamodb_ExportDescription *d = e->It;
	exporting x = { .rq = req_internal(mem, s, "dynamodb.amazonaws.com", c->Account, c->Region), .e = e,
		        .file = arena_open(1 << 20), .item = arena_open(1 << 16), .store = s,
		        .rows = ddb_copy_prefix(mem, c->Number),
		        .manifest = buf_in(mem, 1024, (size_t)64 << 20) };
	x.folder = arena_fmt(mem, "%.*s%sAWSDynamoDB/%.*s/", STR_ARG(d->S3Prefix),
	                     d->S3Prefix.n && !str_ends(d->S3Prefix, S("/")) ? "/" : "", STR_ARG(e->Id));
	int64_t end = clock_now();
	err wrong = put_files(&x, end);
	arena_close(x.item);
	arena_close(x.file);
	d->EndTime = TIME(end);
	d->ExportStatus = wrong ? dynamodb_ExportStatus_FAILED : dynamodb_ExportStatus_COMPLETED;
	d->ItemCount = I64(x.items);
	d->BilledSizeBytes = I64(x.plain_bytes);
	if (wrong) {
		d->FailureCode = arena_fmt(mem, "S3%s", wrong->kind->code);
		d->FailureMessage = wrong->message;
	} else {
		d->ExportManifest = arena_fmt(mem, "%.*smanifest-summary.json", STR_ARG(x.folder));
	}
	return store_write(s, keep, &x) == OK;
}
