/*
 * The rules of composite alarms: ALARM(name), OK(name), INSUFFICIENT_DATA(name), TRUE, FALSE, AT_LEAST(n,
 * STATE, (names)), NOT, AND, OR and parentheses. A name may stand in quotes, or be an ARN.
 */
#include "alarm.h"

#define ELEMENTS_MAX 500
#define DEPTH_MAX 50

typedef enum rule_kind {
	RULE_FALSE,
	RULE_TRUE,
	RULE_STATE,
	RULE_AT_LEAST,
	RULE_NOT,
	RULE_AND,
	RULE_OR
} rule_kind;

struct rule {
	rule_kind kind;
	str state, name;
	int64_t least;
	bool percent;
	struct rule *a, *b; /* operands; of AT_LEAST `a` is a list of names by `b` */
};

typedef struct reader {
	req *rq;
	str rest;
	size_t elements;
	unsigned depth;
} reader;

static err wrong(reader *r, const char *why)
{
	return fail(r->rq, &aws_ValidationException, "AlarmRule is invalid: %s near '%.*s'", why,
	            STR_ARG(str_sub(r->rest, 0, r->rest.n < 30 ? r->rest.n : 30)));
}

static void blanks(reader *r)
{
	while (r->rest.n && (unsigned char)r->rest.p[0] <= ' ')
		r->rest = str_sub(r->rest, 1, r->rest.n);
}

static bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }

static bool eat(reader *r, const char *token)
{
	str t = str_c(token);
	blanks(r);
	if (!str_starts(r->rest, t) || (letter(t.p[0]) && r->rest.n > t.n && letter(r->rest.p[t.n])))
		return false;
	r->rest = str_sub(r->rest, t.n, r->rest.n);
	return true;
}

static rule *rule_new(reader *r, rule_kind kind, rule *a, rule *b)
{
	rule *out = arena_new(r->rq->mem, rule);
	*out = (rule){ .kind = kind, .a = a, .b = b };
	r->elements++;
	return out;
}

/* Up to the parenthesis that closes it, or the comma; quotes may hold both. */
static err name_of(reader *r, str *out)
{
	blanks(r);
	if (r->rest.n && (r->rest.p[0] == '"' || r->rest.p[0] == '\'')) {
		char mark = r->rest.p[0];
		str rest = str_sub(r->rest, 1, r->rest.n);
		size_t end = str_find_char(rest, mark);
		if (end == SIZE_MAX || !end)
			return wrong(r, "a quotation mark is missing");
		*out = alarm_name_of(str_sub(rest, 0, end));
		r->rest = str_sub(rest, end + 1, rest.n);
		return OK;
	}
	size_t n = 0, open = 0;
	while (n < r->rest.n && (open || (r->rest.p[n] != ')' && r->rest.p[n] != ','))) {
		open += r->rest.p[n] == '(';
		open -= r->rest.p[n] == ')';
		n++;
	}
	*out = alarm_name_of(str_trim(str_sub(r->rest, 0, n)));
	r->rest = str_sub(r->rest, n, r->rest.n);
	return out->n ? OK : wrong(r, "an alarm's name is missing");
}

static bool state_word(reader *r, str *state)
{
	static const char *const states[] = { "ALARM", "OK", "INSUFFICIENT_DATA" };
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (eat(r, states[i])) {
			*state = str_c(states[i]);
			return true;
		}
	return false;
}

static err at_least(reader *r, rule **out)
{
	size_t n = 0;
	rule **last;
	*out = rule_new(r, RULE_AT_LEAST, NULL, NULL);
	if (!eat(r, "("))
		return wrong(r, "a parenthesis is missing");
	blanks(r);
	while (n < r->rest.n && r->rest.p[n] >= '0' && r->rest.p[n] <= '9')
		n++;
	if (!str_to_i64(str_sub(r->rest, 0, n), &(*out)->least))
		return wrong(r, "a number is missing");
	r->rest = str_sub(r->rest, n, r->rest.n);
	(*out)->percent = eat(r, "%");
	bool negated = eat(r, ",") && eat(r, "NOT");
	if (!state_word(r, &(*out)->state) || !eat(r, ",") || !eat(r, "("))
		return wrong(r, "AT_LEAST wants a number, a state and alarms");
	if (negated)
		(*out)->name = S("NOT");
	last = &(*out)->a;
	do {
		*last = rule_new(r, RULE_STATE, NULL, NULL);
		TRY(name_of(r, &(*last)->name));
		last = &(*last)->b;
	} while (eat(r, ","));
	return eat(r, ")") && eat(r, ")") ? OK : wrong(r, "a parenthesis is missing");
}

