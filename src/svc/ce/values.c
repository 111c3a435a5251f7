#include "base/map.h"
#include "ce.h"
#include <stdlib.h>

typedef struct values {
	req *rq;
	str dimension, search;
	map seen;
	str *v;
	size_t n, capacity;
} values;

static bool matches(req *rq, str value, str search)
{
	return search.n == 0 || str_find(arena_lower(rq->mem, value), arena_lower(rq->mem, search)) != SIZE_MAX;
}

static void add_value(void *context, const ce_row *row, size_t period)
{
	values *all = context;
	(void)period;
	str value = ce_dimension(all->rq, row, all->dimension);
	if (map_get(&all->seen, value) || !matches(all->rq, value, all->search))
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

static err page_of(req *rq, const ce_GetDimensionValues_in *in, const values *all,
                   ce_GetDimensionValues_out *out)
{
	int64_t most = in->MaxResults.set && in->MaxResults.v < CE_DIMENSIONS_PAGE ? in->MaxResults.v
	                                                                           : CE_DIMENSIONS_PAGE;
	str after = S("");
	if (in->NextPageToken.n && !page_position(rq, in->NextPageToken, &after))
		return fail(rq, &ce_InvalidNextTokenException, "The pagination token is invalid.");
	ce_DimensionValuesWithAttributesList *list = &out->DimensionValues;
	list->v = arena_array(rq->mem, ce_DimensionValuesWithAttributes, (size_t)most);
	for (size_t i = 0; i < all->n; i++) {
		if (after.n && str_cmp(all->v[i], after) <= 0)
			continue;
		if (list->n == (size_t)most) {
			out->NextPageToken = page_token(rq, list->v[list->n - 1].Value);
			break;
		}
		ce_DimensionValuesWithAttributes *d = &list->v[list->n++];
		d->Value = all->v[i];
		d->Attributes.v = arena_array(rq->mem, ce_Attributes_entry, 1);
		if (str_eq(in->Dimension, S("LINKED_ACCOUNT"))) {
			d->Attributes.n = 1;
			d->Attributes.v[0].key = S("description");
			d->Attributes.v[0].value = rq->who.account;
		}
	}
	out->ReturnSize = I64((int64_t)list->n);
	out->TotalSize = I64((int64_t)all->n);
	return OK;
}

err ce_GetDimensionValues(req *rq, const ce_GetDimensionValues_in *in,
                          ce_GetDimensionValues_out *out)
{
	ce_period p;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, S("MONTHLY"), false, &p));
	if (str_is(in->Context) && !str_eq(in->Context, S("COST_AND_USAGE")))
		return fail(rq, &aws_NotImplemented, "Reservations and Savings Plans are not implemented.");
	if (!charges_dimension_known(in->Dimension))
		return fail(rq, &aws_NotImplemented, "The dimension %.*s is not implemented.",
		            STR_ARG(in->Dimension));
	values all = { .rq = rq, .dimension = in->Dimension, .search = in->SearchString,
		       .seen = map_in(rq->mem, 64) };
	TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, add_value, &all));
	if (all.n)
		qsort(all.v, all.n, sizeof(str), by_text);
	return page_of(rq, in, &all, out);
}
