#include "store/inside.h"

/*
 * One LMDB cursor walks all sub-spaces on its path: it is moved into one when it meets the pointer,
 * and back to the pointer when the sub-space ends.
 *
 * In a write transaction rows may change between two steps. LMDB adjusts open cursors to that, but
 * a fresh search for what follows the last key is simpler to trust, so that is what is done.
 */
struct cursor_state {
	txn *tx;
	MDB_cursor *at; /* NULL: closed */
	struct cursor_state *next, **link;
	str from, to;
	bool reverse, started;
	uint64_t changes;
	str last;       /* writers: a copy of the last key */
	size_t last_room;
	unsigned depth;
	uint64_t ids[LEVELS + 1]; /* ids[0] is 0: the outermost space */
	char *path; /* the bytes of the key above the current space; NULL until a sub-space is met */
};

typedef struct cursor_state walk;

static int move(walk *w, MDB_val *k, MDB_val *v)
{
	return mdb_cursor_get(w->at, k, v, w->reverse ? MDB_PREV : MDB_NEXT);
}

static bool in_space(const walk *w, const MDB_val *k)
{
	const char *p = k->mv_data;
	if (w->depth == 0)
		return p[0] != 0;
	char prefix[PREFIX];
	space_prefix(prefix, w->ids[w->depth]);
	return k->mv_size > PREFIX && memcmp(p, prefix, PREFIX) == 0;
}

static size_t prefix_length(const walk *w)
{
	return w->depth ? PREFIX : 0;
}

static void enter(walk *w, const MDB_val *k, const MDB_val *v)
{
	ensure(w->depth < LEVELS && v->mv_size == 8);
	if (!w->path)
		w->path = arena_bytes(w->tx->mem, (size_t)LEVELS * CHUNK);
	memcpy(w->path + (size_t)w->depth * CHUNK, (char *)k->mv_data + prefix_length(w), CHUNK);
	w->ids[++w->depth] = be64_get(v->mv_data);
}

/* On the first row of the space that is not before `bytes`; walking backwards, on the last before
 * it. */
static int seek_row(walk *w, char *bytes, size_t n, MDB_val *k, MDB_val *v)
{
	*k = (MDB_val){ n, bytes };
	int rc = mdb_cursor_get(w->at, k, v, MDB_SET_RANGE);
	if (!w->reverse)
		return rc;
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(w->at, k, v, MDB_LAST);
	return rc ? rc : mdb_cursor_get(w->at, k, v, MDB_PREV);
}

/* The first row of the space just entered, or the last. */
static int seek_edge(walk *w, MDB_val *k, MDB_val *v)
{
	char bytes[PREFIX];
	size_t n = space_prefix(bytes, w->ids[w->depth] + w->reverse);
	return seek_row(w, bytes, n, k, v);
}

/* To the pointer that led here. */
static int leave(walk *w, MDB_val *k, MDB_val *v)
{
	char bytes[PREFIX + CHUNK + 1];
	w->depth--;
	size_t n = space_prefix(bytes, w->ids[w->depth]);
	memcpy(bytes + n, w->path + (size_t)w->depth * CHUNK, CHUNK);
	bytes[n + CHUNK] = 0;
	*k = (MDB_val){ n + CHUNK + 1, bytes };
	int rc = mdb_cursor_get(w->at, k, v, MDB_SET);
	return rc ? rc : move(w, k, v);
}

/* From wherever a movement ended to the next row that holds a value: into and out of sub-spaces. */
static int settle(walk *w, int rc, MDB_val *k, MDB_val *v)
{
	for (;;) {
		if (rc && rc != MDB_NOTFOUND)
			return rc;
		if (rc || !in_space(w, k)) {
			if (w->depth == 0)
				return MDB_NOTFOUND;
			rc = leave(w, k, v);
		} else if (k->mv_size == prefix_length(w) + CHUNK + 1) {
			enter(w, k, v);
			rc = seek_edge(w, k, v);
		} else {
			return 0;
		}
	}
}

/* Forward: the first key that is not before `key`. Backwards: the last one before it. */
static int seek(walk *w, str key, MDB_val *k, MDB_val *v)
{
	char bytes[PREFIX + CHUNK + 1];
	size_t length = key_length(key);
	w->depth = 0;
	for (size_t at = 0;; at += CHUNK) {
		size_t n = space_prefix(bytes, w->ids[w->depth]), part = length - at;
		if (part <= CHUNK) {
			key_part(bytes + n, key, at, part);
			return settle(w, seek_row(w, bytes, n + part, k, v), k, v);
		}
		key_part(bytes + n, key, at, CHUNK);
		bytes[n + CHUNK] = 0;
		*k = (MDB_val){ n + CHUNK + 1, bytes };
		int rc = mdb_cursor_get(w->at, k, v, MDB_SET);
		if (rc == MDB_NOTFOUND)
			return settle(w, seek_row(w, bytes, n + CHUNK + 1, k, v), k, v);
		if (rc)
			return rc;
		enter(w, &(MDB_val){ n + CHUNK + 1, bytes }, v);
	}
}

