/* What clients send once they have a WebSocket. The tunnel below it is replaced by one that
 * counts. */
#define http_upgrade upgrade_under_test
#define http_tunnel_send send_under_test
#define http_tunnel_offer offer_under_test
#define http_tunnel_close close_under_test
#define http_tunnel_pause pause_under_test
#define http_tunnel_release release_under_test
#define websocket_asked asked_under_test
#define websocket_accept accept_under_test
#define websocket_send websocket_send_under_test
#define websocket_offer websocket_offer_under_test
#define websocket_ping ping_under_test
#define websocket_close websocket_close_under_test
#define websocket_pause websocket_pause_under_test
#define websocket_release websocket_release_under_test
#include "wire/websocket.c"

struct http_tunnel {
	size_t sent;
	bool closed;
};

http_tunnel *http_upgrade(http_exchange *x, const wire_message *out, const http_tunnel_app *app)
{
	(void)x, (void)out, (void)app;
	return NULL;
}

bool http_tunnel_send(http_tunnel *t, str bytes)
{
	/* Frames of a server: whole and unmasked. */
	ensure(bytes.n >= 2 && !(bytes.p[1] & 0x80));
	t->sent += bytes.n;
	return true;
}

bool http_tunnel_offer(http_tunnel *t, str bytes)
{
	return http_tunnel_send(t, bytes);
}

void http_tunnel_close(http_tunnel *t)
{
	t->closed = true;
}

void http_tunnel_pause(http_tunnel *t, bool paused)
{
	(void)t, (void)paused;
}

void http_tunnel_release(http_tunnel *t)
{
	(void)t;
}

static void check(void *context, websocket *w, bool text, str bytes)
{
	(void)w;
	ensure(bytes.n <= 3000 && (!text || utf8_valid(bytes)));
	++*(int *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	http_tunnel t = { 0 };
	int messages = 0;
	websocket *w = calloc(1, sizeof *w);
	w->app = (websocket_app){ .context = &messages, .message = check };
	atomic_store(&w->references, 2);
	ensure(wslay_event_context_server_init(&w->frames, &callbacks, w) == 0);
	wslay_event_config_set_max_recv_msg_length(w->frames, 3000);
	size_t piece = n ? bytes[0] + 1u : 1;
	for (size_t at = 1; at < n && !t.closed; at += piece)
		received(w, &t, str_of((const char *)bytes + at, n - at < piece ? n - at : piece));
	ensure(t.sent <= n * 2 + 200);
	atomic_store(&w->t, NULL);
	closed(w, &t);
	release(w);
	return 0;
}
