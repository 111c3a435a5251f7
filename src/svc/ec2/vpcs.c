/*
 * VPCs and their blocks of addresses.
 */
#include "ec2.h"
#include "sys/rand.h"

#define BLOCK_BITS_LEAST 16 /* a VPC's block is between /16 and /28 */
#define BLOCK_BITS_MOST 28
#define SIX_BITS 56

static void keep(req *rq, txn *tx, const ec2_Vpc *vpc)
{
	kind_put(tx, &kind_vpc, rq->who.account, rq->region, vpc->VpcId, vpc);
}

static err block_of(req *rq, str text, cidr4 *out)
{
	TRY(ec2_cidr4(rq, text, "cidrBlock", out));
	if (out->bits < BLOCK_BITS_LEAST || out->bits > BLOCK_BITS_MOST)
		return fail(rq, &ec2_InvalidVpcRange, "The CIDR '%.*s' is invalid.", STR_ARG(text));
	return OK;
}

/* 2001:db8::/32 is for examples: addresses from it lead nowhere. */
static ec2_VpcIpv6CidrBlockAssociation six_block(req *rq)
{
	ec2_VpcCidrBlockState *state = arena_new(rq->mem, ec2_VpcCidrBlockState);
	state->State = S("associated");
	return (ec2_VpcIpv6CidrBlockAssociation){ .AssociationId = ec2_id(rq->mem, "vpc-cidr-assoc-"),
		.Ipv6CidrBlock = arena_fmt(rq->mem, "2001:db8:%x:%x00::/%d", 1 + (unsigned)rand_below(0xffff),
		                           (unsigned)(1 + rand_below(0xff)), SIX_BITS),
		.Ipv6CidrBlockState = state, .NetworkBorderGroup = rq->region, .Ipv6Pool = S("Amazon"),
		.Ipv6AddressAttribute = S("public"), .IpSource = S("amazon") };
}

/* What address management would hand out. */
static err no_pools(req *rq, bool asked)
{
	return asked ? fail(rq, &aws_NotImplemented, "Pools of addresses (IPAM, BYOIP) are not "
	            "implemented.") : OK;
}

err ec2_CreateVpc(req *rq, txn *tx, const ec2_CreateVpc_in *in, ec2_CreateVpc_out *out)
{
	ec2_begun *b;
	cidr4 block;
	TRY(no_pools(rq, given(in->Ipv4IpamPoolId) || given(in->Ipv6IpamPoolId) || given(in->Ipv6Pool)));
	if (in->VpcEncryptionControl)
		return fail(rq, &aws_NotImplemented, "Encryption control of VPCs is not implemented.");
	if (!given(in->CidrBlock))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter cidrBlock");
	TRY(block_of(rq, in->CidrBlock, &block));
	if (given(in->InstanceTenancy) && !str_eq(in->InstanceTenancy, S("default"))
	    && !str_eq(in->InstanceTenancy, S("dedicated")))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for instanceTenancy.",
		            STR_ARG(in->InstanceTenancy));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	ec2_Vpc vpc;
	TRY(ec2_vpc_new(rq, tx, block, in->InstanceTenancy, false, &vpc));
	if (in->AmazonProvidedIpv6CidrBlock.v) {
		LIST_ADD(rq->mem, &vpc.Ipv6CidrBlockAssociationSet, six_block(rq));
		keep(rq, tx, &vpc);
		ec2_local_route(rq, tx, vpc.VpcId, vpc.Ipv6CidrBlockAssociationSet.v->Ipv6CidrBlock, true);
	}
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "vpc", vpc.VpcId));
	TRY(kind_get(rq, tx, &kind_vpc, vpc.VpcId, &out->Vpc));
	out->Vpc->State = S("pending");
	if (!out->Vpc->Tags.n)
		out->Vpc->Tags.v = NULL;
	if (!out->Vpc->Ipv6CidrBlockAssociationSet.n)
		out->Vpc->Ipv6CidrBlockAssociationSet.v = arena_new(rq->mem, ec2_VpcIpv6CidrBlockAssociation);
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

/* Resources of the kind in the VPC for which `own` is not true: AWS deletes its own with the VPC. */
static bool has(req *rq, const txn *tx, const resource_kind *k, str vpc, bool (*own)(const void *it))
{
	bool found = false;
	str none;
	struct { char *v; size_t n; } all = { 0 };
	if (kind_describe(rq, tx, k, &(describe_request){ 0 }, &all, &none))
		return true;
	for (size_t i = 0; !found && i < all.n; i++) {
		const void *it = all.v + i * k->shape->size;
		found = path_is(rq->mem, k->shape, it, "vpcId", vpc) && !(own && own(it));
	}
	return found;
}

