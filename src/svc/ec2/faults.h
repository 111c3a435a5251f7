/*
 * EC2's errors. Its model names none of them.
 */
#pragma once
#include "base/err.h"

#define EC2_FAULTS(X) \
	X(DuplicateSubnets, "DuplicateSubnetsInSameZone", 400) \
	X(DryRunOperation, "DryRunOperation", 412) \
	X(IncorrectInstanceState, "IncorrectInstanceState", 400) \
	X(IncorrectState, "IncorrectState", 400) \
	X(InvalidAMI, "InvalidAMIID.NotFound", 400) \
	X(InvalidAMIMalformed, "InvalidAMIID.Malformed", 400) \
	X(InvalidAddress, "InvalidAddress.NotFound", 400) \
	X(InvalidAllocation, "InvalidAllocationID.NotFound", 400) \
	X(InvalidAssociation, "InvalidAssociationID.NotFound", 400) \
	X(InvalidAttachment, "IncorrectState", 400) \
	X(InvalidGroup, "InvalidGroup.NotFound", 400) \
	X(InvalidGroupDuplicate, "InvalidGroup.Duplicate", 400) \
	X(InvalidInstance, "InvalidInstanceID.NotFound", 400) \
	X(UnsuitableInstance, "InvalidInstanceID", 400) \
	X(InvalidInstanceMalformed, "InvalidInstanceID.Malformed", 400) \
	X(InvalidInstanceType, "InvalidInstanceType", 400) \
	X(InsufficientAddresses, "InsufficientFreeAddressesInSubnet", 400) \
	X(AttachmentLimitExceeded, "AttachmentLimitExceeded", 400) \
	X(InterfaceInUse, "InvalidNetworkInterface.InUse", 400) \
	X(InvalidIPInUse, "InvalidIPAddress.InUse", 400) \
	X(PrivateIpAddressLimitExceeded, "PrivateIpAddressLimitExceeded", 400) \
	X(InvalidInterface, "InvalidNetworkInterfaceID.NotFound", 400) \
	X(InvalidInternetGateway, "InvalidInternetGatewayID.NotFound", 400) \
	X(InvalidKeyPair, "InvalidKeyPair.NotFound", 400) \
	X(InvalidKeyPairDuplicate, "InvalidKeyPair.Duplicate", 400) \
	X(InvalidKeyFormat, "InvalidKey.Format", 400) \
	X(InvalidNextToken, "InvalidNextToken", 400) \
	X(InvalidParameterCombination, "InvalidParameterCombination", 400) \
	X(InvalidParameterValue, "InvalidParameterValue", 400) \
	X(InvalidPermissionDuplicate, "InvalidPermission.Duplicate", 400) \
	X(InvalidPermission, "InvalidPermission.NotFound", 400) \
	X(InvalidRouteTable, "InvalidRouteTableID.NotFound", 400) \
	X(InvalidSubnet, "InvalidSubnetID.NotFound", 400) \
	X(InvalidUserData, "InvalidUserData.Malformed", 400) \
	X(InvalidVolume, "InvalidVolume.NotFound", 400) \
	X(InvalidVpc, "InvalidVpcID.NotFound", 400) \
	X(InvalidZone, "InvalidZone.NotFound", 400) \
	X(FilterLimitExceeded, "FilterLimitExceeded", 400) \
	X(GroupsPerInterfaceLimitExceeded, "SecurityGroupsPerInterfaceLimitExceeded", 400) \
	X(InvalidBlockDeviceMapping, "InvalidBlockDeviceMapping", 400) \
	X(GatewayNotAttached, "Gateway.NotAttached", 400) \
	X(DependencyViolation, "DependencyViolation", 400) \
	X(DefaultSubnetAlreadyExists, "DefaultSubnetAlreadyExistsInAvailabilityZone", 400) \
	X(DefaultVpcAlreadyExists, "DefaultVpcAlreadyExists", 400) \
	X(DefaultVpcDoesNotExist, "DefaultVpcDoesNotExist", 400) \
	X(IdempotentParameterMismatch, "IdempotentParameterMismatch", 400) \
	X(InternetGatewayLimitExceeded, "InternetGatewayLimitExceeded", 400) \
	X(InvalidAclEntry, "InvalidNetworkAclEntry.NotFound", 400) \
	X(InvalidAttachmentID, "InvalidAttachmentID.NotFound", 400) \
	X(InvalidCidrAssociation, "InvalidVpcCidrBlockAssociationID.NotFound", 400) \
	X(InvalidSubnetCidrAssociation, "InvalidSubnetCidrBlockAssociationID.NotFound", 400) \
	X(InvalidDhcpOptions, "InvalidDhcpOptionID.NotFound", 400) \
	X(InvalidEgressGateway, "InvalidGatewayID.NotFound", 400) \
	X(InvalidGateway, "InvalidGatewayID.NotFound", 400) \
	X(InvalidGroupId, "InvalidGroupId.Malformed", 400) \
	X(InvalidNatGateway, "InvalidNatGatewayID.NotFound", 400) \
	X(InvalidNetworkAcl, "InvalidNetworkAclID.NotFound", 400) \
	X(InvalidParameter, "InvalidParameter", 400) \
	X(InvalidPeering, "InvalidVpcPeeringConnectionID.NotFound", 400) \
	X(InvalidPeeringState, "InvalidStateTransition", 400) \
	X(InvalidPrefixList, "InvalidPrefixListID.NotFound", 400) \
	X(InvalidRoute, "InvalidRoute.NotFound", 400) \
	X(InvalidSecurityRule, "InvalidSecurityGroupRuleId.NotFound", 400) \
	X(InvalidServiceName, "InvalidServiceName", 400) \
	X(InvalidSubnetConflict, "InvalidSubnet.Conflict", 400) \
	X(InvalidSubnetRange, "InvalidSubnet.Range", 400) \
	X(InvalidVpcEndpoint, "InvalidVpcEndpointId.NotFound", 400) \
	X(InvalidVpcRange, "InvalidVpc.Range", 400) \
	X(InvalidTemplateId, "InvalidLaunchTemplateId.NotFound", 400) \
	X(InvalidTemplateName, "InvalidLaunchTemplateName.NotFoundException", 400) \
	X(InvalidTemplateNameMalformed, "InvalidLaunchTemplateName.MalformedException", 400) \
	X(InvalidTemplateVersion, "InvalidLaunchTemplateId.VersionNotFound", 400) \
	X(TemplateExists, "InvalidLaunchTemplateName.AlreadyExistsException", 400) \
	X(TemplateVersionLimit, "VersionLimitExceeded", 400) \
	X(InvalidVolumeModification, "InvalidVolumeModification.NotFound", 400) \
	X(VolumeModificationRateExceeded, "VolumeModificationRateExceeded", 400) \
	X(PeeringExists, "VpcPeeringConnectionAlreadyExists", 400) \
	X(NatGatewayLimitExceeded, "NatGatewayLimitExceeded", 400) \
	X(NatGatewayNotFound, "NatGatewayNotFound", 400) \
	X(NetworkAclEntryExists, "NetworkAclEntryAlreadyExists", 400) \
	X(NetworkAclEntryLimitExceeded, "NetworkAclEntryLimitExceeded", 400) \
	X(NetworkAclLimitExceeded, "NetworkAclLimitExceeded", 400) \
	X(PrefixListMaxEntriesExceeded, "PrefixListMaxEntriesExceeded", 400) \
	X(PrefixListVersionMismatch, "PrefixListVersionMismatch", 400) \
	X(RouteAlreadyExists, "RouteAlreadyExists", 400) \
	X(RouteLimitExceeded, "RouteLimitExceeded", 400) \
	X(RouteTableLimitExceeded, "RouteTableLimitExceeded", 400) \
	X(RulesLimitExceeded, "RulesPerSecurityGroupLimitExceeded", 400) \
	X(SecurityGroupLimitExceeded, "SecurityGroupLimitExceeded", 400) \
	X(SubnetLimitExceeded, "SubnetLimitExceeded", 400) \
	X(VpcEndpointLimitExceeded, "VpcEndpointLimitExceeded", 400) \
	X(VpcIdNotSpecified, "VPCIdNotSpecified", 400) \
	X(VpcLimitExceeded, "VpcLimitExceeded", 400) \
	X(VpcPeeringLimitExceeded, "VpcPeeringConnectionLimitExceeded", 400) \
	X(VpcCidrLimitExceeded, "VpcCidrBlockLimitExceeded", 400) \
	X(AddressLimitExceeded, "AddressLimitExceeded", 400) \
	X(OperationNotPermitted, "OperationNotPermitted", 400) \
	X(ResourceAlreadyAssociated, "Resource.AlreadyAssociated", 400) \
	X(TagLimitExceeded, "TagLimitExceeded", 400) \
	X(UnsupportedOperation, "UnsupportedOperation", 400) \
	X(VolumeInUse, "VolumeInUse", 400)

#define X(id, code, status) extern const fault_kind ec2_##id;
EC2_FAULTS(X)
#undef X
