/*
 * The application that test/http/run drives: one path for each way to take a body and to reply.
 *
 * server [name=value ..]   loops, tls (path), head_ms, idle_ms, body_stall_ms, connections,
 * body_bytes
 *
 * Prints "port N" and serves until its standard input ends.
 */
#include "base/buf.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/pool.h"
#include "wire/websocket.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pool *workers, *writer; /* the writer is one thread, as the store's is */
static atomic_long heads, requests, finishes, cuts, sent_bytes, sockets, last_code, rooms;

typedef struct upload {
	http_sink sink;
	uint64_t n, stop_at;
	uint32_t sum; /* Adler-like, enough to notice a byte out of place */
	int slow_ms;
	uint64_t keep, kept; /* no room for more until somebody asks for /room */
	long seen;
	char *own;
	size_t own_n;
} upload;

static bool take(http_sink *s, const char *p, size_t n)
{
	upload *u = s->context;
	for (size_t i = 0; i < n; i++)
		u->sum = u->sum * 31 + (uint8_t)p[i];
	u->n += n;
	u->kept += n;
	if (u->slow_ms)
		clock_sleep_ms(u->slow_ms);
	return !u->stop_at || u->n < u->stop_at;
}

static bool has_room(http_sink *s)
{
	upload *u = s->context;
	long now = atomic_load(&rooms);
	if (u->seen != now)
		u->kept = 0;
	u->seen = now;
	return u->kept < u->keep;
}

static char *own_room(http_sink *s, size_t *n)
{
	upload *u = s->context;
	*n = u->own_n;
	return u->own;
}

static int64_t argument(const http_exchange *x, str name, int64_t otherwise)
{
	str rest = x->in.query;
	while (str_is(rest)) {
		str value = str_cut(&rest, '&'), key = str_cut(&value, '=');
		int64_t n;
		if (str_eq(key, name) && str_to_i64(value, &n))
			return n;
	}
	return otherwise;
}

static void say(http_exchange *x, int status, str text)
{
	wire_message out = { .mem = x->mem, .status = status, .body = text };
	wire_header_add(&out, S("Content-Type"), S("text/plain"));
	http_reply(x, &out, NULL);
}

static bool head(void *context, http_exchange *x)
{
	(void)context;
	atomic_fetch_add(&heads, 1);
	if (str_eq(x->in.path, S("/refuse"))) {
		say(x, 403, S("refused by head\n"));
		return false;
	}
	if (str_eq(x->in.path, S("/sink"))) {
		upload *u = arena_new(x->mem, upload);
		u->sink = (http_sink){ .write = take, .context = u };
		u->stop_at = (uint64_t)argument(x, S("stop"), 0);
		u->slow_ms = (int)argument(x, S("slow"), 0);
		u->keep = (uint64_t)argument(x, S("keep"), 0);
		u->own_n = (size_t)argument(x, S("own"), 0);
		u->seen = atomic_load(&rooms);
		if (u->keep)
			u->sink.ready = has_room;
		if (u->own_n) {
			u->sink.room = own_room;
			u->own = arena_bytes(x->mem, u->own_n);
		}
		x->sink = &u->sink;
	}
	if (str_eq(x->in.path, S("/small")))
		x->body_max = 1000;
	return true;
}

static void show(http_exchange *x)
{
	buf b = buf_in(x->mem, 1000, 100000);
	buf_fmt(&b, "method=%.*s\ntarget=%.*s\npath=%.*s\nquery=%s%.*s\nhost=%.*s\n",
	        STR_ARG(x->in.method), STR_ARG(x->target), STR_ARG(x->in.path),
	        x->in.query.p ? "?" : "", STR_ARG(x->in.query), STR_ARG(x->host));
	buf_fmt(&b, "peer=%.*s\ntls=%d\nbody=%llu\n", STR_ARG(x->peer), x->tls,
	        (unsigned long long)x->body_bytes);
	for (size_t i = 0; i < x->in.n_headers; i++)
		buf_fmt(&b, "[%.*s]=[%.*s]\n", STR_ARG(x->in.headers[i].name),
		        STR_ARG(x->in.headers[i].value));
	say(x, 200, buf_str(&b));
}

