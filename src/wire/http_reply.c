/* Replies: the head in the arena of the request, made by whoever replies; the rest on the loop's
 * thread. */
#include "wire/http_connection.h"
#include "base/time.h"
#include "sys/clock.h"
#include <stdio.h>
#include <unistd.h>

str http_reason(int status)
{
	switch (status) {
	case 101: return S("Switching Protocols");
	case 200: return S("OK");
	case 201: return S("Created");
	case 202: return S("Accepted");
	case 204: return S("No Content");
	case 206: return S("Partial Content");
	case 207: return S("Multi-Status");
	case 301: return S("Moved Permanently");
	case 302: return S("Found");
	case 303: return S("See Other");
	case 304: return S("Not Modified");
	case 307: return S("Temporary Redirect");
	case 308: return S("Permanent Redirect");
	case 400: return S("Bad Request");
	case 401: return S("Unauthorized");
	case 402: return S("Payment Required");
	case 403: return S("Forbidden");
	case 404: return S("Not Found");
	case 405: return S("Method Not Allowed");
	case 406: return S("Not Acceptable");
	case 408: return S("Request Timeout");
	case 409: return S("Conflict");
	case 410: return S("Gone");
	case 411: return S("Length Required");
	case 412: return S("Precondition Failed");
	case 413: return S("Content Too Large");
	case 414: return S("URI Too Long");
	case 415: return S("Unsupported Media Type");
	case 416: return S("Range Not Satisfiable");
	case 417: return S("Expectation Failed");
	case 422: return S("Unprocessable Content");
	case 424: return S("Failed Dependency");
	case 429: return S("Too Many Requests");
	case 431: return S("Request Header Fields Too Large");
	case 500: return S("Internal Server Error");
	case 501: return S("Not Implemented");
	case 502: return S("Bad Gateway");
	case 503: return S("Service Unavailable");
	case 504: return S("Gateway Timeout");
	case 505: return S("HTTP Version Not Supported");
	default: break;
	}
	/* RFC 9110 15: an unknown code is understood by its class. */
	if (status < 400)
		return status < 300 ? S("Success") : S("Redirection");
	return status < 500 ? S("Client Error") : S("Server Error");
}

/* The real time: clients correct their clocks, and so their signatures, by this header. */
str http_date_now(void)
{
	static _Thread_local int64_t second = -1;
	static _Thread_local char text[32];
	static _Thread_local size_t n;
	int64_t now = clock_real() / 1000;
	if (now != second) {
		static const char days[] = "SunMonTueWedThuFriSat";
		static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
		civil c = time_civil(now * 1000);
		n = (size_t)snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
		                     days + 3 * c.weekday, c.day, months + 3 * (c.month - 1), c.year,
		                     c.hour, c.minute, c.second);
		second = now;
	}
	return (str){ text, n };
}

static char *put(char *to, str s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

/* Values may come from requests (metadata, response-content-disposition): no line may begin in
 * them. */
static char *put_value(char *to, str s)
{
	if (http_is_field_value(s))
		return s.n ? put(to, s) : to;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		*to++ = (c >= 0x20 && c != 0x7f) || c == '\t' ? s.p[i] : ' ';
	}
	return to;
}

static char *put_header(char *to, str name, str value)
{
	to = put(to, name);
	to = put(to, S(": "));
	to = put_value(to, value);
	return put(to, S("\r\n"));
}

static char *put_number(char *to, int64_t v)
{
	char digits[20], *p = digits + sizeof digits;
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return put(to, (str){ p, (size_t)(digits + sizeof digits - p) });
}

typedef enum own_header {
	NOT_OURS, OURS_LENGTH, OURS_DATE, OURS_CONNECTION, OURS_CODING,
} own_header;

static own_header ours(str name)
{
	switch (name.n) {
	case 4: return str_eq_nocase(name, S("date")) ? OURS_DATE : NOT_OURS;
	case 10: return str_eq_nocase(name, S("connection")) ? OURS_CONNECTION : NOT_OURS;
	case 14: return str_eq_nocase(name, S("content-length")) ? OURS_LENGTH : NOT_OURS;
	case 17: return str_eq_nocase(name, S("transfer-encoding")) ? OURS_CODING : NOT_OURS;
	default: return NOT_OURS;
	}
}

static bool without_body(const exchange *e, int status)
{
	return e->x.head_only || status < 200 || status == 204 || status == 304;
}

/* What the application said itself; `length` counts when the body is not sent. */
typedef struct said { bool date; str length; } said;

static char *put_headers(char *to, exchange *e, const wire_message *out, said *s)
{
	for (size_t i = 0; i < out->n_headers; i++) {
		const http_header *h = &out->headers[i];
		switch (ours(h->name)) {
		case OURS_LENGTH:
			s->length = h->value;
			continue;
		case OURS_CONNECTION:
			if (str_eq_nocase(h->value, S("close")))
				e->keep_alive = false;
			continue;
		case OURS_CODING:
			continue;
		case OURS_DATE:
			s->date = true;
			break;
		case NOT_OURS:
			break;
		}
		if (http_is_token(h->name))
			to = put_header(to, h->name, h->value);
	}
	return to;
}

static char *put_length(char *to, exchange *e, int64_t length, const said *s, bool chunked)
{
	if (chunked)
		return put(to, S("Transfer-Encoding: chunked\r\n"));
	if (length < 0 || e->status < 200 || e->status == 204)
		return to;
	int64_t stated;
	to = put(to, S("Content-Length: "));
	if (e->no_body && str_to_i64(s->length, &stated) && stated >= 0)
		length = stated;
	to = put_number(to, length);
	return put(to, S("\r\n"));
}

