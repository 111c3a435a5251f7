/*
 * Cross-site scripting: the value is read as HTML, and as if it broke out of an attribute. Tags that load or
 * run
 * something, attributes that are handlers of events, and addresses that are scripts.
 */
#include "waf.h"
#include <ctype.h>

static bool among(str word, const char *const *all)
{
	for (; *all; all++)
		if (str_eq_nocase(word, str_c(*all)))
			return true;
	return false;
}

static bool name_char(char c) { return isalnum((unsigned char)c) || c == '-' || c == ':' || c == '_'; }

static bool blank(char c) { return isspace((unsigned char)c) || c == '/' || c == 0; }

/* "javascript:" with whatever white space a browser overlooks. */
static bool is_script(str s)
{
	static const char *const schemes[] = { "javascript:", "vbscript:", "livescript:", "data:text/html",
		                                   "data:image/svg", NULL };
	size_t start = 0;
	while (start < s.n && (isspace((unsigned char)s.p[start]) || (unsigned char)s.p[start] < 32))
		start++;
	for (size_t i = 0; schemes[i]; i++) {
		const char *want = schemes[i];
		for (size_t k = start; k < s.n && *want; k++) {
			if (isspace((unsigned char)s.p[k]) || (unsigned char)s.p[k] < 32)
				continue;
			if (tolower((unsigned char)s.p[k]) != *want)
				break;
			want++;
		}
		if (!*want)
			return true;
	}
	return false;
}

static bool bad_attribute(str name, str value)
{
	static const char *const addresses[] = { "src", "href", "action", "formaction", "data", "background",
		"xlink:href",
		"from", "to", "values", "poster", "srcdoc", NULL };
	if (name.n > 3 && str_eq_nocase(str_sub(name, 0, 2), S("on"))) {
		for (size_t i = 2; i < name.n; i++)
			if (!isalpha((unsigned char)name.p[i]))
				return false;
		return true;
	}
	if (str_eq_nocase(name, S("srcdoc")))
		return true;
	return among(name, addresses) && is_script(value);
}

/* Attributes from here to the end of the tag. Honest tags end; where so many do not that reading them all
   would
 * take long (`left` is used up), that alone is suspicious. */
static bool bad_attributes(str s, size_t at, size_t *left)
{
	size_t end = at + *left < s.n ? at + *left : s.n, start = at;
	bool cut = end < s.n;
	s = str_sub(s, 0, end);
	while (at < s.n && s.p[at] != '>') {
		size_t from = at;
		while (at < s.n && name_char(s.p[at]))
			at++;
		str name = str_sub(s, from, at), value = S("");
		if (at == from) {
			at++;
			continue;
		}
		while (at < s.n && isspace((unsigned char)s.p[at]))
			at++;
		if (at >= s.n || s.p[at] != '=')
			continue;
		at++;
		while (at < s.n && isspace((unsigned char)s.p[at]))
			at++;
		char quote = at < s.n && (s.p[at] == '"' || s.p[at] == '\'' || s.p[at] == '`') ? s.p[at++] : 0;
		from = at;
		while (at < s.n && (quote ? s.p[at] != quote : !isspace((unsigned char)s.p[at]) && s.p[at] != '>'))
			at++;
		value = str_sub(s, from, at);
		if (quote && at < s.n)
			at++;
		if (bad_attribute(name, value))
			return true;
	}
	*left -= at - start;
	return cut && at >= s.n;
}

static bool bad_tag(str s, size_t at, size_t *left)
{
	static const char *const tags[] = { "script", "iframe", "object", "embed", "applet", "frame", "frameset",
		"base",
		"link", "meta", "style", "svg", "xml", "xss", "import", "isindex", "vmlframe", "bgsound", "layer",
			"ilayer",
		"noscript", "foreignobject", "math", "set", "animate", NULL };
	size_t from = at;
	while (at < s.n && name_char(s.p[at]))
		at++;
	str name = str_sub(s, from, at);
	if (!name.n || !isalpha((unsigned char)name.p[0]))
		return false;
	return (among(name, tags) && (at == s.n || blank(s.p[at]) || s.p[at] == '>')) ||
		((at == s.n || blank(s.p[at])) && bad_attributes(s, at, left));
}

bool xss_found(arena *mem, str s)
{
	size_t left = 8 * s.n + 4096;
	(void)mem;
	if (is_script(s))
		return true;
	for (size_t i = 0; i + 1 < s.n; i++) {
		char c = s.p[i];
		if (c == '<') {
			str rest = str_sub(s, i + 1, s.n);
			if (str_starts(rest, S("!ENTITY")) || str_starts(rest, S("?import")) || bad_tag(s, i + 1, &left))
				return true;
		} else if ((c == '"' || c == '\'' || c == '`') && (blank(s.p[i + 1]) || name_char(s.p[i + 1]))) {
			/* Only what stands right behind the quote: prose has quotes, too. */
			size_t at = i + 1;
			while (at < s.n && blank(s.p[at]))
				at++;
			size_t end = at;
			while (end < s.n && isalpha((unsigned char)s.p[end]))
				end++;
			str name = str_sub(s, at, end);
			while (end < s.n && isspace((unsigned char)s.p[end]))
				end++;
			if (end < s.n && s.p[end] == '=' && bad_attribute(name, S("")))
				return true;
		}
	}
	return false;
}
