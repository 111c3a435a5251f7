/* Values, the fields of a row, and expressions of both. */
#include "base/time.h"
#include "insights.h"
#include <math.h>

#define JSON_DEPTH 5
#define JSON_FIELDS 1000
#define JSON_NAME 1024 /* behind a longer one there are no steps: each would repeat it */
#define ROW_MAX ((size_t)64 << 20)

bool iq_row_full(const iq_row *row) { return arena_used(row->mem) > ROW_MAX; }

bool iq_is_number(iq_value v, double *out)
{
	if (v.kind == IQ_TEXT)
		return str_to_f64(v.text, out);
	*out = v.n;
	return v.kind != IQ_NONE && v.kind != IQ_JSON;
}

bool iq_true(iq_value v)
{
	return v.kind == IQ_TEXT ? str_eq(v.text, S("true")) || str_eq(v.text, S("1")) : v.kind && v.n != 0;
}

str iq_shown(arena *mem, iq_value v)
{
	buf b = buf_in(mem, 32, 64);
	switch (v.kind) {
	case IQ_NONE: return STR_NONE;
	case IQ_TEXT:
	case IQ_JSON: return v.text;
	case IQ_BOOL: return v.n != 0 ? S("1") : S("0");
	case IQ_TIME: {
		/* 2026-01-31 12:00:00.000 */
		str iso = time_iso_ms(mem, (int64_t)v.n);
		return arena_fmt(mem, "%.*s %.*s", 10, iso.p, (int)(iso.n - 12), iso.p + 11);
	}
	default:
		if (str_is(v.text))
			return v.text;
		/* Four digits are shown behind the point. */
		json_put_double(&b, isfinite(v.n) ? round(v.n * 1e4) / 1e4 : 0);
		return isfinite(v.n) ? buf_str(&b) : STR_NONE;
	}
}

/* Runs of digits by their value, all else by bytes. */
static int natural(str a, str b)
{
	size_t i = 0, k = 0;
	while (i < a.n && k < b.n) {
		size_t m = i, n = k;
		while (m < a.n && a.p[m] >= '0' && a.p[m] <= '9')
			m++;
		while (n < b.n && b.p[n] >= '0' && b.p[n] <= '9')
			n++;
		if (m > i && n > k) {
			while (i < m && a.p[i] == '0')
				i++;
			while (k < n && b.p[k] == '0')
				k++;
			if (m - i != n - k)
				return m - i < n - k ? -1 : 1;
			int c = str_cmp(str_sub(a, i, m), str_sub(b, k, n));
			if (c)
				return c;
			i = m;
			k = n;
			continue;
		}
		if (a.p[i] != b.p[k])
			return (unsigned char)a.p[i] < (unsigned char)b.p[k] ? -1 : 1;
		i++;
		k++;
	}
	return i < a.n ? 1 : k < b.n ? -1 : 0;
}

int iq_compare(iq_value a, iq_value b)
{
	double x, y;
	bool p = iq_is_number(a, &x), q = iq_is_number(b, &y);
	if (!a.kind || !b.kind)
		return !!a.kind - !!b.kind;
	if (p && q)
		return x < y ? -1 : x > y;
	return p != q ? p - q : natural(a.text, b.text);
}

iq_value iq_copy(arena *mem, iq_value v)
{
	v.text = arena_str(mem, v.text);
	return v;
}

static iq_value of_json(const json_value *v, arena *mem)
{
	double n;
	if (!v || v->kind == JSON_NULL)
		return IQ_NOTHING;
	if (v->kind == JSON_STRING)
		return iq_text(v->text);
	if (v->kind == JSON_NUMBER)
		return str_to_f64(v->text, &n) ? (iq_value){ IQ_NUMBER, v->text, n } : iq_text(v->text);
	if (v->kind == JSON_TRUE || v->kind == JSON_FALSE)
		return iq_bool(v->kind == JSON_TRUE);
	buf b = buf_in(mem, 256, 1 << 20);
	json_write(&b, v);
	return b.full ? IQ_NOTHING : (iq_value){ IQ_JSON, buf_str(&b), 0 };
}

