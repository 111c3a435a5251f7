/* What stands at the addresses of caches, for the rules of networks (cloud/vpc_path.h). */
#include "cache.h"
#include "cloud/vpc_path.h"

static void side_of(const txn *tx, arena *mem, const elasticache_cluster *c, vpc_side *out)
{
	const elasticache_SecurityGroupMembershipList *all = &c->It->SecurityGroups;
	elasticache_subnet_group *g = str_is(c->It->CacheSubnetGroupName)
		? elasticache_subnet_group_get(tx, mem, c->Account, c->Region, c->It->CacheSubnetGroupName) : NULL;
	str *groups = arena_array(mem, str, all->n + 1);
	for (size_t i = 0; i < all->n; i++)
		groups[i] = all->v[i].SecurityGroupId;
	*out = (vpc_side){ .account = c->Account, .region = c->Region, .groups = groups, .n_groups = all->n };
	str *subnets = g ? arena_array(mem, str, g->It->Subnets.n + 1) : NULL;
	for (size_t i = 0; g && i < g->It->Subnets.n; i++)
		subnets[out->n_subnets++] = g->It->Subnets.v[i].SubnetIdentifier;
	out->subnets = subnets;
}

static bool at(str address, const elasticache_Endpoint *e) { return e && str_eq(e->Address, address); }

/* The nodes of a group have the same network: the first stands for the group's own addresses. */
static elasticache_cluster *of_group(const txn *tx, arena *mem, str address)
{
	elasticache_cluster *c = NULL;
	record_scan s = elasticache_group_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_group *g; !c && (g = elasticache_group_next(&s));) {
		bool found = at(address, g->It->ConfigurationEndpoint);
		for (size_t i = 0; i < g->It->NodeGroups.n; i++)
			found = found || at(address, g->It->NodeGroups.v[i].PrimaryEndpoint) ||
			        at(address, g->It->NodeGroups.v[i].ReaderEndpoint);
		if (found && g->It->MemberClusters.n)
			c = elasticache_cluster_get(tx, mem, g->Account, g->Region, g->It->MemberClusters.v[0]);
	}
	cursor_close(&s.at);
	return c;
}

static size_t reached(const txn *tx, arena *mem, str address, int port, vpc_side *out)
{
	elasticache_cluster *found = NULL;
	(void)port;
	record_scan s = elasticache_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_cluster *c; !found && (c = elasticache_cluster_next(&s));)
		found = str_eq(c->Address, address) ? c : NULL;
	cursor_close(&s.at);
	found = found ? found : of_group(tx, mem, address);
	if (found)
		side_of(tx, mem, found, out);
	return found != NULL;
}
VPC_RESIDENTS(reached);
