#include "base/digest.h"
#include "base/time.h"
#include "groups.h"
#include "store/due.h"

/* What a change of a unit's nodes comes to; one that stands alone and the members of a group are alike. */
typedef struct change {
	str node_type, parameters, engine;
	const cache_version *version; /* NULL: stays */
	const elasticache_SecurityGroupIdsList *groups;
	str maintenance, window, topic, topic_status;
	opt_bool auto_minor;
	opt_i64 retention;
} change;

/* The version there is now and the one that is asked for: neither older nor of the other engine's past. */
static err version_of(req *rq, str engine_now, str number_now, str engine, str version,
                      const cache_version **out)
{
	const cache_version *now = cache_version_of(engine_now, number_now);
	str to = str_is(engine) && !str_empty(engine) ? cache_lowered(rq, engine) : engine_now;
	*out = NULL;
	if ((!str_is(version) || str_empty(version)) && str_eq(to, engine_now))
		return OK;
	TRY(cache_version_find(rq, to, version, out));
	if (*out == now) {
		*out = NULL;
		return OK;
	}
	bool back = str_eq(to, S("redis")) && str_eq(engine_now, S("valkey"));
	if (back || (now && str_eq(to, engine_now) && strcmp((*out)->number, now->number) < 0))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Downgrading from %.*s %.*s to %s %s is not supported.", STR_ARG(engine_now),
		            STR_ARG(number_now), (*out)->engine, (*out)->number);
	return OK;
}

static err check(req *rq, const txn *tx, const change *ch, bool clustered, const elasticache_cluster *like)
{
	str chosen;
	const cache_version *v =
		ch->version ? ch->version : cache_version_of(like->It->Engine, like->It->EngineVersion);
	if (str_is(ch->node_type))
		TRY(cache_check_node_type(rq, ch->node_type));
	TRY(cache_check_retention(rq, ch->retention));
	str name =
		str_is(ch->parameters) ? ch->parameters : like->It->CacheParameterGroup->CacheParameterGroupName;
	if (!str_is(ch->parameters) && !str_starts(name, S("default.")))
		TRY(cache_parameter_group_for(rq, tx, name, v, clustered, &chosen));
	if (!str_is(ch->parameters))
		return OK;
	TRY(cache_parameter_group_for(rq, tx, name, v, clustered, &chosen));
	if (cache_parameter_group_clustered(tx, rq->mem, rq->who.account, rq->region, chosen) != clustered)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "The parameter group %.*s does not fit the cluster mode.", STR_ARG(chosen));
	return OK;
}

/* Whether its node has to start anew. */
static bool rebuild(req *rq, elasticache_CacheCluster *it, str wanted, const cache_version *v, bool clustered)
{
	bool other = (str_is(wanted) && !str_eq(wanted, it->CacheNodeType)) || v;
	str group = it->CacheParameterGroup->CacheParameterGroupName;
	if (str_is(wanted))
		it->CacheNodeType = wanted;
	if (v) {
		it->Engine = str_c(v->engine);
		it->EngineVersion = str_c(v->number);
	}
	if (v && str_starts(group, S("default.")))
		it->CacheParameterGroup->CacheParameterGroupName =
			arena_fmt(rq->mem, "default.%s%s", v->family, clustered ? ".cluster.on" : "");
	return other;
}

static err change_node(req *rq, txn *tx, const change *ch, bool now, bool clustered, elasticache_cluster *c,
                       bool *restart)
{
	elasticache_CacheCluster *it = c->It;
	if (ch->groups && ch->groups->n)
		it->SecurityGroups = cache_security_groups(rq, ch->groups);
	TRY(cache_windows_set(rq, ch->window, ch->maintenance, &it->SnapshotWindow,
	                      &it->PreferredMaintenanceWindow));
	TRY(cache_topic_set(rq, ch->topic, ch->topic_status, &it->NotificationConfiguration));
	if (ch->auto_minor.set)
		it->AutoMinorVersionUpgrade = ch->auto_minor;
	if (ch->retention.set)
		it->SnapshotRetentionLimit = ch->retention;
	if (str_is(ch->parameters)
	    && !str_eq_nocase(ch->parameters, it->CacheParameterGroup->CacheParameterGroupName)) {
		it->CacheParameterGroup->CacheParameterGroupName = cache_lowered(rq, ch->parameters);
		it->CacheParameterGroup->ParameterApplyStatus = S("pending-reboot");
		task_add(tx, "elasticache_apply", cache_place(rq->mem, c->Account, c->Region, c->Id), 0);
	}
	bool type = str_is(ch->node_type) && !str_eq(ch->node_type, it->CacheNodeType);
	if (now) {
		*restart = rebuild(rq, it, ch->node_type, ch->version, clustered) || *restart;
		it->PendingModifiedValues = arena_new(rq->mem, elasticache_PendingModifiedValues);
	} else if (type || ch->version) {
		it->PendingModifiedValues->CacheNodeType = type ? ch->node_type : STR_NONE;
		it->PendingModifiedValues->EngineVersion = ch->version ? str_c(ch->version->number) : STR_NONE;
		str place = cache_place(rq->mem, c->Account, c->Region, c->Id);
		timer_set(tx, "elasticache_maintain", place,
		          cache_maintenance_next(it->PreferredMaintenanceWindow, rq->now), place);
	}
	elasticache_cluster_put(tx, c);
	return OK;
}

