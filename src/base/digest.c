/* MD5_CTX and SHA256_CTX show their state, which lanes take over and give back. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"
#include "base/err.h"
#include "base/lanes.h"
#include "base/text.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

/* OpenSSL looks an algorithm up by name on every "fetch", under a lock: once per process is enough. */
#define SPARE_CONTEXTS 8

typedef struct thread_contexts {
	EVP_MD_CTX *spare[SPARE_CONTEXTS]; /* for digest_open */
	size_t n_spare;
} thread_contexts;

static EVP_MD *algorithms[DIGEST_SHA512 + 1]; /* of those that have no state of their own below */
static pthread_key_t contexts_key;
static pthread_once_t started = PTHREAD_ONCE_INIT;
static __thread thread_contexts *contexts;

static void free_contexts(void *p)
{
	thread_contexts *c = p;
	while (c->n_spare)
		EVP_MD_CTX_free(c->spare[--c->n_spare]);
	free(c);
	contexts = NULL;
}

static void start(void)
{
	static const struct { digest_kind kind; const char *name; } known[] = {
		{ DIGEST_SHA1, "SHA1" }, { DIGEST_SHA384, "SHA384" }, { DIGEST_SHA512, "SHA512" },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		algorithms[known[i].kind] = EVP_MD_fetch(NULL, known[i].name, NULL);
		ensure(algorithms[known[i].kind] != NULL);
	}
	ensure(pthread_key_create(&contexts_key, free_contexts) == 0);
}

static thread_contexts *mine(void)
{
	if (contexts)
		return contexts;
	pthread_once(&started, start);
	thread_contexts *c = calloc(1, sizeof *c);
	ensure(c != NULL);
	pthread_setspecific(contexts_key, c);
	return contexts = c;
}

void sha256(str bytes, unsigned char out[32])
{
	SHA256_CTX c;
	ensure(SHA256_Init(&c) && SHA256_Update(&c, bytes.p, bytes.n) && SHA256_Final(out, &c));
}

str sha256_hex(arena *a, str bytes)
{
	unsigned char raw[32];
	sha256(bytes, raw);
	return hex_encode(a, str_of((char *)raw, sizeof raw));
}

str md5_hex(arena *a, str bytes)
{
	unsigned char raw[16];
	MD5_CTX c;
	ensure(MD5_Init(&c) && MD5_Update(&c, bytes.p, bytes.n) && MD5_Final(raw, &c));
	return hex_encode(a, str_of((char *)raw, sizeof raw));
}

void md5_of(const str *pieces, size_t n, unsigned char out[MD5_BYTES])
{
	MD5_CTX c;
	ensure(MD5_Init(&c));
	for (size_t i = 0; i < n; i++)
		ensure(MD5_Update(&c, pieces[i].p, pieces[i].n));
	ensure(MD5_Final(out, &c));
}

/* A key as RFC 2104 takes it in: digests that have begun with it under either pad. */
typedef struct hmac_key { SHA256_CTX inner, outer; } hmac_key;

static void key_begin(SHA256_CTX *c, const unsigned char key[SHA256_CBLOCK], unsigned char pad)
{
	unsigned char block[SHA256_CBLOCK];
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	ensure(SHA256_Init(c) && SHA256_Update(c, block, sizeof block));
}

static void key_take(hmac_key *k, str key)
{
	unsigned char block[SHA256_CBLOCK] = { 0 };
	if (key.n > sizeof block)
		sha256(key, block);
	else if (key.n)
		memcpy(block, key.p, key.n);
	key_begin(&k->inner, block, 0x36);
	key_begin(&k->outer, block, 0x5c);
}

/* Taking a key in costs two of the four blocks of a short message, and most requests are signed with the key
 * of the request before. */
void hmac_sha256(str key, str bytes, unsigned char out[32])
{
	static __thread struct { char key[32]; bool set; hmac_key taken; } last;
	hmac_key k;
	bool kept = key.n == sizeof last.key && last.set && memcmp(key.p, last.key, sizeof last.key) == 0;
	if (kept)
		k = last.taken;
	else
		key_take(&k, key);
	if (!kept && key.n == sizeof last.key) {
		memcpy(last.key, key.p, sizeof last.key);
		last.taken = k;
		last.set = true;
	}
	ensure(SHA256_Update(&k.inner, bytes.p, bytes.n) && SHA256_Final(out, &k.inner) &&
	       SHA256_Update(&k.outer, out, 32) && SHA256_Final(out, &k.outer));
}

void hmac_sha1(str key, str bytes, unsigned char out[20])
{
	unsigned n = 0;
	ensure(HMAC(EVP_sha1(), key.n ? key.p : "", (int)key.n, (const unsigned char *)(bytes.n ? bytes.p : ""),
	            bytes.n, out, &n) && n == 20);
}

struct digest {
	digest_kind kind;
	EVP_MD_CTX *evp; /* NULL for the CRCs, MD5 and SHA-256 */
	union {
		uint64_t crc;
		MD5_CTX md5;
		SHA256_CTX sha256;
	};
};

static void give_back(void *subject)
{
	digest *d = subject;
	thread_contexts *c = mine();
	if (d->evp && c->n_spare < SPARE_CONTEXTS)
		c->spare[c->n_spare++] = d->evp;
	else
		EVP_MD_CTX_free(d->evp);
	d->evp = NULL;
}

