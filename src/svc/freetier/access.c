/* What the operations are called in policies; they have no resources. */
#include "cloud/authorise.h"

ACCESS(freetier, "freetier", NULL,
	{ "GetFreeTierUsage", NULL, "*", NULL }, { "GetAccountPlanState", NULL, "*", NULL },
	{ "UpgradeAccountPlan", NULL, "*", NULL }, { "ListAccountActivities", NULL, "*", NULL },
	{ "GetAccountActivity", NULL, "*", NULL });
