/*
 * Strings are a pointer and a length, passed by value. They own nothing and need no terminator.
 *
 * p == NULL means "absent", which differs from the empty string. The bytes live as long as what
 * they were cut from: a request arena, a store transaction, or a literal.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct str {
	const char *p;
	size_t n;
} str;

#define S(literal) ((str){ "" literal "", sizeof(literal) - 1 })
#define STR_NONE ((str){ NULL, 0 })
/* For printf-like functions: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

static inline bool str_is(str s) { return s.p != NULL; }
static inline bool str_empty(str s) { return s.n == 0; }
static inline str str_of(const char *p, size_t n) { return (str){ p, n }; }
static inline str str_c(const char *c) { return c ? (str){ c, strlen(c) } : STR_NONE; }

static inline bool str_eq(str a, str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/* Byte order; a prefix sorts before what it begins. */
int str_cmp(str a, str b);
/* ASCII letters only. */
bool str_eq_nocase(str a, str b);
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
/* The index of the first byte `c` or of `needle`; SIZE_MAX when there is none. */
size_t str_find_char(str s, char c);
size_t str_find(str s, str needle);
/* Bytes [from, to), clipped to the string. */
str str_sub(str s, size_t from, size_t to);
str str_trim(str s);
/* Cuts `*rest` at the first `c`: returns what stood before it and leaves what follows. When there
 * is none, returns the whole and leaves STR_NONE. Loop: while (str_is(rest)) part = str_cut(..). */
str str_cut(str *rest, char c);
/* Decimal with optional sign; the whole string must be consumed. */
bool str_to_i64(str s, int64_t *out);
bool str_to_f64(str s, double *out);
/* `*` matches any run of bytes, `?` any one byte; case-sensitive. */
bool str_glob(str pattern, str s);
/* FNV-1a, for in-memory tables only. */
uint64_t str_hash(str s);
