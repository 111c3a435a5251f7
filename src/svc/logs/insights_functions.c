#include "base/text.h"
#include "insights.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>


#define FUNCTION(name) static iq_value name(__attribute__((unused)) iq_row *row, \
	const iq_value *a, __attribute__((unused)) size_t n)

static str text_of(iq_row *row, iq_value v)
{
	str s = iq_shown(row->mem, v);
	return str_is(s) ? s : S("");
}

#define OF_NUMBER(name, expression) \
	FUNCTION(name) \
	{ \
		double x; \
		return iq_is_number(a[0], &x) ? iq_number(expression) : IQ_NOTHING; \
	}
OF_NUMBER(f_abs, fabs(x))
OF_NUMBER(f_ceil, ceil(x))
OF_NUMBER(f_floor, floor(x))
OF_NUMBER(f_log, log(x))
OF_NUMBER(f_sqrt, sqrt(x))

static iq_value extreme(const iq_value *a, size_t n, int sign)
{
	iq_value best = IQ_NOTHING;
	for (size_t i = 0; i < n; i++)
		if (a[i].kind && (!best.kind || iq_compare(a[i], best) * sign > 0))
			best = a[i];
	return best;
}
FUNCTION(f_greatest) { return extreme(a, n, 1); }
FUNCTION(f_least) { return extreme(a, n, -1); }

FUNCTION(f_ispresent) { return iq_bool(a[0].kind != IQ_NONE); }
FUNCTION(f_isempty) { return iq_bool(text_of(row, a[0]).n == 0); }
FUNCTION(f_isblank) { return iq_bool(str_trim(text_of(row, a[0])).n == 0); }
FUNCTION(f_coalesce)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].kind)
			return a[i];
	return IQ_NOTHING;
}

FUNCTION(f_concat)
{
	buf b = buf_in(row->mem, 64, 1 << 20);
	for (size_t i = 0; i < n; i++)
		buf_put(&b, text_of(row, a[i]));
	return iq_text(buf_str(&b));
}

