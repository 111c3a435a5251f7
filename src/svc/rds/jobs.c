#include "rds.h"
#include "base/time.h"
#include "store/due.h"
#include "sys/clock.h"
#include "sys/file.h"

#define TRIES 3
#define RETRY_MS 2000

static str payload_of(arena *mem, str account, str region, str id)
{
	return arena_fmt(mem, "%.*s %.*s %.*s", STR_ARG(account), STR_ARG(region), STR_ARG(id));
}

void db_instance_job(txn *tx, rds_instance *i, str status, str job)
{
	i->It->DBInstanceStatus = status;
	i->Job = job;
	rds_instance_put(tx, i);
	task_add(tx, "rds_job", payload_of(txn_arena(tx), i->Account, i->Region, i->Id), 0);
}

void db_event_add(txn *tx, str account, str region, str type, str id, str arn, const char *category,
                  str message)
{
	arena *mem = txn_arena(tx);
	rds_Event *it = arena_new(mem, rds_Event);
	str *categories = arena_new(mem, str);
	categories[0] = str_c(category);
	*it = (rds_Event){ .SourceIdentifier = id,
		               .SourceType = type,
		               .Message = message,
		               .SourceArn = arn,
		               .Date = TIME(clock_now()),
		               .EventCategories = { categories, 1 } };
	rds_event e = { .Account = account,
		            .Region = region,
		            .When = clock_now(),
		            .Seq = (int64_t)txn_next(tx, S("rds.event")),
		            .It = it };
	rds_event_put(tx, &e);
	db_event_tell(tx, account, region, it);
}

/* What is at hand while a job runs. */
typedef struct work {
	store *store;
	arena *mem;
	rds_instance *i;
	rds_cluster *c;
	rds_snapshot *from;
	rds_cluster_snapshot *cluster_from;
	rds_instance *source;
	bool writes;
	err failed;
} work;

/* May run again on what it did before. */
static str master_sql(arena *a, str user, str verifier)
{
	str name = postgres_name(a, user), text = postgres_literal(a, user),
		secret = postgres_literal(a, verifier);
	return arena_fmt(a,
	                 "do $$ begin if not exists (select from pg_roles where rolname = %.*s) then "
	                 "create role %.*s login; end if; end $$;"
	                 "alter role %.*s login createdb createrole password %.*s valid until 'infinity';"
	                 "grant rds_superuser to %.*s; alter database postgres owner to %.*s;",
	                 STR_ARG(text), STR_ARG(name), STR_ARG(name), STR_ARG(secret), STR_ARG(name),
	                 STR_ARG(name));
}

static err fill(work *w, str user, str verifier, str database)
{
	arena *a = w->mem;
	postgres_rows found = { 0 };
	if (db_engines_mysql(w->i->Folder)) {
		TRY(db_engines_mysql_sql(a, w->i->Folder, db_mysql_master(a, user, verifier), NULL));
		return str_is(database) ? db_engines_mysql_sql(a, w->i->Folder, db_mysql_database(a, database), NULL)
								: OK;
	}
	TRY(db_engines_sql(a, w->i->Folder, S("postgres"), master_sql(a, user, verifier), NULL));
	if (!str_is(database) || str_eq(database, S("postgres")))
		return OK;
	TRY(db_engines_sql(a, w->i->Folder, S("postgres"),
	                   arena_fmt(a, "select 1 from pg_database where datname = %.*s",
	                             STR_ARG(postgres_literal(a, database))),
	                   &found));
	if (found.n_rows)
		return OK;
	return db_engines_sql(a, w->i->Folder, S("postgres"),
	                      arena_fmt(a, "create database %.*s owner %.*s", STR_ARG(postgres_name(a, database)),
	                                STR_ARG(postgres_name(a, user))),
	                      NULL);
}

static err bin_for(work *w, str *bin)
{
	int found;
	const rds_DBInstance *it = w->i->It;
	return db_engine_is_mysql(it->Engine)
		? mariadb_find(w->mem, bin)
		: postgres_find(w->mem, db_version_major(it->Engine, it->EngineVersion), bin, &found);
}

