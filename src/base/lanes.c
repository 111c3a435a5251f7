#include "base/lanes.h"
#include <string.h>

#if defined(__x86_64__)

/* A word of each lane. The compiler makes of it what the function's target has. */
typedef uint32_t words __attribute__((vector_size(32)));
typedef unsigned char bytes __attribute__((vector_size(32)));
#define WITHIN inline __attribute__((always_inline))
#define LEFT(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define RIGHT(x, n) LEFT(x, 32 - (n))

static const uint32_t md5_k[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};
static const int md5_turn[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 },
};
static const uint32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* Rows become columns: after this r[j] has the word j of each lane. */
static WITHIN void transpose(words *r)
{
	words t[8], v[8];
#pragma GCC unroll 8
	for (int i = 0; i < 8; i += 2) {
		t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
		t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		if (i & 2)
			continue;
		v[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
		v[i + 2] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
	}
#pragma GCC unroll 8
	for (int i = 0; i < 4; i++) {
		r[i] = __builtin_shufflevector(v[i], v[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
		r[i + 4] = __builtin_shufflevector(v[i], v[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
	}
}

static WITHIN void load(const lane *l, size_t block, words w[16])
{
#pragma GCC unroll 2
	for (int half = 0; half < 2; half++) {
#pragma GCC unroll 8
		for (int i = 0; i < LANES; i++)
			memcpy(&w[8 * half + i], l[i].p + 64 * block + 32 * (size_t)half, sizeof(words));
		transpose(w + 8 * half);
	}
}

static WITHIN void load_states(const lane *l, words *s, int n)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < LANES; k++)
			s[i][k] = l[k].state[i];
}

static WITHIN void store_states(const lane *l, const words *s, int n)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < LANES; k++)
			l[k].state[i] = s[i][k];
}

static WITHIN void md5_blocks(const lane *l, size_t blocks)
{
	words s[4], w[16];
	load_states(l, s, 4);
	for (size_t k = 0; k < blocks; k++) {
		words a = s[0], b = s[1], c = s[2], d = s[3];
		load(l, k, w);
#pragma GCC unroll 64
		for (int i = 0; i < 64; i++) {
			words f = i < 16 ? d ^ (b & (c ^ d)) : i < 32 ? c ^ (d & (b ^ c)) :
				  i < 48 ? b ^ c ^ d : c ^ (b | ~d);
			int g = (i < 16 ? i : i < 32 ? 5 * i + 1 : i < 48 ? 3 * i + 5 : 7 * i) & 15;
			words t = a + (w[g] + md5_k[i]) + f;
			a = d;
			d = c;
			c = b;
			b += LEFT(t, md5_turn[i / 16][i % 4]);
		}
		s[0] += a;
		s[1] += b;
		s[2] += c;
		s[3] += d;
	}
	store_states(l, s, 4);
}

static WITHIN void swap_bytes(words *x)
{
	const bytes b = (bytes)*x;
	*x = (words)__builtin_shufflevector(b, b, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
	                                    19, 18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28);
}

static WITHIN void sha256_blocks(const lane *l, size_t blocks)
{
	words s[8], w[16], v[8];
	load_states(l, s, 8);
	for (size_t k = 0; k < blocks; k++) {
		load(l, k, w);
		for (int i = 0; i < 16; i++)
			swap_bytes(&w[i]);
		memcpy(v, s, sizeof v);
#pragma GCC unroll 64
		for (int i = 0; i < 64; i++) {
			words x = w[(i + 1) & 15], y = w[(i + 14) & 15];
			if (i >= 16)
				w[i & 15] += (RIGHT(x, 7) ^ RIGHT(x, 18) ^ x >> 3) + w[(i + 9) & 15] +
					     (RIGHT(y, 17) ^ RIGHT(y, 19) ^ y >> 10);
			words a = v[0], e = v[4];
			words t = v[7] + (RIGHT(e, 6) ^ RIGHT(e, 11) ^ RIGHT(e, 25)) +
				  (v[6] ^ (e & (v[5] ^ v[6]))) + (w[i & 15] + sha_k[i]);
			words u = (RIGHT(a, 2) ^ RIGHT(a, 13) ^ RIGHT(a, 22)) +
				  ((a & v[1]) | (v[2] & (a | v[1])));
			v[7] = v[6];
			v[6] = v[5];
			v[5] = e;
			v[4] = v[3] + t;
			v[3] = v[2];
			v[2] = v[1];
			v[1] = a;
			v[0] = t + u;
		}
		for (int i = 0; i < 8; i++)
			s[i] += v[i];
	}
	store_states(l, s, 8);
}

#define FOR(target_, name) \
	__attribute__((target(target_))) static void md5_##name(const lane *l, size_t blocks) \
	{ \
		md5_blocks(l, blocks); \
	} \
	__attribute__((target(target_))) static void sha256_##name(const lane *l, size_t blocks) \
	{ \
		sha256_blocks(l, blocks); \
	}
/* 512: rotations and functions of three arguments in one instruction each, on the same eight lanes. */
FOR("avx512vl", 512)
FOR("avx2", 256)

static bool has_512(void)
{
	return __builtin_cpu_supports("avx512vl");
}

bool lanes_here(void)
{
	return __builtin_cpu_supports("avx2");
}

/* Lanes without work do that of the first, into a state that nobody reads. */
static void run(lane *l, size_t n, void (*blocks)(const lane *l, size_t blocks))
{
	uint32_t nobody[8] = { 0 };
	for (;;) {
		lane now[LANES], *own[LANES];
		size_t active = 0, least = 0;
		for (size_t i = 0; i < n; i++) {
			if (!l[i].blocks)
				continue;
			least = !active || l[i].blocks < least ? l[i].blocks : least;
			own[active] = &l[i];
			now[active++] = l[i];
		}
		if (active < 2)
			return;
		for (size_t i = active; i < LANES; i++)
			now[i] = (lane){ nobody, now[0].p, 0 };
		blocks(now, least);
		for (size_t i = 0; i < active; i++) {
			own[i]->p += 64 * least;
			own[i]->blocks -= least;
		}
	}
}

void lanes_md5(lane *l, size_t n)
{
	run(l, n, has_512() ? md5_512 : md5_256);
}

void lanes_sha256(lane *l, size_t n)
{
	run(l, n, has_512() ? sha256_512 : sha256_256);
}

#else

bool lanes_here(void)
{
	return false;
}

void lanes_md5(lane *l, size_t n)
{
	(void)l;
	(void)n;
}

void lanes_sha256(lane *l, size_t n)
{
	(void)l;
	(void)n;
}

#endif
