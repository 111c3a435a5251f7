#include "ec2.h"

#define PAGE_MAX 1000

/* All records begin so (ec2.def). */
typedef struct row {
	str account, region, id;
	void *it;
} row;

static const filter_path instance_filters[] = {
	{ "instance-state-name", "instanceState.name" }, { "instance-state-code", "instanceState.code" },
	{ "availability-zone", "placement.availabilityZone" }, { "tenancy", "placement.tenancy" },
	{ "placement-group-name", "placement.groupName" }, { "group-id", "groupSet.groupId" },
	{ "group-name", "groupSet.groupName" }, { "instance.group-id", "groupSet.groupId" },
	{ "instance.group-name", "groupSet.groupName" }, { "network-interface.group-id", "groupSet.groupId" },
	{ "owner-id", "networkInterfaceSet.ownerId" }, { "monitoring-state", "monitoring.state" },
	{ "block-device-mapping.volume-id", "blockDeviceMapping.ebs.volumeId" },
	{ "block-device-mapping.device-name", "blockDeviceMapping.deviceName" },
	{ "iam-instance-profile.arn", "iamInstanceProfile.arn" }, { "state-reason-code", "stateReason.code" },
	{ "metadata-options.http-tokens", "metadataOptions.httpTokens" }, { "launch-index", "amiLaunchIndex" },
	{ "dns-name", "dnsName" }, { 0 } };
static const filter_path volume_filters[] = {
	{ "attachment.instance-id", "attachmentSet.instanceId" }, { "attachment.device", "attachmentSet.device" },
	{ "attachment.status", "attachmentSet.status" },
	{ "attachment.delete-on-termination", "attachmentSet.deleteOnTermination" },
	{ "attachment.attach-time", "attachmentSet.attachTime" }, { 0 } };
static const filter_path group_filters[] = { { "description", "groupDescription" },
	                                         { "ip-permission.cidr", "ipPermissions.ipRanges.cidrIp" },
	                                         { "ip-permission.from-port", "ipPermissions.fromPort" },
	                                         { "ip-permission.to-port", "ipPermissions.toPort" },
	                                         { "ip-permission.protocol", "ipPermissions.ipProtocol" },
	                                         { "ip-permission.group-id", "ipPermissions.groups.groupId" },
	                                         { "egress.ip-permission.cidr",
	                                           "ipPermissionsEgress.ipRanges.cidrIp" },
	                                         { 0 } };
static const filter_path vpc_filters[] = {
	{ "cidr", "cidrBlock" }, { "is-default", "isDefault" }, { "isDefault", "isDefault" },
	{ "cidr-block-association.cidr-block", "cidrBlockAssociationSet.cidrBlock" },
	{ "cidr-block-association.association-id", "cidrBlockAssociationSet.associationId" },
	{ "cidr-block-association.state", "cidrBlockAssociationSet.cidrBlockState.state" },
	{ "ipv6-cidr-block-association.ipv6-cidr-block", "ipv6CidrBlockAssociationSet.ipv6CidrBlock" },
	{ "ipv6-cidr-block-association.association-id", "ipv6CidrBlockAssociationSet.associationId" },
	{ "ipv6-cidr-block-association.state", "ipv6CidrBlockAssociationSet.ipv6CidrBlockState.state" }, { 0 } };
static const filter_path subnet_filters[] = {
	{ "cidr", "cidrBlock" }, { "cidrBlock", "cidrBlock" }, { "availabilityZone", "availabilityZone" },
	{ "defaultForAz", "defaultForAz" },
	{ "ipv6-cidr-block-association.ipv6-cidr-block", "ipv6CidrBlockAssociationSet.ipv6CidrBlock" },
	{ "ipv6-cidr-block-association.association-id", "ipv6CidrBlockAssociationSet.associationId" },
	{ "ipv6-cidr-block-association.state", "ipv6CidrBlockAssociationSet.ipv6CidrBlockState.state" },
	{ "private-dns-name-options-on-launch.hostname-type", "privateDnsNameOptionsOnLaunch.hostnameType" },
	{ 0 } };
