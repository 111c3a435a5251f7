/*
 * PartiQL statements as trees: the same expressions, updates and projections as DynamoDB's own language, so
 * that one evaluator and one way to write serve both. Parsing needs no table. Trees live in the arena and
 * point into the statement.
 *
 * What cannot be parsed yields AWS's sentence, else STR_NONE. A statement has at most 8,192 characters (the
 * model says so) and nests at most PARTIQL_DEPTH_MAX deep.
 */
#pragma once
#include "svc/dynamodb/expr.h"

#define PARTIQL_DEPTH_MAX 100

typedef enum partiql_kind {
	PARTIQL_SELECT,
	PARTIQL_INSERT,
	PARTIQL_UPDATE,
	PARTIQL_DELETE,
	PARTIQL_EXISTS
} partiql_kind;
typedef enum partiql_returning { RETURNING_NONE, RETURNING_ALL_OLD, RETURNING_ALL_NEW, RETURNING_MODIFIED_OLD,
	RETURNING_MODIFIED_NEW } partiql_returning;

typedef struct partiql {
	partiql_kind kind;
	str table, index;
	projection project; /* SELECT; n 0: all */
	expr *where;        /* NULL: there is none */
	str order;          /* SELECT: the key attribute; absent: none */
	bool descending;
	value item;         /* INSERT */
	update update;      /* UPDATE */
	partiql_returning returning;
} partiql;

/* `parameters` are the values of the question marks, in order; all of them must be used. */
str partiql_parse(arena *mem, str text, const value *parameters, size_t n, partiql *out);
