/*
 * Queues. One thread receives; each batch runs on a thread of its own, so many at a time as AWS has pollers
 * for. What the function has handled is deleted, what failed comes back with its visibility timeout.
 */
#include "poll.h"
#include "base/text.h"
#include "cloud/call.h"
#include "report.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <pthread.h>

#define RECEIVE_MAX 10
#define EVENT_MAX ((size_t)LAMBDA_EVENT_BYTES)
#define AGAIN_MS 1000
#define STACK_BYTES ((size_t)512 << 10)

/* Received together; everything lies in `mem`, which ends with the batch. */
typedef struct batch {
	arena *mem;
	poller *p;
	lambda_mapping *m;
	const json_value **messages;
	size_t n, capacity, bytes;
} batch;

static str text_of(const json_value *v, const char *key)
{
	const json_value *x = json_get(v, str_c(key));
	return x && x->kind == JSON_STRING ? x->text : S("");
}

static str queue_name(str arn)
{
	str rest = arn, last = arn;
	while (str_is(rest))
		last = str_cut(&rest, ':');
	return last;
}

static void begin_request(buf *b, const poller *p, str queue_arn)
{
	str name = queue_name(queue_arn);
	buf_fmt(b, "{\"QueueUrl\":\"http://sqs.localhost/%.*s/%.*s\"", STR_ARG(p->account), STR_ARG(name));
}

/* What was received costs a request; idle polls are counted by the hour (mappings.c). */
static bool receive(batch *g, int wait_s, size_t most)
{
	poller *p = g->p;
	str out;
	req *rq = poller_request(p, g->mem);
	buf b = buf_in(g->mem, 512, 4096);
	begin_request(&b, p, g->m->It->EventSourceArn);
	buf_fmt(&b, ",\"MaxNumberOfMessages\":%zu,\"WaitTimeSeconds\":%d,\"AttributeNames\":[\"All\"],"
	        "\"MessageAttributeNames\":[\"All\"]}", most < RECEIVE_MAX ? most : RECEIVE_MAX, wait_s);
	err e = call_json(rq, NULL, "sqs", "ReceiveMessage", buf_str(&b), &out);
	const json_value *list = e ? NULL : json_get(json_parse(g->mem, out), S("Messages"));
	bool any = list && list->first;
	for (const json_value *v = any ? list->first : NULL; v && g->n < g->capacity; v = v->next) {
		g->messages[g->n++] = v;
		g->bytes += text_of(v, "Body").n;
	}
	if (any)
		usage_settle_later(rq);
	return !e;
}

/* False: there is no such queue at the moment. */
static bool gather(batch *g)
{
	const lambda_EventSourceMappingConfiguration *c = g->m->It;
	int64_t window_us = c->MaximumBatchingWindowInSeconds.v * 1000000;
	g->capacity = (size_t)c->BatchSize.v;
	g->messages = arena_array(g->mem, const json_value *, g->capacity);
	if (!receive(g, 1, g->capacity))
		return false;
	for (int64_t until = clock_mono_us() + window_us;
	     g->n && g->n < g->capacity && g->bytes < EVENT_MAX && clock_mono_us() < until;) {
		arena *mem = arena_open(64);
		bool still = poller_mapping(g->p, mem) != NULL;
		arena_close(mem);
		if (!still || !receive(g, until - clock_mono_us() > 1000000 ? 1 : 0, g->capacity - g->n))
			break;
		if (until - clock_mono_us() < 1000000)
			poller_sleep(50);
	}
	return true;
}

static void pair(buf *b, const char *name, str value)
{
	buf_fmt(b, "\"%s\":", name);
	json_put_string(b, value);
}

static void put_attribute(buf *b, const json_value *v)
{
	json_put_string(b, v->key);
	buf_put(b, S(":{"));
	if (json_get(v, S("StringValue"))) {
		pair(b, "stringValue", text_of(v, "StringValue"));
		buf_c(b, ',');
	}
	if (json_get(v, S("BinaryValue"))) {
		pair(b, "binaryValue", text_of(v, "BinaryValue"));
		buf_c(b, ',');
	}
	buf_put(b, S("\"stringListValues\":[],\"binaryListValues\":[],"));
	pair(b, "dataType", text_of(v, "DataType"));
	buf_c(b, '}');
}

