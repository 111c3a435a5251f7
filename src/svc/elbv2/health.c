/*
 * Health checks, made over the network while the server runs. One thread walks the targets of groups in use
 * and hands those whose time has come to a pool; intervals are of Farthing's clock, and after a leap as many
 * checks follow each other as thresholds can ask for. Counts of what was seen in a row are kept in memory; a
 * target's state is in its row, and written only when it changes.
 */
#include "base/time.h"
#include "cloud/server.h"
#include "sys/clock.h"
#include "sys/pool.h"
#include "visit.h"
#include "wire/http_client.h"
#include <pthread.h>

#define SLOTS 8192 /* targets looked at, all load balancers together */
#define WORKERS 16
#define LOOK_MS 200
#define IDLE_MS 1000
#define IN_A_ROW_MOST 10

typedef struct seen {
	uint64_t key; /* 0: nobody */
	int64_t next; /* Farthing's clock */
	int good, bad;
	bool under_way, kept;
} seen;

static struct {
	store *s;
	pool *workers;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stop, started, woken;
	int64_t minute;
	seen all[SLOTS];
} health = { .lock = PTHREAD_MUTEX_INITIALIZER };
atomic_bool elb_ends;

static void woken(void *nothing)
{
	(void)nothing;
	pthread_mutex_lock(&health.lock);
	health.woken = true;
	pthread_mutex_unlock(&health.lock);
}

void elb_health_wake(txn *tx) { txn_on_commit(tx, woken, &health); }

static uint64_t key_of(const elbv2_target *t)
{
	return (str_hash(t->Account) ^ str_hash(t->Region) * 3 ^ str_hash(t->Group) * 5 ^ str_hash(t->Id) * 7 ^
	        (uint64_t)t->Port * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)t->Since) | 1;
}

/* Locked. NULL: full. */
static seen *slot_of(uint64_t key)
{
	for (size_t i = 0; i < SLOTS; i++) {
		seen *s = &health.all[(key + i) % SLOTS];
		if (s->key == key || !s->key)
			return s;
	}
	return NULL;
}

/* Locked. Those that nobody mentioned in this walk go; the others are put where they are found. */
static void sweep(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		seen s = health.all[i];
		if (!s.key || s.under_way || s.kept)
			continue;
		health.all[i] = (seen){ 0 };
		for (size_t k = (i + 1) % SLOTS; health.all[k].key; k = (k + 1) % SLOTS) {
			seen moved = health.all[k];
			health.all[k] = (seen){ 0 };
			*slot_of(moved.key) = moved;
		}
	}
	for (size_t i = 0; i < SLOTS; i++)
		health.all[i].kept = false;
}

typedef struct probe {
	arena *mem;
	elbv2_group *g;
	elbv2_target *t;
	uint64_t key;
	int times;
	str state, reason, description; /* what is to be written */
} probe;

/* 200, 200-299, 200,202 */
static bool is_among(str codes, int status)
{
	while (str_is(codes)) {
		str to = str_cut(&codes, ','), from = str_cut(&to, '-');
		int64_t a = 0, b = 0;
		str_to_i64(from, &a);
		b = a;
		if (str_is(to))
			str_to_i64(to, &b);
		if (status >= a && status <= b)
			return true;
	}
	return false;
}

static str check_port(const probe *p)
{
	const elbv2_TargetGroup *g = p->g->It;
	return str_eq(g->HealthCheckPort, S("traffic-port"))
		? arena_fmt(p->mem, "%lld", (long long)elb_target_port(p->g, p->t)) : g->HealthCheckPort;
}

static bool failed_with(probe *p, err e, int64_t began_us)
{
	bool late = clock_mono_us() - began_us >= (p->g->It->HealthCheckTimeoutSeconds.v * 1000 - 50) * 1000;
	(void)e;
	p->reason = late ? elbv2_TargetHealthReasonEnum_Target_Timeout
	                 : elbv2_TargetHealthReasonEnum_Target_FailedHealthChecks;
	p->description = late ? S("Request timed out") : S("Health checks failed");
	return false;
}

