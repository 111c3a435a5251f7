/*
 * The network that every account has from the start: a default VPC with a subnet in each zone, an internet
 * gateway, a main route table and a default security group. It is made when somebody first looks.
 */
#include "base/time.h"
#include "ec2.h"
#include "sys/rand.h"

#define DEFAULT_BLOCK ((cidr4){ 172u << 24 | 31u << 16, 16 })

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

err ec2_dependencies(req *rq, const char *what, str id)
{
	return fail(rq, &ec2_DependencyViolation, "The %s '%.*s' has dependencies and cannot be deleted.", what,
	            STR_ARG(id));
}

err ec2_cidr4(req *rq, str text, const char *parameter, cidr4 *out)
{
	if (cidr4_parse(text, out))
		return OK;
	return fail(rq, &ec2_InvalidParameterValue,
	            "Value (%.*s) for parameter %s is invalid. This is not a valid CIDR block.", STR_ARG(text),
	            parameter);
}

void ec2_meter_hours(txn *tx, place p, int64_t now, const meter_kind *kind, str arn, int64_t rate,
                     int64_t since)
{
	qty had = resident_rate(tx, p.account, p.region, kind, arn);
	int64_t begun = (now - since) % MS_HOUR;
	resident_set(tx, p.account, p.region, now, kind, arn, QTY(rate));
	if (had > QTY(rate) && (begun || now == since))
		usage_add(tx, p.account, p.region, now, kind, arn, (had - QTY(rate)) * (MS_HOUR - begun) / MS_HOUR);
}

err ec2_repeated(req *rq, const txn *tx, str token, str *id)
{
	ec2_repeat *r = given(token) ? ec2_repeat_get(tx, rq->mem, rq->who.account, rq->region, token) : NULL;
	*id = r ? r->Id : STR_NONE;
	if (r && !str_eq(r->Operation, str_c(rq->op->name)))
		return fail(rq, &ec2_IdempotentParameterMismatch, "Arguments on this idempotent request are "
		            "inconsistent with arguments used in previous request(s).");
	return OK;
}

void ec2_repeats(req *rq, txn *tx, str token, str id)
{
	if (given(token) && token.n <= 256)
		ec2_repeat_put(tx, &(ec2_repeat){ .Account = rq->who.account, .Region = rq->region, .Token = token,
			.Operation = str_c(rq->op->name), .Id = id });
}

err ec2_default_vpc(req *rq, txn *tx, str *id)
{
	ec2_begun *b;
	TRY(ec2_begin(rq, tx, &b));
	*id = b->Vpc;
	return given(b->Vpc) ? OK : fail(rq, &ec2_VpcIdNotSpecified, "No default VPC for this user.");
}

err ec2_vpc_new(req *rq, txn *tx, cidr4 block, str tenancy, bool is_default, ec2_Vpc *vpc)
{
	ec2_begun *b = ec2_begun_get(tx, rq->mem, rq->who.account, rq->region);
	ec2_VpcCidrBlockState *associated = arena_new(rq->mem, ec2_VpcCidrBlockState);
	ec2_NetworkAcl acl;
	ec2_SecurityGroup group;
	if (kind_count(tx, rq->mem, &kind_vpc, rq->who.account, rq->region) >= EC2_VPCS_MAX)
		return fail(rq, &ec2_VpcLimitExceeded, "The maximum number of VPCs has been reached.");
	associated->State = S("associated");
	*vpc = (ec2_Vpc){ .VpcId = ec2_id(rq->mem, "vpc-"), .CidrBlock = cidr4_text(rq->mem, block),
		.State = S("available"), .IsDefault = BOOL(is_default), .OwnerId = rq->who.account,
		.InstanceTenancy = given(tenancy) ? tenancy : S("default"),
		.DhcpOptionsId = b ? b->DhcpOptions : S("default") };
	LIST_ADD(rq->mem, &vpc->CidrBlockAssociationSet, (ec2_VpcCidrBlockAssociation){
		.AssociationId = ec2_id(rq->mem, "vpc-cidr-assoc-"), .CidrBlock = vpc->CidrBlock,
		.CidrBlockState = associated });
	kind_put(tx, &kind_vpc, rq->who.account, rq->region, vpc->VpcId, vpc);
	ec2_route_table_new(rq, tx, vpc, true);
	ec2_acl_new(rq, tx, vpc->VpcId, true, &acl);
	ec2_group_new(rq, tx, vpc->VpcId, S("default"), S("default VPC security group"), &group);
	return OK;
}

