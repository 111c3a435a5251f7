#include "cloud/server.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"
#include <pthread.h>

#define MIB ((int64_t)1 << 20)
#define ACU_MIB 2048
#define STOPPERS 8
#define PATIENCE_MS 2000
#define TLS_FROM 15 /* versions of PostgreSQL that want it by themselves */
#define TLS_FROM_AURORA 17

/* What runs, and the one lock for the list. Starting and stopping happen outside it: a row has one job at a
 * time. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t left;
	running *first;
	arena *mem; /* of the server: the root's name */
	str root;
} engines = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

typedef struct entry {
	running r; /* first */
	arena *mem;
	int users; /* who wants it to stay, without the lock */
} entry;

str db_engines_root(void) { return engines.root; }

static running *find(str folder)
{
	for (running *r = engines.first; r; r = r->next)
		if (str_eq(r->folder, folder))
			return r;
	return NULL;
}

bool db_engines_run(str folder)
{
	pthread_mutex_lock(&engines.lock);
	bool runs = find(folder) != NULL;
	pthread_mutex_unlock(&engines.lock);
	return runs;
}

static entry *hold(str folder)
{
	pthread_mutex_lock(&engines.lock);
	entry *e = (entry *)find(folder);
	if (e)
		e->users++;
	pthread_mutex_unlock(&engines.lock);
	return e;
}

static void leave(entry *e)
{
	pthread_mutex_lock(&engines.lock);
	e->users--;
	pthread_cond_broadcast(&engines.left);
	pthread_mutex_unlock(&engines.lock);
}

engine_process *db_engines_process(const running *r)
{
	return r->mysql ? mariadb_engine(r->mysql) : postgres_engine(r->engine);
}

static void spec_of_cluster(const txn *tx, arena *a, const rds_instance *i, const rds_cluster *c,
                            postgres_spec *s, int *memory_mib)
{
	const rds_ServerlessV2ScalingConfigurationInfo *v2 = c->It->ServerlessV2ScalingConfiguration;
	rds_instance *writer = db_cluster_writer(tx, a, c);
	bool writes = writer && str_eq(writer->Id, i->Id);
	s->port = (int)c->It->Port.v;
	if (writes && c->It->BackupRetentionPeriod.v)
		s->archive = db_archive_of(a, c->It->DbClusterResourceId);
	if (writes) {
		s->addresses = arena_fmt(a, "%.*s,%.*s", STR_ARG(i->Address), STR_ARG(c->Address));
	} else if (writer) {
		s->primary = writer->Folder;
		s->primary_port = s->port;
	}
	if (!v2 || !str_eq(i->It->DBInstanceClass, SERVERLESS))
		return;
	*memory_mib = (int)(v2->MaxCapacity.v * ACU_MIB);
	s->max_connections = db_acu_connections(v2->MinCapacity.v, v2->MaxCapacity.v);
	s->cpu_milli = c->CentiAcu * 5 / 2; /* a quarter of a CPU for each ACU */
}

/* A standby needs as many connections as its primary may have. */
static int connections_of(const txn *tx, arena *a, const rds_instance *i)
{
	const db_class *class = db_class_find(i->It->DBInstanceClass);
	settings set = db_settings_of(tx, a, i, STR_NONE, class->memory_mib, false);
	return set.max_connections ? set.max_connections : db_class_connections(i->It->Engine, class->memory_mib);
}

