#include "base/digest.h"
#include "base/time.h"
#include "rds.h"
#include "store/due.h"
#include "sys/rand.h"

#define GP3_IOPS 3000
#define GP3_THROUGHPUT 125
#define GP3_LARGE_GIB 400
#define GP3_LARGE_IOPS 12000
#define GP3_LARGE_THROUGHPUT 500
#define CERTIFICATE_DAYS 365

str db_instance_arn(req *rq, str id)
{
	return req_arn(rq, "rds", "db:%.*s", STR_ARG(id));
}

err db_instance_find(req *rq, const txn *tx, str id, rds_instance **out)
{
	str prefix = db_instance_arn(rq, S(""));
	if (str_starts(id, prefix))
		id = str_sub(id, prefix.n, id.n);
	*out = rds_instance_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, id));
	if (!*out)
		return fail(rq, &rds_DBInstanceNotFoundFault, "DBInstance %.*s not found.", STR_ARG(id));
	return OK;
}

err db_instance_ready(req *rq, const rds_instance *i)
{
	str status = i->It->DBInstanceStatus;
	if (!str_empty(i->Job) || !(str_eq(status, S("available")) || str_eq(status, S("storage-full"))))
		return fail(rq, &rds_InvalidDBInstanceStateFault, "Instance %.*s is not in available state.",
		            STR_ARG(i->Id));
	return OK;
}

rds_DBInstance *db_instance_shown(req *rq, const rds_instance *i)
{
	rds_DBInstance *it = i->It;
	if (!it->InstanceCreateTime.set)
		it->Endpoint = NULL;
	if (it->BackupRetentionPeriod.v && it->InstanceCreateTime.set && !str_is(it->DBClusterIdentifier))
		it->LatestRestorableTime = TIME(db_latest_restorable(i, rq->now));
	if (!it->PendingModifiedValues)
		it->PendingModifiedValues = arena_new(rq->mem, rds_PendingModifiedValues);
	return it;
}

err db_instance_network(req *rq, const txn *tx, const instance_facts *f, rds_DBInstance *it)
{
	rds_DBSubnetGroup *g = NULL;
	if (str_is(f->subnet_group) && !str_eq(f->subnet_group, S("default"))) {
		rds_subnet_group *row = rds_subnet_group_get(tx, rq->mem, rq->who.account, rq->region,
		                                             db_lowered(rq, f->subnet_group));
		if (!row)
			return fail(rq, &rds_DBSubnetGroupNotFoundFault, "DBSubnetGroup '%.*s' not found.",
			            STR_ARG(f->subnet_group));
		g = row->It;
	} else {
		g = arena_new(rq->mem, rds_DBSubnetGroup);
		*g = (rds_DBSubnetGroup){ .DBSubnetGroupName = S("default"),
			                      .DBSubnetGroupDescription = S("default"),
			                      .VpcId = db_network_id(rq, "vpc", "default"),
			                      .SubnetGroupStatus = S("Complete") };
	}
	it->DBSubnetGroup = g;
	it->PubliclyAccessible = f->public.set ? f->public : BOOL(!str_is(f->subnet_group));
	it->VpcSecurityGroups = db_security_groups(rq, f->groups);
	return OK;
}

void db_instance_disk(rds_DBInstance *it, int64_t gib, opt_i64 iops, opt_i64 throughput)
{
	bool gp3 = str_eq(it->StorageType, S("gp3")), large = gib >= GP3_LARGE_GIB;
	it->AllocatedStorage = I64(gib);
	it->Iops = iops.set ? iops : gp3 ? I64(large ? GP3_LARGE_IOPS : GP3_IOPS) : (opt_i64){ 0 };
	it->StorageThroughput = throughput.set ? throughput :
	                        gp3            ? I64(large ? GP3_LARGE_THROUGHPUT : GP3_THROUGHPUT) :
	                                         I64(0);
}

