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

/* What runs, and the one lock for the list. Starting and stopping happen outside it: a row has one job at a
 * time. */
static struct {
	pthread_mutex_t lock;
	running *first;
	arena *mem; /* of the server: the root's name */
	str root;
} engines = { .lock = PTHREAD_MUTEX_INITIALIZER };

typedef struct entry {
	running r; /* first */
	arena *mem;
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

static str group_of(const rds_instance *i)
{
	return i->It->DBParameterGroups.n ? i->It->DBParameterGroups.v[0].DBParameterGroupName : STR_NONE;
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
	settings set =
		db_settings_of(tx, a, i->Account, i->Region, group_of(i), STR_NONE, class->memory_mib, false);
	return set.max_connections ? set.max_connections : db_class_connections(class->memory_mib);
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
		                  .max_connections = db_class_connections(memory_mib) };
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
	bool tls = !db_engine_is_aurora(i->It->Engine) ? db_version_major(i->It->EngineVersion) >= 15
												   : db_version_major(i->It->EngineVersion) >= 17;
	settings set = db_settings_of(tx, a, i->Account, i->Region, group_of(i), cluster_group, memory_mib, tls);
	store_read_end(st, tx);
	s->memory_bytes = memory_mib * MIB;
	s->settings = set.lines;
	s->force_tls = set.force_tls;
	if (set.max_connections)
		s->max_connections = set.max_connections;
	if (s->max_connections < least)
		s->max_connections = least;
	int found;
	return postgres_find(a, db_version_major(i->It->EngineVersion), &s->bin, &found);
}

static err launch(arena *a, const rds_instance *i, const postgres_spec *spec, bool standby)
{
	postgres *p;
	int64_t log_at = db_log_size(a, spec->name);
	TRY(postgres_start(a, spec, &p));
	arena *mem = arena_open(512);
	entry *e = arena_new(mem, entry);
	e->mem = mem;
	e->r = (running){ .folder = arena_str(mem, spec->name),
		              .account = arena_str(mem, i->Account),
		              .region = arena_str(mem, i->Region),
		              .id = arena_str(mem, i->Id),
		              .engine = p,
		              .since = clock_now(),
		              .looked_us = clock_mono_us(),
		              .idle_since = clock_now(),
		              .low_since = clock_now(),
		              .log_at = log_at,
		              .standby = standby };
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
	return launch(a, i, &spec, false);
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
	return launch(a, i, &spec, true);
}

void db_engines_reload(arena *a, store *st, const rds_instance *i)
{
	postgres_spec spec;
	if (spec_of(a, st, i, &spec))
		return;
	pthread_mutex_lock(&engines.lock);
	running *r = find(i->Folder);
	err e = r ? postgres_reload(a, &spec, r->engine) : OK;
	(void)e; /* it goes on with what it has */
	pthread_mutex_unlock(&engines.lock);
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
	pthread_mutex_unlock(&engines.lock);
	return r;
}

static void end(running *r)
{
	entry *e = (entry *)r;
	postgres_stop(r->engine);
	arena_close(e->mem);
}

void db_engines_stop(str folder)
{
	running *r = take(folder);
	if (r)
		end(r);
}

static err open_as(arena *a, str folder, const postgres_door *as, int wait_ms, postgres_client **out)
{
	pthread_mutex_lock(&engines.lock);
	running *r = find(folder);
	err e = !r             ? fault_new(a, &fault_system, "%.*s: the engine is not running", STR_ARG(folder))
		: str_is(as->user) ? postgres_enter(a, r->engine, as->user, as->password, as->database, out)
						   : postgres_open(a, r->engine, as->database, wait_ms, out);
	pthread_mutex_unlock(&engines.lock);
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

err db_engines_backup(arena *a, str folder, str to, int port, str *end)
{
	*end = STR_NONE;
	return db_engines_run(folder) ? postgres_backup(a, engines.root, folder, port, to, end)
								  : postgres_copy(a, engines.root, folder, to);
}

err db_engines_copy(arena *a, str folder, str to, int port)
{
	str end;
	return db_engines_backup(a, folder, to, port, &end);
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

SERVER_PART(rds, start, stop);
