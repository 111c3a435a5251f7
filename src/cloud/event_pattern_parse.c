#include "cloud/event_pattern.h"
#include "base/json_scan.h"
#include "cloud/event_pattern_inside.h"

#include <arpa/inet.h>
#include <math.h>

#define COMBINATIONS_MAX 1000

static const struct word {
	const char *name;
	test_kind kind;
} texts[] = {
	{ "prefix", TEST_PREFIX }, { "suffix", TEST_SUFFIX }, { "equals-ignore-case", TEST_NOCASE },
	{ "wildcard", TEST_WILDCARD },
};
#define N_TEXTS (sizeof texts / sizeof *texts)

static bool word_reserved(str key)
{
	for (size_t i = 0; i < N_TEXTS; i++)
		if (str_eq(key, str_c(texts[i].name)))
			return true;
	return str_eq(key, S("numeric")) || str_eq(key, S("exists")) || str_eq(key, S("cidr")) ||
	       str_eq(key, S("anything-but"));
}

/* Every failure returns what says "no": NULL or false. */
static void *because(str *why, str reason)
{
	*why = reason;
	return NULL;
}

static const char *name_of(test_kind kind)
{
	for (size_t i = 0; i < N_TEXTS; i++)
		if (texts[i].kind == kind)
			return texts[i].name;
	return "";
}

/* `*` becomes WILD; `\*` and `\\` themselves. */
static bool wildcard_parse(arena *mem, str text, str *out, str *why)
{
	buf b = buf_in(mem, text.n + 1, text.n + 1);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '\\') {
			if (++i == text.n || (text.p[i] != '*' && text.p[i] != '\\'))
				return because(why, arena_fmt(mem, "Invalid escape character at pos %zu", i - 1));
			buf_c(&b, text.p[i]);
		} else if (c == '*') {
			if (b.n && b.p[b.n - 1] == WILD)
				return because(why, arena_fmt(mem, "Consecutive wildcard characters at pos %zu", i - 1));
			buf_c(&b, WILD);
		} else {
			buf_c(&b, c);
		}
	}
	*out = buf_str(&b);
	return true;
}

static pattern_test *test_new(arena *mem, test_kind kind, str text)
{
	pattern_test *t = arena_new(mem, pattern_test);
	t->kind = kind;
	t->text = arena_str(mem, text);
	return t;
}

static pattern_test *text_test(arena *mem, test_kind kind, const json_value *v, str *why)
{
	if (v->kind != JSON_STRING)
		return because(why, arena_fmt(mem, "%s match pattern must be a string", name_of(kind)));
	pattern_test *t = test_new(mem, kind, v->text);
	return kind != TEST_WILDCARD || wildcard_parse(mem, v->text, &t->text, why) ? t : NULL;
}

/* {"prefix": "x"} or {"prefix": {"equals-ignore-case": "x"}}, and the same of suffix. */
static pattern_test *text_or_nocase(arena *mem, test_kind kind, const json_value *v, str *why)
{
	if (v->kind != JSON_OBJECT || (kind != TEST_PREFIX && kind != TEST_SUFFIX))
		return text_test(mem, kind, v, why);
	if (v->n != 1 || !str_eq(v->first->key, S("equals-ignore-case")))
		return because(why, S("Unsupported expression inside prefix or suffix; only equals-ignore-case is"));
	return text_test(mem, kind == TEST_PREFIX ? TEST_PREFIX_NOCASE : TEST_SUFFIX_NOCASE, v->first, why);
}

static bool number_of(arena *mem, const char *op, const json_value *v, double *out, str *why)
{
	if (!v || v->kind != JSON_NUMBER || !str_to_f64(v->text, out))
		return because(why, arena_fmt(mem, "Value of %s must be numeric", op));
	return true;
}

/* What stood where something else should: as it was written, or the bracket behind it all. */
static str written(arena *mem, const json_value *v)
{
	buf b = buf_in(mem, 64, 1 << 20);
	if (!v)
		return S("]");
	if (v->kind == JSON_STRING)
		return v->text;
	json_write(&b, v);
	return buf_str(&b);
}

/* The second half of a range: what is below its top. */
static pattern_test *range_end(arena *mem, pattern_test *t, const json_value *op, str *why)
{
	if (op->kind != JSON_STRING)
		return because(why, arena_fmt(mem, "Bad value in numeric range: %.*s", STR_ARG(written(mem, op))));
	if (!str_eq(op->text, S("<")) && !str_eq(op->text, S("<=")))
		return because(why, arena_fmt(mem, "Bad numeric range operator: %.*s", STR_ARG(op->text)));
	t->high_open = op->text.n == 1;
	if (!number_of(mem, t->high_open ? "<" : "<=", op->next, &t->high, why))
		return NULL;
	if (op->next->next)
		return because(why, S("Too many terms in numeric range expression"));
	return t->low < t->high ? t : because(why, S("Bottom must be less than top"));
}

