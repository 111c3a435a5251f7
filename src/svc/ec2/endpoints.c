/*
 * VPC endpoints. A gateway endpoint is a route to a prefix list in the tables it is given; an interface
 * endpoint has a network interface in each of its subnets and costs by the begun hour for each.
 */
#include "ec2.h"
#include "store/due.h"

#define MOVE_MS 1000
#define GATEWAY_POLICY "{\"Version\":\"2008-10-17\",\"Statement\":[{\"Effect\":\"Allow\"," \
	"\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}"
#define INTERFACE_POLICY "{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\"," \
	"\"Resource\":\"*\"}]}"

typedef struct endpoint_service {
	const char *name; /* behind com.amazonaws.REGION. */
	const char *host; /* before .REGION.amazonaws.com; NULL: the same */
	bool gateway, interface;
} endpoint_service;

static const endpoint_service services[] = {
	{ "s3", NULL, true, true }, { "dynamodb", NULL, true, true },
	{ "acm", NULL, false, true }, { "acm-pca", NULL, false, true }, { "apigateway", NULL, false, true },
	{ "appsync-api", "appsync-api", false, true }, { "athena", NULL, false, true },
	{ "autoscaling", NULL, false, true }, { "cloudformation", NULL, false, true },
	{ "cloudtrail", NULL, false, true }, { "codebuild", NULL, false, true }, { "config", NULL, false, true },
	{ "ec2", NULL, false, true }, { "ec2messages", NULL, false, true }, { "ecr.api", "api.ecr", false, true },
	{ "ecr.dkr", "*.dkr.ecr", false, true }, { "ecs", NULL, false, true }, { "ecs-agent", "ecs-a", false,
	            true },
	{ "ecs-telemetry", "ecs-t", false, true }, { "elasticache", NULL, false, true },
	{ "elasticfilesystem", NULL, false, true }, { "elasticloadbalancing", NULL, false, true },
	{ "email-smtp", NULL, false, true }, { "events", NULL, false, true },
	{ "execute-api", "*.execute-api", false, true }, { "glue", NULL, false, true },
	{ "kinesis-firehose", "firehose", false, true }, { "kinesis-streams", "kinesis", false, true },
	{ "kms", NULL, false, true }, { "lambda", NULL, false, true }, { "logs", NULL, false, true },
	{ "monitoring", NULL, false, true }, { "rds", NULL, false, true }, { "rds-data", NULL, false, true },
	{ "redshift", NULL, false, true }, { "secretsmanager", NULL, false, true }, { "sns", NULL, false, true },
	{ "sqs", NULL, false, true }, { "ssm", NULL, false, true }, { "ssmmessages", NULL, false, true },
	{ "states", NULL, false, true }, { "sts", NULL, false, true }, { "xray", NULL, false, true } };
#define SERVICES (sizeof services / sizeof *services)

static str full_name(arena *mem, str region, const endpoint_service *s)
{
	return arena_fmt(mem, "com.amazonaws.%.*s.%s", STR_ARG(region), s->name);
}

static str host_name(arena *mem, str region, const endpoint_service *s)
{
	return arena_fmt(mem, "%s.%.*s.amazonaws.com", s->host ? s->host : s->name, STR_ARG(region));
}

static const endpoint_service *service_find(arena *mem, str region, str name)
{
	for (size_t i = 0; i < SERVICES; i++)
		if (str_eq(name, full_name(mem, region, &services[i])))
			return &services[i];
	return NULL;
}

static void keep(txn *tx, place p, const ec2_VpcEndpoint *e)
{
	kind_put(tx, &kind_endpoint, p.account, p.region, e->VpcEndpointId, e);
}

static bool is_gateway(const ec2_VpcEndpoint *e)
{
	return str_eq(e->VpcEndpointType, S("Gateway"));
}

