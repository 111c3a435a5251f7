/*
 * Elastic IP addresses. Every public IPv4 address costs the same by the hour, used or not.
 */
#include "ec2.h"
#include "sys/rand.h"

str ec2_public_address(arena *mem)
{
	return arena_fmt(mem, "198.%d.%d.%d", 18 + (int)rand_below(2), (int)rand_below(256),
	                 1 + (int)rand_below(254));
}

void ec2_meter_address(txn *tx, place p, int64_t now, str id, bool in_use, bool exists)
{
	arena *mem = txn_arena(tx);
	str arn = ec2_arn(mem, p, str_starts(id, S("i-")) ? "instance" : "elastic-ip", id);
	const meter_kind *kinds[] = { &EC2_IPV4_IDLE, &EC2_IPV4_IN_USE };
	for (int i = 0; i < 2; i++)
		if ((exists && i == in_use) || resident_rate(tx, p.account, p.region, kinds[i], arn))
			resident_set(tx, p.account, p.region, now, kinds[i], arn, exists && i == in_use ? QTY(1) : 0);
}

static void keep(txn *tx, place p, int64_t now, const ec2_Address *a)
{
	kind_put(tx, &kind_address, p.account, p.region, a->AllocationId, a);
	ec2_meter_address(tx, p, now, a->AllocationId, given(a->AssociationId), true);
}

static ec2_Address *find(const txn *tx, arena *mem, place p, bool (*is)(const ec2_Address *a, str what),
                         str what)
{
	record_scan s = ec2_address_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_address *a; (a = ec2_address_next(&s));)
		if (is(a->It, what)) {
			cursor_close(&s.at);
			return a->It;
		}
	return NULL;
}

static bool of_instance(const ec2_Address *a, str id)
{
	return str_eq(a->InstanceId, id);
}

static bool of_interface(const ec2_Address *a, str id)
{
	return str_eq(a->NetworkInterfaceId, id);
}

static bool of_ip(const ec2_Address *a, str ip)
{
	return str_eq(a->PublicIp, ip);
}

static bool of_association(const ec2_Address *a, str id)
{
	return str_eq(a->AssociationId, id);
}

ec2_Address *ec2_address_at(const txn *tx, arena *mem, place p, str interface, str ip)
{
	ec2_Address *found = NULL;
	record_scan s = ec2_address_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_address *a; !found && (a = ec2_address_next(&s));)
		if (str_eq(a->It->NetworkInterfaceId, interface) && str_eq(a->It->PrivateIpAddress, ip))
			found = a->It;
	cursor_close(&s.at);
	return found;
}

/* 198.18.0.1: ec2-198-18-0-1.compute.localhost */
str ec2_public_name(arena *mem, str ip)
{
	str name = arena_fmt(mem, "ec2-%.*s.compute.localhost", STR_ARG(ip));
	for (size_t i = 0; i < ip.n; i++)
		if (ip.p[i] == '.')
			((char *)name.p)[4 + i] = '-';
	return name;
}

/* What the instance shows as its public address. */
static void show(txn *tx, place p, ec2_Instance *i, str ip)
{
	i->PublicIpAddress = ip;
	i->PublicDnsName = given(ip) ? ec2_public_name(txn_arena(tx), ip) : S("");
	kind_put(tx, &kind_instance, p.account, p.region, i->InstanceId, i);
}

static void set_free(txn *tx, arena *mem, place p, int64_t now, ec2_Address *a)
{
	ec2_Instance *i = given(a->InstanceId) ? kind_find(tx, mem, &kind_instance, p.account, p.region,
	                                                    a->InstanceId) : NULL;
	if (i && str_eq(i->PublicIpAddress, a->PublicIp))
		show(tx, p, i, STR_NONE);
	a->InstanceId = a->AssociationId = a->PrivateIpAddress = a->NetworkInterfaceId = STR_NONE;
	a->NetworkInterfaceOwnerId = STR_NONE;
	keep(tx, p, now, a);
}

void ec2_address_release(txn *tx, arena *mem, place p, int64_t now, str instance_id)
{
	for (ec2_Address *a; (a = find(tx, mem, p, of_instance, instance_id));)
		set_free(tx, mem, p, now, a);
}

