/*
 * kill -9, again and again: a child writes from many threads and says through a pipe what has been
 * acknowledged; its parent kills it at a random moment, opens what it left and looks.
 *
 *     driver [ROUNDS]        SEED=n repeats the moments (not what the machine makes of them)
 *
 * Each writer counts its transactions. Number n of writer w puts the same number into four rows,
 * one of them with a long key, adds a row to its log, and now and then a timer or a task that
 * counts itself. Between them it makes jobs that return false.
 */
#include "base/time.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "sys/rand.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define PARTS 4
#define TIMER_EVERY 5
#define TASK_EVERY 7
#define UNDONE_EVERY 6
#define KILL_MS 150
#define DRAIN_MS 20000

typedef struct ack {
	uint32_t writer, number;
} ack;

static arena *boot;
static int acks = -1;

static str row(arena *a, const char *what, uint32_t writer, uint32_t number)
{
	return arena_fmt(a, "%s/%u/%010u", what, writer, number);
}

/* The last part's key is longer than a row key of LMDB's. */
static str part(arena *a, uint32_t writer, uint32_t i)
{
	return arena_fmt(a, "part/%u/%0*u", writer, i + 1 == PARTS ? 700 : 1, i);
}

static uint32_t number_of(str value)
{
	int64_t n = 0;
	str_to_i64(str_cut(&value, ' '), &n);
	return (uint32_t)n;
}

static void count_up(txn *tx, const char *what, str payload)
{
	str key = arena_fmt(txn_arena(tx), "%s/%.*s", what, STR_ARG(payload));
	uint32_t n = number_of(txn_get(tx, key));
	txn_put(tx, key, arena_fmt(txn_arena(tx), "%u", n + 1));
}

TIMER(crash_fired)
{
	count_up(tx, "fired", payload);
}

static bool ran_run(void *context, txn *tx)
{
	count_up(tx, "ran", *(str *)context);
	return true;
}

TASK(crash_ran)
{
	return store_write(s, ran_run, &payload) ? clock_now() + 10 : TASK_DONE;
}

typedef struct writer {
	pthread_t thread;
	store *s;
	uint32_t id, number;
} writer;

static bool write_run(void *context, txn *tx)
{
	const writer *w = context;
	arena *a = txn_arena(tx);
	str filler = { arena_alloc(a, 600), 600 };
	uint32_t n = w->number;
	for (uint32_t i = 0; i < PARTS; i++)
		txn_put(tx, part(a, w->id, i), arena_fmt(a, "%u %.*s", n, (int)(n * 37 % 600), filler.p));
	txn_put(tx, row(a, "log", w->id, n), arena_fmt(a, "%u", n));
	str name = arena_fmt(a, "%u/%010u", w->id, n);
	if (n % TIMER_EVERY == 0)
		timer_set(tx, "crash_fired", n % 2 ? name : S(""), clock_now() + n % 30, name);
	if (n % TASK_EVERY == 0)
		task_add(tx, "crash_ran", name, n % 2 ? 0 : clock_now() + n % 20);
	return true;
}

static bool undone_run(void *context, txn *tx)
{
	const writer *w = context;
	arena *a = txn_arena(tx);
	txn_put(tx, row(a, "undone", w->id, w->number), S("x"));
	txn_delete(tx, row(a, "log", w->id, w->number - 1));
	txn_put(tx, part(a, w->id, 0), S("0"));
	txn_delete(tx, part(a, w->id, PARTS - 1));
	timer_set(tx, "crash_fired", S(""), 0, arena_fmt(a, "%u/undone", w->id));
	return false;
}

static void must(err e)
{
	if (!e)
		return;
	printf("%.*s\n", STR_ARG(e->message));
	exit(3);
}

static void *writer_main(void *context)
{
	writer *w = context;
	for (;; w->number++) {
		if (w->number % UNDONE_EVERY == 0)
			must(store_write(w->s, undone_run, w));
		must(store_write(w->s, write_run, w));
		ack a = { w->id, w->number };
		if (write(acks, &a, sizeof(a)) != sizeof(a))
			exit(3);
	}
	return NULL;
}

static store *open_store(str folder)
{
	store *s;
	must(store_open(boot, &(store_options){ .path = folder, .format = 1 }, &s));
	return s;
}

static uint32_t last_of(store *s, uint32_t id)
{
	const txn *tx = store_read(s);
	uint32_t n = number_of(txn_get(tx, part(txn_arena(tx), id, 0)));
	store_read_end(s, tx);
	return n;
}

