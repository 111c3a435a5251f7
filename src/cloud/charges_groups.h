/* What Cost Explorer and Budgets call USAGE_TYPE_GROUP: usage types that measure the same. */
#pragma once
#include "price/charge.h"

/* "EC2: Running Hours"; NoUsageTypeGroup where AWS has put it in none that we know. */
str charges_usage_type_group(const charge *c);
