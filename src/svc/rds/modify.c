#include "base/time.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

#define WEEK_MS (7 * MS_DAY)
#define INSIGHTS_DAYS 7

static str place_of(arena *mem, const rds_instance *i)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(i->Account), STR_ARG(i->Region), STR_ARG(i->Id));
}

/* The next time the window begins: sun:05:00-sun:05:30. */
static int64_t window_next(str window, int64_t now)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	int64_t hour = 0, minute = 0, day = 0;
	str rest = window, name = str_cut(&rest, ':');
	for (int d = 0; d < 7; d++)
		if (str_eq(name, str_c(days[d])))
			day = d;
	str_to_i64(str_cut(&rest, ':'), &hour);
	str_to_i64(str_cut(&rest, '-'), &minute);
	civil c = time_civil(now);
	int64_t midnight = now - now % MS_DAY;
	int64_t at = midnight + (day - c.weekday) * MS_DAY + hour * MS_HOUR + minute * MS_MINUTE;
	return at > now ? at : at + WEEK_MS;
}

str db_other_zone(arena *a, const rds_instance *i)
{
	return arena_fmt(a, "%.*s%s", STR_ARG(i->Region), str_ends(i->It->AvailabilityZone, S("a")) ? "b" : "a");
}

/* Whether the engine has to start again for it. */
static bool apply(txn *tx, arena *mem, rds_instance *i, int64_t now)
{
	rds_DBInstance *it = i->It;
	rds_PendingModifiedValues *p = it->PendingModifiedValues;
	if (!p)
		return false;
	bool restart = str_is(p->DBInstanceClass) || p->Port.set || str_is(p->EngineVersion);
	if (str_is(p->DBInstanceClass))
		it->DBInstanceClass = p->DBInstanceClass;
	if (str_is(p->StorageType))
		it->StorageType = p->StorageType;
	if (p->AllocatedStorage.set || p->Iops.set || p->StorageThroughput.set || str_is(p->StorageType))
		db_instance_disk(it, p->AllocatedStorage.set ? p->AllocatedStorage.v : it->AllocatedStorage.v,
		                 p->Iops, p->StorageThroughput);
	if (p->Port.set)
		it->Endpoint->Port = p->Port;
	if (p->BackupRetentionPeriod.set)
		it->BackupRetentionPeriod = p->BackupRetentionPeriod;
	if (p->MultiAZ.set) {
		it->MultiAZ = p->MultiAZ;
		it->SecondaryAvailabilityZone = p->MultiAZ.v ? db_other_zone(mem, i) : STR_NONE;
	}
	if (str_is(p->EngineVersion))
		it->EngineVersion = p->EngineVersion;
	it->PendingModifiedValues = NULL;
	if (!str_is(p->DBInstanceIdentifier))
		return restart;
	timer_cancel(tx, "rds_maintenance", place_of(mem, i));
	/* Somebody else may have taken the name while it waited. */
	if (!rds_instance_get(tx, mem, i->Account, i->Region, p->DBInstanceIdentifier))
		db_instance_rename(tx, mem, i, p->DBInstanceIdentifier, now);
	return true;
}

TIMER(rds_maintenance)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	rds_instance *i = rds_instance_get(tx, mem, account, region, rest);
	if (!i || !i->It->PendingModifiedValues)
		return;
	if (!str_empty(i->Job) || !str_eq(i->It->DBInstanceStatus, S("available"))) {
		timer_set(tx, "rds_maintenance", payload, window_next(i->It->PreferredMaintenanceWindow, due),
		          payload);
		return;
	}
	int64_t days = i->It->BackupRetentionPeriod.v;
	bool restart = apply(tx, mem, i, due);
	if (i->It->BackupRetentionPeriod.v != days)
		db_backups_begin(tx, mem, i, due);
	db_instance_job(tx, i, S("modifying"), restart ? S("restart") : S("modify"));
}

