/*
 * Random operations against a sorted array that does the same. Keys are made to meet where the
 * store cuts long ones. SEED=n repeats a run, ROUNDS=n makes it longer.
 */
#include "store/inside.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct row {
	str key, value;
} row;

typedef struct model {
	row rows[4096];
	size_t n;
} model;

typedef struct run {
	arena *mem;
	uint64_t seed;
	model now, before;
	bool keep;
	const char *wrong;
} run;

static uint64_t below(run *r, uint64_t limit)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return (r->seed >> 11) % limit;
}

static size_t model_find(const model *m, str key)
{
	size_t i = 0, end = m->n;
	while (i < end) {
		size_t middle = (i + end) / 2;
		if (str_cmp(m->rows[middle].key, key) < 0)
			i = middle + 1;
		else
			end = middle;
	}
	return i;
}

static bool model_has(const model *m, size_t i, str key)
{
	return i < m->n && str_eq(m->rows[i].key, key);
}

static void model_put(model *m, str key, str value)
{
	size_t i = model_find(m, key);
	if (!model_has(m, i, key)) {
		ensure(m->n < sizeof(m->rows) / sizeof(*m->rows));
		memmove(&m->rows[i + 1], &m->rows[i], (m->n - i) * sizeof(row));
		m->n++;
	}
	m->rows[i] = (row){ key, value };
}

static void model_remove(model *m, size_t i)
{
	memmove(&m->rows[i], &m->rows[i + 1], (m->n - i - 1) * sizeof(row));
	m->n--;
}

/* Few different bytes, in few places, at lengths around the cuts. */
static str random_key(run *r)
{
	static const size_t around[] = { 0, 0, 0, 480, 480, 960, 1440, 3840, 4090 };
	static const char bytes[] = { 0, 1, 2, 'a', 'b', (char)0xff };
	size_t n = around[below(r, 9)] + below(r, 6);
	char *p = arena_bytes(r->mem, n + 1);
	memset(p, below(r, 8) ? 'a' : (int)below(r, 2), n);
	for (int i = 0; i < 3 && n; i++) {
		size_t at = below(r, 2) ? n - 1 - below(r, n < 4 ? n : 4) : around[below(r, 9)];
		if (at < n)
			p[at] = bytes[below(r, sizeof(bytes))];
	}
	return (str){ p, n };
}

static str random_value(run *r)
{
	size_t n = below(r, 20) ? below(r, 60) : below(r, 12000);
	char *p = arena_bytes(r->mem, n + 1);
	memset(p, (int)below(r, 256), n);
	return (str){ p, n };
}

static str known_key(run *r)
{
	return r->now.n && below(r, 3) ? r->now.rows[below(r, r->now.n)].key : random_key(r);
}

#define EXPECT(condition) \
	do { \
		if (!(condition)) { \
			r->wrong = #condition; \
			return; \
		} \
	} while (0)

static void check_get(run *r, const txn *tx)
{
	str key = known_key(r), got = txn_get(tx, key);
	size_t i = model_find(&r->now, key);
	if (model_has(&r->now, i, key))
		EXPECT(str_is(got) && str_eq(got, r->now.rows[i].value));
	else
		EXPECT(!str_is(got));
}

static void check_scan(run *r, const txn *tx, str from, str to, bool reverse)
{
	const model *m = &r->now;
	size_t first = model_find(m, from), end = to.n ? model_find(m, to) : m->n;
	size_t n = end > first ? end - first : 0, seen = 0, stop = below(r, 8) ? n : below(r, n + 1);
	cursor c = txn_scan(tx, from, to, reverse);
	while (seen < stop && cursor_next(&c)) {
		const row *want = &m->rows[reverse ? end - 1 - seen : first + seen];
		EXPECT(str_eq(c.key, want->key));
		EXPECT(str_eq(c.value, want->value));
		seen++;
	}
	EXPECT(seen == stop);
	if (stop == n)
		EXPECT(!cursor_next(&c));
	cursor_close(&c);
}

static void put(run *r, txn *tx)
{
	str key = known_key(r), value = random_value(r);
	if (below(r, 10) == 0 && r->now.n) {
		/* What has just been read is written elsewhere. */
		size_t i = below(r, r->now.n);
		value = r->now.rows[i].value;
		txn_put(tx, key, txn_get(tx, r->now.rows[i].key));
	} else {
		txn_put(tx, key, value);
	}
	model_put(&r->now, key, value);
}

static void delete(run *r, txn *tx)
{
	str key = known_key(r);
	size_t i = model_find(&r->now, key);
	bool there = model_has(&r->now, i, key);
	EXPECT(txn_delete(tx, key) == there);
	if (there)
		model_remove(&r->now, i);
}