static pattern_test *numeric_test(arena *mem, const json_value *v, str *why)
{
	if (v->kind != JSON_ARRAY)
		return because(why, S("Value of numeric must be an array."));
	const json_value *op = v->first;
	if (!op || op->kind != JSON_STRING)
		return because(why, arena_fmt(mem, "Invalid member in numeric match: %.*s",
		                              STR_ARG(written(mem, op))));
	pattern_test *t = test_new(mem, TEST_RANGE, S(""));
	t->low = -INFINITY;
	t->high = INFINITY;
	bool equal = str_eq(op->text, S("=")), above = op->text.n && op->text.p[0] == '>';
	bool strict = op->text.n == 1;
	if (!equal && !str_eq(op->text, S(">")) && !str_eq(op->text, S(">=")) && !str_eq(op->text, S("<")) &&
	    !str_eq(op->text, S("<=")))
		return because(why, arena_fmt(mem, "Unrecognized numeric range operator: %.*s", STR_ARG(op->text)));
	double *bound = equal || above ? &t->low : &t->high;
	if (!number_of(mem, equal ? "equals" : arena_str(mem, op->text).p, op->next, bound, why))
		return NULL;
	t->low_open = above && strict;
	t->high_open = !equal && !above && strict;
	t->high = equal ? t->low : t->high;
	if (!op->next->next)
		return t;
	return above ? range_end(mem, t, op->next->next, why) :
	       because(why, S("Too many elements in numeric expression"));
}

static pattern_test *cidr_test(arena *mem, const json_value *v, str *why)
{
	int64_t bits;
	if (v->kind != JSON_STRING)
		return because(why, S("prefix match pattern must be a string"));
	str rest = v->text, address = str_cut(&rest, '/');
	pattern_test *t = test_new(mem, TEST_CIDR, v->text);
	t->family = str_find_char(address, ':') == SIZE_MAX ? AF_INET : AF_INET6;
	if (!str_is(rest) || str_find_char(rest, '/') != SIZE_MAX)
		return because(why, S("Malformed CIDR, one '/' required"));
	if (inet_pton(t->family, arena_str(mem, address).p, t->ip) != 1)
		return because(why, arena_fmt(mem, "Nonstandard IP address: %.*s", STR_ARG(address)));
	if (!str_to_i64(rest, &bits))
		return because(why, S("Malformed CIDR, mask bits must be an integer"));
	if (bits < 0 || bits >= (t->family == AF_INET ? 32 : 128))
		return because(why, S("Malformed CIDR, mask bits out of range"));
	t->bits = (int)bits;
	return t;
}

/* The values that must not be there: all of one kind. */
static bool excluded(arena *mem, pattern_test *not, test_kind kind, const json_value *v,
		bool empty_too, str *why)
{
	bool scalar = v->kind != JSON_OBJECT && v->kind != JSON_ARRAY;
	if (scalar && v->kind != JSON_STRING && kind == TEST_NOCASE)
		return because(why, S("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
		                      "supported."));
	if (scalar && v->kind != JSON_STRING && kind != TEST_STRING)
		return because(why, kind == TEST_WILDCARD ? S("wildcard match pattern must be a string")
		                                          : S("prefix/suffix match pattern must be a string"));
	if (v->kind != JSON_STRING && v->kind != JSON_NUMBER)
		return because(why, S("Value of anything-but must be an array or single string/number value."));
	if (!v->text.n && !empty_too)
		return because(why, S("Null prefix/suffix not allowed"));
	pattern_test *t = v->kind == JSON_NUMBER ? test_new(mem, TEST_NUMBER, v->text)
	                                         : text_test(mem, kind, v, why);
	if (!t || (v->kind == JSON_NUMBER && !str_to_f64(v->text, &t->low)))
		return false;
	if (not->none_of && (not->none_of->kind == TEST_NUMBER) != (t->kind == TEST_NUMBER))
		return because(why,
				S("Inside anything but list, either all values are number or string, mixed type is "
		                      "not supported"));
	t->next = not->none_of;
	not->none_of = t;
	return true;
}

static pattern_test *but_test(arena *mem, const json_value *v, str *why)
{
	test_kind kind = TEST_STRING;
	pattern_test *not = test_new(mem, TEST_NOT, S(""));
	if (v->kind == JSON_OBJECT) {
		for (size_t i = 0; i < N_TEXTS && v->n == 1; i++)
			if (str_eq(v->first->key, str_c(texts[i].name)))
				kind = texts[i].kind;
		if (kind == TEST_STRING)
			return because(why, arena_fmt(mem, "Unsupported anything-but pattern: %.*s",
			                              STR_ARG(v->n ? v->first->key : S(""))));
		v = v->first;
	}
	bool empty_too = kind != TEST_PREFIX && kind != TEST_SUFFIX;
	if (v->kind != JSON_ARRAY)
		return excluded(mem, not, kind, v, empty_too, why) ? not : NULL;
	if (!v->n)
		return because(why, S("Empty arrays are not allowed"));
	for (const json_value *i = v->first; i; i = i->next)
		if (!excluded(mem, not, kind, i, empty_too, why))
			return NULL;
	return not;
}

