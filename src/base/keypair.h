/*
 * Public-key cryptography: pairs of keys as DER (PKCS #8 and SubjectPublicKeyInfo), signatures, encryption
 * with RSA, agreement of secrets, and what certificates say. Randomness is the library's own.
 */
#pragma once
#include "base/arena.h"

/* `kind`: RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1. false:
 * none of these. RSA takes from a tenth of a second to several. */
bool keypair_make(arena *a, str kind, str *private_der, str *public_der);
/* A private key that came from elsewhere, in our form; false: it is none of that kind. */
bool keypair_take(arena *a, str given_der, str kind, str *private_der, str *public_der);
/* What belongs to a private key that came from elsewhere; false: it is none. */
bool keypair_public(arena *a, str private_der, str *public_der);

/* `how`: RSASSA_PKCS1_V1_5_SHA_256, RSASSA_PSS_SHA_512, ECDSA_SHA_384 ..; `message` is the digest when
 * `digested`. false: the key does not fit, or the digest's length. */
bool keypair_sign(arena *a, str private_der, str how, bool digested, str message, str *signature);
bool keypair_verify(str public_der, str how, bool digested, str message, str signature);

/* RSA with OAEP, SHA-256 or SHA-1. */
bool keypair_encrypt(arena *a, str public_der, bool sha1, str plain, str *sealed);
bool keypair_decrypt(arena *a, str private_der, bool sha1, str sealed, str *plain);

/* Elliptic curves: the secret that this private key and that public key have in common. */
bool keypair_derive(arena *a, str private_der, str public_der, str *secret);

/* Public keys as JSON Web Keys give them: big-endian numbers. `bits`: 256, 384, 521. */
bool keypair_from_rsa(arena *a, str modulus, str exponent, str *public_der);
bool keypair_from_point(arena *a, int bits, str x, str y, str *public_der);
/* ECDSA as JWTs have it, r and s side by side, in DER. */
bool keypair_signature_from_pair(arena *a, str pair, str *signature);

/* A message authentication code: `how` is HMAC_SHA_224, _256, _384 or _512. false: none of these. */
bool keyed_mac(arena *a, str how, str key, str message, str *mac);

/* The first certificate of a PEM text: when it ends, in milliseconds since 1970. false: it is none. */
bool certificate_end(str pem, int64_t *end);
/* Whether an unencrypted private key in PEM is the certificate's. */
bool certificate_fits(str pem, str private_pem);
