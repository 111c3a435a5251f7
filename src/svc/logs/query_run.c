/*
 * The work of a query: its groups are walked together, newest first, a piece at a time, so that no snapshot
 * is held for long and a query that was stopped ends soon.
 */
#include "queries.h"
#include "index.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "sys/clock.h"

#define PIECE 20000
#define PIECE_MS 200 /* a snapshot is not held longer, and who stops a query does not wait longer */
#define SCRATCH_MAX ((size_t)1 << 20)
#define RESULT_BYTES ((size_t)64 << 20)
#define TIMEOUT_MS (60 * MS_MINUTE)
#define COLUMNS_MAX 256

typedef struct source {
	logs_group *group;
	place from, to; /* what is left of it */
	place_scan scan;
	const logs_event *head;
	int64_t bytes, since; /* events that came before are not in an index that the query asks for */
} source;

typedef struct run {
	req *rq;
	const txn *tx;
	logs_query *q;
	iq_run iq;
	arena *scratch;
	source *sources;
	size_t n;
	map streams;
	str columns[COLUMNS_MAX];
	size_t n_columns;
	logs_QueryResults rows;
	size_t result_bytes;
	double scanned, skipped;
	int64_t skipped_bytes;
	bool more; /* events */
} run;

static void add_column(run *r, str name)
{
	for (size_t i = 0; i < r->n_columns; i++)
		if (str_eq(r->columns[i], name))
			return;
	if (r->n_columns < COLUMNS_MAX)
		r->columns[r->n_columns++] = name;
}

static void add_columns(run *r, const iq_column *columns)
{
	for (; columns; columns = columns->next)
		add_column(r, columns->name);
}

/* What the last display says; else what fields and stats name. */
static void find_columns(run *r)
{
	bool shown = false;
	for (const iq_stage *s = r->iq.query->stages; s; s = s->next) {
		if (s->kind == IQ_STATS || s->kind == IQ_DISPLAY)
			r->n_columns = 0;
		if (s->kind == IQ_STATS)
			add_columns(r, s->by);
		if (s->kind == IQ_STATS || s->kind == IQ_DISPLAY || (s->kind == IQ_FIELDS && !shown))
			add_columns(r, s->columns);
		shown = (shown && s->kind != IQ_STATS) || s->kind == IQ_DISPLAY;
	}
	if (r->n_columns)
		return;
	add_column(r, S("@timestamp"));
	add_column(r, S("@message"));
	for (const iq_stage *s = r->iq.query->stages; s; s = s->next)
		for (size_t i = 1; s->kind == IQ_PARSE && i <= s->n_names; i++)
			add_column(r, s->names[i]);
}

static bool emit(void *context, iq_row *row)
{
	run *r = context;
	arena *mem = r->iq.mem;
	logs_ResultRows *out = &r->rows.v[r->rows.n];
	out->v = arena_array(mem, logs_ResultField, r->n_columns + 1);
	for (size_t i = 0; i < r->n_columns && r->result_bytes <= RESULT_BYTES; i++) {
		str value = iq_shown(row->mem, iq_field(row, r->columns[i]));
		if (!str_is(value))
			continue;
		out->v[out->n++] = (logs_ResultField){ r->columns[i], arena_str(mem, value) };
		r->result_bytes += value.n;
	}
	if (row->event)
		out->v[out->n++] = (logs_ResultField){ S("@ptr"),
			query_pointer(mem, r->sources[row->group].group->Name, row->when, row->seq) };
	r->rows.n++;
	r->iq.full = r->iq.full || r->result_bytes > RESULT_BYTES;
	return r->rows.n < (size_t)r->q->Limit && !r->iq.full;
}

static str stream_name(run *r, int64_t id)
{
	str key = str_of((const char *)&id, sizeof id), *name = map_get(&r->streams, key);
	if (name)
		return *name;
	logs_streamname *n = logs_streamname_get(r->tx, r->iq.mem, id);
	name = arena_new(r->iq.mem, str);
	*name = n ? n->Name : STR_NONE;
	map_put(&r->streams, arena_str(r->iq.mem, key), name);
	return *name;
}

