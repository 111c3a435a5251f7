#include "base/json.h"
#include "base/buf.h"
#include "cloud/call.h"
#include "proxy.h"
#include "run/engine_relay.h"
#include "store/due.h"
#include "sys/clock.h"
#include <pthread.h>
#include <stdio.h>

/*
 * What runs for the proxies: one pool for each endpoint, and beside it a relay to the target. The pool always
 * reaches the relay, and the relay waits for a target that is there: so clients wait while the database
 * starts again or another instance takes over, and neither they nor the pool see more of it than a pause.
 */
#define SERVER_PORT 5431 /* of the relay, on the endpoint's own address */
#define CLIENT_PORT 5432
#define KEEP_MS 2000 /* how often it looks at what has changed by itself */
#define STEP_MS 20
#define SECRETS_US (5 * 60 * (int64_t)1000000)
#define SECRETS_AGAIN_US ((int64_t)10 * 1000000) /* while a target refuses what they said */
#define HEALTH_US ((int64_t)10 * 1000000)
#define POOL_UNREGISTERED 10
#define RESERVED 3 /* connections that PostgreSQL keeps for superusers */
#define IDLE_SERVER_SECONDS 600
#define LOOK_AGAIN_MS 50
#define ADDRESSES 4

typedef struct child {
	arena *mem;
	str account, region, proxy, folder, address;
	bool wanted, is_default;
	relay *relay;
	pgbouncer *pool;
	arena *secrets; /* holds the users; replaced when they are read again */
	pgbouncer_user *users;
	size_t n_users;
	int64_t read_us, looked_us;
	str looked_at; /* the target's folder when it was last tried */
	proxy_health health;
	struct child *next;
} child;

static struct {
	pthread_mutex_t lock; /* of settling: starting and stopping happen under it */
	pthread_mutex_t seen; /* of what others see: the list and the health */
	pthread_t thread;
	bool stop, started;
	child *first;
	store *store;
} proxies = { .lock = PTHREAD_MUTEX_INITIALIZER, .seen = PTHREAD_MUTEX_INITIALIZER };

proxy_health db_proxy_health(str account, str region, str name)
{
	proxy_health h = { 0 };
	pthread_mutex_lock(&proxies.seen);
	for (child *c = proxies.first; c; c = c->next)
		if (c->is_default && str_eq(c->proxy, name) && str_eq(c->account, account)
		    && str_eq(c->region, region))
			h = c->health;
	pthread_mutex_unlock(&proxies.seen);
	return h;
}

/* about: account region proxy role address */
static bool target_now(const char *about, char address[RELAY_ADDRESS], int *port, int64_t *patience_ms)
{
	arena *mem = arena_open(4096);
	postgres_client *client;
	str rest = str_c(about), account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
		name = str_cut(&rest, ' ');
	const txn *tx = store_read(proxies.store);
	rds_proxy *p = rds_proxy_get(tx, mem, account, region, name);
	rds_instance *i =
		p ? db_proxy_target(tx, mem, p, str_eq(rest, rds_DBProxyEndpointTargetRole_READ_ONLY)) : NULL;
	rds_cluster *c = i && str_is(i->It->DBClusterIdentifier)
		? rds_cluster_get(tx, mem, account, region, i->It->DBClusterIdentifier)
		: NULL;
	store_read_end(proxies.store, tx);
	*patience_ms = p ? p->Group->ConnectionPoolConfig->ConnectionBorrowTimeout.v * 1000 : 0;
	if (c && c->Paused)
		db_wake(mem, account, region, c->Id);
	bool ready = i && !db_engines_open(mem, i->Folder, S("postgres"), 0, &client);
	if (ready) {
		postgres_close(client);
		snprintf(address, RELAY_ADDRESS, "%.*s", STR_ARG(i->Address));
		*port = (int)(c ? c->It->Port.v : i->It->Endpoint->Port.v);
	}
	arena_close(mem);
	return ready;
}

