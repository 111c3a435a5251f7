/*
 * Network interfaces: what every private address belongs to. Instances carry copies of theirs, which
 * ec2_interface_put keeps the same.
 */
#include "ec2.h"
#include "sys/rand.h"

#define GROUPS_MAX 16 /* what the quota of five may be raised to */
#define ADDRESSES_MAX 50 /* of an interface of the largest instances */
#define FIRST_FREE 4 /* the first four addresses of a subnet are AWS's, and the last */

static str private_name(arena *mem, str region, str ip)
{
	str name = arena_fmt(mem, "ip-%.*s.%.*s%s", STR_ARG(ip),
	                     STR_ARG(str_eq(region, S("us-east-1")) ? S("ec2") : region),
	                     str_eq(region, S("us-east-1")) ? ".internal" : ".compute.internal");
	for (size_t i = 0; i < ip.n; i++)
		if (ip.p[i] == '.')
			((char *)name.p)[3 + i] = '-';
	return name;
}

void ec2_interface_fill(const txn *tx, arena *mem, str account, str region, void *it)
{
	ec2_NetworkInterface *n = it;
	ec2_Instance *i = n->Attachment && given(n->Attachment->InstanceId) ?
		kind_find(tx, mem, &kind_instance, account, region, n->Attachment->InstanceId) : NULL;
	n->Association = NULL;
	for (size_t k = 0; k < n->PrivateIpAddresses.n; k++) {
		ec2_NetworkInterfacePrivateIpAddress *own = &n->PrivateIpAddresses.v[k];
		ec2_NetworkInterfaceAssociation *a = arena_new(mem, ec2_NetworkInterfaceAssociation);
		ec2_Address *elastic = ec2_address_at(tx, mem, (place){ account, region }, n->NetworkInterfaceId,
		                                      own->PrivateIpAddress);
		if (elastic)
			*a = (ec2_NetworkInterfaceAssociation){ .PublicIp = elastic->PublicIp, .IpOwnerId = account,
				.AllocationId = elastic->AllocationId, .AssociationId = elastic->AssociationId,
				.PublicDnsName = ec2_public_name(mem, elastic->PublicIp) };
		else if (!k && i && n->Attachment->DeviceIndex.v == 0 && given(i->PublicIpAddress))
			*a = (ec2_NetworkInterfaceAssociation){ .PublicIp = i->PublicIpAddress,
				.IpOwnerId = S("amazon"), .PublicDnsName = i->PublicDnsName };
		own->Association = given(a->PublicIp) ? a : NULL;
		if (!k)
			n->Association = own->Association;
	}
}

static ec2_InstanceNetworkInterface seen_by_instance(arena *mem, const ec2_NetworkInterface *n)
{
	ec2_InstanceNetworkInterface v = { .Description = n->Description, .Groups = n->Groups,
		.InterfaceType = n->InterfaceType, .MacAddress = n->MacAddress, .OwnerId = n->OwnerId,
		.NetworkInterfaceId = n->NetworkInterfaceId, .PrivateDnsName = n->PrivateDnsName,
		.PrivateIpAddress = n->PrivateIpAddress, .SourceDestCheck = n->SourceDestCheck,
		.Status = n->Status, .SubnetId = n->SubnetId, .VpcId = n->VpcId };
	v.Attachment = arena_new(mem, ec2_InstanceNetworkInterfaceAttachment);
	*v.Attachment = (ec2_InstanceNetworkInterfaceAttachment){ .AttachTime = n->Attachment->AttachTime,
		.AttachmentId = n->Attachment->AttachmentId, .DeviceIndex = n->Attachment->DeviceIndex,
		.DeleteOnTermination = n->Attachment->DeleteOnTermination, .Status = n->Attachment->Status,
		.NetworkCardIndex = I64(0) };
	for (size_t i = 0; i < n->PrivateIpAddresses.n; i++)
		LIST_ADD(mem, &v.PrivateIpAddresses, (ec2_InstancePrivateIpAddress){
			.Primary = n->PrivateIpAddresses.v[i].Primary,
			.PrivateDnsName = n->PrivateIpAddresses.v[i].PrivateDnsName,
			.PrivateIpAddress = n->PrivateIpAddresses.v[i].PrivateIpAddress });
	return v;
}

static size_t place_in(const ec2_Instance *i, str interface)
{
	for (size_t n = 0; n < i->NetworkInterfaces.n; n++)
		if (str_eq(i->NetworkInterfaces.v[n].NetworkInterfaceId, interface))
			return n;
	return SIZE_MAX;
}

