/*
 * What the handlers of Athena share. A query is a durable task: it reads the caller's objects out of S3 with
 * the caller's rights, lays them before a process of its own in a sandbox (run/query.h), which has DuckDB and
 * no way out, and writes what that process said to the query's place in S3.
 */
#pragma once
#include "cloud/tags.h"
#include "gen/athena.h"

err athena_refused(req *rq, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The one called primary is always there, and meant where none is named. */
#define ATHENA_PRIMARY "primary"
err athena_find_workgroup(req *rq, const txn *tx, str name, athena_workgroup **out);
extern const tag_rules athena_tag_rules;
