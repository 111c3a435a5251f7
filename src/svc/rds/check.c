#include "base/digest.h"
#include "rds.h"
#include "sys/rand.h"

#define PASSWORD_MIN 8
#define MASTER_MAX 63
#define MASTER_MAX_MYSQL 32
#define STORAGE_MIN_GP 20
#define STORAGE_MIN_IO 100
#define STORAGE_MIN_MAGNETIC 5
#define STORAGE_MAX 65536
#define STORAGE_MAX_MAGNETIC 3072
#define GP3_CHOICE_FROM 400
#define RETENTION_MAX 35
#define PORT_MIN 1150
#define PORT_MAX 65535

static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static bool digit(char c) { return c >= '0' && c <= '9'; }

str db_lowered(req *rq, str s) { return str_is(s) ? arena_lower(rq->mem, s) : s; }

err db_check_identifier(req *rq, str v, const char *parameter)
{
	bool good = v.n > 0 && v.n <= RDS_IDENTIFIER_MAX && letter(v.p[0]) && v.p[v.n - 1] != '-'
		&& str_find(v, S("--")) == SIZE_MAX;
	for (size_t i = 0; i < v.n; i++)
		good = good && (letter(v.p[i]) || digit(v.p[i]) || v.p[i] == '-');
	if (good)
		return OK;
	if (v.n > RDS_IDENTIFIER_MAX)
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter %s is not a valid identifier because it is longer than %d characters.",
		            parameter, RDS_IDENTIFIER_MAX);
	return fail(
		rq, &rds_InvalidParameterValue,
		"The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only "
		"ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
		"hyphens.",
		parameter);
}

/* Aurora has none of the small and none of the general purpose ones. */
bool db_class_fits(const db_engine *e, str name)
{
	static const char *const small[] = { "db.t3.micro", "db.t3.small", "db.t4g.micro", "db.t4g.small",
		                                 "db.t3.xlarge", "db.t3.2xlarge", "db.t4g.xlarge" };
	bool none = str_starts(name, S("db.m"));
	for (size_t i = 0; i < sizeof small / sizeof *small; i++)
		none = none || str_eq(name, str_c(small[i]));
	return e->aurora ? !none : !str_eq(name, SERVERLESS);
}

err db_check_class(req *rq, str name, str engine)
{
	const db_engine *e = db_engine_of(engine);
	if (!db_class_find(name))
		return fail(rq, &rds_InvalidParameterValue, "Invalid DB Instance class: %.*s", STR_ARG(name));
	if (!db_class_fits(e, name))
		return fail(rq, &rds_InvalidParameterCombination,
		            "RDS does not support creating a DB instance with the following combination: "
		            "DBInstanceClass=%.*s, Engine=%s, LicenseModel=%s. For supported combinations of "
		            "instance class and database engine version, see the documentation.",
		            STR_ARG(name), e->name, e->license);
	return OK;
}

static bool among(str name, const char *const *words)
{
	for (; *words; words++)
		if (str_eq_nocase(name, str_c(*words)))
			return true;
	return false;
}

err db_check_master(req *rq, str engine, str name)
{
	static const char *const reserved[] = { "admin",        "rdsadmin", "rds_superuser", "rds_replication",
		                                    "rds_password", "rds_iam",  "rdsrepladmin",  "user",
		                                    "public",       "none",     NULL };
	static const char *const of_mysql[] = { "rdsadmin", "rdsrepladmin", "rdsproxyadmin", "mysql", "none",
		                                    NULL };
	bool mysql = db_engine_is_mysql(engine);
	if (str_empty(name))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUsername must be provided and must not be blank.");
	bool good = name.n <= (mysql ? MASTER_MAX_MYSQL : MASTER_MAX) &&
	            (letter(name.p[0]) || (!mysql && name.p[0] == '_'));
	for (size_t i = 0; i < name.n; i++)
		good = good && (letter(name.p[i]) || digit(name.p[i]) || name.p[i] == '_');
	if (among(name, mysql ? of_mysql : reserved) ||
	    (mysql && str_starts(db_lowered(rq, name), S("rdsrepladmin_"))))
		return fail(rq, &rds_InvalidParameterValue,
		            "MasterUsername %.*s cannot be used as it is a reserved word used by the engine",
		            STR_ARG(name));
	if (!good || (!mysql && str_starts(db_lowered(rq, name), S("pg_"))))
		return fail(rq, &rds_InvalidParameterValue, "Invalid master user name");
	return OK;
}

err db_check_password(req *rq, str engine, str password)
{
	size_t most = db_engine_of(engine)->password_max;
	if (str_empty(password))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword must be provided and must not be blank.");
	if (password.n < PASSWORD_MIN)
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword is not a valid password because it is shorter than %d "
		            "characters.",
		            PASSWORD_MIN);
	if (password.n > most)
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword is not a valid password because it is longer than %zu "
		            "characters.",
		            most);
	for (size_t i = 0; i < password.n; i++)
		if (password.p[i] <= ' ' || password.p[i] > '~' || strchr("/@\"", password.p[i]))
			return fail(
				rq, &rds_InvalidParameterValue,
				"The parameter MasterUserPassword is not a valid password. Only printable ASCII characters "
				"besides '/', '@', '\"', ' ' may be used.");
	return OK;
}

