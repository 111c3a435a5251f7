/*
 * What a PartiQL statement means for a table: which rows a SELECT reads, which change a write makes. For the
 * files of PartiQL's operations.
 */
#pragma once
#include "svc/dynamodb/page.h"
#include "svc/dynamodb/partiql.h"

/* Parses a statement of a request with its parameters. */
err ddb_statement_in(req *rq, str text, const dynamodb_PreparedStatementParameters *parameters, partiql *out);

/* A SELECT: one page of the rows of one partition key, of several, or of all. */
typedef struct ddb_select {
	const partiql *s;
	ddb_page page;
	str *partitions;     /* those that WHERE names; n 0: a scan */
	size_t n;
	const expr *range;   /* the condition on the sort key that bounds the rows */
	bool whole_key;      /* WHERE gives one item's key */
} ddb_select;
err ddb_select_plan(req *rq, const txn *tx, const partiql *s, bool consistent, ddb_select *out);
/* Reads one page, from `position` on (absent: the beginning); *next is absent at the end. */
err ddb_select_read(req *rq, const txn *tx, ddb_select *q, str position, str *next);

/* The change that INSERT, UPDATE, DELETE or EXISTS makes. c->key is set in any case. */
err ddb_statement_change(req *rq, const ddb_table *t, const partiql *s, ddb_change *c);
/* Why it did not hold: a duplicate, or a condition. */
err ddb_statement_failed(req *rq, const partiql *s, str return_values, ddb_item old);
/* What RETURNING asks for, in ReturnValues' words; empty: nothing. */
str ddb_statement_returning(const partiql *s);