static err spec_of(arena *a, store *st, const rds_instance *i, postgres_spec *s)
{
	int least = 0;
	const db_class *class = db_class_find(i->It->DBInstanceClass);
	ensure(class);
	int memory_mib = class->memory_mib;
	*s = (postgres_spec){ .root = engines.root,
		                  .name = i->Folder,
		                  .addresses = i->Address,
		                  .port = (int)i->It->Endpoint->Port.v,
		                  .cpu_milli = class->vcpu * 1000,
		                  .max_connections = db_class_connections(i->It->Engine, memory_mib) };
	const txn *tx = store_read(st);
	str cluster_group = STR_NONE;
	if (str_is(i->It->DBClusterIdentifier)) {
		rds_cluster *c = rds_cluster_get(tx, a, i->Account, i->Region, i->It->DBClusterIdentifier);
		if (c) {
			spec_of_cluster(tx, a, i, c, s, &memory_mib);
			cluster_group = c->It->DBClusterParameterGroup;
		}
	}
	if (!str_is(i->It->DBClusterIdentifier) && i->It->BackupRetentionPeriod.v)
		s->archive = db_archive_of(a, i->It->DbiResourceId);
	s->recover_from = i->RecoverFrom;
	s->recover_until = db_moment(a, i->RecoverUntil);
	if (str_is(i->It->ReadReplicaSourceDBInstanceIdentifier)) {
		rds_instance *from =
			rds_instance_get(tx, a, i->Account, i->Region, i->It->ReadReplicaSourceDBInstanceIdentifier);
		if (from) {
			s->primary = from->Folder;
			s->primary_port = (int)from->It->Endpoint->Port.v;
			least = connections_of(tx, a, from);
		}
	}
	int major = db_version_major(i->It->Engine, i->It->EngineVersion);
	bool tls = major >= (db_engine_is_aurora(i->It->Engine) ? TLS_FROM_AURORA : TLS_FROM);
	settings set = db_settings_of(tx, a, i, cluster_group, memory_mib, tls);
	store_read_end(st, tx);
	s->memory_bytes = memory_mib * MIB;
	s->settings = set.lines;
	s->force_tls = set.force_tls;
	if (set.max_connections)
		s->max_connections = set.max_connections;
	if (s->max_connections < least)
		s->max_connections = least;
	int found;
	return db_engine_is_mysql(i->It->Engine) ? OK : postgres_find(a, major, &s->bin, &found);
}

static err begin(arena *a, const rds_instance *i, const postgres_spec *spec, running *r)
{
	if (!db_engine_is_mysql(i->It->Engine))
		return postgres_start(a, spec, &r->engine);
	mariadb_spec like = { .root = spec->root,
		                  .name = spec->name,
		                  .addresses = spec->addresses,
		                  .port = spec->port,
		                  .max_connections = spec->max_connections,
		                  .memory_bytes = spec->memory_bytes,
		                  .cpu_milli = spec->cpu_milli,
		                  .zone = db_mysql_zone(spec->settings),
		                  .read_only = !str_empty(spec->primary),
		                  .settings = spec->settings };
	return mariadb_start(a, &like, &r->mysql);
}

static err launch(arena *a, const rds_instance *i, const postgres_spec *spec, bool standby)
{
	running r = { 0 };
	int64_t log_at[DB_LOGS];
	db_logs_begin(a, spec->name, log_at);
	TRY(begin(a, i, spec, &r));
	arena *mem = arena_open(512);
	entry *e = arena_new(mem, entry);
	e->mem = mem;
	e->r = (running){ .folder = arena_str(mem, spec->name),
		              .account = arena_str(mem, i->Account),
		              .region = arena_str(mem, i->Region),
		              .id = arena_str(mem, i->Id),
		              .engine = r.engine,
		              .mysql = r.mysql,
		              .since = clock_now(),
		              .looked_us = clock_mono_us(),
		              .idle_since = clock_now(),
		              .low_since = clock_now(),
		              .standby = standby };
	memcpy(e->r.log_at, log_at, sizeof log_at);
	pthread_mutex_lock(&engines.lock);
	e->r.next = engines.first;
	engines.first = &e->r;
	pthread_mutex_unlock(&engines.lock);
	return OK;
}

err db_engines_start(arena *a, store *st, const rds_instance *i)
{
	postgres_spec spec;
	if (db_engines_run(i->Folder))
		return OK;
	TRY(spec_of(a, st, i, &spec));
	TRY(launch(a, i, &spec, false));
	db_engines_follow(a, st, i);
	return OK;
}

err db_engines_start_standby(arena *a, store *st, const rds_instance *i)
{
	postgres_spec spec;
	if (!str_is(i->Standby) || db_engines_run(i->Standby))
		return OK;
	TRY(spec_of(a, st, i, &spec));
	spec.name = i->Standby;
	spec.addresses = S("");
	spec.primary = i->Folder;
	spec.primary_port = spec.port;
	spec.archive = spec.recover_from = STR_NONE;
	TRY(launch(a, i, &spec, true));
	db_engines_follow(a, st, i);
	return OK;
}

void db_engines_reload(arena *a, store *st, const rds_instance *i)
{
	postgres_spec spec;
	if (spec_of(a, st, i, &spec))
		return;
	entry *held = hold(i->Folder);
	if (held && held->r.mysql) {
		db_mysql_reload(a, held->r.mysql, spec.settings);
	} else if (held) {
		err e = postgres_reload(a, &spec, held->r.engine);
		(void)e; /* it goes on with what it has */
	}
	if (held)
		leave(held);
}

/* Whom it follows, and where that listens: the first copy of a Multi-AZ instance, the source of a replica,
 * the writer of a cluster. */
