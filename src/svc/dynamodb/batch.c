#include "base/map.h"
#include "svc/dynamodb/params.h"
#include "svc/dynamodb/usage.h"

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

/* What is asked of one table. */
typedef struct get_part {
	str name;
	const dynamodb_KeysAndAttributes *given;
	const projection *project;
	value *keys;
	str *rows;
	ddb_table *t;
	ddb_units units;
} get_part;

typedef struct get_state {
	size_t bytes;
	dynamodb_BatchGetItem_out *out;
} get_state;

static err part_in(req *rq, get_part *p, size_t *n)
{
	map values = map_in(rq->mem, p->given->Keys.n), *seen = &values;
	const dynamodb_KeysAndAttributes *k = p->given;
	const ddb_param params[] = { DDB_EXPRESSION(ProjectionExpression, k),
		                         DDB_LEGACY(AttributesToGet, k) };
	TRY(ddb_mix(rq, params, 2, &k->ExpressionAttributeNames, NULL));
	TRY(ddb_attributes(rq, &k->AttributesToGet, &p->project));
	TRY(ddb_reading(rq, k->ProjectionExpression, &k->ExpressionAttributeNames, &p->project));
	p->keys = arena_array(rq->mem, value, k->Keys.n + 1);
	for (size_t i = 0; i < k->Keys.n; i++) {
		TRY(ddb_values_in(rq, (const dynamodb_AttributeMap *)&k->Keys.v[i], &p->keys[i]));
		if (seen_before(seen, p->keys[i]))
			return duplicates(rq);
		if (++*n > GET_MAX)
			return fail(rq, &aws_ValidationException,
			            "Too many items requested for the BatchGetItem call");
	}
	return OK;
}

/* The keys from this one on are given back. */
static void postpone(get_state *s, const get_part *p, size_t from)
{
	dynamodb_BatchGetRequestMap *m = &s->out->UnprocessedKeys;
	dynamodb_BatchGetRequestMap_entry *e = &m->v[m->n++];
	e->key = p->name;
	e->value = *p->given;
	e->value.Keys.v = p->given->Keys.v + from;
	e->value.Keys.n = p->given->Keys.n - from;
}

/* The same key with its attributes in another order is known by its row only. */
static err get_open(req *rq, const txn *tx, map *seen, get_part *p)
{
	TRY(ddb_open(rq, tx, p->name, &p->t));
	p->rows = arena_array(rq->mem, str, p->given->Keys.n + 1);
	for (size_t i = 0; i < p->given->Keys.n; i++) {
		TRY(ddb_key_check(rq, p->t, p->keys[i]));
		p->rows[i] = ddb_row_key(rq->mem, p->t, p->keys[i]);
		if (seen_before(seen, p->rows[i]))
			return duplicates(rq);
	}
	return ddb_paths_check(rq, p->t, NULL, p->project);
}

