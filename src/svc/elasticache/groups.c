#include "groups.h"
#include "base/digest.h"

#define ID_MOST 40
#define PORT 6379
#define SLOTS 16384
#define REPLICAS_MAX 5
#define SHARDS_MAX 90

err cache_group_find(req *rq, const txn *tx, str id, elasticache_group **out)
{
	*out = elasticache_group_get(tx, rq->mem, rq->who.account, rq->region, cache_lowered(rq, id));
	if (!*out)
		return fail(rq, &elasticache_ReplicationGroupNotFoundFault, "ReplicationGroup %.*s not found.",
		            STR_ARG(id));
	return OK;
}

err cache_group_ready(req *rq, const elasticache_group *g)
{
	if (str_empty(g->Job) && str_eq(g->It->Status, S("available")))
		return OK;
	return fail(rq, &elasticache_InvalidReplicationGroupStateFault,
	            "Replication group %.*s is not in available state.", STR_ARG(g->Id));
}

bool cache_group_clustered(const elasticache_group *g) { return g->It->ClusterEnabled.v; }

size_t cache_group_members(const txn *tx, arena *mem, const elasticache_group *g, elasticache_cluster ***out)
{
	size_t n = 0;
	*out = arena_array(mem, elasticache_cluster *, CACHE_MEMBERS_MAX);
	record_scan s = elasticache_cluster_scan(tx, mem, 2, g->Account, g->Region, STR_NONE);
	for (elasticache_cluster *c; n < CACHE_MEMBERS_MAX && (c = elasticache_cluster_next(&s));)
		if (str_eq(c->It->ReplicationGroupId, g->Id))
			(*out)[n++] = c;
	cursor_close(&s.at);
	return n;
}

static elasticache_NodeGroupMember member_shown(req *rq, const elasticache_cluster *c, bool clustered)
{
	(void)rq;
	return (elasticache_NodeGroupMember){
		.CacheClusterId = c->Id,
		.CacheNodeId = S("0001"),
		.ReadEndpoint = clustered ? NULL : c->It->CacheNodes.v[0].Endpoint,
		.PreferredAvailabilityZone = c->It->PreferredAvailabilityZone,
		.CurrentRole = clustered ? STR_NONE
			: c->Primary         ? S("primary")
								 : S("replica"),
	};
}

elasticache_ReplicationGroup *cache_group_shown(req *rq, const txn *tx, const elasticache_group *g)
{
	elasticache_ReplicationGroup *it = arena_new(rq->mem, elasticache_ReplicationGroup);
	elasticache_cluster **all;
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	*it = *g->It;
	it->MemberClusters = (elasticache_ClusterIdList){ arena_array(rq->mem, str, n + 1), 0 };
	it->NodeGroups.v = arena_array(rq->mem, elasticache_NodeGroup, g->It->NodeGroups.n + 1);
	for (size_t k = 0; k < g->It->NodeGroups.n; k++) {
		elasticache_NodeGroup *to = &it->NodeGroups.v[k];
		*to = g->It->NodeGroups.v[k];
		to->Status = it->Status;
		to->NodeGroupMembers =
			(elasticache_NodeGroupMemberList){ arena_array(rq->mem, elasticache_NodeGroupMember, n + 1), 0 };
		if (!it->ClusterEnabled.v)
			to->Slots = STR_NONE;
		for (size_t i = 0; i < n; i++)
			if (str_eq(all[i]->NodeGroup, to->NodeGroupId))
				to->NodeGroupMembers.v[to->NodeGroupMembers.n++] =
					member_shown(rq, all[i], it->ClusterEnabled.v);
	}
	for (size_t i = 0; i < n; i++) {
		it->MemberClusters.v[it->MemberClusters.n++] = all[i]->Id;
		if (it->SnapshotRetentionLimit.v && !it->ClusterEnabled.v && !str_is(it->SnapshottingClusterId)
		    && (!all[i]->Primary || n == 1))
			it->SnapshottingClusterId = all[i]->Id;
	}
	return it;
}

/* What the request comes to. */
typedef struct plan {
	str id, engine, parameters, subnets;
	const cache_version *version;
	size_t shards, replicas;
	bool clustered;
	int64_t port;
	elasticache_snapshot *from;
} plan;

