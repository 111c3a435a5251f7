#include "store/due_inside.h"
#include "base/buf.h"
#include "base/map.h"

extern const timer_kind *const __start_farthing_timers[] __attribute__((weak));
extern const timer_kind *const __stop_farthing_timers[] __attribute__((weak));
extern const task_kind *const __start_farthing_tasks[] __attribute__((weak));
extern const task_kind *const __stop_farthing_tasks[] __attribute__((weak));

const timer_kind *timer_kind_of(str name)
{
	for (const timer_kind *const *k = __start_farthing_timers; k < __stop_farthing_timers; k++)
		if (str_eq(str_c((*k)->name), name))
			return *k;
	return NULL;
}

const task_kind *task_kind_of(str name)
{
	for (const task_kind *const *k = __start_farthing_tasks; k < __stop_farthing_tasks; k++)
		if (str_eq(str_c((*k)->name), name))
			return *k;
	return NULL;
}

void moment_put(void *p, int64_t moment)
{
	be64_put(p, (uint64_t)moment ^ (uint64_t)1 << 63);
}

int64_t moment_get(const void *p)
{
	return (int64_t)(be64_get(p) ^ (uint64_t)1 << 63);
}

str row_key(char *to, char letter, const void *bytes, size_t n)
{
	to[0] = 1;
	to[1] = letter;
	memcpy(to + 2, bytes, n);
	return (str){ to, n + 2 };
}

str task_key(char to[10], char letter, uint64_t id)
{
	char bytes[8];
	be64_put(bytes, id);
	return row_key(to, letter, bytes, sizeof(bytes));
}

str wait_key(char to[18], int64_t not_before, uint64_t id)
{
	char bytes[16];
	moment_put(bytes, not_before);
	be64_put(bytes + 8, id);
	return row_key(to, 'S', bytes, sizeof(bytes));
}

/* The row that holds the position of the timer with this key. */
static str index_key(arena *a, str kind, str key)
{
	char *p = arena_bytes(a, kind.n + key.n + 3);
	p[0] = 1;
	p[1] = 'I';
	memcpy(p + 2, kind.p, kind.n);
	p[kind.n + 2] = 0;
	if (key.n)
		memcpy(p + kind.n + 3, key.p, key.n);
	return (str){ p, kind.n + key.n + 3 };
}

/* After the commit the thread looks whether it must wake earlier than it meant to. */
static void look(void *subject)
{
	due_work *d = subject;
	pthread_mutex_lock(&d->lock);
	if (d->earliest < d->planned) {
		d->kicked = true;
		pthread_cond_broadcast(&d->wake);
	}
	pthread_mutex_unlock(&d->lock);
	d->earliest = INT64_MAX;
}

void due_announce(txn *tx, int64_t moment)
{
	due_work *d = tx->s->due;
	if (!d)
		return;
	if (moment < d->earliest)
		d->earliest = moment;
	txn_on_commit(tx, look, d);
}

timer_row timer_read(str value)
{
	timer_row t = { .kind = str_cut(&value, 0) };
	ensure(value.n >= 2);
	size_t n = (size_t)(unsigned char)value.p[0] << 8 | (unsigned char)value.p[1];
	ensure(n <= value.n - 2);
	t.key = str_sub(value, 2, 2 + n);
	t.payload = str_sub(value, 2 + n, value.n);
	return t;
}

static str timer_value(arena *a, str kind, str key, str payload)
{
	char *p = arena_bytes(a, kind.n + 3 + key.n + payload.n), *end = p;
	memcpy(end, kind.p, kind.n);
	end += kind.n;
	*end++ = 0;
	*end++ = (char)(key.n >> 8);
	*end++ = (char)key.n;
	if (key.n)
		memcpy(end, key.p, key.n);
	end += key.n;
	if (payload.n)
		memcpy(end, payload.p, payload.n);
	return (str){ p, (size_t)(end - p) + payload.n };
}

