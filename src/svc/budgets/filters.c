#include "budgets.h"
#include "cloud/charges.h"

/* What of the account's charges a budget counts: what fits all CostFilters, or the FilterExpression. */

#define DEPTH_MAX 8
#define TAG_FILTER S("TagKeyValue")
#define CATEGORY_FILTER S("CostCategory")

typedef struct name_pair {
	const char *filter, *dimension;
} name_pair;

static const name_pair filters[] = {
	{ "Service", "SERVICE" }, { "Region", "REGION" }, { "UsageType", "USAGE_TYPE" },
	{ "LinkedAccount", "LINKED_ACCOUNT" }, { "InstanceType", "INSTANCE_TYPE" },
	{ "PurchaseType", "PURCHASE_TYPE" }, { "Operation", "OPERATION" },
	{ "BillingEntity", "BILLING_ENTITY" }, { "LegalEntityName", "LEGAL_ENTITY_NAME" },
	{ "InvoicingEntity", "INVOICING_ENTITY" }, { "UsageTypeGroup", "USAGE_TYPE_GROUP" },
	{ "AZ", "AZ" },
};

/* AWS's, in the order in which it tells them. */
static const char all_filters[] =
	"PurchaseType, UsageTypeGroup, Service, Operation, UsageType, BillingEntity, CostCategory, "
	"LinkedAccount, TagKeyValue, LegalEntityName, InvoicingEntity, AZ, Region, InstanceType";

static str dimension_of(str filter)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (str_eq(filter, str_c(filters[i].filter)))
			return str_c(filters[i].dimension);
	return STR_NONE;
}

static err expression_check(req *rq, const budgets_Expression *e, unsigned depth)
{
	if (!e)
		return OK;
	int roots = (e->And.v != NULL) + (e->Or.v != NULL) + (e->Not != NULL) + (e->Dimensions != NULL) +
		    (e->Tags != NULL) + (e->CostCategories != NULL);
	if (roots != 1 || depth > DEPTH_MAX)
		return fail(rq, &budgets_InvalidParameterException,
		            "Each level of a filter expression has exactly one member, %d levels at most.",
		            DEPTH_MAX);
	if ((e->And.v && e->And.n < 2) || (e->Or.v && e->Or.n < 2))
		return fail(rq, &budgets_InvalidParameterException, "And and Or need at least two expressions.");
	if (e->CostCategories && !str_is(e->CostCategories->Key))
		return fail(rq, &budgets_InvalidParameterException, "CostCategories needs a Key.");
	if (e->Tags && !str_is(e->Tags->Key))
		return fail(rq, &budgets_InvalidParameterException, "Tags needs a Key.");
	if (e->Dimensions && !charges_dimension_known(e->Dimensions->Key))
		return fail(rq, &aws_NotImplemented, "Filtering by %.*s is not implemented.",
		            STR_ARG(e->Dimensions->Key));
	for (size_t i = 0; i < e->And.n; i++)
		TRY(expression_check(rq, &e->And.v[i], depth + 1));
	for (size_t i = 0; i < e->Or.n; i++)
		TRY(expression_check(rq, &e->Or.v[i], depth + 1));
	return expression_check(rq, e->Not, depth + 1);
}

err budget_filters_check(req *rq, const budgets_Budget *b)
{
	if (b->FilterExpression && b->CostFilters.n)
		return fail(rq, &budgets_InvalidParameterException,
		            "CostFilters and FilterExpression cannot be used together.");
	for (size_t i = 0; i < b->CostFilters.n; i++) {
		str name = b->CostFilters.v[i].key;
		if (str_is(dimension_of(name)) || str_eq(name, TAG_FILTER) || str_eq(name, CATEGORY_FILTER))
			continue;
		return fail(rq, &budgets_InvalidParameterException, "Unable to create/update budget - %.*s is not "
		            "in the supported in cost budget dimension set: [%s]", STR_ARG(name), all_filters);
	}
	return expression_check(rq, b->FilterExpression, 1);
}

static bool expression_asks_tags(const budgets_Expression *e)
{
	bool asks = e && (e->Tags || e->CostCategories);
	for (size_t i = 0; e && i < e->And.n && !asks; i++)
		asks = expression_asks_tags(&e->And.v[i]);
	for (size_t i = 0; e && i < e->Or.n && !asks; i++)
		asks = expression_asks_tags(&e->Or.v[i]);
	return asks || (e && expression_asks_tags(e->Not));
}

