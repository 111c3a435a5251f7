#include "kinds.h"
#include "faults.h"

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
	{ "cidr", "cidrBlock" }, { "is-default", "isDefault" },
	{ "cidr-block-association.cidr-block", "cidrBlockAssociationSet.cidrBlock" }, { 0 } };
static const filter_path subnet_filters[] = {
	{ "cidr", "cidrBlock" }, { "cidrBlock", "cidrBlock" }, { "availabilityZone", "availabilityZone" },
	{ "defaultForAz", "defaultForAz" }, { 0 } };
static const filter_path gateway_filters[] = {
	{ "attachment.vpc-id", "attachmentSet.vpcId" }, { "attachment.state", "attachmentSet.state" }, { 0 } };
static const filter_path route_filters[] = {
	{ "association.subnet-id", "associationSet.subnetId" }, { "association.main", "associationSet.main" },
	{ "association.route-table-association-id", "associationSet.routeTableAssociationId" },
	{ "route.gateway-id", "routeSet.gatewayId" },
	{ "route.destination-cidr-block", "routeSet.destinationCidrBlock" }, { 0 } };
static const filter_path key_filters[] = { { "fingerprint", "keyFingerprint" }, { 0 } };
static const filter_path image_filters[] = {
	{ "state", "imageState" }, { "is-public", "isPublic" }, { "owner-alias", "imageOwnerAlias" },
	{ "owner-id", "imageOwnerId" }, { "image-type", "imageType" },
	{ "block-device-mapping.volume-type", "blockDeviceMapping.ebs.volumeType" },
	{ "block-device-mapping.volume-size", "blockDeviceMapping.ebs.volumeSize" }, { 0 } };
static const filter_path no_filters[] = { { 0 } };

#define KIND(name, shape_, record_, type_, prefix_, fault_, missing_, id_, filters_) \
	const resource_kind kind_##name = { .record = record_, .shape = &ec2_##shape_##_shape, .type = type_, \
		.prefix = prefix_, .not_found = &ec2_##fault_, .missing = missing_, .id = id_, .filters = filters_ }
KIND(vpc, Vpc, &ec2_vpc_record, "vpc", "vpc-", InvalidVpc, "The vpc ID '%.*s' does not exist", "VpcId",
     vpc_filters);
KIND(subnet, Subnet, &ec2_subnet_record, "subnet", "subnet-", InvalidSubnet,
     "The subnet ID '%.*s' does not exist", "SubnetId", subnet_filters);
KIND(internet_gateway, InternetGateway, &ec2_internetgateway_record, "internet-gateway", "igw-",
     InvalidInternetGateway, "The internetGateway ID '%.*s' does not exist", "InternetGatewayId",
     gateway_filters);
KIND(route_table, RouteTable, &ec2_routetable_record, "route-table", "rtb-", InvalidRouteTable,
     "The routeTable ID '%.*s' does not exist", "RouteTableId", route_filters);
KIND(security_group, SecurityGroup, &ec2_securitygroup_record, "security-group", "sg-", InvalidGroup,
     "The security group '%.*s' does not exist", "GroupId", group_filters);
KIND(key_pair, KeyPairInfo, &ec2_keypair_record, "key-pair", "key-", InvalidKeyPair,
     "The key pair '%.*s' does not exist", "KeyPairId", key_filters);
KIND(instance, Instance, &ec2_instance_record, "instance", "i-", InvalidInstance,
     "The instance ID '%.*s' does not exist", "InstanceId", instance_filters);
KIND(volume, Volume, &ec2_volume_record, "volume", "vol-", InvalidVolume,
     "The volume '%.*s' does not exist.", "VolumeId", volume_filters);
KIND(address, Address, &ec2_address_record, "elastic-ip", "eipalloc-", InvalidAllocation,
     "The allocation ID '%.*s' does not exist", "AllocationId", no_filters);
KIND(image, Image, NULL, "image", "ami-", InvalidAMI, "The image id '[%.*s]' does not exist", "ImageId",
     image_filters);

static const resource_kind *const kinds[] = { &kind_vpc,         &kind_subnet,         &kind_internet_gateway,
	                                          &kind_route_table, &kind_security_group, &kind_key_pair,
	                                          &kind_instance,    &kind_volume,         &kind_address };

const resource_kind *kind_of(str id)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_starts(id, str_c(kinds[i]->prefix)))
			return kinds[i];
	return NULL;
}

/* The tags of a resource stand beside it, so that one operation keeps them for all kinds. */
static void fill_tags(const txn *tx, arena *mem, const resource_kind *k, const row *r)
{
	const shape_member *m = shape_member_find(k->shape, S("Tags"));
	size_t n = 0;
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
	fill_tags(tx, mem, k, r);
	return r->it;
}

err kind_get(req *rq, const txn *tx, const resource_kind *k, str id, void *out)
{
	void *it = kind_find(tx, rq->mem, k, rq->who.account, rq->region, id);
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
		fill_tags(tx, rq->mem, k, r);
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
	TRY(named ? describe_ids(rq, tx, k, d, &found) : describe_all(rq, tx, k, d, &found, next_token));
	list->v = found.v ? (void *)found.v : arena_alloc(rq->mem, 1);
	list->n = found.n;
	return OK;
}
