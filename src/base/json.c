#include "base/json.h"
#include "base/json_scan.h"
#include "base/err.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX JSON_DEPTH_MAX

json json_of(arena *a, str text)
{
	const char *start = text.p ? text.p : "";
	return (json){
		.mem = a,
		.p = start,
		.end = start + text.n,
		.start = start,
		.expect_value = true,
		.fresh = true,
	};
}

static json_kind fail(json *j)
{
	j->text = j->key = STR_NONE;
	return j->kind = JSON_ERROR;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* The length of the well-formed UTF-8 sequence at p, which is not ASCII; 0 when it is broken. */
static size_t sequence(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);
	unsigned char c = u[0];
	size_t n = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && u[1] < 0xa0) || (c == 0xed && u[1] > 0x9f) || (c == 0xf0 && u[1] < 0x90) ||
	    (c == 0xf4 && u[1] > 0x8f))
		return 0;
	return n;
}

static int hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;
		if (digit < 0)
			return -1;
		v = v << 4 | digit;
	}
	return v;
}

/*
 * Decodes \uXXXX at p (behind the u) into `out`. Returns the number of bytes of text used, 0 when they
 * are no digits. Half a surrogate pair becomes U+FFFD, as it has no form in UTF-8.
 */
static size_t unicode_escape(const char *p, const char *end, buf *out)
{
	int high = end - p >= 4 ? hex4(p) : -1;
	if (high < 0)
		return 0;
	if (high < 0xd800 || high > 0xdfff) {
		utf8_put(out, (uint32_t)high);
		return 4;
	}
	if (high < 0xdc00 && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
		int low = hex4(p + 6);
		if (low >= 0xdc00 && low <= 0xdfff) {
			utf8_put(out, 0x10000 + ((uint32_t)(high - 0xd800) << 10) +
			                      (uint32_t)(low - 0xdc00));
			return 10;
		}
	}
	utf8_put(out, 0xfffd);
	return 4;
}

/* The closing quote of a string, escapes skipped; NULL when there is none. */
static const char *closing_quote(const char *p, const char *end)
{
	for (;;) {
		p = json_plain_run(p, end);
		if (p >= end)
			return NULL;
		if (*p == '"')
			return p;
		p += *p == '\\' ? 2 : 1;
	}
}

static bool escape(const char **at, const char *end, buf *out)
{
	const char *p = *at; /* behind the backslash */
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (p >= end)
		return false;
	if (*p == 'u') {
		size_t used = unicode_escape(p + 1, end, out);
		*at = p + 1 + used;
		return used > 0;
	}
	const char *hit = *p ? strchr(from, *p) : NULL;
	if (!hit)
		return false;
	buf_c(out, to[hit - from]);
	*at = p + 1;
	return true;
}

/* A string with escapes in it. `begin` is behind the opening quote; decoding never makes it longer. */
static bool string_slow(json *j, const char *begin, str *out)
{
	const char *close = closing_quote(begin, j->end), *p = begin;
	if (!close)
		return false;
	size_t max = (size_t)(close - begin);
	buf b = buf_in(j->mem, max ? max : 1, max ? max : 1);
	while (p < close) {
		const char *run = json_plain_run(p, close);
		buf_put(&b, str_of(p, (size_t)(run - p)));
		p = run;
		if (p == close)
			break;
		if (*p == '\\') {
			p++;
			if (!escape(&p, close, &b))
				return false;
		} else {
			size_t n = (signed char)*p < 0 ? sequence(p, close) : 0;
			if (!n)
				return false;
			buf_put(&b, str_of(p, n));
			p += n;
		}
	}
	*out = buf_str(&b);
	j->p = close + 1;
	return true;
}

/* j->p is behind the opening quote; leaves it behind the closing one. */
static bool string(json *j, str *out)
{
	const char *begin = j->p, *p = begin;
	for (;;) {
		p = json_plain_run(p, j->end);
		if (p >= j->end)
			return false;
		if (*p == '"') {
			*out = str_of(begin, (size_t)(p - begin));
			j->p = p + 1;
			return true;
		}
		if (*p == '\\')
			return string_slow(j, begin, out);
		size_t n = (signed char)*p < 0 ? sequence(p, j->end) : 0;
		if (!n)
			return false;
		p += n;
	}
}

