#include "svc/dynamodb/ddb.h"

/* Reads one item by its key. */
err dynamodb_GetItem(req *rq, const txn *tx, const dynamodb_GetItem_in *in,
                     dynamodb_GetItem_out *out)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, in),
		                         DDB_LEGACY(AttributesToGet, in) };
	static const dynamodb_ExpressionAttributeValueMap no_values;
	const projection *project;
	expr_env env;
	ddb_table *t;
	value key;
	TRY(ddb_env(rq, params, 2, &in->ExpressionAttributeNames, &no_values, &env));
	TRY(ddb_projection(rq, &env, in->ProjectionExpression, &in->AttributesToGet, &project));
	TRY(ddb_env_done(rq, &env));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	TRY(ddb_key_in(rq, t, (const dynamodb_AttributeMap *)&in->Key, &key));

	ddb_item i = ddb_item_at(tx, ddb_row_key(rq->mem, t, key));
	ddb_units units = { .table = ddb_read_units(i.size, in->ConsistentRead.v) };
	ddb_meter_reads(rq, t, &units);
	out->ConsumedCapacity = ddb_consumed(rq, t, &units, in->ReturnConsumedCapacity, NULL);
	if (!value_is(i.map))
		return OK;
	i = ddb_item_copy(rq->mem, i);
	out->Item = wire_map_out(rq->mem, project ? projection_of(rq->mem, project, i.map) : i.map);
	return OK;
}

static err old_or_nothing(req *rq, str return_values)
{
	if (!str_is(return_values) || str_eq(return_values, S("NONE")) ||
	    str_eq(return_values, S("ALL_OLD")))
		return OK;
	return fail(rq, &aws_ValidationException, "ReturnValues can only be ALL_OLD or NONE");
}

/* Writes one item whole, if the condition holds for the item it replaces. */
err dynamodb_PutItem(req *rq, txn *tx, const dynamodb_PutItem_in *in, dynamodb_PutItem_out *out)
{
	const ddb_param params[] = { DDB_EXPRESSION(ConditionExpression, in),
		                         DDB_LEGACY(Expected, in) };
	ddb_change c = { .kind = CHANGE_PUT };
	expr_env env;
	ddb_table *t;
	ddb_writer w;
	TRY(old_or_nothing(rq, in->ReturnValues));
	TRY(ddb_env(rq, params, 2, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues,
	            &env));
	TRY(ddb_condition(rq, &env, "ConditionExpression", in->ConditionExpression, &c.condition));
	TRY(ddb_env_done(rq, &env));
	if (in->Expected.v)
		TRY(ddb_expected(rq, &in->Expected, in->ConditionalOperator, &c.condition));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	TRY(ddb_item_in(rq, t, (const dynamodb_AttributeMap *)&in->Item, &c.put));

	ddb_write_begin(&w, tx, rq->mem, t, rq->now);
	TRY(ddb_change_apply(rq, &w, &c));
	ddb_meter_writes(rq, t, &w.units);
	if (c.failed)
		return ddb_check_failed(rq, in->ReturnValuesOnConditionCheckFailure, c.old);
	ddb_write_end(&w);

	if (str_eq(in->ReturnValues, S("ALL_OLD")) && value_is(c.old.map))
		out->Attributes = wire_map_out(rq->mem, c.old.map);
	out->ConsumedCapacity = ddb_consumed(rq, t, &w.units, in->ReturnConsumedCapacity, NULL);
	out->ItemCollectionMetrics = ddb_collection(rq, t, in->ReturnItemCollectionMetrics, c.put.map);
	return OK;
}