err ec2_AllocateAddress(req *rq, txn *tx, const ec2_AllocateAddress_in *in, ec2_AllocateAddress_out *out)
{
	size_t n = 0;
	TRY(ec2_dry_run(rq, in->DryRun));
	record_scan s = ec2_address_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	while (ec2_address_next(&s))
		n++;
	if (n >= EC2_ADDRESSES_MAX)
		return fail(rq, &ec2_AddressLimitExceeded, "The maximum number of addresses has been reached.");
	ec2_Address a = { .AllocationId = ec2_id(rq->mem, "eipalloc-"),
		              .Domain = S("vpc"),
		              .PublicIp = ec2_public_address(rq->mem),
		              .PublicIpv4Pool = S("amazon"),
		              .NetworkBorderGroup = rq->region };
	keep(tx, place_of(rq), rq->now, &a);
	*out = (ec2_AllocateAddress_out){ .AllocationId = a.AllocationId,
		                              .PublicIp = a.PublicIp,
		                              .Domain = a.Domain,
		                              .PublicIpv4Pool = a.PublicIpv4Pool,
		                              .NetworkBorderGroup = a.NetworkBorderGroup };
	return ec2_tag_new(rq, tx, &in->TagSpecifications, "elastic-ip", a.AllocationId);
}

static err address_of(req *rq, const txn *tx, str allocation, str ip, ec2_Address **out)
{
	if (given(allocation))
		return kind_get(rq, tx, &kind_address, allocation, out);
	if (!given(ip))
		return fail(rq, &aws_MissingParameter, "Either 'AllocationId' or 'PublicIp' must be provided.");
	*out = find(tx, rq->mem, place_of(rq), of_ip, ip);
	return *out ? OK : fail(rq, &ec2_InvalidAddress, "Address '%.*s' not found.", STR_ARG(ip));
}

void ec2_address_bind(txn *tx, place p, int64_t now, ec2_Address *a, const ec2_NetworkInterface *i, str ip,
                      str association)
{
	a->NetworkInterfaceId = i->NetworkInterfaceId;
	a->NetworkInterfaceOwnerId = p.account;
	a->PrivateIpAddress = ip;
	a->AssociationId = association;
	keep(tx, p, now, a);
}

void ec2_address_unbind(txn *tx, arena *mem, place p, int64_t now, str interface, str ip)
{
	for (ec2_Address *a; (a = given(ip) ? ec2_address_at(tx, mem, p, interface, ip) :
	                                      find(tx, mem, p, of_interface, interface));)
		set_free(tx, mem, p, now, a);
}

void ec2_address_follow(txn *tx, arena *mem, place p, const ec2_NetworkInterface *n)
{
	for (size_t k = 0; k < n->PrivateIpAddresses.n; k++) {
		ec2_Address *a = ec2_address_at(tx, mem, p, n->NetworkInterfaceId,
		                                n->PrivateIpAddresses.v[k].PrivateIpAddress);
		if (!a)
			continue;
		a->InstanceId = n->Attachment ? n->Attachment->InstanceId : STR_NONE;
		kind_put(tx, &kind_address, p.account, p.region, a->AllocationId, a);
		ec2_Instance *i = !k && given(a->InstanceId) && n->Attachment->DeviceIndex.v == 0 ?
			kind_find(tx, mem, &kind_instance, p.account, p.region, a->InstanceId) : NULL;
		if (i)
			show(tx, p, i, a->PublicIp);
	}
}

bool ec2_public_addresses(const txn *tx, arena *mem, place p, str vpc)
{
	bool found = false;
	record_scan s = ec2_networkinterface_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_networkinterface *n; !found && (n = ec2_networkinterface_next(&s));) {
		if (!str_eq(n->It->VpcId, vpc))
			continue;
		ec2_interface_fill(tx, mem, p.account, p.region, n->It);
		for (size_t i = 0; i < n->It->PrivateIpAddresses.n; i++)
			found = found || n->It->PrivateIpAddresses.v[i].Association;
	}
	cursor_close(&s.at);
	return found;
}

static err not_managed(req *rq)
{
	return fail(rq, &ec2_OperationNotPermitted, "You are not allowed to manage 'ela-attach' attachments.");
}

