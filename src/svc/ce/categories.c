#include "base/time.h"
#include "ce.h"
#include "sys/rand.h"

#define MONTHS_BACK 12
#define PERCENT 100
#define END_OF_TIME "9999-12-31T23:59:59Z"

static err find(req *rq, const txn *tx, str arn, ce_category **out)
{
	str id;
	*out = ce_arn_id(rq, arn, "costcategory", &id) ? ce_category_get(tx, rq->mem, rq->who.account, id) : NULL;
	if (*out)
		return OK;
	return fail(rq, &ce_ResourceNotFoundException, "No Cost Categories found with ID %.*s", STR_ARG(id));
}

static err start_of(req *rq, const char *verb, str given, str *out)
{
	int64_t now = month_of(rq->now), start = now;
	if (given.n && !time_parse(given, &start))
		return fail(rq, &aws_ValidationException, "EffectiveStart is not a time: %.*s", STR_ARG(given));
	if (start < month_after(now, -MONTHS_BACK))
		return fail(rq, &aws_ValidationException,
		            "Failed to %s Cost Category: Effective start cannot be more than %d months ago", verb,
		            MONTHS_BACK);
	if (start != month_of(start) || start > now)
		return fail(rq, &aws_ValidationException,
		            "Failed to %s Cost Category: Effective start must be the first day of a month, not in "
		            "the future", verb);
	*out = time_iso(rq->mem, start);
	return OK;
}

static bool allowed(str dimension)
{
	static const char *const names[] = {
		"LINKED_ACCOUNT", "LINKED_ACCOUNT_NAME", "SERVICE_CODE", "RECORD_TYPE", "USAGE_TYPE", "REGION",
		"BILLING_ENTITY", "INVOICING_ENTITY",
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(dimension, str_c(names[i])))
			return true;
	return false;
}

static err dimensions_check(req *rq, const ce_Expression *e)
{
	for (size_t i = 0; i < e->And.n; i++)
		TRY(dimensions_check(rq, &e->And.v[i]));
	for (size_t i = 0; i < e->Or.n; i++)
		TRY(dimensions_check(rq, &e->Or.v[i]));
	if (e->Not)
		TRY(dimensions_check(rq, e->Not));
	if (e->Dimensions && !allowed(e->Dimensions->Key))
		return fail(rq, &aws_ValidationException, "Dimension %.*s is not supported in cost category rules",
		            STR_ARG(e->Dimensions->Key));
	return OK;
}

/* A rule without a type is REGULAR, and shown without one. */
static err rule_check(req *rq, const ce_categories *all, str name, const ce_CostCategoryRule *r)
{
	bool inherits = str_eq(r->Type, S("INHERITED_VALUE"));
	if (inherits) {
		if (!r->InheritedValue || r->Rule || str_is(r->Value))
			return fail(rq, &aws_ValidationException,
			            "A rule of type INHERITED_VALUE has InheritedValue alone");
		if (str_eq(r->InheritedValue->DimensionName, S("TAG")) && !r->InheritedValue->DimensionKey.n)
			return fail(rq, &aws_ValidationException,
			            "DimensionKey is required to inherit the value of a tag");
		return OK;
	}
	if (!r->Rule || !str_is(r->Value) || r->InheritedValue)
		return fail(rq, &aws_ValidationException, "A rule of type REGULAR has a Value and a Rule");
	TRY(dimensions_check(rq, r->Rule));
	TRY(ce_filter_check(rq, r->Rule, 0));
	return ce_category_refers(rq, all, name, r->Rule);
}

static bool is_value(const ce_CostCategory *c, str value)
{
	if (str_eq(c->DefaultValue, value) && str_is(c->DefaultValue))
		return true;
	for (size_t i = 0; i < c->Rules.n; i++)
		if (str_eq(c->Rules.v[i].Type, S("INHERITED_VALUE")) || str_eq(c->Rules.v[i].Value, value))
			return true;
	return false;
}

/* Shares of 100, one a target. */
static bool percentages(const ce_CostCategorySplitChargeRule *s)
{
	i128 sum = 0, share;
	if (s->Parameters.n != 1 || s->Parameters.v[0].Values.n != s->Targets.n)
		return false;
	for (size_t i = 0; i < s->Targets.n; i++) {
		if (!decimal_parse(s->Parameters.v[0].Values.v[i], QTY_DIGITS, &share) || share < 0)
			return false;
		sum += share;
	}
	return sum == PERCENT * QTY_ONE;
}

