#include "cloud/overlay.h"
#include "wire/value.h"

static bool is_text(const shape *s)
{
	return s->kind == SHAPE_STRING || s->kind == SHAPE_ENUM;
}

/* Whether a value of the one lies in memory as a value of the other. */
static bool alike(const shape *a, const shape *b)
{
	if (a == b || (is_text(a) && is_text(b)))
		return true;
	if (a->kind == SHAPE_LONG || a->kind == SHAPE_INTEGER)
		return b->kind == SHAPE_LONG || b->kind == SHAPE_INTEGER;
	if (a->kind != b->kind || a->kind == SHAPE_STRUCT)
		return false;
	return (a->kind != SHAPE_LIST && a->kind != SHAPE_MAP) || alike(a->element, b->element);
}

void overlay(arena *mem, const shape *from_shape, const void *from, const shape *to_shape, void *to)
{
	for (unsigned i = 0; from_shape && to_shape && i < from_shape->n_members; i++) {
		const shape_member *m = &from_shape->members[i];
		const void *value = member_value(m, from);
		const shape_member *t = value ? shape_member_find(to_shape, str_c(m->name)) : NULL;
		if (!t)
			continue;
		char *slot = (char *)to + t->offset;
		if (t->shape->kind == SHAPE_STRUCT && m->shape->kind == SHAPE_STRUCT) {
			void *made = arena_alloc(mem, t->shape->size);
			overlay(mem, m->shape, value, t->shape, made);
			*(void **)(void *)slot = made;
		} else if (alike(m->shape, t->shape)) {
			memcpy(slot, value, m->shape->size);
		}
	}
}
