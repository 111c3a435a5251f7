/*
 * StartLiveTail: a session looks once a second for events that came since, and sends those that fit as one
 * update of bounded size. It occupies a worker for as long as the client listens, which is why an account has
 * few.
 */
#include "base/time.h"
#include "cloud/meter.h"
#include "fresh.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "wire/http.h"
#include <stdatomic.h>

#define TICK_MS 1000
#define SESSION_MS (3 * MS_HOUR)
#define EVENT_MAX ((size_t)8 << 20)
#define GROUPS_MAX 10
#define SESSIONS_MAX 15
#define UPDATE_MAX 500 /* events a second; more are left out and the update says "sampled" */
#define UPDATE_BYTES ((size_t)1 << 20)
#define READ_MAX 8192 /* events looked at in a second */

typedef struct tail {
	const logs_StartLiveTail_in *in;
	filter *filter;
	int64_t groups[GROUPS_MAX];
	str arns[GROUPS_MAX];
	uint64_t at; /* among what came */
	int64_t seen; /* the highest number of an event */
	size_t bytes;
} tail;

static atomic_int sessions;

static str event_of(req *rq, const char *type, const shape *s, const void *value)
{
	buf body = buf_in(rq->mem, 512, EVENT_MAX), frame = buf_in(rq->mem, 1024, EVENT_MAX);
	const http_header headers[] = { { S(":message-type"), S("event") }, { S(":event-type"), str_c(type) },
		                        { S(":content-type"), S("application/json") } };
	json_encode_value(&body, s, value);
	event_frame(&frame, headers, sizeof headers / sizeof *headers, buf_str(&body));
	return buf_str(&frame);
}

static str timeout_event(req *rq)
{
	buf frame = buf_in(rq->mem, 256, EVENT_MAX);
	const http_header headers[] = { { S(":message-type"), S("exception") },
		                        { S(":exception-type"), S("SessionTimeoutException") },
		                        { S(":content-type"), S("application/json") } };
	event_frame(&frame, headers, sizeof headers / sizeof *headers,
	            S("{\"message\":\"The session has reached its three hours.\"}"));
	return buf_str(&frame);
}

static bool stream_fits(const tail *t, str name)
{
	const logs_InputLogStreamNames *names = &t->in->logStreamNames, *starts = &t->in->logStreamNamePrefixes;
	bool fits = !names->n && !starts->n;
	for (size_t i = 0; i < names->n; i++)
		fits = fits || str_eq(name, names->v[i]);
	for (size_t i = 0; i < starts->n; i++)
		fits = fits || str_starts(name, starts->v[i]);
	return fits;
}

/* Takes one that came into the update, when it is wanted. */
static void look(req *rq, const txn *tx, tail *t, const fresh_event *f, logs_LiveTailSessionUpdate *update)
{
	size_t i = 0;
	logs_LiveTailSessionResults *r = &update->sessionResults;
	while (i < t->in->logGroupIdentifiers.n && t->groups[i] != f->group)
		i++;
	logs_event *e = i < t->in->logGroupIdentifiers.n ?
		logs_event_get(tx, rq->mem, f->group, f->when, f->seq) : NULL;
	logs_streamname *n = e ? logs_streamname_get(tx, rq->mem, e->StreamId) : NULL;
	/* A transaction that ran again was announced twice. */
	if (!n || f->seq <= t->seen)
		return;
	t->seen = f->seq;
	str message = event_shown(rq->mem, e->Message, e->Masks);
	if (!stream_fits(t, n->Name) || !filter_fits(rq->mem, t->filter, message))
		return;
	if (r->n == UPDATE_MAX || (r->n && t->bytes + e->Message.n > UPDATE_BYTES)) {
		update->sessionMetadata->sampled = BOOL(true);
		return;
	}
	t->bytes += e->Message.n;
	r->v[r->n++] = (logs_LiveTailSessionLogEvent){ .logStreamName = n->Name,
		.logGroupIdentifier = t->arns[i], .message = message, .timestamp = I64(e->When),
		.ingestionTime = I64(e->Ingested) };
}

