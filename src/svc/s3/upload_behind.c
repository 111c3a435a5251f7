/*
 * MD5 takes longer than receiving and writing together, so it runs beside them: a job on a few threads has
 * the disk begin with what has been written since it last looked, and digests it from the file. One job of
 * an upload at a time; it goes to the end of the queue after each turn, so that a large upload does not keep
 * the others waiting.
 */
#include "cloud/server.h"
#include "content_folder.h"
#include "faults.h"
#include "sys/pool.h"
#include "upload.h"
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define THREADS 4
#define TURN ((int64_t)1 << 20)
#define WORTH ((int64_t)256 << 10) /* less than this waits for more */

typedef struct upload_behind {
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int64_t written, hashed;
	bool running, stopped;
	int failed;          /* errno */
	char *block;
} upload_behind;

static pool *workers;

/* As far as the file goes, at most one turn. */
static void hash_some(upload *u, int64_t to)
{
	upload_behind *b = u->behind;
	for (int64_t end = b->hashed + TURN < to ? b->hashed + TURN : to; b->hashed < end && !b->failed;) {
		int64_t want = end - b->hashed;
		size_t n = want < (int64_t)CONTENT_BLOCK ? (size_t)want : CONTENT_BLOCK;
		ssize_t got = pread(u->to.fd, b->block, n, b->hashed);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			b->failed = got < 0 ? errno : EIO;
			return;
		}
		upload_hash(u, b->block, (size_t)got);
		b->hashed += got;
	}
}

static void work(void *argument)
{
	upload *u = argument;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	int64_t to = b->written;
	bool go = !b->stopped;
	pthread_mutex_unlock(&b->lock);
	if (go) {
		content_write_push(&u->to, to);
		hash_some(u, to);
	}
	pthread_mutex_lock(&b->lock);
	bool more = !b->stopped && !b->failed && b->hashed < b->written;
	b->running = more;
	/* Signalled under the lock: the upload may be gone as soon as it is released. */
	if (!more)
		pthread_cond_broadcast(&b->idle);
	pthread_mutex_unlock(&b->lock);
	if (more)
		pool_run(workers, work, u);
}

static void wait_idle(upload_behind *b)
{
	pthread_mutex_lock(&b->lock);
	while (b->running)
		pthread_cond_wait(&b->idle, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

/* Nobody touches the upload any more when this returns. */
static void stop_behind(void *subject)
{
	upload *u = subject;
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	b->stopped = true;
	pthread_mutex_unlock(&b->lock);
	wait_idle(b);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->idle);
	u->behind = NULL;
}

void upload_behind_start(upload *u)
{
	if (!workers || u->to.key)
		return;
	upload_behind *b = u->behind = arena_new(u->rq->mem, upload_behind);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->idle, NULL);
	b->block = arena_bytes(u->rq->mem, CONTENT_BLOCK);
	b->written = b->hashed = u->to.size;
	u->to.pushed = true;
	/* Hung after the digests and the file, so it comes before them: nobody uses them when they go. */
	arena_hook(u->rq->mem, stop_behind, u);
}

void upload_behind_more(upload *u, int64_t written, bool last)
{
	upload_behind *b = u->behind;
	pthread_mutex_lock(&b->lock);
	b->written = written;
	bool begin = !b->running && !b->failed && written - b->hashed >= (last ? 1 : WORTH);
	b->running |= begin;
	pthread_mutex_unlock(&b->lock);
	if (begin)
		pool_run(workers, work, u);
}

err upload_behind_end(upload *u)
{
	upload_behind *b = u->behind;
	wait_idle(b);
	while (b->hashed < b->written && !b->failed)
		hash_some(u, b->written);
	return b->failed ? content_fault(u->rq->mem, b->failed, "read") : OK;
}

static err start(store *s, str data_folder)
{
	(void)s;
	(void)data_folder;
	workers = pool_open(THREADS);
	return OK;
}

static void stop(void)
{
	pool *p = workers;
	workers = NULL;
	pool_close(p);
}

SERVER_PART(s3_digests, start, stop);