/* What an address is given to: an instance stands for its first interface. */
static err receiver(req *rq, const txn *tx, const ec2_AssociateAddress_in *in, ec2_NetworkInterface **out)
{
	ec2_Instance *i;
	str id = in->NetworkInterfaceId;
	if (given(in->InstanceId) && given(id))
		return fail(rq, &ec2_InvalidParameterCombination,
		            "You may specify either an instance or a network interface, but not both.");
	if (given(in->InstanceId)) {
		TRY(kind_get(rq, tx, &kind_instance, in->InstanceId, &i));
		if (i->State->Code.v != INSTANCE_RUNNING && i->State->Code.v != INSTANCE_STOPPED)
			return fail(rq, &ec2_UnsuitableInstance, "The %.*s instance '%.*s' is not in a valid state for "
			            "this "
			            "operation.", STR_ARG(i->State->Name), STR_ARG(i->InstanceId));
		if (i->NetworkInterfaces.n != 1)
			return fail(rq, &ec2_UnsuitableInstance, "There are multiple interfaces attached to instance "
			            "'%.*s'. Please specify an interface ID for the operation instead.",
			            STR_ARG(i->InstanceId));
		id = i->NetworkInterfaces.v->NetworkInterfaceId;
	}
	if (!given(id))
		return fail(rq, &aws_MissingParameter, "Either 'InstanceId' or 'NetworkInterfaceId' must be "
		            "provided.");
	TRY(kind_get(rq, tx, &kind_interface, id, out));
	if ((*out)->RequesterManaged.v)
		return not_managed(rq);
	if (ec2_gateway_of(tx, rq->mem, place_of(rq), (*out)->VpcId))
		return OK;
	return fail(rq, &ec2_GatewayNotAttached, "Network %.*s is not attached to any internet gateway",
	            STR_ARG((*out)->VpcId));
}

/* What AWS has bound itself (a NAT gateway's) is not taken away. */
static err check_free(req *rq, const txn *tx, const ec2_Address *a)
{
	ec2_NetworkInterface *n = given(a->NetworkInterfaceId) ? kind_find(tx, rq->mem, &kind_interface,
		rq->who.account, rq->region, a->NetworkInterfaceId) : NULL;
	return n && n->RequesterManaged.v ? not_managed(rq) : OK;
}

/* The private address of the interface that is meant, and that no other Elastic IP may have then. */
static err private_address(req *rq, const txn *tx, const ec2_AssociateAddress_in *in, const ec2_Address *a,
                           const ec2_NetworkInterface *n, str *ip)
{
	bool own = false, stays = in->AllowReassociation.set && !in->AllowReassociation.v;
	*ip = given(in->PrivateIpAddress) ? in->PrivateIpAddress : n->PrivateIpAddress;
	for (size_t i = 0; i < n->PrivateIpAddresses.n; i++)
		own = own || str_eq(n->PrivateIpAddresses.v[i].PrivateIpAddress, *ip);
	if (!own)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for PrivateIpAddress. Address is "
		            "not assigned to interface %.*s.", STR_ARG(*ip), STR_ARG(n->NetworkInterfaceId));
	ec2_Address *other = ec2_address_at(tx, rq->mem, place_of(rq), n->NetworkInterfaceId, *ip);
	if (!stays || !other || str_eq(other->AllocationId, a->AllocationId))
		return OK;
	return fail(rq, &ec2_ResourceAlreadyAssociated, "resource %.*s is already associated with associate-id "
	            "%.*s", STR_ARG(n->NetworkInterfaceId), STR_ARG(other->AssociationId));
}

