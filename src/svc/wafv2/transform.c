/* Text transformations: what attackers do to hide a value, undone. None makes it longer than three times. */
#include "waf.h"
#include "base/digest.h"
#include "base/text.h"
#include <ctype.h>

static int hex_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ?
		c - 'A' + 10
		: -1;
}

/* So many hexadecimal digits at `at`, at most `most`; how many there were. */
static size_t hex_run(str s, size_t at, size_t most, uint32_t *value)
{
	size_t n = 0;
	*value = 0;
	while (n < most && at + n < s.n && hex_of(s.p[at + n]) >= 0)
		*value = *value << 4 | (uint32_t)hex_of(s.p[at + n++]);
	return n;
}

static str compressed(arena *mem, str s)
{
	char *p = arena_bytes(mem, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool white = c == ' ' || (c >= 9 && c <= 13) || c == 0xa0;
		if (!white)
			p[n++] = s.p[i];
		else if (!n || p[n - 1] != ' ')
			p[n++] = ' ';
	}
	return str_of(p, n);
}

static void put_code(buf *b, uint32_t c)
{
	if (c < 256)
		buf_c(b, (char)c);
	else
		utf8_put(b, c < 0x110000 ? c : '?');
}

static str html_decoded(arena *mem, str s)
{
	static const struct { const char *name; char c; } all[] = { { "&lt;", '<' }, { "&gt;", '>' },
		{ "&amp;", '&' },
		{ "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", (char)0xa0 }, { "&colon;", ':' },
			{ "&tab;", '\t' },
		{ "&newline;", '\n' }, { "&lpar;", '(' }, { "&rpar;", ')' } };
	buf b = buf_in(mem, s.n + 8, s.n * 3 + 8);
	for (size_t i = 0; i < s.n;) {
		bool found = false;
		uint32_t v = 0;
		size_t at = i + 2, n = 0;
		for (size_t k = 0; !found && s.p[i] == '&' && k < sizeof all / sizeof *all; k++) {
			str name = str_c(all[k].name);
			found = str_eq_nocase(str_sub(s, i, i + name.n), name);
			if (found) {
				buf_c(&b, all[k].c);
				i += name.n;
			}
		}
		if (found)
			continue;
		if (s.p[i] == '&' && i + 2 < s.n && s.p[i + 1] == '#') {
			bool hex = s.p[at] == 'x' || s.p[at] == 'X';
			if (hex)
				n = hex_run(s, ++at, 6, &v);
			else
				while (n < 7 && at + n < s.n && isdigit((unsigned char)s.p[at + n]))
					v = v * 10 + (uint32_t)(s.p[at + n++] - '0');
		}
		if (n) {
			put_code(&b, v);
			i = at + n + (at + n < s.n && s.p[at + n] == ';');
		} else {
			buf_c(&b, s.p[i++]);
		}
	}
	return buf_str(&b);
}

/* As a command line is written without quotes, carets and slashes. */
static str command_line(arena *mem, str s)
{
	char *p = arena_bytes(mem, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '\\' || c == '"' || c == '\'' || c == '^')
			continue;
		if (c == ',' || c == ';' || isspace((unsigned char)c))
			c = ' ';
		if (c == ' ' && n && p[n - 1] == ' ')
			continue;
		if ((c == '/' || c == '(') && n && p[n - 1] == ' ')
			n--;
		p[n++] = (char)tolower((unsigned char)c);
	}
	return str_of(p, n);
}

static str percent_unicode(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 8, s.n * 3 + 8);
	for (size_t i = 0; i < s.n;) {
		uint32_t v;
		if (s.p[i] == '%' && i + 1 < s.n && (s.p[i + 1] == 'u' || s.p[i + 1] == 'U') &&
		    hex_run(s, i + 2, 4, &v) == 4) {
			put_code(&b, v >= 0xff01 && v <= 0xff5e ? v - 0xfee0 : v);
			i += 6;
		} else if (s.p[i] == '%' && hex_run(s, i + 1, 2, &v) == 2) {
			buf_c(&b, (char)v);
			i += 3;
		} else {
			buf_c(&b, s.p[i] == '+' ? ' ' : s.p[i]);
			i++;
		}
	}
	return buf_str(&b);
}

