#include "cloud/policy_cache.h"
#include <pthread.h>

#define SLOTS 4096
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

static struct {
	pthread_rwlock_t lock;
	kept *slots[SLOTS];
	size_t bytes;
} cache = { .lock = PTHREAD_RWLOCK_INITIALIZER };

typedef struct met {
	str text;
	uint64_t hash;
	policy_use use;
} met;

static _Thread_local struct {
	int held;
	size_t n;
	met v[NEW_MAX];
} news;

static const kept *find(str text, uint64_t hash, policy_use use)
{
	for (const kept *k = cache.slots[hash % SLOTS]; k; k = k->next)
		if (k->hash == hash && k->use == use && str_eq(k->it->text, text))
			return k;
	return NULL;
}

void policy_cache_hold(void)
{
	if (news.held++ == 0) {
		news.n = 0;
		pthread_rwlock_rdlock(&cache.lock);
	}
}

const policy *policy_cached(arena *mem, str text, policy_use use)
{
	str wrong;
	uint64_t hash = news.held ? str_hash(text) : 0;
	const kept *k = news.held ? find(text, hash, use) : NULL;
	if (k)
		return k->it;
	const policy *p = policy_parse(mem, text, use, &wrong);
	if (p && news.held && news.n < NEW_MAX)
		news.v[news.n++] = (met){ text, hash, use };
	return p;
}

static void forget_all(void)
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
		forget_all();
	cache.bytes += arena_used(mem);
	k->next = cache.slots[m->hash % SLOTS];
	cache.slots[m->hash % SLOTS] = k;
}

void policy_cache_release(void)
{
	if (--news.held)
		return;
	pthread_rwlock_unlock(&cache.lock);
	if (news.n == 0)
		return;
	pthread_rwlock_wrlock(&cache.lock);
	for (size_t i = 0; i < news.n; i++)
		keep(&news.v[i]);
	pthread_rwlock_unlock(&cache.lock);
}
