#include "base/map.h"
#include "base/text.h"
#include "wire/codec.h"
#include "wire/memo.h"
#include "wire/pattern.h"
#include "wire/value.h"

enum { ERRORS_MAX = 10, SHOWN_MAX = 2000 };

/* Where a value stands: names from the outermost in. */
typedef struct place {
	const struct place *outer;
	str name;      /* a member's or a map's key */
	size_t index;  /* of a list's element, from 1 */
	bool lower;    /* a member: its first letter is lowered */
	bool element;  /* of a list or map: ".member" follows when the path goes on */
} place;

/*
 * Where to look: for each shape whether the model demands anything of it or of what is in it, and for
 * structures the members of which it does. Made once for each shape, and linked, so that a value is walked
 * without looking anything up.
 */
typedef struct plan {
	const shape *shape;
	bool demands;
	unsigned n;
	struct plan_member {
		const shape_member *member;
		struct plan *plan;
	} *members;
	struct plan *element, *key;
	struct plan *next; /* of the ones being made */
} plan;

typedef struct checker {
	arena *mem;
	buf out, unsaid; /* unsaid: what comes after the first, where only that is told */
	int n;
	str own; /* the first sentence of the service's own */
	bool parameters; /* only the first thing that is wrong, as "Invalid parameter at .." */
} checker;

static void check(checker *c, const place *at, const plan *p, const void *value);

static void put_path(buf *b, const place *at)
{
	if (at->outer) {
		put_path(b, at->outer);
		if (at->outer->element)
			buf_put(b, S(".member"));
		buf_c(b, '.');
	}
	if (at->element && !str_is(at->name)) {
		buf_i64(b, (int64_t)at->index);
		return;
	}
	if (at->lower && at->name.n && at->name.p[0] >= 'A' && at->name.p[0] <= 'Z') {
		buf_c(b, (char)(at->name.p[0] + 32));
		buf_put(b, str_sub(at->name, 1, at->name.n));
	} else {
		buf_put(b, at->name);
	}
}

/* A value as Java prints it. */
static void put_value(buf *b, const shape *s, const void *value)
{
	const value_list *l = value;
	if (b->n > SHOWN_MAX || value_absent(s, value) || s->sensitive) {
		buf_put(b, s->sensitive ? S("***Sensitive Data Redacted***")
		           : b->n > SHOWN_MAX ? S("..") : S("null"));
		return;
	}
	switch ((shape_kind)s->kind) {
	case SHAPE_LIST:
		buf_c(b, '[');
		for (size_t i = 0; i < l->n; i++) {
			buf_put(b, i ? S(", ") : S(""));
			put_value(b, s->element, l->v + i * s->element->size);
		}
		buf_c(b, ']');
		return;
	case SHAPE_MAP:
		buf_c(b, '{');
		for (size_t i = 0; i < l->n; i++) {
			const char *entry = l->v + i * s->entry_size;
			buf_put(b, i ? S(", ") : S(""));
			buf_put(b, *(const str *)(const void *)entry);
			buf_c(b, '=');
			put_value(b, s->element, entry + s->value_offset);
		}
		buf_c(b, '}');
		return;
	case SHAPE_STRUCT: {
		bool some = false;
		buf_fmt(b, "%s(", s->name);
		for (unsigned i = 0; i < s->n_members; i++) {
			const void *v = member_value(&s->members[i], value);
			if (!v)
				continue;
			buf_put(b, some ? S(", ") : S(""));
			some = true;
			put_path(b, &(place){ .name = str_c(s->members[i].name), .lower = true });
			buf_c(b, '=');
			put_value(b, s->members[i].shape, v);
		}
		buf_c(b, ')');
		return;
	}
	case SHAPE_BLOB: {
		size_t n = ((const str *)value)->n;
		buf_fmt(b, "java.nio.HeapByteBuffer[pos=0 lim=%zu cap=%zu]", n, n);
		return;
	}
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE: {
		size_t before = b->n;
		text_write(b, s, TIME_ISO, value);
		str number = str_sub(buf_str(b), before, b->n);
		if (str_find_char(number, '.') == SIZE_MAX && str_find_char(number, 'e') == SIZE_MAX)
			buf_put(b, S(".0"));
		return;
	}
	default:
		text_write(b, s, TIME_ISO, value);
	}
}

static buf *complain_of_parameter(checker *c, const place *at)
{
	if (c->n++ == 0)
		c->out = buf_in(c->mem, 256, 64 << 10);
	else
		c->unsaid = buf_in(c->mem, 256, 64 << 10);
	buf *b = c->n == 1 ? &c->out : &c->unsaid;
	buf_put(b, S("Invalid parameter at '"));
	put_path(b, at);
	buf_put(b, S("' failed to satisfy constraint: '"));
	return b;
}