static err plan_storage(req *rq, const rds_ModifyDBInstance_in *in, const rds_DBInstance *it,
                        rds_PendingModifiedValues *p)
{
	if (!in->AllocatedStorage.set && !in->Iops.set && !in->StorageThroughput.set && !str_is(in->StorageType))
		return OK;
	int64_t size = in->AllocatedStorage.set ? in->AllocatedStorage.v : it->AllocatedStorage.v;
	str type = str_is(in->StorageType) ? in->StorageType : it->StorageType;
	if (size < it->AllocatedStorage.v)
		return fail(
			rq, &rds_InvalidParameterCombination,
			"Invalid storage modification: the allocated storage can not be reduced from %lld to %lld GiB.",
			(long long)it->AllocatedStorage.v, (long long)size);
	if (in->AllocatedStorage.set && size > it->AllocatedStorage.v && size * 10 < it->AllocatedStorage.v * 11)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Storage size must be increased by at least 10%%: %lld is less than 10%% more than %lld.",
		            (long long)size, (long long)it->AllocatedStorage.v);
	TRY(db_check_storage(rq, it->Engine, type, size, in->Iops, in->StorageThroughput));
	if (in->AllocatedStorage.set && size != it->AllocatedStorage.v)
		p->AllocatedStorage = in->AllocatedStorage;
	p->Iops = in->Iops;
	p->StorageThroughput = in->StorageThroughput;
	if (!str_eq(type, it->StorageType))
		p->StorageType = type;
	return OK;
}

static err plan_version(req *rq, const rds_ModifyDBInstance_in *in, const rds_DBInstance *it,
                        rds_PendingModifiedValues *p)
{
	const db_version *v;
	if (!str_is(in->EngineVersion))
		return OK;
	TRY(db_version_find(rq, it->Engine, in->EngineVersion, &v));
	str number = str_c(v->number);
	if (str_eq(number, it->EngineVersion))
		return OK;
	int from = db_version_major(it->Engine, it->EngineVersion), to = db_version_major(it->Engine, number);
	if (to < from)
		return fail(rq, &rds_InvalidParameterCombination, "Cannot upgrade %.*s from %.*s to %.*s",
		            STR_ARG(it->Engine), STR_ARG(it->EngineVersion), STR_ARG(number));
	if (to > from && !(in->AllowMajorVersionUpgrade.set && in->AllowMajorVersionUpgrade.v))
		return fail(
			rq, &rds_InvalidParameterCombination,
			"The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.");
	if (to > from)
		return fail(rq, &aws_NotImplemented, "Upgrading to another major version is not implemented.");
	p->EngineVersion = number;
	return OK;
}

static err plan_name(req *rq, const txn *tx, const rds_ModifyDBInstance_in *in, rds_instance *i)
{
	str id = str_is(in->NewDBInstanceIdentifier) ? db_lowered(rq, in->NewDBInstanceIdentifier) : i->Id;
	if (str_eq(id, i->Id))
		return OK;
	TRY(db_check_identifier(rq, in->NewDBInstanceIdentifier, "NewDBInstanceIdentifier"));
	if (rds_instance_get(tx, rq->mem, i->Account, i->Region, id))
		return fail(rq, &rds_DBInstanceAlreadyExistsFault, "DB instance already exists");
	i->It->PendingModifiedValues->DBInstanceIdentifier = id;
	return OK;
}

/* What waits for the maintenance window, or for ApplyImmediately. */
static err plan(req *rq, const rds_ModifyDBInstance_in *in, rds_DBInstance *it)
{
	if (!it->PendingModifiedValues)
		it->PendingModifiedValues = arena_new(rq->mem, rds_PendingModifiedValues);
	rds_PendingModifiedValues *p = it->PendingModifiedValues;
	if (str_is(in->DBInstanceClass)) {
		TRY(db_check_class(rq, in->DBInstanceClass, it->Engine));
		if (!str_eq(in->DBInstanceClass, it->DBInstanceClass))
			p->DBInstanceClass = in->DBInstanceClass;
	}
	TRY(plan_storage(rq, in, it, p));
	TRY(plan_version(rq, in, it, p));
	TRY(db_check_port(rq, in->DBPortNumber));
	if (in->DBPortNumber.set && in->DBPortNumber.v != it->Endpoint->Port.v)
		p->Port = in->DBPortNumber;
	if (in->MultiAZ.set && in->MultiAZ.v != it->MultiAZ.v)
		p->MultiAZ = in->MultiAZ;
	TRY(db_check_retention(rq, in->BackupRetentionPeriod));
	if (in->BackupRetentionPeriod.set && in->BackupRetentionPeriod.v != it->BackupRetentionPeriod.v) {
		bool both = in->BackupRetentionPeriod.v && it->BackupRetentionPeriod.v;
		if (both)
			it->BackupRetentionPeriod = in->BackupRetentionPeriod;
		else
			p->BackupRetentionPeriod = in->BackupRetentionPeriod;
	}
	return OK;
}