void ec2_interface_put(txn *tx, place p, const ec2_NetworkInterface *n)
{
	arena *mem = txn_arena(tx);
	kind_put(tx, &kind_interface, p.account, p.region, n->NetworkInterfaceId, n);
	ec2_Instance *i = n->Attachment && given(n->Attachment->InstanceId) ?
		kind_find(tx, mem, &kind_instance, p.account, p.region, n->Attachment->InstanceId) : NULL;
	if (!i)
		return;
	size_t at = place_in(i, n->NetworkInterfaceId);
	if (at == SIZE_MAX)
		LIST_ADD(mem, &i->NetworkInterfaces, seen_by_instance(mem, n));
	else
		i->NetworkInterfaces.v[at] = seen_by_instance(mem, n);
	if (n->Attachment->DeviceIndex.v == 0) {
		i->SecurityGroups = n->Groups;
		i->SourceDestCheck = n->SourceDestCheck;
	}
	kind_put(tx, &kind_instance, p.account, p.region, i->InstanceId, i);
}

/* Takes an address of the subnet: the one that is asked for, or a free one. */
static err take(req *rq, txn *tx, const ec2_Subnet *s, str interface, str wanted, str *out)
{
	cidr4 block;
	uint32_t number;
	ensure(cidr4_parse(s->CidrBlock, &block));
	uint32_t room = (uint32_t)(1u << (32 - block.bits)) - FIRST_FREE - 1;
	uint32_t start = (uint32_t)rand_below(room), first = block.base + FIRST_FREE;
	if (given(wanted)) {
		if (!address4_parse(wanted, &number) || number < first || number >= first + room)
			return fail(rq, &ec2_InvalidParameterValue, "Address %.*s does not fall within the subnet's "
			            "address range", STR_ARG(wanted));
		*out = address4_text(rq->mem, number); /* 10.0.0.010 is 10.0.0.10 */
		if (ec2_lease_get(tx, rq->mem, rq->who.account, rq->region, s->SubnetId, *out))
			return fail(rq, &ec2_InvalidIPInUse, "Address %.*s is in use.", STR_ARG(wanted));
	}
	bool free = given(wanted);
	for (uint32_t i = 0; !free && i < room; i++) {
		*out = address4_text(rq->mem, first + (start + i) % room);
		free = !ec2_lease_get(tx, rq->mem, rq->who.account, rq->region, s->SubnetId, *out);
	}
	if (!free)
		return fail(rq, &ec2_InsufficientAddresses, "There are not enough free addresses in subnet '%.*s' to "
		            "satisfy the requested number of instances.", STR_ARG(s->SubnetId));
	ec2_lease_put(tx, &(ec2_lease){ .Account = rq->who.account, .Region = rq->region, .Subnet = s->SubnetId,
		.Address = *out, .Interface = interface });
	return OK;
}

static err add_address(req *rq, txn *tx, const ec2_Subnet *s, ec2_NetworkInterface *n, str wanted)
{
	str ip;
	if (n->PrivateIpAddresses.n >= ADDRESSES_MAX)
		return fail(rq, &ec2_PrivateIpAddressLimitExceeded, "Number of private addresses will exceed "
		            "limit.");
	TRY(take(rq, tx, s, n->NetworkInterfaceId, wanted, &ip));
	LIST_ADD(rq->mem, &n->PrivateIpAddresses, (ec2_NetworkInterfacePrivateIpAddress){
		.Primary = BOOL(n->PrivateIpAddresses.n == 0), .PrivateIpAddress = ip,
		.PrivateDnsName = private_name(rq->mem, rq->region, ip) });
	return OK;
}

