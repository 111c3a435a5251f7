#include "base/map.h"
#include "base/time.h"
#include "cloud/event_log.h"
#include "fresh.h"
#include "protection.h"

#define TOO_OLD_MS (14 * MS_DAY)
#define TOO_NEW_MS (2 * MS_HOUR)
#define SPAN_MS MS_DAY

static str resource_of(arena *mem, const logs_group *g)
{
	return arena_fmt(mem, "arn:aws:logs:%.*s:%.*s:log-group:%.*s", STR_ARG(g->Region),
	                 STR_ARG(g->Account), STR_ARG(g->Name));
}

/* AWS bills the text and 26 bytes for each event. */
static int64_t billed_bytes(str message)
{
	return (int64_t)message.n + LOGS_EVENT_OVERHEAD;
}

str event_id(arena *mem, int64_t when, int64_t seq)
{
	return arena_fmt(mem, "%020lld%036lld", (long long)when, (long long)seq);
}

str event_shown(arena *mem, str message, str masks)
{
	if (!masks.n)
		return message;
	char *p = arena_bytes(mem, message.n + 1);
	memcpy(p, message.p, message.n);
	while (str_is(masks)) {
		int64_t from, to;
		str range = str_cut(&masks, ',');
		if (str_to_i64(str_cut(&range, '-'), &from) && str_to_i64(range, &to) && from <= to &&
		    (size_t)to <= message.n)
			memset(p + from, '*', (size_t)(to - from));
	}
	return str_of(p, message.n);
}

/* What has more in it than is kept is masked whole. */
static str masks_of(arena *mem, const finding *found, str message)
{
	size_t n = 0;
	buf masks = buf_in(mem, 64, 1 << 16);
	for (const finding *f = found; f; f = f->next, n++)
		buf_fmt(&masks, "%s%zu-%zu", masks.n ? "," : "", f->from, f->to);
	if (masks.full || n == PROTECTION_FINDINGS_MAX)
		return arena_fmt(mem, "0-%zu", message.n);
	return n ? buf_str(&masks) : STR_NONE;
}

/* Finds what policies call sensitive. true: it was reported, into rows of groups and streams. */
static bool protect(txn *tx, const logs_group *g, event_in *events, size_t n, int64_t now)
{
	arena *mem = txn_arena(tx);
	const protection *p = protection_of(tx, mem, g);
	if (!p)
		return false;
	finding **found = arena_array(mem, finding *, n + 1);
	arena *scratch = arena_open(0);
	for (size_t i = 0; i < n; i++) {
		arena_reset(scratch);
		found[i] = protection_find(mem, scratch, p, events[i].message);
		events[i].masks = masks_of(mem, found[i], events[i].message);
	}
	arena_close(scratch);
	return protection_report(tx, p, g, found, n, now);
}

void events_add(txn *tx, logs_group *g, logs_stream *s, event_in *events, size_t n, int64_t now)
{
	/* The report may be in this very group, whose rows in hand are stale then. */
	if (protect(tx, g, events, n, now)) {
		g = logs_group_get(tx, txn_arena(tx), g->Account, g->Region, g->Name);
		s = logs_stream_get(tx, txn_arena(tx), g->Id, s->Name);
	}
	events_put(tx, g, s, events, n, now);
}

