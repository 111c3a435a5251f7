/*
 * The store beside the LMDB below it and the disk below that, on the same folder, in turns:
 *
 *     store [FOLDER [SECONDS [ROUNDS]]]
 *
 * Values are 1 KB that do not compress, keys are drawn at random from 100,000 that exist.
 */
#include "base/time.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEYS 100000
#define VALUE 1024
#define WRITERS 64

static double seconds = 1;
static char value[VALUE + KEYS];
static arena *mem;
static str folder;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

/* Another sequence each time: a put of what is there already would cost nothing. */
static uint64_t seed(void)
{
	static uint64_t n = 88172645463325252u;
	return n += 0x9e3779b97f4a7c15u;
}

static size_t name(char to[24], uint64_t *state)
{
	return (size_t)snprintf(to, 24, "key/%012llu", (unsigned long long)(next_random(state) % KEYS));
}

static void must(int rc)
{
	if (rc) {
		fprintf(stderr, "%s\n", mdb_strerror(rc));
		exit(1);
	}
}

static void must_ok(err e)
{
	if (e) {
		fprintf(stderr, "%.*s\n", STR_ARG(e->message));
		exit(1);
	}
}

static int64_t deadline(void)
{
	return clock_mono_us() + (int64_t)(seconds * 1e6);
}

