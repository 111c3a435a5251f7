#include "base/time.h"
#include "cache.h"
#include "cloud/metrics.h"
#include "store/due.h"
#include "sys/clock.h"
#include <pthread.h>

#define LOOK_MS 1000
#define STEP_MS 20 /* how soon it notices that it shall end */

static struct {
	pthread_mutex_t lock;
	pthread_t thread;
	bool stop, started;
	store *store;
} watcher = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct finding {
	struct finding *next;
	cache_seen seen;
	int64_t cpu_ms, passed_us, from_minute, to_minute;
	double cpu_share;
	str info;
	cache_counts now;
} finding;

typedef struct looking {
	arena *mem;
	finding *first;
	int64_t now;
} looking;

static void look(void *context, cache_seen *s, engine_process *e)
{
	looking *l = context;
	finding *f = arena_new(l->mem, finding);
	int64_t us = clock_mono_us(), minute = l->now / MS_MINUTE;
	int64_t passed = us - s->at_us, turned = (l->now - s->at) * 1000;
	*f = (finding){ .next = l->first, .seen = *s, .cpu_ms = engine_cpu_ms(e) };
	f->seen.folder = arena_str(l->mem, s->folder);
	f->seen.account = arena_str(l->mem, s->account);
	f->seen.region = arena_str(l->mem, s->region);
	f->seen.id = arena_str(l->mem, s->id);
	f->passed_us = turned > passed ? turned : passed;
	f->to_minute = minute;
	f->from_minute = s->minute && s->minute < minute ? s->minute : minute - (s->minute == 0);
	l->first = f;
	if (f->from_minute == f->to_minute)
		return;
	if (f->passed_us > 0 && f->cpu_ms >= s->cpu_ms)
		f->cpu_share = (double)(f->cpu_ms - s->cpu_ms) * 1000 / (double)f->passed_us;
	s->cpu_ms = f->cpu_ms;
	s->at_us = us;
	s->at = l->now;
	s->minute = minute;
}

/* A moment, or what was the same every minute from one to the other. */
typedef struct moment {
	int64_t when, until; /* until: 0 for a moment */
} moment;

static void point(const finding *f, const char *name, const char *unit, double v, moment at)
{
	metric_point p = { .account = f->seen.account,
		               .region = f->seen.region,
		               .name_space = S("AWS/ElastiCache"),
		               .name = str_c(name),
		               .unit = str_c(unit),
		               .when = at.when,
		               .until = at.until,
		               .value = v,
		               .n_dimensions = 1 };
	p.dimensions[0] = (metric_dimension){ S("CacheClusterId"), f->seen.id };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("CacheNodeId"), S("0001") };
	metric_later(&p);
}

static int64_t number(const finding *f, const char *name)
{
	int64_t v = 0;
	str_to_i64(redis_info_value(f->info, name), &v);
	return v;
}

/* db0:keys=3,expires=0,avg_ttl=0 */
static int64_t items(const finding *f)
{
	int64_t sum = 0, v;
	for (str rest = f->info; str_is(rest);) {
		str line = str_trim(str_cut(&rest, '\n'));
		size_t at = str_find(line, S(":keys="));
		str n = at == SIZE_MAX ? S("") : str_sub(line, at + 6, line.n);
		if (str_starts(line, S("db")) && str_to_i64(str_cut(&n, ','), &v))
			sum += v;
	}
	return sum;
}

/* Less than a minute ago means that it has started again. */
static int64_t since(int64_t now, int64_t before) { return now >= before ? now - before : now; }

