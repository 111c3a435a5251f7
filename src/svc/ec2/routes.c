/*
 * Route tables. Whether a route leads anywhere is not kept but seen: its target may be gone.
 */
#include "ec2.h"

static void keep(req *rq, txn *tx, const ec2_RouteTable *t)
{
	kind_put(tx, &kind_route_table, rq->who.account, rq->region, t->RouteTableId, t);
}

static ec2_RouteTableAssociationState *associated(arena *mem)
{
	ec2_RouteTableAssociationState *s = arena_new(mem, ec2_RouteTableAssociationState);
	s->State = S("associated");
	return s;
}

static void associate(arena *mem, ec2_RouteTable *t, str id, str subnet, str gateway)
{
	LIST_ADD(mem, &t->Associations, (ec2_RouteTableAssociation){ .RouteTableAssociationId = id,
		.RouteTableId = t->RouteTableId, .SubnetId = subnet, .GatewayId = gateway,
		.Main = BOOL(!given(subnet) && !given(gateway)), .AssociationState = associated(mem) });
}

static bool is_main(const ec2_RouteTable *t)
{
	for (size_t i = 0; i < t->Associations.n; i++)
		if (t->Associations.v[i].Main.v)
			return true;
	return false;
}

ec2_RouteTable *ec2_main_table(const txn *tx, arena *mem, place p, str vpc)
{
	ec2_RouteTable *found = NULL;
	record_scan s = ec2_routetable_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_routetable *t; !found && (t = ec2_routetable_next(&s));)
		if (str_eq(t->It->VpcId, vpc) && is_main(t->It))
			found = t->It;
	cursor_close(&s.at);
	return found;
}

static void add_local(arena *mem, ec2_RouteTable *t, str block)
{
	bool six = str_find_char(block, ':') != SIZE_MAX;
	LIST_ADD(mem, &t->Routes, (ec2_Route){ .DestinationCidrBlock = six ? STR_NONE : block,
		.DestinationIpv6CidrBlock = six ? block : STR_NONE, .GatewayId = S("local"),
		.Origin = S("CreateRouteTable"), .State = S("active") });
}

ec2_RouteTable *ec2_route_table_new(req *rq, txn *tx, const ec2_Vpc *vpc, bool main_one)
{
	ec2_RouteTable *t = arena_new(rq->mem, ec2_RouteTable);
	*t = (ec2_RouteTable){ .RouteTableId = ec2_id(rq->mem, "rtb-"), .VpcId = vpc->VpcId,
		.OwnerId = rq->who.account };
	for (size_t i = 0; i < vpc->CidrBlockAssociationSet.n; i++)
		add_local(rq->mem, t, vpc->CidrBlockAssociationSet.v[i].CidrBlock);
	for (size_t i = 0; i < vpc->Ipv6CidrBlockAssociationSet.n; i++)
		add_local(rq->mem, t, vpc->Ipv6CidrBlockAssociationSet.v[i].Ipv6CidrBlock);
	if (main_one)
		associate(rq->mem, t, ec2_id(rq->mem, "rtbassoc-"), STR_NONE, STR_NONE);
	keep(rq, tx, t);
	return t;
}

/* Where a route goes; exactly one of them is given in a request. */
static str target_of(const ec2_Route *r)
{
	const str all[] = { r->GatewayId, r->NatGatewayId, r->InstanceId, r->NetworkInterfaceId,
		                r->VpcPeeringConnectionId, r->EgressOnlyInternetGatewayId };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (given(all[i]))
			return all[i];
	return STR_NONE;
}

