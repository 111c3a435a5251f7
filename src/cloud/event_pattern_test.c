#include "cloud/event_pattern.h"
#include "test/test.h"

/* What AWS answers. */
static const struct row {
	const char *pattern, *event, *expect;
} rows[] = {
	{ "{\"user\":[false]}", "{}", "false" },
	{ "{}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"b\":[0]}", "{\"b\":[0,\"x*y\"]}", "true" },
	{ "{\"b\":[{\"wildcard\":\"*\"}]}", "{}", "false" },
	{ "{\"a\":null}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"$or\":[]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"state\":[\"null\"]}", "{\"state\":\"null\"}", "true" },
	{ "{\"state\":[{\"numeric\":[\"=\",0]}]}", "{}", "false" },
	{ "{\"b\":[{\"wildcard\":\"*c\"}]}", "{\"b\":\"qc\"}", "true" },
	{ "{\"b\":[{\"prefix\":\"10.\"}]}", "{\"b\":\"10.\"}", "true" },
	{ "{\"$or\":{\"a\":[\"x\"]}}", "{\"a\":\"x\",\"b\":1}", "false" },
	{ "{\"b\":[false,{\"wildcard\":\"x**\"}]}", "{}", "invalid" },
	{ "{\"path\":[{\"suffix\":\"日本\"}]}", "{\"path\":[\"日本\"]}", "true" },
	{ "{\"path\":[{\"anything-but\":1}]}", "{\"path\":1}", "false" },
	{ "{\"ip\":[{\"exists\":true}]}", "{\"ip\":\"stopped\"}", "true" },
	{ "{\"user\":[{\"prefix\":\"true\"}]}", "{\"user\":\"\"}", "false" },
	{ "{\"a\":[{\"prefix\":1}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"ip\":[{\"anything-but\":0}]}", "{\"ip\":[\"Alpha\"]}", "true" },
	{ "{\"a\":[{\"exists\":false}]}", "{\"a\":\"2001:db8::1\"}", "false" },
	{ "{\"a\":[{\"numeric\":[]}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"a\":[{\"cidr\":\"bad/8\"}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"count\":[{\"numeric\":[\"=\",99]}]}", "{\"count\":99}", "true" },
	{ "{\"state\":[{\"suffix\":\"0.0\"}]}", "{\"state\":\"beta\"}", "false" },
	{ "{\"a\":[{\"exists\":\"yes\"}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"ip\":[{\"suffix\":{\"equals-ignore-case\":\"C\"}}]}", "{}", "false" },
	{ "{\"b\":[{\"equals-ignore-case\":\"TRUE\"}]}", "{\"b\":\"日本\"}", "false" },
	{ "{\"a\":[{\"anything-but\":[]}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"b\":[{\"exists\":true},null,\"x*y\"]}", "{\"b\":[\"x*y\"]}", "true" },
	{ "{\"a\":[{\"anything-but\":null}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"ip\":[{\"cidr\":\"0.0.0.0/0\"}]}", "{\"ip\":[\"2001:db9::1\"]}", "true" },
	{ "{\"ip\":[{\"cidr\":\"10.0.0.0/8\"}]}", "{\"ip\":\"192.168.1.1\"}", "false" },
	{ "{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"G\"}},2]}", "{}", "false" },
	{ "{\"ip\":[{\"anything-but\":{\"prefix\":\"alpha\"}}]}", "{\"ip\":2}", "true" },
	{ "{\"state\":[{\"suffix\":\"*y\"},\"true\",{\"prefix\":\"日本\"}]}", "{}", "false" },
	{ "{\"ip\":[{\"anything-but\":{\"suffix\":\"null\"}}]}", "{\"ip\":301.8}", "true" },
	{ "{\"a\":[{\"suffix\":{\"prefix\":\"x\"}}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"a\":[{\"equals-ignore-case\":[\"A\"]}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"b\":[{\"suffix\":{\"equals-ignore-case\":\"10\"}}]}", "{\"b\":\"10\"}", "true" },
	{ "{\"a\":[{\"prefix\":\"Alph\"},10,{\"suffix\":\"ab\"}]}", "{\"a\":\"Alph\"}", "true" },
	{ "{\"b\":[{\"numeric\":[\">=\",-1]},{\"prefix\":\"b\"}]}", "{\"b\":null}", "false" },
	{ "{\"path\":[\"\",{\"anything-but\":{\"suffix\":\"ng\"}}]}", "{\"path\":\"\"}", "true" },
	{ "{\"a\":[{\"anything-but\":{\"prefix\":\"\"}}]}", "{\"a\":\"x\",\"b\":1}", "invalid" },
	{ "{\"state\":[{\"anything-but\":[\"null\",\"prod\"]}]}", "{\"state\":\"10.0\"}", "true" },
	{ "{\"b\":[{\"prefix\":{\"equals-ignore-case\":\"FILE\"}}]}", "{\"b\":\"filezz\"}", "true" },
	{ "{\"user\":[{\"anything-but\":{\"wildcard\":\"10.0.1*\"}}]}", "{\"user\":[99]}", "true" },
	{ "{\"state\":[{\"exists\":true},\"a\",{\"prefix\":\"日\"}]}", "{\"state\":\"日zz\"}", "true" },
	{ "{\"a\":[{\"anything-but\":{\"prefix\":[\"file.png\",\"zz\"]}},\"\",null]}", "{}", "false" },
	{ "{\"a\":[{\"anything-but\":{\"equals-ignore-case\":\"日本\"}}]}",
	  "{\"a\":[1000.0]}", "true" },
	{ "{\"count\":[{\"numeric\":[\">=\",99]},-5.25,{\"exists\":false}]}",
	  "{\"count\":99}", "true" },
	{ "{\"state\":[{\"equals-ignore-case\":\"alpha\"}]}",
	  "{\"state\":[\"alpha\",\"prod-eu\"]}", "true" },
	{ "{\"path\":[{\"cidr\":\"10.0.0.0/24\"},{\"anything-but\":-1},{\"prefix\":\"日本\"}]}",
	  "{}", "false" },
	{ "{\"ip\":[{\"exists\":false},{\"equals-ignore-case\":\"10.0\"}]}",
	  "{\"ip\":\"2001:db8::1\"}", "false" },
	{ "{\"user\":{\"b\":[\"a/b/c\"]},\"a\":[\"null\"]}",
	  "{\"user\":{\"b\":\"a/b/c\"},\"a\":\"running\"}", "false" },
	{ "{\"ip\":[{\"anything-but\":{\"prefix\":\"日本\"}},{\"exists\":false}]}",
	  "{\"ip\":[\"stopped\"]}", "true" },
	{ "{\"user\":[\"ab\"],\"count\":[null,{\"wildcard\":\"10*\"}]}",
	  "{\"user\":\"ab\",\"count\":null}", "true" },
	{ "{\"user\":[{\"numeric\":[\"=\",5]},{\"anything-but\":{\"wildcard\":\"*1\"}}]}",
	  "{\"user\":5.01}", "true" },
	{ "{\"a\":[{\"cidr\":\"2001:db8::/32\"},{\"prefix\":\"pro\"},\"beta\"]}",
	  "{\"a\":[\"running\",\"pro\"]}", "true" },
	{ "{\"a\":[{\"wildcard\":\"*\"}],\"count\":{\"user\":[{\"suffix\":\"*y\"}]}}",
	  "{\"a\":\"q\",\"count\":{}}", "false" },
	{ "{\"b\":[{\"anything-but\":{\"prefix\":\"a\"}},{\"equals-ignore-case\":\"TRUE\"}]}",
	  "{\"b\":4999999999}", "true" },
	{ "{\"user\":[{\"wildcard\":\"*\"},{\"wildcard\":\"192.168.1*.1\"},{\"exists\":true}]}",
	  "{\"user\":1000}", "true" },
	{ "{\"b\":[false,{\"cidr\":\"10.0.0.0/24\"},{\"anything-but\":[\"stopped\",\"gamma\"]}]}",
	  "{\"b\":false}", "true" },
	{ "{\"user\":[{\"suffix\":\"d\"},{\"anything-but\":{\"prefix\":\"192\"}},\"stopped\"]}",
	  "{\"user\":\"prod\"}", "true" },
	{ "{\"items\":[{\"numeric\":[\"<=\",100.01]},{\"anything-but\":\"a/b/c\"},1000.0]}",
	  "{\"items\":100.01}", "true" },
	{ "{\"state\":[{\"wildcard\":\"nul*l\"}],\"items\":[{\"wildcard\":\"ALP*A\"},null]}",
	  "{\"state\":\"nulql\"}", "false" },
	{ "{\"user\":[{\"numeric\":[\"=\",10]}],\"count\":[null]}",
	  "{\"user\":11,\"count\":\"x*y\",\"ip\":-5.25}", "false" },
	{ "{\"ip\":[{\"numeric\":[\"=\",10.5]},{\"exists\":false},{\"prefix\":\"nu\"}]}",
	  "{\"ip\":[10.51,\"abc\"]}", "false" },
	{ "{\"ip\":[null],\"count\":[{\"anything-but\":\"日本\"}]}",
	  "{\"ip\":[\"true\",-1],\"count\":[\"null\",\"日本\"]}", "false" },
	{ "{\"count\":[{\"wildcard\":\"stopp*\"},{\"anything-but\":{\"prefix\":[\"abc\",\"zz\"]}}]}",
	  "{\"count\":\"ab\"}", "true" },
	{ "{\"path\":[{\"numeric\":[\"<=\",1]},{\"exists\":false},{\"anything-but\":\"straße\"}]}",
	  "{\"path\":null}", "true" },
	{ "{\"count\":[{\"suffix\":\"straße\"}],\"user\":[{\"exists\":true}]}",
	  "{\"count\":[\"straße\"],\"user\":\"日本\"}", "true" },
	{ "{\"a\":{\"b\":[\"x\"],\"c\":[1]}}",
	  "{\"a\":[{\"b\":\"x\",\"c\":2},{\"b\":\"y\",\"c\":1}]}", "false" },
	{ "{\"a\":{\"b\":[\"x\"],\"c\":[1]}}",
	  "{\"a\":[{\"b\":\"x\",\"c\":2},{\"b\":\"x\",\"c\":1}]}", "true" },
	{ "{\"b\":[{\"suffix\":\"a\"}],\"$or\":[{\"u\":[\"A\"]},{\"b\":[{\"prefix\":\"us\"}]}]}",
	  "{\"b\":\"us-1\"}", "true" },
	{ "{\"a\":[{\"wildcard\":\"a\\\\*b*\"}]}", "{\"a\":\"a*bc\"}", "true" },
	{ "{\"a\":[{\"wildcard\":\"a\\\\*b*\"}]}", "{\"a\":\"axbc\"}", "false" },
	{ "{\"a\":{\"b\":[1],\"c\":[2]}}", "{\"a.b\":1,\"a\":{\"c\":2}}", "true" },
	{ "{\"a.b.c\":[1]}", "{\"a\":{\"b.c\":1}}", "true" },
	{ "{\"a.b\":{\"c\":[1]}}", "{\"a\":{\"b\":1}}", "false" },
};