static void meter_it(txn *tx, place p, int64_t now, const ec2_VpcEndpoint *e, bool exists)
{
	str arn = ec2_arn(txn_arena(tx), p, "vpc-endpoint", e->VpcEndpointId);
	if (is_gateway(e))
		resident_set(tx, p.account, p.region, now, &EC2_ENDPOINT_GATEWAY, arn, QTY(exists));
	else
		ec2_meter_hours(tx, p, now, &EC2_ENDPOINT_HOUR, arn, exists ? (int64_t)e->SubnetIds.n : 0,
		                e->CreationTimestamp.v);
}

static void arm(txn *tx, place p, str id, int64_t due)
{
	str what = arena_fmt(txn_arena(tx), "%.*s %.*s %.*s", STR_ARG(p.account), STR_ARG(p.region), STR_ARG(id));
	timer_set(tx, "ec2_endpoint", what, due, what);
}

static void end_interfaces(txn *tx, arena *mem, place p, const ec2_VpcEndpoint *e)
{
	for (size_t i = 0; i < e->NetworkInterfaceIds.n; i++)
		ec2_interface_delete(tx, mem, p, e->NetworkInterfaceIds.v[i]);
}

/* pending: available; deleting: gone. */
TIMER(ec2_endpoint)
{
	arena *mem = txn_arena(tx);
	str rest = payload;
	place p = { .account = str_cut(&rest, ' ') };
	p.region = str_cut(&rest, ' ');
	ec2_VpcEndpoint *e = kind_find(tx, mem, &kind_endpoint, p.account, p.region, rest);
	if (e && str_eq(e->State, S("pending"))) {
		e->State = S("available");
		keep(tx, p, e);
	} else if (e && str_eq(e->State, S("deleting"))) {
		end_interfaces(tx, mem, p, e);
		kind_delete(tx, mem, &kind_endpoint, p.account, p.region, e->VpcEndpointId);
	}
}

static err add_table(req *rq, txn *tx, ec2_VpcEndpoint *e, str table)
{
	ec2_RouteTable *t;
	str list = ec2_service_list(rq->mem, rq->region, e->ServiceName);
	TRY(kind_get(rq, tx, &kind_route_table, table, &t));
	if (!str_eq(t->VpcId, e->VpcId))
		return fail(rq, &ec2_InvalidParameter, "Route table %.*s and VPC %.*s belong to different networks",
		            STR_ARG(table), STR_ARG(e->VpcId));
	for (size_t i = 0; i < t->Routes.n; i++)
		if (str_eq(t->Routes.v[i].DestinationPrefixListId, list))
			return fail(rq, &ec2_RouteAlreadyExists, "route table %.*s already has a route with "
			            "destination-prefix-list-id %.*s", STR_ARG(table), STR_ARG(list));
	ec2_endpoint_route(tx, rq->mem, place_of(rq), table, list, e->VpcEndpointId, true);
	LIST_ADD(rq->mem, &e->RouteTableIds, table);
	return OK;
}

static err add_subnet(req *rq, txn *tx, ec2_VpcEndpoint *e, str id)
{
	ec2_Subnet *s, *other;
	ec2_NetworkInterface *n;
	TRY(kind_get(rq, tx, &kind_subnet, id, &s));
	if (!str_eq(s->VpcId, e->VpcId))
		return fail(rq, &ec2_InvalidParameter, "Subnet %.*s and VPC %.*s belong to different networks",
		            STR_ARG(id), STR_ARG(e->VpcId));
	for (size_t i = 0; i < e->SubnetIds.n; i++) {
		TRY(kind_get(rq, tx, &kind_subnet, e->SubnetIds.v[i], &other));
		if (str_eq(other->AvailabilityZone, s->AvailabilityZone))
			return fail(rq, &ec2_DuplicateSubnets, "Found another VPC endpoint subnet in the availability "
			            "zone "
			            "of %.*s. VPC endpoint subnets should be in different availability zones supported "
			            "by "
			            "the VPC endpoint service.", STR_ARG(id));
	}
	interface_wish w = { .subnet = s, .type = S("vpc_endpoint"), .requester = S("amazon-vpce"),
		.description = arena_fmt(rq->mem, "VPC Endpoint Interface %.*s", STR_ARG(e->VpcEndpointId)) };
	for (size_t i = 0; i < e->Groups.n; i++)
		LIST_ADD(rq->mem, &w.groups, (ec2_GroupIdentifier){ .GroupId = e->Groups.v[i].GroupId,
			.GroupName = e->Groups.v[i].GroupName });
	TRY(ec2_interface_new(rq, tx, &w, &n));
	n->Status = S("in-use");
	n->Attachment = arena_new(rq->mem, ec2_NetworkInterfaceAttachment);
	*n->Attachment = (ec2_NetworkInterfaceAttachment){ .AttachmentId = ec2_id(rq->mem, "ela-attach-"),
		.DeviceIndex = I64(1), .InstanceOwnerId = S("amazon-aws"), .Status = S("attached"),
		.DeleteOnTermination = BOOL(false) };
	ec2_interface_put(tx, place_of(rq), n);
	LIST_ADD(rq->mem, &e->SubnetIds, id);
	LIST_ADD(rq->mem, &e->NetworkInterfaceIds, n->NetworkInterfaceId);
	return OK;
}

