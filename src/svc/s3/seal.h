/*
 * Bytes sealed with a key: AES-256 in counter mode, so that any range can be opened by itself. Each content
 * has a random nonce; the counter goes on from it. A customer's key is never kept, only its MD5, by which a
 * wrong one is refused before anything is opened.
 */
#pragma once
#include "base/arena.h"

#define SEAL_NONCE 16

typedef struct seal_key {
	unsigned char bytes[32];
} seal_key;

/* Seals or opens n bytes, of which the first is byte `at` of the content. `in` and `out` may be the same. */
void seal_apply(const seal_key *key, const unsigned char nonce[SEAL_NONCE], int64_t at, const char *in,
                char *out, size_t n);
