/*
 * VPC peering connections: known on both sides, whose account and region may differ. Each side keeps a copy
 * under the same id, with tags of its own.
 */
#include "base/time.h"
#include "ec2.h"
#include "store/due.h"

#define WAITS_MS (7 * MS_DAY)
#define SHOWN_AFTER_MS MS_HOUR

static void arm(txn *tx, place p, str id, int64_t due)
{
	str what = arena_fmt(txn_arena(tx), "%.*s %.*s %.*s", STR_ARG(p.account), STR_ARG(p.region), STR_ARG(id));
	timer_set(tx, "ec2_peering", what, due, what);
}

static place side(const ec2_VpcPeeringConnectionVpcInfo *i)
{
	return (place){ i->OwnerId, i->Region };
}

static void keep(txn *tx, const ec2_VpcPeeringConnection *c)
{
	place ends[] = { side(c->RequesterVpcInfo), side(c->AccepterVpcInfo) };
	for (int i = 0; i < 2; i++)
		kind_put(tx, &kind_peering, ends[i].account, ends[i].region, c->VpcPeeringConnectionId, c);
}

static void become(txn *tx, arena *mem, ec2_VpcPeeringConnection *c, str code, str message)
{
	c->Status = arena_new(mem, ec2_VpcPeeringConnectionStateReason);
	*c->Status = (ec2_VpcPeeringConnectionStateReason){ .Code = code, .Message = message };
	keep(tx, c);
}

static bool is(const ec2_VpcPeeringConnection *c, const char *code)
{
	return str_eq(c->Status->Code, str_c(code));
}

/* What nobody has accepted in a week expires; what has ended is shown for an hour. */
TIMER(ec2_peering)
{
	arena *mem = txn_arena(tx);
	str rest = payload;
	place p = { .account = str_cut(&rest, ' ') };
	p.region = str_cut(&rest, ' ');
	ec2_VpcPeeringConnection *c = kind_find(tx, mem, &kind_peering, p.account, p.region, rest);
	if (!c || is(c, "active"))
		return;
	if (is(c, "pending-acceptance")) {
		become(tx, mem, c, S("expired"), S("Expired"));
		arm(tx, p, rest, due + SHOWN_AFTER_MS);
		return;
	}
	place ends[] = { side(c->RequesterVpcInfo), side(c->AccepterVpcInfo) };
	for (int i = 0; i < 2; i++)
		kind_delete(tx, mem, &kind_peering, ends[i].account, ends[i].region, rest);
}

static void end(txn *tx, arena *mem, int64_t now, ec2_VpcPeeringConnection *c, str code, str message)
{
	become(tx, mem, c, code, message);
	arm(tx, side(c->RequesterVpcInfo), c->VpcPeeringConnectionId, now + SHOWN_AFTER_MS);
}

void ec2_peerings_end(txn *tx, arena *mem, place p, int64_t now, str vpc)
{
	ec2_VpcPeeringConnectionList ending = { 0 };
	record_scan s = ec2_peering_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_peering *c; (c = ec2_peering_next(&s));)
		if ((str_eq(c->It->RequesterVpcInfo->VpcId, vpc) || str_eq(c->It->AccepterVpcInfo->VpcId, vpc)) &&
		    (is(c->It, "active") || is(c->It, "pending-acceptance")))
			LIST_ADD(mem, &ending, *c->It);
	for (size_t i = 0; i < ending.n; i++)
		end(tx, mem, now, &ending.v[i], S("deleted"),
		    arena_fmt(mem, "Deleted by %.*s", STR_ARG(p.account)));
}

