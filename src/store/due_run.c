#include "store/due_inside.h"
#include "base/time.h"
#include "sys/clock.h"
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* Timers fired in one transaction: few enough that requests between them do not wait long. */
#define FIRE_MAX 1024
#define FIRE_US 5000
/* After a commit that failed (a full disk). */
#define RETRY_MS 1000

static void clock_keep(txn *tx)
{
	clock_course c = clock_course_now();
	char bytes[24];
	moment_put(bytes, c.real);
	moment_put(bytes + 8, c.farthing);
	moment_put(bytes + 16, c.speed);
	txn_put(tx, S("\1C"), str_of(bytes, sizeof(bytes)));
}

/* Farthing's clock never goes back. At the speed of real time it stays as far ahead of it as it is, also
 * when the machine's clock is set; a faster one runs from here. */
static void clock_go_on(int64_t from, int64_t speed)
{
	int64_t real = clock_real();
	if (speed == 1)
		clock_set_offset(from - real);
	else
		clock_set_course((clock_course){ .real = real, .farthing = from, .speed = speed });
}

static void clock_turn(int64_t to)
{
	if (to > clock_now())
		clock_go_on(to, clock_course_now().speed);
}

static bool fire_enough(size_t fired, int64_t began_us)
{
	return fired == FIRE_MAX || clock_mono_us() - began_us > FIRE_US;
}

/* Everything that is due by the clock, which goes on by itself. */
static bool fire_run(void *context, txn *tx)
{
	(void)context;
	int64_t began_us = clock_mono_us();
	for (size_t n = 0; !fire_enough(n, began_us) && timer_first(tx) <= clock_now(); n++)
		timer_fire(tx);
	return true;
}

typedef struct leap {
	int64_t to;
	bool arrived;
} leap;

/* Turns the clock to the next moment and fires what is due then; goes on to the one after it as
 * long as no task waits, which has to run before time goes on. */
static bool leap_run(void *context, txn *tx)
{
	leap *l = context;
	int64_t began_us = clock_mono_us();
	l->arrived = false;
	for (size_t n = 0; !fire_enough(n, began_us) && !tx->fault; n++) {
		int64_t timer = timer_first(tx), task = task_first(tx);
		int64_t next = timer < task ? timer : task;
		if (task <= clock_now())
			break;
		clock_turn(next < l->to ? next : l->to);
		l->arrived = next > l->to;
		if (l->arrived)
			break;
		if (timer > task)
			break;
		timer_fire(tx);
	}
	clock_keep(tx);
	return true;
}

/* Hands to the pool what is due; the earliest moment of what is not. */
static int64_t tasks_hand(due_work *d)
{
	int64_t now = clock_now(), next = INT64_MAX;
	const txn *tx = store_read(d->s);
	cursor c = txn_scan(tx, S("\1S"), S("\1T"), false);
	while (next == INT64_MAX && cursor_next(&c)) {
		int64_t moment = moment_get(c.key.p + 2);
		if (moment > now)
			next = moment;
		else if (!task_hand(d, be64_get(c.key.p + 10)))
			break; /* the end of one wakes us */
	}
	store_read_end(d->s, tx);
	return next;
}

/* Does what is due and tells when there is more to do. */
static int64_t step(due_work *d)
{
	int64_t first, now;
	for (;;) {
		const txn *tx = store_read(d->s);
		first = timer_first(tx);
		store_read_end(d->s, tx);
		now = clock_now();
		if (first > now || due_stopping(d))
			break;
		if (store_write(d->s, fire_run, NULL)) {
			first = now + RETRY_MS;
			break;
		}
		/* What these have added is due before the next of them. */
		tasks_hand(d);
	}
	int64_t task = tasks_hand(d);
	return first < task ? first : task;
}

/* Until something is committed that comes earlier, a task ends, or the clock says `moment`. With
 * the lock. */
static void doze(due_work *d, int64_t moment)
{
	d->planned = moment;
	int64_t now = clock_now();
	if (moment == INT64_MAX) {
		pthread_cond_wait(&d->wake, &d->lock);
	} else if (moment > now) {
		/* By the wall clock, as the moment is: it may be set meanwhile. */
		int64_t left = (moment - now - 1) / clock_course_now().speed + 1;
		int64_t real = clock_real() + (left < MS_DAY ? left : MS_DAY);
		struct timespec until = { .tv_sec = real / 1000, .tv_nsec = real % 1000 * 1000000 };
		pthread_cond_timedwait(&d->wake, &d->lock, &until);
	}
	d->planned = INT64_MAX;
}

