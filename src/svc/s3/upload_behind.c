/*
 * Writing may wait for the disk and MD5 takes longer than receiving and writing together, so neither happens
 * on the connection's thread: it receives into blocks, and jobs on a few threads take each block through the
 * passes, one writing and one or two computing digests. A pass of an upload is on one block at a time, in
 * order; passes run beside each other. A job goes to the end of the queue after each block, so that a large
 * upload does not keep the others waiting.
 *
 * Blocks that wait are bounded, for an upload and for all; beyond that, connections are not read. A block
 * that is still being filled does not count: a slow client must not stand in the way of others.
 */
#include "cloud/server.h"
#include "sys/pool.h"
#include "upload.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 4
#define BLOCK ((size_t)128 << 10)
#define BLOCKS_MAX 256        /* that wait, of all uploads */
#define BLOCKS_OF_ONE 8
#define SPARE_MAX 32          /* kept for the next */

typedef struct block {
	struct block *next;
	arena *mem;
	char *bytes;
	size_t n;
	int todo;            /* passes to come */
} block;

enum { WRITE, MD5, SHA, PASSES };

typedef struct pass {
	block *at;           /* the first that it has not done */
	bool busy, wanted;
} pass;

/* Under `lock` but for `filling` and `small`, which are the connection's thread's and then the handler's. */
typedef struct upload_behind {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	block *filling;
	bool small;          /* the writer holds it all in memory */
	block *first, *last;
	pass passes[PASSES];
	int waiting;
	int jobs, running;   /* in the pool; of these, on a pass */
	bool stopped;
	err fault;
} upload_behind;

static pthread_mutex_t workers_lock = PTHREAD_MUTEX_INITIALIZER;
static pool *workers;
static atomic_int all_waiting;
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static block *spare;
static int spares;

/* ---- blocks ---- */

static block *block_take(void)
{
	pthread_mutex_lock(&spare_lock);
	block *k = spare;
	if (k) {
		spare = k->next;
		spares--;
	}
	pthread_mutex_unlock(&spare_lock);
	if (!k) {
		arena *mem = arena_open(BLOCK + sizeof *k + 64);
		k = arena_new(mem, block);
		k->mem = mem;
		k->bytes = arena_bytes(mem, BLOCK);
	}
	k->next = NULL;
	k->n = 0;
	k->todo = 0;
	return k;
}

static void block_put(block *k)
{
	pthread_mutex_lock(&spare_lock);
	bool keep = spares < SPARE_MAX;
	if (keep) {
		k->next = spare;
		spare = k;
		spares++;
	}
	pthread_mutex_unlock(&spare_lock);
	if (!keep)
		arena_close(k->mem);
}

/* ---- passes ---- */

static err run_pass(upload *u, int which, const block *k)
{
	/* A CRC costs next to nothing while the bytes are near; what costs more has a thread of its own. */
	bool apart = u->behind->passes[SHA].wanted && !u->kind->crc;
	if (which == WRITE)
		return content_write(&u->to, k->bytes, k->n);
	if (which == MD5) {
		digest_add(u->md5, k->bytes, k->n);
		if (!apart)
			digest_add(u->check, k->bytes, k->n);
		return OK;
	}
	if (u->sha256)
		digest_add(u->sha256, k->bytes, k->n);
	if (apart)
		digest_add(u->check, k->bytes, k->n);
	return OK;
}

static bool can_run(const pass *p)
{
	return p->at && !p->busy;
}

static int runnable(const upload_behind *b)
{
	int n = 0;
	for (int i = 0; i < PASSES; i++)
		n += can_run(&b->passes[i]);
	return n;
}

/* All passes are over it: it is always the first. Lets the lock go meanwhile. */
static void block_done(upload *u, block *k)
{
	upload_behind *b = u->behind;
	b->first = k->next;
	if (!b->first)
		b->last = NULL;
	b->waiting--;
	pthread_mutex_unlock(&b->lock);
	block_put(k);
	atomic_fetch_sub(&all_waiting, 1);
	http_sinks_ready(u->rq->exchange->server);
	pthread_mutex_lock(&b->lock);
}

/* Called with the lock held, and lets it go meanwhile. */
static void run_one(upload *u, int which)
{
	upload_behind *b = u->behind;
	pass *p = &b->passes[which];
	block *k = p->at;
	bool skip = which == WRITE && b->fault;
	p->busy = true;
	pthread_mutex_unlock(&b->lock);
	err e = skip ? OK : run_pass(u, which, k);
	pthread_mutex_lock(&b->lock);
	if (e)
		b->fault = e;
	p->busy = false;
	p->at = k->next;
	if (--k->todo == 0)
		block_done(u, k);
	pthread_cond_broadcast(&b->changed);
}

static void work(void *argument);

/* Another job; none when the server is stopping, and then the handler's thread does it all. */
static bool begin_job(upload *u)
{
	pthread_mutex_lock(&workers_lock);
	bool runs = workers != NULL;
	if (runs)
		pool_run(workers, work, u);
	pthread_mutex_unlock(&workers_lock);
	return runs;
}