static err either(reader *r, rule **out);

static err single(reader *r, rule **out)
{
	str state;
	if (r->elements > ELEMENTS_MAX)
		return fail(r->rq, &cloudwatch_LimitExceededFault, "AlarmRule has more than %d elements.",
		            ELEMENTS_MAX);
	if (++r->depth > DEPTH_MAX)
		return wrong(r, "it is nested too deeply");
	err e = OK;
	if (eat(r, "NOT")) {
		rule *of = NULL;
		e = single(r, &of);
		*out = rule_new(r, RULE_NOT, of, NULL);
	} else if (eat(r, "TRUE")) {
		*out = rule_new(r, RULE_TRUE, NULL, NULL);
	} else if (eat(r, "FALSE")) {
		*out = rule_new(r, RULE_FALSE, NULL, NULL);
	} else if (eat(r, "AT_LEAST")) {
		e = at_least(r, out);
	} else if (eat(r, "(")) {
		e = either(r, out);
		if (!e && !eat(r, ")"))
			e = wrong(r, "a parenthesis is missing");
	} else if (state_word(r, &state)) {
		*out = rule_new(r, RULE_STATE, NULL, NULL);
		(*out)->state = state;
		if (!eat(r, "("))
			return wrong(r, "a parenthesis is missing");
		TRY(name_of(r, &(*out)->name));
		if (!eat(r, ")"))
			e = wrong(r, "a parenthesis is missing");
	} else {
		e = wrong(r, "an operand is missing");
	}
	r->depth--;
	return e;
}

static err both(reader *r, rule **out)
{
	TRY(single(r, out));
	while (eat(r, "AND")) {
		rule *right;
		TRY(single(r, &right));
		*out = rule_new(r, RULE_AND, *out, right);
	}
	return OK;
}

static err either(reader *r, rule **out)
{
	TRY(both(r, out));
	while (eat(r, "OR")) {
		rule *right;
		TRY(both(r, &right));
		*out = rule_new(r, RULE_OR, *out, right);
	}
	return OK;
}

err rule_read(req *rq, str text, rule **out)
{
	reader r = { .rq = rq, .rest = text };
	TRY(either(&r, out));
	blanks(&r);
	return r.rest.n ? wrong(&r, "unexpected text") : OK;
}

static size_t name_add(str name, str *names, size_t n, size_t most)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return n;
	if (n < most)
		names[n++] = name;
	return n;
}

static size_t collect(const rule *r, str *names, size_t n, size_t most)
{
	if (!r)
		return n;
	if (r->kind == RULE_STATE)
		n = name_add(r->name, names, n, most);
	return collect(r->b, names, collect(r->a, names, n, most), most);
}

size_t rule_names(const rule *r, str *names, size_t most) { return collect(r, names, 0, most); }

static bool in_state(const txn *tx, arena *mem, str account, str region, str name, str state)
{
	alarm a;
	return alarm_get(tx, mem, account, region, name, &a) && str_eq(ALARM_OF(&a, StateValue), state);
}

static bool enough(const txn *tx, arena *mem, str account, str region, const rule *r)
{
	int64_t all = 0, fit = 0;
	for (const rule *c = r->a; c; c = c->b, all++)
		fit += in_state(tx, mem, account, region, c->name, r->state) != str_eq(r->name, S("NOT"));
	return r->percent ? fit * 100 >= r->least * all : fit >= r->least;
}

bool rule_true(const txn *tx, arena *mem, str account, str region, const rule *r)
{
	switch (r->kind) {
	case RULE_FALSE:
		return false;
	case RULE_TRUE:
		return true;
	case RULE_STATE:
		return in_state(tx, mem, account, region, r->name, r->state);
	case RULE_AT_LEAST:
		return enough(tx, mem, account, region, r);
	case RULE_NOT:
		return !rule_true(tx, mem, account, region, r->a);
	case RULE_AND:
		return rule_true(tx, mem, account, region, r->a) && rule_true(tx, mem, account, region, r->b);
	default:
		return rule_true(tx, mem, account, region, r->a) || rule_true(tx, mem, account, region, r->b);
	}
}
