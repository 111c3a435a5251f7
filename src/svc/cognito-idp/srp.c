/*
 * Secure Remote Password (version 6a) with Cognito's choices: the 3072-bit group of RFC 5054, SHA-256, and
 * numbers hashed as two's complement. Numbers travel as hexadecimal text.
 */
#include "base/digest.h"
#include "base/text.h"
#include "pool.h"
#include "sys/rand.h"
#include <openssl/bn.h>

#define HEX_MAX 1024

static const char prime[] =
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

/* Numbers of one calculation. */
typedef struct numbers {
	BN_CTX *room;
	BIGNUM *n, *g;
} numbers;

static BIGNUM *take(numbers *m)
{
	BIGNUM *b = BN_CTX_get(m->room);
	ensure(b);
	return b;
}

static numbers numbers_open(void)
{
	numbers m = { .room = BN_CTX_secure_new() };
	ensure(m.room);
	BN_CTX_start(m.room);
	m.n = take(&m);
	m.g = take(&m);
	ensure(BN_hex2bn(&m.n, prime) && BN_set_word(m.g, 2));
	return m;
}

static void numbers_close(numbers *m)
{
	BN_CTX_end(m->room);
	BN_CTX_free(m->room);
}

static void read_hex(arena *mem, BIGNUM *b, str hex)
{
	ensure(BN_hex2bn(&b, arena_str(mem, hex).p) == (int)hex.n);
}

static str hex_of(arena *mem, const BIGNUM *b)
{
	char *text = BN_bn2hex(b);
	ensure(text);
	str s = arena_lower(mem, str_c(text));
	OPENSSL_free(text);
	return s;
}

/* Two's complement: a zero byte in front of what would be negative. */
static str bytes_of(arena *mem, const BIGNUM *b)
{
	size_t n = (size_t)BN_num_bytes(b);
	char *p = arena_bytes(mem, n + 2);
	p[0] = 0;
	BN_bn2bin(b, (unsigned char *)p + 1);
	bool high = n == 0 || (p[1] & 0x80);
	return high ? str_of(p, n + 1) : str_of(p + 1, n);
}

static void hash_two(arena *mem, str first, str second, BIGNUM *out)
{
	unsigned char sum[32];
	sha256(arena_concat(mem, first, second), sum);
	ensure(BN_bin2bn(sum, sizeof sum, out));
}

str idp_srp_pool_name(str pool_id) { return str_sub(pool_id, str_find_char(pool_id, '_') + 1, pool_id.n); }

void idp_srp_verifier(arena *mem, str pool_name, str user, str password, str salt_hex, str *verifier_hex)
{
	unsigned char inner[32];
	numbers m = numbers_open();
	BIGNUM *salt = take(&m), *x = take(&m), *v = take(&m);
	str who = arena_fmt(mem, "%.*s%.*s:%.*s", STR_ARG(pool_name), STR_ARG(user), STR_ARG(password));
	sha256(who, inner);
	read_hex(mem, salt, salt_hex);
	hash_two(mem, bytes_of(mem, salt), str_of((const char *)inner, sizeof inner), x);
	ensure(BN_mod_exp(v, m.g, x, m.n, m.room));
	*verifier_hex = hex_of(mem, v);
	numbers_close(&m);
}

static void multiplier(arena *mem, numbers *m, BIGNUM *k)
{
	hash_two(mem, bytes_of(mem, m->n), bytes_of(mem, m->g), k);
}

void idp_srp_begin(arena *mem, str verifier_hex, str *secret_hex, str *public_hex)
{
	unsigned char random[32];
	numbers m = numbers_open();
	BIGNUM *k = take(&m), *v = take(&m), *b = take(&m), *sum = take(&m), *power = take(&m);
	rand_bytes(random, sizeof random);
	read_hex(mem, v, verifier_hex);
	multiplier(mem, &m, k);
	ensure(BN_bin2bn(random, sizeof random, b) && BN_mod_exp(power, m.g, b, m.n, m.room)
	       && BN_mod_mul(sum, k, v, m.n, m.room) && BN_mod_add(sum, sum, power, m.n, m.room));
	*secret_hex = hex_of(mem, b);
	*public_hex = hex_of(mem, sum);
	numbers_close(&m);
}

/* Digits only, not too many, and not a multiple of N. */
bool idp_srp_public_ok(str a_hex)
{
	if (!a_hex.n || a_hex.n > HEX_MAX)
		return false;
	for (size_t i = 0; i < a_hex.n; i++) {
		char c = a_hex.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
			return false;
	}
	return true;
}

bool idp_srp_key(arena *mem, str a_hex, str secret_hex, str public_hex, str verifier_hex,
                 unsigned char key[16])
{
	static const char info[] = "Caldera Derived Key\x01";
	unsigned char middle[32], last[32];
	numbers m = numbers_open();
	BIGNUM *a = take(&m), *b = take(&m), *big_b = take(&m), *v = take(&m), *u = take(&m), *s = take(&m);
	BIGNUM *rest = take(&m);
	read_hex(mem, a, a_hex);
	read_hex(mem, b, secret_hex);
	read_hex(mem, big_b, public_hex);
	read_hex(mem, v, verifier_hex);
	ensure(BN_mod(rest, a, m.n, m.room));
	hash_two(mem, bytes_of(mem, a), bytes_of(mem, big_b), u);
	bool ok = !BN_is_zero(rest) && !BN_is_zero(u);
	if (ok) {
		ensure(BN_mod_exp(s, v, u, m.n, m.room) && BN_mod_mul(s, s, a, m.n, m.room)
		       && BN_mod_exp(s, s, b, m.n, m.room));
		hmac_sha256(bytes_of(mem, u), bytes_of(mem, s), middle);
		hmac_sha256(str_of((const char *)middle, sizeof middle), str_of(info, sizeof info - 1), last);
		memcpy(key, last, 16);
	}
	numbers_close(&m);
	return ok;
}
