/*
 * Signatures on messages, as AWS makes them: RSA over the members in alphabetical order. The key is made with
 * the first topic and stays with the data; its certificate, signed by itself, is served at the address that
 * messages give.
 */
#include "base/text.h"
#include "cloud/plane.h"
#include "cloud/server.h"
#include "sys/rand.h"
#include "topic.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>

#define KEY_BITS 2048
#define YEARS 30L
#define PATH_START "/SimpleNotificationService-"

/* The key that was used last; its id tells whose. */
static struct {
	pthread_mutex_t lock;
	EVP_PKEY *key;
	char id[40];
} cached = { .lock = PTHREAD_MUTEX_INITIALIZER };

static str bio_text(arena *mem, BIO *b)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);
	return arena_str(mem, str_of(p, (size_t)n));
}

static str key_pem(arena *mem, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	ensure(b && PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1);
	str text = bio_text(mem, b);
	BIO_free(b);
	return text;
}

static str certificate_pem(arena *mem, EVP_PKEY *key)
{
	X509 *c = X509_new();
	ensure(c && X509_set_version(c, 2) && ASN1_INTEGER_set_uint64(X509_get_serialNumber(c),
			rand_u64() >> 1) &&
	       X509_gmtime_adj(X509_getm_notBefore(c), -86400) &&
	       X509_time_adj_ex(X509_getm_notAfter(c), (int)(YEARS * 365), 0, NULL) && X509_set_pubkey(c, key));
	X509_NAME *name = X509_get_subject_name(c);
	ensure(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"sns.localhost", -1,
	                                  -1, 0) &&
	       X509_set_issuer_name(c, name) && X509_sign(c, key, EVP_sha256()));
	BIO *b = BIO_new(BIO_s_mem());
	ensure(b && PEM_write_bio_X509(b, c) == 1);
	str text = bio_text(mem, b);
	BIO_free(b);
	X509_free(c);
	return text;
}

void signer_ready(txn *tx)
{
	arena *mem = txn_arena(tx);
	if (sns_signer_get(tx, mem, S("signer")))
		return;
	EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
	ensure(key != NULL);
	sns_signer s = { .Name = S("signer"), .Key = key_pem(mem, key), .Certificate = certificate_pem(mem, key),
		             .Id = rand_text(mem, 32, S("0123456789abcdef")) };
	sns_signer_put(tx, &s);
	EVP_PKEY_free(key);
}

static EVP_PKEY *key_of(const sns_signer *s)
{
	if (cached.key && str_eq(str_c(cached.id), s->Id))
		return cached.key;
	BIO *b = BIO_new_mem_buf(s->Key.p, (int)s->Key.n);
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	ensure(key != NULL && s->Id.n < sizeof cached.id);
	EVP_PKEY_free(cached.key);
	cached.key = key;
	memcpy(cached.id, s->Id.p, s->Id.n);
	cached.id[s->Id.n] = 0;
	return key;
}

str signature_of(arena *mem, const txn *tx, str text, str version)
{
	unsigned char out[KEY_BITS / 8];
	size_t n = sizeof out;
	const sns_signer *s = sns_signer_get(tx, mem, S("signer"));
	if (!s)
		return STR_NONE;
	pthread_mutex_lock(&cached.lock);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const EVP_MD *digest = str_eq(version, S("2")) ? EVP_sha256() : EVP_sha1();
	bool good = c && EVP_DigestSignInit(c, NULL, digest, NULL, key_of(s)) == 1 &&
	            EVP_DigestSign(c, out, &n, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(c);
	pthread_mutex_unlock(&cached.lock);
	return good ? base64_encode(mem, str_of((const char *)out, n)) : STR_NONE;
}

str signing_certificate_url(arena *mem, const txn *tx)
{
	const sns_signer *s = sns_signer_get(tx, mem, S("signer"));
	return arena_fmt(mem, "%.*s" PATH_START "%.*s.pem", STR_ARG(server_endpoint()), STR_ARG(s
			? s->Id : S("none")));
}

static bool match(const http_exchange *x)
{
	return str_starts(x->in.path, S(PATH_START)) && str_ends(x->in.path, S(".pem"));
}

static void serve(http_exchange *x, store *st)
{
	const txn *tx = store_read(st);
	const sns_signer *s = sns_signer_get(tx, x->mem, S("signer"));
	store_read_end(st, tx);
	wire_message out = { .mem = x->mem, .status = 404, .body = S("") };
	str want = s ? arena_fmt(x->mem, PATH_START "%.*s.pem", STR_ARG(s->Id)) : STR_NONE;
	if (s && str_eq(x->in.path, want)) {
		out.status = 200;
		out.body = s->Certificate;
		wire_header_add(&out, S("Content-Type"), S("application/x-pem-file"));
	}
	http_reply(x, &out, NULL);
}
PLANE(sns_certificate, match, serve);
