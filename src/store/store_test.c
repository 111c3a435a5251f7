#include "store/inside.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <stdlib.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static str folder(arena *mem)
{
	str path = arena_str(mem, S("/tmp/store-test-XXXXXX"));
	CHECK(mkdtemp((char *)(uintptr_t)path.p));
	return path;
}

static store *opened(arena *mem, str path)
{
	store *s;
	CHECK_OK(store_open(mem, &(store_options){ .path = path, .format = 3 }, &s));
	return s;
}

static void refused(arena *mem, str path, unsigned format, const char *why)
{
	store *s;
	err e = store_open(mem, &(store_options){ .path = path, .format = format }, &s);
	CHECK(e != OK);
	if (str_find(e->message, str_c(why)) == SIZE_MAX)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(e->message));
}

typedef struct pair {
	str key, value;
	bool keep;
} pair;

static bool put_run(void *context, txn *tx)
{
	const pair *p = context;
	txn_put(tx, p->key, p->value);
	return p->keep;
}

static void put(store *s, str key, str value)
{
	CHECK_OK(store_write(s, put_run, &(pair){ key, value, true }));
}

static str get(arena *mem, store *s, str key)
{
	const txn *tx = store_read(s);
	str value = arena_str(mem, txn_get(tx, key));
	store_read_end(s, tx);
	return value;
}

TEST(store_keeps)
{
	str path = path_join(mem, folder(mem), S("a/b"));
	store *s = opened(mem, path);
	put(s, S("k"), S("v"));
	put(s, S("empty"), S(""));
	put(s, S(""), S("no name"));
	store_close(s);
	s = opened(mem, path);
	CHECK_STR(get(mem, s, S("k")), S("v"));
	CHECK(str_is(get(mem, s, S("empty"))));
	CHECK_STR(get(mem, s, S("")), S("no name"));
	CHECK(!str_is(get(mem, s, S("other"))));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_open_says_why_not)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	str pid = arena_fmt(mem, "is in use by process %d", (int)getpid());
	refused(mem, path, 3, pid.p);
	store_close(s);
	refused(mem, path, 2, "newer version of Farthing (format 3.");
	store *newer;
	CHECK_OK(store_open(mem, &(store_options){ .path = path, .format = 4 }, &newer));
	store_close(newer);
	refused(mem, path, 3, "newer version of Farthing (format 4.");
	CHECK_OK(file_write(mem, path_join(mem, path, S("data.mdb")), S("something else"), 0600));
	refused(mem, path, 4, "is damaged");
	refused(mem, S("/proc/nowhere"), 4, "/proc/nowhere");
	CHECK_OK(dir_remove(mem, path));
}

/* The kernel takes its time with a process of many threads. */
static void *sleeps(void *context)
{
	(void)context;
	pause();
	return NULL;
}

TEST(store_open_does_not_mind_a_holder_that_was_killed)
{
	str path = folder(mem);
	store_close(opened(mem, path));
	for (int i = 0; i < 5; i++) {
		int ready[2];
		char byte;
		CHECK(pipe(ready) == 0);
		pid_t child = fork();
		if (child == 0) {
			pthread_t t;
			opened(mem, path);
			for (int j = 0; j < 200; j++)
				pthread_create(&t, NULL, sleeps, NULL);
			_exit(write(ready[1], "x", 1) == 1 && pause() ? 1 : 2);
		}
		close(ready[1]);
		CHECK(read(ready[0], &byte, 1) == 1);
		close(ready[0]);
		kill(child, SIGKILL);
		store_close(opened(mem, path));
		CHECK(waitpid(child, NULL, 0) == child);
	}
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_open_after_a_crash_while_creating)
{
	str path = folder(mem), beside = path_join(mem, path, S("creating"));
	CHECK_OK(dir_make(mem, beside, 0700));
	CHECK_OK(file_write(mem, path_join(mem, beside, S("data.mdb")), S("half"), 0600));
	store *s = opened(mem, path);
	CHECK(!file_exists(beside));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_undoes_one_job)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	put(s, S("k"), S("v"));
	CHECK_OK(store_write(s, put_run, &(pair){ S("k"), S("w"), false }));
	CHECK_OK(store_write(s, put_run, &(pair){ S("l"), S("w"), false }));
	CHECK_STR(get(mem, s, S("k")), S("v"));
	CHECK(!str_is(get(mem, s, S("l"))));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

/* More than the undo log keeps: 80 MB. */
static bool much_run(void *context, txn *tx)
{
	str value = *(str *)context;
	for (int i = 0; i < 80; i++)
		txn_put(tx, str_of((char[]){ (char)('a' + i) }, 1), value);
	return false;
}

