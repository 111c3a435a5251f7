#include "cloud/meter.h"
#include "svc/dynamodb/table_options.h"

err ddb_record(req *rq, const txn *tx, str given, dynamodb_table **out)
{
	str name;
	TRY(ddb_name(rq, given, &name));
	*out = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, name);
	if (!*out)
		return fail(rq, &dynamodb_ResourceNotFoundException,
		            "Requested resource not found: Table: %.*s not found", STR_ARG(name));
	return OK;
}

dynamodb_ProvisionedThroughputDescription *ddb_throughput(req *rq,
                                                          const dynamodb_ProvisionedThroughput *p)
{
	dynamodb_ProvisionedThroughputDescription *d =
		arena_new(rq->mem, dynamodb_ProvisionedThroughputDescription);
	d->NumberOfDecreasesToday = I64(0);
	d->ReadCapacityUnits = I64(p ? p->ReadCapacityUnits.v : 0);
	d->WriteCapacityUnits = I64(p ? p->WriteCapacityUnits.v : 0);
	return d;
}

static ddb_count count_of(ddb_tally *tally, const ddb_table *t, str index_name,
                          const ddb_index **ix)
{
	*ix = ddb_index_named(t, index_name);
	return *ix ? *ddb_tally_index(tally, (*ix)->id) : (ddb_count){ 0 };
}

/* Each region's table has a class of its own, and all tell it. */
static void show_classes(req *rq, const txn *tx, const dynamodb_table *r)
{
	for (size_t i = 0; i < r->Table->Replicas.n; i++) {
		dynamodb_ReplicaDescription *x = &r->Table->Replicas.v[i];
		const dynamodb_table *there =
			dynamodb_table_get(tx, rq->mem, r->Account, x->RegionName, r->TableName);
		x->ReplicaTableClassSummary = there ? there->Table->TableClassSummary : NULL;
	}
}

dynamodb_TableDescription *ddb_describe(req *rq, const txn *tx, const dynamodb_table *r,
                                        const ddb_table *t)
{
	dynamodb_TableDescription *d = r->Table;
	const ddb_index *ix;
	ddb_tally tally;
	ddb_tally_get(tx, rq->mem, t, &tally);
	show_classes(rq, tx, r);
	bool restoring = d->RestoreSummary && d->RestoreSummary->RestoreInProgress.v;
	d->TableStatus = restoring ? S("CREATING") : S("ACTIVE");
	const opt_i64 none = { 0 };
	d->WarmThroughput =
		ddb_warm_table(rq,
	                   ddb_warm_of(t->on_demand, d->ProvisionedThroughput,
	                               d->WarmThroughput ? d->WarmThroughput->ReadUnitsPerSecond : none,
	                               d->WarmThroughput ? d->WarmThroughput->WriteUnitsPerSecond : none));
	d->ItemCount = I64(tally.table.items);
	d->TableSizeBytes = I64(tally.table.bytes);
	for (size_t i = 0; i < d->LocalSecondaryIndexes.n; i++) {
		dynamodb_LocalSecondaryIndexDescription *x = &d->LocalSecondaryIndexes.v[i];
		ddb_count c = count_of(&tally, t, x->IndexName, &ix);
		x->ItemCount = I64(c.items);
		x->IndexSizeBytes = I64(c.bytes);
	}
	for (size_t i = 0; i < d->GlobalSecondaryIndexes.n; i++) {
		dynamodb_GlobalSecondaryIndexDescription *x = &d->GlobalSecondaryIndexes.v[i];
		ddb_count c = count_of(&tally, t, x->IndexName, &ix);
		x->ItemCount = I64(c.items);
		x->IndexSizeBytes = I64(c.bytes);
		x->WarmThroughput =
			ddb_warm_index(rq,
		                   ddb_warm_of(t->on_demand, x->ProvisionedThroughput,
		                               x->WarmThroughput ? x->WarmThroughput->ReadUnitsPerSecond : none,
		                               x->WarmThroughput ? x->WarmThroughput->WriteUnitsPerSecond : none));
		x->IndexStatus = ix && ix->building ? S("CREATING") : S("ACTIVE");
		if (ix && ix->building)
			x->Backfilling = BOOL(true);
	}
	return d;
}

static ddb_rates rates_of(const dynamodb_ProvisionedThroughputDescription *p,
                          const dynamodb_OnDemandThroughput *most)
{
	ddb_rates r = { 0 };
	if (p) {
		r.reads = p->ReadCapacityUnits.v;
		r.writes = p->WriteCapacityUnits.v;
	}
	if (most) {
		r.max_reads = most->MaxReadRequestUnits.v > 0 ? most->MaxReadRequestUnits.v : 0;
		r.max_writes = most->MaxWriteRequestUnits.v > 0 ? most->MaxWriteRequestUnits.v : 0;
	}
	return r;
}