/* Without these characters (blanks when none are given) at one end or both. */
static iq_value trimmed(iq_row *row, const iq_value *a, size_t n, bool left, bool right)
{
	str s = text_of(row, a[0]), out = n > 1 ? text_of(row, a[1]) : S(" \t\r\n");
	if (!a[0].kind)
		return IQ_NOTHING;
	while (left && s.n && memchr(out.p, s.p[0], out.n))
		s = str_sub(s, 1, s.n);
	while (right && s.n && memchr(out.p, s.p[s.n - 1], out.n))
		s.n--;
	return iq_text(s);
}
FUNCTION(f_trim) { return trimmed(row, a, n, true, true); }
FUNCTION(f_ltrim) { return trimmed(row, a, n, true, false); }
FUNCTION(f_rtrim) { return trimmed(row, a, n, false, true); }
FUNCTION(f_strlen)
{
	return a[0].kind ? iq_number((double)utf8_length(text_of(row, a[0]))) : IQ_NOTHING;
}
FUNCTION(f_tolower) { return a[0].kind ? iq_text(arena_lower(row->mem, text_of(row, a[0]))) : IQ_NOTHING; }
FUNCTION(f_toupper)
{
	str s = text_of(row, a[0]);
	char *p = arena_bytes(row->mem, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = (char)toupper((unsigned char)s.p[i]);
	return a[0].kind ? iq_text(str_of(p, s.n)) : IQ_NOTHING;
}

/* The byte at which a character begins. */
static size_t byte_at(str s, double character)
{
	size_t at = 0;
	for (; at < s.n && character >= 1; character--)
		do
			at++;
		while (at < s.n && ((unsigned char)s.p[at] & 0xc0) == 0x80);
	return at;
}
FUNCTION(f_substr)
{
	double from, many = HUGE_VAL;
	str s = text_of(row, a[0]);
	if (!a[0].kind || !iq_is_number(a[1], &from) || (n > 2 && !iq_is_number(a[2], &many)))
		return IQ_NOTHING;
	s = str_sub(s, byte_at(s, from), s.n);
	return iq_text(str_sub(s, 0, byte_at(s, many)));
}
FUNCTION(f_replace)
{
	str s = text_of(row, a[0]), what = text_of(row, a[1]), by = text_of(row, a[2]);
	buf b = buf_in(row->mem, s.n + 16, 4 << 20);
	if (!a[0].kind || !what.n)
		return a[0];
	for (size_t at; (at = str_find(s, what)) != SIZE_MAX; s = str_sub(s, at + what.n, s.n)) {
		buf_put(&b, str_sub(s, 0, at));
		buf_put(&b, by);
	}
	buf_put(&b, s);
	return iq_text(buf_str(&b));
}
FUNCTION(f_strcontains)
{
	return iq_bool(a[0].kind && str_find(text_of(row, a[0]), text_of(row, a[1])) != SIZE_MAX);
}

FUNCTION(f_jsonparse)
{
	str s = str_trim(text_of(row, a[0]));
	bool container = str_starts(s, S("{")) || str_starts(s, S("["));
	return container && json_valid(s) ? (iq_value){ IQ_JSON, s, 0 } : IQ_NOTHING;
}
FUNCTION(f_jsonstringify) { return a[0].kind ? iq_text(text_of(row, a[0])) : IQ_NOTHING; }

static iq_value rounded(iq_value when, iq_value period, bool up)
{
	double t, p;
	if (!iq_is_number(when, &t) || period.kind != IQ_TIME || period.n <= 0)
		return IQ_NOTHING;
	p = period.n;
	return iq_time((up ? ceil(t / p) : floor(t / p)) * p);
}
FUNCTION(f_bin) { return rounded(iq_field(row, S("@timestamp")), a[0], false); }
FUNCTION(f_datefloor) { return rounded(a[0], a[1], false); }
FUNCTION(f_dateceil) { return rounded(a[0], a[1], true); }
FUNCTION(f_frommillis)
{
	double ms;
	return iq_is_number(a[0], &ms) ? iq_time(ms) : IQ_NOTHING;
}
FUNCTION(f_tomillis) { return a[0].kind == IQ_TIME ? iq_number(a[0].n) : IQ_NOTHING; }

typedef struct address {
	unsigned char bytes[16];
	int bits; /* 32 or 128; 0: none */
} address;

static address address_of(iq_row *row, str s)
{
	address a = { .bits = 0 };
	const char *c = arena_str(row->mem, s).p;
	if (c && inet_pton(AF_INET, c, a.bytes) == 1)
		a.bits = 32;
	else if (c && inet_pton(AF_INET6, c, a.bytes) == 1)
		a.bits = 128;
	return a;
}

static bool in_subnet(iq_row *row, const iq_value *a, int bits)
{
	int64_t length;
	str net = text_of(row, a[1]), rest = net, base = str_cut(&rest, '/');
	address x = address_of(row, text_of(row, a[0])), y = address_of(row, base);
	if (!x.bits || x.bits != y.bits || (bits && x.bits != bits) || !str_to_i64(rest, &length) || length < 0 ||
	    length > x.bits)
		return false;
	for (int64_t i = 0; i < length; i++)
		if ((x.bytes[i / 8] ^ y.bytes[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}
FUNCTION(f_isvalidip) { return iq_bool(address_of(row, text_of(row, a[0])).bits); }
FUNCTION(f_isvalidipv4) { return iq_bool(address_of(row, text_of(row, a[0])).bits == 32); }
FUNCTION(f_isvalidipv6) { return iq_bool(address_of(row, text_of(row, a[0])).bits == 128); }
FUNCTION(f_isipinsubnet) { return iq_bool(in_subnet(row, a, 0)); }
FUNCTION(f_isipv4insubnet) { return iq_bool(in_subnet(row, a, 32)); }
FUNCTION(f_isipv6insubnet) { return iq_bool(in_subnet(row, a, 128)); }

static const iq_function functions[] = {
	{ "abs", 1, 1, f_abs },           { "ceil", 1, 1, f_ceil },         { "floor", 1, 1, f_floor },
	{ "log", 1, 1, f_log },           { "sqrt", 1, 1, f_sqrt },         { "greatest", 1, -1, f_greatest },
	{ "least", 1, -1, f_least },      { "ispresent", 1, 1, f_ispresent }, { "isempty", 1, 1, f_isempty },
	{ "isblank", 1, 1, f_isblank },   { "coalesce", 1, -1, f_coalesce }, { "concat", 1, -1, f_concat },
	{ "trim", 1, 2, f_trim },         { "ltrim", 1, 2, f_ltrim },       { "rtrim", 1, 2, f_rtrim },
	{ "strlen", 1, 1, f_strlen },     { "tolower", 1, 1, f_tolower },   { "toupper", 1, 1, f_toupper },
	{ "substr", 2, 3, f_substr },     { "replace", 3, 3, f_replace },
	{ "strcontains", 2, 2, f_strcontains }, { "jsonparse", 1, 1, f_jsonparse },
	{ "jsonstringify", 1, 1, f_jsonstringify }, { "unmask", 1, 1, NULL },
	{ "bin", 1, 1, f_bin },           { "datefloor", 2, 2, f_datefloor }, { "dateceil", 2, 2, f_dateceil },
	{ "frommillis", 1, 1, f_frommillis }, { "tomillis", 1, 1, f_tomillis },
	{ "isvalidip", 1, 1, f_isvalidip }, { "isvalidipv4", 1, 1, f_isvalidipv4 },
	{ "isvalidipv6", 1, 1, f_isvalidipv6 }, { "isipinsubnet", 2, 2, f_isipinsubnet },
	{ "isipv4insubnet", 2, 2, f_isipv4insubnet }, { "isipv6insubnet", 2, 2, f_isipv6insubnet },
};

const iq_function *iq_function_find(str name)
{
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
		if (str_eq_nocase(name, str_c(functions[i].name)))
			return &functions[i];
	return NULL;
}
