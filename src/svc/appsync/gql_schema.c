/* Schemas: what the API's owner wrote, and what is there without being written. */
#include "gql_parse.h"
#include "base/err.h"

static const char built_in[] =
	"scalar ID scalar String scalar Int scalar Float scalar Boolean scalar AWSDate scalar AWSTime "
	"scalar AWSDateTime scalar AWSTimestamp scalar AWSEmail scalar AWSJSON scalar AWSURL scalar AWSPhone "
	"scalar AWSIPAddress "
	"type __Schema { types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type "
	"directives: [__Directive!]! description: String } "
	"type __Type { kind: __TypeKind! name: String description: String "
	"fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!] "
	"enumValues(includeDeprecated: Boolean = false): [__EnumValue!] "
	"inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type "
	"specifiedByURL: String } "
	"type __Field { name: String! description: String args(includeDeprecated: Boolean = false): "
	"[__InputValue!]! type: __Type! isDeprecated: Boolean! deprecationReason: String } "
	"type __InputValue { name: String! description: String type: __Type! defaultValue: String "
	"isDeprecated: Boolean! deprecationReason: String } "
	"type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String } "
	"type __Directive { name: String! description: String locations: [__DirectiveLocation!]! "
	"args(includeDeprecated: Boolean = false): [__InputValue!]! isRepeatable: Boolean! } "
	"enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL } "
	"enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD "
	"INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE "
	"UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION }";

typedef struct reading {
	parser p;
	gql_schema *s;
	bool own;
} reading;

static str about(parser *p)
{
	str text = STR_NONE;
	if (p->token == TOKEN_STRING) {
		text = p->text;
		gql_next(p);
	}
	return text;
}

static gql_input *inputs(parser *p, char close)
{
	gql_input *first = NULL, **tail = &first;
	for (; !p->failed && !gql_peek(p, close) && p->token != TOKEN_END; tail = &(*tail)->next) {
		gql_input *i = *tail = arena_new(p->mem, gql_input);
		i->about = about(p);
		i->at = p->at;
		i->name = gql_name_of(p);
		gql_need(p, ':');
		i->type = gql_type_of(p);
		if (gql_sign(p, '='))
			i->initial = gql_value_of(p, true);
		i->directives = gql_directives_of(p, true);
	}
	gql_need(p, close);
	return first;
}

static gql_field *fields(parser *p, bool values)
{
	gql_field *first = NULL, **tail = &first;
	if (!gql_sign(p, '{'))
		return NULL;
	for (; !p->failed && !gql_peek(p, '}') && p->token != TOKEN_END; tail = &(*tail)->next) {
		gql_field *f = *tail = arena_new(p->mem, gql_field);
		f->about = about(p);
		f->at = p->at;
		f->name = gql_name_of(p);
		if (!values) {
			if (gql_sign(p, '('))
				f->arguments = inputs(p, ')');
			gql_need(p, ':');
			f->type = gql_type_of(p);
		}
		f->directives = gql_directives_of(p, true);
	}
	gql_need(p, '}');
	return first;
}

static gql_name *names(parser *p, char between)
{
	gql_name *first = NULL, **tail = &first;
	gql_sign(p, between);
	do {
		*tail = arena_new(p->mem, gql_name);
		(*tail)->name = gql_name_of(p);
		tail = &(*tail)->next;
	} while (!p->failed && (gql_sign(p, between) || (between == '&' && p->token == TOKEN_NAME)));
	return first;
}

static void roots(reading *r)
{
	parser *p = &r->p;
	gql_directives_of(p, true);
	gql_need(p, '{');
	while (!p->failed && !gql_peek(p, '}') && p->token != TOKEN_END) {
		str kind = gql_name_of(p);
		gql_need(p, ':');
		str name = gql_name_of(p);
		if (str_eq(kind, S("query")))
			r->s->query = name;
		else if (str_eq(kind, S("mutation")))
			r->s->mutation = name;
		else if (str_eq(kind, S("subscription")))
			r->s->subscription = name;
		else
			gql_wrong(p, "Invalid operation type");
	}
	gql_need(p, '}');
}

