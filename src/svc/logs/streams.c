#include "scan.h"
#include "store/due.h"

#define PAGE 50
#define EMPTY_CHUNK 500
#define SCRATCH_MAX ((size_t)1 << 20)

err stream_find(req *rq, const txn *tx, const logs_group *g, str name, logs_stream **stream)
{
	*stream = logs_stream_get(tx, rq->mem, g->Id, name);
	if (!*stream)
		return fail(rq, &logs_ResourceNotFoundException, "The specified log stream does not exist.");
	return OK;
}

logs_stream *stream_make(txn *tx, arena *mem, const logs_group *g, str name, int64_t now)
{
	logs_stream *s = arena_new(mem, logs_stream);
	*s = (logs_stream){ .GroupId = g->Id, .Name = name, .Created = now,
		            .Id = (int64_t)txn_next(tx, S("logs.stream")) };
	logs_stream_put(tx, s);
	logs_streamname_put(tx, &(logs_streamname){ .StreamId = s->Id, .Name = name });
	return s;
}

err logs_CreateLogStream(req *rq, txn *tx, const logs_CreateLogStream_in *in,
                         logs_CreateLogStream_out *out)
{
	logs_group *g;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	if (logs_stream_get(tx, rq->mem, g->Id, in->logStreamName))
		return fail(rq, &logs_ResourceAlreadyExistsException, "The specified log stream already exists");
	stream_make(tx, rq->mem, g, in->logStreamName, rq->now);
	return OK;
}

/* Payload: group and stream, by number. What is left of the stream cannot be seen: it has no name. */
TIMER(logs_stream_empty)
{
	int64_t group, stream;
	str rest = payload;
	arena *mem = txn_arena(tx);
	bool read = str_to_i64(str_cut(&rest, ' '), &group);
	read = str_to_i64(rest, &stream) && read;
	ensure(read);
	size_t n = 0;
	place_scan s = lines_between(tx, mem, stream, (place){ 0 }, PLACE_END, false);
	for (const logs_line *l; n < EMPTY_CHUNK && (l = lines_next(&s)); n++) {
		logs_event_delete(tx, group, l->When, l->Seq);
		logs_line_delete(tx, stream, l->When, l->Seq);
	}
	cursor_close(&s.at);
	if (n == EMPTY_CHUNK)
		timer_set(tx, "logs_stream_empty", payload, due, payload);
}

void stream_drop(txn *tx, const logs_group *g, const logs_stream *s, int64_t now)
{
	str what = arena_fmt(txn_arena(tx), "%lld %lld", (long long)g->Id, (long long)s->Id);
	timer_set(tx, "logs_stream_empty", what, now, what);
}

err logs_DeleteLogStream(req *rq, txn *tx, const logs_DeleteLogStream_in *in,
                         logs_DeleteLogStream_out *out)
{
	logs_group *g;
	logs_stream *s;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	TRY(stream_find(rq, tx, g, in->logStreamName, &s));
	stream_drop(tx, g, s, rq->now);
	g->Bytes -= s->Bytes < g->Bytes ? s->Bytes : g->Bytes;
	logs_group_put(tx, g);
	resident_set(tx, g->Account, g->Region, rq->now, &LOGS_STORE, group_arn(rq, g->Name), g->Bytes);
	logs_stream_delete(tx, g->Id, s->Name);
	logs_streamname_delete(tx, s->Id);
	return OK;
}

static logs_LogStream describe(req *rq, const logs_group *g, const logs_stream *s)
{
	str arn = group_arn(rq, g->Name);
	logs_LogStream d = {
		.logStreamName = s->Name,
		.creationTime = I64(s->Created),
		.uploadSequenceToken = arena_fmt(rq->mem, "%056lld", (long long)s->Id),
		.arn = arena_fmt(rq->mem, "%.*s:log-stream:%.*s", STR_ARG(arn), STR_ARG(s->Name)),
		.storedBytes = I64(0), /* AWS reports 0 since 2019 */
	};
	if (s->LastIngestion) {
		d.firstEventTimestamp = I64(s->First);
		d.lastEventTimestamp = I64(s->Last);
		d.lastIngestionTime = I64(s->LastIngestion);
	}
	return d;
}

/* A page by LastEventTime: the best that stand behind a position, kept while all streams pass by. */
typedef struct chosen {
	logs_stream stream;
	char name[LOGS_STREAM_NAME_MAX];
} chosen;

typedef struct by_time {
	chosen **v;         /* one more than a page, so that it tells whether more follows */
	size_t n, most;
	bool descending, goes_on;
	int64_t last;       /* where the page before ended */
	str name;
} by_time;

