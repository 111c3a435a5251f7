/* JSON Schema (draft 4) as far as models of bodies use it: no formats, and references to models and
 * definitions. */
#include "base/json.h"
#include "base/text.h"
#include "visit.h"
#include "wire/pattern.h"
#include <stdlib.h>

#define DEPTH_MAX 64
#define STEPS_MAX 1000000 /* references that branch could go on for ever */
#define COMPARED_MAX 20000000 /* values with one another */

typedef struct checking {
	arena *mem;
	const apigateway_ListOfModel *models;
	const json_value **parsed; /* the models that were referred to */
	const json_value *root;
	int depth, steps, compared;
} checking;

static bool holds(checking *c, const json_value *schema, const json_value *v);

static double number(const json_value *v)
{
	char text[64];
	size_t n = v->text.n < sizeof text ? v->text.n : sizeof text - 1;
	memcpy(text, v->text.p, n);
	text[n] = 0;
	return strtod(text, NULL);
}

/* But for `lost`; so large a number has no fraction. */
static bool whole(double d, double lost)
{
	if (d >= 9e15 || d <= -9e15)
		return true;
	double off = d - (double)(int64_t)(d < 0 ? d - 0.5 : d + 0.5);
	return off <= lost && -off <= lost;
}

static bool is_type(str type, const json_value *v)
{
	switch (v->kind) {
	case JSON_OBJECT: return str_eq(type, S("object"));
	case JSON_ARRAY: return str_eq(type, S("array"));
	case JSON_STRING: return str_eq(type, S("string"));
	case JSON_NULL: return str_eq(type, S("null"));
	case JSON_TRUE:
	case JSON_FALSE: return str_eq(type, S("boolean"));
	case JSON_NUMBER: return str_eq(type, S("number")) || (str_eq(type, S("integer")) && whole(number(v), 0));
	default: return false;
	}
}

static bool same(checking *c, const json_value *a, const json_value *b)
{
	if (c->compared >= COMPARED_MAX)
		return false;
	c->compared++;
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == JSON_NUMBER)
		return number(a) == number(b);
	if (a->kind == JSON_STRING)
		return str_eq(a->text, b->text);
	const json_value *y = b->first;
	for (const json_value *x = a->first; x; x = x->next, y = y ? y->next : NULL) {
		const json_value *other = y;
		if (a->kind == JSON_OBJECT && (!y || !str_eq(x->key, y->key))) {
			c->compared += (int)(b->n < COMPARED_MAX ? b->n : COMPARED_MAX);
			other = c->compared < COMPARED_MAX ? json_get(b, x->key) : NULL;
		}
		if (!other || !same(c, x, other))
			return false;
	}
	return true;
}

/* Two that are the same have the same; the members of an object are in no order. */
static uint64_t hash(const json_value *v)
{
	uint64_t h = (uint64_t)v->kind + 1;
	double d = v->kind == JSON_NUMBER ? number(v) + 0.0 : 0; /* -0 is 0 */
	if (v->kind == JSON_NUMBER)
		return str_hash((str){ (char *)&d, sizeof d });
	if (v->kind == JSON_STRING)
		return str_hash(v->text);
	for (const json_value *m = v->first; m; m = m->next)
		h = v->kind == JSON_ARRAY ? h * 31 + hash(m) : h + str_hash(m->key) * (hash(m) | 1);
	return h;
}

typedef struct hashed {
	uint64_t hash;
	const json_value *v;
} hashed;

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const hashed *)a)->hash, y = ((const hashed *)b)->hash;
	return x < y ? -1 : x > y;
}

/* No two are the same; only those with one hash are compared. */
static bool all_differ(checking *c, const json_value *v)
{
	size_t n = 0;
	arena *own = arena_open(v->n * sizeof(hashed) + 64);
	hashed *all = arena_array(own, hashed, v->n + 1);
	bool differ = true;
	for (const json_value *e = v->first; e; e = e->next)
		all[n++] = (hashed){ hash(e), e };
	qsort(all, n, sizeof *all, by_hash);
	for (size_t i = 0; i < n && differ; i++)
		for (size_t k = i; k-- > 0 && all[k].hash == all[i].hash && differ;)
			differ = !same(c, all[k].v, all[i].v) && c->compared < COMPARED_MAX;
	arena_close(own);
	return differ;
}

