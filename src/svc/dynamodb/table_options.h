/*
 * Options that CreateTable and UpdateTable take alike (table_options.c), and policies on tables
 * (resource_policy.c).
 */
#pragma once
#include "svc/dynamodb/ddb.h"

#define DDB_ON_DEMAND_READS 12000 /* units a second every table on demand begins with */
#define DDB_ON_DEMAND_WRITES 4000

/* NULL: not encrypted with a KMS key. */
err ddb_sse_in(req *rq, txn *tx, const dynamodb_SSESpecification *given, dynamodb_SSEDescription **out);

/* Units a second that a table or index is ready for at once. */
typedef struct ddb_warm {
	int64_t reads, writes;
} ddb_warm;
/* What it is now, from what has been asked for so far (absent: nothing). */
ddb_warm ddb_warm_of(bool on_demand, const dynamodb_ProvisionedThroughputDescription *p, opt_i64 reads,
                     opt_i64 writes);
/* Raises it; lowering is refused. `index` absent: the table's. `given` may be NULL. */
err ddb_warm_in(req *rq, const dynamodb_WarmThroughput *given, str index, ddb_warm *warm);
dynamodb_TableWarmThroughputDescription *ddb_warm_table(req *rq, ddb_warm w);
dynamodb_GlobalSecondaryIndexWarmThroughputDescription *ddb_warm_index(req *rq, ddb_warm w);

/* Checks and keeps a table's policy, of CreateTable. */
err ddb_policy_set(req *rq, txn *tx, str arn, str document, str *revision);
/* The table is no more. */
void ddb_policy_end(req *rq, txn *tx, str arn);
/* The most that on-demand may use; -1, in an update, ends it. */
err ddb_most_in(req *rq, const dynamodb_OnDemandThroughput *given, str index, bool on_demand, bool updated);

/* table_create.c */
str ddb_index_arn(req *rq, const ddb_table *t, str name);

/* tags.c: adds what a request gives, within DynamoDB's rules. */
struct tag_list;
err ddb_tags_add(req *rq, struct tag_list *all, const struct tag_list *given);

/* stream.c: turns the stream on or off as asked. */
err ddb_stream_set(req *rq, txn *tx, dynamodb_table *r, ddb_table *t,
                   const dynamodb_StreamSpecification *wanted);
/* With a new table; with its end. */
err ddb_stream_make(req *rq, txn *tx, dynamodb_table *r, ddb_table *t,
                    const dynamodb_StreamSpecification *wanted);
void ddb_stream_end(req *rq, txn *tx, dynamodb_table *r, ddb_table *t);
