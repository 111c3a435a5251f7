#include "cloud/http_event.h"
#include "base/json.h"
#include "test/test.h"

static wire_message answer(arena *mem, const char *payload, bool *ok)
{
	wire_message m = { .mem = mem };
	*ok = http_answer_url(mem, str_c(payload), &m);
	return m;
}

TEST(http_event_url_answers)
{
	bool ok;
	wire_message m = answer(mem, "{\"a\": 1}", &ok);
	CHECK(ok && m.status == 200);
	CHECK_STR(m.body, S("{\"a\": 1}"));
	CHECK_STR(wire_header(&m, S("content-type")), S("application/json"));
	m = answer(mem, "\"text\"", &ok);
	CHECK_STR(m.body, S("\"text\""));
	m = answer(mem, "{\"statusCode\": 404, \"headers\": {\"X-A\": 5, \"b\": true, \"bad\\r\\nname\": \"x\", "
	           "\"c\": \"x\\r\\ny\", \"Content-Length\": \"9\"}, \"cookies\": [\"q=1\"], \"body\": \"YQ==\", "
	           "\"isBase64Encoded\": true}", &ok);
	CHECK(ok && m.status == 404);
	CHECK_STR(m.body, S("a"));
	CHECK_STR(wire_header(&m, S("x-a")), S("5"));
	CHECK_STR(wire_header(&m, S("b")), S("true"));
	CHECK_STR(wire_header(&m, S("set-cookie")), S("q=1"));
	CHECK(!str_is(wire_header(&m, S("c"))) && !str_is(wire_header(&m, S("content-length"))));
	CHECK_I64(m.n_headers, 4);
	static const char *const wrong[] = {
		"{\"statusCode\": \"x\"}", "{\"statusCode\": 99}", "{\"statusCode\": 101}", "{\"statusCode\": 200.5}",
		"{\"statusCode\": 200, \"body\": {}}", "{\"statusCode\": 200, \"body\": \"*\", "
		"\"isBase64Encoded\": true}",
		"not json",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		answer(mem, wrong[i], &ok);
		if (ok)
			test_failed(__FILE__, __LINE__, "taken: %s", wrong[i]);
	}
}

TEST(http_event_streams)
{
	wire_message m = { .mem = mem };
	str type = HTTP_PRELUDE_TYPE;
	CHECK(http_answer_streamed(mem, str_of("{\"statusCode\":201,\"cookies\":[\"a=1\"]}\0\0\0\0\0\0\0\0body",
	                               48), type, &m));
	CHECK_I64(m.status, 201);
	CHECK_STR(m.body, S("body"));
	CHECK(!http_answer_streamed(mem, S("no prelude"), type, &m));
	m = (wire_message){ .mem = mem };
	CHECK(http_answer_streamed(mem, S("raw"), S("text/plain"), &m));
	CHECK_STR(m.body, S("raw"));
	CHECK_STR(wire_header(&m, S("content-type")), S("text/plain"));
}

TEST(http_event_is_json_whatever_comes)
{
	http_exchange x = { .mem = mem, .peer = S("127.0.0.1") };
	x.in = (wire_message){ .mem = mem, .method = S("GET"), .query = S("a=%ff&a=%00&=x&b"),
	                      .body = S("\xff\x00") };
	wire_header_add(&x.in, S("X-Odd"), S("\xe9\"\\"));
	wire_header_add(&x.in, S("x-odd"), S("two"));
	http_event e = { .x = &x, .api = S("id"), .domain = S("h"), .path = S("/\xe9"), .request_id = S("1"),
		.trace_id = S("t"), .account = S("anonymous"), .authorizer = STR_NONE, .prefix = STR_NONE,
		.route_key = S("$default"), .stage = S("$default") };
	json_value *v = json_parse(mem, http_event_2(mem, &e));
	CHECK(v);
	CHECK_STR(json_get(json_get(v, S("headers")), S("x-odd"))->text, S("\xc3\xa9\"\\,two"));
	CHECK(json_get(v, S("isBase64Encoded"))->kind == JSON_TRUE);
	CHECK_STR(json_get(json_get(v, S("requestContext")), S("accountId"))->text, S("anonymous"));
}