static const json_value *document(iq_row *row)
{
	if (row->json_read)
		return row->json;
	row->json_read = true;
	str text = str_trim(row->transformed.n ? row->transformed : row->message);
	/* A function's line may have a time and an id before its JSON. */
	size_t at = row->lambda && !row->transformed.n ? str_find_char(text, '{') : 0;
	text = at == SIZE_MAX ? STR_NONE : str_sub(text, at, text.n);
	if (str_starts(text, S("{")))
		row->json = json_parse(row->mem, text);
	return row->json;
}

/* a.b.0: names hold points as well, so the longest name wins at each step. */
static const json_value *in_json(const json_value *v, str path)
{
	if (!v || !path.n)
		return path.n ? NULL : v;
	if (v->kind == JSON_ARRAY) {
		int64_t i;
		str rest = path, index = str_cut(&rest, '.');
		if (!str_to_i64(index, &i) || i < 0)
			return NULL;
		const json_value *c = v->first;
		while (c && i--)
			c = c->next;
		return str_is(rest) ? in_json(c, rest) : c;
	}
	const json_value *whole = json_get(v, path);
	for (size_t n = path.n; !whole && n-- > 0;)
		if (path.p[n] == '.')
			whole = in_json(json_get(v, str_sub(path, 0, n)), str_sub(path, n + 1, path.n));
	return whole;
}

/* What AWS finds in a function's REPORT line. */
static const struct { const char *field, *label, *unit; double factor; } report[] = {
	{ "@duration", "Duration: ", " ms", 1 },
	{ "@billedDuration", "Billed Duration: ", " ms", 1 },
	{ "@memorySize", "Memory Size: ", " MB", 1e6 },
	{ "@maxMemoryUsed", "Max Memory Used: ", " MB", 1e6 },
	{ "@initDuration", "Init Duration: ", " ms", 1 },
};
#define REPORT_FIELDS (sizeof report / sizeof *report)

/* Behind a label that begins a part of the line (parts are divided by tabs). */
static str labelled(str line, str label)
{
	while (str_is(line)) {
		str part = str_trim(str_cut(&line, '\t'));
		size_t at = str_starts(part, S("REPORT ")) ? str_find(part, label) : 0;
		if (at != SIZE_MAX && str_starts(str_sub(part, at, part.n), label))
			return str_sub(part, at + label.n, part.n);
	}
	return STR_NONE;
}

static iq_value in_lambda(iq_row *row, str name)
{
	static const char *const types[] = { "START", "END", "REPORT", "INIT_START" };
	str first = row->message;
	str_cut(&first, ' ');
	first = str_sub(row->message, 0, row->message.n - (str_is(first) ? first.n + 1 : 0));
	size_t type = 0;
	while (type < 4 && !str_eq(first, str_c(types[type])))
		type++;
	if (str_eq(name, S("@type")))
		return type < 4 ? iq_text(str_c(types[type])) : IQ_NOTHING;
	if (str_eq(name, S("@requestId")) && type < 3) {
		str id = labelled(row->message, type == 2 ? S("RequestId: ") : STR_NONE);
		if (type < 2) {
			size_t at = str_find(row->message, S("RequestId: "));
			id = at == SIZE_MAX ? STR_NONE : str_sub(row->message, at + 11, row->message.n);
		}
		return iq_text(str_trim(str_cut(&id, ' ')));
	}
	double n;
	for (size_t i = 0; type == 2 && i < REPORT_FIELDS; i++)
		if (str_eq(name, str_c(report[i].field))) {
			str text = labelled(row->message, str_c(report[i].label));
			str digits = str_cut(&text, ' ');
			return str_to_f64(digits, &n) ? iq_number(n * report[i].factor) : IQ_NOTHING;
		}
	return IQ_NOTHING;
}

