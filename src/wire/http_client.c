#include "wire/http_client.h"
#include "sys/clock.h"
#include "wire/http_parse.h"
#include "wire/tls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)64 << 10)
#define HEADERS_MAX 200
#define PIECE ((size_t)16 << 10)
#define GLANCE_MS 100 /* between two looks at whether to end */
#define INTERIM_MAX 10 /* answers of class 1xx before the real one */

typedef struct place {
	bool tls, loopback;
	str host, port, target; /* host without the brackets of an IPv6 address */
	str authority;          /* as Host says it */
} place;

typedef struct call {
	arena *mem;
	int fd;
	tls_context *context;
	tls_session *tls;
	int64_t until_us;
	const atomic_bool *end;
	int64_t idle_us; /* of an answer that is read piece by piece: for each piece */
	size_t body_max;
	bool head_only;
	/* the answer */
	wire_message *answer;
	buf in;            /* head, and what came with it of the body */
	buf body;
	int64_t length;    /* -1: chunked or up to the end */
	bool chunked;
	http_chunks chunks;
} call;

static bool is_loopback(str host)
{
	return str_eq(host, S("localhost")) || str_ends(host, S(".localhost")) ||
	       str_starts(host, S("127.")) || str_eq(host, S("::1"));
}

static bool split_authority(arena *a, place *p)
{
	str rest = p->authority, port = STR_NONE;
	if (str_starts(rest, S("["))) {
		size_t end = str_find_char(rest, ']');
		if (end == SIZE_MAX)
			return false;
		p->host = str_sub(rest, 1, end);
		rest = str_sub(rest, end + 1, rest.n);
		if (rest.n && rest.p[0] != ':')
			return false;
		port = rest.n ? str_sub(rest, 1, rest.n) : STR_NONE;
	} else {
		p->host = str_cut(&rest, ':');
		port = rest;
	}
	int64_t number = p->tls ? 443 : 80;
	if (port.n && (!str_to_i64(port, &number) || number < 1 || number > 65535))
		return false;
	p->host = arena_lower(a, p->host);
	p->port = arena_fmt(a, "%d", (int)number);
	p->loopback = is_loopback(p->host);
	return p->host.n != 0 && str_find_char(p->authority, '@') == SIZE_MAX;
}

static bool is_target(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '#')
			return false;
	return true;
}

static bool read_url(arena *a, str url, place *p)
{
	p->tls = str_starts(url, S("https://"));
	if (!p->tls && !str_starts(url, S("http://")))
		return false;
	str rest = str_sub(url, p->tls ? 8 : 7, url.n);
	size_t slash = str_find_char(rest, '/'), query = str_find_char(rest, '?');
	size_t end = slash < query ? slash : query;
	p->authority = str_sub(rest, 0, end);
	p->target = end == SIZE_MAX ? S("/") : str_sub(rest, end, rest.n);
	if (query < slash)
		p->target = arena_concat(a, S("/"), p->target);
	if (end == SIZE_MAX && str_ends(p->authority, S("*"))) {
		p->authority = str_sub(p->authority, 0, p->authority.n - 1);
		p->target = S("*");
	}
	return http_is_field_value(p->authority) && split_authority(a, p) && is_target(p->target);
}

static bool wait_until(int fd, short events, int64_t until_us, const atomic_bool *end)
{
	int most = end ? GLANCE_MS : INT32_MAX;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = (until_us - clock_mono_us() + 999) / 1000;
		if (left <= 0 || (end && atomic_load(end)))
			return false;
		int n = poll(&p, 1, left > most ? most : (int)left);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* A connected socket, or -1 with errno. */
static int connect_to(const struct addrinfo *at, int64_t until_us, const atomic_bool *end)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, at->ai_addr, at->ai_addrlen) == 0)
		return fd;
	int why = errno;
	if (why == EINPROGRESS) {
		socklen_t n = sizeof why;
		if (!wait_until(fd, POLLOUT, until_us, end))
			why = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && why == 0)
			return fd;
	}
	close(fd);
	errno = why;
	return -1;
}

