/*
 * One item at a time. What is wrong with a request is told in AWS's order: mixtures of old and new
 * parameters, values, what the parameters say, expressions, and only then what the table has to say.
 */
#include "svc/dynamodb/params.h"
#include "svc/dynamodb/usage.h"

/* Reads one item by its key. */
err dynamodb_GetItem(req *rq, const txn *tx, const dynamodb_GetItem_in *in,
                     dynamodb_GetItem_out *out)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, in),
		                         DDB_LEGACY(AttributesToGet, in) };
	const projection *project = NULL;
	ddb_table *t;
	value key;
	TRY(ddb_mix(rq, params, 2, &in->ExpressionAttributeNames, NULL));
	TRY(ddb_values_in(rq, (const dynamodb_AttributeMap *)&in->Key, &key));
	TRY(ddb_attributes(rq, &in->AttributesToGet, &project));
	TRY(ddb_reading(rq, in->ProjectionExpression, &in->ExpressionAttributeNames, &project));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	TRY(ddb_key_check(rq, t, key));
	TRY(ddb_paths_check(rq, t, NULL, project));
	TRY(ddb_admit_read(rq, t, NULL));

	ddb_item i = ddb_item_at(tx, ddb_row_key(rq->mem, t, key));
	ddb_units units = { .table = ddb_read_units(i.size, in->ConsistentRead.v) };
	ddb_meter_reads(rq, t, &units);
	out->ConsumedCapacity = ddb_consumed(rq, t, &units, in->ReturnConsumedCapacity, NULL);
	if (!value_is(i.map))
		return OK;
	out->Item = ddb_map_out(rq, project ? projection_of(rq->mem, project, i.map) : i.map);
	return OK;
}

/* What PutItem, DeleteItem and UpdateItem have in common. */
typedef struct item_write {
	str table, condition, operator, returned, on_failure, consumed, collection;
	const dynamodb_AttributeMap *item; /* of PutItem: the item; of the others: the key */
	const dynamodb_ExpectedAttributeMap *expected;
	const dynamodb_ExpressionAttributeNameMap *names;
	const dynamodb_ExpressionAttributeValueMap *values;
	const dynamodb_UpdateItem_in *update; /* of UpdateItem */
	ddb_change change;
	ddb_writer w;
} item_write;

#define ITEM_WRITE(in, kind_, item_) \
	{ \
		.table = (in)->TableName, .condition = (in)->ConditionExpression, \
		.operator = (in)->ConditionalOperator, .returned = (in)->ReturnValues, \
		.on_failure = (in)->ReturnValuesOnConditionCheckFailure, \
		.consumed = (in)->ReturnConsumedCapacity, .collection = (in)->ReturnItemCollectionMetrics, \
		.item = (const dynamodb_AttributeMap *)&(in)->item_, .expected = &(in)->Expected, \
		.names = &(in)->ExpressionAttributeNames, .values = &(in)->ExpressionAttributeValues, \
		.change = { .kind = (kind_) }, \
	}

static err check_mix(req *rq, const item_write *x)
{
	static const dynamodb_AttributeUpdates none;
	const dynamodb_AttributeUpdates *updates = x->update ? &x->update->AttributeUpdates : &none;
	const ddb_param params[] = {
		{ .name = "UpdateExpression", .text = x->update ? x->update->UpdateExpression : STR_NONE },
		{ .name = "ConditionExpression", .text = x->condition },
		{ .name = "AttributeUpdates", .legacy = true, .given = updates->v != NULL },
		{ .name = "Expected", .legacy = true, .given = x->expected->v != NULL },
	};
	size_t skip = x->update ? 0 : 1;
	return ddb_mix(rq, params + skip, 4 - skip, x->names, x->values);
}

static err check_returned(req *rq, const item_write *x)
{
	bool plain = !str_is(x->returned) || str_eq(x->returned, S("NONE")) ||
	             str_eq(x->returned, S("ALL_OLD"));
	return plain || x->update
	               ? OK
	               : fail(rq, &aws_ValidationException, "ReturnValues can only be ALL_OLD or NONE");
}

