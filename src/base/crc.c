/*
 * Three CRCs with one method, after Intel's "Fast CRC computation using PCLMULQDQ": all are bit-reflected,
 * so a run of bytes is a polynomial over GF(2) whose first bit has the highest power, and a 128-bit block
 * can be moved n bits on by multiplying its halves with x^n mod P. Four blocks are folded side by side;
 * what remains is 16 bytes that the table method finishes. Without the instruction, tables do it all.
 */
#include "base/digest.h"
#include <pthread.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_CLMUL 1
#else
#define HAVE_CLMUL 0
#endif

typedef struct crc_kind {
	uint64_t polynomial;        /* reflected, without the highest term */
	unsigned bits;
	uint64_t slices[8][256];    /* slices[k][b]: byte b with k bytes behind it */
	uint64_t fold_512[2];       /* multipliers that move a block by 512 bits: low half, high half */
	uint64_t fold_128[2];
} crc_kind;

static crc_kind kinds[3] = {
	{ .polynomial = 0xedb88320, .bits = 32 },
	{ .polynomial = 0x82f63b78, .bits = 32 },
	{ .polynomial = 0x9a6c9329ac4bc9b5, .bits = 64 },
};
static bool fast;
static pthread_once_t started = PTHREAD_ONCE_INIT;

/* x^n mod P with the term x^0 in bit 63. */
static uint64_t power_of_x(const crc_kind *k, unsigned n)
{
	uint64_t v = UINT64_C(1) << 63, top = k->polynomial << (64 - k->bits);
	uint64_t keep = k->bits == 64 ? ~UINT64_C(0) : ~(~UINT64_C(0) >> k->bits);
	while (n--) {
		bool carry = v >> (64 - k->bits) & 1;
		v = v >> 1 & keep;
		if (carry)
			v ^= top;
	}
	return v;
}

static void prepare(crc_kind *k)
{
	for (unsigned b = 0; b < 256; b++) {
		uint64_t v = b;
		for (int bit = 0; bit < 8; bit++)
			v = v & 1 ? v >> 1 ^ k->polynomial : v >> 1;
		k->slices[0][b] = v;
	}
	for (unsigned b = 0; b < 256; b++)
		for (int s = 1; s < 8; s++)
			k->slices[s][b] = k->slices[s - 1][b] >> 8 ^
			                  k->slices[0][k->slices[s - 1][b] & 255];
	/* A product of two reflected 64-bit factors comes out one power of x too high, hence the -1. */
	k->fold_512[0] = power_of_x(k, 512 + 64 - 1);
	k->fold_512[1] = power_of_x(k, 512 - 1);
	k->fold_128[0] = power_of_x(k, 128 + 64 - 1);
	k->fold_128[1] = power_of_x(k, 128 - 1);
}

static void start(void)
{
	for (int i = 0; i < 3; i++)
		prepare(&kinds[i]);
#if HAVE_CLMUL
	fast = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static uint64_t by_tables(const crc_kind *k, uint64_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = crc ^ load64(p);
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= k->slices[7 - i][v >> 8 * i & 255];
	}
	for (; n; p++, n--)
		crc = crc >> 8 ^ k->slices[0][(crc ^ *p) & 255];
	return crc;
}

#if HAVE_CLMUL
__attribute__((target("pclmul,sse4.1"))) static __m128i fold(__m128i block, __m128i by, __m128i next)
{
	__m128i low = _mm_clmulepi64_si128(block, by, 0x00);
	__m128i high = _mm_clmulepi64_si128(block, by, 0x11);
	return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) static uint64_t
by_folding(const crc_kind *k, uint64_t crc, const unsigned char *p, size_t n)
{
	const __m128i by_512 = _mm_loadu_si128((const void *)k->fold_512);
	const __m128i by_128 = _mm_loadu_si128((const void *)k->fold_128);
	__m128i x[4];
	for (int i = 0; i < 4; i++)
		x[i] = _mm_loadu_si128((const void *)(p + 16 * i));
	x[0] = _mm_xor_si128(x[0], _mm_cvtsi64_si128((long long)crc));
	for (p += 64, n -= 64; n >= 64; p += 64, n -= 64)
		for (int i = 0; i < 4; i++)
			x[i] = fold(x[i], by_512, _mm_loadu_si128((const void *)(p + 16 * i)));
	for (int i = 1; i < 4; i++)
		x[0] = fold(x[0], by_128, x[i]);
	for (; n >= 16; p += 16, n -= 16)
		x[0] = fold(x[0], by_128, _mm_loadu_si128((const void *)p));
	unsigned char rest[16];
	_mm_storeu_si128((void *)rest, x[0]);
	return by_tables(k, by_tables(k, 0, rest, sizeof rest), p, n);
}
#endif

static uint64_t crc_of(const crc_kind *k, uint64_t before, const void *p, size_t n)
{
	uint64_t ones = k->bits == 64 ? ~UINT64_C(0) : UINT32_MAX;
	pthread_once(&started, start);
#if HAVE_CLMUL
	if (fast && n >= 64)
		return by_folding(k, before ^ ones, p, n) ^ ones;
#endif
	return by_tables(k, before ^ ones, p, n) ^ ones;
}

uint32_t crc32_of(uint32_t before, const void *p, size_t n)
{
	return (uint32_t)crc_of(&kinds[0], before, p, n);
}

uint32_t crc32c_of(uint32_t before, const void *p, size_t n)
{
	return (uint32_t)crc_of(&kinds[1], before, p, n);
}

uint64_t crc64nvme_of(uint64_t before, const void *p, size_t n)
{
	return crc_of(&kinds[2], before, p, n);
}