static err make(work *w)
{
	str bin;
	TRY(bin_for(w, &bin));
	return db_engine_is_mysql(w->i->It->Engine)
		? mariadb_make(w->mem, db_engines_root(), w->i->Folder)
		: postgres_make(w->mem, bin, db_engines_root(), w->i->Folder);
}

/* Below: the second copy of a Multi-AZ instance. */
static err standby(work *w);

static err create_alone(work *w)
{
	const rds_DBInstance *it = w->i->It;
	TRY(make(w));
	TRY(db_engines_start(w->mem, w->store, w->i));
	TRY(fill(w, it->MasterUsername, w->i->Verifier, it->DBName));
	return standby(w);
}

/* FOLDER PORT of whom the log or the data is. */
static str running_of(const rds_instance *i, int *port)
{
	int64_t v = 0;
	str rest = i->RecoverOf, folder = str_cut(&rest, ' ');
	str_to_i64(rest, &v);
	*port = (int)v;
	return folder;
}

static err clone(work *w)
{
	int port;
	str folder = running_of(w->i, &port);
	db_engines_stop(w->i->Folder);
	TRY(db_engines_copy(w->mem, folder, w->i->Folder, port));
	return db_engines_start(w->mem, w->store, w->i);
}

/* From a snapshot, and from there on by the archived log if it is to be a later moment. */
static err recover(work *w, str snapshot)
{
	int port;
	str folder = running_of(w->i, &port);
	db_engines_stop(w->i->Folder);
	bool logged = !db_engine_is_mysql(w->i->It->Engine);
	if (logged && str_is(w->i->RecoverFrom) && db_engines_run(folder))
		TRY(postgres_archive_now(w->mem, db_engines_root(), folder, port, w->i->RecoverFrom));
	/* The latest moment of what has no archive is now. */
	if (!logged && str_is(w->i->RecoverOf) && file_exists(path_join(w->mem, db_engines_root(), folder)))
		return clone(w);
	TRY(postgres_copy(w->mem, db_engines_root(), snapshot, w->i->Folder));
	err e = db_engines_start(w->mem, w->store, w->i);
	if (!e || !logged || !w->i->RecoverUntil ||
	    !postgres_ended_early(w->mem, db_engines_root(), w->i->Folder))
		return e;
	/* All that is archived is from before that moment: then it is all of it. */
	w->i->RecoverUntil = 0;
	TRY(postgres_copy(w->mem, db_engines_root(), snapshot, w->i->Folder));
	return db_engines_start(w->mem, w->store, w->i);
}

/* The cluster's volume is made by its first instance, and outlives all of them. */
static err create_member(work *w)
{
	const rds_DBCluster *it = w->c->It;
	if (!w->writes) {
		rds_instance *writer = w->source;
		if (!writer)
			return fault_new(w->mem, &fault_system, "the cluster has no writer to follow");
		TRY(db_engines_copy(w->mem, writer->Folder, w->i->Folder, (int)it->Port.v));
		return db_engines_start(w->mem, w->store, w->i);
	}
	if (w->c->Filled)
		return db_engines_start(w->mem, w->store, w->i);
	if (w->cluster_from)
		return recover(w, w->cluster_from->Folder);
	if (str_is(w->i->RecoverOf))
		return clone(w);
	TRY(make(w));
	TRY(db_engines_start(w->mem, w->store, w->i));
	return str_is(w->c->Verifier) ? fill(w, it->MasterUsername, w->c->Verifier, it->DatabaseName) : OK;
}

static err new_password(work *w)
{
	str verifier = w->c ? w->c->NextVerifier : w->i->NextVerifier;
	str user = w->c ? w->c->It->MasterUsername : w->i->It->MasterUsername;
	if (!str_is(verifier) || (w->c && !w->writes) || !db_engines_run(w->i->Folder))
		return OK;
	if (db_engines_mysql(w->i->Folder))
		return db_engines_mysql_sql(w->mem, w->i->Folder, db_mysql_master(w->mem, user, verifier), NULL);
	return db_engines_sql(w->mem, w->i->Folder, S("postgres"), master_sql(w->mem, user, verifier), NULL);
}