/* An endpoint's own names: one for all zones, one for each, and the service's public one. */
static void name_it(req *rq, const txn *tx, ec2_VpcEndpoint *e)
{
	const endpoint_service *s = service_find(rq->mem, rq->region, e->ServiceName);
	str host = arena_fmt(rq->mem, "%s.%.*s.vpce.amazonaws.com", s->name, STR_ARG(rq->region));
	str word = str_sub(e->VpcEndpointId, e->VpcEndpointId.n - 8, e->VpcEndpointId.n);
	e->DnsEntries.n = 0;
	LIST_ADD(rq->mem, &e->DnsEntries, (ec2_DnsEntry){ .HostedZoneId = S("Z7HUB22UULQXV"),
		.DnsName = arena_fmt(rq->mem, "%.*s-%.*s.%.*s", STR_ARG(e->VpcEndpointId), STR_ARG(word),
		                     STR_ARG(host)) });
	for (size_t i = 0; i < e->SubnetIds.n; i++) {
		ec2_Subnet *subnet = kind_find(tx, rq->mem, &kind_subnet, rq->who.account, rq->region,
		                               e->SubnetIds.v[i]);
		if (subnet)
			LIST_ADD(rq->mem, &e->DnsEntries, (ec2_DnsEntry){ .HostedZoneId = S("Z7HUB22UULQXV"),
				.DnsName = arena_fmt(rq->mem, "%.*s-%.*s-%.*s.%.*s", STR_ARG(e->VpcEndpointId), STR_ARG(word),
				                     STR_ARG(subnet->AvailabilityZone), STR_ARG(host)) });
	}
	if (e->PrivateDnsEnabled.v)
		LIST_ADD(rq->mem, &e->DnsEntries, (ec2_DnsEntry){ .HostedZoneId = S("ZONEIDPENDING"),
			.DnsName = host_name(rq->mem, rq->region, s) });
}

static err set_groups(req *rq, txn *tx, ec2_VpcEndpoint *e, const void *ids)
{
	ec2_GroupIdentifierList groups = { 0 };
	TRY(ec2_groups_of(rq, tx, ids, e->VpcId, &groups));
	e->Groups.n = 0;
	for (size_t i = 0; i < groups.n; i++)
		LIST_ADD(rq->mem, &e->Groups, (ec2_SecurityGroupIdentifier){ .GroupId = groups.v[i].GroupId,
			.GroupName = groups.v[i].GroupName });
	for (size_t i = 0; i < e->NetworkInterfaceIds.n; i++) {
		ec2_NetworkInterface *n;
		TRY(kind_get(rq, tx, &kind_interface, e->NetworkInterfaceIds.v[i], &n));
		n->Groups = groups;
		ec2_interface_put(tx, place_of(rq), n);
	}
	return OK;
}

