/*
 * What the handlers of the Data Catalog share. It holds what Athena knows of tables: their columns, where in
 * S3 their objects lie and how they are written. The catalog itself reads no object.
 */
#pragma once
#include "cloud/tags.h"
#include "gen/glue.h"

/* The only catalog is the account's own. Meters the request. */
err glue_catalog(req *rq, str catalog_id);
err glue_find_database(req *rq, const txn *tx, str name, glue_database **out);
err glue_find_table(req *rq, const txn *tx, str database, str name, glue_table **out);
/* An object more or less: a database, a table or a table's partition. `table` is empty for a database. */
void glue_count(req *rq, txn *tx, str database, str table, int objects);
/* With its partitions. */
void glue_drop_table(req *rq, txn *tx, const glue_table *t);
