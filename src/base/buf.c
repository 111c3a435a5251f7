#include "base/buf.h"
#include <stdio.h>

buf buf_in(arena *mem, size_t first_bytes, size_t max_bytes)
{
	buf b = { .mem = mem, .max = max_bytes };
	if (first_bytes) {
		b.p = arena_bytes(mem, first_bytes);
		b.capacity = first_bytes;
	}
	return b;
}

static bool fits(buf *b, size_t bytes)
{
	if (b->full || bytes > b->max || b->n > b->max - bytes)
		b->full = true; /* and stays so: a later, shorter piece would leave a hole */
	return !b->full;
}

static char *grow(buf *b, size_t bytes)
{
	size_t capacity = b->capacity ? b->capacity * 2 : 256;
	while (capacity < b->n + bytes)
		capacity *= 2;
	char *p = arena_bytes(b->mem, capacity);
	if (b->n)
		memcpy(p, b->p, b->n);
	b->p = p;
	b->capacity = capacity;
	return p + b->n;
}

/* Memory for `spare` bytes beyond the text is not counted against the maximum. */
static inline char *room(buf *b, size_t bytes, size_t spare)
{
	if (!fits(b, bytes))
		return NULL;
	return bytes + spare <= b->capacity - b->n ? b->p + b->n : grow(b, bytes + spare);
}

char *buf_room(buf *b, size_t bytes)
{
	return room(b, bytes, 0);
}

void buf_put(buf *b, str s)
{
	char *p = s.n ? room(b, s.n, 0) : NULL;
	if (!p)
		return;
	memcpy(p, s.p, s.n);
	b->n += s.n;
}

void buf_c(buf *b, char c)
{
	char *p = room(b, 1, 0);
	if (!p)
		return;
	*p = c;
	b->n++;
}

/* Printed once, into the room that there is; a second time only when it did not fit. */
void buf_fmt(buf *b, const char *format, ...)
{
	va_list args;
	size_t left = b->p ? b->capacity - b->n : 0;
	va_start(args, format);
	int n = vsnprintf(b->p ? b->p + b->n : NULL, left, format, args);
	va_end(args);
	char *p = n >= 0 ? room(b, (size_t)n, 1) : NULL;
	if (!p)
		return;
	if ((size_t)n >= left) {
		va_start(args, format);
		vsnprintf(p, (size_t)n + 1, format, args);
		va_end(args);
	}
	b->n += (size_t)n;
}

void buf_i64(buf *b, int64_t v)
{
	char digits[24], *p = digits + sizeof digits;
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	buf_put(b, (str){ p, (size_t)(digits + sizeof digits - p) });
}
