#include "cache.h"
#include "cloud/server.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <pthread.h>

#define STOPPERS 8

typedef struct cache_node {
	cache_seen seen; /* first */
	redis *engine;
	arena *mem;
	int users; /* who wants it to stay, without the lock */
	struct cache_node *next;
} node;

/* What runs, and the one lock for the list. Starting and stopping happen outside it: a unit has one job at a
 * time. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	node *first;
	arena *mem; /* of the server: the root's name */
	str root;
} nodes = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

/* Units that something is being done to. */
typedef struct busy {
	str unit;
	struct busy *next;
} busy;
static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	busy *first;
} units = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

static bool is_busy(str unit)
{
	for (busy *b = units.first; b; b = b->next)
		if (str_eq(b->unit, unit))
			return true;
	return false;
}

void cache_unit_take(arena *mem, str unit)
{
	busy *b = arena_new(mem, busy);
	pthread_mutex_lock(&units.lock);
	while (is_busy(unit))
		pthread_cond_wait(&units.left, &units.lock);
	*b = (busy){ unit, units.first };
	units.first = b;
	pthread_mutex_unlock(&units.lock);
}

void cache_unit_leave(str unit)
{
	pthread_mutex_lock(&units.lock);
	busy **at = &units.first;
	while (!str_eq((*at)->unit, unit))
		at = &(*at)->next;
	*at = (*at)->next;
	pthread_cond_broadcast(&units.left);
	pthread_mutex_unlock(&units.lock);
}

str cache_root(void) { return nodes.root; }

static node *find(str folder)
{
	node *n = nodes.first;
	while (n && !str_eq(n->seen.folder, folder))
		n = n->next;
	return n;
}

bool cache_node_runs(str folder)
{
	pthread_mutex_lock(&nodes.lock);
	bool runs = find(folder) != NULL;
	pthread_mutex_unlock(&nodes.lock);
	return runs;
}

static node *hold(str folder)
{
	pthread_mutex_lock(&nodes.lock);
	node *n = find(folder);
	if (n)
		n->users++;
	pthread_mutex_unlock(&nodes.lock);
	return n;
}

static void leave(node *n)
{
	pthread_mutex_lock(&nodes.lock);
	n->users--;
	pthread_cond_broadcast(&nodes.left);
	pthread_mutex_unlock(&nodes.lock);
}

err cache_node_start(arena *a, const redis_spec *spec, const elasticache_cluster *c)
{
	redis *engine;
	if (cache_node_runs(c->Folder))
		return OK;
	TRY(redis_start(a, spec, &engine));
	arena *mem = arena_open(512);
	node *n = arena_new(mem, node);
	*n = (node){ .mem = mem,
		         .engine = engine,
		         .seen = { .folder = arena_str(mem, c->Folder),
		                   .account = arena_str(mem, c->Account),
		                   .region = arena_str(mem, c->Region),
		                   .id = arena_str(mem, c->Id),
		                   .at_us = clock_mono_us(),
		                   .at = clock_now() } };
	pthread_mutex_lock(&nodes.lock);
	n->next = nodes.first;
	nodes.first = n;
	pthread_mutex_unlock(&nodes.lock);
	return OK;
}

static node *take(str folder)
{
	pthread_mutex_lock(&nodes.lock);
	node **at = &nodes.first;
	while (*at && str_is(folder) && !str_eq((*at)->seen.folder, folder))
		at = &(*at)->next;
	node *n = *at;
	if (n)
		*at = n->next;
	while (n && n->users)
		pthread_cond_wait(&nodes.left, &nodes.lock);
	pthread_mutex_unlock(&nodes.lock);
	return n;
}

static void end(node *n, bool keep)
{
	redis_stop(n->engine, keep);
	arena_close(n->mem);
}

void cache_node_stop(str folder, bool keep)
{
	node *n = take(folder);
	if (n)
		end(n, keep);
}

err cache_node_ask(arena *a, str folder, const str *words, size_t n, redis_reply *out)
{
	node *held = hold(folder);
	if (!held)
		return fault_new(a, &fault_system, "%.*s: the node is not running", STR_ARG(folder));
	err e = redis_ask(a, held->engine, words, n, out);
	leave(held);
	return e;
}

err cache_node_save(arena *a, str folder, str path, int64_t *bytes)
{
	node *held = hold(folder);
	if (!held)
		return fault_new(a, &fault_system, "%.*s: the node is not running", STR_ARG(folder));
	err e = redis_save(a, held->engine, path, bytes);
	leave(held);
	return e;
}

void cache_nodes_each(void (*look)(void *context, cache_seen *s, engine_process *e), void *context)
{
	pthread_mutex_lock(&nodes.lock);
	for (node *n = nodes.first; n; n = n->next)
		look(context, &n->seen, redis_engine(n->engine));
	pthread_mutex_unlock(&nodes.lock);
}

/* What ran when the server ended runs again: by tasks, which begin when everything else has. */
static bool resume(void *context, txn *tx)
{
	arena *mem = txn_arena(tx);
	(void)context;
	record_scan s = elasticache_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_cluster *c; (c = elasticache_cluster_next(&s));)
		if (!str_is(c->It->ReplicationGroupId) && str_empty(c->Job))
			task_add(tx, "elasticache_resume",
			         arena_fmt(mem, "c %.*s", STR_ARG(cache_place(mem, c->Account, c->Region, c->Id))), 0);
	record_scan t = elasticache_group_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (elasticache_group *g; (g = elasticache_group_next(&t));)
		if (str_empty(g->Job))
			task_add(tx, "elasticache_resume",
			         arena_fmt(mem, "g %.*s", STR_ARG(cache_place(mem, g->Account, g->Region, g->Id))), 0);
	return true;
}

static err start(store *s, str data_folder)
{
	nodes.mem = arena_open(512);
	nodes.root = path_join(nodes.mem, data_folder, S("redis"));
	TRY(store_write(s, resume, NULL));
	cache_watch_start(s);
	return OK;
}

static void *stopper(void *context)
{
	(void)context;
	for (node *n; (n = take(STR_NONE));)
		end(n, true);
	return NULL;
}

static void stop(void)
{
	pthread_t threads[STOPPERS];
	int n = 0;
	cache_watch_stop();
	while (n < STOPPERS && pthread_create(&threads[n], NULL, stopper, NULL) == 0)
		n++;
	stopper(NULL);
	while (n--)
		pthread_join(threads[n], NULL);
	if (nodes.mem)
		arena_close(nodes.mem);
	nodes.mem = NULL;
}

SERVER_PART(elasticache, start, stop);
