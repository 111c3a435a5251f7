/*
 * What the operations are called in policies, and on which databases they act. Whoever makes a database also
 * needs leave to use the groups and snapshots it is made of.
 */
#include "cloud/authorise.h"
#include "cloud/target.h"
#include "gen/rds.h"

/* Which member names what; the order is AWS's: what is acted upon first. */
static const struct { const char *member, *kind; } parts[] = {
	{ "DBClusterSnapshotIdentifier", "cluster-snapshot" }, { "DBSnapshotIdentifier", "snapshot" },
	{ "DBInstanceIdentifier", "db" }, { "SourceDBInstanceIdentifier", "db" },
	{ "TargetDBInstanceIdentifier", "db" }, { "DBClusterIdentifier", "cluster" },
	{ "DBParameterGroupName", "pg" }, { "DBClusterParameterGroupName", "cluster-pg" },
	{ "DBSubnetGroupName", "subgrp" }, { "OptionGroupName", "og" },
};

static str lower_arn(req *rq, const char *kind, str name)
{
	return str_starts(name, S("arn:")) ? name :
		req_arn(rq, "rds", "%s:%.*s", kind, STR_ARG(arena_lower(rq->mem, name)));
}

static size_t named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	size_t n = 0, most = sizeof parts / sizeof *parts;
	*arns = arena_array(rq->mem, str, most + 1);
	for (size_t i = 0; i < most; i++) {
		str name = access_member(rq, in, str_c(parts[i].member));
		if (str_is(name))
			(*arns)[n++] = lower_arn(rq, parts[i].kind, name);
	}
	str role = access_member(rq, in, S("MonitoringRoleArn")); /* it is handed over to the monitoring */
	if (str_is(role))
		(*arns)[n++] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(role));
	return n;
}

/* One kind, all of it when none is named. */
static size_t described(req *rq, const txn *tx, const void *in, str **arns)
{
	static const struct { const char *operation, *member, *kind; } what[] = {
		{ "DescribeDBInstances", "DBInstanceIdentifier", "db" },
		{ "DescribeDBClusters", "DBClusterIdentifier", "cluster" },
		{ "DescribeDBSnapshots", "DBSnapshotIdentifier", "snapshot" },
		{ "DescribeDBClusterSnapshots", "DBClusterSnapshotIdentifier", "cluster-snapshot" },
		{ "DescribeDBParameterGroups", "DBParameterGroupName", "pg" },
		{ "DescribeDBParameters", "DBParameterGroupName", "pg" },
		{ "DescribeDBClusterParameterGroups", "DBClusterParameterGroupName", "cluster-pg" },
		{ "DescribeDBClusterParameters", "DBClusterParameterGroupName", "cluster-pg" },
		{ "DescribeDBSubnetGroups", "DBSubnetGroupName", "subgrp" },
		{ "DescribeEvents", "SourceIdentifier", "es" },
	};
	(void)tx;
	*arns = arena_new(rq->mem, str);
	**arns = S("*");
	for (size_t i = 0; i < sizeof what / sizeof *what; i++)
		if (strcmp(what[i].operation, rq->op->name) == 0) {
			str name = access_member(rq, in, str_c(what[i].member));
			**arns = lower_arn(rq, what[i].kind, str_is(name) ? name : S("*"));
		}
	return 1;
}

static size_t restored(req *rq, const txn *tx, const void *in, str **arns)
{
	str *v, snapshot = access_member(rq, in, S("SnapshotIdentifier"));
	size_t n = named(rq, tx, in, &v);
	*arns = arena_array(rq->mem, str, n + 1);
	for (size_t i = 0; i < n; i++)
		(*arns)[i] = v[i];
	if (str_is(snapshot))
		(*arns)[n++] = lower_arn(rq, "cluster-snapshot", snapshot);
	return n;
}

