#include "test/test.h"
#include "regex.h"

static str found(arena *mem, const char *expression, const char *text, size_t group)
{
	str groups[REGEX_GROUPS_MAX + 1];
	const regex *r = regex_read(mem, str_c(expression));
	return r && regex_search(mem, r, str_c(text), groups) ? groups[group] : STR_NONE;
}

TEST(regex_first_and_longest)
{
	CHECK_STR(found(mem, "a+", "baaac", 0), S("aaa"));
	CHECK_STR(found(mem, "a+?", "baaac", 0), S("a"));
	CHECK_STR(found(mem, "ab|a", "xab", 0), S("ab"));
	CHECK_STR(found(mem, "a|ab", "xab", 0), S("a"));
	CHECK_STR(found(mem, "user=(.*?),", "user=ada, user=bob,", 1), S("ada"));
	CHECK_STR(found(mem, "user=(.*),", "user=ada, user=bob,", 1), S("ada, user=bob"));
	CHECK_STR(found(mem, "(a)|(b)", "b", 2), S("b"));
	CHECK(!str_is(found(mem, "(a)|(b)", "b", 1)));
	CHECK_STR(found(mem, "^\\d{2,3}$", "123", 0), S("123"));
	CHECK(!str_is(found(mem, "^\\d{2,3}$", "1234", 0)));
	CHECK_STR(found(mem, "(?i)error", "an ERRor", 0), S("ERRor"));
	CHECK_STR(found(mem, "[^\\s,]+$", "a, b c", 0), S("c"));
	CHECK_STR(found(mem, "\\bcat\\b", "concat cat", 0), S("cat"));
	CHECK_STR(found(mem, "x*", "aaa", 0), S(""));
	CHECK_STR(found(mem, "(?:ab)+(c)", "ababc", 1), S("c"));
	CHECK_STR(found(mem, "a{0}b", "ab", 0), S("b"));
	CHECK_STR(found(mem, "a{,3}", "a{,3}", 0), S("a{,3}"));
}

TEST(regex_refused)
{
	static const char *const bad[] = { "(", "a)", "[a", "*a", "a{3,2}", "(?=a)",
		"\\1", "(?<n", "[b-a]", "\\" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!regex_read(mem, str_c(bad[i])));
	const regex *named = regex_read(mem, S("(?<one>a)(?P<two>b)(c)"));
	CHECK(named && named->n_groups == 3);
	CHECK_STR(named->names[1], S("one"));
	CHECK_STR(named->names[2], S("two"));
	CHECK(!str_is(named->names[3]));
}

TEST(regex_linear)
{
	/* What takes a machine that tries again forever. */
	CHECK(!str_is(found(mem, "(a*)*(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0)));
}
