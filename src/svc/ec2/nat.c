/*
 * NAT gateways. They cost by the begun hour from the moment they are asked for; what they carry is counted
 * in path.c.
 */
#include "cloud/charges_zone.h"
#include "ec2.h"
#include "store/due.h"

#define MOVE_MS 1000
#define GONE_AFTER_MS 3600000

static void keep(txn *tx, place p, const ec2_NatGateway *g)
{
	kind_put(tx, &kind_nat_gateway, p.account, p.region, g->NatGatewayId, g);
}

static void arm(txn *tx, place p, str id, int64_t due)
{
	str what = arena_fmt(txn_arena(tx), "%.*s %.*s %.*s", STR_ARG(p.account), STR_ARG(p.region), STR_ARG(id));
	timer_set(tx, "ec2_nat_gateway", what, due, what);
}

static void meter_it(txn *tx, place p, int64_t now, const ec2_NatGateway *g, bool exists)
{
	ec2_meter_hours(tx, p, now, &EC2_NAT_HOUR, ec2_arn(txn_arena(tx), p, "natgateway", g->NatGatewayId),
	                exists, g->CreateTime.v);
}

static void end_addresses(txn *tx, arena *mem, place p, int64_t now, const ec2_NatGateway *g)
{
	for (size_t i = 0; i < g->NatGatewayAddresses.n; i++) {
		str interface = g->NatGatewayAddresses.v[i].NetworkInterfaceId;
		if (!given(interface))
			continue;
		ec2_address_unbind(tx, mem, p, now, interface, STR_NONE);
		ec2_interface_delete(tx, mem, p, interface);
	}
}

/* pending: available; deleting: deleted; what is deleted or has failed is shown for an hour. */
TIMER(ec2_nat_gateway)
{
	arena *mem = txn_arena(tx);
	str rest = payload;
	place p = { .account = str_cut(&rest, ' ') };
	p.region = str_cut(&rest, ' ');
	ec2_NatGateway *g = kind_find(tx, mem, &kind_nat_gateway, p.account, p.region, rest);
	if (!g)
		return;
	if (str_eq(g->State, S("pending"))) {
		g->State = S("available");
		for (size_t i = 0; i < g->NatGatewayAddresses.n; i++)
			g->NatGatewayAddresses.v[i].Status = S("succeeded");
		keep(tx, p, g);
	} else if (str_eq(g->State, S("deleting"))) {
		end_addresses(tx, mem, p, due, g);
		g->State = S("deleted");
		keep(tx, p, g);
		arm(tx, p, g->NatGatewayId, due + GONE_AFTER_MS);
	} else {
		kind_delete(tx, mem, &kind_nat_gateway, p.account, p.region, g->NatGatewayId);
	}
}

static size_t in_zone(req *rq, const txn *tx, str zone)
{
	size_t n = 0;
	record_scan s = ec2_natgateway_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_natgateway *g; (g = ec2_natgateway_next(&s));) {
		bool lives = str_eq(g->It->State, S("pending")) || str_eq(g->It->State, S("available"));
		ec2_Subnet *subnet = lives ? kind_find(tx, rq->mem, &kind_subnet, rq->who.account, rq->region,
		                                       g->It->SubnetId) : NULL;
		n += subnet && str_eq(subnet->AvailabilityZone, zone);
	}
	return n;
}

static err check(req *rq, const ec2_CreateNatGateway_in *in, bool private)
{
	if (str_eq(in->AvailabilityMode, S("regional")) || in->AvailabilityZoneAddresses.n)
		return fail(rq, &aws_NotImplemented, "Regional NAT gateways are not implemented.");
	if (in->SecondaryAllocationIds.n || in->SecondaryPrivateIpAddresses.n ||
	    in->SecondaryPrivateIpAddressCount.set)
		return fail(rq, &aws_NotImplemented, "Secondary addresses of NAT gateways are not implemented.");
	if (!given(in->SubnetId))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter subnetId");
	if (private && given(in->AllocationId))
		return fail(rq, &ec2_InvalidParameter, "AllocationId cannot be specified when connectivityType is "
		            "private.");
	if (!private && !given(in->AllocationId))
		return fail(rq, &aws_MissingParameter, "The request must include the AllocationId parameter. Add the "
		            "required parameter and retry the request.");
	return OK;
}

/* What AWS tells by the state of the gateway rather than by an error. */
static bool failed(req *rq, const txn *tx, ec2_NatGateway *g, const ec2_Address *address)
{
	if (address && !ec2_gateway_of(tx, rq->mem, place_of(rq), g->VpcId)) {
		g->FailureCode = S("Gateway.NotAttached");
		g->FailureMessage = arena_fmt(rq->mem, "Network %.*s has no Internet gateway attached",
		                              STR_ARG(g->VpcId));
	} else if (address && given(address->AssociationId)) {
		g->FailureCode = S("Resource.AlreadyAssociated");
		g->FailureMessage = arena_fmt(rq->mem, "Elastic IP address [%.*s] is already associated",
		                              STR_ARG(address->AllocationId));
	}
	return given(g->FailureCode);
}