/* The second copy: there when the instance is Multi-AZ, and only then. */
static err standby(work *w)
{
	rds_instance *i = w->i;
	bool wanted = i->It->MultiAZ.v && !w->c, there = str_is(i->Standby);
	if (there)
		db_engines_stop(i->Standby);
	if (there && !wanted) {
		postgres_remove(w->mem, db_engines_root(), i->Standby);
		i->Standby = STR_NONE;
	}
	if (!wanted)
		return OK;
	if (!there) {
		str name = str_ends(i->Folder, S("-b")) ? str_sub(i->Folder, 0, i->Folder.n - 2)
												: arena_concat(w->mem, i->Folder, S("-b"));
		TRY(db_engines_copy(w->mem, i->Folder, name, (int)i->It->Endpoint->Port.v));
		i->Standby = name;
	}
	return db_engines_start_standby(w->mem, w->store, i);
}

static err modify(work *w)
{
	db_engines_reload(w->mem, w->store, w->i);
	TRY(new_password(w));
	return w->i->It->MultiAZ.v != str_is(w->i->Standby) ? standby(w) : OK;
}

static err restart(work *w)
{
	if (str_is(w->i->Standby))
		db_engines_stop(w->i->Standby);
	db_engines_stop(w->i->Folder);
	TRY(db_engines_start(w->mem, w->store, w->i));
	TRY(new_password(w));
	return standby(w);
}

/* The first copy stops, with all that it had given away; the second one is what it was; a new second one is
 * made where the first one was. */
static err change_zone(work *w)
{
	rds_instance *i = w->i;
	str first = i->Folder;
	if (!str_is(i->Standby) || !db_engines_run(i->Standby)) {
		/* Interrupted before: nobody knows how far it is. */
		if (str_is(i->Standby))
			postgres_remove(w->mem, db_engines_root(), i->Standby);
		i->Standby = STR_NONE;
		return restart(w);
	}
	TRY(db_engines_hand_over(w->mem, first, i->Standby));
	db_engines_stop(first);
	db_engines_stop(i->Standby);
	i->Folder = i->Standby;
	i->Standby = STR_NONE;
	TRY(db_engines_start(w->mem, w->store, i));
	return standby(w);
}

static err restore(work *w)
{
	if (!w->from)
		return fault_new(w->mem, &fault_system, "the snapshot has gone");
	TRY(recover(w, w->from->Folder));
	return standby(w);
}

static err replicate(work *w)
{
	if (!w->source)
		return fault_new(w->mem, &fault_system, "the source has gone");
	const rds_DBInstance *from = w->source->It;
	TRY(db_engines_copy(w->mem, w->source->Folder, w->i->Folder, (int)from->Endpoint->Port.v));
	return db_engines_start(w->mem, w->store, w->i);
}

/* The writer steps down: its reader takes over, and it follows with a fresh copy. */
static err fail_over(work *w)
{
	rds_instance *next = w->source;
	if (!next)
		return fault_new(w->mem, &fault_system, "there is no reader to take over");
	TRY(db_engines_hand_over(w->mem, w->i->Folder, next->Folder));
	db_engines_stop(w->i->Folder);
	db_engines_stop(next->Folder);
	TRY(db_engines_start(w->mem, w->store, next));
	TRY(db_engines_copy(w->mem, next->Folder, w->i->Folder, (int)w->c->It->Port.v));
	return db_engines_start(w->mem, w->store, w->i);
}

/* What is not archived yet would not be there for a restore. */
static void archive_rest(work *w)
{
	const rds_DBInstance *it = w->i->It;
	bool kept = !str_is(it->DBClusterIdentifier) && !db_engine_is_mysql(it->Engine) &&
	            it->BackupRetentionPeriod.v && !w->source;
	if (kept && db_engines_run(w->i->Folder)) {
		err e = postgres_archive_now(w->mem, db_engines_root(), w->i->Folder, (int)w->i->It->Endpoint->Port.v,
		                             db_archive_of(w->mem, w->i->It->DbiResourceId));
		(void)e; /* then the last minutes are missing there */
	}
}

