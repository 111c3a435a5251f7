#include "rds.h"
#include "run/mariadb.h"

/* Which engines there are, and which of their versions. */

#define USUAL_POSTGRES 15
#define MINORS_MAX 100

#define PG DB_POSTGRES
#define PG_AURORA (DB_POSTGRES | DB_AURORA_POSTGRES)

static const db_engine engines[] = {
	{ .name = "aurora-mysql", .title = "Aurora MySQL", .described = "Aurora MySQL", .family = "aurora-mysql",
	  .usual = "8.0", .license = "general-public-license", .sku = "aurora.mysql", .bit = DB_AURORA_MYSQL,
	  .aurora = true, .mysql = true, .port = 3306, .password_max = 41 },
	{ .name = "aurora-postgresql", .title = "Aurora PostgreSQL", .described = "Aurora PostgreSQL",
	  .family = "aurora-postgresql", .usual = NULL, .license = "postgresql-license",
	  .sku = "aurora.postgres", .bit = DB_AURORA_POSTGRES, .aurora = true, .port = 5432,
	  .password_max = 128 },
	{ .name = "mariadb", .title = "MariaDB", .described = "MariaDB Community Edition", .family = "mariadb",
	  .usual = "10.11", .license = "general-public-license", .sku = "rds.mysql", .bit = DB_MARIADB,
	  .mysql = true, .port = 3306, .password_max = 41 },
	{ .name = "mysql", .title = "MySQL", .described = "MySQL Community Edition", .family = "mysql",
	  .usual = "8.0", .license = "general-public-license", .sku = "rds.mysql", .bit = DB_MYSQL,
	  .mysql = true, .port = 3306, .password_max = 41 },
	{ .name = "postgres", .title = "PostgreSQL", .described = "PostgreSQL", .family = "postgres",
	  .usual = NULL, .license = "postgresql-license", .sku = "rds.postgres", .bit = DB_POSTGRES,
	  .port = 5432, .password_max = 128 },
};

