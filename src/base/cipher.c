#include "base/cipher.h"
#include "base/err.h"
#include <limits.h>
#include <openssl/evp.h>

static EVP_CIPHER_CTX *start(const unsigned char *key, const unsigned char *nonce, bool seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	ensure(c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, seal) == 1);
	return c;
}

static bool update(EVP_CIPHER_CTX *c, char *out, str in)
{
	int n;
	return in.n == 0 ||
	       EVP_CipherUpdate(c, (unsigned char *)out, &n, (const unsigned char *)in.p, (int)in.n) == 1;
}

str cipher_seal(arena *a, const unsigned char key[CIPHER_KEY_BYTES],
                const unsigned char nonce[CIPHER_NONCE_BYTES], str bound, str plain)
{
	char *out = arena_bytes(a, CIPHER_NONCE_BYTES + plain.n + CIPHER_TAG_BYTES);
	char *body = out + CIPHER_NONCE_BYTES, *tag = body + plain.n;
	int n;
	EVP_CIPHER_CTX *c = start(key, nonce, true);
	memcpy(out, nonce, CIPHER_NONCE_BYTES);
	ensure(update(c, NULL, bound) && update(c, body, plain));
	ensure(EVP_CipherFinal_ex(c, (unsigned char *)tag, &n) == 1);
	ensure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, CIPHER_TAG_BYTES, tag) == 1);
	EVP_CIPHER_CTX_free(c);
	return str_of(out, CIPHER_NONCE_BYTES + plain.n + CIPHER_TAG_BYTES);
}

bool cipher_open(arena *a, const unsigned char key[CIPHER_KEY_BYTES], str bound, str sealed, str *plain)
{
	if (sealed.n < CIPHER_NONCE_BYTES + CIPHER_TAG_BYTES)
		return false;
	str body = str_sub(sealed, CIPHER_NONCE_BYTES, sealed.n - CIPHER_TAG_BYTES);
	char *out = arena_bytes(a, body.n + 1), tag[CIPHER_TAG_BYTES];
	int n;
	memcpy(tag, body.p + body.n, sizeof tag);
	EVP_CIPHER_CTX *c = start(key, (const unsigned char *)sealed.p, false);
	bool good = update(c, NULL, bound) && update(c, out, body) &&
		    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, CIPHER_TAG_BYTES, tag) == 1 &&
		    EVP_CipherFinal_ex(c, (unsigned char *)out + body.n, &n) == 1;
	EVP_CIPHER_CTX_free(c);
	if (good)
		*plain = str_of(out, body.n);
	return good;
}

bool cipher_unwrap(arena *a, const unsigned char key[CIPHER_KEY_BYTES], str wrapped, str *plain)
{
	int n = 0, more = 0;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	unsigned char *out = (unsigned char *)arena_bytes(a, wrapped.n + 16);
	ensure(c);
	EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	bool ok = wrapped.n >= 16 && wrapped.n <= INT_MAX && wrapped.n % 8 == 0 &&
		  EVP_DecryptInit_ex(c, EVP_aes_256_wrap_pad(), NULL, key, NULL) == 1 &&
		  EVP_DecryptUpdate(c, out, &n, (const unsigned char *)wrapped.p, (int)wrapped.n) == 1 &&
		  EVP_DecryptFinal_ex(c, out + n, &more) == 1;
	EVP_CIPHER_CTX_free(c);
	*plain = str_of((const char *)out, (size_t)(n + more));
	return ok;
}
