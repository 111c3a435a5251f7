/* What the parser of expressions (expr.c) and their evaluation (expr_value.c, functions.c) share. */
#pragma once
#include "plan/expr.h"

#define EXPR_ARGUMENTS 8

typedef enum expr_op {
	EXPR_LITERAL, EXPR_ATTRIBUTE, EXPR_USAGE, EXPR_VARIABLE, EXPR_MEMBER, EXPR_INDEX, EXPR_CALL, EXPR_NOT,
	EXPR_MINUS, EXPR_OR_ELSE, EXPR_OR, EXPR_AND, EXPR_EQUAL, EXPR_DIFFERENT, EXPR_LESS, EXPR_AT_MOST,
	EXPR_MORE, EXPR_AT_LEAST, EXPR_FITS, EXPR_ADD, EXPR_SUBTRACT, EXPR_MULTIPLY, EXPR_DIVIDE, EXPR_CHOICE,
	EXPR_TEMPLATE,
} expr_op;

/* args: what the operator works on; of a template its parts. */
struct expr {
	expr_op op;
	str name;              /* of an attribute, a usage key, a variable, a member */
	value literal;
	const struct function *function;
	const expr **args;
	size_t n;
};

typedef struct function {
	const char *name;
	size_t least, most;
	value (*call)(evaluation *e, const expr *const *args, size_t n);
} function;

const function *expr_function(str name);
