#include "svc/dynamodb/testing.h"
#include "cloud/call.h"
#include "cloud/handler.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "test/test.h"
#include "wire/codec.h"
#include <stdlib.h>

static void world_close(void *subject)
{
	world *w = subject;
	arena *mem = arena_open(4096);
	if (w->workers) {
		due_stop(w->s);
		pool_close(w->workers);
	}
	store_close(w->s);
	dir_remove(mem, w->path);
	clock_set_offset(0);
	arena_close(mem);
}

world *world_open(arena *mem, bool timers)
{
	world *w = arena_new(mem, world);
	w->mem = mem;
	w->path = arena_str(mem, S("/tmp/dynamodb-test-XXXXXX"));
	CHECK(mkdtemp((char *)(uintptr_t)w->path.p));
	CHECK_OK(store_open(mem, &(store_options){ .path = w->path, .format = 1 }, &w->s));
	if (timers) {
		w->workers = pool_open(2);
		due_start(w->s, w->workers);
	}
	arena_hook(mem, world_close, w);
	return w;
}

typedef struct asking {
	req *rq;
	const operation *op;
	void *in, *out;
	err bad;
	str answer;
} asking;

static void put_down(asking *a)
{
	if (a->bad) {
		a->answer = arena_fmt(a->rq->mem, "%s: %.*s", a->bad->kind->code,
		                      STR_ARG(a->bad->message));
		return;
	}
	buf b = buf_in(a->rq->mem, 1024, 64 << 20);
	if (a->op->output)
		json_encode_value(&b, a->op->output, a->out);
	a->answer = buf_str(&b);
}

static bool write_it(void *context, txn *tx)
{
	asking *a = context;
	a->bad = a->op->handler->write(a->rq, tx, a->in, a->out);
	put_down(a);
	return !a->bad;
}

str ask(world *w, const char *operation_name, const char *json, ...)
{
	va_list args;
	va_start(args, json);
	str text = arena_vfmt(w->mem, json, args);
	va_end(args);
	asking a = { .op = operation_find(&dynamodb_service, str_c(operation_name)) };
	CHECK(a.op && a.op->handler);
	a.rq = req_internal(w->mem, w->s, "arn:aws:iam::000000000000:root", S("000000000000"),
	                    S("us-east-1"));
	a.rq->op = a.op;
	a.in = arena_alloc(w->mem, a.op->input->size);
	a.out = arena_alloc(w->mem, a.op->output ? a.op->output->size : 8);
	CHECK_OK(json_decode_value(w->mem, a.op->input, text, a.in));
	str invalid = validate(w->mem, a.op->input, a.in);
	if (str_is(invalid))
		return arena_fmt(w->mem, "ValidationException: %.*s", STR_ARG(invalid));
	if (a.op->handler->kind == HANDLER_WRITE) {
		CHECK_OK(store_write(w->s, write_it, &a));
	} else {
		const txn *tx = store_read(w->s);
		a.bad = a.op->handler->read(a.rq, tx, a.in, a.out);
		put_down(&a);
		store_read_end(w->s, tx);
	}
	return a.answer;
}

void expect(world *w, const char *answer, const char *operation_name, const char *json)
{
	str got = ask(w, operation_name, "%s", json);
	if (!str_eq(got, str_c(answer)))
		test_failed(__FILE__, __LINE__, "%s %s\n  got  %.*s\n  want %s", operation_name, json,
		            STR_ARG(got), answer);
}

value value_from(arena *mem, const char *json)
{
	dynamodb_AttributeValue v = { 0 };
	value out;
	CHECK_OK(json_decode_value(mem, &dynamodb_AttributeValue_shape, str_c(json), &v));
	str why = wire_value_in(mem, &v, &out);
	if (str_is(why))
		test_failed(__FILE__, __LINE__, "%s: %.*s", json, STR_ARG(why));
	return out;
}

str attributes_json(arena *mem, value attributes)
{
	dynamodb_AttributeMap m = wire_map_out(mem, attributes);
	buf b = buf_in(mem, 1024, 1 << 24);
	json_encode_value(&b, &dynamodb_AttributeMap_shape, &m);
	return buf_str(&b);
}

void world_advance(world *w, int64_t ms)
{
	due_advance(w->s, clock_now() + ms, NULL, NULL);
}