static str window_of(req *rq, str id, bool week)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	unsigned h = (unsigned)str_hash(id), minute = h % 48 * 10, end = minute + 30;
	const char *day = days[h / 48 % 7];
	if (!week)
		return arena_fmt(rq->mem, "%02u:%02u-%02u:%02u", 3 + minute / 60, minute % 60, 3 + end / 60,
		                 end % 60);
	/* From 03:00 to 23:00, away from the other. */
	minute = (minute + 720) % 1200;
	end = minute + 30;
	return arena_fmt(rq->mem, "%s:%02u:%02u-%s:%02u:%02u", day, 3 + minute / 60, minute % 60, day,
	                 3 + end / 60, end % 60);
}

static void group_names(req *rq, const instance_facts *f, rds_DBInstance *it)
{
	str family = db_version_family(rq->mem, f->engine, f->version);
	rds_DBParameterGroupStatus *g = arena_new(rq->mem, rds_DBParameterGroupStatus);
	str name = str_is(f->parameter_group) ? db_lowered(rq, f->parameter_group) :
	                                        arena_concat(rq->mem, S("default."), family);
	*g = (rds_DBParameterGroupStatus){ .DBParameterGroupName = name, .ParameterApplyStatus = S("in-sync") };
	it->DBParameterGroups = (rds_DBParameterGroupStatusList){ g, 1 };
	rds_OptionGroupMembership *o = arena_new(rq->mem, rds_OptionGroupMembership);
	*o = (rds_OptionGroupMembership){
		.OptionGroupName =
			db_option_group_default(rq->mem, f->engine, db_version_series(f->engine, f->version)),
		.Status = S("in-sync"),
	};
	it->OptionGroupMemberships = (rds_OptionGroupMembershipList){ o, 1 };
}

static void defaults(req *rq, const instance_facts *f, rds_DBInstance *it)
{
	rds_CertificateDetails *ca = arena_new(rq->mem, rds_CertificateDetails);
	*ca = (rds_CertificateDetails){ .CAIdentifier = S("rds-ca-rsa2048-g1"),
		                            .ValidTill = TIME(rq->now + CERTIFICATE_DAYS * MS_DAY) };
	it->CertificateDetails = ca;
	it->CACertificateIdentifier = ca->CAIdentifier;
	it->AutoMinorVersionUpgrade = BOOL(true);
	it->MultiAZ = BOOL(false);
	it->StorageEncrypted = BOOL(false);
	it->CopyTagsToSnapshot = BOOL(false);
	it->DeletionProtection = BOOL(false);
	it->IAMDatabaseAuthenticationEnabled = BOOL(false);
	it->PerformanceInsightsEnabled = BOOL(false);
	it->DedicatedLogVolume = BOOL(false);
	it->CustomerOwnedIpEnabled = BOOL(false);
	it->MonitoringInterval = I64(0);
	it->DbInstancePort = I64(0);
	it->LicenseModel = str_c(db_engine_of(f->engine)->license);
	it->NetworkType = S("IPV4");
	it->BackupTarget = S("region");
	it->EngineLifecycleSupport = S("open-source-rds-extended-support");
	it->DatabaseInsightsMode = S("standard");
	it->ActivityStreamStatus = S("stopped");
	it->BackupRetentionPeriod = I64(1);
	it->PreferredBackupWindow = window_of(rq, f->id, false);
	it->PreferredMaintenanceWindow = window_of(rq, f->id, true);
}

static err room_for_one(req *rq, const txn *tx)
{
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	int n = 0;
	while (rds_instance_next(&s))
		n++;
	if (n >= RDS_INSTANCES_MAX)
		return fail(rq, &rds_InstanceQuotaExceededFault, "DB Instance quota exceeded");
	return OK;
}