err ec2_interface_new(req *rq, txn *tx, const interface_wish *w, ec2_NetworkInterface **out)
{
	ec2_NetworkInterface *n = arena_new(rq->mem, ec2_NetworkInterface);
	uint64_t r = rand_u64();
	*n = (ec2_NetworkInterface){ .NetworkInterfaceId = ec2_id(rq->mem, "eni-"), .OwnerId = rq->who.account,
		.SubnetId = w->subnet->SubnetId, .VpcId = w->subnet->VpcId, .Groups = w->groups,
		.AvailabilityZone = w->subnet->AvailabilityZone, .AvailabilityZoneId = w->subnet->AvailabilityZoneId,
		.Description = given(w->description) ? w->description : S(""),
		.InterfaceType = given(w->type) ? w->type : S("interface"), .SourceDestCheck = BOOL(true),
		.Status = S("available"), .RequesterManaged = BOOL(given(w->requester)), .RequesterId = w->requester,
		.MacAddress = arena_fmt(rq->mem, "02:%02x:%02x:%02x:%02x:%02x", (unsigned)(r & 255),
			(unsigned)(r >> 8 & 255), (unsigned)(r >> 16 & 255), (unsigned)(r >> 24 & 255),
			(unsigned)(r >> 32 & 255)) };
	TRY(add_address(rq, tx, w->subnet, n, w->ip));
	n->PrivateIpAddress = n->PrivateIpAddresses.v->PrivateIpAddress;
	n->PrivateDnsName = n->PrivateIpAddresses.v->PrivateDnsName;
	ec2_interface_put(tx, place_of(rq), n);
	*out = n;
	return OK;
}

void ec2_interface_delete(txn *tx, arena *mem, place p, str id)
{
	ec2_NetworkInterface *n = kind_find(tx, mem, &kind_interface, p.account, p.region, id);
	if (!n)
		return;
	for (size_t i = 0; i < n->PrivateIpAddresses.n; i++)
		ec2_lease_delete(tx, p.account, p.region, n->SubnetId, n->PrivateIpAddresses.v[i].PrivateIpAddress);
	kind_delete(tx, mem, &kind_interface, p.account, p.region, id);
}

void ec2_interfaces_release(txn *tx, arena *mem, place p, int64_t now, str instance)
{
	for (ec2_NetworkInterface *n; (n = kind_first(tx, mem, &kind_interface, p.account, p.region,
	                                              "attachment.instanceId", instance));) {
		bool goes = n->Attachment->DeleteOnTermination.v;
		n->Attachment = NULL;
		n->Status = S("available");
		if (!goes) {
			ec2_interface_put(tx, p, n);
			ec2_address_follow(tx, mem, p, n);
			continue;
		}
		ec2_address_unbind(tx, mem, p, now, n->NetworkInterfaceId, STR_NONE);
		ec2_interface_delete(tx, mem, p, n->NetworkInterfaceId);
	}
}

err ec2_groups_check(req *rq, size_t n)
{
	return n <= GROUPS_MAX ? OK : fail(rq, &ec2_GroupsPerInterfaceLimitExceeded,
	                                   "The maximum number of security groups per interface has been "
	                                   "reached.");
}

err ec2_groups_of(req *rq, txn *tx, const void *ids, str vpc, ec2_GroupIdentifierList *out)
{
	const list_of_str *list = ids;
	ec2_SecurityGroup *g;
	TRY(ec2_groups_check(rq, list->n));
	for (size_t i = 0; i < list->n; i++) {
		TRY(ec2_group_get(rq, tx, list->v[i], STR_NONE, &g));
		if (!str_eq(g->VpcId, vpc))
			return fail(rq, &ec2_InvalidParameterValue, "You have specified two resources that belong to "
			            "different networks.");
		LIST_GROW(rq->mem, out, (ec2_GroupIdentifier){ .GroupId = g->GroupId, .GroupName = g->GroupName });
	}
	g = list->n ? NULL : ec2_group_default(tx, rq->mem, place_of(rq), vpc);
	if (g)
		LIST_ADD(rq->mem, out, (ec2_GroupIdentifier){ .GroupId = g->GroupId, .GroupName = g->GroupName });
	return OK;
}

static err no_six(req *rq, bool asked)
{
	return asked ? fail(rq, &aws_NotImplemented, "IPv6 addresses and prefixes of network interfaces are not "
	                    "implemented.") : OK;
}

