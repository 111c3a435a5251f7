/*
 * Streams of DynamoDB tables. They have one shard; a lane is the share of it whose keys hash to its number,
 * so that lanes run beside each other and the changes of one item stay in order. A batch is handed over again
 * until the function takes it, or the mapping's limits say to give it up.
 */
#include "poll.h"
#include "base/time.h"
#include "cloud/call.h"
#include "cloud/metrics.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define LOOK_MS 250          /* AWS: four times a second */
#define AGAIN_MS 2000
#define RETRY_FIRST_MS 200
#define RETRY_MOST_MS 30000
#define STREAM_KEEPS_S 86400 /* DynamoDB, each record */
#define EVENT_SOFT ((size_t)4 << 20) /* one more read of at most 1 MB fits into an event */
#define RECORD_TEXT_MAX ((size_t)8 << 20)

typedef struct stream {
	poller *p;
	arena *names;               /* as long as the poller */
	str shard, view, iterator;
	arena *iterator_mem;
	str after;                  /* done with, or in the batch that is being gathered */
	int64_t attempts;
	bool trimmed;               /* what was asked for last is no longer kept */
	str result;                 /* of the last batch; a literal */
	int64_t window;             /* tumbling: where the one that is open began; 0: none is */
	str state;                  /* what the function has made of it, as JSON */
	arena *state_mem;
} stream;

typedef struct record {
	str text, sequence;
	int64_t when;
} record;

/* Why a window is closed, and so what its last event says. */
typedef enum closing { STAYS_OPEN, ITS_TIME_IS_UP, ITS_STATE_IS_TOO_LARGE } closing;

typedef struct batch {
	arena *mem;
	stream *s;
	const lambda_mapping *m;
	record *v;
	size_t n, capacity, bytes;
	str before, saved;          /* where the batch began, and what progress is on disk */
	closing closing;            /* the window, with an event that has no records */
	str last;                   /* sequence number of the last one read, taken or not */
} batch;

static str text_of(const json_value *v, const char *key)
{
	const json_value *x = json_get(v, str_c(key));
	return x && (x->kind == JSON_STRING || x->kind == JSON_NUMBER) ? x->text : S("");
}

static void pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

static bool ask(stream *s, arena *mem, const char *what, const buf *in, const json_value **out)
{
	str text;
	req *rq = poller_request(s->p, mem);
	err e = call_json(rq, NULL, "dynamodbstreams", what, buf_str(in), &text);
	s->trimmed = e && strcmp(e->kind->name, "TrimmedDataAccessException") == 0;
	*out = e ? NULL : json_parse(mem, text);
	return !e && *out;
}

/* The stream's only shard. */
static bool describe(stream *s, const lambda_mapping *m)
{
	const json_value *v;
	arena *mem = arena_open(4096);
	buf b = buf_in(mem, 256, 4096);
	buf_c(&b, '{');
	pair(&b, "StreamArn", m->It->EventSourceArn);
	buf_c(&b, '}');
	bool good = ask(s, mem, "DescribeStream", &b, &v);
	const json_value *d = good ? json_get(v, S("StreamDescription")) : NULL;
	const json_value *shards = json_get(d, S("Shards"));
	if (shards && shards->first) {
		s->shard = arena_str(s->names, text_of(shards->first, "ShardId"));
		s->view = arena_str(s->names, text_of(d, "StreamViewType"));
	}
	arena_close(mem);
	return s->shard.n > 0;
}

static void keep_state(stream *s, int64_t window, str state)
{
	arena *old = s->state_mem;
	s->state_mem = arena_open(1024);
	s->window = window;
	s->state = arena_str(s->state_mem, state);
	arena_close(old);
}

static void keep_iterator(stream *s, str text)
{
	arena_reset(s->iterator_mem);
	s->iterator = text.n ? arena_str(s->iterator_mem, text) : STR_NONE;
}

static bool position(stream *s, const lambda_mapping *m)
{
	const json_value *v;
	arena *mem = arena_open(4096);
	buf b = buf_in(mem, 512, 4096);
	buf_c(&b, '{');
	pair(&b, "StreamArn", m->It->EventSourceArn);
	buf_c(&b, ',');
	pair(&b, "ShardId", s->shard);
	if (s->after.n) {
		buf_put(&b, S(",\"ShardIteratorType\":\"AFTER_SEQUENCE_NUMBER\","));
		pair(&b, "SequenceNumber", s->after);
		buf_c(&b, '}');
	} else {
		buf_put(&b, S(",\"ShardIteratorType\":\"TRIM_HORIZON\"}"));
	}
	bool good = ask(s, mem, "GetShardIterator", &b, &v);
	keep_iterator(s, good ? text_of(v, "ShardIterator") : S(""));
	arena_close(mem);
	return good;
}

