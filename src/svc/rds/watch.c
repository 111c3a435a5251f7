#include "base/time.h"
#include "cloud/metrics.h"
#include "rds.h"
#include "store/due.h"
#include "sys/clock.h"
#include <pthread.h>

#define LOOK_MS 1000
#define STEP_MS 20 /* how soon it notices that it shall end */
#define BYTES_EVERY_US 5000000
#define GIB ((int64_t)1 << 30)
#define MIB ((int64_t)1 << 20)
#define LOG_PIECE 4096
#define MILLI_PER_ACU 250
#define BUSY 0.7 /* of the present capacity: it grows */
#define IDLE 0.3 /* it shrinks, once it has lasted */
#define IDLE_MS 15000
#define STEP_CENTI 50
#define STEP_MS_EACH 1000 /* how long a step down takes */
#define LATE_MS 2000

static struct {
	pthread_mutex_t lock, looking; /* looking: one look at a time */
	pthread_t thread;
	bool stop, started;
	store *store;
	int64_t before, minute; /* of the last look */
} watcher = { .lock = PTHREAD_MUTEX_INITIALIZER, .looking = PTHREAD_MUTEX_INITIALIZER };

/* What one look at one engine found; applied to the rows afterwards. */
typedef struct finding {
	struct finding *next;
	str folder, account, region, id;
	double cpu_share; /* CPUs used since the last look */
	int64_t bytes, memory, log_at[DB_LOGS];
	engine_stats now, before; /* before: a minute ago */
	int64_t minute_us; /* how long that was; 0: not known */
	int64_t from_minute, to_minute; /* whose metrics are due: after from, up to to */
	int64_t low_since, idle_since; /* idle_since: 0 while somebody is connected */
	int64_t asleep_at, looked, before_look;
	bool counted, provisioned;
	str role; /* in its cluster */
} finding;

typedef struct looking {
	arena *mem;
	finding *first;
	int64_t now, before; /* this look and the one before it, on Farthing's clock */
} looking;

static void look(void *context, running *r)
{
	looking *l = context;
	if (r->standby)
		return;
	finding *f = arena_new(l->mem, finding);
	int64_t us = clock_mono_us(), cpu = engine_cpu_ms(db_engines_process(r));
	*f = (finding){ .next = l->first,
		            .folder = arena_str(l->mem, r->folder),
		            .account = arena_str(l->mem, r->account),
		            .region = arena_str(l->mem, r->region),
		            .id = arena_str(l->mem, r->id) };
	/* While Farthing's clock is turned or runs fast, a day's work is spread over the day. */
	int64_t passed = us - r->looked_us, turned = (l->now - l->before) * 1000;
	if (turned > passed)
		passed = turned;
	if (passed > 0 && cpu >= r->cpu_ms)
		r->cpu_share = (double)(cpu - r->cpu_ms) * 1000 / (double)passed;
	r->cpu_ms = cpu;
	r->looked_us = us;
	f->cpu_share = r->cpu_share;
	if (r->cpu_share * 1000 > IDLE * MILLI_PER_ACU * STEP_CENTI / 100)
		r->low_since = l->now;
	f->low_since = r->low_since;
	f->asleep_at = r->asleep_at;
	f->looked = l->now;
	f->before_look = l->before;
	if (us - r->bytes_at > BYTES_EVERY_US || !r->bytes_at) {
		r->bytes = postgres_bytes(l->mem, db_engines_root(), r->folder);
		r->bytes_at = us;
	}
	f->bytes = r->bytes;
	f->to_minute = l->now / MS_MINUTE;
	f->from_minute = r->minute && r->minute < f->to_minute ? r->minute : f->to_minute - (r->minute == 0);
	memcpy(f->log_at, r->log_at, sizeof f->log_at);
	f->before = r->counted;
	passed = us - r->counted_us;
	turned = (l->now - r->counted_at) * 1000;
	f->minute_us = !r->counted_us ? 0 : turned > passed ? turned : passed;
	f->memory = f->from_minute < f->to_minute ? engine_memory(db_engines_process(r)) : 0;
	r->minute = f->to_minute;
	l->first = f;
}

