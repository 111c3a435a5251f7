/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/dynamodb.h"

QUOTAS(dynamodb, "dynamodb", "Amazon DynamoDB", false,
	{ "L-F7858A77", "Global Secondary Indexes per table", DDB_GSI_MAX, true, NULL });