/* One look at what is due, with the lock released meanwhile. */
static int64_t look_once(due_work *d)
{
	d->kicked = false;
	d->planned = INT64_MAX;
	pthread_mutex_unlock(&d->lock);
	int64_t next = step(d);
	pthread_mutex_lock(&d->lock);
	return next;
}

static void *due_main(void *context)
{
	due_work *d = context;
	pthread_setname_np(pthread_self(), "store-due");
	pthread_mutex_lock(&d->lock);
	while (!d->stopping) {
		if (d->advancing) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		d->stepping = true;
		int64_t next = look_once(d);
		d->stepping = false;
		pthread_cond_broadcast(&d->rest);
		if (!d->kicked && !d->stopping && !d->advancing)
			doze(d, next);
	}
	pthread_mutex_unlock(&d->lock);
	return NULL;
}

/* The clock is ours: the thread rests. */
static void advance_begin(due_work *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->advancing)
		pthread_cond_wait(&d->rest, &d->lock);
	d->advancing = true;
	pthread_cond_broadcast(&d->wake);
	while (d->stepping)
		pthread_cond_wait(&d->rest, &d->lock);
}

static void advance_end(due_work *d)
{
	d->advancing = false;
	d->kicked = true;
	pthread_cond_broadcast(&d->wake);
	pthread_cond_broadcast(&d->rest);
	pthread_mutex_unlock(&d->lock);
}

void due_advance(store *s, int64_t to, void (*progress)(void *context, int64_t now), void *context)
{
	due_work *d = s->due;
	leap l = { .to = to };
	err e = OK;
	advance_begin(d);
	while (!e && !l.arrived && !d->stopping) {
		int64_t next = look_once(d);
		if (d->n_tasks) {
			/* While they run time passes as it does, and what falls due by that happens. */
			if (!d->kicked)
				doze(d, next);
			continue;
		}
		if (d->kicked)
			continue;
		pthread_mutex_unlock(&d->lock);
		e = store_write(s, leap_run, &l);
		if (!e && progress)
			progress(context, clock_now());
		pthread_mutex_lock(&d->lock);
	}
	advance_end(d);
}

static bool speed_run(void *context, txn *tx)
{
	clock_go_on(clock_now(), *(const int64_t *)context);
	clock_keep(tx);
	return true;
}

err due_speed(store *s, int64_t speed)
{
	ensure(speed >= 1 && speed <= CLOCK_SPEED_MAX);
	err e = store_write(s, speed_run, &speed);
	due_wake(s);
	return e;
}

void due_restore_clock(store *s)
{
	const txn *tx = store_read(s);
	str kept = txn_get(tx, S("\1C"));
	if (kept.n == 24)
		clock_set_course((clock_course){ .real = moment_get(kept.p), .farthing = moment_get(kept.p + 8),
		                                 .speed = moment_get(kept.p + 16) });
	store_read_end(s, tx);
}

static bool recover_run(void *context, txn *tx)
{
	tx->s->due = context;
	due_recover(tx);
	return true;
}

void due_start(store *s, struct pool *workers)
{
	ensure(!s->due);
	due_work *d = calloc(1, sizeof(due_work));
	ensure(d != NULL);
	*d = (due_work){ .s = s, .workers = workers, .planned = INT64_MAX, .earliest = INT64_MAX };
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	pthread_cond_init(&d->rest, NULL);
	due_restore_clock(s);
	while (store_write(s, recover_run, d))
		clock_sleep_ms(RETRY_MS);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	ensure(pthread_create(&d->thread, NULL, due_main, d) == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool task_should_stop(store *s)
{
	return s->due && due_stopping(s->due);
}

static bool forget_run(void *context, txn *tx)
{
	(void)context;
	tx->s->due = NULL;
	return true;
}

void due_stop(store *s)
{
	due_work *d = s->due;
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->stopping = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	pthread_mutex_lock(&d->lock);
	while (d->n_tasks || d->advancing)
		pthread_cond_wait(&d->rest, &d->lock);
	pthread_mutex_unlock(&d->lock);
	/* By the writer, whose transactions announce timers to it. */
	store_write(s, forget_run, NULL);
	s->due = NULL;
	free(d);
}

void due_wake(store *s)
{
	due_work *d = s->due;
	pthread_mutex_lock(&d->lock);
	d->kicked = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}
