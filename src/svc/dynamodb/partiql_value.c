#include "svc/dynamodb/partiql_inside.h"

#define VALUE_BYTES_MAX (1u << 20)

typedef struct values {
	value *v;
	str *names;
	size_t n;
} values;

static void add(pql *p, values *l, str name, value v)
{
	if ((l->n & (l->n - 1)) == 0) {
		value *wider = arena_array(p->mem, value, l->n ? l->n * 2 : 1);
		str *names = arena_array(p->mem, str, l->n ? l->n * 2 : 1);
		for (size_t i = 0; i < l->n; i++) {
			wider[i] = l->v[i];
			names[i] = l->names[i];
		}
		l->v = wider;
		l->names = names;
	}
	l->names[l->n] = name;
	l->v[l->n++] = v;
}

static value written(pql *p, value_tag tag, const values *l)
{
	buf b = buf_in(p->mem, 64, VALUE_BYTES_MAX);
	size_t begun = value_begin(&b, tag, l->n);
	for (size_t i = 0; i < l->n; i++) {
		if (tag == VALUE_M)
			value_put_name(&b, l->names[i]);
		buf_put(&b, l->v[i]);
	}
	value_end(&b, begun);
	return buf_str(&b);
}

/* <<1, 2>>: elements of one type among S, N and B. */
static value set_of(pql *p, values *l)
{
	str *texts = arena_array(p->mem, str, l->n + 1);
	value_tag tag = l->n ? value_tag_of(l->v[0]) : VALUE_NONE;
	if (tag != VALUE_S && tag != VALUE_N && tag != VALUE_B) {
		pql_refuse(
			p, l->n ? "Sets have elements of type String, Number or Binary" : "Empty sets are not supported");
		return STR_NONE;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (value_tag_of(l->v[i]) != tag)
			pql_refuse(p, "Elements of a set must be of one type");
		texts[i] = value_text(l->v[i]);
	}
	buf b = buf_in(p->mem, 64, VALUE_BYTES_MAX);
	if (!value_put_set(&b, tag - VALUE_S + VALUE_SS, texts, l->n))
		pql_refuse(p, "Input collection contains duplicates");
	return buf_str(&b);
}

static value elements(pql *p, const char *end)
{
	values l = { 0 };
	pql_advance(p);
	if (pql_deeper(p) && !pql_at_sign(p, end))
		do
			add(p, &l, STR_NONE, pql_value(p));
		while (!str_is(p->why) && pql_take_sign(p, ","));
	p->depth--;
	pql_want_sign(p, end);
	if (str_is(p->why))
		return STR_NONE;
	return *end == ']' ? written(p, VALUE_L, &l) : set_of(p, &l);
}

static value members(pql *p)
{
	values l = { 0 };
	pql_advance(p);
	if (pql_deeper(p) && !pql_at_sign(p, "}"))
		do {
			str name = p->at.text;
			if (p->at.kind != PQL_TEXT && p->at.kind != PQL_QUOTED)
				pql_unexpected(p);
			pql_advance(p);
			pql_want_sign(p, ":");
			for (size_t i = 0; i < l.n; i++)
				if (str_eq(l.names[i], name))
					pql_refuse(p, "Duplicate attribute in a map");
			add(p, &l, name, pql_value(p));
		} while (!str_is(p->why) && pql_take_sign(p, ","));
	p->depth--;
	pql_want_sign(p, "}");
	return str_is(p->why) ? STR_NONE : written(p, VALUE_M, &l);
}

static value number_of(pql *p, bool negative)
{
	number n;
	buf b = buf_in(p->mem, 64, 256);
	number_fault bad = p->at.kind == PQL_NUMBER ? number_parse(p->at.text, &n) : NUMBER_SYNTAX;
	if (p->at.kind != PQL_NUMBER) {
		pql_unexpected(p);
		return STR_NONE;
	}
	if (bad) {
		if (!str_is(p->why))
			p->why = number_why(p->mem, bad, p->at.text);
		return STR_NONE;
	}
	n.negative = negative && n.digits;
	value_put_number(&b, n);
	pql_advance(p);
	return buf_str(&b);
}

static value parameter(pql *p)
{
	pql_advance(p);
	size_t i = p->used++;
	return i < p->n_parameters ? p->parameters[i] : STR_NONE;
}

static value word(pql *p, value_tag tag)
{
	buf b = buf_in(p->mem, 1, 1);
	value_put_tag(&b, tag);
	pql_advance(p);
	return buf_str(&b);
}

bool pql_at_value(const pql *p)
{
	return p->at.kind == PQL_TEXT || p->at.kind == PQL_NUMBER || pql_at_sign(p, "-") || pql_at_sign(p, "?") ||
	       pql_at_sign(p, "[") || pql_at_sign(p, "{") || pql_at_sign(p, "<<") || pql_at_word(p, "TRUE") ||
	       pql_at_word(p, "FALSE") || pql_at_word(p, "NULL");
}

value pql_value(pql *p)
{
	if (p->at.kind == PQL_TEXT) {
		buf b = buf_in(p->mem, p->at.text.n + 10, p->at.text.n + 10);
		value_put_text(&b, VALUE_S, p->at.text);
		pql_advance(p);
		return buf_str(&b);
	}
	if (p->at.kind == PQL_NUMBER)
		return number_of(p, false);
	if (pql_take_sign(p, "-"))
		return number_of(p, true);
	if (pql_at_sign(p, "?"))
		return parameter(p);
	if (pql_at_sign(p, "["))
		return elements(p, "]");
	if (pql_at_sign(p, "<<"))
		return elements(p, ">>");
	if (pql_at_sign(p, "{"))
		return members(p);
	if (pql_at_word(p, "TRUE"))
		return word(p, VALUE_TRUE);
	if (pql_at_word(p, "FALSE"))
		return word(p, VALUE_FALSE);
	if (pql_at_word(p, "NULL"))
		return word(p, VALUE_NULL);
	pql_unexpected(p);
	return STR_NONE;
}
