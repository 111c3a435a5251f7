/* Two months side by side: what each group has cost, and by how much it differs. */
#include "base/map.h"
#include "base/time.h"
#include "ce.h"
#include <stdlib.h>

#define PAGE 10

typedef struct side_by_side {
	str keys[CE_GROUPS_MAX], unit;
	i128 sums[2];     /* baseline, comparison */
	struct side_by_side *next;
} side_by_side;

typedef struct comparison {
	req *rq;
	const ce_GroupDefinitions *by;
	str metric;
	size_t at;        /* which of the two months rows are of */
	map by_key;
	side_by_side *first, total;
	size_t n;
} comparison;

static bool is_cost(const comparison *c)
{
	return str_ends(c->metric, S("Cost"));
}

static void add_to(side_by_side *s, const comparison *c, const ce_row *row)
{
	s->sums[c->at] += is_cost(c) ? row->amount : row->quantity;
	s->unit = !str_is(s->unit) || str_eq(s->unit, row->unit) ? row->unit : S("N/A");
}

static void add_row(void *context, const ce_row *row, size_t period)
{
	comparison *c = context;
	str keys[CE_GROUPS_MAX] = { S(""), S("") };
	(void)period;
	add_to(&c->total, c, row);
	if (c->by->n == 0)
		return;
	for (size_t i = 0; i < c->by->n; i++)
		keys[i] = ce_group_key(c->rq, row, &c->by->v[i]);
	str key = arena_fmt(c->rq->mem, "%.*s\n%.*s", STR_ARG(keys[0]), STR_ARG(keys[1]));
	side_by_side *s = map_get(&c->by_key, key);
	if (!s) {
		s = arena_new(c->rq->mem, side_by_side);
		*s = (side_by_side){ .next = c->first };
		for (size_t i = 0; i < c->by->n; i++)
			s->keys[i] = arena_str(c->rq->mem, keys[i]);
		map_put(&c->by_key, key, s);
		c->first = s;
		c->n++;
	}
	add_to(s, c, row);
}

static i128 distance(const side_by_side *s)
{
	i128 d = s->sums[1] - s->sums[0];
	return d < 0 ? -d : d;
}

/* What differs most comes first. */
static int by_distance(const void *a, const void *b)
{
	const side_by_side *x = *(side_by_side *const *)a, *y = *(side_by_side *const *)b;
	i128 dx = distance(x), dy = distance(y);
	if (dx != dy)
		return dx > dy ? -1 : 1;
	int order = str_cmp(x->keys[0], y->keys[0]);
	return order ? order : str_cmp(x->keys[1], y->keys[1]);
}

static ce_ComparisonMetrics metrics_of(const comparison *c, const side_by_side *s)
{
	req *rq = c->rq;
	str (*text)(req *, i128) = is_cost(c) ? ce_amount : ce_quantity;
	ce_ComparisonMetrics m = { .v = arena_array(rq->mem, ce_ComparisonMetrics_entry, 1), .n = 1 };
	m.v[0].key = c->metric;
	m.v[0].value = (ce_ComparisonMetricValue){
		.BaselineTimePeriodAmount = text(rq, s->sums[0]),
		.ComparisonTimePeriodAmount = text(rq, s->sums[1]),
		.Difference = text(rq, s->sums[1] - s->sums[0]),
		.Unit = is_cost(c) ? S("USD") : str_is(s->unit) ? s->unit : S("N/A"),
	};
	return m;
}

static ce_Expression selector_of_one(req *rq, const ce_GroupDefinition *by, str key)
{
	ce_Expression e = { .Not = NULL };
	ce_Values values = { .v = arena_array(rq->mem, str, 1), .n = 1 };
	bool tag = str_eq(by->Type, S("TAG"));
	if (tag || str_eq(by->Type, S("COST_CATEGORY")))
		key = str_sub(key, by->Key.n + 1, key.n);
	values.v[0] = key;
	if (tag) {
		e.Tags = arena_new(rq->mem, ce_TagValues);
		*e.Tags = (ce_TagValues){ .Key = by->Key, .Values = values };
	} else if (str_eq(by->Type, S("COST_CATEGORY"))) {
		e.CostCategories = arena_new(rq->mem, ce_CostCategoryValues);
		*e.CostCategories = (ce_CostCategoryValues){ .Key = by->Key, .Values = values };
	} else {
		e.Dimensions = arena_new(rq->mem, ce_DimensionValues);
		*e.Dimensions = (ce_DimensionValues){ .Key = by->Key, .Values = values };
	}
	return e;
}

