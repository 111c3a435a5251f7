#include "base/time.h"
#include "store/due_inside.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "test/test.h"
#include <stdlib.h>
#include <sched.h>
#include <unistd.h>

/* What happened, in order: letters of timers and tasks. */
static pthread_mutex_t happened_lock = PTHREAD_MUTEX_INITIALIZER;
static char happened[200];
static int64_t happened_at[200];
static _Atomic size_t n_happened;

static void happens(str what, int64_t at)
{
	pthread_mutex_lock(&happened_lock);
	if (n_happened < sizeof(happened)) {
		happened[n_happened] = what.n ? what.p[0] : '?';
		happened_at[n_happened++] = at;
	}
	pthread_mutex_unlock(&happened_lock);
}

static str what_happened(void)
{
	return str_of(happened, n_happened);
}

TIMER(test_note)
{
	happens(payload, due);
}

TIMER(test_add_task)
{
	happens(payload, due);
	task_add(tx, "test_note", arena_lower(txn_arena(tx), payload), 0);
}

TASK(test_note)
{
	clock_sleep_ms(3);
	happens(payload, clock_now());
	return TASK_DONE;
}

/* Fails as often as its payload says, an hour apart each time. */
TASK(test_retry)
{
	happens(arena_fmt(mem, "%u", attempt), clock_now());
	return (int)attempt > payload.p[0] - '0' ? TASK_DONE : clock_now() + MS_HOUR;
}

static _Atomic int64_t tasks_counted;
TASK(test_count)
{
	tasks_counted++;
	return TASK_DONE;
}

static _Atomic int64_t timers_counted, last_due;
TIMER(test_count)
{
	ensure(due >= last_due && due <= clock_now());
	last_due = due;
	timers_counted++;
}

/* Sets itself again every hour. */
TIMER(test_hourly)
{
	timers_counted++;
	timer_set(tx, "test_hourly", S("only"), due + MS_HOUR, payload);
}

typedef struct bed {
	str path;
	store *s;
	pool *workers;
	int64_t now;
} bed;

static void bed_start(arena *mem, bed *b)
{
	CHECK_OK(store_open(mem, &(store_options){ .path = b->path }, &b->s));
	b->workers = pool_open(8);
	due_start(b->s, b->workers);
}

static void bed_stop(bed *b)
{
	due_stop(b->s);
	pool_close(b->workers);
	store_close(b->s);
}

static bed bed_open(arena *mem)
{
	bed b = { .path = arena_str(mem, S("/tmp/store-due-XXXXXX")) };
	CHECK(mkdtemp((char *)(uintptr_t)b.path.p));
	clock_set_offset(0);
	n_happened = 0;
	timers_counted = last_due = tasks_counted = 0;
	bed_start(mem, &b);
	b.now = clock_now();
	return b;
}

static void bed_close(arena *mem, bed *b)
{
	bed_stop(b);
	clock_set_offset(0);
	CHECK_OK(dir_remove(mem, b->path));
}

/*
 * A transaction in the middle of a test: WRITING(&b) {
		timer_set(tx, ..);
	}. The writer lends its
 * transaction to the test and waits; the commit is on disk when the block ends.
 */
typedef struct lent {
	store_job job;
	_Atomic(txn *) tx;
	_Atomic bool ready, finished;
	err commit;
} lent;

static bool lent_run(store_job *job, txn *tx)
{
	lent *l = (lent *)job;
	for (l->tx = tx; !l->ready;)
		sched_yield();
	l->ready = false;
	return true;
}

static void lent_done(store_job *job, err commit)
{
	((lent *)job)->commit = commit;
	((lent *)job)->finished = true;
}

static lent borrowed;

static txn *write_begin(bed *b)
{
	borrowed = (lent){ .job = { .run = lent_run, .done = lent_done } };
	store_submit(b->s, &borrowed.job);
	while (!borrowed.tx)
		sched_yield();
	return borrowed.tx;
}

static txn *write_end(void)
{
	for (borrowed.ready = true; !borrowed.finished;)
		sched_yield();
	CHECK_OK(borrowed.commit);
	return NULL;
}

#define WRITING(bed) for (txn *tx = write_begin(bed); tx; tx = write_end())

static bool fails_run(void *context, txn *tx)
{
	timer_set(tx, "test_note", S(""), *(int64_t *)context, S("a"));
	task_add(tx, "test_note", S("b"), 0);
	return false;
}

