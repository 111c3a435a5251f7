/*
 * Global tables of version 2019.11.21: tables of one name in several regions of this machine, each of which
 * has what is written into any. A write goes to all of them in one transaction (write.c), so they never
 * differ; AWS copies within a second or so. Every table's description and head name the others' regions.
 */
#pragma once
#include "svc/dynamodb/table_options.h"

/* UpdateTable with ReplicaUpdates: adds a region, changes it or takes it away. */
err ddb_replicas_update(req *rq, txn *tx, const dynamodb_UpdateTable_in *in, dynamodb_UpdateTable_out *out);
/* The other tables forget a table that is being deleted. */
void ddb_replicas_leave(req *rq, txn *tx, const ddb_table *t);
/* The request as if it had come to another region. */
req ddb_request_in(const req *rq, str region);

/* table_update.c, table_create.c: in the request's region only. */
err ddb_table_update(req *rq, txn *tx, const dynamodb_UpdateTable_in *in, dynamodb_UpdateTable_out *out);
err ddb_table_delete(req *rq, txn *tx, str name, dynamodb_DeleteTable_out *out);
