/*
 * The checksums that clients send and S3 keeps: names, values as text, and the arithmetic of multipart ones.
 * A composite checksum is the checksum of the parts' checksums with "-N" behind it; a full-object one of
 * the CRC family is computed from the parts' by combining them.
 */
#pragma once
#include "base/digest.h"
#include "cloud/req.h"

typedef struct checksum_kind {
	const char *name;   /* CRC64NVME */
	const char *member; /* ChecksumCRC64NVME */
	const char *header; /* x-amz-checksum-crc64nvme */
	digest_kind digest;
	size_t bytes;
	bool crc;
} checksum_kind;

extern const checksum_kind checksum_kinds[];
extern const size_t checksum_n_kinds;
extern const checksum_kind *const checksum_default;

/* By CRC32 or by x-amz-checksum-crc32, without case; NULL: not known, or not offered here. */
const checksum_kind *checksum_named(str name);
const checksum_kind *checksum_headed(str header);

/* Sets the member of an output or a part, or reads it from an input; STR_NONE when absent. */
void checksum_set(const shape *s, void *value, str algorithm, str text);
str checksum_of(const shape *s, const void *value, const checksum_kind *k);

/* The CRC of a ++ b from those of a and b; raw big-endian bytes. */
str checksum_combine(arena *mem, const checksum_kind *k, str a, str b, int64_t b_bytes);
