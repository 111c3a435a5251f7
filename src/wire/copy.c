#include "wire/codec.h"
#include "wire/value.h"

static void copy_list(arena *a, const shape *s, const value_list *from, value_list *to)
{
	bool map = s->kind == SHAPE_MAP;
	size_t size = map ? s->entry_size : s->element->size, at = map ? s->value_offset : 0;
	*to = (value_list){ from->n ? arena_alloc(a, from->n * size) : value_nothing, from->n };
	for (size_t i = 0; i < from->n; i++) {
		const char *f = from->v + i * size;
		char *t = to->v + i * size;
		if (map)
			*(str *)(void *)t = arena_str(a, *(const str *)(const void *)f);
		if (!value_absent(s->element, f + at))
			shape_copy(a, s->element, f + at, t + at);
	}
}

static void copy_struct(arena *a, const shape *s, const char *from, char *to)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		const void *v = member_value(m, from);
		void *slot = to + m->offset;
		if (m->shape->kind != SHAPE_STRUCT) {
			if (v)
				shape_copy(a, m->shape, v, slot);
			else
				memset(slot, 0, m->shape->size);
			continue;
		}
		void *made = v ? arena_alloc(a, m->shape->size) : NULL;
		if (v)
			copy_struct(a, m->shape, v, made);
		*(void **)slot = made;
	}
}

void shape_copy(arena *a, const shape *s, const void *from, void *to)
{
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
	case SHAPE_ENUM:
	case SHAPE_BLOB:
	case SHAPE_DOCUMENT:
		*(str *)to = arena_str(a, *(const str *)from);
		return;
	case SHAPE_STRUCT:
		copy_struct(a, s, from, to);
		return;
	case SHAPE_LIST:
	case SHAPE_MAP:
		if (value_absent(s, from))
			*(value_list *)to = (value_list){ NULL, 0 };
		else
			copy_list(a, s, from, to);
		return;
	default:
		memcpy(to, from, s->size);
		return;
	}
}