static const filter_path gateway_filters[] = {
	{ "attachment.vpc-id", "attachmentSet.vpcId" }, { "attachment.state", "attachmentSet.state" }, { 0 } };
static const filter_path route_filters[] = {
	{ "association.subnet-id", "associationSet.subnetId" }, { "association.main", "associationSet.main" },
	{ "association.route-table-association-id", "associationSet.routeTableAssociationId" },
	{ "association.route-table-id", "associationSet.routeTableId" },
	{ "association.gateway-id", "associationSet.gatewayId" },
	{ "route.gateway-id", "routeSet.gatewayId" }, { "route.nat-gateway-id", "routeSet.natGatewayId" },
	{ "route.instance-id", "routeSet.instanceId" }, { "route.origin", "routeSet.origin" },
	{ "route.state", "routeSet.state" },
	{ "route.vpc-peering-connection-id", "routeSet.vpcPeeringConnectionId" },
	{ "route.transit-gateway-id", "routeSet.transitGatewayId" },
	{ "route.egress-only-internet-gateway-id", "routeSet.egressOnlyInternetGatewayId" },
	{ "route.destination-ipv6-cidr-block", "routeSet.destinationIpv6CidrBlock" },
	{ "route.destination-prefix-list-id", "routeSet.destinationPrefixListId" },
	{ "route.destination-cidr-block", "routeSet.destinationCidrBlock" }, { 0 } };
static const filter_path acl_filters[] = {
	{ "association.association-id", "associationSet.networkAclAssociationId" },
	{ "association.network-acl-id", "associationSet.networkAclId" },
	{ "association.subnet-id", "associationSet.subnetId" }, { "default", "default" },
	{ "entry.cidr", "entrySet.cidrBlock" }, { "entry.ipv6-cidr", "entrySet.ipv6CidrBlock" },
	{ "entry.egress", "entrySet.egress" }, { "entry.icmp.code", "entrySet.icmpTypeCode.code" },
	{ "entry.icmp.type", "entrySet.icmpTypeCode.type" },
	{ "entry.port-range.from", "entrySet.portRange.from" },
	{ "entry.port-range.to", "entrySet.portRange.to" }, { "entry.protocol", "entrySet.protocol" },
	{ "entry.rule-action", "entrySet.ruleAction" }, { "entry.rule-number", "entrySet.ruleNumber" }, { 0 } };
static const filter_path interface_filters[] = {
	{ "group-id", "groupSet.groupId" }, { "group-name", "groupSet.groupName" },
	{ "attachment.attachment-id", "attachment.attachmentId" },
	{ "attachment.instance-id", "attachment.instanceId" },
	{ "attachment.instance-owner-id", "attachment.instanceOwnerId" },
	{ "attachment.device-index", "attachment.deviceIndex" }, { "attachment.status", "attachment.status" },
	{ "attachment.delete-on-termination", "attachment.deleteOnTermination" },
	{ "addresses.private-ip-address", "privateIpAddressesSet.privateIpAddress" },
	{ "addresses.primary", "privateIpAddressesSet.primary" },
	{ "addresses.association.public-ip", "privateIpAddressesSet.association.publicIp" },
	{ "association.allocation-id", "association.allocationId" },
	{ "association.association-id", "association.associationId" },
	{ "association.public-ip", "association.publicIp" },
	{ "association.ip-owner-id", "association.ipOwnerId" },
	{ "availability-zone-id", "availabilityZoneId" }, { "mac-address", "macAddress" }, { 0 } };
static const filter_path rule_filters[] = { { "security-group-rule-id", "securityGroupRuleId" }, { 0 } };
static const filter_path nat_filters[] = { { 0 } };
static const filter_path endpoint_filters[] = { { "vpc-endpoint-state", "state" },
	                                            { "service-name", "serviceName" },
	                                            { "service-region", "serviceRegion" }, { 0 } };
