/* Two months side by side: what each group has cost, by how much it differs, and what made the difference. */
#include "base/map.h"
#include "base/time.h"
#include "ce.h"
#include <stdlib.h>

#define PAGE 10
#define KEYS_MAX (CE_GROUPS_MAX + 2) /* drivers are by service and usage type, whatever else */

typedef struct side_by_side {
	str keys[KEYS_MAX], unit;
	i128 sums[2];     /* baseline, comparison: of the metric */
	i128 used[2];     /* units */
	money cost[2], credit[2]; /* of what was used; what credits paid of it, below zero */
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
	s->used[c->at] += row->quantity;
	*(str_eq(row->record_type, S("Credit")) ? &s->credit[c->at] : &s->cost[c->at]) += row->amount;
	s->unit = !str_is(s->unit) || str_eq(s->unit, row->unit) ? row->unit : S("N/A");
}

static void add_row(void *context, const ce_row *row, size_t period)
{
	comparison *c = context;
	str keys[KEYS_MAX] = { S(""), S(""), S(""), S("") };
	(void)period;
	add_to(&c->total, c, row);
	if (c->by->n == 0)
		return;
	for (size_t i = 0; i < c->by->n; i++)
		keys[i] = ce_group_key(c->rq, row, &c->by->v[i]);
	str key = arena_fmt(c->rq->mem, "%.*s\n%.*s\n%.*s\n%.*s", STR_ARG(keys[0]), STR_ARG(keys[1]),
	                    STR_ARG(keys[2]), STR_ARG(keys[3]));
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
	for (size_t i = 0; i < KEYS_MAX; i++) {
		int order = str_cmp(x->keys[i], y->keys[i]);
		if (order)
			return order;
	}
	return 0;
}

static void put_metric(req *rq, ce_ComparisonMetrics *m, str metric, const i128 *sums, str unit)
{
	bool cost = str_ends(metric, S("Cost"));
	str (*text)(req *, i128) = cost ? ce_amount : ce_quantity;
	m->v[m->n].key = metric;
	m->v[m->n++].value = (ce_ComparisonMetricValue){
		.BaselineTimePeriodAmount = text(rq, sums[0]),
		.ComparisonTimePeriodAmount = text(rq, sums[1]),
		.Difference = text(rq, sums[1] - sums[0]),
		.Unit = cost ? S("USD") : str_is(unit) ? unit : S("N/A"),
	};
}