/* AUTH: SET leaves only the new token, ROTATE takes both, DELETE none. */
static err tokens(req *rq, str token, str strategy, bool tls, str *now, bool *enabled)
{
	if (str_eq(strategy, S("DELETE"))) {
		if (str_is(token))
			return fail(rq, &elasticache_InvalidParameterCombinationException,
			            "AuthToken must not be specified with the update strategy DELETE.");
		*now = STR_NONE;
		*enabled = false;
		return OK;
	}
	if (!str_is(token))
		return str_is(strategy) ? fail(rq, &elasticache_InvalidParameterCombinationException,
		                               "AuthTokenUpdateStrategy requires AuthToken to be specified.")
								: OK;
	TRY(cache_check_token(rq, token, tls));
	str hash = sha256_hex(rq->mem, token), before = *now, last = before;
	while (str_is(before))
		last = str_cut(&before, ' ');
	bool rotate = !str_eq(strategy, S("SET")) && !str_empty(last);
	*now =
		rotate && !str_eq(last, hash) ? arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(last), STR_ARG(hash)) : hash;
	*enabled = true;
	return OK;
}

static err unsupported(req *rq, const elasticache_LogDeliveryConfigurationRequestList *logs, str discovery)
{
	if (logs->n)
		return fail(rq, &aws_NotImplemented, "Log delivery is not implemented.");
	if (str_is(discovery) && !str_eq(discovery, S("ipv4")))
		return fail(rq, &aws_NotImplemented, "IPv6 is not implemented.");
	return OK;
}

err elasticache_ModifyCacheCluster(req *rq, txn *tx, const elasticache_ModifyCacheCluster_in *in,
                                   elasticache_ModifyCacheCluster_out *out)
{
	elasticache_cluster *c;
	bool restart = false, enabled;
	TRY(cache_cluster_find(rq, tx, in->CacheClusterId, &c));
	TRY(cache_cluster_ready(rq, c));
	TRY(unsupported(rq, &in->LogDeliveryConfigurations, in->IpDiscovery));
	if (in->NumCacheNodes.set && in->NumCacheNodes.v != 1)
		return fail(rq, &elasticache_InvalidParameterValueException,
		            "Cannot modify the number of cache nodes of a Redis cluster: it has exactly 1.");
	if (str_is(c->It->ReplicationGroupId)
	    && (str_is(in->CacheNodeType) || str_is(in->EngineVersion) || str_is(in->AuthToken)))
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Cache cluster %.*s belongs to a replication group; modify the replication group.",
		            STR_ARG(c->Id));
	change ch = { .node_type = in->CacheNodeType,
		          .parameters = in->CacheParameterGroupName,
		          .groups = &in->SecurityGroupIds,
		          .maintenance = in->PreferredMaintenanceWindow,
		          .window = in->SnapshotWindow,
		          .topic = in->NotificationTopicArn,
		          .topic_status = in->NotificationTopicStatus,
		          .auto_minor = in->AutoMinorVersionUpgrade,
		          .retention = in->SnapshotRetentionLimit };
	TRY(version_of(rq, c->It->Engine, c->It->EngineVersion, in->Engine, in->EngineVersion, &ch.version));
	TRY(check(rq, tx, &ch, false, c));
	enabled = c->It->AuthTokenEnabled.v;
	str before = c->Tokens;
	TRY(tokens(rq, in->AuthToken, in->AuthTokenUpdateStrategy, c->It->TransitEncryptionEnabled.v, &c->Tokens,
	           &enabled));
	c->It->AuthTokenEnabled = BOOL(enabled);
	TRY(change_node(rq, tx, &ch, in->ApplyImmediately.v, false, c, &restart));
	if (!str_is(c->It->ReplicationGroupId))
		cache_daily_set(
			tx, arena_fmt(rq->mem, "c %.*s", STR_ARG(cache_place(rq->mem, c->Account, c->Region, c->Id))),
			c->It->SnapshotWindow, c->It->SnapshotRetentionLimit.v, rq->now);
	if (restart)
		cache_cluster_job(tx, c, S("modifying"), S("restart"));
	else if (!str_eq(before, c->Tokens))
		cache_cluster_job(tx, c, S("modifying"), S("settle"));
	out->CacheCluster = cache_cluster_shown(rq, c, false);
	return OK;
}

