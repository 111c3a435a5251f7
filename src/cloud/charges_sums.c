#include "base/map.h"
#include "cloud/charges.h"
#include "cloud/meter.h"
#include <stdio.h>

/*
 * What a sku's month costs does not depend on when it was used, unless it shares a free allowance with
 * another that has been used, or an allowance that ends within the month: then it matters who came first,
 * and its hours are priced one after another.
 * All others are added up and priced at once, what exists without looking at its hours.
 */

typedef struct group {
	price_use sum;
	const price_item *item;
	bool ordered;        /* hour by hour */
	struct group *next;
} group;

typedef struct sums {
	arena *mem;
	const bill_query *q;
	map groups;          /* region/sku/per */
	group *first, *last;
	use_list ordered;
	pricing *pricing;
} sums;

static group *group_of(sums *s, const usage_line *l)
{
	char key[512];
	const meter_kind *kind = meter_named(l->meter);
	str sku = kind ? str_c(kind->sku) : l->meter;
	int64_t per = kind && kind->per ? kind->per : QTY_ONE;
	if (s->last && str_eq(s->last->sum.sku, sku) && str_eq(s->last->sum.region, l->region) &&
	    s->last->sum.per == per)
		return s->last;
	int n = snprintf(key, sizeof key, "%.*s/%.*s/%lld", STR_ARG(l->region), STR_ARG(sku), (long long)per);
	str place = str_of(key, (size_t)n < sizeof key ? (size_t)n : sizeof key - 1);
	group *g = map_get(&s->groups, place);
	if (!g) {
		g = arena_new(s->mem, group);
		*g = (group){ .next = s->first };
		g->sum = (price_use){ .region = arena_str(s->mem, l->region), .sku = arena_str(s->mem, sku),
			              .resource = S(""), .per = per, .when = s->q->month };
		g->item = book_find(s->q->book, g->sum.region, g->sum.sku, NULL);
		s->first = g;
		map_put(&s->groups, arena_str(s->mem, place), g);
	}
	return s->last = g;
}

static void add_line(void *context, const usage_line *l)
{
	sums *s = context;
	group *g = group_of(s, l);
	/* Sums that 64 bits do not hold are priced in pieces. */
	if (__builtin_add_overflow(g->sum.quantity, l->quantity, &g->sum.quantity))
		g->ordered = true;
}

static void add_ordered(void *context, const usage_line *l)
{
	sums *s = context;
	const group *g = group_of(s, l);
	if (!g->ordered)
		return;
	price_use u = g->sum;
	u.when = l->hour;
	u.quantity = l->quantity;
	u.resource = l->resource;
	use_push(&s->ordered, &u);
}

static bool mark_ordered(sums *s, const pricing_options *options)
{
	bool any = false;
	for (group *g = s->first; g; g = g->next) {
		if (g->item && g->item->pool)
			g->ordered |= offer_ends_within(options, g->item->pool->kind);
		for (const group *o = s->first; o && g->item && g->item->pool; o = o->next)
			g->ordered |= o != g && o->item && o->item->pool == g->item->pool;
		any |= g->ordered;
	}
	return any;
}

bool charges_sums(arena *mem, const txn *tx, const bill_query *q,
                  void (*each)(void *context, const charge *c), void *context)
{
	pricing_options o = { .book = q->book, .profile = q->profile, .month = q->month, .opened = q->opened };
	sums s = { .mem = mem, .q = q, .groups = map_in(mem, 64), .ordered = { .mem = mem },
		   .pricing = pricing_open(mem, &o) };
	int64_t end = month_after(q->month, 1);
	usage_sums(tx, q->account, q->month, end, q->now, add_line, &s);
	if (mark_ordered(&s, &o)) {
		usage_each(tx, q->account, q->month, end, q->now, add_ordered, &s);
		use_sort(&s.ordered);
	}
	for (size_t i = 0; i < s.ordered.n; i++)
		pricing_add(s.pricing, &s.ordered.at[i], each, context);
	for (const group *g = s.first; g; g = g->next)
		if (!g->ordered)
			pricing_add(s.pricing, &g->sum, each, context);
	return !pricing_overflow(s.pricing);
}
