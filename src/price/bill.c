#include "price/bill.h"
#include "base/map.h"
#include "base/time.h"
#include <stdlib.h>

#define LIST_MONTH_HOURS 730
#define QUANTITY_ONE INT64_C(1000000000000)
#define FREE_PLAN_MONTHS 6
#define CREDIT_MONTHS 12

static const char *const by_names[BY_KINDS] = {
	[BY_SERVICE] = "service", [BY_RESOURCE] = "resource", [BY_METER] = "meter", [BY_TAG] = "tag",
	[BY_TAGS] = "tags",
	[BY_DAY] = "day", [BY_HOUR] = "hour", [BY_REGION] = "region", [BY_ACCOUNT] = "account",
};

str bill_by_name(bill_by by)
{
	return str_c(by_names[by]);
}

bool bill_by_named(str name, bill_by *out)
{
	for (size_t i = 0; i < BY_KINDS; i++)
		if (str_eq(name, str_c(by_names[i]))) {
			*out = (bill_by)i;
			return true;
		}
	return false;
}

str bill_quantity(arena *mem, i128 quantity, int64_t parts, int digits, bool grouped)
{
	i128 v = 0;
	if (!i128_mul_div(quantity, QUANTITY_ONE, parts, &v))
		return S("overflow");
	v = decimal_round(v, QUANTITY_DIGITS, digits);
	return decimal_print(mem, v, QUANTITY_DIGITS, decimal_digits(v, QUANTITY_DIGITS), grouped);
}

typedef struct maker {
	arena *mem;
	const bill_query *query;
	const bill_source *source;
	/* Set: charges go there instead of into lines. */
	void (*each)(void *context, const charge *c, money credit);
	void *context;
	map lines;
	bill_line *first;
	size_t n;
	money total;
	size_t unpriced;
	bool overflow;
	/* Credits: what is left while charges go by in the order of time. */
	money credits;
	int64_t credits_end, credits_until;
	char *key;
	size_t key_room;
	/* Usage comes in runs of the same hour. */
	int64_t told;
	str told_hour;
} maker;

static str hour_text(maker *m, int64_t when)
{
	if (!str_is(m->told_hour) || m->told != when) {
		m->told = when;
		m->told_hour = time_iso(m->mem, when);
	}
	return m->told_hour;
}

static str tag_value(const maker *m, const price_use *u)
{
	str value = m->source->tag ? m->source->tag(m->source->context, u, m->query->tag_key) : STR_NONE;
	return str_is(value) ? value : S("");
}

static str group_value(maker *m, bill_by by, const charge *c)
{
	const price_use *u = c->use;
	switch (by) {
	case BY_SERVICE: return c->item ? c->item->service : S("unknown");
	case BY_RESOURCE: return u->resource;
	case BY_METER: return u->sku;
	case BY_TAG:
		return tag_value(m, u);
	case BY_TAGS: return m->source->tags ? m->source->tags(m->source->context, u) : S("{}");
	case BY_DAY: return str_sub(hour_text(m, u->when), 0, 10);
	case BY_HOUR: return hour_text(m, u->when);
	case BY_REGION: return u->region;
	default: return m->query->account;
	}
}

static void key_add(maker *m, size_t *n, str part)
{
	if (*n + part.n + 1 > m->key_room) {
		size_t wider = 2 * (*n + part.n + 64);
		char *key = arena_bytes(m->mem, wider);
		if (*n)
			memcpy(key, m->key, *n);
		m->key = key;
		m->key_room = wider;
	}
	if (part.n)
		memcpy(m->key + *n, part.p, part.n);
	m->key[*n + part.n] = 0;
	*n += part.n + 1;
}

static str key_of(maker *m, const charge *c, const str *group)
{
	struct { const void *tier; int64_t parts; bool free, elsewhere, predicted; char pad[5]; } rest;
	memset(&rest, 0, sizeof rest);
	rest.tier = c->tier;
	rest.parts = c->parts;
	rest.free = c->free;
	rest.elsewhere = c->elsewhere;
	rest.predicted = c->use->predicted;
	size_t n = 0;
	for (size_t i = 0; i < m->query->n_by; i++)
		key_add(m, &n, group[i]);
	if (!c->item)
		key_add(m, &n, c->use->sku);
	key_add(m, &n, str_of((const char *)&rest, sizeof rest));
	return str_of(m->key, n);
}

