#include "wire/websocket.h"
#include "base/digest.h"
#include "base/text.h"
#include "sys/loop.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#define MESSAGE_MAX ((size_t)128 << 10)
#define REPLIES_MAX ((size_t)64 << 10) /* pongs and the like, for one piece of input */

/* Two references: the tunnel's, given back in `closed`, and the application's. */
struct websocket {
	_Atomic(http_tunnel *) t;
	websocket_app app;
	wslay_event_context_ptr frames; /* the connection's thread only */
	str in;                         /* what is left of the piece being read */
	char *replies;
	size_t n_replies;
	atomic_int references;
	atomic_int code; /* of a close frame of ours */
};

static bool has_token(str list, str wanted)
{
	while (str_is(list))
		if (str_eq_nocase(str_trim(str_cut(&list, ',')), wanted))
			return true;
	return false;
}

bool websocket_asked(const http_exchange *x)
{
	const wire_message *m = &x->in;
	str key = wire_header(m, S("sec-websocket-key"));
	return str_eq(m->method, S("GET")) && x->body_bytes == 0 &&
	       has_token(wire_header(m, S("upgrade")), S("websocket")) &&
	       has_token(wire_header(m, S("connection")), S("upgrade")) &&
	       str_eq(wire_header(m, S("sec-websocket-version")), S("13")) && key.n == 24 &&
	       str_ends(key, S("=="));
}

static void release(websocket *w)
{
	if (atomic_fetch_sub(&w->references, 1) != 1)
		return;
	http_tunnel *t = atomic_load(&w->t);
	if (t)
		http_tunnel_release(t);
	free(w);
}

static ssize_t read_piece(wslay_event_context_ptr frames, uint8_t *p, size_t n, int flags,
                          void *context)
{
	websocket *w = context;
	(void)flags;
	if (w->in.n == 0) {
		wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t take = n < w->in.n ? n : w->in.n;
	memcpy(p, w->in.p, take);
	w->in = str_sub(w->in, take, w->in.n);
	return (ssize_t)take;
}

/* Gathered, so that a frame leaves whole, with no other thread's frame inside it. */
static ssize_t write_piece(wslay_event_context_ptr frames, const uint8_t *p, size_t n, int flags,
                           void *context)
{
	websocket *w = context;
	(void)flags;
	char *larger = w->n_replies + n <= REPLIES_MAX ? realloc(w->replies, w->n_replies + n) : NULL;
	if (!larger) {
		wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
		return -1;
	}
	memcpy(larger + w->n_replies, p, n);
	w->replies = larger;
	w->n_replies += n;
	return (ssize_t)n;
}

static void message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *m,
                    void *context)
{
	websocket *w = context;
	(void)frames;
	if (m->opcode == WSLAY_TEXT_FRAME || m->opcode == WSLAY_BINARY_FRAME)
		w->app.message(w->app.context, w, m->opcode == WSLAY_TEXT_FRAME,
		               str_of(m->msg_length ? (const char *)m->msg : "", m->msg_length));
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = read_piece,
	.send_callback = write_piece,
	.on_msg_recv_callback = message,
};

/* What wslay wants to say: pongs, the answer to a close, the reason of a refusal. */
static bool send_replies(websocket *w, http_tunnel *t)
{
	bool fine = wslay_event_send(w->frames) == 0;
	if (fine && w->n_replies)
		http_tunnel_send(t, (str){ w->replies, w->n_replies });
	free(w->replies);
	w->replies = NULL;
	w->n_replies = 0;
	return fine;
}

static void received(void *context, http_tunnel *t, str bytes)
{
	websocket *w = context;
	atomic_store(&w->t, t);
	w->in = bytes;
	bool fine = wslay_event_recv(w->frames) == 0;
	fine = send_replies(w, t) && fine;
	w->in = STR_NONE;
	if (!fine || !wslay_event_get_read_enabled(w->frames))
		http_tunnel_close(t);
}

static int closing_code(const websocket *w)
{
	int ours = atomic_load(&w->code);
	if (ours)
		return ours;
	if (wslay_event_get_close_received(w->frames))
		return wslay_event_get_status_code_received(w->frames);
	if (wslay_event_get_close_sent(w->frames))
		return wslay_event_get_status_code_sent(w->frames);
	return WSLAY_CODE_ABNORMAL_CLOSURE;
}

