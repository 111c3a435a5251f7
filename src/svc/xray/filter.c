/*
 * Filter expressions: responsetime > 5 AND service("api") { fault } ... A tree, evaluated on a trace, or on
 * one service of it inside the braces.
 */
#include "xray.h"

#define DEEP 32
#define ALL_OF(v, p) for (const part *p = (v)->parts; p; p = p->next)

typedef enum node_kind { ALWAYS, AND, OR, NOT, FLAG, COMPARE, SERVICE, EDGE } node_kind;
typedef enum op { EQ, NE, LT, LE, GT, GE, CONTAINS, BEGINS, ENDS, PRESENT } op;

struct filter {
	node_kind kind;
	op op;
	struct filter *a, *b;
	str key, text, type;   /* SERVICE: text is the name, type its type; of EDGE the caller's */
	str to, to_type;       /* EDGE: what is called */
	double number;
	bool numeric;
	arena *mem;
};

typedef struct reader {
	req *rq;
	str all;
	size_t at;
	int depth;
	bool bad;
} reader;

static void blanks(reader *r)
{
	while (r->at < r->all.n && strchr(" \t\r\n", r->all.p[r->at]))
		r->at++;
}

static bool sign(reader *r, const char *text)
{
	blanks(r);
	if (!str_starts(str_sub(r->all, r->at, r->all.n), str_c(text)))
		return false;
	r->at += strlen(text);
	return true;
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-' || c == ':';
}

static str word(reader *r)
{
	blanks(r);
	size_t from = r->at;
	while (r->at < r->all.n && word_char(r->all.p[r->at]))
		r->at++;
	return str_sub(r->all, from, r->at);
}

static bool keyword(reader *r, const char *text)
{
	size_t before = r->at;
	if (str_eq_nocase(word(r), str_c(text)))
		return true;
	r->at = before;
	return false;
}

/* "text", with \" inside. */
static bool quoted(reader *r, str *out)
{
	if (!sign(r, "\""))
		return false;
	char *p = arena_bytes(r->rq->mem, r->all.n + 1);
	size_t n = 0;
	for (; r->at < r->all.n && r->all.p[r->at] != '"'; r->at++) {
		if (r->all.p[r->at] == '\\' && r->at + 1 < r->all.n)
			r->at++;
		p[n++] = r->all.p[r->at];
	}
	*out = str_of(p, n);
	return sign(r, "\"");
}

static filter *make(reader *r, node_kind kind, filter *a, filter *b)
{
	filter *f = arena_new(r->rq->mem, filter);
	f->kind = kind;
	f->mem = r->rq->mem;
	f->a = a;
	f->b = b;
	return f;
}

static filter *wrong(reader *r)
{
	r->bad = true;
	return make(r, ALWAYS, NULL, NULL);
}

static filter *read_or(reader *r);

/* "name", id(name: "n", type: "t"), or nothing: any service. */
static bool read_name(reader *r, str *name, str *type)
{
	if (!keyword(r, "id")) {
		quoted(r, name);
		return true;
	}
	if (!sign(r, "("))
		return false;
	do {
		str key = word(r), value;
		if ((!str_ends(key, S(":")) && !sign(r, ":")) || !quoted(r, &value))
			return false;
		if (str_starts(key, S("type")))
			*type = value;
		else if (str_starts(key, S("name")))
			*name = value;
	} while (sign(r, ","));
	return sign(r, ")");
}

/* service("name") { .. }, edge("from", "to") { .. } */
static filter *read_service(reader *r, node_kind kind)
{
	filter *f = make(r, kind, NULL, NULL);
	if (!sign(r, "(") || !read_name(r, &f->text, &f->type))
		return wrong(r);
	if (kind == EDGE && (!sign(r, ",") || !read_name(r, &f->to, &f->to_type)))
		return wrong(r);
	if (!sign(r, ")"))
		return wrong(r);
	if (sign(r, "{")) {
		f->a = read_or(r);
		if (!sign(r, "}"))
			return wrong(r);
	}
	return f;
}

static bool is_flag(str key)
{
	static const char *const flags[] = { "ok", "error", "fault", "throttle", "partial", "inferred", "root",
		                             "first", "last", "remote" };
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (str_eq(key, str_c(flags[i])))
			return true;
	return false;
}

static bool is_numeric(str key)
{
	return str_eq(key, S("responsetime")) || str_eq(key, S("duration")) || str_eq(key, S("http.status"));
}

