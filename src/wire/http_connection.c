/* The life of a connection: its turns, its deadlines, its end; and that of exchanges. */
#include "wire/http_connection.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_STEPS 64
#define ARENA_FIRST ((size_t)16 << 10)

exchange *http_exchange_take(http_loop *l)
{
	exchange *e = l->exchanges;
	if (e) {
		l->exchanges = e->next;
		l->n_exchanges--;
	} else {
		/* Room for a few headers that the application adds. */
		size_t max = l->server->limits.headers + 8;
		e = malloc(sizeof *e + max * sizeof(http_header));
		ensure(e != NULL);
		e->x.mem = arena_open(ARENA_FIRST);
		e->headers_max = max;
	}
	arena *mem = e->x.mem;
	size_t max = e->headers_max;
	memset(e, 0, sizeof *e);
	e->headers_max = max;
	e->fd = -1;
	e->x.mem = e->x.in.mem = mem;
	e->x.server = l->server;
	return e;
}

static void free_exchange(exchange *e)
{
	arena_close(e->x.mem);
	free(e);
}

void http_exchange_put(http_loop *l, exchange *e)
{
	if (l->n_exchanges >= HTTP_SPARES) {
		free_exchange(e);
		return;
	}
	arena_reset(e->x.mem);
	e->next = l->exchanges;
	l->exchanges = e;
	l->n_exchanges++;
}

static void end_exchange(exchange *e)
{
	const http_app *app = &e->x.server->app;
	if (app->finished)
		app->finished(app->context, &e->x, e->status, e->sent);
	if (e->fd >= 0)
		close(e->fd);
	http_stream_free(e);
	/* One whose client had gone before it began. */
	if (e->tunnel)
		http_tunnel_ended(e->tunnel);
	free(e->body);
	atomic_fetch_sub(&e->x.server->held, e->body_capacity);
}

void http_connection_queue(http_connection *c)
{
	if (c->queued)
		return;
	c->queued = true;
	loop_later(c->l->loop, &c->later);
}

void http_exchange_finish(exchange *e)
{
	http_connection *c = e->c;
	end_exchange(e);
	http_buffer_put(c->l, e->kept, e->kept_capacity);
	c->x = NULL;
	http_exchange_put(c->l, e);
	if (c->phase == PHASE_CLOSED)
		http_connection_queue(c);
}

void http_exchange_orphaned(exchange *e)
{
	http_connection *c = e->c;
	http_loop *l = c->l;
	end_exchange(e);
	free(e->kept);
	free_exchange(e);
	free(c->in);
	free(c);
	http_orphan_done(l);
}

static void free_connection(http_connection *c)
{
	http_buffer_put(c->l, c->in, c->in_capacity);
	free(c);
}

void http_connection_turn(loop_task *t)
{
	http_connection *c = LOOP_OWNER(t, http_connection, later);
	c->queued = false;
	if (c->phase != PHASE_CLOSED)
		http_connection_advance(c);
	else if (!c->x)
		free_connection(c);
}

static void leave_loop(http_connection *c)
{
	http_loop *l = c->l;
	int fd = c->io.fd;
	if (c->before)
		c->before->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->before = c->before;
	loop_timer_clear(l->loop, &c->timer);
	http_body_wait_no_more(c);
	if (c->tls) {
		tls_goodbye(c->tls);
		tls_session_close(c->tls);
		c->tls = NULL;
	}
	loop_remove(l->loop, &c->io);
	close(fd);
	free(c->pending);
	c->pending = NULL;
	c->pending_n = 0;
	atomic_fetch_sub(&l->server->connections, 1);
	http_loop_resume(l);
}

static void stream_cut(exchange *e)
{
	if (!http_stream_gone(e))
		return;
	e->c->l->outstanding--;
	http_exchange_finish(e);
}