static int child(const char *folder, int fd)
{
	acks = fd;
	store *s = open_store(str_c(folder));
	writer writers[WRITERS];
	due_start(s, pool_open(8));
	for (uint32_t i = 0; i < WRITERS; i++) {
		writers[i] = (writer){ .s = s, .id = i, .number = last_of(s, i) + 1 };
		ensure(pthread_create(&writers[i].thread, NULL, writer_main, &writers[i]) == 0);
	}
	pthread_join(writers[0].thread, NULL);
	return 0;
}

typedef struct expected {
	uint32_t acknowledged[WRITERS]; /* the last number that was */
	uint32_t checked[WRITERS];      /* rows up to here have been looked at and removed */
	uint64_t timers, tasks, repeated;
} expected;

/* Reads until the pipe ends or `until` comes; false: it has ended. */
static bool take_acks(int fd, expected *x, int64_t until_us, uint64_t *n)
{
	for (;;) {
		int64_t left = until_us - clock_mono_us();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (left <= 0)
			return true;
		if (poll(&p, 1, (int)(left / 1000) + 1) <= 0)
			continue;
		ack a[512];
		ssize_t bytes = read(fd, a, sizeof(a));
		if (bytes <= 0)
			return false;
		for (size_t i = 0; i < (size_t)bytes / sizeof(ack); i++, ++*n)
			x->acknowledged[a[i].writer] = a[i].number;
	}
}

static uint64_t run_and_kill(const char *self, str folder, int64_t after_us, expected *x)
{
	int fds[2];
	uint64_t n = 0;
	ensure(pipe(fds) == 0);
	fflush(stdout);
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		char fd[12];
		close(fds[0]);
		snprintf(fd, sizeof(fd), "%d", fds[1]);
		execl(self, self, "--child", folder.p, fd, NULL);
		_exit(4);
	}
	close(fds[1]);
	if (!take_acks(fds[0], x, clock_mono_us() + after_us, &n))
		printf("the child has ended by itself\n");
	kill(pid, SIGKILL);
	int status;
	waitpid(pid, &status, 0);
	take_acks(fds[0], x, INT64_MAX, &n);
	close(fds[0]);
	return WIFSIGNALED(status) ? n : UINT64_MAX;
}

static const char *check_writer(const txn *tx, uint32_t w, const expected *x, uint32_t *last)
{
	arena *a = txn_arena(tx);
	*last = number_of(txn_get(tx, part(a, w, 0)));
	for (uint32_t i = 1; i < PARTS; i++)
		if (number_of(txn_get(tx, part(a, w, i))) != *last)
			return "rows of one transaction do not agree";
	if (*last < x->acknowledged[w])
		return "an acknowledged write is lost";
	if (*last > x->acknowledged[w] + 1)
		return "there is more than was ever asked for";
	uint32_t n = x->checked[w];
	str prefix = arena_fmt(a, "log/%u/", w);
	for (cursor c = txn_scan(tx, prefix, key_after_prefix(a, prefix), false); cursor_next(&c);)
		if (number_of(c.value) != ++n)
			return "the log has a gap";
	return n == *last ? NULL : "the log ends early or late";
}

static size_t count_rows(const txn *tx, str prefix)
{
	size_t n = 0;
	str to = key_after_prefix(txn_arena(tx), prefix);
	for (cursor c = txn_scan(tx, prefix, to, false); cursor_next(&c);)
		n++;
	return n;
}

static const char *check(store *s, const expected *x, uint32_t last[WRITERS])
{
	const txn *tx = store_read(s);
	const char *wrong = count_rows(tx, S("undone")) ? "an undone job is there" : NULL;
	for (uint32_t w = 0; w < WRITERS && !wrong; w++)
		wrong = check_writer(tx, w, x, &last[w]);
	store_read_end(s, tx);
	return wrong;
}

static bool any_left(store *s)
{
	const txn *tx = store_read(s);
	size_t n = count_rows(tx, S("\1T")) + count_rows(tx, S("\1K"));
	store_read_end(s, tx);
	return n > 0;
}