void events_put(txn *tx, logs_group *g, logs_stream *s, event_in *events, size_t n, int64_t now)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		events[i].shown = event_shown(txn_arena(tx), events[i].message, events[i].masks);
	transformed(tx, g, s, events, n);
	for (size_t i = 0; i < n; i++) {
		int64_t seq = events[i].seq = (int64_t)txn_next(tx, S("logs.event"));
		logs_event_put(tx, &(logs_event){ .GroupId = g->Id, .When = events[i].when, .Seq = seq,
		                                  .StreamId = s->Id, .Message = events[i].message,
		                                  .Ingested = now, .Masks = events[i].masks,
		                                  .Transformed = events[i].transformed });
		logs_line_put(tx, &(logs_line){ .StreamId = s->Id, .When = events[i].when, .Seq = seq });
		bytes += billed_bytes(events[i].message);
		if (!s->First || events[i].when < s->First)
			s->First = events[i].when;
		if (events[i].when > s->Last)
			s->Last = events[i].when;
	}
	s->LastIngestion = now;
	s->Bytes += bytes;
	g->Bytes += bytes;
	logs_stream_put(tx, s);
	logs_group_put(tx, g);
	str resource = resource_of(txn_arena(tx), g);
	bool ia = str_eq(g->Class, logs_LogGroupClass_INFREQUENT_ACCESS);
	usage_add(tx, g->Account, g->Region, now, ia ? &LOGS_INGEST_IA : &LOGS_INGEST, resource, bytes);
	resident_set(tx, g->Account, g->Region, now, &LOGS_STORE, resource, g->Bytes);
	fresh_add(tx, g->Id, events, n);
	incoming_note(tx, g, n, bytes, now);
	metrics_of(tx, g, events, n, now);
	subscriptions_of(tx, g, s, events, n);
}

size_t events_expire(txn *tx, logs_group *g, int64_t before, size_t most, int64_t now)
{
	arena *mem = txn_arena(tx);
	size_t n = 0;
	int64_t bytes = 0;
	record_scan s = logs_event_scan(tx, mem, 1, g->Id, 0, 0);
	for (logs_event *e; n < most && (e = logs_event_next(&s)) && e->When < before; n++) {
		bytes += billed_bytes(e->Message);
		logs_event_delete(tx, e->GroupId, e->When, e->Seq);
		logs_line_delete(tx, e->StreamId, e->When, e->Seq);
	}
	cursor_close(&s.at);
	if (n && g->Name.n) {
		g->Bytes -= bytes < g->Bytes ? bytes : g->Bytes;
		logs_group_put(tx, g);
		resident_set(tx, g->Account, g->Region, now, &LOGS_STORE, resource_of(mem, g), g->Bytes);
	}
	return n;
}

