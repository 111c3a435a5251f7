#include "wire/http_client.h"
#include "sys/clock.h"
#include "wire/http_parse.h"
#include "wire/tls.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>

#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)64 << 10)
#define PIECE ((size_t)64 << 10)

typedef struct connection {
	arena *mem;
	int fd;
	tls_context *context;
	tls_session *tls;
	int64_t until_us;
} connection;

typedef struct place {
	bool tls;
	str host, port, path; /* path with its query */
} place;

static bool read_url(arena *a, str url, place *out)
{
	out->tls = str_starts(url, S("https://"));
	if (!out->tls && !str_starts(url, S("http://")))
		return false;
	str rest = str_sub(url, out->tls ? 8 : 7, url.n);
	size_t slash = str_find_char(rest, '/'), query = str_find_char(rest, '?');
	size_t end = slash < query ? slash : query;
	str authority = str_sub(rest, 0, end);
	out->path = end == SIZE_MAX ? S("/") : str_sub(rest, end, rest.n);
	if (query < slash)
		out->path = arena_concat(a, S("/"), out->path);
	out->host = arena_str(a, str_cut(&authority, ':'));
	out->port = arena_str(a, str_is(authority) ? authority : out->tls ? S("443") : S("80"));
	return out->host.n != 0;
}

static bool wait_for(const connection *l, short events)
{
	struct pollfd p = { .fd = l->fd, .events = events };
	int64_t left = (l->until_us - clock_mono_us()) / 1000;
	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static bool connect_one(connection *l, const struct addrinfo *to)
{
	int error = 0;
	socklen_t n = sizeof error;
	l->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return false;
	if (connect(l->fd, to->ai_addr, to->ai_addrlen) == 0)
		return true;
	if (errno == EINPROGRESS && wait_for(l, POLLOUT) &&
	    getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0)
		return true;
	close(l->fd);
	l->fd = -1;
	return false;
}

static err open_link(connection *l, const place *p, const http_client_options *o)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	bool local = str_eq(p->host, S("localhost")) || str_ends(p->host, S(".localhost"));
	l->fd = -1;
	if (getaddrinfo(local ? "127.0.0.1" : p->host.p, p->port.p, &hints, &found))
		return fault_new(l->mem, &fault_system, "no address for %.*s", STR_ARG(p->host));
	for (const struct addrinfo *at = found; at && l->fd < 0; at = at->ai_next)
		connect_one(l, at);
	freeaddrinfo(found);
	if (l->fd < 0)
		return fault_new(l->mem, &fault_system, "no connection to %.*s:%.*s", STR_ARG(p->host),
		                 STR_ARG(p->port));
	if (!p->tls)
		return OK;
	l->context = tls_client_context(o->trust_all);
	l->tls = l->context ? tls_connect(l->context, l->fd, p->host) : NULL;
	return l->tls ? OK : fault_new(l->mem, &fault_system, "no TLS with %.*s", STR_ARG(p->host));
}

static void close_link(connection *l)
{
	if (l->tls)
		tls_session_close(l->tls);
	if (l->context)
		tls_context_close(l->context);
	if (l->fd >= 0)
		close(l->fd);
}

/* TLS may want to read before it can write, so both are waited for. */
static short events_of(const connection *l, short plain)
{
	return l->tls ? POLLIN | POLLOUT : plain;
}

static bool write_all(connection *l, str bytes)
{
	while (bytes.n) {
		ssize_t n = l->tls ? tls_write(l->tls, bytes.p, bytes.n) : send(l->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.n);
		else if (l->tls ? n != TLS_WAIT : errno != EAGAIN && errno != EINTR)
			return false;
		else if (!wait_for(l, events_of(l, POLLOUT)))
			return false;
	}
	return true;
}

/* Bytes read; 0: the peer has ended; -1: broken or too late. */
static ssize_t read_some(connection *l, char *p, size_t n)
{
	for (;;) {
		ssize_t got = l->tls ? tls_read(l->tls, p, n) : recv(l->fd, p, n, 0);
		if (got >= 0)
			return got;
		if (l->tls ? got != TLS_WAIT : errno != EAGAIN && errno != EINTR)
			return -1;
		if (!wait_for(l, POLLIN))
			return -1;
	}
}

