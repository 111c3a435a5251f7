#include "cloud/event_log.h"
#include "sys/clock.h"
#include <pthread.h>
#include <stdlib.h>

#define BATCH_WAIT_MS 50
#define WAITING_MAX ((size_t)64 << 20)
#define MESSAGE_MAX ((size_t)256 << 10)

extern log_sink *const __start_farthing_log_sinks[] __attribute__((weak));
extern log_sink *const __stop_farthing_log_sinks[] __attribute__((weak));

/* One batch fills while the other is written. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	store *store;
	arena *filling;
	log_line *first, **last;
	size_t bytes;
	uint64_t said, written, dropped;
	bool running, stop;
} logs = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

void log_later(str account, str region, str group, str stream, int64_t when, str message)
{
	pthread_mutex_lock(&logs.lock);
	if (!logs.running || logs.bytes > WAITING_MAX) {
		logs.dropped++;
	} else {
		arena *a = logs.filling;
		log_line *l = arena_new(a, log_line);
		*l = (log_line){ NULL, arena_str(a, account), arena_str(a, region), arena_str(a, group),
			         arena_str(a, stream), when, arena_str(a, str_sub(message, 0, MESSAGE_MAX)) };
		*logs.last = l;
		logs.last = &l->next;
		logs.bytes += message.n + sizeof *l;
		logs.said++;
	}
	pthread_mutex_unlock(&logs.lock);
}

static bool write_batch(void *context, txn *tx)
{
	for (log_sink *const *sink = __start_farthing_log_sinks; sink < __stop_farthing_log_sinks; sink++)
		(*sink)(tx, context);
	return true;
}

/* Holds the lock. */
static void write_out(void)
{
	if (!logs.first)
		return;
	arena *full = logs.filling;
	log_line *batch = logs.first;
	uint64_t upto = logs.said;
	logs.filling = arena_open(1 << 16);
	logs.first = NULL;
	logs.last = &logs.first;
	logs.bytes = 0;
	pthread_mutex_unlock(&logs.lock);
	while (store_write(logs.store, write_batch, batch))
		clock_sleep_ms(BATCH_WAIT_MS);
	arena_close(full);
	pthread_mutex_lock(&logs.lock);
	logs.written = upto;
	pthread_cond_broadcast(&logs.changed);
}

static void *writer(void *unused)
{
	pthread_mutex_lock(&logs.lock);
	while (!logs.stop || logs.first) {
		write_out();
		if (logs.stop)
			continue;
		pthread_mutex_unlock(&logs.lock);
		clock_sleep_ms(BATCH_WAIT_MS);
		pthread_mutex_lock(&logs.lock);
	}
	pthread_mutex_unlock(&logs.lock);
	return unused;
}

void log_flush(void)
{
	pthread_mutex_lock(&logs.lock);
	uint64_t upto = logs.said;
	while (logs.running && logs.written < upto)
		pthread_cond_wait(&logs.changed, &logs.lock);
	pthread_mutex_unlock(&logs.lock);
}

void log_start(store *s)
{
	logs.store = s;
	logs.filling = arena_open(1 << 16);
	logs.first = NULL;
	logs.last = &logs.first;
	logs.stop = false;
	logs.running = true;
	ensure(pthread_create(&logs.thread, NULL, writer, NULL) == 0);
}

void log_stop(void)
{
	pthread_mutex_lock(&logs.lock);
	logs.stop = true;
	pthread_mutex_unlock(&logs.lock);
	pthread_join(logs.thread, NULL);
	logs.running = false;
	arena_close(logs.filling);
}
