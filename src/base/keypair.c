#include "base/keypair.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>

static const unsigned char *bytes_of(str s)
{
	return (const unsigned char *)s.p;
}

static str taken(arena *a, unsigned char *der, int n)
{
	str s = n > 0 ? arena_str(a, str_of((const char *)der, (size_t)n)) : STR_NONE;
	OPENSSL_free(der);
	return s;
}

static EVP_PKEY *read_private(str der)
{
	const unsigned char *p = bytes_of(der);
	return d2i_AutoPrivateKey(NULL, &p, (long)der.n);
}

static EVP_PKEY *read_public(str der)
{
	const unsigned char *p = bytes_of(der);
	return d2i_PUBKEY(NULL, &p, (long)der.n);
}

static str public_of(arena *a, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	return taken(a, der, n);
}

static str private_of(arena *a, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
	PKCS8_PRIV_KEY_INFO_free(info);
	return taken(a, der, n);
}

typedef struct key_kind {
	str kind;
	const char *curve; /* NULL: RSA */
	size_t bits;
	int group;
} key_kind;

static const key_kind *kind_of(str kind)
{
	static const key_kind kinds[] = {
		{ S("RSA_2048"), NULL, 2048, 0 }, { S("RSA_3072"), NULL, 3072, 0 }, { S("RSA_4096"), NULL, 4096, 0 },
		{ S("ECC_NIST_P256"), "P-256", 0, NID_X9_62_prime256v1 },
		{ S("ECC_NIST_P384"), "P-384", 0, NID_secp384r1 }, { S("ECC_NIST_P521"), "P-521", 0, NID_secp521r1 },
		{ S("ECC_SECG_P256K1"), "secp256k1", 0, NID_secp256k1 },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (str_eq(kinds[i].kind, kind))
			return &kinds[i];
	return NULL;
}

static EVP_PKEY *make(str kind)
{
	const key_kind *k = kind_of(kind);
	if (!k)
		return NULL;
	return k->curve ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->curve) :
			  EVP_PKEY_Q_keygen(NULL, NULL, "RSA", k->bits);
}

bool keypair_make(arena *a, str kind, str *private_der, str *public_der)
{
	EVP_PKEY *key = make(kind);
	if (!key)
		return false;
	*private_der = private_of(a, key);
	*public_der = public_of(a, key);
	EVP_PKEY_free(key);
	return str_is(*private_der) && str_is(*public_der);
}

static bool is_of(EVP_PKEY *key, const key_kind *k)
{
	char group[64];
	size_t n = 0;
	if (!k->curve)
		return EVP_PKEY_is_a(key, "RSA") && (size_t)EVP_PKEY_get_bits(key) == k->bits;
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &n) == 1 &&
	       OBJ_txt2nid(group) == k->group;
}

bool keypair_take(arena *a, str given_der, str kind, str *private_der, str *public_der)
{
	const key_kind *k = kind_of(kind);
	EVP_PKEY *key = k ? read_private(given_der) : NULL;
	EVP_PKEY_CTX *c = key && is_of(key, k) ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = c && EVP_PKEY_pairwise_check(c) == 1;
	if (ok) {
		*private_der = private_of(a, key);
		*public_der = public_of(a, key);
	}
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(key);
	return ok && str_is(*private_der) && str_is(*public_der);
}

bool keypair_public(arena *a, str private_der, str *public_der)
{
	EVP_PKEY *key = read_private(private_der);
	*public_der = key ? public_of(a, key) : STR_NONE;
	EVP_PKEY_free(key);
	return str_is(*public_der);
}

static const EVP_MD *digest_of(str how)
{
	return str_ends(how, S("_256")) ? EVP_sha256() : str_ends(how, S("_384")) ? EVP_sha384() :
	       str_ends(how, S("_512")) ? EVP_sha512() : NULL;
}

static bool fits(EVP_PKEY *key, str how)
{
	return EVP_PKEY_is_a(key, str_starts(how, S("RSASSA_")) ? "RSA" : "EC");
}

