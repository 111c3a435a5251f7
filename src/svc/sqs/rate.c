#include "rate.h"
#include "base/time.h"
#include "queue.h"
#include <pthread.h>

#define SLOTS 4096

/* In thousandths of a call, which are what a millisecond brings for each call of a second. */
typedef struct bucket {
	uint64_t key;
	int64_t left, at;
} bucket;
static bucket buckets[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool rate_take(str key, int64_t now, int64_t per_second)
{
	uint64_t hash = str_hash(key) | 1;
	int64_t full = per_second * MS_SECOND;
	bucket *b = &buckets[hash / 2 % SLOTS];
	pthread_mutex_lock(&lock);
	int64_t past = now - b->at;
	if (b->key != hash || past >= MS_SECOND || past < 0)
		*b = (bucket){ hash, full, now };
	b->left += (now - b->at) * per_second;
	b->left = b->left < full ? b->left : full;
	b->at = now;
	bool good = b->left >= MS_SECOND;
	b->left -= good ? MS_SECOND : 0;
	pthread_mutex_unlock(&lock);
	return good;
}

static err throttled(req *rq) { return fail(rq, &aws_Throttling, "Rate exceeded"); }

err queue_rate(req *rq, const sqs_queue *q, const queue_settings *s, const char *kind)
{
	/* What one of our services puts in is its own affair; a handler that runs once more has been counted. */
	if (!s->fifo || !rq->http || rq->parent || rq->again)
		return OK;
	str key = arena_fmt(rq->mem, "%lld %s", (long long)q->Id, kind);
	return rate_take(key, rq->now, s->fast ? SQS_FIFO_FAST_RATE : SQS_FIFO_RATE) ? OK : throttled(rq);
}

err queue_group_rate(req *rq, const sqs_queue *q, const queue_settings *s, str group)
{
	if (!s->fifo || !s->fast || !rq->http || rq->parent || rq->again)
		return OK;
	str key = arena_fmt(rq->mem, "%lld group %.*s", (long long)q->Id, STR_ARG(group));
	return rate_take(key, rq->now, SQS_FIFO_RATE) ? OK : throttled(rq);
}
