#include "test/test.h"
#include "wire/http_parse.h"
#include <stdlib.h>

/* Scans and parses a whole head, as the server does. -1: incomplete. */
static int parse(const char *text, size_t n, http_head *h)
{
	static http_header headers[100];
	http_scan s = { 0 };
	size_t end = http_scan_head(&s, text, n);
	if (!end)
		return -1;
	*h = (http_head){ .headers = headers };
	return http_parse_head(text, end, 16384, 100, h);
}
#define PARSE(literal, h) parse(literal, sizeof(literal) - 1, h)

TEST(head_slices)
{
	http_head h;
	CHECK_I64(PARSE("PUT /a%20b/c?x=1&y HTTP/1.1\r\nHost: s3.localhost:4566\r\nX-Empty:\r\n"
	                "X-Odd:\t two  words \t\r\nx-utf: \xc3\xa9\r\n\r\n", &h), 0);
	CHECK_STR(h.method, S("PUT"));
	CHECK_STR(h.target, S("/a%20b/c?x=1&y"));
	CHECK_STR(h.path, S("/a%20b/c"));
	CHECK_STR(h.query, S("x=1&y"));
	CHECK_STR(h.host, S("s3.localhost:4566"));
	CHECK_I64(h.n_headers, 4);
	CHECK_STR(h.headers[1].value, S(""));
	CHECK_STR(h.headers[2].name, S("X-Odd"));
	CHECK_STR(h.headers[2].value, S("two  words"));
	CHECK(h.keep_alive && h.minor == 1 && h.content_length == -1 && !h.chunked);
	CHECK_I64(PARSE("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &h), 0);
	CHECK(!str_is(h.query));
	CHECK_I64(PARSE("GET /? HTTP/1.1\r\nHost: a\r\n\r\n", &h), 0);
	CHECK(str_is(h.query) && h.query.n == 0);
}

TEST(head_framing)
{
	http_head h;
	CHECK_I64(PARSE("POST / HTTP/1.1\r\nhost: a\r\ncontent-LENGTH: 0012\r\n\r\n", &h), 0);
	CHECK_I64(h.content_length, 12);
	CHECK_I64(PARSE("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", &h), 0);
	CHECK(h.chunked);
	CHECK_I64(PARSE("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
	                "Connection: x, close\r\n\r\n", &h), 0);
	CHECK(h.expect_continue && !h.keep_alive);
	CHECK_I64(PARSE("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &h), 0);
	CHECK(!h.keep_alive && h.minor == 0 && !h.expect_continue);
	CHECK_I64(PARSE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h), 0);
	CHECK(h.keep_alive);
	CHECK_I64(PARSE("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
	                "Upgrade: websocket\r\n\r\n", &h), 0);
	CHECK_STR(h.upgrade, S("websocket"));
	CHECK_I64(PARSE("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", &h), 0);
	CHECK(!str_is(h.upgrade));
}

TEST(head_targets)
{
	http_head h;
	CHECK_I64(PARSE("GET http://b.localhost/x?y HTTP/1.1\r\nHost: b.localhost\r\n\r\n", &h), 0);
	CHECK_STR(h.path, S("/x"));
	CHECK_STR(h.query, S("y"));
	CHECK_STR(h.host, S("b.localhost"));
	CHECK_I64(PARSE("GET http://b?y HTTP/1.1\r\nHost: b\r\n\r\n", &h), 0);
	CHECK_STR(h.path, S("/"));
	CHECK_I64(PARSE("OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n", &h), 0);
	CHECK_STR(h.path, S("*"));
}

/* Each is refused with 400. */
static const struct { const char *why, *text; size_t n; } bad[] = {
#define BAD(why, literal) { why, literal, sizeof(literal) - 1 }
#define POST_BAD(why, headers) BAD(why, "POST / HTTP/1.1\r\nHost: a\r\n" headers "\r\n")
#define GET_BAD(why, headers) BAD(why, "GET / HTTP/1.1\r\nHost: a\r\n" headers "\r\n")
	POST_BAD("both lengths", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
	POST_BAD("the other order", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
	POST_BAD("two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n"),
	POST_BAD("two equal lengths", "Content-Length: 3\r\nContent-Length: 3\r\n"),
	POST_BAD("list of lengths", "Content-Length: 3, 3\r\n"),
	POST_BAD("sign", "Content-Length: +4\r\n"),
	POST_BAD("negative", "Content-Length: -4\r\n"),
	POST_BAD("hexadecimal", "Content-Length: 0x4\r\n"),
	POST_BAD("empty length", "Content-Length:\r\n"),
	POST_BAD("huge length", "Content-Length: 99999999999999999999\r\n"),
	GET_BAD("obs-fold", "X-A: b\r\n c\r\n"),
	GET_BAD("fold with tab", "X-A: b\r\n\tc\r\n"),
	BAD("fold after the request line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
	GET_BAD("NUL in a value", "X-A: b\0c\r\n"),
	GET_BAD("NUL in a name", "X\0A: b\r\n"),
	GET_BAD("control in a long value", "X-A: abcdefghijklmnop\x01qrstuvwxyz\r\n"),
	GET_BAD("DEL in a value", "X-A: abcdef\x7fgh\r\n"),
	GET_BAD("CR in a value", "X-A: b\rc\r\n"),
	BAD("blank before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
	GET_BAD("blank in a name", "X A: b\r\n"),
	GET_BAD("no name", ": b\r\n"),
	GET_BAD("no colon", "Xyz\r\n"),
	BAD("bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
	BAD("bare LF in one header", "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
	BAD("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
	BAD("CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
	BAD("no host", "GET / HTTP/1.1\r\nX-A: b\r\n\r\n"),
	GET_BAD("two hosts", "Host: a\r\n"),
	BAD("host with blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	BAD("host with slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
	BAD("host with @", "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n"),
	BAD("hosts that differ", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
	POST_BAD("two codings", "Transfer-Encoding: gzip, chunked\r\n"),
	POST_BAD("chunked twice",
	         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
	POST_BAD("identity", "Transfer-Encoding: identity\r\n"),
	POST_BAD("vertical tab", "Transfer-Encoding: \x0b" "chunked\r\n"),
	BAD("chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD("no version", "GET /\r\nHost: a\r\n\r\n"),
	BAD("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("blanks at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
	BAD("tab as blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"),
	BAD("long version", "GET / HTTP/1.11\r\nHost: a\r\n\r\n"),
	BAD("relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("authority target", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("star for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("fragment", "GET /x#y HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("raw byte in target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("method with colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("long method", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\nHost: a\r\n\r\n"),
	BAD("empty", "\r\n"),
	BAD("blank method", " / HTTP/1.1\r\nHost: a\r\n\r\n"),
};

TEST(head_refusals)
{
	http_head h;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int status = parse(bad[i].text, bad[i].n, &h);
		if (status != 400)
			test_failed(__FILE__, __LINE__, "%s: %d", bad[i].why, status);
	}
	CHECK_I64(PARSE("GET / HTTP/2.0\r\nHost: a\r\n\r\n", &h), 505);
	CHECK_I64(PARSE("PRI * HTTP/2.0\r\n\r\n", &h), 505);
	CHECK_I64(PARSE("PUT / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", &h), 0);
	CHECK(!h.expect_continue);
}

TEST(head_limits)
{
	http_head h;
	buf b = buf_in(mem, 1 << 16, 1 << 20);
	buf_put(&b, S("GET / HTTP/1.1\r\nHost: a\r\n"));
	for (int i = 0; i < 99; i++)
		buf_fmt(&b, "X-%d: y\r\n", i);
	buf more = buf_in(mem, 1 << 16, 1 << 20);
	buf_put(&more, buf_str(&b));
	buf_put(&b, S("\r\n"));
	CHECK_I64(parse(b.p, b.n, &h), 0);
	CHECK_I64(h.n_headers, 100);
	buf_put(&more, S("X: y\r\n\r\n"));
	CHECK_I64(parse(more.p, more.n, &h), 431);
	buf target = buf_in(mem, 1 << 16, 1 << 20);
	buf_put(&target, S("GET /"));
	for (int i = 0; i < 16384; i++)
		buf_c(&target, 'x');
	buf_put(&target, S(" HTTP/1.1\r\nHost: a\r\n\r\n"));
	CHECK_I64(parse(target.p, target.n, &h), 414);
}

/* However a head is cut into pieces, its end is found at the same place and at the same time. */
TEST(head_scan_in_pieces)
{
	const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: \n\r\nrest\r\n\r\n";
	for (size_t piece = 1; piece < sizeof text; piece++) {
		http_scan s = { 0 };
		size_t end = 0, n = 0;
		while (!end && n < sizeof text - 1) {
			n = n + piece < sizeof text - 1 ? n + piece : sizeof text - 1;
			end = http_scan_head(&s, text, n);
		}
		CHECK_I64(end, sizeof "GET / HTTP/1.1\r\nHost: a\r\nX: \n\r\n" - 1);
		CHECK(n < end + piece);
	}
}

/* Decodes in pieces of the given size. false: refused. *rest: bytes behind the end. */
static bool decode(str in, size_t piece, buf *out, size_t *rest, bool *ended)
{
	http_chunks c = { 0 };
	size_t at = 0;
	*ended = false;
	while (at < in.n) {
		size_t n = in.n - at < piece ? in.n - at : piece, used = 0;
		/* A copy of its own size, so that a sanitizer sees reads past its end. */
		char *copy = malloc(n);
		str data = STR_NONE;
		memcpy(copy, in.p + at, n);
		http_chunk k = http_chunks_next(&c, copy, n, &used, &data);
		if (k == CHUNK_DATA)
			buf_put(out, data);
		free(copy);
		at += used;
		if (k == CHUNK_BAD || (k == CHUNK_MORE && used != n))
			return false;
		if (k == CHUNK_END) {
			*ended = true;
			break;
		}
	}
	*rest = in.n - at;
	return true;
}

TEST(chunks)
{
	str in = S("5\r\nhello\r\n00006;name=\"v\"\r\n world\r\n1;x\r\n!\r\n"
	           "0\r\nX-T: v\r\nY:\r\n\r\nGET");
	for (size_t piece = 1; piece <= in.n; piece++) {
		buf out = buf_in(mem, 0, 1000);
		size_t rest = 0;
		bool ended = false;
		CHECK(decode(in, piece, &out, &rest, &ended));
		CHECK_STR(buf_str(&out), S("hello world!"));
		CHECK(ended);
		CHECK_I64(rest, 3);
	}
	static const str wrong[] = {
		S("\r\n"), S("x\r\n"), S("-1\r\n"), S("+1\r\n"), S("0x5\r\n"), S("5 \r\nhello"),
		S(" 5\r\n"), S("5\nhello"), S("5\r\nhelloX"), S("5\r\nhello\n"),
		S("5\r\nhello\rX"), S("5;a\nb"), S("FFFFFFFFFFFFFFFF\r\n"),
		S("FFFFFFFFFFFFFFFFF\r\n"), S("00000000000000001\r\n"), S("10000000001\r\n"),
		S("0\r\nbad name: x\r\n\r\n"), S("0\r\n: x\r\n\r\n"), S("0\r\nX\r\n\r\n"),
		S("0\r\n X: y\r\n\r\n"), S("0\r\nX: y\n\r\n"), S("0\r\n\rX"), S("0\n\n"),
		S("5;\x01\r\n"),
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		buf out = buf_in(mem, 0, 1000);
		size_t rest;
		bool ended;
		if (decode(wrong[i], 1000, &out, &rest, &ended))
			test_failed(__FILE__, __LINE__, "taken: %.*s", STR_ARG(wrong[i]));
	}
}

TEST(chunk_framing_is_bounded)
{
	buf in = buf_in(mem, 1 << 16, 1 << 20), out = buf_in(mem, 0, 10);
	size_t rest;
	bool ended;
	buf_put(&in, S("0\r\n"));
	for (int i = 0; i < 2000; i++)
		buf_put(&in, S("X: y\r\n"));
	CHECK(!decode(buf_str(&in), 1000, &out, &rest, &ended));
	in.n = 0;
	buf_put(&in, S("5;"));
	for (int i = 0; i < 2000; i++)
		buf_c(&in, 'x');
	CHECK(!decode(buf_str(&in), 1000, &out, &rest, &ended));
}

TEST(field_values)
{
	CHECK(http_is_field_value(S("")) && http_is_field_value(S("a\tb \xff~")));
	for (size_t n = 1; n < 20; n++)
		for (int c = 0; c < 256; c++) {
			char text[20];
			memset(text, 'a', sizeof text);
			text[n - 1] = (char)c;
			bool fine = (c >= 32 && c != 127) || c == '\t';
			CHECK(http_is_field_value((str){ text, n }) == fine);
		}
	CHECK(http_is_token(S("X-a_1!")) && !http_is_token(S("")) && !http_is_token(S("a:")));
}