static void cancel(txn *tx, str index)
{
	char key[2 + POSITION];
	str at = txn_get(tx, index);
	if (at.n != POSITION)
		return;
	row_key(key, 'T', at.p, POSITION);
	if (!txn_delete(tx, str_of(key, sizeof(key)))) {
		key[1] = 'U';
		txn_delete(tx, str_of(key, sizeof(key)));
	}
}

void timer_set(txn *tx, const char *kind, str key, int64_t moment, str payload)
{
	str name = str_c(kind);
	ensure(timer_kind_of(name) && key.n <= KEY_MAX - name.n - 3);
	char position[POSITION], row[2 + POSITION];
	moment_put(position, moment);
	be64_put(position + 8, mdb_txn_id(tx->mdb));
	uint32_t serial = __builtin_bswap32(tx->serial++);
	memcpy(position + 16, &serial, 4);
	str value = timer_value(tx->mem, name, key, payload);
	if (key.n) {
		str index = index_key(tx->mem, name, key);
		cancel(tx, index);
		txn_put(tx, index, str_of(position, POSITION));
	}
	txn_put(tx, row_key(row, 'T', position, POSITION), value);
	due_announce(tx, moment);
}

void timer_every(txn *tx, const char *kind, int64_t period, int64_t after)
{
	int64_t nth = after / period + 1;
	timer_set(tx, kind, arena_fmt(tx->mem, "%lld", (long long)nth), nth * period, S(""));
}

void timer_cancel(txn *tx, const char *kind, str key)
{
	str name = str_c(kind);
	ensure(timer_kind_of(name) && key.n > 0);
	if (key.n > KEY_MAX - name.n - 3)
		return;
	str index = index_key(tx->mem, name, key);
	cancel(tx, index);
	txn_delete(tx, index);
}

/* The first row of a letter: its key without the letter, or STR_NONE. */
static str first(const txn *tx, char letter, str *value)
{
	char from[2] = { 1, letter }, to[2] = { 1, (char)(letter + 1) };
	cursor c = txn_scan(tx, str_of(from, 2), str_of(to, 2), false);
	if (!cursor_next(&c))
		return STR_NONE;
	str key = str_sub(c.key, 2, c.key.n);
	if (value)
		*value = c.value;
	cursor_close(&c);
	return key;
}

int64_t timer_first(const txn *tx)
{
	str position = first(tx, 'T', NULL);
	return position.n == POSITION ? moment_get(position.p) : INT64_MAX;
}

int64_t task_first(const txn *tx)
{
	str waiting = first(tx, 'S', NULL);
	return waiting.n == 16 ? moment_get(waiting.p) : INT64_MAX;
}

void timer_fire(txn *tx)
{
	str value, position = first(tx, 'T', &value);
	if (position.n != POSITION)
		return; /* it could not be read: the transaction has failed */
	char key[2 + POSITION];
	int64_t moment = moment_get(position.p);
	row_key(key, 'T', position.p, POSITION);
	value = arena_str(tx->mem, value);
	timer_row t = timer_read(value);
	const timer_kind *kind = timer_kind_of(t.kind);
	txn_delete(tx, str_of(key, sizeof(key)));
	if (!kind) {
		key[1] = 'U';
		txn_put(tx, str_of(key, sizeof(key)), value);
		return;
	}
	if (t.key.n)
		txn_delete(tx, index_key(tx->mem, t.kind, t.key));
	kind->run(tx, t.payload, moment);
}

bool task_read(const txn *tx, uint64_t id, task_row *t)
{
	char key[10];
	str value = txn_get(tx, task_key(key, 'K', id));
	if (!str_is(value))
		return false;
	ensure(value.n > 12);
	uint32_t attempts;
	memcpy(&attempts, value.p + 8, 4);
	*t = (task_row){ .not_before = moment_get(value.p), .attempts = __builtin_bswap32(attempts) };
	t->payload = str_sub(value, 12, value.n);
	t->kind = str_cut(&t->payload, 0);
	return true;
}