static bool leads_somewhere(const txn *tx, arena *mem, str account, str region, const ec2_RouteTable *t,
                            const ec2_Route *r)
{
	str id = target_of(r);
	const resource_kind *k = kind_of(id);
	if (str_eq(id, S("local")) || !k)
		return true;
	/* Of the row itself: filling in what it shows might look at routes again. */
	void *it = kind_find(tx, mem, k, account, region, id);
	if (!it)
		return false;
	if (k == &kind_internet_gateway) {
		const ec2_InternetGateway *g = it;
		return g->Attachments.n && str_eq(g->Attachments.v->VpcId, t->VpcId);
	}
	if (k == &kind_nat_gateway)
		return str_eq(((ec2_NatGateway *)it)->State, S("available"));
	if (k == &kind_instance)
		return ((ec2_Instance *)it)->State->Code.v == INSTANCE_RUNNING;
	if (k == &kind_interface)
		return str_eq(((ec2_NetworkInterface *)it)->Status, S("in-use"));
	if (k == &kind_peering)
		return str_eq(((ec2_VpcPeeringConnection *)it)->Status->Code, S("active"));
	return true;
}

void ec2_route_table_fill(const txn *tx, arena *mem, str account, str region, void *it)
{
	ec2_RouteTable *t = it;
	for (size_t i = 0; i < t->Routes.n; i++)
		t->Routes.v[i].State = leads_somewhere(tx, mem, account, region, t, &t->Routes.v[i]) ? S("active") :
		                                                                                     S("blackhole");
}

/* The tables of a VPC, by value. */
static ec2_RouteTableList tables_of(req *rq, const txn *tx, str vpc)
{
	ec2_RouteTableList found = { 0 };
	record_scan s = ec2_routetable_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_routetable *t; (t = ec2_routetable_next(&s));)
		if (str_eq(t->It->VpcId, vpc))
			LIST_ADD(rq->mem, &found, *t->It);
	return found;
}

void ec2_local_route(req *rq, txn *tx, str vpc, str block, bool exists)
{
	ec2_RouteTableList all = tables_of(rq, tx, vpc);
	for (size_t i = 0; i < all.n; i++) {
		ec2_RouteTable *t = &all.v[i];
		if (exists)
			add_local(rq->mem, t, block);
		for (size_t n = 0; !exists && n < t->Routes.n; n++)
			if (str_eq(t->Routes.v[n].DestinationCidrBlock, block) ||
			    str_eq(t->Routes.v[n].DestinationIpv6CidrBlock, block)) {
				LIST_DROP(&t->Routes, n);
				break;
			}
		keep(rq, tx, t);
	}
}

void ec2_endpoint_route(txn *tx, arena *mem, place p, str table, str list, str endpoint, bool exists)
{
	ec2_RouteTable *t = kind_find(tx, mem, &kind_route_table, p.account, p.region, table);
	if (!t)
		return;
	for (size_t n = 0; n < t->Routes.n; n++)
		if (str_eq(t->Routes.v[n].DestinationPrefixListId, list)) {
			LIST_DROP(&t->Routes, n);
			break;
		}
	if (exists)
		LIST_ADD(mem, &t->Routes, (ec2_Route){ .DestinationPrefixListId = list, .GatewayId = endpoint,
			.Origin = S("CreateRoute"), .State = S("active") });
	kind_put(tx, &kind_route_table, p.account, p.region, table, t);
}

err ec2_CreateRouteTable(req *rq, txn *tx, const ec2_CreateRouteTable_in *in, ec2_CreateRouteTable_out *out)
{
	ec2_Vpc *vpc;
	str before;
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_route_table, before, &out->RouteTable);
	if (tables_of(rq, tx, in->VpcId).n >= EC2_ROUTE_TABLES_MAX)
		return fail(rq, &ec2_RouteTableLimitExceeded,
		            "The maximum number of route tables has been reached.");
	ec2_RouteTable *t = ec2_route_table_new(rq, tx, vpc, false);
	ec2_repeats(rq, tx, in->ClientToken, t->RouteTableId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "route-table", t->RouteTableId));
	return kind_get(rq, tx, &kind_route_table, t->RouteTableId, &out->RouteTable);
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

err ec2_DeleteRouteTable(req *rq, txn *tx, const ec2_DeleteRouteTable_in *in, ec2_DeleteRouteTable_out *out)
{
	ec2_RouteTable *t;
	(void)out;
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &t));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (t->Associations.n)
		return ec2_dependencies(rq, "routeTable", t->RouteTableId);
	ec2_endpoints_leave_table(tx, rq->mem, place_of(rq), t->RouteTableId);
	kind_delete(tx, rq->mem, &kind_route_table, rq->who.account, rq->region, t->RouteTableId);
	return OK;
}