static int place_of(const by_time *b, const logs_stream *s, int64_t last, str name)
{
	int c = s->Last < last ? -1 : s->Last > last;
	if (!c)
		c = str_cmp(s->Name, name);
	return b->descending ? -c : c;
}

static void choose(by_time *b, const logs_stream *s)
{
	size_t at = b->n;
	if (b->goes_on && place_of(b, s, b->last, b->name) <= 0)
		return;
	while (at && place_of(b, s, b->v[at - 1]->stream.Last, b->v[at - 1]->stream.Name) < 0)
		at--;
	if (at == b->most)
		return;
	if (b->n < b->most)
		b->n++;
	chosen *c = b->v[b->n - 1];
	memmove(b->v + at + 1, b->v + at, (b->n - 1 - at) * sizeof *b->v);
	b->v[at] = c;
	ensure(s->Name.n <= sizeof c->name);
	c->stream = *s;
	memcpy(c->name, s->Name.p, s->Name.n);
	c->stream.Name.p = c->name;
}

static err by_time_position(req *rq, str token, by_time *b)
{
	str position;
	if (!str_is(token))
		return OK;
	b->goes_on = true;
	if (!page_position(rq, token, &position) || !str_to_i64(str_cut(&position, ' '), &b->last) ||
	    !str_is(position))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
	b->name = position;
	return OK;
}

static err page_by_time(req *rq, const txn *tx, const logs_DescribeLogStreams_in *in, const logs_group *g,
                        size_t page, logs_DescribeLogStreams_out *out)
{
	by_time b = { .v = arena_array(rq->mem, chosen *, page + 1), .most = page + 1,
		          .descending = in->descending.v };
	for (size_t i = 0; i <= page; i++)
		b.v[i] = arena_new(rq->mem, chosen);
	TRY(by_time_position(rq, in->nextToken, &b));
	arena *mem = arena_open(0);
	/* Bounds of the scan live in the request's arena, rows in one that is emptied on the way. */
	record_scan s = logs_stream_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	for (logs_stream *st; (st = logs_stream_next(&s));) {
		choose(&b, st);
		s.mem = mem;
		if (arena_used(mem) > SCRATCH_MAX)
			arena_reset(mem);
	}
	arena_close(mem);
	for (size_t i = 0; i < b.n && i < page; i++)
		out->logStreams.v[out->logStreams.n++] = describe(rq, g, &b.v[i]->stream);
	if (b.n > page) {
		const logs_stream *last = &b.v[page - 1]->stream;
		out->nextToken = page_token(rq, arena_fmt(rq->mem, "%lld %.*s", (long long)last->Last,
		                                          STR_ARG(last->Name)));
	}
	return OK;
}

static err page_of(req *rq, const txn *tx, const logs_DescribeLogStreams_in *in,
                   logs_DescribeLogStreams_out *out)
{
	logs_group *g;
	size_t page = in->limit.set ? (size_t)in->limit.v : PAGE;
	TRY(group_either(rq, tx, in->logGroupName, in->logGroupIdentifier, &g));
	out->logStreams.v = arena_array(rq->mem, logs_LogStream, page);
	if (str_eq(in->orderBy, logs_OrderBy_LastEventTime)) {
		if (str_is(in->logStreamNamePrefix))
			return fail(rq, &logs_InvalidParameterException,
			            "Cannot order by LastEventTime with a logStreamNamePrefix.");
		return page_by_time(rq, tx, in, g, page, out);
	}
	record_scan s = logs_stream_scan(tx, rq->mem, 1, g->Id, STR_NONE);
	if (in->descending.v)
		record_scan_reverse(&s);
	TRY(scan_goes_on(rq, in->nextToken, &s));
	for (logs_stream *st; (st = logs_stream_next(&s));) {
		if (!str_starts(st->Name, in->logStreamNamePrefix))
			continue;
		if (out->logStreams.n == page) {
			out->nextToken = page_token(rq, out->logStreams.v[page - 1].logStreamName);
			break;
		}
		out->logStreams.v[out->logStreams.n++] = describe(rq, g, st);
	}
	cursor_close(&s.at);
	return OK;
}

/* On the pool: a group may have any number of streams. */
err logs_DescribeLogStreams(req *rq, const logs_DescribeLogStreams_in *in, logs_DescribeLogStreams_out *out)
{
	const txn *tx = req_read(rq);
	err e = page_of(rq, tx, in, out);
	req_read_end(rq, tx);
	return e;
}
