#include "sys/clock.h"
#include "sys/loop.h"
#include "test/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static void *run(void *l)
{
	loop_run(l);
	return NULL;
}

typedef struct posted {
	loop_task task;
	int thread, number;
} posted;
static int last_of[4], out_of_order, seen;

static void see(loop_task *t)
{
	posted *p = LOOP_OWNER(t, posted, task);
	if (p->number != last_of[p->thread] + 1)
		out_of_order++;
	last_of[p->thread] = p->number;
	seen++;
	free(p);
}

static loop *target;
static void *post_many(void *thread)
{
	for (int i = 1; i <= 5000; i++) {
		posted *p = calloc(1, sizeof *p);
		ensure(p != NULL);
		*p = (posted){ .task.run = see, .thread = (int)(intptr_t)thread, .number = i };
		ensure(loop_post(target, &p->task));
		if (i % 1000 == 0)
			clock_sleep_ms(1);
	}
	return NULL;
}

TEST(loop_runs_what_other_threads_post_in_order)
{
	pthread_t runner, posters[4];
	target = loop_open();
	CHECK(target != NULL);
	seen = out_of_order = 0;
	memset(last_of, 0, sizeof last_of);
	pthread_create(&runner, NULL, run, target);
	for (int i = 0; i < 4; i++)
		pthread_create(&posters[i], NULL, post_many, (void *)(intptr_t)i);
	for (int i = 0; i < 4; i++)
		pthread_join(posters[i], NULL);
	loop_stop(target);
	pthread_join(runner, NULL);
	CHECK_I64(seen, 20000);
	CHECK_I64(out_of_order, 0);
	posted late = { .task.run = see };
	CHECK(!loop_post(target, &late.task));
	loop_close(target);
}

typedef struct alarm {
	loop_timer timer;
	int64_t fired;
} alarm_clock;
static alarm_clock alarms[5];
static int fires;

static void fire(loop_timer *t)
{
	alarm_clock *a = LOOP_OWNER(t, alarm_clock, timer);
	a->fired = clock_mono_us() / 1000;
	if (++fires == 3)
		loop_stop(loop_current());
	/* A timer may touch the others, also those of its own slot. */
	if (a == &alarms[0])
		loop_timer_clear(loop_current(), &alarms[3].timer);
}

TEST(loop_timers)
{
	loop *l = loop_open();
	int64_t now = loop_now_ms(l);
	fires = 0;
	memset(alarms, 0, sizeof alarms);
	for (int i = 0; i < 5; i++)
		alarms[i].timer.fire = fire;
	loop_timer_set(l, &alarms[0].timer, now + 100);
	loop_timer_set(l, &alarms[1].timer, now + 50);
	loop_timer_set(l, &alarms[1].timer, now + 300);  /* further */
	loop_timer_set(l, &alarms[2].timer, now + 900000);
	loop_timer_set(l, &alarms[2].timer, now + 200);  /* nearer */
	loop_timer_set(l, &alarms[3].timer, now + 400);  /* cleared by the first */
	loop_timer_set(l, &alarms[4].timer, now + 20);
	loop_timer_clear(l, &alarms[4].timer);
	loop_timer_clear(l, &alarms[4].timer);
	loop_run(l);
	int64_t due[3] = { 100, 300, 200 };
	for (int i = 0; i < 3; i++) {
		CHECK(alarms[i].fired >= now + due[i]);
		CHECK(alarms[i].fired < now + due[i] + 2000);
	}
	CHECK(alarms[3].fired == 0 && alarms[4].fired == 0);
	CHECK(alarms[2].fired <= alarms[1].fired);
	loop_close(l);
}

typedef struct pipe_end {
	loop_io io;
	loop_task end;
	int reads;
} pipe_end;

static void ended(loop_task *t)
{
	pipe_end *p = LOOP_OWNER(t, pipe_end, end);
	ensure(p->io.fd == -1);
	loop_stop(loop_current());
}

static void readable(loop_io *io, uint32_t events)
{
	pipe_end *p = LOOP_OWNER(io, pipe_end, io);
	ensure(events & (EPOLLIN | EPOLLHUP));
	char c;
	ssize_t n = read(io->fd, &c, 1);
	p->reads += n == 1;
	int fd = io->fd;
	loop_remove(loop_current(), io);
	close(fd);
	p->end.run = ended;
	loop_later(loop_current(), &p->end);
}

TEST(loop_descriptors)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	loop *l = loop_open();
	pipe_end p = { .io = { .fd = ends[0], .ready = readable } };
	CHECK(loop_add(l, &p.io, EPOLLIN | EPOLLET));
	CHECK(write(ends[1], "x", 1) == 1);
	loop_run(l);
	CHECK_I64(p.reads, 1);
	close(ends[1]);
	loop_close(l);
}

/* A hundred with much to do, all of whom come again and again, and then something new. */
enum { BUSY = 100 };
typedef struct busy {
	loop_task task;
	int turns;
} busy;
static busy crowd[BUSY];
static loop_task news;
static int turns_before_news, turns_in_all;

static void hear(loop_task *t)
{
	(void)t;
	turns_before_news = turns_in_all;
}

static void toil(loop_task *t)
{
	busy *b = LOOP_OWNER(t, busy, task);
	if (turns_in_all++ == 0)
		loop_post(loop_current(), &news);
	if (++b->turns < 3)
		loop_later(loop_current(), t);
	else if (turns_in_all == 3 * BUSY)
		loop_stop(loop_current());
}

static void gather(loop_task *t)
{
	(void)t;
	for (int i = 0; i < BUSY; i++) {
		crowd[i] = (busy){ .task.run = toil };
		loop_later(loop_current(), &crowd[i].task);
	}
}

TEST(loop_news_need_not_wait_for_the_crowd)
{
	loop *l = loop_open();
	loop_task first = { .run = gather };
	news.run = hear;
	turns_in_all = turns_before_news = 0;
	CHECK(loop_post(l, &first));
	loop_run(l);
	CHECK_I64(turns_in_all, 3 * BUSY);
	CHECK(turns_before_news > 0 && turns_before_news < BUSY / 2);
	for (int i = 0; i < BUSY; i++)
		CHECK_I64(crowd[i].turns, 3);
	loop_close(l);
}