void digest_restart(digest *d)
{
	switch (d->kind) {
	case DIGEST_MD5:
		ensure(MD5_Init(&d->md5));
		break;
	case DIGEST_SHA256:
		ensure(SHA256_Init(&d->sha256));
		break;
	case DIGEST_CRC32:
	case DIGEST_CRC32C:
	case DIGEST_CRC64NVME:
		d->crc = 0;
		break;
	default:
		ensure(EVP_DigestInit_ex2(d->evp, algorithms[d->kind], NULL));
	}
}

digest *digest_open(arena *a, digest_kind kind)
{
	digest *d = arena_new(a, digest);
	d->kind = kind;
	if (kind == DIGEST_SHA1 || kind == DIGEST_SHA384 || kind == DIGEST_SHA512) {
		thread_contexts *c = mine();
		d->evp = c->n_spare ? c->spare[--c->n_spare] : EVP_MD_CTX_new();
		ensure(d->evp != NULL);
		arena_hook(a, give_back, d);
	}
	digest_restart(d);
	return d;
}

void digest_add(digest *d, const void *p, size_t n)
{
	switch (d->kind) {
	case DIGEST_MD5:
		ensure(MD5_Update(&d->md5, p, n));
		break;
	case DIGEST_SHA256:
		ensure(SHA256_Update(&d->sha256, p, n));
		break;
	case DIGEST_CRC32:
		d->crc = crc32_of((uint32_t)d->crc, p, n);
		break;
	case DIGEST_CRC32C:
		d->crc = crc32c_of((uint32_t)d->crc, p, n);
		break;
	case DIGEST_CRC64NVME:
		d->crc = crc64nvme_of(d->crc, p, n);
		break;
	default:
		ensure(EVP_DigestUpdate(d->evp, p, n));
	}
}

static void count(unsigned *low, unsigned *high, uint64_t more)
{
	uint64_t bits = ((uint64_t)*high << 32 | *low) + 8 * more;
	*low = (unsigned)bits;
	*high = (unsigned)(bits >> 32);
}

/* What completes a block that has begun is added, and the whole blocks behind it are the lane's. */
static lane lane_of(digest *d, str *piece)
{
	bool md5 = d->kind == DIGEST_MD5;
	unsigned begun = md5 ? d->md5.num : d->sha256.num;
	size_t first = begun ? 64 - begun : 0;
	first = first < piece->n ? first : piece->n;
	digest_add(d, piece->p, first);
	*piece = str_sub(*piece, first, piece->n);
	return (lane){ md5 ? &d->md5.A : d->sha256.h, (const unsigned char *)piece->p, piece->n / 64 };
}

static void add_lanes(digest *const *d, str *pieces, size_t n)
{
	lane l[LANES];
	size_t blocks[LANES];
	bool md5 = d[0]->kind == DIGEST_MD5;
	for (size_t i = 0; i < n; i++) {
		l[i] = lane_of(d[i], &pieces[i]);
		blocks[i] = l[i].blocks;
	}
	if (md5)
		lanes_md5(l, n);
	else
		lanes_sha256(l, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t done = 64 * (blocks[i] - l[i].blocks);
		if (md5)
			count(&d[i]->md5.Nl, &d[i]->md5.Nh, done);
		else
			count(&d[i]->sha256.Nl, &d[i]->sha256.Nh, done);
		pieces[i] = str_sub(pieces[i], done, pieces[i].n);
	}
}

void digest_add_beside(digest *const *d, const str *pieces, size_t n)
{
	_Static_assert(DIGEST_BESIDE == LANES, "lanes");
	for (size_t at = 0; at < n; at += LANES) {
		str rest[LANES];
		size_t now = n - at < LANES ? n - at : LANES;
		memcpy(rest, pieces + at, now * sizeof *rest);
		bool can = d[at]->kind == DIGEST_MD5 || d[at]->kind == DIGEST_SHA256;
		if (can && now > 1 && lanes_here())
			add_lanes(d + at, rest, now);
		for (size_t i = 0; i < now; i++)
			if (rest[i].n)
				digest_add(d[at + i], rest[i].p, rest[i].n);
	}
}

size_t digest_finish_to(digest *d, unsigned char out[DIGEST_BYTES_MAX])
{
	if (d->kind == DIGEST_MD5)
		return ensure(MD5_Final(out, &d->md5)), 16;
	if (d->kind == DIGEST_SHA256)
		return ensure(SHA256_Final(out, &d->sha256)), 32;
	if (d->kind <= DIGEST_SHA512) {
		unsigned n = 0;
		ensure(EVP_DigestFinal_ex(d->evp, out, &n));
		return n;
	}
	size_t n = d->kind == DIGEST_CRC64NVME ? 8 : 4;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(d->crc >> 8 * (n - 1 - i));
	return n;
}

str digest_finish(arena *a, digest *d)
{
	unsigned char *out = (unsigned char *)arena_bytes(a, DIGEST_BYTES_MAX);
	size_t n = digest_finish_to(d, out);
	return str_of((char *)out, n);
}

bool secret_eq(str a, str b)
{
	if (a.n != b.n)
		return false;
	volatile unsigned char differ = 0;
	for (size_t i = 0; i < a.n; i++)
		differ = (unsigned char)(differ | (a.p[i] ^ b.p[i]));
	return differ == 0;
}
