#include "svc/dynamodb/value.h"
#include <stdlib.h>

static const char *const type_names[] = { "", "S", "N", "B", "SS", "NS", "BS", "M", "L",
	                                      "NULL", "BOOL", "BOOL" };

const char *value_type(value_tag tag)
{
	return type_names[tag];
}

value_tag value_tag_named(str type)
{
	for (value_tag t = VALUE_S; t <= VALUE_TRUE; t++)
		if (str_eq(type, str_c(type_names[t])))
			return t;
	return VALUE_NONE;
}

bool varint_cut(str *rest, uint64_t *out)
{
	uint64_t v = 0;
	for (unsigned shift = 0, i = 0; i < rest->n && shift < 64; shift += 7, i++) {
		unsigned char c = (unsigned char)rest->p[i];
		v |= (uint64_t)(c & 127) << shift;
		if (c < 128) {
			*out = v;
			*rest = (str){ rest->p + i + 1, rest->n - i - 1 };
			return true;
		}
	}
	return false;
}

/* A length and as many bytes. */
static bool text_cut(str *rest, str *out)
{
	uint64_t n;
	if (rest->n && (unsigned char)*rest->p < 128) {
		n = (unsigned char)*rest->p;
		*rest = (str){ rest->p + 1, rest->n - 1 };
	} else if (!varint_cut(rest, &n)) {
		return false;
	}
	if (n > rest->n)
		return false;
	*out = (str){ rest->p, n };
	*rest = (str){ rest->p + n, rest->n - n };
	return true;
}

static uint32_t body_length(const char *p)
{
	uint32_t n;
	memcpy(&n, p, 4);
	return n;
}

#define BODY_AT 5 /* tag and body length */

value value_cut(str *rest)
{
	str at = *rest, text;
	switch (value_tag_of(at)) {
	case VALUE_NONE:
		break;
	case VALUE_NULL:
	case VALUE_TRUE:
	case VALUE_FALSE:
		*rest = (str){ at.p + 1, at.n - 1 };
		return (value){ at.p, 1 };
	case VALUE_S:
	case VALUE_N:
	case VALUE_B:
		*rest = (str){ at.p + 1, at.n - 1 };
		if (!text_cut(rest, &text))
			break;
		return (value){ at.p, (size_t)(rest->p - at.p) };
	default:
		if (at.n < BODY_AT || body_length(at.p + 1) > at.n - BODY_AT)
			break;
		size_t n = BODY_AT + (size_t)body_length(at.p + 1);
		*rest = (str){ at.p + n, at.n - n };
		return (value){ at.p, n };
	}
	*rest = (str){ NULL, 0 };
	return (value){ NULL, 0 };
}

str value_text(value v)
{
	str rest, text;
	if (value_tag_of(v) < VALUE_S || value_tag_of(v) > VALUE_B)
		return STR_NONE;
	rest = (str){ v.p + 1, v.n - 1 };
	return text_cut(&rest, &text) ? text : STR_NONE;
}

value_walk value_open(value v)
{
	value_walk w = { .of = value_tag_of(v) };
	if (w.of < VALUE_SS || w.of > VALUE_L || v.n < BODY_AT)
		return w;
	w.rest = (str){ v.p + BODY_AT, v.n - BODY_AT };
	if (!varint_cut(&w.rest, &w.left))
		w.left = 0;
	return w;
}

bool value_step(value_walk *w)
{
	if (!w->left)
		return false;
	w->left--;
	if (w->of <= VALUE_BS)
		return text_cut(&w->rest, &w->text);
	if (w->of == VALUE_M && !text_cut(&w->rest, &w->name))
		return false;
	w->item = value_cut(&w->rest);
	return value_is(w->item);
}

uint64_t value_count(value v)
{
	return value_open(v).left;
}

value value_member(value map, str name)
{
	if (value_tag_of(map) != VALUE_M)
		return STR_NONE;
	for (value_walk w = value_open(map); value_step(&w);)
		if (str_eq(w.name, name))
			return w.item;
	return STR_NONE;
}

value value_at(value list, uint64_t index)
{
	if (value_tag_of(list) != VALUE_L)
		return STR_NONE;
	for (value_walk w = value_open(list); value_step(&w); index--)
		if (index == 0)
			return w.item;
	return STR_NONE;
}

static bool valid(str bytes, unsigned depth)
{
	str rest = bytes;
	value v = value_cut(&rest);
	if (!value_is(v) || rest.n || depth > VALUE_DEPTH_MAX + 1)
		return false;
	value_tag tag = value_tag_of(v);
	if (tag < VALUE_SS || tag > VALUE_L)
		return true;
	value_walk w = value_open(v);
	while (w.left) {
		if (!value_step(&w))
			return false;
		if (tag >= VALUE_M && !valid(w.item, depth + 1))
			return false;
	}
	return w.rest.p && !w.rest.n;
}

bool value_valid(str bytes)
{
	return valid(bytes, 0);
}

bool value_number(value v, number *out)
{
	return value_tag_of(v) == VALUE_N && number_parse(value_text(v), out) == NUMBER_OK;
}

static bool maps_eq(value a, value b)
{
	if (value_count(a) != value_count(b))
		return false;
	for (value_walk w = value_open(a); value_step(&w);) {
		value other = value_member(b, w.name);
		if (!value_is(other) || !value_eq(w.item, other))
			return false;
	}
	return true;
}

