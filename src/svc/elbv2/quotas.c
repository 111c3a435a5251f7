/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/elbv2.h"

QUOTAS(elbv2, "elasticloadbalancing", "Elastic Load Balancing (ELB)", false,
	{ "L-53DA6B97", "Application Load Balancers per Region", ELBV2_ALB_MAX, true, NULL },
	{ "L-69A177A2", "Network Load Balancers per Region", ELBV2_NLB_MAX, true, NULL },
	{ "L-B22855CB", "Target Groups per Region", ELBV2_GROUPS_MAX, true, NULL },
	{ "L-B6DF7632", "Listeners per Application Load Balancer", ELBV2_LISTENERS_MAX, true, NULL });
