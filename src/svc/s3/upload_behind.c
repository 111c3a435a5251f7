/*
 * Writing may wait for the disk and MD5 takes longer than receiving and writing together, so neither happens
 * on the connection's thread: it receives into blocks, and jobs on a few threads take each block through the
 * passes, one writing and one or two computing digests. A pass of an upload is on one block at a time, in
 * order; passes run beside each other. Digests of several uploads are computed side by side, which costs
 * little more than those of one. Whoever has done a block goes to the end of the queue, so that a large
 * upload does not keep the others waiting.
 *
 * Blocks that wait are bounded, for an upload and for all; beyond that, connections are not read. A block
 * that is still being filled does not count: a slow client must not stand in the way of others.
 *
 * Locks in this order: an upload's, the queues', the workers'.
 */
#include "cloud/server.h"
#include "sys/pool.h"
#include "upload.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 6
#define DIGEST_JOBS 2         /* at the same time, of a kind */
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
	bool queued;         /* with `next`: under lines_lock */
	upload *next;
} pass;

/* Under `lock` but for `small`, which is the connection's thread's and then the handler's. */
typedef struct upload_behind {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	block *filling;      /* the connection's thread's while it is receiving */
	bool receiving;
	bool small;          /* the writer holds it all in memory */
	block *first, *last;
	pass passes[PASSES];
	int waiting;
	int jobs;            /* of others that hold it: it cannot go before they are done */
	bool writes;         /* one of these is to write */
	bool stopped;
	err fault;
} upload_behind;

static pthread_rwlock_t workers_lock = PTHREAD_RWLOCK_INITIALIZER;
static pool *workers;
static atomic_int all_waiting;
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;
static block *spare;
static int spares;

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

