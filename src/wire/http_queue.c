#include "wire/http_queue.h"
#include <stdlib.h>

#define TURN_BLOCKS 64

void http_queue_init(http_queue *q)
{
	*q = (http_queue){ .gone = false };
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->room, NULL);
	q->last = &q->first;
}

static void free_blocks(http_block *b)
{
	while (b) {
		http_block *next = b->next;
		free(b);
		b = next;
	}
}

void http_queue_done(http_queue *q)
{
	free_blocks(q->first);
	free_blocks(q->sending);
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->room);
}

http_block *http_block_of(size_t n)
{
	http_block *b = malloc(sizeof *b + n);
	ensure(b != NULL);
	b->next = NULL;
	b->n = b->sent = 0;
	return b;
}

bool http_queue_put(http_queue *q, http_block *b, bool wait)
{
	while (wait && q->behind > HTTP_BEHIND_MAX && !q->gone)
		pthread_cond_wait(&q->room, &q->lock);
	if (q->gone)
		return false;
	*q->last = b;
	q->last = &b->next;
	q->behind += b->n;
	return true;
}

void http_queue_cut(http_queue *q)
{
	q->gone = true;
	free_blocks(q->first);
	free_blocks(q->sending);
	q->first = q->sending = NULL;
	q->last = &q->first;
	pthread_cond_broadcast(&q->room);
}

/* Takes what has been written since the last look behind what is being sent. */
static void take_written(http_queue *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->first) {
		if (q->sending)
			q->sending_last->next = q->first;
		else
			q->sending = q->first;
		q->sending_last = LOOP_OWNER(q->last, http_block, next);
		q->first = NULL;
		q->last = &q->first;
	}
	pthread_mutex_unlock(&q->lock);
}

static http_flush send_block(http_connection *c, http_queue *q)
{
	http_block *b = q->sending;
	if (b->n <= HTTP_COPIED && !c->pending_n) {
		http_out(c, (str){ b->bytes, b->n });
	} else {
		http_flush f = http_out_bytes(c, b->bytes, b->n, &b->sent);
		if (f != FLUSHED)
			return f;
	}
	q->sending = b->next;
	pthread_mutex_lock(&q->lock);
	q->behind -= b->n;
	if (q->behind <= HTTP_BEHIND_MAX)
		pthread_cond_broadcast(&q->room);
	pthread_mutex_unlock(&q->lock);
	free(b);
	return FLUSHED;
}

http_flush http_queue_send(http_connection *c, http_queue *q, uint64_t *sent)
{
	take_written(q);
	for (int i = 0; q->sending; i++) {
		size_t n = q->sending->n;
		http_flush f = i < TURN_BLOCKS ? send_block(c, q) : FLUSH_MORE;
		if (f != FLUSHED)
			return f;
		*sent += n;
	}
	return http_out_flush(c);
}
