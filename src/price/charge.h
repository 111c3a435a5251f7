/*
 * Pricing: from usage to charges, for one account and one calendar month.
 *
 * A `pricing` holds how far every tier and every free allowance has been used. Usage is handed to it in the
 * order of time; each piece comes back as one or more charges: a free part, a part in the first tier, and
 * so on. What a piece costs is the difference of the exact month-to-date cost after and before it, each
 * rounded once at 10^-18 USD: however the month's usage is cut into pieces, the charges add up to the same.
 */
#pragma once
#include "price/book.h"

typedef enum account_profile {
	PROFILE_PAID,    /* always-free offers only: an account that has used up what new ones get */
	PROFILE_LEGACY,  /* opened before 2025-07-15: 12-month offers as well, for its first 12 months */
	PROFILE_CREDITS, /* opened since: credits instead of 12-month offers */
	PROFILE_LIST,    /* nothing free: list prices */
} account_profile;

bool profile_named(str name, account_profile *out);
str profile_name(account_profile p);

typedef struct pricing_options {
	const book *book;
	account_profile profile;
	int64_t month;        /* its first moment */
	int64_t opened;       /* PROFILE_LEGACY: 12-month offers end on this day a year later */
	int64_t month_hours;  /* 0: as the calendar has them; 730 in comparisons with price calculators */
} pricing_options;

typedef struct price_use {
	str region, sku, resource;
	int64_t when;         /* the hour */
	int64_t quantity;     /* in parts of the unit */
	int64_t per;          /* parts of one unit; a million mostly */
	bool resident;        /* by existing, not by a request */
	bool forecast;        /* has not happened yet */
	bool predicted;       /* somebody expects it (price/predict.h) */
} price_use;

typedef struct charge {
	const price_use *use;
	const price_item *item;   /* NULL: unknown to the price book, amount 0 */
	const price_tier *tier;
	bool free;                /* covered by the allowance; `tier` is what it would have fallen into */
	bool elsewhere;           /* priced as in us-east-1 */
	i128 quantity;            /* of this charge, in parts */
	int64_t parts;            /* of one priced unit: per, times the month's hours where it is monthly */
	money amount;
} charge;

typedef struct pricing pricing;
pricing *pricing_open(arena *mem, const pricing_options *o);
void pricing_add(pricing *p, const price_use *u, void (*each)(void *context, const charge *c), void *context);
/* Quantities or amounts passed 128 bits, which nothing real does: the sums are not to be trusted. */
bool pricing_overflow(const pricing *p);
int64_t pricing_month_hours(const pricing *p);
/* What of an allowance has been used, in millionths of the unit. */
typedef struct free_use {
	const free_pool *pool;
	const price_item *item;  /* one of those that share it */
	str region;              /* empty: the account's */
	i128 used, allowance;
	money worth;             /* what the free part would have cost */
} free_use;
void pricing_free_each(pricing *p, void (*each)(void *context, const free_use *f), void *context);

/* First moments of this month and of the one `months` later. */
int64_t month_of(int64_t when);
int64_t month_after(int64_t month, int months);
/* The same day so many months later, or that month's last when it has no such day. */
int64_t date_after(int64_t when, int months);
/* Whether an allowance of this kind ends while the month lasts: then the order of its usage matters. */
bool offer_ends_within(const pricing_options *o, free_kind kind);
