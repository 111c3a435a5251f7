/*
 * Values as CBOR with the model's member names as keys: what the store keeps, and the body of rpc-v2-cbor.
 */
#pragma once
#include "base/cbor.h"
#include "wire/value.h"

/* `*why` is the reason on failure. `checked`: the bytes come from outside, so text must be UTF-8. */
bool cbor_read(arena *a, const shape *s, str bytes, bool checked, void *value, str *why);
/* The number of members present, and the members as key and value pairs; `skip` is left out. */
size_t cbor_count_members(const shape *s, const void *value, const shape_member *skip);
void cbor_write_members(buf *b, const shape *s, const void *value, const shape_member *skip);