static size_t rows(store *s, const char *prefix)
{
	size_t n = 0;
	const txn *tx = store_read(s);
	arena *mem = txn_arena(tx);
	for (cursor c = txn_scan(tx, str_c(prefix), key_after_prefix(mem, str_c(prefix)), false);
	     cursor_next(&c);)
		n++;
	store_read_end(s, tx);
	return n;
}

static void wait_for(size_t n)
{
	for (int i = 0; i < 20000 && n_happened < n; i++)
		clock_sleep_ms(1);
	CHECK_I64(n_happened, n);
}

TEST(due_fires_in_order)
{
	bed b = bed_open(mem);
	int64_t t = b.now + MS_DAY;
	WRITING(&b) {
		timer_set(tx, "test_note", S("c"), t + 20 * MS_MINUTE, S("c"));
		timer_set(tx, "test_note", S(""), t + 10 * MS_MINUTE, S("a"));
		timer_set(tx, "test_note", S(""), t + 10 * MS_MINUTE, S("b"));
		timer_set(tx, "test_note", S("x"), t + 5 * MS_MINUTE, S("x"));
		timer_set(tx, "test_note", S("y"), t + 5 * MS_MINUTE, S("y"));
	}
	WRITING(&b) {
		timer_set(tx, "test_note", S("d"), t + 20 * MS_MINUTE, S("d"));
		timer_set(tx, "test_note", S("y"), t + 30 * MS_MINUTE, S("z"));
		timer_cancel(tx, "test_note", S("x"));
		timer_cancel(tx, "test_note", S("never set"));
	}
	due_advance(b.s, t + 15 * MS_MINUTE, NULL, NULL);
	CHECK_STR(what_happened(), S("ab"));
	CHECK(clock_now() >= t + 15 * MS_MINUTE && clock_now() < t + 16 * MS_MINUTE);
	due_advance(b.s, t + MS_HOUR, NULL, NULL);
	CHECK_STR(what_happened(), S("abcdz"));
	int64_t minutes[] = { 10, 10, 20, 20, 30 };
	for (int i = 0; i < 5; i++)
		CHECK_I64(happened_at[i], t + minutes[i] * MS_MINUTE);
	CHECK_I64(rows(b.s, "\1T") + rows(b.s, "\1I"), 0);
	bed_close(mem, &b);
}

TEST(due_fires_by_the_real_clock)
{
	bed b = bed_open(mem);
	WRITING(&b) {
		timer_set(tx, "test_note", S(""), b.now + 60, S("b"));
		timer_set(tx, "test_note", S(""), b.now - 60, S("a"));
		task_add(tx, "test_note", S("t"), 0);
		task_add(tx, "test_note", S("u"), b.now + 100);
	}
	wait_for(4);
	CHECK(str_starts(what_happened(), S("a")) && str_ends(what_happened(), S("u")));
	CHECK(clock_now() >= b.now + 100 && clock_now() < b.now + MS_MINUTE);
	/* Earlier than what the thread sleeps for. */
	WRITING(&b) {
		timer_set(tx, "test_note", S(""), b.now + MS_DAY, S("x"));
	}
	clock_sleep_ms(20);
	WRITING(&b) {
		timer_set(tx, "test_note", S(""), clock_now() + 20, S("c"));
	}
	wait_for(5);
	/* The clock is turned by hand. */
	clock_set_offset(MS_DAY);
	due_wake(b.s);
	wait_for(6);
	CHECK(str_ends(what_happened(), S("cx")));
	bed_close(mem, &b);
}

/* Two hundred moments at two-hundredfold speed, with a restart in the middle: each once, in order. */
TEST(due_fires_in_order_while_the_clock_runs_fast)
{
	bed b = bed_open(mem);
	WRITING(&b) {
		for (int i = 1; i <= 200; i++)
			timer_set(tx, "test_count", S(""), b.now + i * MS_SECOND, S(""));
	}
	CHECK_OK(due_speed(b.s, 200));
	while (timers_counted < 20)
		clock_sleep_ms(1);
	bed_stop(&b);
	int64_t before = timers_counted, then = clock_now();
	clock_set_offset(0);
	bed_start(mem, &b);
	CHECK_I64(clock_course_now().speed, 200);
	CHECK(clock_now() >= then);
	while (rows(b.s, "\1T"))
		clock_sleep_ms(1);
	CHECK(before < 200);
	CHECK_I64(last_due, b.now + 200 * MS_SECOND);
	/* It may be turned all the same, and goes on as fast; and back to the speed of real time. */
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK(clock_now() >= b.now + MS_DAY && clock_course_now().speed == 200);
	CHECK_OK(due_speed(b.s, 1));
	then = clock_now();
	clock_sleep_ms(5);
	CHECK(clock_now() - then < MS_SECOND);
	CHECK_I64(timers_counted, 200);
	bed_close(mem, &b);
}

