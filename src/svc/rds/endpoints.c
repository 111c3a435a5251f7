#include "rds.h"
#include "run/engine_relay.h"
#include "sys/clock.h"
#include <pthread.h>
#include <stdio.h>

/*
 * The endpoints that no engine listens on: the reader endpoint of a cluster that runs, and all of a cluster
 * that is paused, where a connection wakes it. Brought into line with the rows whenever something has
 * changed.
 */
typedef struct endpoint {
	arena *mem;
	str address, about;
	int port;
	bool wanted;
	bool (*choose)(const char *about, char address[RELAY_ADDRESS], int *port);
	relay *relay;
	struct endpoint *next;
} endpoint;

static struct {
	pthread_mutex_t lock, waking;
	endpoint *first;
	store *store;
	unsigned turn;
} endpoints = { .lock = PTHREAD_MUTEX_INITIALIZER, .waking = PTHREAD_MUTEX_INITIALIZER };

static rds_cluster *cluster_of(const txn *tx, arena *mem, str about)
{
	str rest = about, account = str_cut(&rest, ' '), region = str_cut(&rest, ' '), id = str_cut(&rest, ' ');
	return rds_cluster_get(tx, mem, account, region, id);
}

/* A reader that runs, in turn; the writer when there is none. */
static bool choose_reader(const char *about, char address[RELAY_ADDRESS], int *port)
{
	arena *mem = arena_open(4096);
	const txn *tx = store_read(endpoints.store);
	rds_cluster *c = cluster_of(tx, mem, str_c(about));
	rds_instance *all[CLUSTER_MEMBERS_MAX], *readers[CLUSTER_MEMBERS_MAX];
	size_t n = c ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0, k = 0;
	rds_instance *writer = c ? db_cluster_writer(tx, mem, c) : NULL;
	for (size_t i = 0; i < n; i++)
		if (writer && !str_eq(all[i]->Id, writer->Id) && db_engines_run(all[i]->Folder))
			readers[k++] = all[i];
	rds_instance *to = k ? readers[__atomic_fetch_add(&endpoints.turn, 1, __ATOMIC_RELAXED) % k] : writer;
	if (to) {
		snprintf(address, RELAY_ADDRESS, "%.*s", STR_ARG(to->Address));
		*port = (int)c->It->Port.v;
	}
	store_read_end(endpoints.store, tx);
	arena_close(mem);
	return to != NULL;
}

static bool named(const rds_StringList *list, str id)
{
	for (size_t k = 0; k < list->n; k++)
		if (str_eq_nocase(list->v[k], id))
			return true;
	return false;
}

/* about: account region cluster endpoint. Of the members that it has, those that run, in turn. */
static bool choose_custom(const char *about, char address[RELAY_ADDRESS], int *port)
{
	arena *mem = arena_open(4096);
	str rest = str_c(about), account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
		id = str_cut(&rest, ' ');
	db_wake(mem, account, region, id);
	const txn *tx = store_read(endpoints.store);
	rds_cluster *c = rds_cluster_get(tx, mem, account, region, id);
	rds_cluster_endpoint *e = rds_cluster_endpoint_get(tx, mem, account, region, rest);
	rds_instance *all[CLUSTER_MEMBERS_MAX], *may[CLUSTER_MEMBERS_MAX];
	size_t n = c && e ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0, k = 0;
	rds_instance *writer = n ? db_cluster_writer(tx, mem, c) : NULL;
	for (size_t i = 0; i < n; i++) {
		const rds_DBClusterEndpoint *it = e->It;
		bool has = it->StaticMembers.n ? named(&it->StaticMembers, all[i]->Id)
									   : !named(&it->ExcludedMembers, all[i]->Id);
		bool writes = writer && str_eq(all[i]->Id, writer->Id);
		if (has && !(writes && str_eq(it->CustomEndpointType, S("READER"))) && db_engines_run(all[i]->Folder))
			may[k++] = all[i];
	}
	if (k) {
		rds_instance *to = may[__atomic_fetch_add(&endpoints.turn, 1, __ATOMIC_RELAXED) % k];
		snprintf(address, RELAY_ADDRESS, "%.*s", STR_ARG(to->Address));
		*port = (int)c->It->Port.v;
	}
	store_read_end(endpoints.store, tx);
	arena_close(mem);
	return k > 0;
}

typedef struct awake {
	arena *mem;
	const rds_cluster *c;
} awake;

static bool set_awake(void *context, txn *tx)
{
	awake *w = context;
	rds_cluster *c = rds_cluster_get(tx, w->mem, w->c->Account, w->c->Region, w->c->Id);
	if (c && c->Paused)
		db_sleep_set(tx, w->mem, c, false, clock_now());
	return true;
}

static void start_members(arena *mem, const rds_cluster *c)
{
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	const txn *tx = store_read(endpoints.store);
	size_t n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	store_read_end(endpoints.store, tx);
	for (size_t i = 0; i < n; i++) {
		err e = db_engines_start(mem, endpoints.store, all[i]);
		(void)e; /* the connection that waits for it is dropped */
	}
}

void db_wake(arena *mem, str account, str region, str id)
{
	pthread_mutex_lock(&endpoints.waking);
	const txn *tx = store_read(endpoints.store);
	rds_cluster *c = rds_cluster_get(tx, mem, account, region, id);
	store_read_end(endpoints.store, tx);
	if (c && c->Paused) {
		awake w = { .mem = mem, .c = c };
		if (!store_write(endpoints.store, set_awake, &w)) {
			db_endpoints_settle();
			start_members(mem, c);
			db_endpoints_settle();
		}
	}
	pthread_mutex_unlock(&endpoints.waking);
}

