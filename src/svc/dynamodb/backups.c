/* Backups on demand, and those that deleted tables leave. */
#include "base/time.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "svc/dynamodb/backup.h"
#include "sys/rand.h"

#define LIST_MAX 100
#define SYSTEM_DAYS 35

static str backup_arn(arena *mem, const dynamodb_backup *b)
{
	return arena_fmt(mem, "%.*s/backup/%.*s", STR_ARG(b->Table->TableArn), STR_ARG(b->Id));
}

static err backup_find(req *rq, const txn *tx, str arn, dynamodb_backup **b)
{
	size_t slash = arn.n;
	while (slash > 0 && arn.p[slash - 1] != '/')
		slash--;
	*b = dynamodb_backup_get(tx, rq->mem, rq->who.account, rq->region, str_sub(arn, slash, arn.n));
	return *b && str_eq(arn, backup_arn(rq->mem, *b)) ? OK :
	       fail(rq, &dynamodb_BackupNotFoundException, "Backup not found: %.*s", STR_ARG(arn));
}

/* Times sort as text. */
static str id_new(req *rq)
{
	return arena_fmt(rq->mem, "%014lld-%08llx", (long long)rq->now, (unsigned long long)rand_u64() >> 32);
}

static void bill(txn *tx, arena *mem, const dynamodb_backup *b, int64_t now, int64_t bytes)
{
	resident_set(tx, b->Account, b->Region, now, &DYNAMODB_BACKUP, backup_arn(mem, b), bytes);
}

static dynamodb_backup *backup_new(req *rq, txn *tx, const dynamodb_table *r, const ddb_table *t, str name,
                                   str type)
{
	dynamodb_backup *b = arena_new(rq->mem, dynamodb_backup);
	const dynamodb_TableDescription *d = ddb_describe(rq, tx, r, t);
	*b = (dynamodb_backup){ .Account = t->account, .Region = t->region, .Id = id_new(rq), .Name = name,
		.TableName = t->name, .Type = type, .Status = dynamodb_BackupStatus_CREATING, .Created = rq->now,
		.Table = (dynamodb_TableDescription *)d, .TtlAttribute = r->TtlAttribute,
		.Bytes = d->TableSizeBytes.v };
	return b;
}

static dynamodb_BackupDetails *details(req *rq, const dynamodb_backup *b)
{
	dynamodb_BackupDetails *d = arena_new(rq->mem, dynamodb_BackupDetails);
	*d = (dynamodb_BackupDetails){ .BackupArn = backup_arn(rq->mem, b), .BackupName = b->Name,
		.BackupSizeBytes = I64(b->Bytes), .BackupStatus = b->Status, .BackupType = b->Type,
		.BackupCreationDateTime = TIME(b->Created) };
	if (b->Expires)
		d->BackupExpiryDateTime = TIME(b->Expires);
	return d;
}

err dynamodb_CreateBackup(req *rq, txn *tx, const dynamodb_CreateBackup_in *in,
                          dynamodb_CreateBackup_out *out)
{
	str name;
	ddb_tally tally;
	TRY(ddb_name(rq, in->TableName, &name));
	const dynamodb_table *r = dynamodb_table_get(tx, rq->mem, rq->who.account, rq->region, name);
	const ddb_table *t = r ? ddb_head_get(tx, rq->mem, r->Account, r->Region, r->TableName) : NULL;
	if (!t)
		return fail(rq, &dynamodb_TableNotFoundException, "Table not found: %.*s", STR_ARG(name));
	dynamodb_backup *b = backup_new(rq, tx, r, t, in->BackupName, dynamodb_BackupType_USER);
	int64_t copy = (int64_t)txn_next(tx, S("dynamodb.copy"));
	b->Prefix = ddb_copy_prefix(rq->mem, copy);
	b->Number = copy;
	out->BackupDetails = details(rq, b);
	ddb_tally_get(tx, rq->mem, t, &tally);
	dynamodb_backup_put(tx, b);
	if (ddb_copied_at_once(&tally)) {
		for (ddb_copying c = { .table = t->id, .when = rq->now, .rows = b->Prefix }; !c.undoing;)
			ddb_copy_step(tx, rq->mem, &c, (size_t)tally.table.items + 1);
		ddb_backup_done(tx, rq->mem, b->Account, b->Region, b->Id);
		return OK;
	}
	ddb_copy_later(tx, &(dynamodb_copy){ .Number = copy, .Kind = S("backup"), .Account = t->account,
		.Region = t->region, .Source = t->name, .SourceId = (int64_t)t->id, .When = rq->now,
		.Target = b->Id });
	return OK;
}

