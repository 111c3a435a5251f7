/* GetLogEvents: the events of one stream, forwards and backwards. */
#include "cloud/event_log.h"
#include "token.h"

typedef struct page {
	logs_OutputLogEvents events;
	place first, last;
	size_t limit, bytes, capacity;
	bool unmask;
} page;

static void widen(arena *mem, page *p)
{
	size_t capacity = p->capacity ? p->capacity * 4 : 64;
	logs_OutputLogEvent *v = arena_array(mem, logs_OutputLogEvent, capacity);
	if (p->events.n)
		memcpy(v, p->events.v, p->events.n * sizeof *v);
	p->events.v = v;
	p->capacity = capacity;
}

static bool take(req *rq, const txn *tx, int64_t group, const logs_line *l, page *p)
{
	const logs_event *e = logs_event_get(tx, rq->mem, group, l->When, l->Seq);
	if (!e)
		return true;
	if (p->events.n == p->limit || (p->events.n && p->bytes + e->Message.n > LOGS_ANSWER_BYTES))
		return false;
	if (p->events.n == p->capacity)
		widen(rq->mem, p);
	if (!p->events.n)
		p->first = (place){ e->When, e->Seq };
	p->last = (place){ e->When, e->Seq };
	p->bytes += e->Message.n + LOGS_EVENT_OVERHEAD;
	p->events.v[p->events.n++] = (logs_OutputLogEvent){ .timestamp = I64(e->When),
		.message = p->unmask ? e->Message : event_shown(rq->mem, e->Message, e->Masks),
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

static err answer(req *rq, const txn *tx, const logs_GetLogEvents_in *in, logs_GetLogEvents_out *out)
{
	logs_group *g;
	logs_stream *st;
	bool back = !in->startFromHead.v;
	place from = { in->startTime.v, 0 }, to = PLACE_END, token;
	TRY(group_either(rq, tx, in->logGroupName, in->logGroupIdentifier, &g));
	TRY(group_standard(rq, g));
	TRY(stream_find(rq, tx, g, in->logStreamName, &st));
	if (in->endTime.set)
		to = (place){ in->endTime.v, 0 };
	page p = { .limit = in->limit.set ? (size_t)in->limit.v : LOGS_ANSWER_EVENTS,
		   .unmask = in->unmask.v };
	p.first = p.last = from;
	if (str_is(in->nextToken)) {
		if (!place_read(in->nextToken, &back, &token))
			return fail(rq, &logs_InvalidParameterException, "The specified nextToken is invalid.");
		p.first = p.last = token;
		if (!back && token.seq < INT64_MAX)
			token.seq++;
		if (!back && place_cmp(token, from) > 0)
			from = token;
		if (back && place_cmp(token, to) < 0)
			to = token;
	}
	p.events.v = arena_new(rq->mem, logs_OutputLogEvent);
	place_scan s = lines_between(tx, rq->mem, st->Id, from, to, back);
	for (const logs_line *l; (l = lines_next(&s));)
		if (!take(rq, tx, g->Id, l, &p))
			break;
	cursor_close(&s.at);
	if (back && p.events.n)
		turn_round(&p);
	out->events = p.events;
	out->nextForwardToken = place_token(rq, 'f', p.last);
	out->nextBackwardToken = place_token(rq, 'b', p.first);
	return OK;
}

/* On the pool: ten thousand events are no work for a loop. */
err logs_GetLogEvents(req *rq, const logs_GetLogEvents_in *in, logs_GetLogEvents_out *out)
{
	log_flush(); /* what a function said before it answered is there */
	const txn *tx = req_read(rq);
	err e = answer(rq, tx, in, out);
	req_read_end(rq, tx);
	return e;
}
