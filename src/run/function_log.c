/*
 * A runtime's output, cut into log events: lines, and what our bootstraps frame (four bytes that no text
 * has, four bytes of length, the event). Both come through one pipe, so their order is kept.
 */
#include "run/function_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)
#define FRAME "\xa5\x5a\x00\x01"
#define FRAME_HEAD 8

/* The buffer lives as long as the environment. */
void function_log_open(function_log *l, int fd)
{
	l->fd = fd;
	l->n = l->capacity = 0;
	l->p = NULL;
}

static void say(function_log *l, const char *p, size_t n)
{
	while (n && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	if (n && l->sink)
		l->sink(l->context, str_of(p, n < LOG_EVENT_MAX ? n : LOG_EVENT_MAX));
}

/* Bytes used of `s`: whole events only, unless it cannot grow any further or nothing follows. */
static size_t take(function_log *l, str s, bool last)
{
	size_t frame = str_find(s, str_of(FRAME, 4));
	if (frame == 0) {
		if (s.n < FRAME_HEAD)
			return last ? s.n : 0;
		const unsigned char *u = (const unsigned char *)s.p;
		size_t n = (size_t)u[4] << 24 | (size_t)u[5] << 16 | (size_t)u[6] << 8 | u[7];
		if (n > LOG_EVENT_MAX)
			n = LOG_EVENT_MAX;
		if (s.n < FRAME_HEAD + n && !last)
			return 0;
		if (s.n < FRAME_HEAD + n)
			n = s.n - FRAME_HEAD;
		say(l, s.p + FRAME_HEAD, n);
		return FRAME_HEAD + n;
	}
	str plain = str_sub(s, 0, frame);
	size_t end = str_find_char(plain, '\n');
	if (end != SIZE_MAX) {
		say(l, s.p, end);
		return end + 1;
	}
	if (frame != SIZE_MAX || last || s.n >= LOG_EVENT_MAX) {
		size_t n = plain.n < LOG_EVENT_MAX ? plain.n : LOG_EVENT_MAX;
		say(l, s.p, n);
		return n;
	}
	return 0;
}

static void cut(function_log *l, bool last)
{
	size_t at = 0;
	for (size_t used; at < l->n && (used = take(l, str_of(l->p + at, l->n - at), last)) != 0; at += used)
		;
	l->n -= at;
	if (at && l->n)
		memmove(l->p, l->p + at, l->n);
}

void function_log_drain(function_log *l)
{
	for (;;) {
		if (l->capacity - l->n < PIECE) {
			/* At most one event and a piece: cut() takes longer ones apart. */
			size_t capacity = l->n + 2 * PIECE;
			char *p = realloc(l->p, capacity);
			ensure(p);
			l->p = p;
			l->capacity = capacity;
		}
		ssize_t n = read(l->fd, l->p + l->n, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		l->n += (size_t)n;
		cut(l, false);
	}
	if (l->n == 0 && l->capacity > 2 * PIECE) {
		free(l->p);
		l->p = NULL;
		l->capacity = 0;
	}
}

void function_log_close(function_log *l)
{
	function_log_drain(l);
	cut(l, true);
	close(l->fd);
	free(l->p);
	l->p = NULL;
	l->fd = -1;
}
