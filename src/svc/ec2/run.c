/*
 * RunInstances.
 */
#include "ec2.h"

#define INSTANCES_MAX 100
#define TOKEN_MAX_BYTES 64
#define DISKS_MAX 128 /* of the largest instances */

/* What a request comes to, once everything in it has been looked up. */
typedef struct launch {
	const ec2_RunInstances_in *in;
	ec2_Image image;
	const instance_type *type;
	ec2_Subnet *subnet;
	ec2_GroupIdentifierList groups;
	ec2_IamInstanceProfile *profile;
	bool public_address;
	str private_ip;
	ec2_NetworkInterface *interface; /* which the request brings; NULL: a new one */
} launch;

static err not_here(req *rq, const ec2_RunInstances_in *in)
{
	if (given(in->UserData) && in->UserData.n)
		return fail(rq, &aws_NotImplemented,
		            "No machine runs behind an instance yet, so nothing would execute its "
		            "user data.");
	if (in->InstanceMarketOptions)
		return fail(rq, &aws_NotImplemented, "Spot and capacity-block instances are not implemented; "
		            "DescribeSpotPriceHistory has the prices.");
	if (in->BlockDeviceMappings.n > DISKS_MAX)
		return fail(rq, &ec2_InvalidBlockDeviceMapping, "An instance has at most %d volumes.", DISKS_MAX);
	if (in->NetworkInterfaces.n > 1)
		return fail(rq, &aws_NotImplemented,
		            "Instances with several network interfaces are not implemented.");
	return OK;
}

static err find_image(req *rq, launch *l)
{
	str id = l->in->ImageId;
	if (!given(id))
		return fail(rq, &aws_MissingParameter, "The request must contain the parameter ImageId");
	if (!str_starts(id, S("ami-")))
		return fail(rq, &ec2_InvalidAMIMalformed, "Invalid id: \"%.*s\" (expecting \"ami-...\")",
		            STR_ARG(id));
	if (!ec2_image_find(rq, id, &l->image))
		return fail(rq, &ec2_InvalidAMI, "The image id '[%.*s]' does not exist", STR_ARG(id));
	str type = given(l->in->InstanceType) ? l->in->InstanceType : S("m1.small");
	l->type = instance_type_find(type);
	if (!l->type)
		return fail(rq, &ec2_InvalidParameterValue, "Invalid value '%.*s' for InstanceType.", STR_ARG(type));
	if (str_find(l->type->architectures, l->image.Architecture) == SIZE_MAX)
		return fail(rq, &ec2_InvalidParameterValue,
		            "The architecture '%.*s' of the specified instance type does not "
		            "match the architecture '%.*s' of the specified AMI. Specify an instance type and an AMI "
		            "that have "
		            "matching architectures, and try again. You can use 'describe-instance-types' or "
		            "'describe-images' "
		            "to discover the architecture of the instance type or AMI.",
		            STR_ARG(l->type->architectures), STR_ARG(l->image.Architecture));
	return OK;
}

/* The subnet that is named, or the default one of a zone. */
static err find_subnet(req *rq, txn *tx, launch *l, str named)
{
	str zone = l->in->Placement ? l->in->Placement->AvailabilityZone : STR_NONE;
	if (given(named))
		return kind_get(rq, tx, &kind_subnet, named, &l->subnet);
	if (given(zone) && !ec2_zone_exists(rq->region, zone))
		return fail(rq, &ec2_InvalidParameterValue, "Invalid availability zone: [%.*s]", STR_ARG(zone));
	record_scan s = ec2_subnet_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (ec2_subnet *n; !l->subnet && (n = ec2_subnet_next(&s));)
		if (n->It->DefaultForAz.v && (!given(zone) || str_eq(zone, n->It->AvailabilityZone)))
			l->subnet = n->It;
	cursor_close(&s.at);
	if (!l->subnet && !given(zone))
		return fail(rq, &ec2_VpcIdNotSpecified, "No default VPC for this user.");
	return l->subnet ? OK : fail(rq, &ec2_InvalidSubnet, "No default subnet for availability zone: '%.*s'.",
	                             STR_ARG(zone));
}

static err add_group(req *rq, txn *tx, launch *l, str id, str name)
{
	ec2_SecurityGroup *g;
	TRY(ec2_group_get(rq, tx, id, name, &g));
	if (!str_eq(g->VpcId, l->subnet->VpcId))
		return fail(rq, &ec2_InvalidParameterCombination,
		            "Security group %.*s and subnet %.*s belong to different "
		            "networks.",
		            STR_ARG(g->GroupId), STR_ARG(l->subnet->SubnetId));
	l->groups.v[l->groups.n++] = (ec2_GroupIdentifier){ .GroupId = g->GroupId, .GroupName = g->GroupName };
	return OK;
}

