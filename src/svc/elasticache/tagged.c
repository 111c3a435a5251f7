/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define OF "\"ResourceName\":$arn"
#define KIND(kind, operation, items, arn_) { .type = "elasticache:" kind, .at = kind ":", \
	.list = { operation, NULL, items }, .arn = arn_, TAGGED_PAGES("Marker"), \
	.read = { "ListTagsForResource", OF, "TagList" }, \
	.tag = { "AddTagsToResource", OF ",\"Tags\":$Key", NULL }, \
	.untag = { "RemoveTagsFromResource", OF ",\"TagKeys\":$keys", NULL } }
TAGGED(elasticache, "elasticache",
	KIND("cluster", "DescribeCacheClusters", "CacheClusters", "ARN"),
	KIND("replicationgroup", "DescribeReplicationGroups", "ReplicationGroups", "ARN"),
	KIND("subnetgroup", "DescribeCacheSubnetGroups", "CacheSubnetGroups", "ARN"),
	KIND("parametergroup", "DescribeCacheParameterGroups", "CacheParameterGroups", "ARN"),
	KIND("snapshot", "DescribeSnapshots", "Snapshots", "ARN"),
	KIND("user", "DescribeUsers", "Users", "ARN"),
	KIND("usergroup", "DescribeUserGroups", "UserGroups", "ARN"),
	KIND("reserved-instance", "DescribeReservedCacheNodes", "ReservedCacheNodes", "ReservationARN"));
