#include "base/digest.h"
#include "base/time.h"
#include "store/due.h"
#include "svc/dynamodb/transact.h"
#include "svc/dynamodb/usage.h"
#include "wire/codec.h"

#define TOKEN_LIFE (10 * MS_MINUTE)
#define TRANSACTION_BYTES_MAX (4u << 20)

ddb_transaction ddb_transaction_of(req *rq, size_t n)
{
	return (ddb_transaction){ .n = n, .v = arena_array(rq->mem, ddb_action, n), .seen = map_in(rq->mem, n) };
}

err ddb_transaction_table(req *rq, txn *tx, ddb_transaction *x, ddb_action *a)
{
	ddb_table *t;
	TRY(ddb_open(rq, tx, a->table, &t));
	for (size_t i = 0; i < x->n_writers; i++) {
		if (x->writers[i]->t->id == t->id) {
			a->w = x->writers[i];
			return OK;
		}
	}
	a->w = arena_new(rq->mem, ddb_writer);
	ddb_write_begin(a->w, tx, rq->mem, t, rq->now);
	x->writers[x->n_writers++] = a->w;
	return OK;
}

err ddb_transaction_row(req *rq, ddb_transaction *x, ddb_action *a)
{
	if (a->fault || !map_put(&x->seen, ddb_row_key(rq->mem, a->w->t, a->change.key), a))
		return OK;
	return fail(rq, &aws_ValidationException,
	            "Transaction request cannot include multiple operations on one item");
}

/* A table that throttles is the reason of each action on it. */
static void admit(req *rq, ddb_transaction *x)
{
	for (size_t i = 0; i < x->n_writers; i++) {
		err refused = ddb_admit_write(rq, x->writers[i]->t);
		for (size_t k = 0; refused && k < x->n; k++)
			if (x->v[k].w == x->writers[i] && !x->v[k].fault)
				x->v[k].fault = refused;
	}
}

static err run(req *rq, ddb_transaction *x, bool *good)
{
	*good = true;
	for (size_t i = 0; i < x->n; i++) {
		ddb_action *a = &x->v[i];
		if (!a->fault)
			a->fault = ddb_change_apply(rq, a->w, &a->change);
		if (ddb_is_empty_key(a->fault))
			return a->fault;
		*good &= !a->fault && !a->change.failed;
		x->bytes += a->change.new.size > a->change.old.size ? a->change.new.size
		                                                    : a->change.old.size;
	}
	return OK;
}

str ddb_reason_code(err why)
{
	str name = str_c(why->kind->name);
	if (why->kind == &aws_ValidationException)
		return S("ValidationError");
	if (why->kind == &dynamodb_ThrottlingException)
		return S("ThrottlingError");
	return str_ends(name, S("Exception")) ? str_sub(name, 0, name.n - (sizeof "Exception" - 1)) : name;
}

static dynamodb_CancellationReason reason_of(req *rq, const ddb_action *a)
{
	dynamodb_CancellationReason r = { .Code = S("None") };
	if (a->fault) {
		r.Code = ddb_reason_code(a->fault);
		r.Message = a->fault->message;
	} else if (a->change.failed && a->insert) {
		r.Code = S("DuplicateItem");
		r.Message = S("Duplicate primary key exists in table");
	} else if (a->change.failed) {
		r.Code = S("ConditionalCheckFailed");
		r.Message = S("The conditional request failed");
		if (str_eq(a->return_values, S("ALL_OLD")) && value_is(a->change.old.map))
			r.Item = ddb_map_out(rq, a->change.old.map);
	}
	return r;
}

err ddb_transaction_canceled(req *rq, const ddb_transaction *x)
{
	dynamodb_TransactionCanceledException_error *detail =
		arena_new(rq->mem, dynamodb_TransactionCanceledException_error);
	buf codes = buf_in(rq->mem, 256, 8192);
	detail->CancellationReasons.v = arena_array(rq->mem, dynamodb_CancellationReason, x->n);
	for (size_t i = 0; i < x->n; i++) {
		detail->CancellationReasons.v[i] = reason_of(rq, &x->v[i]);
		buf_fmt(&codes, "%s%.*s", i ? ", " : "",
		        STR_ARG(detail->CancellationReasons.v[i].Code));
	}
	detail->CancellationReasons.n = x->n;
	detail->Message =
		arena_fmt(rq->mem, "Transaction cancelled, please refer cancellation reasons for specific "
		          "reasons [%.*s]", STR_ARG(buf_str(&codes)));
	return fail_with(rq, &dynamodb_TransactionCanceledException, detail, "%.*s",
	                 STR_ARG(detail->Message));
}

