#include "ce.h"

#define QUANTITY_ONE INT64_C(1000000000000)
#define AMOUNT_DIGITS 10
#define FILTER_DEPTH 16

str ce_amount(req *rq, money amount)
{
	return decimal_print_exact(rq->mem, money_round(amount, AMOUNT_DIGITS), MONEY_DIGITS, 0);
}

str ce_dimension(req *rq, const ce_row *row, str d)
{
	if (str_eq(d, S("RECORD_TYPE")))
		return row->record_type;
	return charges_dimension(rq->mem, rq->who.account, row->charge, d);
}

static bool has_option(const ce_MatchOptions *options, str name)
{
	for (size_t i = 0; i < options->n; i++)
		if (str_eq(options->v[i], name))
			return true;
	return false;
}

static bool value_fits(req *rq, str have, str want, const ce_MatchOptions *o)
{
	if (has_option(o, S("CASE_INSENSITIVE"))) {
		have = arena_lower(rq->mem, have);
		want = arena_lower(rq->mem, want);
	}
	if (has_option(o, S("STARTS_WITH")))
		return str_starts(have, want);
	if (has_option(o, S("ENDS_WITH")))
		return str_ends(have, want);
	if (has_option(o, S("CONTAINS")))
		return str_find(have, want) != SIZE_MAX;
	return str_eq(have, want);
}

bool ce_filter_fits(req *rq, const ce_Expression *f, const ce_row *row)
{
	if (!f)
		return true;
	for (size_t i = 0; i < f->And.n; i++)
		if (!ce_filter_fits(rq, &f->And.v[i], row))
			return false;
	if (f->Or.n) {
		for (size_t i = 0; i < f->Or.n; i++)
			if (ce_filter_fits(rq, &f->Or.v[i], row))
				return true;
		return false;
	}
	if (f->Not)
		return !ce_filter_fits(rq, f->Not, row);
	const ce_DimensionValues *d = f->Dimensions;
	if (!d)
		return true;
	str have = ce_dimension(rq, row, d->Key);
	if (has_option(&d->MatchOptions, S("ABSENT")))
		return str_starts(have, S("No"));
	for (size_t i = 0; i < d->Values.n; i++)
		if (value_fits(rq, have, d->Values.v[i], &d->MatchOptions))
			return true;
	return false;
}

err ce_filter_check(req *rq, const ce_Expression *f, unsigned depth)
{
	if (!f)
		return OK;
	int roots = (f->And.v != NULL) + (f->Or.v != NULL) + (f->Not != NULL) + (f->Dimensions != NULL) +
		    (f->Tags != NULL) + (f->CostCategories != NULL);
	if (roots != 1)
		return fail(rq, &aws_ValidationException, "Expression should have exactly one root operator");
	if (depth > FILTER_DEPTH)
		return fail(rq, &aws_ValidationException, "Expression is nested too deeply");
	if ((f->And.v && f->And.n < 2) || (f->Or.v && f->Or.n < 2))
		return fail(rq, &aws_ValidationException, "And and Or need at least two expressions");
	if (f->Tags || f->CostCategories)
		return fail(rq, &aws_NotImplemented, "Filtering by tag or cost category is not implemented.");
	if (f->Dimensions && !charges_dimension_known(f->Dimensions->Key))
		return fail(rq, &aws_NotImplemented, "Filtering by %.*s is not implemented.",
		            STR_ARG(f->Dimensions->Key));
	for (size_t i = 0; i < f->And.n; i++)
		TRY(ce_filter_check(rq, &f->And.v[i], depth + 1));
	for (size_t i = 0; i < f->Or.n; i++)
		TRY(ce_filter_check(rq, &f->Or.v[i], depth + 1));
	return ce_filter_check(rq, f->Not, depth + 1);
}

typedef struct walk {
	req *rq;
	const ce_period *period;
	const ce_Expression *filter;
	ce_each *each;
	void *context;
} walk;

static void see_charge(void *context, const charge *c, money credit)
{
	walk *w = context;
	size_t at = ce_period_at(w->period, c->use->when);
	if (at == SIZE_MAX)
		return;
	ce_row row = { .charge = c, .record_type = S("Usage"), .amount = c->amount,
		       .unit = charges_unit(c) };
	i128_mul_div(c->quantity, QUANTITY_ONE, c->parts, &row.quantity);
	if (ce_filter_fits(w->rq, w->filter, &row))
		w->each(w->context, &row, at);
	if (!credit)
		return;
	row.record_type = S("Credit");
	row.amount = -credit;
	row.quantity = 0;
	if (ce_filter_fits(w->rq, w->filter, &row))
		w->each(w->context, &row, at);
}

static err walk_months(walk *w, const txn *tx, const use_list *more, int64_t now)
{
	req *rq = w->rq;
	for (int64_t month = month_of(w->period->from); month < w->period->to; month = month_after(month, 1)) {
		bill_query q = charges_query(rq->mem, tx, rq->who.account, month, now);
		if (!charges_each(rq->mem, tx, &q, more, see_charge, w))
			return fail(rq, &aws_InternalFailure, "The amounts are too large to be added up.");
	}
	return OK;
}

err ce_rows(req *rq, const ce_period *p, const ce_Expression *filter, const use_list *more,
            int64_t now, ce_each *each, void *context)
{
	TRY(ce_filter_check(rq, filter, 0));
	TRY(meter_flush());
	walk w = { rq, p, filter, each, context };
	const txn *tx = req_read(rq);
	err e = walk_months(&w, tx, more, now);
	req_read_end(rq, tx);
	return e;
}