static const filter_path dhcp_filters[] = { { "key", "dhcpConfigurationSet.key" },
	                                        { "value", "dhcpConfigurationSet.valueSet.value" }, { 0 } };
static const filter_path peering_filters[] = {
	{ "accepter-vpc-info.cidr-block", "accepterVpcInfo.cidrBlock" },
	{ "accepter-vpc-info.owner-id", "accepterVpcInfo.ownerId" },
	{ "accepter-vpc-info.vpc-id", "accepterVpcInfo.vpcId" },
	{ "requester-vpc-info.cidr-block", "requesterVpcInfo.cidrBlock" },
	{ "requester-vpc-info.owner-id", "requesterVpcInfo.ownerId" },
	{ "requester-vpc-info.vpc-id", "requesterVpcInfo.vpcId" }, { "status-code", "status.code" },
	{ "status-message", "status.message" }, { 0 } };
static const filter_path key_filters[] = { { "fingerprint", "keyFingerprint" }, { 0 } };
static const filter_path image_filters[] = {
	{ "state", "imageState" }, { "is-public", "isPublic" }, { "owner-alias", "imageOwnerAlias" },
	{ "owner-id", "imageOwnerId" }, { "image-type", "imageType" },
	{ "block-device-mapping.volume-type", "blockDeviceMapping.ebs.volumeType" },
	{ "block-device-mapping.volume-size", "blockDeviceMapping.ebs.volumeSize" }, { 0 } };
static const filter_path change_filters[] = {
	{ "modification-state", "modificationState" }, { "original-iops", "originalIops" },
	{ "original-size", "originalSize" }, { "original-volume-type", "originalVolumeType" },
	{ "target-iops", "targetIops" }, { "target-size", "targetSize" },
	{ "target-volume-type", "targetVolumeType" }, { 0 } };
static const filter_path address_filters[] = {
	{ "network-border-group", "networkBorderGroup" }, { "instance-id", "instanceId" }, { 0 } };
static const filter_path no_filters[] = { { 0 } };

#define KIND(name, shape_, record_, type_, prefix_, fault_, missing_, id_, filters_, ...) \
	const resource_kind kind_##name = { .record = record_, .shape = &ec2_##shape_##_shape, .type = type_, \
		.prefix = prefix_, .not_found = &ec2_##fault_, .missing = missing_, .id = id_, .filters = filters_, \
		__VA_ARGS__ }
KIND(vpc, Vpc, &ec2_vpc_record, "vpc", "vpc-", InvalidVpc, "The vpc ID '%.*s' does not exist", "VpcId",
     vpc_filters);
KIND(subnet, Subnet, &ec2_subnet_record, "subnet", "subnet-", InvalidSubnet,
     "The subnet ID '%.*s' does not exist", "SubnetId", subnet_filters, .fill = ec2_subnet_fill,
     .empties = true);
KIND(internet_gateway, InternetGateway, &ec2_internetgateway_record, "internet-gateway", "igw-",
     InvalidInternetGateway, "The internetGateway ID '%.*s' does not exist", "InternetGatewayId",
     gateway_filters, .empties = true);
KIND(route_table, RouteTable, &ec2_routetable_record, "route-table", "rtb-", InvalidRouteTable,
     "The routeTable ID '%.*s' does not exist", "RouteTableId", route_filters, .fill = ec2_route_table_fill,
     .empties = true);
KIND(security_group, SecurityGroup, &ec2_securitygroup_record, "security-group", "sg-", InvalidGroup,
     "The security group '%.*s' does not exist", "GroupId", group_filters,
     .fill = ec2_group_fill, .malformed = "InvalidGroupId.Malformed");
KIND(key_pair, KeyPairInfo, &ec2_keypair_record, "key-pair", "key-", InvalidKeyPair,
     "The key pair '%.*s' does not exist", "KeyPairId", key_filters);
