#include "base/map.h"
#include "base/time.h"
#include "calculator.h"
#include "cloud/charges.h"
#include "sys/rand.h"
#include <stdlib.h>

/* A month as it was and as it would have been: both priced by the bill's own engine, credits included. */

#define WAS 0
#define WOULD_BE 1

bool bill_quantity_of(const price_item *item, double amount, int64_t month_hours, int64_t *out)
{
	int64_t millionths;
	int64_t ours = price_name_units(item->name) * (item->monthly ? month_hours : 1);
	return estimate_amount(amount, &millionths) && !__builtin_mul_overflow(millionths, ours, out);
}

typedef struct line_sum {
	str service, usage_type, operation, region, unit;
	i128 quantity[2];   /* in units, as QUANTITY_DIGITS has them */
	money cost[2];
	struct line_sum *next;
} line_sum;

typedef struct sums {
	req *rq;
	const txn *tx;
	map by_key;
	line_sum *first;
	size_t n;
	int at;
} sums;

static str dimension(const sums *s, const charge *c, str name)
{
	return charges_dimension(s->rq->mem, s->tx, s->rq->who.account, c, name);
}

static line_sum *line_of(sums *s, const charge *c)
{
	arena *mem = s->rq->mem;
	str done = dimension(s, c, S("OPERATION"));
	line_sum l = { .service = dimension(s, c, S("SERVICE_CODE")), .region = c->use->region,
		       .usage_type = dimension(s, c, S("USAGE_TYPE")), .unit = charges_unit(c) };
	l.operation = str_eq(done, S("NoOperation")) ? S("") : done;
	str key = arena_fmt(mem, "%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(l.service), STR_ARG(l.usage_type),
	                    STR_ARG(l.operation), STR_ARG(l.region));
	line_sum *found = map_get(&s->by_key, key);
	if (found)
		return found;
	found = arena_new(mem, line_sum);
	*found = (line_sum){ arena_str(mem, l.service), arena_str(mem, l.usage_type), arena_str(mem, l.operation),
		             arena_str(mem, l.region), arena_str(mem, l.unit), .next = s->first };
	map_put(&s->by_key, key, found);
	s->n++;
	return s->first = found;
}

static void add_charge(void *context, const charge *c, money credit)
{
	sums *s = context;
	line_sum *l = line_of(s, c);
	l->quantity[s->at] += charges_quantity(c);
	l->cost[s->at] += c->amount - credit;
}

/* The changes as usage. false: one of them the price book in use lacks, or it cannot be counted. */
static bool usage_of(arena *mem, const bcm_pricing_calculator_BillInterval *month, change_row **changes,
                     size_t n, use_list *out)
{
	int64_t hours = (month->end.v - month->start.v) / MS_HOUR;
	*out = (use_list){ .mem = mem };
	for (size_t i = 0; i < n; i++) {
		const change_item *c = changes[i]->It;
		price_use u = { .resource = S(""), .per = QTY_ONE };
		const price_item *item =
			book_find_usage(price_book(), c->serviceCode, c->usageType, c->operation, &u.region, NULL);
		for (size_t j = 0; item && j < c->quantities.n; j++) {
			const bcm_pricing_calculator_UsageQuantity *q = &c->quantities.v[j];
			u.sku = item->sku;
			u.when = q->startHour.v - q->startHour.v % MS_HOUR;
			if (!bill_quantity_of(item, q->amount.v, hours, &u.quantity))
				return false;
			use_push(out, &u);
		}
		if (!item)
			return false;
	}
	return true;
}

static int by_name(const void *a, const void *b)
{
	const line_sum *x = *(line_sum *const *)a, *y = *(line_sum *const *)b;
	int order = str_cmp(x->service, y->service);
	order = order ? order : str_cmp(x->usage_type, y->usage_type);
	order = order ? order : str_cmp(x->operation, y->operation);
	return order ? order : str_cmp(x->region, y->region);
}

static bcm_pricing_calculator_CostAmount *cost_of(req *rq, money m)
{
	bcm_pricing_calculator_CostAmount *c = arena_new(rq->mem, bcm_pricing_calculator_CostAmount);
	c->amount = estimate_number(rq, m, MONEY_DIGITS);
	c->currency = S("USD");
	return c;
}

