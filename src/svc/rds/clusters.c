#include "base/digest.h"
#include "base/time.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"

#define PAUSE_DEFAULT 300
#define PAUSE_MIN 300
#define PAUSE_MAX 86400
#define ACU_MAX 256

str db_cluster_arn(req *rq, str id) { return req_arn(rq, "rds", "cluster:%.*s", STR_ARG(id)); }

err db_cluster_find(req *rq, const txn *tx, str id, rds_cluster **out)
{
	str prefix = db_cluster_arn(rq, S(""));
	if (str_starts(id, prefix))
		id = str_sub(id, prefix.n, id.n);
	*out = rds_cluster_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, id));
	if (!*out)
		return fail(rq, &rds_DBClusterNotFoundFault, "DBCluster %.*s not found.", STR_ARG(id));
	return OK;
}

err db_cluster_ready(req *rq, const rds_cluster *c)
{
	if (!str_eq(c->It->Status, S("available")))
		return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in available state.",
		            STR_ARG(c->Id));
	return OK;
}

size_t db_cluster_members(const txn *tx, arena *mem, const rds_cluster *c, rds_instance **out, size_t most)
{
	size_t n = 0;
	for (size_t k = 0; k < c->It->DBClusterMembers.n && n < most; k++) {
		rds_instance *i = rds_instance_get(tx, mem, c->Account, c->Region,
		                                   c->It->DBClusterMembers.v[k].DBInstanceIdentifier);
		if (i)
			out[n++] = i;
	}
	return n;
}

rds_instance *db_cluster_writer(const txn *tx, arena *mem, const rds_cluster *c)
{
	for (size_t k = 0; k < c->It->DBClusterMembers.n; k++)
		if (c->It->DBClusterMembers.v[k].IsClusterWriter.v)
			return rds_instance_get(tx, mem, c->Account, c->Region,
			                        c->It->DBClusterMembers.v[k].DBInstanceIdentifier);
	return NULL;
}

static err check_capacity(req *rq, double min, double max, const rds_cluster *c)
{
	double halves_min = min * 2, halves_max = max * 2;
	if (min < 0 || max > ACU_MAX || max < 1 || min > max || halves_min != (double)(int)halves_min
	    || halves_max != (double)(int)halves_max)
		return fail(rq, &rds_InvalidParameterValue,
		            "Serverless v2 capacity %g - %g isn't valid. The minimum must be 0 to 256, the maximum 1 "
		            "to 256, in "
		            "steps of 0.5, and the minimum not more than the maximum.",
		            min, max);
	const db_version *v;
	TRY(db_version_find(rq, c->It->Engine, c->It->EngineVersion, &v));
	if (min == 0 && !v->pauses)
		return fail(
			rq, &rds_InvalidParameterValue,
			"Serverless v2 capacity 0 isn't valid for engine version %s. The minimum capacity must be 0.5 or "
			"more.",
			v->number);
	return OK;
}

