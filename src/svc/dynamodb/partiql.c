/*
 * ExecuteStatement, BatchExecuteStatement, ExecuteTransaction. A statement's kind is known only when it is
 * parsed, so these wait: reads take a snapshot, writes one job on the writer's thread. What a write uses is
 * metered in its transaction; what a refused one has used, behind it.
 */
#include "cloud/meter.h"
#include "svc/dynamodb/partiql_plan.h"
#include "svc/dynamodb/transact.h"
#include "svc/dynamodb/usage.h"

#define NO_MIX "%s API does not support both read and write operations in the same request."

/* One statement and what came of it. */
typedef struct execution {
	partiql s;
	str on_failure, table;
	bool consistent, metered;
	ddb_change change;
	ddb_writer w;
	bool spent;   /* w.units were used, also in vain */
	bool settled; /* and metered */
	err fault;
} execution;

static err write_statement(req *rq, txn *tx, execution *x)
{
	ddb_table *t;
	x->spent = x->settled = false;
	TRY(ddb_open(rq, tx, x->s.table, &t));
	TRY(ddb_statement_change(rq, t, &x->s, &x->change));
	TRY(ddb_admit_write(rq, t));
	ddb_write_begin(&x->w, tx, rq->mem, t, rq->now);
	TRY(ddb_change_apply(rq, &x->w, &x->change));
	x->spent = true;
	if (x->change.failed)
		return ddb_statement_failed(rq, &x->s, x->on_failure, x->change.old);
	ddb_write_end(&x->w);
	/* In the transaction that writes; what a failed condition cost is metered behind it. */
	ddb_meter_writes(rq, t, &x->w.units);
	x->settled = true;
	return OK;
}

static err write_alone(req *rq, txn *tx, void *context)
{
	return write_statement(rq, tx, context);
}

static err one_write(req *rq, const dynamodb_ExecuteStatement_in *in, execution *x,
                     dynamodb_ExecuteStatement_out *out)
{
	if (x->s.kind == PARTIQL_EXISTS)
		return fail(rq, &aws_ValidationException, "EXISTS can only be used in ExecuteTransaction");
	err e = req_write(rq, write_alone, x);
	if (x->spent && !x->settled)
		ddb_meter_writes(rq, x->w.t, &x->w.units);
	TRY(e);
	dynamodb_AttributeMap returned = ddb_returned(rq, &x->change, ddb_statement_returning(&x->s));
	out->Items.v = arena_array(rq->mem, dynamodb_AttributeMap, 1);
	if (returned.v)
		out->Items.v[out->Items.n++] = returned;
	out->ConsumedCapacity = ddb_consumed(rq, x->w.t, &x->w.units, in->ReturnConsumedCapacity, NULL);
	return OK;
}

static err one_page(req *rq, const txn *tx, const dynamodb_ExecuteStatement_in *in, const execution *x,
                    dynamodb_ExecuteStatement_out *out)
{
	ddb_select q;
	str position = STR_NONE, next;
	if (str_is(in->NextToken) && !page_position(rq, in->NextToken, &position))
		return fail(rq, &aws_ValidationException, "Given NextToken is not valid for the statement");
	TRY(ddb_select_plan(rq, tx, &x->s, in->ConsistentRead.v, &q));
	q.page.limit = in->Limit.v;
	TRY(ddb_select_read(rq, tx, &q, position, &next));
	out->Items = q.page.items;
	if (str_is(next)) {
		out->NextToken = page_token(rq, next);
		memcpy(&out->LastEvaluatedKey, &q.page.last, sizeof q.page.last);
	}
	out->ConsumedCapacity = ddb_consumed(rq, q.page.t, &q.page.units, in->ReturnConsumedCapacity, NULL);
	return OK;
}

/* Runs one PartiQL statement. */
err dynamodb_ExecuteStatement(req *rq, const dynamodb_ExecuteStatement_in *in,
                              dynamodb_ExecuteStatement_out *out)
{
	execution x = { .on_failure = in->ReturnValuesOnConditionCheckFailure };
	TRY(ddb_statement_in(rq, in->Statement, &in->Parameters, &x.s));
	if (x.s.kind != PARTIQL_SELECT)
		return one_write(rq, in, &x, out);
	const txn *tx = req_read(rq);
	err e = one_page(rq, tx, in, &x, out);
	req_read_end(rq, tx);
	return e;
}

/* All statements of a request, which must all read or all write. */
typedef struct several {
	execution *v;
	size_t n;
	bool write;
	str token, digest, consumed; /* of a transaction */
	bool known;
	ddb_transaction x;
	dynamodb_ConsumedCapacityMultiple units;
	usage *usage; /* before the job, which may run again */
} several;

static err same_kind(req *rq, const several *all, const char *api)
{
	for (size_t i = 0; i < all->n; i++)
		if (!all->v[i].fault && (all->v[i].s.kind != PARTIQL_SELECT) != all->write)
			return fail(rq, &aws_ValidationException, NO_MIX, api);
	return OK;
}