static void describe_blocks(arena *mem, ec2_VpcPeeringConnectionVpcInfo *i, const ec2_Vpc *vpc)
{
	i->CidrBlock = vpc->CidrBlock;
	for (size_t n = 0; n < vpc->CidrBlockAssociationSet.n; n++)
		LIST_ADD(mem, &i->CidrBlockSet, (ec2_CidrBlock){
			.CidrBlock = vpc->CidrBlockAssociationSet.v[n].CidrBlock });
	i->PeeringOptions = arena_new(mem, ec2_VpcPeeringConnectionOptionsDescription);
	*i->PeeringOptions = (ec2_VpcPeeringConnectionOptionsDescription){
		.AllowDnsResolutionFromRemoteVpc = BOOL(false),
		.AllowEgressFromLocalClassicLinkToRemoteVpc = BOOL(false),
		.AllowEgressFromLocalVpcToRemoteClassicLink = BOOL(false) };
}

static bool overlap(const ec2_Vpc *a, const ec2_Vpc *b)
{
	cidr4 one, other;
	for (size_t i = 0; i < a->CidrBlockAssociationSet.n; i++)
		for (size_t n = 0; n < b->CidrBlockAssociationSet.n; n++)
			if (cidr4_parse(a->CidrBlockAssociationSet.v[i].CidrBlock, &one) &&
			    cidr4_parse(b->CidrBlockAssociationSet.v[n].CidrBlock, &other) && cidr4_overlap(one, other))
				return true;
	return false;
}

static err check_others(req *rq, const txn *tx, str vpc, str peer)
{
	int n = 0;
	bool same = false;
	record_scan s = ec2_peering_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_peering *c; (c = ec2_peering_next(&s));) {
		str a = c->It->RequesterVpcInfo->VpcId, b = c->It->AccepterVpcInfo->VpcId;
		if (!is(c->It, "active") && !is(c->It, "pending-acceptance"))
			continue;
		n += str_eq(a, vpc) || str_eq(b, vpc);
		same = same || (str_eq(a, vpc) && str_eq(b, peer)) || (str_eq(a, peer) && str_eq(b, vpc));
	}
	if (same)
		return fail(rq, &ec2_PeeringExists, "A VPC peering connection between %.*s and %.*s already exists.",
		            STR_ARG(vpc), STR_ARG(peer));
	if (n >= EC2_PEERINGS_MAX)
		return fail(rq, &ec2_VpcPeeringLimitExceeded,
		            "The maximum number of VPC peering connections has been reached.");
	return OK;
}

/* Rows are kept under whatever they are: they must look like an account and a region. */
static err check_far(req *rq, place far)
{
	bool account = far.account.n == 12, region = far.region.n > 0 && far.region.n <= 32;
	for (size_t i = 0; account && i < far.account.n; i++)
		account = far.account.p[i] >= '0' && far.account.p[i] <= '9';
	for (size_t i = 0; region && i < far.region.n; i++)
		region = str_find_char(S("abcdefghijklmnopqrstuvwxyz-0123456789"), far.region.p[i]) != SIZE_MAX;
	return account && region ? OK : fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter %s is "
	                                     "invalid.", STR_ARG(account ? far.region : far.account),
	                                     account ? "peerRegion" : "peerOwnerId");
}

