/*
 * Workload estimates: what amounts of usage types cost in a month, at list prices of the one price book. A
 * month is 730 hours there, as AWS's calculator has it.
 *
 * Bill scenarios: the account's usage of the last month that is over, and usage that is added to it. A bill
 * estimate prices both as the bill does (tiers, free allowances, credits), and stays as it was made.
 *
 * Nothing is metered by estimating.
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

/* ResourceNotFoundException of "Bill Scenario ID not found"; the kind without its blanks. */
err calculator_missing(req *rq, const char *kind, str id);
/* ServiceQuotaExceededException, when so many of the kind are kept. */
err calculator_room(req *rq, size_t kept, const char *kind);
/* The id that a token of this kind was answered with before; STR_NONE when it is new. */
str calculator_told(req *rq, const txn *tx, const char *kind, str token);
void calculator_tell(req *rq, txn *tx, const char *kind, str token, str id);
bool calculator_time_fits(const bcm_pricing_calculator_FilterTimestamp *f, int64_t when);
/* Whether what one has is among what is wanted. STR_NONE never is. */
bool calculator_fits(str option, str have, const str *want, size_t n);
/* Where a page of things by their ids begins: moves the scan behind the token, or closes it and fails. */
err calculator_list(req *rq, record_scan *scan, str token, opt_i64 wanted, size_t *most);
/*
 * Fills a page: three lists have the same members in types of their own. `show(row, item)` says what an item
 * is, `fits(in, item)` whether it is asked for.
 */
#define CALCULATOR_LIST(rq, in, out, scan, row, next, show, fits) \
	do { \
		size_t most_; \
		TRY(calculator_list(rq, &(scan), (in)->nextToken, (in)->maxResults, &most_)); \
		(out)->items.v = arena_array((rq)->mem, __typeof__(*(out)->items.v), most_ + 1); \
		while (((row) = next(&(scan)))) { \
			__typeof__((out)->items.v) one_ = &(out)->items.v[(out)->items.n]; \
			*one_ = (__typeof__(*one_)){ 0 }; \
			show(row, one_); \
			if (!fits(in, one_)) \
				continue; \
			if ((out)->items.n == most_) { \
				(out)->nextToken = page_token(rq, (out)->items.v[most_ - 1].id); \
				break; \
			} \
			(out)->items.n++; \
		} \
		cursor_close(&(scan).at); \
	} while (0)
/* By name or status, and by the times of creation and expiry. */
#define CALCULATOR_FILTERED(in, one) \
	({ \
		bool fits_ = calculator_time_fits((in)->createdAtFilter, (one)->createdAt.v) && \
			     calculator_time_fits((in)->expiresAtFilter, (one)->expiresAt.v); \
		for (size_t i_ = 0; fits_ && i_ < (in)->filters.n; i_++) { \
			str have_ = str_eq((in)->filters.v[i_].name, S("NAME")) ? (one)->name : (one)->status; \
			fits_ = calculator_fits((in)->filters.v[i_].matchOption, have_, (in)->filters.v[i_].values.v, \
			                        (in)->filters.v[i_].values.n); \
		} \
		fits_; \
	})
/* The estimate, or ResourceNotFoundException. */
err estimate_find(req *rq, const txn *tx, str id, estimate_row **out);

typedef bcm_pricing_calculator_scenario scenario_row;
typedef bcm_pricing_calculator_change change_row;
typedef bcm_pricing_calculator_bill bill_row;
typedef bcm_pricing_calculator_BillScenarioUsageModificationItem change_item;

err scenario_find(req *rq, const txn *tx, str id, scenario_row **out);
err bill_find(req *rq, const txn *tx, str id, bill_row **out);
/* What is added by a scenario, or was by a bill estimate, in the order in which it was. */
change_row **changes_of(req *rq, const txn *tx, str owner, size_t *n);
void changes_drop(req *rq, txn *tx, str owner);
bool change_fits(const change_item *c, const bcm_pricing_calculator_ListUsageFilters *filters);
/* A page of `n` things by their numbers: where it begins, and its token when more follow. */
err calculator_page(req *rq, str token, int64_t *after);

typedef struct priced_bill {
	bcm_pricing_calculator_BillEstimateLineItemSummary *lines;
	size_t n;
	bcm_pricing_calculator_BillEstimateCostSummary *costs;
} priced_bill;
/* The month as it was, and as it would have been with the changes. */
err bill_price(req *rq, const txn *tx, const bcm_pricing_calculator_BillInterval *month, change_row **changes,
               size_t n_changes, priced_bill *out);
/* The amount in parts of the item's unit, as the meter counts; false: it is too large. */
bool bill_quantity_of(const price_item *item, double amount, int64_t month_hours, int64_t *out);
