/*
 * SQL injection: the value is read as SQL three times, as it stands, as if behind an opening single quote,
 * and behind a double one. What makes it suspicious is a shape that text does not have: a set operation, a
 * comparison tacked on behind a value, a second statement, a comment that cuts off what follows.
 */
#include "waf.h"
#include <ctype.h>

#define AHEAD 8 /* as far as a look from one token goes, and more */

typedef enum token_kind {
	END, WORD, NUMBER, TEXT, OPEN_TEXT, UNION, SELECT, VERB, LOGIC, COMPARE, OPERATOR, COMMENT, SEMICOLON,
	OPEN, CLOSE, COMMA, FUNCTION, FROM, ORDER, VARIABLE, STAR, OTHER,
} token_kind;
typedef struct tokens {
	token_kind *v; /* one of each byte at most, so that nothing is hidden behind much of anything else */
	size_t n, most;
} tokens;

static bool among(str word, const char *const *all)
{
	for (; *all; all++)
		if (str_eq_nocase(word, str_c(*all)))
			return true;
	return false;
}

static token_kind word_kind(str w, bool called)
{
	static const char *const verbs[] = { "insert", "update", "delete", "drop", "alter", "create", "truncate",
		"exec",
		"execute", "shutdown", "declare", "waitfor", "grant", "merge", "replace", "call", "copy", NULL };
	static const char *const logic[] = { "or", "and", "xor", "having", "where", "rlike", "regexp", "div",
		NULL };
	static const char *const compare[] = { "like", "between", "in", "is", "not", "ilike", NULL };
	static const char *const functions[] = { "sleep", "benchmark", "pg_sleep", "load_file", "extractvalue",
		"updatexml", "xp_cmdshell", "concat", "group_concat", "char", "chr", "ascii", "substring", "substr",
		"version", "database", "user", "current_user", "hex", "unhex", "count", "cast", "convert", "if",
			"ifnull",
		"mid", "length", "floor", "rand", "exists", "json_extract", "utl_inaddr", "dbms_pipe", "randomblob",
			NULL };
	if (among(w, (const char *const[]){ "union", "intersect", "except", NULL }))
		return UNION;
	if (str_eq_nocase(w, S("select")))
		return SELECT;
	if (among(w, (const char *const[]){ "from", "into", NULL }))
		return FROM;
	if (among(w, (const char *const[]){ "order", "group", "limit", NULL }))
		return ORDER;
	if (called && among(w, functions))
		return FUNCTION;
	return among(w, verbs) ? VERB : among(w, logic) ? LOGIC : among(w, compare) ? COMPARE : WORD;
}

static void add(tokens *t, token_kind k)
{
	if (t->n < t->most)
		t->v[t->n++] = k;
}

/* From behind an opening quote to behind its closing one; false: there is none. */
static bool past_text(str s, size_t *at, char quote)
{
	while (*at < s.n) {
		char c = s.p[(*at)++];
		if (c == '\\' && *at < s.n)
			(*at)++;
		else if (c == quote && *at < s.n && s.p[*at] == quote)
			(*at)++;
		else if (c == quote)
			return true;
	}
	return false;
}

static bool letter(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c & 0x80; }

static void take_word(str s, size_t *at, tokens *t)
{
	size_t from = *at;
	bool number = isdigit((unsigned char)s.p[from]);
	while (*at < s.n && letter(s.p[*at]))
		(*at)++;
	str w = str_sub(s, from, *at);
	for (size_t i = 0; i < w.n && number; i++)
		number = isxdigit((unsigned char)w.p[i]) || w.p[i] == '.' || (i == 1 && (w.p[1] | 32) == 'x');
	size_t next = *at;
	while (next < s.n && isspace((unsigned char)s.p[next]))
		next++;
	token_kind k = number ? NUMBER : word_kind(w, next < s.n && s.p[next] == '(');
	bool again = str_eq_nocase(w, S("all")) || str_eq_nocase(w, S("distinct"));
	if (!again || !t->n || t->v[t->n - 1] != UNION)
		add(t, k);
}

/* 2 bytes of comment marks, or 0. MySQL wants white space behind --, others do not. */
static bool take_comment(str s, size_t *at, tokens *t)
{
	str rest = str_sub(s, *at, s.n);
	if (str_starts(rest, S("/*"))) {
		bool told = str_starts(rest, S("/*!")); /* MySQL runs what is inside */
		size_t end = told ? SIZE_MAX : str_find(str_sub(rest, 2, rest.n), S("*/"));
		*at = told ? *at + 3 : end == SIZE_MAX ? s.n : *at + end + 4;
		while (told && *at < s.n && isdigit((unsigned char)s.p[*at]))
			(*at)++;
		if (end == SIZE_MAX && !told)
			add(t, COMMENT);
		return true;
	}
	if (!str_starts(rest, S("--")) && s.p[*at] != '#')
		return false;
	size_t end = str_find_char(rest, '\n');
	*at = end == SIZE_MAX ? s.n : *at + end + 1;
	add(t, COMMENT);
	return true;
}

static void take_sign(str s, size_t *at, tokens *t)
{
	char c = s.p[*at], next = *at + 1 < s.n ? s.p[*at + 1] : 0;
	(*at)++;
	if ((c == '|' && next == '|') || (c == '&' && next == '&')) {
		(*at)++;
		add(t, LOGIC);
	} else if (c == '=' || c == '<' || c == '>' || (c == '!' && next == '=')) {
		while (*at < s.n && strchr("=<>", s.p[*at]) && s.p[*at])
			(*at)++;
		add(t, COMPARE);
	} else {
		add(t, c == ';' ? SEMICOLON : c == '(' ? OPEN : c == ')' ? CLOSE : c == ',' ? COMMA : c == '*' ? STAR
			: c == '@' ? VARIABLE : strchr("+-/%^~|&!", c) && c ? OPERATOR : OTHER);
	}
}