static err open_link(call *c, const place *p, const http_client_options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	bool name = str_ends(p->host, S("localhost")) && p->loopback;
	int why = getaddrinfo(name ? "127.0.0.1" : p->host.p, p->port.p, &hints, &found);
	if (why)
		return fault_new(c->mem, &fault_system, "no address for %.*s: %s", STR_ARG(p->host),
		                 gai_strerror(why));
	int64_t each_us = (o->connect_ms > 0 ? o->connect_ms : 5000) * INT64_C(1000);
	for (const struct addrinfo *at = found; at && c->fd < 0; at = at->ai_next) {
		int64_t until = clock_mono_us() + each_us;
		c->fd = connect_to(at, until < c->until_us ? until : c->until_us, c->end);
	}
	freeaddrinfo(found);
	if (c->fd < 0)
		return fault_new(c->mem, &fault_system, "no connection to %.*s port %.*s: %s",
		                 STR_ARG(p->host), STR_ARG(p->port), strerror(errno));
	if (!p->tls)
		return OK;
	c->context = tls_client_context(o->trust_all || p->loopback);
	c->tls = c->context ? tls_connect(c->context, c->fd, p->host) : NULL;
	return c->tls ? OK : fault_new(c->mem, &fault_system, "no TLS with %.*s", STR_ARG(p->host));
}

static void close_link(call *c)
{
	if (c->tls)
		tls_session_close(c->tls);
	if (c->context)
		tls_context_close(c->context);
	if (c->fd >= 0)
		close(c->fd);
}

/* Whether it is worth trying again. */
static bool wait_again(call *c, ssize_t n, short plain)
{
	if (c->tls) {
		short events = tls_wants_write(c->tls) ? POLLOUT : POLLIN;
		return n == TLS_WAIT && wait_until(c->fd, events, c->until_us, c->end);
	}
	return (errno == EAGAIN || errno == EINTR) && wait_until(c->fd, plain, c->until_us, c->end);
}

static bool write_all(call *c, str bytes)
{
	while (bytes.n) {
		ssize_t n = c->tls ? tls_write(c->tls, bytes.p, bytes.n)
		                   : send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
		else if (!wait_again(c, n, POLLOUT))
			return false;
	}
	return true;
}

/* Bytes read; 0: the peer has ended; -1: broken or too late. */
static ssize_t read_some(call *c, char *p, size_t n)
{
	for (;;) {
		ssize_t got = c->tls ? tls_read(c->tls, p, n) : recv(c->fd, p, n, 0);
		if (got >= 0)
			return got;
		if (!wait_again(c, got, POLLIN))
			return -1;
	}
}

static bool is_ours(str name)
{
	return str_eq_nocase(name, S("content-length")) || str_eq_nocase(name, S("connection")) ||
	       str_eq_nocase(name, S("transfer-encoding"));
}

static err request_head(arena *a, const place *p, const wire_message *m, str *out)
{
	buf b = buf_in(a, 1024, HEAD_MAX);
	if (!http_is_token(m->method))
		return fault_new(a, &fault_system, "%.*s is no method", STR_ARG(m->method));
	buf_fmt(&b, "%.*s %.*s HTTP/1.1\r\n", STR_ARG(m->method), STR_ARG(p->target));
	if (!str_is(wire_header(m, S("host"))))
		buf_fmt(&b, "Host: %.*s\r\n", STR_ARG(p->authority));
	for (size_t i = 0; i < m->n_headers; i++) {
		str name = m->headers[i].name, value = m->headers[i].value;
		if (!http_is_token(name) || !http_is_field_value(value))
			return fault_new(a, &fault_system, "%.*s is no header", STR_ARG(name));
		if (!is_ours(name))
			buf_fmt(&b, "%.*s: %.*s\r\n", STR_ARG(name), STR_ARG(value));
	}
	if (m->body.n || str_eq(m->method, S("POST")) || str_eq(m->method, S("PUT")))
		buf_fmt(&b, "Content-Length: %zu\r\n", m->body.n);
	buf_put(&b, S("Connection: close\r\n\r\n"));
	if (b.full)
		return fault_new(a, &fault_system, "the request's headers are too large");
	*out = buf_str(&b);
	return OK;
}

static err send_request(call *c, const place *p, const wire_message *m)
{
	str head;
	TRY(request_head(c->mem, p, m, &head));
	/* Small bodies go with the head, in one packet. */
	bool together = m->body.n <= PIECE;
	if (together)
		head = arena_concat(c->mem, head, m->body);
	/* A server that refuses early may stop reading: its answer is what counts. */
	bool sent = write_all(c, head) && (together || write_all(c, m->body));
	if (!sent && clock_mono_us() >= c->until_us)
		return fault_new(c->mem, &fault_system, "the request could not be sent in time");
	return OK;
}

