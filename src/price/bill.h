/*
 * The bill of one account and one month: usage priced, grouped, added up, and carried forward to
 * the end of the month. Knows nothing of where usage lies: a source hands it over.
 *
 * Amounts are exact to 10^-18 USD. Whoever prints fewer digits rounds each line half away from zero
 * and adds up what it printed, so that a reader's sum is the total; the amount due is the exact sum
 * rounded to cents.
 */
#pragma once
#include "base/buf.h"
#include "price/charge.h"

typedef enum bill_by {
	BY_SERVICE, BY_RESOURCE, BY_METER, BY_TAG, BY_TAGS, BY_DAY, BY_HOUR, BY_REGION, BY_ACCOUNT, BY_KINDS,
} bill_by;
bool bill_by_named(str name, bill_by *out);
str bill_by_name(bill_by by);

typedef struct bill_source {
	/* Hands over the usage of hours in [from, to), residents accrued up to `now`, in any order. The
	 * strings must live as long as the bill's arena. */
	void (*usage)(void *context, int64_t from, int64_t to, int64_t now,
	              void (*use)(void *collector, const price_use *u), void *collector);
	/* What a tag of the resource was when it was used; STR_NONE: it had none. NULL: nothing has tags. */
	str (*tag)(void *context, const price_use *u, str key);
	/* All of them, {"key":"value",..}. NULL with `tag`. */
	str (*tags)(void *context, const price_use *u);
	/* The zone that the resource is in, for lines by resource. NULL, STR_NONE: in none. */
	str (*zone)(void *context, const price_use *u);
	void *context;
} bill_source;

typedef struct bill_query {
	const book *book;
	str account, tag_key;
	int64_t month, now;
	account_profile profile;
	int64_t opened;      /* legacy offers and credits begin here */
	money credits;       /* granted at `opened`, for PROFILE_CREDITS */
	bool upgraded;       /* from the free plan, which ends after half a year: credits last a whole one */
	bill_by by[BY_KINDS];
	size_t n_by;
	bool list_months;    /* months of 730 hours, as price calculators have them */
} bill_query;

typedef struct bill_line {
	str group[BY_KINDS];
	str service, sku, zone;
	const price_item *item;    /* NULL: its price is not known */
	const price_tier *tier;
	bool free, elsewhere, predicted;
	i128 quantity;             /* / parts = units */
	int64_t parts;
	money amount, credit;      /* credits pay so much of it */
	struct bill_line *next;
} bill_line;

typedef struct bill {
	bill_query query;
	int64_t from, to, until;   /* the month, and how much of it has passed */
	int64_t month_hours;
	bill_line *lines;          /* sorted by their groups, then service, sku, tier */
	size_t n_lines, n_uses, n_unpriced;
	money total;               /* of the usage so far */
	money credits_before, credits_used; /* left when the month began; used in it */
	int64_t credits_end;       /* when they ran out or ended in what has passed of the month; or 0 */
	int64_t credits_last;      /* when they will, if it goes on like this; 0: they have, or nobody can say */
	free_use *free;
	size_t n_free;
	money forecast;            /* of the whole month, usage so far included */
	bill_line *forecast_lines; /* grouped by service */
	free_use *forecast_free;   /* as `free`, at the end of the month */
	size_t n_forecast_free;
	bool overflow;
} bill;

bill *bill_make(arena *mem, const bill_query *q, const bill_source *s);
/* Every charge of the month in the order of time, with what credits take of it: for views of their own.
 * false: the figures are too large to be added up. */
bool bill_charges(arena *mem, const bill_query *q, const bill_source *s,
                  void (*each)(void *context, const charge *c, money credit), void *context);
/* When what is left of the credits does. */
int64_t bill_credits_expire(const bill_query *q);
/* What is to be paid: the total less credits, in whole cents. */
money bill_due(const bill *b);

/* "4.838709677419": in units, rounded half away from zero to at most `digits` (at most 12) decimals. */
#define QUANTITY_DIGITS 12
str bill_quantity(arena *mem, i128 quantity, int64_t parts, int digits, bool grouped);

void bill_json(buf *out, arena *mem, const bill *b);
void bill_csv(buf *out, arena *mem, const bill *b);
/* FOCUS 1.2 and AWS's Cost and Usage Report 2.0, for a bill grouped by export_by. */
#define EXPORT_BY 4
extern const bill_by export_by[EXPORT_BY];
void bill_focus(buf *out, arena *mem, const bill *b);
void bill_cur(buf *out, arena *mem, const bill *b);

/* Usage as it will be if the rest of the month goes on like it so far: appended to `uses`. */
typedef struct use_list {
	arena *mem;
	price_use *at;
	size_t n, capacity;
} use_list;
void use_push(void *list, const price_use *u);
void use_sort(use_list *l);
/* `so_far` holds the flow (not by residents) of [from, until); adds that of [until, to). */
void forecast_flow(use_list *out, const use_list *so_far, int64_t from, int64_t until, int64_t to);
