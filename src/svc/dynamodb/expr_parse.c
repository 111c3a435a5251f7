#include "svc/dynamodb/expr_inside.h"

static expr *parse_or(parser *p);

expr *expr_new(parser *p, expr_kind kind, str text)
{
	expr *e = arena_new(p->env->mem, expr);
	e->kind = kind;
	e->text = text;
	if (kind != EXPR_PATH && kind != EXPR_VALUE)
		p->operators++;
	return e;
}

/* Room doubles at the powers of two. */
void expr_add(parser *p, expr *e, expr *arg)
{
	if ((e->n & (e->n - 1)) == 0) {
		expr **wider = arena_array(p->env->mem, expr *, e->n ? e->n * 2 : 1);
		if (e->n)
			memcpy(wider, e->args, e->n * sizeof *wider);
		e->args = wider;
	}
	e->args[e->n++] = arg;
}

static bool keyword(const parser *p)
{
	static const char *const in_conditions[] = { "AND", "OR", "NOT", "BETWEEN", "IN", NULL };
	static const char *const in_updates[] = { "SET", "REMOVE", "ADD", "DELETE", NULL };
	for (const char *const *w = p->update ? in_updates : in_conditions; *w; w++)
		if (at_keyword(p, *w))
			return true;
	return false;
}

static void path_add(parser *p, path *to, path_part part)
{
	if ((to->n & (to->n - 1)) == 0) {
		path_part *wider = arena_array(p->env->mem, path_part, to->n ? to->n * 2 : 1);
		if (to->n)
			memcpy(wider, to->v, to->n * sizeof *wider);
		to->v = wider;
	}
	to->v[to->n++] = part;
}

static void path_name(parser *p, path *to)
{
	if (p->at.kind != TOKEN_NAME_REF && (p->at.kind != TOKEN_NAME || keyword(p))) {
		syntax_error(p);
		return;
	}
	path_add(p, to, (path_part){ .name = p->at.text });
	parser_advance(p);
}

static void path_index(parser *p, path *to)
{
	int64_t index;
	if (p->at.kind != TOKEN_NUMBER) {
		syntax_error(p);
		return;
	}
	if (!str_to_i64(p->at.text, &index) || index > INT32_MAX) {
		p->why = arena_fmt(p->env->mem,
		                   "List index is not within the allowable range; index: [%.*s]",
		                   STR_ARG(p->at.text));
		return;
	}
	path_add(p, to, (path_part){ .index = (uint32_t)index });
	parser_advance(p);
	want_sign(p, "]");
}

/* .name and [0], as many as follow. */
static void path_rest(parser *p, path *to)
{
	while (!str_is(p->why)) {
		if (take_sign(p, "."))
			path_name(p, to);
		else if (take_sign(p, "["))
			path_index(p, to);
		else
			return;
	}
}

path parse_path(parser *p)
{
	path parsed = { 0 };
	path_name(p, &parsed);
	path_rest(p, &parsed);
	return parsed;
}

static expr *parse_call(parser *p, str name)
{
	expr *call = expr_new(p, EXPR_CALL, name);
	do
		expr_add(p, call, parse_operand(p));
	while (!str_is(p->why) && take_sign(p, ","));
	want_sign(p, ")");
	return call;
}

static expr *parse_plain_operand(parser *p)
{
	if (p->at.kind == TOKEN_VALUE_REF) {
		expr *e = expr_new(p, EXPR_VALUE, p->at.text);
		parser_advance(p);
		return e;
	}
	token name = p->at;
	expr *e = expr_new(p, EXPR_PATH, STR_NONE);
	path_name(p, &e->path);
	if (name.kind == TOKEN_NAME && take_sign(p, "("))
		return parse_call(p, name.text);
	path_rest(p, &e->path);
	return e;
}

static bool deeper(parser *p)
{
	if (++p->depth <= EXPR_DEPTH_MAX)
		return true;
	if (!str_is(p->why))
		p->why = S("The expression is nested too deeply");
	return false;
}

