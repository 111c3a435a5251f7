/* GetLogRecord and GetLogGroupFields: what is found in events, as queries see it. */
#include "base/time.h"
#include "queries.h"

#define SAMPLE_MAX 1000
#define SPAN_MS (15 * MS_MINUTE)
#define AROUND_MS (8 * MS_MINUTE)
#define FIELDS_MAX 1000

iq_row query_row(arena *mem, const txn *tx, const logs_group *g, const logs_event *e)
{
	logs_streamname *n = logs_streamname_get(tx, mem, e->StreamId);
	return (iq_row){ .mem = mem, .event = true, .when = e->When, .seq = e->Seq, .ingested = e->Ingested,
		             .message = event_shown(mem, e->Message, e->Masks),
		             .raw = e->Message, .transformed = e->Transformed, .stream = n ? n->Name : S(""),
		             .log = arena_fmt(mem, "%.*s:%.*s", STR_ARG(g->Account), STR_ARG(g->Name)),
		             .lambda = str_starts(g->Name, S("/aws/lambda/")) };
}

typedef struct texts {
	arena *mem;
	logs_GetLogRecord_out *out;
} texts;

static void as_text(void *context, str name, iq_value v)
{
	texts *t = context;
	str text = iq_shown(t->mem, v);
	if (str_is(text) && t->out->logRecord.n < FIELDS_MAX)
		t->out->logRecord.v[t->out->logRecord.n++] = (logs_LogRecord_entry){ name, text };
}

err logs_GetLogRecord(req *rq, const txn *tx, const logs_GetLogRecord_in *in, logs_GetLogRecord_out *out)
{
	str group;
	place p;
	if (!query_pointer_read(rq->mem, in->logRecordPointer, &group, &p))
		return fail(rq, &logs_InvalidParameterException, "The specified log record pointer is invalid.");
	const logs_group *g = logs_group_get(tx, rq->mem, rq->who.account, rq->region, group);
	const logs_event *e = g ? logs_event_get(tx, rq->mem, g->Id, p.when, p.seq) : NULL;
	if (!e)
		return fail(rq, &logs_ResourceNotFoundException, "The specified log record does not exist.");
	iq_row row = query_row(rq->mem, tx, g, e);
	if (in->unmask.v)
		row.message = row.raw;
	texts t = { rq->mem, out };
	out->logRecord.v = arena_array(rq->mem, logs_LogRecord_entry, FIELDS_MAX);
	as_text(&t, S("@ptr"), iq_text(in->logRecordPointer));
	as_text(&t, S("@message"), iq_text(row.message));
	as_text(&t, S("@logStream"), iq_text(row.stream));
	as_text(&t, S("@log"), iq_text(row.log));
	as_text(&t, S("@timestamp"), iq_number((double)row.when));
	as_text(&t, S("@ingestionTime"), iq_number((double)row.ingested));
	iq_row_each(&row, as_text, &t);
	return OK;
}

typedef struct tally {
	arena *mem;
	map counts;
	logs_LogGroupFieldList *list; /* percent holds a count until the end */
	size_t events;
} tally;

static void count(void *context, str name, iq_value v)
{
	tally *t = context;
	logs_LogGroupField *f = map_get(&t->counts, name);
	if (!v.kind)
		return;
	if (!f && t->list->n < FIELDS_MAX) {
		f = &t->list->v[t->list->n++];
		f->name = arena_str(t->mem, name);
		f->percent = I64(0);
		map_put(&t->counts, f->name, f);
	}
	if (f)
		f->percent.v++;
}

static void sample(req *rq, const txn *tx, const logs_group *g, place from, place to, tally *t)
{
	static const char *const always[] = { "@message", "@timestamp", "@ingestionTime", "@logStream", "@log" };
	arena *mem = arena_open(0);
	place_scan s = events_between(tx, rq->mem, g->Id, from, to, true);
	for (const logs_event *e; t->events < SAMPLE_MAX && (e = events_next(&s)); t->events++) {
		arena_reset(mem);
		iq_row row = query_row(mem, tx, g, e);
		for (size_t i = 0; i < sizeof always / sizeof *always; i++)
			count(t, str_c(always[i]), iq_bool(true));
		iq_row_each(&row, count, t);
	}
	cursor_close(&s.at);
	arena_close(mem);
}

/* Of the events around a time, or of the last quarter of an hour: the newest thousand. */
err logs_GetLogGroupFields(req *rq, const logs_GetLogGroupFields_in *in, logs_GetLogGroupFields_out *out)
{
	logs_group *g;
	int64_t low = rq->now - SPAN_MS, high = rq->now;
	if (in->time.set) {
		int64_t at = in->time.v < INT64_C(99999999999) ? in->time.v * MS_SECOND : in->time.v;
		low = at - AROUND_MS;
		high = at + AROUND_MS;
	}
	const txn *tx = req_read(rq);
	err e = group_either(rq, tx, in->logGroupName, in->logGroupIdentifier, &g);
	tally t = { .mem = rq->mem, .counts = map_in(rq->mem, 64), .list = &out->logGroupFields };
	out->logGroupFields.v = arena_array(rq->mem, logs_LogGroupField, FIELDS_MAX);
	if (!e)
		sample(rq, tx, g, (place){ low > 0 ? low : 0, 0 }, (place){ high > 0 ? high : 0, 0 }, &t);
	req_read_end(rq, tx);
	for (size_t i = 0; i < out->logGroupFields.n; i++) {
		opt_i64 *percent = &out->logGroupFields.v[i].percent;
		percent->v = percent->v * 100 / (int64_t)t.events;
	}
	return e;
}
