#include "cloud/dispatch.h"
#include "base/money.h"
#include "base/time.h"
#include "cloud/auth.h"
#include "cloud/authorise.h"
#include "cloud/foreign_host.h"
#include "cloud/handler.h"
#include "cloud/identify.h"
#include "cloud/manners.h"
#include "cloud/meter.h"
#include "cloud/plane.h"
#include "cloud/stream.h"
#include "cloud/trail.h"
#include "cloud/virtual_host.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include "sys/rand.h"

/* Requests to an API are held in memory up to here; what is larger streams (S3) or is refused. */
#define API_BODY_MAX ((size_t)16 << 20)
/* CreateFunction and UpdateFunctionCode: a 50 MB archive in base64. */
#define LAMBDA_BODY_MAX ((size_t)72 << 20)
/* Data planes: API Gateway takes 10 MB, function URLs 6 MB in base64, registries more. */
#define PLANE_BODY_MAX ((size_t)64 << 20)

extern const plane *const __start_farthing_planes[] __attribute__((weak));
extern const plane *const __stop_farthing_planes[] __attribute__((weak));
extern const manners *const __start_farthing_manners[] __attribute__((weak));
extern const manners *const __stop_farthing_manners[] __attribute__((weak));
extern const stream_kind *const __start_farthing_streams[] __attribute__((weak));
extern const stream_kind *const __stop_farthing_streams[] __attribute__((weak));

typedef struct operation_call {
	store_job job; /* first: the job is the call */
	req rq;
	dispatcher *d;
	http_exchange *x;
	const plane *plane;
	str leads;        /* to this name of ours leads a host that is not */
	const service *service;
	void *in, *out;
	err fault;
	wire_message reply;
	size_t in_bytes;
	bool begun;       /* the request is identified; what was to be done before the body is done */
	identity id;
	sigv4 sig;
} operation_call;

static const manners *manners_of(const service *s)
{
	const manners *const *m = __start_farthing_manners;
	while (s && m < __stop_farthing_manners && strcmp((*m)->service, s->name) != 0)
		m++;
	return s && m < __stop_farthing_manners ? *m : NULL;
}

static const plane *plane_for(const http_exchange *x)
{
	for (const plane *const *p = __start_farthing_planes; p < __stop_farthing_planes; p++)
		if ((*p)->match(x))
			return *p;
	return NULL;
}

static const plane *plane_named(str name)
{
	for (const plane *const *p = __start_farthing_planes; p < __stop_farthing_planes; p++)
		if ((*p)->named && (*p)->named(name))
			return *p;
	return NULL;
}

str plane_name(const http_exchange *x)
{
	const operation_call *c = x->user;
	return c && str_is(c->leads) ? c->leads : x->host;
}

/* DNS comes first, as for clients; then who has such a host among its names; then who takes what is left. */
static void find_plane(operation_call *c)
{
	http_exchange *x = c->x;
	store *s = c->d->store;
	foreign_kind kind = foreign_host_kind_of(x);
	bool recorded = kind == FOREIGN_HOST && foreign_host_recorded(x->mem, s, x->host, &c->leads);
	c->plane = str_is(c->leads) ? plane_named(c->leads) : NULL;
	if (!c->plane)
		c->plane = plane_for(x);
	if (c->plane || recorded || kind == FOREIGN_NOT)
		return;
	if (kind == FOREIGN_LOCAL)
		foreign_host_recorded(x->mem, s, x->host, &c->leads);
	else
		c->leads = foreign_host_taker(x, s);
	c->plane = str_is(c->leads) ? plane_named(c->leads) : NULL;
}

static void put_text(buf *b, str name, str value)
{
	buf_put(b, name);
	buf_put(b, value);
}

static void put_number(buf *b, str name, int64_t value)
{
	buf_put(b, name);
	buf_i64(b, value);
}

static void put_operation(buf *b, const operation *op)
{
	put_text(b, S(" "), str_c(op->service->name));
	put_text(b, S("."), str_c(op->name));
}

static void usage_text(buf *b, const struct usage *u)
{
	for (; u; u = u->next) {
		char micros[6];
		int64_t rest = u->quantity % QTY_ONE;
		for (size_t i = sizeof micros; i-- > 0; rest /= 10)
			micros[i] = (char)('0' + rest % 10);
		put_text(b, S(" "), str_c(u->kind->name));
		put_number(b, S("="), u->quantity / QTY_ONE);
		put_text(b, S("."), str_of(micros, sizeof micros));
	}
}

