#include "cloud/open_secret.h"
#include "sys/clock.h"
#include <pthread.h>

#define SLOTS 64
#define KEY_MAX 128

typedef struct slot {
	char key[KEY_MAX], secret[KEY_MAX];
	size_t key_n, secret_n; /* secret_n 0: tried, and none fitted */
} slot;

static slot slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The key that this thread looked at last. */
static __thread struct {
	char key[KEY_MAX];
	size_t n;
} last;

static bool seen_just_now(str key)
{
	if (last.n == key.n && memcmp(last.key, key.p, key.n) == 0)
		return true;
	last.n = key.n;
	memcpy(last.key, key.p, key.n);
	return false;
}

static slot *slot_of(str key) { return &slots[str_hash(key) % SLOTS]; }

static bool is_of(const slot *s, str key) { return s->key_n == key.n && memcmp(s->key, key.p, key.n) == 0; }

static bool tried(str key)
{
	pthread_mutex_lock(&lock);
	bool yes = is_of(slot_of(key), key);
	pthread_mutex_unlock(&lock);
	return yes;
}

static void keep(str key, str secret)
{
	pthread_mutex_lock(&lock);
	slot *s = slot_of(key);
	memcpy(s->key, key.p, key.n);
	memcpy(s->secret, secret.p, secret.n);
	s->key_n = key.n;
	s->secret_n = secret.n;
	pthread_mutex_unlock(&lock);
}

bool open_secret_wanted(str key) { return key.n && key.n <= KEY_MAX && !seen_just_now(key) && !tried(key); }

void open_secret_learn(arena *a, const sigv4 *sig, const wire_message *sent, str host, str body_hash)
{
	str key = sig->access_key;
	const str conventional[] = { S("test"), key };
	str found = S("");
	for (size_t i = 0; i < 2 && !found.n; i++) {
		str to_sign, canonical;
		str secret = conventional[i];
		if (sigv4_verify(a, sig, sent, host, secret, body_hash, clock_real(), &to_sign, &canonical) == SIG_OK)
			found = secret;
	}
	keep(key, found);
}

str open_secret(arena *a, str access_key)
{
	str found = STR_NONE;
	if (!access_key.n || access_key.n > KEY_MAX)
		return found;
	pthread_mutex_lock(&lock);
	const slot *s = slot_of(access_key);
	if (is_of(s, access_key) && s->secret_n)
		found = arena_str(a, str_of(s->secret, s->secret_n));
	pthread_mutex_unlock(&lock);
	return found;
}