static err group_words(req *rq, const txn *tx, const elasticache_ModifyReplicationGroup_in *in,
                       elasticache_group *g, size_t members)
{
	elasticache_ReplicationGroup *it = g->It;
	bool clustered = it->ClusterEnabled.v, on = str_eq(it->AutomaticFailover, S("enabled"));
	if (str_is(in->ReplicationGroupDescription))
		it->Description = in->ReplicationGroupDescription;
	if (in->AutomaticFailoverEnabled.set && !in->AutomaticFailoverEnabled.v && clustered)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Turning off automatic failover for replication group with cluster mode enabled is not "
		            "supported.");
	if (in->AutomaticFailoverEnabled.set && in->AutomaticFailoverEnabled.v && members < 2)
		return fail(
			rq, &elasticache_InvalidParameterCombinationException,
			"When using automatic failover, there must be at least 2 cache clusters in the replication "
			"group.");
	if (in->AutomaticFailoverEnabled.set)
		on = in->AutomaticFailoverEnabled.v;
	it->AutomaticFailover = on ? S("enabled") : S("disabled");
	if (in->MultiAZEnabled.set)
		it->MultiAZ = in->MultiAZEnabled.v ? S("enabled") : S("disabled");
	if (str_eq(it->MultiAZ, S("enabled")) && !on)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "Multi-AZ requires automatic failover to be enabled.");
	if (in->SnapshotRetentionLimit.set)
		it->SnapshotRetentionLimit = in->SnapshotRetentionLimit;
	if (str_is(in->SnapshottingClusterId))
		it->SnapshottingClusterId = cache_lowered(rq, in->SnapshottingClusterId);
	if (in->AutoMinorVersionUpgrade.set)
		it->AutoMinorVersionUpgrade = in->AutoMinorVersionUpgrade;
	if (in->TransitEncryptionEnabled.set && in->TransitEncryptionEnabled.v != it->TransitEncryptionEnabled.v)
		return fail(rq, &aws_NotImplemented,
		            "Changing encryption in transit of a replication group is not "
		            "implemented.");
	if (str_is(in->ClusterMode) && !str_eq(in->ClusterMode, it->ClusterMode))
		return fail(rq, &aws_NotImplemented, "Changing the cluster mode is not implemented.");
	elasticache_UserGroupIdList all = {
		arena_array(rq->mem, str, it->UserGroupIds.n + in->UserGroupIdsToAdd.n + 1), 0
	};
	for (size_t i = 0; i < it->UserGroupIds.n && !in->RemoveUserGroups.v; i++) {
		bool drop = false;
		for (size_t k = 0; k < in->UserGroupIdsToRemove.n; k++)
			drop = drop || str_eq_nocase(in->UserGroupIdsToRemove.v[k], it->UserGroupIds.v[i]);
		if (!drop)
			all.v[all.n++] = it->UserGroupIds.v[i];
	}
	for (size_t i = 0; i < in->UserGroupIdsToAdd.n; i++) {
		str id = cache_lowered(rq, in->UserGroupIdsToAdd.v[i]);
		TRY(cache_user_group_check(rq, tx, id));
		if (all.n && !str_eq(all.v[0], id))
			return fail(rq, &elasticache_InvalidParameterCombinationException, CACHE_ONE_USER_GROUP);
		all.v[0] = id;
		all.n = 1;
	}
	if (in->UserGroupIdsToAdd.n && !it->TransitEncryptionEnabled.v)
		return fail(rq, &elasticache_InvalidParameterCombinationException,
		            "User groups require encryption in transit to be enabled.");
	it->UserGroupIds = all;
	return OK;
}

/* Another primary by name, where the group does not fail over by itself. */
static err new_primary(req *rq, str id, elasticache_cluster **all, size_t n, elasticache_group *g)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(all[i]->Id, id)) {
			if (str_eq(g->It->AutomaticFailover, S("enabled")))
				return fail(
					rq, &elasticache_InvalidParameterCombinationException,
					"Cannot manually promote a new master cache cluster while autofailover is enabled");
			g->Wanted = all[i]->Primary
				? STR_NONE
				: arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(all[i]->NodeGroup), STR_ARG(all[i]->Id));
			return OK;
		}
	return fail(rq, &elasticache_CacheClusterNotFoundFault, "CacheCluster not found: %.*s", STR_ARG(id));
}

