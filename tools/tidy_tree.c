/* Rules about what includes what and what is declared where. */
#include "tools/tidy.h"
#include <ctype.h>

/* Which layers a layer may include, beside itself. */
static const struct { const char *layer, *below; } directions[] = {
	{ "base", " " },
	{ "sys", " base " },
	{ "store", " base sys " },
	{ "wire", " base sys " },
	{ "run", " base sys wire " },
	{ "price", " base store " },
	{ "cloud", " base sys store wire run price " },
	{ "plan", " base store wire price cloud " },
	{ "svc", " base sys store wire run price cloud plan gen " },
	{ "cmd", " base sys store wire run price cloud plan svc gen " },
};

/* The name between the quotes of an #include line, or STR_NONE. */
static str included(str line)
{
	line = str_trim(line);
	if (!str_starts(line, S("#include \"")))
		return STR_NONE;
	str rest = str_sub(line, sizeof "#include \"" - 1, line.n);
	return str_cut(&rest, '"');
}

static str folder_of(str path)
{
	size_t n = path.n;
	while (n && path.p[n - 1] != '/')
		n--;
	return str_sub(path, 0, n);
}

/* One service and another know each other only through the door that clients use. */
static void check_service(tidy *t, const tidy_file *f, size_t line, str name)
{
	str to = name, from = f->path;
	if (!str_eq(str_cut(&to, '/'), S("svc")) || !str_eq(tidy_layer(from), S("svc")))
		return;
	from = str_sub(from, sizeof "src/svc/" - 1, from.n);
	str own = str_cut(&from, '/'), other = str_cut(&to, '/');
	if (!str_eq(own, other))
		tidy_finding(t, f->path, line, "svc/%.*s may not include svc/%.*s: use cloud/call.h",
		             STR_ARG(own), STR_ARG(other));
}

static void check_direction(tidy *t, const tidy_file *f, size_t line, str name)
{
	str layer = tidy_layer(f->path), rest = name, to = str_cut(&rest, '/');
	if (str_starts(name, S("../")) || str_find(name, S("/../")) != SIZE_MAX)
		tidy_finding(t, f->path, line, "an include names its path from src");
	if (!str_is(rest) || str_eq(to, layer) || (str_eq(to, S("test")) && tidy_is_test(f->path)))
		return;
	size_t i = 0, n = sizeof directions / sizeof *directions;
	while (i < n && !str_eq(str_c(directions[i].layer), layer))
		i++;
	str word = arena_fmt(t->mem, " %.*s ", STR_ARG(to));
	if (i == n)
		tidy_finding(t, f->path, line, "src/%.*s is no layer", STR_ARG(layer));
	else if (str_find(str_c(directions[i].below), word) == SIZE_MAX)
		tidy_finding(t, f->path, line, "%.*s may not include %.*s", STR_ARG(layer), STR_ARG(to));
}

void tidy_includes(tidy *t, const tidy_file *f)
{
	if (!str_starts(f->path, S("src/")))
		return;
	str rest = f->code, line;
	for (size_t n = 1; tidy_line(&rest, &line); n++) {
		str name = included(line);
		if (!str_is(name))
			continue;
		check_direction(t, f, n, name);
		check_service(t, f, n, name);
	}
}

static const tidy_file *header_named(tidy *t, const tidy_file *from, str name)
{
	str folder = folder_of(from->path);
	const tidy_file *f = map_get(&t->files, arena_fmt(t->mem, "src/%.*s", STR_ARG(name)));
	if (!f)
		f = map_get(&t->files, arena_fmt(t->mem, "%.*s%.*s", STR_ARG(folder), STR_ARG(name)));
	return f ? f : map_get(&t->files, name);
}

/* Depth first; `open` holds what is being visited, `done` what is known to be free of cycles. */
static void visit(tidy *t, const tidy_file *f, map *open, map *done)
{
	if (map_get(done, f->path))
		return;
	map_put(open, f->path, (void *)(uintptr_t)f);
	str rest = f->code, line;
	for (size_t n = 1; tidy_line(&rest, &line); n++) {
		str name = included(line);
		const tidy_file *to = str_is(name) ? header_named(t, f, name) : NULL;
		if (to && map_get(open, to->path) && !map_get(done, to->path))
			tidy_finding(t, f->path, n, "includes itself through %.*s", STR_ARG(name));
		else if (to)
			visit(t, to, open, done);
	}
	map_put(done, f->path, (void *)(uintptr_t)f);
}

void tidy_cycles(tidy *t)
{
	map open = map_in(t->mem, 256), done = map_in(t->mem, 256);
	for (const tidy_file *f = t->first; f; f = f->next)
		if (str_ends(f->path, S(".h")))
			visit(t, f, &open, &done);
}

