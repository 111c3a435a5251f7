/*
 * Imports from S3 into a new table: lines of DynamoDB's JSON ({"Item":{..}}), or CSV with the names of the
 * attributes in its first line or in the request. What is no item of the table is counted and left out.
 */
#include "base/gzip.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "svc/dynamodb/backup.h"
#include "sys/clock.h"
#include "sys/rand.h"
#if __has_include("gen/s3.h")
#include "gen/s3.h"
#endif

#define ITEMS_AT_ONCE 400
#define PIECE_BYTES (4 << 20) /* of an object, and of text, in memory at a time */
#define RECORD_MAX (16 << 20)
#define LIST_MAX 25
#define COLUMNS_MAX 256

static err refused(req *rq, const dynamodb_ImportTable_in *in)
{
	if (str_eq(in->InputFormat, dynamodb_InputFormat_ION))
		return fail(rq, &aws_NotImplemented, "Farthing imports DYNAMODB_JSON and CSV, not ION.");
	if (str_eq(in->InputCompressionType, dynamodb_InputCompressionType_ZSTD))
		return fail(rq, &aws_NotImplemented, "Farthing imports plain and gzipped objects, not ZSTD.");
	return OK;
}

static dynamodb_import *by_token(req *rq, const txn *tx, str token)
{
	dynamodb_import *found = NULL;
	record_scan s = dynamodb_import_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (dynamodb_import *i; !found && token.n && (i = dynamodb_import_next(&s));)
		if (str_eq(i->Token, token))
			found = i;
	cursor_close(&s.at);
	return found;
}

err dynamodb_ImportTable(req *rq, txn *tx, const dynamodb_ImportTable_in *in, dynamodb_ImportTable_out *out)
{
	const dynamodb_TableCreationParameters *p = in->TableCreationParameters;
	dynamodb_CreateTable_out made = { 0 };
	TRY(refused(rq, in));
	dynamodb_import *old = by_token(rq, tx, in->ClientToken);
	if (old) {
		out->ImportTableDescription = old->It;
		return OK;
	}
	dynamodb_CreateTable_in create = { .TableName = p->TableName, .KeySchema = p->KeySchema,
		.AttributeDefinitions = p->AttributeDefinitions, .BillingMode = p->BillingMode,
		.ProvisionedThroughput = p->ProvisionedThroughput, .OnDemandThroughput = p->OnDemandThroughput,
		.SSESpecification = p->SSESpecification, .GlobalSecondaryIndexes = p->GlobalSecondaryIndexes };
	TRY(dynamodb_CreateTable(rq, tx, &create, &made));
	str id = arena_fmt(rq->mem, "%014lld-%08llx", (long long)rq->now, (unsigned long long)rand_u64() >> 32);
	str arn = made.TableDescription->TableArn;
	dynamodb_ImportTableDescription *d = arena_new(rq->mem, dynamodb_ImportTableDescription);
	*d = (dynamodb_ImportTableDescription){ .ImportStatus = dynamodb_ImportStatus_IN_PROGRESS,
		.ImportArn = arena_fmt(rq->mem, "%.*s/import/%.*s", STR_ARG(arn), STR_ARG(id)), .TableArn = arn,
		.TableId = made.TableDescription->TableId, .ClientToken = in->ClientToken,
		.S3BucketSource = in->S3BucketSource, .ErrorCount = I64(0), .InputFormat = in->InputFormat,
		.InputFormatOptions = in->InputFormatOptions,
		.InputCompressionType = str_is(in->InputCompressionType) ? in->InputCompressionType : S("NONE"),
		.TableCreationParameters = (dynamodb_TableCreationParameters *)p, .StartTime = TIME(rq->now),
		.ProcessedSizeBytes = I64(0), .ProcessedItemCount = I64(0), .ImportedItemCount = I64(0) };
	dynamodb_import_put(tx, &(dynamodb_import){ rq->who.account, rq->region, id, d, in->ClientToken });
	task_add(tx, "ddb_import",
	         arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(rq->who.account), STR_ARG(rq->region), STR_ARG(id)),
	         0);
	out->ImportTableDescription = d;
	return OK;
}

