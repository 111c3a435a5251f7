/*
 * gzip (RFC 1952), whole buffers at a time, and unpacking piece by piece. A gunzip ends with its arena.
 */
#pragma once
#include "base/arena.h"
#include "base/buf.h"

/* The result lives in `a`. */
str gzip_pack(arena *a, str plain);
/* false: not gzip, damaged, or more than `max` bytes when unpacked. */
bool gzip_unpack(arena *a, str packed, size_t max, str *out);

typedef struct gunzip gunzip;
gunzip *gunzip_open(arena *a);
/* Unpacks from the front of `packed` until it is used up or `out` has `most` bytes. False: it is damaged. */
bool gunzip_some(gunzip *g, str *packed, buf *out, size_t most);
/* Whether there is more to unpack without more bytes. */
bool gunzip_pending(const gunzip *g);
/* Whether what came so far is whole. */
bool gunzip_whole(const gunzip *g);
