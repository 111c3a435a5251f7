#include "price/bill.h"
#include "base/map.h"
#include "base/time.h"
#include <stdlib.h>

void use_push(void *list, const price_use *u)
{
	use_list *l = list;
	if (l->n == l->capacity) {
		size_t wider = l->capacity ? l->capacity * 2 : 256;
		price_use *at = arena_array(l->mem, price_use, wider);
		if (l->n)
			memcpy(at, l->at, l->n * sizeof *at);
		l->at = at;
		l->capacity = wider;
	}
	l->at[l->n++] = *u;
}

static int by_time(const void *a, const void *b)
{
	const price_use *x = a, *y = b;
	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	int order = str_cmp(x->region, y->region);
	order = order ? order : str_cmp(x->sku, y->sku);
	order = order ? order : str_cmp(x->resource, y->resource);
	return order ? order : (x->resident > y->resident) - (x->resident < y->resident);
}

void use_sort(use_list *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (by_time(&l->at[i - 1], &l->at[i]) > 0) {
			qsort(l->at, l->n, sizeof *l->at, by_time);
			return;
		}
}

typedef struct flow {
	price_use use;
	i128 quantity;
	struct flow *next;
} flow;

static flow *flow_of(map *flows, arena *mem, flow **all, const price_use *u)
{
	str key = arena_fmt(mem, "%.*s/%.*s/%lld/%.*s", STR_ARG(u->region), STR_ARG(u->sku),
	                    (long long)u->per, STR_ARG(u->resource));
	flow *f = map_get(flows, key);
	if (f)
		return f;
	f = arena_new(mem, flow);
	*f = (flow){ .use = *u, .next = *all };
	map_put(flows, key, f);
	return *all = f;
}

/*
 * The rate so far is taken over the time since the month's first use (whole hours, at least one), not since
 * the first of the month: an account that began on the 20th would otherwise be promised a third of its bill.
 */
void forecast_flow(use_list *out, const use_list *so_far, int64_t from, int64_t until, int64_t to)
{
	int64_t first = until;
	flow *all = NULL;
	map flows = map_in(out->mem, 64);
	for (size_t i = 0; i < so_far->n; i++) {
		const price_use *u = &so_far->at[i];
		if (u->resident)
			continue;
		first = u->when < first ? u->when : first;
		flow_of(&flows, out->mem, &all, u)->quantity += u->quantity;
	}
	first = first < from ? from : first;
	int64_t passed = until - first < MS_HOUR ? MS_HOUR : until - first, left = to - until;
	if (left <= 0)
		return;
	for (flow *f = all; f; f = f->next) {
		i128 more = 0;
		if (!i128_mul_div(f->quantity, left, passed, &more) || more > INT64_MAX)
			more = INT64_MAX;
		f->use.quantity = (int64_t)more;
		f->use.when = until - until % MS_HOUR;
		f->use.forecast = true;
		if (more > 0)
			use_push(out, &f->use);
	}
}