static err check_names(req *rq, const txn *tx, str vpc)
{
	ec2_DescribeVpcAttribute_in in = { .VpcId = vpc, .Attribute = S("enableDnsHostnames") };
	ec2_DescribeVpcAttribute_out hostnames = { 0 }, support = { 0 };
	TRY(ec2_DescribeVpcAttribute(rq, tx, &in, &hostnames));
	in.Attribute = S("enableDnsSupport");
	TRY(ec2_DescribeVpcAttribute(rq, tx, &in, &support));
	if (hostnames.EnableDnsHostnames->Value.v && support.EnableDnsSupport->Value.v)
		return OK;
	return fail(rq, &ec2_InvalidParameter, "Enabling private DNS requires both enableDnsSupport and "
	            "enableDnsHostnames VPC attributes set to true for %.*s", STR_ARG(vpc));
}

static err check_limit(req *rq, const txn *tx, const ec2_VpcEndpoint *e)
{
	int64_t n = 0;
	record_scan s = ec2_endpoint_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_endpoint *o; (o = ec2_endpoint_next(&s));)
		n += str_eq(o->It->VpcEndpointType, e->VpcEndpointType) &&
		     (is_gateway(e) || str_eq(o->It->VpcId, e->VpcId));
	if (n < (is_gateway(e) ? EC2_GATEWAY_ENDPOINTS_MAX : EC2_INTERFACE_ENDPOINTS_MAX))
		return OK;
	return fail(rq, &ec2_VpcEndpointLimitExceeded, "The maximum number of VPC endpoints has been reached.");
}

static err check_service(req *rq, const ec2_CreateVpcEndpoint_in *in, const ec2_VpcEndpoint *e)
{
	bool gateway = is_gateway(e);
	if (given(in->ServiceNetworkArn) || given(in->ResourceConfigurationArn) || given(in->ServiceRegion) ||
	    in->SubnetConfigurations.n)
		return fail(rq, &aws_NotImplemented, "Endpoints of VPC Lattice, of other regions and with "
		            "addresses of "
		            "their own are not implemented.");
	if (!gateway && !str_eq(e->VpcEndpointType, S("Interface")))
		return fail(rq, &aws_NotImplemented, "Endpoints of type %.*s are not implemented.",
		            STR_ARG(e->VpcEndpointType));
	if (!given(in->ServiceName))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ServiceName");
	const endpoint_service *s = service_find(rq->mem, rq->region, in->ServiceName);
	if (!s || !(gateway ? s->gateway : s->interface))
		return fail(rq, &ec2_InvalidServiceName, "The Vpc Endpoint Service '%.*s' does not exist",
		            STR_ARG(in->ServiceName));
	if (gateway && (in->SubnetIds.n || in->SecurityGroupIds.n))
		return fail(rq, &ec2_InvalidParameter, "%s cannot be specified for Gateway type VPC Endpoint",
		            in->SubnetIds.n ? "SubnetIds" : "SecurityGroupIds");
	if (!gateway && in->RouteTableIds.n)
		return fail(rq, &ec2_InvalidParameter, "RouteTableIds cannot be specified for Interface type VPC "
		            "Endpoint");
	return OK;
}

static err fill(req *rq, txn *tx, const ec2_CreateVpcEndpoint_in *in, ec2_VpcEndpoint *e)
{
	for (size_t i = 0; i < in->RouteTableIds.n; i++)
		TRY(add_table(rq, tx, e, in->RouteTableIds.v[i]));
	if (is_gateway(e))
		return OK;
	TRY(set_groups(rq, tx, e, &in->SecurityGroupIds));
	for (size_t i = 0; i < in->SubnetIds.n; i++)
		TRY(add_subnet(rq, tx, e, in->SubnetIds.v[i]));
	name_it(rq, tx, e);
	return OK;
}