/* What one append of 1 KB to a file with fdatasync costs. */
static double bench_disk(void)
{
	str path = path_join(mem, folder, S("append"));
	int fd = open(path.p, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	for (; clock_mono_us() < end; n++) {
		must(write(fd, value, VALUE) != VALUE);
		must(fdatasync(fd));
	}
	double rate = (double)n * 1e6 / (double)(clock_mono_us() - began);
	close(fd);
	unlink(path.p);
	return rate;
}

static MDB_env *bare_open(void)
{
	static MDB_env *env;
	MDB_txn *tx;
	MDB_dbi dbi;
	if (env)
		return env;
	str path = path_join(mem, folder, S("bare"));
	must_ok(dir_make(mem, path, 0700));
	must(mdb_env_create(&env));
	must(mdb_env_set_mapsize(env, (size_t)64 << 30));
	must(mdb_env_open(env, path.p, MDB_NOTLS, 0600));
	must(mdb_txn_begin(env, NULL, 0, &tx));
	must(mdb_dbi_open(tx, NULL, 0, &dbi));
	for (int i = 0; i < KEYS; i++) {
		char key[24];
		MDB_val k = { (size_t)snprintf(key, sizeof(key), "key/%012d", i), key },
				v = { VALUE, value + i };
		must(mdb_put(tx, dbi, &k, &v, 0));
	}
	must(mdb_txn_commit(tx));
	return env;
}

/* Puts a second, `group` of them a commit. */
static double bench_bare(int group)
{
	MDB_env *env = bare_open();
	uint64_t state = seed();
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	while (clock_mono_us() < end) {
		MDB_txn *tx;
		must(mdb_txn_begin(env, NULL, 0, &tx));
		for (int i = 0; i < group; i++, n++) {
			char key[24];
			MDB_val k = { name(key, &state), key }, v = { VALUE, value + n % KEYS };
			must(mdb_put(tx, 1, &k, &v, 0));
		}
		must(mdb_txn_commit(tx));
	}
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

static double bench_bare_get(void)
{
	MDB_env *env = bare_open();
	uint64_t state = seed();
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	MDB_txn *tx;
	must(mdb_txn_begin(env, NULL, MDB_RDONLY, &tx));
	mdb_txn_reset(tx);
	for (; n % 256 || clock_mono_us() < end; n++) {
		char key[24];
		MDB_val k = { name(key, &state), key }, v;
		must(mdb_txn_renew(tx));
		must(mdb_get(tx, 1, &k, &v));
		mdb_txn_reset(tx);
	}
	mdb_txn_abort(tx);
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

static store *store_ready(void)
{
	static store *s;
	if (!s)
		must_ok(store_open(mem, &(store_options){ .path = path_join(mem, folder, S("ours")) }, &s));
	return s;
}

static bool load_run(void *context, txn *tx)
{
	int *from = context;
	for (int i = 0; i < 1000; i++, ++*from) {
		char key[24];
		size_t n = (size_t)snprintf(key, sizeof(key), "key/%012d", *from);
		txn_put(tx, str_of(key, n), str_of(value + *from, VALUE));
	}
	return true;
}

typedef struct client {
	pthread_t thread;
	store *s;
	uint64_t state;
	int64_t end, n;
	bool reads_first; /* as handlers do: look, then write */
} client;

static bool client_run(void *context, txn *tx)
{
	client *c = context;
	char key[24];
	str k = { key, name(key, &c->state) };
	if (c->reads_first)
		ensure(str_is(txn_get(tx, k)));
	txn_put(tx, k, str_of(value + next_random(&c->state) % KEYS, VALUE));
	return true;
}

static void *client_main(void *context)
{
	client *c = context;
	for (; clock_mono_us() < c->end; c->n++)
		must_ok(store_write(c->s, client_run, c));
	return NULL;
}

static double bench_store(int writers, bool reads_first)
{
	store *s = store_ready();
	client clients[WRITERS];
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	for (int i = 0; i < writers; i++) {
		clients[i] = (client){ .s = s, .state = seed(), .end = end,
		                       .reads_first = reads_first };
		pthread_create(&clients[i].thread, NULL, client_main, &clients[i]);
	}
	for (int i = 0; i < writers; i++) {
		pthread_join(clients[i].thread, NULL);
		n += clients[i].n;
	}
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

/* As the server does it: 64 jobs in flight, answered by the writer thread. */
typedef struct flight {
	store_job job;
	client c;
	_Atomic int *flying;
} flight;

static bool flight_run(store_job *job, txn *tx)
{
	return client_run(&((flight *)job)->c, tx);
}

static void flight_done(store_job *job, err commit)
{
	flight *f = (flight *)job;
	must_ok(commit);
	f->c.n++;
	if (clock_mono_us() < f->c.end)
		store_submit(f->c.s, job);
	else
		--*f->flying;
}

static double bench_submit(int writers)
{
	store *s = store_ready();
	static flight flights[WRITERS];
	_Atomic int flying = writers;
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	for (int i = 0; i < writers; i++) {
		flights[i] = (flight){ .job = { .run = flight_run, .done = flight_done }, .flying = &flying,
		                       .c = { .s = s, .end = end, .state = seed() } };
		store_submit(s, &flights[i].job);
	}
	while (flying)
		clock_sleep_ms(5);
	for (int i = 0; i < writers; i++)
		n += flights[i].c.n;
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

static double bench_get(void)
{
	store *s = store_ready();
	uint64_t state = seed();
	int64_t end = deadline(), began = clock_mono_us(), n = 0;
	for (; n % 256 || clock_mono_us() < end; n++) {
		char key[24];
		const txn *tx = store_read(s);
		ensure(str_is(txn_get(tx, str_of(key, name(key, &state)))));
		store_read_end(s, tx);
	}
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

static double bench_scan(void)
{
	store *s = store_ready();
	int64_t began = clock_mono_us(), n = 0;
	const txn *tx = store_read(s);
	for (cursor c = txn_scan(tx, S("key/"), S("key0"), false); cursor_next(&c);)
		n++;
	store_read_end(s, tx);
	return (double)n * 1e6 / (double)(clock_mono_us() - began);
}

static _Atomic int64_t fired;
TIMER(bench)
{
	fired++;
}

static bool timers_run(void *context, txn *tx)
{
	int *from = context;
	for (int i = 0; i < 1000; i++, ++*from)
		timer_set(tx, "bench", arena_fmt(txn_arena(tx), "timer/%d", *from),
		          clock_now() + MS_HOUR + (int64_t)*from * 7919 % 100000 * 1000, S("payload"));
	return true;
}

static void bench_due(void)
{
	store *s = store_ready();
	pool *workers = pool_open(4);
	due_start(s, workers);
	enum { N = 200000 };
	int64_t began = clock_mono_us();
	for (int i = 0; i < N;)
		must_ok(store_write(s, timers_run, &i));
	printf("timers set        %10.0f /s\n", N * 1e6 / (double)(clock_mono_us() - began));
	began = clock_mono_us();
	due_advance(s, clock_now() + 2 * MS_DAY, NULL, NULL);
	ensure(fired == N);
	printf("timers fired      %10.0f /s (advance)\n", N * 1e6 / (double)(clock_mono_us() - began));
	began = clock_mono_us();
	due_advance(s, clock_now() + 30 * MS_DAY, NULL, NULL);
	printf("30 days of nothing %9.2f ms\n", (double)(clock_mono_us() - began) / 1e3);
	due_stop(s);
	pool_close(workers);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

enum {
	DISK,
	BARE_1,
	OURS_1,
	BARE_64,
	OURS_64,
	OURS_64_GET,
	SUBMIT_64,
	BARE_GET,
	OURS_GET,
	SCAN,
	ROWS
};

static double measure(int row)
{
	switch (row) {
	case DISK: return bench_disk();
	case BARE_1: return bench_bare(1);
	case OURS_1: return bench_store(1, false);
	case BARE_64: return bench_bare(64);
	case OURS_64: return bench_store(64, false);
	case OURS_64_GET: return bench_store(64, true);
	case SUBMIT_64: return bench_submit(64);
	case BARE_GET: return bench_bare_get();
	case OURS_GET: return bench_get();
	default: return bench_scan();
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"append + fdatasync", "LMDB, 1 a commit", "store, 1 writer", "LMDB, 64 a commit",
		"store, 64 threads", "  that read first", "store, 64 in flight", "LMDB get", "store get",
		"store scan",
	};
	static const int against[] = {
		-1, DISK, BARE_1, -1, BARE_64, BARE_64, BARE_64, -1, BARE_GET, -1
	};
	enum { ROUNDS_MAX = 20 };
	double rates[ROWS][ROUNDS_MAX];
	mem = arena_open(1 << 16);
	folder = argc > 1 ? str_c(argv[1]) : S("/tmp/farthing-bench-store");
	seconds = argc > 2 ? strtod(argv[2], NULL) : 1;
	int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 3;
	ensure(rounds > 0 && rounds <= ROUNDS_MAX);
	must_ok(dir_remove(mem, folder));
	must_ok(dir_make(mem, folder, 0700));
	uint64_t state = 1234567;
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (char)next_random(&state);
	for (int i = 0; i < KEYS;)
		must_ok(store_write(store_ready(), load_run, &i));
	for (int i = 0; i < rounds; i++)
		for (int row = 0; row < ROWS; row++)
			rates[row][i] = measure(row);
	for (int row = 0; row < ROWS; row++) {
		qsort(rates[row], (size_t)rounds, sizeof(double), compare);
		printf("%-19s %10.0f /s (best %.0f)", names[row], rates[row][rounds / 2],
		       rates[row][rounds - 1]);
		if (against[row] >= 0)
			printf("  %.2f of %s", rates[row][rounds / 2] / rates[against[row]][rounds / 2],
			       names[against[row]]);
		printf("\n");
	}
	bench_due();
	store_close(store_ready());
	must_ok(dir_remove(mem, folder));
	arena_close(mem);
}
