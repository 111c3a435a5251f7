/*
 * The schema about itself. What stands behind an object of introspection is a `facet`; it travels as an
 * object whose text points at it, which is looked at only in types with two underscores: an API
 * can have none.
 */
#include "execute.h"

typedef struct facet {
	const gql_type *type;
	const gql_named *named;
	const gql_field *field;
	const gql_input *input;
	const char *directive;
} facet;

static const char *const kinds[] = { "SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT" };

static json_value *node(execution *e, facet f)
{
	facet *kept = arena_new(e->mem, facet);
	*kept = f;
	return json_new(e->mem, JSON_OBJECT, (str){ (const char *)kept, 0 });
}

static json_value *text(execution *e, str s)
{
	return str_is(s) ? json_new(e->mem, JSON_STRING, s) : NULL;
}

static json_value *truth(execution *e, bool yes)
{
	return json_new(e->mem, yes ? JSON_TRUE : JSON_FALSE, STR_NONE);
}

static json_value *of_type(execution *e, const gql_type *t)
{
	return node(e, (facet){ .type = t, .named = t->required || t->of ? NULL : gql_named_of(e->schema,
			t->name) });
}

static json_value *of_name(execution *e, str name)
{
	gql_named *n = gql_named_of(e->schema, name);
	return n ? node(e, (facet){ .named = n }) : NULL;
}

static bool deprecated(const gql_directive *d, str *why)
{
	const gql_directive *found = gql_directive_of(d, S("deprecated"));
	const gql_value *reason = found ? gql_argument_of(found->arguments, S("reason")) : NULL;
	*why = reason ? reason->text : found ? S("No longer supported") : STR_NONE;
	return found != NULL;
}

static json_value *inputs(execution *e, const gql_input *i)
{
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	for (; i; i = i->next)
		json_append(list, &last, node(e, (facet){ .input = i }));
	return list;
}

static json_value *fields(execution *e, const gql_visit *v, const gql_named *n)
{
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	const json_value *all = json_get(v->arguments, S("includeDeprecated"));
	str why;
	for (const gql_field *f = n->fields; f; f = f->next)
		if ((all && all->kind == JSON_TRUE) || !deprecated(f->directives, &why))
			json_append(list, &last, node(e, (facet){ .field = f }));
	return list;
}

static json_value *names(execution *e, const gql_name *n)
{
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	for (; n; n = n->next)
		json_append(list, &last, of_name(e, n->name));
	return list;
}

static json_value *possible(execution *e, const gql_named *t)
{
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	if (t->sort == GQL_UNION)
		return names(e, t->names);
	for (gql_named *n = e->schema->first; n; n = n->next)
		if (n->sort == GQL_OBJECT_TYPE && gql_is_a(e->schema, n, t->name))
			json_append(list, &last, node(e, (facet){ .named = n }));
	return list;
}

static const json_value *of_wrapped(execution *e, const gql_type *t, str name)
{
	if (str_eq(name, S("kind")))
		return text(e, t->required ? S("NON_NULL") : S("LIST"));
	if (!str_eq(name, S("ofType")))
		return NULL;
	if (!t->required)
		return of_type(e, t->of);
	gql_type *bare = arena_new(e->mem, gql_type);
	*bare = *t;
	bare->required = false;
	return of_type(e, bare);
}

static const json_value *of_named(execution *e, const gql_visit *v, const gql_named *n, str name)
{
	bool has_fields = n->sort == GQL_OBJECT_TYPE || n->sort == GQL_INTERFACE;
	if (str_eq(name, S("kind")))
		return text(e, str_c(kinds[n->sort]));
	if (str_eq(name, S("name")))
		return text(e, n->name);
	if (str_eq(name, S("description")))
		return text(e, n->about);
	if (str_eq(name, S("fields")))
		return has_fields ? fields(e, v, n) : NULL;
	if (str_eq(name, S("interfaces")))
		return has_fields ? names(e, n->names) : NULL;
	if (str_eq(name, S("possibleTypes")))
		return n->sort == GQL_UNION || n->sort == GQL_INTERFACE ? possible(e, n) : NULL;
	if (str_eq(name, S("enumValues")))
		return n->sort == GQL_ENUM_TYPE ? fields(e, v, n) : NULL;
	if (str_eq(name, S("inputFields")))
		return n->sort == GQL_INPUT_TYPE ? inputs(e, n->inputs) : NULL;
	return NULL;
}

static void put_value(buf *b, const gql_value *v)
{
	bool list = v->kind == GQL_LIST, map_ = v->kind == GQL_OBJECT;
	if (v->kind == GQL_STRING)
		json_put_string(b, v->text);
	else if (!list && !map_)
		buf_put(b, v->text);
	if (list || map_)
		buf_c(b, list ? '[' : '{');
	for (const gql_value *m = v->first; m; m = m->next) {
		buf_put(b, m == v->first ? S("") : S(", "));
		if (map_)
			buf_fmt(b, "%.*s: ", STR_ARG(m->key));
		put_value(b, m);
	}
	if (list || map_)
		buf_c(b, list ? ']' : '}');
}

