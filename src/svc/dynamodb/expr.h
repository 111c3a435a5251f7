/*
 * DynamoDB's expressions: text to tree (expr_lex.c, expr_parse.c, expr_update.c), what AWS refuses
 * about a tree before it looks at any item (expr_check.c), and truth for an item (expr_eval.c).
 *
 * Trees live in the request arena and point into the expression's text. An expression has at most
 * 4 KB, 300 operators and 100 levels of nesting, so every walk is short and recursion is bounded.
 * Functions that can refuse return AWS's whole sentence, or STR_NONE.
 */
#pragma once
#include "svc/dynamodb/value.h"

#define EXPR_BYTES_MAX 4096
#define EXPR_OPERATORS_MAX 300
#define EXPR_DEPTH_MAX 100
#define EXPR_OPERANDS_MAX 100 /* of IN, the first included */

struct map;

/* #name -> name, :value -> value, and which have been used. */
typedef struct expr_ref {
	str key, name;
	value value;
	bool used;
} expr_ref;

typedef struct expr_env {
	arena *mem;
	expr_ref *names, *values;
	size_t n_names, n_values;
	struct map *by_key; /* of both, when there are many */
} expr_env;

typedef struct path_part {
	str name; /* absent: an index */
	uint32_t index;
} path_part;

typedef struct path {
	path_part *v;
	size_t n;
} path;

typedef enum expr_kind {
	EXPR_PATH, EXPR_VALUE, EXPR_CALL, EXPR_COMPARE, EXPR_BETWEEN, EXPR_IN, EXPR_AND, EXPR_OR,
	EXPR_NOT, EXPR_PLUS, EXPR_MINUS,
} expr_kind;

typedef struct expr {
	expr_kind kind;
	bool grouped;  /* stood in parentheses */
	str text;      /* the operator, the function's name, the :value's key */
	path path;
	value value;
	struct expr **args;
	size_t n;
} expr;

typedef enum update_kind { UPDATE_SET, UPDATE_REMOVE, UPDATE_ADD, UPDATE_DELETE } update_kind;

typedef struct update_action {
	update_kind kind;
	path path;
	expr *operand; /* not for REMOVE */
} update_action;

typedef struct update {
	update_action *v;
	size_t n;
	bool legacy; /* of AttributeUpdates: a wrong type is refused in other words */
} update;

typedef struct projection {
	path *v;
	size_t n;
} projection;

/* `what` is the parameter's name, for the sentence: "ConditionExpression". */
str expr_condition(expr_env *env, const char *what, str text, expr **out);
str expr_update(expr_env *env, str text, update *out);
str expr_projection(expr_env *env, const char *what, str text, projection *out);
/* After all expressions of a request: names and values that none of them used. */
str expr_unused(const expr_env *env);

bool reserved_word(str name);

/* The value at a path, absent when there is none. */
value path_get(value item, const path *p);
bool path_starts_with(const path *p, str name);
/* [a, [0], b] */
str path_text(arena *mem, const path *p);
/* Whether the item (an absent one has no attributes) fulfils the condition. */
bool expr_true(const expr *e, value item);

/* What is left of an item (or value) when only these paths are kept: always a map. */
value projection_flat(arena *mem, const projection *p, value item); /* by the paths' last names */
value projection_of(arena *mem, const projection *p, value item);
/*
 * The item after the update; `item` may be absent, `key` is then where it begins. STR_NONE and
 * *out, or the sentence.
 */
str update_apply(arena *mem, const update *u, value item, value key, value *out);
