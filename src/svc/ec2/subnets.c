/*
 * Subnets.
 */
#include "ec2.h"

#define BITS_LEAST 16
#define BITS_MOST 28
#define RESERVED 5 /* the first four addresses and the last are AWS's */
#define SIX_BITS 64

static void keep(req *rq, txn *tx, const ec2_Subnet *s)
{
	kind_put(tx, &kind_subnet, rq->who.account, rq->region, s->SubnetId, s);
}

void ec2_subnet_fill(const txn *tx, arena *mem, str account, str region, void *it)
{
	ec2_Subnet *s = it;
	cidr4 block;
	int64_t taken = RESERVED;
	if (!cidr4_parse(s->CidrBlock, &block))
		return;
	record_scan leases = ec2_lease_scan(tx, mem, 3, account, region, s->SubnetId, STR_NONE);
	while (ec2_lease_next(&leases))
		taken++;
	s->AvailableIpAddressCount = I64((INT64_C(1) << (32 - block.bits)) - taken);
}

bool ec2_subnet_empty(const txn *tx, arena *mem, place p, str subnet)
{
	record_scan leases = ec2_lease_scan(tx, mem, 3, p.account, p.region, subnet, STR_NONE);
	bool empty = !ec2_lease_next(&leases);
	cursor_close(&leases.at);
	return empty;
}

ec2_Subnet *ec2_subnet_new(req *rq, txn *tx, const ec2_Vpc *vpc, cidr4 block, int zone, bool is_default)
{
	ec2_Subnet *s = arena_new(rq->mem, ec2_Subnet);
	str id = ec2_id(rq->mem, "subnet-");
	*s = (ec2_Subnet){ .SubnetId = id, .VpcId = vpc->VpcId, .OwnerId = rq->who.account,
		.AvailabilityZone = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + zone)),
		.AvailabilityZoneId = ec2_zone_id(rq->mem, rq->region, zone),
		.CidrBlock = cidr4_text(rq->mem, block), .State = S("available"), .DefaultForAz = BOOL(is_default),
		.MapPublicIpOnLaunch = BOOL(is_default), .AssignIpv6AddressOnCreation = BOOL(false),
		.EnableDns64 = BOOL(false), .Ipv6Native = BOOL(false), .MapCustomerOwnedIpOnLaunch = BOOL(false),
		.SubnetArn = req_arn(rq, "ec2", "subnet/%.*s", STR_ARG(id)) };
	s->PrivateDnsNameOptionsOnLaunch = arena_new(rq->mem, ec2_PrivateDnsNameOptionsOnLaunch);
	*s->PrivateDnsNameOptionsOnLaunch = (ec2_PrivateDnsNameOptionsOnLaunch){ .HostnameType = S("ip-name"),
		.EnableResourceNameDnsARecord = BOOL(false), .EnableResourceNameDnsAAAARecord = BOOL(false) };
	keep(rq, tx, s);
	ec2_subnet_fill(tx, rq->mem, rq->who.account, rq->region, s);
	ec2_acl_follow(rq, tx, vpc->VpcId, id, true);
	return s;
}

/* By name or by id; the first of the region when neither is given. */
static err zone_of(req *rq, const ec2_CreateSubnet_in *in, int *out)
{
	buf b = buf_in(rq->mem, 128, 1024);
	bool by_id = !given(in->AvailabilityZone) && given(in->AvailabilityZoneId);
	str asked = by_id ? in->AvailabilityZoneId : in->AvailabilityZone;
	*out = 0;
	if (!given(asked))
		return OK;
	for (int i = 0; i < (int)ec2_zones(rq->region); i++) {
		str id = ec2_zone_id(rq->mem, rq->region, i);
		str name = arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i));
		*out = i;
		if (str_eq(asked, by_id ? id : name))
			return OK;
		buf_fmt(&b, "%s%.*s", i ? ", " : "", STR_ARG(by_id ? id : name));
	}
	return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter availabilityZone%s is invalid. "
	            "Subnets can currently only be created in the following availability zones: %.*s.",
	            STR_ARG(asked), by_id ? "Id" : "", (int)b.n, b.p);
}