static err capacity(req *rq, const rds_ServerlessV2ScalingConfiguration *in, rds_cluster *c)
{
	if (!in)
		return OK;
	rds_ServerlessV2ScalingConfigurationInfo *now = c->It->ServerlessV2ScalingConfiguration;
	rds_ServerlessV2ScalingConfigurationInfo *next =
		arena_new(rq->mem, rds_ServerlessV2ScalingConfigurationInfo);
	if (now)
		*next = *now;
	if (in->MinCapacity.set)
		next->MinCapacity = in->MinCapacity;
	if (in->MaxCapacity.set)
		next->MaxCapacity = in->MaxCapacity;
	if (!next->MinCapacity.set || !next->MaxCapacity.set)
		return fail(
			rq, &rds_InvalidParameterValue,
			"Both MinCapacity and MaxCapacity have to be given for the Serverless v2 scaling configuration.");
	TRY(check_capacity(rq, next->MinCapacity.v, next->MaxCapacity.v, c));
	if (in->SecondsUntilAutoPause.set) {
		if (next->MinCapacity.v > 0)
			return fail(rq, &rds_InvalidParameterCombination,
			            "SecondsUntilAutoPause can only be given when the minimum capacity is 0.");
		if (in->SecondsUntilAutoPause.v < PAUSE_MIN || in->SecondsUntilAutoPause.v > PAUSE_MAX)
			return fail(rq, &rds_InvalidParameterValue, "SecondsUntilAutoPause must be between %d and %d.",
			            PAUSE_MIN, PAUSE_MAX);
		next->SecondsUntilAutoPause = in->SecondsUntilAutoPause;
	}
	if (next->MinCapacity.v > 0)
		next->SecondsUntilAutoPause = (opt_i64){ 0 };
	else if (!next->SecondsUntilAutoPause.set)
		next->SecondsUntilAutoPause = I64(PAUSE_DEFAULT);
	c->It->ServerlessV2ScalingConfiguration = next;
	int64_t min = (int64_t)(next->MinCapacity.v * 100), max = (int64_t)(next->MaxCapacity.v * 100);
	min = min < 50 ? 50 : min;
	c->CentiAcu = c->CentiAcu < min ? min : c->CentiAcu > max ? max : c->CentiAcu;
	return OK;
}

static err network(req *rq, const txn *tx, str subnet_group, const rds_VpcSecurityGroupIdList *groups,
                   rds_DBCluster *it)
{
	if (str_is(subnet_group) && !str_eq(subnet_group, S("default"))
	    && !rds_subnet_group_get(tx, rq->mem, rq->who.account, rq->region, db_lowered(rq, subnet_group)))
		return fail(rq, &rds_DBSubnetGroupNotFoundFault, "DBSubnetGroup '%.*s' not found.",
		            STR_ARG(subnet_group));
	it->DBSubnetGroup = str_is(subnet_group) ? db_lowered(rq, subnet_group) : S("default");
	it->VpcSecurityGroups = db_security_groups(rq, groups);
	return OK;
}

static void zones(req *rq, const rds_AvailabilityZones *given, rds_DBCluster *it)
{
	str *v = arena_array(rq->mem, str, given->n > 3 ? given->n : 3);
	size_t n = given->n;
	for (size_t k = 0; k < n; k++)
		v[k] = given->v[k];
	/* Aurora's storage is in three zones; what was not named is added. */
	for (char z = 'a'; n < 3; z++) {
		str name = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), z);
		bool there = false;
		for (size_t k = 0; k < n; k++)
			there = there || str_eq(v[k], name);
		if (!there)
			v[n++] = name;
	}
	it->AvailabilityZones = (rds_AvailabilityZones){ v, n };
}

static void defaults(req *rq, rds_DBCluster *it)
{
	it->AllocatedStorage = I64(1);
	it->BackupRetentionPeriod = I64(1);
	it->PreferredBackupWindow = S("07:16-07:46");
	it->PreferredMaintenanceWindow = S("sun:04:21-sun:04:51");
	it->MultiAZ = BOOL(false);
	it->StorageEncrypted = BOOL(false);
	it->HostedZoneId = S("Z2R2ITUGPM61AM");
	it->IAMDatabaseAuthenticationEnabled = BOOL(false);
	it->ClusterCreateTime = TIME(rq->now);
	it->EarliestRestorableTime = it->LatestRestorableTime = TIME(rq->now);
	it->EngineMode = S("provisioned");
	it->DeletionProtection = BOOL(false);
	it->HttpEndpointEnabled = BOOL(false);
	it->CopyTagsToSnapshot = BOOL(false);
	it->CrossAccountClone = BOOL(false);
	it->AutoMinorVersionUpgrade = BOOL(true);
	it->ActivityStreamStatus = S("stopped");
	it->NetworkType = S("IPV4");
	it->DatabaseInsightsMode = S("standard");
	it->EngineLifecycleSupport = S("open-source-rds-extended-support");
	it->PerformanceInsightsEnabled = BOOL(false);
	it->MonitoringInterval = I64(0);
}

