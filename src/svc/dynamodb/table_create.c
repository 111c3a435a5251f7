#include "cloud/tags.h"
#include "sys/rand.h"
#include "svc/dynamodb/backup.h"
#include "svc/dynamodb/replica.h"

str ddb_index_arn(req *rq, const ddb_table *t, str name)
{
	return arena_fmt(rq->mem, "%.*s/index/%.*s", STR_ARG(t->arn), STR_ARG(name));
}

static void describe_locals(req *rq, const dynamodb_CreateTable_in *in, const ddb_table *t,
                            dynamodb_LocalSecondaryIndexDescriptionList *out)
{
	size_t n = in->LocalSecondaryIndexes.n;
	if (!n)
		return;
	out->v = arena_array(rq->mem, dynamodb_LocalSecondaryIndexDescription, n);
	for (out->n = 0; out->n < n; out->n++) {
		const dynamodb_LocalSecondaryIndex *g = &in->LocalSecondaryIndexes.v[out->n];
		out->v[out->n] = (dynamodb_LocalSecondaryIndexDescription){
			.IndexName = g->IndexName,
			.KeySchema = g->KeySchema,
			.Projection = g->Projection,
			.IndexArn = ddb_index_arn(rq, t, g->IndexName),
		};
	}
}

static void describe_globals(req *rq, const dynamodb_CreateTable_in *in, const ddb_table *t,
                             dynamodb_GlobalSecondaryIndexDescriptionList *out)
{
	size_t n = in->GlobalSecondaryIndexes.n;
	if (!n)
		return;
	out->v = arena_array(rq->mem, dynamodb_GlobalSecondaryIndexDescription, n);
	for (out->n = 0; out->n < n; out->n++) {
		const dynamodb_GlobalSecondaryIndex *g = &in->GlobalSecondaryIndexes.v[out->n];
		out->v[out->n] = (dynamodb_GlobalSecondaryIndexDescription){
			.IndexName = g->IndexName,
			.KeySchema = g->KeySchema,
			.Projection = g->Projection,
			.IndexArn = ddb_index_arn(rq, t, g->IndexName),
			.ProvisionedThroughput = ddb_throughput(rq, g->ProvisionedThroughput),
			.OnDemandThroughput = g->OnDemandThroughput,
		};
	}
}

static void describe_options(req *rq, const dynamodb_CreateTable_in *in,
                             dynamodb_TableDescription *d)
{
	if (str_eq(in->BillingMode, S("PAY_PER_REQUEST"))) {
		d->BillingModeSummary = arena_new(rq->mem, dynamodb_BillingModeSummary);
		d->BillingModeSummary->BillingMode = in->BillingMode;
		d->BillingModeSummary->LastUpdateToPayPerRequestDateTime = TIME(rq->now);
	}
	if (str_is(in->TableClass)) {
		d->TableClassSummary = arena_new(rq->mem, dynamodb_TableClassSummary);
		d->TableClassSummary->TableClass = in->TableClass;
	}
	d->OnDemandThroughput = in->OnDemandThroughput;
	d->DeletionProtectionEnabled = BOOL(in->DeletionProtectionEnabled.v);
}

static dynamodb_TableDescription *describe(req *rq, const dynamodb_CreateTable_in *in,
                                           const ddb_table *t)
{
	dynamodb_TableDescription *d = arena_new(rq->mem, dynamodb_TableDescription);
	d->AttributeDefinitions = in->AttributeDefinitions;
	d->TableName = t->name;
	d->KeySchema = in->KeySchema;
	d->CreationDateTime = TIME(rq->now);
	d->ProvisionedThroughput = ddb_throughput(rq, in->ProvisionedThroughput);
	d->TableArn = t->arn;
	d->TableId = rand_uuid(rq->mem);
	describe_locals(rq, in, t, &d->LocalSecondaryIndexes);
	describe_globals(rq, in, t, &d->GlobalSecondaryIndexes);
	describe_options(rq, in, d);
	return d;
}