TEST(due_undone_timers_and_tasks_never_were)
{
	bed b = bed_open(mem);
	CHECK_OK(store_write(b.s, fails_run, &b.now));
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_I64(n_happened, 0);
	bed_close(mem, &b);
}

TEST(due_runs_tasks_before_time_goes_on)
{
	bed b = bed_open(mem);
	WRITING(&b) {
		for (int i = 0; i < 10; i++)
			timer_set(tx, "test_add_task", S(""), b.now + MS_HOUR * (i + 1),
			          str_of(&"ABCDEFGHIJ"[i], 1));
		task_add(tx, "test_note", S("2"), b.now + 2 * MS_HOUR + 5000);
	}
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_STR(what_happened(), S("AaBb2CcDdEeFfGgHhIiJj"));
	for (size_t i = 0; i < n_happened; i++)
		if (happened[i] != '2') {
			int64_t want = b.now + MS_HOUR * (1 + (happened[i] | 32) - 'a');
			CHECK(happened_at[i] >= want && happened_at[i] < want + MS_MINUTE);
		}
	CHECK_I64(rows(b.s, "\1K") + rows(b.s, "\1S") + rows(b.s, "\1R"), 0);
	bed_close(mem, &b);
}

TEST(due_retries)
{
	bed b = bed_open(mem);
	WRITING(&b) {
		task_add(tx, "test_retry", S("3"), 0);
	}
	wait_for(1);
	due_advance(b.s, b.now + MS_HOUR + MS_MINUTE, NULL, NULL);
	CHECK_STR(what_happened(), S("12"));
	bed_stop(&b);
	bed_start(mem, &b);
	CHECK(clock_now() >= b.now + MS_HOUR);
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_STR(what_happened(), S("1234"));
	CHECK(happened_at[3] >= happened_at[2] + MS_HOUR);
	bed_close(mem, &b);
}

TEST(due_begins_again_after_a_crash)
{
	bed b = bed_open(mem);
	due_stop(b.s);
	WRITING(&b) {
		/* As a crash in its second attempt leaves it. */
		uint64_t id = task_add(tx, "test_retry", S("2"), 5);
		char key[18];
		task_row t = { .not_before = 5, .attempts = 2, .kind = S("test_retry"), .payload = S("2") };
		task_write(tx, id, &t);
		txn_delete(tx, wait_key(key, 5, id));
		txn_put(tx, task_key(key, 'R', id), S(""));
		timer_set(tx, "test_note", S(""), b.now - MS_DAY, S("x"));
	}
	due_start(b.s, b.workers);
	wait_for(2);
	CHECK_STR(what_happened(), what_happened().p[0] == 'x' ? S("x3") : S("3x"));
	due_stop(b.s);
	CHECK_I64(rows(b.s, "\1R") + rows(b.s, "\1K") + rows(b.s, "\1S"), 0);
	due_start(b.s, b.workers);
	bed_close(mem, &b);
}

static _Atomic int long_began, long_stopped;

TASK(test_long)
{
	long_began++;
	while (!task_should_stop(s))
		clock_sleep_ms(1);
	long_stopped++;
	return clock_now();
}

TEST(due_long_tasks_hear_of_the_stop)
{
	bed b = bed_open(mem);
	long_began = long_stopped = 0;
	WRITING(&b)
		task_add(tx, "test_long", S(""), 0);
	while (!long_began)
		clock_sleep_ms(1);
	bed_stop(&b);
	CHECK_I64(long_stopped, 1);
	bed_start(mem, &b);
	while (long_began < 2)
		clock_sleep_ms(1);
	bed_close(mem, &b);
	CHECK_I64(long_stopped, 2);
}