static bool can_run(const pass *p)
{
	return p->at && !p->busy;
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

static void queue_digest(upload *u, int which);
static void hand_over(upload *u);

/* With the lock held. */
static void pass_done(upload *u, int which)
{
	upload_behind *b = u->behind;
	pass *p = &b->passes[which];
	block *k = p->at;
	p->busy = false;
	p->at = k->next;
	if (--k->todo == 0)
		block_done(u, k);
	if (which != WRITE)
		queue_digest(u, which);
	/* A client that sends no more for a while holds no block. */
	if (!b->waiting && !b->receiving && b->filling && !b->stopped)
		hand_over(u);
	pthread_cond_broadcast(&b->changed);
}

/*
 * false: the server is stopping, and then the handler's thread does it all. Who wakes a thread may have to
 * make way for it at once: the lock keeps nobody waiting meanwhile.
 */
static bool begin_job(void (*job)(void *argument), void *argument)
{
	pthread_rwlock_rdlock(&workers_lock);
	bool runs = workers != NULL;
	if (runs)
		pool_run(workers, job, argument);
	pthread_rwlock_unlock(&workers_lock);
	return runs;
}

/* With the lock held, and lets it go meanwhile. */
static void write_one(upload *u)
{
	upload_behind *b = u->behind;
	pass *p = &b->passes[WRITE];
	const block *k = p->at;
	bool skip = b->fault != OK;
	p->busy = true;
	pthread_mutex_unlock(&b->lock);
	err e = skip ? OK : content_write(&u->to, k->bytes, k->n);
	pthread_mutex_lock(&b->lock);
	if (e)
		b->fault = e;
	pass_done(u, WRITE);
}

static void write_job(void *argument)
{
	upload *u = argument;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	if (can_run(&b->passes[WRITE]) && !b->stopped)
		write_one(u);
	b->writes = can_run(&b->passes[WRITE]) && !b->stopped && begin_job(write_job, u);
	b->jobs -= !b->writes;
	/* Signalled under the lock: the upload may be gone as soon as it is released. */
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

typedef struct batch {
	int which;
	size_t n;
	upload *of[DIGEST_BESIDE];
	const block *blocks[DIGEST_BESIDE];
} batch;

/* Uploads whose next block waits for a digest; each has a job more for each queue that it is in. */
typedef struct waiting_line {
	upload *first, *last;
	int jobs;
} waiting_line;

static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;
static waiting_line lines[PASSES];

/* What the pass computes side by side with the others'; NULL: nothing. */
static digest *main_digest(const upload *u, int which)
{
	if (which == MD5)
		return u->md5;
	return u->sha256 ? u->sha256 : u->kind->digest == DIGEST_SHA256 ? u->check : NULL;
}

static void digest_blocks(const batch *t)
{
	digest *d[DIGEST_BESIDE];
	str pieces[DIGEST_BESIDE];
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++) {
		const upload *u = t->of[i];
		d[n] = main_digest(u, t->which);
		pieces[n] = str_of(t->blocks[i]->bytes, t->blocks[i]->n);
		/* A CRC costs next to nothing while the bytes are near; what costs more is with the slow ones. */
		if (t->which == (u->kind->crc ? MD5 : SHA) && u->check != d[n])
			digest_add(u->check, pieces[n].p, pieces[n].n);
		n += d[n] != NULL;
	}
	digest_add_beside(d, pieces, n);
}

/* One more, if its block is still there to be done: it has a job that ends here or in batch_run. */
static void batch_take(batch *t, upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	pass *p = &b->passes[t->which];
	if (can_run(p) && !b->stopped) {
		p->busy = true;
		t->of[t->n] = u;
		t->blocks[t->n++] = p->at;
	} else {
		b->jobs--;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
}

static upload *line_take(int which)
{
	pthread_mutex_lock(&lines_lock);
	waiting_line *l = &lines[which];
	upload *u = l->first;
	if (u) {
		l->first = u->behind->passes[which].next;
		u->behind->passes[which].queued = false;
	}
	pthread_mutex_unlock(&lines_lock);
	return u;
}

static void batch_run(batch *t)
{
	for (upload *u; t->n < DIGEST_BESIDE && (u = line_take(t->which)) != NULL;)
		batch_take(t, u);
	if (!t->n)
		return;
	digest_blocks(t);
	for (size_t i = 0; i < t->n; i++) {
		upload_behind *b = t->of[i]->behind;
		pthread_mutex_lock(&b->lock);
		pass_done(t->of[i], t->which);
		b->jobs--;
		pthread_mutex_unlock(&b->lock);
	}
}

static void digest_job(void *argument);

/* One that is counted already. */
static void begin_digest_job(waiting_line *l)
{
	if (begin_job(digest_job, l))
		return;
	pthread_mutex_lock(&lines_lock);
	l->jobs--;
	pthread_mutex_unlock(&lines_lock);
}

static void digest_job(void *argument)
{
	waiting_line *l = argument;
	batch t = { .which = (int)(l - lines) };
	batch_run(&t);
	pthread_mutex_lock(&lines_lock);
	bool more = l->first != NULL;
	l->jobs -= !more;
	pthread_mutex_unlock(&lines_lock);
	if (more)
		begin_digest_job(l);
}

/* With the upload's lock held. */
static void queue_digest(upload *u, int which)
{
	upload_behind *b = u->behind;
	pass *p = &b->passes[which];
	waiting_line *l = &lines[which];
	if (!can_run(p) || b->stopped)
		return;
	bool begins = false;
	pthread_mutex_lock(&lines_lock);
	if (!p->queued) {
		p->queued = true;
		p->next = NULL;
		if (l->first)
			l->last->behind->passes[which].next = u;
		else
			l->first = u;
		l->last = u;
		b->jobs++;
		begins = l->jobs < DIGEST_JOBS;
		l->jobs += begins;
	}
	pthread_mutex_unlock(&lines_lock);
	if (begins)
		begin_digest_job(l);
}

/* No more of it is to be done: with the lock held. */
static void leave_lines(upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&lines_lock);
	for (int which = MD5; which < PASSES; which++) {
		upload *before = NULL;
		if (!b->passes[which].queued)
			continue;
		for (upload *at = lines[which].first; at != u; at = at->behind->passes[which].next)
			before = at;
		if (before)
			before->behind->passes[which].next = b->passes[which].next;
		else
			lines[which].first = b->passes[which].next;
		if (lines[which].last == u)
			lines[which].last = before;
		b->passes[which].queued = false;
		b->jobs--;
	}
	pthread_mutex_unlock(&lines_lock);
}

/* With the lock held. */
static void hand_over(upload *u)
{
	upload_behind *b = u->behind;
	block *k = b->filling;
	b->filling = NULL;
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
	if (!b->writes && can_run(&b->passes[WRITE])) {
		b->writes = begin_job(write_job, u);
		b->jobs += b->writes;
	}
	queue_digest(u, MD5);
	queue_digest(u, SHA);
}

bool upload_behind_ready(upload *u)
{
	upload_behind *b = u->behind;
	if (b->small)
		return true;
	pthread_mutex_lock(&b->lock);
	bool fits = b->filling || (b->waiting < BLOCKS_OF_ONE && atomic_load(&all_waiting) < BLOCKS_MAX);
	pthread_mutex_unlock(&b->lock);
	return fits;
}

char *upload_behind_room(upload *u, size_t *n)
{
	upload_behind *b = u->behind;
	if (b->small)
		return NULL;
	pthread_mutex_lock(&b->lock);
	b->receiving = true;
	if (!b->filling)
		b->filling = block_take();
	pthread_mutex_unlock(&b->lock);
	*n = BLOCK - b->filling->n;
	return b->filling->bytes + b->filling->n;
}

/* What the writer held has become too much: it goes before the rest into blocks. */
static void leave_memory(upload *u)
{
	size_t room = 0;
	u->behind->small = false;
	char *to = upload_behind_room(u, &room);
	memcpy(to, u->to.held, (size_t)u->to.size);
	u->behind->filling->n = (size_t)u->to.size;
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
		pthread_mutex_lock(&b->lock);
		if (b->filling->n == BLOCK)
			hand_over(u);
		pthread_mutex_unlock(&b->lock);
	}
	/* While nobody has anything of it to do, what there is need not wait for more. */
	pthread_mutex_lock(&b->lock);
	b->receiving = false;
	block *empty = b->filling && !b->filling->n ? b->filling : NULL;
	if (empty)
		b->filling = NULL;
	else if (!b->waiting && b->filling)
		hand_over(u);
	pthread_mutex_unlock(&b->lock);
	if (empty)
		block_put(empty);
}