/* A moment, or what was the same every minute from one to the other. */
typedef struct moment {
	int64_t when, until; /* until: 0 for a moment */
} moment;

static void point(const finding *f, const rds_instance *i, const char *name, const char *unit, double v,
                  moment at)
{
	metric_point p = { .account = f->account,
		               .region = f->region,
		               .name_space = S("AWS/RDS"),
		               .name = str_c(name),
		               .unit = str_c(unit),
		               .when = at.when,
		               .until = at.until,
		               .value = v,
		               .n_dimensions = 1 };
	p.dimensions[0] = (metric_dimension){ S("DBInstanceIdentifier"), f->id };
	metric_later(&p);
	if (!str_is(i->It->DBClusterIdentifier))
		return;
	p.dimensions[0] = (metric_dimension){ S("DBClusterIdentifier"), i->It->DBClusterIdentifier };
	metric_later(&p);
	p.dimensions[p.n_dimensions++] = (metric_dimension){ S("Role"), f->role };
	if (str_is(f->role))
		metric_later(&p);
}

static void count(arena *mem, finding *f) { f->counted = db_stats_read(mem, f->folder, &f->now); }

static double vcpus(const rds_instance *i, const rds_cluster *c)
{
	const rds_ServerlessV2ScalingConfigurationInfo *v2 = c ? c->It->ServerlessV2ScalingConfiguration : NULL;
	if (v2 && str_eq(i->It->DBInstanceClass, SERVERLESS))
		return v2->MaxCapacity.v * MILLI_PER_ACU / 1000;
	return db_class_find(i->It->DBInstanceClass)->vcpu;
}

/* What grew since the last minute; less than then means that it has started again. */
static double rate(const finding *f, int64_t now, int64_t before)
{
	return (double)(now >= before ? now - before : now) * 1000000 / (double)f->minute_us;
}

static void counters(const finding *f, const rds_instance *i, moment at)
{
	point(f, i, "DatabaseConnections", "Count", (double)f->now.connections, at);
	if (str_is(i->It->ReadReplicaSourceDBInstanceIdentifier))
		point(f, i, "ReplicaLag", "Seconds", (double)f->now.lag_seconds, at);
	if (!f->minute_us)
		return;
	point(f, i, "ReadIOPS", "Count/Second", rate(f, f->now.reads, f->before.reads), at);
	point(f, i, "WriteIOPS", "Count/Second", rate(f, f->now.writes, f->before.writes), at);
	double read = rate(f, f->now.reads, f->before.reads) * (double)f->now.page;
	point(f, i, "ReadThroughput", "Bytes/Second", read, at);
	point(f, i, "WriteThroughput", "Bytes/Second", rate(f, f->now.log_bytes, f->before.log_bytes), at);
}

/* Aurora counts pages read, and the log in pieces of 4 KiB. A reader reads the same volume, and writes
 * nothing. */
static void meter_io(const finding *f, const rds_cluster *c, bool writes, int64_t when)
{
	int64_t reads = f->now.reads - f->before.reads, log = f->now.log_bytes - f->before.log_bytes;
	int64_t requests = (reads > 0 ? reads : 0) + (writes && log > 0 ? (log + LOG_PIECE - 1) / LOG_PIECE : 0);
	if (requests && !str_eq(c->It->StorageType, S("aurora-iopt1")))
		usage_later(f->account, f->region, when, &AURORA_IO, c->It->DBClusterArn, QTY(requests));
}

static void remember_log(void *context, running *r)
{
	const finding *f = context;
	if (str_eq(r->folder, f->folder))
		memcpy(r->log_at, f->log_at, sizeof r->log_at);
}

static void remember(void *context, running *r)
{
	const finding *f = context;
	if (!str_eq(r->folder, f->folder))
		return;
	r->counted = f->now;
	r->counted_us = r->looked_us;
	r->counted_at = f->looked;
}