static bool parse_field(str line, wire_message *answer)
{
	str value = line, name = str_cut(&value, ':');
	if (!http_is_token(name) || !str_is(value) || answer->n_headers >= HEADERS_MAX)
		return false;
	value = str_trim(value);
	if (!http_is_field_value(value))
		return false;
	wire_header_add(answer, name, value);
	return true;
}

static str cut_line(str *rest)
{
	str line = str_cut(rest, '\n');
	return str_ends(line, S("\r")) ? str_sub(line, 0, line.n - 1) : line;
}

/* "HTTP/1.1 200 OK" and the fields behind it. */
static bool parse_head(str head, wire_message *answer)
{
	int64_t status;
	str rest = head, line = cut_line(&rest);
	if (line.n < 12 || !str_starts(line, S("HTTP/1.")) || line.p[8] != ' ' ||
	    !str_to_i64(str_sub(line, 9, 12), &status) || status < 100)
		return false;
	answer->status = (int)status;
	answer->n_headers = 0;
	while (str_is(rest)) {
		line = cut_line(&rest);
		if (line.n == 0)
			return true;
		if (!parse_field(line, answer))
			return false;
	}
	return false;
}

/* How long the body is, as RFC 9112 6.3 says. */
static bool read_framing(call *c)
{
	const wire_message *a = c->answer;
	str coding = wire_header(a, S("transfer-encoding"));
	str length = wire_header(a, S("content-length"));
	c->length = -1;
	c->chunked = false;
	if (c->head_only || a->status == 204 || a->status == 304)
		c->length = 0;
	else if (str_is(coding))
		c->chunked = str_eq_nocase(coding, S("chunked"));
	else if (str_is(length))
		return str_to_i64(length, &c->length) && c->length >= 0;
	return !str_is(coding) || c->chunked || c->length == 0;
}

static err bad_answer(call *c, const char *why)
{
	return fault_new(c->mem, &fault_system, "%s", why);
}

/* Reads until the empty line; leaves in c->in what came behind it. */
static err read_head(call *c, size_t *head_n)
{
	http_scan scan = { 0 };
	for (;;) {
		*head_n = http_scan_head(&scan, c->in.p, c->in.n);
		if (*head_n)
			return OK;
		char *room = buf_room(&c->in, PIECE);
		if (!room)
			return bad_answer(c, "the head of the answer is too large");
		ssize_t n = read_some(c, room, PIECE);
		if (n <= 0)
			return bad_answer(c, n == 0 ? "the server closed without an answer"
			                            : "the answer broke off or came too late");
		c->in.n += (size_t)n;
	}
}

static err read_final_head(call *c)
{
	for (int i = 0; i < INTERIM_MAX; i++) {
		size_t n;
		TRY(read_head(c, &n));
		str head = arena_str(c->mem, str_sub(buf_str(&c->in), 0, n));
		memmove(c->in.p, c->in.p + n, c->in.n - n);
		c->in.n -= n;
		if (!parse_head(head, c->answer))
			return bad_answer(c, "the answer is not HTTP");
		if (c->answer->status >= 200)
			return read_framing(c) ? OK : bad_answer(c, "the answer has no valid length");
	}
	return bad_answer(c, "the server never came to its answer");
}

/* Takes a piece of the body. *over: it is complete. */
static err take(call *c, str piece, bool *over)
{
	while (c->chunked && piece.n && !*over) {
		size_t used = 0;
		str data = STR_NONE;
		http_chunk k = http_chunks_next(&c->chunks, piece.p, piece.n, &used, &data);
		if (k == CHUNK_BAD)
			return bad_answer(c, "the answer's chunks are malformed");
		buf_put(&c->body, data);
		*over = k == CHUNK_END;
		piece = str_sub(piece, used, piece.n);
	}
	if (!c->chunked) {
		if (c->length >= 0 && piece.n > (size_t)c->length - c->body.n)
			piece.n = (size_t)c->length - c->body.n;
		buf_put(&c->body, piece);
		*over = c->length >= 0 && c->body.n == (size_t)c->length;
	}
	return c->body.full ? bad_answer(c, "the answer is too large") : OK;
}

static err read_body(call *c)
{
	bool over = false;
	char piece[PIECE];
	if (c->length > 0 && (uint64_t)c->length > c->body_max)
		return bad_answer(c, "the answer is too large");
	c->body = buf_in(c->mem, c->length > 0 ? (size_t)c->length : 0, c->body_max);
	TRY(take(c, buf_str(&c->in), &over));
	while (!over) {
		ssize_t n = read_some(c, piece, sizeof piece);
		if (n < 0 || (n == 0 && (c->chunked || c->length >= 0)))
			return bad_answer(c, n < 0 ? "the answer broke off or came too late"
			                           : "the answer broke off");
		if (n == 0)
			break;
		TRY(take(c, (str){ piece, (size_t)n }, &over));
	}
	c->answer->body = buf_str(&c->body);
	return OK;
}