static err unsupported(req *rq, const elasticache_CreateReplicationGroup_in *in)
{
	const char *what = str_is(in->GlobalReplicationGroupId) ? "Global datastores"
		: str_is(in->PrimaryClusterId)                      ? "Making a group of an existing cache cluster"
		: in->LogDeliveryConfigurations.n                   ? "Log delivery"
		: in->SnapshotArns.n                                ? "Seeding a cache from files in S3"
		: in->DataTieringEnabled.v                          ? "Data tiering"
		: str_is(in->ServerlessCacheSnapshotName)           ? "Restoring a serverless cache's snapshot"
		: str_eq(in->TransitEncryptionMode, S("preferred")) ? "Transit encryption mode preferred"
		: str_eq(in->ClusterMode, S("compatible"))          ? "Cluster mode compatible"
		: (str_is(in->NetworkType) && !str_eq(in->NetworkType, S("ipv4")))
			|| (str_is(in->IpDiscovery) && !str_eq(in->IpDiscovery, S("ipv4")))
		? "IPv6"
		: NULL;
	return what ? fail(rq, &aws_NotImplemented, "%s is not implemented for replication groups.", what) : OK;
}

static err shape_of(req *rq, const elasticache_CreateReplicationGroup_in *in, plan *p)
{
	const fault_kind *combination = &elasticache_InvalidParameterCombinationException;
	bool failover = in->AutomaticFailoverEnabled.v;
	p->shards = in->NumNodeGroups.set  ? (size_t)in->NumNodeGroups.v
		: in->NodeGroupConfiguration.n ? in->NodeGroupConfiguration.n
									   : 1;
	if (in->NumCacheClusters.set && in->ReplicasPerNodeGroup.set)
		return fail(rq, combination, "Cannot specify both NumCacheClusters and ReplicasPerNodeGroup.");
	if ((in->NumNodeGroups.set && (in->NumNodeGroups.v < 1 || in->NumNodeGroups.v > SHARDS_MAX)))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The number of node groups must be within 1 and %d.", SHARDS_MAX);
	int64_t copies = in->NumCacheClusters.set ? in->NumCacheClusters.v - 1
		: in->ReplicasPerNodeGroup.set        ? in->ReplicasPerNodeGroup.v
		: in->NodeGroupConfiguration.n && in->NodeGroupConfiguration.v[0].ReplicaCount.set
		? in->NodeGroupConfiguration.v[0].ReplicaCount.v
		: p->clustered || p->shards > 1 ? 1
										: 0;
	if (copies < 0 || copies > REPLICAS_MAX)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The number of replicas per node group must be within 0 and %d.", REPLICAS_MAX);
	p->replicas = (size_t)copies;
	if (in->NodeGroupConfiguration.n && in->NodeGroupConfiguration.n != p->shards)
		return fail(rq, combination,
		            "The number of node group configurations must match the number of node groups.");
	if (p->shards > 1 && !p->clustered)
		return fail(rq, combination,
		            "Use of multiple node groups requires a parameter group with cluster mode enabled.");
	if (p->clustered && !failover)
		return fail(rq, combination,
		            "Redis with cluster mode enabled cannot be created with auto failover turned off.");
	if (!p->clustered && failover && !p->replicas)
		return fail(
			rq, combination,
			"When using automatic failover, there must be at least 2 cache clusters in the replication "
			"group.");
	if (in->MultiAZEnabled.v && !failover)
		return fail(rq, combination, "Multi-AZ requires automatic failover to be enabled.");
	return OK;
}

