/*
 * AWS Budgets: limits on what the charge table says (cloud/charges.h), and alerts when they are crossed.
 *
 * An alert has a state for the current period of its budget: it rings once, on the first crossing (a
 * forecasted one again after it has fallen back). States are brought up to date by a thread that looks when
 * something has been written, and on Farthing's clock three times a day, also while it is being turned.
 */
#pragma once
#include "base/money.h"
#include "cloud/charges_category.h"
#include "gen/budgets.h"
#include "price/charge.h"

typedef struct budget_period {
	int64_t from, to;
} budget_period;

/* What a budget measures: USD in 10^-18, or units in 10^-12 for USAGE. */
typedef struct budget_spend {
	budget_period period;
	i128 actual, forecast, limit;
	bool has_limit;
	bool unknown;      /* there is nothing that the limit could be compared with */
	int64_t periods;   /* whose mean is the limit, for a budget that adjusts to its history */
	int scale;
	str unit;
} budget_spend;

/* Only what is one's own can be seen or changed. */
err budget_own_account(req *rq, str account);
err budget_check(req *rq, str account, budgets_Budget *b);
str budget_arn(arena *mem, str account, str name);
err budget_find(req *rq, const txn *tx, str account, str name, budgets_budget **out);

/* Of reservations or Savings Plans, of which nobody here has any. */
bool budget_of_commitments(const budgets_Budget *b);
budget_period budget_period_of(const budgets_Budget *b, int64_t now);
budget_period budget_period_before(const budgets_Budget *b, budget_period p);
/* What has been spent in the period until `now`; with_forecast also until its end. */
err budget_spend_of(arena *mem, const txn *tx, str account, const budgets_Budget *b, budget_period p,
                    int64_t now, bool with_forecast, budget_spend *out);

/* A budget's view of charges, as long as the transaction is open. */
typedef struct budget_lens {
	arena *mem;
	str account;
	const budgets_Budget *budget;
	const txn *tx;
	charges_tags *tags;
	charges_categories *categories;
} budget_lens;
/* Whether it counts a charge, or the credit that pays for it. */
bool budget_counts(const budget_lens *l, const charge *c, bool credit);
err budget_filters_check(req *rq, const budgets_Budget *b);
/* Whether what resources are tagged with must be known; rules of cost categories may ask for it too. */
bool budget_asks_tags(const budgets_Budget *b);

/* Whether alerts and actions of this type can be had: nobody foretells a day, or commitments. */
err budget_forecast_check(req *rq, const budgets_Budget *b, str notification_type);
budgets_Spend *budget_amount(arena *mem, const budget_spend *s, i128 amount);

/* One alert's identity within its budget, as text; empty when the threshold is no number. */
str alert_id(arena *mem, const budgets_Notification *n);
/* Whether the alert's condition holds; *threshold is what it compares with. */
bool alert_crossed(const budgets_Notification *n, const budget_spend *s, i128 *threshold);
str alert_text(arena *mem, str account, const budgets_Budget *b, const budgets_Notification *n,
               const budget_spend *s);

err alert_put(req *rq, txn *tx, str budget, const budgets_Notification *n, const budgets_Subscribers *to);
err alert_subscribers_check(req *rq, const budgets_Subscribers *to);
/* From now on somebody looks at this account's budgets. */
void alerts_arm(txn *tx, int64_t now);
