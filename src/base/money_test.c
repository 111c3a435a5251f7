#include "base/money.h"
#include "test/test.h"

static money usd(const char *text)
{
	money m = 0;
	CHECK(money_parse(str_c(text), &m));
	return m;
}

/* A small generator of our own: base may not ask sys for randomness. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

TEST(money_parses_and_prints)
{
	CHECK_STR(money_print(mem, usd("0.0000166667"), 10), S("0.0000166667"));
	CHECK_STR(money_print(mem, usd("12.345"), 2), S("12.35"));
	CHECK_STR(money_print(mem, usd("-12.345"), 2), S("-12.35"));
	CHECK_STR(money_print(mem, usd("0.004"), 2), S("0.00"));
	CHECK_STR(money_print(mem, usd("-0.004"), 2), S("0.00"));
	CHECK_STR(money_print(mem, usd(".5"), 0), S("1"));
	CHECK_STR(money_print(mem, usd("+7."), 3), S("7.000"));
	CHECK_STR(money_print(mem, 1, 20), S("0.00000000000000000100"));
	CHECK_STR(decimal_print(mem, usd("1234567.891"), MONEY_DIGITS, 2, true), S("1,234,567.89"));
	CHECK_STR(decimal_print(mem, -usd("123456"), MONEY_DIGITS, 0, true), S("-123,456"));
	CHECK_STR(decimal_print_exact(mem, usd("0.0003"), MONEY_DIGITS, 2), S("0.0003"));
	CHECK_STR(decimal_print_exact(mem, usd("3"), MONEY_DIGITS, 2), S("3.00"));
}

TEST(money_refuses_what_is_not_exact)
{
	money m = 42;
	const char *bad[] = { "", "-", ".", "1e5", "1,0", " 1", "1 ", "0.0000000000000000001", "1.2.3", "0x1",
		              "170141183460469231731687303715884105728", "Inf" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!money_parse(str_c(bad[i]), &m));
	CHECK(m == 42);
	CHECK(money_parse(S("1.0000000000000000000000"), &m) && m == USD(1));
	int64_t price;
	CHECK(!decimal_parse_i64(S("9300000"), PRICE_DIGITS, &price));
	CHECK(decimal_parse_i64(S("9200000"), PRICE_DIGITS, &price));
}

TEST(money_overflow_is_said)
{
	i128 most = (i128)(~(u128)0 >> 1), out = 7;
	CHECK(!i128_add(most, 1, &out) && !i128_mul(most, 2, &out) && !i128_mul_div(most, 3, 2, &out));
	CHECK(out == 7);
	CHECK(i128_mul_div(most, 3, 3, &out) && out == most);
	CHECK(money_of(INT64_MAX, INT64_MAX, QTY_ONE, &out));
	CHECK(!money_of(INT64_MAX, most, QTY_ONE, &out));
	CHECK_STR(decimal_print(mem, -most - 1, 18, 18, false),
	          S("-170141183460469231731.687303715884105728"));
}

TEST(money_of_price_and_quantity_is_exact)
{
	money m;
	/* 1,875,000 GB-s at 0.0000166667 */
	CHECK(money_of(16666700, QTY_ONE * 1875000, QTY_ONE, &m) && m == usd("31.2500625"));
	/* A millionth of a request at a ten-millionth of a cent. */
	CHECK(money_of(1, 1, QTY_ONE, &m) && m == 1);
	/* 4,800 GB-hours of a 744-hour month at 0.25: half away from zero at the last digit. */
	CHECK(money_of(250000000000, (i128)4800 * QTY_ONE, 744 * QTY_ONE, &m));
	CHECK(m == usd("1.612903225806451613"));
}

TEST(money_text_round_trips)
{
	uint64_t state = 88172645463325252u;
	for (int i = 0; i < 20000; i++) {
		i128 v = (i128)(((u128)draw(&state) << 64 | draw(&state)) >> (draw(&state) % 120));
		if (draw(&state) & 1)
			v = -v;
		i128 back = 0, rounded = 0;
		str text = decimal_print_exact(mem, v, MONEY_DIGITS, 0);
		CHECK(money_parse(text, &back) && back == v);
		int digits = (int)(draw(&state) % 19);
		CHECK(money_parse(money_print(mem, v, digits), &rounded));
		CHECK(v > USD(100000000000000) || rounded == money_round(v, digits));
		arena_reset(mem);
	}
}

TEST(money_mul_div_agrees_with_the_plain_way)
{
	uint64_t state = 1234567;
	for (int i = 0; i < 20000; i++) {
		i128 v = (int64_t)draw(&state) >> (draw(&state) % 60), out = 0;
		int64_t times = (int64_t)(draw(&state) % 1000000), by = (int64_t)(draw(&state) % 744000000) + 1;
		CHECK(i128_mul_div(v, times, by, &out));
		i128 twice = 2 * v * times, want = (twice < 0 ? twice - by : twice + by) / (2 * (i128)by);
		CHECK(out == want);
	}
}