KIND(instance, Instance, &ec2_instance_record, "instance", "i-", InvalidInstance,
     "The instance ID '%.*s' does not exist", "InstanceId", instance_filters);
KIND(volume, Volume, &ec2_volume_record, "volume", "vol-", InvalidVolume,
     "The volume '%.*s' does not exist.", "VolumeId", volume_filters);
KIND(address, Address, &ec2_address_record, "elastic-ip", "eipalloc-", InvalidAllocation,
     "The allocation ID '%.*s' does not exist", "AllocationId", address_filters);
KIND(image, Image, NULL, "image", "ami-", InvalidAMI, "The image id '[%.*s]' does not exist", "ImageId",
     image_filters);
KIND(network_acl, NetworkAcl, &ec2_networkacl_record, "network-acl", "acl-", InvalidNetworkAcl,
     "The networkAcl ID '%.*s' does not exist", "NetworkAclId", acl_filters, .empties = true);
KIND(interface, NetworkInterface, &ec2_networkinterface_record, "network-interface", "eni-",
     InvalidInterface, "The networkInterface ID '%.*s' does not exist", "NetworkInterfaceId",
     interface_filters, .fill = ec2_interface_fill, .empties = true);
KIND(security_rule, SecurityGroupRule, &ec2_securityrule_record, "security-group-rule", "sgr-",
     InvalidSecurityRule, "The security group rule ID '%.*s' does not exist", "SecurityGroupRuleId",
     rule_filters, .malformed = "InvalidSecurityGroupRuleId.Malformed");
KIND(nat_gateway, NatGateway, &ec2_natgateway_record, "natgateway", "nat-", NatGatewayNotFound,
     "NAT gateway %.*s was not found", "NatGatewayId", nat_filters, .malformed = "NatGatewayMalformed");
KIND(endpoint, VpcEndpoint, &ec2_endpoint_record, "vpc-endpoint", "vpce-", InvalidVpcEndpoint,
     "The Vpc Endpoint Id '%.*s' does not exist", "VpcEndpointId", endpoint_filters, .empties = true,
     .malformed = "InvalidVpcEndpointId.Malformed");
KIND(dhcp_options, DhcpOptions, &ec2_dhcpoptions_record, "dhcp-options", "dopt-", InvalidDhcpOptions,
     "The dhcpOption ID '%.*s' does not exist", "DhcpOptionsId", dhcp_filters);
KIND(peering, VpcPeeringConnection, &ec2_peering_record, "vpc-peering-connection", "pcx-", InvalidPeering,
     "The vpcPeeringConnection ID '%.*s' does not exist", "VpcPeeringConnectionId", peering_filters,
     .malformed = "InvalidVpcPeeringConnectionId.Malformed");
KIND(prefix_list, ManagedPrefixList, &ec2_prefixlist_record, "prefix-list", "pl-", InvalidPrefixList,
     "The prefix list ID '%.*s' does not exist", "PrefixListId", no_filters);
KIND(egress_gateway, EgressOnlyInternetGateway, &ec2_egressgateway_record, "egress-only-internet-gateway",
     "eigw-", InvalidEgressGateway, "The eigw ID '%.*s' does not exist", "EgressOnlyInternetGatewayId",
     no_filters);

KIND(template, LaunchTemplate, &ec2_template_record, "launch-template", "lt-", InvalidTemplateId,
     "The specified launch template, with template ID %.*s, does not exist.", "LaunchTemplateId", no_filters);
KIND(volume_change, VolumeModification, &ec2_volumechange_record, "volume", "vol-", InvalidVolumeModification,
     "Modification for volume '%.*s' does not exist.", "VolumeId", change_filters);

