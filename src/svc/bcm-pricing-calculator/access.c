/* What the operations are called in policies, and on which estimates they act. */
#include "cloud/authorise.h"

#define ON(operation) { operation, NULL, "workload-estimate/{identifier}", NULL }
#define ON_USAGE(operation) { operation, NULL, "workload-estimate/{workloadEstimateId}", NULL }
#define ON_ARN(operation) { operation, NULL, "{arn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
ACCESS(bcm_pricing_calculator, "bcm-pricing-calculator", NULL,
	ON("GetWorkloadEstimate"), ON("UpdateWorkloadEstimate"), ON("DeleteWorkloadEstimate"),
	ON_ALL("CreateWorkloadEstimate"), ON_ALL("ListWorkloadEstimates"), ON_ALL("GetPreferences"),
	ON_ALL("UpdatePreferences"), ON_USAGE("ListWorkloadEstimateUsage"),
	ON_USAGE("BatchCreateWorkloadEstimateUsage"), ON_USAGE("BatchUpdateWorkloadEstimateUsage"),
	ON_USAGE("BatchDeleteWorkloadEstimateUsage"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"));
