/* What the operations are called in policies; AWS names them as resources too. */
#include "cloud/authorise.h"

#define ON(operation) { operation, NULL, "arn:aws:ce:us-east-1:{account}:/" operation, NULL }
ACCESS(ce, "ce", NULL,
	ON("GetCostAndUsage"), ON("GetCostAndUsageWithResources"), ON("GetCostForecast"),
	ON("GetUsageForecast"), ON("GetDimensionValues"), ON("GetTags"), ON("GetCostCategories"),
	ON("GetReservationUtilization"), ON("GetReservationCoverage"), ON("GetSavingsPlansUtilization"),
	ON("GetSavingsPlansCoverage"), ON("GetRightsizingRecommendation"), ON("GetAnomalies"),
	ON("GetAnomalyMonitors"), ON("GetAnomalySubscriptions"), ON("GetCostAndUsageComparisons"),
	ON("GetCostComparisonDrivers"),
	ON("CreateAnomalyMonitor"), ON("CreateAnomalySubscription"), ON("CreateCostCategoryDefinition"),
	ON("DeleteAnomalyMonitor"), ON("DeleteAnomalySubscription"), ON("DeleteCostCategoryDefinition"),
	ON("DescribeCostCategoryDefinition"), ON("GetApproximateUsageRecords"),
	ON("GetCommitmentPurchaseAnalysis"), ON("GetReservationPurchaseRecommendation"),
	ON("GetSavingsPlanPurchaseRecommendationDetails"), ON("GetSavingsPlansPurchaseRecommendation"),
	ON("GetSavingsPlansUtilizationDetails"), ON("ListCommitmentPurchaseAnalyses"),
	ON("ListCostAllocationTagBackfillHistory"), ON("ListCostAllocationTags"),
	ON("ListCostCategoryDefinitions"), ON("ListCostCategoryResourceAssociations"),
	ON("ListSavingsPlansPurchaseRecommendationGeneration"), ON("ListTagsForResource"),
	ON("ProvideAnomalyFeedback"), ON("StartCommitmentPurchaseAnalysis"),
	ON("StartCostAllocationTagBackfill"), ON("StartSavingsPlansPurchaseRecommendationGeneration"),
	ON("TagResource"), ON("UntagResource"), ON("UpdateAnomalyMonitor"), ON("UpdateAnomalySubscription"),
	ON("UpdateCostAllocationTagsStatus"), ON("UpdateCostCategoryDefinition"));