static err find_gateway(req *rq, const txn *tx, const ec2_RouteTable *t, str id)
{
	ec2_InternetGateway *g;
	if (!str_starts(id, S("igw-")))
		return fail(rq, &ec2_InvalidGateway, "The gateway ID '%.*s' does not exist", STR_ARG(id));
	TRY(kind_get(rq, tx, &kind_internet_gateway, id, &g));
	if (g->Attachments.n && str_eq(g->Attachments.v->VpcId, t->VpcId))
		return OK;
	return fail(rq, &ec2_InvalidParameterValue, "route table %.*s and network gateway %.*s belong to "
	            "different networks", STR_ARG(t->RouteTableId), STR_ARG(id));
}

static err find_nat(req *rq, const txn *tx, str id)
{
	if (kind_find(tx, rq->mem, &kind_nat_gateway, rq->who.account, rq->region, id))
		return OK;
	return fail(rq, &ec2_InvalidNatGateway, "The natGateway ID '%.*s' does not exist", STR_ARG(id));
}

/* An instance stands for its one interface, an interface for the instance that has it. */
static err find_interface(req *rq, const txn *tx, const ec2_RouteTable *t, ec2_Route *r)
{
	ec2_Instance *i = NULL;
	ec2_NetworkInterface *n;
	if (given(r->InstanceId)) {
		TRY(kind_get(rq, tx, &kind_instance, r->InstanceId, &i));
		if (i->NetworkInterfaces.n != 1)
			return fail(rq, &ec2_UnsuitableInstance, "There are multiple interfaces attached to instance "
			            "'%.*s'. Please specify an interface ID for the operation instead.",
			            STR_ARG(r->InstanceId));
		r->NetworkInterfaceId = i->NetworkInterfaces.v->NetworkInterfaceId;
	}
	TRY(kind_get(rq, tx, &kind_interface, r->NetworkInterfaceId, &n));
	if (!str_eq(n->VpcId, t->VpcId))
		return fail(rq, &ec2_InvalidParameterValue, "route table %.*s and interface %.*s belong to different "
		            "networks", STR_ARG(t->RouteTableId), STR_ARG(n->NetworkInterfaceId));
	if (n->Attachment && given(n->Attachment->InstanceId)) {
		r->InstanceId = n->Attachment->InstanceId;
		r->InstanceOwnerId = rq->who.account;
	}
	return OK;
}

static err check_target(req *rq, const txn *tx, const ec2_CreateRoute_in *in, const ec2_RouteTable *t,
                        ec2_Route *r)
{
	void *it;
	int n = given(in->GatewayId) + given(in->NatGatewayId) + given(in->InstanceId) +
	        given(in->NetworkInterfaceId) + given(in->VpcPeeringConnectionId) +
	        given(in->EgressOnlyInternetGatewayId);
	if (given(in->TransitGatewayId) || given(in->LocalGatewayId) || given(in->CarrierGatewayId) ||
	    given(in->CoreNetworkArn) || given(in->OdbNetworkArn) || given(in->VpcEndpointId))
		return fail(rq, &aws_NotImplemented, "Routes to transit, local and carrier gateways, core networks "
		            "and gateway load balancers are not implemented.");
	if (n != 1)
		return fail(rq, &ec2_InvalidParameterCombination, n ? "Route target specified multiple times" :
		            "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, "
		            "vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId "
		            "or instanceId");
	r->GatewayId = in->GatewayId;
	r->NatGatewayId = in->NatGatewayId;
	r->InstanceId = in->InstanceId;
	r->NetworkInterfaceId = in->NetworkInterfaceId;
	r->VpcPeeringConnectionId = in->VpcPeeringConnectionId;
	r->EgressOnlyInternetGatewayId = in->EgressOnlyInternetGatewayId;
	if (given(in->GatewayId) && !str_eq(in->GatewayId, S("local")))
		return find_gateway(rq, tx, t, in->GatewayId);
	if (given(in->NatGatewayId))
		return find_nat(rq, tx, in->NatGatewayId);
	if (given(in->VpcPeeringConnectionId))
		return kind_get(rq, tx, &kind_peering, in->VpcPeeringConnectionId, &it);
	if (given(in->EgressOnlyInternetGatewayId))
		return kind_get(rq, tx, &kind_egress_gateway, in->EgressOnlyInternetGatewayId, &it);
	return given(in->GatewayId) ? OK : find_interface(rq, tx, t, r);
}

