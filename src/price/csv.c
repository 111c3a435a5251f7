#include "price/csv.h"

csv csv_of(arena *mem, str text)
{
	if (str_starts(text, S("\xef\xbb\xbf")))
		text = str_sub(text, 3, text.n);
	return (csv){ .mem = mem, .p = text.p, .end = text.p + text.n };
}

static str without_doubles(arena *mem, const char *from, const char *to)
{
	char *out = arena_bytes(mem, (size_t)(to - from)), *p = out;
	for (; from < to; from++) {
		*p++ = *from;
		from += *from == '"';
	}
	return str_of(out, (size_t)(p - out));
}

/* c->p stands behind the opening quote; leaves it behind the closing one. */
static bool quoted(csv *c, str *field)
{
	const char *from = c->p;
	bool doubled = false;
	for (; c->p < c->end; c->p++) {
		c->line += *c->p == '\n';
		if (*c->p != '"')
			continue;
		if (c->p + 1 < c->end && c->p[1] == '"') {
			doubled = true;
			c->p++;
			continue;
		}
		*field = doubled ? without_doubles(c->mem, from, c->p) : str_of(from, (size_t)(c->p - from));
		c->p++;
		return true;
	}
	return false;
}

static bool at_line_end(const csv *c)
{
	return c->p == c->end || *c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static bool field_at(csv *c, str *field)
{
	if (c->p < c->end && *c->p == '"') {
		c->p++;
		return quoted(c, field) && (at_line_end(c) || *c->p == ',');
	}
	const char *from = c->p;
	while (!at_line_end(c) && *c->p != ',')
		c->p++;
	*field = str_of(from, (size_t)(c->p - from));
	return true;
}

size_t csv_row(csv *c, str *fields, size_t most)
{
	while (c->p < c->end && at_line_end(c)) {
		c->line += *c->p == '\n';
		c->p++;
	}
	if (c->broken || c->p >= c->end)
		return 0;
	c->line++;
	for (size_t n = 0;;) {
		if (n == most || !field_at(c, &fields[n])) {
			c->broken = true;
			return 0;
		}
		n++;
		if (at_line_end(c)) {
			c->p += c->p < c->end && *c->p == '\r';
			c->p += c->p < c->end;
			return n;
		}
		c->p++;
	}
}

void csv_put(buf *b, str field)
{
	bool plain = true;
	for (size_t i = 0; i < field.n && plain; i++)
		plain = field.p[i] != '"' && field.p[i] != ',' && field.p[i] != '\n' && field.p[i] != '\r';
	if (plain) {
		buf_put(b, field);
		return;
	}
	buf_c(b, '"');
	for (size_t i = 0; i < field.n; i++) {
		if (field.p[i] == '"')
			buf_c(b, '"');
		buf_c(b, field.p[i]);
	}
	buf_c(b, '"');
}
