/*
 * Comma-separated values as RFC 4180 has them: quoted fields with doubled quotes, line breaks within quotes,
 * CRLF or LF. Fields point into the text, or into the arena when quotes had to be taken out.
 */
#pragma once
#include "base/buf.h"

typedef struct csv {
	arena *mem;
	const char *p, *end;
	size_t line;   /* of the row last read, from 1 */
	bool broken;   /* an open quote, text behind a closing one, or too many fields */
} csv;

csv csv_of(arena *mem, str text);
/* The next row that is not empty; 0 at the end or when broken. */
size_t csv_row(csv *c, str *fields, size_t most);
/* Quoted when it has to be. */
void csv_put(buf *b, str field);