void http_connection_close(http_connection *c)
{
	http_phase was = c->phase;
	if (was == PHASE_CLOSED)
		return;
	c->phase = PHASE_CLOSED;
	c->l->out_n = 0;
	leave_loop(c);
	exchange *e = c->x;
	if (was == PHASE_TUNNEL) {
		http_tunnel_ended(c->tunnel);
		c->tunnel = NULL;
	}
	if (!e)
		http_connection_queue(c);
	else if (was == PHASE_STREAM)
		stream_cut(e);
	else if (was == PHASE_BODY && e->x.sink)
		http_body_cut(c);
	else if (was != PHASE_APP)
		http_exchange_finish(e);
}

static void shut(http_connection *c)
{
	if (!c->linger || c->eof) {
		http_connection_close(c);
		return;
	}
	if (c->tls)
		tls_goodbye(c->tls);
	shutdown(c->io.fd, SHUT_WR);
	c->phase = PHASE_LINGER;
	c->readable = true;
}

static bool after_flush(http_connection *c, http_flush f)
{
	c->blocked = f == FLUSH_BLOCKED;
	c->sated = f == FLUSH_MORE;
	if (f == FLUSH_BROKEN)
		http_connection_close(c);
	else if (f == FLUSHED && c->phase == PHASE_DRAIN)
		shut(c);
	else if (f == FLUSHED)
		http_connection_replied(c);
	return f == FLUSHED || f == FLUSH_MORE;
}

/* One thing. true: there may be another. */
static bool step(http_connection *c)
{
	switch (c->phase) {
	case PHASE_NEW:
		return http_input_new(c);
	case PHASE_HEAD:
		/* A client that does not take its answers gets no further ones. */
		return c->pending_n ? false : http_input_head(c);
	case PHASE_BODY:
		return http_body_more(c);
	case PHASE_REPLY:
		return after_flush(c, http_reply_more(c));
	case PHASE_STREAM:
		return after_flush(c, http_stream_more(c));
	case PHASE_DRAIN:
		return after_flush(c, http_out_flush(c));
	case PHASE_TUNNEL:
		return http_tunnel_more(c);
	case PHASE_LINGER:
		return http_input_linger(c);
	case PHASE_APP:
	case PHASE_CLOSED:
		break;
	}
	return false;
}

static http_wait wanted_wait(const http_connection *c)
{
	if (c->phase == PHASE_LINGER)
		return WAIT_LINGER;
	if (c->pending_n || c->blocked || c->phase == PHASE_REPLY || c->phase == PHASE_DRAIN)
		return WAIT_WRITE;
	switch (c->phase) {
	case PHASE_HEAD:
		/* The deadline of a head counts from its first byte, and covers a handshake. */
		return c->in_end > c->in_start || (c->tls && !tls_established(c->tls)) ? WAIT_HEAD
		                                                                       : WAIT_IDLE;
	case PHASE_NEW:
		return WAIT_IDLE;
	case PHASE_BODY:
		/* It is not the client who is slow. */
		return c->full ? WAIT_NONE : WAIT_BODY;
	default:
		return WAIT_NONE;
	}
}

static int wait_ms(const http_connection *c, http_wait w)
{
	const http_limits *lim = &c->l->server->limits;
	switch (w) {
	case WAIT_HEAD: return lim->head_ms;
	case WAIT_BODY: return lim->body_stall_ms;
	case WAIT_LINGER: return HTTP_LINGER_MS;
	default: return lim->idle_ms;
	}
}

static void settle_deadline(http_connection *c)
{
	http_wait w = wanted_wait(c);
	bool again = w == WAIT_WRITE && c->progressed;
	c->progressed = false;
	if (w == WAIT_NONE && c->timer.at_ms)
		loop_timer_clear(c->l->loop, &c->timer);
	else if (w != c->wait || again)
		loop_timer_set(c->l->loop, &c->timer, loop_now_ms(c->l->loop) + wait_ms(c, w));
	c->wait = w;
}

