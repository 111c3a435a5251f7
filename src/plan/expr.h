/*
 * The small language of the rules: what a quantity is, and when there is one.
 *
 *   .volume_size        an attribute of the resource; of a block that Terraform writes as a list, its first
 *   $storage_gb         what the usage file says of the resource or of its type
 *   name                a variable of the rule, or one of list, hours, today, region, address
 *   x.name  x[0]        of any value
 *   a ?? b              b where a is nothing
 *   c ? a : b   && || ! == != < <= > >= + - * /     ~ (text that fits a pattern)
 *   f(x, ...)           ceil floor min max count sum any first where lower split after replace keys number
 *                       lookup priced ref refs referrers referred all siblings usage address_of type_of
 *
 * An expression is parsed once and evaluated for many resources; evaluation changes nothing but the arena.
 * An unknown part makes a sum or product unknown, and a comparison with it false. A mistake (text where a
 * number has to be, more than 128 bits) is kept in `fault` and the value is nothing.
 */
#pragma once
#include "plan/model.h"
#include "price/book.h"

typedef struct expr expr;

/* One row of data/plan/tables.csv: the first pattern that fits a key tells its value. */
typedef struct plan_table_row {
	str table, pattern, value;
} plan_table_row;

typedef struct plan_tables {
	const plan_table_row *rows;
	size_t n;
} plan_tables;

typedef struct variable {
	str name;
	value value;
	const struct variable *outer;
} variable;

typedef struct evaluation {
	arena *mem;
	const plan *plan;
	const plan_resource *self;
	const variable *variables;
	const book *book;
	const plan_tables *tables;
	err fault;             /* the first mistake */
	unsigned deep;
	uint64_t budget;       /* evaluations that are left; at 0 it is a mistake */
} evaluation;

/* NULL and a fault: `text` is no expression. */
err expr_parse(arena *mem, str text, const expr **out);
value expr_value(evaluation *e, const expr *x);
/* A mistake in the data or the rule; the value of it is nothing. */
value mistake(evaluation *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "ec2.linux.{type}": literal text with expressions in braces. */
err template_parse(arena *mem, str text, const expr **out);
/* "ec2.linux.*": the template with a star for every expression. */
str template_pattern(arena *mem, const expr *x);