/* Removes one item, if the condition holds; removing what is not there succeeds. */
err dynamodb_DeleteItem(req *rq, txn *tx, const dynamodb_DeleteItem_in *in,
                        dynamodb_DeleteItem_out *out)
{
	const ddb_param params[] = { DDB_EXPRESSION(ConditionExpression, in),
		                         DDB_LEGACY(Expected, in) };
	ddb_change c = { .kind = CHANGE_DELETE };
	expr_env env;
	ddb_table *t;
	ddb_writer w;
	TRY(old_or_nothing(rq, in->ReturnValues));
	TRY(ddb_env(rq, params, 2, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues,
	            &env));
	TRY(ddb_condition(rq, &env, "ConditionExpression", in->ConditionExpression, &c.condition));
	TRY(ddb_env_done(rq, &env));
	if (in->Expected.v)
		TRY(ddb_expected(rq, &in->Expected, in->ConditionalOperator, &c.condition));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	TRY(ddb_key_in(rq, t, (const dynamodb_AttributeMap *)&in->Key, &c.key));

	ddb_write_begin(&w, tx, rq->mem, t, rq->now);
	TRY(ddb_change_apply(rq, &w, &c));
	ddb_meter_writes(rq, t, &w.units);
	if (c.failed)
		return ddb_check_failed(rq, in->ReturnValuesOnConditionCheckFailure, c.old);
	ddb_write_end(&w);

	if (str_eq(in->ReturnValues, S("ALL_OLD")) && value_is(c.old.map))
		out->Attributes = wire_map_out(rq->mem, c.old.map);
	out->ConsumedCapacity = ddb_consumed(rq, t, &w.units, in->ReturnConsumedCapacity, NULL);
	out->ItemCollectionMetrics = ddb_collection(rq, t, in->ReturnItemCollectionMetrics, c.key);
	return OK;
}

/* The whole item, or only what the update's paths name, as ReturnValues says. */
static dynamodb_AttributeMap returned(req *rq, const ddb_change *c, str wanted)
{
	ddb_item i = str_ends(wanted, S("OLD")) ? c->old : c->new;
	dynamodb_AttributeMap none = { 0 };
	if (!str_is(wanted) || str_eq(wanted, S("NONE")) || !value_is(i.map))
		return none;
	if (str_starts(wanted, S("ALL_")))
		return wire_map_out(rq->mem, i.map);
	projection p = { arena_array(rq->mem, path, c->update.n + 1), c->update.n };
	for (size_t k = 0; k < p.n; k++)
		p.v[k] = c->update.v[k].path;
	value kept = projection_of(rq->mem, &p, i.map);
	return value_count(kept) ? wire_map_out(rq->mem, kept) : none;
}

static err update_params(req *rq, const dynamodb_UpdateItem_in *in, ddb_change *c)
{
	const ddb_param params[] = { DDB_EXPRESSION(UpdateExpression, in),
		                         DDB_EXPRESSION(ConditionExpression, in),
		                         DDB_LEGACY(AttributeUpdates, in), DDB_LEGACY(Expected, in) };
	expr_env env;
	TRY(ddb_env(rq, params, 4, &in->ExpressionAttributeNames, &in->ExpressionAttributeValues,
	            &env));
	if (str_is(in->UpdateExpression))
		TRY(ddb_invalid(rq, expr_update(&env, in->UpdateExpression, &c->update)));
	TRY(ddb_condition(rq, &env, "ConditionExpression", in->ConditionExpression, &c->condition));
	TRY(ddb_env_done(rq, &env));
	if (in->AttributeUpdates.v)
		TRY(ddb_attribute_updates(rq, &in->AttributeUpdates, &c->update));
	if (in->Expected.v)
		TRY(ddb_expected(rq, &in->Expected, in->ConditionalOperator, &c->condition));
	return OK;
}

/* Changes attributes of one item, or makes it, if the condition holds. */
err dynamodb_UpdateItem(req *rq, txn *tx, const dynamodb_UpdateItem_in *in,
                        dynamodb_UpdateItem_out *out)
{
	ddb_change c = { .kind = CHANGE_UPDATE };
	ddb_table *t;
	ddb_writer w;
	TRY(update_params(rq, in, &c));
	TRY(ddb_open(rq, tx, in->TableName, &t));
	TRY(ddb_key_in(rq, t, (const dynamodb_AttributeMap *)&in->Key, &c.key));
	TRY(ddb_update_check(rq, t, &c.update));

	ddb_write_begin(&w, tx, rq->mem, t, rq->now);
	TRY(ddb_change_apply(rq, &w, &c));
	ddb_meter_writes(rq, t, &w.units);
	if (c.failed)
		return ddb_check_failed(rq, in->ReturnValuesOnConditionCheckFailure, c.old);
	ddb_write_end(&w);

	out->Attributes = returned(rq, &c, in->ReturnValues);
	out->ConsumedCapacity = ddb_consumed(rq, t, &w.units, in->ReturnConsumedCapacity, NULL);
	out->ItemCollectionMetrics = ddb_collection(rq, t, in->ReturnItemCollectionMetrics, c.key);
	return OK;
}
