#include "fresh.h"
#include <pthread.h>
#include <stdatomic.h>

#define KEPT ((uint64_t)1 << 16)
#define STAGED_MAX ((size_t)1 << 15)

static atomic_int listeners;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fresh_event ring[KEPT];
static uint64_t end; /* how many were ever published */

/* The writer thread's alone: of the group of transactions that is being written. */
static fresh_event staged[STAGED_MAX];
static size_t n_staged;

void fresh_listen(void) { atomic_fetch_add(&listeners, 1); }
void fresh_leave(void) { atomic_fetch_sub(&listeners, 1); }

uint64_t fresh_end(void)
{
	pthread_mutex_lock(&lock);
	uint64_t at = end;
	pthread_mutex_unlock(&lock);
	return at;
}

static void publish(void *subject)
{
	(void)subject;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n_staged; i++)
		ring[end++ % KEPT] = staged[i];
	pthread_mutex_unlock(&lock);
	n_staged = 0;
}

void fresh_add(txn *tx, int64_t group, const event_in *events, size_t n)
{
	if (!atomic_load(&listeners))
		return;
	for (size_t i = 0; i < n && n_staged < STAGED_MAX; i++)
		staged[n_staged++] = (fresh_event){ group, events[i].when, events[i].seq };
	txn_on_commit(tx, publish, staged);
}

bool fresh_read(uint64_t *at, fresh_event *out, size_t most, size_t *n)
{
	pthread_mutex_lock(&lock);
	bool lost = end - *at > KEPT;
	if (lost)
		*at = end - KEPT;
	for (*n = 0; *n < most && *at < end; ++*at)
		out[(*n)++] = ring[*at % KEPT];
	pthread_mutex_unlock(&lock);
	return lost;
}
