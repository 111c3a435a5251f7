/*
 * gzip (RFC 1952), whole buffers at a time.
 */
#pragma once
#include "base/arena.h"

/* The result lives in `a`. */
str gzip_pack(arena *a, str plain);
/* false: not gzip, damaged, or more than `max` bytes when unpacked. */
bool gzip_unpack(arena *a, str packed, size_t max, str *out);
