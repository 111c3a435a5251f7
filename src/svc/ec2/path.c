/*
 * What the rules of a VPC do to a connection: routes, security groups, network ACLs, and what leads out of
 * it. Both ends stand in subnets, at an address there; what is outside has only an address.
 */
#include "cloud/vpc_path.h"
#include "rules.h"
#include "sys/clock.h"

#define EPHEMERAL 40000  /* from where a client connects, and where answers go */
#define HTTPS 443        /* AWS's port, wherever Farthing listens */
#define FIRST_HOST 4     /* AWS keeps the first addresses of a subnet */

/* One end of a connection. */
typedef struct party {
	str vpc, subnet; /* empty: outside */
	uint32_t ip;
	const str *groups;
	size_t n_groups;
	str list;        /* AWS's prefix list that the address is in */
	str public_ip;
} party;

typedef struct look {
	const txn *tx;
	arena *mem;
	place p;
} look;

static bool ports_hold(opt_i64 from, opt_i64 to, int port)
{
	return !from.set || from.v < 0 || (from.v <= port && port <= to.v);
}

static bool in_block(str block, uint32_t ip)
{
	cidr4 c;
	return given(block) && cidr4_parse(block, &c) && cidr4_holds(c, ip);
}

static bool in_list(const look *l, str list, const party *other)
{
	if (given(other->list) && str_eq(list, other->list))
		return true;
	ec2_prefixlist *own = ec2_prefixlist_get(l->tx, l->mem, l->p.account, l->p.region, list);
	for (size_t i = 0; own && i < own->Entries.n; i++)
		if (in_block(own->Entries.v[i].Cidr, other->ip))
			return true;
	return false;
}

static bool is_in_group(const party *p, str group)
{
	for (size_t i = 0; i < p->n_groups; i++)
		if (str_eq(p->groups[i], group))
			return true;
	return false;
}

static bool rule_allows(const look *l, const ec2_SecurityGroupRule *r, bool egress, int port,
                        const party *other)
{
	bool all = str_eq(r->IpProtocol, S("-1"));
	if (r->IsEgress.v != egress || (!all && !str_eq(r->IpProtocol, S("tcp"))) ||
	    (!all && !ports_hold(r->FromPort, r->ToPort, port)))
		return false;
	if (r->ReferencedGroupInfo)
		return is_in_group(other, r->ReferencedGroupInfo->GroupId);
	if (given(r->PrefixListId))
		return in_list(l, r->PrefixListId, other);
	return in_block(r->CidrIpv4, other->ip);
}

/* Groups keep state: only the first packet is asked about. */
static bool groups_allow(const look *l, const party *of, bool egress, int port, const party *other)
{
	for (size_t i = 0; i < of->n_groups; i++) {
		ec2_SecurityGroupRuleList all = rules_of(l->tx, l->mem, l->p, of->groups[i]);
		for (size_t k = 0; k < all.n; k++)
			if (rule_allows(l, &all.v[k], egress, port, other))
				return true;
	}
	return false;
}

static ec2_NetworkAcl *acl_of(const look *l, str subnet)
{
	ec2_NetworkAcl *found = NULL;
	record_scan s = ec2_networkacl_scan(l->tx, l->mem, 2, l->p.account, l->p.region, STR_NONE);
	for (ec2_networkacl *a; !found && (a = ec2_networkacl_next(&s));)
		for (size_t i = 0; i < a->It->Associations.n; i++)
			if (str_eq(a->It->Associations.v[i].SubnetId, subnet))
				found = a->It;
	cursor_close(&s.at);
	return found;
}

/* The entry with the lowest number that fits decides. */
static bool acl_allows(const look *l, const party *of, bool egress, uint32_t other, int port)
{
	ec2_NetworkAcl *a = acl_of(l, of->subnet);
	const ec2_NetworkAclEntry *first = NULL;
	for (size_t i = 0; a && i < a->Entries.n; i++) {
		const ec2_NetworkAclEntry *e = &a->Entries.v[i];
		bool all = str_eq(e->Protocol, S("-1")), tcp = str_eq(e->Protocol, S("6"));
		if (e->Egress.v == egress && (all || tcp) && in_block(e->CidrBlock, other) &&
		    (all || !e->PortRange || ports_hold(e->PortRange->From, e->PortRange->To, port)) &&
		    (!first || e->RuleNumber.v < first->RuleNumber.v))
			first = e;
	}
	return !a || (first && str_eq(first->RuleAction, S("allow")));
}

