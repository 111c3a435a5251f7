#include "base/text.h"
#include "svc/dynamodb/expr.h"

value path_get(value item, const path *p)
{
	value v = item;
	for (size_t i = 0; i < p->n && value_is(v); i++) {
		if (str_is(p->v[i].name))
			v = value_member(v, p->v[i].name);
		else
			v = value_at(v, p->v[i].index);
	}
	return v;
}

bool path_starts_with(const path *p, str name)
{
	return p->n && str_eq(p->v[0].name, name);
}

#define SIZE_VALUE_MAX 24

/* size(v) as a number value in `room`; absent for what has no size. */
static value size_of(value v, char room[SIZE_VALUE_MAX])
{
	value_tag tag = value_tag_of(v);
	size_t n;
	if (tag == VALUE_S)
		n = utf8_length(value_text(v));
	else if (tag == VALUE_B)
		n = value_text(v).n;
	else if (tag >= VALUE_SS && tag <= VALUE_L)
		n = (size_t)value_count(v);
	else
		return STR_NONE;
	char *p = room + SIZE_VALUE_MAX;
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	size_t digits = (size_t)(room + SIZE_VALUE_MAX - p);
	*--p = (char)digits;
	*--p = VALUE_N;
	return (value){ p, digits + 2 };
}

static value operand(const expr *e, value item, char room[SIZE_VALUE_MAX])
{
	if (e->kind == EXPR_PATH)
		return path_get(item, &e->path);
	if (e->kind == EXPR_VALUE)
		return e->value;
	char inner[SIZE_VALUE_MAX];
	return size_of(operand(e->args[0], item, inner), room);
}

static bool compare(const expr *e, value item)
{
	char room[2][SIZE_VALUE_MAX];
	value a = operand(e->args[0], item, room[0]), b = operand(e->args[1], item, room[1]);
	int order;
	char first = *e->text.p, last = e->text.p[e->text.n - 1];
	bool both = value_is(a) && value_is(b);
	if (first == '=')
		return both && value_eq(a, b);
	if (first == '<' && last == '>')
		return !both || !value_eq(a, b);
	if (!both || !value_cmp(a, b, &order))
		return false;
	if (order == 0)
		return last == '=';
	return first == '<' ? order < 0 : order > 0;
}

static bool between(const expr *e, value item)
{
	char room[3][SIZE_VALUE_MAX];
	int low, high;
	value v = operand(e->args[0], item, room[0]);
	value from = operand(e->args[1], item, room[1]), to = operand(e->args[2], item, room[2]);
	return value_cmp(v, from, &low) && value_cmp(v, to, &high) && low >= 0 && high <= 0;
}

static bool among(const expr *e, value item)
{
	char room[2][SIZE_VALUE_MAX];
	value v = operand(e->args[0], item, room[0]);
	for (size_t i = 1; value_is(v) && i < e->n; i++)
		if (value_eq(v, operand(e->args[i], item, room[1])))
			return true;
	return false;
}

static bool call_true(const expr *e, value item)
{
	char room[2][SIZE_VALUE_MAX];
	value a = operand(e->args[0], item, room[0]);
	if (str_eq(e->text, S("attribute_exists")))
		return value_is(a);
	if (str_eq(e->text, S("attribute_not_exists")))
		return !value_is(a);
	value b = operand(e->args[1], item, room[1]);
	if (str_eq(e->text, S("begins_with")))
		return value_begins(a, b);
	if (str_eq(e->text, S("contains")))
		return value_contains(a, b);
	return value_is(a) && str_eq(str_c(value_type(value_tag_of(a))), value_text(b));
}

bool expr_true(const expr *e, value item)
{
	switch (e->kind) {
	case EXPR_AND:
		for (size_t i = 0; i < e->n; i++)
			if (!expr_true(e->args[i], item))
				return false;
		return true;
	case EXPR_OR:
		for (size_t i = 0; i < e->n; i++)
			if (expr_true(e->args[i], item))
				return true;
		return false;
	case EXPR_NOT:
		return !expr_true(e->args[0], item);
	case EXPR_COMPARE:
		return compare(e, item);
	case EXPR_BETWEEN:
		return between(e, item);
	case EXPR_IN:
		return among(e, item);
	case EXPR_CALL:
		return call_true(e, item);
	default:
		return false;
	}
}