/* Padding and digest of a context that is about to sign or to verify. */
static bool set_up(EVP_PKEY_CTX *c, str how)
{
	if (EVP_PKEY_CTX_set_signature_md(c, digest_of(how)) != 1)
		return false;
	if (str_starts(how, S("RSASSA_PSS_")))
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1;
	return str_starts(how, S("ECDSA_")) || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
}

static bool hash(str how, bool digested, str message, unsigned char out[EVP_MAX_MD_SIZE], size_t *n)
{
	const EVP_MD *md = digest_of(how);
	unsigned length = 0;
	if (!md)
		return false;
	if (digested) {
		*n = (size_t)EVP_MD_get_size(md);
		if (message.n != *n)
			return false;
		memcpy(out, message.p, *n);
		return true;
	}
	bool ok = EVP_Digest(message.p, message.n, out, &length, md, NULL) == 1;
	*n = length;
	return ok;
}

bool keypair_sign(arena *a, str private_der, str how, bool digested, str message, str *signature)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	size_t n = 0, length = 0;
	EVP_PKEY *key = read_private(private_der);
	EVP_PKEY_CTX *c = key && fits(key, how) ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = c && hash(how, digested, message, sum, &n) && EVP_PKEY_sign_init(c) == 1 && set_up(c, how) &&
		  EVP_PKEY_sign(c, NULL, &length, sum, n) == 1;
	unsigned char *out = ok ? (unsigned char *)arena_bytes(a, length) : NULL;
	ok = ok && EVP_PKEY_sign(c, out, &length, sum, n) == 1;
	*signature = str_of((const char *)out, length);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(key);
	return ok;
}

bool keypair_verify(str public_der, str how, bool digested, str message, str signature)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	size_t n = 0;
	EVP_PKEY *key = read_public(public_der);
	EVP_PKEY_CTX *c = key && fits(key, how) ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = c && hash(how, digested, message, sum, &n) && EVP_PKEY_verify_init(c) == 1 && set_up(c, how) &&
		  EVP_PKEY_verify(c, bytes_of(signature), signature.n, sum, n) == 1;
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(key);
	return ok;
}

static bool oaep(EVP_PKEY_CTX *c, bool sha1)
{
	const EVP_MD *md = sha1 ? EVP_sha1() : EVP_sha256();
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(c, md) == 1 && EVP_PKEY_CTX_set_rsa_mgf1_md(c, md) == 1;
}

static bool crypt(arena *a, EVP_PKEY *key, bool seal, bool sha1, str in, str *out)
{
	size_t n = 0;
	int (*run)(EVP_PKEY_CTX *, unsigned char *, size_t *, const unsigned char *, size_t) =
		seal ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
	EVP_PKEY_CTX *c = key && EVP_PKEY_is_a(key, "RSA") ? EVP_PKEY_CTX_new(key, NULL) : NULL;
	bool ok = c && (seal ? EVP_PKEY_encrypt_init(c) : EVP_PKEY_decrypt_init(c)) == 1 && oaep(c, sha1) &&
		  run(c, NULL, &n, bytes_of(in), in.n) == 1;
	unsigned char *p = ok ? (unsigned char *)arena_bytes(a, n + 1) : NULL;
	ok = ok && run(c, p, &n, bytes_of(in), in.n) == 1;
	*out = str_of((const char *)p, n);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(key);
	return ok;
}

bool keypair_encrypt(arena *a, str public_der, bool sha1, str plain, str *sealed)
{
	return crypt(a, read_public(public_der), true, sha1, plain, sealed);
}

bool keypair_decrypt(arena *a, str private_der, bool sha1, str sealed, str *plain)
{
	return crypt(a, read_private(private_der), false, sha1, sealed, plain);
}