static bool choose(const char *about, char address[RELAY_ADDRESS], int *port)
{
	int64_t patience_ms, from = clock_mono_us();
	while (!target_now(about, address, port, &patience_ms)) {
		if (clock_mono_us() - from > patience_ms * 1000 || __atomic_load_n(&proxies.stop, __ATOMIC_RELAXED))
			return false;
		clock_sleep_ms(LOOK_AGAIN_MS);
	}
	return true;
}

/* {"username":..,"password":..}; false: not readable, or not of that form. */
static bool secret_read(arena *a, req *rq, str arn, str user_given, pgbouncer_user *out)
{
	str answer;
	buf in = buf_in(a, 256, 4096);
	buf_put(&in, S("{\"SecretId\":"));
	json_put_string(&in, arn);
	buf_put(&in, S("}"));
	if (call_json(rq, NULL, "secretsmanager", "GetSecretValue", buf_str(&in), &answer))
		return false;
	const json_value *text = json_get(json_parse(rq->mem, answer), S("SecretString"));
	const json_value *both = text ? json_parse(rq->mem, text->text) : NULL;
	const json_value *user = json_get(both, S("username")), *password = json_get(both, S("password"));
	if (!password || (!user && !str_is(user_given)))
		return false;
	*out = (pgbouncer_user){ arena_str(a, user ? user->text : user_given), arena_str(a, password->text) };
	return str_is(out->password) && str_is(out->name);
}

static void secrets_read(child *c, const rds_proxy *p)
{
	arena *mem = arena_open(4096), *scratch = arena_open(4096);
	req *rq = req_internal(scratch, proxies.store, "rds.amazonaws.com", p->Account, p->Region);
	pgbouncer_user *users = arena_array(mem, pgbouncer_user, p->It->Auth.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < p->It->Auth.n; i++)
		if (secret_read(mem, rq, p->It->Auth.v[i].SecretArn, p->It->Auth.v[i].UserName, &users[n]))
			n++;
	usage_settle_later(rq);
	arena_close(scratch);
	if (c->secrets)
		arena_close(c->secrets);
	c->secrets = mem;
	c->users = users;
	c->n_users = n;
	c->read_us = clock_mono_us();
	c->looked_us = 0;
}

static bool md5_asked(const rds_proxy *p)
{
	return p->It->Auth.n
		&& str_eq(p->It->Auth.v[0].ClientPasswordAuthType, rds_ClientPasswordAuthType_POSTGRES_MD5);
}

static pgbouncer_spec spec_of(arena *a, const child *c, const rds_proxy *p, const rds_instance *target)
{
	const rds_ConnectionPoolConfigurationInfo *pool = p->Group->ConnectionPoolConfig;
	int most = target ? db_engines_connections(a, proxies.store, target) - RESERVED : POOL_UNREGISTERED;
	int64_t share = most * pool->MaxConnectionsPercent.v / 100;
	return (pgbouncer_spec){ .root = db_engines_root(),
		                     .name = c->folder,
		                     .address = c->address,
		                     .port = CLIENT_PORT,
		                     .server_port = SERVER_PORT,
		                     .pool = share < 1 ? 1 : (int)share,
		                     .borrow_seconds = (int)pool->ConnectionBorrowTimeout.v,
		                     .idle_client_seconds = (int)p->It->IdleClientTimeout.v,
		                     .idle_server_seconds =
		                         pool->MaxIdleConnectionsPercent.v ? IDLE_SERVER_SECONDS : 1,
		                     .require_tls = p->It->RequireTLS.v,
		                     .md5 = md5_asked(p),
		                     .verbose = p->It->DebugLogging.v,
		                     .init_query = pool->InitQuery,
		                     .users = c->users,
		                     .n_users = c->n_users };
}