static void publish_capacity(const finding *f, const rds_instance *i, const rds_cluster *c, double acu,
                             moment at)
{
	double most = c->It->ServerlessV2ScalingConfiguration->MaxCapacity.v;
	point(f, i, "ServerlessDatabaseCapacity", "Count", acu, at);
	point(f, i, "ACUUtilization", "Percent", acu / most * 100, at);
}

#define NEVER (INT64_MAX / 2)

static int64_t minute_from(int64_t when) { return (when + MS_MINUTE - 1) / MS_MINUTE * MS_MINUTE; }

/* What part of it lies before a change, and what from it on; false: none. */
static bool part_before(moment all, int64_t change, moment *part)
{
	int64_t last = minute_from(change) - MS_MINUTE;
	*part = (moment){ all.when, all.until < last ? all.until : last };
	if (!all.until)
		part->until = 0;
	return all.when < change;
}

static bool part_from(moment all, int64_t change, moment *part)
{
	*part = all.until && all.when < change ? (moment){ minute_from(change), all.until } : all;
	return (all.until ? all.until : all.when) >= change;
}

static void publish(finding *f, const rds_instance *i, const rds_cluster *c, moment at)
{
	double percent = f->cpu_share / vcpus(i, c) * 100;
	f->role = !c ? STR_NONE : str_eq(c->Folder, i->Folder) ? S("WRITER") : S("READER");
	point(f, i, "CPUUtilization", "Percent", percent < 100 ? percent : 100, at);
	double memory = (double)db_class_find(i->It->DBInstanceClass)->memory_mib * MIB - (double)f->memory;
	point(f, i, "FreeableMemory", "Bytes", memory > 0 ? memory : 0, at);
	if (f->counted)
		counters(f, i, at);
	if (!c) {
		int64_t space = i->It->AllocatedStorage.v * GIB - f->bytes;
		point(f, i, "FreeStorageSpace", "Bytes", space > 0 ? (double)space : 0, at);
		return;
	}
	point(f, i, "VolumeBytesUsed", "Bytes", (double)f->bytes, at);
	const rds_ServerlessV2ScalingConfigurationInfo *v2 = c->It->ServerlessV2ScalingConfiguration;
	if (!v2 || !str_eq(i->It->DBInstanceClass, SERVERLESS))
		return;
	/* A leap may have passed over the moment at which it fell asleep. */
	int64_t asleep = db_sleep_after(c) && f->idle_since ? f->idle_since + db_sleep_after(c) : NEVER;
	moment part;
	if (part_before(at, asleep, &part))
		publish_capacity(f, i, c, (double)c->CentiAcu / 100, part);
	if (part_from(at, asleep, &part))
		publish_capacity(f, i, c, 0, part);
}

typedef struct change {
	arena *mem;
	const finding *f;
	int64_t centi_acu, acu_from;
	bool grow, full, emptied;
} change;

static bool change_rows(void *context, txn *tx)
{
	change *ch = context;
	rds_instance *i = rds_instance_get(tx, ch->mem, ch->f->account, ch->f->region, ch->f->id);
	if (!i || !str_empty(i->Job))
		return true;
	int64_t now = ch->acu_from ? ch->acu_from : clock_now();
	if (ch->grow) {
		int64_t most = i->It->MaxAllocatedStorage.v, more = i->It->AllocatedStorage.v / 10;
		more = i->It->AllocatedStorage.v + (more > 10 ? more : 10);
		db_instance_disk(i->It, more < most ? more : most, (opt_i64){ 0 }, (opt_i64){ 0 });
		db_event_add(
			tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn, "configuration change",
			arena_fmt(ch->mem, "Storage has grown to %lld GiB", (long long)i->It->AllocatedStorage.v));
	}
	if (ch->full || ch->emptied) {
		i->It->DBInstanceStatus = ch->full ? S("storage-full") : S("available");
		db_event_add(tx, i->Account, i->Region, S("db-instance"), i->Id, i->It->DBInstanceArn, "low storage",
		             ch->full ? S("The database instance has consumed all of its allocated storage")
		                      : S("The database instance has room again"));
	}
	rds_instance_put(tx, i);
	rds_cluster *c = str_is(i->It->DBClusterIdentifier)
		? rds_cluster_get(tx, ch->mem, i->Account, i->Region, i->It->DBClusterIdentifier)
		: NULL;
	if (c) {
		if (ch->centi_acu)
			c->CentiAcu = ch->centi_acu;
		rds_cluster_put(tx, c);
		db_bill_cluster_storage(tx, c, ch->f->bytes, now);
	}
	db_bill_instance(tx, i, now);
	return true;
}

