#include "sys/pool.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define IDLE_S 10
#define LAST_IDLE_S 3600 /* of a thread that is alone */
#define HUMBLE 5 /* nicer than the process: a third of an ordinary thread's share */
#define SPARE_MAX 256 /* finished job records kept for the next ones */

typedef struct job {
	struct job *next;
	void (*run)(void *);
	void *argument;
} job;

/* A thread without work, on its own stack; LIFO, so that those at the bottom may end. */
typedef struct sleeper {
	struct sleeper *next;
	sem_t wake;
	bool chosen;  /* off the list: `given` is there, and `wake` about to be */
	job given;    /* without `run`: to end */
} sleeper;

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t gone;
	sleeper *asleep;
	job *first, **last, *spare; /* what waits, while nobody sleeps */
	int spares;
	int threads, max;
	pthread_t ended; /* the last thread that went; it waits for the one before it */
	bool has_ended, closing, humble;
};

static void *worker(void *context);

/* Counted already. */
static bool start_thread(pool *p)
{
	pthread_t t;
	sigset_t all, before;
	sigfillset(&all);
	/* Signals are the main thread's business. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool made = pthread_create(&t, NULL, worker, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return made;
}

static bool woken(sleeper *me, int seconds)
{
	/* A clock that is set only ends idle threads sooner or later. */
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	int e;
	while ((e = sem_timedwait(&me->wake, &until)) < 0 && errno == EINTR)
		;
	return e == 0;
}

static void unlink_sleeper(pool *p, const sleeper *me)
{
	sleeper **at = &p->asleep;
	while (*at != me)
		at = &(*at)->next;
	*at = me->next;
}

/*
 * Each sleeper has a semaphore: posting it never makes the waker wait, whereas who signals a condition may
 * have to wait for those that were woken before, and these for their turn on a busy processor.
 *
 * Called with the lock held. true: a job, and the lock is free; false: the thread is to end.
 */
static bool sleep_for_job(pool *p, job *out)
{
	sleeper me = { .next = p->asleep };
	ensure(sem_init(&me.wake, 0, 0) == 0);
	p->asleep = &me;
	for (int seconds = IDLE_S;; seconds = LAST_IDLE_S) {
		pthread_mutex_unlock(&p->lock);
		bool is_woken = woken(&me, seconds);
		if (is_woken && me.given.run) {
			*out = me.given;
			sem_destroy(&me.wake);
			return true;
		}
		pthread_mutex_lock(&p->lock);
		if (is_woken)
			break;
		/* One stays. Who has been chosen meanwhile is woken any moment. */
		if (!me.chosen && p->threads > 1) {
			unlink_sleeper(p, &me);
			break;
		}
	}
	sem_destroy(&me.wake);
	return false;
}

/* As sleep_for_job. */
static bool next_job(pool *p, job *out)
{
	job *j = p->first;
	if (!j)
		return !p->closing && sleep_for_job(p, out);
	*out = *j;
	p->first = j->next;
	if (!p->first)
		p->last = &p->first;
	bool keep = p->spares < SPARE_MAX;
	if (keep) {
		j->next = p->spare;
		p->spare = j;
		p->spares++;
	}
	pthread_mutex_unlock(&p->lock);
	if (!keep)
		free(j);
	return true;
}

static void *worker(void *context)
{
	pool *p = context;
	/* On Linux 0 is the calling thread. */
	if (p->humble)
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + HUMBLE);
	pthread_mutex_lock(&p->lock);
	for (job now; next_job(p, &now);) {
		now.run(now.argument);
		pthread_mutex_lock(&p->lock);
	}
	pthread_t before = p->ended;
	bool has_before = p->has_ended;
	p->ended = pthread_self();
	p->has_ended = true;
	p->threads--;
	pthread_cond_signal(&p->gone);
	pthread_mutex_unlock(&p->lock);
	if (has_before)
		pthread_join(before, NULL);
	return NULL;
}

static pool *open_pool(int max_threads, bool humble)
{
	ensure(max_threads > 0);
	pool *p = calloc(1, sizeof *p);
	ensure(p != NULL);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->gone, NULL);
	p->last = &p->first;
	p->max = max_threads;
	p->humble = humble;
	p->threads = 1;
	ensure(start_thread(p));
	return p;
}

pool *pool_open(int max_threads)
{
	return open_pool(max_threads, false);
}

pool *pool_open_humble(int max_threads)
{
	return open_pool(max_threads, true);
}

/* Called with the lock held; lets it go. */
static void give(pool *p, job given)
{
	sleeper *to = p->asleep;
	p->asleep = to->next;
	to->chosen = true;
	to->given = given;
	pthread_mutex_unlock(&p->lock);
	sem_post(&to->wake);
}

static void queue(pool *p, job given)
{
	job *j = p->spare;
	if (j) {
		p->spare = j->next;
		p->spares--;
	} else {
		j = malloc(sizeof *j);
		ensure(j != NULL);
	}
	*j = given;
	*p->last = j;
	p->last = &j->next;
}

void pool_run(pool *p, void (*run)(void *), void *argument)
{
	job given = { .run = run, .argument = argument };
	pthread_mutex_lock(&p->lock);
	if (p->asleep) {
		give(p, given);
		return;
	}
	queue(p, given);
	bool more = p->threads < p->max;
	p->threads += more;
	pthread_mutex_unlock(&p->lock);
	if (!more || start_thread(p))
		return;
	/* Refused by the system: the job waits for one of those that exist. There is always at least one. */
	pthread_mutex_lock(&p->lock);
	p->threads--;
	pthread_cond_signal(&p->gone);
	pthread_mutex_unlock(&p->lock);
}

void pool_close(pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	while (p->asleep) {
		give(p, (job){ .run = NULL });
		pthread_mutex_lock(&p->lock);
	}
	while (p->threads)
		pthread_cond_wait(&p->gone, &p->lock);
	pthread_mutex_unlock(&p->lock);
	/* Until the last has really gone: libraries clean up after their threads, and not at exit. */
	if (p->has_ended)
		pthread_join(p->ended, NULL);
	for (job *j = p->spare; j;) {
		job *next = j->next;
		free(j);
		j = next;
	}
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->gone);
	free(p);
}