static err http_endpoint(req *rq, str engine, opt_bool wanted)
{
	return wanted.set && wanted.v && db_engine_is_mysql(engine)
		? fail(rq, &aws_NotImplemented, "The Data API for Aurora MySQL is not implemented.")
		: OK;
}

static err unsupported(req *rq, const rds_CreateDBClusterMessage *in)
{
	if (str_is(in->EngineMode) && !str_eq(in->EngineMode, S("provisioned")))
		return fail(rq, &rds_InvalidParameterValue,
		            "The engine mode %.*s you requested is currently unavailable.", STR_ARG(in->EngineMode));
	if (!db_engine_is_aurora(db_lowered(rq, in->Engine)) || str_is(in->DBClusterInstanceClass))
		return fail(rq, &aws_NotImplemented,
		            "Multi-AZ DB clusters (engines postgres and mysql) are not implemented.");
	if (str_is(in->ReplicationSourceIdentifier) || str_is(in->GlobalClusterIdentifier))
		return fail(rq, &aws_NotImplemented, "Replicating from another cluster is not implemented.");
	if (in->EnableIAMDatabaseAuthentication.set && in->EnableIAMDatabaseAuthentication.v)
		return fail(rq, &aws_NotImplemented, "IAM database authentication is not implemented.");
	return http_endpoint(rq, db_lowered(rq, in->Engine), in->EnableHttpEndpoint);
}

/* What is kept and shown. */
static err told(req *rq, const rds_CreateDBClusterMessage *in, rds_DBCluster *it)
{
	TRY(db_check_retention(rq, in->BackupRetentionPeriod));
	if (in->BackupRetentionPeriod.set && in->BackupRetentionPeriod.v < 1)
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid backup retention period: 0. Must be between 1 and 35.");
	if (in->BackupRetentionPeriod.set)
		it->BackupRetentionPeriod = in->BackupRetentionPeriod;
	/* Only a new one is named here. */
	TRY(db_windows_set(rq, in->PreferredBackupWindow, in->PreferredMaintenanceWindow,
	                   str_is(in->DBClusterIdentifier), &it->PreferredBackupWindow,
	                   &it->PreferredMaintenanceWindow));
	if (in->DeletionProtection.set)
		it->DeletionProtection = in->DeletionProtection;
	if (in->CopyTagsToSnapshot.set)
		it->CopyTagsToSnapshot = in->CopyTagsToSnapshot;
	if (in->StorageEncrypted.set)
		it->StorageEncrypted = in->StorageEncrypted;
	if (str_is(in->KmsKeyId) || it->StorageEncrypted.v)
		it->KmsKeyId = str_is(in->KmsKeyId) ? in->KmsKeyId : req_arn(rq, "kms", "alias/aws/rds");
	if (str_is(in->StorageType) && !str_eq(in->StorageType, S("aurora"))
	    && !str_eq(in->StorageType, S("aurora-iopt1")))
		return fail(rq, &rds_InvalidParameterValue, "Invalid storage type: %.*s", STR_ARG(in->StorageType));
	it->StorageType = str_eq(in->StorageType, S("aurora-iopt1")) ? in->StorageType : STR_NONE;
	if (str_is(in->NetworkType))
		it->NetworkType = in->NetworkType;
	if (str_is(in->EngineLifecycleSupport))
		it->EngineLifecycleSupport = in->EngineLifecycleSupport;
	it->EnabledCloudwatchLogsExports.n = 0;
	TRY(db_log_types(rq, &in->EnableCloudwatchLogsExports, &(rds_LogTypeList){ 0 }, it->Engine,
	                 it->EngineVersion, &it->EnabledCloudwatchLogsExports));
	it->TagList = in->Tags;
	return OK;
}

