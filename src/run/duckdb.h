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

/* 'text' and "name" as SQL writes them. */
str duckdb_text(arena *mem, str text);
str duckdb_name(arena *mem, str name);