/* Grows at once when the capacity there is does not do, shrinks when little has been used for a while; *since
 * is when it had done so, also in a time that the clock leapt over. */
static int64_t wanted_capacity(const finding *f, const rds_cluster *c, int64_t *since)
{
	const rds_ServerlessV2ScalingConfigurationInfo *v2 = c->It->ServerlessV2ScalingConfiguration;
	int64_t most = (int64_t)(v2->MaxCapacity.v * 100), least = (int64_t)(v2->MinCapacity.v * 100),
			now = c->CentiAcu, idle_from = f->low_since + IDLE_MS, next = now;
	least = least < STEP_CENTI ? STEP_CENTI : least;
	double used = f->cpu_share * 1000 / ((double)now / 100 * MILLI_PER_ACU);
	int64_t step = now / 4 / STEP_CENTI * STEP_CENTI;
	step = step < STEP_CENTI ? STEP_CENTI : step;
	*since = f->looked;
	if (used > BUSY) {
		next = now + step;
	} else if (f->looked > idle_from && now > least) {
		int64_t from = idle_from > f->before_look ? idle_from : f->before_look;
		int64_t may = (f->looked - from) / STEP_MS_EACH, want = (now - least + STEP_CENTI - 1) / STEP_CENTI;
		int64_t steps = may < 1 ? 1 : may < want ? may : want;
		next = now - steps * STEP_CENTI;
		*since = from + steps * STEP_MS_EACH < f->looked ? from + steps * STEP_MS_EACH : f->looked;
	}
	return next > most ? most : next < least ? least : next;
}

static void limit(void *context, running *r)
{
	change *ch = context;
	if (str_eq(r->folder, ch->f->folder))
		engine_limit(db_engines_process(r), 0, ch->centi_acu * MILLI_PER_ACU / 100);
}

/* The limit is a file size to the engine only by our hand: new transactions are read-only until there is
 * room. */
static void refuse_writes(arena *mem, const finding *f, bool refuse)
{
	if (db_engines_mysql(f->folder)) {
		str sql = refuse ? S("set global read_only = 1") : S("set global read_only = 0");
		err refused = db_engines_mysql_sql(mem, f->folder, sql, NULL);
		(void)refused; /* looked at again in a moment */
		return;
	}
	err e = db_engines_sql(mem, f->folder, S("postgres"),
	                       refuse ? S("alter system set default_transaction_read_only = on")
	                              : S("alter system reset default_transaction_read_only"),
	                       NULL);
	if (!e)
		e = db_engines_sql(mem, f->folder, S("postgres"), S("select pg_reload_conf()"), NULL);
	if (!e && refuse)
		e = db_engines_sql(mem, f->folder, S("postgres"),
		                   S("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = "
		                     "'client backend' and usename <> 'rdsadmin'"),
		                   NULL);
	(void)e; /* looked at again in a moment */
}

static void storage(arena *mem, const finding *f, const rds_instance *i, change *ch)
{
	int64_t size = i->It->AllocatedStorage.v * GIB;
	bool full = str_eq(i->It->DBInstanceStatus, S("storage-full"));
	ch->grow = f->bytes > size - size / 10 && i->It->MaxAllocatedStorage.v > i->It->AllocatedStorage.v;
	ch->full = f->bytes >= size && !full && !ch->grow;
	ch->emptied = f->bytes < size && full;
	bool follows = str_is(i->It->ReadReplicaSourceDBInstanceIdentifier); /* takes none anyway */
	/* MariaDB forgets it with a restart. */
	bool again = full && !ch->emptied && db_engines_mysql(f->folder);
	if ((ch->full || ch->emptied || again) && !(follows && db_engines_mysql(f->folder)))
		refuse_writes(mem, f, !ch->emptied);
}

