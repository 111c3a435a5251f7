/*
 * Bearer tokens of connections, for as long as their servers said they hold. In memory only: after a restart
 * they are asked for again. A connection that has been changed has another key, and a token that an endpoint
 * refuses is forgotten.
 */
#include "base/time.h"
#include "bus.h"
#include "sys/clock.h"
#include <pthread.h>

#define SLOTS 64
#define TOKEN_MAX 4096
#define HOLD_MAX_S (365 * 86400) /* servers may say any number */

typedef struct held {
	uint64_t key;
	int64_t until;
	size_t n;
	char text[TOKEN_MAX];
} held;
static held tokens[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t key_of(arena *mem, const events_connection *c)
{
	return str_hash(arena_fmt(mem, "%.*s %lld", STR_ARG(c->Id), (long long)c->Modified)) | 1;
}

str token_held(arena *mem, const events_connection *c)
{
	uint64_t key = key_of(mem, c);
	held *h = &tokens[key / 2 % SLOTS];
	pthread_mutex_lock(&lock);
	bool good = h->key == key && h->until > clock_now();
	str token = good ? arena_str(mem, str_of(h->text, h->n)) : STR_NONE;
	pthread_mutex_unlock(&lock);
	return token;
}

void token_hold(arena *mem, const events_connection *c, str token, int64_t seconds)
{
	uint64_t key = key_of(mem, c);
	held *h = &tokens[key / 2 % SLOTS];
	if (token.n > TOKEN_MAX)
		return;
	pthread_mutex_lock(&lock);
	h->key = key;
	h->until = clock_now() + (seconds < HOLD_MAX_S ? seconds : HOLD_MAX_S) * MS_SECOND;
	h->n = token.n;
	memcpy(h->text, token.p, token.n);
	pthread_mutex_unlock(&lock);
}