static err split_check(req *rq, const ce_CostCategory *c)
{
	for (size_t i = 0; i < c->SplitChargeRules.n; i++) {
		const ce_CostCategorySplitChargeRule *s = &c->SplitChargeRules.v[i];
		bool fixed = str_eq(s->Method, S("FIXED"));
		if (!is_value(c, s->Source))
			return fail(rq, &aws_ValidationException, "The source %.*s is no value of the cost category",
			            STR_ARG(s->Source));
		for (size_t t = 0; t < s->Targets.n; t++)
			if (!is_value(c, s->Targets.v[t]) || str_eq(s->Targets.v[t], s->Source))
				return fail(rq, &aws_ValidationException, "%.*s cannot be a target of %.*s",
				            STR_ARG(s->Targets.v[t]), STR_ARG(s->Source));
		if (fixed != (s->Parameters.n > 0) || (fixed && !percentages(s)))
			return fail(rq, &aws_ValidationException,
			            "Method FIXED, and no other, needs ALLOCATION_PERCENTAGES for its targets that "
			            "add up to 100");
	}
	return OK;
}

static err check(req *rq, const txn *tx, const char *verb, ce_CostCategory *c)
{
	const ce_categories *all = ce_categories_open(rq, tx);
	for (size_t i = 0; i < c->Rules.n; i++)
		TRY(rule_check(rq, all, c->Name, &c->Rules.v[i]));
	TRY(split_check(rq, c));
	return start_of(rq, verb, c->EffectiveStart, &c->EffectiveStart);
}

static ce_CostCategoryProcessingStatusList applied(req *rq)
{
	ce_CostCategoryProcessingStatusList s = { .n = 1 };
	s.v = arena_new(rq->mem, ce_CostCategoryProcessingStatus);
	s.v[0] = (ce_CostCategoryProcessingStatus){ S("COST_EXPLORER"), S("APPLIED") };
	return s;
}

err ce_CreateCostCategoryDefinition(req *rq, txn *tx, const ce_CreateCostCategoryDefinition_in *in,
                                    ce_CreateCostCategoryDefinition_out *out)
{
	size_t n = 0;
	meter_one(rq, &CE_REQUEST, S(""));
	record_scan scan = ce_category_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	for (ce_category *row; (row = ce_category_next(&scan)); n++)
		if (str_eq(row->It->Name, in->Name))
			return fail(rq, &aws_ValidationException,
			            "Failed to create Cost Category: a Cost Category named %.*s already exists",
			            STR_ARG(in->Name));
	if (n >= CE_CATEGORIES_MAX)
		return fail(rq, &ce_ServiceQuotaExceededException, "An account can have at most %d cost categories",
		            CE_CATEGORIES_MAX);
	ce_CostCategory c = { .Name = in->Name, .RuleVersion = in->RuleVersion, .Rules = in->Rules,
		              .EffectiveStart = in->EffectiveStart, .DefaultValue = in->DefaultValue,
		              .SplitChargeRules = in->SplitChargeRules };
	TRY(check(rq, tx, "create", &c));
	str id = rand_uuid(rq->mem);
	TRY(ce_arn_new(rq, tx, "costcategory", id, &in->ResourceTags, &c.CostCategoryArn));
	ce_category row = { .Account = rq->who.account, .Id = id, .It = &c };
	ce_category_put(tx, &row);
	out->CostCategoryArn = c.CostCategoryArn;
	out->EffectiveStart = c.EffectiveStart;
	return OK;
}

err ce_DescribeCostCategoryDefinition(req *rq, const txn *tx, const ce_DescribeCostCategoryDefinition_in *in,
                                      ce_DescribeCostCategoryDefinition_out *out)
{
	ce_category *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->CostCategoryArn, &row));
	out->CostCategory = row->It;
	out->CostCategory->EffectiveEnd = S(END_OF_TIME);
	out->CostCategory->ProcessingStatus = applied(rq);
	return OK;
}

err ce_UpdateCostCategoryDefinition(req *rq, txn *tx, const ce_UpdateCostCategoryDefinition_in *in,
                                    ce_UpdateCostCategoryDefinition_out *out)
{
	ce_category *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->CostCategoryArn, &row));
	ce_CostCategory c = { .CostCategoryArn = in->CostCategoryArn, .Name = row->It->Name,
		              .RuleVersion = in->RuleVersion, .Rules = in->Rules,
		              .EffectiveStart = in->EffectiveStart, .DefaultValue = in->DefaultValue,
		              .SplitChargeRules = in->SplitChargeRules };
	TRY(check(rq, tx, "update", &c));
	row->It = &c;
	ce_category_put(tx, row);
	out->CostCategoryArn = c.CostCategoryArn;
	out->EffectiveStart = c.EffectiveStart;
	return OK;
}

err ce_DeleteCostCategoryDefinition(req *rq, txn *tx, const ce_DeleteCostCategoryDefinition_in *in,
                                    ce_DeleteCostCategoryDefinition_out *out)
{
	ce_category *row;
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(find(rq, tx, in->CostCategoryArn, &row));
	ce_category_delete(tx, row->Account, row->Id);
	ce_tagged_delete(tx, row->Account, in->CostCategoryArn);
	out->CostCategoryArn = in->CostCategoryArn;
	out->EffectiveEnd = time_iso(rq->mem, rq->now - rq->now % MS_SECOND);
	return OK;
}

