/*
 * The edge's cache: answers by key, in memory, at most CACHE_BYTES together; the ones not asked for the
 * longest go first. It is empty after a restart, as an edge location may be at any time. Any thread.
 *
 * Times are Farthing's. An entry that has expired is still found, so that the origin can be asked whether it
 * is good as it was.
 */
#pragma once
#include "wire/codec.h"

#define CACHE_BYTES ((size_t)256 << 20)
#define CACHE_OBJECT_BYTES ((size_t)16 << 20)

typedef struct cache_entry {
	str dist, key, path; /* path with query, as invalidations name it */
	wire_message answer;
	int64_t stored, expires;
	/* private */
	arena *mem;
	size_t bytes;
	unsigned held;
	bool dropped;
	struct cache_entry *chain, *newer, *older;
} cache_entry;

/* NULL when there is none. What is found lives until `mem` ends. */
cache_entry *cache_find(arena *mem, str dist, str key);
/* Goes up with every invalidation: what was asked for before it is not kept. */
uint64_t cache_generation(void);
typedef struct cache_new {
	str dist, key, path;
	const wire_message *answer; /* copied */
	int64_t now, expires;
	uint64_t generation;        /* when the origin was asked */
} cache_new;
void cache_keep(const cache_new *n);
/* The origin said that it has not changed. */
void cache_renew(cache_entry *e, int64_t now, int64_t expires);
/* Paths as CreateInvalidation takes them: a star at the end stands for anything. */
void cache_invalidate(str dist, const str *paths, size_t n);