err db_check_storage(req *rq, str engine, str type, int64_t gib, opt_i64 iops, opt_i64 throughput)
{
	bool gp3 = str_eq(type, S("gp3")), gp2 = str_eq(type, S("gp2")), magnetic = str_eq(type, S("standard"));
	bool io = str_eq(type, S("io1")) || str_eq(type, S("io2"));
	if (!gp2 && !gp3 && !io && !magnetic)
		return fail(rq, &rds_InvalidParameterValue, "Invalid storage type: %.*s", STR_ARG(type));
	int64_t least = io ? STORAGE_MIN_IO : magnetic ? STORAGE_MIN_MAGNETIC : STORAGE_MIN_GP;
	if (gib < least || gib > (magnetic ? STORAGE_MAX_MAGNETIC : STORAGE_MAX))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid storage size for engine name %.*s and storage type %.*s: %lld", STR_ARG(engine),
		            STR_ARG(type), (long long)gib);
	if (io && !iops.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "You must specify a value for the Iops parameter with the %.*s storage type.",
		            STR_ARG(type));
	if ((gp2 || magnetic) && iops.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "You can't specify IOPS or storage throughput for engine %.*s and storage type %.*s.",
		            STR_ARG(engine), STR_ARG(type));
	if (gp3 && gib < GP3_CHOICE_FROM && (iops.set || throughput.set))
		return fail(
			rq, &rds_InvalidParameterCombination,
			"You can't specify IOPS or storage throughput for engine %.*s and a storage size less than %d.",
			STR_ARG(engine), GP3_CHOICE_FROM);
	return OK;
}

err db_check_quota(req *rq, const txn *tx, int64_t more)
{
	int64_t gib = more;
	record_scan s = rds_instance_scan(tx, rq->mem, 2, rq->who.account, rq->region, STR_NONE);
	for (rds_instance *i; (i = rds_instance_next(&s));)
		gib += db_engine_is_aurora(i->It->Engine) ? 0 : i->It->AllocatedStorage.v;
	cursor_close(&s.at);
	return gib > RDS_STORAGE_GIB_MAX ? fail(rq, &rds_StorageQuotaExceededFault, "Storage quota exceeded")
									 : OK;
}

err db_check_database(req *rq, str engine, str name)
{
	static const char *const reserved[] = { "rdsadmin", "template0", "template1", NULL };
	static const char *const of_mysql[] = { "rdsadmin", "mysql",  "information_schema", "performance_schema",
		                                    "sys",      "innodb", "tmp",                NULL };
	bool mysql = db_engine_is_mysql(engine);
	if (!str_is(name))
		return OK;
	bool good = name.n > 0 && name.n <= (mysql ? MASTER_MAX + 1 : MASTER_MAX) &&
	            (letter(name.p[0]) || (!mysql && name.p[0] == '_'));
	for (size_t i = 0; i < name.n; i++)
		good = good && (letter(name.p[i]) || digit(name.p[i]) || name.p[i] == '_');
	if (!good)
		return fail(rq, &rds_InvalidParameterValue,
		            "DBName must begin with a letter and contain only alphanumeric characters.");
	if (among(name, mysql ? of_mysql : reserved))
		return fail(rq, &rds_InvalidParameterValue,
		            "DBName %.*s cannot be used. It is a reserved word for this engine", STR_ARG(name));
	return OK;
}

err db_check_retention(req *rq, opt_i64 days)
{
	if (days.set && (days.v < 0 || days.v > RETENTION_MAX))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid backup retention period: %lld. Must be between 0 and %d.", (long long)days.v,
		            RETENTION_MAX);
	return OK;
}

err db_check_port(req *rq, opt_i64 port)
{
	if (port.set && (port.v < PORT_MIN || port.v > PORT_MAX))
		return fail(rq, &rds_InvalidParameterValue, "Invalid endpoint port %lld", (long long)port.v);
	return OK;
}

str db_resource_id(arena *a, const char *prefix)
{
	return arena_concat(a, str_c(prefix), rand_text(a, 26, S("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")));
}

str db_network_id(req *rq, const char *prefix, const char *what)
{
	str hex = sha256_hex(
		rq->mem, arena_fmt(rq->mem, "%.*s/%.*s/%s", STR_ARG(rq->who.account), STR_ARG(rq->region), what));
	return arena_fmt(rq->mem, "%s-%.*s", prefix, 17, hex.p);
}

rds_VpcSecurityGroupMembershipList db_security_groups(req *rq, const rds_VpcSecurityGroupIdList *ids)
{
	size_t n = ids && ids->n ? ids->n : 1;
	rds_VpcSecurityGroupMembershipList all = { arena_array(rq->mem, rds_VpcSecurityGroupMembership, n), n };
	for (size_t i = 0; i < n; i++) {
		bool given = ids && ids->n;
		all.v[i].VpcSecurityGroupId = given ? ids->v[i] : db_network_id(rq, "sg", "default");
		all.v[i].Status = S("active");
	}
	return all;
}
