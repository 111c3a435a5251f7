#include "pool.h"
#include "base/map.h"
#include "base/text.h"
#include "base/time.h"
#include "cloud/event_log.h"
#include "provision.h"
#include "sys/clock.h"
#include "sys/rand.h"
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define IDLE_US (INT64_C(600) * 1000000)
#define LOOK_EVERY_MS 5000
#define IDLE_MAX 256
#define REST_US 1000
#define SETTLE_US (INT64_C(900) * 1000000)
#define BUCKETS 1024
#define HALT_GRACE_S 3
#define CREDENTIAL_SPARE_MS (10 * INT64_C(60000))

/* How many run: of a function with reserved concurrency, or of all others of an account and region. */
typedef struct counter {
	int64_t running;
} counter;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t reaper;
	store *store;
	environment *idle; /* the last used first */
	environment *provisioned;
	int n_idle;
	arena *mem;        /* boot: counters stay, one for each function that ever had a reservation */
	map counters;
	int64_t entered;   /* invocations under way */
	pthread_cond_t left;
	bool running, look;
} pool_ = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
	.left = PTHREAD_COND_INITIALIZER };

/* Holds the lock. */
static counter *counter_of(str key)
{
	counter *c = map_get(&pool_.counters, key);
	if (!c) {
		c = arena_new(pool_.mem, counter);
		map_put(&pool_.counters, arena_str(pool_.mem, key), c);
	}
	return c;
}

typedef struct key_text { char text[160]; str s; } key_text;

static void counter_key(key_text *k, const target *t)
{
	const lambda_function *fn = t->function;
	bool own = fn->Reserved != 0;
	int n = snprintf(k->text, sizeof k->text, "%.*s/%.*s%s%.*s", STR_ARG(fn->Account), STR_ARG(fn->Region),
	                 own ? "/" : "", own ? (int)fn->Name.n : 0, fn->Name.p);
	k->s = str_of(k->text, (size_t)n);
}

/* What is left to functions without a reservation. Asked only when a hundred of them run. */
static int64_t unreserved(const lambda_function *fn)
{
	arena *mem = arena_open(4096);
	const txn *tx = store_read(pool_.store);
	int64_t left = LAMBDA_CONCURRENCY;
	record_scan s = lambda_function_scan(tx, mem, 2, fn->Account, fn->Region, STR_NONE);
	for (lambda_function *f; (f = lambda_function_next(&s));)
		left -= f->Reserved ? f->Reserved - 1 : 0;
	store_read_end(pool_.store, tx);
	arena_close(mem);
	return left;
}

refusal pool_enter(const target *t)
{
	key_text k;
	counter_key(&k, t);
	refusal r = TAKEN;
	bool own = t->function->Reserved != 0;
	pthread_mutex_lock(&pool_.lock);
	counter *c = counter_of(k.s);
	int64_t limit = own ? t->function->Reserved - 1 : LAMBDA_CONCURRENCY;
	if (!own && c->running >= LAMBDA_UNRESERVED_MIN)
		limit = unreserved(t->function);
	c->running++;
	pool_.entered++;
	if (c->running > limit) {
		c->running--;
		pool_.entered--;
		r = own ? THROTTLED_RESERVED : THROTTLED_ACCOUNT;
	}
	pthread_mutex_unlock(&pool_.lock);
	return r;
}

void pool_leave(const target *t)
{
	key_text k;
	counter_key(&k, t);
	pthread_mutex_lock(&pool_.lock);
	counter_of(k.s)->running--;
	if (--pool_.entered == 0)
		pthread_cond_broadcast(&pool_.left);
	pthread_mutex_unlock(&pool_.lock);
}

int64_t pool_running(const target *t)
{
	key_text k;
	counter_key(&k, t);
	pthread_mutex_lock(&pool_.lock);
	int64_t n = counter_of(k.s)->running;
	pthread_mutex_unlock(&pool_.lock);
	return n;
}

/* Holds the lock. */
static void no_more_provisioned(environment *e)
{
	environment **at = &pool_.provisioned;
	if (!e->provisioned)
		return;
	while (*at != e)
		at = &(*at)->next_provisioned;
	*at = e->next_provisioned;
	e->provisioned = false;
}

static void end(environment *e)
{
	pthread_mutex_lock(&pool_.lock);
	bool missed = e->provisioned;
	no_more_provisioned(e);
	pthread_mutex_unlock(&pool_.lock);
	if (missed)
		provision_look();
	function_stop(e->fe);
	arena_close(e->scratch);
	arena_close(e->mem);
}

static bool fits(const environment *e, const target *t, int64_t now)
{
	return e->generation == t->version->Generation && e->instance == t->function->Instance &&
	       e->credentials_until - CREDENTIAL_SPARE_MS >= now && str_eq(e->name, t->version->Name);
}

