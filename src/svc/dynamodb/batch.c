#include "base/map.h"
#include "svc/dynamodb/ddb.h"

#define GET_MAX 100
#define WRITE_MAX 25
#define RESPONSE_BYTES_MAX (16u << 20)

static err duplicates(req *rq)
{
	return fail(rq, &aws_ValidationException, "Provided list of item keys contains duplicates");
}

/* Remembers a row; false when it has been seen in this request. */
static bool seen_before(map *seen, str row)
{
	static const char mark;
	return map_put(seen, row, (void *)(uintptr_t)&mark) != NULL;
}

typedef struct get_state {
	map seen;
	size_t bytes;
	dynamodb_BatchGetItem_out *out;
} get_state;

static void postpone(get_state *s, str name, const dynamodb_KeysAndAttributes *k, size_t from)
{
	dynamodb_BatchGetRequestMap *m = &s->out->UnprocessedKeys;
	dynamodb_BatchGetRequestMap_entry *e = &m->v[m->n++];
	e->key = name;
	e->value = *k;
	e->value.Keys.v = k->Keys.v + from;
	e->value.Keys.n = k->Keys.n - from;
}

static err get_one(req *rq, const txn *tx, get_state *s, const ddb_table *t,
                   const dynamodb_Key *given, ddb_item *out)
{
	value key;
	TRY(ddb_key_in(rq, t, (const dynamodb_AttributeMap *)given, &key));
	str row = ddb_row_key(rq->mem, t, key);
	if (seen_before(&s->seen, row))
		return duplicates(rq);
	*out = ddb_item_copy(rq->mem, ddb_item_at(tx, row));
	return OK;
}

static err get_table(req *rq, const txn *tx, get_state *s, str name,
                     const dynamodb_KeysAndAttributes *k, ddb_units *units, ddb_table **table)
{
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, k),
		                         DDB_LEGACY(AttributesToGet, k) };
	static const dynamodb_ExpressionAttributeValueMap no_values;
	const projection *project;
	expr_env env;
	TRY(ddb_env(rq, params, 2, &k->ExpressionAttributeNames, &no_values, &env));
	TRY(ddb_projection(rq, &env, k->ProjectionExpression, &k->AttributesToGet, &project));
	TRY(ddb_env_done(rq, &env));
	TRY(ddb_open(rq, tx, name, table));
	dynamodb_BatchGetResponseMap_entry *e = &s->out->Responses.v[s->out->Responses.n++];
	e->key = name;
	e->value.v = arena_array(rq->mem, dynamodb_AttributeMap, k->Keys.n + 1);
	for (size_t i = 0; i < k->Keys.n; i++) {
		ddb_item found = { STR_NONE, 0 };
		TRY(get_one(rq, tx, s, *table, &k->Keys.v[i], &found));
		if (s->bytes && s->bytes + found.size > RESPONSE_BYTES_MAX) {
			postpone(s, name, k, i);
			return OK;
		}
		s->bytes += found.size;
		units->table += ddb_read_units(found.size, k->ConsistentRead.v);
		if (value_is(found.map))
			e->value.v[e->value.n++] = wire_map_out(
				rq->mem, project ? projection_of(rq->mem, project, found.map) : found.map);
	}
	return OK;
}

static void add_consumed(req *rq, dynamodb_ConsumedCapacityMultiple *list, size_t most,
                         const dynamodb_ConsumedCapacity *c)
{
	if (!c)
		return;
	if (!list->v)
		list->v = arena_array(rq->mem, dynamodb_ConsumedCapacity, most);
	list->v[list->n++] = *c;
}

/* Reads up to 100 items of several tables; what does not fit in 16 MB is given back. */
err dynamodb_BatchGetItem(req *rq, const txn *tx, const dynamodb_BatchGetItem_in *in,
                          dynamodb_BatchGetItem_out *out)
{
	size_t keys = 0, n = in->RequestItems.n;
	for (size_t i = 0; i < n; i++)
		keys += in->RequestItems.v[i].value.Keys.n;
	if (keys > GET_MAX)
		return fail(rq, &aws_ValidationException,
		            "Too many items requested for the BatchGetItem call");
	get_state s = { .seen = map_in(rq->mem, keys), .out = out };
	out->Responses.v = arena_array(rq->mem, dynamodb_BatchGetResponseMap_entry, n + 1);
	out->UnprocessedKeys.v = arena_array(rq->mem, dynamodb_BatchGetRequestMap_entry, n + 1);
	for (size_t i = 0; i < n; i++) {
		ddb_units units = { 0 };
		ddb_table *t;
		TRY(get_table(rq, tx, &s, in->RequestItems.v[i].key, &in->RequestItems.v[i].value, &units,
		              &t));
		ddb_meter_reads(rq, t, &units);
		add_consumed(rq, &out->ConsumedCapacity, n,
		             ddb_consumed(rq, t, &units, in->ReturnConsumedCapacity, NULL));
	}
	return OK;
}

static err write_one(req *rq, ddb_writer *w, map *seen, const dynamodb_WriteRequest *given)
{
	ddb_change c = { .kind = given->PutRequest ? CHANGE_PUT : CHANGE_DELETE };
	if (!given->PutRequest == !given->DeleteRequest)
		return fail(rq, &aws_ValidationException,
		            "Supplied WriteRequest must contain exactly one of PutRequest and "
		            "DeleteRequest");
	if (given->PutRequest)
		TRY(ddb_item_in(rq, w->t, (const dynamodb_AttributeMap *)&given->PutRequest->Item, &c.put));
	else
		TRY(ddb_key_in(rq, w->t, (const dynamodb_AttributeMap *)&given->DeleteRequest->Key, &c.key));
	if (seen_before(seen, ddb_row_key(rq->mem, w->t, given->PutRequest ? c.put.map : c.key)))
		return duplicates(rq);
	return ddb_change_apply(rq, w, &c);
}

static err write_table(req *rq, txn *tx, map *seen, str name, const dynamodb_WriteRequests *given,
                       str wanted, dynamodb_ConsumedCapacity **consumed)
{
	ddb_table *t;
	ddb_writer w;
	TRY(ddb_open(rq, tx, name, &t));
	ddb_write_begin(&w, tx, rq->mem, t, rq->now);
	for (size_t i = 0; i < given->n; i++)
		TRY(write_one(rq, &w, seen, &given->v[i]));
	ddb_write_end(&w);
	ddb_meter_writes(rq, t, &w.units);
	*consumed = ddb_consumed(rq, t, &w.units, wanted, NULL);
	return OK;
}

/* Puts and deletes up to 25 items of several tables, without conditions. All of them are written. */
err dynamodb_BatchWriteItem(req *rq, txn *tx, const dynamodb_BatchWriteItem_in *in,
                            dynamodb_BatchWriteItem_out *out)
{
	size_t requests = 0, n = in->RequestItems.n;
	for (size_t i = 0; i < n; i++)
		requests += in->RequestItems.v[i].value.n;
	if (requests > WRITE_MAX)
		return fail(rq, &aws_ValidationException,
		            "Too many items requested for the BatchWriteItem call");
	map seen = map_in(rq->mem, requests);
	for (size_t i = 0; i < n; i++) {
		dynamodb_ConsumedCapacity *consumed;
		TRY(write_table(rq, tx, &seen, in->RequestItems.v[i].key, &in->RequestItems.v[i].value,
		                in->ReturnConsumedCapacity, &consumed));
		add_consumed(rq, &out->ConsumedCapacity, n, consumed);
	}
	out->UnprocessedItems.v = arena_array(rq->mem, dynamodb_BatchWriteItemRequestMap_entry, 1);
	return OK;
}
