#include "base/json.h"
#include "logs.h"

#define TERMS_MAX 64
#define DEPTH_MAX 16

typedef enum term_kind { TERM_ALL, TERM_NOT, TERM_ANY } term_kind;

typedef struct term {
	term_kind kind;
	str text;
} term;

/* A JSON condition: $.a.b = "x" && ($.c > 3 || $.d NOT EXISTS) */
typedef enum node_kind { NODE_AND, NODE_OR, NODE_TEST } node_kind;

typedef struct node {
	node_kind kind;
	struct node *left, *right;
	str path, operator, value; /* value without quotes; may hold * */
	bool quoted;
} node;

struct filter {
	term terms[TERMS_MAX];
	size_t n;
	node *json; /* instead of terms */
};

typedef struct reader {
	req *rq;
	str rest;
	unsigned depth;
} reader;

static err bad(req *rq, const char *why)
{
	return fail(rq, &logs_InvalidParameterException, "Invalid filter pattern: %s", why);
}

static void skip_blanks(reader *r)
{
	r->rest = str_trim(r->rest);
}

static bool quoted(reader *r, str *out)
{
	buf b = buf_in(r->rq->mem, 64, 2048);
	size_t i = 1;
	for (; i < r->rest.n && r->rest.p[i] != '"'; i++) {
		if (r->rest.p[i] == '\\' && i + 1 < r->rest.n)
			i++;
		buf_c(&b, r->rest.p[i]);
	}
	if (i == r->rest.n)
		return false;
	*out = buf_str(&b);
	r->rest = str_sub(r->rest, i + 1, r->rest.n);
	return true;
}

static str word(reader *r, const char *stops)
{
	size_t i = 0;
	while (i < r->rest.n && !strchr(stops, r->rest.p[i]))
		i++;
	str w = str_sub(r->rest, 0, i);
	r->rest = str_sub(r->rest, i, r->rest.n);
	return w;
}

static bool eat(reader *r, str token)
{
	skip_blanks(r);
	if (!str_starts(r->rest, token))
		return false;
	r->rest = str_sub(r->rest, token.n, r->rest.n);
	return true;
}

static err parse_or(reader *r, node **out);

static err parse_test(reader *r, node **out)
{
	static const str operators[] = { { "!=", 2 }, { "<=", 2 }, { ">=", 2 }, { "=", 1 },
		                         { "<", 1 },  { ">", 1 },  { "IS", 2 }, { "NOT EXISTS", 10 },
		                         { "EXISTS", 6 } };
	node *n = arena_new(r->rq->mem, node);
	n->kind = NODE_TEST;
	skip_blanks(r);
	n->path = word(r, " =!<>\t)");
	if (!str_starts(n->path, S("$")))
		return bad(r->rq, "a property selector begins with $");
	for (size_t i = 0; i < sizeof operators / sizeof *operators && !str_is(n->operator); i++)
		if (eat(r, operators[i]))
			n->operator = operators[i];
	if (!str_is(n->operator))
		return bad(r->rq, "an operator is missing");
	*out = n;
	if (str_ends(n->operator, S("EXISTS")))
		return OK;
	skip_blanks(r);
	n->quoted = str_starts(r->rest, S("\""));
	if (n->quoted)
		return quoted(r, &n->value) ? OK : bad(r->rq, "a quotation is not closed");
	n->value = word(r, " \t)&|}");
	return n->value.n ? OK : bad(r->rq, "a value is missing");
}

static err parse_factor(reader *r, node **out)
{
	if (r->depth >= DEPTH_MAX)
		return bad(r->rq, "too deep");
	if (!eat(r, S("(")))
		return parse_test(r, out);
	r->depth++;
	TRY(parse_or(r, out));
	r->depth--;
	return eat(r, S(")")) ? OK : bad(r->rq, "a parenthesis is not closed");
}

static node *join(arena *mem, node_kind kind, node *left, node *right)
{
	node *n = arena_new(mem, node);
	*n = (node){ .kind = kind, .left = left, .right = right };
	return n;
}

static err parse_and(reader *r, node **out)
{
	node *right;
	TRY(parse_factor(r, out));
	while (eat(r, S("&&"))) {
		TRY(parse_factor(r, &right));
		*out = join(r->rq->mem, NODE_AND, *out, right);
	}
	return OK;
}

static err parse_or(reader *r, node **out)
{
	node *right;
	TRY(parse_and(r, out));
	while (eat(r, S("||"))) {
		TRY(parse_and(r, &right));
		*out = join(r->rq->mem, NODE_OR, *out, right);
	}
	return OK;
}

