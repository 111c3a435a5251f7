/* Documents and schemas: a recursive descent over tokens, which stops at the first thing that is wrong. */
#include "gql_parse.h"
#include "base/text.h"

#define NAME_MAX_BYTES 512

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

void gql_wrong(parser *p, const char *what)
{
	if (p->failed)
		return;
	p->failed = true;
	p->problem->at = p->at;
	p->problem->message = arena_fmt(p->mem, "%s near '%.*s'", what, (int)(p->text.n < 40 ? p->text.n : 40),
	                                p->text.n ? p->text.p : "");
	p->token = TOKEN_END;
}

static void blank(parser *p)
{
	for (; p->p < p->end; p->p++) {
		if (*p->p == '\n') {
			p->line++;
			p->line_start = p->p + 1;
		} else if (*p->p == '#') {
			while (p->p + 1 < p->end && p->p[1] != '\n')
				p->p++;
		} else if (*p->p != ' ' && *p->p != '\t' && *p->p != '\r' && *p->p != ',' &&
		           (unsigned char)*p->p != 0xEF && (unsigned char)*p->p != 0xBB &&
		           (unsigned char)*p->p != 0xBF) {
			return;
		}
	}
}

static void number(parser *p)
{
	const char *from = p->p;
	p->token = TOKEN_INT;
	p->p += *p->p == '-';
	while (p->p < p->end && (digit(*p->p) || *p->p == '.' || *p->p == 'e' || *p->p == 'E' ||
	                         ((*p->p == '-' || *p->p == '+') && (p->p[-1] == 'e' || p->p[-1] == 'E')))) {
		if (!digit(*p->p))
			p->token = TOKEN_FLOAT;
		p->p++;
	}
	p->text = str_of(from, (size_t)(p->p - from));
	/* JSON's numbers are GraphQL's. */
	if (!json_valid(p->text))
		gql_wrong(p, "Invalid number");
}

/* Common indentation and blank lines around are not part of a block. */
static str block(arena *mem, str raw)
{
	size_t common = SIZE_MAX, line_no = 0;
	for (str rest = raw; str_is(rest); line_no++) {
		str line = str_cut(&rest, '\n');
		size_t i = 0;
		while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
			i++;
		if (line_no && i < line.n && line.p[i] != '\r' && i < common)
			common = i;
	}
	buf b = buf_in(mem, raw.n + 1, raw.n + 1);
	line_no = 0;
	for (str rest = raw; str_is(rest); line_no++) {
		str line = str_cut(&rest, '\n');
		if (line_no)
			buf_c(&b, '\n');
		buf_put(&b, line_no && common != SIZE_MAX ? str_sub(line, common < line.n ? common : line.n, line.n)
		        : line);
	}
	return str_trim(buf_str(&b));
}

static void block_string(parser *p)
{
	const char *from = p->p += 3;
	while (p->end - p->p >= 3 && memcmp(p->p, "\"\"\"", 3) != 0) {
		if (*p->p == '\n') {
			p->line++;
			p->line_start = p->p + 1;
		}
		p->p += p->end - p->p >= 4 && memcmp(p->p, "\\\"\"\"", 4) == 0 ? 4 : 1;
	}
	if (p->end - p->p < 3) {
		gql_wrong(p, "Unterminated string");
		return;
	}
	p->text = block(p->mem, str_of(from, (size_t)(p->p - from)));
	p->p += 3;
	p->token = TOKEN_STRING;
}

static void string(parser *p)
{
	const char *from = p->p;
	if (p->end - p->p >= 3 && memcmp(p->p, "\"\"\"", 3) == 0) {
		block_string(p);
		return;
	}
	for (p->p++; p->p < p->end && *p->p != '"' && *p->p != '\n'; p->p++)
		p->p += *p->p == '\\' && p->p + 1 < p->end;
	if (p->p >= p->end || *p->p != '"') {
		gql_wrong(p, "Unterminated string");
		return;
	}
	p->p++;
	/* Its escapes are JSON's. */
	json_value *v = json_parse(p->mem, str_of(from, (size_t)(p->p - from)));
	if (!v || v->kind != JSON_STRING) {
		gql_wrong(p, "Invalid string");
		return;
	}
	p->text = v->text;
	p->token = TOKEN_STRING;
}

