/* What the operations are called in policies, and on which resources they act. */
#include "cloud/authorise.h"
#include "ec2.h"

static size_t of_instances(req *rq, const txn *tx, const void *in, str **arns)
{
	/* Start, Stop, Terminate and Reboot have their ids in a member of one name and layout. */
	const shape_member *m = shape_member_find(rq->op->input, S("InstanceIds"));
	const ec2_InstanceIdStringList *ids = (const void *)((const char *)in + m->offset);
	(void)tx;
	*arns = arena_array(rq->mem, str, ids->n + 1);
	for (size_t i = 0; i < ids->n; i++)
		(*arns)[i] = ec2_arn(rq->mem, place_of(rq), "instance", ids->v[i]);
	return ids->n;
}

static size_t of_tagged(req *rq, const txn *tx, const void *in, str **arns)
{
	const shape_member *m = shape_member_find(rq->op->input, S("Resources"));
	const list_of_str *ids = (const void *)((const char *)in + m->offset);
	(void)tx;
	*arns = arena_array(rq->mem, str, ids->n + 1);
	for (size_t i = 0; i < ids->n; i++) {
		const resource_kind *k = kind_of(ids->v[i]);
		(*arns)[i] = ec2_arn(rq->mem, place_of(rq), k ? k->type : "resource", ids->v[i]);
	}
	return ids->n;
}

/* Who launches with a profile hands its role over. */
static size_t of_launch(req *rq, const txn *tx, const void *in, str **arns)
{
	const ec2_IamInstanceProfileSpecification *p = ((const ec2_RunInstances_in *)in)->IamInstanceProfile;
	*arns = arena_array(rq->mem, str, 2);
	(*arns)[0] = ec2_arn(rq->mem, place_of(rq), "instance", S("*"));
	str role = p ? ec2_profile_role(rq, tx, p) : STR_NONE;
	if (str_is(role))
		(*arns)[1] = arena_fmt(rq->mem, "iam:PassRole %.*s", STR_ARG(role));
	return str_is(role) ? 2 : 1;
}

#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define ON_INSTANCES(operation) { operation, NULL, NULL, of_instances }
#define ON_INSTANCE(operation) { operation, NULL, "instance/{InstanceId}", NULL }
#define ON_VOLUME(operation) { operation, NULL, "volume/{VolumeId}", NULL }
#define ON_GROUP(operation) { operation, NULL, "security-group/{GroupId}", NULL }
#define ON_ADDRESS(operation) { operation, NULL, "elastic-ip/{AllocationId}", NULL }
#define ON_VPC(operation) { operation, NULL, "vpc/{VpcId}", NULL }
#define ON_SUBNET(operation) { operation, NULL, "subnet/{SubnetId}", NULL }
#define ON_TABLE(operation) { operation, NULL, "route-table/{RouteTableId}", NULL }
#define ON_ACL(operation) { operation, NULL, "network-acl/{NetworkAclId}", NULL }
#define ON_GATEWAY(operation) { operation, NULL, "internet-gateway/{InternetGatewayId}", NULL }
#define ON_INTERFACE(operation) { operation, NULL, "network-interface/{NetworkInterfaceId}", NULL }
#define ON_PEERING(operation) \
	{ operation, NULL, "vpc-peering-connection/{VpcPeeringConnectionId}", NULL }