void ddb_backup_done(txn *tx, arena *mem, str account, str region, str id)
{
	dynamodb_backup *b = dynamodb_backup_get(tx, mem, account, region, id);
	if (!b)
		return;
	b->Status = dynamodb_BackupStatus_AVAILABLE;
	dynamodb_backup_put(tx, b);
	bill(tx, mem, b, b->Created, b->Bytes);
}

err ddb_backup_deleted(req *rq, txn *tx, const dynamodb_table *r, const ddb_table *t, bool *taken)
{
	dynamodb_recovery *recovery;
	if (ddb_copy_of(tx, rq->mem, t->id))
		return fail(rq, &dynamodb_ResourceInUseException, "Table is being backed up or exported: %.*s",
		            STR_ARG(t->name));
	*taken = ddb_recovery_on(tx, rq->mem, t, &recovery);
	if (*taken) {
		str name = arena_fmt(rq->mem, "%.*s$DeletedTableBackup", STR_ARG(t->name));
		dynamodb_backup *b = backup_new(rq, tx, r, t, name, dynamodb_BackupType_SYSTEM);
		b->Prefix = ddb_index_prefix(rq->mem, t->id, 0);
		b->Status = dynamodb_BackupStatus_AVAILABLE;
		b->Expires = rq->now + SYSTEM_DAYS * MS_DAY;
		dynamodb_backup_put(tx, b);
		str key = arena_fmt(rq->mem, "%.*s %.*s %.*s", STR_ARG(b->Account), STR_ARG(b->Region),
		                    STR_ARG(b->Id));
		timer_set(tx, "ddb_backup_expire", key, b->Expires, key);
	}
	ddb_recovery_end(rq, tx, t);
	return OK;
}

static void drop(txn *tx, arena *mem, const dynamodb_backup *b, int64_t now)
{
	bill(tx, mem, b, now, 0);
	ddb_purge(tx, b->Prefix);
	dynamodb_backup_delete(tx, b->Account, b->Region, b->Id);
}

TIMER(ddb_backup_expire)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const dynamodb_backup *b = dynamodb_backup_get(tx, mem, account, region, rest);
	if (b)
		drop(tx, mem, b, due);
}

