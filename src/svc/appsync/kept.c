/*
 * Schemas that have been read are kept, one for an API as long as its text is the same, so that a request
 * does
 * not read one again. They do not change; whoever uses one holds it until the arena of his request ends.
 */
#include "plane.h"
#include <pthread.h>

#define SLOTS 32
#define KEPT_BYTES ((size_t)8 << 20)

typedef struct kept {
	arena *mem;
	str api, text;
	gql_schema *schema;
	int holders;
	bool replaced;       /* it ends with its last holder */
} kept;

static kept *slots[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void put_back(void *subject)
{
	kept *k = subject;
	pthread_mutex_lock(&lock);
	bool last = --k->holders == 0 && k->replaced;
	pthread_mutex_unlock(&lock);
	if (last)
		arena_close(k->mem);
}

static kept *held(str api, str text)
{
	pthread_mutex_lock(&lock);
	kept *k = slots[str_hash(api) % SLOTS];
	bool same = k && str_eq(k->api, api) && str_eq(k->text, text);
	if (same)
		k->holders++;
	pthread_mutex_unlock(&lock);
	return same ? k : NULL;
}

gql_schema *graphql_schema(arena *mem, str api, str text)
{
	gql_problem p;
	kept *k = held(api, text), *before;
	if (k) {
		arena_hook(mem, put_back, k);
		return k->schema;
	}
	arena *own = arena_open(16384);
	k = arena_new(own, kept);
	*k = (kept){ .mem = own, .api = arena_str(own, api), .text = arena_str(own, text), .holders = 1 };
	k->schema = gql_parse_schema(own, k->text, &p);
	arena_hook(mem, put_back, k);
	if (!k->schema || arena_used(own) > KEPT_BYTES) {
		k->replaced = true;
		return k->schema;
	}
	pthread_mutex_lock(&lock);
	before = slots[str_hash(api) % SLOTS];
	slots[str_hash(api) % SLOTS] = k;
	bool unused = before && before->holders == 0;
	if (before)
		before->replaced = true;
	pthread_mutex_unlock(&lock);
	if (unused)
		arena_close(before->mem);
	return k->schema;
}
