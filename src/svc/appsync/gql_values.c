/* Values: of variables, arguments and results, held to their types. */
#include "graphql.h"
#include "base/time.h"

json_value *json_new(arena *mem, json_kind kind, str text)
{
	json_value *v = arena_new(mem, json_value);
	v->kind = kind;
	v->text = text;
	v->key = STR_NONE;
	return v;
}

void json_append(json_value *parent, json_value **last, json_value *child)
{
	*(*last ? &(*last)->next : &parent->first) = child;
	*last = child;
	child->next = NULL;
	parent->n++;
}

json_value *json_copy(arena *mem, const json_value *v)
{
	json_value *copy = json_new(mem, v->kind, v->text), *last = NULL;
	copy->key = v->key;
	for (const json_value *c = v->first; c; c = c->next)
		json_append(copy, &last, json_copy(mem, c));
	return copy;
}

static bool whole(str text, int64_t least, int64_t most)
{
	int64_t n;
	return str_to_i64(text, &n) && n >= least && n <= most;
}

/* A leaf's text as its scalar demands: AWS checks the forms of its own scalars. */
static bool fits(str type, json_kind kind, str text)
{
	int64_t when;
	bool words = kind == JSON_STRING;
	if (str_eq(type, S("Int")))
		return kind == JSON_NUMBER && whole(text, INT32_MIN, INT32_MAX);
	if (str_eq(type, S("AWSTimestamp")))
		return kind == JSON_NUMBER && whole(text, INT64_MIN + 1, INT64_MAX);
	if (str_eq(type, S("Float")))
		return kind == JSON_NUMBER;
	if (str_eq(type, S("Boolean")))
		return kind == JSON_TRUE || kind == JSON_FALSE;
	if (str_eq(type, S("ID")))
		return words || (kind == JSON_NUMBER && whole(text, INT64_MIN, INT64_MAX));
	if (!words)
		return false;
	if (str_eq(type, S("AWSDateTime")))
		return str_find_char(text, 'T') != SIZE_MAX && time_parse(text, &when);
	if (str_eq(type, S("AWSDate")))
		return text.n >= 10 && text.p[4] == '-' && text.p[7] == '-';
	if (str_eq(type, S("AWSTime")))
		return text.n >= 5 && text.p[2] == ':';
	if (str_eq(type, S("AWSEmail"))) {
		size_t at = str_find_char(text, '@');
		return at != SIZE_MAX && at > 0 && at + 1 < text.n && str_find_char(text, ' ') == SIZE_MAX;
	}
	if (str_eq(type, S("AWSURL")))
		return str_find(text, S("://")) != SIZE_MAX;
	if (str_eq(type, S("AWSJSON")))
		return json_valid(text);
	if (str_eq(type, S("AWSIPAddress")))
		return text.n >= 2 && text.n <= 49 && (str_find_char(text, '.') != SIZE_MAX ||
		                                       str_find_char(text, ':') != SIZE_MAX);
	return true;
}

static void wrong(arena *mem, gql_problem *p, str name, const char *what, const gql_type *t)
{
	if (str_is(p->message))
		return;
	str type = gql_type_text(mem, t);
	p->message = arena_fmt(mem, "Variable '%.*s' has %s for type '%.*s'", STR_ARG(name), what, STR_ARG(type));
}

typedef struct coercing {
	arena *mem;
	const gql_schema *s;
	gql_problem *p;
	str name;            /* of the variable or argument */
	const json_value *variables;
	size_t values, steps;
	int depth;
} coercing;

static json_value *coerce(coercing *c, const gql_type *t, const json_value *v);
static json_value *from_literal(coercing *c, const gql_type *t, const gql_value *v);

/* Initial values lead to others, even to themselves, and a variable may stand in many places: what a document
 * means can be much more than what it says. true: it is too much, and that is told. */
static bool spent(coercing *c, size_t values, size_t steps)
{
	c->values += values;
	c->steps += values + steps;
	if (c->values <= GQL_VALUES_MAX && c->steps <= GQL_STEPS_MAX && c->depth <= GQL_VALUE_DEPTH_MAX)
		return false;
	if (!str_is(c->p->message))
		c->p->message = S("The values are too many or nested too deeply.");
	return true;
}

static json_value *nothing(coercing *c)
{
	return json_new(c->mem, JSON_NULL, STR_NONE);
}

static json_value *copied(coercing *c, const json_value *v)
{
	json_value *copy = json_new(c->mem, v->kind, v->text), *last = NULL;
	copy->key = v->key;
	for (const json_value *m = v->first; m && !spent(c, 1, 0); m = m->next)
		json_append(copy, &last, copied(c, m));
	return copy;
}

