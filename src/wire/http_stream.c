/* Replies of unknown length, written by a thread that may wait, sent by the loop. */
#include "wire/http_connection.h"
#include <stdio.h>
#include <stdlib.h>

#define BEHIND_MAX ((size_t)1 << 20)
#define BLOCK_MAX ((size_t)64 << 10)

typedef struct block {
	struct block *next;
	size_t n, sent;
	char bytes[];
} block;

/* Under `lock` but for `sending`, which is the loop's. */
struct http_stream {
	pthread_mutex_t lock;
	pthread_cond_t room;
	block *first, **last;
	size_t behind; /* bytes not yet sent */
	bool chunked, posted, ended, gone;
	block *sending, *sending_last;
};
typedef struct http_stream stream;

static void free_blocks(block *b)
{
	while (b) {
		block *next = b->next;
		free(b);
		b = next;
	}
}

void http_stream_free(exchange *e)
{
	stream *s = e->stream;
	if (!s)
		return;
	free_blocks(s->first);
	free_blocks(s->sending);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->room);
	free(s);
	e->stream = NULL;
}

bool http_stream_gone(exchange *e)
{
	stream *s = e->stream;
	pthread_mutex_lock(&s->lock);
	s->gone = true;
	bool over = s->ended && !s->posted;
	free_blocks(s->first);
	s->first = NULL;
	s->last = &s->first;
	pthread_cond_broadcast(&s->room);
	pthread_mutex_unlock(&s->lock);
	free_blocks(s->sending);
	s->sending = NULL;
	return over;
}

/* Takes what has been written since the last look behind what is being sent. */
static void take_written(stream *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->first) {
		if (s->sending)
			s->sending_last->next = s->first;
		else
			s->sending = s->first;
		s->sending_last = LOOP_OWNER(s->last, block, next);
		s->first = NULL;
		s->last = &s->first;
	}
	pthread_mutex_unlock(&s->lock);
}

static bool is_over(stream *s)
{
	pthread_mutex_lock(&s->lock);
	/* With a task on its way the exchange must still be there for it. */
	bool over = s->ended && !s->posted && !s->first;
	pthread_mutex_unlock(&s->lock);
	return over;
}

static http_flush send_block(http_connection *c, stream *s)
{
	block *b = s->sending;
	http_flush f = FLUSHED;
	if (b->n <= HTTP_COPIED && !c->pending_n) {
		http_out(c, (str){ b->bytes, b->n });
	} else {
		f = http_out_bytes(c, b->bytes, b->n, &b->sent);
		if (f != FLUSHED)
			return f;
	}
	c->x->sent += b->n;
	s->sending = b->next;
	pthread_mutex_lock(&s->lock);
	s->behind -= b->n;
	if (s->behind <= BEHIND_MAX)
		pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->lock);
	free(b);
	return f;
}

http_flush http_stream_more(http_connection *c)
{
	stream *s = c->x->stream;
	take_written(s);
	for (size_t n = 0; s->sending; n++) {
		http_flush f = n < 64 ? send_block(c, s) : FLUSH_MORE;
		if (f != FLUSHED)
			return f;
	}
	http_flush f = http_out_flush(c);
	if (f != FLUSHED)
		return f;
	if (!is_over(s))
		return FLUSH_WAITING;
	c->l->outstanding--;
	return FLUSHED;
}

static void stream_posted(loop_task *t)
{
	exchange *e = LOOP_OWNER(t, exchange, task);
	http_connection *c = e->c;
	stream *s = e->stream;
	pthread_mutex_lock(&s->lock);
	s->posted = false;
	bool ended = s->ended;
	pthread_mutex_unlock(&s->lock);
	if (c->phase == PHASE_CLOSED) {
		http_stream_gone(e);
		if (ended) {
			c->l->outstanding--;
			http_exchange_finish(e);
		}
		return;
	}
	if (c->phase == PHASE_APP) {
		c->phase = PHASE_STREAM;
		http_out(c, e->head);
	}
	http_connection_advance(c);
}

/* Called with the lock held; lets it go. */
static void post(exchange *e, stream *s)
{
	bool needed = !s->posted;
	s->posted = true;
	bool ended = s->ended;
	pthread_mutex_unlock(&s->lock);
	if (!needed)
		return;
	e->task.run = stream_posted;
	if (loop_post(e->c->l->loop, &e->task))
		return;
	if (ended) {
		http_exchange_orphaned(e);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->posted = false;
	s->gone = true;
	pthread_mutex_unlock(&s->lock);
}

void http_stream_begin(http_exchange *x, const wire_message *out)
{
	exchange *e = (exchange *)x;
	ensure(!e->replied);
	e->replied = true;
	stream *s = calloc(1, sizeof *s);
	ensure(s != NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->room, NULL);
	s->last = &s->first;
	/* HTTP/1.0 knows no chunks: the end of the connection is the end of the reply. */
	s->chunked = e->minor > 0;
	if (!s->chunked)
		e->keep_alive = false;
	http_reply_head(e, out, -1, s->chunked);
	e->stream = s;
	pthread_mutex_lock(&s->lock);
	post(e, s);
}

static block *frame(const stream *s, str bytes)
{
	block *b = malloc(sizeof *b + bytes.n + 24);
	ensure(b != NULL);
	*b = (block){ .n = 0 };
	if (s->chunked)
		b->n = (size_t)snprintf(b->bytes, 24, "%zx\r\n", bytes.n);
	memcpy(b->bytes + b->n, bytes.p, bytes.n);
	b->n += bytes.n;
	if (s->chunked) {
		memcpy(b->bytes + b->n, "\r\n", 2);
		b->n += 2;
	}
	return b;
}

/* Called with the lock held. */
static void append(stream *s, block *b)
{
	*s->last = b;
	s->last = &b->next;
	s->behind += b->n;
}

static bool write_piece(exchange *e, stream *s, str piece)
{
	block *b = frame(s, piece);
	pthread_mutex_lock(&s->lock);
	while (s->behind > BEHIND_MAX && !s->gone)
		pthread_cond_wait(&s->room, &s->lock);
	if (s->gone) {
		pthread_mutex_unlock(&s->lock);
		free(b);
		return false;
	}
	append(s, b);
	post(e, s);
	return true;
}

bool http_stream_write(http_exchange *x, str bytes)
{
	exchange *e = (exchange *)x;
	stream *s = e->stream;
	ensure(loop_current() == NULL);
	while (bytes.n && !e->no_body) {
		str piece = str_sub(bytes, 0, BLOCK_MAX);
		if (!write_piece(e, s, piece))
			return false;
		bytes = str_sub(bytes, piece.n, bytes.n);
	}
	pthread_mutex_lock(&s->lock);
	bool gone = s->gone;
	pthread_mutex_unlock(&s->lock);
	return !gone;
}

void http_stream_end(http_exchange *x)
{
	exchange *e = (exchange *)x;
	stream *s = e->stream;
	static const char last[] = "0\r\n\r\n";
	block *b = NULL;
	if (s->chunked && !e->no_body) {
		b = malloc(sizeof *b + sizeof last);
		ensure(b != NULL);
		*b = (block){ .n = sizeof last - 1 };
		memcpy(b->bytes, last, sizeof last);
	}
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	if (b && !s->gone)
		append(s, b);
	else
		free(b);
	post(e, s);
}
