#include "cloud/call.h"
#include "cloud/authorise.h"
#include "cloud/handler.h"
#include "cloud/identify.h"
#include "cloud/meter.h"
#include "cloud/server.h"
#include "cloud/target.h"
#include "sys/clock.h"
#include "sys/rand.h"

req *req_internal(arena *mem, store *s, const char *principal, str account, str region)
{
	req *rq = arena_new(mem, req);
	rq->mem = mem;
	rq->store = s;
	rq->who = (caller){ .account = account, .arn = str_c(principal), .internal = true };
	rq->region = region;
	rq->now = clock_now();
	rq->id = rand_uuid(mem);
	return rq;
}

void req_become_service(req *rq, const char *principal, str source_arn)
{
	rq->who = (caller){ .account = rq->who.account, .arn = str_c(principal), .internal = true };
	rq->source = source_arn;
	rq->enforce = server_enforces_iam();
}

err req_become_role(req *rq, const txn *tx, str role_arn)
{
	arn_parts a;
	if (!rq->enforce)
		return OK;
	const txn *snapshot = tx ? tx : req_read(rq);
	bool may = decide(rq, snapshot, S("sts:AssumeRole"), role_arn, NULL).allowed;
	if (!tx)
		req_read_end(rq, snapshot);
	if (!may || !arn_split(role_arn, &a))
		return fail(rq, &aws_AccessDenied, "The role %.*s does not let %.*s assume it.", STR_ARG(role_arn),
		            STR_ARG(rq->who.arn));
	rq->who = (caller){ .account = a.account, .arn = role_arn };
	rq->source = STR_NONE;
	return OK;
}

static const operation *callee(const char *service_name, const char *name)
{
	const service *s = service_named(str_c(service_name));
	const operation *op = s ? operation_find(s, str_c(name)) : NULL;
	ensure(op && op->handler);
	return op;
}

static req child_of(req *rq, const operation *op)
{
	req child = *rq;
	child.op = op;
	child.http = NULL;
	child.exchange = NULL;
	child.parent = rq;
	child.reply_headers = NULL;
	child.n_reply_headers = 0;
	if (op->service->global_region)
		child.region = str_c(op->service->global_region);
	return child;
}

/* As outside: what the caller may not do itself, no service does for it. `tx` NULL: on a snapshot. */
static err allowed(req *child, const txn *tx, const void *in)
{
	if (!authorise_needed(child))
		return OK;
	const txn *snapshot = tx ? tx : req_read(child);
	err e = authorise_call(child, snapshot, in);
	if (!tx)
		req_read_end(child, snapshot);
	child->source = STR_NONE; /* what the callee does in its turn is its own affair */
	return e;
}

static void clear(const operation *op, void *out)
{
	if (op->output)
		memset(out, 0, op->output->size);
}

err call_read(req *rq, const txn *tx, const char *service_name, const char *name, const void *in,
              void *out)
{
	const operation *op = callee(service_name, name);
	ensure(op->handler->kind == HANDLER_READ);
	TRY(input_check(rq, op, in));
	clear(op, out);
	req child = child_of(rq, op);
	TRY(allowed(&child, tx, in));
	err e = op->handler->read(&child, tx, in, out);
	rq->usage = child.usage;
	return e;
}

typedef struct own_write {
	const operation *op;
	const void *in;
	void *out;
	struct usage *usage_before; /* a second run starts metering afresh */
} own_write;

static err write_alone(req *child, txn *tx, void *context)
{
	own_write *w = context;
	child->usage = w->usage_before;
	clear(w->op, w->out);
	TRY(w->op->handler->write(child, tx, w->in, w->out));
	if (w->op->output) {
		void *copy = arena_alloc(child->mem, w->op->output->size);
		shape_copy(child->mem, w->op->output, w->out, copy);
		memcpy(w->out, copy, w->op->output->size);
	}
	return OK;
}

static err read_alone(req *child, const operation *op, const void *in, void *out)
{
	const txn *snapshot = req_read(child);
	err e = op->handler->read(child, snapshot, in, out);
	if (!e && op->output) {
		void *copy = arena_alloc(child->mem, op->output->size);
		shape_copy(child->mem, op->output, out, copy);
		memcpy(out, copy, op->output->size);
	}
	req_read_end(child, snapshot);
	return e;
}

err call(req *rq, txn *tx, const char *service_name, const char *name, const void *in, void *out)
{
	const operation *op = callee(service_name, name);
	TRY(input_check(rq, op, in));
	clear(op, out);
	req child = child_of(rq, op);
	TRY(allowed(&child, tx, in));
	err e;
	if (op->handler->kind == HANDLER_WAIT) {
		ensure(!tx);
		e = op->handler->wait(&child, in, out);
	} else if (op->handler->kind == HANDLER_READ) {
		e = tx ? op->handler->read(&child, tx, in, out) : read_alone(&child, op, in, out);
	} else if (tx) {
		e = op->handler->write(&child, tx, in, out);
	} else {
		own_write w = { op, in, out, child.usage };
		e = req_write(&child, write_alone, &w);
	}
	rq->usage = child.usage;
	return e;
}

bool call_possible(const char *service_name, const char *name)
{
	const service *s = service_named(str_c(service_name));
	const operation *op = s ? operation_find(s, str_c(name)) : NULL;
	return op && op->handler;
}

#define JSON_OUT_MAX ((size_t)8 << 20)

err call_json(req *rq, txn *tx, const char *service_name, const char *name, str in, str *out)
{
	if (!call_possible(service_name, name))
		return fail(rq, &aws_NotImplemented, "Farthing does not implement %s:%s.", service_name, name);
	const operation *op = callee(service_name, name);
	void *input = arena_alloc(rq->mem, op->input ? op->input->size : 1);
	void *output = arena_alloc(rq->mem, op->output ? op->output->size : 1);
	if (op->input)
		TRY(json_decode_value(rq->mem, op->input, in, input));
	TRY(call(rq, tx, service_name, name, input, output));
	buf b = buf_in(rq->mem, 256, JSON_OUT_MAX);
	if (op->output)
		json_encode_value(&b, op->output, output);
	*out = buf_str(&b);
	return OK;
}
