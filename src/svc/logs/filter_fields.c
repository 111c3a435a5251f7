/*
 * Space-delimited patterns: [ip, user, ..., status = 4*, bytes > 1000].
 */
#include "filter_condition.h"

#define FIELDS_MAX 64

typedef struct field {
	str name;
	condition *test; /* NULL: anything */
} field;

struct filter_fields {
	field v[FIELDS_MAX];
	size_t n, gap; /* `gap`: so many stand before the ellipsis; SIZE_MAX: there is none */
};

static err parse_field(filter_reader *r, filter_fields *f)
{
	if (filter_eat(r, S("..."))) {
		if (f->gap != SIZE_MAX)
			return filter_bad(r->rq, "only one ellipsis");
		f->gap = f->n;
		return OK;
	}
	if (f->n == FIELDS_MAX)
		return filter_bad(r->rq, "too many fields");
	field *at = &f->v[f->n++];
	str before = r->rest = str_trim(r->rest);
	at->name = filter_word(r, r->subject_stops);
	str rest = str_trim(r->rest);
	if (!rest.n || rest.p[0] == ',' || rest.p[0] == ']')
		return OK;
	r->rest = before;
	return condition_parse(r, &at->test);
}

err filter_fields_parse(filter_reader *r, filter_fields **out)
{
	filter_fields *f = arena_new(r->rq->mem, filter_fields);
	f->gap = SIZE_MAX;
	*out = f;
	do
		TRY(parse_field(r, f));
	while (filter_eat(r, S(",")));
	return filter_eat(r, S("]")) ? OK : filter_bad(r->rq, "] is missing");
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next field of an event: up to a blank, or between quotes or brackets. */
static str next_field(str *rest)
{
	*rest = str_trim(*rest);
	char close = rest->n == 0 ? 0 : rest->p[0] == '"' ? '"' : rest->p[0] == '[' ? ']' : 0;
	size_t from = close ? 1 : 0, to = from;
	while (to < rest->n && (close ? rest->p[to] != close : !blank(rest->p[to])))
		to++;
	if (close && to == rest->n) { /* never closed: an ordinary field */
		for (from = 0, to = 0; to < rest->n && !blank(rest->p[to]); to++)
			;
		close = 0;
	}
	str out = str_sub(*rest, from, to);
	*rest = str_sub(*rest, close ? to + 1 : to, rest->n);
	return out;
}

static str *split(arena *mem, str message, size_t *n)
{
	size_t most = 1;
	for (size_t i = 0; i < message.n; i++)
		most += blank(message.p[i]) || message.p[i] == '"' || message.p[i] == '[';
	str *v = arena_array(mem, str, most + 1);
	for (str rest = str_trim(message); rest.n && *n < most; rest = str_trim(rest))
		v[(*n)++] = next_field(&rest);
	return v;
}

/* The field of the pattern that stands for the event's i-th, or NULL. */
static const field *field_at(const filter_fields *f, size_t i, size_t n)
{
	if (i < f->n && i < f->gap)
		return &f->v[i];
	if (f->gap == SIZE_MAX || n - i > f->n - f->gap)
		return NULL;
	return &f->v[f->n - (n - i)];
}

static bool holds(arena *mem, const condition *c, str text)
{
	if (c->kind == CONDITION_TEST)
		return condition_compare(mem, c, JSON_STRING, text);
	bool left = holds(mem, c->left, text);
	return c->kind == CONDITION_AND ? left && holds(mem, c->right, text) : left || holds(mem, c->right, text);
}

bool filter_fields_fit(arena *mem, const filter_fields *f, str message)
{
	size_t n = 0;
	str *v = split(mem, message, &n);
	if (n < f->n)
		return false;
	for (size_t i = 0; i < n; i++) {
		const field *at = field_at(f, i, n);
		if (at && at->test && !holds(mem, at->test, v[i]))
			return false;
	}
	return true;
}

void filter_fields_each(arena *mem, const filter_fields *f, str message,
                        void (*each)(void *context, str name, str value), void *context)
{
	size_t n = 0;
	str *v = split(mem, message, &n);
	for (size_t i = 0; i < n; i++) {
		const field *at = field_at(f, i, n);
		str name = at && at->name.n ? arena_concat(mem, S("$"), at->name) :
		                              arena_fmt(mem, "$%zu", i + 1);
		each(context, name, v[i]);
	}
}