void db_pause(arena *mem, const rds_cluster *given)
{
	pthread_mutex_lock(&endpoints.waking);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	const txn *tx = store_read(endpoints.store);
	rds_cluster *c = rds_cluster_get(tx, mem, given->Account, given->Region, given->Id);
	size_t n = c && c->Paused ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0;
	store_read_end(endpoints.store, tx);
	bool busy = false;
	for (size_t i = 0; i < n; i++) {
		engine_stats now;
		busy = busy || !str_empty(all[i]->Job);
		busy = busy || (db_stats_read(mem, all[i]->Folder, &now) && now.connections > 0);
	}
	awake w = { .mem = mem, .c = c };
	if (n && busy) {
		err e = store_write(endpoints.store, set_awake, &w);
		(void)e; /* the disk: it is looked at again */
	} else if (n) {
		for (size_t i = 0; i < n; i++)
			db_engines_stop(all[i]->Folder);
		db_endpoints_settle();
	}
	pthread_mutex_unlock(&endpoints.waking);
}

/* about: account region cluster address */
static bool choose_awake(const char *about, char address[RELAY_ADDRESS], int *port)
{
	arena *mem = arena_open(4096);
	str rest = str_c(about), account = str_cut(&rest, ' '), region = str_cut(&rest, ' '),
		id = str_cut(&rest, ' ');
	db_wake(mem, account, region, id);
	const txn *tx = store_read(endpoints.store);
	rds_cluster *c = cluster_of(tx, mem, str_c(about));
	bool there = c != NULL;
	if (there) {
		snprintf(address, RELAY_ADDRESS, "%.*s", STR_ARG(rest));
		*port = (int)c->It->Port.v;
	}
	store_read_end(endpoints.store, tx);
	arena_close(mem);
	return there;
}

static void want(str address, int port, str about,
                 bool (*choose)(const char *about, char address[RELAY_ADDRESS], int *port))
{
	for (endpoint *e = endpoints.first; e; e = e->next)
		if (str_eq(e->address, address) && e->port == port && e->choose == choose &&
		    str_eq(e->about, about)) {
			e->wanted = true;
			return;
		}
	arena *mem = arena_open(512);
	endpoint *e = arena_new(mem, endpoint);
	*e = (endpoint){ .mem = mem,
		             .address = arena_str(mem, address),
		             .about = arena_str(mem, about),
		             .port = port,
		             .choose = choose,
		             .wanted = true,
		             .next = endpoints.first };
	endpoints.first = e;
}

static void want_for(const txn *tx, arena *mem, const rds_cluster *c)
{
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX);
	int port = (int)c->It->Port.v;
	str about = arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(c->Account), STR_ARG(c->Region), STR_ARG(c->Id));
	bool runs = false;
	for (size_t i = 0; i < n; i++)
		runs = runs || db_engines_run(all[i]->Folder);
	if (c->Paused) {
		want(c->Address, port, arena_fmt(mem, "%.*s %.*s", STR_ARG(about), STR_ARG(c->Address)),
		     choose_awake);
		for (size_t i = 0; i < n; i++)
			want(all[i]->Address, port, arena_fmt(mem, "%.*s %.*s", STR_ARG(about), STR_ARG(all[i]->Address)),
			     choose_awake);
	}
	/* The reader endpoint of a sleeper leads to an address that wakes it. */
	if (runs || c->Paused)
		want(c->ReaderAddress, port, about, choose_reader);
}

static void sweep(bool wanted_ones)
{
	for (endpoint **at = &endpoints.first; *at;) {
		endpoint *e = *at;
		if (!e->wanted) {
			*at = e->next;
			if (e->relay)
				relay_close(e->relay);
			arena_close(e->mem);
			continue;
		}
		if (wanted_ones && !e->relay) {
			err f = relay_open(e->mem, e->address, e->port, e->about, e->choose, &e->relay);
			(void)f; /* tried again with the next change */
		}
		e->wanted = false;
		at = &e->next;
	}
}

void db_endpoints_settle(void)
{
	arena *mem = arena_open(4096);
	pthread_mutex_lock(&endpoints.lock);
	const txn *tx = store_read(endpoints.store);
	record_scan s = rds_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster *c; (c = rds_cluster_next(&s));)
		want_for(tx, mem, c);
	record_scan t = rds_cluster_endpoint_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster_endpoint *e; (e = rds_cluster_endpoint_next(&t));) {
		rds_cluster *c = rds_cluster_get(tx, mem, e->Account, e->Region, e->It->DBClusterIdentifier);
		if (c)
			want(e->It->Endpoint, (int)c->It->Port.v,
			     arena_fmt(mem, "%.*s %.*s %.*s %.*s", STR_ARG(e->Account), STR_ARG(e->Region),
			               STR_ARG(c->Id), STR_ARG(e->Id)),
			     choose_custom);
	}
	store_read_end(endpoints.store, tx);
	sweep(true);
	pthread_mutex_unlock(&endpoints.lock);
	arena_close(mem);
}

void db_endpoints_start(store *s)
{
	endpoints.store = s;
	db_endpoints_settle();
}

void db_endpoints_stop(void)
{
	pthread_mutex_lock(&endpoints.lock);
	sweep(false);
	pthread_mutex_unlock(&endpoints.lock);
}