/* AppSync knows the directives; a definition is read and means nothing more. */
static void directive(parser *p)
{
	if (!gql_sign(p, '@'))
		gql_wrong(p, "Invalid syntax");
	gql_name_of(p);
	if (gql_sign(p, '('))
		inputs(p, ')');
	gql_word(p, "repeatable");
	if (!gql_word(p, "on"))
		gql_wrong(p, "Invalid syntax");
	names(p, '|');
}

static void body(parser *p, gql_named *t)
{
	if ((t->sort == GQL_OBJECT_TYPE || t->sort == GQL_INTERFACE) && gql_word(p, "implements"))
		t->names = names(p, '&');
	t->directives = gql_directives_of(p, true);
	if (t->sort == GQL_OBJECT_TYPE || t->sort == GQL_INTERFACE)
		t->fields = fields(p, false);
	else if (t->sort == GQL_ENUM_TYPE)
		t->fields = fields(p, true);
	else if (t->sort == GQL_INPUT_TYPE && gql_sign(p, '{'))
		t->inputs = inputs(p, '}');
	else if (t->sort == GQL_UNION && gql_sign(p, '='))
		t->names = names(p, '|');
}

/* `extend type` adds to what is there. A schema may have very many of them, of one type. */
static void extend(gql_named *to, const gql_named *more)
{
	gql_field **f = to->ends.fields ? to->ends.fields : &to->fields;
	gql_input **i = to->ends.inputs ? to->ends.inputs : &to->inputs;
	gql_name **n = to->ends.names ? to->ends.names : &to->names;
	gql_directive **d = to->ends.directives ? to->ends.directives : &to->directives;
	while (*f)
		f = &(*f)->next;
	while (*i)
		i = &(*i)->next;
	while (*n)
		n = &(*n)->next;
	while (*d)
		d = &(*d)->next;
	*(to->ends.fields = f) = more->fields;
	*(to->ends.inputs = i) = more->inputs;
	*(to->ends.names = n) = more->names;
	*(to->ends.directives = d) = more->directives;
}

static void add(reading *r, gql_named *t, bool extends)
{
	gql_named *known = map_get(&r->s->types, t->name);
	if (extends && known && known->sort == t->sort && !known->own) {
		extend(known, t);
	} else if (known || extends || (!r->own && str_starts(t->name, S("__")))) {
		gql_wrong(&r->p, extends ? "There is no such type to extend" : "The type is defined twice");
	} else {
		map_put(&r->s->types, t->name, t);
		*(r->s->last ? &r->s->last->next : &r->s->first) = t;
		r->s->last = t;
		r->s->n++;
	}
}

static void one(reading *r)
{
	static const struct { const char *word; gql_sort sort; } sorts[] = {
		{ "scalar", GQL_SCALAR }, { "type", GQL_OBJECT_TYPE }, { "interface", GQL_INTERFACE },
		{ "union", GQL_UNION }, { "enum", GQL_ENUM_TYPE }, { "input", GQL_INPUT_TYPE } };
	parser *p = &r->p;
	const char *from = p->start;
	str text = about(p);
	bool extends = gql_word(p, "extend");
	if (gql_word(p, "schema")) {
		roots(r);
		return;
	}
	if (gql_word(p, "directive")) {
		directive(p);
		return;
	}
	for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++)
		if (gql_word(p, sorts[i].word)) {
			gql_named *t = arena_new(p->mem, gql_named);
			*t = (gql_named){ .sort = sorts[i].sort, .about = text, .own = r->own, .at = p->at };
			t->name = gql_name_of(p);
			body(p, t);
			t->text = str_trim(str_of(from, (size_t)((p->token == TOKEN_END && !p->failed ? p->end
					: p->start) -
			                                         from)));
			if (!p->failed)
				add(r, t, extends);
			return;
		}
	gql_wrong(p, "Invalid syntax");
}

/* A type nobody has defined, or one in the wrong place. */
static void check_type(reading *r, const gql_type *t, bool in, gql_at at)
{
	gql_named *n = gql_named_of(r->s, gql_base(t));
	r->p.at = at;
	r->p.text = gql_base(t);
	if (!n)
		gql_wrong(&r->p, "The type is not defined");
	else if (in && !gql_is_input(n))
		gql_wrong(&r->p, "The type cannot be an input type");
	else if (!in && n->sort == GQL_INPUT_TYPE)
		gql_wrong(&r->p, "The type cannot be an output type");
}

