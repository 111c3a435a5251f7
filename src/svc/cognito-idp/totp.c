/* One-time passwords by time (RFC 6238): six digits, thirty seconds, SHA-1, a secret in base32. */
#include "base/digest.h"
#include "pool.h"
#include "sys/clock.h"
#include "sys/rand.h"

#define SECRET_CHARS 52
#define STEP_MS (30 * MS_SECOND)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

str idp_totp_secret(arena *mem) { return rand_text(mem, SECRET_CHARS, str_c(alphabet)); }

static str base32_read(arena *mem, str text)
{
	char *out = arena_bytes(mem, text.n);
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (size_t i = 0; i < text.n; i++) {
		size_t at = str_find_char(str_c(alphabet), text.p[i]);
		held = (held << 5 | (unsigned)(at & 31)) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (char)(held >> bits & 0xff);
		}
	}
	return str_of(out, n);
}

static str code_of(arena *mem, str key, int64_t step)
{
	unsigned char sum[20];
	char moving[8];
	for (int i = 0; i < 8; i++)
		moving[i] = (char)(step >> (8 * (7 - i)) & 0xff);
	hmac_sha1(key, str_of(moving, 8), sum);
	unsigned at = sum[19] & 15;
	uint32_t n = (uint32_t)(sum[at] & 0x7f) << 24 | (uint32_t)sum[at + 1] << 16 | (uint32_t)sum[at + 2] << 8
		| sum[at + 3];
	return arena_fmt(mem, "%06u", n % 1000000);
}

int64_t idp_totp_step(arena *mem, str secret, str code)
{
	int64_t now = clock_real();
	str key = base32_read(mem, secret);
	for (int64_t step = now / STEP_MS - 1; step <= now / STEP_MS + 1; step++)
		if (secret_eq(code_of(mem, key, step), code))
			return step;
	return 0;
}
