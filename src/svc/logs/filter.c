#include "filter.h"
#include "filter_condition.h"
#include "wire/pattern.h"

#define TERMS_MAX 64
#define STARS_MAX 3

typedef enum term_kind { TERM_ALL, TERM_NOT, TERM_ANY } term_kind;

typedef struct term {
	term_kind kind;
	str text;
	const pattern *expression; /* instead of the text */
} term;

struct filter {
	term terms[TERMS_MAX];
	size_t n;
	condition *json; /* instead of terms */
	filter_fields *fields;
};

/* AWS documents letters, digits and _; what it is known to refuse is this. */
static bool plain(str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr("[]{}()!?@", text.p[i]))
			return false;
	return text.n;
}

static err parse_term(filter_reader *r, term *t)
{
	char c = r->rest.p[0];
	t->kind = c == '-' ? TERM_NOT : c == '?' ? TERM_ANY : TERM_ALL;
	if (t->kind != TERM_ALL)
		r->rest = str_sub(r->rest, 1, r->rest.n);
	if (filter_eat(r, S("%")))
		return filter_expression(r, &t->expression);
	if (str_starts(r->rest, S("\"")))
		return filter_quoted(r, &t->text) ? OK : filter_bad(r->rq, "a quotation is not closed");
	t->text = filter_word(r, " \t\"");
	return plain(t->text) ? OK : fail(r->rq, &logs_InvalidParameterException,
	                                  "Invalid character(s) in term '%.*s'", STR_ARG(t->text));
}

static err parse_terms(filter_reader *r, filter *f)
{
	for (r->rest = str_trim(r->rest); r->rest.n; r->rest = str_trim(r->rest)) {
		if (f->n == TERMS_MAX)
			return filter_bad(r->rq, "too many terms");
		TRY(parse_term(r, &f->terms[f->n++]));
	}
	return OK;
}

static err json_subjects(req *rq, const condition *c, size_t *stars)
{
	size_t own = 0;
	if (c->kind != CONDITION_TEST) {
		TRY(json_subjects(rq, c->left, stars));
		return json_subjects(rq, c->right, stars);
	}
	if (!str_starts(c->subject, S("$")))
		return filter_bad(rq, "a property selector begins with $");
	for (size_t i = 0; i < c->subject.n; i++)
		own += c->subject.p[i] == '*';
	*stars += own;
	if (own > 1)
		return filter_bad(rq, "a property selector has at most one wildcard");
	return *stars <= STARS_MAX ? OK : filter_bad(rq, "at most three property selectors have a wildcard");
}

static err parse_json(filter_reader *r, filter *f)
{
	r->subject_stops = " =!<>\t)}";
	r->value_stops = " \t)&|}";
	TRY(condition_parse(r, &f->json));
	size_t stars = 0;
	TRY(json_subjects(r->rq, f->json, &stars));
	return filter_eat(r, S("}")) ? OK : filter_bad(r->rq, "} is missing");
}

static err parse_fields(filter_reader *r, filter *f)
{
	r->subject_stops = " \t=!<>,]&|";
	r->value_stops = " \t&|,]";
	return filter_fields_parse(r, &f->fields);
}

err filter_parse(req *rq, str text, filter **out)
{
	filter *f = arena_new(rq->mem, filter);
	filter_reader r = { .rq = rq, .rest = str_is(text) ? str_trim(text) : S("") };
	*out = f;
	if (filter_eat(&r, S("{")))
		TRY(parse_json(&r, f));
	else if (filter_eat(&r, S("[")))
		TRY(parse_fields(&r, f));
	else
		TRY(parse_terms(&r, f));
	return str_trim(r.rest).n == 0 ? OK : filter_bad(rq, "something stands behind its end");
}

/* The first step of a path: .name, ['name'], [3] or [*]; what follows in `rest`. */
static str first_step(str *rest, bool *in_array)
{
	if (str_starts(*rest, S(".[")))
		*rest = str_sub(*rest, 1, rest->n);
	*in_array = rest->p[0] == '[';
	if (!*in_array) {
		size_t from = rest->p[0] == '.' ? 1 : 0, to = from;
		while (to < rest->n && rest->p[to] != '.' && rest->p[to] != '[')
			to++;
		str name = str_sub(*rest, from, to);
		*rest = str_sub(*rest, to, rest->n);
		return name;
	}
	*rest = str_sub(*rest, 1, rest->n);
	str index = str_cut(rest, ']');
	*rest = str_is(*rest) ? *rest : S("");
	*in_array = !str_starts(index, S("'"));
	return *in_array ? index : str_sub(index, 1, index.n - (index.n > 1));
}