void ddb_rates_of(ddb_table *t, const dynamodb_TableDescription *d)
{
	t->rates = rates_of(d->ProvisionedThroughput, d->OnDemandThroughput);
	t->rates.warm_reads = d->WarmThroughput ? d->WarmThroughput->ReadUnitsPerSecond.v : 0;
	t->rates.warm_writes = d->WarmThroughput ? d->WarmThroughput->WriteUnitsPerSecond.v : 0;
	for (size_t i = 0; i < t->n_indexes; i++)
		for (size_t k = 0; k < d->GlobalSecondaryIndexes.n; k++) {
			const dynamodb_GlobalSecondaryIndexDescription *x = &d->GlobalSecondaryIndexes.v[k];
			if (!str_eq(x->IndexName, t->indexes[i].name))
				continue;
			t->indexes[i].rates = rates_of(x->ProvisionedThroughput, x->OnDemandThroughput);
			t->indexes[i].rates.warm_reads = x->WarmThroughput ? x->WarmThroughput->ReadUnitsPerSecond.v : 0;
			t->indexes[i].rates.warm_writes =
				x->WarmThroughput ? x->WarmThroughput->WriteUnitsPerSecond.v : 0;
		}
}

static void bill(req *rq, txn *tx, const ddb_table *t, str resource,
                 const dynamodb_ProvisionedThroughputDescription *p, bool ends)
{
	const meter_kind *reads = t->infrequent ? &DYNAMODB_RCU_HOUR_IA : &DYNAMODB_RCU_HOUR;
	const meter_kind *writes = t->infrequent ? &DYNAMODB_WCU_HOUR_IA : &DYNAMODB_WCU_HOUR;
	int64_t r = ends || !p ? 0 : p->ReadCapacityUnits.v,
			w = ends || !p ? 0 : p->WriteCapacityUnits.v;
	if (resident_rate(tx, t->account, t->region, reads, resource) != QTY(r))
		resident_set(tx, t->account, t->region, rq->now, reads, resource, QTY(r));
	if (resident_rate(tx, t->account, t->region, writes, resource) != QTY(w))
		resident_set(tx, t->account, t->region, rq->now, writes, resource, QTY(w));
}

void ddb_bill_capacity(req *rq, txn *tx, const dynamodb_TableDescription *d, const ddb_table *t,
                       bool ends)
{
	bill(rq, tx, t, t->arn, d->ProvisionedThroughput, ends);
	for (size_t i = 0; i < d->GlobalSecondaryIndexes.n; i++)
		bill(rq, tx, t, d->GlobalSecondaryIndexes.v[i].IndexArn,
		     d->GlobalSecondaryIndexes.v[i].ProvisionedThroughput, ends);
}

/* What a table looks like: schema, indexes, counts, status. */
err dynamodb_DescribeTable(req *rq, const txn *tx, const dynamodb_DescribeTable_in *in,
                           dynamodb_DescribeTable_out *out)
{
	dynamodb_table *r;
	TRY(ddb_record(rq, tx, in->TableName, &r));
	const ddb_table *t = ddb_head_get(tx, rq->mem, r->Account, r->Region, r->TableName);
	ensure(t != NULL);
	out->Table = ddb_describe(rq, tx, r, t);
	return OK;
}

/* Table names in order, a page at a time. */
err dynamodb_ListTables(req *rq, const txn *tx, const dynamodb_ListTables_in *in,
                        dynamodb_ListTables_out *out)
{
	size_t limit = in->Limit.set ? (size_t)in->Limit.v : 100;
	record_scan s =
		dynamodb_table_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->ExclusiveStartTableName))
		record_scan_after(&s, in->ExclusiveStartTableName);
	out->TableNames.v = arena_array(rq->mem, str, limit);
	for (dynamodb_table *r = dynamodb_table_next(&s); r; r = dynamodb_table_next(&s)) {
		if (out->TableNames.n == limit) {
			out->LastEvaluatedTableName = out->TableNames.v[limit - 1];
			break;
		}
		out->TableNames.v[out->TableNames.n++] = r->TableName;
	}
	return OK;
}

/* The quotas of an account that has not asked for more. */
err dynamodb_DescribeLimits(req *rq, const txn *tx, const dynamodb_DescribeLimits_in *in,
                            dynamodb_DescribeLimits_out *out)
{
	(void)rq;
	(void)tx;
	(void)in;
	out->AccountMaxReadCapacityUnits = I64(80000);
	out->AccountMaxWriteCapacityUnits = I64(80000);
	out->TableMaxReadCapacityUnits = I64(40000);
	out->TableMaxWriteCapacityUnits = I64(40000);
	return OK;
}

/* Where clients with endpoint discovery go: here. */
err dynamodb_DescribeEndpoints(req *rq, const txn *tx, const dynamodb_DescribeEndpoints_in *in,
                               dynamodb_DescribeEndpoints_out *out)
{
	(void)tx;
	(void)in;
	out->Endpoints.v = arena_array(rq->mem, dynamodb_Endpoint, 1);
	out->Endpoints.n = 1;
	out->Endpoints.v[0].Address =
		str_is(rq->host) ? rq->host
		                 : arena_fmt(rq->mem, "dynamodb.%.*s.amazonaws.com", STR_ARG(rq->region));
	out->Endpoints.v[0].CachePeriodInMinutes = I64(1440);
	return OK;
}