static void put_keyed(buf *b, const json_value *v)
{
	json_put_string(b, v->key);
	buf_c(b, ':');
	json_write(b, v);
}

/* As Lambda's event has it: the stream's ARN and view added. */
static str record_text(arena *mem, const batch *g, const json_value *v)
{
	buf b = buf_in(mem, 1024, RECORD_TEXT_MAX);
	buf_c(&b, '{');
	for (const json_value *x = v->first; x; x = x->next) {
		if (str_eq(x->key, S("dynamodb"))) {
			buf_put(&b, S("\"dynamodb\":{"));
			for (const json_value *d = x->first; d; d = d->next) {
				if (str_eq(d->key, S("StreamViewType")))
					continue;
				put_keyed(&b, d);
				buf_c(&b, ',');
			}
			pair(&b, "StreamViewType", g->s->view);
			buf_put(&b, S("},"));
		} else if (str_eq(x->key, S("userIdentity"))) {
			buf_put(&b, S("\"userIdentity\":{"));
			pair(&b, "type", text_of(x, "Type"));
			buf_c(&b, ',');
			pair(&b, "principalId", text_of(x, "PrincipalId"));
			buf_put(&b, S("},"));
		} else {
			put_keyed(&b, x);
			buf_c(&b, ',');
		}
	}
	pair(&b, "eventSourceARN", g->m->It->EventSourceArn);
	buf_c(&b, '}');
	return buf_str(&b);
}

static bool of_lane(arena *mem, const poller *p, const json_value *change)
{
	if (p->lanes == 1)
		return true;
	buf b = buf_in(mem, 128, 65536);
	const json_value *keys = json_get(change, S("Keys"));
	if (keys)
		json_write(&b, keys);
	return (int64_t)(str_hash(buf_str(&b)) % (uint64_t)p->lanes) == p->lane;
}

static void take(batch *g, const filters *f, const json_value *v)
{
	const json_value *change = json_get(v, S("dynamodb"));
	double seconds = 0;
	g->last = text_of(change, "SequenceNumber");
	if (!of_lane(g->mem, g->s->p, change))
		return;
	mapping_metric(g->m, "PolledEventCount", 1);
	str text = record_text(g->mem, g, v);
	if (f->n && !mapping_filters_match(f, event_pattern_event(g->mem, json_parse(g->mem, text)))) {
		mapping_metric(g->m, "FilteredOutEventCount", 1);
		return;
	}
	str_to_f64(text_of(change, "ApproximateCreationDateTime"), &seconds);
	g->v[g->n++] = (record){ text, g->last, (int64_t)(seconds * 1000) };
	g->bytes += text.n;
}

/* One read. False: the stream cannot be read now. */
static bool read_more(batch *g, const filters *f)
{
	stream *s = g->s;
	const json_value *v;
	if (!str_is(s->iterator) && !position(s, g->m)) {
		if (!s->trimmed)
			return false;
		s->after = S(""); /* from the oldest that is left */
		if (!position(s, g->m))
			return false;
	}
	buf b = buf_in(g->mem, 512, 8192);
	buf_c(&b, '{');
	pair(&b, "ShardIterator", s->iterator);
	size_t room = g->capacity - g->n;
	buf_fmt(&b, ",\"Limit\":%zu}", room < 1000 ? room : 1000);
	if (!ask(s, g->mem, "GetRecords", &b, &v)) {
		keep_iterator(s, S("")); /* too old: a new one from where we are */
		return false;
	}
	const json_value *list = json_get(v, S("Records"));
	for (const json_value *x = list ? list->first : NULL; x; x = x->next)
		take(g, f, x);
	if (str_is(g->last))
		s->after = arena_str(s->names, g->last);
	/* A stream that has ended has no next one; its end is asked for again, in vain but cheaply. */
	keep_iterator(s, text_of(v, "NextShardIterator"));
	return true;
}