/* The VPC with subnets in all zones and a way out. */
static err make_default(req *rq, txn *tx, ec2_begun *b, ec2_Vpc *vpc)
{
	TRY(ec2_vpc_new(rq, tx, DEFAULT_BLOCK, STR_NONE, true, vpc));
	for (size_t i = 0; i < ec2_zones(rq->region); i++)
		ec2_subnet_new(rq, tx, vpc, (cidr4){ DEFAULT_BLOCK.base + ((uint32_t)i << 12), 20 }, (int)i, true);
	str id = ec2_id(rq->mem, "igw-");
	ec2_InternetGatewayAttachment attached = { .State = S("available"), .VpcId = vpc->VpcId };
	kind_put(tx, &kind_internet_gateway, rq->who.account, rq->region, id, &(ec2_InternetGateway){
		.InternetGatewayId = id, .OwnerId = rq->who.account, .Attachments = { &attached, 1 } });
	ec2_RouteTable *table = ec2_main_table(tx, rq->mem, place_of(rq), vpc->VpcId);
	LIST_ADD(rq->mem, &table->Routes, (ec2_Route){ .DestinationCidrBlock = S("0.0.0.0/0"), .GatewayId = id,
		.Origin = S("CreateRoute"), .State = S("active") });
	kind_put(tx, &kind_route_table, rq->who.account, rq->region, table->RouteTableId, table);
	b->Vpc = vpc->VpcId;
	b->Group = ec2_group_default(tx, rq->mem, place_of(rq), vpc->VpcId)->GroupId;
	ec2_begun_put(tx, b);
	return OK;
}

err ec2_begin(req *rq, txn *tx, ec2_begun **out)
{
	ec2_begun *b = ec2_begun_get(tx, rq->mem, rq->who.account, rq->region);
	ec2_Vpc vpc;
	*out = b;
	if (b)
		return OK;
	*out = b = arena_new(rq->mem, ec2_begun);
	*b = (ec2_begun){ .Account = rq->who.account, .Region = rq->region };
	ec2_dhcp_begin(rq, tx, b);
	ec2_begun_put(tx, b);
	return make_default(rq, tx, b, &vpc);
}

err ec2_CreateDefaultVpc(req *rq, txn *tx, const ec2_CreateDefaultVpc_in *in, ec2_CreateDefaultVpc_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	if (given(b->Vpc))
		return fail(rq, &ec2_DefaultVpcAlreadyExists,
		            "A Default VPC already exists for this account in this region.");
	out->Vpc = arena_new(rq->mem, ec2_Vpc);
	return make_default(rq, tx, b, out->Vpc);
}

/* Which of the sixteen blocks of the default VPC are taken, a bit for each. */
static uint32_t taken_blocks(req *rq, const txn *tx, str vpc, str zone, bool *has_default)
{
	uint32_t taken = 0;
	record_scan s = ec2_subnet_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_subnet *n; (n = ec2_subnet_next(&s));) {
		cidr4 block;
		if (!str_eq(n->It->VpcId, vpc) || !cidr4_parse(n->It->CidrBlock, &block))
			continue;
		*has_default = *has_default || (n->It->DefaultForAz.v && str_eq(n->It->AvailabilityZone, zone));
		for (uint32_t i = 0; i < 16; i++)
			if (cidr4_overlap(block, (cidr4){ DEFAULT_BLOCK.base + (i << 12), 20 }))
				taken |= 1u << i;
	}
	cursor_close(&s.at);
	return taken;
}

err ec2_CreateDefaultSubnet(req *rq, txn *tx, const ec2_CreateDefaultSubnet_in *in,
                            ec2_CreateDefaultSubnet_out *out)
{
	ec2_begun *b;
	ec2_Vpc *vpc;
	str zone = in->AvailabilityZone;
	TRY(ec2_dry_run(rq, in->DryRun));
	if (in->Ipv6Native.v)
		return fail(rq, &aws_NotImplemented, "Subnets without IPv4 are not implemented.");
	if (!ec2_zone_exists(rq->region, zone))
		return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter availabilityZone is invalid.",
		            STR_ARG(zone));
	TRY(ec2_begin(rq, tx, &b));
	if (!given(b->Vpc))
		return fail(rq, &ec2_DefaultVpcDoesNotExist, "There is no default VPC for this account in this "
		            "region.");
	TRY(kind_get(rq, tx, &kind_vpc, b->Vpc, &vpc));
	bool has = false;
	uint32_t taken = taken_blocks(rq, tx, b->Vpc, zone, &has);
	if (has)
		return fail(rq, &ec2_DefaultSubnetAlreadyExists, "There is already a default subnet in the "
		            "availability zone '%.*s'.", STR_ARG(zone));
	for (uint32_t i = 0; i < 16; i++)
		if (!(taken & 1u << i)) {
			out->Subnet = ec2_subnet_new(rq, tx, vpc, (cidr4){ DEFAULT_BLOCK.base + (i << 12), 20 },
			                             zone.p[zone.n - 1] - 'a', true);
			return OK;
		}
	return fail(rq, &ec2_InvalidSubnetRange, "There is no room for a default subnet in VPC '%.*s'.",
	            STR_ARG(b->Vpc));
}
