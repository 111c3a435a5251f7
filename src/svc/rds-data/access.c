/* What the operations are called in policies; they act on the cluster whose ARN they name. */
#include "cloud/authorise.h"

#define ON(operation) { operation, NULL, "{resourceArn}", NULL }
ACCESS(rds_data, "rds-data", NULL,
	ON("ExecuteStatement"), ON("BatchExecuteStatement"), ON("BeginTransaction"), ON("CommitTransaction"),
	ON("RollbackTransaction"), { "ExecuteSql", NULL, "{dbClusterOrInstanceArn}", NULL });
