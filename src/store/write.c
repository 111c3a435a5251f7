#include "store/inside.h"
#include "store/due.h"
#include "sys/clock.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GROUP_US 2000
#define GATHER_US 100
#define GROUP_BYTES ((size_t)8 << 20)

static void futex_wait(_Atomic uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void store_submit(store *s, store_job *job)
{
	store_job *head = atomic_load_explicit(&s->inbox, memory_order_relaxed);
	do
		job->next = head;
	while (!atomic_compare_exchange_weak(&s->inbox, &head, job));
	if (atomic_load(&s->asleep) && atomic_exchange(&s->asleep, 0))
		futex_wake(&s->asleep);
}

typedef struct waiting {
	store_job job;
	bool (*run)(void *context, txn *tx);
	void *context;
	err commit;
	_Atomic uint32_t finished;
} waiting;

static bool waiting_run(store_job *job, txn *tx)
{
	waiting *w = (waiting *)job;
	return w->run(w->context, tx);
}

static void waiting_done(store_job *job, err commit)
{
	waiting *w = (waiting *)job;
	w->commit = commit;
	atomic_store(&w->finished, 1);
	/* The waiter may be gone already; a wake-up too many is harmless wherever it lands. */
	futex_wake(&w->finished);
}

err store_write(store *s, bool (*run)(void *context, txn *tx), void *context)
{
	ensure(!pthread_equal(pthread_self(), s->writer));
	waiting w = { .job = { .run = waiting_run, .done = waiting_done },
		          .run = run,
		          .context = context };
	store_submit(s, &w.job);
	while (!atomic_load(&w.finished))
		futex_wait(&w.finished, 0);
	return w.commit;
}

static store_job *job_next(store *s)
{
	if (!s->ready) {
		store_job *j = atomic_exchange(&s->inbox, NULL);
		while (j) {
			store_job *later = j->next;
			j->next = s->ready;
			s->ready = j;
			j = later;
		}
	}
	store_job *j = s->ready;
	if (j)
		s->ready = j->next;
	return j;
}

/* NULL: the store is closing and nothing is left. */
static store_job *job_wait(store *s)
{
	for (;;) {
		store_job *j = job_next(s);
		if (j)
			return j;
		atomic_store(&s->asleep, 1);
		if (atomic_load(&s->inbox)) {
			atomic_store(&s->asleep, 0);
			continue;
		}
		if (atomic_load(&s->stopping))
			return NULL;
		futex_wait(&s->asleep, 1);
	}
}

typedef struct group {
	store_job *jobs[GROUP_MAX];
	size_t n;
	bool grows;    /* takes what arrives while it runs */
	bool alone;    /* one job: to undo it is to abort */
	bool log_lost; /* a job failed that had changed too much to be undone by the log */
	int64_t began_us;
} group;

/* Clients that were just answered are about to write again: a commit that does not wait for them at
 * all leaves them to the next one, and every second group is nearly empty. One client never
 * waits. */
static store_job *job_gather(store *s, const group *g)
{
	store_job *j = job_next(s);
	for (int64_t give_up = 0; !j && g->n * 2 < s->last_group; j = job_next(s)) {
		int64_t now = clock_mono_us();
		if (!give_up)
			give_up = now + GATHER_US;
		else if (now > give_up)
			break;
		sched_yield();
	}
	return j;
}

static bool group_grow(store *s, group *g)
{
	if (!g->grows || g->n == GROUP_MAX || s->tx.group_bytes > GROUP_BYTES ||
	    clock_mono_us() - g->began_us > GROUP_US)
		return false;
	store_job *j = job_gather(s, g);
	if (j)
		g->jobs[g->n++] = j;
	return j != NULL;
}

/*
 * After LMDB has declared the environment unusable, because the page that decides which transaction
 * counts could not be written: what the file holds is what counts, so it is opened again. LMDB has
 * put the old page back without syncing it, and the disk may hold either. Until they agree nothing
 * may be written: the next transaction uses the pages of the failed one.
 */
static void reopen(store *s)
{
	s->doubtful = true;
	if (!readers_pause(s))
		return;
	if (s->env)
		mdb_env_close(s->env);
	s->env = NULL;
	s->doubtful = env_open(s) != 0 || mdb_env_sync(s->env, 1) != 0;
	readers_resume(s);
	if (s->due)
		due_wake(s);
}

static int transaction_begin(store *s)
{
	txn *tx = &s->tx;
	tx->fault = OK;
	tx->n_hooks = 0;
	tx->group_bytes = 0;
	tx->serial = 0;
	tx->lent = false;
	if (s->doubtful)
		reopen(s);
	int rc = s->doubtful ? MDB_PANIC : mdb_txn_begin(s->env, NULL, 0, &tx->mdb);
	if (rc == 0 && (rc = mdb_cursor_open(tx->mdb, s->dbi, &tx->at)) != 0)
		mdb_txn_abort(tx->mdb);
	return rc;
}

static void transaction_abort(txn *tx)
{
	mdb_cursor_close(tx->at);
	mdb_txn_abort(tx->mdb);
}

static bool broken(store *s)
{
	MDB_txn *probe;
	int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &probe);
	if (rc == 0)
		mdb_txn_abort(probe);
	return rc == MDB_PANIC;
}