void http_reply_head(exchange *e, const wire_message *out, int64_t length, bool chunked)
{
	size_t room = 256;
	for (size_t i = 0; i < out->n_headers; i++)
		room += out->headers[i].name.n + out->headers[i].value.n + 4;
	e->status = out->status ? out->status : 200;
	ensure(e->status >= 100 && e->status <= 999);
	e->no_body = without_body(e, e->status);
	/* Nobody knows how much of the unread body is on its way: no request can follow it. */
	if (!e->body_whole || atomic_load_explicit(&e->x.server->stopping, memory_order_relaxed))
		e->keep_alive = false;
	char *p = arena_bytes(e->x.mem, room), *to = p;
	said s = { 0 };
	to = put(to, S("HTTP/1.1 "));
	to = put_number(to, e->status);
	*to++ = ' ';
	to = put(to, http_reason(e->status));
	to = put(to, S("\r\n"));
	to = put_headers(to, e, out, &s);
	if (!s.date)
		to = put_header(to, S("Date"), http_date_now());
	to = put_length(to, e, length, &s, chunked && !e->no_body);
	if (e->status == 101)
		to = put(to, S("Connection: Upgrade\r\n"));
	else if (!e->keep_alive)
		to = put(to, S("Connection: close\r\n"));
	else if (e->minor == 0)
		to = put(to, S("Connection: keep-alive\r\n"));
	to = put(to, S("\r\n"));
	ensure((size_t)(to - p) <= room);
	e->head = (str){ p, (size_t)(to - p) };
}

void http_reply_start(http_connection *c)
{
	exchange *e = c->x;
	http_out(c, e->head);
	if (e->tunnel) {
		http_tunnel *t = e->tunnel;
		e->tunnel = NULL;
		http_exchange_finish(e);
		http_tunnel_start(c, t);
		return;
	}
	if (e->no_body) {
		http_connection_replied(c);
		return;
	}
	if (e->fd < 0 && !e->pieces && e->bytes.n <= HTTP_COPIED) {
		if (e->bytes.n)
			http_out(c, e->bytes);
		e->sent = e->bytes.n;
		http_connection_replied(c);
		return;
	}
	c->phase = PHASE_REPLY;
}

static http_flush more_of_piece(http_connection *c)
{
	exchange *e = c->x;
	if (e->fd < 0) {
		size_t sent = (size_t)e->piece_sent;
		http_flush f = http_out_bytes(c, e->bytes.p, e->bytes.n, &sent);
		e->sent += sent - e->piece_sent;
		e->piece_sent = sent;
		return f;
	}
	int64_t before = e->length;
	http_flush f = http_out_file(c, e->fd, &e->offset, &e->length);
	e->sent += (uint64_t)(before - e->length);
	return f;
}

static bool next_piece(exchange *e)
{
	http_piece piece = { .fd = -1 };
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
	bool made = e->pieces(e->pieces_context, e->whole - e->pieces_left, &piece);
	int64_t n = piece.fd >= 0 ? piece.length : (int64_t)piece.bytes.n;
	e->fd = piece.fd;
	e->offset = piece.offset;
	e->length = piece.length;
	e->bytes = piece.bytes;
	e->piece_sent = 0;
	if (!made || n <= 0 || n > e->pieces_left)
		return false;
	e->pieces_left -= n;
	return true;
}

http_flush http_reply_more(http_connection *c)
{
	exchange *e = c->x;
	bool begun = e->fd >= 0 ? e->length > 0 : e->piece_sent < e->bytes.n;
	if (!begun && e->pieces_left > 0 && !next_piece(e))
		return FLUSH_BROKEN;
	http_flush f = more_of_piece(c);
	/* One piece a turn: other connections are not kept waiting while the next is made. */
	return f == FLUSHED && e->pieces_left > 0 ? FLUSH_MORE : f;
}

static void reply_posted(loop_task *t)
{
	exchange *e = LOOP_OWNER(t, exchange, task);
	http_connection *c = e->c;
	c->l->outstanding--;
	if (c->phase == PHASE_CLOSED) {
		http_exchange_finish(e);
		return;
	}
	http_reply_start(c);
	http_connection_advance(c);
}

void http_exchange_post(exchange *e, void (*run)(loop_task *))
{
	e->task.run = run;
	if (!loop_post(e->c->l->loop, &e->task))
		http_exchange_orphaned(e);
}

void http_reply(http_exchange *x, const wire_message *out, const http_reply_body *body)
{
	exchange *e = (exchange *)x;
	http_connection *c = e->c;
	ensure(!e->replied);
	e->replied = true;
	e->bytes = out->body;
	if (body && body->next) {
		e->bytes = (str){ 0 };
		e->pieces = body->next;
		e->pieces_context = body->context;
		e->whole = e->pieces_left = body->length;
	} else if (body && body->fd >= 0) {
		e->fd = body->fd;
		e->offset = body->offset;
		e->length = body->length;
	} else if (body) {
		e->bytes = body->bytes;
	}
	http_reply_head(e, out, e->pieces ? e->whole : e->fd >= 0 ? e->length : (int64_t)e->bytes.n, false);
	/* Inside a callback on this very thread the answer waits until the callback returns. */
	if (loop_current() == c->l->loop && c->in_app && c->x == e) {
		e->inline_reply = true;
		return;
	}
	http_exchange_post(e, reply_posted);
}
