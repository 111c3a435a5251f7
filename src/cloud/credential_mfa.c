#include "cloud/credential_mfa.h"
#include "base/digest.h"
#include "base/time.h"
#include "cloud/record.h"
#include <stddef.h>

#define STEP_MS (30 * MS_SECOND)

#define FIELD(number_, kind_, name_) \
	{ .number = number_, .offset = offsetof(mfa_device, name_), .type = kind_, .name = #name_ }
static const record_field fields[] = {
	FIELD(0, RECORD_STR, Serial), FIELD(1, RECORD_STR, Seed), FIELD(2, RECORD_STR, Owner),
	FIELD(3, RECORD_I64, Used),
};
static const record_kind devices = {
	.name = "cloud.mfa", .size = sizeof(mfa_device), .n_keys = 1,
	.n_fields = sizeof fields / sizeof *fields, .fields = fields,
};

const mfa_device *mfa_get(const txn *tx, arena *mem, str serial)
{
	return record_get(tx, mem, &devices, &(mfa_device){ .Serial = serial });
}

void mfa_put(txn *tx, const mfa_device *d)
{
	record_put(tx, &devices, d);
}

bool mfa_delete(txn *tx, str serial)
{
	return record_delete(tx, &devices, &(mfa_device){ .Serial = serial });
}

static bool shows(str seed, int64_t step, str code)
{
	unsigned char count[8], mac[20];
	char text[6];
	for (int i = 0; i < 8; i++)
		count[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
	hmac_sha1(seed, str_of((const char *)count, 8), mac);
	int at = mac[19] & 15;
	uint32_t number = ((uint32_t)(mac[at] & 127) << 24 | (uint32_t)mac[at + 1] << 16 |
			   (uint32_t)mac[at + 2] << 8 | mac[at + 3]) % 1000000;
	for (int i = 5; i >= 0; i--, number /= 10)
		text[i] = (char)('0' + number % 10);
	return secret_eq(code, str_of(text, 6));
}

bool mfa_right(const txn *tx, arena *mem, str serial, str owner, str code, int64_t now, mfa_device *after)
{
	const mfa_device *d = mfa_get(tx, mem, serial);
	if (!d || !str_is(d->Owner) || !str_eq(d->Owner, owner))
		return false;
	for (int64_t step = now / STEP_MS - 1; step <= now / STEP_MS + 1; step++)
		if (step > d->Used && shows(d->Seed, step, code)) {
			*after = *d;
			after->Used = step;
			return true;
		}
	return false;
}

bool mfa_accepts_both(txn *tx, const mfa_device *d, str first, str second, int64_t now)
{
	for (int64_t step = now / STEP_MS - 3; step <= now / STEP_MS; step++)
		if (shows(d->Seed, step, first) && shows(d->Seed, step + 1, second)) {
			mfa_device used = *d;
			used.Used = step + 1;
			mfa_put(tx, &used);
			return true;
		}
	return false;
}

str mfa_base32(arena *mem, str seed)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	char *p = arena_bytes(mem, seed.n * 8 / 5 + 2);
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (size_t i = 0; i < seed.n; i++) {
		held = held << 8 | (unsigned char)seed.p[i];
		for (bits += 8; bits >= 5; bits -= 5)
			p[n++] = digits[held >> (bits - 5) & 31];
		held &= 0xff;
	}
	if (bits)
		p[n++] = digits[held << (5 - bits) & 31];
	return str_of(p, n);
}
