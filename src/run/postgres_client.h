/*
 * A connection to a PostgreSQL of ours, by its socket, as the role that owns it or as a user with a password.
 * Simple queries, text results. One thread at a time. Statements are ours or quoted with postgres_literal and
 * postgres_name.
 */
#pragma once
#include "base/err.h"

typedef struct postgres_client postgres_client;

/* `folder` is the data folder in which the socket is. Waits at most wait_ms for one that is starting. */
err postgres_connect(arena *a, str folder, int port, str database, int wait_ms, postgres_client **out);
/* The same as a user of its own. */
typedef struct postgres_door {
	str folder;
	int port;
	str user, password, database;
} postgres_door;
/* `folder` is the address then. With TLS where the server has it. */
err postgres_dial(arena *a, const postgres_door *door, postgres_client **out);
err postgres_login(arena *a, const postgres_door *door, int wait_ms, postgres_client **out);
/* The same connection in another arena; the first one is of no use any more. */
postgres_client *postgres_moved(arena *a, const postgres_client *c);
void postgres_close(postgres_client *c);

typedef struct postgres_rows {
	str *cells; /* row by row; STR_NONE is NULL */
	size_t n_rows, n_columns;
} postgres_rows;
static inline str postgres_cell(const postgres_rows *r, size_t row, size_t column)
{
	return row < r->n_rows && column < r->n_columns ? r->cells[row * r->n_columns + column] : STR_NONE;
}

/* One or several statements; `rows` (may be NULL) has those of the last one that gave any. */
err postgres_query(arena *a, postgres_client *c, str sql, postgres_rows *rows);
str postgres_literal(arena *a, str s);
str postgres_name(arena *a, str s);

/* What PostgreSQL keeps instead of a password: SCRAM-SHA-256$.. with a fresh salt. */
str postgres_verifier(arena *a, str password);