/* An interface that is there already decides on everything else. */
static err use_interface(req *rq, const txn *tx, launch *l, str id)
{
	TRY(kind_get(rq, tx, &kind_interface, id, &l->interface));
	if (l->interface->Attachment)
		return fail(rq, &ec2_InterfaceInUse, "Interface: [%.*s] in use.", STR_ARG(id));
	if (l->in->MaxCount.v > 1)
		return fail(rq, &ec2_InvalidParameterCombination, "Network interfaces and an instance count above "
		            "one "
		            "may not be specified on the same request.");
	l->groups = l->interface->Groups;
	return kind_get(rq, tx, &kind_subnet, l->interface->SubnetId, &l->subnet);
}

static err find_network(req *rq, txn *tx, launch *l)
{
	const ec2_RunInstances_in *in = l->in;
	const ec2_InstanceNetworkInterfaceSpecification *card =
		in->NetworkInterfaces.n ? in->NetworkInterfaces.v : NULL;
	const ec2_SecurityGroupIdStringList *ids = card && card->Groups.n ? &card->Groups : &in->SecurityGroupIds;
	ec2_begun *b;
	TRY(ec2_begin(rq, tx, &b));
	if (card && (given(in->SubnetId) || in->SecurityGroupIds.n))
		return fail(rq, &ec2_InvalidParameterCombination, "Network interfaces and an instance-level %s may "
		            "not "
		            "be specified on the same request", given(in->SubnetId) ? "subnet ID" : "security "
		            "groups");
	if (card && given(card->NetworkInterfaceId))
		return use_interface(rq, tx, l, card->NetworkInterfaceId);
	TRY(find_subnet(rq, tx, l, card && given(card->SubnetId) ? card->SubnetId : in->SubnetId));
	l->public_address = card && card->AssociatePublicIpAddress.set ? card->AssociatePublicIpAddress.v :
	                                                                  l->subnet->MapPublicIpOnLaunch.v;
	l->private_ip = card && given(card->PrivateIpAddress) ? card->PrivateIpAddress : in->PrivateIpAddress;
	TRY(ec2_groups_check(rq, ids->n + in->SecurityGroups.n));
	l->groups.v = arena_array(rq->mem, ec2_GroupIdentifier, ids->n + in->SecurityGroups.n + 1);
	for (size_t i = 0; i < ids->n; i++)
		TRY(add_group(rq, tx, l, ids->v[i], STR_NONE));
	for (size_t i = 0; i < in->SecurityGroups.n; i++)
		TRY(add_group(rq, tx, l, STR_NONE, in->SecurityGroups.v[i]));
	return l->groups.n ? OK : ec2_groups_of(rq, tx, ids, l->subnet->VpcId, &l->groups);
}

/* A new interface, or the one that the request brings. */
static err add_interface(req *rq, txn *tx, const launch *l, ec2_Instance *i)
{
	const ec2_InstanceNetworkInterfaceSpecification *card =
		l->in->NetworkInterfaces.n ? l->in->NetworkInterfaces.v : NULL;
	ec2_NetworkInterface *n = l->interface;
	const interface_wish w = { .subnet = l->subnet, .ip = l->private_ip, .groups = l->groups,
		.description = card ? card->Description : STR_NONE };
	if (!n)
		TRY(ec2_interface_new(rq, tx, &w, &n));
	i->PrivateIpAddress = n->PrivateIpAddress;
	i->PrivateDnsName = n->PrivateDnsName;
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
	bool keeps = l->interface || (card && card->DeleteOnTermination.set && !card->DeleteOnTermination.v);
	ec2_interface_attach(rq, tx, n, i->InstanceId, 0, !keeps);
	TRY(ec2_tag_new(rq, tx, &l->in->TagSpecifications, "network-interface", n->NetworkInterfaceId));
	void *kept;
	TRY(kind_get(rq, tx, &kind_instance, i->InstanceId, &kept));
	*i = *(ec2_Instance *)kept;
	return OK;
}

