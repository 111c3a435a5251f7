/*
 * Values of the rules' expressions: nothing, yes or no, an exact decimal, text, a piece of a resource's JSON,
 * a resource, a list. They live in the arena of the estimate.
 *
 * A number is in 10^-12. Sums and products are exact as long as they have no more than twelve decimals, what
 * does not divide evenly is rounded half away from zero there. What passes 128 bits is an error, never wrong.
 *
 * Nothing is contagious: a sum with an unknown part is unknown. That is how a line whose usage nobody has
 * told comes to have a price and no quantity.
 */
#pragma once
#include "base/json.h"
#include "base/money.h"

#define NUM_DIGITS 12
#define NUM_ONE INT64_C(1000000000000)

typedef i128 num;

typedef enum value_kind {
	VALUE_NONE, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_JSON, VALUE_RESOURCE, VALUE_LIST,
} value_kind;

typedef struct value {
	value_kind kind;
	bool yes;
	num number;
	str text;
	const json_value *json;                /* an object or an array */
	const struct plan_resource *resource;
	const struct value *items;
	size_t n;
} value;

#define NOTHING ((value){ .kind = VALUE_NONE })

value pval_bool(bool yes);
value pval_number(num n);
/* Empty text is nothing: Terraform writes "" where nothing is set. */
value pval_text(str text);
/* Scalars become what they are, objects and arrays stay JSON. */
value pval_of_json(const json_value *v);

/* Text reads as a number where it is one, with an exponent or without. false: it is none. */
bool pval_to_number(value v, num *out);
bool pval_true(value v);
/* Numbers by their value, also when one is written as text; what is unknown equals nothing, not itself. */
bool pval_same(value a, value b);
/* As it stands in a name: 0.5, us-east-1; empty for what has no short form. */
str pval_print(arena *mem, value v);
/* How many there are: of an array or a list; 1 of anything else, 0 of nothing. */
size_t pval_count(value v);
/* The i-th of them. */
value pval_at(value v, size_t i);

bool num_parse(str text, num *out);
/* false: more than 128 bits, or a division by zero. */
bool num_mul(num a, num b, num *out);
bool num_div(num a, num b, num *out);
num num_floor(num n);
bool num_ceil(num n, num *out);
