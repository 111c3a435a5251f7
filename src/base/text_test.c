#include "base/text.h"
#include "test/test.h"

/* RFC 4648, section 10. */
TEST(base64_known_answers)
{
	static const struct { str plain, text; } known[] = {
		{ S(""), S("") }, { S("f"), S("Zg==") }, { S("fo"), S("Zm8=") }, { S("foo"), S("Zm9v") },
		{ S("foob"), S("Zm9vYg==") }, { S("fooba"), S("Zm9vYmE=") }, { S("foobar"), S("Zm9vYmFy") },
		{ S("\xff\xfe\xfd"), S("//79") }, { S("\0\0\0\0"), S("AAAAAA==") },
	};
	str out;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		CHECK_STR(base64_encode(mem, known[i].plain), known[i].text);
		CHECK(base64_decode(mem, known[i].text, &out));
		CHECK_STR(out, known[i].plain);
	}
	CHECK(base64_decode(mem, S("Zg"), &out) && str_eq(out, S("f")));
	static const str bad[] = { S("Z"), S("Zg="), S("Zg==="), S("Zm9v="), S("Zm 9v"), S("Zm9v\n"),
		                   S("Z-_v"), S("===="), S("Zg==Zg==") };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (base64_decode(mem, bad[i], &out))
			test_failed(__FILE__, __LINE__, "accepted: %.*s", STR_ARG(bad[i]));
}

TEST(hex_both_ways)
{
	str out;
	CHECK_STR(hex_encode(mem, S("\x00\xff\x1a")), S("00ff1a"));
	CHECK(hex_decode(mem, S("00Ff1A"), &out));
	CHECK_STR(out, S("\x00\xff\x1a"));
	CHECK(hex_decode(mem, S(""), &out) && out.n == 0);
	CHECK(!hex_decode(mem, S("0"), &out) && !hex_decode(mem, S("0g"), &out) &&
	      !hex_decode(mem, S("0x12"), &out));
}

TEST(percent_both_ways)
{
	CHECK_STR(percent_encode(mem, S("aZ09-._~ /+%\xc3\xbc"), false), S("aZ09-._~%20%2F%2B%25%C3%BC"));
	CHECK_STR(percent_encode(mem, S("a/b c"), true), S("a/b%20c"));
	CHECK_STR(percent_decode(mem, S("a%20b%2Fc+d"), false), S("a b/c+d"));
	CHECK_STR(percent_decode(mem, S("a+b%2b"), true), S("a b+"));
	CHECK_STR(percent_decode(mem, S("%"), false), S("%"));
	CHECK_STR(percent_decode(mem, S("%4"), false), S("%4"));
	CHECK_STR(percent_decode(mem, S("%zz%41"), false), S("%zzA"));
	CHECK_STR(percent_decode(mem, S("%00"), false), S("\0"));
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		str one = str_of(&byte, 1);
		CHECK_STR(percent_decode(mem, percent_encode(mem, one, false), false), one);
	}
}

TEST(utf8_strictly)
{
	static const str good[] = { S(""), S("a"), S("\xc3\xbc"), S("\xe2\x82\xac"), S("\xf0\x9f\x98\x80"),
		                    S("\xed\x9f\xbf"), S("\xee\x80\x80"), S("\xf4\x8f\xbf\xbf"), S("\0") };
	static const str bad[] = {
		S("\x80"), S("\xc3"), S("\xc0\x80"), S("\xc1\xbf"), S("\xe0\x9f\xbf"), S("\xed\xa0\x80"),
		S("\xf0\x8f\xbf\xbf"), S("\xf4\x90\x80\x80"), S("\xf5\x80\x80\x80"), S("\xe2\x82"), S("\xff"),
		S("a\xc3(") };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CHECK(utf8_valid(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!utf8_valid(bad[i]));
	CHECK_I64(utf8_length(S("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
	CHECK_I64(utf8_length(S("\xff\xfe")), 2);
	for (uint32_t c = 1; c < 0x110000; c += c < 0x10000 ? 7 : 1009) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		buf b = buf_in(mem, 8, 8);
		utf8_put(&b, c);
		CHECK(utf8_valid(buf_str(&b)) && utf8_length(buf_str(&b)) == 1);
	}
}