static err refuse_unknown(req *rq, const dynamodb_CreateTable_in *in)
{
	if (str_is(in->GlobalTableSourceArn))
		return fail(rq, &aws_NotImplemented, "Global tables are not implemented");
	return OK;
}

/* What may be refused: encryption, warm throughput, the policy. */
static err options_in(req *rq, txn *tx, const dynamodb_CreateTable_in *in, const ddb_table *t,
                      dynamodb_TableDescription *d)
{
	const opt_i64 none = { 0 };
	str revision;
	if (in->SSESpecification)
		TRY(ddb_sse_in(rq, tx, in->SSESpecification, &d->SSEDescription));
	ddb_warm w = ddb_warm_of(t->on_demand, d->ProvisionedThroughput, none, none);
	TRY(ddb_warm_in(rq, in->WarmThroughput, STR_NONE, &w));
	TRY(ddb_most_in(rq, in->OnDemandThroughput, STR_NONE, t->on_demand, false));
	if (in->WarmThroughput)
		d->WarmThroughput = ddb_warm_table(rq, w);
	for (size_t i = 0; i < in->GlobalSecondaryIndexes.n; i++) {
		const dynamodb_GlobalSecondaryIndex *g = &in->GlobalSecondaryIndexes.v[i];
		dynamodb_GlobalSecondaryIndexDescription *x = &d->GlobalSecondaryIndexes.v[i];
		w = ddb_warm_of(t->on_demand, x->ProvisionedThroughput, none, none);
		TRY(ddb_warm_in(rq, g->WarmThroughput, g->IndexName, &w));
		TRY(ddb_most_in(rq, g->OnDemandThroughput, g->IndexName, t->on_demand, false));
		if (g->WarmThroughput)
			x->WarmThroughput = ddb_warm_index(rq, w);
	}
	return str_is(in->ResourcePolicy) ? ddb_policy_set(rq, tx, t->arn, in->ResourcePolicy, &revision) : OK;
}

/* What the answer shows, although the table can be used at once: not yet what it will be ready for, unless
 * that was asked. */
static dynamodb_TableDescription *creating(req *rq, const txn *tx, const dynamodb_table *r,
                                           const ddb_table *t, const dynamodb_CreateTable_in *in)
{
	dynamodb_TableDescription *d = ddb_describe(rq, tx, r, t);
	d->TableStatus = S("CREATING");
	d->WarmThroughput = in->WarmThroughput ? d->WarmThroughput : NULL;
	if (d->BillingModeSummary)
		d->BillingModeSummary->LastUpdateToPayPerRequestDateTime = (opt_time){ 0 };
	for (size_t i = 0; i < d->GlobalSecondaryIndexes.n; i++) {
		dynamodb_GlobalSecondaryIndexDescription *x = &d->GlobalSecondaryIndexes.v[i];
		x->IndexStatus = S("CREATING");
		x->WarmThroughput = in->GlobalSecondaryIndexes.v[i].WarmThroughput ? x->WarmThroughput : NULL;
	}
	return d;
}

