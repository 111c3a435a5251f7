/* A new table with the schema of an old one, for what is restored into it. */
#include "cloud/meter.h"
#include "svc/dynamodb/backup.h"

static dynamodb_ProvisionedThroughput *throughput_of(req *rq,
                                                     const dynamodb_ProvisionedThroughputDescription *d)
{
	dynamodb_ProvisionedThroughput *p = arena_new(rq->mem, dynamodb_ProvisionedThroughput);
	if (!d || !d->ReadCapacityUnits.v)
		return NULL;
	p->ReadCapacityUnits = d->ReadCapacityUnits;
	p->WriteCapacityUnits = d->WriteCapacityUnits;
	return p;
}

static void indexes_of(req *rq, const ddb_restoring *r, bool on_demand, dynamodb_CreateTable_in *in)
{
	const dynamodb_TableDescription *d = r->from;
	/* An empty list in the request means: none of them. */
	if (r->globals->n) {
		in->GlobalSecondaryIndexes = *r->globals;
	} else if (!r->globals->v && d->GlobalSecondaryIndexes.n) {
		dynamodb_GlobalSecondaryIndexList *to = &in->GlobalSecondaryIndexes;
		to->v = arena_array(rq->mem, dynamodb_GlobalSecondaryIndex, d->GlobalSecondaryIndexes.n);
		for (; to->n < d->GlobalSecondaryIndexes.n; to->n++) {
			const dynamodb_GlobalSecondaryIndexDescription *x = &d->GlobalSecondaryIndexes.v[to->n];
			to->v[to->n] = (dynamodb_GlobalSecondaryIndex){ .IndexName = x->IndexName,
				.KeySchema = x->KeySchema, .Projection = x->Projection,
				.ProvisionedThroughput = on_demand ? NULL :
					r->throughput ? (dynamodb_ProvisionedThroughput *)r->throughput :
					throughput_of(rq, x->ProvisionedThroughput) };
		}
	}
	if (r->locals->n) {
		in->LocalSecondaryIndexes = *r->locals;
	} else if (!r->locals->v && d->LocalSecondaryIndexes.n) {
		dynamodb_LocalSecondaryIndexList *to = &in->LocalSecondaryIndexes;
		to->v = arena_array(rq->mem, dynamodb_LocalSecondaryIndex, d->LocalSecondaryIndexes.n);
		for (; to->n < d->LocalSecondaryIndexes.n; to->n++) {
			const dynamodb_LocalSecondaryIndexDescription *x = &d->LocalSecondaryIndexes.v[to->n];
			to->v[to->n] = (dynamodb_LocalSecondaryIndex){ x->IndexName, x->KeySchema, x->Projection };
		}
	}
}

static bool in_schema(const dynamodb_KeySchema *keys, str name)
{
	for (size_t i = 0; i < keys->n; i++)
		if (str_eq(keys->v[i].AttributeName, name))
			return true;
	return false;
}

/* An index that is left out leaves its attributes without a use, which CreateTable would refuse. */
static void definitions_of(req *rq, const dynamodb_TableDescription *d, dynamodb_CreateTable_in *in)
{
	dynamodb_AttributeDefinitions *to = &in->AttributeDefinitions;
	to->v = arena_array(rq->mem, dynamodb_AttributeDefinition, d->AttributeDefinitions.n + 1);
	for (size_t i = 0; i < d->AttributeDefinitions.n; i++) {
		str name = d->AttributeDefinitions.v[i].AttributeName;
		bool used = in_schema(&in->KeySchema, name);
		for (size_t k = 0; k < in->GlobalSecondaryIndexes.n; k++)
			used = used || in_schema(&in->GlobalSecondaryIndexes.v[k].KeySchema, name);
		for (size_t k = 0; k < in->LocalSecondaryIndexes.n; k++)
			used = used || in_schema(&in->LocalSecondaryIndexes.v[k].KeySchema, name);
		if (used)
			to->v[to->n++] = d->AttributeDefinitions.v[i];
	}
}

static bool was_on_demand(const dynamodb_TableDescription *d)
{
	return d->BillingModeSummary && str_eq(d->BillingModeSummary->BillingMode, S("PAY_PER_REQUEST"));
}

err ddb_restore_begin(req *rq, txn *tx, const ddb_restoring *r, ddb_table **t)
{
	const dynamodb_TableDescription *d = r->from;
	dynamodb_CreateTable_out out = { 0 };
	bool on_demand = r->billing_mode.n ? str_eq(r->billing_mode, S("PAY_PER_REQUEST")) : was_on_demand(d);
	if (ddb_head_get(tx, rq->mem, rq->who.account, rq->region, r->target))
		return fail(rq, &dynamodb_TableAlreadyExistsException, "Table already exists: %.*s",
		            STR_ARG(r->target));
	dynamodb_CreateTable_in in = { .TableName = r->target, .KeySchema = d->KeySchema,
		.BillingMode = on_demand ? S("PAY_PER_REQUEST") : S("PROVISIONED"),
		.ProvisionedThroughput = on_demand ? NULL :
			r->throughput ? (dynamodb_ProvisionedThroughput *)r->throughput :
			throughput_of(rq, d->ProvisionedThroughput),
		.OnDemandThroughput = on_demand ? (dynamodb_OnDemandThroughput *)r->on_demand : NULL,
		.TableClass = d->TableClassSummary ? d->TableClassSummary->TableClass : STR_NONE,
		.SSESpecification = (dynamodb_SSESpecification *)r->sse };
	indexes_of(rq, r, on_demand, &in);
	definitions_of(rq, d, &in);
	TRY(dynamodb_CreateTable(rq, tx, &in, &out));
	dynamodb_table *row = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, r->target);
	ensure(row != NULL);
	row->Table->RestoreSummary = arena_new(rq->mem, dynamodb_RestoreSummary);
	*row->Table->RestoreSummary = (dynamodb_RestoreSummary){ .SourceBackupArn = r->backup_arn,
		.SourceTableArn = r->table_arn, .RestoreDateTime = TIME(r->when), .RestoreInProgress = BOOL(true) };
	dynamodb_table_put(tx, row);
	*t = ddb_head_get(tx, rq->mem, rq->who.account, rq->region, r->target);
	return OK;
}

void ddb_restore_end(txn *tx, arena *mem, const ddb_table *t)
{
	dynamodb_table *row = dynamodb_table_get(tx, mem, t->account, t->region, t->name);
	if (!row || !row->Table->RestoreSummary)
		return;
	row->Table->RestoreSummary->RestoreInProgress = BOOL(false);
	dynamodb_table_put(tx, row);
}

void ddb_restore_billed(req *rq, const ddb_table *t, int64_t bytes)
{
	meter(rq, &DYNAMODB_RESTORE, bytes, t->arn);
}

/* What the answer shows, although a small table can be used at once. */
err ddb_restore_describe(req *rq, const txn *tx, str name, dynamodb_TableDescription **out)
{
	dynamodb_table *row;
	TRY(ddb_record(rq, tx, name, &row));
	const ddb_table *t = ddb_head_get(tx, rq->mem, row->Account, row->Region, row->TableName);
	*out = ddb_describe(rq, tx, row, t);
	(*out)->TableStatus = S("CREATING");
	(*out)->RestoreSummary->RestoreInProgress = BOOL(true);
	return OK;
}
