#include "execute.h"
#include "sys/clock.h"

static json_value *null_value(execution *e)
{
	return json_new(e->mem, JSON_NULL, STR_NONE);
}

void execution_open(execution *e, arena *mem, store *s, req *rq, appsync_api *api, const gql_schema *schema)
{
	*e = (execution){ .mem = mem, .s = s, .rq = rq, .api = api, .schema = schema,
		.errors = json_new(mem, JSON_ARRAY, STR_NONE), .resolvers = map_in(mem, 32),
		.until_us = clock_mono_us() + EXECUTE_US };
}

static json_value *member(execution *e, json_value *object, json_value **last, const char *key, json_value *v)
{
	v->key = str_c(key);
	json_append(object, last, v);
	return v;
}

static json_value *parsed_or_null(execution *e, str text)
{
	json_value *v = str_is(text) ? json_parse(e->mem, text) : NULL;
	return v ? v : null_value(e);
}

static json_value *number(execution *e, int64_t n)
{
	return json_new(e->mem, JSON_NUMBER, arena_fmt(e->mem, "%lld", (long long)n));
}

static json_value *path_value(execution *e, const gql_path *path)
{
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *before = NULL;
	for (const gql_path *p = path; p; p = p->up) {
		json_value *v = str_is(p->name) ? json_new(e->mem, JSON_STRING, p->name)
		                                : number(e, (int64_t)p->index);
		v->next = before;
		before = v;
		list->n++;
	}
	list->first = before;
	return list;
}

void execution_error(execution *e, const gql_path *path, gql_at at, str type, str message, str data, str info)
{
	json_value *o = json_new(e->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	if (e->errors->n >= ERRORS_MAX)
		return;
	member(e, o, &last, "path", path ? path_value(e, path) : null_value(e));
	if (str_is(type)) {
		member(e, o, &last, "data", parsed_or_null(e, data));
		member(e, o, &last, "errorType", json_new(e->mem, JSON_STRING, type));
		member(e, o, &last, "errorInfo", parsed_or_null(e, info));
	}
	json_value *places = json_new(e->mem, JSON_ARRAY, STR_NONE), *none = NULL;
	if (at.line) {
		json_value *place = json_new(e->mem, JSON_OBJECT, STR_NONE), *in = NULL;
		member(e, place, &in, "line", number(e, at.line));
		member(e, place, &in, "column", number(e, at.column));
		member(e, place, &in, "sourceName", null_value(e));
		json_append(places, &none, place);
	}
	member(e, o, &last, "locations", at.line ? places : null_value(e));
	member(e, o, &last, "message", json_new(e->mem, JSON_STRING, message));
	json_append(e->errors, &e->last_error, o);
}

static void told(void *context, gql_at at, str message)
{
	execution_error(context, NULL, at, STR_NONE, message, STR_NONE, STR_NONE);
}

bool execution_prepare(execution *e, str query, str name, const json_value *variables)
{
	gql_problem p;
	e->document = gql_parse(e->mem, query, &p);
	if (!e->document) {
		execution_error(e, NULL, p.at, STR_NONE, arena_concat(e->mem, S("Unable to parse GraphQL query: "),
		                                                      p.message), STR_NONE, STR_NONE);
		return false;
	}
	for (gql_definition *d = e->document->operations; d; d = d->next)
		if (name.n ? str_eq(d->name, name) : e->document->n_operations == 1)
			e->operation = d;
	if (!e->operation) {
		execution_error(e, NULL, (gql_at){ 0 }, STR_NONE, name.n
		                ? arena_fmt(e->mem, "Unknown operation named '%.*s'.", STR_ARG(name))
		                : S("Must provide operation name if query contains multiple operations."), STR_NONE,
		                STR_NONE);
		return false;
	}
	if (!gql_validate(e->mem, e->schema, e->document, e->operation, (gql_tell){ e, told }))
		return false;
	e->variables = gql_variables(e->mem, e->schema, e->operation, variables, &p);
	if (!e->variables)
		execution_error(e, NULL, p.at, STR_NONE, p.message, STR_NONE, STR_NONE);
	return e->variables != NULL;
}

static bool same_value(const gql_value *a, const gql_value *b)
{
	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || !str_eq(a->text, b->text))
		return false;
	const gql_value *x = a->first, *y = b->first;
	for (; x && y && str_eq(x->key, y->key) && same_value(x, y); y = y->next)
		x = x->next;
	return !x && !y;
}

