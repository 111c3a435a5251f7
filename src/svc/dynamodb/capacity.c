#include "svc/dynamodb/usage.h"

#define WRITE_UNIT_BYTES 1024
#define READ_UNIT_BYTES 4096

static int64_t steps(size_t bytes, size_t unit)
{
	return bytes ? (int64_t)((bytes + unit - 1) / unit) : 1;
}

qty ddb_write_units(size_t bytes)
{
	return QTY(steps(bytes, WRITE_UNIT_BYTES));
}

qty ddb_read_units(size_t bytes, bool consistent)
{
	qty q = QTY(steps(bytes, READ_UNIT_BYTES));
	return consistent ? q : q / 2;
}

static qty total(const ddb_table *t, const ddb_units *u)
{
	qty sum = u->table;
	for (size_t i = 0; i < t->n_indexes; i++)
		sum += u->index[i];
	return sum;
}

void ddb_meter_reads(req *rq, const ddb_table *t, const ddb_units *u)
{
	if (!rq->again)
		ddb_take(t, u, false, rq->now);
	ddb_watch_units(rq, t, u, false);
	if (t->on_demand && total(t, u))
		meter(rq, &DYNAMODB_RRU, total(t, u), t->arn);
}

void ddb_meter_writes(req *rq, const ddb_table *t, const ddb_units *u)
{
	if (!rq->again)
		ddb_take(t, u, true, rq->now);
	ddb_watch_units(rq, t, u, true);
	if (t->on_demand && total(t, u))
		meter(rq, &DYNAMODB_WRU, total(t, u), t->arn);
}

static opt_f64 units_of(qty q)
{
	return F64((double)q / 1e6);
}

static void name_units(dynamodb_Capacity *c, qty q, const char *kind)
{
	c->CapacityUnits = units_of(q);
	if (kind && *kind == 'R')
		c->ReadCapacityUnits = units_of(q);
	if (kind && *kind == 'W')
		c->WriteCapacityUnits = units_of(q);
}

static void index_units(req *rq, const ddb_table *t, const ddb_units *u, bool global,
                        const char *kind, dynamodb_SecondaryIndexesCapacityMap *out)
{
	for (size_t i = 0; i < t->n_indexes; i++) {
		if (!u->index[i] || t->indexes[i].global != global)
			continue;
		if (!out->v)
			out->v = arena_array(rq->mem, dynamodb_SecondaryIndexesCapacityMap_entry, t->n_indexes);
		out->v[out->n].key = t->indexes[i].name;
		name_units(&out->v[out->n++].value, u->index[i], kind);
	}
}

dynamodb_ConsumedCapacity *ddb_consumed(req *rq, const ddb_table *t, const ddb_units *u,
                                        str wanted, const char *kind)
{
	bool indexes = str_eq(wanted, S("INDEXES"));
	if (!indexes && !str_eq(wanted, S("TOTAL")))
		return NULL;
	dynamodb_ConsumedCapacity *c = arena_new(rq->mem, dynamodb_ConsumedCapacity);
	c->TableName = t->name;
	c->CapacityUnits = units_of(total(t, u));
	if (kind && *kind == 'R')
		c->ReadCapacityUnits = c->CapacityUnits;
	if (kind && *kind == 'W')
		c->WriteCapacityUnits = c->CapacityUnits;
	if (!indexes)
		return c;
	c->Table = arena_new(rq->mem, dynamodb_Capacity);
	name_units(c->Table, u->table, kind);
	index_units(rq, t, u, true, kind, &c->GlobalSecondaryIndexes);
	index_units(rq, t, u, false, kind, &c->LocalSecondaryIndexes);
	return c;
}
