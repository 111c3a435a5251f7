/*
 * What is derived once from a table that lives for ever (a service's routes, a shape's pattern) and then
 * kept for the process: found without a lock, built under one. Safe from any thread.
 */
#pragma once
#include "base/arena.h"
#include <pthread.h>
#include <stdatomic.h>

enum { MEMO_BUCKETS = 1024 };

typedef struct memo_entry {
	const void *key;
	void *value;
	struct memo_entry *next;
} memo_entry;

typedef struct memo {
	pthread_mutex_t building;
	arena *mem; /* the process's: never closed */
	_Atomic(memo_entry *) buckets[MEMO_BUCKETS];
} memo;

#define MEMO_INIT { .building = PTHREAD_MUTEX_INITIALIZER }

/* The value for `key`; the first caller builds it in an arena that is never freed. May be NULL. */
void *memo_get(memo *m, const void *key, void *(*build)(arena *a, const void *key));