static void parked(void *argument_)
{
	http_exchange *x = argument_;
	clock_sleep_ms(argument(x, S("ms"), 0));
	if (x->in.body.n)
		say(x, 200, x->in.body);
	else
		say(x, 200, S("parked\n"));
}

static void big(http_exchange *x)
{
	size_t n = (size_t)argument(x, S("n"), 1 << 20);
	char *p = arena_bytes(x->mem, n);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + i % 26);
	say(x, 200, (str){ p, n });
}

static void file_reply(void *argument_)
{
	http_exchange *x = argument_;
	int64_t n = argument(x, S("n"), 1 << 20), offset = argument(x, S("offset"), 0);
	char name[] = "/tmp/farthing-http-XXXXXX";
	int fd = mkstemp(name);
	unlink(name);
	for (int64_t i = 0; i < n + offset;) {
		char piece[26 * 1000];
		for (size_t k = 0; k < sizeof piece; k++)
			piece[k] = (char)('a' + (i + (int64_t)k) % 26);
		int64_t left = n + offset - i;
		int64_t w = left < (int64_t)sizeof piece ? left : (int64_t)sizeof piece;
		if (write(fd, piece, (size_t)w) != w)
			break;
		i += w;
	}
	wire_message out = { .mem = x->mem, .status = 200 };
	http_reply_body body = { .fd = fd, .offset = offset, .length = n + argument(x, S("lie"), 0) };
	http_reply(x, &out, &body);
}

static void streamed(void *argument_)
{
	http_exchange *x = argument_;
	int64_t n = argument(x, S("n"), 1 << 20), piece = argument(x, S("piece"), 1000);
	int64_t wait_ms = argument(x, S("ms"), 0);
	wire_message out = { .mem = x->mem, .status = 200 };
	char *p = arena_bytes(x->mem, (size_t)piece + 26);
	for (int64_t i = 0; i < piece + 26; i++)
		p[i] = (char)('a' + i % 26);
	http_stream_begin(x, &out);
	for (int64_t i = 0; i < n; i += piece) {
		int64_t w = n - i < piece ? n - i : piece;
		if (!http_stream_write(x, (str){ p + i % 26, (size_t)w }))
			break;
		clock_sleep_ms(wait_ms);
	}
	http_stream_end(x);
}

static void stats(http_exchange *x)
{
	str status;
	int64_t rss = 0;
	if (!file_read(x->mem, S("/proc/self/status"), 1 << 16, &status)) {
		size_t at = str_find(status, S("VmRSS:"));
		if (at != SIZE_MAX)
			rss = atol(status.p + at + 6);
	}
	say(x, 200, arena_fmt(x->mem, "heads=%ld\nrequests=%ld\nfinishes=%ld\ncuts=%ld\nsent=%ld\n"
	                      "rss_kb=%lld\nsockets=%ld\nlast_code=%ld\n", atomic_load(&heads),
	                      atomic_load(&requests), atomic_load(&finishes), atomic_load(&cuts),
	                      atomic_load(&sent_bytes), (long long)rss, atomic_load(&sockets),
	                      atomic_load(&last_code)));
}

static void odd_headers(http_exchange *x)
{
	wire_message out = { .mem = x->mem, .status = 200, .body = S("odd") };
	wire_header_add(&out, S("X-Injected"), S("a\r\nSet-Cookie: b"));
	wire_header_add(&out, S("Bad Name"), S("dropped"));
	wire_header_add(&out, S("Content-Length"), S("77"));
	wire_header_add(&out, S("Connection"), S("close"));
	http_reply(x, &out, NULL);
}