static err stop_it(work *w)
{
	archive_rest(w);
	db_engines_stop(w->i->Folder);
	if (str_is(w->i->Standby))
		db_engines_stop(w->i->Standby);
	return OK;
}

static err delete_it(work *w)
{
	if (w->i->KeepBackups)
		archive_rest(w);
	if (str_is(w->i->SnapshotAfter)) {
		str folder = arena_concat(w->mem, S("final-"), w->i->Folder);
		TRY(db_engines_copy(w->mem, w->i->Folder, folder, (int)w->i->It->Endpoint->Port.v));
	}
	db_engines_stop(w->i->Folder);
	if (str_is(w->i->Standby)) {
		db_engines_stop(w->i->Standby);
		postgres_remove(w->mem, db_engines_root(), w->i->Standby);
	}
	if (!w->c || !w->writes)
		postgres_remove(w->mem, db_engines_root(), w->i->Folder);
	return OK;
}

static err perform(work *w)
{
	static const struct {
		const char *job;
		err (*run)(work *w);
	} all[] = { { "create", create_alone }, { "member", create_member }, { "modify", modify },
		        { "restart", restart },     { "start", restart },        { "restore", restore },
		        { "replica", replicate },   { "delete", delete_it },     { "failover", fail_over },
		        { "zone", change_zone } };
	if (str_eq(w->i->Job, S("stop")))
		return stop_it(w);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (str_eq(w->i->Job, str_c(all[i].job)))
			return all[i].run(w);
	return fault_new(w->mem, &fault_system, "%.*s: no such job", STR_ARG(w->i->Job));
}

static bool gather(work *w, str payload)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(w->store);
	rds_instance *i = w->i = rds_instance_get(tx, w->mem, account, region, rest);
	if (i && str_is(i->It->DBClusterIdentifier)) {
		w->c = rds_cluster_get(tx, w->mem, account, region, i->It->DBClusterIdentifier);
		rds_instance *writer = w->c ? db_cluster_writer(tx, w->mem, w->c) : NULL;
		w->writes = writer && str_eq(writer->Id, i->Id);
		w->source = writer;
		if (w->c && str_is(w->c->Source)) {
			str of = w->c->Source, owner = str_cut(&of, ' '), place = str_cut(&of, ' ');
			w->cluster_from = rds_cluster_snapshot_get(tx, w->mem, owner, place, of);
		}
	} else if (i && str_is(i->It->ReadReplicaSourceDBInstanceIdentifier)) {
		w->source =
			rds_instance_get(tx, w->mem, account, region, i->It->ReadReplicaSourceDBInstanceIdentifier);
	}
	if (i && str_is(i->Source)) {
		str of = i->Source, owner = str_cut(&of, ' '), place = str_cut(&of, ' ');
		w->from = rds_snapshot_get(tx, w->mem, owner, place, of);
	}
	store_read_end(w->store, tx);
	return i && !str_empty(i->Job);
}

/* The programs that run it, where they are not of the version that was asked for. */
static void confess(work *w, rds_instance *i)
{
	str bin, real;
	bool mysql = db_engine_is_mysql(i->It->Engine);
	if (bin_for(w, &bin) ||
	    (mysql ? mariadb_version(w->mem, bin, &real) : postgres_version(w->mem, bin, &real)) ||
	    (!str_eq(i->It->Engine, S("mysql")) && str_eq(real, i->It->EngineVersion))) {
		i->It->StatusInfos.n = 0;
		return;
	}
	rds_DBInstanceStatusInfo *info = arena_new(w->mem, rds_DBInstanceStatusInfo);
	*info = (rds_DBInstanceStatusInfo){
		.StatusType = S("engine"),
		.Normal = BOOL(true),
		.Status = S("substituted"),
		.Message = arena_fmt(w->mem, "runs %s %.*s, the %s installed here", mysql ? "MariaDB" : "PostgreSQL",
		                     STR_ARG(real), mysql ? "server for MySQL" : "minor version"),
	};
	i->It->StatusInfos = (rds_DBInstanceStatusInfoList){ info, 1 };
}

