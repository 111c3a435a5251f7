/*
 * A query that runs: its statement, in whose name, what it has read and what it answers. Steps return a fault
 * whose message is what the client reads as StateChangeReason.
 */
#pragma once
#include "athena.h"
#include "gen/glue.h"
#include "gen/s3.h"
#include "sql.h"

#define ATHENA_RESULT_BYTES ((size_t)64 << 20)

typedef struct run {
	arena *mem;
	store *s;
	req *rq;               /* the caller's, for what it may do */
	athena_query *q;
	sql_tokens sql;
	str database;          /* of names that do not say theirs */
	str folder;            /* on this machine; empty before it is needed */
	int64_t scanned, objects, parts;
	bool over;             /* more than the workgroup lets a query read */
	bool stopped;          /* cancelled, or the server stops */
	str answer;            /* CSV or text, as it is kept in S3 */
	athena_ColumnInfoList columns;
	bool table;            /* CSV with a row of names; otherwise lines of text */
} run;

/* Of AWS's errors that have a word in front: TABLE_NOT_FOUND. */
err run_failed(run *x, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An operation of another service, in the caller's name; `out` lies in `mem`. */
err run_ask(run *x, arena *mem, const char *of, const char *what, const void *in, void *out);
/* false: somebody stopped it. */
bool run_going(run *x);

/* s3://bucket/key */
bool run_location(str uri, str *bucket, str *key);
/* Every object below a place but hidden and empty ones. */
typedef struct run_object {
	struct run_object *next;
	str bucket, key, etag;
	int64_t size;
} run_object;
err run_list(run *x, str bucket, str prefix, run_object **first);

err run_ddl(run *x);
err run_select(run *x);

/* A table's type of Hive's as DuckDB's; false: it is none. */
bool type_of_hive(arena *mem, str hive, str *out);
/* The text of a Hive type that begins at this token; leaves `*i` behind it. */
bool type_read(arena *mem, const sql_tokens *t, size_t *i, str *out);

typedef struct table_use {
	str database, name, alias;
	size_t at;             /* its token */
} table_use;
#define SELECT_TABLES_MAX 500
/* Every table behind FROM and JOIN that is no WITH's; more than the maximum: too many. */
size_t select_tables(arena *mem, const sql_tokens *t, table_use **out);
/* Whether a partition with these values can satisfy what stands behind the table's WHERE. */
bool select_may(const sql_tokens *t, const table_use *u, const glue_ColumnList *keys,
                const glue_ValueStringList *values);
