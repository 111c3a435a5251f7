/*
 * Item collections: the items of one partition key and their entries in local indexes, at most 10 GB
 * together. A table with local indexes keeps their bytes, one row for each; other tables have nothing to
 * keep.
 */
#include "svc/dynamodb/ddb.h"

#define GB (INT64_C(1) << 30)
#define COLLECTION_BYTES_MAX (10 * GB)

bool ddb_has_collections(const ddb_table *t)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (!t->indexes[i].global)
			return true;
	return false;
}

int64_t ddb_collection_bytes(const txn *tx, arena *mem, const ddb_table *t, value hash)
{
	int64_t bytes = 0;
	str row = txn_get(tx, ddb_collection_key(mem, t, hash));
	if (row.n == sizeof bytes)
		memcpy(&bytes, row.p, sizeof bytes);
	return bytes;
}

void ddb_collection_grow(ddb_writer *w, value hash, int64_t bytes)
{
	int64_t now = ddb_collection_bytes(w->tx, w->mem, w->t, hash) + bytes;
	str key = ddb_collection_key(w->mem, w->t, hash);
	if (now > 0)
		txn_put(w->tx, key, str_of((const char *)&now, sizeof now));
	else
		txn_delete(w->tx, key);
}

err ddb_collection_check(req *rq, const ddb_writer *w, value key, ddb_item old, ddb_item new)
{
	if (new.size <= old.size || !ddb_has_collections(w->t))
		return OK;
	int64_t bytes = ddb_collection_bytes(w->tx, w->mem, w->t, value_member(key, w->t->hash.name));
	if (bytes + (int64_t)(new.size - old.size) <= COLLECTION_BYTES_MAX)
		return OK;
	return fail(rq, &dynamodb_ItemCollectionSizeLimitExceededException, "Collection size exceeded.");
}

dynamodb_ItemCollectionMetrics *ddb_collection(req *rq, const ddb_writer *w, str wanted, value key)
{
	if (!str_eq(wanted, S("SIZE")) || !ddb_has_collections(w->t))
		return NULL;
	value hash = value_member(key, w->t->hash.name);
	double low = (double)(ddb_collection_bytes(w->tx, rq->mem, w->t, hash) / GB);
	dynamodb_ItemCollectionMetrics *m = arena_new(rq->mem, dynamodb_ItemCollectionMetrics);
	m->ItemCollectionKey.v = arena_array(rq->mem, dynamodb_ItemCollectionKeyAttributeMap_entry, 1);
	m->ItemCollectionKey.n = 1;
	m->ItemCollectionKey.v[0].key = w->t->hash.name;
	wire_value_out(rq->mem, hash, &m->ItemCollectionKey.v[0].value);
	m->SizeEstimateRangeGB.v = arena_array(rq->mem, opt_f64, 2);
	m->SizeEstimateRangeGB.n = 2;
	m->SizeEstimateRangeGB.v[0] = F64(low);
	m->SizeEstimateRangeGB.v[1] = F64(low + 1);
	return m;
}

static bool listed(const ddb_collections *touched, const ddb_table *t, value hash)
{
	for (size_t i = 0; i < touched->n; i++)
		if (touched->v[i].t->id == t->id && value_eq(touched->v[i].hash, hash))
			return true;
	return false;
}

/* Each collection once, however many of its items were written. */
void ddb_collections_add(req *rq, ddb_collections *touched, const ddb_writer *w, str wanted, value key,
                         size_t most)
{
	value hash = value_member(key, w->t->hash.name);
	if (!str_eq(wanted, S("SIZE")) || !ddb_has_collections(w->t) || listed(touched, w->t, hash))
		return;
	if (!touched->v)
		touched->v = arena_array(rq->mem, ddb_touched, most);
	touched->v[touched->n++] = (ddb_touched){ w->t, w, key, hash };
}

static dynamodb_ItemCollectionMetricsMultiple *list_of(dynamodb_ItemCollectionMetricsPerTable *out, str name,
                                                       arena *mem, size_t most)
{
	for (size_t i = 0; i < out->n; i++)
		if (str_eq(out->v[i].key, name))
			return &out->v[i].value;
	out->v[out->n].key = name;
	out->v[out->n].value.v = arena_array(mem, dynamodb_ItemCollectionMetrics, most);
	return &out->v[out->n++].value;
}

void ddb_collections_out(req *rq, const ddb_collections *touched, dynamodb_ItemCollectionMetricsPerTable *out)
{
	if (!touched->n)
		return;
	out->v = arena_array(rq->mem, dynamodb_ItemCollectionMetricsPerTable_entry, touched->n);
	for (size_t i = 0; i < touched->n; i++) {
		const ddb_touched *c = &touched->v[i];
		dynamodb_ItemCollectionMetricsMultiple *l = list_of(out, c->t->name, rq->mem, touched->n);
		l->v[l->n++] = *ddb_collection(rq, c->w, S("SIZE"), c->key);
	}
}
