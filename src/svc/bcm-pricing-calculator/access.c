/* What the operations are called in policies, and on which estimates they act. */
#include "cloud/authorise.h"

#define ON(operation) { operation, NULL, "workload-estimate/{identifier}", NULL }
#define ON_USAGE(operation) { operation, NULL, "workload-estimate/{workloadEstimateId}", NULL }
#define ON_ARN(operation) { operation, NULL, "{arn}", NULL }
#define ON_ALL(operation) { operation, NULL, "*", NULL }
#define ON_SCENARIO(operation) { operation, NULL, "bill-scenario/{identifier}", NULL }
#define IN_SCENARIO(operation) { operation, NULL, "bill-scenario/{billScenarioId}", NULL }
#define ON_BILL(operation) { operation, NULL, "bill-estimate/{identifier}", NULL }
#define IN_BILL(operation) { operation, NULL, "bill-estimate/{billEstimateId}", NULL }
ACCESS(bcm_pricing_calculator, "bcm-pricing-calculator", NULL,
	ON("GetWorkloadEstimate"), ON("UpdateWorkloadEstimate"), ON("DeleteWorkloadEstimate"),
	ON_ALL("CreateWorkloadEstimate"), ON_ALL("ListWorkloadEstimates"), ON_ALL("GetPreferences"),
	ON_ALL("UpdatePreferences"), ON_USAGE("ListWorkloadEstimateUsage"),
	ON_USAGE("BatchCreateWorkloadEstimateUsage"), ON_USAGE("BatchUpdateWorkloadEstimateUsage"),
	ON_USAGE("BatchDeleteWorkloadEstimateUsage"), ON_ARN("TagResource"), ON_ARN("UntagResource"),
	ON_ARN("ListTagsForResource"), ON_ALL("CreateBillScenario"), ON_ALL("ListBillScenarios"),
	ON_SCENARIO("GetBillScenario"), ON_SCENARIO("UpdateBillScenario"), ON_SCENARIO("DeleteBillScenario"),
	IN_SCENARIO("BatchCreateBillScenarioUsageModification"),
	IN_SCENARIO("BatchUpdateBillScenarioUsageModification"),
	IN_SCENARIO("BatchDeleteBillScenarioUsageModification"),
	IN_SCENARIO("ListBillScenarioUsageModifications"),
	IN_SCENARIO("BatchUpdateBillScenarioCommitmentModification"),
	IN_SCENARIO("BatchDeleteBillScenarioCommitmentModification"),
	IN_SCENARIO("ListBillScenarioCommitmentModifications"), IN_SCENARIO("CreateBillEstimate"),
	ON_ALL("ListBillEstimates"), ON_BILL("GetBillEstimate"), ON_BILL("UpdateBillEstimate"),
	ON_BILL("DeleteBillEstimate"), IN_BILL("ListBillEstimateLineItems"),
	IN_BILL("ListBillEstimateInputUsageModifications"),
	IN_BILL("ListBillEstimateInputCommitmentModifications"), IN_BILL("ListBillEstimateCommitments"));
