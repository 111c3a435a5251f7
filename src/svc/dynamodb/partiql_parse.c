#include "svc/dynamodb/partiql_inside.h"

static str component(pql *p)
{
	if (p->at.kind == PQL_QUOTED && !p->at.text.n)
		pql_say(p, S("Path component cannot be an empty string"));
	return pql_name(p);
}

/* "table" or "table"."index" */
static void table_name(pql *p, partiql *out)
{
	out->table = component(p);
	if (pql_take_sign(p, "."))
		out->index = component(p);
	if (pql_at_sign(p, "."))
		pql_say(p, S("A path may contain at most 2 components in the FROM clause"));
}

/* What has no order cannot be compared, begun with or lie between. */
static void check_order(pql *p, const expr *e)
{
	static const char ordered[] = { VALUE_S, VALUE_N, VALUE_B, 0 };
	bool equal = e->kind == EXPR_COMPARE && (str_eq(e->text, S("=")) || str_eq(e->text, S("<>")));
	bool begins = e->kind == EXPR_CALL && str_eq(e->text, S("begins_with"));
	if (equal || (e->kind != EXPR_COMPARE && e->kind != EXPR_BETWEEN && !begins))
		return;
	for (size_t i = 0; i < e->n; i++) {
		value_tag tag = value_tag_of(e->args[i]->value);
		if (e->args[i]->kind != EXPR_VALUE || (strchr(ordered, (int)tag) && !(begins && tag == VALUE_N)))
			continue;
		pql_say(p, arena_fmt(p->mem,
		                     "Incorrect operand type for operator or function; operator or function: %.*s, "
		                     "operand type: %s", STR_ARG(e->text), value_type(tag)));
	}
}

/* Conditions compare paths, values and sizes. */
static void check_where(pql *p, const expr *e)
{
	bool logic = e->kind == EXPR_AND || e->kind == EXPR_OR || e->kind == EXPR_NOT;
	check_order(p, e);
	for (size_t i = 0; i < e->n && !str_is(p->why); i++) {
		const expr *arg = e->args[i];
		bool size = arg->kind == EXPR_CALL && str_eq(arg->text, S("size"));
		if (logic || size)
			check_where(p, arg);
		else if (arg->kind != EXPR_PATH && arg->kind != EXPR_VALUE)
			pql_refuse(p, "Unexpected expression in WHERE");
	}
}

static void where(pql *p, partiql *out)
{
	if (!pql_take_word(p, "WHERE"))
		return;
	out->where = pql_condition(p);
	if (!str_is(p->why))
		check_where(p, out->where);
}

static void select_list(pql *p, partiql *out)
{
	size_t room = p->text.n / 2 + 2;
	if (pql_take_sign(p, "*"))
		return;
	out->project.v = arena_array(p->mem, path, room);
	do
		out->project.v[out->project.n++] = pql_path(p);
	while (!str_is(p->why) && pql_take_sign(p, ","));
}

static void order(pql *p, partiql *out)
{
	if (!pql_take_word(p, "ORDER"))
		return;
	pql_want_word(p, "BY");
	out->order = pql_name(p);
	out->descending = pql_take_word(p, "DESC");
	if (!out->descending)
		pql_take_word(p, "ASC");
}

static void select_from(pql *p, partiql *out)
{
	out->kind = PARTIQL_SELECT;
	select_list(p, out);
	pql_want_word(p, "FROM");
	table_name(p, out);
	where(p, out);
	order(p, out);
}

static void insert_into(pql *p, partiql *out)
{
	out->kind = PARTIQL_INSERT;
	pql_want_word(p, "INTO");
	table_name(p, out);
	pql_want_word(p, "VALUE");
	out->item = pql_value(p);
	if (!str_is(p->why) && value_is(out->item) && value_tag_of(out->item) != VALUE_M)
		pql_refuse(p, "Expected a map as the item");
}

/* RETURNING (ALL | MODIFIED) (OLD | NEW) * */
static void returning(pql *p, partiql *out)
{
	if (!pql_take_word(p, "RETURNING"))
		return;
	bool modified = pql_take_word(p, "MODIFIED");
	if (!modified)
		pql_want_word(p, "ALL");
	bool new = pql_take_word(p, "NEW");
	if (!new)
		pql_want_word(p, "OLD");
	pql_want_sign(p, "*");
	out->returning = modified ? (new ? RETURNING_MODIFIED_NEW : RETURNING_MODIFIED_OLD)
	                          : new ? RETURNING_ALL_NEW : RETURNING_ALL_OLD;
	if (out->kind != PARTIQL_DELETE || out->returning == RETURNING_ALL_OLD)
		return;
	pql_say(p, arena_fmt(p->mem,
	                     "Invalid returning clause: RETURNING %s %s *. Only RETURNING ALL OLD * is allowed "
	                     "in DELETE statements.", modified ? "MODIFIED" : "ALL", new ? "NEW" : "OLD"));
}

