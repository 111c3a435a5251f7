#include "ce.h"
#include <stdlib.h>

ce_values ce_values_of(req *rq, str search)
{
	return (ce_values){ .rq = rq, .search = search, .seen = map_in(rq->mem, 64) };
}

static bool matches(req *rq, str value, str search)
{
	return search.n == 0 || str_find(arena_lower(rq->mem, value), arena_lower(rq->mem, search)) != SIZE_MAX;
}

void ce_values_add(ce_values *all, str value, const ce_row *row)
{
	if (!str_is(value) || !matches(all->rq, value, all->search))
		return;
	ce_value *found = map_get(&all->seen, value);
	if (!found) {
		found = arena_new(all->rq->mem, ce_value);
		*found = (ce_value){ .text = arena_str(all->rq->mem, value), .next = all->first };
		map_put(&all->seen, found->text, found);
		all->first = found;
		all->n++;
	}
	if (row) {
		found->amount += row->amount;
		found->quantity += row->quantity;
	}
}

static int by_text(const void *a, const void *b)
{
	return str_cmp((*(ce_value *const *)a)->text, (*(ce_value *const *)b)->text);
}

static int by_amount(const void *a, const void *b)
{
	const ce_value *x = *(ce_value *const *)a, *y = *(ce_value *const *)b;
	return x->amount == y->amount ? by_text(a, b) : x->amount < y->amount ? -1 : 1;
}

static int by_quantity(const void *a, const void *b)
{
	const ce_value *x = *(ce_value *const *)a, *y = *(ce_value *const *)b;
	return x->quantity == y->quantity ? by_text(a, b) : x->quantity < y->quantity ? -1 : 1;
}

/* By text unless told otherwise; by a metric, the least first unless told otherwise. */
static err sorted(ce_values *all, const ce_SortDefinitions *by, str *v)
{
	size_t n = 0;
	str metric = by->n ? ce_metric_named(by->v[0].Key) : STR_NONE;
	if (by->n && !str_is(metric))
		return fail(all->rq, &aws_ValidationException, "Invalid SortBy key: %.*s", STR_ARG(by->v[0].Key));
	bool down = by->n && str_eq(by->v[0].SortOrder, S("DESCENDING"));
	ce_value **order = arena_array(all->rq->mem, ce_value *, all->n + 1);
	for (ce_value *x = all->first; x; x = x->next)
		order[n++] = x;
	qsort(order, n, sizeof *order,
	      by->n == 0 ? by_text : str_ends(metric, S("Cost")) ? by_amount : by_quantity);
	for (size_t i = 0; i < n; i++)
		v[i] = order[down ? n - 1 - i : i]->text;
	return OK;
}

err ce_values_page(ce_values *all, const ce_SortDefinitions *by, opt_i64 most, str token, ce_page *out)
{
	size_t limit = most.set && most.v < CE_DIMENSIONS_PAGE ? (size_t)most.v : CE_DIMENSIONS_PAGE;
	str place = S("0");
	int64_t from = 0;
	if (token.n && (!page_position(all->rq, token, &place) || !str_to_i64(place, &from)))
		return fail(all->rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	str *v = arena_array(all->rq->mem, str, all->n + 1);
	TRY(sorted(all, by, v));
	size_t at = (size_t)from < all->n ? (size_t)from : all->n;
	*out = (ce_page){ .v = v + at, .n = all->n - at < limit ? all->n - at : limit };
	if (at + out->n < all->n)
		out->next = page_token(all->rq, arena_fmt(all->rq->mem, "%zu", at + out->n));
	return OK;
}

typedef struct asked {
	ce_values values;
	str dimension;
} asked;

static void add_row(void *context, const ce_row *row, size_t period)
{
	asked *a = context;
	(void)period;
	ce_values_add(&a->values, ce_dimension(a->values.rq, row, a->dimension), row);
}

static void describe(req *rq, str dimension, str value, ce_DimensionValuesWithAttributes *d)
{
	d->Value = value;
	d->Attributes.v = arena_array(rq->mem, ce_Attributes_entry, 1);
	if (!str_eq(dimension, S("LINKED_ACCOUNT")))
		return;
	d->Attributes.n = 1;
	d->Attributes.v[0].key = S("description");
	d->Attributes.v[0].value = rq->who.account;
}

err ce_GetDimensionValues(req *rq, const ce_GetDimensionValues_in *in,
                          ce_GetDimensionValues_out *out)
{
	ce_period p;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, S("MONTHLY"), false, &p));
	if (!charges_dimension_known(in->Dimension))
		return fail(rq, &aws_ValidationException, "Dimension %.*s is not allowed.", STR_ARG(in->Dimension));
	asked a = { .values = ce_values_of(rq, in->SearchString), .dimension = in->Dimension };
	/* Nobody has reservations or Savings Plans, so nothing is said of them. */
	if (!str_is(in->Context) || str_eq(in->Context, S("COST_AND_USAGE")))
		TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, add_row, &a));
	ce_page page;
	TRY(ce_values_page(&a.values, &in->SortBy, in->MaxResults, in->NextPageToken, &page));
	ce_DimensionValuesWithAttributesList *list = &out->DimensionValues;
	list->v = arena_array(rq->mem, ce_DimensionValuesWithAttributes, page.n + 1);
	for (list->n = 0; list->n < page.n; list->n++)
		describe(rq, in->Dimension, page.v[list->n], &list->v[list->n]);
	out->NextPageToken = page.next;
	out->ReturnSize = I64((int64_t)page.n);
	out->TotalSize = I64((int64_t)a.values.n);
	return OK;
}