static bool own_table(const void *it)
{
	const ec2_RouteTable *t = it;
	for (size_t i = 0; i < t->Associations.n; i++)
		if (t->Associations.v[i].Main.v)
			return true;
	return false;
}

static bool own_acl(const void *it)
{
	return ((const ec2_NetworkAcl *)it)->IsDefault.v;
}

static bool own_group(const void *it)
{
	return str_eq(((const ec2_SecurityGroup *)it)->GroupName, S("default"));
}

static bool is_gone(const void *it)
{
	return str_eq(((const ec2_NatGateway *)it)->State, S("deleted")) ||
	       str_eq(((const ec2_NatGateway *)it)->State, S("failed"));
}

static void delete_own(req *rq, txn *tx, const ec2_Vpc *vpc)
{
	str account = rq->who.account, region = rq->region;
	ec2_RouteTable *table = ec2_main_table(tx, rq->mem, place_of(rq), vpc->VpcId);
	ec2_NetworkAcl *acl = kind_first(tx, rq->mem, &kind_network_acl, account, region, "vpcId", vpc->VpcId);
	ec2_SecurityGroup *group = ec2_group_default(tx, rq->mem, place_of(rq), vpc->VpcId);
	if (table)
		kind_delete(tx, rq->mem, &kind_route_table, account, region, table->RouteTableId);
	if (acl)
		kind_delete(tx, rq->mem, &kind_network_acl, account, region, acl->NetworkAclId);
	if (group)
		ec2_group_delete(tx, rq->mem, place_of(rq), group->GroupId);
	ec2_peerings_end(tx, rq->mem, place_of(rq), rq->now, vpc->VpcId);
	ec2_vpcattribute_delete(tx, account, region, vpc->VpcId);
	kind_delete(tx, rq->mem, &kind_vpc, account, region, vpc->VpcId);
}

err ec2_DeleteVpc(req *rq, txn *tx, const ec2_DeleteVpc_in *in, ec2_DeleteVpc_out *out)
{
	ec2_Vpc *vpc;
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	(void)out;
	if (has(rq, tx, &kind_subnet, in->VpcId, NULL) || has(rq, tx, &kind_route_table, in->VpcId, own_table) ||
	    has(rq, tx, &kind_network_acl, in->VpcId, own_acl) || has(rq, tx, &kind_endpoint, in->VpcId, NULL) ||
	    has(rq, tx, &kind_security_group, in->VpcId, own_group) ||
	    has(rq, tx, &kind_nat_gateway, in->VpcId, is_gone) ||
	    ec2_gateway_of(tx, rq->mem, place_of(rq), in->VpcId) ||
	    kind_first(tx, rq->mem, &kind_egress_gateway, rq->who.account, rq->region, "attachmentSet.vpcId",
	               in->VpcId))
		return ec2_dependencies(rq, "vpc", in->VpcId);
	delete_own(rq, tx, vpc);
	ec2_begun *b = ec2_begun_get(tx, rq->mem, rq->who.account, rq->region);
	if (b && str_eq(b->Vpc, in->VpcId)) {
		b->Vpc = b->Group = S("");
		ec2_begun_put(tx, b);
	}
	return OK;
}

/* A default VPC has names for its addresses from the start. */
static ec2_vpcattribute *attributes(req *rq, const txn *tx, const ec2_Vpc *vpc)
{
	ec2_vpcattribute *a = ec2_vpcattribute_get(tx, rq->mem, rq->who.account, rq->region, vpc->VpcId);
	if (a)
		return a;
	a = arena_new(rq->mem, ec2_vpcattribute);
	*a = (ec2_vpcattribute){ .Account = rq->who.account, .Region = rq->region, .Id = vpc->VpcId,
		.DnsHostnames = vpc->IsDefault.v };
	return a;
}

err ec2_ModifyVpcAttribute(req *rq, txn *tx, const ec2_ModifyVpcAttribute_in *in,
                           ec2_ModifyVpcAttribute_out *out)
{
	ec2_Vpc *vpc;
	int n = !!in->EnableDnsHostnames + !!in->EnableDnsSupport + !!in->EnableNetworkAddressUsageMetrics;
	(void)out;
	if (n > 1)
		return fail(rq, &ec2_InvalidParameterCombination, "Fields for multiple attribute types specified");
	if (!n)
		return fail(rq, &ec2_InvalidParameterCombination, "No attributes specified.");
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	ec2_vpcattribute *a = attributes(rq, tx, vpc);
	if (in->EnableDnsHostnames)
		a->DnsHostnames = in->EnableDnsHostnames->Value.v;
	if (in->EnableDnsSupport)
		a->NoDnsSupport = !in->EnableDnsSupport->Value.v;
	if (in->EnableNetworkAddressUsageMetrics)
		a->UsageMetrics = in->EnableNetworkAddressUsageMetrics->Value.v;
	ec2_vpcattribute_put(tx, a);
	return OK;
}