/* Reads until a batch is full or its window is over. */
static bool gather(batch *g)
{
	const lambda_EventSourceMappingConfiguration *c = g->m->It;
	filters f = mapping_filters(g->mem, g->m);
	int64_t until = 0;
	g->capacity = (size_t)c->BatchSize.v;
	g->v = arena_array(g->mem, record, g->capacity);
	do {
		if (!read_more(g, &f))
			return false;
		if (!g->n || g->n == g->capacity || g->bytes > EVENT_SOFT)
			break;
		if (!until)
			until = clock_mono_us() + c->MaximumBatchingWindowInSeconds.v * 1000000;
	} while (clock_mono_us() < until && poller_sleep(50));
	return true;
}

typedef struct saving {
	const batch *g;
	str after;
	int64_t attempts;
} saving;

/* Not when the mapping has gone or its keys are shared out anew: the rows are not this poller's any more. */
static bool save(void *context, txn *tx)
{
	const saving *v = context;
	const poller *p = v->g->s->p;
	const lambda_mapping *m = lambda_mapping_get(tx, txn_arena(tx), p->account, p->region, p->uuid);
	if (!m || m->It->ParallelizationFactor.v != p->lanes)
		return true;
	const stream *s = v->g->s;
	lambda_progress_put(tx, &(lambda_progress){ .Account = p->account, .Region = p->region, .Uuid = p->uuid,
	                                            .Lane = p->lane, .After = v->after, .Attempts = v->attempts,
	                                            .Window = s->window, .State = s->state,
	                                            .Result = s->result });
	return true;
}

static void remember(batch *g, str after, int64_t attempts)
{
	saving v = { g, after, attempts };
	g->s->attempts = attempts;
	g->saved = after;
	/* A disk that refuses: after a restart these come again, which AWS allows too. */
	if (store_write(g->s->p->store, save, &v))
		poller_sleep(AGAIN_MS);
}

static void age_metric(const batch *g, const record *r)
{
	int64_t now = clock_now();
	metric_point p = { .account = g->m->Account, .region = g->m->Region, .name_space = S("AWS/Lambda"),
		.name = S("IteratorAge"), .unit = S("Milliseconds"), .when = now,
		.value = now > r->when ? (double)(now - r->when) : 0, .n_dimensions = 1 };
	p.dimensions[0] = (metric_dimension){ S("FunctionName"), g->m->Name };
	metric_later(&p);
}

typedef struct attempt {
	arena *mem; /* of the last one: there may be thousands */
	answer a;
	str request_id;
	target t;
	bool no_function;
} attempt;

static int64_t window_ms(const batch *g)
{
	return g->m->It->TumblingWindowInSeconds.v * MS_SECOND;
}

static void put_window(buf *b, const batch *g)
{
	const stream *s = g->s;
	buf_put(b, S(",\"window\":{"));
	pair(b, "start", time_iso(b->mem, s->window));
	buf_c(b, ',');
	pair(b, "end", time_iso(b->mem, s->window + window_ms(g)));
	buf_put(b, S("},\"state\":"));
	buf_put(b, s->state);
	buf_c(b, ',');
	pair(b, "shardId", s->shard);
	buf_c(b, ',');
	pair(b, "eventSourceARN", g->m->It->EventSourceArn);
	buf_fmt(b, ",\"isFinalInvokeForWindow\":%s,\"isWindowTerminatedEarly\":%s",
	        g->closing == ITS_TIME_IS_UP ? "true" : "false",
	        g->closing == ITS_STATE_IS_TOO_LARGE ? "true" : "false");
}

static void run(batch *g, size_t from, size_t to, attempt *out)
{
	arena *mem = out->mem;
	arena_reset(mem);
	buf b = buf_in(mem, g->bytes + 64, RECORD_TEXT_MAX * 3);
	*out = (attempt){ .mem = mem, .request_id = rand_uuid(mem), .a.refused = BROKEN };
	buf_put(&b, S("{\"Records\":["));
	for (size_t i = from; i < to; i++) {
		if (i > from)
			buf_c(&b, ',');
		buf_put(&b, g->v[i].text);
	}
	buf_c(&b, ']');
	if (g->s->window)
		put_window(&b, g);
	buf_c(&b, '}');
	invocation i = { .request_id = out->request_id, .payload = buf_str(&b),
		.trace_id = trace_header(mem, STR_NONE), .client_context = STR_NONE };
	out->no_function = !poller_target(g->s->p, mem, g->m, &out->t);
	if (out->no_function)
		return;
	if (to > from)
		age_metric(g, &g->v[to - 1]);
	invoke_run(mem, g->s->p->store, &out->t, &i, &out->a);
	mapping_metric(g->m, "InvokedEventCount", to - from);
}