err db_instance_new(req *rq, txn *tx, const instance_facts *f, rds_instance **out)
{
	rds_parameter_group *group;
	TRY(db_check_identifier(rq, f->id, "DBInstanceIdentifier"));
	str id = db_lowered(rq, f->id);
	if (rds_instance_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBInstanceAlreadyExistsFault, "DB instance already exists");
	TRY(room_for_one(rq, tx));
	TRY(db_check_installed(rq, f->engine, f->version));
	if (str_is(f->parameter_group) && !db_default_group(f->parameter_group))
		TRY(db_parameter_group_find(rq, tx, "pg", f->parameter_group, &group));
	rds_DBInstance *it = arena_new(rq->mem, rds_DBInstance);
	rds_instance *i = arena_new(rq->mem, rds_instance);
	it->DBInstanceIdentifier = id;
	it->DBInstanceClass = f->class_name;
	it->Engine = f->engine;
	it->EngineVersion = f->version;
	it->DBInstanceArn = db_instance_arn(rq, id);
	it->DbiResourceId = db_resource_id(rq->mem, "db-");
	it->StorageType = f->storage_type;
	it->TagList = f->tags;
	it->AvailabilityZone = str_is(f->zone) ? f->zone :
	                                         arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region),
	                                                   (char)('a' + str_hash(id) % 6));
	defaults(rq, f, it);
	group_names(rq, f, it);
	TRY(db_instance_network(rq, tx, f, it));
	*i = (rds_instance){ .Account = rq->who.account, .Region = rq->region, .Id = id, .It = it,
		                 .Folder = it->DbiResourceId, .Address = db_address_new(rq, tx, (int)f->port) };
	it->Endpoint = arena_new(rq->mem, rds_Endpoint);
	*it->Endpoint = (rds_Endpoint){ .Address = i->Address, .Port = I64(f->port),
		                            .HostedZoneId = S("Z2R2ITUGPM61AM") };
	*out = i;
	return OK;
}

static const char *const filters[] = { "db-instance-id", "db-cluster-id", "dbi-resource-id",
	                                   "engine",         "domain",        NULL };

static str id_of_arn(str s)
{
	size_t at = SIZE_MAX;
	for (size_t k = 0; k < s.n && str_starts(s, S("arn:")); k++)
		at = s.p[k] == ':' ? k : at;
	return at == SIZE_MAX ? s : str_sub(s, at + 1, s.n);
}

static void filters_by_id(rds_FilterList *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->v[i].Values.n; k++)
			f->v[i].Values.v[k] = id_of_arn(f->v[i].Values.v[k]);
}

err rds_DescribeDBInstances(req *rq, const txn *tx, const rds_DescribeDBInstances_in *in,
                            rds_DescribeDBInstances_out *out)
{
	page p;
	rds_instance *i;
	rds_FilterList f = in->Filters;
	TRY(db_filters_known(rq, &f, filters));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	filters_by_id(&f);
	str given = in->DBInstanceIdentifier;
	/* Terraform's newer providers give the resource id as if it were a name. */
	bool resource = str_is(given) && str_starts(given, S("db-")) && given.n == 29;
	bool one = str_is(given) && !resource, more = db_filter_named(&f, "db-instance-id");
	/* Names of a filter count beside the one that is given. */
	if (one && !more)
		TRY(db_instance_find(rq, tx, given, &i));
	str wanted = str_is(given) ? db_lowered(rq, id_of_arn(given)) : STR_NONE;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	out->DBInstances.v = arena_array(rq->mem, rds_DBInstance, p.most);
	while ((i = rds_instance_next(&s))) {
		const rds_DBInstance *it = i->It;
		bool named = str_is(wanted) && str_eq(wanted, i->Id);
		bool among = named || (str_is(wanted) && !more) ? named : db_filter_has(&f, "db-instance-id", i->Id);
		if (!among || !db_filter_has(&f, "db-cluster-id", it->DBClusterIdentifier)
		    || !db_filter_has(&f, "dbi-resource-id", it->DbiResourceId)
		    || !db_filter_has(&f, "engine", it->Engine) || !db_filter_has(&f, "domain", STR_NONE))
			continue;
		if (out->DBInstances.n == p.most) {
			out->Marker = page_token(rq, out->DBInstances.v[p.most - 1].DBInstanceIdentifier);
			break;
		}
		out->DBInstances.v[out->DBInstances.n++] = *db_instance_shown(rq, i);
	}
	cursor_close(&s.at);
	if (one && !out->DBInstances.n && !str_is(p.after))
		return fail(rq, &rds_DBInstanceNotFoundFault, "DBInstance %.*s not found.", STR_ARG(given));
	return OK;
}