static void read_tokens(str s, char quote, tokens *t)
{
	size_t at = 0;
	t->n = 0;
	if (quote)
		add(t, past_text(s, &at, quote) ? TEXT : OPEN_TEXT);
	while (at < s.n) {
		char c = s.p[at];
		if (isspace((unsigned char)c) || c == 0) {
			at++;
		} else if (c == '\'' || c == '"') {
			at++;
			add(t, past_text(s, &at, c) ? TEXT : OPEN_TEXT);
		} else if (letter(c)) {
			take_word(s, &at, t);
		} else if (!take_comment(s, &at, t)) {
			take_sign(s, &at, t);
		}
	}
	memset(t->v + t->n, 0, AHEAD * sizeof *t->v);
}

static bool value(token_kind k)
{
	return k == NUMBER || k == TEXT || k == WORD || k == OPEN_TEXT || k == VARIABLE || k == FUNCTION ||
		k == SELECT;
}

static bool literal(token_kind k) { return k == NUMBER || k == TEXT || k == OPEN_TEXT; }

/* A comparison behind AND, OR ..: of literals, or of anything where a quote has been broken out of. */
static bool compares(const token_kind *k, bool broken)
{
	while (*k == OPEN || *k == OPERATOR || (*k == COMPARE && k[1] != END))
		k++;
	if (*k == FUNCTION || *k == SELECT)
		return true;
	bool called = value(*k) && k[1] == OPEN;
	if (called && broken)
		return true;
	if (!value(*k) || (k[1] != COMPARE && k[1] != OPERATOR))
		return broken && literal(*k) && (k[1] == END || k[1] == COMMENT || *k == OPEN_TEXT);
	return broken ? value(k[2]) || k[2] == OPEN : literal(*k) && literal(k[2]);
}

/* Behind a value, or the end of the text that was broken out of. */
static bool goes_on(const token_kind *k, bool broken)
{
	while (*k == CLOSE)
		k++;
	if (*k == LOGIC)
		return compares(k + 1, broken);
	if (*k == UNION)
		return k[1] == SELECT || (k[1] == OPEN && k[2] == SELECT);
	if (*k == SEMICOLON)
		return k[1] == VERB || k[1] == SELECT || (broken && k[1] == COMMENT);
	if (broken && *k == COMMENT)
		return true;
	if (broken && *k == ORDER)
		return k[1] == WORD && literal(k[2]);
	if (broken && (*k == COMPARE || *k == OPERATOR || *k == STAR))
		return k[1] == OPEN_TEXT || k[1] == TEXT || k[1] == SELECT || k[1] == FUNCTION || k[1] == OPEN ||
			(*k == COMPARE && k[1] == NUMBER && (k[2] == COMMENT || k[2] == END));
	return false;
}

/* In whatever place. */
static bool telling(const token_kind *k)
{
	if (*k == UNION)
		return k[1] == SELECT || (k[1] == OPEN && k[2] == SELECT);
	if (*k == SELECT) {
		bool listed = k[1] == STAR || k[1] == FUNCTION || k[1] == VARIABLE || literal(k[1]);
		return (k[1] == STAR && k[2] == FROM) || (k[1] == VARIABLE && k[2] == VARIABLE) ||
			(listed && (k[2] == FROM || k[2] == COMMA || k[2] == OPEN)) || (k[1] == WORD && k[2] == COMMA &&
			 k[3] == WORD && k[4] == FROM);
	}
	if (*k == OPEN)
		return k[1] == SELECT && (value(k[2]) || k[2] == STAR);
	if (*k == SEMICOLON)
		return k[1] == VERB && (k[2] == WORD || k[2] == FROM || k[2] == VARIABLE || k[2] == END ||
			k[2] == TEXT ||
			k[2] == OPEN_TEXT || k[2] == COMMENT);
	return false;
}

/* sleep(5), benchmark(1000, ..): nothing else looks like it. */
static bool delays(str s)
{
	static const char *const names[] = { "sleep(", "benchmark(", "pg_sleep(", "xp_cmdshell", "load_file(",
		"waitfor delay", "information_schema.", "extractvalue(", "updatexml(", NULL };
	for (size_t i = 0; names[i]; i++)
		for (size_t k = 0, n = strlen(names[i]); k + n <= s.n; k++)
			if (str_eq_nocase(str_sub(s, k, k + n), str_of(names[i], n)))
				return true;
	return false;
}

static bool suspicious(str s, char quote, bool sensitive, tokens *t)
{
	read_tokens(s, quote, t);
	if (quote && t->v[0] != TEXT)
		return false;
	if (quote && goes_on(t->v + 1, true))
		return true;
	for (size_t i = 0; i < t->n; i++) {
		if (telling(t->v + i))
			return true;
		if (!quote && (t->v[i] == NUMBER || (sensitive && value(t->v[i]))) && goes_on(t->v + i + 1, false))
			return true;
		if (sensitive && i && t->v[i] == COMMENT && value(t->v[i - 1]))
			return true;
	}
	return false;
}

bool sqli_found(arena *mem, str s, bool sensitive)
{
	if (s.n < 3)
		return false;
	tokens *t = arena_new(mem, tokens);
	t->most = s.n + 1;
	t->v = arena_array(mem, token_kind, t->most + AHEAD);
	return delays(s) || suspicious(s, 0, sensitive, t) ||
		(str_find_char(s, '\'') != SIZE_MAX && suspicious(s, '\'', sensitive, t)) ||
		(str_find_char(s, '"') != SIZE_MAX && suspicious(s, '"', sensitive, t));
}
