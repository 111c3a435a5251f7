/* The task that runs a query, and what its steps share. */
#include "run.h"
#include "base/json.h"
#include "base/time.h"
#include "cloud/authorise.h"
#include "cloud/call.h"
#include "cloud/credential.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <stdatomic.h>

#define OBJECTS_MAX 100000
#define MEGABYTE INT64_C(1048576)
#define LEAST_MEGABYTES 10

static str data_folder;

static err start(store *s, str data)
{
	arena *mem = arena_open(256); /* as long as the process */
	(void)s;
	data_folder = path_join(mem, data, S("athena"));
	return dir_remove(mem, data_folder);
}

static void stop(void) {}
SERVER_PART(athena, start, stop);

err run_failed(run *x, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str message = arena_vfmt(x->mem, format, args);
	va_end(args);
	return fault_new(x->mem, &athena_InvalidRequestException, "%.*s", STR_ARG(message));
}

/* In the caller's name, with what its key allows. */
static req *caller_of(arena *mem, store *s, const athena_query *q)
{
	req *rq = req_internal(mem, s, "athena.amazonaws.com", q->Account, q->Region);
	const txn *tx = store_read(s);
	rq->who = (caller){ .account = q->Account, .arn = q->CallerArn, .user_id = q->CallerId,
		.access_key = q->CallerKey, .root = q->Root };
	if (q->CallerKey.n)
		rq->who.key = credential_get(tx, mem, q->CallerKey);
	store_read_end(s, tx);
	rq->enforce = server_enforces_iam();
	return rq;
}

err run_ask(run *x, arena *mem, const char *of, const char *what, const void *in, void *out)
{
	req *rq = arena_new(mem, req);
	*rq = *x->rq;
	rq->mem = mem;
	rq->usage = NULL;
	err e = call(rq, NULL, of, what, in, out);
	if (rq->usage)
		usage_settle_later(rq);
	return e ? fault_new(x->mem, e->kind, "%.*s", STR_ARG(e->message)) : OK;
}

bool run_going(run *x)
{
	arena *mem = arena_open(4096);
	const txn *tx = store_read(x->s);
	const athena_query *q = athena_query_get(tx, mem, x->q->Account, x->q->Region, x->q->Id);
	bool wanted = q && !str_eq(q->It->Status->State, athena_QueryExecutionState_CANCELLED);
	store_read_end(x->s, tx);
	arena_close(mem);
	x->stopped = !wanted || task_should_stop(x->s);
	return !x->stopped;
}

bool run_location(str uri, str *bucket, str *key)
{
	if (!str_is(uri) || !str_starts(uri, S("s3://")))
		return false;
	str rest = str_sub(uri, 5, uri.n);
	*bucket = str_cut(&rest, '/');
	*key = str_is(rest) ? rest : S("");
	return bucket->n > 0;
}

/* Hidden ones are not data: their names begin with _ or a dot. */
static bool hidden(const s3_Object *o)
{
	size_t at = o->Key.n;
	while (at && o->Key.p[at - 1] != '/')
		at--;
	return at == o->Key.n || !o->Size.v || o->Key.p[at] == '_' || o->Key.p[at] == '.';
}

/* A page; only what is wanted of it stays. */
static err list_page(run *x, arena *own, str bucket, str prefix, str *token, size_t *n, run_object ***end)
{
	s3_ListObjectsV2_in in = { .Bucket = bucket, .Prefix = prefix, .ContinuationToken = *token };
	s3_ListObjectsV2_out out = { 0 };
	TRY(run_ask(x, own, "s3", "ListObjectsV2", &in, &out));
	for (size_t i = 0; i < out.Contents.n; i++) {
		const s3_Object *o = &out.Contents.v[i];
		if (hidden(o))
			continue;
		if (++*n > OBJECTS_MAX)
			return run_failed(x, "EXCEEDED_LOCAL_LIMIT: there are more than %d objects", OBJECTS_MAX);
		run_object *kept = **end = arena_new(x->mem, run_object);
		*kept = (run_object){ .bucket = bucket, .key = arena_str(x->mem, o->Key),
			.etag = arena_str(x->mem, o->ETag), .size = o->Size.v };
		*end = &kept->next;
	}
	*token = arena_str(x->mem, out.NextContinuationToken);
	return OK;
}

