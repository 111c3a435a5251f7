/* Bodies of requests: in the input buffer where they fit, else in a block of their own, or into a
 * sink. */
#include "wire/http_connection.h"
#include <stdlib.h>

#define BLOCK_FIRST ((size_t)64 << 10)
#define CHUNK_ROOM ((size_t)4096) /* what must be left of a buffer for chunks to be read into */

/* Calls `request`. true: the reply has been given already. */
static bool ask(http_connection *c, exchange *e)
{
	http_server *s = c->l->server;
	c->l->outstanding++;
	c->in_app = true;
	s->app.request(s->app.context, &e->x);
	c->in_app = false;
	/* When another thread has the exchange, this one must not look at more than this. */
	if (!e->inline_reply)
		return false;
	c->l->outstanding--;
	return true;
}

bool http_body_hand_over(http_connection *c)
{
	exchange *e = c->x;
	c->phase = PHASE_APP;
	if (ask(c, e))
		http_reply_start(c);
	return c->phase != PHASE_APP;
}

bool http_body_cut(http_connection *c)
{
	exchange *e = c->x;
	http_body_wait_no_more(c);
	e->x.body_cut = true;
	e->keep_alive = false;
	if (c->phase != PHASE_CLOSED)
		return http_body_hand_over(c);
	if (ask(c, e))
		http_exchange_finish(e);
	return false;
}

static http_body_way choose_way(const http_connection *c, const exchange *e)
{
	if (e->chunked)
		return e->x.sink ? BODY_SINK_CHUNKS : BODY_CHUNKS;
	if (e->x.sink)
		return BODY_SINK;
	return e->body_left <= c->in_capacity - c->in_start ? BODY_IN_PLACE : BODY_BLOCK;
}

/* Chunks are read into what the head has left of its buffer. When that is little, the exchange
 * keeps the buffer and the connection gets another. */
static void swap_buffer(http_connection *c, exchange *e)
{
	size_t n = c->in_end - c->in_start, capacity = HTTP_BUFFER;
	char *fresh;
	if (n + CHUNK_ROOM > capacity) {
		capacity = n + CHUNK_ROOM;
		fresh = malloc(capacity);
		ensure(fresh != NULL);
	} else {
		fresh = http_buffer_take(c->l);
	}
	memcpy(fresh, c->in + c->in_start, n);
	e->kept = c->in;
	e->kept_capacity = c->in_capacity;
	c->in = fresh;
	c->in_capacity = capacity;
	c->in_start = 0;
	c->in_end = n;
}

static bool early_reply(http_connection *c, exchange *e)
{
	if (e->body_whole)
		c->in_start += e->body_left;
	c->phase = PHASE_APP;
	if (e->inline_reply)
		http_reply_start(c);
	else
		c->l->outstanding++;
	return c->phase != PHASE_APP;
}

bool http_body_begin(http_connection *c)
{
	exchange *e = c->x;
	http_server *s = c->l->server;
	size_t have = c->in_end - c->in_start;
	/* A body that is here already does not stand in the way of the next request. */
	e->body_whole = !e->chunked && e->body_left <= have;
	bool go = true;
	if (s->app.head) {
		c->in_app = true;
		go = s->app.head(s->app.context, &e->x);
		c->in_app = false;
	}
	if (!go)
		return early_reply(c, e);
	if (!e->chunked && e->body_left == 0) {
		/* There is nothing to wait for, but boto3 takes a final answer for a refusal and sends no
		 * body any more on this connection. */
		if (e->expect_continue)
			http_out(c, S("HTTP/1.1 100 Continue\r\n\r\n"));
		return http_body_hand_over(c);
	}
	if (!e->x.sink && e->body_left > e->x.body_max) {
		http_connection_refuse(c, 413);
		return true;
	}
	e->body_whole = false;
	if (e->expect_continue && have == 0)
		http_out(c, S("HTTP/1.1 100 Continue\r\n\r\n"));
	e->way = choose_way(c, e);
	if (e->chunked && c->in_capacity - c->in_start < CHUNK_ROOM + have)
		swap_buffer(c, e);
	e->body_at = c->in_start;
	c->window = 0;
	c->phase = PHASE_BODY;
	return true;
}

/* All bodies that are held in memory share one limit, however many connections there are. */
static bool hold(http_server *s, size_t more)
{
	if (atomic_fetch_add(&s->held, more) <= s->limits.held_bytes - more)
		return true;
	atomic_fetch_sub(&s->held, more);
	return false;
}

static bool grow_block(exchange *e, size_t need)
{
	if (need <= e->body_capacity)
		return true;
	size_t capacity = e->body_capacity ? e->body_capacity * 2 : BLOCK_FIRST;
	while (capacity < need)
		capacity *= 2;
	if (!e->chunked && capacity > e->x.body_bytes + e->body_left)
		capacity = e->x.body_bytes + e->body_left;
	size_t more = capacity - e->body_capacity;
	if (more > e->x.server->limits.held_bytes || !hold(e->x.server, more))
		return false;
	char *larger = realloc(e->body, capacity);
	if (!larger) {
		atomic_fetch_sub(&e->x.server->held, more);
		return false;
	}
	e->body = larger;
	e->body_capacity = capacity;
	return true;
}

/* A piece of the body has come. 0, or the status with which to refuse the rest. */
static int deliver(exchange *e, const char *p, size_t n)
{
	if (e->x.sink) {
		e->x.body_bytes += n;
		e->sink_stopped = !e->x.sink->write(e->x.sink, p, n);
		return 0;
	}
	if (n > e->x.body_max || e->body_n > e->x.body_max - n)
		return 413;
	if (!grow_block(e, e->body_n + n))
		return 503;
	memcpy(e->body + e->body_n, p, n);
	e->body_n += n;
	e->x.body_bytes += n;
	return 0;
}