bool keypair_derive(arena *a, str private_der, str public_der, str *secret)
{
	size_t n = 0;
	EVP_PKEY *own = read_private(private_der), *peer = read_public(public_der);
	EVP_PKEY_CTX *c = own && peer && EVP_PKEY_is_a(own, "EC") ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	bool ok = c && EVP_PKEY_derive_init(c) == 1 && EVP_PKEY_derive_set_peer(c, peer) == 1 &&
		  EVP_PKEY_derive(c, NULL, &n) == 1;
	unsigned char *p = ok ? (unsigned char *)arena_bytes(a, n) : NULL;
	ok = ok && EVP_PKEY_derive(c, p, &n) == 1;
	*secret = str_of((const char *)p, n);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
	return ok;
}

static bool from_params(arena *a, const char *type, OSSL_PARAM_BLD *b, str *public_der)
{
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	bool ok = params && c && EVP_PKEY_fromdata_init(c) == 1 &&
		  EVP_PKEY_fromdata(c, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
	*public_der = ok ? public_of(a, key) : STR_NONE;
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	return str_is(*public_der);
}

bool keypair_from_rsa(arena *a, str modulus, str exponent, str *public_der)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(bytes_of(modulus), (int)modulus.n, NULL);
	BIGNUM *e = BN_bin2bn(bytes_of(exponent), (int)exponent.n, NULL);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e);
	bool ok = from_params(a, "RSA", b, public_der);
	BN_free(n);
	BN_free(e);
	return ok;
}

bool keypair_from_point(arena *a, int bits, str x, str y, str *public_der)
{
	size_t n = (size_t)(bits + 7) / 8;
	unsigned char point[1 + 2 * 66] = { 4 };
	if (n > 66 || x.n > n || y.n > n)
		return false;
	memcpy(point + 1 + n - x.n, x.p, x.n);
	memcpy(point + 1 + 2 * n - y.n, y.p, y.n);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	const char *curve = bits == 256 ? "P-256" : bits == 384 ? "P-384" : "P-521";
	OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
	OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n);
	return from_params(a, "EC", b, public_der);
}

bool keypair_signature_from_pair(arena *a, str pair, str *signature)
{
	unsigned char *der = NULL;
	size_t half = pair.n / 2;
	if (pair.n % 2 || half == 0 || half > 66)
		return false;
	ECDSA_SIG *s = ECDSA_SIG_new();
	ECDSA_SIG_set0(s, BN_bin2bn(bytes_of(pair), (int)half, NULL),
	               BN_bin2bn(bytes_of(pair) + half, (int)half, NULL));
	int n = i2d_ECDSA_SIG(s, &der);
	ECDSA_SIG_free(s);
	*signature = taken(a, der, n);
	return str_is(*signature);
}

bool keyed_mac(arena *a, str how, str key, str message, str *mac)
{
	unsigned n = 0;
	const EVP_MD *md = str_ends(how, S("_224")) ? EVP_sha224() : digest_of(how);
	unsigned char *out = (unsigned char *)arena_bytes(a, EVP_MAX_MD_SIZE);
	bool ok = md && str_starts(how, S("HMAC_SHA_")) &&
		  HMAC(md, key.p, (int)key.n, bytes_of(message), message.n, out, &n);
	*mac = str_of((const char *)out, n);
	return ok;
}

/* The library would ask for a passphrase on the terminal. */
static int no_passphrase(char *into, int size, int writing, void *context)
{
	(void)into, (void)size, (void)writing, (void)context;
	return -1;
}

static X509 *read_certificate(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = PEM_read_bio_X509(b, NULL, no_passphrase, NULL);
	BIO_free(b);
	return x;
}

bool certificate_end(str pem, int64_t *end)
{
	struct tm t = { 0 };
	X509 *x = read_certificate(pem);
	bool ok = x && ASN1_TIME_to_tm(X509_get0_notAfter(x), &t) == 1;
	if (ok)
		*end = (int64_t)timegm(&t) * 1000;
	X509_free(x);
	return ok;
}

bool certificate_fits(str pem, str private_pem)
{
	X509 *x = read_certificate(pem);
	BIO *b = BIO_new_mem_buf(private_pem.p, (int)private_pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);
	bool ok = x && key && X509_check_private_key(x, key) == 1;
	EVP_PKEY_free(key);
	BIO_free(b);
	X509_free(x);
	return ok;
}
