/*
 * EC2's errors. Its model names none of them.
 */
#pragma once
#include "base/err.h"

#define EC2_FAULTS(X) \
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
	X(InvalidGroupInUse, "DependencyViolation", 400) \
	X(InvalidInstance, "InvalidInstanceID.NotFound", 400) \
	X(InvalidInstanceMalformed, "InvalidInstanceID.Malformed", 400) \
	X(InvalidInstanceType, "InvalidInstanceType", 400) \
	X(InsufficientAddresses, "InsufficientFreeAddressesInSubnet", 400) \
	X(InvalidIPInUse, "InvalidIPAddress.InUse", 400) \
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
	X(AddressLimitExceeded, "AddressLimitExceeded", 400) \
	X(OperationNotPermitted, "OperationNotPermitted", 400) \
	X(ResourceAlreadyAssociated, "Resource.AlreadyAssociated", 400) \
	X(TagLimitExceeded, "TagLimitExceeded", 400) \
	X(UnsupportedOperation, "UnsupportedOperation", 400) \
	X(VolumeInUse, "VolumeInUse", 400)

#define X(id, code, status) extern const fault_kind ec2_##id;
EC2_FAULTS(X)
#undef X
