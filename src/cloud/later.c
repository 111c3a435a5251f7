#include "cloud/later.h"
#include "sys/clock.h"
#include <pthread.h>
#include <time.h>

#define WAITING_MAX ((size_t)64 << 20)
#define ARENA_BYTES ((size_t)1 << 16)

/* What is on its way to the disk: one transaction. Lives in the arena that holds its items. */
typedef struct round {
	store_job job;
	struct round *next;
	later *l;
	arena *mem;
	const later_item *items;
	size_t bytes;
	uint64_t upto;
	enum { FLYING, LANDED, REFUSED } state;
} round;

struct later {
	arena *home; /* holds this, from open to close */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something is written, or refused */
	pthread_cond_t ends;
	pthread_t thread;
	store *store;
	void (*write)(txn *, const later_item *);
	int wait_ms;
	arena *filling;
	later_item *first, **last;
	round *oldest, **newest; /* rounds, in the order in which they left */
	size_t filled, bytes;    /* of those items that fill, and of all that are not on disk */
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
	l->filled += bytes;
	l->said++;
	pthread_mutex_unlock(&l->lock);
}

static bool write_round(store_job *job, txn *tx)
{
	round *r = (round *)job;
	r->l->write(tx, r->items);
	return true;
}

/* On the writer thread. What the disk refused waits for another try, what came behind it has no need to. */
static void round_done(store_job *job, err commit)
{
	round *r = (round *)job;
	later *l = r->l;
	pthread_mutex_lock(&l->lock);
	r->state = commit ? REFUSED : LANDED;
	while ((r = l->oldest) && r->state == LANDED) {
		l->written = r->upto;
		l->bytes -= r->bytes;
		l->oldest = r->next;
		if (!l->oldest)
			l->newest = &l->oldest;
		arena_close(r->mem);
	}
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

/* With the lock. Whatever anyone hands to the store after this comes after it. */
static void send_off(later *l)
{
	if (!l->first)
		return;
	round *r = arena_new(l->filling, round);
	*r = (round){ .job = { .run = write_round, .done = round_done },
		          .l = l,
		          .mem = l->filling,
		          .items = l->first,
		          .bytes = l->filled,
		          .upto = l->said };
	*l->newest = r;
	l->newest = &r->next;
	l->filling = arena_open(ARENA_BYTES);
	l->first = NULL;
	l->last = &l->first;
	l->filled = 0;
	store_submit(l->store, &r->job);
}

/* With the lock. */
static void send_again(later *l)
{
	for (round *r = l->oldest; r; r = r->next)
		if (r->state == REFUSED) {
			r->state = FLYING;
			store_submit(l->store, &r->job);
		}
}

static bool any_refused(const later *l)
{
	for (const round *r = l->oldest; r; r = r->next)
		if (r->state == REFUSED)
			return true;
	return false;
}

/* With the lock. At the end only for the disk: until it has all, or before it is asked again. */
static void gather(later *l)
{
	int64_t until = clock_mono_us() + (int64_t)l->wait_ms * 1000;
	struct timespec at = { .tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000 };
	int late = 0;
	while (!l->stop && !late)
		late = pthread_cond_clockwait(&l->ends, &l->lock, CLOCK_MONOTONIC, &at);
	while (l->stop && l->oldest && !late)
		late = any_refused(l) ? pthread_cond_clockwait(&l->changed, &l->lock, CLOCK_MONOTONIC, &at)
		                      : pthread_cond_wait(&l->changed, &l->lock);
}

static void *writer(void *argument)
{
	later *l = argument;
	pthread_mutex_lock(&l->lock);
	while (!l->stop || l->first || l->oldest) {
		send_again(l);
		/* What a slow or full disk keeps waiting shall be one round, not one for every moment. */
		if (!l->oldest)
			send_off(l);
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
	pthread_cond_init(&l->ends, NULL);
	l->store = s;
	l->write = write;
	l->wait_ms = wait_ms;
	l->filling = arena_open(ARENA_BYTES);
	l->last = &l->first;
	l->newest = &l->oldest;
	ensure(pthread_create(&l->thread, NULL, writer, l) == 0);
	return l;
}

void later_flush(later *l)
{
	pthread_mutex_lock(&l->lock);
	uint64_t upto = l->said;
	send_off(l);
	while (l->written < upto)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

void later_send(later *l)
{
	pthread_mutex_lock(&l->lock);
	send_off(l);
	pthread_mutex_unlock(&l->lock);
}

void later_close(later *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->ends);
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
