#include "svc/dynamodb/expr_inside.h"

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How many bytes from `at` on are letters, digits or underscores. */
static size_t word_length(str s, size_t at)
{
	size_t n = at;
	while (n < s.n && (letter(s.p[n]) || digit(s.p[n]) || s.p[n] == '_'))
		n++;
	return n - at;
}

static size_t number_length(str s)
{
	size_t n = 0;
	while (n < s.n && digit(s.p[n]))
		n++;
	return n;
}

static token sign_at(str s)
{
	if (s.n > 1 && (memcmp(s.p, "<>", 2) == 0 || memcmp(s.p, "<=", 2) == 0 ||
	                memcmp(s.p, ">=", 2) == 0))
		return (token){ TOKEN_SIGN, { s.p, 2 } };
	bool known = memchr("=<>()[],.+-", *s.p, 11) != NULL;
	size_t n = 1;
	while (!known && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n++;
	return (token){ known ? TOKEN_SIGN : TOKEN_BAD, { s.p, n } };
}

static token token_after(str text, const char *from)
{
	const char *end = text.p + text.n;
	while (from < end && blank(*from))
		from++;
	str rest = { from, (size_t)(end - from) };
	if (!rest.n)
		return (token){ TOKEN_END, { end, 0 } };
	if (letter(*from))
		return (token){ TOKEN_NAME, { from, word_length(rest, 0) } };
	if (digit(*from))
		return (token){ TOKEN_NUMBER, { from, number_length(rest) } };
	if ((*from == '#' || *from == ':') && word_length(rest, 1))
		return (token){ *from == '#' ? TOKEN_NAME_REF : TOKEN_VALUE_REF,
			            { from, 1 + word_length(rest, 1) } };
	return sign_at(rest);
}

parser parser_of(expr_env *env, str text, bool for_update)
{
	parser p = { .env = env, .text = text, .update = for_update };
	p.at = token_after(text, text.p);
	p.before = (token){ TOKEN_END, { p.at.text.p, 0 } };
	return p;
}

void parser_advance(parser *p)
{
	if (str_is(p->why))
		return;
	p->before = p->at;
	p->at = token_after(p->text, p->at.text.p + p->at.text.n);
}

/* AWS quotes the token with its neighbours on both sides. */
void syntax_error(parser *p)
{
	if (str_is(p->why))
		return;
	token after = token_after(p->text, p->at.text.p + p->at.text.n);
	const char *from = p->before.text.n ? p->before.text.p : p->at.text.p;
	const char *to = after.kind == TOKEN_END ? p->at.text.p + p->at.text.n
	                                         : after.text.p + after.text.n;
	if (p->at.kind == TOKEN_END)
		to = p->before.text.p + p->before.text.n;
	str shown = p->at.kind == TOKEN_END ? S("<EOF>") : p->at.text;
	p->why = arena_fmt(p->env->mem, "Syntax error; token: \"%.*s\", near: \"%.*s\"", STR_ARG(shown),
	                   (int)(to - from), from);
	p->at = (token){ TOKEN_END, { p->text.p + p->text.n, 0 } };
}

bool at_sign(const parser *p, const char *sign)
{
	return p->at.kind == TOKEN_SIGN && str_eq(p->at.text, str_c(sign));
}

bool at_keyword(const parser *p, const char *word)
{
	return p->at.kind == TOKEN_NAME && str_eq_nocase(p->at.text, str_c(word));
}

bool take_sign(parser *p, const char *sign)
{
	if (!at_sign(p, sign))
		return false;
	parser_advance(p);
	return true;
}

bool take_keyword(parser *p, const char *word)
{
	if (!at_keyword(p, word))
		return false;
	parser_advance(p);
	return true;
}

void want_sign(parser *p, const char *sign)
{
	if (!take_sign(p, sign))
		syntax_error(p);
}
