#include "groups.h"

#define REPLICAS_MAX 5

/* One more copy of a node group, of the same kind as its primary; its group's job is begun by the caller. */
static err add(req *rq, txn *tx, const elasticache_group *g, str node_group, str id, str zone,
               elasticache_cluster **out)
{
	elasticache_cluster **all, *like = NULL;
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	for (size_t i = 0; i < n; i++)
		if (all[i]->Primary && str_eq(all[i]->NodeGroup, node_group))
			like = all[i];
	if (!like)
		return fail(rq, &elasticache_NodeGroupNotFoundFault, "Node group %.*s not found.",
		            STR_ARG(node_group));
	for (size_t copy = 0; !str_is(id); copy++) {
		str name = cache_member_id(rq->mem, g, node_group, copy);
		if (!elasticache_cluster_get(tx, rq->mem, g->Account, g->Region, name))
			id = name;
	}
	elasticache_SecurityGroupIdsList groups = { arena_array(rq->mem, str, like->It->SecurityGroups.n + 1),
		                                        0 };
	for (; groups.n < like->It->SecurityGroups.n; groups.n++)
		groups.v[groups.n] = like->It->SecurityGroups.v[groups.n].SecurityGroupId;
	cache_facts f = { .id = id,
		              .engine = like->It->Engine,
		              .node_type = like->It->CacheNodeType,
		              .zone = zone,
		              .subnet_group = like->It->CacheSubnetGroupName,
		              .parameter_group = like->It->CacheParameterGroup->CacheParameterGroupName,
		              .group = g->Id,
		              .node_group = node_group,
		              .port = g->Port,
		              .groups = &groups,
		              .version = cache_version_of(like->It->Engine, like->It->EngineVersion),
		              .auto_minor = like->It->AutoMinorVersionUpgrade,
		              .tls = like->It->TransitEncryptionEnabled.v,
		              .token = like->It->AuthTokenEnabled.v,
		              .at_rest = like->It->AtRestEncryptionEnabled.v };
	TRY(cache_cluster_new(rq, tx, &f, out));
	(*out)->It->SnapshotWindow = like->It->SnapshotWindow;
	(*out)->It->SnapshotRetentionLimit = like->It->SnapshotRetentionLimit;
	(*out)->It->PreferredMaintenanceWindow = like->It->PreferredMaintenanceWindow;
	elasticache_cluster_put(tx, *out);
	return OK;
}

static size_t replicas_of(elasticache_cluster **all, size_t n, str node_group)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += str_eq(all[i]->NodeGroup, node_group) && !all[i]->Primary
			&& !str_eq(all[i]->It->CacheClusterStatus, S("deleting"));
	return found;
}

err cache_group_join(req *rq, txn *tx, const elasticache_CreateCacheCluster_in *in, str id,
                     elasticache_cluster **out)
{
	elasticache_group *g;
	elasticache_cluster **all;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	TRY(cache_group_ready(rq, g));
	TRY(cache_check_name(rq, id, "CacheClusterId", 50));
	if (cache_group_clustered(g))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cannot add a cache cluster to a replication group with cluster mode enabled.");
	if (str_is(in->CacheNodeType) || str_is(in->Engine) || str_is(in->EngineVersion)
	    || str_is(in->CacheParameterGroupName) || str_is(in->CacheSubnetGroupName) || in->SecurityGroupIds.n
	    || in->Port.set || str_is(in->SnapshotName))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cannot specify additional cache cluster parameters when creating a replica cluster");
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	if (replicas_of(all, n, S("0001")) >= REPLICAS_MAX)
		return fail(
			rq, &elasticache_ClusterQuotaForCustomerExceededFault,
			"The request cannot be processed because it would exceed the allowed number of replicas.");
	TRY(cache_node_quota(rq, tx, 1));
	TRY(add(rq, tx, g, S("0001"), id, in->PreferredAvailabilityZone, out));
	cache_group_job(tx, g, S("modifying"), S("settle"));
	return OK;
}

/* Whether a replica may go. */
static err may_leave(req *rq, const elasticache_group *g, const elasticache_cluster *c, size_t replicas)
{
	if (c->Primary)
		return fail(rq, &elasticache_InvalidCacheClusterStateFault,
		            replicas
		                ? "Cannot delete the cache cluster because it is serving as primary for "
		                  "replication group %.*s."
		                : "Cannot delete the cache cluster because it is the only member of a replication "
		                  "group %.*s.",
		            STR_ARG(g->Id));
	if (replicas == 1 && str_eq(g->It->AutomaticFailover, S("enabled")))
		return fail(
			rq, &elasticache_InvalidCacheClusterStateFault,
			"Cannot delete the cache cluster because it is the only read replica for replication group "
			"%.*s which has autofailover enabled or pending. You can disable autofailover and then "
			"delete this cache cluster. Alternatively, to delete the entire replication group, use "
			"DeleteReplicationGroup.",
			STR_ARG(g->Id));
	return OK;
}

