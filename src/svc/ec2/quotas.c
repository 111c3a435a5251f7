/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/ec2.h"

QUOTAS(ec2, "ec2", "Amazon Elastic Compute Cloud (Amazon EC2)", false,
	{ "L-0263D0A3", "EC2-VPC Elastic IPs", EC2_ADDRESSES_MAX, true, NULL });