/* Holds the lock. */
static environment *take_one(const target *t, bool provisioned)
{
	int64_t now = clock_now();
	for (environment **at = &pool_.idle; *at; at = &(*at)->next) {
		environment *e = *at;
		if (e->provisioned != provisioned || !fits(e, t, now))
			continue;
		*at = e->next;
		pool_.n_idle -= !e->provisioned;
		e->busy = true;
		return e;
	}
	return NULL;
}

environment *pool_take(const target *t)
{
	pthread_mutex_lock(&pool_.lock);
	environment *found = pool_.provisioned ? take_one(t, true) : NULL;
	if (!found)
		found = take_one(t, false);
	pthread_mutex_unlock(&pool_.lock);
	if (found && !function_alive(found->fe)) {
		end(found);
		return pool_take(t);
	}
	return found;
}

environment *pool_make(const target *t, const char *initialization)
{
	arena *mem = arena_open(2048);
	const lambda_version *v = t->version;
	environment *e = arena_new(mem, environment);
	unsigned char id[16];
	rand_bytes(id, sizeof id);
	int64_t now = clock_now();
	civil c = time_civil(now);
	*e = (environment){ .mem = mem, .scratch = arena_open(1024), .name = arena_str(mem, v->Name),
	                   .account = arena_str(mem, v->Account),
		.region = arena_str(mem, v->Region), .number = v->Number, .generation = v->Generation,
		.instance = t->function->Instance, .initialization = initialization, .busy = true,
		.group = arena_str(mem, v->Config->LoggingConfig->LogGroup),
		.json_log = str_eq(v->Config->LoggingConfig->LogFormat, S("JSON")) };
	str hex = hex_encode(mem, str_of((char *)id, sizeof id)), version = version_text(mem, v->Number);
	e->stream = arena_fmt(mem, "%04d/%02d/%02d/[%.*s]%.*s", c.year, c.month, c.day, STR_ARG(version),
	                      STR_ARG(hex));
	return e;
}

void pool_drop(environment *e)
{
	end(e);
}

/* Back among the idle; the one unused for longest makes room. */
static void keep(environment *e)
{
	environment *oldest = NULL;
	e->idle_since_us = clock_mono_us();
	pthread_mutex_lock(&pool_.lock);
	if (!pool_.running) {
		oldest = e;
	} else {
		e->next = pool_.idle;
		e->busy = false;
		pool_.idle = e;
		pool_.n_idle += !e->provisioned;
		environment **last = NULL;
		for (environment **at = &pool_.idle; pool_.n_idle > IDLE_MAX && *at; at = &(*at)->next)
			last = (*at)->provisioned ? last : at;
		if (last) {
			oldest = *last;
			*last = oldest->next;
			pool_.n_idle--;
		}
	}
	pthread_mutex_unlock(&pool_.lock);
	if (oldest)
		end(oldest);
}

void pool_add(environment *e)
{
	pthread_mutex_lock(&pool_.lock);
	if (e->provisioned) {
		e->next_provisioned = pool_.provisioned;
		pool_.provisioned = e;
	}
	pthread_mutex_unlock(&pool_.lock);
	keep(e);
}

void pool_provisioned(int64_t instance, int64_t generation, int64_t *live, int64_t *idle)
{
	*live = *idle = 0;
	pthread_mutex_lock(&pool_.lock);
	for (environment *e = pool_.provisioned; e; e = e->next_provisioned)
		if (e->instance == instance && e->generation == generation) {
			*live += 1;
			*idle += !e->busy;
		}
	pthread_mutex_unlock(&pool_.lock);
}

void pool_trim(bool (*wanted)(void *context, const environment *e), void *context)
{
	environment *out = NULL;
	int64_t now = clock_now();
	pthread_mutex_lock(&pool_.lock);
	for (environment *e = pool_.provisioned, *next; e; e = next) {
		next = e->next_provisioned;
		bool lasting = e->credentials_until - CREDENTIAL_SPARE_MS >= now;
		if (lasting && wanted(context, e))
			continue;
		no_more_provisioned(e); /* a busy one is ordinary from now on */
		if (e->busy) {
			continue;
		}
		environment **at = &pool_.idle;
		while (*at && *at != e)
			at = &(*at)->next;
		if (*at) {
			*at = e->next;
			e->next = out;
			out = e;
		}
	}
	pthread_mutex_unlock(&pool_.lock);
	for (environment *next; out; out = next) {
		next = out->next;
		end(out);
	}
}

/* For a runtime that has answered but does not ask for more yet: it runs on until it does. */
static void *settle(void *argument)
{
	environment *e = argument;
	bool ended;
	if (function_rest(e->fe, SETTLE_US, &ended))
		keep(e);
	else
		end(e);
	return NULL;
}

