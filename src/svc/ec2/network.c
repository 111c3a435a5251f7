/*
 * The network that every account has from the start: a default VPC with a subnet in each zone, an internet
 * gateway, a main route table and a default security group. It is made when somebody first looks.
 */
#include "ec2.h"
#include "sys/rand.h"

str ec2_id(arena *mem, const char *prefix)
{
	return arena_concat(mem, str_c(prefix), rand_text(mem, 17, S("0123456789abcdef")));
}

err ec2_dry_run(req *rq, opt_bool dry_run)
{
	if (!dry_run.v)
		return OK;
	return fail(rq, &ec2_DryRunOperation, "Request would have succeeded, but DryRun flag is set.");
}

static void put(req *rq, txn *tx, const resource_kind *k, str id, const void *it)
{
	kind_put(tx, k, rq->who.account, rq->region, id, it);
}

static void make_subnets(req *rq, txn *tx, str vpc)
{
	for (int i = 0; i < 6; i++) {
		str zone = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i));
		if (!ec2_zone_exists(rq->region, zone))
			return;
		str id = ec2_id(rq->mem, "subnet-");
		put(rq, tx, &kind_subnet, id, &(ec2_Subnet){ .SubnetId = id, .VpcId = vpc, .AvailabilityZone = zone,
			.AvailabilityZoneId = ec2_zone_id(rq->mem, rq->region, i), .OwnerId = rq->who.account,
			.CidrBlock = arena_fmt(rq->mem, "172.31.%d.0/20", i * 16), .AvailableIpAddressCount = I64(4091),
			.State = S("available"), .DefaultForAz = BOOL(true), .MapPublicIpOnLaunch = BOOL(true),
			.AssignIpv6AddressOnCreation = BOOL(false), .EnableDns64 = BOOL(false), .Ipv6Native = BOOL(false),
			.MapCustomerOwnedIpOnLaunch = BOOL(false),
			.SubnetArn = req_arn(rq, "ec2", "subnet/%.*s", STR_ARG(id)) });
	}
}

static void make_gateway(req *rq, txn *tx, str vpc)
{
	str id = ec2_id(rq->mem, "igw-"), table = ec2_id(rq->mem, "rtb-"), link = ec2_id(rq->mem, "rtbassoc-");
	ec2_InternetGatewayAttachment attached = { .State = S("available"), .VpcId = vpc };
	ec2_Route routes[] = { { .DestinationCidrBlock = S("172.31.0.0/16"), .GatewayId = S("local"),
		.Origin = S("CreateRouteTable"), .State = S("active") }, { .DestinationCidrBlock = S("0.0.0.0/0"),
		.GatewayId = id, .Origin = S("CreateRoute"), .State = S("active") } };
	ec2_RouteTableAssociationState associated = { .State = S("associated") };
	ec2_RouteTableAssociation main_table = { .Main = BOOL(true), .RouteTableAssociationId = link,
		.RouteTableId = table, .AssociationState = &associated };
	put(rq, tx, &kind_internet_gateway, id, &(ec2_InternetGateway){ .InternetGatewayId = id,
		.OwnerId = rq->who.account, .Attachments = { &attached, 1 } });
	put(rq, tx, &kind_route_table, table, &(ec2_RouteTable){ .RouteTableId = table, .VpcId = vpc,
		.OwnerId = rq->who.account, .Routes = { routes, 2 }, .Associations = { &main_table, 1 } });
}

static str make_group(req *rq, txn *tx, str vpc)
{
	str id = ec2_id(rq->mem, "sg-");
	ec2_UserIdGroupPair self = { .GroupId = id, .UserId = rq->who.account };
	ec2_IpRange everywhere = { .CidrIp = S("0.0.0.0/0") };
	ec2_IpPermission in = { .IpProtocol = S("-1"), .UserIdGroupPairs = { &self, 1 } };
	ec2_IpPermission out = { .IpProtocol = S("-1"), .IpRanges = { &everywhere, 1 } };
	put(rq, tx, &kind_security_group, id, &(ec2_SecurityGroup){ .GroupId = id, .GroupName = S("default"),
		.Description = S("default VPC security group"), .VpcId = vpc, .OwnerId = rq->who.account,
		.SecurityGroupArn = req_arn(rq, "ec2", "security-group/%.*s", STR_ARG(id)),
		.IpPermissions = { &in, 1 }, .IpPermissionsEgress = { &out, 1 } });
	return id;
}

