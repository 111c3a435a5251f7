#include "cloud/later.h"
#include "sys/clock.h"
#include <pthread.h>

#define WAITING_MAX ((size_t)64 << 20)
#define ARENA_BYTES ((size_t)1 << 16)

/* One arena fills while the other is written. */
struct later {
	arena *home; /* holds this, from open to close */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	store *store;
	void (*write)(txn *, const later_item *);
	int wait_ms;
	arena *filling;
	later_item *first, **last;
	size_t bytes;
	uint64_t said, written, dropped;
	bool stop;
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
	pthread_mutex_unlock(&l->lock);
	while (store_write(l->store, write_round, &r))
		clock_sleep_ms(l->wait_ms);
	arena_close(full);
	pthread_mutex_lock(&l->lock);
	l->written = upto;
	pthread_cond_broadcast(&l->changed);
}

static void *writer(void *argument)
{
	later *l = argument;
	pthread_mutex_lock(&l->lock);
	while (!l->stop || l->first) {
		if (l->first)
			write_out(l);
		if (l->stop)
			continue;
		pthread_mutex_unlock(&l->lock);
		clock_sleep_ms(l->wait_ms);
		pthread_mutex_lock(&l->lock);
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
	while (l->written < upto)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

void later_close(later *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
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