static void work(void *argument)
{
	upload *u = argument;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	int which = 0;
	while (which < PASSES && !can_run(&b->passes[which]))
		which++;
	if (which < PASSES && !b->stopped) {
		b->running++;
		run_one(u, which);
		b->running--;
	}
	bool more = !b->stopped && runnable(b) > 0 && begin_job(u);
	b->jobs -= !more;
	/* Signalled under the lock: the upload may be gone as soon as it is released. */
	if (!b->jobs)
		pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

/* ---- the connection's thread ---- */

static void hand_over(upload *u)
{
	upload_behind *b = u->behind;
	block *k = b->filling;
	b->filling = NULL;
	pthread_mutex_lock(&b->lock);
	for (int i = 0; i < PASSES; i++) {
		k->todo += b->passes[i].wanted;
		if (b->passes[i].wanted && !b->passes[i].at)
			b->passes[i].at = k;
	}
	if (b->last)
		b->last->next = k;
	else
		b->first = k;
	b->last = k;
	b->waiting++;
	atomic_fetch_add(&all_waiting, 1);
	b->jobs += runnable(b) > b->jobs - b->running && begin_job(u);
	pthread_mutex_unlock(&b->lock);
}

bool upload_behind_ready(upload *u)
{
	upload_behind *b = u->behind;
	if (b->filling || b->small)
		return true;
	pthread_mutex_lock(&b->lock);
	bool fits = b->waiting < BLOCKS_OF_ONE;
	pthread_mutex_unlock(&b->lock);
	return fits && atomic_load(&all_waiting) < BLOCKS_MAX;
}

char *upload_behind_room(upload *u, size_t *n)
{
	upload_behind *b = u->behind;
	if (b->small)
		return NULL;
	if (!b->filling)
		b->filling = block_take();
	*n = BLOCK - b->filling->n;
	return b->filling->bytes + b->filling->n;
}

/* What the writer held has become too much: it goes before the rest into blocks. */
static void leave_memory(upload *u)
{
	block *k = u->behind->filling = block_take();
	u->behind->small = false;
	k->n = (size_t)u->to.size;
	memcpy(k->bytes, u->to.held, k->n);
	u->to.size = 0;
}

void upload_behind_take(upload *u, const char *p, size_t n)
{
	upload_behind *b = u->behind;
	if (b->small && u->size > S3_INLINE_BYTES)
		leave_memory(u);
	if (b->small) {
		content_write(&u->to, p, n);
		return;
	}
	while (n) {
		size_t room = 0;
		char *to = upload_behind_room(u, &room);
		room = room < n ? room : n;
		if (to != p)
			memcpy(to, p, room);
		b->filling->n += room;
		p += room;
		n -= room;
		if (b->filling->n == BLOCK)
			hand_over(u);
	}
	/* While nobody has anything of it to do, what there is need not wait for more. */
	pthread_mutex_lock(&b->lock);
	bool idle = b->waiting == 0;
	pthread_mutex_unlock(&b->lock);
	if (idle && b->filling)
		hand_over(u);
}

err upload_behind_fault(upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	err e = b->fault;
	pthread_mutex_unlock(&b->lock);
	return e;
}

/* ---- the handler's thread ---- */

/* Does what it can itself, and waits for the rest. Called with the lock held. */
static void finish_passes(upload *u, int from, int to)
{
	upload_behind *b = u->behind;
	for (bool left = true; left;) {
		left = false;
		int mine = -1;
		for (int i = from; i < to; i++) {
			left |= b->passes[i].at != NULL;
			if (mine < 0 && can_run(&b->passes[i]))
				mine = i;
		}
		if (mine >= 0)
			run_one(u, mine);
		else if (left)
			pthread_cond_wait(&b->changed, &b->lock);
	}
}

err upload_behind_written(upload *u)
{
	upload_behind *b = u->behind;
	if (b->small) {
		str all = str_of(u->to.held, (size_t)u->to.size);
		run_pass(u, MD5, &(block){ .bytes = u->to.held, .n = all.n });
		if (b->passes[SHA].wanted)
			run_pass(u, SHA, &(block){ .bytes = u->to.held, .n = all.n });
		return OK;
	}
	if (b->filling)
		hand_over(u);
	pthread_mutex_lock(&b->lock);
	finish_passes(u, WRITE, MD5);
	pthread_mutex_unlock(&b->lock);
	return b->fault;
}

void upload_behind_digested(upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	finish_passes(u, MD5, PASSES);
	pthread_mutex_unlock(&b->lock);
}

/* ---- the beginning and the end ---- */

/* Nobody touches the upload any more when this returns. */
static void end(void *subject)
{
	upload *u = subject;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	while (b->jobs)
		pthread_cond_wait(&b->changed, &b->lock);
	while (b->first)
		block_done(u, b->first);
	pthread_mutex_unlock(&b->lock);
	if (b->filling)
		block_put(b->filling);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->changed);
	arena_close(u->own);
}

void upload_behind_open(upload *u)
{
	upload_behind *b = u->behind = arena_new(u->rq->mem, upload_behind);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	b->small = u->declared <= S3_INLINE_BYTES;
	b->passes[WRITE].wanted = b->passes[MD5].wanted = true;
	b->passes[SHA].wanted = u->sha256 || !u->kind->crc;
	u->own = arena_open(S3_INLINE_BYTES + 8192);
	/* Hung after the digests, so it comes before them: nobody uses them when they go. */
	arena_hook(u->rq->mem, end, u);
}

static err start(store *s, str data_folder)
{
	(void)s;
	(void)data_folder;
	pthread_mutex_lock(&workers_lock);
	workers = pool_open(THREADS);
	pthread_mutex_unlock(&workers_lock);
	return OK;
}

static void stop(void)
{
	pthread_mutex_lock(&workers_lock);
	pool *p = workers;
	workers = NULL;
	pthread_mutex_unlock(&workers_lock);
	pool_close(p);
	while (spare) {
		block *next = spare->next;
		arena_close(spare->mem);
		spare = next;
	}
	spares = 0;
}

SERVER_PART(s3_digests, start, stop);
