/*
 * Internet gateways, and those that let IPv6 out only.
 */
#include "ec2.h"

static void keep(req *rq, txn *tx, const ec2_InternetGateway *g)
{
	kind_put(tx, &kind_internet_gateway, rq->who.account, rq->region, g->InternetGatewayId, g);
}

ec2_InternetGateway *ec2_gateway_of(const txn *tx, arena *mem, place p, str vpc)
{
	return kind_first(tx, mem, &kind_internet_gateway, p.account, p.region, "attachmentSet.vpcId", vpc);
}

err ec2_CreateInternetGateway(req *rq, txn *tx, const ec2_CreateInternetGateway_in *in,
                              ec2_CreateInternetGateway_out *out)
{
	ec2_begun *b;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_begin(rq, tx, &b));
	if (kind_count(tx, rq->mem, &kind_internet_gateway, rq->who.account, rq->region) >=
	    EC2_INTERNET_GATEWAYS_MAX)
		return fail(rq, &ec2_InternetGatewayLimitExceeded,
		            "The maximum number of internet gateways has been reached.");
	ec2_InternetGateway g = { .InternetGatewayId = ec2_id(rq->mem, "igw-"), .OwnerId = rq->who.account };
	keep(rq, tx, &g);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "internet-gateway", g.InternetGatewayId));
	return kind_get(rq, tx, &kind_internet_gateway, g.InternetGatewayId, &out->InternetGateway);
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

err ec2_AttachInternetGateway(req *rq, txn *tx, const ec2_AttachInternetGateway_in *in,
                              ec2_AttachInternetGateway_out *out)
{
	ec2_InternetGateway *g;
	void *vpc;
	(void)out;
	TRY(kind_get(rq, tx, &kind_internet_gateway, in->InternetGatewayId, &g));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (g->Attachments.n)
		return fail(rq, &ec2_ResourceAlreadyAssociated, "resource %.*s is already attached to network %.*s",
		            STR_ARG(g->InternetGatewayId), STR_ARG(g->Attachments.v->VpcId));
	if (ec2_gateway_of(tx, rq->mem, place_of(rq), in->VpcId))
		return fail(rq, &ec2_InvalidParameterValue,
		            "Network %.*s already has an internet gateway attached", STR_ARG(in->VpcId));
	LIST_ADD(rq->mem, &g->Attachments,
	         (ec2_InternetGatewayAttachment){ .State = S("available"), .VpcId = in->VpcId });
	keep(rq, tx, g);
	return OK;
}

err ec2_DetachInternetGateway(req *rq, txn *tx, const ec2_DetachInternetGateway_in *in,
                              ec2_DetachInternetGateway_out *out)
{
	ec2_InternetGateway *g;
	void *vpc;
	(void)out;
	TRY(kind_get(rq, tx, &kind_internet_gateway, in->InternetGatewayId, &g));
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (!g->Attachments.n || !str_eq(g->Attachments.v->VpcId, in->VpcId))
		return fail(rq, &ec2_GatewayNotAttached, "resource %.*s is not attached to network %.*s",
		            STR_ARG(g->InternetGatewayId), STR_ARG(in->VpcId));
	if (ec2_public_addresses(tx, rq->mem, place_of(rq), in->VpcId))
		return fail(rq, &ec2_DependencyViolation, "Network %.*s has some mapped public address(es). Please "
		            "unmap those public address(es) before detaching the gateway.", STR_ARG(in->VpcId));
	g->Attachments.n = 0;
	keep(rq, tx, g);
	return OK;
}

err ec2_DeleteInternetGateway(req *rq, txn *tx, const ec2_DeleteInternetGateway_in *in,
                              ec2_DeleteInternetGateway_out *out)
{
	ec2_InternetGateway *g;
	(void)out;
	TRY(kind_get(rq, tx, &kind_internet_gateway, in->InternetGatewayId, &g));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (g->Attachments.n)
		return ec2_dependencies(rq, "internetGateway", g->InternetGatewayId);
	kind_delete(tx, rq->mem, &kind_internet_gateway, rq->who.account, rq->region, g->InternetGatewayId);
	return OK;
}

err ec2_CreateEgressOnlyInternetGateway(req *rq, txn *tx, const ec2_CreateEgressOnlyInternetGateway_in *in,
                                        ec2_CreateEgressOnlyInternetGateway_out *out)
{
	void *vpc;
	str before;
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_egress_gateway, before, &out->EgressOnlyInternetGateway);
	ec2_InternetGatewayAttachment attached = { .State = S("attached"), .VpcId = in->VpcId };
	ec2_EgressOnlyInternetGateway g = { .EgressOnlyInternetGatewayId = ec2_id(rq->mem, "eigw-"),
		.Attachments = { &attached, 1 } };
	kind_put(tx, &kind_egress_gateway, rq->who.account, rq->region, g.EgressOnlyInternetGatewayId, &g);
	ec2_repeats(rq, tx, in->ClientToken, g.EgressOnlyInternetGatewayId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "egress-only-internet-gateway",
	                g.EgressOnlyInternetGatewayId));
	return kind_get(rq, tx, &kind_egress_gateway, g.EgressOnlyInternetGatewayId,
	                &out->EgressOnlyInternetGateway);
}

err ec2_DescribeEgressOnlyInternetGateways(req *rq, const txn *tx,
                                           const ec2_DescribeEgressOnlyInternetGateways_in *in,
                                           ec2_DescribeEgressOnlyInternetGateways_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_egress_gateway, DESCRIBE(in, &in->EgressOnlyInternetGatewayIds),
	                     &out->EgressOnlyInternetGateways, &out->NextToken);
}

err ec2_DeleteEgressOnlyInternetGateway(req *rq, txn *tx, const ec2_DeleteEgressOnlyInternetGateway_in *in,
                                        ec2_DeleteEgressOnlyInternetGateway_out *out)
{
	void *g;
	TRY(kind_get(rq, tx, &kind_egress_gateway, in->EgressOnlyInternetGatewayId, &g));
	TRY(ec2_dry_run(rq, in->DryRun));
	kind_delete(tx, rq->mem, &kind_egress_gateway, rq->who.account, rq->region,
	            in->EgressOnlyInternetGatewayId);
	out->ReturnCode = BOOL(true);
	return OK;
}
