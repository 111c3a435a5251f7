/*
 * Statements with parameters, by the extended protocol. One thread at a time for a connection.
 */
#pragma once
#include "run/postgres_client.h"

/* A parameter in its text form; STR_NONE is NULL. type 0: whatever fits. */
typedef struct postgres_parameter {
	uint32_t type;
	str text;
} postgres_parameter;

typedef struct postgres_column {
	str name;
	uint32_t table, type;
	uint16_t number; /* of the table's columns; 0: an expression */
	int32_t modifier; /* length or precision; -1: none */
} postgres_column;

typedef struct postgres_result {
	postgres_column *columns;
	size_t n_columns;
	postgres_rows rows;
	str tag; /* INSERT 0 1 */
	bool too_large; /* rows were dropped from here on */
	bool timed_out; /* no answer in time: the connection is of no use any more */
	str message, code, position; /* of what PostgreSQL refused; message is empty when it did not */
} postgres_result;

/* A fault is about the connection; what PostgreSQL says of the statement is in the result. */
err postgres_execute(arena *a, postgres_client *c, str sql, const postgres_parameter *p, size_t n,
                     size_t max_bytes, postgres_result *out);
/* How long it waits for an answer. */
void postgres_patience(postgres_client *c, int seconds);
