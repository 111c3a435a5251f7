/*
 * A page of Query, Scan or SELECT (page.c): which rows, what of them, and where it ended. Reading may go on
 * with another range of rows: results add up. Lives as long as the request.
 */
#pragma once
#include "svc/dynamodb/params.h"
#include "svc/dynamodb/usage.h"

typedef struct ddb_page {
	const ddb_table *t;
	const ddb_index *ix;    /* NULL: the table */
	str from, to;           /* rows [from, to) */
	bool metered;           /* by the caller */
	bool reverse, consistent, count_only, fetch /* a local index's items whole, from the table */;
	int64_t limit;          /* 0: none */
	const expr *filter;
	const projection *project;
	bool flat;              /* what a path leads to stands by its last name, as in PartiQL */
	/* Results. */
	dynamodb_ItemList items;
	dynamodb_AttributeMap last; /* v NULL: this was the end */
	str last_row;
	int64_t count, scanned;
	size_t bytes;
	ddb_units units;
} ddb_page;
void ddb_page_read(req *rq, const txn *tx, ddb_page *p);
/* The rows of one partition, and of them those for which the conditions on the attributes that sort hold.
 * All but the last are equalities. */
void ddb_page_range(req *rq, ddb_page *p, str partition, const expr *const *range, size_t n);
/* A comparison with its attribute on the left: :x < a as a > :x */
const expr *ddb_attribute_first(arena *mem, const expr *e);
/* What Query and Scan say about indexes, Select and projections. */
typedef struct ddb_view_params {
	str index_name, select;
	bool consistent, projection_given, expression; /* a ProjectionExpression, not AttributesToGet */
	bool statement; /* PartiQL's, which has sentences of its own */
} ddb_view_params;
err ddb_page_view(req *rq, const ddb_view_params *v, ddb_page *p);
/* A start key: its values, whether it has the page's index's key, and the row after which the page begins. */
err ddb_start_values(req *rq, const dynamodb_Key *given, value *key);
err ddb_start_index(req *rq, const ddb_page *p, value key);
err ddb_start_row(req *rq, const ddb_page *p, value key, str *row);