/* Preparing and committing: a transaction's units count twice. */
static void twice(ddb_units *u)
{
	u->table *= 2;
	for (size_t i = 0; i < DDB_INDEXES_MAX; i++)
		u->index[i] *= 2;
}

static void account_for(req *rq, ddb_transaction *x, str wanted, const char *kind,
                        dynamodb_ConsumedCapacityMultiple *out)
{
	bool asked = str_eq(wanted, S("TOTAL")) || str_eq(wanted, S("INDEXES"));
	if (asked)
		out->v = arena_array(rq->mem, dynamodb_ConsumedCapacity, x->n_writers + 1);
	for (size_t i = 0; i < x->n_writers; i++) {
		ddb_writer *w = x->writers[i];
		twice(&w->units);
		ddb_meter_writes(rq, w->t, &w->units);
		if (asked)
			out->v[out->n++] = *ddb_consumed(rq, w->t, &w->units, wanted, kind);
	}
}

err ddb_transaction_write(req *rq, ddb_transaction *x, str wanted,
                          dynamodb_ConsumedCapacityMultiple *consumed)
{
	admit(rq, x);
	bool good;
	TRY(run(rq, x, &good));
	account_for(rq, x, wanted, "W", consumed);
	if (!good)
		return ddb_transaction_canceled(rq, x);
	if (x->bytes > TRANSACTION_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            "Collection size of items in transaction exceeds the limit of 4 MB");
	for (size_t i = 0; i < x->n_writers; i++)
		ddb_write_end(x->writers[i]);
	return OK;
}

void ddb_spend(ddb_spent *list, size_t *n, ddb_table *t, qty units)
{
	size_t i = 0;
	while (i < *n && list[i].t->id != t->id)
		i++;
	if (i == *n)
		list[(*n)++] = (ddb_spent){ .t = t };
	list[i].units.table += units;
}

void ddb_spent_out(req *rq, const ddb_spent *list, size_t n, str wanted,
                   dynamodb_ConsumedCapacityMultiple *out)
{
	for (size_t i = 0; i < n; i++) {
		dynamodb_ConsumedCapacity *c = ddb_consumed(rq, list[i].t, &list[i].units, wanted, "R");
		ddb_meter_reads(rq, list[i].t, &list[i].units);
		if (!c)
			continue;
		if (!out->v)
			out->v = arena_array(rq->mem, dynamodb_ConsumedCapacity, n);
		out->v[out->n++] = *c;
	}
}

str ddb_token_digest(req *rq, const char *name, const void *actions)
{
	const shape_member *m = shape_member_find(rq->op->input, str_c(name));
	buf b = buf_in(rq->mem, 4096, WIRE_BYTES_MAX);
	ensure(m != NULL);
	cbor_encode_value(&b, m->shape, actions);
	return sha256_hex(rq->mem, buf_str(&b));
}

err ddb_token_known(req *rq, const txn *tx, str token, str digest_text, bool *known)
{
	dynamodb_transaction *before =
		dynamodb_transaction_get(tx, rq->mem, rq->who.account, rq->region, token);
	*known = before && before->Until > rq->now;
	if (!*known || str_eq(before->Digest, digest_text))
		return OK;
	dynamodb_IdempotentParameterMismatchException_error *detail =
		arena_new(rq->mem, dynamodb_IdempotentParameterMismatchException_error);
	detail->Message = S("The request was rejected because it was retried with the same client "
	                    "token but with parameters that are different from the first request.");
	return fail_with(rq, &dynamodb_IdempotentParameterMismatchException, detail, "%.*s",
	                 STR_ARG(detail->Message));
}

void ddb_token_keep(req *rq, txn *tx, str token, str digest_text)
{
	dynamodb_transaction t = { .Account = rq->who.account, .Region = rq->region, .Token = token,
		                       .Digest = digest_text, .Until = rq->now + TOKEN_LIFE };
	str key = arena_fmt(rq->mem, "%.*s/%.*s/%.*s", STR_ARG(t.Account), STR_ARG(t.Region),
	                    STR_ARG(token));
	dynamodb_transaction_put(tx, &t);
	timer_set(tx, "ddb_forget_token", key, t.Until, key);
}

TIMER(ddb_forget_token)
{
	str rest = arena_str(txn_arena(tx), payload);
	str account = str_cut(&rest, '/'), region = str_cut(&rest, '/');
	dynamodb_transaction_delete(tx, account, region, rest);
}