/* "Value 'x' at 'y' failed to satisfy constraint: ", after which the caller writes which. */
static buf *complain(checker *c, const place *at, const shape *s, const void *value)
{
	buf *b = &c->out;
	if (c->parameters)
		return complain_of_parameter(c, at);
	if (c->n == 0)
		*b = buf_in(c->mem, 256, 64 << 10);
	else
		buf_put(b, S("; "));
	c->n++;
	buf_put(b, S("Value "));
	if (!value && !s->sensitive) {
		buf_put(b, S("null "));
	} else if (!s->sensitive) {
		buf shown = buf_in(c->mem, 64, 8192);
		put_value(&shown, s, value);
		buf_c(b, '\'');
		buf_put(b, buf_str(&shown));
		buf_put(b, S("' "));
	}
	buf_put(b, S("at '"));
	put_path(b, at);
	buf_put(b, S("' failed to satisfy constraint: "));
	return b;
}

static void *compile(arena *a, const void *key)
{
	return pattern_compile(a, str_c(key));
}

/* A pattern that cannot be compiled is taken as satisfied. */
static bool fits_pattern(checker *c, const shape *s, str text)
{
	static memo patterns = MEMO_INIT;
	const pattern *p = s->pattern ? memo_get(&patterns, s->pattern, compile) : NULL;
	return !p || pattern_matches(p, c->mem, text);
}

static bool is_text(const shape *s)
{
	return s->kind == SHAPE_STRING || s->kind == SHAPE_ENUM || s->kind == SHAPE_BLOB;
}

/* Characters of text, bytes of a blob, elements of the rest. Characters are counted only where the bytes
 * do not decide already. */
static int64_t length_of(const shape *s, const void *value)
{
	if (!is_text(s))
		return (int64_t)((const value_list *)value)->n;
	str text = *(const str *)value;
	int64_t n = (int64_t)text.n;
	bool decided = s->kind == SHAPE_BLOB ||
	               ((!s->has_max || n <= s->max) && (!s->has_min || n >= s->min * 4));
	return decided ? n : (int64_t)utf8_length(text);
}

typedef struct verdict {
	bool pattern, low, high, value; /* violated */
} verdict;

static verdict judge(checker *c, const shape *s, const void *value)
{
	verdict v = { 0 };
	double d;
	switch ((shape_kind)s->kind) {
	case SHAPE_STRING:
		if (s->or_arn && str_starts(*(const str *)value, S("arn:")))
			return v;
		v.pattern = !fits_pattern(c, s, *(const str *)value);
		break;
	case SHAPE_ENUM:
		v.value = !shape_has_value(s, *(const str *)value);
		return v;
	case SHAPE_INTEGER:
	case SHAPE_LONG:
		v.low = s->has_min && ((const opt_i64 *)value)->v < s->min;
		v.high = s->has_max && ((const opt_i64 *)value)->v > s->max;
		return v;
	case SHAPE_FLOAT:
	case SHAPE_DOUBLE:
		d = ((const opt_f64 *)value)->v;
		v.low = s->has_min && d < (double)s->min;
		v.high = s->has_max && d > (double)s->max;
		return v;
	case SHAPE_BLOB:
	case SHAPE_LIST:
	case SHAPE_MAP:
		break;
	default:
		return v;
	}
	if (s->has_min || s->has_max) {
		int64_t n = length_of(s, value);
		v.low = s->has_min && n < s->min;
		v.high = s->has_max && n > s->max;
	}
	return v;
}

/* Strings of which only a length is demanded, and whose bytes show that they have it. */
static inline bool plainly_fine(const shape *s, const void *value)
{
	int64_t n = (int64_t)((const str *)value)->n;
	return s->kind == SHAPE_STRING && !s->pattern && (!s->has_max || n <= s->max) &&
	       (!s->has_min || n >= s->min * 4);
}

static bool violated(verdict v)
{
	return v.pattern || v.low || v.high || v.value;
}

static void put_enum(buf *b, const shape *s)
{
	buf_put(b, S("Member must satisfy enum value set: ["));
	for (unsigned i = 0; i < s->n_values; i++) {
		buf_put(b, i ? S(", ") : S(""));
		buf_put(b, str_c(s->shown ? s->shown[i] : s->values[i]));
	}
	buf_c(b, ']');
}

static const char *measure(const shape *s)
{
	return is_text(s) || s->kind == SHAPE_LIST || s->kind == SHAPE_MAP ? "length" : "value";
}

static const char *fraction(const shape *s)
{
	return s->kind == SHAPE_FLOAT || s->kind == SHAPE_DOUBLE ? ".0" : "";
}

