#include "parameters.h"
#include "test/test.h"

#define GIB ((int64_t)1 << 30)

TEST(rds_connections_follow_memory)
{
	/* What users have seen with 2, 4, 8 and 15.25 GiB, and for Serverless v2 AWS's table. */
	CHECK_I64(db_class_connections(S("postgres"), 2048), 198);
	CHECK_I64(db_class_connections(S("postgres"), 4096), 413);
	CHECK_I64(db_class_connections(S("postgres"), 8192), 856);
	CHECK_I64(db_class_connections(S("postgres"), 15616), 1660);
	CHECK(db_class_connections(S("postgres"), 1024) >= 81 && db_class_connections(S("postgres"), 1024) <= 87);
	CHECK_I64(db_class_connections(S("postgres"), 1 << 20), 5000);
	CHECK_I64(db_acu_connections(0.5, 1), 189);
	CHECK_I64(db_acu_connections(1, 8), 1669);
	CHECK_I64(db_acu_connections(1, 256), 5000);
	CHECK_I64(db_acu_connections(0.5, 64), 2000);
}

TEST(rds_formulas_of_parameters)
{
	int64_t n;
	CHECK(db_parameter_number(S("17"), GIB, &n) && n == 17);
	CHECK(db_parameter_number(S("{DBInstanceClassMemory/32768}"), GIB, &n) && n == 32768);
	CHECK(db_parameter_number(S("LEAST({DBInstanceClassMemory/9531392},5000)"), GIB, &n) && n == 112);
	CHECK(db_parameter_number(S("LEAST({DBInstanceClassMemory/9531392}, 50)"), GIB, &n) && n == 50);
	CHECK(db_parameter_number(S("GREATEST({DBInstanceClassMemory/9531392},5000)"), GIB, &n) && n == 5000);
	CHECK(db_parameter_number(S("{DBInstanceClassMemory*3/4}"), GIB, &n) && n == GIB / 4 * 3);
	CHECK(!db_parameter_number(S("{DBInstanceClassMemory*3}"), GIB, &n));
	CHECK(!db_parameter_number(S("{DBInstanceClassMemory}"), GIB, &n));
	CHECK(!db_parameter_number(S("{DBInstanceClassMemory/0}"), GIB, &n));
	CHECK(!db_parameter_number(S("{DBInstanceClassMemory/"), GIB, &n));
	CHECK(!db_parameter_number(S("LEAST(1)"), GIB, &n));
	CHECK(!db_parameter_number(S("LEAST(1,2"), GIB, &n));
	CHECK(!db_parameter_number(S("many"), GIB, &n));
	CHECK(!db_parameter_number(S(""), GIB, &n));
}

TEST(rds_values_of_parameters)
{
	const db_parameter *slow = db_parameter_known(S("postgres15"), S("log_min_duration_statement"));
	const db_parameter *statement = db_parameter_known(S("postgres15"), S("LOG_STATEMENT"));
	const db_parameter *cost = db_parameter_known(S("postgres15"), S("random_page_cost"));
	const db_parameter *path = db_parameter_known(S("postgres15"), S("search_path"));
	CHECK(slow && statement && cost && path);
	CHECK(!db_parameter_known(S("postgres15"), S("fsync")));
	CHECK(!db_parameter_known(S("postgres15"), S("listen_addresses")));
	CHECK(db_parameter_allows(slow, S("-1")) && db_parameter_allows(slow, S("2147483647")));
	CHECK(!db_parameter_allows(slow, S("-2")) && !db_parameter_allows(slow, S("2147483648")));
	CHECK(!db_parameter_allows(slow, S("1s")));
	CHECK(db_parameter_allows(statement, S("ddl")) && !db_parameter_allows(statement, S("some")));
	CHECK(db_parameter_allows(cost, S("1.1")) && !db_parameter_allows(cost, S("-0.5")));
	CHECK(db_parameter_allows(path, S("a, b")));
	/* A line of its own in postgresql.conf would set what a group must not. */
	CHECK(!db_parameter_allows(path, S("a'\nlisten_addresses = '*")));
}
