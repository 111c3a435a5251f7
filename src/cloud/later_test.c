#include "cloud/later.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define AN_HOUR_MS 3600000

typedef struct word {
	later_item item; /* first */
	int n;
} word;

static atomic_int sum, rounds;

static void write_words(txn *tx, const later_item *items)
{
	(void)tx;
	rounds++;
	for (; items; items = items->next)
		sum += ((const word *)items)->n;
}

static void say(later *l, int n)
{
	arena *a = later_begin(l);
	CHECK(a != NULL);
	word *w = arena_new(a, word);
	w->n = n;
	later_end(l, &w->item, sizeof *w);
}

static void *talker(void *argument)
{
	for (int i = 0; i < 200; i++) {
		say(argument, 1);
		later_flush(argument);
	}
	return NULL;
}

/* Whoever waits for what was said does not wait for the end of the gathering. */
TEST(later_hurries)
{
	store *s;
	str folder = arena_fmt(mem, "/tmp/farthing-later-test-%d", (int)getpid());
	CHECK(!store_open(mem, &(store_options){ .path = folder }, &s));
	sum = 0;
	later *l = later_open(s, AN_HOUR_MS, write_words);
	for (int i = 1; i <= 100; i++) {
		say(l, i);
		later_flush(l);
		CHECK_I64(sum, i * (i + 1) / 2);
	}
	later_flush(l);
	/* Some come while what others said is being written. */
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		ensure(pthread_create(&threads[i], NULL, talker, l) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_I64(sum, 5850);
	say(l, 1000);
	later_close(l);
	CHECK_I64(sum, 6850);
	store_close(s);
	CHECK(!dir_remove(mem, folder));
}

static bool look(void *context, txn *tx)
{
	(void)tx;
	*(int *)context = sum;
	return true;
}

/* What is written after later_send finds what was said before it. */
TEST(later_sends_before)
{
	store *s;
	str folder = arena_fmt(mem, "/tmp/farthing-later-test-send-%d", (int)getpid());
	CHECK(!store_open(mem, &(store_options){ .path = folder }, &s));
	sum = 0;
	later *l = later_open(s, AN_HOUR_MS, write_words);
	for (int i = 1; i <= 1000; i++) {
		int seen = 0;
		say(l, 1);
		later_send(l);
		CHECK(!store_write(s, look, &seen));
		CHECK_I64(seen, i);
	}
	say(l, 1);
	later_close(l);
	CHECK_I64(sum, 1001);
	store_close(s);
	CHECK(!dir_remove(mem, folder));
}

static atomic_bool held, let_go;

static bool hold(void *context, txn *tx)
{
	(void)context;
	(void)tx;
	held = true;
	while (!let_go)
		clock_sleep_ms(1);
	return true;
}

static void *holder(void *argument)
{
	CHECK(!store_write(argument, hold, NULL));
	return NULL;
}

/* However long the disk takes, what waits for it is one round, and another for what comes meanwhile. */
TEST(later_gathers_for_a_slow_disk)
{
	store *s;
	pthread_t thread;
	str folder = arena_fmt(mem, "/tmp/farthing-later-test-slow-%d", (int)getpid());
	CHECK(!store_open(mem, &(store_options){ .path = folder }, &s));
	ensure(pthread_create(&thread, NULL, holder, s) == 0);
	while (!held)
		clock_sleep_ms(1);
	sum = rounds = 0;
	later *l = later_open(s, 1, write_words);
	for (int i = 0; i < 50; i++) {
		say(l, 1);
		clock_sleep_ms(2);
	}
	let_go = true;
	later_close(l);
	pthread_join(thread, NULL);
	CHECK_I64(sum, 50);
	CHECK(rounds <= 2);
	store_close(s);
	CHECK(!dir_remove(mem, folder));
}
