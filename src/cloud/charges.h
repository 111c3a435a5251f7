/*
 * What an account's usage costs: joins the meter (what was used) and the price book (what it costs), for the
 * bill, Cost Explorer, Budgets and the others that talk of money. One table, many views.
 *
 * Call meter_flush before reading, where the last 100 ms matter. The transaction must stay open while the
 * bill is used: its strings point into it.
 */
#pragma once
#include "price/bill.h"
#include "store/store.h"

/* A query for this account, month and moment, with the profile the account is kept under; no groups yet. */
bill_query charges_query(arena *mem, const txn *tx, str account, int64_t month, int64_t now);
bill *charges_bill(arena *mem, const txn *tx, const bill_query *q);
/* The same with predicted usage (price/predict.h) in place of what was metered of those skus. */
bill *charges_predicted(arena *mem, const txn *tx, const bill_query *q, const use_list *predicted);

/* The month's charges by region and sku, whoever used it: sums as of the bill, in a fraction of its time. No
 * resources, no hours, no order. false: the figures are too large to be added up. */
bool charges_sums(arena *mem, const txn *tx, const bill_query *q,
                  void (*each)(void *context, const charge *c), void *context);
/* Every charge of the query's month (price/bill.h), with `more` usage that has not happened (may be NULL). */
bool charges_each(arena *mem, const txn *tx, const bill_query *q, const use_list *more,
                  void (*each)(void *context, const charge *c, money credit), void *context);

/*
 * How much later than now Cost Explorer and Budgets see usage (0 unless set before the server starts; on AWS
 * up to a day). `farthing bill` is never late.
 */
void charges_set_delay(int64_t ms);
int64_t charges_seen(int64_t now);

/* Usage of any time, as the price layer takes it. */
void charges_usage(const txn *tx, str account, int64_t from, int64_t to, int64_t now,
                   void (*use)(void *collector, const price_use *u), void *collector);

/* Changes the profile of a query from text; empty ones leave it. A sentence when one is wrong, or NULL. */
const char *charges_profile(arena *mem, bill_query *q, str profile, str opened, str credits);
/* Keeps the query's profile for its account. */
void charges_keep_profile(txn *tx, const bill_query *q);

/*
 * What a charge is of, by the names Cost Explorer and Budgets have for it (SERVICE, REGION, USAGE_TYPE ..);
 * STR_NONE for a name we do not know. Lives as long as the charge, `mem` and the transaction do.
 */
str charges_dimension(arena *mem, const txn *tx, str account, const charge *c, str dimension);
bool charges_dimension_known(str dimension);
/* Whether it is the hourly part of a reservation (of databases, of cache nodes), not of what runs. */
bool charges_reserved(const charge *c);
/* Whether a value (STR_NONE: there is none) is one of those wanted, by AWS's match options: none, or any of
 * EQUALS, ABSENT, STARTS_WITH, ENDS_WITH, CONTAINS and CASE_INSENSITIVE. */
bool charges_value_fits(arena *mem, str have, const str *wanted, size_t n, const str *options,
                        size_t n_options);
/* AWS's name of the unit: Hrs, GB-Mo, Requests; and how many of it the charge is of, in 10^-12. */
str charges_unit(const charge *c);
i128 charges_quantity(const charge *c);

/*
 * Usage to come until `to`: the flow of this month so far, a piece a day, at its average rate. What exists by
 * the hour needs none: asked with a later `now`, it accrues. Strings are copied into `mem`. false: nothing
 * has been used this month, so nothing can be said.
 */
bool charges_flow(arena *mem, const txn *tx, str account, int64_t now, int64_t to, use_list *out);
