#include "base/keypair.h"
#include "test/test.h"

TEST(keypair_signs)
{
	static const struct { str kind, how; } pairs[] = {
		{ S("RSA_2048"), S("RSASSA_PKCS1_V1_5_SHA_256") }, { S("RSA_2048"), S("RSASSA_PSS_SHA_512") },
		{ S("ECC_NIST_P256"), S("ECDSA_SHA_256") }, { S("ECC_NIST_P384"), S("ECDSA_SHA_384") },
		{ S("ECC_NIST_P521"), S("ECDSA_SHA_512") }, { S("ECC_SECG_P256K1"), S("ECDSA_SHA_256") },
	};
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		str own, open, signature;
		CHECK(keypair_make(mem, pairs[i].kind, &own, &open));
		CHECK(keypair_sign(mem, own, pairs[i].how, false, S("message"), &signature));
		CHECK(keypair_verify(open, pairs[i].how, false, S("message"), signature));
		CHECK(!keypair_verify(open, pairs[i].how, false, S("massage"), signature));
		CHECK(!keypair_sign(mem, own, pairs[i].how, true, S("no digest"), &signature));
	}
	str own, open, signature;
	CHECK(!keypair_make(mem, S("RSA_7"), &own, &open));
	CHECK(keypair_make(mem, S("ECC_NIST_P256"), &own, &open));
	CHECK(!keypair_sign(mem, own, S("RSASSA_PSS_SHA_256"), false, S("x"), &signature));
	CHECK(!keypair_sign(mem, S("rubbish"), S("ECDSA_SHA_256"), false, S("x"), &signature));
}

TEST(keypair_encrypts_and_derives)
{
	str own, open, sealed, plain, ann, ann_open, bob, bob_open, one, other;
	CHECK(keypair_make(mem, S("RSA_2048"), &own, &open));
	for (int sha1 = 0; sha1 < 2; sha1++) {
		CHECK(keypair_encrypt(mem, open, sha1, S("secret"), &sealed));
		CHECK(keypair_decrypt(mem, own, sha1, sealed, &plain));
		CHECK_STR(plain, S("secret"));
		CHECK(!keypair_decrypt(mem, own, !sha1, sealed, &plain));
	}
	CHECK(keypair_make(mem, S("ECC_NIST_P384"), &ann, &ann_open));
	CHECK(keypair_make(mem, S("ECC_NIST_P384"), &bob, &bob_open));
	CHECK(keypair_derive(mem, ann, bob_open, &one) && keypair_derive(mem, bob, ann_open, &other));
	CHECK_STR(one, other);
	CHECK(one.n == 48);
}