/* After the ")" of a group: notes doubled parentheses, and lets a path go on. */
static expr *group(parser *p, expr *inner)
{
	if (inner->grouped)
		p->redundant_parentheses = true;
	inner->grouped = true;
	if (inner->kind == EXPR_PATH && (at_sign(p, ".") || at_sign(p, "["))) {
		path_rest(p, &inner->path);
		inner->grouped = false;
	}
	return inner;
}

expr *parse_operand(parser *p)
{
	expr *e;
	if (!at_sign(p, "("))
		return parse_plain_operand(p);
	if (!deeper(p))
		return expr_new(p, EXPR_PATH, STR_NONE);
	parser_advance(p);
	e = parse_operand(p);
	p->depth--;
	want_sign(p, ")");
	return group(p, e);
}

static bool is_operand(const expr *e)
{
	return e->kind <= EXPR_CALL;
}

static bool at_comparator(const parser *p)
{
	return p->at.kind == TOKEN_SIGN && memchr("=<>", *p->at.text.p, 3);
}

static expr *parse_between(parser *p, expr *left, str operator)
{
	expr *e = expr_new(p, EXPR_BETWEEN, operator);
	expr_add(p, e, left);
	expr_add(p, e, parse_operand(p));
	if (!take_keyword(p, "AND"))
		syntax_error(p);
	expr_add(p, e, parse_operand(p));
	return e;
}

static expr *parse_in(parser *p, expr *left, str operator)
{
	expr *e = expr_new(p, EXPR_IN, operator);
	expr_add(p, e, left);
	want_sign(p, "(");
	do
		expr_add(p, e, parse_operand(p));
	while (!str_is(p->why) && take_sign(p, ","));
	want_sign(p, ")");
	return e;
}

/* What follows an operand on the left. */
static expr *parse_comparison(parser *p, expr *left)
{
	str operator = p->at.text;
	if (at_comparator(p)) {
		parser_advance(p);
		expr *e = expr_new(p, EXPR_COMPARE, operator);
		expr_add(p, e, left);
		expr_add(p, e, parse_operand(p));
		return e;
	}
	if (take_keyword(p, "BETWEEN"))
		return parse_between(p, left, operator);
	if (take_keyword(p, "IN"))
		return parse_in(p, left, operator);
	return left;
}

/*
 * "(" may open a condition or an operand: only what follows its ")" tells. So a bare operand in
 * parentheses is taken as it comes, and whoever needed a condition refuses it at the next token.
 */
static expr *parse_primary(parser *p)
{
	if (!at_sign(p, "("))
		return parse_comparison(p, parse_plain_operand(p));
	if (!deeper(p))
		return expr_new(p, EXPR_PATH, STR_NONE);
	parser_advance(p);
	expr *inner = parse_or(p);
	p->depth--;
	want_sign(p, ")");
	inner = group(p, inner);
	return is_operand(inner) ? parse_comparison(p, inner) : inner;
}

static expr *condition_or_error(parser *p, expr *e)
{
	if (is_operand(e) && e->kind != EXPR_CALL)
		syntax_error(p);
	return e;
}

static expr *parse_not(parser *p)
{
	str operator = p->at.text;
	if (!take_keyword(p, "NOT"))
		return parse_primary(p);
	expr *e = expr_new(p, EXPR_NOT, operator);
	if (deeper(p))
		expr_add(p, e, condition_or_error(p, parse_not(p)));
	p->depth--;
	return e;
}

/* x AND y AND z as one node; a single operand as it is. */
static expr *parse_chain(parser *p, const char *word, expr_kind kind, expr *(*next)(parser *p))
{
	expr *first = next(p), *chain = NULL;
	while (!str_is(p->why) && at_keyword(p, word)) {
		str operator = p->at.text;
		condition_or_error(p, first);
		if (str_is(p->why))
			break;
		parser_advance(p);
		if (!chain) {
			chain = expr_new(p, kind, operator);
			expr_add(p, chain, first);
		} else {
			p->operators++;
		}
		first = next(p);
		expr_add(p, chain, first);
		condition_or_error(p, first);
	}
	return chain ? chain : first;
}