typedef struct many {
	store_job job;
	pair p;
	_Atomic int *left;
	bool failed;
} many;

static bool many_run(store_job *job, txn *tx)
{
	return put_run(&((many *)job)->p, tx);
}

static void many_done(store_job *job, err commit)
{
	many *m = (many *)job;
	m->failed = commit != OK;
	(*m->left)--;
}

static bool slow_run(void *context, txn *tx)
{
	(void)tx;
	while (*(_Atomic int *)context)
		clock_sleep_ms(1);
	return true;
}

typedef struct held {
	store *s;
	_Atomic int hold;
} held;

static void *hold_thread(void *context)
{
	held *h = context;
	store_write(h->s, slow_run, &h->hold);
	return NULL;
}

static bool rewrite_run(void *context, txn *tx)
{
	str value = txn_get(tx, S("k")), big = *(str *)context;
	if (!str_eq(value, S("before")))
		return true;
	return much_run(&big, tx);
}

TEST(store_undoes_a_job_beyond_its_log)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	str big = { arena_alloc(mem, 1 << 20), 1 << 20 };
	put(s, S("a"), S("stays"));
	held h = { .s = s, .hold = 1 };
	pthread_t t;
	CHECK(pthread_create(&t, NULL, hold_thread, &h) == 0);
	_Atomic int left = 1;
	many m = { { .run = many_run, .done = many_done }, { S("k"), S("before"), true }, &left, true };
	clock_sleep_ms(20);
	store_submit(s, &m.job);
	h.hold = 0;
	CHECK_OK(store_write(s, rewrite_run, &big));
	pthread_join(t, NULL);
	CHECK(left == 0 && !m.failed);
	CHECK_STR(get(mem, s, S("a")), S("stays"));
	CHECK_STR(get(mem, s, S("k")), S("before"));
	CHECK(!str_is(get(mem, s, S("b"))));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

/* While the writer is held, what is queued becomes one group: one commit. */
TEST(store_commits_groups)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	enum { N = 200 };
	_Atomic int left = N;
	many *all = arena_array(mem, many, N);
	held h = { .s = s, .hold = 1 };
	pthread_t t;
	CHECK(pthread_create(&t, NULL, hold_thread, &h) == 0);
	clock_sleep_ms(20);
	uint64_t before = store_stats_of(s).commits;
	for (int i = 0; i < N; i++) {
		str key = arena_fmt(mem, "k%03d", i);
		all[i] =
			(many){ { .run = many_run, .done = many_done }, { key, key, i % 3 > 0 }, &left, true };
		store_submit(s, &all[i].job);
	}
	h.hold = 0;
	pthread_join(t, NULL);
	while (left)
		sched_yield();
	store_stats st = store_stats_of(s);
	CHECK(st.commits - before <= 20);
	CHECK(st.bytes_used > 0 && st.jobs == N + 1 && st.syncs == 2 * st.commits);
	for (int i = 0; i < N; i++) {
		CHECK(!all[i].failed && all[i].job.undone == (i % 3 == 0));
		CHECK(str_is(get(mem, s, all[i].p.key)) == (i % 3 > 0));
	}
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_close_finishes_what_is_queued)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	_Atomic int left = 500;
	many *all = arena_array(mem, many, 500);
	for (int i = 0; i < 500; i++) {
		all[i] = (many){ { .run = many_run, .done = many_done },
		                 { arena_fmt(mem, "%d", i), S("x"), true }, &left, true };
		store_submit(s, &all[i].job);
	}
	store_close(s);
	CHECK_I64(left, 0);
	s = opened(mem, path);
	for (int i = 0; i < 500; i++)
		CHECK(str_is(get(mem, s, all[i].p.key)));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_read_is_a_snapshot)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	put(s, S("k"), S("1"));
	const txn *outer = store_read(s);
	put(s, S("k"), S("2"));
	const txn *inner = store_read(s);
	CHECK_STR(txn_get(inner, S("k")), S("1"));
	store_read_end(s, inner);
	CHECK_STR(txn_get(outer, S("k")), S("1"));
	store_read_end(s, outer);
	CHECK_STR(get(mem, s, S("k")), S("2"));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

static void *reading_thread(void *context)
{
	store *s = context;
	for (int i = 0; i < 100; i++) {
		const txn *tx = store_read(s);
		cursor c = txn_scan(tx, S(""), S(""), i & 1);
		bool any = cursor_next(&c);
		store_read_end(s, tx);
		if (!any)
			return context;
	}
	return NULL;
}

