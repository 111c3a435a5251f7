/*
 * Exports to S3: what a group's streams hold of a span of time, gzipped, as PREFIX/TASK/STREAM/000000.gz with
 * one line an event. The task is durable; one that a crash interrupted writes the same objects again.
 */
#include "base/gzip.h"
#include "base/time.h"
#include "cloud/call.h"
#include "scan.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/rand.h"
#if __has_include("gen/s3.h")
#include "gen/s3.h"
#endif

#define PAGE 50
#define FILE_BYTES ((size_t)8 << 20)
#define FILE_ROOM (FILE_BYTES + LOGS_EVENT_BYTES + 64)
#define TRIES 10

static err put_object(req *rq, str bucket, str key, str body)
{
#if __has_include("gen/s3.h")
	s3_PutObject_in in = { .Bucket = bucket, .Key = key, .Body = body,
		               .ACL = S("bucket-owner-full-control") };
	s3_PutObject_out out = { 0 };
	return call(rq, NULL, "s3", "PutObject", &in, &out);
#else
	return fail(rq, &aws_NotImplemented, "There is no S3 here.");
#endif
}

static err bucket_check(req *rq, const logs_CreateExportTask_in *in)
{
	str out;
	req *there = req_internal(rq->mem, rq->store, "logs.amazonaws.com", rq->who.account, rq->region);
	err e = call_json(there, NULL, "s3", "HeadBucket",
	                  arena_fmt(rq->mem, "{\"Bucket\":\"%.*s\"}", STR_ARG(in->destination)), &out);
	if (e)
		return fail(rq, &logs_InvalidParameterException,
		            "The given bucket does not exist. Please make sure the bucket is valid.");
	str key = S("aws-logs-write-test");
	if (in->destinationPrefix.n)
		key = arena_fmt(rq->mem, "%.*s/aws-logs-write-test", STR_ARG(in->destinationPrefix));
	req_become_service(there, "logs.amazonaws.com",
	                   arena_fmt(rq->mem, "%.*s:*", STR_ARG(group_arn(rq, in->logGroupName))));
	e = put_object(there, in->destination, key, S("Permission Check Successful"));
	return e ? fail(rq, &logs_InvalidParameterException,
	                "PutObject call on the given bucket failed. Please check if CloudWatch Logs has been "
	                "granted permission to perform this operation.") : OK;
}

static bool runs(const logs_ExportTask *t)
{
	return str_eq(t->status->code, logs_ExportTaskStatusCode_PENDING) ||
	       str_eq(t->status->code, logs_ExportTaskStatusCode_RUNNING);
}

typedef struct creation {
	const logs_CreateExportTask_in *in;
	str id;
} creation;

static err keep(req *rq, txn *tx, void *context)
{
	const creation *c = context;
	const logs_CreateExportTask_in *in = c->in;
	str account = rq->who.account;
	record_scan s = logs_export_scan(tx, rq->mem, 2, account, rq->region, STR_NONE);
	for (logs_export *x; (x = logs_export_next(&s));)
		if (runs(x->It)) {
			cursor_close(&s.at);
			return fail(rq, &logs_LimitExceededException, "Resource limit exceeded.");
		}
	logs_ExportTaskStatus status = { .code = logs_ExportTaskStatusCode_PENDING };
	logs_ExportTaskExecutionInfo info = { .creationTime = I64(rq->now) };
	logs_ExportTask task = { .taskId = c->id, .taskName = in->taskName, .logGroupName = in->logGroupName,
		.from = in->from, .to = in->to, .destination = in->destination, .status = &status,
		.destinationPrefix = in->destinationPrefix.n ? in->destinationPrefix : S("exportedlogs"),
		.executionInfo = &info };
	logs_export_put(tx, &(logs_export){ .Account = account, .Region = rq->region, .Id = c->id, .It = &task,
	                                    .StreamPrefix = in->logStreamNamePrefix });
	task_add(tx, "logs_export",
	         arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(account), STR_ARG(rq->region), STR_ARG(c->id)), 0);
	return OK;
}

