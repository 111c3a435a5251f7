#include "cloud/credential.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/record.h"
#include "store/due.h"
#include "sys/rand.h"
#include <stddef.h>

#define USE_FRESH_MS (15 * MS_MINUTE)
#define SESSION_KEPT_MS MS_DAY

#define FIELD(type_, number_, kind_, name_) \
	{ .number = number_, .offset = offsetof(type_, name_), .type = kind_, .name = #name_ }

static const record_field credential_fields[] = {
	FIELD(credential, 0, RECORD_STR, AccessKey),
	FIELD(credential, 1, RECORD_STR, Secret),
	FIELD(credential, 2, RECORD_STR, Account),
	FIELD(credential, 3, RECORD_STR, Arn),
	FIELD(credential, 4, RECORD_STR, UserId),
	FIELD(credential, 5, RECORD_BOOL, Root),
	FIELD(credential, 6, RECORD_BOOL, Inactive),
	FIELD(credential, 7, RECORD_STR, Token),
	FIELD(credential, 8, RECORD_I64, Expires),
	FIELD(credential, 9, RECORD_I64, Created),
	FIELD(credential, 10, RECORD_STR, SessionPolicy),
	FIELD(credential, 11, RECORD_STR, SessionTags),
	FIELD(credential, 12, RECORD_STR, SourceIdentity),
	FIELD(credential, 13, RECORD_BOOL, MfaPresent),
	FIELD(credential, 14, RECORD_STR, Role),
	FIELD(credential, 15, RECORD_STR, Federator),
	FIELD(credential, 16, RECORD_STR, TransitiveTags),
	FIELD(credential, 17, RECORD_STR, Provider),
};
static const record_kind credentials = {
	.name = "cloud.credential",
	.size = sizeof(credential),
	.n_keys = 1,
	.n_fields = sizeof credential_fields / sizeof *credential_fields,
	.fields = credential_fields,
};

static const record_field use_fields[] = {
	FIELD(credential_use, 0, RECORD_STR, AccessKey),
	FIELD(credential_use, 1, RECORD_I64, When),
	FIELD(credential_use, 2, RECORD_STR, Service),
	FIELD(credential_use, 3, RECORD_STR, Region),
};
static const record_kind uses = {
	.name = "cloud.credential-use",
	.size = sizeof(credential_use),
	.n_keys = 1,
	.n_fields = sizeof use_fields / sizeof *use_fields,
	.fields = use_fields,
};

static const record_field service_fields[] = {
	FIELD(service_use, 0, RECORD_STR, Account),
	FIELD(service_use, 0, RECORD_STR, Subject),
	FIELD(service_use, 0, RECORD_STR, Service),
	FIELD(service_use, 1, RECORD_I64, When),
	FIELD(service_use, 2, RECORD_STR, Region),
};
static const record_kind services = {
	.name = "cloud.service-use",
	.size = sizeof(service_use),
	.n_keys = 3,
	.n_fields = sizeof service_fields / sizeof *service_fields,
	.fields = service_fields,
};

const credential *credential_get(const txn *tx, arena *mem, str access_key)
{
	return record_get(tx, mem, &credentials, &(credential){ .AccessKey = access_key });
}

void credential_put(txn *tx, const credential *c)
{
	record_put(tx, &credentials, c);
}

bool credential_delete(txn *tx, str access_key)
{
	record_delete(tx, &uses, &(credential_use){ .AccessKey = access_key });
	return record_delete(tx, &credentials, &(credential){ .AccessKey = access_key });
}

TIMER(credential_forget)
{
	credential_delete(tx, payload);
}

void credential_put_session(txn *tx, const credential *c)
{
	credential_put(tx, c);
	timer_set(tx, "credential_forget", c->AccessKey, c->Expires + SESSION_KEPT_MS, c->AccessKey);
}

#define DIGITS32 "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
/* 12 decimal digits need 40 bits, which are 8 characters; the other 8 are random. */
#define ACCOUNT_CHARACTERS 8
/* So that the account does not stand there for all to see at first glance: account + mask, mod 2^40. */
#define ACCOUNT_MASK UINT64_C(0x9e3779b97f)

str access_key_new(arena *mem, const char *prefix, str account)
{
	int64_t number = 0;
	char text[ACCOUNT_CHARACTERS];
	ensure(str_to_i64(account, &number) && number >= 0 && number < INT64_C(1000000000000));
	uint64_t bits = ((uint64_t)number + ACCOUNT_MASK) & ((UINT64_C(1) << 40) - 1);
	for (int i = ACCOUNT_CHARACTERS - 1; i >= 0; i--, bits >>= 5)
		text[i] = DIGITS32[bits & 31];
	str rest = rand_text(mem, 8, S(DIGITS32));
	return arena_fmt(mem, "%s%.*s%.*s", prefix, ACCOUNT_CHARACTERS, text, STR_ARG(rest));
}

str access_key_account(arena *mem, str access_key)
{
	uint64_t bits = 0;
	if (access_key.n != 20 || !(str_starts(access_key, S("AKIA")) || str_starts(access_key, S("ASIA"))))
		return STR_NONE;
	for (size_t i = 4; i < access_key.n; i++) {
		size_t digit = str_find_char(S(DIGITS32), access_key.p[i]);
		if (digit == SIZE_MAX)
			return STR_NONE;
		if (i < 4 + ACCOUNT_CHARACTERS)
			bits = bits << 5 | digit;
	}
	bits = (bits - ACCOUNT_MASK) & ((UINT64_C(1) << 40) - 1);
	if (bits >= UINT64_C(1000000000000))
		return STR_NONE;
	return arena_fmt(mem, "%012llu", (unsigned long long)bits);
}

str secret_key_new(arena *mem)
{
	return rand_text(mem, 40, S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"));
}

str session_token_new(arena *mem)
{
	char raw[180];
	rand_bytes(raw, sizeof raw);
	return arena_concat(mem, S("FwoGZXIvYXdzE"), base64_encode(mem, str_of(raw, sizeof raw)));
}

str unique_id_new(arena *mem, const char *prefix)
{
	return arena_concat(mem, str_c(prefix), rand_text(mem, 17, S(DIGITS32)));
}

const credential_use *credential_use_get(const txn *tx, arena *mem, str access_key)
{
	return record_get(tx, mem, &uses, &(credential_use){ .AccessKey = access_key });
}

void service_uses(const txn *tx, arena *mem, str account, str subject,
                  bool (*each)(void *context, const service_use *u), void *context)
{
	record_scan s = record_scan_open(tx, mem, &services, 2,
	                                 &(service_use){ .Account = account, .Subject = subject });
	for (const service_use *u; (u = record_scan_next(&s));)
		if (!each(context, u))
			break;
	cursor_close(&s.at);
}

typedef struct use_job {
	store_job job;
	arena *mem; /* of the job itself */
	bool lasting;          /* an access key, not a session's */
	credential_use use;
	service_use by;
} use_job;

static bool write_use(store_job *job, txn *tx)
{
	const use_job *u = (const use_job *)job;
	if (!credential_get(tx, u->mem, u->use.AccessKey)) /* deleted meanwhile */
		return true;
	if (u->lasting)
		record_put(tx, &uses, &u->use);
	record_put(tx, &services, &u->by);
	return true;
}

static void use_written(store_job *job, __attribute__((unused)) err commit)
{
	arena_close(((use_job *)job)->mem);
}

/* The key and service that this thread saw last: most requests come with the same. */
static __thread struct last_seen {
	const store *store;
	char key[64];
	size_t n;
	int64_t when;
} last_seen;

static bool seen_just_now(const store *s, str access_key, str service_name, int64_t now)
{
	struct last_seen *l = &last_seen;
	size_t n = access_key.n + service_name.n;
	bool same = l->store == s && l->n == n && n && memcmp(l->key, access_key.p, access_key.n) == 0 &&
		    memcmp(l->key + access_key.n, service_name.p, service_name.n) == 0;
	if (same && now >= l->when && now - l->when < USE_FRESH_MS)
		return true;
	l->store = s;
	l->n = n <= sizeof l->key ? n : 0;
	if (l->n) {
		memcpy(l->key, access_key.p, access_key.n);
		memcpy(l->key + access_key.n, service_name.p, service_name.n);
	}
	l->when = now;
	return false;
}

/* A session acts as its role, a federated user as whoever federated it. */
static str subject_of(const credential *c)
{
	return str_is(c->Role) ? c->Role : str_is(c->Federator) ? c->Federator : c->Arn;
}

void credential_used(store *s, const txn *tx, arena *mem, const credential *c, int64_t now, str service_name,
                     str region)
{
	if (seen_just_now(s, c->AccessKey, service_name, now))
		return;
	bool lasting = !str_is(c->Token);
	service_use by = { c->Account, subject_of(c), service_name, now, region };
	const service_use *was = record_get(tx, mem, &services, &by);
	const credential_use *before = lasting ? credential_use_get(tx, mem, c->AccessKey) : NULL;
	if (was && now - was->When < USE_FRESH_MS && (!lasting || (before && now - before->When < USE_FRESH_MS)))
		return;
	arena *own = arena_open(1024);
	use_job *u = arena_new(own, use_job);
	*u = (use_job){ .job = { .run = write_use, .done = use_written }, .mem = own, .lasting = lasting };
	u->by = (service_use){ arena_str(own, by.Account), arena_str(own, by.Subject),
		               arena_str(own, service_name), now, arena_str(own, region) };
	u->use = (credential_use){ arena_str(own, c->AccessKey), now, u->by.Service, u->by.Region };
	store_submit(s, &u->job);
}