static err check(req *rq, const txn *tx, const elasticache_CreateReplicationGroup_in *in, plan *p)
{
	TRY(cache_check_name(rq, p->id, "ReplicationGroupId", ID_MOST));
	if (str_empty(in->ReplicationGroupDescription))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The parameter ReplicationGroupDescription must be provided and must not be blank.");
	TRY(unsupported(rq, in));
	TRY(cache_check_node_type(rq, in->CacheNodeType));
	TRY(cache_check_port(rq, in->Port));
	TRY(cache_check_retention(rq, in->SnapshotRetentionLimit));
	if (elasticache_group_get(tx, rq->mem, rq->who.account, rq->region, p->id))
		return fail(rq, &elasticache_ReplicationGroupAlreadyExistsFault,
		            "Replication group with specified name already exists.");
	TRY(cache_version_find(rq, p->engine, in->EngineVersion, &p->version));
	bool on = str_eq(in->ClusterMode, S("enabled")) || (in->NumNodeGroups.set && in->NumNodeGroups.v > 1)
		|| in->NodeGroupConfiguration.n > 1;
	TRY(cache_parameter_group_for(rq, tx, in->CacheParameterGroupName, p->version, on, &p->parameters));
	p->clustered = str_eq(in->ClusterMode, S("enabled"))
		|| cache_parameter_group_clustered(tx, rq->mem, rq->who.account, rq->region, p->parameters);
	TRY(shape_of(rq, in, p));
	TRY(cache_subnet_group_check(rq, tx, &p->subnets));
	if (str_is(in->AuthToken))
		TRY(cache_check_token(rq, in->AuthToken, in->TransitEncryptionEnabled.v));
	if (in->UserGroupIds.n && str_is(in->AuthToken))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "AuthToken and UserGroupIds cannot be specified together.");
	if (in->UserGroupIds.n && !in->TransitEncryptionEnabled.v)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "User groups require encryption in transit to be enabled.");
	if (in->UserGroupIds.n > 1)
		return fail(rq, &elasticache_InvalidParameterCombinationException, CACHE_ONE_USER_GROUP);
	for (size_t i = 0; i < in->UserGroupIds.n; i++)
		TRY(cache_user_group_check(rq, tx, in->UserGroupIds.v[i]));
	if (str_is(in->SnapshotName)) {
		TRY(cache_snapshot_find(rq, tx, in->SnapshotName, &p->from));
		if (p->from->It->NodeSnapshots.n != p->shards)
			return fail(rq, &elasticache_InvalidParameterValueException,
			            "The snapshot %.*s has %zu shards; restoring it into %zu is not possible.",
			            STR_ARG(p->from->Name), p->from->It->NodeSnapshots.n, p->shards);
	}
	return cache_node_quota(rq, tx, p->shards * (p->replicas + 1));
}

elasticache_Endpoint *cache_endpoint_new(req *rq, const txn *tx, int64_t port)
{
	elasticache_Endpoint *e = arena_new(rq->mem, elasticache_Endpoint);
	*e = (elasticache_Endpoint){ cache_address_new(rq, tx, (int)port), I64(port) };
	return e;
}

static void node_groups(req *rq, const txn *tx, const elasticache_CreateReplicationGroup_in *in,
                        const plan *p, elasticache_ReplicationGroup *it)
{
	it->NodeGroups.v = arena_array(rq->mem, elasticache_NodeGroup, p->shards);
	for (size_t i = 0; i < p->shards; i++) {
		size_t from = i * SLOTS / p->shards, to = (i + 1) * SLOTS / p->shards - 1;
		const elasticache_NodeGroupConfiguration *c =
			in->NodeGroupConfiguration.n ? &in->NodeGroupConfiguration.v[i] : NULL;
		it->NodeGroups.v[i] = (elasticache_NodeGroup){
			.NodeGroupId = arena_fmt(rq->mem, "%04zu", i + 1),
			.Slots = c && str_is(c->Slots) ? c->Slots : arena_fmt(rq->mem, "%zu-%zu", from, to),
			.PrimaryEndpoint = p->clustered ? NULL : cache_endpoint_new(rq, tx, p->port),
			.ReaderEndpoint = p->clustered ? NULL : cache_endpoint_new(rq, tx, p->port),
		};
	}
	it->NodeGroups.n = p->shards;
	if (p->clustered)
		it->ConfigurationEndpoint = cache_endpoint_new(rq, tx, p->port);
}

static str zone_for(const elasticache_CreateReplicationGroup_in *in, const plan *p, size_t shard, size_t copy)
{
	if (shard < in->NodeGroupConfiguration.n) {
		const elasticache_NodeGroupConfiguration *c = &in->NodeGroupConfiguration.v[shard];
		/* By their ids, wherever they stand in the list. */
		for (size_t i = 0; i < in->NodeGroupConfiguration.n; i++) {
			int64_t id = 0;
			if (str_to_i64(in->NodeGroupConfiguration.v[i].NodeGroupId, &id) && (size_t)id == shard + 1)
				c = &in->NodeGroupConfiguration.v[i];
		}
		if (!copy)
			return c->PrimaryAvailabilityZone;
		return copy <= c->ReplicaAvailabilityZones.n ? c->ReplicaAvailabilityZones.v[copy - 1] : STR_NONE;
	}
	return !p->clustered && copy < in->PreferredCacheClusterAZs.n ? in->PreferredCacheClusterAZs.v[copy]
																  : STR_NONE;
}

str cache_member_id(arena *a, const elasticache_group *g, str node_group, size_t copy)
{
	if (cache_group_clustered(g))
		return arena_fmt(a, "%.*s-%.*s-%03zu", STR_ARG(g->Id), STR_ARG(node_group), copy + 1);
	return arena_fmt(a, "%.*s-%03zu", STR_ARG(g->Id), copy + 1);
}

