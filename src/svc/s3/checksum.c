#include "checksum.h"
#include "wire/shape.h"

#define KIND(id, text, bytes_, crc_) \
	{ #id, "Checksum" #id, "x-amz-checksum-" text, DIGEST_##id, bytes_, crc_ }
const checksum_kind checksum_kinds[] = {
	KIND(CRC64NVME, "crc64nvme", 8, true), KIND(CRC32, "crc32", 4, true), KIND(CRC32C, "crc32c", 4, true),
	KIND(SHA1, "sha1", 20, false), KIND(SHA256, "sha256", 32, false), KIND(SHA512, "sha512", 64, false),
	KIND(MD5, "md5", 16, false),
};
const size_t checksum_n_kinds = sizeof checksum_kinds / sizeof *checksum_kinds;
const checksum_kind *const checksum_default = &checksum_kinds[0];

const checksum_kind *checksum_named(str name)
{
	for (size_t i = 0; i < checksum_n_kinds; i++)
		if (str_eq_nocase(str_c(checksum_kinds[i].name), name))
			return &checksum_kinds[i];
	return NULL;
}

const checksum_kind *checksum_headed(str header)
{
	for (size_t i = 0; i < checksum_n_kinds; i++)
		if (str_eq_nocase(str_c(checksum_kinds[i].header), header))
			return &checksum_kinds[i];
	return NULL;
}

void checksum_set(const shape *s, void *value, str algorithm, str text)
{
	const checksum_kind *k = algorithm.n ? checksum_named(algorithm) : NULL;
	const shape_member *m = k ? shape_member_find(s, str_c(k->member)) : NULL;
	if (m && text.n)
		memcpy((char *)value + m->offset, &text, sizeof text);
}

str checksum_of(const shape *s, const void *value, const checksum_kind *k)
{
	const shape_member *m = shape_member_find(s, str_c(k->member));
	str text = STR_NONE;
	if (m)
		memcpy(&text, (const char *)value + m->offset, sizeof text);
	return text;
}

static uint64_t times(const uint64_t *matrix, uint64_t vector)
{
	uint64_t sum = 0;
	for (; vector; vector >>= 1, matrix++)
		if (vector & 1)
			sum ^= *matrix;
	return sum;
}

static void square(uint64_t *out, const uint64_t *matrix, int bits)
{
	for (int i = 0; i < bits; i++)
		out[i] = times(matrix, matrix[i]);
}

static uint64_t combine(uint64_t polynomial, int bits, uint64_t a, uint64_t b, uint64_t b_bytes)
{
	uint64_t odd[64], even[64];
	odd[0] = polynomial;
	for (int i = 1; i < bits; i++)
		odd[i] = (uint64_t)1 << (i - 1);
	square(even, odd, bits); /* two zero bits */
	square(odd, even, bits); /* four */
	while (b_bytes) {
		square(even, odd, bits);
		if (b_bytes & 1)
			a = times(even, a);
		b_bytes >>= 1;
		if (!b_bytes)
			break;
		square(odd, even, bits);
		if (b_bytes & 1)
			a = times(odd, a);
		b_bytes >>= 1;
	}
	return a ^ b;
}

static uint64_t number_of(str bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < bytes.n; i++)
		v = v << 8 | (unsigned char)bytes.p[i];
	return v;
}

str checksum_combine(arena *mem, const checksum_kind *k, str a, str b, int64_t b_bytes)
{
	uint64_t polynomial = k->digest == DIGEST_CRC32  ? UINT64_C(0xedb88320) :
			      k->digest == DIGEST_CRC32C ? UINT64_C(0x82f63b78) :
							   UINT64_C(0x9a6c9329ac4bc9b5);
	uint64_t v = combine(polynomial, (int)k->bytes * 8, number_of(a), number_of(b), (uint64_t)b_bytes);
	char *p = arena_bytes(mem, k->bytes);
	for (size_t i = 0; i < k->bytes; i++)
		p[i] = (char)(v >> (8 * (k->bytes - 1 - i)));
	return str_of(p, k->bytes);
}