err dynamodb_DescribeImport(req *rq, const txn *tx, const dynamodb_DescribeImport_in *in,
                            dynamodb_DescribeImport_out *out)
{
	size_t slash = in->ImportArn.n;
	while (slash > 0 && in->ImportArn.p[slash - 1] != '/')
		slash--;
	str id = str_sub(in->ImportArn, slash, in->ImportArn.n);
	const dynamodb_import *i = dynamodb_import_get(tx, rq->mem, rq->who.account, rq->region, id);
	if (!i || !str_eq(i->It->ImportArn, in->ImportArn))
		return fail(rq, &dynamodb_ImportNotFoundException, "Import not found: %.*s", STR_ARG(in->ImportArn));
	out->ImportTableDescription = i->It;
	return OK;
}

err dynamodb_ListImports(req *rq, const txn *tx, const dynamodb_ListImports_in *in,
                         dynamodb_ListImports_out *out)
{
	str after, last = STR_NONE;
	size_t most = in->PageSize.set ? (size_t)in->PageSize.v : LIST_MAX;
	record_scan s = dynamodb_import_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "Invalid NextToken");
		record_scan_after(&s, after);
	}
	out->ImportSummaryList.v = arena_array(rq->mem, dynamodb_ImportSummary, most);
	for (const dynamodb_import *i; (i = dynamodb_import_next(&s));) {
		const dynamodb_ImportTableDescription *d = i->It;
		if (in->TableArn.n && !str_eq(in->TableArn, d->TableArn))
			continue;
		if (out->ImportSummaryList.n == most) {
			out->NextToken = page_token(rq, last);
			break;
		}
		out->ImportSummaryList.v[out->ImportSummaryList.n++] = (dynamodb_ImportSummary){
			.ImportArn = d->ImportArn, .ImportStatus = d->ImportStatus, .TableArn = d->TableArn,
			.S3BucketSource = d->S3BucketSource, .InputFormat = d->InputFormat, .StartTime = d->StartTime,
			.EndTime = d->EndTime };
		last = i->Id;
	}
	cursor_close(&s.at);
	return OK;
}

typedef struct importing {
	store *store;
	arena *mem; /* of the batch at hand */
	req *rq;
	dynamodb_import *i;
	dynamodb_AttributeMap items[ITEMS_AT_ONCE];
	size_t n, good; /* of the batch */
	int64_t processed, imported, wrong;
	bool gone;  /* somebody has deleted the table */
	bool stopped; /* the server stops: the import begins anew at the next start */
	err failed; /* the disk refused */
} importing;

static bool going(const importing *x) { return !x->failed && !x->gone && !x->stopped; }

static bool put_one(req *rq, ddb_writer *w, const dynamodb_AttributeMap *given)
{
	ddb_item new;
	value attributes;
	if (ddb_values_in(rq, given, &attributes) || ddb_item_sized(rq, attributes, &new) ||
	    ddb_item_check(rq, w->t, new.map))
		return false;
	str key = ddb_row_key(rq->mem, w->t, new.map);
	ddb_item old = ddb_item_copy(rq->mem, ddb_item_at(w->tx, key));
	ddb_write(w, key, old, new);
	return true;
}

static bool put_batch(void *context, txn *tx)
{
	importing *x = context;
	req here = *x->rq;
	here.mem = txn_arena(tx);
	str name = x->i->It->TableCreationParameters->TableName;
	const dynamodb_table *r = dynamodb_table_get(tx, here.mem, x->i->Account, x->i->Region, name);
	x->gone = !r || !str_eq(r->Table->TableId, x->i->It->TableId);
	if (x->gone)
		return true;
	ddb_writer w;
	x->good = 0;
	const ddb_table *t = ddb_head_get(tx, here.mem, x->i->Account, x->i->Region, name);
	ddb_write_begin(&w, tx, here.mem, t, clock_now());
	for (size_t i = 0; i < x->n; i++)
		x->good += put_one(&here, &w, &x->items[i]);
	ddb_write_end(&w);
	return true;
}

static void flush(importing *x)
{
	if (x->n && !x->failed)
		x->failed = store_write(x->store, put_batch, x);
	if (x->n && !x->failed && !x->gone) {
		x->imported += (int64_t)x->good;
		x->wrong += (int64_t)(x->n - x->good);
	}
	x->stopped = x->stopped || task_should_stop(x->store);
	x->n = 0;
	arena_reset(x->mem);
}