/* \n, \x41, \101, \u0041: C's and JavaScript's; CSS has up to six digits and nothing before them. */
static str unescaped(arena *mem, str s, bool css)
{
	buf b = buf_in(mem, s.n + 8, s.n * 3 + 8);
	for (size_t i = 0; i < s.n;) {
		static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
		uint32_t v = 0;
		size_t n = 0;
		if (s.p[i] != '\\' || i + 1 == s.n) {
			buf_c(&b, s.p[i++]);
			continue;
		}
		char c = s.p[++i];
		if (css && (n = hex_run(s, i, 6, &v))) {
			put_code(&b, v & 0xffffff);
			i += n + (i + n < s.n && s.p[i + n] == ' ');
		} else if (!css && (c == 'x' || c == 'u') && (n = hex_run(s, i + 1, c == 'x' ? 2 : 4, &v))) {
			put_code(&b, v >= 0xff01 && v <= 0xff5e ? v - 0xfee0 : v);
			i += n + 1;
		} else if (!css && c >= '0' && c <= '7') {
			for (; n < 3 && i < s.n && s.p[i] >= '0' && s.p[i] <= '7'; n++)
				v = v * 8 + (uint32_t)(s.p[i++] - '0');
			buf_c(&b, (char)v);
		} else {
			const char *hit = css ? NULL : memchr(from, c, sizeof from - 1);
			buf_c(&b, hit ? to[hit - from] : c);
			i++;
		}
	}
	return buf_str(&b);
}

static str without_comments(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 8, s.n + 8);
	while (s.n) {
		size_t at = str_find(s, S("/*"));
		buf_put(&b, str_sub(s, 0, at));
		if (at == SIZE_MAX)
			break;
		buf_c(&b, ' ');
		s = str_sub(s, at + 2, s.n);
		size_t end = str_find(s, S("*/"));
		s = end == SIZE_MAX ? S("") : str_sub(s, end + 2, s.n);
	}
	return buf_str(&b);
}

/* 0x414243 becomes ABC. */
static str sql_hex(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 8, s.n + 8);
	for (size_t i = 0; i < s.n;) {
		uint32_t v;
		if (s.p[i] == '0' && i + 1 < s.n && (s.p[i + 1] == 'x' || s.p[i + 1] == 'X') &&
		    hex_run(s, i + 2, 2, &v) == 2) {
			for (i += 2; hex_run(s, i, 2, &v) == 2; i += 2)
				buf_c(&b, (char)v);
		} else {
			buf_c(&b, s.p[i++]);
		}
	}
	return buf_str(&b);
}

static str hex_text(arena *mem, str s)
{
	buf b = buf_in(mem, s.n / 2 + 8, s.n + 8);
	uint32_t v;
	for (size_t i = 0; hex_run(s, i, 2, &v) == 2; i += 2)
		buf_c(&b, (char)v);
	return buf_str(&b);
}

/* Up to the first that is no base64; the forgiving way passes over such. */
static str base64_text(arena *mem, str s, bool forgiving)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	buf b = buf_in(mem, s.n + 8, s.n + 8);
	uint32_t v = 0;
	int bits = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *hit = s.p[i] ? strchr(digits, s.p[i]) : NULL;
		if (!hit && forgiving)
			continue;
		if (!hit)
			break;
		v = (v << 6 | (uint32_t)(hit - digits)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			buf_c(&b, (char)(v >> bits & 255));
		}
	}
	return buf_str(&b);
}

