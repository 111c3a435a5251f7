#include "store/inside.h"
#include "sys/clock.h"
#include <stdlib.h>

/* How long the writer waits for read transactions to end before it gives up reopening for this
 * time. A thread may hold one while it waits for the writer, so it cannot be for ever. */
#define PAUSE_MS 2000

static _Thread_local reader *readers_of_thread;
/* Guards who belongs to whom, at the birth and the end of threads and stores. */
static pthread_mutex_t readers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t at_thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Ends the LMDB side of a reader; its thread does not use it now. */
static void reader_end(reader *r)
{
	for (unsigned i = 0; i < r->tx.n_spare; i++)
		mdb_cursor_close(r->tx.spare[i]);
	r->tx.n_spare = 0;
	if (r->tx.mdb)
		mdb_txn_abort(r->tx.mdb);
	r->tx.mdb = NULL;
}

static void thread_end(void *list)
{
	pthread_mutex_lock(&readers_lock);
	for (reader *r = list, *next; r; r = next) {
		next = r->next_of_thread;
		if (r->tx.s) {
			reader_end(r);
			*r->link = r->next;
			if (r->next)
				r->next->link = r->link;
		}
		arena_close(r->tx.mem);
		free(r);
	}
	pthread_mutex_unlock(&readers_lock);
	readers_of_thread = NULL;
}

static void make_key(void)
{
	ensure(pthread_key_create(&at_thread_end, thread_end) == 0);
}

/* A reader outlives its requests and may outlive its store, hence malloc. */
static reader *reader_make(store *s)
{
	pthread_once(&once, make_key);
	reader *r = calloc(1, sizeof(reader));
	ensure(r != NULL);
	r->tx.s = s;
	r->tx.mem = arena_open(2048);
	r->next_of_thread = readers_of_thread;
	readers_of_thread = r;
	pthread_setspecific(at_thread_end, r);
	pthread_mutex_lock(&readers_lock);
	r->next = s->readers;
	r->link = &s->readers;
	if (r->next)
		r->next->link = &r->next;
	s->readers = r;
	pthread_mutex_unlock(&readers_lock);
	return r;
}

static reader *reader_of(store *s)
{
	for (reader *r = readers_of_thread; r; r = r->next_of_thread)
		if (r->tx.s == s)
			return r;
	return reader_make(s);
}

static void reader_begin(store *s, reader *r)
{
	for (;;) {
		atomic_store(&r->busy, true);
		if (!atomic_load(&s->reopening))
			break;
		atomic_store(&r->busy, false);
		clock_sleep_ms(1);
	}
	r->tx.fault = OK;
	/* Without an environment: it broke, and could not be opened again yet. */
	int rc = !s->env    ? MDB_PANIC
		: r->tx.mdb ? mdb_txn_renew(r->tx.mdb)
			    : mdb_txn_begin(s->env, NULL, MDB_RDONLY, &r->tx.mdb);
	if (rc)
		txn_fail(&r->tx, rc);
}

const txn *store_read(store *s)
{
	reader *r = reader_of(s);
	if (r->depth++ == 0)
		reader_begin(s, r);
	return &r->tx;
}

void store_read_end(store *s, const txn *tx)
{
	reader *r = (reader *)txn_inside(tx);
	ensure(!tx->writing && tx->s == s && r->depth > 0);
	if (--r->depth)
		return;
	cursors_close(&r->tx);
	if (r->tx.mdb)
		mdb_txn_reset(r->tx.mdb);
	arena_reset(r->tx.mem);
	atomic_store_explicit(&r->busy, false, memory_order_release);
}

void readers_close(store *s)
{
	pthread_mutex_lock(&readers_lock);
	for (reader *r = s->readers, *next; r; r = next) {
		next = r->next;
		ensure(r->depth == 0);
		reader_end(r);
		r->tx.s = NULL;
	}
	s->readers = NULL;
	pthread_mutex_unlock(&readers_lock);
}

static bool all_idle(store *s)
{
	for (reader *r = s->readers; r; r = r->next)
		if (atomic_load(&r->busy))
			return false;
	return true;
}

bool readers_pause(store *s)
{
	int64_t give_up = clock_mono_us() + PAUSE_MS * 1000;
	atomic_store(&s->reopening, true);
	for (;;) {
		pthread_mutex_lock(&readers_lock);
		if (all_idle(s))
			break;
		pthread_mutex_unlock(&readers_lock);
		if (clock_mono_us() > give_up) {
			atomic_store(&s->reopening, false);
			return false;
		}
		clock_sleep_ms(1);
	}
	for (reader *r = s->readers; r; r = r->next)
		reader_end(r);
	pthread_mutex_unlock(&readers_lock);
	return true;
}

void readers_resume(store *s)
{
	atomic_store(&s->reopening, false);
}