static bool same_arguments(const gql_value *a, const gql_value *b)
{
	size_t n = 0, m = 0;
	for (const gql_value *v = b; v; v = v->next)
		m++;
	for (; a; a = a->next, n++)
		if (!same_value(a, gql_argument_of(b, a->key)))
			return false;
	return n == m;
}

typedef struct collecting {
	execution *e;
	const gql_named *object;
	map by_alias;
	gql_group *first, *last;
} collecting;

static void collect(collecting *c, const gql_selection *list);

static void collect_field(collecting *c, const gql_selection *s)
{
	execution *e = c->e;
	gql_group *g = map_get(&c->by_alias, s->alias);
	if (g && (!str_eq(g->first->name, s->name) || !same_arguments(g->first->arguments, s->arguments))) {
		execution_error(e, NULL, s->at, STR_NONE, arena_fmt(e->mem, "Validation error of type "
				"FieldsConflict: "
		                "%.*s: they have differing names or arguments", STR_ARG(s->alias)), STR_NONE,
				STR_NONE);
		return;
	}
	if (!g) {
		g = arena_new(e->mem, gql_group);
		g->alias = s->alias;
		g->first = s;
		map_put(&c->by_alias, s->alias, g);
		*(c->last ? &c->last->next : &c->first) = g;
		c->last = g;
	}
	if (s->first) {
		gql_sets *more = arena_new(e->mem, gql_sets), **tail = &g->sets;
		while (*tail)
			tail = &(*tail)->next;
		more->list = s->first;
		*tail = more;
	}
}

static void collect(collecting *c, const gql_selection *list)
{
	execution *e = c->e;
	for (const gql_selection *s = list; s; s = s->next) {
		if (++e->fields > GQL_FIELDS_MAX)
			e->stopped = true;
		if (e->stopped)
			return;
		if (!gql_included(s->directives, e->variables))
			continue;
		if (s->kind == GQL_FIELD) {
			collect_field(c, s);
		} else if (s->kind == GQL_INLINE) {
			if (!str_is(s->on) || gql_is_a(e->schema, c->object, s->on))
				collect(c, s->first);
		} else {
			gql_definition *f = gql_fragment_of(e->document, s->name);
			/* Once in each walk, however often it is named. */
			if (!f || f->state == e->stamp)
				continue;
			f->state = e->stamp;
			if (gql_is_a(e->schema, c->object, f->on))
				collect(c, f->first);
		}
	}
}

gql_group *execution_collect(execution *e, const gql_named *object, const gql_sets *sets)
{
	collecting c = { .e = e, .object = object, .by_alias = map_in(e->mem, 8) };
	e->stamp = e->stamp < 16 ? 16 : e->stamp + 1; /* what validation left is below */
	for (; sets; sets = sets->next)
		collect(&c, sets->list);
	return c.first;
}

static bool complete(execution *e, const gql_visit *v, const gql_type *t, const gql_sets *sets,
                     const gql_path *path, const json_value *value, json_value **out);

/* false: something that may not be null is. */
static bool object(execution *e, const gql_named *type, const gql_sets *sets, const gql_path *path,
                   const json_value *source, json_value **out);

/* What could not go on is told once. */
static bool enough(execution *e)
{
	const char *why = e->fields > GQL_FIELDS_MAX ? "The request selects too many fields."
		: arena_used(e->mem) > EXECUTE_BYTES ? "The response is too large."
		: e->depth > EXECUTE_DEPTH ? "The response is nested too deeply."
		: clock_mono_us() > e->until_us ? "Execution timed out." : NULL;
	if (!why)
		return e->stopped;
	if (e->until_us) {
		e->until_us = 0;
		execution_error(e, NULL, (gql_at){ 0 }, S("ExecutionTimeout"), str_c(why), STR_NONE, STR_NONE);
	}
	return e->stopped = true;
}

