#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
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
	EVP_MD_CTX *evp; /* NULL for the CRCs */
	uint64_t crc;
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

digest *digest_open(arena *a, digest_kind kind)
{
	digest *d = arena_new(a, digest);
	d->kind = kind;
	if (kind > DIGEST_SHA512)
		return d;
	thread_contexts *c = mine();
	d->evp = c->n_spare ? c->spare[--c->n_spare] : EVP_MD_CTX_new();
	ensure(d->evp && EVP_DigestInit_ex2(d->evp, algorithms[kind], NULL));
	arena_hook(a, give_back, d);
	return d;
}

void digest_restart(digest *d)
{
	d->crc = 0;
	if (d->evp)
		ensure(EVP_DigestInit_ex2(d->evp, algorithms[d->kind], NULL));
}

void digest_add(digest *d, const void *p, size_t n)
{
	switch (d->kind) {
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

size_t digest_finish_to(digest *d, unsigned char out[DIGEST_BYTES_MAX])
{
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
