/*
 * Mapping templates: texts in which references stand for parts of the request. Of VTL only references are
 * known, not its directives (#set, #if, #foreach); what is no reference of ours stays as it stands, as in
 * VTL.
 */
#include "base/json.h"
#include "base/text.h"
#include "visit.h"

#define TEXT_MAX ((size_t)16 << 20)
#define DEPTH_MAX 8

/* What $input speaks of: parsed once, whatever the number of references. */
typedef struct source {
	str body;
	const json_value *json;
	bool parsed;
} source;

bool template_has_directives(str text)
{
	static const char *const words[] = { "#set", "#if", "#foreach", "#else", "#end", "#macro", "##", "#*" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_find(text, str_c(words[i])) != SIZE_MAX)
			return true;
	return false;
}

static bool eat(str *rest, const char *word)
{
	str w = str_c(word);
	if (!str_starts(*rest, w))
		return false;
	*rest = str_sub(*rest, w.n, rest->n);
	return true;
}

static void blanks(str *rest)
{
	while (eat(rest, " "))
		;
}

/* 'text') or "text"), what is in front of it having been eaten. */
static bool quoted(str *rest, str *value)
{
	str at = *rest;
	blanks(&at);
	char quote = at.n ? at.p[0] : 0;
	if (quote != '\'' && quote != '"')
		return false;
	at = str_sub(at, 1, at.n);
	size_t end = str_find_char(at, quote);
	if (end == SIZE_MAX)
		return false;
	*value = str_sub(at, 0, end);
	at = str_sub(at, end + 1, at.n);
	blanks(&at);
	if (!eat(&at, ")"))
		return false;
	*rest = at;
	return true;
}

static bool ident_char(char c, bool dots)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
		|| (dots && c == '.');
}

/* A name; the dot that ends a sentence is not a part of it. */
static str ident(str *rest, bool dots)
{
	size_t n = 0;
	while (n < rest->n && ident_char(rest->p[n], dots))
		n++;
	while (n && rest->p[n - 1] == '.')
		n--;
	str name = str_sub(*rest, 0, n);
	*rest = str_sub(*rest, n, rest->n);
	return name;
}

static str param(const visit *v, const char *place, str name)
{
	return visit_mapped(v, arena_fmt(v->mem, "method.request.%s.%.*s", place, STR_ARG(name)));
}

/* $input.params(..: of one place, or of the first that has it. */
static bool params(const visit *v, str *rest, str *value)
{
	static const char *const places[] = { "path", "querystring", "header" };
	str name;
	if (!eat(rest, ")")) {
		if (!quoted(rest, &name))
			return false;
		*value = STR_NONE;
		for (size_t i = 0; i < 3 && !str_is(*value); i++)
			*value = param(v, places[i], name);
		return true;
	}
	for (size_t i = 0; i < 3; i++) {
		str at = *rest;
		if (!eat(&at, ".") || !eat(&at, places[i]) || !eat(&at, "."))
			continue;
		bool asked = eat(&at, "get(");
		if (asked && !quoted(&at, &name))
			return false;
		if (!asked)
			name = ident(&at, false);
		*value = param(v, places[i], name);
		*rest = at;
		return name.n > 0;
	}
	return false;
}

/* $.a.b[0] of the body; NULL: there is no such thing. */
static const json_value *at_path(arena *mem, source *from, str path)
{
	if (!from->parsed && from->body.n)
		from->json = json_parse(mem, from->body);
	from->parsed = true;
	const json_value *v = from->json;
	eat(&path, "$");
	while (v && path.n) {
		int64_t index;
		str name;
		if (eat(&path, ".")) {
			name = ident(&path, false);
			v = name.n ? json_get(v, name) : NULL;
		} else if (eat(&path, "['")) {
			name = str_cut(&path, '\'');
			v = str_is(path) && eat(&path, "]") ? json_get(v, name) : NULL;
		} else if (eat(&path, "[") && str_to_i64(str_cut(&path, ']'), &index) && v->kind == JSON_ARRAY) {
			for (v = v->first; v && index > 0; index--)
				v = v->next;
			path = str_is(path) ? path : S("");
		} else {
			v = NULL;
		}
	}
	return v;
}