static void put_batch_info(buf *b, const batch *g, size_t from, size_t to)
{
	buf_put(b, S(",\"version\":\"1.0\","));
	pair(b, "timestamp", time_iso_ms(b->mem, clock_now()));
	buf_put(b, S(",\"DDBStreamBatchInfo\":{"));
	pair(b, "shardId", g->s->shard);
	buf_c(b, ',');
	pair(b, "startSequenceNumber", g->v[from].sequence);
	buf_c(b, ',');
	pair(b, "endSequenceNumber", g->v[to - 1].sequence);
	buf_c(b, ',');
	pair(b, "approximateArrivalOfFirstRecord", time_iso(b->mem, g->v[from].when));
	buf_c(b, ',');
	pair(b, "approximateArrivalOfLastRecord", time_iso(b->mem, g->v[to - 1].when));
	buf_fmt(b, ",\"batchSize\":%zu,", to - from);
	pair(b, "streamArn", g->m->It->EventSourceArn);
	buf_c(b, '}');
}

/* [from, to) is given up; where the mapping says so, somebody is told. */
static void discard(batch *g, size_t from, size_t to, const attempt *last, const char *condition)
{
	const lambda_DestinationConfig *c = g->m->It->DestinationConfig;
	str to_arn = c && c->OnFailure ? c->OnFailure->Destination : S("");
	mapping_metric(g->m, "DroppedEventCount", to - from);
	if (!to_arn.n)
		return;
	buf b = buf_in(g->mem, 2048 + g->bytes, RECORD_TEXT_MAX * 2);
	buf_put(&b, S("{\"requestContext\":{"));
	pair(&b, "requestId", last ? last->request_id : rand_uuid(g->mem));
	buf_c(&b, ',');
	pair(&b, "functionArn", g->m->It->FunctionArn);
	buf_c(&b, ',');
	pair(&b, "condition", str_c(condition));
	buf_fmt(&b, ",\"approximateInvokeCount\":%lld},\"responseContext\":", (long long)g->s->attempts);
	if (last && last->a.refused == TAKEN) {
		buf_put(&b, S("{\"statusCode\":200,"));
		pair(&b, "executedVersion", last->t.version->Config->Version);
		buf_put(&b, last->a.failed ? S(",\"functionError\":\"Unhandled\"}") : S("}"));
	} else {
		buf_put(&b, S("null"));
	}
	put_batch_info(&b, g, from, to);
	if (str_starts(to_arn, S("arn:aws:s3:"))) { /* a bucket gets the records themselves as well */
		buf_put(&b, S(",\"payload\":{\"Records\":["));
		for (size_t i = from; i < to; i++) {
			buf_put(&b, i > from ? S(",") : S(""));
			buf_put(&b, g->v[i].text);
		}
		buf_put(&b, S("]}"));
	}
	buf_c(&b, '}');
	target t;
	bool there = poller_target(g->s->p, g->mem, g->m, &t);
	destination d = { .arn = to_arn, .body = buf_str(&b), .failed = true, .attributes = STR_NONE,
		.function_arn = g->m->It->FunctionArn, .role = there ? t.version->Config->Role : STR_NONE,
		.key_prefix = arena_fmt(g->mem, "aws/lambda/%.*s/%.*s", STR_ARG(g->m->Uuid), STR_ARG(g->s->shard)) };
	if (!destination_send(g->mem, g->s->p->store, g->m->Account, g->m->Region, &d))
		mapping_metric(g->m, "OnFailureDestinationDeliveredEventCount", to - from);
}

/* Those at the front that are older than the mapping allows, or than a stream keeps its records, go. */
static size_t drop_old(batch *g, size_t from, size_t to, const attempt *last)
{
	int64_t age = g->m->It->MaximumRecordAgeInSeconds.v;
	size_t n = from;
	age = age < 0 || age > STREAM_KEEPS_S ? STREAM_KEEPS_S : age;
	while (n < to && clock_now() - g->v[n].when > age * MS_SECOND)
		n++;
	if (n > from) {
		discard(g, from, n, last, "RecordAgeExceeded");
		remember(g, g->v[n - 1].sequence, 0);
	}
	return n;
}

