/*
 * FilterLogEvents: what fits a pattern, over a group or some of its streams. It runs on the pool, and one
 * answer looks through a bounded number of events: where it ends, a token goes on, and a page may be empty
 * while more follows, as on AWS.
 */
#include "cloud/event_log.h"
#include "base/map.h"
#include "token.h"

#define SCANNED_MAX ((size_t)200000)
#define SCANNED_BYTES_MAX ((size_t)64 << 20)
#define MERGED_MAX 100 /* streams walked each on its own; of more, the whole group is walked */
#define SCRATCH_MAX ((size_t)1 << 20)

typedef struct search {
	req *rq;
	const txn *tx;
	const logs_FilterLogEvents_in *in;
	logs_FilterLogEvents_out *out;
	filter *filter;
	logs_group *group;
	place from, to, last;
	size_t limit, bytes, scanned, scanned_bytes, capacity;
	int64_t streams[MERGED_MAX];
	size_t n_streams;
	bool merge; /* walk the streams instead of the group */
	map names;  /* of streams, by id */
	arena *scratch;
} search;

static str stream_name(search *s, int64_t id)
{
	str key = str_of((const char *)&id, sizeof id), *name = map_get(&s->names, key);
	if (name)
		return *name;
	logs_streamname *n = logs_streamname_get(s->tx, s->rq->mem, id);
	name = arena_new(s->rq->mem, str);
	*name = n ? n->Name : STR_NONE;
	map_put(&s->names, arena_str(s->rq->mem, key), name);
	return *name;
}

static void found(search *s, const logs_event *e, str message, str stream)
{
	logs_FilteredLogEvents *events = &s->out->events;
	if (events->n == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 4 : 64;
		logs_FilteredLogEvent *v = arena_array(s->rq->mem, logs_FilteredLogEvent, s->capacity);
		if (events->n)
			memcpy(v, events->v, events->n * sizeof *v);
		events->v = v;
	}
	s->bytes += e->Message.n + LOGS_EVENT_OVERHEAD;
	events->v[events->n++] = (logs_FilteredLogEvent){ .logStreamName = stream, .timestamp = I64(e->When),
		.message = arena_str(s->rq->mem, message), .ingestionTime = I64(e->Ingested),
		.eventId = event_id(s->rq->mem, e->When, e->Seq) };
}

/* false: the answer is full before this event. */
static bool look(search *s, const logs_event *e)
{
	if (s->scanned++ == SCANNED_MAX || s->scanned_bytes > SCANNED_BYTES_MAX)
		return false;
	s->scanned_bytes += e->Message.n;
	if (arena_used(s->scratch) > SCRATCH_MAX)
		arena_reset(s->scratch);
	str stream = stream_name(s, e->StreamId);
	str message = s->in->unmask.v ? e->Message : event_shown(s->scratch, e->Message, e->Masks);
	bool fits = str_is(stream) && (s->merge || str_starts(stream, s->in->logStreamNamePrefix)) &&
	            filter_fits(s->scratch, s->filter, message);
	if (fits && (s->out->events.n == s->limit ||
	             (s->out->events.n && s->bytes + e->Message.n > LOGS_ANSWER_BYTES)))
		return false;
	if (fits)
		found(s, e, message, stream);
	s->last = (place){ e->When, e->Seq };
	return true;
}

/* true: there may be more. */
static bool walk_group(search *s)
{
	const logs_event *e;
	place_scan scan = events_between(s->tx, s->rq->mem, s->group->Id, s->from, s->to, false);
	while ((e = events_next(&scan)) && look(s, e))
		;
	cursor_close(&scan.at);
	return e;
}

static bool walk_streams(search *s)
{
	const logs_event *e;
	arena *events = arena_open(0);
	streams_scan scan = streams_between(s->tx, s->rq->mem, s->group->Id, s->streams, s->n_streams, s->from,
	                                    s->to);
	while ((e = streams_next(&scan, events)) && look(s, e))
		if (arena_used(events) > SCRATCH_MAX)
			arena_reset(events);
	streams_close(&scan);
	arena_close(events);
	return e;
}

static err streams_named(search *s)
{
	const logs_InputLogStreamNames *names = &s->in->logStreamNames;
	for (size_t i = 0; i < names->n; i++) {
		logs_stream *st;
		TRY(stream_find(s->rq, s->tx, s->group, names->v[i], &st));
		bool twice = false;
		for (size_t k = 0; k < s->n_streams; k++)
			twice = twice || s->streams[k] == st->Id;
		if (!twice && s->n_streams < MERGED_MAX)
			s->streams[s->n_streams++] = st->Id;
	}
	s->merge = names->n > 0;
	return OK;
}

static void streams_prefixed(search *s, str prefix)
{
	logs_stream *st = logs_stream_get(s->tx, s->rq->mem, s->group->Id, prefix);
	if (st)
		s->streams[s->n_streams++] = st->Id;
	record_scan scan = logs_stream_scan(s->tx, s->rq->mem, 1, s->group->Id, STR_NONE);
	record_scan_after(&scan, prefix);
	s->merge = true;
	while (s->merge && (st = logs_stream_next(&scan)) && str_starts(st->Name, prefix)) {
		s->merge = s->n_streams < MERGED_MAX;
		if (s->merge)
			s->streams[s->n_streams++] = st->Id;
	}
	cursor_close(&scan.at);
}

static err answer(search *s)
{
	const logs_FilterLogEvents_in *in = s->in;
	TRY(group_either(s->rq, s->tx, in->logGroupName, in->logGroupIdentifier, &s->group));
	TRY(group_standard(s->rq, s->group));
	if (in->logStreamNames.n)
		TRY(streams_named(s));
	else if (in->logStreamNamePrefix.n)
		streams_prefixed(s, in->logStreamNamePrefix);
	s->out->events.v = arena_new(s->rq->mem, logs_FilteredLogEvent);
	s->last = s->from;
	if (s->merge ? walk_streams(s) : walk_group(s))
		s->out->nextToken = place_token(s->rq, 'f', s->last);
	return OK;
}

err logs_FilterLogEvents(req *rq, const logs_FilterLogEvents_in *in, logs_FilterLogEvents_out *out)
{
	bool back = false;
	search *s = arena_new(rq->mem, search);
	*s = (search){ .rq = rq, .in = in, .out = out, .from = { in->startTime.v, 0 }, .to = PLACE_END,
		           .limit = in->limit.set ? (size_t)in->limit.v : LOGS_ANSWER_EVENTS,
		           .names = map_in(rq->mem, 64) };
	if (in->logStreamNames.n && str_is(in->logStreamNamePrefix))
		return fail(rq, &logs_InvalidParameterException,
		            "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
	if (in->endTime.set && in->endTime.v < INT64_MAX)
		s->to = (place){ in->endTime.v + 1, 0 };
	TRY(filter_parse(rq, in->filterPattern, &s->filter));
	log_flush(); /* what a function said before it answered is there */
	if (str_is(in->nextToken)) {
		if (!place_read(in->nextToken, &back, &s->from) || back)
			return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
		s->from.seq += s->from.seq < INT64_MAX;
	}
	out->searchedLogStreams.v = arena_new(rq->mem, logs_SearchedLogStream);
	s->scratch = arena_open(0);
	s->tx = req_read(rq);
	err e = answer(s);
	req_read_end(rq, s->tx);
	arena_close(s->scratch);
	return e;
}
