/*
 * Finds the operations that the sources of a service define, and what they reach. A handler is a
 * definition in column 0, `err PREFIX_Operation(req *rq, ..) {`, its return type on the same line
 * or on the one before; its kind stands in its parameters (cloud/req.h).
 */
#include "tools/apic.h"
#include <ctype.h>
#include <stdlib.h>

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r')
		c++;
	return c;
}

/* The parameters with runs of white space made one blank, and none around '*'. */
static str plain_parameters(arena *a, const char *from, const char *to)
{
	char *out = arena_bytes(a, (size_t)(to - from) + 1);
	size_t n = 0;
	for (const char *c = from; c < to; c++) {
		bool blank = isspace((unsigned char)*c);
		if (blank && n && (out[n - 1] == ' ' || out[n - 1] == '*'))
			continue;
		if (*c == '*' && n && out[n - 1] == ' ')
			n--;
		out[n++] = blank ? ' ' : *c;
	}
	return str_of(out, n);
}

static apic_kind kind_of(str parameters)
{
	if (str_find(parameters, S("const txn*")) != SIZE_MAX)
		return KIND_READ;
	return str_find(parameters, S("txn*")) != SIZE_MAX ? KIND_WRITE : KIND_WAIT;
}

/* `body` stands behind the opening brace. */
static err found(arena *a, apic_service *s, apic_handler h, str name, str parameters,
                 const char *body)
{
	const operation *op = operation_find(&s->api->service, name);
	if (!op) {
		bool looks = isupper((unsigned char)name.p[0]) && str_starts(parameters, S("req*"))
		             && str_find(parameters, S("_in*")) != SIZE_MAX
		             && str_find(parameters, S("_out*")) != SIZE_MAX;
		if (!looks)
			return OK;
		return fault_new(a, &fault_syntax, "%s:%d: %s has no operation %.*s", h.file, h.line,
		                 s->folder, STR_ARG(name));
	}
	apic_handler *slot = &s->handlers[op - s->api->service.operations];
	if (slot->kind)
		return fault_new(a, &fault_syntax, "%s:%d: %s is defined already in %s:%d", h.file, h.line,
		                 op->name, slot->file, slot->line);
	static const char refusal[] = "return fail(rq, &aws_NotImplemented";
	h.kind = kind_of(parameters);
	h.refuses = strncmp(skip_blanks(body), refusal, sizeof refusal - 1) == 0;
	*slot = h;
	s->n_implemented += !h.refuses;
	return OK;
}

/* `at` stands behind `err`. Moves it past the parameters of a definition of this service's. */
static err definition(arena *a, apic_service *s, const char *file, int line, const char *at)
{
	size_t n = strlen(s->prefix);
	at = skip_blanks(at);
	if (strncmp(at, s->prefix, n) != 0 || at[n] != '_')
		return OK;
	const char *name = at + n + 1, *end = name;
	while (word_char(*end))
		end++;
	const char *open = skip_blanks(end), *close = open;
	if (*open != '(' || end == name)
		return OK;
	while (*close && *close != ')' && *close != ';' && *close != '{')
		close++;
	const char *body = *close == ')' ? skip_blanks(close + 1) : "";
	if (*body != '{')
		return OK;
	return found(a, s, (apic_handler){ .file = file, .line = line },
	             str_of(name, (size_t)(end - name)), plain_parameters(a, open + 1, close),
	             body + 1);
}

static err scan_file(arena *a, apic_service *s, const char *file)
{
	str text;
	TRY(apic_read(a, str_c(file), &text));
	int line = 0;
	bool comment = false;
	for (const char *at = text.p; at && *at;) {
		const char *end = strchr(at, '\n'), *stop = end ? end : text.p + text.n;
		line++;
		if (!comment && strncmp(at, "err", 3) == 0 && !word_char(at[3]) && at[3] != ';')
			TRY(definition(a, s, file, line, at + 3));
		for (const char *c = at; c + 1 < stop; c++) {
			if (!comment && c[0] == '/' && c[1] == '*')
				comment = true;
			else if (comment && c[0] == '*' && c[1] == '/')
				comment = false;
		}
		at = end ? end + 1 : NULL;
	}
	return OK;
}

err apic_scan(arena *a, apic_service *s, str dir)
{
	const char **names;
	size_t n;
	TRY(apic_list(a, dir, &names, &n));
	s->known_only = true;
	for (size_t i = 0; i < n; i++) {
		str name = str_c(names[i]);
		if (!str_ends(name, S(".c")))
			continue;
		s->known_only = false;
		if (!str_ends(name, S("_test.c")))
			TRY(scan_file(a, s, arena_fmt(a, "%.*s/%s", STR_ARG(dir), names[i]).p));
	}
	return OK;
}

/* Recursion is as deep as the model's nesting of distinct shapes: a few dozen. */
static void mark(const shape *s)
{
	api_shape *t = (api_shape *)(uintptr_t)s;
	if (!s || t->wanted)
		return;
	t->wanted = true;
	for (size_t i = 0; i < s->n_members; i++)
		mark(s->members[i].shape);
	mark(s->element);
	mark(s->key);
}

/* Whether a record's name or one of its functions would be a shape's. */
static err check_record(arena *a, const apic_service *s, const api_record *r)
{
	for (const api_shape *t = s->api->shapes; t; t = t->next)
		if (strcmp(t->shape.name, r->name) == 0)
			return fault_new(a, &fault_syntax, "%s:%d: %s is a shape of the service",
			                 s->api->def_file, r->line, r->name);
	for (const api_record *o = s->api->records; o != r; o = o->next)
		if (strcmp(o->name, r->name) == 0)
			return fault_new(a, &fault_syntax, "%s:%d: record %s stands there already",
			                 s->api->def_file, r->line, r->name);
	return OK;
}

err apic_mark(arena *a, apic_service *s)
{
	const service *v = &s->api->service;
	for (size_t i = 0; i < v->n_operations; i++)
		if (s->handlers[i].kind) {
			mark(v->operations[i].input);
			mark(v->operations[i].output);
		}
	for (api_shape *t = s->api->shapes; t; t = t->next)
		if (t->own || (t->shape.fault && !s->known_only))
			mark(&t->shape);
	for (const api_record *r = s->api->records; r; r = r->next) {
		TRY(check_record(a, s, r));
		for (int i = 0; i < r->n_fields; i++)
			if (r->fields[i].type == API_SHAPE)
				mark(&r->fields[i].shape->shape);
	}
	return OK;
}
