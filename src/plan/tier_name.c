#include "plan/tier_name.h"

/* 10,240 GB are 10TB, 1,000,000 GB are 1PB, 7,500,000,000 of anything else are 7.5B. */
static str size_name(arena *mem, const price_item *item, int64_t size)
{
	static const char *const bytes[] = { "GB", "TB", "PB" }, *const counts[] = { "", "K", "M", "B", "T" };
	bool gb = str_eq(item->unit, S("GB")) || str_eq(item->unit, S("GB-month"));
	int64_t step = gb && size % (1024 * QTY_ONE) == 0 ? 1024 : 1000, unit = QTY_ONE;
	size_t most = gb ? 2 : 4, i = 0;
	while (i < most && size >= unit * step) {
		unit *= step;
		i++;
	}
	i128 shown = 0;
	i128_mul_div(size, QTY_ONE, unit, &shown);
	return arena_fmt(mem, "%.*s%s", STR_ARG(decimal_print_exact(mem, shown, QTY_DIGITS, 0)),
	                 gb ? bytes[i] : counts[i]);
}

str tier_name(arena *mem, const price_item *item, const price_tier *tier)
{
	bool last = tier->to == PRICE_NO_END;
	int64_t size = last ? tier->from : tier->to - tier->from;
	return arena_fmt(mem, "%s %.*s", last ? "over" : tier->from == 0 ? "first" : "next",
	                 STR_ARG(size_name(mem, item, size)));
}