static void put_low(buf *b, const shape *s)
{
	buf_fmt(b, "Member must have %s greater than or equal to %lld%s", measure(s), (long long)s->min,
	        fraction(s));
}

static void put_high(buf *b, const shape *s)
{
	buf_fmt(b, "Member must have %s less than or equal to %lld%s", measure(s), (long long)s->max,
	        fraction(s));
}

static void put_pattern(buf *b, const shape *s)
{
	buf_put(b, S("Member must satisfy regular expression pattern: "));
	buf_put(b, str_c(s->pattern));
}

/* Services that check a pattern themselves do so after the framework has found nothing. */
static void own_sentence(checker *c, const place *at, const shape *s)
{
	if (str_is(c->own))
		return;
	buf path = buf_in(c->mem, 64, 8192);
	put_path(&path, at);
	c->own = arena_fmt(c->mem, "The specified value for %.*s is invalid. %s", STR_ARG(buf_str(&path)),
	                   s->says);
}

/* "Member must have ..": a service that words the pattern itself leaves the member out there too. */
static void put_bound(buf *b, const checker *c, const shape *s, void (*put)(buf *b, const shape *s))
{
	buf whole = buf_in(c->mem, 128, 1024);
	put(&whole, s);
	str text = buf_str(&whole);
	buf_put(b, c->parameters && s->says ? str_sub(text, sizeof "Member " - 1, text.n) : text);
}

static void report(checker *c, const place *at, const shape *s, const void *value, verdict v)
{
	if (v.value)
		put_enum(complain(c, at, s, value), s);
	if (v.pattern && s->says && c->parameters)
		buf_put(complain(c, at, s, value), str_c(s->says));
	else if (v.pattern && s->says)
		own_sentence(c, at, s);
	else if (v.pattern)
		put_pattern(complain(c, at, s, value), s);
	if (v.low)
		put_bound(complain(c, at, s, value), c, s, put_low);
	if (v.high)
		put_bound(complain(c, at, s, value), c, s, put_high);
}

/* For elements that are plain values AWS names the list, and all that is demanded of an element. */
static void report_elements(checker *c, const place *at, const shape *list, const void *value,
                            const char *who, const shape *s)
{
	buf *b = complain(c, at, list, value);
	bool some = false;
	buf_put(b, str_c(who));
	buf_put(b, S(" must satisfy constraint: ["));
	if (s->has_max) {
		put_high(b, s);
		some = true;
	}
	if (s->has_min) {
		buf_put(b, some ? S(", ") : S(""));
		put_low(b, s);
		some = true;
	}
	if (s->pattern) {
		buf_put(b, some ? S(", ") : S(""));
		put_pattern(b, s);
		some = true;
	}
	if (s->kind == SHAPE_ENUM) {
		buf_put(b, some ? S(", ") : S(""));
		put_enum(b, s);
	}
	buf_c(b, ']');
}

/* Of the value itself; what is inside it comes later. */
static bool demanding(const shape *s)
{
	return s->has_min || s->has_max || s->pattern || s->kind == SHAPE_ENUM || s->is_union;
}

typedef struct plans {
	arena *mem;
	map known;  /* the shape's address -> plan */
	plan *made; /* those whose `demands` is not settled */
} plans;

static plan *plan_made(plans *all, const shape *s)
{
	const shape *address = s;
	str key = str_of((const char *)&address, sizeof address);
	plan *p = map_get(&all->known, key);
	if (p)
		return p;
	p = arena_new(all->mem, plan);
	*p = (plan){ .shape = s, .demands = demanding(s), .next = all->made };
	all->made = p;
	map_put(&all->known, arena_str(all->mem, key), p);
	if (s->kind == SHAPE_LIST || s->kind == SHAPE_MAP)
		p->element = plan_made(all, s->element);
	if (s->kind == SHAPE_MAP)
		p->key = plan_made(all, s->key);
	if (s->kind != SHAPE_STRUCT)
		return p;
	p->members = arena_array(all->mem, struct plan_member, s->n_members + 1u);
	for (unsigned i = 0; i < s->n_members; i++) {
		const shape_member *m = &s->members[i];
		p->members[p->n++] = (struct plan_member){ m, plan_made(all, m->shape) };
		p->demands |= m->required;
	}
	return p;
}

static bool inherits(const plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->members[i].plan->demands)
			return true;
	return (p->element && p->element->demands) || (p->key && p->key->demands);
}

