#include "base/text.h"

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

str base64_encode(arena *a, str bytes)
{
	size_t n = (bytes.n + 2) / 3 * 4, o = 0;
	char *p = arena_bytes(a, n + 1);
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t v = (uint32_t)(unsigned char)bytes.p[i] << 16;
		if (left > 1)
			v |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
		if (left > 2)
			v |= (unsigned char)bytes.p[i + 2];
		p[o++] = base64_digits[v >> 18];
		p[o++] = base64_digits[v >> 12 & 63];
		p[o++] = left > 1 ? base64_digits[v >> 6 & 63] : '=';
		p[o++] = left > 2 ? base64_digits[v & 63] : '=';
	}
	p[o] = 0;
	return (str){ p, o };
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(arena *a, str text, str *out)
{
	size_t n = text.n, padding = 0, o = 0;
	while (n && padding < 2 && text.p[n - 1] == '=') {
		n--;
		padding++;
	}
	if (n % 4 == 1 || (padding && (n + padding) % 4))
		return false;
	char *p = arena_bytes(a, n / 4 * 3 + 4);
	uint32_t v = 0;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_value(text.p[i]);
		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
		if (i % 4 == 3) {
			p[o++] = (char)(v >> 16);
			p[o++] = (char)(v >> 8);
			p[o++] = (char)v;
			v = 0;
		}
	}
	if (n % 4 == 2)
		p[o++] = (char)(v >> 4);
	if (n % 4 == 3) {
		p[o++] = (char)(v >> 10);
		p[o++] = (char)(v >> 2);
	}
	p[o] = 0;
	*out = (str){ p, o };
	return true;
}

str hex_encode(arena *a, str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char *p = arena_bytes(a, bytes.n * 2 + 1);
	for (size_t i = 0; i < bytes.n; i++) {
		p[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		p[2 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
	}
	p[bytes.n * 2] = 0;
	return (str){ p, bytes.n * 2 };
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(arena *a, str text, str *out)
{
	if (text.n % 2)
		return false;
	char *p = arena_bytes(a, text.n / 2 + 1);
	for (size_t i = 0; i < text.n; i += 2) {
		int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		p[i / 2] = (char)(high << 4 | low);
	}
	p[text.n / 2] = 0;
	*out = (str){ p, text.n / 2 };
	return true;
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~';
}

str percent_encode(arena *a, str s, bool keep_slash)
{
	static const char digits[] = "0123456789ABCDEF";
	char *p = arena_bytes(a, s.n * 3 + 1);
	size_t o = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (unreserved(c) || (c == '/' && keep_slash)) {
			p[o++] = c;
		} else {
			p[o++] = '%';
			p[o++] = digits[(unsigned char)c >> 4];
			p[o++] = digits[(unsigned char)c & 15];
		}
	}
	p[o] = 0;
	return (str){ p, o };
}

str percent_decode(arena *a, str s, bool plus_is_space)
{
	char *p = arena_bytes(a, s.n + 1);
	size_t o = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 && hex_value(s.p[i + 2]) >= 0) {
			c = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		p[o++] = c;
	}
	p[o] = 0;
	return (str){ p, o };
}

/* The length of the well-formed sequence at the start of s, or 0. */
static size_t sequence(str s)
{
	unsigned char c = (unsigned char)s.p[0], low = 0x80, high = 0xbf;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : 0;
	if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	if (n == 0 || n > s.n)
		return 0;
	if (c == 0xe0)
		low = 0xa0; /* overlong */
	if (c == 0xed)
		high = 0x9f; /* surrogates */
	if (c == 0xf0)
		low = 0x90;
	if (c == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++) {
		unsigned char d = (unsigned char)s.p[i];
		if (d < low || d > high)
			return 0;
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

str query_value(arena *a, str query, str name)
{
	while (str_is(query)) {
		str value = str_cut(&query, '&');
		if (str_eq(str_cut(&value, '='), name))
			return percent_decode(a, str_is(value) ? value : S(""), true);
	}
	return STR_NONE;
}

bool utf8_valid(str s)
{
	while (s.n) {
		size_t n = sequence(s);
		if (!n)
			return false;
		s.p += n;
		s.n -= n;
	}
	return true;
}

size_t utf8_length(str s)
{
	size_t count = 0;
	while (s.n) {
		size_t n = sequence(s);
		n = n ? n : 1;
		s.p += n;
		s.n -= n;
		count++;
	}
	return count;
}

void utf8_put(buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_c(b, (char)c);
	} else if (c < 0x800) {
		buf_c(b, (char)(0xc0 | c >> 6));
		buf_c(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_c(b, (char)(0xe0 | c >> 12));
		buf_c(b, (char)(0x80 | (c >> 6 & 63)));
		buf_c(b, (char)(0x80 | (c & 63)));
	} else {
		buf_c(b, (char)(0xf0 | c >> 18));
		buf_c(b, (char)(0x80 | (c >> 12 & 63)));
		buf_c(b, (char)(0x80 | (c >> 6 & 63)));
		buf_c(b, (char)(0x80 | (c & 63)));
	}
}