void gql_next(parser *p)
{
	if (p->failed)
		return;
	p->before = p->p;
	blank(p);
	p->at = (gql_at){ p->line, (int)(p->p - p->line_start) + 1 };
	p->start = p->p;
	if (p->p >= p->end) {
		p->token = TOKEN_END;
		p->text = S("<EOF>");
		return;
	}
	if (++p->tokens > p->tokens_max) {
		gql_wrong(p, "The document is too large");
		return;
	}
	char c = *p->p;
	if (letter(c)) {
		while (p->p < p->end && (letter(*p->p) || digit(*p->p)))
			p->p++;
		p->token = TOKEN_NAME;
		p->text = str_of(p->start, (size_t)(p->p - p->start));
		if (p->text.n > NAME_MAX_BYTES)
			gql_wrong(p, "The name is too long");
	} else if (digit(c) || c == '-') {
		number(p);
	} else if (c == '"') {
		string(p);
	} else if (p->end - p->p >= 3 && memcmp(p->p, "...", 3) == 0) {
		p->p += 3;
		p->token = TOKEN_SPREAD;
		p->text = S("...");
	} else {
		p->p++;
		p->token = TOKEN_SIGN;
		p->text = str_of(p->start, 1);
		if (!memchr("!$&()=@[]{}|:", c, 13))
			gql_wrong(p, "Invalid character");
	}
}

bool gql_sign(parser *p, char c)
{
	if (p->token != TOKEN_SIGN || *p->text.p != c)
		return false;
	gql_next(p);
	return true;
}

bool gql_peek(const parser *p, char c)
{
	return p->token == TOKEN_SIGN && *p->text.p == c;
}

void gql_need(parser *p, char c)
{
	if (!gql_sign(p, c))
		gql_wrong(p, "Invalid syntax");
}

bool gql_word(parser *p, const char *word)
{
	if (p->token != TOKEN_NAME || !str_eq(p->text, str_c(word)))
		return false;
	gql_next(p);
	return true;
}

str gql_name_of(parser *p)
{
	str name = p->text;
	if (p->token != TOKEN_NAME) {
		gql_wrong(p, "Invalid syntax: a name is expected");
		return S("");
	}
	gql_next(p);
	return name;
}

static bool deeper(parser *p)
{
	if (++p->depth > GQL_DEPTH_MAX)
		gql_wrong(p, "The document is nested too deeply");
	return !p->failed;
}

gql_value *gql_value_of(parser *p, bool constant)
{
	gql_value *v = arena_new(p->mem, gql_value), **tail = &v->first;
	v->at = p->at;
	v->text = p->text;
	if (!deeper(p))
		return v;
	if (!constant && gql_sign(p, '$')) {
		v->kind = GQL_VARIABLE;
		v->text = gql_name_of(p);
	} else if (gql_sign(p, '[')) {
		v->kind = GQL_LIST;
		for (; !p->failed && !gql_peek(p, ']') && p->token != TOKEN_END; tail = &(*tail)->next)
			*tail = gql_value_of(p, constant);
		gql_need(p, ']');
	} else if (gql_sign(p, '{')) {
		v->kind = GQL_OBJECT;
		for (; !p->failed && !gql_peek(p, '}') && p->token != TOKEN_END; tail = &(*tail)->next) {
			str key = gql_name_of(p);
			gql_need(p, ':');
			*tail = gql_value_of(p, constant);
			(*tail)->key = key;
		}
		gql_need(p, '}');
	} else if (p->token == TOKEN_NAME) {
		v->kind = str_eq(p->text, S("null")) ? GQL_NULL
			: str_eq(p->text, S("true")) || str_eq(p->text, S("false")) ? GQL_BOOLEAN : GQL_ENUM;
		gql_next(p);
	} else if (p->token == TOKEN_INT || p->token == TOKEN_FLOAT || p->token == TOKEN_STRING) {
		v->kind = p->token == TOKEN_INT ? GQL_INT : p->token == TOKEN_FLOAT ? GQL_FLOAT : GQL_STRING;
		gql_next(p);
	} else {
		gql_wrong(p, "Invalid syntax: a value is expected");
	}
	p->depth--;
	return v;
}

gql_value *gql_arguments_of(parser *p, bool constant)
{
	gql_value *first = NULL, **tail = &first;
	if (!gql_sign(p, '('))
		return NULL;
	while (!p->failed && !gql_peek(p, ')') && p->token != TOKEN_END) {
		gql_at at = p->at;
		str key = gql_name_of(p);
		gql_need(p, ':');
		*tail = gql_value_of(p, constant);
		(*tail)->key = key;
		(*tail)->at = at;
		tail = &(*tail)->next;
	}
	gql_need(p, ')');
	return first;
}

gql_directive *gql_directives_of(parser *p, bool constant)
{
	gql_directive *first = NULL, **tail = &first;
	gql_at at = p->at;
	for (; !p->failed && gql_sign(p, '@'); tail = &(*tail)->next, at = p->at) {
		*tail = arena_new(p->mem, gql_directive);
		(*tail)->at = at;
		(*tail)->name = gql_name_of(p);
		(*tail)->arguments = gql_arguments_of(p, constant);
	}
	return first;
}

