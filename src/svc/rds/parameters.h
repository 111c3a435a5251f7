/*
 * The engine's parameters as RDS describes them. What a group sets ends up in postgresql.conf or my.cnf in
 * the engine's own units; rds.* ones are ours to act on.
 */
#pragma once
#include "rds.h"

typedef struct db_parameter {
	const char *name, *type, *allowed, *value; /* value: RDS's default; NULL: the engine's own */
	bool is_static;
	bool fixed;    /* shown, not to be changed */
	const char *description;
} db_parameter;
extern const db_parameter db_mysql_parameters[], db_postgres_parameters[];
extern const size_t db_mysql_parameters_n, db_postgres_parameters_n;
/* All of a family (mysql8.0), in order. */
const db_parameter *db_parameters_of(str family, size_t *n);
const db_parameter *db_parameter_known(str family, str name);
/* A number, or {DBInstanceClassMemory/N} alone, in LEAST(..) or in GREATEST(..); false: neither. */
bool db_parameter_number(str text, int64_t memory_bytes, int64_t *out);
/* Whether the value is of the type and within what is allowed. */
bool db_parameter_allows(const db_parameter *p, str value);
