/*
 * What the operations are called in policies, and on which groups and streams they act.
 */
#include "cloud/authorise.h"
#include "logs.h"

#define ON_GROUP(operation) { operation, NULL, "log-group:{logGroupName}", NULL }
#define ON_STREAM(operation) { operation, NULL, "log-group:{logGroupName}:log-stream:{logStreamName}", NULL }
#define ON_ARN(operation) { operation, NULL, "{resourceArn}", NULL }
ACCESS(logs, "logs", NULL,
	ON_GROUP("CreateLogGroup"), ON_GROUP("DeleteLogGroup"), ON_GROUP("PutRetentionPolicy"),
	ON_GROUP("DeleteRetentionPolicy"), ON_GROUP("DescribeLogStreams"), ON_GROUP("FilterLogEvents"),
	ON_GROUP("TagLogGroup"), ON_GROUP("UntagLogGroup"), ON_GROUP("ListTagsLogGroup"),
	ON_GROUP("PutMetricFilter"), ON_GROUP("DeleteMetricFilter"), ON_GROUP("PutSubscriptionFilter"),
	ON_GROUP("DeleteSubscriptionFilter"), ON_GROUP("DescribeSubscriptionFilters"),
	{ "DescribeLogGroups", NULL, "log-group:{logGroupNamePrefix}", NULL },
	ON_GROUP("CreateLogStream"), ON_STREAM("DeleteLogStream"), ON_STREAM("PutLogEvents"),
	ON_STREAM("GetLogEvents"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
