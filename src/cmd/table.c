#include "cmd/table.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TITLE_LEAST 12

static bool coloured(void)
{
	const char *no = getenv("NO_COLOR");
	return isatty(1) && !(no && *no);
}

const char *style_on(row_style style)
{
	if (!coloured())
		return "";
	return style == ROW_HEAD || style == ROW_TOTAL ? "\033[1m" : style == ROW_DIM ? "\033[2m" : "";
}

const char *style_off(void)
{
	return coloured() ? "\033[0m" : "";
}

table_row *table_add(table *t, row_style style)
{
	table_row *r = arena_new(t->mem, table_row);
	r->style = style;
	if (t->last)
		t->last->next = r;
	else
		t->first = r;
	return t->last = r;
}

static void widths_of(const table *t, size_t *widths)
{
	for (size_t i = 0; i < t->columns; i++)
		widths[i] = 0;
	for (const table_row *r = t->first; r; r = r->next)
		for (size_t i = 0; i < t->columns; i++) {
			/* A heading with nothing behind it may run over the columns to its right. */
			bool over = r->style == ROW_HEAD && i == 0;
			size_t n = over ? 0 : utf8_length(r->cells[i]);
			widths[i] = n > widths[i] ? n : widths[i];
		}
}

/* Of the terminal; a number in COLUMNS goes before it. SIZE_MAX: a file or a pipe, as wide as need be. */
static size_t room(void)
{
	struct winsize w;
	int64_t wanted;
	const char *columns = getenv("COLUMNS");
	if (columns && str_to_i64(str_c(columns), &wanted) && wanted > 0)
		return (size_t)wanted;
	return isatty(1) && ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col : SIZE_MAX;
}

/* The first column gives way where the whole is too wide. */
static size_t fit(const table *t, size_t *widths)
{
	size_t total = 0, most = room();
	for (size_t i = 0; i < t->columns; i++)
		total += widths[i] + (i ? 2 : 0);
	size_t excess = total > most ? total - most : 0;
	size_t spare = widths[0] > TITLE_LEAST ? widths[0] - TITLE_LEAST : 0;
	excess = excess < spare ? excess : spare;
	widths[0] -= excess;
	return total - excess;
}

static str cut_to(arena *mem, str s, size_t letters)
{
	if (utf8_length(s) <= letters)
		return s;
	size_t end = 0;
	for (size_t n = 0; n + 1 < letters; n++)
		do
			end++;
		while (end < s.n && ((unsigned char)s.p[end] & 0xc0) == 0x80);
	return arena_concat(mem, str_sub(s, 0, end), S("…"));
}

static void print_row(const table *t, const table_row *r, const size_t *widths)
{
	size_t behind = 0; /* blanks not yet printed: none stand at the end of a line */
	fputs(style_on(r->style), stdout);
	for (size_t i = 0; i < t->columns; i++) {
		str c = r->cells[i];
		size_t n = utf8_length(c), pad = n < widths[i] ? widths[i] - n : 0;
		if (c.n == 0) {
			behind += widths[i] + 2;
			continue;
		}
		printf("%*s%.*s", (int)(behind + (t->right[i] ? pad : 0)), "", STR_ARG(c));
		size_t over = n > widths[i] ? n - widths[i] : 0;
		behind = (t->right[i] ? 0 : pad) + 2;
		while (over && i + 1 < t->columns && r->cells[i + 1].n == 0) {
			size_t room = widths[++i] + 2;
			behind += over < room ? room - over : 0;
			over -= over < room ? over : room;
		}
	}
	printf("%s\n", style_off());
}

void table_print(const table *t)
{
	size_t widths[TABLE_COLUMNS];
	widths_of(t, widths);
	size_t total = fit(t, widths);
	for (table_row *r = t->first; r; r = r->next) {
		if (r->style != ROW_HEAD)
			r->cells[0] = cut_to(t->mem, r->cells[0], widths[0]);
		if (r->style != ROW_RULE) {
			print_row(t, r, widths);
			continue;
		}
		for (size_t i = 0; i < total; i++)
			putchar('-');
		putchar('\n');
	}
}