static void closed(void *context, http_tunnel *t)
{
	websocket *w = context;
	(void)t;
	if (w->app.closed)
		w->app.closed(w->app.context, w, closing_code(w));
	wslay_event_context_free(w->frames);
	w->frames = NULL;
	release(w);
}

static str accept_key(arena *a, str key)
{
	digest *d = digest_open(a, DIGEST_SHA1);
	digest_add(d, key.p, key.n);
	str guid = S("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 1.3 */
	digest_add(d, guid.p, guid.n);
	return base64_encode(a, digest_finish(a, d));
}

websocket *websocket_accept(http_exchange *x, const wire_message *out, const websocket_app *app)
{
	ensure(websocket_asked(x));
	websocket *w = calloc(1, sizeof *w);
	ensure(w != NULL);
	w->app = *app;
	atomic_store(&w->references, 2);
	ensure(wslay_event_context_server_init(&w->frames, &callbacks, w) == 0);
	wslay_event_config_set_max_recv_msg_length(w->frames,
	                                           app->message_max ? app->message_max : MESSAGE_MAX);
	wire_message reply = { .mem = x->mem, .status = 101 };
	for (size_t i = 0; out && i < out->n_headers; i++)
		wire_header_add(&reply, out->headers[i].name, out->headers[i].value);
	wire_header_add(&reply, S("Upgrade"), S("websocket"));
	wire_header_add(&reply, S("Sec-WebSocket-Accept"),
	                accept_key(x->mem, wire_header(&x->in, S("sec-websocket-key"))));
	http_tunnel_app tunnel = { .context = w, .received = received, .closed = closed };
	atomic_store(&w->t, http_upgrade(x, &reply, &tunnel));
	return w;
}

static size_t frame_head(unsigned char *p, unsigned opcode, size_t n)
{
	p[0] = (unsigned char)(0x80 | opcode);
	if (n < 126) {
		p[1] = (unsigned char)n;
		return 2;
	}
	size_t bytes = n < 65536 ? 2 : 8;
	p[1] = bytes == 2 ? 126 : 127;
	for (size_t i = 0; i < bytes; i++)
		p[2 + i] = (unsigned char)((uint64_t)n >> 8 * (bytes - 1 - i));
	return 2 + bytes;
}

/* Frames of a server are not masked, so any thread can make one. */
static bool put_frame(websocket *w, unsigned opcode, str payload, bool (*put)(http_tunnel *t, str bytes))
{
	unsigned char head[10];
	size_t n = frame_head(head, opcode, payload.n);
	char *whole = malloc(n + payload.n);
	ensure(whole != NULL);
	memcpy(whole, head, n);
	if (payload.n)
		memcpy(whole + n, payload.p, payload.n);
	bool sent = put(atomic_load(&w->t), (str){ whole, n + payload.n });
	free(whole);
	return sent;
}

static bool send_frame(websocket *w, unsigned opcode, str payload)
{
	return put_frame(w, opcode, payload, http_tunnel_send);
}

bool websocket_send(websocket *w, bool text, str bytes)
{
	return send_frame(w, text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, bytes);
}

bool websocket_offer(websocket *w, bool text, str bytes)
{
	int none = 0;
	if (put_frame(w, text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, bytes, http_tunnel_offer))
		return true;
	atomic_compare_exchange_strong(&w->code, &none, 1008);
	http_tunnel_close(atomic_load(&w->t));
	return false;
}

bool websocket_ping(websocket *w)
{
	return send_frame(w, WSLAY_PING, STR_NONE);
}

void websocket_close(websocket *w, int code, str reason)
{
	char payload[125];
	reason = str_sub(reason, 0, sizeof payload - 2);
	payload[0] = (char)(code >> 8);
	payload[1] = (char)code;
	if (reason.n)
		memcpy(payload + 2, reason.p, reason.n);
	int none = 0;
	if (!atomic_compare_exchange_strong(&w->code, &none, code))
		return;
	send_frame(w, WSLAY_CONNECTION_CLOSE, (str){ payload, reason.n + 2 });
	http_tunnel_close(atomic_load(&w->t));
}

void websocket_pause(websocket *w, bool paused)
{
	http_tunnel_pause(atomic_load(&w->t), paused);
}

void websocket_release(websocket *w)
{
	release(w);
}