err elasticache_ModifyReplicationGroup(req *rq, txn *tx, const elasticache_ModifyReplicationGroup_in *in,
                                       elasticache_ModifyReplicationGroup_out *out)
{
	elasticache_group *g;
	elasticache_cluster **all;
	bool restart = false, now = in->ApplyImmediately.v;
	TRY(cache_group_find(rq, tx, in->ReplicationGroupId, &g));
	TRY(cache_group_ready(rq, g));
	TRY(unsupported(rq, &in->LogDeliveryConfigurations, in->IpDiscovery));
	size_t n = cache_group_members(tx, rq->mem, g, &all);
	ensure(n);
	change ch = { .node_type = in->CacheNodeType,
		          .parameters = in->CacheParameterGroupName,
		          .groups = &in->SecurityGroupIds,
		          .maintenance = in->PreferredMaintenanceWindow,
		          .window = in->SnapshotWindow,
		          .topic = in->NotificationTopicArn,
		          .topic_status = in->NotificationTopicStatus,
		          .auto_minor = in->AutoMinorVersionUpgrade,
		          .retention = in->SnapshotRetentionLimit };
	TRY(version_of(rq, g->Engine, g->Version, in->Engine, in->EngineVersion, &ch.version));
	TRY(check(rq, tx, &ch, g->It->ClusterEnabled.v, all[0]));
	TRY(group_words(rq, tx, in, g, n));
	if (str_is(in->PrimaryClusterId))
		TRY(new_primary(rq, in->PrimaryClusterId, all, n, g));
	bool enabled = g->It->AuthTokenEnabled.v;
	str before = g->Tokens;
	TRY(tokens(rq, in->AuthToken, in->AuthTokenUpdateStrategy, g->It->TransitEncryptionEnabled.v, &g->Tokens,
	           &enabled));
	g->It->AuthTokenEnabled = BOOL(enabled);
	if (!str_eq(before, g->Tokens))
		g->It->AuthTokenLastModifiedDate = TIME(rq->now);
	for (size_t i = 0; i < n; i++) {
		all[i]->It->AuthTokenEnabled = BOOL(enabled);
		TRY(change_node(rq, tx, &ch, now, g->It->ClusterEnabled.v, all[i], &restart));
	}
	if (now && str_is(ch.node_type))
		g->It->CacheNodeType = ch.node_type;
	if (now && ch.version) {
		g->Engine = g->It->Engine = str_c(ch.version->engine);
		g->Version = str_c(ch.version->number);
	}
	g->It->SnapshotWindow = all[0]->It->SnapshotWindow;
	cache_daily_set(tx,
	                arena_fmt(rq->mem, "g %.*s", STR_ARG(cache_place(rq->mem, g->Account, g->Region, g->Id))),
	                g->It->SnapshotWindow, g->It->SnapshotRetentionLimit.v, rq->now);
	bool failover = str_is(in->PrimaryClusterId) && !str_empty(g->Wanted);
	cache_group_job(tx, g, S("modifying"), failover ? S("failover") : restart ? S("restart") : S("settle"));
	out->ReplicationGroup = cache_group_shown(rq, tx, g);
	return OK;
}

static bool apply_pending(arena *mem, elasticache_cluster *c, bool clustered)
{
	elasticache_PendingModifiedValues *wait = c->It->PendingModifiedValues;
	req fake = { .mem = mem };
	const cache_version *v = NULL;
	for (size_t i = 0; i < cache_versions_n; i++)
		if (str_eq(wait->EngineVersion, str_c(cache_versions[i].number)))
			v = &cache_versions[i];
	bool restart = rebuild(&fake, c->It, wait->CacheNodeType, v, clustered);
	c->It->PendingModifiedValues = arena_new(mem, elasticache_PendingModifiedValues);
	return restart;
}

/* The maintenance window of a node opens. */
TIMER(elasticache_maintain)
{
	arena *mem = txn_arena(tx);
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	elasticache_cluster *c = elasticache_cluster_get(tx, mem, account, region, rest);
	if (!c)
		return;
	elasticache_group *g = str_is(c->It->ReplicationGroupId)
		? elasticache_group_get(tx, mem, account, region, c->It->ReplicationGroupId)
		: NULL;
	if (!str_empty(g ? g->Job : c->Job)) {
		timer_set(tx, "elasticache_maintain", payload, due + MS_MINUTE, payload);
		return;
	}
	bool restart = apply_pending(mem, c, g && cache_group_clustered(g));
	elasticache_cluster_put(tx, c);
	if (restart && g) {
		g->It->CacheNodeType = c->It->CacheNodeType;
		g->Engine = g->It->Engine = c->It->Engine;
		g->Version = c->It->EngineVersion;
		cache_group_job(tx, g, S("modifying"), S("restart"));
	} else if (restart) {
		cache_cluster_job(tx, c, S("modifying"), S("restart"));
	}
}
