#include "base/time.h"
#include "rds.h"
#include "store/due.h"

str db_automated_backup_arn(req *rq, str resource)
{
	return req_arn(rq, "rds", "auto-backup:%.*s", STR_ARG(resource));
}

int64_t db_latest_restorable(const rds_instance *i, int64_t now)
{
	bool stopped = str_eq(i->It->DBInstanceStatus, S("stopped"));
	int64_t at = stopped && i->It->LatestRestorableTime.set ? i->It->LatestRestorableTime.v : now;
	return at - at % MS_SECOND;
}

static rds_DBInstanceAutomatedBackup *described(arena *mem, const rds_instance *i, const char *status,
                                                int64_t from, int64_t until)
{
	const rds_DBInstance *it = i->It;
	rds_DBInstanceAutomatedBackup *b = arena_new(mem, rds_DBInstanceAutomatedBackup);
	rds_RestoreWindow *w = arena_new(mem, rds_RestoreWindow);
	*w = (rds_RestoreWindow){ .EarliestTime = TIME(from), .LatestTime = TIME(until) };
	*b = (rds_DBInstanceAutomatedBackup){
		.DBInstanceArn = it->DBInstanceArn,
		.DbiResourceId = it->DbiResourceId,
		.Region = i->Region,
		.DBInstanceIdentifier = i->Id,
		.RestoreWindow = w,
		.AllocatedStorage = it->AllocatedStorage,
		.Status = str_c(status),
		.Port = it->Endpoint ? it->Endpoint->Port : (opt_i64){ 0 },
		.AvailabilityZone = it->AvailabilityZone,
		.VpcId = it->DBSubnetGroup ? it->DBSubnetGroup->VpcId : STR_NONE,
		.InstanceCreateTime = it->InstanceCreateTime,
		.MasterUsername = it->MasterUsername,
		.Engine = it->Engine,
		.EngineVersion = it->EngineVersion,
		.LicenseModel = it->LicenseModel,
		.Iops = it->Iops,
		.StorageThroughput = it->StorageThroughput,
		.OptionGroupName =
			it->OptionGroupMemberships.n ? it->OptionGroupMemberships.v[0].OptionGroupName : STR_NONE,
		.Encrypted = it->StorageEncrypted,
		.StorageType = it->StorageType,
		.KmsKeyId = it->KmsKeyId,
		.IAMDatabaseAuthenticationEnabled = BOOL(false),
		.BackupRetentionPeriod = it->BackupRetentionPeriod,
		.PreferredBackupWindow = it->PreferredBackupWindow,
		.DBInstanceAutomatedBackupsArn =
			arena_fmt(mem, "arn:aws:rds:%.*s:%.*s:auto-backup:%.*s", STR_ARG(i->Region), STR_ARG(i->Account),
		              STR_ARG(it->DbiResourceId)),
		.BackupTarget = S("region"),
		.TagList = it->TagList,
	};
	return b;
}

/* When the oldest automated backup of it was taken. */
static int64_t earliest(const txn *tx, arena *mem, const rds_instance *i, int64_t none)
{
	int64_t oldest = none;
	record_scan s = rds_snapshot_scan(tx, mem, 2, i->Account, i->Region, STR_NONE);
	for (rds_snapshot *r; (r = rds_snapshot_next(&s));)
		if (str_eq(r->It->SnapshotType, S("automated")) && r->It->SnapshotCreateTime.v < oldest
		    && str_eq(r->It->DbiResourceId, i->It->DbiResourceId))
			oldest = r->It->SnapshotCreateTime.v;
	return oldest;
}

void db_automated_backup_keep(txn *tx, arena *mem, const rds_instance *i, int64_t now)
{
	rds_automated_backup b = { .Account = i->Account,
		                       .Region = i->Region,
		                       .Resource = i->It->DbiResourceId,
		                       .It = described(mem, i, "retained", earliest(tx, mem, i, now), now) };
	rds_automated_backup_put(tx, &b);
	str place = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(b.Account), STR_ARG(b.Region), STR_ARG(b.Resource));
	timer_set(tx, "rds_retained", place, now + i->It->BackupRetentionPeriod.v * MS_DAY, place);
}

TIMER(rds_retained)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	rds_automated_backup *b = rds_automated_backup_get(tx, mem, account, region, rest);
	if (b)
		db_automated_backup_drop(tx, mem, b);
	db_bill_snapshots(tx, account, region, due);
}

rds_automated_backup *db_automated_backup_find(req *rq, const txn *tx, str resource, str arn)
{
	str prefix = db_automated_backup_arn(rq, S(""));
	if (str_is(arn) && str_starts(arn, prefix))
		resource = str_sub(arn, prefix.n, arn.n);
	return str_is(resource) ? rds_automated_backup_get(tx, rq->mem, rq->who.account, rq->region, resource)
							: NULL;
}

static bool asked(const rds_DescribeDBInstanceAutomatedBackups_in *in, const rds_DBInstanceAutomatedBackup *b)
{
	return (!str_is(in->DbiResourceId) || str_eq_nocase(in->DbiResourceId, b->DbiResourceId))
		&& (!str_is(in->DBInstanceIdentifier)
	        || str_eq_nocase(in->DBInstanceIdentifier, b->DBInstanceIdentifier))
		&& (!str_is(in->DBInstanceAutomatedBackupsArn)
	        || str_eq(in->DBInstanceAutomatedBackupsArn, b->DBInstanceAutomatedBackupsArn))
		&& db_filter_has(&in->Filters, "status", b->Status)
		&& db_filter_has(&in->Filters, "db-instance-id", b->DBInstanceIdentifier)
		&& db_filter_has(&in->Filters, "dbi-resource-id", b->DbiResourceId);
}