err ec2_CreateNetworkInterface(req *rq, txn *tx, const ec2_CreateNetworkInterface_in *in,
                               ec2_CreateNetworkInterface_out *out)
{
	ec2_Subnet *s;
	str before;
	interface_wish w = { .ip = in->PrivateIpAddress, .description = in->Description };
	TRY(no_six(rq, in->Ipv4Prefixes.n || in->Ipv4PrefixCount.v || in->Ipv6Prefixes.n || in->Ipv6Addresses.n ||
	               in->Ipv6PrefixCount.v || in->Ipv6AddressCount.v));
	if (given(in->InterfaceType) && !str_eq(in->InterfaceType, S("interface")))
		return fail(rq, &aws_NotImplemented, "Network interfaces of type %.*s are not implemented.",
		            STR_ARG(in->InterfaceType));
	TRY(kind_get(rq, tx, &kind_subnet, in->SubnetId, &s));
	w.subnet = s;
	TRY(ec2_groups_of(rq, tx, &in->Groups, s->VpcId, &w.groups));
	for (size_t i = 0; i < in->PrivateIpAddresses.n; i++)
		if (in->PrivateIpAddresses.v[i].Primary.v)
			w.ip = in->PrivateIpAddresses.v[i].PrivateIpAddress;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(ec2_repeated(rq, tx, in->ClientToken, &before));
	out->ClientToken = in->ClientToken;
	if (given(before))
		return kind_get(rq, tx, &kind_interface, before, &out->NetworkInterface);
	ec2_NetworkInterface *n;
	TRY(ec2_interface_new(rq, tx, &w, &n));
	for (size_t i = 0; i < in->PrivateIpAddresses.n; i++)
		if (!in->PrivateIpAddresses.v[i].Primary.v)
			TRY(add_address(rq, tx, s, n, in->PrivateIpAddresses.v[i].PrivateIpAddress));
	for (int64_t i = 0; i < in->SecondaryPrivateIpAddressCount.v; i++)
		TRY(add_address(rq, tx, s, n, STR_NONE));
	ec2_interface_put(tx, place_of(rq), n);
	ec2_repeats(rq, tx, in->ClientToken, n->NetworkInterfaceId);
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "network-interface", n->NetworkInterfaceId));
	TRY(kind_get(rq, tx, &kind_interface, n->NetworkInterfaceId, &out->NetworkInterface));
	out->NetworkInterface->Status = S("pending");
	return OK;
}

err ec2_DescribeNetworkInterfaces(req *rq, const txn *tx, const ec2_DescribeNetworkInterfaces_in *in,
                                  ec2_DescribeNetworkInterfaces_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	return kind_describe(rq, tx, &kind_interface, DESCRIBE(in, &in->NetworkInterfaceIds),
	                     &out->NetworkInterfaces, &out->NextToken);
}

err ec2_DeleteNetworkInterface(req *rq, txn *tx, const ec2_DeleteNetworkInterface_in *in,
                               ec2_DeleteNetworkInterface_out *out)
{
	ec2_NetworkInterface *n;
	(void)out;
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (n->RequesterManaged.v)
		return fail(rq, &ec2_OperationNotPermitted, "You are not allowed to manage '%.*s' attachments.",
		            STR_ARG(n->NetworkInterfaceId));
	if (n->Attachment)
		return fail(rq, &ec2_InvalidParameterValue, "Network interface '%.*s' is currently in use.",
		            STR_ARG(n->NetworkInterfaceId));
	ec2_address_unbind(tx, rq->mem, place_of(rq), rq->now, n->NetworkInterfaceId, STR_NONE);
	ec2_interface_delete(tx, rq->mem, place_of(rq), n->NetworkInterfaceId);
	return OK;
}

static err can_attach(req *rq, const ec2_AttachNetworkInterface_in *in, const ec2_NetworkInterface *n,
                      const ec2_Instance *i)
{
	const instance_type *type = instance_type_find(i->InstanceType);
	if (n->Attachment)
		return fail(rq, &ec2_InterfaceInUse, "Interface: [%.*s] in use.", STR_ARG(n->NetworkInterfaceId));
	if (i->State->Code.v != INSTANCE_RUNNING && i->State->Code.v != INSTANCE_STOPPED)
		return fail(rq, &ec2_IncorrectState, "Instance '%.*s' is not 'running' or 'stopped'.",
		            STR_ARG(i->InstanceId));
	if (!str_eq(n->AvailabilityZone, i->Placement->AvailabilityZone))
		return fail(rq, &ec2_InvalidParameterCombination, "You may not attach a network interface to an "
		            "instance if they are not in the same availability zone");
	if (!str_eq(n->VpcId, i->VpcId))
		return fail(rq, &ec2_InvalidParameterCombination, "You have specified two resources that belong to "
		            "different networks.");
	for (size_t d = 0; d < i->NetworkInterfaces.n; d++)
		if (i->NetworkInterfaces.v[d].Attachment->DeviceIndex.v == in->DeviceIndex.v)
			return fail(rq, &ec2_InvalidParameterValue, "Instance '%.*s' already has an interface attached "
			            "at "
			            "device index '%lld'.", STR_ARG(i->InstanceId), (long long)in->DeviceIndex.v);
	if (type && (int64_t)i->NetworkInterfaces.n >= type->interfaces)
		return fail(rq, &ec2_AttachmentLimitExceeded, "Interface count %zu exceeds the limit for %.*s",
		            i->NetworkInterfaces.n + 1, STR_ARG(i->InstanceType));
	return OK;
}