void task_write(txn *tx, uint64_t id, const task_row *t)
{
	char key[10], *p = arena_bytes(tx->mem, 13 + t->kind.n + t->payload.n);
	uint32_t attempts = __builtin_bswap32(t->attempts);
	moment_put(p, t->not_before);
	memcpy(p + 8, &attempts, 4);
	memcpy(p + 12, t->kind.p, t->kind.n);
	p[12 + t->kind.n] = 0;
	if (t->payload.n)
		memcpy(p + 13 + t->kind.n, t->payload.p, t->payload.n);
	txn_put(tx, task_key(key, 'K', id), str_of(p, 13 + t->kind.n + t->payload.n));
}

uint64_t task_add(txn *tx, const char *kind, str payload, int64_t not_before)
{
	ensure(task_kind_of(str_c(kind)));
	char key[18];
	task_row t = { .not_before = not_before, .kind = str_c(kind), .payload = payload };
	/* The payload may be what was just read. */
	t.payload = arena_str(tx->mem, payload);
	uint64_t id = txn_next(tx, S("task"));
	task_write(tx, id, &t);
	txn_put(tx, wait_key(key, not_before, id), S(""));
	due_announce(tx, not_before);
	return id;
}

void task_cancel(txn *tx, uint64_t id)
{
	char key[18];
	task_row t;
	if (!task_read(tx, id, &t))
		return;
	txn_delete(tx, wait_key(key, t.not_before, id));
	txn_delete(tx, task_key(key, 'R', id));
	txn_delete(tx, task_key(key, 'V', id));
	txn_delete(tx, task_key(key, 'K', id));
}

/* Moves rows of `letter` among those that wait. */
static void tasks_back(txn *tx, char letter)
{
	char from[2] = { 1, letter }, to[2] = { 1, (char)(letter + 1) }, key[18];
	cursor c = txn_scan(tx, str_of(from, 2), str_of(to, 2), false);
	while (cursor_next(&c)) {
		uint64_t id = be64_get(c.key.p + 2);
		task_row t;
		bool there = task_read(tx, id, &t);
		if (letter == 'V' && there && !task_kind_of(t.kind))
			continue;
		txn_delete(tx, c.key);
		if (there)
			txn_put(tx, wait_key(key, t.not_before, id), S(""));
	}
}

void due_recover(txn *tx)
{
	tasks_back(tx, 'R');
	tasks_back(tx, 'V');
	cursor c = txn_scan(tx, S("\1U"), S("\1V"), false);
	while (cursor_next(&c)) {
		char key[2 + POSITION];
		str value = c.value;
		if (!timer_kind_of(timer_read(value).kind))
			continue;
		value = arena_str(tx->mem, value);
		row_key(key, 'T', c.key.p + 2, POSITION);
		txn_delete(tx, c.key);
		txn_put(tx, str_of(key, sizeof(key)), value);
	}
}

size_t due_unknown(store *s, arena *mem, str *kinds)
{
	size_t n = 0;
	map seen = map_in(mem, 8);
	buf names = buf_in(mem, 64, 4096);
	const txn *tx = store_read(s);
	cursor c = txn_scan(tx, S("\1U"), S("\1W"), false);
	while (cursor_next(&c)) {
		task_row t = { 0 };
		if (c.key.p[1] == 'U')
			t.kind = timer_read(c.value).kind;
		else if (!task_read(tx, be64_get(c.key.p + 2), &t))
			continue;
		n++;
		if (map_get(&seen, t.kind))
			continue;
		buf_fmt(&names, "%s%.*s", names.n ? ", " : "", STR_ARG(t.kind));
		map_put(&seen, arena_str(mem, t.kind), s);
	}
	store_read_end(s, tx);
	*kinds = buf_str(&names);
	return n;
}