/* Oldest first; of each series the last one is its default. */
const db_version db_versions[] = {
	{ "5.7.44", DB_MYSQL, false },
	{ "8.0.28", DB_MYSQL, false },
	{ "8.0.32", DB_MYSQL, false },
	{ "8.0.33", DB_MYSQL, false },
	{ "8.0.35", DB_MYSQL, false },
	{ "8.0.36", DB_MYSQL, false },
	{ "8.0.37", DB_MYSQL, false },
	{ "8.0.39", DB_MYSQL, false },
	{ "8.0.40", DB_MYSQL, false },
	{ "8.0.41", DB_MYSQL, false },
	{ "8.0.42", DB_MYSQL, false },
	{ "8.0.43", DB_MYSQL, false },
	{ "8.4.3", DB_MYSQL, false },
	{ "8.4.4", DB_MYSQL, false },
	{ "8.4.5", DB_MYSQL, false },
	{ "8.4.6", DB_MYSQL, false },
	{ "10.5.27", DB_MARIADB, false },
	{ "10.5.29", DB_MARIADB, false },
	{ "10.6.18", DB_MARIADB, false },
	{ "10.6.20", DB_MARIADB, false },
	{ "10.6.21", DB_MARIADB, false },
	{ "10.6.22", DB_MARIADB, false },
	{ "10.11.8", DB_MARIADB, false },
	{ "10.11.9", DB_MARIADB, false },
	{ "10.11.10", DB_MARIADB, false },
	{ "10.11.11", DB_MARIADB, false },
	{ "10.11.13", DB_MARIADB, false },
	{ "11.4.3", DB_MARIADB, false },
	{ "11.4.4", DB_MARIADB, false },
	{ "11.4.5", DB_MARIADB, false },
	{ "11.4.7", DB_MARIADB, false },
	{ "5.7.mysql_aurora.2.11.6", DB_AURORA_MYSQL, false },
	{ "5.7.mysql_aurora.2.12.5", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.04.0", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.04.3", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.05.2", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.06.1", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.07.1", DB_AURORA_MYSQL, false },
	{ "8.0.mysql_aurora.3.08.0", DB_AURORA_MYSQL, true },
	{ "8.0.mysql_aurora.3.08.1", DB_AURORA_MYSQL, true },
	{ "8.0.mysql_aurora.3.08.2", DB_AURORA_MYSQL, true },
	{ "13.15", PG_AURORA, true },
	{ "13.20", PG_AURORA, true },
	{ "14.9", PG_AURORA, false },
	{ "14.12", PG_AURORA, true },
	{ "14.17", PG_AURORA, true },
	{ "15.3", PG_AURORA, false },
	{ "15.4", PG_AURORA, false },
	{ "15.5", PG_AURORA, false },
	{ "15.6", PG_AURORA, false },
	{ "15.7", PG_AURORA, true },
	{ "15.8", PG_AURORA, true },
	{ "15.10", PG_AURORA, true },
	{ "15.12", PG_AURORA, true },
	{ "15.13", PG_AURORA, true },
	{ "15.14", PG, true },
	{ "16.1", PG_AURORA, false },
	{ "16.2", PG_AURORA, false },
	{ "16.3", PG_AURORA, true },
	{ "16.4", PG_AURORA, true },
	{ "16.6", PG_AURORA, true },
	{ "16.8", PG_AURORA, true },
	{ "16.9", PG_AURORA, true },
	{ "17.4", PG_AURORA, true },
	{ "17.5", PG_AURORA, true },
};
const size_t db_versions_n = sizeof db_versions / sizeof *db_versions;

const db_engine *db_engines_all(size_t *n)
{
	*n = sizeof engines / sizeof *engines;
	return engines;
}

const db_engine *db_engine_known(str name)
{
	for (size_t k = 0; k < sizeof engines / sizeof *engines; k++)
		if (str_eq(name, str_c(engines[k].name)))
			return &engines[k];
	return NULL;
}

const db_engine *db_engine_of(str name)
{
	const db_engine *e = db_engine_known(name);
	ensure(e);
	return e;
}

bool db_engine_is_aurora(str engine)
{
	const db_engine *e = db_engine_known(engine);
	return e && e->aurora;
}

bool db_engine_is_mysql(str engine)
{
	const db_engine *e = db_engine_known(engine);
	return e && e->mysql;
}

str db_version_series(str engine, str version)
{
	size_t dots = 0, most = db_engine_is_mysql(engine) ? 2 : 1;
	for (size_t k = 0; k < version.n; k++)
		if (version.p[k] == '.' && ++dots == most)
			return str_sub(version, 0, k);
	return version;
}

int db_version_major(str engine, str version)
{
	int64_t first = 0, second = 0;
	str rest = db_version_series(engine, version);
	if (!str_to_i64(str_cut(&rest, '.'), &first))
		return 0;
	if (!db_engine_is_mysql(engine))
		return (int)first;
	str_to_i64(rest, &second);
	return (int)(first * MINORS_MAX + second);
}

str db_version_family(arena *a, str engine, str version)
{
	return arena_concat(a, str_c(db_engine_of(engine)->family), db_version_series(engine, version));
}

bool db_family_known(str family)
{
	/* Groups of series that are sold no more can still be made. */
	static const char *const older[] = { "mysql5.6", "mariadb10.3", "mariadb10.4", "mariadb11.8",
		                                 "aurora-mysql8.4" };
	for (size_t k = 0; k < sizeof older / sizeof *older; k++)
		if (str_eq(family, str_c(older[k])))
			return true;
	for (size_t e = 0; e < sizeof engines / sizeof *engines; e++) {
		str name = str_c(engines[e].name), prefix = str_c(engines[e].family);
		for (size_t k = 0; str_starts(family, prefix) && k < db_versions_n; k++)
			if (db_versions[k].engines & engines[e].bit &&
			    str_eq(str_sub(family, prefix.n, family.n),
			           db_version_series(name, str_c(db_versions[k].number))))
				return true;
	}
	return false;
}

/* Debian's, or the newest that is installed. */
static str usual_series(arena *a, const db_engine *e)
{
	str bin;
	int found = USUAL_POSTGRES;
	if (e->usual)
		return str_c(e->usual);
	if (postgres_find(a, USUAL_POSTGRES, &bin, &found) && postgres_find(a, 0, &bin, &found))
		found = USUAL_POSTGRES;
	return arena_fmt(a, "%d", found);
}

err db_version_find(req *rq, str engine, str given, const db_version **out)
{
	const db_engine *e = db_engine_of(engine);
	str wanted = str_is(given) ? given : usual_series(rq->mem, e);
	*out = NULL;
	for (size_t i = 0; i < db_versions_n; i++) {
		const db_version *v = &db_versions[i];
		str number = str_c(v->number);
		if (v->engines & e->bit &&
		    (str_eq(number, wanted) || str_eq(db_version_series(engine, number), wanted)))
			*out = v;
	}
	if (!*out)
		return fail(rq, &rds_InvalidParameterCombination, "Cannot find version %.*s for %.*s", STR_ARG(given),
		            STR_ARG(engine));
	return OK;
}

bool db_version_default(req *rq, const db_engine *e, str version)
{
	const db_version *v;
	return !db_version_find(rq, str_c(e->name), STR_NONE, &v) && str_eq(version, str_c(v->number));
}

err db_check_installed(req *rq, str engine, str version)
{
	str program;
	int found;
	err e = db_engine_is_mysql(engine)
		? mariadb_find(rq->mem, &program)
		: postgres_find(rq->mem, db_version_major(engine, version), &program, &found);
	if (!e)
		return OK;
	return fail(rq, &rds_InvalidParameterCombination, "Cannot find version %.*s for %.*s: %.*s",
	            STR_ARG(version), STR_ARG(engine), STR_ARG(e->message));
}

err db_check_engine(req *rq, str engine)
{
	static const char *const others[] = { "oracle-ee",    "oracle-ee-cdb", "oracle-se2",   "oracle-se2-cdb",
		                                  "sqlserver-ee", "sqlserver-se",  "sqlserver-ex", "sqlserver-web",
		                                  "db2-se",       "db2-ae",        "custom-oracle-ee" };
	if (db_engine_known(engine))
		return OK;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (str_eq(engine, str_c(others[i])))
			return fail(rq, &aws_NotImplemented,
			            "The engine %.*s is not available here: postgres, mysql, mariadb, aurora-postgresql "
			            "and aurora-mysql are.",
			            STR_ARG(engine));
	return fail(rq, &rds_InvalidParameterValue, "Invalid DB engine: %.*s", STR_ARG(engine));
}