static bill_line *line_of(maker *m, const charge *c)
{
	str group[BY_KINDS];
	for (size_t i = 0; i < m->query->n_by; i++)
		group[i] = group_value(m, m->query->by[i], c);
	str key = key_of(m, c, group);
	bill_line *l = map_get(&m->lines, key);
	if (l)
		return l;
	l = arena_new(m->mem, bill_line);
	*l = (bill_line){
		.service = c->item ? c->item->service : S("unknown"),
		.sku = c->item ? c->item->sku : c->use->sku,
		.item = c->item, .tier = c->tier, .free = c->free, .elsewhere = c->elsewhere,
		.predicted = c->use->predicted,
		.parts = c->parts, .next = m->first,
	};
	for (size_t i = 0; i < m->query->n_by; i++)
		l->group[i] = group[i];
	for (size_t i = 0; i < m->query->n_by && m->source->zone; i++)
		if (m->query->by[i] == BY_RESOURCE)
			l->zone = m->source->zone(m->source->context, c->use);
	map_put(&m->lines, arena_str(m->mem, key), l);
	m->n++;
	return m->first = l;
}

static money spend_credits(maker *m, const charge *c)
{
	if (m->credits <= 0 || c->amount <= 0)
		return 0;
	if (c->use->when >= m->credits_until) {
		m->credits_end = m->credits_until;
		return 0;
	}
	money taken = c->amount < m->credits ? c->amount : m->credits;
	m->credits -= taken;
	if (m->credits == 0)
		m->credits_end = c->use->when;
	return taken;
}

static void add_charge(void *context, const charge *c)
{
	maker *m = context;
	money credit = spend_credits(m, c);
	m->unpriced += c->item == NULL;
	if (!i128_add(m->total, c->amount, &m->total))
		m->overflow = true;
	if (m->each) {
		m->each(m->context, c, credit);
		return;
	}
	bill_line *l = line_of(m, c);
	l->credit += credit;
	if (!i128_add(l->quantity, c->quantity, &l->quantity) || !i128_add(l->amount, c->amount, &l->amount))
		m->overflow = true;
}

static int line_order(const void *a, const void *b)
{
	const bill_line *x = *(bill_line *const *)a, *y = *(bill_line *const *)b;
	int order = 0;
	for (size_t i = 0; i < BY_KINDS && !order; i++)
		order = str_cmp(x->group[i], y->group[i]);
	order = order ? order : str_cmp(x->service, y->service);
	order = order ? order : str_cmp(x->sku, y->sku);
	if (order || x->free != y->free)
		return order ? order : y->free - x->free;
	return x->tier && y->tier ? (x->tier->from > y->tier->from) - (x->tier->from < y->tier->from)
							  : 0;
}

static bill_line *sorted(maker *m)
{
	if (m->n == 0)
		return NULL;
	bill_line **all = arena_array(m->mem, bill_line *, m->n);
	size_t n = 0;
	for (bill_line *l = m->first; l; l = l->next)
		all[n++] = l;
	qsort(all, n, sizeof(bill_line *), line_order);
	for (size_t i = 0; i < n; i++)
		all[i]->next = i + 1 < n ? all[i + 1] : NULL;
	return all[0];
}

static pricing *month_pricing(arena *mem, const bill_query *q, int64_t month)
{
	pricing_options o = { .book = q->book,
		                  .profile = q->profile,
		                  .month = month,
		                  .opened = q->opened,
		                  .month_hours = q->list_months ? LIST_MONTH_HOURS : 0 };
	return pricing_open(mem, &o);
}

static pricing *price_all(maker *m, use_list *uses, int64_t month)
{
	pricing *p = month_pricing(m->mem, m->query, month);
	m->lines = map_in(m->mem, 256);
	m->first = NULL;
	m->n = 0;
	m->total = 0;
	use_sort(uses);
	for (size_t i = 0; i < uses->n; i++)
		pricing_add(p, &uses->at[i], add_charge, m);
	m->overflow |= pricing_overflow(p);
	return p;
}

/* The free plan ends before its credits do. */
int64_t bill_credits_expire(const bill_query *q)
{
	return date_after(q->opened, q->upgraded ? CREDIT_MONTHS : FREE_PLAN_MONTHS);
}

/* What the months before have left of the credits. */
static void credits_of_earlier_months(maker *m)
{
	const bill_query *q = m->query;
	bool credits = q->profile == PROFILE_CREDITS && q->opened < q->now;
	m->credits = credits ? q->credits : 0;
	m->credits_until = bill_credits_expire(q);
	for (int64_t month = month_of(q->opened); m->credits > 0 && month < q->month;
	     month = month_after(month, 1)) {
		int64_t end = month_after(month, 1);
		use_list uses = { .mem = m->mem };
		m->source->usage(m->source->context, month, end, end, use_push, &uses);
		price_all(m, &uses, month);
		if (end >= m->credits_until)
			m->credits = 0;
	}
}

typedef struct free_list {
	free_use *at;
	size_t n;
} free_list;

static void keep_free(void *context, const free_use *f)
{
	free_list *l = context;
	l->at[l->n++] = *f;
}

static int free_order(const void *a, const void *b)
{
	const free_use *x = a, *y = b;
	int order = str_cmp(x->pool->name, y->pool->name);
	return order ? order : str_cmp(x->region, y->region);
}