static int seek_last(walk *w, MDB_val *k, MDB_val *v)
{
	w->depth = 0;
	return settle(w, mdb_cursor_get(w->at, k, v, MDB_LAST), k, v);
}

static int start(walk *w, MDB_val *k, MDB_val *v)
{
	w->started = true;
	if (!w->reverse)
		return seek(w, w->from, k, v);
	return w->to.n ? seek(w, w->to, k, v) : seek_last(w, k, v);
}

static int cursor_get(txn *tx, MDB_cursor **at)
{
	if (!tx->n_spare)
		return mdb_cursor_open(tx->mdb, tx->s->dbi, at);
	*at = tx->spare[--tx->n_spare];
	return mdb_cursor_renew(tx->mdb, *at);
}

static void cursor_put_back(txn *tx, MDB_cursor *at)
{
	if (!tx->writing && tx->n_spare < sizeof(tx->spare) / sizeof(*tx->spare))
		tx->spare[tx->n_spare++] = at;
	else
		mdb_cursor_close(at);
}

/* Rows have changed: look again for what follows the last key, with a cursor that knows no
 * pages. */
static int start_again(walk *w, MDB_val *k, MDB_val *v)
{
	mdb_cursor_close(w->at);
	w->at = NULL;
	int rc = mdb_cursor_open(w->tx->mdb, w->tx->s->dbi, &w->at);
	if (rc)
		return rc;
	if (!w->started)
		return start(w, k, v);
	if (w->reverse)
		return seek(w, w->last, k, v);
	/* The least key after the last one; `last` has room for the byte. */
	((char *)(uintptr_t)w->last.p)[w->last.n] = 0;
	return seek(w, str_of(w->last.p, w->last.n + 1), k, v);
}

static str key_of(walk *w, const MDB_val *k)
{
	const char *p = k->mv_data;
	size_t n = k->mv_size;
	if (w->depth) {
		size_t above = (size_t)w->depth * CHUNK;
		char *whole = arena_bytes(w->tx->mem, above + n - PREFIX);
		memcpy(whole, w->path, above);
		memcpy(whole + above, p + PREFIX, n - PREFIX);
		p = whole;
		n += above - PREFIX;
	}
	return p[0] == 1 ? (str){ p + 1, n - 1 } : (str){ p, n };
}

static void remember(walk *w, str key)
{
	if (key.n + 1 > w->last_room) {
		w->last_room = key.n * 2 + 64;
		w->last.p = arena_bytes(w->tx->mem, w->last_room);
	}
	memcpy((char *)(uintptr_t)w->last.p, key.p, key.n);
	w->last.n = key.n;
	w->changes = w->tx->changes;
}

cursor txn_scan(const txn *tx, str from, str to, bool reverse)
{
	txn *t = txn_inside(tx);
	walk *w = arena_new(t->mem, walk);
	*w = (walk){ .tx = t, .from = arena_str(t->mem, from), .to = arena_str(t->mem, to),
		     .reverse = reverse, .changes = t->changes };
	int rc = t->fault ? MDB_BAD_TXN : cursor_get(t, &w->at);
	if (rc) {
		txn_fail(t, rc);
		w->at = NULL;
		return (cursor){ .state = w };
	}
	w->next = t->cursors;
	w->link = &t->cursors;
	if (w->next)
		w->next->link = &w->next;
	t->cursors = w;
	return (cursor){ .state = w };
}

bool cursor_next(cursor *c)
{
	walk *w = c->state;
	MDB_val k, v;
	if (!w || !w->at)
		return false;
	int rc = w->tx->fault           ? MDB_NOTFOUND
		: w->changes != w->tx->changes ? start_again(w, &k, &v)
		: !w->started           ? start(w, &k, &v)
					: settle(w, move(w, &k, &v), &k, &v);
	if (rc && rc != MDB_NOTFOUND)
		txn_fail(w->tx, rc);
	str key = rc ? STR_NONE : key_of(w, &k);
	if (rc || (w->reverse ? str_cmp(key, w->from) < 0 : w->to.n && str_cmp(key, w->to) >= 0)) {
		cursor_close(c);
		return false;
	}
	if (w->tx->writing)
		remember(w, key);
	c->key = row_lend(w->tx, key.p, key.n);
	c->value = row_lend(w->tx, v.mv_data, v.mv_size);
	return true;
}

void cursor_close(cursor *c)
{
	walk *w = c->state;
	c->key = c->value = STR_NONE;
	if (!w || !w->at)
		return;
	cursor_put_back(w->tx, w->at);
	w->at = NULL;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
}

void cursors_close(txn *tx)
{
	for (walk *w = tx->cursors; w; w = w->next) {
		cursor_put_back(tx, w->at);
		w->at = NULL;
	}
	tx->cursors = NULL;
}
