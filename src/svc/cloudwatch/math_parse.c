#include "math_inside.h"

#define DEPTH_MAX 50

typedef struct parser {
	req *rq;
	str name, rest;
	unsigned depth;
} parser;

err math_wrong(req *rq, str name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str why = arena_vfmt(rq->mem, format, args);
	va_end(args);
	return fail(rq, &aws_ValidationException, "Error in expression '%.*s': %.*s", STR_ARG(name),
	            STR_ARG(why));
}

static void blanks(parser *p)
{
	while (p->rest.n && (unsigned char)p->rest.p[0] <= ' ')
		p->rest = str_sub(p->rest, 1, p->rest.n);
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool eat(parser *p, const char *token)
{
	str t = str_c(token);
	blanks(p);
	if (!str_starts(p->rest, t) || (word_char(t.p[0]) && p->rest.n > t.n && word_char(p->rest.p[t.n])))
		return false;
	p->rest = str_sub(p->rest, t.n, p->rest.n);
	return true;
}

static err unexpected(parser *p)
{
	blanks(p);
	return p->rest.n ? math_wrong(p->rq, p->name, "Unexpected token '%.*s'",
	                              STR_ARG(str_sub(p->rest, 0, p->rest.n < 20 ? p->rest.n : 20)))
					 : math_wrong(p->rq, p->name, "Unexpected end of expression");
}

static math_node *node_new(parser *p, node_kind kind)
{
	math_node *n = arena_new(p->rq->mem, math_node);
	n->kind = kind;
	return n;
}

static err parse(parser *p, int level, math_node **out);

static err members(parser *p, math_node *of, const char *end)
{
	math_node **last = &of->first;
	if (eat(p, end))
		return OK;
	do {
		if (of->n == MATH_ARGUMENTS_MAX)
			return math_wrong(p->rq, p->name, "Too many arguments");
		TRY(parse(p, 0, last));
		last = &(*last)->next;
		of->n++;
	} while (eat(p, ","));
	return eat(p, end) ? OK : unexpected(p);
}

static err quoted(parser *p, math_node **out)
{
	char mark = p->rest.p[0];
	buf b = buf_in(p->rq->mem, 64, 4096);
	size_t i = 1;
	/* A search expression's own escapes stay: it reads them itself. */
	for (; i < p->rest.n && p->rest.p[i] != mark; i++) {
		if (p->rest.p[i] == '\\' && i + 1 < p->rest.n && p->rest.p[i + 1] == mark)
			i++;
		buf_c(&b, p->rest.p[i]);
	}
	if (i >= p->rest.n)
		return math_wrong(p->rq, p->name, "Unterminated string");
	p->rest = str_sub(p->rest, i + 1, p->rest.n);
	*out = node_new(p, NODE_TEXT);
	(*out)->text = buf_str(&b);
	return OK;
}

static err number(parser *p, math_node **out)
{
	size_t n = 0;
	while (n < p->rest.n
	       && ((p->rest.p[n] >= '0' && p->rest.p[n] <= '9') || p->rest.p[n] == '.' || p->rest.p[n] == 'e'
	           || p->rest.p[n] == 'E'
	           || ((p->rest.p[n] == '-' || p->rest.p[n] == '+') && n
	               && (p->rest.p[n - 1] == 'e' || p->rest.p[n - 1] == 'E'))))
		n++;
	*out = node_new(p, NODE_NUMBER);
	if (!str_to_f64(str_sub(p->rest, 0, n), &(*out)->number))
		return unexpected(p);
	p->rest = str_sub(p->rest, n, p->rest.n);
	return OK;
}

static err named(parser *p, math_node **out)
{
	size_t n = 0;
	while (n < p->rest.n && word_char(p->rest.p[n]))
		n++;
	if (!n)
		return unexpected(p);
	str word = str_sub(p->rest, 0, n);
	p->rest = str_sub(p->rest, n, p->rest.n);
	bool upper = word.p[0] >= 'A' && word.p[0] <= 'Z';
	*out = node_new(p, upper ? NODE_WORD : NODE_NAME);
	(*out)->text = word;
	if (!eat(p, "("))
		return OK;
	(*out)->kind = NODE_CALL;
	return members(p, *out, ")");
}

static err atom(parser *p, math_node **out)
{
	err e;
	blanks(p);
	if (!p->rest.n)
		return unexpected(p);
	if (++p->depth > DEPTH_MAX)
		return math_wrong(p->rq, p->name, "The expression is nested too deeply");
	char c = p->rest.p[0];
	if (eat(p, "(")) {
		e = parse(p, 0, out);
		if (!e && !eat(p, ")"))
			e = unexpected(p);
	} else if (eat(p, "[")) {
		*out = node_new(p, NODE_LIST);
		e = members(p, *out, "]");
	} else if (eat(p, "-")) {
		*out = node_new(p, NODE_OPERATOR);
		(*out)->op = 'n';
		e = parse(p, 5, &(*out)->first);
	} else if (c == '\'' || c == '"') {
		e = quoted(p, out);
	} else if ((c >= '0' && c <= '9') || c == '.') {
		e = number(p, out);
	} else {
		e = named(p, out);
	}
	p->depth--;
	return e;
}

/* The operator of a level, longer ones first; 0: there is none. */
static char operator_at(parser *p, int level)
{
	static const struct {
		int level;
		const char *text;
		char op;
	} all[] = {
		{ 0, "||", '|' }, { 0, "OR", '|' }, { 1, "&&", '&' }, { 1, "AND", '&' }, { 2, "<=", 'l' },
		{ 2, ">=", 'g' }, { 2, "==", '=' }, { 2, "!=", '!' }, { 2, "<", '<' },   { 2, ">", '>' },
		{ 3, "+", '+' },  { 3, "-", '-' },  { 4, "*", '*' },  { 4, "/", '/' },   { 5, "^", '^' },
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].level == level && eat(p, all[i].text))
			return all[i].op;
	return 0;
}

