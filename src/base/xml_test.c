#include "base/xml.h"
#include "test/test.h"

TEST(xml_events_come_in_order)
{
	xml x = xml_of(mem, S("<?xml version=\"1.0\"?><!-- c --><n:a xmlns:n='u' k = \"1 > 0 &amp; x\">t&lt;"
	                      "<b/><![CDATA[<raw>]]></n:a>\n"));
	CHECK(xml_next(&x) == XML_OPEN);
	CHECK_STR(x.name, S("a"));
	str rest = x.attributes, name, value;
	CHECK(xml_attribute(&x, &rest, &name, &value));
	CHECK_STR(name, S("xmlns:n"));
	CHECK(xml_attribute(&x, &rest, &name, &value));
	CHECK_STR(name, S("k"));
	CHECK_STR(value, S("1 > 0 & x"));
	CHECK(!xml_attribute(&x, &rest, &name, &value));
	CHECK(xml_next(&x) == XML_TEXT);
	CHECK_STR(x.text, S("t<"));
	CHECK(xml_next(&x) == XML_OPEN);
	CHECK_STR(x.name, S("b"));
	CHECK(xml_next(&x) == XML_CLOSE);
	CHECK(xml_next(&x) == XML_TEXT);
	CHECK_STR(x.text, S("<raw>"));
	CHECK(xml_next(&x) == XML_CLOSE);
	CHECK(xml_next(&x) == XML_END);
}

static str content(arena *mem, const char *text)
{
	xml x = xml_of(mem, str_c(text));
	str out;
	if (xml_next(&x) != XML_OPEN || !xml_content(&x, &out) || xml_next(&x) != XML_END)
		return S("<error>");
	return out;
}

TEST(xml_text_is_decoded)
{
	CHECK_STR(content(mem, "<a></a>"), S(""));
	CHECK_STR(content(mem, "<a/>"), S(""));
	CHECK_STR(content(mem, "<a>&#65;&#x20AC;&quot;&apos;&gt;</a>"), S("A\xe2\x82\xac\"'>"));
	CHECK_STR(content(mem, "<a>x<!-- y -->z<![CDATA[&]]>w</a>"), S("xz&w"));
	CHECK_STR(content(mem, "<a>1\r\n2\r3</a>"), S("1\n2\n3"));
	CHECK_STR(content(mem, "\xef\xbb\xbf<a> \xc3\xa9 </a>"), S(" \xc3\xa9 "));
}

TEST(xml_refuses_what_is_not_well_formed)
{
	static const char *const bad[] = {
		"",
		"x",
		"<",
		"<a",
		"<a>",
		"<a></b>",
		"<a></a><b></b>",
		"<a></a>x",
		"</a>",
		"<a><b></a></b>",
		"<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>",
		"<a>&e;</a>",
		"<a>&#0;</a>",
		"<a>&#xd800;</a>",
		"<a>&amp</a>",
		"<a>&#;</a>",
		"<a>&#x;</a>",
		"<a b></a>",
		"<a b=c></a>",
		"<a b='c></a>",
		"<a b=\"1\"c=\"<\"></a>",
		"<a><![CDATA[x</a>",
		"<a><!-- x</a>",
		"<1a></1a>",
		"<a>\xff</a>",
		"<a\"></a>",
		"< a></a>",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		xml x = xml_of(mem, str_c(bad[i]));
		while (xml_next(&x) != XML_END && x.kind != XML_ERROR)
			;
		if (x.kind != XML_ERROR)
			test_failed(__FILE__, __LINE__, "accepted %s", bad[i]);
	}
}

TEST(xml_nesting_is_bounded)
{
	buf b = buf_in(mem, 0, 1000);
	for (int i = 0; i < 65; i++)
		buf_put(&b, S("<a>"));
	xml x = xml_of(mem, buf_str(&b));
	for (int i = 0; i < 64; i++)
		CHECK(xml_next(&x) == XML_OPEN);
	CHECK(xml_next(&x) == XML_ERROR);
}

TEST(xml_skips_elements)
{
	xml x = xml_of(mem, S("<a><b><c>1</c><d/></b><e/></a>"));
	xml_next(&x);
	xml_next(&x);
	CHECK(xml_skip(&x));
	CHECK(xml_next(&x) == XML_OPEN);
	CHECK_STR(x.name, S("e"));
	CHECK(xml_skip(&x));
	CHECK(xml_next(&x) == XML_CLOSE && xml_next(&x) == XML_END);
}

TEST(xml_text_is_escaped)
{
	buf b = buf_in(mem, 0, 1000);
	xml_put_text(&b, S("a<b>&\"c\"\r\n\x01"));
	CHECK_STR(buf_str(&b), S("a&lt;b&gt;&amp;&quot;c&quot;&#xd;\n&#x1;"));
}