static iq_value own_field(iq_row *row, str name)
{
	if (str_eq(name, S("@message")))
		return iq_text(row->message);
	if (str_eq(name, S("@timestamp")))
		return iq_time((double)row->when);
	if (str_eq(name, S("@ingestionTime")))
		return iq_time((double)row->ingested);
	if (str_eq(name, S("@logStream")))
		return iq_text(row->stream);
	if (str_eq(name, S("@log")))
		return iq_text(row->log);
	return row->lambda ? in_lambda(row, name) : IQ_NOTHING;
}

iq_value iq_field(iq_row *row, str name)
{
	if (iq_row_full(row))
		return IQ_NOTHING;
	for (const iq_extra *e = row->extras; e; e = e->next) {
		if (str_eq(e->name, name))
			return e->value;
		/* A step into what an earlier command made. */
		if (e->value.kind == IQ_JSON && str_starts(name, e->name) && name.n > e->name.n + 1 &&
		    name.p[e->name.n] == '.')
			return of_json(in_json(json_parse(row->mem, e->value.text),
			                       str_sub(name, e->name.n + 1, name.n)), row->mem);
	}
	if (!row->event)
		return IQ_NOTHING;
	if (str_starts(name, S("@"))) {
		iq_value v = own_field(row, name);
		if (v.kind)
			return v;
	}
	return of_json(in_json(document(row), name), row->mem);
}

void iq_row_set(iq_row *row, str name, iq_value v)
{
	iq_extra *e = arena_new(row->mem, iq_extra);
	*e = (iq_extra){ row->extras, name, v };
	row->extras = e;
}

bool iq_elements(iq_row *row, iq_value list, bool (*each)(void *context, iq_value v), void *context)
{
	const json_value *v = list.kind == IQ_JSON ? json_parse(row->mem, list.text) : NULL;
	bool more = true;
	for (const json_value *c = v && v->kind == JSON_ARRAY ? v->first : NULL; c && more; c = c->next)
		more = each(context, of_json(c, row->mem));
	return more;
}

typedef struct walk {
	iq_row *row;
	void (*each)(void *context, str name, iq_value v);
	void *context;
	size_t n;
} walk;

static void walk_json(walk *w, const json_value *v, str prefix, int depth)
{
	arena *mem = w->row->mem;
	size_t i = 0;
	for (const json_value *c = v->first; c && w->n < JSON_FIELDS; c = c->next, i++) {
		str own = v->kind == JSON_ARRAY ? arena_fmt(mem, "%zu", i) : c->key;
		str name = prefix.n ? arena_fmt(mem, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(own)) : own;
		bool steps = depth < JSON_DEPTH && name.n <= JSON_NAME;
		if ((c->kind == JSON_OBJECT || c->kind == JSON_ARRAY) && steps) {
			walk_json(w, c, name, depth + 1);
		} else {
			w->each(w->context, name, of_json(c, mem));
			w->n++;
		}
	}
}

void iq_row_each(iq_row *row, void (*each)(void *context, str name, iq_value v), void *context)
{
	walk w = { row, each, context, 0 };
	static const char *const lambda[] = { "@type", "@requestId" };
	for (size_t i = 0; row->lambda && i < 2 + REPORT_FIELDS; i++) {
		str name = str_c(i < 2 ? lambda[i] : report[i - 2].field);
		iq_value v = in_lambda(row, name);
		if (v.kind)
			each(context, name, v);
	}
	if (document(row))
		walk_json(&w, document(row), S(""), 1);
}

static bool like(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	str text = iq_shown(row->mem, iq_eval(row, n->args, aggregates));
	if (!str_is(text))
		return false;
	if (n->expression)
		return regex_search(row->mem, n->expression, text, NULL);
	str part = iq_shown(row->mem, iq_eval(row, n->args->next, aggregates));
	return str_is(part) && str_find(text, part) != SIZE_MAX;
}

