#include "tools/tidy.h"
#include <ctype.h>

#define OUT_MAX ((size_t)16 << 20)

tidy tidy_in(arena *mem)
{
	return (tidy){ .mem = mem, .out = buf_in(mem, 4096, OUT_MAX), .files = map_in(mem, 512),
	               .declared = map_in(mem, 1024) };
}

void tidy_finding(tidy *t, str path, size_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str text = arena_vfmt(t->mem, format, args);
	va_end(args);
	buf_fmt(&t->out, "%.*s:%zu: %.*s\n", STR_ARG(path), line, STR_ARG(text));
	t->findings++;
}

str tidy_layer(str path)
{
	str rest = path;
	str first = str_cut(&rest, '/');
	return str_eq(first, S("src")) ? str_cut(&rest, '/') : first;
}

bool tidy_is_test(str path)
{
	return str_ends(path, S("_test.c")) || str_starts(path, S("test/"));
}

bool tidy_line(str *rest, str *line)
{
	if (!str_is(*rest) || rest->n == 0)
		return false;
	*line = str_cut(rest, '\n');
	return true;
}

str tidy_word_before(str code, size_t end)
{
	size_t from = end;
	while (from > 0 && (isalnum((unsigned char)code.p[from - 1]) || code.p[from - 1] == '_'))
		from--;
	return str_sub(code, from, end);
}

/* Blanks what stands between quotes; `i` is at the opening one. Returns where the closing one
 * is. */
static size_t blank_quoted(char *p, size_t i, size_t n)
{
	char quote = p[i++];
	for (; i < n && p[i] != quote && p[i] != '\n'; i++) {
		bool escape = p[i] == '\\' && i + 1 < n;
		p[i] = ' ';
		if (escape && p[i + 1] != '\n')
			p[++i] = ' ';
	}
	return i;
}

/* Blanks a comment that begins at `i`; returns where its last character is. */
static size_t blank_comment(char *p, size_t i, size_t n)
{
	bool line = p[i + 1] == '/';
	size_t from = i;
	for (; i < n; i++) {
		if (line && p[i] == '\n')
			return i;
		bool end = !line && i >= from + 3 && p[i] == '/' && p[i - 1] == '*';
		if (end) {
			memset(p + i - 1, ' ', 2);
			return i;
		}
		if (p[i] != '\n' && p[i] != '*')
			p[i] = ' ';
		else if (p[i] == '*' && (i + 1 >= n || p[i + 1] != '/' || i < from + 2))
			p[i] = ' ';
	}
	return i;
}

static str code_of(arena *mem, str text)
{
	str code = arena_str(mem, text);
	char *p = (char *)(uintptr_t)code.p;
	size_t line = 0;
	for (size_t i = 0; i < code.n; i++) {
		if (p[i] == '\n')
			line = i + 1;
		/* The name in an #include stays. */
		bool include = str_starts(str_sub(code, line, i), S("#include"));
		if ((p[i] == '"' && !include) || p[i] == '\'')
			i = blank_quoted(p, i, code.n);
		else if (p[i] == '/' && i + 1 < code.n && (p[i + 1] == '*' || p[i + 1] == '/'))
			i = blank_comment(p, i, code.n);
		if (i < code.n && p[i] == '\n')
			line = i + 1;
	}
	return code;
}

void tidy_add(tidy *t, str path, str text)
{
	tidy_file *f = arena_new(t->mem, tidy_file);
	*f = (tidy_file){ .path = path, .text = text };
	if (!t->last)
		t->last = &t->first;
	*t->last = f;
	t->last = &f->next;
	t->n_files++;
	map_put(&t->files, path, f);
	tidy_lines(t, f);
	if (!str_ends(path, S(".c")) && !str_ends(path, S(".h")))
		return;
	f->code = code_of(t->mem, text);
	tidy_includes(t, f);
	tidy_words(t, f);
	tidy_functions(t, f);
	if (str_ends(path, S(".h")))
		tidy_declarations(t, f);
}

void tidy_finish(tidy *t)
{
	for (const tidy_file *f = t->first; f; f = f->next)
		if (str_ends(f->path, S(".c")) && str_starts(f->path, S("src/")) && !tidy_is_test(f->path))
			tidy_definitions(t, f);
	tidy_cycles(t);
}
