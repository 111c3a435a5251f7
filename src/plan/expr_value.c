#include "plan/expr_inside.h"

#define EVALUATION_DEEP 256

value mistake(evaluation *e, const char *format, ...)
{
	if (!e->fault) {
		va_list args;
		va_start(args, format);
		str text = arena_vfmt(e->mem, format, args);
		va_end(args);
		e->fault = fault_new(e->mem, &fault_syntax, "%.*s", STR_ARG(text));
	}
	return NOTHING;
}

static value variable_named(evaluation *e, str name)
{
	for (const variable *v = e->variables; v; v = v->outer)
		if (str_eq(v->name, name))
			return v->value;
	return mistake(e, "there is no %.*s", STR_ARG(name));
}

static value compared(evaluation *e, expr_op op, value a, value b)
{
	num x, y;
	if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
		return pval_bool(false);
	if (!pval_to_number(a, &x) || !pval_to_number(b, &y))
		return mistake(e, "\"%.*s\" and \"%.*s\" are not two numbers", STR_ARG(pval_print(e->mem, a)),
		               STR_ARG(pval_print(e->mem, b)));
	return pval_bool(op == EXPR_LESS ? x < y : op == EXPR_AT_MOST ? x <= y : op == EXPR_MORE ? x > y
		: x >= y);
}

static value joined(evaluation *e, value a, value b)
{
	return pval_text(arena_concat(e->mem, pval_print(e->mem, a), pval_print(e->mem, b)));
}

static value computed(evaluation *e, expr_op op, value a, value b)
{
	num x, y, out = 0;
	if (a.kind == VALUE_NONE || b.kind == VALUE_NONE)
		return NOTHING;
	if (!pval_to_number(a, &x) || !pval_to_number(b, &y)) {
		if (op == EXPR_ADD && a.kind <= VALUE_TEXT && b.kind <= VALUE_TEXT)
			return joined(e, a, b);
		value wrong = pval_to_number(a, &x) ? b : a;
		return mistake(e, "\"%.*s\" is no number", STR_ARG(pval_print(e->mem, wrong)));
	}
	bool good = op == EXPR_ADD ? i128_add(x, y, &out) : op == EXPR_SUBTRACT ? i128_add(x, -y, &out)
		: op == EXPR_MULTIPLY ? num_mul(x, y, &out) : num_div(x, y, &out);
	if (!good)
		return mistake(e, op == EXPR_DIVIDE && y == 0 ? "a division by zero" : "a number is too large");
	return pval_number(out);
}

static value indexed(evaluation *e, value v, value i)
{
	num n;
	if (i.kind == VALUE_TEXT && !pval_to_number(i, &n))
		return pval_member(v, i.text);
	if (!pval_to_number(i, &n) || n < 0 || n / NUM_ONE > INT32_MAX)
		return NOTHING;
	return pval_at(v, (size_t)(n / NUM_ONE));
}

static value printed(evaluation *e, const expr *x)
{
	buf b = buf_in(e->mem, 64, 4096);
	for (size_t i = 0; i < x->n; i++)
		buf_put(&b, pval_print(e->mem, expr_value(e, x->args[i])));
	return pval_text(buf_str(&b));
}

static value two(evaluation *e, const expr *x)
{
	value a = expr_value(e, x->args[0]);
	if (x->op == EXPR_OR_ELSE)
		return a.kind != VALUE_NONE ? a : expr_value(e, x->args[1]);
	if (x->op == EXPR_AND || x->op == EXPR_OR) {
		if (pval_true(a) == (x->op == EXPR_OR))
			return pval_bool(pval_true(a));
		return pval_bool(pval_true(expr_value(e, x->args[1])));
	}
	value b = expr_value(e, x->args[1]);
	if (x->op == EXPR_EQUAL || x->op == EXPR_DIFFERENT)
		return pval_bool(pval_same(a, b) == (x->op == EXPR_EQUAL));
	if (x->op == EXPR_FITS)
		return pval_bool(a.kind == VALUE_TEXT && b.kind == VALUE_TEXT && str_glob(b.text, a.text));
	if (x->op >= EXPR_LESS && x->op <= EXPR_AT_LEAST)
		return compared(e, x->op, a, b);
	return computed(e, x->op, a, b);
}

static value evaluated(evaluation *e, const expr *x)
{
	switch (x->op) {
	case EXPR_LITERAL:
		return x->literal;
	case EXPR_ATTRIBUTE:
		return pval_member((value){ .kind = VALUE_RESOURCE, .resource = e->self }, x->name);
	case EXPR_USAGE:
		return pval_of_json(plan_usage(e->plan, e->self, x->name));
	case EXPR_VARIABLE:
		return variable_named(e, x->name);
	case EXPR_MEMBER:
		return pval_member(expr_value(e, x->args[0]), x->name);
	case EXPR_INDEX:
		return indexed(e, expr_value(e, x->args[0]), expr_value(e, x->args[1]));
	case EXPR_CALL:
		return x->function->call(e, x->args, x->n);
	case EXPR_NOT:
		return pval_bool(!pval_true(expr_value(e, x->args[0])));
	case EXPR_MINUS:
		return computed(e, EXPR_SUBTRACT, pval_number(0), expr_value(e, x->args[0]));
	case EXPR_CHOICE:
		return expr_value(e, x->args[pval_true(expr_value(e, x->args[0])) ? 1 : 2]);
	case EXPR_TEMPLATE:
		return printed(e, x);
	default:
		return two(e, x);
	}
}

value expr_value(evaluation *e, const expr *x)
{
	if (e->deep >= EVALUATION_DEEP)
		return mistake(e, "nested too deep");
	if (e->budget == 0)
		return mistake(e, "takes too long");
	e->budget--;
	e->deep++;
	value v = evaluated(e, x);
	e->deep--;
	return v;
}
