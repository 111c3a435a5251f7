/*
 * What runs: the table of engines and what watches it. Any thread may call; a row has one job at a time, so
 * nobody starts and stops the same engine at once. An engine is named by the folder of its data.
 */
#pragma once
#include "cloud/req.h"
#include "gen/rds.h"
#include "run/mariadb.h"
#include "run/postgres.h"

/* engines.c: what runs. Any thread. */
err db_engines_start(arena *a, store *s, const rds_instance *i);
/* Its configuration anew; what can change while it runs does. */
void db_engines_reload(arena *a, store *s, const rds_instance *i);
void db_engines_stop(str folder);
bool db_engines_run(str folder);
struct engine_stats;
/* A connection to one that runs, as ourselves; as a user with a password. */
err db_engines_open(arena *a, str folder, str database, int wait_ms, postgres_client **out);
err db_engines_enter(arena *a, str folder, str user, str password, str database, postgres_client **out);
/* Whether it runs and is a MariaDB. Statements are for the one or for the other. */
bool db_engines_mysql(str folder);
err db_engines_mysql_sql(arena *a, str folder, str sql, postgres_rows *rows);
/* The one that is about to take over has all that the other one had. */
err db_engines_hand_over(arena *a, str from, str to);
bool db_engines_mysql_stats(arena *a, str folder, struct engine_stats *out);
/* Replicas of a MariaDB whose primary was not there when they began, or has been made anew. */
void db_engines_follow(arena *a, store *s, const rds_instance *i);
/* After another one took over: all that follow it, or whoever writes in its cluster now. */
void db_engines_followed(arena *a, store *s, const rds_instance *primary);
/* How many connections it allows. */
int db_engines_connections(arena *a, store *s, const rds_instance *i);
err db_engines_sql(arena *a, str folder, str database, str sql, postgres_rows *rows);
/* A copy of its folder, by the backup protocol when it runs. */
err db_engines_copy(arena *a, str folder, str to, int port);
/* The same beside an earlier one that nobody writes to (empty: none), sharing what has not changed since. */
err db_engines_backup(arena *a, str folder, str to, int port, str last);
str db_engines_root(void);
/* The second copy of a Multi-AZ instance: it follows and listens nowhere. */
err db_engines_start_standby(arena *a, store *s, const rds_instance *i);
/* stats.c: what an engine counts of itself; false: it does not answer. */
typedef struct engine_stats {
	int64_t connections, reads, writes, log_bytes, lag_seconds, page; /* page: bytes of a read */
	int64_t sessions; /* that ever were, of databases where Farthing has none; PostgreSQL only */
} engine_stats;
bool db_stats_read(arena *a, str folder, engine_stats *out);
/* mysql.c */
str db_mysql_master(arena *a, str user, str verifier);
str db_mysql_database(arena *a, str database);
str db_mysql_lines(arena *a, const rds_ParametersList *all, int64_t memory_bytes, int *max_connections);
str db_mysql_zone(str lines);
void db_mysql_reload(arena *a, mariadb *m, str lines);
bool db_mysql_stats(arena *a, mariadb *m, engine_stats *out);
/* logs.c: what they say, to CloudWatch if it is exported: whole lines from at[] on, which moves on (true). */
#define DB_LOGS 4
const char *const *db_log_kinds(str engine); /* types that can be exported; NULL ends them */
void db_logs_begin(arena *a, str folder, int64_t at[DB_LOGS]);
bool db_logs_export(arena *a, const rds_instance *i, const rds_cluster *c, str folder, int64_t at[DB_LOGS],
                    int64_t now);
err db_log_types(req *rq, const rds_LogTypeList *add, const rds_LogTypeList *drop, str engine, str version,
                 rds_LogTypeList *now);
/* For each that runs, one after another, while none of them can be stopped. */
typedef struct running {
	str folder, account, region, id;
	postgres *engine; /* or it is a MariaDB */
	mariadb *mysql;
	int64_t since, cpu_ms, looked_us; /* of the watcher */
	double cpu_share;
	int64_t minute, bytes, bytes_at; /* minute: of the last metrics */
	int64_t sessions; /* one more than at the last look; 0: there was none yet */
	int64_t idle_since, low_since, asleep_at; /* on Farthing's clock; asleep_at: what its timer is set to */
	engine_stats counted; /* at the last minute */
	int64_t counted_us, counted_at, log_at[DB_LOGS];
	bool standby;
	struct running *next;
} running;
engine_process *db_engines_process(const running *r);
void db_engines_each(void (*look)(void *context, running *r), void *context);

/* endpoints.c: addresses on which no engine listens. Settle after anything has started or stopped. */
void db_endpoints_start(store *s);
void db_endpoints_settle(void);
void db_endpoints_stop(void);
/* A Serverless v2 cluster that its row calls paused stops, or stays awake if somebody is connected; wake
 * returns when it answers. */
void db_pause(arena *mem, const rds_cluster *c);
void db_wake(arena *mem, str account, str region, str id);

/* sleep.c: how long it has to be idle, in milliseconds; 0: it does not sleep. */
int64_t db_sleep_after(const rds_cluster *c);
/* When it will sleep; 0: it will not. */
err db_sleep_at(arena *mem, store *s, const rds_cluster *c, int64_t due);
void db_sleep_set(txn *tx, arena *mem, rds_cluster *c, bool paused, int64_t when);

/* watch.c: looks at what runs each second: metrics, full storage, Serverless v2 capacity. */
void db_watch_start(store *s);
/* Looks now, if anything is there that may fall asleep: before the clock leaps over the moment. */
void db_watch_leap(void);
void db_watch_stop(void);