static const resource_kind *const kinds[] = { &kind_vpc,         &kind_subnet,         &kind_internet_gateway,
	                                          &kind_route_table, &kind_security_group, &kind_key_pair,
	                                          &kind_instance,    &kind_volume,         &kind_address,
	                                          &kind_network_acl, &kind_interface,      &kind_security_rule,
	                                          &kind_nat_gateway, &kind_endpoint,       &kind_dhcp_options,
	                                          &kind_peering,     &kind_prefix_list,    &kind_egress_gateway,
	                                          &kind_template };

const resource_kind *kind_of(str id)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_starts(id, str_c(kinds[i]->prefix)))
			return kinds[i];
	return NULL;
}

const shape_member *tags_member(const shape *s)
{
	const shape_member *m = shape_member_find(s, S("Tags"));
	return m ? m : shape_member_find(s, S("TagSet"));
}

/* The tags of a resource stand beside it, so that one operation keeps them for all kinds. */
static void fill_in(const txn *tx, arena *mem, const resource_kind *k, const row *r)
{
	const shape_member *m = tags_member(k->shape);
	size_t n = 0;
	if (k->fill)
		k->fill(tx, mem, r->account, r->region, r->it);
	for (size_t i = 0; k->empties && i < k->shape->n_members; i++) {
		void **list = (void **)((char *)r->it + k->shape->members[i].offset);
		if (k->shape->members[i].shape->kind == SHAPE_LIST && !*list)
			*list = arena_alloc(mem, 1);
	}
	if (!m)
		return;
	ec2_TagList *tags = (ec2_TagList *)((char *)r->it + m->offset);
	ec2_Tag *v = arena_array(mem, ec2_Tag, EC2_TAGS_MAX);
	record_scan s = ec2_tag_scan(tx, mem, 3, r->account, r->region, r->id, STR_NONE);
	for (ec2_tag *t; n < EC2_TAGS_MAX && (t = ec2_tag_next(&s));)
		v[n++] = (ec2_Tag){ .Key = t->Key, .Value = t->Value };
	cursor_close(&s.at);
	*tags = (ec2_TagList){ v, n };
}

void *kind_find(const txn *tx, arena *mem, const resource_kind *k, str account, str region, str id)
{
	row *r = record_get(tx, mem, k->record, &(row){ account, region, id, NULL });
	if (!r)
		return NULL;
	fill_in(tx, mem, k, r);
	return r->it;
}

err kind_get(req *rq, const txn *tx, const resource_kind *k, str id, void *out)
{
	void *it = kind_find(tx, rq->mem, k, rq->who.account, rq->region, id);
	if (!it && k->malformed && !str_starts(id, str_c(k->prefix))) {
		fault_kind *f = arena_new(rq->mem, fault_kind);
		*f = (fault_kind){ .name = k->malformed, .code = k->malformed, .query_code = k->malformed,
			.status = 400 };
		return fail(rq, f, "Invalid id: \"%.*s\" (expecting \"%s...\")", STR_ARG(id), k->prefix);
	}
	if (!it)
		return fault_new(rq->mem, k->not_found, k->missing, STR_ARG(id));
	*(void **)out = it;
	return OK;
}

void kind_put(txn *tx, const resource_kind *k, str account, str region, str id, const void *it)
{
	record_put(tx, k->record, &(row){ account, region, id, (void *)it });
}

void kind_delete(txn *tx, arena *mem, const resource_kind *k, str account, str region, str id)
{
	record_delete(tx, k->record, &(row){ account, region, id, NULL });
	record_scan s = ec2_tag_scan(tx, mem, 3, account, region, id, STR_NONE);
	for (ec2_tag *t; (t = ec2_tag_next(&s));)
		ec2_tag_delete(tx, account, region, id, t->Key);
}

size_t kind_count(const txn *tx, arena *mem, const resource_kind *k, str account, str region)
{
	size_t n = 0;
	record_scan s = record_scan_open(tx, mem, k->record, 2, &(row){ account, region, STR_NONE, NULL });
	while (record_scan_next(&s))
		n++;
	cursor_close(&s.at);
	return n;
}

