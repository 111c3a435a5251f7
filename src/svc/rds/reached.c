/* What stands at the addresses of databases and proxies, for the rules of networks (cloud/vpc_path.h). */
#include "cloud/vpc_path.h"
#include "rds.h"

static void groups_of(arena *mem, const rds_VpcSecurityGroupMembershipList *all, vpc_side *out)
{
	str *v = arena_array(mem, str, all->n + 1);
	for (size_t i = 0; i < all->n; i++)
		v[i] = all->v[i].VpcSecurityGroupId;
	out->groups = v;
	out->n_groups = all->n;
}

static void subnets_of(arena *mem, const rds_SubnetList *all, vpc_side *out)
{
	str *v = arena_array(mem, str, all->n + 1);
	for (size_t i = 0; i < all->n; i++)
		v[i] = all->v[i].SubnetIdentifier;
	out->subnets = v;
	out->n_subnets = all->n;
}

static bool of_instance(const txn *tx, arena *mem, str address, vpc_side *out)
{
	bool found = false;
	record_scan s = rds_instance_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_instance *i; !found && (i = rds_instance_next(&s));) {
		found = str_eq(i->Address, address);
		if (!found)
			continue;
		*out = (vpc_side){ .account = i->Account, .region = i->Region,
			.public_address = i->It->PubliclyAccessible.v };
		groups_of(mem, &i->It->VpcSecurityGroups, out);
		if (i->It->DBSubnetGroup)
			subnets_of(mem, &i->It->DBSubnetGroup->Subnets, out);
	}
	cursor_close(&s.at);
	return found;
}

static void cluster_side(const txn *tx, arena *mem, const rds_cluster *c, vpc_side *out)
{
	rds_subnet_group *g = str_is(c->It->DBSubnetGroup)
		? rds_subnet_group_get(tx, mem, c->Account, c->Region, c->It->DBSubnetGroup) : NULL;
	*out = (vpc_side){ .account = c->Account, .region = c->Region };
	groups_of(mem, &c->It->VpcSecurityGroups, out);
	if (g)
		subnets_of(mem, &g->It->Subnets, out);
}

static bool of_cluster(const txn *tx, arena *mem, str address, vpc_side *out)
{
	bool found = false;
	record_scan s = rds_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster *c; !found && (c = rds_cluster_next(&s));) {
		found = str_eq(c->Address, address) || str_eq(c->ReaderAddress, address);
		if (found)
			cluster_side(tx, mem, c, out);
	}
	cursor_close(&s.at);
	record_scan t = rds_cluster_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster_endpoint *e; !found && (e = rds_cluster_endpoint_next(&t));) {
		rds_cluster *c = str_eq(e->It->Endpoint, address)
			? rds_cluster_get(tx, mem, e->Account, e->Region, e->It->DBClusterIdentifier) : NULL;
		found = c;
		if (found)
			cluster_side(tx, mem, c, out);
	}
	cursor_close(&t.at);
	return found;
}

static bool of_proxy(const txn *tx, arena *mem, str address, vpc_side *out)
{
	bool found = false;
	record_scan s = rds_proxy_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (rds_proxy_endpoint *e; !found && (e = rds_proxy_endpoint_next(&s));) {
		found = str_eq(e->It->Endpoint, address);
		if (found)
			*out = (vpc_side){ .account = e->Account, .region = e->Region,
				.subnets = e->It->VpcSubnetIds.v, .n_subnets = e->It->VpcSubnetIds.n,
				.groups = e->It->VpcSecurityGroupIds.v, .n_groups = e->It->VpcSecurityGroupIds.n };
	}
	cursor_close(&s.at);
	return found;
}

static size_t reached(const txn *tx, arena *mem, str address, int port, vpc_side *out)
{
	(void)port; /* an address is one database's or one proxy's alone */
	return of_instance(tx, mem, address, out) || of_cluster(tx, mem, address, out) ||
	       of_proxy(tx, mem, address, out);
}
VPC_RESIDENTS(reached);
