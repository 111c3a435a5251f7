#include "base/time.h"
#include "ce.h"

/*
 * What a row is in a cost category: the value of the first rule that fits it, else the category's default,
 * else nothing. A rule may ask for another category's value; how deep that goes is checked when a category is
 * kept.
 */

typedef struct kept_category {
	ce_CostCategory *it;
	int64_t from;
	struct kept_category *next;
} kept_category;

struct ce_categories {
	kept_category *first;
};

ce_categories *ce_categories_open(req *rq, const txn *tx)
{
	ce_categories *all = arena_new(rq->mem, ce_categories);
	*all = (ce_categories){ .first = NULL };
	record_scan scan = ce_category_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (ce_category *row; (row = ce_category_next(&scan));) {
		kept_category *k = arena_new(rq->mem, kept_category);
		*k = (kept_category){ .it = row->It, .next = all->first };
		if (!time_parse(row->It->EffectiveStart, &k->from))
			continue;
		all->first = k;
	}
	return all;
}

static const kept_category *named(const ce_categories *all, str name)
{
	const kept_category *k = all->first;
	while (k && !str_eq(k->it->Name, name))
		k = k->next;
	return k;
}

static str inherited(req *rq, const ce_row *row, const ce_CostCategoryInheritedValueDimension *from)
{
	if (str_eq(from->DimensionName, S("TAG")))
		return ce_tag(row, from->DimensionKey);
	return ce_dimension(rq, row, S("LINKED_ACCOUNT_NAME"));
}

str ce_category_value(req *rq, const ce_categories *all, const ce_row *row, str name)
{
	const kept_category *k = named(all, name);
	if (!k || row->charge->use->when < k->from)
		return STR_NONE;
	for (size_t i = 0; i < k->it->Rules.n; i++) {
		const ce_CostCategoryRule *r = &k->it->Rules.v[i];
		if (r->InheritedValue) {
			str value = inherited(rq, row, r->InheritedValue);
			if (str_is(value) && value.n)
				return value;
		} else if (ce_filter_fits(rq, r->Rule, row)) {
			return r->Value;
		}
	}
	return str_is(k->it->DefaultValue) ? k->it->DefaultValue : STR_NONE;
}

void ce_category_names(const ce_categories *all, ce_values *into)
{
	for (const kept_category *k = all->first; k; k = k->next)
		ce_values_add(into, k->it->Name, NULL);
}

typedef enum verdict { FINE, UNKNOWN, CIRCLE, TOO_DEEP } verdict;

/* Where an expression leads: to `name` itself, to what does not exist, or over more than `room` levels. */
static verdict leads(const ce_categories *all, const ce_Expression *e, str name, unsigned room)
{
	verdict v = FINE;
	if (!e)
		return FINE;
	for (size_t i = 0; i < e->And.n && v == FINE; i++)
		v = leads(all, &e->And.v[i], name, room);
	for (size_t i = 0; i < e->Or.n && v == FINE; i++)
		v = leads(all, &e->Or.v[i], name, room);
	if (v == FINE)
		v = leads(all, e->Not, name, room);
	if (v != FINE || !e->CostCategories)
		return v;
	if (str_eq(e->CostCategories->Key, name))
		return CIRCLE;
	const kept_category *k = named(all, e->CostCategories->Key);
	if (!k || room == 0)
		return k ? TOO_DEEP : UNKNOWN;
	for (size_t i = 0; i < k->it->Rules.n && v == FINE; i++)
		v = leads(all, k->it->Rules.v[i].Rule, name, room - 1);
	return v;
}

err ce_category_refers(req *rq, const ce_categories *all, str name, const ce_Expression *rule)
{
	switch (leads(all, rule, name, CE_CATEGORY_RULES_DEPTH)) {
	case FINE:
		return OK;
	case UNKNOWN:
		return fail(rq, &aws_ValidationException, "A rule refers to a cost category that doesn't exist");
	case CIRCLE:
		return fail(rq, &aws_ValidationException, "The cost category %.*s cannot refer to itself",
		            STR_ARG(name));
	case TOO_DEEP:
		break;
	}
	return fail(rq, &aws_ValidationException,
	            "Cost categories can refer to each other over %d levels at most",
	            CE_CATEGORY_RULES_DEPTH);
}
