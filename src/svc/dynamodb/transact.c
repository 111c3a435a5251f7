#include "base/digest.h"
#include "base/map.h"
#include "base/time.h"
#include "store/due.h"
#include "svc/dynamodb/ddb.h"
#include "wire/codec.h"

#define TOKEN_LIFE (10 * MS_MINUTE)
#define TABLES_MAX 100
#define TRANSACTION_BYTES_MAX (4u << 20)

/* The common face of Put, Delete, Update and ConditionCheck. */
typedef struct action {
	str table, condition, update, return_values;
	const dynamodb_AttributeMap *item; /* of Put: the item; of the others: the key */
	const dynamodb_ExpressionAttributeNameMap *names;
	const dynamodb_ExpressionAttributeValueMap *values;
	ddb_change change;
	ddb_writer *w;
	err fault; /* why this action cancels the transaction */
} action;

typedef struct transaction {
	action *v;
	size_t n;
	ddb_writer *writers[TABLES_MAX];
	size_t n_writers;
	map seen;
	size_t bytes;
} transaction;

#define FACE(a_, of_, kind_, item_) \
	do { \
		(a_)->table = (of_)->TableName; \
		(a_)->condition = (of_)->ConditionExpression; \
		(a_)->return_values = (of_)->ReturnValuesOnConditionCheckFailure; \
		(a_)->item = (const dynamodb_AttributeMap *)&(of_)->item_; \
		(a_)->names = &(of_)->ExpressionAttributeNames; \
		(a_)->values = &(of_)->ExpressionAttributeValues; \
		(a_)->change.kind = (kind_); \
	} while (0)

static err face_of(req *rq, const dynamodb_TransactWriteItem *given, action *a)
{
	int n = !!given->ConditionCheck + !!given->Put + !!given->Delete + !!given->Update;
	if (n != 1)
		return fail(rq, &aws_ValidationException,
		            "TransactItems can only contain one of Check, Put, Update or Delete");
	if (given->Put)
		FACE(a, given->Put, CHANGE_PUT, Item);
	else if (given->Delete)
		FACE(a, given->Delete, CHANGE_DELETE, Key);
	else if (given->ConditionCheck)
		FACE(a, given->ConditionCheck, CHANGE_CHECK, Key);
	else
		FACE(a, given->Update, CHANGE_UPDATE, Key);
	if (given->Update)
		a->update = given->Update->UpdateExpression;
	return OK;
}

static err expressions_of(req *rq, action *a)
{
	const ddb_param params[] = { { .name = "UpdateExpression", .text = a->update },
		                         { .name = "ConditionExpression", .text = a->condition } };
	bool updates = a->change.kind == CHANGE_UPDATE;
	expr_env env;
	TRY(ddb_mix(rq, updates ? params : params + 1, updates ? 2 : 1, a->names, a->values));
	TRY(ddb_values_in(rq, a->item, &a->change.key));
	TRY(ddb_env(rq, a->names, a->values, &env));
	if (updates)
		TRY(ddb_invalid(rq, expr_update(&env, a->update, &a->change.update)));
	TRY(ddb_condition(rq, &env, "ConditionExpression", a->condition, &a->change.condition));
	return ddb_env_done(rq, &env);
}

static err writer_for(req *rq, txn *tx, transaction *x, action *a)
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

/* Faults of the request as a whole. What is wrong with one action goes into its reason. */
static err prepare(req *rq, txn *tx, transaction *x, action *a)
{
	str row;
	TRY(expressions_of(rq, a));
	TRY(writer_for(rq, tx, x, a));
	if (a->change.kind != CHANGE_PUT)
		a->fault = ddb_key_check(rq, a->w->t, a->change.key);
	else if (!(a->fault = ddb_item_sized(rq, a->change.key, &a->change.put)))
		a->fault = ddb_item_check(rq, a->w->t, a->change.key);
	if (!a->fault && a->change.kind == CHANGE_UPDATE)
		a->fault = ddb_update_check(rq, a->w->t, &a->change.update);
	if (a->fault)
		return OK;
	row = ddb_row_key(rq->mem, a->w->t, a->change.key);
	if (map_put(&x->seen, row, a))
		return fail(rq, &aws_ValidationException,
		            "Transaction request cannot include multiple operations on one item");
	return OK;
}