static void check_inputs(reading *r, gql_input *list)
{
	for (gql_input *i = list; i && !r->p.failed; i = i->next)
		check_type(r, i->type, true, i->at);
}

static bool same_type(const gql_type *a, const gql_type *b)
{
	for (; a && b && a->required == b->required; a = a->of, b = b->of)
		if (!a->of && !b->of)
			return str_eq(a->name, b->name);
	return false;
}

static void check_interface(reading *r, const gql_named *t, str name)
{
	gql_named *interface = gql_named_of(r->s, name);
	r->p.at = t->at;
	r->p.text = name;
	if (!interface || interface->sort != GQL_INTERFACE) {
		gql_wrong(&r->p, "The interface is not defined");
		return;
	}
	for (gql_field *f = interface->fields; f; f = f->next) {
		gql_field *own = gql_field_of(t, f->name);
		r->p.text = f->name;
		bool fits = own && (same_type(own->type, f->type) ||
		                    gql_is_a(r->s, gql_named_of(r->s, gql_base(own->type)), gql_base(f->type)) ||
		                    str_eq(gql_base(own->type), gql_base(f->type)));
		if (!fits)
			gql_wrong(&r->p, "The field of the interface is missing or of another type");
	}
}

/* What has one name would hide each other, or be looked at again and again. */
static void check_once(reading *r, gql_named *t)
{
	size_t n_fields = 0, n_names = 0;
	for (gql_field *f = t->fields; f; f = f->next)
		n_fields++;
	for (gql_name *n = t->names; n; n = n->next)
		n_names++;
	t->by_name = map_in(r->p.mem, n_fields);
	for (gql_field *f = t->fields; f && !r->p.failed; f = f->next)
		if (map_put(&t->by_name, f->name, f)) {
			r->p.at = f->at;
			r->p.text = f->name;
			gql_wrong(&r->p, "The field is defined twice");
		}
	map seen = map_in(r->p.mem, n_names);
	for (gql_name *n = t->names; n && !r->p.failed; n = n->next)
		if (map_put(&seen, n->name, n)) {
			r->p.at = t->at;
			r->p.text = n->name;
			gql_wrong(&r->p, "The type is named twice");
		}
}

static void check_named(reading *r, gql_named *t)
{
	check_once(r, t);
	r->p.at = t->at;
	r->p.text = t->name;
	if (t->sort == GQL_SCALAR && !t->own)
		gql_wrong(&r->p, "Custom scalars are not supported");
	if ((t->sort == GQL_OBJECT_TYPE || t->sort == GQL_INTERFACE || t->sort == GQL_ENUM_TYPE) && !t->fields)
		gql_wrong(&r->p, "The type has no fields");
	if ((t->sort == GQL_INPUT_TYPE && !t->inputs) || (t->sort == GQL_UNION && !t->names))
		gql_wrong(&r->p, "The type has no members");
	for (gql_field *f = t->fields; f && t->sort != GQL_ENUM_TYPE && !r->p.failed; f = f->next) {
		check_type(r, f->type, false, f->at);
		check_inputs(r, f->arguments);
	}
	check_inputs(r, t->inputs);
	for (gql_name *n = t->names; n && !r->p.failed; n = n->next) {
		if (t->sort != GQL_UNION) {
			check_interface(r, t, n->name);
			continue;
		}
		gql_named *member = gql_named_of(r->s, n->name);
		r->p.text = n->name;
		if (!member || member->sort != GQL_OBJECT_TYPE)
			gql_wrong(&r->p, "A union's member is no object type");
	}
}

static void check_subscription(reading *r)
{
	gql_named *t = gql_named_of(r->s, r->s->subscription);
	gql_named *mutation = gql_named_of(r->s, r->s->mutation);
	for (gql_field *f = t ? t->fields : NULL; f; f = f->next) {
		const gql_directive *d = gql_directive_of(f->directives, S("aws_subscribe"));
		const gql_value *list = d ? gql_argument_of(d->arguments, S("mutations")) : NULL;
		for (const gql_value *m = list ? list->first : NULL; m; m = m->next)
			if (!mutation || !gql_field_of(mutation, m->text)) {
				r->p.at = f->at;
				r->p.text = m->text;
				gql_wrong(&r->p, "The mutation of a subscription is not defined");
			}
	}
}