static err members(req *rq, txn *tx, const elasticache_CreateReplicationGroup_in *in, const plan *p,
                   const elasticache_group *g)
{
	for (size_t i = 0; i < p->shards; i++)
		for (size_t k = 0; k <= p->replicas; k++) {
			elasticache_cluster *c;
			str node_group = g->It->NodeGroups.v[i].NodeGroupId;
			cache_facts f = { .id = cache_member_id(rq->mem, g, node_group, k),
				              .engine = p->engine,
				              .node_type = in->CacheNodeType,
				              .zone = zone_for(in, p, i, k),
				              .subnet_group = p->subnets,
				              .parameter_group = p->parameters,
				              .group = g->Id,
				              .node_group = node_group,
				              .version = p->version,
				              .port = p->port,
				              .groups = &in->SecurityGroupIds,
				              .auto_minor = in->AutoMinorVersionUpgrade,
				              .tls = in->TransitEncryptionEnabled.v,
				              .token = str_is(in->AuthToken),
				              .at_rest = in->AtRestEncryptionEnabled.v,
				              .primary = k == 0 };
			TRY(cache_cluster_new(rq, tx, &f, &c));
			c->It->SnapshotWindow = g->It->SnapshotWindow;
			TRY(cache_windows_set(rq, in->SnapshotWindow, in->PreferredMaintenanceWindow,
			                      &c->It->SnapshotWindow, &c->It->PreferredMaintenanceWindow));
			c->It->SnapshotRetentionLimit = g->It->SnapshotRetentionLimit;
			TRY(cache_topic_set(rq, in->NotificationTopicArn, STR_NONE, &c->It->NotificationConfiguration));
			elasticache_cluster_put(tx, c);
		}
	return OK;
}

err elasticache_CreateReplicationGroup(req *rq, txn *tx, const elasticache_CreateReplicationGroup_in *in,
                                       elasticache_CreateReplicationGroup_out *out)
{
	str engine = str_is(in->Engine) ? cache_lowered(rq, in->Engine) : S("redis"), unused = STR_NONE;
	plan p = { .id = cache_lowered(rq, in->ReplicationGroupId),
		       .engine = engine,
		       .subnets = in->CacheSubnetGroupName,
		       .port = in->Port.set ? in->Port.v : PORT };
	bool tls = in->TransitEncryptionEnabled.v;
	TRY(cache_tags_check(rq, &in->Tags));
	TRY(check(rq, tx, in, &p));
	elasticache_group g = { .Account = rq->who.account,
		                    .Region = rq->region,
		                    .Id = p.id,
		                    .Tags = in->Tags,
		                    .Secret = cache_secret_new(rq->mem),
		                    .Port = p.port,
		                    .Engine = engine,
		                    .Version = str_c(p.version->number),
		                    .Parameters = p.parameters,
		                    .From = p.from ? p.from->Name : STR_NONE };
	g.It = arena_new(rq->mem, elasticache_ReplicationGroup);
	*g.It = (elasticache_ReplicationGroup){
		.ReplicationGroupId = p.id,
		.Description = in->ReplicationGroupDescription,
		.PendingModifiedValues = arena_new(rq->mem, elasticache_ReplicationGroupPendingModifiedValues),
		.AutomaticFailover = in->AutomaticFailoverEnabled.v ? S("enabled") : S("disabled"),
		.MultiAZ = in->MultiAZEnabled.v ? S("enabled") : S("disabled"),
		.SnapshotRetentionLimit = in->SnapshotRetentionLimit.set ? in->SnapshotRetentionLimit : I64(0),
		.ClusterEnabled = BOOL(p.clustered),
		.ClusterMode = p.clustered ? S("enabled") : S("disabled"),
		.CacheNodeType = in->CacheNodeType,
		.AuthTokenEnabled = BOOL(str_is(in->AuthToken)),
		.TransitEncryptionEnabled = BOOL(tls),
		.TransitEncryptionMode = tls ? S("required") : STR_NONE,
		.AtRestEncryptionEnabled = BOOL(in->AtRestEncryptionEnabled.v),
		.KmsKeyId = in->KmsKeyId,
		.ARN = req_arn(rq, "elasticache", "replicationgroup:%.*s", STR_ARG(p.id)),
		.AutoMinorVersionUpgrade = BOOL(!in->AutoMinorVersionUpgrade.set || in->AutoMinorVersionUpgrade.v),
		.NetworkType = S("ipv4"),
		.IpDiscovery = S("ipv4"),
		.Engine = engine,
	};
	g.It->UserGroupIds.v = arena_new(rq->mem, str);
	if (in->UserGroupIds.n)
		g.It->UserGroupIds.v[g.It->UserGroupIds.n++] = cache_lowered(rq, in->UserGroupIds.v[0]);
	if (str_is(in->AuthToken)) {
		g.Tokens = sha256_hex(rq->mem, in->AuthToken);
		g.It->AuthTokenLastModifiedDate = TIME(rq->now);
	}
	TRY(cache_windows_set(rq, in->SnapshotWindow, in->PreferredMaintenanceWindow, &g.It->SnapshotWindow,
	                      &unused));
	node_groups(rq, tx, in, &p, g.It);
	TRY(members(rq, tx, in, &p, &g));
	cache_group_job(tx, &g, S("creating"), S("create"));
	out->ReplicationGroup = cache_group_shown(rq, tx, &g);
	return OK;
}

