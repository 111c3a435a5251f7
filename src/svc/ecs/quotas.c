/* What customers are held to, as Service Quotas tells it. */
#include "cloud/quota.h"
#include "gen/ecs.h"

QUOTAS(ecs, "ecs", "Amazon Elastic Container Service (Amazon ECS)", false,
	{ "L-46458851", "Tasks per service", ECS_TASKS_MAX, true, NULL });