static str normal_path(arena *mem, str s, bool windows)
{
	char *p = arena_bytes(mem, s.n + 1), *in = arena_bytes(mem, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		in[i] = windows && s.p[i] == '\\' ? '/' : s.p[i];
	bool rooted = s.n && in[0] == '/';
	str rest = str_of(in, s.n);
	while (str_is(rest)) {
		bool last = str_find_char(rest, '/') == SIZE_MAX;
		str part = str_cut(&rest, '/');
		if (part.n == 0 || str_eq(part, S(".")))
			continue;
		size_t cut = n;
		while (cut && p[cut - 1] == '/')
			cut--;
		while (cut && p[cut - 1] != '/')
			cut--;
		bool above = n - cut == 3 && memcmp(p + cut, "../", 3) == 0;
		if (str_eq(part, S("..")) && (n || rooted) && !above) {
			n = cut;
			continue;
		}
		memcpy(p + n, part.p, part.n);
		n += part.n;
		if (!last)
			p[n++] = '/';
	}
	str out = str_of(p, n);
	return rooted ? arena_concat(mem, S("/"), out) : out;
}

static str nulls(arena *mem, str s, bool replaced)
{
	char *p = arena_bytes(mem, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] || replaced)
			p[n++] = s.p[i] ? s.p[i] : ' ';
	return str_of(p, n);
}

static str to_unicode(arena *mem, str s)
{
	buf b = buf_in(mem, s.n + 8, s.n * 3 + 8);
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 0;
		if (n < 2 || !utf8_valid(str_sub(s, i, i + n)) || i + n > s.n) {
			buf_c(&b, s.p[i++]);
			continue;
		}
		uint32_t v = c & (0xffu >> (n + 1));
		for (size_t k = 1; k < n; k++)
			v = v << 6 | ((unsigned char)s.p[i + k] & 63u);
		buf_fmt(&b, "%%u%04x", v);
		i += n;
	}
	return buf_str(&b);
}

static str digested(arena *mem, str s)
{
	unsigned char *out = arena_alloc(mem, MD5_BYTES);
	md5_of(&s, 1, out);
	return str_of((char *)out, MD5_BYTES);
}

str transform_one(arena *mem, str s, str type)
{
	if (str_eq(type, S("LOWERCASE")))
		return arena_lower(mem, s);
	if (str_eq(type, S("URL_DECODE")))
		return percent_decode(mem, s, true);
	if (str_eq(type, S("URL_DECODE_UNI")))
		return percent_unicode(mem, s);
	if (str_eq(type, S("HTML_ENTITY_DECODE")))
		return html_decoded(mem, s);
	if (str_eq(type, S("COMPRESS_WHITE_SPACE")))
		return compressed(mem, s);
	if (str_eq(type, S("CMD_LINE")))
		return command_line(mem, s);
	if (str_eq(type, S("BASE64_DECODE")) || str_eq(type, S("BASE64_DECODE_EXT")))
		return base64_text(mem, s, str_eq(type, S("BASE64_DECODE_EXT")));
	if (str_eq(type, S("HEX_DECODE")))
		return hex_text(mem, s);
	if (str_eq(type, S("SQL_HEX_DECODE")))
		return sql_hex(mem, s);
	if (str_eq(type, S("MD5")))
		return digested(mem, s);
	if (str_eq(type, S("REPLACE_COMMENTS")))
		return without_comments(mem, s);
	if (str_eq(type, S("ESCAPE_SEQ_DECODE")) || str_eq(type, S("JS_DECODE")))
		return unescaped(mem, s, false);
	if (str_eq(type, S("CSS_DECODE")))
		return unescaped(mem, s, true);
	if (str_eq(type, S("NORMALIZE_PATH")) || str_eq(type, S("NORMALIZE_PATH_WIN")))
		return normal_path(mem, s, str_eq(type, S("NORMALIZE_PATH_WIN")));
	if (str_eq(type, S("REMOVE_NULLS")) || str_eq(type, S("REPLACE_NULLS")))
		return nulls(mem, s, str_eq(type, S("REPLACE_NULLS")));
	return str_eq(type, S("UTF8_TO_UNICODE")) ? to_unicode(mem, s) : s;
}

str waf_transformed(arena *mem, str value, const wafv2_TextTransformations *all)
{
	for (int64_t done = -1;;) {
		const wafv2_TextTransformation *next = NULL;
		for (size_t i = 0; i < all->n; i++)
			if (all->v[i].Priority.v > done && (!next || all->v[i].Priority.v < next->Priority.v))
				next = &all->v[i];
		if (!next)
			return value;
		value = transform_one(mem, value, next->Type);
		done = next->Priority.v;
	}
}
