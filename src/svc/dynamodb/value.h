/*
 * Attribute values as bytes: how items are stored, compared and filtered. A value is one run of
 * bytes that stands for itself wherever it is copied; reading an attribute skips over the others.
 *
 *   S, N, B       tag, length, bytes        (N in its normalised text)
 *   SS, NS, BS    tag, body length, count, (length, bytes)*     sorted, no duplicates
 *   M             tag, body length, count, (length, name, value)*     in the order written
 *   L             tag, body length, count, value*
 *   NULL, true, false   tag
 *
 * Lengths and counts are varints, except body lengths: four bytes, little-endian, so that they can
 * be filled in afterwards. Readers never look outside the bytes they are given: what does not parse
 * reads as absent or as the end. Values nest at most VALUE_DEPTH_MAX deep.
 */
#pragma once
#include "base/buf.h"
#include "svc/dynamodb/number.h"

typedef enum value_tag {
	VALUE_NONE, /* absent: an empty str */
	VALUE_S, VALUE_N, VALUE_B, VALUE_SS, VALUE_NS, VALUE_BS, VALUE_M, VALUE_L,
	VALUE_NULL, VALUE_TRUE, VALUE_FALSE,
} value_tag;

#define VALUE_DEPTH_MAX 31
#define VALUE_TOO_DEEP \
	"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond " \
	"supported limit"

typedef str value;

static inline value_tag value_tag_of(value v)
{
	return v.n && (unsigned char)*v.p <= VALUE_FALSE ? (value_tag)(unsigned char)*v.p : VALUE_NONE;
}
static inline bool value_is(value v) { return v.n > 0; }
/* S, N, BOOL .. as AWS writes types; value_tag_named is the way back (VALUE_TRUE for BOOL). */
const char *value_type(value_tag tag);
value_tag value_tag_named(str type);
/* The bytes of an S, N or B. */
str value_text(value v);

/* Walks the elements of a set (text), a list (item) or a map (name and item). */
typedef struct value_walk {
	str rest;
	uint64_t left;
	value_tag of;
	str name, text;
	value item;
} value_walk;
value_walk value_open(value v);
bool value_step(value_walk *w);
/* Elements of a set, list or map. */
uint64_t value_count(value v);
/* A member of a map, an element of a list; VALUE_NONE when there is none. */
value value_member(value map, str name);
value value_at(value list, uint64_t index);
/* Cuts the value at the front of `rest`; absent when there is none that is whole. */
value value_cut(str *rest);
/* Whether these bytes are one value, whole and sound to the last. */
bool value_valid(str bytes);

bool value_eq(value a, value b);
/* Order of two values of one type among S, N and B; false: they have none. */
bool value_cmp(value a, value b, int *order);
bool value_contains(value container, value element);
bool value_begins(value v, value prefix);
bool value_number(value v, number *out);
/* Bytes AWS counts for a value, without its name. */
size_t value_size(value v);
/* The same for the attributes of an item (a map), with their names. */
size_t value_item_size(value map);
unsigned value_depth(value v);

/* Writing. Composite values: begin, the elements, end. */
void value_put_tag(buf *b, value_tag tag);
void value_put_text(buf *b, value_tag tag, str text);
void value_put_number(buf *b, number n);
size_t value_begin(buf *b, value_tag tag, uint64_t count);
/* A name in a map, an element in a set: a length and bytes. */
void value_put_name(buf *b, str name);
void value_end(buf *b, size_t begun);
/* A set from its elements, which are sorted in place; false when two are equal. */
bool value_put_set(buf *b, value_tag tag, str *elements, size_t n);
void varint_put(buf *b, uint64_t v);
bool varint_cut(str *rest, uint64_t *out);
