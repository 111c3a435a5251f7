#include "run/postgres_scram.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "sys/rand.h"
#include <openssl/evp.h>

#define ROUNDS 4096
#define ROUNDS_MAX 1000000
#define SALT 16
#define NONCE 18
#define KEY 32

/* Kinds of authentication requests. */
enum { ASK_SASL = 10, ASK_CONTINUE = 11, ASK_FINAL = 12 };

static str key_of(const unsigned char *key) { return str_of((const char *)key, KEY); }

static void salted_password(str password, str salt, int rounds, unsigned char out[KEY])
{
	ensure(PKCS5_PBKDF2_HMAC(password.p, (int)password.n, (const unsigned char *)salt.p, (int)salt.n, rounds,
	                         EVP_sha256(), KEY, out)
	       == 1);
}

str postgres_verifier(arena *a, str password)
{
	unsigned char salt[SALT], salted[KEY], client[KEY], stored[KEY], server[KEY];
	rand_bytes(salt, sizeof salt);
	str salt_bytes = str_of((const char *)salt, sizeof salt);
	salted_password(password, salt_bytes, ROUNDS, salted);
	hmac_sha256(key_of(salted), S("Client Key"), client);
	sha256(key_of(client), stored);
	hmac_sha256(key_of(salted), S("Server Key"), server);
	str s = base64_encode(a, salt_bytes), k = base64_encode(a, key_of(stored)),
		v = base64_encode(a, key_of(server));
	return arena_fmt(a, "SCRAM-SHA-256$%d:%.*s$%.*s:%.*s", ROUNDS, STR_ARG(s), STR_ARG(k), STR_ARG(v));
}

static str begin(arena *a, postgres_scram *s)
{
	unsigned char nonce[NONCE];
	rand_bytes(nonce, sizeof nonce);
	s->nonce = base64_encode(a, str_of((const char *)nonce, sizeof nonce));
	s->first = arena_fmt(a, "n=,r=%.*s", STR_ARG(s->nonce));
	buf b = buf_in(a, 128, 512);
	buf_put(&b, S("SCRAM-SHA-256\0"));
	size_t n = s->first.n + 3;
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_c(&b, (char)(n >> shift));
	buf_fmt(&b, "n,,%.*s", STR_ARG(s->first));
	return buf_str(&b);
}

/* r=NONCE,s=SALT,i=ROUNDS */
static bool prove(arena *a, postgres_scram *s, str said, str *answer)
{
	str rest = said, nonce = str_cut(&rest, ','), salt_text = str_cut(&rest, ','), salt;
	int64_t rounds = 0;
	if (!str_starts(nonce, S("r=")) || !str_starts(str_sub(nonce, 2, nonce.n), s->nonce)
	    || !str_starts(salt_text, S("s=")) || !base64_decode(a, str_sub(salt_text, 2, salt_text.n), &salt)
	    || !str_starts(rest, S("i=")) || !str_to_i64(str_sub(rest, 2, rest.n), &rounds) || rounds < 1
	    || rounds > ROUNDS_MAX)
		return false;
	unsigned char salted[KEY], client[KEY], stored[KEY], signature[KEY], server[KEY], expected[KEY];
	str last = arena_fmt(a, "c=biws,%.*s", STR_ARG(nonce));
	str all = arena_fmt(a, "%.*s,%.*s,%.*s", STR_ARG(s->first), STR_ARG(said), STR_ARG(last));
	salted_password(s->password, salt, (int)rounds, salted);
	hmac_sha256(key_of(salted), S("Client Key"), client);
	sha256(key_of(client), stored);
	hmac_sha256(key_of(stored), all, signature);
	for (int i = 0; i < KEY; i++)
		client[i] ^= signature[i];
	hmac_sha256(key_of(salted), S("Server Key"), server);
	hmac_sha256(key_of(server), all, expected);
	s->proof = arena_concat(a, S("v="), base64_encode(a, key_of(expected)));
	*answer = arena_fmt(a, "%.*s,p=%.*s", STR_ARG(last), STR_ARG(base64_encode(a, key_of(client))));
	return true;
}

/* The list of mechanisms: texts, each with a zero byte behind it. */
static bool offered(str body)
{
	while (body.n) {
		size_t n = strnlen(body.p, body.n);
		if (str_eq(str_sub(body, 0, n), S("SCRAM-SHA-256")))
			return true;
		body = str_sub(body, n + 1, body.n);
	}
	return false;
}

bool postgres_scram_step(arena *a, postgres_scram *s, uint32_t kind, str body, str *answer)
{
	switch (kind) {
	case ASK_SASL:
		if (!str_is(s->password) || !offered(body))
			return false;
		*answer = begin(a, s);
		return true;
	case ASK_CONTINUE:
		return str_is(s->nonce) && prove(a, s, body, answer);
	case ASK_FINAL:
		return str_is(s->proof) && str_eq(body, s->proof);
	default:
		return false;
	}
}
