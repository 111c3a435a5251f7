/*
 * An arena: memory that is freed all at once, when the request, the transaction or the process it
 * belongs to ends. Nothing taken from it is freed singly. What is not memory (a file, a child) hangs
 * on a cleanup hook and is released in reverse order.
 *
 * An arena belongs to one thread at a time. Running out of memory ends the process: every request is
 * bounded before it reaches an arena, so a failure here is a bug or a dead machine.
 */
#pragma once
#include "base/str.h"
#include <stdarg.h>

typedef struct arena arena;

/* `first_bytes` is the size of the first block; later ones double up to 1 MiB. */
arena *arena_open(size_t first_bytes);
void arena_close(arena *a);
/* Runs the hooks and forgets everything, keeping the first block for the next user. */
void arena_reset(arena *a);
/* Bytes handed out since open or reset. */
size_t arena_used(const arena *a);

/* Zeroed, aligned to 16. Never NULL. */
void *arena_alloc(arena *a, size_t bytes);
/* Not zeroed, unaligned: for bytes. */
char *arena_bytes(arena *a, size_t bytes);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))
/* A copy with a terminating NUL behind it, so that .p is also a C string. STR_NONE stays so. */
str arena_str(arena *a, str s);
str arena_fmt(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
str arena_vfmt(arena *a, const char *format, va_list args);
str arena_concat(arena *a, str x, str y);
/* `s` with ASCII upper-case letters lowered. */
str arena_lower(arena *a, str s);
/* Calls hook(subject) at reset or close, last hung first. */
void arena_hook(arena *a, void (*hook)(void *subject), void *subject);