/* Makes a table with its indexes. */
err dynamodb_CreateTable(req *rq, txn *tx, const dynamodb_CreateTable_in *in,
                         dynamodb_CreateTable_out *out)
{
	ddb_table t;
	TRY(refuse_unknown(rq, in));
	TRY(ddb_table_in(rq, in, &t));
	if (ddb_head_get(tx, rq->mem, t.account, t.region, t.name))
		return fail(rq, &dynamodb_ResourceInUseException, "Table already exists: %.*s",
		            STR_ARG(t.name));
	tag_list tags = { 0 };
	TRY(ddb_tags_add(rq, &tags, TAGS(&in->Tags, Key)));
	t.id = txn_next(tx, S("dynamodb.table")) | DDB_ORDER_OF_AWS;
	dynamodb_table r = {
		.Account = t.account,
		.Region = t.region,
		.TableName = t.name,
		.Id = (int64_t)t.id,
		.Table = describe(rq, in, &t),
		.Tags = in->Tags,
		.NextIndex = (int64_t)t.n_indexes + 1,
	};
	TRY(options_in(rq, tx, in, &t, r.Table));
	if (in->StreamSpecification)
		TRY(ddb_stream_make(rq, tx, &r, &t, in->StreamSpecification));
	dynamodb_table_put(tx, &r);
	ddb_rates_of(&t, r.Table);
	ddb_head_put(tx, &t);
	ddb_bill_capacity(rq, tx, r.Table, &t, false);
	out->TableDescription = creating(rq, tx, &r, &t, in);
	return OK;
}

/* The items stay when a backup has taken them over. */
static void end_rows(req *rq, txn *tx, const ddb_table *t, bool taken)
{
	if (!taken)
		ddb_purge(tx, ddb_index_prefix(rq->mem, t->id, 0));
	for (size_t i = 0; i < t->n_indexes; i++)
		ddb_purge(tx, ddb_index_prefix(rq->mem, t->id, t->indexes[i].id));
	if (t->ttl.n)
		ddb_purge(tx, ddb_expiry_prefix(rq->mem, t));
	if (ddb_has_collections(t))
		ddb_purge(tx, ddb_collection_key(rq->mem, t, STR_NONE));
}

/* Ends a table at once; its rows go in the background. */
err ddb_table_delete(req *rq, txn *tx, str name, dynamodb_DeleteTable_out *out)
{
	dynamodb_table *r;
	TRY(ddb_record(rq, tx, name, &r));
	if (r->Table->DeletionProtectionEnabled.v)
		return fail(rq, &aws_ValidationException,
		            "Resource cannot be deleted as it is currently protected against deletion. "
		            "Disable deletion protection first.");
	for (size_t i = 0; i < r->Table->Replicas.n; i++)
		if (str_eq(r->Table->Replicas.v[i].ReplicaStatus, S("CREATING")))
			return fail(rq, &aws_ValidationException,
			            "Replica cannot be deleted because it has acted as a source region for new "
			            "replica(s) being added to the table in the last 24 hours.");
	ddb_table *t = ddb_head_get(tx, rq->mem, r->Account, r->Region, r->TableName);
	ensure(t != NULL);
	bool taken;
	TRY(ddb_backup_deleted(rq, tx, r, t, &taken));
	dynamodb_TableDescription *d = ddb_describe(rq, tx, r, t);
	ddb_bill_capacity(rq, tx, d, t, true);
	ddb_stream_end(rq, tx, r, t);
	ddb_tally_end(tx, rq->mem, t, rq->now);
	end_rows(rq, tx, t, taken);
	ddb_replicas_leave(rq, tx, t);
	ddb_head_delete(tx, t);
	ddb_policy_end(rq, tx, t->arn);
	dynamodb_table_delete(tx, r->Account, r->Region, r->TableName);
	out->TableDescription = arena_new(rq->mem, dynamodb_TableDescription);
	*out->TableDescription = (dynamodb_TableDescription){
		.TableName = d->TableName,
		.TableStatus = S("DELETING"),
		.ProvisionedThroughput = d->ProvisionedThroughput,
		.TableSizeBytes = d->TableSizeBytes,
		.ItemCount = d->ItemCount,
		.TableArn = d->TableArn,
		.TableId = d->TableId,
		.BillingModeSummary = d->BillingModeSummary,
		.DeletionProtectionEnabled = BOOL(false),
	};
	return OK;
}

err dynamodb_DeleteTable(req *rq, txn *tx, const dynamodb_DeleteTable_in *in,
                         dynamodb_DeleteTable_out *out)
{
	return ddb_table_delete(rq, tx, in->TableName, out);
}
