#include "sys/clock.h"
#include "sys/pool.h"
#include "test/test.h"
#include "wire/http.h"
#include "wire/http_client.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server of ours for what a server of ours says. */

static void streamed(void *argument)
{
	http_exchange *x = argument;
	wire_message out = { .mem = x->mem, .status = 201 };
	http_stream_begin(x, &out);
	for (int i = 0; i < 1000; i++)
		if (!http_stream_write(x, S("0123456789")))
			break;
	http_stream_end(x);
}

static void request(void *context, http_exchange *x)
{
	wire_message out = { .mem = x->mem, .status = 200, .body = x->in.body };
	if (str_eq(x->in.path, S("/stream"))) {
		pool_run(context, streamed, x);
		return;
	}
	if (str_eq(x->in.path, S("/about")))
		out.body = arena_fmt(x->mem, "%.*s %.*s %.*s %d", STR_ARG(x->in.method), STR_ARG(x->target),
		                     STR_ARG(x->host), x->tls);
	wire_header_add(&out, S("X-Seen"), wire_header(&x->in, S("X-Mine")));
	http_reply(x, &out, NULL);
}

static const http_client_options defaults;

static void ask_everything(arena *mem, str base)
{
	char *large = arena_bytes(mem, 300000);
	memset(large, 'x', 300000);
	str bodies[] = { S(""), S("hello"), { large, 16384 }, { large, 300000 } };
	wire_message answer = { 0 };
	for (size_t i = 0; i < 4; i++) {
		wire_message m = { .mem = mem, .method = S("POST"), .body = bodies[i] };
		wire_header_add(&m, S("X-Mine"), S("yes"));
		answer = (wire_message){ 0 };
		CHECK_OK(http_call(mem, arena_concat(mem, base, S("/echo")), &m, &defaults, &answer));
		CHECK_I64(answer.status, 200);
		CHECK(str_eq(answer.body, bodies[i]));
		CHECK_STR(wire_header(&answer, S("x-seen")), S("yes"));
	}
	wire_message get = { .mem = mem, .method = S("GET") };
	answer = (wire_message){ 0 };
	CHECK_OK(http_call(mem, arena_concat(mem, base, S("/stream")), &get, &defaults, &answer));
	CHECK_I64(answer.status, 201);
	CHECK_I64(answer.body.n, 10000);
	http_client_options small = { .body_max = 9999 };
	CHECK(http_call(mem, arena_concat(mem, base, S("/stream")), &get, &small, &answer) != OK);
	get.method = S("HEAD");
	answer = (wire_message){ 0 };
	CHECK_OK(http_call(mem, arena_concat(mem, base, S("/about?q")), &get, &defaults, &answer));
	CHECK_I64(answer.body.n, 0);
	get.method = S("GET");
	CHECK_OK(http_call(mem, arena_concat(mem, base, S("?q")), &get, &defaults, &answer));
}

static void read_in_pieces(arena *mem, str base)
{
	char *large = arena_bytes(mem, 300000);
	memset(large, 'y', 300000);
	struct { const char *path; str body; int64_t length; size_t n;
	} all[] = { { "/echo", { large, 300000 }, 300000, 300000 },
		        { "/echo", S(""), 0, 0 },
		        { "/stream", S(""), -1, 10000 } };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		wire_message m = { .mem = mem, .method = S("POST"), .body = all[i].body }, answer = { 0 };
		http_answer *x;
		str piece;
		size_t n = 0;
		CHECK_OK(http_open(mem, arena_concat(mem, base, str_c(all[i].path)), &m, &defaults, &answer, &x));
		CHECK_I64(http_answer_length(x), all[i].length);
		while (http_answer_next(x, &piece) > 0)
			n += piece.n;
		CHECK_I64((int64_t)n, (int64_t)all[i].n);
		http_answer_close(x);
	}
	CHECK_OK(http_reach(mem, base, 5000));
	CHECK(http_reach(mem, S("http://127.0.0.1:1"), 5000) != OK);
}