/* ACLs keep none: the answers are asked about as well. Who connects, and who is connected to. */
static bool acl_lets_out(const look *l, const party *of, uint32_t to, int port)
{
	return acl_allows(l, of, true, to, port) && acl_allows(l, of, false, to, EPHEMERAL);
}

static bool acl_lets_in(const look *l, const party *of, uint32_t from, int port)
{
	return acl_allows(l, of, false, from, port) && acl_allows(l, of, true, from, EPHEMERAL);
}

/* Between two of a VPC, or of two that are peers. */
static bool meets(const look *l, const party *a, const party *b, int port)
{
	return groups_allow(l, a, true, port, b) && groups_allow(l, b, false, port, a) &&
	       (str_eq(a->subnet, b->subnet) || (acl_lets_out(l, a, b->ip, port) &&
	                                         acl_lets_in(l, b, a->ip, port)));
}

/* The subnet's own, or the VPC's main one; as it is kept, for there may be hundreds. */
static ec2_RouteTable *table_of(const look *l, const party *from)
{
	ec2_RouteTable *own = NULL, *main = NULL;
	record_scan s = ec2_routetable_scan(l->tx, l->mem, 2, l->p.account, l->p.region, STR_NONE);
	for (ec2_routetable *t; !own && (t = ec2_routetable_next(&s));) {
		const ec2_RouteTableAssociationList *all = &t->It->Associations;
		for (size_t i = 0; str_eq(t->It->VpcId, from->vpc) && i < all->n; i++)
			if (all->v[i].Main.v)
				main = t->It;
			else if (given(all->v[i].SubnetId) && str_eq(all->v[i].SubnetId, from->subnet))
				own = t->It;
	}
	cursor_close(&s.at);
	return own ? own : main;
}

/* The longest prefix; NULL: nothing leads there, or what does is a black hole. */
static const ec2_Route *route_to(const look *l, const party *from, uint32_t ip)
{
	ec2_RouteTable *t = table_of(l, from);
	if (t)
		ec2_route_table_fill(l->tx, l->mem, l->p.account, l->p.region, t);
	const ec2_Route *best = NULL;
	int bits = -1;
	for (size_t i = 0; t && i < t->Routes.n; i++) {
		const ec2_Route *r = &t->Routes.v[i];
		const party there = { .ip = ip };
		cidr4 c;
		bool by_block = given(r->DestinationCidrBlock) && cidr4_parse(r->DestinationCidrBlock, &c);
		if (by_block && cidr4_holds(c, ip) && c.bits > bits) {
			best = r;
			bits = c.bits;
		} else if (bits < 1 && given(r->DestinationPrefixListId) &&
		           in_list(l, r->DestinationPrefixListId, &there)) {
			best = r;
			bits = 1;
		}
	}
	return best && str_eq(best->State, S("active")) ? best : NULL;
}

static bool to_internet(const look *l, const party *from, uint32_t ip)
{
	const ec2_Route *r = route_to(l, from, ip);
	return r && str_starts(r->GatewayId, S("igw-"));
}

static bool interface_party(const look *l, str id, party *out, ec2_NetworkInterface **it)
{
	ec2_NetworkInterface *n = kind_find(l->tx, l->mem, &kind_interface, l->p.account, l->p.region, id);
	if (!n)
		return false;
	str *groups = arena_array(l->mem, str, n->Groups.n + 1);
	for (size_t i = 0; i < n->Groups.n; i++)
		groups[i] = n->Groups.v[i].GroupId;
	*out = (party){ .vpc = n->VpcId, .subnet = n->SubnetId, .groups = groups, .n_groups = n->Groups.n };
	*it = n;
	return address4_parse(n->PrivateIpAddress, &out->ip);
}

