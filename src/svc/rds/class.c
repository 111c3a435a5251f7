#include "rds.h"

#define CONNECTION_BYTES 9531392 /* DBInstanceClassMemory is divided by this */
#define CONNECTIONS_MAX 5000
#define USUAL 15
#define CAPPED_BY_MIN 2000 /* where Serverless v2 may shrink to 0.5 ACU or less */

/* The classes whose prices are known. */
const db_class db_classes[] = {
	{ "db.m5.2xlarge", 8, 32768 },  { "db.m5.4xlarge", 16, 65536 }, { "db.m5.large", 2, 8192 },
	{ "db.m5.xlarge", 4, 16384 },   { "db.m6g.large", 2, 8192 },    { "db.m6i.large", 2, 8192 },
	{ "db.m7g.large", 2, 8192 },    { "db.m7g.xlarge", 4, 16384 },  { "db.r4.large", 2, 15616 },
	{ "db.r5.2xlarge", 8, 65536 },  { "db.r5.large", 2, 16384 },    { "db.r5.xlarge", 4, 32768 },
	{ "db.r6g.large", 2, 16384 },   { "db.r7g.large", 2, 16384 },   { "db.serverless", 2, 2048 },
	{ "db.t3.2xlarge", 8, 32768 },  { "db.t3.large", 2, 8192 },     { "db.t3.medium", 2, 4096 },
	{ "db.t3.micro", 2, 1024 },     { "db.t3.small", 2, 2048 },     { "db.t3.xlarge", 4, 16384 },
	{ "db.t4g.large", 2, 8192 },    { "db.t4g.medium", 2, 4096 },   { "db.t4g.micro", 2, 1024 },
	{ "db.t4g.small", 2, 2048 },    { "db.t4g.xlarge", 4, 16384 },
};
const size_t db_classes_n = sizeof db_classes / sizeof *db_classes;

const db_class *db_class_find(str name)
{
	for (size_t i = 0; i < db_classes_n; i++)
		if (str_eq(str_c(db_classes[i].name), name))
			return &db_classes[i];
	return NULL;
}

typedef struct known {
	double x, y;
} known;

static double between(const known *points, size_t n, double x)
{
	size_t i = 1;
	while (i < n - 1 && points[i].x < x)
		i++;
	const known *a = &points[i - 1], *b = &points[i];
	double at = (x - a->x) / (b->x - a->x);
	return x <= points[0].x    ? points[0].y
		: x >= points[n - 1].x ? points[n - 1].y
							   : a->y + at * (b->y - a->y);
}

/* DBInstanceClassMemory is less than the class has: MiB that RDS keeps for itself, from what users report
 * (198 connections with 2 GiB, 413 with 4, 856 with 8, 1,660 with 15.25). */
int db_class_connections(int memory_mib)
{
	static const known kept[] = { { 2048, 245 }, { 4096, 336 }, { 8192, 409 }, { 15616, 518 } };
	double bytes = (memory_mib - between(kept, 4, memory_mib)) * 1048576.0;
	int n = (int)(bytes / CONNECTION_BYTES);
	return n < CONNECTIONS_MAX ? n : CONNECTIONS_MAX;
}

/* By the maximum capacity, as AWS's table has it. */
int db_acu_connections(double min, double max)
{
	static const known table[] = { { 0.5, 90 }, { 1, 189 },   { 4, 823 },
		                           { 8, 1669 }, { 16, 3360 }, { 32, 5000 } };
	int n = (int)between(table, 6, max);
	return min <= 0.5 && n > CAPPED_BY_MIN ? CAPPED_BY_MIN : n;
}

/* Oldest first; of each major version the last one is its default. */
const db_version db_versions[] = {
	{ "13.15", true, true, true },  { "13.20", true, true, true },  { "14.9", true, true, false },
	{ "14.12", true, true, true },  { "14.17", true, true, true },  { "15.3", true, true, false },
	{ "15.4", true, true, false },  { "15.5", true, true, false },  { "15.6", true, true, false },
	{ "15.7", true, true, true },   { "15.8", true, true, true },   { "15.10", true, true, true },
	{ "15.12", true, true, true },  { "15.13", true, true, true },  { "15.14", false, true, false },
	{ "16.1", true, true, false },  { "16.2", true, true, false },  { "16.3", true, true, true },
	{ "16.4", true, true, true },   { "16.6", true, true, true },   { "16.8", true, true, true },
	{ "16.9", true, true, true },   { "17.4", true, true, true },   { "17.5", true, true, true },
};
const size_t db_versions_n = sizeof db_versions / sizeof *db_versions;

bool db_engine_is_aurora(str engine)
{
	return str_eq(engine, S("aurora-postgresql"));
}

int db_version_major(str version)
{
	int64_t v = 0;
	str rest = version;
	return str_to_i64(str_cut(&rest, '.'), &v) ? (int)v : 0;
}

str db_version_family(arena *a, str engine, str version)
{
	return arena_fmt(a, "%s%d", db_engine_is_aurora(engine) ? "aurora-postgresql" : "postgres",
	                 db_version_major(version));
}

/* Debian's, or the newest that is installed. */
static str usual_major(arena *a)
{
	str bin;
	int found = USUAL;
	if (postgres_find(a, USUAL, &bin, &found) && postgres_find(a, 0, &bin, &found))
		found = USUAL;
	return arena_fmt(a, "%d", found);
}

err db_version_find(req *rq, str engine, str given, const db_version **out)
{
	bool aurora = db_engine_is_aurora(engine), whole = str_find_char(given, '.') != SIZE_MAX;
	*out = NULL;
	str major_of_default = usual_major(rq->mem);
	for (size_t i = 0; i < db_versions_n; i++) {
		const db_version *v = &db_versions[i];
		str number = str_c(v->number);
		bool has = aurora ? v->aurora : v->plain;
		str major = str_is(given) ? given : major_of_default;
		if (has && (whole ? str_eq(number, given) :
		                    str_starts(number, arena_fmt(rq->mem, "%.*s.", STR_ARG(major)))))
			*out = v;
	}
	if (!*out)
		return fail(rq, &rds_InvalidParameterCombination, "Cannot find version %.*s for %.*s", STR_ARG(given),
		            STR_ARG(engine));
	return OK;
}
