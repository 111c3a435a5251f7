#include "filter_condition.h"
#include "wire/pattern.h"

#define DEPTH_MAX 16
#define EXPRESSIONS_MAX 2

err filter_bad(req *rq, const char *why)
{
	return fail(rq, &logs_InvalidParameterException, "Invalid filter pattern: %s", why);
}

bool filter_eat(filter_reader *r, str token)
{
	r->rest = str_trim(r->rest);
	if (!str_starts(r->rest, token))
		return false;
	r->rest = str_sub(r->rest, token.n, r->rest.n);
	return true;
}

str filter_word(filter_reader *r, const char *stops)
{
	size_t i = 0;
	while (i < r->rest.n && !strchr(stops, r->rest.p[i]))
		i++;
	str w = str_sub(r->rest, 0, i);
	r->rest = str_sub(r->rest, i, r->rest.n);
	return w;
}

bool filter_quoted(filter_reader *r, str *out)
{
	buf b = buf_in(r->rq->mem, 64, 2048);
	size_t i = 1;
	for (; i < r->rest.n && r->rest.p[i] != '"'; i++) {
		if (r->rest.p[i] == '\\' && i + 1 < r->rest.n)
			i++;
		buf_c(&b, r->rest.p[i]);
	}
	if (i == r->rest.n)
		return false;
	*out = buf_str(&b);
	r->rest = str_sub(r->rest, i + 1, r->rest.n);
	return true;
}

err filter_expression(filter_reader *r, const pattern **out)
{
	size_t end = str_find(r->rest, S("%"));
	if (end == SIZE_MAX || end == 0)
		return filter_bad(r->rq, "a regular expression is not closed by %");
	if (++r->expressions > EXPRESSIONS_MAX)
		return filter_bad(r->rq, "at most two regular expressions");
	/* Found anywhere: the automaton matches whole strings. */
	*out = pattern_compile(r->rq->mem, arena_fmt(r->rq->mem, "[\\s\\S]*(?:%.*s)[\\s\\S]*", (int)end,
	                                             r->rest.p));
	if (!*out)
		return filter_bad(r->rq, "the regular expression is not valid");
	r->rest = str_sub(r->rest, end + 1, r->rest.n);
	return OK;
}

static err read_value(filter_reader *r, condition *c)
{
	if (filter_eat(r, S("%")))
		return filter_expression(r, &c->expression);
	c->quoted = str_starts(r->rest, S("\""));
	if (c->quoted)
		return filter_quoted(r, &c->value) ? OK : filter_bad(r->rq, "a quotation is not closed");
	c->value = filter_word(r, r->value_stops);
	return c->value.n ? OK : filter_bad(r->rq, "a value is missing");
}

/* Blanks and operators inside ['...'] belong to the name. */
static str read_subject(filter_reader *r)
{
	bool bracket = false;
	size_t i = 0;
	for (; i < r->rest.n && (bracket || !strchr(r->subject_stops, r->rest.p[i])); i++)
		bracket = r->rest.p[i] == '[' || (bracket && r->rest.p[i] != ']');
	str subject = str_sub(r->rest, 0, i);
	r->rest = str_sub(r->rest, i, r->rest.n);
	return subject;
}

static err parse_test(filter_reader *r, condition **out)
{
	static const str operators[] = { { "!=", 2 }, { "<=", 2 }, { ">=", 2 }, { "=", 1 },
		                         { "<", 1 },  { ">", 1 },  { "IS", 2 }, { "NOT EXISTS", 10 },
		                         { "EXISTS", 6 } };
	condition *c = arena_new(r->rq->mem, condition);
	c->kind = CONDITION_TEST;
	r->rest = str_trim(r->rest);
	c->subject = read_subject(r);
	if (!c->subject.n)
		return filter_bad(r->rq, "a condition begins with what it is about");
	for (size_t i = 0; i < sizeof operators / sizeof *operators && !str_is(c->operator); i++)
		if (filter_eat(r, operators[i]))
			c->operator = operators[i];
	if (!str_is(c->operator))
		return filter_bad(r->rq, "an operator is missing");
	*out = c;
	if (str_ends(c->operator, S("EXISTS")))
		return OK;
	TRY(read_value(r, c));
	bool ordered = c->operator.p[0] == '<' || c->operator.p[0] == '>' || c->operator.p[0] == 'I';
	return c->expression && ordered ? filter_bad(r->rq, "a regular expression stands behind = or !=") : OK;
}

static err parse_or(filter_reader *r, condition **out);

static err parse_factor(filter_reader *r, condition **out)
{
	if (!filter_eat(r, S("(")))
		return parse_test(r, out);
	if (++r->depth > DEPTH_MAX)
		return filter_bad(r->rq, "too deep");
	TRY(parse_or(r, out));
	r->depth--;
	return filter_eat(r, S(")")) ? OK : filter_bad(r->rq, "a parenthesis is not closed");
}

static condition *join(arena *mem, condition_kind kind, condition *left, condition *right)
{
	condition *c = arena_new(mem, condition);
	*c = (condition){ .kind = kind, .left = left, .right = right };
	return c;
}

static err parse_and(filter_reader *r, condition **out)
{
	condition *right;
	TRY(parse_factor(r, out));
	while (filter_eat(r, S("&&"))) {
		TRY(parse_factor(r, &right));
		*out = join(r->rq->mem, CONDITION_AND, *out, right);
	}
	return OK;
}

static err parse_or(filter_reader *r, condition **out)
{
	condition *right;
	TRY(parse_and(r, out));
	while (filter_eat(r, S("||"))) {
		TRY(parse_and(r, &right));
		*out = join(r->rq->mem, CONDITION_OR, *out, right);
	}
	return OK;
}

err condition_parse(filter_reader *r, condition **out)
{
	return parse_or(r, out);
}

static bool text_fits(arena *mem, const condition *c, str text)
{
	return c->expression ? pattern_matches(c->expression, mem, text) : str_glob(c->value, text);
}

bool condition_compare(arena *mem, const condition *c, json_kind kind, str text)
{
	double have, want;
	if (c->operator.p[0] == 'I')
		return (kind == JSON_NULL && str_eq(c->value, S("NULL"))) ||
		       (kind == JSON_TRUE && str_eq(c->value, S("TRUE"))) ||
		       (kind == JSON_FALSE && str_eq(c->value, S("FALSE")));
	bool scalar = kind == JSON_NUMBER || kind == JSON_STRING;
	bool numbers = !c->quoted && !c->expression && scalar && str_to_f64(text, &have) &&
	               str_to_f64(c->value, &want);
	if (str_eq(c->operator, S("=")))
		return numbers ? have == want : scalar && text_fits(mem, c, text);
	if (str_eq(c->operator, S("!=")))
		return numbers ? have != want : !(scalar && text_fits(mem, c, text));
	if (!numbers)
		return false;
	return str_eq(c->operator, S("<"))  ? have < want :
	       str_eq(c->operator, S("<=")) ? have <= want :
	       str_eq(c->operator, S(">"))  ? have > want :
	                                      have >= want;
}
