#include "plan/expr.h"
#include "plan/expr_inside.h"

#define NESTING_MAX 64

typedef struct parser {
	arena *mem;
	str text;
	size_t at;
	unsigned deep;
	err fault;
} parser;

static const expr *parse_choice(parser *p);

static const expr *wrong(parser *p, const char *what)
{
	if (!p->fault)
		p->fault = fault_new(p->mem, &fault_syntax, "%s at column %zu of: %.*s", what, p->at + 1,
		                     STR_ARG(p->text));
	return NULL;
}

static const expr *node(parser *p, expr_op op, const expr *a, const expr *b, const expr *c)
{
	expr *x = arena_new(p->mem, expr);
	const expr *all[] = { a, b, c };
	x->op = op;
	x->n = c ? 3 : b ? 2 : a ? 1 : 0;
	x->args = arena_array(p->mem, const expr *, 3);
	for (size_t i = 0; i < x->n; i++)
		x->args[i] = all[i];
	return x;
}

static const expr *named(parser *p, expr_op op, str name, const expr *a)
{
	expr *x = (expr *)node(p, op, a, NULL, NULL);
	x->name = name;
	return x;
}

static const expr *literal(parser *p, value v)
{
	expr *x = (expr *)node(p, EXPR_LITERAL, NULL, NULL, NULL);
	x->literal = v;
	return x;
}

static void skip_blanks(parser *p)
{
	while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t'))
		p->at++;
}

static bool is_at(parser *p, str token)
{
	skip_blanks(p);
	return str_starts(str_sub(p->text, p->at, p->text.n), token);
}

static bool take(parser *p, str token)
{
	bool found = is_at(p, token);
	p->at += found ? token.n : 0;
	return found;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && is_digit(c));
}

static str take_name(parser *p)
{
	size_t from = p->at;
	while (p->at < p->text.n && is_name(p->text.p[p->at], p->at == from))
		p->at++;
	return str_sub(p->text, from, p->at);
}

static const expr *parse_number(parser *p)
{
	size_t from = p->at;
	num n;
	while (p->at < p->text.n && (is_digit(p->text.p[p->at]) || p->text.p[p->at] == '.'))
		p->at++;
	if (!num_parse(str_sub(p->text, from, p->at), &n))
		return wrong(p, "no number");
	return literal(p, pval_number(n));
}

static const expr *parse_text(parser *p)
{
	size_t end = str_find_char(str_sub(p->text, p->at + 1, p->text.n), '"');
	if (end == SIZE_MAX)
		return wrong(p, "an open quote");
	str text = str_sub(p->text, p->at + 1, p->at + 1 + end);
	p->at += end + 2;
	/* Written out, empty text is text. */
	return literal(p, (value){ .kind = VALUE_TEXT, .text = text });
}

static const expr *parse_call(parser *p, str name)
{
	const expr *args[EXPR_ARGUMENTS];
	size_t n = 0;
	const function *f = expr_function(name);
	if (!f)
		return wrong(p, "no such function");
	while (!take(p, S(")"))) {
		if (n == EXPR_ARGUMENTS || (n > 0 && !take(p, S(","))))
			return wrong(p, "a comma or a parenthesis is missing");
		if (!(args[n++] = parse_choice(p)))
			return NULL;
	}
	if (n < f->least || n > f->most)
		return wrong(p, "too few or too many arguments");
	expr *x = (expr *)named(p, EXPR_CALL, name, NULL);
	x->function = f;
	x->args = arena_array(p->mem, const expr *, n);
	for (size_t i = 0; i < n; i++)
		x->args[i] = args[i];
	x->n = n;
	return x;
}

static const expr *parse_word(parser *p)
{
	str name = take_name(p);
	if (str_eq(name, S("true")) || str_eq(name, S("false")))
		return literal(p, pval_bool(str_eq(name, S("true"))));
	if (str_eq(name, S("null")))
		return literal(p, NOTHING);
	return take(p, S("(")) ? parse_call(p, name) : named(p, EXPR_VARIABLE, name, NULL);
}

static const expr *parse_primary(parser *p)
{
	skip_blanks(p);
	char c = p->at < p->text.n ? p->text.p[p->at] : 0;
	if (c == '"')
		return parse_text(p);
	if (is_digit(c))
		return parse_number(p);
	if (c == '.' || c == '$') {
		p->at++;
		str name = take_name(p);
		expr_op op = c == '.' ? EXPR_ATTRIBUTE : EXPR_USAGE;
		return name.n ? named(p, op, name, NULL) : wrong(p, "a name is missing");
	}
	if (is_name(c, true))
		return parse_word(p);
	if (!take(p, S("(")))
		return wrong(p, "a value is missing");
	const expr *x = parse_choice(p);
	return x && !take(p, S(")")) ? wrong(p, "a parenthesis is missing") : x;
}