static err check_destination(req *rq, const txn *tx, str four, str six, str list, ec2_Route *r)
{
	cidr4 block;
	cidr6 wide;
	int n = given(four) + given(six) + given(list);
	if (n != 1)
		return fail(rq, n ? &ec2_InvalidParameterCombination : &aws_MissingParameter, n ?
		            "The request may contain only one destination" :
		            "The request must contain the parameter destinationCidrBlock or destinationIpv6CidrBlock "
		            "or destinationPrefixListId");
	if (given(four)) {
		TRY(ec2_cidr4(rq, four, "destinationCidrBlock", &block));
		r->DestinationCidrBlock = cidr4_text(rq->mem, block);
	} else if (given(six)) {
		if (!cidr6_parse(six, &wide))
			return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter destinationIpv6CidrBlock "
			            "is invalid. This is not a valid CIDR block.", STR_ARG(six));
		r->DestinationIpv6CidrBlock = cidr6_text(rq->mem, &wide);
	} else {
		TRY(ec2_prefix_list_check(rq, tx, list));
		r->DestinationPrefixListId = list;
	}
	return OK;
}

static size_t route_at(const ec2_RouteTable *t, const ec2_Route *r)
{
	for (size_t i = 0; i < t->Routes.n; i++) {
		const ec2_Route *o = &t->Routes.v[i];
		if (given(r->DestinationCidrBlock) ? str_eq(o->DestinationCidrBlock, r->DestinationCidrBlock) :
		    given(r->DestinationIpv6CidrBlock) ?
		    str_eq(o->DestinationIpv6CidrBlock, r->DestinationIpv6CidrBlock) :
		    str_eq(o->DestinationPrefixListId, r->DestinationPrefixListId))
			return i;
	}
	return SIZE_MAX;
}

static str destination(const ec2_Route *r)
{
	return given(r->DestinationCidrBlock) ? r->DestinationCidrBlock : given(r->DestinationIpv6CidrBlock) ?
	       r->DestinationIpv6CidrBlock : r->DestinationPrefixListId;
}

err ec2_CreateRoute(req *rq, txn *tx, const ec2_CreateRoute_in *in, ec2_CreateRoute_out *out)
{
	ec2_RouteTable *t;
	ec2_Route r = { .Origin = S("CreateRoute"), .State = S("active") };
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &t));
	TRY(check_destination(rq, tx, in->DestinationCidrBlock, in->DestinationIpv6CidrBlock,
	                      in->DestinationPrefixListId, &r));
	TRY(check_target(rq, tx, in, t, &r));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Return = BOOL(true);
	size_t at = route_at(t, &r);
	if (at != SIZE_MAX && str_eq(target_of(&t->Routes.v[at]), target_of(&r)))
		return OK; /* the same route once more */
	if (at != SIZE_MAX || str_eq(r.GatewayId, S("local")))
		return fail(rq, &ec2_RouteAlreadyExists, "The route identified by %.*s already exists.",
		            STR_ARG(destination(&r)));
	if (t->Routes.n >= EC2_ROUTES_MAX)
		return fail(rq, &ec2_RouteLimitExceeded, "The maximum number of routes has been reached.");
	LIST_ADD(rq->mem, &t->Routes, r);
	keep(rq, tx, t);
	return OK;
}

