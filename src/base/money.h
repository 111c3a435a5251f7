/*
 * Money and quantities as exact decimals: 128-bit integers of a fixed scale. Never floating point.
 *
 * A price is an int64_t in 10^-12 USD for one unit, an amount (`money`) is in 10^-18 USD, and a quantity is
 * in millionths of its unit: so price x quantity = amount without any rounding, and any int64_t price times
 * any int64_t quantity fits. What does not divide evenly (a month has 672 to 744 hours) is rounded half away
 * from zero at 10^-18 USD, once. Operations that could overflow say so; none wraps.
 */
#pragma once
#include "base/arena.h"

typedef __int128 i128;
typedef unsigned __int128 u128;
typedef i128 money;

#define MONEY_DIGITS 18
#define PRICE_DIGITS 12
#define QTY_DIGITS 6
#define QTY_ONE INT64_C(1000000)
#define USD(whole) ((money)(whole) * INT64_C(1000000000000000000))

/* Decimal text with optional sign and at most `digits` decimals (further zeros are fine) to an integer in
 * 10^-digits. false: not a number, too precise, or too large. */
bool decimal_parse(str s, int digits, i128 *out);
/* The same for what must fit 64 bits: prices and quantities. */
bool decimal_parse_i64(str s, int digits, int64_t *out);
/* `v` in 10^-scale with `digits` decimals, rounded half away from zero. `grouped`: 1,234,567.00 */
str decimal_print(arena *a, i128 v, int scale, int digits, bool grouped);
/* With as few decimals as are exact, at least `least`. */
str decimal_print_exact(arena *a, i128 v, int scale, int least);
/* Decimals that are needed to print it exactly. */
int decimal_digits(i128 v, int scale);
/* To a multiple of 10^-digits, half away from zero; still in 10^-scale. */
i128 decimal_round(i128 v, int scale, int digits);

static inline bool money_parse(str s, money *out) { return decimal_parse(s, MONEY_DIGITS, out); }
static inline str money_print(arena *a, money m, int digits)
{
	return decimal_print(a, m, MONEY_DIGITS, digits, false);
}
static inline money money_round(money m, int digits) { return decimal_round(m, MONEY_DIGITS, digits); }

/* false on overflow; *out is then untouched. */
bool i128_add(i128 a, i128 b, i128 *out);
bool i128_mul(i128 a, i128 b, i128 *out);
/* v * times / by, rounded half away from zero, exact inside whatever the size of v. times >= 0, by > 0. */
bool i128_mul_div(i128 v, int64_t times, int64_t by, i128 *out);
/* price (10^-12 USD per unit) x quantity in 1/per of the unit. */
bool money_of(int64_t price, i128 quantity, int64_t per, money *out);
