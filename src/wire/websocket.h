/*
 * WebSocket (RFC 6455), the server's side, on a connection that HTTP gives over (http_upgrade).
 * Frames are read by wslay; pings are answered and the closing handshake is done here. No
 * extensions.
 *
 * `message` and `closed` are called on the connection's thread and must not block; `closed` is the
 * last. Whoever accepted holds the socket until websocket_release and may use it from any thread
 * until then; once the client has gone, sending only says so. `message` and `closed` may come
 * before websocket_accept has returned, but websocket_release must not.
 */
#pragma once
#include "wire/http.h"

typedef struct websocket websocket;

typedef struct websocket_app {
	void *context;
	size_t message_max; /* larger ones end the connection with 1009; 0: 128 KiB, as API Gateway */
	void (*message)(void *context, websocket *w, bool text, str bytes);
	/* `code` as in close frames: the client's, ours, or 1006 when the connection just ended. */
	void (*closed)(void *context, websocket *w, int code);
} websocket_app;

/* Whether the request asks for a WebSocket, well-formed and of version 13. */
bool websocket_asked(const http_exchange *x);
/* Answers 101 with the headers of `out` (a subprotocol, say; may be NULL). Only when asked. */
websocket *websocket_accept(http_exchange *x, const wire_message *out, const websocket_app *app);
/* One message. While the client is more than 1 MiB behind, callers wait, except on a loop's thread,
 * where false comes back at once. false: gone, closing, or behind. */
bool websocket_send(websocket *w, bool text, str bytes);
/* The same without ever waiting: a client that is behind is closed with 1008. */
bool websocket_offer(websocket *w, bool text, str bytes);
bool websocket_ping(websocket *w);
void websocket_close(websocket *w, int code, str reason);
/* Takes no further messages until it is called with false. */
void websocket_pause(websocket *w, bool paused);
void websocket_release(websocket *w);
