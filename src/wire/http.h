/*
 * HTTP/1.1 on epoll, plain and TLS on one port (the first byte tells). Strict: what RFC 9112
 * forbids is 400 and a close. No buffering of bodies beyond what the application asks for.
 *
 * Threads: each of `loops` threads owns the connections it accepted. `head` and `request` run on
 * that thread and must not block. http_reply and the stream calls may come from any thread, once
 * the request has been handed over.
 *
 * Lifetimes: an exchange and everything it points to live until the reply is sent (or the client
 * is gone and http_reply has been called all the same): every exchange handed to `request` must be
 * replied to exactly once. Its arena is the request arena of the layers above.
 *
 * Limits, each answered with the status in brackets: head 32 KiB (431), 100 headers (431), target
 * 16 KiB (414), head not complete in 10 s (408), body slower than 500 B/s over 10 s (408), body
 * over max_body (413), idle keep-alive 60 s (close), connections (accepting pauses), 1 GiB of
 * bodies in memory (503), a client that takes nothing for 60 s (close). Stated in http_limits.
 */
#pragma once
#include "wire/codec.h"

typedef struct http_server http_server;

typedef struct http_limits {
	size_t head_bytes, target_bytes, headers;
	int head_ms, idle_ms, body_stall_ms, body_min_rate;
	size_t connections;
	size_t body_bytes; /* for bodies held in memory, unless `head` sets another */
	size_t held_bytes; /* of all such bodies together (503) */
} http_limits;
extern const http_limits http_default_limits;

/* Where a body goes that is not held in memory. All calls on the connection's thread. */
typedef struct http_sink {
	/* false: stop reading; the connection is closed after the reply. */
	bool (*write)(struct http_sink *, const char *p, size_t n);
	/* May be NULL. false: there is no room; nothing more is received until http_sinks_ready has been
	 * called. */
	bool (*ready)(struct http_sink *);
	/* May be NULL or say so: otherwise what comes next is received there, at most *n bytes, and given to
	 * `write` in its place; nothing of nothing when nothing came. */
	char *(*room)(struct http_sink *, size_t *n);
	void *context;
} http_sink;

typedef struct http_exchange {
	arena *mem;
	wire_message in;        /* method, path, query, headers, body */
	str target;             /* raw, as received */
	str host;               /* Host as received */
	str peer;               /* address of the client, text */
	bool tls, head_only;    /* HEAD: the body of the reply is not sent */
	int64_t received_us;    /* monotonic, when the head was complete */
	size_t body_max;        /* set by `head` to change the limit */
	http_sink *sink;        /* set by `head` to take the body piecewise (after chunked decoding) */
	uint64_t body_bytes;    /* received so far */
	bool body_cut;          /* the client went away or was too slow in mid-body (sink only) */
	void *user;             /* the application's */
	http_server *server;
	struct http_connection *connection; /* private */
} http_exchange;

/* A part of a body that is made while it leaves: of a file, which the server closes, or bytes (fd -1) that
 * live until the next one is asked for. */
typedef struct http_piece {
	str bytes;
	int fd;
	int64_t offset, length;
} http_piece;

typedef struct http_reply_body {
	str bytes;              /* or: */
	int fd;                 /* an open file, closed by the server afterwards; -1 when none */
	int64_t offset, length; /* of the file part; with `next` the length alone */
	/* Or pieces, each asked for when the one before has left: the one that begins at byte `at`, never
	 * empty and never beyond the length. On the connection's thread; false breaks the reply off. */
	bool (*next)(void *context, int64_t at, http_piece *piece);
	void *context;
} http_reply_body;

typedef struct http_app {
	void *context;
	/* After the head. May set body_max or sink. false: the reply has been given already. */
	bool (*head)(void *context, http_exchange *x);
	/* The request is whole (with a sink: the body has ended). */
	void (*request)(void *context, http_exchange *x);
	/* The exchange is over: its bytes are sent or its client is gone. Frees nothing; may be NULL.
	 * Follows every `head`, also without `request` (status 0 then, or that of the layer's
	 * refusal). `sent`: bytes of the body that left. */
	void (*finished)(void *context, http_exchange *x, int status, uint64_t sent);
} http_app;

typedef struct http_options {
	str address; /* 127.0.0.1 */
	int port;    /* 0: any free one */
	int loops;
	const http_limits *limits; /* NULL: the defaults */
	str certificate_path;      /* PEM with the key; empty: plain HTTP only. Created when missing */
} http_options;

/* Listening begins at once; `why` of a failure names the port. */
err http_serve(arena *a, const http_options *o, const http_app *app, http_server **server);
int http_port(const http_server *s);
/* From any thread: sinks that had no room may have some. Those that have waited longest are asked first. */
void http_sinks_ready(http_server *s);
/* Stops accepting, lets exchanges finish for up to `grace_ms`, closes. */
void http_stop(http_server *s, int grace_ms);

/*
 * Sends status, headers and body of `out`. Content-Length, Date and Connection are added here.
 * `body` NULL: out->body. Takes over body->fd. `out` may go at once; the bytes of the body must
 * live as long as the exchange, so in its arena or longer. Header values cannot begin new lines.
 */
void http_reply(http_exchange *x, const wire_message *out, const http_reply_body *body);

/* A reply of unknown length: chunked. Blocks the caller (never a loop thread) while the client is
 * slower than 1 MiB behind. false: the client is gone; http_stream_end must be called all the
 * same. */
void http_stream_begin(http_exchange *x, const wire_message *out);
bool http_stream_write(http_exchange *x, str bytes);
void http_stream_end(http_exchange *x);

/*
 * Another protocol on the same connection. http_upgrade is the reply to an exchange (status 101 and
 * the Upgrade header are in `out`; Connection is added): the exchange is over, and bytes flow.
 *
 * `received` and `closed` are called on the connection's thread and must not block; `closed` is the
 * last. The caller holds the tunnel until http_tunnel_release, and may use it from any thread until
 * then; after its end it only says so. `received` and `closed` may come before http_upgrade has
 * returned, but http_tunnel_release must not.
 */
typedef struct http_tunnel http_tunnel;
typedef struct http_tunnel_app {
	void *context;
	void (*received)(void *context, http_tunnel *t, str bytes);
	void (*closed)(void *context, http_tunnel *t);
} http_tunnel_app;
http_tunnel *http_upgrade(http_exchange *x, const wire_message *out, const http_tunnel_app *app);
/* All or nothing. While the client is more than 1 MiB behind, a loop thread gets false at once and
 * any other waits. false: gone, closing, or behind. */
bool http_tunnel_send(http_tunnel *t, str bytes);
/* The same without ever waiting. */
bool http_tunnel_offer(http_tunnel *t, str bytes);
/* Receives no more until it is called with false. */
void http_tunnel_pause(http_tunnel *t, bool paused);
/* Once all that was sent has left. */
void http_tunnel_close(http_tunnel *t);
void http_tunnel_release(http_tunnel *t);