static bool in_a_block_of(const ec2_Vpc *vpc, cidr4 block)
{
	for (size_t i = 0; i < vpc->CidrBlockAssociationSet.n; i++) {
		cidr4 outer;
		if (cidr4_parse(vpc->CidrBlockAssociationSet.v[i].CidrBlock, &outer) && cidr4_within(block, outer))
			return true;
	}
	return false;
}

static err check_room(req *rq, const txn *tx, const ec2_Vpc *vpc, cidr4 block)
{
	size_t n = 0;
	bool conflict = false;
	str text = cidr4_text(rq->mem, block);
	if (block.bits < BITS_LEAST || block.bits > BITS_MOST || !in_a_block_of(vpc, block))
		return fail(rq, &ec2_InvalidSubnetRange, "The CIDR '%.*s' is invalid.", STR_ARG(text));
	record_scan s = ec2_subnet_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_subnet *other; (other = ec2_subnet_next(&s));) {
		cidr4 theirs;
		if (!str_eq(other->It->VpcId, vpc->VpcId))
			continue;
		n++;
		conflict = conflict || (cidr4_parse(other->It->CidrBlock, &theirs) && cidr4_overlap(block, theirs));
	}
	if (conflict)
		return fail(rq, &ec2_InvalidSubnetConflict, "The CIDR '%.*s' conflicts with another subnet",
		            STR_ARG(text));
	if (n >= EC2_SUBNETS_MAX)
		return fail(rq, &ec2_SubnetLimitExceeded, "The maximum number of subnets has been reached.");
	return OK;
}

/* A /64 of the VPC's own that no other subnet has. */
static err add_six(req *rq, const txn *tx, ec2_Subnet *s, str text)
{
	ec2_Vpc *vpc;
	cidr6 block, outer;
	TRY(kind_get(rq, tx, &kind_vpc, s->VpcId, &vpc));
	if (!cidr6_parse(text, &block))
		return fail(rq, &ec2_InvalidParameterValue,
		            "Value (%.*s) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.",
		            STR_ARG(text));
	if (!vpc->Ipv6CidrBlockAssociationSet.n || block.bits != SIX_BITS ||
	    !cidr6_parse(vpc->Ipv6CidrBlockAssociationSet.v->Ipv6CidrBlock, &outer) ||
	    !cidr6_within(&block, &outer))
		return fail(rq, &ec2_InvalidSubnetRange, "The CIDR '%.*s' is invalid.", STR_ARG(text));
	str canonical = cidr6_text(rq->mem, &block);
	if (kind_first(tx, rq->mem, &kind_subnet, rq->who.account, rq->region,
	               "ipv6CidrBlockAssociationSet.ipv6CidrBlock", canonical))
		return fail(rq, &ec2_InvalidSubnetConflict, "The CIDR '%.*s' conflicts with another subnet",
		            STR_ARG(canonical));
	ec2_SubnetCidrBlockState *state = arena_new(rq->mem, ec2_SubnetCidrBlockState);
	state->State = S("associated");
	LIST_ADD(rq->mem, &s->Ipv6CidrBlockAssociationSet, (ec2_SubnetIpv6CidrBlockAssociation){
		.AssociationId = ec2_id(rq->mem, "subnet-cidr-assoc-"), .Ipv6CidrBlock = canonical,
		.Ipv6CidrBlockState = state, .Ipv6AddressAttribute = S("public"), .IpSource = S("amazon") });
	return OK;
}

