#include "wire/shape.h"

/* Byte order of a string against a C string, as str_cmp has it. */
static int compare(str s, const char *c)
{
	size_t i = 0;
	while (i < s.n && c[i] && s.p[i] == c[i])
		i++;
	if (i == s.n)
		return c[i] ? -1 : 0;
	return (int)(unsigned char)s.p[i] - (int)(unsigned char)c[i];
}

const operation *operation_find(const service *s, str name)
{
	size_t low = 0, high = s->n_operations;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(name, s->operations[middle].name);
		if (order == 0)
			return &s->operations[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const shape_member *shape_member_find(const shape *s, str name)
{
	for (size_t i = 0; i < s->n_members; i++)
		if (compare(name, s->members[i].name) == 0)
			return &s->members[i];
	return NULL;
}

bool shape_has_value(const shape *s, str value)
{
	size_t low = 0, high = s->n_values;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(value, s->values[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}
