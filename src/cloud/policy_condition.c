/*
 * Conditions: {"StringLike": {"s3:prefix": ["a/", "b*"]}}. Operators and keys are ANDed, values ORed;
 * negated operators demand that no value fits. An absent key fails the test, except with IfExists, with
 * negated operators, and with ForAllValues.
 */
#include "base/text.h"
#include "base/time.h"
#include "cloud/policy_pattern.h"

typedef enum comparison {
	STRING_EQUALS, STRING_EQUALS_NO_CASE, STRING_LIKE, NUMERIC, DATE, BOOLEAN, BINARY, IP, ARN_LIKE,
	NULL_TEST,
} comparison;
typedef enum relation { EQ, LT, LE, GT, GE } relation;

typedef struct operator {
	const char *name;
	uint8_t how, relation;
	bool negated;
} operator;

static const operator operators[] = {
	{ "StringEquals", STRING_EQUALS, EQ, false },
	{ "StringNotEquals", STRING_EQUALS, EQ, true },
	{ "StringEqualsIgnoreCase", STRING_EQUALS_NO_CASE, EQ, false },
	{ "StringNotEqualsIgnoreCase", STRING_EQUALS_NO_CASE, EQ, true },
	{ "StringLike", STRING_LIKE, EQ, false },
	{ "StringNotLike", STRING_LIKE, EQ, true },
	{ "NumericEquals", NUMERIC, EQ, false },
	{ "NumericNotEquals", NUMERIC, EQ, true },
	{ "NumericLessThan", NUMERIC, LT, false },
	{ "NumericLessThanEquals", NUMERIC, LE, false },
	{ "NumericGreaterThan", NUMERIC, GT, false },
	{ "NumericGreaterThanEquals", NUMERIC, GE, false },
	{ "DateEquals", DATE, EQ, false },
	{ "DateNotEquals", DATE, EQ, true },
	{ "DateLessThan", DATE, LT, false },
	{ "DateLessThanEquals", DATE, LE, false },
	{ "DateGreaterThan", DATE, GT, false },
	{ "DateGreaterThanEquals", DATE, GE, false },
	{ "Bool", BOOLEAN, EQ, false },
	{ "BinaryEquals", BINARY, EQ, false },
	{ "IpAddress", IP, EQ, false },
	{ "NotIpAddress", IP, EQ, true },
	{ "ArnEquals", ARN_LIKE, EQ, false },
	{ "ArnNotEquals", ARN_LIKE, EQ, true },
	{ "ArnLike", ARN_LIKE, EQ, false },
	{ "ArnNotLike", ARN_LIKE, EQ, true },
	{ "Null", NULL_TEST, EQ, false },
};

typedef enum quantifier { SINGLE, FOR_ALL, FOR_ANY } quantifier;

typedef struct test {
	const operator *op;
	quantifier each;
	bool if_exists;
	arena *mem;
	const policy_question *q;
	bool variables;
} test;

static bool read_operator(str name, test *t)
{
	t->each = str_starts(name, S("ForAllValues:")) ? FOR_ALL :
		  str_starts(name, S("ForAnyValue:")) ? FOR_ANY : SINGLE;
	if (t->each != SINGLE)
		str_cut(&name, ':');
	t->if_exists = str_ends(name, S("IfExists"));
	if (t->if_exists)
		name = str_sub(name, 0, name.n - 8);
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (str_eq_nocase(name, str_c(operators[i].name))) {
			t->op = &operators[i];
			return t->op->how != NULL_TEST || !t->if_exists;
		}
	return false;
}

bool policy_operator_known(str name)
{
	test t = { 0 };
	return read_operator(name, &t);
}

static bool related(relation r, int order)
{
	switch (r) {
	case EQ: return order == 0;
	case LT: return order < 0;
	case LE: return order <= 0;
	case GT: return order > 0;
	default: return order >= 0;
	}
}

static bool numeric(relation r, str have, str want)
{
	double a, b;
	return str_to_f64(have, &a) && str_to_f64(want, &b) && related(r, (a > b) - (a < b));
}

/* ISO 8601 or seconds since 1970. */
static bool moment(str s, int64_t *ms)
{
	int64_t seconds;
	if (str_to_i64(s, &seconds) && seconds < INT64_MAX / MS_SECOND && seconds > INT64_MIN / MS_SECOND) {
		*ms = seconds * MS_SECOND;
		return true;
	}
	return time_parse(s, ms);
}

static bool date(relation r, str have, str want)
{
	int64_t a, b;
	return moment(have, &a) && moment(want, &b) && related(r, (a > b) - (a < b));
}

