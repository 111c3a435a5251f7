/*
 * An in-memory table from strings to pointers, open addressing, in an arena. Keys are not copied.
 */
#pragma once
#include "base/arena.h"

typedef struct map {
	arena *mem;
	struct map_slot { str key; void *value; } *slots;
	size_t n, capacity;
} map;

map map_in(arena *mem, size_t expected);
void *map_get(const map *m, str key);
/* Replaces; returns what stood there before. A NULL value removes nothing: values are never NULL. */
void *map_put(map *m, str key, void *value);