/* One record of the event. For filters a body that is JSON is taken as what it says. */
static void put_message(buf *b, const lambda_mapping *m, const json_value *v, bool open_body)
{
	str body = text_of(v, "Body");
	buf_c(b, '{');
	pair(b, "messageId", text_of(v, "MessageId"));
	buf_c(b, ',');
	pair(b, "receiptHandle", text_of(v, "ReceiptHandle"));
	buf_put(b, S(",\"body\":"));
	if (open_body && json_valid(body))
		buf_put(b, body);
	else
		json_put_string(b, body);
	buf_put(b, S(",\"attributes\":"));
	const json_value *attributes = json_get(v, S("Attributes")), *own = json_get(v, S("MessageAttributes"));
	if (attributes)
		json_write(b, attributes);
	else
		buf_put(b, S("{}"));
	buf_put(b, S(",\"messageAttributes\":{"));
	for (const json_value *a = own ? own->first : NULL; a; a = a->next) {
		put_attribute(b, a);
		if (a->next)
			buf_c(b, ',');
	}
	buf_put(b, S("},"));
	if (own && own->first) {
		pair(b, "md5OfMessageAttributes", text_of(v, "MD5OfMessageAttributes"));
		buf_c(b, ',');
	}
	pair(b, "md5OfBody", text_of(v, "MD5OfBody"));
	buf_put(b, S(",\"eventSource\":\"aws:sqs\","));
	pair(b, "eventSourceARN", m->It->EventSourceArn);
	buf_c(b, ',');
	pair(b, "awsRegion", m->Region);
	buf_c(b, '}');
}

/* Ten at a time, those of [from, to) that are not kept. */
static void delete_messages(const batch *g, size_t from, size_t to, const bool *kept)
{
	size_t n = 0;
	buf b = { 0 };
	for (size_t i = from; i <= to; i++) {
		if (n == RECEIVE_MAX || (i == to && n)) {
			str out;
			req *rq = poller_request(g->p, g->mem);
			buf_put(&b, S("]}"));
			if (call_json(rq, NULL, "sqs", "DeleteMessageBatch", buf_str(&b), &out) == OK)
				usage_settle_later(rq);
			n = 0;
		}
		if (i == to || (kept && kept[i - from]))
			continue;
		if (!n) {
			b = buf_in(g->mem, 2048, 1 << 20);
			begin_request(&b, g->p, g->m->It->EventSourceArn);
			buf_put(&b, S(",\"Entries\":["));
		}
		buf_fmt(&b, "%s{\"Id\":\"%zu\",", n ? "," : "", n);
		pair(&b, "ReceiptHandle", text_of(g->messages[i], "ReceiptHandle"));
		buf_c(&b, '}');
		n++;
	}
}

/* Messages that no filter lets through are deleted, as on AWS. */
static void filter(batch *g)
{
	filters f = mapping_filters(g->mem, g->m);
	size_t n = 0, out = 0;
	if (!f.n)
		return;
	const json_value **dropped = arena_array(g->mem, const json_value *, g->n + 1);
	for (size_t i = 0; i < g->n; i++) {
		buf b = buf_in(g->mem, 1024, EVENT_MAX * 2);
		put_message(&b, g->m, g->messages[i], true);
		if (mapping_filters_match(&f, event_pattern_event(g->mem, json_parse(g->mem, buf_str(&b)))))
			g->messages[n++] = g->messages[i];
		else
			dropped[out++] = g->messages[i];
	}
	g->n = n;
	batch gone = *g;
	gone.messages = dropped;
	delete_messages(&gone, 0, out, NULL);
	mapping_metric(g->m, "FilteredOutEventCount", out);
	mapping_metric(g->m, "DeletedEventCount", out);
}

static str trace_of_message(const json_value *v)
{
	return text_of(json_get(v, S("Attributes")), "AWSTraceHeader");
}

static str group_of_message(const json_value *v)
{
	return text_of(json_get(v, S("Attributes")), "MessageGroupId");
}

/* Messages of a loop are not handed over: they come back until the queue gives them up. In a FIFO queue those
 * of their group that come behind them wait for them. */
static void stop_loops(batch *g, const target *t)
{
	size_t n = 0, stopped = 0;
	bool fifo = str_ends(g->m->It->EventSourceArn, S(".fifo"));
	const json_value **held = arena_array(g->mem, const json_value *, g->n + 1);
	for (size_t i = 0; i < g->n; i++) {
		const json_value *m = g->messages[i];
		bool behind = false, loops = lineage_loops(g->mem, t, trace_of_message(m));
		for (size_t k = 0; k < stopped && fifo && !behind; k++)
			behind = str_eq(group_of_message(held[k]), group_of_message(m));
		if (loops)
			report_loop(t);
		if (loops || behind)
			held[stopped++] = m;
		else
			g->messages[n++] = m;
	}
	g->n = n;
}

/* A trace of its own, with the lineage of that message which has led to the function most often. */
static str trace_of_part(const batch *g, size_t from, size_t to, const target *t)
{
	int64_t most = -1;
	str lineage = S("");
	for (size_t i = from; i < to; i++) {
		str header = trace_of_message(g->messages[i]);
		int64_t count = lineage_count(g->mem, t, header);
		if (count <= most)
			continue;
		most = count;
		lineage = lineage_of(g->mem, header);
	}
	return arena_concat(g->mem, trace_header(g->mem, STR_NONE), lineage);
}