gql_type *gql_type_of(parser *p)
{
	gql_type *t = arena_new(p->mem, gql_type);
	if (!deeper(p))
		return t;
	if (gql_sign(p, '[')) {
		t->of = gql_type_of(p);
		gql_need(p, ']');
	} else {
		t->name = gql_name_of(p);
	}
	t->required = gql_sign(p, '!');
	p->depth--;
	return t;
}

static gql_selection *selections(parser *p);

static void fragment_selection(parser *p, gql_selection *s)
{
	if (p->token == TOKEN_NAME && !str_eq(p->text, S("on"))) {
		s->kind = GQL_SPREAD;
		s->name = gql_name_of(p);
		s->directives = gql_directives_of(p, false);
		return;
	}
	s->kind = GQL_INLINE;
	if (gql_word(p, "on"))
		s->on = gql_name_of(p);
	s->directives = gql_directives_of(p, false);
	s->first = selections(p);
}

static gql_selection *selection(parser *p)
{
	gql_selection *s = arena_new(p->mem, gql_selection);
	s->at = p->at;
	if (p->token == TOKEN_SPREAD) {
		gql_next(p);
		fragment_selection(p, s);
		return s;
	}
	s->name = s->alias = gql_name_of(p);
	if (gql_sign(p, ':'))
		s->name = gql_name_of(p);
	s->arguments = gql_arguments_of(p, false);
	s->directives = gql_directives_of(p, false);
	if (gql_peek(p, '{'))
		s->first = selections(p);
	return s;
}

static gql_selection *selections(parser *p)
{
	gql_selection *first = NULL, **tail = &first;
	if (!deeper(p))
		return NULL;
	gql_need(p, '{');
	do {
		*tail = selection(p);
		tail = &(*tail)->next;
	} while (!p->failed && !gql_peek(p, '}') && p->token != TOKEN_END);
	gql_need(p, '}');
	p->depth--;
	return first;
}

static gql_variable *variables(parser *p)
{
	gql_variable *first = NULL, **tail = &first;
	if (!gql_sign(p, '('))
		return NULL;
	for (; !p->failed && !gql_peek(p, ')') && p->token != TOKEN_END; tail = &(*tail)->next) {
		gql_variable *v = *tail = arena_new(p->mem, gql_variable);
		v->at = p->at;
		gql_need(p, '$');
		v->name = gql_name_of(p);
		gql_need(p, ':');
		v->type = gql_type_of(p);
		if (gql_sign(p, '='))
			v->initial = gql_value_of(p, true);
		gql_directives_of(p, true);
	}
	gql_need(p, ')');
	return first;
}

static gql_definition *definition(parser *p)
{
	gql_definition *d = arena_new(p->mem, gql_definition);
	d->at = p->at;
	d->on = STR_NONE;
	d->name = STR_NONE;
	if (gql_word(p, "fragment")) {
		d->name = gql_name_of(p);
		if (!gql_word(p, "on"))
			gql_wrong(p, "Invalid syntax: 'on' is expected");
		d->on = gql_name_of(p);
	} else if (!gql_peek(p, '{')) {
		d->kind = gql_word(p, "query") ? GQL_QUERY : gql_word(p, "mutation") ? GQL_MUTATION
			: gql_word(p, "subscription") ? GQL_SUBSCRIPTION : (gql_wrong(p, "Invalid syntax"), GQL_QUERY);
		if (p->token == TOKEN_NAME)
			d->name = gql_name_of(p);
		d->variables = variables(p);
	}
	d->directives = gql_directives_of(p, false);
	d->first = selections(p);
	return d;
}

void gql_parser_open(parser *p, arena *mem, str text, size_t tokens_max, gql_problem *problem)
{
	*p = (parser){ .mem = mem, .p = text.p, .end = text.p + text.n, .line_start = text.p,
		.line = 1, .tokens_max = tokens_max, .problem = problem };
	problem->message = STR_NONE;
	if (!utf8_valid(text))
		gql_wrong(p, "The document is not UTF-8");
	gql_next(p);
}

gql_document *gql_parse(arena *mem, str text, gql_problem *problem)
{
	parser p;
	gql_parser_open(&p, mem, text, GQL_TOKENS_MAX, problem);
	gql_document *d = arena_new(mem, gql_document);
	gql_definition **operation = &d->operations, **fragment = &d->fragments;
	d->by_name = map_in(mem, 8);
	while (!p.failed && p.token != TOKEN_END) {
		gql_definition *one = definition(&p), ***tail = str_is(one->on) ? &fragment : &operation;
		**tail = one;
		*tail = &one->next;
		d->n_operations += !str_is(one->on);
		if (str_is(one->on))
			map_put(&d->by_name, one->name, one);
	}
	if (!p.failed && !d->operations)
		gql_wrong(&p, "There is no operation");
	return p.failed ? NULL : d;
}