/* One update, in an arena of its own: a session lasts for hours. false: the client is gone. */
static bool tick(req *rq, tail *t)
{
	req now = *rq;
	now.mem = arena_open(0);
	logs_LiveTailSessionMetadata about = { .sampled = BOOL(false) };
	logs_LiveTailSessionUpdate update = { .sessionMetadata = &about };
	size_t n;
	fresh_event *came = arena_array(now.mem, fresh_event, READ_MAX);
	update.sessionResults.v = arena_array(now.mem, logs_LiveTailSessionLogEvent, UPDATE_MAX);
	about.sampled.v = fresh_read(&t->at, came, READ_MAX, &n);
	t->bytes = 0;
	const txn *tx = req_read(&now);
	for (size_t i = 0; i < n; i++)
		look(&now, tx, t, &came[i], &update);
	str frame = event_of(&now, "sessionUpdate", &logs_LiveTailSessionUpdate_shape, &update);
	req_read_end(&now, tx);
	bool listens = http_stream_write(rq->exchange, frame);
	arena_close(now.mem);
	return listens;
}

static err check(req *rq, tail *t)
{
	const logs_StartLiveTail_in *in = t->in;
	if (in->logStreamNames.n && in->logStreamNamePrefixes.n)
		return fail(rq, &logs_InvalidParameterException,
		            "logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.");
	if ((in->logStreamNames.n || in->logStreamNamePrefixes.n) && in->logGroupIdentifiers.n > 1)
		return fail(rq, &logs_InvalidParameterException,
		            "logStreamNames and logStreamNamePrefixes can be given for one log group only.");
	return filter_parse(rq, in->logEventFilterPattern, &t->filter);
}

static err find_groups(req *rq, const txn *tx, tail *t)
{
	for (size_t i = 0; i < t->in->logGroupIdentifiers.n; i++) {
		logs_group *g;
		str id = t->in->logGroupIdentifiers.v[i];
		if (!str_starts(id, S("arn:")))
			return fail(rq, &logs_InvalidParameterException, "The log group identifier must be an ARN: %.*s",
			            STR_ARG(id));
		TRY(group_find(rq, tx, STR_NONE, id, &g));
		TRY(group_standard(rq, g));
		t->groups[i] = g->Id;
		t->arns[i] = group_arn(rq, arena_str(rq->mem, g->Name));
	}
	return OK;
}

static void run(req *rq, tail *t)
{
	const logs_StartLiveTail_in *in = t->in;
	logs_StartLiveTail_out none = { 0 };
	wire_message head = { .mem = rq->mem };
	logs_LiveTailSessionStart start = { .requestId = rq->id, .sessionId = rand_uuid(rq->mem),
		.logGroupIdentifiers = in->logGroupIdentifiers, .logStreamNames = in->logStreamNames,
		.logStreamNamePrefixes = in->logStreamNamePrefixes,
		.logEventFilterPattern = in->logEventFilterPattern };
	rq->streaming = true;
	rq->codec->encode(&head, rq->op, &none, rq->id);
	http_stream_begin(rq->exchange, &head);
	bool listens = http_stream_write(rq->exchange, head.body) &&
	               http_stream_write(rq->exchange, event_of(rq, "sessionStart",
	                                                        &logs_LiveTailSessionStart_shape, &start));
	t->at = fresh_end();
	int64_t began = clock_real(), end = began + SESSION_MS;
	while (listens && clock_real() < end) {
		clock_sleep_ms(TICK_MS);
		listens = tick(rq, t);
	}
	if (listens)
		http_stream_write(rq->exchange, timeout_event(rq));
	int64_t minute = MS_HOUR / 60;
	meter(rq, &LOGS_LIVE_TAIL, QTY((clock_real() - began + minute - 1) / minute), t->arns[0]);
}

err logs_StartLiveTail(req *rq, const logs_StartLiveTail_in *in, logs_StartLiveTail_out *out)
{
	tail *t = arena_new(rq->mem, tail);
	t->in = in;
	TRY(check(rq, t));
	if (!rq->exchange)
		return fail(rq, &logs_InvalidOperationException, "A live tail needs a client that listens.");
	const txn *tx = req_read(rq);
	err e = find_groups(rq, tx, t);
	req_read_end(rq, tx);
	if (e)
		return e;
	fresh_listen();
	if (atomic_fetch_add(&sessions, 1) >= SESSIONS_MAX)
		e = fail(rq, &logs_LimitExceededException, "At most %d live tail sessions may run at once.",
		         SESSIONS_MAX);
	else
		run(rq, t);
	fresh_leave();
	atomic_fetch_sub(&sessions, 1);
	return e;
}
