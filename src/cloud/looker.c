#include "cloud/looker.h"
#include "sys/clock.h"
#include <pthread.h>
#include <time.h>

struct looker {
	arena *mem;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	store *store;
	int64_t every_ms;
	int rest_factor;
	void (*look)(store *s);
	bool stopping;
};

/* false: it is to stop. */
static bool rest(looker *l, int64_t ms)
{
	int64_t end = clock_mono_us() + ms * 1000;
	struct timespec until = { .tv_sec = end / 1000000, .tv_nsec = end % 1000000 * 1000 };
	pthread_mutex_lock(&l->lock);
	while (!l->stopping && clock_mono_us() < end)
		pthread_cond_timedwait(&l->wake, &l->lock, &until);
	bool stopping = l->stopping;
	pthread_mutex_unlock(&l->lock);
	return !stopping;
}

static void *run(void *context)
{
	looker *l = context;
	uint64_t seen = UINT64_MAX;
	for (int64_t ms = l->every_ms; rest(l, ms);) {
		uint64_t commits = store_stats_of(l->store).commits;
		int64_t before = clock_mono_us();
		if (commits != seen)
			l->look(l->store);
		seen = commits;
		int64_t took = (clock_mono_us() - before) / 1000 * l->rest_factor;
		ms = took > l->every_ms ? took : l->every_ms;
	}
	return NULL;
}

looker *looker_start(store *s, int64_t every_ms, int rest_factor, void (*look)(store *s))
{
	arena *mem = arena_open(1024);
	looker *l = arena_new(mem, looker);
	*l = (looker){ .mem = mem, .store = s, .every_ms = every_ms, .rest_factor = rest_factor, .look = look };
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	ensure(pthread_create(&l->thread, NULL, run, l) == 0);
	return l;
}

void looker_stop(looker *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_signal(&l->wake);
	pthread_mutex_unlock(&l->lock);
	pthread_join(l->thread, NULL);
	pthread_cond_destroy(&l->wake);
	pthread_mutex_destroy(&l->lock);
	arena_close(l->mem);
}