static bcm_pricing_calculator_UsageQuantityResult *quantity_of(req *rq, i128 quantity, str unit)
{
	bcm_pricing_calculator_UsageQuantityResult *q =
		arena_new(rq->mem, bcm_pricing_calculator_UsageQuantityResult);
	q->amount = estimate_number(rq, quantity, QUANTITY_DIGITS);
	q->unit = unit;
	return q;
}

static bcm_pricing_calculator_BillEstimateLineItemSummary shown(req *rq, const line_sum *l)
{
	str id = rand_uuid(rq->mem);
	return (bcm_pricing_calculator_BillEstimateLineItemSummary){
		.serviceCode = l->service, .usageType = l->usage_type, .operation = l->operation,
		.location = book_location(price_book(), l->region), .id = id, .lineItemId = id,
		.lineItemType = S("Usage"), .payerAccountId = rq->who.account, .usageAccountId = rq->who.account,
		.historicalUsageQuantity = quantity_of(rq, l->quantity[WAS], l->unit),
		.historicalCost = cost_of(rq, l->cost[WAS]),
		.estimatedUsageQuantity = quantity_of(rq, l->quantity[WOULD_BE], l->unit),
		.estimatedCost = cost_of(rq, l->cost[WOULD_BE]),
	};
}

static bcm_pricing_calculator_CostDifference difference(req *rq, const money *costs)
{
	return (bcm_pricing_calculator_CostDifference){ .historicalCost = cost_of(rq, costs[WAS]),
		                                        .estimatedCost = cost_of(rq, costs[WOULD_BE]) };
}

/* Lines of one service stand together. */
static void add_up(req *rq, line_sum **lines, size_t n, priced_bill *out)
{
	bcm_pricing_calculator_BillEstimateCostSummary *costs =
		arena_new(rq->mem, bcm_pricing_calculator_BillEstimateCostSummary);
	bcm_pricing_calculator_ServiceCostDifferenceMap *all = &costs->serviceCostDifferences;
	all->v = arena_array(rq->mem, bcm_pricing_calculator_ServiceCostDifferenceMap_entry, n + 1);
	money total[2] = { 0, 0 }, part[2] = { 0, 0 };
	for (size_t i = 0; i < n; i++) {
		for (int at = WAS; at <= WOULD_BE; at++) {
			part[at] += lines[i]->cost[at];
			total[at] += lines[i]->cost[at];
		}
		if (i + 1 < n && str_eq(lines[i + 1]->service, lines[i]->service))
			continue;
		all->v[all->n].key = lines[i]->service;
		all->v[all->n++].value = difference(rq, part);
		part[WAS] = part[WOULD_BE] = 0;
	}
	costs->totalCostDifference = arena_new(rq->mem, bcm_pricing_calculator_CostDifference);
	*costs->totalCostDifference = difference(rq, total);
	out->costs = costs;
}

err bill_price(req *rq, const txn *tx, const bcm_pricing_calculator_BillInterval *month, change_row **changes,
               size_t n_changes, priced_bill *out)
{
	sums s = { .rq = rq, .tx = tx, .by_key = map_in(rq->mem, 64) };
	use_list more;
	if (!usage_of(rq->mem, month, changes, n_changes, &more))
		return fail(rq, &bcm_pricing_calculator_DataUnavailableException,
		            "Usage of the scenario has no price in the price book in use.");
	bill_query q = charges_query(rq->mem, tx, rq->who.account, month->start.v, rq->now);
	bool added = charges_each(rq->mem, tx, &q, NULL, add_charge, &s);
	s.at = WOULD_BE;
	if (!added || !charges_each(rq->mem, tx, &q, &more, add_charge, &s))
		return fail(rq, &aws_InternalFailure, "The amounts are too large to be added up.");
	line_sum **lines = arena_array(rq->mem, line_sum *, s.n + 1);
	size_t n = 0;
	for (line_sum *l = s.first; l; l = l->next)
		lines[n++] = l;
	qsort(lines, n, sizeof *lines, by_name);
	out->lines = arena_array(rq->mem, bcm_pricing_calculator_BillEstimateLineItemSummary, n + 1);
	for (out->n = 0; out->n < n; out->n++)
		out->lines[out->n] = shown(rq, lines[out->n]);
	add_up(rq, lines, n, out);
	return OK;
}
