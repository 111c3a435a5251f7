#include "svc/dynamodb/number.h"

#define EXPONENT_MAX 125
#define EXPONENT_MIN (-130)

typedef unsigned __int128 u128;

/* The digits of a whole number, most significant first; returns how many (0 for zero). */
static int digits_of(u128 v, unsigned char out[40])
{
	unsigned char reversed[40];
	int n = 0;
	for (; v > UINT64_MAX; v /= 10)
		reversed[n++] = (unsigned char)(v % 10);
	for (uint64_t low = (uint64_t)v; low; low /= 10)
		reversed[n++] = (unsigned char)(low % 10);
	for (int i = 0; i < n; i++)
		out[i] = reversed[n - 1 - i];
	return n;
}

static int digit_count(u128 v)
{
	int n = 0;
	for (; v > UINT64_MAX; v /= 10)
		n++;
	for (uint64_t low = (uint64_t)v; low; low /= 10)
		n++;
	return n;
}

/* Checks magnitude and precision of `n` significant digits, the first of which stands at 10^top. */
static number_fault check(int n, int top)
{
	if (top > EXPONENT_MAX)
		return NUMBER_OVERFLOW;
	if (top < EXPONENT_MIN)
		return NUMBER_UNDERFLOW;
	return n > NUMBER_DIGITS_MAX ? NUMBER_PRECISION : NUMBER_OK;
}

/* The digits of a number's text as they are read. */
typedef struct scan {
	u128 digits;
	int64_t read, whole;        /* digits seen; those of them before the point */
	int64_t significant, zeros; /* from the first to the last non-zero digit; zeros seen since */
	int64_t last;               /* `read` at the last non-zero digit */
} scan;

static void take_digit(scan *s, int digit)
{
	s->read++;
	if (digit == 0) {
		s->zeros += s->significant > 0;
		return;
	}
	s->significant += s->zeros + 1;
	if (s->significant <= NUMBER_DIGITS_MAX) {
		for (; s->zeros; s->zeros--)
			s->digits *= 10;
		s->digits = s->digits * 10 + (unsigned)digit;
	}
	s->zeros = 0;
	s->last = s->read;
}

/* [eE][+-]digits, clamped far beyond any legal exponent. */
static bool scan_exponent(const char *p, const char *end, int64_t *out)
{
	bool negative = false;
	int64_t v = 0;
	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		if (v < 100000000)
			v = v * 10 + (*p - '0');
	}
	*out = negative ? -v : v;
	return true;
}

/* [+-]digits[.digits], up to the exponent or the end. */
static bool scan_digits(const char **at, const char *end, scan *s)
{
	bool point = false;
	const char *p = *at;
	for (; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.') {
			if (point)
				return false;
			point = true;
			s->whole = s->read;
		} else if (*p >= '0' && *p <= '9') {
			take_digit(s, *p - '0');
		} else {
			return false;
		}
	}
	if (!point)
		s->whole = s->read;
	*at = p;
	return s->read > 0;
}

number_fault number_parse(str text, number *out)
{
	const char *p = text.p, *end = text.p + text.n;
	bool negative = false;
	int64_t written = 0;
	scan s = { 0 };
	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (!scan_digits(&p, end, &s) || (p < end && !scan_exponent(p + 1, end, &written)))
		return NUMBER_SYNTAX;
	if (!s.significant) {
		*out = (number){ 0 };
		return NUMBER_OK;
	}
	int64_t exponent = written + s.whole - s.last, top = exponent + s.significant - 1;
	int64_t n = s.significant > NUMBER_DIGITS_MAX ? NUMBER_DIGITS_MAX + 1 : s.significant;
	number_fault fault = check((int)n, top > 1000 ? 1000 : top < -1000 ? -1000 : (int)top);
	if (fault)
		return fault;
	*out = (number){ s.digits, (int)exponent, negative };
	return NUMBER_OK;
}

static int cmp_magnitude(number a, number b)
{
	unsigned char x[40], y[40];
	int nx = digits_of(a.digits, x), ny = digits_of(b.digits, y);
	int top_x = a.exponent + nx, top_y = b.exponent + ny;
	if (!nx || !ny)
		return (nx != 0) - (ny != 0);
	if (top_x != top_y)
		return top_x < top_y ? -1 : 1;
	int common = nx < ny ? nx : ny, order = memcmp(x, y, (size_t)common);
	return order ? order : nx - ny;
}

int number_cmp(number a, number b)
{
	if (a.negative != b.negative)
		return a.negative ? -1 : 1;
	int order;
	if (a.exponent == b.exponent)
		order = a.digits < b.digits ? -1 : a.digits > b.digits;
	else
		order = cmp_magnitude(a, b);
	return a.negative ? -order : order;
}

/* Trims zeros at the end and checks. `digits` runs from 10^top downwards. */
static number_fault settle(const unsigned char *digits, int n, int top, bool negative, number *out)
{
	while (n && digits[n - 1] == 0)
		n--;
	while (n && *digits == 0) {
		digits++;
		n--;
		top--;
	}
	if (!n) {
		*out = (number){ 0 };
		return NUMBER_OK;
	}
	number_fault fault = check(n, top);
	if (fault)
		return fault == NUMBER_PRECISION ? NUMBER_OVERFLOW : fault;
	u128 v = 0;
	for (int i = 0; i < n; i++)
		v = v * 10 + digits[i];
	*out = (number){ v, top - n + 1, negative };
	return NUMBER_OK;
}

#define SPAN_MAX 128