static const json_value *of_input(execution *e, const gql_input *i, str name)
{
	buf b = buf_in(e->mem, 32, 65536);
	str why;
	bool old = deprecated(i->directives, &why);
	if (str_eq(name, S("name")))
		return text(e, i->name);
	if (str_eq(name, S("description")))
		return text(e, i->about);
	if (str_eq(name, S("type")))
		return of_type(e, i->type);
	if (str_eq(name, S("isDeprecated")))
		return truth(e, old);
	if (str_eq(name, S("deprecationReason")))
		return text(e, why);
	if (!i->initial)
		return NULL;
	put_value(&b, i->initial);
	return text(e, buf_str(&b));
}

static const json_value *of_field(execution *e, const gql_field *f, str name)
{
	str why;
	bool old = deprecated(f->directives, &why);
	if (str_eq(name, S("name")))
		return text(e, f->name);
	if (str_eq(name, S("description")))
		return text(e, f->about);
	if (str_eq(name, S("args")))
		return inputs(e, f->arguments);
	if (str_eq(name, S("type")))
		return f->type ? of_type(e, f->type) : NULL;
	if (str_eq(name, S("isDeprecated")))
		return truth(e, old);
	return str_eq(name, S("deprecationReason")) ? text(e, why) : NULL;
}

static const json_value *of_directive(execution *e, const char *directive, str name)
{
	static gql_type truth_type = { .name = S("Boolean"), .required = true },
		text_type = { .name = S("String") };
	static gql_input when = { .name = S("if"), .type = &truth_type, .about = S("") },
		reason = { .name = S("reason"), .type = &text_type, .about = S("") };
	bool old = strcmp(directive, "deprecated") == 0;
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	static const str places[] = { S("FIELD"), S("FRAGMENT_SPREAD"), S("INLINE_FRAGMENT"),
		S("FIELD_DEFINITION"), S("ENUM_VALUE") };
	if (str_eq(name, S("name")))
		return text(e, str_c(directive));
	if (str_eq(name, S("args")))
		return inputs(e, old ? &reason : &when);
	if (str_eq(name, S("isRepeatable")))
		return truth(e, false);
	if (!str_eq(name, S("locations")))
		return NULL;
	for (size_t i = old ? 3 : 0; i < (old ? 5u : 3u); i++)
		json_append(list, &last, text(e, places[i]));
	return list;
}

static const json_value *of_schema(execution *e, str name)
{
	static const char *const directives[] = { "include", "skip", "deprecated" };
	json_value *list = json_new(e->mem, JSON_ARRAY, STR_NONE), *last = NULL;
	if (str_eq(name, S("queryType")))
		return of_name(e, e->schema->query);
	if (str_eq(name, S("mutationType")))
		return of_name(e, e->schema->mutation);
	if (str_eq(name, S("subscriptionType")))
		return of_name(e, e->schema->subscription);
	if (str_eq(name, S("types")))
		for (gql_named *n = e->schema->first; n; n = n->next)
			json_append(list, &last, node(e, (facet){ .named = n }));
	else if (str_eq(name, S("directives")))
		for (size_t i = 0; i < 3; i++)
			json_append(list, &last, node(e, (facet){ .directive = directives[i] }));
	else
		return NULL;
	return list;
}

const json_value *introspection_value(execution *e, const gql_visit *v)
{
	str name = v->selection->name;
	if (str_eq(name, S("__typename")))
		return text(e, v->type->name);
	if (str_starts(name, S("__")) &&
	    str_eq(e->api->It->introspectionConfig, appsync_GraphQLApiIntrospectionConfig_DISABLED)) {
		execution_error(e, v->path, v->selection->at, S("Unauthorized"),
		                S("Introspection is disabled for this API."), STR_NONE, STR_NONE);
		return NULL;
	}
	if (str_eq(name, S("__schema")))
		return node(e, (facet){ 0 });
	if (str_eq(name, S("__type"))) {
		const json_value *wanted = json_get(v->arguments, S("name"));
		return wanted ? of_name(e, wanted->text) : NULL;
	}
	const facet *f = v->source ? (const facet *)v->source->text.p : NULL;
	if (!f)
		return NULL;
	if (f->field)
		return of_field(e, f->field, name);
	if (f->input)
		return of_input(e, f->input, name);
	if (f->directive)
		return of_directive(e, f->directive, name);
	if (f->named)
		return of_named(e, v, f->named, name);
	return f->type ? of_wrapped(e, f->type, name) : of_schema(e, name);
}

static const char whole[] =
	"query { __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...T } "
	"directives { name description locations args { ...I } } } } "
	"fragment T on __Type { kind name description fields(includeDeprecated: true) { name description "
	"args { ...I } type { ...R } isDeprecated deprecationReason } inputFields { ...I } interfaces { ...R } "
	"enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } "
	"possibleTypes { ...R } } "
	"fragment I on __InputValue { name description type { ...R } defaultValue } "
	"fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind "
	"name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

str introspection_of(arena *mem, store *s, req *rq, appsync_api *api, const gql_schema *schema)
{
	execution e;
	identity who = { .mode = AUTH_NONE };
	execution_open(&e, mem, s, rq, api, schema);
	e.who = &who;
	if (!execution_prepare(&e, str_c(whole), STR_NONE, NULL))
		return STR_NONE;
	return execution_answer(&e, execution_run(&e));
}