#define ON(operation) { operation, NULL, NULL, named }
#define LOOK(operation) { operation, NULL, NULL, described }
#define ON_ARN(operation) { operation, NULL, "{ResourceName}", NULL }
/* A proxy's ARN has an id that only its description tells. */
#define ON_PROXY(operation) { operation, NULL, "db-proxy:*", NULL }
#define GLOBAL "arn:aws:rds::{account}:global-cluster:{GlobalClusterIdentifier}"
#define ON_GLOBAL(operation) { operation, NULL, GLOBAL, NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(rds, "rds", NULL,
	ON("CreateDBInstance"), ON("ModifyDBInstance"), ON("RebootDBInstance"), ON("StartDBInstance"),
	ON("StopDBInstance"), ON("DeleteDBInstance"), ON("PromoteReadReplica"), ON("CreateDBInstanceReadReplica"),
	ON("CreateDBCluster"), ON("ModifyDBCluster"), ON("StartDBCluster"), ON("StopDBCluster"),
	ON("DeleteDBCluster"), ON("FailoverDBCluster"), ON("RebootDBCluster"), ON("CreateDBSnapshot"),
	ON("DeleteDBSnapshot"), ON("CreateDBClusterSnapshot"), ON("DeleteDBClusterSnapshot"),
	ON("RestoreDBInstanceFromDBSnapshot"), ON("RestoreDBInstanceToPointInTime"),
	ON("RestoreDBClusterToPointInTime"), { "RestoreDBClusterFromSnapshot", NULL, NULL, restored },
	ON("CreateDBParameterGroup"), ON("ModifyDBParameterGroup"), ON("ResetDBParameterGroup"),
	ON("DeleteDBParameterGroup"), ON("CreateDBClusterParameterGroup"), ON("ModifyDBClusterParameterGroup"),
	ON("ResetDBClusterParameterGroup"), ON("DeleteDBClusterParameterGroup"), ON("CreateDBSubnetGroup"),
	ON("ModifyDBSubnetGroup"), ON("DeleteDBSubnetGroup"), ON("DescribeDBLogFiles"),
	ON("DownloadDBLogFilePortion"), ON("ModifyDBSnapshot"), ON("DescribeDBSnapshotAttributes"),
	ON("ModifyDBSnapshotAttribute"), ON("DescribeDBClusterSnapshotAttributes"),
	ON("ModifyDBClusterSnapshotAttribute"),
	LOOK("DescribeDBInstances"), LOOK("DescribeDBClusters"), LOOK("DescribeDBSnapshots"),
	LOOK("DescribeDBClusterSnapshots"), LOOK("DescribeDBParameterGroups"), LOOK("DescribeDBParameters"),
	LOOK("DescribeDBClusterParameterGroups"), LOOK("DescribeDBClusterParameters"),
	LOOK("DescribeDBSubnetGroups"), LOOK("DescribeEvents"),
	{ "CopyDBSnapshot", NULL, "snapshot:{TargetDBSnapshotIdentifier}", NULL },
	{ "CopyDBClusterSnapshot", NULL, "cluster-snapshot:{TargetDBClusterSnapshotIdentifier}", NULL },
	{ "CopyDBParameterGroup", NULL, "pg:{TargetDBParameterGroupIdentifier}", NULL },
	{ "CopyDBClusterParameterGroup", NULL, "cluster-pg:{TargetDBClusterParameterGroupIdentifier}", NULL },
	ON_GLOBAL("DescribeGlobalClusters"),
	ON_ARN("AddTagsToResource"), ON_ARN("RemoveTagsFromResource"), ON_ARN("ListTagsForResource"),
	ON_ALL("DescribeDBEngineVersions"), ON_ALL("DescribeOrderableDBInstanceOptions"),
	ON_ALL("DescribeEngineDefaultParameters"), ON_ALL("DescribeEngineDefaultClusterParameters"),
	ON_ALL("DescribeEventCategories"), ON_ALL("DescribeCertificates"), ON_ALL("DescribeAccountAttributes"),
	ON_ALL("DescribePendingMaintenanceActions"), ON_ALL("DescribeOptionGroups"),
	ON_ALL("DescribeDBInstanceAutomatedBackups"), ON_ALL("DescribeReservedDBInstances"),
	ON_ALL("DescribeValidDBInstanceModifications"),
	ON("AddRoleToDBCluster"), ON("AddRoleToDBInstance"),
	{ "AddSourceIdentifierToSubscription", NULL, "es:{SubscriptionName}", NULL },
	ON_ALL("ApplyPendingMaintenanceAction"), ON_ALL("AuthorizeDBSecurityGroupIngress"),
	ON("BacktrackDBCluster"), ON_ALL("CancelExportTask"), ON_ALL("CopyOptionGroup"),
	ON_ALL("CreateBlueGreenDeployment"), ON_ALL("CreateCustomDBEngineVersion"),
	ON("CreateDBClusterEndpoint"), ON_PROXY("CreateDBProxy"), ON_PROXY("CreateDBProxyEndpoint"),
	ON_ALL("CreateDBSecurityGroup"), ON("CreateDBShardGroup"),
	{ "CreateEventSubscription", NULL, "es:{SubscriptionName}", NULL },
	ON_GLOBAL("CreateGlobalCluster"),
	ON_ALL("CreateIntegration"), { "CreateOptionGroup", NULL, "og:{OptionGroupName}", NULL },
	ON("CreateTenantDatabase"), ON_ALL("DeleteBlueGreenDeployment"), ON_ALL("DeleteCustomDBEngineVersion"),
	ON_ALL("DeleteDBClusterAutomatedBackup"), ON_ALL("DeleteDBClusterEndpoint"),
	ON_ALL("DeleteDBInstanceAutomatedBackup"), ON_PROXY("DeleteDBProxy"), ON_PROXY("DeleteDBProxyEndpoint"),
	ON_ALL("DeleteDBSecurityGroup"), ON_ALL("DeleteDBShardGroup"),
	{ "DeleteEventSubscription", NULL, "es:{SubscriptionName}", NULL },
	ON_GLOBAL("DeleteGlobalCluster"),
	ON_ALL("DeleteIntegration"), { "DeleteOptionGroup", NULL, "og:{OptionGroupName}", NULL },
	ON("DeleteTenantDatabase"), ON_PROXY("DeregisterDBProxyTargets"),
	ON_ALL("DescribeBlueGreenDeployments"), ON("DescribeDBClusterAutomatedBackups"),
	ON("DescribeDBClusterBacktracks"), ON("DescribeDBClusterEndpoints"),
	ON_ALL("DescribeDBMajorEngineVersions"), ON_PROXY("DescribeDBProxies"),
	ON_PROXY("DescribeDBProxyEndpoints"), ON_PROXY("DescribeDBProxyTargetGroups"),
	ON_PROXY("DescribeDBProxyTargets"), ON_ALL("DescribeDBRecommendations"),
	ON_ALL("DescribeDBSecurityGroups"), ON_ALL("DescribeDBShardGroups"),
	ON("DescribeDBSnapshotTenantDatabases"),
	{ "DescribeEventSubscriptions", NULL, "es:{SubscriptionName}", NULL }, ON_ALL("DescribeExportTasks"),
	ON_ALL("DescribeIntegrations"), ON_ALL("DescribeOptionGroupOptions"),
	ON_ALL("DescribeReservedDBInstancesOfferings"), ON_ALL("DescribeServerlessV2PlatformVersions"),
	ON_ALL("DescribeSourceRegions"), ON("DescribeTenantDatabases"), ON_ALL("DisableHttpEndpoint"),
	ON_ALL("EnableHttpEndpoint"),
	ON_GLOBAL("FailoverGlobalCluster"),
	ON_ALL("ModifyActivityStream"), ON_ALL("ModifyCertificates"), ON("ModifyCurrentDBClusterCapacity"),
	ON_ALL("ModifyCustomDBEngineVersion"), ON_ALL("ModifyDBClusterEndpoint"), ON_PROXY("ModifyDBProxy"),
	ON_PROXY("ModifyDBProxyEndpoint"), ON_PROXY("ModifyDBProxyTargetGroup"),
	ON_ALL("ModifyDBRecommendation"), ON_ALL("ModifyDBShardGroup"),
	{ "ModifyEventSubscription", NULL, "es:{SubscriptionName}", NULL },
	ON_GLOBAL("ModifyGlobalCluster"),
	ON_ALL("ModifyIntegration"), { "ModifyOptionGroup", NULL, "og:{OptionGroupName}", NULL },
	ON("ModifyTenantDatabase"), ON("PromoteReadReplicaDBCluster"),
	ON_ALL("PurchaseReservedDBInstancesOffering"), ON_ALL("RebootDBShardGroup"),
	ON_PROXY("RegisterDBProxyTargets"),
	ON_GLOBAL("RemoveFromGlobalCluster"),
	ON("RemoveRoleFromDBCluster"), ON("RemoveRoleFromDBInstance"),
	{ "RemoveSourceIdentifierFromSubscription", NULL, "es:{SubscriptionName}", NULL },
	ON("RestoreDBClusterFromS3"), ON("RestoreDBInstanceFromS3"), ON_ALL("RevokeDBSecurityGroupIngress"),
	ON_ALL("StartActivityStream"), ON_ALL("StartDBInstanceAutomatedBackupsReplication"),
	ON_ALL("StartExportTask"), ON_ALL("StopActivityStream"),
	ON_ALL("StopDBInstanceAutomatedBackupsReplication"), ON_ALL("SwitchoverBlueGreenDeployment"),
	ON_GLOBAL("SwitchoverGlobalCluster"),
	ON("SwitchoverReadReplica"));

