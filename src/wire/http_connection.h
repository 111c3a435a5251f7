/*
 * The server's inside: loops, connections and exchanges. Private to wire/http*.c.
 *
 * A connection belongs to its loop and is touched on that thread only. An exchange is the loop's
 * as well, except between the call of `request` and the task that carries the reply back: then
 * only its arena, the fields under "reply" and the stream are the replier's.
 *
 * An idle connection holds no buffer and no exchange. A connection whose client has gone is closed
 * at once, but stays in memory while its exchange is in the application's hands, and until the
 * batch of events is over.
 */
#pragma once
#include "sys/loop.h"
#include "wire/http.h"
#include "wire/http_parse.h"
#include "wire/tls.h"
#include <pthread.h>
#include <stdatomic.h>

#define HTTP_BUFFER ((size_t)16 << 10)    /* input of one connection */
#define HTTP_OUT ((size_t)64 << 10)       /* replies gathered during one turn of a connection */
#define HTTP_SCRATCH ((size_t)128 << 10)  /* bodies on their way to a sink, files into TLS */
#define HTTP_COPIED ((size_t)16 << 10)    /* bodies up to this size are copied behind their head */
#define HTTP_TURN_BYTES ((size_t)1 << 20) /* sent, after which another connection has its turn */
/* Received by then: what comes in is digested or written to the disk on the same thread. */
#define HTTP_TURN_IN HTTP_SCRATCH
#define HTTP_SPARES 64                    /* exchanges and buffers kept by a loop */
#define HTTP_LINGER_MS 5000

struct http_server {
	http_app app;
	http_limits limits;
	int listener, port, n_loops;
	tls_context *tls;
	atomic_size_t connections;
	atomic_size_t held; /* bytes of bodies in memory */
	atomic_bool stopping;
	atomic_int references; /* the owner and each loop that has connections or orphans left */
	struct http_loop *loops;
};

typedef struct http_buffer { struct http_buffer *next; } http_buffer;

typedef struct http_loop {
	http_server *server;
	loop *loop;
	pthread_t thread;
	loop_io listener;
	loop_timer listen_again;
	loop_task stop_soft, stop_hard, sinks;
	atomic_bool sinks_wait, sinks_posted;
	struct http_connection *waiting, **waiting_last; /* for room in their sinks */
	char *out; /* of the connection whose turn it is */
	size_t out_n;
	char *scratch;
	struct http_buffer *buffers;
	struct exchange *exchanges;
	int n_buffers, n_exchanges;
	struct http_connection *first;
	size_t outstanding; /* exchanges in the application's hands */
	atomic_long orphans;
	bool stopping;
} http_loop;

typedef enum http_phase {
	PHASE_NEW,    /* plain or TLS? */
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_APP,    /* waiting for the reply */
	PHASE_REPLY,  /* sending a body that was not copied */
	PHASE_STREAM,
	PHASE_TUNNEL, /* upgraded */
	PHASE_DRAIN,  /* sending what is left, then closing */
	PHASE_LINGER, /* our side is closed; reading until the client's is, lest a reset overtakes
	               * the reply */
	PHASE_CLOSED,
} http_phase;

typedef enum http_wait {
	WAIT_NONE, WAIT_IDLE, WAIT_HEAD, WAIT_BODY, WAIT_WRITE, WAIT_LINGER,
} http_wait;

typedef struct http_connection {
	loop_io io;
	loop_timer timer;
	loop_task later;
	http_loop *l;
	struct http_connection *next, *before;
	struct http_connection *wait_next;
	tls_session *tls;
	struct exchange *x;
	http_tunnel *tunnel;
	char *in; /* NULL when idle; unread input is [in_start, in_end) */
	size_t in_start, in_end, in_capacity;
	http_scan scan;
	char *pending; /* output that the socket did not take */
	size_t pending_at, pending_n, pending_capacity;
	uint64_t window; /* body bytes since the timer was set */
	size_t turn;     /* body bytes in this turn */
	http_phase phase;
	http_wait wait;
	bool readable;   /* the socket has not said EAGAIN since it last became readable */
	bool fin, eof;   /* the client's end was announced; was read */
	bool in_app;     /* inside a callback of the application */
	bool queued;     /* `later` is in the loop's queue */
	bool linger, blank, blocked, progressed;
	bool sated;      /* has moved enough bytes for one turn */
	bool full;       /* in the loop's list of those that wait for room */
	bool asked;      /* a request has begun */
	char peer[46];
} http_connection;

typedef enum http_body_way {
	BODY_NONE, BODY_IN_PLACE, BODY_BLOCK, BODY_CHUNKS, BODY_SINK, BODY_SINK_CHUNKS,
} http_body_way;