static void count_free(void *context, const free_use *f)
{
	(void)f;
	++*(size_t *)context;
}

static free_list free_of(arena *mem, pricing *p)
{
	size_t n = 0;
	pricing_free_each(p, count_free, &n);
	free_list l = { .at = arena_array(mem, free_use, n + 1) };
	pricing_free_each(p, keep_free, &l);
	qsort(l.at, l.n, sizeof *l.at, free_order);
	return l;
}

static void make_forecast(arena *mem, bill *b, const bill_source *s, const use_list *so_far)
{
	bill_query q = b->query;
	q.by[0] = BY_SERVICE;
	q.n_by = 1;
	maker m = { .mem = mem, .query = &q, .source = s };
	use_list uses = { .mem = mem };
	s->usage(s->context, b->from, b->to, b->to, use_push, &uses);
	forecast_flow(&uses, so_far, b->from, b->until, b->to);
	free_list free = free_of(mem, price_all(&m, &uses, q.month));
	b->forecast_free = free.at;
	b->n_forecast_free = free.n;
	b->forecast = m.total;
	b->forecast_lines = sorted(&m);
	b->overflow |= m.overflow;
}

static void no_line(void *context, const charge *c, money credit)
{
	(void)context;
	(void)c;
	(void)credit;
}

/* What flows in a day, on every day from `until` on that lies in the month. */
static void add_days(use_list *uses, const use_list *day, int64_t until, int64_t month)
{
	int64_t end = month_after(month, 1);
	for (int64_t at = until - until % MS_HOUR; at < end; at += MS_DAY)
		for (size_t i = 0; at >= month && i < day->n; i++) {
			price_use u = day->at[i];
			u.when = at;
			use_push(uses, &u);
		}
}

/* When the credits end if everything goes on like this: month after month, until used up or expired. */
static int64_t credits_last(arena *mem, const bill *b, const bill_source *s, const use_list *so_far)
{
	maker m = { .mem = mem, .query = &b->query, .source = s, .each = no_line };
	m.credits = b->credits_before;
	m.credits_until = bill_credits_expire(&b->query);
	use_list day = { .mem = mem };
	forecast_flow(&day, so_far, b->from, b->until, b->until + MS_DAY);
	for (int64_t month = b->from; month < m.credits_until && !m.credits_end; month = month_after(month, 1)) {
		use_list uses = { .mem = mem };
		int64_t end = month_after(month, 1);
		s->usage(s->context, month, end, end, use_push, &uses);
		add_days(&uses, &day, b->until, month);
		price_all(&m, &uses, month);
	}
	return m.credits_end ? m.credits_end : m.credits_until;
}

bill *bill_make(arena *mem, const bill_query *query, const bill_source *s)
{
	bill *b = arena_new(mem, bill);
	b->query = *query;
	b->query.month = month_of(query->month);
	b->from = b->query.month;
	b->to = month_after(b->from, 1);
	b->until = query->now < b->from ? b->from : query->now < b->to ? query->now : b->to;
	maker m = { .mem = mem, .query = &b->query, .source = s };
	credits_of_earlier_months(&m);
	b->credits_before = m.credits;
	m.credits_end = 0;
	m.unpriced = 0;
	use_list uses = { .mem = mem };
	s->usage(s->context, b->from, b->to, b->until, use_push, &uses);
	pricing *p = price_all(&m, &uses, b->from);
	free_list free = free_of(mem, p);
	b->free = b->forecast_free = free.at;
	b->n_free = b->n_forecast_free = free.n;
	b->month_hours = pricing_month_hours(p);
	b->lines = sorted(&m);
	b->n_lines = m.n;
	b->n_uses = uses.n;
	b->n_unpriced = m.unpriced;
	b->total = b->forecast = m.total;
	b->credits_used = b->credits_before - m.credits;
	b->credits_end = m.credits_end;
	b->overflow = m.overflow;
	if (b->until < b->to)
		make_forecast(mem, b, s, &uses);
	if (b->until < b->to && m.credits > 0 && !m.credits_end)
		b->credits_last = credits_last(mem, b, s, &uses);
	return b;
}

bool bill_charges(arena *mem, const bill_query *query, const bill_source *s,
                  void (*each)(void *context, const charge *c, money credit), void *context)
{
	bill_query q = *query;
	q.month = month_of(query->month);
	q.n_by = 0;
	int64_t end = month_after(q.month, 1);
	maker m = { .mem = mem, .query = &q, .source = s };
	credits_of_earlier_months(&m);
	m.each = each;
	m.context = context;
	use_list uses = { .mem = mem };
	s->usage(s->context, q.month, end, q.now < end ? q.now : end, use_push, &uses);
	price_all(&m, &uses, q.month);
	return !m.overflow;
}

money bill_due(const bill *b)
{
	return money_round(b->total - b->credits_used, 2);
}
