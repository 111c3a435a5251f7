/*
 * StartLiveTail: a session looks once a second for events that came since, and sends those that fit as one
 * update. It occupies a worker for as long as the client listens, which is why an account has few.
 *
 * Looked through are the events whose time lies in the last hour: one that arrives later than that is in the
 * group, but no session shows it.
 */
#include "base/time.h"
#include "logs.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include "wire/http.h"
#include <stdatomic.h>

#define TICK_MS 1000
#define WINDOW_MS MS_HOUR
#define SESSION_MS (3 * MS_HOUR)
#define EVENT_MAX ((size_t)8 << 20)
#define GROUPS_MAX 10
#define SESSIONS_MAX 15
#define UPDATE_MAX 500 /* events a second; more are left out and the update says "sampled" */

typedef struct tail {
	const logs_StartLiveTail_in *in;
	filter *filter;
	int64_t groups[GROUPS_MAX];
	str arns[GROUPS_MAX];
	int64_t seen; /* the highest number of an event */
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

/* Events of a group that came since; all of them when there is no update to put them into. */
static void gather(req *rq, const txn *tx, const tail *t, size_t i, logs_LiveTailSessionUpdate *update,
                   int64_t *highest)
{
	record_scan s = logs_event_scan(tx, rq->mem, 1, t->groups[i], 0, 0);
	record_scan_after(&s, arena_fmt(rq->mem, "%lld", (long long)(clock_now() - WINDOW_MS)));
	for (logs_event *e; (e = logs_event_next(&s));) {
		if (e->Seq <= t->seen)
			continue;
		if (e->Seq > *highest)
			*highest = e->Seq;
		logs_streamname *n = update ? logs_streamname_get(tx, rq->mem, e->StreamId) : NULL;
		if (!n || !stream_fits(t, n->Name) || !filter_fits(rq->mem, t->filter, e->Message))
			continue;
		logs_LiveTailSessionResults *r = &update->sessionResults;
		if (r->n == UPDATE_MAX)
			update->sessionMetadata->sampled = BOOL(true);
		else
			r->v[r->n++] = (logs_LiveTailSessionLogEvent){ .logStreamName = n->Name,
				.logGroupIdentifier = t->arns[i], .message = e->Message, .timestamp = I64(e->When),
				.ingestionTime = I64(e->Ingested) };
	}
	cursor_close(&s.at);
}

/* One update, in an arena of its own: a session lasts for hours. false: the client is gone. */
static bool tick(req *rq, tail *t)
{
	req now = *rq;
	now.mem = arena_open(0);
	logs_LiveTailSessionMetadata about = { .sampled = BOOL(false) };
	logs_LiveTailSessionUpdate update = { .sessionMetadata = &about };
	int64_t highest = t->seen;
	update.sessionResults.v = arena_array(now.mem, logs_LiveTailSessionLogEvent, UPDATE_MAX);
	const txn *tx = req_read(&now);
	for (size_t i = 0; i < t->in->logGroupIdentifiers.n; i++)
		gather(&now, tx, t, i, &update, &highest);
	t->seen = highest;
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
		t->groups[i] = g->Id;
		t->arns[i] = group_arn(rq, arena_str(rq->mem, g->Name));
		gather(rq, tx, t, i, NULL, &t->seen);
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
	int64_t end = clock_real() + SESSION_MS;
	while (listens && clock_real() < end) {
		clock_sleep_ms(TICK_MS);
		listens = tick(rq, t);
	}
	if (listens)
		http_stream_write(rq->exchange, timeout_event(rq));
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
	if (atomic_fetch_add(&sessions, 1) >= SESSIONS_MAX)
		e = fail(rq, &logs_LimitExceededException, "At most %d live tail sessions may run at once.",
		         SESSIONS_MAX);
	else
		run(rq, t);
	atomic_fetch_sub(&sessions, 1);
	return e;
}