/* false: its stream is gone. */
static bool fill(run *r, iq_row *row, const logs_event *e)
{
	const logs_group *g = r->sources[row->group].group;
	row->event = true;
	row->when = e->When;
	row->seq = e->Seq;
	row->ingested = e->Ingested;
	row->stream_id = e->StreamId;
	row->raw = e->Message;
	row->message = event_shown(row->mem, e->Message, e->Masks);
	row->transformed = e->Transformed;
	row->stream = stream_name(r, e->StreamId);
	row->log = arena_fmt(row->mem, "%.*s:%.*s", STR_ARG(g->Account), STR_ARG(g->Name));
	row->lambda = str_starts(g->Name, S("/aws/lambda/"));
	return str_is(row->stream);
}

static bool refetch(void *context, iq_row *row)
{
	run *r = context;
	logs_event *e = logs_event_get(r->tx, row->mem, r->sources[row->group].group->Id, row->when, row->seq);
	return e && fill(r, row, e);
}

static void open_sources(run *r)
{
	bool back = !r->iq.query->ascending;
	for (size_t i = 0; i < r->n; i++) {
		source *s = &r->sources[i];
		s->scan = events_between(r->tx, r->iq.mem, s->group->Id, s->from, s->to, back);
		s->head = events_next(&s->scan);
	}
}

static void close_sources(run *r)
{
	for (size_t i = 0; i < r->n; i++)
		cursor_close(&r->sources[i].scan.at);
}

static source *next_source(run *r)
{
	int sign = r->iq.query->ascending ? 1 : -1;
	source *best = NULL;
	for (size_t i = 0; i < r->n; i++) {
		source *s = &r->sources[i];
		if (s->head && (!best || place_cmp((place){ s->head->When, s->head->Seq },
		                                   (place){ best->head->When, best->head->Seq }) * sign < 0))
			best = s;
	}
	return best;
}

static void step(run *r, source *s)
{
	place p = { s->head->When, s->head->Seq };
	iq_row row = { .mem = r->scratch, .group = s - r->sources };
	bool indexed = s->head->Ingested >= s->since;
	r->scanned += indexed;
	r->skipped += !indexed;
	(*(indexed ? &s->bytes : &r->skipped_bytes)) += (int64_t)s->head->Message.n;
	r->more = !indexed || !fill(r, &row, s->head) || iq_push(&r->iq, &row);
	if (r->iq.query->ascending)
		s->from = (place){ p.when, p.seq + 1 };
	else
		s->to = p;
	if (arena_used(r->scratch) > SCRATCH_MAX)
		arena_reset(r->scratch);
	s->head = events_next(&s->scan);
}

/* false: somebody stopped it. */
static bool walk(run *r)
{
	logs_query *q = r->q;
	int64_t until = clock_real() + TIMEOUT_MS;
	for (r->more = true; r->more && clock_real() < until;) {
		r->tx = req_read(r->rq);
		const logs_query *now = query_find(r->tx, r->scratch, q->Account, q->Region, q->Id);
		bool wanted = now && query_goes_on(now);
		source *s = NULL;
		open_sources(r);
		int64_t pause = clock_real() + PIECE_MS;
		for (size_t i = 0; wanted && r->more && i < PIECE && (i == 0 || clock_real() < pause) &&
		     (s = next_source(r)); i++)
			step(r, s);
		close_sources(r);
		if (wanted && (!r->more || !s)) {
			iq_finish(&r->iq);
			r->more = false;
		}
		req_read_end(r->rq, r->tx);
		if (!wanted)
			return false;
	}
	return true;
}

static void statistics(run *r)
{
	double bytes = 0;
	for (size_t i = 0; i < r->n; i++)
		bytes += (double)r->sources[i].bytes;
	r->q->Statistics = arena_new(r->iq.mem, logs_QueryStatistics);
	*r->q->Statistics = (logs_QueryStatistics){ .recordsMatched = F64(r->iq.matched),
		.recordsScanned = F64(r->scanned), .bytesScanned = F64(bytes),
		.estimatedRecordsSkipped = F64(r->skipped), .estimatedBytesSkipped = F64((double)r->skipped_bytes),
		.logGroupsScanned = F64((double)r->n) };
}

static err save_rows(req *rq, txn *tx, void *context)
{
	const logs_queryrows *rows = context;
	logs_queryrows_put(tx, rows);
	return OK;
}

