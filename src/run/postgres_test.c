#include "run/postgres.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "test/test.h"
#include <signal.h>
#include <stdlib.h>
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
		                   .addresses = S("127.9.8.7"),
		                   .port = PORT,
		                   .max_connections = 20,
		                   .memory_bytes = (int64_t)1 << 30 };
	postgres *p = NULL, *q = NULL;
	err e = postgres_start(a, &spec, &p);
	CHECK(!e);
	CHECK(!postgres_address_free(S("127.9.8.7"), PORT));
	postgres_client *c = client_of(a, p);
	CHECK(!postgres_query(a, c, S("create table t as select n from generate_series(1, 100) n"), NULL));
	postgres_close(c);
	rows_survive(a, p);
	str end = STR_NONE;
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("two"), &end));
	CHECK(postgres_unchanged(a, root, S("one"), PORT, end));
	c = client_of(a, p);
	CHECK(!postgres_query(a, c, S("create table u (n int)"), NULL));
	postgres_close(c);
	CHECK(!postgres_unchanged(a, root, S("one"), PORT, end));
	CHECK(!postgres_backup(a, root, S("one"), PORT, S("two"), &end));
	/* It falls and comes back by itself. */
	kill(engine_pid(postgres_engine(p)), SIGKILL);
	for (int i = 0; i < 1000 && engine_starts(postgres_engine(p)) < 2; i++)
		clock_sleep_ms(10);
	rows_survive(a, p);
	spec.name = S("two");
	spec.addresses = S("127.9.8.8");
	spec.primary = S("one");
	spec.primary_port = PORT;
	CHECK(!postgres_start(a, &spec, &q));
	rows_survive(a, q);
	postgres_stop(q);
	postgres_stop(p);
	CHECK(postgres_address_free(S("127.9.8.7"), PORT));
	CHECK(postgres_bytes(a, root, S("one")) > 1 << 20);
	CHECK(!dir_remove(a, root));
}