static bool is_text(str key)
{
	static const char *const keys[] = { "http.url", "http.method", "http.useragent", "http.clientip", "user",
		                            "name", "type", "availability.zone", "instance.id", "resource.arn" };
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq(key, str_c(keys[i])))
			return true;
	return str_starts(key, S("annotation."));
}

static bool read_op(reader *r, op *out)
{
	static const struct { const char *text; op op; } signs[] = { { "!=", NE }, { "<=", LE }, { ">=", GE },
		{ "=", EQ }, { "<", LT }, { ">", GT } };
	static const struct { const char *text; op op; } words[] = { { "CONTAINS", CONTAINS },
		{ "BEGINSWITH", BEGINS }, { "ENDSWITH", ENDS } };
	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (sign(r, signs[i].text)) {
			*out = signs[i].op;
			return true;
		}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (keyword(r, words[i].text)) {
			*out = words[i].op;
			return true;
		}
	return false;
}

static filter *read_compare(reader *r, str key)
{
	filter *f = make(r, COMPARE, NULL, NULL);
	f->key = key;
	if (!read_op(r, &f->op)) {
		/* annotation.key alone: it is there. */
		f->op = PRESENT;
		return str_starts(key, S("annotation.")) ? f : wrong(r);
	}
	if (quoted(r, &f->text))
		return is_numeric(key) ? wrong(r) : f;
	f->text = word(r);
	f->numeric = str_to_f64(f->text, &f->number);
	bool truth = str_eq_nocase(f->text, S("true")) || str_eq_nocase(f->text, S("false"));
	if (!f->numeric && !(truth && !is_numeric(key)))
		return wrong(r);
	return f;
}

static filter *read_atom(reader *r)
{
	if (sign(r, "(")) {
		filter *f = read_or(r);
		return sign(r, ")") ? f : wrong(r);
	}
	str key = word(r), inside;
	if (str_eq(key, S("annotation")) && sign(r, "[")) {
		inside = word(r);
		if (!sign(r, "]"))
			return wrong(r);
		key = arena_concat(r->rq->mem, S("annotation."), inside);
	}
	if (str_eq(key, S("service")) || str_eq(key, S("edge")))
		return read_service(r, str_eq(key, S("edge")) ? EDGE : SERVICE);
	if (is_flag(key)) {
		filter *f = make(r, FLAG, NULL, NULL);
		f->key = key;
		if (sign(r, "=")) {
			str truth = word(r);
			return str_eq_nocase(truth, S("false")) ? make(r, NOT, f, NULL) :
			       str_eq_nocase(truth, S("true")) ? f : wrong(r);
		}
		return f;
	}
	return is_numeric(key) || is_text(key) ? read_compare(r, key) : wrong(r);
}

static filter *read_not(reader *r)
{
	if (r->bad || ++r->depth > DEEP)
		return wrong(r);
	filter *f = sign(r, "!") || keyword(r, "NOT") ? make(r, NOT, read_not(r), NULL) : read_atom(r);
	r->depth--;
	return f;
}

static filter *read_and(reader *r)
{
	filter *f = read_not(r);
	while (!r->bad && (sign(r, "&&") || keyword(r, "AND")))
		f = make(r, AND, f, read_not(r));
	return f;
}

static filter *read_or(reader *r)
{
	filter *f = read_and(r);
	while (!r->bad && (sign(r, "||") || keyword(r, "OR")))
		f = make(r, OR, f, read_and(r));
	return f;
}

err filter_read(req *rq, str expression, filter **out)
{
	reader r = { .rq = rq, .all = str_trim(expression) };
	*out = arena_new(rq->mem, filter);
	if (!r.all.n)
		return OK;
	*out = read_or(&r);
	blanks(&r);
	if (r.bad || r.at < r.all.n)
		return fail(rq, &xray_InvalidRequestException, "Invalid filter expression: '%.*s'",
		            STR_ARG(expression));
	return OK;
}

static bool in_scope(const part *p, const part *only)
{
	return !only || p == only || p->owner == only;
}

static bool text_fits(const filter *f, str have)
{
	switch (f->op) {
	case EQ: return str_eq(have, f->text);
	case NE: return !str_eq(have, f->text);
	case CONTAINS: return str_find(have, f->text) != SIZE_MAX;
	case BEGINS: return str_starts(have, f->text);
	case ENDS: return str_ends(have, f->text);
	case PRESENT: return str_is(have);
	default: return false;
	}
}

static bool number_fits(const filter *f, double have)
{
	switch (f->op) {
	case EQ: return have == f->number;
	case NE: return have != f->number;
	case LT: return have < f->number;
	case LE: return have <= f->number;
	case GT: return have > f->number;
	case GE: return have >= f->number;
	default: return false;
	}
}

