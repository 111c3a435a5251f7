#include "base/buf.h"
#include "cache.h"

#define ADDRESSES_MAX 128

static bool same_node_group(const elasticache_cluster *a, const elasticache_cluster *b)
{
	return str_eq(a->It->ReplicationGroupId, b->It->ReplicationGroupId) && str_eq(a->NodeGroup, b->NodeGroup);
}

/* Which of its node group's copies readers are sent to: the first that follows, or the primary alone. */
static bool reads(const txn *tx, arena *a, const elasticache_cluster *c)
{
	elasticache_cluster *best = NULL;
	record_scan s = elasticache_cluster_scan(tx, a, 2, c->Account, c->Region, STR_NONE);
	for (elasticache_cluster *o; (o = elasticache_cluster_next(&s));)
		if (same_node_group(o, c) && !str_eq(o->It->CacheClusterStatus, S("deleting")) &&
		    (!best || (best->Primary && !o->Primary)))
			best = o;
	cursor_close(&s.at);
	return best && str_eq(best->Id, c->Id);
}

elasticache_cluster *cache_primary_of(const txn *tx, arena *a, const elasticache_cluster *c)
{
	elasticache_cluster *found = NULL, *o;
	record_scan s = elasticache_cluster_scan(tx, a, 2, c->Account, c->Region, STR_NONE);
	while (!found && str_is(c->It->ReplicationGroupId) && (o = elasticache_cluster_next(&s)))
		found = o->Primary && same_node_group(o, c) ? o : NULL;
	cursor_close(&s.at);
	return found;
}

static str addresses(const txn *tx, arena *a, const elasticache_cluster *c, const elasticache_group *g)
{
	buf b = buf_in(a, ADDRESSES_MAX, ADDRESSES_MAX);
	buf_put(&b, c->Address);
	const elasticache_Endpoint *all = g->It->ConfigurationEndpoint;
	if (all && c->Primary && str_eq(c->NodeGroup, S("0001")))
		buf_fmt(&b, " %.*s", STR_ARG(all->Address));
	for (size_t i = 0; i < g->It->NodeGroups.n; i++) {
		const elasticache_NodeGroup *n = &g->It->NodeGroups.v[i];
		if (!str_eq(n->NodeGroupId, c->NodeGroup))
			continue;
		if (n->PrimaryEndpoint && c->Primary)
			buf_fmt(&b, " %.*s", STR_ARG(n->PrimaryEndpoint->Address));
		if (n->ReaderEndpoint && reads(tx, a, c))
			buf_fmt(&b, " %.*s", STR_ARG(n->ReaderEndpoint->Address));
	}
	return buf_str(&b);
}

void cache_spec_of(const txn *tx, arena *a, const elasticache_cluster *c, redis_spec *out)
{
	const elasticache_CacheCluster *it = c->It;
	const node_type *type = cache_node_type_find(it->CacheNodeType);
	elasticache_group *g = str_is(it->ReplicationGroupId)
		? elasticache_group_get(tx, a, c->Account, c->Region, it->ReplicationGroupId)
		: NULL;
	ensure(type);
	*out = (redis_spec){
		.root = cache_root(),
		.name = c->Folder,
		.address = c->Address,
		.addresses = g ? addresses(tx, a, c, g) : c->Address,
		.port = (int)it->CacheNodes.v[0].Endpoint->Port.v,
		.tls = it->TransitEncryptionEnabled.v,
		.cluster = g && cache_group_clustered(g),
		.memory_bytes = (int64_t)type->memory_mib << 20,
		.cpu_milli = type->vcpu * 1000,
		.secret = g ? g->Secret : c->Secret,
		.settings = cache_parameter_lines(tx, a, c),
		.users = cache_user_lines(tx, a, c, g),
	};
	elasticache_cluster *primary = g && !c->Primary && !out->cluster ? cache_primary_of(tx, a, c) : NULL;
	if (primary)
		out->primary = primary->Address;
}