void http_connection_advance(http_connection *c)
{
	/* Callbacks of the application may end here again, by way of http_reply on this thread. */
	ensure(!c->in_app);
	bool more = true;
	if (c->pending_n && http_out_flush(c) == FLUSH_BROKEN)
		http_connection_close(c);
	c->sated = false;
	c->turn = 0;
	for (int i = 0; more && !c->sated && i < TURN_STEPS; i++)
		more = step(c);
	/* What held the next request back may go now, without the socket announcing anything. */
	bool held = c->pending_n > 0;
	if (c->phase != PHASE_CLOSED && http_out_flush(c) == FLUSH_BROKEN)
		http_connection_close(c);
	if (c->phase == PHASE_CLOSED)
		return;
	if (more || (held && !c->pending_n))
		http_connection_queue(c);
	bool waits = c->phase == PHASE_HEAD || c->phase == PHASE_TUNNEL;
	if (waits && c->in && c->in_start == c->in_end) {
		http_buffer_put(c->l, c->in, c->in_capacity);
		c->in = NULL;
		c->in_start = c->in_end = c->in_capacity = 0;
	}
	settle_deadline(c);
}

void http_connection_replied(http_connection *c)
{
	exchange *e = c->x;
	bool keep = e->keep_alive && !c->l->stopping;
	c->linger = !e->body_whole || c->in_end > c->in_start;
	c->blocked = false;
	http_exchange_finish(e);
	c->phase = keep ? PHASE_HEAD : PHASE_DRAIN;
}

void http_connection_refuse(http_connection *c, int status)
{
	exchange *e = c->x;
	if (e) {
		e->status = status;
		http_exchange_finish(e);
	}
	str reason = http_reason(status);
	char text[512];
	int n = snprintf(text, sizeof text,
	                 "HTTP/1.1 %d %.*s\r\nDate: %.*s\r\nContent-Type: text/plain\r\n"
	                 "Content-Length: %zu\r\nConnection: close\r\n\r\n%d %.*s\n",
	                 status, STR_ARG(reason), STR_ARG(http_date_now()), reason.n + 5, status,
	                 STR_ARG(reason));
	http_out(c, (str){ text, (size_t)n });
	c->linger = true;
	c->phase = PHASE_DRAIN;
}

static void refuse_slow_body(http_connection *c)
{
	const http_limits *lim = &c->l->server->limits;
	uint64_t least = (uint64_t)lim->body_min_rate * (uint64_t)lim->body_stall_ms / 1000;
	if (c->window >= least) {
		c->window = 0;
		c->wait = WAIT_NONE; /* the next window begins */
	} else if (c->x->x.sink) {
		http_body_cut(c);
	} else {
		http_connection_refuse(c, 408);
	}
}

static void deadline(loop_timer *t)
{
	http_connection *c = LOOP_OWNER(t, http_connection, timer);
	switch (c->wait) {
	case WAIT_HEAD:
		if (c->in_end == c->in_start) {
			http_connection_close(c);
			return;
		}
		http_connection_refuse(c, 408);
		break;
	case WAIT_BODY:
		refuse_slow_body(c);
		break;
	default:
		http_connection_close(c);
		return;
	}
	http_connection_advance(c);
}

static void ready(loop_io *io, uint32_t events)
{
	http_connection *c = LOOP_OWNER(io, http_connection, io);
	if (events & (EPOLLERR | EPOLLHUP)) {
		/* Reset, or both sides closed: nobody is there to be answered. */
		http_connection_close(c);
		return;
	}
	if (events & EPOLLRDHUP)
		c->fin = true;
	/* TLS may have to write before it can read. */
	if (events & (EPOLLIN | EPOLLRDHUP) || c->tls)
		c->readable = true;
	/* Hundreds of uploads must not stand before a small request. */
	if (c->phase == PHASE_BODY && c->x->x.sink)
		http_connection_queue(c);
	else
		http_connection_advance(c);
}

void http_connection_open(http_loop *l, int fd, const char *peer)
{
	http_connection *c = calloc(1, sizeof *c);
	ensure(c != NULL);
	c->l = l;
	c->io = (loop_io){ .fd = fd, .ready = ready };
	c->timer.fire = deadline;
	c->later.run = http_connection_turn;
	memcpy(c->peer, peer, strnlen(peer, sizeof c->peer - 1));
	if (!loop_add(l->loop, &c->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)) {
		close(fd);
		free(c);
		atomic_fetch_sub(&l->server->connections, 1);
		return;
	}
	c->next = l->first;
	if (c->next)
		c->next->before = c;
	l->first = c;
	settle_deadline(c);
}
