#include "base/arena.h"
#include "base/err.h"
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_MAX ((size_t)1 << 20)

typedef struct block {
	struct block *before;
	size_t size, used;
	_Alignas(16) char bytes[];
} block;

typedef struct hook {
	struct hook *before;
	void (*run)(void *);
	void *subject;
} hook;

struct arena {
	block *newest, *first;
	hook *hooks;
	size_t used_before; /* in blocks older than the newest */
};

static block *block_open(size_t size, block *before)
{
	block *b = malloc(sizeof(block) + size);
	ensure(b != NULL);
	b->before = before;
	b->size = size;
	b->used = 0;
	return b;
}

arena *arena_open(size_t first_bytes)
{
	block *b = block_open(first_bytes + sizeof(arena), NULL);
	arena *a = (arena *)b->bytes;
	b->used = (sizeof(arena) + 15) & ~(size_t)15;
	*a = (arena){ .newest = b, .first = b };
	return a;
}

static void run_hooks(arena *a)
{
	while (a->hooks) {
		hook *h = a->hooks;
		a->hooks = h->before;
		h->run(h->subject);
	}
}

void arena_reset(arena *a)
{
	run_hooks(a);
	while (a->newest != a->first) {
		block *b = a->newest;
		a->newest = b->before;
		free(b);
	}
	a->first->used = (sizeof(arena) + 15) & ~(size_t)15;
	a->used_before = 0;
}

void arena_close(arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->first);
}

size_t arena_used(const arena *a)
{
	return a->used_before + a->newest->used;
}

static void *take(arena *a, size_t bytes, size_t align)
{
	block *b = a->newest;
	size_t at = (b->used + align - 1) & ~(align - 1);
	if (at > b->size || bytes > b->size - at) {
		size_t size = b->size * 2 < BLOCK_MAX ? b->size * 2 : BLOCK_MAX;
		if (bytes + 16 > size)
			size = bytes + 16;
		a->used_before += b->used;
		b = a->newest = block_open(size, b);
		at = 0;
	}
	b->used = at + bytes;
	return b->bytes + at;
}

void *arena_alloc(arena *a, size_t bytes)
{
	return memset(take(a, bytes, 16), 0, bytes);
}

char *arena_bytes(arena *a, size_t bytes)
{
	return take(a, bytes, 1);
}

str arena_str(arena *a, str s)
{
	if (!s.p)
		return s;
	char *p = arena_bytes(a, s.n + 1);
	memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return (str){ p, s.n };
}

/* Printed once, into what is left of the block; a second time only when it did not fit. */
str arena_vfmt(arena *a, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	block *b = a->newest;
	size_t room = b->size - b->used;
	char *p = (char *)b->bytes + b->used;
	int n = vsnprintf(p, room, format, args);
	ensure(n >= 0);
	if ((size_t)n < room) {
		b->used += (size_t)n + 1;
	} else {
		p = arena_bytes(a, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, format, again);
	}
	va_end(again);
	return (str){ p, (size_t)n };
}

str arena_fmt(arena *a, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str s = arena_vfmt(a, format, args);
	va_end(args);
	return s;
}

str arena_concat(arena *a, str x, str y)
{
	char *p = arena_bytes(a, x.n + y.n + 1);
	if (x.n)
		memcpy(p, x.p, x.n);
	if (y.n)
		memcpy(p + x.n, y.p, y.n);
	p[x.n + y.n] = 0;
	return (str){ p, x.n + y.n };
}

str arena_lower(arena *a, str s)
{
	if (!s.p)
		return s;
	char *p = arena_bytes(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
	p[s.n] = 0;
	return (str){ p, s.n };
}

void arena_hook(arena *a, void (*run)(void *subject), void *subject)
{
	hook *h = arena_new(a, hook);
	*h = (hook){ .before = a->hooks, .run = run, .subject = subject };
	a->hooks = h;
}
