/* Where a load balancer stands: one subnet in each zone, and who may come in. EC2 knows both. */
#include "cloud/call.h"
#include "elb.h"
#include "gen/ec2.h"

static err subnet_of(req *rq, txn *tx, str id, ec2_Subnet *out)
{
	ec2_DescribeSubnets_in in = { .SubnetIds = { &id, 1 } };
	ec2_DescribeSubnets_out found = { 0 };
	err e = call(rq, tx, "ec2", "DescribeSubnets", &in, &found);
	if (e && e->kind->status == 403)
		return e;
	if (e || !found.Subnets.n)
		return fail(rq, &elbv2_SubnetNotFoundException, "The subnet ID '%.*s' does not exist", STR_ARG(id));
	*out = found.Subnets.v[0];
	return OK;
}

/* Static addresses of network load balancers. */
static err addresses(req *rq, txn *tx, const elbv2_LoadBalancer *it, const elbv2_SubnetMapping *m,
                     elbv2_LoadBalancerAddresses *out)
{
	str allocation = m->AllocationId, private = m->PrivateIPv4Address;
	if (!str_is(allocation) && !str_is(private))
		return OK;
	if (!elb_is_network(it))
		return fail(rq, &elbv2_InvalidConfigurationRequestException,
		            "Elastic IP addresses and private addresses are not supported for application load "
		            "balancers");
	elbv2_LoadBalancerAddress *a = arena_new(rq->mem, elbv2_LoadBalancerAddress);
	*a = (elbv2_LoadBalancerAddress){ .AllocationId = allocation, .PrivateIPv4Address = private };
	if (str_is(allocation)) {
		ec2_DescribeAddresses_in in = { .AllocationIds = { &allocation, 1 } };
		ec2_DescribeAddresses_out found = { 0 };
		if (call(rq, tx, "ec2", "DescribeAddresses", &in, &found) || !found.Addresses.n)
			return fail(rq, &elbv2_AllocationIdNotFoundException, "Allocation ID '%.*s' not found",
			            STR_ARG(allocation));
		a->IpAddress = found.Addresses.v[0].PublicIp;
	}
	*out = (elbv2_LoadBalancerAddresses){ a, 1 };
	return OK;
}

static err reachable(req *rq, txn *tx, const elbv2_LoadBalancer *it)
{
	if (!str_eq(it->Scheme, elbv2_LoadBalancerSchemeEnum_internet_facing))
		return OK;
	str vpc = it->VpcId;
	ec2_Filter f = { .Name = S("attachment.vpc-id"), .Values = { &vpc, 1 } };
	ec2_DescribeInternetGateways_in in = { .Filters = { &f, 1 } };
	ec2_DescribeInternetGateways_out out = { 0 };
	TRY(call(rq, tx, "ec2", "DescribeInternetGateways", &in, &out));
	return out.InternetGateways.n ? OK : fail(rq, &elbv2_InvalidSubnetException,
	                                          "VPC %.*s has no internet gateway", STR_ARG(vpc));
}

static err one_a_zone(req *rq, const elbv2_LoadBalancer *it)
{
	for (size_t i = 0; i < it->AvailabilityZones.n; i++)
		for (size_t k = 0; k < i; k++)
			if (str_eq(it->AvailabilityZones.v[i].ZoneName, it->AvailabilityZones.v[k].ZoneName))
				return fail(rq, &elbv2_InvalidConfigurationRequestException,
				            "A load balancer cannot be attached to multiple subnets in the same "
				            "Availability Zone");
	if (it->AvailabilityZones.n < 2 && !elb_is_network(it))
		return fail(rq, &aws_ValidationException,
		            "At least two subnets in two different Availability Zones must be specified");
	return OK;
}

