#include "wire/pattern.h"
#include "base/buf.h"
#include "test/test.h"

static bool fits(arena *mem, const char *expression, const char *text)
{
	const pattern *p = pattern_compile(mem, str_c(expression));
	if (!p)
		test_failed(__FILE__, __LINE__, "not compiled: %s", expression);
	return pattern_matches(p, mem, str_c(text));
}

#define YES(expression, text) CHECK(fits(mem, expression, text))
#define NO(expression, text) CHECK(!fits(mem, expression, text))

TEST(patterns_match_the_whole)
{
	YES("[a-zA-Z0-9_.-]+", "a-b.C_9");
	NO("[a-zA-Z0-9_.-]+", "a b");
	NO("[a-zA-Z0-9_.-]+", "");
	YES("^[a-z]{2,3}$", "abc");
	NO("^[a-z]{2,3}$", "abcd");
	NO("^[a-z]{2,3}$", "a");
	YES("abc", "abc");
	NO("abc", "abcd");
	YES("", "");
	NO("", "x");
	YES("a|bc|", "");
	YES("a|bc|", "bc");
	NO("a|bc|", "abc");
	YES("(arn:aws:)?[a-z]+(/[a-z]+)*", "arn:aws:x/y/z");
	NO("(arn:aws:)?[a-z]+(/[a-z]+)*", "x/");
	YES("x{3}", "xxx");
	NO("x{3}", "xx");
	YES("(ab){2,}", "ababab");
	YES("a{,2}", "a{,2}"); /* no repetition at all */
}

TEST(patterns_have_classes)
{
	YES("\\d\\D\\w\\W\\s\\S", "1a_- x");
	YES("[\\w+=,.@-]+", "a+b=c,d.e@f-g_");
	YES("[^\\s/]+", "a\xc3\xa9");
	NO("[^\\s/]+", "a/b");
	YES("[\\u0020-\\u00FF]*", "~\xc3\xbf");
	NO("[\\u0020-\\u00FF]*", "\xc4\x80");
	YES("[\\uD800\\uDC00-\\uDBFF\\uDFFF]", "\xf0\x9f\x98\x80");
	NO("[\\uD800\\uDC00-\\uDBFF\\uDFFF]", "a");
	YES("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Caf\xc3\xa9 \xe6\xbc\xa2 1");
	NO("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "a,b");
	YES("\\P{L}", "1");
	NO("\\P{L}", "\xc3\xa9");
	YES(".", "\xf0\x9f\x98\x80");
	NO(".", "\n");
	YES("(?s).", "\n");
	YES("(?i)all|x", "aLL");
	YES("[a-z-]+[-_][!-/]", "a-b_#");
	YES("[]a]+", "]a");
	YES("\\x41\\u0042\\.", "AB.");
}

TEST(patterns_look_around)
{
	YES("(?!aws:).*", "xaws:");
	NO("(?!aws:).*", "aws:x");
	YES("^(?=.*[0-9])[a-z0-9]+$", "ab1c");
	NO("^(?=.*[0-9])[a-z0-9]+$", "abc");
	YES("[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]", "a-b-c");
	NO("[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]", "a--c");
	YES("[a-z.]*(?<!\\.)", "a.b");
	NO("[a-z.]*(?<!\\.)", "a.b.");
	YES("arn:\\b(aws|cn)\\b:x", "arn:aws:x");
}

TEST(patterns_that_cannot_be_compiled_say_so)
{
	static const char *const bad[] = { "(a)\\1", "(", ")", "[a", "a**b(", "*a", "\\", "a{3000,}{3000,}b",
		                           "(?<=ab)c", "(?<name>a)", "[z-a]", "\\p{Greek}", "a{5,2}", "\\q" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (pattern_compile(mem, str_c(bad[i])))
			test_failed(__FILE__, __LINE__, "compiled %s", bad[i]);
}

/* What takes a backtracking matcher for ever. */
TEST(patterns_take_linear_time)
{
	static const char *const evil[] = { "(a*)*b", "(a|aa)+b", "(a+)+$b", "(.*)(.*)(.*)(.*)(.*)b",
		                            "((?!b)a)*c", "(a?){50}b" };
	buf b = buf_in(mem, 0, 1 << 16);
	for (int i = 0; i < 20000; i++)
		buf_c(&b, 'a');
	for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
		const pattern *p = pattern_compile(mem, str_c(evil[i]));
		CHECK(p && !pattern_matches(p, mem, buf_str(&b)));
	}
	CHECK(arena_used(mem) < (8 << 20));
}