static void touch(void *context, running *r)
{
	finding *f = context;
	if (!str_eq(r->folder, f->folder))
		return;
	bool connected = f->now.connections > 0 || !f->counted || f->provisioned;
	bool came = f->counted && r->sessions && f->now.sessions >= r->sessions; /* and has gone again */
	if (f->counted)
		r->sessions = f->now.sessions + 1;
	if (connected || came)
		r->idle_since = f->looked;
	f->idle_since = connected ? 0 : r->idle_since;
}

typedef struct armed {
	const rds_cluster *c;
	int64_t at;
} armed;

static void remember_armed(void *context, running *r)
{
	const armed *a = context;
	const rds_DBClusterMemberList *all = &a->c->It->DBClusterMembers;
	for (size_t k = 0; k < all->n; k++)
		if (str_eq(r->id, all->v[k].DBInstanceIdentifier) && str_eq(r->account, a->c->Account) &&
		    str_eq(r->region, a->c->Region))
			r->asleep_at = a->at;
}

static const finding *member_of(const rds_cluster *c, size_t k, const finding *first)
{
	for (const finding *f = first; f; f = f->next)
		if (str_eq(f->id, c->It->DBClusterMembers.v[k].DBInstanceIdentifier) &&
		    str_eq(f->account, c->Account) && str_eq(f->region, c->Region))
			return f;
	return NULL;
}

/* It sleeps so long after the last connection to any of its engines; a timer does it. */
static void rest(arena *mem, const rds_cluster *c, const finding *first, int64_t now)
{
	int64_t after = db_sleep_after(c), last = 0, set = 0;
	bool idle = after > 0;
	for (size_t k = 0; k < c->It->DBClusterMembers.n; k++) {
		const finding *f = member_of(c, k, first);
		idle = idle && f && f->idle_since;
		last = f && f->idle_since > last ? f->idle_since : last;
		set = f && f->asleep_at ? f->asleep_at : set;
	}
	int64_t due = idle ? last + after : 0;
	/* One that has fired in vain, while something was done to the cluster, is set again. */
	if (due == set && (!due || due > now - LATE_MS))
		return;
	if (!db_sleep_at(mem, watcher.store, c, due))
		db_engines_each(remember_armed, &(armed){ c, due });
}

/* While its engines are down there is still one metric to tell. */
static void tell_asleep(const rds_cluster *c, int64_t from_minute, int64_t to_minute)
{
	moment all = { (from_minute + 1) * MS_MINUTE, to_minute * MS_MINUTE }, part;
	if (from_minute >= to_minute)
		return;
	for (int asleep = 0; asleep <= 1; asleep++) {
		if (!(asleep ? part_from(all, c->PausedAt, &part) : part_before(all, c->PausedAt, &part)))
			continue;
		metric_point p = { .account = c->Account,
			               .region = c->Region,
			               .name_space = S("AWS/RDS"),
			               .name = S("ServerlessDatabaseCapacity"),
			               .unit = S("Count"),
			               .when = part.when,
			               .until = part.until,
			               .value = asleep ? 0 : (double)c->CentiAcu / 100,
			               .n_dimensions = 1 };
		p.dimensions[0] = (metric_dimension){ S("DBClusterIdentifier"), c->Id };
		metric_later(&p);
	}
}

static void rest_all(arena *mem, const finding *first, int64_t now, int64_t from_minute)
{
	const txn *tx = store_read(watcher.store);
	record_scan s = rds_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	rds_cluster *all[64];
	size_t n = 0;
	for (rds_cluster *c; n < 64 && (c = rds_cluster_next(&s));)
		all[n++] = c;
	cursor_close(&s.at);
	store_read_end(watcher.store, tx);
	for (size_t k = 0; k < n; k++) {
		if (all[k]->Paused)
			tell_asleep(all[k], from_minute, now / MS_MINUTE);
		else if (all[k]->It->DBClusterMembers.n)
			rest(mem, all[k], first, now);
	}
}