static void get_items(req *rq, const txn *tx, get_state *s, get_part *p)
{
	dynamodb_BatchGetResponseMap_entry *e = &s->out->Responses.v[s->out->Responses.n++];
	e->key = p->name;
	e->value.v = arena_array(rq->mem, dynamodb_AttributeMap, p->given->Keys.n + 1);
	for (size_t i = 0; i < p->given->Keys.n; i++) {
		ddb_item found = ddb_item_at(tx, p->rows[i]);
		if (s->bytes && s->bytes + found.size > RESPONSE_BYTES_MAX) {
			postpone(s, p, i);
			return;
		}
		s->bytes += found.size;
		p->units.table += ddb_read_units(found.size, p->given->ConsistentRead.v);
		if (value_is(found.map))
			e->value.v[e->value.n++] = ddb_map_out(
				rq, p->project ? projection_of(rq->mem, p->project, found.map) : found.map);
	}
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

static err none_asked(req *rq, const char *api)
{
	return fail(rq, &aws_ValidationException, "The requestItems parameter is required for %s", api);
}

/* Names and expressions do not mix, not even from one table to another. */
static err same_world(req *rq, const dynamodb_BatchGetItem_in *in)
{
	ddb_param params[] = { { .name = "ProjectionExpression" },
		                   { .name = "AttributesToGet", .legacy = true } };
	const dynamodb_ExpressionAttributeNameMap none = { 0 };
	for (size_t i = 0; i < in->RequestItems.n; i++) {
		const dynamodb_KeysAndAttributes *k = &in->RequestItems.v[i].value;
		if (str_is(k->ProjectionExpression))
			params[0].text = k->ProjectionExpression;
		params[1].given |= k->AttributesToGet.v != NULL;
	}
	return ddb_mix(rq, params, 2, &none, NULL);
}

/* Reads up to 100 items of several tables; what does not fit in 16 MB is given back. */
err dynamodb_BatchGetItem(req *rq, const txn *tx, const dynamodb_BatchGetItem_in *in,
                          dynamodb_BatchGetItem_out *out)
{
	size_t keys = 0, n = in->RequestItems.n;
	get_part *parts = arena_array(rq->mem, get_part, n + 1);
	get_state s = { .out = out };
	if (!n)
		return none_asked(rq, "BatchGetItem");
	TRY(same_world(rq, in));
	for (size_t i = 0; i < n; i++) {
		parts[i].name = in->RequestItems.v[i].key;
		parts[i].given = &in->RequestItems.v[i].value;
		TRY(part_in(rq, &parts[i], &keys));
	}
	map seen = map_in(rq->mem, keys);
	for (size_t i = 0; i < n; i++)
		TRY(get_open(rq, tx, &seen, &parts[i]));
	out->Responses.v = arena_array(rq->mem, dynamodb_BatchGetResponseMap_entry, n + 1);
	out->UnprocessedKeys.v = arena_array(rq->mem, dynamodb_BatchGetRequestMap_entry, n + 1);
	err throttled = OK;
	for (size_t i = 0; i < n; i++) {
		err refused = ddb_admit_read(rq, parts[i].t, NULL);
		if (refused) {
			throttled = refused;
			postpone(&s, &parts[i], 0);
			continue;
		}
		get_items(rq, tx, &s, &parts[i]);
		ddb_meter_reads(rq, parts[i].t, &parts[i].units);
		add_consumed(rq, &out->ConsumedCapacity, n,
		             ddb_consumed(rq, parts[i].t, &parts[i].units, in->ReturnConsumedCapacity, NULL));
	}
	return out->Responses.n ? OK : throttled;
}

/* What is written into one table. */
typedef struct write_part {
	str name;
	const dynamodb_WriteRequests *given;
	ddb_change *changes;
	ddb_writer w;
} write_part;

static err request_in(req *rq, const dynamodb_WriteRequest *given, ddb_change *c)
{
	if (!given->PutRequest == !given->DeleteRequest)
		return fail(
			rq, &aws_ValidationException,
			"Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
			"supported datatypes");
	c->kind = given->PutRequest ? CHANGE_PUT : CHANGE_DELETE;
	const dynamodb_AttributeMap *values =
		given->PutRequest ? (const dynamodb_AttributeMap *)&given->PutRequest->Item
		                  : (const dynamodb_AttributeMap *)&given->DeleteRequest->Key;
	TRY(ddb_values_in(rq, values, &c->key));
	return c->kind == CHANGE_PUT ? ddb_item_sized(rq, c->key, &c->put) : OK;
}

/* A put without its key is refused here as a wrong key is. */
static err schema_of(req *rq, const ddb_table *t, const ddb_change *c)
{
	if (c->kind == CHANGE_DELETE)
		return ddb_key_check(rq, t, c->key);
	TRY(ddb_key_piece(rq, t->hash, c->key, false));
	if (str_is(t->range.name))
		TRY(ddb_key_piece(rq, t->range, c->key, true));
	return ddb_item_check(rq, t, c->key);
}

static err part_open(req *rq, txn *tx, map *seen, write_part *p)
{
	ddb_table *t;
	TRY(ddb_open(rq, tx, p->name, &t));
	ddb_write_begin(&p->w, tx, rq->mem, t, rq->now);
	for (size_t i = 0; i < p->given->n; i++) {
		TRY(schema_of(rq, t, &p->changes[i]));
		if (seen_before(seen, ddb_row_key(rq->mem, t, p->changes[i].key)))
			return duplicates(rq);
	}
	return OK;
}

static err part_write(req *rq, write_part *p, ddb_collections *touched, const dynamodb_BatchWriteItem_in *in,
                      dynamodb_BatchWriteItem_out *out)
{
	for (size_t i = 0; i < p->given->n; i++) {
		TRY(ddb_change_apply(rq, &p->w, &p->changes[i]));
		ddb_collections_add(rq, touched, &p->w, in->ReturnItemCollectionMetrics, p->changes[i].key,
		                    WRITE_MAX);
	}
	ddb_write_end(&p->w);
	ddb_meter_writes(rq, p->w.t, &p->w.units);
	add_consumed(rq, &out->ConsumedCapacity, in->RequestItems.n,
	             ddb_consumed(rq, p->w.t, &p->w.units, in->ReturnConsumedCapacity, NULL));
	return OK;
}

/* Puts and deletes up to 25 items of several tables, without conditions. All of them are written, but those
 * of tables that throttle: they are given back. */
err dynamodb_BatchWriteItem(req *rq, txn *tx, const dynamodb_BatchWriteItem_in *in,
                            dynamodb_BatchWriteItem_out *out)
{
	size_t requests = 0, n = in->RequestItems.n;
	write_part *parts = arena_array(rq->mem, write_part, n + 1);
	if (!n)
		return none_asked(rq, "BatchWriteItem");
	for (size_t i = 0; i < n; i++)
		requests += in->RequestItems.v[i].value.n;
	if (requests > WRITE_MAX)
		return fail(rq, &aws_ValidationException,
		            "Too many items requested for the BatchWriteItem call");
	map seen = map_in(rq->mem, requests);
	ddb_collections touched = { 0 };
	for (size_t i = 0; i < n; i++) {
		parts[i].name = in->RequestItems.v[i].key;
		parts[i].given = &in->RequestItems.v[i].value;
		parts[i].changes = arena_array(rq->mem, ddb_change, parts[i].given->n + 1);
		for (size_t k = 0; k < parts[i].given->n; k++)
			TRY(request_in(rq, &parts[i].given->v[k], &parts[i].changes[k]));
	}
	for (size_t i = 0; i < n; i++)
		TRY(part_open(rq, tx, &seen, &parts[i]));
	out->UnprocessedItems.v = arena_array(rq->mem, dynamodb_BatchWriteItemRequestMap_entry, n + 1);
	err throttled = OK;
	for (size_t i = 0; i < n; i++) {
		err refused = ddb_admit_write(rq, parts[i].w.t);
		if (!refused) {
			TRY(part_write(rq, &parts[i], &touched, in, out));
			continue;
		}
		throttled = refused;
		out->UnprocessedItems.v[out->UnprocessedItems.n++] = in->RequestItems.v[i];
	}
	ddb_collections_out(rq, &touched, &out->ItemCollectionMetrics);
	return out->UnprocessedItems.n < n ? OK : throttled;
}
