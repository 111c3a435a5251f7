#include "run/postgres.h"
#include "run/postgres_parts.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/address.h"
#include "test/test.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PORT 5432

static postgres_client *client_of(arena *a, postgres *p)
{
	postgres_client *c = NULL;
	CHECK(!postgres_open(a, p, S("postgres"), 30000, &c));
	return c;
}

static void rows_survive(arena *a, postgres *p)
{
	postgres_rows r = { 0 };
	postgres_client *c = client_of(a, p);
	CHECK(!postgres_query(a, c, S("select sum(n)::text, null from t"), &r));
	CHECK_STR(postgres_cell(&r, 0, 0), S("5050"));
	CHECK(!str_is(postgres_cell(&r, 0, 1)));
	err e = postgres_query(a, c, S("select * from nothing"), NULL);
	CHECK(e && str_find(e->message, S("42P01")) != SIZE_MAX);
	postgres_close(c);
}

static void say(arena *a, postgres *p, str sql)
{
	postgres_client *c = client_of(a, p);
	err e = postgres_query(a, c, sql, NULL);
	if (e)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(e->message));
	postgres_close(c);
}

/* How many files of the folder it shares with others. */
static int64_t shared_files(arena *a, str path)
{
	str *names;
	size_t n;
	int64_t found = 0;
	CHECK(!dir_list(a, path, &names, &n));
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		CHECK(lstat(path_join(a, path, names[i]).p, &st) == 0);
		if (S_ISDIR(st.st_mode))
			found += shared_files(a, path_join(a, path, names[i]));
		else
			found += st.st_nlink > 1;
	}
	return found;
}

/* The folders of the root that several backups stand on. */
static size_t bases(arena *a, str root, str *last)
{
	str *names;
	size_t n, found = 0;
	CHECK(!dir_list(a, root, &names, &n));
	for (size_t i = 0; i < n; i++)
		if (str_starts(names[i], S("base-"))) {
			*last = path_join(a, root, names[i]);
			found++;
		}
	return found;
}

/* Some leave a base at the same time, and its folders may have lost their links elsewhere. */
TEST(postgres_base_stays_for_the_last)
{
	arena *a = mem;
	str base, note, root = arena_fmt(a, "/tmp/farthing-postgres-base-%d", (int)getpid());
	str names[] = { S("b1"), S("b2"), S("b3") };
	CHECK(!dir_make(a, path_join(a, root, S("b1/" POSTGRES_WHOLE "/data")), 0700));
	CHECK(!postgres_base_lay(a, root, S("b1")));
	for (int i = 1; i < 3; i++) {
		CHECK(!dir_make(a, path_join(a, root, names[i]), 0700));
		CHECK(!postgres_base_share(a, root, names[i - 1], names[i]));
	}
	for (int i = 0; i < 3; i++) {
		str path = arena_fmt(a, "%.*s/%.*s/base", STR_ARG(root), STR_ARG(names[i]));
		CHECK(!file_read(a, path, 64, &note) && unlink(path.p) == 0 && !file_write(a, path, note, 0600));
	}
	postgres_base_leave(a, root, S("b1"));
	postgres_base_leave(a, root, S("b2"));
	CHECK(bases(a, root, &base) == 1);
	CHECK(postgres_base_share(a, root, S("b1"), S("b2")) != OK);
	postgres_base_leave(a, root, S("b3"));
	CHECK(bases(a, root, &base) == 0 && file_exists(path_join(a, root, S("b3/" POSTGRES_WHOLE "/data"))));
	CHECK(!dir_remove(a, root));
}

/* What a server that is started on a copy of the backup has. */
static void holds(arena *a, postgres_spec spec, str backup, const char *rows)
{
	postgres *p = NULL;
	postgres_rows r = { 0 };
	CHECK(!postgres_copy(a, spec.root, backup, S("restored")));
	CHECK(shared_files(a, arena_fmt(a, "%.*s/restored", STR_ARG(spec.root))) == 0);
	spec.name = S("restored");
	spec.addresses = own_address(a, 6);
	CHECK(!postgres_start(a, &spec, &p));
	postgres_client *c = client_of(a, p);
	CHECK(!postgres_query(a, c, S("select string_agg(n::text, ',' order by n) from kept"), &r));
	CHECK_STR(postgres_cell(&r, 0, 0), str_c(rows));
	postgres_close(c);
	say(a, p, S("insert into kept values (99); update kept set n = n + 1000; checkpoint"));
	postgres_stop(p);
}

