/*
 * Values in memory, as shape tables describe them: what every codec needs to fill and to read a
 * struct whose layout it knows only from the table.
 *
 * Lists and maps grow by doubling; how much an array holds follows from its length, so that a flattened
 * list can be continued wherever its next element turns up in a message.
 *
 * A decoder takes memory through a `room`: a few bytes of message can ask for a large struct, so what
 * one message may occupy is limited to a multiple of its own size.
 */
#pragma once
#include "base/buf.h"
#include "wire/shape.h"

#define VALUE_DEPTH_MAX 64

typedef struct room {
	arena *mem;
	size_t limit; /* of arena_used */
} room;

static inline room room_for(arena *mem, size_t message_bytes)
{
	return (room){ mem, arena_used(mem) + ((size_t)2 << 20) + message_bytes * 64 };
}

/* Zeroed memory for a value, or NULL when the message has used up its room. */
static inline void *room_take(const room *r, size_t bytes)
{
	return arena_used(r->mem) + bytes > r->limit ? NULL : arena_alloc(r->mem, bytes);
}

/* A list or a map as it stands in memory. */
typedef struct value_list {
	char *v;
	size_t n;
} value_list;

/* The type of entries and elements that are present but take no bytes of their own. */
extern char value_nothing[1];

/* Present and empty. */
static inline void list_open(value_list *l)
{
	if (!l->v)
		*l = (value_list){ value_nothing, 0 };
}

/* Aligned and not zeroed. */
static inline void *room_take_raw(const room *r, size_t bytes)
{
	if (arena_used(r->mem) + bytes > r->limit)
		return NULL;
	uintptr_t p = (uintptr_t)arena_bytes(r->mem, bytes + 15);
	return (void *)((p + 15) & ~(uintptr_t)15);
}

/* One more element of `size` bytes, zeroed; NULL when there is no room. */
static inline void *list_append(const room *r, value_list *l, size_t size)
{
	enum { FIRST = 4 };
	if (l->n == 0 || (l->n >= FIRST && (l->n & (l->n - 1)) == 0)) {
		char *more = room_take_raw(r, (l->n ? l->n * 2 : FIRST) * size);
		if (!more)
			return NULL;
		if (l->n)
			memcpy(more, l->v, l->n * size);
		l->v = more;
	}
	return memset(l->v + size * l->n++, 0, size);
}

/* Where a value of this member is to be written, or NULL when there is no room: structs are made. */
static inline void *member_make(const room *r, const shape_member *m, void *in)
{
	char *slot = (char *)in + m->offset;
	if (m->shape->kind != SHAPE_STRUCT)
		return slot;
	void *made = room_take(r, m->shape->size);
	*(void **)(void *)slot = made;
	return made;
}

/* Kinds whose first word is a pointer, NULL when absent; the others have a flag behind their value. */
#define POINTER_KINDS \
	(1u << SHAPE_STRING | 1u << SHAPE_ENUM | 1u << SHAPE_BLOB | 1u << SHAPE_DOCUMENT | \
	 1u << SHAPE_LIST | 1u << SHAPE_MAP | 1u << SHAPE_STRUCT)

_Static_assert(offsetof(opt_i64, set) == offsetof(opt_f64, set) &&
                       offsetof(opt_i64, set) == offsetof(opt_time, set) && offsetof(str, p) == 0,
               "absence is found in one place");

static inline bool slot_filled(const shape *s, const void *slot)
{
	if (1u << s->kind & POINTER_KINDS)
		return *(const void *const *)slot != NULL;
	return ((const bool *)slot)[s->kind == SHAPE_BOOLEAN ? offsetof(opt_bool, set)
	                                                      : offsetof(opt_i64, set)];
}

/* Whether a value that stands by itself (in a list, in a map) is absent. */
static inline bool value_absent(const shape *s, const void *v)
{
	return s->kind != SHAPE_STRUCT && !slot_filled(s, v);
}

/* The member's value, or NULL when it is absent. */
static inline const void *member_value(const shape_member *m, const void *in)
{
	const char *slot = (const char *)in + m->offset;
	if (!slot_filled(m->shape, slot))
		return NULL;
	return m->shape->kind == SHAPE_STRUCT ? *(const void *const *)(const void *)slot : slot;
}

static inline bool name_is(const char *name, str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (name[i] != s.p[i] || !name[i])
			return false;
	return name[s.n] == 0;
}

static inline uint8_t time_format_of(const shape_member *m, const shape *s, time_format otherwise)
{
	if (m && m->time_format)
		return m->time_format;
	return s->time_format ? s->time_format : (uint8_t)otherwise;
}

static inline bool member_is_flat(const shape_member *m)
{
	return m->flattened || m->shape->flattened;
}

/* The name a flattened list's elements are given by the list itself, or NULL. */
static inline const char *flat_element_name(const shape_member *m)
{
	const char *name = m->shape->kind == SHAPE_LIST ? m->shape->element_name : NULL;
	return name && (m->shape->flattened || strcmp(name, "member") != 0) ? name : NULL;
}

/* A timestamp in XML of EC2 and S3: ISO with three digits of fraction always. */
enum { TIME_ISO_MS = 16 };

/*
 * Scalars as text, for queries, headers and XML. Blobs are base64 there. `format` says how a timestamp is
 * written; any known form is read.
 */
bool text_read(arena *a, const shape *s, str text, void *out);
void text_write(buf *b, const shape *s, uint8_t format, const void *value);

/* Seconds since 1970 with a fraction, as JSON has it; false when it is no number or out of range. */
bool epoch_read(str text, int64_t *ms);
bool number_to_i64(str text, int64_t *out);
bool number_to_f64(arena *a, str text, double *out);
bool integer_in_range(const shape *s, int64_t v);
