/*
 * GraphQL as text: documents and schemas become trees in an arena. No store and no sockets here: what is read
 * comes from anybody. A document has at most GQL_TOKENS_MAX tokens (a schema more) and nests at most
 * GQL_DEPTH_MAX levels, so whoever walks a tree may recurse.
 *
 * Fragments can make a small document mean a large one: walks over what a document selects count what they
 * see (GQL_FIELDS_MAX).
 */
#pragma once
#include "base/json.h"
#include "base/map.h"

#define GQL_DEPTH_MAX 48
#define GQL_TOKENS_MAX 20000
#define GQL_SCHEMA_TOKENS_MAX 300000
#define GQL_FIELDS_MAX 400000
/* Of a field's arguments, and of all variables. */
#define GQL_VALUES_MAX 500000
#define GQL_STEPS_MAX 50000000
#define GQL_VALUE_DEPTH_MAX 200

typedef struct gql_at { int line, column; } gql_at;

/* A named type, or a list of another. */
typedef struct gql_type {
	str name;
	struct gql_type *of;
	bool required;
} gql_type;

typedef enum gql_value_kind {
	GQL_VARIABLE, GQL_INT, GQL_FLOAT, GQL_STRING, GQL_BOOLEAN, GQL_NULL, GQL_ENUM, GQL_LIST, GQL_OBJECT,
} gql_value_kind;

/* Also an argument or an object's field, which has a key. */
typedef struct gql_value {
	gql_value_kind kind;
	str text, key;
	struct gql_value *first, *next;
	gql_at at;
} gql_value;

typedef struct gql_directive {
	str name;
	gql_value *arguments;
	struct gql_directive *next;
	gql_at at;
} gql_directive;

typedef enum gql_selection_kind { GQL_FIELD, GQL_SPREAD, GQL_INLINE } gql_selection_kind;

typedef struct gql_selection {
	gql_selection_kind kind;
	str name, alias;     /* a spread: of the fragment; without an alias that is the name */
	str on;              /* an inline fragment's type, or STR_NONE */
	gql_value *arguments;
	gql_directive *directives;
	struct gql_selection *first, *next;
	gql_at at;
} gql_selection;

typedef struct gql_variable {
	str name;
	gql_type *type;
	gql_value *initial;
	struct gql_variable *next;
	gql_at at;
} gql_variable;

typedef enum gql_operation_kind { GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION } gql_operation_kind;

/* An operation, or a fragment (`on` is set). */
typedef struct gql_definition {
	gql_operation_kind kind;
	str name, on;
	gql_variable *variables;
	gql_directive *directives;
	gql_selection *first;
	struct gql_definition *next;
	gql_at at;
	int state;           /* of a walk over fragments */
} gql_definition;

typedef struct gql_document {
	gql_definition *operations, *fragments;
	map by_name;         /* fragments */
	size_t n_operations;
} gql_document;

/* An argument, or a field of an input type. */
typedef struct gql_input {
	str name, about;
	gql_type *type;
	gql_value *initial;
	gql_directive *directives;
	struct gql_input *next;
	gql_at at;
} gql_input;

typedef struct gql_name {
	str name;
	struct gql_name *next;
} gql_name;

/* Of an object or an interface; or a value of an enum, without type. */
typedef struct gql_field {
	str name, about;
	gql_type *type;
	gql_input *arguments;
	gql_directive *directives;
	struct gql_field *next;
	gql_at at;
} gql_field;

typedef enum gql_sort {
	GQL_SCALAR, GQL_OBJECT_TYPE, GQL_INTERFACE, GQL_UNION, GQL_ENUM_TYPE, GQL_INPUT_TYPE,
} gql_sort;

typedef struct gql_named {
	gql_sort sort;
	str name, about;
	gql_directive *directives;
	gql_name *names;     /* interfaces of an object, members of a union */
	gql_field *fields;   /* and the values of an enum */
	gql_input *inputs;
	map by_name;         /* fields, once the schema is checked */
	struct {             /* of the lists above, as `extend` left them; NULL: from the beginning */
		gql_name **names;
		gql_field **fields;
		gql_input **inputs;
		gql_directive **directives;
	} ends;
	struct gql_named *next;
	gql_at at;
	bool own;            /* not the API's: built in */
	str text;            /* as written */
} gql_named;

typedef struct gql_schema {
	map types;
	gql_named *first, *last;
	str query, mutation, subscription; /* names; STR_NONE: there is none */
	size_t n;
} gql_schema;

typedef struct gql_problem {
	str message;         /* STR_NONE: there is none */
	gql_at at;
} gql_problem;

/* NULL, and the problem. */
gql_document *gql_parse(arena *mem, str text, gql_problem *p);
/* With everything that AppSync has built in; checked. */
gql_schema *gql_parse_schema(arena *mem, str text, gql_problem *p);

gql_named *gql_named_of(const gql_schema *s, str name);
/* The type's own name, whatever it is wrapped into. */
str gql_base(const gql_type *t);
str gql_type_text(arena *mem, const gql_type *t);
gql_field *gql_field_of(const gql_named *t, str name);
gql_input *gql_input_of(gql_input *list, str name);
const gql_directive *gql_directive_of(const gql_directive *list, str name);
const gql_value *gql_argument_of(const gql_value *list, str name);
gql_definition *gql_fragment_of(const gql_document *d, str name);
bool gql_is_composite(const gql_named *t);
bool gql_is_input(const gql_named *t);
/* Whether an object of the first type is one of the second. */
bool gql_is_a(const gql_schema *s, const gql_named *object, str type);
str gql_root(const gql_schema *s, gql_operation_kind kind);
/* "Post!" as written in values: IntValue{value=1}. */
str gql_value_text(arena *mem, const gql_value *v);

/* What is wrong with this operation in AppSync's words; each problem is told. Whatever the schema and the
 * document demand of each other holds afterwards. */
typedef struct gql_tell {
	void *context;
	void (*problem)(void *context, gql_at at, str message);
} gql_tell;
bool gql_validate(arena *mem, const gql_schema *s, gql_document *d, const gql_definition *op, gql_tell tell);

/* The variables as the operation wants them: an object. NULL: the problem says why not. */
json_value *gql_variables(arena *mem, const gql_schema *s, const gql_definition *op, const json_value *given,
                          gql_problem *p);
/* The arguments of a field with variables put in and initial values: an object. */
json_value *gql_arguments(arena *mem, const gql_schema *s, gql_input *wanted, const gql_value *given,
                          const json_value *variables, gql_problem *p);
/* Whether @skip and @include let it in. */
bool gql_included(const gql_directive *d, const json_value *variables);
/* A result as a leaf of this type; NULL: it is none. */
json_value *gql_leaf(arena *mem, const gql_named *type, const json_value *v);

json_value *json_new(arena *mem, json_kind kind, str text);
/* Appends a child; `last` is kept by the caller between two calls and NULL before the first. */
void json_append(json_value *parent, json_value **last, json_value *child);
json_value *json_copy(arena *mem, const json_value *v);
