/*
 * How many requests of one key came within a window: counts by a thirtieth of it, in memory. A table of fixed
 * size; when it is full of keys that came lately, the one that is oldest among its neighbours is forgotten.
 */
#include "waf.h"
#include <pthread.h>

#define SLOTS 16384
#define NEIGHBOURS 16
#define PARTS 30

typedef struct slot {
	uint64_t rule, key;    /* 0: free */
	int64_t part, window;  /* the newest part: moment / (window / PARTS) */
	uint32_t counts[PARTS];
	char shown[48];
} slot;
static slot slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void forward(slot *s, int64_t part)
{
	int64_t steps = part - s->part;
	if (steps >= PARTS || steps < -PARTS)
		memset(s->counts, 0, sizeof s->counts);
	else
		for (int64_t i = 1; i <= steps; i++)
			s->counts[(s->part + i) % PARTS] = 0;
	if (steps > 0 || steps < -PARTS)
		s->part = part;
}

static int64_t sum(const slot *s)
{
	int64_t n = 0;
	for (int i = 0; i < PARTS; i++)
		n += s->counts[i];
	return n;
}

static slot *slot_for(uint64_t rule, uint64_t key)
{
	slot *oldest = NULL;
	for (uint64_t i = 0; i < NEIGHBOURS; i++) {
		slot *s = &slots[((rule ^ key) + i) % SLOTS];
		if (s->rule == rule && s->key == key)
			return s;
		if (!oldest || !s->rule || (oldest->rule && s->part * s->window < oldest->part * oldest->window))
			oldest = s;
	}
	*oldest = (slot){ .rule = rule, .key = key };
	return oldest;
}

int64_t rate_count(str rule, str key, str shown, int64_t now, int64_t window)
{
	int64_t part = now / (window / PARTS);
	pthread_mutex_lock(&lock);
	slot *s = slot_for(str_hash(rule) | 1, str_hash(key) | 1);
	if (s->window != window) {
		memset(s->counts, 0, sizeof s->counts);
		s->window = window;
		s->part = part;
	}
	if (str_is(shown) && shown.n < sizeof s->shown) {
		memcpy(s->shown, shown.p, shown.n);
		s->shown[shown.n] = 0;
	}
	forward(s, part);
	s->counts[s->part % PARTS]++;
	int64_t n = sum(s);
	pthread_mutex_unlock(&lock);
	return n;
}

size_t rate_above(str rule, int64_t limit, int64_t window, int64_t now, rate_key *keys, size_t most)
{
	uint64_t hash = str_hash(rule) | 1;
	size_t n = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < SLOTS && n < most; i++) {
		slot *s = &slots[i];
		if (s->rule != hash || s->window != window || !s->shown[0])
			continue;
		forward(s, now / (window / PARTS));
		if (sum(s) > limit)
			memcpy(keys[n++].shown, s->shown, sizeof s->shown);
	}
	pthread_mutex_unlock(&lock);
	return n;
}