static bool empty(const rds_PendingModifiedValues *p)
{
	return !str_is(p->DBInstanceClass) && !p->AllocatedStorage.set && !p->Port.set
		&& !p->BackupRetentionPeriod.set && !p->MultiAZ.set && !str_is(p->EngineVersion) && !p->Iops.set
		&& !p->StorageThroughput.set && !str_is(p->StorageType) && !str_is(p->DBInstanceIdentifier);
}

static err password(req *rq, txn *tx, const rds_ModifyDBInstance_in *in, rds_instance *i)
{
	str verifier;
	bool managed = in->ManageMasterUserPassword.set && in->ManageMasterUserPassword.v;
	if (str_is(i->It->DBClusterIdentifier) && (str_is(in->MasterUserPassword) || managed))
		return fail(
			rq, &rds_InvalidParameterCombination,
			"The specified DB Instance is a member of a cluster. Modify the master user password for the DB "
			"Cluster using the ModifyDbCluster API");
	master_given given = { i->It->Engine, i->It->DBInstanceArn, in->MasterUserPassword,
		                   in->MasterUserSecretKmsKeyId, in->ManageMasterUserPassword,
		                   in->RotateMasterUserPassword, in->ApplyImmediately };
	TRY(db_master_change(rq, tx, &given, i->It->MasterUsername, &i->It->MasterUserSecret, &verifier));
	if (str_is(verifier))
		i->NextVerifier = verifier;
	return OK;
}

static err groups(req *rq, const txn *tx, const rds_ModifyDBInstance_in *in, rds_DBInstance *it)
{
	rds_parameter_group *g;
	if (str_is(in->DBParameterGroupName)) {
		if (!db_default_group(in->DBParameterGroupName))
			TRY(db_parameter_group_find(rq, tx, "pg", in->DBParameterGroupName, &g));
		str name = db_lowered(rq, in->DBParameterGroupName);
		rds_DBParameterGroupStatus *now = it->DBParameterGroups.v;
		if (!str_eq(now->DBParameterGroupName, name)) {
			now->DBParameterGroupName = name;
			now->ParameterApplyStatus = S("pending-reboot");
		}
	}
	TRY(db_option_group_set(rq, tx, in->OptionGroupName, it));
	if (in->VpcSecurityGroupIds.n)
		it->VpcSecurityGroups = db_security_groups(rq, &in->VpcSecurityGroupIds);
	if (str_is(in->DBSubnetGroupName)) {
		instance_facts f = { .subnet_group = in->DBSubnetGroupName,
			                 .public = it->PubliclyAccessible,
			                 .groups = &in->VpcSecurityGroupIds };
		rds_VpcSecurityGroupMembershipList kept = it->VpcSecurityGroups;
		TRY(db_instance_network(rq, tx, &f, it));
		if (!in->VpcSecurityGroupIds.n)
			it->VpcSecurityGroups = kept;
	}
	return OK;
}