static err save_end(req *rq, txn *tx, void *context)
{
	const run *r = context;
	logs_query *q = query_find(tx, rq->mem, r->q->Account, r->q->Region, r->q->Id);
	for (size_t i = 0; i < r->n; i++)
		usage_add(tx, r->q->Account, r->q->Region, rq->now, &LOGS_INSIGHTS,
		          arena_fmt(rq->mem, "arn:aws:logs:%.*s:%.*s:log-group:%.*s", STR_ARG(r->q->Region),
		                    STR_ARG(r->q->Account), STR_ARG(r->sources[i].group->Name)),
		          r->sources[i].bytes);
	if (!q)
		return OK;
	q->Statistics = r->q->Statistics;
	if (query_goes_on(q)) {
		q->Status = r->q->Status;
		q->Why = r->q->Why;
	}
	logs_queryactive_delete(tx, q->Account, q->Region, q->Id);
	logs_query_put(tx, q);
	return OK;
}

static err save_start(req *rq, txn *tx, void *context)
{
	const logs_query *before = context;
	logs_query *q = query_find(tx, rq->mem, before->Account, before->Region, before->Id);
	if (q && query_goes_on(q)) {
		q->Status = logs_QueryStatus_Running;
		logs_query_put(tx, q);
	}
	return OK;
}

static bool save(run *r)
{
	for (size_t from = 0; from < r->rows.n; from += QUERY_CHUNK) {
		size_t n = r->rows.n - from < QUERY_CHUNK ? r->rows.n - from : QUERY_CHUNK;
		logs_queryrows rows = { r->q->Account, r->q->Region, r->q->Id, (int64_t)(from / QUERY_CHUNK),
			                { r->rows.v + from, n } };
		if (req_write(r->rq, save_rows, &rows))
			return false;
	}
	return !req_write(r->rq, save_end, r);
}

/* Since when all are indexed that the query asks for. */
static int64_t indexed_since(run *r, const logs_group *g)
{
	int64_t since = 0;
	for (const iq_index *i = r->iq.query->indexes; i; i = i->next) {
		int64_t own = index_since(r->tx, r->iq.mem, g, i->field);
		since = own > since ? own : since;
	}
	return since;
}

static void find_sources(run *r)
{
	logs_query *q = r->q;
	r->sources = arena_array(r->iq.mem, source, q->Groups.n + 1);
	for (size_t i = 0; i < q->Groups.n; i++) {
		logs_group *g = logs_group_get(r->tx, r->iq.mem, q->Account, q->Region, q->Groups.v[i]);
		if (g)
			r->sources[r->n++] = (source){ .group = g, .since = indexed_since(r, g), .from = { q->Start, 0 },
				                       .to = q->End < INT64_MAX ? (place){ q->End + 1, 0 } : PLACE_END };
	}
}

static bool run_query(run *r)
{
	iq_query *parsed;
	err e = iq_parse(r->rq, r->q->Text, r->q->Created, &parsed);
	if (e)
		return true;
	parsed->limit = (size_t)r->q->Limit;
	r->iq = (iq_run){ .query = parsed, .mem = r->rq->mem, .now = r->q->Created, .emit = emit, .context = r,
		          .refetch = refetch };
	r->streams = map_in(r->iq.mem, 64);
	r->rows.v = arena_array(r->iq.mem, logs_ResultRows, (size_t)r->q->Limit + 1);
	iq_start(&r->iq);
	find_columns(r);
	r->tx = req_read(r->rq);
	find_sources(r);
	req_read_end(r->rq, r->tx);
	bool whole = walk(r);
	statistics(r);
	r->q->Status = r->iq.full ? logs_QueryStatus_Failed : r->more ? logs_QueryStatus_Timeout :
		                                                            logs_QueryStatus_Complete;
	if (r->iq.full)
		r->q->Why = S("The query needs more memory than a query gets.");
	if (!whole)
		r->rows.n = 0;
	return save(r);
}

TASK(logs_query)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	run *r = arena_new(mem, run);
	r->rq = req_internal(mem, s, "logs.amazonaws.com", account, region);
	const txn *tx = req_read(r->rq);
	r->q = query_find(tx, mem, account, region, rest);
	req_read_end(r->rq, tx);
	if (!r->q || !query_goes_on(r->q))
		return TASK_DONE;
	if (req_write(r->rq, save_start, r->q))
		return clock_now() + MS_SECOND;
	r->scratch = arena_open(0);
	bool done = run_query(r);
	arena_close(r->scratch);
	return done || attempt > 3 ? TASK_DONE : clock_now() + MS_SECOND;
}
