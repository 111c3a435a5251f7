#include "math.h"
#include <math.h>

#define DEPTH_MAX 32
#define ARGUMENTS_MAX 100

typedef struct parser {
	req *rq;
	const math_scope *scope;
	str whole, rest;
	unsigned depth;
} parser;

static err wrong(parser *p, const char *why)
{
	return fail(p->rq, &aws_ValidationException, "Error in expression '%.*s': %s", STR_ARG(p->whole), why);
}

static void blanks(parser *p)
{
	while (p->rest.n && (p->rest.p[0] == ' ' || p->rest.p[0] == '\t' || p->rest.p[0] == '\n'))
		p->rest = str_sub(p->rest, 1, p->rest.n);
}

static bool eat(parser *p, str token)
{
	blanks(p);
	if (!str_starts(p->rest, token))
		return false;
	p->rest = str_sub(p->rest, token.n, p->rest.n);
	return true;
}

static double at(const math_value *v, size_t i)
{
	return v->v ? v->v[i] : v->scalar;
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

/* Where either side has no value, there is none. */
static math_value combine(parser *p, char op, math_value a, math_value b)
{
	if (!a.v && !b.v)
		return (math_value){ .scalar = apply(op, a.scalar, b.scalar) };
	math_value out = { .v = arena_array(p->scope->mem, double, p->scope->at.n + 1) };
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double x = at(&a, i), y = at(&b, i);
		out.v[i] = isnan(x) || isnan(y) ? NAN : apply(op, x, y);
	}
	return out;
}

static err parse(parser *p, int level, math_value *out);

static math_value over_points(parser *p, const math_value *s, str name)
{
	double sum = 0, least = NAN, most = NAN, squares = 0;
	size_t n = 0;
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double x = at(s, i);
		if (isnan(x))
			continue;
		n++;
		sum += x;
		squares += x * x;
		least = n == 1 || x < least ? x : least;
		most = n == 1 || x > most ? x : most;
	}
	double mean = n ? sum / (double)n : NAN;
	double v = str_eq(name, S("SUM")) ? sum : str_eq(name, S("AVG")) ? mean :
		   str_eq(name, S("MIN")) ? least : str_eq(name, S("MAX")) ? most :
		   n > 1 ? sqrt((squares - sum * mean) / (double)n) : 0;
	return (math_value){ .scalar = v };
}

/* SUM([m1, m2]): point by point over several series. */
static math_value over_series(parser *p, const math_value *s, size_t n, str name)
{
	math_value out = { .v = arena_array(p->scope->mem, double, p->scope->at.n + 1) };
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double *column = arena_array(p->scope->mem, double, n + 1);
		for (size_t j = 0; j < n; j++)
			column[j] = at(&s[j], i);
		parser one = *p;
		math_scope scope = *p->scope;
		scope.at.n = n;
		one.scope = &scope;
		math_value v = { .v = column };
		bool any = false;
		for (size_t j = 0; j < n; j++)
			any = any || !isnan(column[j]);
		out.v[i] = any ? over_points(&one, &v, name).scalar : NAN;
	}
	return out;
}

static double each(str name, double x, double before, double seconds)
{
	return str_eq(name, S("ABS"))   ? fabs(x) :
	       str_eq(name, S("CEIL"))  ? ceil(x) :
	       str_eq(name, S("FLOOR")) ? floor(x) :
	       str_eq(name, S("LOG"))   ? log(x) :
	       str_eq(name, S("LOG10")) ? log10(x) :
	       str_eq(name, S("DIFF"))  ? x - before :
	       str_eq(name, S("RATE"))  ? (x - before) / seconds :
					  NAN;
}

static math_value pointwise(parser *p, const math_value *s, str name)
{
	math_value out = { .v = arena_array(p->scope->mem, double, p->scope->at.n + 1) };
	double before = NAN, sum = 0;
	size_t last = 0;
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double x = at(s, i);
		if (isnan(x)) {
			out.v[i] = NAN;
			continue;
		}
		sum += x;
		double seconds = (double)(i - last) * (double)p->scope->at.period_ms / 1000;
		out.v[i] = str_eq(name, S("RUNNING_SUM")) ? sum : each(name, x, before, seconds);
		before = x;
		last = i;
	}
	return out;
}

static math_value fill(parser *p, const math_value *s, math_value with, bool repeat)
{
	math_value out = { .v = arena_array(p->scope->mem, double, p->scope->at.n + 1) };
	double before = NAN;
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double x = at(s, i);
		out.v[i] = !isnan(x) ? x : repeat ? before : at(&with, i);
		before = out.v[i];
	}
	return out;
}

static math_value choose(parser *p, const math_value *a)
{
	math_value out = { .v = arena_array(p->scope->mem, double, p->scope->at.n + 1) };
	for (size_t i = 0; i < p->scope->at.n; i++) {
		double c = at(&a[0], i);
		out.v[i] = isnan(c) ? NAN : c != 0 ? at(&a[1], i) : at(&a[2], i);
	}
	return out;
}