static pattern_test *object_test(arena *mem, const json_value *v, str *why)
{
	if (v->n != 1)
		return because(why, v->n ? S("Only one key allowed in match expression")
				: S("Empty objects are not allowed"));
	const json_value *is = v->first;
	if (str_eq(is->key, S("numeric")))
		return numeric_test(mem, is, why);
	if (str_eq(is->key, S("cidr")))
		return cidr_test(mem, is, why);
	if (str_eq(is->key, S("anything-but")))
		return but_test(mem, is, why);
	if (str_eq(is->key, S("exists"))) {
		if (is->kind != JSON_TRUE && is->kind != JSON_FALSE)
			return because(why, S("exists match pattern must be either true or false."));
		return test_new(mem, is->kind == JSON_TRUE ? TEST_EXISTS : TEST_ABSENT, S(""));
	}
	for (size_t i = 0; i < N_TEXTS; i++)
		if (str_eq(is->key, str_c(texts[i].name)))
			return text_or_nocase(mem, texts[i].kind, is, why);
	return because(why, arena_fmt(mem, "Unrecognized match type %.*s", STR_ARG(is->key)));
}

static pattern_test *test_parse(arena *mem, const json_value *v, str *why)
{
	pattern_test *t;
	switch (v->kind) {
	case JSON_NULL:
		return test_new(mem, TEST_NULL, S(""));
	case JSON_TRUE:
		return test_new(mem, TEST_TRUE, S(""));
	case JSON_FALSE:
		return test_new(mem, TEST_FALSE, S(""));
	case JSON_STRING:
		return test_new(mem, TEST_STRING, v->text);
	case JSON_NUMBER:
		t = test_new(mem, TEST_NUMBER, v->text);
		return str_to_f64(v->text, &t->low) ? t : because(why, S("Bad number"));
	case JSON_OBJECT:
		return object_test(mem, v, why);
	default:
		return because(why, S("Match value must be String, number, true, false, or null"));
	}
}

static const pattern_test *tests_parse(arena *mem, const json_value *list, str *why)
{
	pattern_test *first = NULL, **last = &first;
	if (!list->n)
		return because(why, S("Empty arrays are not allowed"));
	for (const json_value *v = list->first; v; v = v->next) {
		pattern_test *t = test_parse(mem, v, why);
		if (!t)
			return NULL;
		*last = t;
		last = (pattern_test **)&t->next;
	}
	return first;
}

/* Where a leaf stands: its key, and the way to it. */
typedef struct way {
	const struct way *up;
	str key;
	unsigned depth;
} way;

/* One combination while it grows: its leaves, newest first. Combinations share what they had in common. */
typedef struct leaf {
	const struct leaf *before;
	const way *at;
	const pattern_test *tests;
} leaf;
typedef struct combination {
	struct combination *next;
	const leaf *leaves;
} combination;

typedef struct compiling {
	arena *mem;
	combination *all;
	size_t n;
	str *why;
} compiling;

static bool object_parse(compiling *c, const way *at, const json_value *v);

/* $or is one only when it looks like one; else it is a field of that name. */
static bool is_or(const json_value *v)
{
	bool so = str_eq(v->key, S("$or")) && v->kind == JSON_ARRAY && v->n > 1;
	for (const json_value *o = v->first; o && so; o = o->next) {
		so = o->kind == JSON_OBJECT;
		for (const json_value *f = o->first; f && so; f = f->next)
			so = !word_reserved(f->key);
	}
	return so;
}

static bool either_parse(compiling *c, const way *at, const json_value *v)
{
	combination *result = NULL;
	size_t n = 0;
	for (const json_value *i = v->first; i; i = i->next) {
		compiling one = { .mem = c->mem, .n = c->n, .why = c->why };
		for (const combination *old = c->all; old; old = old->next) {
			combination *copy = arena_new(c->mem, combination);
			*copy = (combination){ one.all, old->leaves };
			one.all = copy;
		}
		if (!object_parse(&one, at, i))
			return false;
		n += one.n;
		if (n > COMBINATIONS_MAX)
			return because(c->why, S("Event pattern contains too many rule combinations"));
		combination *last = one.all;
		while (last->next)
			last = last->next;
		last->next = result;
		result = one.all;
	}
	c->all = result;
	c->n = n;
	return true;
}

