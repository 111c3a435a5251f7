/*
 * What a document may ask of a schema. Fragments are walked once each; what they and their users select under
 * one name is compared when it is collected for execution.
 */
#include "graphql.h"
#include "base/text.h"

#define PROBLEMS_MAX 50

typedef struct walk {
	arena *mem;
	const gql_schema *s;
	gql_document *d;
	const gql_definition *op;
	gql_tell tell;
	bool good;
	const struct step *at; /* where it is, for the words of a problem */
	int depth, problems;
} walk;

typedef struct step {
	str name;
	const struct step *up;
} step;

static void put_path(buf *b, const step *s)
{
	if (!s)
		return;
	put_path(b, s->up);
	if (b->n)
		buf_c(b, '/');
	buf_put(b, s->name);
}

static void problem(walk *w, gql_at at, const char *kind, str what)
{
	w->good = false;
	if (++w->problems > PROBLEMS_MAX)
		return;
	buf b = buf_in(w->mem, 64, 4096);
	put_path(&b, w->at);
	w->tell.problem(w->tell.context, at, arena_fmt(w->mem, "Validation error of type %s: %.*s @ '%.*s'", kind,
	                                               STR_ARG(what), STR_ARG(buf_str(&b))));
}

str gql_value_text(arena *mem, const gql_value *v)
{
	static const char *const names[] = { "VariableReference{name=", "IntValue{value=", "FloatValue{value=",
		"StringValue{value='", "BooleanValue{value=", "NullValue{", "EnumValue{name='", "ArrayValue{values=[",
		"ObjectValue{objectFields=[" };
	bool quoted = v->kind == GQL_STRING || v->kind == GQL_ENUM;
	str text = str_sub(v->text, 0, v->text.n < 200 ? v->text.n : 200);
	if (v->kind == GQL_NULL || v->kind == GQL_LIST || v->kind == GQL_OBJECT)
		text = v->kind == GQL_NULL ? S("") : S("..]");
	return arena_fmt(mem, "%s%.*s%s}", names[v->kind], STR_ARG(text), quoted ? "'" : "");
}

static gql_variable *variable_of(const walk *w, str name)
{
	gql_variable *v = w->op->variables;
	while (v && !str_eq(v->name, name))
		v = v->next;
	return v;
}

/* May a variable of this type stand where that one is wanted? */
static bool assignable(const gql_type *have, const gql_type *want, bool filled)
{
	if (want->required && !have->required && !filled)
		return false;
	if (have->of && want->of)
		return assignable(have->of, want->of, false);
	return !have->of && !want->of && str_eq(have->name, want->name);
}

static bool value_fits(walk *w, const gql_type *t, const gql_value *v, bool filled);

static bool leaf_fits(walk *w, const gql_named *n, const gql_value *v)
{
	str name = n->name;
	if (n->sort == GQL_ENUM_TYPE)
		return v->kind == GQL_ENUM && gql_field_of(n, v->text);
	if (v->kind == GQL_LIST || v->kind == GQL_OBJECT || v->kind == GQL_ENUM)
		return false;
	if (str_eq(name, S("Int")) || str_eq(name, S("AWSTimestamp")))
		return v->kind == GQL_INT;
	if (str_eq(name, S("Float")))
		return v->kind == GQL_INT || v->kind == GQL_FLOAT;
	if (str_eq(name, S("Boolean")))
		return v->kind == GQL_BOOLEAN;
	if (str_eq(name, S("ID")))
		return v->kind == GQL_STRING || v->kind == GQL_INT;
	return v->kind == GQL_STRING;
}

static bool object_fits(walk *w, const gql_named *n, const gql_value *v)
{
	if (v->kind != GQL_OBJECT)
		return false;
	for (const gql_value *m = v->first; m; m = m->next) {
		const gql_input *i = gql_input_of(n->inputs, m->key);
		if (!i || !value_fits(w, i->type, m, i->initial != NULL))
			return false;
	}
	for (const gql_input *i = n->inputs; i; i = i->next)
		if (i->type->required && !i->initial && !gql_argument_of(v->first, i->name))
			return false;
	return true;
}