static err alone(req *rq, const rds_instance *i, const char *what)
{
	if (!str_is(i->It->DBClusterIdentifier))
		return OK;
	return fail(
		rq, &rds_InvalidParameterCombination,
		"%s is not supported for instances that are members of a DB cluster; use the cluster's operation.",
		what);
}

err rds_RebootDBInstance(req *rq, txn *tx, const rds_RebootDBInstance_in *in, rds_RebootDBInstance_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(db_instance_ready(rq, i));
	if (in->ForceFailover.set && in->ForceFailover.v && !i->It->MultiAZ.v)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Force failover is not supported for a DB instance that is not Multi-AZ.");
	bool zone = in->ForceFailover.set && in->ForceFailover.v;
	db_instance_job(tx, i, S("rebooting"), zone ? S("zone") : S("restart"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

err rds_StopDBInstance(req *rq, txn *tx, const rds_StopDBInstance_in *in, rds_StopDBInstance_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(alone(rq, i, "StopDBInstance"));
	TRY(db_instance_ready(rq, i));
	if (str_is(i->It->ReadReplicaSourceDBInstanceIdentifier) || i->It->ReadReplicaDBInstanceIdentifiers.n)
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            "Cannot stop or start a read replica or a DB instance that has one.");
	if (str_is(in->DBSnapshotIdentifier)) {
		rds_CreateDBSnapshot_in snapshot = { .DBInstanceIdentifier = i->Id,
			                                 .DBSnapshotIdentifier = in->DBSnapshotIdentifier };
		rds_CreateDBSnapshot_out made = { 0 };
		TRY(rds_CreateDBSnapshot(rq, tx, &snapshot, &made));
	}
	db_instance_job(tx, i, S("stopping"), S("stop"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

err rds_StartDBInstance(req *rq, txn *tx, const rds_StartDBInstance_in *in, rds_StartDBInstance_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(alone(rq, i, "StartDBInstance"));
	if (!str_empty(i->Job) || !str_eq(i->It->DBInstanceStatus, S("stopped")))
		return fail(
			rq, &rds_InvalidDBInstanceStateFault,
			"Instance %.*s cannot be started as it is not in one of the following statuses: 'stopped, "
			"inaccessible-encryption-credentials-recoverable, incompatible-network (only valid for "
			"non-SqlServer instances)'.",
			STR_ARG(i->Id));
	db_instance_job(tx, i, S("starting"), S("start"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

static err final_snapshot(req *rq, const txn *tx, const rds_DeleteDBInstance_in *in, rds_instance *i)
{
	bool skip = in->SkipFinalSnapshot.set && in->SkipFinalSnapshot.v,
		 named = str_is(in->FinalDBSnapshotIdentifier);
	bool other = str_is(i->It->DBClusterIdentifier) || str_is(i->It->ReadReplicaSourceDBInstanceIdentifier);
	if (named && (skip || other))
		return fail(rq, &rds_InvalidParameterCombination,
		            other ? "FinalDBSnapshotIdentifier can not be specified when deleting a %s"
		                  : "FinalDBSnapshotIdentifier and SkipFinalSnapshot cannot both be specified%s",
		            other ? str_is(i->It->DBClusterIdentifier) ? "cluster instance" : "replica instance"
		                  : ".");
	if (skip || other)
		return OK;
	if (!named)
		return fail(rq, &rds_InvalidParameterCombination,
		            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
	TRY(db_check_identifier(rq, in->FinalDBSnapshotIdentifier, "FinalDBSnapshotIdentifier"));
	i->SnapshotAfter = db_lowered(rq, in->FinalDBSnapshotIdentifier);
	if (rds_snapshot_get(tx, rq->mem, rq->who.account, rq->region, i->SnapshotAfter))
		return fail(rq, &rds_DBSnapshotAlreadyExistsFault,
		            "Cannot create the snapshot because a snapshot with the identifier %.*s already exists.",
		            STR_ARG(i->SnapshotAfter));
	return OK;
}

/* Its replicas stand alone from now on. */
static void release_replicas(req *rq, txn *tx, const rds_instance *i)
{
	rds_ReadReplicaDBInstanceIdentifierList all = i->It->ReadReplicaDBInstanceIdentifiers;
	for (size_t k = 0; k < all.n; k++) {
		rds_instance *r = rds_instance_get(tx, rq->mem, i->Account, i->Region, all.v[k]);
		if (!r)
			continue;
		r->It->ReadReplicaSourceDBInstanceIdentifier = STR_NONE;
		if (str_empty(r->Job))
			db_instance_job(tx, r, S("modifying"), S("restart"));
		else
			rds_instance_put(tx, r);
	}
}

static void leave_source(req *rq, txn *tx, const rds_instance *i)
{
	str name = i->It->ReadReplicaSourceDBInstanceIdentifier;
	rds_instance *from = str_is(name) ? rds_instance_get(tx, rq->mem, i->Account, i->Region, name) : NULL;
	if (!from)
		return;
	rds_ReadReplicaDBInstanceIdentifierList *all = &from->It->ReadReplicaDBInstanceIdentifiers;
	for (size_t k = 0; k < all->n; k++)
		if (str_eq(all->v[k], i->Id))
			all->v[k--] = all->v[--all->n];
	rds_instance_put(tx, from);
}

err rds_DeleteDBInstance(req *rq, txn *tx, const rds_DeleteDBInstance_in *in, rds_DeleteDBInstance_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	if (i->It->DeletionProtection.v)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Cannot delete protected DB Instance, please disable deletion protection and try again.");
	if (!str_empty(i->Job))
		return fail(rq, &rds_InvalidDBInstanceStateFault,
		            str_eq(i->Job, S("delete")) ? "Instance %.*s is already being deleted."
		                                        : "Instance %.*s is not in a state to be deleted.",
		            STR_ARG(i->Id));
	TRY(final_snapshot(rq, tx, in, i));
	i->KeepBackups = in->DeleteAutomatedBackups.set && !in->DeleteAutomatedBackups.v;
	release_replicas(rq, tx, i);
	leave_source(rq, tx, i);
	db_secret_drop(rq, tx, i->It->MasterUserSecret);
	db_instance_job(tx, i, S("deleting"), S("delete"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}

err rds_PromoteReadReplica(req *rq, txn *tx, const rds_PromoteReadReplica_in *in,
                           rds_PromoteReadReplica_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(db_instance_ready(rq, i));
	TRY(db_check_retention(rq, in->BackupRetentionPeriod));
	if (!str_is(i->It->ReadReplicaSourceDBInstanceIdentifier))
		return fail(rq, &rds_InvalidDBInstanceStateFault, "DB Instance is not a read replica: %.*s",
		            STR_ARG(i->Id));
	leave_source(rq, tx, i);
	i->It->ReadReplicaSourceDBInstanceIdentifier = STR_NONE;
	i->It->StatusInfos.n = 0;
	if (in->BackupRetentionPeriod.set)
		i->It->BackupRetentionPeriod = in->BackupRetentionPeriod;
	if (str_is(in->PreferredBackupWindow))
		i->It->PreferredBackupWindow = in->PreferredBackupWindow;
	db_instance_job(tx, i, S("modifying"), S("restart"));
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}