static bool digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static json_kind number(json *j)
{
	const char *p = j->p, *end = j->end;
	if (*p == '-')
		p++;
	if (!digit(p, end) || (*p == '0' && digit(p + 1, end)))
		return fail(j);
	while (digit(p, end))
		p++;
	if (p < end && *p == '.') {
		p++;
		if (!digit(p, end))
			return fail(j);
		while (digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!digit(p, end))
			return fail(j);
		while (digit(p, end))
			p++;
	}
	j->text = str_of(j->p, (size_t)(p - j->p));
	j->p = p;
	return j->kind = JSON_NUMBER;
}

static json_kind word(json *j, str w, json_kind kind)
{
	if ((size_t)(j->end - j->p) < w.n || memcmp(j->p, w.p, w.n) != 0)
		return fail(j);
	j->text = str_of(j->p, w.n);
	j->p += w.n;
	return j->kind = kind;
}

static json_kind open(json *j, bool object)
{
	if (j->depth == DEPTH_MAX)
		return fail(j);
	unsigned __int128 bit = (unsigned __int128)1 << j->depth;
	j->objects = object ? j->objects | bit : j->objects & ~bit;
	j->depth++;
	j->p++;
	j->fresh = true;
	return j->kind = object ? JSON_OBJECT : JSON_ARRAY;
}

json_kind json_value_here(json *j)
{
	j->start = j->p;
	if (j->p >= j->end)
		return fail(j);
	switch (*j->p) {
	case '"':
		j->p++;
		return string(j, &j->text) ? (j->kind = JSON_STRING) : fail(j);
	case '{': return open(j, true);
	case '[': return open(j, false);
	case 't': return word(j, S("true"), JSON_TRUE);
	case 'f': return word(j, S("false"), JSON_FALSE);
	case 'n': return word(j, S("null"), JSON_NULL);
	case '-':
	case '0' ... '9': return number(j);
	default: return fail(j);
	}
}

json_kind json_next(json *j)
{
	if (j->kind == JSON_ERROR)
		return JSON_ERROR;
	j->p = skip_space(j->p, j->end);
	if (j->depth == 0) {
		if (j->expect_value) {
			j->expect_value = false;
			return json_value_here(j);
		}
		return j->p == j->end ? (j->kind = JSON_END) : fail(j);
	}
	bool object = j->objects >> (j->depth - 1) & 1, fresh = j->fresh;
	if (j->p >= j->end)
		return fail(j);
	if (*j->p == (object ? '}' : ']')) {
		j->start = j->p++;
		j->depth--;
		j->fresh = false;
		return j->kind = object ? JSON_OBJECT_END : JSON_ARRAY_END;
	}
	if (!fresh) {
		if (*j->p != ',')
			return fail(j);
		j->p = skip_space(j->p + 1, j->end);
	}
	j->fresh = false;
	if (!object)
		return json_value_here(j);
	if (j->p >= j->end || *j->p != '"')
		return fail(j);
	j->p++;
	if (!string(j, &j->key))
		return fail(j);
	j->p = skip_space(j->p, j->end);
	if (j->p >= j->end || *j->p != ':')
		return fail(j);
	j->p = skip_space(j->p + 1, j->end);
	return json_value_here(j);
}

void json_skip(json *j)
{
	if (j->kind != JSON_OBJECT && j->kind != JSON_ARRAY)
		return;
	unsigned outside = j->depth - 1;
	while (j->depth > outside)
		if (json_next(j) == JSON_ERROR)
			return;
}

str json_raw(json *j)
{
	const char *from = j->start;
	json_skip(j);
	return j->kind == JSON_ERROR ? STR_NONE : str_of(from, (size_t)(j->p - from));
}

bool json_valid(str text)
{
	arena *a = arena_open(1024);
	json j = json_of(a, text);
	json_kind kind;
	do
		kind = json_next(&j);
	while (kind != JSON_END && kind != JSON_ERROR);
	arena_close(a);
	return kind == JSON_END;
}

