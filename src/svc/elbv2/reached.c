/*
 * What stands at the ports of load balancers, for the rules of networks (cloud/vpc_path.h). They share them,
 * and which one is meant is known only from the request: who may reach one of them may connect.
 */
#include "cloud/vpc_path.h"
#include "elb.h"

static vpc_side side_of(arena *mem, const elbv2_balancer *b)
{
	const elbv2_AvailabilityZones *zones = &b->It->AvailabilityZones;
	str *subnets = arena_array(mem, str, zones->n + 1);
	for (size_t i = 0; i < zones->n; i++)
		subnets[i] = zones->v[i].SubnetId;
	return (vpc_side){ .account = b->Account, .region = b->Region, .subnets = subnets,
		.n_subnets = zones->n, .groups = b->It->SecurityGroups.v, .n_groups = b->It->SecurityGroups.n,
		.public_address = str_eq(b->It->Scheme, elbv2_LoadBalancerSchemeEnum_internet_facing) };
}

static size_t reached(const txn *tx, arena *mem, str address, int port, vpc_side *out)
{
	size_t n = 0;
	if (!str_eq(address, S("127.0.0.1")))
		return 0;
	record_scan s = elbv2_listener_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (elbv2_listener *l; n < VPC_SIDES_MAX && (l = elbv2_listener_next(&s));) {
		elbv2_balancer *b = NULL;
		if (l->It->Port.v == port)
			b = elb_balancer_at(tx, mem, l->Account, l->Region, l->Balancer);
		if (b && str_eq(b->It->State->Code, S("active")))
			out[n++] = side_of(mem, b);
	}
	cursor_close(&s.at);
	return n;
}
VPC_RESIDENTS(reached);