static const expr *parse_postfix(parser *p)
{
	const expr *x = parse_primary(p);
	while (x && p->at < p->text.n) {
		/* No blank before it: "a .b" would be two values. */
		if (p->text.p[p->at] == '.') {
			p->at++;
			str name = take_name(p);
			x = name.n ? named(p, EXPR_MEMBER, name, x) : wrong(p, "a name is missing");
		} else if (p->text.p[p->at] == '[') {
			p->at++;
			const expr *i = parse_choice(p);
			x = !i ? NULL : take(p, S("]")) ? node(p, EXPR_INDEX, x, i, NULL) : wrong(p, "a ] is missing");
		} else {
			break;
		}
	}
	return x;
}

static const expr *parse_unary(parser *p)
{
	if (p->deep >= NESTING_MAX)
		return wrong(p, "nested too deep");
	p->deep++;
	bool denied = !is_at(p, S("!=")) && take(p, S("!")), minus = !denied && take(p, S("-"));
	const expr *x = denied || minus ? parse_unary(p) : parse_postfix(p);
	p->deep--;
	return x && (denied || minus) ? node(p, denied ? EXPR_NOT : EXPR_MINUS, x, NULL, NULL) : x;
}

typedef struct binary {
	const char *token;
	expr_op op;
	int level;
} binary;

/* Longer tokens before those that begin them. */
static const binary binaries[] = {
	{ "??", EXPR_OR_ELSE, 1 }, { "||", EXPR_OR, 2 }, { "&&", EXPR_AND, 3 }, { "==", EXPR_EQUAL, 4 },
	{ "!=", EXPR_DIFFERENT, 4 }, { "<=", EXPR_AT_MOST, 4 }, { ">=", EXPR_AT_LEAST, 4 }, { "<", EXPR_LESS, 4 },
	{ ">", EXPR_MORE, 4 }, { "~", EXPR_FITS, 4 }, { "+", EXPR_ADD, 5 }, { "-", EXPR_SUBTRACT, 5 },
	{ "*", EXPR_MULTIPLY, 6 }, { "/", EXPR_DIVIDE, 6 },
};

static const binary *binary_at(parser *p, int level)
{
	for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
		if (is_at(p, str_c(binaries[i].token)))
			return binaries[i].level >= level ? &binaries[i] : NULL;
	return NULL;
}

static const expr *parse_binary(parser *p, int level)
{
	const expr *x = parse_unary(p);
	const binary *b;
	while (x && (b = binary_at(p, level))) {
		take(p, str_c(b->token));
		const expr *right = parse_binary(p, b->level + 1);
		x = right ? node(p, b->op, x, right, NULL) : NULL;
	}
	return x;
}

static const expr *parse_choice(parser *p)
{
	if (p->deep >= NESTING_MAX)
		return wrong(p, "nested too deep");
	p->deep++;
	const expr *x = parse_binary(p, 1);
	if (x && !is_at(p, S("??")) && take(p, S("?"))) {
		const expr *yes = parse_choice(p);
		if (yes && !take(p, S(":")))
			yes = wrong(p, "a colon is missing");
		const expr *no = yes ? parse_choice(p) : NULL;
		x = no ? node(p, EXPR_CHOICE, x, yes, no) : NULL;
	}
	p->deep--;
	return x;
}

err expr_parse(arena *mem, str text, const expr **out)
{
	parser p = { .mem = mem, .text = text };
	const expr *x = parse_choice(&p);
	skip_blanks(&p);
	if (x && p.at < text.n)
		wrong(&p, "more than an expression");
	if (p.fault)
		return p.fault;
	*out = x;
	return OK;
}

err template_parse(arena *mem, str text, const expr **out)
{
	parser p = { .mem = mem, .text = text };
	const expr **parts = arena_array(mem, const expr *, text.n + 1);
	expr *all = (expr *)node(&p, EXPR_TEMPLATE, NULL, NULL, NULL);
	size_t n = 0;
	for (str rest = text; rest.n;) {
		size_t open = str_find_char(rest, '{');
		if (open == SIZE_MAX)
			open = rest.n;
		if (open > 0)
			parts[n++] = literal(&p, pval_text(str_sub(rest, 0, open)));
		rest = str_sub(rest, open, rest.n);
		if (!rest.n)
			break;
		size_t close = str_find_char(rest, '}');
		if (close == SIZE_MAX)
			return fault_new(mem, &fault_syntax, "an open brace in: %.*s", STR_ARG(text));
		TRY(expr_parse(mem, str_sub(rest, 1, close), &parts[n++]));
		rest = str_sub(rest, close + 1, rest.n);
	}
	all->args = parts;
	all->n = n;
	*out = all;
	return OK;
}

str template_pattern(arena *mem, const expr *x)
{
	buf b = buf_in(mem, 64, 4096);
	for (size_t i = 0; i < x->n; i++)
		buf_put(&b, x->args[i]->op == EXPR_LITERAL ? x->args[i]->literal.text : S("*"));
	return buf_str(&b);
}