void db_instance_told(req *rq, const rds_ModifyDBInstance_in *in, rds_DBInstance *it)
{
	const struct {
		const opt_bool *from;
		opt_bool *to;
	} flags[] = { { &in->AutoMinorVersionUpgrade, &it->AutoMinorVersionUpgrade },
		          { &in->CopyTagsToSnapshot, &it->CopyTagsToSnapshot },
		          { &in->DeletionProtection, &it->DeletionProtection },
		          { &in->PubliclyAccessible, &it->PubliclyAccessible },
		          { &in->EnablePerformanceInsights, &it->PerformanceInsightsEnabled } };
	for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
		if (flags[k].from->set)
			*flags[k].to = *flags[k].from;
	if (in->PerformanceInsightsRetentionPeriod.set)
		it->PerformanceInsightsRetentionPeriod = in->PerformanceInsightsRetentionPeriod;
	else if (it->PerformanceInsightsEnabled.v && !it->PerformanceInsightsRetentionPeriod.set)
		it->PerformanceInsightsRetentionPeriod = I64(INSIGHTS_DAYS);
	if (in->MonitoringInterval.set)
		it->MonitoringInterval = in->MonitoringInterval;
	if (str_is(in->MonitoringRoleArn))
		it->MonitoringRoleArn = in->MonitoringRoleArn;
	if (in->PromotionTier.set)
		it->PromotionTier = in->PromotionTier;
	if (str_is(in->CACertificateIdentifier))
		it->CACertificateIdentifier = it->CertificateDetails->CAIdentifier = in->CACertificateIdentifier;
	if (str_is(in->NetworkType))
		it->NetworkType = in->NetworkType;
}

static err limit_of_growth(req *rq, const rds_ModifyDBInstance_in *in, rds_DBInstance *it)
{
	if (!in->MaxAllocatedStorage.set)
		return OK;
	int64_t size = in->AllocatedStorage.set ? in->AllocatedStorage.v : it->AllocatedStorage.v;
	if (in->MaxAllocatedStorage.v < size)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Max storage size must be greater than storage size");
	/* As much as there is means that it does not grow by itself. */
	it->MaxAllocatedStorage = in->MaxAllocatedStorage.v == size ? (opt_i64){ 0 } : in->MaxAllocatedStorage;
	return OK;
}

err rds_ModifyDBInstance(req *rq, txn *tx, const rds_ModifyDBInstance_in *in, rds_ModifyDBInstance_out *out)
{
	rds_instance *i;
	TRY(db_instance_find(rq, tx, in->DBInstanceIdentifier, &i));
	TRY(db_instance_ready(rq, i));
	if (in->EnableIAMDatabaseAuthentication.set && in->EnableIAMDatabaseAuthentication.v)
		return fail(rq, &aws_NotImplemented, "IAM database authentication is not implemented.");
	db_instance_told(rq, in, i->It);
	TRY(db_windows_set(rq, in->PreferredBackupWindow, in->PreferredMaintenanceWindow, false,
	                   &i->It->PreferredBackupWindow, &i->It->PreferredMaintenanceWindow));
	TRY(limit_of_growth(rq, in, i->It));
	const rds_CloudwatchLogsExportConfiguration *logs = in->CloudwatchLogsExportConfiguration;
	if (logs)
		TRY(db_log_types(rq, &logs->EnableLogTypes, &logs->DisableLogTypes, i->It->Engine,
		                 i->It->EngineVersion, &i->It->EnabledCloudwatchLogsExports));
	TRY(plan(rq, in, i->It));
	TRY(plan_name(rq, tx, in, i));
	TRY(password(rq, tx, in, i));
	TRY(groups(rq, tx, in, i->It));
	rds_DBInstance before = *i->It;
	str place = place_of(rq->mem, i);
	bool any = !empty(i->It->PendingModifiedValues), now = in->ApplyImmediately.set && in->ApplyImmediately.v;
	if (!any)
		i->It->PendingModifiedValues = NULL;
	if (any && !now)
		timer_set(tx, "rds_maintenance", place, window_next(i->It->PreferredMaintenanceWindow, rq->now),
		          place);
	if (any && now)
		timer_cancel(tx, "rds_maintenance", place);
	bool renaming = any && now && str_is(i->It->PendingModifiedValues->DBInstanceIdentifier);
	if (any && now)
		db_instance_job(tx, i, renaming ? S("renaming") : S("modifying"),
		                apply(tx, rq->mem, i, rq->now) ? S("restart") : S("modify"));
	else if (str_is(i->NextVerifier))
		db_instance_job(tx, i, S("resetting-master-credentials"), S("modify"));
	else
		rds_instance_put(tx, i);
	if (i->It->BackupRetentionPeriod.v != before.BackupRetentionPeriod.v)
		db_backups_begin(tx, rq->mem, i, rq->now);
	db_bill_instance(tx, i, rq->now);
	out->DBInstance = db_instance_shown(rq, i);
	return OK;
}
