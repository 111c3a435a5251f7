/* Copies that take longer than a request: chunk by chunk, a transaction each; others write in between. */
#include "base/time.h"
#include "store/due.h"
#include "svc/dynamodb/backup.h"
#include "sys/clock.h"

#define ROWS 200

bool ddb_copy_of(const txn *tx, arena *mem, uint64_t table)
{
	bool found = false;
	record_scan s = dynamodb_copy_scan(tx, mem, 0, 0);
	for (const dynamodb_copy *c; !found && (c = dynamodb_copy_next(&s));)
		found = (uint64_t)c->SourceId == table;
	cursor_close(&s.at);
	return found;
}

void ddb_copy_later(txn *tx, const dynamodb_copy *c)
{
	arena *mem = txn_arena(tx);
	dynamodb_copy_put(tx, c);
	if (c->SourceId)
		ddb_history_wanted(tx, mem, (uint64_t)c->SourceId, true);
	task_add(tx, "ddb_copy", arena_fmt(mem, "%lld", (long long)c->Number), 0);
}

typedef struct work {
	arena *mem;
	const dynamodb_copy *c;
	ddb_copying copying, copied;
	ddb_filling filling, filled;
} work;

/* A chunk may run again before it is on disk: it starts from where the last one on disk ended. */
static bool copy_chunk(void *context, txn *tx)
{
	work *w = context;
	w->copied = w->copying;
	ddb_copy_step(tx, w->mem, &w->copied, ROWS);
	return true;
}

static bool fill_chunk(void *context, txn *tx)
{
	work *w = context;
	const ddb_table *t = ddb_of_payload(tx, txn_arena(tx), w->c->Target);
	w->filled = w->filling;
	if (t)
		ddb_fill_step(tx, w->mem, &w->filled, t, clock_now(), ROWS);
	w->filled.done = w->filled.done || !t;
	return true;
}

static void release(txn *tx, const dynamodb_copy *c)
{
	arena *mem = txn_arena(tx);
	dynamodb_recovery *r;
	dynamodb_copy_delete(tx, c->Number);
	if (!c->SourceId || ddb_copy_of(tx, mem, (uint64_t)c->SourceId))
		return;
	const ddb_table *t = ddb_head_get(tx, mem, c->Account, c->Region, c->Source);
	if (!t || t->id != (uint64_t)c->SourceId || !ddb_recovery_on(tx, mem, t, &r))
		ddb_history_wanted(tx, mem, (uint64_t)c->SourceId, false);
}

static bool finish(void *context, txn *tx)
{
	const work *w = context;
	const dynamodb_copy *c = w->c;
	arena *mem = txn_arena(tx);
	const ddb_table *t = ddb_of_payload(tx, mem, c->Target);
	if (str_eq(c->Kind, S("backup")))
		ddb_backup_done(tx, mem, c->Account, c->Region, c->Target);
	else if (t)
		ddb_restore_end(tx, mem, t);
	if (str_eq(c->Kind, S("restore"))) {
		dynamodb_backup *b = dynamodb_backup_get(tx, mem, c->Account, c->Region, c->Source);
		if (b) {
			b->Readers--;
			dynamodb_backup_put(tx, b);
		}
	} else if (!str_eq(c->Kind, S("backup"))) {
		ddb_purge(tx, ddb_copy_prefix(mem, c->Number));
	}
	release(tx, c);
	return true;
}

/* What a restore fills its table from. */
static str rows_of(store *s, arena *mem, const dynamodb_copy *c)
{
	if (!str_eq(c->Kind, S("restore")))
		return ddb_copy_prefix(mem, c->Number);
	const txn *tx = store_read(s);
	const dynamodb_backup *b = dynamodb_backup_get(tx, mem, c->Account, c->Region, c->Source);
	str rows = b ? arena_str(mem, b->Prefix) : STR_NONE;
	store_read_end(s, tx);
	return rows;
}

/* At the next start, or when the disk may take it. */
static int64_t again_at(store *s)
{
	return task_should_stop(s) ? clock_now() : clock_now() + MS_MINUTE;
}

TASK(ddb_copy)
{
	int64_t copy;
	ensure(str_to_i64(payload, &copy));
	const txn *tx = store_read(s);
	const dynamodb_copy *c = dynamodb_copy_get(tx, mem, copy);
	store_read_end(s, tx);
	if (!c)
		return TASK_DONE;
	bool restore = str_eq(c->Kind, S("restore")), point = str_eq(c->Kind, S("point"));
	work w = { .mem = mem, .c = c };
	w.filling.rows = rows_of(s, mem, c);
	w.copying = (ddb_copying){ .table = (uint64_t)c->SourceId, .when = c->When, .rows = w.filling.rows,
		                   .done = restore };
	for (; !w.copying.done; w.copying = w.copied)
		if (task_should_stop(s) || store_write(s, copy_chunk, &w))
			return again_at(s);
	w.filling.done = !(restore || point) || !str_is(w.filling.rows);
	for (; !w.filling.done; w.filling = w.filled)
		if (task_should_stop(s) || store_write(s, fill_chunk, &w))
			return again_at(s);
	if (str_eq(c->Kind, S("export")) && !ddb_export_write(s, mem, c))
		return clock_now() + MS_MINUTE;
	return store_write(s, finish, &w) ? clock_now() + MS_MINUTE : TASK_DONE;
}