/* One check. */
static bool look(probe *p)
{
	const elbv2_TargetGroup *g = p->g->It;
	str address = elb_target_address(p->mem, p->t), port = check_port(p);
	int timeout = (int)g->HealthCheckTimeoutSeconds.v * 1000;
	int64_t began = clock_mono_us();
	bool tls = str_eq(g->HealthCheckProtocol, S("HTTPS"));
	if (str_eq(g->HealthCheckProtocol, S("TCP"))) {
		err e = http_reach(p->mem, arena_fmt(p->mem, "http://%.*s:%.*s", STR_ARG(address), STR_ARG(port)),
		                   timeout);
		return e ? failed_with(p, e, began) : true;
	}
	str url = arena_fmt(p->mem, "%s://%.*s:%.*s%.*s", tls ? "https" : "http", STR_ARG(address), STR_ARG(port),
	                    STR_ARG(g->HealthCheckPath));
	wire_message m = { .mem = p->mem, .method = S("GET") }, answer = { .mem = p->mem };
	wire_header_add(&m, S("User-Agent"), S("ELB-HealthChecker/2.0"));
	http_client_options o = { .total_ms = timeout, .connect_ms = timeout, .trust_all = true,
		                      .end = &elb_ends };
	http_answer *from;
	err e = http_open(p->mem, url, &m, &o, &answer, &from);
	if (e)
		return failed_with(p, e, began);
	http_answer_close(from);
	if (is_among(g->Matcher->HttpCode, answer.status))
		return true;
	p->reason = elbv2_TargetHealthReasonEnum_Target_ResponseCodeMismatch;
	p->description = arena_fmt(p->mem, "Health checks failed with these codes: [%d]", answer.status);
	return false;
}

static bool note(void *context, txn *tx)
{
	probe *p = context;
	elbv2_target *t =
		elbv2_target_get(tx, p->mem, p->t->Account, p->t->Region, p->t->Group, p->t->Id, p->t->Port);
	if (!t || t->Until || t->Since != p->t->Since)
		return false;
	t->State = p->state;
	t->Reason = p->reason;
	t->Description = p->description;
	if (str_eq(t->State, elbv2_TargetHealthStateEnum_healthy))
		t->Healthy = clock_now();
	elbv2_target_put(tx, t);
	return true;
}

/* What so many of one kind in a row make of a target. */
static void judge(probe *p, bool good, int goods, int bads)
{
	const elbv2_TargetGroup *g = p->g->It;
	bool initial = str_eq(p->t->State, elbv2_TargetHealthStateEnum_initial);
	bool healthy = str_eq(p->t->State, elbv2_TargetHealthStateEnum_healthy);
	if (good && !healthy && (initial || goods >= g->HealthyThresholdCount.v)) {
		p->state = elbv2_TargetHealthStateEnum_healthy;
		p->reason = p->description = STR_NONE;
	} else if (!good && bads >= g->UnhealthyThresholdCount.v) {
		p->state = elbv2_TargetHealthStateEnum_unhealthy;
	} else if (!good && initial) {
		p->state = elbv2_TargetHealthStateEnum_initial;
		p->reason = elbv2_TargetHealthReasonEnum_Elb_InitialHealthChecking;
		p->description = S("Initial health checks in progress");
	} else {
		return;
	}
	if (str_eq(p->state, p->t->State) && str_eq(p->reason, p->t->Reason) &&
	    str_eq(p->description, p->t->Description))
		return;
	store_write(health.s, note, p);
	p->t->State = p->state;
	p->t->Reason = p->reason;
	p->t->Description = p->description;
}

static void run(void *argument)
{
	probe *p = argument;
	for (int i = 0; i < p->times; i++) {
		bool good = look(p);
		pthread_mutex_lock(&health.lock);
		seen *s = slot_of(p->key);
		s->good = good ? s->good + 1 : 0;
		s->bad = good ? 0 : s->bad + 1;
		int goods = s->good, bads = s->bad;
		bool stop = health.stop;
		pthread_mutex_unlock(&health.lock);
		if (stop)
			break;
		judge(p, good, goods, bads);
	}
	pthread_mutex_lock(&health.lock);
	slot_of(p->key)->under_way = false;
	pthread_mutex_unlock(&health.lock);
	arena_close(p->mem);
}

/* A copy of the rows with an arena of its own, for a worker. */
static void begin(const elbv2_group *g, const elbv2_target *t, uint64_t key, int times)
{
	arena *mem = arena_open(4096);
	probe *p = arena_new(mem, probe);
	const txn *tx = store_read(health.s);
	*p = (probe){ .mem = mem, .key = key, .times = times,
		          .g = elbv2_group_get(tx, mem, g->Account, g->Region, g->Name),
		          .t = elbv2_target_get(tx, mem, t->Account, t->Region, t->Group, t->Id, t->Port) };
	store_read_end(health.s, tx);
	ensure(p->g && p->t);
	pool_run(health.workers, run, p);
}