err ec2_AttachNetworkInterface(req *rq, txn *tx, const ec2_AttachNetworkInterface_in *in,
                               ec2_AttachNetworkInterface_out *out)
{
	ec2_NetworkInterface *n;
	ec2_Instance *i;
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	TRY(kind_get(rq, tx, &kind_instance, in->InstanceId, &i));
	TRY(can_attach(rq, in, n, i));
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_interface_attach(rq, tx, n, i->InstanceId, in->DeviceIndex.v, false);
	out->AttachmentId = n->Attachment->AttachmentId;
	out->NetworkCardIndex = I64(0);
	return OK;
}

void ec2_interface_attach(req *rq, txn *tx, ec2_NetworkInterface *n, str instance, int64_t device, bool goes)
{
	n->Attachment = arena_new(rq->mem, ec2_NetworkInterfaceAttachment);
	*n->Attachment = (ec2_NetworkInterfaceAttachment){ .AttachmentId = ec2_id(rq->mem, "eni-attach-"),
		.InstanceId = instance, .InstanceOwnerId = rq->who.account, .DeviceIndex = I64(device),
		.NetworkCardIndex = I64(0), .AttachTime = TIME(rq->now), .DeleteOnTermination = BOOL(goes),
		.Status = S("attached") };
	n->Status = S("in-use");
	ec2_interface_put(tx, place_of(rq), n);
	ec2_address_follow(tx, rq->mem, place_of(rq), n);
}

err ec2_DetachNetworkInterface(req *rq, txn *tx, const ec2_DetachNetworkInterface_in *in,
                               ec2_DetachNetworkInterface_out *out)
{
	ec2_NetworkInterface *n = kind_first(tx, rq->mem, &kind_interface, rq->who.account, rq->region,
	                                     "attachment.attachmentId", in->AttachmentId);
	ec2_Instance *i;
	(void)out;
	if (!n)
		return fail(rq, &ec2_InvalidAttachmentID, "The attachment ID '%.*s' does not exist",
		            STR_ARG(in->AttachmentId));
	if (n->RequesterManaged.v)
		return fail(rq, &ec2_OperationNotPermitted, "You are not allowed to manage '%.*s' attachments.",
		            STR_ARG(n->NetworkInterfaceId));
	if (n->Attachment->DeviceIndex.v == 0)
		return fail(rq, &ec2_OperationNotPermitted, "The network interface at device index 0 cannot be "
		            "detached.");
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_instance, n->Attachment->InstanceId, &i));
	size_t at = place_in(i, n->NetworkInterfaceId);
	if (at != SIZE_MAX)
		LIST_DROP(&i->NetworkInterfaces, at);
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
	n->Attachment = NULL;
	n->Status = S("available");
	ec2_interface_put(tx, place_of(rq), n);
	ec2_address_follow(tx, rq->mem, place_of(rq), n);
	return OK;
}

err ec2_ModifyNetworkInterfaceAttribute(req *rq, txn *tx, const ec2_ModifyNetworkInterfaceAttribute_in *in,
                                        ec2_ModifyNetworkInterfaceAttribute_out *out)
{
	ec2_NetworkInterface *n;
	(void)out;
	if (in->EnaSrdSpecification || in->EnablePrimaryIpv6.set || in->ConnectionTrackingSpecification ||
	    in->AssociatePublicIpAddress.set || in->AssociatedSubnetIds.n)
		return fail(rq, &aws_NotImplemented, "Farthing changes the description, the groups, sourceDestCheck "
		            "and deleteOnTermination of a network interface.");
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	if (in->Description)
		n->Description = str_is(in->Description->Value) ? in->Description->Value : S("");
	if (in->SourceDestCheck)
		n->SourceDestCheck = BOOL(in->SourceDestCheck->Value.v);
	if (in->Groups.n) {
		n->Groups.n = 0;
		TRY(ec2_groups_of(rq, tx, &in->Groups, n->VpcId, &n->Groups));
	}
	if (in->Attachment) {
		if (!n->Attachment || (given(in->Attachment->AttachmentId) &&
		    !str_eq(in->Attachment->AttachmentId, n->Attachment->AttachmentId)))
			return fail(rq, &ec2_InvalidAttachmentID, "The attachment ID '%.*s' does not exist",
			            STR_ARG(in->Attachment->AttachmentId));
		n->Attachment->DeleteOnTermination = BOOL(in->Attachment->DeleteOnTermination.v);
	}
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_interface_put(tx, place_of(rq), n);
	return OK;
}