static err batch_job(req *rq, txn *tx, void *context)
{
	several *all = context;
	for (size_t i = 0; i < all->n; i++) {
		execution *x = &all->v[i];
		if (x->s.kind == PARTIQL_EXISTS)
			x->fault = fail(rq, &aws_ValidationException, "EXISTS can only be used in ExecuteTransaction");
		else if (str_is(x->s.table))
			x->fault = write_statement(rq, tx, x);
	}
	return OK;
}

/* The item whose whole key a SELECT gives. */
static err select_item(req *rq, const txn *tx, execution *x, const char *api, ddb_select *q,
                       dynamodb_AttributeMap *item)
{
	str next;
	TRY(ddb_select_plan(rq, tx, &x->s, x->consistent, q));
	q->page.metered = x->metered;
	if (!q->whole_key)
		return fail(rq, &aws_ValidationException,
		            "Select statements within %s must specify the primary key in the where clause.", api);
	TRY(ddb_select_read(rq, tx, q, STR_NONE, &next));
	if (q->page.items.n)
		*item = q->page.items.v[0];
	return OK;
}

static dynamodb_BatchStatementError *error_of(req *rq, err why)
{
	dynamodb_BatchStatementError *e = arena_new(rq->mem, dynamodb_BatchStatementError);
	e->Code = ddb_reason_code(why);
	e->Message = why->message;
	if (why->kind == &dynamodb_ConditionalCheckFailedException && why->detail)
		e->Item = ((const dynamodb_ConditionalCheckFailedException_error *)why->detail)->Item;
	return e;
}

static void add_units(req *rq, dynamodb_ConsumedCapacityMultiple *list, size_t most, const ddb_table *t,
                      const ddb_units *units, str wanted)
{
	dynamodb_ConsumedCapacity *c = ddb_consumed(rq, t, units, wanted, NULL);
	if (!c)
		return;
	if (!list->v)
		list->v = arena_array(rq->mem, dynamodb_ConsumedCapacity, most);
	list->v[list->n++] = *c;
}

static void batch_reads(req *rq, several *all, str wanted, dynamodb_BatchExecuteStatement_out *out)
{
	const txn *tx = req_read(rq);
	for (size_t i = 0; i < all->n; i++) {
		execution *x = &all->v[i];
		ddb_select q;
		if (x->fault)
			continue;
		x->fault = select_item(rq, tx, x, "BatchExecuteStatement", &q, &out->Responses.v[i].Item);
		if (!x->fault)
			add_units(rq, &out->ConsumedCapacity, all->n, q.page.t, &q.page.units, wanted);
	}
	req_read_end(rq, tx);
}

static err batch_write_all(req *rq, several *all, str wanted, dynamodb_BatchExecuteStatement_out *out)
{
	TRY(req_write(rq, batch_job, all));
	for (size_t i = 0; i < all->n; i++) {
		execution *x = &all->v[i];
		if (!x->spent)
			continue;
		if (!x->settled)
			ddb_meter_writes(rq, x->w.t, &x->w.units);
		add_units(rq, &out->ConsumedCapacity, all->n, x->w.t, &x->w.units, wanted);
		if (!x->fault)
			out->Responses.v[i].Item = ddb_returned(rq, &x->change, ddb_statement_returning(&x->s));
	}
	return OK;
}

/* Runs up to 25 statements, each for itself. */
err dynamodb_BatchExecuteStatement(req *rq, const dynamodb_BatchExecuteStatement_in *in,
                                   dynamodb_BatchExecuteStatement_out *out)
{
	several all = { .n = in->Statements.n, .v = arena_array(rq->mem, execution, in->Statements.n) };
	bool decided = false;
	for (size_t i = 0; i < all.n; i++) {
		const dynamodb_BatchStatementRequest *given = &in->Statements.v[i];
		execution *x = &all.v[i];
		*x = (execution){ .on_failure = given->ReturnValuesOnConditionCheckFailure,
			              .consistent = given->ConsistentRead.v };
		x->fault = ddb_statement_in(rq, given->Statement, &given->Parameters, &x->s);
		if (x->fault)
			x->s.table = STR_NONE;
		else if (!decided)
			all.write = x->s.kind != PARTIQL_SELECT;
		decided |= !x->fault;
	}
	TRY(same_kind(rq, &all, "BatchExecuteStatement"));
	out->Responses.v = arena_array(rq->mem, dynamodb_BatchStatementResponse, all.n);
	out->Responses.n = all.n;
	if (all.write)
		TRY(batch_write_all(rq, &all, in->ReturnConsumedCapacity, out));
	else
		batch_reads(rq, &all, in->ReturnConsumedCapacity, out);
	for (size_t i = 0; i < all.n; i++) {
		out->Responses.v[i].TableName = all.v[i].s.table;
		if (all.v[i].fault)
			out->Responses.v[i].Error = error_of(rq, all.v[i].fault);
	}
	return OK;
}

