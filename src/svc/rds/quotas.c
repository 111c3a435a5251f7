/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/rds.h"

QUOTAS(rds, "rds", "Amazon Relational Database Service (Amazon RDS)", false,
	{ "L-7B6409FD", "DB instances", RDS_INSTANCES_MAX, true, NULL },
	{ "L-7ADDB58A", "Total storage for all DB instances", RDS_STORAGE_GIB_MAX, true, "Gigabytes" },
	{ "L-D94C7EA3", "Proxies", RDS_PROXIES_MAX, true, NULL },
	{ "L-9FA33840", "Option groups", RDS_OPTION_GROUPS_MAX, true, NULL },
	{ "L-A59F4C87", "Event subscriptions", RDS_SUBSCRIPTIONS_MAX, true, NULL });