err elasticache_DescribeReplicationGroups(req *rq, const txn *tx,
                                          const elasticache_DescribeReplicationGroups_in *in,
                                          elasticache_DescribeReplicationGroups_out *out)
{
	cache_page p;
	elasticache_group *g;
	TRY(cache_page_of(rq, in->MaxRecords, in->Marker, &p));
	out->ReplicationGroups.v = arena_array(rq->mem, elasticache_ReplicationGroup, p.most);
	if (str_is(in->ReplicationGroupId) && !str_empty(in->ReplicationGroupId)) {
		TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
		out->ReplicationGroups.v[out->ReplicationGroups.n++] = *cache_group_shown(rq, tx, g);
		return OK;
	}
	record_scan s = elasticache_group_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	if (str_is(p.after))
		record_scan_after(&s, p.after);
	while ((g = elasticache_group_next(&s))) {
		if (out->ReplicationGroups.n == p.most) {
			out->Marker = page_token(rq, out->ReplicationGroups.v[p.most - 1].ReplicationGroupId);
			break;
		}
		out->ReplicationGroups.v[out->ReplicationGroups.n++] = *cache_group_shown(rq, tx, g);
	}
	cursor_close(&s.at);
	return OK;
}

err elasticache_DeleteReplicationGroup(req *rq, txn *tx, const elasticache_DeleteReplicationGroup_in *in,
                                       elasticache_DeleteReplicationGroup_out *out)
{
	elasticache_group *g;
	elasticache_cluster **all;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	if (!str_empty(g->Job))
		return fail(rq, &elasticache_InvalidReplicationGroupStateFault,
		            "Replication group %.*s has status %.*s which is not valid for deletion.", STR_ARG(g->Id),
		            STR_ARG(g->It->Status));
	if (in->RetainPrimaryCluster.v)
		return fail(rq, &aws_NotImplemented, "RetainPrimaryCluster is not implemented.");
	if (str_is(in->FinalSnapshotIdentifier)) {
		str name = cache_lowered(rq, in->FinalSnapshotIdentifier);
		elasticache_snapshot *s;
		TRY(cache_snapshot_begin(rq, tx, name, "manual", NULL, g, &s));
		g->Snapshot = name;
	}
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	for (size_t i = 0; i < n; i++) {
		all[i]->It->CacheClusterStatus = S("deleting");
		elasticache_cluster_put(tx, all[i]);
	}
	cache_group_job(tx, g, S("deleting"), S("delete"));
	out->ReplicationGroup = cache_group_shown(rq, tx, g);
	return OK;
}

err elasticache_TestFailover(req *rq, txn *tx, const elasticache_TestFailover_in *in,
                             elasticache_TestFailover_out *out)
{
	elasticache_group *g;
	bool found = false;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	TRY(cache_group_ready(rq, g));
	for (size_t i = 0; i < g->It->NodeGroups.n; i++)
		found = found || str_eq(g->It->NodeGroups.v[i].NodeGroupId, in->NodeGroupId);
	if (!found)
		return fail(rq, &elasticache_NodeGroupNotFoundFault, "Node group %.*s not found.",
		            STR_ARG(in->NodeGroupId));
	if (!str_eq(g->It->AutomaticFailover, S("enabled")))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Automatic failover is not enabled for replication group %.*s.", STR_ARG(g->Id));
	g->Wanted = in->NodeGroupId;
	cache_event_add(
		tx, g->Account, g->Region, "replication-group", g->Id,
		arena_fmt(rq->mem, "Test Failover API called for node group %.*s", STR_ARG(in->NodeGroupId)));
	cache_group_job(tx, g, S("modifying"), S("failover"));
	out->ReplicationGroup = cache_group_shown(rq, tx, g);
	return OK;
}
