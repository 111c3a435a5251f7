#include "poll.h"
#include "cloud/call.h"
#include "sys/clock.h"
#include <pthread.h>
#include <time.h>

#define STACK_BYTES ((size_t)512 << 10)
#define GROWTH_US 200000 /* one batch more at a time, five a second: 300 a minute, as on AWS */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t keeper;
	store *store;
	poller *first;
	bool running, look;
} polls = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

lambda_mapping *poller_mapping(const poller *p, arena *mem)
{
	pthread_mutex_lock(&polls.lock);
	bool running = polls.running;
	pthread_mutex_unlock(&polls.lock);
	const txn *tx = running ? store_read(p->store) : NULL;
	lambda_mapping *m = running ? lambda_mapping_get(tx, mem, p->account, p->region, p->uuid) : NULL;
	if (running)
		store_read_end(p->store, tx);
	return m && m->Generation == p->generation ? m : NULL;
}

static struct timespec after_ms(int64_t ms)
{
	int64_t at = clock_real() + ms;
	return (struct timespec){ at / 1000, at % 1000 * 1000000 };
}

bool poller_sleep(int ms)
{
	struct timespec until = after_ms(ms);
	pthread_mutex_lock(&polls.lock);
	while (polls.running && !pthread_cond_timedwait(&polls.changed, &polls.lock, &until))
		;
	bool running = polls.running;
	pthread_mutex_unlock(&polls.lock);
	return running;
}

bool poller_target(const poller *p, arena *mem, const lambda_mapping *m, target *t)
{
	req *rq = poller_request(p, mem);
	function_name f = { m->Account, m->Region, m->Name, m->Qualifier.n ? m->Qualifier : STR_NONE };
	const txn *tx = store_read(p->store);
	bool found = !target_named(rq, tx, &f, t);
	store_read_end(p->store, tx);
	return found;
}

req *poller_request(const poller *p, arena *mem)
{
	return req_internal(mem, p->store, "lambda.amazonaws.com", p->account, p->region);
}

void poller_begin(poller *p, int most)
{
	pthread_mutex_lock(&polls.lock);
	if (p->most > most)
		p->most = most;
	while (polls.running && p->batches >= p->most) {
		int64_t now = clock_mono_us();
		if (p->most < most && now - p->grown_us >= GROWTH_US) {
			p->most++;
			p->grown_us = now;
			break;
		}
		struct timespec until = after_ms(GROWTH_US / 1000);
		pthread_cond_timedwait(&polls.changed, &polls.lock, &until);
	}
	p->batches++;
	pthread_mutex_unlock(&polls.lock);
}

void poller_end(poller *p)
{
	pthread_mutex_lock(&polls.lock);
	p->batches--;
	pthread_cond_broadcast(&polls.changed);
	pthread_mutex_unlock(&polls.lock);
}

static void *poll_one(void *argument)
{
	poller *p = argument;
	if (p->lanes)
		poll_stream(p);
	else
		poll_queue(p);
	pthread_mutex_lock(&polls.lock);
	while (p->batches)
		pthread_cond_wait(&polls.changed, &polls.lock);
	poller **at = &polls.first;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	polls.look = true; /* its successor may begin */
	pthread_cond_broadcast(&polls.changed);
	pthread_mutex_unlock(&polls.lock);
	arena_close(p->mem);
	return NULL;
}

/* Holds the lock. */
static bool has_poller(const lambda_mapping *m)
{
	for (const poller *p = polls.first; p; p = p->next)
		if (str_eq(p->uuid, m->Uuid) && str_eq(p->region, m->Region) && str_eq(p->account, m->Account))
			return true;
	return false;
}

static void start_poller(const lambda_mapping *m, int64_t lane, int64_t lanes)
{
	arena *mem = arena_open(1024);
	poller *p = arena_new(mem, poller);
	pthread_attr_t how;
	pthread_t thread;
	*p = (poller){ .mem = mem, .store = polls.store, .account = arena_str(mem, m->Account),
		.region = arena_str(mem, m->Region), .uuid = arena_str(mem, m->Uuid), .generation = m->Generation,
		.lane = lane, .lanes = lanes, .most = LAMBDA_POLLERS, .next = polls.first };
	pthread_attr_init(&how);
	pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&how, STACK_BYTES);
	polls.first = p;
	ensure(pthread_create(&thread, &how, poll_one, p) == 0);
	pthread_attr_destroy(&how);
}

/* Holds the lock. */
static void start_missing(arena *mem)
{
	const txn *tx = store_read(polls.store);
	record_scan s = lambda_mapping_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (lambda_mapping *m; (m = lambda_mapping_next(&s));) {
		bool enabled = str_eq(m->It->State, S("Enabled"));
		int64_t lanes = str_is(m->It->StartingPosition) ? m->It->ParallelizationFactor.v : 0;
		if (!enabled || has_poller(m))
			continue;
		start_poller(m, 0, lanes);
		for (int64_t i = 1; i < lanes; i++)
			start_poller(m, i, lanes);
	}
	store_read_end(polls.store, tx);
}

static void *keep(void *unused)
{
	arena *mem = arena_open(8192);
	pthread_mutex_lock(&polls.lock);
	while (polls.running) {
		polls.look = false;
		start_missing(mem);
		arena_reset(mem);
		while (polls.running && !polls.look)
			pthread_cond_wait(&polls.changed, &polls.lock);
	}
	while (polls.first)
		pthread_cond_wait(&polls.changed, &polls.lock);
	pthread_mutex_unlock(&polls.lock);
	arena_close(mem);
	return unused;
}

static void look(void *unused)
{
	pthread_mutex_lock(&polls.lock);
	polls.look = true;
	pthread_cond_broadcast(&polls.changed);
	pthread_mutex_unlock(&polls.lock);
}

void poll_changed(txn *tx)
{
	txn_on_commit(tx, look, NULL);
}

void poll_start(store *s)
{
	polls.store = s;
	polls.running = true;
	ensure(pthread_create(&polls.keeper, NULL, keep, NULL) == 0);
}

void poll_halt(void)
{
	pthread_mutex_lock(&polls.lock);
	polls.running = false;
	pthread_cond_broadcast(&polls.changed);
	pthread_mutex_unlock(&polls.lock);
}

void poll_stop(void)
{
	poll_halt();
	pthread_join(polls.keeper, NULL);
}
