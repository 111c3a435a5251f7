/*
 * CBOR as bytes (RFC 8949): a reader that yields one head at a time, and writers for each kind. Strings
 * point into the bytes unless they come in chunks. Lengths are checked against what is left, so a short
 * message cannot claim a long value.
 */
#pragma once
#include "base/buf.h"

typedef enum cbor_major {
	CBOR_UINT, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE,
} cbor_major;

typedef struct cbor {
	arena *mem;
	const unsigned char *p, *end;
} cbor;

typedef struct cbor_item {
	uint8_t major;
	uint8_t info;    /* the low five bits: of CBOR_SIMPLE 20 false, 21 true, 22 null, 25-27 floats */
	bool indefinite;
	uint64_t n;      /* value, length, count, tag or the float's bits */
} cbor_item;

cbor cbor_of(arena *a, str bytes);
/* The next head; false at the end and when it is malformed. */
bool cbor_next(cbor *c, cbor_item *item);
/* Whether the break of an indefinite item comes next; it is consumed. */
bool cbor_break(cbor *c);
/* The bytes of the string whose head this is. */
bool cbor_string(cbor *c, const cbor_item *item, str *out);
/* Skips what belongs to this head, nested at most `depth` deep. */
bool cbor_skip(cbor *c, const cbor_item *item, unsigned depth);
static inline bool cbor_is_null(const cbor_item *i)
{
	return i->major == CBOR_SIMPLE && (i->info == 22 || i->info == 23);
}
static inline bool cbor_is_float(const cbor_item *i)
{
	return i->major == CBOR_SIMPLE && i->info >= 25 && i->info <= 27;
}
double cbor_float(const cbor_item *item);

void cbor_put_head(buf *b, cbor_major major, uint64_t n);
void cbor_put_i64(buf *b, int64_t v);
void cbor_put_text(buf *b, str s);
void cbor_put_bytes(buf *b, str s);
void cbor_put_bool(buf *b, bool v);
void cbor_put_null(buf *b);
/* Four bytes where they hold the value, else eight. */
void cbor_put_double(buf *b, double v);
