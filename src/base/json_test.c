#include "base/json.h"
#include "base/json_scan.h"
#include "base/text.h"
#include "test/test.h"
#include <math.h>

static str decoded(arena *mem, const char *text)
{
	json j = json_of(mem, str_c(text));
	if (json_next(&j) != JSON_STRING || json_next(&j) != JSON_END)
		return S("<error>");
	return j.text;
}

TEST(json_tokens_come_in_order)
{
	json j = json_of(mem, S(" {\"a\" : [1, -2.5e+3,true,false ,null], \"b\":{}, \"c\":\"x\" } "));
	CHECK(json_next(&j) == JSON_OBJECT);
	CHECK(json_next(&j) == JSON_ARRAY);
	CHECK_STR(j.key, S("a"));
	CHECK(json_next(&j) == JSON_NUMBER);
	CHECK_STR(j.text, S("1"));
	CHECK(json_next(&j) == JSON_NUMBER);
	CHECK_STR(j.text, S("-2.5e+3"));
	CHECK(json_next(&j) == JSON_TRUE);
	CHECK(json_next(&j) == JSON_FALSE);
	CHECK(json_next(&j) == JSON_NULL);
	CHECK(json_next(&j) == JSON_ARRAY_END);
	CHECK(json_next(&j) == JSON_OBJECT);
	CHECK_STR(j.key, S("b"));
	CHECK(json_next(&j) == JSON_OBJECT_END);
	CHECK(json_next(&j) == JSON_STRING);
	CHECK_STR(j.key, S("c"));
	CHECK_STR(j.text, S("x"));
	CHECK(json_next(&j) == JSON_OBJECT_END);
	CHECK(json_next(&j) == JSON_END);
	CHECK(json_next(&j) == JSON_END);
}

TEST(json_strings_are_decoded)
{
	CHECK_STR(decoded(mem, "\"\""), S(""));
	CHECK_STR(decoded(mem, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), S("\"\\/\b\f\n\r\t"));
	CHECK_STR(decoded(mem, "\"\\u0041\\u00e9\\u20AC\""), S("A\xc3\xa9\xe2\x82\xac"));
	CHECK_STR(decoded(mem, "\"\\ud83d\\ude00!\""), S("\xf0\x9f\x98\x80!"));
	CHECK_STR(decoded(mem, "\"\\ud83d\""), S("\xef\xbf\xbd"));
	CHECK_STR(decoded(mem, "\"\\ude00x\""), S("\xef\xbf\xbdx"));
	CHECK_STR(decoded(mem, "\"\\ud83d\\u0041\""), S("\xef\xbf\xbd" "A"));
	CHECK_STR(decoded(mem, "\"a long enough run to be scanned by sixteen \xe2\x82\xac\""),
	          S("a long enough run to be scanned by sixteen \xe2\x82\xac"));
	str zero = decoded(mem, "\"\\u0000\"");
	CHECK(zero.n == 1 && zero.p[0] == 0);
}

TEST(json_strings_without_escapes_are_not_copied)
{
	str text = S("\"plain\"");
	json j = json_of(mem, text);
	json_next(&j);
	CHECK(j.text.p == text.p + 1);
}

TEST(json_refuses_what_is_not_json)
{
	static const char *const bad[] = {
		"", " ", "{", "[", "]", "}", "[1", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
		"[1 2]", "1 2", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "tru", "nul", "True", "'a'",
		"\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\x01\"", "\"\x80\"",
		"\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"", "[}", "{]", "{,}",
		"{\"a\":1 \"b\":2}", "[,1]", "\"a\\", "{\"a\\\":1}", "nan", "Infinity",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (json_valid(str_c(bad[i])))
			test_failed(__FILE__, __LINE__, "accepted %s", bad[i]);
	CHECK(json_valid(S("{\"a\":[{},[],\"\",0,-0.0,1E5]}")));
}

TEST(json_nesting_is_bounded)
{
	buf b = buf_in(mem, 256, 1000);
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_c(&b, '[');
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		buf_c(&b, ']');
	CHECK(json_valid(buf_str(&b)));
	str deeper = arena_fmt(mem, "[%.*s]", STR_ARG(buf_str(&b)));
	CHECK(!json_valid(deeper));
	CHECK(json_parse(mem, deeper) == NULL);
}

TEST(json_skip_and_raw)
{
	json j = json_of(mem, S("{\"a\":{\"b\":[1,{\"c\":2}]},\"d\":[ 1 , 2 ],\"e\":\"x\\n\",\"f\":7}"));
	json_next(&j);
	json_next(&j);
	json_skip(&j);
	json_next(&j);
	CHECK_STR(j.key, S("d"));
	CHECK_STR(json_raw(&j), S("[ 1 , 2 ]"));
	json_next(&j);
	CHECK_STR(json_raw(&j), S("\"x\\n\""));
	json_next(&j);
	CHECK_STR(json_raw(&j), S("7"));
	CHECK(json_next(&j) == JSON_OBJECT_END);
}

TEST(json_trees_read_back)
{
	str text = S("{\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\\\"\",\"d\":true,\"e\":{},\"f\":[]}");
	json_value *v = json_parse(mem, text);
	CHECK(v && v->kind == JSON_OBJECT && v->n == 5);
	CHECK(json_get(v, S("a"))->n == 3);
	CHECK_STR(json_get(v, S("c"))->text, S("\xc3\xa9\""));
	CHECK(json_get(v, S("zz")) == NULL);
	CHECK(json_get(json_get(v, S("a")), S("b")) == NULL);
	buf b = buf_in(mem, 0, 1000);
	json_write(&b, v);
	CHECK_STR(buf_str(&b),
	          S("{\"a\":[1,2,{\"b\":null}],\"c\":\"\xc3\xa9\\\"\",\"d\":true,\"e\":{},\"f\":[]}"));
	CHECK(json_parse(mem, S("{\"a\":1} x")) == NULL);
}

static str written(arena *mem, str s)
{
	buf b = buf_in(mem, 0, 1000);
	json_put_string(&b, s);
	return buf_str(&b);
}

TEST(json_strings_are_escaped)
{
	CHECK_STR(written(mem, S("")), S("\"\""));
	CHECK_STR(written(mem, STR_NONE), S("\"\""));
	CHECK_STR(written(mem, S("a\"b\\c\n\t\r\b\f\x01\x0b")),
	          S("\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u000b\""));
	CHECK_STR(written(mem, S("\xe2\x82\xac \xff.")), S("\"\xe2\x82\xac \xef\xbf\xbd.\""));
}

static str number_text(arena *mem, double v)
{
	buf b = buf_in(mem, 0, 100);
	json_put_double(&b, v);
	return buf_str(&b);
}

TEST(json_doubles_are_short)
{
	CHECK_STR(number_text(mem, 0), S("0"));
	CHECK_STR(number_text(mem, 42), S("42"));
	CHECK_STR(number_text(mem, -0.1), S("-0.1"));
	CHECK_STR(number_text(mem, 0.30000000000000004), S("0.30000000000000004"));
	CHECK_STR(number_text(mem, 1e300), S("1e+300"));
	CHECK_STR(number_text(mem, NAN), S("\"NaN\""));
	CHECK_STR(number_text(mem, -INFINITY), S("\"-Infinity\""));
}