err ec2_begin(req *rq, txn *tx, ec2_begun **out)
{
	ec2_begun *b = ec2_begun_get(tx, rq->mem, rq->who.account, rq->region);
	*out = b;
	if (b)
		return OK;
	str vpc = ec2_id(rq->mem, "vpc-");
	ec2_VpcCidrBlockState associated = { .State = S("associated") };
	ec2_VpcCidrBlockAssociation block = { .AssociationId = ec2_id(rq->mem, "vpc-cidr-assoc-"),
		.CidrBlock = S("172.31.0.0/16"), .CidrBlockState = &associated };
	put(rq, tx, &kind_vpc, vpc, &(ec2_Vpc){ .VpcId = vpc, .CidrBlock = S("172.31.0.0/16"),
		.State = S("available"), .IsDefault = BOOL(true), .OwnerId = rq->who.account,
		.InstanceTenancy = S("default"), .DhcpOptionsId = ec2_id(rq->mem, "dopt-"),
		.CidrBlockAssociationSet = { &block, 1 } });
	make_subnets(rq, tx, vpc);
	make_gateway(rq, tx, vpc);
	b = arena_new(rq->mem, ec2_begun);
	*b = (ec2_begun){ .Account = rq->who.account, .Region = rq->region, .Vpc = vpc,
		.Group = make_group(rq, tx, vpc) };
	ec2_begun_put(tx, b);
	*out = b;
	return OK;
}

/* They write because the first look makes what there is to see. */
err ec2_DescribeVpcs(req *rq, txn *tx, const ec2_DescribeVpcs_in *in, ec2_DescribeVpcs_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_vpc, DESCRIBE(in, &in->VpcIds), &out->Vpcs, &out->NextToken);
}

err ec2_DescribeSubnets(req *rq, txn *tx, const ec2_DescribeSubnets_in *in, ec2_DescribeSubnets_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_subnet, DESCRIBE(in, &in->SubnetIds), &out->Subnets, &out->NextToken);
}

err ec2_DescribeInternetGateways(req *rq, txn *tx, const ec2_DescribeInternetGateways_in *in,
                                 ec2_DescribeInternetGateways_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_internet_gateway, DESCRIBE(in, &in->InternetGatewayIds),
	                     &out->InternetGateways, &out->NextToken);
}

err ec2_DescribeRouteTables(req *rq, txn *tx, const ec2_DescribeRouteTables_in *in,
                            ec2_DescribeRouteTables_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_route_table, DESCRIBE(in, &in->RouteTableIds), &out->RouteTables,
	                     &out->NextToken);
}

err ec2_DescribeVpcAttribute(req *rq, const txn *tx, const ec2_DescribeVpcAttribute_in *in,
                             ec2_DescribeVpcAttribute_out *out)
{
	void *vpc;
	ec2_AttributeBooleanValue *value = arena_new(rq->mem, ec2_AttributeBooleanValue);
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	out->VpcId = in->VpcId;
	/* A default VPC has names for its addresses. */
	value->Value = BOOL(!str_eq(in->Attribute, S("enableNetworkAddressUsageMetrics")));
	if (str_eq(in->Attribute, S("enableDnsHostnames")))
		out->EnableDnsHostnames = value;
	else if (str_eq(in->Attribute, S("enableDnsSupport")))
		out->EnableDnsSupport = value;
	else
		out->EnableNetworkAddressUsageMetrics = value;
	return OK;
}