/* Under the memo's lock: one at a time. */
static void *make_plan(arena *a, const void *shape_)
{
	static plans all;
	if (!all.mem)
		all = (plans){ .mem = a, .known = map_in(a, 1024) };
	all.made = NULL;
	plan *root = plan_made(&all, shape_);
	for (bool changed = true; changed;) {
		changed = false;
		for (plan *p = all.made; p; p = p->next)
			if (!p->demands && inherits(p))
				p->demands = changed = true;
	}
	for (plan *p = all.made; p; p = p->next) {
		unsigned kept = 0;
		for (unsigned i = 0; i < p->n; i++) {
			struct plan_member m = p->members[i];
			/* All members of a union count. */
			if (m.member->required || m.plan->demands || p->shape->is_union)
				p->members[kept++] = m;
		}
		p->n = kept;
	}
	return root;
}

static const plan *plan_of(const shape *s)
{
	static memo made = MEMO_INIT;
	return memo_get(&made, s, make_plan);
}

static bool is_plain(const shape *s)
{
	return s->kind != SHAPE_STRUCT && s->kind != SHAPE_LIST && s->kind != SHAPE_MAP;
}

static void check_list(checker *c, const place *at, const plan *p, const value_list *l)
{
	const shape *s = p->shape, *element = s->element;
	if (!p->element->demands)
		return;
	for (size_t i = 0; i < l->n && c->n < ERRORS_MAX; i++) {
		const char *v = l->v + i * element->size;
		if (value_absent(element, v))
			continue;
		if (!is_plain(element)) {
			check(c, &(place){ .outer = at, .index = i + 1, .element = true }, p->element, v);
		} else if (violated(judge(c, element, v))) {
			report_elements(c, at, s, l, "Member", element);
			return;
		}
	}
}

static void check_map(checker *c, const place *at, const plan *p, const value_list *l)
{
	const shape *s = p->shape, *element = s->element;
	bool keys = false, values = false;
	for (size_t i = 0; i < l->n && c->n < ERRORS_MAX; i++) {
		const char *entry = l->v + i * s->entry_size, *v = entry + s->value_offset;
		if (!keys && p->key->demands && !plainly_fine(s->key, entry) &&
		    violated(judge(c, s->key, entry))) {
			report_elements(c, at, s, l, "Map keys", s->key);
			keys = true;
		}
		if (!p->element->demands || value_absent(element, v))
			continue;
		/* A list's own length is told of the map, what is in the list in its own place. */
		bool own = element->kind != SHAPE_STRUCT && violated(judge(c, element, v));
		if (own && !values)
			report_elements(c, at, s, l, "Map value", element);
		values |= own;
		if (!is_plain(element) && !own) {
			str key = *(const str *)(const void *)entry;
			check(c, &(place){ .outer = at, .name = key, .element = true }, p->element, v);
		}
	}
}

static void check_struct(checker *c, const place *at, const plan *p, const void *value)
{
	unsigned present = 0;
	for (unsigned i = 0; i < p->n && c->n < ERRORS_MAX; i++) {
		const shape_member *m = p->members[i].member;
		const void *v = member_value(m, value);
		present += v != NULL;
		if (v ? !p->members[i].plan->demands : !m->required)
			continue;
		place here = { .outer = at, .name = str_c(m->name), .lower = true };
		if (v)
			check(c, &here, p->members[i].plan, v);
		else
			buf_put(complain(c, &here, m->shape, NULL), S("Member must not be null"));
	}
	if (p->shape->is_union && present != 1 && at && c->n < ERRORS_MAX)
		buf_put(complain(c, at, p->shape, value), S("Member must have exactly one member set"));
}

static void check(checker *c, const place *at, const plan *p, const void *value)
{
	const shape *s = p->shape;
	if (!p->demands || c->n >= ERRORS_MAX || (s->kind == SHAPE_STRING && plainly_fine(s, value)))
		return;
	verdict v = judge(c, s, value);
	if (violated(v))
		report(c, at, s, value, v);
	if (s->kind == SHAPE_LIST)
		check_list(c, at, p, value);
	else if (s->kind == SHAPE_MAP)
		check_map(c, at, p, value);
	else if (s->kind == SHAPE_STRUCT)
		check_struct(c, at, p, value);
}

str validate(arena *a, const shape *s, const void *value)
{
	checker c = { .mem = a, .own = STR_NONE };
	check(&c, NULL, plan_of(s), value);
	if (!c.n)
		return c.own;
	return arena_fmt(a, "%d validation error%s detected: %.*s", c.n, c.n == 1 ? "" : "s",
	                 STR_ARG(buf_str(&c.out)));
}

str validate_parameters(arena *a, const shape *s, const void *value)
{
	checker c = { .mem = a, .own = STR_NONE, .parameters = true };
	check(&c, NULL, plan_of(s), value);
	if (!c.n)
		return STR_NONE;
	buf_c(&c.out, '\'');
	return buf_str(&c.out);
}