/* The active ones are the instances that have backups; in one page: there are never many. */
err rds_DescribeDBInstanceAutomatedBackups(req *rq, const txn *tx,
                                           const rds_DescribeDBInstanceAutomatedBackups_in *in,
                                           rds_DescribeDBInstanceAutomatedBackups_out *out)
{
	static const char *const filters[] = { "status", "db-instance-id", "dbi-resource-id", NULL };
	TRY(db_filters_known(rq, &in->Filters, filters));
	rds_DBInstanceAutomatedBackup *all =
		arena_array(rq->mem, rds_DBInstanceAutomatedBackup, BACKUPS_SHOWN_MAX);
	size_t n = 0;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; n < BACKUPS_SHOWN_MAX && (i = rds_instance_next(&s));) {
		if (!i->It->BackupRetentionPeriod.v || !i->It->InstanceCreateTime.set
		    || str_is(i->It->DBClusterIdentifier))
			continue;
		all[n] = *described(rq->mem, i, "active", earliest(tx, rq->mem, i, i->It->InstanceCreateTime.v),
		                    db_latest_restorable(i, rq->now));
		n += asked(in, &all[n]);
	}
	cursor_close(&s.at);
	record_scan t = rds_automated_backup_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_automated_backup *b; n < BACKUPS_SHOWN_MAX && (b = rds_automated_backup_next(&t));) {
		all[n] = *b->It;
		n += asked(in, &all[n]);
	}
	cursor_close(&t.at);
	bool one = str_is(in->DbiResourceId) || str_is(in->DBInstanceAutomatedBackupsArn);
	if (one && n == 0)
		return fail(rq, &rds_DBInstanceAutomatedBackupNotFoundFault, "DBInstanceAutomatedBackup not found.");
	out->DBInstanceAutomatedBackups = (rds_DBInstanceAutomatedBackupList){ all, n };
	return OK;
}

err rds_DeleteDBInstanceAutomatedBackup(req *rq, txn *tx, const rds_DeleteDBInstanceAutomatedBackup_in *in,
                                        rds_DeleteDBInstanceAutomatedBackup_out *out)
{
	rds_automated_backup *b =
		db_automated_backup_find(rq, tx, in->DbiResourceId, in->DBInstanceAutomatedBackupsArn);
	if (!b)
		return fail(rq, &rds_DBInstanceAutomatedBackupNotFoundFault, "DBInstanceAutomatedBackup not found.");
	db_automated_backup_drop(tx, rq->mem, b);
	db_bill_snapshots(tx, b->Account, b->Region, rq->now);
	b->It->Status = S("deleting");
	out->DBInstanceAutomatedBackup = b->It;
	return OK;
}

err rds_DescribeDBClusterAutomatedBackups(req *rq, const txn *tx,
                                          const rds_DescribeDBClusterAutomatedBackups_in *in,
                                          rds_DescribeDBClusterAutomatedBackups_out *out)
{
	rds_DBClusterAutomatedBackup *all = arena_array(rq->mem, rds_DBClusterAutomatedBackup, BACKUPS_SHOWN_MAX);
	size_t n = 0;
	record_scan s = rds_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_cluster *c; n < BACKUPS_SHOWN_MAX && (c = rds_cluster_next(&s));) {
		const rds_DBCluster *it = c->It;
		if ((str_is(in->DbClusterResourceId) && !str_eq(in->DbClusterResourceId, it->DbClusterResourceId))
		    || (str_is(in->DBClusterIdentifier) && !str_eq_nocase(in->DBClusterIdentifier, c->Id))
		    || !c->Filled)
			continue;
		rds_RestoreWindow *w = arena_new(rq->mem, rds_RestoreWindow);
		*w = (rds_RestoreWindow){ .EarliestTime = it->EarliestRestorableTime, .LatestTime = TIME(rq->now) };
		all[n++] = (rds_DBClusterAutomatedBackup){
			.Engine = it->Engine,
			.EngineVersion = it->EngineVersion,
			.DBClusterAutomatedBackupsArn =
				req_arn(rq, "rds", "cluster-auto-backup:%.*s", STR_ARG(it->DbClusterResourceId)),
			.DBClusterIdentifier = c->Id,
			.DBClusterArn = it->DBClusterArn,
			.RestoreWindow = w,
			.MasterUsername = it->MasterUsername,
			.DbClusterResourceId = it->DbClusterResourceId,
			.Region = c->Region,
			.LicenseModel = S("postgresql-license"),
			.Status = S("active"),
			.ClusterCreateTime = it->ClusterCreateTime,
			.StorageEncrypted = it->StorageEncrypted,
			.AllocatedStorage = it->AllocatedStorage,
			.BackupRetentionPeriod = it->BackupRetentionPeriod,
			.PreferredBackupWindow = it->PreferredBackupWindow,
			.EngineMode = it->EngineMode,
			.AvailabilityZones = it->AvailabilityZones,
			.Port = it->Port,
			.KmsKeyId = it->KmsKeyId,
			.StorageType = S("aurora"),
		};
	}
	cursor_close(&s.at);
	out->DBClusterAutomatedBackups = (rds_DBClusterAutomatedBackupList){ all, n };
	return OK;
}