/* From a subnet to what translates addresses, and from there out. */
static bool by_way_of(const look *l, const party *from, const party *nat, const party *out, int port)
{
	bool near = str_eq(from->subnet, nat->subnet);
	return groups_allow(l, from, true, port, out) &&
	       (near || (acl_lets_out(l, from, out->ip, port) && acl_lets_in(l, nat, from->ip, port))) &&
	       acl_lets_out(l, nat, out->ip, port) && to_internet(l, nat, out->ip);
}

static bool by_gateway(const look *l, const party *from, const ec2_Route *r, const party *out, int port,
                       party *nat, vpc_way *way)
{
	ec2_NatGateway *g = kind_find(l->tx, l->mem, &kind_nat_gateway, l->p.account, l->p.region,
	                              r->NatGatewayId);
	if (!g || str_eq(g->ConnectivityType, S("private")) || !g->NatGatewayAddresses.n)
		return false;
	*nat = (party){ .vpc = g->VpcId, .subnet = g->SubnetId, .public_ip = g->NatGatewayAddresses.v->PublicIp };
	if (!address4_parse(g->NatGatewayAddresses.v->PrivateIp, &nat->ip))
		return false;
	way->nat = ec2_arn(l->mem, l->p, "natgateway", g->NatGatewayId);
	way->transfer = way->nat;
	return by_way_of(l, from, nat, out, port);
}

/* Any instance that lets through what is not for itself translates addresses. */
static bool by_instance(const look *l, const party *from, const ec2_Route *r, const party *out, int port,
                        party *nat, vpc_way *way)
{
	ec2_NetworkInterface *n;
	if (!interface_party(l, r->NetworkInterfaceId, nat, &n) || n->SourceDestCheck.v || !n->Attachment)
		return false;
	ec2_Instance *i = kind_find(l->tx, l->mem, &kind_instance, l->p.account, l->p.region,
	                            n->Attachment->InstanceId);
	if (!i || i->State->Code.v != INSTANCE_RUNNING || !given(i->PublicIpAddress))
		return false;
	nat->public_ip = i->PublicIpAddress;
	way->transfer = ec2_arn(l->mem, l->p, "instance", i->InstanceId);
	return groups_allow(l, nat, false, port, from) && groups_allow(l, nat, true, port, out) &&
	       by_way_of(l, from, nat, out, port);
}

/* `seen` is whom the other side takes it for. */
static bool leaves(const look *l, const party *from, const vpc_side *side, const party *out, int port,
                   party *seen, vpc_way *way)
{
	const ec2_Route *r = route_to(l, from, out->ip);
	if (!r)
		return false;
	if (given(r->NatGatewayId))
		return by_gateway(l, from, r, out, port, seen, way);
	if (given(r->NetworkInterfaceId))
		return by_instance(l, from, r, out, port, seen, way);
	*seen = *from;
	way->transfer = side->resource;
	return side->public_address && str_starts(r->GatewayId, S("igw-")) &&
	       groups_allow(l, from, true, port, out) && acl_lets_out(l, from, out->ip, port);
}

static bool by_endpoint(const look *l, const party *from, const ec2_VpcEndpoint *e, vpc_way *way)
{
	party there;
	ec2_NetworkInterface *n;
	for (size_t i = 0; i < e->NetworkInterfaceIds.n; i++)
		if (interface_party(l, e->NetworkInterfaceIds.v[i], &there, &n) && meets(l, from, &there, HTTPS)) {
			way->endpoint = ec2_arn(l->mem, l->p, "vpc-endpoint", e->VpcEndpointId);
			return true;
		}
	return false;
}

/* Whether the subnet's table has the route of a gateway endpoint. */
static bool is_routed(const look *l, const party *from, const ec2_VpcEndpoint *e)
{
	ec2_RouteTable *t = table_of(l, from);
	return t && listed_in(&e->RouteTableIds, t->RouteTableId);
}

/* Groups and ACLs are asked about the service's addresses. */
static bool by_list(const look *l, const party *from, const ec2_VpcEndpoint *e)
{
	party aws = { .list = ec2_service_list(l->mem, l->p.region, e->ServiceName) };
	return ec2_service_address(aws.list, l->mem, l->p.region, &aws.ip) &&
	       groups_allow(l, from, true, HTTPS, &aws) && acl_lets_out(l, from, aws.ip, HTTPS);
}