static bool run(req *rq, transaction *x)
{
	bool good = true;
	for (size_t i = 0; i < x->n; i++) {
		action *a = &x->v[i];
		if (!a->fault)
			a->fault = ddb_change_apply(rq, a->w, &a->change);
		good &= !a->fault && !a->change.failed;
		x->bytes += a->change.new.size > a->change.old.size ? a->change.new.size
		                                                    : a->change.old.size;
	}
	return good;
}

static dynamodb_CancellationReason reason_of(req *rq, const action *a)
{
	dynamodb_CancellationReason r = { .Code = S("None") };
	if (a->fault) {
		r.Code = S("ValidationError");
		r.Message = a->fault->message;
	} else if (a->change.failed) {
		r.Code = S("ConditionalCheckFailed");
		r.Message = S("The conditional request failed");
		if (str_eq(a->return_values, S("ALL_OLD")) && value_is(a->change.old.map))
			r.Item = wire_map_out(rq->mem, a->change.old.map);
	}
	return r;
}

static err canceled(req *rq, const transaction *x)
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

static void account_for(req *rq, transaction *x, str wanted, const char *kind,
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

static str digest_of(req *rq, const dynamodb_TransactWriteItems_in *in)
{
	const shape_member *m = shape_member_find(rq->op->input, S("TransactItems"));
	buf b = buf_in(rq->mem, 4096, WIRE_BYTES_MAX);
	ensure(m != NULL);
	cbor_encode_value(&b, m->shape, &in->TransactItems);
	return sha256_hex(rq->mem, buf_str(&b));
}

/* Whether this token has been used in the last ten minutes for the very same request. */
static err known_token(req *rq, const txn *tx, str token, str digest_text, bool *known)
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

static void keep_token(req *rq, txn *tx, str token, str digest_text)
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

/* The answer to a repeated request: reading the items is what it costs. */
static err repeated(req *rq, const txn *tx, const dynamodb_TransactWriteItems_in *in,
                    transaction *x, dynamodb_TransactWriteItems_out *out)
{
	for (size_t i = 0; i < x->n; i++) {
		action *a = &x->v[i];
		ddb_table *t;
		value key = STR_NONE;
		TRY(ddb_open(rq, tx, a->table, &t));
		TRY(ddb_invalid(rq, wire_map_in(rq->mem, a->item, &key)));
		ddb_units u = { .table = 2 * ddb_read_units(
			ddb_item_at(tx, ddb_row_key(rq->mem, t, key)).size, true) };
		dynamodb_ConsumedCapacity *c = ddb_consumed(rq, t, &u, in->ReturnConsumedCapacity, "R");
		ddb_meter_reads(rq, t, &u);
		if (!c)
			continue;
		if (!out->ConsumedCapacity.v)
			out->ConsumedCapacity.v = arena_array(rq->mem, dynamodb_ConsumedCapacity, x->n);
		out->ConsumedCapacity.v[out->ConsumedCapacity.n++] = *c;
	}
	return OK;
}

static void end_writers(transaction *x)
{
	for (size_t i = 0; i < x->n_writers; i++)
		ddb_write_end(x->writers[i]);
}

/* Writes up to 100 items of several tables, all or none. */
err dynamodb_TransactWriteItems(req *rq, txn *tx, const dynamodb_TransactWriteItems_in *in,
                                dynamodb_TransactWriteItems_out *out)
{
	transaction x = { .n = in->TransactItems.n, .seen = map_in(rq->mem, in->TransactItems.n) };
	str token = in->ClientRequestToken, digest_text = STR_NONE;
	bool known = false;
	x.v = arena_array(rq->mem, action, x.n);
	for (size_t i = 0; i < x.n; i++)
		TRY(face_of(rq, &in->TransactItems.v[i], &x.v[i]));
	if (str_is(token)) {
		digest_text = digest_of(rq, in);
		TRY(known_token(rq, tx, token, digest_text, &known));
	}
	if (known)
		return repeated(rq, tx, in, &x, out);
	for (size_t i = 0; i < x.n; i++)
		TRY(prepare(rq, tx, &x, &x.v[i]));
	bool good = run(rq, &x);
	account_for(rq, &x, in->ReturnConsumedCapacity, "W", &out->ConsumedCapacity);
	if (!good)
		return canceled(rq, &x);
	if (x.bytes > TRANSACTION_BYTES_MAX)
		return fail(rq, &aws_ValidationException,
		            "Collection size of items in transaction exceeds the limit of 4 MB");
	end_writers(&x);
	if (str_is(token))
		keep_token(rq, tx, token, digest_text);
	return OK;
}

static err get_one(req *rq, const txn *tx, const dynamodb_Get *g, ddb_table **t, ddb_item *out,
                   const projection **project)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, g) };
	value key;
	TRY(ddb_mix(rq, params, 1, &g->ExpressionAttributeNames, NULL));
	TRY(ddb_values_in(rq, (const dynamodb_AttributeMap *)&g->Key, &key));
	TRY(ddb_reading(rq, g->ProjectionExpression, &g->ExpressionAttributeNames, project));
	TRY(ddb_open(rq, tx, g->TableName, t));
	TRY(ddb_key_check(rq, *t, key));
	TRY(ddb_paths_check(rq, *t, NULL, *project));
	*out = ddb_item_copy(rq->mem, ddb_item_at(tx, ddb_row_key(rq->mem, *t, key)));
	return OK;
}

