#include "base/money.h"

#define I128_MAX ((i128)(~(u128)0 >> 1))
#define DIGITS_MAX 38

static const int64_t powers[19] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
	100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
	10000000000000000, 100000000000000000, 1000000000000000000,
};

bool i128_add(i128 a, i128 b, i128 *out)
{
	i128 sum;
	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

bool i128_mul(i128 a, i128 b, i128 *out)
{
	i128 product;
	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

/* Half away from zero. */
static i128 div_round(i128 v, i128 by)
{
	i128 q = v / by, rest = v % by;
	if (rest < 0)
		rest = -rest;
	if (rest >= by - rest)
		q += v < 0 ? -1 : 1;
	return q;
}

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

bool i128_mul_div(i128 v, int64_t times, int64_t by, i128 *out)
{
	if (times < 0 || by <= 0)
		return false;
	int64_t common = times ? gcd(times, by) : by;
	times /= common;
	by /= common;
	/* v = whole * by + rest, so v * times / by = whole * times + rest * times / by; the second part
	 * fits because rest < by < 2^63. */
	i128 whole = v / by, rest = v % by, large;
	if (!i128_mul(whole, times, &large))
		return false;
	return i128_add(large, div_round(rest * times, by), out);
}

bool money_of(int64_t price, i128 quantity, int64_t per, money *out)
{
	i128 product;
	return i128_mul(quantity, price, &product) && i128_mul_div(product, QTY_ONE, per, out);
}

static bool digit_add(i128 *v, char c)
{
	return i128_mul(*v, 10, v) && i128_add(*v, c - '0', v);
}

bool decimal_parse(str s, int digits, i128 *out)
{
	i128 v = 0;
	int decimals = -1;
	bool any = false, minus = s.n && s.p[0] == '-';
	for (size_t i = s.n && (minus || s.p[0] == '+'); i < s.n; i++) {
		char c = s.p[i];
		if (c == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		any = true;
		if (decimals >= digits) {
			if (c != '0')
				return false;
			continue;
		}
		decimals += decimals >= 0;
		if (!digit_add(&v, c))
			return false;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < digits; i++)
		if (!digit_add(&v, '0'))
			return false;
	if (!any)
		return false;
	*out = minus ? -v : v;
	return true;
}

bool decimal_parse_i64(str s, int digits, int64_t *out)
{
	i128 v;
	if (!decimal_parse(s, digits, &v) || v > INT64_MAX || v < INT64_MIN)
		return false;
	*out = (int64_t)v;
	return true;
}

i128 decimal_round(i128 v, int scale, int digits)
{
	if (digits >= scale)
		return v;
	int64_t step = powers[scale - digits];
	i128 rounded;
	return i128_mul(div_round(v, step), step, &rounded) ? rounded : v / step * step;
}

int decimal_digits(i128 v, int scale)
{
	int digits = scale;
	while (digits > 0 && v % 10 == 0) {
		v /= 10;
		digits--;
	}
	return digits;
}

str decimal_print(arena *a, i128 v, int scale, int digits, bool grouped)
{
	if (digits < scale)
		v = div_round(v, powers[scale - digits]);
	/* From the right, into room for sign, digits, point, padding zeros and group commas. */
	char text[2 * DIGITS_MAX + 16];
	size_t at = sizeof text;
	u128 rest = v < 0 ? -(u128)v : (u128)v;
	for (int i = digits; i > scale; i--)
		text[--at] = '0';
	int decimals = digits < scale ? digits : scale;
	for (int i = 0; i < decimals; i++, rest /= 10)
		text[--at] = (char)('0' + (int)(rest % 10));
	if (digits > 0)
		text[--at] = '.';
	int n = 0;
	do {
		if (grouped && n && n % 3 == 0)
			text[--at] = ',';
		text[--at] = (char)('0' + (int)(rest % 10));
		n++;
	} while (rest /= 10);
	if (v < 0)
		text[--at] = '-';
	return arena_str(a, str_of(text + at, sizeof text - at));
}

str decimal_print_exact(arena *a, i128 v, int scale, int least)
{
	int digits = decimal_digits(v, scale);
	return decimal_print(a, v, scale, digits < least ? least : digits, false);
}
