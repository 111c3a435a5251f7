/*
 * Cost Explorer is a view of the one charge table (cloud/charges.h): charges of the months asked for, cut
 * into periods, filtered and grouped. Nothing is kept here but which tags are active.
 */
#pragma once
#include "base/map.h"
#include "cloud/charges.h"
#include "cloud/charges_tags.h"
#include "gen/ce.h"

/* [from, to) cut into periods of a month, a day or an hour. */
typedef struct ce_period {
	int64_t from, to;
	char unit;     /* 'M', 'D' or 'H' */
	size_t n;
} ce_period;

/* A word that AWS has for a dimension, whether we know charges by it or not. */
bool ce_dimension_named(str name);

err ce_period_of(req *rq, const ce_DateInterval *in, str granularity, bool forecast, ce_period *out);
/* Which period a moment lies in; SIZE_MAX outside of all. */
size_t ce_period_at(const ce_period *p, int64_t when);
int64_t ce_period_from(const ce_period *p, size_t i);
int64_t ce_period_to(const ce_period *p, size_t i);
ce_DateInterval *ce_interval(req *rq, const ce_period *p, size_t i);

/* One row that Cost Explorer sees: a charge, or the credit that pays for it. */
typedef struct ce_row {
	const charge *charge;
	str record_type; /* Usage, Credit */
	money amount;
	i128 quantity;   /* 10^-12 units */
	str unit;
	const struct ce_view *view;
} ce_row;

/* The row's value of a dimension; STR_NONE when the dimension is not one we know. */
str ce_dimension(req *rq, const ce_row *row, str dimension);

/* The row's value of a tag; STR_NONE when it has none, or the tag is not active for costs. */
str ce_tag(const ce_row *row, str key);
bool ce_tag_active(req *rq, const txn *tx, str key);

/* The row's value in a cost category; STR_NONE when it has none. */
str ce_category_of(const ce_row *row, str name);

/* NULL filter: everything fits. */
err ce_filter_check(req *rq, const ce_Expression *filter, unsigned depth);
bool ce_filter_fits(req *rq, const ce_Expression *filter, const ce_row *row);

/* All rows of the months that the period touches, that lie in it and fit. A row ends with the call. */
typedef void ce_each(void *context, const ce_row *row, size_t period);
err ce_rows(req *rq, const ce_period *p, const ce_Expression *filter, const use_list *more,
            int64_t now, ce_each *each, void *context);

str ce_amount(req *rq, money amount);
str ce_quantity(req *rq, i128 quantity);
/* "UnblendedCost" of that or of UNBLENDED_COST; STR_NONE: there is no such metric. */
str ce_metric_named(str name);

/* Rows by up to two keys, as somebody asked; by resource only where there are `resources`. */
err ce_groups_check(req *rq, const ce_GroupDefinitions *by, bool resources);
str ce_group_key(req *rq, const ce_row *row, const ce_GroupDefinition *by);

/* The account's cost categories, as long as the transaction is open. */
typedef struct ce_categories ce_categories;
ce_categories *ce_categories_open(req *rq, const txn *tx);
str ce_category_value(req *rq, const ce_categories *all, const ce_row *row, str name);
/* Whether a rule of the category `name` may refer to those that it refers to. */
err ce_category_refers(req *rq, const ce_categories *all, str name, const ce_Expression *rule);

/* A new ARN of this kind with its tags, and the id in one of the account's; false: it is none. */
err ce_arn_new(req *rq, txn *tx, const char *kind, str id, const ce_ResourceTagList *tags, str *arn);
bool ce_arn_id(req *rq, str arn, const char *kind, str *id);

/* Different values with what they cost, and a page of them in order. */
typedef struct ce_value {
	str text;
	money amount;
	i128 quantity;
	struct ce_value *next;
} ce_value;
typedef struct ce_values {
	req *rq;
	str search;
	map seen;
	ce_value *first;
	size_t n;
} ce_values;
typedef struct ce_page {
	str *v;
	size_t n;
	str next;
} ce_page;
ce_values ce_values_of(req *rq, str search);
/* STR_NONE is left out, as is what the search does not find. */
void ce_values_add(ce_values *all, str value, const ce_row *row);
void ce_category_names(const ce_categories *all, ce_values *into);
err ce_values_page(ce_values *all, const ce_SortDefinitions *by, opt_i64 most, str token, ce_page *out);
