/* Names of domains, and ids. */
#include "route53.h"
#include "sys/rand.h"

#define LABEL_MAX 63
#define NAME_MAX_BYTES 255

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* One byte of a name, which may be written as \ooo; how many characters it takes. */
static size_t name_byte(str s, size_t at, unsigned char *byte)
{
	*byte = (unsigned char)s.p[at];
	if (s.p[at] != '\\' || at + 3 >= s.n || !is_octal(s.p[at + 1]) || !is_octal(s.p[at + 2]) ||
	    !is_octal(s.p[at + 3]) || s.p[at + 1] > '3')
		return 1;
	*byte = (unsigned char)((s.p[at + 1] - '0') * 64 + (s.p[at + 2] - '0') * 8 + (s.p[at + 3] - '0'));
	return 4;
}

static void put_byte(buf *b, unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (unsigned char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		buf_c(b, (char)c);
	else
		buf_fmt(b, "\\%03o", c);
}

const char *name_clean(arena *mem, str given, str *name)
{
	if (str_ends(given, S(".")) && given.n > 1)
		given = str_sub(given, 0, given.n - 1);
	buf b = buf_in(mem, given.n + 16, 4 * NAME_MAX_BYTES + 8);
	size_t label = 0, all = 1;
	if (!given.n)
		return "DomainLabelEmpty (Domain label is empty)";
	for (size_t i = 0; i < given.n;) {
		unsigned char c;
		size_t took = name_byte(given, i, &c);
		if (took == 1 && c == '.') {
			if (!label)
				return "DomainLabelEmpty (Domain label is empty)";
			buf_c(&b, '.');
			label = 0;
		} else {
			if (took == 1 && (c <= ' ' || c >= 0x7f))
				return "UnsupportedCharacter (Value contains unsupported characters)";
			put_byte(&b, c);
			if (++label > LABEL_MAX)
				return "DomainLabelTooLong (Domain label is too long)";
		}
		if (++all > NAME_MAX_BYTES)
			return "DomainTooLong (Domain name is too long)";
		i += took;
	}
	if (!label)
		return "DomainLabelEmpty (Domain label is empty)";
	buf_c(&b, '.');
	*name = buf_str(&b);
	return NULL;
}

str name_parent(str name)
{
	size_t dot = str_find_char(name, '.');
	return dot == SIZE_MAX || dot + 1 >= name.n ? STR_NONE : str_sub(name, dot + 1, name.n);
}

str name_order(arena *mem, str name)
{
	/* Each label is put in front of those that were there. */
	char *p = arena_bytes(mem, name.n + 1);
	size_t end = name.n, n = 0;
	if (end && name.p[end - 1] == '.')
		end--;
	while (end > 0) {
		size_t from = end;
		while (from > 0 && name.p[from - 1] != '.')
			from--;
		for (size_t i = from; i < end;) {
			unsigned char c;
			size_t took = name_byte(str_sub(name, 0, end), i, &c);
			bool plain = took == 4 && c > ' ' && c < 0x7f && c != '.' && c != '\\';
			memcpy(p + n, plain ? (const char *)&c : name.p + i, plain ? 1 : took);
			n += plain ? 1 : took;
			i += took;
		}
		p[n++] = '.';
		end = from ? from - 1 : 0;
	}
	return str_of(p, n);
}

bool name_within(str name, str zone)
{
	return str_eq(name, zone) ||
	       (name.n > zone.n && str_ends(name, zone) && name.p[name.n - zone.n - 1] == '.');
}

bool name_wire(str name, buf *out)
{
	for (size_t i = 0; i < name.n;) {
		unsigned char label[LABEL_MAX], c;
		size_t n = 0;
		while (i < name.n && name.p[i] != '.') {
			if (n == sizeof label)
				return false;
			i += name_byte(name, i, &c);
			label[n++] = c;
		}
		i++;
		if (!n)
			break;
		buf_c(out, (char)n);
		buf_put(out, str_of((const char *)label, n));
	}
	buf_c(out, 0);
	return !out->full;
}

str id_bare(str id)
{
	size_t at = id.n;
	while (at > 0 && id.p[at - 1] != '/')
		at--;
	return str_sub(id, at, id.n);
}

#define ID_LETTERS 20
str id_new(arena *mem, char first)
{
	return arena_fmt(mem, "%c0%.*s", first,
	                 STR_ARG(rand_text(mem, ID_LETTERS - 1, S("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))));
}

err page_size(req *rq, str text, int64_t most, int64_t *n)
{
	*n = most;
	if (!str_is(text))
		return OK;
	if (!str_to_i64(text, n) || *n < 1)
		return fail(rq, &route53_InvalidInput, "The specified max items is not valid: %.*s", STR_ARG(text));
	if (*n > most)
		*n = most;
	return OK;
}
