/*
 * Bytes from any thread on their way to a connection: what streams and tunnels have in common.
 * Whoever writes is held back while the client is more than HTTP_BEHIND_MAX behind. Private to
 * wire/http*.c.
 */
#pragma once
#include "wire/http_connection.h"

#define HTTP_BEHIND_MAX ((size_t)1 << 20)
#define HTTP_BLOCK_MAX ((size_t)64 << 10)

typedef struct http_block {
	struct http_block *next;
	size_t n, sent;
	char bytes[];
} http_block;

/* Under `lock` but for `sending`, which is the loop's. */
typedef struct http_queue {
	pthread_mutex_t lock;
	pthread_cond_t room;
	http_block *first, **last;
	size_t behind; /* bytes not yet handed to the socket */
	bool gone;     /* nobody will take them */
	http_block *sending, *sending_last;
} http_queue;

void http_queue_init(http_queue *q);
void http_queue_done(http_queue *q);
/* A block with room for n bytes; b->n is how many are in it. */
http_block *http_block_of(size_t n);
/* With the lock held. Waits for room when `wait`; true: appended, and the block is the queue's. */
bool http_queue_put(http_queue *q, http_block *b, bool wait);
/* On the loop: drops what is left and wakes whoever waits. Called with the lock held. */
void http_queue_cut(http_queue *q);
/* On the loop: sends what there is. FLUSHED: all of it. */
http_flush http_queue_send(http_connection *c, http_queue *q, uint64_t *sent);