static bool type_holds(checking *c, const json_value *schema, const json_value *v)
{
	const json_value *type = json_get(schema, S("type")), *any = json_get(schema, S("enum"));
	bool fits = !type || (type->kind == JSON_STRING && is_type(type->text, v));
	for (const json_value *t = type && type->kind == JSON_ARRAY ? type->first : NULL; t && !fits; t = t->next)
		fits = t->kind == JSON_STRING && is_type(t->text, v);
	if (!fits || !any)
		return fits;
	for (const json_value *e = any->first; e && c->compared < COMPARED_MAX; e = e->next)
		if (same(c, e, v))
			return true;
	return false;
}

/* The bound is not there, or `value` keeps it. */
static bool at_least(const json_value *schema, const char *name, double value)
{
	const json_value *bound = json_get(schema, str_c(name));
	return !bound || bound->kind != JSON_NUMBER || value >= number(bound);
}

static bool at_most(const json_value *schema, const char *name, double value)
{
	const json_value *bound = json_get(schema, str_c(name));
	return !bound || bound->kind != JSON_NUMBER || value <= number(bound);
}

static bool excluded(const json_value *schema, const char *flag, const char *bound, double value)
{
	const json_value *f = json_get(schema, str_c(flag)), *b = json_get(schema, str_c(bound));
	return f && f->kind == JSON_TRUE && b && b->kind == JSON_NUMBER && value == number(b);
}

static bool number_holds(const json_value *schema, double value)
{
	const json_value *step = json_get(schema, S("multipleOf"));
	if (step && step->kind == JSON_NUMBER && number(step) > 0) {
		double times = value / number(step); /* 19.99 is a multiple of 0.01, though not in binary */
		if (!whole(times, 1e-12 * (times < 0 ? 1 - times : 1 + times)))
			return false;
	}
	return at_least(schema, "minimum", value) && at_most(schema, "maximum", value) &&
	       !excluded(schema, "exclusiveMinimum", "minimum", value) &&
	       !excluded(schema, "exclusiveMaximum", "maximum", value);
}

/* Found anywhere in the text, unless it is anchored. */
static bool pattern_holds(checking *c, str expression, str text)
{
	bool from = str_starts(expression, S("^")), to = str_ends(expression, S("$"));
	str inner = str_sub(expression, from, expression.n - (to && expression.n > from));
	arena *own = arena_open(4096); /* a body may have many texts */
	const pattern *p = pattern_compile(own, arena_fmt(own, "%s(%.*s)%s", from ? "" : "[\\s\\S]*",
	                                                  STR_ARG(inner), to ? "" : "[\\s\\S]*"));
	bool matched = p && pattern_matches(p, own, text);
	arena_close(own);
	return matched;
}

static bool string_holds(checking *c, const json_value *schema, str text)
{
	const json_value *p = json_get(schema, S("pattern"));
	double n = (double)utf8_length(text);
	return at_least(schema, "minLength", n) && at_most(schema, "maxLength", n) &&
	       (!p || p->kind != JSON_STRING || pattern_holds(c, p->text, text));
}

static bool array_holds(checking *c, const json_value *schema, const json_value *v)
{
	const json_value *items = json_get(schema, S("items")), *once = json_get(schema, S("uniqueItems"));
	const json_value *of = items && items->kind == JSON_ARRAY ? items->first : items;
	if (!at_least(schema, "minItems", (double)v->n) || !at_most(schema, "maxItems", (double)v->n))
		return false;
	for (const json_value *e = v->first; e; e = e->next) {
		if (of && !holds(c, of, e))
			return false;
		if (items && items->kind == JSON_ARRAY)
			of = of ? of->next : NULL;
	}
	return !once || once->kind != JSON_TRUE || all_differ(c, v);
}