static rds_instance *primary_of(const txn *tx, arena *a, const rds_instance *i, bool standby)
{
	rds_instance *from = NULL;
	if (standby)
		return rds_instance_get(tx, a, i->Account, i->Region, i->Id);
	if (str_is(i->It->ReadReplicaSourceDBInstanceIdentifier))
		return rds_instance_get(tx, a, i->Account, i->Region, i->It->ReadReplicaSourceDBInstanceIdentifier);
	if (str_is(i->It->DBClusterIdentifier)) {
		rds_cluster *c = rds_cluster_get(tx, a, i->Account, i->Region, i->It->DBClusterIdentifier);
		from = c ? db_cluster_writer(tx, a, c) : NULL;
	}
	return from && !str_eq(from->Id, i->Id) ? from : NULL;
}

static void follow(arena *a, store *st, const rds_instance *i, str folder, bool standby)
{
	const txn *tx = store_read(st);
	rds_instance *from = primary_of(tx, a, i, standby);
	store_read_end(st, tx);
	entry *to = from ? hold(folder) : NULL, *primary = to ? hold(from->Folder) : NULL;
	bool answer = primary && to->r.mysql && primary->r.mysql && !mariadb_rests(to->r.mysql) &&
		!mariadb_rests(primary->r.mysql);
	int port = from ? (int)from->It->Endpoint->Port.v : 0;
	if (answer && !mariadb_follows(a, to->r.mysql, from->Address, port)) {
		err e = mariadb_follow(a, to->r.mysql, primary->r.mysql, from->Address, port);
		(void)e; /* the watcher sees to it again */
	}
	if (primary)
		leave(primary);
	if (to)
		leave(to);
}

void db_engines_follow(arena *a, store *st, const rds_instance *i)
{
	if (!db_engine_is_mysql(i->It->Engine))
		return;
	follow(a, st, i, i->Folder, false);
	if (str_is(i->Standby))
		follow(a, st, i, i->Standby, true);
}

void db_engines_followed(arena *a, store *st, const rds_instance *primary)
{
	const rds_DBInstance *it = primary->It;
	rds_instance *all[RDS_INSTANCES_MAX];
	size_t n = 0;
	const txn *tx = store_read(st);
	record_scan s = rds_instance_scan(tx, a, 2, primary->Account, primary->Region, STR_NONE);
	for (rds_instance *i; n < RDS_INSTANCES_MAX && (i = rds_instance_next(&s));)
		if (str_eq(i->Id, primary->Id) ||
		    str_eq(i->It->ReadReplicaSourceDBInstanceIdentifier, primary->Id) ||
		    (str_is(it->DBClusterIdentifier) && str_eq(i->It->DBClusterIdentifier, it->DBClusterIdentifier)))
			all[n++] = i;
	cursor_close(&s.at);
	store_read_end(st, tx);
	for (size_t k = 0; k < n; k++)
		if (db_engine_is_mysql(it->Engine))
			db_engines_follow(a, st, all[k]);
		else if (!str_eq(all[k]->Id, primary->Id))
			db_engines_reload(a, st, all[k]);
}

static running *take(str folder)
{
	pthread_mutex_lock(&engines.lock);
	running **at = &engines.first;
	while (*at && str_is(folder) && !str_eq((*at)->folder, folder))
		at = &(*at)->next;
	running *r = *at;
	if (r)
		*at = r->next;
	while (r && ((entry *)r)->users)
		pthread_cond_wait(&engines.left, &engines.lock);
	pthread_mutex_unlock(&engines.lock);
	return r;
}

static void end(running *r)
{
	entry *e = (entry *)r;
	if (r->mysql)
		mariadb_stop(r->mysql);
	else
		postgres_stop(r->engine);
	arena_close(e->mem);
}

void db_engines_stop(str folder)
{
	running *r = take(folder);
	if (r)
		end(r);
}

static err not_running(arena *a, str folder)
{
	return fault_new(a, &fault_system, "%.*s: the engine is not running", STR_ARG(folder));
}

static err open_as(arena *a, str folder, const postgres_door *as, int wait_ms, postgres_client **out)
{
	entry *held = hold(folder);
	if (!held)
		return not_running(a, folder);
	running *r = &held->r;
	err e = r->mysql       ? fault_new(a, &fault_system, "%.*s: not a PostgreSQL", STR_ARG(folder))
		: str_is(as->user) ? postgres_enter(a, r->engine, as->user, as->password, as->database, out)
						   : postgres_open(a, r->engine, as->database, wait_ms, out);
	leave(held);
	return e;
}

bool db_engines_mysql(str folder)
{
	entry *held = hold(folder);
	bool is = held && held->r.mysql;
	if (held)
		leave(held);
	return is;
}