void *kind_first(const txn *tx, arena *mem, const resource_kind *k, str account, str region,
                 const char *path, str value)
{
	void *found = NULL;
	record_scan s = record_scan_open(tx, mem, k->record, 2, &(row){ account, region, STR_NONE, NULL });
	for (row *r; !found && (r = record_scan_next(&s));) {
		fill_in(tx, mem, k, r);
		if (path_is(mem, k->shape, r->it, path, value))
			found = r->it;
	}
	cursor_close(&s.at);
	return found;
}

/* A list that grows; what a service answers with has no bound but the page's. */
typedef struct growing {
	char *v;
	size_t n, capacity, size;
} growing;

static void add(arena *mem, growing *g, const void *it)
{
	if (g->n == g->capacity) {
		size_t capacity = g->capacity ? g->capacity * 2 : 16;
		char *v = arena_alloc(mem, capacity * g->size);
		if (g->n)
			memcpy(v, g->v, g->n * g->size);
		g->v = v;
		g->capacity = capacity;
	}
	memcpy(g->v + g->n++ * g->size, it, g->size);
}

static err describe_ids(req *rq, const txn *tx, const resource_kind *k, const describe_request *d,
                        growing *found)
{
	const list_of_str *ids = d->ids;
	for (size_t i = 0; i < ids->n; i++) {
		void *it;
		bool passes;
		TRY(kind_get(rq, tx, k, ids->v[i], &it));
		TRY(filters_pass(rq, k, d->filters, it, &passes));
		if (passes)
			add(rq->mem, found, it);
	}
	return OK;
}

static err describe_all(req *rq, const txn *tx, const resource_kind *k, const describe_request *d,
                        growing *found, str *next_token)
{
	size_t most = d->most.set ? (size_t)d->most.v : SIZE_MAX;
	str after, last = STR_NONE;
	record_scan s = record_scan_open(tx, rq->mem, k->record, 2, &(row){ rq->who.account, rq->region, STR_NONE,
	                                                                   NULL });
	if (str_is(d->token)) {
		if (!page_position(rq, d->token, &after))
			return fail(rq, &ec2_InvalidNextToken, "The token '%.*s' is invalid", STR_ARG(d->token));
		record_scan_after(&s, after);
	}
	err e = OK;
	for (row *r; !e && (r = record_scan_next(&s));) {
		bool passes = false;
		fill_in(tx, rq->mem, k, r);
		e = filters_pass(rq, k, d->filters, r->it, &passes);
		if (e || !passes)
			continue;
		if (found->n == most) {
			*next_token = page_token(rq, last);
			break;
		}
		add(rq->mem, found, r->it);
		last = r->id;
	}
	cursor_close(&s.at);
	return e;
}

err kind_describe(req *rq, const txn *tx, const resource_kind *k, const describe_request *d, void *out,
                  str *next_token)
{
	struct { void *v; size_t n; } *list = out;
	growing found = { .size = k->shape->size };
	bool named = d->ids && ((const list_of_str *)d->ids)->n;
	if (d->most.set && (d->most.v < 5 || d->most.v > PAGE_MAX))
		return fail(rq, &ec2_InvalidParameterValue,
		            "Value ( %lld ) for parameter maxResults is invalid. Expecting "
		            "a value between 5 and %d.",
		            (long long)d->most.v, PAGE_MAX);
	if (named && d->most.set)
		return fail(rq, &ec2_InvalidParameterCombination,
		            "The parameter %ss cannot be used with the parameter maxResults", k->id);
	if (named && ((const list_of_str *)d->ids)->n > PAGE_MAX)
		return fail(rq, &ec2_InvalidParameterValue, "A request may name at most %d resources.", PAGE_MAX);
	TRY(named ? describe_ids(rq, tx, k, d, &found) : describe_all(rq, tx, k, d, &found, next_token));
	list->v = found.v ? (void *)found.v : arena_alloc(rq->mem, 1);
	list->n = found.n;
	return OK;
}
