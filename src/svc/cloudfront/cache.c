#include "cache.h"
#include "base/text.h"
#include <pthread.h>

#define BUCKETS 16384

static struct {
	pthread_mutex_t lock;
	cache_entry *table[BUCKETS];
	cache_entry *newest, *oldest;
	size_t bytes;
	uint64_t generation;
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static cache_entry **bucket_of(str dist, str key)
{
	return &cache.table[(str_hash(key) ^ str_hash(dist)) % BUCKETS];
}

static void unlink_age(cache_entry *e)
{
	*(e->newer ? &e->newer->older : &cache.newest) = e->older;
	*(e->older ? &e->older->newer : &cache.oldest) = e->newer;
	e->newer = e->older = NULL;
}

static void link_newest(cache_entry *e)
{
	e->older = cache.newest;
	*(cache.newest ? &cache.newest->newer : &cache.oldest) = e;
	cache.newest = e;
}

static void let_go(cache_entry *e)
{
	if (e->dropped && !e->held)
		arena_close(e->mem);
}

/* Out of the table; its bytes live on while somebody sends them. */
static void drop(cache_entry *e)
{
	cache_entry **at = bucket_of(e->dist, e->key);
	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_age(e);
	cache.bytes -= e->bytes;
	e->dropped = true;
	let_go(e);
}

static cache_entry *look(str dist, str key)
{
	cache_entry *e = *bucket_of(dist, key);
	while (e && !(str_eq(e->key, key) && str_eq(e->dist, dist)))
		e = e->chain;
	return e;
}

static void release(void *subject)
{
	cache_entry *e = subject;
	pthread_mutex_lock(&cache.lock);
	e->held--;
	let_go(e);
	pthread_mutex_unlock(&cache.lock);
}

/* A copy of its own, whose times do not change while it is looked at. */
cache_entry *cache_find(arena *mem, str dist, str key)
{
	cache_entry *copy = NULL;
	pthread_mutex_lock(&cache.lock);
	cache_entry *e = look(dist, key);
	if (e) {
		e->held++;
		unlink_age(e);
		link_newest(e);
		copy = arena_new(mem, cache_entry);
		*copy = *e;
	}
	pthread_mutex_unlock(&cache.lock);
	if (e)
		arena_hook(mem, release, e);
	return copy;
}

uint64_t cache_generation(void)
{
	pthread_mutex_lock(&cache.lock);
	uint64_t g = cache.generation;
	pthread_mutex_unlock(&cache.lock);
	return g;
}

static cache_entry *copy_of(const cache_new *n)
{
	arena *mem = arena_open(4096);
	cache_entry *e = arena_new(mem, cache_entry);
	*e = (cache_entry){ .dist = arena_str(mem, n->dist), .key = arena_str(mem, n->key),
		            .path = arena_str(mem, n->path), .stored = n->now, .expires = n->expires, .mem = mem };
	e->answer =
		(wire_message){ .mem = mem, .status = n->answer->status, .body = arena_str(mem, n->answer->body) };
	for (size_t i = 0; i < n->answer->n_headers; i++)
		wire_header_add(&e->answer, arena_str(mem, n->answer->headers[i].name),
		                arena_str(mem, n->answer->headers[i].value));
	e->bytes = arena_used(mem);
	return e;
}

void cache_keep(const cache_new *n)
{
	if (n->answer->body.n > CACHE_OBJECT_BYTES)
		return;
	cache_entry *e = copy_of(n);
	pthread_mutex_lock(&cache.lock);
	if (n->generation != cache.generation) {
		pthread_mutex_unlock(&cache.lock);
		arena_close(e->mem);
		return;
	}
	cache_entry *had = look(e->dist, e->key), **at = bucket_of(e->dist, e->key);
	if (had)
		drop(had);
	e->chain = *at;
	*at = e;
	link_newest(e);
	cache.bytes += e->bytes;
	while (cache.bytes > CACHE_BYTES && cache.oldest != e)
		drop(cache.oldest);
	pthread_mutex_unlock(&cache.lock);
}

void cache_renew(cache_entry *e, int64_t now, int64_t expires)
{
	pthread_mutex_lock(&cache.lock);
	cache_entry *there = look(e->dist, e->key);
	if (there && there->mem == e->mem) {
		there->stored = now;
		there->expires = expires;
	}
	pthread_mutex_unlock(&cache.lock);
}

static bool path_matches(str pattern, str path)
{
	bool star = str_ends(pattern, S("*"));
	str begin = star ? str_sub(pattern, 0, pattern.n - 1) : pattern;
	return star ? str_starts(path, begin) : str_eq(path, begin);
}

/* A path without a query stands for what is asked with any. */
static bool named(const cache_entry *e, const str *paths, size_t n)
{
	str plain = str_sub(e->path, 0, str_find_char(e->path, '?'));
	for (size_t i = 0; i < n; i++)
		if (path_matches(paths[i], e->path) || path_matches(paths[i], plain))
			return true;
	return false;
}

void cache_invalidate(str dist, const str *paths, size_t n)
{
	pthread_mutex_lock(&cache.lock);
	cache.generation++;
	for (cache_entry *e = cache.newest, *next; e; e = next) {
		next = e->older;
		if (str_eq(e->dist, dist) && named(e, paths, n))
			drop(e);
	}
	pthread_mutex_unlock(&cache.lock);
}