static int transaction_commit(store *s, txn *tx)
{
	bool changed = tx->changes > 0;
	mdb_cursor_close(tx->at);
	int rc = mdb_txn_commit(tx->mdb);
	if (rc && broken(s)) {
		reopen(s);
		return MDB_PANIC;
	}
	if (rc == 0 && changed) {
		atomic_fetch_add_explicit(&s->commits, 1, memory_order_relaxed);
		/* The pages, then the page that says which of them count. */
		atomic_fetch_add_explicit(&s->syncs, 2, memory_order_relaxed);
	}
	return rc;
}

static bool job_run(txn *tx, store_job *job, group *g)
{
	size_t hooks = tx->n_hooks;
	tx->log = NULL;
	tx->log_bytes = 0;
	tx->log_lost = false;
	tx->logging = !g->alone;
	bool keep = job->run(job, tx);
	cursors_close(tx);
	job->undone = !keep;
	if (!keep) {
		tx->n_hooks = hooks;
		g->log_lost = tx->log_lost;
		if (!tx->log_lost)
			txn_undo(tx);
	}
	loans_end(tx);
	arena_reset(tx->mem);
	return keep;
}

/* Runs and commits. A code of LMDB's, or 0; a fault of the transaction is in tx->fault. */
static int group_run(store *s, group *g)
{
	txn *tx = &s->tx;
	tx->changes = 0;
	int rc = transaction_begin(s);
	if (rc) {
		while (group_grow(s, g))
			;
		return rc;
	}
	for (size_t i = 0; i < g->n || group_grow(s, g); i++) {
		bool kept = job_run(tx, g->jobs[i], g);
		if (tx->fault || g->log_lost || (g->alone && !kept)) {
			transaction_abort(tx);
			return tx->fault || g->log_lost ? MDB_BAD_TXN : 0;
		}
	}
	return transaction_commit(s, tx);
}

static void group_done(store *s, group *g, err commit)
{
	if (!commit)
		for (size_t i = 0; i < s->tx.n_hooks; i++)
			s->tx.hooks[i].run(s->tx.hooks[i].subject);
	atomic_fetch_add_explicit(&s->jobs, g->n, memory_order_relaxed);
	for (size_t i = 0; i < g->n; i++)
		g->jobs[i]->done(g->jobs[i], commit);
}

static void group_commit(store *s, group *g)
{
	int rc = group_run(s, g);
	if (rc == 0) {
		s->last_group = g->n;
		group_done(s, g, OK);
	} else if (rc == MDB_PANIC) {
		/* Whether the group is on disk nobody knows, so it must not be run again. */
		group_done(s, g, store_fault(s, rc));
	} else if (g->n == 1 && !g->log_lost) {
		group_done(s, g, s->tx.fault ? s->tx.fault : store_fault(s, rc));
	} else {
		/* Alone, each succeeds or fails for itself. */
		for (size_t i = 0; i < g->n; i++)
			group_commit(s, &(group){ .jobs = { g->jobs[i] }, .n = 1, .alone = true });
	}
}

void writer_stop(store *s)
{
	atomic_store(&s->stopping, true);
	atomic_store(&s->asleep, 0);
	futex_wake(&s->asleep);
}

void writer_main(store *s)
{
	for (store_job *j; (j = job_wait(s));) {
		group g = { .grows = true, .n = 1 };
		g.jobs[0] = j;
		g.began_us = clock_mono_us();
		group_commit(s, &g);
	}
}
