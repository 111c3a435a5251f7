/*
 * The price book: what one unit of anything costs, in which region, in which tier, and what of it is free.
 *
 * A book is built once and then only read, from any thread. The built-in one (data/prices) is the ground;
 * files that the user brings replace the items they name and leave the rest. Everything lives in the arena
 * the book was made in. Numbers are exact: prices in 10^-12 USD, tiers and allowances in millionths of the
 * unit (base/money.h).
 *
 * A sku that the asked region lacks is looked up in us-east-1 and the answer says so.
 */
#pragma once
#include "base/err.h"
#include "base/money.h"
#include "price/names.h"

#define PRICE_HOME_REGION S("us-east-1")
#define PRICE_NO_END INT64_MAX

typedef enum free_kind { FREE_NONE, FREE_ALWAYS, FREE_12_MONTHS, FREE_TRIAL, FREE_CREDIT } free_kind;
typedef enum price_status {
	PRICE_UNVERIFIED, PRICE_WEAK, PRICE_VERIFIED, PRICE_VERIFIED_MULTI, PRICE_OF_USER,
} price_status;

/* One allowance, of one sku or shared by several. */
typedef struct free_pool {
	str name;
	int64_t allowance;    /* a month */
	free_kind kind;
	bool per_region;      /* else one for the account */
	bool before_tiers;    /* tiers begin after the free units */
	bool weak;            /* the allowance itself is not well sourced */
	size_t index;         /* 0 .. book_pools - 1 */
	struct free_pool *next;
} free_pool;

typedef struct price_tier {
	int64_t from, to;     /* PRICE_NO_END: the last */
	int64_t usd;
	price_status status;
	str as_of, source;
	int64_t read;         /* the moment of as_of, the latest that it can mean; 0: undated */
} price_tier;

typedef struct price_item {
	str region, service, sku, title, unit, metering, note;
	bool monthly;         /* unit-months: metered in unit-hours */
	price_tier *tiers;
	size_t n_tiers;
	free_pool *pool;      /* or NULL */
	const price_name *name; /* AWS's; NULL when it has none */
	bool unsold;          /* no product of AWS's Price List: a ratio, or what is always free */
	size_t index;         /* 0 .. book_items - 1 */
} price_item;

typedef struct book book;

/* The prices that are built in. */
book *book_built_in(arena *mem);
/* Rows in the format of data/prices/us-east-1.csv laid over the book; a fault names the line. `name` is for
 * faults, `region` for rows without a region column. */
err book_add_csv(book *b, str text, str name, str region, price_status or_user);
/* Shared allowances, in the format of data/prices/pools.csv. */
err book_add_pools(book *b, str text, str name);

/* NULL: nobody knows its price. `elsewhere` (may be NULL): the price is another region's. */
const price_item *book_find(const book *b, str region, str sku, bool *elsewhere);
size_t book_items(const book *b);
const price_item *book_item(const book *b, size_t index);
size_t book_pools(const book *b);
/* "Amazon Simple Queue Service" of AWSQueueService; the code itself when it has no name. */
str book_service_name(const book *b, str service);
/* "US East (N. Virginia)" of us-east-1; the code itself when it has no name. */
str book_location(const book *b, str region);
/* USE1 of us-east-1: what usage types begin with; the code itself when it is not known. */
str book_region_prefix(const book *b, str region);
/* What AWS's bill calls usage of the item in a region: "EUC1-Request"; our sku when AWS's name is not known.
 * `name` is one of the item's, NULL for its first. */
str price_usage_type(arena *mem, const book *b, const price_item *item, const price_name *name, str region);
/* The reverse: which item AWS's service code, usage type and operation (may be empty) mean; the item is the
 * region's where the book has it. NULL: none. `name` may be NULL. */
const price_item *book_find_usage(const book *b, str service, str usage_type, str operation, str *region,
                                  const price_name **name);
/* FOCUS's ServiceCategory, and the ServiceSubcategory below it. */
str book_service_category(const book *b, str service);
str book_service_subcategory(const book *b, str service);
/* "first 10,240 GB", "next 40,960 GB", "over 153,600 GB"; empty when there is one tier. */
str price_tier_name(arena *mem, const price_item *item, const price_tier *tier);
str price_status_name(price_status s);
/* Whether the bill must mark it: not verified, undated, or older than a year at `now`. */
bool price_doubtful(const price_tier *t, int64_t now);

/* The book in use: the built-in one, or what price_book_use has set. Set before the first request. */
const book *price_book(void);
void price_book_use(const book *b);