/* As many records as one event holds; where the next one begins. */
static size_t event_of(const batch *g, size_t from, str *event)
{
	buf all = buf_in(g->mem, 4096, EVENT_MAX + (8 << 20));
	size_t i = from;
	buf_put(&all, S("{\"Records\":["));
	for (; i < g->n; i++) {
		buf one = buf_in(g->mem, 1024, EVENT_MAX * 2);
		put_message(&one, g->m, g->messages[i], false);
		if (i > from && all.n + one.n + 3 > EVENT_MAX)
			break;
		if (i > from)
			buf_c(&all, ',');
		buf_put(&all, buf_str(&one));
	}
	buf_put(&all, S("]}"));
	*event = buf_str(&all);
	return i;
}

/* One invocation. False: the function was throttled. */
static bool run_part(const batch *g, size_t from, size_t to, str event)
{
	target t;
	answer a = { .refused = BROKEN };
	size_t n = to - from, failures = 0;
	bool *failed = arena_array(g->mem, bool, n + 1);
	str *ids = arena_array(g->mem, str, n + 1);
	invocation i = { .request_id = rand_uuid(g->mem), .payload = event, .client_context = STR_NONE };
	for (size_t k = 0; k < n; k++)
		ids[k] = text_of(g->messages[from + k], "MessageId");
	if (poller_target(g->p, g->mem, g->m, &t)) {
		i.trace_id = trace_of_part(g, from, to, &t);
		invoke_run(g->mem, g->p->store, &t, &i, &a);
	}
	mapping_metric(g->m, "InvokedEventCount", n);
	report_kind r = failures_read(g->mem, g->m, &a, ids, n, failed);
	for (size_t k = 0; k < n; k++)
		failures += failed[k] || r == REPORT_ALL_FAILED;
	mapping_metric(g->m, "FailedInvokeEventCount", failures);
	if (r != REPORT_ALL_FAILED)
		delete_messages(g, from, to, failed);
	mapping_metric(g->m, "DeletedEventCount", n - failures);
	return a.refused == TAKEN;
}

static void *run_batch(void *argument)
{
	batch *g = argument;
	poller *p = g->p;
	bool throttled = false;
	for (size_t at = 0; at < g->n;) {
		str event;
		size_t next = event_of(g, at, &event);
		throttled = !run_part(g, at, next, event) || throttled;
		at = next;
	}
	if (throttled)
		poller_sleep(AGAIN_MS); /* its place stays taken meanwhile: so the poller slows down */
	arena_close(g->mem);
	poller_end(p);
	return NULL;
}

/* The mapping has changed while they were received: somebody else shall have them at once. */
static void give_back(const batch *g)
{
	for (size_t i = 0; i < g->n; i++) {
		str out;
		buf b = buf_in(g->mem, 512, 65536);
		begin_request(&b, g->p, g->m->It->EventSourceArn);
		buf_c(&b, ',');
		pair(&b, "ReceiptHandle", text_of(g->messages[i], "ReceiptHandle"));
		buf_put(&b, S(",\"VisibilityTimeout\":0}"));
		call_json(poller_request(g->p, g->mem), NULL, "sqs", "ChangeMessageVisibility", buf_str(&b), &out);
	}
}

static void start_batch(batch *g)
{
	pthread_attr_t how;
	pthread_t thread;
	pthread_attr_init(&how);
	pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&how, STACK_BYTES);
	if (pthread_create(&thread, &how, run_batch, g))
		run_batch(g);
	pthread_attr_destroy(&how);
}

/* One round; false: nothing could be received, wait a little. */
static bool round_of(poller *p, batch *g)
{
	target t;
	if (!poller_target(p, g->mem, g->m, &t) || !gather(g))
		return false;
	arena *mem = arena_open(1024);
	bool still = poller_mapping(p, mem) != NULL;
	arena_close(mem);
	mapping_metric(g->m, "PolledEventCount", g->n);
	if (still) {
		filter(g);
		stop_loops(g, &t);
	} else {
		give_back(g);
		g->n = 0;
	}
	return true;
}

void poll_queue(poller *p)
{
	for (;;) {
		arena *mem = arena_open(16384);
		lambda_mapping *m = poller_mapping(p, mem);
		if (!m) {
			arena_close(mem);
			return;
		}
		const lambda_ScalingConfig *scaling = m->It->ScalingConfig;
		bool limited = scaling && scaling->MaximumConcurrency.set;
		batch *g = arena_new(mem, batch);
		*g = (batch){ .mem = mem, .p = p, .m = m };
		poller_begin(p, limited ? (int)scaling->MaximumConcurrency.v : LAMBDA_BATCHES_MAX);
		bool good = round_of(p, g);
		if (g->n) {
			start_batch(g);
			continue;
		}
		poller_end(p);
		arena_close(mem);
		if (!good)
			poller_sleep(AGAIN_MS);
	}
}