static const policy_key *find_key(asking *a, str name)
{
	static const struct { const char *key, *member; } keys[] = {
		{ "rds:DatabaseClass", "DBInstanceClass" },
		{ "rds:DatabaseEngine", "Engine" }, { "rds:DatabaseName", "DBName" },
		{ "rds:MultiAz", "MultiAZ" }, { "rds:StorageEncrypted", "StorageEncrypted" },
		{ "rds:StorageSize", "AllocatedStorage" }, { "rds:Piops", "Iops" },
		{ "rds:ManageMasterUserPassword", "ManageMasterUserPassword" },
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(name, str_c(keys[i].key)))
			return asking_value(a, name, asking_member(a, keys[i].member));
	return NULL;
}
ACCESS_KEYS(rds, "rds", find_key);

static const policy_key *tags_of(const txn *tx, arena *mem, str arn)
{
	arn_parts a;
	if (!arn_split(arn, &a))
		return NULL;
	str name = a.resource, kind = str_cut(&name, ':');
	if (str_eq(kind, S("db"))) {
		rds_instance *i = rds_instance_get(tx, mem, a.account, a.region, name);
		return i ? RESOURCE_TAG_KEYS(mem, i->It->TagList, Key, Value) : NULL;
	}
	if (str_eq(kind, S("cluster"))) {
		rds_cluster *c = rds_cluster_get(tx, mem, a.account, a.region, name);
		return c ? RESOURCE_TAG_KEYS(mem, c->It->TagList, Key, Value) : NULL;
	}
	if (str_eq(kind, S("snapshot"))) {
		rds_snapshot *s = rds_snapshot_get(tx, mem, a.account, a.region, name);
		return s ? RESOURCE_TAG_KEYS(mem, s->It->TagList, Key, Value) : NULL;
	}
	return NULL;
}
RESOURCE_TAGS(rds, tags_of);
