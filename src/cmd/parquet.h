/*
 * An export as a Parquet file, in place of the same export as CSV: the same rows and columns in the same
 * order, with types. Written by DuckDB (run/duckdb.h) in this process, not in the server.
 */
#pragma once
#include "base/err.h"

/* `rows` are CSV, with a row of names first. What is at `path` is replaced; it stays when this fails. */
err parquet_write(arena *mem, str path, str rows);
