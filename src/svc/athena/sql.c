#include "sql.h"

typedef struct reader {
	arena *mem;
	str sql;
	size_t at;
	int depth;
} reader;

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool digit(char c) { return c >= '0' && c <= '9'; }

static bool here(const reader *r, const char *what)
{
	size_t n = strlen(what);
	return r->at + n <= r->sql.n && memcmp(r->sql.p + r->at, what, n) == 0;
}

/* White space and comments; false: one does not end. */
static bool skip(reader *r)
{
	while (r->at < r->sql.n) {
		char c = r->sql.p[r->at];
		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			r->at++;
		} else if (here(r, "--")) {
			while (r->at < r->sql.n && r->sql.p[r->at] != '\n')
				r->at++;
		} else if (here(r, "/*")) {
			size_t end = str_find(str_sub(r->sql, r->at + 2, r->sql.n), S("*/"));
			if (end == SIZE_MAX)
				return false;
			r->at += end + 4;
		} else {
			break;
		}
	}
	return true;
}

/* The quote twice is the quote itself. */
static bool quoted(reader *r, sql_token *t)
{
	char quote = r->sql.p[r->at];
	size_t end = ++r->at, twice = 0;
	for (; end < r->sql.n; end++) {
		if (r->sql.p[end] != quote)
			continue;
		if (end + 1 >= r->sql.n || r->sql.p[end + 1] != quote)
			break;
		twice++;
		end++;
	}
	if (end >= r->sql.n)
		return false;
	t->kind = quote == '\'' ? SQL_TEXT : SQL_NAME;
	t->text = str_sub(r->sql, r->at, end);
	if (twice) {
		char *text = arena_bytes(r->mem, end - r->at);
		size_t n = 0;
		for (size_t i = r->at; i < end; i++) {
			text[n++] = r->sql.p[i];
			i += r->sql.p[i] == quote;
		}
		t->text = str_of(text, n);
	}
	r->at = end + 1;
	return true;
}

static void number(reader *r, sql_token *t)
{
	t->kind = SQL_NUMBER;
	while (r->at < r->sql.n && (word_byte(r->sql.p[r->at]) || r->sql.p[r->at] == '.'))
		r->at++;
	t->text = str_sub(r->sql, t->at, r->at);
}

static bool next(reader *r, sql_token *t)
{
	if (!skip(r))
		return false;
	*t = (sql_token){ .at = r->at, .depth = r->depth };
	if (r->at >= r->sql.n)
		return true;
	char c = r->sql.p[r->at];
	if (c == '\'' || c == '"' || c == '`') {
		if (!quoted(r, t))
			return false;
	} else if (digit(c)) {
		number(r, t);
	} else if (word_byte(c)) {
		t->kind = SQL_WORD;
		while (r->at < r->sql.n && word_byte(r->sql.p[r->at]))
			r->at++;
		t->text = arena_lower(r->mem, str_sub(r->sql, t->at, r->at));
	} else {
		t->kind = SQL_SIGN;
		bool two = here(r, "<=") || here(r, ">=") || here(r, "<>") || here(r, "!=") || here(r, "||");
		r->at += two ? 2 : 1;
		t->text = str_sub(r->sql, t->at, r->at);
		if (c == ')' && r->depth > 0)
			t->depth = --r->depth;
		r->depth += c == '(';
	}
	t->end = r->at;
	return true;
}

bool sql_read(arena *mem, str sql, sql_tokens *out, size_t *at)
{
	size_t room = 64;
	reader r = { mem, sql, 0, 0 };
	*out = (sql_tokens){ .sql = sql, .v = arena_array(mem, sql_token, room) };
	do {
		if (out->n == room) {
			sql_token *more = arena_array(mem, sql_token, room * 2);
			memcpy(more, out->v, room * sizeof *more);
			out->v = more;
			room *= 2;
		}
		*at = r.at;
		if (!next(&r, &out->v[out->n]))
			return false;
	} while (out->v[out->n++].kind != SQL_END);
	while (out->n > 1 && sql_sign(&out->v[out->n - 2], ';')) {
		out->n--;
		out->sql = str_sub(sql, 0, out->v[out->n - 1].at);
		out->v[out->n - 1] = (sql_token){ .at = out->sql.n, .end = out->sql.n };
	}
	return true;
}

bool sql_is(const sql_token *t, const char *word)
{
	return t->kind == SQL_WORD && str_eq(t->text, str_c(word));
}

bool sql_sign(const sql_token *t, char c)
{
	return t->kind == SQL_SIGN && t->text.n == 1 && t->text.p[0] == c;
}

str sql_place(arena *mem, str sql, size_t at)
{
	size_t line = 1, column = 1;
	for (size_t i = 0; i < at && i < sql.n; i++) {
		column = sql.p[i] == '\n' ? 1 : column + 1;
		line += sql.p[i] == '\n';
	}
	return arena_fmt(mem, "line %zu:%zu", line, column);
}
