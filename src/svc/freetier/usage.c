#include "base/time.h"
#include "cloud/meter.h"
#include "freetier.h"

#define FILTER_DEPTH 16
#define PERCENT 100

static opt_f64 number_of(arena *mem, i128 millionths)
{
	double v = 0;
	str_to_f64(decimal_print_exact(mem, millionths, QTY_DIGITS, 1), &v);
	return F64(v);
}

static str kind_text(free_kind k)
{
	return k == FREE_ALWAYS ? S("Always Free") : k == FREE_12_MONTHS ? S("12 Months Free") : S("Free Trial");
}

static i128 forecast_of(const bill *b, const free_use *f)
{
	for (size_t i = 0; i < b->n_forecast_free; i++)
		if (b->forecast_free[i].pool == f->pool && str_eq(b->forecast_free[i].region, f->region))
			return b->forecast_free[i].used;
	return f->used;
}

/* The item that names the offer: the first of those that share it. */
static const price_item *first_of(const book *b, const free_use *f)
{
	for (size_t i = 0; i < book_items(b); i++)
		if (book_item(b, i)->pool == f->pool)
			return book_item(b, i);
	return f->item;
}

/* An allowance of the account's counts under "Global-", one of a region's under that region's usage type. */
static str usage_type_of(arena *mem, const book *b, const free_use *f, const price_item *item)
{
	if (!item->name || f->region.n)
		return price_usage_type(mem, b, item, NULL, f->region);
	return arena_fmt(mem, "Global-%.*s", STR_ARG(item->name->usage_type));
}

static str description_of(arena *mem, const free_use *f, str unit, str usage_type)
{
	str amount = decimal_print_exact(mem, f->allowance, QTY_DIGITS, 1);
	bool always = f->pool->kind == FREE_ALWAYS;
	return arena_fmt(mem, "%.*s %.*s are %s per month as part of AWS Free Usage Tier (%.*s)", STR_ARG(amount),
	                 STR_ARG(unit), always ? "always free" : "free for 12 months", STR_ARG(usage_type));
}

static void show(req *rq, const bill *b, const free_use *f, freetier_FreeTierUsage *out)
{
	arena *mem = rq->mem;
	const struct book *prices = b->query.book;
	const price_item *item = first_of(prices, f);
	const price_name *name = item->name;
	str usage_type = usage_type_of(mem, prices, f, item), unit = name ? name->unit : item->unit;
	*out = (freetier_FreeTierUsage){
		.service = book_service_name(prices, item->service),
		.operation = name ? name->operation : S(""),
		.usageType = usage_type,
		.region = f->region.n ? arena_str(mem, f->region) : S("global"),
		.actualUsageAmount = number_of(mem, f->used),
		.forecastedUsageAmount = number_of(mem, forecast_of(b, f)),
		.limit = number_of(mem, f->allowance),
		.unit = unit,
		.description = description_of(mem, f, unit, usage_type),
		.freeTierType = kind_text(f->pool->kind),
	};
}

static str dimension_of(const freetier_FreeTierUsage *u, str d)
{
	return str_eq(d, S("SERVICE"))          ? u->service
	       : str_eq(d, S("OPERATION"))      ? u->operation
	       : str_eq(d, S("USAGE_TYPE"))     ? u->usageType
	       : str_eq(d, S("REGION"))         ? u->region
	       : str_eq(d, S("FREE_TIER_TYPE")) ? u->freeTierType
	                                        : u->description;
}

static bool option_fits(str option, str have, str want)
{
	return str_eq(option, S("STARTS_WITH")) ? str_starts(have, want)
	       : str_eq(option, S("ENDS_WITH")) ? str_ends(have, want)
	       : str_eq(option, S("CONTAINS"))  ? str_find(have, want) != SIZE_MAX
	                                        : str_eq(have, want);
}

static bool dimension_fits(const freetier_DimensionValues *d, const freetier_FreeTierUsage *u)
{
	double least, percent = u->limit.v > 0 ? u->actualUsageAmount.v * PERCENT / u->limit.v : 0;
	for (size_t i = 0; i < d->Values.n; i++) {
		if (str_eq(d->Key, S("USAGE_PERCENTAGE"))) {
			if (str_to_f64(d->Values.v[i], &least) && percent >= least)
				return true;
			continue;
		}
		for (size_t j = 0; j < d->MatchOptions.n; j++)
			if (option_fits(d->MatchOptions.v[j], dimension_of(u, d->Key), d->Values.v[i]))
				return true;
	}
	return false;
}

static bool fits(const freetier_Expression *f, const freetier_FreeTierUsage *u)
{
	bool any = f && f->Or.n == 0;
	if (!f)
		return true;
	for (size_t i = 0; i < f->And.n; i++)
		if (!fits(&f->And.v[i], u))
			return false;
	for (size_t i = 0; i < f->Or.n && !any; i++)
		any = fits(&f->Or.v[i], u);
	return any && !(f->Not && fits(f->Not, u)) && (!f->Dimensions || dimension_fits(f->Dimensions, u));
}

static err filter_check(req *rq, const freetier_Expression *f, unsigned depth)
{
	if (!f)
		return OK;
	if (depth > FILTER_DEPTH)
		return fail(rq, &freetier_ValidationException, "The filter is nested too deeply.");
	if ((f->And.v != NULL) + (f->Or.v != NULL) + (f->Not != NULL) + (f->Dimensions != NULL) != 1)
		return fail(rq, &freetier_ValidationException, "An expression has exactly one operator.");
	for (size_t i = 0; i < f->And.n; i++)
		TRY(filter_check(rq, &f->And.v[i], depth + 1));
	for (size_t i = 0; i < f->Or.n; i++)
		TRY(filter_check(rq, &f->Or.v[i], depth + 1));
	return filter_check(rq, f->Not, depth + 1);
}

static bill *bill_now(req *rq, const txn *tx)
{
	bill_query q = freetier_account(rq, tx);
	return charges_bill(rq->mem, tx, &q);
}

static err page_of(req *rq, const freetier_GetFreeTierUsage_in *in, const bill *b,
                   freetier_GetFreeTierUsage_out *out)
{
	size_t most = in->maxResults.set ? (size_t)in->maxResults.v : FREETIER_PAGE;
	str after = S("");
	if (in->nextToken.n && !page_position(rq, in->nextToken, &after))
		return fail(rq, &freetier_ValidationException, "The token is not valid.");
	freetier_FreeTierUsages *list = &out->freeTierUsages;
	list->v = arena_array(rq->mem, freetier_FreeTierUsage, b->n_free + 1);
	str last = S("");
	for (size_t i = 0; i < b->n_free; i++) {
		str place = arena_fmt(rq->mem, "%.*s %.*s", STR_ARG(b->free[i].pool->name),
		                      STR_ARG(b->free[i].region));
		if (after.n && str_cmp(place, after) <= 0)
			continue;
		show(rq, b, &b->free[i], &list->v[list->n]);
		if (!fits(in->filter, &list->v[list->n]))
			continue;
		if (list->n == most) {
			out->nextToken = page_token(rq, last);
			break;
		}
		list->n++;
		last = place;
	}
	return OK;
}

err freetier_GetFreeTierUsage(req *rq, const freetier_GetFreeTierUsage_in *in,
                              freetier_GetFreeTierUsage_out *out)
{
	TRY(filter_check(rq, in->filter, 0));
	TRY(meter_flush());
	const txn *tx = req_read(rq);
	err e = page_of(rq, in, bill_now(rq, tx), out);
	req_read_end(rq, tx);
	return e;
}
