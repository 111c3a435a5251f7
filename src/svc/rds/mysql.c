#include "rds.h"
#include "base/buf.h"
#include "parameters.h"

/* What RDS does in an engine for MySQL, in MariaDB's words. */

#define SETTINGS_MAX ((size_t)64 << 10)

/* What AWS's master user has; the server's own schema stays reachable, which AWS patches away. */
static const char grants[] =
	"select, insert, update, delete, create, drop, reload, process, references, index, alter, "
	"show databases, create temporary tables, lock tables, execute, replication slave, replication client, "
	"create view, show view, create routine, alter routine, create user, event, trigger";

str db_mysql_master(arena *a, str user, str verifier)
{
	str name = mariadb_literal(a, user);
	return arena_fmt(a,
	                 "create user if not exists %.*s@'%%';"
	                 "alter user %.*s@'%%' identified via mysql_native_password using %.*s;"
	                 "grant %s on *.* to %.*s@'%%' with grant option",
	                 STR_ARG(name), STR_ARG(name), STR_ARG(mariadb_literal(a, verifier)), grants,
	                 STR_ARG(name));
}

str db_mysql_database(arena *a, str database)
{
	return arena_fmt(a, "create database if not exists %.*s", STR_ARG(mariadb_name(a, database)));
}

/* MySQL's names and values for what MariaDB calls otherwise; STR_NONE: it has nothing like it. */
static str translated(str name, str *value)
{
	static const char *const none[] = {
		"gtid-mode", "gtid_mode", "enforce_gtid_consistency", "default_password_lifetime",
	};
	for (size_t k = 0; k < sizeof none / sizeof *none; k++)
		if (str_eq(name, str_c(none[k])))
			return STR_NONE;
	if (str_starts(*value, S("utf8mb4_0900")))
		*value = str_eq(*value, S("utf8mb4_0900_bin")) ? S("utf8mb4_bin") : S("utf8mb4_uca1400_ai_ci");
	return name;
}

str db_mysql_lines(arena *a, const rds_ParametersList *all, int64_t memory_bytes, int *max_connections)
{
	buf b = buf_in(a, 256, SETTINGS_MAX);
	for (size_t i = 0; i < all->n; i++) {
		str value = all->v[i].ParameterValue, name;
		int64_t number;
		if (str_find_char(value, '{') != SIZE_MAX) {
			if (!db_parameter_number(value, memory_bytes, &number))
				continue;
			value = arena_fmt(a, "%lld", (long long)number);
		}
		name = translated(all->v[i].ParameterName, &value);
		if (str_eq(name, S("max_connections")) && str_to_i64(value, &number))
			*max_connections = (int)number;
		else if (str_is(name))
			/* One that this MariaDB does not know is no reason not to begin. */
			buf_fmt(&b, "loose-%.*s = %.*s\n", STR_ARG(name), STR_ARG(value));
	}
	return buf_str(&b);
}

/* Europe/Berlin; by the last line that says. */
str db_mysql_zone(str lines)
{
	str zone = S(""), key = S("loose-time_zone = ");
	while (str_is(lines)) {
		str line = str_cut(&lines, '\n');
		if (str_starts(line, key))
			zone = str_sub(line, key.n, line.n);
	}
	return zone;
}

/* What can change while it runs does; the rest waits for the next start, as on AWS. */
void db_mysql_reload(arena *a, mariadb *m, str lines)
{
	while (str_is(lines)) {
		str line = str_cut(&lines, '\n'), name = str_trim(str_cut(&line, '=')), value = str_trim(line);
		int64_t n;
		double f;
		if (!str_starts(name, S("loose-")))
			continue;
		name = str_sub(name, 6, name.n);
		bool number = str_to_i64(value, &n) || str_to_f64(value, &f);
		err e = mariadb_sql(a, m,
		                    arena_fmt(a, "set global %.*s = %.*s", STR_ARG(mariadb_name(a, name)),
		                              STR_ARG(number ? value : mariadb_literal(a, value))),
		                    NULL);
		(void)e; /* it is read at the next start */
	}
}

/* Connections of users, of rdsadmin and replicas not; then what the storage engine counts. */
static const char counters[] =
	"select (select count(*) from information_schema.processlist where user <> 'rdsadmin' and user not like "
	"'rdsrepladmin%' and user <> 'system user' and user <> 'event_scheduler'), "
	"max(if(variable_name = 'INNODB_DATA_READS', variable_value, 0)), "
	"max(if(variable_name = 'INNODB_DATA_WRITES', variable_value, 0)), "
	"max(if(variable_name = 'INNODB_OS_LOG_WRITTEN', variable_value, 0)) "
	"from information_schema.global_status where variable_name in "
	"('INNODB_DATA_READS', 'INNODB_DATA_WRITES', 'INNODB_OS_LOG_WRITTEN')";

bool db_mysql_stats(arena *a, mariadb *m, engine_stats *out)
{
	postgres_rows r;
	if (mariadb_rests(m) || mariadb_sql(a, m, str_c(counters), &r))
		return false;
	int64_t *const to[] = { &out->connections, &out->reads, &out->writes, &out->log_bytes };
	bool all = true;
	for (size_t k = 0; k < sizeof to / sizeof *to; k++)
		all = str_to_i64(postgres_cell(&r, 0, k), to[k]) && all;
	out->lag_seconds = mariadb_behind(a, m);
	return all;
}
