#include "svc/dynamodb/expr_inside.h"

static const char *const sections[] = { "SET", "REMOVE", "ADD", "DELETE" };

/* operand, operand + operand, or either in parentheses. */
static expr *parse_set_value(parser *p)
{
	expr *left;
	if (at_sign(p, "(") && p->depth < EXPR_DEPTH_MAX) {
		p->depth++;
		parser_advance(p);
		left = parse_set_value(p);
		p->depth--;
		want_sign(p, ")");
		if (left->grouped)
			p->redundant_parentheses = true;
		left->grouped = true;
		if (left->kind == EXPR_PLUS || left->kind == EXPR_MINUS)
			return left;
	} else {
		left = parse_operand(p);
	}
	if (!at_sign(p, "+") && !at_sign(p, "-"))
		return left;
	expr *sum = expr_new(p, at_sign(p, "+") ? EXPR_PLUS : EXPR_MINUS, p->at.text);
	parser_advance(p);
	expr_add(p, sum, left);
	expr_add(p, sum, parse_operand(p));
	return sum;
}

static expr *parse_value_ref(parser *p)
{
	expr *e = expr_new(p, EXPR_VALUE, p->at.text);
	if (p->at.kind == TOKEN_VALUE_REF)
		parser_advance(p);
	else
		syntax_error(p);
	return e;
}

static void parse_action(parser *p, update_action *a)
{
	a->path = parse_path(p);
	if (a->kind == UPDATE_REMOVE)
		return;
	if (a->kind != UPDATE_SET) {
		a->operand = parse_value_ref(p);
		return;
	}
	want_sign(p, "=");
	a->operand = parse_set_value(p);
}

static bool at_section(const parser *p, update_kind *kind)
{
	for (update_kind k = UPDATE_SET; k <= UPDATE_DELETE; k++) {
		if (at_keyword(p, sections[k])) {
			*kind = k;
			return true;
		}
	}
	return false;
}

update parse_update(parser *p, str *repeated_section)
{
	/* No action is shorter than a letter and what parts it from the next. */
	update u = { .v = arena_array(p->env->mem, update_action, p->text.n / 2 + 2) };
	bool seen[4] = { false };
	do {
		update_kind kind = UPDATE_SET;
		if (!at_section(p, &kind)) {
			syntax_error(p);
			break;
		}
		if (seen[kind] && !str_is(*repeated_section))
			*repeated_section = str_c(sections[kind]);
		seen[kind] = true;
		parser_advance(p);
		do {
			u.v[u.n].kind = kind;
			parse_action(p, &u.v[u.n++]);
		} while (!str_is(p->why) && take_sign(p, ","));
	} while (!str_is(p->why) && p->at.kind != TOKEN_END);
	return u;
}
