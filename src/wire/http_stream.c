/* Replies of unknown length, written by a thread that may wait, sent by the loop. */
#include "wire/http_proxy.h"
#include "wire/http_queue.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct http_stream {
	http_queue q;
	/* under q.lock */
	bool posted, ended;
	/* constant */
	bool chunked;
} stream;

void http_stream_free(exchange *e)
{
	if (!e->stream)
		return;
	http_queue_done(&e->stream->q);
	free(e->stream);
	e->stream = NULL;
}

bool http_stream_gone(exchange *e)
{
	stream *s = e->stream;
	pthread_mutex_lock(&s->q.lock);
	http_queue_cut(&s->q);
	bool over = s->ended && !s->posted;
	pthread_mutex_unlock(&s->q.lock);
	return over;
}

static bool is_over(stream *s)
{
	pthread_mutex_lock(&s->q.lock);
	/* With a task on its way the exchange must still be there for it. */
	bool over = s->ended && !s->posted && !s->q.first;
	pthread_mutex_unlock(&s->q.lock);
	return over;
}

http_flush http_stream_more(http_connection *c)
{
	stream *s = c->x->stream;
	http_flush f = http_queue_send(c, &s->q, &c->x->sent);
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
	pthread_mutex_lock(&s->q.lock);
	s->posted = false;
	bool ended = s->ended;
	pthread_mutex_unlock(&s->q.lock);
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

/* Called with the lock held; lets it go. The exchange may be over as soon as it is posted. */
static void post(exchange *e, stream *s)
{
	bool needed = !s->posted, ended = s->ended;
	s->posted = true;
	pthread_mutex_unlock(&s->q.lock);
	if (!needed)
		return;
	e->task.run = stream_posted;
	if (loop_post(e->c->l->loop, &e->task))
		return;
	if (ended) {
		http_exchange_orphaned(e);
		return;
	}
	pthread_mutex_lock(&s->q.lock);
	s->posted = false;
	s->q.gone = true;
	pthread_mutex_unlock(&s->q.lock);
}

void http_stream_begin(http_exchange *x, const wire_message *out)
{
	exchange *e = (exchange *)x;
	ensure(!e->replied);
	e->replied = true;
	stream *s = calloc(1, sizeof *s);
	ensure(s != NULL);
	http_queue_init(&s->q);
	/* HTTP/1.0 knows no chunks: the end of the connection is the end of the reply. */
	s->chunked = e->minor > 0;
	if (!s->chunked)
		e->keep_alive = false;
	http_reply_head(e, out, -1, s->chunked);
	e->stream = s;
	pthread_mutex_lock(&s->q.lock);
	post(e, s);
}

static http_block *frame(const stream *s, str bytes)
{
	http_block *b = http_block_of(bytes.n + 24);
	if (s->chunked)
		b->n = (size_t)snprintf(b->bytes, 20, "%zx\r\n", bytes.n);
	memcpy(b->bytes + b->n, bytes.p, bytes.n);
	b->n += bytes.n;
	if (s->chunked) {
		memcpy(b->bytes + b->n, "\r\n", 2);
		b->n += 2;
	}
	return b;
}

static bool write_piece(exchange *e, stream *s, str piece)
{
	http_block *b = frame(s, piece);
	pthread_mutex_lock(&s->q.lock);
	if (!http_queue_put(&s->q, b, true)) {
		pthread_mutex_unlock(&s->q.lock);
		free(b);
		return false;
	}
	post(e, s);
	return true;
}

bool http_stream_write(http_exchange *x, str bytes)
{
	exchange *e = (exchange *)x;
	stream *s = e->stream;
	ensure(loop_current() == NULL);
	while (bytes.n && !e->no_body) {
		str piece = str_sub(bytes, 0, HTTP_BLOCK_MAX);
		if (!write_piece(e, s, piece))
			return false;
		bytes = str_sub(bytes, piece.n, bytes.n);
	}
	pthread_mutex_lock(&s->q.lock);
	bool gone = s->q.gone;
	pthread_mutex_unlock(&s->q.lock);
	return !gone;
}

void http_stream_end(http_exchange *x)
{
	exchange *e = (exchange *)x;
	stream *s = e->stream;
	static const char last[] = "0\r\n\r\n";
	http_block *b = NULL;
	if (s->chunked && !e->no_body) {
		b = http_block_of(sizeof last);
		memcpy(b->bytes, last, sizeof last);
		b->n = sizeof last - 1;
	}
	pthread_mutex_lock(&s->q.lock);
	s->ended = true;
	if (b && !http_queue_put(&s->q, b, false))
		free(b);
	post(e, s);
}

void http_stream_break(http_exchange *x)
{
	exchange *e = (exchange *)x;
	stream *s = e->stream;
	pthread_mutex_lock(&s->q.lock);
	e->keep_alive = false;
	s->ended = true;
	post(e, s);
}

bool http_is_first(const http_exchange *x)
{
	return ((const exchange *)x)->first;
}
