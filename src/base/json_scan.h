/*
 * The inner parts of the JSON reader, for readers that know what they expect (wire/value_json.c) and want the
 * common case without a call. Everything unusual, white space and escapes included, is left to json_next.
 */
#pragma once
#include "base/json.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { JSON_DEPTH_MAX = 100 }; /* a value of DynamoDB nests 32 deep, each level two of JSON */

/* The value that begins at j->p; as json_next does it. */
json_kind json_value_here(json *j);

/*
 * The first byte from p on that a string cannot simply contain: a quote, a backslash, a control
 * character or the start of a multi-byte sequence. As signed bytes the last two are below 0x20.
 */
static inline const char *json_plain_run(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote),
		                                        _mm_cmpeq_epi8(v, slash)),
		                           _mm_cmplt_epi8(v, space));
		int mask = _mm_movemask_epi8(odd);
		if (mask)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= 0x20)
		p++;
	return p;
}

/* The value at p, behind a key or a comma. */
static inline json_kind json_value_fast(json *j, const char *p)
{
	j->fresh = false;
	if (p < j->end && *p == '"') {
		const char *close = json_plain_run(p + 1, j->end);
		if (close < j->end && *close == '"') {
			j->start = p;
			j->text = str_of(p + 1, (size_t)(close - p - 1));
			j->p = close + 1;
			return j->kind = JSON_STRING;
		}
	}
	j->p = p;
	return json_value_here(j);
}

static inline json_kind json_close_fast(json *j, json_kind kind)
{
	j->start = j->p++;
	j->depth--;
	j->fresh = false;
	return j->kind = kind;
}

/* json_next inside an object. */
static inline json_kind json_next_member(json *j)
{
	const char *p = j->p, *end = j->end;
	if (p < end && *p == '}')
		return json_close_fast(j, JSON_OBJECT_END);
	if (!j->fresh && p < end && *p == ',')
		p++;
	else if (!j->fresh)
		return json_next(j);
	if (p >= end || *p != '"')
		return json_next(j);
	const char *close = json_plain_run(p + 1, end);
	if (end - close < 3 || close[0] != '"' || close[1] != ':')
		return json_next(j);
	char first = close[2];
	if (first == ' ' || first == '\n' || first == '\r' || first == '\t')
		return json_next(j);
	j->key = str_of(p + 1, (size_t)(close - p - 1));
	return json_value_fast(j, close + 2);
}

/* json_next inside an array. */
static inline json_kind json_next_element(json *j)
{
	const char *p = j->p, *end = j->end;
	if (p < end && *p == ']')
		return json_close_fast(j, JSON_ARRAY_END);
	if (!j->fresh && p < end && *p == ',')
		p++;
	else if (!j->fresh)
		return json_next(j);
	if (p >= end || *p != '"')
		return json_next(j);
	return json_value_fast(j, p);
}
