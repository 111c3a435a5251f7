/*
 * Workload estimates: what amounts of usage types cost in a month, at list prices of the one price book. A
 * month is 730 hours here, as AWS's calculator has it. Nothing is metered by estimating.
 */
#pragma once
#include "base/money.h"
#include "gen/bcm-pricing-calculator.h"
#include "price/charge.h"

typedef bcm_pricing_calculator_estimate estimate_row;
typedef bcm_pricing_calculator_line line_row;

/* A line with its price. `item` NULL: the price book that is now in use lacks it. */
typedef struct priced_line {
	line_row *row;
	const price_item *item;
	const price_name *name;
	str region;
	money cost;
} priced_line;

typedef struct priced_estimate {
	priced_line *lines; /* in the order in which they were added */
	size_t n;
	money total;
	bool valid;         /* every line has a price */
} priced_estimate;

priced_estimate estimate_price(req *rq, const txn *tx, str id);
/* The amount in millionths; false when it cannot be priced. */
bool estimate_amount(double amount, int64_t *out);
/* A number of the protocol: the nearest to the exact amount. */
opt_f64 estimate_number(req *rq, i128 v, int scale);

/* The estimate, or ResourceNotFoundException. */
err estimate_find(req *rq, const txn *tx, str id, estimate_row **out);
bool estimate_match(str option, str have, str want);