static void delete_prefix(run *r, txn *tx)
{
	str key = known_key(r), prefix = str_sub(key, 0, below(r, key.n + 1));
	size_t n = 0, i = model_find(&r->now, prefix);
	for (; i < r->now.n && str_starts(r->now.rows[i].key, prefix); n++)
		model_remove(&r->now, i);
	EXPECT(txn_delete_prefix(tx, prefix) == n);
}

/* Changes rows before, at and behind the cursor and expects it to go on with what follows its
 * key. */
static void walk_and_change(run *r, txn *tx)
{
	bool reverse = below(r, 2);
	cursor c = txn_scan(tx, S(""), S(""), reverse);
	str at = STR_NONE;
	for (int steps = 0; steps < 60; steps++) {
		size_t i = str_is(at) ? model_find(&r->now, at) : 0, n = r->now.n;
		if (reverse)
			i = (str_is(at) ? i : n) - 1;
		else if (str_is(at))
			i += model_has(&r->now, i, at);
		bool more = cursor_next(&c);
		EXPECT(more == (i < n));
		if (!more)
			return;
		EXPECT(str_eq(c.key, r->now.rows[i].key));
		at = r->now.rows[i].key;
		uint64_t what = below(r, 5);
		if (what == 0) {
			EXPECT(txn_delete(tx, c.key));
			model_remove(&r->now, i);
		} else if (what == 1) {
			str value = random_value(r);
			txn_put(tx, c.key, value);
			model_put(&r->now, at, value);
		} else if (what == 2) {
			put(r, tx);
		} else if (what == 3) {
			delete(r, tx);
		}
	}
	cursor_close(&c);
}

static bool job(void *context, txn *tx)
{
	run *r = context;
	r->before = r->now;
	size_t n = 1 + below(r, 12);
	for (size_t i = 0; i < n && !r->wrong; i++) {
		uint64_t what = below(r, 100);
		if (what < 45)
			put(r, tx);
		else if (what < 70)
			delete(r, tx);
		else if (what < 80)
			check_get(r, tx);
		else if (what < 90)
			check_scan(r, tx, known_key(r), known_key(r), below(r, 2));
		else if (what < 97)
			walk_and_change(r, tx);
		else
			delete_prefix(r, tx);
	}
	r->keep = below(r, 4) > 0;
	if (!r->keep)
		r->now = r->before;
	return r->keep;
}

/* Nothing is left of long keys that are gone: as many sub-spaces as pointers, and none of them
 * empty. */
static bool tidy(store *s)
{
	const txn *tx = store_read(s);
	MDB_cursor *c;
	MDB_val k, v;
	size_t pointers = 0, spaces = 0;
	char last[PREFIX] = { 0 };
	ensure(!mdb_cursor_open(tx->mdb, s->dbi, &c));
	while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
		const char *p = k.mv_data;
		bool inside = k.mv_size > PREFIX && p[0] == 0 && p[1] == 'L';
		pointers += k.mv_size == (inside ? PREFIX : 0) + CHUNK + 1;
		if (inside && memcmp(last, p, PREFIX) != 0) {
			memcpy(last, p, PREFIX);
			spaces++;
		}
	}
	mdb_cursor_close(c);
	store_read_end(s, tx);
	return pointers == spaces;
}

static void check_all(run *r, store *s)
{
	const txn *tx = store_read(s);
	check_scan(r, tx, S(""), S(""), false);
	if (!r->wrong)
		check_scan(r, tx, S(""), S(""), true);
	for (int i = 0; i < 5 && !r->wrong; i++)
		check_scan(r, tx, known_key(r), below(r, 2) ? known_key(r) : S(""), below(r, 2));
	for (int i = 0; i < 5 && !r->wrong; i++)
		check_get(r, tx);
	store_read_end(s, tx);
	EXPECT(tidy(s));
}

static int64_t setting(const char *name, int64_t otherwise)
{
	int64_t v;
	return str_to_i64(str_c(getenv(name)), &v) ? v : otherwise;
}

TEST(store_model)
{
	char folder[] = "/tmp/store-model-XXXXXX";
	CHECK(mkdtemp(folder));
	store_options o = { .path = str_c(folder), .format = 1 };
	store *s;
	CHECK_OK(store_open(mem, &o, &s));
	run *r = arena_new(mem, run);
	r->mem = mem;
	int64_t seed = setting("SEED", (int64_t)getpid()), rounds = setting("ROUNDS", 300);
	r->seed = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
	for (int64_t i = 0; i < rounds && !r->wrong; i++) {
		CHECK_OK(store_write(s, job, r));
		if (!r->wrong && below(r, 4) == 0)
			check_all(r, s);
		if (below(r, 30) == 0) {
			store_close(s);
			CHECK_OK(store_open(mem, &o, &s));
		}
	}
	store_close(s);
	CHECK_OK(dir_remove(mem, str_c(folder)));
	if (r->wrong)
		test_failed(__FILE__, __LINE__, "SEED=%lld: %s", (long long)seed, r->wrong);
}