static err cluster_new(req *rq, txn *tx, const rds_CreateDBClusterMessage *in, rds_cluster **out)
{
	const db_version *version;
	rds_parameter_group *group;
	str engine = db_lowered(rq, in->Engine), id = db_lowered(rq, in->DBClusterIdentifier);
	TRY(db_check_engine(rq, engine));
	TRY(unsupported(rq, in));
	TRY(db_check_identifier(rq, in->DBClusterIdentifier, "DBClusterIdentifier"));
	if (rds_cluster_get(tx, rq->mem, rq->who.account, rq->region, id))
		return fail(rq, &rds_DBClusterAlreadyExistsFault, "DB Cluster already exists");
	TRY(db_version_find(rq, engine, in->EngineVersion, &version));
	TRY(db_check_installed(rq, engine, str_c(version->number)));
	TRY(db_check_port(rq, in->Port));
	TRY(db_check_database(rq, engine, in->DatabaseName));
	if (str_is(in->DBClusterParameterGroupName) && !db_default_group(in->DBClusterParameterGroupName))
		TRY(db_parameter_group_find(rq, tx, "cluster-pg", in->DBClusterParameterGroupName, &group));
	rds_DBCluster *it = arena_new(rq->mem, rds_DBCluster);
	rds_cluster *c = arena_new(rq->mem, rds_cluster);
	*c = (rds_cluster){ .Account = rq->who.account, .Region = rq->region, .Id = id, .It = it };
	defaults(rq, it);
	int port = in->Port.set ? (int)in->Port.v : db_engine_of(engine)->port;
	c->Address = db_address_new(rq, tx, port);
	c->ReaderAddress = db_address_new(rq, tx, port);
	it->DBClusterIdentifier = id;
	it->Engine = engine;
	it->EngineVersion = str_c(version->number);
	it->DatabaseName = in->DatabaseName;
	it->Port = I64(port);
	it->Endpoint = c->Address;
	it->ReaderEndpoint = c->ReaderAddress;
	it->DBClusterArn = db_cluster_arn(rq, id);
	it->DbClusterResourceId = c->Folder = db_resource_id(rq->mem, "cluster-");
	it->DBClusterParameterGroup = str_is(in->DBClusterParameterGroupName)
		? db_lowered(rq, in->DBClusterParameterGroupName)
		: arena_concat(rq->mem, S("default."), db_version_family(rq->mem, engine, it->EngineVersion));
	it->HttpEndpointEnabled = BOOL(in->EnableHttpEndpoint.set && in->EnableHttpEndpoint.v);
	it->Status = S("available");
	zones(rq, &in->AvailabilityZones, it);
	TRY(network(rq, tx, in->DBSubnetGroupName, &in->VpcSecurityGroupIds, it));
	TRY(told(rq, in, it));
	TRY(capacity(rq, in->ServerlessV2ScalingConfiguration, c));
	*out = c;
	return OK;
}

rds_DBCluster *db_cluster_as_creating(req *rq, const rds_cluster *c)
{
	rds_DBCluster *shown = arena_new(rq->mem, rds_DBCluster);
	*shown = *c->It;
	shown->Status = S("creating");
	return shown;
}

err rds_CreateDBCluster(req *rq, txn *tx, const rds_CreateDBCluster_in *in, rds_CreateDBCluster_out *out)
{
	rds_cluster *c;
	TRY(cluster_new(rq, tx, in, &c));
	master_given given = { .engine = c->It->Engine,
		                   .arn = c->It->DBClusterArn,
		                   .password = in->MasterUserPassword,
		                   .kms_key = in->MasterUserSecretKmsKeyId,
		                   .managed = in->ManageMasterUserPassword };
	c->It->MasterUsername = in->MasterUsername;
	TRY(db_master_new(rq, tx, &given, in->MasterUsername, &c->It->MasterUserSecret, &c->Verifier));
	rds_cluster_put(tx, c);
	db_event_add(tx, c->Account, c->Region, S("db-cluster"), c->Id, c->It->DBClusterArn, "creation",
	             S("DB cluster created"));
	out->DBCluster = db_cluster_as_creating(rq, c);
	return OK;
}

