/*
 * Key pairs. Farthing makes the private key and forgets it, as AWS does.
 */
#include "base/digest.h"
#include "base/text.h"
#include "ec2.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define RSA_BITS 2048
#define PEM_MAX 8192

typedef struct made_key {
	str private_pem, public_line, fingerprint;
} made_key;

/* aa:bb:cc .. */
static str with_colons(arena *mem, str bytes)
{
	buf b = buf_in(mem, bytes.n * 3, 4096);
	for (size_t i = 0; i < bytes.n; i++)
		buf_fmt(&b, i ? ":%02x" : "%02x", (unsigned char)bytes.p[i]);
	return buf_str(&b);
}

static str hash(arena *mem, digest_kind kind, str bytes)
{
	digest *d = digest_open(mem, kind);
	digest_add(d, bytes.p, bytes.n);
	return digest_finish(mem, d);
}

static str of_memory(arena *mem, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	str s = arena_str(mem, (str){ p, (size_t)n });
	BIO_free(bio);
	return s;
}

static void put_u32(buf *b, size_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_c(b, (char)(v >> shift));
}

static void put_field(buf *b, str bytes)
{
	put_u32(b, bytes.n);
	buf_put(b, bytes);
}

/* A number of the wire format of SSH (RFC 4251): no leading zeros, and none taken for negative. */
static void put_number(buf *b, const BIGNUM *n)
{
	char bytes[RSA_BITS / 8 + 1] = { 0 };
	int length = BN_bn2bin(n, (unsigned char *)bytes + 1);
	bool high = length && (bytes[1] & 0x80);
	put_field(b, (str){ bytes + !high, (size_t)length + high });
}

static str ssh_line(arena *mem, EVP_PKEY *key, str name)
{
	buf b = buf_in(mem, 512, PEM_MAX);
	if (EVP_PKEY_id(key) == EVP_PKEY_RSA) {
		BIGNUM *n = NULL, *e = NULL;
		ensure(EVP_PKEY_get_bn_param(key, "n", &n) && EVP_PKEY_get_bn_param(key, "e", &e));
		put_field(&b, S("ssh-rsa"));
		put_number(&b, e);
		put_number(&b, n);
		BN_free(n);
		BN_free(e);
	} else {
		unsigned char raw[32];
		size_t length = sizeof raw;
		ensure(EVP_PKEY_get_raw_public_key(key, raw, &length) == 1);
		put_field(&b, S("ssh-ed25519"));
		put_field(&b, (str){ (char *)raw, length });
	}
	return arena_fmt(mem, "%s %.*s %.*s", EVP_PKEY_id(key) == EVP_PKEY_RSA ? "ssh-rsa" : "ssh-ed25519",
	                 STR_ARG(base64_encode(mem, buf_str(&b))), STR_ARG(name));
}