/* Backups that share files: each has the rows of its time, whatever comes later and is done to copies. */
TEST(postgres_backups_share)
{
	arena *a = mem;
	str base, bin, root = arena_fmt(a, "/tmp/farthing-postgres-share-%d", (int)getpid());
	int major;
	if (postgres_find(a, 0, &bin, &major))
		SKIP("PostgreSQL is not installed");
	CHECK(!postgres_make(a, bin, root, S("one")));
	postgres_spec spec = { .bin = bin,
		                   .root = root,
		                   .name = S("one"),
		                   .addresses = own_address(a, 5),
		                   .port = PORT,
		                   .max_connections = 20,
		                   .memory_bytes = (int64_t)1 << 30 };
	postgres *p = NULL;
	CHECK(!postgres_start(a, &spec, &p));
	say(a, p, S("create table kept as select 1 as n"));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S(""), S("b1")));
	say(a, p, S("insert into kept values (2)"));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("b1"), S("b2")));
	CHECK(bases(a, root, &base) == 1 && shared_files(a, base) > 500);
	/* Commits that do not wait for the disk count too, where no other does either. */
	say(a, p, S("alter database postgres set synchronous_commit = off"));
	say(a, p, S("insert into kept values (3)"));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("b2"), S("b3")));
	CHECK(bases(a, root, &base) == 1 && shared_files(a, path_join(a, root, S("b3"))) < 10);
	say(a, p, S("insert into kept values (4); checkpoint"));
	/* Too much log to go on: all anew, but for the files that are as they were. */
	for (int i = 0; i < 6; i++)
		say(a, p,
		    S("create table if not exists much (n int); insert into much values (1); "
		      "select pg_switch_wal()"));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("b3"), S("b4")));
	CHECK(shared_files(a, path_join(a, root, S("b4"))) > 500);
	/* What another server was copied from is no beginning. */
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("template-none"), S("b5")));
	say(a, p, S("delete from kept; drop table much; checkpoint"));
	say(a, p, S("vacuum full kept"));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("b5"), S("b6")));
	postgres_stop(p);
	CHECK(!postgres_copy_like(a, root, S("one"), S("b6"), S("b7")));
	CHECK(shared_files(a, path_join(a, root, S("b7"))) > 100);
	postgres_remove(a, root, S("one"));
	static const struct {
		const char *backup, *rows;
	} want[] = { { "b1", "1" }, { "b2", "1,2" }, { "b3", "1,2,3" }, { "b4", "1,2,3,4" },
		         { "b5", "1,2,3,4" } };
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		holds(a, spec, str_c(want[i].backup), want[i].rows);
		holds(a, spec, str_c(want[i].backup), want[i].rows);
		if (i < 3) /* those that others came from go */
			postgres_remove(a, root, str_c(want[i].backup));
		CHECK(bases(a, root, &base) == (i < 2 ? 2 : 1)); /* b6 stands on one too */
	}
	holds(a, spec, S("b6"), "");
	postgres_remove(a, root, S("b6"));
	CHECK(bases(a, root, &base) == 0);
	holds(a, spec, S("b7"), "");
	CHECK(!dir_remove(a, root));
}

TEST(postgres_lives)
{
	arena *a = mem;
	str bin;
	int major;
	if (postgres_find(a, 0, &bin, &major))
		SKIP("PostgreSQL is not installed");
	str root = arena_fmt(a, "/tmp/farthing-postgres-test-%d", (int)getpid());
	err made = postgres_make(a, bin, root, S("one"));
	if (made)
		test_failed(__FILE__, __LINE__, "%.*s", STR_ARG(made->message));
	postgres_spec spec = { .bin = bin,
		                   .root = root,
		                   .name = S("one"),
		                   .addresses = own_address(a, 7),
		                   .port = PORT,
		                   .max_connections = 20,
		                   .memory_bytes = (int64_t)1 << 30 };
	postgres *p = NULL, *q = NULL;
	err e = postgres_start(a, &spec, &p);
	CHECK(!e);
	CHECK(!postgres_address_free(own_address(a, 7), PORT));
	postgres_client *c = client_of(a, p);
	CHECK(!postgres_query(a, c, S("create table t as select n from generate_series(1, 100) n"), NULL));
	postgres_close(c);
	rows_survive(a, p);
	CHECK(!postgres_backup(a, root, S("one"), PORT, S(""), S("two")));
	/* It falls and comes back by itself. */
	kill(engine_pid(postgres_engine(p)), SIGKILL);
	for (int i = 0; i < 1000 && engine_starts(postgres_engine(p)) < 2; i++)
		clock_sleep_ms(10);
	rows_survive(a, p);
	spec.name = S("two");
	spec.addresses = own_address(a, 8);
	spec.primary = S("one");
	spec.primary_port = PORT;
	CHECK(!postgres_start(a, &spec, &q));
	rows_survive(a, q);
	postgres_stop(q);
	postgres_stop(p);
	CHECK(postgres_address_free(own_address(a, 7), PORT));
	CHECK(postgres_bytes(a, root, S("one")) > 1 << 20);
	CHECK(!dir_remove(a, root));
}