err ec2_CreateVpcPeeringConnection(req *rq, txn *tx, const ec2_CreateVpcPeeringConnection_in *in,
                                   ec2_CreateVpcPeeringConnection_out *out)
{
	ec2_Vpc *vpc, *peer;
	place far = { given(in->PeerOwnerId) ? in->PeerOwnerId : rq->who.account,
		          given(in->PeerRegion) ? in->PeerRegion : rq->region };
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	if (!given(in->PeerVpcId))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter peerVpcId");
	TRY(check_far(rq, far));
	peer = kind_find(tx, rq->mem, &kind_vpc, far.account, far.region, in->PeerVpcId);
	if (!peer && str_eq(far.account, rq->who.account) && str_eq(far.region, rq->region))
		return kind_get(rq, tx, &kind_vpc, in->PeerVpcId, &peer);
	TRY(check_others(rq, tx, in->VpcId, in->PeerVpcId));
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_VpcPeeringConnectionVpcInfo from = { .OwnerId = rq->who.account, .Region = rq->region,
		.VpcId = vpc->VpcId }, to = { .OwnerId = far.account, .Region = far.region, .VpcId = in->PeerVpcId };
	describe_blocks(rq->mem, &from, vpc);
	ec2_VpcPeeringConnection c = { .VpcPeeringConnectionId = ec2_id(rq->mem, "pcx-"),
		.RequesterVpcInfo = &from, .AccepterVpcInfo = &to };
	str id = c.VpcPeeringConnectionId;
	if (!peer || overlap(vpc, peer) || str_eq(in->VpcId, in->PeerVpcId)) {
		end(tx, rq->mem, rq->now, &c, S("failed"),
		    S("Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"));
	} else {
		c.ExpirationTime = TIME(rq->now + WAITS_MS);
		become(tx, rq->mem, &c, S("pending-acceptance"),
		       arena_fmt(rq->mem, "Pending Acceptance by %.*s", STR_ARG(far.account)));
		arm(tx, place_of(rq), id, rq->now + WAITS_MS);
	}
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "vpc-peering-connection", id));
	TRY(kind_get(rq, tx, &kind_peering, id, &out->VpcPeeringConnection));
	*out->VpcPeeringConnection->Status = (ec2_VpcPeeringConnectionStateReason){
		.Code = S("initiating-request"),
		.Message = arena_fmt(rq->mem, "Initiating Request to %.*s", STR_ARG(far.account)) };
	return OK;
}

err ec2_DescribeVpcPeeringConnections(req *rq, const txn *tx, const ec2_DescribeVpcPeeringConnections_in *in,
                                      ec2_DescribeVpcPeeringConnections_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_peering, DESCRIBE(in, &in->VpcPeeringConnectionIds),
	                     &out->VpcPeeringConnections, &out->NextToken);
}

/* For who answers: only where the request went, and only while it waits. */
static err waiting(req *rq, const txn *tx, str id, const char *to, ec2_VpcPeeringConnection **out)
{
	TRY(kind_get(rq, tx, &kind_peering, id, out));
	const ec2_VpcPeeringConnectionVpcInfo *a = (*out)->AccepterVpcInfo;
	if (!str_eq(a->Region, rq->region))
		return fail(rq, &ec2_OperationNotPermitted, "Incorrect region (%.*s) specified for this request. VPC "
		            "peering connection %.*s must be accepted in region %.*s", STR_ARG(rq->region),
		            STR_ARG(id),
		            STR_ARG(a->Region));
	if (!str_eq(a->OwnerId, rq->who.account))
		return fail(rq, &ec2_OperationNotPermitted, "User %.*s cannot %s peering %.*s",
		            STR_ARG(rq->who.account), to, STR_ARG(id));
	if (!is(*out, "pending-acceptance"))
		return fail(rq, &ec2_InvalidPeeringState, "Invalid state transition for %.*s, attempted to "
		            "transition "
		            "from %.*s to %s", STR_ARG(id), STR_ARG((*out)->Status->Code),
		            to[0] == 'a' ? "active" : "rejected");
	return OK;
}

