#include "base/xml.h"
#include "base/text.h"

xml xml_of(arena *a, str text)
{
	xml x = { .mem = a, .p = text.p, .end = text.p + text.n };
	if (str_starts(text, S("\xef\xbb\xbf")))
		x.p += 3;
	return x;
}

static xml_kind fail(xml *x)
{
	return x->kind = XML_ERROR;
}

static bool space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && space(*p))
		p++;
	return p;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '.' || c == ':' || (signed char)c < 0;
}

static str cut_name(const char **at, const char *end)
{
	const char *p = *at, *from = p;
	if (p < end && ((*p >= '0' && *p <= '9') || *p == '-' || *p == '.'))
		return STR_NONE;
	while (p < end && name_char(*p))
		p++;
	*at = p;
	return str_of(from, (size_t)(p - from));
}

static str local(str name)
{
	size_t colon = str_find_char(name, ':');
	return colon == SIZE_MAX ? name : str_sub(name, colon + 1, name.n);
}

/* &name; at s (behind the ampersand, up to the semicolon). */
static bool entity(buf *out, str s)
{
	static const struct { str name; char c; } known[] = {
		{ S("lt"), '<' }, { S("gt"), '>' }, { S("amp"), '&' }, { S("quot"), '"' }, { S("apos"), '\'' },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_eq(s, known[i].name)) {
			buf_c(out, known[i].c);
			return true;
		}
	if (s.n < 2 || s.n > 9 || s.p[0] != '#')
		return false;
	bool hex = s.p[1] == 'x';
	uint32_t code = 0;
	if (hex && s.n == 2)
		return false;
	for (size_t i = hex ? 2 : 1; i < s.n; i++) {
		char c = s.p[i];
		int digit = c >= '0' && c <= '9'            ? c - '0'
		            : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                          : -1;
		if (digit < 0)
			return false;
		code = code * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return false;
	utf8_put(out, code);
	return true;
}

/* Entities replaced and line ends made one; a reference is never shorter than what it stands for. */
static bool decode(arena *a, str raw, str *out)
{
	if (!utf8_valid(raw))
		return false;
	if (str_find_char(raw, '&') == SIZE_MAX && str_find_char(raw, '\r') == SIZE_MAX) {
		*out = raw;
		return true;
	}
	buf b = buf_in(a, raw.n, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\r') {
			buf_c(&b, '\n');
			i += i + 1 < raw.n && raw.p[i + 1] == '\n';
			continue;
		}
		if (raw.p[i] != '&') {
			buf_c(&b, raw.p[i]);
			continue;
		}
		str rest = str_sub(raw, i + 1, raw.n < i + 12 ? raw.n : i + 12);
		size_t semicolon = str_find_char(rest, ';');
		if (semicolon == SIZE_MAX || !entity(&b, str_sub(rest, 0, semicolon)))
			return false;
		i += semicolon + 1;
	}
	*out = buf_str(&b);
	return true;
}

bool xml_attribute(xml *x, str *rest, str *name, str *value)
{
	const char *p = skip_space(rest->p, rest->p + rest->n), *end = rest->p + rest->n;
	if (!rest->p || p == end)
		return false;
	if (p == rest->p) {
		fail(x);
		return false;
	}
	*name = cut_name(&p, end);
	p = skip_space(p, end);
	if (!name->n || p == end || *p != '=') {
		fail(x);
		return false;
	}
	p = skip_space(p + 1, end);
	const char *quote = p < end && (*p == '"' || *p == '\'') ? memchr(p + 1, *p, (size_t)(end - p - 1))
	                                                         : NULL;
	if (!quote || !decode(x->mem, str_of(p + 1, (size_t)(quote - p - 1)), value)) {
		fail(x);
		return false;
	}
	*rest = str_of(quote + 1, (size_t)(end - quote - 1));
	return true;
}

/* The end of a start tag from p on: the first > outside quotes. */
static const char *tag_end(const char *p, const char *end)
{
	char quote = 0;
	for (; p < end; p++) {
		if (*p == '<')
			return NULL;
		if (quote)
			quote = *p == quote ? 0 : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '>')
			return p;
	}
	return NULL;
}

static xml_kind start_tag(xml *x)
{
	const char *p = x->p + 1;
	str full = cut_name(&p, x->end);
	const char *close = tag_end(p, x->end);
	if (!full.n || !close || x->depth == XML_DEPTH_MAX || (x->depth == 0 && x->seen_root))
		return fail(x);
	x->empty = close > p && close[-1] == '/';
	x->attributes = str_of(p, (size_t)(close - p) - x->empty);
	if (x->attributes.n && !space(x->attributes.p[0]))
		return fail(x);
	str rest = x->attributes, name, value;
	while (xml_attribute(x, &rest, &name, &value))
		;
	if (x->kind == XML_ERROR)
		return XML_ERROR;
	x->seen_root = true;
	x->open[x->depth++] = full;
	x->name = local(full);
	x->p = close + 1;
	return x->kind = XML_OPEN;
}