static ce_CostCategoryValuesList values_of(req *rq, const ce_CostCategory *c)
{
	ce_values all = ce_values_of(rq, S(""));
	ce_page page = { .n = 0 };
	for (size_t i = 0; i < c->Rules.n; i++)
		ce_values_add(&all, c->Rules.v[i].Value, NULL);
	err e = ce_values_page(&all, &(ce_SortDefinitions){ .n = 0 }, (opt_i64){ .set = false }, S(""), &page);
	ensure(!e); /* there is neither an order nor a token that could be wrong */
	return (ce_CostCategoryValuesList){ .v = page.v, .n = page.n };
}

static void refer(req *rq, const ce_CostCategory *c, ce_CostCategoryReference *r)
{
	*r = (ce_CostCategoryReference){
		.CostCategoryArn = c->CostCategoryArn, .Name = c->Name, .EffectiveStart = c->EffectiveStart,
		.EffectiveEnd = S(END_OF_TIME), .NumberOfRules = I64((int64_t)c->Rules.n),
		.ProcessingStatus = applied(rq), .Values = values_of(rq, c), .DefaultValue = c->DefaultValue,
	};
}

err ce_ListCostCategoryDefinitions(req *rq, const txn *tx, const ce_ListCostCategoryDefinitions_in *in,
                                   ce_ListCostCategoryDefinitions_out *out)
{
	str after = S("");
	size_t most = in->MaxResults.set ? (size_t)in->MaxResults.v : CE_CATEGORIES_PAGE;
	int64_t on = rq->now;
	meter_one(rq, &CE_REQUEST, S(""));
	if (in->EffectiveOn.n && !time_parse(in->EffectiveOn, &on))
		return fail(rq, &aws_ValidationException, "EffectiveOn is not a time: %.*s",
		            STR_ARG(in->EffectiveOn));
	record_scan scan = ce_category_scan(tx, rq->mem, 1, rq->who.account, STR_NONE);
	if (in->NextToken.n) {
		if (!page_position(rq, in->NextToken, &after))
			return fail(rq, &aws_ValidationException, "The pagination token is invalid.");
		record_scan_after(&scan, after);
	}
	ce_CostCategoryReferencesList *list = &out->CostCategoryReferences;
	list->v = arena_array(rq->mem, ce_CostCategoryReference, most + 1);
	for (ce_category *row; (row = ce_category_next(&scan)); after = row->Id) {
		int64_t start;
		if (!time_parse(row->It->EffectiveStart, &start) || start > on)
			continue;
		if (list->n == most) {
			out->NextToken = page_token(rq, after);
			break;
		}
		refer(rq, row->It, &list->v[list->n++]);
	}
	return OK;
}

typedef struct collected {
	req *rq;
	str name;
	ce_values values;
} collected;

static void collect(void *context, const ce_row *row, size_t period)
{
	collected *c = context;
	(void)period;
	ce_values_add(&c->values, ce_category_of(row, c->name), row);
}

err ce_GetCostCategories(req *rq, const ce_GetCostCategories_in *in, ce_GetCostCategories_out *out)
{
	ce_period p;
	ce_page page;
	collected c = { rq, in->CostCategoryName, ce_values_of(rq, in->SearchString) };
	meter_one(rq, &CE_REQUEST, S(""));
	TRY(ce_period_of(rq, in->TimePeriod, S("MONTHLY"), false, &p));
	if (str_is(c.name)) {
		TRY(ce_rows(rq, &p, in->Filter, NULL, rq->now, collect, &c));
	} else {
		TRY(ce_filter_check(rq, in->Filter, 0));
		const txn *tx = req_read(rq);
		ce_category_names(ce_categories_open(rq, tx), &c.values);
		req_read_end(rq, tx);
	}
	TRY(ce_values_page(&c.values, &in->SortBy, in->MaxResults, in->NextPageToken, &page));
	if (str_is(c.name))
		out->CostCategoryValues = (ce_CostCategoryValuesList){ .v = page.v, .n = page.n };
	else
		out->CostCategoryNames = (ce_CostCategoryNamesList){ .v = page.v, .n = page.n };
	out->NextPageToken = page.next;
	out->ReturnSize = I64((int64_t)page.n);
	out->TotalSize = I64((int64_t)c.values.n);
	return OK;
}

/* What belongs to a cost category as a whole are billing views, and there are none. */
err ce_ListCostCategoryResourceAssociations(req *rq, const txn *tx,
                                            const ce_ListCostCategoryResourceAssociations_in *in,
                                            ce_ListCostCategoryResourceAssociations_out *out)
{
	ce_category *row;
	meter_one(rq, &CE_REQUEST, S(""));
	if (str_is(in->CostCategoryArn))
		TRY(find(rq, tx, in->CostCategoryArn, &row));
	if (in->NextToken.n)
		return fail(rq, &aws_ValidationException, "The pagination token is invalid.");
	out->CostCategoryResourceAssociations.v = arena_array(rq->mem, ce_CostCategoryResourceAssociation, 1);
	return OK;
}