err ec2_DescribeNetworkInterfaceAttribute(req *rq, const txn *tx,
                                          const ec2_DescribeNetworkInterfaceAttribute_in *in,
                                          ec2_DescribeNetworkInterfaceAttribute_out *out)
{
	ec2_NetworkInterface *n;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	out->NetworkInterfaceId = n->NetworkInterfaceId;
	if (str_eq(in->Attribute, S("description"))) {
		out->Description = arena_new(rq->mem, ec2_AttributeValue);
		out->Description->Value = n->Description;
	} else if (str_eq(in->Attribute, S("groupSet"))) {
		out->Groups = n->Groups;
	} else if (str_eq(in->Attribute, S("sourceDestCheck"))) {
		out->SourceDestCheck = arena_new(rq->mem, ec2_AttributeBooleanValue);
		out->SourceDestCheck->Value = n->SourceDestCheck;
	} else if (str_eq(in->Attribute, S("attachment"))) {
		out->Attachment = n->Attachment;
	} else {
		return fail(rq, &ec2_InvalidParameterCombination, "No attributes specified.");
	}
	return OK;
}

err ec2_AssignPrivateIpAddresses(req *rq, txn *tx, const ec2_AssignPrivateIpAddresses_in *in,
                                 ec2_AssignPrivateIpAddresses_out *out)
{
	ec2_NetworkInterface *n;
	ec2_Subnet *s;
	TRY(no_six(rq, in->Ipv4Prefixes.n || in->Ipv4PrefixCount.v));
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	TRY(kind_get(rq, tx, &kind_subnet, n->SubnetId, &s));
	size_t had = n->PrivateIpAddresses.n;
	if (!in->PrivateIpAddresses.n == !in->SecondaryPrivateIpAddressCount.v)
		return fail(rq, &ec2_InvalidParameterCombination, "The request must contain exactly one of "
		            "privateIpAddress or secondaryPrivateIpAddressCount");
	for (size_t i = 0; i < in->PrivateIpAddresses.n; i++)
		TRY(add_address(rq, tx, s, n, in->PrivateIpAddresses.v[i]));
	for (int64_t i = 0; i < in->SecondaryPrivateIpAddressCount.v; i++)
		TRY(add_address(rq, tx, s, n, STR_NONE));
	out->NetworkInterfaceId = n->NetworkInterfaceId;
	for (size_t i = had; i < n->PrivateIpAddresses.n; i++)
		LIST_ADD(rq->mem, &out->AssignedPrivateIpAddresses, (ec2_AssignedPrivateIpAddress){
			.PrivateIpAddress = n->PrivateIpAddresses.v[i].PrivateIpAddress });
	ec2_interface_put(tx, place_of(rq), n);
	return OK;
}

err ec2_UnassignPrivateIpAddresses(req *rq, txn *tx, const ec2_UnassignPrivateIpAddresses_in *in,
                                   ec2_UnassignPrivateIpAddresses_out *out)
{
	ec2_NetworkInterface *n;
	(void)out;
	TRY(kind_get(rq, tx, &kind_interface, in->NetworkInterfaceId, &n));
	for (size_t i = 0; i < in->PrivateIpAddresses.n; i++) {
		str ip = in->PrivateIpAddresses.v[i];
		size_t at = 1;
		while (at < n->PrivateIpAddresses.n && !str_eq(n->PrivateIpAddresses.v[at].PrivateIpAddress, ip))
			at++;
		if (str_eq(ip, n->PrivateIpAddress))
			return fail(rq, &ec2_InvalidParameterValue, "The primary IP address of the interface cannot be "
			            "unassigned.");
		if (at >= n->PrivateIpAddresses.n)
			return fail(rq, &ec2_InvalidParameterValue, "Some of the specified addresses are not assigned to "
			            "interface %.*s", STR_ARG(n->NetworkInterfaceId));
		ec2_address_unbind(tx, rq->mem, place_of(rq), rq->now, n->NetworkInterfaceId, ip);
		ec2_lease_delete(tx, rq->who.account, rq->region, n->SubnetId, ip);
		LIST_DROP(&n->PrivateIpAddresses, at);
	}
	ec2_interface_put(tx, place_of(rq), n);
	return OK;
}