err ec2_DescribeVpcAttribute(req *rq, const txn *tx, const ec2_DescribeVpcAttribute_in *in,
                             ec2_DescribeVpcAttribute_out *out)
{
	ec2_Vpc *vpc;
	ec2_AttributeBooleanValue *value = arena_new(rq->mem, ec2_AttributeBooleanValue);
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	const ec2_vpcattribute *a = attributes(rq, tx, vpc);
	out->VpcId = in->VpcId;
	if (str_eq(in->Attribute, S("enableDnsHostnames"))) {
		value->Value = BOOL(a->DnsHostnames);
		out->EnableDnsHostnames = value;
	} else if (str_eq(in->Attribute, S("enableDnsSupport"))) {
		value->Value = BOOL(!a->NoDnsSupport);
		out->EnableDnsSupport = value;
	} else {
		value->Value = BOOL(a->UsageMetrics);
		out->EnableNetworkAddressUsageMetrics = value;
	}
	return OK;
}

static err add_six(req *rq, txn *tx, ec2_Vpc *vpc, ec2_AssociateVpcCidrBlock_out *out)
{
	if (vpc->Ipv6CidrBlockAssociationSet.n)
		return fail(rq, &ec2_VpcCidrLimitExceeded,
		            "This network '%.*s' has met its maximum number of allowed CIDRs: 1",
		            STR_ARG(vpc->VpcId));
	ec2_VpcIpv6CidrBlockAssociation *made = arena_new(rq->mem, ec2_VpcIpv6CidrBlockAssociation);
	*made = six_block(rq);
	LIST_ADD(rq->mem, &vpc->Ipv6CidrBlockAssociationSet, *made);
	keep(rq, tx, vpc);
	ec2_local_route(rq, tx, vpc->VpcId, made->Ipv6CidrBlock, true);
	made->Ipv6CidrBlockState = arena_new(rq->mem, ec2_VpcCidrBlockState);
	made->Ipv6CidrBlockState->State = S("associating");
	out->Ipv6CidrBlockAssociation = made;
	return OK;
}

static err add_four(req *rq, txn *tx, ec2_Vpc *vpc, cidr4 block, ec2_AssociateVpcCidrBlock_out *out)
{
	str text = cidr4_text(rq->mem, block);
	if (vpc->CidrBlockAssociationSet.n >= EC2_VPC_CIDRS_MAX)
		return fail(rq, &ec2_VpcCidrLimitExceeded,
		            "This network '%.*s' has met its maximum number of allowed CIDRs: %d",
		            STR_ARG(vpc->VpcId), EC2_VPC_CIDRS_MAX);
	for (size_t i = 0; i < vpc->CidrBlockAssociationSet.n; i++) {
		cidr4 other;
		if (cidr4_parse(vpc->CidrBlockAssociationSet.v[i].CidrBlock, &other) && cidr4_overlap(block, other))
			return fail(rq, &ec2_InvalidVpcRange, "The CIDR '%.*s' conflicts with another CIDR of the VPC.",
			            STR_ARG(text));
	}
	ec2_VpcCidrBlockState associated = { .State = S("associated") };
	ec2_VpcCidrBlockAssociation *made = arena_new(rq->mem, ec2_VpcCidrBlockAssociation);
	*made = (ec2_VpcCidrBlockAssociation){ .AssociationId = ec2_id(rq->mem, "vpc-cidr-assoc-"),
		.CidrBlock = text, .CidrBlockState = &associated };
	LIST_ADD(rq->mem, &vpc->CidrBlockAssociationSet, *made);
	keep(rq, tx, vpc);
	ec2_local_route(rq, tx, vpc->VpcId, text, true);
	made->CidrBlockState = arena_new(rq->mem, ec2_VpcCidrBlockState);
	made->CidrBlockState->State = S("associating");
	out->CidrBlockAssociation = made;
	return OK;
}

err ec2_AssociateVpcCidrBlock(req *rq, txn *tx, const ec2_AssociateVpcCidrBlock_in *in,
                              ec2_AssociateVpcCidrBlock_out *out)
{
	ec2_Vpc *vpc;
	cidr4 block;
	TRY(no_pools(rq, given(in->Ipv4IpamPoolId) || given(in->Ipv6IpamPoolId) || given(in->Ipv6Pool)));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	out->VpcId = vpc->VpcId;
	if (in->AmazonProvidedIpv6CidrBlock.v)
		return add_six(rq, tx, vpc, out);
	if (!given(in->CidrBlock))
		return fail(rq, &aws_MissingParameter,
		            "Either 'cidrBlock' or 'amazonProvidedIpv6CidrBlock' should be provided.");
	TRY(block_of(rq, in->CidrBlock, &block));
	return add_four(rq, tx, vpc, block, out);
}