static void settle(arena *mem, finding *f, int64_t now)
{
	store *s = watcher.store;
	const txn *tx = store_read(s);
	rds_instance *i = rds_instance_get(tx, mem, f->account, f->region, f->id);
	rds_cluster *c = i && str_is(i->It->DBClusterIdentifier)
		? rds_cluster_get(tx, mem, f->account, f->region, i->It->DBClusterIdentifier)
		: NULL;
	store_read_end(s, tx);
	if (!i)
		return;
	f->provisioned = !str_eq(i->It->DBInstanceClass, SERVERLESS); /* it never sleeps */
	change ch = { .mem = mem, .f = f };
	if (f->from_minute < f->to_minute)
		db_engines_follow(mem, s, i);
	if (db_logs_export(mem, i, c, f->folder, f->log_at, now))
		db_engines_each(remember_log, f);
	bool publishes = f->from_minute < f->to_minute;
	if (publishes || (c && db_sleep_after(c))) {
		count(mem, f);
		db_engines_each(touch, f);
	}
	if (publishes) {
		int64_t first = (f->from_minute + 1) * MS_MINUTE, last = (f->to_minute - 1) * MS_MINUTE;
		if (first <= last)
			publish(f, i, c, (moment){ first, last });
		publish(f, i, c, (moment){ now, 0 });
		if (c && f->counted && f->minute_us)
			meter_io(f, c, str_eq(c->Folder, i->Folder), now);
		if (f->counted)
			db_engines_each(remember, f);
	}
	if (!c)
		storage(mem, f, i, &ch);
	else if (c->It->ServerlessV2ScalingConfiguration && str_eq(i->It->DBInstanceClass, SERVERLESS)) {
		int64_t next = wanted_capacity(f, c, &ch.acu_from);
		if (next != c->CentiAcu) {
			ch.centi_acu = next;
			db_engines_each(limit, &ch);
		} else {
			ch.acu_from = 0;
		}
	}
	if (ch.centi_acu || ch.grow || ch.full || ch.emptied || (c && publishes))
		store_write(s, change_rows, &ch);
}

static void look_at_all(void)
{
	pthread_mutex_lock(&watcher.looking);
	looking l = { .mem = arena_open(4096), .now = clock_now(), .before = watcher.before };
	watcher.before = l.now;
	db_clock_look(watcher.store);
	db_engines_each(look, &l);
	for (finding *f = l.first; f; f = f->next)
		settle(l.mem, f, l.now);
	rest_all(l.mem, l.first, l.now, watcher.minute);
	watcher.minute = l.now / MS_MINUTE;
	arena_close(l.mem);
	pthread_mutex_unlock(&watcher.looking);
}

static void *run(void *context)
{
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
		look_at_all();
		pthread_mutex_lock(&watcher.lock);
	}
	pthread_mutex_unlock(&watcher.lock);
	return NULL;
}

void db_watch_leap(void)
{
	bool any = false;
	if (!watcher.started)
		return;
	const txn *tx = store_read(watcher.store);
	arena *mem = arena_open(4096);
	record_scan s = rds_cluster_scan(tx, mem, 0, STR_NONE, STR_NONE, STR_NONE);
	for (rds_cluster *c; !any && (c = rds_cluster_next(&s));)
		any = db_sleep_after(c) > 0;
	cursor_close(&s.at);
	store_read_end(watcher.store, tx);
	arena_close(mem);
	if (any)
		look_at_all();
}

void db_watch_start(store *s)
{
	watcher.store = s;
	watcher.stop = false;
	watcher.before = clock_now();
	watcher.minute = watcher.before / MS_MINUTE;
	watcher.started = pthread_create(&watcher.thread, NULL, run, NULL) == 0;
}

void db_watch_stop(void)
{
	if (!watcher.started)
		return;
	pthread_mutex_lock(&watcher.lock);
	watcher.stop = true;
	pthread_mutex_unlock(&watcher.lock);
	pthread_join(watcher.thread, NULL);
	watcher.started = false;
}