static void members_settled(txn *tx, arena *mem, const rds_instance *i)
{
	if (!str_is(i->It->DBClusterIdentifier))
		return;
	rds_cluster *c = rds_cluster_get(tx, mem, i->Account, i->Region, i->It->DBClusterIdentifier);
	rds_instance *all[CLUSTER_MEMBERS_MAX];
	size_t n = c ? db_cluster_members(tx, mem, c, all, CLUSTER_MEMBERS_MAX) : 0;
	bool busy = false;
	for (size_t k = 0; k < n; k++)
		busy = busy || !str_empty(all[k]->Job);
	if (!c || busy)
		return;
	str now = c->It->Status;
	if (str_eq(now, S("stopping")))
		c->It->Status = S("stopped");
	else if (!str_eq(now, S("stopped")))
		c->It->Status = S("available");
	rds_cluster_put(tx, c);
	for (size_t k = 0; k < n; k++)
		db_bill_instance(tx, all[k], clock_now());
}

static void gone(txn *tx, work *w, rds_instance *i)
{
	if (str_is(i->SnapshotAfter)) {
		rds_snapshot *s = db_snapshot_new(tx, w->mem, i, i->SnapshotAfter, S("manual"));
		s->Folder = arena_concat(w->mem, S("final-"), i->Folder);
		s->It->Status = S("available");
		s->It->PercentProgress = I64(100);
		rds_snapshot_put(tx, s);
	}
	i->It->DBInstanceStatus = S("deleted");
	db_bill_instance(tx, i, clock_now());
	db_event_add(tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn, "deletion",
	             S("DB instance deleted"));
	rds_instance_delete(tx, i->Account, i->Region, i->Id);
	db_backups_end(tx, w->mem, i, i->KeepBackups, clock_now());
	if (str_is(i->It->DBClusterIdentifier))
		db_cluster_left(tx, w->mem, i);
	db_bill_snapshots(tx, i->Account, i->Region, clock_now());
}

static void cluster_done(txn *tx, work *w, rds_instance *i, str job)
{
	rds_cluster *c = rds_cluster_get(tx, w->mem, i->Account, i->Region, i->It->DBClusterIdentifier);
	if (!c)
		return;
	bool first = str_eq(job, S("member")) && w->writes && !c->Filled;
	if (first) {
		c->Filled = true;
		c->RecoverFrom = c->RecoverOf = STR_NONE;
		c->RecoverUntil = 0;
	}
	if (w->writes && str_is(w->c->NextVerifier) && str_eq(c->NextVerifier, w->c->NextVerifier)) {
		c->Verifier = c->NextVerifier;
		c->NextVerifier = STR_NONE;
		c->It->PendingModifiedValues = NULL;
	}
	rds_cluster_put(tx, c);
	if (first)
		db_cluster_backups_begin(tx, w->mem, c, clock_now());
}

