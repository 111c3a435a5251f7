/* What bears tags, and how they are read and changed. */
#include "cloud/tagged.h"

#define OF "\"ResourceName\":$arn"
#define KIND(kind, operation, items, arn_) { .type = "rds:" kind, .at = kind ":", \
	.list = { operation, NULL, items }, .arn = arn_, TAGGED_PAGES("Marker"), \
	.read = { "ListTagsForResource", OF, "TagList" }, \
	.tag = { "AddTagsToResource", OF ",\"Tags\":$Key", NULL }, \
	.untag = { "RemoveTagsFromResource", OF ",\"TagKeys\":$keys", NULL } }
TAGGED(rds, "rds",
	KIND("db", "DescribeDBInstances", "DBInstances", "DBInstanceArn"),
	KIND("cluster", "DescribeDBClusters", "DBClusters", "DBClusterArn"),
	KIND("snapshot", "DescribeDBSnapshots", "DBSnapshots", "DBSnapshotArn"),
	KIND("cluster-snapshot", "DescribeDBClusterSnapshots", "DBClusterSnapshots", "DBClusterSnapshotArn"),
	KIND("subgrp", "DescribeDBSubnetGroups", "DBSubnetGroups", "DBSubnetGroupArn"),
	KIND("pg", "DescribeDBParameterGroups", "DBParameterGroups", "DBParameterGroupArn"),
	KIND("cluster-pg", "DescribeDBClusterParameterGroups", "DBClusterParameterGroups",
	"DBClusterParameterGroupArn"),
	KIND("es", "DescribeEventSubscriptions", "EventSubscriptionsList", "EventSubscriptionArn"),
	KIND("og", "DescribeOptionGroups", "OptionGroupsList", "OptionGroupArn"),
	KIND("db-proxy", "DescribeDBProxies", "DBProxies", "DBProxyArn"));