/* The state of an answer goes into the next event; an answer without one is a failure. */
static bool take_state(batch *g, const attempt *at)
{
	const json_value *state = json_get(json_parse(at->mem, at->a.payload), S("state"));
	if (!state || state->kind != JSON_OBJECT)
		return false;
	buf b = buf_in(at->mem, 256, RECORD_TEXT_MAX);
	json_write(&b, state);
	keep_state(g->s, g->s->window, buf_str(&b));
	return true;
}

/* How far a failed attempt has come: the first item that the function reports. */
static size_t first_failure(batch *g, size_t from, size_t to, const attempt *at, bool *good)
{
	size_t n = to - from, i = 0;
	bool *failed = arena_array(at->mem, bool, n + 1);
	str *ids = arena_array(at->mem, str, n + 1);
	for (size_t k = 0; k < n; k++)
		ids[k] = g->v[from + k].sequence;
	report_kind r = failures_read(at->mem, g->m, &at->a, ids, n, failed);
	if (g->s->window && r != REPORT_ALL_FAILED && !take_state(g, at))
		r = REPORT_ALL_FAILED;
	*good = r == REPORT_ALL_GOOD;
	while (r == REPORT_SOME && !failed[i])
		i++;
	return from + i;
}

static bool wait_before_retry(batch *g, int64_t attempts)
{
	int64_t ms = RETRY_FIRST_MS << (attempts < 9 ? attempts : 9);
	ms = ms < RETRY_MOST_MS ? ms : RETRY_MOST_MS;
	for (int64_t until = clock_mono_us() + ms * 1000, left; (left = until - clock_mono_us()) > 0;) {
		arena *mem = arena_open(1024);
		bool still = poller_mapping(g->s->p, mem) != NULL;
		arena_close(mem);
		if (!still || !poller_sleep(left < 500000 ? (int)(left / 1000) + 1 : 500))
			return false;
	}
	return true;
}

static bool hand_over(batch *g, size_t from, size_t to);

static bool attempts(batch *g, size_t from, size_t to, attempt *at)
{
	bool tried = false;
	for (int64_t round = 0;; round++) {
		bool good;
		int64_t most = g->m->It->MaximumRetryAttempts.v;
		from = drop_old(g, from, to, tried ? at : NULL);
		if (from == to)
			return true;
		run(g, from, to, at);
		tried = true;
		bool counts = !at->no_function && at->a.refused == TAKEN;
		size_t failure = first_failure(g, from, to, at, &good);
		g->s->result = good ? S(MAPPING_RESULT_GOOD) : S(MAPPING_RESULT_BAD);
		if (good) {
			remember(g, g->v[to - 1].sequence, 0);
			return true;
		}
		mapping_metric(g->m, "FailedInvokeEventCount", to - failure);
		if (failure > from) {
			remember(g, g->v[failure - 1].sequence, 0);
			from = failure;
			round = 0;
		}
		g->s->attempts += counts;
		if (counts && g->m->It->BisectBatchOnFunctionError.v && to - from > 1) {
			g->s->attempts = 0;
			size_t middle = from + (to - from) / 2;
			return hand_over(g, from, middle) && hand_over(g, middle, to);
		}
		if (counts && most >= 0 && g->s->attempts > most) {
			discard(g, from, to, at, "RetryAttemptsExhausted");
			remember(g, g->v[to - 1].sequence, 0);
			return true;
		}
		remember(g, from ? g->v[from - 1].sequence : g->before, g->s->attempts);
		if (!wait_before_retry(g, round))
			return false;
	}
}

/* Hands [from, to) over until it is done with. False: the poller is to leave; the rest stays undone. */
static bool hand_over(batch *g, size_t from, size_t to)
{
	attempt at = { .mem = arena_open(16384), .request_id = STR_NONE };
	bool stays = attempts(g, from, to, &at);
	arena_close(at.mem);
	return stays;
}

