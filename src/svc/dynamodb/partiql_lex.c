#include "svc/dynamodb/partiql_inside.h"

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'
		|| (unsigned char)c >= 0x80;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, a point, an exponent. */
static size_t number_length(str s)
{
	size_t n = 0;
	while (n < s.n && digit(s.p[n]))
		n++;
	if (n < s.n && s.p[n] == '.')
		for (n++; n < s.n && digit(s.p[n]);)
			n++;
	if (n + 1 < s.n && (s.p[n] == 'e' || s.p[n] == 'E')) {
		size_t sign = s.p[n + 1] == '+' || s.p[n + 1] == '-', at = n + 1 + sign;
		while (at < s.n && digit(s.p[at]))
			at++;
		n = at > n + 1 + sign ? at : n;
	}
	return n;
}

/* 'text' or "name"; a doubled quote stands for one. */
static pql_token quoted(arena *mem, str s)
{
	char quote = *s.p;
	buf b = buf_in(mem, 32, s.n + 1);
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] != quote) {
			buf_c(&b, s.p[i]);
		} else if (i + 1 < s.n && s.p[i + 1] == quote) {
			buf_c(&b, quote);
			i++;
		} else {
			str text = b.n ? buf_str(&b) : S("");
			return (pql_token){ quote == '"' ? PQL_QUOTED : PQL_TEXT, text, s.p + i + 1 };
		}
	}
	return (pql_token){ PQL_BAD, s, s.p + s.n };
}

static pql_token sign_at(str s)
{
	static const char *const two[] = { "<<", ">>", "<>", "!=", "<=", ">=" };
	for (unsigned i = 0; s.n > 1 && i < sizeof two / sizeof *two; i++)
		if (memcmp(s.p, two[i], 2) == 0)
			return (pql_token){ PQL_SIGN, { s.p, 2 }, s.p + 2 };
	bool known = memchr("=<>()[]{},.:?+-*", *s.p, 16) != NULL;
	return (pql_token){ known ? PQL_SIGN : PQL_BAD, { s.p, 1 }, s.p + 1 };
}

pql_token pql_token_after(arena *mem, str text, const char *from)
{
	const char *end = text.p + text.n;
	while (from < end && (*from == ' ' || *from == '\t' || *from == '\r' || *from == '\n'))
		from++;
	str rest = { from, (size_t)(end - from) };
	if (!rest.n)
		return (pql_token){ PQL_END, { end, 0 }, end };
	if (letter(*from)) {
		size_t n = 1;
		while (n < rest.n && (letter(from[n]) || digit(from[n])))
			n++;
		return (pql_token){ PQL_NAME, { from, n }, from + n };
	}
	if (digit(*from) || (*from == '.' && rest.n > 1 && digit(from[1]))) {
		size_t n = number_length(rest);
		return (pql_token){ PQL_NUMBER, { from, n }, from + n };
	}
	if (*from == '\'' || *from == '"')
		return quoted(mem, rest);
	return sign_at(rest);
}

void pql_advance(pql *p)
{
	if (!str_is(p->why))
		p->at = pql_token_after(p->mem, p->text, p->at.end);
}

void pql_refuse(pql *p, const char *what)
{
	pql_say(p, arena_fmt(p->mem, "Statement wasn't well formed, can't be processed: %s", what));
}

void pql_say(pql *p, str why)
{
	if (str_is(p->why))
		return;
	p->why = why;
	p->at = (pql_token){ PQL_END, { p->text.p + p->text.n, 0 }, p->text.p + p->text.n };
}

static bool reserved(const pql *p)
{
	static const char *const words[] = { "SELECT", "FROM",    "WHERE",     "AND",     "OR",     "NOT",
		                                 "IN",     "BETWEEN", "IS",        "MISSING", "NULL",   "TRUE",
		                                 "FALSE",  "INSERT",  "INTO",      "VALUE",   "UPDATE", "SET",
		                                 "REMOVE", "DELETE",  "RETURNING", "ORDER",   "BY" };
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (pql_at_word(p, words[i]))
			return true;
	return false;
}

void pql_unexpected(pql *p)
{
	pql_refuse(p, p->at.kind == PQL_END ? "Unexpected end of statement"
	                                    : reserved(p) ? "Unexpected keyword" : "Unexpected term");
}

bool pql_at_sign(const pql *p, const char *sign)
{
	return p->at.kind == PQL_SIGN && str_eq(p->at.text, str_c(sign));
}

bool pql_at_word(const pql *p, const char *word)
{
	return p->at.kind == PQL_NAME && str_eq_nocase(p->at.text, str_c(word));
}

bool pql_take_sign(pql *p, const char *sign)
{
	if (!pql_at_sign(p, sign))
		return false;
	pql_advance(p);
	return true;
}

bool pql_take_word(pql *p, const char *word)
{
	if (!pql_at_word(p, word))
		return false;
	pql_advance(p);
	return true;
}

void pql_want_sign(pql *p, const char *sign)
{
	if (!pql_take_sign(p, sign))
		pql_unexpected(p);
}

void pql_want_word(pql *p, const char *word)
{
	if (!pql_take_word(p, word))
		pql_unexpected(p);
}

str pql_name(pql *p)
{
	str name = p->at.text;
	if (p->at.kind != PQL_QUOTED && (p->at.kind != PQL_NAME || reserved(p))) {
		pql_unexpected(p);
		return S("");
	}
	if (!name.n)
		pql_refuse(p, "Unexpected term");
	pql_advance(p);
	return name;
}

bool pql_deeper(pql *p)
{
	if (++p->depth <= PARTIQL_DEPTH_MAX)
		return true;
	pql_refuse(p, "The statement is nested too deeply");
	return false;
}
