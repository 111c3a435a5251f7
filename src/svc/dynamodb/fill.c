#include "base/time.h"
#include "cloud/meter.h"
#include "store/due.h"
#include "svc/dynamodb/ddb.h"
#include "sys/clock.h"

#define BYTES_AT_ONCE (1 << 20)

typedef struct fill {
	str payload; /* of the table */
	int64_t index; /* 0: expiries */
	str after;   /* the last row that is on disk; absent at first */
	str reached; /* by the chunk at hand, which may run again */
	arena *mem;
	bool more;
} fill;

static const ddb_index *index_of(const ddb_table *t, int64_t id)
{
	for (size_t i = 0; i < t->n_indexes; i++)
		if (t->indexes[i].id == id)
			return &t->indexes[i];
	return NULL;
}

/* Copies the next rows: writing would move what the cursor shows. */
size_t ddb_rows_after(const txn *tx, arena *mem, uint64_t table, str after, ddb_row *rows)
{
	str prefix = ddb_index_prefix(mem, table, 0);
	str from = str_is(after) ? arena_concat(mem, after, str_of("\0", 1)) : prefix;
	size_t n = 0, bytes = 0;
	cursor c = txn_scan(tx, from, key_after_prefix(mem, prefix), false);
	while (n < DDB_ROWS_AT_ONCE && bytes < BYTES_AT_ONCE && cursor_next(&c)) {
		rows[n].key = arena_str(mem, c.key);
		rows[n++].i = ddb_item_copy(mem, ddb_item_of_row(c.value));
		bytes += c.value.n;
	}
	cursor_close(&c);
	return n;
}

static void finish(txn *tx, ddb_table *t, const ddb_index *ix)
{
	if (!ix)
		return;
	t->indexes[ix - t->indexes].building = false;
	ddb_head_put(tx, t);
}

/* AWS bills the entries that building an index writes. */
static void bill(txn *tx, const ddb_writer *w)
{
	qty units = 0;
	for (size_t i = 0; i < w->t->n_indexes; i++)
		units += w->units.index[i];
	if (units && w->t->on_demand)
		usage_add(tx, w->t->account, w->t->region, w->now, &DYNAMODB_WRU, w->t->arn, units);
}

static bool fill_chunk(void *context, txn *tx)
{
	fill *f = context;
	arena *mem = txn_arena(tx);
	ddb_row rows[DDB_ROWS_AT_ONCE];
	ddb_writer w;
	ddb_table *t = ddb_of_payload(tx, mem, f->payload);
	const ddb_index *ix = t ? index_of(t, f->index) : NULL;
	f->more = false;
	if (!t || (f->index && !(ix && ix->building)) || (!f->index && !t->ttl.n))
		return true;
	size_t n = ddb_rows_after(tx, mem, t->id, f->after, rows);
	ddb_write_begin(&w, tx, mem, t, clock_now());
	for (size_t i = 0; i < n; i++) {
		if (ix)
			ddb_index_fill(&w, ix, rows[i].key, rows[i].i);
		else
			ddb_expiry_fill(&w, rows[i].key, rows[i].i);
	}
	ddb_write_end(&w);
	bill(tx, &w);
	f->more = n > 0;
	if (n)
		f->reached = arena_str(f->mem, rows[n - 1].key);
	else
		finish(tx, t, ix);
	return true;
}

/* Payload: the index's id, a space, the table. Begun anew after a stop or a crash: filling twice is
 * harmless. */
TASK(ddb_fill)
{
	str rest = payload, number_text = str_cut(&rest, ' ');
	fill f = { .payload = rest, .mem = mem };
	str_to_i64(number_text, &f.index);
	do {
		if (task_should_stop(s))
			return clock_now();
		if (store_write(s, fill_chunk, &f))
			return clock_now() + MS_MINUTE;
		f.after = f.reached;
	} while (f.more);
	return TASK_DONE;
}

void ddb_fill(txn *tx, const ddb_table *t, const ddb_index *ix)
{
	arena *mem = txn_arena(tx);
	task_add(tx, "ddb_fill",
	         arena_fmt(mem, "%u %.*s", ix ? ix->id : 0u, STR_ARG(ddb_payload(mem, t))), 0);
}
