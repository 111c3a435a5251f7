#include "seal.h"
#include "base/err.h"
#include <openssl/evp.h>

#define BLOCK 16

/* The counter is the nonce plus the number of the block, as one number of 128 bits. */
static void counter_at(const unsigned char nonce[SEAL_NONCE], uint64_t block, unsigned char out[SEAL_NONCE])
{
	unsigned carry = 0;
	for (int i = SEAL_NONCE - 1; i >= 0; i--) {
		unsigned sum = nonce[i] + (unsigned)(block & 255) + carry;
		out[i] = (unsigned char)sum;
		carry = sum >> 8;
		block >>= 8;
	}
}

void seal_apply(const seal_key *key, const unsigned char nonce[SEAL_NONCE], int64_t at, const char *in,
                char *out, size_t n)
{
	unsigned char counter[SEAL_NONCE], skipped[BLOCK] = { 0 };
	int made;
	counter_at(nonce, (uint64_t)at / BLOCK, counter);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	ensure(c && EVP_EncryptInit_ex(c, EVP_aes_256_ctr(), NULL, key->bytes, counter) == 1);
	if (at % BLOCK)
		ensure(EVP_EncryptUpdate(c, skipped, &made, skipped, (int)(at % BLOCK)) == 1);
	for (size_t done = 0; done < n; done += (size_t)made) {
		int piece = n - done < (1 << 30) ? (int)(n - done) : 1 << 30;
		ensure(EVP_EncryptUpdate(c, (unsigned char *)out + done, &made, (const unsigned char *)in + done,
		                         piece) == 1);
	}
	EVP_CIPHER_CTX_free(c);
}
