#include "run/pgbouncer_statements.h"
#include "test/test.h"

/* A message as it travels: kind, length, body. */
#define M(kind, body) kind, sizeof(body) - 1, body

static str message(arena *a, char kind, size_t n, const char *body)
{
	char *p = arena_bytes(a, n + 5);
	p[0] = kind;
	for (int i = 0; i < 4; i++)
		p[1 + i] = (char)((n + 4) >> (24 - 8 * i));
	memcpy(p + 5, body, n);
	return str_of(p, n + 5);
}

static str both(arena *a, str x, str y)
{
	char *p = arena_bytes(a, x.n + y.n);
	memcpy(p, x.p, x.n);
	memcpy(p + x.n, y.p, y.n);
	return str_of(p, x.n + y.n);
}

static str ask(arena *a, statements *s, char kind, size_t n, const char *body)
{
	return statements_ask(a, s, kind, str_of(body, n));
}

TEST(statements_follow_the_client)
{
	arena *a = mem;
	statements *s = statements_open();
	str parse = message(a, M('P', "\0select 1\0\0\0"));
	/* Parse, Describe, Sync: the name stays here. */
	CHECK_STR(ask(a, s, M('P', "one\0select 1\0\0\0")), parse);
	CHECK_STR(ask(a, s, M('D', "Sone\0")), message(a, M('D', "S\0")));
	CHECK(statements_pass(s, 'S'));
	CHECK(statements_answer(s, '1'));
	CHECK(statements_answer(s, 'Z'));
	/* Another transaction: its text goes before it, and what is answered to that is ours. */
	str bound = message(a, M('B', "p\0\0\0\0\0\0\0\0"));
	CHECK_STR(ask(a, s, M('B', "p\0one\0\0\0\0\0\0\0")), both(a, parse, bound));
	CHECK_STR(ask(a, s, M('B', "p\0one\0\0\0\0\0\0\0")), bound);
	CHECK(statements_pass(s, 'E') && statements_pass(s, 'S'));
	CHECK(!statements_answer(s, '1'));
	CHECK(statements_answer(s, '2') && statements_answer(s, 'Z'));
	/* A fault before the answer, with the next batch under way. */
	CHECK_STR(ask(a, s, M('B', "\0one\0\0\0\0\0\0\0")),
	          both(a, parse, message(a, M('B', "\0\0\0\0\0\0\0\0"))));
	CHECK(statements_pass(s, 'S'));
	CHECK_STR(ask(a, s, M('P', "\0select 2\0\0\0")), message(a, M('P', "\0select 2\0\0\0")));
	CHECK(statements_pass(s, 'S'));
	CHECK(statements_answer(s, 'E') && statements_answer(s, 'Z'));
	CHECK(statements_answer(s, '1') && statements_answer(s, 'Z'));
	/* Closed, it is the server who says that it does not know it. */
	CHECK_STR(ask(a, s, M('C', "Sone\0")), message(a, M('C', "S\0")));
	CHECK_STR(ask(a, s, M('D', "Sone\0")), message(a, M('D', "Sone\0")));
	statements_close(s);
}

TEST(statements_stay_within_bounds)
{
	statements *s = statements_open();
	int kept = 0;
	for (; kept < 20000; kept++) {
		arena *a = arena_open(256);
		str body = arena_fmt(a, "n%d%cselect 1%c%c%c", kept, 0, 0, 0, 0);
		bool good = str_is(statements_ask(a, s, 'P', body)) && statements_pass(s, 'S');
		statements_answer(s, 'Z');
		arena_close(a);
		if (!good)
			break;
	}
	CHECK(kept == 10000);
	statements_close(s);
	(void)mem;
}