static str text_named(const part *p, str key)
{
	struct { const char *key; str value; } all[] = { { "http.url", p->url }, { "http.method", p->method },
		{ "http.useragent", p->agent }, { "http.clientip", p->ip }, { "user", p->user },
		{ "name", p->name }, { "type", p->type }, { "availability.zone", p->zone },
		{ "instance.id", p->instance }, { "resource.arn", p->arn } };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (str_eq(key, str_c(all[i].key)))
			return all[i].value;
	return STR_NONE;
}

static bool part_compares(const filter *f, const part *p)
{
	double have;
	if (str_eq(f->key, S("http.status")))
		return p->status && number_fits(f, (double)p->status);
	if (!str_starts(f->key, S("annotation.")))
		return str_is(text_named(p, f->key)) && text_fits(f, text_named(p, f->key));
	const json_value *v = json_get(p->annotations, str_sub(f->key, 11, f->key.n));
	if (!v)
		return false;
	if (v->kind == JSON_NUMBER && f->numeric)
		return str_to_f64(v->text, &have) && number_fits(f, have);
	if (v->kind == JSON_TRUE || v->kind == JSON_FALSE)
		return f->op == PRESENT || (f->op == EQ) == str_eq_nocase(f->text, v->kind == JSON_TRUE ?
		                                                          S("true") : S("false"));
	return f->op == PRESENT || (v->kind == JSON_STRING && text_fits(f, v->text));
}

static bool compares(const filter *f, const view *v, const part *only)
{
	const part *whole = only ? only : v->root;
	if (str_eq(f->key, S("responsetime")))
		return number_fits(f, whole->end - whole->start);
	if (str_eq(f->key, S("duration")))
		return number_fits(f, only ? only->end - only->start : v->end - v->start);
	ALL_OF(v, p)
		if (in_scope(p, only) && part_compares(f, p))
			return true;
	return false;
}

static bool flagged(const filter *f, const view *v, const part *only)
{
	bool faulty = false, error = false, throttle = false, inferred = false;
	ALL_OF(v, p)
		if (in_scope(p, only)) {
			faulty = faulty || p->fault;
			error = error || p->error;
			throttle = throttle || p->throttle;
			inferred = inferred || p->inferred;
		}
	if (str_eq(f->key, S("ok")))
		return !faulty && !error && !throttle;
	if (str_eq(f->key, S("partial")))
		return only ? only->progress : v->partial;
	if (str_eq(f->key, S("root")) || str_eq(f->key, S("first")))
		return !only || only == v->root;
	return str_eq(f->key, S("fault")) ? faulty : str_eq(f->key, S("error")) ? error :
	       str_eq(f->key, S("throttle")) ? throttle : inferred;
}

static bool takes(const filter *f, const view *v, const part *only);

static bool named(const part *p, str name, str type)
{
	return (!name.n || str_eq(p->name, name)) && (!type.n || str_eq(p->type, type));
}

static bool service_takes(const filter *f, const view *v)
{
	ALL_OF(v, p)
		if ((!p->owner || p->inferred) && named(p, f->text, f->type) && (!f->a || takes(f->a, v, p)))
			return true;
	return false;
}

static bool edge_named(const filter *f, const view_call *c)
{
	return c->from && named(c->from, f->text, f->type) && named(c->to, f->to, f->to_type);
}

static bool edge_takes(const filter *f, const view *v, arena *mem)
{
	view_call *calls;
	size_t n = view_calls(v, mem, &calls);
	for (size_t i = 0; i < n; i++)
		if (edge_named(f, &calls[i]) && (!f->a || takes(f->a, v, calls[i].by)))
			return true;
	return false;
}

bool filter_selects(const filter *f, const view_call *c)
{
	return f->kind == SERVICE ? named(c->to, f->text, f->type) : f->kind != EDGE || edge_named(f, c);
}

static bool takes(const filter *f, const view *v, const part *only)
{
	switch (f->kind) {
	case AND: return takes(f->a, v, only) && takes(f->b, v, only);
	case OR: return takes(f->a, v, only) || takes(f->b, v, only);
	case NOT: return !takes(f->a, v, only);
	case FLAG: return flagged(f, v, only);
	case COMPARE: return compares(f, v, only);
	case SERVICE: return service_takes(f, v);
	case EDGE: return edge_takes(f, v, f->mem);
	default: return true;
	}
}

bool filter_takes(const filter *f, const view *v)
{
	return takes(f, v, NULL);
}
