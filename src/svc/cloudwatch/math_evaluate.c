#include "math_inside.h"
#include <math.h>

#define MEMORY_MAX ((size_t)1 << 30)

line line_new(arena *mem, size_t points, double value)
{
	line l = { .v = arena_array(mem, double, points + 1) };
	for (size_t i = 0; i < points; i++)
		l.v[i] = value;
	return l;
}

err math_room(req *rq, str name, size_t lines, size_t points)
{
	if (arena_used(rq->mem) + lines * (points + 1) * sizeof(double) <= MEMORY_MAX)
		return OK;
	return math_wrong(rq, name, "It has too many time series of %zu datapoints", points);
}

const char *math_type(const math_value *v)
{
	static const char *const names[] = { "Scalar", "TimeSeries", "TimeSeries[]", "String", "String" };
	return names[v->kind];
}

static double apply(char op, double a, double b)
{
	switch (op) {
	case '+': return a + b;
	case '-': return a - b;
	case '*': return a * b;
	case '/': return b == 0 ? NAN : a / b;
	case '^': return pow(a, b);
	case '<': return a < b;
	case '>': return a > b;
	case 'l': return a <= b;
	case 'g': return a >= b;
	case '=': return a == b;
	case '!': return a != b;
	case '&': return a != 0 && b != 0;
	default: return a != 0 || b != 0;
	}
}

static str sign_of(req *rq, char op)
{
	switch (op) {
	case 'l': return S("<=");
	case 'g': return S(">=");
	case '=': return S("==");
	case '!': return S("!=");
	case '&': return S("&&");
	case '|': return S("||");
	default: return arena_fmt(rq->mem, "%c", op);
	}
}

static double point(const math_value *v, size_t which, size_t i)
{
	return v->kind == MATH_SCALAR ? v->scalar : v->lines[v->kind == MATH_ARRAY ? which : 0].v[i];
}

/* Of two series, one without a value at a point counts as 0 there; without both there is none. */
static line combined(const math_scope *s, char op, const math_value *a, const math_value *b, size_t which)
{
	const math_value *origin = a->kind == MATH_ARRAY || b->kind == MATH_SCALAR ? a : b;
	line out = line_new(s->rq->mem, s->at.n, NAN);
	bool one_sided = a->kind == MATH_SCALAR || b->kind == MATH_SCALAR;
	if (origin->kind == MATH_ARRAY || one_sided) {
		const line *from = &origin->lines[origin->kind == MATH_ARRAY ? which : 0];
		out.label = from->label;
		out.metric = from->metric;
		out.stat = from->stat;
	}
	for (size_t i = 0; i < s->at.n; i++) {
		double x = point(a, which, i), y = point(b, which, i);
		if (one_sided ? isnan(x) || isnan(y) : isnan(x) && isnan(y))
			continue;
		double v = apply(op, isnan(x) ? 0 : x, isnan(y) ? 0 : y);
		out.v[i] = isfinite(v) ? v : NAN;
	}
	return out;
}

static bool numeric(const math_value *v)
{
	return v->kind <= MATH_ARRAY;
}

static err operate(const math_scope *s, char op, const math_value *a, const math_value *b, math_value *out)
{
	if (!numeric(a) || !numeric(b))
		return math_wrong(s->rq, s->name, "Unsupported operand type(s) for %.*s: '[%s, %s]'",
		                  STR_ARG(sign_of(s->rq, op)), math_type(a), math_type(b));
	if (a->kind == MATH_SCALAR && b->kind == MATH_SCALAR) {
		*out = (math_value){ .scalar = apply(op, a->scalar, b->scalar) };
		return OK;
	}
	bool array = a->kind == MATH_ARRAY || b->kind == MATH_ARRAY;
	if (a->kind == MATH_ARRAY && b->kind == MATH_ARRAY && a->n != b->n)
		return math_wrong(s->rq, s->name, "Arrays of %zu and %zu time series cannot be combined with %.*s",
		                  a->n, b->n, STR_ARG(sign_of(s->rq, op)));
	size_t n = a->kind == MATH_ARRAY ? a->n : b->kind == MATH_ARRAY ? b->n : 1;
	*out = (math_value){ .kind = array ? MATH_ARRAY : MATH_SERIES, .n = n,
		             .lines = arena_array(s->rq->mem, line, n + 1) };
	for (size_t i = 0; i < n; i++)
		out->lines[i] = combined(s, op, a, b, i);
	return OK;
}

static err evaluate(const math_scope *s, const math_node *n, math_value *out);

/* [m1, METRICS()] is one flat array; of numbers alone it would be none. */
static err list_of(const math_scope *s, const math_node *list, math_value *out)
{
	math_value *v = arena_array(s->rq->mem, math_value, list->n + 1);
	size_t n = 0, total = 0;
	for (const math_node *c = list->first; c; c = c->next, n++) {
		TRY(evaluate(s, c, &v[n]));
		if (!numeric(&v[n]))
			return math_wrong(s->rq, s->name, "An array cannot hold a %s", math_type(&v[n]));
		total += v[n].kind == MATH_SCALAR ? 1 : v[n].n;
	}
	*out = (math_value){ .kind = MATH_ARRAY, .lines = arena_array(s->rq->mem, line, total + 1) };
	for (size_t i = 0; i < n; i++) {
		if (v[i].kind == MATH_SCALAR)
			out->lines[out->n++] = line_new(s->rq->mem, s->at.n, v[i].scalar);
		for (size_t k = 0; v[i].kind != MATH_SCALAR && k < v[i].n; k++)
			out->lines[out->n++] = v[i].lines[k];
	}
	return OK;
}

static err named(const math_scope *s, const math_node *n, math_value *out)
{
	bool found = false;
	TRY(s->lookup(s->context, n->text, out, &found));
	return found ? OK : math_wrong(s->rq, s->name, "The following identifiers are undefined: [%.*s]",
	                               STR_ARG(n->text));
}

static err evaluate(const math_scope *s, const math_node *n, math_value *out)
{
	math_value *a;
	size_t count = 0, lines = 1;
	*out = (math_value){ 0 };
	switch (n->kind) {
	case NODE_NUMBER: out->scalar = n->number; return OK;
	case NODE_TEXT:
	case NODE_WORD:
		*out = (math_value){ .kind = n->kind == NODE_TEXT ? MATH_TEXT : MATH_WORD, .text = n->text };
		return OK;
	case NODE_NAME: return named(s, n, out);
	case NODE_LIST: return list_of(s, n, out);
	default: break;
	}
	a = arena_array(s->rq->mem, math_value, n->n + 3);
	for (const math_node *c = n->first; c; c = c->next)
		TRY(evaluate(s, c, &a[count++]));
	for (size_t i = 0; i < count; i++)
		lines += a[i].n;
	TRY(math_room(s->rq, s->name, lines, s->at.n));
	if (n->kind == NODE_CALL)
		return math_function(s, n, a, count, out);
	if (n->op == 'n')
		return operate(s, '*', &(math_value){ .scalar = -1 }, &a[0], out);
	return operate(s, n->op, &a[0], &a[1], out);
}

err math_evaluate(const math_scope *s, const math_node *n, math_value *out)
{
	TRY(evaluate(s, n, out));
	if (out->kind == MATH_SCALAR || !numeric(out))
		return math_wrong(s->rq, s->name,
		                  "The final result of the expression must be a time series or an array of time "
		                  "series, not a %s", math_type(out));
	return OK;
}
