#include "svc/dynamodb/backup.h"

#define ROW_AT 12      /* behind "Di", table, index */
#define TRIM_CHUNK 500

static void put_be(buf *b, uint64_t v)
{
	for (int i = 7; i >= 0; i--)
		buf_c(b, (char)(v >> (8 * i)));
}

static str table_key(arena *mem, const char *kind, uint64_t table)
{
	buf b = buf_in(mem, 32, 64);
	buf_put(&b, str_c(kind));
	put_be(&b, table);
	return buf_str(&b);
}

static str moment_key(arena *mem, uint64_t table, int64_t when)
{
	buf b = buf_in(mem, 32, 64);
	buf_put(&b, table_key(mem, "Dp", table));
	put_be(&b, (uint64_t)when);
	return buf_str(&b);
}

bool ddb_history_kept(const txn *tx, arena *mem, uint64_t table)
{
	return str_is(txn_get(tx, table_key(mem, "Dq", table)));
}

void ddb_history_note(ddb_writer *w, str key, ddb_item old)
{
	buf k = buf_in(w->mem, 32, 64), v = buf_in(w->mem, key.n + old.map.n + 32, SIZE_MAX);
	buf_put(&k, moment_key(w->mem, w->t->id, w->now));
	put_be(&k, txn_next(w->tx, S("dynamodb.history")));
	value_put_name(&v, str_sub(key, ROW_AT, key.n));
	if (value_is(old.map)) {
		varint_put(&v, old.size);
		buf_put(&v, old.map);
	}
	txn_put(w->tx, buf_str(&k), buf_str(&v));
}

void ddb_history_wanted(txn *tx, arena *mem, uint64_t table, bool wanted)
{
	str key = table_key(mem, "Dq", table);
	if (wanted) {
		txn_put(tx, key, S(""));
	} else if (txn_delete(tx, key)) {
		ddb_purge(tx, table_key(mem, "Dp", table));
	}
}

bool ddb_history_short(const txn *tx, arena *mem, uint64_t table, int64_t since)
{
	size_t n = 0;
	cursor c = txn_scan(tx, moment_key(mem, table, since + 1), key_after_prefix(mem, table_key(mem, "Dp",
	                                                                                           table)),
	                    false);
	while (n < TRIM_CHUNK && cursor_next(&c))
		n++;
	cursor_close(&c);
	return n < TRIM_CHUNK;
}

bool ddb_history_trim(txn *tx, uint64_t table, int64_t before)
{
	arena *mem = txn_arena(tx);
	str keys[TRIM_CHUNK];
	size_t n = 0;
	cursor c = txn_scan(tx, table_key(mem, "Dp", table), moment_key(mem, table, before), false);
	while (n < TRIM_CHUNK && cursor_next(&c))
		keys[n++] = arena_str(mem, c.key);
	cursor_close(&c);
	for (size_t i = 0; i < n; i++)
		txn_delete(tx, keys[i]);
	return n < TRIM_CHUNK;
}

str ddb_copy_prefix(arena *mem, int64_t copy)
{
	return table_key(mem, "Db", (uint64_t)copy);
}

bool ddb_copied_at_once(const ddb_tally *tally)
{
	return tally->table.items <= 500 && tally->table.bytes <= 1 << 20;
}

typedef struct pair {
	str key, value;
} pair;

/* The next rows of [from, to), copied: writing moves what a cursor shows. */
static size_t next_pairs(txn *tx, str from, str to, bool reverse, pair *out, size_t most)
{
	arena *mem = txn_arena(tx);
	size_t n = 0;
	cursor c = txn_scan(tx, from, to, reverse);
	while (n < most && cursor_next(&c))
		out[n++] = (pair){ arena_str(mem, c.key), arena_str(mem, c.value) };
	cursor_close(&c);
	return n;
}

static str behind(arena *mem, str key)
{
	return arena_concat(mem, key, str_of("\0", 1));
}

static void copy_rows(txn *tx, arena *keep, ddb_copying *c, size_t rows)
{
	arena *mem = txn_arena(tx);
	pair *p = arena_array(mem, pair, rows);
	str prefix = ddb_index_prefix(mem, c->table, 0);
	str from = str_is(c->after) ? behind(mem, c->after) : prefix;
	size_t n = next_pairs(tx, from, key_after_prefix(mem, prefix), false, p, rows);
	for (size_t i = 0; i < n; i++)
		txn_put(tx, arena_concat(mem, c->rows, str_sub(p[i].key, ROW_AT, p[i].key.n)), p[i].value);
	c->undoing = n < rows;
	c->after = n == rows ? arena_str(keep, p[n - 1].key) : STR_NONE;
}

static void undo_rows(txn *tx, arena *keep, ddb_copying *c, size_t rows)
{
	arena *mem = txn_arena(tx);
	pair *p = arena_array(mem, pair, rows);
	str all = table_key(mem, "Dp", c->table);
	str to = str_is(c->after) ? c->after : key_after_prefix(mem, all);
	size_t n = next_pairs(tx, moment_key(mem, c->table, c->when + 1), to, true, p, rows);
	for (size_t i = 0; i < n; i++) {
		uint64_t length = 0;
		str old = p[i].value;
		ensure(varint_cut(&old, &length) && length <= old.n);
		str key = arena_concat(mem, c->rows, str_sub(old, 0, length));
		old = str_sub(old, length, old.n);
		if (old.n)
			txn_put(tx, key, old);
		else
			txn_delete(tx, key);
	}
	c->done = n < rows;
	c->after = n ? arena_str(keep, p[n - 1].key) : STR_NONE;
}

void ddb_copy_step(txn *tx, arena *keep, ddb_copying *c, size_t rows)
{
	if (c->undoing)
		undo_rows(tx, keep, c, rows);
	else
		copy_rows(tx, keep, c, rows);
}

/* What a client has written into the new table meanwhile stays. */
void ddb_fill_step(txn *tx, arena *keep, ddb_filling *f, const ddb_table *t, int64_t now, size_t rows)
{
	arena *mem = txn_arena(tx);
	pair *p = arena_array(mem, pair, rows);
	ddb_writer w;
	str from = str_is(f->after) ? behind(mem, f->after) : f->rows;
	size_t n = next_pairs(tx, from, key_after_prefix(mem, f->rows), false, p, rows);
	ddb_write_begin(&w, tx, mem, t, now);
	for (size_t i = 0; i < n; i++) {
		ddb_item item = ddb_item_of_row(p[i].value);
		str key = ddb_row_key(mem, t, item.map);
		if (!str_is(txn_get(tx, key)))
			ddb_write(&w, key, (ddb_item){ STR_NONE, 0 }, item);
	}
	ddb_write_end(&w);
	f->done = n < rows;
	f->after = n ? arena_str(keep, p[n - 1].key) : STR_NONE;
}