TEST(client_and_server)
{
	const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	str certificate = arena_fmt(mem, "%s/farthing-client-%d.pem", folder, (int)getpid());
	pool *workers = pool_open(2);
	http_app app = { .context = workers, .request = request };
	http_options o = { .address = S("127.0.0.1"), .loops = 1, .certificate_path = certificate };
	http_server *s;
	CHECK_OK(http_serve(mem, &o, &app, &s));
	int port = http_port(s);
	unlink(certificate.p);
	ask_everything(mem, arena_fmt(mem, "http://127.0.0.1:%d", port));
	read_in_pieces(mem, arena_fmt(mem, "http://127.0.0.1:%d", port));
	ask_everything(mem, arena_fmt(mem, "https://a.localhost:%d", port));
	wire_message get = { .mem = mem, .method = S("GET") }, answer = { 0 };
	CHECK_OK(http_call(mem, arena_fmt(mem, "https://LocalHost:%d/about?x=1", port), &get,
	                   &defaults, &answer));
	CHECK_STR(answer.body, arena_fmt(mem, "GET /about?x=1 LocalHost:%d 1", port));
	err e = http_serve(mem, &(http_options){ .address = S("127.0.0.1"), .port = port }, &app, &s);
	CHECK(e && str_find(e->message, arena_fmt(mem, "port %d of 127.0.0.1", port)) != SIZE_MAX);
	http_stop(s, 1000);
	pool_close(workers);
	/* Nobody listens any more. */
	e = http_call(mem, arena_fmt(mem, "http://127.0.0.1:%d/", port), &get, &defaults, &answer);
	CHECK(e && str_find(e->message, S("refused")) != SIZE_MAX);
}

TEST(client_refuses_bad_requests)
{
	static const str urls[] = {
		S("ftp://a/"), S("http://"), S("http:///x"), S("http://u@h/"), S("http://h:x/"),
		S("http://h:0/"), S("http://h:70000/"), S("http://h/a b"), S("http://h/\r\nX: y"),
		S("http://h\r\nX/"), S("http://[::1/"),
		S("http://[::1]x/"), S("h"), S(""), S("http://127.0.0.1:1/#f"),
	};
	wire_message get = { .mem = mem, .method = S("GET") }, answer = { 0 };
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		err e = http_call(mem, urls[i], &get, &defaults, &answer);
		if (!e || str_find(e->message, S("is no http")) == SIZE_MAX)
			test_failed(__FILE__, __LINE__, "taken: %.*s", STR_ARG(urls[i]));
	}
}

/* A server that says whatever we want, once, in small pieces. */
static str script;
static int listener;

static void play(void *unused)
{
	(void)unused;
	int fd = accept(listener, NULL, NULL);
	char request_bytes[4096];
	ensure(read(fd, request_bytes, sizeof request_bytes) > 0);
	for (size_t i = 0; i < script.n; i += 7) {
		str piece = str_sub(script, i, i + 7);
		if (send(fd, piece.p, piece.n, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

static err hear(arena *mem, str says, int total_ms, wire_message *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(listener, (struct sockaddr *)&at, n) == 0 && listen(listener, 5) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&at, &n) == 0);
	pool *p = pool_open(1);
	script = says;
	pool_run(p, play, NULL);
	wire_message get = { .mem = mem, .method = S("GET") };
	http_client_options o = { .total_ms = total_ms, .body_max = 1000 };
	*answer = (wire_message){ 0 };
	str url = arena_fmt(mem, "http://127.0.0.1:%d/", ntohs(at.sin_port));
	err e = http_call(mem, url, &get, &o, answer);
	pool_close(p);
	close(listener);
	return e;
}

TEST(client_hears_many_kinds_of_answers)
{
	static const struct { str says, body; } fine[] = {
		{ S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more"), S("hello") },
		{ S("HTTP/1.0 200\r\n\r\nup to the end"), S("up to the end") },
		{ S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n"
		    "Content-Length: 1\r\n\r\nx"), S("x") },
		{ S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
		    "0\r\n\r\n"), S("abcde") },
		{ S("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), S("") },
		{ S("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"), S("ok") },
	};
	static const str wrong[] = {
		S(""), S("HTTP/1.1 200 OK\r\n"), S("SSH-2.0-x\r\n\r\n"), S("HTTP/1.1 20x OK\r\n\r\n"),
		S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
		S("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
		S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
		S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
		S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
		S("HTTP/1.1 200 OK\r\nbad line\r\n\r\n"),
		S("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"),
	};
	wire_message answer;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
		CHECK_OK(hear(mem, fine[i].says, 5000, &answer));
		CHECK_STR(answer.body, fine[i].body);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (!hear(mem, wrong[i], 5000, &answer))
			test_failed(__FILE__, __LINE__, "taken: %.*s", STR_ARG(wrong[i]));
}

TEST(client_keeps_its_time)
{
	/* Listens and never answers. */
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, 5) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
	wire_message get = { .mem = mem, .method = S("GET") }, answer = { 0 };
	http_client_options o = { .total_ms = 100 };
	for (int tls = 0; tls < 2; tls++) {
		int64_t start = clock_mono_us();
		str url = arena_fmt(mem, "http%s://127.0.0.1:%d/", tls ? "s" : "", ntohs(at.sin_port));
		err e = http_call(mem, url, &get, &o, &answer);
		CHECK(e != OK);
		CHECK(clock_mono_us() - start >= 99000 && clock_mono_us() - start < 3000000);
	}
	close(fd);
}
