#include "svc/dynamodb/partiql_inside.h"

static expr *parse_or(pql *p);

expr *pql_node(pql *p, expr_kind kind, str text, size_t n)
{
	expr *e = arena_new(p->mem, expr);
	*e = (expr){ .kind = kind, .text = text, .args = arena_array(p->mem, expr *, n + 1), .n = n };
	return e;
}

static void add_arg(pql *p, expr *e, expr *arg)
{
	if ((e->n & (e->n - 1)) == 0) {
		expr **wider = arena_array(p->mem, expr *, e->n ? e->n * 2 : 1);
		for (size_t i = 0; i < e->n; i++)
			wider[i] = e->args[i];
		e->args = wider;
	}
	e->args[e->n++] = arg;
}

static void add_part(pql *p, path *to, path_part part)
{
	path_part *wider = arena_array(p->mem, path_part, to->n + 1);
	for (size_t i = 0; i < to->n; i++)
		wider[i] = to->v[i];
	to->v = wider;
	to->v[to->n++] = part;
}

static path path_rest(pql *p, str first)
{
	path out = { 0 };
	int64_t index;
	add_part(p, &out, (path_part){ .name = first });
	while (!str_is(p->why)) {
		if (pql_take_sign(p, ".")) {
			add_part(p, &out, (path_part){ .name = pql_name(p) });
		} else if (pql_take_sign(p, "[")) {
			if (p->at.kind != PQL_NUMBER || !str_to_i64(p->at.text, &index) || index > INT32_MAX)
				pql_unexpected(p);
			else
				add_part(p, &out, (path_part){ .index = (uint32_t)index });
			pql_advance(p);
			pql_want_sign(p, "]");
		} else {
			break;
		}
	}
	return out;
}

path pql_path(pql *p)
{
	return path_rest(p, pql_name(p));
}

static expr *constant(pql *p, value v)
{
	expr *e = pql_node(p, EXPR_VALUE, STR_NONE, 0);
	e->value = v;
	return e;
}

typedef struct function {
	const char *name;
	size_t least, most;
} function;

static const function functions[] = {
	{ "attribute_type", 2, 2 }, { "begins_with", 2, 2 }, { "contains", 2, 2 },  { "size", 1, 1 },
	{ "list_append", 2, 2 },    { "set_add", 2, 2 },     { "set_delete", 2, 2 }, { "if_not_exists", 2, 2 },
};

/* After its "(": names of functions are not case sensitive here. */
static expr *call(pql *p, str name)
{
	expr *e = pql_node(p, EXPR_CALL, STR_NONE, 0);
	const function *f = NULL;
	for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
		if (str_eq_nocase(name, str_c(functions[i].name)))
			f = &functions[i];
	if (!f) {
		pql_refuse(p, "Invalid function name");
		return e;
	}
	e->text = str_c(f->name);
	if (pql_deeper(p) && !pql_at_sign(p, ")"))
		do
			add_arg(p, e, pql_operand(p));
		while (!str_is(p->why) && pql_take_sign(p, ","));
	p->depth--;
	pql_want_sign(p, ")");
	if (e->n < f->least || e->n > f->most)
		pql_refuse(p, "Incorrect number of operands for function");
	return e;
}

static expr *term(pql *p)
{
	if (pql_at_value(p))
		return constant(p, pql_value(p));
	expr *e = pql_node(p, EXPR_PATH, STR_NONE, 0);
	if (pql_take_sign(p, "(")) {
		if (pql_deeper(p))
			e = pql_operand(p);
		p->depth--;
		pql_want_sign(p, ")");
		return e;
	}
	bool bare = p->at.kind == PQL_NAME;
	str name = pql_name(p);
	if (bare && pql_take_sign(p, "("))
		return call(p, name);
	e->path = path_rest(p, name);
	return e;
}

/* A sum has two operands at most: more of them are sums of sums, which the evaluator takes from the left. */
expr *pql_operand(pql *p)
{
	expr *left = term(p);
	while (!str_is(p->why) && (pql_at_sign(p, "+") || pql_at_sign(p, "-"))) {
		expr *sum = pql_node(p, pql_at_sign(p, "+") ? EXPR_PLUS : EXPR_MINUS, p->at.text, 2);
		if (!pql_deeper(p))
			break;
		pql_advance(p);
		sum->args[0] = left;
		sum->args[1] = term(p);
		left = sum;
	}
	return left;
}