static bool same_path(const path *a, const path *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++)
		same = str_is(a->v[i].name) == str_is(b->v[i].name) && a->v[i].index == b->v[i].index &&
		       (!str_is(a->v[i].name) || str_eq(a->v[i].name, b->v[i].name));
	return same;
}

/* SET a = set_add(a, <<..>>) is DynamoDB's ADD, set_delete its DELETE. */
static void set_function(pql *p, update_action *a)
{
	const expr *e = a->operand;
	if (e->kind != EXPR_CALL || !str_starts(e->text, S("set_")))
		return;
	a->kind = str_eq(e->text, S("set_add")) ? UPDATE_ADD : UPDATE_DELETE;
	if (e->args[0]->kind != EXPR_PATH || !same_path(&e->args[0]->path, &a->path)
	    || e->args[1]->kind != EXPR_VALUE) {
		pql_refuse(p, "Set functions take the path that is set and a value");
		return;
	}
	value_tag tag = value_tag_of(e->args[1]->value);
	if (value_is(e->args[1]->value) && (tag < VALUE_SS || tag > VALUE_BS))
		pql_refuse(p, "Set functions take a set");
	a->operand = e->args[1];
}

/* What an assignment may compute: paths, values, sums, list_append, if_not_exists. */
static void check_operand(pql *p, const expr *e)
{
	bool function = e->kind == EXPR_CALL &&
	                (str_eq(e->text, S("list_append")) || str_eq(e->text, S("if_not_exists")));
	bool sum = e->kind == EXPR_PLUS || e->kind == EXPR_MINUS;
	if (e->kind != EXPR_PATH && e->kind != EXPR_VALUE && !function && !sum)
		pql_refuse(p, "Function is not allowed in SET");
	if (e->kind == EXPR_CALL && *e->text.p == 'i' && e->args[0]->kind != EXPR_PATH)
		pql_refuse(p, "if_not_exists requires a document path");
	for (size_t i = 0; (function || sum) && i < e->n; i++)
		check_operand(p, e->args[i]);
}

static void update_clauses(pql *p, partiql *out)
{
	out->update.v = arena_array(p->mem, update_action, p->text.n / 2 + 2);
	while (!str_is(p->why) && (pql_at_word(p, "SET") || pql_at_word(p, "REMOVE"))) {
		bool set = pql_at_word(p, "SET");
		pql_advance(p);
		do {
			update_action *a = &out->update.v[out->update.n++];
			a->kind = set ? UPDATE_SET : UPDATE_REMOVE;
			a->path = pql_path(p);
			if (!set)
				continue;
			pql_want_sign(p, "=");
			a->operand = pql_operand(p);
			if (str_is(p->why))
				return;
			set_function(p, a);
			check_operand(p, a->operand);
		} while (!str_is(p->why) && pql_take_sign(p, ","));
	}
	if (!out->update.n)
		pql_unexpected(p);
}

static void update_table(pql *p, partiql *out)
{
	out->kind = PARTIQL_UPDATE;
	table_name(p, out);
	update_clauses(p, out);
	where(p, out);
	returning(p, out);
}

static void delete_from(pql *p, partiql *out)
{
	out->kind = PARTIQL_DELETE;
	pql_want_word(p, "FROM");
	table_name(p, out);
	where(p, out);
	returning(p, out);
}

static void statement(pql *p, partiql *out)
{
	if (pql_take_word(p, "SELECT")) {
		select_from(p, out);
	} else if (pql_take_word(p, "INSERT")) {
		insert_into(p, out);
	} else if (pql_take_word(p, "UPDATE")) {
		update_table(p, out);
	} else if (pql_take_word(p, "DELETE")) {
		delete_from(p, out);
	} else if (pql_take_word(p, "EXISTS")) {
		pql_want_sign(p, "(");
		pql_want_word(p, "SELECT");
		select_from(p, out);
		pql_want_sign(p, ")");
		out->kind = PARTIQL_EXISTS;
	} else {
		pql_refuse(p, "Expected data manipulation");
	}
}

str partiql_parse(arena *mem, str text, const value *parameters, size_t n, partiql *out)
{
	pql p = { .mem = mem, .text = text, .parameters = parameters, .n_parameters = n };
	*out = (partiql){ 0 };
	p.at = pql_token_after(mem, text, text.p);
	statement(&p, out);
	if (!str_is(p.why) && p.at.kind != PQL_END)
		pql_unexpected(&p);
	if (!str_is(p.why) && p.used != n)
		return S("Number of parameters in request and statement don't match.");
	return p.why;
}