static bool is_in(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	iq_value v = iq_eval(row, n->args, aggregates);
	for (const iq_node *c = n->args->next; c && v.kind; c = c->next)
		if (iq_compare(v, iq_eval(row, c, aggregates)) == 0)
			return true;
	return false;
}

static iq_value compared(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	iq_value a = iq_eval(row, n->args, aggregates), b = iq_eval(row, n->args->next, aggregates);
	if (!a.kind || !b.kind)
		return n->kind == IQ_NE ? iq_bool(a.kind != b.kind) : iq_bool(false);
	int c = iq_compare(a, b);
	double x, y;
	bool alike = iq_is_number(a, &x) == iq_is_number(b, &y);
	switch (n->kind) {
	case IQ_EQ: return iq_bool(c == 0);
	case IQ_NE: return iq_bool(c != 0);
	case IQ_LT: return iq_bool(alike && c < 0);
	case IQ_LE: return iq_bool(alike && c <= 0);
	case IQ_GT: return iq_bool(alike && c > 0);
	default: return iq_bool(alike && c >= 0);
	}
}

static iq_value arithmetic(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	double x, y = 0;
	iq_value a = iq_eval(row, n->args, aggregates);
	if (!iq_is_number(a, &x) ||
	    (n->args->next && !iq_is_number(iq_eval(row, n->args->next, aggregates), &y)))
		return IQ_NOTHING;
	switch (n->kind) {
	case IQ_ADD: return iq_number(x + y);
	case IQ_SUB: return iq_number(x - y);
	case IQ_MUL: return iq_number(x * y);
	case IQ_DIV: return y != 0 ? iq_number(x / y) : IQ_NOTHING;
	case IQ_MOD: return y != 0 ? iq_number(fmod(x, y)) : IQ_NOTHING;
	case IQ_POWER: return iq_number(pow(x, y));
	default: return iq_number(-x);
	}
}

#define ARGUMENTS_MAX 32

/* Not part of iq_eval, which calls itself: a long chain of operators would need its arguments at every
 * level. */
__attribute__((noinline)) static iq_value called(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	iq_value args[ARGUMENTS_MAX];
	size_t count = 0;
	if (!row->event)
		for (const iq_extra *e = row->extras; e; e = e->next)
			if (str_eq(e->name, n->literal.text))
				return e->value;
	iq_row bare = *row;
	if (!n->function->call && row->event) {
		bare.message = row->raw;
		bare.json = NULL;
		bare.json_read = false;
		row = &bare;
	}
	for (const iq_node *c = n->args; c && count < ARGUMENTS_MAX; c = c->next)
		args[count++] = iq_eval(row, c, aggregates);
	return n->function->call ? n->function->call(row, args, count) : args[0];
}

iq_value iq_eval(iq_row *row, const iq_node *n, const iq_value *aggregates)
{
	if (iq_row_full(row))
		return IQ_NOTHING;
	switch (n->kind) {
	case IQ_LITERAL: return n->literal;
	case IQ_FIELD: return iq_field(row, n->name);
	case IQ_CALL: return called(row, n, aggregates);
	case IQ_AGGREGATE: return aggregates ? aggregates[n->index] : IQ_NOTHING;
	case IQ_OR:
		return iq_bool(iq_true(iq_eval(row, n->args, aggregates)) ||
		               iq_true(iq_eval(row, n->args->next, aggregates)));
	case IQ_AND:
		return iq_bool(iq_true(iq_eval(row, n->args, aggregates)) &&
		               iq_true(iq_eval(row, n->args->next, aggregates)));
	case IQ_NOT: return iq_bool(!iq_true(iq_eval(row, n->args, aggregates)));
	case IQ_LIKE: return iq_bool(like(row, n, aggregates) != n->negated);
	case IQ_IN: return iq_bool(is_in(row, n, aggregates) != n->negated);
	case IQ_EQ: case IQ_NE: case IQ_LT: case IQ_LE: case IQ_GT: case IQ_GE:
		return compared(row, n, aggregates);
	default: return arithmetic(row, n, aggregates);
	}
}