/* Upgraded connections. A line of raw bytes comes back; "!" ends it. */
static void raw_received(void *context, http_tunnel *t, str bytes)
{
	(void)context;
	http_tunnel_send(t, bytes);
	if (str_find_char(bytes, '!') != SIZE_MAX)
		http_tunnel_close(t);
}

static void raw_closed(void *context, http_tunnel *t)
{
	(void)context;
	(void)t;
	atomic_fetch_sub(&sockets, 1);
}

static void raw(http_exchange *x)
{
	http_tunnel_app app = { .received = raw_received, .closed = raw_closed };
	wire_message out = { .mem = x->mem, .status = 101 };
	wire_header_add(&out, S("Upgrade"), S("raw"));
	atomic_fetch_add(&sockets, 1);
	http_tunnel_release(http_upgrade(x, &out, &app));
}

/* What a socket's messages ask for is done by a pool thread, which owns the socket: everything it
 * says goes through its inbox. */
typedef struct chat {
	websocket *w;
	atomic_int references;
	atomic_bool accepted;
} chat;

typedef struct order {
	chat *c;
	int64_t n;
} order;

static void chat_release(chat *c)
{
	if (atomic_fetch_sub(&c->references, 1) != 1)
		return;
	websocket_release(c->w);
	free(c);
}

static void flood(void *argument_)
{
	order *o = argument_;
	static const char text[1000];
	while (!atomic_load(&o->c->accepted))
		clock_sleep_ms(1);
	while (o->n-- > 0 && websocket_send(o->c->w, false, str_of(text, sizeof text)))
		;
	chat_release(o->c);
	free(o);
}

static void chat_message(void *context, websocket *w, bool text, str bytes)
{
	chat *c = context;
	int64_t n;
	if (str_eq(bytes, S("close"))) {
		websocket_close(w, 4000, S("bye"));
	} else if (str_starts(bytes, S("flood ")) && str_to_i64(str_sub(bytes, 6, bytes.n), &n)) {
		order *o = malloc(sizeof *o);
		*o = (order){ c, n };
		atomic_fetch_add(&c->references, 1);
		pool_run(workers, flood, o);
	} else if (str_eq(bytes, S("ping"))) {
		websocket_ping(w);
	} else {
		websocket_send(w, text, bytes);
	}
}

static void chat_closed(void *context, websocket *w, int code)
{
	(void)w;
	atomic_fetch_sub(&sockets, 1);
	atomic_store(&last_code, code);
	chat_release(context);
}

static void chat_accept(void *argument_)
{
	http_exchange *x = argument_;
	chat *c = calloc(1, sizeof *c);
	websocket_app app = { .context = c, .message = chat_message, .closed = chat_closed };
	wire_message out = { .mem = x->mem };
	wire_header_add(&out, S("Sec-WebSocket-Protocol"), S("test"));
	atomic_fetch_add(&sockets, 1);
	atomic_store(&c->references, 2);
	c->w = websocket_accept(x, &out, &app);
	atomic_store(&c->accepted, true);
	chat_release(c);
}

static const char fixed_body[] =
	"{\"Table\":{\"TableName\":\"orders\",\"TableStatus\":\"ACTIVE\",\"ItemCount\":12345,"
	"\"TableSizeBytes\":98765432,\"TableArn\":\"arn:aws:dynamodb:us-east-1:000000000000:t"
	"able/orders\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"Bill"
	"ingModeSummary\":{\"BillingMode\":\"PAY_PER_REQUEST\"}}}";