/* The format that ssh reads an ed25519 key in (PROTOCOL.key of OpenSSH), unencrypted. */
static str openssh_private(arena *mem, EVP_PKEY *key, str name)
{
	unsigned char public[32], both[64];
	size_t n = 32, m = 32;
	ensure(EVP_PKEY_get_raw_public_key(key, public, &n) == 1
	       && EVP_PKEY_get_raw_private_key(key, both, &m) == 1);
	memcpy(both + 32, public, 32);
	buf inner = buf_in(mem, 256, PEM_MAX), secret = buf_in(mem, 256, PEM_MAX),
		all = buf_in(mem, 512, PEM_MAX);
	put_field(&inner, S("ssh-ed25519"));
	put_field(&inner, (str){ (char *)public, 32 });
	put_u32(&secret, 0x46617274); /* twice the same: tells a right passphrase from a wrong one */
	put_u32(&secret, 0x46617274);
	put_field(&secret, S("ssh-ed25519"));
	put_field(&secret, (str){ (char *)public, 32 });
	put_field(&secret, (str){ (char *)both, 64 });
	put_field(&secret, name);
	for (char pad = 1; secret.n % 8; pad++)
		buf_c(&secret, pad);
	buf_put(&all, (str){ "openssh-key-v1", 15 });
	put_field(&all, S("none"));
	put_field(&all, S("none"));
	put_field(&all, S(""));
	put_u32(&all, 1);
	put_field(&all, buf_str(&inner));
	put_field(&all, buf_str(&secret));
	str text = base64_encode(mem, buf_str(&all));
	buf pem = buf_in(mem, 1024, PEM_MAX);
	buf_put(&pem, S("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
	for (size_t i = 0; i < text.n; i += 70)
		buf_fmt(&pem, "%.*s\n", (int)(text.n - i < 70 ? text.n - i : 70), text.p + i);
	buf_put(&pem, S("-----END OPENSSH PRIVATE KEY-----\n"));
	return buf_str(&pem);
}

/* AWS's fingerprints: SHA-1 of an RSA key's private part in PKCS #8, SHA-256 in base64 of an ed25519 key. */
static void make_key(arena *mem, bool rsa, str name, made_key *out)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(RSA_BITS) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	ensure(key != NULL);
	out->public_line = ssh_line(mem, key, name);
	if (rsa) {
		BIO *pem = BIO_new(BIO_s_mem()), *der = BIO_new(BIO_s_mem());
		ensure(PEM_write_bio_PrivateKey_traditional(pem, key, NULL, NULL, 0, NULL, NULL) == 1);
		ensure(i2d_PKCS8PrivateKey_bio(der, key, NULL, NULL, 0, NULL, NULL) == 1);
		out->private_pem = of_memory(mem, pem);
		out->fingerprint = with_colons(mem, hash(mem, DIGEST_SHA1, of_memory(mem, der)));
	} else {
		str line = out->public_line, blob;
		str_cut(&line, ' ');
		ensure(base64_decode(mem, str_cut(&line, ' '), &blob));
		out->private_pem = openssh_private(mem, key, name);
		out->fingerprint = base64_encode(mem, hash(mem, DIGEST_SHA256, blob));
	}
	EVP_PKEY_free(key);
}

static ec2_KeyPairInfo *find_by_name(const txn *tx, arena *mem, place p, str name)
{
	record_scan s = ec2_keypair_scan(tx, mem, 2, p.account, p.region, STR_NONE);
	for (ec2_keypair *k; (k = ec2_keypair_next(&s));)
		if (str_eq(k->It->KeyName, name)) {
			cursor_close(&s.at);
			return k->It;
		}
	return NULL;
}

err ec2_key_check(req *rq, const txn *tx, str name)
{
	if (given(name) && !find_by_name(tx, rq->mem, place_of(rq), name))
		return fail(rq, &ec2_InvalidKeyPair, "The key pair '%.*s' does not exist", STR_ARG(name));
	return OK;
}

typedef struct key_to_keep {
	ec2_KeyPairInfo info;
	const ec2_TagSpecificationList *tags;
} key_to_keep;

static err keep(req *rq, txn *tx, void *context)
{
	key_to_keep *k = context;
	if (find_by_name(tx, rq->mem, place_of(rq), k->info.KeyName))
		return fail(rq, &ec2_InvalidKeyPairDuplicate, "The keypair already exists");
	kind_put(tx, &kind_key_pair, rq->who.account, rq->region, k->info.KeyPairId, &k->info);
	return ec2_tag_new(rq, tx, k->tags, "key-pair", k->info.KeyPairId);
}

err ec2_CreateKeyPair(req *rq, const ec2_CreateKeyPair_in *in, ec2_CreateKeyPair_out *out)
{
	made_key made;
	bool rsa = !str_eq(in->KeyType, S("ed25519"));
	TRY(ec2_dry_run(rq, in->DryRun));
	if (str_eq(in->KeyFormat, S("ppk")))
		return fail(rq, &aws_NotImplemented,
		            "Private keys are made in the format pem; ppk is not implemented.");
	make_key(rq->mem, rsa, in->KeyName, &made);
	key_to_keep k = { .tags = &in->TagSpecifications, .info = { .KeyName = in->KeyName,
		.KeyPairId = ec2_id(rq->mem, "key-"), .KeyType = rsa ? S("rsa") : S("ed25519"),
		.KeyFingerprint = made.fingerprint, .PublicKey = made.public_line, .CreateTime = TIME(rq->now) } };
	TRY(req_write(rq, keep, &k));
	out->KeyName = in->KeyName;
	out->KeyPairId = k.info.KeyPairId;
	out->KeyFingerprint = made.fingerprint;
	out->KeyMaterial = made.private_pem;
	return OK;
}

err ec2_ImportKeyPair(req *rq, txn *tx, const ec2_ImportKeyPair_in *in, ec2_ImportKeyPair_out *out)
{
	str line = str_trim(in->PublicKeyMaterial), rest = line, type = str_cut(&rest, ' '), blob = STR_NONE;
	bool rsa = str_eq(type, S("ssh-rsa")), ed = str_eq(type, S("ssh-ed25519"));
	TRY(ec2_dry_run(rq, in->DryRun));
	if ((!rsa && !ed) || !given(rest) || !base64_decode(rq->mem, str_cut(&rest, ' '), &blob))
		return fail(rq, &ec2_InvalidKeyFormat, "Key is not in valid OpenSSH public key format");
	key_to_keep k = { .tags = &in->TagSpecifications, .info = { .KeyName = in->KeyName,
		.KeyPairId = ec2_id(rq->mem, "key-"), .KeyType = rsa ? S("rsa") : S("ed25519"), .PublicKey = line,
		.KeyFingerprint = rsa ? with_colons(rq->mem, hash(rq->mem, DIGEST_MD5, blob)) :
		                        base64_encode(rq->mem, hash(rq->mem, DIGEST_SHA256, blob)),
		.CreateTime = TIME(rq->now) } };
	TRY(keep(rq, tx, &k));
	out->KeyName = in->KeyName;
	out->KeyPairId = k.info.KeyPairId;
	out->KeyFingerprint = k.info.KeyFingerprint;
	return OK;
}

/* One that does not exist is deleted as well. */
err ec2_DeleteKeyPair(req *rq, txn *tx, const ec2_DeleteKeyPair_in *in, ec2_DeleteKeyPair_out *out)
{
	TRY(ec2_dry_run(rq, in->DryRun));
	ec2_KeyPairInfo *k = given(in->KeyName) ? find_by_name(tx, rq->mem, place_of(rq), in->KeyName) : NULL;
	str id = k ? k->KeyPairId : in->KeyPairId;
	out->Return = BOOL(true);
	if (!given(id))
		return OK;
	kind_delete(tx, rq->mem, &kind_key_pair, rq->who.account, rq->region, id);
	out->KeyPairId = id;
	return OK;
}

err ec2_DescribeKeyPairs(req *rq, const txn *tx, const ec2_DescribeKeyPairs_in *in,
                         ec2_DescribeKeyPairs_out *out)
{
	list_of_str ids = { arena_array(rq->mem, str, in->KeyNames.n + in->KeyPairIds.n + 1), 0 };
	str none;
	TRY(ec2_dry_run(rq, in->DryRun));
	for (size_t i = 0; i < in->KeyPairIds.n; i++)
		ids.v[ids.n++] = in->KeyPairIds.v[i];
	for (size_t i = 0; i < in->KeyNames.n; i++) {
		TRY(ec2_key_check(rq, tx, in->KeyNames.v[i]));
		ids.v[ids.n++] = find_by_name(tx, rq->mem, place_of(rq), in->KeyNames.v[i])->KeyPairId;
	}
	describe_request d = { .ids = &ids, .filters = &in->Filters };
	TRY(kind_describe(rq, tx, &kind_key_pair, &d, &out->KeyPairs, &none));
	for (size_t i = 0; i < out->KeyPairs.n && !in->IncludePublicKey.v; i++)
		out->KeyPairs.v[i].PublicKey = STR_NONE;
	return OK;
}