static void succeeded(txn *tx, work *w, rds_instance *i, str job)
{
	static const char *const said[][2] = {
		{ "create", "DB instance created" },     { "member", "DB instance created" },
		{ "restore", "Restored from snapshot" }, { "replica", "DB instance created" },
		{ "start", "DB instance started" },      { "stop", "DB instance stopped" },
		{ "restart", "DB instance restarted" },  { "zone", "Multi-AZ instance failover completed" },
	};
	i->It->DBInstanceStatus = str_eq(job, S("stop")) ? S("stopped") : S("available");
	i->It->LatestRestorableTime = TIME(clock_now());
	if (str_eq(job, S("zone")) && str_is(w->i->Standby) && !str_eq(i->Folder, w->i->Folder)) {
		str zone = i->It->AvailabilityZone;
		i->It->AvailabilityZone = i->It->SecondaryAvailabilityZone;
		i->It->SecondaryAvailabilityZone = zone;
	}
	i->Folder = w->i->Folder;
	i->Standby = w->i->Standby;
	i->RecoverFrom = i->RecoverOf = STR_NONE;
	i->RecoverUntil = 0;
	if (str_is(w->i->NextVerifier) && str_is(i->NextVerifier)
	    && str_eq(i->NextVerifier, w->i->NextVerifier)) {
		i->Verifier = i->NextVerifier;
		i->NextVerifier = STR_NONE;
	}
	bool fresh = !i->It->InstanceCreateTime.set;
	if (fresh)
		i->It->InstanceCreateTime = TIME(clock_now());
	for (size_t k = 0; k < i->It->DBParameterGroups.n && !str_eq(job, S("modify")); k++)
		i->It->DBParameterGroups.v[k].ParameterApplyStatus = S("in-sync");
	confess(w, i);
	rds_instance_put(tx, i);
	for (size_t k = 0; k < sizeof said / sizeof *said; k++)
		if (str_eq(job, str_c(said[k][0])))
			db_event_add(tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn,
			             k < 4        ? "creation"
			                 : k == 7 ? "failover"
			                          : "availability",
			             str_c(said[k][1]));
	db_bill_instance(tx, i, clock_now());
	if (str_is(i->It->DBClusterIdentifier))
		cluster_done(tx, w, i, job);
	else if (fresh)
		db_backups_begin(tx, w->mem, i, clock_now());
}

static bool settle(void *context, txn *tx)
{
	work *w = context;
	rds_instance *i = rds_instance_get(tx, w->mem, w->i->Account, w->i->Region, w->i->Id);
	if (!i || !str_eq(i->Job, w->i->Job))
		return true;
	str job = i->Job;
	i->Job = STR_NONE;
	if (!w->failed && str_eq(job, S("delete"))) {
		gone(tx, w, i);
		return true;
	}
	if (!w->failed) {
		succeeded(tx, w, i, job);
	} else {
		rds_DBInstanceStatusInfo *info = arena_new(w->mem, rds_DBInstanceStatusInfo);
		*info = (rds_DBInstanceStatusInfo){ .StatusType = S("engine"),
			                                .Normal = BOOL(false),
			                                .Status = S("error"),
			                                .Message = w->failed->message };
		i->It->DBInstanceStatus = S("failed");
		i->It->StatusInfos = (rds_DBInstanceStatusInfoList){ info, 1 };
		rds_instance_put(tx, i);
		db_event_add(tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn, "failure",
		             w->failed->message);
		db_bill_instance(tx, i, clock_now());
	}
	members_settled(tx, w->mem, i);
	return true;
}

TASK(rds_job)
{
	work w = { .store = s, .mem = mem };
	if (!gather(&w, payload))
		return TASK_DONE;
	if (w.c && w.c->Paused)
		db_wake(mem, w.c->Account, w.c->Region, w.c->Id);
	w.failed = perform(&w);
	if (w.failed && attempt < TRIES && !str_eq(w.i->Job, S("delete")))
		return clock_now() + RETRY_MS;
	if (store_write(s, settle, &w))
		return clock_now() + RETRY_MS;
	if (!w.failed && (str_eq(w.i->Job, S("failover")) || str_eq(w.i->Job, S("zone"))))
		db_engines_followed(mem, s, w.i);
	if (w.c)
		db_endpoints_settle();
	return TASK_DONE;
}

TASK(rds_resume)
{
	str rest = payload, account = str_cut(&rest, ' '), region = str_cut(&rest, ' ');
	const txn *tx = store_read(s);
	rds_instance *i = rds_instance_get(tx, mem, account, region, rest);
	store_read_end(s, tx);
	if (!i || !str_empty(i->Job) || str_eq(i->It->DBInstanceStatus, S("stopped")))
		return TASK_DONE;
	err e = db_engines_start(mem, s, i);
	if (!e)
		e = db_engines_start_standby(mem, s, i);
	if (str_is(i->It->DBClusterIdentifier))
		db_endpoints_settle();
	return e && attempt < TRIES ? clock_now() + RETRY_MS : TASK_DONE;
}

/* Folders of rows that are gone. */
TASK(rds_remove)
{
	db_engines_stop(payload);
	postgres_remove(mem, db_engines_root(), payload);
	return TASK_DONE;
}
