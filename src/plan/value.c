#include "plan/value.h"

#define EXPONENT_MAX 30

value pval_bool(bool yes)
{
	return (value){ .kind = VALUE_BOOL, .yes = yes };
}

value pval_number(num n)
{
	return (value){ .kind = VALUE_NUMBER, .number = n };
}

value pval_text(str text)
{
	return text.n ? (value){ .kind = VALUE_TEXT, .text = text } : NOTHING;
}

value pval_of_json(const json_value *v)
{
	num n;
	if (!v || v->kind == JSON_NULL)
		return NOTHING;
	if (v->kind == JSON_TRUE || v->kind == JSON_FALSE)
		return pval_bool(v->kind == JSON_TRUE);
	if (v->kind == JSON_STRING)
		return pval_text(v->text);
	if (v->kind == JSON_NUMBER)
		return num_parse(v->text, &n) ? pval_number(n) : pval_text(v->text);
	return (value){ .kind = VALUE_JSON, .json = v };
}

/* What stands behind the twelfth decimal is below what anything is counted in. */
static str shortened(str text)
{
	size_t point = str_find_char(text, '.');
	return point == SIZE_MAX ? text : str_sub(text, 0, point + 1 + NUM_DIGITS);
}

bool num_parse(str text, num *out)
{
	str rest = text, mantissa = str_cut(&rest, 'e');
	int64_t exponent = 0;
	if (!str_is(rest)) {
		rest = text;
		mantissa = str_cut(&rest, 'E');
	}
	if (str_is(rest) && (!str_to_i64(rest, &exponent) || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX))
		return false;
	num n;
	if (!decimal_parse(shortened(mantissa), NUM_DIGITS, &n))
		return false;
	for (; exponent > 0; exponent--)
		if (!i128_mul(n, 10, &n))
			return false;
	for (; exponent < 0; exponent++)
		n /= 10;
	*out = n;
	return true;
}

bool pval_to_number(value v, num *out)
{
	if (v.kind == VALUE_NUMBER)
		*out = v.number;
	else if (v.kind == VALUE_BOOL)
		*out = v.yes ? NUM_ONE : 0;
	else
		return v.kind == VALUE_TEXT && num_parse(v.text, out);
	return true;
}

bool pval_true(value v)
{
	switch (v.kind) {
	case VALUE_NONE:
		return false;
	case VALUE_BOOL:
		return v.yes;
	case VALUE_NUMBER:
		return v.number != 0;
	case VALUE_TEXT:
		return v.text.n && !str_eq(v.text, S("false"));
	default:
		return pval_count(v) > 0;
	}
}

bool pval_same(value a, value b)
{
	num x, y;
	if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
		return false;
	if (a.kind == VALUE_TEXT && b.kind == VALUE_TEXT)
		return str_eq(a.text, b.text);
	if (a.kind == VALUE_BOOL || b.kind == VALUE_BOOL)
		return pval_true(a) == pval_true(b);
	if (a.kind == VALUE_RESOURCE && b.kind == VALUE_RESOURCE)
		return a.resource == b.resource;
	return pval_to_number(a, &x) && pval_to_number(b, &y) && x == y;
}

str pval_print(arena *mem, value v)
{
	if (v.kind == VALUE_NUMBER)
		return decimal_print_exact(mem, v.number, NUM_DIGITS, 0);
	if (v.kind == VALUE_BOOL)
		return v.yes ? S("true") : S("false");
	return v.kind == VALUE_TEXT ? v.text : S("");
}

size_t pval_count(value v)
{
	if (v.kind == VALUE_JSON)
		return v.json->kind == JSON_ARRAY ? v.json->n : v.json->n > 0;
	return v.kind == VALUE_LIST ? v.n : v.kind != VALUE_NONE;
}

value pval_at(value v, size_t i)
{
	if (v.kind == VALUE_LIST)
		return i < v.n ? v.items[i] : NOTHING;
	if (v.kind != VALUE_JSON || v.json->kind != JSON_ARRAY)
		return i == 0 ? v : NOTHING;
	const json_value *m = v.json->first;
	for (; m && i > 0; i--)
		m = m->next;
	return pval_of_json(m);
}

bool num_mul(num a, num b, num *out)
{
	/* a = whole + part / 10^12: the whole times b, and the part times b by 10^12. */
	num whole = a / NUM_ONE, part = a % NUM_ONE, large, small;
	int64_t times = (int64_t)(part < 0 ? -part : part);
	if (!i128_mul(whole, b, &large) || !i128_mul_div(b, times, NUM_ONE, &small))
		return false;
	return i128_add(large, part < 0 ? -small : small, out);
}

bool num_div(num a, num b, num *out)
{
	num whole, rest, scaled;
	if (b == 0)
		return false;
	whole = a / b;
	rest = a % b;
	if (!i128_mul(whole, NUM_ONE, &whole) || !i128_mul(rest, NUM_ONE, &scaled))
		return false;
	num part = scaled / b, left = scaled % b, half = b / 2;
	left = left < 0 ? -left : left;
	half = half < 0 ? -half : half;
	if (left > half || (left == half && b % 2 == 0 && left != 0))
		part += (scaled < 0) == (b < 0) ? 1 : -1;
	return i128_add(whole, part, out);
}

num num_floor(num n)
{
	num rest = n % NUM_ONE;
	return n - rest - (rest < 0 ? NUM_ONE : 0);
}

bool num_ceil(num n, num *out)
{
	num down = num_floor(n);
	return down == n ? (*out = n, true) : i128_add(down, NUM_ONE, out);
}
