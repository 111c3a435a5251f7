#include "cloud/later.h"
#include "sys/clock.h"
#include <pthread.h>
#include <time.h>

#define WAITING_MAX ((size_t)64 << 20)
#define ARENA_BYTES ((size_t)1 << 16)

/* One arena fills while the other is written. */
struct later {
	arena *home; /* holds this, from open to close */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something is written */
	pthread_cond_t hurry;   /* somebody waits for that, or it ends */
	pthread_t thread;
	store *store;
	void (*write)(txn *, const later_item *);
	int wait_ms;
	arena *filling;
	later_item *first, **last;
	size_t bytes;
	uint64_t said, written, dropped;
	bool stop, hurried;
};

arena *later_begin(later *l)
{
	pthread_mutex_lock(&l->lock);
	if (l->bytes <= WAITING_MAX)
		return l->filling;
	l->dropped++;
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

void later_end(later *l, later_item *item, size_t bytes)
{
	item->next = NULL;
	*l->last = item;
	l->last = &item->next;
	l->bytes += bytes;
	l->said++;
	pthread_mutex_unlock(&l->lock);
}

typedef struct round {
	later *l;
	const later_item *items;
} round;

static bool write_round(void *context, txn *tx)
{
	round *r = context;
	r->l->write(tx, r->items);
	return true;
}

/* Holds the lock, and lets go of it while it writes. */
static void write_out(later *l)
{
	arena *full = l->filling;
	round r = { l, l->first };
	uint64_t upto = l->said;
	l->filling = arena_open(ARENA_BYTES);
	l->first = NULL;
	l->last = &l->first;
	l->bytes = 0;
	l->hurried = false;
	pthread_mutex_unlock(&l->lock);
	while (store_write(l->store, write_round, &r))
		clock_sleep_ms(l->wait_ms);
	arena_close(full);
	pthread_mutex_lock(&l->lock);
	l->written = upto;
	pthread_cond_broadcast(&l->changed);
}

/* For a while, unless somebody waits. With the lock. */
static void gather(later *l)
{
	int64_t until = clock_mono_us() + (int64_t)l->wait_ms * 1000;
	struct timespec at = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };
	int late = 0;
	/* Whoever hurried while the last of it was written has what it wanted. */
	if (!l->first)
		l->hurried = false;
	while (!l->stop && !l->hurried && !late)
		late = pthread_cond_clockwait(&l->hurry, &l->lock, CLOCK_MONOTONIC, &at);
}

static void *writer(void *argument)
{
	later *l = argument;
	pthread_mutex_lock(&l->lock);
	while (!l->stop || l->first) {
		if (l->first)
			write_out(l);
		gather(l);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

later *later_open(store *s, int wait_ms, void (*write)(txn *tx, const later_item *items))
{
	arena *home = arena_open(sizeof(later) + 64);
	later *l = arena_new(home, later);
	l->home = home;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	pthread_cond_init(&l->hurry, NULL);
	l->store = s;
	l->write = write;
	l->wait_ms = wait_ms;
	l->filling = arena_open(ARENA_BYTES);
	l->last = &l->first;
	ensure(pthread_create(&l->thread, NULL, writer, l) == 0);
	return l;
}

void later_flush(later *l)
{
	pthread_mutex_lock(&l->lock);
	uint64_t upto = l->said;
	while (l->written < upto) {
		l->hurried = true;
		pthread_cond_signal(&l->hurry);
		pthread_cond_wait(&l->changed, &l->lock);
	}
	pthread_mutex_unlock(&l->lock);
}

void later_close(later *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->hurry);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	arena_close(l->filling);
	arena_close(l->home);
}

uint64_t later_dropped(later *l)
{
	pthread_mutex_lock(&l->lock);
	uint64_t n = l->dropped;
	pthread_mutex_unlock(&l->lock);
	return n;
}