/* Visits what a path picks, until one says yes. `*` is every element or member. */
static bool select_any(const json_value *v, str path, bool (*each)(void *context, const json_value *v),
                       void *context)
{
	if (!v)
		return false;
	if (!path.n)
		return each(context, v);
	bool in_array;
	int64_t index;
	str step = first_step(&path, &in_array);
	if (str_eq(step, S("*"))) {
		bool container = v->kind == JSON_ARRAY || (!in_array && v->kind == JSON_OBJECT);
		for (const json_value *c = container ? v->first : NULL; c; c = c->next)
			if (select_any(c, path, each, context))
				return true;
		return false;
	}
	if (!in_array)
		return select_any(json_get(v, step), path, each, context);
	if (v->kind != JSON_ARRAY || !str_to_i64(step, &index))
		return false;
	const json_value *at = v->first;
	for (; at && index > 0; index--)
		at = at->next;
	return select_any(at, path, each, context);
}

typedef struct comparison {
	arena *mem;
	const condition *c;
} comparison;

static bool compares(void *context, const json_value *v)
{
	const comparison *c = context;
	return str_ends(c->c->operator, S("EXISTS")) || condition_compare(c->mem, c->c, v->kind, v->text);
}

static bool json_fits(arena *mem, const json_value *document, const condition *c)
{
	if (c->kind == CONDITION_AND)
		return json_fits(mem, document, c->left) && json_fits(mem, document, c->right);
	if (c->kind == CONDITION_OR)
		return json_fits(mem, document, c->left) || json_fits(mem, document, c->right);
	comparison context = { mem, c };
	bool found = select_any(document, str_sub(c->subject, 1, c->subject.n), compares, &context);
	return str_starts(c->operator, S("NOT")) ? !found : found;
}

static bool terms_fit(arena *mem, const filter *f, str message)
{
	bool any = false, only_any = true;
	for (size_t i = 0; i < f->n; i++) {
		const term *t = &f->terms[i];
		bool found = t->expression ? pattern_matches(t->expression, mem, message) :
		                             str_find(message, t->text) != SIZE_MAX;
		if ((t->kind == TERM_ALL && !found) || (t->kind == TERM_NOT && found))
			return false;
		only_any &= t->kind == TERM_ANY;
		any |= t->kind == TERM_ANY && found;
	}
	/* Beside terms of other kinds, those with ? count for nothing. */
	return any || !only_any || !f->n;
}

bool filter_has_parts(const filter *f) { return f->json || f->fields; }

bool filter_fits(arena *mem, const filter *f, str message)
{
	if (f->fields)
		return filter_fields_fit(mem, f->fields, message);
	if (!f->json)
		return terms_fit(mem, f, message);
	const json_value *document = json_parse(mem, message);
	return document && document->kind == JSON_OBJECT && json_fits(mem, document, f->json);
}

static bool keep_text(void *context, const json_value *v)
{
	if (v->kind != JSON_STRING && v->kind != JSON_NUMBER)
		return false;
	*(str *)context = v->text;
	return true;
}

typedef struct wanted_field {
	str name, value;
} wanted_field;

static void keep_field(void *context, str name, str value)
{
	wanted_field *w = context;
	if (str_eq(w->name, name))
		w->value = value;
}

str filter_value(arena *mem, const filter *f, str message, str selector)
{
	str text = STR_NONE;
	if (f->fields) {
		wanted_field w = { selector, STR_NONE };
		filter_fields_each(mem, f->fields, message, keep_field, &w);
		return w.value;
	}
	select_any(json_parse(mem, message), str_sub(selector, 1, selector.n), keep_text, &text);
	return text;
}

static void json_values(arena *mem, const condition *c, const json_value *document,
                        void (*each)(void *context, str name, str value), void *context)
{
	if (c->kind != CONDITION_TEST) {
		json_values(mem, c->left, document, each, context);
		json_values(mem, c->right, document, each, context);
		return;
	}
	str text = STR_NONE;
	if (select_any(document, str_sub(c->subject, 1, c->subject.n), keep_text, &text))
		each(context, c->subject, text);
}

void filter_values(arena *mem, const filter *f, str message,
                   void (*each)(void *context, str name, str value), void *context)
{
	if (f->fields)
		filter_fields_each(mem, f->fields, message, each, context);
	else if (f->json)
		json_values(mem, f->json, json_parse(mem, message), each, context);
}