err db_cluster_from(req *rq, txn *tx, const rds_cluster_snapshot *s, const rds_cluster *source,
                    const rds_RestoreDBClusterFromSnapshot_in *in, rds_cluster **out)
{
	const rds_DBClusterSnapshot *it = s ? s->It : NULL;
	rds_CreateDBClusterMessage like = {
		.DBClusterIdentifier = in->DBClusterIdentifier,
		.Engine = in->Engine,
		.EngineVersion = it ? it->EngineVersion : source->It->EngineVersion,
		.DatabaseName = s ? s->DatabaseName : source->It->DatabaseName,
		.Port = in->Port,
		.DBSubnetGroupName = in->DBSubnetGroupName,
		.VpcSecurityGroupIds = in->VpcSecurityGroupIds,
		.DBClusterParameterGroupName = in->DBClusterParameterGroupName,
		.EngineMode = in->EngineMode,
		.DeletionProtection = in->DeletionProtection,
		.CopyTagsToSnapshot = in->CopyTagsToSnapshot,
		.StorageType = in->StorageType,
		.AvailabilityZones = in->AvailabilityZones,
		.ServerlessV2ScalingConfiguration = in->ServerlessV2ScalingConfiguration,
		.Tags = in->Tags.n || !it ? in->Tags : it->TagList,
		.KmsKeyId = in->KmsKeyId,
		.StorageEncrypted = it ? it->StorageEncrypted : source->It->StorageEncrypted,
		.EnableIAMDatabaseAuthentication = in->EnableIAMDatabaseAuthentication,
	};
	TRY(cluster_new(rq, tx, &like, out));
	(*out)->It->MasterUsername = it ? it->MasterUsername : source->It->MasterUsername;
	(*out)->Source = s ? db_copy_place(rq->mem, s->Account, s->Region, s->Id) : STR_NONE;
	return OK;
}

err rds_RestoreDBClusterFromSnapshot(req *rq, txn *tx, const rds_RestoreDBClusterFromSnapshot_in *in,
                                     rds_RestoreDBClusterFromSnapshot_out *out)
{
	rds_cluster *c;
	rds_cluster_snapshot *s;
	TRY(db_cluster_snapshot_find(rq, tx, in->SnapshotIdentifier, &s));
	if (!str_eq(s->It->Status, S("available")))
		return fail(rq, &rds_InvalidDBClusterSnapshotStateFault,
		            "The snapshot %.*s is not in the available state.", STR_ARG(s->Id));
	TRY(db_cluster_from(rq, tx, s, NULL, in, &c));
	rds_cluster_put(tx, c);
	out->DBCluster = db_cluster_as_creating(rq, c);
	return OK;
}

static const char *const filters[] = { "db-cluster-id", "db-cluster-resource-id", "engine",
	                                   "domain",        "clone-group-id",         NULL };

err rds_DescribeDBClusters(req *rq, const txn *tx, const rds_DescribeDBClusters_in *in,
                           rds_DescribeDBClusters_out *out)
{
	page p;
	rds_cluster *c = NULL;
	TRY(db_filters_known(rq, &in->Filters, filters));
	TRY(db_page_of(rq, in->MaxRecords, in->Marker, &p));
	str wanted = STR_NONE;
	if (str_is(in->DBClusterIdentifier)) {
		TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
		wanted = c->Id;
	}
	record_scan s = rds_cluster_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	out->DBClusters.v = arena_array(rq->mem, rds_DBCluster, p.most);
	while ((c = rds_cluster_next(&s))) {
		bool by_id = db_filter_has(&in->Filters, "db-cluster-id", c->Id)
			|| db_filter_has(&in->Filters, "db-cluster-id", c->It->DBClusterArn);
		if ((str_is(wanted) && !str_eq(wanted, c->Id)) || !by_id
		    || !db_filter_has(&in->Filters, "db-cluster-resource-id", c->It->DbClusterResourceId)
		    || !db_filter_has(&in->Filters, "engine", c->It->Engine)
		    || !db_filter_has(&in->Filters, "domain", STR_NONE)
		    || !db_filter_has(&in->Filters, "clone-group-id", STR_NONE))
			continue;
		if (out->DBClusters.n == p.most) {
			out->Marker = page_token(rq, out->DBClusters.v[p.most - 1].DBClusterIdentifier);
			break;
		}
		c->It->LatestRestorableTime = TIME(rq->now);
		out->DBClusters.v[out->DBClusters.n++] = *c->It;
	}
	cursor_close(&s.at);
	return OK;
}

