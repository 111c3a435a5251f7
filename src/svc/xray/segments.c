/* Segments come in, by request and from other services, and go after thirty days. */
#include "base/time.h"
#include "cloud/meter.h"
#include "cloud/trace.h"
#include "store/due.h"
#include "xray.h"

#define EXPIRE_CHUNK 1000

static bool hex(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789abcdefABCDEF", s.p[i]))
			return false;
	return true;
}

static str text_of(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_STRING ? m->text : STR_NONE;
}

/* 1-8 digits-24 digits */
static bool trace_id_good(str id)
{
	return id.n == 35 && id.p[0] == '1' && id.p[1] == '-' && id.p[10] == '-' && hex(str_sub(id, 2, 10)) &&
	       hex(str_sub(id, 11, 35));
}

static bool number(const json_value *v, str key)
{
	const json_value *m = json_get(v, key);
	return m && m->kind == JSON_NUMBER;
}

const char *segment_check(arena *mem, str document, str *trace, str *id, bool *progress)
{
	const json_value *v = document.n <= XRAY_SEGMENT_BYTES ? json_parse(mem, document) : NULL;
	const json_value *running = json_get(v, S("in_progress"));
	str name = text_of(v, S("name"));
	if (!v || v->kind != JSON_OBJECT)
		return "ParseError";
	*trace = text_of(v, S("trace_id"));
	*id = text_of(v, S("id"));
	*progress = running && running->kind == JSON_TRUE;
	if (!id->n)
		return "MissingId";
	if (id->n != 16 || !hex(*id))
		return "InvalidId";
	if (!trace->n)
		return "MissingTraceId";
	if (!trace_id_good(*trace))
		return "InvalidTraceId";
	if (!name.n)
		return "MissingName";
	if (name.n > 200)
		return "NameTooLong";
	if (!number(v, S("start_time")))
		return "MissingStartTime";
	if (!*progress && !number(v, S("end_time")))
		return "MissingEndTime";
	if (str_eq(text_of(v, S("type")), S("subsegment")) && !text_of(v, S("parent_id")).n)
		return "MissingParentId";
	return NULL;
}

/* Ids say when a trace began, in seconds of 32 bits. */
static int64_t trace_when(str id, int64_t now)
{
	int64_t seconds = 0;
	for (size_t i = 2; i < 10; i++) {
		char c = id.p[i];
		seconds = seconds * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	int64_t when = seconds * 1000;
	return when <= now + MS_HOUR && when > now - XRAY_DAYS * MS_DAY ? when : now;
}

static str place_of(arena *mem, str account, str region)
{
	return arena_fmt(mem, "%.*s %.*s", STR_ARG(account), STR_ARG(region));
}

/* The trace's row; new ones are counted. */
static bool trace_begin(txn *tx, arena *mem, str account, str region, str trace, int64_t now)
{
	if (xray_trace_get(tx, mem, account, region, trace))
		return false;
	int64_t when = trace_when(trace, now);
	xray_trace_put(tx, &(xray_trace){ .Account = account, .Region = region, .Id = trace, .When = when });
	xray_bytime_put(tx, &(xray_bytime){ .Account = account, .Region = region, .When = when, .Id = trace });
	if (!xray_region_get(tx, mem, account, region)) {
		xray_region_put(tx, &(xray_region){ .Account = account, .Region = region });
		str place = place_of(mem, account, region);
		timer_set(tx, "xray_expire", place, now + MS_DAY, place);
	}
	return true;
}

/* What is wrong with it, or NULL. A finished segment is not undone by news of its beginning. */
static const char *segment_add(txn *tx, arena *mem, str account, str region, str document, int64_t now,
                               str *id, bool *new_trace)
{
	str trace;
	bool progress;
	*new_trace = false;
	const char *wrong = segment_check(mem, document, &trace, id, &progress);
	if (wrong)
		return wrong;
	xray_segment *had = xray_segment_get(tx, mem, account, region, trace, *id);
	if (had && progress && !had->InProgress)
		return NULL;
	*new_trace = trace_begin(tx, mem, account, region, trace, now);
	xray_segment_put(tx, &(xray_segment){ .Account = account, .Region = region, .Trace = trace, .Id = *id,
	                                      .Document = document, .InProgress = progress });
	return NULL;
}

err xray_PutTraceSegments(req *rq, txn *tx, const xray_PutTraceSegments_in *in,
                          xray_PutTraceSegments_out *out)
{
	size_t n = in->TraceSegmentDocuments.n;
	out->UnprocessedTraceSegments.v = arena_array(rq->mem, xray_UnprocessedTraceSegment, n + 1);
	for (size_t i = 0; i < n; i++) {
		str id = STR_NONE;
		bool new_trace;
		const char *wrong = segment_add(tx, rq->mem, rq->who.account, rq->region,
		                                in->TraceSegmentDocuments.v[i], rq->now, &id, &new_trace);
		if (wrong)
			out->UnprocessedTraceSegments.v[out->UnprocessedTraceSegments.n++] =
				(xray_UnprocessedTraceSegment){ id, str_c(wrong),
				arena_fmt(rq->mem, "Invalid segment. ErrorCode: %s", wrong) };
		if (new_trace)
			meter_one(rq, &XRAY_RECORDED, S("traces"));
	}
	return OK;
}

/* What daemons say of themselves is looked at by nobody, as on AWS. */
err xray_PutTelemetryRecords(req *rq, const txn *tx, const xray_PutTelemetryRecords_in *in,
                             xray_PutTelemetryRecords_out *out)
{
	return OK;
}

static void sink(txn *tx, const trace_segment *segments)
{
	for (const trace_segment *s = segments; s; s = trace_segment_next(s)) {
		str id;
		bool new_trace;
		segment_add(tx, txn_arena(tx), s->account, s->region, s->document, s->when, &id, &new_trace);
		if (new_trace)
			usage_add(tx, s->account, s->region, s->when, &XRAY_RECORDED, S("traces"), QTY(1));
	}
}
TRACE_SINK(sink);

TIMER(xray_expire)
{
	arena *mem = txn_arena(tx);
	str region = payload, account = str_cut(&region, ' ');
	size_t n = 0;
	record_scan s = xray_bytime_scan(tx, mem, 2, account, region, 0, STR_NONE);
	for (xray_bytime *t; n < EXPIRE_CHUNK && (t = xray_bytime_next(&s)); n++) {
		if (t->When >= due - XRAY_DAYS * MS_DAY)
			break;
		record_scan inside = xray_segment_scan(tx, mem, 3, account, region, t->Id, STR_NONE);
		for (xray_segment *g; (g = xray_segment_next(&inside));)
			xray_segment_delete(tx, account, region, t->Id, g->Id);
		xray_trace_delete(tx, account, region, t->Id);
		xray_bytime_delete(tx, account, region, t->When, t->Id);
	}
	cursor_close(&s.at);
	timer_set(tx, "xray_expire", payload, n == EXPIRE_CHUNK ? due : due + MS_DAY, payload);
}