static dynamodb_BackupDescription *describe(req *rq, const dynamodb_backup *b)
{
	const dynamodb_TableDescription *t = b->Table;
	bool on_demand = t->BillingModeSummary &&
	                 str_eq(t->BillingModeSummary->BillingMode, S("PAY_PER_REQUEST"));
	dynamodb_BackupDescription *d = arena_new(rq->mem, dynamodb_BackupDescription);
	dynamodb_SourceTableDetails *s = arena_new(rq->mem, dynamodb_SourceTableDetails);
	dynamodb_SourceTableFeatureDetails *f = arena_new(rq->mem, dynamodb_SourceTableFeatureDetails);
	dynamodb_ProvisionedThroughput *p = arena_new(rq->mem, dynamodb_ProvisionedThroughput);
	p->ReadCapacityUnits = t->ProvisionedThroughput->ReadCapacityUnits;
	p->WriteCapacityUnits = t->ProvisionedThroughput->WriteCapacityUnits;
	*s = (dynamodb_SourceTableDetails){ .TableName = t->TableName, .TableId = t->TableId,
		.TableArn = t->TableArn, .TableSizeBytes = t->TableSizeBytes, .KeySchema = t->KeySchema,
		.TableCreationDateTime = t->CreationDateTime, .ProvisionedThroughput = p, .ItemCount = t->ItemCount,
		.OnDemandThroughput = t->OnDemandThroughput,
		.BillingMode = on_demand ? S("PAY_PER_REQUEST") : S("PROVISIONED") };
	f->StreamDescription = t->StreamSpecification;
	f->SSEDescription = t->SSEDescription;
	if (b->TtlAttribute.n) {
		f->TimeToLiveDescription = arena_new(rq->mem, dynamodb_TimeToLiveDescription);
		*f->TimeToLiveDescription =
			(dynamodb_TimeToLiveDescription){ .TimeToLiveStatus = S("ENABLED"),
			                                  .AttributeName = b->TtlAttribute };
	}
	size_t n = t->GlobalSecondaryIndexes.n, m = t->LocalSecondaryIndexes.n;
	f->GlobalSecondaryIndexes.v = n ? arena_array(rq->mem, dynamodb_GlobalSecondaryIndexInfo, n) : NULL;
	for (size_t i = 0; i < n; i++) {
		const dynamodb_GlobalSecondaryIndexDescription *x = &t->GlobalSecondaryIndexes.v[i];
		f->GlobalSecondaryIndexes.v[f->GlobalSecondaryIndexes.n++] = (dynamodb_GlobalSecondaryIndexInfo){
			.IndexName = x->IndexName, .KeySchema = x->KeySchema, .Projection = x->Projection };
	}
	f->LocalSecondaryIndexes.v = m ? arena_array(rq->mem, dynamodb_LocalSecondaryIndexInfo, m) : NULL;
	for (size_t i = 0; i < m; i++) {
		const dynamodb_LocalSecondaryIndexDescription *x = &t->LocalSecondaryIndexes.v[i];
		f->LocalSecondaryIndexes.v[f->LocalSecondaryIndexes.n++] =
			(dynamodb_LocalSecondaryIndexInfo){ x->IndexName, x->KeySchema, x->Projection };
	}
	*d = (dynamodb_BackupDescription){ details(rq, b), s, f };
	return d;
}

err dynamodb_DescribeBackup(req *rq, const txn *tx, const dynamodb_DescribeBackup_in *in,
                            dynamodb_DescribeBackup_out *out)
{
	dynamodb_backup *b;
	TRY(backup_find(rq, tx, in->BackupArn, &b));
	out->BackupDescription = describe(rq, b);
	return OK;
}

err dynamodb_DeleteBackup(req *rq, txn *tx, const dynamodb_DeleteBackup_in *in,
                          dynamodb_DeleteBackup_out *out)
{
	dynamodb_backup *b;
	TRY(backup_find(rq, tx, in->BackupArn, &b));
	if (str_eq(b->Status, dynamodb_BackupStatus_CREATING) || b->Readers)
		return fail(rq, &dynamodb_BackupInUseException, "Backup is in use: %.*s", STR_ARG(in->BackupArn));
	drop(tx, rq->mem, b, rq->now);
	b->Status = dynamodb_BackupStatus_DELETED;
	out->BackupDescription = describe(rq, b);
	return OK;
}

static bool wanted(const dynamodb_ListBackups_in *in, const dynamodb_backup *b, str table)
{
	return (!table.n || str_eq(b->TableName, table)) &&
	       (!in->BackupType.n || str_eq(in->BackupType, S("ALL")) || str_eq(in->BackupType, b->Type)) &&
	       (!in->TimeRangeLowerBound.set || b->Created >= in->TimeRangeLowerBound.v) &&
	       (!in->TimeRangeUpperBound.set || b->Created < in->TimeRangeUpperBound.v);
}

