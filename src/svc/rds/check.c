#include "base/digest.h"
#include "rds.h"
#include "sys/rand.h"

#define PASSWORD_MIN 8
#define PASSWORD_MAX 128
#define MASTER_MAX 63
#define STORAGE_MIN_GP 20
#define STORAGE_MIN_IO 100
#define STORAGE_MIN_MAGNETIC 5
#define STORAGE_MAX 65536
#define STORAGE_MAX_MAGNETIC 3072
#define GP3_CHOICE_FROM 400
#define RETENTION_MAX 35
#define PORT_MIN 1150
#define PORT_MAX 65535

err db_check_installed(req *rq, str engine, str version)
{
	str bin;
	int found;
	err e = postgres_find(rq->mem, db_version_major(version), &bin, &found);
	if (!e)
		return OK;
	return fail(rq, &rds_InvalidParameterCombination, "Cannot find version %.*s for %.*s: %.*s",
	            STR_ARG(version), STR_ARG(engine), STR_ARG(e->message));
}

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

err db_check_engine(req *rq, str engine)
{
	static const char *const others[] = { "mysql",         "mariadb",      "aurora-mysql", "oracle-ee",
		                                  "oracle-se2",    "sqlserver-ee", "sqlserver-se", "sqlserver-ex",
		                                  "sqlserver-web", "db2-se",       "db2-ae" };
	if (str_eq(engine, S("postgres")) || db_engine_is_aurora(engine))
		return OK;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (str_eq(engine, str_c(others[i])))
			return fail(rq, &aws_NotImplemented,
			            "The engine %.*s is not available here: only postgres and aurora-postgresql are.",
			            STR_ARG(engine));
	return fail(rq, &rds_InvalidParameterValue, "Invalid DB engine: %.*s", STR_ARG(engine));
}

err db_check_class(req *rq, str name, bool aurora)
{
	if (!db_class_find(name))
		return fail(rq, &rds_InvalidParameterValue, "Invalid DB Instance class: %.*s", STR_ARG(name));
	if (str_eq(name, SERVERLESS) && !aurora)
		return fail(rq, &rds_InvalidParameterCombination,
		            "RDS does not support creating a DB instance with the following combination: "
		            "DBInstanceClass=db.serverless, Engine=postgres. For supported combinations of instance "
		            "class and "
		            "database engine version, see the documentation.");
	return OK;
}

err db_check_master(req *rq, str name)
{
	static const char *const reserved[] = { "admin",        "rdsadmin", "rds_superuser", "rds_replication",
		                                    "rds_password", "rds_iam",  "rdsrepladmin",  "user",
		                                    "public",       "none" };
	if (str_empty(name))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUsername must be provided and must not be blank.");
	bool good = name.n <= MASTER_MAX && (letter(name.p[0]) || name.p[0] == '_');
	for (size_t i = 0; i < name.n; i++)
		good = good && (letter(name.p[i]) || digit(name.p[i]) || name.p[i] == '_');
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (str_eq_nocase(name, str_c(reserved[i])))
			return fail(rq, &rds_InvalidParameterValue,
			            "MasterUsername %.*s cannot be used as it is a reserved word used by the engine",
			            STR_ARG(name));
	if (!good || str_starts(db_lowered(rq, name), S("pg_")))
		return fail(rq, &rds_InvalidParameterValue, "Invalid master user name");
	return OK;
}

err db_check_password(req *rq, str password)
{
	if (str_empty(password))
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword must be provided and must not be blank.");
	if (password.n < PASSWORD_MIN)
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword is not a valid password because it is shorter than %d "
		            "characters.",
		            PASSWORD_MIN);
	if (password.n > PASSWORD_MAX)
		return fail(rq, &rds_InvalidParameterValue,
		            "The parameter MasterUserPassword is not a valid password because it is longer than %d "
		            "characters.",
		            PASSWORD_MAX);
	for (size_t i = 0; i < password.n; i++)
		if (password.p[i] <= ' ' || password.p[i] > '~' || strchr("/@\"", password.p[i]))
			return fail(
				rq, &rds_InvalidParameterValue,
				"The parameter MasterUserPassword is not a valid password. Only printable ASCII characters "
				"besides '/', '@', '\"', ' ' may be used.");
	return OK;
}

err db_check_storage(req *rq, str type, int64_t gib, opt_i64 iops, opt_i64 throughput)
{
	bool gp3 = str_eq(type, S("gp3")), gp2 = str_eq(type, S("gp2")), magnetic = str_eq(type, S("standard"));
	bool io = str_eq(type, S("io1")) || str_eq(type, S("io2"));
	if (!gp2 && !gp3 && !io && !magnetic)
		return fail(rq, &rds_InvalidParameterValue, "Invalid storage type: %.*s", STR_ARG(type));
	int64_t least = io ? STORAGE_MIN_IO : magnetic ? STORAGE_MIN_MAGNETIC : STORAGE_MIN_GP;
	if (gib < least || gib > (magnetic ? STORAGE_MAX_MAGNETIC : STORAGE_MAX))
		return fail(rq, &rds_InvalidParameterValue,
		            "Invalid storage size for engine name postgres and storage type "
		            "%.*s: %lld",
		            STR_ARG(type), (long long)gib);
	if (io && !iops.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "You must specify a value for the Iops parameter with the %.*s storage type.",
		            STR_ARG(type));
	if ((gp2 || magnetic) && iops.set)
		return fail(rq, &rds_InvalidParameterCombination,
		            "You can't specify IOPS or storage throughput for engine postgres and storage type %.*s.",
		            STR_ARG(type));
	if (gp3 && gib < GP3_CHOICE_FROM && (iops.set || throughput.set))
		return fail(
			rq, &rds_InvalidParameterCombination,
			"You can't specify IOPS or storage throughput for engine postgres and a storage size less than "
			"%d.",
			GP3_CHOICE_FROM);
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

err db_check_database(req *rq, str name)
{
	if (!str_is(name))
		return OK;
	bool good = name.n > 0 && name.n <= MASTER_MAX && (letter(name.p[0]) || name.p[0] == '_');
	for (size_t i = 0; i < name.n; i++)
		good = good && (letter(name.p[i]) || digit(name.p[i]) || name.p[i] == '_');
	if (!good)
		return fail(rq, &rds_InvalidParameterValue,
		            "DBName must begin with a letter and contain only alphanumeric characters.");
	if (str_eq_nocase(name, S("rdsadmin")) || str_eq_nocase(name, S("template0"))
	    || str_eq_nocase(name, S("template1")))
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
