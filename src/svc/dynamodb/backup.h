/*
 * Backups, recovery to a point in time, and exports: a table as it stood at a moment.
 *
 * While somebody may want a table's past, each write leaves the row that it replaced in the table's history:
 *   Dq table                       the table keeps a history
 *   Dp table when number           row, then what stood there before (nothing: there was no item)
 *   Db number row                  a copy of a table's items: of a backup, or on the way to somewhere
 * A copy is made of the items as they are, a chunk at a time while others write, and then what has changed
 * since the moment is taken back from the history, newest first. Small tables are copied in the transaction
 * that asks.
 */
#pragma once
#include "svc/dynamodb/ddb.h"

/* history.c */
bool ddb_history_kept(const txn *tx, arena *mem, uint64_t table);
void ddb_history_note(ddb_writer *w, str key, ddb_item old);
/* Whether anybody needs it: recovery is on, or a copy is being made. Begins or ends it. */
void ddb_history_wanted(txn *tx, arena *mem, uint64_t table, bool wanted);
/* Whether few changes have been kept since. */
bool ddb_history_short(const txn *tx, arena *mem, uint64_t table, int64_t since);
/* Forgets what was replaced before this moment. False: there is more of it. */
bool ddb_history_trim(txn *tx, uint64_t table, int64_t before);

/* copy.c */
typedef struct ddb_copying {
	uint64_t table;
	int64_t when;
	str rows;      /* what the copy's rows begin with */
	str after;     /* how far it has come */
	bool undoing, done;
} ddb_copying;
str ddb_copy_prefix(arena *mem, int64_t copy);
/* One chunk; `after` is kept in `keep`. */
void ddb_copy_step(txn *tx, arena *keep, ddb_copying *c, size_t rows);
typedef struct ddb_filling {
	str rows, after;
	bool done;
} ddb_filling;
void ddb_fill_step(txn *tx, arena *keep, ddb_filling *f, const ddb_table *t, int64_t now, size_t rows);
/* Whether a table is so small that it is copied at once. */
bool ddb_copied_at_once(const ddb_tally *tally);

/* restore.c */
typedef struct ddb_restoring {
	str target, billing_mode;
	const dynamodb_TableDescription *from;
	const dynamodb_GlobalSecondaryIndexList *globals;
	const dynamodb_LocalSecondaryIndexList *locals;
	const dynamodb_ProvisionedThroughput *throughput;
	const dynamodb_OnDemandThroughput *on_demand;
	const dynamodb_SSESpecification *sse;
	str backup_arn, table_arn;
	int64_t when;
} ddb_restoring;
/* The new table, empty and CREATING. */
err ddb_restore_begin(req *rq, txn *tx, const ddb_restoring *r, ddb_table **t);
void ddb_restore_end(txn *tx, arena *mem, const ddb_table *t);
void ddb_restore_billed(req *rq, const ddb_table *t, int64_t bytes);
err ddb_restore_describe(req *rq, const txn *tx, str name, dynamodb_TableDescription **out);

/* backups.c */
/* Before a table is deleted: refused while it is being copied. One with recovery leaves a backup of 35 days,
 * which takes over the items (`taken`). */
err ddb_backup_deleted(req *rq, txn *tx, const dynamodb_table *r, const ddb_table *t, bool *taken);
void ddb_backup_done(txn *tx, arena *mem, str account, str region, str id);

/* point_in_time.c */
bool ddb_recovery_on(const txn *tx, arena *mem, const ddb_table *t, dynamodb_recovery **out);
/* From when on the table's past is known. */
int64_t ddb_recovery_earliest(const dynamodb_recovery *r, int64_t now);
void ddb_recovery_end(req *rq, txn *tx, const ddb_table *t);

/* task.c: what takes longer. Begins the source's history, and ends it when nobody else needs it. */
void ddb_copy_later(txn *tx, const dynamodb_copy *c);
bool ddb_copy_of(const txn *tx, arena *mem, uint64_t table);

/* export.c */
bool ddb_export_write(store *s, arena *mem, const dynamodb_copy *c);