static bool value_fits(walk *w, const gql_type *t, const gql_value *v, bool filled)
{
	if (v->kind == GQL_VARIABLE) {
		gql_variable *known = variable_of(w, v->text);
		if (!known) {
			problem(w, v->at, "UndefinedVariable", arena_concat(w->mem, S("Undefined variable "), v->text));
		} else if (!assignable(known->type, t, filled || known->initial)) {
			str have = gql_type_text(w->mem, known->type), want = gql_type_text(w->mem, t);
			problem(w, v->at, "VariableTypeMismatch",
			        arena_fmt(w->mem, "Variable type '%.*s' doesn't match expected type '%.*s'",
			                  STR_ARG(have), STR_ARG(want)));
		}
		return true;
	}
	if (v->kind == GQL_NULL)
		return !t->required;
	if (t->of) {
		if (v->kind != GQL_LIST)
			return value_fits(w, t->of, v, false);
		for (const gql_value *m = v->first; m; m = m->next)
			if (!value_fits(w, t->of, m, false))
				return false;
		return true;
	}
	const gql_named *n = gql_named_of(w->s, t->name);
	return n && (n->sort == GQL_INPUT_TYPE ? object_fits(w, n, v) : leaf_fits(w, n, v));
}

static void arguments(walk *w, gql_input *wanted, const gql_value *given, gql_at at)
{
	for (const gql_value *v = given; v; v = v->next) {
		gql_input *i = gql_input_of(wanted, v->key);
		if (!i) {
			problem(w, v->at, "UnknownArgument", arena_concat(w->mem, S("Unknown field argument "), v->key));
		} else if (!value_fits(w, i->type, v, i->initial != NULL)) {
			str text = gql_value_text(w->mem, v), type = gql_type_text(w->mem, i->type);
			problem(w, v->at, "WrongType", arena_fmt(w->mem, "argument '%.*s' with value '%.*s' is not a "
					"valid "
			                                         "'%.*s'", STR_ARG(v->key), STR_ARG(text),
					STR_ARG(type)));
		}
	}
	for (gql_input *i = wanted; i; i = i->next)
		if (i->type->required && !i->initial && !gql_argument_of(given, i->name))
			problem(w, at, "MissingFieldArgument",
			        arena_concat(w->mem, S("Missing field argument "), i->name));
}

static void directives(walk *w, const gql_directive *list)
{
	for (const gql_directive *d = list; d; d = d->next) {
		gql_type truth = { .name = S("Boolean"), .required = true };
		gql_input when = { .name = S("if"), .type = &truth };
		if (str_eq(d->name, S("skip")) || str_eq(d->name, S("include")))
			arguments(w, &when, d->arguments, d->at);
		else
			problem(w, d->at, "UnknownDirective", arena_concat(w->mem, S("Unknown directive "), d->name));
	}
}

static void select_from(walk *w, const gql_named *t, const gql_selection *list);

static void field(walk *w, const gql_named *t, const gql_selection *f)
{
	static gql_type name_type = { .name = S("String") }, schema_type = { .name = S("__Schema") },
		type_type = { .name = S("__Type") }, text_type = { .name = S("String"), .required = true };
	static gql_input name_input = { .name = S("name"), .type = &text_type };
	gql_field own = { .type = NULL }, *def = gql_field_of(t, f->name);
	const step *before = w->at, here = { f->name, before };
	bool root = str_eq(t->name, w->s->query);
	if (str_eq(f->name, S("__typename")))
		own.type = &name_type;
	else if (root && str_eq(f->name, S("__schema")))
		own.type = &schema_type;
	else if (root && str_eq(f->name, S("__type")))
		own = (gql_field){ .type = &type_type, .arguments = &name_input };
	if (own.type)
		def = &own;
	w->at = &here;
	if (!def || t->sort == GQL_UNION) {
		if (!own.type) {
			problem(w, f->at, "FieldUndefined", arena_fmt(w->mem, "Field '%.*s' in type '%.*s' is undefined",
			                                              STR_ARG(f->name), STR_ARG(t->name)));
			w->at = before;
			return;
		}
	}
	directives(w, f->directives);
	arguments(w, def->arguments, f->arguments, f->at);
	const gql_named *of = gql_named_of(w->s, gql_base(def->type));
	str type = gql_type_text(w->mem, def->type);
	if (of && gql_is_composite(of) && !f->first)
		problem(w, f->at, "SubSelectionRequired",
		        arena_fmt(w->mem, "Sub selection required for type %.*s of field %.*s", STR_ARG(type),
		                  STR_ARG(f->name)));
	else if (of && !gql_is_composite(of) && f->first)
		problem(w, f->at, "SubSelectionNotAllowed",
		        arena_fmt(w->mem, "Sub selection not allowed on leaf type %.*s of field %.*s", STR_ARG(type),
		                  STR_ARG(f->name)));
	else if (of && f->first)
		select_from(w, of, f->first);
	w->at = before;
}

