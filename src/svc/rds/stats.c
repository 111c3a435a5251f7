#include "rds.h"

/* Reads and writes as PostgreSQL counts them: pages that were not in its buffers, pages and log that it
 * wrote. What the system's cache then spares is not seen. */
#define SESSIONS \
	"(select coalesce(sum(sessions), 0) from pg_stat_database where datname not in " \
	"('postgres', 'rdsadmin', 'template0', 'template1'))::bigint"
static const char before_16[] =
	"select (select count(*) from pg_stat_activity where backend_type = 'client backend' and "
	"usename <> 'rdsadmin'), (select sum(blks_read) from pg_stat_database)::bigint, "
	"(select buffers_checkpoint + buffers_clean + buffers_backend from pg_stat_bgwriter) + "
	"(select wal_write from pg_stat_wal), (select wal_bytes from pg_stat_wal)::bigint, "
	"case when not pg_is_in_recovery() or pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 else "
	"coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp()), 0) end::bigint, " SESSIONS;
static const char from_16[] =
	"select (select count(*) from pg_stat_activity where backend_type = 'client backend' and "
	"usename <> 'rdsadmin'), (select sum(reads) from pg_stat_io)::bigint, "
	"(select sum(writes) from pg_stat_io)::bigint + "
	"(select coalesce((to_jsonb(w)->>'wal_write')::bigint, 0) from pg_stat_wal w), "
	"(select wal_bytes from pg_stat_wal)::bigint, "
	"case when not pg_is_in_recovery() or pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 else "
	"coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp()), 0) end::bigint, " SESSIONS;

#define MAJOR_WITH_IO 16
#define PAGE 8192
#define PAGE_MYSQL 16384

bool db_stats_read(arena *a, str folder, engine_stats *out)
{
	postgres_client *c;
	postgres_rows r = { 0 };
	int64_t version = 0;
	*out = (engine_stats){ .page = PAGE };
	if (db_engines_mysql(folder)) {
		out->page = PAGE_MYSQL;
		return db_engines_mysql_stats(a, folder, out);
	}
	if (db_engines_open(a, folder, S("postgres"), 0, &c))
		return false;
	err e = postgres_query(a, c, S("select current_setting('server_version_num')::int / 10000"), &r);
	if (!e && str_to_i64(postgres_cell(&r, 0, 0), &version))
		e = postgres_query(a, c, str_c(version < MAJOR_WITH_IO ? before_16 : from_16), &r);
	postgres_close(c);
	int64_t *const to[] = { &out->connections, &out->reads, &out->writes, &out->log_bytes,
		                    &out->lag_seconds, &out->sessions };
	bool all = !e;
	for (size_t k = 0; k < sizeof to / sizeof *to; k++)
		all = str_to_i64(postgres_cell(&r, 0, k), to[k]) && all;
	return all;
}