err cache_group_leave(req *rq, txn *tx, elasticache_cluster *c)
{
	elasticache_group *g;
	elasticache_cluster **all;
	TRY(cache_group_find(rq, tx, c->It->ReplicationGroupId, &g));
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	TRY(may_leave(rq, g, c, replicas_of(all, n, c->NodeGroup)));
	TRY(cache_group_ready(rq, g));
	c->It->CacheClusterStatus = S("deleting");
	elasticache_cluster_put(tx, c);
	cache_group_job(tx, g, S("modifying"), S("settle"));
	return OK;
}

static const elasticache_ConfigureShard *shard_of(const elasticache_ReplicaConfigurationList *all, str id)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i].NodeGroupId, id))
			return &all->v[i];
	return NULL;
}

static err wanted_count(req *rq, opt_i64 given, const elasticache_ConfigureShard *shard, size_t now,
                        bool more, size_t *out)
{
	int64_t want = shard ? shard->NewReplicaCount.v : given.set ? given.v : (int64_t)now;
	if (want < 0 || want > REPLICAS_MAX)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The number of replicas per node group must be within 0 and %d.", REPLICAS_MAX);
	if ((shard || given.set) && (more ? want <= (int64_t)now : want >= (int64_t)now))
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "The new replica count must be %s than the current one (%zu).", more ? "greater" : "less",
		            now);
	*out = (size_t)want;
	return OK;
}

err elasticache_IncreaseReplicaCount(req *rq, txn *tx, const elasticache_IncreaseReplicaCount_in *in,
                                     elasticache_IncreaseReplicaCount_out *out)
{
	elasticache_group *g;
	elasticache_cluster **all, *c;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	TRY(cache_group_ready(rq, g));
	if (in->NewReplicaCount.set == (in->ReplicaConfiguration.n > 0))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Exactly one of NewReplicaCount and ReplicaConfiguration must be provided.");
	if (!in->ApplyImmediately.v)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "ApplyImmediately must be true to change the number of replicas.");
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	for (size_t i = 0; i < g->It->NodeGroups.n; i++) {
		str id = g->It->NodeGroups.v[i].NodeGroupId;
		const elasticache_ConfigureShard *shard = shard_of(&in->ReplicaConfiguration, id);
		size_t want, now = replicas_of(all, n, id);
		TRY(wanted_count(rq, in->NewReplicaCount, shard, now, true, &want));
		TRY(cache_node_quota(rq, tx, want - now));
		for (size_t k = now; k < want; k++) {
			bool named = shard && k + 1 < shard->PreferredAvailabilityZones.n;
			TRY(add(rq, tx, g, id, STR_NONE, named ? shard->PreferredAvailabilityZones.v[k + 1] : STR_NONE,
			        &c));
		}
	}
	cache_group_job(tx, g, S("modifying"), S("settle"));
	out->ReplicationGroup = cache_group_shown(rq, tx, g);
	return OK;
}

static bool among(const elasticache_RemoveReplicasList *all, str id)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->v[i], id))
			return true;
	return false;
}

err elasticache_DecreaseReplicaCount(req *rq, txn *tx, const elasticache_DecreaseReplicaCount_in *in,
                                     elasticache_DecreaseReplicaCount_out *out)
{
	elasticache_group *g;
	elasticache_cluster **all;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	TRY(cache_group_ready(rq, g));
	if ((in->NewReplicaCount.set ? 1 : 0) + (in->ReplicaConfiguration.n ? 1 : 0)
	        + (in->ReplicasToRemove.n ? 1 : 0)
	    != 1)
		return fail(
			rq, &elasticache_InvalidParameterCombinationException,
			"Exactly one of NewReplicaCount, ReplicaConfiguration and ReplicasToRemove must be provided.");
	if (!in->ApplyImmediately.v)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "ApplyImmediately must be true to change the number of replicas.");
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	for (size_t i = 0; i < g->It->NodeGroups.n; i++) {
		str id = g->It->NodeGroups.v[i].NodeGroupId;
		const elasticache_ConfigureShard *shard = shard_of(&in->ReplicaConfiguration, id);
		size_t want, now = replicas_of(all, n, id);
		TRY(wanted_count(rq, in->NewReplicaCount, shard, now, false, &want));
		for (size_t k = n; k-- > 0;) {
			bool named = among(&in->ReplicasToRemove, all[k]->Id);
			if (!str_eq(all[k]->NodeGroup, id) || (all[k]->Primary && !named) || (!named && now <= want))
				continue;
			TRY(may_leave(rq, g, all[k], now));
			all[k]->It->CacheClusterStatus = S("deleting");
			elasticache_cluster_put(tx, all[k]);
			now--;
		}
	}
	cache_group_job(tx, g, S("modifying"), S("settle"));
	out->ReplicationGroup = cache_group_shown(rq, tx, g);
	return OK;
}
