/*
 * Network interfaces are those of instances: they come and go with them, and are not kept apart.
 */
#include "ec2.h"

static const resource_kind kind_interface = {
	.shape = &ec2_NetworkInterface_shape,
	.id = "NetworkInterfaceId",
	.filters =
		(const filter_path[]){ { "group-id", "groupSet.groupId" },
	                           { "group-name", "groupSet.groupName" },
	                           { "attachment.instance-id", "attachment.instanceId" },
	                           { "attachment.status", "attachment.status" },
	                           { "addresses.private-ip-address", "privateIpAddressesSet.privateIpAddress" },
	                           { "association.public-ip", "association.publicIp" },
	                           { 0 } }
};

static ec2_NetworkInterface describe(arena *mem, const ec2_Instance *i, const ec2_InstanceNetworkInterface *n)
{
	ec2_NetworkInterface d = { .NetworkInterfaceId = n->NetworkInterfaceId, .Description = n->Description,
		.OwnerId = n->OwnerId, .Groups = n->Groups, .PrivateIpAddress = n->PrivateIpAddress,
		.PrivateDnsName = n->PrivateDnsName, .SubnetId = n->SubnetId, .VpcId = n->VpcId,
		.Status = S("in-use"), .SourceDestCheck = n->SourceDestCheck, .RequesterManaged = BOOL(false),
		.InterfaceType = S("interface"), .AvailabilityZone = i->Placement->AvailabilityZone };
	d.Attachment = arena_new(mem, ec2_NetworkInterfaceAttachment);
	*d.Attachment = (ec2_NetworkInterfaceAttachment){ .AttachmentId = n->Attachment->AttachmentId,
		.InstanceId = i->InstanceId, .InstanceOwnerId = n->OwnerId, .DeviceIndex = I64(0),
		.AttachTime = n->Attachment->AttachTime, .DeleteOnTermination = BOOL(true), .Status = S("attached") };
	d.PrivateIpAddresses.v = arena_new(mem, ec2_NetworkInterfacePrivateIpAddress);
	d.PrivateIpAddresses.n = 1;
	*d.PrivateIpAddresses.v = (ec2_NetworkInterfacePrivateIpAddress){ .Primary = BOOL(true),
		.PrivateIpAddress = n->PrivateIpAddress, .PrivateDnsName = n->PrivateDnsName };
	if (given(i->PublicIpAddress)) {
		d.Association = arena_new(mem, ec2_NetworkInterfaceAssociation);
		*d.Association = (ec2_NetworkInterfaceAssociation){ .PublicIp = i->PublicIpAddress,
			.PublicDnsName = i->PublicDnsName, .IpOwnerId = S("amazon") };
	}
	return d;
}

static bool named(const ec2_DescribeNetworkInterfaces_in *in, str id)
{
	bool is = in->NetworkInterfaceIds.n == 0;
	for (size_t i = 0; !is && i < in->NetworkInterfaceIds.n; i++)
		is = str_eq(in->NetworkInterfaceIds.v[i], id);
	return is;
}

err ec2_DescribeNetworkInterfaces(req *rq, const txn *tx, const ec2_DescribeNetworkInterfaces_in *in,
                                  ec2_DescribeNetworkInterfaces_out *out)
{
	ec2_InstanceList all = { 0 };
	describe_request every = { 0 };
	str none;
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_describe(rq, tx, &kind_instance, &every, &all, &none));
	out->NetworkInterfaces.v = arena_array(rq->mem, ec2_NetworkInterface, all.n + 1);
	for (size_t i = 0; i < all.n; i++) {
		bool passes;
		if (!all.v[i].NetworkInterfaces.n)
			continue;
		ec2_NetworkInterface d = describe(rq->mem, &all.v[i], all.v[i].NetworkInterfaces.v);
		TRY(filters_pass(rq, &kind_interface, &in->Filters, &d, &passes));
		if (passes && named(in, d.NetworkInterfaceId))
			out->NetworkInterfaces.v[out->NetworkInterfaces.n++] = d;
	}
	if (in->NetworkInterfaceIds.n > out->NetworkInterfaces.n && !in->Filters.n)
		return fail(rq, &ec2_InvalidInterface, "The networkInterface ID '%.*s' does not exist",
		            STR_ARG(in->NetworkInterfaceIds.v[0]));
	return OK;
}

/* Only what bursts has credits: T2 stops at its baseline, later ones go on and pay. */
err ec2_DescribeInstanceCreditSpecifications(req *rq, const txn *tx,
                                             const ec2_DescribeInstanceCreditSpecifications_in *in,
                                             ec2_DescribeInstanceCreditSpecifications_out *out)
{
	ec2_InstanceList found = { 0 };
	TRY(ec2_dry_run(rq, in->DryRun));
	TRY(kind_describe(rq, tx, &kind_instance, DESCRIBE(in, &in->InstanceIds), &found, &out->NextToken));
	out->InstanceCreditSpecifications.v = arena_array(rq->mem, ec2_InstanceCreditSpecification, found.n + 1);
	for (size_t i = 0; i < found.n; i++) {
		const instance_type *t = instance_type_find(found.v[i].InstanceType);
		ec2_machine *m = ec2_machine_get(tx, rq->mem, rq->who.account, rq->region, found.v[i].InstanceId);
		if (!t || !t->burstable || !m) {
			if (in->InstanceIds.n)
				return fail(rq, &ec2_InvalidParameterCombination, "The instance '%.*s' is not a burstable "
				            "performance instance.", STR_ARG(found.v[i].InstanceId));
			continue;
		}
		str usual = str_starts(t->name, S("t2.")) ? S("standard") : S("unlimited");
		out->InstanceCreditSpecifications.v[out->InstanceCreditSpecifications.n++] =
			(ec2_InstanceCreditSpecification){ .InstanceId = found.v[i].InstanceId,
				.CpuCredits = given(m->CpuCredits) ? m->CpuCredits : usual };
	}
	return OK;
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