err db_engines_mysql_sql(arena *a, str folder, str sql, postgres_rows *rows)
{
	entry *held = hold(folder);
	if (!held)
		return not_running(a, folder);
	err e = mariadb_sql(a, held->r.mysql, sql, rows);
	leave(held);
	return e;
}

bool db_engines_mysql_stats(arena *a, str folder, engine_stats *out)
{
	entry *held = hold(folder);
	bool known = held && held->r.mysql && db_mysql_stats(a, held->r.mysql, out);
	if (held)
		leave(held);
	return known;
}

err db_engines_hand_over(arena *a, str from, str to)
{
	entry *one = hold(from), *two = hold(to);
	err e = one && two && one->r.mysql && two->r.mysql ? mariadb_hand_over(a, one->r.mysql, two->r.mysql)
													   : OK;
	if (one)
		leave(one);
	if (two)
		leave(two);
	return e;
}

err db_engines_open(arena *a, str folder, str database, int wait_ms, postgres_client **out)
{
	return open_as(a, folder, &(postgres_door){ .database = database }, wait_ms, out);
}

err db_engines_sql(arena *a, str folder, str database, str sql, postgres_rows *rows)
{
	postgres_client *c;
	TRY(db_engines_open(a, folder, database, PATIENCE_MS, &c));
	err e = postgres_query(a, c, sql, rows);
	postgres_close(c);
	return e;
}

err db_engines_enter(arena *a, str folder, str user, str password, str database, postgres_client **out)
{
	return open_as(a, folder, &(postgres_door){ .user = user, .password = password, .database = database }, 0,
	               out);
}

int db_engines_connections(arena *a, store *s, const rds_instance *i)
{
	postgres_spec spec;
	err e = spec_of(a, s, i, &spec);
	(void)e; /* about its programs */
	return spec.max_connections;
}

err db_engines_backup(arena *a, str folder, str to, int port, str last)
{
	entry *held = hold(folder);
	if (!held)
		return postgres_copy_like(a, engines.root, folder, last, to);
	engine_lift(db_engines_process(&held->r));
	err e = held->r.mysql ? mariadb_backup(a, held->r.mysql, engines.root, last, to)
						  : postgres_backup(a, engines.root, folder, port, last, to);
	engine_lift_end(db_engines_process(&held->r));
	leave(held);
	return e;
}

err db_engines_copy(arena *a, str folder, str to, int port)
{
	return db_engines_backup(a, folder, to, port, STR_NONE);
}

void db_engines_each(void (*look)(void *context, running *r), void *context)
{
	pthread_mutex_lock(&engines.lock);
	for (running *r = engines.first; r; r = r->next)
		look(context, r);
	pthread_mutex_unlock(&engines.lock);
}

/* What ran when the server ended runs again: by tasks, which begin when everything else has. */
static bool resume(void *context, txn *tx)
{
	arena *mem = txn_arena(tx);
	record_scan s = rds_instance_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));) {
		str status = i->It->DBInstanceStatus;
		rds_cluster *c = str_is(i->It->DBClusterIdentifier)
			? rds_cluster_get(tx, mem, i->Account, i->Region, i->It->DBClusterIdentifier)
			: NULL;
		if (c && c->Paused)
			continue;
		if (str_empty(i->Job) && (str_eq(status, S("available")) || str_eq(status, S("storage-full"))))
			task_add(
				tx, "rds_resume",
				arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(i->Account), STR_ARG(i->Region), STR_ARG(i->Id)), 0);
	}
	return true;
}

static err start(store *s, str data_folder)
{
	engines.mem = arena_open(512);
	engines.root = path_join(engines.mem, data_folder, S("postgres"));
	TRY(store_write(s, resume, NULL));
	db_endpoints_start(s);
	db_proxies_start(s);
	db_watch_start(s);
	return OK;
}

static void *stopper(void *context)
{
	for (running *r; (r = take(STR_NONE));)
		end(r);
	return NULL;
}

static void stop(void)
{
	pthread_t threads[STOPPERS];
	int n = 0;
	db_watch_stop();
	db_proxies_stop();
	db_endpoints_stop();
	while (n < STOPPERS && pthread_create(&threads[n], NULL, stopper, NULL) == 0)
		n++;
	stopper(NULL);
	while (n--)
		pthread_join(threads[n], NULL);
	if (engines.mem)
		arena_close(engines.mem);
	engines.mem = NULL;
}

SERVER_PART_WHOLE(rds, start, stop, NULL, db_watch_leap);
