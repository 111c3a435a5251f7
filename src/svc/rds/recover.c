#include "base/time.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

#define SAME_CLOCK_MS 50
#define LOG_MARGIN_MS MS_HOUR /* a backup begins before it ends */

str db_archive_of(arena *a, str resource_id) { return arena_concat(a, S("wal-"), resource_id); }

str db_moment(arena *a, int64_t real_ms)
{
	str iso = time_iso_ms(a, real_ms); /* its Z is not understood there */
	return real_ms ? arena_fmt(a, "%.*s+00", (int)iso.n - 1, iso.p) : STR_NONE;
}

static bool note_clock(void *context, txn *tx)
{
	rds_clock_mark m = { .At = clock_now(), .Real = clock_real() };
	rds_clock_mark_put(tx, &m);
	return context == NULL;
}

void db_clock_look(store *s)
{
	static int64_t known;
	static bool any;
	int64_t offset = clock_offset(), apart = offset - known;
	if (any && apart < SAME_CLOCK_MS && apart > -SAME_CLOCK_MS)
		return;
	any = !store_write(s, note_clock, NULL);
	known = offset;
}

/* PostgreSQL counts in real time. A moment that was leapt over is the one of the leap. */
static int64_t real_of(const txn *tx, arena *mem, int64_t at)
{
	int64_t offset = clock_offset(), leapt = clock_real();
	record_scan s = rds_clock_mark_scan(tx, mem, 0, 0);
	for (rds_clock_mark *m; (m = rds_clock_mark_next(&s));) {
		if (m->At > at) {
			leapt = m->Real;
			break;
		}
		offset = m->At - m->Real;
	}
	cursor_close(&s.at);
	int64_t real = at - offset;
	return real < leapt ? real : leapt;
}

/* What is asked for: the moment on the real clock, 0 for the last one there is. */
static err moment_of(req *rq, const txn *tx, opt_time given, bool latest, int64_t newest, int64_t *real)
{
	*real = 0;
	if (given.set && latest)
		return fail(rq, &rds_InvalidParameterCombination,
		            "A restore time can't be specified together with UseLatestRestorableTime.");
	if (!given.set && !latest)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Either a restore time or UseLatestRestorableTime must be specified.");
	if (latest)
		return OK;
	if (given.v > newest)
		return fail(rq, &rds_InvalidParameterValue,
		            "The specified restore time is after the latest restorable time %.*s.",
		            STR_ARG(time_iso(rq->mem, newest)));
	*real = real_of(tx, rq->mem, given.v);
	return OK;
}

static err too_early(req *rq)
{
	return fail(rq, &rds_InvalidRestoreFault,
	            "There is no automated backup from before the specified restore time.");
}

static err no_log(req *rq)
{
	return fail(rq, &aws_NotImplemented,
	            "Restoring an engine for MySQL to another moment than the latest of an existing source is "
	            "not implemented: restore a snapshot.");
}

/* The newest backup from before the moment. */
static rds_snapshot *base_of(const txn *tx, arena *mem, str account, str region, str resource, int64_t real)
{
	rds_snapshot *best = NULL;
	record_scan s = rds_snapshot_scan(tx, mem, 2, account, region, STR_NONE);
	for (rds_snapshot *r; (r = rds_snapshot_next(&s));)
		if (str_eq(r->It->DbiResourceId, resource) && str_eq(r->It->SnapshotType, S("automated")) && r->Ended
		    && str_eq(r->It->Status, S("available")) && (!real || r->Ended <= real)
		    && (!best || r->Ended > best->Ended))
			best = r;
	return best;
}

static rds_cluster_snapshot *cluster_base_of(const txn *tx, arena *mem, const rds_cluster *c, int64_t real)
{
	rds_cluster_snapshot *best = NULL;
	record_scan s = rds_cluster_snapshot_scan(tx, mem, 2, c->Account, c->Region, STR_NONE);
	for (rds_cluster_snapshot *r; (r = rds_cluster_snapshot_next(&s));)
		if (str_eq(r->It->DbClusterResourceId, c->It->DbClusterResourceId) && r->Ended
		    && str_eq(r->It->SnapshotType, S("automated")) && str_eq(r->It->Status, S("available"))
		    && (!real || r->Ended <= real) && (!best || r->Ended > best->Ended))
			best = r;
	return best;
}

static str running_at(arena *a, str folder, int64_t port)
{
	return arena_fmt(a, "%.*s %lld", STR_ARG(folder), (long long)port);
}

