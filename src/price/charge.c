#include "price/charge.h"
#include "base/map.h"
#include "base/time.h"

#define LEGACY_MONTHS 12
#define PLACE_MAX 640

/* How far one allowance is used, by the account or in one region. */
typedef struct pool_state {
	const free_pool *pool;
	struct item_state *members; /* that have come by so far */
	str region;
	int64_t until;      /* what is used later is not covered */
	money worth;
	struct pool_state *next;
} pool_state;

typedef struct tier_state {
	i128 quantity;
	money amount;
} tier_state;

/* One sku in one region. */
typedef struct item_state {
	str region, sku;
	const price_item *item;
	bool elsewhere;
	pool_state *pool;
	struct item_state *next_member;
	i128 free_used;     /* in our parts; others of the pool may count in others */
	int64_t per, parts;
	i128 free_limit;    /* the pool's allowance in our parts */
	i128 reached;       /* how far into the tiers */
	i128 tier_end;      /* of the tier we are in; -1: the last */
	size_t tier;
	tier_state *tiers;
} item_state;

struct pricing {
	arena *mem;
	pricing_options o;
	int64_t hours;
	map items, pools;
	pool_state *first_pool;
	bool overflow;
	item_state *last;   /* usage comes in runs of the same sku */
};

int64_t month_after(int64_t month, int months)
{
	civil c = time_civil(month);
	int total = c.year * 12 + c.month - 1 + months;
	return time_from_civil((civil){ .year = total / 12, .month = total % 12 + 1, .day = 1 });
}

int64_t month_of(int64_t when)
{
	return month_after(when, 0);
}

int64_t date_after(int64_t when, int months)
{
	int64_t from = month_of(when), into = when - from;
	int64_t to = month_after(from, months), end = month_after(to, 1);
	int64_t time_of_day = into % MS_DAY, day = into - time_of_day;
	return (to + day < end ? to + day : end - MS_DAY) + time_of_day;
}

bool offer_ends_within(const pricing_options *o, free_kind kind)
{
	int64_t end = date_after(o->opened, LEGACY_MONTHS);
	return kind == FREE_12_MONTHS && o->profile == PROFILE_LEGACY && end > o->month &&
	       end < month_after(o->month, 1);
}

static const char *const profile_names[] = {
	[PROFILE_PAID] = "paid",
	[PROFILE_LEGACY] = "legacy-12-month",
	[PROFILE_CREDITS] = "credits",
	[PROFILE_LIST] = "list",
};

str profile_name(account_profile p)
{
	return str_c(profile_names[p]);
}

bool profile_named(str name, account_profile *out)
{
	for (size_t i = 0; i < sizeof profile_names / sizeof *profile_names; i++)
		if (str_eq(name, str_c(profile_names[i]))) {
			*out = (account_profile)i;
			return true;
		}
	return false;
}

pricing *pricing_open(arena *mem, const pricing_options *o)
{
	pricing *p = arena_new(mem, pricing);
	p->mem = mem;
	p->o = *o;
	p->hours = o->month_hours ? o->month_hours
	                          : (month_after(o->month, 1) - month_of(o->month)) / MS_HOUR;
	p->items = map_in(mem, 64);
	p->pools = map_in(mem, 16);
	return p;
}

bool pricing_overflow(const pricing *p) { return p->overflow; }
int64_t pricing_month_hours(const pricing *p) { return p->hours; }

static i128 scaled(pricing *p, i128 v, int64_t times, int64_t by)
{
	i128 out = 0;
	if (!i128_mul_div(v, times, by, &out))
		p->overflow = true;
	return out;
}

static void add_to(pricing *p, i128 *sum, i128 v)
{
	if (!i128_add(*sum, v, sum))
		p->overflow = true;
}

static bool offered(const pricing *p, const free_pool *pool)
{
	if (p->o.profile == PROFILE_LIST || pool->allowance == 0)
		return false;
	if (pool->kind == FREE_12_MONTHS)
		return p->o.profile == PROFILE_LEGACY && p->o.month < date_after(p->o.opened, LEGACY_MONTHS);
	return pool->kind == FREE_ALWAYS;
}

static pool_state *pool_of(pricing *p, const price_item *item, str region)
{
	const free_pool *pool = item->pool;
	if (!pool || !offered(p, pool))
		return NULL;
	str where = pool->per_region ? region : S("");
	str key = arena_fmt(p->mem, "%zu/%.*s", pool->index, STR_ARG(where));
	pool_state *s = map_get(&p->pools, key);
	if (s)
		return s;
	s = arena_new(p->mem, pool_state);
	*s = (pool_state){ .pool = pool, .region = arena_str(p->mem, where), .next = p->first_pool,
		           .until = pool->kind == FREE_12_MONTHS ? date_after(p->o.opened, LEGACY_MONTHS)
		                                                 : INT64_MAX };
	p->first_pool = s;
	map_put(&p->pools, key, s);
	return s;
}

static i128 tier_end(pricing *p, const item_state *s)
{
	const price_tier *t = &s->item->tiers[s->tier];
	bool last = t->to == PRICE_NO_END || s->tier + 1 == s->item->n_tiers;
	return last ? -1 : scaled(p, t->to, s->parts, QTY_ONE);
}