static err exchange_with(call *c, const place *p, const wire_message *m,
                         const http_client_options *o)
{
	TRY(open_link(c, p, o));
	TRY(send_request(c, p, m));
	TRY(read_final_head(c));
	return read_body(c);
}

static call call_of(arena *a, const wire_message *m, const http_client_options *o, wire_message *answer)
{
	answer->mem = a;
	return (call){
		.mem = a,
		.fd = -1,
		.until_us = clock_mono_us() + (o->total_ms > 0 ? o->total_ms : 30000) * INT64_C(1000),
		.end = o->end,
		.body_max = o->body_max ? o->body_max : (size_t)16 << 20,
		.head_only = str_eq(m->method, S("HEAD")),
		.answer = answer,
		.in = buf_in(a, PIECE, HEAD_MAX),
	};
}

static err no_address(arena *a, str url)
{
	return fault_new(a, &fault_system, "%.*s is no http or https address", STR_ARG(url));
}

err http_call(arena *a, str url, const wire_message *m, const http_client_options *o,
              wire_message *answer)
{
	place p;
	if (!read_url(a, url, &p))
		return no_address(a, url);
	call c = call_of(a, m, o, answer);
	err e = exchange_with(&c, &p, m, o);
	close_link(&c);
	return e;
}

struct http_answer {
	call c;
	str left;      /* received, not yet looked at */
	int64_t taken; /* of a body whose length is known */
	char room[PIECE];
};

err http_open(arena *a, str url, const wire_message *m, const http_client_options *o, wire_message *answer,
              http_answer **out)
{
	place p;
	if (!read_url(a, url, &p))
		return no_address(a, url);
	http_answer *x = arena_new(a, http_answer);
	x->c = call_of(a, m, o, answer);
	x->c.idle_us = x->c.until_us - clock_mono_us();
	err e = open_link(&x->c, &p, o);
	e = e ? e : send_request(&x->c, &p, m);
	e = e ? e : read_final_head(&x->c);
	if (e) {
		close_link(&x->c);
		return e;
	}
	x->left = buf_str(&x->c.in);
	*out = x;
	return OK;
}

int64_t http_answer_length(const http_answer *x) { return x->c.length; }

/* What of the bytes at hand belongs to the body. false: they are no chunks. */
static bool cut_piece(http_answer *x, str *piece, bool *over)
{
	call *c = &x->c;
	size_t used = 0;
	if (c->chunked) {
		http_chunk k = http_chunks_next(&c->chunks, x->left.p, x->left.n, &used, piece);
		x->left = str_sub(x->left, used, x->left.n);
		*over = k == CHUNK_END;
		return k != CHUNK_BAD;
	}
	*piece = x->left;
	if (c->length >= 0 && (int64_t)piece->n > c->length - x->taken)
		piece->n = (size_t)(c->length - x->taken);
	x->taken += (int64_t)piece->n;
	x->left = S("");
	return true;
}

int http_answer_next(http_answer *x, str *piece)
{
	call *c = &x->c;
	bool over = false;
	for (;;) {
		*piece = S("");
		if (!c->chunked && c->length >= 0 && x->taken == c->length)
			return 0;
		if (x->left.n && !cut_piece(x, piece, &over))
			return -1;
		if (piece->n || over)
			return piece->n ? 1 : 0;
		if (x->left.n)
			continue;
		c->until_us = clock_mono_us() + c->idle_us;
		ssize_t n = read_some(c, x->room, sizeof x->room);
		if (n <= 0)
			return n == 0 && !c->chunked && c->length < 0 ? 0 : -1;
		x->left = (str){ x->room, (size_t)n };
	}
}

void http_answer_close(http_answer *x) { close_link(&x->c); }

err http_reach(arena *a, str url, int connect_ms)
{
	place p;
	if (!read_url(a, url, &p))
		return no_address(a, url);
	wire_message nothing = { .mem = a };
	http_client_options o = { .total_ms = connect_ms, .connect_ms = connect_ms, .trust_all = true };
	call c = call_of(a, &nothing, &o, &nothing);
	err e = open_link(&c, &p, &o);
	close_link(&c);
	return e;
}