/* A line of the log. Every request has one, so what always stands in it needs no printf. */
static void finished(void *context, http_exchange *x, int status, uint64_t sent)
{
	(void)context;
	operation_call *c = x->user;
	if (!c)
		return;
	buf b = buf_in(x->mem, 256, 4096);
	buf_put(&b, time_iso_ms(x->mem, clock_real()));
	if (c->plane)
		buf_fmt(&b, " %s %.*s %.*s", c->plane->name, STR_ARG(x->in.method), STR_ARG(x->in.path));
	else if (c->rq.op)
		put_operation(&b, c->rq.op);
	else
		buf_fmt(&b, " ? %.*s %.*s", STR_ARG(x->in.method), STR_ARG(x->in.path));
	put_number(&b, S(" "), status);
	put_number(&b, S(" "), clock_mono_us() - x->received_us);
	put_number(&b, S("us in="), (int64_t)x->body_bytes);
	put_number(&b, S(" out="), (int64_t)sent);
	if (c->rq.who.account.n) {
		put_text(&b, S(" account="), c->rq.who.account);
		put_text(&b, S(" who="), c->rq.who.arn);
	}
	if (c->fault)
		buf_fmt(&b, " error=%s", c->fault->kind->code);
	if (c->rq.decision)
		buf_fmt(&b, " iam=\"%.*s on %.*s: %.*s\"", STR_ARG(c->rq.decision->action),
		        STR_ARG(c->rq.decision->resource), STR_ARG(c->rq.decision->why));
	usage_text(&b, c->rq.usage);
	if (c->rq.id.n)
		put_text(&b, S(" id="), c->rq.id);
	trail_line(buf_str(&b));
	const manners *own = manners_of(c->plane ? NULL : c->service);
	if (own && own->finished)
		own->finished(&c->rq, status, sent, c->fault);
}

static void add_reply_headers(operation_call *c)
{
	for (size_t i = 0; i < c->rq.n_reply_headers; i++)
		wire_header_add(&c->reply, c->rq.reply_headers[i].name, c->rq.reply_headers[i].value);
}

static void encode(operation_call *c)
{
	if (c->fault)
		c->rq.codec->encode_fault(&c->reply, c->service, c->rq.op, c->fault, c->rq.id);
	else
		c->rq.codec->encode(&c->reply, c->rq.op, c->out, c->rq.id);
	if (!c->fault && c->rq.reply_status)
		c->reply.status = c->rq.reply_status;
	add_reply_headers(c);
}

static void send_reply(operation_call *c)
{
	http_reply(c->x, &c->reply, c->fault ? NULL : c->rq.reply_body);
}

static void refuse(operation_call *c, err why)
{
	c->fault = why;
	encode(c);
	send_reply(c);
}

/* A handler may be run again: its output and what it metered begin afresh. */
static void clear_output(operation_call *c)
{
	if (c->rq.op->output)
		memset(c->out, 0, c->rq.op->output->size);
	c->rq.usage = NULL;
	c->rq.n_reply_headers = 0;
	c->rq.reply_body = NULL;
	c->rq.reply_status = 0;
	c->reply = (wire_message){ .mem = c->rq.mem };
	c->fault = OK;
}

static bool run_write(store_job *job, txn *tx)
{
	operation_call *c = (operation_call *)job;
	clear_output(c);
	c->rq.now = clock_now();
	c->fault = c->rq.op->handler->write(&c->rq, tx, c->in, c->out);
	c->rq.again = true;
	encode(c); /* what `out` points to is gone after the transaction */
	if (!c->fault)
		usage_settle(tx, &c->rq);
	return c->fault == OK;
}

static void write_done(store_job *job, err commit)
{
	operation_call *c = (operation_call *)job;
	if (commit) {
		c->reply = (wire_message){ .mem = c->rq.mem };
		refuse(c, commit);
		return;
	}
	if (c->fault && c->rq.usage)
		usage_settle_later(&c->rq);
	send_reply(c);
}

static void run_read(operation_call *c)
{
	clear_output(c);
	const txn *tx = store_read(c->d->store);
	c->fault = c->rq.op->handler->read(&c->rq, tx, c->in, c->out);
	encode(c);
	store_read_end(c->d->store, tx);
	if (c->rq.usage)
		usage_settle_later(&c->rq);
	send_reply(c);
}

static void run_wait(void *argument)
{
	operation_call *c = argument;
	clear_output(c);
	c->fault = c->rq.op->handler->wait(&c->rq, c->in, c->out);
	if (c->rq.usage)
		usage_settle_later(&c->rq);
	if (c->rq.streaming) {
		http_stream_end(c->x);
		return;
	}
	encode(c);
	send_reply(c);
}

static void run_plane(void *argument)
{
	operation_call *c = argument;
	c->plane->serve(c->x, c->d->store);
}

static err not_here(operation_call *c)
{
	const identity *id = &c->id;
	const manners *own = manners_of(id->service);
	if (own && own->unknown)
		return own->unknown(&c->rq);
	if (!id->service)
		return fail(&c->rq, &aws_UnknownOperation,
		            "Unable to determine service/operation name to be authorized");
	if (!id->operation)
		return fail(&c->rq, &aws_UnknownOperation,
		            "Could not find operation %.*s for version %s of %s", STR_ARG(id->named),
		            id->service->api_version, id->service->service_id);
	return fail(&c->rq, &aws_NotImplemented,
	            "AWS has %s:%s; Farthing does not implement it. COVERAGE.md lists what is.",
	            id->service->name, id->operation->name);
}