static err transaction_reads(req *rq, several *all, str wanted, dynamodb_ExecuteTransaction_out *out)
{
	ddb_spent *list = arena_array(rq->mem, ddb_spent, all->n);
	const txn *tx = req_read(rq);
	size_t tables = 0;
	err e = OK;
	for (size_t i = 0; i < all->n && !e; i++) {
		ddb_select q;
		all->v[i].consistent = all->v[i].metered = true;
		e = select_item(rq, tx, &all->v[i], "ExecuteTransaction", &q, &out->Responses.v[i].Item);
		if (!e)
			ddb_spend(list, &tables, (ddb_table *)(uintptr_t)q.page.t, 2 * q.page.units.table);
	}
	req_read_end(rq, tx);
	if (!e)
		ddb_spent_out(rq, list, tables, wanted, &out->ConsumedCapacity);
	return e;
}

/* The answer to a repeated request: reading the items is what it costs. */
static err repeated(req *rq, const txn *tx, several *all)
{
	ddb_spent *list = arena_array(rq->mem, ddb_spent, all->n);
	size_t tables = 0;
	for (size_t i = 0; i < all->n; i++) {
		ddb_table *t;
		ddb_change c;
		TRY(ddb_open(rq, tx, all->v[i].s.table, &t));
		TRY(ddb_statement_change(rq, t, &all->v[i].s, &c));
		size_t bytes = ddb_item_at(tx, ddb_row_key(rq->mem, t, c.key)).size;
		ddb_spend(list, &tables, t, 2 * ddb_read_units(bytes, true));
	}
	ddb_spent_out(rq, list, tables, all->consumed, &all->units);
	return OK;
}

static err transaction_job(req *rq, txn *tx, void *context)
{
	several *all = context;
	all->units = (dynamodb_ConsumedCapacityMultiple){ 0 };
	rq->usage = all->usage;
	all->x = ddb_transaction_of(rq, all->n);
	if (str_is(all->token))
		TRY(ddb_token_known(rq, tx, all->token, all->digest, &all->known));
	if (all->known)
		return repeated(rq, tx, all);
	for (size_t i = 0; i < all->n; i++) {
		ddb_action *a = &all->x.v[i];
		a->table = all->v[i].s.table;
		a->insert = all->v[i].s.kind == PARTIQL_INSERT;
		TRY(ddb_transaction_table(rq, tx, &all->x, a));
		a->fault = ddb_statement_change(rq, a->w->t, &all->v[i].s, &a->change);
		TRY(ddb_transaction_row(rq, &all->x, a));
	}
	TRY(ddb_transaction_write(rq, &all->x, all->consumed, &all->units));
	if (str_is(all->token))
		ddb_token_keep(rq, tx, all->token, all->digest);
	return OK;
}

static err fits_transaction(req *rq, const partiql *s, size_t i)
{
	const char *why = s->returning ? "RETURNING clause is not supported in ExecuteTransaction."
	                  : str_is(s->index) && s->kind == PARTIQL_SELECT
	                      ? "Reads on indices are not supported within transactions."
	                      : NULL;
	if (!why)
		return OK;
	return fail(rq, &aws_ValidationException, "Validation failed in TransactStatements[%zu]: %s", i, why);
}

/* Runs up to 100 statements, all or none: all of them read, or all of them write. */
err dynamodb_ExecuteTransaction(req *rq, const dynamodb_ExecuteTransaction_in *in,
                                dynamodb_ExecuteTransaction_out *out)
{
	several all = { .n = in->TransactStatements.n,
		            .v = arena_array(rq->mem, execution, in->TransactStatements.n),
		            .token = in->ClientRequestToken,
		            .consumed = in->ReturnConsumedCapacity };
	for (size_t i = 0; i < all.n; i++) {
		const dynamodb_ParameterizedStatement *given = &in->TransactStatements.v[i];
		TRY(ddb_statement_in(rq, given->Statement, &given->Parameters, &all.v[i].s));
		TRY(fits_transaction(rq, &all.v[i].s, i));
	}
	all.write = all.v[0].s.kind != PARTIQL_SELECT;
	TRY(same_kind(rq, &all, "ExecuteTransaction"));
	out->Responses.v = arena_array(rq->mem, dynamodb_ItemResponse, all.n);
	out->Responses.n = all.n;
	if (!all.write)
		return transaction_reads(rq, &all, in->ReturnConsumedCapacity, out);
	all.digest = ddb_token_digest(rq, "TransactStatements", &in->TransactStatements);
	all.usage = rq->usage;
	err e = req_write(rq, transaction_job, &all);
	out->ConsumedCapacity = all.units;
	return e;
}