static err parse(parser *p, int level, math_node **out)
{
	if (level > 5)
		return atom(p, out);
	TRY(parse(p, level + 1, out));
	for (char op; (op = operator_at(p, level));) {
		math_node *n = node_new(p, NODE_OPERATOR);
		n->op = op;
		n->first = *out;
		TRY(parse(p, level + 1, &n->first->next));
		*out = n;
	}
	return OK;
}

err math_parse(req *rq, str name, str expression, math_node **out)
{
	parser p = { .rq = rq, .name = name, .rest = expression };
	TRY(parse(&p, 0, out));
	blanks(&p);
	return p.rest.n == 0 ? OK : unexpected(&p);
}

static bool mention_at(const math_node *n, size_t *left, str *id)
{
	if (n->kind == NODE_NAME && (*left)-- == 0) {
		*id = n->text;
		return true;
	}
	for (const math_node *c = n->first; c; c = c->next)
		if (mention_at(c, left, id))
			return true;
	return false;
}

bool math_mentions(const math_node *n, size_t *position, str *id)
{
	size_t left = (*position)++;
	return mention_at(n, &left, id);
}

static const math_node *call_of(const math_node *n, str function)
{
	if (n->kind == NODE_CALL && str_eq(n->text, function))
		return n;
	for (const math_node *c = n->first; c; c = c->next) {
		const math_node *found = call_of(c, function);
		if (found)
			return found;
	}
	return NULL;
}

bool math_calls(const math_node *n, str function) { return call_of(n, function) != NULL; }

int64_t math_search_period(const math_node *n)
{
	const math_node *call = call_of(n, S("SEARCH"));
	const math_node *period = call && call->n == 3 ? call->first->next->next : NULL;
	return period && period->kind == NODE_NUMBER ? (int64_t)period->number : 0;
}