static void null_error(execution *e, const gql_type *t, const gql_path *path, str parent)
{
	str type = gql_type_text(e->mem, t);
	buf b = buf_in(e->mem, 64, 4096);
	json_value *p = path_value(e, path);
	for (const json_value *m = p->first; m; m = m->next)
		buf_fmt(&b, "/%.*s", STR_ARG(m->text));
	if (type.n)
		type.n--;
	execution_error(e, path, (gql_at){ 0 }, STR_NONE, arena_fmt(e->mem, "Cannot return null for non-nullable "
	                "type: '%.*s' within parent '%.*s' (%.*s)", STR_ARG(type), STR_ARG(parent),
	                STR_ARG(buf_str(&b))), STR_NONE, STR_NONE);
}

json_value *execution_arguments(execution *e, const gql_field *f, const gql_selection *s,
		const gql_path *path)
{
	gql_problem p;
	json_value *a = gql_arguments(e->mem, e->schema, f->arguments, s->arguments, e->variables, &p);
	if (!a)
		execution_error(e, path, s->at, STR_NONE, p.message, STR_NONE, STR_NONE);
	return a;
}

static const json_value *value_of(execution *e, const gql_visit *v)
{
	if (str_starts(v->type->name, S("__")) || str_starts(v->selection->name, S("__")))
		return introspection_value(e, v);
	if (!e->plain && resolver_found(e, v))
		return resolver_value(e, v);
	return json_get(v->source, v->selection->name);
}

static gql_field *definition_of(execution *e, const gql_named *type, str name)
{
	static gql_type text = { .name = S("String"), .required = true }, schema = { .name = S("__Schema") },
		type_ = { .name = S("__Type") };
	static gql_input one = { .name = S("name"), .type = &text };
	static gql_field name_ = { .name = S("__typename"), .type = &text },
		schema_ = { .name = S("__schema"), .type = &schema },
		types_ = { .name = S("__type"), .type = &type_, .arguments = &one };
	if (str_eq(name, S("__typename")))
		return &name_;
	if (str_eq(name, S("__schema")))
		return &schema_;
	return str_eq(name, S("__type")) ? &types_ : gql_field_of(type, name);
}

static bool one_field(execution *e, const gql_named *type, const gql_group *g, const gql_path *up,
                      const json_value *source, json_value **out)
{
	gql_path here = { .name = g->alias, .up = up };
	gql_visit v = { type, definition_of(e, type, g->first->name), g->first, &here, source, NULL };
	const json_value *value = NULL;
	if (!v.field)
		return false;
	if (!enough(e) && field_allowed(e, &v) &&
	    (v.arguments = execution_arguments(e, v.field, g->first, &here)))
		value = value_of(e, &v);
	/* The path outlives this call when it is part of an error: errors copy it. */
	return complete(e, &v, v.field->type, g->sets, &here, value, out);
}