/* Tries to get in as the proxy does. */
static void examine(arena *a, child *c, const rds_instance *target)
{
	proxy_health h = { .runs = c->pool != NULL, .credentials = c->n_users > 0, .checked = c->health.checked };
	memcpy(h.refused, c->health.refused, sizeof h.refused);
	int64_t now = clock_mono_us();
	bool other = target && !str_eq(c->looked_at, target->Folder);
	if (target && h.credentials && db_engines_run(target->Folder)
	    && (other || !c->looked_us || now - c->looked_us > HEALTH_US)) {
		postgres_client *client;
		err e = db_engines_enter(a, target->Folder, c->users[0].name, c->users[0].password, S("postgres"),
		                         &client);
		if (!e)
			postgres_close(client);
		h.checked = true;
		snprintf(h.refused, sizeof h.refused, "%.*s", e ? (int)e->message.n : 0, e ? e->message.p : "");
		c->looked_us = now;
		if (other)
			c->looked_at = arena_str(c->mem, target->Folder);
	}
	pthread_mutex_lock(&proxies.seen);
	c->health = h;
	pthread_mutex_unlock(&proxies.seen);
}

static bool secrets_old(const child *c, bool again)
{
	int64_t age = clock_mono_us() - c->read_us;
	return !c->secrets || again || age > SECRETS_US
		|| (age > SECRETS_AGAIN_US && (c->health.refused[0] || c->n_users == 0));
}

static child *child_of(const rds_proxy_endpoint *e)
{
	for (child *c = proxies.first; c; c = c->next)
		if (str_eq(c->folder, e->Folder))
			return c;
	arena *mem = arena_open(1024);
	child *c = arena_new(mem, child);
	*c = (child){ .mem = mem,
		          .account = arena_str(mem, e->Account),
		          .region = arena_str(mem, e->Region),
		          .folder = arena_str(mem, e->Folder),
		          .address = arena_str(mem, e->It->Endpoint),
		          .is_default = e->It->IsDefault.v };
	pthread_mutex_lock(&proxies.seen);
	c->next = proxies.first;
	proxies.first = c;
	pthread_mutex_unlock(&proxies.seen);
	return c;
}

typedef struct run {
	arena *mem;
	bool again; /* secrets are read again */
	rds_proxy *p;
	rds_proxy_endpoint *e;
	err failed;
} run;

static bool set_status(void *context, txn *tx)
{
	run *r = context;
	rds_proxy *p = rds_proxy_get(tx, r->mem, r->p->Account, r->p->Region, r->p->Name);
	rds_proxy_endpoint *e =
		rds_proxy_endpoint_get(tx, r->mem, r->e->Account, r->e->Region, r->e->Proxy, r->e->Name);
	if (!p || !e || !str_eq(e->Folder, r->e->Folder))
		return true;
	e->It->Status = r->failed ? rds_DBProxyEndpointStatus_insufficient_resource_limits
							  : rds_DBProxyEndpointStatus_available;
	rds_proxy_endpoint_put(tx, e);
	if (e->It->IsDefault.v) {
		p->It->Status =
			r->failed ? rds_DBProxyStatus_insufficient_resource_limits : rds_DBProxyStatus_available;
		rds_proxy_put(tx, p);
	}
	return true;
}