static bool member_holds(checking *c, const json_value *schema, const json_value *m)
{
	const json_value *own = json_get(json_get(schema, S("properties")), m->key);
	const json_value *patterns = json_get(schema, S("patternProperties"));
	const json_value *more = json_get(schema, S("additionalProperties"));
	bool known = own != NULL;
	if (own && !holds(c, own, m))
		return false;
	for (const json_value *p = patterns ? patterns->first : NULL; p; p = p->next)
		if (pattern_holds(c, p->key, m->key)) {
			known = true;
			if (!holds(c, p, m))
				return false;
		}
	if (known || !more)
		return true;
	return more->kind == JSON_OBJECT ? holds(c, more, m) : more->kind != JSON_FALSE;
}

static bool object_holds(checking *c, const json_value *schema, const json_value *v)
{
	const json_value *required = json_get(schema, S("required"));
	if (!at_least(schema, "minProperties", (double)v->n) || !at_most(schema, "maxProperties", (double)v->n))
		return false;
	for (const json_value *r = required && required->kind == JSON_ARRAY ? required->first : NULL; r;
	     r = r->next)
		if (r->kind == JSON_STRING && !json_get(v, r->text))
			return false;
	for (const json_value *m = v->first; m; m = m->next)
		if (!member_holds(c, schema, m))
			return false;
	return true;
}

/* allOf, anyOf, oneOf, not */
static bool combined(checking *c, const json_value *schema, const json_value *v)
{
	static const char *const names[] = { "allOf", "anyOf", "oneOf" };
	for (size_t i = 0; i < 3; i++) {
		const json_value *all = json_get(schema, str_c(names[i]));
		size_t n = 0;
		for (const json_value *s = all ? all->first : NULL; s; s = s->next)
			n += holds(c, s, v);
		if (all && (i == 0 ? n != all->n : i == 1 ? n == 0 : n != 1))
			return false;
	}
	const json_value *not = json_get(schema, S("not"));
	return !not || !holds(c, not, v);
}

/* .../models/NAME or #/definitions/NAME */
static bool referred(checking *c, str to, const json_value *v)
{
	const json_value *root = c->root, *found = NULL;
	size_t at = str_find(to, S("/models/"));
	if (str_eq(to, S("#"))) {
		found = c->root;
	} else if (str_starts(to, S("#/"))) {
		str rest = str_sub(to, 2, to.n);
		for (found = c->root; found && str_is(rest);)
			found = json_get(found, patch_part(c->mem, str_cut(&rest, '/')));
	} else if (at != SIZE_MAX) {
		str name = str_sub(to, at + 8, to.n);
		for (size_t i = 0; i < c->models->n; i++)
			if (str_eq(c->models->v[i].name, name)) {
				if (!c->parsed[i])
					c->parsed[i] = json_parse(c->mem, c->models->v[i].schema);
				c->root = found = c->parsed[i];
			}
	}
	bool good = found && holds(c, found, v);
	c->root = root;
	return good;
}

static bool holds(checking *c, const json_value *schema, const json_value *v)
{
	const json_value *to = json_get(schema, S("$ref"));
	if (schema->kind != JSON_OBJECT)
		return true;
	if (c->depth >= DEPTH_MAX || c->steps++ >= STEPS_MAX)
		return false;
	c->depth++;
	bool good = to && to->kind == JSON_STRING ? referred(c, to->text, v)
		: type_holds(c, schema, v) && combined(c, schema, v) &&
		  (v->kind != JSON_NUMBER || number_holds(schema, number(v))) &&
		  (v->kind != JSON_STRING || string_holds(c, schema, v->text)) &&
		  (v->kind != JSON_ARRAY || array_holds(c, schema, v)) &&
		  (v->kind != JSON_OBJECT || object_holds(c, schema, v));
	c->depth--;
	return good;
}

bool schema_holds(arena *mem, const apigateway_ListOfModel *models, str schema, str body)
{
	const json_value *s = json_parse(mem, schema), *v = json_parse(mem, body);
	checking c = { .mem = mem, .models = models, .root = s };
	c.parsed = arena_array(mem, const json_value *, models->n + 1);
	return s && v && holds(&c, s, v);
}