void db_archives_trim(arena *mem, str archive, int64_t oldest_ended)
{
	postgres_archive_drop(mem, db_engines_root(), archive, oldest_ended - LOG_MARGIN_MS);
}

/* Instances that are gone but whose backups are kept have a row of their own. */
static err source_of(req *rq, const txn *tx, const rds_RestoreDBInstanceToPointInTime_in *in, str *resource,
                     rds_instance **i, int64_t *newest)
{
	*i = NULL;
	str wanted = in->SourceDbiResourceId, arn = in->SourceDBInstanceAutomatedBackupsArn;
	if (str_is(in->SourceDBInstanceIdentifier)) {
		TRY(db_instance_find(rq, tx, in->SourceDBInstanceIdentifier, i));
		wanted = (*i)->It->DbiResourceId;
	}
	if (!str_is(wanted) && !str_is(arn))
		return fail(
			rq, &rds_InvalidParameterCombination,
			"SourceDBInstanceIdentifier, SourceDbiResourceId or SourceDBInstanceAutomatedBackupsArn is "
			"required.");
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *r; !*i && (r = rds_instance_next(&s));)
		if (str_is(arn) ? str_eq(arn, db_automated_backup_arn(rq, r->It->DbiResourceId))
		                : str_eq(wanted, r->It->DbiResourceId))
			*i = r;
	cursor_close(&s.at);
	if (*i) {
		*resource = (*i)->It->DbiResourceId;
		*newest = db_latest_restorable(*i, rq->now);
		return OK;
	}
	rds_automated_backup *kept = db_automated_backup_find(rq, tx, wanted, arn);
	if (!kept)
		return fail(rq, &rds_DBInstanceAutomatedBackupNotFoundFault, "DBInstanceAutomatedBackup not found.");
	*resource = kept->Resource;
	*newest = kept->It->RestoreWindow->LatestTime.v;
	return OK;
}

static rds_RestoreDBInstanceFromDBSnapshot_in like(const rds_RestoreDBInstanceToPointInTime_in *in,
                                                   const rds_instance *i)
{
	return (rds_RestoreDBInstanceFromDBSnapshot_in){
		.DBInstanceIdentifier = in->TargetDBInstanceIdentifier,
		.DBInstanceClass = str_is(in->DBInstanceClass) ? in->DBInstanceClass
			: i                                        ? i->It->DBInstanceClass
													   : STR_NONE,
		.Port = in->Port,
		.AvailabilityZone = in->AvailabilityZone,
		.DBSubnetGroupName = in->DBSubnetGroupName,
		.MultiAZ = in->MultiAZ,
		.PubliclyAccessible = in->PubliclyAccessible,
		.AutoMinorVersionUpgrade = in->AutoMinorVersionUpgrade,
		.Iops = in->Iops,
		.StorageThroughput = in->StorageThroughput,
		.StorageType = in->StorageType,
		.CopyTagsToSnapshot = in->CopyTagsToSnapshot,
		.Tags = in->Tags,
		.VpcSecurityGroupIds = in->VpcSecurityGroupIds,
		.DBParameterGroupName = in->DBParameterGroupName,
		.OptionGroupName = in->OptionGroupName,
		.DeletionProtection = in->DeletionProtection,
		.AllocatedStorage = in->AllocatedStorage,
		.BackupRetentionPeriod = in->BackupRetentionPeriod,
		.EnableIAMDatabaseAuthentication = in->EnableIAMDatabaseAuthentication,
	};
}