err upload_behind_fault(upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	err e = b->fault;
	pthread_mutex_unlock(&b->lock);
	return e;
}

/* Beside what others wait for, so that they gain by it. With the lock held, and lets it go meanwhile. */
static void digest_one(upload *u, int which)
{
	upload_behind *b = u->behind;
	batch t = { .which = which };
	b->jobs++;
	pthread_mutex_unlock(&b->lock);
	batch_take(&t, u);
	batch_run(&t);
	pthread_mutex_lock(&b->lock);
}

err upload_behind_written(upload *u)
{
	upload_behind *b = u->behind;
	if (b->small) {
		const block all = { .bytes = u->to.held, .n = (size_t)u->to.size };
		digest_blocks(&(batch){ .which = MD5, .n = 1, .of = { u }, .blocks = { &all } });
		digest_blocks(&(batch){ .which = SHA, .n = 1, .of = { u }, .blocks = { &all } });
		return OK;
	}
	pthread_mutex_lock(&b->lock);
	if (b->filling)
		hand_over(u);
	while (b->passes[WRITE].at)
		if (can_run(&b->passes[WRITE]))
			write_one(u);
		else
			pthread_cond_wait(&b->changed, &b->lock);
	err e = b->fault;
	pthread_mutex_unlock(&b->lock);
	return e;
}

void upload_behind_digested(upload *u)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	while (b->passes[MD5].at || b->passes[SHA].at)
		if (can_run(&b->passes[MD5]))
			digest_one(u, MD5);
		else if (can_run(&b->passes[SHA]))
			digest_one(u, SHA);
		else
			pthread_cond_wait(&b->changed, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

/* Nobody touches the upload any more when this returns. */
static void end(void *subject)
{
	upload *u = subject;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	leave_lines(u);
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
	pthread_rwlock_wrlock(&workers_lock);
	workers = pool_open_humble(THREADS);
	pthread_rwlock_unlock(&workers_lock);
	return OK;
}

static void stop(void)
{
	pthread_rwlock_wrlock(&workers_lock);
	pool *p = workers;
	workers = NULL;
	pthread_rwlock_unlock(&workers_lock);
	pool_close(p);
	while (spare) {
		block *next = spare->next;
		arena_close(spare->mem);
		spare = next;
	}
	spares = 0;
}

SERVER_PART(s3_digests, start, stop);
