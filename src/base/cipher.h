/*
 * Authenticated encryption: AES-256-GCM with a fresh 96-bit nonce per message.
 */
#pragma once
#include "base/arena.h"

#define CIPHER_KEY_BYTES 32
#define CIPHER_NONCE_BYTES 12
#define CIPHER_TAG_BYTES 16

/* nonce, ciphertext, tag. `nonce` must never repeat under one key. `bound` is authenticated, not kept. */
str cipher_seal(arena *a, const unsigned char key[CIPHER_KEY_BYTES],
                const unsigned char nonce[CIPHER_NONCE_BYTES], str bound, str plain);
/* AES key wrap with padding (RFC 5649) under a key of 256 bits; false: it was not wrapped with this key. */
bool cipher_unwrap(arena *a, const unsigned char key[CIPHER_KEY_BYTES], str wrapped, str *plain);
/* false: it was not sealed with this key and `bound`. */
bool cipher_open(arena *a, const unsigned char key[CIPHER_KEY_BYTES], str bound, str sealed, str *plain);