static json_value *coerce_input(coercing *c, const gql_named *n, const gql_type *t, const json_value *v)
{
	json_value *out = json_new(c->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	if (v->kind != JSON_OBJECT) {
		wrong(c->mem, c->p, c->name, "an invalid value", t);
		return out;
	}
	for (const json_value *m = v->first; m && !str_is(c->p->message); m = m->next)
		if (!gql_input_of(n->inputs, m->key))
			c->p->message = arena_fmt(c->mem, "The variables input contains a field name '%.*s' that is not "
			                          "defined for input object type '%.*s' ", STR_ARG(m->key),
			                          STR_ARG(n->name));
	for (gql_input *i = n->inputs; i && !spent(c, 0, v->n + 1); i = i->next) {
		const json_value *m = json_get(v, i->name);
		json_value *child;
		if (!m && !i->initial && !i->type->required)
			continue;
		if (!m && !i->initial) {
			wrong(c->mem, c->p, i->name, "coerced Null value", i->type);
			continue;
		}
		child = m ? coerce(c, i->type, m) : from_literal(c, i->type, i->initial);
		child->key = i->name;
		json_append(out, &last, child);
	}
	return out;
}

static json_value *coerced(coercing *c, const gql_type *t, const json_value *v)
{
	json_value *out, *last = NULL;
	if (v->kind == JSON_NULL) {
		if (t->required)
			wrong(c->mem, c->p, c->name, "coerced Null value", t);
		return nothing(c);
	}
	if (t->of) {
		out = json_new(c->mem, JSON_ARRAY, STR_NONE);
		if (v->kind != JSON_ARRAY)
			json_append(out, &last, coerce(c, t->of, v));
		else
			for (const json_value *m = v->first; m; m = m->next)
				json_append(out, &last, coerce(c, t->of, m));
		return out;
	}
	const gql_named *n = gql_named_of(c->s, t->name);
	if (n && n->sort == GQL_INPUT_TYPE)
		return coerce_input(c, n, t, v);
	out = copied(c, v);
	bool good = n && (n->sort == GQL_ENUM_TYPE ? v->kind == JSON_STRING && gql_field_of(n, v->text) != NULL
	                  : fits(t->name, v->kind, v->text));
	if (!good)
		wrong(c->mem, c->p, c->name, "an invalid value", t);
	else if (str_eq(t->name, S("ID")))
		out->kind = JSON_STRING;
	return out;
}

static json_value *coerce(coercing *c, const gql_type *t, const json_value *v)
{
	c->depth++;
	json_value *out = spent(c, 1, 0) ? nothing(c) : coerced(c, t, v);
	c->depth--;
	return out;
}

static json_value *literal_object(coercing *c, const gql_named *n, const gql_value *v)
{
	json_value *out = json_new(c->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	size_t given = 1;
	for (const gql_value *m = v->first; m; m = m->next)
		given++;
	for (gql_input *i = n->inputs; i && !spent(c, 0, given); i = i->next) {
		const gql_value *m = gql_argument_of(v->first, i->name);
		if (m && m->kind == GQL_VARIABLE && !json_get(c->variables, m->text))
			m = NULL; /* a variable that was not given is as if it were not written */
		if (!m)
			m = i->initial;
		if (!m && i->type->required)
			wrong(c->mem, c->p, i->name, "coerced Null value", i->type);
		if (!m)
			continue;
		json_value *child = from_literal(c, i->type, m);
		child->key = i->name;
		json_append(out, &last, child);
	}
	return out;
}

static json_value *literal(coercing *c, const gql_type *t, const gql_value *v)
{
	json_value *out, *last = NULL;
	if (v->kind == GQL_VARIABLE) {
		const json_value *given = json_get(c->variables, v->text);
		out = given ? copied(c, given) : nothing(c);
		if (out->kind == JSON_NULL && t->required)
			wrong(c->mem, c->p, v->text, "coerced Null value", t);
		return out;
	}
	if (v->kind == GQL_NULL) {
		if (t->required)
			wrong(c->mem, c->p, c->name, "coerced Null value", t);
		return nothing(c);
	}
	if (t->of) {
		out = json_new(c->mem, JSON_ARRAY, STR_NONE);
		if (v->kind != GQL_LIST)
			json_append(out, &last, from_literal(c, t->of, v));
		else
			for (const gql_value *m = v->first; m; m = m->next)
				json_append(out, &last, from_literal(c, t->of, m));
		return out;
	}
	const gql_named *n = gql_named_of(c->s, t->name);
	if (n && n->sort == GQL_INPUT_TYPE && v->kind == GQL_OBJECT)
		return literal_object(c, n, v);
	json_kind kind = v->kind == GQL_INT || v->kind == GQL_FLOAT ? JSON_NUMBER : v->kind == GQL_BOOLEAN
		? (str_eq(v->text, S("true")) ? JSON_TRUE : JSON_FALSE) : JSON_STRING;
	bool enumerated = n && n->sort == GQL_ENUM_TYPE;
	bool good = n && enumerated == (v->kind == GQL_ENUM) && v->kind != GQL_LIST && v->kind != GQL_OBJECT &&
	            (enumerated ? gql_field_of(n, v->text) != NULL : fits(t->name, kind, v->text));
	if (!good)
		wrong(c->mem, c->p, c->name, "an invalid value", t);
	return json_new(c->mem, str_eq(t->name, S("ID")) ? JSON_STRING : kind, v->text);
}

static json_value *from_literal(coercing *c, const gql_type *t, const gql_value *v)
{
	c->depth++;
	json_value *out = spent(c, 1, 0) ? nothing(c) : literal(c, t, v);
	c->depth--;
	return out;
}

json_value *gql_variables(arena *mem, const gql_schema *s, const gql_definition *op, const json_value *given,
                          gql_problem *p)
{
	json_value *out = json_new(mem, JSON_OBJECT, STR_NONE), *last = NULL;
	coercing c = { .mem = mem, .s = s, .p = p };
	*p = (gql_problem){ STR_NONE, op->at };
	for (gql_variable *v = op->variables; v; v = v->next) {
		const json_value *m = json_get(given, v->name);
		json_value *child;
		c.name = v->name;
		if (!m && !v->initial && !v->type->required)
			continue;
		if (!m && !v->initial) {
			wrong(mem, p, v->name, "coerced Null value", v->type);
		} else {
			child = m ? coerce(&c, v->type, m) : from_literal(&c, v->type, v->initial);
			child->key = v->name;
			json_append(out, &last, child);
		}
		if (str_is(p->message)) {
			p->at = v->at;
			return NULL;
		}
	}
	return out;
}

json_value *gql_arguments(arena *mem, const gql_schema *s, gql_input *wanted, const gql_value *given,
                          const json_value *variables, gql_problem *p)
{
	json_value *out = json_new(mem, JSON_OBJECT, STR_NONE), *last = NULL;
	coercing c = { .mem = mem, .s = s, .p = p, .variables = variables };
	*p = (gql_problem){ STR_NONE, { 1, 1 } };
	for (gql_input *i = wanted; i; i = i->next) {
		const gql_value *v = gql_argument_of(given, i->name);
		if (v && v->kind == GQL_VARIABLE && !json_get(variables, v->text))
			v = NULL;
		if (!v)
			v = i->initial;
		c.name = i->name;
		if (!v && i->type->required)
			wrong(mem, p, i->name, "coerced Null value", i->type);
		if (!v)
			continue;
		json_value *child = from_literal(&c, i->type, v);
		child->key = i->name;
		json_append(out, &last, child);
	}
	return str_is(p->message) ? NULL : out;
}

static bool condition(const gql_directive *d, const json_value *variables)
{
	const gql_value *v = d ? gql_argument_of(d->arguments, S("if")) : NULL;
	if (!v)
		return false;
	if (v->kind != GQL_VARIABLE)
		return str_eq(v->text, S("true"));
	const json_value *given = json_get(variables, v->text);
	return given && given->kind == JSON_TRUE;
}

bool gql_included(const gql_directive *d, const json_value *variables)
{
	const gql_directive *skip = gql_directive_of(d, S("skip")), *include = gql_directive_of(d, S("include"));
	return !(skip && condition(skip, variables)) && (!include || condition(include, variables));
}

json_value *gql_leaf(arena *mem, const gql_named *type, const json_value *v)
{
	json_value *out = json_copy(mem, v);
	str name = type->name;
	out->key = STR_NONE;
	bool scalar = v->kind != JSON_OBJECT && v->kind != JSON_ARRAY;
	bool truth = v->kind == JSON_TRUE || v->kind == JSON_FALSE;
	if (type->sort == GQL_ENUM_TYPE)
		return v->kind == JSON_STRING && gql_field_of(type, v->text) ? out : NULL;
	if (str_eq(name, S("AWSJSON")) && v->kind != JSON_STRING) {
		buf b = buf_in(mem, 256, (size_t)8 << 20);
		json_write(&b, v);
		return json_new(mem, JSON_STRING, buf_str(&b));
	}
	if (!scalar)
		return NULL;
	if (str_eq(name, S("String")) || str_eq(name, S("ID"))) {
		if (truth)
			out->text = v->kind == JSON_TRUE ? S("true") : S("false");
		out->kind = JSON_STRING;
		return out;
	}
	/* Numbers that came as text, and the other way round, become what was asked for. */
	bool number = str_eq(name, S("Int")) || str_eq(name, S("Float")) || str_eq(name, S("AWSTimestamp"));
	if (number && v->kind == JSON_STRING && json_valid(v->text) && v->text.n &&
	    (v->text.p[0] == '-' || (v->text.p[0] >= '0' && v->text.p[0] <= '9')))
		out->kind = JSON_NUMBER;
	double d;
	if (str_eq(name, S("Int")) && out->kind == JSON_NUMBER && !whole(out->text, INT32_MIN, INT32_MAX) &&
	    str_to_f64(out->text, &d) && d >= INT32_MIN && d <= INT32_MAX && d == (double)(int64_t)d)
		out->text = arena_fmt(mem, "%lld", (long long)d);
	return fits(name, out->kind, out->text) ? out : NULL;
}
