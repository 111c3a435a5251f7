#include "wire/value.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

char value_nothing[1];

bool number_to_f64(arena *a, str text, double *out)
{
	if (str_to_f64(text, out))
		return true;
	if (text.n < 64 || text.n > 2000)
		return false;
	str copy = arena_str(a, text);
	char *end;
	*out = strtod(copy.p, &end);
	return end == copy.p + copy.n;
}

/* Fractions are cut off, as AWS does where it wants an integer. */
bool number_to_i64(str text, int64_t *out)
{
	size_t n = 0;
	while (n < text.n && (text.p[n] == '-' || (text.p[n] >= '0' && text.p[n] <= '9')))
		n++;
	if (n == text.n)
		return str_to_i64(text, out);
	double v;
	if (!str_to_f64(text, &v) || !(v > -9.2e18 && v < 9.2e18))
		return false;
	*out = (int64_t)v;
	return true;
}

bool integer_in_range(const shape *s, int64_t v)
{
	return s->kind != SHAPE_INTEGER || (v >= INT32_MIN && v <= INT32_MAX);
}

bool epoch_read(str text, int64_t *ms)
{
	int64_t seconds;
	size_t point = str_find_char(text, '.');
	str whole = point == SIZE_MAX ? text : str_sub(text, 0, point);
	double v;
	if (point != SIZE_MAX && text.n - point <= 20 && str_to_i64(whole, &seconds)) {
		int64_t fraction = 0, scale = 1000;
		for (size_t i = point + 1; i < text.n; i++) {
			if (text.p[i] < '0' || text.p[i] > '9')
				goto with_exponent;
			if (scale)
				fraction += (text.p[i] - '0') * (scale /= 10);
			if (scale == 0 && i == point + 4 && text.p[i] >= '5')
				fraction++;
		}
		if (seconds > INT64_MAX / 1000 - 1 || seconds < INT64_MIN / 1000 + 1)
			return false;
		*ms = seconds * 1000 + (text.p[0] == '-' ? -fraction : fraction);
		return true;
	}
	if (point == SIZE_MAX && str_to_i64(text, &seconds)) {
		if (seconds > INT64_MAX / 1000 || seconds < INT64_MIN / 1000)
			return false;
		*ms = seconds * 1000;
		return true;
	}
with_exponent:
	if (!str_to_f64(text, &v) || !(v > -9e15 && v < 9e15))
		return false;
	*ms = llround(v * 1000);
	return true;
}

static bool float_read(arena *a, str text, double *out)
{
	if (str_eq(text, S("NaN")))
		*out = NAN;
	else if (str_eq(text, S("Infinity")) || str_eq(text, S("-Infinity")))
		*out = text.p[0] == '-' ? -INFINITY : INFINITY;
	else
		return number_to_f64(a, text, out);
	return true;
}

static bool boolean_read(str text, bool *out)
{
	bool yes = str_eq_nocase(text, S("true")) || str_eq(text, S("1"));
	*out = yes;
	return yes || str_eq_nocase(text, S("false")) || str_eq(text, S("0"));
}

bool text_read(arena *a, const shape *s, str text, void *out)
{
	int64_t i;
	double f;
	bool b;
	switch ((shape_kind)s->kind) {
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		if (!str_to_i64(str_trim(text), &i) || !integer_in_range(s, i))
			return false;
		*(opt_i64 *)out = I64(i);
		return true;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		if (!float_read(a, str_trim(text), &f))
			return false;
		*(opt_f64 *)out = F64(f);
		return true;
	case SHAPE_BOOLEAN:
		if (!boolean_read(str_trim(text), &b))
			return false;
		*(opt_bool *)out = BOOL(b);
		return true;
	case SHAPE_TIMESTAMP:
		text = str_trim(text);
		if (!time_parse(text, &i) && !epoch_read(text, &i))
			return false;
		*(opt_time *)out = TIME(i);
		return true;
	case SHAPE_BLOB:
		return base64_decode(a, str_trim(text), out);
	case SHAPE_STRING:
	case SHAPE_ENUM:
	case SHAPE_DOCUMENT:
		*(str *)out = text.p ? text : S("");
		return utf8_valid(text);
	default:
		return false;
	}
}

static void time_write(buf *b, uint8_t format, int64_t ms)
{
	if (format == TIME_EPOCH) {
		if (ms < 0)
			buf_c(b, '-');
		buf_i64(b, llabs(ms / 1000));
		if (ms % 1000)
			buf_fmt(b, ".%03d", abs((int)(ms % 1000)));
	} else if (format == TIME_HTTP) {
		buf_put(b, time_http(b->mem, ms));
	} else if (format == TIME_ISO_MS) {
		buf_put(b, time_iso_ms(b->mem, ms));
	} else {
		buf_put(b, time_iso(b->mem, ms));
	}
}

static void float_write(buf *b, double v)
{
	if (isnan(v))
		buf_put(b, S("NaN"));
	else if (isinf(v))
		buf_put(b, v < 0 ? S("-Infinity") : S("Infinity"));
	else
		json_put_double(b, v);
}

void text_write(buf *b, const shape *s, uint8_t format, const void *value)
{
	switch ((shape_kind)s->kind) {
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		buf_i64(b, ((const opt_i64 *)value)->v);
		return;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		float_write(b, ((const opt_f64 *)value)->v);
		return;
	case SHAPE_BOOLEAN:
		buf_put(b, ((const opt_bool *)value)->v ? S("true") : S("false"));
		return;
	case SHAPE_TIMESTAMP:
		time_write(b, format, ((const opt_time *)value)->v);
		return;
	case SHAPE_BLOB:
		buf_put(b, base64_encode(b->mem, *(const str *)value));
		return;
	case SHAPE_STRING:
	case SHAPE_ENUM:
	case SHAPE_DOCUMENT:
		buf_put(b, *(const str *)value);
		return;
	case SHAPE_STRUCT:
	case SHAPE_LIST:
	case SHAPE_MAP:
		ensure(!"only scalars have a text");
	}
}