err ec2_CreateSubnet(req *rq, txn *tx, const ec2_CreateSubnet_in *in, ec2_CreateSubnet_out *out)
{
	ec2_begun *b;
	ec2_Vpc *vpc;
	cidr4 block;
	int zone;
	if (in->Ipv6Native.v || given(in->Ipv4IpamPoolId) || given(in->Ipv6IpamPoolId) || given(in->OutpostArn))
		return fail(rq, &aws_NotImplemented,
		            "Subnets without IPv4, from pools of addresses or on Outposts are not implemented.");
	if (!given(in->CidrBlock))
		return fail(rq, &aws_MissingParameter, "Either 'cidrBlock' or 'ipv6CidrBlock' should be provided.");
	TRY(ec2_begin(rq, tx, &b));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_cidr4(rq, in->CidrBlock, "cidrBlock", &block));
	TRY(zone_of(rq, in, &zone));
	TRY(check_room(rq, tx, vpc, block));
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_Subnet *s = ec2_subnet_new(rq, tx, vpc, block, zone, false);
	if (given(in->Ipv6CidrBlock)) {
		TRY(add_six(rq, tx, s, in->Ipv6CidrBlock));
		keep(rq, tx, s);
	}
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "subnet", s->SubnetId));
	return kind_get(rq, tx, &kind_subnet, s->SubnetId, &out->Subnet);
}

err ec2_DescribeSubnets(req *rq, txn *tx, const ec2_DescribeSubnets_in *in, ec2_DescribeSubnets_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	return kind_describe(rq, tx, &kind_subnet, DESCRIBE(in, &in->SubnetIds), &out->Subnets, &out->NextToken);
}

/* Its association with a route table ends with it. */
static void leave_table(req *rq, txn *tx, str subnet)
{
	ec2_RouteTable *t = kind_first(tx, rq->mem, &kind_route_table, rq->who.account, rq->region,
	                               "associationSet.subnetId", subnet);
	for (size_t i = 0; t && i < t->Associations.n; i++)
		if (str_eq(t->Associations.v[i].SubnetId, subnet)) {
			LIST_DROP(&t->Associations, i);
			kind_put(tx, &kind_route_table, rq->who.account, rq->region, t->RouteTableId, t);
			return;
		}
}

err ec2_DeleteSubnet(req *rq, txn *tx, const ec2_DeleteSubnet_in *in, ec2_DeleteSubnet_out *out)
{
	ec2_Subnet *s;
	(void)out;
	TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &s));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (!ec2_subnet_empty(tx, rq->mem, place_of(rq), s->SubnetId))
		return ec2_dependencies(rq, "subnet", s->SubnetId);
	leave_table(rq, tx, s->SubnetId);
	ec2_acl_follow(rq, tx, s->VpcId, s->SubnetId, false);
	kind_delete(tx, rq->mem, &kind_subnet, rq->who.account, rq->region, s->SubnetId);
	return OK;
}

static int attributes_asked(const ec2_ModifySubnetAttribute_in *in)
{
	return !!in->AssignIpv6AddressOnCreation + !!in->MapPublicIpOnLaunch + !!in->MapCustomerOwnedIpOnLaunch +
	       !!in->EnableDns64 + given(in->PrivateDnsHostnameTypeOnLaunch) +
	       !!in->EnableResourceNameDnsARecordOnLaunch + !!in->EnableResourceNameDnsAAAARecordOnLaunch +
	       in->EnableLniAtDeviceIndex.set + !!in->DisableLniAtDeviceIndex;
}