err dynamodb_ListBackups(req *rq, const txn *tx, const dynamodb_ListBackups_in *in,
                         dynamodb_ListBackups_out *out)
{
	str table = STR_NONE;
	dynamodb_backup *after;
	size_t most = in->Limit.set ? (size_t)in->Limit.v : LIST_MAX;
	if (str_is(in->TableName))
		TRY(ddb_name(rq, in->TableName, &table));
	record_scan s = dynamodb_backup_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(in->ExclusiveStartBackupArn)) {
		TRY(backup_find(rq, tx, in->ExclusiveStartBackupArn, &after));
		record_scan_after(&s, after->Id);
	}
	out->BackupSummaries.v = arena_array(rq->mem, dynamodb_BackupSummary, most);
	for (const dynamodb_backup *b; (b = dynamodb_backup_next(&s));) {
		if (!wanted(in, b, table))
			continue;
		if (out->BackupSummaries.n == most) {
			out->LastEvaluatedBackupArn = out->BackupSummaries.v[most - 1].BackupArn;
			break;
		}
		dynamodb_BackupSummary *to = &out->BackupSummaries.v[out->BackupSummaries.n++];
		*to = (dynamodb_BackupSummary){ .TableName = b->TableName, .TableId = b->Table->TableId,
			.TableArn = b->Table->TableArn, .BackupArn = backup_arn(rq->mem, b), .BackupName = b->Name,
			.BackupCreationDateTime = TIME(b->Created), .BackupStatus = b->Status, .BackupType = b->Type,
			.BackupSizeBytes = I64(b->Bytes) };
		if (b->Expires)
			to->BackupExpiryDateTime = TIME(b->Expires);
	}
	cursor_close(&s.at);
	return OK;
}

err dynamodb_RestoreTableFromBackup(req *rq, txn *tx, const dynamodb_RestoreTableFromBackup_in *in,
                                    dynamodb_RestoreTableFromBackup_out *out)
{
	dynamodb_backup *b;
	ddb_table *t;
	TRY(backup_find(rq, tx, in->BackupArn, &b));
	if (str_eq(b->Status, dynamodb_BackupStatus_CREATING))
		return fail(rq, &dynamodb_BackupInUseException, "Backup is being created: %.*s",
		            STR_ARG(in->BackupArn));
	ddb_restoring r = { .target = in->TargetTableName, .billing_mode = in->BillingModeOverride,
		.from = b->Table, .globals = &in->GlobalSecondaryIndexOverride,
		.locals = &in->LocalSecondaryIndexOverride, .throughput = in->ProvisionedThroughputOverride,
		.on_demand = in->OnDemandThroughputOverride, .sse = in->SSESpecificationOverride,
		.backup_arn = in->BackupArn, .table_arn = b->Table->TableArn, .when = b->Created };
	TRY(ddb_restore_begin(rq, tx, &r, &t));
	ddb_restore_billed(rq, t, b->Bytes);
	ddb_tally size = { .table = { b->Table->ItemCount.v, b->Bytes } };
	if (ddb_copied_at_once(&size)) {
		for (ddb_filling f = { .rows = b->Prefix }; !f.done;)
			ddb_fill_step(tx, rq->mem, &f, t, rq->now, (size_t)size.table.items + 1);
		ddb_restore_end(tx, rq->mem, t);
	} else {
		b->Readers++;
		dynamodb_backup_put(tx, b);
		ddb_copy_later(tx, &(dynamodb_copy){ .Number = (int64_t)txn_next(tx, S("dynamodb.copy")),
			.Kind = S("restore"), .Account = t->account, .Region = t->region, .Source = b->Id,
			.Target = ddb_payload(rq->mem, t), .When = rq->now });
	}
	return ddb_restore_describe(rq, tx, in->TargetTableName, &out->TableDescription);
}