/* The item at the end of the batch is one, or is not. */
static void taken(importing *x, bool good)
{
	x->processed++;
	if (good)
		x->n++;
	else
		x->wrong++;
	if (x->n == ITEMS_AT_ONCE)
		flush(x);
}

/* One line of JSON: {"Item":{..}}. */
static void take_line(importing *x, str line)
{
	json j = json_of(x->mem, line);
	str item = STR_NONE;
	if (json_next(&j) == JSON_OBJECT)
		while (json_next(&j) == JSON_OBJECT || j.kind != JSON_OBJECT_END) {
			if (j.kind == JSON_ERROR || j.kind == JSON_END)
				break;
			bool wanted = str_eq(j.key, S("Item"));
			str raw = json_raw(&j);
			item = wanted ? raw : item;
		}
	dynamodb_AttributeMap *to = &x->items[x->n];
	*to = (dynamodb_AttributeMap){ 0 };
	taken(x, str_is(item) && !json_decode_value(x->mem, &dynamodb_AttributeMap_shape, item, to));
}

/* All whole lines; what is left of the text. At the end the last line needs no end. */
static str take_json(importing *x, str text, bool end)
{
	while (text.n && going(x) && (end || memchr(text.p, '\n', text.n))) {
		str line = str_trim(str_cut(&text, '\n'));
		if (line.n)
			take_line(x, line);
	}
	return text;
}

/* The length of the record at the front with its line's end; 0: it is not whole. */
static size_t csv_length(str text, char delimiter)
{
	bool quoted = false, first = true;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (quoted && c == '"' && i + 1 < text.n && text.p[i + 1] == '"')
			i++;
		else if (c == '"' && (quoted || first))
			quoted = !quoted;
		else if (!quoted && c == '\n')
			return i + 1;
		first = !quoted && c == delimiter;
	}
	return 0;
}

/* One record of CSV: fields in quotes may hold commas, line ends, and quotes that are doubled. */
static size_t csv_record(arena *mem, str *rest, char delimiter, str *fields)
{
	size_t n = 0;
	bool more = true;
	while (more) {
		buf b = buf_in(mem, 64, rest->n + 1);
		bool quoted = rest->n && rest->p[0] == '"';
		size_t i = quoted ? 1 : 0;
		for (; i < rest->n; i++) {
			char c = rest->p[i];
			if (quoted && c == '"') {
				if (i + 1 < rest->n && rest->p[i + 1] == '"')
					i++;
				else {
					quoted = false;
					continue;
				}
			} else if (!quoted && (c == delimiter || c == '\n')) {
				break;
			} else if (!quoted && c == '\r') {
				continue;
			}
			buf_c(&b, c);
		}
		more = i < rest->n && rest->p[i] == delimiter;
		*rest = str_sub(*rest, i + 1, rest->n);
		if (n < COLUMNS_MAX)
			fields[n++] = buf_str(&b);
	}
	return n;
}

/* Keys have the types that the table defines; everything else is text. */
static dynamodb_AttributeValue typed(const importing *x, str name, str text)
{
	const dynamodb_AttributeDefinitions *d = &x->i->It->TableCreationParameters->AttributeDefinitions;
	for (size_t i = 0; i < d->n; i++)
		if (str_eq(d->v[i].AttributeName, name) && str_eq(d->v[i].AttributeType, S("N")))
			return (dynamodb_AttributeValue){ .N = text };
		else if (str_eq(d->v[i].AttributeName, name) && str_eq(d->v[i].AttributeType, S("B")))
			return (dynamodb_AttributeValue){ .B = text };
	return (dynamodb_AttributeValue){ .S = text };
}

/* One object on its way: what has been asked for, and what the first line said. */
typedef struct source {
	arena *mem;   /* as long as the object */
	str key, etag;
	int64_t at, size;
	gunzip *zip;  /* NULL: the object is plain */
	str names[COLUMNS_MAX];
	size_t columns;
} source;