TEST(due_cancels_tasks)
{
	bed b = bed_open(mem);
	uint64_t first = 0, second = 0;
	WRITING(&b) {
		first = task_add(tx, "test_note", S("a"), b.now + MS_HOUR);
		second = task_add(tx, "test_note", S("b"), b.now + MS_HOUR);
	}
	CHECK(second > first);
	WRITING(&b) {
		task_cancel(tx, first);
		task_cancel(tx, 12345);
	}
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_STR(what_happened(), S("b"));
	bed_close(mem, &b);
}

TEST(due_keeps_unknown_kinds)
{
	bed b = bed_open(mem);
	str kinds;
	WRITING(&b) {
		char key[18];
		char at[POSITION] = { 0 };
		char row[2 + POSITION];
		txn_put(tx, row_key(row, 'T', at, POSITION), S("gone_timer\0\0\1kpayload"));
		txn_put(tx, task_key(key, 'K', 7), S("\200\0\0\0\0\0\0\0\0\0\0\0gone_task\0payload"));
		txn_put(tx, wait_key(key, 0, 7), S(""));
		timer_set(tx, "test_note", S(""), b.now, S("a"));
	}
	due_wake(b.s);
	wait_for(1);
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_I64(due_unknown(b.s, mem, &kinds), 2);
	CHECK_STR(kinds, S("gone_timer, gone_task"));
	bed_stop(&b);
	bed_start(mem, &b);
	CHECK_I64(due_unknown(b.s, mem, &kinds), 2);
	/* Their kinds come back. */
	due_stop(b.s);
	WRITING(&b) {
		char key[18];
		char at[POSITION] = { 0 };
		char row[2 + POSITION];
		txn_put(tx, row_key(row, 'U', at, POSITION), S("test_note\0\0\1kT"));
		txn_put(tx, task_key(key, 'K', 7), S("\200\0\0\0\0\0\0\0\0\0\0\0test_note\0K"));
	}
	due_start(b.s, b.workers);
	wait_for(3);
	CHECK_I64(due_unknown(b.s, mem, &kinds), 0);
	bed_close(mem, &b);
}

TEST(due_many_tasks)
{
	bed b = bed_open(mem);
	enum { N = 3 * TASKS_MAX };
	WRITING(&b) {
		for (int i = 0; i < N; i++)
			task_add(tx, "test_count", S(""), b.now + MS_HOUR);
	}
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_I64(tasks_counted, N);
	CHECK_I64(rows(b.s, "\1"), 2); /* the counter of tasks and the clock */
	bed_close(mem, &b);
}

static void count_progress(void *context, int64_t now)
{
	(void)now;
	++*(int *)context;
}

TEST(due_every_period)
{
	bed b = bed_open(mem);
	int64_t day = b.now / MS_DAY;
	WRITING(&b) {
		timer_every(tx, "test_note", MS_DAY, b.now);
		timer_every(tx, "test_note", MS_DAY, b.now);
		timer_every(tx, "test_note", MS_DAY, (day + 1) * MS_DAY);
	}
	due_advance(b.s, b.now + 3 * MS_DAY, NULL, NULL);
	CHECK_I64(n_happened, 2);
	CHECK_I64(happened_at[0], (day + 1) * MS_DAY);
	CHECK_I64(happened_at[1], (day + 2) * MS_DAY);
	bed_close(mem, &b);
}

TEST(due_month)
{
	bed b = bed_open(mem);
	int steps = 0;
	due_advance(b.s, b.now + 30 * MS_DAY, count_progress, &steps);
	CHECK(clock_now() >= b.now + 30 * MS_DAY && steps == 1);
	WRITING(&b) {
		timer_set(tx, "test_hourly", S("only"), b.now + 30 * MS_DAY + MS_HOUR, S(""));
	}
	due_advance(b.s, b.now + 60 * MS_DAY + 1, NULL, NULL);
	CHECK_I64(timers_counted, 720);
	bed_close(mem, &b);
}

TEST(due_many_timers)
{
	bed b = bed_open(mem);
	enum { N = 20000 };
	for (int k = 0; k < N; k += 1000)
		WRITING(&b) {
			for (int i = k; i < k + 1000; i++)
				timer_set(tx, "test_count", arena_fmt(txn_arena(tx), "%d", i),
				          b.now + MS_HOUR + i * INT64_C(7919) % N * 1000, S(""));
		}
	due_advance(b.s, b.now + MS_DAY, NULL, NULL);
	CHECK_I64(timers_counted, N);
	bed_close(mem, &b);
}