static err batch_check(req *rq, const logs_InputLogEvents *events)
{
	size_t bytes = 0;
	for (size_t i = 0; i < events->n; i++) {
		bytes += events->v[i].message.n + LOGS_EVENT_OVERHEAD;
		if (i && events->v[i].timestamp.v < events->v[i - 1].timestamp.v)
			return fail(rq, &logs_InvalidParameterException,
			            "Log events in a single PutLogEvents request must be in chronological order.");
		if (events->v[i].timestamp.v < 0)
			return fail(rq, &logs_InvalidParameterException, "Log event timestamp must not be negative.");
		if (events->v[i].message.n > LOGS_EVENT_BYTES)
			return fail(rq, &logs_InvalidParameterException,
			            "Log event too large: %zu bytes exceeds limit of "
			            "%d",
			            events->v[i].message.n, LOGS_EVENT_BYTES);
	}
	if (bytes > LOGS_BATCH_BYTES)
		return fail(rq, &logs_InvalidParameterException, "Upload too large: %zu bytes exceeds limit of %d",
		            bytes, LOGS_BATCH_BYTES);
	if (events->n && events->v[events->n - 1].timestamp.v - events->v[0].timestamp.v > SPAN_MS)
		return fail(
			rq, &logs_InvalidParameterException,
			"The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
	return OK;
}

/* The indexes that AWS names instead of failing: events in order, so each kind is one end of the batch. */
static logs_RejectedLogEventsInfo *rejected(req *rq, const logs_group *g,
                                                  const logs_InputLogEvents *events, size_t *first,
                                                  size_t *last)
{
	logs_RejectedLogEventsInfo *r = arena_new(rq->mem, logs_RejectedLogEventsInfo);
	int64_t kept = g->RetentionDays ? rq->now - g->RetentionDays * MS_DAY : INT64_MIN;
	size_t old = 0, expired = 0, end = events->n;
	while (old < end && events->v[old].timestamp.v < rq->now - TOO_OLD_MS)
		old++;
	while (expired < end && events->v[expired].timestamp.v < kept)
		expired++;
	while (end > 0 && events->v[end - 1].timestamp.v > rq->now + TOO_NEW_MS)
		end--;
	if (old)
		r->tooOldLogEventEndIndex = I64((int64_t)old);
	if (expired)
		r->expiredLogEventEndIndex = I64((int64_t)expired);
	if (end < events->n)
		r->tooNewLogEventStartIndex = I64((int64_t)end);
	*first = old > expired ? old : expired;
	*last = end;
	return old || expired || end < events->n ? r : NULL;
}

err logs_PutLogEvents(req *rq, txn *tx, const logs_PutLogEvents_in *in, logs_PutLogEvents_out *out)
{
	logs_group *g;
	logs_stream *s;
	size_t first, last;
	TRY(group_find(rq, tx, in->logGroupName, STR_NONE, &g));
	TRY(stream_find(rq, tx, g, in->logStreamName, &s));
	TRY(batch_check(rq, &in->logEvents));
	out->rejectedLogEventsInfo = rejected(rq, g, &in->logEvents, &first, &last);
	event_in *events = arena_array(rq->mem, event_in, in->logEvents.n);
	size_t n = 0;
	for (size_t i = first; i < last; i++)
		events[n++] = (event_in){ .when = in->logEvents.v[i].timestamp.v,
		                            .message = in->logEvents.v[i].message };
	if (n)
		events_add(tx, g, s, events, n, rq->now);
	out->nextSequenceToken = arena_fmt(rq->mem, "%056lld", (long long)rq->now);
	return OK;
}

/* The lines of one stream, in order. */
typedef struct stream_lines {
	const log_line *first;
	event_in *events;
	size_t n, capacity;
	struct stream_lines *next;
} stream_lines;

static void line_add(arena *mem, stream_lines *s, const log_line *l)
{
	if (s->n == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 8;
		event_in *events = arena_array(mem, event_in, capacity);
		for (size_t i = 0; i < s->n; i++)
			events[i] = s->events[i];
		s->events = events;
		s->capacity = capacity;
	}
	s->events[s->n++] = (event_in){ .when = l->when, .message = l->message };
}

static void lines_keep(txn *tx, const stream_lines *of)
{
	arena *mem = txn_arena(tx);
	const log_line *l = of->first;
	logs_group *g = logs_group_get(tx, mem, l->account, l->region, l->group);
	if (!g)
		g = group_make(tx, mem, l->account, l->region, l->group, l->when);
	logs_stream *s = logs_stream_get(tx, mem, g->Id, l->stream);
	if (!s)
		s = stream_make(tx, mem, g, l->stream, l->when);
	events_add(tx, g, s, of->events, of->n, l->when);
}

/* Lines that other services say (cloud/event_log.h): those of a stream go together. */
static void sink(txn *tx, const log_line *lines)
{
	arena *mem = txn_arena(tx);
	map by_stream = map_in(mem, 64);
	stream_lines *all = NULL, **last = &all;
	for (const log_line *l = lines; l; l = log_line_next(l)) {
		str key = arena_fmt(mem, "%.*s\1%.*s\1%.*s\1%.*s", STR_ARG(l->account), STR_ARG(l->region),
		                    STR_ARG(l->group), STR_ARG(l->stream));
		stream_lines *s = map_get(&by_stream, key);
		if (!s) {
			s = arena_new(mem, stream_lines);
			s->first = l;
			map_put(&by_stream, key, s);
			*last = s;
			last = &s->next;
		}
		line_add(mem, s, l);
	}
	for (const stream_lines *s = all; s; s = s->next)
		lines_keep(tx, s);
}
LOG_SINK(sink);