/* The window's last event. False: the poller is to leave, and its successor tries again. */
static bool close_window(batch *g, closing why)
{
	attempt at = { .mem = arena_open(16384), .request_id = STR_NONE };
	int64_t most = g->m->It->MaximumRetryAttempts.v;
	bool good = false, stays = true;
	g->closing = why;
	for (int64_t round = 0; !good && stays; round++) {
		run(g, 0, 0, &at);
		good = !at.no_function && at.a.refused == TAKEN && !at.a.failed;
		g->s->attempts += !good && !at.no_function && at.a.refused == TAKEN;
		if (!good && most >= 0 && g->s->attempts > most)
			break; /* given up: its state is lost */
		stays = good || wait_before_retry(g, round);
	}
	arena_close(at.mem);
	g->closing = STAYS_OPEN;
	if (!stays)
		return false;
	keep_state(g->s, why == ITS_TIME_IS_UP ? 0 : g->s->window, S("{}"));
	remember(g, g->saved, 0);
	return true;
}

/* The batch, window by window: records belong where their time lies. A window closes when a record of a later
 * one comes, or when nothing more comes after its end. */
static bool hand_over_windows(batch *g)
{
	stream *s = g->s;
	int64_t length = window_ms(g);
	for (size_t from = 0, to; from < g->n; from = to) {
		int64_t start = g->v[from].when / length * length;
		if (s->window && start > s->window && !close_window(g, ITS_TIME_IS_UP))
			return false;
		if (!s->window)
			keep_state(s, start, S("{}"));
		for (to = from + 1; to < g->n && g->v[to].when < s->window + length; to++)
			;
		if (!hand_over(g, from, to))
			return false;
		if (s->state.n > LAMBDA_WINDOW_STATE_BYTES && !close_window(g, ITS_STATE_IS_TOO_LARGE))
			return false;
	}
	return g->n || !s->window || clock_now() < s->window + length || close_window(g, ITS_TIME_IS_UP);
}

static void resume(stream *s)
{
	arena *mem = arena_open(1024);
	const txn *tx = store_read(s->p->store);
	lambda_progress *at = lambda_progress_get(tx, mem, s->p->account, s->p->region, s->p->uuid, s->p->lane);
	s->after = at ? arena_str(s->names, at->After) : S("");
	s->attempts = at ? at->Attempts : 0;
	s->result = !at || !at->Result.n ? S("") : str_eq(at->Result, S(MAPPING_RESULT_GOOD))
		? S(MAPPING_RESULT_GOOD) : S(MAPPING_RESULT_BAD);
	keep_state(s, at ? at->Window : 0, at && at->State.n ? at->State : S("{}"));
	store_read_end(s->p->store, tx);
	arena_close(mem);
}

/* False: wait a little. */
static bool round_of(stream *s, batch *g, bool *leave)
{
	g->before = g->saved = s->after;
	if (!s->shard.n && !describe(s, g->m))
		return false;
	if (!gather(g))
		return false;
	if (s->window && !window_ms(g))
		keep_state(s, 0, S("{}")); /* there are none any more */
	if (window_ms(g))
		*leave = !hand_over_windows(g);
	else
		*leave = g->n && !hand_over(g, 0, g->n);
	if (!*leave && s->after.n && !str_eq(g->saved, s->after))
		remember(g, s->after, 0); /* past what others have, and what no filter lets through */
	return g->n > 0;
}

void poll_stream(poller *p)
{
	stream s = { .p = p, .names = arena_open(4096), .iterator_mem = arena_open(1024), .iterator = STR_NONE,
		.shard = S(""), .view = S(""), .state_mem = arena_open(1024) };
	bool leave = false;
	resume(&s);
	while (!leave) {
		arena *mem = arena_open(16384);
		batch g = { .mem = mem, .s = &s, .m = poller_mapping(p, mem), .last = STR_NONE };
		bool busy = g.m && round_of(&s, &g, &leave);
		leave = leave || !g.m;
		str after = arena_str(mem, s.after); /* the names of sequence numbers pile up: start afresh */
		if (s.shard.n) {
			str shard = arena_str(mem, s.shard), view = arena_str(mem, s.view);
			arena_reset(s.names);
			s.shard = arena_str(s.names, shard);
			s.view = arena_str(s.names, view);
		} else {
			arena_reset(s.names);
		}
		s.after = arena_str(s.names, after);
		arena_close(mem);
		if (!leave && !busy)
			leave = !poller_sleep(LOOK_MS);
	}
	arena_close(s.names);
	arena_close(s.iterator_mem);
	arena_close(s.state_mem);
}