static err new_password(req *rq, txn *tx, const rds_ModifyDBCluster_in *in, rds_cluster *c)
{
	str verifier;
	master_given given = { c->It->Engine, c->It->DBClusterArn, in->MasterUserPassword,
		                   in->MasterUserSecretKmsKeyId, in->ManageMasterUserPassword,
		                   in->RotateMasterUserPassword, in->ApplyImmediately };
	TRY(db_master_change(rq, tx, &given, c->It->MasterUsername, &c->It->MasterUserSecret, &verifier));
	if (!str_is(verifier))
		return OK;
	rds_instance *writer = db_cluster_writer(tx, rq->mem, c);
	if (!c->Filled) {
		c->Verifier = verifier;
		return OK;
	}
	c->NextVerifier = verifier;
	if (!writer || !str_empty(writer->Job))
		return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s has no available writer.",
		            STR_ARG(c->Id));
	c->It->Status = S("resetting-master-credentials");
	rds_cluster_put(tx, c);
	db_instance_job(tx, writer, S("modifying"), S("modify"));
	return OK;
}

/* Its engines go on meanwhile; what they are called does not depend on it. */
static err check_rename(req *rq, const txn *tx, const rds_ModifyDBCluster_in *in, const rds_cluster *c)
{
	str id = db_lowered(rq, in->NewDBClusterIdentifier);
	TRY(db_check_identifier(rq, in->NewDBClusterIdentifier, "NewDBClusterIdentifier"));
	if (rds_cluster_get(tx, rq->mem, c->Account, c->Region, id))
		return fail(rq, &rds_DBClusterAlreadyExistsFault, "DB Cluster already exists");
	if (!in->ApplyImmediately.set || !in->ApplyImmediately.v)
		return fail(rq, &aws_NotImplemented,
		            "Renaming a DB cluster in its maintenance window is not implemented: apply it at once.");
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, rq->mem, c, all, CLUSTER_MEMBERS_MAX);
	for (size_t k = 0; k < n; k++)
		if (!str_empty(all[k]->Job))
			return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in available state.",
			            STR_ARG(c->Id));
	return OK;
}