static bool lists_eq(value a, value b)
{
	value_walk y = value_open(b), x = value_open(a);
	if (x.left != y.left)
		return false;
	while (value_step(&x) && value_step(&y))
		if (!value_eq(x.item, y.item))
			return false;
	return true;
}

bool value_eq(value a, value b)
{
	if (value_tag_of(a) != value_tag_of(b))
		return false;
	if (value_tag_of(a) == VALUE_M)
		return maps_eq(a, b);
	if (value_tag_of(a) == VALUE_L)
		return lists_eq(a, b);
	return str_eq(a, b);
}

bool value_cmp(value a, value b, int *order)
{
	value_tag tag = value_tag_of(a);
	number x, y;
	if (tag != value_tag_of(b) || tag < VALUE_S || tag > VALUE_B)
		return false;
	if (tag != VALUE_N) {
		*order = str_cmp(value_text(a), value_text(b));
		return true;
	}
	if (!value_number(a, &x) || !value_number(b, &y))
		return false;
	*order = number_cmp(x, y);
	return true;
}

bool value_contains(value container, value element)
{
	value_tag c = value_tag_of(container), e = value_tag_of(element);
	if (c == e && (c == VALUE_S || c == VALUE_B)) {
		str needle = value_text(element);
		return !needle.n || str_find(value_text(container), needle) != SIZE_MAX;
	}
	if (c >= VALUE_SS && c <= VALUE_BS) {
		if (e != c - VALUE_SS + VALUE_S)
			return false;
		for (value_walk w = value_open(container); value_step(&w);)
			if (str_eq(w.text, value_text(element)))
				return true;
	} else if (c == VALUE_L) {
		for (value_walk w = value_open(container); value_step(&w);)
			if (value_eq(w.item, element))
				return true;
	}
	return false;
}

bool value_begins(value v, value prefix)
{
	value_tag tag = value_tag_of(v);
	if (tag != value_tag_of(prefix) || (tag != VALUE_S && tag != VALUE_B))
		return false;
	return str_starts(value_text(v), value_text(prefix));
}

static size_t number_text_size(str text)
{
	number n;
	return number_parse(text, &n) == NUMBER_OK ? number_size(n) : text.n;
}

size_t value_size(value v)
{
	value_tag tag = value_tag_of(v);
	size_t size = tag >= VALUE_M ? 3 : 0;
	switch (tag) {
	case VALUE_NONE:
		return 0;
	case VALUE_NULL:
	case VALUE_TRUE:
	case VALUE_FALSE:
		return 1;
	case VALUE_S:
	case VALUE_B:
		return value_text(v).n;
	case VALUE_N:
		return number_text_size(value_text(v));
	default:
		break;
	}
	for (value_walk w = value_open(v); value_step(&w);) {
		if (tag >= VALUE_M)
			size += 1 + w.name.n + value_size(w.item);
		else
			size += tag == VALUE_NS ? number_text_size(w.text) : w.text.n;
	}
	return size;
}

size_t value_item_size(value map)
{
	size_t size = 0;
	for (value_walk w = value_open(map); value_step(&w);)
		size += w.name.n + value_size(w.item);
	return size;
}

unsigned value_depth(value v)
{
	unsigned deepest = 0;
	if (value_tag_of(v) != VALUE_M && value_tag_of(v) != VALUE_L)
		return 0;
	for (value_walk w = value_open(v); value_step(&w);) {
		unsigned depth = value_depth(w.item);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

void varint_put(buf *b, uint64_t v)
{
	char bytes[10];
	size_t n = 0;
	for (; v > 127; v >>= 7)
		bytes[n++] = (char)(v | 128);
	bytes[n++] = (char)v;
	buf_put(b, str_of(bytes, n));
}

void value_put_tag(buf *b, value_tag tag)
{
	buf_c(b, (char)tag);
}

void value_put_name(buf *b, str name)
{
	varint_put(b, name.n);
	buf_put(b, name);
}

void value_put_text(buf *b, value_tag tag, str text)
{
	buf_c(b, (char)tag);
	value_put_name(b, text);
}

void value_put_number(buf *b, number n)
{
	char text[NUMBER_TEXT_MAX];
	value_put_text(b, VALUE_N, str_of(text, number_print(n, text)));
}

size_t value_begin(buf *b, value_tag tag, uint64_t count)
{
	size_t begun = b->n;
	buf_put(b, str_of((const char[BODY_AT]){ (char)tag }, BODY_AT));
	varint_put(b, count);
	return begun;
}

void value_end(buf *b, size_t begun)
{
	uint32_t n = (uint32_t)(b->n - begun - BODY_AT);
	if (!b->full)
		memcpy(b->p + begun + 1, &n, 4);
}

static int by_bytes(const void *a, const void *b)
{
	return str_cmp(*(const str *)a, *(const str *)b);
}

static int by_number(const void *a, const void *b)
{
	number x = { 0 }, y = { 0 };
	number_parse(*(const str *)a, &x);
	number_parse(*(const str *)b, &y);
	return number_cmp(x, y);
}

bool value_put_set(buf *b, value_tag tag, str *elements, size_t n)
{
	qsort(elements, n, sizeof *elements, tag == VALUE_NS ? by_number : by_bytes);
	for (size_t i = 1; i < n; i++)
		if (str_eq(elements[i - 1], elements[i]))
			return false;
	size_t begun = value_begin(b, tag, n);
	for (size_t i = 0; i < n; i++)
		value_put_name(b, elements[i]);
	value_end(b, begun);
	return true;
}
