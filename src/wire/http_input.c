/* From the socket to a request head. */
#include "wire/http_connection.h"
#include "sys/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

char *http_buffer_take(http_loop *l)
{
	http_buffer *b = l->buffers;
	if (b) {
		l->buffers = b->next;
		l->n_buffers--;
		return (char *)b;
	}
	char *p = malloc(HTTP_BUFFER);
	ensure(p != NULL);
	return p;
}

void http_buffer_put(http_loop *l, char *p, size_t capacity)
{
	if (!p)
		return;
	if (capacity != HTTP_BUFFER || l->n_buffers >= HTTP_SPARES) {
		free(p);
		return;
	}
	http_buffer *b = (http_buffer *)p;
	b->next = l->buffers;
	l->buffers = b;
	l->n_buffers++;
}

static ssize_t receive_tls(http_connection *c, char *p, size_t n)
{
	ssize_t got = tls_read(c->tls, p, n);
	if (got > 0)
		return got;
	c->readable = false;
	if (got == TLS_WAIT)
		return 0;
	c->eof = true;
	if (got == TLS_BROKEN)
		http_connection_close(c);
	return -1;
}

ssize_t http_receive(http_connection *c, char *p, size_t n)
{
	if (c->tls)
		return receive_tls(c, p, n);
	ssize_t got;
	do
		got = recv(c->io.fd, p, n, 0);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		/* A short read has emptied the socket; more will be announced. Only an end that
		 * has been announced already will not be announced again. */
		if ((size_t)got < n)
			c->readable = c->fin;
		return got;
	}
	c->readable = false;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	c->eof = true;
	if (got < 0)
		http_connection_close(c);
	return -1;
}

bool http_input_new(http_connection *c)
{
	char first;
	if (!c->readable)
		return false;
	ssize_t n = recv(c->io.fd, &first, 1, MSG_PEEK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = errno == EINTR;
		return c->readable;
	}
	if (n <= 0) {
		http_connection_close(c);
		return false;
	}
	/* The type of a TLS handshake record. No method of HTTP begins with it. */
	if (first == 0x16 && c->l->server->tls) {
		c->tls = tls_accept(c->l->server->tls, c->io.fd);
		if (!c->tls) {
			http_connection_close(c);
			return false;
		}
	}
	c->phase = PHASE_HEAD;
	return true;
}

bool http_input_linger(http_connection *c)
{
	/* Also of TLS connections: what comes now is thrown away unread. */
	for (int i = 0; i < 64; i++) {
		ssize_t n = recv(c->io.fd, c->l->scratch, HTTP_SCRATCH, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (n <= 0) {
			http_connection_close(c);
			return false;
		}
	}
	return true;
}

/* Room for more of a head. Nothing points into the buffer: no exchange has begun. */
static void make_room(http_connection *c)
{
	if (!c->in) {
		c->in = http_buffer_take(c->l);
		c->in_capacity = HTTP_BUFFER;
	}
	if (c->in_start == c->in_end)
		c->in_start = c->in_end = 0;
	if (c->in_end < c->in_capacity)
		return;
	size_t n = c->in_end - c->in_start;
	if (c->in_start > 0) {
		memmove(c->in, c->in + c->in_start, n);
	} else {
		/* Longer heads are refused before they fill this. */
		size_t capacity = c->l->server->limits.head_bytes + HTTP_BUFFER;
		char *larger = malloc(capacity);
		ensure(larger != NULL && capacity > n);
		memcpy(larger, c->in, n);
		http_buffer_put(c->l, c->in, c->in_capacity);
		c->in = larger;
		c->in_capacity = capacity;
	}
	c->in_start = 0;
	c->in_end = n;
}

static int too_long(const http_connection *c)
{
	const http_limits *lim = &c->l->server->limits;
	size_t n = c->in_end - c->in_start;
	if (c->scan.line == 0 && n > lim->target_bytes + 64)
		return 414;
	return n >= lim->head_bytes ? 431 : 0;
}

static void fill_exchange(http_connection *c, exchange *e, const http_head *h)
{
	http_exchange *x = &e->x;
	x->in.method = h->method;
	x->in.path = h->path;
	x->in.query = h->query;
	x->in.headers = e->headers;
	x->in.n_headers = h->n_headers;
	x->in.headers_capacity = e->headers_max;
	x->target = h->target;
	x->host = h->host;
	x->peer = str_c(c->peer);
	x->tls = c->tls != NULL;
	x->head_only = str_eq(h->method, S("HEAD"));
	x->received_us = clock_mono_us();
	x->body_max = c->l->server->limits.body_bytes;
	e->minor = h->minor;
	e->keep_alive = h->keep_alive;
	e->expect_continue = h->expect_continue;
	e->chunked = h->chunked;
	e->body_left = h->content_length > 0 ? (uint64_t)h->content_length : 0;
}

static bool begin(http_connection *c, size_t n)
{
	const http_limits *lim = &c->l->server->limits;
	exchange *e = http_exchange_take(c->l);
	http_head h = { .headers = e->headers };
	int status = n > lim->head_bytes ? 431 : 0;
	if (!status)
		status = http_parse_head(c->in + c->in_start, n, lim->target_bytes, lim->headers, &h);
	c->in_start += n;
	c->scan = (http_scan){ 0 };
	c->blank = false;
	c->wait = WAIT_NONE; /* the next head has a deadline of its own */
	if (status) {
		http_exchange_put(c->l, e);
		http_connection_refuse(c, status);
		return true;
	}
	fill_exchange(c, e, &h);
	e->c = c;
	e->x.connection = c;
	e->first = !c->asked;
	c->asked = true;
	c->x = e;
	return http_body_begin(c);
}

bool http_input_head(http_connection *c)
{
	if (c->in_end > c->in_start) {
		const char *p = c->in + c->in_start;
		size_t have = c->in_end - c->in_start;
		/* RFC 9112 2.2: an empty line before a request is ignored. One. */
		if (!c->blank && have >= 2 && p[0] == '\r' && p[1] == '\n') {
			c->blank = true;
			c->in_start += 2;
			c->scan = (http_scan){ 0 };
			return true;
		}
		size_t n = http_scan_head(&c->scan, p, have);
		if (n)
			return begin(c, n);
		int status = too_long(c);
		if (status) {
			http_connection_refuse(c, status);
			return true;
		}
	}
	if (!c->readable)
		return false;
	make_room(c);
	ssize_t got = http_receive(c, c->in + c->in_end, c->in_capacity - c->in_end);
	if (got < 0) {
		/* What was asked has been answered; what is half asked never will be. */
		if (c->phase != PHASE_CLOSED)
			c->phase = PHASE_DRAIN;
		return true;
	}
	c->in_end += (size_t)got;
	return got > 0;
}