err logs_CreateExportTask(req *rq, const logs_CreateExportTask_in *in, logs_CreateExportTask_out *out)
{
	logs_group *g;
	creation c = { in, rand_uuid(rq->mem) };
	const txn *tx = req_read(rq);
	err e = group_find(rq, tx, in->logGroupName, STR_NONE, &g);
	if (!e)
		e = group_standard(rq, g);
	req_read_end(rq, tx);
	if (e)
		return e;
	if (in->from.v > in->to.v)
		return fail(rq, &logs_InvalidParameterException,
		            "Start time cannot be greater than end time for an export task.");
	TRY(bucket_check(rq, in));
	TRY(req_write(rq, keep, &c));
	out->taskId = c.id;
	return OK;
}

static err find_task(req *rq, const txn *tx, str id, logs_export **x)
{
	*x = logs_export_get(tx, rq->mem, rq->who.account, rq->region, id);
	return *x ? OK : fail(rq, &logs_ResourceNotFoundException, "The specified export task does not exist.");
}

err logs_CancelExportTask(req *rq, txn *tx, const logs_CancelExportTask_in *in,
                          logs_CancelExportTask_out *out)
{
	logs_export *x;
	TRY(find_task(rq, tx, in->taskId, &x));
	if (!runs(x->It))
		return fail(rq, &logs_InvalidOperationException,
		            "The specified export task has already finished or was cancelled.");
	x->It->status->code = logs_ExportTaskStatusCode_CANCELLED;
	logs_export_put(tx, x);
	return OK;
}

err logs_DescribeExportTasks(req *rq, const txn *tx, const logs_DescribeExportTasks_in *in,
                             logs_DescribeExportTasks_out *out)
{
	size_t page = in->limit.set ? (size_t)in->limit.v : PAGE;
	record_scan s = logs_export_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	out->exportTasks.v = arena_array(rq->mem, logs_ExportTask, page);
	for (logs_export *x; (x = logs_export_next(&s));) {
		if ((str_is(in->taskId) && !str_eq(in->taskId, x->Id)) ||
		    (str_is(in->statusCode) && !str_eq(in->statusCode, x->It->status->code)))
			continue;
		if (out->exportTasks.n == page) {
			out->nextToken = page_token(rq, out->exportTasks.v[page - 1].taskId);
			break;
		}
		out->exportTasks.v[out->exportTasks.n++] = *x->It;
	}
	cursor_close(&s.at);
	return OK;
}

typedef struct exporting {
	req *rq;
	logs_export *x;
	const logs_group *group;
} exporting;

/* Lines for one object of a stream, from *from on; false: there were none. */
static bool next_lines(exporting *e, int64_t stream, place *from, buf *b)
{
	arena *mem = b->mem;
	const txn *tx = req_read(e->rq);
	place_scan s =
		lines_between(tx, mem, stream, *from,
	                  e->x->It->to.v < INT64_MAX ? (place){ e->x->It->to.v + 1, 0 } : PLACE_END, false);
	for (const logs_line *l; b->n < FILE_BYTES && (l = lines_next(&s));) {
		logs_event *v = logs_event_get(tx, mem, e->group->Id, l->When, l->Seq);
		*from = (place){ l->When, l->Seq + 1 };
		if (!v)
			continue;
		buf_put(b, time_iso_ms(mem, v->When));
		buf_c(b, ' ');
		buf_put(b, event_shown(mem, v->Message, v->Masks));
		buf_c(b, '\n');
	}
	cursor_close(&s.at);
	req_read_end(e->rq, tx);
	return b->n;
}