static bool object(execution *e, const gql_named *type, const gql_sets *sets, const gql_path *path,
                   const json_value *source, json_value **out)
{
	json_value *o = json_new(e->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	bool whole = true;
	e->depth++;
	for (gql_group *g = execution_collect(e, type, sets); g; g = g->next) {
		json_value *child;
		whole = one_field(e, type, g, path, source, &child) && whole;
		if (!whole)
			continue;
		child->key = g->alias;
		json_append(o, &last, child);
	}
	e->depth--;
	*out = o;
	return whole;
}

static bool list(execution *e, const gql_visit *v, const gql_type *t, const gql_sets *sets,
                 const gql_path *path, const json_value *value, json_value **out)
{
	json_value *o = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	size_t i = 0;
	for (const json_value *m = value->first; m; m = m->next) {
		gql_path here = { .name = STR_NONE, .index = i++, .up = path };
		json_value *child;
		if (enough(e) || !complete(e, v, t->of, sets, &here, m, &child))
			return false;
		json_append(o, &last, child);
	}
	*out = o;
	return true;
}

/* The object's own type, where the field's is only what it has in common with others. */
static const gql_named *actual(execution *e, const gql_named *t, const json_value *value)
{
	const json_value *name = json_get(value, S("__typename"));
	if (t->sort == GQL_OBJECT_TYPE)
		return t;
	const gql_named *n = name && name->kind == JSON_STRING ? gql_named_of(e->schema, name->text) : NULL;
	return n && n->sort == GQL_OBJECT_TYPE && gql_is_a(e->schema, n, t->name) ? n : NULL;
}

static bool unfit(execution *e, const gql_path *path, const gql_type *t, const json_value *value)
{
	str type = gql_type_text(e->mem, t);
	static const char *const kinds[] = { "", "", "Null", "Boolean", "Boolean", "Number", "String", "Map", "",
		"Array", "" };
	execution_error(e, path, (gql_at){ 0 }, STR_NONE, arena_fmt(e->mem,
			"Can't serialize value: expected type "
	                "'%.*s' but was '%s'.", STR_ARG(type), kinds[value->kind]), STR_NONE, STR_NONE);
	return false;
}

static bool present(execution *e, const gql_visit *v, const gql_type *t, const gql_sets *sets,
                    const gql_path *path, const json_value *value, json_value **out)
{
	if (t->of)
		return value->kind == JSON_ARRAY ? list(e, v, t, sets, path, value, out) : unfit(e, path, t, value);
	const gql_named *n = gql_named_of(e->schema, t->name);
	if (!n)
		return unfit(e, path, t, value);
	if (!gql_is_composite(n)) {
		*out = gql_leaf(e->mem, n, value);
		return *out || unfit(e, path, t, value);
	}
	const gql_named *own = value->kind == JSON_OBJECT ? actual(e, n, value) : NULL;
	if (value->kind == JSON_OBJECT && !own)
		execution_error(e, path, (gql_at){ 0 }, STR_NONE, arena_fmt(e->mem,
				"Abstract type '%.*s' must resolve "
		                "to an Object type at runtime (__typename).", STR_ARG(t->name)), STR_NONE, STR_NONE);
	return own ? object(e, own, sets, path, value, out)
		: value->kind == JSON_OBJECT ? false : unfit(e, path, t, value);
}

static bool complete(execution *e, const gql_visit *v, const gql_type *t, const gql_sets *sets,
                     const gql_path *path, const json_value *value, json_value **out)
{
	size_t before = e->errors->n;
	*out = NULL;
	if (value && value->kind != JSON_NULL && present(e, v, t, sets, path, value, out))
		return true;
	if (t->required) {
		/* A field that has failed is not reported twice. */
		if (e->errors->n == before && !e->stopped)
			null_error(e, t, path, v->type->name);
		return false;
	}
	*out = null_value(e);
	return true;
}

json_value *execution_run(execution *e)
{
	const gql_named *root = gql_named_of(e->schema, gql_root(e->schema, e->operation->kind));
	gql_sets all = { e->operation->first, NULL };
	json_value *out;
	return object(e, root, &all, NULL, e->root, &out) ? out : NULL;
}

json_value *execution_renamed(execution *e, const gql_named *type, const gql_sets *sets, const json_value *v)
{
	if (v->kind == JSON_ARRAY) {
		json_value *o = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
		for (const json_value *m = v->first; m; m = m->next)
			json_append(o, &last, execution_renamed(e, type, sets, m));
		return o;
	}
	if (v->kind != JSON_OBJECT || !type)
		return json_copy(e->mem, v);
	json_value *o = json_new(e->mem, JSON_OBJECT, STR_NONE), *last = NULL;
	for (gql_group *g = execution_collect(e, type, sets); g; g = g->next) {
		const json_value *m = json_get(v, g->alias);
		gql_field *f = gql_field_of(type, g->first->name);
		if (!m || json_get(o, g->first->name))
			continue;
		json_value *child = execution_renamed(e, f ? gql_named_of(e->schema, gql_base(f->type)) : NULL,
				g->sets,
		                                      m);
		child->key = g->first->name;
		json_append(o, &last, child);
	}
	return o;
}

str execution_answer(execution *e, const json_value *data)
{
	buf b = buf_in(e->mem, 1024, ANSWER_MAX);
	buf_put(&b, S("{\"data\":"));
	if (data)
		json_write(&b, data);
	else
		buf_put(&b, S("null"));
	if (e->errors->n) {
		buf_put(&b, S(",\"errors\":"));
		json_write(&b, e->errors);
	}
	buf_c(&b, '}');
	return b.full ? S("{\"data\":null,\"errors\":[{\"path\":null,\"locations\":null,\"message\":"
	                  "\"The response is larger than 5 MB.\"}]}") : buf_str(&b);
}