static ce_ComparisonMetrics metrics_of(const comparison *c, const side_by_side *s)
{
	ce_ComparisonMetrics m = { .v = arena_array(c->rq->mem, ce_ComparisonMetrics_entry, 1) };
	put_metric(c->rq, &m, c->metric, s->sums, s->unit);
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
	ce_Expression *all = arena_array(c->rq->mem, ce_Expression, c->by->n);
	for (size_t i = 0; i < c->by->n; i++)
		all[i] = selector_of_one(c->rq, &c->by->v[i], s->keys[i]);
	*e = (ce_Expression){ .And = { .v = all, .n = c->by->n } };
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

/* Those of one page, the most different first, and where the next one begins. */
typedef struct page {
	side_by_side **v;
	size_t n;
	str next;
} page;

static err page_of(const comparison *c, bool different, opt_i64 most, str token, page *out)
{
	size_t limit = most.set ? (size_t)most.v : PAGE, n = 0;
	str place = S("0");
	int64_t from = 0;
	if (token.n && (!page_position(c->rq, token, &place) || !str_to_i64(place, &from)))
		return fail(c->rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	side_by_side **all = arena_array(c->rq->mem, side_by_side *, c->n + 1);
	for (side_by_side *s = c->first; s; s = s->next)
		if (!different || distance(s))
			all[n++] = s;
	qsort(all, n, sizeof *all, by_distance);
	size_t at = (size_t)from < n ? (size_t)from : n;
	*out = (page){ .v = all + at, .n = n - at < limit ? n - at : limit };
	if (at + out->n < n)
		out->next = page_token(c->rq, arena_fmt(c->rq->mem, "%zu", at + out->n));
	return OK;
}

/* What both questions ask: c->by, the metric and the months. */
static err compare(comparison *c, str metric, const ce_DateInterval *before, const ce_DateInterval *after,
                   const ce_Expression *filter)
{
	ce_period baseline, compared;
	req *rq = c->rq;
	c->metric = ce_metric_named(metric);
	if (!str_is(c->metric))
		return fail(rq, &aws_ValidationException, "Invalid MetricForComparison: %.*s", STR_ARG(metric));
	TRY(month_of_interval(rq, before, "BaselineTimePeriod", &baseline));
	TRY(month_of_interval(rq, after, "ComparisonTimePeriod", &compared));
	TRY(ce_rows(rq, &baseline, filter, NULL, rq->now, add_row, c));
	c->at = 1;
	return ce_rows(rq, &compared, filter, NULL, rq->now, add_row, c);
}

err ce_GetCostAndUsageComparisons(req *rq, const ce_GetCostAndUsageComparisons_in *in,
                                  ce_GetCostAndUsageComparisons_out *out)
{
	page p;
	comparison c = { .rq = rq, .by = &in->GroupBy, .by_key = map_in(rq->mem, 16) };
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_groups_check(rq, &in->GroupBy, false));
	TRY(compare(&c, in->MetricForComparison, in->BaselineTimePeriod, in->ComparisonTimePeriod, in->Filter));
	TRY(page_of(&c, false, in->MaxResults, in->NextPageToken, &p));
	ce_CostAndUsageComparisons *list = &out->CostAndUsageComparisons;
	list->v = arena_array(rq->mem, ce_CostAndUsageComparison, p.n + 1);
	for (; list->n < p.n; list->n++) {
		list->v[list->n].CostAndUsageSelector = selector_of(&c, p.v[list->n]);
		list->v[list->n].Metrics = metrics_of(&c, p.v[list->n]);
	}
	out->NextPageToken = p.next;
	out->TotalCostAndUsage = metrics_of(&c, &c.total);
	return OK;
}

/* Usage of this type is more or less, or what credits pay of it. There are no other kinds of change here. */
static ce_CostDrivers drivers_of(const comparison *c, const side_by_side *s)
{
	req *rq = c->rq;
	ce_CostDrivers d = { .v = arena_array(rq->mem, ce_CostDriver, 2) };
	if (s->used[0] != s->used[1] || s->cost[0] != s->cost[1]) {
		ce_CostDriver *o = &d.v[d.n++];
		o->Type = S("USAGE_CHANGE");
		o->Name = s->keys[c->by->n - 1];
		o->Metrics.v = arena_array(rq->mem, ce_ComparisonMetrics_entry, 2);
		if (is_cost(c))
			put_metric(rq, &o->Metrics, c->metric, s->cost, STR_NONE);
		put_metric(rq, &o->Metrics, is_cost(c) ? S("UsageQuantity") : c->metric, s->used, s->unit);
	}
	if (is_cost(c) && s->credit[0] != s->credit[1]) {
		ce_CostDriver *o = &d.v[d.n++];
		o->Type = S("CREDIT");
		o->Name = S("Credit");
		o->Metrics.v = arena_array(rq->mem, ce_ComparisonMetrics_entry, 1);
		put_metric(rq, &o->Metrics, c->metric, s->credit, STR_NONE);
	}
	return d;
}

err ce_GetCostComparisonDrivers(req *rq, const ce_GetCostComparisonDrivers_in *in,
                                ce_GetCostComparisonDrivers_out *out)
{
	page p;
	ce_GroupDefinition keys[KEYS_MAX];
	ce_GroupDefinitions by = { .v = keys };
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_groups_check(rq, &in->GroupBy, false));
	for (; by.n < in->GroupBy.n; by.n++)
		keys[by.n] = in->GroupBy.v[by.n];
	keys[by.n++] = (ce_GroupDefinition){ .Type = S("DIMENSION"), .Key = S("SERVICE") };
	keys[by.n++] = (ce_GroupDefinition){ .Type = S("DIMENSION"), .Key = S("USAGE_TYPE") };
	comparison c = { .rq = rq, .by = &by, .by_key = map_in(rq->mem, 16) };
	TRY(compare(&c, in->MetricForComparison, in->BaselineTimePeriod, in->ComparisonTimePeriod, in->Filter));
	TRY(page_of(&c, true, in->MaxResults, in->NextPageToken, &p));
	ce_CostComparisonDrivers *list = &out->CostComparisonDrivers;
	list->v = arena_array(rq->mem, ce_CostComparisonDriver, p.n + 1);
	for (; list->n < p.n; list->n++) {
		ce_CostComparisonDriver *o = &list->v[list->n];
		o->CostSelector = selector_of(&c, p.v[list->n]);
		o->Metrics = metrics_of(&c, p.v[list->n]);
		o->CostDrivers = drivers_of(&c, p.v[list->n]);
	}
	out->NextPageToken = p.next;
	return OK;
}