static void fragment(walk *w, const gql_selection *spread)
{
	gql_definition *f = gql_fragment_of(w->d, spread->name);
	directives(w, spread->directives);
	if (!f) {
		problem(w, spread->at, "UndefinedFragment",
		        arena_concat(w->mem, S("Undefined fragment "), spread->name));
		return;
	}
	if (f->state == 1)
		problem(w, spread->at, "FragmentCycle", S("Fragment cycles not allowed"));
	if (f->state)
		return;
	f->state = 1;
	const gql_named *t = gql_named_of(w->s, f->on);
	if (!t)
		problem(w, f->at, "UnknownType", arena_concat(w->mem, S("Unknown type "), f->on));
	else if (!gql_is_composite(t))
		problem(w, f->at, "InlineFragmentTypeConditionInvalid",
		        S("Fragment type condition is invalid, must be on Object/Interface/Union"));
	else
		select_from(w, t, f->first);
	f->state = 2;
}

/* Fragments chain as deep as there are fragments: the depth of all is limited here. */
static void select_from(walk *w, const gql_named *t, const gql_selection *list)
{
	if (++w->depth > GQL_DEPTH_MAX * 2) {
		problem(w, list->at, "TooDeep", S("The document is nested too deeply"));
		w->depth--;
		return;
	}
	for (const gql_selection *s = list; s; s = s->next) {
		if (s->kind == GQL_FIELD) {
			field(w, t, s);
		} else if (s->kind == GQL_SPREAD) {
			fragment(w, s);
		} else {
			const gql_named *on = str_is(s->on) ? gql_named_of(w->s, s->on) : t;
			directives(w, s->directives);
			if (!on)
				problem(w, s->at, "UnknownType", arena_concat(w->mem, S("Unknown type "), s->on));
			else if (!gql_is_composite(on))
				problem(w, s->at, "InlineFragmentTypeConditionInvalid",
				        S("Inline fragment type condition is invalid, must be on Object/Interface/Union"));
			else
				select_from(w, on, s->first);
		}
	}
	w->depth--;
}

bool gql_validate(arena *mem, const gql_schema *s, gql_document *d, const gql_definition *op, gql_tell tell)
{
	walk w = { mem, s, d, op, tell, true, NULL, 0, 0 };
	const gql_named *root = gql_named_of(s, gql_root(s, op->kind));
	if (!root) {
		problem(&w, op->at, "UnknownOperation", op->kind == GQL_QUERY ? S("Schema is not configured for "
		        "queries.") : op->kind == GQL_MUTATION ? S("Schema is not configured for mutations.")
		        : S("Schema is not configured for subscriptions."));
		return false;
	}
	for (gql_definition *f = d->fragments; f; f = f->next)
		f->state = 0;
	for (gql_variable *v = op->variables; v; v = v->next) {
		const gql_named *t = gql_named_of(s, gql_base(v->type));
		if (!t)
			problem(&w, v->at, "UnknownType", arena_concat(mem, S("Unknown type "), gql_base(v->type)));
		else if (!gql_is_input(t))
			problem(&w, v->at, "NonInputTypeOnVariable", S("Input variable is not an input type"));
	}
	if (w.good)
		select_from(&w, root, op->first);
	return w.good;
}
