/*
 * One SELECT over files, by DuckDB, in a process of its own in a sandbox: `farthing query-engine`, which sees
 * one folder, read-only, has so much memory and time, and no network. What the SQL says may be hostile:
	it can
 * read what lies in that folder and use up its own memory, no more.
 *
 * In the folder are `setup.sql`, ours,
	which makes views over the files; and `query.sql`. The folder is /input
 * inside. The answer is text: a first line for each column (C, name, type of Athena's, precision, scale, with
 * tabs between), a line R, then the rows as CSV with every value in quotes; or E and what is wrong.
 */
#pragma once
#include "base/err.h"

#define QUERY_INPUT "/input"

typedef struct query_spec {
	str folder;              /* on the machine */
	str output;              /* a file, made anew */
	int64_t memory_bytes, time_ms, output_bytes;
	bool (*going)(void *context); /* asked now and then; false: end it */
	void *context;
} query_spec;

typedef enum query_end { QUERY_ANSWERED, QUERY_STOPPED, QUERY_TOO_LONG, QUERY_TOO_LARGE,
	QUERY_DIED } query_end;

/* A fault is the machine's: no sandbox, no disk. */
err query_run(arena *mem, const query_spec *s, query_end *end);
/* Whether DuckDB is there; the sentence says how to get it. */
bool query_possible(void);
#define QUERY_ABSENT "DuckDB's library is not installed: tools/install-packages duckdb"

/* Puts bytes behind what the file has, which lives as long as the query. */
err query_append(arena *mem, str path, str bytes);

/* The process itself: the exit status. */
int query_engine(arena *mem);
