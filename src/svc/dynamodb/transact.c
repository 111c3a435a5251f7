#include "svc/dynamodb/transact.h"
#include "svc/dynamodb/params.h"
#include "svc/dynamodb/usage.h"

/* The common face of Put, Delete, Update and ConditionCheck. */
typedef struct face {
	str condition, update;
	const dynamodb_AttributeMap *item; /* of Put: the item; of the others: the key */
	const dynamodb_ExpressionAttributeNameMap *names;
	const dynamodb_ExpressionAttributeValueMap *values;
} face;

#define FACE(a_, f_, of_, kind_, item_) \
	do { \
		(a_)->table = (of_)->TableName; \
		(a_)->return_values = (of_)->ReturnValuesOnConditionCheckFailure; \
		(a_)->change.kind = (kind_); \
		(f_)->condition = (of_)->ConditionExpression; \
		(f_)->item = (const dynamodb_AttributeMap *)&(of_)->item_; \
		(f_)->names = &(of_)->ExpressionAttributeNames; \
		(f_)->values = &(of_)->ExpressionAttributeValues; \
	} while (0)

static err face_of(req *rq, const dynamodb_TransactWriteItem *given, ddb_action *a, face *f)
{
	int n = !!given->ConditionCheck + !!given->Put + !!given->Delete + !!given->Update;
	if (n != 1)
		return fail(rq, &aws_ValidationException,
		            "TransactItems can only contain one of Check, Put, Update or Delete");
	if (given->Put)
		FACE(a, f, given->Put, CHANGE_PUT, Item);
	else if (given->Delete)
		FACE(a, f, given->Delete, CHANGE_DELETE, Key);
	else if (given->ConditionCheck)
		FACE(a, f, given->ConditionCheck, CHANGE_CHECK, Key);
	else
		FACE(a, f, given->Update, CHANGE_UPDATE, Key);
	if (given->Update)
		f->update = given->Update->UpdateExpression;
	return OK;
}

static err expressions_of(req *rq, ddb_action *a, const face *f)
{
	const ddb_param params[] = { { .name = "UpdateExpression", .text = f->update },
		                         { .name = "ConditionExpression", .text = f->condition } };
	bool updates = a->change.kind == CHANGE_UPDATE;
	expr_env env;
	TRY(ddb_mix(rq, updates ? params : params + 1, updates ? 2 : 1, f->names, f->values));
	TRY(ddb_values_in(rq, f->item, &a->change.key));
	TRY(ddb_env(rq, f->names, f->values, &env));
	if (updates)
		TRY(ddb_invalid(rq, expr_update(&env, f->update, &a->change.update)));
	TRY(ddb_condition(rq, &env, "ConditionExpression", f->condition, &a->change.condition));
	return ddb_env_done(rq, &env);
}

/* What is wrong with this action alone. */
static err fault_of(req *rq, ddb_action *a)
{
	const ddb_table *t = a->w->t;
	if (a->change.kind != CHANGE_PUT) {
		TRY(ddb_key_check(rq, t, a->change.key));
		return a->change.kind == CHANGE_UPDATE ? ddb_update_check(rq, t, &a->change.update) : OK;
	}
	return ddb_item_check(rq, t, a->change.key);
}

/* The answer to a repeated request: reading the items is what it costs. */
static err repeated(req *rq, const txn *tx, const dynamodb_TransactWriteItems_in *in, ddb_transaction *x,
                    const face *faces, dynamodb_TransactWriteItems_out *out)
{
	ddb_spent *list = arena_array(rq->mem, ddb_spent, x->n);
	size_t tables = 0;
	for (size_t i = 0; i < x->n; i++) {
		ddb_table *t;
		value key = STR_NONE;
		TRY(ddb_open(rq, tx, x->v[i].table, &t));
		TRY(ddb_values_in(rq, faces[i].item, &key));
		size_t bytes = ddb_item_at(tx, ddb_row_key(rq->mem, t, key)).size;
		ddb_spend(list, &tables, t, 2 * ddb_read_units(bytes, true));
	}
	ddb_spent_out(rq, list, tables, in->ReturnConsumedCapacity, &out->ConsumedCapacity);
	return OK;
}

