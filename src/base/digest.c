/* MD5_CTX and SHA256_CTX show their state, which lanes take over and give back. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"
#include "base/err.h"
#include "base/lanes.h"
#include "base/text.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * OpenSSL looks an algorithm up by name on every "fetch", under a lock; that costs more than hashing a
 * short message. So algorithms are fetched once per process and contexts are kept per thread.
 */
#define SPARE_CONTEXTS 8

typedef struct thread_contexts {
	EVP_MD_CTX *once;                   /* for the one-shot functions */
	EVP_MAC_CTX *hmac256, *hmac1;
	char keyed[32];                     /* the key hmac256 has, when it is that long: signing keys are */
	bool has_key;
	EVP_MD_CTX *spare[SPARE_CONTEXTS];  /* for digest_open */
	size_t n_spare;
} thread_contexts;

static EVP_MD *algorithms[DIGEST_SHA512 + 1];
static EVP_MAC *hmac;
static pthread_key_t contexts_key;
static pthread_once_t started = PTHREAD_ONCE_INIT;
static __thread thread_contexts *contexts;

static void free_contexts(void *p)
{
	thread_contexts *c = p;
	EVP_MD_CTX_free(c->once);
	EVP_MAC_CTX_free(c->hmac256);
	EVP_MAC_CTX_free(c->hmac1);
	while (c->n_spare)
		EVP_MD_CTX_free(c->spare[--c->n_spare]);
	free(c);
	contexts = NULL;
}

static void start(void)
{
	static const char *const names[] = { "MD5", "SHA1", "SHA256", "SHA384", "SHA512" };
	for (size_t i = 0; i <= DIGEST_SHA512; i++) {
		algorithms[i] = EVP_MD_fetch(NULL, names[i], NULL);
		ensure(algorithms[i] != NULL);
	}
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	ensure(hmac != NULL);
	ensure(pthread_key_create(&contexts_key, free_contexts) == 0);
}

static EVP_MAC_CTX *open_hmac(const char *digest_name)
{
	EVP_MAC_CTX *c = EVP_MAC_CTX_new(hmac);
	char name[16];
	memcpy(name, digest_name, strlen(digest_name) + 1);
	OSSL_PARAM params[] = { OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0), OSSL_PARAM_END };
	params[0].data_size = strlen(name);
	ensure(c && EVP_MAC_CTX_set_params(c, params));
	return c;
}

static thread_contexts *mine(void)
{
	if (contexts)
		return contexts;
	pthread_once(&started, start);
	thread_contexts *c = calloc(1, sizeof *c);
	ensure(c != NULL);
	c->once = EVP_MD_CTX_new();
	ensure(c->once != NULL);
	c->hmac256 = open_hmac("SHA256");
	c->hmac1 = open_hmac("SHA1");
	pthread_setspecific(contexts_key, c);
	return contexts = c;
}

static void one_shot(digest_kind kind, str bytes, unsigned char *out)
{
	EVP_MD_CTX *c = mine()->once;
	ensure(EVP_DigestInit_ex2(c, algorithms[kind], NULL) &&
	       EVP_DigestUpdate(c, bytes.p, bytes.n) && EVP_DigestFinal_ex(c, out, NULL));
}

void sha256(str bytes, unsigned char out[32])
{
	one_shot(DIGEST_SHA256, bytes, out);
}

str sha256_hex(arena *a, str bytes)
{
	unsigned char raw[32];
	one_shot(DIGEST_SHA256, bytes, raw);
	return hex_encode(a, str_of((char *)raw, sizeof raw));
}

str md5_hex(arena *a, str bytes)
{
	unsigned char raw[16];
	one_shot(DIGEST_MD5, bytes, raw);
	return hex_encode(a, str_of((char *)raw, sizeof raw));
}

/* key NULL: the one before. */
static void hmac_with(EVP_MAC_CTX *c, const unsigned char *key, size_t key_n, str bytes, unsigned char *out,
                      size_t size)
{
	const unsigned char *p = (const unsigned char *)(bytes.n ? bytes.p : "");
	size_t n;
	ensure(EVP_MAC_init(c, key, key_n, NULL) && EVP_MAC_update(c, p, bytes.n) &&
	       EVP_MAC_final(c, out, &n, size) && n == size);
}

/* Taking a key in costs two of the four blocks of a short message, and most requests come with the same. */
void hmac_sha256(str key, str bytes, unsigned char out[32])
{
	thread_contexts *t = mine();
	const unsigned char *k = (const unsigned char *)(key.n ? key.p : "");
	bool fits = key.n == sizeof t->keyed;
	bool same = fits && t->has_key && memcmp(k, t->keyed, sizeof t->keyed) == 0;
	if (fits && !same)
		memcpy(t->keyed, k, sizeof t->keyed);
	t->has_key = fits;
	hmac_with(t->hmac256, same ? NULL : k, same ? 0 : key.n, bytes, out, 32);
}

void hmac_sha1(str key, str bytes, unsigned char out[20])
{
	hmac_with(mine()->hmac1, (const unsigned char *)(key.n ? key.p : ""), key.n, bytes, out, 20);
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