static void take_record(importing *x, const source *s, const str *fields, size_t n)
{
	dynamodb_AttributeMap *to = &x->items[x->n];
	if (n == 1 && !fields[0].n)
		return;
	*to = (dynamodb_AttributeMap){ arena_array(x->mem, dynamodb_AttributeMap_entry, s->columns), 0 };
	for (size_t i = 0; i < s->columns && i < n; i++)
		to->v[to->n++] = (dynamodb_AttributeMap_entry){ s->names[i], typed(x, s->names[i], fields[i]) };
	taken(x, n == s->columns);
}

static str take_csv(importing *x, source *s, str text, bool end)
{
	const dynamodb_InputFormatOptions *o = x->i->It->InputFormatOptions;
	const dynamodb_CsvOptions *csv = o ? o->Csv : NULL;
	char delimiter = csv && csv->Delimiter.n ? csv->Delimiter.p[0] : ',';
	str fields[COLUMNS_MAX];
	for (size_t i = 0; !s->columns && csv && i < csv->HeaderList.n && i < COLUMNS_MAX; i++)
		s->names[i] = csv->HeaderList.v[i];
	if (!s->columns && csv)
		s->columns = csv->HeaderList.n < COLUMNS_MAX ? csv->HeaderList.n : COLUMNS_MAX;
	while (text.n && going(x)) {
		size_t length = csv_length(text, delimiter);
		if (!length && !end)
			break;
		str record = str_sub(text, 0, length ? length : text.n);
		text = str_sub(text, record.n, text.n);
		if (s->columns) {
			take_record(x, s, fields, csv_record(x->mem, &record, delimiter, fields));
			continue;
		}
		s->columns = csv_record(s->mem, &record, delimiter, s->names);
	}
	return text;
}

#if __has_include("gen/s3.h")
static err ask(importing *x, arena *mem, const char *what, const void *in, void *out)
{
	req *rq = req_internal(mem, x->store, "dynamodb.amazonaws.com", x->i->Account, x->i->Region);
	err e = call(rq, NULL, "s3", what, in, out);
	usage_settle_later(rq);
	return e ? fail(x->rq, e->kind, "%.*s", STR_ARG(e->message)) : OK;
}

/* The object may not change under way. */
static err next_bytes(importing *x, source *s, arena *mem, str *bytes)
{
	int64_t last = s->at + PIECE_BYTES < s->size ? s->at + PIECE_BYTES : s->size;
	s3_GetObject_in in = { .Bucket = x->i->It->S3BucketSource->S3Bucket, .Key = s->key, .IfMatch = s->etag };
	s3_GetObject_out out = { 0 };
	in.Range = arena_fmt(mem, "bytes=%lld-%lld", (long long)s->at, (long long)last - 1);
	TRY(ask(x, mem, "GetObject", &in, &out));
	*bytes = out.Body;
	s->at = last;
	return OK;
}

/* A piece of text at a time, behind what was left of the one before. */
static err take_pieces(importing *x, source *s, arena *raw, arena *const texts[2])
{
	str bytes = S(""), rest = S("");
	bool end = false;
	for (unsigned turn = 0; !end && going(x); turn ^= 1) {
		arena_reset(texts[turn]);
		if (!bytes.n && s->at < s->size) {
			arena_reset(raw);
			TRY(next_bytes(x, s, raw, &bytes));
		}
		buf b = buf_in(texts[turn], rest.n + PIECE_BYTES, RECORD_MAX + PIECE_BYTES);
		buf_put(&b, rest);
		if (s->zip && !gunzip_some(s->zip, &bytes, &b, rest.n + PIECE_BYTES))
			return fail(x->rq, &aws_ValidationException, "The object %.*s is not gzip.", STR_ARG(s->key));
		if (!s->zip)
			buf_put(&b, bytes);
		bytes = s->zip ? bytes : S("");
		end = !bytes.n && s->at == s->size && !(s->zip && gunzip_pending(s->zip));
		x->i->It->ProcessedSizeBytes.v += (int64_t)(b.n - rest.n);
		bool csv = str_eq(x->i->It->InputFormat, dynamodb_InputFormat_CSV);
		rest = csv ? take_csv(x, s, buf_str(&b), end) : take_json(x, buf_str(&b), end);
		flush(x);
		if (rest.n > RECORD_MAX)
			return fail(x->rq, &aws_ValidationException,
			            "The object %.*s has a record of more than %d bytes.", STR_ARG(s->key), RECORD_MAX);
	}
	return s->zip && end && !gunzip_whole(s->zip)
	               ? fail(x->rq, &aws_ValidationException, "The object %.*s is not gzip.", STR_ARG(s->key))
	               : OK;
}

