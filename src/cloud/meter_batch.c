/*
 * Usage that no transaction carries: summed in memory under the key it will have in the store, and written by
 * a thread of its own at most 100 ms after it was handed over. Two batches take turns: one is filled while
 * the other is being written. A batch that the disk refuses is tried again until it is accepted.
 */
#include "cloud/meter_rows.h"
#include "base/map.h"
#include "sys/clock.h"
#include <errno.h>
#include <pthread.h>
#include <time.h>

#define FLUSH_US 100000
#define LINES_MAX ((size_t)1 << 18)
#define BATCH_BYTES ((size_t)1 << 16)

typedef struct line {
	str key;
	qty quantity;
	struct line *next;
} line;

typedef struct batch {
	arena *mem;
	map lines;
	line *first;
} batch;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t work, written;
	pthread_t thread;
	store *store;
	batch filling, writing;
	uint64_t handed, on_disk; /* counts of usage_later calls */
	uint64_t lost;
	bool running, stopping, hurry;
	err failed;
} batcher = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void batch_clear(batch *b)
{
	if (!b->mem)
		b->mem = arena_open(BATCH_BYTES);
	else
		arena_reset(b->mem);
	b->lines = map_in(b->mem, 256);
	b->first = NULL;
}

static void batch_add(batch *b, str key, qty q)
{
	line *l = map_get(&b->lines, key);
	if (l) {
		if (__builtin_add_overflow(l->quantity, q, &l->quantity))
			l->quantity = INT64_MAX;
		return;
	}
	if (b->lines.n >= LINES_MAX) {
		batcher.lost++;
		return;
	}
	l = arena_new(b->mem, line);
	*l = (line){ arena_str(b->mem, key), q, b->first };
	b->first = l;
	map_put(&b->lines, l->key, l);
}

void usage_later(str account, str region, int64_t when, const meter_kind *kind, str resource, qty q)
{
	char space[METER_KEY_MAX];
	if (q <= 0)
		return;
	str key = usage_key(space, account, meter_hour(when), region, str_c(kind->name), resource);
	pthread_mutex_lock(&batcher.lock);
	ensure(batcher.running);
	bool first = !batcher.filling.first;
	batch_add(&batcher.filling, key, q);
	batcher.handed++;
	if (first)
		pthread_cond_signal(&batcher.work);
	pthread_mutex_unlock(&batcher.lock);
}

static bool write_batch(void *context, txn *tx)
{
	const batch *b = context;
	for (const line *l = b->first; l; l = l->next)
		usage_row_add(tx, l->key, l->quantity, 0);
	return true;
}

/* With the lock held; returns early when somebody waits for the flush. */
static void wait_for_more(void)
{
	int64_t end = clock_mono_us() + FLUSH_US;
	struct timespec until = { .tv_sec = end / 1000000, .tv_nsec = end % 1000000 * 1000 };
	while (!batcher.stopping && !batcher.hurry)
		if (pthread_cond_timedwait(&batcher.work, &batcher.lock, &until) == ETIMEDOUT)
			break;
}

static void write_out(void)
{
	batch full = batcher.filling;
	uint64_t reached = batcher.handed;
	batcher.filling = batcher.writing;
	batcher.writing = full;
	batcher.hurry = false;
	for (;;) {
		pthread_mutex_unlock(&batcher.lock);
		err e = store_write(batcher.store, write_batch, &full);
		pthread_mutex_lock(&batcher.lock);
		batcher.failed = e;
		if (!e)
			break;
		pthread_cond_broadcast(&batcher.written);
		if (batcher.stopping) {
			batcher.lost += full.lines.n;
			break;
		}
		wait_for_more();
		batcher.hurry = false;
	}
	batch_clear(&full);
	batcher.writing = full;
	batcher.on_disk = reached;
	pthread_cond_broadcast(&batcher.written);
}

static void *run(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&batcher.lock);
	while (!batcher.stopping || batcher.filling.first) {
		if (!batcher.filling.first) {
			pthread_cond_wait(&batcher.work, &batcher.lock);
			continue;
		}
		wait_for_more();
		write_out();
	}
	pthread_mutex_unlock(&batcher.lock);
	return NULL;
}

void meter_start(store *s)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_lock(&batcher.lock);
	ensure(!batcher.running);
	pthread_cond_init(&batcher.work, &monotonic);
	pthread_cond_init(&batcher.written, &monotonic);
	batcher.store = s;
	batch_clear(&batcher.filling);
	batch_clear(&batcher.writing);
	batcher.handed = batcher.on_disk = batcher.lost = 0;
	batcher.stopping = batcher.hurry = false;
	batcher.running = true;
	ensure(pthread_create(&batcher.thread, NULL, run, NULL) == 0);
	pthread_mutex_unlock(&batcher.lock);
	pthread_condattr_destroy(&monotonic);
}

void meter_stop(void)
{
	pthread_mutex_lock(&batcher.lock);
	ensure(batcher.running);
	batcher.stopping = true;
	pthread_cond_broadcast(&batcher.work);
	pthread_mutex_unlock(&batcher.lock);
	pthread_join(batcher.thread, NULL);
	pthread_mutex_lock(&batcher.lock);
	batcher.running = false;
	arena_close(batcher.filling.mem);
	arena_close(batcher.writing.mem);
	batcher.filling = batcher.writing = (batch){ 0 };
	pthread_cond_destroy(&batcher.work);
	pthread_cond_destroy(&batcher.written);
	pthread_mutex_unlock(&batcher.lock);
}

err meter_flush(void)
{
	err e = OK;
	pthread_mutex_lock(&batcher.lock);
	ensure(batcher.running);
	uint64_t wanted = batcher.handed;
	while (batcher.on_disk < wanted && !e) {
		batcher.hurry = true;
		pthread_cond_broadcast(&batcher.work);
		pthread_cond_wait(&batcher.written, &batcher.lock);
		e = batcher.on_disk < wanted ? batcher.failed : OK;
	}
	pthread_mutex_unlock(&batcher.lock);
	return e;
}

uint64_t meter_lost(void)
{
	pthread_mutex_lock(&batcher.lock);
	uint64_t lost = batcher.lost;
	pthread_mutex_unlock(&batcher.lock);
	return lost;
}