err ec2_CreateVpcEndpoint(req *rq, txn *tx, const ec2_CreateVpcEndpoint_in *in,
                          ec2_CreateVpcEndpoint_out *out)
{
	void *vpc;
	str before;
	ec2_VpcEndpoint e = { .VpcEndpointId = ec2_id(rq->mem, "vpce-"), .VpcId = in->VpcId,
		.ServiceName = in->ServiceName, .OwnerId = rq->who.account, .CreationTimestamp = TIME(rq->now),
		.VpcEndpointType = given(in->VpcEndpointType) ? in->VpcEndpointType : S("Gateway"),
		.RequesterManaged = BOOL(false), .ServiceRegion = rq->region, .IpAddressType = S("ipv4") };
	bool gateway = is_gateway(&e);
	TRY(kind_get(rq, tx, &kind_vpc, in->VpcId, &vpc));
	TRY(check_service(rq, in, &e));
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_endpoint, before, &out->VpcEndpoint);
	TRY(check_limit(rq, tx, &e));
	e.State = gateway ? S("available") : S("pending");
	e.PrivateDnsEnabled = BOOL(!gateway && (!in->PrivateDnsEnabled.set || in->PrivateDnsEnabled.v));
	if (e.PrivateDnsEnabled.v)
		TRY(check_names(rq, tx, in->VpcId));
	e.PolicyDocument = given(in->PolicyDocument) ? in->PolicyDocument :
	                   gateway ? S(GATEWAY_POLICY) : S(INTERFACE_POLICY);
	e.DnsOptions = arena_new(rq->mem, ec2_DnsOptions);
	e.DnsOptions->DnsRecordIpType = gateway ? S("service-defined") : S("ipv4");
	if (in->DnsOptions && given(in->DnsOptions->DnsRecordIpType))
		e.DnsOptions->DnsRecordIpType = in->DnsOptions->DnsRecordIpType;
	TRY(fill(rq, tx, in, &e));
	keep(tx, place_of(rq), &e);
	meter_it(tx, place_of(rq), rq->now, &e, true);
	if (!gateway)
		arm(tx, place_of(rq), e.VpcEndpointId, rq->now + MOVE_MS);
	ec2_repeats(rq, tx, in->ClientToken, e.VpcEndpointId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "vpc-endpoint", e.VpcEndpointId));
	return kind_get(rq, tx, &kind_endpoint, e.VpcEndpointId, &out->VpcEndpoint);
}

err ec2_DescribeVpcEndpoints(req *rq, const txn *tx, const ec2_DescribeVpcEndpoints_in *in,
                             ec2_DescribeVpcEndpoints_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_endpoint, DESCRIBE(in, &in->VpcEndpointIds), &out->VpcEndpoints,
	                     &out->NextToken);
}

static err change_tables(req *rq, txn *tx, const ec2_ModifyVpcEndpoint_in *in, ec2_VpcEndpoint *e)
{
	str list = ec2_service_list(rq->mem, rq->region, e->ServiceName);
	for (size_t i = 0; i < in->RemoveRouteTableIds.n; i++)
		for (size_t n = 0; n < e->RouteTableIds.n; n++)
			if (str_eq(e->RouteTableIds.v[n], in->RemoveRouteTableIds.v[i])) {
				ec2_endpoint_route(tx, rq->mem, place_of(rq), e->RouteTableIds.v[n], list, e->VpcEndpointId,
				                   false);
				LIST_DROP(&e->RouteTableIds, n);
				break;
			}
	for (size_t i = 0; i < in->AddRouteTableIds.n; i++)
		TRY(add_table(rq, tx, e, in->AddRouteTableIds.v[i]));
	return OK;
}

static err change_subnets(req *rq, txn *tx, const ec2_ModifyVpcEndpoint_in *in, ec2_VpcEndpoint *e)
{
	list_of_str ids = { 0 };
	for (size_t i = 0; i < e->Groups.n; i++)
		if (!listed_in(&in->RemoveSecurityGroupIds, e->Groups.v[i].GroupId))
			LIST_GROW(rq->mem, &ids, e->Groups.v[i].GroupId);
	for (size_t i = 0; i < in->AddSecurityGroupIds.n; i++)
		LIST_GROW(rq->mem, &ids, in->AddSecurityGroupIds.v[i]);
	if (in->AddSecurityGroupIds.n || in->RemoveSecurityGroupIds.n)
		TRY(set_groups(rq, tx, e, &ids));
	for (size_t i = 0; i < e->SubnetIds.n;) {
		if (!listed_in(&in->RemoveSubnetIds, e->SubnetIds.v[i])) {
			i++;
			continue;
		}
		ec2_interface_delete(tx, rq->mem, place_of(rq), e->NetworkInterfaceIds.v[i]);
		LIST_DROP(&e->SubnetIds, i);
		LIST_DROP(&e->NetworkInterfaceIds, i);
	}
	for (size_t i = 0; i < in->AddSubnetIds.n; i++)
		TRY(add_subnet(rq, tx, e, in->AddSubnetIds.v[i]));
	name_it(rq, tx, e);
	return OK;
}