static void counters(const finding *f, moment at)
{
	const cache_counts *a = &f->now, *b = &f->seen.before;
	const struct { const char *name, *unit; int64_t now, before; } all[] = {
		{ "CacheHits", "Count", a->hits, b->hits },
		{ "CacheMisses", "Count", a->misses, b->misses },
		{ "Evictions", "Count", a->evicted, b->evicted },
		{ "Reclaimed", "Count", a->expired, b->expired },
		{ "NewConnections", "Count", a->connections, b->connections },
		{ "NetworkBytesIn", "Bytes", a->in, b->in },
		{ "NetworkBytesOut", "Bytes", a->out, b->out },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		point(f, all[i].name, all[i].unit, (double)since(all[i].now, all[i].before), at);
	int64_t hits = since(a->hits, b->hits), misses = since(a->misses, b->misses);
	if (hits + misses)
		point(f, "CacheHitRate", "Percent", (double)hits * 100 / (double)(hits + misses), at);
}

static void gauges(const finding *f, const elasticache_cluster *c, moment at)
{
	const node_type *type = cache_node_type_find(c->It->CacheNodeType);
	int64_t used = number(f, "used_memory"), most = number(f, "maxmemory");
	double engine = f->cpu_share * 100, host = type ? engine / type->vcpu : engine;
	point(f, "CPUUtilization", "Percent", host < 100 ? host : 100, at);
	point(f, "EngineCPUUtilization", "Percent", engine < 100 ? engine : 100, at);
	int64_t clients = number(f, "connected_clients") - 1; /* but for the one that asks */
	point(f, "CurrConnections", "Count", (double)(clients > 0 ? clients : 0), at);
	point(f, "CurrItems", "Count", (double)items(f), at);
	point(f, "BytesUsedForCache", "Bytes", (double)used, at);
	if (most)
		point(f, "DatabaseMemoryUsagePercentage", "Percent", (double)used * 100 / (double)most, at);
	double left = type ? (double)((int64_t)type->memory_mib << 20) - (double)number(f, "used_memory_rss") : 0;
	point(f, "FreeableMemory", "Bytes", left > 0 ? left : 0, at);
	point(f, "IsMaster", "Count", str_eq(redis_info_value(f->info, "role"), S("master")), at);
	if (str_is(c->It->ReplicationGroupId) && !c->Primary)
		point(f, "ReplicationLag", "Seconds", (double)number(f, "master_last_io_seconds_ago"), at);
}

static bool ask(arena *mem, finding *f)
{
	redis_reply r;
	if (CACHE_ASK(mem, f->seen.folder, &r, S("INFO")))
		return false;
	f->info = r.text;
	f->now = (cache_counts){ .hits = number(f, "keyspace_hits"),
		                     .misses = number(f, "keyspace_misses"),
		                     .evicted = number(f, "evicted_keys"),
		                     .expired = number(f, "expired_keys"),
		                     .connections = number(f, "total_connections_received"),
		                     .in = number(f, "total_net_input_bytes"),
		                     .out = number(f, "total_net_output_bytes") };
	return true;
}

static void remember(void *context, cache_seen *s, engine_process *e)
{
	const finding *f = context;
	(void)e;
	if (!str_eq(s->folder, f->seen.folder))
		return;
	s->before = f->now;
}

typedef struct fallen {
	arena *mem;
	const elasticache_cluster *c;
} fallen;

static bool another_primary(void *context, txn *tx)
{
	fallen *x = context;
	elasticache_group *g =
		elasticache_group_get(tx, x->mem, x->c->Account, x->c->Region, x->c->It->ReplicationGroupId);
	if (!g || !str_empty(g->Job) || !str_eq(g->It->Status, S("available")))
		return true;
	g->Wanted = x->c->NodeGroup;
	cache_event_add(tx, g->Account, g->Region, "replication-group", g->Id,
	                arena_fmt(x->mem, "Failover from primary node %.*s started", STR_ARG(x->c->Id)));
	cache_group_job(tx, g, S("modifying"), S("failover"));
	return true;
}

/* A primary that fell has come back as a replica: one of those that have its data takes over. */
static void replace(arena *mem, finding *f, const elasticache_cluster *c)
{
	redis_reply r;
	if (!str_is(c->It->ReplicationGroupId) || !c->Primary ||
	    CACHE_ASK(mem, f->seen.folder, &r, S("INFO"), S("replication")) ||
	    !str_eq(redis_info_value(r.text, "role"), S("slave")))
		return;
	fallen x = { mem, c };
	store_write(watcher.store, another_primary, &x);
}

static void tell(arena *mem, finding *f)
{
	const txn *tx = store_read(watcher.store);
	elasticache_cluster *c = elasticache_cluster_get(tx, mem, f->seen.account, f->seen.region, f->seen.id);
	store_read_end(watcher.store, tx);
	if (!c)
		return;
	replace(mem, f, c);
	if (f->from_minute == f->to_minute || !ask(mem, f))
		return;
	int64_t first = (f->from_minute + 1) * MS_MINUTE, now = f->to_minute * MS_MINUTE;
	if (first < now)
		gauges(f, c, (moment){ first, now - MS_MINUTE });
	gauges(f, c, (moment){ now, 0 });
	counters(f, (moment){ now, 0 });
	cache_nodes_each(remember, f);
}

static void *run(void *context)
{
	(void)context;
	pthread_mutex_lock(&watcher.lock);
	while (!watcher.stop) {
		for (int waited = 0; waited < LOOK_MS && !watcher.stop; waited += STEP_MS) {
			pthread_mutex_unlock(&watcher.lock);
			clock_sleep_ms(STEP_MS);
			pthread_mutex_lock(&watcher.lock);
		}
		if (watcher.stop)
			break;
		pthread_mutex_unlock(&watcher.lock);
		looking l = { .mem = arena_open(4096), .now = clock_now() };
		cache_nodes_each(look, &l);
		for (finding *f = l.first; f; f = f->next)
			tell(l.mem, f);
		arena_close(l.mem);
		pthread_mutex_lock(&watcher.lock);
	}
	pthread_mutex_unlock(&watcher.lock);
	return NULL;
}

void cache_watch_start(store *s)
{
	watcher.store = s;
	watcher.stop = false;
	watcher.started = pthread_create(&watcher.thread, NULL, run, NULL) == 0;
}

void cache_watch_stop(void)
{
	if (!watcher.started)
		return;
	pthread_mutex_lock(&watcher.lock);
	watcher.stop = true;
	pthread_mutex_unlock(&watcher.lock);
	pthread_join(watcher.thread, NULL);
	watcher.started = false;
}