static bool finished(http_connection *c, exchange *e, bool whole)
{
	e->body_whole = whole;
	e->x.in.body = e->body ? (str){ e->body, e->body_n } : e->x.in.body;
	return http_body_hand_over(c);
}

/* What is in the input buffer. *status: refuse. true: the body is over. */
static bool consume_length(http_connection *c, exchange *e, int *status)
{
	size_t have = c->in_end - c->in_start;
	size_t take = have < e->body_left ? have : (size_t)e->body_left;
	if (take)
		*status = deliver(e, c->in + c->in_start, take);
	c->in_start += take;
	e->body_left -= take;
	return e->body_left == 0;
}

static bool consume_chunks(http_connection *c, exchange *e, int *status)
{
	while (c->in_start < c->in_end && !*status && !e->sink_stopped) {
		size_t used = 0;
		str data = STR_NONE;
		http_chunk k = http_chunks_next(&e->chunks, c->in + c->in_start, c->in_end - c->in_start,
		                                &used, &data);
		c->in_start += used;
		if (k == CHUNK_DATA)
			*status = deliver(e, data.p, data.n);
		else if (k == CHUNK_END)
			return true;
		else if (k == CHUNK_BAD)
			*status = 400;
	}
	if (c->in_start == c->in_end)
		c->in_start = c->in_end = e->body_at;
	return false;
}

static bool in_place(http_connection *c, exchange *e)
{
	size_t have = c->in_end - c->in_start;
	if (have >= e->body_left) {
		e->x.in.body = (str){ c->in + c->in_start, (size_t)e->body_left };
		e->x.body_bytes = e->body_left;
		c->in_start += (size_t)e->body_left;
		return true;
	}
	return false;
}

void http_body_wait_no_more(http_connection *c)
{
	http_loop *l = c->l;
	if (!c->full)
		return;
	http_connection **at = &l->waiting;
	while (*at != c)
		at = &(*at)->wait_next;
	*at = c->wait_next;
	if (!*at)
		l->waiting_last = at;
	c->wait_next = NULL;
	c->full = false;
	atomic_store(&l->sinks_wait, l->waiting != NULL);
}

static bool has_room(const exchange *e)
{
	http_sink *s = e->x.sink;
	bool over = !e->chunked && e->body_left == 0;
	return !s || !s->ready || over || e->sink_stopped || s->ready(s);
}

/* Whoever makes room looks at sinks_wait afterwards: so it is set before the last look at the room. */
static bool must_wait(http_connection *c)
{
	http_loop *l = c->l;
	if (has_room(c->x)) {
		http_body_wait_no_more(c);
		return false;
	}
	if (c->full)
		return true;
	c->full = true;
	*l->waiting_last = c;
	l->waiting_last = &c->wait_next;
	atomic_store(&l->sinks_wait, true);
	if (!has_room(c->x))
		return true;
	http_body_wait_no_more(c);
	return false;
}

void http_body_sinks(loop_task *t)
{
	http_loop *l = LOOP_OWNER(t, http_loop, sinks);
	atomic_store(&l->sinks_posted, false);
	for (http_connection *c = l->waiting; c; c = c->wait_next)
		if (has_room(c->x))
			http_connection_queue(c);
}

/* Reads more of the body: into the block, the loop's scratch space or the input buffer. */
static ssize_t read_more(http_connection *c, exchange *e, int *status)
{
	ssize_t got;
	char *to, *own;
	size_t room;
	size_t left = e->body_left < HTTP_SCRATCH ? (size_t)e->body_left : HTTP_SCRATCH;
	switch (e->way) {
	case BODY_BLOCK:
		if (!grow_block(e, e->body_n + left)) {
			*status = 503;
			return 0;
		}
		got = http_receive(c, e->body + e->body_n, left);
		if (got > 0) {
			e->body_n += (size_t)got;
			e->x.body_bytes += (uint64_t)got;
			e->body_left -= (uint64_t)got;
		}
		return got;
	case BODY_SINK:
		own = e->x.sink->room ? e->x.sink->room(e->x.sink, &room) : NULL;
		to = own ? own : c->l->scratch;
		if (own)
			left = room < left ? room : left;
		got = http_receive(c, to, left);
		if (got > 0) {
			*status = deliver(e, to, (size_t)got);
			e->body_left -= (uint64_t)got;
		} else if (own && got == 0) {
			e->x.sink->write(e->x.sink, to, 0);
		}
		return got;
	default:
		got = http_receive(c, c->in + c->in_end, c->in_capacity - c->in_end);
		if (got > 0)
			c->in_end += (size_t)got;
		return got;
	}
}

static bool consume(http_connection *c, exchange *e, int *status)
{
	if (e->way == BODY_IN_PLACE)
		return in_place(c, e);
	return e->chunked ? consume_chunks(c, e, status) : consume_length(c, e, status);
}

bool http_body_more(http_connection *c)
{
	exchange *e = c->x;
	int status = 0;
	ssize_t got = 0;
	if (must_wait(c))
		return false;
	bool over = consume(c, e, &status);
	if (!over && !status && !e->sink_stopped && c->readable) {
		got = read_more(c, e, &status);
		if (got < 0) {
			/* A connection that broke has told the application already. */
			if (c->phase != PHASE_CLOSED)
				http_connection_close(c);
			return false;
		}
		c->window += (uint64_t)got;
		c->turn += (size_t)got;
		c->sated = c->turn >= HTTP_TURN_IN;
	}
	if (status) {
		http_connection_refuse(c, status);
		return true;
	}
	if (over || e->sink_stopped)
		return finished(c, e, over && !e->sink_stopped);
	return got > 0;
}
