/* What the parser, the evaluator and the functions of metric math share. */
#pragma once
#include "math.h"

typedef enum node_kind {
	NODE_NUMBER,
	NODE_TEXT,
	NODE_NAME,
	NODE_WORD,
	NODE_CALL,
	NODE_LIST,
	NODE_OPERATOR
} node_kind;

struct math_node {
	node_kind kind;
	double number;
	str text; /* a name, a word, a function, a string */
	char op; /* + - * / ^ < > l(<=) g(>=) = ! & | and n for a negation */
	struct math_node *first, *next; /* operands, arguments, members */
	size_t n;
};

#define MATH_ARGUMENTS_MAX 500

err math_wrong(req *rq, str name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* One function's value from its arguments' values. */
err math_function(const math_scope *s, const math_node *call, math_value *a, size_t n, math_value *out);
/* The name of a type as CloudWatch says it in faults. */
const char *math_type(const math_value *v);
