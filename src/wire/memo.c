#include "wire/memo.h"

static memo_entry *find(memo_entry *e, const void *key)
{
	while (e && e->key != key)
		e = e->next;
	return e;
}

void *memo_get(memo *m, const void *key, void *(*build)(arena *a, const void *key))
{
	uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);
	_Atomic(memo_entry *) *bucket = &m->buckets[hash >> 54];
	memo_entry *e = find(atomic_load_explicit(bucket, memory_order_acquire), key);
	if (e)
		return e->value;
	pthread_mutex_lock(&m->building);
	e = find(atomic_load_explicit(bucket, memory_order_relaxed), key);
	if (!e) {
		if (!m->mem)
			m->mem = arena_open(4096);
		e = arena_new(m->mem, memo_entry);
		e->key = key;
		e->value = build(m->mem, key);
		e->next = atomic_load_explicit(bucket, memory_order_relaxed);
		atomic_store_explicit(bucket, e, memory_order_release);
	}
	pthread_mutex_unlock(&m->building);
	return e->value;
}
