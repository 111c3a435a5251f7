#include "run/runtime_api.h"
#include "test/test.h"

static int head(const char *text, rapi_request *r)
{
	return rapi_head(str_c(text), r);
}

TEST(rapi_routes)
{
	rapi_request r;
	const char *next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";
	CHECK_I64(head(next, &r), strlen(next));
	CHECK(r.kind == RAPI_NEXT && r.body.left == 0 && !r.close);
	CHECK(head("POST /2018-06-01/runtime/invocation/a-b/response HTTP/1.1\r\nContent-Length: "
	           "5\r\n\r\nhello", &r) > 0);
	CHECK(r.kind == RAPI_RESPONSE && r.body.left == 5);
	CHECK_STR(r.id, S("a-b"));
	CHECK(head("POST /2018-06-01/runtime/invocation/a/error HTTP/1.1\r\n"
	           "Lambda-Runtime-Function-Error-Type: X\r\nconnection: Close\r\n\r\n", &r) > 0);
	CHECK(r.kind == RAPI_ERROR && r.close);
	CHECK_STR(r.error_type, S("X"));
	CHECK(head("POST /2018-06-01/runtime/init/error HTTP/1.0\r\n\r\n", &r) > 0);
	CHECK(r.kind == RAPI_INIT_ERROR && r.close);
	CHECK(head("GET /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\n\r\n", &r) > 0);
	CHECK(r.kind == RAPI_OTHER);
}

TEST(rapi_refuses)
{
	static const char *const bad[] = {
		"\r\n\r\n", "GET\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET /x HTTP/2\r\n\r\n",
		"G(T /x HTTP/1.1\r\n\r\n",
		"GET /x HTTP/1.1\r\nNo colon\r\n\r\n", "GET /x HTTP/1.1\r\n: v\r\n\r\n",
		"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST /x HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
		"POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST /x HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
	};
	rapi_request r;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (head(bad[i], &r) != -400)
			test_failed(__FILE__, __LINE__, "taken: %s", bad[i]);
	char *large = arena_alloc(mem, RAPI_HEAD_MAX + 1);
	memset(large, 'a', RAPI_HEAD_MAX);
	CHECK_I64(head(large, &r), -431);
	CHECK_I64(head("GET /x HTTP/1.1\r\nHost", &r), 0);
}

/* Feeds it in pieces of `step` bytes; what came out, or "!" when it is malformed. */
static str chunked(arena *mem, const char *text, size_t step)
{
	rapi_request r;
	buf out = buf_in(mem, 64, 4096);
	CHECK(head("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", &r) > 0);
	size_t n = strlen(text);
	int state = 0;
	for (size_t at = 0; at < n && !state;) {
		size_t used;
		str piece, given = str_of(text + at, n - at < step ? n - at : step);
		state = rapi_body_take(&r.body, given, &used, &piece);
		buf_put(&out, piece);
		at += used;
	}
	return state < 0 ? S("!") : state ? buf_str(&out) : S("...");
}

TEST(rapi_chunks)
{
	for (size_t step = 1; step < 40; step += 7) {
		CHECK_STR(chunked(mem, "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", step), S("hello world"));
		CHECK_STR(chunked(mem, "0\r\nLambda-Runtime-Function-Error-Type: X\r\n\r\n", step), S(""));
		CHECK_STR(chunked(mem, "5\r\nhello", step), S("..."));
		CHECK_STR(chunked(mem, "5\r\nhelloX\r\n", step), S("!"));
		CHECK_STR(chunked(mem, "\r\nhello", step), S("!"));
		CHECK_STR(chunked(mem, "fffffffffffff\r\n", step), S("!"));
	}
}

TEST(rapi_event)
{
	buf b = buf_in(mem, 256, 4096);
	rapi_event e = { .request_id = S("id"), .arn = S("arn"), .trace_id = S("a\r\nInjected: x"),
		.client_context = STR_NONE, .cognito_identity = STR_NONE, .deadline_ms = 12, .payload = S("{}") };
	rapi_put_event(&b, &e);
	CHECK_STR(buf_str(&b), S("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	                         "Lambda-Runtime-Aws-Request-Id: id\r\nLambda-Runtime-Deadline-Ms: 12\r\n"
	                         "Lambda-Runtime-Invoked-Function-Arn: arn\r\n"
	                         "Lambda-Runtime-Trace-Id: aInjected: x\r\nContent-Length: 2\r\n\r\n"));
}

TEST(rapi_trailers_are_kept)
{
	rapi_request r;
	size_t used;
	str piece;
	buf lines = buf_in(mem, 64, 4096);
	str head = S("POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
	             "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n");
	CHECK_I64(rapi_head(head, &r), (int64_t)head.n);
	CHECK(r.streaming && r.kind == RAPI_RESPONSE);
	r.body.trailers = &lines;
	str body = S("2\r\nab\r\n0\r\nlambda-runtime-function-error-type: Own\r\nX: y\r\n\r\n"), got = S("");
	int state = 0;
	for (size_t at = 0; at < body.n && !state; at += used) {
		state = rapi_body_take(&r.body, str_sub(body, at, body.n), &used, &piece);
		got = piece.n ? piece : got;
	}
	CHECK_I64(state, 1);
	CHECK_STR(got, S("ab"));
	CHECK_STR(rapi_trailer(buf_str(&lines), S("Lambda-Runtime-Function-Error-Type")), S("Own"));
	CHECK_STR(rapi_trailer(buf_str(&lines), S("x")), S("y"));
	CHECK(!str_is(rapi_trailer(buf_str(&lines), S("z"))));
}

TEST(rapi_extension_routes)
{
	rapi_request r;
	CHECK(rapi_head(S("POST /2020-01-01/extension/register HTTP/1.1\r\n"
	                  "Lambda-Extension-Name: own\r\n\r\n"), &r) > 0);
	CHECK(r.kind == RAPI_REGISTER);
	CHECK_STR(r.extension, S("own"));
	CHECK(rapi_head(S("GET /2020-01-01/extension/event/next HTTP/1.1\r\n\r\n"), &r) > 0);
	CHECK(r.kind == RAPI_EXTENSION_NEXT);
	CHECK(rapi_head(S("GET /2020-01-01/extension/register HTTP/1.1\r\n\r\n"), &r) > 0);
	CHECK(r.kind == RAPI_OTHER);
}
