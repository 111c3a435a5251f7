/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/lambda.h"

QUOTAS(lambda, "lambda", "AWS Lambda", false,
	{ "L-B99A9384", "Concurrent executions", LAMBDA_CONCURRENCY, true, NULL },
	{ "L-2ACBD22F", "Function and layer storage", LAMBDA_STORAGE_BYTES >> 30, true, "Gigabytes" });