/* Whether a subnet of the VPC lies in the block. */
static bool block_used(req *rq, const txn *tx, str vpc, str text)
{
	bool used = false;
	cidr4 four, block;
	cidr6 six, prefix;
	record_scan s = ec2_subnet_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_subnet *n; !used && (n = ec2_subnet_next(&s));) {
		if (!str_eq(n->It->VpcId, vpc))
			continue;
		used = cidr4_parse(text, &four) && cidr4_parse(n->It->CidrBlock, &block) && cidr4_within(block, four);
		for (size_t i = 0; i < n->It->Ipv6CidrBlockAssociationSet.n; i++)
			used = used || (cidr6_parse(text, &six) &&
			                cidr6_parse(n->It->Ipv6CidrBlockAssociationSet.v[i].Ipv6CidrBlock, &prefix) &&
			                cidr6_within(&prefix, &six));
	}
	cursor_close(&s.at);
	return used;
}

static err check_unused(req *rq, const txn *tx, const ec2_Vpc *vpc, str block)
{
	if (block_used(rq, tx, vpc->VpcId, block))
		return fail(rq, &ec2_DependencyViolation, "The CIDR '%.*s' of vpc '%.*s' has dependencies and cannot "
		            "be disassociated.", STR_ARG(block), STR_ARG(vpc->VpcId));
	return OK;
}

static ec2_VpcCidrBlockState *leaving(arena *mem)
{
	ec2_VpcCidrBlockState *s = arena_new(mem, ec2_VpcCidrBlockState);
	s->State = S("disassociating");
	return s;
}

err ec2_DisassociateVpcCidrBlock(req *rq, txn *tx, const ec2_DisassociateVpcCidrBlock_in *in,
                                 ec2_DisassociateVpcCidrBlock_out *out)
{
	str id = in->AssociationId;
	ec2_Vpc *vpc = kind_first(tx, rq->mem, &kind_vpc, rq->who.account, rq->region,
	                          "cidrBlockAssociationSet.associationId", id);
	if (vpc) {
		size_t at = 0;
		while (!str_eq(vpc->CidrBlockAssociationSet.v[at].AssociationId, id))
			at++;
		out->CidrBlockAssociation = arena_new(rq->mem, ec2_VpcCidrBlockAssociation);
		*out->CidrBlockAssociation = vpc->CidrBlockAssociationSet.v[at];
		if (str_eq(out->CidrBlockAssociation->CidrBlock, vpc->CidrBlock))
			return fail(rq, &ec2_OperationNotPermitted, "The vpc CIDR block with association ID %.*s may not "
			            "be disassociated. It is the primary IPv4 CIDR block of the VPC", STR_ARG(id));
		TRY(check_unused(rq, tx, vpc, out->CidrBlockAssociation->CidrBlock));
		ec2_local_route(rq, tx, vpc->VpcId, out->CidrBlockAssociation->CidrBlock, false);
		LIST_DROP(&vpc->CidrBlockAssociationSet, at);
		out->CidrBlockAssociation->CidrBlockState = leaving(rq->mem);
	} else {
		vpc = kind_first(tx, rq->mem, &kind_vpc, rq->who.account, rq->region,
		                 "ipv6CidrBlockAssociationSet.associationId", id);
		if (!vpc)
			return fail(rq, &ec2_InvalidCidrAssociation,
			            "The vpc CIDR block association ID '%.*s' does not exist", STR_ARG(id));
		out->Ipv6CidrBlockAssociation = arena_new(rq->mem, ec2_VpcIpv6CidrBlockAssociation);
		*out->Ipv6CidrBlockAssociation = vpc->Ipv6CidrBlockAssociationSet.v[0];
		TRY(check_unused(rq, tx, vpc, out->Ipv6CidrBlockAssociation->Ipv6CidrBlock));
		ec2_local_route(rq, tx, vpc->VpcId, out->Ipv6CidrBlockAssociation->Ipv6CidrBlock, false);
		vpc->Ipv6CidrBlockAssociationSet.n = 0;
		out->Ipv6CidrBlockAssociation->Ipv6CidrBlockState = leaving(rq->mem);
	}
	out->VpcId = vpc->VpcId;
	keep(rq, tx, vpc);
	return OK;
}