err ec2_AssociateAddress(req *rq, txn *tx, const ec2_AssociateAddress_in *in, ec2_AssociateAddress_out *out)
{
	ec2_Address *a;
	ec2_NetworkInterface *n;
	place p = place_of(rq);
	str ip;
	TRY(address_of(rq, tx, in->AllocationId, in->PublicIp, &a));
	str before = a->InstanceId;
	TRY(receiver(rq, tx, in, &n));
	TRY(check_free(rq, tx, a));
	TRY(private_address(rq, tx, in, a, n, &ip));
	bool same = str_eq(a->NetworkInterfaceId, n->NetworkInterfaceId) && str_eq(a->PrivateIpAddress, ip);
	if (given(a->AssociationId) && !same && in->AllowReassociation.set && !in->AllowReassociation.v)
		return fail(rq, &ec2_ResourceAlreadyAssociated, "resource %.*s is already associated with "
		            "associate-id %.*s", STR_ARG(a->AllocationId), STR_ARG(a->AssociationId));
	TRY(ec2_dry_run(rq, in->DryRun));
	out->AssociationId = a->AssociationId;
	if (same)
		return OK;
	if (given(a->AssociationId))
		set_free(tx, rq->mem, p, rq->now, a);
	ec2_address_unbind(tx, rq->mem, p, rq->now, n->NetworkInterfaceId, ip);
	str instance = n->Attachment ? n->Attachment->InstanceId : STR_NONE;
	a->InstanceId = instance;
	out->AssociationId = ec2_id(rq->mem, "eipassoc-");
	ec2_address_bind(tx, p, rq->now, a, n, ip, out->AssociationId);
	if (given(instance) && n->Attachment->DeviceIndex.v == 0 && str_eq(ip, n->PrivateIpAddress)) {
		ec2_Instance *i;
		TRY(kind_get(rq, tx, &kind_instance, instance, &i));
		/* The address that it was given at launch is given back. */
		ec2_meter_address(tx, p, rq->now, instance, true, false);
		show(tx, p, i, a->PublicIp);
	}
	if (given(before))
		ec2_lend_again(tx, rq->mem, p, rq->now, before);
	return OK;
}

err ec2_DisassociateAddress(req *rq, txn *tx, const ec2_DisassociateAddress_in *in,
                            ec2_DisassociateAddress_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	str what = given(in->AssociationId) ? in->AssociationId : in->PublicIp;
	if (!given(what))
		return fail(rq, &aws_MissingParameter, "Either public IP or association id must be specified");
	ec2_Address *a =
		find(tx, rq->mem, place_of(rq), given(in->AssociationId) ? of_association : of_ip, what);
	if (!a)
		return fail(rq, &ec2_InvalidAssociation, "The association ID '%.*s' does not exist", STR_ARG(what));
	TRY(check_free(rq, tx, a));
	str instance = a->InstanceId;
	set_free(tx, rq->mem, place_of(rq), rq->now, a);
	if (given(instance))
		ec2_lend_again(tx, rq->mem, place_of(rq), rq->now, instance);
	return OK;
}

err ec2_ReleaseAddress(req *rq, txn *tx, const ec2_ReleaseAddress_in *in, ec2_ReleaseAddress_out *out)
{
	ec2_Address *a;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(address_of(rq, tx, in->AllocationId, in->PublicIp, &a));
	if (given(a->AssociationId))
		return fail(rq, &ec2_InvalidIPInUse, "Address %.*s is in use.", STR_ARG(a->PublicIp));
	ec2_meter_address(tx, place_of(rq), rq->now, a->AllocationId, false, false);
	kind_delete(tx, rq->mem, &kind_address, rq->who.account, rq->region, a->AllocationId);
	return OK;
}

err ec2_DescribeAddresses(req *rq, const txn *tx, const ec2_DescribeAddresses_in *in,
                          ec2_DescribeAddresses_out *out)
{
	str none;
	list_of_str ids = { arena_array(rq->mem, str, in->AllocationIds.n + in->PublicIps.n + 1), 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->AllocationIds.n; i++)
		ids.v[ids.n++] = in->AllocationIds.v[i];
	for (size_t i = 0; i < in->PublicIps.n; i++) {
		ec2_Address *a;
		TRY(address_of(rq, tx, STR_NONE, in->PublicIps.v[i], &a));
		ids.v[ids.n++] = a->AllocationId;
	}
	describe_request d = { .ids = &ids, .filters = &in->Filters };
	return kind_describe(rq, tx, &kind_address, &d, &out->Addresses, &none);
}

/* Reverse names of addresses; nobody can ask for one here. */
err ec2_DescribeAddressesAttribute(req *rq, const txn *tx, const ec2_DescribeAddressesAttribute_in *in,
                                   ec2_DescribeAddressesAttribute_out *out)
{
	ec2_AddressList found = { 0 };
	describe_request d = { .ids = &in->AllocationIds };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_describe(rq, tx, &kind_address, &d, &found, &out->NextToken));
	out->Addresses.v = arena_array(rq->mem, ec2_AddressAttribute, found.n + 1);
	for (size_t i = 0; i < found.n; i++)
		out->Addresses.v[out->Addresses.n++] = (ec2_AddressAttribute){ .PublicIp = found.v[i].PublicIp,
			.AllocationId = found.v[i].AllocationId };
	return OK;
}
