#include "run/pgbouncer_lane.h"
#include "base/buf.h"
#include "run/postgres_wire.h"
#include "sys/rand.h"
#include "test/test.h"

static void message(buf *b, char kind, str body)
{
	size_t at = postgres_open_message(b, kind);
	buf_put(b, body);
	postgres_close_message(b, at);
}

/* What comes out when it goes in by pieces of so many bytes, taken away now and then. */
static str through(arena *a, bool from_client, str in, size_t piece, bool *good)
{
	statements *known = statements_open();
	lane *l = lane_open(known, from_client);
	buf out = buf_in(a, 1024, (size_t)64 << 20);
	*good = true;
	while (in.n && *good) {
		size_t n = piece ? piece : 1 + (size_t)rand_below(5000);
		n = n < in.n ? n : in.n;
		*good = lane_feed(l, str_sub(in, 0, n));
		in = str_sub(in, n, in.n);
		str waiting = lane_waiting(l);
		size_t take = waiting.n && rand_below(2) ? 1 + (size_t)rand_below(waiting.n) : 0;
		buf_put(&out, str_sub(waiting, 0, take));
		lane_sent(l, take);
	}
	buf_put(&out, lane_waiting(l));
	lane_sent(l, lane_waiting(l).n);
	CHECK(!lane_waiting(l).n);
	lane_close(l);
	statements_close(known);
	return buf_str(&out);
}

TEST(pgbouncer_lane_passes_what_comes_in_any_pieces)
{
	buf in = buf_in(mem, 1 << 20, (size_t)8 << 20);
	str many = rand_text(mem, 300000, S("abc"));
	message(&in, 'Q', S("select 1\0"));
	message(&in, 'S', S(""));
	message(&in, 'd', many);
	message(&in, 'P', S("name\0select $1\0\0\0"));
	message(&in, 'B', S("\0name\0\0\0\0\0\0\0"));
	message(&in, 'S', S(""));
	message(&in, 'X', S(""));
	bool good;
	str whole = through(mem, true, buf_str(&in), in.n, &good);
	CHECK(good && whole.n > 300000);
	for (size_t piece = 0; piece < 40; piece++) {
		str other = through(mem, true, buf_str(&in), piece, &good);
		CHECK(good && str_eq(whole, other));
	}
}

TEST(pgbouncer_lane_refuses_what_is_none)
{
	bool good;
	through(mem, true, S("Q\0\0\0\3"), 5, &good);
	CHECK(!good);
	through(mem, true, S("P\x7f\0\0\0"), 5, &good); /* a statement of 2 GB */
	CHECK(!good);
	through(mem, false, S("D\x7f\0\0\0abc"), 8, &good); /* a row may be as long as it likes */
	CHECK(good);
}

/* Whatever comes: no crash, and never more waiting than has come in (a statement's text apart). */
TEST(pgbouncer_lane_stands_anything)
{
	static const char kinds[] = "QPBDECSHXdcfpF\0\xff";
	for (int round = 0; round < 400; round++) {
		arena *a = arena_open(1 << 16);
		buf in = buf_in(a, 4096, (size_t)1 << 20);
		for (int k = 0; k < 30; k++) {
			size_t n = (size_t)rand_below(rand_below(20) ? 40 : 40000);
			str body = rand_text(a, n + 1, S("\0\0\0ab1$\xff\1\2"));
			size_t at = postgres_open_message(&in, kinds[rand_below(sizeof kinds - 1)]);
			buf_put(&in, str_sub(body, 0, n));
			postgres_close_message(&in, at);
			if (rand_below(40) == 0)
				in.p[at + (size_t)rand_below(4)] = (char)rand_below(256);
		}
		bool good;
		through(a, rand_below(3) != 0, buf_str(&in), 0, &good);
		arena_close(a);
	}
}
