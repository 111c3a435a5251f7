#include "store/due_inside.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include <stdlib.h>

/*
 * A task on its way through the pool: handed over, claimed (an attempt begins), run, ended.
 */

/* After a commit that failed (a full disk). */
#define RETRY_MS 1000

static size_t task_place(const due_work *d, uint64_t id)
{
	size_t i = 0, end = d->n_tasks;
	while (i < end) {
		size_t middle = (i + end) / 2;
		if (d->tasks[middle] < id)
			i = middle + 1;
		else
			end = middle;
	}
	return i;
}

/* false: it is with the pool already, or no more fit (*full). */
static bool task_enter(due_work *d, uint64_t id, bool *full)
{
	pthread_mutex_lock(&d->lock);
	size_t i = task_place(d, id);
	*full = d->full = d->n_tasks == TASKS_MAX;
	bool fits = !*full && !(i < d->n_tasks && d->tasks[i] == id);
	if (fits) {
		memmove(&d->tasks[i + 1], &d->tasks[i], (d->n_tasks - i) * sizeof(uint64_t));
		d->tasks[i] = id;
		d->n_tasks++;
	}
	pthread_mutex_unlock(&d->lock);
	return fits;
}

static void task_leave(due_work *d, uint64_t id, bool again)
{
	pthread_mutex_lock(&d->lock);
	size_t i = task_place(d, id);
	d->n_tasks--;
	memmove(&d->tasks[i], &d->tasks[i + 1], (d->n_tasks - i) * sizeof(uint64_t));
	bool room = d->full && d->n_tasks <= TASKS_MAX / 2;
	if (room)
		d->full = false;
	/* It may have been passed over, being due again while it was still here. */
	if (room || again || d->advancing) {
		d->kicked = true;
		pthread_cond_broadcast(&d->wake);
	}
	pthread_cond_broadcast(&d->rest);
	pthread_mutex_unlock(&d->lock);
}

typedef struct handed {
	due_work *d;
	uint64_t id;
	int64_t again; /* what its function said */
	unsigned attempt;
} handed;

typedef struct claim {
	store_job job;
	uint64_t id;
} claim;

/* The strings point into the store, which is about to change. */
static void task_keep(txn *tx, task_row *t)
{
	t->kind = arena_str(tx->mem, t->kind);
	t->payload = arena_str(tx->mem, t->payload);
}

static bool claim_run(store_job *job, txn *tx)
{
	uint64_t id = ((claim *)job)->id;
	char key[18];
	task_row t;
	if (!task_read(tx, id, &t))
		return true;
	task_keep(tx, &t);
	if (!txn_delete(tx, wait_key(key, t.not_before, id)))
		return true;
	bool known = task_kind_of(t.kind) != NULL;
	txn_put(tx, task_key(key, known ? 'R' : 'V', id), S(""));
	t.attempts += known;
	task_write(tx, id, &t);
	return true;
}

static void claim_done(store_job *job, err commit)
{
	(void)commit; /* without it a crash in mid-run leaves the attempt uncounted, nothing worse */
	free(job);
}

/* Notes that an attempt begins; nobody waits for it. Freed by the writer, hence malloc. */
static void claim_submit(due_work *d, uint64_t id)
{
	claim *c = calloc(1, sizeof(claim));
	ensure(c != NULL);
	*c = (claim){ .job = { .run = claim_run, .done = claim_done }, .id = id };
	store_submit(d->s, &c->job);
}

static bool ended_run(void *context, txn *tx)
{
	const handed *h = context;
	char key[18];
	task_row t;
	if (!task_read(tx, h->id, &t))
		return true; /* cancelled meanwhile */
	if (h->again == TASK_DONE) {
		task_cancel(tx, h->id);
		return true;
	}
	task_keep(tx, &t);
	txn_delete(tx, task_key(key, 'R', h->id));
	txn_delete(tx, wait_key(key, t.not_before, h->id));
	t.not_before = h->again;
	t.attempts = h->attempt;
	task_write(tx, h->id, &t);
	txn_put(tx, wait_key(key, t.not_before, h->id), S(""));
	due_announce(tx, t.not_before);
	return true;
}

bool due_stopping(due_work *d)
{
	pthread_mutex_lock(&d->lock);
	bool yes = d->stopping;
	pthread_mutex_unlock(&d->lock);
	return yes;
}

/* What it has to say must reach the disk, however long that is full; after a stop it runs again. */
static void ended(handed *h)
{
	while (store_write(h->d->s, ended_run, h) && !due_stopping(h->d))
		clock_sleep_ms(RETRY_MS);
}

/* The task as it stands now: what the thread saw may be older than its end or its cancellation. */
static bool task_take(handed *h, arena *mem, const task_kind **kind, str *payload)
{
	store *s = h->d->s;
	task_row t;
	char key[10];
	const txn *tx = store_read(s);
	bool runs = task_read(tx, h->id, &t) && t.not_before <= clock_now();
	if (runs) {
		bool counted = str_is(txn_get(tx, task_key(key, 'R', h->id)));
		*kind = task_kind_of(t.kind);
		*payload = arena_str(mem, t.payload);
		h->attempt = t.attempts + !counted;
	}
	store_read_end(s, tx);
	return runs;
}

static void task_run(handed *h, arena *mem)
{
	str payload;
	const task_kind *kind;
	if (!task_take(h, mem, &kind, &payload))
		return;
	claim_submit(h->d, h->id);
	if (!kind)
		return;
	h->again = kind->run(h->d->s, mem, h->id, payload, h->attempt);
	if (h->again != TASK_DONE && h->again <= clock_now())
		h->again = clock_now() + 1;
	ended(h);
}

static void task_job(void *argument)
{
	handed *h = argument;
	due_work *d = h->d;
	if (!due_stopping(d)) {
		arena *mem = arena_open(1 << 12);
		task_run(h, mem);
		arena_close(mem);
	}
	task_leave(d, h->id, h->again != TASK_DONE);
	free(h);
}

bool task_hand(due_work *d, uint64_t id)
{
	bool full;
	if (!task_enter(d, id, &full))
		return !full;
	handed *h = calloc(1, sizeof(handed));
	ensure(h != NULL);
	*h = (handed){ .d = d, .id = id };
	pool_run(d->workers, task_job, h);
	return true;
}