bool budget_asks_tags(const budgets_Budget *b)
{
	for (size_t i = 0; i < b->CostFilters.n; i++)
		if (str_eq(b->CostFilters.v[i].key, TAG_FILTER) || str_eq(b->CostFilters.v[i].key, CATEGORY_FILTER))
			return true;
	return expression_asks_tags(b->FilterExpression);
}

/* user:KEY$VALUE; nothing behind the sign: without the tag. */
static bool tag_fits(const budget_lens *l, const charge *c, const budgets_DimensionValues *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		str value = wanted->v[i];
		if (str_starts(value, S("user:")))
			value = str_sub(value, 5, value.n);
		str have = charges_tag(l->tags, c->use, str_cut(&value, '$'));
		if (str_eq(str_is(have) ? have : S(""), str_is(value) ? value : S("")))
			return true;
	}
	return false;
}

/* NAME$VALUE; nothing behind the sign: what is in none. */
static bool category_fits(const budget_lens *l, const charge *c, bool credit,
                          const budgets_DimensionValues *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		str value = wanted->v[i];
		str have = charges_category(l->categories, c, credit, str_cut(&value, '$'));
		if (str_eq(str_is(have) ? have : S(""), str_is(value) ? value : S("")))
			return true;
	}
	return false;
}

static str dimension_in(const budget_lens *l, const charge *c, bool credit, str name)
{
	if (credit && str_eq(name, S("RECORD_TYPE")))
		return S("Credit");
	return charges_dimension(l->mem, l->tx, l->account, c, name);
}

/* No value of a dimension is written as NoAZ, NoInstanceType .. */
static bool dimension_fits(const budget_lens *l, const charge *c, bool credit,
                           const budgets_ExpressionDimensionValues *d)
{
	str have = dimension_in(l, c, credit, d->Key);
	bool absent = false;
	for (size_t i = 0; i < d->MatchOptions.n; i++)
		absent |= str_eq(d->MatchOptions.v[i], S("ABSENT"));
	return charges_value_fits(l->mem, absent && str_starts(have, S("No")) ? STR_NONE : have, d->Values.v,
	                          d->Values.n, d->MatchOptions.v, d->MatchOptions.n);
}

static bool expression_fits(const budget_lens *l, const charge *c, bool credit, const budgets_Expression *e)
{
	for (size_t i = 0; i < e->And.n; i++)
		if (!expression_fits(l, c, credit, &e->And.v[i]))
			return false;
	for (size_t i = 0; i < e->Or.n; i++)
		if (expression_fits(l, c, credit, &e->Or.v[i]))
			return true;
	if (e->And.n || e->Or.n)
		return e->And.n > 0;
	if (e->Not)
		return !expression_fits(l, c, credit, e->Not);
	if (e->Tags)
		return charges_value_fits(l->mem, charges_tag(l->tags, c->use, e->Tags->Key), e->Tags->Values.v,
		                          e->Tags->Values.n, e->Tags->MatchOptions.v, e->Tags->MatchOptions.n);
	const budgets_CostCategoryValues *k = e->CostCategories;
	if (k)
		return charges_value_fits(l->mem, charges_category(l->categories, c, credit, k->Key), k->Values.v,
		                          k->Values.n, k->MatchOptions.v, k->MatchOptions.n);
	return dimension_fits(l, c, credit, e->Dimensions);
}

bool budget_counts(const budget_lens *l, const charge *c, bool credit)
{
	for (size_t i = 0; i < l->budget->CostFilters.n; i++) {
		str name = l->budget->CostFilters.v[i].key;
		const budgets_DimensionValues *wanted = &l->budget->CostFilters.v[i].value;
		bool fits = str_eq(name, TAG_FILTER) ? tag_fits(l, c, wanted) :
			    str_eq(name, CATEGORY_FILTER) ? category_fits(l, c, credit, wanted) :
			    charges_value_fits(l->mem, dimension_in(l, c, credit, dimension_of(name)),
			                       wanted->v, wanted->n, NULL, 0);
		if (!fits)
			return false;
	}
	return !l->budget->FilterExpression || expression_fits(l, c, credit, l->budget->FilterExpression);
}