err ec2_ReplaceRoute(req *rq, txn *tx, const ec2_ReplaceRoute_in *in, ec2_ReplaceRoute_out *out)
{
	ec2_RouteTable *t;
	ec2_Route r = { .Origin = S("CreateRoute"), .State = S("active") };
	const ec2_CreateRoute_in target = { .VpcEndpointId = in->VpcEndpointId,
		.TransitGatewayId = in->TransitGatewayId, .LocalGatewayId = in->LocalGatewayId,
		.CarrierGatewayId = in->CarrierGatewayId, .CoreNetworkArn = in->CoreNetworkArn,
		.OdbNetworkArn = in->OdbNetworkArn, .InstanceId = in->InstanceId, .NatGatewayId = in->NatGatewayId,
		.GatewayId = in->LocalTarget.v ? S("local") : in->GatewayId,
		.EgressOnlyInternetGatewayId = in->EgressOnlyInternetGatewayId,
		.NetworkInterfaceId = in->NetworkInterfaceId, .VpcPeeringConnectionId = in->VpcPeeringConnectionId };
	(void)out;
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &t));
	TRY(check_destination(rq, tx, in->DestinationCidrBlock, in->DestinationIpv6CidrBlock,
	                      in->DestinationPrefixListId, &r));
	TRY(check_target(rq, tx, &target, t, &r));
	TRY(ec2_dry_run(rq, in->DryRun));
	size_t at = route_at(t, &r);
	if (at == SIZE_MAX)
		return fail(rq, &ec2_InvalidParameterValue, "There is no route defined for '%.*s' in the route "
		            "table. "
		            "Use CreateRoute instead.", STR_ARG(destination(&r)));
	if (str_starts(t->Routes.v[at].GatewayId, S("vpce-")))
		return fail(rq, &ec2_InvalidParameterValue, "cannot replace VPC endpoint route %.*s in route table "
		            "%.*s", STR_ARG(destination(&r)), STR_ARG(t->RouteTableId));
	r.Origin = t->Routes.v[at].Origin;
	t->Routes.v[at] = r;
	keep(rq, tx, t);
	return OK;
}

err ec2_DeleteRoute(req *rq, txn *tx, const ec2_DeleteRoute_in *in, ec2_DeleteRoute_out *out)
{
	ec2_RouteTable *t;
	ec2_Route r = { .DestinationPrefixListId = in->DestinationPrefixListId };
	(void)out;
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &t));
	if (!given(in->DestinationPrefixListId))
		TRY(check_destination(rq, tx, in->DestinationCidrBlock, in->DestinationIpv6CidrBlock, STR_NONE, &r));
	TRY(ec2_dry_run(rq, in->DryRun));
	size_t at = route_at(t, &r);
	const char *what = given(r.DestinationCidrBlock) ? "cidr-block" :
	                   given(r.DestinationIpv6CidrBlock) ? "ipv6-cidr-block" : "prefix-list-id";
	if (at == SIZE_MAX)
		return fail(rq, &ec2_InvalidRoute, "no route with destination-%s %.*s in route table %.*s", what,
		            STR_ARG(destination(&r)), STR_ARG(t->RouteTableId));
	if (str_eq(t->Routes.v[at].GatewayId, S("local")))
		return fail(rq, &ec2_InvalidParameterValue, "cannot remove local route %.*s in route table %.*s",
		            STR_ARG(destination(&r)), STR_ARG(t->RouteTableId));
	if (str_starts(t->Routes.v[at].GatewayId, S("vpce-")))
		return fail(rq, &ec2_InvalidParameterValue, "cannot remove VPC endpoint route %.*s in route table "
		            "%.*s", STR_ARG(destination(&r)), STR_ARG(t->RouteTableId));
	LIST_DROP(&t->Routes, at);
	keep(rq, tx, t);
	return OK;
}

