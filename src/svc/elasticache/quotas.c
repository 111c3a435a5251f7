/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/elasticache.h"

QUOTAS(elasticache, "elasticache", "Amazon ElastiCache", false,
	{ "L-DFE45DF3", "Nodes per Region", CACHE_NODES_MAX, true, NULL });
