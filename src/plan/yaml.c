#include "plan/yaml.h"

#define DEEP_MAX 16

/* An open map: its members stand at this column. */
typedef struct level {
	json_value *map, *last;
	size_t column;
	bool known;            /* the first member has said the column */
} level;

typedef struct reader {
	arena *mem;
	level levels[DEEP_MAX];
	size_t deep, line;
} reader;

static err broken(const reader *r, const char *what)
{
	return fault_new(r->mem, &fault_syntax, "line %zu: %s", r->line, what);
}

/* Up to a comment, which stands at the beginning or behind a blank, and not in quotes. */
static str without_comment(str s)
{
	char quote = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (quote == '"' && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '#' && (i == 0 || s.p[i - 1] == ' '))
			return str_sub(s, 0, i);
	}
	return s;
}

/* What stands within quotes: \" of "..." and '' of '...' are quotes of its own. */
static str unquoted(arena *mem, str s)
{
	buf b = buf_in(mem, s.n, s.n);
	for (size_t i = 1; i + 1 < s.n; i++) {
		bool escaped = s.p[0] == '"' ? s.p[i] == '\\' : s.p[i] == '\'' && s.p[i + 1] == '\'';
		i += escaped && i + 2 < s.n;
		buf_c(&b, s.p[i]);
	}
	return buf_str(&b);
}

static bool quoted(str s)
{
	return s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0];
}

/* Where the key ends: at a colon with a blank or nothing behind it, outside quotes and brackets. */
static size_t key_end(str s)
{
	char quote = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (quote == '"' && c == '\\')
			i++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (i == 0 && (c == '"' || c == '\''))
			quote = c;
		else if (c == ':' && (i + 1 == s.n || s.p[i + 1] == ' '))
			return i;
	}
	return SIZE_MAX;
}

static bool number_like(str s)
{
	return s.n && ((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '-') && json_valid(s);
}

static err scalar(const reader *r, str s, json_value *v)
{
	bool yes = str_eq(s, S("true")), none = str_eq(s, S("null")) || str_eq(s, S("~"));
	if (quoted(s)) {
		*v = (json_value){ .kind = JSON_STRING, .text = unquoted(r->mem, s), .key = v->key };
		return OK;
	}
	/* 1_000_000 is a number of YAML's. */
	buf plain = buf_in(r->mem, 32, 64);
	for (size_t i = 0; i < s.n && s.p[0] >= '0' && s.p[0] <= '9'; i++)
		if (s.p[i] != '_')
			buf_c(&plain, s.p[i]);
	if (number_like(buf_str(&plain)) || number_like(s)) {
		v->kind = JSON_NUMBER;
		v->text = plain.n ? buf_str(&plain) : s;
		return OK;
	}
	if (str_find_char(S("[{&*!|>%@`\"'-"), s.p[0]) != SIZE_MAX)
		return broken(r, "only maps of numbers and words are understood");
	v->kind = none ? JSON_NULL : yes ? JSON_TRUE : str_eq(s, S("false")) ? JSON_FALSE : JSON_STRING;
	v->text = s;
	return OK;
}

static json_value *add_member(reader *r, level *l, str key)
{
	json_value *m = arena_new(r->mem, json_value);
	m->key = quoted(key) ? unquoted(r->mem, key) : key;
	if (l->last)
		l->last->next = m;
	else
		l->map->first = m;
	l->last = m;
	l->map->n++;
	return m;
}

/* The map that a line at this column belongs to. */
static err find_level(reader *r, size_t column, level **out)
{
	level *l = &r->levels[r->deep];
	if (!l->known && r->deep > 0 && column <= r->levels[r->deep - 1].column) {
		/* Nothing stood below the key: it has no value. */
		l->map->kind = JSON_NULL;
		r->deep--;
	} else if (!l->known) {
		l->known = true;
		l->column = column;
	}
	while (r->deep > 0 && column < r->levels[r->deep].column)
		r->deep--;
	*out = &r->levels[r->deep];
	return (*out)->column == column ? OK : broken(r, "stands deeper or less deep than what it belongs to");
}

static err read_line(reader *r, str text)
{
	size_t column = 0;
	level *l;
	while (column < text.n && text.p[column] == ' ')
		column++;
	str rest = str_trim(without_comment(str_sub(text, column, text.n)));
	if (!rest.n || str_eq(rest, S("---")))
		return OK;
	if (column < text.n && text.p[column] == '\t')
		return broken(r, "a tab cannot indent");
	if (str_eq(rest, S("-")) || str_starts(rest, S("- ")))
		return broken(r, "lists are not understood, only maps of numbers and words");
	size_t end = key_end(rest);
	if (end == SIZE_MAX || end == 0)
		return broken(r, "a name and a colon are missing");
	TRY(find_level(r, column, &l));
	json_value *m = add_member(r, l, str_trim(str_sub(rest, 0, end)));
	str value = str_trim(str_sub(rest, end + 1, rest.n));
	if (value.n && !str_eq(value, S("{}")))
		return scalar(r, value, m);
	m->kind = JSON_OBJECT;
	if (value.n)
		return OK;
	if (r->deep + 1 == DEEP_MAX)
		return broken(r, "nested too deep");
	r->levels[++r->deep] = (level){ .map = m };
	return OK;
}

err yaml_read(arena *mem, str text, const json_value **out)
{
	json_value *all = arena_new(mem, json_value);
	reader r = { .mem = mem };
	all->kind = JSON_OBJECT;
	r.levels[0] = (level){ .map = all };
	while (str_is(text)) {
		str line = str_cut(&text, '\n');
		r.line++;
		TRY(read_line(&r, str_ends(line, S("\r")) ? str_sub(line, 0, line.n - 1) : line));
	}
	if (r.deep > 0 && !r.levels[r.deep].known)
		r.levels[r.deep].map->kind = JSON_NULL;
	*out = all;
	return OK;
}