err elb_place(req *rq, txn *tx, const elbv2_Subnets *subnets, const elbv2_SubnetMappings *mappings,
              elbv2_LoadBalancer *it)
{
	if (subnets->n && mappings->n)
		return fail(rq, &aws_ValidationException,
		            "Subnets and subnet mappings cannot be specified at the same time");
	size_t n = subnets->n ? subnets->n : mappings->n;
	if (!n)
		return fail(rq, &aws_ValidationException,
		            "At least two subnets in two different Availability Zones must be specified");
	elbv2_AvailabilityZone *zones = arena_array(rq->mem, elbv2_AvailabilityZone, n);
	for (size_t i = 0; i < n; i++) {
		elbv2_SubnetMapping m = subnets->n ? (elbv2_SubnetMapping){ .SubnetId = subnets->v[i] }
		                                   : mappings->v[i];
		ec2_Subnet s = { 0 };
		TRY(subnet_of(rq, tx, m.SubnetId, &s));
		str vpc = i || str_is(it->VpcId) ? it->VpcId : s.VpcId;
		if (!str_eq(s.VpcId, vpc))
			return fail(rq, &elbv2_InvalidConfigurationRequestException,
			            "All subnets must belong to the same VPC: '%.*s'", STR_ARG(vpc));
		it->VpcId = vpc;
		zones[i] = (elbv2_AvailabilityZone){ .ZoneName = s.AvailabilityZone, .SubnetId = s.SubnetId };
		TRY(addresses(rq, tx, it, &m, &zones[i].LoadBalancerAddresses));
		if (!zones[i].LoadBalancerAddresses.v)
			zones[i].LoadBalancerAddresses = (elbv2_LoadBalancerAddresses){
				arena_new(rq->mem, elbv2_LoadBalancerAddress), 0 };
	}
	it->AvailabilityZones = (elbv2_AvailabilityZones){ zones, n };
	TRY(one_a_zone(rq, it));
	return reachable(rq, tx, it);
}

static err default_group(req *rq, txn *tx, elbv2_LoadBalancer *it)
{
	str vpc = it->VpcId, name = S("default");
	ec2_Filter f[2] = { { .Name = S("vpc-id"), .Values = { &vpc, 1 } },
		                { .Name = S("group-name"), .Values = { &name, 1 } } };
	ec2_DescribeSecurityGroups_in in = { .Filters = { f, 2 } };
	ec2_DescribeSecurityGroups_out out = { 0 };
	TRY(call(rq, tx, "ec2", "DescribeSecurityGroups", &in, &out));
	str *v = arena_new(rq->mem, str);
	it->SecurityGroups = (elbv2_SecurityGroups){ v, 0 };
	if (out.SecurityGroups.n)
		v[it->SecurityGroups.n++] = out.SecurityGroups.v[0].GroupId;
	return OK;
}

err elb_secure(req *rq, txn *tx, const elbv2_SecurityGroups *given, elbv2_LoadBalancer *it)
{
	if (!given->n)
		return elb_is_network(it) ? OK : default_group(rq, tx, it);
	for (size_t i = 0; i < given->n; i++) {
		ec2_DescribeSecurityGroups_in in = { .GroupIds = { &given->v[i], 1 } };
		ec2_DescribeSecurityGroups_out out = { 0 };
		err e = call(rq, tx, "ec2", "DescribeSecurityGroups", &in, &out);
		if (e && e->kind->status == 403)
			return e;
		if (e || !out.SecurityGroups.n)
			return fail(rq, &elbv2_InvalidSecurityGroupException,
			            "The security group '%.*s' does not exist", STR_ARG(given->v[i]));
		if (!str_eq(out.SecurityGroups.v[0].VpcId, it->VpcId))
			return fail(rq, &elbv2_InvalidConfigurationRequestException,
			            "One or more security groups are invalid");
	}
	it->SecurityGroups = *given;
	return OK;
}

static bool has_subnet(const elbv2_AvailabilityZones *zones, str id)
{
	for (size_t i = 0; i < zones->n; i++)
		if (str_eq(zones->v[i].SubnetId, id))
			return true;
	return false;
}

static bool has_group(const elbv2_SecurityGroups *groups, str id)
{
	for (size_t i = 0; i < groups->n; i++)
		if (str_eq(groups->v[i], id))
			return true;
	return false;
}

bool elb_is_place(const elbv2_LoadBalancer *a, const elbv2_LoadBalancer *b)
{
	bool same = str_eq(a->Type, b->Type) && str_eq(a->Scheme, b->Scheme) && str_eq(a->VpcId, b->VpcId) &&
	            str_eq(a->IpAddressType, b->IpAddressType) &&
	            a->AvailabilityZones.n == b->AvailabilityZones.n &&
	            a->SecurityGroups.n == b->SecurityGroups.n;
	for (size_t i = 0; same && i < a->AvailabilityZones.n; i++)
		same = has_subnet(&b->AvailabilityZones, a->AvailabilityZones.v[i].SubnetId);
	for (size_t i = 0; same && i < a->SecurityGroups.n; i++)
		same = has_group(&b->SecurityGroups, a->SecurityGroups.v[i]);
	return same;
}
