/*
 * DuckDB, a database that lives inside the process: reads and writes CSV, JSON and Parquet. Its library is
 * not linked: it is looked for when somebody first asks (tools/install-packages duckdb puts it in place) and
 * stays loaded then. It has 70 MB: a server loads it only for what nothing else can do.
 *
 * A database is in memory, of one thread's making and using; it fetches no extensions.
 */
#pragma once
#include "base/err.h"

typedef struct duckdb duckdb;

/* A fault says that the library is absent and how to get it. */
err duckdb_start(arena *mem, duckdb **out);
/* Statements whose answer nobody wants; DuckDB's own sentence when they fail. */
err duckdb_run(arena *mem, duckdb *d, str sql);
void duckdb_end(duckdb *d);

/* DuckDB's own numbers of types, as far as anybody asks. */
enum { DUCKDB_BOOLEAN = 1, DUCKDB_TINYINT, DUCKDB_SMALLINT, DUCKDB_INTEGER, DUCKDB_BIGINT, DUCKDB_FLOAT = 10,
	   DUCKDB_DOUBLE, DUCKDB_TIMESTAMP, DUCKDB_DATE, DUCKDB_TIME, DUCKDB_INTERVAL, DUCKDB_HUGEINT,
	   DUCKDB_VARCHAR, DUCKDB_BLOB, DUCKDB_DECIMAL, DUCKDB_TIMESTAMP_S, DUCKDB_TIMESTAMP_MS,
		DUCKDB_TIMESTAMP_NS,
	   DUCKDB_LIST = 24, DUCKDB_STRUCT, DUCKDB_MAP, DUCKDB_TIMESTAMP_TZ = 31, DUCKDB_ARRAY = 33 };

typedef struct duckdb_column {
	str name;
	int type, precision, scale;
} duckdb_column;
/* What the one SELECT that `sql` is will answer with; anything else is a fault. */
err duckdb_columns(arena *mem, duckdb *d, str sql, duckdb_column **columns, size_t *n);
/* An answer whose columns are texts and doubles. */
typedef struct duckdb_value {
	bool null, number;
	double v;
	str text;
} duckdb_value;
err duckdb_rows(arena *mem, duckdb *d, str sql, void (*row)(void *context, const duckdb_value *v, size_t n),
                void *context);

/* 'text' and "name" as SQL writes them. */
str duckdb_text(arena *mem, str text);
str duckdb_name(arena *mem, str name);