static err take_object(importing *x, const s3_Object *o)
{
	arena *raw = arena_open(1 << 16), *const texts[2] = { arena_open(1 << 16), arena_open(1 << 16) };
	arena *own = arena_open(1 << 16);
	source *s = arena_new(own, source);
	*s = (source){ .mem = own, .key = o->Key, .etag = o->ETag, .size = o->Size.v };
	if (str_eq(x->i->It->InputCompressionType, dynamodb_InputCompressionType_GZIP))
		s->zip = gunzip_open(own);
	err wrong = take_pieces(x, s, raw, texts);
	arena_close(own);
	arena_close(texts[1]);
	arena_close(texts[0]);
	arena_close(raw);
	return wrong;
}

static err take_page(importing *x, arena *mem, str *token, size_t *objects)
{
	const dynamodb_S3BucketSource *b = x->i->It->S3BucketSource;
	s3_ListObjectsV2_in in = { .Bucket = b->S3Bucket, .Prefix = b->S3KeyPrefix,
		                       .ContinuationToken = *token };
	s3_ListObjectsV2_out out = { 0 };
	TRY(ask(x, mem, "ListObjectsV2", &in, &out));
	for (size_t i = 0; i < out.Contents.n && going(x); i++, ++*objects)
		TRY(take_object(x, &out.Contents.v[i]));
	*token = arena_str(x->rq->mem, out.NextContinuationToken);
	return OK;
}

static err take_all(importing *x)
{
	arena *page = arena_open(1 << 16);
	str token = STR_NONE;
	size_t objects = 0;
	err wrong = OK;
	do {
		wrong = take_page(x, page, &token, &objects);
		arena_reset(page);
	} while (!wrong && str_is(token) && going(x));
	arena_close(page);
	if (wrong || objects || x->failed || x->stopped)
		return wrong;
	return fail(x->rq, &aws_ValidationException, "The given prefix names no objects.");
}
#else
static err take_all(importing *x)
{
	return fail(x->rq, &aws_NotImplemented, "There is no S3 here.");
}
#endif

static bool keep(void *context, txn *tx)
{
	const importing *x = context;
	const dynamodb_ImportTableDescription *d = x->i->It;
	dynamodb_import_put(tx, x->i);
	usage_add(tx, x->i->Account, x->i->Region, d->EndTime.v, &DYNAMODB_IMPORT, d->TableArn,
	          d->ProcessedSizeBytes.v);
	return true;
}

TASK(ddb_import)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(s);
	dynamodb_import *i = dynamodb_import_get(tx, mem, account, region, rest);
	store_read_end(s, tx);
	if (!i)
		return TASK_DONE;
	importing *x = arena_new(mem, importing);
	*x = (importing){ .store = s, .mem = arena_open(1 << 16), .i = i,
		          .rq = req_internal(mem, s, "dynamodb.amazonaws.com", account, region) };
	err wrong = take_all(x);
	arena_close(x->mem);
	if (x->failed)
		return clock_now() + MS_MINUTE;
	if (x->stopped)
		return clock_now();
	dynamodb_ImportTableDescription *d = i->It;
	d->EndTime = TIME(clock_now());
	d->ProcessedItemCount = I64(x->processed);
	d->ImportedItemCount = I64(x->imported);
	d->ErrorCount = I64(x->wrong);
	d->ImportStatus = wrong ? dynamodb_ImportStatus_FAILED
	                  : x->gone ? dynamodb_ImportStatus_CANCELLED
	                            : dynamodb_ImportStatus_COMPLETED;
	if (wrong) {
		d->FailureCode = wrong->kind == &aws_ValidationException
		                         ? S("ItemValidationError")
		                         : arena_fmt(mem, "S3%s", wrong->kind->code);
		d->FailureMessage = wrong->message;
	}
	return store_write(s, keep, x) ? clock_now() + MS_MINUTE : TASK_DONE;
}