/* A dot in a name leads on, as if what follows stood below. */
static const way *way_to(arena *mem, const way *up, str key)
{
	for (str rest = arena_str(mem, key); str_is(rest);) {
		way *at = arena_new(mem, way);
		*at = (way){ up, str_cut(&rest, '.'), up ? up->depth + 1 : 1 };
		up = at;
	}
	return up;
}

static bool field_parse(compiling *c, const way *up, const json_value *v)
{
	const way *at = way_to(c->mem, up, v->key);
	if (at && at->depth > JSON_DEPTH_MAX)
		return because(c->why, S("Event pattern is nested too deeply"));
	if (v->kind == JSON_OBJECT)
		return object_parse(c, at, v);
	if (v->kind != JSON_ARRAY)
		return because(c->why, arena_fmt(c->mem, "\"%.*s\" must be an object or an array", STR_ARG(v->key)));
	const pattern_test *tests = tests_parse(c->mem, v, c->why);
	if (!tests)
		return false;
	for (combination *i = c->all; i; i = i->next) {
		leaf *l = arena_new(c->mem, leaf);
		*l = (leaf){ i->leaves, at, tests };
		i->leaves = l;
	}
	return true;
}

static bool object_parse(compiling *c, const way *at, const json_value *v)
{
	if (!v->n)
		return because(c->why, at ? S("Empty objects are not allowed") : S("Filter is empty"));
	for (const json_value *i = v->first; i; i = i->next)
		if (!(is_or(i) ? either_parse(c, at, i) : field_parse(c, at, i)))
			return false;
	return true;
}

static bool word_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/* The field to which the way leads; made when missing. */
static pattern_field *field_at(arena *mem, pattern_rule *r, const way *at, bool is_leaf)
{
	pattern_field **list = at->up ? &field_at(mem, r, at->up, false)->below : &r->fields;
	for (pattern_field *f = *list; f; f = f->next)
		if (str_eq(f->key, at->key) && (f->tests != NULL) == is_leaf)
			return f;
	pattern_field *f = arena_new(mem, pattern_field);
	*f = (pattern_field){ .next = *list, .key = at->key };
	*list = f;
	return f;
}

static bool known_word(str w)
{
	return (w.n && w.p[0] >= '0' && w.p[0] <= '9') || str_eq(w, S("true")) || str_eq(w, S("false")) ||
	       str_eq(w, S("null"));
}

static size_t string_end(str text, size_t at)
{
	for (at++; at < text.n && text.p[at] != '"'; at++)
		at += text.p[at] == '\\';
	return at + 1;
}

/* What Jackson says of the two mistakes that people make: a bare word, and a name without quotes. */
static str unreadable(arena *mem, str text)
{
	char before = 0;
	for (size_t i = 0, end; i < text.n; i = end) {
		char c = text.p[i];
		for (end = i; end < text.n && word_letter(text.p[end]);)
			end++;
		str word = str_sub(text, i, end);
		end = c == '"' ? string_end(text, i) : word.n ? end : i + 1;
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
			continue;
		if (before == '{' && c != '"' && c != '}')
			return arena_fmt(mem, "Unexpected character ('%c' (code %d)): was expecting double-quote to "
			                 "start field name\n at [Source: (String)\"%.*s\"; line: 1, column: %zu]", c,
			                 (unsigned char)c, STR_ARG(text), i + 1);
		if (word.n && !known_word(word))
			return arena_fmt(mem, "Unrecognized token '%.*s': was expecting (JSON String, Number, Array, "
			                 "Object or token 'null', 'true' or 'false')\n at [Source: (String)\"%.*s\"; "
			                 "line: 1, column: %zu]", STR_ARG(word), STR_ARG(text), i + word.n + 1);
		before = c;
	}
	return S("Invalid JSON");
}

const event_pattern *event_pattern_parse(arena *mem, str text, str *why)
{
	*why = STR_NONE;
	const json_value *v = json_parse(mem, text);
	if (!v)
		return because(why, unreadable(mem, text));
	if (v->kind != JSON_OBJECT)
		return because(why, S("Filter is not an object"));
	compiling c = { .mem = mem, .all = arena_new(mem, combination), .n = 1, .why = why };
	if (!object_parse(&c, NULL, v))
		return NULL;
	event_pattern *p = arena_new(mem, event_pattern);
	for (const combination *i = c.all; i; i = i->next) {
		pattern_rule *r = arena_new(mem, pattern_rule);
		for (const leaf *l = i->leaves; l; l = l->before) {
			pattern_field *f = field_at(mem, r, l->at, true);
			if (!f->tests)
				f->tests = l->tests;
		}
		r->next = (pattern_rule *)p->rules;
		p->rules = r;
	}
	return p;
}