err run_list(run *x, str bucket, str prefix, run_object **first)
{
	run_object **end = first;
	size_t n = 0;
	str token = STR_NONE;
	*first = NULL;
	if (prefix.n && !str_ends(prefix, S("/")))
		prefix = arena_concat(x->mem, prefix, S("/"));
	do {
		arena *own = arena_open(1 << 16);
		err e = list_page(x, own, bucket, prefix, &token, &n, &end);
		arena_close(own);
		TRY(e);
		if (!run_going(x))
			return run_failed(x, "Query cancelled");
	} while (str_is(token));
	return OK;
}

static err put_object(run *x, str uri, str body, str type)
{
	s3_PutObject_in in = { .Body = body, .ContentType = type };
	s3_PutObject_out out;
	if (!run_location(uri, &in.Bucket, &in.Key))
		return run_failed(x, "The output location is not a place in S3");
	err e = run_ask(x, x->mem, "s3", "PutObject", &in, &out);
	return e ? run_failed(x, "%s: Unable to verify/create output bucket %.*s: %.*s", e->kind->name,
		STR_ARG(in.Bucket), STR_ARG(e->message)) : OK;
}

/* What Athena's console reads to know the columns: here as JSON. */
static str metadata(run *x)
{
	buf b = buf_in(x->mem, 1024, (size_t)4 << 20);
	buf_put(&b, S("{\"columns\":["));
	for (size_t i = 0; i < x->columns.n; i++) {
		buf_put(&b, i ? S(",{\"name\":") : S("{\"name\":"));
		json_put_string(&b, x->columns.v[i].Name);
		buf_put(&b, S(",\"type\":"));
		json_put_string(&b, x->columns.v[i].Type);
		buf_c(&b, '}');
	}
	buf_put(&b, S("]}\n"));
	return buf_str(&b);
}

static err write_answer(run *x)
{
	str at = x->q->It->ResultConfiguration->OutputLocation;
	TRY(put_object(x, at, x->answer, x->table ? S("text/csv") : S("text/plain")));
	return put_object(x, arena_concat(x->mem, at, S(".metadata")), metadata(x), S("binary/octet-stream"));
}

static err perform(run *x)
{
	size_t at;
	if (!sql_read(x->mem, x->q->It->Query, &x->sql, &at))
		return run_failed(x, "SYNTAX_ERROR: %.*s: a quote or a comment does not end",
		                  STR_ARG(sql_place(x->mem, x->q->It->Query, at)));
	bool select = str_eq(x->q->It->StatementType, athena_StatementType_DML);
	TRY(select ? run_select(x) : run_ddl(x));
	return write_answer(x);
}

static int64_t rows_in(str csv, bool table)
{
	int64_t n = 0;
	bool quoted = false;
	for (size_t i = 0; i < csv.n; i++) {
		quoted = quoted != (table && csv.p[i] == '"');
		n += csv.p[i] == '\n' && !quoted;
	}
	return n - (table && n);
}

typedef struct finish {
	run *x;
	err e;
	int64_t began;
} finish;

/* By the megabyte, ten at least; what fails is free, what is cancelled is not. DDL reads nothing. */
static void charge(txn *tx, const run *x, const athena_query *q)
{
	bool failed = str_eq(q->It->Status->State, athena_QueryExecutionState_FAILED);
	int64_t megabytes = (x->scanned + MEGABYTE - 1) / MEGABYTE;
	if (failed || !str_eq(q->It->StatementType, athena_StatementType_DML) || !x->scanned)
		return;
	if (megabytes < LEAST_MEGABYTES)
		megabytes = LEAST_MEGABYTES;
	usage_add(tx, q->Account, q->Region, q->It->Status->CompletionDateTime.v, &ATHENA_SCAN,
	          arena_fmt(txn_arena(tx), "arn:aws:athena:%.*s:%.*s:workgroup/%.*s", STR_ARG(q->Region),
	          STR_ARG(q->Account), STR_ARG(q->It->WorkGroup)), megabytes * MEGABYTE);
}

