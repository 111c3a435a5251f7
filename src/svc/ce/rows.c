#include "ce.h"
#include "cloud/call.h"
#include "cloud/charges_category.h"

#define AMOUNT_DIGITS 10
#define FILTER_DEPTH 16

str ce_amount(req *rq, money amount)
{
	return decimal_print_exact(rq->mem, money_round(amount, AMOUNT_DIGITS), MONEY_DIGITS, 0);
}

str ce_quantity(req *rq, i128 quantity)
{
	quantity = decimal_round(quantity, QUANTITY_DIGITS, AMOUNT_DIGITS);
	return decimal_print_exact(rq->mem, quantity, QUANTITY_DIGITS, 0);
}

bool ce_dimension_named(str name)
{
	return shape_has_value(&ce_Dimension_shape, name);
}

/* What rows are seen through: tags as they were, and which of them are active. */
typedef struct ce_view {
	req *rq;
	const txn *tx;
	charges_tags *tags;
	map active;
	ce_categories *categories;
} ce_view;

str ce_dimension(req *rq, const ce_row *row, str d)
{
	if (str_eq(d, S("RECORD_TYPE")))
		return row->record_type;
	return charges_dimension(rq->mem, row->view->tx, rq->who.account, row->charge, d);
}

str ce_tag(const ce_row *row, str key)
{
	ce_view *v = (ce_view *)row->view;
	static const char yes, no;
	const void *active = map_get(&v->active, key);
	if (!active) {
		active = ce_tag_active(v->rq, v->tx, key) ? &yes : &no;
		map_put(&v->active, arena_str(v->rq->mem, key), (void *)active);
	}
	return active == &yes ? charges_tag(v->tags, row->charge->use, key) : STR_NONE;
}

str ce_category_of(const ce_row *row, str name)
{
	ce_view *v = (ce_view *)row->view;
	return ce_category_value(v->rq, v->categories, row, name);
}

static bool has_option(const ce_MatchOptions *options, str name)
{
	for (size_t i = 0; i < options->n; i++)
		if (str_eq(options->v[i], name))
			return true;
	return false;
}

/* STR_NONE: the row has no value. */
static bool any_fits(req *rq, str have, const ce_Values *wanted, const ce_MatchOptions *o)
{
	return charges_value_fits(rq->mem, have, wanted->v, wanted->n, o->v, o->n);
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
	if (f->Tags)
		return any_fits(rq, ce_tag(row, f->Tags->Key), &f->Tags->Values, &f->Tags->MatchOptions);
	const ce_CostCategoryValues *c = f->CostCategories;
	if (c)
		return any_fits(rq, ce_category_of(row, c->Key), &c->Values, &c->MatchOptions);
	const ce_DimensionValues *d = f->Dimensions;
	if (!d)
		return true;
	str have = ce_dimension(rq, row, d->Key);
	bool none = has_option(&d->MatchOptions, S("ABSENT")) && str_starts(have, S("No"));
	return any_fits(rq, none ? STR_NONE : have, &d->Values, &d->MatchOptions);
}

static err dimensions_check(req *rq, const ce_DimensionValues *d)
{
	if (!d)
		return OK;
	if (!str_is(d->Key) || d->Key.n == 0)
		return fail(rq, &aws_ValidationException, "Dimensions needs a Key");
	if (d->Values.n == 0 && !has_option(&d->MatchOptions, S("ABSENT")))
		return fail(rq, &aws_ValidationException, "Values of the dimension %.*s must not be empty",
		            STR_ARG(d->Key));
	if (has_option(&d->MatchOptions, S("GREATER_THAN_OR_EQUAL")))
		return fail(rq, &aws_ValidationException,
		            "The match option GREATER_THAN_OR_EQUAL is not valid for the dimension %.*s",
		            STR_ARG(d->Key));
	return OK;
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
		return fail(rq, &aws_ValidationException, "%s expression must have at least 2 operands",
		            f->And.v ? "And" : "Or");
	if (f->CostCategories && !str_is(f->CostCategories->Key))
		return fail(rq, &aws_ValidationException, "CostCategories needs a Key");
	if (f->Tags && !str_is(f->Tags->Key))
		return fail(rq, &aws_ValidationException, "Tags needs a Key");
	TRY(dimensions_check(rq, f->Dimensions));
	if (f->Dimensions && !charges_dimension_known(f->Dimensions->Key))
		return fail(rq, &aws_ValidationException, "Dimension %.*s is not allowed.",
		            STR_ARG(f->Dimensions->Key));
	for (size_t i = 0; i < f->And.n; i++)
		TRY(ce_filter_check(rq, &f->And.v[i], depth + 1));
	for (size_t i = 0; i < f->Or.n; i++)
		TRY(ce_filter_check(rq, &f->Or.v[i], depth + 1));
	return ce_filter_check(rq, f->Not, depth + 1);
}

static ce_view view_of(req *rq, const txn *tx, charges_tags *tags)
{
	return (ce_view){ rq, tx, tags, map_in(rq->mem, 8), ce_categories_open(rq, tx) };
}

static void *categories_open(arena *mem, const txn *tx, str account, charges_tags *tags)
{
	ce_view *v = arena_new(mem, ce_view);
	*v = view_of(req_internal(mem, NULL, "ce.amazonaws.com", account, S("us-east-1")), tx, tags);
	return v;
}

static str category_of(void *opened, const charge *c, bool credit, str name)
{
	ce_row row = { .view = opened, .charge = c, .record_type = credit ? S("Credit") : S("Usage") };
	return ce_category_of(&row, name);
}
CHARGES_CATEGORIES(ce, categories_open, category_of);

typedef struct walk {
	req *rq;
	const ce_period *period;
	const ce_Expression *filter;
	ce_each *each;
	void *context;
	ce_view view;
	int64_t until; /* later usage is not seen yet */
} walk;

static void see_charge(void *context, const charge *c, money credit)
{
	walk *w = context;
	size_t at = ce_period_at(w->period, c->use->when);
	if (at == SIZE_MAX || c->use->when > w->until)
		return;
	ce_row row = { .view = &w->view, .charge = c, .record_type = S("Usage"), .amount = c->amount,
		       .unit = charges_unit(c), .quantity = charges_quantity(c) };
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
	w->until = more ? INT64_MAX : charges_seen(now);
	for (int64_t month = month_of(w->period->from); month < w->period->to; month = month_after(month, 1)) {
		bill_query q = charges_query(rq->mem, tx, rq->who.account, month, now);
		if (!charges_each(rq->mem, tx, &q, more, see_charge, w))
			return fail(rq, &aws_InternalFailure, "The amounts are too large to be added up.");
	}
	return OK;
}

/* An account without an active tag sees none, so nobody need be asked. */
static err look_at_tags(req *rq)
{
	const txn *tx = req_read(rq);
	record_scan scan = ce_costtag_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	bool any = ce_costtag_next(&scan) != NULL;
	req_read_end(rq, tx);
	return any ? charges_tags_look(rq->store, rq->who.account) : OK;
}

err ce_rows(req *rq, const ce_period *p, const ce_Expression *filter, const use_list *more,
            int64_t now, ce_each *each, void *context)
{
	TRY(ce_filter_check(rq, filter, 0));
	TRY(meter_flush());
	TRY(look_at_tags(rq));
	walk w = { .rq = rq, .period = p, .filter = filter, .each = each, .context = context };
	const txn *tx = req_read(rq);
	w.view = view_of(rq, tx, charges_tags_open(rq->mem, tx, rq->who.account));
	err e = walk_months(&w, tx, more, now);
	req_read_end(rq, tx);
	return e;
}