err ec2_ModifySubnetAttribute(req *rq, txn *tx, const ec2_ModifySubnetAttribute_in *in,
                              ec2_ModifySubnetAttribute_out *out)
{
	ec2_Subnet *s;
	int n = attributes_asked(in);
	(void)out;
	if (n > 1)
		return fail(rq, &ec2_InvalidParameterCombination, "Fields for multiple attribute types specified");
	if (!n)
		return fail(rq, &ec2_InvalidParameterCombination, "No attributes specified.");
	if (in->MapCustomerOwnedIpOnLaunch || in->EnableLniAtDeviceIndex.set || in->DisableLniAtDeviceIndex)
		return fail(rq, &aws_NotImplemented, "Outposts are not implemented.");
	TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &s));
	if (in->AssignIpv6AddressOnCreation && in->AssignIpv6AddressOnCreation->Value.v &&
	    !s->Ipv6CidrBlockAssociationSet.n)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value for assignIpv6AddressOnCreation: subnet "
		            "'%.*s' has no IPv6 CIDR block.", STR_ARG(s->SubnetId));
	if (in->AssignIpv6AddressOnCreation)
		s->AssignIpv6AddressOnCreation = BOOL(in->AssignIpv6AddressOnCreation->Value.v);
	if (in->MapPublicIpOnLaunch)
		s->MapPublicIpOnLaunch = BOOL(in->MapPublicIpOnLaunch->Value.v);
	if (in->EnableDns64)
		s->EnableDns64 = BOOL(in->EnableDns64->Value.v);
	ec2_PrivateDnsNameOptionsOnLaunch *names = s->PrivateDnsNameOptionsOnLaunch;
	if (!names)
		s->PrivateDnsNameOptionsOnLaunch = names = arena_new(rq->mem, ec2_PrivateDnsNameOptionsOnLaunch);
	if (given(in->PrivateDnsHostnameTypeOnLaunch))
		names->HostnameType = in->PrivateDnsHostnameTypeOnLaunch;
	if (in->EnableResourceNameDnsARecordOnLaunch)
		names->EnableResourceNameDnsARecord = BOOL(in->EnableResourceNameDnsARecordOnLaunch->Value.v);
	if (in->EnableResourceNameDnsAAAARecordOnLaunch)
		names->EnableResourceNameDnsAAAARecord = BOOL(in->EnableResourceNameDnsAAAARecordOnLaunch->Value.v);
	keep(rq, tx, s);
	return OK;
}

err ec2_AssociateSubnetCidrBlock(req *rq, txn *tx, const ec2_AssociateSubnetCidrBlock_in *in,
                                 ec2_AssociateSubnetCidrBlock_out *out)
{
	ec2_Subnet *s;
	TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &s));
	if (!given(in->Ipv6CidrBlock))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ipv6CidrBlock");
	TRY(add_six(rq, tx, s, in->Ipv6CidrBlock));
	keep(rq, tx, s);
	out->SubnetId = s->SubnetId;
	out->Ipv6CidrBlockAssociation = arena_new(rq->mem, ec2_SubnetIpv6CidrBlockAssociation);
	*out->Ipv6CidrBlockAssociation =
		s->Ipv6CidrBlockAssociationSet.v[s->Ipv6CidrBlockAssociationSet.n - 1];
	out->Ipv6CidrBlockAssociation->Ipv6CidrBlockState = arena_new(rq->mem, ec2_SubnetCidrBlockState);
	out->Ipv6CidrBlockAssociation->Ipv6CidrBlockState->State = S("associating");
	return OK;
}

err ec2_DisassociateSubnetCidrBlock(req *rq, txn *tx, const ec2_DisassociateSubnetCidrBlock_in *in,
                                    ec2_DisassociateSubnetCidrBlock_out *out)
{
	ec2_Subnet *s = kind_first(tx, rq->mem, &kind_subnet, rq->who.account, rq->region,
	                           "ipv6CidrBlockAssociationSet.associationId", in->AssociationId);
	if (!s)
		return fail(rq, &ec2_InvalidSubnetCidrAssociation,
		            "The subnet CIDR block with association ID '%.*s' does not exist",
		            STR_ARG(in->AssociationId));
	size_t at = 0;
	while (!str_eq(s->Ipv6CidrBlockAssociationSet.v[at].AssociationId, in->AssociationId))
		at++;
	out->SubnetId = s->SubnetId;
	out->Ipv6CidrBlockAssociation = arena_new(rq->mem, ec2_SubnetIpv6CidrBlockAssociation);
	*out->Ipv6CidrBlockAssociation = s->Ipv6CidrBlockAssociationSet.v[at];
	out->Ipv6CidrBlockAssociation->Ipv6CidrBlockState = arena_new(rq->mem, ec2_SubnetCidrBlockState);
	out->Ipv6CidrBlockAssociation->Ipv6CidrBlockState->State = S("disassociating");
	LIST_DROP(&s->Ipv6CidrBlockAssociationSet, at);
	keep(rq, tx, s);
	return OK;
}