err rds_ModifyDBCluster(req *rq, txn *tx, const rds_ModifyDBCluster_in *in, rds_ModifyDBCluster_out *out)
{
	rds_cluster *c;
	rds_parameter_group *g;
	const db_version *v;
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	TRY(db_cluster_ready(rq, c));
	str name = str_is(in->NewDBClusterIdentifier) ? db_lowered(rq, in->NewDBClusterIdentifier) : c->Id;
	if (!str_eq(name, c->Id))
		TRY(check_rename(rq, tx, in, c));
	if (in->Port.set && in->Port.v != c->It->Port.v)
		return fail(rq, &aws_NotImplemented, "Changing the port of a DB cluster is not implemented.");
	if (in->EnableIAMDatabaseAuthentication.set && in->EnableIAMDatabaseAuthentication.v)
		return fail(rq, &aws_NotImplemented, "IAM database authentication is not implemented.");
	TRY(http_endpoint(rq, c->It->Engine, in->EnableHttpEndpoint));
	if (in->EnableHttpEndpoint.set)
		c->It->HttpEndpointEnabled = in->EnableHttpEndpoint;
	if (str_is(in->EngineVersion)) {
		TRY(db_version_find(rq, c->It->Engine, in->EngineVersion, &v));
		if (!str_eq(db_version_series(c->It->Engine, str_c(v->number)),
		            db_version_series(c->It->Engine, c->It->EngineVersion)))
			return fail(rq, &aws_NotImplemented, "Upgrading to another major version is not implemented.");
		c->It->EngineVersion = str_c(v->number);
	}
	if (str_is(in->DBClusterParameterGroupName)) {
		if (!db_default_group(in->DBClusterParameterGroupName))
			TRY(db_parameter_group_find(rq, tx, "cluster-pg", in->DBClusterParameterGroupName, &g));
		c->It->DBClusterParameterGroup = db_lowered(rq, in->DBClusterParameterGroupName);
	}
	rds_CreateDBClusterMessage like = {
		.BackupRetentionPeriod = in->BackupRetentionPeriod,
		.PreferredBackupWindow = in->PreferredBackupWindow,
		.PreferredMaintenanceWindow = in->PreferredMaintenanceWindow,
		.DeletionProtection = in->DeletionProtection,
		.CopyTagsToSnapshot = in->CopyTagsToSnapshot,
		.NetworkType = in->NetworkType,
		.Tags = c->It->TagList,
		.StorageType = str_is(in->StorageType) ? in->StorageType : c->It->StorageType,
		.StorageEncrypted = c->It->StorageEncrypted,
		.KmsKeyId = c->It->KmsKeyId,
		.EnableCloudwatchLogsExports = c->It->EnabledCloudwatchLogsExports,
	};
	TRY(told(rq, &like, c->It));
	const rds_CloudwatchLogsExportConfiguration *logs = in->CloudwatchLogsExportConfiguration;
	if (logs)
		TRY(db_log_types(rq, &logs->EnableLogTypes, &logs->DisableLogTypes, c->It->Engine,
		                 c->It->EngineVersion, &c->It->EnabledCloudwatchLogsExports));
	if (in->VpcSecurityGroupIds.n)
		c->It->VpcSecurityGroups = db_security_groups(rq, &in->VpcSecurityGroupIds);
	TRY(capacity(rq, in->ServerlessV2ScalingConfiguration, c));
	TRY(new_password(rq, tx, in, c));
	rds_cluster_put(tx, c);
	if (!str_eq(name, c->Id))
		db_cluster_rename(tx, rq->mem, c, name, rq->now);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, rq->mem, c, all, CLUSTER_MEMBERS_MAX);
	for (size_t k = 0; k < n; k++)
		db_bill_instance(tx, all[k], rq->now);
	out->DBCluster = c->It;
	return OK;
}

static err turn_endpoint(req *rq, txn *tx, str arn, bool on, str *shown, opt_bool *enabled)
{
	rds_cluster *c;
	err e = db_cluster_find(rq, tx, arn, &c);
	if (e || !str_starts(arn, S("arn:")))
		return fail(rq, &rds_ResourceNotFoundFault, "The specified resource %.*s isn't found.", STR_ARG(arn));
	TRY(http_endpoint(rq, c->It->Engine, BOOL(on)));
	c->It->HttpEndpointEnabled = BOOL(on);
	rds_cluster_put(tx, c);
	*shown = c->It->DBClusterArn;
	*enabled = BOOL(on);
	return OK;
}

err rds_EnableHttpEndpoint(req *rq, txn *tx, const rds_EnableHttpEndpoint_in *in,
                           rds_EnableHttpEndpoint_out *out)
{
	return turn_endpoint(rq, tx, in->ResourceArn, true, &out->ResourceArn, &out->HttpEndpointEnabled);
}

err rds_DisableHttpEndpoint(req *rq, txn *tx, const rds_DisableHttpEndpoint_in *in,
                            rds_DisableHttpEndpoint_out *out)
{
	return turn_endpoint(rq, tx, in->ResourceArn, false, &out->ResourceArn, &out->HttpEndpointEnabled);
}

typedef struct turn {
	const char *from, *cluster, *instance, *job;
} turn;