typedef struct exchange {
	http_exchange x; /* first */
	http_connection *c;
	loop_task task;
	struct exchange *next;
	/* the request */
	http_body_way way;
	bool chunked, keep_alive, expect_continue, body_whole, sink_stopped, first;
	int minor;
	uint64_t body_left;
	size_t body_at; /* where in the input buffer the body begins */
	http_chunks chunks;
	char *body; /* held in memory outside the input buffer */
	size_t body_n, body_capacity;
	char *kept; /* an input buffer that the request points into, when another took its place */
	size_t kept_capacity;
	/* the reply */
	bool replied, inline_reply, no_body;
	int status;
	str head, bytes;
	int fd;
	int64_t offset, length;
	bool (*pieces)(void *context, int64_t at, http_piece *piece); /* more follows bytes or fd */
	void *pieces_context;
	int64_t whole, pieces_left; /* all of it, and what no piece has been asked for yet */
	uint64_t sent, piece_sent;
	struct http_stream *stream;
	http_tunnel *tunnel;
	size_t headers_max;
	http_header headers[];
} exchange;

/* http.c */
void http_loop_resume(http_loop *l);
void http_orphan_done(http_loop *l);

/* http_connection.c */
void http_connection_open(http_loop *l, int fd, const char *peer);
void http_connection_turn(loop_task *t);
void http_connection_advance(http_connection *c);
/* Has a turn soon. */
void http_connection_queue(http_connection *c);
void http_connection_close(http_connection *c);
/* The exchange ends in the application's eyes and is made ready for the next one. */
void http_exchange_finish(exchange *e);
exchange *http_exchange_take(http_loop *l);
void http_exchange_put(http_loop *l, exchange *e);
/* The loop has ended before the reply came: everything is freed by whoever replied. */
void http_exchange_orphaned(exchange *e);
/* The layer's own refusal. */
void http_connection_refuse(http_connection *c, int status);
/* The reply of the current exchange is complete: the next request, or the end. */
void http_connection_replied(http_connection *c);

/* http_input.c: what a connection reads. true: something was done and more may be possible. */
bool http_input_new(http_connection *c);
bool http_input_head(http_connection *c);
bool http_input_linger(http_connection *c);
/* > 0: bytes; 0: none now; -1: no more will come, and the connection may be closed already. */
ssize_t http_receive(http_connection *c, char *p, size_t n);
char *http_buffer_take(http_loop *l);
void http_buffer_put(http_loop *l, char *p, size_t capacity);

/* http_body.c: bodies of requests, and handing the exchange to the application. */
bool http_body_begin(http_connection *c);
bool http_body_more(http_connection *c);
bool http_body_hand_over(http_connection *c);
/* The loop's task: asks the sinks that wait for room. */
void http_body_sinks(loop_task *t);
/* No longer among those that wait. */
void http_body_wait_no_more(http_connection *c);
/* The body ended before its time: the client has gone or is too slow. */
bool http_body_cut(http_connection *c);

/* http_output.c: what it writes. */
typedef enum http_flush {
	FLUSHED,       /* all of it */
	FLUSH_MORE,    /* enough for this turn */
	FLUSH_BLOCKED, /* the socket is full */
	FLUSH_WAITING, /* the application has not written more yet */
	FLUSH_BROKEN,
} http_flush;
void http_out(http_connection *c, str bytes);
/* Moves what http_out gathered towards the socket; the rest waits in `pending`. */
http_flush http_out_flush(http_connection *c);
/* Sends p[0, n) after all that. *sent counts. */
http_flush http_out_bytes(http_connection *c, const char *p, size_t n, size_t *sent);
http_flush http_out_file(http_connection *c, int fd, int64_t *offset, int64_t *length);

/* http_reply.c */
void http_reply_head(exchange *e, const wire_message *out, int64_t length, bool chunked);
/* Begins to send the reply; on the loop's thread. */
void http_reply_start(http_connection *c);
/* Goes on with a body that was not copied. */
http_flush http_reply_more(http_connection *c);
str http_reason(int status);
str http_date_now(void);
/* Hands the exchange to its loop; when that has ended, the exchange ends here. */
void http_exchange_post(exchange *e, void (*run)(loop_task *));

/* http_stream.c */
http_flush http_stream_more(http_connection *c);
/* The client has. true: the application had written its last, and the exchange is over. */
bool http_stream_gone(exchange *e);
void http_stream_free(exchange *e);

/* http_tunnel.c */
void http_tunnel_start(http_connection *c, http_tunnel *t);
bool http_tunnel_more(http_connection *c);
/* The connection has closed. */
void http_tunnel_ended(http_tunnel *t);