err ec2_AcceptVpcPeeringConnection(req *rq, txn *tx, const ec2_AcceptVpcPeeringConnection_in *in,
                                   ec2_AcceptVpcPeeringConnection_out *out)
{
	ec2_VpcPeeringConnection *c;
	ec2_Vpc *vpc;
	TRY(waiting(rq, tx, in->VpcPeeringConnectionId, "accept", &c));
	TRY(kind_get(rq, tx, &kind_vpc, c->AccepterVpcInfo->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	describe_blocks(rq->mem, c->AccepterVpcInfo, vpc);
	c->ExpirationTime.set = false;
	become(tx, rq->mem, c, S("active"), S("Active"));
	TRY(kind_get(rq, tx, &kind_peering, in->VpcPeeringConnectionId, &out->VpcPeeringConnection));
	*out->VpcPeeringConnection->Status = (ec2_VpcPeeringConnectionStateReason){ .Code = S("provisioning"),
		.Message = S("Provisioning") };
	return OK;
}

err ec2_RejectVpcPeeringConnection(req *rq, txn *tx, const ec2_RejectVpcPeeringConnection_in *in,
                                   ec2_RejectVpcPeeringConnection_out *out)
{
	ec2_VpcPeeringConnection *c;
	TRY(waiting(rq, tx, in->VpcPeeringConnectionId, "reject", &c));
	TRY(ec2_dry_run(rq, in->DryRun));
	end(tx, rq->mem, rq->now, c, S("rejected"), arena_fmt(rq->mem, "Rejected by %.*s",
	    STR_ARG(rq->who.account)));
	out->Return = BOOL(true);
	return OK;
}

err ec2_DeleteVpcPeeringConnection(req *rq, txn *tx, const ec2_DeleteVpcPeeringConnection_in *in,
                                   ec2_DeleteVpcPeeringConnection_out *out)
{
	ec2_VpcPeeringConnection *c;
	TRY(kind_get(rq, tx, &kind_peering, in->VpcPeeringConnectionId, &c));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (!is(c, "active") && !is(c, "pending-acceptance"))
		return fail(rq, &ec2_InvalidPeeringState, "Invalid state transition for %.*s, attempted to "
		            "transition "
		            "from %.*s to deleted", STR_ARG(in->VpcPeeringConnectionId), STR_ARG(c->Status->Code));
	end(tx, rq->mem, rq->now, c, S("deleted"), arena_fmt(rq->mem, "Deleted by %.*s",
	    STR_ARG(rq->who.account)));
	out->Return = BOOL(true);
	return OK;
}

static ec2_PeeringConnectionOptions *set_options(arena *mem, ec2_VpcPeeringConnectionVpcInfo *i,
                                                 const ec2_PeeringConnectionOptionsRequest *o)
{
	ec2_PeeringConnectionOptions *shown = arena_new(mem, ec2_PeeringConnectionOptions);
	if (o->AllowDnsResolutionFromRemoteVpc.set)
		i->PeeringOptions->AllowDnsResolutionFromRemoteVpc = o->AllowDnsResolutionFromRemoteVpc;
	*shown = (ec2_PeeringConnectionOptions){
		.AllowDnsResolutionFromRemoteVpc = i->PeeringOptions->AllowDnsResolutionFromRemoteVpc,
		.AllowEgressFromLocalClassicLinkToRemoteVpc = BOOL(false),
		.AllowEgressFromLocalVpcToRemoteClassicLink = BOOL(false) };
	return shown;
}

err ec2_ModifyVpcPeeringConnectionOptions(req *rq, txn *tx,
            const ec2_ModifyVpcPeeringConnectionOptions_in *in,
                                          ec2_ModifyVpcPeeringConnectionOptions_out *out)
{
	ec2_VpcPeeringConnection *c;
	TRY(kind_get(rq, tx, &kind_peering, in->VpcPeeringConnectionId, &c));
	if (!is(c, "active"))
		return fail(rq, &ec2_OperationNotPermitted, "Peering %.*s is not active. Peering options can be "
		            "added "
		            "only to active peerings.", STR_ARG(in->VpcPeeringConnectionId));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (in->RequesterPeeringConnectionOptions)
		out->RequesterPeeringConnectionOptions =
			set_options(rq->mem, c->RequesterVpcInfo, in->RequesterPeeringConnectionOptions);
	if (in->AccepterPeeringConnectionOptions)
		out->AccepterPeeringConnectionOptions =
			set_options(rq->mem, c->AccepterVpcInfo, in->AccepterPeeringConnectionOptions);
	keep(tx, c);
	return OK;
}