err ec2_ModifyVpcEndpoint(req *rq, txn *tx, const ec2_ModifyVpcEndpoint_in *in,
                          ec2_ModifyVpcEndpoint_out *out)
{
	ec2_VpcEndpoint *e;
	TRY(kind_get(rq, tx, &kind_endpoint, in->VpcEndpointId, &e));
	/* It is metered no more, and must not be again: nothing would end that. */
	if (str_eq(e->State, S("deleting")))
		return fail(rq, &ec2_IncorrectState, "The Vpc Endpoint '%.*s' is not in a valid state for this "
		            "operation.", STR_ARG(e->VpcEndpointId));
	bool gateway = is_gateway(e);
	if (in->SubnetConfigurations.n)
		return fail(rq, &aws_NotImplemented, "Endpoints with addresses of their own are not implemented.");
	TRY(ec2_dry_run(rq, in->DryRun));
	if (in->ResetPolicy.v)
		e->PolicyDocument = gateway ? S(GATEWAY_POLICY) : S(INTERFACE_POLICY);
	if (given(in->PolicyDocument))
		e->PolicyDocument = in->PolicyDocument;
	if (in->DnsOptions && given(in->DnsOptions->DnsRecordIpType))
		e->DnsOptions->DnsRecordIpType = in->DnsOptions->DnsRecordIpType;
	if (in->PrivateDnsEnabled.set && !gateway) {
		if (in->PrivateDnsEnabled.v)
			TRY(check_names(rq, tx, e->VpcId));
		e->PrivateDnsEnabled = in->PrivateDnsEnabled;
	}
	TRY(gateway ? change_tables(rq, tx, in, e) : change_subnets(rq, tx, in, e));
	keep(tx, place_of(rq), e);
	meter_it(tx, place_of(rq), rq->now, e, true);
	out->Return = BOOL(true);
	return OK;
}

static void end(req *rq, txn *tx, ec2_VpcEndpoint *e)
{
	place p = place_of(rq);
	str list = is_gateway(e) ? ec2_service_list(rq->mem, rq->region, e->ServiceName) : STR_NONE;
	if (str_eq(e->State, S("deleting")))
		return;
	meter_it(tx, p, rq->now, e, false);
	for (size_t i = 0; i < e->RouteTableIds.n; i++)
		ec2_endpoint_route(tx, rq->mem, p, e->RouteTableIds.v[i], list, e->VpcEndpointId, false);
	e->RouteTableIds.n = 0;
	e->State = S("deleting");
	keep(tx, p, e);
	arm(tx, p, e->VpcEndpointId, rq->now + MOVE_MS);
}

void ec2_endpoints_leave_table(txn *tx, arena *mem, place p, str table)
{
	for (ec2_VpcEndpoint *e; (e = kind_first(tx, mem, &kind_endpoint, p.account, p.region, "routeTableIdSet",
	                                         table));) {
		size_t at = 0;
		while (!str_eq(e->RouteTableIds.v[at], table))
			at++;
		LIST_DROP(&e->RouteTableIds, at);
		keep(tx, p, e);
	}
}