typedef struct spent {
	ddb_table *t;
	ddb_units units;
} spent;

static void spend(spent *list, size_t *n, ddb_table *t, qty units)
{
	size_t i = 0;
	while (i < *n && list[i].t->id != t->id)
		i++;
	if (i == *n)
		list[(*n)++] = (spent){ .t = t };
	list[i].units.table += units;
}

/* Reads up to 100 items as they were at one moment. */
err dynamodb_TransactGetItems(req *rq, const txn *tx, const dynamodb_TransactGetItems_in *in,
                              dynamodb_TransactGetItems_out *out)
{
	size_t n = in->TransactItems.n, tables = 0;
	spent *list = arena_array(rq->mem, spent, n);
	out->Responses.v = arena_array(rq->mem, dynamodb_ItemResponse, n);
	for (size_t i = 0; i < n; i++) {
		const projection *project = NULL;
		ddb_table *t;
		ddb_item found;
		TRY(get_one(rq, tx, in->TransactItems.v[i].Get, &t, &found, &project));
		spend(list, &tables, t, 2 * ddb_read_units(found.size, true));
		dynamodb_ItemResponse *r = &out->Responses.v[out->Responses.n++];
		if (value_is(found.map))
			r->Item = wire_map_out(
				rq->mem, project ? projection_of(rq->mem, project, found.map) : found.map);
	}
	for (size_t i = 0; i < tables; i++) {
		dynamodb_ConsumedCapacity *c =
			ddb_consumed(rq, list[i].t, &list[i].units, in->ReturnConsumedCapacity, "R");
		ddb_meter_reads(rq, list[i].t, &list[i].units);
		if (!c)
			continue;
		if (!out->ConsumedCapacity.v)
			out->ConsumedCapacity.v = arena_array(rq->mem, dynamodb_ConsumedCapacity, tables);
		out->ConsumedCapacity.v[out->ConsumedCapacity.n++] = *c;
	}
	return OK;
}
