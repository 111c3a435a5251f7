/*
 * Event patterns against 1,000 pairs with the answers of AWS's matcher (test/golden/event-patterns.jsonl),
 * and the forms that those leave out.
 */
#include "base/embed.h"
#include "base/json.h"
#include "cloud/event_pattern.h"
#include "test/test.h"
#include <stdio.h>

EMBED(golden_patterns, "test/golden/event-patterns.jsonl");

static str answer(arena *mem, str pattern, str event)
{
	str why;
	const event_pattern *p = event_pattern_parse(mem, pattern, &why);
	const json_value *e = json_parse(mem, event);
	return !p ? S("invalid") : event_pattern_match(p, e) ? S("true") : S("false");
}

static str text_of(arena *mem, const json_value *v)
{
	buf b = buf_in(mem, 512, 1 << 20);
	json_write(&b, v);
	return buf_str(&b);
}

TEST(golden_event_patterns)
{
	str rest = EMBED_STR(golden_patterns);
	size_t n = 0;
	while (rest.n) {
		str line = str_cut(&rest, '\n');
		const json_value *c = json_parse(mem, line), *expect = json_get(c, S("expect"));
		if (!expect)
			break;
		str want = expect->kind == JSON_TRUE  ? S("true")
		           : expect->kind == JSON_FALSE ? S("false")
		                                        : S("invalid");
		const json_value *p = json_get(c, S("pattern"));
		str pattern = p->kind == JSON_STRING ? p->text : text_of(mem, p);
		str got = answer(mem, pattern, text_of(mem, json_get(c, S("event"))));
		if (!str_eq(got, want))
			test_failed(__FILE__, __LINE__, "%.*s: got %.*s", STR_ARG(line), STR_ARG(got));
		n++;
	}
	CHECK_I64(n, 1000);
}