/* Where the parenthesis that opens at `i` closes, or the end. */
static size_t closing(str code, size_t i)
{
	size_t depth = 0;
	for (; i < code.n; i++) {
		depth += code.p[i] == '(';
		depth -= code.p[i] == ')';
		if (!depth)
			return i;
	}
	return i;
}

static bool begins_with_word(str code, const char *word)
{
	size_t n = strlen(word);
	return str_starts(code, str_c(word)) && n < code.n && isspace((unsigned char)code.p[n]);
}

static bool all_capitals(str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (islower((unsigned char)name.p[i]))
			return false;
	return true;
}

/* What stands at file level, as far as these rules care. */
typedef struct found {
	str name;    /* of a function, or STR_NONE */
	bool hidden; /* static, or used by the linker */
	char follows; /* its parameters: ';' or '{' */
	size_t end;  /* where that stands */
} found;

/* `code` begins in column 0. Macros in capitals and reserved names are no functions. */
static found function_at(str code)
{
	found f = { .name = STR_NONE };
	size_t open = 0;
	if (str_starts(code, S("__attribute__"))) {
		open = closing(code, sizeof "__attribute__" - 1) + 1;
		f.hidden = str_find(str_sub(code, 0, open), S("used")) != SIZE_MAX;
		while (open < code.n && isspace((unsigned char)code.p[open]))
			open++;
	}
	str rest = str_sub(code, open, code.n);
	if (!rest.n || !(isalpha((unsigned char)rest.p[0]) || rest.p[0] == '_')
	    || begins_with_word(rest, "typedef") || begins_with_word(rest, "extern"))
		return f;
	f.hidden |= begins_with_word(rest, "static");
	while (open < code.n && !strchr("(;{=#}:", code.p[open]))
		open++;
	str name = tidy_word_before(code, open);
	if (open >= code.n || code.p[open] != '(' || name.n == 0 || name.p[0] == '_'
	    || all_capitals(name))
		return f;
	f.end = closing(code, open);
	while (f.end < code.n && code.p[f.end] != ';' && code.p[f.end] != '{')
		f.end++;
	f.follows = f.end < code.n ? code.p[f.end] : 0;
	f.name = name;
	return f;
}

typedef void function_seen(tidy *t, const tidy_file *f, size_t line, const found *what);

static void each_function(tidy *t, const tidy_file *f, function_seen *seen)
{
	str rest = f->code, line;
	size_t skip = 0;
	for (size_t n = 1; tidy_line(&rest, &line); n++) {
		size_t from = (size_t)(line.p - f->code.p);
		if (line.n == 0 || from < skip)
			continue;
		found what = function_at(str_sub(f->code, from, f->code.n));
		if (!str_is(what.name))
			continue;
		skip = from + what.end;
		if (!what.hidden)
			seen(t, f, n, &what);
	}
}

static void declaration_seen(tidy *t, const tidy_file *f, size_t line, const found *what)
{
	str name = what->name;
	if (what->follows != ';')
		return;
	str *before = map_get(&t->declared, name);
	if (before) {
		tidy_finding(t, f->path, line, "%.*s is declared already in %.*s", STR_ARG(name),
		             STR_ARG(*before));
		return;
	}
	str *place = arena_new(t->mem, str);
	*place = arena_fmt(t->mem, "%.*s:%zu", STR_ARG(f->path), line);
	map_put(&t->declared, name, place);
}

void tidy_declarations(tidy *t, const tidy_file *f)
{
	if (str_starts(f->path, S("src/")))
		each_function(t, f, declaration_seen);
}

/* Operations are declared in generated headers: err ssm_PutParameter(. */
static bool is_operation(str path, str name)
{
	if (!str_starts(path, S("src/svc/")))
		return false;
	str rest = str_sub(path, sizeof "src/svc/" - 1, path.n);
	str service = str_cut(&rest, '/');
	if (name.n <= service.n + 1 || name.p[service.n] != '_'
	    || !isupper((unsigned char)name.p[service.n + 1]))
		return false;
	for (size_t i = 0; i < service.n; i++)
		if (name.p[i] != (service.p[i] == '-' ? '_' : service.p[i]))
			return false;
	return true;
}

static void definition_seen(tidy *t, const tidy_file *f, size_t line, const found *what)
{
	str name = what->name;
	if (str_eq(name, S("main")))
		return;
	if (what->follows == ';')
		tidy_finding(t, f->path, line, "%.*s is declared in a .c file", STR_ARG(name));
	else if (!map_get(&t->declared, name) && !is_operation(f->path, name))
		tidy_finding(t, f->path, line, "%.*s is neither static nor declared in a header",
		             STR_ARG(name));
}

void tidy_definitions(tidy *t, const tidy_file *f)
{
	each_function(t, f, definition_seen);
}
