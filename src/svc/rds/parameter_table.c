#include "parameters.h"

#define INT "integer"
#define BOOLEAN "boolean"
#define ANY "string"
#define REAL "float"
#define STATIC true
#define DYNAMIC false
#define FORMULA_TIMES 1000
#define P(name, is_static, type, allowed, value, words) \
	{ \
		name, type, allowed, value, is_static, false, words \
	}

static const db_parameter of_postgres[] = {
	P("application_name", DYNAMIC, ANY, NULL, NULL,
	  "Sets the application name reported in statistics and logs."),
	P("auto_explain.log_min_duration", DYNAMIC, INT, "-1-2147483647", NULL,
	  "(ms) Plans of slower statements are logged."),
	P("autovacuum", DYNAMIC, BOOLEAN, "0,1", "1", "Starts the autovacuum subprocess."),
	P("autovacuum_analyze_scale_factor", DYNAMIC, REAL, "0-100", "0.05",
	  "Share of changed rows before an analyze."),
	P("autovacuum_max_workers", STATIC, INT, "1-262143", "3", "Autovacuum workers running at the same time."),
	P("autovacuum_naptime", DYNAMIC, INT, "1-2147483", "15", "(s) Time to sleep between autovacuum runs."),
	P("autovacuum_vacuum_scale_factor", DYNAMIC, REAL, "0-100", "0.1",
	  "Share of changed rows before a vacuum."),
	P("bgwriter_delay", DYNAMIC, INT, "10-10000", NULL, "(ms) Sleep time between background writer rounds."),
	P("checkpoint_timeout", DYNAMIC, INT, "30-3600", "300",
	  "(s) Maximum time between automatic checkpoints."),
	P("client_encoding", DYNAMIC, ANY, NULL, NULL, "Sets the client's character set encoding."),
	P("client_min_messages", DYNAMIC, ANY, "debug5,debug4,debug3,debug2,debug1,log,notice,warning,error",
	  NULL, "Least level of messages that are sent to the client."),
	P("cursor_tuple_fraction", DYNAMIC, REAL, "0-1", NULL,
	  "Estimate of the fraction of a cursor's rows retrieved."),
	P("datestyle", DYNAMIC, ANY, NULL, NULL, "Sets the display format for date and time values."),
	P("deadlock_timeout", DYNAMIC, INT, "1-2147483647", NULL,
	  "(ms) Time to wait on a lock before looking for deadlock."),
	P("default_statistics_target", DYNAMIC, INT, "1-10000", NULL, "Default statistics target."),
	P("default_transaction_isolation", DYNAMIC, ANY,
	  "serializable,repeatable read,read committed,read uncommitted", NULL,
	  "Isolation level of new transactions."),
	P("default_transaction_read_only", DYNAMIC, BOOLEAN, "0,1", NULL,
	  "Read-only status of new transactions."),
	P("effective_cache_size", DYNAMIC, INT, "1-2147483647", "{DBInstanceClassMemory/16384}",
	  "(8kB) The planner's assumption about the size of the disk cache."),
	P("effective_io_concurrency", DYNAMIC, INT, "0-1000", NULL, "Simultaneous requests the disk can handle."),
	P("idle_in_transaction_session_timeout", DYNAMIC, INT, "0-2147483647", "86400000",
	  "(ms) Sessions idle in a transaction for longer are ended."),
	P("idle_session_timeout", DYNAMIC, INT, "0-2147483647", NULL, "(ms) Sessions idle for longer are ended."),
	P("jit", DYNAMIC, BOOLEAN, "0,1", NULL, "Allows JIT compilation."),
	P("lock_timeout", DYNAMIC, INT, "0-2147483647", NULL, "(ms) Maximum wait for a lock."),
	P("log_connections", DYNAMIC, BOOLEAN, "0,1", NULL, "Logs each successful connection."),
	P("log_disconnections", DYNAMIC, BOOLEAN, "0,1", NULL, "Logs the end of a session, with its duration."),
	P("log_duration", DYNAMIC, BOOLEAN, "0,1", NULL, "Logs the duration of each completed statement."),
	P("log_error_verbosity", DYNAMIC, ANY, "terse,default,verbose", NULL, "Verbosity of logged messages."),
	P("log_lock_waits", DYNAMIC, BOOLEAN, "0,1", NULL, "Logs long lock waits."),
	P("log_min_duration_statement", DYNAMIC, INT, "-1-2147483647", NULL,
	  "(ms) Statements slower than this are logged."),
	P("log_min_messages", DYNAMIC, ANY,
	  "debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic", NULL,
	  "Least level of messages that are logged."),
	P("log_statement", DYNAMIC, ANY, "none,ddl,mod,all", NULL, "Sets the type of statements logged."),
	P("log_temp_files", DYNAMIC, INT, "-1-2147483647", NULL,
	  "(kB) Temporary files larger than this are logged."),
	P("logical_decoding_work_mem", DYNAMIC, INT, "64-2147483647", NULL, "(kB) Memory for logical decoding."),
	P("maintenance_work_mem", DYNAMIC, INT, "1024-2147483647",
	  "GREATEST({DBInstanceClassMemory/63963136*1024},65536)",
	  "(kB) Maximum memory for maintenance operations."),
	P("max_connections", STATIC, INT, "6-262143", "LEAST({DBInstanceClassMemory/9531392},5000)",
	  "Sets the maximum number of concurrent connections."),
	P("max_locks_per_transaction", STATIC, INT, "10-2147483647", NULL,
	  "Maximum number of locks per transaction."),
	P("max_logical_replication_workers", STATIC, INT, "0-262143", NULL,
	  "Maximum number of replication workers."),
	P("max_parallel_workers", DYNAMIC, INT, "0-1024", "GREATEST({DBInstanceVCPU/2},8)",
	  "Parallel workers at one time."),
	P("max_parallel_workers_per_gather", DYNAMIC, INT, "0-1024", NULL,
	  "Parallel processes per executor node."),
	P("max_prepared_transactions", STATIC, INT, "0-262143", "0", "Simultaneously prepared transactions."),
	P("max_replication_slots", STATIC, INT, "5-262143", "20", "Maximum number of replication slots."),
	P("max_standby_archive_delay", DYNAMIC, INT, "-1-2147483647", NULL,
	  "(ms) Delay before queries are canceled."),
	P("max_standby_streaming_delay", DYNAMIC, INT, "-1-2147483647", NULL,
	  "(ms) Delay before queries are canceled."),
	P("max_wal_senders", STATIC, INT, "5-262143", "20", "Simultaneously running WAL senders."),
	P("max_wal_size", DYNAMIC, INT, "128-201326592", NULL, "(MB) WAL size that triggers a checkpoint."),
	P("max_worker_processes", STATIC, INT, "0-262143", "GREATEST({DBInstanceVCPU*2},8)",
	  "Concurrent worker processes."),
	P("min_wal_size", DYNAMIC, INT, "128-201326592", NULL, "(MB) Minimum size to shrink the WAL to."),
	P("pg_stat_statements.max", STATIC, INT, "100-2147483647", NULL,
	  "Statements tracked by pg_stat_statements."),
	P("pg_stat_statements.track", DYNAMIC, ANY, "none,top,all", NULL, "Which statements are tracked."),
	P("random_page_cost", DYNAMIC, REAL, "0-1.79769e+308", NULL, "Cost of a nonsequentially fetched page."),
	P("rds.force_ssl", DYNAMIC, BOOLEAN, "0,1", NULL, "Force SSL connections."),
	P("rds.logical_replication", STATIC, BOOLEAN, "0,1", "0", "Enables logical decoding."),
	P("search_path", DYNAMIC, ANY, NULL, NULL, "Schema search order for names that are not qualified."),
	P("seq_page_cost", DYNAMIC, REAL, "0-1.79769e+308", NULL, "Cost of a sequentially fetched page."),
	P("session_replication_role", DYNAMIC, ANY, "origin,replica,local", NULL,
	  "Behaviour of triggers and rules."),
	P("shared_buffers", STATIC, INT, "16-1073741823", "{DBInstanceClassMemory/32768}",
	  "(8kB) Number of shared memory buffers used by the server."),
	P("shared_preload_libraries", STATIC, ANY, NULL, "", "Lists shared libraries to preload into server."),
	P("statement_timeout", DYNAMIC, INT, "0-2147483647", NULL, "(ms) Maximum duration of any statement."),
	P("synchronous_commit", DYNAMIC, ANY, "local,on,off", "on",
	  "Synchronization level of the current transaction."),
	P("tcp_keepalives_idle", DYNAMIC, INT, "0-2147483647", "300", "(s) Time between issuing TCP keepalives."),
	P("temp_buffers", DYNAMIC, INT, "100-1073741823", NULL, "(8kB) Temporary buffers used by each session."),
	P("timezone", DYNAMIC, ANY, NULL, "UTC", "Time zone for displaying and interpreting time stamps."),
	P("track_activity_query_size", STATIC, INT, "100-1048576", "4096",
	  "Bytes reserved for the current query's text."),
	P("track_functions", DYNAMIC, ANY, "none,pl,all", NULL, "Collects function-level statistics."),
	P("track_io_timing", DYNAMIC, BOOLEAN, "0,1", "1", "Collects timing statistics for database I/O."),
	P("wal_buffers", STATIC, INT, "-1-262143", NULL, "(8kB) Disk-page buffers in shared memory for WAL."),
	P("wal_keep_size", DYNAMIC, INT, "0-2147483647", NULL,
	  "(MB) Size of WAL files held for standby servers."),
	P("wal_receiver_timeout", DYNAMIC, INT, "0-3600000", NULL,
	  "(ms) Maximum wait for data from the primary."),
	P("wal_sender_timeout", DYNAMIC, INT, "0-3600000", NULL, "(ms) Maximum wait for WAL replication."),
	P("work_mem", DYNAMIC, INT, "64-2147483647", NULL, "(kB) Maximum memory for query workspaces."),
};
const db_parameter *db_parameters_of(str family, size_t *n)
{
	bool mysql = str_starts(family, S("mysql")) || str_starts(family, S("mariadb")) ||
	             str_starts(family, S("aurora-mysql"));
	*n = mysql ? db_mysql_parameters_n : sizeof of_postgres / sizeof *of_postgres;
	return mysql ? db_mysql_parameters : of_postgres;
}

