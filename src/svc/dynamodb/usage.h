/*
 * What tables and global indexes are used for, in memory: tokens that throttle (throttle.c), and metrics,
 * which are gathered for some hundred milliseconds and then told to CloudWatch (watch.c). Neither survives
 * the process: after a restart buckets are full.
 */
#pragma once
#include "svc/dynamodb/ddb.h"

/*
 * Throttling. A bucket fills at the provisioned rate up to 300 seconds' worth; a request passes while it is
 * not empty and takes what it used afterwards, into debt when it must, as AWS does for what it cannot know
 * beforehand. On demand the rate is twice the highest minute so far, and at least 4,000 write and 12,000 read
 * units a second.
 */
/* OK, or ProvisionedThroughputExceededException or ThrottlingException in AWS's words, with the reason. A
 * read is of `ix` (NULL: the table); a write is of the table and all its global indexes. */
err ddb_admit_read(req *rq, const ddb_table *t, const ddb_index *ix);
err ddb_admit_write(req *rq, const ddb_table *t);
void ddb_take(const ddb_table *t, const ddb_units *u, bool write, int64_t now);

/* Metrics of a table, by the request's operation. */
void ddb_watch_units(req *rq, const ddb_table *t, const ddb_units *u, bool write);
/* `index` NULL: the table's. */
void ddb_watch_throttle(req *rq, const ddb_table *t, const ddb_index *ix, bool write);
void ddb_watch_count(req *rq, const ddb_table *t, const char *metric, double n, bool by_operation);