/* What an endpoint's service is called in signatures. */
static bool is_for(const look *l, const ec2_VpcEndpoint *e, str wanted)
{
	static const char *const others[][2] = { { "ecr.api", "ecr" }, { "kinesis-streams", "kinesis" },
		{ "kinesis-firehose", "firehose" }, { "appsync-api", "appsync" } };
	str prefix = arena_fmt(l->mem, "com.amazonaws.%.*s.", STR_ARG(l->p.region));
	str name = S("");
	if (str_starts(e->ServiceName, prefix))
		name = str_sub(e->ServiceName, prefix.n, e->ServiceName.n);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (str_eq(name, str_c(others[i][0])))
			name = str_c(others[i][1]);
	return given(wanted) && str_eq(name, wanted);
}

/* Endpoints that lead to the service take what goes there: what they do not let through has no other way. */
static bool to_aws(const look *l, const party *from, const vpc_side *side, const vpc_goal *to, vpc_way *way)
{
	party out = { 0 }, seen;
	record_scan s = ec2_endpoint_scan(l->tx, l->mem, 2, l->p.account, l->p.region, STR_NONE);
	bool takes = false, open = false;
	for (ec2_endpoint *e; !open && (e = ec2_endpoint_next(&s));) {
		bool gateway = str_eq(e->It->VpcEndpointType, S("Gateway"));
		if (!str_eq(e->It->VpcId, from->vpc) || !str_eq(e->It->State, S("available")) ||
		    (!to->undecided && !is_for(l, e->It, to->service)) || (gateway && !is_routed(l, from, e->It)))
			continue;
		takes = takes || gateway || e->It->PrivateDnsEnabled.v;
		open = gateway ? by_list(l, from, e->It) : by_endpoint(l, from, e->It, way);
	}
	cursor_close(&s.at);
	if (open || (takes && !to->undecided))
		return open;
	ec2_service_address(ec2_service_list(l->mem, l->p.region, arena_fmt(l->mem, "com.amazonaws.%.*s.s3",
	                    STR_ARG(l->p.region))), l->mem, l->p.region, &out.ip);
	open = leaves(l, from, side, &out, HTTPS, &seen, way);
	way->transfer = STR_NONE; /* within a region it is free */
	return open;
}

/* Peers have routes to each other. */
static bool are_peers(const look *l, const party *a, const party *b)
{
	const ec2_Route *to = route_to(l, a, b->ip), *back = route_to(l, b, a->ip);
	if (!to || !back || !given(to->VpcPeeringConnectionId) ||
	    !str_eq(to->VpcPeeringConnectionId, back->VpcPeeringConnectionId))
		return false;
	ec2_VpcPeeringConnection *c = kind_find(l->tx, l->mem, &kind_peering, l->p.account, l->p.region,
	                                        to->VpcPeeringConnectionId);
	return c && (str_eq(c->AccepterVpcInfo->VpcId, b->vpc) || str_eq(c->RequesterVpcInfo->VpcId, b->vpc));
}

/* An address in the subnet that is always the same for the same thing. */
static bool placed(const look *l, str subnet, str who, party *out)
{
	ec2_subnet *row = given(subnet) ? ec2_subnet_get(l->tx, l->mem, l->p.account, l->p.region, subnet) : NULL;
	const ec2_Subnet *s = row ? row->It : NULL;
	cidr4 c;
	uint32_t h = 2166136261u;
	if (!s || !cidr4_parse(s->CidrBlock, &c))
		return false;
	for (size_t i = 0; i < who.n; i++)
		h = (h ^ (unsigned char)who.p[i]) * 16777619u;
	uint32_t size = UINT32_C(1) << (32 - c.bits);
	out->subnet = s->SubnetId;
	out->vpc = s->VpcId;
	out->ip = c.base + FIRST_HOST + h % (size - FIRST_HOST - 1);
	return true;
}