static str part_of(const visit *v, source *from, str path, bool raw)
{
	const json_value *found = at_path(v->mem, from, path);
	buf b = buf_in(v->mem, 256, TEXT_MAX);
	if (!found)
		return S("");
	if (!raw && (found->kind == JSON_STRING || found->kind == JSON_NUMBER))
		return found->text;
	json_write(&b, found);
	return buf_str(&b);
}

/* As a JavaScript string has it, without the quotes. */
static str escaped(const visit *v, str s)
{
	buf b = buf_in(v->mem, s.n * 2 + 16, TEXT_MAX);
	json_put_string(&b, s);
	str text = str_sub(buf_str(&b), 1, b.n - 1);
	buf out = buf_in(v->mem, text.n + 16, TEXT_MAX);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\'')
			buf_c(&out, '\\');
		buf_c(&out, text.p[i]);
	}
	return buf_str(&out);
}

static bool reference(const visit *v, source *from, str *rest, str *value, int depth);

/* $util.X(a reference or a text). */
static bool utility(const visit *v, source *from, str *rest, str *value, int depth)
{
	static const char *const names[] = { "escapeJavaScript(", "urlEncode(", "urlDecode(", "base64Encode(",
		"base64Decode(" };
	size_t which = 0;
	str in = S(""), decoded;
	while (which < 5 && !eat(rest, names[which]))
		which++;
	if (which == 5 || depth >= DEPTH_MAX)
		return false;
	if (!quoted(rest, &in)) {
		blanks(rest);
		if (!eat(rest, "$") || !reference(v, from, rest, &in, depth + 1))
			return false;
		blanks(rest);
		if (!eat(rest, ")"))
			return false;
	}
	in = str_is(in) ? in : S("");
	*value = which == 0 ? escaped(v, in) : which == 1 ? percent_encode(v->mem, in, false)
		: which == 2 ? percent_decode(v->mem, in, true) : which == 3 ? base64_encode(v->mem, in)
		: base64_decode(v->mem, in, &decoded) ? decoded : S("");
	return true;
}

/* What stands behind a dollar. *rest is where it was when it is no reference. */
static bool reference(const visit *v, source *from, str *rest, str *value, int depth)
{
	str at = *rest, text;
	bool braces = eat(&at, "{"), good = false;
	*value = STR_NONE;
	if (eat(&at, "input.params("))
		good = params(v, &at, value);
	else if (eat(&at, "input.json(") && (good = quoted(&at, &text)))
		*value = part_of(v, from, text, true);
	else if (!good && eat(&at, "input.path(") && (good = quoted(&at, &text)))
		*value = part_of(v, from, text, false);
	else if (!good && eat(&at, "input.body") && (good = true))
		*value = from->body;
	else if (!good && eat(&at, "context.") && (text = ident(&at, true)).n && (good = true))
		*value = visit_mapped(v, arena_concat(v->mem, S("context."), text));
	else if (!good && eat(&at, "stageVariables.get(") && (good = quoted(&at, &text)))
		*value = visit_mapped(v, arena_concat(v->mem, S("stageVariables."), text));
	else if (!good && eat(&at, "stageVariables.") && (text = ident(&at, false)).n && (good = true))
		*value = visit_mapped(v, arena_concat(v->mem, S("stageVariables."), text));
	else if (!good && eat(&at, "util."))
		good = utility(v, from, &at, value, depth);
	if (!good || (braces && !eat(&at, "}")))
		return false;
	*rest = at;
	return true;
}

str template_filled(const visit *v, str text, str body)
{
	buf b = buf_in(v->mem, text.n + 128, TEXT_MAX);
	source from = { .body = body };
	while (text.n && !b.full) {
		size_t at = str_find_char(text, '$');
		str value;
		buf_put(&b, str_sub(text, 0, at));
		if (at == SIZE_MAX)
			break;
		text = str_sub(text, at + 1, text.n);
		if (!reference(v, &from, &text, &value, 0))
			buf_c(&b, '$');
		else if (str_is(value))
			buf_put(&b, value);
	}
	return buf_str(&b);
}