/* Locked. How often it is to be looked at now; 0: it is not its time. */
static int times_due(seen *s, const elbv2_TargetGroup *g, int64_t now)
{
	int64_t interval = g->HealthCheckIntervalSeconds.v * MS_SECOND;
	if (s->under_way || now < s->next)
		return 0;
	int64_t missed = s->next ? (now - s->next) / interval : 0;
	s->next = now + interval;
	s->under_way = true;
	return missed >= IN_A_ROW_MOST ? IN_A_ROW_MOST : (int)missed + 1;
}

typedef struct walk {
	arena *mem;
	int64_t now;
	bool minute; /* a new one: say how many are healthy */
	size_t n;
} walk;

static void visit_target(walk *w, const elbv2_group *g, const elbv2_target *t)
{
	uint64_t key = key_of(t);
	pthread_mutex_lock(&health.lock);
	seen *s = slot_of(key);
	int times = 0;
	if (s) {
		s->key = key;
		s->kept = true;
		times = times_due(s, g->It, w->now);
	}
	pthread_mutex_unlock(&health.lock);
	w->n++;
	if (times)
		begin(g, t, key, times);
}

static void visit_group(walk *w, const txn *tx, const elbv2_use *u)
{
	elbv2_group *g = elbv2_group_get(tx, w->mem, u->Account, u->Region, u->Group);
	elbv2_balancer *b = elb_balancer_at(tx, w->mem, u->Account, u->Region, elb_balancer_of(u->Place));
	int healthy = 0, unhealthy = 0;
	if (!g || !b || !g->It->HealthCheckEnabled.v || !str_eq(b->It->State->Code, S("active")))
		return;
	record_scan s = elbv2_target_scan(tx, w->mem, 3, g->Account, g->Region, g->Name, STR_NONE, 0);
	for (elbv2_target *t; (t = elbv2_target_next(&s));) {
		if (t->Until)
			continue;
		healthy += str_eq(t->State, elbv2_TargetHealthStateEnum_healthy);
		unhealthy += str_eq(t->State, elbv2_TargetHealthStateEnum_unhealthy);
		visit_target(w, g, t);
	}
	cursor_close(&s.at);
	if (w->minute)
		elb_tell_hosts(g, elb_balancer_path(b), healthy, unhealthy, w->now);
}

static size_t walk_all(void)
{
	walk w = { .mem = arena_open(4096), .now = clock_now() };
	w.minute = w.now / MS_MINUTE != health.minute;
	health.minute = w.now / MS_MINUTE;
	const txn *tx = store_read(health.s);
	str last = STR_NONE;
	record_scan s = elbv2_use_scan(tx, w.mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (elbv2_use *u; (u = elbv2_use_next(&s));) {
		str group =
			arena_fmt(w.mem, "%.*s %.*s %.*s", STR_ARG(u->Account), STR_ARG(u->Region), STR_ARG(u->Group));
		if (!str_eq(group, last))
			visit_group(&w, tx, u);
		last = group;
	}
	cursor_close(&s.at);
	store_read_end(health.s, tx);
	arena_close(w.mem);
	pthread_mutex_lock(&health.lock);
	sweep();
	pthread_mutex_unlock(&health.lock);
	return w.n;
}

static bool rest(int ms)
{
	for (int waited = 0; waited < ms; waited += 50) {
		pthread_mutex_lock(&health.lock);
		bool stop = health.stop, now = health.woken;
		pthread_mutex_unlock(&health.lock);
		if (stop || now)
			return !stop;
		clock_sleep_ms(50);
	}
	return true;
}

static void *watch(void *nothing)
{
	size_t n = 0;
	while (rest(n ? LOOK_MS : IDLE_MS)) {
		pthread_mutex_lock(&health.lock);
		bool changed = health.woken;
		health.woken = false;
		pthread_mutex_unlock(&health.lock);
		if (changed)
			elb_listen_look();
		if (changed || n)
			n = walk_all();
	}
	return nothing;
}

static err start(store *s, str data)
{
	(void)data;
	health.s = s;
	health.stop = false;
	atomic_store(&elb_ends, false);
	health.woken = true;
	health.workers = pool_open(WORKERS);
	memset(health.all, 0, sizeof health.all);
	elb_listen_start(s);
	health.started = pthread_create(&health.thread, NULL, watch, NULL) == 0;
	return OK;
}

/* In this order: a check that is broken off says nothing of its target. */
static void halt(void)
{
	pthread_mutex_lock(&health.lock);
	health.stop = true;
	pthread_mutex_unlock(&health.lock);
	atomic_store(&elb_ends, true);
}

static void stop(void)
{
	halt();
	if (health.started)
		pthread_join(health.thread, NULL);
	health.started = false;
	elb_listen_stop();
	pool_close(health.workers);
}
SERVER_PART_HALT(elbv2, start, stop, halt);
