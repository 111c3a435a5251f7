#include "base/str.h"
#include "test/test.h"

TEST(str_compare)
{
	CHECK(str_cmp(S("a"), S("b")) < 0 && str_cmp(S("b"), S("a")) > 0 && str_cmp(S("a"), S("a")) == 0);
	CHECK(str_cmp(S("a"), S("ab")) < 0 && str_cmp(S("ab"), S("a")) > 0);
	CHECK(str_cmp(S("\x7f"), S("\x80")) < 0); /* bytes, not signed characters */
	CHECK(str_cmp(STR_NONE, S("")) == 0 && str_eq(STR_NONE, S("")));
	CHECK(!str_is(STR_NONE) && str_is(S("")) && str_empty(S("")));
	CHECK(str_eq_nocase(S("X-Amz-Date"), S("x-amz-DATE")) && !str_eq_nocase(S("a"), S("b")));
	CHECK(!str_eq_nocase(S("\xc3\x9c"), S("\xc3\xbc"))); /* ASCII only */
	CHECK(!str_eq_nocase(S("@"), S("`")) && !str_eq_nocase(S("["), S("{")));
	CHECK(str_hash(S("a")) != str_hash(S("b")) && str_hash(S("")) == str_hash(STR_NONE));
}

TEST(str_parts)
{
	CHECK(str_starts(S("abc"), S("ab")) && str_starts(S("abc"), S("")) && !str_starts(S("a"), S("ab")));
	CHECK(str_ends(S("abc"), S("bc")) && str_ends(S("abc"), S("")) && !str_ends(S("c"), S("bc")));
	CHECK_I64(str_find_char(S("abc"), 'c'), 2);
	CHECK(str_find_char(S("abc"), 'd') == SIZE_MAX && str_find_char(STR_NONE, 'a') == SIZE_MAX);
	CHECK_I64(str_find(S("abcabc"), S("ca")), 2);
	CHECK_I64(str_find(S("abc"), S("")), 0);
	CHECK(str_find(S("ab"), S("abc")) == SIZE_MAX && str_find(STR_NONE, S("a")) == SIZE_MAX);
	CHECK_STR(str_sub(S("abcdef"), 2, 4), S("cd"));
	CHECK_STR(str_sub(S("abc"), 2, 99), S("c"));
	CHECK_STR(str_sub(S("abc"), 5, 2), S(""));
	CHECK(!str_is(str_sub(STR_NONE, 0, 9)));
	CHECK_STR(str_trim(S(" \t\r\n a b \n")), S("a b"));
	CHECK_STR(str_trim(S("  ")), S(""));
}

TEST(str_cut_walks_a_list)
{
	str rest = S("a,,b,");
	const str want[] = { S("a"), S(""), S("b"), S("") };
	size_t n = 0;
	while (str_is(rest)) {
		CHECK(n < 4);
		CHECK_STR(str_cut(&rest, ','), want[n]);
		n++;
	}
	CHECK_I64(n, 4);
	str whole = S("abc");
	CHECK_STR(str_cut(&whole, ','), S("abc"));
	CHECK(!str_is(whole));
}

TEST(str_numbers)
{
	static const struct { str text; int64_t v; } good[] = {
		{ S("0"), 0 }, { S("-0"), 0 }, { S("+7"), 7 }, { S("007"), 7 },
		{ S("9223372036854775807"), INT64_MAX }, { S("-9223372036854775808"), INT64_MIN },
	};
	static const str bad[] = { S(""), S("-"), S("+"), S(" 1"), S("1 "), S("1.0"), S("0x1"), S("1e3"),
		                   S("9223372036854775808"), S("-9223372036854775809"),
		                   S("99999999999999999999999") };
	int64_t v = 42;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CHECK(str_to_i64(good[i].text, &v));
		CHECK_I64(v, good[i].v);
	}
	v = 42;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!str_to_i64(bad[i], &v) && v == 42);
	double d;
	CHECK(str_to_f64(S("-1.5e3"), &d) && d == -1500);
	CHECK(!str_to_f64(S("1x"), &d) && !str_to_f64(S(""), &d) && !str_to_f64(S(" 1"), &d));
}

TEST(str_glob_patterns)
{
	static const struct { str pattern, text; bool fits; } cases[] = {
		{ S("*"), S(""), true }, { S(""), S(""), true }, { S(""), S("a"), false },
		{ S("?"), S(""), false }, { S("a*c"), S("abbbc"), true }, { S("a*c"), S("abbb"), false },
		{ S("*.txt"), S("a.txt.txt"), true }, { S("a?c*"), S("abc"), true }, { S("**"), S("x"), true },
		{ S("a*b*c"), S("a1b2b3c"), true }, { S("a*b*c"), S("a1c2b"), false }, { S("A*"), S("ab"), false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		CHECK(str_glob(cases[i].pattern, cases[i].text) == cases[i].fits);
	/* Many stars against a long text: quadratic at worst, never exponential. */
	char text[4000];
	memset(text, 'a', sizeof text);
	CHECK(!str_glob(S("*a*a*a*a*a*a*a*a*a*a*a*a*b"), str_of(text, sizeof text)));
}