err rds_RestoreDBInstanceToPointInTime(req *rq, txn *tx, const rds_RestoreDBInstanceToPointInTime_in *in,
                                       rds_RestoreDBInstanceToPointInTime_out *out)
{
	rds_instance *source, *i;
	str resource = STR_NONE;
	int64_t real, newest = 0;
	TRY(source_of(rq, tx, in, &resource, &source, &newest));
	if (source && str_is(source->It->DBClusterIdentifier))
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            "The instance %.*s is a member of a DB cluster: restore the cluster.",
		            STR_ARG(source->Id));
	if (source && !source->It->BackupRetentionPeriod.v)
		return fail(rq, &rds_PointInTimeRestoreNotEnabledFault,
		            "Point in time restore is not enabled for the instance %.*s.", STR_ARG(source->Id));
	TRY(moment_of(rq, tx, in->RestoreTime, in->UseLatestRestorableTime.set && in->UseLatestRestorableTime.v,
	              newest, &real));
	if (real && source && db_engine_is_mysql(source->It->Engine))
		return no_log(rq);
	rds_snapshot *base = base_of(tx, rq->mem, rq->who.account, rq->region, resource, real);
	if (!base)
		return too_early(rq);
	if (!source && db_engine_is_mysql(base->It->Engine))
		return no_log(rq);
	rds_RestoreDBInstanceFromDBSnapshot_in from = like(in, source);
	if (source && source->It->AllocatedStorage.v > base->It->AllocatedStorage.v && !from.AllocatedStorage.set)
		from.AllocatedStorage = source->It->AllocatedStorage;
	TRY(db_instance_from_snapshot(rq, tx, base, &from, &i));
	i->RecoverFrom = db_archive_of(rq->mem, resource);
	i->RecoverUntil = real;
	if (source)
		i->RecoverOf = running_at(rq->mem, source->Folder, source->It->Endpoint->Port.v);
	db_instance_job(tx, i, S("creating"), S("restore"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

static rds_RestoreDBClusterFromSnapshot_in cluster_like(const rds_RestoreDBClusterToPointInTime_in *in,
                                                        const rds_cluster *c)
{
	bool same_network = !str_is(in->DBSubnetGroupName) && !str_eq(c->It->DBSubnetGroup, S("default"));
	return (rds_RestoreDBClusterFromSnapshot_in){
		.DBClusterIdentifier = in->DBClusterIdentifier,
		.Engine = c->It->Engine,
		.Port = in->Port.set ? in->Port : c->It->Port,
		.DBSubnetGroupName = same_network ? c->It->DBSubnetGroup : in->DBSubnetGroupName,
		.VpcSecurityGroupIds = in->VpcSecurityGroupIds,
		.Tags = in->Tags,
		.KmsKeyId = in->KmsKeyId,
		.DBClusterParameterGroupName = in->DBClusterParameterGroupName,
		.DeletionProtection = in->DeletionProtection,
		.CopyTagsToSnapshot = in->CopyTagsToSnapshot,
		.StorageType = str_is(in->StorageType) ? in->StorageType : c->It->StorageType,
		.EngineMode = in->EngineMode,
		.ServerlessV2ScalingConfiguration = in->ServerlessV2ScalingConfiguration,
		.EnableIAMDatabaseAuthentication = in->EnableIAMDatabaseAuthentication,
	};
}

err rds_RestoreDBClusterToPointInTime(req *rq, txn *tx, const rds_RestoreDBClusterToPointInTime_in *in,
                                      rds_RestoreDBClusterToPointInTime_out *out)
{
	rds_cluster *source, *c;
	int64_t real = 0;
	if (!str_is(in->SourceDBClusterIdentifier))
		return fail(rq, &rds_InvalidParameterCombination, "SourceDBClusterIdentifier is required.");
	TRY(db_cluster_find(rq, tx, in->SourceDBClusterIdentifier, &source));
	bool clone = str_eq(in->RestoreType, S("copy-on-write"));
	if (str_is(in->RestoreType) && !clone && !str_eq(in->RestoreType, S("full-copy")))
		return fail(rq, &rds_InvalidParameterValue, "Invalid restore type: %.*s", STR_ARG(in->RestoreType));
	if (!source->Filled)
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "The cluster %.*s has never had an instance: there is nothing to restore.",
		            STR_ARG(source->Id));
	bool latest = in->UseLatestRestorableTime.set && in->UseLatestRestorableTime.v;
	if (clone && in->RestoreToTime.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "RestoreToTime can't be specified when RestoreType is copy-on-write.");
	TRY(moment_of(rq, tx, in->RestoreToTime, latest || clone, rq->now, &real));
	if (real && db_engine_is_mysql(source->It->Engine))
		return no_log(rq);
	rds_cluster_snapshot *base = clone ? NULL : cluster_base_of(tx, rq->mem, source, real);
	if (!base && !clone)
		return too_early(rq);
	rds_RestoreDBClusterFromSnapshot_in from = cluster_like(in, source);
	TRY(db_cluster_from(rq, tx, base, source, &from, &c));
	c->RecoverOf = running_at(rq->mem, source->Folder, source->It->Port.v);
	if (!clone) {
		c->RecoverFrom = db_archive_of(rq->mem, source->It->DbClusterResourceId);
		c->RecoverUntil = real;
	}
	if (in->BackupRetentionPeriod.set)
		c->It->BackupRetentionPeriod = in->BackupRetentionPeriod;
	rds_cluster_put(tx, c);
	out->DBCluster = db_cluster_as_creating(rq, c);
	return OK;
}
