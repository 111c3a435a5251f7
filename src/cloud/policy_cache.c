#include "cloud/policy_cache.h"
#include <pthread.h>

#define SLOTS 4096
#define IDENTITIES 1024
#define BYTES_MAX ((size_t)32 << 20)
/* Documents of one decision that are remembered afterwards; others wait for the next one. */
#define NEW_MAX 16

typedef struct kept {
	struct kept *next;
	uint64_t hash;
	policy_use use;
	const policy *it;
	arena *mem;
} kept;

typedef struct kept_identity {
	str account, subject, version;
	identity_policies it;
	arena *mem;
} kept_identity;

static struct {
	pthread_rwlock_t lock;
	kept *slots[SLOTS];
	size_t bytes;
	kept_identity *identities[IDENTITIES];
} cache = { .lock = PTHREAD_RWLOCK_INITIALIZER };

typedef struct met {
	str text;
	uint64_t hash;
	policy_use use;
} met;

/* What this thread's decision met for the first time. */
static _Thread_local struct {
	int held;
	size_t n;
	met v[NEW_MAX];
	kept_identity *identity;
} news;

/* Texts are compared whole where it matters: this only has to be quick. */
static uint64_t hash_of(str text)
{
	uint64_t h = text.n * UINT64_C(0x9e3779b97f4a7c15), word;
	size_t i = 0;
	for (; i + 8 <= text.n; i += 8) {
		memcpy(&word, text.p + i, 8);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	for (; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 29;
}

void policy_cache_hold(void)
{
	ensure(news.held == 0);
	news.held = 1;
	news.n = 0;
	news.identity = NULL;
	pthread_rwlock_rdlock(&cache.lock);
}

static const kept *find(str text, uint64_t hash, policy_use use)
{
	for (const kept *k = cache.slots[hash % SLOTS]; k; k = k->next)
		if (k->hash == hash && k->use == use && str_eq(k->it->text, text))
			return k;
	return NULL;
}

const policy *policy_cached(arena *mem, str text, policy_use use)
{
	str wrong;
	uint64_t hash = hash_of(text);
	ensure(news.held);
	const kept *k = find(text, hash, use);
	if (k)
		return k->it;
	const policy *p = policy_parse(mem, text, use, &wrong);
	if (p && news.n < NEW_MAX)
		news.v[news.n++] = (met){ text, hash, use };
	return p;
}

static void forget_documents(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		for (kept *k = cache.slots[i], *next; k; k = next) {
			next = k->next;
			arena_close(k->mem);
		}
	memset(cache.slots, 0, sizeof cache.slots);
	cache.bytes = 0;
}

static void keep(const met *m)
{
	str wrong;
	if (find(m->text, m->hash, m->use))
		return;
	arena *mem = arena_open(m->text.n * 4 + 1024);
	kept *k = arena_new(mem, kept);
	*k = (kept){ .hash = m->hash, .use = m->use, .mem = mem,
		     .it = policy_parse(mem, arena_str(mem, m->text), m->use, &wrong) };
	if (cache.bytes + arena_used(mem) > BYTES_MAX)
		forget_documents();
	cache.bytes += arena_used(mem);
	k->next = cache.slots[m->hash % SLOTS];
	cache.slots[m->hash % SLOTS] = k;
}

static size_t place_of(const kept_identity *k)
{
	return (hash_of(k->account) * 31 + hash_of(k->subject)) % IDENTITIES;
}

const identity_policies *identity_cached(const identity_source *source, const txn *tx, const caller *who)
{
	kept_identity wanted = { .account = who->account, .subject = source->subject(who),
		                 .version = source->version(tx) };
	ensure(news.held);
	const kept_identity *old = cache.identities[place_of(&wanted)];
	if (old && str_eq(old->subject, wanted.subject) && str_eq(old->account, wanted.account) &&
	    str_eq(old->version, wanted.version))
		return &old->it;
	if (news.identity)
		arena_close(news.identity->mem);
	arena *mem = arena_open(4096);
	kept_identity *k = news.identity = arena_new(mem, kept_identity);
	*k = (kept_identity){ .account = arena_str(mem, wanted.account), .mem = mem,
		              .subject = arena_str(mem, wanted.subject),
		              .version = arena_str(mem, wanted.version) };
	source->find(tx, mem, k->account, k->subject, &k->it);
	return &k->it;
}

static void keep_identity(kept_identity *k)
{
	size_t place = place_of(k);
	if (cache.identities[place])
		arena_close(cache.identities[place]->mem);
	cache.identities[place] = k;
}

void policy_cache_release(void)
{
	news.held = 0;
	pthread_rwlock_unlock(&cache.lock);
	if (news.n == 0 && !news.identity)
		return;
	pthread_rwlock_wrlock(&cache.lock);
	for (size_t i = 0; i < news.n; i++)
		keep(&news.v[i]);
	if (news.identity)
		keep_identity(news.identity);
	pthread_rwlock_unlock(&cache.lock);
}
