/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/ec2.h"

QUOTAS(ec2, "ec2", "Amazon Elastic Compute Cloud (Amazon EC2)", false,
	{ "L-0263D0A3", "EC2-VPC Elastic IPs", EC2_ADDRESSES_MAX, true, NULL });
QUOTAS(vpc, "vpc", "Amazon Virtual Private Cloud (Amazon VPC)", false,
	{ "L-F678F1CE", "VPCs per Region", EC2_VPCS_MAX, true, NULL },
	{ "L-A4707A72", "Internet gateways per Region", EC2_INTERNET_GATEWAYS_MAX, true, NULL },
	{ "L-407747CB", "Subnets per VPC", EC2_SUBNETS_MAX, true, NULL },
	{ "L-E79EC296", "VPC security groups per Region", EC2_GROUPS_MAX, true, NULL },
	{ "L-0EA8095F", "Inbound or outbound rules per security group", EC2_RULES_MAX, true, NULL },
	{ "L-FE5A380F", "NAT gateways per Availability Zone", EC2_NAT_PER_ZONE_MAX, true, NULL },
	{ "L-83CA0A9D", "IPv4 CIDR blocks per VPC", EC2_VPC_CIDRS_MAX, true, NULL },
	{ "L-589F43AA", "Route tables per VPC", EC2_ROUTE_TABLES_MAX, true, NULL },
	{ "L-93826ACB", "Routes per route table", EC2_ROUTES_MAX, true, NULL },
	{ "L-2AEEBF1A", "Rules per network ACL", EC2_ACL_RULES_MAX, true, NULL },
	{ "L-B4A6D682", "Network ACLs per VPC", EC2_NETWORK_ACLS_MAX, true, NULL },
	{ "L-1B52E74A", "Gateway VPC endpoints per Region", EC2_GATEWAY_ENDPOINTS_MAX, true, NULL },
	{ "L-29B6F2EB", "Interface VPC endpoints per VPC", EC2_INTERFACE_ENDPOINTS_MAX, true, NULL },
	{ "L-7E9ECCDB", "Active VPC peering connections per VPC", EC2_PEERINGS_MAX, true, NULL });