static str request_bytes(arena *a, const place *p, const wire_message *m)
{
	buf b = buf_in(a, 1024 + m->body.n, HEAD_MAX + m->body.n);
	bool standard = str_eq(p->port, p->tls ? S("443") : S("80"));
	buf_fmt(&b, "%.*s %.*s HTTP/1.1\r\n", STR_ARG(m->method), STR_ARG(p->path));
	if (!str_is(wire_header(m, S("host"))))
		buf_fmt(&b, "Host: %.*s%s%.*s\r\n", STR_ARG(p->host), standard ? "" : ":",
		        STR_ARG(standard ? S("") : p->port));
	for (size_t i = 0; i < m->n_headers; i++)
		if (http_is_token(m->headers[i].name) && http_is_field_value(m->headers[i].value))
			buf_fmt(&b, "%.*s: %.*s\r\n", STR_ARG(m->headers[i].name), STR_ARG(m->headers[i].value));
	if (m->body.n || str_eq(m->method, S("POST")) || str_eq(m->method, S("PUT")))
		buf_fmt(&b, "Content-Length: %zu\r\n", m->body.n);
	buf_put(&b, S("Connection: close\r\n\r\n"));
	buf_put(&b, m->body);
	return b.full ? STR_NONE : buf_str(&b);
}

/* "HTTP/1.1 200 OK" and the fields behind it. */
static bool parse_head(str head, wire_message *answer)
{
	int64_t status;
	size_t end = str_find(head, S("\r\n"));
	str line = str_sub(head, 0, end);
	if (!str_starts(line, S("HTTP/1.")) || !str_to_i64(str_sub(line, 9, 12), &status) || status < 100)
		return false;
	answer->status = (int)status;
	str rest = str_sub(head, end + 2, head.n);
	while (rest.n) {
		end = str_find(rest, S("\r\n"));
		str value = str_sub(rest, 0, end), name = str_cut(&value, ':');
		if (end == SIZE_MAX || !str_is(value))
			return false;
		wire_header_add(answer, name, str_trim(value));
		rest = str_sub(rest, end + 2, rest.n);
	}
	return true;
}

/* Everything up to the peer's end, the length given, or the limit. */
static err read_answer(connection *l, const wire_message *m, size_t body_max, wire_message *answer)
{
	buf b = buf_in(l->mem, PIECE, HEAD_MAX + body_max);
	size_t head = 0;
	int64_t length = -1;
	for (;;) {
		char *room = buf_room(&b, PIECE);
		ssize_t n = room ? read_some(l, room, PIECE) : -1;
		if (n < 0)
			return fault_new(l->mem, &fault_system, room ? "the answer broke off or came too late" :
			                                               "the answer is too large");
		b.n += (size_t)n;
		if (!head && b.n >= 4) {
			size_t at = str_find(buf_str(&b), S("\r\n\r\n"));
			head = at == SIZE_MAX ? 0 : at + 4;
			if (head && !parse_head(arena_str(l->mem, str_sub(buf_str(&b), 0, head - 2)), answer))
				return fault_new(l->mem, &fault_system, "the answer is not HTTP");
			if (head && (answer->status == 204 || answer->status == 304 || str_eq(m->method, S("HEAD"))))
				length = 0;
			else if (head)
				str_to_i64(wire_header(answer, S("content-length")), &length);
		}
		if (n == 0 || (head && length >= 0 && b.n - head >= (size_t)length))
			break;
	}
	if (!head || (length > 0 && b.n - head < (size_t)length))
		return fault_new(l->mem, &fault_system, "the answer broke off");
	answer->body = str_sub(buf_str(&b), head, length >= 0 ? head + (size_t)length : b.n);
	return OK;
}

static err take_chunks(arena *a, wire_message *answer)
{
	http_chunks c = { 0 };
	str rest = answer->body, data;
	buf b = buf_in(a, rest.n + 1, rest.n + 1);
	for (;;) {
		size_t used;
		http_chunk what = http_chunks_next(&c, rest.p, rest.n, &used, &data);
		if (what == CHUNK_DATA)
			buf_put(&b, data);
		rest = str_sub(rest, used, rest.n);
		if (what == CHUNK_END)
			break;
		if (what == CHUNK_BAD || (what == CHUNK_MORE && !rest.n))
			return fault_new(a, &fault_system, "the answer broke off");
	}
	answer->body = buf_str(&b);
	return OK;
}

err http_call(arena *a, str url, const wire_message *m, const http_client_options *o, wire_message *answer)
{
	place p;
	if (!read_url(a, url, &p))
		return fault_new(a, &fault_system, "%.*s is no http or https address", STR_ARG(url));
	connection l = { .mem = a, .until_us = clock_mono_us() + (o->total_ms ? o->total_ms : 30000) * INT64_C(1000) };
	err e = open_link(&l, &p, o);
	str bytes = e ? STR_NONE : request_bytes(a, &p, m);
	if (!e && !str_is(bytes))
		e = fault_new(a, &fault_system, "the request's headers are too large");
	if (!e && !write_all(&l, bytes))
		e = fault_new(a, &fault_system, "the request could not be sent");
	if (!e)
		e = read_answer(&l, m, o->body_max ? o->body_max : (size_t)16 << 20, answer);
	close_link(&l);
	if (!e && str_eq_nocase(wire_header(answer, S("transfer-encoding")), S("chunked")))
		e = take_chunks(a, answer);
	return e;
}