#define ON_TEMPLATE(operation) { operation, NULL, "launch-template/{LaunchTemplateId}", NULL }
#define ON_EVERY(operation, type) { operation, NULL, type "/*", NULL }
ACCESS(ec2, "ec2", NULL, ON_ALL("DescribeAddresses"), ON_ALL("DescribeAddressesAttribute"),
	ON_ALL("DescribeInstanceCreditSpecifications"), ON_ALL("DescribeNetworkInterfaces"),
	{ "DescribeVpcAttribute", NULL, "vpc/{VpcId}", NULL },
	 ON_ALL("DescribeAvailabilityZones"),
       ON_ALL("DescribeImages"), ON_ALL("DescribeInstanceStatus"), ON_ALL("DescribeInstanceTypes"),
       ON_ALL("DescribeInstances"), ON_ALL("DescribeInternetGateways"), ON_ALL("DescribeKeyPairs"),
       ON_ALL("DescribeRegions"), ON_ALL("DescribeRouteTables"), ON_ALL("DescribeSecurityGroups"),
       ON_ALL("DescribeSpotPriceHistory"), ON_ALL("DescribeSubnets"), ON_ALL("DescribeTags"),
       ON_ALL("DescribeVolumes"), ON_ALL("DescribeVpcs"), { "RunInstances", NULL, NULL, of_launch },
       { "CreateVolume", NULL, "volume/*", NULL }, { "CreateSecurityGroup", NULL, "security-group/*", NULL },
       { "AllocateAddress", NULL, "elastic-ip/*", NULL },
       { "CreateKeyPair", NULL, "key-pair/{KeyName}", NULL },
       { "ImportKeyPair", NULL, "key-pair/{KeyName}", NULL },
       { "DeleteKeyPair", NULL, "key-pair/{KeyName}", NULL }, ON_INSTANCES("StartInstances"),
       ON_INSTANCES("StopInstances"), ON_INSTANCES("TerminateInstances"),
       ON_INSTANCE("ModifyInstanceAttribute"), ON_INSTANCE("DescribeInstanceAttribute"),
       ON_VOLUME("DeleteVolume"), ON_VOLUME("AttachVolume"), ON_VOLUME("DetachVolume"),
       ON_GROUP("DeleteSecurityGroup"), ON_GROUP("AuthorizeSecurityGroupIngress"),
       ON_GROUP("AuthorizeSecurityGroupEgress"), ON_GROUP("RevokeSecurityGroupIngress"),
       ON_GROUP("RevokeSecurityGroupEgress"), ON_ADDRESS("AssociateAddress"), ON_ADDRESS("ReleaseAddress"),
       { "CreateVpc", NULL, "vpc/*", NULL }, ON_VPC("DeleteVpc"), ON_VPC("ModifyVpcAttribute"),
       ON_VPC("AssociateVpcCidrBlock"), ON_EVERY("DisassociateVpcCidrBlock", "vpc"),
       ON_EVERY("CreateDefaultVpc", "vpc"), ON_EVERY("CreateDefaultSubnet", "subnet"),
       ON_EVERY("CreateSubnet", "subnet"), ON_SUBNET("DeleteSubnet"), ON_SUBNET("ModifySubnetAttribute"),
       ON_SUBNET("AssociateSubnetCidrBlock"), ON_EVERY("DisassociateSubnetCidrBlock", "subnet"),
       ON_EVERY("CreateInternetGateway", "internet-gateway"), ON_GATEWAY("AttachInternetGateway"),
       ON_GATEWAY("DetachInternetGateway"), ON_GATEWAY("DeleteInternetGateway"),
       ON_EVERY("CreateEgressOnlyInternetGateway", "egress-only-internet-gateway"),
       { "DeleteEgressOnlyInternetGateway", NULL,
         "egress-only-internet-gateway/{EgressOnlyInternetGatewayId}", NULL },
       ON_ALL("DescribeEgressOnlyInternetGateways"), ON_EVERY("CreateRouteTable", "route-table"),
       ON_TABLE("DeleteRouteTable"), ON_TABLE("CreateRoute"), ON_TABLE("ReplaceRoute"),
       ON_TABLE("DeleteRoute"), ON_TABLE("AssociateRouteTable"),
       ON_EVERY("DisassociateRouteTable", "route-table"), ON_TABLE("ReplaceRouteTableAssociation"),
       ON_EVERY("CreateNetworkAcl", "network-acl"), ON_ACL("DeleteNetworkAcl"),
       ON_ACL("CreateNetworkAclEntry"), ON_ACL("ReplaceNetworkAclEntry"), ON_ACL("DeleteNetworkAclEntry"),
       ON_ACL("ReplaceNetworkAclAssociation"), ON_ALL("DescribeNetworkAcls"),
       ON_EVERY("CreateDhcpOptions", "dhcp-options"),
       { "DeleteDhcpOptions", NULL, "dhcp-options/{DhcpOptionsId}", NULL },
       ON_VPC("AssociateDhcpOptions"), ON_ALL("DescribeDhcpOptions"),
       ON_EVERY("CreateNetworkInterface", "network-interface"), ON_INTERFACE("DeleteNetworkInterface"),
       ON_INTERFACE("AttachNetworkInterface"), ON_EVERY("DetachNetworkInterface", "network-interface"),
       ON_INTERFACE("ModifyNetworkInterfaceAttribute"), ON_ALL("DescribeNetworkInterfaceAttribute"),
       ON_INTERFACE("AssignPrivateIpAddresses"), ON_INTERFACE("UnassignPrivateIpAddresses"),
       ON_ALL("DescribeSecurityGroupRules"), ON_GROUP("ModifySecurityGroupRules"),
       ON_GROUP("UpdateSecurityGroupRuleDescriptionsIngress"),
       ON_GROUP("UpdateSecurityGroupRuleDescriptionsEgress"),
       ON_EVERY("CreateNatGateway", "natgateway"), ON_ALL("DescribeNatGateways"),
       { "DeleteNatGateway", NULL, "natgateway/{NatGatewayId}", NULL },
       ON_EVERY("CreateVpcEndpoint", "vpc-endpoint"), ON_ALL("DescribeVpcEndpoints"),
       { "ModifyVpcEndpoint", NULL, "vpc-endpoint/{VpcEndpointId}", NULL },
       ON_EVERY("DeleteVpcEndpoints", "vpc-endpoint"), ON_ALL("DescribeVpcEndpointServices"),
       ON_ALL("DescribePrefixLists"), ON_ALL("DescribeManagedPrefixLists"),
       ON_EVERY("CreateManagedPrefixList", "prefix-list"),
       { "GetManagedPrefixListEntries", NULL, "prefix-list/{PrefixListId}", NULL },
       { "ModifyManagedPrefixList", NULL, "prefix-list/{PrefixListId}", NULL },
       { "DeleteManagedPrefixList", NULL, "prefix-list/{PrefixListId}", NULL },
       ON_EVERY("CreateVpcPeeringConnection", "vpc-peering-connection"),
       ON_PEERING("AcceptVpcPeeringConnection"), ON_PEERING("RejectVpcPeeringConnection"),
       ON_PEERING("DeleteVpcPeeringConnection"), ON_PEERING("ModifyVpcPeeringConnectionOptions"),
       ON_ALL("DescribeVpcPeeringConnections"), ON_EVERY("CreateLaunchTemplate", "launch-template"),
       ON_TEMPLATE("CreateLaunchTemplateVersion"), ON_TEMPLATE("ModifyLaunchTemplate"),
       ON_TEMPLATE("DeleteLaunchTemplate"), ON_TEMPLATE("DeleteLaunchTemplateVersions"),
       ON_ALL("DescribeLaunchTemplates"), ON_ALL("DescribeLaunchTemplateVersions"),
       ON_VOLUME("ModifyVolume"), ON_ALL("DescribeVolumesModifications"), ON_VPC("GetSecurityGroupsForVpc"),
       { "DisassociateAddress", NULL, "elastic-ip/*", NULL }, { "CreateTags", NULL, NULL, of_tagged },
       { "DeleteTags", NULL, NULL, of_tagged });