err ec2_AssociateRouteTable(req *rq, txn *tx, const ec2_AssociateRouteTable_in *in,
                            ec2_AssociateRouteTable_out *out)
{
	ec2_RouteTable *t;
	ec2_Subnet *subnet = NULL;
	bool gateway = given(in->GatewayId);
	str what = gateway ? in->GatewayId : in->SubnetId;
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &t));
	if (given(in->PublicIpv4Pool))
		return fail(rq, &aws_NotImplemented, "Pools of addresses (IPAM, BYOIP) are not implemented.");
	if (gateway == given(in->SubnetId))
		return fail(rq, &ec2_InvalidParameterCombination,
		            "The request must contain exactly one of subnetId or gatewayId");
	if (gateway)
		TRY(find_gateway(rq, tx, t, in->GatewayId));
	else
		TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &subnet));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (subnet && !str_eq(subnet->VpcId, t->VpcId))
		return fail(rq, &ec2_InvalidParameterValue, "route table %.*s and subnet %.*s belong to different "
		            "networks", STR_ARG(t->RouteTableId), STR_ARG(what));
	out->AssociationState = associated(rq->mem);
	ec2_RouteTable *has = kind_first(tx, rq->mem, &kind_route_table, rq->who.account, rq->region,
	                                 gateway ? "associationSet.gatewayId" : "associationSet.subnetId", what);
	if (has && !str_eq(has->RouteTableId, t->RouteTableId))
		return fail(rq, &ec2_ResourceAlreadyAssociated, "the specified association for route table %.*s "
		            "conflicts with an existing association", STR_ARG(t->RouteTableId));
	for (size_t i = 0; has && i < has->Associations.n; i++)
		if (str_eq(gateway ? has->Associations.v[i].GatewayId : has->Associations.v[i].SubnetId, what))
			out->AssociationId = has->Associations.v[i].RouteTableAssociationId;
	if (has)
		return OK;
	out->AssociationId = ec2_id(rq->mem, "rtbassoc-");
	associate(rq->mem, t, out->AssociationId, in->SubnetId, in->GatewayId);
	keep(rq, tx, t);
	return OK;
}

static err find_association(req *rq, const txn *tx, str id, ec2_RouteTable **t, size_t *at)
{
	*t = kind_first(tx, rq->mem, &kind_route_table, rq->who.account, rq->region,
	                "associationSet.routeTableAssociationId", id);
	if (!*t)
		return fail(rq, &ec2_InvalidAssociation, "The association ID '%.*s' does not exist", STR_ARG(id));
	for (*at = 0; !str_eq((*t)->Associations.v[*at].RouteTableAssociationId, id); ++*at)
		;
	return OK;
}

err ec2_DisassociateRouteTable(req *rq, txn *tx, const ec2_DisassociateRouteTable_in *in,
                               ec2_DisassociateRouteTable_out *out)
{
	ec2_RouteTable *t;
	size_t at;
	(void)out;
	TRY(find_association(rq, tx, in->AssociationId, &t, &at));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (t->Associations.v[at].Main.v)
		return fail(rq, &ec2_InvalidParameterValue, "cannot disassociate the main route table association "
		            "%.*s", STR_ARG(in->AssociationId));
	LIST_DROP(&t->Associations, at);
	keep(rq, tx, t);
	return OK;
}

/* Also how another table becomes a VPC's main one. */
err ec2_ReplaceRouteTableAssociation(req *rq, txn *tx, const ec2_ReplaceRouteTableAssociation_in *in,
                                     ec2_ReplaceRouteTableAssociation_out *out)
{
	ec2_RouteTable *from, *to;
	size_t at;
	TRY(find_association(rq, tx, in->AssociationId, &from, &at));
	TRY(kind_get(rq, tx, &kind_route_table, in->RouteTableId, &to));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (!str_eq(from->VpcId, to->VpcId))
		return fail(rq, &ec2_InvalidParameterValue, "route table %.*s and route table %.*s belong to "
		            "different "
		            "networks", STR_ARG(from->RouteTableId), STR_ARG(to->RouteTableId));
	ec2_RouteTableAssociation was = from->Associations.v[at];
	out->AssociationState = associated(rq->mem);
	out->NewAssociationId = in->AssociationId;
	if (str_eq(from->RouteTableId, to->RouteTableId))
		return OK;
	LIST_DROP(&from->Associations, at);
	keep(rq, tx, from);
	out->NewAssociationId = ec2_id(rq->mem, "rtbassoc-");
	associate(rq->mem, to, out->NewAssociationId, was.SubnetId, was.GatewayId);
	keep(rq, tx, to);
	return OK;
}