static item_state *item_open(pricing *p, str region, str sku, int64_t per)
{
	item_state *s = arena_new(p->mem, item_state);
	*s = (item_state){ .region = region, .sku = sku, .per = per, .parts = per };
	s->item = book_find(p->o.book, region, sku, &s->elsewhere);
	if (!s->item)
		return s;
	if (s->item->monthly && __builtin_mul_overflow(per, p->hours, &s->parts)) {
		p->overflow = true;
		s->parts = INT64_MAX;
	}
	s->tiers = arena_array(p->mem, tier_state, s->item->n_tiers);
	s->tier_end = tier_end(p, s);
	s->pool = pool_of(p, s->item, region);
	if (s->pool) {
		s->free_limit = scaled(p, s->pool->pool->allowance, s->parts, QTY_ONE);
		s->next_member = s->pool->members;
		s->pool->members = s;
	}
	return s;
}

static item_state *item_of(pricing *p, const price_use *u)
{
	if (p->last && str_eq(p->last->sku, u->sku) && str_eq(p->last->region, u->region))
		return p->last;
	char place[PLACE_MAX];
	size_t n = u->region.n + u->sku.n + 1;
	ensure(n < sizeof place && u->per > 0);
	if (u->region.n)
		memcpy(place, u->region.p, u->region.n);
	place[u->region.n] = '/';
	memcpy(place + u->region.n + 1, u->sku.p, u->sku.n);
	item_state *s = map_get(&p->items, str_of(place, n));
	if (!s) {
		str key = arena_str(p->mem, str_of(place, n));
		s = item_open(p, str_sub(key, 0, u->region.n), str_sub(key, u->region.n + 1, n), u->per);
		map_put(&p->items, key, s);
	}
	p->last = s;
	return s;
}

/* Moves to the tier that `reached` lies in; returns what is left of it, or all there is. */
static i128 room_in_tier(pricing *p, item_state *s, i128 wanted)
{
	while (s->tier_end >= 0 && s->reached >= s->tier_end) {
		s->tier++;
		s->tier_end = tier_end(p, s);
	}
	bool fits = s->tier_end < 0 || wanted < s->tier_end - s->reached;
	return fits ? wanted : s->tier_end - s->reached;
}

/* The cost of `quantity` more in a tier: exact cost after, less exact cost before. */
static money tier_cost(pricing *p, item_state *s, const price_tier *t, tier_state *state, i128 quantity)
{
	money after = 0, before = state->amount;
	add_to(p, &state->quantity, quantity);
	if (!money_of(t->usd, state->quantity, s->parts, &after)) {
		p->overflow = true;
		return 0;
	}
	state->amount = after;
	return after - before;
}

/* What the pool's members have used together, in parts of which `parts` make a unit. */
static i128 pool_used(pricing *p, const pool_state *pool, int64_t parts)
{
	i128 used = 0;
	for (const item_state *m = pool->members; m; m = m->next_member)
		add_to(p, &used, m->parts == parts ? m->free_used : scaled(p, m->free_used, parts, m->parts));
	return used;
}

static i128 take_free(pricing *p, item_state *s, int64_t when, i128 wanted)
{
	if (!s->pool || when >= s->pool->until)
		return 0;
	i128 left = s->free_limit - s->free_used;
	if (left > 0)
		left = s->free_limit - pool_used(p, s->pool, s->parts);
	if (left <= 0)
		return 0;
	i128 taken = wanted < left ? wanted : left;
	add_to(p, &s->free_used, taken);
	return taken;
}

typedef struct sink {
	void (*each)(void *context, const charge *c);
	void *context;
} sink;

static i128 charge_free(pricing *p, item_state *s, const price_use *u, i128 wanted, sink to)
{
	i128 taken = take_free(p, s, u->when, wanted);
	if (taken == 0)
		return 0;
	room_in_tier(p, s, taken);
	const price_tier *t = &s->item->tiers[s->tier];
	money worth = 0;
	if (!money_of(t->usd, taken, s->parts, &worth))
		p->overflow = true;
	add_to(p, &s->pool->worth, worth);
	if (!s->pool->pool->before_tiers)
		add_to(p, &s->reached, taken);
	charge c = { .use = u, .item = s->item, .tier = t, .free = true, .elsewhere = s->elsewhere,
		     .quantity = taken, .parts = s->parts };
	to.each(to.context, &c);
	return taken;
}

void pricing_add(pricing *p, const price_use *u, void (*each)(void *context, const charge *c), void *context)
{
	item_state *s = item_of(p, u);
	sink to = { each, context };
	i128 left = u->quantity;
	if (left <= 0)
		return;
	/* Two meters of one sku may count it in different parts. */
	if (u->per != s->per)
		left = scaled(p, left, s->per, u->per);
	if (!s->item) {
		charge c = { .use = u, .quantity = left, .parts = s->parts };
		each(context, &c);
		return;
	}
	left -= charge_free(p, s, u, left, to);
	while (left > 0) {
		i128 part = room_in_tier(p, s, left);
		const price_tier *t = &s->item->tiers[s->tier];
		charge c = { .use = u, .item = s->item, .tier = t, .elsewhere = s->elsewhere,
			     .quantity = part, .parts = s->parts,
			     .amount = tier_cost(p, s, t, &s->tiers[s->tier], part) };
		add_to(p, &s->reached, part);
		left -= part;
		each(context, &c);
	}
}

void pricing_free_each(pricing *p, void (*each)(void *context, const free_use *f), void *context)
{
	for (pool_state *s = p->first_pool; s; s = s->next) {
		free_use f = {
			.pool = s->pool, .item = s->members->item, .region = s->region, .worth = s->worth,
			.used = pool_used(p, s, QTY_ONE), .allowance = s->pool->allowance,
		};
		each(context, &f);
	}
}