static err write_all(req *rq, txn *tx, const dynamodb_TransactWriteItems_in *in, ddb_transaction *x,
                     const face *faces, dynamodb_TransactWriteItems_out *out)
{
	ddb_collections touched = { 0 };
	for (size_t i = 0; i < x->n; i++) {
		TRY(expressions_of(rq, &x->v[i], &faces[i]));
		/* How large an item to be put is, is known beforehand. */
		if (x->v[i].change.kind == CHANGE_PUT)
			TRY(ddb_item_sized(rq, x->v[i].change.key, &x->v[i].change.put));
		TRY(ddb_transaction_table(rq, tx, x, &x->v[i]));
		x->v[i].fault = fault_of(rq, &x->v[i]);
		if (ddb_is_empty_key(x->v[i].fault))
			return x->v[i].fault;
		TRY(ddb_transaction_row(rq, x, &x->v[i]));
	}
	TRY(ddb_transaction_write(rq, x, in->ReturnConsumedCapacity, &out->ConsumedCapacity));
	for (size_t i = 0; i < x->n; i++)
		ddb_collections_add(rq, &touched, x->v[i].w, in->ReturnItemCollectionMetrics, x->v[i].change.key,
		                    x->n);
	ddb_collections_out(rq, &touched, &out->ItemCollectionMetrics);
	return OK;
}

/* Writes up to 100 items of several tables, all or none. */
err dynamodb_TransactWriteItems(req *rq, txn *tx, const dynamodb_TransactWriteItems_in *in,
                                dynamodb_TransactWriteItems_out *out)
{
	ddb_transaction x = ddb_transaction_of(rq, in->TransactItems.n);
	face *faces = arena_array(rq->mem, face, x.n);
	str token = in->ClientRequestToken, digest = STR_NONE;
	bool known = false;
	for (size_t i = 0; i < x.n; i++)
		TRY(face_of(rq, &in->TransactItems.v[i], &x.v[i], &faces[i]));
	if (str_is(token)) {
		digest = ddb_token_digest(rq, "TransactItems", &in->TransactItems);
		TRY(ddb_token_known(rq, tx, token, digest, &known));
	}
	if (known)
		return repeated(rq, tx, in, &x, faces, out);
	TRY(write_all(rq, tx, in, &x, faces, out));
	if (str_is(token))
		ddb_token_keep(rq, tx, token, digest);
	return OK;
}

/* One read. What is wrong with its key or its table's capacity cancels all of them. */
typedef struct reading {
	const projection *project;
	ddb_table *t;
	value key;
	str row;
} reading;

static err reading_in(req *rq, const txn *tx, const dynamodb_Get *g, reading *r)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, g) };
	TRY(ddb_mix(rq, params, 1, &g->ExpressionAttributeNames, NULL));
	TRY(ddb_values_in(rq, (const dynamodb_AttributeMap *)&g->Key, &r->key));
	TRY(ddb_reading(rq, g->ProjectionExpression, &g->ExpressionAttributeNames, &r->project));
	return ddb_open(rq, tx, g->TableName, &r->t);
}

static err fault_of_reading(req *rq, const reading *r)
{
	TRY(ddb_key_check(rq, r->t, r->key));
	TRY(ddb_paths_check(rq, r->t, NULL, r->project));
	return ddb_admit_read(rq, r->t, NULL);
}

static err readings_in(req *rq, const txn *tx, const dynamodb_TransactGetItems_in *in, reading *list)
{
	size_t n = in->TransactItems.n;
	ddb_transaction x = ddb_transaction_of(rq, n);
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		TRY(reading_in(rq, tx, in->TransactItems.v[i].Get, &list[i]));
		x.v[i].fault = fault_of_reading(rq, &list[i]);
		if (ddb_is_empty_key(x.v[i].fault))
			return x.v[i].fault;
		good &= !x.v[i].fault;
		if (x.v[i].fault)
			continue;
		list[i].row = ddb_row_key(rq->mem, list[i].t, list[i].key);
		if (map_put(&x.seen, list[i].row, &list[i]))
			return fail(rq, &aws_ValidationException,
			            "Transaction request cannot include multiple operations on one item");
	}
	return good ? OK : ddb_transaction_canceled(rq, &x);
}

/* Reads up to 100 items as they were at one moment. */
err dynamodb_TransactGetItems(req *rq, const txn *tx, const dynamodb_TransactGetItems_in *in,
                              dynamodb_TransactGetItems_out *out)
{
	size_t n = in->TransactItems.n, tables = 0;
	ddb_spent *list = arena_array(rq->mem, ddb_spent, n);
	reading *readings = arena_array(rq->mem, reading, n);
	TRY(readings_in(rq, tx, in, readings));
	out->Responses.v = arena_array(rq->mem, dynamodb_ItemResponse, n);
	for (size_t i = 0; i < n; i++) {
		const reading *r = &readings[i];
		ddb_item found = ddb_item_at(tx, r->row);
		ddb_spend(list, &tables, r->t, 2 * ddb_read_units(found.size, true));
		dynamodb_ItemResponse *answer = &out->Responses.v[out->Responses.n++];
		if (value_is(found.map))
			answer->Item =
				ddb_map_out(rq, r->project ? projection_of(rq->mem, r->project, found.map) : found.map);
	}
	ddb_spent_out(rq, list, tables, in->ReturnConsumedCapacity, &out->ConsumedCapacity);
	return OK;
}