static xml_kind end_tag(xml *x)
{
	const char *p = x->p + 2;
	str full = cut_name(&p, x->end);
	p = skip_space(p, x->end);
	if (x->depth == 0 || p >= x->end || *p != '>' || !str_eq(full, x->open[x->depth - 1]))
		return fail(x);
	x->depth--;
	x->name = local(full);
	x->p = p + 1;
	return x->kind = XML_CLOSE;
}

/* What stands between `<` and `end_mark`, skipped. */
static bool skip_past(xml *x, str end_mark)
{
	size_t at = str_find(str_of(x->p, (size_t)(x->end - x->p)), end_mark);
	if (at == SIZE_MAX)
		return false;
	x->p += at + end_mark.n;
	return true;
}

static xml_kind text(xml *x)
{
	const char *stop = memchr(x->p, '<', (size_t)(x->end - x->p));
	str raw = str_of(x->p, (size_t)((stop ? stop : x->end) - x->p));
	if (!decode(x->mem, raw, &x->text))
		return fail(x);
	x->p += raw.n;
	return x->kind = XML_TEXT;
}

static xml_kind cdata(xml *x)
{
	const char *from = x->p + 9;
	x->p = from;
	if (x->depth == 0 || !skip_past(x, S("]]>")))
		return fail(x);
	x->text = str_of(from, (size_t)(x->p - 3 - from));
	return utf8_valid(x->text) ? (x->kind = XML_TEXT) : fail(x);
}

xml_kind xml_next(xml *x)
{
	if (x->kind == XML_ERROR)
		return XML_ERROR;
	if (x->empty) {
		x->empty = false;
		x->depth--;
		return x->kind = XML_CLOSE;
	}
	for (;;) {
		if (x->depth == 0)
			x->p = skip_space(x->p, x->end);
		if (x->p >= x->end)
			return x->depth == 0 && x->seen_root ? (x->kind = XML_END) : fail(x);
		str rest = str_of(x->p, (size_t)(x->end - x->p));
		if (*x->p != '<')
			return x->depth ? text(x) : fail(x);
		if (str_starts(rest, S("</")))
			return end_tag(x);
		if (str_starts(rest, S("<![CDATA[")))
			return cdata(x);
		if (str_starts(rest, S("<!--"))) {
			x->p += 4;
			if (!skip_past(x, S("-->")))
				return fail(x);
		} else if (str_starts(rest, S("<?"))) {
			if (!skip_past(x, S("?>")))
				return fail(x);
		} else if (str_starts(rest, S("<!"))) {
			return fail(x);
		} else {
			return start_tag(x);
		}
	}
}

bool xml_skip(xml *x)
{
	unsigned outside = x->depth - 1;
	while (x->depth > outside)
		if (xml_next(x) == XML_ERROR)
			return false;
	return true;
}

bool xml_content(xml *x, str *out)
{
	str whole = S("");
	buf joined = { 0 };
	for (;;) {
		xml_kind kind = xml_next(x);
		if (kind == XML_CLOSE)
			break;
		if (kind != XML_TEXT)
			return false;
		if (!whole.n) {
			whole = x->text;
			continue;
		}
		if (!joined.mem) {
			joined = buf_in(x->mem, whole.n + x->text.n, SIZE_MAX / 4);
			buf_put(&joined, whole);
		}
		buf_put(&joined, x->text);
		whole = buf_str(&joined);
	}
	*out = whole;
	return true;
}

static bool special(char c)
{
	return c == '&' || c == '<' || c == '>' || c == '"'
		|| ((unsigned char)c < 0x20 && c != '\n' && c != '\t');
}

void xml_put_text(buf *b, str s)
{
	size_t from = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (!special(s.p[i]))
			continue;
		buf_put(b, str_sub(s, from, i));
		from = i + 1;
		switch (s.p[i]) {
		case '&': buf_put(b, S("&amp;")); break;
		case '<': buf_put(b, S("&lt;")); break;
		case '>': buf_put(b, S("&gt;")); break;
		case '"': buf_put(b, S("&quot;")); break;
		default: buf_fmt(b, "&#x%x;", (unsigned)s.p[i]);
		}
	}
	buf_put(b, str_sub(s, from, s.n));
}