/* All timers have fired once and all tasks have run. */
static const char *check_due(store *s, expected *x, const uint32_t last[WRITERS])
{
	const char *wrong = NULL;
	size_t fired = 0, ran = 0;
	const txn *tx = store_read(s);
	arena *a = txn_arena(tx);
	for (uint32_t w = 0; w < WRITERS; w++)
		for (uint32_t n = x->checked[w] + 1; n <= last[w]; n++) {
			if (n % TIMER_EVERY == 0 && number_of(txn_get(tx, row(a, "fired", w, n))) != 1)
				wrong = "a timer has not fired exactly once";
			if (n % TASK_EVERY == 0 && number_of(txn_get(tx, row(a, "ran", w, n))) < 1)
				wrong = "a task has not run";
			if (n % TASK_EVERY == 0)
				x->repeated += number_of(txn_get(tx, row(a, "ran", w, n))) - 1;
			fired += n % TIMER_EVERY == 0;
			ran += n % TASK_EVERY == 0;
		}
	if (!wrong && (count_rows(tx, S("fired/")) != fired || count_rows(tx, S("ran/")) != ran))
		wrong = "timers or tasks that were never set";
	store_read_end(s, tx);
	x->timers += fired;
	x->tasks += ran;
	return wrong;
}

static bool tidy_run(void *context, txn *tx)
{
	(void)context;
	txn_delete_prefix(tx, S("log/"));
	txn_delete_prefix(tx, S("fired/"));
	txn_delete_prefix(tx, S("ran/"));
	return true;
}

/* Lets what is due happen, here, and looks at all of it. */
static const char *drain(store *s, expected *x, const uint32_t last[WRITERS])
{
	pool *workers = pool_open(8);
	due_start(s, workers);
	int64_t give_up = clock_mono_us() + DRAIN_MS * 1000;
	while (any_left(s) && clock_mono_us() < give_up)
		clock_sleep_ms(5);
	due_stop(s);
	pool_close(workers);
	if (any_left(s))
		return "timers or tasks that never come to their end";
	const char *wrong = check_due(s, x, last);
	if (!wrong)
		must(store_write(s, tidy_run, NULL));
	memcpy(x->checked, last, sizeof(x->checked));
	return wrong;
}

static const char *one_round(const char *self, str folder, int64_t after_us, bool drains,
                             expected *x, uint64_t *total)
{
	uint32_t last[WRITERS] = { 0 };
	uint64_t n = run_and_kill(self, folder, after_us, x);
	if (n == UINT64_MAX)
		return "the child failed";
	*total += n;
	store *s = open_store(folder);
	const char *wrong = check(s, x, last);
	/* What was written unheard is there from now on. */
	memcpy(x->acknowledged, last, sizeof(last));
	if (!wrong && drains)
		wrong = drain(s, x, last);
	store_close(s);
	return wrong;
}

int main(int argc, char **argv)
{
	boot = arena_open(1 << 16);
	if (argc == 4 && strcmp(argv[1], "--child") == 0)
		return child(argv[2], (int)strtol(argv[3], NULL, 10));
	int64_t rounds = 50, seed = clock_real();
	if (argc > 1)
		ensure(str_to_i64(str_c(argv[1]), &rounds));
	str_to_i64(str_c(getenv("SEED")), &seed);
	printf("SEED=%lld\n", (long long)seed);
	char path[] = "/tmp/store-crash-XXXXXX";
	ensure(mkdtemp(path));
	str folder = path_join(boot, str_c(path), S("store"));
	expected x = { 0 };
	uint64_t total = 0;
	int64_t passed = 0;
	const char *wrong = NULL;
	rand_seed((uint64_t)seed);
	while (passed < rounds && !wrong) {
		/* Every tenth round begins with nothing, so that the creation is cut off too. */
		bool drains = passed % 5 == 4;
		if (passed % 10 == 0) {
			must(dir_remove(boot, folder));
			x = (expected){ .timers = x.timers, .tasks = x.tasks, .repeated = x.repeated };
		}
		int64_t range_us = passed % 3 ? KILL_MS * 1000 : 10000;
		wrong =
			one_round(argv[0], folder, (int64_t)rand_below((uint64_t)range_us), drains, &x, &total);
		passed += !wrong;
	}
	printf("%lld kills, %llu acknowledged transactions, %llu timers fired once, %llu tasks run "
	       "(%llu again)\n",
	       (long long)passed, (unsigned long long)total, (unsigned long long)x.timers,
	       (unsigned long long)x.tasks, (unsigned long long)x.repeated);
	if (wrong)
		printf("kill %lld: %s. The store is left in %s.\n", (long long)passed + 1, wrong, folder.p);
	else
		must(dir_remove(boot, str_c(path)));
	printf("%lld passed, %d failed\n", (long long)passed, wrong != NULL);
	arena_close(boot);
	return wrong != NULL;
}
