/* What the operations are called in policies; AWS names them as resources too. */
#include "cloud/authorise.h"

#define ON(operation) { operation, NULL, "arn:aws:ce:us-east-1:{account}:/" operation, NULL }
ACCESS(ce, "ce", NULL,
	ON("GetCostAndUsage"), ON("GetCostAndUsageWithResources"), ON("GetCostForecast"),
	ON("GetUsageForecast"), ON("GetDimensionValues"), ON("GetTags"), ON("GetCostCategories"),
	ON("GetReservationUtilization"), ON("GetReservationCoverage"), ON("GetSavingsPlansUtilization"),
	ON("GetSavingsPlansCoverage"), ON("GetRightsizingRecommendation"), ON("GetAnomalies"),
	ON("GetAnomalyMonitors"), ON("GetAnomalySubscriptions"), ON("GetCostAndUsageComparisons"),
	ON("GetCostComparisonDrivers"));
