#include "logs.h"

/* Where a page of a stream ends: a time and a sequence number, as "f/TTTT..SSSS" or "b/TTTT..SSSS". */
typedef struct place {
	int64_t when, seq;
} place;

static str place_token(req *rq, char direction, place p)
{
	return arena_fmt(rq->mem, "%c/%020lld%036lld", direction, (long long)p.when, (long long)p.seq);
}

static bool place_read(str token, char *direction, place *p)
{
	if (token.n != 58 || token.p[1] != '/')
		return false;
	*direction = token.p[0];
	return (*direction == 'f' || *direction == 'b') && str_to_i64(str_sub(token, 2, 22), &p->when) &&
	       str_to_i64(str_sub(token, 22, 58), &p->seq);
}

static bool after(int64_t when, int64_t seq, place p)
{
	return when > p.when || (when == p.when && seq > p.seq);
}

static bool before(int64_t when, int64_t seq, place p)
{
	return when < p.when || (when == p.when && seq < p.seq);
}

typedef struct page {
	logs_OutputLogEvents events;
	place first, last;
	size_t limit, bytes;
} page;

static bool take(req *rq, const txn *tx, int64_t group, const logs_line *l, page *p)
{
	const logs_event *e = logs_event_get(tx, rq->mem, group, l->When, l->Seq);
	if (!e)
		return true;
	if (p->events.n == p->limit || p->bytes + e->Message.n > LOGS_ANSWER_BYTES)
		return false;
	if (!p->events.n)
		p->first = (place){ e->When, e->Seq };
	p->last = (place){ e->When, e->Seq };
	p->bytes += e->Message.n + LOGS_EVENT_OVERHEAD;
	p->events.v[p->events.n++] = (logs_OutputLogEvent){ .timestamp = I64(e->When), .message = e->Message,
		                                            .ingestionTime = I64(e->Ingested) };
	return true;
}

static void turn_round(page *p)
{
	for (size_t i = 0, j = p->events.n; i + 1 < j; i++) {
		logs_OutputLogEvent e = p->events.v[i];
		p->events.v[i] = p->events.v[--j];
		p->events.v[j] = e;
	}
	place first = p->first;
	p->first = p->last;
	p->last = first;
}

err logs_GetLogEvents(req *rq, const txn *tx, const logs_GetLogEvents_in *in, logs_GetLogEvents_out *out)
{
	logs_group *g;
	logs_stream *st;
	char direction = in->startFromHead.v ? 'f' : 'b';
	place from = { in->startTime.set ? in->startTime.v : 0, -1 };
	place to = { in->endTime.set ? in->endTime.v : INT64_MAX, -1 }, token;
	TRY(group_find(rq, tx, in->logGroupName, in->logGroupIdentifier, &g));
	TRY(stream_find(rq, tx, g, in->logStreamName, &st));
	if (str_is(in->nextToken)) {
		if (!place_read(in->nextToken, &direction, &token))
			return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
		if (direction == 'f' && after(token.when, token.seq, from))
			from = token;
		if (direction == 'b' && before(token.when, token.seq, to))
			to = token;
	}
	page p = { .limit = in->limit.set ? (size_t)in->limit.v : LOGS_ANSWER_EVENTS };
	p.events.v = arena_array(rq->mem, logs_OutputLogEvent, p.limit);
	p.first = p.last = direction == 'f' ? from : to;
	record_scan s = logs_line_scan(tx, rq->mem, 1, st->Id, 0, 0);
	if (direction == 'b')
		record_scan_reverse(&s);
	for (logs_line *l; (l = logs_line_next(&s));) {
		bool low = !after(l->When, l->Seq, from), high = !before(l->When, l->Seq, to);
		if (direction == 'f' ? high : low)
			break;
		if (direction == 'f' ? low : high)
			continue;
		if (!take(rq, tx, g->Id, l, &p))
			break;
	}
	cursor_close(&s.at);
	if (direction == 'b' && p.events.n)
		turn_round(&p);
	out->events = p.events;
	out->nextForwardToken = place_token(rq, 'f', p.last);
	out->nextBackwardToken = place_token(rq, 'b', p.first);
	return OK;
}

typedef struct wanted {
	const logs_FilterLogEvents_in *in;
	const filter *filter;
	int64_t stream_ids[100]; /* of logStreamNames; AWS's limit */
	size_t n_streams;
} wanted;

static bool stream_wanted(req *rq, const txn *tx, const wanted *w, int64_t id, str *name)
{
	if (w->n_streams) {
		bool listed = false;
		for (size_t i = 0; i < w->n_streams; i++)
			listed = listed || w->stream_ids[i] == id;
		if (!listed)
			return false;
	}
	logs_streamname *n = logs_streamname_get(tx, rq->mem, id);
	*name = n ? n->Name : S("");
	return n && str_starts(*name, w->in->logStreamNamePrefix);
}

static err wanted_of(req *rq, const txn *tx, const logs_group *g, const logs_FilterLogEvents_in *in,
                     wanted *w)
{
	filter *f;
	w->in = in;
	if (in->logStreamNames.n && str_is(in->logStreamNamePrefix))
		return fail(rq, &logs_InvalidParameterException,
		            "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.");
	for (size_t i = 0; i < in->logStreamNames.n && i < 100; i++) {
		logs_stream *s;
		TRY(stream_find(rq, tx, g, in->logStreamNames.v[i], &s));
		w->stream_ids[w->n_streams++] = s->Id;
	}
	TRY(filter_parse(rq, in->filterPattern, &f));
	w->filter = f;
	return OK;
}

err logs_FilterLogEvents(req *rq, const txn *tx, const logs_FilterLogEvents_in *in,
                         logs_FilterLogEvents_out *out)
{
	logs_group *g;
	wanted *w = arena_new(rq->mem, wanted);
	place from = { in->startTime.set ? in->startTime.v : 0, -1 };
	int64_t to = in->endTime.set ? in->endTime.v : INT64_MAX;
	size_t limit = in->limit.set ? (size_t)in->limit.v : LOGS_ANSWER_EVENTS, bytes = 0;
	char direction;
	str name;
	TRY(group_find(rq, tx, in->logGroupName, in->logGroupIdentifier, &g));
	TRY(wanted_of(rq, tx, g, in, w));
	if (str_is(in->nextToken) && !place_read(in->nextToken, &direction, &from))
		return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");

	out->events.v = arena_array(rq->mem, logs_FilteredLogEvent, limit);
	out->searchedLogStreams.v = arena_new(rq->mem, logs_SearchedLogStream);
	record_scan s = logs_event_scan(tx, rq->mem, 1, g->Id, 0, 0);
	record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)from.when - 1));
	place last = from;
	for (logs_event *e; (e = logs_event_next(&s)) && e->When <= to;) {
		if (!after(e->When, e->Seq, from) || !stream_wanted(rq, tx, w, e->StreamId, &name) ||
		    !filter_fits(rq->mem, w->filter, e->Message))
			continue;
		if (out->events.n == limit || bytes + e->Message.n > LOGS_ANSWER_BYTES) {
			out->nextToken = place_token(rq, 'f', last);
			break;
		}
		bytes += e->Message.n + LOGS_EVENT_OVERHEAD;
		last = (place){ e->When, e->Seq };
		out->events.v[out->events.n++] = (logs_FilteredLogEvent){
			.logStreamName = name, .timestamp = I64(e->When), .message = e->Message,
			.ingestionTime = I64(e->Ingested),
			.eventId = event_id(rq->mem, e->When, e->Seq)
		};
	}
	cursor_close(&s.at);
	return OK;
}