number_fault number_add(number a, number b, number *out)
{
	if (!a.digits || !b.digits) {
		*out = a.digits ? a : b;
		return NUMBER_OK;
	}
	if (cmp_magnitude(a, b) < 0) {
		number t = a;
		a = b;
		b = t;
	}
	unsigned char x[40], y[40], sum[SPAN_MAX] = { 0 };
	int nx = digits_of(a.digits, x), ny = digits_of(b.digits, y);
	int top = a.exponent + nx; /* one place above a's first digit, for the carry */
	int bottom = a.exponent < b.exponent ? a.exponent : b.exponent;
	int span = top - bottom + 1;
	if (span > SPAN_MAX)
		return NUMBER_OVERFLOW;
	memcpy(sum + 1, x, (size_t)nx);
	int at = top - (b.exponent + ny - 1), carry = 0;
	for (int i = span - 1; i >= 0; i--) {
		int other = i >= at && i < at + ny ? y[i - at] : 0;
		int digit = sum[i] + carry + (a.negative == b.negative ? other : -other);
		carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
		sum[i] = (unsigned char)(digit - 10 * carry);
	}
	return settle(sum, span, top, a.negative, out);
}

number_fault number_sub(number a, number b, number *out)
{
	if (b.digits)
		b.negative = !b.negative;
	return number_add(a, b, out);
}

number number_of_i64(int64_t v)
{
	number n = { .negative = v < 0 };
	n.digits = v < 0 ? (u128)(-(__int128)v) : (u128)v;
	for (; n.digits && n.digits % 10 == 0; n.digits /= 10)
		n.exponent++;
	return n;
}

size_t number_print(number n, char out[NUMBER_TEXT_MAX])
{
	unsigned char digits[40];
	int count = digits_of(n.digits, digits), top = n.exponent + count;
	char *p = out;
	if (!count) {
		*p = '0';
		return 1;
	}
	if (n.negative)
		*p++ = '-';
	if (top <= 0) {
		*p++ = '0';
		*p++ = '.';
		for (int i = top; i < 0; i++)
			*p++ = '0';
	}
	for (int i = 0; i < count; i++) {
		if (i == top && i > 0)
			*p++ = '.';
		*p++ = (char)('0' + digits[i]);
	}
	for (int i = count; i < top; i++)
		*p++ = '0';
	return (size_t)(p - out);
}

/*
 * 0x80 for zero; else 0xC0 (0x40 negative), the place of the first digit as 16 bits, and pairs of
 * digits as 1..100 closed by 0. For negatives everything after the first byte is inverted.
 */
size_t number_key(number n, unsigned char out[NUMBER_KEY_MAX])
{
	unsigned char digits[41];
	int count = digits_of(n.digits, digits), top = n.exponent + count + 0x4000;
	unsigned char *p = out;
	if (!count) {
		*p = 0x80;
		return 1;
	}
	*p++ = n.negative ? 0x40 : 0xC0;
	*p++ = (unsigned char)(top >> 8);
	*p++ = (unsigned char)top;
	digits[count] = 0;
	for (int i = 0; i < count; i += 2)
		*p++ = (unsigned char)(digits[i] * 10 + digits[i + 1] + 1);
	*p++ = 0;
	if (n.negative)
		for (unsigned char *q = out + 1; q < p; q++)
			*q = (unsigned char)~*q;
	return (size_t)(p - out);
}

static int floor_half(int v)
{
	return v >= 0 ? v / 2 : -((1 - v) / 2);
}

/*
 * 0x80 for zero; else the place of the first pair of digits, pairs aligned at the point as 1..100, and for
 * negatives the place inverted, the pairs as 101..1 and, when there are fewer than twenty, 102 behind them.
 */
size_t number_hashed(number n, unsigned char out[NUMBER_HASHED_MAX])
{
	unsigned char digits[42] = { 0 };
	int count = digits_of(n.digits, digits + 1), top = n.exponent + count, odd = top & 1;
	unsigned char *p = out;
	if (!count) {
		*p = 0x80;
		return 1;
	}
	int place = floor_half(top + odd) - 64, pairs = (count + odd + 1) / 2;
	*p++ = (unsigned char)(n.negative ? ~place : place);
	digits[count + 1] = 0;
	for (const unsigned char *d = digits + 1 - odd; p <= out + pairs; d += 2) {
		int pair = d[0] * 10 + d[1];
		*p++ = (unsigned char)(n.negative ? 101 - pair : pair + 1);
	}
	if (n.negative && pairs < 20)
		*p++ = 102;
	return (size_t)(p - out);
}

size_t number_size(number n)
{
	if (!n.digits)
		return 1;
	int top = n.exponent + digit_count(n.digits) - 1;
	return (size_t)(floor_half(top) - floor_half(n.exponent) + 1) + 1 + n.negative;
}

bool number_whole(number n, int64_t *out)
{
	u128 v = n.digits;
	int exponent = n.exponent;
	for (; exponent < 0 && v; exponent++)
		v /= 10;
	for (; exponent > 0 && v; exponent--) {
		if (v > INT64_MAX)
			return false;
		v *= 10;
	}
	if (v > INT64_MAX)
		return false;
	*out = n.negative ? -(int64_t)v : (int64_t)v;
	return true;
}

str number_why(arena *mem, number_fault fault, str text)
{
	switch (fault) {
	case NUMBER_OVERFLOW:
		return S("Number overflow. Attempting to store a number with magnitude larger than "
		         "supported range");
	case NUMBER_UNDERFLOW:
		return S("Number underflow. Attempting to store a number with magnitude smaller than "
		         "supported range");
	case NUMBER_PRECISION:
		return S("Attempting to store more than 38 significant digits in a Number");
	case NUMBER_SYNTAX:
		if (!text.n)
			return S("The parameter cannot be converted to a numeric value");
		return arena_fmt(mem, "The parameter cannot be converted to a numeric value: %.*s",
		                 STR_ARG(text));
	case NUMBER_OK:
		break;
	}
	return STR_NONE;
}