/* What cannot be deleted is told of; the others are. */
err ec2_DeleteVpcEndpoints(req *rq, txn *tx, const ec2_DeleteVpcEndpoints_in *in,
                           ec2_DeleteVpcEndpoints_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	out->Unsuccessful.v = arena_new(rq->mem, ec2_UnsuccessfulItem);
	for (size_t i = 0; i < in->VpcEndpointIds.n; i++) {
		str id = in->VpcEndpointIds.v[i];
		ec2_VpcEndpoint *e = kind_find(tx, rq->mem, &kind_endpoint, rq->who.account, rq->region, id);
		if (e) {
			end(rq, tx, e);
			continue;
		}
		ec2_UnsuccessfulItemError *why = arena_new(rq->mem, ec2_UnsuccessfulItemError);
		*why = (ec2_UnsuccessfulItemError){ .Code = S("InvalidVpcEndpoint.NotFound"),
			.Message = arena_fmt(rq->mem, "The Vpc Endpoint Id '%.*s' does not exist", STR_ARG(id)) };
		LIST_GROW(rq->mem, &out->Unsuccessful, (ec2_UnsuccessfulItem){ .Error = why, .ResourceId = id });
	}
	return OK;
}

static const resource_kind kind_service = { .shape = &ec2_ServiceDetail_shape,
	.filters = (const filter_path[]){ { "service-type", "serviceType.serviceType" }, { 0 } } };

static ec2_ServiceDetail describe(req *rq, const endpoint_service *s, bool gateway)
{
	ec2_ServiceDetail d = { .ServiceName = full_name(rq->mem, rq->region, s), .ServiceRegion = rq->region,
		.Owner = S("amazon"), .VpcEndpointPolicySupported = BOOL(true), .AcceptanceRequired = BOOL(false),
		.ManagesVpcEndpoints = BOOL(false) };
	LIST_ADD(rq->mem, &d.ServiceType, (ec2_ServiceTypeDetail){
		.ServiceType = gateway ? S("Gateway") : S("Interface") });
	for (int i = 0; i < (int)ec2_zones(rq->region); i++)
		LIST_ADD(rq->mem, &d.AvailabilityZones,
		         arena_fmt(rq->mem, "%.*s%c", STR_ARG(rq->region), (char)('a' + i)));
	if (gateway) {
		LIST_ADD(rq->mem, &d.BaseEndpointDnsNames, host_name(rq->mem, rq->region, s));
		return d;
	}
	LIST_ADD(rq->mem, &d.BaseEndpointDnsNames,
	         arena_fmt(rq->mem, "%s.%.*s.vpce.amazonaws.com", s->name, STR_ARG(rq->region)));
	d.PrivateDnsName = host_name(rq->mem, rq->region, s);
	LIST_ADD(rq->mem, &d.PrivateDnsNames, (ec2_PrivateDnsDetails){ .PrivateDnsName = d.PrivateDnsName });
	d.PrivateDnsNameVerificationState = S("verified");
	LIST_ADD(rq->mem, &d.SupportedIpAddressTypes, S("ipv4"));
	return d;
}

err ec2_DescribeVpcEndpointServices(req *rq, const ec2_DescribeVpcEndpointServices_in *in,
                                    ec2_DescribeVpcEndpointServices_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->ServiceNames.n; i++)
		if (!service_find(rq->mem, rq->region, in->ServiceNames.v[i]))
			return fail(rq, &ec2_InvalidServiceName, "The Vpc Endpoint Service '%.*s' does not exist",
			            STR_ARG(in->ServiceNames.v[i]));
	for (size_t i = 0; i < SERVICES * 2; i++) {
		const endpoint_service *s = &services[i / 2];
		bool passes, gateway = i % 2 == 0;
		if (!(gateway ? s->gateway : s->interface))
			continue;
		ec2_ServiceDetail d = describe(rq, s, gateway);
		TRY(filters_pass(rq, &kind_service, &in->Filters, &d, &passes));
		if (!passes || (in->ServiceNames.n && !listed_in(&in->ServiceNames, d.ServiceName)))
			continue;
		LIST_ADD(rq->mem, &out->ServiceDetails, d);
		if (!listed_in(&out->ServiceNames, d.ServiceName))
			LIST_ADD(rq->mem, &out->ServiceNames, d.ServiceName);
	}
	return OK;
}
