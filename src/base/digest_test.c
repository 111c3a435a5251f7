#include "base/digest.h"
#include "base/text.h"
#include "test/test.h"
#include <pthread.h>

static str hex_of(arena *mem, digest_kind kind, str bytes)
{
	digest *d = digest_open(mem, kind);
	digest_add(d, bytes.p, bytes.n);
	return hex_encode(mem, digest_finish(mem, d));
}

TEST(digest_known_answers)
{
	static const struct { digest_kind kind; str text, hex; } known[] = {
		{ DIGEST_MD5, S(""), S("d41d8cd98f00b204e9800998ecf8427e") },
		{ DIGEST_MD5, S("abc"), S("900150983cd24fb0d6963f7d28e17f72") },
		{ DIGEST_SHA1, S("abc"), S("a9993e364706816aba3e25717850c26c9cd0d89d") },
		{ DIGEST_SHA256, S("abc"),
		  S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") },
		{ DIGEST_SHA384, S("abc"),
		  S("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
		    "8086072ba1e7cc2358baeca134c825a7") },
		{ DIGEST_SHA512, S("abc"),
		  S("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f") },
		{ DIGEST_CRC32, S("123456789"), S("cbf43926") },
		{ DIGEST_CRC32C, S("123456789"), S("e3069283") },
		{ DIGEST_CRC64NVME, S("123456789"), S("ae8b14860a799888") },
		{ DIGEST_CRC32, S(""), S("00000000") },
		{ DIGEST_CRC64NVME, S(""), S("0000000000000000") },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		CHECK_STR(hex_of(mem, known[i].kind, known[i].text), known[i].hex);
	CHECK_STR(sha256_hex(mem, S("abc")), known[3].hex);
	CHECK_STR(md5_hex(mem, S("abc")), known[1].hex);
	const str pieces[] = { S("a"), S(""), S("bc") };
	unsigned char raw[MD5_BYTES];
	md5_of(pieces, 3, raw);
	CHECK_STR(hex_encode(mem, str_of((char *)raw, sizeof raw)), known[1].hex);
	md5_of(pieces, 0, raw);
	CHECK_STR(hex_encode(mem, str_of((char *)raw, sizeof raw)), known[0].hex);
}

/* RFC 4231 cases 1, 2, 6 and RFC 2202's second. */
TEST(hmac_known_answers)
{
	unsigned char out[32];
	char key[131];
	memset(key, 0x0b, 20);
	hmac_sha256(str_of(key, 20), S("Hi There"), out);
	CHECK_STR(hex_encode(mem, str_of((char *)out, 32)),
	          S("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
	hmac_sha256(S("Jefe"), S("what do ya want for nothing?"), out);
	CHECK_STR(hex_encode(mem, str_of((char *)out, 32)),
	          S("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	memset(key, 0xaa, sizeof key);
	hmac_sha256(str_of(key, sizeof key), S("Test Using Larger Than Block-Size Key - Hash Key First"), out);
	CHECK_STR(hex_encode(mem, str_of((char *)out, 32)),
	          S("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
	/* An empty key after another one is empty, not the other one. */
	hmac_sha256(S(""), S(""), out);
	CHECK_STR(hex_encode(mem, str_of((char *)out, 32)),
	          S("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
	hmac_sha1(S("Jefe"), S("what do ya want for nothing?"), out);
	CHECK_STR(hex_encode(mem, str_of((char *)out, 20)),
	          S("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
}

/* Keys that stay, change and come back, of the length for which the context remembers them and others. */
TEST(hmac_same_key_again)
{
	static const str keys[] = { S("0123456789abcdef0123456789abcdef"), S("0123456789abcdef0123456789abcdeF"),
		                    S("short"), S("") };
	unsigned char first[4][32], again[32];
	for (int i = 0; i < 4; i++)
		hmac_sha256(keys[i], S("message"), first[i]);
	for (int i = 0; i < 64; i++) {
		int k = i / 3 * 7 % 4;
		hmac_sha256(keys[k], S("message"), again);
		CHECK(memcmp(first[k], again, 32) == 0);
	}
	CHECK_STR(hex_encode(mem, str_of((char *)first[0], 32)),
	          S("ceb822ce5aae1ff09b7cf2085037ab77b4dc84502b3c4aa6266a665f7753b09a"));
}

/* One bit at a time, from the definition: what the tables and the folding must agree with. */
static uint64_t slow_crc(uint64_t polynomial, uint64_t ones, const unsigned char *p, size_t n)
{
	uint64_t crc = ones;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
	}
	return crc ^ ones;
}

TEST(crc_every_length_and_split)
{
	unsigned char text[400];
	uint32_t state = 7;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
	for (size_t n = 0; n < 330; n++) {
		const unsigned char *p = text + n % 17; /* any alignment */
		CHECK(crc32_of(0, p, n) == slow_crc(0xedb88320, UINT32_MAX, p, n));
		CHECK(crc32c_of(0, p, n) == slow_crc(0x82f63b78, UINT32_MAX, p, n));
		uint64_t whole = slow_crc(0x9a6c9329ac4bc9b5, UINT64_MAX, p, n);
		CHECK(crc64nvme_of(0, p, n) == whole);
		for (size_t cut = 0; cut <= n; cut += 13)
			CHECK(crc64nvme_of(crc64nvme_of(0, p, cut), p + cut, n - cut) == whole);
	}
}

TEST(digest_in_pieces_and_interleaved)
{
	digest *one = digest_open(mem, DIGEST_SHA256), *two = digest_open(mem, DIGEST_CRC32C);
	for (int i = 0; i < 1000; i++) {
		digest_add(one, "0123456789", 10);
		digest_add(two, "0123456789", 10);
		unsigned char in_between[32];
		sha256(S("noise"), in_between);
	}
	buf whole = buf_in(mem, 10000, 10000);
	for (int i = 0; i < 1000; i++)
		buf_put(&whole, S("0123456789"));
	CHECK_STR(hex_encode(mem, digest_finish(mem, one)), sha256_hex(mem, buf_str(&whole)));
	CHECK_STR(hex_encode(mem, digest_finish(mem, two)), hex_of(mem, DIGEST_CRC32C, buf_str(&whole)));
}

static void *other_thread(void *argument)
{
	arena *a = arena_open(1024);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 12; i++) {
			digest *d = digest_open(a, DIGEST_SHA1);
			digest_add(d, "abc", 3);
			if (!str_eq(hex_encode(a, digest_finish(a, d)),
			            S("a9993e364706816aba3e25717850c26c9cd0d89d")))
				*(bool *)argument = false;
		}
		arena_reset(a);
	}
	arena_close(a);
	return NULL;
}

/* Messages of all lengths in pieces of all lengths, so that lanes end at different times and begin in the
 * middle of a block. */
TEST(digest_beside_each_other)
{
	enum { MESSAGES = 19, LONGEST = 9000 };
	static const digest_kind kinds[] = { DIGEST_MD5, DIGEST_SHA256, DIGEST_SHA1, DIGEST_CRC64NVME };
	unsigned seed = 7;
	char *text = arena_bytes(mem, LONGEST + MESSAGES);
	for (size_t i = 0; i < LONGEST + MESSAGES; i++)
		text[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
	for (size_t round = 0; round < 60; round++) {
		digest_kind kind = kinds[round % 4];
		digest *d[MESSAGES];
		size_t n = round % MESSAGES + 1, left = n;
		str whole[MESSAGES], rest[MESSAGES];
		for (size_t i = 0; i < n; i++) {
			d[i] = digest_open(mem, kind);
			seed = seed * 1103515245 + 12345;
			whole[i] = rest[i] = str_of(text + i, (seed >> 16) % (round % 5 ? LONGEST : 70));
		}
		while (left) {
			str now[MESSAGES];
			left = 0;
			for (size_t i = 0; i < n; i++) {
				seed = seed * 1103515245 + 12345;
				now[i] = str_sub(rest[i], 0, (seed >> 16) % 4000);
				rest[i] = str_sub(rest[i], now[i].n, rest[i].n);
				left += rest[i].n;
			}
			digest_add_beside(d, now, n);
		}
		for (size_t i = 0; i < n; i++)
			CHECK_STR(hex_encode(mem, digest_finish(mem, d[i])), hex_of(mem, kind, whole[i]));
	}
}

TEST(digest_threads)
{
	pthread_t t[3];
	bool good[3] = { true, true, true };
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, other_thread, &good[i]) == 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	CHECK(good[0] && good[1] && good[2]);
}

TEST(secrets_compare)
{
	CHECK(secret_eq(S("abc"), S("abc")) && secret_eq(S(""), S("")));
	CHECK(!secret_eq(S("abc"), S("abd")) && !secret_eq(S("abc"), S("ab")) && !secret_eq(S(""), S("a")));
}