static err parse_terms(reader *r, filter *f)
{
	for (skip_blanks(r); r->rest.n; skip_blanks(r)) {
		if (f->n == TERMS_MAX)
			return bad(r->rq, "too many terms");
		term *t = &f->terms[f->n++];
		char c = r->rest.p[0];
		t->kind = c == '-' ? TERM_NOT : c == '?' ? TERM_ANY : TERM_ALL;
		if (c == '-' || c == '?')
			r->rest = str_sub(r->rest, 1, r->rest.n);
		if (!str_starts(r->rest, S("\"")))
			t->text = word(r, " \t\"");
		else if (!quoted(r, &t->text))
			return bad(r->rq, "a quotation is not closed");
		for (size_t i = 0; c != '"' && i < t->text.n; i++)
			if (strchr("[]{}()", t->text.p[i]))
				return bad(r->rq, "a term with other than letters, digits and _ must be quoted");
	}
	return OK;
}

err filter_parse(req *rq, str pattern, filter **out)
{
	filter *f = arena_new(rq->mem, filter);
	reader r = { .rq = rq, .rest = str_is(pattern) ? str_trim(pattern) : S("") };
	*out = f;
	if (str_starts(r.rest, S("[")) || str_starts(r.rest, S("%")))
		return fail(rq, &aws_NotImplemented,
		            "Farthing reads filter patterns of terms and of JSON; %s are not implemented.",
		            str_starts(r.rest, S("[")) ? "space-delimited fields" : "regular expressions");
	if (!eat(&r, S("{")))
		return parse_terms(&r, f);
	TRY(parse_or(&r, &f->json));
	return eat(&r, S("}")) && r.rest.n == 0 ? OK : bad(rq, "} is missing");
}

static const json_value *element(const json_value *v, str index)
{
	int64_t i;
	if (!v || v->kind != JSON_ARRAY || !str_to_i64(index, &i))
		return NULL;
	const json_value *at = v->first;
	for (; at && i > 0; i--)
		at = at->next;
	return at;
}

/* $.a.b[0].c */
static const json_value *select_path(const json_value *v, str path)
{
	str rest = str_sub(path, 1, path.n);
	while (v && rest.n) {
		if (rest.p[0] == '[') {
			rest = str_sub(rest, 1, rest.n);
			str index = str_cut(&rest, ']');
			v = element(v, index);
			rest = str_is(rest) ? rest : S("");
			continue;
		}
		size_t n = rest.p[0] == '.' ? 1 : 0, from = n;
		while (n < rest.n && rest.p[n] != '.' && rest.p[n] != '[')
			n++;
		v = json_get(v, str_sub(rest, from, n));
		rest = str_sub(rest, n, rest.n);
	}
	return v;
}

static bool compare(const json_value *v, const node *n)
{
	double have, want;
	if (str_eq(n->operator, S("IS")))
		return (v->kind == JSON_NULL && str_eq(n->value, S("NULL"))) ||
		       (v->kind == JSON_TRUE && str_eq(n->value, S("TRUE"))) ||
		       (v->kind == JSON_FALSE && str_eq(n->value, S("FALSE")));
	bool numbers = !n->quoted && v->kind == JSON_NUMBER && str_to_f64(v->text, &have) &&
		       str_to_f64(n->value, &want);
	if (str_eq(n->operator, S("=")))
		return numbers ? have == want : v->kind == JSON_STRING && str_glob(n->value, v->text);
	if (str_eq(n->operator, S("!=")))
		return numbers ? have != want : !(v->kind == JSON_STRING && str_glob(n->value, v->text));
	if (!numbers)
		return false;
	return str_eq(n->operator, S("<"))  ? have < want :
	       str_eq(n->operator, S("<=")) ? have <= want :
	       str_eq(n->operator, S(">"))  ? have > want :
					      have >= want;
}

static bool node_fits(const json_value *document, const node *n)
{
	if (n->kind == NODE_AND)
		return node_fits(document, n->left) && node_fits(document, n->right);
	if (n->kind == NODE_OR)
		return node_fits(document, n->left) || node_fits(document, n->right);
	const json_value *v = select_path(document, n->path);
	if (str_eq(n->operator, S("NOT EXISTS")))
		return !v;
	if (str_eq(n->operator, S("EXISTS")))
		return v != NULL;
	return v && compare(v, n);
}

bool filter_fits(arena *mem, const filter *f, str message)
{
	bool any = false, any_wanted = false;
	if (f->json) {
		const json_value *document = json_parse(mem, message);
		return document && document->kind == JSON_OBJECT && node_fits(document, f->json);
	}
	for (size_t i = 0; i < f->n; i++) {
		bool found = str_find(message, f->terms[i].text) != SIZE_MAX;
		if (f->terms[i].kind == TERM_ALL && !found)
			return false;
		if (f->terms[i].kind == TERM_NOT && found)
			return false;
		any_wanted |= f->terms[i].kind == TERM_ANY;
		any |= f->terms[i].kind == TERM_ANY && found;
	}
	return any || !any_wanted;
}
