#include "calculator.h"
#include <math.h>
#include <stdlib.h>

#define MONTH_HOURS 730
#define REQUESTS_MAX 9e12

bool estimate_amount(double amount, int64_t *out)
{
	if (!(amount >= 0) || amount > REQUESTS_MAX)
		return false;
	*out = llround(amount * (double)QTY_ONE);
	return true;
}

opt_f64 estimate_number(req *rq, i128 v, int scale)
{
	double number = 0;
	str_to_f64(decimal_print_exact(rq->mem, v, scale, 1), &number);
	return F64(number);
}

static int by_number(const void *a, const void *b)
{
	const priced_line *x = a, *y = b;
	return (x->row->Number > y->row->Number) - (x->row->Number < y->row->Number);
}

static void add_cost(void *context, const charge *c)
{
	priced_line *l = context;
	l->cost += c->amount;
}

/* List prices in one pricing: lines of one sku share its tiers. */
static void price_line(pricing *p, priced_line *l)
{
	int64_t ours = price_name_units(l->name) * (l->item->monthly ? MONTH_HOURS : 1), quantity;
	if (__builtin_mul_overflow(l->row->Amount, ours, &quantity)) {
		l->item = NULL;
		return;
	}
	price_use u = { .region = l->region, .sku = l->item->sku, .resource = S(""), .quantity = quantity,
	                .per = QTY_ONE };
	pricing_add(p, &u, add_cost, l);
}

priced_estimate estimate_price(req *rq, const txn *tx, str id)
{
	priced_estimate e = { .valid = true };
	e.lines = arena_array(rq->mem, priced_line, CALCULATOR_LINES_MAX + 1);
	record_scan s = bcm_pricing_calculator_line_scan(tx, rq->mem, 2, rq->who.account, id, STR_NONE);
	for (line_row *r; e.n < CALCULATOR_LINES_MAX && (r = bcm_pricing_calculator_line_next(&s));)
		e.lines[e.n++] = (priced_line){ .row = r };
	cursor_close(&s.at);
	qsort(e.lines, e.n, sizeof *e.lines, by_number);
	pricing_options o = { .book = price_book(), .profile = PROFILE_LIST, .month = month_of(rq->now),
	                      .month_hours = MONTH_HOURS };
	pricing *p = pricing_open(rq->mem, &o);
	for (size_t i = 0; i < e.n; i++) {
		priced_line *l = &e.lines[i];
		l->item = book_find_usage(o.book, l->row->Service, l->row->UsageType, l->row->Operation, &l->region,
		                          &l->name);
		if (l->item)
			price_line(p, l);
		e.valid &= l->item != NULL;
		e.total += l->cost;
	}
	return e;
}