/* An IPv4 or IPv6 address as 16 bytes; IPv4 as ::ffff:a.b.c.d. *bits: how long its prefix may be. */
static bool address(str s, unsigned char out[16], int *bits)
{
	memset(out, 0, 16);
	if (str_find_char(s, ':') == SIZE_MAX) {
		int64_t v = 0;
		out[10] = out[11] = 0xff;
		for (int i = 0; i < 4; i++) {
			if (!str_is(s) || !str_to_i64(str_cut(&s, '.'), &v) || v < 0 || v > 255)
				return false;
			out[12 + i] = (unsigned char)v;
		}
		*bits = 32;
		return !str_is(s);
	}
	unsigned groups[8] = { 0 };
	int n = 0, gap = -1;
	*bits = 128;
	if (str_starts(s, S("::")))
		s = str_sub(s, 1, s.n);
	while (str_is(s) && n < 8) {
		str group = str_cut(&s, ':');
		if (group.n == 0) {
			if (gap >= 0 && str_is(s))
				return false;
			gap = n;
			continue;
		}
		if (group.n > 4)
			return false;
		for (size_t i = 0; i < group.n; i++) {
			char c = (char)(group.p[i] | 32);
			int d = group.p[i] >= '0' && group.p[i] <= '9' ? group.p[i] - '0' :
				c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
			if (d < 0)
				return false;
			groups[n] = groups[n] << 4 | (unsigned)d;
		}
		n++;
	}
	if (str_is(s) || (gap < 0 && n != 8))
		return false;
	for (int i = 0, k = 0; i < n; i++, k++) {
		if (i == gap)
			k += 8 - n;
		out[2 * k] = (unsigned char)(groups[i] >> 8);
		out[2 * k + 1] = (unsigned char)groups[i];
	}
	return true;
}

static bool in_network(str have, str network)
{
	unsigned char a[16], b[16];
	int bits_a, bits_b;
	int64_t length;
	str prefix = network, base = str_cut(&prefix, '/');
	if (!address(have, a, &bits_a) || !address(base, b, &bits_b))
		return false;
	length = bits_b;
	if (str_is(prefix) && (!str_to_i64(prefix, &length) || length < 0 || length > bits_b))
		return false;
	length += 128 - bits_b;
	for (int i = 0; i < 16; i++) {
		int left = (int)length - 8 * i;
		unsigned mask = left >= 8 ? 0xff : left <= 0 ? 0 : 0xff00u >> left & 0xff;
		if ((a[i] ^ b[i]) & mask)
			return false;
	}
	return true;
}

static bool same_bytes(arena *mem, str have, str want)
{
	str a, b;
	return base64_decode(mem, have, &a) && base64_decode(mem, want, &b) && str_eq(a, b);
}

static bool value_fits(const test *t, str have, str want)
{
	pattern p;
	bool like = t->op->how == STRING_LIKE || t->op->how == ARN_LIKE;
	switch ((comparison)t->op->how) {
	case STRING_EQUALS:
	case STRING_EQUALS_NO_CASE:
	case STRING_LIKE:
	case ARN_LIKE:
		if (!pattern_of(t->mem, want, t->q, t->variables, like, &p))
			return false;
		return t->op->how == ARN_LIKE ? pattern_fits_arn(p, have) :
						pattern_fits(p, have, t->op->how == STRING_EQUALS_NO_CASE);
	case NUMERIC:
		return numeric(t->op->relation, have, want);
	case DATE:
		return date(t->op->relation, have, want);
	case BOOLEAN:
		return str_eq_nocase(have, want) && (str_eq_nocase(want, S("true")) || str_eq_nocase(want,
		S("false")));
	case BINARY:
		return same_bytes(t->mem, have, want);
	case IP:
		return in_network(have, want);
	default:
		return false;
	}
}

static str scalar(const json_value *v)
{
	return v->kind == JSON_TRUE ? S("true") : v->kind == JSON_FALSE ? S("false") : v->text;
}

/* Whether one value of the request passes against all that the policy lists. */
static bool one_passes(const test *t, str have, const json_value *wanted)
{
	bool fits = false;
	if (wanted->kind == JSON_ARRAY) {
		for (const json_value *v = wanted->first; v && !fits; v = v->next)
			fits = value_fits(t, have, scalar(v));
	} else {
		fits = value_fits(t, have, scalar(wanted));
	}
	return fits != t->op->negated;
}

static bool null_test(const policy_key *key, const json_value *wanted)
{
	str want = !key || key->n == 0 ? S("true") : S("false");
	if (wanted->kind != JSON_ARRAY)
		return str_eq_nocase(scalar(wanted), want);
	for (const json_value *v = wanted->first; v; v = v->next)
		if (str_eq_nocase(scalar(v), want))
			return true;
	return false;
}

static bool key_passes(const test *t, const json_value *wanted)
{
	const policy_key *key = policy_question_key(t->q, wanted->key);
	if (t->op->how == NULL_TEST)
		return null_test(key, wanted);
	if (!key || key->n == 0)
		return t->if_exists || t->each == FOR_ALL || (t->op->negated && t->each == SINGLE);
	bool all = true, any = false;
	for (size_t i = 0; i < key->n; i++) {
		bool pass = one_passes(t, key->v[i], wanted);
		all = all && pass;
		any = any || pass;
	}
	/* Several values without a quantifier: a negated operator must hold for all of them. */
	return t->each == FOR_ALL || (t->each == SINGLE && t->op->negated) ? all : any;
}

bool policy_condition_holds(arena *mem, const json_value *condition, const policy_question *q,
                            bool variables)
{
	for (const json_value *o = condition ? condition->first : NULL; o; o = o->next) {
		test t = { .mem = mem, .q = q, .variables = variables };
		if (!read_operator(o->key, &t))
			return false;
		for (const json_value *wanted = o->first; wanted; wanted = wanted->next)
			if (!key_passes(&t, wanted))
				return false;
	}
	return true;
}