static const struct row {
	const char *pattern, *event, *expect;
} rows[] = {
	/* Numbers: bounds, forms, signs. */
	{ "{'a':[{'numeric':['>',0,'<=',5]}]}", "{'a':5}", "true" },
	{ "{'a':[{'numeric':['>',0,'<=',5]}]}", "{'a':0}", "false" },
	{ "{'a':[{'numeric':['>',0,'<=',5]}]}", "{'a':'5'}", "false" },
	{ "{'a':[{'numeric':['=',3.018e2]}]}", "{'a':301.8}", "true" },
	{ "{'a':[{'numeric':['<',-0.5]}]}", "{'a':-1}", "true" },
	{ "{'a':[{'numeric':['>=',-1e-6]}]}", "{'a':0}", "true" },
	{ "{'a':[{'numeric':['<',5,'>',1]}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':['>',5,'<',1]}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':['>']}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':['!=',3]}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':['=','3']}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':'>'}]}", "{'a':3}", "invalid" },
	{ "{'a':[{'numeric':['>',1]}]}", "{'a':[0,'x',2]}", "true" },
	{ "{'a':[1]}", "{'a':1.0}", "true" },
	{ "{'a':[100]}", "{'a':1e2}", "true" },
	{ "{'a':['1']}", "{'a':1}", "false" },
	/* Nothing, empty, true and false. */
	{ "{'a':[null]}", "{'a':null}", "true" },
	{ "{'a':[null]}", "{}", "false" },
	{ "{'a':[null]}", "{'a':'null'}", "false" },
	{ "{'a':['']}", "{'a':''}", "true" },
	{ "{'a':['']}", "{'a':null}", "false" },
	{ "{'a':[true]}", "{'a':true}", "true" },
	{ "{'a':[true]}", "{'a':'true'}", "false" },
	{ "{'a':[false,true]}", "{'a':false}", "true" },
	{ "{'a':[]}", "{'a':'x'}", "invalid" },
	{ "{'a':{}}", "{'a':{}}", "invalid" },
	{ "{'a':'x'}", "{'a':'x'}", "invalid" },
	{ "{'a':[['x']]}", "{'a':'x'}", "invalid" },
	/* Existence is a leaf's. */
	{ "{'a':[{'exists':true}]}", "{'a':null}", "true" },
	{ "{'a':[{'exists':true}]}", "{'a':''}", "true" },
	{ "{'a':[{'exists':false}]}", "{'b':1}", "true" },
	{ "{'a':{'b':[{'exists':false}]}}", "{'a':{'c':1}}", "true" },
	{ "{'a':{'b':[{'exists':false}]}}", "{'a':{'b':1}}", "false" },
	{ "{'a':[{'exists':false},'x']}", "{'a':'x'}", "true" },
	{ "{'a':[{'exists':1}]}", "{'a':'x'}", "invalid" },
	/* Anything but. */
	{ "{'a':[{'anything-but':'x'}]}", "{'a':'y'}", "true" },
	{ "{'a':[{'anything-but':['x','y']}]}", "{'a':'y'}", "false" },
	{ "{'a':[{'anything-but':['x','y']}]}", "{'a':['x','z']}", "true" },
	{ "{'a':[{'anything-but':[1,2]}]}", "{'a':3}", "true" },
	{ "{'a':[{'anything-but':[1,2]}]}", "{'a':2}", "false" },
	{ "{'a':[{'anything-but':[1,'x']}]}", "{'a':2}", "invalid" },
	{ "{'a':[{'anything-but':[true]}]}", "{'a':2}", "invalid" },
	{ "{'a':[{'anything-but':'x'}]}", "{}", "false" },
	{ "{'a':[{'anything-but':{'prefix':'in'}}]}", "{'a':'outside'}", "true" },
	{ "{'a':[{'anything-but':{'prefix':['in','out']}}]}", "{'a':'outside'}", "false" },
	{ "{'a':[{'anything-but':{'suffix':'.png'}}]}", "{'a':'x.png'}", "false" },
	{ "{'a':[{'anything-but':{'suffix':['.png','.gif']}}]}", "{'a':'x.txt'}", "true" },
	{ "{'a':[{'anything-but':{'wildcard':'*/lib/*'}}]}", "{'a':'x/lib/y'}", "false" },
	{ "{'a':[{'anything-but':{'wildcard':['a*','*z']}}]}", "{'a':'bcz'}", "false" },
	{ "{'a':[{'anything-but':{'wildcard':['a*','*z']}}]}", "{'a':'bcy'}", "true" },
	{ "{'a':[{'anything-but':{'equals-ignore-case':'In'}}]}", "{'a':'IN'}", "false" },
	{ "{'a':[{'anything-but':{'equals-ignore-case':['In','Out']}}]}", "{'a':'up'}", "true" },
	{ "{'a':[{'anything-but':{'equals-ignore-case':['In',1]}}]}", "{'a':'up'}", "invalid" },
	{ "{'a':[{'anything-but':{'prefix':''}}]}", "{'a':'up'}", "invalid" },
	{ "{'a':[{'anything-but':{'numeric':['>',1]}}]}", "{'a':0}", "invalid" },
	{ "{'a':[{'anything-but':{'prefix':'a','suffix':'b'}}]}", "{'a':0}", "invalid" },
	/* Prefixes and suffixes, with and without case. */
	{ "{'a':[{'prefix':{'equals-ignore-case':'Bus'}}]}", "{'a':'bUS stop'}", "true" },
	{ "{'a':[{'suffix':{'equals-ignore-case':'.PnG'}}]}", "{'a':'x.png'}", "true" },
	{ "{'a':[{'prefix':{'equals-ignore-case':['a']}}]}", "{'a':'ab'}", "invalid" },
	{ "{'a':[{'suffix':{'prefix':'a'}}]}", "{'a':'ab'}", "invalid" },
	{ "{'a':[{'equals-ignore-case':'ALICE'}]}", "{'a':'aLiCe'}", "true" },
	{ "{'a':[{'equals-ignore-case':1}]}", "{'a':1}", "invalid" },
	{ "{'a':[{'prefix':'x'}]}", "{'a':['y','xz']}", "true" },
	{ "{'a':[{'prefix':'1'}]}", "{'a':12}", "false" },
	/* Wildcards. */
	{ "{'a':[{'wildcard':'a*b*c'}]}", "{'a':'aXbYc'}", "true" },
	{ "{'a':[{'wildcard':'a*b*c'}]}", "{'a':'abc'}", "true" },
	{ "{'a':[{'wildcard':'a*b*c'}]}", "{'a':'acb'}", "false" },
	{ "{'a':[{'wildcard':'a\\\\*b'}]}", "{'a':'a*b'}", "true" },
	{ "{'a':[{'wildcard':'a\\\\*b'}]}", "{'a':'aXb'}", "false" },
	{ "{'a':[{'wildcard':'a**b'}]}", "{'a':'ab'}", "invalid" },
	{ "{'a':[{'wildcard':'a\\\\nb'}]}", "{'a':'ab'}", "invalid" },
	{ "{'a':[{'wildcard':'*'}]}", "{'a':5}", "false" },
	/* Networks. */
	{ "{'a':[{'cidr':'10.0.0.0/24'}]}", "{'a':'10.0.0.255'}", "true" },
	{ "{'a':[{'cidr':'10.0.0.0/24'}]}", "{'a':'10.0.1.0'}", "false" },
	{ "{'a':[{'cidr':'10.0.0.77/32'}]}", "{'a':'10.0.0.77'}", "invalid" },
	{ "{'a':[{'cidr':'2001:db8::/32'}]}", "{'a':'2001:db8:1::1'}", "true" },
	{ "{'a':[{'cidr':'2001:db8::/32'}]}", "{'a':'2001:db9::1'}", "false" },
	{ "{'a':[{'cidr':'2001:db8::/32'}]}", "{'a':'2001:0DB8:0:0:0:0:0:1'}", "true" },
	{ "{'a':[{'cidr':'2001:db8::/129'}]}", "{'a':'x'}", "invalid" },
	{ "{'a':[{'cidr':'10.0.0.0/33'}]}", "{'a':'x'}", "invalid" },
	{ "{'a':[{'cidr':'10.0.0.0'}]}", "{'a':'x'}", "invalid" },
	{ "{'a':[{'cidr':'10.0.0.0/24'}]}", "{'a':'not an address'}", "false" },
	/* One of several, nested, and with what stands beside it. */
	{ "{'$or':[{'a':[1]},{'b':[2]}]}", "{'a':0,'b':2}", "true" },
	{ "{'c':['x'],'$or':[{'a':[1]},{'b':[2]}]}", "{'a':1,'c':'y'}", "false" },
	{ "{'d':{'$or':[{'a':[1]},{'b':{'c':[2]}}]}}", "{'d':{'b':{'c':2}}}", "true" },
	{ "{'$or':[{'a':[1]},{'$or':[{'b':[2]},{'c':[3]}]}]}", "{'c':3}", "true" },
	{ "{'$or':[{'a':[1]},'b']}", "{'a':1}", "invalid" },
	/* Deep, and one element of an array for what stands below it. */
	{ "{'a':{'b':{'c':{'d':{'e':['x']}}}}}", "{'a':{'b':{'c':{'d':{'e':'x'}}}}}", "true" },
	{ "{'a':{'b':{'c':{'d':{'e':['x']}}}}}", "{'a':{'b':{'c':{'d':'x'}}}}", "false" },
	{ "{'a':{'b':[1],'c':[2]}}", "{'a':[{'b':1,'c':3},{'b':4,'c':2}]}", "false" },
	{ "{'a':{'b':[1],'c':[2]}}", "{'a':[{'b':4},{'b':1,'c':2}]}", "true" },
	{ "{'a':['x']}", "{'a':[['y',['x']]]}", "true" },
	/* The same key twice: the later one counts. */
	{ "{'a':['x'],'a':['y']}", "{'a':'y'}", "true" },
	{ "{'a':['x'],'a':['y']}", "{'a':'x'}", "false" },
	{ "{'a':[{'prefix':'x'},{'suffix':'z'}]}", "{'a':'abz'}", "true" },
	{ "{'a':[{'unknown':'x'}]}", "{'a':'x'}", "invalid" },
	{ "{'a':[{'prefix':'x','suffix':'y'}]}", "{'a':'x'}", "invalid" },
	{ "{'a':[{}]}", "{'a':'x'}", "invalid" },
	{ "[]", "{'a':'x'}", "invalid" },
	{ "{'a':['x']", "{'a':'x'}", "invalid" },
};

/* The rows have single quotes for what JSON has double ones for. */
static str quoted(arena *mem, const char *text)
{
	str s = arena_str(mem, str_c(text));
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			((char *)s.p)[i] = '"';
	return s;
}

TEST(further_event_patterns)
{
	size_t wrong = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		str got = answer(mem, quoted(mem, rows[i].pattern), quoted(mem, rows[i].event));
		if (!str_eq(got, str_c(rows[i].expect)))
			fprintf(stderr, "%s on %s: got %.*s\n", rows[i].pattern, rows[i].event, STR_ARG(got));
		wrong += !str_eq(got, str_c(rows[i].expect));
	}
	CHECK_I64(wrong, 0);
}