static err write_stream(exporting *e, const logs_stream *st)
{
	const logs_ExportTask *t = e->x->It;
	place from = { t->from.v, 0 };
	buf name = buf_in(e->rq->mem, 128, 2048);
	for (size_t i = 0; i < st->Name.n; i++)
		buf_c(&name, st->Name.p[i] == '/' ? '-' : st->Name.p[i]);
	err failed = OK;
	bool more = true;
	for (int file = 0; more && !failed; file++) {
		req part = *e->rq;
		part.mem = arena_open(0);
		buf b = buf_in(part.mem, 1 << 16, FILE_ROOM);
		more = next_lines(e, st->Id, &from, &b);
		str key = arena_fmt(part.mem, "%.*s/%.*s/%.*s/%06d.gz", STR_ARG(t->destinationPrefix),
		                    STR_ARG(t->taskId), (int)name.n, name.p, file);
		err said = more ? put_object(&part, t->destination, key, gzip_pack(part.mem, buf_str(&b))) : OK;
		if (said)
			failed = fail(e->rq, said->kind, "%.*s", STR_ARG(said->message));
		arena_close(part.mem);
	}
	return failed;
}

static bool still_wanted(exporting *e)
{
	logs_export *x;
	const txn *tx = req_read(e->rq);
	bool wanted = !find_task(e->rq, tx, e->x->Id, &x) && runs(x->It);
	req_read_end(e->rq, tx);
	return wanted;
}

static err write_all(exporting *e)
{
	const txn *tx = req_read(e->rq);
	size_t n = 0, capacity = 64;
	logs_stream **all = arena_array(e->rq->mem, logs_stream *, capacity);
	record_scan s = logs_stream_scan(tx, e->rq->mem, 1, e->group->Id, STR_NONE);
	for (logs_stream *st; (st = logs_stream_next(&s));) {
		if (!str_starts(st->Name, e->x->StreamPrefix))
			continue;
		if (n == capacity) {
			logs_stream **wider = arena_array(e->rq->mem, logs_stream *, capacity *= 2);
			memcpy(wider, all, n * sizeof *all);
			all = wider;
		}
		all[n++] = st;
	}
	req_read_end(e->rq, tx);
	for (size_t i = 0; i < n && still_wanted(e); i++)
		TRY(write_stream(e, all[i]));
	return OK;
}

static err set_status(req *rq, txn *tx, void *context)
{
	const logs_export *now = context;
	logs_export *x;
	TRY(find_task(rq, tx, now->Id, &x));
	if (!runs(x->It))
		return OK;
	*x->It->status = *now->It->status;
	x->It->executionInfo->completionTime = now->It->executionInfo->completionTime;
	logs_export_put(tx, x);
	return OK;
}

static bool say(exporting *e, str code, str message)
{
	*e->x->It->status = (logs_ExportTaskStatus){ code, message };
	return !req_write(e->rq, set_status, e->x);
}

TASK(logs_export)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	exporting e = { .rq = req_internal(mem, s, "logs.amazonaws.com", account, region) };
	const txn *tx = req_read(e.rq);
	e.x = logs_export_get(tx, mem, account, region, rest);
	e.group = e.x ? logs_group_get(tx, mem, account, region, e.x->It->logGroupName) : NULL;
	req_read_end(e.rq, tx);
	if (!e.x || !runs(e.x->It))
		return TASK_DONE;
	if (!say(&e, logs_ExportTaskStatusCode_RUNNING, S("Started successfully")))
		return clock_now() + MS_SECOND;
	req_become_service(e.rq, "logs.amazonaws.com",
	                   arena_fmt(mem, "%.*s:*", STR_ARG(group_arn(e.rq, e.x->It->logGroupName))));
	err failed = e.group ? write_all(&e) : OK;
	usage_settle_later(e.rq);
	if (failed && failed->kind->server && attempt < TRIES)
		return clock_now() + MS_SECOND * attempt;
	e.x->It->executionInfo->completionTime = I64(clock_now());
	bool said = failed ? say(&e, logs_ExportTaskStatusCode_FAILED, failed->message) :
	                     say(&e, logs_ExportTaskStatusCode_COMPLETED, S("Completed successfully"));
	return said || attempt >= TRIES ? TASK_DONE : clock_now() + MS_SECOND;
}