static void settle_one(run *r)
{
	child *c = child_of(r->e);
	const txn *tx = store_read(proxies.store);
	bool reads = str_eq(r->e->It->TargetRole, rds_DBProxyEndpointTargetRole_READ_ONLY);
	rds_instance *target = db_proxy_target(tx, r->mem, r->p, reads);
	store_read_end(proxies.store, tx);
	c->wanted = true;
	if (!str_is(c->proxy) || !str_eq(c->proxy, r->p->Name)) {
		pthread_mutex_lock(&proxies.seen);
		c->proxy = arena_str(c->mem, r->p->Name);
		pthread_mutex_unlock(&proxies.seen);
		if (c->relay)
			relay_close(c->relay);
		c->relay = NULL;
	}
	if (secrets_old(c, r->again))
		secrets_read(c, r->p);
	pgbouncer_spec spec = spec_of(r->mem, c, r->p, target);
	str about = arena_fmt(r->mem, "%.*s %.*s %.*s %.*s", STR_ARG(c->account), STR_ARG(c->region),
	                      STR_ARG(c->proxy), STR_ARG(r->e->It->TargetRole));
	r->failed = c->relay ? OK : relay_open(r->mem, c->address, SERVER_PORT, about, choose, &c->relay);
	if (!r->failed)
		r->failed =
			c->pool ? pgbouncer_reload(r->mem, &spec, c->pool) : pgbouncer_start(r->mem, &spec, &c->pool);
	examine(r->mem, c, target);
	str status = r->e->It->IsDefault.v ? r->p->It->Status : r->e->It->Status;
	bool available = str_eq(status, S("available")) && str_eq(r->e->It->Status, S("available"));
	if (available == (r->failed != OK)) {
		err e = store_write(proxies.store, set_status, r);
		(void)e; /* the next look tries again */
	}
}

static void drop(child *c)
{
	if (c->pool)
		pgbouncer_stop(c->pool);
	if (c->relay)
		relay_close(c->relay);
	if (c->secrets)
		arena_close(c->secrets);
	arena_close(c->mem);
}

/* Whoever is not wanted goes. */
static void sweep(void)
{
	for (child **at = &proxies.first; *at;) {
		child *c = *at;
		if (c->wanted) {
			c->wanted = false;
			at = &c->next;
			continue;
		}
		pthread_mutex_lock(&proxies.seen);
		*at = c->next;
		pthread_mutex_unlock(&proxies.seen);
		drop(c);
	}
}

static void settle(bool again)
{
	arena *mem = arena_open(4096);
	rds_proxy_endpoint *all[ADDRESSES * RDS_PROXY_ENDPOINTS_MAX * RDS_PROXIES_MAX];
	rds_proxy *of[ADDRESSES * RDS_PROXY_ENDPOINTS_MAX * RDS_PROXIES_MAX];
	size_t n = 0;
	pthread_mutex_lock(&proxies.lock);
	const txn *tx = store_read(proxies.store);
	record_scan s = rds_proxy_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE, STR_NONE);
	for (rds_proxy_endpoint *e; n < sizeof all / sizeof *all && (e = rds_proxy_endpoint_next(&s));) {
		of[n] = rds_proxy_get(tx, mem, e->Account, e->Region, e->Proxy);
		if (of[n])
			all[n++] = e;
	}
	cursor_close(&s.at);
	store_read_end(proxies.store, tx);
	for (size_t i = 0; i < n; i++)
		settle_one(&(run){ .mem = mem, .again = again, .p = of[i], .e = all[i] });
	sweep();
	pthread_mutex_unlock(&proxies.lock);
	arena_close(mem);
}

TASK(rds_proxies)
{
	settle(true);
	return TASK_DONE;
}

static void *keep(void *context)
{
	int64_t next = 0;
	while (!__atomic_load_n(&proxies.stop, __ATOMIC_RELAXED)) {
		int64_t now = clock_mono_us();
		if (now >= next) {
			settle(false);
			next = clock_mono_us() + (int64_t)KEEP_MS * 1000;
		}
		clock_sleep_ms(STEP_MS);
	}
	return context;
}

void db_proxies_start(store *s)
{
	proxies.store = s;
	__atomic_store_n(&proxies.stop, false, __ATOMIC_RELAXED);
	proxies.started = pthread_create(&proxies.thread, NULL, keep, NULL) == 0;
}

void db_proxies_stop(void)
{
	__atomic_store_n(&proxies.stop, true, __ATOMIC_RELAXED);
	if (proxies.started)
		pthread_join(proxies.thread, NULL);
	proxies.started = false;
	pthread_mutex_lock(&proxies.lock);
	sweep();
	pthread_mutex_unlock(&proxies.lock);
}
