#include "cloud/event_pattern.h"
#include "base/map.h"
#include "cloud/event_pattern_inside.h"
#include <arpa/inet.h>
#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void unicode_open(void)
{
	unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static bool same_letter(wint_t a, wint_t b)
{
	if (a == b)
		return true;
	if (a < 128 && b < 128)
		return (a | 32) == (b | 32) && (a | 32) >= 'a' && (a | 32) <= 'z';
	pthread_once(&unicode_once, unicode_open);
	return unicode && (towlower_l(a, unicode) == towlower_l(b, unicode) ||
	                   towupper_l(a, unicode) == towupper_l(b, unicode));
}

/* The code point at *at, which moves behind it. The text is valid UTF-8: JSON was read. */
static wint_t letter_next(str s, size_t *at)
{
	unsigned char c = (unsigned char)s.p[(*at)++];
	int more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	wint_t v = more ? c & (0x3fu >> more) : c;
	while (more-- > 0 && *at < s.n)
		v = v << 6 | ((unsigned char)s.p[(*at)++] & 0x3f);
	return v;
}

/* How many bytes of `s` begin it as `prefix` does, whatever the case; SIZE_MAX: they do not. */
static size_t nocase_begins(str s, str prefix)
{
	size_t i = 0, k = 0;
	while (k < prefix.n)
		if (i >= s.n || !same_letter(letter_next(s, &i), letter_next(prefix, &k)))
			return SIZE_MAX;
	return i;
}

static bool nocase_ends(str s, str suffix)
{
	size_t letters = 0, at = s.n;
	for (size_t k = 0; k < suffix.n; letters++)
		letter_next(suffix, &k);
	while (letters > 0 && at > 0) {
		at--;
		letters -= ((unsigned char)s.p[at] & 0xc0) != 0x80;
	}
	str tail = str_sub(s, at, s.n);
	return letters == 0 && nocase_begins(tail, suffix) == tail.n;
}

static bool wild_match(str pattern, str s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, from = 0;
	while (i < s.n) {
		if (p < pattern.n && pattern.p[p] == WILD) {
			star = p++;
			from = i;
		} else if (p < pattern.n && pattern.p[p] == s.p[i]) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == WILD)
		p++;
	return p == pattern.n;
}

static bool cidr_match(const pattern_test *t, str text)
{
	char name[64];
	unsigned char ip[16];
	if (text.n >= sizeof name)
		return false;
	memcpy(name, text.p, text.n);
	name[text.n] = 0;
	if (inet_pton(t->family, name, ip) != 1) /* AWS: what spans all of IPv4 has all of IPv6 too */
		return t->bits == 0 && inet_pton(t->family == AF_INET ? AF_INET6 : AF_INET, name, ip) == 1;
	int whole = t->bits / 8, rest = t->bits % 8;
	if (memcmp(ip, t->ip, (size_t)whole) != 0)
		return false;
	return rest == 0 || (ip[whole] ^ t->ip[whole]) >> (8 - rest) == 0;
}

static bool text_match(const pattern_test *t, str s)
{
	switch (t->kind) {
	case TEST_STRING:
		return str_eq(s, t->text);
	case TEST_NOCASE:
		return nocase_begins(s, t->text) == s.n;
	case TEST_PREFIX:
		return str_starts(s, t->text);
	case TEST_PREFIX_NOCASE:
		return nocase_begins(s, t->text) != SIZE_MAX;
	case TEST_SUFFIX:
		return str_ends(s, t->text);
	case TEST_SUFFIX_NOCASE:
		return nocase_ends(s, t->text);
	case TEST_WILDCARD:
		return wild_match(t->text, s);
	case TEST_CIDR:
		return cidr_match(t, s);
	default:
		return false;
	}
}

static bool number_match(const pattern_test *t, str text)
{
	double v;
	if (!str_to_f64(text, &v))
		return false;
	if (t->kind == TEST_NUMBER)
		return v == t->low;
	return t->kind == TEST_RANGE && (t->low_open ? v > t->low : v >= t->low) &&
	       (t->high_open ? v < t->high : v <= t->high);
}

/* One value that is neither object nor array. */
static bool value_match(const pattern_test *t, const json_value *v)
{
	if (t->kind == TEST_EXISTS)
		return true;
	if (t->kind == TEST_NOT) {
		for (const pattern_test *i = t->none_of; i; i = i->next)
			if (value_match(i, v))
				return false;
		return true;
	}
	switch (v->kind) {
	case JSON_NULL:
		return t->kind == TEST_NULL;
	case JSON_TRUE:
		return t->kind == TEST_TRUE;
	case JSON_FALSE:
		return t->kind == TEST_FALSE;
	case JSON_NUMBER:
		return number_match(t, v->text);
	default:
		return text_match(t, v->text);
	}
}

/* Some value at the node passes some test. */
static bool leaf_match(const pattern_test *tests, const json_value *node)
{
	if (!node || node->kind == JSON_OBJECT)
		return false;
	if (node->kind == JSON_ARRAY) {
		for (const json_value *v = node->first; v; v = v->next)
			if (leaf_match(tests, v))
				return true;
		return false;
	}
	for (const pattern_test *t = tests; t; t = t->next)
		if (value_match(t, node))
			return true;
	return false;
}

static bool absent_match(const pattern_test *tests, const json_value *node)
{
	static const pattern_test exists = { .kind = TEST_EXISTS };
	for (const pattern_test *t = tests; t; t = t->next)
		if (t->kind == TEST_ABSENT)
			return !leaf_match(&exists, node);
	return false;
}

static bool node_match(const pattern_field *fields, const json_value *node);

static bool fields_match(const pattern_field *fields, const json_value *node)
{
	for (const pattern_field *f = fields; f; f = f->next) {
		const json_value *v = node ? json_get(node, f->key) : NULL;
		if (f->tests ? !leaf_match(f->tests, v) && !absent_match(f->tests, v) : !node_match(f->below, v))
			return false;
	}
	return true;
}

/* All fields below an array are looked for in the same element. */
static bool node_match(const pattern_field *fields, const json_value *node)
{
	bool any = false;
	if (!node || node->kind != JSON_ARRAY)
		return fields_match(fields, node && node->kind == JSON_OBJECT ? node : NULL);
	for (const json_value *v = node->first; v; v = v->next)
		if (v->kind == JSON_OBJECT || v->kind == JSON_ARRAY) {
			any = true;
			if (node_match(fields, v))
				return true;
		}
	return !any && fields_match(fields, NULL);
}

static bool has_dots(const json_value *v)
{
	for (const json_value *i = v->first; i; i = i->next)
		if ((v->kind == JSON_OBJECT && str_find_char(i->key, '.') != SIZE_MAX) || has_dots(i))
			return true;
	return false;
}

/* A value that is being made, with the place of its next child. */
typedef struct branch {
	json_value v; /* first */
	json_value **last;
} branch;

typedef struct unfolding {
	arena *mem;
	map objects; /* by the parent's place in memory and the name */
} unfolding;

static branch *child_add(unfolding *u, branch *parent, json_kind kind, str key)
{
	branch *b = arena_new(u->mem, branch);
	*b = (branch){ .v = { .kind = kind, .key = key }, .last = &b->v.first };
	*parent->last = &b->v;
	parent->last = &b->v.next;
	parent->v.n++;
	return b;
}

/* The object of that name, made when there is none. */
static branch *object_in(unfolding *u, branch *parent, str key)
{
	str place = arena_concat(u->mem, str_of((const char *)&parent, sizeof parent), key);
	branch *b = map_get(&u->objects, place);
	if (!b)
		map_put(&u->objects, place, b = child_add(u, parent, JSON_OBJECT, key));
	return b;
}

static void unfold(unfolding *u, const json_value *from, branch *to)
{
	for (const json_value *i = from->first; i; i = i->next) {
		branch *parent = to;
		str rest = i->key, key = rest;
		if (from->kind == JSON_OBJECT)
			for (key = str_cut(&rest, '.'); str_is(rest); key = str_cut(&rest, '.'))
				parent = object_in(u, parent, key);
		branch *copy = i->kind == JSON_OBJECT && parent->v.kind == JSON_OBJECT ?
		               object_in(u, parent, key) : child_add(u, parent, i->kind, key);
		copy->v.text = i->text;
		unfold(u, i, copy);
	}
}

const json_value *event_pattern_event(arena *mem, const json_value *event)
{
	if (!event || !has_dots(event))
		return event;
	unfolding u = { mem, map_in(mem, 64) };
	branch *copy = arena_new(mem, branch);
	*copy = (branch){ .v = { .kind = event->kind, .text = event->text }, .last = &copy->v.first };
	unfold(&u, event, copy);
	return &copy->v;
}

bool event_pattern_match(const event_pattern *p, const json_value *event)
{
	if (!event || event->kind != JSON_OBJECT)
		return false;
	for (const pattern_rule *r = p->rules; r; r = r->next)
		if (fields_match(r->fields, event))
			return true;
	return false;
}

static const pattern_test *tests_of(const pattern_rule *r, str field)
{
	for (const pattern_field *f = r->fields; f; f = f->next)
		if (f->tests && str_eq(f->key, field))
			return f->tests;
	return NULL;
}

bool event_pattern_exact(const event_pattern *p, arena *mem, str field, str **texts, size_t *n)
{
	size_t count = 0;
	for (const pattern_rule *r = p->rules; r; r = r->next) {
		const pattern_test *tests = tests_of(r, field);
		if (!tests)
			return false;
		for (const pattern_test *t = tests; t; t = t->next, count++)
			if (t->kind != TEST_STRING)
				return false;
	}
	*texts = arena_array(mem, str, count);
	*n = 0;
	for (const pattern_rule *r = p->rules; r; r = r->next)
		for (const pattern_test *t = tests_of(r, field); t; t = t->next)
			(*texts)[(*n)++] = t->text;
	return true;
}
