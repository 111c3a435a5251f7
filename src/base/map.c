#include "base/map.h"

map map_in(arena *mem, size_t expected)
{
	map m = { .mem = mem, .capacity = 16 };
	while (m.capacity < expected * 2)
		m.capacity *= 2;
	m.slots = arena_array(mem, struct map_slot, m.capacity);
	return m;
}

static struct map_slot *find(const map *m, str key)
{
	size_t i = str_hash(key) & (m->capacity - 1);
	while (m->slots[i].value && !str_eq(m->slots[i].key, key))
		i = (i + 1) & (m->capacity - 1);
	return &m->slots[i];
}

void *map_get(const map *m, str key)
{
	return m->capacity ? find(m, key)->value : NULL;
}

static void grow(map *m)
{
	map wider = map_in(m->mem, m->capacity);
	for (size_t i = 0; i < m->capacity; i++)
		if (m->slots[i].value)
			*find(&wider, m->slots[i].key) = m->slots[i];
	wider.n = m->n;
	*m = wider;
}

void *map_put(map *m, str key, void *value)
{
	if ((m->n + 1) * 2 > m->capacity)
		grow(m);
	struct map_slot *slot = find(m, key);
	void *before = slot->value;
	if (!before)
		m->n++;
	*slot = (struct map_slot){ key, value };
	return before;
}
