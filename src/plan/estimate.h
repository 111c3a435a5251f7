/*
 * An estimate: what resources cost in a month, line by line, from their values and from what is told of
 * their usage, before any of them exists. The rules of data/plan say which components a resource has and how
 * much of each; price/ says what it costs, as on a bill.
 *
 * Nothing is dropped silently: a resource without a rule, one that a rule cannot compute and a component
 * without a price are gaps. A component whose usage nobody has told has a price and no quantity.
 */
#pragma once
#include "plan/rules.h"
#include "price/charge.h"

typedef struct estimate_options {
	const book *book;
	const rule_set *rules;
	/* As price calculators do: list prices, each line alone, months of 730 hours. Else as on a bill: tiers
	 * and allowances shared by all, a month of the calendar. */
	bool alone;
	account_profile profile; /* where not alone */
	int64_t month;           /* its first moment */
	int64_t today;           /* 20250701: what extended support depends on */
} estimate_options;

typedef struct estimate_line {
	const plan_resource *resource;
	str sub, component, unit, sku, region;
	bool by_usage;         /* nobody has told the usage: a price, no quantity */
	num quantity;          /* of the unit shown */
	money price;           /* of one of them */
	money amount;
	bool free;             /* covered by an allowance */
	bool elsewhere;        /* priced as in us-east-1 */
	bool doubtful;         /* not a verified price */
	struct estimate_line *next;
} estimate_line;

typedef enum gap_kind { GAP_NO_RULE, GAP_SKIPPED, GAP_NO_PRICE, GAP_MISTAKE } gap_kind;

typedef struct estimate_gap {
	gap_kind kind;
	const plan_resource *resource;
	str why;
	struct estimate_gap *next;
} estimate_gap;

typedef struct estimate {
	estimate_line *lines;
	estimate_gap *gaps;
	size_t resources, free_of_charge, n_lines;
	money total;
	bool overflow;         /* a sum passed 128 bits */
	str guessed;           /* the region that was taken where the plan says none; empty: it says */
} estimate;

estimate *estimate_make(arena *mem, plan *p, const estimate_options *o);
/* As JSON: numbers as text, exact. */
void estimate_json(buf *out, arena *mem, const estimate *e, const estimate_options *o);
/* "no rule", "not priced", "no price", "cannot be computed" */
str gap_name(gap_kind kind);