TEST(store_readers_come_and_go)
{
	str path = folder(mem);
	store *s = opened(mem, path), *other = opened(mem, path_join(mem, path, S("other")));
	put(s, S("k"), S("1"));
	put(other, S("k"), S("1"));
	for (int round = 0; round < 20; round++) {
		pthread_t t[8];
		for (int i = 0; i < 8; i++)
			CHECK(pthread_create(&t[i], NULL, reading_thread, i & 1 ? s : other) == 0);
		for (int i = 0; i < 8; i++) {
			void *wrong;
			pthread_join(t[i], &wrong);
			CHECK(!wrong);
		}
	}
	CHECK(s->readers == NULL);
	CHECK_STR(get(mem, s, S("k")), S("1"));
	CHECK(s->readers && !s->readers->next);
	store_close(s);
	store_close(other);
	CHECK_OK(dir_remove(mem, path));
}

static bool count_run(void *context, txn *tx)
{
	*(uint64_t *)context = txn_next(tx, S("things"));
	return *(uint64_t *)context != 3;
}

TEST(store_counts)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	uint64_t n, want[] = { 1, 2, 3, 3, 3 };
	for (int i = 0; i < 5; i++) {
		CHECK_OK(store_write(s, count_run, &n));
		CHECK_I64(n, want[i]);
	}
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

static int hooked;
static void hook_run(void *subject)
{
	hooked += *(int *)subject;
}

static bool hooks_run(void *context, txn *tx)
{
	static int ten = 10;
	txn_on_commit(tx, hook_run, &ten);
	txn_put(tx, S("k"), S("v"));
	return *(bool *)context;
}

TEST(store_hooks_run_when_committed)
{
	str path = folder(mem);
	store *s = opened(mem, path);
	hooked = 0;
	CHECK_OK(store_write(s, hooks_run, &(bool){ false }));
	CHECK_I64(hooked, 0);
	CHECK_OK(store_write(s, hooks_run, &(bool){ true }));
	CHECK_I64(hooked, 10);
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

static bool fill_run(void *context, txn *tx)
{
	str big = *(str *)context;
	txn_put(tx, arena_fmt(txn_arena(tx), "fill%llu", (unsigned long long)txn_next(tx, S("n"))),
	        big);
	return true;
}

static bool empty_run(void *context, txn *tx)
{
	*(size_t *)context = txn_delete_prefix(tx, S("fill"));
	return true;
}

/* A full store refuses whole transactions and goes on reading; with room it goes on writing. */
TEST(store_full)
{
	str path = folder(mem);
	store *s;
	CHECK_OK(store_open(mem, &(store_options){ .path = path, .map_bytes = 8 << 20 }, &s));
	str big = { arena_alloc(mem, 100000), 100000 };
	put(s, S("k"), S("v"));
	int written = 0;
	err e;
	while (!(e = store_write(s, fill_run, &big)))
		CHECK(++written < 100);
	CHECK(written > 50 && str_find(e->message, S("limit of 8 MiB")) != SIZE_MAX);
	CHECK_STR(get(mem, s, S("k")), S("v"));
	CHECK(!str_is(get(mem, s, arena_fmt(mem, "fill%d", written + 1))));
	store_close(s);
	CHECK_OK(store_open(mem, &(store_options){ .path = path, .map_bytes = 64 << 20 }, &s));
	size_t removed;
	CHECK_OK(store_write(s, empty_run, &removed));
	CHECK_I64(removed, written);
	CHECK_OK(store_write(s, fill_run, &big));
	CHECK_STR(get(mem, s, S("k")), S("v"));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_map_shrinks_to_what_the_process_may_have)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	SKIP("a sanitizer's shadow does not fit under a limit");
#endif
	str path = folder(mem);
	struct rlimit before, limited;
	getrlimit(RLIMIT_AS, &before);
	limited = (struct rlimit){ (rlim_t)24 << 30, before.rlim_max };
	CHECK(setrlimit(RLIMIT_AS, &limited) == 0);
	store *s = NULL;
	err e = store_open(mem, &(store_options){ .path = path }, &s);
	setrlimit(RLIMIT_AS, &before);
	CHECK_OK(e);
	CHECK(s->map_bytes < (size_t)24 << 30);
	put(s, S("k"), S("v"));
	store_close(s);
	CHECK_OK(dir_remove(mem, path));
}

TEST(store_key_after_prefix)
{
	CHECK_STR(key_after_prefix(mem, S("ab")), S("ac"));
	CHECK_STR(key_after_prefix(mem, S("a\xff\xff")), S("b"));
	CHECK_STR(key_after_prefix(mem, S("\xff")), S(""));
	CHECK_STR(key_after_prefix(mem, S("")), S(""));
}
