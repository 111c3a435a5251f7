/* Rules about lines, sizes and words. */
#include "tools/tidy.h"
#include "base/text.h"
#include <ctype.h>

enum { COLUMNS = 110, TAB = 4, FILE_LINES = 1000, HEADER_LINES = 300, FUNCTION_LINES = 70 };

static size_t columns(str line)
{
	size_t n = 0;
	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\t')
			n += TAB - n % TAB;
		else
			n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
	}
	return n;
}

/* Spaces may align a continuation, never begin a statement. */
static bool begins_statement(str before)
{
	before = str_trim(before);
	return before.n && strchr(";{}", before.p[before.n - 1]);
}

static void check_line(tidy *t, const tidy_file *f, size_t number, str line, str before)
{
	static const char *const notes[] = { "TO" "DO", "FIX" "ME", "XX" "X:" };
	bool c = str_ends(f->path, S(".c")) || str_ends(f->path, S(".h"));
	if (c && columns(line) > COLUMNS)
		tidy_finding(t, f->path, number, "%zu columns, at most %d", columns(line), COLUMNS);
	if (line.n && isspace((unsigned char)line.p[line.n - 1]))
		tidy_finding(t, f->path, number, "white space at the end of the line");
	if (c && str_find(line, S(" \t")) != SIZE_MAX)
		tidy_finding(t, f->path, number, "a tab behind a space");
	if (c && line.n > 2 && line.p[0] == ' ' && line.p[1] != '*' && begins_statement(before))
		tidy_finding(t, f->path, number, "indented with spaces");
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		if (str_find(line, str_c(notes[i])) != SIZE_MAX)
			tidy_finding(t, f->path, number, "a note to oneself: %s", notes[i]);
}

void tidy_lines(tidy *t, const tidy_file *f)
{
	str rest = f->text, line, before = S(";");
	size_t n = 0;
	while (tidy_line(&rest, &line)) {
		check_line(t, f, ++n, line, before);
		before = line;
	}
	bool header = str_ends(f->path, S(".h"));
	size_t most = header ? HEADER_LINES : FILE_LINES;
	if ((header || str_ends(f->path, S(".c"))) && n > most)
		tidy_finding(t, f->path, n, "%zu lines, at most %zu", n, most);
	if (f->text.n && f->text.p[f->text.n - 1] != '\n')
		tidy_finding(t, f->path, n, "no newline at the end");
	if (header && str_starts(f->path, S("src/")) && !str_starts(f->text, S("/*")))
		tidy_finding(t, f->path, 1, "a header opens with what it is about");
}

/* A body is what stands between braces in column 0, unless it is an initialiser or a type. */
void tidy_functions(tidy *t, const tidy_file *f)
{
	str rest = f->code, line, before = STR_NONE;
	size_t n = 0, from = 0;
	while (tidy_line(&rest, &line)) {
		n++;
		if (from && line.n && line.p[0] == '}') {
			if (n - from + 1 > FUNCTION_LINES)
				tidy_finding(t, f->path, from, "a function of %zu lines, at most %d", n - from + 1,
				             FUNCTION_LINES);
			from = 0;
		}
		bool alone = str_eq(line, S("{")) && str_is(before) && before.p[before.n - 1] == ')';
		bool behind = line.n && !isspace((unsigned char)line.p[0]) && str_ends(line, S(") {"));
		if (alone || behind)
			from = n;
		if (str_trim(line).n)
			before = str_trim(line);
	}
}

typedef struct ban {
	const char *word, *instead;
	const char *layers; /* where it may be used, beside base, sys, tools and test */
} ban;

static const ban bans[] = {
	{ "malloc", "an arena", " run store wire " },
	{ "calloc", "an arena", " run store wire " },
	{ "realloc", "an arena", " run store wire " },
	{ "free", "an arena", " run store wire " },
	{ "strdup", "an arena", " run store wire " },
	{ "strcpy", "str", "" },
	{ "strcat", "str", "" },
	{ "sprintf", "buf_fmt or arena_fmt", "" },
	{ "vsprintf", "arena_vfmt", "" },
	{ "strtok", "str_cut", "" },
	{ "atoi", "str_to_i64", "" },
	{ "atol", "str_to_i64", "" },
	{ "atof", "str_to_f64", "" },
	{ "gets", "a bounded read", "" },
	{ "time", "clock_now", "" },
	{ "gettimeofday", "clock_real", "" },
	{ "clock_gettime", "sys/clock.h", "" },
	{ "localtime", "base/time.h", "" },
	{ "gmtime", "base/time.h", "" },
	{ "rand", "sys/rand.h", "" },
	{ "srand", "sys/rand.h", "" },
	{ "random", "sys/rand.h", "" },
	{ "getrandom", "sys/rand.h", "" },
	{ "usleep", "clock_sleep_ms", "" },
	{ "sleep", "clock_sleep_ms", "" },
	{ "system", "proc_run", "" },
	{ "popen", "proc_run", "" },
};

static const ban *ban_of(str word)
{
	for (size_t i = 0; i < sizeof bans / sizeof *bans; i++)
		if (str_eq(word, str_c(bans[i].word)))
			return &bans[i];
	return NULL;
}

static bool everything_allowed(str path)
{
	str layer = tidy_layer(path);
	return !str_starts(path, S("src/")) || tidy_is_test(path) || str_eq(layer, S("base"))
	       || str_eq(layer, S("sys"));
}

/* Calls, not members (`x.free(..)`) and not names that merely contain the word. */
void tidy_words(tidy *t, const tidy_file *f)
{
	if (everything_allowed(f->path))
		return;
	str layer = arena_fmt(t->mem, " %.*s ", STR_ARG(tidy_layer(f->path)));
	size_t n = 1;
	for (size_t i = 0; i < f->code.n; i++) {
		n += f->code.p[i] == '\n';
		if (f->code.p[i] != '(')
			continue;
		str word = tidy_word_before(f->code, i);
		const ban *b = word.n ? ban_of(word) : NULL;
		char before = word.n && word.p > f->code.p ? word.p[-1] : '\n';
		if (b && before != '.' && before != '>' && str_find(str_c(b->layers), layer) == SIZE_MAX)
			tidy_finding(t, f->path, n, "%s() is banned here: use %s", b->word, b->instead);
	}
}
