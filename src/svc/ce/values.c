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

void ce_values_add(ce_values *all, str value)
{
	if (!str_is(value) || map_get(&all->seen, value) || !matches(all->rq, value, all->search))
		return;
	value = arena_str(all->rq->mem, value);
	map_put(&all->seen, value, all);
	if (all->n == all->capacity) {
		size_t wider = all->capacity ? all->capacity * 2 : 32;
		str *v = arena_array(all->rq->mem, str, wider);
		if (all->n)
			memcpy(v, all->v, all->n * sizeof(str));
		all->v = v;
		all->capacity = wider;
	}
	all->v[all->n++] = value;
}

static int by_text(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

err ce_values_page(ce_values *all, opt_i64 most, str token, size_t *from, size_t *n, str *next)
{
	size_t limit = most.set && most.v < CE_DIMENSIONS_PAGE ? (size_t)most.v : CE_DIMENSIONS_PAGE;
	str after = S("");
	if (token.n && !page_position(all->rq, token, &after))
		return fail(all->rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	if (all->n)
		qsort(all->v, all->n, sizeof(str), by_text);
	for (*from = 0; token.n && *from < all->n && str_cmp(all->v[*from], after) <= 0;)
		++*from;
	*n = all->n - *from < limit ? all->n - *from : limit;
	if (*from + *n < all->n)
		*next = page_token(all->rq, all->v[*from + *n - 1]);
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
	ce_values_add(&a->values, ce_dimension(a->values.rq, row, a->dimension));
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
	size_t from, n;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, S("MONTHLY"), false, &p));
	if (str_is(in->Context) && !str_eq(in->Context, S("COST_AND_USAGE")))
		return fail(rq, &aws_NotImplemented, "Reservations and Savings Plans are not implemented.");
	if (!charges_dimension_known(in->Dimension))
		return fail(rq, &aws_NotImplemented, "The dimension %.*s is not implemented.",
		            STR_ARG(in->Dimension));
	asked a = { .values = ce_values_of(rq, in->SearchString), .dimension = in->Dimension };
	TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, add_row, &a));
	TRY(ce_values_page(&a.values, in->MaxResults, in->NextPageToken, &from, &n, &out->NextPageToken));
	ce_DimensionValuesWithAttributesList *list = &out->DimensionValues;
	list->v = arena_array(rq->mem, ce_DimensionValuesWithAttributes, n + 1);
	for (list->n = 0; list->n < n; list->n++)
		describe(rq, in->Dimension, a.values.v[from + list->n], &list->v[list->n]);
	out->ReturnSize = I64((int64_t)n);
	out->TotalSize = I64((int64_t)a.values.n);
	return OK;
}