static err give_address(req *rq, txn *tx, const ec2_CreateNatGateway_in *in, const ec2_Subnet *subnet,
                        ec2_Address *address, ec2_NatGateway *g)
{
	ec2_NetworkInterface *n;
	interface_wish w = { .subnet = subnet, .ip = in->PrivateIpAddress, .type = S("nat_gateway"),
		.description = arena_fmt(rq->mem, "Interface for NAT Gateway %.*s", STR_ARG(g->NatGatewayId)),
		.requester = S("amazon-nat") };
	TRY(ec2_interface_new(rq, tx, &w, &n));
	n->SourceDestCheck = BOOL(false);
	n->Status = S("in-use");
	n->Attachment = arena_new(rq->mem, ec2_NetworkInterfaceAttachment);
	*n->Attachment = (ec2_NetworkInterfaceAttachment){ .AttachmentId = ec2_id(rq->mem, "ela-attach-"),
		.DeviceIndex = I64(1), .InstanceOwnerId = S("amazon-aws"), .Status = S("attached"),
		.DeleteOnTermination = BOOL(false) };
	ec2_interface_put(tx, place_of(rq), n);
	ec2_NatGatewayAddress a = { .NetworkInterfaceId = n->NetworkInterfaceId, .PrivateIp = n->PrivateIpAddress,
		.IsPrimary = BOOL(true), .Status = S("associating") };
	if (address) {
		a.AllocationId = address->AllocationId;
		a.PublicIp = address->PublicIp;
		a.AssociationId = ec2_id(rq->mem, "eipassoc-");
		ec2_address_bind(tx, place_of(rq), rq->now, address, n, a.PrivateIp, a.AssociationId);
	}
	LIST_ADD(rq->mem, &g->NatGatewayAddresses, a);
	return OK;
}

err ec2_CreateNatGateway(req *rq, txn *tx, const ec2_CreateNatGateway_in *in, ec2_CreateNatGateway_out *out)
{
	ec2_Subnet *subnet;
	ec2_Address *address = NULL;
	str before;
	bool private = str_eq(in->ConnectivityType, S("private"));
	place p = place_of(rq);
	TRY(check(rq, in, private));
	TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &subnet));
	if (!private)
		TRY(kind_get(rq, tx, &kind_address, in->AllocationId, &address));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_nat_gateway, before, &out->NatGateway);
	if (in_zone(rq, tx, subnet->AvailabilityZone) >= EC2_NAT_PER_ZONE_MAX)
		return fail(rq, &ec2_NatGatewayLimitExceeded, "Performing this operation would exceed the limit of "
		            "%d "
		            "NAT gateways", EC2_NAT_PER_ZONE_MAX);
	ec2_NatGateway g = { .NatGatewayId = ec2_id(rq->mem, "nat-"), .SubnetId = subnet->SubnetId,
		.VpcId = subnet->VpcId, .State = S("pending"), .CreateTime = TIME(rq->now),
		.ConnectivityType = private ? S("private") : S("public"), .AvailabilityMode = S("zonal") };
	if (failed(rq, tx, &g, address)) {
		g.State = S("failed");
		g.DeleteTime = TIME(rq->now);
		LIST_ADD(rq->mem, &g.NatGatewayAddresses, (ec2_NatGatewayAddress){
			.AllocationId = in->AllocationId, .IsPrimary = BOOL(true), .Status = S("failed") });
		arm(tx, p, g.NatGatewayId, rq->now + GONE_AFTER_MS);
	} else {
		TRY(give_address(rq, tx, in, subnet, address, &g));
		meter_it(tx, p, rq->now, &g, true);
		charges_zone_put(tx, p.account, ec2_arn(rq->mem, p, "natgateway", g.NatGatewayId),
		                 subnet->AvailabilityZone);
		arm(tx, p, g.NatGatewayId, rq->now + MOVE_MS);
	}
	keep(tx, p, &g);
	ec2_repeats(rq, tx, in->ClientToken, g.NatGatewayId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "natgateway", g.NatGatewayId));
	TRY(kind_get(rq, tx, &kind_nat_gateway, g.NatGatewayId, &out->NatGateway));
	out->NatGateway->State = S("pending");
	return OK;
}

err ec2_DescribeNatGateways(req *rq, const txn *tx, const ec2_DescribeNatGateways_in *in,
                            ec2_DescribeNatGateways_out *out)
{
	describe_request d = { .ids = &in->NatGatewayIds, .filters = &in->Filter, .most = in->MaxResults,
		.token = in->NextToken };
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_nat_gateway, &d, &out->NatGateways, &out->NextToken);
}

err ec2_DeleteNatGateway(req *rq, txn *tx, const ec2_DeleteNatGateway_in *in, ec2_DeleteNatGateway_out *out)
{
	ec2_NatGateway *g;
	place p = place_of(rq);
	TRY(kind_get(rq, tx, &kind_nat_gateway, in->NatGatewayId, &g));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->NatGatewayId = g->NatGatewayId;
	bool lives = str_eq(g->State, S("pending")) || str_eq(g->State, S("available"));
	if (!lives)
		return OK;
	meter_it(tx, p, rq->now, g, false);
	g->State = S("deleting");
	g->DeleteTime = TIME(rq->now);
	keep(tx, p, g);
	arm(tx, p, g->NatGatewayId, rq->now + MOVE_MS);
	return OK;
}