static expr *negated(pql *p, expr *e, bool really)
{
	if (!really)
		return e;
	expr *not = pql_node(p, EXPR_NOT, S("NOT"), 1);
	not->args[0] = e;
	return not;
}

static expr *between(pql *p, expr *left)
{
	expr *e = pql_node(p, EXPR_BETWEEN, S("BETWEEN"), 3);
	e->args[0] = left;
	e->args[1] = pql_operand(p);
	pql_want_word(p, "AND");
	e->args[2] = pql_operand(p);
	return e;
}

static expr *among(pql *p, expr *left)
{
	expr *e = pql_node(p, EXPR_IN, S("IN"), 0);
	bool square = pql_at_sign(p, "[");
	add_arg(p, e, left);
	if (!pql_take_sign(p, "["))
		pql_want_sign(p, "(");
	do
		add_arg(p, e, pql_operand(p));
	while (!str_is(p->why) && pql_take_sign(p, ","));
	pql_want_sign(p, square ? "]" : ")");
	return e;
}

/* IS [NOT] MISSING, IS [NOT] NULL */
static expr *is(pql *p, expr *left)
{
	bool not = pql_take_word(p, "NOT");
	if (pql_take_word(p, "MISSING")) {
		expr *e = pql_node(p, EXPR_CALL, not ? S("attribute_exists") : S("attribute_not_exists"), 1);
		e->args[0] = left;
		return e;
	}
	if (!pql_at_word(p, "NULL"))
		pql_unexpected(p);
	expr *e = pql_node(p, EXPR_COMPARE, S("="), 2);
	e->args[0] = left;
	e->args[1] = constant(p, pql_value(p));
	return negated(p, e, not);
}

static bool is_condition(const expr *e)
{
	return e->kind == EXPR_CALL && !str_eq(e->text, S("size")) && !str_ends(e->text, S("_append")) &&
	       !str_starts(e->text, S("set_")) && !str_starts(e->text, S("if_"));
}

static expr *predicate(pql *p)
{
	static const char *const signs[] = { "=", "<>", "!=", "<=", ">=", "<", ">" };
	expr *left = pql_operand(p);
	for (unsigned i = 0; i < sizeof signs / sizeof *signs; i++) {
		if (!pql_take_sign(p, signs[i]))
			continue;
		expr *e = pql_node(p, EXPR_COMPARE, str_c(i == 2 ? "<>" : signs[i]), 2);
		e->args[0] = left;
		e->args[1] = pql_operand(p);
		return e;
	}
	if (pql_take_word(p, "IS"))
		return is(p, left);
	bool not = pql_take_word(p, "NOT");
	if (pql_take_word(p, "BETWEEN"))
		return negated(p, between(p, left), not);
	if (pql_take_word(p, "IN"))
		return negated(p, among(p, left), not);
	if (not || !is_condition(left))
		pql_unexpected(p);
	return left;
}

/* "(" may open a condition or an operand: what follows tells, so the condition is tried first. */
static expr *primary(pql *p)
{
	if (!pql_at_sign(p, "("))
		return predicate(p);
	pql before = *p;
	pql_advance(p);
	expr *inner = pql_deeper(p) ? parse_or(p) : NULL;
	p->depth--;
	pql_want_sign(p, ")");
	if (!str_is(p->why) || before.depth > 8)
		return inner;
	pql tried = *p;
	*p = before;
	expr *e = predicate(p);
	if (str_is(p->why))
		*p = tried;
	return str_is(p->why) ? inner : e;
}

static expr *parse_not(pql *p)
{
	if (!pql_take_word(p, "NOT"))
		return primary(p);
	expr *e = pql_node(p, EXPR_NOT, S("NOT"), 1);
	e->args[0] = pql_node(p, EXPR_PATH, STR_NONE, 0);
	if (pql_deeper(p))
		e->args[0] = parse_not(p);
	p->depth--;
	return e;
}

static expr *chain(pql *p, const char *word, expr_kind kind, expr *(*next)(pql *p))
{
	expr *first = next(p);
	if (!pql_at_word(p, word))
		return first;
	expr *all = pql_node(p, kind, str_c(word), 0);
	add_arg(p, all, first);
	while (!str_is(p->why) && pql_take_word(p, word))
		add_arg(p, all, next(p));
	return all;
}

static expr *parse_and(pql *p)
{
	return chain(p, "AND", EXPR_AND, parse_not);
}

static expr *parse_or(pql *p)
{
	return chain(p, "OR", EXPR_OR, parse_and);
}

expr *pql_condition(pql *p)
{
	return parse_or(p);
}
