#include "cloud/req.h"
#include "cloud/meter.h"
#include "sys/clock.h"
#include "wire/codec.h"

static err fail_args(req *rq, const fault_kind *kind, const void *detail, const char *format,
                     va_list args)
{
	fault *f = arena_new(rq->mem, fault);
	f->kind = kind;
	f->detail = detail;
	f->message = arena_vfmt(rq->mem, format, args);
	return f;
}

err fail(req *rq, const fault_kind *kind, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err e = fail_args(rq, kind, NULL, format, args);
	va_end(args);
	return e;
}

err fail_with(req *rq, const fault_kind *kind, const void *detail, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err e = fail_args(rq, kind, detail, format, args);
	va_end(args);
	return e;
}

static const fault_kind *error_named(const operation *op, const char *name)
{
	for (const shape *const *e = op->errors; name && e && *e; e++)
		if (str_eq(str_c((*e)->name), str_c(name)))
			return (*e)->fault;
	return NULL;
}

err input_check(req *rq, const operation *op, const void *in)
{
	if (!op->input)
		return OK;
	const char *name = op->service->invalid_fault;
	bool counted = name && *name == '+'; /* its own fault in the words of all others */
	const fault_kind *own = error_named(op, counted ? name + 1 : name);
	str wrong = own && !counted ? validate_parameters(rq->mem, op->input, in) :
				      validate(rq->mem, op->input, in);
	return str_is(wrong) ? fail(rq, own ? own : &aws_ValidationException, "%.*s", STR_ARG(wrong)) : OK;
}

const txn *req_read(req *rq)
{
	return store_read(rq->store);
}

void req_read_end(req *rq, const txn *tx)
{
	store_read_end(rq->store, tx);
}

typedef struct write_context {
	req *rq;
	err (*work)(req *, txn *, void *);
	void *context;
	usage *before;
	err fault;
} write_context;

/* What has been metered so far and in the work itself is as lasting as the work; it may run again. */
static bool run_write(void *context, txn *tx)
{
	write_context *w = context;
	w->rq->usage = w->before;
	w->fault = w->work(w->rq, tx, w->context);
	w->rq->again = true;
	if (w->fault)
		w->rq->usage = w->before;
	else
		usage_settle(tx, w->rq);
	return w->fault == OK;
}

err req_write(req *rq, err (*work)(req *rq, txn *tx, void *context), void *context)
{
	write_context w = { .rq = rq, .work = work, .context = context, .before = rq->usage };
	err e = store_write(rq->store, run_write, &w);
	rq->again = false;
	if (e)
		rq->usage = w.before;
	else if (!w.fault)
		rq->usage = NULL;
	return e ? e : w.fault;
}

str req_arn(const req *rq, const char *owner, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str resource = arena_vfmt(rq->mem, format, args);
	va_end(args);
	return arena_fmt(rq->mem, "arn:aws:%s:%.*s:%.*s:%.*s", owner, STR_ARG(rq->region),
	                 STR_ARG(rq->who.account), STR_ARG(resource));
}

str req_trace(const req *rq)
{
	for (; rq; rq = rq->parent)
		if (str_is(rq->trace) || rq->http)
			return str_is(rq->trace) ? rq->trace : wire_header(rq->http, S("x-amzn-trace-id"));
	return STR_NONE;
}

void req_header(req *rq, str name, str value)
{
	http_header *more = arena_array(rq->mem, http_header, rq->n_reply_headers + 1);
	if (rq->n_reply_headers)
		memcpy(more, rq->reply_headers, rq->n_reply_headers * sizeof *more);
	more[rq->n_reply_headers++] = (http_header){ name, value };
	rq->reply_headers = more;
}