json_value *json_parse(arena *a, str text)
{
	json j = json_of(a, text);
	json_value *parents[DEPTH_MAX + 1], *root = NULL;
	json_value **tails[DEPTH_MAX + 1];
	size_t depth = 0;
	tails[0] = &root;
	for (;;) {
		json_kind kind = json_next(&j);
		if (kind == JSON_END)
			return root;
		if (kind == JSON_ERROR)
			return NULL;
		if (kind == JSON_OBJECT_END || kind == JSON_ARRAY_END) {
			depth--;
			continue;
		}
		json_value *v = arena_new(a, json_value);
		*v = (json_value){ .kind = kind };
		if (kind == JSON_STRING || kind == JSON_NUMBER)
			v->text = j.text;
		if (depth) {
			if (parents[depth]->kind == JSON_OBJECT)
				v->key = j.key;
			parents[depth]->n++;
		}
		*tails[depth] = v;
		tails[depth] = &v->next;
		if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
			depth++;
			parents[depth] = v;
			tails[depth] = &v->first;
		}
	}
}

const json_value *json_get(const json_value *v, str key)
{
	if (!v || v->kind != JSON_OBJECT)
		return NULL;
	for (const json_value *m = v->first; m; m = m->next)
		if (str_eq(m->key, key))
			return m;
	return NULL;
}

void json_write(buf *b, const json_value *v)
{
	bool object = v->kind == JSON_OBJECT;
	switch (v->kind) {
	case JSON_NULL: buf_put(b, S("null")); return;
	case JSON_TRUE: buf_put(b, S("true")); return;
	case JSON_FALSE: buf_put(b, S("false")); return;
	case JSON_NUMBER: buf_put(b, v->text); return;
	case JSON_STRING: json_put_string(b, v->text); return;
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	default:
		ensure(!"a parsed value has one of the kinds above");
	}
	buf_c(b, object ? '{' : '[');
	for (const json_value *m = v->first; m; m = m->next) {
		if (object) {
			json_put_string(b, m->key);
			buf_c(b, ':');
		}
		json_write(b, m);
		if (m->next)
			buf_c(b, ',');
	}
	buf_c(b, object ? '}' : ']');
}

static void put_odd(buf *b, char c)
{
	static const char names[] = "btn\0fr"; /* 8 to 13 */
	if (c == '"' || c == '\\') {
		buf_c(b, '\\');
		buf_c(b, c);
	} else if (c >= 8 && c <= 13 && c != 11) {
		buf_c(b, '\\');
		buf_c(b, names[c - 8]);
	} else {
		buf_fmt(b, "\\u%04x", (unsigned)c);
	}
}

void json_put_string(buf *b, str s)
{
	const char *p = s.p, *end = s.p + s.n;
	const char *run = s.n ? json_plain_run(p, end) : p;
	char *room = buf_room(b, s.n + 2);
	if (room && run == end) {
		room[0] = '"';
		if (s.n)
			memcpy(room + 1, p, s.n);
		room[s.n + 1] = '"';
		b->n += s.n + 2;
		return;
	}
	buf_c(b, '"');
	for (; p < end; run = json_plain_run(p, end)) {
		buf_put(b, str_of(p, (size_t)(run - p)));
		p = run;
		if (p == end)
			break;
		if ((signed char)*p >= 0) {
			put_odd(b, *p++);
			continue;
		}
		size_t n = sequence(p, end);
		buf_put(b, n ? str_of(p, n) : S("\xef\xbf\xbd"));
		p += n ? n : 1;
	}
	buf_c(b, '"');
}

void json_put_double(buf *b, double v)
{
	char text[40];
	if (isnan(v)) {
		buf_put(b, S("\"NaN\""));
		return;
	}
	if (isinf(v)) {
		buf_put(b, v < 0 ? S("\"-Infinity\"") : S("\"Infinity\""));
		return;
	}
	if (v >= -1e15 && v <= 1e15 && v == (double)(int64_t)v && !(v == 0 && signbit(v))) {
		buf_i64(b, (int64_t)v);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_put(b, str_c(text));
}