static void settle(const finish *f, athena_query *q, arena *mem)
{
	athena_QueryExecutionStatus *st = q->It->Status;
	bool cancelled = str_eq(st->State, athena_QueryExecutionState_CANCELLED);
	athena_QueryExecutionStatistics *n = arena_new(mem, athena_QueryExecutionStatistics);
	int64_t now = clock_now(), took = clock_mono_us() / 1000 - f->began,
		queued = now - st->SubmissionDateTime.v - took;
	*n = (athena_QueryExecutionStatistics){ .EngineExecutionTimeInMillis = I64(took),
		.DataScannedInBytes = I64(f->x->scanned), .TotalExecutionTimeInMillis = I64(took + (queued > 0 ?
			queued : 0)),
		.QueryQueueTimeInMillis = I64(queued > 0 ? queued : 0), .ServicePreProcessingTimeInMillis = I64(0),
		.QueryPlanningTimeInMillis = I64(0), .ServiceProcessingTimeInMillis = I64(0) };
	n->ResultReuseInformation = arena_new(mem, athena_ResultReuseInformation);
	n->ResultReuseInformation->ReusedPreviousResult = BOOL(false);
	q->It->Statistics = n;
	st->CompletionDateTime = TIME(now);
	q->Columns = f->x->columns;
	q->Rows = rows_in(f->x->answer, f->x->table);
	q->OutputBytes = (int64_t)f->x->answer.n;
	if (cancelled)
		return;
	st->State = !f->e ? athena_QueryExecutionState_SUCCEEDED : f->x->over ?
		athena_QueryExecutionState_CANCELLED :
		athena_QueryExecutionState_FAILED;
	if (!f->e)
		return;
	st->StateChangeReason = f->e->message;
	st->AthenaError = arena_new(mem, athena_AthenaError);
	*st->AthenaError = (athena_AthenaError){ .ErrorCategory = I64(f->e->kind == &fault_system ? 1 : 2),
		.ErrorType = I64(f->e->kind == &fault_system ? 401 : 1200),
			.Retryable = BOOL(f->e->kind == &fault_system),
		.ErrorMessage = f->e->message };
}

static bool keep(void *context, txn *tx)
{
	const finish *f = context;
	arena *mem = txn_arena(tx);
	athena_query *q = athena_query_get(tx, mem, f->x->q->Account, f->x->q->Region, f->x->q->Id);
	if (!q || q->It->Status->CompletionDateTime.set)
		return true;
	settle(f, q, mem);
	charge(tx, f->x, q);
	athena_query_put(tx, q);
	athena_active_delete(tx, q->Account, q->Region, q->Id);
	return true;
}

static bool begin(void *context, txn *tx)
{
	const athena_query *ours = context;
	athena_query *q = athena_query_get(tx, txn_arena(tx), ours->Account, ours->Region, ours->Id);
	if (!q || str_eq(q->It->Status->State, athena_QueryExecutionState_CANCELLED))
		return true;
	q->It->Status->State = athena_QueryExecutionState_RUNNING;
	athena_query_put(tx, q);
	return true;
}

static athena_query *placed(store *s, arena *mem, str payload)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(s);
	athena_query *q = athena_query_get(tx, mem, account, region, rest);
	store_read_end(s, tx);
	return q;
}

/* Each has a process with a gigabyte: the others stay QUEUED. */
#define ENGINES_MAX 4
#define LOOK_AGAIN_MS 250
static atomic_int engines;

static int64_t run_query(store *s, arena *mem, str payload)
{
	run *x = arena_new(mem, run);
	athena_query *q = placed(s, mem, payload);
	if (!q || q->It->Status->CompletionDateTime.set) /* a crash came between its end and the task's */
		return TASK_DONE;
	if (store_write(s, begin, q))
		return clock_now() + MS_SECOND;
	*x = (run){ .mem = mem, .s = s, .q = q, .database = S("default") };
	x->rq = caller_of(mem, s, q);
	if (q->It->QueryExecutionContext && q->It->QueryExecutionContext->Database.n)
		x->database = arena_lower(mem, q->It->QueryExecutionContext->Database);
	x->folder = path_join(mem, data_folder, q->Id);
	finish f = { .x = x, .began = clock_mono_us() / 1000 };
	f.e = run_going(x) ? perform(x) : OK;
	(void)dir_remove(mem, x->folder);
	if (x->stopped && task_should_stop(s)) /* it runs again after the next start */
		return clock_now();
	return store_write(s, keep, &f) ? clock_now() + MS_SECOND : TASK_DONE;
}

TASK(athena_query)
{
	int64_t again = clock_now() + LOOK_AGAIN_MS;
	if (atomic_fetch_add(&engines, 1) < ENGINES_MAX)
		again = run_query(s, mem, payload);
	atomic_fetch_sub(&engines, 1);
	return again;
}