static err decode_input(operation_call *c)
{
	const operation *op = c->rq.op;
	c->in = arena_alloc(c->rq.mem, op->input ? op->input->size : 1);
	c->out = arena_alloc(c->rq.mem, op->output ? op->output->size : 1);
	if (!op->input)
		return OK;
	TRY(c->rq.codec->decode(&c->x->in, op, c->in));
	return input_check(&c->rq, op, c->in);
}

/* What is asked, as far as the head says it. */
static err begin(operation_call *c, dispatcher *d)
{
	http_exchange *x = c->x;
	req *rq = &c->rq;
	*rq = (req){ .mem = x->mem, .http = &x->in, .exchange = x, .host = x->host, .store = d->store,
		     .now = clock_now(), .id = rand_uuid(x->mem) };
	c->sig = (sigv4){ 0 };
	err malformed = sigv4_parse(&x->in, x->host, &c->sig);
	c->id = identify(&x->in, x->host, &c->sig);
	rq->codec = c->id.codec;
	rq->op = c->id.operation;
	c->service = c->id.service;
	rq->region = str_is(c->id.region) ? c->id.region : S("us-east-1");
	return malformed ? auth_malformed(rq, malformed) : OK;
}

/* Policies are read from a snapshot of their own: what they forbid costs the writer nothing. */
static err authorised(operation_call *c)
{
	c->rq.enforce = c->d->enforce_iam;
	if (!c->rq.enforce)
		return OK;
	const txn *tx = store_read(c->d->store);
	err e = authorise_call(&c->rq, tx, c->in);
	store_read_end(c->d->store, tx);
	return e;
}

/* Who, and in which form: everything else before the handler. */
static err admit(operation_call *c)
{
	if (!c->id.operation || !c->id.operation->handler)
		return not_here(c);
	const manners *own = manners_of(c->id.service);
	TRY(auth_caller(&c->rq, &c->sig, c->d->strict));
	if (own && own->asked)
		TRY(own->asked(&c->rq));
	err e = decode_input(c);
	if (e)
		return own && own->malformed ? own->malformed(&c->rq, e) : e;
	return authorised(c);
}

static const stream_kind *stream_for(const operation *op)
{
	if (!op || !op->handler || !op->input_streams)
		return NULL;
	for (const stream_kind *const *s = __start_farthing_streams; s < __stop_farthing_streams; s++)
		if (strcmp((*s)->operation, op->name) == 0 && strcmp((*s)->service, op->service->name) == 0)
			return *s;
	return NULL;
}

/* Whether the body goes to a sink: the request is then admitted before it has come. */
static err stream_begin(operation_call *c, dispatcher *d)
{
	if (!str_eq(c->x->in.method, S("PUT")) || begin(c, d))
		return OK;
	const stream_kind *s = stream_for(c->rq.op);
	if (!s)
		return OK;
	/* auth_caller compares the payload's hash when it holds the payload: it does not. */
	http_sink none = { 0 };
	c->x->sink = &none;
	err e = admit(c);
	c->x->sink = NULL;
	c->begun = true;
	return e ? e : s->open(&c->rq, &c->sig, c->in, &c->x->sink);
}

static bool head(void *context, http_exchange *x)
{
	operation_call *c = arena_new(x->mem, operation_call);
	c->d = context;
	c->x = x;
	x->user = c;
	find_plane(c);
	if (c->plane) {
		x->body_max = PLANE_BODY_MAX;
		if (c->plane->open)
			c->plane->open(x, c->d->store);
		return true;
	}
	virtual_host_apply(x, c->leads);
	x->body_max = API_BODY_MAX;
	if (str_starts(x->in.path, S("/2015-03-31/functions")) ||
	    str_starts(x->in.path, S("/2018-10-31/layers")))
		x->body_max = LAMBDA_BODY_MAX;
	c->reply = (wire_message){ .mem = x->mem };
	err e = stream_begin(c, context);
	if (e)
		refuse(c, e);
	return e == OK;
}

static void request(void *context, http_exchange *x)
{
	operation_call *c = x->user;
	dispatcher *d = context;
	c->reply = (wire_message){ .mem = x->mem };
	if (c->plane) {
		pool_run(d->workers, run_plane, c);
		return;
	}
	err e = c->begun ? OK : begin(c, d);
	if (!e && !c->begun)
		e = admit(c);
	if (e) {
		refuse(c, e);
		return;
	}
	switch (c->rq.op->handler->kind) {
	case HANDLER_READ:
		run_read(c);
		break;
	case HANDLER_WRITE:
		c->job = (store_job){ .run = run_write, .done = write_done };
		store_submit(d->store, &c->job);
		break;
	case HANDLER_WAIT:
		pool_run(d->workers, run_wait, c);
		break;
	}
}

const http_app dispatch_app = { .head = head, .request = request, .finished = finished };