static const char *answer(arena *mem, const struct row *r)
{
	str why;
	const event_pattern *p = event_pattern_parse(mem, str_c(r->pattern), &why);
	if (!p)
		return "invalid";
	const json_value *event = event_pattern_event(mem, json_parse(mem, str_c(r->event)));
	return event_pattern_match(p, event) ? "true" : "false";
}

TEST(event_pattern_rows)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = answer(mem, &rows[i]);
		if (!str_eq(str_c(got), str_c(rows[i].expect)))
			test_failed(__FILE__, __LINE__, "%s of %s: %s", rows[i].pattern, rows[i].event, got);
	}
}

TEST(event_pattern_reasons)
{
	static const char *const said[][2] = {
		{ "{\"k\":[{\"suffix\":100}]}", "suffix match pattern must be a string" },
		{ "{\"k\":[{\"numeric\":[]}]}", "Invalid member in numeric match: ]" },
		{ "{\"k\":[{\"numeric\":[1,\"<=\"]}]}", "Invalid member in numeric match: 1" },
		{ "{\"k\":[{\"numeric\":[\"operator\"]}]}", "Unrecognized numeric range operator: operator" },
		{ "{\"k\":[{\"numeric\":[\"=\",\"000\"]}]}", "Value of equals must be numeric" },
		{ "{\"k\":[{\"numeric\":[\">=\"]}]}", "Value of >= must be numeric" },
		{ "{\"k\":[{\"numeric\":[\"<\",100,\">\",10]}]}", "Too many elements in numeric expression" },
		{ "{\"k\":[{\"numeric\":[\">=\",1,\">\",2]}]}", "Bad numeric range operator: >" },
		{ "{\"k\":[{\"numeric\":[\">\",3,\"<\",1]}]}", "Bottom must be less than top" },
		{ "{\"k\":[{\"numeric\":[\">\",20,30]}]}", "Bad value in numeric range: 30" },
		{ "{\"k\":[{\"numeric\":[\">\",2,\"<\",3,\"<\",5]}]}", "Too many terms in numeric range expression" },
		{ "{\"k\":[{\"anything-but\":{\"x\":null}}]}", "Unsupported anything-but pattern: x" },
		{ "{\"k\":[{\"cidr\":\"10.0.0.1/ab\"}]}", "Malformed CIDR, mask bits must be an integer" },
		{ "{\"k\":[{\"cidr\":\"xx.11.xx/8\"}]}", "Nonstandard IP address: xx.11.xx" },
		{ "{\"k\":[{\"wildcard\":\"ab:**:c\"}]}", "Consecutive wildcard characters at pos 3" },
		{ "{'bad': 'quotation'}", "Unexpected character (''' (code 39)): was expecting double-quote to start "
		  "field name\n at [Source: (String)\"{'bad': 'quotation'}\"; line: 1, column: 2]" },
		{ "{\"not\": closed mark\"", "Unrecognized token 'closed': was expecting (JSON String, Number, "
		  "Array, Object or token 'null', 'true' or 'false')\n at [Source: (String)\"{\"not\": closed "
		  "mark\"\"; line: 1, column: 15]" },
		{ "this is", "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token "
		  "'null', 'true' or 'false')\n at [Source: (String)\"this is\"; line: 1, column: 5]" },
	};
	str why;
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		CHECK(!event_pattern_parse(mem, str_c(said[i][0]), &why));
		if (!str_eq(why, str_c(said[i][1])))
			test_failed(__FILE__, __LINE__, "%s: %.*s", said[i][0], STR_ARG(why));
	}
}

TEST(event_pattern_exact_texts)
{
	str why, *texts;
	size_t n;
	const event_pattern *p = event_pattern_parse(mem, S("{\"source\":[\"a\",\"b\"],\"x\":[1]}"), &why);
	CHECK(event_pattern_exact(p, mem, S("source"), &texts, &n) && n == 2 && str_eq(texts[1], S("b")));
	CHECK(!event_pattern_exact(p, mem, S("x"), &texts, &n));
	CHECK(!event_pattern_exact(p, mem, S("none"), &texts, &n));
}

TEST(event_pattern_combinations_are_bounded)
{
	str why;
	buf b = buf_in(mem, 4096, 1 << 16);
	buf_c(&b, '{');
	for (int i = 0; i < 10; i++)
		buf_fmt(&b, "%s\"f%d\":{\"$or\":[{\"a\":[1]},{\"b\":[1]}]}", i ? "," : "", i);
	buf_c(&b, '}');
	CHECK(!event_pattern_parse(mem, buf_str(&b), &why));
	CHECK(str_is(why));
}
