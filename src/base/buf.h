/*
 * A growing run of bytes in an arena, with a maximum from birth. Appending past the maximum drops the
 * bytes and sets `full`; whoever finishes the buffer looks at it once.
 */
#pragma once
#include "base/arena.h"

typedef struct buf {
	arena *mem;
	char *p;
	size_t n, capacity, max;
	bool full;
} buf;

buf buf_in(arena *mem, size_t first_bytes, size_t max_bytes);
/* Room for `bytes` more, or NULL when that would pass the maximum; the caller advances b->n. */
char *buf_room(buf *b, size_t bytes);
void buf_put(buf *b, str s);
void buf_c(buf *b, char c);
void buf_fmt(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_i64(buf *b, int64_t v);
static inline str buf_str(const buf *b) { return (str){ b->p ? b->p : "", b->n }; }
