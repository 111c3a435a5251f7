#include "sys/pool.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define IDLE_S 10
#define HUMBLE 5 /* nice: a third of an ordinary thread's share */
#define SPARE_MAX 256 /* finished job records kept for the next ones */

typedef struct job {
	struct job *next;
	void (*run)(void *);
	void *argument;
} job;

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work, gone;
	job *first, **last, *spare;
	int queued, spares;
	int threads, idle, max;
	pthread_t ended; /* the last thread that went; it waits for the one before it */
	bool has_ended, closing, humble;
};

static void *worker(void *context);

/*
 * Called with the lock held. When the system refuses a thread, the job waits for one of those that
 * exist; there is always at least one.
 */
static bool add_thread(pool *p)
{
	pthread_t t;
	sigset_t all, before;
	sigfillset(&all);
	/* Signals are the main thread's business. */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool made = pthread_create(&t, NULL, worker, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (made)
		p->threads++;
	return made;
}

/* The next job, or NULL when this thread is to end. Called with the lock held. */
static job *next_job(pool *p)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_S;
	while (!p->first) {
		if (p->closing)
			return NULL;
		p->idle++;
		int late = pthread_cond_timedwait(&p->work, &p->lock, &until);
		p->idle--;
		if (late != ETIMEDOUT || p->first)
			continue;
		if (p->threads > 1)
			return NULL;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += 3600;
	}
	job *j = p->first;
	p->first = j->next;
	if (!p->first)
		p->last = &p->first;
	p->queued--;
	return j;
}

static void *worker(void *context)
{
	pool *p = context;
	/* On Linux 0 is the calling thread. */
	if (p->humble)
		setpriority(PRIO_PROCESS, 0, HUMBLE);
	pthread_mutex_lock(&p->lock);
	for (job *j; (j = next_job(p)) != NULL;) {
		job now = *j;
		if (p->spares < SPARE_MAX) {
			j->next = p->spare;
			p->spare = j;
			p->spares++;
		} else {
			free(j);
		}
		pthread_mutex_unlock(&p->lock);
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
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, &monotonic);
	pthread_cond_init(&p->gone, NULL);
	pthread_condattr_destroy(&monotonic);
	p->last = &p->first;
	p->max = max_threads;
	p->humble = humble;
	pthread_mutex_lock(&p->lock);
	ensure(add_thread(p));
	pthread_mutex_unlock(&p->lock);
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

void pool_run(pool *p, void (*run)(void *), void *argument)
{
	pthread_mutex_lock(&p->lock);
	job *j = p->spare;
	if (j) {
		p->spare = j->next;
		p->spares--;
	} else {
		j = malloc(sizeof *j);
		ensure(j != NULL);
	}
	*j = (job){ .run = run, .argument = argument };
	*p->last = j;
	p->last = &j->next;
	p->queued++;
	if (p->queued > p->idle && p->threads < p->max)
		add_thread(p);
	bool wake = p->idle > 0;
	pthread_mutex_unlock(&p->lock);
	if (wake)
		pthread_cond_signal(&p->work);
}

void pool_close(pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->work);
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
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->gone);
	free(p);
}
