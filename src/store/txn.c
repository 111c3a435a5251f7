#include "store/inside.h"
#include <stdlib.h>

/* What a job may change before its undo log is given up; a failing job is then run again alone. */
#define LOG_MAX ((size_t)64 << 20)
#define VALUE_MAX ((size_t)1 << 31)

void txn_fail(txn *tx, int code)
{
	if (!tx->fault)
		tx->fault = store_fault(tx->s, code);
}

void txn_refuse(txn *tx, err why)
{
	if (!tx->fault)
		tx->fault = why;
}

err txn_fault(const txn *tx)
{
	return tx->fault;
}

store *txn_store(const txn *tx)
{
	return tx->s;
}

arena *txn_arena(const txn *tx)
{
	return tx->mem;
}

#ifdef __SANITIZE_ADDRESS__
struct loan {
	struct loan *before;
	char bytes[];
};

str row_lend(txn *tx, const void *p, size_t n)
{
	if (!tx->writing)
		return (str){ n ? p : "", n };
	struct loan *l = malloc(sizeof(*l) + n);
	ensure(l != NULL);
	l->before = tx->loans;
	tx->loans = l;
	tx->lent = true;
	memcpy(l->bytes, p, n);
	return (str){ l->bytes, n };
}

void loans_end(txn *tx)
{
	while (tx->loans) {
		struct loan *l = tx->loans;
		tx->loans = l->before;
		free(l);
	}
}
#else
str row_lend(txn *tx, const void *p, size_t n)
{
	tx->lent = true;
	return (str){ n ? p : "", n };
}

void loans_end(txn *tx)
{
	(void)tx;
}
#endif

bool row_get(txn *tx, MDB_val key, MDB_val *value)
{
	if (tx->fault)
		return false;
	int rc = tx->writing ? mdb_cursor_get(tx->at, &key, value, MDB_SET)
	                     : mdb_get(tx->mdb, tx->s->dbi, &key, value);
	if (rc && rc != MDB_NOTFOUND)
		txn_fail(tx, rc);
	return rc == 0;
}

/* A copy with its own ends: rows may have no bytes, and a NULL stands for no row. */
static MDB_val keep(txn *tx, MDB_val v)
{
	char *p = arena_bytes(tx->mem, v.mv_size + 1);
	memcpy(p, v.mv_data, v.mv_size);
	return (MDB_val){ v.mv_size, p };
}

static void log_row(txn *tx, MDB_val key, const MDB_val *old)
{
	size_t bytes = sizeof(undo) + key.mv_size + (old ? old->mv_size : 0);
	tx->changes++;
	tx->lent = false;
	loans_end(tx);
	tx->group_bytes += bytes;
	if (!tx->logging)
		return;
	tx->log_bytes += bytes;
	if (tx->log_bytes > LOG_MAX) {
		tx->logging = false;
		tx->log_lost = true;
		tx->log = NULL;
		return;
	}
	undo *u = arena_new(tx->mem, undo);
	*u = (undo){ .before = tx->log, .key = keep(tx, key) };
	if (old)
		u->old = keep(tx, *old);
	tx->log = u;
}

/* One search either way: the put that refuses to overwrite leaves the cursor on the old row. */
void row_put(txn *tx, MDB_val key, MDB_val value)
{
	if (tx->fault)
		return;
	MDB_val old = value;
	tx->group_bytes += value.mv_size;
	int rc = mdb_cursor_put(tx->at, &key, &old, MDB_NOOVERWRITE);
	if (rc == 0) {
		log_row(tx, key, NULL);
	} else if (rc == MDB_KEYEXIST) {
		if (old.mv_size == value.mv_size && memcmp(old.mv_data, value.mv_data, old.mv_size) == 0)
			return;
		log_row(tx, key, &old);
		rc = mdb_cursor_put(tx->at, &key, &value, MDB_CURRENT);
	}
	if (rc)
		txn_fail(tx, rc);
}

bool row_delete(txn *tx, MDB_val key)
{
	MDB_val old;
	if (!row_get(tx, key, &old))
		return false;
	log_row(tx, key, &old);
	int rc = mdb_cursor_del(tx->at, 0);
	if (rc)
		txn_fail(tx, rc);
	return rc == 0;
}