static err arguments(parser *p, math_value *out, size_t *n, bool *repeat)
{
	bool list = eat(p, S("["));
	*n = 0;
	if (eat(p, S("METRICS()"))) {
		*n = p->scope->all(p->scope->context, out, ARGUMENTS_MAX);
		return eat(p, S(")")) ? OK : wrong(p, ") is missing");
	}
	do {
		if (*n == ARGUMENTS_MAX)
			return wrong(p, "too many arguments");
		if (*n == 1 && eat(p, S("REPEAT"))) {
			*repeat = true;
			continue;
		}
		TRY(parse(p, 0, &out[(*n)++]));
	} while (eat(p, S(",")));
	if (list && !eat(p, S("]")))
		return wrong(p, "] is missing");
	return eat(p, S(")")) ? OK : wrong(p, ") is missing");
}

static bool among(str name, const char *names)
{
	str rest = str_c(names);
	while (str_is(rest))
		if (str_eq(str_cut(&rest, ' '), name))
			return true;
	return false;
}

static err function_of(parser *p, str name, math_value *out)
{
	math_value *a = arena_array(p->scope->mem, math_value, ARGUMENTS_MAX);
	size_t n;
	bool repeat = false;
	if (str_eq(name, S("PERIOD"))) {
		math_value ignored;
		TRY(parse(p, 0, &ignored));
		*out = (math_value){ .scalar = (double)p->scope->at.period_ms / 1000 };
		return eat(p, S(")")) ? OK : wrong(p, ") is missing");
	}
	TRY(arguments(p, a, &n, &repeat));
	if (among(name, "SUM AVG MIN MAX STDDEV"))
		*out = n == 1 ? over_points(p, &a[0], name) : over_series(p, a, n, name);
	else if (among(name, "ABS CEIL FLOOR LOG LOG10 DIFF RATE RUNNING_SUM") && n == 1)
		*out = pointwise(p, &a[0], name);
	else if (str_eq(name, S("FILL")) && (n == 2 || repeat))
		*out = fill(p, &a[0], a[1], repeat);
	else if (str_eq(name, S("IF")) && (n == 2 || n == 3)) {
		if (n == 2)
			a[2] = (math_value){ .scalar = NAN };
		*out = choose(p, a);
	} else
		return wrong(p, "Farthing does not know this function with these arguments");
	return OK;
}

static err atom(parser *p, math_value *out)
{
	size_t n = 0;
	blanks(p);
	if (p->depth >= DEPTH_MAX)
		return wrong(p, "too deep");
	if (eat(p, S("("))) {
		p->depth++;
		TRY(parse(p, 0, out));
		p->depth--;
		return eat(p, S(")")) ? OK : wrong(p, ") is missing");
	}
	if (eat(p, S("-"))) {
		math_value v;
		p->depth++;
		TRY(atom(p, &v));
		p->depth--;
		*out = combine(p, '*', (math_value){ .scalar = -1 }, v);
		return OK;
	}
	while (n < p->rest.n && (p->rest.p[n] == '_' || p->rest.p[n] == '.' ||
	                         (p->rest.p[n] >= '0' && p->rest.p[n] <= '9') ||
	                         (p->rest.p[n] >= 'a' && p->rest.p[n] <= 'z') ||
	                         (p->rest.p[n] >= 'A' && p->rest.p[n] <= 'Z')))
		n++;
	str word = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, p->rest.n);
	*out = (math_value){ 0 };
	if (!n)
		return wrong(p, "a value is missing");
	if (eat(p, S("("))) {
		p->depth++;
		TRY(function_of(p, word, out));
		p->depth--;
		return OK;
	}
	if (str_to_f64(word, &out->scalar))
		return OK;
	return p->scope->lookup(p->scope->context, word, out) ? OK : wrong(p, "an id is not defined");
}

/* The operators of a level, longest first; a space stands for "none". */
static char operator_at(parser *p, int level)
{
	static const struct { int level; const char *text; char op; } all[] = {
		{ 0, "||", '|' }, { 0, "OR", '|' }, { 1, "&&", '&' }, { 1, "AND", '&' }, { 2, "<=", 'l' },
		{ 2, ">=", 'g' }, { 2, "==", '=' }, { 2, "!=", '!' }, { 2, "<", '<' },   { 2, ">", '>' },
		{ 3, "+", '+' },  { 3, "-", '-' },  { 4, "*", '*' },  { 4, "/", '/' },   { 5, "^", '^' },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].level == level && eat(p, str_c(all[i].text)))
			return all[i].op;
	return 0;
}

static err parse(parser *p, int level, math_value *out)
{
	if (level > 5)
		return atom(p, out);
	TRY(parse(p, level + 1, out));
	for (char op; (op = operator_at(p, level));) {
		math_value right;
		TRY(parse(p, level + 1, &right));
		*out = combine(p, op, *out, right);
	}
	return OK;
}

err math_evaluate(req *rq, const math_scope *scope, str expression, math_value *out)
{
	parser p = { .rq = rq, .scope = scope, .whole = expression, .rest = expression };
	TRY(parse(&p, 0, out));
	blanks(&p);
	return p.rest.n == 0 ? OK : wrong(&p, "unexpected text at its end");
}
