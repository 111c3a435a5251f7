/*
 * Digests and checksums, incremental. Contexts are reused per thread; results are raw bytes.
 */
#pragma once
#include "base/arena.h"

typedef enum digest_kind {
	DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512,
	DIGEST_CRC32, DIGEST_CRC32C, DIGEST_CRC64NVME,
} digest_kind;

typedef struct digest digest;
/* Hangs on the arena: nothing to close. */
digest *digest_open(arena *a, digest_kind kind);
void digest_add(digest *d, const void *p, size_t n);
/* To n digests of one kind a piece each: of MD5 and SHA-256, several cost little more than one. */
void digest_add_beside(digest *const *d, const str *pieces, size_t n);
#define DIGEST_BESIDE 8 /* from which on more save no more */
/* From the beginning again, also after digest_finish. */
void digest_restart(digest *d);
/* Big-endian bytes for the CRCs. */
str digest_finish(arena *a, digest *d);
#define DIGEST_BYTES_MAX 64
/* The same without an arena: how many bytes it wrote. */
size_t digest_finish_to(digest *d, unsigned char out[DIGEST_BYTES_MAX]);

void sha256(str bytes, unsigned char out[32]);
str sha256_hex(arena *a, str bytes);
str md5_hex(arena *a, str bytes);
#define MD5_BYTES 16
/* Of the pieces one after another. */
void md5_of(const str *pieces, size_t n, unsigned char out[MD5_BYTES]);
void hmac_sha256(str key, str bytes, unsigned char out[32]);
void hmac_sha1(str key, str bytes, unsigned char out[20]); /* for signatures of version 2 only */
uint32_t crc32_of(uint32_t before, const void *p, size_t n);
uint32_t crc32c_of(uint32_t before, const void *p, size_t n);
uint64_t crc64nvme_of(uint64_t before, const void *p, size_t n);
/* Compares secrets in constant time. */
bool secret_eq(str a, str b);