void txn_undo(txn *tx)
{
	undo *u = tx->log;
	tx->logging = false;
	for (; u && !tx->fault; u = u->before)
		if (u->old.mv_data)
			row_put(tx, u->key, u->old);
		else
			row_delete(tx, u->key);
	tx->log = NULL;
}

str txn_get(const txn *tx, str key)
{
	txn *t = txn_inside(tx);
	place p;
	MDB_val value;
	if (key.n > KEY_MAX || !place_of(t, key, false, &p) || !row_get(t, p.key, &value))
		return STR_NONE;
	return row_lend(t, value.mv_data, value.mv_size);
}

void txn_put(txn *tx, str key, str value)
{
	ensure(tx->writing && key.n <= KEY_MAX && value.n <= VALUE_MAX);
	if (tx->fault)
		return;
	/* What was read a moment ago may be what is written now, and LMDB moves it while it makes
	 * room. */
	if (tx->lent && value.n)
		value = arena_str(tx->mem, value);
	if (key_length(key) > CHUNK)
		key = arena_str(tx->mem, key);
	place p;
	if (place_of(tx, key, true, &p))
		row_put(tx, p.key, (MDB_val){ value.n, (void *)(uintptr_t)(value.p ? value.p : "") });
}

static bool space_empty(txn *tx, uint64_t id)
{
	char prefix[PREFIX];
	MDB_val key = { space_prefix(prefix, id), prefix }, value;
	int rc = mdb_cursor_get(tx->at, &key, &value, MDB_SET_RANGE);
	if (rc && rc != MDB_NOTFOUND)
		txn_fail(tx, rc);
	return rc || key.mv_size <= PREFIX || memcmp(key.mv_data, prefix, PREFIX) != 0;
}

bool txn_delete(txn *tx, str key)
{
	ensure(tx->writing);
	place p;
	if (key.n > KEY_MAX)
		return false;
	if (key_length(key) > CHUNK)
		key = arena_str(tx->mem, key);
	if (!place_of(tx, key, false, &p) || !row_delete(tx, p.key))
		return false;
	for (unsigned depth = p.depth; depth > 0 && space_empty(tx, p.ids[depth - 1]); depth--) {
		char bytes[PREFIX + CHUNK + 1];
		row_delete(tx, pointer_of(&p, key, depth - 1, bytes));
	}
	return !tx->fault;
}

size_t txn_delete_prefix(txn *tx, str prefix)
{
	size_t n = 0;
	cursor c = txn_scan(tx, prefix, key_after_prefix(tx->mem, prefix), false);
	while (cursor_next(&c))
		n += txn_delete(tx, c.key);
	return n;
}

void txn_on_commit(txn *tx, void (*run)(void *subject), void *subject)
{
	ensure(tx->writing);
	if (tx->n_hooks && tx->hooks[tx->n_hooks - 1].run == run &&
	    tx->hooks[tx->n_hooks - 1].subject == subject)
		return;
	if (tx->n_hooks == tx->hooks_room) {
		/* Grows to the largest group seen and lives as long as the writer. */
		tx->hooks_room = tx->hooks_room ? tx->hooks_room * 2 : 64;
		tx->hooks = realloc(tx->hooks, tx->hooks_room * sizeof(hook));
		ensure(tx->hooks != NULL);
	}
	tx->hooks[tx->n_hooks++] = (hook){ run, subject };
}

uint64_t txn_next(txn *tx, str name)
{
	str key = arena_concat(tx->mem, S("\1N"), name);
	str last = txn_get(tx, key);
	uint64_t n = last.n == 8 ? be64_get(last.p) + 1 : 1;
	char bytes[8];
	be64_put(bytes, n);
	txn_put(tx, key, str_of(bytes, 8));
	return n;
}

str key_after_prefix(arena *a, str prefix)
{
	size_t n = prefix.n;
	while (n && (unsigned char)prefix.p[n - 1] == 0xff)
		n--;
	if (!n)
		return S("");
	char *p = arena_bytes(a, n);
	memcpy(p, prefix.p, n);
	p[n - 1]++;
	return (str){ p, n };
}