static expr *parse_and(parser *p)
{
	return parse_chain(p, "AND", EXPR_AND, parse_not);
}

static expr *parse_or(parser *p)
{
	return parse_chain(p, "OR", EXPR_OR, parse_and);
}

expr *parse_condition(parser *p)
{
	expr *e = condition_or_error(p, parse_or(p));
	if (!str_is(p->why) && p->at.kind != TOKEN_END)
		syntax_error(p);
	return e;
}

static str too_much(const parser *p)
{
	if (p->operators <= EXPR_OPERATORS_MAX)
		return STR_NONE;
	return arena_fmt(p->env->mem,
	                 "The expression contains too many operators; number of operators: %zu",
	                 p->operators);
}

static str in_full(expr_env *env, const char *what, str why)
{
	return str_is(why) ? arena_fmt(env->mem, "Invalid %s: %.*s", what, STR_ARG(why)) : STR_NONE;
}

static str size_why(expr_env *env, const char *what, str text)
{
	if (!text.n)
		return in_full(env, what, S("The expression can not be empty;"));
	if (text.n <= EXPR_BYTES_MAX)
		return STR_NONE;
	return arena_fmt(env->mem,
	                 "Invalid %s: Expression size has exceeded the maximum allowed size; "
	                 "expression size: %zu", what, text.n);
}

str expr_condition(expr_env *env, const char *what, str text, expr **out)
{
	str why = size_why(env, what, text);
	if (str_is(why))
		return why;
	parser p = parser_of(env, text, false);
	checker c = { .env = env };
	*out = parse_condition(&p);
	why = str_is(p.why) ? p.why : too_much(&p);
	if (str_is(why))
		return in_full(env, what, why);
	if (p.redundant_parentheses)
		check_fault(&c, RANK_PARENTHESES, "The expression has redundant parentheses;");
	check_condition(&c, *out);
	return check_result(&c, what);
}

str expr_update(expr_env *env, str text, update *out)
{
	str why = size_why(env, "UpdateExpression", text), section = STR_NONE;
	if (str_is(why))
		return why;
	parser p = parser_of(env, text, true);
	checker c = { .env = env, .update = true };
	*out = parse_update(&p, &section);
	why = str_is(p.why) ? p.why : too_much(&p);
	if (str_is(why))
		return in_full(env, "UpdateExpression", why);
	if (p.redundant_parentheses)
		check_fault(&c, RANK_PARENTHESES, "The expression has redundant parentheses;");
	if (str_is(section))
		check_fault(&c, RANK_SECTION,
		            "The \"%.*s\" section can only be used once in an update expression;",
		            STR_ARG(section));
	check_update(&c, out);
	return check_result(&c, "UpdateExpression");
}

str expr_projection(expr_env *env, const char *what, str text, projection *out)
{
	str why = size_why(env, what, text);
	if (str_is(why))
		return why;
	parser p = parser_of(env, text, false);
	checker c = { .env = env };
	size_t most = text.n / 2 + 1;
	path *v = arena_array(env->mem, path, most);
	const path **all = arena_array(env->mem, const path *, most);
	*out = (projection){ .v = v };
	do
		v[out->n++] = parse_path(&p);
	while (!str_is(p.why) && take_sign(&p, ","));
	if (!str_is(p.why) && p.at.kind != TOKEN_END)
		syntax_error(&p);
	if (str_is(p.why))
		return in_full(env, what, p.why);
	for (size_t i = 0; i < out->n; i++) {
		check_path(&c, &v[i]);
		all[i] = &v[i];
	}
	check_paths_apart(&c, all, out->n);
	return check_result(&c, what);
}