static err expressions_in(req *rq, item_write *x)
{
	expr_env env;
	TRY(ddb_env(rq, x->names, x->values, &env));
	if (x->update && str_is(x->update->UpdateExpression))
		TRY(ddb_invalid(rq, expr_update(&env, x->update->UpdateExpression, &x->change.update)));
	TRY(ddb_condition(rq, &env, "ConditionExpression", x->condition, &x->change.condition));
	return ddb_env_done(rq, &env);
}

/* All that can be refused without knowing the table. */
static err request_in(req *rq, item_write *x)
{
	ddb_change *c = &x->change;
	value values;
	TRY(check_mix(rq, x));
	TRY(ddb_values_in(rq, x->item, &values));
	if (x->update && x->update->AttributeUpdates.v)
		TRY(ddb_attribute_updates(rq, &x->update->AttributeUpdates, &c->update));
	TRY(check_returned(rq, x));
	if (c->kind == CHANGE_PUT)
		TRY(ddb_item_sized(rq, values, &c->put));
	c->key = values;
	const expr *expected = NULL;
	TRY(ddb_expected(rq, x->expected, x->operator, &expected));
	TRY(expressions_in(rq, x));
	if (expected)
		c->condition = expected;
	return OK;
}

static err write_item(req *rq, txn *tx, item_write *x)
{
	ddb_change *c = &x->change;
	ddb_table *t;
	TRY(request_in(rq, x));
	TRY(ddb_open(rq, tx, x->table, &t));
	if (c->kind == CHANGE_PUT)
		TRY(ddb_item_check(rq, t, c->put.map));
	else
		TRY(ddb_key_check(rq, t, c->key));
	TRY(ddb_update_check(rq, t, &c->update));
	TRY(ddb_admit_write(rq, t));

	ddb_write_begin(&x->w, tx, rq->mem, t, rq->now);
	TRY(ddb_change_apply(rq, &x->w, c));
	ddb_meter_writes(rq, t, &x->w.units);
	if (c->failed)
		ddb_watch_count(rq, t, "ConditionalCheckFailedRequests", 1, false);
	if (c->failed)
		return ddb_check_failed(rq, x->on_failure, c->old);
	ddb_write_end(&x->w);
	return OK;
}

#define ITEM_ANSWER(x, out) \
	do { \
		(out)->Attributes = ddb_returned(rq, &(x).change, (x).returned); \
		(out)->ConsumedCapacity = ddb_consumed(rq, (x).w.t, &(x).w.units, (x).consumed, NULL); \
		(out)->ItemCollectionMetrics = ddb_collection(rq, &(x).w, (x).collection, (x).change.key); \
	} while (0)

/* Writes one item whole, if the condition holds for the item it replaces. */
err dynamodb_PutItem(req *rq, txn *tx, const dynamodb_PutItem_in *in, dynamodb_PutItem_out *out)
{
	item_write x = ITEM_WRITE(in, CHANGE_PUT, Item);
	TRY(write_item(rq, tx, &x));
	ITEM_ANSWER(x, out);
	return OK;
}

/* Removes one item, if the condition holds; removing what is not there succeeds. */
err dynamodb_DeleteItem(req *rq, txn *tx, const dynamodb_DeleteItem_in *in,
                        dynamodb_DeleteItem_out *out)
{
	item_write x = ITEM_WRITE(in, CHANGE_DELETE, Key);
	TRY(write_item(rq, tx, &x));
	ITEM_ANSWER(x, out);
	return OK;
}

/* Changes attributes of one item, or makes it, if the condition holds. */
err dynamodb_UpdateItem(req *rq, txn *tx, const dynamodb_UpdateItem_in *in,
                        dynamodb_UpdateItem_out *out)
{
	item_write x = ITEM_WRITE(in, CHANGE_UPDATE, Key);
	x.update = in;
	x.change.alone = true;
	TRY(write_item(rq, tx, &x));
	ITEM_ANSWER(x, out);
	return OK;
}
