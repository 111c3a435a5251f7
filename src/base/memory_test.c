#include "base/buf.h"
#include "base/map.h"
#include "test/test.h"

static void note_order(void *subject)
{
	str *log = subject;
	log->n++;
}

TEST(arena_hands_out_zeroed_aligned_memory)
{
	arena *a = arena_open(64);
	for (size_t n = 0; n < 300; n++) {
		arena_bytes(a, n % 7);
		unsigned char *p = arena_alloc(a, n);
		CHECK((uintptr_t)p % 16 == 0);
		for (size_t i = 0; i < n; i++)
			CHECK(p[i] == 0);
		memset(p, 0xff, n);
	}
	CHECK(arena_used(a) >= 300 * 299 / 2);
	unsigned char *large = arena_alloc(a, 5 << 20);
	CHECK(large[(5 << 20) - 1] == 0);
	size_t before = arena_used(a);
	arena_reset(a);
	CHECK(arena_used(a) < before && arena_used(a) < 200);
	unsigned char *again = arena_alloc(a, 64); /* used before: zeroed all the same */
	for (size_t i = 0; i < 64; i++)
		CHECK(again[i] == 0);
	arena_close(a);
	arena_close(NULL);
}

TEST(arena_hooks_run_backwards_and_once)
{
	arena *a = arena_open(64);
	static str log;
	log.n = 0;
	arena_hook(a, note_order, &log);
	arena_hook(a, note_order, &log);
	arena_reset(a);
	CHECK_I64(log.n, 2);
	arena_reset(a);
	CHECK_I64(log.n, 2);
	arena_hook(a, note_order, &log);
	arena_close(a);
	CHECK_I64(log.n, 3);
}

TEST(arena_strings)
{
	str copy = arena_str(mem, S("a\0b"));
	CHECK_STR(copy, S("a\0b"));
	CHECK(copy.p[copy.n] == 0);
	CHECK(!str_is(arena_str(mem, STR_NONE)) && str_is(arena_str(mem, S(""))));
	CHECK_STR(arena_fmt(mem, "%d-%s", 7, "x"), S("7-x"));
	CHECK_STR(arena_concat(mem, S("ab"), STR_NONE), S("ab"));
	CHECK_STR(arena_lower(mem, S("AbZ-\xc3\x9c")), S("abz-\xc3\x9c"));
}

TEST(buf_stops_at_its_maximum)
{
	buf b = buf_in(mem, 0, 10);
	CHECK_STR(buf_str(&b), S(""));
	buf_put(&b, S("12345678"));
	buf_put(&b, S("abc"));
	CHECK(b.full && b.n == 8);
	buf_c(&b, 'x'); /* nothing more, or the text would have a hole */
	CHECK(b.n == 8);
	buf c = buf_in(mem, 4, 1 << 20);
	for (int i = 0; i < 1000; i++) {
		buf_i64(&c, i);
		buf_fmt(&c, "%c", ';');
	}
	CHECK(!c.full && c.n == 10 + 180 + 2700 + 1000);
	buf d = buf_in(mem, 0, 100);
	buf_i64(&d, INT64_MIN);
	buf_i64(&d, 0);
	buf_i64(&d, INT64_MAX);
	CHECK_STR(buf_str(&d), S("-922337203685477580809223372036854775807"));
}

TEST(map_keeps_the_last_value)
{
	map m = map_in(mem, 2);
	map none = { 0 };
	int v[2];
	CHECK(map_get(&none, S("a")) == NULL);
	CHECK(map_put(&m, S("a"), &v[0]) == NULL);
	CHECK(map_put(&m, S("a"), &v[1]) == &v[0]);
	CHECK(map_get(&m, S("a")) == &v[1] && m.n == 1);
	for (int i = 0; i < 5000; i++)
		CHECK(map_put(&m, arena_fmt(mem, "key %d", i), &v[0]) == NULL);
	for (int i = 0; i < 5000; i++)
		CHECK(map_get(&m, arena_fmt(mem, "key %d", i)) == &v[0]);
	CHECK(map_get(&m, S("key 5000")) == NULL && m.n == 5001);
	CHECK(map_get(&m, S("a")) == &v[1]);
}
