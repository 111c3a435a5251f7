#include "run/mariadb.h"
#include "run/postgres.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/address.h"
#include "test/test.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT 3306

static str sum_of(arena *a, mariadb *m)
{
	postgres_rows r = { 0 };
	mariadb_client *c;
	if (mariadb_open(a, m, 30000, &c))
		return S("no connection");
	err e = mariadb_query(a, c, S("select sum(n), null from d.t; select 1 from d.t where n = 0"), NULL, NULL);
	if (!e)
		e = mariadb_query(a, c, S("select sum(n), null from d.t"), &r, NULL);
	mariadb_close(c);
	return e ? e->message : postgres_cell(&r, 0, 1).p ? S("null is none") : postgres_cell(&r, 0, 0);
}

static void query(arena *a, mariadb *m, str sql)
{
	mariadb_client *c;
	err e = mariadb_open(a, m, 30000, &c);
	if (!e) {
		e = mariadb_query(a, c, sql, NULL, NULL);
		mariadb_close(c);
	}
	if (e)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(e->message));
}

TEST(mariadb_lives)
{
	arena *a = mem;
	str program;
	if (mariadb_find(a, &program))
		SKIP("MariaDB is not installed: tools/install-packages test");
	str root = arena_fmt(a, "/tmp/farthing-mariadb-test-%d", (int)getpid());
	err made = mariadb_make(a, root, S("one"));
	if (made)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(made->message));
	mariadb_spec spec = { .root = root,
		                  .name = S("one"),
		                  .addresses = arena_fmt(a, "%s,%s", own_address(a, 9).p, own_address(a, 11).p),
		                  .port = PORT,
		                  .max_connections = 20,
		                  .memory_bytes = (int64_t)1 << 30 };
	mariadb *p = NULL, *q = NULL;
	err e = mariadb_start(a, &spec, &p);
	if (e)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(e->message));
	query(a, p, S("create database d; create table d.t (n int primary key);"
	              "insert into d.t select seq from d.seq_1_to_100"));
	CHECK_STR(sum_of(a, p), S("5050"));
	mariadb_client *c;
	CHECK(!mariadb_open(a, p, 0, &c));
	e = mariadb_query(a, c, S("select * from d.nothing"), NULL, NULL);
	CHECK(e && str_find(e->message, S("1146")) != SIZE_MAX);
	mariadb_close(c);
	/* A copy of the running one follows it. */
	CHECK(!mariadb_backup(a, p, root, S(""), S("two")));
	spec.name = S("two");
	spec.addresses = own_address(a, 10);
	spec.read_only = true;
	CHECK(!mariadb_start(a, &spec, &q));
	CHECK_STR(sum_of(a, q), S("5050"));
	CHECK(!mariadb_follow(a, q, p, own_address(a, 9), PORT));
	query(a, p, S("insert into d.t values (1000)"));
	CHECK(!mariadb_hand_over(a, p, q));
	CHECK_STR(sum_of(a, q), S("6050"));
	CHECK(mariadb_follows(a, q, own_address(a, 9), PORT));
	CHECK(mariadb_behind(a, q) == 0);
	CHECK(!mariadb_follows(a, q, own_address(a, 11), PORT));
	CHECK(!mariadb_follows(a, q, own_address(a, 9), PORT + 1));
	/* It tries again and again where nobody lets it in. */
	CHECK(!mariadb_sql(a, q, S("stop slave; change master to master_password='wrong'; start slave"), NULL));
	for (int i = 0; i < 3000 && mariadb_follows(a, q, own_address(a, 9), PORT); i++)
		clock_sleep_ms(10);
	CHECK(!mariadb_follows(a, q, own_address(a, 9), PORT));
	CHECK(!mariadb_follow(a, q, p, own_address(a, 9), PORT));
	CHECK(mariadb_follows(a, q, own_address(a, 9), PORT));
	/* It falls and comes back by itself. */
	kill(engine_pid(mariadb_engine(p)), SIGKILL);
	for (int i = 0; i < 1000 && engine_starts(mariadb_engine(p)) < 2; i++)
		clock_sleep_ms(10);
	CHECK_STR(sum_of(a, p), S("6050"));
	mariadb_stop(q);
	mariadb_stop(p);
	CHECK(postgres_address_free(own_address(a, 9), PORT));
	CHECK(!dir_remove(a, root));
}

/* Copies that share files: each has the rows of its time. */
TEST(mariadb_backups_share)
{
	arena *a = mem;
	str program, root = arena_fmt(a, "/tmp/farthing-mariadb-share-%d", (int)getpid());
	if (mariadb_find(a, &program))
		SKIP("MariaDB is not installed: tools/install-packages test");
	CHECK(!mariadb_make(a, root, S("one")));
	mariadb_spec spec = { .root = root,
		                  .name = S("one"),
		                  .addresses = own_address(a, 4),
		                  .port = PORT,
		                  .max_connections = 20,
		                  .memory_bytes = (int64_t)1 << 30 };
	mariadb *p = NULL, *q = NULL;
	CHECK(!mariadb_start(a, &spec, &p));
	query(a, p, S("create database d; create table d.t (n int primary key); insert into d.t values (1)"));
	clock_sleep_ms(200);
	CHECK(!mariadb_backup(a, p, root, S(""), S("b1")));
	query(a, p, S("insert into d.t values (10)"));
	clock_sleep_ms(200);
	CHECK(!mariadb_backup(a, p, root, S("b1"), S("b2")));
	struct stat st;
	CHECK(stat(arena_fmt(a, "%.*s/b2/data/mysql/db.frm", STR_ARG(root)).p, &st) == 0 && st.st_nlink == 2);
	query(a, p, S("insert into d.t values (100)"));
	CHECK(!mariadb_backup(a, p, root, S("b2"), S("b3")));
	query(a, p, S("update d.t set n = n + 5000; create table d.u as select * from d.t; drop table d.t"));
	mariadb_stop(p);
	spec.addresses = own_address(a, 3);
	for (int i = 1; i <= 3; i++) {
		spec.name = S("restored");
		CHECK(!postgres_copy(a, root, arena_fmt(a, "b%d", i), spec.name));
		CHECK(!mariadb_start(a, &spec, &q));
		CHECK_STR(sum_of(a, q), i == 1 ? S("1") : i == 2 ? S("11") : S("111"));
		query(a, q, S("update d.t set n = n + 70000"));
		mariadb_stop(q);
	}
	CHECK(!dir_remove(a, root));
}

TEST(mariadb_quoting)
{
	CHECK_STR(mariadb_literal(mem, S("a'b\\c")), S("'a''b\\\\c'"));
	CHECK_STR(mariadb_name(mem, S("a`b\\c")), S("`a``b\\c`"));
	CHECK_STR(mariadb_verifier(mem, S("password")), S("*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"));
}