static void fill_options(req *rq, const launch *l, ec2_Instance *i)
{
	const ec2_InstanceMetadataOptionsRequest *m = l->in->MetadataOptions;
	arena *mem = rq->mem;
	i->MetadataOptions = arena_new(mem, ec2_InstanceMetadataOptionsResponse);
	*i->MetadataOptions = (ec2_InstanceMetadataOptionsResponse){ .State = S("applied"),
		.HttpTokens = m && given(m->HttpTokens) ? m->HttpTokens : S("required"),
		.HttpPutResponseHopLimit = m && m->HttpPutResponseHopLimit.set ? m->HttpPutResponseHopLimit : I64(2),
		.HttpEndpoint = m && given(m->HttpEndpoint) ? m->HttpEndpoint : S("enabled"),
		.HttpProtocolIpv6 = S("disabled"), .InstanceMetadataTags = m && given(m->InstanceMetadataTags) ?
			m->InstanceMetadataTags : S("disabled") };
	i->Monitoring = arena_new(mem, ec2_Monitoring);
	i->Monitoring->State = l->in->Monitoring && l->in->Monitoring->Enabled.v ? S("enabled") : S("disabled");
	i->Placement = arena_new(mem, ec2_Placement);
	*i->Placement = (ec2_Placement){ .AvailabilityZone = l->subnet->AvailabilityZone,
		.AvailabilityZoneId = l->subnet->AvailabilityZoneId, .GroupName = S(""), .Tenancy = S("default") };
	i->CpuOptions = arena_new(mem, ec2_CpuOptions);
	*i->CpuOptions =
		(ec2_CpuOptions){ .CoreCount = I64(l->type->cores), .ThreadsPerCore = I64(l->type->threads) };
	i->IamInstanceProfile = l->profile;
}

static err fill(req *rq, txn *tx, launch *l, int64_t index, ec2_Instance *i)
{
	*i = (ec2_Instance){ .InstanceId = ec2_id(rq->mem, "i-"),
		                 .ImageId = l->image.ImageId,
		                 .InstanceType = l->type->name,
		                 .Architecture = l->image.Architecture,
		                 .KeyName = l->in->KeyName,
		                 .AmiLaunchIndex = I64(index),
		                 .LaunchTime = TIME(rq->now),
		                 .SubnetId = l->subnet->SubnetId,
		                 .VpcId = l->subnet->VpcId,
		                 .RootDeviceName = l->image.RootDeviceName,
		                 .RootDeviceType = S("ebs"),
		                 .VirtualizationType = S("hvm"),
		                 .Hypervisor = S("xen"),
		                 .EnaSupport = BOOL(true),
		                 .EbsOptimized = BOOL(l->in->EbsOptimized.v),
		                 .SourceDestCheck = BOOL(true),
		                 .PlatformDetails = S("Linux/UNIX"),
		                 .UsageOperation = S("RunInstances"),
		                 .UsageOperationUpdateTime = TIME(rq->now),
		                 .SecurityGroups = l->groups,
		                 .StateTransitionReason = S(""),
		                 .ClientToken = given(l->in->ClientToken) ? l->in->ClientToken : S(""),
		                 .PublicDnsName = S(""),
		                 .State = ec2_state(rq->mem, INSTANCE_PENDING),
		                 .BootMode = l->image.BootMode };
	if (l->public_address) {
		i->PublicIpAddress = ec2_public_address(rq->mem);
		i->PublicDnsName = ec2_public_name(rq->mem, i->PublicIpAddress);
	}
	fill_options(rq, l, i);
	return add_interface(rq, tx, l, i);
}

/* The image's own disk with what the request says about it, then the disks that the request adds. */
static err add_disk(req *rq, txn *tx, const launch *l, ec2_Instance *i, str device,
                    const ec2_EbsBlockDevice *asked, const ec2_EbsBlockDevice *of_image)
{
	ec2_Volume *v;
	static const ec2_EbsBlockDevice nothing;
	const ec2_EbsBlockDevice *e = asked ? asked : &nothing;
	bool keeps = e->DeleteOnTermination.set && !e->DeleteOnTermination.v;
	volume_wish w = { .zone = l->subnet->AvailabilityZone,
		              .device = device,
		              .encrypted = e->Encrypted.v,
		              .type = given(e->VolumeType) ? e->VolumeType
		                  : of_image                ? of_image->VolumeType
		                                            : S("gp2"),
		              .size = e->VolumeSize.set ? e->VolumeSize.v
		                  : of_image            ? of_image->VolumeSize.v
		                                        : 8,
		              .iops = e->Iops.v,
		              .throughput = e->Throughput.v,
		              .goes_with_instance = of_image ? !keeps : e->DeleteOnTermination.v };
	if (of_image && w.size < of_image->VolumeSize.v)
		return fail(rq, &ec2_InvalidParameterValue,
		            "Volume of size %lldGB is smaller than snapshot, expect size >= "
		            "%lldGB",
		            (long long)w.size, (long long)of_image->VolumeSize.v);
	TRY(ec2_volume_new(rq, tx, &w, &v));
	ec2_volume_attach(rq, tx, v, i, &w);
	return ec2_tag_new(rq, tx, &l->in->TagSpecifications, "volume", v->VolumeId);
}