const db_parameter *db_parameter_known(str family, str name)
{
	size_t n;
	const db_parameter *all = db_parameters_of(family, &n);
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(name, str_c(all[i].name)))
			return &all[i];
	return NULL;
}

/* {DBInstanceClassMemory/N} and {DBInstanceClassMemory*N/M}. */
static bool formula(str text, int64_t memory_bytes, int64_t *out)
{
	str prefix = S("{DBInstanceClassMemory");
	int64_t divisor, times = 1;
	if (!str_starts(text, prefix) || !str_ends(text, S("}")))
		return str_to_i64(text, out);
	str rest = str_sub(text, prefix.n, text.n - 1);
	if (str_starts(rest, S("*"))) {
		rest = str_sub(rest, 1, rest.n);
		if (!str_to_i64(str_cut(&rest, '/'), &times) || times < 1 || times > FORMULA_TIMES)
			return false;
	} else if (str_starts(rest, S("/"))) {
		rest = str_sub(rest, 1, rest.n);
	} else {
		return false;
	}
	if (!str_to_i64(rest, &divisor) || divisor <= 0)
		return false;
	*out = memory_bytes / divisor * times;
	return true;
}

bool db_parameter_number(str text, int64_t memory_bytes, int64_t *out)
{
	bool least = str_starts(text, S("LEAST(")), greatest = str_starts(text, S("GREATEST("));
	if (!least && !greatest)
		return formula(text, memory_bytes, out);
	if (!str_ends(text, S(")")))
		return false;
	str rest = str_sub(text, least ? 6 : 9, text.n - 1);
	int64_t a, b;
	str first = str_trim(str_cut(&rest, ','));
	if (!str_is(rest) || !formula(first, memory_bytes, &a) || !formula(str_trim(rest), memory_bytes, &b))
		return false;
	*out = (a < b) == least ? a : b;
	return true;
}

static bool listed(str allowed, str value)
{
	while (str_is(allowed))
		if (str_eq_nocase(str_cut(&allowed, ','), value))
			return true;
	return false;
}

bool db_parameter_allows(const db_parameter *p, str value)
{
	str allowed = str_c(p->allowed);
	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] < ' ')
			return false;
	if (!p->allowed)
		return true;
	if (strcmp(p->type, INT) != 0 && strcmp(p->type, REAL) != 0)
		return listed(allowed, value);
	/* a-b, where a may itself begin with a minus. */
	size_t dash = allowed.n > 1 ? str_find_char(str_sub(allowed, 1, allowed.n), '-') : SIZE_MAX;
	double low, high, v;
	if (dash == SIZE_MAX || !str_to_f64(str_sub(allowed, 0, dash + 1), &low) ||
	    !str_to_f64(str_sub(allowed, dash + 2, allowed.n), &high))
		return true;
	int64_t whole;
	if (strcmp(p->type, INT) == 0) {
		if (!db_parameter_number(value, (int64_t)1 << 30, &whole))
			return false;
		return str_find_char(value, '{') != SIZE_MAX || ((double)whole >= low && (double)whole <= high);
	}
	return str_to_f64(value, &v) && v >= low && v <= high;
}