static void request(void *context, http_exchange *x)
{
	(void)context;
	str path = x->in.path;
	atomic_fetch_add(&requests, 1);
	if (x->body_cut)
		atomic_fetch_add(&cuts, 1);
	if (str_eq(path, S("/fixed")))
		say(x, 200, str_of(fixed_body, sizeof fixed_body - 1));
	else if (str_eq(path, S("/echo")) || str_eq(path, S("/small")))
		say(x, 200, x->in.body);
	else if (str_eq(path, S("/park")))
		pool_run(argument(x, S("ms"), 0) ? workers : writer, parked, x);
	else if (str_eq(path, S("/show")))
		show(x);
	else if (str_eq(path, S("/big")))
		big(x);
	else if (str_eq(path, S("/file")))
		pool_run(workers, file_reply, x);
	else if (str_eq(path, S("/stream")))
		pool_run(workers, streamed, x);
	else if (str_eq(path, S("/room"))) {
		atomic_fetch_add(&rooms, 1);
		http_sinks_ready(x->server);
		say(x, 200, S("room\n"));
	} else if (str_eq(path, S("/stats")))
		stats(x);
	else if (str_eq(path, S("/odd")))
		odd_headers(x);
	else if (str_eq(path, S("/raw")))
		raw(x);
	else if (str_eq(path, S("/chat")) && websocket_asked(x))
		pool_run(workers, chat_accept, x);
	else if (str_eq(path, S("/nothing")))
		say(x, 204, STR_NONE);
	else if (x->sink)
		say(x, x->body_cut ? 400 : 200,
		    arena_fmt(x->mem, "%llu %u", (unsigned long long)((upload *)x->sink->context)->n,
		              ((upload *)x->sink->context)->sum));
	else
		say(x, 404, S("no such path\n"));
}

static void finished(void *context, http_exchange *x, int status, uint64_t sent)
{
	(void)context;
	(void)x;
	(void)status;
	atomic_fetch_add(&finishes, 1);
	atomic_fetch_add(&sent_bytes, (long)sent);
}

static bool setting(const char *text, const char *name, int64_t *value)
{
	size_t n = strlen(name);
	return strncmp(text, name, n) == 0 && text[n] == '=' && str_to_i64(str_c(text + n + 1), value);
}

static void set(const char *text, http_options *o, http_limits *lim)
{
	int64_t v;
	if (strncmp(text, "tls=", 4) == 0)
		o->certificate_path = str_c(text + 4);
	else if (setting(text, "loops", &v))
		o->loops = (int)v;
	else if (setting(text, "port", &v))
		o->port = (int)v;
	else if (setting(text, "head_ms", &v))
		lim->head_ms = (int)v;
	else if (setting(text, "idle_ms", &v))
		lim->idle_ms = (int)v;
	else if (setting(text, "body_stall_ms", &v))
		lim->body_stall_ms = (int)v;
	else if (setting(text, "connections", &v))
		lim->connections = (size_t)v;
	else if (setting(text, "body_bytes", &v))
		lim->body_bytes = (size_t)v;
	else if (setting(text, "held_bytes", &v))
		lim->held_bytes = (size_t)v;
	else
		ensure(!"a known setting");
}

int main(int argc, char **argv)
{
	arena *a = arena_open(1 << 16);
	http_limits lim = http_default_limits;
	http_options o = { .address = S("127.0.0.1"), .loops = 2, .limits = &lim };
	http_app app = { .head = head, .request = request, .finished = finished };
	http_server *s;
	for (int i = 1; i < argc; i++)
		set(argv[i], &o, &lim);
	workers = pool_open(64);
	writer = pool_open(1);
	err e = http_serve(a, &o, &app, &s);
	if (e) {
		fprintf(stderr, "%.*s\n", STR_ARG(e->message));
		return 1;
	}
	printf("port %d\n", http_port(s));
	fflush(stdout);
	char c;
	while (read(0, &c, 1) > 0)
		;
	http_stop(s, 1000);
	pool_close(workers);
	pool_close(writer);
	printf("heads %ld finishes %ld\n", atomic_load(&heads), atomic_load(&finishes));
	arena_close(a);
	return atomic_load(&heads) == atomic_load(&finishes) ? 0 : 1;
}