static err add_disks(req *rq, txn *tx, const launch *l, ec2_Instance *i)
{
	const ec2_BlockDeviceMapping *root = l->image.BlockDeviceMappings.v, *asked = NULL;
	const ec2_BlockDeviceMappingRequestList *list = &l->in->BlockDeviceMappings;
	for (size_t n = 0; n < list->n; n++)
		if (str_eq(list->v[n].DeviceName, root->DeviceName))
			asked = &list->v[n];
	TRY(add_disk(rq, tx, l, i, root->DeviceName, asked ? asked->Ebs : NULL, root->Ebs));
	for (size_t n = 0; n < list->n; n++)
		if (&list->v[n] != asked && list->v[n].Ebs)
			TRY(add_disk(rq, tx, l, i, list->v[n].DeviceName, list->v[n].Ebs, NULL));
	return OK;
}

static err launch_one(req *rq, txn *tx, const launch *l, const ec2_Reservation *r, ec2_Instance *i)
{
	const ec2_RunInstances_in *in = l->in;
	kind_put(tx, &kind_instance, rq->who.account, rq->region, i->InstanceId, i);
	ec2_machine_put(tx,
	                &(ec2_machine){ .Account = rq->who.account,
	                                .Region = rq->region,
	                                .Id = i->InstanceId,
	                                .Reservation = (ec2_Reservation *)r,
	                                .Protected = in->DisableApiTermination.v,
	                                .StopProtected = in->DisableApiStop.v,
	                                .PublicAddress = l->public_address,
		.CpuCredits = in->CreditSpecification ? in->CreditSpecification->CpuCredits : STR_NONE,
	                                .ShutdownBehavior = given(in->InstanceInitiatedShutdownBehavior)
	                                    ? in->InstanceInitiatedShutdownBehavior
	                                    : S("stop") });
	TRY(add_disks(rq, tx, l, i));
	TRY(ec2_tag_new(rq, tx, &in->TagSpecifications, "instance", i->InstanceId));
	ec2_state_set(tx, rq->mem, place_of(rq), i, INSTANCE_PENDING, rq->now);
	ec2_Instance *kept;
	TRY(kind_get(rq, tx, &kind_instance, i->InstanceId, &kept)); /* with its tags */
	*i = *kept;
	return OK;
}

err ec2_RunInstances(req *rq, txn *tx, const ec2_RunInstances_in *in, ec2_RunInstances_out *out)
{
	ec2_RunInstances_in whole;
	if (in->LaunchTemplate) {
		TRY(ec2_template_apply(rq, tx, in, &whole));
		in = &whole;
	}
	launch l = { .in = in };
	TRY(not_here(rq, in));
	if (in->MinCount.v < 1 || in->MaxCount.v < in->MinCount.v || in->MaxCount.v > INSTANCES_MAX)
		return fail(rq, &ec2_InvalidParameterValue, "Value (%lld) for parameter maxCount is invalid.",
		            (long long)in->MaxCount.v);
	if (in->ClientToken.n > TOKEN_MAX_BYTES)
		return fail(rq, &ec2_InvalidParameterValue, "Value (%.*s) for parameter clientToken is invalid. "
		            "Client tokens have at most %d characters.", STR_ARG(in->ClientToken), TOKEN_MAX_BYTES);
	ec2_launch *before = given(in->ClientToken) ? ec2_launch_get(tx, rq->mem, rq->who.account, rq->region,
	                                                              in->ClientToken) : NULL;
	if (before) {
		*out = *before->Reservation;
		return OK;
	}
	TRY(find_image(rq, &l));
	TRY(ec2_key_check(rq, tx, in->KeyName));
	if (in->IamInstanceProfile)
		TRY(ec2_profile(rq, tx, in->IamInstanceProfile, &l.profile));
	TRY(find_network(rq, tx, &l));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (given(l.private_ip) && in->MaxCount.v > 1)
		return fail(rq, &ec2_InvalidParameterCombination,
		            "The parameter 'privateIpAddress' cannot be used with more than one instance.");
	ec2_Reservation r = { .ReservationId = ec2_id(rq->mem, "r-"), .OwnerId = rq->who.account };
	out->Instances.v = arena_array(rq->mem, ec2_Instance, (size_t)in->MaxCount.v);
	for (int64_t i = 0; i < in->MaxCount.v; i++) {
		ec2_Instance *it = &out->Instances.v[out->Instances.n++];
		TRY(fill(rq, tx, &l, i, it));
		TRY(launch_one(rq, tx, &l, &r, it));
	}
	out->ReservationId = r.ReservationId;
	out->OwnerId = r.OwnerId;
	if (given(in->ClientToken))
		ec2_launch_put(tx, &(ec2_launch){ .Account = rq->who.account, .Region = rq->region,
			.Token = in->ClientToken, .Reservation = (ec2_Reservation *)out });
	return OK;
}