static ce_Expression *selector_of(const comparison *c, const side_by_side *s)
{
	ce_Expression *e = arena_new(c->rq->mem, ce_Expression);
	*e = selector_of_one(c->rq, &c->by->v[0], s->keys[0]);
	if (c->by->n == 1)
		return e;
	ce_Expression *both = arena_array(c->rq->mem, ce_Expression, 2);
	both[0] = *e;
	both[1] = selector_of_one(c->rq, &c->by->v[1], s->keys[1]);
	*e = (ce_Expression){ .And = { .v = both, .n = 2 } };
	return e;
}

static err month_of_interval(req *rq, const ce_DateInterval *in, const char *which, ce_period *p)
{
	TRY(ce_period_of(rq, in, S("MONTHLY"), false, p));
	if (p->from != month_of(p->from) || p->to != month_after(p->from, 1))
		return fail(rq, &aws_ValidationException,
		            "%s must be one whole month, from its first day to the first day of the next", which);
	return OK;
}

static err page_of(const comparison *c, opt_i64 most, str token, ce_GetCostAndUsageComparisons_out *out)
{
	size_t limit = most.set ? (size_t)most.v : PAGE, n = 0;
	str place = S("0");
	int64_t from = 0;
	if (token.n && (!page_position(c->rq, token, &place) || !str_to_i64(place, &from)))
		return fail(c->rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	side_by_side **all = arena_array(c->rq->mem, side_by_side *, c->n + 1);
	for (side_by_side *s = c->first; s; s = s->next)
		all[n++] = s;
	qsort(all, n, sizeof *all, by_distance);
	ce_CostAndUsageComparisons *list = &out->CostAndUsageComparisons;
	list->v = arena_array(c->rq->mem, ce_CostAndUsageComparison, limit + 1);
	for (size_t i = (size_t)from; i < n && list->n < limit; i++) {
		ce_CostAndUsageComparison *o = &list->v[list->n++];
		o->CostAndUsageSelector = selector_of(c, all[i]);
		o->Metrics = metrics_of(c, all[i]);
	}
	if ((size_t)from + list->n < n)
		out->NextPageToken = page_token(c->rq, arena_fmt(c->rq->mem, "%zu", (size_t)from + list->n));
	return OK;
}

err ce_GetCostAndUsageComparisons(req *rq, const ce_GetCostAndUsageComparisons_in *in,
                                  ce_GetCostAndUsageComparisons_out *out)
{
	ce_period baseline, compared;
	comparison c = { .rq = rq, .by = &in->GroupBy, .by_key = map_in(rq->mem, 16) };
	meter_one(rq, &CE_REQUEST, S(""));
	c.metric = ce_metric_named(in->MetricForComparison);
	if (!str_is(c.metric))
		return fail(rq, &aws_ValidationException, "Invalid MetricForComparison: %.*s",
		            STR_ARG(in->MetricForComparison));
	TRY(ce_groups_check(rq, &in->GroupBy, false));
	TRY(month_of_interval(rq, in->BaselineTimePeriod, "BaselineTimePeriod", &baseline));
	TRY(month_of_interval(rq, in->ComparisonTimePeriod, "ComparisonTimePeriod", &compared));
	TRY(ce_rows(rq, &baseline, in->Filter, NULL, rq->now, add_row, &c));
	c.at = 1;
	TRY(ce_rows(rq, &compared, in->Filter, NULL, rq->now, add_row, &c));
	TRY(page_of(&c, in->MaxResults, in->NextPageToken, out));
	out->TotalCostAndUsage = metrics_of(&c, &c.total);
	return OK;
}