static err turn_all(req *rq, txn *tx, rds_cluster *c, const turn *t)
{
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, rq->mem, c, all, CLUSTER_MEMBERS_MAX);
	for (size_t k = 0; k < n; k++)
		if (!str_empty(all[k]->Job))
			return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in %s state.",
			            STR_ARG(c->Id), t->from);
	for (size_t k = 0; k < n; k++)
		db_instance_job(tx, all[k], str_c(t->instance), str_c(t->job));
	c->It->Status = str_c(t->cluster);
	if (!n)
		c->It->Status = str_eq(c->It->Status, S("stopping")) ? S("stopped") : S("available");
	c->Paused = false;
	rds_cluster_put(tx, c);
	return OK;
}

err rds_StopDBCluster(req *rq, txn *tx, const rds_StopDBCluster_in *in, rds_StopDBCluster_out *out)
{
	rds_cluster *c;
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	TRY(db_cluster_ready(rq, c));
	TRY(turn_all(rq, tx, c, &(turn){ "available", "stopping", "stopping", "stop" }));
	/* As AWS answers, although it is stopping. */
	out->DBCluster = arena_new(rq->mem, rds_DBCluster);
	*out->DBCluster = *c->It;
	out->DBCluster->Status = S("available");
	return OK;
}

err rds_StartDBCluster(req *rq, txn *tx, const rds_StartDBCluster_in *in, rds_StartDBCluster_out *out)
{
	rds_cluster *c;
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	if (!str_eq(c->It->Status, S("stopped")))
		return fail(rq, &rds_InvalidDBClusterStateFault, "DbCluster %.*s is not in stopped state.",
		            STR_ARG(c->Id));
	TRY(turn_all(rq, tx, c, &(turn){ "stopped", "starting", "starting", "start" }));
	out->DBCluster = c->It;
	return OK;
}

err rds_DeleteDBCluster(req *rq, txn *tx, const rds_DeleteDBCluster_in *in, rds_DeleteDBCluster_out *out)
{
	rds_cluster *c;
	bool skip = in->SkipFinalSnapshot.set && in->SkipFinalSnapshot.v,
		 named = str_is(in->FinalDBSnapshotIdentifier);
	TRY(db_cluster_find(rq, tx, in->DBClusterIdentifier, &c));
	if (c->It->DeletionProtection.v)
		return fail(rq, &rds_InvalidParameterCombination,
		            "Cannot delete protected Cluster, please disable deletion protection and try again.");
	if (skip && named)
		return fail(rq, &rds_InvalidParameterCombination,
		            "FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is true.");
	if (!skip && !named)
		return fail(rq, &rds_InvalidParameterCombination,
		            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, rq->mem, c, all, CLUSTER_MEMBERS_MAX);
	bool leaving = true;
	for (size_t k = 0; k < n; k++)
		leaving = leaving && str_eq(all[k]->Job, S("delete"));
	if (!leaving)
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "Cluster cannot be deleted, it still contains DB instances in non-deleting state.");
	if (named && n)
		return fail(rq, &rds_InvalidDBClusterStateFault,
		            "Cluster cannot be deleted with a final snapshot while its instances are being deleted.");
	if (named)
		TRY(db_cluster_snapshot_last(rq, tx, c, in->FinalDBSnapshotIdentifier));
	db_secret_drop(rq, tx, c->It->MasterUserSecret);
	db_bill_cluster_storage(tx, c, 0, rq->now);
	c->It->Status = S("deleting");
	if (n) {
		/* The last instance to go takes the cluster with it. */
		rds_cluster_put(tx, c);
	} else {
		db_cluster_backups_end(tx, rq->mem, c);
		db_cluster_endpoints_end(tx, rq->mem, c);
		rds_cluster_delete(tx, c->Account, c->Region, c->Id);
		if (!named)
			task_add(tx, "rds_remove", c->Folder, 0);
	}
	out->DBCluster = c->It;
	return OK;
}
