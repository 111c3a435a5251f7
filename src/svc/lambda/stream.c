/* InvokeWithResponseStream: what the function streams, as events, while it runs. */
#include "lambda.h"
#include "base/json.h"
#include "base/text.h"
#include "report.h"
#include "wire/http.h"

#define PIECE_MAX ((size_t)256 << 10)

typedef struct streaming {
	req *rq;
	const target *t;
	arena *mem;     /* for one frame */
	bool begun, gone;
	size_t bytes;   /* that the function streamed */
} streaming;

static void send_event(streaming *s, const char *type, str content_type, str payload)
{
	http_header headers[] = { { S(":event-type"), str_c(type) }, { S(":content-type"), content_type },
		                      { S(":message-type"), S("event") } };
	buf frame = buf_in(s->mem, payload.n + 256, payload.n + 4096);
	event_frame(&frame, headers, 3, payload);
	s->gone = s->gone || !http_stream_write(s->rq->exchange, buf_str(&frame));
	arena_reset(s->mem);
}

static void begin(void *context, str content_type)
{
	streaming *s = context;
	wire_message head = { .mem = s->rq->mem, .status = 200 };
	(void)content_type; /* clients are told that of the events */
	wire_header_add(&head, S("Content-Type"), S("application/vnd.amazon.eventstream"));
	wire_header_add(&head, S("x-amzn-RequestId"), s->rq->id);
	wire_header_add(&head, S("X-Amz-Executed-Version"), s->t->version->Config->Version);
	s->begun = s->rq->streaming = true;
	http_stream_begin(s->rq->exchange, &head);
}

static bool piece(void *context, str bytes)
{
	streaming *s = context;
	s->bytes += bytes.n;
	for (size_t at = 0; at < bytes.n && !s->gone; at += PIECE_MAX)
		send_event(s, "PayloadChunk", S("application/octet-stream"), str_sub(bytes, at, at + PIECE_MAX));
	return !s->gone;
}

static void put_pair(buf *b, const char *name, str value)
{
	if (!str_is(value))
		return;
	buf_fmt(b, "%c\"%s\":", b->n ? ',' : '{', name);
	json_put_string(b, value);
}

/* The last event; an error's details are its error object. */
static void complete(streaming *s, const answer *a)
{
	buf b = buf_in(s->rq->mem, 512, (size_t)16 << 20);
	put_pair(&b, "ErrorCode", a->failed ? S("Unhandled") : STR_NONE);
	put_pair(&b, "ErrorDetails", a->failed ? a->payload : STR_NONE);
	put_pair(&b, "LogResult", str_is(a->log) ? base64_encode(s->rq->mem, a->log) : STR_NONE);
	if (!b.n)
		buf_c(&b, '{');
	buf_c(&b, '}');
	send_event(s, "InvokeComplete", S("application/json"), buf_str(&b));
}

err lambda_InvokeWithResponseStream(req *rq, const lambda_InvokeWithResponseStream_in *in,
                                    lambda_InvokeWithResponseStream_out *out)
{
	target t;
	const txn *tx = req_read(rq);
	err missing = target_find(rq, tx, in->FunctionName, in->Qualifier, &t);
	req_read_end(rq, tx);
	TRY(missing);
	TRY(invoke_check(rq, in->Payload, false));
	out->StatusCode = I64(204);
	out->ExecutedVersion = t.version->Config->Version;
	if (str_eq(in->InvocationType, S("DryRun")))
		return OK;
	if (!rq->exchange)
		return fail(rq, &aws_NotImplemented, "InvokeWithResponseStream needs a connection to stream to.");
	streaming s = { .rq = rq, .t = &t, .mem = arena_open(65536) };
	function_sink sink = { &s, begin, piece };
	str trace = req_trace(rq);
	invocation i = { .request_id = rq->id, .payload = in->Payload.n ? in->Payload : S("{}"),
		.trace_id = trace_header(rq->mem, trace), .tail = str_eq(in->LogType, S("Tail")), .sink = &sink };
	answer a = { 0 };
	err failed = invoke_context(rq, in->ClientContext, &i.client_context);
	if (!failed) {
		invoke_run(rq->mem, rq->store, &t, &i, &a);
		failed = a.refused == TAKEN ? OK : invoke_refused(rq, &a);
	}
	if (!failed && !s.begun)
		begin(&s, a.content_type);
	if (!failed && !a.failed && a.payload.n)
		piece(&s, a.payload); /* it was not streamed by the function */
	if (!failed)
		complete(&s, &a);
	report_streamed(&t, s.bytes);
	arena_close(s.mem);
	return failed;
}