static ec2_SecurityGroup *group_row(const look *l, str id)
{
	ec2_securitygroup *g = given(id) ? ec2_securitygroup_get(l->tx, l->mem, l->p.account, l->p.region, id)
	                                 : NULL;
	return g ? g->It : NULL;
}

static bool any_subnet(const look *l, str who, party *out)
{
	str found = S("");
	record_scan s = ec2_subnet_scan(l->tx, l->mem, 2, l->p.account, l->p.region, STR_NONE);
	for (ec2_subnet *row; !given(found) && (row = ec2_subnet_next(&s));)
		found = str_eq(row->It->VpcId, out->vpc) ? row->It->SubnetId : found;
	cursor_close(&s.at);
	return placed(l, found, who, out);
}

/* Where it stands; false: nowhere that is known. */
static bool stands(const look *l, const vpc_side *side, str who, party *out)
{
	str *groups = arena_array(l->mem, str, side->n_groups + 1), vpc = S("");
	bool there = false;
	*out = (party){ .groups = groups };
	for (size_t i = 0; i < side->n_groups; i++) {
		ec2_SecurityGroup *g = group_row(l, side->groups[i]);
		if (!g)
			continue;
		vpc = g->VpcId;
		groups[out->n_groups++] = g->GroupId;
	}
	for (size_t i = 0; !there && i < side->n_subnets; i++)
		there = placed(l, side->subnets[i], who, out) && (!given(vpc) || str_eq(vpc, out->vpc));
	if (!there) {
		ec2_begun *b = ec2_begun_get(l->tx, l->mem, l->p.account, l->p.region);
		out->vpc = given(vpc) ? vpc : b ? b->Vpc : S("");
		there = given(out->vpc) && any_subnet(l, who, out);
	}
	if (there && !out->n_groups) {
		ec2_SecurityGroup *g = ec2_group_default(l->tx, l->mem, l->p, out->vpc);
		if (g)
			groups[out->n_groups++] = g->GroupId;
	}
	return there;
}

static bool to_resident(const look *l, const party *from, const vpc_side *side, const vpc_goal *to,
                        vpc_way *way)
{
	party there, seen = { 0 }, out = { 0 };
	look theirs = { l->tx, l->mem, { to->side.account, to->side.region } };
	bool known = stands(&theirs, &to->side, to->address, &there);
	bool same = str_eq(l->p.account, theirs.p.account) && str_eq(l->p.region, theirs.p.region);
	if (known && same && (str_eq(from->vpc, there.vpc) || are_peers(l, from, &there)))
		return meets(l, from, &there, to->port);
	/* By its public address. */
	if (!to->side.public_address || !address4_parse(to->address, &out.ip) ||
	    !leaves(l, from, side, &out, to->port, &seen, way))
		return false;
	if (!address4_parse(seen.public_ip, &seen.ip))
		seen.ip = 0;
	seen.n_groups = 0;
	return !known || (groups_allow(&theirs, &there, false, to->port, &seen) &&
	                  acl_lets_in(&theirs, &there, seen.ip, to->port));
}

static bool open_to(const txn *tx, arena *mem, const vpc_side *side, const vpc_goal *to, vpc_way *way)
{
	look l = { tx, mem, { side->account, side->region } };
	party from, out = { 0 }, seen;
	bool open = false;
	if (!stands(&l, side, side->resource, &from))
		return false;
	if (to->kind == GOAL_RESIDENT)
		open = to_resident(&l, &from, side, to, way);
	else if (to->kind == GOAL_AWS)
		open = to_aws(&l, &from, side, to, way);
	else
		open = address4_parse(to->address, &out.ip) && leaves(&l, &from, side, &out, to->port, &seen, way);
	return open;
}

static void carried(str account, str region, const vpc_way *way, int64_t sent, int64_t received)
{
	int64_t now = clock_now(), both = sent + received;
	if (way->nat.n)
		usage_later(account, region, now, &EC2_NAT_GB, way->nat, both);
	if (way->endpoint.n)
		usage_later(account, region, now, &EC2_ENDPOINT_GB, way->endpoint, both);
	if (way->transfer.n)
		usage_later(account, region, now, &EC2_TRANSFER_OUT, way->transfer, sent);
}

VPC_RULES(open_to, carried);