static void check(reading *r)
{
	gql_schema *s = r->s;
	const struct { str *name; str usual; } root[] = { { &s->query, S("Query") },
		{ &s->mutation, S("Mutation") }, { &s->subscription, S("Subscription") } };
	bool said = str_is(s->query) || str_is(s->mutation) || str_is(s->subscription);
	for (size_t i = 0; i < 3; i++) {
		gql_named *t = gql_named_of(s, said ? *root[i].name : root[i].usual);
		r->p.at = (gql_at){ 1, 1 };
		r->p.text = said && str_is(*root[i].name) ? *root[i].name : root[i].usual;
		if (!said && t)
			*root[i].name = root[i].usual;
		if ((str_is(*root[i].name) && (!t || t->sort != GQL_OBJECT_TYPE)) || (i == 0 && !t))
			gql_wrong(&r->p, "There is no top level schema object type defined");
	}
	for (gql_named *t = s->first; t && !r->p.failed; t = t->next)
		check_named(r, t);
	if (!r->p.failed)
		check_subscription(r);
}

gql_schema *gql_parse_schema(arena *mem, str text, gql_problem *problem)
{
	reading r = { .s = arena_new(mem, gql_schema), .own = true };
	r.s->types = map_in(mem, 64);
	r.s->query = r.s->mutation = r.s->subscription = STR_NONE;
	gql_parser_open(&r.p, mem, str_c(built_in), GQL_SCHEMA_TOKENS_MAX, problem);
	while (!r.p.failed && r.p.token != TOKEN_END)
		one(&r);
	ensure(!r.p.failed);
	r.own = false;
	gql_parser_open(&r.p, mem, text, GQL_SCHEMA_TOKENS_MAX, problem);
	while (!r.p.failed && r.p.token != TOKEN_END)
		one(&r);
	if (!r.p.failed)
		check(&r);
	return r.p.failed ? NULL : r.s;
}

gql_named *gql_named_of(const gql_schema *s, str name)
{
	return str_is(name) ? map_get(&s->types, name) : NULL;
}

str gql_base(const gql_type *t)
{
	while (t->of)
		t = t->of;
	return t->name;
}

str gql_type_text(arena *mem, const gql_type *t)
{
	const char *sign = t->required ? "!" : "";
	if (!t->of)
		return arena_fmt(mem, "%.*s%s", STR_ARG(t->name), sign);
	str inside = gql_type_text(mem, t->of);
	return arena_fmt(mem, "[%.*s]%s", STR_ARG(inside), sign);
}

gql_field *gql_field_of(const gql_named *t, str name)
{
	if (t->by_name.n)
		return map_get(&t->by_name, name);
	for (gql_field *f = t->fields; f; f = f->next)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

gql_input *gql_input_of(gql_input *list, str name)
{
	for (; list && !str_eq(list->name, name);)
		list = list->next;
	return list;
}

const gql_directive *gql_directive_of(const gql_directive *list, str name)
{
	for (; list && !str_eq(list->name, name);)
		list = list->next;
	return list;
}

const gql_value *gql_argument_of(const gql_value *list, str name)
{
	for (; list && !str_eq(list->key, name);)
		list = list->next;
	return list;
}

gql_definition *gql_fragment_of(const gql_document *d, str name)
{
	return map_get(&d->by_name, name);
}

bool gql_is_composite(const gql_named *t)
{
	return t->sort == GQL_OBJECT_TYPE || t->sort == GQL_INTERFACE || t->sort == GQL_UNION;
}

bool gql_is_input(const gql_named *t)
{
	return t->sort == GQL_SCALAR || t->sort == GQL_ENUM_TYPE || t->sort == GQL_INPUT_TYPE;
}

bool gql_is_a(const gql_schema *s, const gql_named *object, str type)
{
	if (!object)
		return false;
	if (str_eq(object->name, type))
		return true;
	const gql_named *t = gql_named_of(s, type);
	const gql_named *holder = t && t->sort == GQL_UNION ? t : object;
	str wanted = holder == t ? object->name : type;
	for (gql_name *n = holder->sort == GQL_ENUM_TYPE ? NULL : holder->names; n; n = n->next)
		if (str_eq(n->name, wanted))
			return true;
	return false;
}

str gql_root(const gql_schema *s, gql_operation_kind kind)
{
	return kind == GQL_QUERY ? s->query : kind == GQL_MUTATION ? s->mutation : s->subscription;
}
