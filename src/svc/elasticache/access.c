/*
 * What the operations are called in policies, and on which caches they act. Whoever makes one also needs
 * leave to use the groups and snapshots it is made of.
 */
#include "cloud/authorise.h"
#include "gen/elasticache.h"

/* Which member names what. */
static const struct { const char *member, *kind; } parts[] = {
	{ "ReplicationGroupId", "replicationgroup" }, { "CacheClusterId", "cluster" },
	{ "CacheParameterGroupName", "parametergroup" }, { "CacheSubnetGroupName", "subnetgroup" },
	{ "SnapshotName", "snapshot" }, { "SourceSnapshotName", "snapshot" },
	{ "TargetSnapshotName", "snapshot" }, { "UserId", "user" }, { "UserGroupId", "usergroup" },
	{ "ReservedCacheNodeId", "reserved-instance" }, { "ServerlessCacheName", "serverlesscache" },
	{ "ServerlessCacheSnapshotName", "serverlesscachesnapshot" },
};

static size_t named(req *rq, const txn *tx, const void *in, str **arns)
{
	(void)tx;
	size_t n = 0, most = sizeof parts / sizeof *parts;
	*arns = arena_array(rq->mem, str, most + 1);
	for (size_t i = 0; i < most; i++) {
		str name = access_member(rq, in, str_c(parts[i].member));
		if (str_is(name))
			(*arns)[n++] =
				req_arn(rq, "elasticache", "%s:%.*s", parts[i].kind, STR_ARG(arena_lower(rq->mem, name)));
	}
	if (!n)
		(*arns)[n++] = S("*");
	return n;
}

#define ON(operation) { operation, NULL, NULL, named }
#define ON_ARN(operation) { operation, NULL, "{ResourceName}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(elasticache, "elasticache", NULL,
	ON("CreateCacheCluster"), ON("ModifyCacheCluster"), ON("RebootCacheCluster"), ON("DeleteCacheCluster"),
	ON("DescribeCacheClusters"), ON("CreateReplicationGroup"), ON("ModifyReplicationGroup"),
	ON("ModifyReplicationGroupShardConfiguration"), ON("DeleteReplicationGroup"),
	ON("DescribeReplicationGroups"), ON("IncreaseReplicaCount"), ON("DecreaseReplicaCount"),
	ON("TestFailover"),
	ON("CreateCacheParameterGroup"), ON("ModifyCacheParameterGroup"), ON("ResetCacheParameterGroup"),
	ON("DeleteCacheParameterGroup"), ON("DescribeCacheParameterGroups"), ON("DescribeCacheParameters"),
	ON("CreateCacheSubnetGroup"), ON("ModifyCacheSubnetGroup"), ON("DeleteCacheSubnetGroup"),
	ON("DescribeCacheSubnetGroups"), ON("CreateSnapshot"), ON("CopySnapshot"), ON("DeleteSnapshot"),
	ON("DescribeSnapshots"), ON("CreateUser"), ON("ModifyUser"), ON("DeleteUser"), ON("DescribeUsers"),
	ON("CreateUserGroup"), ON("ModifyUserGroup"), ON("DeleteUserGroup"), ON("DescribeUserGroups"),
	ON("ListAllowedNodeTypeModifications"), ON("DescribeReservedCacheNodes"),
	ON("PurchaseReservedCacheNodesOffering"), ON("CreateServerlessCache"), ON("ModifyServerlessCache"),
	ON("DeleteServerlessCache"), ON("DescribeServerlessCaches"), ON("CreateServerlessCacheSnapshot"),
	ON("DeleteServerlessCacheSnapshot"), ON("DescribeServerlessCacheSnapshots"),
	ON_ARN("AddTagsToResource"), ON_ARN("RemoveTagsFromResource"), ON_ARN("ListTagsForResource"),
	ON_ALL("DescribeCacheEngineVersions"), ON_ALL("DescribeEngineDefaultParameters"),
	ON_ALL("DescribeEvents"),
	ON_ALL("DescribeReservedCacheNodesOfferings"), ON_ALL("DescribeServiceUpdates"),
	ON_ALL("DescribeUpdateActions"), ON_ALL("DescribeCacheSecurityGroups"),
	ON_ALL("DescribeGlobalReplicationGroups"), ON("BatchApplyUpdateAction"), ON("BatchStopUpdateAction"));
