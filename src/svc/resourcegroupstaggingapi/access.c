/*
 * What the operations are called in policies: on everything. Who tags must be allowed the service's own
 * tagging operation as well, which cloud/call.h asks.
 */
#include "cloud/authorise.h"

#define ANYWHERE(operation) { operation, NULL, "*", NULL }
ACCESS(resourcegroupstaggingapi, "resourcegroupstaggingapi", "tag",
	ANYWHERE("GetResources"), ANYWHERE("GetTagKeys"), ANYWHERE("GetTagValues"), ANYWHERE("TagResources"),
	ANYWHERE("UntagResources"));