void pool_give(environment *e, bool ended)
{
	pthread_attr_t small;
	pthread_t thread;
	if (ended) {
		end(e);
		return;
	}
	if (function_rest(e->fe, REST_US, &ended)) {
		keep(e);
		return;
	}
	pthread_attr_init(&small);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&small, 256 << 10);
	if (ended || pthread_create(&thread, &small, settle, e))
		end(e);
	pthread_attr_destroy(&small);
}

static bool stale(const txn *tx, arena *mem, const environment *e)
{
	lambda_function *fn = lambda_function_get(tx, mem, e->account, e->region, e->name);
	lambda_version *v = lambda_version_get(tx, mem, e->account, e->region, e->name, e->number);
	return !fn || !v || fn->Instance != e->instance || v->Generation != e->generation;
}

/* Holds the lock. Takes out what is stale or has been idle for long. */
static environment *sweep(arena *mem)
{
	environment *out = NULL;
	int64_t now = clock_mono_us();
	const txn *tx = pool_.look ? store_read(pool_.store) : NULL;
	for (environment **at = &pool_.idle; *at;) {
		environment *e = *at;
		if ((e->provisioned || now - e->idle_since_us < IDLE_US) && !(tx && stale(tx, mem, e)) &&
		    function_alive(e->fe)) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		pool_.n_idle -= !e->provisioned;
		e->next = out;
		out = e;
	}
	if (tx)
		store_read_end(pool_.store, tx);
	pool_.look = false;
	return out;
}

static void *reap(void *unused)
{
	arena *mem = arena_open(8192);
	pthread_mutex_lock(&pool_.lock);
	while (pool_.running) {
		environment *gone = sweep(mem);
		pthread_mutex_unlock(&pool_.lock);
		for (environment *next; gone; gone = next) {
			next = gone->next;
			end(gone);
		}
		arena_reset(mem);
		pthread_mutex_lock(&pool_.lock);
		int64_t at = clock_real() + LOOK_EVERY_MS;
		struct timespec until = { at / 1000, at % 1000 * 1000000 };
		int late = 0;
		while (pool_.running && !pool_.look && !late)
			late = pthread_cond_timedwait(&pool_.changed, &pool_.lock, &until);
	}
	pthread_mutex_unlock(&pool_.lock);
	arena_close(mem);
	return unused;
}

static void look(void *unused)
{
	pthread_mutex_lock(&pool_.lock);
	pool_.look = true;
	pthread_cond_broadcast(&pool_.changed);
	pthread_mutex_unlock(&pool_.lock);
}

void pool_changed(txn *tx)
{
	txn_on_commit(tx, look, NULL);
}

void pool_start(store *s)
{
	pool_.store = s;
	pool_.mem = pool_.mem ? pool_.mem : arena_open(4096);
	pool_.counters = map_in(pool_.mem, 64);
	pool_.running = true;
	function_halt(false);
	ensure(pthread_create(&pool_.reaper, NULL, reap, NULL) == 0);
}

void pool_halt(void)
{
	struct timespec until = { clock_real() / 1000 + HALT_GRACE_S, 0 };
	pthread_mutex_lock(&pool_.lock);
	int late = 0;
	while (pool_.entered && !late)
		late = pthread_cond_timedwait(&pool_.left, &pool_.lock, &until);
	pthread_mutex_unlock(&pool_.lock);
	function_halt(true);
}

void pool_stop(void)
{
	pthread_mutex_lock(&pool_.lock);
	pool_.running = false;
	environment *all = pool_.idle;
	pool_.idle = NULL;
	pool_.n_idle = 0;
	pthread_cond_broadcast(&pool_.changed);
	pthread_mutex_unlock(&pool_.lock);
	pthread_join(pool_.reaper, NULL);
	for (environment *next; all; all = next) {
		next = all->next;
		end(all);
	}
	sandbox_drain();
}

static void keep_tail(environment *e, str s)
{
	if (s.n >= TAIL_BYTES) {
		memcpy(e->tail, s.p + s.n - TAIL_BYTES, TAIL_BYTES);
		e->tail_n = TAIL_BYTES;
		return;
	}
	if (e->tail_n + s.n > TAIL_BYTES) {
		size_t cut = e->tail_n + s.n - TAIL_BYTES;
		memmove(e->tail, e->tail + cut, e->tail_n - cut);
		e->tail_n -= cut;
	}
	memcpy(e->tail + e->tail_n, s.p, s.n);
	e->tail_n += s.n;
}

/* On the thread that runs the environment. */
void environment_log(environment *e, str line)
{
	arena *mem = e->scratch;
	str text = arena_concat(mem, line, S("\n"));
	log_later(e->account, e->region, e->group, e->stream, clock_now(), text);
	if (e->tail)
		keep_tail(e, text);
	arena_reset(mem);
}
